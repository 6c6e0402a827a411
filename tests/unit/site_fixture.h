/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sites written to a directory of their own and loaded from there, with the shipped tables or those
 * that a test puts beside them.
 */
#ifndef TESTS_SITE_FIXTURE_H
#define TESTS_SITE_FIXTURE_H

#include "../../user/render/render.h"
#include "policy_fixture.h"

/* Six lines; a test's text begins in line 7. */
#define SITE_HEAD                                                                                  \
	"apiVersion: flowreeve/v1\n"                                                               \
	"kind: Site\n"                                                                             \
	"metadata: {name: test}\n"                                                                 \
	"mode: enforce\n"                                                                          \
	"attach: {interfaces: [eth0]}\n"                                                           \
	"failsafe: []\n"

static inline const struct site_view *site_text_load(struct load *l, const char *text)
{
	const char *path = load_file(l, "site.yaml", text);
	const struct site_view *view = NULL;

	l->options.tables_dir = l->options.tables_dir ?: "policies/tables";
	l->d.count = l->d.errors = l->d.warnings = 0;
	l->err = site_load(path, &l->options, &l->d, &view);
	cr_assert_eq(!!l->err, !view);
	cr_assert_eq(!!l->err, l->d.errors > 0, "%s", load_all(l));
	return view;
}

static inline const struct plan *plan_of(struct load *l, const struct site_view *site,
					 const char *host)
{
	const struct plan *plan = site_plan(site, host, &l->d);

	cr_assert(plan, "no plan of %s", host);
	return plan;
}

/* The output of `plan`. */
static inline const char *plan_text(struct load *l, const struct site_view *site,
				    const struct plan *plan)
{
	char *text CLEANUP(free_ptr) = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cr_assert(out);
	render_plan(out, site, plan);
	fclose(out);
	return arena_strdup(l->d.arena, text);
}

#endif
