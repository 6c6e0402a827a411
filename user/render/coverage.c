/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Coverage of a policy: rows that see traffic, rows that do not, and traffic that no row covers,
 * each with a hint.
 */
#include <string.h>

#include "table.h"

enum { SHOWN_MOST = 40 };
#define DAY_NS (UINT64_C(86400) * 1000000000)

struct render_stream *render_coverage_begin(const struct render *r)
{
	return stream_begin(r, "coverage", "policies");
}

bool rule_is_policys(const struct rule_view *rule)
{
	return !str_equal(rule->action, "default") && !str_equal(rule->action, "builtin");
}

/* Something was sent, but to no answer: an attempt is no connection. */
bool rule_is_tried(const struct rule_view *rule)
{
	return rule->totals.attempts && !rule->totals.connections;
}

static bool rule_is_used(const struct rule_view *rule)
{
	return rule->totals.packets || rule->totals.drops || rule->totals.would_drops;
}

bool rule_is_seen(const struct rule_view *rule)
{
	return rule_is_used(rule) && !rule_is_tried(rule);
}

bool rule_is_never_seen(const struct rule_view *rule)
{
	return !rule_is_used(rule);
}

static bool row_is_used(const struct coverage_view *view, const struct rule_view *rule)
{
	for (size_t i = 0; i < view->rule_count; i++)
		if (rule_is_used(&view->rules[i]) && str_equal(view->rules[i].table, rule->table) &&
		    str_equal(view->rules[i].row, rule->row))
			return true;
	return false;
}

/* A row of a table of which no rule was used can be left out of the policy's use. */
static bool can_leave_out(const struct coverage_view *view, const struct rule_view *rule)
{
	return *rule->table && *rule->row && !rule->shares_with && !rule_is_used(rule) &&
	       !row_is_used(view, rule);
}

/* ---------------------------------------------------------------- recorded events */

json_t *json_recorded(const struct recorded_view *view)
{
	json_t *value, *hosts;

	if (!view)
		return json_null();
	value = json_object();
	hosts = json_array();
	for (size_t i = 0; i < view->host_count; i++)
		json_array_append_new(hosts, json_words(view->hosts[i]));
	json_object_set_new(value, "file", json_words(view->file));
	json_object_set_new(value, "hosts", hosts);
	json_object_set_new(value, "events", json_count(view->events));
	json_object_set_new(value, "openings", json_count(view->openings));
	json_object_set_new(value, "left_out", json_count(view->left_out));
	json_object_set_new(value, "lost", json_count(view->lost));
	json_object_set_new(value, "since", json_time(view->since));
	json_object_set_new(value, "until", json_time(view->until));
	return value;
}

void print_recorded(FILE *out, const struct recorded_view *view)
{
	char since[TIME_TEXT], until[TIME_TEXT];

	print_clean(out, view->file);
	if (!view->events) {
		fputs(": no events\n", out);
		return;
	}
	fprintf(out, ": %llu events", (unsigned long long)view->events);
	for (size_t i = 0; i < view->host_count; i++) {
		fputs(i ? ", " : " of host ", out);
		print_clean(out, view->hosts[i]);
	}
	fprintf(out, ", from %.19sZ to %.19sZ\n", time_text(view->since, since),
		time_text(view->until, until));
	if (!view->openings)
		fputs("they hold no openings, so nothing is said of rules that allow: record with "
		      "monitor --openings --json\n",
		      out);
}

/* ---------------------------------------------------------------- JSON */

static json_t *rule_json(const struct coverage_view *view, const struct rule_view *rule)
{
	json_t *value = json_rule_figures(rule);

	json_object_set_new(value, "seen", json_boolean(rule_is_seen(rule)));
	json_object_set_new(value, "never_answered", json_boolean(rule_is_tried(rule)));
	json_object_set_new(value, "leave_out",
			    can_leave_out(view, rule) ? json_words(rule->row) : json_null());
	json_object_set_new(value, "shares_with", json_words(rule->shares_with));
	return value;
}

