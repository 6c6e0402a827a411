/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy of one host of a site: a `use` for each role that it plays, with the players of the
 * roles at the other end of its rows as peers. The policy is built of nodes with places in the
 * site's file and resolved like any other, so errors point at the line to correct.
 *
 * A host is never its own peer. Traffic to its own addresses uses loopback, which is always
 * allowed; from outside, its own address is forged.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* Keys that each host's policy has as the site has them. */
static const char *const common_keys[] = {"rules",     "failsafe",  "default", "builtin",
					  "forwarded", "ipsec",	    "non-ip",  "adopt",
					  "timeouts",  "resolvers", "names"};

static bool site_key_passes(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(common_keys); i++)
		if (str_equal(common_keys[i], key))
			return true;
	return false;
}

/* One role of one use, as this host plays it. */
struct played_role {
	struct site *site;
	const struct site_host *host;
	struct site_use *su;
	const struct role *role;
	struct node *node; /* the policy's `use` */
	struct node *peers;
	struct plan_use *plan;
	struct plan_left_out *left_out; /* of the plan */
};

/* ---------------------------------------------------------------- peers */

/* One more at the end of a list; returns where the next one belongs. */
static struct node **append_peer(struct played_role *played_role, const struct site_member *member,
				 const struct node *text, struct plan_peer *plan, struct node **end)
{
	struct arena *arena = played_role->site->job->arena;
	struct node *copy = node_scalar(arena, text->text, member->node->loc);

	copy->plain = text->plain;
	*plan = (struct plan_peer){.text = node_text(arena, text),
				   .host = member->host ? member->host->name : NULL};
	*end = copy;
	return &copy->next;
}

static size_t members_room(const struct site_role *role)
{
	size_t room = 0;

	for (size_t i = 0; i < role->member_count; i++)
		room += role->members[i].host ? role->members[i].host->address_count : 1;
	return room;
}

/* All players of the role but this host. */
static size_t append_members(struct played_role *played_role, const struct site_role *role,
			     struct plan_peer *plan, struct node **end)
{
	size_t count = 0;

	for (size_t i = 0; i < role->member_count; i++) {
		const struct site_member *member = &role->members[i];
		const struct site_host *host = member->host;

		if (host == played_role->host)
			continue;
		if (!host)
			end = append_peer(played_role, member, member->node, &plan[count++], end);
		for (size_t k = 0; host && k < host->address_count; k++)
			end = append_peer(played_role, member, host->addresses[k], &plan[count++],
					  end);
	}
	return count;
}

static void append_role_peers(struct played_role *played_role, const struct role *other,
			      struct plan_peers *plan)
{
	const struct site_role *role =
		&played_role->su->roles[other - played_role->su->use.table->roles];
	struct arena *arena = played_role->site->job->arena;
	struct node *list = node_branch(arena, NODE_LIST, role->node->loc);
	struct plan_peer *peers = arena_alloc(arena, members_room(role) * sizeof(*peers));

	*plan = (struct plan_peers){.role = other->name,
				    .line = role->node->key->loc.line,
				    .list = peers,
				    .count =
					    append_members(played_role, role, peers, &list->first)};
	list->key = role->node->key;
	node_append(arena, played_role->peers, other->name, list);
}

/* ---------------------------------------------------------------- rows */

enum standing { ROW_OFF, ROW_ALONE, ROW_ON };

/* The role at the other end of a row, which may be the same one. */
static const struct role *row_other(const struct row *row, const struct role *played)
{
	return row->from == played ? row->to : row->from;
}

static enum standing row_standing(const struct played_role *played_role, const struct row *row)
{
	const struct table *table = played_role->su->use.table;
	const struct site_role *other;

	if (!played_role->su->stands[row - table->rows] ||
	    (row->from != played_role->role && row->to != played_role->role))
		return ROW_OFF;
	other = &played_role->su->roles[row_other(row, played_role->role) - table->roles];
	return !other->node || role_has_others(other, played_role->host) ? ROW_ON : ROW_ALONE;
}

