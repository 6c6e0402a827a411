/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Editions of a table: NAME.yaml is of the edition that its metadata names, NAME@EDITION.yaml of
 * that one. They sort by their text, so the newest is the last; a table without an edition is older
 * than any.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "table.h"

static const char suffix[] = ".yaml";

bool edition_is_good(const char *text)
{
	char day[] = "0000-00-01";
	uint64_t seconds;

	if (date_parse(text, &seconds))
		return true;
	if (strlen(text) != strlen("0000-00"))
		return false;
	memcpy(day, text, strlen(text));
	return date_parse(day, &seconds);
}

/* The text of `metadata: {edition: …}`, unchecked; NULL without one. */
static const char *edition_read(struct job *job, const char *path)
{
	struct diags unseen = {.arena = job->arena};
	const struct node *metadata, *edition;
	struct node *root;

	if (doc_load(path, &unseen, &root) || root->kind != NODE_MAP)
		return NULL;
	metadata = map_get(root, "metadata");
	edition = metadata && metadata->kind == NODE_MAP ? map_get(metadata, "edition") : NULL;
	return edition && edition->kind == NODE_SCALAR ? edition->text : NULL;
}

const char *path_file(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

const char *edition_of_path(struct arena *arena, const char *path)
{
	const char *file = path_file(path);
	const char *at = strchr(file, '@'), *dot = strrchr(file, '.');

	return at && dot && at < dot ? arena_strndup(arena, at + 1, (size_t)(dot - at - 1)) : NULL;
}

static void edition_add(struct job *job, struct editions *out, const char *path,
			const char *edition, size_t place)
{
	out->list =
		arena_grow(job->arena, out->list, out->count, &out->capacity, sizeof(*out->list));
	out->list[out->count++] = (struct edition){.path = path, .name = edition, .place = place};
}

/* The plain file of the name, and those with an edition in their names. */
static void dir_editions(struct job *job, const char *path, const char *name, size_t place,
			 struct editions *out)
{
	const char *plain = arena_printf(job->arena, "%s/%s%s", path, name, suffix);
	const char *before = arena_printf(job->arena, "%s@", name);
	struct dirent *entry;
	DIR *dir;

	if (access(plain, F_OK) == 0)
		edition_add(job, out, plain, edition_read(job, plain), place);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		const char *file = entry->d_name;
		size_t length = strlen(file);

		if (str_starts(file, before) && length > strlen(before) + strlen(suffix) &&
		    str_equal(file + length - strlen(suffix), suffix))
			edition_add(job, out, arena_printf(job->arena, "%s/%s", path, file),
				    edition_of_path(job->arena, file), place);
	}
	closedir(dir);
}

/* The oldest first; of one edition that of the first place. */
static int edition_order(const void *a, const void *b)
{
	const struct edition *x = a, *y = b;
	const char *first = x->name ?: "";
	const char *second = y->name ?: "";
	int order = strcmp(first, second);

	if (order)
		return order;
	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	return strcmp(x->path, y->path);
}

void editions_find(struct job *job, const char *const *dirs, size_t count, const char *name,
		   struct editions *out)
{
	for (size_t i = 0; i < count; i++)
		dir_editions(job, dirs[i], name, i, out);
	if (out->count > 1)
		qsort(out->list, out->count, sizeof(*out->list), edition_order);
}

void editions_beside(struct job *job, const char *path, const char *name, struct editions *out)
{
	size_t length = (size_t)(path_file(path) - path);
	const char *dir = length ? arena_strndup(job->arena, path, length) : ".";

	editions_find(job, &dir, 1, name, out);
}

const struct edition *editions_get(const struct editions *editions, const char *name)
{
	for (size_t i = 0; i < editions->count; i++)
		if (editions->list[i].name && str_equal(editions->list[i].name, name))
			return &editions->list[i];
	return NULL;
}

/* The search path's first directory with the table hides all behind it. */
const struct edition *editions_newest(const struct editions *editions)
{
	const struct edition *newest = NULL;

	for (size_t i = 0; i < editions->count; i++)
		if (!newest || editions->list[i].place <= newest->place)
			newest = &editions->list[i];
	return newest;
}

void editions_words(struct job *job, const struct editions *editions, struct words *out)
{
	for (size_t i = 0; i < editions->count; i++)
		if (editions->list[i].name && !words_have(out, editions->list[i].name))
			words_add(job, out, editions->list[i].name);
}

bool edition_is_single(struct job *job, const struct table *table, const struct editions *editions,
		       const struct edition *own)
{
	for (size_t i = 0; table->edition && i < editions->count; i++) {
		const struct edition *other = &editions->list[i];

		if (other == own || other->place != own->place || !other->name ||
		    !str_equal(other->name, table->edition))
			continue;
		diag_error(job->d, table->edition_loc, -EINVAL, "duplicate-edition",
			   "give one of them another date, or remove it",
			   "edition %s of table '%s' is in %s as well", table->edition, table->name,
			   other->path);
		return false;
	}
	return true;
}

bool edition_fits_path(struct job *job, const struct table *table, const char *path)
{
	const char *named = edition_of_path(job->arena, path);
	struct loc loc = table->edition ? table->edition_loc : table->loc;

	if (!named || (table->edition && str_equal(named, table->edition)))
		return true;
	diag_error(job->d, loc, -EINVAL, "table-edition",
		   arena_printf(job->arena, "edition: %s", named),
		   "the table in this file is of edition '%s', not '%s' like the file",
		   table->edition ?: "", named);
	return false;
}

void refuse_edition(struct job *job, const struct editions *editions, const char *table,
		    const struct node *edition)
{
	struct words known = {0};

	editions_words(job, editions, &known);
	if (!known.count)
		diag_error(job->d, edition->loc, -ENOENT, "unknown-edition", "leave 'edition' out",
			   "table '%s' has no editions", table);
	else
		diag_error(job->d, edition->loc, -ENOENT, "unknown-edition",
			   hint_words(job->d, edition->text, known.list, known.count),
			   "table '%s' has no edition '%.80s'; it has %s", table, edition->text,
			   words_text(job->arena, &known));
}
