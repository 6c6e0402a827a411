/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Insertions into the text of a policy. A list in brackets takes one more item before its
 * bracket, a list of lines one more line, indented as its others, ended as the line before it.
 */
#include "yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "yaml_spans.h"

/* A list that grows: where its next item goes. */
struct edit_list {
	const struct yaml_span *span; /* NULL: the list of rules, of which nothing was written */
	bool begun;		      /* has an item */
};

int edit_begin(struct arena *arena, const char *path, struct edit *out)
{
	const struct yaml_span *root;
	struct source *source;
	int err = source_read(arena, path, DOC_BYTES_MAX, &source);

	if (err)
		return err;
	root = yaml_spans_read(arena, source->text, source->size);
	if (!root || root->kind != NODE_MAP)
		return -EINVAL;
	*out = (struct edit){.arena = arena, .source = source, .root = root};
	return 0;
}

static void insert(struct edit *edit, size_t at, const char *text)
{
	edit->list = arena_grow(edit->arena, edit->list, edit->count, &edit->capacity,
				sizeof(*edit->list));
	edit->list[edit->count++] = (struct insertion){.at = at, .text = text};
}

/* ---------------------------------------------------------------- lines */

/* The end of the line that has this byte, before its line break. */
static size_t line_end(const struct source *source, size_t at)
{
	while (at < source->size && source->text[at] != '\n' && source->text[at] != '\r')
		at++;
	return at;
}

/* The break of the line that ends there; a last line without one gets that of the first. */
static const char *line_break(const struct source *source, size_t end)
{
	const char *first = memchr(source->text, '\n', source->size);

	if (end < source->size)
		return source->text[end] == '\r' ? "\r\n" : "\n";
	return first && first > source->text && first[-1] == '\r' ? "\r\n" : "\n";
}

static void insert_line(struct edit *edit, size_t behind, unsigned indent, const char *text)
{
	size_t end = line_end(edit->source, behind);

	insert(edit, end,
	       arena_printf(edit->arena, "%s%*s%s", line_break(edit->source, end), (int)indent, "",
			    text));
}

/* ---------------------------------------------------------------- lists */

static struct edit_list *list_of(struct edit *edit, const struct yaml_span *span)
{
	for (size_t i = 0; i < edit->list_count; i++)
		if (edit->lists[i].span == span)
			return &edit->lists[i];
	edit->lists = arena_grow(edit->arena, edit->lists, edit->list_count, &edit->list_capacity,
				 sizeof(*edit->lists));
	edit->lists[edit->list_count] =
		(struct edit_list){.span = span, .begun = span && span->last};
	return &edit->lists[edit->list_count++];
}

static void append_in_brackets(struct edit *edit, const struct yaml_span *list, const char *item)
{
	struct edit_list *grown = list_of(edit, list);
	size_t at = list->last ? list->last->end : list->start + 1;

	insert(edit, at, grown->begun ? arena_printf(edit->arena, ", %s", item) : item);
	grown->begun = true;
}

static void append_line(struct edit *edit, size_t behind, unsigned indent, const char *item,
			const char *comment)
{
	if (comment)
		insert_line(edit, behind, indent, arena_printf(edit->arena, "# %s", comment));
	insert_line(edit, behind, indent, arena_printf(edit->arena, "- %s", item));
}

static void append(struct edit *edit, const struct yaml_span *list, const char *item,
		   const char *comment)
{
	if (list->flow)
		append_in_brackets(edit, list, item);
	else
		append_line(edit, list->last->end, list->column - 1, item, comment);
}

/* ---------------------------------------------------------------- peers */

/* The use whose table is at that place. */
static const struct yaml_span *use_at(const struct edit *edit, const struct loc *loc)
{
	const struct yaml_span *uses = yaml_span_get(edit->root, "use"), *use;

	for (use = uses && uses->kind == NODE_LIST ? uses->first : NULL; use; use = use->next) {
		const struct yaml_span *table = yaml_span_get(use, "table");

		if (table && table->line == loc->line && table->column == loc->column)
			return use;
	}
	return NULL;
}

static bool is_peer(const struct yaml_span *span)
{
	return span->kind == NODE_SCALAR && !span->block && *span->text &&
	       !str_equal(span->text, "~");
}

/* One peer without brackets becomes a list of two and more. */
static bool append_to_scalar(struct edit *edit, const struct yaml_span *peer, const char *address)
{
	struct edit_list *list;

	if (!is_peer(peer))
		return false;
	list = list_of(edit, peer);
	if (!list->begun) {
		insert(edit, peer->start, "[");
		insert(edit, peer->end, "]");
		edit->list[edit->count - 1].last = true;
	}
	list->begun = true;
	insert(edit, peer->end, arena_printf(edit->arena, ", %s", address));
	return true;
}

/* A colon ends a plain scalar in some places: quotes around every address that has one. */
static const char *address_word(struct edit *edit, const char *address)
{
	return strchr(address, ':') ? arena_printf(edit->arena, "\"%s\"", address) : address;
}

