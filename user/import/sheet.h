/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rows of a draft while they are collected, and the text that no reader understood.
 */
#ifndef IMPORT_SHEET_H
#define IMPORT_SHEET_H

#include "page.h"
#include "ports.h"

struct drafted_row {
	uint32_t line, last;
	const void *of;	       /* the row of the page that it is of; NULL: a sentence */
	const char *text;      /* of that row, all cells */
	bool undirected;       /* the page does not say which side opens */
	bool both_ways;	       /* a sentence names both directions */
	const char *from, *to; /* titles, or one of the placeholders below */
	const char **services;
	size_t service_count, service_capacity;
	const char *purpose, *section, *condition, *see;
	const char *remark; /* the row's note: why it is optional */
	bool optional;
	const char **notes; /* comments above the row */
	size_t note_count, note_capacity;
	bool candidate; /* a comment only: a person has to read who opens */
};

/* Roles for ends that the document does not name; compared by their address. */
extern const char role_this_host[], role_inbound_peer[], role_outbound_peer[], role_peer[];

bool role_is_placeholder(const char *role);

struct unparsed { /* text that no reader understood */
	uint32_t line;
	const char *why, *text;
};

struct sheet {
	struct page *page;
	struct arena *arena;
	struct drafted_row *rows;
	size_t count, capacity;
	struct unparsed *unparsed;
	size_t unparsed_count, unparsed_capacity;
	const char *first;	 /* the first heading, or NULL */
	const char *headings[8]; /* in force, by level */
	bool subjects[8];	 /* several headings of the level name hosts */
	const char *lead;	 /* the last paragraph below them, or NULL */
	bool listed;		 /* an item of the list names ports */
	const char *spoken;	 /* the text of the last candidate */
	struct token *tokens;	 /* of the text that prose.c reads */
	protocols assumed;	 /* the transport that the headings name, or 0 */
};

struct drafted_row *sheet_row(struct sheet *s, uint32_t line);
void sheet_add_unparsed(struct sheet *s, uint32_t line, const char *why, const char *text);
void row_note(struct sheet *s, struct drafted_row *row, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void row_service(struct sheet *s, struct drafted_row *row, const char *service);
/* A row both ways is two rows, unless both ends are the same role. */
void row_reverse(struct sheet *s, const struct drafted_row *row);
const char *sheet_section(const struct sheet *s); /* the innermost heading, or NULL */
bool sheet_refuses(const struct sheet *s);	  /* a heading in force closes the ports below */
void row_add_range(struct sheet *s, struct drafted_row *row, const struct port_range *range);

#endif
