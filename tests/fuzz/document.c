/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any bytes as a vendor's document: never a crash or a leak, a refusal has a message, and a draft
 * is a table that `check` accepts.
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
}
