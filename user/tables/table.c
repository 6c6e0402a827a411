/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PortTable: its metadata; params.c, roles.c and row.c parse the rest. Nothing is resolved here:
 * a table is the same for every use.
 */
#include <errno.h>
#include <string.h>

#include "table.h"

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

static const char *url_parse(struct job *job, const struct node *map)
{
	const struct node *node = map_get(map, "url");
	const char *text = text_get(job, map, "url");

	if (!text || is_url(text))
		return text;
	diag_error(job->d, node->loc, -EINVAL, "bad-url",
		   "url: https://docs.example.com/ports.html",
		   "'%.80s' is not the address of a document: http:// or https://, without spaces",
		   text);
	return NULL;
}

static const char *read_parse(struct job *job, const struct node *map)
{
	const struct node *node = map_get(map, "read");
	const char *text = text_get(job, map, "read");
	uint64_t seconds;

	if (!text || date_parse(text, &seconds))
		return text;
	diag_error(job->d, node->loc, -EINVAL, "bad-date", "read: 2026-11-21",
		   "'%.80s' is not a date: year, month and day, as in 2026-11-21", text);
	return NULL;
}

static void edition_parse(struct job *job, const struct node *metadata, struct table *table)
{
	const struct node *node = map_get(metadata, "edition");
	const char *text = text_get(job, metadata, "edition");

	if (!text)
		return;
	table->edition = text;
	table->edition_loc = node->loc;
	if (!edition_is_good(text))
		diag_error(job->d, node->loc, -EINVAL, "bad-date", "edition: 2026-11",
			   "'%.80s' is not an edition: year and month, as in 2026-11", text);
}

/* `document: {title, url, read}`, or the three beside each other. */
static void document_parse(struct job *job, const struct node *metadata, struct table *table)
{
	static const char *const keys[] = {"title", "url", "read"};
	const struct node *document = map_get(metadata, "document");
	bool is_map = document && document->kind == NODE_MAP;

	if (is_map && !want_keys(job->d, document, "'document'", keys, ARRAY_SIZE(keys)))
		return;
	table->document =
		is_map ? text_get(job, document, "title") : text_get(job, metadata, "document");
	table->url = url_parse(job, is_map ? document : metadata);
	table->read = read_parse(job, is_map ? document : metadata);
	for (size_t i = 1; is_map && i < ARRAY_SIZE(keys); i++) {
		const struct node *stray = map_get(metadata, keys[i]);

		if (stray)
			diag_error(job->d, stray->key->loc, -EINVAL, "unknown-key", NULL,
				   "'%s' is a key of 'document' here", keys[i]);
	}
}

static void metadata_parse(struct job *job, const struct node *root, struct table *table)
{
	static const char *const keys[] = {"name", "title", "edition", "document",
					   "url",  "read",  "origin",  "description"};
	const struct node *metadata = map_need(job->d, root, "a table", "metadata"), *name;

	if (!metadata || !want_keys(job->d, metadata, "'metadata'", keys, ARRAY_SIZE(keys)))
		return;
	name = map_need(job->d, metadata, "'metadata'", "name");
	if (name && want_name(job->d, name, "table name", &table->name))
		table->loc = name->loc;
	table->title = text_get(job, metadata, "title");
	edition_parse(job, metadata, table);
	document_parse(job, metadata, table);
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
	node = map_need(job->d, root, "a table", "roles");
	if (node)
		table_roles_parse(job, node, table);
	node = map_need(job->d, root, "a table", "rows");
	if (node)
		rows_parse(job, node, table);
	return job->d->errors == errors ? table : NULL;
}

bool table_fits(struct job *job, const struct table *table, const char *path,
		struct editions *editions)
{
	if (!edition_fits_path(job, table, path))
		return false;
	editions_beside(job, path, table->name, editions);
	for (size_t i = 0; i < editions->count; i++)
		if (str_equal(path_file(editions->list[i].path), path_file(path)))
			return edition_is_single(job, table, editions, &editions->list[i]);
	return true;
}

int table_load(const char *path, const struct policy_options *options, struct diags *d,
	       struct table_summary *out)
{
	struct job job = {.d = d, .arena = d->arena, .options = options};
	struct table_summary summary = {0};
	struct editions editions = {0};
	unsigned errors = d->errors;
	struct table *table;
	struct node *root;
	int err = doc_load(path, d, &root);

	if (err)
		return err;
	table = table_parse(&job, root);
	if (!table || !table_fits(&job, table, path, &editions) || d->errors != errors)
		return -EINVAL;
	summary.name = table->name;
	summary.edition = table->edition;
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
