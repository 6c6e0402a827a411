/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Input just within each limit is accepted whole, and input just past it is refused with the place
 * of the excess; nothing is cut off to fit. Limits of the image itself are in compile_image.c,
 * those of the host in the kernel and e2e tests.
 */
#include "../../user/policy/draft.h"
#include "policy_fixture.h"

/* lesson: rules past an internal limit were dropped or cut off in silence, and traffic that the
 * policy named was refused, or passed, for reasons that no log gave. */

struct text {
	char *base;
	size_t size;
	FILE *file;
};

static void text_open(struct text *text)
{
	text->file = open_memstream(&text->base, &text->size);
	cr_assert(text->file);
}

static void assert_text(struct load *l, struct text *text, const char *check, uint32_t line,
			uint32_t column)
{
	const struct diag *found;

	cr_assert_eq(fclose(text->file), 0);
	load_text(l, text->base);
	if (!check) {
		cr_assert_eq(l->err, 0, "%s", load_all(l));
		return;
	}
	cr_assert_neq(l->err, 0);
	cr_assert_null(l->rs);
	cr_assert_eq(l->d.errors, 1, "%s", load_all(l));
	found = load_find(l, check);
	cr_assert(found, "%s", load_all(l));
	cr_assert_eq(found->loc.line, line, "line %u", found->loc.line);
	cr_assert_eq(found->loc.column, column, "column %u", found->loc.column);
}

static void text_free(struct text *text, struct load *l)
{
	free(text->base);
	load_free(l);
}

static const char *letters(struct load *l, size_t count)
{
	char *word = arena_alloc(l->d.arena, count + 1);

	memset(word, 'a', count);
	return word;
}

/* A rule of that id and peer, in line 9. */
static void rule_case(size_t id_length, const char *check)
{
	struct load l = load_new();
	struct text text;

	text_open(&text);
	fprintf(text.file,
		HEAD "rules:\n  - {id: %s, direction: egress, peer: any, ports: 1/tcp, "
		     "action: allow}\n",
		letters(&l, id_length));
	assert_text(&l, &text, check, 9, 10);
	if (!check)
		cr_assert_eq(strlen(l.rs->rules[0].id), id_length);
	text_free(&text, &l);
}

Test(scale_limits, a_rule_id_has_63_letters_at_most)
{
	rule_case(FR_NAME_MAX - 1, NULL);
	rule_case(FR_NAME_MAX, "bad-name");
}

static void policy_name_case(size_t length, const char *check)
{
	struct load l = load_new();
	struct text text;

	text_open(&text);
	fprintf(text.file,
		"apiVersion: flowreeve/v1\nkind: Policy\nmetadata: {name: %s}\nmode: enforce\n"
		"attach: {interfaces: [eth0]}\nfailsafe: []\n" RULE,
		letters(&l, length));
	assert_text(&l, &text, check, 3, 18);
	if (!check)
		cr_assert_eq(strlen(l.rs->name), length);
	text_free(&text, &l);
}

Test(scale_limits, a_policy_name_has_63_letters_at_most)
{
	policy_name_case(FR_NAME_MAX - 1, NULL);
	policy_name_case(FR_NAME_MAX, "bad-name");
}

static void attach_case(uint32_t count, const char *check)
{
	struct load l = load_new();
	struct text text;

	text_open(&text);
	fprintf(text.file, "apiVersion: flowreeve/v1\nkind: Policy\nmetadata: {name: test}\n"
			   "mode: enforce\nfailsafe: []\n" RULE "attach:\n  guests:\n");
	for (uint32_t i = 0; i < count; i++)
		fprintf(text.file, "    - tap%u\n", i);
	assert_text(&l, &text, check, 9 + FR_HOOKS_MAX, 7);
	if (!check)
		cr_assert_eq(l.rs->attach_count, count);
	text_free(&text, &l);
}

Test(scale_limits, attach_points_512_are_taken_and_no_more)
{
	attach_case(FR_HOOKS_MAX, NULL);
	attach_case(FR_HOOKS_MAX + 1, "too-many-attach");
}

/* Behind an interface, in line 5. */
static void cgroup_case(size_t length, const char *check)
{
	struct load l = load_new();
	struct text text;

	text_open(&text);
	fprintf(text.file,
		"apiVersion: flowreeve/v1\nkind: Policy\nmetadata: {name: test}\nmode: enforce\n"
		"attach: {interfaces: [eth0], cgroups: [/%s]}\nfailsafe: []\n" RULE,
		letters(&l, length - 1));
	assert_text(&l, &text, check, 5, 40);
	if (!check)
		cr_assert_eq(strlen(l.rs->attach[1].name), length);
	text_free(&text, &l);
}

Test(scale_limits, a_cgroup_path_has_191_letters_at_most)
{
	cgroup_case(191, NULL);
	cgroup_case(192, "bad-attach");
}

static void nesting_case(uint32_t depth, bool refused)
{
	struct load l = load_new();
	struct text text;
	const struct diag *found;

	text_open(&text);
	fprintf(text.file, HEAD RULE "timeouts: ");
	for (uint32_t i = 0; i < depth - 1; i++)
		fputc('[', text.file);
	for (uint32_t i = 0; i < depth - 1; i++)
		fputc(']', text.file);
	fputc('\n', text.file);
	cr_assert_eq(fclose(text.file), 0);
	cr_assert_neq(load_text(&l, text.base), 0);
	found = load_find(&l, "yaml-limit");
	cr_assert_eq(found != NULL, refused, "%s", load_all(&l));
	if (found) {
		cr_assert_eq(found->loc.line, 9);
		cr_assert_eq(found->loc.column, strlen("timeouts: ") + DOC_DEPTH_MAX);
	}
	text_free(&text, &l);
}

