/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words of a page and those of a table, for against.c: services, ends, purposes, DNS names.
 */
#ifndef TABLES_AGAINST_H
#define TABLES_AGAINST_H

#include "tables.h"

struct facts {
	struct service *list;
	size_t count, capacity;
};

/* Services as texts; params of a row stand for all the values that they may have. */
void facts_add(struct arena *arena, struct facts *facts, const char *text);
void facts_of_row(struct arena *arena, const struct table_view *table, const struct row_view *row,
		  struct facts *out);
/* All of a service is among the facts. */
bool facts_cover(const struct facts *facts, const struct service *service);
bool facts_cover_all(const struct facts *facts, const struct facts *others);
/* How many of them share a port with the others. */
size_t facts_shared(const struct facts *facts, const struct facts *others);
struct word_list facts_words(struct arena *arena, const struct facts *facts);

struct terms {
	const char **list;
	size_t count, capacity;
};

/* The words of texts, in small letters, without articles, plurals and the like. */
void terms_add(struct arena *arena, struct terms *terms, const char *text);
/* How many in a hundred of the shorter list are in the other; 0 where one is empty. Words that
 * begin alike count: "activates", "activation". */
unsigned terms_alike(const struct terms *a, const struct terms *b);
/* The roles that the words of a page may mean: each of its words is one of the role's name and
 * title; if those of a role are the same words, that role alone. True by role number. */
bool *roles_meant(struct arena *arena, const struct table_view *table, const char *title);

/* DNS names and single addresses of the table that the page has not, and names of the same domains
 * that only the page has, as changes of kind "name". */
struct page_changes {
	struct page_change *list;
	size_t count, capacity;
};
/* False: the table has names, and the page has none of them. */
bool names_compare(struct arena *arena, const struct table_view *table,
		   const struct page_view *page, struct page_changes *out);
struct page_change *page_change_add(struct arena *arena, struct page_changes *changes,
				    const char *kind, const char *name, enum table_what what);

#endif
