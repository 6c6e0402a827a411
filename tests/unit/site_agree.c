/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Both ends of a row agree: over each vendor's table, with hosts in every role and one in all of
 * them, the traffic that the policy of A lets out to B is the traffic that the policy of B lets in
 * from A, by the walk over the rules and by the compiled image.
 */
#include "../../user/compile/compile.h"
#include "site_fixture.h"

/* Of each role one host is named, two are in its prefix. */
enum { ROUNDS = 8, EACH = 3 };

/* The site to test; without the params and roles that no selected row needs. */
struct trial {
	struct load l;
	const struct table_view *table;
	bool *role, *row; /* by number: is it named? */
	bool last;	  /* of an enum, take the last value instead of the first */
	size_t allowed, refused;
};

static void put_param(FILE *out, const struct trial *t, const struct param_view *param)
{
	size_t count = param->values.count;

	if (!strcmp(param->type, "set")) {
		fprintf(out, "%s: [", param->name);
		for (size_t i = 0; i < count; i++)
			fprintf(out, "%s%s", i ? ", " : "", param->values.list[i]);
		fputs("], ", out);
	} else if (!strcmp(param->type, "ports") && !count && !param->initial.count) {
		fprintf(out, "%s: [4400/tcp], ", param->name);
	} else if (count && strcmp(param->type, "ports")) {
		fprintf(out, "%s: %s, ", param->name, param->values.list[t->last ? count - 1 : 0]);
	} else if (param->required) {
		fprintf(out, "%s: %s, ", param->name, param->plural ? "[x1]" : "x1");
	}
}

static void put_hosts(FILE *out, const struct trial *t)
{
	fputs("hosts:\n  all: {addresses: [10.1.0.1, \"fd00::1\"]}\n", out);
	for (size_t i = 0; i < t->table->role_count; i++)
		for (size_t k = 0; t->role[i] && k < EACH; k++)
			fprintf(out, "  h%zu-%zu: {addresses: [10.1.%zu.%zu]}\n", i, k, i + 1,
				k + 1);
}

static const char *trial_text(struct trial *t)
{
	char *text CLEANUP(free_ptr) = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fprintf(out, SITE_HEAD "use:\n  - table: %s\n", t->table->name);
	if (t->table->edition)
		fprintf(out, "    edition: %s\n", t->table->edition);
	fputs("    set: {", out);
	for (size_t i = 0; i < t->table->param_count; i++)
		put_param(out, t, &t->table->params[i]);
	fputs("}\n    roles:\n", out);
	for (size_t i = 0; i < t->table->role_count; i++)
		if (t->role[i])
			fprintf(out, "      %s: [all, h%zu-0, 10.1.%zu.2/31]\n",
				t->table->roles[i].name, i, i + 1);
	fputs("    with: [", out);
	for (size_t i = 0; i < t->table->row_count; i++)
		if (t->row[i])
			fprintf(out, "%s, ", t->table->rows[i].id);
	fputs("]\n", out);
	put_hosts(out, t);
	fclose(out);
	return arena_strdup(t->l.d.arena, text);
}

/* Takes back the cause of the site's refusal; false when there is another cause. */
static bool trial_mend(struct trial *t)
{
	for (size_t i = 0; i < t->l.d.count; i++) {
		const struct diag *diag = &t->l.d.list[i];
		const char *word = diag->loc.source ? load_pointed(&t->l, diag) : "";

		if (diag->severity != SEV_ERROR)
			continue;
		if (strcmp(diag->check, "unused-peer") && strcmp(diag->check, "unselected-row"))
			return false;
		for (size_t k = 0; k < t->table->role_count; k++)
			t->role[k] &= strcmp(t->table->roles[k].name, word) != 0;
		for (size_t k = 0; k < t->table->row_count; k++)
			t->row[k] &= strcmp(t->table->rows[k].id, word) != 0;
	}
	return true;
}

static const struct site_view *trial_load(struct trial *t)
{
	const struct site_view *site = NULL;

	for (size_t i = 0; i < t->table->role_count; i++)
		t->role[i] = true;
	for (size_t i = 0; i < t->table->row_count; i++)
		t->row[i] = t->table->rows[i].optional;
	for (size_t i = 0; i < ROUNDS && !site; i++) {
		site = site_text_load(&t->l, trial_text(t));
		if (!site)
			cr_assert(trial_mend(t), "%s: %s", t->table->name, load_all(&t->l));
	}
	cr_assert(site, "%s: %s", t->table->name, load_all(&t->l));
	return site;
}

/* ---------------------------------------------------------------- the judges */

struct end {
	const struct plan *plan;
	struct image image;
	struct addr address;
};

static bool lets(const struct end *end, uint8_t dir, const struct addr *peer, uint8_t proto,
		 uint16_t port)
{
	struct tuple tuple = {.dir = dir, .proto = proto, .port = port, .peer = *peer};
	struct decision walked, looked_up;

	ruleset_decide(end->plan->rs, &tuple, &walked);
	image_decide(&end->image, &tuple, &looked_up);
	cr_assert_eq(walked.verdict, looked_up.verdict);
	cr_assert_eq(walked.rule, looked_up.rule);
	return walked.verdict == FR_PASS;
}

