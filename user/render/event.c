/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One event, one line: a row of a table for people, a JSON object for programs.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

/* Events come one by one: the columns begin with the widths of IPv4. */
static const struct column event_columns[] = {
	{"DATE", .order = 9, .start = 10},
	{"UTC", .start = 12},
	{"VERDICT", .start = 10},
	{"POLICY", .order = 11, .least = 8, .start = 8},
	{"ON", .order = 5, .least = 8, .start = 15},
	{"PROTO", .start = 5},
	{"LOCAL", .order = 1, .least = 11, .start = 21},
	{"", .start = 1},
	{"PEER", .least = 21, .start = 21},
	{"RULE", .least = 8, .start = 16},
	{"REASON", .order = 4, .start = 8},
	{"ROW", .order = 10, .least = 12, .start = 16},
	{"HELD", .order = 6, .start = 4, .right = true},
	{"PROCESS", .order = 3, .least = 12, .start = 20},
	{"UID", .start = 5, .right = true, .wide = true},
	{"PARENT", .start = 20, .wide = true},
	{"STARTED", .start = 20, .wide = true},
};

static void event_json(const struct render *r, const char *policy, const struct event_view *view)
{
	const struct fr_event *event = &view->event;
	const struct fr_flow_key *key = &event->key;
	struct json_writer w = {.line.out = r->out, .compact = true};

	writer_open(&w, NULL);
	writer_words(&w, "schema", "flowreeve/event/v1");
	writer_words(&w, "host", host_name());
	writer_words(&w, "type", event->type == FR_EVENT_OPENED ? "opened" : "refused");
	writer_time(&w, "time", view->time);
	writer_words(&w, "policy", policy);
	writer_words(&w, "digest", view->digest);
	writer_words(&w, "verdict", view->verdict);
	writer_words(&w, "reason", view->reason);
	writer_words(&w, "direction", dir_name(event->dir));
	writer_words(&w, "kind", view->kind);
	writer_words(&w, "interface", view->ifname[0] ? view->ifname : NULL);
	writer_ends(&w, key);
	if (proto_is_any_icmp(key->proto)) {
		writer_count(&w, "icmp_type", key->peer_port >> 8);
		writer_count(&w, "icmp_code", key->peer_port & 255);
	}
	writer_words(&w, "rule", view->rule);
	writer_row(&w, view->table, view->row, view->line);
	writer_count(&w, "length", event->length);
	writer_count(&w, "held", event->held);
	writer_count(&w, "generation", event->generation);
	writer_process(&w, &view->process);
	writer_close(&w);
	out_append(&w.line, "\n", 1);
	out_end(&w.line);
}

struct render_stream *render_events_begin(const struct render *r)
{
	struct render_stream *s = memory_new(sizeof(*s));
	s->render = *r;
	if (r->json)
		return s;
	s->table = memory_new(sizeof(*s->table));
	table_begin(s->table, r, event_columns, ARRAY_SIZE(event_columns));
	s->table->batch = 1;
	return s;
}

void render_events_end(struct render_stream *s)
{
	if (s->table)
		table_end(s->table);
	free(s->table);
	free(s);
}

static void print_when(struct table *table, uint64_t time)
{
	char when[TIME_TEXT], text[TIME_TEXT];

	time_text(time, when);
	snprintf(text, sizeof(text), "%.10s", when);
	table_cell(table, COLOUR_DIM, text);
	snprintf(text, sizeof(text), "%.12s", when + 11);
	table_cell(table, COLOUR_NONE, text);
}

static void print_event_ends(struct table *table, const struct event_view *view)
{
	const struct fr_event *event = &view->event;
	const struct fr_flow_key *key = &event->key;
	bool ports = proto_has_ports(key->proto);
	char text[64];

	table_cell(table, COLOUR_NONE, proto_type_text(key->proto, key->peer_port, text));
	table_cell(table, COLOUR_NONE, endpoint_text(key->local, key->local_port, ports, text));
	table_cell(table, COLOUR_DIM, event->dir == FR_EGRESS ? "→" : "←");
	table_cell(table, COLOUR_NONE, endpoint_text(key->peer, key->peer_port, ports, text));
}

static void print_event(struct render_stream *s, const char *policy, const struct event_view *view)
{
	struct table *table = s->table;
	char text[ROW_TEXT];

	print_when(table, view->time);
	table_cell(table, colour_of_verdict(view->verdict), view->verdict);
	table_cell(table, COLOUR_NONE, policy);
	table_cell(table, COLOUR_NONE, view->ifname[0] ? view->ifname : view->kind);
	print_event_ends(table, view);
	table_cell(table, COLOUR_NONE, view->rule);
	table_cell(table, COLOUR_NONE, view->reason);
	table_cell(table, COLOUR_NONE, row_text(view->table, view->row, view->line, text));
	number_append(text, view->event.held);
	table_cell(table, COLOUR_NONE, view->event.held ? text : NULL);
	print_process(table, &view->process);
}

void render_event(struct render_stream *s, const char *policy, const struct event_view *view)
{
	if (s->render.json)
		event_json(&s->render, policy, view);
	else
		print_event(s, policy, view);
}

void render_lost(const struct render *r, const char *policy, uint64_t count)
{
	json_t *value;

	if (!r->json)
		return;
	value = document_new("event");
	json_object_set_new(value, "type", json_string("lost"));
	json_object_set_new(value, "policy", json_words(policy));
	json_object_set_new(value, "count", json_count(count));
	json_dumpf(value, r->out, JSON_COMPACT);
	fputc('\n', r->out);
	json_decref(value);
}
