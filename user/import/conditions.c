/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parts of a page that hold only in some cases. Each line gets its condition, in the page's own
 * words and never evaluated. Tags are blanked, so that the readers see the tables that they divide.
 */
#include <strings.h>

#include "page.h"

enum { DEPTH = 32 };

/* Blanks [from, to) without its line ends. */
static void blank(struct page *page, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (page->text[i] != '\n')
			page->text[i] = ' ';
}

/* ---------------------------------------------------------------- template tags */

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

/* ---------------------------------------------------------------- tabs, elements, AsciiDoc */

/* Tabs and elements of MDX, tabs of generators of documentation, conditionals of AsciiDoc. */

struct scope {
	const char *condition;
	const char *element; /* of MDX, or NULL */
	size_t indent;	     /* of its first line; the content is deeper, or ends at its tag */
};

struct tabs {
	struct page *page;
	struct scope stack[DEPTH];
	size_t depth;
	const char *now; /* the conditions of the stack, as of its last change */
	size_t changes, seen;
};

static void scope_open(struct tabs *t, const char *condition, const char *element, size_t indent)
{
	if (t->depth < DEPTH)
		t->stack[t->depth++] = (struct scope){condition, element, indent};
	t->changes++;
}

static void scope_close(struct tabs *t)
{
	t->depth -= t->depth > 0;
	t->changes++;
}

static const char *condition_now(struct tabs *t)
{
	struct buffer out = {.arena = t->page->arena};

	if (t->seen == t->changes)
		return t->now;
	for (size_t i = 0; i < t->depth; i++)
		if (t->stack[i].condition)
			buffer_printf(&out, "%s%.200s", out.size ? " and " : "",
				      t->stack[i].condition);
	t->now = out.text;
	t->seen = t->changes;
	return t->now;
}

static void condition_add(struct page *page, uint32_t line, const char *condition)
{
	const char **now = &page->conditions[line];

	if (condition)
		*now = *now ? arena_printf(page->arena, "%s and %s", *now, condition) : condition;
}

/* ---------------------------------------------------------------- elements */

/* The end of a tag, past '>': quotes and braces of its attributes may hold one. */
static const char *tag_end(const char *text)
{
	unsigned braces = 0;
	char quote = 0;
	const char *at = text;

	for (; *at && at - text < 1000; at++) {
		if (quote) {
			quote = *at == quote ? 0 : quote;
		} else if (*at == '"' || (*at == '\'' && braces)) {
			quote = *at;
		} else if (*at == '{') {
			braces++;
		} else if (*at == '}' && braces) {
			braces--;
		} else if (*at == '>' && !braces) {
			return at + 1;
		}
	}
	return NULL;
}

/* Names of elements that hold their content only in some case. */
static bool is_case(const char *name)
{
	static const char *const parts[] = {"tab",     "if",	 "when",    "show",    "cond",
					    "case",    "only",	 "variant", "version", "platform",
					    "edition", "choice", "option",  "feature"};

	if (text_is(name, "table|tabs|tablist|thead|tbody|tfoot|tabgroup|tab-group|tab-container|"
			  "tabpanels"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (strcasestr(name, parts[i]))
			return true;
	return false;
}

static const char *attribute_of(struct arena *arena, const char *tag, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = strcasestr(tag, name); at; at = strcasestr(at + 1, name)) {
		const char *value = at + length;
		char close;

		if (text_is_word(at[-1]) || *value != '=')
			continue;
		value++;
		close = *value == '{' ? '}' : *value;
		if (!strchr("\"'{", *value))
			continue;
		for (length = 1; value[length] && value[length] != close; length++)
			continue;
		return text_tidy(arena, arena_strndup(arena, value + 1, length - 1), false);
	}
	return NULL;
}

/* The condition that the attributes of a tag give; NULL: none. */
static const char *tag_condition(struct arena *arena, const char *tag)
{
	static const char *const names[] = {
		"label", "title",   "value",	"condition", "when",	"test",	   "if", "name",
		"is",	 "version", "platform", "edition",   "product", "heading", "tab"};
	const char *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(names) && !found; i++)
		found = attribute_of(arena, tag, names[i]);
	return found;
}

/* An element of MDX (a capital letter) or of its own (a hyphen), or a known one of tabs. */
static bool is_component(const char *name)
{
	return (*name >= 'A' && *name <= 'Z' &&
		!text_is(name, "A|B|I|P|TABLE|TR|TD|TH|THEAD|TBODY|"
			       "TFOOT|UL|OL|LI|BR|DIV|SPAN|H1|H2|"
			       "H3|H4|H5|H6|HTML|BODY|HEAD|TITLE|"
			       "CENTER|FONT|EM|STRONG|CODE|PRE|HR|"
			       "IMG|CAPTION|DL|DT|DD|SUP|SUB|META|"
			       "LINK|SCRIPT|STYLE|U|TT|SMALL|BIG|"
			       "BLOCKQUOTE|NOBR|COL|COLGROUP")) ||
	       strchr(name, '-') || text_is(name, "tab|tabs|tabitem");
}

static bool begins_line(const struct page *page, const char *at)
{
	while (at > page->text && (at[-1] == ' ' || at[-1] == '\t'))
		at--;
	return at == page->text || at[-1] == '\n';
}

