/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vendor's page against a table. A page has no ids: its rows are paired with those of the table
 * by ports, ends and purpose, one to one, the best pairs first. What is left over is gone or new;
 * what differs in a pair is changed.
 *
 * A unit of the page is a row of it. A unit of the table is what its rows cite as one place of the
 * document, such as both ways of "both", or a row that cites no line.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "against.h"

enum { ROWS_MAX = 2000 };
/* A pair's points: ports in common, ends, purpose, place in the document. */
enum { POINTS_PORTS = 400, POINTS_END = 150, POINTS_PURPOSE = 150, POINTS_PLACE = 30 };
enum { ALIKE = 50 }; /* purposes, in hundredths */

enum fit {
	FIT_NOT,     /* the page means another role */
	FIT_UNKNOWN, /* words of the page that are no role's */
	FIT_OPEN,    /* the page names nobody */
	FIT_SHARED,  /* words that may mean several roles */
	FIT_SOLE,
};

struct unit {
	const size_t *rows; /* numbers in the table or the page */
	size_t count;
	uint32_t line; /* of the document; 0: none is cited */
	struct facts facts;
	struct terms purpose;
	struct terms roles; /* of the table: the purpose and the words of both ends */
	struct unit *mate;
};

struct title {
	const char *text;
	bool *meant; /* by role; NULL: no role's words */
	bool sole;
	size_t stands_for; /* the role whose place it has, 1 …; 0: none */
	bool many;	   /* … of several roles */
	uint32_t line;
};

struct against {
	struct arena *arena;
	const struct table_view *table;
	const struct page_view *page;
	struct facts *row_facts, *page_facts;
	struct unit *units, *page_units; /* of the table, of the page */
	size_t unit_count, page_unit_count;
	struct title *titles;
	size_t title_count, title_capacity;
	struct index by_title;
	const struct role_view *here; /* whom the page is about; NULL: it does not matter */
	bool sentences;		      /* the page has no rows, only sentences with ports */
	bool *same;		      /* by row of the table */
	struct page_changes changes, in_text;
};

/* ---------------------------------------------------------------- ends */

static struct title *title_get(struct against *a, const char *text, uint32_t line)
{
	const size_t *number = index_get(&a->by_title, text);
	struct title *title;
	size_t meant = 0, *at;

	if (number)
		return &a->titles[*number];
	a->titles = arena_grow(a->arena, a->titles, a->title_count, &a->title_capacity,
			       sizeof(*a->titles));
	title = &a->titles[a->title_count];
	*title = (struct title){.text = text, .line = line};
	title->meant = roles_meant(a->arena, a->table, text);
	for (size_t i = 0; i < a->table->role_count; i++)
		meant += title->meant[i];
	title->sole = meant == 1;
	if (!meant)
		title->meant = NULL;
	at = arena_alloc(a->arena, sizeof(*at));
	*at = a->title_count++;
	index_insert(&a->by_title, text, at);
	return title;
}

static enum fit end_fit(struct against *a, const char *title, bool here,
			const struct role_view *role)
{
	size_t number = (size_t)(role - a->table->roles);
	const struct title *found;

	if (!title)
		return here && a->here && a->here != role ? FIT_NOT : FIT_OPEN;
	found = title_get(a, title, 0);
	if (!found->meant)
		return found->stands_for == number + 1 && !found->many ? FIT_SOLE : FIT_UNKNOWN;
	if (!found->meant[number])
		return FIT_NOT;
	return found->sole ? FIT_SOLE : FIT_SHARED;
}

struct ends_fit {
	enum fit from, to;
};

static struct ends_fit ends_fit(struct against *a, const struct page_row *page,
				const struct row_view *row, bool swapped)
{
	const struct role_view *from = swapped ? row->to : row->from;
	const struct role_view *to = swapped ? row->from : row->to;

	return (struct ends_fit){end_fit(a, page->from, page->from_here, from),
				 end_fit(a, page->to, page->to_here, to)};
}

