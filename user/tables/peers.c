/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Peers: addresses, prefixes, named sets, `any`, `local-subnet` of both families or of one. A
 * possible DNS name and a mistyped address get different errors.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

static int prefix_order(const void *a, const void *b)
{
	const struct prefix *p = a, *q = b;
	/* IPv4 is amid IPv6's numbers: keep the families apart, so that a covering prefix comes
	 * right before. */
	int order = prefix_is_v4(q) - prefix_is_v4(p);

	if (!order)
		order = memcmp(p->addr.b, q->addr.b, sizeof(p->addr.b));
	return order ? order : p->length - q->length;
}

/* Both halves of one prefix. */
static bool are_halves(const struct prefix *a, const struct prefix *b, struct prefix *out)
{
	struct prefix wide = *a;
	unsigned bit;

	if (a->length != b->length || a->length == 0 || a->length == 96)
		return false;
	bit = a->length - 1u;
	if (a->addr.b[bit / 8] & (0x80 >> bit % 8))
		return false;
	wide.length--;
	if (!prefix_covers(&wide, b))
		return false;
	*out = wide;
	return true;
}

size_t prefixes_normalise(struct prefix *list, size_t count, bool merge)
{
	size_t kept = 0;

	if (count > 1)
		qsort(list, count, sizeof(*list), prefix_order);
	for (size_t i = 0; i < count; i++) {
		if (kept && prefix_covers(&list[kept - 1], &list[i]))
			continue;
		list[kept++] = list[i];
		while (merge && kept > 1 &&
		       are_halves(&list[kept - 2], &list[kept - 1], &list[kept - 2]))
			kept--;
	}
	return kept;
}

struct peer_collector {
	struct job *job;
	struct prefix_sets *sets;
	struct prefix_set *only; /* a single set, shared rather than copied */
	size_t capacity, items;
	struct peers peers;
};

static void gather_prefix(struct peer_collector *g, const struct prefix *prefix)
{
	struct peers *peers = &g->peers;

	peers->list = arena_grow(g->job->arena, peers->list, peers->count, &g->capacity,
				 sizeof(*peers->list));
	peers->list[peers->count++] = *prefix;
}

static void gather_list(struct peer_collector *g, const struct prefix *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		gather_prefix(g, &list[i]);
}

static const char *hint_sets(struct peer_collector *g, const char *name)
{
	struct words words = {0};

	for (size_t i = 0; i < g->sets->count; i++)
		words_add(g->job, &words,
			  arena_printf(g->job->arena, "prefixes/%s", g->sets->list[i].name));
	if (words.count == 0) {
		name = name_is_kebab(name) ? name : "my-set";
		return arena_printf(g->job->arena,
				    "declare it: prefixes: {%s: {file: %s.txt, format: list}}",
				    name, name);
	}
	return hint_words(g->job->d, arena_printf(g->job->arena, "prefixes/%s", name), words.list,
			  words.count);
}

static bool gather_set(struct peer_collector *g, const struct node *node, const char *name)
{
	struct prefix_set *set = (struct prefix_set *)index_get(&g->sets->by_name, name);

	if (!set) {
		diag_error(g->job->d, node->loc, -EINVAL, "unknown-prefixes", hint_sets(g, name),
			   "there is no prefix set '%.80s'", name);
		return false;
	}
	set->used = true;
	if (g->items == 1)
		g->only = set;
	else
		gather_list(g, set->list, set->count);
	return !set->broken;
}

/* A set that was declared and named in another way: s3, prefix/s3, @s3. */
static const char *hint_set(struct peer_collector *g, const char *text)
{
	const char *name = text + strcspn(text, "/:@$");

	name = *name ? name + 1 : text;
	if (!index_get(&g->sets->by_name, name))
		return NULL;
	return arena_printf(g->job->arena, "did you mean 'prefixes/%s'?", name);
}

static bool refuse_name(struct peer_collector *g, const struct node *node, const char *text)
{
	diag_error(g->job->d, node->loc, -EINVAL, "name-unsupported",
		   "write its addresses, or a prefix set: prefixes/NAME",
		   "'%.200s' is a DNS name; addresses are not learned from DNS in this version",
		   text);
	return false;
}

