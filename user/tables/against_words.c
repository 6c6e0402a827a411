/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Services, titles and purposes of a page, beside those of a table.
 */
#include <ctype.h>
#include <string.h>

#include "against.h"

/* ---------------------------------------------------------------- services */

static void facts_put(struct arena *arena, struct facts *facts, const struct service *service)
{
	for (size_t i = 0; i < facts->count; i++)
		if (!memcmp(&facts->list[i], service, sizeof(*service)))
			return;
	facts->list = arena_grow(arena, facts->list, facts->count, &facts->capacity,
				 sizeof(*facts->list));
	facts->list[facts->count++] = *service;
}

void facts_add(struct arena *arena, struct facts *facts, const char *text)
{
	struct service services[2] = {0};
	size_t count = 0;

	if (service_parse(text, services, &count))
		return;
	for (size_t i = 0; i < count; i++)
		facts_put(arena, facts, &services[i]);
}

/* "${ports}/tcp" with each value; without one, nothing. */
static void template_add(struct arena *arena, const struct table_view *table, const char *text,
			 struct facts *out)
{
	const char *begin = strstr(text, "${"), *end = begin ? strchr(begin, '}') : NULL;

	if (!end) {
		facts_add(arena, out, text);
		return;
	}
	for (size_t i = 0; i < table->param_count; i++) {
		const struct param_view *param = &table->params[i];
		const struct word_list *values = &param->initial;
		size_t length = (size_t)(end - begin - 2);

		if (strlen(param->name) != length || memcmp(param->name, begin + 2, length) != 0)
			continue;
		if (str_equal(param->type, "ports") && param->values.count)
			values = &param->values;
		for (size_t k = 0; k < values->count; k++)
			template_add(arena, table,
				     arena_printf(arena, "%.*s%s%s", (int)(begin - text), text,
						  values->list[k], end + 1),
				     out);
	}
}

void facts_of_row(struct arena *arena, const struct table_view *table, const struct row_view *row,
		  struct facts *out)
{
	for (size_t i = 0; i < row->ports.count; i++)
		template_add(arena, table, row->ports.list[i], out);
}

static bool same_protocol(const struct service *a, const struct service *b)
{
	return a->any_proto == b->any_proto && a->proto == b->proto;
}

bool facts_cover(const struct facts *facts, const struct service *service)
{
	uint32_t next = service->first;
	bool found = true;

	while (found && next <= service->last) {
		found = false;
		for (size_t i = 0; i < facts->count; i++) {
			const struct service *one = &facts->list[i];

			if (!same_protocol(one, service) || one->first > next || one->last < next)
				continue;
			next = one->last + 1u;
			found = true;
		}
	}
	return found;
}

bool facts_cover_all(const struct facts *facts, const struct facts *others)
{
	for (size_t i = 0; i < others->count; i++)
		if (!facts_cover(facts, &others->list[i]))
			return false;
	return true;
}

size_t facts_shared(const struct facts *facts, const struct facts *others)
{
	size_t count = 0;

	for (size_t i = 0; i < facts->count; i++)
		for (size_t k = 0; k < others->count; k++) {
			const struct service *a = &facts->list[i], *b = &others->list[k];

			if (!same_protocol(a, b) || a->first > b->last || b->first > a->last)
				continue;
			count++;
			break;
		}
	return count;
}

struct word_list facts_words(struct arena *arena, const struct facts *facts)
{
	const char **list = arena_alloc(arena, (facts->count + 1) * sizeof(*list));
	char text[SERVICE_TEXT];

	for (size_t i = 0; i < facts->count; i++)
		list[i] = arena_strdup(arena, service_text(&facts->list[i], text));
	return (struct word_list){.list = list, .count = facts->count};
}

/* ---------------------------------------------------------------- words */

static const char *term_of(struct arena *arena, const char *text, size_t length)
{
	static const char *const left_out[] = {"a",   "an",  "the", "your", "our",  "of",  "and",
					       "or",  "for", "to",  "in",   "on",   "at",  "with",
					       "its", "it",  "s",   "that", "this", "all", "by"};
	static const char *const alike[][2] = {
		{"mgmt", "management"}, {"mgr", "manager"}, {"svc", "service"}, {"srv", "server"}};
	char *term = arena_strndup(arena, text, length);

	for (size_t i = 0; i < length; i++)
		term[i] = (char)tolower((unsigned char)term[i]);
	for (size_t i = 0; i < ARRAY_SIZE(left_out); i++)
		if (str_equal(term, left_out[i]))
			return NULL;
	if (length > 3 && term[length - 1] == 's' && term[length - 2] != 's')
		term[length - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(alike); i++)
		if (str_equal(term, alike[i][0]))
			return alike[i][1];
	return term;
}