Test(scale_limits, nesting_of_32_is_read_and_33_is_refused_where_it_begins)
{
	nesting_case(DOC_DEPTH_MAX, false);
	nesting_case(DOC_DEPTH_MAX + 1, true);
}

/* "- 1" and "," make a value out of two bytes, so the file stays within its own limit. */
Test(scale_limits, a_file_of_more_values_than_4_million_is_refused_at_the_value, .timeout = 120)
{
	struct load l = load_new();
	struct text text;

	text_open(&text);
	fprintf(text.file, HEAD "use: [\n");
	for (uint32_t i = 0; i < DOC_NODES_MAX; i++)
		fputs("1,\n", text.file);
	fprintf(text.file, "]\n");
	/* 20 before them: the map itself, seven keys, and the nodes below those */
	assert_text(&l, &text, "yaml-limit", 9 + DOC_NODES_MAX - 20, 1);
	text_free(&text, &l);
}

static void prefixes_case(uint32_t count, const char *check)
{
	struct load l = load_new();
	struct text text, list;

	text_open(&text);
	text_open(&list);
	for (uint32_t i = 0; i < count; i++) /* every other address: nothing merges */
		fprintf(list.file, "10.%u.%u.%u\n", 2 * i >> 16, 2 * i >> 8 & 255, 2 * i & 255);
	cr_assert_eq(fclose(list.file), 0);
	load_file(&l, "long.txt", list.base);
	free(list.base);
	fprintf(text.file, HEAD "prefixes:\n  long: {file: long.txt, format: list}\n"
				"rules: [{id: r, direction: egress, peer: prefixes/long, "
				"ports: 1/tcp, action: allow}]\n");
	assert_text(&l, &text, check, 9, 3);
	if (!check)
		cr_assert_eq(l.rs->rules[0].peer_count, count);
	text_free(&text, &l);
}

Test(scale_limits, a_prefix_set_has_262144_prefixes_at_most, .timeout = 120)
{
	prefixes_case(1 << 18, NULL);
	prefixes_case((1 << 18) + 1, "too-many-prefixes");
}

Test(scale_limits, a_prefix_file_over_16_MB_is_refused)
{
	struct load l = load_new();
	struct text text;

	text_open(&text);
	cr_assert_eq(truncate(load_file(&l, "huge.txt", "10.0.0.0/8\n"), DOC_BYTES_MAX + 1), 0);
	fprintf(text.file, HEAD "prefixes:\n  huge: {file: huge.txt, format: list}\n"
				"rules: [{id: r, direction: egress, peer: prefixes/huge, "
				"ports: 1/tcp, action: allow}]\n");
	assert_text(&l, &text, "file-unreadable", 9, 16);
	text_free(&text, &l);
}

/* The values of one template of a table, with that many ports put in. */
static void values_case(uint32_t count, const char *check)
{
	struct load l = load_new();
	struct text text;

	load_file(&l, "tables/acme.yaml",
		  "apiVersion: flowreeve/v1\n"
		  "kind: PortTable\n"
		  "metadata: {name: acme}\n"
		  "params: {p: {type: ports}}\n"
		  "roles: {x: {title: x}, y: {title: y}}\n"
		  "rows:\n"
		  "  - {id: r, from: x, to: y, ports: [\"${p}/tcp\"]}\n");
	text_open(&text);
	fprintf(text.file, HEAD "use:\n  - {table: acme, as: x, peers: {y: 10.0.0.1}, set: {p: [1");
	for (uint32_t port = 2; port <= count; port++)
		fprintf(text.file, ",%u", port);
	fprintf(text.file, "]}}\n");
	assert_text(&l, &text, check, 7, 37);
	if (!check)
		cr_assert_eq(l.rs->rules[0].service_count, count);
	text_free(&text, &l);
}

Test(scale_limits, a_template_stands_for_4095_ports_and_no_more)
{
	values_case(4095, NULL);
	values_case(4096, "too-many-values");
}

Test(scale_limits, the_rule_past_the_last_number_is_reported_once)
{
	struct load l = load_new();
	struct job job = {.d = &l.d, .arena = l.d.arena};
	struct ruleset rs = {.arena = l.d.arena, .rule_count = FR_MAX_RULES - FR_RULE_FIRST - 1};
	struct draft draft = {.rs = &rs};
	struct rule rule = {.loc = {.line = 4711, .column = 5}};

	draft.rule_capacity = rs.rule_count + 1;
	rs.rules = calloc(draft.rule_capacity, sizeof(*rs.rules)); /* hardly any of it is touched */
	draft.ids[FR_EGRESS].arena = draft.ids[FR_INGRESS].arena = l.d.arena;
	rule.id = "last";
	draft_add(&job, &draft, rule, false);
	cr_assert_eq(l.d.errors, 0);
	cr_assert_eq(rs.rule_count, FR_MAX_RULES - FR_RULE_FIRST);
	cr_assert_str_eq(rs.rules[rs.rule_count - 1].id, "last");
	for (int i = 0; i < 3; i++) {
		rule.id = arena_printf(l.d.arena, "over-%d", i);
		rule.loc.line++;
		draft_add(&job, &draft, rule, false);
	}
	cr_assert_eq(l.d.errors, 1);
	cr_assert_str_eq(l.d.list[0].check, "too-many-rules");
	cr_assert(strstr(l.d.list[0].message, "'over-0'"), "%s", l.d.list[0].message);
	cr_assert_eq(l.d.list[0].loc.line, 4712);
	cr_assert_eq(rs.rule_count, FR_MAX_RULES - FR_RULE_FIRST);
	free(rs.rules);
	load_free(&l);
}
