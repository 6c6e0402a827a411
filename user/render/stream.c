/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Documents with one long array, written item by item, so that a table of a million flows needs the
 * memory of one.
 */
#include <stdlib.h>

#include "table.h"

static void print_opening(FILE *out, const char *verb, const char *array)
{
	json_t *host = json_words(host_name());

	fprintf(out, "{\n\"schema\": \"flowreeve/%s/v%d\",\n\"host\": ", verb,
		schema_version(verb));
	json_dumpf(host, out, JSON_ENCODE_ANY);
	fprintf(out, ",\n\"%s\": [", array);
	json_decref(host);
}

static void print_list(FILE *out, const char *key, const json_t *list)
{
	if (!list)
		return;
	fprintf(out, "\"%s\": ", key);
	json_dumpf(list, out, 0);
	fputs(",\n", out);
}

struct render_stream *stream_begin(const struct render *r, const char *verb, const char *array)
{
	struct render_stream *s = calloc(1, sizeof(*s));

	if (!s)
		memory_exhausted();
	s->render = *r;
	s->now = time_now();
	if (r->json)
		print_opening(r->out, verb, array);
	return s;
}

void render_window(struct render_stream *s, const struct window_view *window)
{
	if (!s->render.json)
		return;
	s->windows = s->windows ? s->windows : json_array();
	json_array_append_new(s->windows, json_window(window));
}

void stream_item(struct render_stream *s, json_t *item)
{
	fputs(s->items++ ? ",\n" : "\n", s->render.out);
	json_dumpf(item, s->render.out, 0);
	json_decref(item);
}

struct json_writer *stream_open(struct render_stream *s)
{
	struct json_writer *w = &s->writer;

	w->line.out = s->render.out;
	w->follows = false;
	out_append(&w->line, ",", s->items++ > 0);
	out_append(&w->line, "\n", 1);
	writer_open(w, NULL);
	return w;
}

void stream_close(struct render_stream *s)
{
	writer_close(&s->writer);
	out_end(&s->writer.line);
}

void render_end(struct render_stream *s)
{
	json_t *diags;

	if (s->render.json) {
		diags = json_diags(s->render.diags);
		fputs(s->items ? "\n],\n" : "],\n", s->render.out);
		print_list(s->render.out, "not_listed", s->not_listed);
		print_list(s->render.out, "windows", s->windows);
		fputs("\"diagnostics\": ", s->render.out);
		json_dumpf(diags, s->render.out, 0);
		fputs("\n}\n", s->render.out);
		json_decref(diags);
	}
	if (s->table)
		table_end(s->table);
	free(s->table);
	json_decref(s->not_listed);
	json_decref(s->windows);
	free(s);
}
