/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shipped tables against tests/facts/, this project's record of the vendors' documents, in both
 * directions: no fact without its row, no row without its fact. The tables are read as plain nodes
 * here, so that nothing that resolves them is part of the answer.
 */
#include <criterion/criterion.h>
#include <glob.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/net/net.h"
#include "../../user/yaml/yaml.h"

struct words {
	const char *list[64];
	size_t count;
};

struct book {
	struct arena *arena;
	struct diags diags;
	const struct node *root, *params, *roles, *rows;
	json_t *facts, *flows;
};

static const char *const tables[] = {"aws-datasync", "aws-mgn", "dataminer",
				     "snapmirror-active-sync", "qumulo"};

static bool words_have(const struct words *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++)
		if (strcmp(words->list[i], word) == 0)
			return true;
	return false;
}

static void words_add(struct words *words, const char *word)
{
	if (words_have(words, word))
		return;
	cr_assert_lt(words->count, ARRAY_SIZE(words->list));
	words->list[words->count++] = word;
}

static bool words_within(const struct words *inner, const struct words *outer)
{
	for (size_t i = 0; i < inner->count; i++)
		if (!words_have(outer, inner->list[i]))
			return false;
	return true;
}

static bool words_same(const struct words *a, const struct words *b)
{
	return words_within(a, b) && words_within(b, a);
}

static void book_load_table(struct book *book, const char *path)
{
	static const struct node no_params = {.kind = NODE_MAP};
	struct node *root = NULL;

	book->arena = arena_new();
	book->diags.arena = book->arena;
	cr_assert_eq(doc_load(path, &book->diags, &root), 0, "%s", path);
	book->root = root;
	book->params = map_get(root, "params") ?: &no_params;
	book->roles = map_get(root, "roles");
	book->rows = map_get(root, "rows");
	cr_assert(book->roles && book->rows, "%s", path);
}

static void book_open(struct book *book, const char *name)
{
	char path[128];
	json_error_t error;

	snprintf(path, sizeof(path), "policies/tables/%s.yaml", name);
	book_load_table(book, path);
	snprintf(path, sizeof(path), "tests/facts/%s.json", name);
	book->facts = json_load_file(path, 0, &error);
	cr_assert(book->facts, "%s: %s", path, error.text);
	book->flows = json_object_get(book->facts, "flows");
	cr_assert(json_is_array(book->flows));
}

static void book_close(struct book *book)
{
	json_decref(book->facts);
	arena_free(book->arena);
}

/* ---------------------------------------------------------------- a row */

static const char *text_of(const struct node *map, const char *key)
{
	const struct node *node = map ? map_get(map, key) : NULL;

	return node ? node->text : NULL;
}

static void node_words(const struct node *node, struct words *out)
{
	const struct node *item;

	if (node)
		for_items(item, node) words_add(out, item->text);
}

/* The value of an unset param. */
static void param_words(const struct book *book, const char *name, struct words *out)
{
	const struct node *param = map_get(book->params, name);

	cr_assert(param, "param %s", name);
	node_words(map_get(param, "default"), out);
	node_words(map_get(param, "any-of"), out);
}

static void service_words(struct book *book, const char *text, struct words *out)
{
	struct service service[2];
	size_t count;

	if (strcmp(text, "any") == 0) {
		words_add(out, text);
		return;
	}
	cr_assert_eq(service_parse(text, service, &count), SERVICE_OK, "%s", text);
	cr_assert_eq(count, 1, "%s", text);
	words_add(out, arena_printf(book->arena, "%u-%u/%u", service[0].first, service[0].last,
				    service[0].proto));
}

static void row_services(struct book *book, const struct node *row, struct words *out)
{
	const struct node *port;

	for_items(port, map_get(row, "ports"))
	{
		const char *text = port->text, *close = strchr(text, '}');
		struct words values = {0};

		if (!close) {
			service_words(book, text, out);
			continue;
		}
		param_words(book, arena_strndup(book->arena, text + 2, (size_t)(close - text - 2)),
			    &values);
		for (size_t i = 0; i < values.count; i++)
			service_words(book,
				      arena_printf(book->arena, "%s%s", values.list[i], close + 1),
				      out);
	}
}

static void row_names(const struct book *book, const struct node *row, struct words *out)
{
	const struct node *names = map_get(row, "names");

	node_words(names ? names : map_get(map_get(book->roles, text_of(row, "to")), "names"), out);
}

