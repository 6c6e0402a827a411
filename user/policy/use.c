/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `use:` of a policy: its table, roles and params; then every selected row becomes rules
 * (resolve.c), and settings without effect are reported.
 */
#include <errno.h>
#include <string.h>

#include "use.h"

/* ---------------------------------------------------------------- settings of a use */

static void use_as(struct use *use, const struct node *as, bool *good)
{
	const struct node *item;

	if (!want_items(use->job->d, as, "'as'")) {
		*good = false;
		return;
	}
	for_items(item, as)
	{
		const char *name = want_text(use->job->d, item, "a role");
		const struct role *role = name ? role_find(use->table, name) : NULL;

		if (name && !role)
			diag_error(use->job->d, item->loc, -EINVAL, "unknown-role",
				   hint_roles(use->job, use->table, name),
				   "role '%.80s' is not declared in table '%s'", name,
				   use->table->name);
		if (role)
			role_state(use, role)->played = true;
		else
			*good = false;
	}
}

static void use_peer(struct use *use, const struct node *node)
{
	const char *name = node->key->text;
	const struct role *role = role_find(use->table, name);
	struct role_state stray = {0}, *state = role ? role_state(use, role) : &stray;

	if (!role)
		diag_error(use->job->d, node->key->loc, -EINVAL, "unknown-role",
			   hint_roles(use->job, use->table, name),
			   "role '%.80s' is not declared in table '%s'", name, use->table->name);
	state->peers_node = node;
	state->bad = !peers_parse(use->job, &use->draft->sets, node,
				  arena_printf(use->job->arena, "'peers.%s'", name), &state->peers);
}

void use_row_words(struct use *use, const char *key)
{
	const struct node *list = map_get(use->node, key), *item;
	bool with = str_equal(key, "with");

	if (!list || !want_items(use->job->d, list, arena_printf(use->job->arena, "'%s'", key)))
		return;
	for_items(item, list)
	{
		const char *id = want_text(use->job->d, item, "a row id");
		const struct row *row = id ? row_find(use->table, id) : NULL;
		struct row_state *state;

		if (id && !row)
			diag_error(use->job->d, item->loc, -EINVAL, "unknown-row",
				   hint_rows(use->job, use->table, id),
				   "table '%s' has no row '%.80s'", use->table->name, id);
		if (!row)
			continue;
		state = &use->rows[row - use->table->rows];
		*(with ? &state->with : &state->without) = item;
	}
}

/* ---------------------------------------------------------------- active rows */

static void with_check(struct use *use, const struct row *row, const struct row_state *state)
{
	struct job *job = use->job;

	if (!state->concerns)
		diag_error(job->d, state->with->loc, -EINVAL, "unselected-row", NULL,
			   "row '%s' goes from '%s' to '%s', and this use plays neither", row->id,
			   row->from->name, row->to->name);
	else if (!state->selected)
		diag_error(job->d, state->with->loc, -EINVAL, "unselected-row",
			   "change 'set', or leave the row out of 'with'",
			   "row '%s' is not selected: its condition on '%s' is not met", row->id,
			   row->when[0].param->name);
	else if (!row->optional)
		diag_note(job->d, state->with->loc, "not-optional", NULL,
			  "row '%s' is not optional; it is active without 'with'", row->id);
}

bool use_row_stands(struct use *use, const struct row *row)
{
	struct row_state *state = &use->rows[row - use->table->rows];

	state->concerns = role_state(use, row->from)->played || role_state(use, row->to)->played;
	state->selected = state->concerns && row_selected(&use->settings, row);
	if (state->with)
		with_check(use, row, state);
	if (state->without && (!state->selected || (row->optional && !state->with)))
		diag_warning(use->job->d, state->without->loc, "unselected-row", NULL,
			     "row '%s' is not selected anyway", row->id);
	if (state->with && state->without)
		diag_error(use->job->d, state->without->loc, -EINVAL, "unselected-row", NULL,
			   "row '%s' is in 'with' and in 'without'", row->id);
	return state->selected && !state->without && (!row->optional || state->with);
}

/* ---------------------------------------------------------------- settings without effect */

static void unused_check(struct use *use)
{
	for (size_t i = 0; i < use->table->role_count; i++) {
		const struct role_state *state = &use->roles[i];

		if (!state->peers_node || state->wanted)
			continue;
		diag_error(use->job->d, state->peers_node->key->loc, -EINVAL, "unused-peer",
			   "leave it out, or see which rows 'set' and 'with' select",
			   "no selected row has role '%s' as its peer", use->table->roles[i].name);
	}
}

