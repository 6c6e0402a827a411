/* SPDX-License-Identifier: GPL-2.0-only */
/* What a policy would do with the connections of this host. */
#include <inttypes.h>
#include <string.h>

#include "table.h"

enum { SHOWN_MOST = 40 };

static const char *const outcome_names[] = {
	[PREVIEW_STAYS] = "stays", [PREVIEW_REPORTED] = "reported", [PREVIEW_CUT] = "cut"};

static const struct rule *rule_of(const struct ruleset *rs, uint32_t number)
{
	return number < FR_RULE_FIRST ? NULL : &rs->rules[number - FR_RULE_FIRST];
}

/* The row of the rule, or NULL. */
static const struct origin *row_of(const struct ruleset *rs, uint32_t number)
{
	const struct rule *rule = rule_of(rs, number);
	const struct origin *origin = rule ? rule_origin(rule) : NULL;

	return origin && origin->table ? origin : NULL;
}

/* ---------------------------------------------------------------- failsafe: auto */

static json_t *failsafe_rule_json(const struct rule *rule)
{
	json_t *item = json_object(), *peers = json_array(), *ports = json_array();
	char text[PREFIX_TEXT];

	for (uint32_t i = 0; i < rule->peer_count; i++)
		json_array_append_new(peers, json_words(prefix_text(&rule->peers[i], text)));
	for (uint32_t i = 0; i < rule->service_count; i++)
		json_array_append_new(ports, json_words(service_text(&rule->services[i], text)));
	json_object_set_new(item, "rule", json_words(rule->id));
	json_object_set_new(item, "direction", json_string(dir_name(rule->dir)));
	json_object_set_new(item, "peers", peers);
	json_object_set_new(item, "ports", ports);
	json_object_set_new(item, "source", json_words(rule_origin(rule)->purpose));
	return item;
}

json_t *json_failsafe(const struct ruleset *rs)
{
	json_t *list = rs->failsafe_auto ? json_array() : json_null();

	for (size_t i = 0; rs->failsafe_auto && i < rs->rule_count; i++)
		if (rs->rules[i].action == FR_FAILSAFE_ALLOW)
			json_array_append_new(list, failsafe_rule_json(&rs->rules[i]));
	return list;
}

static const struct column failsafe_columns[] = {
	{"RULE", .least = 10}, {"DIR", .least = 0},	      {"PEER", .least = 0},
	{"PORTS", .least = 0}, {"DERIVED FROM", .least = 20},
};

/* A line for each peer. */
static void print_failsafe_rule(struct table *table, const struct rule *rule)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	const char *ports = NULL;
	char text[PREFIX_TEXT];

	for (uint32_t i = 0; i < rule->service_count; i++)
		ports = str_list_append(arena, ports, service_text(&rule->services[i], text));
	for (uint32_t i = 0; i < rule->peer_count; i++) {
		table_cell(table, COLOUR_NONE, rule->id);
		table_cell(table, COLOUR_NONE, dir_name(rule->dir));
		table_cell(table, COLOUR_NONE, prefix_text(&rule->peers[i], text));
		table_cell(table, COLOUR_NONE, ports);
		table_cell(table, COLOUR_NONE, rule_origin(rule)->purpose);
	}
}

void render_failsafe(const struct render *r, const struct ruleset *rs)
{
	struct table table;

	if (r->json || !rs->failsafe_auto)
		return;
	fprintf(r->out, "%sfailsafe, derived from this host%s\n", colour_on(r->colour, COLOUR_BOLD),
		colour_off(r->colour, COLOUR_BOLD));
	table_begin(&table, r, failsafe_columns, ARRAY_SIZE(failsafe_columns));
	for (size_t i = 0; i < rs->rule_count; i++)
		if (rs->rules[i].action == FR_FAILSAFE_ALLOW)
			print_failsafe_rule(&table, &rs->rules[i]);
	table_end(&table);
	fputc('\n', r->out);
}

/* ---------------------------------------------------------------- JSON */