/* All lines of the document that a row cites. */
static void row_lines(const struct node *row, struct words *out)
{
	const struct node *source = map_get(row, "source");

	node_words(map_get(source, "line"), out);
	node_words(map_get(source, "lines"), out);
}

/* All values that a param can have; none for one without a list of them. */
static void param_values(const struct node *param, struct words *out)
{
	if (str_equal(text_of(param, "type"), "bool")) {
		words_add(out, "on");
		words_add(out, "off");
	}
	node_words(map_get(param, "values"), out);
}

/* Values of a param under which a row is selected; no condition means all. */
static void row_condition(const struct node *row, const struct node *param, struct words *out)
{
	const struct node *when = map_get(row, "when"), *values = NULL;

	if (when)
		values = map_get(when, param->key->text);
	if (values)
		node_words(values, out);
	else
		param_values(param, out);
}

/* ---------------------------------------------------------------- a fact */

static const char *fact_id(const json_t *fact)
{
	return json_string_value(json_object_get(fact, "id"));
}

static bool json_has(const json_t *list, const char *word)
{
	size_t i;
	json_t *item;

	json_array_foreach (list, i, item)
		if (strcmp(json_string_value(item), word) == 0)
			return true;
	return false;
}

static bool fact_has_line(const json_t *fact, const char *line)
{
	const json_t *lines = json_object_get(fact, "lines");
	json_int_t number = atoll(line);

	return number >= json_integer_value(json_array_get(lines, 0)) &&
	       number <= json_integer_value(json_array_get(lines, 1));
}

/* Where one line of the document is several facts between the same ends, each names its rows. */
static bool fact_has_ends(const json_t *fact, const struct node *row)
{
	const json_t *rows = json_object_get(fact, "row");

	return (!rows || json_has(rows, text_of(row, "id"))) &&
	       json_has(json_object_get(fact, "from"), text_of(row, "from")) &&
	       json_has(json_object_get(fact, "to"), text_of(row, "to"));
}

static bool fact_backs(const json_t *fact, const struct node *row)
{
	struct words lines = {0};

	row_lines(row, &lines);
	for (size_t i = 0; i < lines.count; i++)
		if (fact_has_ends(fact, row) && fact_has_line(fact, lines.list[i]))
			return true;
	return false;
}

static void fact_services(struct book *book, const json_t *fact, struct words *out)
{
	json_t *proto, *range;
	size_t i, k;

	if (str_equal(json_string_value(json_object_get(fact, "port_choice")), "any"))
		words_add(out, "any");
	json_array_foreach (json_object_get(fact, "protocols"), i, proto)
		json_array_foreach (json_object_get(fact, "ports"), k, range)
			service_words(book,
				      arena_printf(book->arena, "%lld-%lld/%s",
						   json_integer_value(json_array_get(range, 0)),
						   json_integer_value(json_array_get(range, 1)),
						   json_string_value(proto)),
				      out);
}

/* A name as the vendor prints it, in the table's notation. */
static const char *name_template(struct book *book, const json_t *endpoint)
{
	static const char *const marks[][2] = {
		{"$activation_region", "${region}"}, {"<region>", "${region}"},
		{"<REGION>", "${region}"},	     {"{region}", "${region}"},
		{"us-east-2", "${region}"},	     {"yourTaskId", "*"},
	};
	const char *text = json_string_value(json_object_get(endpoint, "name")), *at;
	const char *out = "";
	size_t i;

	for (; *text; text = at) {
		at = text + 1;
		for (i = 0; i < ARRAY_SIZE(marks); i++)
			if (str_starts(text, marks[i][0])) {
				at = text + strlen(marks[i][0]);
				break;
			}
		out = i < ARRAY_SIZE(marks) ? arena_printf(book->arena, "%s%s", out, marks[i][1])
					    : arena_printf(book->arena, "%s%c", out, *text);
	}
	return out;
}

static void fact_names(struct book *book, const json_t *fact, struct words *out)
{
	json_t *endpoint;
	size_t i;

	json_array_foreach (json_object_get(fact, "endpoints"), i, endpoint)
		words_add(out, name_template(book, endpoint));
}

static void fact_condition(const json_t *fact, const struct node *param, struct words *out)
{
	const json_t *values =
		json_object_get(json_object_get(fact, "condition"), param->key->text);
	json_t *value;
	size_t i;

	if (!values)
		param_values(param, out);
	json_array_foreach (values, i, value)
		words_add(out, json_string_value(value));
}

static bool fact_is_recipe(const json_t *fact)
{
	return json_is_true(json_object_get(fact, "recipe"));
}

