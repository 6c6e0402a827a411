/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The head of every document: apiVersion and kind. A wrong one is one error, and the rest of the
 * document is then checked as the kind that it resembles.
 */
#include <errno.h>
#include <string.h>

#include "yaml.h"
#include "syntax.h"

/* Those that people write, and one that they do not. */
enum { KINDS_WRITTEN = 3 };
static const char *const kinds[] = {"Policy", "PortTable", "Site", "ResolvedPolicy"};
static const char *const head_keys[] = {"apiVersion", "kind"};
static const char api_version[] = "flowreeve/v1";

static const char *text_of(const struct node *root, const char *key)
{
	const struct node *node = root->kind == NODE_MAP ? map_get(root, key) : NULL;

	return node && node->kind == NODE_SCALAR && !node_is_null(node) ? node->text : NULL;
}

/* The first key of the document that is one of these, or NULL. */
static const char *key_among(const struct node *root, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (map_get(root, keys[i]))
			return keys[i];
	return NULL;
}

/* The kind by the keys that only one kind has, and the key; NULL when they contradict each
 * other. */
static const char *kind_by_keys(const struct node *root, const char **key)
{
	const char *kind = text_of(root, "kind");
	static const char *const tables[] = {"rows", "roles", "params"};
	static const char *const sites[] = {"hosts"};
	static const char *const policies[] = {"rules", "use", "attach", "failsafe"};
	const char *table = key_among(root, tables, ARRAY_SIZE(tables));
	const char *site = key_among(root, sites, ARRAY_SIZE(sites));
	const char *policy = key_among(root, policies, ARRAY_SIZE(policies));

	*key = table ?: site;
	if (!*key)
		*key = policy;
	/* A site has most keys of a policy, and may have `hosts` misspelt. */
	if (str_equal(kind, kinds[2]) && !table)
		keys_settle(root, sites, ARRAY_SIZE(sites));
	site = site ?: key_among(root, sites, ARRAY_SIZE(sites));
	if (table)
		return site || policy ? NULL : kinds[1];
	if (site)
		return kinds[2];
	if (policy && str_equal(kind, kinds[KINDS_WRITTEN]))
		return kinds[KINDS_WRITTEN];
	return policy ? kinds[0] : NULL;
}

bool kind_is_resolved(const struct node *root)
{
	return str_equal(text_of(root, "kind"), kinds[KINDS_WRITTEN]);
}

static bool refuse_root(struct diags *d, const struct node *root)
{
	struct syntax_fault fault;

	if (root->kind == NODE_MAP)
		return false;
	if (root->kind != NODE_BROKEN && foreign_explain(d->arena, root->loc.source, &fault))
		diag_error(d, fault.loc, -EINVAL, fault.check, fault.hint, "%s", fault.message);
	else if (root->kind == NODE_LIST)
		diag_error(d, root->loc, -EINVAL, "wrong-type",
			   "a list of rules goes below the key 'rules:'",
			   "the document must be a map, not a list");
	else
		want_map(d, root, "the document");
	return true;
}

/* Kubernetes and others have both keys too. */
static bool refuse_foreign(struct diags *d, const struct node *root)
{
	const char *version = text_of(root, "apiVersion"), *kind = text_of(root, "kind");
	const struct node *place;

	if (!version || !kind || str_starts(version, "flowreeve") ||
	    word_meant(kind, kinds, ARRAY_SIZE(kinds)))
		return false;
	place = map_get(root, head_keys[0]);
	diag_error(d, place->loc, -EINVAL, "unknown-version",
		   "a document begins with: apiVersion: flowreeve/v1",
		   "a '%.80s' of '%.80s' is not a flowreeve document", kind, version);
	return true;
}

static void version_check(struct diags *d, const struct node *root)
{
	const struct node *node = map_get(root, "apiVersion");
	const char *text = node ? want_text(d, node, "'apiVersion'") : NULL;

	if (text && !str_equal(text, api_version))
		diag_error(d, node->loc, -EINVAL, "unknown-version",
			   "write 'apiVersion: flowreeve/v1'", "apiVersion '%.80s' is not known",
			   text);
}

/* The kind as written, or as probably meant; NULL: unknown. */
static const char *kind_of(struct diags *d, const struct node *root)
{
	const struct node *node = map_get(root, "kind");
	const char *text = text_of(root, "kind"), *key, *meant;
	int kind = -1;

	if (kind_is_resolved(root))
		return kinds[KINDS_WRITTEN];
	if (node)
		kind = want_word(d, node, "'kind'", kinds, KINDS_WRITTEN);
	if (kind >= 0)
		return kinds[kind];
	meant = text ? word_meant(text, kinds, ARRAY_SIZE(kinds)) : NULL;
	return meant ?: kind_by_keys(root, &key);
}

