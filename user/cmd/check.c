/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check FILE...: the errors of policies, tables and sites, or their compiled figures. Offline.
 */
#include <string.h>

#include "cmd.h"

static void note_one_covered(const struct rule *rule, const struct covered_by *by, struct diags *d)
{
	const char *names = covered_names(d->arena, by), *decides, *part = "";
	const char *hint = "no fault: the counters of the other rules include its traffic";

	if (rule->action == FR_ALLOW && by->denies == by->count) {
		diag_note(d, rule->loc, "covered",
			  "leave one of them out, or narrow what is denied",
			  by->count == 1
				  ? "rule '%s' allows nothing: rule '%s' denies all of it"
				  : "rule '%s' allows nothing: rules %s together deny all of it",
			  rule->id, names);
		return;
	}
	decides = by->count == 1
			  ? "rule '%s' decides nothing: rule '%s' has its peers and ports%s"
			  : "rule '%s' decides nothing: rules %s together have its peers and "
			    "ports%s";
	if (by->count == 1)
		hint = "no fault: the counters of the other rule include its traffic";
	if (rule->action == FR_ALLOW && by->denies)
		part = ", and deny a part of them";
	diag_note(d, rule->loc, "covered", hint, decides, rule->id, names, part);
}

/* Its counters stay 0 whatever happens. */
static void note_covered(const struct ruleset *rs, const struct image *image, struct diags *d)
{
	struct covered_by by;

	for (size_t i = 0; i < rs->rule_count; i++)
		if (rule_covered(rs, image, &rs->rules[i], &by))
			note_one_covered(&rs->rules[i], &by, d);
}

/* Once for each edition that the file uses. */
static void note_newer(const struct ruleset *rs, struct index *noted, struct diags *d)
{
	for (size_t i = 0; i < rs->table_count; i++) {
		const struct used_table *table = &rs->tables[i];
		const char *key;

		if (!table->newest || !table->edition || !table->edition_given ||
		    strcmp(table->newest, table->edition) <= 0)
			continue;
		key = arena_printf(d->arena, "%s@%s", table->name, table->edition);
		if (index_insert(noted, key, table))
			continue;
		diag_note(d, table->loc, "newer-edition",
			  arena_printf(d->arena, "flowreeve diff %s %s@%s", key, table->name,
				       table->newest),
			  "table '%s' has a newer edition, %s", table->name, table->newest);
	}
}

static int check_policy(struct context *c, const struct source *source, struct diags *d,
			struct render_stream *s)
{
	struct index noted = {.arena = d->arena};
	struct context reading = *c;
	struct image image = {0};
	struct ruleset *rs;

	reading.options.policy.instead = source;
	if (load_policy(&reading, source->name, d, &rs) || image_compile(rs, d, &image))
		return EXIT_REJECTED;
	warn_of_ssh(c, rs, &image, NULL, d);
	note_covered(rs, &image, d);
	note_newer(rs, &noted, d);
	render_check(s, rs, &image, d);
	image_free(&image);
	return 0;
}

static int check_table(struct context *c, const char *path, struct diags *d,
		       struct render_stream *s)
{
	struct table_summary summary;

	if (table_load(path, &c->options.policy, d, &summary))
		return EXIT_REJECTED;
	render_check_table(s, path, &summary, d);
	return 0;
}

static int check_site(struct context *c, const char *path, struct diags *d, struct render_stream *s)
{
	struct index noted = {.arena = d->arena};
	const struct site_view *site;
	struct image *images;
	int ret = 0;

	if (load_site(c, path, d, &site))
		return EXIT_REJECTED;
	images = arena_alloc(d->arena, site->plan_count * sizeof(*images));
	for (size_t i = 0; i < site->plan_count; i++) {
		note_newer(site->plans[i].rs, &noted, d);
		if (image_compile(site->plans[i].rs, d, &images[i]))
			ret = EXIT_REJECTED;
	}
	if (!ret)
		render_check_site(s, site, images, d);
	for (size_t i = 0; i < site->plan_count; i++)
		image_free(&images[i]);
	return ret;
}

static int check_file(struct context *c, const char *path, struct diags *d, struct render_stream *s)
{
	const struct source *source;
	const char *kind = NULL;

	if (document_kind(path, d, &source, &kind))
		return EXIT_REJECTED;
	if (str_equal(kind, "PortTable"))
		return check_table(c, path, d, s);
	if (str_equal(kind, "Site"))
		return check_site(c, path, d, s);
	return check_policy(c, source, d, s);
}

/* Each file has an arena of its own: a hundred tables need the memory of one. */
static int check_one(struct context *c, const char *path, struct render_stream *s)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct diags d = {.arena = arena};
	int ret = check_file(c, path, &d, s);

	if (ret)
		render_check_bad(s, path, &d);
	if (ret || !c->render.json)
		render_diags(stderr, &d, c->colour_stderr);
	return ret;
}

int cmd_check(struct context *c)
{
	struct render_stream *s = render_check_begin(&c->render);
	int ret = 0;

	c->answered = true;
	for (size_t i = 0; i < c->options.operand_count; i++)
		if (check_one(c, c->options.operands[i], s))
			ret = EXIT_REJECTED;
	render_end(s);
	return ret;
}