/* ---------------------------------------------------------------- from facts to rows */

static void expect_every_end(const struct book *book, const json_t *fact)
{
	const struct node *row;
	json_t *from, *to;
	size_t i, k;

	json_array_foreach (json_object_get(fact, "from"), i, from)
		json_array_foreach (json_object_get(fact, "to"), k, to) {
			size_t found = 0;

			for_children(row, book->rows) found +=
				fact_backs(fact, row) &&
				str_equal(text_of(row, "from"), json_string_value(from)) &&
				str_equal(text_of(row, "to"), json_string_value(to));
			cr_expect_gt(found, 0, "%s: no row from %s to %s", fact_id(fact),
				     json_string_value(from), json_string_value(to));
		}
}

static void expect_same_ports_and_names(struct book *book, const json_t *fact)
{
	struct words told = {0}, written = {0}, told_names = {0}, written_names = {0};
	const struct node *row;

	for_children(row, book->rows) if (fact_backs(fact, row))
	{
		row_services(book, row, &written);
		row_names(book, row, &written_names);
	}
	fact_services(book, fact, &told);
	cr_expect(words_same(&told, &written), "%s: other ports or protocols", fact_id(fact));
	fact_names(book, fact, &told_names);
	if (told_names.count)
		cr_expect(words_same(&told_names, &written_names), "%s: other names",
			  fact_id(fact));
}

static void expect_same_conditions(const struct book *book, const json_t *fact)
{
	const struct node *param, *row;

	for_children(param, book->params)
	{
		struct words told = {0}, written = {0};

		if (str_equal(text_of(param, "type"), "version"))
			continue;
		fact_condition(fact, param, &told);
		for_children(row, book->rows) if (fact_backs(fact, row))
			row_condition(row, param, &written);
		cr_expect(words_within(&told, &written), "%s: not under every %s", fact_id(fact),
			  param->key->text);
	}
}

/* Bounds of a version: those of the row are those that the vendor names, and no others. */
static void expect_same_releases(const struct book *book, const json_t *fact)
{
	static const char *const bounds[] = {"from", "before"};
	const struct node *param, *row, *when;
	size_t k;

	for_children(param, book->params)
	{
		if (!str_equal(text_of(param, "type"), "version"))
			continue;
		for_children(row, book->rows) for (size_t i = 0; fact_backs(fact, row) && i < 2;
						   i++)
		{
			const json_t *release =
				json_object_get(json_object_get(fact, "release"), param->key->text);
			const json_t *list = json_object_get(release, bounds[i]);
			struct words told = {0}, written = {0};
			json_t *version;

			json_array_foreach (list, k, version)
				words_add(&told, json_string_value(version));
			when = map_get(row, "when");
			when = when ? map_get(when, param->key->text) : NULL;
			node_words(when ? map_get(when, bounds[i]) : NULL, &written);
			cr_expect(words_same(&told, &written), "%s: %s other releases",
				  fact_id(fact), bounds[i]);
		}
	}
}

static void expect_fact(struct book *book, const json_t *fact)
{
	expect_same_releases(book, fact);
	expect_every_end(book, fact);
	expect_same_ports_and_names(book, fact);
	expect_same_conditions(book, fact);
}

Test(tables, every_fact_is_a_row_with_its_line_ports_names_and_conditions)
{
	struct book book = {0};
	json_t *fact;
	size_t i;

	for (size_t k = 0; k < ARRAY_SIZE(tables); k++) {
		book = (struct book){0};
		book_open(&book, tables[k]);
		json_array_foreach (book.flows, i, fact)
			if (!fact_is_recipe(fact))
				expect_fact(&book, fact);
		book_close(&book);
	}
}

Test(tables, the_record_holds_all_flows_of_every_document)
{
	static const size_t flows[] = {27, 17, 26, 9, 26};

	for (size_t k = 0; k < ARRAY_SIZE(tables); k++) {
		struct book book = {0};

		book_open(&book, tables[k]);
		cr_expect_eq(json_array_size(book.flows), flows[k]);
		cr_expect_str_eq(json_string_value(json_object_get(book.facts, "document")),
				 text_of(map_get(book.root, "metadata"), "document"));
		book_close(&book);
	}
}

/* ---------------------------------------------------------------- from rows to facts */

