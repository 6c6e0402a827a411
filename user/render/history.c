/* SPDX-License-Identifier: GPL-2.0-only */
/* The record of changes: a line of it, and all of it as a table or a document. */
#include <string.h>

#include "table.h"

static json_t *user_json(uint32_t uid)
{
	return uid == UINT32_MAX ? json_null() : json_count(uid);
}

static json_t *change_json(const struct change_view *change)
{
	json_t *item = json_object();

	json_object_set_new(item, "time",
			    change->time ? json_words(change->time) : json_time(change->at));
	json_object_set_new(item, "host", json_words(change->host));
	json_object_set_new(item, "verb", json_words(change->verb));
	json_object_set_new(item, "command", json_words(change->command));
	json_object_set_new(item, "uid", user_json(change->uid));
	json_object_set_new(item, "login_uid", user_json(change->login));
	json_object_set_new(item, "pin_root", json_words(change->pin_root));
	json_object_set_new(item, "policy", json_words(change->policy));
	json_object_set_new(item, "mode_before", json_words(change->mode_before));
	json_object_set_new(item, "mode_after", json_words(change->mode_after));
	json_object_set_new(item, "digest_before", json_words(change->digest_before));
	json_object_set_new(item, "digest_after", json_words(change->digest_after));
	json_object_set_new(item, "generation",
			    change->generation ? json_count(change->generation) : json_null());
	json_object_set_new(item, "outcome", json_words(change->outcome));
	json_object_set_new(item, "reason", json_words(change->reason));
	return item;
}

char *render_change(const struct change_view *change)
{
	struct change_view full = *change;
	json_t *item, *schema = json_object();
	char *text;

	full.host = host_name();
	item = change_json(&full);
	json_object_set_new(schema, "schema",
			    json_sprintf("flowreeve/change/v%d", schema_version("change")));
	json_object_update_new(schema, item);
	text = json_dumps(schema, JSON_COMPACT);
	json_decref(schema);
	if (!text)
		memory_exhausted();
	return text;
}

/* ---------------------------------------------------------------- text */

static const struct column columns[] = {
	{"TIME", .order = 0},
	{"CHANGE", .order = 0},
	{"POLICY", .least = 12},
	{"MODE", .order = 1},
	{"BY", .order = 3},
	{"DIGEST", .order = 4},
	{"OUTCOME", .order = 0},
	{"GENERATION", .order = 5, .right = true, .wide = true},
	{"PIN ROOT", .order = 5, .wide = true},
	{"COMMAND", .order = 2, .least = 20},
};

/* "audit to enforce", or the one word where nothing changed; at most `most` bytes of each. */
static const char *both_text(const char *before, const char *after, int most, char out[CLEAN_TEXT])
{
	before = before ? before : "-";
	after = after ? after : "-";
	if (str_equal(before, after))
		snprintf(out, CLEAN_TEXT, "%.*s", most, after);
	else
		snprintf(out, CLEAN_TEXT, "%.*s to %.*s", most, before, most, after);
	return out;
}

/* The user who logged in, where it is another than the one who ran the command. */
static const char *user_text(const struct change_view *change, char out[CLEAN_TEXT])
{
	if (change->uid == UINT32_MAX)
		return "the kernel";
	snprintf(out, CLEAN_TEXT, "uid %u", change->uid);
	if (change->login != UINT32_MAX && change->login != change->uid)
		snprintf(out, CLEAN_TEXT, "uid %u, login %u", change->uid, change->login);
	return out;
}

static void print_change(struct table *table, const struct change_view *change)
{
	char text[CLEAN_TEXT], number[FIGURE_TEXT];
	bool done = str_equal(change->outcome, "done") || str_equal(change->outcome, "unchanged");

	table_cell(table, COLOUR_NONE, change->time);
	table_cell(table, COLOUR_NONE, change->verb);
	table_cell(table, COLOUR_NONE, change->policy);
	table_cell(table, COLOUR_NONE,
		   both_text(change->mode_before, change->mode_after, 16, text));
	table_cell(table, COLOUR_NONE, user_text(change, text));
	table_cell(table, COLOUR_DIM,
		   both_text(change->digest_before, change->digest_after, 8, text));
	table_cell(table, done ? COLOUR_GOOD : COLOUR_BAD, change->outcome);
	number_append(number, change->generation);
	table_cell(table, COLOUR_NONE, change->generation ? number : NULL);
	table_cell(table, COLOUR_NONE, change->pin_root);
	table_cell(table, COLOUR_DIM, change->command);
	table_note(table, change->reason);
}

static void print_changes(const struct render *r, const struct change_list *changes, size_t first)
{
	struct table table;

	table_begin(&table, r, columns, ARRAY_SIZE(columns));
	for (size_t i = first; i < changes->count; i++)
		print_change(&table, &changes->list[i]);
	table_end(&table);
}

void render_history(const struct render *r, const char *file, const struct change_list *changes,
		    size_t first)
{
	struct render_stream *s;

	if (!r->json && changes->count) {
		print_changes(r, changes, first);
		return;
	}
	if (!r->json) {
		fputs("no change is recorded in ", r->out);
		print_clean(r->out, file);
		fputc('\n', r->out);
		return;
	}
	s = stream_begin(r, "history", "changes");
	for (size_t i = first; i < changes->count; i++)
		stream_item(s, change_json(&changes->list[i]));
	render_end(s);
}
