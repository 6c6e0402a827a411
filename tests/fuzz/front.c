/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any bytes as the files of the front end: never a crash, a leak or a refusal without a message;
 * and for a policy that compiles, oracle and image agree.
 *
 * An input is a policy (or a table) up to a line "---8<--- X". Another file follows, by X:
 * t  tables/fuzz.yaml, j  aws-prefixes.json, l  offices.txt; or x: tuples, 20 bytes each.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../user/compile/compile.h"
#include "../../user/site/site.h"
#include "../../user/yaml/yaml.h"
#include "../boundary_tuples.h"
#include "fuzz.h"
#include "require.h"

enum { TUPLE_BYTES = 20, TUPLES_MAX = 64, CORNERS = 200 };

enum section { SECTION_POLICY, SECTION_TABLE, SECTION_AWS, SECTION_LIST, SECTION_TUPLES, SECTIONS };

struct text {
	const uint8_t *data;
	size_t size;
};

static const char *const file_names[SECTION_TUPLES] = {"policy.yaml", "tables/fuzz.yaml",
						       "aws-prefixes.json", "offices.txt"};

/* ---------------------------------------------------------------- the input */

/* The next cut: its section, and the text before and behind it; SECTIONS without one. */
static enum section cut_find(struct text *rest, struct text *before)
{
	static const char mark[] = "\n---8<--- ", letters[] = "?tjlx";
	const size_t length = sizeof(mark) - 1;
	const uint8_t *at = rest->data, *letter;

	*before = *rest;
	while ((at = memmem(at, rest->size - (size_t)(at - rest->data), mark, length))) {
		size_t offset = (size_t)(at - rest->data);

		at += length;
		if (rest->size - offset < length + 2)
			break;
		letter = memchr(letters + 1, *at, sizeof(letters) - 2);
		if (!letter)
			continue;
		before->size = offset + 1;
		*rest = (struct text){at + 2, rest->size - offset - length - 2};
		return (enum section)(letter - (const uint8_t *)letters);
	}
	rest->size = 0;
	return SECTIONS;
}

static void sections_cut(const uint8_t *data, size_t size, struct text sections[SECTIONS])
{
	struct text rest = {data, size}, before;
	enum section section = SECTION_POLICY;

	memset(sections, 0, SECTIONS * sizeof(*sections));
	while (section != SECTIONS) {
		enum section next = cut_find(&rest, &before);

		sections[section] = before;
		section = next;
	}
}

/* ---------------------------------------------------------------- files */

static char directory[64];

static void directory_remove(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	if (system(command))
		fprintf(stderr, "%s is left\n", directory);
}

static void path_of(enum section section, char path[128])
{
	snprintf(path, 128, "%s/%s", directory, file_names[section]);
}

/* The shipped tables are beside ours. */
static void directory_make(void)
{
	const char *base = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";
	char command[256];

	if (*directory)
		return;
	snprintf(directory, sizeof(directory), "%s/frf-XXXXXX", base);
	require(mkdtemp(directory), "a directory");
	atexit(directory_remove);
	snprintf(command, sizeof(command),
		 "mkdir '%s/tables' && cp policies/tables/*.yaml '%s/tables'", directory,
		 directory);
	require(!system(command), "a copy of the tables");
}

