/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Diagnostics as text: place, severity, message and check; the source line, a caret under the
 * words, and the hint. Also the document of a failed command.
 */
#include <stdlib.h>
#include <string.h>

#include "print.h"

enum { SHOWN_COLUMNS = 120, SHOWN_BEFORE = 80 };

static const char *severity_text(enum severity severity, enum colour *colour)
{
	static const struct {
		const char *word;
		enum colour colour;
	} words[] = {[SEV_ERROR] = {"error", COLOUR_BAD},
		     [SEV_WARNING] = {"warning", COLOUR_WARN},
		     [SEV_NOTE] = {"note", COLOUR_DIM}};

	*colour = words[severity].colour;
	return words[severity].word;
}

/* Line `number` of a text: its start and length in bytes, without the newline. */
static const char *source_line(const struct source *source, uint32_t number, size_t *length)
{
	const char *at = source->text, *end = source->text + source->size, *stop;

	for (; number > 1; number--) {
		at = memchr(at, '\n', end - at);
		if (!at)
			return NULL;
		at++;
	}
	stop = memchr(at, '\n', end - at);
	*length = (stop ? stop : end) - at;
	return at;
}

/* The first byte of the character after `count` characters. */
static size_t skip_characters(const char *text, size_t length, size_t count)
{
	size_t at = 0;

	while (at < length && count) {
		at++;
		while (at < length && ((uint8_t)text[at] & 0xc0) == 0x80)
			at++;
		count--;
	}
	return at;
}

/* One screen line of the source, from character `first`, safe to print. */
static char shown_byte(char byte)
{
	switch (byte) {
	case '\0':
		return '?';
	case '\t':
		return ' ';
	default:
		return byte;
	}
}

static void print_window(FILE *out, const char *line, size_t length, size_t first)
{
	char raw[4 * SHOWN_COLUMNS + 1], clean[4 * SHOWN_COLUMNS + 1];
	size_t start = skip_characters(line, length, first);
	size_t size = skip_characters(line + start, length - start, SHOWN_COLUMNS);

	if (size >= sizeof(raw))
		size = sizeof(raw) - 1;
	memcpy(raw, line + start, size);
	for (size_t i = 0; i < size; i++)
		raw[i] = shown_byte(raw[i]);
	raw[size] = '\0';
	fputs(text_clean(raw, clean, sizeof(clean)), out);
}

static void print_caret(FILE *out, const struct diag *diag, bool colour)
{
	uint32_t column = diag->loc.column ? diag->loc.column : 1;
	uint32_t marks = diag->loc.length ? diag->loc.length : 1;
	size_t first = column > SHOWN_BEFORE ? column - SHOWN_BEFORE : 0;
	size_t length;
	const char *line = source_line(diag->loc.source, diag->loc.line, &length);

	if (!line)
		return;
	if (marks > SHOWN_COLUMNS - (column - 1 - first))
		marks = SHOWN_COLUMNS - (column - 1 - first);
	fprintf(out, "%5u | ", diag->loc.line);
	print_window(out, line, length, first);
	fprintf(out, "\n      | %*s%s", (int)(column - 1 - first), "",
		colour_on(colour, COLOUR_GOOD));
	for (uint32_t i = 0; i < marks; i++)
		fputc(i ? '~' : '^', out);
	fputs(colour_off(colour, COLOUR_GOOD), out);
	if (diag->hint) {
		fputc(' ', out);
		print_clean(out, diag->hint);
	}
	fputc('\n', out);
}

static void print_diag(FILE *out, const struct diag *diag, bool colour)
{
	const struct source *source = diag->loc.source;
	enum colour hue;
	const char *word = severity_text(diag->severity, &hue);

	fputs(colour_on(colour, COLOUR_BOLD), out);
	print_clean(out, source ? source->name : "flowreeve");
	if (source && diag->loc.line)
		fprintf(out, ":%u:%u", diag->loc.line, diag->loc.column);
	fprintf(out, ": %s%s%s: %s", colour_off(colour, COLOUR_BOLD), colour_on(colour, hue), word,
		colour_off(colour, hue));
	print_clean(out, diag->message);
	if (diag->check)
		fprintf(out, " [%s]", diag->check);
	fputc('\n', out);
	if (source && diag->loc.line && source->text) {
		print_caret(out, diag, colour);
	} else if (diag->hint) {
		fputs("      | ", out);
		print_clean(out, diag->hint);
		fputc('\n', out);
	}
}

/* The position of a diagnostic: files in order of their first one, then by place. */
struct turn {
	const struct diag *diag;
	size_t file, found;
};

static int turn_compare(const void *left, const void *right)
{
	const struct turn *a = left, *b = right;
	const struct loc *x = &a->diag->loc, *y = &b->diag->loc;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return a->found < b->found ? -1 : 1;
}

/* Found check by check, read from the top of the file down. The caller frees. */
static struct turn *turns_collect(const struct diags *d)
{
	struct turn *turns = calloc(d->count + 1, sizeof(*turns));

	if (!turns)
		memory_exhausted();
	for (size_t i = 0; i < d->count; i++) {
		size_t file = 0;

		while (d->list[file].loc.source != d->list[i].loc.source)
			file++;
		turns[i] = (struct turn){&d->list[i], file, i};
	}
	qsort(turns, d->count, sizeof(*turns), turn_compare);
	return turns;
}

void render_diags(FILE *out, const struct diags *d, bool colour)
{
	struct turn *turns = turns_collect(d);
	unsigned kept = 0;

	for (size_t i = 0; i < d->count; i++) {
		print_diag(out, turns[i].diag, colour);
		kept += d->list[i].severity == SEV_ERROR;
	}
	free(turns);
	if (d->errors > kept)
		fprintf(out, "flowreeve: error: %u more errors are not shown\n", d->errors - kept);
}

static const char *first_error(const struct diags *d)
{
	for (size_t i = 0; d && i < d->count; i++)
		if (d->list[i].severity == SEV_ERROR)
			return d->list[i].message;
	return "it failed";
}

void render_failure(const struct render *r, const char *verb, int code)
{
	json_t *document, *error;

	if (!r->json)
		return;
	document = document_new(verb);
	error = json_object();
	json_object_set_new(error, "exit", json_count(code));
	json_object_set_new(error, "message", json_words(first_error(r->diags)));
	json_object_set_new(document, "error", error);
	document_print(r, document);
}
