/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * --flows FILE: recorded events in place of the kernel's figures, for coverage and learn. They are
 * judged by the policy in force, or by --source FILE, which needs no host.
 */
#include <errno.h>
#include <string.h>

#include "invocation.h"

static const struct loc nowhere;

static int read_recording(struct context *c, struct recording *out)
{
	const char *path = c->options.events;
	bool piped = str_equal(path, "-");
	struct source *source;
	int err;

	if (piped && c->options.source && str_equal(c->options.source, "-"))
		return usage_error(c, "name a file for one of them",
				   "--flows and --source cannot both read standard input");
	err = piped ? source_stdin(c->arena, EVENTS_BYTES_MOST, &source)
		    : source_read(c->arena, path, EVENTS_BYTES_MOST, &source);
	if (!err)
		return events_read(source, &c->diags, out) ? EXIT_REJECTED : 0;
	diag_error(&c->diags, nowhere, err, "file-unreadable",
		   "--flows FILE: the lines of  flowreeve monitor --json; - is standard input",
		   "%s: %s", path, error_text(err));
	return EXIT_FAILED;
}

/* The names of policies in the events: "a, b", or "a, b and 3 more". */
static const char *event_policies(struct context *c, const struct recording *recording,
				  size_t *count)
{
	enum { NAMED_MOST = 8 };
	struct index seen = {.arena = c->arena};
	const char *list = NULL;

	for (size_t i = 0; i < recording->count; i++) {
		const char *policy = recording->list[i].policy;

		if (!index_insert(&seen, policy, policy) && seen.count <= NAMED_MOST)
			list = str_list_append(c->arena, list, policy);
	}
	*count = seen.count;
	return seen.count <= NAMED_MOST
		       ? list
		       : arena_printf(c->arena, "%s and %zu more", list, seen.count - NAMED_MOST);
}

/* NULL: that of the file. */
static int choose_policy(struct context *c, const struct recording *recording, const char **name)
{
	const struct options *o = &c->options;
	const char *list;
	size_t count;

	if (o->operand_count && o->policy_name)
		return usage_error(c, "leave --policy out",
				   "give the policy either as an operand or with --policy");
	if (o->operand_count > 1)
		return usage_error(c, NULL, "--flows is about one policy, but %zu are named",
				   o->operand_count);
	*name = o->operand_count ? o->operands[0] : o->policy_name;
	if (*name || o->source)
		return 0;
	list = event_policies(c, recording, &count);
	if (count == 1) {
		*name = list;
		return 0;
	}
	if (!count)
		return usage_error(c, "name the policy: NAME, or --source FILE",
				   "%s holds no event, so it does not say of which policy it is",
				   recording->file);
	return usage_error(c, "name one of them", "%s holds events of %zu policies: %s",
			   recording->file, count, list);
}

/* The policy that judges the events. */
static int read_judge(struct context *c, const char *name, struct recorded_coverage *out)
{
	const char *source = c->options.source;
	struct running_policy running = {0};
	int ret;

	if (!source) {
		ret = load_running(c, name, &running);
		out->rs = running.rs;
		out->window = running.window;
		out->path = ret ? NULL : running.rs->file;
		return ret;
	}
	ret = load_policy(c, source, &c->diags, &out->rs);
	if (ret)
		return ret;
	out->path = source;
	if (!name || str_equal(out->rs->name, name))
		return 0;
	diag_error(&c->diags, nowhere, -EINVAL, "source-other",
		   "name the policy of the file, or none", "%s is the file of policy %s, not of %s",
		   source, out->rs->name, name);
	return EXIT_REJECTED;
}

/* ---------------------------------------------------------------- do they belong together? */

static void warn_of_digest(struct context *c, const struct recording *recording,
			   const struct recorded_coverage *coverage, char own[2][DIGEST_TEXT])
{
	const char *other = NULL;
	size_t count = 0;

	for (size_t i = 0; i < recording->count; i++) {
		const struct recorded_event *event = &recording->list[i];

		if (!event->digest || !str_equal(event->policy, coverage->rs->name) ||
		    str_equal(event->digest, own[0]) || str_equal(event->digest, own[1]))
			continue;
		other = event->digest;
		count++;
	}
	if (count)
		diag_warning(
			&c->diags, nowhere, "events-other-digest",
			"events of the policy as it was tell what the policy as it is would do "
			"with them; record anew after a change",
			"%zu of %llu events were recorded under digest %s, but %s has digest "
			"%s: they are judged by the latter",
			count, (unsigned long long)coverage->view.recorded->events, other,
			c->options.source ? c->options.source : "the policy in force", own[0]);
}

/* Events of other policies are left out; with no others, there is nothing to report on. */
static int check_policy(struct context *c, const struct recording *recording,
			const struct recorded_coverage *coverage)
{
	const struct recorded_view *recorded = coverage->view.recorded;
	const char *list, *name = coverage->rs->name;
	size_t count;

	if (!recorded->left_out)
		return 0;
	list = event_policies(c, recording, &count);
	if (!recorded->events) {
		diag_error(&c->diags, nowhere, -EINVAL, "events-other-policy",
			   "name the policy of the events",
			   "%s holds no event of policy %s: its events are of %s", recording->file,
			   name, list);
		return EXIT_REJECTED;
	}
	diag_warning(&c->diags, nowhere, "events-other-policy", NULL,
		     "%s holds events of several policies (%s): %llu that are not of %s are left "
		     "out",
		     recording->file, list, (unsigned long long)recorded->left_out, name);
	return 0;
}

static void warn_of_gaps(struct context *c, const struct recorded_view *recorded)
{
	if (recorded->lost)
		diag_warning(&c->diags, nowhere, "events-lost", NULL,
			     "%llu events were lost while %s was recorded: what they showed is "
			     "missing here",
			     (unsigned long long)recorded->lost, recorded->file);
	if (recorded->host_count > 1)
		diag_warning(&c->diags, nowhere, "events-other-host", NULL,
			     "%s holds events of %zu hosts: the figures are their sum",
			     recorded->file, recorded->host_count);
}

int cover_recorded(struct context *c, struct recorded_coverage *out)
{
	struct recording recording;
	char digests[2][DIGEST_TEXT];
	const char *name;
	int ret = read_recording(c, &recording);

	if (ret)
		return ret;
	ret = choose_policy(c, &recording, &name);
	if (ret)
		return ret;
	ret = read_judge(c, name, out);
	if (ret)
		return ret;
	if (recorded_cover(&recording, out->rs, &c->diags, &out->view))
		return EXIT_REJECTED;
	out->view.source = out->path;
	ret = check_policy(c, &recording, out);
	if (ret)
		return ret;
	/* In both modes: `apply --mode` makes no other policy of the file. */
	for (int mode = 0; mode < 2; mode++)
		digest_is(out->rs, mode ? !out->rs->enforce : out->rs->enforce, "", digests[mode]);
	warn_of_digest(c, &recording, out, digests);
	warn_of_gaps(c, out->view.recorded);
	snprintf(out->window.policy, sizeof(out->window.policy), "%s", out->rs->name);
	memcpy(out->window.digest, digests[0], sizeof(digests[0]));
	out->window.enforce = out->rs->enforce;
	out->window.since = out->view.recorded->since;
	out->window.until = out->view.recorded->until;
	return 0;
}
