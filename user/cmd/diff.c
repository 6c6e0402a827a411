/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs: `diff NAME FILE` compares the policy in force with a file, `diff TABLE@EDITION
 * TABLE@EDITION` two editions of a table. `show policy` prints the policy in force, as the document
 * that was kept when it was applied.
 */
#include <errno.h>
#include <string.h>

#include "cmd.h"

/* ---------------------------------------------------------------- editions */

bool names_table(const char *word)
{
	const char *dot = strrchr(word, '.');

	return strchr(word, '@') || (dot && str_equal(dot, ".yaml"));
}

int diff_tables(struct context *c)
{
	const struct table_view *views[2];
	struct table_diff diff;

	for (size_t i = 0; i < ARRAY_SIZE(views); i++)
		if (table_view(c->options.operands[i], &c->options.policy, &c->diags, &views[i]))
			return EXIT_REJECTED;
	tables_compare(views[0], views[1], c->arena, &diff);
	render_table_diff(&c->render, &diff);
	c->answered = true;
	return diff.count ? EXIT_DIFFERENT : 0;
}

/* ---------------------------------------------------------------- show policy */

int show_policy(struct context *c)
{
	struct running_policy running = {0};
	const char **names;
	struct node *root = NULL;
	size_t count;
	int ret;

	if (c->options.given & (OPT_PEER | OPT_SORT | OPT_LIMIT))
		return usage_error(c, "flowreeve show policy NAME",
				   "show policy prints all of it: --peer, --sort and --limit do "
				   "not apply");
	ret = named_policies(c, 1, &names, &count);
	if (ret)
		return ret;
	if (!count)
		return nothing_applied(c);
	if (count != 1)
		return usage_error(c, "flowreeve show policy NAME",
				   "%zu policies are selected; show policy prints one", count);
	ret = load_running(c, names[0], &running);
	if (ret)
		return ret;
	if (c->render.json && doc_load_until(running.source, NULL, &c->diags, &root))
		return EXIT_FAILED;
	render_policy(&c->render, running.source, root, &running.window);
	c->answered = true;
	return 0;
}

/* ---------------------------------------------------------------- diff */

static bool depends_on_host(const struct ruleset *rs)
{
	for (size_t i = 0; i < rs->rule_count; i++)
		if (rs->rules[i].needs_local)
			return true;
	return rs->failsafe_unknown;
}

/* As this host would apply it: only local-subnet and failsafe: auto depend on that. */
static int load_file(struct context *c, const char *path, struct ruleset **rs)
{
	struct diags d = {.arena = c->arena};
	struct attach_target *hooks;
	size_t count;
	int ret = load_policy(c, path, &d, rs);

	if (!ret && depends_on_host(*rs))
		return load_for_host(c, path, rs, &hooks, &count);
	if (ret)
		c->diags = d;
	return ret;
}

int cmd_diff(struct context *c)
{
	const char *name = c->options.operands[0], *file = c->options.operands[1];
	struct running_policy running = {0};
	struct diff_view view = {.policy = name, .file = file};
	struct ruleset *rs;
	int ret;

	if (names_table(name))
		return diff_tables(c);
	ret = load_running(c, name, &running);
	if (ret)
		return ret;
	ret = load_file(c, file, &rs);
	if (ret)
		return ret;
	view.window = &running.window;
	rulesets_diff(running.rs, rs, c->arena, &view.diff);
	render_diff(&c->render, &view);
	c->answered = true;
	return view.diff.count || view.diff.reordered ? EXIT_DIFFERENT : 0;
}
