/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nodes that are made, not parsed, and nodes as flow YAML. Parsing the text gives the same
 * values: a text stays unquoted only if no reader could take it for another type.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yaml.h"

/* ---------------------------------------------------------------- making */

struct node *node_branch(struct arena *arena, enum node_kind kind, struct loc loc)
{
	struct node *node = arena_alloc(arena, sizeof(*node));

	*node = (struct node){.kind = kind, .loc = loc};
	return node;
}

struct node *node_scalar(struct arena *arena, const char *text, struct loc loc)
{
	struct node *node = node_branch(arena, NODE_SCALAR, loc);

	node->text = text;
	node->plain = true;
	return node;
}

/* Walks the list to its end: only lists of peers or keys grow. */
struct node *node_append(struct arena *arena, struct node *parent, const char *key,
			 const struct node *value)
{
	struct node *copy = node_branch(arena, value->kind, value->loc), **end = &parent->first;

	*copy = *value;
	copy->next = NULL;
	if (key && (!copy->key || copy->key->written || strcmp(copy->key->text, key) != 0)) {
		struct loc loc = copy->key ? copy->key->loc : value->loc;

		copy->key = arena_alloc(arena, sizeof(*copy->key));
		*copy->key = (struct key){.text = key, .loc = loc};
	}
	while (*end)
		end = &(*end)->next;
	*end = copy;
	return copy;
}

/* ---------------------------------------------------------------- writing */

/* Null is what is plain and says null. */
static bool text_is_plain(const char *text)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "._/-";

	return *text && text[0] != '-' && text[0] != '.' && !text[strspn(text, safe)];
}

static void print_quoted(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte == '"' || byte == '\\')
			fprintf(out, "\\%c", byte);
		else if (byte < ' ' || byte == 0x7f)
			fprintf(out, "\\x%02x", byte);
		else
			fputc(byte, out);
	}
	fputc('"', out);
}

static void print_key(FILE *out, const char *text)
{
	if (text_is_plain(text))
		fputs(text, out);
	else
		print_quoted(out, text);
}

static void print_scalar(FILE *out, const struct node *node)
{
	if (node_is_null(node))
		fputc('~', out);
	else if (node->plain)
		print_key(out, node->text);
	else
		print_quoted(out, node->text);
}

static void print_node(FILE *out, const struct node *node)
{
	const struct node *child;

	if (node->kind == NODE_SCALAR) {
		print_scalar(out, node);
		return;
	}
	fputc(node->kind == NODE_MAP ? '{' : '[', out);
	for_children(child, node)
	{
		if (node->kind == NODE_MAP) {
			print_key(out, child->key->text);
			fputs(": ", out);
		}
		print_node(out, child);
		fputs(child->next ? ", " : "", out);
	}
	fputc(node->kind == NODE_MAP ? '}' : ']', out);
}

/* Without memory the process ends, as an arena would end it. */
const char *node_text(struct arena *arena, const struct node *node)
{
	char *text CLEANUP(free_ptr) = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		memory_exhausted();
	print_node(out, node);
	if (fclose(out))
		memory_exhausted();
	return arena_strdup(arena, text);
}
