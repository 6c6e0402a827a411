/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Documents with one long array, written item by item, so that a table of a million flows needs the
 * memory of one; and their objects, written member by member: building one in memory first costs
 * ten times as much. jansson writes text that is not plain ASCII.
 */
#include <stdlib.h>
#include <string.h>

#include "table.h"

/* ---------------------------------------------------------------- objects */

static void write_key(struct json_writer *w, const char *key)
{
	struct out_line *line = &w->line;

	if (w->follows)
		out_append(line, ", ", w->compact ? 1 : 2);
	w->follows = true;
	if (!key)
		return;
	out_append(line, "\"", 1);
	out_append(line, key, strlen(key));
	out_append(line, "\": ", w->compact ? 2 : 3);
}

void writer_open(struct json_writer *w, const char *key)
{
	write_key(w, key);
	out_append(&w->line, "{", 1);
	w->follows = false;
}

void writer_close(struct json_writer *w)
{
	out_append(&w->line, "}", 1);
	w->follows = true;
}

/* Needs no escaping. */
static bool is_plain(const char *text, size_t *length)
{
	const char *at = text;

	while (*at >= ' ' && *at <= '~' && *at != '"' && *at != '\\')
		at++;
	*length = (size_t)(at - text);
	return !*at;
}

static void print_words(struct out_line *line, const char *text)
{
	json_t *value;
	size_t length;
	char *dumped;

	if (is_plain(text, &length) && length < LINE_ROOM) {
		out_append(line, "\"", 1);
		out_append(line, text, length);
		out_append(line, "\"", 1);
		return;
	}
	value = json_words(text);
	dumped = json_dumps(value, JSON_ENCODE_ANY);
	if (!dumped)
		memory_exhausted();
	out_end(line);
	fputs(dumped, line->out);
	free(dumped);
	json_decref(value);
}

void writer_words(struct json_writer *w, const char *key, const char *text)
{
	write_key(w, key);
	if (text)
		print_words(&w->line, text);
	else
		out_append(&w->line, "null", 4);
}

void writer_count(struct json_writer *w, const char *key, uint64_t count)
{
	char digits[FIGURE_TEXT],
		*end = number_append(digits, count > INT64_MAX ? INT64_MAX : count);

	write_key(w, key);
	out_append(&w->line, digits, (size_t)(end - digits));
}

void writer_time(struct json_writer *w, const char *key, uint64_t realtime_ns)
{
	char text[TIME_TEXT];

	writer_words(w, key, realtime_ns ? time_text(realtime_ns, text) : NULL);
}

void writer_row(struct json_writer *w, const char *table, const char *row, uint32_t line)
{
	if (!table || !*table || !row) {
		writer_words(w, "row", NULL);
		return;
	}
	writer_open(w, "row");
	writer_words(w, "table", table);
	writer_words(w, "row", row);
	if (line)
		writer_count(w, "line", line);
	else
		writer_words(w, "line", NULL);
	writer_close(w);
}

static void write_process(struct json_writer *w, const char *key, uint32_t pid, const char *name)
{
	writer_open(w, key);
	writer_count(w, "pid", pid);
	writer_words(w, "name", name);
}

void writer_process(struct json_writer *w, const struct process_view *process)
{
	if (!process->pid) {
		writer_words(w, "process", NULL);
		return;
	}
	write_process(w, "process", process->pid, process->name);
	if (process->known)
		writer_count(w, "uid", process->uid);
	else
		writer_words(w, "uid", NULL);
	if (process->parent_pid) {
		write_process(w, "parent", process->parent_pid, process->parent_name);
		writer_close(w);
	} else {
		writer_words(w, "parent", NULL);
	}
	writer_time(w, "started", process->started);
	writer_close(w);
}

static void write_endpoint(struct json_writer *w, const char *key, const uint8_t address[16],
			   uint32_t port, bool with_port)
{
	char text[64];

	writer_open(w, key);
	writer_words(w, "address", endpoint_text(address, 0, false, text));
	if (with_port)
		writer_count(w, "port", port);
	writer_close(w);
}

/* null: 0, which means that there is none. */
static void write_number(struct json_writer *w, const char *key, uint64_t number)
{
	if (number)
		writer_count(w, key, number);
	else
		writer_words(w, key, NULL);
}

void writer_ends(struct json_writer *w, const struct fr_flow_key *key)
{
	bool cgroup = FR_SCOPE_KIND(key->scope) == FR_KIND_CGROUP;
	uint64_t space = cgroup ? FR_KEY_SPACE(key) : 0;
	bool ports = proto_has_ports(key->proto);
	char proto[FIGURE_TEXT];

	write_number(w, "vlan", FR_KEY_VLAN(key));
	write_number(w, "netns_cookie", space & FR_SPACE_SOCKET ? 0 : space);
	writer_words(w, "protocol", proto_text(key->proto, proto));
	write_endpoint(w, "local", key->local, key->local_port, ports);
	write_endpoint(w, "peer", key->peer, key->peer_port, ports);
}

/* ---------------------------------------------------------------- documents */

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
