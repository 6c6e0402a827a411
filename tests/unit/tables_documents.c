/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a table and a policy say of the documents that they were made of: address and date of a
 * vendor's document, DNS names with their params, the age of files of prefixes.
 */
#include <time.h>

#include "policy_fixture.h"

enum { DAY = 86400 };

static struct diag last_of(const char *metadata)
{
	struct load l = load_new();
	struct table_summary summary;
	struct diag diag = {.check = ""};

	table_load(load_file(&l, "acme.yaml",
			     arena_printf(l.d.arena,
					  "apiVersion: flowreeve/v1\nkind: PortTable\n"
					  "metadata: {name: acme, %s}\nroles: {a: {}}\n"
					  "rows: [{id: r, from: a, to: a, ports: [1/tcp]}]\n",
					  metadata)),
		   &l.options, &l.d, &summary);
	if (l.d.count)
		diag = l.d.list[l.d.count - 1];
	diag.message = NULL;
	load_free(&l);
	return diag;
}

Test(documents, an_address_is_one_that_can_be_pasted)
{
	static const char *const good[] = {"https://docs.example.com/a-b/c_d.html?x=1&y=(2)#z",
					   "http://10.0.0.1:8080/ports"};
	static const char *const bad[] = {
		"docs.example.com/ports", "ftp://example.com/",	  "https://",
		"javascript:alert(1)",	  "https:///ports",	  "https://example.com/a b",
		"https://e.com/<script>", "https://e.com/\\\"x=", "https://e.com/é"};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		char text[128];

		snprintf(text, sizeof(text), "url: \"%s\"", good[i]);
		cr_expect_str_eq(last_of(text).check, "", "%s", good[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char text[128];
		struct diag diag;

		snprintf(text, sizeof(text), "url: \"%s\"", bad[i]);
		diag = last_of(text);
		cr_expect_str_eq(diag.check, "bad-url", "%s", bad[i]);
		cr_expect_eq(diag.loc.line, 3);
		cr_expect_eq(diag.loc.column, strlen("metadata: {name: acme, url: ") + 1);
	}
}

Test(documents, the_date_of_reading_is_a_day_of_the_calendar)
{
	static const char *const good[] = {"2026-11-21", "2024-02-29", "1970-01-01"};
	static const char *const bad[] = {"2026-13-01", "2026-02-29",  "2026-11-31", "2026-1-2",
					  "21.11.2026", "2026-11-21T", "2026-11-00", "November",
					  "1969-12-31", "2026-11-211"};

	for (size_t i = 0; i < ARRAY_SIZE(good) + ARRAY_SIZE(bad); i++) {
		bool is_good = i < ARRAY_SIZE(good);
		const char *date = is_good ? good[i] : bad[i - ARRAY_SIZE(good)];
		char text[64];
		struct diag diag;

		snprintf(text, sizeof(text), "read: \"%s\"", date);
		diag = last_of(text);
		cr_expect_str_eq(diag.check, is_good ? "" : "bad-date", "%s", date);
		cr_expect(is_good || diag.loc.column == strlen("metadata: {name: acme, read: ") + 1,
			  "%s", date);
	}
}

Test(documents, every_vendors_table_that_is_shipped_names_its_document)
{
	static const char *const tables[] = {"aws-datasync", "aws-mgn", "dataminer", "qumulo",
					     "snapmirror-active-sync"};

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		struct load l = load_new();
		const struct table_view *view;
		uint64_t read;

		l.options.tables_dir = "policies/tables";
		cr_assert_eq(table_view(tables[i], &l.options, &l.d, &view), 0);
		cr_expect(view->title && view->document, "%s", tables[i]);
		cr_expect(view->url && str_starts(view->url, "https://"), "%s", tables[i]);
		cr_expect(view->read && date_parse(view->read, &read), "%s", tables[i]);
		load_free(&l);
	}
}

/* ---------------------------------------------------------------- names */

static const struct role_view *view_role(const struct table_view *view, const char *name)
{
	for (size_t i = 0; i < view->role_count; i++)
		if (str_equal(view->roles[i].name, name))
			return &view->roles[i];
	return NULL;
}

Test(documents, names_are_shown_with_the_params_that_are_given)
{
	static const char *const set[] = {"region=eu-west-1"}, *const wrong[] = {"regoin=eu"},
				 *const twice[] = {"region=a", "region=b"};
	struct load l = load_new();
	const struct table_view *view;

	l.options.tables_dir = "policies/tables";
	cr_assert_eq(table_view("aws-datasync", &l.options, &l.d, &view), 0);
	cr_expect_str_eq(view_role(view, "aws-api")->names.list[0],
			 "datasync.${region}.amazonaws.com");
	l.options.set = set;
	l.options.set_count = 1;
	cr_assert_eq(table_view("aws-datasync", &l.options, &l.d, &view), 0);
	cr_expect_str_eq(view_role(view, "aws-api")->names.list[0],
			 "datasync.eu-west-1.amazonaws.com");
	for (size_t i = 0; i < view->row_count; i++)
		for (size_t j = 0; j < view->rows[i].names.count; j++)
			cr_expect_null(strchr(view->rows[i].names.list[j], '$'));
	l.options.set = wrong;
	cr_expect_neq(table_view("aws-datasync", &l.options, &l.d, &view), 0);
	cr_expect_eq(load_find(&l, "unknown-param")->loc.column, 1);
	l.options.set = twice;
	l.options.set_count = 2;
	cr_expect_neq(table_view("aws-datasync", &l.options, &l.d, &view), 0);
	cr_expect(load_find(&l, "duplicate-key"), "%s", load_all(&l));
	load_free(&l);
}

