/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules of the running policy with their counters: which row of the vendor's table is used,
 * and which never.
 */
#include "table.h"

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
