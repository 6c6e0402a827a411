/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much of the vendors' tables a draft reproduces: tests/documents/ has these tables with the
 * vendors' lines and cells (their prose left out), tests/facts/ their facts. With
 * FLOWREEVE_DOCUMENTS=DIR the vendors' own files are measured as well, by the names in the facts.
 */
#include <jansson.h>

#include "import_fixture.h"

struct vendor {
	const char *name, *document;
	const char
		*here; /* the role that a page without names is about; NULL: it names both ends */
	bool directed; /* the document names the opener */
	unsigned lines[8]; /* first and last of its tables */
};

static const struct vendor vendors[] = {
	{"aws-datasync", "aws-datasync.md", NULL, true, {17, 23, 32, 37, 48, 51, 66, 73}},
	{"dataminer", "dataminer.md", NULL, false, {19, 33}},
	{"snapmirror-active-sync", "snapmirror-active-sync.txt", NULL, true, {33, 78}},
	{"qumulo", "qumulo.md", "node", true, {23, 86, 111, 162}},
};

struct tally {
	unsigned facts, found;
};

static bool in_tables(const struct vendor *v, unsigned line)
{
	for (size_t i = 0; i + 1 < ARRAY_SIZE(v->lines); i += 2)
		if (v->lines[i] && line >= v->lines[i] && line <= v->lines[i + 1])
			return true;
	return false;
}

static unsigned line_of(const json_t *fact, size_t which)
{
	return (unsigned)json_integer_value(json_array_get(json_object_get(fact, "lines"), which));
}

/* "443/tcp" of the fact's n-th port and protocol. */
static const char *fact_port(struct drafted *d, const json_t *fact, size_t port, size_t protocol)
{
	const json_t *range = json_array_get(json_object_get(fact, "ports"), port);
	long long first = json_integer_value(json_array_get(range, 0));
	long long last = json_integer_value(json_array_get(range, 1));
	const char *word =
		json_string_value(json_array_get(json_object_get(fact, "protocols"), protocol));

	return first == last ? arena_printf(d->arena, "%lld/%s", first, word)
			     : arena_printf(d->arena, "%lld-%lld/%s", first, last, word);
}

static bool row_has_port(const struct node *row, const char *port)
{
	const struct node *item;

	for_items(item, map_get(row, "ports")) if (strcmp(item->text, port) == 0) return true;
	return false;
}

static bool fact_has_port(struct drafted *d, const json_t *fact, const char *text)
{
	for (size_t p = 0; p < json_array_size(json_object_get(fact, "ports")); p++)
		for (size_t t = 0; t < json_array_size(json_object_get(fact, "protocols")); t++)
			if (strcmp(fact_port(d, fact, p, t), text) == 0)
				return true;
	return false;
}

/* Facts of one line split the ports of its row; together they are exactly those. */
static bool ports_agree(struct drafted *d, const json_t *flows, const json_t *fact,
			const struct node *row)
{
	const struct node *item;
	const json_t *other;
	size_t i;

	for (size_t p = 0; p < json_array_size(json_object_get(fact, "ports")); p++)
		for (size_t t = 0; t < json_array_size(json_object_get(fact, "protocols")); t++)
			if (!row_has_port(row, fact_port(d, fact, p, t)))
				return false;
	for_items(item, map_get(row, "ports"))
	{
		bool known = false;

		json_array_foreach (flows, i, other)
			known |= line_of(other, 0) == line_of(fact, 0) &&
				 fact_has_port(d, other, item->text);
		if (!known)
			return false;
	}
	return true;
}

static bool same_letters(const char *a, const char *b)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	for (;;) {
		a += strcspn(a, letters);
		b += strcspn(b, letters);
		if (!*a || !*b)
			return *a == *b;
		if ((*a++ | 32) != (*b++ | 32))
			return false;
	}
}

/* Whether the drafted role is the one that the document calls `vendor`; "" and quotes: none. */
static bool role_agrees(const struct drafted *d, const char *role, const char *vendor)
{
	const char *title = draft_value(map_get(d->roles, role), "title");

	if (!*vendor || *vendor == '"')
		return strstr(role, "peer") || strcmp(role, "this-host") == 0;
	if (!strncmp(vendor, "Your ", 5) && strncmp(title, "Your ", 5))
		vendor += 5;
	return same_letters(title, vendor) ||
	       (!strncmp(title, "Your ", 5) && same_letters(title + 5, vendor));
}

