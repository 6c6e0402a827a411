/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A table as parsed: params, roles and rows, still symbolic; the params that one `use` sets; and
 * the values that tables and policies write alike: peers, ports, prefix sets. Internal to tables/,
 * policy/ and site/.
 */
#ifndef TABLES_TABLE_H
#define TABLES_TABLE_H

#include "../yaml/yaml.h"
#include "tables.h"
#include "version.h"

/* Arguments of every step. All memory is of the arena of the diags. */
struct job {
	struct diags *d;
	struct arena *arena;
	const struct policy_options *options;
};

/* ---------------------------------------------------------------- tables */

enum param_type {
	PARAM_STRING,
	PARAM_LIST,
	PARAM_ENUM,
	PARAM_SET,
	PARAM_BOOL,
	PARAM_PORT,
	PARAM_PORTS,
	PARAM_VERSION
};

struct words {
	const char **list;
	size_t count, capacity;
};

struct param {
	const char *name, *describe;
	struct loc loc;
	enum param_type type;
	bool required;
	bool has_default;
	struct words values;   /* allowed: enum, set */
	struct words any_of;   /* ports: the set that a setting may narrow */
	struct words defaults; /* one word, but for sets, lists and ports */
};

struct role {
	const char *name, *title, *describe;
	struct loc loc;
	const struct node *names;    /* checked list of templates, or NULL */
	const struct node *includes; /* roles whose hosts play this one as well, or NULL */
	struct prefix *addresses;
	size_t address_count;
	bool needs_local; /* its addresses include the local subnet, which is not known */
	uint64_t expect;  /* number of peers in the vendor's document; 0: any */
};

struct condition {
	const struct param *param;
	struct words values;
	struct version_range range; /* of a version */
};

struct row {
	const char *id;
	struct loc loc;
	const struct role *from, *to;
	const struct node *ports; /* checked list of services, ${param} unreplaced */
	const struct node *names; /* the row's own, instead of the role's; or NULL */
	struct condition *when;
	size_t when_count;
	bool optional;
	bool internal;	 /* for internal networks only: never to or from `any` */
	uint8_t answers; /* enum fr_answers */
	const char *see; /* where the ports can be found when the vendor gives none */
	const char *purpose, *section, *note, *lines;
	uint32_t line;
};

struct table {
	const char *name, *title;
	const char *edition;		   /* "2026-11"; NULL: it has none */
	const char *document, *url, *read; /* the vendor's document, and the date it was read */
	struct loc loc, edition_loc;
	struct words editions; /* all that were found of it, the newest last; table_find() */
	struct param *params;
	struct role *roles;
	struct row *rows;
	size_t param_count, role_count, row_count;
};

/* From nodes. Returns NULL when the document is no usable table (errors are queued). */
struct table *table_parse(struct job *job, const struct node *root);
/* The table of a name, by the search path of a policy at `policy_path`; errors point at `place`.
 * `edition` NULL: the newest. */
struct table *table_find(struct job *job, const char *policy_path, const struct node *place,
			 const struct node *edition);

/* ---------------------------------------------------------------- editions.c */

struct edition {
	const char *path, *name; /* name NULL: undated */
	size_t place;		 /* of its directory in the search path */
};

struct editions {
	struct edition *list; /* the oldest first */
	size_t count, capacity;
};

/* YYYY-MM or YYYY-MM-DD. */
bool edition_is_good(const char *text);
/* A path without its directories. */
const char *path_file(const char *path);
/* NAME@EDITION.yaml; NULL: the name of the file has none. */
const char *edition_of_path(struct arena *arena, const char *path);
/* The files of a table in directories; in the directory of a file. */
void editions_find(struct job *job, const char *const *dirs, size_t count, const char *name,
		   struct editions *out);
void editions_beside(struct job *job, const char *path, const char *name, struct editions *out);
const struct edition *editions_get(const struct editions *editions, const char *name);
const struct edition *editions_newest(const struct editions *editions);
void editions_words(struct job *job, const struct editions *editions, struct words *out);
/* No other file of the directory has the edition of the table, which is read from `own`. False
 * after an error. */
bool edition_is_single(struct job *job, const struct table *table, const struct editions *editions,
		       const struct edition *own);
/* The table has the edition of its file's name. */
bool edition_fits_path(struct job *job, const struct table *table, const char *path);
/* Both, of a table at this path; with the editions beside it. */
bool table_fits(struct job *job, const struct table *table, const char *path,
		struct editions *editions);
/* The error for an edition that is not there. */
void refuse_edition(struct job *job, const struct editions *editions, const char *table,
		    const struct node *edition);

/* ---------------------------------------------------------------- parts of a table */

const char *param_type_word(enum param_type type);
bool param_is_plural(enum param_type type);

