/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * status: the enforced state, read from the kernel. Exit 5 when a policy asks to enforce and a
 * hook of it is not alive, or another program runs before it, or something that it asks for is not
 * judged. --query gives the same exit code alone, and 5 as well where nothing is applied.
 */
#include <errno.h>
#include <string.h>

#include "cmd.h"

static int collect_all(struct context *c, const char *const *names, size_t count,
		       struct status_view *views)
{
	int err = 0;

	for (size_t i = 0; i < count && !err; i++)
		err = status_collect(&c->options.host, names[i], c->arena, &c->diags, &views[i]);
	/* A policy that is not applied is an answer to --query; an unreadable one is not. */
	if (err == -ENOENT && c->options.given & OPT_QUERY)
		return EXIT_NOT_ENFORCING;
	return exit_of_read(err);
}

/* Another program decides first: the packets that it takes are in no figure of the policy. */
static void warn_preempted(struct context *c, const struct status_view *view)
{
	struct loc nowhere = {0};

	for (size_t i = 0; i < view->hook_count; i++)
		if (view->hooks[i].preempted_by)
			diag_warning(&c->diags, nowhere, "not-first",
				     policy_heal_command(c->options.host.pin_root, view->policy,
							 c->arena),
				     "%s runs before %s at %s (%s) and may take packets that the "
				     "policy never sees; apply moves the policy to the front if "
				     "it can",
				     view->hooks[i].preempted_by, view->policy, view->hooks[i].name,
				     view->hooks[i].hook);
}

/* The command that repairs it, unless another policy has to change. */
static const char *hint_of(struct context *c, const struct status_view *view,
			   const struct unjudged *unjudged)
{
	return unjudged->hint
		       ? unjudged->hint
		       : policy_heal_command(c->options.host.pin_root, view->policy, c->arena);
}

static void warn_altered(struct context *c, const struct status_view *view)
{
	if (view->altered)
		diag_warning(&c->diags, NO_LOC, "image-altered",
			     policy_heal_command(c->options.host.pin_root, view->policy, c->arena),
			     "policy %s: %s", view->policy, view->altered);
}

static void warn_unjudged(struct context *c, const struct status_view *view)
{
	struct loc nowhere = {0};
	size_t most = 8;

	for (size_t i = 0; i < view->unjudged_count && i < most; i++)
		diag_warning(&c->diags, nowhere, "not-judged", hint_of(c, view, &view->unjudged[i]),
			     "%s of policy %s: %s", view->unjudged[i].name, view->policy,
			     view->unjudged[i].why);
	if (view->unjudged_count > most)
		diag_warning(&c->diags, nowhere, "not-judged", NULL,
			     "%zu more of policy %s are not judged", view->unjudged_count - most,
			     view->policy);
}

/* Its target may be foreign: only a redirect that names a guest of ours is a fault. */
static void warn_redirects(struct context *c, const struct status_view *view)
{
	struct loc nowhere = {0};

	for (size_t i = 0; i < view->redirect_count; i++) {
		const struct redirect_view *redirect = &view->redirects[i];
		const char *can = redirect->past ? "puts" : "can put";

		diag_warning(
			&c->diags, nowhere, "peer-redirect",
			"remove it, or turn off the host routing of the CNI that it belongs to",
			"%s at %s calls bpf_redirect_peer: it %s packets past the hook of %s",
			redirect->words, redirect->where, can, redirect->past ?: "a guest");
	}
}

/* They are in no line of the answer, because nothing of them is in force. */
static int warn_undone(struct context *c)
{
	struct undone *list;
	size_t count;
	int err = datapath_undone(&c->options.host, c->arena, &c->diags, &list, &count);

	for (size_t i = 0; i < count && !err; i++)
		diag_warning(&c->diags, (struct loc){0}, "change-ended", NULL,
			     "change %u of policy %s was rolled back %llu s ago: nothing of it is "
			     "in force",
			     list[i].pending.generation, list[i].policy,
			     (unsigned long long)(real_now() - list[i].pending.ends) / 1000000000);
	return exit_of_read(err);
}

/* The document is read in part, and not checked. */
static const struct node *part_of(const struct node *map, const char *key)
{
	return map && map->kind == NODE_MAP ? map_get(map, key) : NULL;
}

static const char *text_at(const struct node *map, const char *key)
{
	const struct node *node = part_of(map, key);

	return node && node->kind == NODE_SCALAR ? node->text : NULL;
}

static void warn_old_set(struct context *c, const char *policy, const struct node *set)
{
	const char *file = text_at(set, "file"), *dated = text_at(set, "dated");
	uint64_t date;
	unsigned days = 0;

	if (file && dated && date_parse(dated, &date))
		days = prefixes_old_days(date, c->options.policy.now);
	if (days)
		diag_warning(
			&c->diags, (struct loc){0}, "prefixes-old",
			prefixes_renewal(c->arena, file, str_equal(text_at(set, "format"), "aws")),
			"policy %s uses the prefixes of '%s', which are %u days old; more "
			"than %d is old",
			policy, file, days, PREFIXES_OLD);
}

/* The files that the policy in force was made of, by the dates that its document has. Its rules are
 * not read. */
static void warn_old_prefixes(struct context *c, const struct status_view *view)
{
	struct context reading = *c;
	struct running_policy running = {0};
	struct node *root = NULL;
	const struct node *sets, *set;

	reading.diags = (struct diags){.arena = c->arena};
	if (find_running(&reading, view->policy, &running)) {
		warnings_of(c, &reading.diags);
		return;
	}
	/* The key is at the beginning of a line, as nothing else in the document is. */
	if (!strstr(running.source->text, "\nprefixes:"))
		return;
	if (doc_load_until(running.source, "prefixes", &reading.diags, &root)) {
		warnings_of(c, &reading.diags);
		return;
	}
	sets = part_of(root, "prefixes");
	for (set = sets && sets->kind == NODE_MAP ? sets->first : NULL; set; set = set->next)
		warn_old_set(c, view->policy, set);
}

static int not_enforcing(struct context *c, const struct status_view *view)
{
	static const struct unjudged none;
	struct loc nowhere = {0};

	diag_error(&c->diags, nowhere, -EUCLEAN, "not-enforcing",
		   hint_of(c, view, view->unjudged_count ? &view->unjudged[0] : &none),
		   "policy %s is in enforce mode but not enforcing", view->policy);
	return EXIT_NOT_ENFORCING;
}

int cmd_status(struct context *c)
{
	bool query = c->options.given & OPT_QUERY;
	struct status_view *views;
	const char **names;
	size_t count;
	int ret = named_policies(c, 0, &names, &count), code = 0;

	if (!ret) {
		views = arena_alloc(c->arena, (count + 1) * sizeof(*views));
		ret = collect_all(c, names, count, views);
	}
	if (query && !ret && !count)
		return EXIT_NOT_ENFORCING;
	if (ret)
		return ret;
	for (size_t i = 0; i < count; i++) {
		warn_preempted(c, &views[i]);
		warn_altered(c, &views[i]);
		warn_unjudged(c, &views[i]);
		warn_redirects(c, &views[i]);
		if (!query)
			warn_old_prefixes(c, &views[i]);
		if (views[i].enforce && !views[i].enforcing)
			code = not_enforcing(c, &views[i]);
	}
	if (query)
		return code;
	changes_note_ended(c);
	ret = c->options.operand_count ? 0 : warn_undone(c);
	if (ret)
		return ret;
	render_status(&c->render, views, count, c->options.operand_count || c->options.policy_name);
	c->answered = true;
	return code;
}
