/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any bytes as a vendor's document: never a crash or a leak, a refusal has a message, a draft is a
 * table that `check` accepts, and the comparison with a table accounts for each of its rows.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../user/import/import.h"
#include "../../user/policy/policy.h"
#include "fuzz.h"
#include "require.h"

static void draft_check(struct arena *arena, const struct table_draft *draft)
{
	char path[] = "/tmp/flowreeve-document-XXXXXX";
	struct policy_options options = {0};
	struct table_summary summary = {0};
	struct diags diags = {.arena = arena};
	int fd = mkstemp(path), err;

	require(fd >= 0 && write(fd, draft->text, draft->size) == (ssize_t)draft->size,
		"a file for the draft");
	close(fd);
	err = table_load(path, &options, &diags, &summary);
	unlink(path);
	/* All comments: a table without rows, and wrong in nothing else. */
	if (err && !draft->rows && diags.count == 1 &&
	    str_equal(diags.list[0].check, "empty-table"))
		return;
	if (err && diags.count)
		fprintf(stderr, "%u: %s\n%s\n", diags.list[0].loc.line, diags.list[0].message,
			draft->text);
	require(!err, "the draft passes check");
	require(summary.rows == draft->rows, "it has as many rows as were drafted");
}

/* A shipped table, read once. */
static const struct table_view *table_shipped(void)
{
	static const struct table_view *table;
	static struct policy_options options;
	static struct diags diags;

	if (table)
		return table;
	diags.arena = arena_new();
	require(!table_view("policies/tables/snapmirror-active-sync.yaml", &options, &diags,
			    &table),
		"a shipped table");
	return table;
}

static size_t rows_gone(const struct page_diff *diff)
{
	size_t gone = 0;

	for (size_t i = 0; i < diff->count; i++)
		gone += str_equal(diff->list[i].change.kind, "row") &&
			diff->list[i].change.what == TABLE_GONE;
	return gone;
}

static void against_try(const struct source *source)
{
	const struct table_view *table = table_shipped();
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct diags diags = {.arena = arena};
	struct page_view page;
	struct page_diff diff;

	if (import_page(source, &diags, &page) || page_compare(table, &page, &diags, &diff)) {
		require(diags.errors, "a refusal has its words");
		return;
	}
	require(diff.same + rows_gone(&diff) <= table->row_count,
		"a row is the same or gone, not both");
	for (size_t i = 0; i < diff.count; i++)
		require(diff.list[i].table_line || diff.list[i].page_line,
			"a difference has its line");
}

void document_try(const uint8_t *data, size_t size)
{
	const struct import_options options = {.name = "fuzz"};
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	char *text = arena_alloc(arena, size + 1);
	const struct source source = {.name = "fuzz.txt", .text = text, .size = size};
	struct diags diags = {.arena = arena};
	struct table_draft draft = {0};

	if (size)
		memcpy(text, data, size);
	if (import_draft(&source, &options, &diags, &draft))
		require(diags.errors && !draft.text, "a refusal has its words, and no draft");
	else
		draft_check(arena, &draft);
	against_try(&source);
}
