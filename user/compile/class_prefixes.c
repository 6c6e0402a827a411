/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The addresses of each address class, as prefixes: looked up in the image at every boundary of a
 * rule's prefix, so that the text shows the results that the kernel gets.
 */
#include <stdlib.h>

#include "../../bpf/image.h"
#include "dump.h"

typedef unsigned __int128 number128;

/* One family's address space as numbers; IPv4 as 32-bit ones. */
struct family {
	bool v4;
	uint32_t bits;
	const char *name;
};
static const struct family families[] = {{true, 32, "IPv4"}, {false, 128, "IPv6"}};

struct bounds {
	number128 *list;
	uint32_t count, capacity;
};

static number128 addr_number(const struct family *family, const struct addr *addr)
{
	return family->v4 ? addr_v4(addr) : (number128)addr_high(addr) << 64 | addr_low(addr);
}

static struct addr number_addr(const struct family *family, number128 number)
{
	return family->v4 ? addr_from_v4(number) : addr_from_halves(number >> 64, number);
}

static number128 family_last(const struct family *family)
{
	return family->v4 ? ~0u : ~(number128)0;
}

static number128 host_mask(uint32_t host_bits)
{
	return host_bits >= 128 ? ~(number128)0 : ((number128)1 << host_bits) - 1;
}

static void bound_add(struct bounds *bounds, number128 at)
{
	bounds->list = array_reserve(bounds->list, &bounds->capacity, bounds->count + 1ull,
				     sizeof(*bounds->list));
	bounds->list[bounds->count++] = at;
}

static int bound_order(const void *a, const void *b)
{
	number128 left = *(const number128 *)a, right = *(const number128 *)b;

	return left < right ? -1 : left > right;
}

/* The addresses at which a class can begin: sorted, unique, with 0. */
static void bounds_collect(const struct ruleset *rs, uint8_t dir, const struct family *family,
			   struct bounds *bounds)
{
	uint32_t kept = 1;

	bound_add(bounds, 0);
	for (size_t r = 0; r < rs->rule_count; r++) {
		const struct rule *rule = &rs->rules[r];

		for (size_t i = 0; i < rule->peer_count && rule->dir == dir; i++) {
			const struct prefix *prefix = &rule->peers[i];
			number128 first = addr_number(family, &prefix->addr);
			number128 last = first | host_mask(128 - prefix->length);

			if (prefix_is_v4(prefix) != family->v4)
				continue;
			bound_add(bounds, first);
			if (last != family_last(family))
				bound_add(bounds, last + 1);
		}
	}
	qsort(bounds->list, bounds->count, sizeof(*bounds->list), bound_order);
	for (uint32_t i = 1; i < bounds->count; i++)
		if (bounds->list[i] != bounds->list[kept - 1])
			bounds->list[kept++] = bounds->list[i];
	bounds->count = kept;
}

static uint32_t number_row(const struct image *image, uint8_t dir, const struct family *family,
			   number128 number)
{
	const struct fr_image_dir *d = &image_head(image)->dir[dir];
	struct fr_image_view view = image_view(image);

	if (family->v4)
		return image_row(&view, d->root4, (uint64_t)number << 32, 0);
	return image_row(&view, d->root6, number >> 64, number);
}

/* A range as the fewest prefixes. */
static void range_words(struct arena *arena, const struct family *family, number128 first,
			number128 last, struct phrase *words)
{
	for (;;) {
		uint32_t host = 0;
		struct prefix prefix = {.addr = number_addr(family, first)};
		char text[PREFIX_TEXT];

		while (host < family->bits && !(first & host_mask(host + 1)) &&
		       last - first >= host_mask(host + 1))
			host++;
		prefix.length = 128 - host;
		phrase_add(arena, words, prefix_text(&prefix, text));
		if (last - first == host_mask(host))
			return;
		first += host_mask(host) + 1;
	}
}

static number128 bound_last(const struct family *family, const struct bounds *bounds, uint32_t i)
{
	return i + 1 < bounds->count ? bounds->list[i + 1] - 1 : family_last(family);
}

/* The row that has more than half of the family's addresses, NONE without. */
static uint32_t family_rest(const struct family *family, const struct bounds *bounds,
			    const uint32_t *rows, uint32_t row_count)
{
	number128 *size = array_new(row_count, sizeof(*size)), half = family_last(family) / 2;
	uint32_t rest = NONE;

	for (uint32_t i = 0; i < bounds->count; i++) {
		size[rows[i]] += bound_last(family, bounds, i) - bounds->list[i];
		if (size[rows[i]] > half)
			rest = rows[i];
	}
	free(size);
	return rest;
}

/* The rows that the image gives at every bound. */
static uint32_t *bounds_rows(const struct image *image, uint8_t dir, const struct family *family,
			     const struct bounds *bounds)
{
	uint32_t *rows = array_new(bounds->count, sizeof(*rows));

	for (uint32_t i = 0; i < bounds->count; i++)
		rows[i] = number_row(image, dir, family, bounds->list[i]);
	return rows;
}

static void family_words(struct arena *arena, const struct family *family,
			 const struct bounds *bounds, const uint32_t *rows, struct phrase *words)
{
	uint32_t row_count = 0, rest;

	for (uint32_t i = 0; i < bounds->count; i++)
		row_count = rows[i] >= row_count ? rows[i] + 1 : row_count;
	rest = family_rest(family, bounds, rows, row_count);
	for (uint32_t i = 0, end; i < bounds->count; i = end) {
		for (end = i + 1; end < bounds->count && rows[end] == rows[i]; end++)
			;
		if (rows[i] != rest)
			range_words(arena, family, bounds->list[i],
				    bound_last(family, bounds, end - 1), &words[rows[i]]);
	}
	if (rest != NONE)
		phrase_add(arena, &words[rest],
			   arena_printf(arena, "%s %s", bounds->count > 1 ? "all other" : "all",
					family->name));
}

const char **class_prefixes_text(const struct ruleset *rs, const struct image *image, uint8_t dir,
				 struct arena *arena)
{
	uint32_t row_count = image_conf(image)->rows[dir];
	const char **texts = arena_alloc(arena, row_count * sizeof(*texts));
	struct phrase *words = arena_alloc(arena, row_count * sizeof(*words));

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct bounds bounds = {0};
		uint32_t *rows;

		bounds_collect(rs, dir, &families[i], &bounds);
		rows = bounds_rows(image, dir, &families[i], &bounds);
		family_words(arena, &families[i], &bounds, rows, words);
		free(bounds.list);
		free(rows);
	}
	for (uint32_t i = 0; i < row_count; i++)
		texts[i] = phrase_end(arena, &words[i]);
	return texts;
}
