/* SPDX-License-Identifier: GPL-2.0-only */
/* show: rules with their counters, flows with their rows, and drops, real or would-be. */
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

void ends_text(const struct fr_flow_key *key, bool ours, uint32_t opener_port, struct ends *out)
{
	uint32_t local = ours && !key->local_port ? opener_port : key->local_port;
	uint32_t peer = !ours && !key->peer_port ? opener_port : key->peer_port;
	bool ports = key_has_ports(key);

	endpoint_text(key->local, local, ports, out->local);
	endpoint_text(key->peer, peer, ports, out->peer);
}

/* PROTO, LOCAL, arrow from the opener, PEER. */
static void print_ends(struct table *table, const struct fr_flow_key *key, bool ours,
		       uint32_t opener_port)
{
	char text[FIGURE_TEXT];
	struct ends ends;

	ends_text(key, ours, opener_port, &ends);
	table_cell(table, COLOUR_NONE, proto_type_text(key->proto, key->peer_port, text));
	table_cell(table, COLOUR_NONE, ends.local);
	table_cell(table, COLOUR_DIM, ours ? "→" : "←");
	table_cell(table, COLOUR_NONE, ends.peer);
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

/* ---------------------------------------------------------------- rules */

static const struct column rule_columns[] = {
	{"RULE", .least = 16},
	{"ROW", .order = 8, .least = 16},
	{"DIR", .order = 5},
	{"ACTION", .order = 4},
	{"ANSWERS", .wide = true},
	{"CONNS", .right = true},
	{"PACKETS", .order = 7, .right = true},
	{"BYTES", .order = 6, .right = true},
	{"DROPS", .right = true},
	{"WOULD-DROP", .right = true},
	{"LAST", .order = 3},
};

struct render_stream *render_rules_begin(const struct render *r)
{
	return stream_begin(r, "rules", "policies");
}

json_t *json_rule_figures(const struct rule_view *rule)
{
	json_t *value = json_object();

	json_object_set_new(value, "id", json_words(rule->id));
	json_object_set_new(value, "row", json_row(rule->table, rule->row, rule->line));
	json_object_set_new(value, "direction", json_words(rule->dir));
	json_object_set_new(value, "action", json_words(rule->action));
	json_object_set_new(value, "staged", json_boolean(rule->staged));
	json_object_set_new(value, "answers",
			    rule->answers ? json_answers(&(struct expectation){
						    rule->answers, .default_of = rule->default_of})
					  : json_null());
	json_object_set_new(value, "attempts", json_count(rule->totals.attempts));
	json_object_set_new(value, "connections", json_count(rule->totals.connections));
	json_object_set_new(value, "packets", json_count(rule->totals.packets));
	json_object_set_new(value, "bytes", json_count(rule->totals.bytes));
	json_object_set_new(value, "drops", json_count(rule->totals.drops));
	json_object_set_new(value, "would_drops", json_count(rule->totals.would_drops));
	json_object_set_new(value, "not_listed", json_count(rule->totals.unlisted));
	json_object_set_new(value, "since", json_time(rule->since));
	json_object_set_new(value, "last", json_time(rule->last));
	return value;
}

/* "" of a rule that asks nothing over UDP. ROW_TEXT bytes. */
static const char *rule_answers_text(const struct rule_view *rule, char *out)
{
	*out = '\0';
	if (rule->answers && rule->default_of)
		snprintf(out, ROW_TEXT, "%s (default of %s)", answers_name(rule->answers),
			 rule->default_of);
	else if (rule->answers)
		snprintf(out, ROW_TEXT, "%s", answers_name(rule->answers));
	return out;
}

static void print_rule(struct table *table, const struct rule_view *rule, uint64_t now)
{
	const struct fr_counters *totals = &rule->totals;
	bool used = totals->packets || totals->drops || totals->would_drops;
	enum colour hue = used ? COLOUR_NONE : COLOUR_DIM;
	char text[ROW_TEXT];

	table_cell(table, hue, rule->id);
	table_cell(table, hue, row_text(rule->table, rule->row, rule->line, text));
	table_cell(table, hue, rule->dir);
	snprintf(text, sizeof(text), "%s%s", rule->action, rule->staged ? " (audit)" : "");
	table_cell(table, hue, text);
	table_cell(table, hue, rule_answers_text(rule, text));
	table_cell(table, hue, count_text(totals->connections, text));
	table_cell(table, hue, count_text(totals->packets, text));
	table_cell(table, hue, bytes_text(totals->bytes, text));
	table_cell(table, totals->drops ? COLOUR_BAD : hue, count_text(totals->drops, text));
	table_cell(table, totals->would_drops ? COLOUR_WARN : hue,
		   count_text(totals->would_drops, text));
	table_cell(table, hue, rule->last ? age_text(rule->last, now, text) : "never");
}

/* The policy's own rules first, then the defaults, then the built-in ones. */
static unsigned rule_rank(const struct rule_view *rule)
{
	return str_equal(rule->action, "builtin") ? 2 : str_equal(rule->action, "default");
}

static void print_rules(struct render_stream *s, const char *policy, const struct rule_view *rules,
			size_t count, bool as_given)
{
	uint64_t since = count ? rules[0].since : 0;
	char text[TIME_TEXT];
	struct table table;

	for (size_t i = 0; i < count; i++)
		since = rules[i].since < since ? rules[i].since : since;
	if (s->items++)
		fputc('\n', s->render.out);
	print_clean(s->render.out, policy);
	if (since)
		fprintf(s->render.out, "  counters since %.19sZ", time_text(since, text));
	fputc('\n', s->render.out);
	table_begin(&table, &s->render, rule_columns, ARRAY_SIZE(rule_columns));
	for (unsigned rank = 0; rank <= 2; rank++)
		for (size_t i = 0; i < count; i++)
			if (as_given ? !rank : rule_rank(&rules[i]) == rank)
				print_rule(&table, &rules[i], s->now);
	table_end(&table);
}

void render_rules(struct render_stream *s, const char *policy, const struct rule_view *rules,
		  size_t count, bool as_given)
{
	json_t *item, *list;

	if (!s->render.json) {
		print_rules(s, policy, rules, count, as_given);
		return;
	}
	item = json_object();
	list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_rule_figures(&rules[i]));
	json_object_set_new(item, "policy", json_words(policy));
	json_object_set_new(item, "rules", list);
	stream_item(s, item);
}
