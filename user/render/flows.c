/* SPDX-License-Identifier: GPL-2.0-only */
/* Flows with their rows, and drops, real or would-be. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

/* The peers of IPv4 are never shortened. */
enum { END_LEAST = 21 };

static const struct column flow_columns[] = {
	{"STATE", .least = 0},
	{"ON", .order = 6, .least = 8},
	{"POLICY", .order = 10, .least = 8},
	{"PROTO", .least = 0},
	{"LOCAL", .order = 1, .least = 14},
	{"", .least = 0},
	{"PEER", .least = END_LEAST},
	{"RULE", .least = 10},
	{"ROW", .order = 9, .least = 16},
	{"SENT", .order = 5, .right = true},
	{"RECEIVED", .order = 4, .right = true},
	{"AGE", .order = 7, .right = true},
	{"PROCESS", .order = 8, .least = 12},
	{"UID", .right = true, .wide = true},
	{"PARENT", .wide = true},
	{"STARTED", .wide = true},
};
static const struct column drop_columns[] = {
	{"VERDICT", .least = 0},
	{"ON", .order = 7, .least = 8},
	{"POLICY", .order = 10, .least = 8},
	{"PROTO", .least = 0},
	{"LOCAL", .order = 1, .least = 12},
	{"", .least = 0},
	{"PEER", .least = END_LEAST},
	{"RULE", .order = 2, .least = 10},
	{"REASON", .order = 6},
	{"PACKETS", .order = 3, .right = true},
	{"BYTES", .order = 9, .right = true},
	{"LAST", .order = 4, .right = true},
	{"PROCESS", .order = 5, .least = 12},
	{"UID", .right = true, .wide = true},
	{"PARENT", .wide = true},
	{"STARTED", .wide = true},
};

static bool key_has_ports(const struct fr_flow_key *key)
{
	return proto_has_ports(key->proto);
}

/* PROTO, LOCAL, arrow from the opener, PEER. */
static void print_ends(struct table *table, const struct fr_flow_key *key, bool ours,
		       uint32_t opener_port)
{
	uint32_t local = ours && !key->local_port ? opener_port : key->local_port;
	uint32_t peer = !ours && !key->peer_port ? opener_port : key->peer_port;
	bool ports = key_has_ports(key);
	char text[FIGURE_TEXT], end[64];

	table_cell(table, COLOUR_NONE, proto_type_text(key->proto, key->peer_port, text));
	table_cell(table, COLOUR_NONE, endpoint_text(key->local, local, ports, end));
	table_cell(table, COLOUR_DIM, ours ? "→" : "←");
	table_cell(table, COLOUR_NONE, endpoint_text(key->peer, peer, ports, end));
}

static void print_traffic(struct table *table, uint64_t packets, uint64_t bytes)
{
	char text[2 * FIGURE_TEXT];
	size_t length = strlen(count_text(packets, text));

	bytes_text(bytes, stpcpy(text + length, " / "));
	table_cell(table, COLOUR_NONE, text);
}

static void stream_table(struct render_stream *s, const struct column *columns, size_t count)
{
	if (s->render.json)
		return;
	s->table = memory_new(sizeof(*s->table));
	table_begin(s->table, &s->render, columns, count);
}

struct render_stream *render_flows_begin(const struct render *r)
{
	struct render_stream *s = stream_begin(r, "flows", "flows");

	stream_table(s, flow_columns, ARRAY_SIZE(flow_columns));
	return s;
}

static void print_key(struct json_writer *w, const char *policy, const char *kind,
		      const char *scope, const struct fr_flow_key *key)
{
	writer_words(w, "policy", policy);
	writer_words(w, "kind", kind);
	writer_words(w, "interface", scope);
	writer_ends(w, key);
	if (!proto_is_any_icmp(key->proto))
		return;
	writer_count(w, "icmp_id", key->local_port);
	writer_count(w, "icmp_type", key->peer_port >> 8);
	writer_count(w, "icmp_code", key->peer_port & 255);
}

static void flow_json(struct json_writer *w, const char *policy, const struct flow_view *view)
{
	const struct fr_flow *flow = &view->flow;

	print_key(w, policy, view->kind, view->scope, &view->key);
	writer_words(w, "state", view->state);
	writer_words(w, "verdict", view->verdict);
	writer_words(w, "opener", flow->opener == FR_EGRESS ? "local" : "peer");
	writer_words(w, "rule", view->rule);
	writer_row(w, view->table, view->row, view->line);
	writer_words(w, "reason", reason_name(flow->reason));
	for (uint8_t dir = 0; dir < FR_DIRS; dir++) {
		writer_open(w, dir_name(dir));
		writer_count(w, "packets", flow->packets[dir]);
		writer_count(w, "bytes", flow->bytes[dir]);
		writer_close(w);
	}
	writer_time(w, "first", view->first);
	writer_time(w, "last", view->last);
	writer_process(w, &view->process);
}

