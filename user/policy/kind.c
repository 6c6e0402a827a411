// SPDX-License-Identifier: GPL-2.0-only
/*
 * What every document begins with: apiVersion and kind.
 */
#include <errno.h>
#include <string.h>

#include "model.h"

static const char *const kinds[] = {"Policy", "PortTable", "Site"};
static const char api_version[] = "flowreeve/v1";

static const char *kind_of(struct diags *d, const struct node *root)
{
	const struct node *node;
	int kind;

	if (!want_map(d, root, "the document"))
		return NULL;
	node = need(d, root, "the document", "kind");
	kind = node ? want_word(d, node, "'kind'", kinds, ARRAY_SIZE(kinds)) : -1;
	return kind < 0 ? NULL : kinds[kind];
}

static void version_check(struct diags *d, const struct node *root)
{
	const struct node *node = need(d, root, "the document", "apiVersion");
	const char *text = node ? want_text(d, node, "'apiVersion'") : NULL;

	if (text && strcmp(text, api_version) != 0)
		diag_error(d, node->loc, -EINVAL, "unknown-version",
			   "this release reads 'apiVersion: flowreeve/v1'",
			   "apiVersion '%.80s' is not known", text);
}

bool kind_check(struct job *job, const struct node *root, const char *kind)
{
	const char *found = kind_of(job->d, root);

	if (root->kind == NODE_MAP)
		version_check(job->d, root);
	if (!found)
		return false;
	if (str_equal(found, kind))
		return true;
	diag_error(job->d, map_get(root, "kind")->loc, -EINVAL, "wrong-kind",
		   str_equal(found, "Site") && str_equal(kind, "Policy")
			   ? "flowreeve plan FILE --host NAME prints the policy of one of its hosts"
			   : NULL,
		   "this is a %s; a %s is wanted here", found, kind);
	return false;
}

int document_kind(const char *path, struct diags *d, const struct source **source, const char **out)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	/* What is wrong inside is told by the load that follows; telling it twice helps nobody. */
	struct diags untold = {.arena = arena};
	const struct node *kind;
	struct node *root;
	size_t i;
	int err;

	err = doc_source(path, d, source);
	if (!err && doc_load_until(*source, "kind", &untold, &root))
		err = doc_load_until(*source, "kind", d, &root);
	if (err)
		return err;
	*out = NULL;
	kind = root->kind == NODE_MAP ? map_get(root, "kind") : NULL;
	for (i = 0; kind && kind->kind == NODE_SCALAR && i < ARRAY_SIZE(kinds); i++)
		if (word_is(kind->text, kinds[i]))
			*out = kinds[i];
	return 0;
}
