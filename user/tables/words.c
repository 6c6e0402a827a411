// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists of words, and what a parsed table has by name, with the hint for a name that it has not.
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
	size_t i;

	for (i = 0; i < words->count; i++)
		if (strcmp(words->list[i], word) == 0)
			return true;
	return false;
}

const struct role *role_find(const struct table *table, const char *name)
{
	size_t i;

	for (i = 0; i < table->role_count; i++)
		if (strcmp(table->roles[i].name, name) == 0)
			return &table->roles[i];
	return NULL;
}

const char *hint_roles(struct job *job, const struct table *table, const char *word)
{
	struct words words = {0};
	size_t i;

	for (i = 0; i < table->role_count; i++)
		words_add(job, &words, table->roles[i].name);
	return hint_words(job->d, word, words.list, words.count);
}

const struct param *param_find(const struct table *table, const char *name)
{
	size_t i;

	for (i = 0; i < table->param_count; i++)
		if (strcmp(table->params[i].name, name) == 0)
			return &table->params[i];
	return NULL;
}

const char *hint_params(struct job *job, const struct table *table, const char *word)
{
	struct words words = {0};
	size_t i;

	for (i = 0; i < table->param_count; i++)
		words_add(job, &words, table->params[i].name);
	return hint_words(job->d, word, words.list, words.count);
}
