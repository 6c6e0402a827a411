/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tables: PortTable documents as rows, roles and params, for people to read, and (table.h) for
 * policies to use. Uses yaml, net and base. All errors of a file are queued in the caller's diags
 * in one run.
 */
#ifndef TABLES_H
#define TABLES_H

#include "../base/base.h"
#include "../net/net.h"

/* Where to find files, and facts of the host that the caller knows. */
struct policy_options {
	const char *tables_dir; /* --tables DIR, or NULL */
	const char *share_dir;	/* PREFIX/share/flowreeve, or NULL */
	bool strict;		/* warnings of rows without ports are errors */
	/* local-subnet: resolved by `apply` from the host, by --local-subnet IF=CIDR offline. With
	 * local_known false, `local-subnet` peers match nothing and rules that name it are
	 * marked. */
	bool local_known;
	const struct prefix *local;
	size_t local_count;
	/* What `failsafe: auto` stands for on this host; NULL: it is not known, and no rule. Where
	 * it is wanted, an absent failsafe is auto. policy.h */
	const struct failsafe_rules *failsafe;
	bool failsafe_wanted;
	/* A text to read instead of the policy's file; or NULL. */
	const struct source *instead;
	uint64_t now; /* seconds of the epoch, for the age of prefix files; 0: it is not judged */
	/* PARAM=VALUE words for table_view. */
	const char *const *set;
	size_t set_count;
};

/* An age from which on a file of prefixes is reported, in days. */
enum { PREFIXES_OLD = 30 };
/* The age in whole days, if that is too old; else 0. */
unsigned prefixes_old_days(uint64_t dated, uint64_t now);
/* The command that renews a file of AWS's prefixes; NULL for a path of another kind. */
const char *prefixes_renewal(struct arena *arena, const char *path, bool aws);

/* A table alone: `check` of a PortTable file. Same contract. Counts of rows and roles for the
 * summary. */
struct table_summary {
	const char *name, *title, *edition, *document, *url, *read;
	size_t rows, roles, params, without_ports;
};
int table_load(const char *path, const struct policy_options *options, struct diags *d,
	       struct table_summary *out);

/* ---------------------------------------------------------------- a table as people read it
 *
 * For `roles` and `new`: every word ready to print. Strings are NULL where the table has none, and
 * are in d->arena.
 */
struct word_list {
	const char *const *list;
	size_t count;
};

struct param_view {
	const char *name, *type, *describe;
	struct word_list values;  /* allowed; of ports: the vendor's alternatives */
	struct word_list initial; /* the default */
	bool required;		  /* must be set, and has no default */
	bool plural;		  /* takes a list */
};

struct role_view {
	const char *name, *title, *describe;
	struct word_list names;	    /* DNS names, as far as their params have values */
	struct word_list addresses; /* its own: taken when a use gives no peers and has no names */
	struct word_list includes;  /* roles whose hosts play this one as well */
};

struct row_view {
	const char *id, *when, *purpose, *note, *see;
	struct word_list ports;
	struct word_list names; /* its own, instead of the role's */
	const char *lines;	/* of the document: "94", "22, 27" */
	uint32_t at;		/* its line in the table's file */
	const struct role_view *from, *to;
	bool optional, internal;
	bool selected;	    /* `when` is met by the params that are set and the defaults */
	bool other_release; /* it needs another version than the one that is set, or the newest */
	uint8_t answers;    /* enum fr_answers, as written */
};

struct table_view {
	const char *name, *title, *edition, *document, *url, *read;
	const char *path;	   /* of its file */
	struct word_list editions; /* all that were found of it, the newest last */
	const struct param_view *params;
	const struct role_view *roles;
	const struct row_view *rows;
	size_t param_count, role_count, row_count;
};

/* A table by its name or NAME@EDITION, looked up as a `use` in the current directory does, or by
 * its path (with a '/' or .yaml), with the params of `options->set` and defaults filled in its
 * names. On failure -errno with at least one error in `d`, and *out untouched. */
int table_view(const char *table, const struct policy_options *options, struct diags *d,
	       const struct table_view **out);
/* The role of a name, or NULL with an error in `d`. */
const struct role_view *table_view_role(const struct table_view *table, const char *name,
					struct diags *d);

bool word_list_has(const struct word_list *words, const char *word);

/* ---------------------------------------------------------------- two editions of a table */

