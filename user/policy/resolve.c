/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A selected row to a concrete rule: its ports with the params replaced, the addresses of its
 * peer, and its origin. Missing parts are reported, never filled in: nothing becomes `any` by
 * itself.
 */
#include <errno.h>
#include <string.h>

#include "use.h"

const char *row_place_text(struct job *job, const struct table *table, const struct row *row)
{
	if (!row->line)
		return arena_printf(job->arena, "table '%s'", table->name);
	return arena_printf(job->arena, "line %u of %s", row->line,
			    table->document ? table->document : "the vendor's document");
}

/* ---------------------------------------------------------------- ports */

/* The place of a wrong port: in the policy when a param contains it, else in the table. */
static const struct node *port_place(struct use *use, const struct node *port)
{
	const struct setting *setting;
	struct template_mark mark;

	if (!template_next(use->job->arena, port->text, 0, &mark))
		return port;
	setting = setting_get(&use->settings, mark.param);
	return setting && setting->place ? setting->place : port;
}

static bool row_port(struct use *use, const struct node *port, struct services *out,
		     const char **unset)
{
	const struct node *place = port_place(use, port);
	struct words texts = {0};
	bool good = true;

	*unset = template_expand(use->job, &use->settings, port, &texts);
	for (size_t i = 0; i < texts.count; i++)
		good &= service_add(use->job, place, texts.list[i], out);
	return good && !*unset;
}

static void refuse_portless(struct use *use, const struct row *row, const char *unset)
{
	const char *place = row_place_text(use->job, use->table, row), *hint;
	const char *see = row->see ? row->see : "the vendor's document";

	if (unset)
		hint = arena_printf(use->job->arena,
				    "set: {%s: [PORT/tcp]}, or without: [%s]; see %s", unset,
				    row->id, see);
	else
		hint = arena_printf(use->job->arena,
				    "write a rule of your own, and without: [%s]; see %s", row->id,
				    see);
	if (use->job->options->strict)
		diag_error(use->job->d, use->place->loc, -EINVAL, "row-without-ports", hint,
			   "row '%s' (%s) has no ports: nothing is opened for it", row->id, place);
	else
		diag_warning(use->job->d, use->place->loc, "row-without-ports", hint,
			     "row '%s' (%s) has no ports: nothing is opened for it", row->id,
			     place);
}

static bool row_services(struct use *use, const struct row *row, struct services *out)
{
	const char *unset = NULL;
	const struct node *port;

	for_children(port, row->ports)
	{
		if (row_port(use, port, out, &unset))
			continue;
		if (unset)
			refuse_portless(use, row, unset);
		return false;
	}
	if (out->count)
		return true;
	refuse_portless(use, row, NULL);
	return false;
}

/* ---------------------------------------------------------------- peers */

void use_note_missing(struct use *use, const struct row *row, const struct node *names,
		      struct role_state *state)
{
	const struct node *name;

	words_add(use->job, &state->missing, row->id);
	if (!state->first)
		state->first = row;
	if (!names)
		return;
	for_children(name, names)
	{
		const char *unset = template_expand(use->job, &use->settings, name, &state->names);

		if (unset)
			state->unset = unset;
	}
}

/* The names of a row are those of the end that listens. */
static const struct node *row_names(const struct row *row, const struct role *role)
{
	return role == row->to && row->names ? row->names : role->names;
}

static bool row_peers(struct use *use, const struct row *row, const struct role *role,
		      struct peers *out)
{
	struct role_state *state = role_state(use, role);
	const struct node *names = row_names(row, role);

	if (state->peers_node) {
		*out = state->peers;
		return !state->bad;
	}
	if ((role->address_count || role->needs_local) && !names) {
		out->needs_local = role->needs_local;
		out->list = role->addresses;
		out->count = role->address_count;
		return true;
	}
	use_note_missing(use, row, names, state);
	return false;
}

const char *missing_rows_text(struct use *use, const struct role_state *state)
{
	const char *text = arena_printf(use->job->arena, "row '%s' (%s)", state->first->id,
					row_place_text(use->job, use->table, state->first));

	for (size_t i = 1; i < state->missing.count && i < 4; i++)
		text = arena_printf(use->job->arena, "%s, '%s'", text, state->missing.list[i]);
	if (state->missing.count > 4)
		text = arena_printf(use->job->arena, "%s and %zu more", text,
				    state->missing.count - 4);
	return text;
}

const char *missing_peer_hint(struct use *use, const struct role *role,
			      const struct role_state *state, const char *key)
{
	const char *text = arena_printf(use->job->arena, "%s: {%s: [%s]}", key, role->name,
					str_equal(key, "peers") ? "ADDRESS or prefixes/NAME"
								: "HOST, ADDRESS or prefixes/NAME");

	text = arena_printf(use->job->arena, "%s, or without: [", text);
	for (size_t i = 0; i < state->missing.count; i++)
		text = arena_printf(use->job->arena, "%s%s%s", text, i ? ", " : "",
				    state->missing.list[i]);
	text = arena_printf(use->job->arena, "%s]", text);
	if (state->first->when_count)
		text = arena_printf(use->job->arena, "%s, or a narrower 'set' of %s", text,
				    state->first->when[0].param->name);
	return text;
}