/* The tag at `at`; what is behind it, or NULL when it is none of these. */
static const char *element_read(struct tabs *t, const char *at)
{
	struct arena *arena = t->page->arena;
	bool closes = at[1] == '/';
	const char *name = at + 1 + closes, *end;
	size_t length = 0, depth = t->depth;
	char *element, *tag;

	while (text_is_word(name[length]) || name[length] == '-' || name[length] == '.')
		length++;
	if (!length || length > 40 || !strchr(" \t\n/>", name[length]))
		return NULL;
	element = arena_strndup(arena, name, length);
	end = is_component(element) ? tag_end(at) : NULL;
	/* <Region> within a line is a placeholder. */
	if (!end || !(closes || begins_line(t->page, at) || memchr(at, '=', (size_t)(end - at))))
		return NULL;
	if (closes) {
		while (depth && !str_equal(t->stack[depth - 1].element, element))
			depth--;
		t->depth = depth ? depth - 1 : t->depth;
		t->changes++;
	} else if (end[-2] != '/') {
		tag = arena_strndup(arena, at, (size_t)(end - at));
		scope_open(t, is_case(element) ? tag_condition(arena, tag) : NULL, element, 0);
	}
	blank(t->page, (size_t)(at - t->page->text), (size_t)(end - t->page->text));
	return end;
}

static void elements_read(struct page *page)
{
	struct tabs t = {.page = page};
	const char *now = NULL, *at = page->text, *next;
	uint32_t line = 1;

	while (at < page->text + page->size) {
		next = *at == '<' ? element_read(&t, at) : NULL;
		if (next) {
			now = condition_now(&t);
			for (; at < next; at++)
				line += *at == '\n';
			continue;
		}
		if (now && *at != '\n' && *at != ' ' && !page->conditions[line])
			page->conditions[line] = now;
		line += *at++ == '\n';
	}
}

/* ---------------------------------------------------------------- tabs by lines */

static const char *quoted(struct arena *arena, const char *text)
{
	const char *open = strpbrk(text, "\"'");
	const char *close = open ? strchr(open + 1, *open) : NULL;

	return close ? arena_strndup(arena, open + 1, (size_t)(close - open - 1)) : NULL;
}

/* A tab whose content is indented: === "A" of MkDocs, ".. tab:: A" of Sphinx. */
static const char *indented_tab(struct arena *arena, const char *text)
{
	static const char *const directives[] = {
		".. tab:: ",	  ".. tab-item:: ", ".. group-tab:: ",	".. only:: ",
		".. ifconfig:: ", ".. code-tab:: ", ".. md-tab-item:: "};

	if (str_starts(text, "=== \"") || str_starts(text, "===! \"") ||
	    str_starts(text, "===+ \""))
		return quoted(arena, text);
	for (size_t i = 0; i < ARRAY_SIZE(directives); i++)
		if (str_starts(text, directives[i]))
			return text + strlen(directives[i]);
	return NULL;
}

/* A tab that ends at a mark: of Hugo, GitLab, AsciiDoc. `closes`: such a mark. */
static const char *marked_tab(struct arena *arena, const char *text, bool *closes)
{
	const char *value;

	*closes = str_starts(text, "{{< /tab") || str_starts(text, "{{% /tab") ||
		  str_starts(text, "endif::") || str_starts(text, "::EndTabs") ||
		  str_equal(text, "::/tabs") || str_starts(text, "{{</tab") ||
		  str_starts(text, "{{%/tab");
	if (*closes)
		return NULL;
	if (str_starts(text, "{{< tab ") || str_starts(text, "{{% tab "))
		return quoted(arena, text);
	if (str_starts(text, ":::TabTitle "))
		return text + strlen(":::TabTitle ");
	if (str_starts(text, "ifndef::") || str_starts(text, "ifdef::")) {
		value = strchr(text, ':') + 2;
		value = arena_strndup(arena, value, strcspn(value, "["));
		return text[2] == 'n' ? arena_printf(arena, "not %s", value) : value;
	}
	if (str_starts(text, "ifeval::"))
		return text + strlen("ifeval::");
	return NULL;
}

static size_t indent_of(const char *text)
{
	size_t indent = 0;

	for (; *text == ' ' || *text == '\t'; text++)
		indent += *text == '\t' ? 4 : 1;
	return indent;
}

/* The content of a tab is read as if it stood at the margin. */
static void outdent(struct page *page, uint32_t line, size_t most)
{
	char *text = page->text + page->start[line - 1];
	size_t size = page->start[line] - page->start[line - 1], indent = strspn(text, " ");

	indent = indent < most ? indent : most;
	if (indent >= size)
		return;
	/* The end of the line keeps its place. */
	memmove(text, text + indent, size - indent - 1);
	memset(text + size - indent - 1, ' ', indent);
}

static bool line_ends(const struct tabs *t, size_t indent)
{
	const struct scope *scope = &t->stack[t->depth - 1];

	return !scope->element && indent <= scope->indent;
}

static void lines_read(struct page *page)
{
	static const char marked[] = "mark";
	struct tabs t = {.page = page};

	for (uint32_t line = 1; line <= page->lines; line++) {
		const char *raw = page_raw_line(page, line), *text = raw + strspn(raw, " \t");
		size_t indent = indent_of(raw);
		const char *tab;
		bool closes;

		if (!*text)
			continue;
		while (t.depth && line_ends(&t, indent))
			scope_close(&t);
		tab = marked_tab(page->arena, text, &closes);
		if (closes || (tab && str_starts(text, ":::TabTitle")))
			scope_close(&t);
		if (tab)
			scope_open(&t, tab, marked, indent);
		else if ((tab = indented_tab(page->arena, text)))
			scope_open(&t, tab, NULL, indent);
		else if (t.depth)
			condition_add(page, line, condition_now(&t));
		if (t.depth && !tab && !t.stack[t.depth - 1].element && str_starts(text, "|"))
			outdent(page, line, indent);
	}
}

void tabs_read(struct page *page)
{
	elements_read(page);
	lines_read(page);
}
