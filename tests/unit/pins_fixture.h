/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A policy with one `use` of a shipped table, loaded, and questions about what came of it.
 */
#ifndef TESTS_PINS_FIXTURE_H
#define TESTS_PINS_FIXTURE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../user/policy/policy.h"

struct outcome {
	struct arena *arena;
	struct diags diags;
	struct ruleset *rs;
	int err;
};

static inline void write_policy(const char *use, char *path)
{
	int fd = mkstemp(path);
	FILE *file;

	cr_assert_geq(fd, 0);
	file = fdopen(fd, "w");
	cr_assert(file);
	fprintf(file,
		"apiVersion: flowreeve/v1\nkind: Policy\nmetadata: {name: pin}\nmode: enforce\n"
		"attach: {interfaces: [eth0]}\nfailsafe: []\n%s\n",
		use);
	cr_assert_eq(fclose(file), 0);
}

static inline struct outcome load(const char *use, bool strict)
{
	const struct policy_options options = {.tables_dir = "policies/tables", .strict = strict};
	char path[] = "/tmp/flowreeve-pin-XXXXXX";
	struct outcome o = {.arena = arena_new()};

	o.diags.arena = o.arena;
	write_policy(use, path);
	o.err = policy_load(path, &options, &o.diags, &o.rs);
	unlink(path);
	return o;
}

/* The diagnostic of an id whose message or hint has the text, or NULL. */
static inline const struct diag *find(const struct outcome *o, const char *check, const char *text)
{
	size_t i;

	for (i = 0; i < o->diags.count; i++) {
		const struct diag *diag = &o->diags.list[i];

		if (strcmp(diag->check, check) == 0 &&
		    (strstr(diag->message, text) || (diag->hint && strstr(diag->hint, text))))
			return diag;
	}
	return NULL;
}

static inline void expect_refused(const char *use, const char *check, const char *text)
{
	struct outcome o = load(use, false);
	const struct diag *diag = find(&o, check, text);

	cr_expect_neq(o.err, 0, "%s", text);
	cr_expect(diag && diag->severity == SEV_ERROR, "no [%s] with '%s'", check, text);
	arena_free(o.arena);
}

static inline const struct rule *rule_of(const struct outcome *o, const char *id)
{
	size_t i;

	cr_assert_eq(o->err, 0, "%s", o->diags.count ? o->diags.list[0].message : "");
	for (i = 0; i < o->rs->rule_count; i++)
		if (strcmp(o->rs->rules[i].id, id) == 0)
			return &o->rs->rules[i];
	cr_assert_fail("no rule %s", id);
	return NULL;
}

#endif
