/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Drafts on stdout, offline. new --table TABLE --as ROLE...: a policy to begin with. import FILE:
 * the port table of a vendor's document; import --against TABLE FILE: what differs between them.
 */
#include <errno.h>
#include <string.h>

#include "cmd.h"
#include "../import/import.h"

/* ---------------------------------------------------------------- new */

/* KIND=NAME, "interfaces=eth0". */
static int parse_attach(struct context *c, struct skeleton *s)
{
	const char *text = c->options.attach, *equals = text ? strchr(text, '=') : NULL;

	s->kind = kind_keys[0];
	if (!text)
		return 0;
	for (size_t i = 0; equals && i < FR_KINDS; i++)
		if (strlen(kind_keys[i]) == (size_t)(equals - text) &&
		    str_starts(text, kind_keys[i])) {
			s->kind = kind_keys[i];
			s->attach_to = equals + 1;
		}
	if (!s->attach_to || !*s->attach_to)
		return usage_error(c, "--attach interfaces=eth0, guests=tap0 or cgroups=/PATH",
				   "--attach takes KIND=NAME, not '%s'", text);
	if (s->attach_to[strspn(s->attach_to, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					      "0123456789-._@:/")])
		return usage_error(c,
				   "for a pattern, edit the file and write the pattern in "
				   "quotes",
				   "'%s' is not a name to attach to", s->attach_to);
	return 0;
}

/* "s3" of the older edition: says which edition has it. */
static void role_elsewhere(struct context *c, const struct table_view *view, const char *role)
{
	for (size_t i = view->editions.count; i-- > 0;) {
		struct diags quiet = {.arena = c->arena};
		const char *edition = view->editions.list[i];
		const char *name = arena_printf(c->arena, "%s@%s", view->name, edition);
		const struct table_view *other;

		if (view->edition && str_equal(edition, view->edition))
			continue;
		if (table_view(name, &c->options.policy, &quiet, &other))
			continue;
		for (size_t k = 0; k < other->role_count; k++)
			if (str_equal(other->roles[k].name, role)) {
				diag_note(&c->diags, (struct loc){0}, "other-edition",
					  arena_printf(c->arena, "--table %s", name),
					  "edition %s of '%s' has role '%s'", edition, view->name,
					  role);
				return;
			}
	}
}

/* "agent,nats-server" */
static int roles_parse(struct context *c, const struct table_view *view, const char *words,
		       struct played_roles *out)
{
	const struct role_view **list = arena_alloc(c->arena, (strlen(words) + 1) * sizeof(*list));

	out->list = list;
	while (*words) {
		size_t length = strcspn(words, ",");
		const char *name = arena_strndup(c->arena, words, length);
		const struct role_view *role = table_view_role(view, name, &c->diags);

		if (!role) {
			role_elsewhere(c, view, name);
			return EXIT_REJECTED;
		}
		if (!roles_have(out, role))
			list[out->count++] = role;
		words += length + (words[length] == ',');
	}
	return 0;
}

/* Where `check` has to look for a table that was given as a file. */
static const char *table_dir(struct context *c, const char *table)
{
	const char *slash = strrchr(table, '/'), *dot = strrchr(table, '.');

	if (slash)
		return arena_strndup(c->arena, table, (size_t)(slash - table + 1));
	return dot && str_equal(dot, ".yaml") ? "." : NULL;
}

static const char *policy_name(struct context *c, const struct table_view *view,
			       const struct played_roles *played)
{
	const char *name = view->name;

	for (size_t i = 0; i < played->count; i++)
		name = arena_printf(c->arena, "%s-%s", name, played->list[i]->name);
	return name;
}

int cmd_new(struct context *c)
{
	const struct options *o = &c->options;
	struct skeleton skeleton = {0};
	const struct table_view *view;
	struct played_roles played = {0};

	if (!o->table || !o->as || !o->as[strspn(o->as, ",")])
		return usage_error(c, "flowreeve new --table aws-datasync --as agent",
				   "new needs --table and --as");
	if (parse_attach(c, &skeleton))
		return EXIT_USAGE;
	if (o->name && !name_is_kebab(o->name))
		return usage_error(c, "small letters, digits, single hyphens",
				   "'%s' cannot be the name of a policy", o->name);
	if (table_view(o->table, &o->policy, &c->diags, &view))
		return EXIT_REJECTED;
	if (roles_parse(c, view, o->as, &played))
		return EXIT_REJECTED;
	skeleton.implied = roles_implied(view, &played, c->arena);
	skeleton.tables = table_dir(c, o->table);
	skeleton.name = o->name ?: policy_name(c, view, &played);
	render_skeleton(&c->render, view, &played, &skeleton);
	c->answered = true;
	return 0;
}