static void expect_every_line_told(const struct book *book, const struct node *row)
{
	struct words lines = {0};
	json_t *fact;
	size_t i;

	row_lines(row, &lines);
	cr_expect_gt(lines.count, 0, "%s cites no line", text_of(row, "id"));
	for (size_t k = 0; k < lines.count; k++) {
		size_t found = 0;

		json_array_foreach (book->flows, i, fact)
			found += !fact_is_recipe(fact) && fact_has_ends(fact, row) &&
				 fact_has_line(fact, lines.list[k]);
		cr_expect_gt(found, 0, "%s: line %s does not say so", text_of(row, "id"),
			     lines.list[k]);
	}
}

static void expect_no_wider_condition(const struct book *book, const struct node *row)
{
	const struct node *param;
	json_t *fact;
	size_t i;

	for_children(param, book->params)
	{
		struct words told = {0}, written = {0};

		if (str_equal(text_of(param, "type"), "version"))
			continue;
		row_condition(row, param, &written);
		json_array_foreach (book->flows, i, fact)
			if (fact_backs(fact, row))
				fact_condition(fact, param, &told);
		cr_expect(words_within(&written, &told), "%s: under more %s than told",
			  text_of(row, "id"), param->key->text);
	}
}

static void expect_as_optional_as_told(const struct book *book, const struct node *row)
{
	bool optional = str_equal(text_of(row, "optional"), "true");
	json_t *fact;
	size_t i;

	json_array_foreach (book->flows, i, fact)
		if (fact_backs(fact, row))
			cr_expect_eq(json_is_true(json_object_get(fact, "optional")), optional,
				     "%s", text_of(row, "id"));
}

Test(tables, every_row_is_backed_by_facts)
{
	const struct node *row;

	for (size_t k = 0; k < ARRAY_SIZE(tables); k++) {
		struct book book = {0};

		book_open(&book, tables[k]);
		for_children(row, book.rows)
		{
			expect_every_line_told(&book, row);
			expect_no_wider_condition(&book, row);
			expect_as_optional_as_told(&book, row);
		}
		book_close(&book);
	}
}

Test(tables, firewall_recipes_of_the_vendor_are_no_rows)
{
	const struct node *row;
	struct book book = {0};
	size_t recipes = 0, i;
	json_t *fact;

	book_open(&book, "aws-mgn");
	json_array_foreach (book.flows, i, fact) {
		recipes += fact_is_recipe(fact);
		for_children(row, book.rows)
		{
			struct words lines = {0};

			row_lines(row, &lines);
			for (size_t k = 0; fact_is_recipe(fact) && k < lines.count; k++)
				cr_expect_not(fact_has_line(fact, lines.list[k]), "%s",
					      text_of(row, "id"));
		}
	}
	cr_expect_eq(recipes, 2);
	book_close(&book);
}

/* The heading of the document that a line is under. */
static const char *section_of(const struct book *book, json_int_t line)
{
	const char *name = "";
	json_t *section;
	size_t i;

	json_array_foreach (json_object_get(book->facts, "sections"), i, section)
		if (json_integer_value(json_object_get(section, "line")) <= line)
			name = json_string_value(json_object_get(section, "name"));
	return name;
}

/* Every heading that a row names is that of one of its lines; the first is that of its line. */
static void expect_sections(struct book *book, const struct node *row)
{
	char *text = arena_strdup(book->arena, text_of(map_get(row, "source"), "section")), *save;
	const char *line = text_of(map_get(row, "source"), "line");
	struct words lines = {0}, under = {0};

	row_lines(row, &lines);
	for (size_t i = 0; i < lines.count; i++)
		words_add(&under, section_of(book, atoll(lines.list[i])));
	for (char *name = strtok_r(text, ";", &save); name; name = strtok_r(NULL, ";", &save)) {
		name += strspn(name, " ");
		cr_expect(words_have(&under, name), "%s: no line of it is under '%s'",
			  text_of(row, "id"), name);
		if (line)
			cr_expect_str_eq(name, section_of(book, atoll(line)), "%s",
					 text_of(row, "id"));
		line = NULL;
	}
}

Test(tables, a_row_is_under_the_headings_that_it_names)
{
	const struct node *row;
	size_t tables_with = 0;

	for (size_t k = 0; k < ARRAY_SIZE(tables); k++) {
		struct book book = {0};

		book_open(&book, tables[k]);
		tables_with += json_object_get(book.facts, "sections") != NULL;
		for_children(row, book.rows) if (json_object_get(book.facts, "sections"))
			expect_sections(&book, row);
		book_close(&book);
	}
	cr_expect_eq(tables_with, 3);
}

