/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables for people: columns as wide as their content, or as the terminal allows. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 1000, GAP = 2, NOTE_INDENT = 4, NOTE_LEAST = 20, SHORTEST = 4 };

static const char ellipsis[] = "…";

static void *grown(void *list, size_t needed, size_t *capacity, size_t size)
{
	if (needed <= *capacity)
		return list;
	*capacity = needed > 2 * *capacity ? needed : 2 * *capacity;
	return memory_resize(list, *capacity * size);
}

static void out_word(struct out_line *line, const char *word)
{
	out_append(line, word, strlen(word));
}

static void out_pad(struct out_line *line, size_t count)
{
	static const char blanks[] = "                                ";
	const size_t most = sizeof(blanks) - 1;

	for (; count > most; count -= most)
		out_append(line, blanks, most);
	out_append(line, blanks, count);
}

/* The bytes of the first `width` characters. */
static size_t bytes_of_width(const char *text, size_t length, size_t width)
{
	size_t at = 0;

	for (; at < length; at++)
		if ((text[at] & 0xc0) != 0x80 && !width--)
			break;
	return at;
}

/* ---------------------------------------------------------------- widths */

static size_t total_width(const struct table *table)
{
	size_t total = 0;

	for (size_t i = 0; i < table->count; i++)
		if (!table->left_out[i])
			total += table->width[i] + GAP;
	return total ? total - GAP : 0;
}

static unsigned floor_of(const struct table *table, size_t column, bool far)
{
	unsigned least = table->columns[column].least;

	if (!least)
		return table->content[column];
	return far ? SHORTEST : least;
}

/* Takes from the widest columns until the row fits, or each is at its floor. */
static bool shrink(struct table *table, bool far)
{
	size_t total = total_width(table);

	for (; total > table->limit; total--) {
		size_t widest = table->count;

		for (size_t i = 0; i < table->count; i++)
			if (!table->left_out[i] && table->width[i] > floor_of(table, i, far) &&
			    (widest == table->count || table->width[i] > table->width[widest]))
				widest = i;
		if (widest == table->count)
			return false;
		table->width[widest]--;
	}
	return true;
}

static bool leave_one_out(struct table *table)
{
	size_t last = table->count;
	uint8_t order = 0;

	for (size_t i = 0; i < table->count; i++) {
		if (table->left_out[i] || table->columns[i].order <= order)
			continue;
		order = table->columns[i].order;
		last = i;
	}
	if (last == table->count)
		return false;
	table->left_out[last] = true;
	return true;
}

/* Columns leave with the first batch only: those below a heading are those of the heading. */
static void fit(struct table *table)
{
	memcpy(table->width, table->content, sizeof(table->width));
	if (!table->limit)
		return;
	while (!shrink(table, false)) {
		if (table->headed || !leave_one_out(table)) {
			shrink(table, true);
			return;
		}
		memcpy(table->width, table->content, sizeof(table->width));
	}
}

/* ---------------------------------------------------------------- lines */

/* "10.0.0…:443": both ends of a name identify more than its beginning. */
static void out_shortened(struct out_line *line, const char *text, const struct table_cell *cell,
			  size_t width)
{
	size_t tail = (width - 1) / 2, head = width - 1 - tail;
	size_t from = bytes_of_width(text, cell->length, cell->width - tail);

	out_append(line, text, bytes_of_width(text, cell->length, head));
	out_word(line, ellipsis);
	out_append(line, text + from, cell->length - from);
}

static size_t last_column(const struct table *table)
{
	size_t last = table->count;

	while (last && table->left_out[--last])
		;
	return last;
}

static void print_cell(struct table *table, size_t column, const char *text,
		       const struct table_cell *cell)
{
	size_t width = table->width[column], shown = cell->width < width ? cell->width : width;
	bool right = table->columns[column].right, last = column == table->last;
	struct out_line *line = &table->line;

	out_pad(line, right ? width - shown : 0);
	out_word(line, colour_on(table->colour, cell->colour));
	if (cell->width > width)
		out_shortened(line, text, cell, width);
	else
		out_append(line, text, cell->length);
	out_word(line, colour_off(table->colour, cell->colour));
	if (!last)
		out_pad(line, (right ? 0 : width - shown) + GAP);
}

static void end_line(struct table *table)
{
	out_append(&table->line, "\n", 1);
	out_end(&table->line);
}

static void print_head(struct table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		const char *title = table->columns[i].title;
		const struct table_cell cell = {
			.length = strlen(title), .width = text_width(title), .colour = COLOUR_BOLD};

		if (!table->left_out[i])
			print_cell(table, i, title, &cell);
	}
	end_line(table);
	table->headed = true;
}

