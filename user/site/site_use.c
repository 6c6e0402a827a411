/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A `use` of a site: one table with its params and the players of its roles, for all hosts at
 * once. The active rows are found here; site_host.c selects those of one host.
 */
#include <errno.h>
#include <string.h>

#include "model.h"

static struct site_role *site_role(struct site_use *su, const struct role *role)
{
	return &su->roles[role - su->use.table->roles];
}

/* ---------------------------------------------------------------- settings of a use */

static void role_parse(struct site *site, struct site_use *su, const struct node *node)
{
	const struct table *table = su->use.table;
	const struct role *role = role_find(table, node->key->text);
	struct site_role stray = {0}, *entry = role ? site_role(su, role) : &stray;

	if (!role)
		diag_error(site->job->d, node->key->loc, -EINVAL, "unknown-role",
			   hint_roles(site->job, table, node->key->text),
			   "role '%.80s' is not declared in table '%s'", node->key->text,
			   table->name);
	if (!members_parse(site, node, entry) || !role)
		su->good = false;
	members_play(site, entry);
	if (role)
		role_state(&su->use, role)->played = entry->part_count;
}

static void roles_parse(struct site *site, struct site_use *su)
{
	const struct node *roles = map_need(site->job->d, su->use.node, "a use of a site", "roles");
	const struct node *node;

	if (!roles || !want_map(site->job->d, roles, "'roles'")) {
		su->good = false;
		return;
	}
	for_children(node, roles) role_parse(site, su, node);
}

/* ---------------------------------------------------------------- roles that rows want */

/* The table itself has the addresses of the role. */
static bool role_is_placed(const struct row *row, const struct role *role)
{
	return (role->address_count || role->needs_local) && !role->names && !row->names;
}

/* A host plays `from` or `to`: the other end needs a player. */
static void end_want(struct site_use *su, const struct row *row, const struct role *played,
		     const struct role *other)
{
	struct site_role *entry = site_role(su, other);

	if (!site_role(su, played)->part_count)
		return;
	site_role(su, played)->wanted = true;
	entry->wanted = true;
	if (entry->node || role_is_placed(row, other))
		return;
	if (!words_have(&role_state(&su->use, other)->missing, row->id))
		use_note_missing(&su->use, row, row->names ? row->names : other->names,
				 role_state(&su->use, other));
}

static void rows_select(struct site_use *su)
{
	const struct table *table = su->use.table;

	for (size_t i = 0; i < table->row_count; i++) {
		const struct row *row = &table->rows[i];

		su->stands[i] = use_row_stands(&su->use, row);
		if (!su->stands[i])
			continue;
		su->use.row_count++;
		end_want(su, row, row->from, row->to);
		end_want(su, row, row->to, row->from);
	}
}

static void unplayed_report(struct site_use *su, const struct role *role)
{
	struct use *use = &su->use;
	const struct role_state *state = role_state(use, role);
	const struct node *roles = map_get(use->node, "roles");
	const char *known = "";

	if (state->names.count)
		known = arena_printf(use->job->arena, " (the vendor gives names: %s)",
				     words_text(use->job->arena, &state->names));
	diag_error(use->job->d, roles->key->loc, -EINVAL, "unplayed-role",
		   missing_peer_hint(use, role, state, "roles"),
		   "%s: no host or address plays role '%s'%s", missing_rows_text(use, state),
		   role->name, known);
	su->good = false;
}

static void unwanted_report(struct site_use *su, const struct role *role)
{
	const struct node *node = site_role(su, role)->node;

	diag_error(su->use.job->d, node->key->loc, -EINVAL, "unused-peer",
		   "leave it out, or see which rows 'set' and 'with' select",
		   "no selected row of a host of this site has role '%s'", role->name);
	su->good = false;
}

static void roles_check(struct site_use *su)
{
	const struct table *table = su->use.table;

	if (su->use.row_count == 0) {
		diag_error(su->use.job->d, su->use.place->loc, -EINVAL, "empty-use",
			   "see 'roles', 'set' and 'without'",
			   "no row of table '%s' is left for a host of this site", table->name);
		su->good = false;
		return;
	}
	for (size_t i = 0; i < table->role_count; i++) {
		if (su->use.roles[i].missing.count)
			unplayed_report(su, &table->roles[i]);
		if (su->roles[i].node && !su->roles[i].wanted)
			unwanted_report(su, &table->roles[i]);
	}
}

/* ---------------------------------------------------------------- the whole */

static void use_begin(struct site *site, struct site_use *su)
{
	const struct table *table = su->use.table;
	struct arena *arena = site->job->arena;

	su->use.roles = arena_alloc(arena, table->role_count * sizeof(*su->use.roles));
	su->use.rows = arena_alloc(arena, table->row_count * sizeof(*su->use.rows));
	su->roles = arena_alloc(arena, table->role_count * sizeof(*su->roles));
	su->stands = arena_alloc(arena, table->row_count * sizeof(*su->stands));
	su->good = settings_make(site->job, table, su->use.node, &su->use.settings);
}

static void use_parse(struct site *site, const struct node *node, struct site_use *su)
{
	static const char *const keys[] = {"table", "edition", "set", "roles", "with", "without"};
	struct job *job = site->job;

	su->use = (struct use){.job = job, .draft = &site->draft, .node = node};
	if (!want_keys(job->d, node, "a use of a site", keys, ARRAY_SIZE(keys)))
		return;
	su->use.place = map_need(job->d, node, "a use of a site", "table");
	su->use.table = su->use.place ? use_table(job, &site->draft, node, su->use.place) : NULL;
	if (!su->use.table)
		return;
	use_begin(site, su);
	roles_parse(site, su);
	use_row_words(&su->use, "with");
	use_row_words(&su->use, "without");
	/* With wrong roles or params the selection of rows is a guess: avoid a cascade of
	 * errors. */
	if (!su->good)
		return;
	rows_select(su);
	roles_check(su);
}

/* While a use is wrong, the roles of a host are not known, and it is not called idle. */
static void idle_report(struct site *site)
{
	for (size_t i = 0; i < site->use_count; i++)
		if (!site->uses[i].good)
			return;
	for (size_t i = 0; i < site->host_count; i++)
		if (!site->hosts[i].plays && site->hosts[i].address_count)
			diag_error(site->job->d, site->hosts[i].loc, -EINVAL, "idle-host",
				   "name it below the roles of a use, or leave it out",
				   "host '%s' plays no role", site->hosts[i].name);
}

void site_uses_parse(struct site *site)
{
	const struct node *uses = map_need(site->job->d, site->root, "a site", "use"), *node;
	size_t count = 0;

	if (!uses || !want_list(site->job->d, uses, "'use'"))
		return;
	for_children(node, uses) count++;
	site->uses = arena_alloc(site->job->arena, count * sizeof(*site->uses));
	for_children(node, uses) use_parse(site, node, &site->uses[site->use_count++]);
	idle_report(site);
}
