/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Documents with one long array, written item by item, so that a table of a million flows needs the
 * memory of one.
 */
#include <stdlib.h>

#include "print.h"

struct render_stream *stream_begin(const struct render *r, const char *verb, const char *array)
{
	struct render_stream *s = calloc(1, sizeof(*s));

	if (!s)
		memory_exhausted();
	s->render = *r;
	s->now = time_now();
	if (r->json)
		fprintf(r->out, "{\n\"schema\": \"flowreeve/%s/v%d\",\n\"%s\": [", verb,
			schema_version(verb), array);
	return s;
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
		if (s->not_listed) {
			fputs("\"not_listed\": ", s->render.out);
			json_dumpf(s->not_listed, s->render.out, 0);
			fputs(",\n", s->render.out);
		}
		fputs("\"diagnostics\": ", s->render.out);
		json_dumpf(diags, s->render.out, 0);
		fputs("\n}\n", s->render.out);
		json_decref(diags);
	}
	json_decref(s->not_listed);
	free(s);
}
