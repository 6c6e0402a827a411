/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Editions of tables: `diff TABLE@EDITION TABLE@EDITION`, and the guard of apply: a policy that
 * names no edition does not change to a new one unasked.
 */
#include <errno.h>
#include <string.h>

#include "cmd.h"

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

/* ---------------------------------------------------------------- apply */

static const struct used_table *table_of(const struct ruleset *rs, const char *name)
{
	for (size_t i = 0; i < rs->table_count; i++)
		if (str_equal(rs->tables[i].name, name))
			return &rs->tables[i];
	return NULL;
}

/* A policy that an older flowreeve applied has tables without an edition: the document tells. */
static const char *edition_in_force(struct context *c, const struct used_table *before,
				    const struct used_table *now)
{
	if (before->edition)
		return before->edition;
	if (before->document && str_equal(before->document, now->document))
		return now->edition;
	return table_edition_of(now->file, now->name, before->document, c->arena);
}

/* The same command, which accepts the edition. */
static const char *accept_command(struct context *c)
{
	const struct options *o = &c->options;
	const char **words = arena_alloc(c->arena, (o->word_count + 1) * sizeof(*words));
	struct command_line line = {.verb = "apply",
				    .mode = o->mode,
				    .allow_removal = o->given & OPT_ALLOW_REMOVAL,
				    .pin_root = o->host.pin_root,
				    .more = words,
				    .more_count = o->word_count + 1,
				    .operand = path_from_anywhere(c, o->operands[0])};

	for (size_t i = 0; i < o->word_count; i++)
		words[i] = o->words[i];
	words[o->word_count] = "--new-edition";
	return command_text(c->arena, &line);
}

static bool edition_is_refused(struct context *c, const struct ruleset *running,
			       const struct used_table *now)
{
	const struct used_table *before = table_of(running, now->name);
	const char *old, *stay = "";

	if (now->edition_given || !now->edition || !before)
		return false;
	old = edition_in_force(c, before, now);
	if (old && str_equal(old, now->edition))
		return false;
	if (old)
		stay = arena_printf(c->arena, "; to stay with it, write 'edition: %s'", old);
	diag_error(&c->diags, now->loc, -EPERM, "new-edition", accept_command(c),
		   "the newest edition of table '%s' is %s, and the policy in force has %s%s",
		   now->name, now->edition, old ? old : "none that is known", stay);
	return true;
}

static void show_difference(struct context *c, const char *file, const struct ruleset *rs,
			    const struct running_policy *running)
{
	struct diff_view view = {.policy = rs->name, .file = file, .window = &running->window};

	rulesets_diff(running->rs, rs, c->arena, &view.diff);
	if (!c->render.json) {
		render_diff(&c->render, &view);
		return;
	}
	for (size_t i = 0; i < view.diff.count; i++) {
		const struct resolved_change *change = &view.diff.list[i];
		const char *what = change->before ? "is changed" : "is new";

		if (!change->after)
			what = "is gone";
		if (change->rule)
			diag_note(&c->diags, (struct loc){0}, "edition-change", NULL,
				  "rule '%s' %s", change->name, what);
	}
}

/* True where the policy is in force and can be read. A damaged one is apply's to heal. */
static bool in_force_find(struct context *c, const char *name, struct running_policy *out)
{
	struct context reading = *c;
	const char **names;
	size_t count;

	reading.diags = (struct diags){.arena = c->arena};
	if (datapath_list(&c->options.host, c->arena, &reading.diags, &names, &count))
		return false;
	for (size_t i = 0; i < count; i++)
		if (str_equal(names[i], name))
			return !load_running(&reading, name, out);
	return false;
}

int guard_editions(struct context *c, const char *file, const struct ruleset *rs)
{
	struct running_policy running = {0};
	bool open = false, refused = false;

	for (size_t i = 0; i < rs->table_count; i++)
		open |= rs->tables[i].edition && !rs->tables[i].edition_given;
	if (!open || c->options.given & OPT_NEW_EDITION || !in_force_find(c, rs->name, &running))
		return 0;
	for (size_t i = 0; i < rs->table_count; i++)
		refused |= edition_is_refused(c, running.rs, &rs->tables[i]);
	if (!refused)
		return 0;
	show_difference(c, file, rs, &running);
	return EXIT_REJECTED;
}
