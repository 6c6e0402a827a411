/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tuples that a deny rule of one image refuses and no deny rule of another image does. Both
 * images are looked up: where a class of addresses or of ports can begin in either of them, one
 * address and one port represent all up to the next. Of all with the same two rows or columns one
 * is looked up.
 */
#include <stdlib.h>

#include "../../bpf/image.h"
#include "compilation.h"

/* Keys of 64 bits at which the result of a look-up can change, not yet sorted. */
struct starts {
	uint64_t *list;
	uint32_t count, capacity;
};

/* A row or column of the old image and of the new one, and an address or a service that has them.
 */
struct pair {
	uint32_t old, new;
	uint64_t high, low; /* of a service: protocol, port */
	bool passed;	    /* of a service: a built-in rule that was off may pass it */
};

struct pairs {
	struct pair *list;
	uint32_t count, capacity;
};

struct image_comparison {
	const struct image *images[2]; /* old, new */
	uint32_t builtins;	       /* FR_F_*, on in the new one alone */
	uint8_t dir;
	bool v4;
	struct pairs rows, columns;
	bool *reported; /* by rule number of the old image */
	denial_visit visit;
	void *context;
};

static void start_add(struct starts *starts, uint64_t key)
{
	starts->list = array_reserve(starts->list, &starts->capacity, starts->count + 1ull,
				     sizeof(*starts->list));
	starts->list[starts->count++] = key;
}