bool edit_add_peer(struct edit *edit, const struct loc *use, const char *role, const char *address)
{
	const struct yaml_span *peers =
		yaml_span_get(yaml_span_get(use_at(edit, use), "peers"), role);

	address = address_word(edit, address);
	if (!peers || (peers->kind == NODE_LIST && !peers->flow && !peers->last))
		return false;
	if (peers->kind != NODE_LIST)
		return append_to_scalar(edit, peers, address);
	append(edit, peers, address, NULL);
	return true;
}

/* ---------------------------------------------------------------- rules */

/* `rules` is not there yet: at the end, as the other keys are. */
static bool begin_rules(struct edit *edit, const char *rule, const char *comment)
{
	struct edit_list *list = list_of(edit, NULL);
	unsigned indent = edit->root->column - 1;
	size_t first;

	if (edit->root->flow)
		return false;
	first = edit->count;
	if (!list->begun)
		insert_line(edit, edit->root->end, indent, "rules:");
	list->begun = true;
	append_line(edit, edit->root->end, indent + 2, rule, comment);
	while (first < edit->count)
		edit->list[first++].last = true;
	return true;
}

bool edit_add_rule(struct edit *edit, const char *rule, const char *comment)
{
	const struct yaml_span *rules = yaml_span_get(edit->root, "rules");

	if (!rules)
		return begin_rules(edit, rule, comment);
	if (rules->kind != NODE_LIST)
		return false;
	append(edit, rules, rule, comment);
	return true;
}

/* ---------------------------------------------------------------- a list instead of a word */

static const char *in_brackets(struct arena *arena, const char *const *items, size_t count)
{
	const char *list = NULL;

	for (size_t i = 0; i < count; i++)
		list = str_list_append(arena, list, items[i]);
	return arena_printf(arena, "[%s]", list ? list : "");
}

/* With the blanks before it; what follows it in its line stays. */
static void remove_word(struct edit *edit, const struct yaml_span *word)
{
	size_t start = word->start;

	while (start > 0 && strchr(" \t", edit->source->text[start - 1]))
		start--;
	insert(edit, start, "");
	edit->list[edit->count - 1].replaced = word->end - start;
}

/* In a map in braces. */
static void set_in_braces(struct edit *edit, const struct yaml_span *word, const char *key,
			  const char *list)
{
	const struct yaml_span *last = edit->root->last;

	if (!word) {
		list = arena_printf(edit->arena, "%s: %s", key, list);
		if (last)
			insert(edit, last->end, arena_printf(edit->arena, ", %s", list));
		else
			insert(edit, edit->root->start + 1, list);
		return;
	}
	insert(edit, word->start, list);
	edit->list[edit->count - 1].replaced = word->end - word->start;
}

bool edit_set_list(struct edit *edit, const char *key, const char *const *items, size_t count)
{
	const struct yaml_span *word = yaml_span_get(edit->root, key);
	unsigned indent = edit->root->column - 1;
	size_t behind = word ? word->end : edit->root->end;

	if (word && (word->kind != NODE_SCALAR || word->block))
		return false;
	if (edit->root->flow) {
		set_in_braces(edit, word, key, in_brackets(edit->arena, items, count));
		return true;
	}
	if (word)
		remove_word(edit, word);
	else
		insert_line(edit, behind, indent, arena_printf(edit->arena, "%s:", key));
	for (size_t i = 0; i < count; i++)
		append_line(edit, behind, indent + 2, items[i], NULL);
	return true;
}

/* ---------------------------------------------------------------- the whole */

static int by_place(const void *x, const void *y)
{
	const struct insertion *a = x, *b = y;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	if (a->last != b->last)
		return a->last ? 1 : -1;
	return a->number < b->number ? -1 : 1;
}

static void sort(struct edit *edit)
{
	for (size_t i = 0; i < edit->count; i++)
		edit->list[i].number = i;
	if (edit->count)
		qsort(edit->list, edit->count, sizeof(*edit->list), by_place);
}

const struct source *edit_finish(struct edit *edit)
{
	struct source *whole = arena_alloc(edit->arena, sizeof(*whole));
	size_t size = edit->source->size, from = 0;
	char *text, *at;

	sort(edit);
	for (size_t i = 0; i < edit->count; i++)
		size += strlen(edit->list[i].text);
	at = text = arena_alloc(edit->arena, size + 1);
	for (size_t i = 0; i < edit->count; i++) {
		size_t before = edit->list[i].at - from, length = strlen(edit->list[i].text);

		memcpy(at, edit->source->text + from, before);
		memcpy(at + before, edit->list[i].text, length);
		at += before + length;
		from = edit->list[i].at + edit->list[i].replaced;
	}
	memcpy(at, edit->source->text + from, edit->source->size - from);
	size = (size_t)(at - text) + edit->source->size - from;
	*whole = (struct source){.name = edit->source->name, .text = text, .size = size};
	return whole;
}
