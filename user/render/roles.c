/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A table as people read it: its params, its roles with the peers that each needs, and the rows as
 * in the vendor's document. And the differences of two editions.
 */
#include <string.h>

#include "table.h"

enum { CELL_TEXT = CLEAN_TEXT };

/* "a, b, c", cut where the room ends; "" for none. */
static char *list_text(const struct word_list *words, char *out, size_t size)
{
	char clean[CLEAN_TEXT];
	size_t length = 0;

	*out = '\0';
	for (size_t i = 0; i < words->count && length < size; i++)
		length += (size_t)snprintf(out + length, size - length, "%s%s", i ? ", " : "",
					   text_clean(words->list[i], clean, sizeof(clean)));
	return out;
}

static json_t *list_json(const struct word_list *words)
{
	json_t *list = json_array();

	for (size_t i = 0; i < words->count; i++)
		json_array_append_new(list, json_words(words->list[i]));
	return list;
}

/* ---------------------------------------------------------------- text */

static const struct column param_columns[] = {
	{"PARAM", .least = 0},	  {"TYPE", .order = 1},
	{"DEFAULT", .least = 12}, {"VALUES", .order = 2, .least = 12},
	{"MEANING", .least = 24},
};
static const struct column role_columns[] = {
	{"ROLE", .least = 0},
	{"MEANING", .order = 1, .least = 20},
	{"PEERS TO GIVE", .least = 20},
	{"INCLUDES", .order = 2}, /* where a role does */
};
static const struct column row_columns[] = {
	{"ROW", .least = 12},
	{"FROM", .least = 12},
	{"TO", .least = 12},
	{"PORTS", .least = 10},
	{"LINES", .order = 2, .least = 6},
	{"NOTE", .order = 3},
	{"WHEN", .order = 1, .least = 12},
};

static const struct column name_columns[] = {
	{"ROLE", .least = 12},
	{"DNS NAME", .least = 0},
	{"ONLY OF ROW", .order = 1},
};

static void list_cell(struct table *table, const struct word_list *words)
{
	char text[CELL_TEXT];

	table_cell(table, COLOUR_NONE, list_text(words, text, sizeof(text)));
}

static void params_text(const struct render *r, const struct table_view *view)
{
	struct table table;

	table_begin(&table, r, param_columns, ARRAY_SIZE(param_columns));
	for (size_t i = 0; i < view->param_count; i++) {
		const struct param_view *param = &view->params[i];

		table_cell(&table, COLOUR_BOLD, param->name);
		table_cell(&table, COLOUR_NONE, param->type);
		if (param->required)
			table_cell(&table, COLOUR_NONE, "to be set");
		else
			list_cell(&table, &param->initial);
		list_cell(&table, &param->values);
		table_cell(&table, COLOUR_NONE, param->describe);
	}
	table_end(&table);
}

/* The roles for which a player of `played` has to give peers. */
static void needs_text(const struct table_view *view, const struct role_view *played,
		       char out[CELL_TEXT])
{
	static const char *const marks[] = {
		[NEED_OPTIONAL] = " (optional)", [NEED_PERHAPS] = "?", [NEED_ALWAYS] = ""};
	size_t length = 0;

	*out = '\0';
	for (size_t i = 0; i < view->role_count && length < CELL_TEXT; i++) {
		enum need need = role_view_needs(view, played, &view->roles[i]);

		if (need != NEED_NOT)
			length += (size_t)snprintf(out + length, CELL_TEXT - length, "%s%s%s",
						   length ? ", " : "", view->roles[i].name,
						   marks[need]);
	}
}

static void roles_text(const struct render *r, const struct table_view *view)
{
	bool includes = table_has_includes(view);
	struct table table;
	char text[CELL_TEXT];

	table_begin(&table, r, role_columns, ARRAY_SIZE(role_columns) - !includes);
	for (size_t i = 0; i < view->role_count; i++) {
		table_cell(&table, COLOUR_BOLD, view->roles[i].name);
		table_cell(&table, COLOUR_NONE, view->roles[i].title);
		needs_text(view, &view->roles[i], text);
		table_cell(&table, COLOUR_NONE, text);
		if (includes)
			list_cell(&table, &view->roles[i].includes);
	}
	table_end(&table);
	fputs("?: only under conditions, see the rows\n", r->out);
}

static const char *row_mark(const struct row_view *row)
{
	static const char *const answers[FR_ANSWERS_COUNT] = {
		[FR_ANSWERS_PEER] = "answers: peer",
		[FR_ANSWERS_PEER_ANY_PORT] = "answers: peer-any-port",
		[FR_ANSWERS_GROUP] = "answers: group"};

	if (row->optional)
		return "optional";
	return row->internal ? "internal" : answers[row->answers];
}