/* The roles at the other ends of the rows that are on, in the table's order. */
static void append_peers(struct played_role *played_role)
{
	const struct table *table = played_role->su->use.table;
	struct arena *arena = played_role->site->job->arena;
	bool *on = arena_alloc(arena, table->role_count * sizeof(*on));
	struct plan_peers *plans;

	for (size_t i = 0; i < table->row_count; i++)
		if (row_standing(played_role, &table->rows[i]) == ROW_ON)
			on[row_other(&table->rows[i], played_role->role) - table->roles] = true;
	plans = arena_alloc(arena, table->role_count * sizeof(*plans));
	played_role->peers = node_branch(arena, NODE_MAP, played_role->su->use.node->loc);
	for (size_t i = 0; i < table->role_count; i++)
		if (on[i] && played_role->su->roles[i].node)
			append_role_peers(played_role, &table->roles[i],
					  &plans[played_role->plan->peer_count++]);
	played_role->plan->peers = plans;
	if (played_role->peers->first)
		node_append(arena, played_role->node, "peers", played_role->peers);
}

static void row_leave_out(struct played_role *played_role, const struct row *row, const char *alone,
			  struct node *list)
{
	const struct node *named =
		played_role->su->use.rows[row - played_role->su->use.table->rows].without;

	played_role->left_out[played_role->plan->without_count++] =
		(struct plan_left_out){.row = row->id, .alone = alone};
	node_append(played_role->site->job->arena, list, NULL,
		    node_scalar(played_role->site->job->arena, row->id,
				named ? named->loc : played_role->su->use.place->loc));
}

/* Would it be active if `without` did not name it? */
static bool row_named_off(const struct played_role *played_role, const struct row *row)
{
	const struct row_state *state =
		&played_role->su->use.rows[row - played_role->su->use.table->rows];

	return state->without && state->selected && (!row->optional || state->with) &&
	       (row->from == played_role->role || row->to == played_role->role);
}

static size_t select_rows(struct played_role *played_role)
{
	const struct table *table = played_role->su->use.table;
	struct arena *arena = played_role->site->job->arena;
	struct node *with = node_branch(arena, NODE_LIST, played_role->su->use.place->loc);
	struct node *without = node_branch(arena, NODE_LIST, played_role->su->use.place->loc);
	const char **named = arena_alloc(arena, table->row_count * sizeof(*named));
	size_t on = 0;

	played_role->plan->with = named;
	played_role->left_out =
		arena_alloc(arena, table->row_count * sizeof(*played_role->left_out));
	played_role->plan->without = played_role->left_out;
	for (size_t i = 0; i < table->row_count; i++) {
		const struct row *row = &table->rows[i];
		enum standing standing = row_standing(played_role, row);

		on += standing == ROW_ON;
		if (standing == ROW_ON && row->optional) {
			named[played_role->plan->with_count++] = row->id;
			node_append(arena, with, NULL, played_role->su->use.rows[i].with);
		} else if (standing == ROW_ALONE && !row->optional) {
			row_leave_out(played_role, row, row_other(row, played_role->role)->name,
				      without);
		} else if (row_named_off(played_role, row)) {
			row_leave_out(played_role, row, NULL, without);
		}
	}
	if (with->first)
		node_append(arena, played_role->node, "with", with);
	if (without->first)
		node_append(arena, played_role->node, "without", without);
	return on;
}

/* ---------------------------------------------------------------- uses */

/* The policy of a host has the edition by which the site was read. */
static void append_edition(struct played_role *played_role)
{
	const struct use *use = &played_role->su->use;
	const struct node *given = map_get(use->node, "edition");
	struct arena *arena = played_role->site->job->arena;

	if (use->table->edition)
		node_append(arena, played_role->node, "edition",
			    node_scalar(arena, use->table->edition,
					given ? given->loc : use->place->loc));
}

static void append_use(struct played_role *played_role, const struct site_part *played,
		       struct node *uses)
{
	struct arena *arena = played_role->site->job->arena;
	const struct node *set = map_get(played_role->su->use.node, "set");
	const struct node *place = played->member->node;

	played_role->node = node_branch(arena, NODE_MAP, played_role->su->use.node->loc);
	*played_role->plan = (struct plan_use){
		.table = played_role->su->use.table->name,
		.edition = played_role->su->use.table->edition,
		.role = played_role->role->name,
		.line = place->loc.line,
	};
	if (played->by)
		played_role->plan->by = node_text(arena, played->by);
	if (set)
		played_role->plan->set = node_text(arena, set);
	node_append(arena, played_role->node, "table", played_role->su->use.place);
	append_edition(played_role);
	node_append(arena, played_role->node, "as",
		    node_scalar(arena, played_role->role->name, place->loc));
	if (set)
		node_append(arena, played_role->node, "set", set);
	append_peers(played_role);
	if (select_rows(played_role))
		node_append(arena, uses, NULL, played_role->node);
	else
		played_role->plan->idle = true;
}