static void replaced_note(struct use *use, const struct role *role, const struct role_state *state)
{
	if (!role->names || !state->peers_node || !state->wanted)
		return;
	diag_note(use->job->d, state->peers_node->key->loc, "names-replaced", NULL,
		  "these peers replace every name that the vendor gives for '%s' (%s%s)",
		  role->name, state->known.list[0], state->known.count > 1 ? ", …" : "");
}

/* Two uses of a table may differ in their params. */
static void keep_names(struct use *use, const struct role *role, const struct role_state *state)
{
	struct ruleset *rs = use->draft->rs;

	if (!state->known.count)
		return;
	rs->names = arena_grow(use->job->arena, rs->names, rs->name_count, &rs->name_capacity,
			       sizeof(*rs->names));
	rs->names[rs->name_count++] = (struct role_names){.table = use->table->name,
							  .role = role->name,
							  .list = state->known.list,
							  .count = state->known.count};
}

static uint64_t addresses_of(const struct peers *peers)
{
	const uint64_t many = 1ull << 40;
	uint64_t sum = 0;

	for (size_t i = 0; i < peers->count; i++) {
		unsigned free_bits = 128u - peers->list[i].length;

		if (free_bits >= 40)
			return many;
		sum += 1ull << free_bits;
		if (sum >= many)
			return many;
	}
	return sum;
}

static void expect_note(struct use *use, const struct role *role, const struct role_state *state)
{
	uint64_t given = addresses_of(&state->peers);
	const char *bound = given >= 1ull << 40 ? "more than " : "";

	if (!role->expect || !state->peers_node || state->bad || state->peers.any ||
	    state->peers.needs_local || given == role->expect)
		return;
	diag_note(use->job->d, state->peers_node->key->loc, "peer-count", NULL,
		  "the vendor documents %ju addresses of '%s'; %s%ju %s given",
		  (uintmax_t)role->expect, role->name, bound, (uintmax_t)given,
		  given == 1 ? "is" : "are");
}

/* What would select each row of the roles that are played. */
static const char *empty_hint(struct use *use)
{
	const char *text = NULL;
	size_t count = 0;

	for (size_t i = 0; i < use->table->row_count; i++) {
		const struct row *row = &use->table->rows[i];
		const struct row_state *state = &use->rows[i];
		const char *one = row->id;

		if (!state->concerns || ++count > 4)
			continue;
		if (state->without)
			one = arena_printf(use->job->arena, "'%s' out of 'without'", one);
		else if (!state->selected)
			one = arena_printf(use->job->arena, "set: {%s} for '%s'",
					   row_when_text(use->job, row), one);
		if (row->optional && !state->with)
			one = state->selected ? arena_printf(use->job->arena, "with: [%s]", row->id)
					      : arena_printf(use->job->arena, "%s and with: [%s]",
							     one, row->id);
		text = text ? arena_printf(use->job->arena, "%s; or %s", text, one) : one;
	}
	if (count > 4)
		text = arena_printf(use->job->arena, "%s; or one of %zu more", text, count - 4);
	return text ?: "no row of the table has these roles: see 'as'";
}

static void use_end(struct use *use)
{
	use_report_missing(use);
	unused_check(use);
	for (size_t i = 0; i < use->table->role_count; i++) {
		replaced_note(use, &use->table->roles[i], &use->roles[i]);
		expect_note(use, &use->table->roles[i], &use->roles[i]);
		keep_names(use, &use->table->roles[i], &use->roles[i]);
	}
	if (use->row_count == 0)
		diag_error(use->job->d, use->place->loc, -EINVAL, "empty-use", empty_hint(use),
			   "no row of table '%s' is left in this use", use->table->name);
}

/* ---------------------------------------------------------------- what the use was made of */

static struct word_list words_of(const struct words *words)
{
	return (struct word_list){words->list, words->count};
}

static void record_params(const struct use *use, struct used_table *out)
{
	const struct table *table = use->table;

	out->params = arena_alloc(use->job->arena, (table->param_count + 1) * sizeof(*out->params));
	for (size_t i = 0; i < table->param_count; i++)
		if (use->settings.of[i].values.count)
			out->params[out->param_count++] = (struct used_param){
				table->params[i].name, words_of(&use->settings.of[i].values)};
}

