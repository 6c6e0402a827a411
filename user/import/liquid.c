/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Template tags ({% if %}, {{ }}) in a document's source: the condition of each line. Conditions
 * are kept in the template's own words and never evaluated. Tags are blanked, so that the readers
 * see the tables that they divide.
 */
#include "page.h"

enum { DEPTH = 32 };

struct liquid {
	struct page *page;
	const char *stack[DEPTH];  /* the conditions in force */
	const char *passed[DEPTH]; /* the conditions of its earlier branches */
	size_t depth, lost;	   /* lost: nested too deep to follow */
	const char *now;	   /* the stack in words, or NULL */
	bool unbalanced;
};

static void stack_changed(struct liquid *l)
{
	struct buffer text = {.arena = l->page->arena};

	for (size_t i = 0; i < l->depth; i++)
		if (l->stack[i])
			buffer_printf(&text, "%s%.200s", text.size ? " and " : "", l->stack[i]);
	if (l->lost)
		buffer_puts(&text, " and more that is nested too deep");
	l->now = text.text;
}

static void tag_open(struct liquid *l, const char *condition, const char *passed)
{
	if (l->depth == DEPTH) {
		l->lost++;
		return;
	}
	l->stack[l->depth] = condition;
	l->passed[l->depth++] = passed;
}

static void tag_close(struct liquid *l)
{
	if (l->lost)
		l->lost--;
	else if (l->depth)
		l->depth--;
	else
		l->unbalanced = true;
}

static void tag_branch(struct liquid *l, const char *condition)
{
	struct arena *arena = l->page->arena;
	const char **now, **passed;

	if (l->lost || !l->depth) {
		l->unbalanced |= !l->depth;
		return;
	}
	now = &l->stack[l->depth - 1];
	passed = &l->passed[l->depth - 1];
	*now = condition ? arena_printf(arena, "not (%.400s) and (%.200s)", *passed, condition)
			 : arena_printf(arena, "not (%.400s)", *passed);
	if (condition)
		*passed = arena_printf(arena, "%.400s or %.200s", *passed, condition);
}

static bool word_at(const char *text, size_t length, const char *word)
{
	return strlen(word) == length && !strncmp(text, word, length);
}

/* title="A" of a tab. */
static const char *tab_title(struct arena *arena, const char *rest)
{
	const char *open = strpbrk(rest, "\"'"), *close = open ? strchr(open + 1, *open) : NULL;

	return close ? arena_strndup(arena, open + 1, (size_t)(close - open - 1)) : rest;
}

/* The inside of {% %}; false when it does not control the output. */
static bool tag_control(struct liquid *l, const char *inside)
{
	struct arena *arena = l->page->arena;
	size_t length = strcspn(inside, " \n");
	const char *rest = inside + length + (inside[length] != '\0');

	if (word_at(inside, length, "if"))
		tag_open(l, rest, rest);
	else if (word_at(inside, length, "unless"))
		tag_open(l, arena_printf(arena, "not (%.200s)", rest), rest);
	else if (word_at(inside, length, "tabs"))
		tag_open(l, NULL, "");
	else if (word_at(inside, length, "tab"))
		tag_open(l, tab_title(arena, rest), "");
	else if (word_at(inside, length, "for") || word_at(inside, length, "case") ||
		 word_at(inside, length, "comment"))
		tag_open(l, arena_printf(arena, "%.200s", inside), rest);
	else if (word_at(inside, length, "elsif") || word_at(inside, length, "elif") ||
		 word_at(inside, length, "when"))
		tag_branch(l, rest);
	else if (word_at(inside, length, "else"))
		tag_branch(l, NULL);
	else if (!strncmp(inside, "end", 3))
		tag_close(l);
	else
		return false;
	stack_changed(l);
	return true;
}

/* Blanks [from, to) without its line ends. */
static void blank(struct page *page, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (page->text[i] != '\n')
			page->text[i] = ' ';
}

static char *inside_of(struct page *page, size_t from, size_t to)
{
	while (from < to && strchr("-+ \t\n", page->text[from]))
		from++;
	while (to > from && strchr("-+ \t\n", page->text[to - 1]))
		to--;
	return text_one_line(page->arena,
			     text_tidy(page->arena,
				       arena_strndup(page->arena, page->text + from, to - from),
				       false));
}

static void line_sees(struct liquid *l, uint32_t line, bool *seen)
{
	const char **condition = &l->page->conditions[line];

	if (!*seen)
		*condition = l->now;
	else if (!*condition && l->now)
		*condition = arena_printf(l->page->arena, "%s (a part of the line)", l->now);
	*seen = true;
}

/* A tag that begins at `at`; where it ends, or 0 when it is none. */
static size_t tag_read(struct liquid *l, size_t at, uint32_t line)
{
	struct page *page = l->page;
	bool variable = page->text[at + 1] == '{';
	const char *end = strstr(page->text + at + 2, variable ? "}}" : "%}");
	const char *inside;
	size_t to;

	if (!end || end - (page->text + at) > 4096)
		return 0;
	to = (size_t)(end - page->text);
	inside = inside_of(page, at + 2, to);
	/* Stays in the text: its value is not known here. */
	if (variable)
		return to + 2;
	if (!tag_control(l, inside) && *inside)
		page_prose(page, line, arena_printf(page->arena, "{%% %s %%}", inside));
	blank(page, at, to + 2);
	return to + 2;
}

void liquid_read(struct page *page)
{
	struct liquid l = {.page = page};
	bool seen = false, tag = false;
	uint32_t line = 1;

	if (!strstr(page->text, "{%") && !strstr(page->text, "{{"))
		return;
	for (size_t at = 0; at < page->size; at++) {
		char c = page->text[at];
		size_t end = 0;

		if (c == '{' && (page->text[at + 1] == '%' || page->text[at + 1] == '{'))
			end = tag_read(&l, at, line);
		if (end) {
			tag |= page->text[at] == ' ';
			if (page->text[at] == '{')
				line_sees(&l, line, &seen);
			for (; at + 1 < end; at++)
				line += page->text[at] == '\n';
		} else if (c == '\n') {
			page->dropped[line] = tag && !seen;
			if (!seen)
				page->conditions[line] = l.now;
			line++;
			seen = tag = false;
		} else if (c != ' ' && c != '\t') {
			line_sees(&l, line, &seen);
		}
	}
	if (l.depth || l.unbalanced)
		diag_warning(
			page->d, (struct loc){.source = page->source}, "template", NULL,
			"the template's conditions are not balanced; check those of the draft");
}