static json_t *unexplained_json(const struct unexplained_view *view)
{
	const struct tuple *tuple = &view->tuple;
	bool icmp = proto_is_any_icmp(tuple->proto), ports = proto_has_ports(tuple->proto);
	char text[64];
	json_t *value = json_object();

	json_object_set_new(value, "kind", json_words(view->kind));
	json_object_set_new(value, "interface", json_words(view->where));
	json_object_set_new(value, "direction", json_words(dir_name(tuple->dir)));
	json_object_set_new(value, "protocol", json_string(proto_text(tuple->proto, text)));
	json_object_set_new(value, "peer",
			    json_string(endpoint_text(tuple->peer.b, 0, false, text)));
	json_object_set_new(value, "port", ports ? json_count(tuple->port) : json_null());
	json_object_set_new(value, "icmp_type", icmp ? json_count(tuple->port >> 8) : json_null());
	json_object_set_new(value, "icmp_code", icmp ? json_count(tuple->port & 255) : json_null());
	json_object_set_new(value, "verdict", json_words(view->verdict));
	json_object_set_new(value, "packets", json_count(view->packets));
	json_object_set_new(value, "bytes", json_count(view->bytes));
	json_object_set_new(value, "flows", json_count(view->flows));
	json_object_set_new(value, "first", json_time(view->first));
	json_object_set_new(value, "last", json_time(view->last));
	json_object_set_new(value, "process", json_process(&view->process));
	json_object_set_new(value, "nearest", json_words(view->nearest));
	json_object_set_new(value, "answer_to", json_answer_hint(view->answer));
	return value;
}

static json_t *socket_json(const struct listening_view *view)
{
	json_t *value = json_object();
	char text[64];

	json_object_set_new(value, "protocol", json_string(proto_text(view->proto, text)));
	json_object_set_new(value, "port", json_count(view->port));
	json_object_set_new(value, "address",
			    view->everywhere
				    ? json_null()
				    : json_string(endpoint_text(view->address.b, 0, false, text)));
	json_object_set_new(value, "pid", view->pid ? json_count(view->pid) : json_null());
	json_object_set_new(value, "process", json_words(view->pid ? view->process : NULL));
	json_object_set_new(value, "given_out", json_boolean(view->given_out));
	return value;
}

static json_t *idle_json(const struct idle_view *view)
{
	const struct origin *origin = rule_origin(view->rule);
	json_t *value = json_object();
	char text[SERVICE_TEXT];

	json_object_set_new(value, "rule", json_words(view->rule->id));
	json_object_set_new(value, "row", json_row(origin->table, origin->row, origin->line));
	json_object_set_new(value, "service", json_string(service_text(&view->service, text)));
	return value;
}

static json_t *listening_json(const struct listening *view)
{
	json_t *value = json_object(), *sockets = json_array(), *idle = json_array();

	for (size_t i = 0; i < view->count; i++)
		json_array_append_new(sockets, socket_json(&view->list[i]));
	for (size_t i = 0; i < view->idle_count; i++)
		json_array_append_new(idle, idle_json(&view->idle[i]));
	json_object_set_new(value, "left_out", json_words(view->left_out));
	json_object_set_new(value, "sockets", json_count(view->sockets));
	json_object_set_new(value, "unexplained", sockets);
	json_object_set_new(value, "nobody_listens", idle);
	return value;
}

static uint64_t quiet_days(const struct coverage_view *view, uint64_t now)
{
	return now > view->newest ? (now - view->newest) / DAY_NS : 0;
}

static json_t *coverage_json(const struct coverage_view *view, enum source_state source,
			     uint64_t now)
{
	static const char *const states[] = {[SOURCE_RUNS] = "runs",
					     [SOURCE_DIFFERS] = "differs",
					     [SOURCE_UNREADABLE] = "unreadable"};
	json_t *value = json_object(), *rules = json_array(), *flows = json_array();

	for (size_t i = 0; i < view->rule_count; i++)
		if (rule_is_policys(&view->rules[i]))
			json_array_append_new(rules, rule_json(view, &view->rules[i]));
	for (size_t i = 0; i < view->unexplained_count; i++)
		json_array_append_new(flows, unexplained_json(&view->unexplained[i]));
	json_object_set_new(value, "policy", json_words(view->policy));
	json_object_set_new(value, "mode", json_string(mode_name(view->enforce)));
	json_object_set_new(value, "since", json_time(view->since));
	json_object_set_new(value, "newest", json_time(view->newest));
	json_object_set_new(value, "nothing_new_days", json_count(quiet_days(view, now)));
	json_object_set_new(value, "source", json_words(view->source));
	json_object_set_new(value, "source_state", json_string(states[source]));
	json_object_set_new(value, "tables", view->file ? json_tables(view->file) : json_null());
	json_object_set_new(value, "rules", rules);
	json_object_set_new(value, "unexplained", flows);
	json_object_set_new(value, "listening", listening_json(&view->listening));
	json_object_set_new(value, "decided_by_current", json_count(view->decided_by_current));
	json_object_set_new(value, "refusals", json_count(view->refusals));
	json_object_set_new(value, "refusals_max", json_count(view->room));
	json_object_set_new(value, "refusals_incomplete", json_boolean(view->incomplete));
	json_object_set_new(value, "recorded", json_recorded(view->recorded));
	return value;
}

