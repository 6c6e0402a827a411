// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names that the vendors print: what became of each notation. Rules cannot hold names in this
 * release, so the tables themselves are read.
 */
#include "../../user/yaml/yaml.h"
#include "pins_fixture.h"

static const struct node *role_read(struct arena *arena, const char *table, const char *role)
{
	struct diags d = {.arena = arena};
	struct node *root = NULL;

	cr_assert_eq(doc_load(arena_printf(arena, "policies/tables/%s.yaml", table), &d, &root), 0);
	return map_get(map_get(root, "roles"), role);
}

static size_t names_count(const struct node *role)
{
	const struct node *name;
	size_t count = 0;

	for_children(name, map_get(role, "names")) count++;
	return count;
}

Test(pins, a14_the_label_of_a_task_is_a_wildcard_of_one_label)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	const struct node *role = role_read(arena, "aws-datasync", "aws-api"), *name;
	size_t found = 0;

	for_children(name, map_get(role, "names")) found +=
		str_equal(name->text, "*.datasync-dp.${region}.amazonaws.com");
	cr_expect_eq(found, 1);
}

Test(pins, a21_the_addresses_that_are_announced_and_never_given_are_nowhere)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct diags d = {.arena = arena};
	const struct node *role;
	struct node *root = NULL;
	size_t roles = 0;

	cr_assert_eq(doc_load("policies/tables/aws-mgn.yaml", &d, &root), 0);
	for_children(role, map_get(root, "roles"))
	{
		cr_expect_null(map_get(role, "addresses"), "%s", role->key->text);
		roles++;
	}
	cr_expect_gt(roles, 0);
}

Test(pins, a23_a_run_on_line_of_buckets_is_seven_names)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();

	cr_expect_eq(names_count(role_read(arena, "aws-mgn", "s3-buckets")), 7);
}
