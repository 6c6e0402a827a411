/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Texts, lists of words, and the named parts of a parsed table, with the hint for an unknown name.
 */
#include <string.h>

#include "table.h"

void words_add(struct job *job, struct words *words, const char *word)
{
	words->list = arena_grow(job->arena, words->list, words->count, &words->capacity,
				 sizeof(*words->list));
	words->list[words->count++] = word;
}

bool words_have(const struct words *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++)
		if (str_equal(words->list[i], word))
			return true;
	return false;
}

const char *words_text(struct arena *arena, const struct words *words)
{
	const char *text = NULL;

	for (size_t i = 0; i < words->count; i++)
		text = str_list_append(arena, text, words->list[i]);
	return text ? text : "";
}

const char *text_get(struct job *job, const struct node *map, const char *key)
{
	const struct node *node = map_get(map, key);

	return node ? want_text(job->d, node, arena_printf(job->arena, "'%s'", key)) : NULL;
}

/* An array of structs that begin with their name. */
struct named {
	const void *list;
	size_t count, stride;
};

static const char *name_at(const struct named *named, size_t i)
{
	return *(const char *const *)((const char *)named->list + i * named->stride);
}

static const void *named_find(struct named named, const char *name)
{
	for (size_t i = 0; i < named.count; i++)
		if (str_equal(name_at(&named, i), name))
			return (const char *)named.list + i * named.stride;
	return NULL;
}

static const char *named_hint(struct job *job, struct named named, const char *word)
{
	struct words words = {0};

	for (size_t i = 0; i < named.count; i++)
		words_add(job, &words, name_at(&named, i));
	return hint_words(job->d, word, words.list, words.count);
}

static struct named roles_of(const struct table *table)
{
	return (struct named){table->roles, table->role_count, sizeof(*table->roles)};
}

static struct named params_of(const struct table *table)
{
	return (struct named){table->params, table->param_count, sizeof(*table->params)};
}

static struct named rows_of(const struct table *table)
{
	return (struct named){table->rows, table->row_count, sizeof(*table->rows)};
}

_Static_assert(!offsetof(struct role, name) && !offsetof(struct param, name) &&
		       !offsetof(struct row, id),
	       "name_at() reads the first member");

const struct role *role_find(const struct table *table, const char *name)
{
	return named_find(roles_of(table), name);
}

const char *hint_roles(struct job *job, const struct table *table, const char *word)
{
	return named_hint(job, roles_of(table), word);
}

const struct param *param_find(const struct table *table, const char *name)
{
	return named_find(params_of(table), name);
}

const char *hint_params(struct job *job, const struct table *table, const char *word)
{
	return named_hint(job, params_of(table), word);
}

const struct row *row_find(const struct table *table, const char *id)
{
	return named_find(rows_of(table), id);
}

const char *hint_rows(struct job *job, const struct table *table, const char *word)
{
	return named_hint(job, rows_of(table), word);
}