static unsigned fit_points(struct ends_fit fit)
{
	static const unsigned points[] = {[FIT_NOT] = 0,
					  [FIT_UNKNOWN] = 30,
					  [FIT_OPEN] = 60,
					  [FIT_SHARED] = 120,
					  [FIT_SOLE] = POINTS_END};

	return points[fit.from] + points[fit.to];
}

/* The better way round, where the page does not say which side opens. */
static struct ends_fit best_fit(struct against *a, const struct page_row *page,
				const struct row_view *row)
{
	struct ends_fit fit = ends_fit(a, page, row, false), other;

	if (!page->undirected)
		return fit;
	other = ends_fit(a, page, row, true);
	return fit_points(other) > fit_points(fit) ? other : fit;
}

static bool fit_is_good(struct ends_fit fit)
{
	return fit.from >= FIT_OPEN && fit.to >= FIT_OPEN;
}

static bool fit_is_swapped(struct against *a, const struct page_row *page,
			   const struct row_view *row)
{
	struct ends_fit fit = best_fit(a, page, row), back = ends_fit(a, page, row, true);

	return (fit.from == FIT_NOT || fit.to == FIT_NOT) && fit_is_good(back);
}

/* ---------------------------------------------------------------- units */

static void unit_facts(struct against *a, struct unit *unit, const struct facts *facts)
{
	char text[SERVICE_TEXT];

	for (size_t i = 0; i < unit->count; i++)
		for (size_t k = 0; k < facts[unit->rows[i]].count; k++)
			facts_add(a->arena, &unit->facts,
				  service_text(&facts[unit->rows[i]].list[k], text));
}

static void role_terms(struct against *a, struct unit *unit, const struct role_view *role)
{
	terms_add(a->arena, &unit->roles, role->name);
	terms_add(a->arena, &unit->roles, role->title);
}

static void page_units_make(struct against *a)
{
	const struct page_view *page = a->page;
	size_t *numbers = arena_alloc(a->arena, (page->row_count + 1) * sizeof(*numbers));

	a->page_units = arena_alloc(a->arena, (page->row_count + 1) * sizeof(*a->page_units));
	for (size_t i = 0; i < page->row_count; i++) {
		struct unit *unit = &a->page_units[a->page_unit_count - (a->page_unit_count > 0)];

		numbers[i] = i;
		if (!i || page->rows[i].group != page->rows[i - 1].group) {
			unit = &a->page_units[a->page_unit_count++];
			*unit = (struct unit){.rows = &numbers[i], .line = page->rows[i].line};
		}
		unit->count++;
	}
	for (size_t i = 0; i < a->page_unit_count; i++) {
		struct unit *unit = &a->page_units[i];

		unit_facts(a, unit, a->page_facts);
		for (size_t k = 0; k < unit->count; k++)
			terms_add(a->arena, &unit->purpose, page->rows[unit->rows[k]].purpose);
	}
}

struct citation {
	uint32_t line;
	size_t row;
};

static int citation_compare(const void *x, const void *y)
{
	const struct citation *a = x, *b = y;

	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->row < b->row ? -1 : a->row > b->row;
}

/* "22, 27" */
static size_t citations_read(struct against *a, struct citation *out)
{
	size_t count = 0;

	for (size_t i = 0; i < a->table->row_count; i++) {
		const char *text = a->table->rows[i].lines;

		while (text && *text && !a->sentences) {
			char *end;
			unsigned long line = strtoul(text, &end, 10);

			if (end == text)
				break;
			if (out)
				out[count] = (struct citation){(uint32_t)line, i};
			count++;
			text = end + strspn(end, ", ");
		}
	}
	return count;
}

/* The rows that cite a line are those of the line before it: one place of the document. */
static bool continues(const struct unit *unit, uint32_t last, const struct citation *at,
		      size_t count)
{
	if (!unit || unit->count != count || at->line != last + 1)
		return false;
	for (size_t i = 0; i < count; i++)
		if (unit->rows[i] != at[i].row)
			return false;
	return true;
}