static size_t roles_played(const struct site *site, size_t number)
{
	size_t count = 0;

	for (size_t i = 0; i < site->use_count; i++)
		for (size_t k = 0; site->uses[i].good && k < site->uses[i].use.table->role_count;
		     k++)
			if (site->uses[i].roles[k].parts)
				count += site->uses[i].roles[k].parts[number].member != NULL;
	return count;
}

static struct node *uses_make(struct site *site, const struct site_host *host, struct plan *out)
{
	struct arena *arena = site->job->arena;
	size_t number = (size_t)(host - site->hosts);
	struct node *uses = node_branch(arena, NODE_LIST, host->loc);
	struct plan_use *plans = arena_alloc(arena, roles_played(site, number) * sizeof(*plans));

	for (size_t i = 0; i < site->use_count; i++) {
		struct site_use *su = &site->uses[i];

		for (size_t k = 0; su->good && k < su->use.table->role_count; k++) {
			struct played_role played_role = {.site = site,
							  .host = host,
							  .su = su,
							  .role = &su->use.table->roles[k],
							  .plan = &plans[out->use_count]};

			if (!su->roles[k].parts || !su->roles[k].parts[number].member)
				continue;
			out->use_count++;
			append_use(&played_role, &su->roles[k].parts[number], uses);
		}
	}
	out->uses = plans;
	return uses;
}

/* ---------------------------------------------------------------- the policy's other keys */

/* A set with the path of its file from the root: the policy may be put anywhere. */
static struct node *set_rooted(struct site *site, const struct node *set)
{
	struct arena *arena = site->job->arena;
	const char *slash = strrchr(site->path, '/');
	char *dir CLEANUP(free_ptr) = realpath(
		slash ? arena_strndup(arena, site->path, (size_t)(slash - site->path + 1)) : ".",
		NULL);
	struct node *out = node_branch(arena, NODE_MAP, set->loc);
	const struct node *value;

	for_children(value, set)
	{
		struct node *copy = node_append(arena, out, value->key->text, value);

		if (dir && str_equal(value->key->text, "file") && copy->text &&
		    copy->text[0] != '/')
			copy->text = arena_printf(arena, "%s/%s", dir, copy->text);
	}
	out->key = set->key;
	return out;
}

static struct node *sets_rooted(struct site *site, const struct draft *draft,
				const struct node *sets)
{
	struct node *out = node_branch(site->job->arena, NODE_MAP, sets->loc);

	for (size_t i = 0; i < draft->sets.count; i++) {
		const struct prefix_set *set = &draft->sets.list[i];

		/* A set that is no map was reported already. */
		if (set->used && map_get(sets, set->name)->kind == NODE_MAP)
			node_append(site->job->arena, out, set->name,
				    set_rooted(site, map_get(sets, set->name)));
	}
	out->key = sets->key;
	return out;
}

static const struct node *own_or_common(const struct site *site, const struct site_host *host,
					const char *key)
{
	const struct node *own = host->node->kind == NODE_MAP ? map_get(host->node, key) : NULL;

	return own ? own : map_get(site->root, key);
}

/* A stand-in for a value whose error was reported once for the site. */
static const struct node *stand_in(struct arena *arena, const char *key, struct loc loc)
{
	struct node *list = node_branch(arena, NODE_LIST, loc);
	struct node *attach = node_branch(arena, NODE_MAP, loc);

	if (str_equal(key, "mode"))
		return node_scalar(arena, "audit", loc);
	node_append(arena, list, NULL, node_scalar(arena, "eth0", loc));
	node_append(arena, attach, "interfaces", list);
	return attach;
}

static struct node *root_make(struct site *site, const struct site_host *host, struct plan *out)
{
	static const char *const own[] = {"mode", "attach"};
	struct arena *arena = site->job->arena;
	struct node *root = node_branch(arena, NODE_MAP, host->loc);
	struct node *metadata = node_branch(arena, NODE_MAP, host->loc);
	const struct node *value, *uses;

