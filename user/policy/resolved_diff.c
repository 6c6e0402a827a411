/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The differences of two policies, rule by rule: of their documents without places, in which each
 * rule, address and param is a piece with a name.
 */
#include <string.h>

#include "policy.h"

struct piece {
	struct resolved_entry entry;
	const char *key;
	size_t place; /* among all of its document */
};

/* Pieces that follow each other: the rules, the addresses of a set, one use of a table. */
struct group {
	const char *key, *section, *name;
	size_t first, end;
};

struct pieces {
	struct arena *arena;
	struct piece **list;
	struct group **groups;
	size_t count, capacity, group_count, group_capacity;
	struct index by_key, groups_by_key;
};

static const char *copy(struct arena *arena, const char *text)
{
	return text ? arena_strdup(arena, text) : NULL;
}

/* A table that is used twice has two groups. */
static bool goes_on(const struct group *group, const struct pieces *pieces,
		    const struct resolved_entry *entry)
{
	if (!str_equal(group->section, entry->section) || !str_equal(group->name, entry->group))
		return false;
	return entry->rule || !str_equal(pieces->list[group->first]->entry.name, entry->name);
}

static struct group *group_of(struct pieces *pieces, const struct resolved_entry *entry)
{
	struct arena *arena = pieces->arena;
	struct group *group = pieces->group_count ? pieces->groups[pieces->group_count - 1] : NULL;

	if (group && goes_on(group, pieces, entry))
		return group;
	group = arena_alloc(arena, sizeof(*group));
	*group = (struct group){.section = entry->section,
				.name = copy(arena, entry->group),
				.first = pieces->count};
	group->key = arena_printf(arena, "%s\n%s", entry->section, entry->group ?: "");
	while (index_insert(&pieces->groups_by_key, group->key, group))
		group->key = arena_printf(arena, "%s+", group->key);
	pieces->groups = arena_grow(arena, pieces->groups, pieces->group_count,
				    &pieces->group_capacity, sizeof(*pieces->groups));
	pieces->groups[pieces->group_count++] = group;
	return group;
}

static void collect(const struct resolved_entry *entry, void *context)
{
	struct pieces *pieces = context;
	struct arena *arena = pieces->arena;
	struct piece *piece;
	struct group *group;

	if (!entry->name)
		return;
	group = group_of(pieces, entry);
	piece = arena_alloc(arena, sizeof(*piece));
	piece->entry = *entry;
	piece->entry.group = group->name;
	piece->entry.name = copy(arena, entry->name);
	piece->entry.text = arena_strndup(arena, entry->text, entry->size);
	piece->place = pieces->count;
	piece->key = arena_printf(arena, "%s\n%s\n%s", group->key, entry->name,
				  entry->rule ? dir_name(entry->rule->dir) : "");
	index_insert(&pieces->by_key, piece->key, piece);
	pieces->list = arena_grow(arena, pieces->list, pieces->count, &pieces->capacity,
				  sizeof(*pieces->list));
	pieces->list[pieces->count++] = piece;
	group->end = pieces->count;
}

static void add_change(struct ruleset_diff *diff, struct arena *arena, const struct piece *before,
		       const struct piece *after)
{
	const struct resolved_entry *entry = after ? &after->entry : &before->entry;
	struct resolved_change *change;

	diff->list =
		arena_grow(arena, diff->list, diff->count, &diff->capacity, sizeof(*diff->list));
	change = &diff->list[diff->count++];
	*change = (struct resolved_change){.section = entry->section,
					   .group = entry->group,
					   .name = entry->name,
					   .rule = entry->rule};
	if (before)
		change->before = before->entry.text;
	if (after)
		change->after = after->entry.text;
}

/* The hits of rules that decide alike are counted on the first. */
static bool rules_reordered(const struct pieces *before, const struct pieces *after)
{
	size_t last = 0;

	for (size_t i = 0; i < before->count; i++) {
		const struct piece *piece = before->list[i];
		const struct piece *other =
			piece->entry.rule ? index_get(&after->by_key, piece->key) : NULL;

		if (!other)
			continue;
		if (other->place < last)
			return true;
		last = other->place;
	}
	return false;
}

/* Gone, or changed. */
static void diff_old(const struct pieces *before, const struct pieces *after,
		     const struct group *group, struct ruleset_diff *out)
{
	for (size_t i = group->first; i < group->end; i++) {
		const struct piece *piece = before->list[i];
		const struct piece *other = index_get(&after->by_key, piece->key);

		if (!other || !str_equal(other->entry.text, piece->entry.text))
			add_change(out, before->arena, piece, other);
	}
}

static void diff_new(const struct pieces *before, const struct pieces *after,
		     const struct group *group, struct ruleset_diff *out)
{
	for (size_t i = group->first; i < group->end; i++)
		if (!index_get(&before->by_key, after->list[i]->key))
			add_change(out, before->arena, NULL, after->list[i]);
}

static struct pieces pieces_of(const struct ruleset *rs, struct arena *arena)
{
	struct pieces pieces = {
		.arena = arena, .by_key.arena = arena, .groups_by_key.arena = arena};

	ruleset_write(rs, false, collect, &pieces);
	return pieces;
}

void rulesets_diff(const struct ruleset *before, const struct ruleset *after, struct arena *arena,
		   struct ruleset_diff *out)
{
	struct pieces old = pieces_of(before, arena), new = pieces_of(after, arena);

	*out = (struct ruleset_diff){.reordered = rules_reordered(&old, &new)};
	for (size_t i = 0; i < old.group_count; i++) {
		const struct group *same = index_get(&new.groups_by_key, old.groups[i]->key);

		diff_old(&old, &new, old.groups[i], out);
		if (same)
			diff_new(&old, &new, same, out);
	}
	for (size_t i = 0; i < new.group_count; i++)
		if (!index_get(&old.groups_by_key, new.groups[i]->key))
			diff_new(&old, &new, new.groups[i], out);
}