static struct unit *unit_add(struct against *a, const size_t *rows, size_t count, uint32_t line)
{
	struct unit *unit = &a->units[a->unit_count++];

	*unit = (struct unit){.rows = rows, .count = count, .line = line};
	unit_facts(a, unit, a->row_facts);
	for (size_t i = 0; i < count; i++) {
		const struct row_view *row = &a->table->rows[rows[i]];

		terms_add(a->arena, &unit->purpose, row->purpose);
		terms_add(a->arena, &unit->roles, row->purpose);
		role_terms(a, unit, row->from);
		role_terms(a, unit, row->to);
	}
	return unit;
}

static void units_make(struct against *a)
{
	size_t total = citations_read(a, NULL), run;
	struct citation *all = arena_alloc(a->arena, (total + 1) * sizeof(*all));
	size_t *numbers =
		arena_alloc(a->arena, (total + a->table->row_count + 1) * sizeof(*numbers));
	struct unit *unit = NULL;

	a->units = arena_alloc(a->arena, (total + a->table->row_count + 1) * sizeof(*a->units));
	citations_read(a, all);
	qsort(all, total, sizeof(*all), citation_compare);
	for (size_t i = 0; i < total; i += run) {
		for (run = 0; i + run < total && all[i + run].line == all[i].line; run++)
			numbers[i + run] = all[i + run].row;
		if (!i || !continues(unit, all[i - 1].line, &all[i], run))
			unit = unit_add(a, &numbers[i], run, all[i].line);
	}
	for (size_t i = 0; i < a->table->row_count; i++) {
		numbers[total + i] = i;
		if (!a->table->rows[i].lines || a->sentences)
			unit_add(a, &numbers[total + i], 1, 0);
	}
}

/* ---------------------------------------------------------------- whom the page is about */

static void here_vote(struct against *a, size_t page, unsigned *votes)
{
	const struct page_row *row = &a->page->rows[page];

	if (row->undirected || (!row->from_here && !row->to_here))
		return;
	for (size_t i = 0; i < a->table->row_count; i++) {
		const struct row_view *own = &a->table->rows[i];
		const struct role_view *role = row->from_here ? own->from : own->to;

		if (facts_shared(&a->page_facts[page], &a->row_facts[i]))
			votes[role - a->table->roles]++;
	}
}

static void here_find(struct against *a)
{
	unsigned *votes = arena_alloc(a->arena, (a->table->role_count + 1) * sizeof(*votes));
	unsigned most = 0;

	for (size_t i = 0; i < a->page->row_count; i++)
		here_vote(a, i, votes);
	for (size_t i = 0; i < a->table->role_count; i++)
		if (votes[i] > most) {
			most = votes[i];
			a->here = &a->table->roles[i];
		}
}

/* ---------------------------------------------------------------- pairs */

static bool is_in_text(const struct against *a, const struct unit *page)
{
	return a->page->rows[page->rows[0]].in_text;
}

struct pair {
	struct unit *unit, *page;
	unsigned points;
};

static unsigned ports_points(const struct unit *unit, const struct unit *page)
{
	size_t total = unit->facts.count + page->facts.count;
	size_t shared =
		facts_shared(&unit->facts, &page->facts) + facts_shared(&page->facts, &unit->facts);

	if (!unit->facts.count && !page->facts.count)
		return POINTS_PORTS;
	return (unsigned)(total ? POINTS_PORTS * shared / total : 0);
}

