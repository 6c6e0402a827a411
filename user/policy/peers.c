// SPDX-License-Identifier: GPL-2.0-only
/*
 * Peers: addresses, prefixes, named sets, `any`, `local-subnet` of both families or of one.
 * Whatever could be a DNS name is told apart from a mistyped address, so that neither is taken for
 * the other.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

static const char *const peer_words[] = {"any", "local-subnet", "local-subnet/ipv4",
					  "local-subnet/ipv6"};

static int prefix_order(const void *a, const void *b)
{
	const struct prefix *p = a, *q = b;
	/* IPv4 lies in the midst of IPv6's numbers; apart, what covers comes right before. */
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
	size_t kept = 0, i;

	if (count > 1)
		qsort(list, count, sizeof(*list), prefix_order);
	for (i = 0; i < count; i++) {
		if (kept && prefix_covers(&list[kept - 1], &list[i]))
			continue;
		list[kept++] = list[i];
		while (merge && kept > 1 &&
		       are_halves(&list[kept - 2], &list[kept - 1], &list[kept - 2]))
			kept--;
	}
	return kept;
}

bool name_is_dns(const char *text)
{
	const char *last = strrchr(text, '.');
	size_t length = strlen(text), i;

	last = last ? last + 1 : text;
	if (length == 0 || length > 253 || !*last || strspn(last, "0123456789") == strlen(last))
		return false;
	for (i = 0; i < length; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr(".-_*", text[i]))
			return false;
	return !strstr(text, "..") && text[0] != '.' && text[0] != '-';
}

struct gathering {
	struct job *job;
	struct prefix_sets *sets;
	struct prefix_set *only; /* a single set, shared rather than copied */
	size_t capacity, items;
	struct peers peers;
};

static void gather_prefix(struct gathering *g, const struct prefix *prefix)
{
	struct peers *peers = &g->peers;

	peers->list = arena_grow(g->job->arena, peers->list, peers->count, &g->capacity,
				 sizeof(*peers->list));
	peers->list[peers->count++] = *prefix;
}

static void gather_list(struct gathering *g, const struct prefix *list, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		gather_prefix(g, &list[i]);
}

static const char *hint_sets(struct gathering *g, const char *name)
{
	struct words words = {0};
	size_t i;

	for (i = 0; i < g->sets->count; i++)
		words_add(g->job, &words, g->sets->list[i].name);
	if (words.count == 0)
		return "declare it: prefixes: {NAME: {file: …, format: list}}";
	return hint_words(g->job->d, name, words.list, words.count);
}

static bool gather_set(struct gathering *g, const struct node *node, const char *name)
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

static bool refuse_name(struct gathering *g, const struct node *node, const char *text)
{
	const char *near = nearest_word(text, peer_words, ARRAY_SIZE(peer_words));
	const char *hint = "give its addresses, a prefix set (prefixes/NAME) or 'any'";

	if (index_get(&g->sets->by_name, text))
		hint = arena_printf(g->job->arena, "did you mean 'prefixes/%s'?", text);
	else if (!strcasecmp(text, "any"))
		hint = "did you mean 'any'?";
	else if (near)
		hint = arena_printf(g->job->arena, "did you mean '%s'?", near);
	if (!strchr(text, '.') && !strchr(text, '*'))
		diag_error(g->job->d, node->loc, -EINVAL, "bad-address", hint,
			   "'%.80s' is not an address, a prefix or 'any'", text);
	else
		diag_error(
			g->job->d, node->loc, -EINVAL, "name-unsupported", hint,
			"'%.200s' is a DNS name; addresses are not learned from DNS in this version",
			text);
	return false;
}

static bool refuse_address(struct gathering *g, const struct node *node, const char *text,
			   enum net_error error)
{
	if (error == NET_BAD_LENGTH)
		diag_error(g->job->d, node->loc, -EINVAL, "bad-address",
			   strchr(text, ':') ? "/0 to /128" : "/0 to /32",
			   "'%.80s' has a prefix length that cannot be", text);
	else
		diag_error(g->job->d, node->loc, -EINVAL, "bad-address",
			   "an address, a prefix (10.0.0.0/24), prefixes/NAME, local-subnet or any",
			   "'%.80s' is not a valid address", text);
	return false;
}

static bool gather_address(struct gathering *g, const struct node *node, const char *text)
{
	char corrected[PREFIX_TEXT];
	enum net_error error;
	struct prefix prefix;

	error = prefix_parse(text, &prefix);
	if (error == NET_OK) {
		gather_prefix(g, &prefix);
		return true;
	}
	if (error == NET_HOST_BITS) {
		diag_error(g->job->d, node->loc, -EINVAL, "host-bits",
			   arena_printf(g->job->arena, "write '%s', or the address alone",
					prefix_text(&prefix, corrected)),
			   "'%.80s' has bits set beyond its length", text);
		return false;
	}
	if (error == NET_NOT_ADDRESS && name_is_dns(text))
		return refuse_name(g, node, text);
	return refuse_address(g, node, text, error);
}

/* The subnets of the attached interface, or those of one family. */
static bool gather_local(struct gathering *g, const char *text)
{
	const struct policy_options *options = g->job->options;
	bool v4 = word_is(text, "local-subnet/ipv4"), v6 = word_is(text, "local-subnet/ipv6");
	size_t i;

	if (!v4 && !v6 && !word_is(text, "local-subnet"))
		return false;
	g->peers.needs_local |= !options->local_known;
	for (i = 0; options->local_known && i < options->local_count; i++)
		if (prefix_is_v4(&options->local[i]) ? !v6 : !v4)
			gather_prefix(g, &options->local[i]);
	return true;
}

static bool gather_item(struct gathering *g, const struct node *node)
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

static void gather_end(struct gathering *g, struct peers *out)
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
	struct gathering g = {.job = job, .sets = sets};
	const struct node *item;
	bool good = true;

	if (!want_items(job->d, node, what))
		return false;
	for_items(item, node) g.items++;
	if (g.items == 0) {
		diag_error(job->d, node->loc, -EINVAL, "missing-peer",
			   "for every address write 'any'", "%s is empty", what);
		return false;
	}
	/* A hundred thousand rules of one peer each: no more room than that. */
	g.peers.list = arena_alloc(job->arena, g.items * sizeof(*g.peers.list));
	g.capacity = g.items;
	for_items(item, node) good &= gather_item(&g, item);
	if (good)
		gather_end(&g, out);
	return good;
}
