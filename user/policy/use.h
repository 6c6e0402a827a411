/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One `use` of a table while it is resolved. Internal to use.c, resolve.c and site/.
 */
#ifndef POLICY_USE_H
#define POLICY_USE_H

#include "draft.h"

/* The settings of a `use` for one role of its table. */
struct role_state {
	bool played; /* named by `as` */
	const struct node *peers_node;
	struct peers peers;
	bool bad;		 /* peers were given, but with an error of their own */
	bool wanted;		 /* a selected row has it as the peer */
	struct words missing;	 /* ids of the rows that lack a peer, */
	const struct row *first; /* the first of them, */
	const char *unset;	 /* a param that its names need, */
	struct words names;	 /* and the names that it is known by */
	struct words known;	 /* every name that the table gives for it, in a use or instead */
	bool has_own;		 /* … those of the role itself included */
};

struct row_state {
	const struct node *with, *without;
	bool concerns; /* its `from` or `to` is played */
	bool selected; /* … and its conditions are met */
};

struct use {
	struct job *job;
	struct draft *draft;
	const struct node *node, *place; /* place: of the table's name */
	const struct table *table;
	struct settings settings;
	struct role_state *roles; /* by role number */
	struct row_state *rows;	  /* by row number */
	size_t row_count;	  /* active rows; optional ones that are off are not counted */
};

static inline struct role_state *role_state(struct use *use, const struct role *role)
{
	return &use->roles[role - use->table->roles];
}

/* `with` or `without`: which rows are named, and that they exist. */
void use_row_words(struct use *use, const char *key);
/* Is the row active: played, selected, not left out? Reports its errors. */
bool use_row_stands(struct use *use, const struct row *row);
/* Notes a row that lacks the peer of a role. */
void use_note_missing(struct use *use, const struct row *row, const struct node *names,
		      struct role_state *state);
const char *missing_rows_text(struct use *use, const struct role_state *state);
/* Corrections for the missing peer; `key` is "peers" of a policy or "roles" of a site. */
const char *missing_peer_hint(struct use *use, const struct role *role,
			      const struct role_state *state, const char *key);

/* "line 50 of 000_x.txt", or "the table" where no line is known. */
const char *row_place_text(struct job *job, const struct table *table, const struct row *row);

/* Adds the rules of one row in one direction, or notes their missing parts. */
void use_resolve_row(struct use *use, const struct row *row, uint8_t dir);
/* One error per role that lacks its peer, over all rows that wanted it. */
void use_report_missing(struct use *use);

#endif