/* The edition with this document, among the files beside `path` of a table; or NULL. */
const char *table_edition_of(const char *path, const char *name, const char *document,
			     struct arena *arena);

enum table_what { TABLE_GONE, TABLE_NEW, TABLE_CHANGED };

struct table_field {
	const char *key;
	struct word_list before, after;
};

/* A row, role or param that is not the same in both. */
struct table_change {
	const char *kind, *name; /* kind: "row", "role" or "param" */
	enum table_what what;
	struct table_field *fields; /* those that differ; of a part that is gone or new, all */
	size_t field_count;
};

struct table_diff {
	const struct table_view *before, *after;
	struct table_change *list; /* gone and changed as `before` has them, then the new ones */
	size_t count;
};

void tables_compare(const struct table_view *before, const struct table_view *after,
		    struct arena *arena, struct table_diff *out);

/* ---------------------------------------------------------------- a vendor's page and a table */

/* A row of a page, in the words of the page. */
struct page_row {
	uint32_t line;
	size_t group;		 /* rows of one group are one row of the page */
	const char *from, *to;	 /* NULL: the page does not name this end */
	bool from_here, to_here; /* … which is the host that the page is about */
	bool undirected;	 /* the page does not say which side opens */
	bool in_text;		 /* ports in a sentence: a person has to read which side opens */
	struct word_list ports;
	const char *purpose, *see;
	const char *text; /* all of its cells, or the sentence */
};

struct page_text { /* without a port */
	uint32_t line;
	const char *text;
};

struct page_view {
	const char *name;	     /* of its file */
	const struct source *source; /* for DNS names and addresses, wherever they stand */
	const struct page_row *rows; /* in the order of their groups */
	const struct page_text *texts;
	size_t row_count, text_count;
};

/* `before` is the table, `after` the page. */
struct page_change {
	struct table_change change;	    /* kind: "row", "role" or "name" */
	uint32_t table_line, page_line;	    /* 0: none */
	const char *table_text, *page_text; /* these lines, in words; or NULL */
};

struct page_diff {
	const struct table_view *table;
	const struct page_view *page;
	struct page_change *list;
	size_t count;
	/* Rows of the table of which only a sentence of the page speaks: a person has to read it.
	 */
	struct page_change *in_text;
	size_t in_text_count;
	size_t same;	 /* rows of the table that the page has as they are */
	bool names_seen; /* the page has at least one of the table's DNS names, or it has none */
};

/* Rows are matched by ports and ends, and by purpose where these do not decide: a page has no ids.
 * -E2BIG with a diagnostic: too many rows. */
int page_compare(const struct table_view *table, const struct page_view *page, struct diags *d,
		 struct page_diff *out);

/* ---------------------------------------------------------------- who needs whom */

/* How certainly a player of one role has to give the peers of another. */
enum need {
	NEED_NOT,      /* no row between them, or it has addresses of its own */
	NEED_OPTIONAL, /* only for rows that are off unless named */
	NEED_PERHAPS,  /* only under conditions */
	NEED_ALWAYS,
};
/* Does this host, playing a role, take part in the row? */
bool row_view_concerns(const struct row_view *row, const struct role_view *played);
/* Is the row between these two? */
bool row_view_joins(const struct row_view *row, const struct role_view *played,
		    const struct role_view *peer);
enum need role_view_needs(const struct table_view *table, const struct role_view *played,
			  const struct role_view *peer);

/* The roles that one host plays. */
struct played_roles {
	const struct role_view *const *list;
	size_t count;
};

bool roles_have(const struct played_roles *roles, const struct role_view *role);
bool roles_concern(const struct played_roles *roles, const struct row_view *row);
bool roles_join(const struct played_roles *roles, const struct row_view *row,
		const struct role_view *peer);
enum need roles_need(const struct table_view *table, const struct played_roles *roles,
		     const struct role_view *peer);
bool table_has_includes(const struct table_view *table);
/* The roles that a host of these plays as well: those that include them, and so on. */
struct played_roles roles_implied(const struct table_view *table, const struct played_roles *played,
				  struct arena *arena);
/* Roles that a host of these perhaps plays as well: those that they include; in a table without
 * `includes`, those that any host may play by their words, like "all nodes". */
bool roles_suggest(const struct table_view *table, const struct played_roles *played,
		   const struct role_view *role);

#endif
