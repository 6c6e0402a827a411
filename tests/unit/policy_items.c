/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Items that are read without libyaml give the same words at the same places as libyaml, or they
 * are left to it.
 */
#include "policy_fixture.h"
#include "../judges.h"
#include "../../user/yaml/yaml.h"

static const char before[] = "rules:\n";

/* All items that were passed, in words. */
struct taken {
	struct arena *arena;
	char *text;
	size_t size;
	FILE *file;
};

static void node_write(FILE *file, const struct node *node)
{
	const struct node *child;

	if (node->key)
		fprintf(file, "%s@%u:%u+%u ", node->key->text, node->key->loc.line,
			node->key->loc.column, node->key->loc.length);
	if (node->kind == NODE_SCALAR)
		fprintf(file, "%d'%s'@%u:%u+%u ", node->plain, node->text, node->loc.line,
			node->loc.column, node->loc.length);
	else
		fprintf(file, "%d@%u:%u( ", node->kind, node->loc.line, node->loc.column);
	if (node->kind == NODE_LIST || node->kind == NODE_MAP)
		for (child = node->first; child; child = child->next)
			node_write(file, child);
	fputs(")", file);
}

static bool on_item(const struct node *item, void *context)
{
	const struct taken *taken = context;

	node_write(taken->file, item);
	return true;
}

static struct yaml_reader reader_of(struct taken *taken, const struct source *source)
{
	*taken = (struct taken){.arena = arena_new()};
	taken->file = open_memstream(&taken->text, &taken->size);
	cr_assert(taken->file);
	return (struct yaml_reader){.source = source,
				    .nodes = taken->arena,
				    .before = before,
				    .begin = 0,
				    .end = source->size,
				    .list_key = "rules",
				    .on_item = on_item,
				    .context = taken,
				    .items = arena_new()};
}

static void taken_end(struct taken *taken, struct yaml_reader *reader)
{
	fclose(taken->file);
	arena_free(reader->items);
}

static void taken_free(struct taken *taken)
{
	free(taken->text);
	arena_free(taken->arena);
}

/* Whether the text was simple; if so, libyaml has to agree. */
static bool items_agree(const char *text, size_t size, size_t indent)
{
	struct source source = {.name = "x", .text = text, .size = size};
	struct taken simple, whole;
	struct yaml_reader mine = reader_of(&simple, &source), other = reader_of(&whole, &source);
	struct diags d = {.arena = whole.arena};
	struct node *root = NULL;
	bool read = yaml_read_items(&mine, indent);
	int err = read ? yaml_read(&other, &d, &root) : 0;

	taken_end(&simple, &mine);
	taken_end(&whole, &other);
	if (read && size) {
		cr_assert(!err && !d.count, "'%s' is not YAML", text);
		cr_assert_str_eq(simple.text, whole.text, "'%s'", text);
		cr_assert_eq(mine.lines, other.lines, "'%s'", text);
		cr_assert_leq(mine.values, other.values, "'%s'", text);
		cr_assert_geq(mine.values + 3, other.values, "'%s'", text);
	}
	taken_free(&simple);
	taken_free(&whole);
	return read;
}

static bool is_simple(const char *text)
{
	return items_agree(text, strlen(text), 2);
}

static const char *const simple_texts[] = {
	"  - {id: r1, direction: ingress, peer: [10.0.0.0/8], ports: [22/tcp, 53]}\n",
	"  - { id: r1 , peer: [ 10.0.0.0/8 , any ] } # as agreed\n",
	"  - {\"id\": \"r1\", 'peer': '10.0.0.0/8', purpose: \"a, b: c # d\"}\n",
	"  - id: r1\n    peer: 2001:db8::/32\n    ports: [22/tcp]\n",
	"  - id: r1\n    peer:\n      - 10.0.0.1\n      - 10.0.0.2\n    ports: [any]\n",
	"  - id: r1\n    peer:\n    - 10.0.0.1\n    - \"10.0.0.2\"\n    ports: any\n",
	"  - id: r1\n\n    # of old\n    purpose: it's the server's (first) port\n\n# end\n",
	"# above\n  - id: r1\n  - id: r2 # here\n\n  - {id: r3}\n",
	"  - {id: 'r1', purpose: a  b, note: \"\"}\n",
	"  - id : r1\n    url: http://example.com/a=b\n",
};

