/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The roles of a table, and which are part of which.
 */
#include <errno.h>

#include "table.h"

const struct role *role_known(struct job *job, const struct table *table, const struct node *node)
{
	const struct role *role = role_find(table, node->text);

	if (!role)
		diag_error(job->d, node->loc, -EINVAL, "unknown-role",
			   hint_roles(job, table, node->text),
			   "role '%.80s' is not declared in 'roles'", node->text);
	return role;
}

static bool names_check(struct job *job, const struct table *table, const struct node *names)
{
	const struct node *name;
	bool good = true;

	if (!want_list(job->d, names, "'names'"))
		return false;
	for_children(name, names) if (!want_text(job->d, name, "a name") ||
				      !template_check(job, table, name)) good = false;
	return good && names->first;
}

static void addresses_parse(struct job *job, const struct node *node, struct role *role)
{
	struct prefix_sets none = {0};
	struct peers peers = {0};

	if (!peers_parse(job, &none, node, "'addresses'", &peers))
		return;
	role->addresses = peers.list;
	role->address_count = peers.count;
	role->needs_local = peers.needs_local;
	if (peers.any)
		diag_error(job->d, node->loc, -EINVAL, "bad-address", NULL,
			   "a table's 'addresses' cannot be 'any'; the policy gives the peers");
}

static void expect_parse(struct job *job, const struct node *node, struct role *role)
{
	static const char *const keys[] = {"count", "note"};
	const char *text;

	if (node->kind == NODE_MAP && want_keys(job->d, node, "'expect'", keys, ARRAY_SIZE(keys)))
		node = map_need(job->d, node, "'expect'", "count");
	text = node ? want_text(job->d, node, "'expect'") : NULL;
	if (text && (parse_u64(text, 1 << 20, &role->expect) || role->expect == 0))
		diag_error(job->d, node->loc, -EINVAL, "unknown-value", NULL,
			   "'expect' is a number of addresses, not '%.80s'", text);
}

/* Roles of the table, each once. */
static bool includes_check(struct job *job, const struct table *table, const struct node *includes)
{
	struct index seen = {.arena = job->arena};
	unsigned errors = job->d->errors;
	const struct node *item;

	if (!want_items(job->d, includes, "'includes'"))
		return false;
	for_items(item, includes)
	{
		const char *name = want_text(job->d, item, "a role");

		if (!name)
			continue;
		role_known(job, table, item);
		if (index_insert(&seen, name, item))
			diag_error(job->d, item->loc, -EINVAL, "duplicate-member", NULL,
				   "'%.80s' is in this list already", name);
	}
	return job->d->errors == errors;
}

/* A role on the way down from one to the roles that it includes. */
struct visit {
	const struct role *from; /* the role above, which includes it */
	const struct node *next; /* of its own, to be visited */
	bool begun, open;
};

static void circle_refuse(struct job *job, const struct node *item, const struct role *whole)
{
	if (str_equal(item->text, whole->name))
		diag_error(job->d, item->loc, -EINVAL, "role-circle", NULL,
			   "role '%.80s' cannot include itself", whole->name);
	else
		diag_error(job->d, item->loc, -EINVAL, "role-circle", "leave it out of one of them",
			   "role '%.80s' cannot include '%.80s', which includes it already",
			   whole->name, item->text);
}

static void visit_begin(struct visit *visit, const struct role *role, const struct role *from)
{
	*visit = (struct visit){.from = from, .begun = true, .open = true};
	visit->next = role->includes ? items_first(role->includes) : NULL;
}

/* All roles below one; a role that is met again on the way down is an error. */
static void circles_below(struct job *job, const struct table *table, const struct role *role,
			  struct visit *visits)
{
	visit_begin(&visits[role - table->roles], role, NULL);
	while (role) {
		struct visit *visit = &visits[role - table->roles], *below;
		const struct node *item = visit->next;
		const struct role *part;

		if (!item) {
			visit->open = false;
			role = visit->from;
			continue;
		}
		visit->next = items_next(role->includes, item);
		part = role_find(table, item->text);
		below = &visits[part - table->roles];
		if (below->open) {
			circle_refuse(job, item, role);
		} else if (!below->begun) {
			visit_begin(below, part, role);
			role = part;
		}
	}
}

static void includes_parse(struct job *job, struct table *table)
{
	struct visit *visits = arena_alloc(job->arena, table->role_count * sizeof(*visits));

	for (size_t i = 0; i < table->role_count; i++) {
		struct role *role = &table->roles[i];

		if (role->includes && !includes_check(job, table, role->includes))
			role->includes = NULL;
	}
	for (size_t i = 0; i < table->role_count; i++)
		if (!visits[i].begun)
			circles_below(job, table, &table->roles[i], visits);
}

static void role_parse(struct job *job, const struct table *table, const struct node *node,
		       struct role *role)
{
	static const char *const keys[] = {"title",  "names",	 "addresses",
					   "expect", "includes", "describe"};
	const struct node *value;

	role->name = node->key->text;
	role->loc = node->key->loc;
	want_key_name(job->d, node->key, "role", &role->name);
	if (node_is_null(node) || !want_keys(job->d, node, "a role", keys, ARRAY_SIZE(keys)))
		return;
	role->title = text_get(job, node, "title");
	role->describe = text_get(job, node, "describe");
	role->includes = map_get(node, "includes");
	value = map_get(node, "names");
	if (value && names_check(job, table, value))
		role->names = value;
	value = map_get(node, "addresses");
	if (value)
		addresses_parse(job, value, role);
	value = map_get(node, "expect");
	if (value)
		expect_parse(job, value, role);
}

static size_t count_children(const struct node *node)
{
	const struct node *child;
	size_t count = 0;

	for_children(child, node) count++;
	return count;
}

void table_roles_parse(struct job *job, const struct node *roles, struct table *table)
{
	const struct node *role;

	if (!want_map(job->d, roles, "'roles'"))
		return;
	table->roles = arena_alloc(job->arena, count_children(roles) * sizeof(*table->roles));
	for_children(role, roles) role_parse(job, table, role, &table->roles[table->role_count++]);
	includes_parse(job, table);
}
