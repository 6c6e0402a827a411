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
	if (key && (!copy->key || copy->key->written || !str_equal(copy->key->text, key))) {
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

static const bool safe[256] = {
	['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['.'] = true,
	['_'] = true,	      ['/'] = true,	    ['-'] = true,
};

/* Null is what is plain and says null. */
static bool text_is_plain(const char *text)
{
	const char *at = text;

	while (safe[(unsigned char)*at])
		at++;
	return *text && text[0] != '-' && text[0] != '.' && !*at;
}

/* The length of the UTF-8 character, 0 for broken text; *out is its code. */
static size_t character_read(const char *text, uint32_t *out)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t length = 1;

	if (at[0] < 0x80) {
		*out = at[0];
		return 1;
	}
	if (at[0] < 0xc2 || at[0] > 0xf4)
		return 0;
	length += 1u + (at[0] >= 0xe0) + (at[0] >= 0xf0);
	*out = at[0] & (0x7f >> length);
	for (size_t i = 1; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		*out = *out << 6 | (at[i] & 0x3f);
	}
	return length;
}

/* Characters that YAML refuses, or reads as the end of a line, or that control a terminal. */
static bool is_escaped(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {{0, ' ' - 1},	{0x7f, 0x9f},	  {0x200e, 0x200f}, {0x2028, 0x202e},
		      {0x2066, 0x2069}, {0xd800, 0xdfff}, {0xfeff, 0xfeff}, {0xfffe, 0xffff}};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

/* In no text of a document: the name of a file may have it. */
static bool is_refused(uint32_t code)
{
	return code == 0x7f || (code < ' ' && code != '\n' && code != '\t');
}

static void print_quoted(FILE *out, const char *text)
{
	uint32_t code = 0;

	fputc('"', out);
	for (size_t length; *text; text += length) {
		length = character_read(text, &code);
		if (!length || is_refused(code)) {
			fputc('?', out);
			length = length ?: 1;
		} else if (code == '"' || code == '\\') {
			fprintf(out, "\\%c", (char)code);
		} else if (is_escaped(code)) {
			fprintf(out, code < 0x100 ? "\\x%02x" : "\\u%04x", code);
		} else {
			fwrite(text, 1, length, out);
		}
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
static FILE *text_begin(char **text, size_t *size)
{
	FILE *out = open_memstream(text, size);

	if (!out)
		memory_exhausted();
	return out;
}

static const char *text_end(struct arena *arena, FILE *out, char *const *text)
{
	if (fclose(out))
		memory_exhausted();
	return arena_strdup(arena, *text);
}

const char *node_text(struct arena *arena, const struct node *node)
{
	char *text CLEANUP(free_ptr) = NULL;
	size_t size;
	FILE *out = text_begin(&text, &size);

	print_node(out, node);
	return text_end(arena, out, &text);
}

/* null, a truth value, or a number. */
static bool has_a_type(const char *text)
{
	bool truth;

	if (*text >= '0' && *text <= '9')
		return !text[strspn(text, "0123456789.-_abcdefxABCDEFX")];
	if (strnlen(text, 6) > 5)
		return false;
	return !strcasecmp(text, "null") || !strcasecmp(text, "y") || !strcasecmp(text, "n") ||
	       text_is_bool(text, &truth);
}

const char *yaml_text(struct arena *arena, const char *text)
{
	char *quoted CLEANUP(free_ptr) = NULL;
	size_t size;
	FILE *out;

	if (text_is_plain(text) && !has_a_type(text))
		return text;
	out = text_begin(&quoted, &size);
	print_quoted(out, text);
	return text_end(arena, out, &quoted);
}
