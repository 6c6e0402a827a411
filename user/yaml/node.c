/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Typed access to nodes. Every question that gets a wrong answer queues one error with the place
 * and what was expected; the caller goes on with the next question.
 */
#include <errno.h>
#include <string.h>

#include "yaml.h"

const struct node *map_get(const struct node *map, const char *key)
{
	const struct node *value;

	for_children(value, map) if (word_is(value->key->text, key)) return value;
	return NULL;
}

bool node_is_null(const struct node *node)
{
	return node->kind == NODE_SCALAR && node->plain &&
	       (!*node->text || word_is(node->text, "~") ||
		((*node->text | 0x20) == 'n' && !strcasecmp(node->text, "null")));
}

static const char *kind_words(struct diags *d, const struct node *node)
{
	switch (node->kind) {
	case NODE_LIST:
		return "a list";
	case NODE_MAP:
		return "a map";
	default:
		return arena_printf(d->arena, "'%.80s'", node->text);
	}
}

static bool says_none(const struct node *node)
{
	return node->kind == NODE_SCALAR &&
	       (!strcasecmp(node->text, "none") || !strcasecmp(node->text, "no") ||
		!strcasecmp(node->text, "off") || !strcasecmp(node->text, "false"));
}

/* Would a list with this text as its item be right? Lists of maps have no texts, but for the ports
 * of failsafe. */
static bool is_item(const char *key, const char *example, const struct node *node)
{
	struct service service[2];
	size_t count;

	if (node->kind != NODE_SCALAR || node_is_null(node) || strchr(node->text, ' '))
		return false;
	if (str_equal(key, "failsafe"))
		return service_parse(node->text, service, &count) == SERVICE_OK;
	return *node->text && (!example || !strstr(example, "[{"));
}

/* `what` is "'key'" or "a thing". */
static const char *hint_type(struct diags *d, const struct node *node, const char *what,
			     const char *wanted)
{
	size_t length = strlen(what);
	const char *key = *what == '\'' ? arena_strndup(d->arena, what + 1, length - 2) : what;
	const char *example = key_example(key);

	if (str_equal(wanted, "a list") && says_none(node))
		return arena_printf(d->arena, "for none write '%s: []'", key);
	if (str_equal(wanted, "a list") && *what == '\'' && is_item(key, example, node))
		return arena_printf(d->arena, "write '%s: [%.80s]'", key, node->text);
	if (str_equal(key, "use") && node->kind == NODE_SCALAR && name_is_kebab(node->text))
		return arena_printf(d->arena, "write it like this: use: [{table: %s, as: ROLE}]",
				    node->text);
	if (example)
		return arena_printf(d->arena, "write it like this: %s", example);
	if (str_equal(wanted, "on or off"))
		return "write 'on' or 'off'";
	return str_equal(wanted, "a list") ? "each item begins with '- '" : NULL;
}