/* Of the two rows whose ends agree most; true in *swapped: the other way round they would. */
static struct ends_fit unit_ends(struct against *a, const struct unit *unit,
				 const struct unit *page, bool *swapped)
{
	struct ends_fit best = {FIT_NOT, FIT_NOT};

	*swapped = false;
	for (size_t i = 0; i < page->count; i++)
		for (size_t k = 0; k < unit->count; k++) {
			const struct page_row *row = &a->page->rows[page->rows[i]];
			const struct row_view *own = &a->table->rows[unit->rows[k]];
			struct ends_fit fit = best_fit(a, row, own);

			*swapped |= fit_is_swapped(a, row, own);
			if (fit_points(fit) > fit_points(best))
				best = fit;
		}
	return best;
}

/* Which is the same row of the document, changed or not; 0: it is another. */
static unsigned pair_points(struct against *a, const struct unit *unit, const struct unit *page)
{
	unsigned ports = ports_points(unit, page);
	bool swapped, wordless = !unit->purpose.count || !page->purpose.count;
	struct ends_fit fit;
	unsigned alike;

	if (!ports && is_in_text(a, page))
		return 0;
	fit = unit_ends(a, unit, page, &swapped);
	alike = terms_alike(&unit->purpose, &page->purpose);
	/* A page that names no ends has them in its purposes. */
	if (alike < ALIKE && (fit.from == FIT_OPEN || fit.to == FIT_OPEN))
		alike = terms_alike(&unit->roles, &page->purpose);
	if (!ports && alike < ALIKE && !wordless)
		return 0;
	if (fit.from == FIT_NOT && fit.to == FIT_NOT && !swapped)
		return 0;
	if (fit.from == FIT_NOT || fit.to == FIT_NOT) {
		if (!ports || (alike < ALIKE && !swapped && !wordless))
			return 0;
	} else if (!ports) {
		if (fit.from == FIT_UNKNOWN || fit.to == FIT_UNKNOWN)
			return 0;
		if (wordless && (fit.from != FIT_SOLE || fit.to != FIT_SOLE))
			return 0;
	} else if (fit.from == FIT_UNKNOWN && fit.to == FIT_UNKNOWN && alike < ALIKE) {
		return 0;
	}
	return ports + fit_points(fit) + alike * POINTS_PURPOSE / 100;
}

static unsigned place_points(const struct against *a, const struct unit *unit,
			     const struct unit *page)
{
	double at = (double)(unit - a->units) / (double)a->unit_count;
	double on = (double)(page - a->page_units) / (double)a->page_unit_count;
	double apart = at > on ? at - on : on - at;

	return (unsigned)(POINTS_PLACE * (1 - apart));
}

static int pair_compare(const void *x, const void *y)
{
	const struct pair *a = x, *b = y;

	if (a->points != b->points)
		return a->points > b->points ? -1 : 1;
	if (a->page != b->page)
		return a->page < b->page ? -1 : 1;
	return a->unit < b->unit ? -1 : a->unit > b->unit;
}

/* Its neighbours in the document are rows of the page: it was one as well, and no sentence. */
static bool was_row(const struct against *a, const struct unit *unit)
{
	const struct unit *end = a->units + a->unit_count;
	const struct unit *before = unit > a->units ? unit - 1 : NULL;
	const struct unit *after = unit + 1 < end ? unit + 1 : NULL;
	const struct unit *sides[] = {before, after};

	for (size_t i = 0; unit->line && i < ARRAY_SIZE(sides); i++)
		if (sides[i] && sides[i]->line &&
		    (!sides[i]->mate || is_in_text(a, sides[i]->mate)))
			return false;
	return unit->line;
}