static void rows_text(const struct render *r, const struct table_view *view)
{
	struct table table;

	table_begin(&table, r, row_columns, ARRAY_SIZE(row_columns));
	for (size_t i = 0; i < view->row_count; i++) {
		const struct row_view *row = &view->rows[i];

		table_cell(&table, COLOUR_BOLD, row->id);
		table_cell(&table, COLOUR_NONE, row->from->name);
		table_cell(&table, COLOUR_NONE, row->to->name);
		list_cell(&table, &row->ports);
		table_cell(&table, COLOUR_NONE, row->lines);
		table_cell(&table, COLOUR_NONE, row_mark(row));
		table_cell(&table, COLOUR_NONE, row->when);
	}
	table_end(&table);
}

/* A line for each, so that a list of them can be cut out. */
static void print_names(struct table *table, const char *role, const struct word_list *names,
			const char *row)
{
	for (size_t i = 0; i < names->count; i++) {
		table_cell(table, COLOUR_BOLD, role);
		table_cell(table, COLOUR_NONE, names->list[i]);
		table_cell(table, COLOUR_NONE, row);
	}
}

static bool has_names(const struct table_view *view)
{
	for (size_t i = 0; i < view->role_count; i++)
		if (view->roles[i].names.count)
			return true;
	for (size_t i = 0; i < view->row_count; i++)
		if (view->rows[i].names.count)
			return true;
	return false;
}

static void names_text(const struct render *r, const struct table_view *view)
{
	struct table table;

	if (!has_names(view))
		return;
	fputc('\n', r->out);
	table_begin(&table, r, name_columns, ARRAY_SIZE(name_columns));
	for (size_t i = 0; i < view->role_count; i++)
		print_names(&table, view->roles[i].name, &view->roles[i].names, NULL);
	for (size_t i = 0; i < view->row_count; i++)
		print_names(&table, view->rows[i].to->name, &view->rows[i].names, view->rows[i].id);
	table_end(&table);
}

static void print_line(const struct render *r, const char *word, const char *text)
{
	if (!text)
		return;
	fprintf(r->out, "\n%s ", word);
	print_clean(r->out, text);
}

/* "edition  2024-09; 2026-11 is newer" */
static void editions_text(const struct render *r, const struct table_view *view)
{
	const char *before = "; ";

	print_line(r, "edition ", view->edition);
	for (size_t i = 0; view->edition && i < view->editions.count; i++) {
		const char *other = view->editions.list[i];

		if (str_equal(other, view->edition))
			continue;
		fputs(before, r->out);
		print_clean(r->out, other);
		fputs(strcmp(other, view->edition) > 0 ? " is newer" : " is older", r->out);
		before = ", ";
	}
}

static void table_text(const struct render *r, const struct table_view *view)
{
	print_clean(r->out, view->name);
	if (view->title)
		fputs(": ", r->out), print_clean(r->out, view->title);
	editions_text(r, view);
	print_line(r, "document", view->document);
	print_line(r, "url     ", view->url);
	print_line(r, "read    ", view->read);
	fputs("\n\n", r->out);
	if (view->param_count) {
		params_text(r, view);
		fputc('\n', r->out);
	}
	roles_text(r, view);
	fputc('\n', r->out);
	rows_text(r, view);
	names_text(r, view);
}

/* ---------------------------------------------------------------- JSON */

static json_t *param_json(const struct param_view *param)
{
	json_t *value = json_object();

	json_object_set_new(value, "name", json_words(param->name));
	json_object_set_new(value, "type", json_words(param->type));
	json_object_set_new(value, "required", json_boolean(param->required));
	json_object_set_new(value, "default", list_json(&param->initial));
	json_object_set_new(value, "values", list_json(&param->values));
	json_object_set_new(value, "describe", json_words(param->describe));
	return value;
}

static json_t *role_json(const struct table_view *view, const struct role_view *role)
{
	static const char *const words[] = {[NEED_OPTIONAL] = "optional",
					    [NEED_PERHAPS] = "conditional",
					    [NEED_ALWAYS] = "always"};
	json_t *value = json_object(), *peers = json_object();

	for (size_t i = 0; i < view->role_count; i++) {
		enum need need = role_view_needs(view, role, &view->roles[i]);

		if (need != NEED_NOT)
			json_object_set_new(peers, view->roles[i].name, json_string(words[need]));
	}
	json_object_set_new(value, "name", json_words(role->name));
	json_object_set_new(value, "title", json_words(role->title));
	json_object_set_new(value, "describe", json_words(role->describe));
	json_object_set_new(value, "names", list_json(&role->names));
	json_object_set_new(value, "addresses", list_json(&role->addresses));
	json_object_set_new(value, "includes", list_json(&role->includes));
	json_object_set_new(value, "peers", peers);
	return value;
}