/* ---------------------------------------------------------------- text */

static const struct column table_columns[] = {
	{"TABLE", .least = 12},
	{"DOCUMENT", .order = 1, .least = 16},
	{"READ", .order = 0},
	{"URL", .order = 2, .least = 30},
};
static const struct column seen_columns[] = {
	{"SEEN", .least = 16},
	{"DIR", .order = 3},
	{"ACTION", .order = 4},
	{"CONNS", .right = true},
	{"BYTES", .order = 2, .right = true},
	{"REFUSED", .right = true},
	{"LAST", .order = 1},
};
static const struct column tried_columns[] = {
	{"TRIED, NEVER ANSWERED", .least = 21}, {"DIR", .order = 2},	 {"TRIES", .right = true},
	{"PACKETS", .order = 1, .right = true}, {"LAST", .right = true},
};
static const struct column never_columns[] = {
	{"NEVER SEEN", .least = 16},
	{"DIR", .order = 1},
	{"ACTION", .order = 3},
	{"FOR", .order = 2, .right = true},
	{"IF IT IS NOT NEEDED", .least = 20},
};
static const struct column unexplained_columns[] = {
	{"UNEXPLAINED", .order = 0},
	{"ON", .order = 4, .least = 8},
	{"DIR", .order = 0},
	{"PEER", .least = 15},
	{"SERVICE", .least = 12},
	{"PACKETS", .order = 2, .right = true},
	{"BYTES", .order = 5, .right = true},
	{"LAST", .order = 3, .right = true},
	{"PROCESS", .order = 1, .least = 12},
};

static void print_tables(const struct render *r, const struct ruleset *rs)
{
	const struct origin *origin;
	struct table table;
	size_t at = 0;

	if (!rs || !(origin = ruleset_next_table(rs, &at)))
		return;
	fputc('\n', r->out);
	table_begin(&table, r, table_columns, ARRAY_SIZE(table_columns));
	for (; origin; origin = ruleset_next_table(rs, &at)) {
		table_cell(&table, COLOUR_NONE, origin->table);
		table_cell(&table, COLOUR_NONE, origin->title);
		table_cell(&table, COLOUR_NONE, origin->read);
		table_cell(&table, COLOUR_NONE, origin->url);
	}
	table_end(&table);
}

static const struct column listening_columns[] = {
	{"LISTENING, NOT EXPLAINED", .least = 16},
	{"ON", .order = 2, .least = 15},
	{"PROCESS", .order = 1, .least = 12},
};
static const struct column idle_columns[] = {
	{"NOBODY LISTENS", .least = 12},
	{"RULE", .least = 16},
};

/* Most sockets on ports that were given out are those of clients. */
static bool is_shown(const struct render *r, const struct listening_view *socket)
{
	return r->wide || !socket->given_out;
}

static size_t shown_count(const struct render *r, const struct listening *view)
{
	size_t count = 0;

	for (size_t i = 0; i < view->count; i++)
		count += is_shown(r, &view->list[i]);
	return count;
}

static void print_socket(struct table *table, const struct listening_view *at)
{
	struct service service = service_one(at->proto, at->port);
	struct process_view process = {.pid = at->pid};
	char text[CLEAN_TEXT];

	memcpy(process.name, at->process, sizeof(at->process));
	table_cell(table, COLOUR_WARN, service_text(&service, text));
	table_cell(table, COLOUR_NONE,
		   at->everywhere ? "every address" : endpoint_text(at->address.b, 0, false, text));
	table_cell(table, COLOUR_NONE, process_text(&process, text));
}

static void print_sockets(const struct render *r, const struct listening *view)
{
	struct table table;

	fputc('\n', r->out);
	table_begin(&table, r, listening_columns, ARRAY_SIZE(listening_columns));
	for (size_t i = 0; i < view->count; i++)
		if (is_shown(r, &view->list[i]))
			print_socket(&table, &view->list[i]);
	table_end(&table);
}

static void print_idle(const struct render *r, const struct listening *view)
{
	struct table table;
	char text[SERVICE_TEXT];

	fputc('\n', r->out);
	table_begin(&table, r, idle_columns, ARRAY_SIZE(idle_columns));
	for (size_t i = 0; i < view->idle_count; i++) {
		table_cell(&table, COLOUR_DIM, service_text(&view->idle[i].service, text));
		table_cell(&table, COLOUR_NONE, view->idle[i].rule->id);
	}
	table_end(&table);
}

