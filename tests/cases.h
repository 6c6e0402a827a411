/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The verdict table: tests/cases/NAME/ holds policy.yaml and `cases`, whose lines give the verdict
 * of a tuple:
 *
 *     egress  tcp   10.20.0.5:2049   pass  rule=aws-datasync/nfs reason=rule
 *     ingress udp   [fd00::7]:53     drop  reason=default
 *     egress  icmp  10.20.0.5 8/0    would-drop
 *
 * direction, protocol, peer with the listener's port (ICMP: type and code apart), verdict, and
 * optionally rule and reason. '#' begins a comment where a word could begin. All judges read the
 * same lines. A file `local` beside them lists the prefixes of local-subnet, one a line. Tests run
 * from the top of the source tree.
 */
#ifndef TESTS_CASES_H
#define TESTS_CASES_H

#include <criterion/criterion.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "../user/compile/compile.h"

struct case_line {
	char where[600]; /* file and line, for messages */
	struct tuple tuple;
	uint8_t verdict;
	char rule[160]; /* empty: not asserted */
	char reason[40];
};

typedef void (*case_visit)(const struct ruleset *rs, const struct image *image,
			   const struct case_line *line, void *context);

static const char *const case_verdicts[] = {"pass", "drop", "would-drop"};

static inline const char *case_reason(uint8_t reason)
{
	static const char *const texts[] = {
#define X(name, text) text,
		FR_REASONS(X)
#undef X
	};

	return reason < ARRAY_SIZE(texts) ? texts[reason] : "?";
}

/* "10.0.0.1:80", "[fd00::1]:80", "10.0.0.1", "[fd00::1]", "fd00::1" */
static inline void case_peer(struct case_line *line, char *text)
{
	char *port = NULL, *end;
	uint64_t number = 0;

	if (*text == '[') {
		end = strchr(text++, ']');
		cr_assert_not_null(end, "%s: no ']'", line->where);
		port = end[1] == ':' ? end + 2 : NULL;
		*end = '\0';
	} else if (strchr(text, ':') && strchr(text, ':') == strrchr(text, ':')) {
		port = strchr(text, ':');
		*port++ = '\0';
	}
	cr_assert_eq(addr_parse(text, &line->tuple.peer), NET_OK, "%s: bad address %s", line->where,
		     text);
	if (port)
		cr_assert_eq(parse_u64(port, 65535, &number), 0, "%s: bad port %s", line->where,
			     port);
	line->tuple.port = number;
}

static inline void case_icmp(struct case_line *line, const char *text)
{
	uint8_t type = 0;
	int code = -1;

	cr_assert_not_null(text, "%s: ICMP without a type", line->where);
	cr_assert_eq(icmp_type_parse(line->tuple.proto, text, &type, &code), 0, "%s: bad type %s",
		     line->where, text);
	line->tuple.port = type << 8 | (code < 0 ? 0 : code);
}

static inline void case_expectation(struct case_line *line, char *word, char **save)
{
	size_t i;

	cr_assert_not_null(word, "%s: no verdict", line->where);
	for (i = 0; i < ARRAY_SIZE(case_verdicts); i++)
		if (!strcmp(word, case_verdicts[i]))
			break;
	cr_assert_lt(i, ARRAY_SIZE(case_verdicts), "%s: no verdict: %s", line->where, word);
	line->verdict = i;
	while ((word = strtok_r(NULL, " \t", save))) {
		if (!strncmp(word, "rule=", 5))
			snprintf(line->rule, sizeof(line->rule), "%s", word + 5);
		else if (!strncmp(word, "reason=", 7))
			snprintf(line->reason, sizeof(line->reason), "%s", word + 7);
		else
			cr_assert_fail("%s: unknown word %s", line->where, word);
	}
}

/* A rule's id may hold a '#' ("nfsv3/mountd#2"), so a comment begins only where a word could. */
static inline void case_uncomment(char *text)
{
	char *at;

	text[strcspn(text, "\r\n")] = '\0';
	for (at = strchr(text, '#'); at; at = strchr(at + 1, '#')) {
		if (at > text && at[-1] != ' ' && at[-1] != '\t')
			continue;
		*at = '\0';
		return;
	}
}