/* Rows of the page first, then its sentences. */
static void pairs_make(struct against *a, bool in_text)
{
	struct pair *list = NULL;
	size_t count = 0, capacity = 0;

	for (size_t i = 0; i < a->page_unit_count; i++)
		for (size_t k = 0; k < a->unit_count; k++) {
			struct pair pair = {.unit = &a->units[k], .page = &a->page_units[i]};

			if (is_in_text(a, pair.page) != in_text ||
			    (in_text && (pair.unit->mate || was_row(a, pair.unit))))
				continue;
			pair.points = pair_points(a, pair.unit, pair.page);
			if (!pair.points)
				continue;
			pair.points += place_points(a, pair.unit, pair.page);
			list = arena_grow(a->arena, list, count, &capacity, sizeof(*list));
			list[count++] = pair;
		}
	if (count)
		qsort(list, count, sizeof(*list), pair_compare);
	for (size_t i = 0; i < count; i++)
		if (!list[i].unit->mate && !list[i].page->mate) {
			list[i].unit->mate = list[i].page;
			list[i].page->mate = list[i].unit;
		}
}

/* ---------------------------------------------------------------- renamed ends */

static bool role_is_named(const struct against *a, size_t role)
{
	for (size_t i = 0; i < a->title_count; i++)
		if (a->titles[i].meant && a->titles[i].sole && a->titles[i].meant[role])
			return true;
	return false;
}

static void stand_for(struct against *a, const char *text, uint32_t line,
		      const struct role_view *role)
{
	struct title *title = text ? title_get(a, text, line) : NULL;
	size_t number = (size_t)(role - a->table->roles) + 1;

	if (!title || title->meant)
		return;
	title->line = title->line ?: line;
	title->many |= title->stands_for && title->stands_for != number;
	title->stands_for = number;
}

/* The row of the table whose place a row of the page has. */
static const struct row_view *row_beside(struct against *a, const struct unit *unit,
					 const struct page_row *page)
{
	const struct row_view *best = &a->table->rows[unit->rows[0]];

	for (size_t i = 1; i < unit->count; i++) {
		const struct row_view *row = &a->table->rows[unit->rows[i]];

		if (fit_points(best_fit(a, page, row)) > fit_points(best_fit(a, page, best)))
			best = row;
	}
	return best;
}

/* Words that have the place of one role in every row, where no others name that role. */
static void renames_find(struct against *a)
{
	struct title *titles;

	for (size_t i = 0; i < a->page_unit_count; i++) {
		const struct unit *page = &a->page_units[i];

		for (size_t k = 0; k < page->count && page->mate; k++) {
			const struct page_row *row = &a->page->rows[page->rows[k]];
			const struct row_view *own = row_beside(a, page->mate, row);

			stand_for(a, row->from, row->line, own->from);
			stand_for(a, row->to, row->line, own->to);
		}
	}
	titles = a->titles;
	for (size_t i = 0; i < a->title_count; i++) {
		struct title *title = &titles[i];

		if (!title->stands_for)
			continue;
		title->many |= role_is_named(a, title->stands_for - 1);
		for (size_t k = 0; k < a->title_count; k++)
			title->many |= k != i && titles[k].stands_for == title->stands_for;
	}
}

/* ---------------------------------------------------------------- changes */

static struct word_list one_word(struct arena *arena, const char *text)
{
	const char **list = arena_alloc(arena, sizeof(*list));

	*list = text;
	return (struct word_list){.list = list, .count = 1};
}

static void field_put(struct against *a, struct page_change *change, const char *key,
		      struct word_list before, struct word_list after)
{
	enum { FIELDS = 4 };
	struct table_change *to = &change->change;

	if (!to->fields)
		to->fields = arena_alloc(a->arena, FIELDS * sizeof(*to->fields));
	to->fields[to->field_count++] = (struct table_field){key, before, after};
}

static const char *words_joined(struct arena *arena, const struct word_list *words)
{
	const char *text = NULL;

	for (size_t i = 0; i < words->count; i++)
		text = str_list_append(arena, text, words->list[i]);
	return text ?: "no ports";
}

static const char *unit_text(struct against *a, const struct unit *unit)
{
	const char *text = "";

	for (size_t i = 0; i < unit->count; i++) {
		const struct row_view *row = &a->table->rows[unit->rows[i]];

		text = arena_printf(a->arena, "%s%s%s: %s to %s, %s", text, i ? "; " : "", row->id,
				    row->from->name, row->to->name,
				    words_joined(a->arena, &row->ports));
	}
	return text;
}

