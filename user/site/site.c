/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A Site: the hosts of a place and the roles that they play in each table. Parsed and resolved as
 * a whole, because both ends of a row follow from it. A mistake that many hosts share is reported
 * once.
 */
#include <errno.h>
#include <string.h>

#include "model.h"

static void site_head(struct site *site)
{
	static const char *const keys[] = {
		"apiVersion", "kind",  "metadata", "mode",	"attach",  "prefixes",	"use",
		"hosts",      "rules", "failsafe", "default",	"builtin", "forwarded", "ipsec",
		"non-ip",     "adopt", "timeouts", "resolvers", "names"};
	static const char *const metadata_keys[] = {"name", "description"};
	struct diags *d = site->job->d;
	const struct node *metadata, *name;

	site->name = "site";
	want_keys(d, site->root, "a site", keys, ARRAY_SIZE(keys));
	map_need(d, site->root, "a site", "mode");
	metadata = map_need(d, site->root, "a site", "metadata");
	if (!metadata ||
	    !want_keys(d, metadata, "'metadata'", metadata_keys, ARRAY_SIZE(metadata_keys)))
		return;
	name = map_need(d, metadata, "'metadata'", "name");
	if (name)
		want_name(d, name, "site name", &site->name);
}

/* ---------------------------------------------------------------- once each */

static void diag_pass(struct diags *d, const struct diag *diag)
{
	if (diag->severity == SEV_ERROR)
		diag_error(d, diag->loc, -EINVAL, diag->check, diag->hint, "%s", diag->message);
	else if (diag->severity == SEV_WARNING)
		diag_warning(d, diag->loc, diag->check, diag->hint, "%s", diag->message);
	else
		diag_note(d, diag->loc, diag->check, diag->hint, "%s", diag->message);
}

/* Notes at one place are one note: only their counts of peers differ between hosts. */
static void diags_merge(struct diags *to, const struct diags *from, struct index *seen)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct diag *diag = &from->list[i];
		const char *key =
			arena_printf(to->arena, "%u:%u:%s:%s", diag->loc.line, diag->loc.column,
				     diag->check, diag->severity == SEV_NOTE ? "" : diag->message);

		if (!index_insert(seen, key, diag))
			diag_pass(to, diag);
	}
}

/* ---------------------------------------------------------------- the whole */

static void unused_sets(struct site *site)
{
	for (size_t i = 0; i < site->draft.sets.count; i++) {
		const struct prefix_set *set = &site->draft.sets.list[i];

		if (!set->used)
			diag_warning(site->job->d, set->loc, "unused-prefixes",
				     arena_printf(site->job->arena,
						  "name it as a peer: prefixes/%s", set->name),
				     "no rule uses prefix set '%s'", set->name);
	}
}

static const struct plan *hosts_resolve(struct site *site)
{
	struct job *job = site->job;
	struct diags *d = job->d;
	struct index seen = {.arena = job->arena};
	struct plan *plans = arena_alloc(job->arena, site->host_count * sizeof(*plans));

	for (size_t i = 0; i < site->host_count; i++) {
		struct diags own = {.arena = job->arena};

		job->d = &own;
		if (site->hosts[i].node->kind == NODE_MAP)
			site_host_resolve(site, &site->hosts[i], &plans[i]);
		job->d = d;
		diags_merge(d, &own, &seen);
	}
	return plans;
}

static void site_parse(struct site *site)
{
	struct job *job = site->job;

	draft_begin(job, site->root->loc.source, site->path, &site->draft);
	site_head(site);
	prefix_sets_parse(job, map_get(site->root, "prefixes"), site->path, &site->draft.sets);
	inventory_parse(site);
	site_uses_parse(site);
}

int site_load(const char *path, const struct policy_options *options, struct diags *d,
	      const struct site_view **out)
{
	struct job job = {.d = d, .arena = d->arena, .options = options};
	struct site site = {.job = &job, .path = path};
	unsigned errors = d->errors;
	struct site_view *view;
	const struct plan *plans;
	struct node *root;
	int err = doc_load(path, d, &root);

	if (err)
		return err;
	if (!kind_check(job.d, root, "Site") || fill_ins_refuse(job.d, root))
		return -EINVAL;
	site.root = root;
	site_parse(&site);
	site.broken = d->errors != errors;
	plans = hosts_resolve(&site);
	if (!site.broken)
		unused_sets(&site);
	if (d->errors != errors)
		return -EINVAL;
	view = arena_alloc(d->arena, sizeof(*view));
	*view = (struct site_view){.name = site.name,
				   .source = root->loc.source,
				   .plans = plans,
				   .plan_count = site.host_count};
	*out = view;
	return 0;
}

const struct plan *site_plan(const struct site_view *site, const char *host, struct diags *d)
{
	struct loc whole = {.source = site->source};
	const char **names = arena_alloc(d->arena, (site->plan_count + 1) * sizeof(*names));

	for (size_t i = 0; i < site->plan_count; i++) {
		names[i] = site->plans[i].host;
		if (str_equal(names[i], host))
			return &site->plans[i];
	}
	diag_error(d, whole, -EINVAL, "unknown-host", hint_words(d, host, names, site->plan_count),
		   "site '%s' has no host '%.80s'", site->name, host);
	return NULL;
}