static void ask(struct trial *t, const struct end *a, const struct end *b, uint8_t proto,
		uint32_t port, const char *rule)
{
	bool out, in;

	if (port > 65535)
		return;
	out = lets(a, FR_EGRESS, &b->address, proto, (uint16_t)port);
	in = lets(b, FR_INGRESS, &a->address, proto, (uint16_t)port);
	cr_assert_eq(out, in,
		     "%s: %s lets out to %s: %d, which lets in: %d; %s, protocol %u, port %u",
		     t->table->name, a->plan->host, b->plan->host, out, in, rule, proto, port);
	t->allowed += out;
	t->refused += !out;
}

/* Every row that either end has, at its ports and beside them. */
static void ask_rules(struct trial *t, const struct end *a, const struct end *b,
		      const struct ruleset *rs)
{
	for (size_t i = 0; i < rs->rule_count; i++)
		for (size_t k = 0; k < rs->rules[i].service_count; k++) {
			const struct service *s = &rs->rules[i].services[k];
			uint8_t proto = s->any_proto ? PROTO_TCP : s->proto;

			ask(t, a, b, proto, s->first, rs->rules[i].id);
			ask(t, a, b, proto, s->last, rs->rules[i].id);
			ask(t, a, b, proto, s->first - 1u, rs->rules[i].id);
			ask(t, a, b, proto, s->last + 1u, rs->rules[i].id);
		}
}

static void ask_pairs(struct trial *t, const struct site_view *site)
{
	struct end *ends = arena_alloc(t->l.d.arena, site->plan_count * sizeof(*ends));

	for (size_t i = 0; i < site->plan_count; i++) {
		unsigned role, number;

		ends[i].plan = &site->plans[i];
		cr_assert_eq(image_compile(ends[i].plan->rs, &t->l.d, &ends[i].image), 0);
		ends[i].address = addr_from_v4(0x0a010001);
		if (sscanf(ends[i].plan->host, "h%u-%u", &role, &number) == 2)
			ends[i].address = addr_from_v4(0x0a010000 + ((role + 1) << 8) + number + 1);
	}
	for (size_t i = 0; i < site->plan_count; i++)
		for (size_t k = 0; k < site->plan_count; k++)
			if (i != k) {
				ask_rules(t, &ends[i], &ends[k], ends[i].plan->rs);
				ask_rules(t, &ends[i], &ends[k], ends[k].plan->rs);
			}
	for (size_t i = 0; i < site->plan_count; i++)
		image_free(&ends[i].image);
}

/* Each selected row is some host's rule in each direction. */
static void rows_are_on_both_sides(const struct trial *t, const struct site_view *site)
{
	size_t on[FR_DIRS];

	for (size_t row = 0; row < t->table->row_count; row++) {
		on[FR_EGRESS] = on[FR_INGRESS] = 0;
		for (size_t i = 0; i < site->plan_count; i++)
			for (size_t k = 0; k < site->plans[i].rs->rule_count; k++) {
				const struct rule *rule = &site->plans[i].rs->rules[k];

				if (str_equal(rule_origin(rule)->row, t->table->rows[row].id))
					on[rule->dir]++;
			}
		cr_expect_eq(on[FR_EGRESS], on[FR_INGRESS], "%s/%s: %zu hosts open it, %zu take it",
			     t->table->name, t->table->rows[row].id, on[FR_EGRESS], on[FR_INGRESS]);
	}
}

static void table_agrees(const char *name, bool last)
{
	struct trial t = {.l = load_new(), .last = last};
	const struct site_view *site;

	t.l.options.tables_dir = "policies/tables";
	cr_assert_eq(table_view(name, &t.l.options, &t.l.d, &t.table), 0);
	t.role = arena_alloc(t.l.d.arena, t.table->role_count * sizeof(*t.role));
	t.row = arena_alloc(t.l.d.arena, t.table->row_count * sizeof(*t.row));
	site = trial_load(&t);
	ask_pairs(&t, site);
	rows_are_on_both_sides(&t, site);
	cr_expect_gt(t.allowed, 20, "%s", name);
	cr_expect_gt(t.refused, 20, "%s", name);
	load_free(&t.l);
}

Test(site, both_ends_of_every_row_agree_datasync)
{
	table_agrees("aws-datasync", false);
	table_agrees("aws-datasync", true);
	table_agrees("aws-datasync@2024-09", false);
	table_agrees("aws-datasync@2024-09", true);
}

Test(site, both_ends_of_every_row_agree_mgn)
{
	table_agrees("aws-mgn", false);
	table_agrees("aws-mgn", true);
	table_agrees("aws-mgn@2024-09", false);
	table_agrees("aws-mgn@2024-09", true);
}

Test(site, both_ends_of_every_row_agree_dataminer)
{
	table_agrees("dataminer", false);
	table_agrees("dataminer", true);
	table_agrees("dataminer@2024-09", false);
	table_agrees("dataminer@2024-09", true);
}

Test(site, both_ends_of_every_row_agree_snapmirror)
{
	table_agrees("snapmirror-active-sync", false);
	table_agrees("snapmirror-active-sync", true);
	table_agrees("snapmirror-active-sync@2024-09", false);
	table_agrees("snapmirror-active-sync@2024-09", true);
}

Test(site, both_ends_of_every_row_agree_qumulo)
{
	table_agrees("qumulo", false);
	table_agrees("qumulo", true);
}