/* At blanks, within the terminal. */
static void print_note(struct table *table, const char *text, size_t length)
{
	size_t room = table->limit > NOTE_INDENT ? table->limit - NOTE_INDENT : SIZE_MAX;

	room = room < NOTE_LEAST ? NOTE_LEAST : room;
	while (length) {
		size_t most = bytes_of_width(text, length, room), end = most;

		while (most < length && end && text[end] != ' ')
			end--;
		end = end ? end : most;
		out_pad(&table->line, NOTE_INDENT);
		out_append(&table->line, text, end);
		end_line(table);
		end += end < length && text[end] == ' ';
		text += end;
		length -= end;
	}
}

static void flush(struct table *table)
{
	size_t column = 0;

	fit(table);
	table->last = last_column(table);
	if (!table->headed)
		print_head(table);
	for (size_t i = 0; i < table->cell_count; i++) {
		const struct table_cell *cell = &table->cells[i];
		const char *text = table->text + cell->at;

		if ((int)cell->colour == NOTE_CELL) {
			print_note(table, text, cell->length);
			continue;
		}
		if (!table->left_out[column])
			print_cell(table, column, text, cell);
		if (++column == table->count) {
			column = 0;
			end_line(table);
		}
	}
	table->cell_count = table->used = table->rows = 0;
}

/* ---------------------------------------------------------------- the interface */

void table_begin(struct table *table, const struct render *r, const struct column *columns,
		 size_t count)
{
	*table = (struct table){
		.out = r->out,
		.columns = columns,
		.count = count,
		.colour = r->colour,
		.wide = r->wide,
		.limit = r->wide ? 0 : r->width,
		.batch = BATCH,
		.line.out = r->out,
	};
	for (size_t i = 0; i < count; i++) {
		unsigned title = text_width(columns[i].title);

		table->content[i] = title > columns[i].start ? title : columns[i].start;
		table->left_out[i] = columns[i].wide && !r->wide;
	}
}

/* Letters, digits and signs of ASCII: most texts are nothing else. */
static size_t plain_length(const char *text)
{
	size_t length = 0;

	while (text[length] >= ' ' && text[length] <= '~')
		length++;
	return length;
}

static struct table_cell *cell_add(struct table *table, const char *text)
{
	char clean[CLEAN_TEXT];
	struct table_cell *cell;
	size_t length = plain_length(text), width = length;

	if (text[length] || length >= sizeof(clean)) {
		text = text_clean(text, clean, sizeof(clean));
		length = strlen(text);
		width = text_width(text);
	}
	table->cells = grown(table->cells, table->cell_count + 1, &table->cell_capacity,
			     sizeof(*table->cells));
	table->text = grown(table->text, table->used + length, &table->text_capacity, 1);
	memcpy(table->text + table->used, text, length);
	cell = &table->cells[table->cell_count++];
	*cell = (struct table_cell){.at = table->used, .length = length, .width = width};
	table->used += length;
	return cell;
}

void table_cell(struct table *table, enum colour colour, const char *text)
{
	struct table_cell *cell;

	if (!table->at && table->rows >= table->batch)
		flush(table);
	if (table->left_out[table->at])
		text = ""; /* as those of --wide alone, it stays out */
	else if (!text || !*text)
		text = "-";
	cell = cell_add(table, text);
	cell->colour = colour;
	if (cell->width > table->content[table->at])
		table->content[table->at] = cell->width;
	if (++table->at < table->count)
		return;
	table->at = 0;
	table->rows++;
	if (table->batch == 1)
		flush(table);
}

void table_note(struct table *table, const char *text)
{
	if (text && *text)
		cell_add(table, text)->colour = (enum colour)NOTE_CELL;
}

/* The columns that the terminal had no room for. */
static void print_left_out(struct table *table)
{
	bool begun = false;

	for (size_t i = 0; i < table->count; i++) {
		const struct column *column = &table->columns[i];

		if (!table->left_out[i] || column->wide || !*column->title)
			continue;
		if (!begun)
			fprintf(table->out,
				"%snot shown at %u columns: ", colour_on(table->colour, COLOUR_DIM),
				table->limit);
		fprintf(table->out, "%s%s", begun ? ", " : "", column->title);
		begun = true;
	}
	if (begun)
		fprintf(table->out, "; see --wide%s\n", colour_off(table->colour, COLOUR_DIM));
}

void table_end(struct table *table)
{
	if (table->cell_count || !table->headed)
		flush(table);
	if (table->batch > 1)
		print_left_out(table);
	free(table->cells);
	free(table->text);
	table->cells = NULL;
	table->text = NULL;
}