static const char *fact_word(const json_t *fact, const char *key, size_t i)
{
	return json_string_value(json_array_get(json_object_get(fact, key), i)) ?: "";
}

static bool ends_agree(const struct drafted *d, const struct vendor *v, const json_t *fact,
		       const struct node *row)
{
	const char *from = draft_value(row, "from"), *to = draft_value(row, "to");
	const char *a = fact_word(fact, "vendor", 0), *b = fact_word(fact, "vendor", 1);

	if (v->here)
		return (strcmp(fact_word(fact, "from", 0), v->here) == 0) ==
			       (strcmp(from, "this-host") == 0) &&
		       (strcmp(fact_word(fact, "to", 0), v->here) == 0) ==
			       (strcmp(to, "this-host") == 0);
	if (!v->directed)
		return strcmp(to, "this-host") == 0;
	return (role_agrees(d, from, a) && role_agrees(d, to, b)) ||
	       (*b == '"' && role_agrees(d, from, b) && role_agrees(d, to, a));
}

static bool fact_found(struct drafted *d, const struct vendor *v, const json_t *flows,
		       const json_t *fact)
{
	const struct node *row;

	for_children(row, d->rows)
	{
		unsigned line = (unsigned)atoi(draft_value(map_get(row, "source"), "line"));

		if (line >= line_of(fact, 0) && line <= line_of(fact, 1) &&
		    ports_agree(d, flows, fact, row) && ends_agree(d, v, fact, row))
			return true;
	}
	return false;
}

static struct tally facts_tally(const struct vendor *v, const char *path, const json_t *flows)
{
	struct tally tally = {0};
	struct drafted d;
	const json_t *fact;
	size_t i;

	draft_file(&d, path);
	cr_assert_eq(d.err, 0, "%s", path);
	json_array_foreach (flows, i, fact) {
		if (!in_tables(v, line_of(fact, 0)))
			continue;
		tally.facts++;
		if (fact_found(&d, v, flows, fact))
			tally.found++;
		else
			cr_log_warn("%s: %s is not in the draft", path,
				    json_string_value(json_object_get(fact, "id")));
	}
	draft_close(&d);
	return tally;
}

static json_t *facts_open(const struct vendor *v)
{
	char path[128];
	json_t *facts;

	snprintf(path, sizeof(path), "tests/facts/%s.json", v->name);
	facts = json_load_file(path, 0, NULL);
	cr_assert(facts, "%s", path);
	return facts;
}

static void expect_most(const char *name, struct tally tally, unsigned least)
{
	cr_log_info("%s: %u of %u", name, tally.found, tally.facts);
	cr_expect_geq(tally.facts, least, "%s", name);
	cr_expect_geq(tally.found * 100, tally.facts * 95, "%s: %u of %u", name, tally.found,
		      tally.facts);
}

Test(import, at_least_95_of_100_table_rows_of_each_vendor_are_reproduced)
{
	struct tally all = {0};

	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++) {
		const struct vendor *v = &vendors[i];
		json_t *facts = facts_open(v);
		struct tally one;
		char path[128];

		snprintf(path, sizeof(path), "tests/documents/%s", v->document);
		one = facts_tally(v, path, json_object_get(facts, "flows"));
		expect_most(v->name, one, 9);
		all.facts += one.facts;
		all.found += one.found;
		json_decref(facts);
	}
	expect_most("all", all, 70);
}

Test(import, the_vendors_own_files_as_well_where_they_are_at_hand)
{
	const char *directory = getenv("FLOWREEVE_DOCUMENTS");

	for (size_t i = 0; directory && i < ARRAY_SIZE(vendors); i++) {
		const struct vendor *v = &vendors[i];
		json_t *facts = facts_open(v);
		char path[512];

		snprintf(path, sizeof(path), "%s/%s", directory,
			 json_string_value(json_object_get(facts, "document")));
		expect_most(path, facts_tally(v, path, json_object_get(facts, "flows")), 9);
		json_decref(facts);
	}
}
