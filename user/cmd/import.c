/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * import FILE: the draft of a port table from a vendor's document, on stdout. Offline.
 */
#include <errno.h>

#include "cmd.h"
#include "../import/import.h"

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
	else
		diag_error(&c->diags, (struct loc){0}, err, "file-unreadable", NULL, "%s: %s", path,
			   err == -EINVAL ? "not a regular file" : error_text(err));
	return EXIT_REJECTED;
}

/* The number of places to review; the draft has the places. */
static void report_draft(struct context *c, const struct source *source,
			 const struct table_draft *draft)
{
	struct loc loc = {.source = source};

	if (draft->without_ports)
		diag_warning(&c->diags, loc, "row-without-ports", NULL,
			     "%zu rows have a link instead of ports", draft->without_ports);
	if (draft->candidates)
		diag_warning(&c->diags, loc, "ports-in-prose", NULL,
			     "%zu places in the text mention ports; they are comments in the "
			     "draft",
			     draft->candidates);
	if (draft->unparsed)
		diag_warning(&c->diags, loc, "not-understood", NULL,
			     "%zu places were not understood; they are comments in the draft",
			     draft->unparsed);
}

int cmd_import(struct context *c)
{
	const struct options *o = &c->options;
	const struct import_options options = {.name = o->name, .title = o->title};
	struct source *source;
	struct table_draft draft;

	if (o->name && !name_is_kebab(o->name))
		return usage_error(c, "small letters, digits, single hyphens",
				   "'%s' cannot be the name of a table", o->name);
	if (document_read(c, o->operands[0], &source) ||
	    import_draft(source, &options, &c->diags, &draft))
		return EXIT_REJECTED;
	report_draft(c, source, &draft);
	if (draft.rows || draft.candidates || draft.unparsed)
		fwrite(draft.text, 1, draft.size, stdout);
	c->answered = true;
	if (draft.rows)
		return 0;
	diag_error(&c->diags, (struct loc){.source = source}, -ENODATA, "no-rows", NULL,
		   "no table of ports was found, so no row was drafted");
	return EXIT_REJECTED;
}