static void print_listening(const struct render *r, const struct listening *view)
{
	size_t shown = shown_count(r, view);
	char text[CLEAN_TEXT];

	if (view->left_out) {
		snprintf(text, sizeof(text), "listening sockets are left out: %s", view->left_out);
		fputc('\n', r->out);
		print_sentence(r, text);
	}
	if (shown)
		print_sockets(r, view);
	if (shown < view->count) {
		snprintf(text, sizeof(text),
			 "sockets of UDP on ports that this host gives out, most of them clients': "
			 "%zu; --wide shows them",
			 view->count - shown);
		fputc('\n', r->out);
		print_sentence(r, text);
	}
	if (view->idle_count)
		print_idle(r, view);
}

static void print_seen(const struct render *r, const struct coverage_view *view, uint64_t now)
{
	char text[FIGURE_TEXT], note[CLEAN_TEXT];
	struct table table;

	fputc('\n', r->out);
	table_begin(&table, r, seen_columns, ARRAY_SIZE(seen_columns));
	for (size_t i = 0; i < view->rule_count; i++) {
		const struct rule_view *rule = &view->rules[i];
		uint64_t refused = rule->totals.drops + rule->totals.would_drops;

		if (!rule_is_policys(rule) || !rule_is_seen(rule))
			continue;
		table_cell(&table, COLOUR_GOOD, rule->id);
		table_cell(&table, COLOUR_NONE, rule->dir);
		table_cell(&table, COLOUR_NONE, rule->action);
		table_cell(&table, COLOUR_NONE, count_text(rule->totals.connections, text));
		table_cell(&table, COLOUR_NONE, bytes_text(rule->totals.bytes, text));
		table_cell(&table, refused ? COLOUR_WARN : COLOUR_NONE, count_text(refused, text));
		table_cell(&table, COLOUR_NONE, age_text(rule->last, now, text));
		if (rule->shares_with) {
			snprintf(note, sizeof(note), "shares its traffic with %s",
				 rule->shares_with);
			table_note(&table, note);
		}
	}
	table_end(&table);
}

static void print_tried(const struct render *r, const struct coverage_view *view, uint64_t now)
{
	char text[FIGURE_TEXT];
	struct table table;

	fputc('\n', r->out);
	table_begin(&table, r, tried_columns, ARRAY_SIZE(tried_columns));
	for (size_t i = 0; i < view->rule_count; i++) {
		const struct rule_view *rule = &view->rules[i];

		if (!rule_is_policys(rule) || !rule_is_tried(rule))
			continue;
		table_cell(&table, COLOUR_WARN, rule->id);
		table_cell(&table, COLOUR_NONE, rule->dir);
		table_cell(&table, COLOUR_NONE, count_text(rule->totals.attempts, text));
		table_cell(&table, COLOUR_NONE, count_text(rule->totals.packets, text));
		table_cell(&table, COLOUR_NONE, age_text(rule->last, now, text));
	}
	table_end(&table);
}

/* Buffer of CLEAN_TEXT bytes; or NULL. */
static const char *advice_text(const struct coverage_view *view, const struct rule_view *rule,
			       char *out)
{
	if (rule->shares_with)
		snprintf(out, CLEAN_TEXT, "shares its traffic with %s", rule->shares_with);
	else if (can_leave_out(view, rule))
		snprintf(out, CLEAN_TEXT, "leave out with without: [%s]", rule->row);
	else
		return NULL;
	return out;
}

static void print_never(const struct render *r, const struct coverage_view *view, uint64_t now)
{
	char text[CLEAN_TEXT];
	struct table table;

	fputc('\n', r->out);
	table_begin(&table, r, never_columns, ARRAY_SIZE(never_columns));
	for (size_t i = 0; i < view->rule_count; i++) {
		const struct rule_view *rule = &view->rules[i];

		if (!rule_is_policys(rule) || rule_is_used(rule))
			continue;
		table_cell(&table, COLOUR_DIM, rule->id);
		table_cell(&table, COLOUR_NONE, rule->dir);
		table_cell(&table, COLOUR_NONE, rule->action);
		table_cell(&table, COLOUR_NONE, age_text(rule->since, now, text));
		table_cell(&table, COLOUR_NONE, advice_text(view, rule, text));
	}
	table_end(&table);
}