const struct param *param_find(const struct table *table, const char *name);
const struct role *role_find(const struct table *table, const char *name);
const struct row *row_find(const struct table *table, const char *id);
/* Hints over a table's own words. */
const char *hint_params(struct job *job, const struct table *table, const char *word);
const char *hint_roles(struct job *job, const struct table *table, const char *word);
const char *hint_rows(struct job *job, const struct table *table, const char *word);

void params_parse(struct job *job, const struct node *node, struct table *table);
void table_roles_parse(struct job *job, const struct node *node, struct table *table);
void rows_parse(struct job *job, const struct node *node, struct table *table);
/* The text of a key, or NULL. */
const char *text_get(struct job *job, const struct node *map, const char *key);
/* The role of a name, or NULL after an error. */
const struct role *role_known(struct job *job, const struct table *table, const struct node *node);

void words_add(struct job *job, struct words *words, const char *word);
bool words_have(const struct words *words, const char *word);
const char *words_text(struct arena *arena, const struct words *words); /* "a, b" */

/* ---------------------------------------------------------------- params set by one `use` */

struct setting {
	struct words values;	  /* empty: not set, and no default */
	const struct node *place; /* of the `set` value, NULL for a default */
};

struct settings {
	const struct table *table;
	struct setting *of; /* by param number */
};

/* Check `set` (may be NULL) and add defaults. False when something is wrong. */
bool settings_make(struct job *job, const struct table *table, const struct node *use,
		   struct settings *out);
/* The same of a map of params or NULL, which may lack required ones. */
bool settings_read(struct job *job, const struct table *table, const struct node *set,
		   struct settings *out);
/* PARAM=VALUE words as such a map; lists have commas. NULL after errors. */
const struct node *settings_node(struct job *job, const struct table *table,
				 const char *const *words, size_t count);
const struct setting *setting_get(const struct settings *settings, const char *param);
const char *row_when_text(struct job *job, const struct row *row); /* "a: x, b from 2"; or NULL */
bool row_selected(const struct settings *settings, const struct row *row);
/* Its conditions on versions alone; a version that is not set is the newest. */
bool row_is_of_release(const struct settings *settings, const struct row *row);

/* The next parameter of a template: ${name}, or the other three ways to write the region. */
struct template_mark {
	size_t start, end; /* of the whole mark */
	const char *param; /* its name, in the arena */
};
bool template_next(struct arena *arena, const char *text, size_t from, struct template_mark *out);
/* All texts that a template gives under these settings, one per combination of list values. Returns
 * the first param that has no value, or NULL. */
const char *template_expand(struct job *job, const struct settings *settings,
			    const struct node *node, struct words *out);
/* The same, where marks of params without a value stay as they are written. */
void template_fill(struct job *job, const struct settings *settings, const struct node *node,
		   struct words *out);
/* Every ${param} of a template is a declared one. */
bool template_check(struct job *job, const struct table *table, const struct node *node);

/* ---------------------------------------------------------------- peers and services */

struct prefix_set {
	const char *name;
	struct loc loc;
	struct prefix *list;
	size_t count;
	const char *file; /* its path, once it was read */
	bool file_again;  /* an earlier set is of the same file */
	bool is_aws;	  /* … in AWS's format */
	uint64_t dated;	  /* seconds of the epoch: as the file says, else when it was written */
	bool broken;	  /* its own error is queued already */
	bool used;
};

struct prefix_sets {
	struct prefix_set *list;
	size_t count;
	struct index by_name;
};

/* `prefixes:` of a policy. Reads the files. */
void prefix_sets_parse(struct job *job, const struct node *node, const char *policy_path,
		       struct prefix_sets *out);
/* Sort, drop covered prefixes; with `merge`, join halves. Returns the new count. */
size_t prefixes_normalise(struct prefix *list, size_t count, bool merge);

struct peers {
	bool any, needs_local;
	struct prefix *list;
	size_t count;
};

/* A scalar or list of peers. False after errors. */
bool peers_parse(struct job *job, struct prefix_sets *sets, const struct node *node,
		 const char *what, struct peers *out);

/* The error for an address with bits beyond the length of its prefix; false. */
bool refuse_host_bits(struct job *job, struct loc loc, const char *text);

struct services {
	struct service *list;
	size_t count, capacity;
};

/* One written service; `text` is the text of `node` with its params replaced. */
bool service_add(struct job *job, const struct node *node, const char *text, struct services *out);
/* From where the answers to datagrams may come: enum fr_answers in *out; false after an error. */
bool answers_parse(struct job *job, const struct node *node, uint8_t *out);
/* Whether one of them has ports of UDP. */
bool services_have_udp(const struct service *list, size_t count);
/* The error for `answers` of a rule or row of this name without any port of UDP. */
void answers_refuse(struct job *job, const struct node *node, const char *what, const char *name);
/* A scalar or list of them. */
bool services_parse(struct job *job, const struct node *node, const char *what,
		    struct services *out);

#endif