static json_t *totals_json(const struct preview_view *view)
{
	json_t *list = json_array(), *item;

	for (uint32_t kind = 0; kind < FR_KINDS; kind++) {
		if (!view->kinds[kind])
			continue;
		item = json_object();
		json_object_set_new(item, "kind", json_string(kind_name(kind)));
		for (uint32_t i = 0; i < PREVIEW_OUTCOMES; i++)
			json_object_set_new(item, outcome_names[i],
					    json_count(view->totals[kind][i]));
		json_array_append_new(list, item);
	}
	return list;
}

static void set_judged(const struct preview_view *view, const struct preview_line *line,
		       json_t *item)
{
	const struct origin *row = row_of(view->rs, line->rule);

	json_object_set_new(item, "outcome", json_string(outcome_names[line->outcome]));
	json_object_set_new(item, "rule", json_words(ruleset_rule_name(view->rs, line->rule)));
	json_object_set_new(item, "row",
			    row ? json_row(row->table, row->row, row->line) : json_null());
	json_object_set_new(item, "reason", json_words(reason_name(line->reason)));
	json_object_set_new(item, "nearest", json_words(line->nearest));
}

static json_t *line_json(const struct preview_view *view, const struct preview_line *line)
{
	char proto[FIGURE_TEXT], peer[PREFIX_TEXT];
	bool ports = proto_has_ports(line->tuple.proto);
	json_t *item = json_object();

	set_judged(view, line, item);
	json_object_set_new(item, "connections", json_count(line->count));
	json_object_set_new(item, "kind", json_string(kind_name(line->kind)));
	json_object_set_new(item, "interface", json_words(line->where));
	json_object_set_new(item, "direction", json_string(dir_name(line->tuple.dir)));
	json_object_set_new(item, "protocol", json_words(proto_text(line->tuple.proto, proto)));
	json_object_set_new(item, "peer", json_words(prefix_text(&line->peer, peer)));
	json_object_set_new(item, "port", ports ? json_count(line->tuple.port) : json_null());
	json_object_set_new(item, "process", json_words(*line->process ? line->process : NULL));
	return item;
}

static json_t *session_json(const struct preview_view *view)
{
	const struct preview_session *session = &view->session;
	char peer[ADDR_TEXT];
	json_t *item;

	if (!session->found)
		return json_null();
	item = json_object();
	json_object_set_new(item, "peer", json_words(addr_text(&session->connection.peer, peer)));
	json_object_set_new(item, "peer_port", json_count(session->connection.peer_port));
	json_object_set_new(item, "port", json_count(session->connection.local_port));
	json_object_set_new(item, "judged", json_boolean(session->judged));
	if (session->judged)
		set_judged(view, &session->line, item);
	return item;
}

static json_t *listeners_json(const struct preview_view *view)
{
	char text[FIGURE_TEXT], address[ADDR_TEXT];
	json_t *list = json_array(), *item;

	for (size_t i = 0; i < view->unreached.count; i++) {
		const struct listening_view *one = &view->unreached.list[i];

		item = json_object();
		json_object_set_new(item, "protocol", json_words(proto_text(one->proto, text)));
		json_object_set_new(item, "port", json_count(one->port));
		json_object_set_new(item, "address",
				    one->everywhere
					    ? json_null()
					    : json_words(addr_text(&one->address, address)));
		json_object_set_new(item, "pid", one->pid ? json_count(one->pid) : json_null());
		json_object_set_new(item, "process",
				    one->pid ? json_words(one->process) : json_null());
		json_array_append_new(list, item);
	}
	return list;
}

static json_t *preview_json(const struct preview_view *view, bool details, json_t *value)
{
	json_t *list = json_array();

	json_object_set_new(value, "totals", totals_json(view));
	json_object_set_new(value, "session", session_json(view));
	json_object_set_new(value, "admits_nothing", json_boolean(view->admits_nothing));
	json_object_set_new(value, "flows_known", json_boolean(view->flows_known));
	json_object_set_new(value, "cgroups_unknown", json_boolean(view->cgroups_unknown));
	for (size_t i = 0; i < view->count; i++)
		if (details || view->list[i].outcome != PREVIEW_STAYS)
			json_array_append_new(list, line_json(view, &view->list[i]));
	json_object_set_new(value, "connections", list);
	if (details)
		json_object_set_new(value, "unreached", listeners_json(view));
	return value;
}

