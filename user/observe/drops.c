/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The refusals that still stand: without those that the policy in force admits, and without those
 * of before the counters of their rule were reset.
 */
#include "internal.h"

#include <string.h>

struct collection {
	struct arena *arena;
	struct image image;
	struct rule_records rules;
	struct drop_list list;
	size_t capacity;
	bool has_datagrams;
};

static uint64_t since_of(const struct collection *collection, uint32_t slot)
{
	const struct rule_records *rules = &collection->rules;

	return slot < rules->count && rules->list[slot].used == SLOT_USED ? rules->list[slot].since
									  : 0;
}

/* Only what a policy decides can be admitted by another one. */
static bool is_admitted(const struct collection *collection, const struct drop_view *view)
{
	struct tuple tuple = drop_tuple(view);
	struct decision decision;

	if (view->drop.reason != FR_REASON_DEFAULT && view->drop.reason != FR_REASON_RULE)
		return false;
	image_decide(&collection->image, &tuple, &decision);
	return decision.verdict == FR_PASS;
}

static const char *kept(struct arena *arena, const char *text)
{
	return text ? arena_strdup(arena, text) : NULL;
}

static int on_drop(const struct drop_view *view, void *context)
{
	struct collection *collection = context;
	struct drop_list *list = &collection->list;
	struct drop_view *copy;

	if (view->last < since_of(collection, view->drop.slot))
		return 0;
	if (is_admitted(collection, view)) {
		list->admitted++;
		return 0;
	}
	list->list = arena_grow(collection->arena, list->list, list->count, &collection->capacity,
				sizeof(*list->list));
	copy = &list->list[list->count++];
	*copy = *view;
	copy->scope = kept(collection->arena, view->scope);
	copy->rule = kept(collection->arena, view->rule);
	copy->table = kept(collection->arena, view->table);
	copy->row = kept(collection->arena, view->row);
	collection->has_datagrams |= view->key.proto == PROTO_UDP;
	return 0;
}

static int refuse(const struct instance *instance, int err, struct diags *d)
{
	return diag_error(
		d, NO_LOC, err, "pins-broken", instance_heal_command(instance, err, d->arena),
		"the refusals of policy %s cannot be read: %s", instance->name, error_text(err));
}

static int collect(const struct instance *instance, struct diags *d, struct collection *collection)
{
	int err = instance_image(instance, &collection->image);

	if (err)
		return refuse(instance, err, d);
	err = instance_rules(instance, &collection->rules);
	if (err) {
		image_unmap(&collection->image);
		return refuse(instance, err, d);
	}
	err = drops_each(instance, d, on_drop, collection);
	instance_rules_close(&collection->rules);
	image_unmap(&collection->image);
	return err;
}

static int find_hints(const struct instance *instance, struct diags *d,
		      struct collection *collection)
{
	struct drop_list *list = &collection->list;
	struct answer_hints hints;
	size_t kept = 0;
	int err = hints_open(instance, collection->arena, d, &hints);

	if (err)
		return err;
	for (size_t i = 0; i < list->count; i++) {
		struct drop_view *drop = &list->list[i];

		drop->answer = hint_find(&hints, drop);
		if (drop->answer && drop->answer->admitted)
			list->admitted++;
		else
			list->list[kept++] = *drop;
	}
	list->count = kept;
	hints_close(&hints);
	return 0;
}

int drops_collect(const struct instance *instance, struct arena *arena, struct diags *d,
		  struct drop_list *out)
{
	struct collection collection = {.arena = arena};
	int err = collect(instance, d, &collection);

	if (!err && collection.has_datagrams)
		err = find_hints(instance, d, &collection);
	if (err)
		return err;
	*out = collection.list;
	return 0;
}
