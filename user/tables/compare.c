/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two editions of a table, part by part: the rows, roles and params that are gone, new or changed.
 * Texts for people (purpose, note, describe) are no difference.
 */
#include <string.h>

#include "table.h"

enum { FIELDS = 9 };

struct part {
	const char *kind, *name;
	struct table_field fields[FIELDS];
	size_t count;
};

struct parts {
	struct part *list;
	size_t count;
};

struct comparing {
	struct arena *arena;
	struct table_diff *out;
	size_t capacity;
};

/* ---------------------------------------------------------------- parts as words */

static struct word_list word_of(struct arena *arena, const char *text)
{
	const char **list = arena_alloc(arena, sizeof(*list));

	*list = text;
	return (struct word_list){.list = list, .count = text != NULL};
}

static void field_add(struct part *part, const char *key, struct word_list words)
{
	part->fields[part->count++] = (struct table_field){.key = key, .after = words};
}

static void row_part(struct arena *arena, const struct row_view *row, struct part *out)
{
	static const char *const answers[FR_ANSWERS_COUNT] = {[FR_ANSWERS_PEER] = "peer",
							      [FR_ANSWERS_PEER_ANY_PORT] =
								      "peer-any-port",
							      [FR_ANSWERS_GROUP] = "group"};

	out->kind = "row";
	out->name = row->id;
	field_add(out, "from", word_of(arena, row->from->name));
	field_add(out, "to", word_of(arena, row->to->name));
	field_add(out, "ports", row->ports);
	field_add(out, "names", row->names);
	field_add(out, "when", word_of(arena, row->when));
	field_add(out, "optional", word_of(arena, row->optional ? "true" : NULL));
	field_add(out, "internal", word_of(arena, row->internal ? "true" : NULL));
	field_add(out, "answers", word_of(arena, answers[row->answers]));
	field_add(out, "see", word_of(arena, row->see));
}

static void role_part(const struct role_view *role, struct part *out)
{
	out->kind = "role";
	out->name = role->name;
	field_add(out, "names", role->names);
	field_add(out, "addresses", role->addresses);
	field_add(out, "includes", role->includes);
}

static void param_part(struct arena *arena, const struct param_view *param, struct part *out)
{
	out->kind = "param";
	out->name = param->name;
	field_add(out, "type", word_of(arena, param->type));
	field_add(out, "required", word_of(arena, param->required ? "true" : NULL));
	field_add(out, "values", param->values);
	field_add(out, "default", param->initial);
}

static struct parts parts_of(struct arena *arena, const struct table_view *view)
{
	size_t count = view->row_count + view->role_count + view->param_count;
	struct parts parts = {.list = arena_alloc(arena, (count + 1) * sizeof(*parts.list))};

	for (size_t i = 0; i < view->row_count; i++)
		row_part(arena, &view->rows[i], &parts.list[parts.count++]);
	for (size_t i = 0; i < view->role_count; i++)
		role_part(&view->roles[i], &parts.list[parts.count++]);
	for (size_t i = 0; i < view->param_count; i++)
		param_part(arena, &view->params[i], &parts.list[parts.count++]);
	return parts;
}

static const struct part *part_find(const struct parts *parts, const struct part *like)
{
	for (size_t i = 0; i < parts->count; i++)
		if (str_equal(parts->list[i].kind, like->kind) &&
		    str_equal(parts->list[i].name, like->name))
			return &parts->list[i];
	return NULL;
}

/* ---------------------------------------------------------------- differences */

bool word_list_has(const struct word_list *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++)
		if (str_equal(words->list[i], word))
			return true;
	return false;
}

static bool lists_differ(const struct word_list *a, const struct word_list *b)
{
	if (a->count != b->count)
		return true;
	for (size_t i = 0; i < a->count; i++)
		if (!word_list_has(b, a->list[i]))
			return true;
	return false;
}

/* `before` or `after` NULL: the table of that side lacks the part. */
static void change_add(struct comparing *c, const struct part *before, const struct part *after)
{
	const struct part *part = after ? after : before;
	struct table_change change = {
		.kind = part->kind, .name = part->name, .what = !before ? TABLE_NEW : TABLE_GONE};

	if (before && after)
		change.what = TABLE_CHANGED;
	change.fields = arena_alloc(c->arena, part->count * sizeof(*change.fields));
	for (size_t i = 0; i < part->count; i++) {
		struct table_field field = {.key = part->fields[i].key};

		if (before)
			field.before = before->fields[i].after;
		if (after)
			field.after = after->fields[i].after;
		if (lists_differ(&field.before, &field.after))
			change.fields[change.field_count++] = field;
	}
	if (change.what == TABLE_CHANGED && !change.field_count)
		return;
	c->out->list = arena_grow(c->arena, c->out->list, c->out->count, &c->capacity,
				  sizeof(*c->out->list));
	c->out->list[c->out->count++] = change;
}

void tables_compare(const struct table_view *before, const struct table_view *after,
		    struct arena *arena, struct table_diff *out)
{
	struct comparing c = {.arena = arena, .out = out};
	struct parts old = parts_of(arena, before), new = parts_of(arena, after);

	*out = (struct table_diff){.before = before, .after = after};
	for (size_t i = 0; i < old.count; i++)
		change_add(&c, &old.list[i], part_find(&new, &old.list[i]));
	for (size_t i = 0; i < new.count; i++)
		if (!part_find(&old, &new.list[i]))
			change_add(&c, NULL, &new.list[i]);
}
