/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * docs/diagnostics.md lists every id that reading a policy can give, and no other.
 */
#include <glob.h>
#include <regex.h>

#include "policy_fixture.h"

static const char *file_text(struct arena *arena, const char *path)
{
	struct source *source;

	cr_assert_eq(source_read(arena, path, 1 << 20, &source), 0, "%s", path);
	return source->text;
}

/* All sources of the floors from YAML to a ruleset, in one text. */
static const char *floors_text(struct arena *arena)
{
	const char *all = "";
	glob_t found;

	cr_assert_eq(glob("user/{yaml,tables,policy,site,compile}/*.c", GLOB_BRACE, NULL, &found),
		     0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		all = arena_printf(arena, "%s%s", all, file_text(arena, found.gl_pathv[i]));
	globfree(&found);
	return all;
}

/* Calls `visit` with every first group of `pattern` in `text`. */
static size_t each_match(struct arena *arena, const char *text, const char *pattern,
			 void (*visit)(const char *word, const char *other), const char *other)
{
	regmatch_t match[2];
	size_t count = 0;
	regex_t regex;

	cr_assert_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NEWLINE), 0);
	for (; regexec(&regex, text, 2, match, 0) == 0; text += match[0].rm_eo, count++)
		visit(arena_strndup(arena, text + match[1].rm_so,
				    (size_t)(match[1].rm_eo - match[1].rm_so)),
		      other);
	regfree(&regex);
	return count;
}

static void is_documented(const char *word, const char *docs)
{
	char cell[80];

	snprintf(cell, sizeof(cell), "\n| `%s` |", word);
	cr_assert(strstr(docs, cell), "%s is not in docs/diagnostics.md", word);
}

static void is_given(const char *word, const char *sources)
{
	char quoted[80];

	snprintf(quoted, sizeof(quoted), "\"%s\"", word);
	cr_assert(strstr(sources, quoted), "%s is documented and never given", word);
}

Test(policy_docs, every_id_is_documented_and_every_documented_id_exists)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	const char *all = file_text(arena, "docs/diagnostics.md");
	const char *end = strstr(all, "\n## Command line"); /* tests/cli/40-docs.sh has these */
	const char *docs = arena_strndup(arena, all, (size_t)(end - all));
	const char *sources = floors_text(arena);

	cr_assert_gt(each_match(arena, sources, "-E[A-Z0-9]+,[[:space:]]*\"([a-z-]+)\"",
				is_documented, docs),
		     60);
	cr_assert_gt(each_match(arena, sources, "loc, \"([a-z-]+)\"", is_documented, docs), 3);
	cr_assert_gt(each_match(arena, sources, "\\{\"([a-z-]+)\", SEV_", is_documented, docs), 4);
	cr_assert_gt(each_match(arena, docs, "^\\| `([a-z-]+)` \\|", is_given, sources), 50);
}
