/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The keys that only a resolved policy has: the tables and prefix sets that a policy was made of,
 * and the row and line of each rule. All else is read as in a policy.
 */
#include <errno.h>
#include <string.h>

#include "resolved.h"

/* ---------------------------------------------------------------- values */

static const char *text_parse(struct job *job, const struct node *map, const char *key)
{
	const struct node *node = map_get(map, key);
	const char *text =
		node ? want_text(job->d, node, arena_printf(job->arena, "'%s'", key)) : NULL;

	return text ? arena_strdup(job->arena, text) : NULL;
}

static bool line_parse(struct job *job, const struct node *node, uint32_t *out)
{
	const char *text = node ? want_text(job->d, node, "'line'") : NULL;
	uint64_t line;

	if (!node)
		return true;
	if (text && (parse_u64(text, UINT32_MAX, &line) || !line)) {
		diag_error(job->d, node->loc, -EINVAL, "bad-line", NULL,
			   "a line is a number from 1, not '%.80s'", text);
		return false;
	}
	if (text)
		*out = (uint32_t)line;
	return text;
}

static struct word_list words_parse(struct job *job, const struct node *node, const char *what)
{
	struct words words = {0};
	const struct node *item;

	if (!node || !want_items(job->d, node, what))
		return (struct word_list){0};
	for_items(item, node)
	{
		const char *text = want_text(job->d, item, what);

		if (text)
			words_add(job, &words, text);
	}
	return (struct word_list){words.list, words.count};
}

/* ---------------------------------------------------------------- tables */

static size_t children_count(const struct node *node)
{
	const struct node *child;
	size_t count = 0;

	for_children(child, node) count++;
	return count;
}

static void params_parse_used(struct job *job, const struct node *set, struct used_table *table)
{
	const struct node *value;

	if (!set || !want_map(job->d, set, "'set'"))
		return;
	table->params = arena_alloc(job->arena, children_count(set) * sizeof(*table->params));
	for_children(value, set) table->params[table->param_count++] =
		(struct used_param){value->key->text, words_parse(job, value, "a value of 'set'")};
}

static void roles_parse_used(struct job *job, struct draft *draft, const struct node *roles,
			     struct used_table *table)
{
	const struct node *node;

	if (!roles || !want_map(job->d, roles, "'peers'"))
		return;
	table->roles = arena_alloc(job->arena, children_count(roles) * sizeof(*table->roles));
	for_children(node, roles)
	{
		struct used_role *role = &table->roles[table->role_count++];
		struct peers peers = {0};

		peers_parse(job, &draft->sets, node, "'peers'", &peers);
		*role = (struct used_role){node->key->text, peers.any, peers.needs_local,
					   peers.list, peers.count};
	}
}

static void table_parse_used(struct job *job, struct draft *draft, const struct node *node,
			     struct used_table *table)
{
	static const char *const keys[] = {"table", "edition", "title", "document", "url",  "read",
					   "file",  "line",    "as",	"set",	    "peers"};

	if (!want_keys(job->d, node, "a used table", keys, ARRAY_SIZE(keys)) ||
	    !map_need(job->d, node, "a used table", keys[0]))
		return;
	table->name = text_parse(job, node, "table");
	table->edition = text_parse(job, node, "edition");
	table->title = text_parse(job, node, "title");
	table->document = text_parse(job, node, "document");
	table->url = text_parse(job, node, "url");
	table->read = text_parse(job, node, "read");
	table->file = text_parse(job, node, "file");
	line_parse(job, map_get(node, "line"), &table->line);
	table->played = words_parse(job, map_get(node, "as"), "'as'");
	params_parse_used(job, map_get(node, "set"), table);
	roles_parse_used(job, draft, map_get(node, "peers"), table);
}

static void tables_parse(struct job *job, const struct node *list, struct draft *draft)
{
	struct ruleset *rs = draft->rs;
	const struct node *node;

	if (!list || !want_list(job->d, list, "'tables'"))
		return;
	rs->tables = arena_alloc(job->arena, children_count(list) * sizeof(*rs->tables));
	for_children(node, list) table_parse_used(job, draft, node, &rs->tables[rs->table_count++]);
}

/* ---------------------------------------------------------------- prefix sets */

static void file_parse(struct job *job, const struct node *node, struct prefix_set *set)
{
	const struct node *date = map_get(node, "dated"), *form = map_get(node, "format");
	const char *dated = text_parse(job, node, "dated"), *format;

	set->file = text_parse(job, node, "file");
	if (dated && !date_parse(dated, &set->dated))
		diag_error(job->d, date->loc, -EINVAL, "bad-prefixes", "such as 2026-11-21",
			   "'%.80s' is no date", dated);
	format = text_parse(job, node, "format");
	set->is_aws = str_equal(format, "aws");
	if (format && !set->is_aws)
		diag_error(job->d, form->loc, -EINVAL, "bad-prefixes", "format: aws, or none",
			   "'%.80s' is no format", format);
}