static void report_missing_role(struct use *use, const struct role *role,
				const struct role_state *state)
{
	const struct node *peers = map_get(use->node, "peers");
	struct loc loc = peers ? peers->key->loc : use->place->loc;
	const char *rows = missing_rows_text(use, state),
		   *hint = missing_peer_hint(use, role, state, "peers");

	if (state->unset)
		diag_error(use->job->d, loc, -EINVAL, "missing-param",
			   arena_printf(use->job->arena, "set: {%s: …}, or %s", state->unset, hint),
			   "%s: the names of role '%s' need param '%s', which is not set", rows,
			   role->name, state->unset);
	else if (state->names.count)
		diag_error(
			use->job->d, loc, -EINVAL, "name-unsupported", hint,
			"%s: role '%s' is known only by name (%s), and addresses are not learned from DNS in this version",
			rows, role->name, words_text(use->job->arena, &state->names));
	else
		diag_error(use->job->d, loc, -EINVAL, "missing-peer", hint,
			   "%s: no peer is given for role '%s'", rows, role->name);
}

void use_report_missing(struct use *use)
{
	for (size_t i = 0; i < use->table->role_count; i++)
		if (use->roles[i].missing.count)
			report_missing_role(use, &use->table->roles[i], &use->roles[i]);
}

/* ---------------------------------------------------------------- the rule */

static const struct origin *row_origin(struct job *job, const struct table *table,
				       const struct row *row)
{
	struct origin *origin = arena_alloc(job->arena, sizeof(*origin));

	*origin = (struct origin){.table = table->name,
				  .row = row->id,
				  .line = row->line,
				  .lines = row->lines,
				  .edition = table->edition,
				  .document = table->document,
				  .title = table->title,
				  .url = table->url,
				  .read = table->read,
				  .section = row->section,
				  .purpose = row->purpose,
				  .from = row->from->name,
				  .to = row->to->name,
				  .note = row->note,
				  .optional = row->optional};
	return origin;
}

/* `any`, or a prefix that covers a family. */
static bool peers_are_everybody(const struct peers *peers)
{
	for (size_t i = 0; i < peers->count; i++)
		if (peers->list[i].length == (prefix_is_v4(&peers->list[i]) ? 96 : 0))
			return true;
	return peers->any;
}

static void refuse_outside(struct use *use, const struct row *row, const struct role *role)
{
	diag_error(use->job->d, role_state(use, role)->peers_node->loc, -EINVAL, "internal-row",
		   arena_printf(use->job->arena, "give their addresses, or without: [%s]", row->id),
		   "row '%s' (%s) is for internal networks only: '%s' cannot be any", row->id,
		   row_place_text(use->job, use->table, row), role->name);
}

/* All names of the role as a peer: its own, and those of rows that have others. */
static void collect_names(struct use *use, struct role_state *state, const struct role *role,
			  const struct node *names)
{
	struct words found = {0};
	const struct node *name;

	if (!names || (names == role->names && state->has_own))
		return;
	state->has_own |= names == role->names;
	for_children(name, names) template_fill(use->job, &use->settings, name, &found);
	for (size_t i = 0; i < found.count; i++)
		if (!words_have(&state->known, found.list[i]))
			words_add(use->job, &state->known, found.list[i]);
}

void use_resolve_row(struct use *use, const struct row *row, uint8_t dir)
{
	const struct role *role = dir == FR_EGRESS ? row->to : row->from;
	struct services services = {0};
	struct peers peers = {0};
	struct rule rule;

	role_state(use, role)->wanted = true;
	collect_names(use, role_state(use, role), role, row_names(row, role));
	if (!row_services(use, row, &services) || !row_peers(use, row, role, &peers))
		return;
	if (row->internal && peers_are_everybody(&peers)) {
		refuse_outside(use, row, role);
		return;
	}
	rule = (struct rule){
		.id = arena_printf(use->job->arena, "%s/%s", use->table->name, row->id),
		.dir = dir,
		.action = FR_ALLOW,
		.answers = row->answers,
		.needs_local = peers.needs_local,
		.any_peer = peers.any,
		.peers = peers.list,
		.peer_count = (uint32_t)peers.count,
		.services = services.list,
		.service_count = (uint32_t)services.count,
		.origin = row_origin(use->job, use->table, row),
		.role = role->name,
		.loc = use->place->loc,
	};
	draft_add(use->job, use->draft, rule, true);
}