static const char *unit_name(struct against *a, const struct unit *unit)
{
	const char *name = NULL;

	for (size_t i = 0; i < unit->count; i++)
		name = str_list_append(a->arena, name, a->table->rows[unit->rows[i]].id);
	return name;
}

/* `unit` or `page` NULL: that side has none. */
static struct page_change *row_change(struct against *a, struct page_changes *to,
				      const struct unit *unit, const struct unit *page)
{
	struct page_change *change = page_change_add(a->arena, to, "row", NULL, TABLE_CHANGED);

	if (unit) {
		change->change.name = unit_name(a, unit);
		change->table_line = a->table->rows[unit->rows[0]].at;
		change->table_text = unit_text(a, unit);
		if (unit->line)
			change->table_text = arena_printf(a->arena, "%s (of document line %u)",
							  change->table_text, unit->line);
	} else {
		change->change.what = TABLE_NEW;
	}
	if (page) {
		change->page_line = page->line;
		change->page_text = a->page->rows[page->rows[0]].text;
	} else {
		change->change.what = TABLE_GONE;
	}
	return change;
}

static const char *or_dash(const char *text)
{
	return text ? text : "-";
}

static struct word_list unit_ends_words(struct against *a, const struct unit *unit, bool page)
{
	const char **list = arena_alloc(a->arena, unit->count * sizeof(*list));
	struct word_list words = {.list = list};

	for (size_t i = 0; i < unit->count; i++) {
		const struct page_row *on = page ? &a->page->rows[unit->rows[i]] : NULL;
		const struct row_view *own = page ? NULL : &a->table->rows[unit->rows[i]];
		const char *text;

		if (page)
			text = arena_printf(a->arena, "%s to %s", or_dash(on->from),
					    or_dash(on->to));
		else
			text = arena_printf(a->arena, "%s to %s", own->from->name, own->to->name);
		if (!word_list_has(&words, text))
			list[words.count++] = text;
	}
	return words;
}

/* Each row of either side has one of the other with its ends. */
static bool ends_agree(struct against *a, const struct unit *unit, const struct unit *page)
{
	bool *used = arena_alloc(a->arena, unit->count), all = true;

	for (size_t i = 0; i < page->count; i++) {
		const struct page_row *row = &a->page->rows[page->rows[i]];
		bool found = false;

		for (size_t k = 0; k < unit->count; k++) {
			bool good = fit_is_good(best_fit(a, row, &a->table->rows[unit->rows[k]]));

			found |= good;
			used[k] |= good;
		}
		all &= found;
	}
	for (size_t k = 0; k < unit->count; k++)
		all &= used[k];
	return all;
}

static bool is_swapped(struct against *a, const struct unit *unit, const struct unit *page)
{
	bool swapped;

	unit_ends(a, unit, page, &swapped);
	return swapped;
}

static const char *unit_see(struct against *a, const struct unit *unit, bool page)
{
	const char *see = NULL;

	for (size_t i = 0; i < unit->count && !see; i++)
		see = page ? a->page->rows[unit->rows[i]].see : a->table->rows[unit->rows[i]].see;
	return see;
}

static void same_add(struct against *a, const struct unit *unit)
{
	for (size_t i = 0; i < unit->count; i++)
		a->same[unit->rows[i]] = true;
}

