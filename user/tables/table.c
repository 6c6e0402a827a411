/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PortTable: metadata and roles; params.c and row.c parse the rest. Nothing is resolved here: a
 * table is the same for every use.
 */
#include <errno.h>
#include <string.h>

#include "table.h"

static const char *optional_text(struct job *job, const struct node *map, const char *key)
{
	const struct node *node = map_get(map, key);

	return node ? want_text(job->d, node, arena_printf(job->arena, "'%s'", key)) : NULL;
}

/* An address that a reader can paste, and that no output has to quote. */
static bool is_url(const char *text)
{
	const char *rest = str_starts(text, "https://") ? text + 8 : text + 7;

	if (!str_starts(text, "https://") && !str_starts(text, "http://"))
		return false;
	if (strspn(rest, "/?#") || !*rest)
		return false;
	for (; *rest; rest++)
		if (*rest <= ' ' || *rest > '~' || strchr("\"<>\\^`{|}", *rest))
			return false;
	return true;
}

static const char *url_parse(struct job *job, const struct node *metadata)
{
	const struct node *node = map_get(metadata, "url");
	const char *text = optional_text(job, metadata, "url");

	if (!text || is_url(text))
		return text;
	diag_error(job->d, node->loc, -EINVAL, "bad-url",
		   "url: https://docs.example.com/ports.html",
		   "'%.80s' is not the address of a document: http:// or https://, without spaces",
		   text);
	return NULL;
}

static const char *read_parse(struct job *job, const struct node *metadata)
{
	const struct node *node = map_get(metadata, "read");
	const char *text = optional_text(job, metadata, "read");
	uint64_t seconds;

	if (!text || date_parse(text, &seconds))
		return text;
	diag_error(job->d, node->loc, -EINVAL, "bad-date", "read: 2026-11-21",
		   "'%.80s' is not a date: year, month and day, as in 2026-11-21", text);
	return NULL;
}

static void metadata_parse(struct job *job, const struct node *root, struct table *table)
{
	static const char *const keys[] = {"name", "title",  "document",   "url",
					   "read", "origin", "description"};
	const struct node *metadata = map_need(job->d, root, "a table", "metadata"), *name;

	if (!metadata || !want_keys(job->d, metadata, "'metadata'", keys, ARRAY_SIZE(keys)))
		return;
	name = map_need(job->d, metadata, "'metadata'", "name");
	if (name && want_name(job->d, name, "table name", &table->name))
		table->loc = name->loc;
	table->title = optional_text(job, metadata, "title");
	table->document = optional_text(job, metadata, "document");
	table->url = url_parse(job, metadata);
	table->read = read_parse(job, metadata);
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

static void role_parse(struct job *job, const struct table *table, const struct node *node,
		       struct role *role)
{
	static const char *const keys[] = {"title", "names", "addresses", "expect", "describe"};
	const struct node *value;

	role->name = node->key->text;
	role->loc = node->key->loc;
	want_key_name(job->d, node->key, "role", &role->name);
	if (node_is_null(node) || !want_keys(job->d, node, "a role", keys, ARRAY_SIZE(keys)))
		return;
	role->title = optional_text(job, node, "title");
	role->describe = optional_text(job, node, "describe");
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

static void roles_parse(struct job *job, const struct node *root, struct table *table)
{
	const struct node *roles = map_need(job->d, root, "a table", "roles"), *role;

	if (!roles || !want_map(job->d, roles, "'roles'"))
		return;
	table->roles = arena_alloc(job->arena, count_children(roles) * sizeof(*table->roles));
	for_children(role, roles) role_parse(job, table, role, &table->roles[table->role_count++]);
}

struct table *table_parse(struct job *job, const struct node *root)
{
	static const char *const keys[] = {"apiVersion", "kind",  "metadata",
					   "params",	 "roles", "rows"};
	struct table *table = arena_alloc(job->arena, sizeof(*table));
	unsigned errors = job->d->errors;
	const struct node *node;

	if (!kind_check(job->d, root, "PortTable"))
		return NULL;
	want_keys(job->d, root, "a table", keys, ARRAY_SIZE(keys));
	table->loc = root->loc;
	metadata_parse(job, root, table);
	node = map_get(root, "params");
	if (node)
		params_parse(job, node, table);
	roles_parse(job, root, table);
	node = map_need(job->d, root, "a table", "rows");
	if (node)
		rows_parse(job, node, table);
	return job->d->errors == errors ? table : NULL;
}

int table_load(const char *path, const struct policy_options *options, struct diags *d,
	       struct table_summary *out)
{
	struct job job = {.d = d, .arena = d->arena, .options = options};
	struct table_summary summary = {0};
	unsigned errors = d->errors;
	struct table *table;
	struct node *root;
	int err = doc_load(path, d, &root);

	if (err)
		return err;
	table = table_parse(&job, root);
	if (!table || d->errors != errors)
		return -EINVAL;
	summary.name = table->name;
	summary.title = table->title;
	summary.document = table->document;
	summary.url = table->url;
	summary.read = table->read;
	summary.rows = table->row_count;
	summary.roles = table->role_count;
	summary.params = table->param_count;
	for (size_t i = 0; i < table->row_count; i++)
		summary.without_ports += table->rows[i].see != NULL;
	*out = summary;
	return 0;
}