static void refuse_kind(struct diags *d, const struct node *root, const char *found,
			const char *kind)
{
	const struct node *place = map_get(root, head_keys[1]);

	diag_error(d, place->loc, -EINVAL, "wrong-kind",
		   str_equal(found, "Site") && str_equal(kind, "Policy")
			   ? "flowreeve plan FILE --host NAME prints the policy of one of its hosts"
			   : NULL,
		   "this is a %s; a %s is expected here", found, kind);
}

bool kind_check(struct diags *d, const struct node *root, const char *kind)
{
	const char *written, *found, *keys, *key;

	if (refuse_root(d, root))
		return false;
	keys_settle(root, head_keys, ARRAY_SIZE(head_keys));
	if (refuse_foreign(d, root))
		return false;
	map_need_all(d, root, "the document", head_keys, ARRAY_SIZE(head_keys));
	version_check(d, root);
	written = text_of(root, "kind");
	found = kind_of(d, root) ?: kind;
	keys = kind_by_keys(root, &key);
	if (str_equal(found, written) && keys && !str_equal(keys, found)) {
		const struct node *place = map_get(root, head_keys[1]);

		diag_error(d, place->loc, -EINVAL, "wrong-kind",
			   arena_printf(d->arena, "write 'kind: %s'", keys),
			   "'%s' is a key of a %s, and the kind is '%s'", key, keys, found);
		return str_equal(keys, kind);
	}
	if (!str_equal(found, kind) && map_get(root, "kind"))
		refuse_kind(d, root, found, kind);
	return str_equal(found, kind) || !map_get(root, "kind");
}

/* A table or a site is small, and may be a policy by all its other keys. */
static const char *kind_by_content(const struct source *source, struct diags *d, const char *kind)
{
	struct node *root;
	const char *keys, *key;

	if (str_equal(kind, kinds[0]) || str_equal(kind, kinds[KINDS_WRITTEN]) ||
	    doc_load_until(source, NULL, d, &root) || root->kind != NODE_MAP)
		return kind;
	keys = kind_by_keys(root, &key);
	return keys ?: kind;
}

int document_kind(const char *path, struct diags *d, const struct source **source, const char **out)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	/* The load that follows reports the errors of the document. */
	struct diags scratch_diags = {.arena = arena};
	const char *text;
	struct node *root;
	int err;

	err = doc_source(path, d, source);
	if (err)
		return err;
	if (doc_load_until(*source, "kind", &scratch_diags, &root))
		err = doc_load_until(*source, "kind", d, &root);
	if (err)
		return err;
	if (root->kind == NODE_MAP)
		keys_settle(root, head_keys, ARRAY_SIZE(head_keys));
	text = text_of(root, "kind");
	*out = kind_by_content(*source, &scratch_diags,
			       text ? word_meant(text, kinds, ARRAY_SIZE(kinds)) : NULL);
	return 0;
}

/* What a value is there; the comment beside a placeholder of `new` says which. */
static const char *fill_in_hint(const struct key *key, const char *outer)
{
	static const char *const hints[][2] = {
		{"interfaces", "the name of an interface, like eth0"},
		{"guests", "the name of a guest's tap, like tap0"},
		{"cgroups", "the path of a cgroup, like /system.slice/agent.service"},
		{"peers", "an address, a prefix, prefixes/NAME, local-subnet or any"},
		{"failsafe", "the administrator's address or prefix, like 10.0.9.0/24"},
		{"set", "a value of the param, as the comment beside it says"},
	};

	for (size_t i = 0; key && i < ARRAY_SIZE(hints); i++)
		if (str_equal(key->text, hints[i][0]))
			return hints[i][1];
	return outer;
}

static bool fill_ins_below(struct diags *d, const struct node *node, const char *outer)
{
	const char *hint = fill_in_hint(node->key, outer);
	const struct node *child;
	bool found = node->kind == NODE_SCALAR && str_equal(node->text, POLICY_FILL_IN);

	if (found)
		diag_error(d, node->loc, -EINVAL, "fill-in", hint,
			   "this choice is still to be made");
	if (node->kind != NODE_SCALAR)
		for_children(child, node) found |= fill_ins_below(d, child, hint);
	return found;
}

/* Placeholders of `new`. No other error is reported before they are filled in. */
bool fill_ins_refuse(struct diags *d, const struct node *node)
{
	return fill_ins_below(d, node, "replace FILL-IN by the value");
}