static bool refuse_type(struct diags *d, const struct node *node, const char *what,
			const char *wanted)
{
	if (node->kind == NODE_BROKEN)
		return false;
	/* For an empty value the key is the better place. */
	if (node_is_null(node))
		diag_error(d, node->key ? node->key->loc : node->loc, -EINVAL, "wrong-type",
			   hint_type(d, node, what, wanted), "%s must be %s; the value is empty",
			   what, wanted);
	else
		diag_error(d, node->loc, -EINVAL, "wrong-type", hint_type(d, node, what, wanted),
			   "%s must be %s, not %s", what, wanted, kind_words(d, node));
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

/* "My Web_Server" as a name: "my-web-server"; or NULL. */
static const char *name_meant(struct arena *arena, const char *text)
{
	char *name = arena_alloc(arena, strlen(text) + 1);
	size_t size = 0;

	for (; *text; text++) {
		bool letter = (*text >= 'a' && *text <= 'z') || (*text >= '0' && *text <= '9');

		if (*text >= 'A' && *text <= 'Z')
			name[size++] = (char)(*text - 'A' + 'a');
		else if (letter)
			name[size++] = *text;
		else if (size && name[size - 1] != '-')
			name[size++] = '-';
	}
	while (size && name[size - 1] == '-')
		name[--size] = '\0';
	return name_is_kebab(name) ? name : NULL;
}

bool want_key_name(struct diags *d, const struct key *key, const char *what, const char **out)
{
	if (!name_is_kebab(key->text)) {
		const char *meant = name_meant(d->arena, key->text);

		diag_error(d, key->loc, -EINVAL, "bad-name",
			   meant ? arena_printf(d->arena, "write '%s'", meant)
				 : "small letters, digits and single hyphens, at most 63 in all",
			   "%s '%.80s' is not a valid name: small letters, digits and hyphens",
			   what, key->text);
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

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
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
	size_t size = 1;
	char *text, *at;

	for (size_t i = 0; i < count; i++)
		size += strlen(words[i]) + 2;
	at = text = arena_alloc(arena, size);
	for (size_t i = 0; i < count; i++)
		at += sprintf(at, "%s%s", i ? ", " : "", words[i]);
	return text;
}

const char *hint_words(struct diags *d, const char *word, const char *const *words, size_t count)
{
	const size_t listed = 24;
	const char *near = word_meant(word, words, count);
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

static bool word_in(const char *word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (word_is(word, words[i]))
			return true;
	return false;
}

int want_word(struct diags *d, const struct node *node, const char *what, const char *const *words,
	      size_t count)
{
	const char *text = want_text(d, node, what), *hint;

	if (!text)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (word_is(text, words[i]))
			return (int)i;
	hint = !strcasecmp(text, "both") && word_in("egress", words, count)
		       ? "write two rules, one with egress and one with ingress"
		       : hint_words(d, text, words, count);
	diag_error(d, node->loc, -EINVAL, "unknown-value", hint, "%s cannot be '%.80s'", what,
		   text);
	return -1;
}

static void key_settle(const struct node *map, struct key *key, const char *const *keys,
		       size_t count)
{
	const char *meant = word_meant(key->text, keys, count);

	if (!meant || map_get(map, meant))
		return;
	key->written = key->text;
	key->text = meant;
}

void keys_settle(const struct node *map, const char *const *keys, size_t count)
{
	const struct node *value;

	for_children(value,
		     map) if (!value->key->written && !word_in(value->key->text, keys, count))
		key_settle(map, value->key, keys, count);
}

bool want_keys(struct diags *d, const struct node *map, const char *what, const char *const *keys,
	       size_t count)
{
	const char *reported = NULL;
	const struct node *value;

	if (!want_map(d, map, what))
		return false;
	for_children(value, map)
	{
		struct key *key = value->key;
		const char *written = key->written ?: key->text, *elsewhere;
		bool settled = written != key->text;

		if (!settled && word_in(written, keys, count))
			continue;
		if (diags_full(d)) {
			d->errors++;
			continue;
		}
		elsewhere = settled ? NULL : key_elsewhere(what, written);
		if (!settled && !elsewhere)
			key_settle(map, key, keys, count);
		if (word_is(written, "<<") && value->kind == NODE_BROKEN) {
			key->written = key->text;
			continue;
		}
		/* The keys of a rule that are not indented are one mistake. */
		if (elsewhere && elsewhere == reported)
			continue;
		reported = elsewhere ?: reported;
		if (!key->written)
			key->written = key->text;
		diag_error(d, key->loc, -EINVAL, "unknown-key",
			   elsewhere ?: hint_words(d, written, keys, count),
			   "%s has no key '%.80s'", what, written);
	}
	return true;
}

const struct node *map_need(struct diags *d, const struct node *map, const char *what,
			    const char *key)
{
	return map_need_all(d, map, what, &key, 1) ? map_get(map, key) : NULL;
}

/* The hint on a key of this map says to write it under that one. */
static bool is_astray(const struct node *map, const char *what, const char *key)
{
	const struct node *value;

	for_children(value, map)
	{
		const char *hint = key_elsewhere(what, value->key->text);

		if (hint && str_starts(hint, "write '") &&
		    str_starts(hint + strlen("write '"), key))
			return true;
	}
	return false;
}

/* A missing key is reported after the last unknown key, its probable cause. */
static struct loc missing_loc(const struct node *map)
{
	struct loc loc = map->loc;
	const struct node *value;

	for_children(value, map) if (value->key->written == value->key->text) loc =
		value->kind == NODE_BROKEN ? value->loc : value->key->loc;
	return loc;
}

bool map_need_all(struct diags *d, const struct node *map, const char *what,
		  const char *const *keys, size_t count)
{
	const char *missing = "", *hint = "";
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		const char *example;

		if (map_get(map, keys[i]) || is_astray(map, what, keys[i]))
			continue;
		example = key_example(arena_printf(d->arena, "%s: %s", what, keys[i]))
				  ?: key_example(keys[i]);
		missing = arena_printf(d->arena, "%s%s'%s'", missing, found ? ", " : "", keys[i]);
		if (example)
			hint = arena_printf(d->arena, "%s%s%s", hint, *hint ? ", " : "", example);
		found++;
	}
	if (!found)
		return true;
	diag_error(d, missing_loc(map), -EINVAL, "missing-key", *hint ? hint : NULL, "%s needs %s",
		   what, missing);
	return false;
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