static bool refuse_peer(struct peer_collector *g, const struct node *node, const char *text)
{
	struct advice advice = {NULL, NULL, NULL};
	const char *set = hint_set(g, text);

	if (!diags_full(g->job->d))
		advice = peer_advice(g->job->arena, text);
	if (!set && !advice.message && strpbrk(text, ".*") && name_is_dns(text))
		return refuse_name(g, node, text);
	if (set)
		advice = (struct advice){.hint = set};
	if (!advice.hint)
		advice.hint = "an address (10.0.0.1), a prefix (10.0.0.0/24), prefixes/NAME or "
			      "local-subnet";
	diag_error(g->job->d, node->loc, -EINVAL, "bad-address", advice.hint,
		   "'%.80s' is not an address or a prefix%s", text,
		   arena_optional(g->job->arena, ": ", advice.message));
	return false;
}

bool refuse_host_bits(struct job *job, struct loc loc, const char *text)
{
	diag_error(job->d, loc, -EINVAL, "host-bits",
		   diags_full(job->d) ? NULL : peer_advice(job->arena, text).hint,
		   "'%.80s' has bits set beyond its length", text);
	return false;
}

static bool gather_address(struct peer_collector *g, const struct node *node, const char *text)
{
	struct prefix prefix;

	switch (prefix_parse(text, &prefix)) {
	case NET_OK:
		gather_prefix(g, &prefix);
		return true;
	case NET_HOST_BITS:
		return refuse_host_bits(g->job, node->loc, text);
	default:
		return refuse_peer(g, node, text);
	}
}

/* The subnets of the attached interface, or those of one family. */
static bool gather_local(struct peer_collector *g, const char *text)
{
	const struct policy_options *options = g->job->options;
	bool v4 = word_is(text, "local-subnet/ipv4"), v6 = word_is(text, "local-subnet/ipv6");

	if (!v4 && !v6 && !word_is(text, "local-subnet"))
		return false;
	g->peers.needs_local |= !options->local_known;
	for (size_t i = 0; options->local_known && i < options->local_count; i++)
		if (prefix_is_v4(&options->local[i]) ? !v6 : !v4)
			gather_prefix(g, &options->local[i]);
	return true;
}

static bool gather_item(struct peer_collector *g, const struct node *node)
{
	const char *text = want_text(g->job->d, node, "a peer");

	if (!text)
		return false;
	if (word_is(text, "any")) {
		g->peers.any = true;
		return true;
	}
	if (gather_local(g, text))
		return true;
	if (str_starts(text, "prefixes/"))
		return gather_set(g, node, text + strlen("prefixes/"));
	return gather_address(g, node, text);
}

static void gather_end(struct peer_collector *g, struct peers *out)
{
	if (g->only) {
		g->peers.list = g->only->list;
		g->peers.count = g->only->count;
	} else {
		g->peers.count = prefixes_normalise(g->peers.list, g->peers.count, false);
	}
	if (g->peers.any)
		g->peers = (struct peers){.any = true};
	*out = g->peers;
}

bool peers_parse(struct job *job, struct prefix_sets *sets, const struct node *node,
		 const char *what, struct peers *out)
{
	struct peer_collector g = {.job = job, .sets = sets};
	const struct node *item;
	bool good = true;

	if (!want_items(job->d, node, what))
		return false;
	for_items(item, node) g.items++;
	if (g.items == 0) {
		diag_error(job->d, node->loc, -EINVAL, "missing-peer",
			   "write the addresses, like [10.0.0.1, 10.0.1.0/24]", "%s is empty",
			   what);
		return false;
	}
	/* A hundred thousand rules of one peer each: no more room than that. */
	g.peers.list = arena_bytes(job->arena, g.items * sizeof(*g.peers.list));
	g.capacity = g.items;
	for_items(item, node) good &= gather_item(&g, item);
	if (good)
		gather_end(&g, out);
	return good;
}
