/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where tables are: --tables DIR, tables/ and ../tables/ beside the policy, /etc, the share
 * directory. The first directory with a file of the name wins; an edition is looked for in all.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

enum { PLACES_MAX = 5 };

struct places {
	const char *dir[PLACES_MAX];
	size_t count;
};

static void places_make(struct job *job, const char *policy_path, struct places *out)
{
	const struct policy_options *options = job->options;
	const char *slash = strrchr(policy_path, '/');
	const char *beside =
		slash ? arena_strndup(job->arena, policy_path, (size_t)(slash - policy_path + 1))
		      : "";

	out->count = 0;
	if (options->tables_dir)
		out->dir[out->count++] = options->tables_dir;
	out->dir[out->count++] = arena_printf(job->arena, "%stables", beside);
	out->dir[out->count++] = arena_printf(job->arena, "%s../tables", beside);
	out->dir[out->count++] = "/etc/flowreeve/tables";
	if (options->share_dir)
		out->dir[out->count++] = arena_printf(job->arena, "%s/tables", options->share_dir);
}

static int word_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of the tables in a directory, for a hint. */
static void tables_list(struct job *job, const char *path, struct words *out)
{
	const char suffix[] = ".yaml";
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		size_t length = strlen(entry->d_name);

		if (length <= strlen(suffix) ||
		    !str_equal(entry->d_name + length - strlen(suffix), suffix))
			continue;
		entry->d_name[length - strlen(suffix)] = '\0';
		entry->d_name[strcspn(entry->d_name, "@")] = '\0';
		if (!words_have(out, entry->d_name))
			words_add(job, out, arena_strdup(job->arena, entry->d_name));
	}
	closedir(dir);
}

/* `more`: what else the word may be. */
static void refuse_unknown(struct job *job, const struct places *places, const struct node *node,
			   const char *more)
{
	const char *looked = "", *hint;
	struct words found = {0};

	for (size_t i = 0; i < places->count; i++) {
		tables_list(job, places->dir[i], &found);
		looked = arena_printf(job->arena, "%s%s%s", looked, i ? ", " : "", places->dir[i]);
	}
	if (found.count > 1)
		qsort(found.list, found.count, sizeof(*found.list), word_order);
	hint = found.count ? hint_words(job->d, node->text, found.list, found.count)
			   : "no table was found; give their directory with --tables DIR";
	if (strchr(node->text, '@'))
		hint = "an edition is a key of its own: {table: NAME, edition: 2026-11}";
	diag_error(job->d, node->loc, -ENOENT, "unknown-table", hint,
		   "there is no table '%.80s' in %s%s", node->text, looked, more);
}

static struct table *table_read(struct job *job, const char *path, const char *name)
{
	struct table *table;
	struct node *root;

	if (doc_load(path, job->d, &root))
		return NULL;
	table = table_parse(job, root);
	if (table && !str_equal(table->name, name)) {
		diag_error(job->d, table->loc, -EINVAL, "table-name", NULL,
			   "the table in this file is named '%s', not '%s' like the file",
			   table->name, name);
		return NULL;
	}
	return table;
}

/* One of the files; what is known of the others goes with it. */
static struct table *edition_load(struct job *job, const struct editions *editions,
				  const struct edition *own, const char *name)
{
	struct table *table = table_read(job, own->path, name);

	if (!table || !edition_fits_path(job, table, own->path) ||
	    !edition_is_single(job, table, editions, own))
		return NULL;
	editions_words(job, editions, &table->editions);
	return table;
}

struct table *table_find(struct job *job, const char *policy_path, const struct node *place,
			 const struct node *edition)
{
	const char *name = want_text(job->d, place, "'table'");
	const struct edition *own;
	struct editions editions = {0};
	struct places places;

	if (!name || (edition && !want_text(job->d, edition, "'edition'")))
		return NULL;
	places_make(job, policy_path, &places);
	if (name_is_kebab(name))
		editions_find(job, places.dir, places.count, name, &editions);
	if (!editions.count) {
		refuse_unknown(job, &places, place,
			       *policy_path ? ""
					    : "; a file is given by its path, like ./acme.yaml");
		return NULL;
	}
	own = edition ? editions_get(&editions, edition->text) : editions_newest(&editions);
	if (own)
		return edition_load(job, &editions, own, name);
	refuse_edition(job, &editions, name, edition);
	return NULL;
}

static bool has_document(struct job *job, const char *path, const char *document)
{
	const struct table *table;
	struct node *root;

	if (doc_load(path, job->d, &root))
		return false;
	table = table_parse(job, root);
	return table && table->document && str_equal(table->document, document);
}

const char *table_edition_of(const char *path, const char *name, const char *document,
			     struct arena *arena)
{
	struct diags unseen = {.arena = arena};
	struct policy_options options = {0};
	struct job job = {.d = &unseen, .arena = arena, .options = &options};
	struct editions editions = {0};

	if (!path || !document)
		return NULL;
	editions_beside(&job, path, name, &editions);
	for (size_t i = 0; i < editions.count; i++)
		if (editions.list[i].name && has_document(&job, editions.list[i].path, document))
			return editions.list[i].name;
	return NULL;
}