static void file_write(enum section section, const struct text *text)
{
	int fd CLEANUP(close_fd) = -1;
	char path[128];

	path_of(section, path);
	if (!text->data && section != SECTION_POLICY) {
		unlink(path);
		return;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	require(fd >= 0 && write(fd, text->data, text->size) == (ssize_t)text->size, "a file");
}

/* ---------------------------------------------------------------- the judges */

struct judges {
	const struct ruleset *rs;
	const struct image *image;
};

static int judge(const struct tuple *tuple, void *context)
{
	const struct judges *judges = context;
	struct decision oracle = {0}, image = {0};
	const char *why = NULL;

	ruleset_decide(judges->rs, tuple, &oracle);
	image_decide(judges->image, tuple, &image);
	require(oracle.verdict == image.verdict && oracle.rule == image.rule &&
			oracle.reason == image.reason && oracle.staged == image.staged,
		"oracle and image agree");
	require(!oracle.staged || oracle.staged_rule == image.staged_rule,
		"oracle and image agree on what is staged");
	require(ruleset_rule_name(judges->rs, oracle.rule), "a rule has a name");
	if (oracle.verdict != FR_PASS && ruleset_nearest(judges->rs, tuple, &why))
		require(why, "the nearest miss has a reason");
	return 0;
}

static struct tuple tuple_of(const uint8_t at[TUPLE_BYTES])
{
	struct tuple tuple = {
		.dir = at[0] & 1, .proto = at[1], .port = (uint16_t)(at[2] << 8 | at[3])};

	memcpy(tuple.peer.b, at + 4, sizeof(tuple.peer.b));
	if (at[0] & 2)
		tuple.peer = addr_from_v4((uint32_t)at[4] << 24 | at[5] << 16 | at[6] << 8 | at[7]);
	if (at[0] & 4)
		tuple.proto = at[0] & 8 ? PROTO_TCP : PROTO_UDP;
	return tuple;
}

static void judges_ask(const struct ruleset *rs, struct diags *d, const struct text *tuples)
{
	struct image image = {0};
	struct judges judges = {rs, &image};
	size_t errors = d->errors;
	int err = image_compile(rs, d, &image);

	require(!err == (d->errors == errors), "a refusal has a word");
	if (err)
		return;
	for (size_t i = 0; i < TUPLES_MAX && (i + 1) * TUPLE_BYTES <= tuples->size; i++) {
		struct tuple tuple = tuple_of(tuples->data + i * TUPLE_BYTES);

		judge(&tuple, &judges);
	}
	boundary_tuples(rs, tuples->size, CORNERS, judge, &judges);
	image_free(&image);
}

/* ---------------------------------------------------------------- the front end */

static void policy_try(const struct text *tuples)
{
	struct policy_options options = {.strict = tuples->size & 1};
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct diags d = {.arena = arena};
	struct ruleset *rs = NULL;
	char path[128], tables[128];
	int err;

	snprintf(tables, sizeof(tables), "%s/tables", directory);
	path_of(SECTION_POLICY, path);
	options.tables_dir = tables;
	err = policy_load(path, &options, &d, &rs);
	require(!err == !d.errors && !err == !!rs, "a refusal has a word");
	for (size_t i = 0; i < d.count; i++)
		require(d.list[i].message && *d.list[i].message && d.list[i].check,
			"a diagnostic says something");
	if (rs)
		judges_ask(rs, &d, tuples);
}

static void table_try(enum section section)
{
	const struct policy_options options = {0};
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct diags d = {.arena = arena};
	struct table_summary summary;
	const struct source *source;
	const char *kind;
	char path[128];
	int err;

	path_of(section, path);
	err = table_load(path, &options, &d, &summary);
	require(!err == !d.errors, "a refused table has a word");
	document_kind(path, &d, &source, &kind);
}

/* For any bytes: each host of a valid site has rules. */
static void site_try(enum section section)
{
	const struct policy_options options = {0};
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct diags d = {.arena = arena};
	const struct site_view *site = NULL;
	char path[128];
	int err;

	path_of(section, path);
	err = site_load(path, &options, &d, &site);
	require(!err == !d.errors, "a refused site has a word");
	for (size_t i = 0; site && i < site->plan_count; i++)
		require(site->plans[i].rs && site->plans[i].rs->rule_count, "a host has rules");
}

void front_try(const uint8_t *data, size_t size)
{
	struct text sections[SECTIONS];

	directory_make();
	sections_cut(data, size, sections);
	for (int i = 0; i < SECTION_TUPLES; i++)
		file_write((enum section)i, &sections[i]);
	policy_try(&sections[SECTION_TUPLES]);
	table_try(SECTION_POLICY);
	site_try(SECTION_POLICY);
	if (sections[SECTION_TABLE].data)
		table_try(SECTION_TABLE);
}
