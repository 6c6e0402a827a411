/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flows with their rows, and drops, real or would-be. Streamed tables: the widths are those of
 * IPv4; a longer cell pushes its own row along.
 */
#include <inttypes.h>
#include <string.h>

#include "print.h"

/* The last ones are of --wide. */
enum { WIDE_COLUMNS = 3 };
#define PROCESS_COLUMNS                                                                            \
	{"PROCESS", 24, false}, {"UID", 6, true}, {"PARENT", 24, false},                           \
	{                                                                                          \
		"STARTED", 0, false                                                                \
	}

static const struct column flow_columns[] = {
	{"STATE", 11, false}, {"ON", 9, false},	      {"PROTO", 6, false}, {"LOCAL", 21, false},
	{"", 1, false},	      {"PEER", 21, false},    {"RULE", 26, false}, {"ROW", 30, false},
	{"SENT", 16, true},   {"RECEIVED", 16, true}, {"AGE", 6, true},	   PROCESS_COLUMNS,
};
static const struct column drop_columns[] = {
	{"VERDICT", 10, false}, {"ON", 9, false},    {"PROTO", 6, false}, {"LOCAL", 21, false},
	{"", 1, false},		{"PEER", 21, false}, {"RULE", 26, false}, {"REASON", 19, false},
	{"PACKETS", 7, true},	{"BYTES", 9, true},  {"LAST", 6, true},	  PROCESS_COLUMNS,
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

static void print_process(struct table *table, const struct process_view *process, bool wide)
{
	char text[CLEAN_TEXT];

	table_cell(table, COLOUR_NONE, process_text(process, text));
	if (!wide)
		return;
	number_append(text, process->uid);
	table_cell(table, COLOUR_NONE, process->known ? text : NULL);
	table_cell(table, COLOUR_NONE, parent_text(process, text));
	snprintf(text, sizeof(text), "%.19sZ", time_text(process->started, text + TIME_TEXT));
	table_cell(table, COLOUR_NONE, process->started ? text : NULL);
}

static void stream_table(struct render_stream *s, const struct column *columns, size_t count)
{
	count -= s->render.wide ? 0 : WIDE_COLUMNS;
	s->table = (struct table){s->render.out, s->render.colour, columns, count, .at = 0};
	if (!s->render.json)
		table_head(&s->table);
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
		table_cell(&s->table, COLOUR_NONE, view->state);
	else
		table_cell(&s->table, COLOUR_WARN, view->verdict);
	table_cell(&s->table, COLOUR_NONE, view->scope ? view->scope : view->kind);
	print_ends(&s->table, &view->key, flow->opener == FR_EGRESS, 0);
	table_cell(&s->table, COLOUR_NONE, view->rule);
	table_cell(&s->table, COLOUR_NONE, row_text(view->table, view->row, view->line, text));
	print_traffic(&s->table, flow->packets[FR_EGRESS], flow->bytes[FR_EGRESS]);
	print_traffic(&s->table, flow->packets[FR_INGRESS], flow->bytes[FR_INGRESS]);
	table_cell(&s->table, COLOUR_NONE, age_text(view->first, s->now, text));
	print_process(&s->table, &view->process, s->render.wide);
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
	char count[FIGURE_TEXT];
	json_t *item;

	if (!s->render.json) {
		fprintf(s->render.out, "%s packets of sources that are not listed, by rule ",
			count_text(rule->totals.unlisted, count));
		print_clean(s->render.out, rule->id);
		fputc('\n', s->render.out);
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
	table_cell(&s->table, colour_of_verdict(view->verdict), view->verdict);
	table_cell(&s->table, COLOUR_NONE, view->scope ? view->scope : view->kind);
	print_ends(&s->table, &view->key, drop->dir == FR_EGRESS, drop->opener_port);
	table_cell(&s->table, COLOUR_NONE, view->rule);
	table_cell(&s->table, COLOUR_NONE, view->reason);
	table_cell(&s->table, COLOUR_NONE, count_text(drop->packets, text));
	table_cell(&s->table, COLOUR_NONE, bytes_text(drop->bytes, text));
	table_cell(&s->table, COLOUR_NONE, age_text(view->last, s->now, text));
	print_process(&s->table, &view->process, s->render.wide);
}
