/* SPDX-License-Identifier: GPL-2.0-only */
/* Gathers connections that share direction, port, peer, process and outcome into lines. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* The lengths of networks, of IPv4 within ::ffff:0:0/96. */
static const uint8_t lengths4[] = {128, 120, 112, 96}, lengths6[] = {128, 64, 48, 0};
enum { WIDEST = ARRAY_SIZE(lengths4) - 1 };

static struct prefix network_of(const struct addr *peer, unsigned width)
{
	return prefix_masked(peer, addr_is_v4(peer) ? lengths4[width] : lengths6[width]);
}

static bool same_line(const struct preview_line *a, const struct preview_line *b)
{
	return a->outcome == b->outcome && a->kind == b->kind && a->rule == b->rule &&
	       a->reason == b->reason && a->tuple.dir == b->tuple.dir &&
	       a->tuple.proto == b->tuple.proto && a->tuple.port == b->tuple.port &&
	       a->peer.length == b->peer.length && addr_equal(&a->peer.addr, &b->peer.addr) &&
	       str_equal(a->process, b->process) && (!a->where == !b->where) &&
	       (!a->where || str_equal(a->where, b->where));
}

static uint64_t mix(uint64_t hash, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * 1099511628211u;
	return hash;
}

static size_t line_hash(const struct preview_line *line)
{
	uint64_t hash = 14695981039346656037u;

	hash = mix(hash, &line->peer.addr, sizeof(line->peer.addr));
	hash = mix(hash, &line->tuple.port, sizeof(line->tuple.port));
	hash = mix(hash, &line->rule, sizeof(line->rule));
	hash = mix(hash, line->process, strlen(line->process));
	hash = (hash ^ (line->tuple.proto << 1 | line->tuple.dir)) * 1099511628211u;
	return hash ^ hash >> 32;
}

/* The bucket of the line, or a free one for it. */
static uint32_t *bucket_of(const struct preview_set *set, const struct preview_line *line)
{
	size_t mask = set->bucket_count - 1, at = line_hash(line) & mask;

	while (set->buckets[at] && !same_line(&set->list[set->buckets[at] - 1], line))
		at = (at + 1) & mask;
	return &set->buckets[at];
}

static void make_room(struct preview_set *set)
{
	if (set->bucket_count > 2 * set->count)
		return;
	set->bucket_count = set->bucket_count ? 2 * set->bucket_count : 256;
	set->buckets = arena_alloc(set->arena, set->bucket_count * sizeof(*set->buckets));
	for (size_t i = 0; i < set->count; i++)
		*bucket_of(set, &set->list[i]) = (uint32_t)i + 1;
}

static void add(struct preview_set *set, const struct preview_line *line)
{
	struct preview_line new = *line;
	uint32_t *bucket;

	make_room(set);
	new.peer = network_of(&line->tuple.peer, set->width);
	bucket = bucket_of(set, &new);
	if (*bucket) {
		set->list[*bucket - 1].count += line->count;
		return;
	}
	new.where = line->where ? arena_strdup(set->arena, line->where) : NULL;
	set->list =
		arena_grow(set->arena, set->list, set->count, &set->capacity, sizeof(*set->list));
	set->list[set->count++] = new;
	*bucket = (uint32_t)set->count;
}

/* The lists so far are given up: the memory of all of them is bounded. */
static void widen(struct preview_set *set)
{
	struct preview_line *old = set->list;
	size_t count = set->count;

	set->width++;
	set->list = NULL;
	set->count = set->capacity = 0;
	memset(set->buckets, 0, set->bucket_count * sizeof(*set->buckets));
	for (size_t i = 0; i < count; i++)
		add(set, &old[i]);
}

void preview_add(struct preview_set *set, const struct preview_line *line)
{
	struct preview_line one = *line;

	one.count = 1;
	add(set, &one);
	while (set->count > PREVIEW_LINES_MOST && set->width < WIDEST)
		widen(set);
}

static int by_outcome(const void *a, const void *b)
{
	const struct preview_line *x = a, *y = b;

	if (x->outcome != y->outcome)
		return x->outcome > y->outcome ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	if (x->tuple.port != y->tuple.port)
		return x->tuple.port < y->tuple.port ? -1 : 1;
	return memcmp(&x->peer.addr, &y->peer.addr, sizeof(x->peer.addr));
}

void preview_sort(struct preview_set *set)
{
	if (set->count)
		qsort(set->list, set->count, sizeof(*set->list), by_outcome);
}
