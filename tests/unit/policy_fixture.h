/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policies written to a directory of their own and loaded from there: with a small table beside
 * them, and questions about the diagnostics that came back.
 */
#ifndef TESTS_POLICY_FIXTURE_H
#define TESTS_POLICY_FIXTURE_H

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../user/policy/policy.h"
#include "../../user/site/site.h"
#include "../../user/yaml/yaml.h"

/* Seven lines; a test's text begins in line 8. */
#define HEAD                                                                                       \
	"apiVersion: flowreeve/v1\n"                                                               \
	"kind: Policy\n"                                                                           \
	"metadata: {name: test}\n"                                                                 \
	"mode: enforce\n"                                                                          \
	"attach: {interfaces: [eth0]}\n"                                                           \
	"failsafe: []\n"                                                                           \
	"# the test's own lines\n"

/* One rule, so that a policy is not empty. */
#define RULE "rules: [{id: r, direction: egress, peer: any, ports: 1/tcp, action: allow}]\n"

struct load {
	char dir[64];
	struct policy_options options;
	struct diags d;
	struct ruleset *rs;
	int err;
};

static inline void file_write(const char *path, const char *text, size_t size)
{
	FILE *file CLEANUP(close_file) = fopen(path, "w");

	cr_assert(file, "%s", path);
	cr_assert_eq(fwrite(text, 1, size, file), size);
}

static inline struct load load_new(void)
{
	struct load l = {.dir = "/tmp/flowreeve-policy-XXXXXX"};

	cr_assert(mkdtemp(l.dir));
	l.d.arena = arena_new();
	return l;
}

static inline const char *load_file(struct load *l, const char *name, const char *text)
{
	const char *path = arena_printf(l->d.arena, "%s/%s", l->dir, name);
	char *slash = strrchr(path, '/');

	*slash = '\0';
	mkdir(path, 0755);
	*slash = '/';
	file_write(path, text, strlen(text));
	return path;
}

static inline int load_text(struct load *l, const char *text)
{
	const char *path = load_file(l, "policy.yaml", text);

	l->rs = NULL;
	l->err = policy_load(path, &l->options, &l->d, &l->rs);
	return l->err;
}

static inline void load_free(struct load *l)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", l->dir);
	cr_assert_eq(system(command), 0);
	arena_free(l->d.arena);
}

static inline const char *load_all(struct load *l)
{
	const char *all = "";

	for (size_t i = 0; i < l->d.count; i++)
		all = arena_printf(l->d.arena, "%s\n  %u:%u %s [%s] %s", all, l->d.list[i].loc.line,
				   l->d.list[i].loc.column, l->d.list[i].message,
				   l->d.list[i].check, l->d.list[i].hint ?: "");
	return all;
}

/* The text that a diagnostic points at. */
static inline const char *load_pointed(struct load *l, const struct diag *diag)
{
	const char *at = diag->loc.source->text;

	for (uint32_t line = 1; line < diag->loc.line; line++)
		at = strchr(at, '\n') + 1;
	if (diag->loc.line == 0)
		return "";
	return arena_strndup(l->d.arena, at + diag->loc.column - 1, diag->loc.length);
}

static inline const struct diag *load_find(struct load *l, const char *check)
{
	for (size_t i = 0; i < l->d.count; i++)
		if (str_equal(l->d.list[i].check, check))
			return &l->d.list[i];
	return NULL;
}

static inline const struct rule *load_rule(struct load *l, const char *id, uint8_t dir)
{
	for (size_t i = 0; i < l->rs->rule_count; i++)
		if (str_equal(l->rs->rules[i].id, id) && l->rs->rules[i].dir == dir)
			return &l->rs->rules[i];
	return NULL;
}

static inline const char *rule_services(struct load *l, const struct rule *rule)
{
	char one[SERVICE_TEXT];
	const char *all = "";

	for (size_t i = 0; i < rule->service_count; i++)
		all = arena_printf(l->d.arena, "%s%s%s", all, i ? " " : "",
				   service_text(&rule->services[i], one));
	return all;
}

static inline const char *rule_peers(struct load *l, const struct rule *rule)
{
	char one[PREFIX_TEXT];
	const char *all = rule->any_peer ? "any" : "";

	for (size_t i = 0; i < rule->peer_count; i++)
		all = arena_printf(l->d.arena, "%s%s%s", all, *all ? " " : "",
				   prefix_text(&rule->peers[i], one));
	return all;
}

#endif
