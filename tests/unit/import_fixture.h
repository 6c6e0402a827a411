/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Documents drafted in memory, and the draft read back as `check` reads it.
 */
#ifndef TESTS_IMPORT_FIXTURE_H
#define TESTS_IMPORT_FIXTURE_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../user/import/import.h"
#include "../../user/yaml/yaml.h"
#include "../../user/policy/policy.h"

struct drafted {
	struct arena *arena;
	struct diags diags;
	struct table_draft draft;
	const struct node *rows, *roles;
	int err;
};

static inline void draft_read(struct drafted *d)
{
	char path[] = "/tmp/flowreeve-import-XXXXXX";
	struct policy_options options = {0};
	struct table_summary summary;
	const struct diag *last;
	struct node *root = NULL;
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, d->draft.text, d->draft.size), (ssize_t)d->draft.size);
	close(fd);
	d->diags.errors = 0;
	table_load(path, &options, &d->diags, &summary);
	last = d->diags.count ? &d->diags.list[d->diags.count - 1] : NULL;
	/* One that is nothing but comments is a table without rows, and wrong in nothing else. */
	cr_expect_eq(d->diags.errors, !d->draft.rows, "the draft does not pass: %s\n%s",
		     last ? last->message : "", d->draft.text);
	if (!d->draft.rows && last)
		cr_expect_str_eq(last->check, "empty-table");
	cr_assert_eq(doc_load(path, &d->diags, &root), 0);
	unlink(path);
	d->rows = map_get(root, "rows");
	d->roles = map_get(root, "roles");
}

static inline void draft_source(struct drafted *d, const struct source *source)
{
	const struct import_options options = {.name = "drafted"};

	d->err = import_draft(source, &options, &d->diags, &d->draft);
	if (!d->err)
		draft_read(d);
}

static inline void draft_open(struct drafted *d)
{
	memset(d, 0, sizeof(*d));
	d->arena = arena_new();
	d->diags.arena = d->arena;
}

static inline void draft_text(struct drafted *d, const char *text)
{
	const struct source source = {.name = "page.txt", .text = text, .size = strlen(text)};

	draft_open(d);
	draft_source(d, &source);
}

static inline void draft_file(struct drafted *d, const char *path)
{
	struct source *source;

	draft_open(d);
	cr_assert_eq(source_read(d->arena, path, IMPORT_SIZE_MAX, &source), 0, "%s", path);
	draft_source(d, source);
}

static inline void draft_close(struct drafted *d)
{
	arena_free(d->arena);
}

static inline const char *draft_value(const struct node *map, const char *key)
{
	const struct node *node = map ? map_get(map, key) : NULL;

	return node && node->text ? node->text : "";
}

/* "443/tcp 80/tcp" of a row. */
static inline const char *draft_ports(struct drafted *d, const struct node *row)
{
	const struct node *port;
	const char *text = "";

	for_items(port, map_get(row, "ports")) text =
		arena_printf(d->arena, "%s%s%s", text, *text ? " " : "", port->text);
	return text;
}

static inline const struct node *last_row(const struct drafted *d)
{
	const struct node *row = d->rows->first;

	while (row && row->next)
		row = row->next;
	return row;
}

#endif