Test(policy_items, what_people_and_programs_write_is_read_without_libyaml)
{
	for (size_t i = 0; i < ARRAY_SIZE(simple_texts); i++)
		cr_expect(is_simple(simple_texts[i]), "%s", simple_texts[i]);
}

Test(policy_items, what_could_mean_more_is_left_to_libyaml)
{
	static const char *const texts[] = {
		"  - {id: r1, id: r2}\n",
		"  - id: r1\n    id: r2\n",
		"  - {id: &a r1}\n",
		"  - {id: *a}\n",
		"  - {id: !!str r1}\n",
		"  - {id: r1,}\n",
		"  - {id: }\n",
		"  - {id}\n",
		"  - {id: r1}}\n",
		"  - {id: r1\n",
		"  - {id: r1,\n     peer: any}\n",
		"  - {id: [a, [b]]}\n",
		"  - {id: [a: b]}\n",
		"  - {id: []}\n",
		"  - {id: \"a\\n\"}\n",
		"  - {id: 'it''s'}\n",
		"  - {id: \"a\"b}\n",
		"  - {id: \"a\"#b}\n",
		"  - {id:r1}\n",
		"  - {id: a\tb}\n",
		"  - {id: \xc3\xa4}\n",
		"  - {id: r1} # \xc3\xa4\n",
		"  - {id: r1}\r\n",
		"  - {id: r1}",
		"  - {id: ::1}\n",
		"  - {id: a:: }\n",
		"  - id: r1\n      more\n",
		"  - id: r1\n      - more\n",
		"  - id: r1\n   peer: any\n",
		"  - id: r1\n     peer: any\n",
		"  - id: r1\n    peer:\n",
		"  - id: r1\n    peer:\n      - a\n        b\n",
		"  - id: r1\n    peer:\n      - a\n       - b\n",
		"  - id: r1\n    peer:\n   - a\n",
		"  - id: |\n      r1\n",
		"  - id: >-\n      r1\n",
		"  - - id: r1\n",
		"  - r1\n",
		"  -\n    id: r1\n",
		" - id: r1\n",
		"   - id: r1\n",
		"  - id: r1\nuse: []\n",
		"  - id: r1\n---\n",
		"  - id: r1\n...\n",
		"  - <<: a\n",
		"  - ? id\n",
		"  - 'id':r1\n",
		"  - id: a: b\n",
		"  - id: a ? b\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		cr_expect_not(is_simple(texts[i]), "%s", texts[i]);
	cr_expect_not(items_agree("  - {id: r1}\0\n", 14, 2));
	cr_expect_not(items_agree("  - {id: r\0001}\n", 14, 2));
}

/* Bytes go, and pieces of YAML come. */
static void text_change(struct judge_random *random, char text[512])
{
	static const char *const pieces[] = {
		"  - ", "\n", "\n    ", "\n  - ", "\n      - ", "id: ",	  "a",	      ", ", "}",
		"]",	"{",  "[",	"[a, b]", ": ",		":",	  " ",	      "  ", "#",
		" #x",	"\"", "'",	"\"a\"",  "'b'",	"c: d, ", "- ",	      "-",  "?",
		"&",	"*",  "!",	"|",	  ">",		"%",	  "@",	      "`",  "\\",
		"\t",	"~",  "...",	"---",	  "::",		"=",	  "\xc2\xa0", "\r", "",
	};
	const char *piece = pieces[judge_next(random) % ARRAY_SIZE(pieces)];
	size_t at = judge_next(random) % (strlen(text) + 1), left = strlen(text + at);
	size_t most = left < 6 ? left + 1 : 6;
	size_t gone = judge_next(random) % 3 ? 0 : judge_next(random) % most;

	memmove(text + at + strlen(piece), text + at + gone, left - gone + 1);
	memcpy(text + at, piece, strlen(piece));
}

Test(policy_items, whatever_is_read_libyaml_reads_so, .timeout = 300)
{
	struct judge_random random = {42};
	unsigned read = 0;

	for (unsigned i = 0; i < 200000; i++) {
		char text[512];

		strcpy(text, simple_texts[i % ARRAY_SIZE(simple_texts)]);
		for (unsigned changes = 1 + judge_next(&random) % 3; changes; changes--)
			text_change(&random, text);
		read += is_simple(text);
	}
	cr_assert_gt(read, 10000);
}