static void pair_judge(struct against *a, struct unit *unit)
{
	const struct unit *page = unit->mate;
	bool in_text = is_in_text(a, page), ends = ends_agree(a, unit, page);
	bool ports = facts_cover_all(&page->facts, &unit->facts);
	const char *see = unit_see(a, unit, false), *link = unit_see(a, page, true);
	struct page_change *change;

	/* A sentence that names other ports besides says nothing against these. */
	ports &= in_text || facts_cover_all(&unit->facts, &page->facts);
	if (ports && ends && (unit->facts.count || !link || str_equal(see, link))) {
		if (in_text)
			row_change(a, &a->in_text, unit, page);
		else
			same_add(a, unit);
		return;
	}
	change = row_change(a, &a->changes, unit, page);
	if (!ports)
		field_put(a, change, "ports", facts_words(a->arena, &unit->facts),
			  facts_words(a->arena, &page->facts));
	if (!ends)
		field_put(a, change, is_swapped(a, unit, page) ? "direction" : "ends",
			  unit_ends_words(a, unit, false), unit_ends_words(a, page, true));
	if (ports && ends)
		field_put(a, change, "see", one_word(a->arena, see ?: "-"),
			  one_word(a->arena, link));
}

/* ---------------------------------------------------------------- what has no pair */

/* A row of the page with the ports and ends of the unit, the most alike. */
static const struct unit *covered_by_page(struct against *a, const struct unit *unit)
{
	const struct unit *best = NULL;
	unsigned most = 0;
	bool swapped;

	for (size_t i = 0; i < a->page_unit_count && unit->facts.count; i++) {
		const struct unit *page = &a->page_units[i];
		unsigned points = pair_points(a, unit, page);

		if (points <= most || !facts_cover_all(&page->facts, &unit->facts) ||
		    !fit_is_good(unit_ends(a, unit, page, &swapped)))
			continue;
		best = page;
		most = points;
	}
	return best;
}

static bool covered_by_table(struct against *a, const struct unit *page)
{
	struct facts facts = {0};
	char text[SERVICE_TEXT];

	for (size_t i = 0; i < a->table->row_count; i++) {
		bool fits = true;

		for (size_t k = 0; k < page->count; k++)
			fits &= fit_is_good(
				best_fit(a, &a->page->rows[page->rows[k]], &a->table->rows[i]));
		for (size_t k = 0; fits && k < a->row_facts[i].count; k++)
			facts_add(a->arena, &facts, service_text(&a->row_facts[i].list[k], text));
	}
	return page->facts.count && facts_cover_all(&facts, &page->facts);
}

/* "Communication between nodes must be possible on any port." */
static bool opens_all(const char *text)
{
	static const char *const words[] = {"any port",	    "all port",	   "every port",
					    "all traffic",  "unblocked",   "any traffic",
					    "all protocol", "any protocol"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasestr(text, words[i]))
			return true;
	return false;
}

static bool is_of_all(const struct unit *unit)
{
	for (size_t i = 0; i < unit->facts.count; i++)
		if (unit->facts.list[i].any_proto)
			return true;
	return false;
}

/* Of several sentences for every port, each serves the rows of one place in turn. */
static const struct page_text *text_for(struct against *a, size_t *next)
{
	for (; *next < a->page->text_count; (*next)++)
		if (opens_all(a->page->texts[*next].text))
			return &a->page->texts[(*next)++];
	return NULL;
}

/* Neither ports nor the address of a page that has them: there is nothing to look for. */
static bool is_without_ports(struct against *a, const struct unit *unit)
{
	const char *see = unit_see(a, unit, false);

	return !unit->facts.count && (!see || !strstr(see, "://"));
}

static bool is_told(const struct against *a, const struct unit *unit)
{
	for (size_t i = 0; i < a->in_text.count; i++)
		if (a->in_text.list[i].table_line == a->table->rows[unit->rows[0]].at)
			return true;
	return false;
}

static void unit_alone(struct against *a, struct unit *unit, size_t *next)
{
	const struct page_text *text = is_of_all(unit) ? text_for(a, next) : NULL;
	const struct unit *other = NULL;
	struct page_change *change;

	if (!text && is_without_ports(a, unit) && is_told(a, unit))
		return;
	if (text || is_without_ports(a, unit)) {
		change = row_change(a, &a->in_text, unit, NULL);
		change->page_line = text ? text->line : 0;
		change->page_text = text ? text->text : NULL;
		return;
	}
	if (!unit->line)
		other = covered_by_page(a, unit);
	if (other && !is_in_text(a, other))
		same_add(a, unit);
	else
		row_change(a, other ? &a->in_text : &a->changes, unit, other);
}

