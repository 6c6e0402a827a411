/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy in force as one document, and its differences from a file.
 */
#include <string.h>

#include "print.h"

/* ---------------------------------------------------------------- the document */

/* A word without quotes that only has digits is a number, on and off are truth values: all other
 * words that a reader could take for those are quoted. */
static json_t *json_scalar(const struct node *node)
{
	uint64_t number;
	bool truth;

	if (node->plain && !parse_u64(node->text, INT64_MAX, &number))
		return json_count(number);
	if (node->plain && text_is_bool(node->text, &truth))
		return json_boolean(truth);
	return json_words(node->text);
}

static json_t *json_node(const struct node *node)
{
	const struct node *child;
	json_t *value;

	if (node->kind == NODE_SCALAR)
		return json_scalar(node);
	value = node->kind == NODE_MAP ? json_object() : json_array();
	for_children(child, node)
	{
		if (node->kind == NODE_MAP)
			json_object_set_new(value, child->key->text, json_node(child));
		else
			json_array_append_new(value, json_node(child));
	}
	return value;
}

/* Its words are quoted such that they cannot control a terminal. */
void render_policy(const struct render *r, const struct source *source, const struct node *root,
		   const struct window_view *window)
{
	json_t *document;

	if (!r->json) {
		fwrite(source->text, 1, source->size, r->out);
		return;
	}
	document = document_new("policy");
	json_object_set_new(document, "window", json_window(window));
	json_object_set_new(document, "policy", json_node(root));
	document_print(r, document);
}

/* ---------------------------------------------------------------- differences */

static size_t line_length(const char *text)
{
	return strcspn(text, "\n") + (strchr(text, '\n') != NULL);
}

static void print_line(const struct render *r, char sign, const char *line, size_t length)
{
	enum colour hue = COLOUR_NONE;

	if (sign == '-')
		hue = COLOUR_BAD;
	else if (sign == '+')
		hue = COLOUR_GOOD;
	fprintf(r->out, "%s%c", colour_on(r->colour, hue), sign);
	fwrite(line, 1, length - 1, r->out);
	fprintf(r->out, "%s\n", colour_off(r->colour, hue));
}

static void print_lines(const struct render *r, char sign, const char *text, const char *end)
{
	while (text < end) {
		size_t length = line_length(text);

		print_line(r, sign, text, length);
		text += length;
	}
}

/* Behind the lines in which both begin alike. */
static const char *common_begin(const char *a, const char *b)
{
	const char *at = a;

	while (*at) {
		size_t length = line_length(at);

		if (strncmp(at, b + (at - a), length) != 0)
			break;
		at += length;
	}
	return at;
}

/* Where the last line begins of so many bytes. */
static size_t last_line(const char *text, size_t size)
{
	while (--size && text[size - 1] != '\n')
		;
	return size;
}

/* The bytes of the lines in which both end alike. */
static size_t common_end(const char *a, const char *b)
{
	size_t size_a = strlen(a), size_b = strlen(b), at_a = size_a, at_b = size_b;

	while (at_a && at_b) {
		size_t line_a = last_line(a, at_a), line_b = last_line(b, at_b);

		if (at_a - line_a != at_b - line_b ||
		    memcmp(a + line_a, b + line_b, at_a - line_a) != 0)
			break;
		at_a = line_a;
		at_b = line_b;
	}
	return size_a - at_a;
}

static void print_changed(const struct render *r, const char *before, const char *after)
{
	const char *from = common_begin(before, after), *to = after + (from - before);
	size_t end = common_end(from, to);
	const char *from_end = from + strlen(from) - end;

	print_lines(r, ' ', before, from);
	print_lines(r, '-', from, from_end);
	print_lines(r, '+', to, to + strlen(to) - end);
	print_lines(r, ' ', from_end, from_end + end);
}

static void print_change(const struct render *r, const struct resolved_change *change)
{
	if (change->before && change->after)
		print_changed(r, change->before, change->after);
	else if (change->before)
		print_lines(r, '-', change->before, change->before + strlen(change->before));
	else
		print_lines(r, '+', change->after, change->after + strlen(change->after));
}

static void print_heading(const struct render *r, const struct resolved_change *change)
{
	fprintf(r->out, "%s@@ %s", colour_on(r->colour, COLOUR_BOLD), change->section);
	if (change->group) {
		fputc(' ', r->out);
		print_clean(r->out, change->group);
	}
	fprintf(r->out, " @@%s\n", colour_off(r->colour, COLOUR_BOLD));
}

static void print_diff(const struct render *r, const struct diff_view *view)
{
	const struct resolved_change *list = view->diff.list;

	if (!view->diff.count && !view->diff.reordered)
		return;
	fprintf(r->out, "--- policy %s in force, digest %.12s\n+++ ", view->policy,
		view->window->digest);
	print_clean(r->out, view->file);
	fputc('\n', r->out);
	for (size_t i = 0; i < view->diff.count; i++) {
		if (!i || !str_equal(list[i].section, list[i - 1].section) ||
		    !str_equal(list[i].group, list[i - 1].group))
			print_heading(r, &list[i]);
		print_change(r, &list[i]);
	}
	if (view->diff.reordered)
		fputs("@@ rules that both have are in another order @@\n", r->out);
}

static json_t *json_change(const struct resolved_change *change)
{
	const struct origin *origin = change->rule ? rule_origin(change->rule) : NULL;
	json_t *value = json_object();
	const char *word = "changed";

	if (!change->before)
		word = "added";
	else if (!change->after)
		word = "removed";
	json_object_set_new(value, "change", json_string(word));
	json_object_set_new(value, "section", json_words(change->section));
	json_object_set_new(value, "group", json_words(change->group));
	json_object_set_new(value, "name", json_words(change->name));
	json_object_set_new(value, "direction",
			    change->rule ? json_string(dir_name(change->rule->dir)) : json_null());
	json_object_set_new(value, "row",
			    origin ? json_row(origin->table, origin->row, origin->line)
				   : json_null());
	json_object_set_new(value, "before", json_words(change->before));
	json_object_set_new(value, "after", json_words(change->after));
	return value;
}

void render_diff(const struct render *r, const struct diff_view *view)
{
	json_t *document, *list;

	if (!r->json) {
		print_diff(r, view);
		return;
	}
	document = document_new("diff");
	list = json_array();
	for (size_t i = 0; i < view->diff.count; i++)
		json_array_append_new(list, json_change(&view->diff.list[i]));
	json_object_set_new(document, "window", json_window(view->window));
	json_object_set_new(document, "policy", json_words(view->policy));
	json_object_set_new(document, "file", json_words(view->file));
	json_object_set_new(document, "reordered", json_boolean(view->diff.reordered));
	json_object_set_new(document, "changes", list);
	document_print(r, document);
}