json_t *json_preview(const struct preview_view *view)
{
	return view ? preview_json(view, false, json_object()) : json_null();
}

/* ---------------------------------------------------------------- text */

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static void print_totals(FILE *out, const uint64_t totals[PREVIEW_OUTCOMES])
{
	uint64_t stays = totals[PREVIEW_STAYS], cut = totals[PREVIEW_CUT];
	uint64_t reported = totals[PREVIEW_REPORTED];

	fprintf(out, "%" PRIu64 " connection%s %s, ", stays, plural(stays),
		stays == 1 ? "stays" : "stay");
	fprintf(out, "%" PRIu64 " %s cut", cut, cut == 1 ? "is" : "are");
	if (reported)
		fprintf(out, ", %" PRIu64 " %s reported as would-drop", reported,
			reported == 1 ? "is" : "are");
	fputc('\n', out);
}

/* A packet has to pass each kind of attach point: the figures are never summed. */
static void print_summary(FILE *out, const struct preview_view *view)
{
	size_t kinds = 0;

	for (uint32_t kind = 0; kind < FR_KINDS; kind++)
		kinds += view->kinds[kind];
	for (uint32_t kind = 0; kind < FR_KINDS; kind++) {
		if (!view->kinds[kind])
			continue;
		if (kinds > 1)
			fprintf(out, "%ss: ", kind_name(kind));
		print_totals(out, view->totals[kind]);
	}
	if (view->cgroups_unknown)
		fputs("sockets whose cgroup this kernel does not tell are left out\n", out);
	if (view->kinds[FR_KIND_GUEST] && !view->flows_known)
		fputs("connections of guests are not known: no policy of this name is in force\n",
		      out);
}

static const char *fate_text(enum preview_outcome outcome)
{
	if (outcome == PREVIEW_STAYS)
		return "stays";
	return outcome == PREVIEW_CUT ? "is cut" : "is reported as would-drop";
}

static void print_session(FILE *out, const struct preview_view *view)
{
	const struct preview_session *session = &view->session;
	char peer[ADDR_TEXT];

	if (!session->found)
		return;
	fprintf(out, "this SSH session, from %s to port %u, ",
		addr_text(&session->connection.peer, peer), session->connection.local_port);
	if (!session->judged) {
		fputs("stays: it passes no attach point of the policy\n", out);
		return;
	}
	fprintf(out, "%s: rule ", fate_text(session->line.outcome));
	print_clean(out, ruleset_rule_name(view->rs, session->line.rule));
	fputc('\n', out);
}

static const struct column line_columns[] = {
	{"CONNS", .right = true},
	{"ON", .order = 5, .least = 8},
	{"DIR", .order = 4},
	{"PROTO", .least = 0},
	{"PEER", .least = 18},
	{"PORT", .right = true},
	{"PROCESS", .order = 3, .least = 12},
	{"RULE", .order = 2, .least = 10},
	{"ROW", .order = 6, .least = 16},
};

static void print_line(struct table *table, const struct preview_view *view,
		       const struct preview_line *line)
{
	const struct origin *row = row_of(view->rs, line->rule);
	char text[CLEAN_TEXT];

	table_cell(table, COLOUR_NONE, count_text(line->count, text));
	table_cell(table, COLOUR_NONE, line->where ? line->where : kind_name(line->kind));
	table_cell(table, COLOUR_NONE, dir_name(line->tuple.dir));
	table_cell(table, COLOUR_NONE, proto_type_text(line->tuple.proto, line->tuple.port, text));
	table_cell(table, COLOUR_NONE, prefix_text(&line->peer, text));
	*text = '\0';
	if (proto_has_ports(line->tuple.proto))
		*number_append(text, line->tuple.port) = '\0';
	table_cell(table, COLOUR_NONE, text);
	table_cell(table, COLOUR_NONE, line->process);
	table_cell(table, COLOUR_NONE, ruleset_rule_name(view->rs, line->rule));
	table_cell(table, COLOUR_NONE,
		   row ? row_text(row->table, row->row, row->line, text) : NULL);
	if (line->outcome != PREVIEW_STAYS)
		table_note(table, line->nearest);
}