/* False for an empty line. */
static inline bool case_parse(char *text, struct case_line *line)
{
	char *save = NULL, *word, *proto, *peer;

	case_uncomment(text);
	word = strtok_r(text, " \t", &save);
	if (!word)
		return false;
	cr_assert(!strcmp(word, "egress") || !strcmp(word, "ingress"), "%s: no direction: %s",
		  line->where, word);
	line->tuple.dir = !strcmp(word, "ingress");
	proto = strtok_r(NULL, " \t", &save);
	peer = strtok_r(NULL, " \t", &save);
	cr_assert(proto && peer, "%s: too short", line->where);
	cr_assert_eq(proto_parse(proto, &line->tuple.proto), 0, "%s: unknown protocol %s",
		     line->where, proto);
	case_peer(line, peer);
	if (line->tuple.proto == PROTO_ICMP || line->tuple.proto == PROTO_ICMP6)
		case_icmp(line, strtok_r(NULL, " \t", &save));
	case_expectation(line, strtok_r(NULL, " \t", &save), &save);
	return true;
}

static inline size_t case_lines(const char *path, const struct ruleset *rs,
				const struct image *image, case_visit visit, void *context)
{
	FILE *file = fopen(path, "re");
	char text[1024];
	size_t count = 0;

	cr_assert_not_null(file, "%s: %s", path, strerror(errno));
	for (unsigned number = 1; fgets(text, sizeof(text), file); number++) {
		struct case_line line = {0};

		snprintf(line.where, sizeof(line.where), "%s:%u", path, number);
		if (!case_parse(text, &line))
			continue;
		visit(rs, image, &line, context);
		count++;
	}
	fclose(file);
	return count;
}

/* Room for the prefixes of one `local`. */
enum { CASE_LOCAL_MAX = 8 };

static inline void case_local(const char *directory, struct prefix local[CASE_LOCAL_MAX],
			      struct policy_options *options)
{
	char path[512], text[PREFIX_TEXT + 2];
	FILE *file;

	snprintf(path, sizeof(path), "%s/local", directory);
	file = fopen(path, "re");
	options->local = local;
	options->local_known = file != NULL;
	while (file && fgets(text, sizeof(text), file)) {
		text[strcspn(text, "\n")] = '\0';
		cr_assert_lt(options->local_count, CASE_LOCAL_MAX, "%s", path);
		cr_assert_eq(prefix_parse(text, &local[options->local_count++]), NET_OK, "%s: %s",
			     path, text);
	}
	if (file)
		fclose(file);
}

static inline size_t case_directory(const char *directory, uint32_t flags, case_visit visit,
				    void *context)
{
	struct policy_options options = {.tables_dir = "policies/tables"};
	struct prefix local[CASE_LOCAL_MAX];
	struct arena *arena = arena_new();
	struct diags diags = {.arena = arena};
	struct ruleset *rs = NULL;
	struct image image = {0};
	char path[512];
	size_t count;

	case_local(directory, local, &options);
	snprintf(path, sizeof(path), "%s/policy.yaml", directory);
	cr_assert_eq(policy_load(path, &options, &diags, &rs), 0, "%s: %s", path,
		     diags.count ? diags.list[0].message : "does not load");
	rs->flags |= flags;
	cr_assert_eq(image_compile(rs, &diags, &image), 0, "%s does not compile", path);
	snprintf(path, sizeof(path), "%s/cases", directory);
	count = case_lines(path, rs, &image, visit, context);
	cr_assert_gt(count, 0, "%s holds no case", path);
	image_free(&image);
	arena_free(arena);
	return count;
}

/* All cases; returns their number. `flags` are added to those of the policies. */
static inline size_t cases_each(uint32_t flags, case_visit visit, void *context)
{
	glob_t found = {0};
	size_t count = 0;

	cr_assert_eq(glob("tests/cases/*/", 0, NULL, &found), 0,
		     "no cases: run from the top of the source tree");
	for (size_t i = 0; i < found.gl_pathc; i++)
		count += case_directory(found.gl_pathv[i], flags, visit, context);
	globfree(&found);
	return count;
}

/* Compare one judge's answer with the line. */
static inline void case_assert(const char *judge, const struct ruleset *rs,
			       const struct case_line *line, const struct decision *got)
{
	const char *rule = ruleset_rule_name(rs, got->rule);

	cr_expect_eq(got->verdict, line->verdict, "%s: %s says %s (%s), the case says %s",
		     line->where, judge, case_verdicts[got->verdict], rule,
		     case_verdicts[line->verdict]);
	if (*line->rule)
		cr_expect_str_eq(rule, line->rule, "%s: %s says rule %s, the case says %s",
				 line->where, judge, rule, line->rule);
	if (*line->reason)
		cr_expect_str_eq(case_reason(got->reason), line->reason,
				 "%s: %s says reason %s, the case says %s", line->where, judge,
				 case_reason(got->reason), line->reason);
}

#endif