static void set_parse(struct job *job, const struct node *node, struct prefix_set *set)
{
	static const char *const keys[] = {"file", "dated", "format", "addresses"};
	struct prefix_sets none = {.by_name.arena = job->arena};
	const struct node *addresses;
	struct peers peers = {0};

	if (!want_keys(job->d, node, "a set of addresses", keys, ARRAY_SIZE(keys)))
		return;
	file_parse(job, node, set);
	addresses = map_need(job->d, node, "a set of addresses", "addresses");
	if (!addresses || !peers_parse(job, &none, addresses, "'addresses'", &peers))
		return;
	if (peers.any || peers.needs_local) {
		diag_error(job->d, addresses->loc, -EINVAL, "bad-prefixes", NULL,
			   "a prefix set has addresses and prefixes only");
		return;
	}
	set->list = peers.list;
	set->count = peers.count;
	set->broken = false;
}

static void sets_parse(struct job *job, const struct node *sets, struct draft *draft)
{
	struct prefix_sets *out = &draft->sets;
	const struct node *node;

	out->by_name.arena = job->arena;
	if (!sets || !want_map(job->d, sets, "'prefixes'"))
		return;
	out->list = arena_alloc(job->arena, children_count(sets) * sizeof(*out->list));
	for_children(node, sets)
	{
		struct prefix_set *set = &out->list[out->count++];

		*set = (struct prefix_set){.name = node->key->text,
					   .loc = node->key->loc,
					   .broken = true,
					   .used = true};
		set_parse(job, node, set);
		for (size_t i = 0; i + 1 < out->count; i++)
			set->file_again |= set->file && str_equal(out->list[i].file, set->file);
		index_insert(&out->by_name, set->name, set);
	}
}

void resolved_parse(struct job *job, const struct node *root, struct draft *draft)
{
	static const char *const keys[] = {"file"};
	const struct node *source = map_get(root, "source");

	if (source && want_keys(job->d, source, "the source", keys, ARRAY_SIZE(keys)))
		draft->rs->file = text_parse(job, source, "file");
	sets_parse(job, map_get(root, "prefixes"), draft);
	tables_parse(job, map_get(root, "tables"), draft);
}

/* ---------------------------------------------------------------- rules */

static bool row_parse(struct job *job, const struct node *row, struct origin *origin)
{
	static const char *const keys[] = {"table", "row", "line",    "lines",
					   "from",  "to",  "optional"};
	const struct node *optional;

	if (!want_keys(job->d, row, "the row of a rule", keys, ARRAY_SIZE(keys)) ||
	    !map_need_all(job->d, row, "the row of a rule", keys, 2))
		return false;
	origin->table = text_parse(job, row, "table");
	origin->row = text_parse(job, row, "row");
	origin->lines = text_parse(job, row, "lines");
	origin->from = text_parse(job, row, "from");
	origin->to = text_parse(job, row, "to");
	optional = map_get(row, "optional");
	if (optional && !want_bool(job->d, optional, "'optional'", &origin->optional))
		return false;
	return line_parse(job, map_get(row, "line"), &origin->line) && origin->table && origin->row;
}

static const char *value_text(struct job *job, const struct node *node, const char *what)
{
	const char *text = node ? want_text(job->d, node, what) : NULL;

	return text ? arena_strdup(job->arena, text) : NULL;
}

bool resolved_rule_parse(struct job *job, const struct resolved_keys *keys, struct rule *rule)
{
	struct origin *origin;

	if (!line_parse(job, keys->line, &rule->line))
		return false;
	rule->role = value_text(job, keys->role, "'role'");
	if (!keys->row)
		return true;
	origin = arena_alloc(job->arena, sizeof(*origin));
	*origin = *rule_origin(rule);
	origin->section = value_text(job, keys->section, "'section'");
	origin->note = value_text(job, keys->note, "'note'");
	rule->origin = origin;
	return row_parse(job, keys->row, origin);
}

static void origin_complete(const struct ruleset *rs, struct origin *origin)
{
	for (size_t i = 0; i < rs->table_count; i++) {
		const struct used_table *table = &rs->tables[i];

		if (!str_equal(table->name, origin->table))
			continue;
		origin->edition = table->edition;
		origin->document = table->document;
		origin->title = table->title;
		origin->url = table->url;
		origin->read = table->read;
	}
}

void resolved_finish(struct draft *draft)
{
	struct ruleset *rs = draft->rs;

	for (size_t i = 0; i < rs->rule_count; i++) {
		struct rule *rule = &rs->rules[i];

		if (str_equal(rule->id, "failsafe/ssh") && rule->any_peer)
			rs->failsafe_open = true;
		if (rule->origin && rule->origin->table)
			origin_complete(rs, (struct origin *)rule->origin);
	}
}
