/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The image in words: per direction its address classes, and for each class the verdicts of
 * services, with the rule. Everything is read back from the image; only names come from the
 * ruleset.
 */
#include <errno.h>
#include <stdlib.h>

#include "../../bpf/image.h"
#include "dump.h"

/* One column of one row. */
struct row_cell {
	uint32_t cell, column;
};

/* Arguments of the printers of one direction. */
struct dumper {
	const struct ruleset *rs;
	const struct image *image;
	struct arena *arena;
	const char **columns;
	FILE *out;
	uint8_t dir;
};

static int entry_order(const void *left, const void *right)
{
	const struct row_cell *a = left, *b = right;

	if (a->cell != b->cell)
		return a->cell < b->cell ? -1 : 1;
	return a->column < b->column ? -1 : a->column > b->column;
}

static void cell_print(const struct dumper *dump, uint32_t cell)
{
	const struct fr_staged *staged =
		(const void *)((const uint8_t *)dump->image->lines +
			       (size_t)image_head(dump->image)->staged * FR_LINE_BYTES);
	uint32_t number = FR_CELL_NUMBER(cell);

	if (!(cell & FR_CELL_STAGED)) {
		fprintf(dump->out, "    %-8s  %s: ", action_name(FR_CELL_ACTION(cell)),
			ruleset_rule_name(dump->rs, number));
		return;
	}
	fprintf(dump->out,
		"    %-8s  %s (staged: %s would deny): ", action_name(FR_CELL_ACTION(cell)),
		ruleset_rule_name(dump->rs, FR_CELL_NUMBER(staged[number].real)),
		ruleset_rule_name(dump->rs, staged[number].rule));
}

/* The services of entries first … end - 1, which share a cell. */
static const char *group_text(const struct dumper *dump, const struct row_cell *entries,
			      uint32_t count)
{
	struct phrase words = {0};

	for (uint32_t i = 0; i < count; i++)
		phrase_add(dump->arena, &words, dump->columns[entries[i].column]);
	return phrase_end(dump->arena, &words);
}

/* The cells of a row grouped by verdict; those of the default come last. */
static void row_print(const struct dumper *dump, const struct row_cell *entries, uint32_t count)
{
	const struct row_cell *rest = NULL;

	for (uint32_t i = 0, end; i < count; i = end) {
		uint32_t cell = entries[i].cell;

		for (end = i + 1; end < count && entries[end].cell == cell; end++)
			;
		if (!(cell & FR_CELL_STAGED) && FR_CELL_NUMBER(cell) < FR_RULE_FIRST) {
			rest = &entries[i];
			continue;
		}
		cell_print(dump, cell);
		fprintf(dump->out, "%s\n",
			end - i == count ? "everything" : group_text(dump, entries + i, end - i));
	}
	if (!rest)
		return;
	cell_print(dump, rest->cell);
	fprintf(dump->out, "everything%s\n",
		entries[0].cell == entries[count - 1].cell ? "" : " else");
}

static uint32_t row_read(const struct dumper *dump, uint32_t row, struct row_cell *entries)
{
	const struct fr_image_head *head = image_head(dump->image);
	const struct fr_image_dir *dir = &head->dir[dump->dir];
	struct fr_image_view view = image_view(dump->image);
	uint32_t count = 0;

	for (uint32_t column = 0; column < dir->columns; column++)
		if (dump->columns[column])
			entries[count++] = (struct row_cell){
				image_cell(&view, head, dir, row, column), column};
	qsort(entries, count, sizeof(*entries), entry_order);
	return count;
}

static void rows_print(const struct dumper *dump)
{
	const struct image_stats *stats = &dump->image->stats;
	const char **prefixes = class_prefixes_text(dump->rs, dump->image, dump->dir, dump->arena);
	uint32_t columns = image_head(dump->image)->dir[dump->dir].columns;
	uint32_t rows = stats->address_classes[dump->dir];
	struct row_cell *entries = arena_alloc(dump->arena, columns * sizeof(*entries));

	for (uint32_t row = 0; row < rows && row < DUMP_ROWS_MAX; row++) {
		uint32_t count = row_read(dump, row, entries);

		fprintf(dump->out, "  class %u: %s\n", row, prefixes[row]);
		row_print(dump, entries, count);
	}
	if (rows > DUMP_ROWS_MAX)
		fprintf(dump->out, "  and %u more classes\n", rows - DUMP_ROWS_MAX);
}

static void direction_print(const struct ruleset *rs, const struct image *image, uint8_t dir,
			    FILE *out)
{
	const struct image_stats *stats = &image->stats;
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct dumper dump = {rs, image, arena, columns_text(image, dir, arena), out, dir};

	fprintf(out, "\n%s: address classes %u, service classes %u, cells %llu, default %s\n",
		dir_name(dir), stats->address_classes[dir], stats->service_classes[dir],
		(unsigned long long)stats->cells[dir], action_name(rs->default_allow[dir]));
	rows_print(&dump);
}

const char *image_form(const struct image *image)
{
	if (image->stats.dense)
		return "dense";
	return image_head(image)->flags & FR_F_PAGED ? "paged" : "blocks";
}

int image_dump(const struct ruleset *rs, const struct image *image, FILE *out)
{
	const struct image_stats *stats = &image->stats;

	fprintf(out, "policy %s: %s, %u rules\n", rs->name, mode_name(rs->enforce), stats->rules);
	fprintf(out, "image: %u lines of %u bytes: %u tries, %u services, %u matrix (%s)\n",
		image->line_count, FR_LINE_BYTES, stats->tries_lines, stats->services_lines,
		stats->matrix_lines, image_form(image));
	for (int dir = 0; dir < FR_DIRS; dir++)
		direction_print(rs, image, dir, out);
	return ferror(out) ? -EIO : 0;
}