static void record_roles(const struct use *use, struct used_table *out)
{
	const struct table *table = use->table;
	struct words played = {0};

	out->roles = arena_alloc(use->job->arena, (table->role_count + 1) * sizeof(*out->roles));
	for (size_t i = 0; i < table->role_count; i++) {
		const struct role *role = &table->roles[i];
		const struct role_state *state = &use->roles[i];

		if (state->played)
			words_add(use->job, &played, role->name);
		if (!state->wanted)
			continue;
		out->roles[out->role_count++] =
			state->peers_node
				? (struct used_role){role->name, state->peers.any,
						     state->peers.needs_local, state->peers.list,
						     state->peers.count}
				: (struct used_role){.name = role->name,
						     .needs_local = role->needs_local,
						     .members = role->addresses,
						     .member_count = role->address_count};
	}
	out->played = words_of(&played);
}

static const char *edition_newest(const struct table *table)
{
	size_t count = table->editions.count;

	return count ? table->editions.list[count - 1] : NULL;
}

static void use_record(const struct use *use)
{
	struct ruleset *rs = use->draft->rs;
	const struct table *table = use->table;
	const struct node *edition = map_get(use->node, "edition");
	struct loc loc = edition ? edition->loc : use->place->loc;
	struct used_table *out;

	rs->tables = arena_grow(use->job->arena, rs->tables, rs->table_count,
				&use->draft->table_capacity, sizeof(*rs->tables));
	out = &rs->tables[rs->table_count++];
	*out = (struct used_table){.name = table->name,
				   .title = table->title,
				   .edition = table->edition,
				   .newest = edition_newest(table),
				   .edition_given = edition,
				   .loc = loc,
				   .document = table->document,
				   .url = table->url,
				   .read = table->read,
				   .file = table->loc.source ? table->loc.source->name : NULL,
				   .line = use->place->loc.line};
	record_params(use, out);
	record_roles(use, out);
}

/* ---------------------------------------------------------------- the whole */

static void use_rows(struct use *use)
{
	const struct table *table = use->table;

	for (size_t i = 0; i < table->row_count; i++) {
		const struct row *row = &table->rows[i];

		if (!use_row_stands(use, row))
			continue;
		use->row_count++;
		if (role_state(use, row->from)->played)
			use_resolve_row(use, row, FR_EGRESS);
		if (role_state(use, row->to)->played)
			use_resolve_row(use, row, FR_INGRESS);
	}
}

static void use_apply(struct use *use)
{
	const struct table *table = use->table;
	const struct node *as, *peers, *node;
	bool good;

	use->roles = arena_alloc(use->job->arena, table->role_count * sizeof(*use->roles));
	use->rows = arena_alloc(use->job->arena, table->row_count * sizeof(*use->rows));
	good = settings_make(use->job, table, use->node, &use->settings);
	as = map_need(use->job->d, use->node, "a use", "as");
	if (as)
		use_as(use, as, &good);
	peers = map_get(use->node, "peers");
	if (peers && !want_map(use->job->d, peers, "'peers'"))
		good = false;
	else if (peers)
		for_children(node, peers) use_peer(use, node);
	use_row_words(use, "with");
	use_row_words(use, "without");
	/* With wrong roles or params the selection of rows is a guess: avoid a cascade of
	 * errors. */
	if (!good || !as)
		return;
	use_rows(use);
	use_end(use);
	use_record(use);
}

/* A broken table is reported once. */
const struct table *use_table(struct job *job, struct draft *draft, const struct node *use,
			      const struct node *place)
{
	static const struct table broken;
	const struct node *edition = map_get(use, "edition");
	const struct table *table;
	const char *key;

	if (place->kind != NODE_SCALAR || (edition && edition->kind != NODE_SCALAR))
		return table_find(job, draft->path, place, edition);
	key = edition ? arena_printf(job->arena, "%s@%s", place->text, edition->text) : place->text;
	table = index_get(&draft->tables, key);
	if (!table) {
		table = table_find(job, draft->path, place, edition);
		index_insert(&draft->tables, key, table ? table : &broken);
	}
	return table == &broken ? NULL : table;
}

static void use_resolve(struct job *job, const struct node *node, struct draft *draft)
{
	static const char *const keys[] = {"table", "edition", "as",	 "set",
					   "peers", "with",    "without"};
	struct use use = {.job = job, .draft = draft, .node = node};

	if (!want_keys(job->d, node, "a use", keys, ARRAY_SIZE(keys)))
		return;
	use.place = map_need(job->d, node, "a use", "table");
	if (!use.place)
		return;
	use.table = use_table(job, draft, node, use.place);
	if (use.table)
		use_apply(&use);
}

void uses_resolve(struct job *job, const struct node *uses, struct draft *draft)
{
	const struct node *node;

	if (!want_list(job->d, uses, "'use'"))
		return;
	for_children(node, uses) use_resolve(job, node, draft);
}