	out->policy = name_is_kebab(host->name)
			      ? arena_printf(arena, "%s-%s", site->name, host->name)
			      : site->name;
	node_append(arena, metadata, "name", node_scalar(arena, out->policy, host->loc));
	node_append(arena, root, "metadata", metadata);
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		value = own_or_common(site, host, own[i]);
		node_append(arena, root, own[i],
			    value ? value : stand_in(arena, own[i], host->loc));
	}
	uses = uses_make(site, host, out);
	if (uses->first && !site->hosts_broken)
		node_append(arena, root, "use", uses);
	for_children(value, site->root) if (site_key_passes(value->key->text))
		node_append(arena, root, value->key->text, value);
	return root;
}

static const char *item_text(struct arena *arena, const struct node *parent,
			     const struct node *item)
{
	const char *text = node_text(arena, item);

	if (parent->kind == NODE_MAP)
		return arena_printf(arena, "%s: %s", item->key->text, text);
	return arena_printf(arena, "- %s", text);
}

/* A key of the policy as a file has it. */
static struct plan_key plan_key_of(struct arena *arena, const struct node *value)
{
	struct plan_key out = {.key = value->key->text};
	const struct node *item;
	const char **items;
	bool long_one = value->kind != NODE_SCALAR;

	/* Lists of maps and maps of maps: each item gets its own line. */
	if (long_one)
		for_children(item, value) long_one &= item->kind == NODE_MAP;
	if (!long_one || !value->first) {
		out.value = node_text(arena, value);
		return out;
	}
	for_children(item, value) out.item_count++;
	items = arena_alloc(arena, out.item_count * sizeof(*items));
	out.item_count = 0;
	for_children(item, value) items[out.item_count++] = item_text(arena, value, item);
	out.items = items;
	return out;
}

/* Head: keys of mode and place; tail: keys common to the whole site. */
static void keys_text(struct site *site, const struct node *root, const struct draft *draft,
		      struct plan *out)
{
	static const char *const head[] = {"mode", "attach"};
	struct arena *arena = site->job->arena;
	const struct node *value, *sets = map_get(site->root, "prefixes");
	struct plan_key *heads = arena_alloc(arena, (ARRAY_SIZE(head) + 1) * sizeof(*heads));
	struct plan_key *tails;
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(head); i++)
		if (map_get(root, head[i]))
			heads[out->head_count++] = plan_key_of(arena, map_get(root, head[i]));
	if (sets && sets->kind == NODE_MAP) {
		struct node *used = sets_rooted(site, draft, sets);

		if (used->first)
			heads[out->head_count++] = plan_key_of(arena, used);
	}
	for_children(value, root) count++;
	tails = arena_alloc(arena, count * sizeof(*tails));
	for_children(value, root) if (site_key_passes(value->key->text)) tails[out->tail_count++] =
		plan_key_of(arena, value);
	out->head = heads;
	out->tail = tails;
}

/* ---------------------------------------------------------------- the whole */

/* The site's sets with a mark of their own each, so that a host has those that it names. */
static void sets_copy(struct site *site, struct draft *draft)
{
	size_t count = site->draft.sets.count;
	struct prefix_set *list = arena_alloc(site->job->arena, count * sizeof(*list));

	draft->sets = (struct prefix_sets){
		.list = list, .count = count, .by_name.arena = site->job->arena};
	for (size_t i = 0; i < count; i++) {
		list[i] = site->draft.sets.list[i];
		list[i].used = false;
		index_insert(&draft->sets.by_name, list[i].name, &list[i]);
	}
}

/* A set that no host uses is reported for the whole site. */
static void sets_merge_used(struct site *site, struct draft *draft)
{
	for (size_t i = 0; i < draft->sets.count; i++) {
		site->draft.sets.list[i].used |= draft->sets.list[i].used;
		draft->sets.list[i].used = true;
	}
}

void site_host_resolve(struct site *site, const struct site_host *host, struct plan *out)
{
	struct job *job = site->job;
	struct draft draft;
	struct node *root;

	*out = (struct plan){.host = host->name};
	root = root_make(site, host, out);
	draft_begin(job, site->root->loc.source, site->path, &draft);
	draft.tables = site->draft.tables;
	sets_copy(site, &draft);
	policy_parse(job, root, &draft);
	rules_resolve(job, root, &draft);
	keys_text(site, root, &draft, out);
	sets_merge_used(site, &draft);
	if (!site->broken)
		policy_check(job, root, &draft);
	out->rs = draft.rs;
}
