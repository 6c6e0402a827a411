// SPDX-License-Identifier: GPL-2.0-only
/*
 * Typed access to nodes. Every question that gets a wrong answer queues one error with the place
 * and what was expected; the caller goes on with the next question.
 */
#include <errno.h>
#include <string.h>

#include "node.h"

const struct node *map_get(const struct node *map, const char *key)
{
	const struct node *value;

	for_children(value, map) if (word_is(value->key->text, key)) return value;
	return NULL;
}

bool node_is_null(const struct node *node)
{
	return node->kind == NODE_SCALAR && node->plain &&
	       (!*node->text || word_is(node->text, "~") || !strcasecmp(node->text, "null"));
}

static const char *kind_words(const struct node *node)
{
	switch (node->kind) {
	case NODE_LIST:
		return "a list";
	case NODE_MAP:
		return "a map";
	default:
		return "a single value";
	}
}

static bool refuse_type(struct diags *d, const struct node *node, const char *what,
			const char *wanted)
{
	/* Where nothing is written, the key shows the place better. */
	if (node_is_null(node))
		diag_error(d, node->key ? node->key->loc : node->loc, -EINVAL, "wrong-type", NULL,
			   "%s must be %s; nothing is written here", what, wanted);
	else
		diag_error(d, node->loc, -EINVAL, "wrong-type", NULL, "%s must be %s, not %s", what,
			   wanted, kind_words(node));
	return false;
}

bool want_map(struct diags *d, const struct node *node, const char *what)
{
	return node->kind == NODE_MAP || refuse_type(d, node, what, "a map");
}

bool want_list(struct diags *d, const struct node *node, const char *what)
{
	return node->kind == NODE_LIST || refuse_type(d, node, what, "a list");
}

const char *want_text(struct diags *d, const struct node *node, const char *what)
{
	if (node->kind == NODE_SCALAR && !node_is_null(node))
		return node->text;
	refuse_type(d, node, what, "a single value");
	return NULL;
}

bool want_key_name(struct diags *d, const struct key *key, const char *what, const char **out)
{
	if (!name_is_kebab(key->text)) {
		diag_error(d, key->loc, -EINVAL, "bad-name",
			   "small letters, digits and single hyphens, at most 63 in all",
			   "%s '%.80s' is not a valid name", what, key->text);
		return false;
	}
	*out = key->text;
	return true;
}

bool want_name(struct diags *d, const struct node *node, const char *what, const char **out)
{
	const struct key name = {.loc = node->loc, .text = want_text(d, node, what)};

	return name.text && want_key_name(d, &name, what, out);
}

bool text_is_bool(const char *text, bool *out)
{
	static const char *const yes[] = {"on", "yes", "true"};
	static const char *const no[] = {"off", "no", "false"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(yes); i++) {
		if (!strcasecmp(text, yes[i]) || !strcasecmp(text, no[i])) {
			*out = !strcasecmp(text, yes[i]);
			return true;
		}
	}
	return false;
}

bool want_bool(struct diags *d, const struct node *node, const char *what, bool *out)
{
	if (node->kind == NODE_SCALAR && text_is_bool(node->text, out))
		return true;
	return refuse_type(d, node, what, "on or off");
}

static char *join_words(struct arena *arena, const char *const *words, size_t count)
{
	size_t size = 1, i;
	char *text, *at;

	for (i = 0; i < count; i++)
		size += strlen(words[i]) + 2;
	at = text = arena_alloc(arena, size);
	for (i = 0; i < count; i++)
		at += sprintf(at, "%s%s", i ? ", " : "", words[i]);
	return text;
}

const char *hint_words(struct diags *d, const char *word, const char *const *words, size_t count)
{
	const size_t listed = 24;
	const char *near = nearest_word(word, words, count);
	const char *all;

	if (count == 0)
		return NULL;
	all = join_words(d->arena, words, count < listed ? count : listed);
	if (near && count == 1)
		return arena_printf(d->arena, "did you mean '%s'?", near);
	if (near)
		return arena_printf(d->arena, "did you mean '%s'? (one of: %s%s)", near, all,
				    count > listed ? ", …" : "");
	return arena_printf(d->arena, "one of: %s%s", all, count > listed ? ", …" : "");
}

int want_word(struct diags *d, const struct node *node, const char *what, const char *const *words,
	      size_t count)
{
	const char *text = want_text(d, node, what);
	size_t i;

	if (!text)
		return -1;
	for (i = 0; i < count; i++)
		if (word_is(text, words[i]))
			return (int)i;
	diag_error(d, node->loc, -EINVAL, "unknown-value", hint_words(d, text, words, count),
		   "%s cannot be '%.80s'", what, text);
	return -1;
}

static bool word_in(const char *word, const char *const *words, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (word_is(word, words[i]))
			return true;
	return false;
}

bool want_keys(struct diags *d, const struct node *map, const char *what, const char *const *keys,
	       size_t count)
{
	const struct node *value;

	if (!want_map(d, map, what))
		return false;
	for_children(value, map)
	{
		const char *key = value->key->text;

		if (!word_in(key, keys, count))
			diag_error(d, value->key->loc, -EINVAL, "unknown-key",
				   hint_words(d, key, keys, count), "%s has no key '%.80s'", what,
				   key);
	}
	return true;
}

const struct node *need(struct diags *d, const struct node *map, const char *what, const char *key)
{
	const struct node *value = map_get(map, key);

	if (!value)
		diag_error(d, map->loc, -EINVAL, "missing-key", NULL, "%s needs '%s'", what, key);
	return value;
}

bool want_items(struct diags *d, const struct node *node, const char *what)
{
	if (node->kind == NODE_LIST || (node->kind == NODE_SCALAR && !node_is_null(node)))
		return true;
	return refuse_type(d, node, what, "a value or a list");
}

const struct node *items_first(const struct node *node)
{
	return node->kind == NODE_LIST ? node->first : node;
}

const struct node *items_next(const struct node *node, const struct node *item)
{
	return node->kind == NODE_LIST ? item->next : NULL;
}