/* ---------------------------------------------------------------- import */

static int document_read(struct context *c, const char *path, struct source **out)
{
	int err = source_read(c->arena, path, IMPORT_SIZE_MAX, out);

	if (!err)
		return 0;
	if (err == -EFBIG)
		diag_error(&c->diags, (struct loc){0}, err, "file-too-big",
			   "cut out the part with the ports",
			   "%s: over %d MB, which no document of ports needs", path,
			   IMPORT_SIZE_MAX >> 20);
	else if (err == -EINVAL)
		diag_error(&c->diags, (struct loc){0}, err, "file-unreadable",
			   "write its content to a file first", "%s: not a regular file", path);
	else
		diag_error(&c->diags, (struct loc){0}, err, "file-unreadable", NULL, "%s: %s", path,
			   error_text(err));
	return EXIT_REJECTED;
}

/* The number of places to review; the draft has the places. */
static void report_draft(struct context *c, const struct source *source,
			 const struct table_draft *draft)
{
	struct loc loc = {.source = source};

	if (draft->without_ports)
		diag_warning(&c->diags, loc, "row-without-ports", NULL,
			     "rows with a link instead of ports: %zu", draft->without_ports);
	if (draft->candidates)
		diag_warning(&c->diags, loc, "ports-in-prose", NULL,
			     "ports in the text, which are comments in the draft: %zu",
			     draft->candidates);
	if (draft->unparsed)
		diag_warning(&c->diags, loc, "not-understood", NULL,
			     "texts not understood, which are comments in the draft: %zu",
			     draft->unparsed);
}

static void no_rows(struct context *c, const struct source *source, const char *what)
{
	diag_error(&c->diags, (struct loc){.source = source}, -ENODATA, "no-rows", NULL,
		   "no table of ports was found, so %s", what);
}

/* import --against TABLE FILE */
static int page_against(struct context *c, const struct source *source)
{
	const struct table_view *table;
	struct page_view page;
	struct page_diff diff;

	if (table_view(c->options.against, &c->options.policy, &c->diags, &table) ||
	    import_page(source, &c->diags, &page))
		return EXIT_REJECTED;
	if (!page.row_count) {
		no_rows(c, source, "there is nothing to compare");
		return EXIT_REJECTED;
	}
	if (page_compare(table, &page, &c->diags, &diff))
		return EXIT_REJECTED;
	render_page_diff(&c->render, &diff);
	c->answered = true;
	return diff.count ? EXIT_DIFFERENT : 0;
}

static int check_import(struct context *c)
{
	const struct options *o = &c->options;

	if (o->name && !name_is_kebab(o->name))
		return usage_error(c, "small letters, digits, single hyphens",
				   "'%s' cannot be the name of a table", o->name);
	if (o->against && (o->name || o->title))
		return usage_error(c, "flowreeve import --against TABLE FILE",
				   "--against writes no draft: --name and --title do not apply");
	if (!o->against && o->given & (OPT_JSON | OPT_TABLES))
		return usage_error(c, "flowreeve import --against TABLE FILE --json",
				   "a draft is a table: --json and --tables go with --against");
	return 0;
}

int cmd_import(struct context *c)
{
	const struct options *o = &c->options;
	const struct import_options options = {.name = o->name, .title = o->title};
	struct source *source;
	struct table_draft draft;
	int ret = check_import(c);

	if (ret)
		return ret;
	if (document_read(c, o->operands[0], &source))
		return EXIT_REJECTED;
	if (o->against)
		return page_against(c, source);
	if (import_draft(source, &options, &c->diags, &draft))
		return EXIT_REJECTED;
	report_draft(c, source, &draft);
	if (draft.rows || draft.candidates || draft.unparsed)
		fwrite(draft.text, 1, draft.size, stdout);
	c->answered = true;
	if (draft.rows)
		return 0;
	no_rows(c, source, "no row was drafted");
	return EXIT_REJECTED;
}
