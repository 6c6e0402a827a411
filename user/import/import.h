/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * import: a vendor's document to the draft of a PortTable. Reads Markdown, HTML, AsciiDoc,
 * reStructuredText, CSV and plain text; text that it does not understand goes into the draft as
 * comments. Uses tables (for the rows of a page), net and base, cmark-gfm for Markdown, libxml2 for
 * HTML, libcsv for CSV. Never asks the network, never evaluates a template.
 */
#ifndef IMPORT_H
#define IMPORT_H

#include "../tables/tables.h"

/* Longer documents are refused: no port table needs more, and no parser is trusted with it. */
enum { IMPORT_SIZE_MAX = 4 << 20 };

struct import_options {
	const char *name;  /* of the table, kebab-case; NULL: after the file */
	const char *title; /* NULL: the document's first heading */
};

/* The whole text of the draft, in the arena of the diagnostics. */
struct table_draft {
	const char *text;
	size_t size;
	size_t rows;	      /* drafted */
	size_t without_ports; /* of these, rows that have only a link where the ports should be */
	size_t candidates;    /* ports in prose, as comments */
	size_t unparsed;      /* texts that were not understood, as comments */
};

/*
 * 0 with a draft that may have no rows (then it is comments only); -errno with a diagnostic when
 * the file is no text: empty, a PDF, binary, UTF-16, over the limit.
 */
int import_draft(const struct source *source, const struct import_options *options, struct diags *d,
		 struct table_draft *out);

/* The rows of the document in its own words, to be compared with a table. The same errors. */
int import_page(const struct source *source, struct diags *d, struct page_view *out);

#endif