static json_t *row_json(const struct row_view *row)
{
	json_t *value = json_object();

	json_object_set_new(value, "id", json_words(row->id));
	json_object_set_new(value, "from", json_words(row->from->name));
	json_object_set_new(value, "to", json_words(row->to->name));
	json_object_set_new(value, "ports", list_json(&row->ports));
	json_object_set_new(value, "names", list_json(&row->names));
	json_object_set_new(value, "when", json_words(row->when));
	json_object_set_new(value, "optional", json_boolean(row->optional));
	json_object_set_new(value, "internal", json_boolean(row->internal));
	json_object_set_new(value, "answers", json_string(answers_name(row->answers)));
	json_object_set_new(value, "purpose", json_words(row->purpose));
	json_object_set_new(value, "note", json_words(row->note));
	json_object_set_new(value, "see", json_words(row->see));
	json_object_set_new(value, "lines", json_words(row->lines));
	return value;
}

static void table_json(const struct render *r, const struct table_view *view)
{
	json_t *document = document_new("roles"), *params = json_array(), *roles = json_array();
	json_t *rows = json_array();

	for (size_t i = 0; i < view->param_count; i++)
		json_array_append_new(params, param_json(&view->params[i]));
	for (size_t i = 0; i < view->role_count; i++)
		json_array_append_new(roles, role_json(view, &view->roles[i]));
	for (size_t i = 0; i < view->row_count; i++)
		json_array_append_new(rows, row_json(&view->rows[i]));
	json_object_set_new(document, "table", json_words(view->name));
	json_object_set_new(document, "edition", json_words(view->edition));
	json_set_source(document, view->title, view->document, view->url, view->read);
	json_object_set_new(document, "editions", list_json(&view->editions));
	json_object_set_new(document, "params", params);
	json_object_set_new(document, "roles", roles);
	json_object_set_new(document, "rows", rows);
	document_print(r, document);
}

void render_roles(const struct render *r, const struct table_view *view)
{
	if (r->json)
		table_json(r, view);
	else
		table_text(r, view);
}

/* ---------------------------------------------------------------- two editions */

static const char *const what_words[] = {
	[TABLE_GONE] = "gone", [TABLE_NEW] = "new", [TABLE_CHANGED] = "changed"};

static void print_edition(const struct render *r, const char *mark, const struct table_view *view)
{
	fprintf(r->out, "%s ", mark);
	print_clean(r->out, view->name);
	if (view->edition)
		fputc('@', r->out), print_clean(r->out, view->edition);
	if (view->document)
		fputs("  ", r->out), print_clean(r->out, view->document);
	if (view->read)
		fputs(", read ", r->out), print_clean(r->out, view->read);
	fputc('\n', r->out);
}

/* The words of one side that the other lacks. */
static void print_words(const struct render *r, char sign, const char *key,
			const struct word_list *words, const struct word_list *other)
{
	enum colour hue = sign == '-' ? COLOUR_BAD : COLOUR_GOOD;

	for (size_t i = 0; i < words->count; i++) {
		if (word_list_has(other, words->list[i]))
			continue;
		fprintf(r->out, "%s  %c %s: ", colour_on(r->colour, hue), sign, key);
		print_clean(r->out, words->list[i]);
		fprintf(r->out, "%s\n", colour_off(r->colour, hue));
	}
}

static void print_table_change(const struct render *r, const struct table_change *change)
{
	fprintf(r->out, "%s %s ", what_words[change->what], change->kind);
	print_clean(r->out, change->name);
	fputc('\n', r->out);
	for (size_t i = 0; i < change->field_count; i++) {
		const struct table_field *field = &change->fields[i];

		print_words(r, '-', field->key, &field->before, &field->after);
		print_words(r, '+', field->key, &field->after, &field->before);
	}
}

static json_t *edition_json(const struct table_view *view)
{
	json_t *value = json_object();

	json_object_set_new(value, "table", json_words(view->name));
	json_object_set_new(value, "edition", json_words(view->edition));
	json_set_source(value, view->title, view->document, view->url, view->read);
	return value;
}