/* "see" is the link that the document has in place of ports, or words; never a link of our own. */
Test(tables, links_are_those_of_the_document)
{
	size_t links = 0;

	for (size_t k = 0; k < ARRAY_SIZE(tables); k++) {
		struct book book = {0};
		const struct node *row;
		json_t *fact;
		size_t i;

		book_open(&book, tables[k]);
		json_array_foreach (book.flows, i, fact)
			for_children(row, book.rows)
			{
				const char *see = text_of(row, "see");
				const char *link = json_string_value(json_object_get(fact, "link"));

				if (!see || !fact_backs(fact, row))
					continue;
				links += link != NULL;
				cr_expect(link ? str_equal(see, link) : !strstr(see, "://"), "%s",
					  text_of(row, "id"));
			}
		book_close(&book);
	}
	cr_expect_eq(links, 3);
}

/* ---------------------------------------------------------------- kinds of ports */

static const struct node *port_param(struct book *book, const struct node *row)
{
	const char *text = map_get(row, "ports")->first->text, *close = strchr(text, '}');

	if (!close)
		return NULL;
	return map_get(book->params,
		       arena_strndup(book->arena, text + 2, (size_t)(close - text - 2)));
}

static void expect_choice(struct book *book, const json_t *fact, const struct node *row)
{
	const char *choice = json_string_value(json_object_get(fact, "port_choice"));
	const struct node *param = port_param(book, row);

	if (strcmp(choice, "all") == 0 || strcmp(choice, "any") == 0)
		cr_expect_null(param, "%s", fact_id(fact));
	else
		cr_assert(param, "%s: ports are no param", fact_id(fact));
	if (strcmp(choice, "any-of") == 0)
		cr_expect(map_get(param, "any-of"), "%s", fact_id(fact));
	if (strcmp(choice, "default-overridable") == 0)
		cr_expect(map_get(param, "default") && !map_get(param, "any-of"), "%s",
			  fact_id(fact));
	if (strcmp(choice, "see-link") == 0)
		cr_expect(map_get(row, "see") && !map_get(param, "default"), "%s", fact_id(fact));
}

Test(tables, alternatives_defaults_and_links_are_params)
{
	const struct node *row;
	size_t i;
	json_t *fact;

	for (size_t k = 0; k < ARRAY_SIZE(tables); k++) {
		struct book book = {0};

		book_open(&book, tables[k]);
		json_array_foreach (book.flows, i, fact)
			for_children(row, book.rows) if (fact_backs(fact, row))
				expect_choice(&book, fact, row);
		book_close(&book);
	}
}

/* Two lists of ports in one cell: a row, and a switch, for each (A8). */
Test(tables, groups_in_one_cell_are_rows_of_their_own)
{
	struct words groups = {0}, rows = {0};
	json_t *fact, *group, *port;
	const struct node *row;
	struct book book = {0};
	size_t i, k, n;

	book_open(&book, "aws-datasync");
	json_array_foreach (book.flows, i, fact)
		json_array_foreach (json_object_get(fact, "groups"), k, group) {
			const char *text = "";

			json_array_foreach (json_object_get(group, "ports"), n, port)
				text = arena_printf(book.arena, "%s %lld", text,
						    json_integer_value(port));
			words_add(&groups, text);
			for_children(row, book.rows)
			{
				const struct node *item;
				const char *own = "";

				if (!fact_backs(fact, row))
					continue;
				for_items(item, map_get(row, "ports")) own =
					arena_printf(book.arena, "%s %d", own, atoi(item->text));
				words_add(&rows, own);
			}
		}
	cr_expect_eq(groups.count, 2);
	cr_expect(words_same(&groups, &rows));
	book_close(&book);
}

/* ---------------------------------------------------------------- planning data, additions */

static json_int_t interfaces_of(const struct book *book, const char *location)
{
	json_t *item;
	size_t i;

	json_array_foreach (json_object_get(book->facts, "interfaces"), i, item)
		if (!json_is_true(json_object_get(item, "agent")) &&
		    strstr(json_string_value(json_object_get(item, "location")), location))
			return json_integer_value(json_object_get(item, "interfaces"));
	return -1;
}

Test(tables, tasks_have_as_many_interfaces_as_the_vendor_counts)
{
	struct book book = {0};
	json_t *item;
	size_t i;

	book_open(&book, "aws-datasync");
	json_array_foreach (json_object_get(book.facts, "interfaces"), i, item)
		if (json_is_true(json_object_get(item, "agent")))
			cr_expect_eq(
				json_integer_value(json_object_get(item, "interfaces")),
				atoi(text_of(map_get(book.roles, "task-interface"), "expect")));
	cr_expect_eq(interfaces_of(&book, "EFS") + interfaces_of(&book, "Lustre"), 4);
	cr_expect_eq(interfaces_of(&book, "Windows") + interfaces_of(&book, "S3"), 2);
	book_close(&book);
}

