/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by several verbs: exit codes, loading a policy, finding the applied policies.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "invocation.h"

int usage_error(struct context *c, const char *hint, const char *format, ...)
{
	struct loc nowhere = {0};
	char message[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	diag_error(&c->diags, nowhere, -EINVAL, "usage", hint, "%s", message);
	return EXIT_USAGE;
}

int exit_of_host(int err)
{
	switch (-err) {
	case 0:
		return EXIT_DONE;
	case ENODEV:
	case ENOENT:
	case EBUSY:
	case ECANCELED:
		return EXIT_REJECTED;
	case EPERM:
	case EACCES:
	case ENOTSUP:
	case ENOSYS:
		return EXIT_CANNOT;
	case ETIME:
		return EXIT_LATE;
	default:
		return EXIT_FAILED;
	}
}

int exit_of_read(int err)
{
	return err == -ENOENT || err == -ENODEV ? EXIT_FAILED : exit_of_host(err);
}

/* policy warns by the file's mode; --mode enforce brings the same risk. */
static void warn_of_mode(const struct ruleset *rs, bool was_enforce, struct diags *d)
{
	struct loc whole = {.source = rs->source};

	if (rs->enforce && !was_enforce && rs->failsafe_open)
		diag_warning(
			d, whole, "failsafe-open",
			"failsafe: [{peer: [10.0.0.0/24], ports: [22/tcp]}], or failsafe: [] for none",
			"the policy has no failsafe, so 22/tcp stays open to every address");
}

static void set_mode(struct context *c, struct ruleset *rs, struct diags *d)
{
	const char *mode = c->options.mode;
	bool enforce = rs->enforce;

	if (mode)
		rs->enforce = str_equal(mode, mode_name(true));
	warn_of_mode(rs, enforce, d);
}

int load_policy(struct context *c, const char *path, struct diags *d, struct ruleset **out)
{
	struct ruleset *rs;

	if (policy_load(path, &c->options.policy, d, &rs))
		return EXIT_REJECTED;
	set_mode(c, rs, d);
	*out = rs;
	return 0;
}

/* Warnings about the mode are the same for each host: report them for the first only. */
int load_site(struct context *c, const char *path, struct diags *d, const struct site_view **out)
{
	struct diags scratch = {.arena = d->arena};
	const struct site_view *site;

	if (site_load(path, &c->options.policy, d, &site))
		return EXIT_REJECTED;
	for (size_t i = 0; i < site->plan_count; i++)
		set_mode(c, site->plans[i].rs, i ? &scratch : d);
	*out = site;
	return 0;
}

const char *path_from_anywhere(struct context *c, const char *path)
{
	char here[PATH_MAX];

	return *path == '/' || str_equal(path, "-") || str_equal(path, "<stdin>") ||
			       !getcwd(here, sizeof(here))
		       ? path
		       : arena_printf(c->arena, "%s/%s", here, path);
}

int policies_may_be(struct context *c, const char *const *names, size_t count)
{
	struct loc nowhere = {0};
	int ret = 0;

	for (size_t i = 0; i < count; i++) {
		if (name_is_kebab(names[i]))
			continue;
		diag_error(
			&c->diags, nowhere, -ENOENT, "not-applied",
			"flowreeve status lists the policies; a file's policy is its metadata.name",
			"no policy '%s' is applied below %s", names[i], c->options.host.pin_root);
		ret = EXIT_FAILED;
	}
	return ret;
}

int named_policies(struct context *c, size_t first, const char ***names, size_t *count)
{
	struct options *o = &c->options;
	int err;

	if (o->operand_count > first) {
		if (o->policy_name)
			return usage_error(c, "leave --policy out",
					   "give the policy either as an operand or with --policy");
		*names = o->operands + first;
		*count = o->operand_count - first;
		return policies_may_be(c, *names, *count);
	}
	if (o->policy_name) {
		*names = &o->policy_name;
		*count = 1;
		return policies_may_be(c, *names, 1);
	}
	err = datapath_list(&o->host, c->arena, &c->diags, names, count);
	return err ? exit_of_read(err) : 0;
}

int operands_filter(struct context *c, size_t first, uint32_t keys)
{
	struct options *o = &c->options;
	const char *text = NULL;
	size_t at = first;

	while (at < o->operand_count && !filter_begins(o->operands[at]))
		at++;
	for (size_t i = at; i < o->operand_count; i++)
		text = text ? arena_printf(c->arena, "%s %s", text, o->operands[i])
			    : o->operands[i];
	o->operand_count = at;
	return text && filter_parse(text, keys, &c->diags, &o->filter) ? EXIT_USAGE : 0;
}

int nothing_applied(struct context *c)
{
	struct loc nowhere = {0};

	diag_error(&c->diags, nowhere, -ENOENT, "not-applied", NULL,
		   "no policy is applied below %s", c->options.host.pin_root);
	return EXIT_FAILED;
}

int each_instance(struct context *c, const char *const *names, size_t count,
		  int (*visit)(struct context *, const struct instance *, void *), void *user)
{
	struct instance instance;
	int ret = policies_may_be(c, names, count);

	for (size_t i = 0; i < count && !ret; i++) {
		ret = instance_open(&c->options.host, names[i], &c->diags, &instance);
		if (ret)
			return exit_of_read(ret);
		ret = visit(c, &instance, user);
		instance_close(&instance);
	}
	return ret;
}

/* ---------------------------------------------------------------- the policy in force */

static int read_document(struct context *c, const struct instance *instance, void *user)
{
	struct running_policy *out = user;
	struct instance_document document;
	int err = instance_document(instance, &c->diags, &document);

	if (!err)
		err = window_collect(instance, &c->diags, &out->window);
	if (err)
		return exit_of_read(err);
	digest_text(document.digest, out->window.digest);
	out->source = document.source;
	return 0;
}

int find_running(struct context *c, const char *name, struct running_policy *out)
{
	return each_instance(c, &name, 1, read_document, out);
}

void warnings_of(struct context *c, const struct diags *attempt)
{
	for (size_t i = 0; i < attempt->count; i++)
		diag_warning(&c->diags, (struct loc){0}, attempt->list[i].check,
			     attempt->list[i].hint, "%s", attempt->list[i].message);
}

/* A text that fits its own digest may be of anybody: the image is what judges. */
static int check_digest(struct context *c, const char *name, const struct running_policy *running)
{
	char own[DIGEST_TEXT];

	if (digest_is(running->rs, running->rs->enforce, running->window.digest, own))
		return 0;
	diag_error(&c->diags, (struct loc){0}, -EBADMSG, "document-differs",
		   policy_heal_command(c->options.host.pin_root, name, c->arena),
		   "the document that is kept of policy %s is not of what is in force: its digest "
		   "is %s, and that of the policy in force %s",
		   name, own, running->window.digest);
	return EXIT_FAILED;
}

int load_running(struct context *c, const char *name, struct running_policy *out)
{
	struct context reading = *c;
	struct diags d = {.arena = c->arena};
	int ret = find_running(c, name, out);

	if (ret)
		return ret;
	reading.options.policy.instead = out->source;
	reading.options.mode = NULL;
	ret = load_policy(&reading, out->source->name, &d, &out->rs);
	if (ret) {
		c->diags = d;
		return ret;
	}
	ret = check_digest(c, name, out);
	if (!ret)
		set_mode(c, out->rs, &d);
	return ret;
}

bool digest_is(struct ruleset *rs, bool enforce, const char *digest, char own[DIGEST_TEXT])
{
	struct diags unseen = {.arena = rs->arena};
	struct image image = {0};
	bool as_written = rs->enforce;

	*own = '\0';
	rs->enforce = enforce;
	if (!image_compile(rs, &unseen, &image))
		digest_text(image.digest, own);
	rs->enforce = as_written;
	image_free(&image);
	return str_equal(digest, own);
}

bool digest_runs(struct ruleset *rs, bool enforce, const char *digest, char own[DIGEST_TEXT])
{
	char other[DIGEST_TEXT];

	return digest_is(rs, enforce, digest, own) || digest_is(rs, !enforce, digest, other);
}