void render_flow(struct render_stream *s, const char *policy, const struct flow_view *view)
{
	const struct fr_flow *flow = &view->flow;
	char text[CLEAN_TEXT];

	if (s->render.json) {
		flow_json(stream_open(s), policy, view);
		stream_close(s);
		return;
	}
	if (str_equal(view->verdict, "pass"))
		table_cell(s->table, COLOUR_NONE, view->state);
	else
		table_cell(s->table, COLOUR_WARN, view->verdict);
	table_cell(s->table, COLOUR_NONE, view->scope ? view->scope : view->kind);
	table_cell(s->table, COLOUR_NONE, policy);
	print_ends(s->table, &view->key, flow->opener == FR_EGRESS, 0);
	table_cell(s->table, COLOUR_NONE, view->rule);
	table_cell(s->table, COLOUR_NONE, row_text(view->table, view->row, view->line, text));
	print_traffic(s->table, flow->packets[FR_EGRESS], flow->bytes[FR_EGRESS]);
	print_traffic(s->table, flow->packets[FR_INGRESS], flow->bytes[FR_INGRESS]);
	table_cell(s->table, COLOUR_NONE, age_text(view->first, s->now, text));
	print_process(s->table, &view->process);
}

struct render_stream *render_drops_begin(const struct render *r)
{
	struct render_stream *s = stream_begin(r, "drops", "drops");

	stream_table(s, drop_columns, ARRAY_SIZE(drop_columns));
	if (r->json)
		s->not_listed = json_array();
	return s;
}

void render_not_listed(struct render_stream *s, const char *policy, const struct rule_view *rule)
{
	char count[FIGURE_TEXT], text[CLEAN_TEXT];
	json_t *item;

	if (!s->render.json) {
		snprintf(text, sizeof(text),
			 "%s packets of sources that are not listed, by rule %s",
			 count_text(rule->totals.unlisted, count), rule->id);
		table_note(s->table, text);
		return;
	}
	item = json_object();
	json_object_set_new(item, "policy", json_words(policy));
	json_object_set_new(item, "rule", json_words(rule->id));
	json_object_set_new(item, "row", json_row(rule->table, rule->row, rule->line));
	json_object_set_new(item, "packets", json_count(rule->totals.unlisted));
	json_array_append_new(s->not_listed, item);
}

static void drop_json(struct json_writer *w, const char *policy, const struct drop_view *view)
{
	const struct fr_drop *drop = &view->drop;

	print_key(w, policy, view->kind, view->scope, &view->key);
	writer_words(w, "verdict", view->verdict);
	writer_words(w, "reason", view->reason);
	if (view->answer) {
		writer_open(w, "answer_to");
		writer_words(w, "rule", view->answer->rule);
		writer_words(w, "write", view->answer->key);
		writer_words(w, "why", view->answer->text);
		writer_close(w);
	}
	writer_words(w, "direction", dir_name(drop->dir));
	writer_count(w, "opener_port", drop->opener_port);
	writer_words(w, "rule", view->rule);
	writer_row(w, view->table, view->row, view->line);
	writer_count(w, "packets", drop->packets);
	writer_count(w, "bytes", drop->bytes);
	writer_count(w, "generation", drop->generation);
	writer_time(w, "first", view->first);
	writer_time(w, "last", view->last);
	writer_process(w, &view->process);
}

void render_drop(struct render_stream *s, const char *policy, const struct drop_view *view)
{
	const struct fr_drop *drop = &view->drop;
	char text[CLEAN_TEXT];

	if (s->render.json) {
		drop_json(stream_open(s), policy, view);
		stream_close(s);
		return;
	}
	table_cell(s->table, colour_of_verdict(view->verdict), view->verdict);
	table_cell(s->table, COLOUR_NONE, view->scope ? view->scope : view->kind);
	table_cell(s->table, COLOUR_NONE, policy);
	print_ends(s->table, &view->key, drop->dir == FR_EGRESS, drop->opener_port);
	table_cell(s->table, COLOUR_NONE, view->rule);
	table_cell(s->table, COLOUR_NONE, view->reason);
	table_cell(s->table, COLOUR_NONE, count_text(drop->packets, text));
	table_cell(s->table, COLOUR_NONE, bytes_text(drop->bytes, text));
	table_cell(s->table, COLOUR_NONE, age_text(view->last, s->now, text));
	print_process(s->table, &view->process);
	if (view->answer)
		table_note(s->table, view->answer->text);
}