Test(tables, the_support_channel_is_one_constant_address_of_the_table)
{
	struct words told = {0}, written = {0};
	struct book book = {0};
	json_t *fact, *address;
	size_t i, k;

	book_open(&book, "aws-datasync");
	json_array_foreach (book.flows, i, fact)
		json_array_foreach (json_object_get(fact, "addresses"), k, address)
			words_add(&told, json_string_value(address));
	node_words(map_get(map_get(book.roles, "aws-support"), "addresses"), &written);
	cr_expect_eq(told.count, 1);
	cr_expect(words_same(&told, &written));
	book_close(&book);
}

/* A row's note on this project's own part in it. */
Test(tables, notes_tell_what_is_inferred_unused_or_not_enough)
{
	static const struct {
		const char *table, *row, *words;
	} notes[] = {
		{"aws-datasync", "smb-udp", "unused in practice"}, /* A1 */
		{"aws-mgn", "replication-ec2", "inferred"},	   /* A24 */
		{"aws-datasync", "activation-page", "console"},
		{"snapmirror-active-sync", "aiqum-out", "inferred"}, /* A35 */
		{"qumulo", "ftp-passive", "every high port"},	     /* A41 */
		{"qumulo", "nlm-portmapper", "nfs-locks"},	     /* A43 */
		{"qumulo", "dcerpc", "msrpc-dynamic"},		     /* A44 */
	};
	const struct node *row;

	for (size_t i = 0; i < ARRAY_SIZE(notes); i++) {
		struct book book = {0};
		size_t found = 0;

		book_open(&book, notes[i].table);
		for_children(row, book.rows) if (str_equal(text_of(row, "id"), notes[i].row))
		{
			const char *note = text_of(row, "note");

			cr_expect(note && strstr(note, notes[i].words), "%s", notes[i].row);
			found++;
		}
		cr_expect_eq(found, 1, "%s", notes[i].row);
		book_close(&book);
	}
}

/* The table of DataMiner has neither direction nor peers (A29). */
Test(tables, every_direction_that_no_vendor_gives_is_noted)
{
	struct book book = {0};
	const struct node *row;

	book_open(&book, "dataminer");
	for_children(row, book.rows)
	{
		const char *note = text_of(row, "note");

		cr_expect(note && str_starts(note, "direction inferred: "), "%s",
			  text_of(row, "id"));
	}
	book_close(&book);
}

/* "IP addresses and URLs", and no address anywhere (A21). */
Test(tables, addresses_that_are_announced_and_never_given_are_nowhere)
{
	const struct node *role;
	struct book book = {0};
	size_t roles = 0;

	book_open(&book, "aws-mgn");
	for_children(role, book.roles)
	{
		cr_expect_null(map_get(role, "addresses"), "%s", role->key->text);
		roles++;
	}
	cr_expect_gt(roles, 0);
	book_close(&book);
}

static void expect_addition(const struct book *book, const char *path)
{
	const struct node *row;

	for_children(row, book->rows)
	{
		const char *section = text_of(map_get(row, "source"), "section");

		cr_expect(section && (str_starts(section, "ADD-") || str_starts(section, "A")),
			  "%s: %s does not say where it comes from", path, text_of(row, "id"));
		cr_expect_null(map_get(map_get(row, "source"), "line"), "%s: %s", path,
			       text_of(row, "id"));
	}
}

Test(tables, what_no_vendor_says_is_marked_as_an_addition)
{
	size_t additions = 0;
	glob_t found;

	cr_assert_eq(glob("policies/tables/*.yaml", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *path = found.gl_pathv[i];
		const struct node *metadata;
		struct book book = {0};

		book_load_table(&book, path);
		metadata = map_get(book.root, "metadata");
		cr_expect(strstr(path, text_of(metadata, "name")), "%s", path);
		cr_expect_neq(!map_get(metadata, "origin"), !map_get(metadata, "document"), "%s",
			      path);
		if (map_get(metadata, "origin")) {
			expect_addition(&book, path);
			additions++;
		}
		arena_free(book.arena);
	}
	cr_expect_geq(additions, 19);
	globfree(&found);
}
