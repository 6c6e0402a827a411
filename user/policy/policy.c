/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stages of a policy: read, parse, resolve, check. Each stage goes on after an error as far
 * as its input makes sense, so that one run reports every mistake.
 */
#include <errno.h>
#include <string.h>

#include "resolved.h"

static void metadata_parse(struct job *job, const struct node *root, struct ruleset *rs)
{
	static const char *const keys[] = {"name", "description"};
	const struct node *metadata = map_get(root, "metadata"), *name;

	if (!metadata || !want_keys(job->d, metadata, "'metadata'", keys, ARRAY_SIZE(keys)))
		return;
	name = map_need(job->d, metadata, "'metadata'", "name");
	if (name)
		want_name(job->d, name, "policy name", &rs->name);
}

static void names_refuse(struct job *job, const struct node *root)
{
	static const char *const keys[] = {"resolvers", "names"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct node *value = map_get(root, keys[i]);

		if (value)
			diag_error(job->d, value->key->loc, -EINVAL, "name-unsupported",
				   "leave it out and give addresses",
				   "'%s': addresses are not learned from DNS in this version",
				   keys[i]);
	}
}

static bool keys_check(struct job *job, const struct node *root, bool resolved)
{
	static const char *const keys[] = {
		"apiVersion", "kind",	  "metadata",  "mode",	  "attach",    "prefixes", "use",
		"rules",      "failsafe", "default",   "builtin", "forwarded", "ipsec",	   "non-ip",
		"adopt",      "timeouts", "resolvers", "names",	  "party"};
	static const char *const keys_resolved[] = {
		"apiVersion", "kind",	  "metadata", "mode",	 "attach", "prefixes",
		"rules",      "failsafe", "default",  "builtin", "ipsec",  "forwarded",
		"non-ip",     "adopt",	  "timeouts", "source",	 "tables", "party"};

	if (resolved)
		return want_keys(job->d, root, "a resolved policy", keys_resolved,
				 ARRAY_SIZE(keys_resolved));
	return want_keys(job->d, root, "a policy", keys, ARRAY_SIZE(keys));
}

void policy_parse(struct job *job, const struct node *root, struct draft *draft)
{
	static const char *const needed[] = {"metadata", "mode", "attach"};
	const struct node *mode, *attach, *party;
	unsigned errors = job->d->errors;

	keys_check(job, root, draft->resolved);
	draft->odd_keys = job->d->errors != errors;
	draft->keys_astray = map_get(root, "direction") || map_get(root, "peer") ||
			     map_get(root, "ports") || map_get(root, "action");
	map_need_all(job->d, root, "a policy", needed, ARRAY_SIZE(needed));
	metadata_parse(job, root, draft->rs);
	mode = map_get(root, "mode");
	if (mode)
		draft->rs->enforce =
			want_word(job->d, mode, "'mode'", mode_names, FR_MODES) == FR_ENFORCE;
	attach = map_get(root, "attach");
	if (attach)
		attach_parse(job, attach, draft);
	party = map_get(root, "party");
	if (!party && attach)
		party = map_get(attach, "party");
	if (party)
		parties_parse(job, party, draft);
	options_parse(job, root, draft);
	names_refuse(job, root);
}

/* The contract has the rules of `use` first: those streamed from the file go behind them. */
static void streamed_last(struct job *job, struct ruleset *rs, size_t streamed)
{
	size_t after = rs->rule_count - streamed;
	struct rule *used;

	if (!streamed || !after)
		return;
	used = arena_alloc(job->arena, after * sizeof(*used));
	memcpy(used, rs->rules + streamed, after * sizeof(*used));
	memmove(rs->rules + after, rs->rules, streamed * sizeof(*used));
	memcpy(rs->rules, used, after * sizeof(*used));
}

void rules_resolve(struct job *job, const struct node *root, struct draft *draft)
{
	const struct node *node = map_get(root, "use");
	size_t streamed = draft->rs->rule_count;

	if (node)
		uses_resolve(job, node, draft);
	streamed_last(job, draft->rs, streamed);
	node = map_get(root, "rules");
	if (node)
		rules_parse(job, node, draft);
	failsafe_parse(job, root, draft);
}

