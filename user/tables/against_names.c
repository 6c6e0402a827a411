/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The DNS names and addresses of a table on a page, and names of the same domains that the table
 * has not. "us-east-2", "${region}", "$activation_region" and "<REGION>" are any text.
 */
#include <ctype.h>
#include <string.h>

#include "against.h"

enum { NAME_LONGEST = 253 };

struct found {
	const char *name; /* as a pattern */
	uint32_t line;	  /* of the page */
	bool link;	  /* of another page: no name of the product, as a rule */
};

struct names {
	struct found *list;
	size_t count, capacity;
};

struct page_change *page_change_add(struct arena *arena, struct page_changes *changes,
				    const char *kind, const char *name, enum table_what what)
{
	struct page_change *change;

	changes->list = arena_grow(arena, changes->list, changes->count, &changes->capacity,
				   sizeof(*changes->list));
	change = &changes->list[changes->count++];
	*change = (struct page_change){.change = {.kind = kind, .name = name, .what = what}};
	return change;
}

/* ---------------------------------------------------------------- names with blanks */

/* Letters of a region of AWS at `text`: "us-gov-west-1". */
static size_t region_length(const char *text)
{
	size_t length = 0, parts = 0, run;

	for (;; length++) {
		for (run = 0; islower((unsigned char)text[length + run]); run++)
			continue;
		if (!run || (!parts && run != 2) || text[length + run] != '-')
			break;
		length += run;
		parts++;
	}
	if (parts < 2 || !isdigit((unsigned char)text[length]) ||
	    isalnum((unsigned char)text[length + 1]))
		return 0;
	return length + 1;
}

static size_t blank_length(const char *text)
{
	static const char pairs[][2] = {{'<', '>'}, {'{', '}'}};
	size_t length = *text == '$';

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		if (text[length] == pairs[i][0] && strchr(text, pairs[i][1]))
			return (size_t)(strchr(text, pairs[i][1]) - text) + 1;
	if (!length)
		return region_length(text);
	while (isalnum((unsigned char)text[length]) || text[length] == '_')
		length++;
	return length;
}

/* As a pattern: '*' for each blank. */
static const char *name_pattern(struct arena *arena, const char *name)
{
	char *out = arena_alloc(arena, strlen(name) + 1), *to = out;
	bool inside = false;
	size_t length;

	for (; *name; name += length) {
		length = inside ? 0 : blank_length(name);
		inside = isalnum((unsigned char)*name);
		if (length) {
			*to++ = '*';
			continue;
		}
		length = 1;
		*to++ = (char)tolower((unsigned char)*name);
	}
	return out;
}