static void print_more(const struct render *r, size_t left)
{
	if (left)
		fprintf(r->out, "%zu line%s more: --wide or --json\n", left, plural(left));
}

static void print_lines(const struct render *r, const struct preview_view *view,
			enum preview_outcome outcome, const char *title)
{
	struct table table;
	size_t count = 0, shown = 0;

	for (size_t i = 0; i < view->count; i++)
		count += view->list[i].outcome == outcome;
	if (!count)
		return;
	fprintf(r->out, "\n%s%s%s\n", colour_on(r->colour, COLOUR_BOLD), title,
		colour_off(r->colour, COLOUR_BOLD));
	table_begin(&table, r, line_columns, ARRAY_SIZE(line_columns));
	for (size_t i = 0; i < view->count; i++) {
		if (view->list[i].outcome != outcome || (!r->wide && shown == SHOWN_MOST))
			continue;
		print_line(&table, view, &view->list[i]);
		shown++;
	}
	table_end(&table);
	print_more(r, count - shown);
}

static const struct column listener_columns[] = {
	{"PROTO", .least = 0},
	{"PORT", .right = true},
	{"ADDRESS", .least = 18},
	{"PROCESS", .least = 12},
};

static void print_listeners(const struct render *r, const struct preview_view *view)
{
	size_t count = view->unreached.count, shown = 0;
	struct table table;
	char text[CLEAN_TEXT];

	if (!count)
		return;
	fprintf(r->out, "\n%slisteners that nobody may reach%s\n",
		colour_on(r->colour, COLOUR_BOLD), colour_off(r->colour, COLOUR_BOLD));
	table_begin(&table, r, listener_columns, ARRAY_SIZE(listener_columns));
	for (; shown < count && (r->wide || shown < SHOWN_MOST); shown++) {
		const struct listening_view *one = &view->unreached.list[shown];

		table_cell(&table, COLOUR_NONE, proto_text(one->proto, text));
		*number_append(text, one->port) = '\0';
		table_cell(&table, COLOUR_NONE, text);
		table_cell(&table, COLOUR_NONE,
			   one->everywhere ? "*" : addr_text(&one->address, text));
		table_cell(&table, COLOUR_NONE, one->pid ? one->process : NULL);
	}
	table_end(&table);
	print_more(r, count - shown);
}

void print_preview_cut(const struct render *r, const struct preview_view *view)
{
	print_lines(r, view, PREVIEW_CUT, "cut");
}

void render_refused(const struct render *r, const struct preview_view *view)
{
	if (r->json)
		return;
	print_summary(r->out, view);
	print_preview_cut(r, view);
}

void render_preview(const struct render *r, const struct preview_view *view, const char *written)
{
	char digest[DIGEST_TEXT];
	json_t *document;

	if (r->json) {
		document = document_new("preview");
		json_object_set_new(document, "policy", json_words(view->rs->name));
		json_object_set_new(document, "mode", json_string(mode_name(view->rs->enforce)));
		json_object_set_new(document, "digest",
				    json_string(digest_text(view->digest, digest)));
		json_object_set_new(document, "failsafe", json_failsafe(view->rs));
		json_object_set_new(document, "written", json_words(written));
		document_print(r, preview_json(view, true, document));
		return;
	}
	render_failsafe(r, view->rs);
	if (written) {
		fputs("failsafe is written to ", r->out);
		print_clean(r->out, written);
		fputs("\n\n", r->out);
	}
	print_summary(r->out, view);
	print_session(r->out, view);
	print_preview_cut(r, view);
	print_lines(r, view, PREVIEW_REPORTED, "reported as would-drop");
	print_lines(r, view, PREVIEW_STAYS, "stays");
	print_listeners(r, view);
}
