/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The current editions against tests/facts/current.json, this project's record of the vendors'
 * pages of today, in both directions: each fact has its rows, conditions, names and notes, and each
 * row its fact.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include "../../user/yaml/yaml.h"

struct edition {
	struct arena *arena;
	const char *name;
	const struct node *root;
};

static const char *text_of(const struct node *map, const char *key)
{
	const struct node *node = map ? map_get(map, key) : NULL;

	return node ? node->text : NULL;
}

static const struct node *row_of(const struct edition *e, const char *id)
{
	const struct node *row;

	for_children(row,
		     map_get(e->root, "rows")) if (str_equal(text_of(row, "id"), id)) return row;
	return NULL;
}

static bool has_word(const struct node *list, const char *word)
{
	const struct node *item;

	if (list)
		for_items(item, list) if (str_equal(item->text, word)) return true;
	return false;
}

static size_t items_of(const struct node *list)
{
	const struct node *item;
	size_t count = 0;

	if (list)
		for_items(item, list) count++;
	return count;
}

static const char *word_at(const json_t *list, size_t i)
{
	return json_string_value(json_array_get(list, i));
}

/* "id from to ports…" */
static void expect_row(const struct edition *e, const char *text)
{
	char *words = arena_strdup(e->arena, text), *save;
	const char *id = strtok_r(words, " ", &save), *word;
	const struct node *row = row_of(e, id);
	size_t ports = 0;

	cr_assert(row, "%s has no row %s", e->name, id);
	cr_expect_str_eq(text_of(row, "from"), strtok_r(NULL, " ", &save), "%s", text);
	cr_expect_str_eq(text_of(row, "to"), strtok_r(NULL, " ", &save), "%s", text);
	for (word = strtok_r(NULL, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		cr_expect(has_word(map_get(row, "ports"), word), "%s: %s", e->name, text);
		ports++;
	}
	cr_expect_eq(ports, items_of(map_get(row, "ports")), "%s: %s", e->name, text);
}

/* A list and the words of a fact from the third on are the same. */
static void expect_words(const struct edition *e, const struct node *list, const json_t *fact)
{
	cr_expect_eq(items_of(list), json_array_size(fact) - 2, "%s: %s", e->name,
		     word_at(fact, 0));
	for (size_t i = 2; i < json_array_size(fact); i++)
		cr_expect(has_word(list, word_at(fact, i)), "%s: %s has no %s", e->name,
			  word_at(fact, 0), word_at(fact, i));
}

static void expect_fact(const struct edition *e, const json_t *fact)
{
	json_t *item;
	size_t i;

	json_array_foreach (json_object_get(fact, "rows"), i, item)
		expect_row(e, json_string_value(item));
	json_array_foreach (json_object_get(fact, "notes"), i, item) {
		const char *note = text_of(row_of(e, word_at(item, 0)), "note");

		cr_expect(note && strstr(note, word_at(item, 1)), "%s: note of %s", e->name,
			  word_at(item, 0));
	}
	json_array_foreach (json_object_get(fact, "when"), i, item) {
		const struct node *when = map_get(row_of(e, word_at(item, 0)), "when");

		cr_assert(when, "%s: %s has no condition", e->name, word_at(item, 0));
		expect_words(e, map_get(when, word_at(item, 1)), item);
	}
	json_array_foreach (json_object_get(fact, "roles"), i, item) {
		const struct node *role = map_get(map_get(e->root, "roles"), word_at(item, 0));

		cr_assert(role, "%s: %s", e->name, word_at(item, 0));
		expect_words(e, map_get(role, word_at(item, 1)), item);
	}
}

static size_t facts_of(const json_t *facts, const char *row)
{
	json_t *fact, *text;
	size_t i, k, count = 0, length = strlen(row);

	json_array_foreach (facts, i, fact)
		json_array_foreach (json_object_get(fact, "rows"), k, text)
			count += str_starts(json_string_value(text), row) &&
				 json_string_value(text)[length] == ' ';
	return count;
}

static void expect_table(const json_t *table)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct diags diags = {.arena = arena};
	struct edition e = {.arena = arena,
			    .name = json_string_value(json_object_get(table, "table"))};
	json_t *facts = json_object_get(table, "facts"), *fact;
	const struct node *row;
	struct node *root;
	size_t i;

	cr_assert_eq(
		doc_load(arena_printf(arena, "policies/tables/%s.yaml", e.name), &diags, &root), 0);
	e.root = root;
	json_array_foreach (facts, i, fact)
		expect_fact(&e, fact);
	for_children(row, map_get(root, "rows")) cr_expect_eq(
		facts_of(facts, text_of(row, "id")), 1, "%s: %s", e.name, text_of(row, "id"));
}

Test(tables_current, each_fact_has_its_rows_and_each_row_its_fact)
{
	json_error_t error;
	json_t *tables = json_load_file("tests/facts/current.json", 0, &error), *table;
	size_t i;

	cr_assert(tables, "%s", error.text);
	cr_expect_eq(json_array_size(tables), 5);
	json_array_foreach (tables, i, table)
		expect_table(table);
	json_decref(tables);
}
