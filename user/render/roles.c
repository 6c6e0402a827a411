/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A table as people read it: its params, its roles with the peers that each needs, and the rows as
 * in the vendor's document.
 */
#include <string.h>

#include "print.h"

enum { CELL_TEXT = 256, CELL_SHOWN = 40 };

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

/* A table whose columns are as wide as their cells: filled first, printed then. */
struct grid {
	struct column columns[8];
	size_t width, count; /* columns; cells so far */
	char (*cells)[CELL_TEXT];
};

static void grid_add(struct grid *grid, const char *text)
{
	struct column *column = &grid->columns[grid->count % grid->width];
	char *cell = grid->cells[grid->count++];
	size_t width;

	text_clean(text ? text : "", cell, CELL_TEXT);
	width = text_width(cell);
	if (width > CELL_SHOWN)
		width = CELL_SHOWN;
	if (column->width && width > column->width)
		column->width = width;
}

static void grid_put(const struct render *r, struct grid *grid)
{
	struct table table = {
		.out = r->out, .colour = r->colour, .columns = grid->columns, .count = grid->width};

	table_head(&table);
	for (size_t i = 0; i < grid->count; i++)
		table_cell(&table, i % grid->width ? COLOUR_NONE : COLOUR_BOLD, grid->cells[i]);
	grid->count = 0;
}

static void params_text(const struct render *r, const struct table_view *view, struct grid *grid)
{
	char text[CELL_TEXT];

	*grid = (struct grid){.columns = {{"PARAM", 5, false},
					  {"TYPE", 4, false},
					  {"DEFAULT", 7, false},
					  {"VALUES", 6, false},
					  {"MEANING", 0, false}},
			      .width = 5,
			      .cells = grid->cells};
	for (size_t i = 0; i < view->param_count; i++) {
		const struct param_view *param = &view->params[i];

		grid_add(grid, param->name);
		grid_add(grid, param->type);
		grid_add(grid, param->required ? "to be set"
					       : list_text(&param->initial, text, sizeof(text)));
		grid_add(grid, list_text(&param->values, text, sizeof(text)));
		grid_add(grid, param->describe);
	}
	grid_put(r, grid);
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

static void roles_text(const struct render *r, const struct table_view *view, struct grid *grid)
{
	char text[CELL_TEXT];

	*grid = (struct grid){
		.columns = {{"ROLE", 4, false}, {"WHO", 3, false}, {"PEERS TO GIVE", 0, false}},
		.width = 3,
		.cells = grid->cells};
	for (size_t i = 0; i < view->role_count; i++) {
		grid_add(grid, view->roles[i].name);
		grid_add(grid, view->roles[i].title);
		needs_text(view, &view->roles[i], text);
		grid_add(grid, text);
	}
	grid_put(r, grid);
	fputs("?: only under conditions, see the rows\n", r->out);
}

static const char *standing_text(const struct row_view *row)
{
	if (row->optional)
		return "optional";
	return row->internal ? "internal" : "";
}

static void rows_text(const struct render *r, const struct table_view *view, struct grid *grid)
{
	char text[CELL_TEXT];

	*grid = (struct grid){.columns = {{"ROW", 3, false},
					  {"FROM", 4, false},
					  {"TO", 2, false},
					  {"PORTS", 5, false},
					  {"LINES", 5, false},
					  {"", 8, false},
					  {"WHEN", 0, false}},
			      .width = 7,
			      .cells = grid->cells};
	for (size_t i = 0; i < view->row_count; i++) {
		const struct row_view *row = &view->rows[i];

		grid_add(grid, row->id);
		grid_add(grid, row->from->name);
		grid_add(grid, row->to->name);
		grid_add(grid, list_text(&row->ports, text, sizeof(text)));
		grid_add(grid, row->lines);
		grid_add(grid, standing_text(row));
		grid_add(grid, row->when);
	}
	grid_put(r, grid);
}

static void table_text(const struct render *r, const struct table_view *view,
		       char (*cells)[CELL_TEXT])
{
	struct grid grid = {.cells = cells};

	print_clean(r->out, view->name);
	if (view->title)
		fputs(": ", r->out), print_clean(r->out, view->title);
	if (view->document)
		fputs("\ndocument ", r->out), print_clean(r->out, view->document);
	fputs("\n\n", r->out);
	if (view->param_count) {
		params_text(r, view, &grid);
		fputc('\n', r->out);
	}
	roles_text(r, view, &grid);
	fputc('\n', r->out);
	rows_text(r, view, &grid);
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
	json_object_set_new(value, "when", json_words(row->when));
	json_object_set_new(value, "optional", json_boolean(row->optional));
	json_object_set_new(value, "internal", json_boolean(row->internal));
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
	json_object_set_new(document, "title", json_words(view->title));
	json_object_set_new(document, "document", json_words(view->document));
	json_object_set_new(document, "params", params);
	json_object_set_new(document, "roles", roles);
	json_object_set_new(document, "rows", rows);
	document_print(r, document);
}

void render_roles(const struct render *r, const struct table_view *view, struct arena *arena)
{
	size_t most = view->row_count * 7 + view->role_count * 3 + view->param_count * 5;

	if (r->json)
		table_json(r, view);
	else
		table_text(r, view, arena_alloc(arena, most * CELL_TEXT));
}