static int start_order(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static int pair_order(const void *a, const void *b)
{
	const struct pair *left = a, *right = b;

	if (left->old != right->old)
		return left->old < right->old ? -1 : 1;
	if (left->new != right->new)
		return left->new < right->new ? -1 : 1;
	return left->passed - right->passed;
}

static void pair_add(struct pairs *pairs, struct pair pair)
{
	const struct pair *last = pairs->count ? &pairs->list[pairs->count - 1] : NULL;

	if (last && !pair_order(last, &pair))
		return;
	pairs->list = array_reserve(pairs->list, &pairs->capacity, pairs->count + 1ull,
				    sizeof(*pairs->list));
	pairs->list[pairs->count++] = pair;
}

static void pairs_unique(struct pairs *pairs)
{
	uint32_t kept = 0;

	if (pairs->count)
		qsort(pairs->list, pairs->count, sizeof(*pairs->list), pair_order);
	for (uint32_t i = 0; i < pairs->count; i++)
		if (!i || pair_order(&pairs->list[kept - 1], &pairs->list[i]))
			pairs->list[kept++] = pairs->list[i];
	pairs->count = kept;
}

/* ---------------------------------------------------------------- addresses */

/* The starts below an entry whose keys begin with `used` bits of `key`. */
static void entry_starts(const struct image *image, uint32_t entry, uint64_t key, uint32_t used,
			 struct starts *starts)
{
	struct fr_image_view view = image_view(image);
	uint32_t stride = FR_TRIE_STRIDE(entry), number = FR_TRIE_NUMBER(entry);
	const struct fr_bucket *bucket;

	start_add(starts, key);
	if (FR_TRIE_KIND(entry) == FR_TRIE_BUCKET) {
		bucket = image_line(&view, number);
		for (int i = 0; bucket && i < FR_BUCKET_KEYS; i++)
			start_add(starts, bucket->key[i]);
	}
	if (FR_TRIE_KIND(entry) != FR_TRIE_NODE || used + stride > 64)
		return;
	for (uint64_t i = 0; i < 1u << stride; i++)
		entry_starts(image, image_word(&view, number, i), key | i << (64 - used - stride),
			     used + stride, starts);
}

static uint32_t root_of(const struct image_comparison *c, const struct image *image)
{
	const struct fr_image_dir *dir = &image_head(image)->dir[c->dir];

	return c->v4 ? dir->root4 : dir->root6;
}

static void high_starts(const struct image_comparison *c, const struct image *image,
			struct starts *starts)
{
	entry_starts(image, root_of(c, image), 0, 0, starts);
}

/* The low halves of IPv6 addresses with this high half at which a row can begin. */
static void low_starts(const struct image_comparison *c, const struct image *image, uint64_t high,
		       struct starts *starts)
{
	struct fr_image_view view = image_view(image);
	uint32_t entry = image_walk(&view, root_of(c, image), high, high);

	if (FR_TRIE_KIND(entry) == FR_TRIE_LOW)
		entry_starts(image, image_word(&view, FR_TRIE_NUMBER(entry), 0), 0, 0, starts);
}

static uint32_t row_at(const struct image_comparison *c, int which, uint64_t high, uint64_t low)
{
	struct fr_image_view view = image_view(c->images[which]);

	return image_row(&view, root_of(c, c->images[which]), high, low);
}

static void rows_at(struct image_comparison *c, uint64_t high, struct starts *lows)
{
	lows->count = 0;
	start_add(lows, 0);
	for (int i = 0; i < 2 && !c->v4; i++)
		low_starts(c, c->images[i], high, lows);
	for (uint32_t i = 0; i < lows->count; i++)
		pair_add(&c->rows, (struct pair){row_at(c, 0, high, lows->list[i]),
						 row_at(c, 1, high, lows->list[i]), high,
						 lows->list[i], false});
}

static void rows_collect(struct image_comparison *c)
{
	struct starts highs = {0}, lows = {0};

	c->rows.count = 0;
	for (int i = 0; i < 2; i++)
		high_starts(c, c->images[i], &highs);
	qsort(highs.list, highs.count, sizeof(*highs.list), start_order);
	for (uint32_t i = 0; i < highs.count; i++)
		if (!i || highs.list[i] != highs.list[i - 1])
			rows_at(c, highs.list[i], &lows);
	pairs_unique(&c->rows);
	free(highs.list);
	free(lows.list);
}

/* ---------------------------------------------------------------- services */

static uint32_t column_at(const struct image_comparison *c, int which, uint8_t proto, uint16_t port)
{
	const struct image *image = c->images[which];
	struct fr_image_view view = image_view(image);

	return image_column(&view, image_head(image)->dir[c->dir].services, proto, port, 0);
}

/* Does the protocol have a table of ports in either image? */
static bool has_ports(const struct image_comparison *c, uint8_t proto)
{
	bool found = false;

	for (int i = 0; i < 2; i++) {
		struct fr_image_view view = image_view(c->images[i]);
		uint32_t services = image_head(c->images[i])->dir[c->dir].services;
		const struct fr_service *line = image_line(&view, services + proto / 8);

		found |= line && line[proto % 8].table;
	}
	return found;
}

static bool type_between(uint16_t port, uint8_t first, uint8_t last)
{
	return port >> 8 >= first && port >> 8 <= last;
}

/* Whether a built-in rule that was off may pass packets of this service: bpf/builtin.h. */
static bool passed_over(const struct image_comparison *c, uint8_t proto, uint16_t port)
{
	static const uint16_t dhcp[][FR_DIRS] = {
		[false] = {[FR_EGRESS] = 547, [FR_INGRESS] = 546},
		[true] = {[FR_EGRESS] = 67, [FR_INGRESS] = 68},
	};

	switch (proto) {
	case PROTO_UDP:
		return c->builtins & FR_F_DHCP && port == dhcp[c->v4][c->dir];
	case PROTO_IGMP:
		return c->builtins & FR_F_MULTICAST && c->v4;
	case PROTO_ICMP:
		return c->builtins & FR_F_ICMP_ERROR &&
		       (type_between(port, 3, 3) || type_between(port, 11, 12));
	case PROTO_ICMP6:
		return (c->builtins & FR_F_NEIGHBOUR && type_between(port, 133, 136)) ||
		       (c->builtins & FR_F_MULTICAST &&
			(type_between(port, 130, 132) || type_between(port, 143, 143))) ||
		       (c->builtins & FR_F_ICMP_ERROR && type_between(port, 1, 4));
	default:
		return false;
	}
}

static bool has_builtin(uint8_t proto)
{
	return proto == PROTO_UDP || proto == PROTO_IGMP || proto == PROTO_ICMP ||
	       proto == PROTO_ICMP6;
}

static void columns_collect(struct image_comparison *c)
{
	c->columns.count = 0;
	for (uint32_t proto = 0; proto < 256; proto++) {
		bool by_port = has_ports(c, proto) || (c->builtins && has_builtin(proto));
		uint32_t ports = by_port ? 65536 : 1;

		for (uint32_t port = 0; port < ports; port++)
			pair_add(&c->columns, (struct pair){column_at(c, 0, proto, port),
							    column_at(c, 1, proto, port), proto,
							    port, passed_over(c, proto, port)});
	}
	pairs_unique(&c->columns);
}

/* ---------------------------------------------------------------- cells */

/* The real decision there, without staged rules. */
static uint32_t cell_at(const struct image_comparison *c, int which, uint32_t row, uint32_t column)
{
	const struct fr_image_head *head = image_head(c->images[which]);
	struct fr_image_view view = image_view(c->images[which]);
	uint32_t cell = image_cell(&view, head, &head->dir[c->dir], row, column);

	return cell & FR_CELL_STAGED ? image_word(&view, head->staged, 2 * FR_CELL_NUMBER(cell))
				     : cell;
}

static struct tuple tuple_of(const struct image_comparison *c, const struct pair *row,
			     const struct pair *column)
{
	return (struct tuple){.dir = c->dir,
			      .proto = column->high,
			      .port = column->low,
			      .peer = c->v4 ? addr_from_v4(row->high >> 32)
					    : addr_from_halves(row->high, row->low)};
}

static bool is_denial(uint32_t cell)
{
	return FR_CELL_ACTION(cell) == FR_DENY && FR_CELL_NUMBER(cell) >= FR_RULE_FIRST;
}

static void cell_compare(struct image_comparison *c, const struct pair *row,
			 const struct pair *column)
{
	uint32_t old = cell_at(c, 0, row->old, column->old), rule = FR_CELL_NUMBER(old);
	struct tuple tuple;

	if (!is_denial(old) || rule >= c->images[0]->rule_count || c->reported[rule])
		return;
	if (is_denial(cell_at(c, 1, row->new, column->new)) && !column->passed)
		return;
	c->reported[rule] = true;
	tuple = tuple_of(c, row, column);
	c->visit(rule, &tuple, c->context);
}

static void family_compare(struct image_comparison *c, bool v4)
{
	c->v4 = v4;
	columns_collect(c);
	rows_collect(c);
	for (uint32_t i = 0; i < c->rows.count; i++)
		for (uint32_t j = 0; j < c->columns.count; j++)
			cell_compare(c, &c->rows.list[i], &c->columns.list[j]);
}

void image_lost_denials(const struct image *old, const struct image *new, denial_visit visit,
			void *context)
{
	struct image_comparison c = {.images = {old, new},
				     .builtins = image_head(new)->flags & ~image_head(old)->flags,
				     .visit = visit,
				     .context = context};

	c.reported = array_new(old->rule_count, sizeof(*c.reported));
	for (uint8_t dir = 0; dir < FR_DIRS; dir++) {
		c.dir = dir;
		family_compare(&c, true);
		family_compare(&c, false);
	}
	free(c.rows.list);
	free(c.columns.list);
	free(c.reported);
}
