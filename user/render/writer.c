/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON objects written member by member. Building one in memory first costs ten times as much, and
 * there may be a million of them. jansson writes text that is not plain ASCII.
 */
#include <stdlib.h>
#include <string.h>

#include "print.h"

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
