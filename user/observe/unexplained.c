/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Groups refusals and flows that no rule explains by attach point, direction, peer and listener's
 * port. The caller chooses them; nothing is read here.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

static struct tuple key_tuple(const struct fr_flow_key *key, uint8_t dir)
{
	struct tuple tuple = {.dir = dir, .proto = key->proto};

	memcpy(tuple.peer.b, key->peer, sizeof(tuple.peer.b));
	if (proto_is_any_icmp(key->proto))
		tuple.port = key->peer_port;
	else if (proto_has_ports(key->proto))
		tuple.port = dir == FR_EGRESS ? key->peer_port : key->local_port;
	return tuple;
}

struct tuple drop_tuple(const struct drop_view *view)
{
	return key_tuple(&view->key, view->drop.dir);
}

struct tuple flow_tuple(const struct flow_view *view)
{
	return key_tuple(&view->key, view->flow.opener);
}

static bool same_opening(const struct unexplained_view *view, uint32_t scope,
			 const struct tuple *tuple)
{
	return view->scope == scope && tuple_equal(&view->tuple, tuple);
}

static size_t opening_hash(uint32_t scope, const struct tuple *tuple)
{
	uint64_t hash = 14695981039346656037u ^ scope;

	for (size_t i = 0; i < sizeof(tuple->peer.b); i++)
		hash = (hash ^ tuple->peer.b[i]) * 1099511628211u;
	hash = (hash ^ tuple->port) * 1099511628211u;
	hash = (hash ^ (tuple->proto << 1 | tuple->dir)) * 1099511628211u;
	return hash ^ hash >> 32;
}

/* A cgroup's namespaces are one attach point. */
static uint32_t attach_point(const struct fr_flow_key *key)
{
	return FR_SCOPE(FR_SCOPE_KIND(key->scope), FR_SCOPE_IFINDEX(key->scope));
}

/* The bucket of the opening, or a free one for it. */
static uint32_t *bucket_of(const struct unexplained_set *g, uint32_t scope,
			   const struct tuple *tuple)
{
	size_t mask = g->bucket_count - 1, at = opening_hash(scope, tuple) & mask;

	while (g->buckets[at] && !same_opening(&g->list[g->buckets[at] - 1], scope, tuple))
		at = (at + 1) & mask;
	return &g->buckets[at];
}

static void make_room(struct unexplained_set *g)
{
	if (g->bucket_count > 2 * g->count)
		return;
	g->bucket_count = g->bucket_count ? 2 * g->bucket_count : 256;
	g->buckets = arena_alloc(g->arena, g->bucket_count * sizeof(*g->buckets));
	for (size_t i = 0; i < g->count; i++)
		*bucket_of(g, g->list[i].scope, &g->list[i].tuple) = i + 1;
}

static struct unexplained_view *opening_at(struct unexplained_set *g, uint32_t scope,
					   const struct tuple *tuple, const char *kind,
					   const char *where)
{
	uint32_t *bucket;

	make_room(g);
	bucket = bucket_of(g, scope, tuple);
	if (*bucket)
		return &g->list[*bucket - 1];
	g->list = arena_grow(g->arena, g->list, g->count, &g->capacity, sizeof(*g->list));
	g->list[g->count] =
		(struct unexplained_view){.tuple = *tuple,
					  .scope = scope,
					  .kind = kind,
					  .where = where ? arena_strdup(g->arena, where) : NULL};
	*bucket = ++g->count;
	return &g->list[g->count - 1];
}

/* Keeps the time range, and the latest verdict. */
static void add_times(struct unexplained_view *view, const char *verdict, uint64_t first,
		      uint64_t last)
{
	if (!view->first || first < view->first)
		view->first = first;
	if (last >= view->last) {
		view->last = last;
		view->verdict = verdict;
	}
}

void unexplained_add_drop(struct unexplained_set *g, const struct drop_view *view,
			  const struct answer_hint *answer)
{
	struct tuple tuple = drop_tuple(view);
	struct unexplained_view *at =
		opening_at(g, attach_point(&view->key), &tuple, view->kind, view->scope);

	at->packets += view->drop.packets;
	at->bytes += view->drop.bytes;
	add_times(at, view->verdict, view->first, view->last);
	if (view->process.pid)
		at->process = view->process;
	if (answer)
		at->answer = answer;
}

/* Packets that audit lets pass are counted by the refusal of the flow already, if there is one. */
void unexplained_add_flow(struct unexplained_set *g, const struct flow_view *view,
			  const struct answer_hint *answer)
{
	struct tuple tuple = flow_tuple(view);
	struct unexplained_view *at =
		opening_at(g, attach_point(&view->key), &tuple, view->kind, view->scope);
	bool told = view->flow.flags & FR_FLOW_WOULD_DROP && at->packets;

	for (int dir = 0; dir < FR_DIRS && !told; dir++) {
		at->packets += view->flow.packets[dir];
		at->bytes += view->flow.bytes[dir];
	}
	at->flows++;
	add_times(at, view->verdict, view->first, view->last);
	if (!at->process.pid)
		at->process = view->process;
	if (answer)
		at->answer = answer;
}

uint32_t recorded_scope(const struct recorded_event *event)
{
	uint32_t hash = 2166136261u;

	if (event->kind != FR_KIND_GUEST || !event->interface)
		return FR_SCOPE(event->kind, 0);
	for (const char *at = event->interface; *at; at++)
		hash = (hash ^ (uint8_t)*at) * 16777619u;
	return FR_SCOPE(event->kind, FR_SCOPE_IFINDEX(hash));
}

void unexplained_add_event(struct unexplained_set *g, const struct recorded_event *event,
			   const struct answer_hint *answer)
{
	bool guest = event->kind == FR_KIND_GUEST;
	struct unexplained_view *at =
		opening_at(g, recorded_scope(event), &event->tuple, kind_name(event->kind),
			   guest ? event->interface : NULL);

	at->packets += event->packets;
	at->bytes += event->length;
	add_times(at, verdict_name(event->verdict), event->time, event->time);
	if (answer)
		at->answer = answer;
	if (!event->pid)
		return;
	at->process = (struct process_view){.pid = event->pid};
	snprintf(at->process.name, sizeof(at->process.name), "%s", event->process);
}

static int by_packets(const void *a, const void *b)
{
	const struct unexplained_view *x = a, *y = b;

	if (x->packets != y->packets)
		return x->packets < y->packets ? 1 : -1;
	if (x->scope != y->scope)
		return x->scope < y->scope ? -1 : 1;
	if (x->tuple.port != y->tuple.port)
		return x->tuple.port < y->tuple.port ? -1 : 1;
	return memcmp(&x->tuple.peer, &y->tuple.peer, sizeof(x->tuple.peer));
}

void unexplained_sort(struct unexplained_set *g)
{
	if (g->count)
		qsort(g->list, g->count, sizeof(*g->list), by_packets);
}
