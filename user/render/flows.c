/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who talks to whom by which row, and what was or would be refused. Tables that stream: the widths
 * are those of IPv4; a longer cell pushes its own row along.
 */
#include <inttypes.h>
#include <string.h>

#include "print.h"

static const struct column flow_columns[] = {
	{"STATE", 11, false}, {"ON", 9, false},	      {"PROTO", 6, false}, {"LOCAL", 21, false},
	{"", 1, false},	      {"PEER", 21, false},    {"RULE", 26, false}, {"ROW", 30, false},
	{"SENT", 16, true},   {"RECEIVED", 16, true}, {"AGE", 6, true},	   {"PROCESS", 0, false},
};
static const struct column drop_columns[] = {
	{"VERDICT", 10, false}, {"ON", 9, false},    {"PROTO", 6, false}, {"LOCAL", 21, false},
	{"", 1, false},		{"PEER", 21, false}, {"RULE", 26, false}, {"REASON", 19, false},
	{"PACKETS", 7, true},	{"BYTES", 9, true},  {"LAST", 6, true},	  {"PROCESS", 0, false},
};

static bool key_has_ports(const struct fr_flow_key *key)
{
	return proto_has_ports(key->proto);
}

static bool key_is_icmp(const struct fr_flow_key *key)
{
	return key->proto == PROTO_ICMP || key->proto == PROTO_ICMP6;
}

static const char *process_text(uint32_t pid, const char comm[FR_COMM_LEN], char *out)
{
	if (!pid)
		return "";
	snprintf(out, CLEAN_TEXT, "%.*s (%u)", FR_COMM_LEN, comm, pid);
	return out;
}

/* PROTO, LOCAL, arrow from the opener, PEER. */
static void put_ends(struct table *table, const struct fr_flow_key *key, bool ours,
		     uint32_t opener_port)
{
	uint32_t local = ours && !key->local_port ? opener_port : key->local_port;
	uint32_t peer = !ours && !key->peer_port ? opener_port : key->peer_port;
	bool ports = key_has_ports(key);
	char text[FIGURE_TEXT], end[64];

	if (key_is_icmp(key))
		snprintf(text, sizeof(text), "%s/%u", key->proto == PROTO_ICMP ? "icmp" : "icmp6",
			 key->peer_port >> 8);
	else
		proto_text(key->proto, text);
	table_cell(table, COLOUR_NONE, text);
	table_cell(table, COLOUR_NONE, endpoint_text(key->local, local, ports, end));
	table_cell(table, COLOUR_DIM, ours ? "→" : "←");
	table_cell(table, COLOUR_NONE, endpoint_text(key->peer, peer, ports, end));
}

static void put_traffic(struct table *table, uint64_t packets, uint64_t bytes)
{
	char count[FIGURE_TEXT], size[FIGURE_TEXT], text[2 * FIGURE_TEXT + 4];

	snprintf(text, sizeof(text), "%s / %s", count_text(packets, count),
		 bytes_text(bytes, size));
	table_cell(table, COLOUR_NONE, text);
}

static void stream_table(struct render_stream *s, const struct column *columns, size_t count)
{
	s->table = (struct table){s->render.out, s->render.colour, columns, count, 0};
	if (!s->render.json)
		table_head(&s->table);
}

struct render_stream *render_flows_begin(const struct render *r)
{
	struct render_stream *s = stream_begin(r, "flows", "flows");

	stream_table(s, flow_columns, ARRAY_SIZE(flow_columns));
	return s;
}

static json_t *key_json(const char *policy, const char *kind, const char *scope,
			const struct fr_flow_key *key)
{
	char proto[FIGURE_TEXT];
	json_t *value = json_object();

	json_object_set_new(value, "policy", json_words(policy));
	json_object_set_new(value, "kind", json_words(kind));
	json_object_set_new(value, "interface", json_words(scope));
	json_put_scope(value, key);
	json_object_set_new(value, "protocol", json_string(proto_text(key->proto, proto)));
	json_object_set_new(value, "local",
			    json_endpoint(key->local, key->local_port, key_has_ports(key)));
	json_object_set_new(value, "peer",
			    json_endpoint(key->peer, key->peer_port, key_has_ports(key)));
	if (!key_is_icmp(key))
		return value;
	json_object_set_new(value, "icmp_id", json_count(key->local_port));
	json_object_set_new(value, "icmp_type", json_count(key->peer_port >> 8));
	json_object_set_new(value, "icmp_code", json_count(key->peer_port & 255));
	return value;
}