static void page_alone(struct against *a, const struct unit *page)
{
	struct facts all = {0};

	if (covered_by_table(a, page))
		return;
	if (is_in_text(a, page)) {
		for (size_t i = 0; i < a->table->row_count; i++)
			facts_of_row(a->arena, a->table, &a->table->rows[i], &all);
		if (facts_cover_all(&all, &page->facts))
			return;
	}
	row_change(a, &a->changes, NULL, page);
}

static void rename_tell(struct against *a, const struct title *title)
{
	const struct role_view *role = &a->table->roles[title->stands_for - 1];
	struct page_change *change =
		page_change_add(a->arena, &a->changes, "role", role->name, TABLE_CHANGED);

	change->page_line = title->line;
	field_put(a, change, "title", one_word(a->arena, role->title ?: role->name),
		  one_word(a->arena, title->text));
}

static void changes_find(struct against *a)
{
	size_t next = 0;

	for (size_t i = 0; i < a->title_count; i++)
		if (a->titles[i].stands_for && !a->titles[i].many)
			rename_tell(a, &a->titles[i]);
	for (size_t i = 0; i < a->unit_count; i++) {
		if (a->units[i].mate)
			pair_judge(a, &a->units[i]);
		else
			unit_alone(a, &a->units[i], &next);
	}
	for (size_t i = 0; i < a->page_unit_count; i++)
		if (!a->page_units[i].mate)
			page_alone(a, &a->page_units[i]);
}

/* ---------------------------------------------------------------- the whole */

static int too_many(const struct against *a, struct diags *d)
{
	bool page = a->page->row_count > ROWS_MAX;

	if (!page && a->table->row_count <= ROWS_MAX)
		return 0;
	return diag_error(d, (struct loc){0}, -E2BIG, "too-many-rows",
			  "compare the part of the page with the ports",
			  "%s: more than %d rows, which are too many to compare",
			  page ? a->page->name : a->table->name, ROWS_MAX);
}

int page_compare(const struct table_view *table, const struct page_view *page, struct diags *d,
		 struct page_diff *out)
{
	struct against a = {.arena = d->arena, .table = table, .page = page};
	int err = too_many(&a, d);

	if (err)
		return err;
	*out = (struct page_diff){.table = table, .page = page};
	a.row_facts = arena_alloc(d->arena, (table->row_count + 1) * sizeof(*a.row_facts));
	a.page_facts = arena_alloc(d->arena, (page->row_count + 1) * sizeof(*a.page_facts));
	for (size_t i = 0; i < table->row_count; i++)
		facts_of_row(d->arena, table, &table->rows[i], &a.row_facts[i]);
	for (size_t i = 0; i < page->row_count; i++)
		for (size_t k = 0; k < page->rows[i].ports.count; k++)
			facts_add(d->arena, &a.page_facts[i], page->rows[i].ports.list[k]);
	a.by_title.arena = d->arena;
	a.same = arena_alloc(d->arena, table->row_count + 1);
	a.sentences = true;
	for (size_t i = 0; i < page->row_count; i++)
		a.sentences &= page->rows[i].in_text;
	page_units_make(&a);
	units_make(&a);
	here_find(&a);
	pairs_make(&a, false);
	if (!a.sentences)
		pairs_make(&a, true);
	renames_find(&a);
	changes_find(&a);
	for (size_t i = 0; i < table->row_count; i++)
		out->same += a.same[i];
	out->names_seen = names_compare(d->arena, table, page, &a.changes);
	out->list = a.changes.list;
	out->count = a.changes.count;
	out->in_text = a.in_text.list;
	out->in_text_count = a.in_text.count;
	return 0;
}