static int read_serially(struct job *job, const struct source *source, struct arena *nodes,
			 struct draft *draft, struct node **root)
{
	struct arena *items CLEANUP(arena_drop) = arena_new();
	struct rule_sink sink = {job, draft};
	struct yaml_reader reader = {.source = source,
				     .nodes = nodes,
				     .list_key = "rules",
				     .on_item = rule_sink_add,
				     .context = &sink,
				     .items = items};
	int err = yaml_read(&reader, job->d, root);

	if (err)
		return err;
	arena_adopt(nodes, TAKE_PTR(items));
	return 0;
}

/* A file once, however many sets are of it. */
static void keep_files(struct job *job, const struct prefix_sets *sets, struct ruleset *rs)
{
	rs->files = arena_alloc(job->arena, (sets->count + 1) * sizeof(*rs->files));
	for (size_t i = 0; i < sets->count; i++)
		if (sets->list[i].file && !sets->list[i].file_again)
			rs->files[rs->file_count++] =
				(struct prefix_file){.path = sets->list[i].file,
						     .dated = sets->list[i].dated,
						     .is_aws = sets->list[i].is_aws};
}

static void sources_parse(struct job *job, const struct node *root, struct draft *draft)
{
	if (draft->resolved)
		resolved_parse(job, root, draft);
	else
		prefix_sets_parse(job, map_get(root, "prefixes"), draft->path, &draft->sets);
}

/* Those that the document has. */
static void sets_record(struct job *job, struct draft *draft)
{
	struct ruleset *rs = draft->rs;

	rs->sets = arena_alloc(job->arena, (draft->sets.count + 1) * sizeof(*rs->sets));
	for (size_t i = 0; i < draft->sets.count; i++) {
		const struct prefix_set *set = &draft->sets.list[i];

		if (set->used)
			rs->sets[rs->set_count++] = (struct used_set){.name = set->name,
								      .file = set->file,
								      .dated = set->dated,
								      .is_aws = set->is_aws,
								      .list = set->list,
								      .count = set->count};
	}
}

int policy_load(const char *path, const struct policy_options *options, struct diags *d,
		struct ruleset **out)
{
	struct arena *nodes CLEANUP(arena_drop) = arena_new();
	struct job job = {.d = d, .arena = d->arena, .options = options};
	const struct source *source;
	struct draft draft;
	unsigned errors = d->errors;
	struct node *root;
	int err = 0;

	if (options->instead)
		source = doc_plain(d->arena, options->instead);
	else
		err = doc_source(path, d, &source);
	if (err)
		return err;
	draft_begin(&job, source, path, &draft);
	if (options->local_known)
		draft.rs->local = (struct subnets){options->local, options->local_count};
	draft.ids[FR_EGRESS].arena = draft.ids[FR_INGRESS].arena = nodes;
	draft.resolved = source_is_resolved(source);
	if (!read_in_parallel(&job, source, nodes, &draft, &root))
		err = read_serially(&job, source, nodes, &draft, &root);
	if (err)
		return err;
	draft.resolved = kind_is_resolved(root);
	if (!kind_check(d, root, draft.resolved ? "ResolvedPolicy" : "Policy") ||
	    fill_ins_refuse(d, root))
		return -EINVAL;
	policy_parse(&job, root, &draft);
	sources_parse(&job, root, &draft);
	keep_files(&job, &draft.sets, draft.rs);
	rules_resolve(&job, root, &draft);
	sets_record(&job, &draft);
	if (draft.resolved)
		resolved_finish(&draft);
	policy_check(&job, root, &draft);
	if (d->errors != errors)
		return -EINVAL;
	*out = draft.rs;
	return 0;
}

static bool is_known_before(const struct ruleset *rs, size_t at, const char *table)
{
	while (at-- > 0)
		if (str_equal(rule_origin(&rs->rules[at])->table, table))
			return true;
	return false;
}

const struct origin *ruleset_next_table(const struct ruleset *rs, size_t *at)
{
	while (*at < rs->rule_count) {
		const struct origin *origin = rule_origin(&rs->rules[*at]);
		size_t here = (*at)++;

		if (!origin->table ||
		    (here && rule_origin(&rs->rules[here - 1])->table == origin->table))
			continue;
		if (!is_known_before(rs, here, origin->table))
			return origin;
	}
	return NULL;
}