static json_t *table_change_json(const struct table_change *change)
{
	json_t *value = json_object(), *fields = json_array();

	json_object_set_new(value, "change", json_string(what_words[change->what]));
	json_object_set_new(value, "kind", json_string(change->kind));
	json_object_set_new(value, "name", json_words(change->name));
	for (size_t i = 0; i < change->field_count; i++) {
		json_t *field = json_object();

		json_object_set_new(field, "field", json_string(change->fields[i].key));
		json_object_set_new(field, "before", list_json(&change->fields[i].before));
		json_object_set_new(field, "after", list_json(&change->fields[i].after));
		json_array_append_new(fields, field);
	}
	json_object_set_new(value, "fields", fields);
	return value;
}

void render_table_diff(const struct render *r, const struct table_diff *diff)
{
	json_t *document, *list;

	if (!r->json && !diff->count)
		return;
	if (!r->json) {
		print_edition(r, "---", diff->before);
		print_edition(r, "+++", diff->after);
		for (size_t i = 0; i < diff->count; i++)
			print_table_change(r, &diff->list[i]);
		return;
	}
	document = document_new("table-diff");
	list = json_array();
	for (size_t i = 0; i < diff->count; i++)
		json_array_append_new(list, table_change_json(&diff->list[i]));
	json_object_set_new(document, "before", edition_json(diff->before));
	json_object_set_new(document, "after", edition_json(diff->after));
	json_object_set_new(document, "changes", list);
	document_print(r, document);
}

/* ---------------------------------------------------------------- a page and a table */

static void print_place(const struct render *r, const char *what, uint32_t line, const char *text)
{
	if (!line)
		return;
	fprintf(r->out, "    %s line %u%s", what, line, text ? ": " : "");
	if (text)
		print_clean(r->out, text);
	fputc('\n', r->out);
}

static void print_places(const struct render *r, const struct page_change *change)
{
	print_place(r, "table", change->table_line, change->table_text);
	print_place(r, "page", change->page_line, change->page_text);
}

static void print_page_change(const struct render *r, const struct page_change *change)
{
	print_table_change(r, &change->change);
	print_places(r, change);
}

static void page_diff_text(const struct render *r, const struct page_diff *diff)
{
	if (diff->count) {
		print_edition(r, "---", diff->table);
		fputs("+++ ", r->out), print_clean(r->out, diff->page->name), fputc('\n', r->out);
	}
	for (size_t i = 0; i < diff->count; i++)
		print_page_change(r, &diff->list[i]);
	if (diff->in_text_count)
		fputs("not in rows of the page, to be read by a person:\n", r->out);
	for (size_t i = 0; i < diff->in_text_count; i++) {
		fputs("  row ", r->out), print_clean(r->out, diff->in_text[i].change.name);
		fputc('\n', r->out);
		print_places(r, &diff->in_text[i]);
	}
	if (!diff->names_seen)
		fputs("the page has none of the table's DNS names\n", r->out);
	fprintf(r->out,
		"%zu of %zu rows of the table are on the page as they are, %zu differences\n",
		diff->same, diff->table->row_count, diff->count);
}

static json_t *page_change_json(const struct page_change *change)
{
	json_t *value = table_change_json(&change->change), *table = json_null(),
	       *page = json_null();

	if (change->table_line) {
		table = json_object();
		json_object_set_new(table, "line", json_integer(change->table_line));
		json_object_set_new(table, "text", json_words(change->table_text));
	}
	if (change->page_line) {
		page = json_object();
		json_object_set_new(page, "line", json_integer(change->page_line));
		json_object_set_new(page, "text", json_words(change->page_text));
	}
	json_object_set_new(value, "table", table);
	json_object_set_new(value, "page", page);
	return value;
}

static json_t *page_changes_json(const struct page_change *list, size_t count)
{
	json_t *value = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(value, page_change_json(&list[i]));
	return value;
}

void render_page_diff(const struct render *r, const struct page_diff *diff)
{
	json_t *document;

	if (!r->json) {
		page_diff_text(r, diff);
		return;
	}
	document = document_new("page-diff");
	json_object_set_new(document, "table", edition_json(diff->table));
	json_object_set_new(document, "file", json_words(diff->table->path));
	json_object_set_new(document, "page", json_words(diff->page->name));
	json_object_set_new(document, "rows", json_integer((json_int_t)diff->table->row_count));
	json_object_set_new(document, "same", json_integer((json_int_t)diff->same));
	json_object_set_new(document, "names_seen", json_boolean(diff->names_seen));
	json_object_set_new(document, "changes", page_changes_json(diff->list, diff->count));
	json_object_set_new(document, "in_text",
			    page_changes_json(diff->in_text, diff->in_text_count));
	document_print(r, document);
}