static bool terms_have(const struct terms *terms, const char *term)
{
	for (size_t i = 0; i < terms->count; i++)
		if (str_equal(terms->list[i], term))
			return true;
	return false;
}

static void terms_put(struct arena *arena, struct terms *terms, const char *term)
{
	if (!term || terms_have(terms, term))
		return;
	terms->list = arena_grow(arena, terms->list, terms->count, &terms->capacity,
				 sizeof(*terms->list));
	terms->list[terms->count++] = term;
}

static bool is_of_word(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

static size_t word_length(const char *text)
{
	size_t length = 0;

	while (is_of_word(text[length]))
		length++;
	return length;
}

void terms_add(struct arena *arena, struct terms *terms, const char *text)
{
	size_t length;

	for (; text && *text; text += length ?: 1) {
		length = word_length(text);
		if (length)
			terms_put(arena, terms, term_of(arena, text, length));
	}
}

static bool begin_alike(const char *a, const char *b)
{
	enum { STEM = 5 };

	return str_equal(a, b) || (strlen(a) >= STEM && strlen(b) >= STEM && !strncmp(a, b, STEM));
}

unsigned terms_alike(const struct terms *a, const struct terms *b)
{
	const bool a_is_shorter = a->count < b->count;
	const struct terms *shorter = a_is_shorter ? a : b;
	const struct terms *longer = a_is_shorter ? b : a;
	unsigned found = 0;

	for (size_t i = 0; i < shorter->count; i++)
		for (size_t k = 0; k < longer->count; k++)
			if (begin_alike(shorter->list[i], longer->list[k])) {
				found++;
				break;
			}
	return shorter->count ? found * 100 / (unsigned)shorter->count : 0;
}

/* ---------------------------------------------------------------- roles */

static bool terms_within(const struct terms *terms, const struct terms *others)
{
	for (size_t i = 0; i < terms->count; i++)
		if (!terms_have(others, terms->list[i]))
			return false;
	return terms->count > 0;
}

static bool terms_same(const struct terms *a, const struct terms *b)
{
	return terms_within(a, b) && terms_within(b, a);
}

/* The words before "(KMS)" whose initials it is: their begin, or NULL. */
static const char *initials_of(const char *title, const char *open, size_t length)
{
	const char *at = open;

	for (size_t left = length; left; left--) {
		while (at > title && !is_of_word(at[-1]))
			at--;
		if (at == title)
			return NULL;
		while (at > title && is_of_word(at[-1]))
			at--;
		if (tolower((unsigned char)*at) != tolower((unsigned char)open[left]))
			return NULL;
	}
	return at;
}

/* "Key Management Server (KMS)": the words in full, and with the abbreviation in their place. */
static size_t titles_of(struct arena *arena, const char *title, struct terms out[2])
{
	const char *open = strchr(title, '('), *close = open ? strchr(open, ')') : NULL;
	const char *begin = NULL;
	size_t length = close ? (size_t)(close - open - 1) : 0;

	if (length > 1 && word_length(open + 1) == length)
		begin = initials_of(title, open, length);
	if (!begin) {
		terms_add(arena, &out[0], title);
		return 1;
	}
	terms_add(arena, &out[0], arena_strndup(arena, title, (size_t)(open - title)));
	terms_add(arena, &out[0], close + 1);
	terms_add(arena, &out[1], arena_strndup(arena, title, (size_t)(begin - title)));
	terms_add(arena, &out[1], open);
	return 2;
}

bool *roles_meant(struct arena *arena, const struct table_view *table, const char *title)
{
	bool *within = arena_alloc(arena, table->role_count + 1);
	bool *same = arena_alloc(arena, table->role_count + 1), any_same = false;
	struct terms said[2] = {0};
	size_t count = titles_of(arena, title, said);

	for (size_t i = 0; i < table->role_count; i++) {
		struct terms name = {0}, full[2] = {0}, all = {0};
		size_t ways = titles_of(arena, table->roles[i].title ?: "", full);

		terms_add(arena, &name, table->roles[i].name);
		terms_add(arena, &all, table->roles[i].name);
		terms_add(arena, &all, table->roles[i].title);
		for (size_t k = 0; k < count; k++) {
			within[i] |= terms_within(&said[k], &all);
			same[i] |= terms_same(&said[k], &name);
			for (size_t w = 0; w < ways; w++)
				same[i] |= terms_same(&said[k], &full[w]);
		}
		any_same |= same[i];
	}
	return any_same ? same : within;
}