static json_t *flow_json(const char *policy, const struct flow_view *view)
{
	const struct fr_flow *flow = &view->flow;
	json_t *value = key_json(policy, view->kind, view->scope, &view->key);
	json_t *way;

	json_object_set_new(value, "state", json_words(view->state));
	json_object_set_new(value, "verdict", json_words(view->verdict));
	json_object_set_new(value, "opener",
			    json_string(flow->opener == FR_EGRESS ? "local" : "peer"));
	json_object_set_new(value, "rule", json_words(view->rule));
	json_object_set_new(value, "row", json_row(view->table, view->row, view->line));
	json_object_set_new(value, "reason", json_string(reason_text(flow->reason)));
	for (uint8_t dir = 0; dir < FR_DIRS; dir++) {
		way = json_object();
		json_object_set_new(way, "packets", json_count(flow->packets[dir]));
		json_object_set_new(way, "bytes", json_count(flow->bytes[dir]));
		json_object_set_new(value, dir_text(dir), way);
	}
	json_object_set_new(value, "generation", json_count(flow->generation));
	json_object_set_new(value, "first", json_time(view->first));
	json_object_set_new(value, "last", json_time(view->last));
	json_object_set_new(value, "process", json_process(flow->pid, flow->comm));
	return value;
}

void render_flow(struct render_stream *s, const char *policy, const struct flow_view *view)
{
	const struct fr_flow *flow = &view->flow;
	bool refused = !str_equal(view->verdict, "pass");
	char text[CLEAN_TEXT];

	if (s->render.json) {
		stream_item(s, flow_json(policy, view));
		return;
	}
	table_cell(&s->table, refused ? COLOUR_WARN : COLOUR_NONE,
		   refused ? view->verdict : view->state);
	table_cell(&s->table, COLOUR_NONE, view->scope ? view->scope : view->kind);
	put_ends(&s->table, &view->key, flow->opener == FR_EGRESS, 0);
	table_cell(&s->table, COLOUR_NONE, view->rule);
	table_cell(&s->table, COLOUR_NONE, row_text(view->table, view->row, view->line, text));
	put_traffic(&s->table, flow->packets[FR_EGRESS], flow->bytes[FR_EGRESS]);
	put_traffic(&s->table, flow->packets[FR_INGRESS], flow->bytes[FR_INGRESS]);
	table_cell(&s->table, COLOUR_NONE, age_text(view->first, s->now, text));
	table_cell(&s->table, COLOUR_NONE, process_text(flow->pid, flow->comm, text));
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
		put_clean(s->render.out, rule->id);
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

static json_t *drop_json(const char *policy, const struct drop_view *view)
{
	const struct fr_drop *drop = &view->drop;
	json_t *value = key_json(policy, view->kind, view->scope, &view->key);

	json_object_set_new(value, "verdict", json_words(view->verdict));
	json_object_set_new(value, "reason", json_words(view->reason));
	json_object_set_new(value, "direction", json_string(dir_text(drop->dir)));
	json_object_set_new(value, "opener_port", json_count(drop->opener_port));
	json_object_set_new(value, "rule", json_words(view->rule));
	json_object_set_new(value, "row", json_row(view->table, view->row, view->line));
	json_object_set_new(value, "packets", json_count(drop->packets));
	json_object_set_new(value, "bytes", json_count(drop->bytes));
	json_object_set_new(value, "generation", json_count(drop->generation));
	json_object_set_new(value, "first", json_time(view->first));
	json_object_set_new(value, "last", json_time(view->last));
	json_object_set_new(value, "process", json_process(drop->pid, drop->comm));
	return value;
}

void render_drop(struct render_stream *s, const char *policy, const struct drop_view *view)
{
	const struct fr_drop *drop = &view->drop;
	char text[CLEAN_TEXT];

	if (s->render.json) {
		stream_item(s, drop_json(policy, view));
		return;
	}
	table_cell(&s->table, colour_of_verdict(view->verdict), view->verdict);
	table_cell(&s->table, COLOUR_NONE, view->scope ? view->scope : view->kind);
	put_ends(&s->table, &view->key, drop->dir == FR_EGRESS, drop->opener_port);
	table_cell(&s->table, COLOUR_NONE, view->rule);
	table_cell(&s->table, COLOUR_NONE, view->reason);
	table_cell(&s->table, COLOUR_NONE, count_text(drop->packets, text));
	table_cell(&s->table, COLOUR_NONE, bytes_text(drop->bytes, text));
	table_cell(&s->table, COLOUR_NONE, age_text(view->last, s->now, text));
	table_cell(&s->table, COLOUR_NONE, process_text(drop->pid, drop->comm, text));
}