Test(documents, a_policy_has_every_name_of_the_roles_that_are_its_peers)
{
	struct load l = load_new();
	const struct origin *table;
	size_t at = 0;

	l.options.tables_dir = "policies/tables";
	l.err = policy_load("policies/examples/datasync-agent-public.yaml", &l.options, &l.d,
			    &l.rs);
	cr_assert_eq(l.err, 0, "%s", load_all(&l));
	cr_assert_gt(l.rs->name_count, 0);
	for (size_t i = 0; i < l.rs->name_count; i++)
		for (size_t j = 0; j < l.rs->names[i].count; j++)
			cr_expect_null(strpbrk(l.rs->names[i].list[j], "${}<>"), "%s",
				       l.rs->names[i].list[j]);
	cr_expect_str_eq(l.rs->names[0].role, "aws-api");
	cr_expect_eq(l.rs->names[0].count, 2, "those of control-public and of data-plane");
	table = ruleset_next_table(l.rs, &at);
	cr_assert(table);
	cr_expect(table->title && table->url && table->read);
	load_free(&l);
}

/* ---------------------------------------------------------------- age */

static unsigned warnings_of(const char *file, const char *text, const char *format, uint64_t now)
{
	struct load l = load_new();
	unsigned count = 0;

	l.options.now = now;
	load_file(&l, file, text);
	load_text(&l, arena_printf(l.d.arena,
				   HEAD "prefixes:\n  a: {file: %s, format: %s}\n"
					"  b: {file: %s, format: %s}\n"
					"rules: [{id: r, direction: egress, action: allow, "
					"peer: [prefixes/a, prefixes/b], ports: 443/tcp}]\n",
				   file, format, file, format));
	cr_expect_eq(l.err, 0, "%s", load_all(&l));
	for (size_t i = 0; i < l.d.count; i++)
		if (str_equal(l.d.list[i].check, "prefixes-old")) {
			count++;
			cr_expect_eq(l.d.list[i].loc.line, 9);
		}
	load_free(&l);
	return count;
}

#define AWS(dates)                                                                                 \
	"{" dates "\"prefixes\": [{\"ip_prefix\": \"3.0.0.0/8\", \"region\": \"x\", "              \
	"\"service\": \"S3\"}]}\n"

/* 2023-11-14 is day 19675. */
Test(documents, prefixes_are_old_by_the_date_of_their_document)
{
	static const char *const aws[] = {AWS("\"createDate\": \"2023-11-14-22-13-20\","),
					  AWS("\"syncToken\": \"1699920000\","),
					  AWS("\"syncToken\": 1699920000,"),
					  AWS("\"syncToken\": \"1699920000\", \"createDate\": 7,")};
	static const char *const lists[] = {"# made 2023-11-14 by hand\n3.0.0.0/8\n",
					    "\n#2023-11-14T10:00:00Z\n3.0.0.0/8\n",
					    "# id 12023-11-14, made 2023-11-14\n3.0.0.0/8\n"};
	const uint64_t day = 19675ull * DAY;

	for (size_t i = 0; i < ARRAY_SIZE(aws); i++) {
		cr_expect_eq(warnings_of("r.json", aws[i], "aws", day + 31 * DAY), 1, "%zu", i);
		cr_expect_eq(warnings_of("r.json", aws[i], "aws", day + 30 * DAY), 0, "%zu", i);
		cr_expect_eq(warnings_of("r.json", aws[i], "aws", 0), 0, "no clock, no age");
	}
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		cr_expect_eq(warnings_of("l.txt", lists[i], "list", day + 31 * DAY), 1, "%zu", i);
		cr_expect_eq(warnings_of("l.txt", lists[i], "list", day + 30 * DAY), 0, "%zu", i);
	}
	cr_expect_eq(warnings_of("l.txt", lists[0], "list", day - 90 * DAY), 0, "of the future");
}

/* Of files that were written when this test ran. */
Test(documents, without_a_date_prefixes_are_as_old_as_their_file)
{
	const uint64_t now = (uint64_t)time(NULL);
	static const char *const lists[] = {"3.0.0.0/8\n", "3.0.0.0/8\n# 1999-01-01\n",
					    "# 1999-99-99\n3.0.0.0/8\n"};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		cr_expect_eq(warnings_of("l.txt", lists[i], "list", now), 0, "%zu", i);
		cr_expect_eq(warnings_of("l.txt", lists[i], "list", now + 32 * DAY), 1, "%zu", i);
	}
	cr_expect_eq(warnings_of("r.json", AWS(""), "aws", now + 32 * DAY), 1);
	cr_expect_eq(warnings_of("r.json", AWS("\"createDate\": \"soon\","), "aws", now), 0);
}