static bool name_fits(const char *pattern, const char *name)
{
	const char *star = NULL, *from = NULL;

	while (*name) {
		if (*pattern == '*') {
			star = pattern++;
			from = name;
		} else if (*pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star + 1;
			name = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

static bool names_same(const char *a, const char *b)
{
	return name_fits(a, b) || name_fits(b, a);
}

/* The last two labels. */
static const char *domain_of(const char *name)
{
	const char *dot = strrchr(name, '.');

	while (dot && dot > name && dot[-1] != '.')
		dot--;
	return dot ?: name;
}

/* ---------------------------------------------------------------- names of the page */

static bool is_of_name(char c)
{
	return c && (isalnum((unsigned char)c) || strchr("-._*${}<>", c));
}

static const char *without_marks(struct arena *arena, const struct source *source)
{
	char *out = arena_alloc(arena, source->size + 1), *to = out;

	for (size_t i = 0; i < source->size; i++) {
		const char *at = source->text + i;
		bool lower = source->size - i >= 4 && !memcmp(at, "&lt;", 4);
		bool higher = source->size - i >= 4 && !memcmp(at, "&gt;", 4);

		if (*at == '\\' || !*at)
			continue;
		*to = *at;
		if (lower || higher) {
			*to = lower ? '<' : '>';
			i += 3;
		}
		to++;
	}
	return out;
}

/* "example.com." ends a sentence, "<code>example.com</code>" has marks around it. */
static const char *name_trim(struct arena *arena, const char *text, size_t length)
{
	const char *mark;
	size_t begin = 0;

	while (length > begin && strchr("-._", text[begin]))
		begin++;
	while ((mark = memchr(text + begin, '>', length - begin)) && text[begin] == '<' &&
	       mark + 1 < text + length && mark[1] != '.' && mark[1] != '-')
		begin = (size_t)(mark - text) + 1;
	while (length > begin && strchr("-._<$", text[length - 1]))
		length--;
	return arena_strndup(arena, text + begin, length - begin);
}

static bool is_wanted(const struct terms *domains, const char *name)
{
	for (size_t i = 0; i < domains->count; i++)
		if (str_equal(domains->list[i], domain_of(name)))
			return true;
	return false;
}

static bool is_link(const char *text, const char *at, size_t length)
{
	return at > text && at[-1] == '/' && at[length] == '/' && at[length + 1] > ' ' &&
	       !strchr("<\")'", at[length + 1]);
}

static void name_read(struct arena *arena, const char *text, const struct terms *domains,
		      struct found *found, struct names *out)
{
	size_t length = strlen(text);

	found->name = name_pattern(arena, name_trim(arena, text, length));
	if (!strchr(found->name, '.') || !is_wanted(domains, found->name))
		return;
	out->list = arena_grow(arena, out->list, out->count, &out->capacity, sizeof(*out->list));
	out->list[out->count++] = *found;
}

static void names_read(struct arena *arena, const char *text, const struct terms *domains,
		       struct names *out)
{
	uint32_t line = 1;
	size_t length;

	for (const char *at = text; *at; at += length ?: 1) {
		for (length = 0; is_of_name(at[length]); length++)
			continue;
		line += *at == '\n';
		if (!length || length > NAME_LONGEST || (at > text && at[-1] == '@'))
			continue;
		name_read(arena, arena_strndup(arena, at, length), domains,
			  &(struct found){.line = line, .link = is_link(text, at, length)}, out);
	}
}

/* ---------------------------------------------------------------- both */

static void list_add(struct arena *arena, const struct word_list *words, struct terms *out)
{
	for (size_t i = 0; i < words->count; i++) {
		out->list = arena_grow(arena, out->list, out->count, &out->capacity,
				       sizeof(*out->list));
		out->list[out->count++] = words->list[i];
	}
}

static bool has_same(const struct terms *patterns, const char *name)
{
	for (size_t i = 0; i < patterns->count; i++)
		if (names_same(patterns->list[i], name))
			return true;
	return false;
}

static void addresses_compare(struct arena *arena, const struct table_view *table, const char *text,
			      struct page_changes *out)
{
	for (size_t i = 0; i < table->role_count; i++)
		for (size_t k = 0; k < table->roles[i].addresses.count; k++) {
			const char *address = table->roles[i].addresses.list[k];

			if (strchr(address, '/') || str_starts(address, "local-subnet") ||
			    strstr(text, address))
				continue;
			page_change_add(arena, out, "name", address, TABLE_GONE);
		}
}

static void new_names(struct arena *arena, const struct names *names, const struct terms *patterns,
		      struct page_changes *out)
{
	struct terms told = {0};

	for (size_t i = 0; i < names->count; i++) {
		const char *name = names->list[i].name;
		struct page_change *change;

		if (names->list[i].link || has_same(patterns, name) || has_same(&told, name))
			continue;
		told.list = arena_grow(arena, told.list, told.count, &told.capacity,
				       sizeof(*told.list));
		told.list[told.count++] = name;
		change = page_change_add(arena, out, "name", name, TABLE_NEW);
		change->page_line = names->list[i].line;
	}
}

static bool page_has(const struct names *names, const char *pattern)
{
	for (size_t i = 0; i < names->count; i++)
		if (names_same(names->list[i].name, pattern))
			return true;
	return false;
}

bool names_compare(struct arena *arena, const struct table_view *table,
		   const struct page_view *page, struct page_changes *out)
{
	const char *text = without_marks(arena, page->source);
	struct terms own = {0}, patterns = {0}, domains = {0};
	struct names names = {0};
	bool seen = false;

	addresses_compare(arena, table, text, out);
	for (size_t i = 0; i < table->role_count; i++)
		list_add(arena, &table->roles[i].names, &own);
	for (size_t i = 0; i < table->row_count; i++)
		list_add(arena, &table->rows[i].names, &own);
	for (size_t i = 0; i < own.count; i++) {
		const char *pattern = name_pattern(arena, own.list[i]);
		const char *domain = domain_of(pattern);

		list_add(arena, &(struct word_list){&pattern, 1}, &patterns);
		if (!strchr(domain, '*'))
			list_add(arena, &(struct word_list){&domain, 1}, &domains);
	}
	names_read(arena, text, &domains, &names);
	for (size_t i = 0; i < own.count; i++)
		seen |= page_has(&names, patterns.list[i]);
	if (!seen)
		return !own.count;
	for (size_t i = 0; i < own.count; i++)
		if (!page_has(&names, patterns.list[i]))
			page_change_add(arena, out, "name", own.list[i], TABLE_GONE);
	new_names(arena, &names, &patterns, out);
	return true;
}