static void print_opening(struct table *table, const struct unexplained_view *view, uint64_t now)
{
	const struct tuple *tuple = &view->tuple;
	bool ports = proto_has_ports(tuple->proto);
	char text[CLEAN_TEXT];

	table_cell(table, colour_of_verdict(view->verdict), view->verdict);
	table_cell(table, COLOUR_NONE, view->where ? view->where : view->kind);
	table_cell(table, COLOUR_NONE, dir_name(tuple->dir));
	table_cell(table, COLOUR_NONE, endpoint_text(tuple->peer.b, 0, false, text));
	proto_type_text(tuple->proto, tuple->port, text);
	if (ports)
		snprintf(text + strlen(text), FIGURE_TEXT, "/%u", tuple->port);
	table_cell(table, COLOUR_NONE, text);
	table_cell(table, COLOUR_NONE, count_text(view->packets, text));
	table_cell(table, COLOUR_NONE, bytes_text(view->bytes, text));
	table_cell(table, COLOUR_NONE, age_text(view->last, now, text));
	table_cell(table, COLOUR_NONE, process_text(&view->process, text));
	table_note(table, view->answer ? view->answer->text : view->nearest);
}

static void print_unexplained(const struct render *r, const struct coverage_view *view,
			      uint64_t now)
{
	size_t most = r->wide ? SIZE_MAX : SHOWN_MOST;
	size_t shown = view->unexplained_count < most ? view->unexplained_count : most;
	struct table table;

	fputc('\n', r->out);
	table_begin(&table, r, unexplained_columns, ARRAY_SIZE(unexplained_columns));
	for (size_t i = 0; i < shown; i++)
		print_opening(&table, &view->unexplained[i], now);
	table_end(&table);
	if (shown < view->unexplained_count)
		fprintf(r->out, "… and %zu more; --wide and --json have them all\n",
			view->unexplained_count - shown);
}

static size_t rules_count(const struct coverage_view *view,
			  bool (*counts)(const struct rule_view *))
{
	size_t count = 0;

	for (size_t i = 0; i < view->rule_count; i++)
		count += rule_is_policys(&view->rules[i]) && counts(&view->rules[i]);
	return count;
}

/* When and for how long. */
static void print_window(const struct render *r, const struct coverage_view *view, uint64_t now)
{
	size_t seen = rules_count(view, rule_is_seen);
	size_t all =
		seen + rules_count(view, rule_is_tried) + rules_count(view, rule_is_never_seen);
	char text[TIME_TEXT], age[FIGURE_TEXT], quiet[FIGURE_TEXT];

	fprintf(r->out,
		"  since %.19sZ (%s): %zu of %zu rules seen, %zu unexplained, nothing new for %s",
		time_text(view->since, text), age_text(view->since, now, age), seen, all,
		view->unexplained_count, age_text(view->newest, now, quiet));
}

struct figures {
	const struct coverage_view *view;
	uint64_t now;
};

/* The first line. */
static void print_figures(const struct render *r, const void *context)
{
	const struct figures *figures = context;
	const struct coverage_view *view = figures->view;

	print_clean(r->out, view->policy);
	fprintf(r->out, "  %s", mode_name(view->enforce));
	if (!view->recorded || view->recorded->events)
		print_window(r, view, figures->now);
	fputc('\n', r->out);
	if (view->recorded)
		print_recorded(r->out, view->recorded);
}

static void print_incomplete(FILE *out, const struct coverage_view *view)
{
	if (view->incomplete && !view->recorded)
		fprintf(out,
			"the list of refusals is incomplete (%llu of %llu entries): the rest is counted "
			"by rule alone\n",
			(unsigned long long)view->refusals, (unsigned long long)view->room);
}

static void print_coverage(struct render_stream *s, const struct coverage_view *view)
{
	uint64_t now = view->recorded ? view->recorded->until : s->now;
	FILE *out = s->render.out;

	if (s->items++)
		fputc('\n', out);
	print_folded(&s->render, print_figures, &(struct figures){view, now});
	print_tables(&s->render, view->file);
	if (rules_count(view, rule_is_seen))
		print_seen(&s->render, view, now);
	if (rules_count(view, rule_is_tried))
		print_tried(&s->render, view, now);
	if (rules_count(view, rule_is_never_seen))
		print_never(&s->render, view, now);
	if (view->unexplained_count)
		print_unexplained(&s->render, view, now);
	print_incomplete(out, view);
	print_listening(&s->render, &view->listening);
}

void render_coverage(struct render_stream *s, const struct coverage_view *view,
		     enum source_state source)
{
	if (s->render.json)
		stream_item(s, coverage_json(view, source,
					     view->recorded ? view->recorded->until : s->now));
	else
		print_coverage(s, view);
}
