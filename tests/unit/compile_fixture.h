/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rulesets for the compiler's tests, one line a rule: peers and services as text, parsed by net.
 */
#ifndef TESTS_COMPILE_FIXTURE_H
#define TESTS_COMPILE_FIXTURE_H

#include <criterion/criterion.h>
#include <string.h>

#include "../../user/compile/compile.h"

struct build {
	struct ruleset rs;
	struct diags diags;
	size_t capacity;
};

static const struct source build_source = {.name = "built", .text = ""};

static inline struct build build_new(void)
{
	struct build b = {0};

	b.rs.arena = b.diags.arena = arena_new();
	b.rs.source = &build_source;
	b.rs.name = "built";
	return b;
}

static inline void build_free(struct build *b)
{
	arena_free(b->rs.arena);
}

static inline struct rule *build_add(struct build *b, const char *id, uint8_t dir, uint8_t action)
{
	struct rule *rule;

	b->rs.rules = arena_grow(b->rs.arena, b->rs.rules, b->rs.rule_count, &b->capacity,
				 sizeof(*b->rs.rules));
	rule = &b->rs.rules[b->rs.rule_count++];
	memset(rule, 0, sizeof(*rule));
	rule->id = id;
	rule->dir = dir;
	rule->action = action;
	rule->loc = (struct loc){&build_source, b->rs.rule_count, 1, 1};
	return rule;
}

static inline void build_peers(struct build *b, struct rule *rule, const char *text)
{
	char *copy = arena_strdup(b->rs.arena, text), *word, *save = NULL;

	rule->any_peer = !strcmp(text, "any");
	rule->peers = arena_alloc(b->rs.arena, (strlen(text) + 1) * sizeof(*rule->peers));
	for (word = strtok_r(copy, " ", &save); word && !rule->any_peer;
	     word = strtok_r(NULL, " ", &save))
		cr_assert_eq(prefix_parse(word, &rule->peers[rule->peer_count++]), NET_OK, "%s",
			     word);
}

static inline void build_services(struct build *b, struct rule *rule, const char *text)
{
	char *copy = arena_strdup(b->rs.arena, text), *word, *save = NULL;
	size_t count;

	rule->services = arena_alloc(b->rs.arena, (strlen(text) + 2) * sizeof(*rule->services));
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		cr_assert_eq(service_parse(word, rule->services + rule->service_count, &count),
			     SERVICE_OK, "%s", word);
		rule->service_count += count;
	}
}

/* "allow nfs 10.0.0.0/8 10.1.2.3 | 2049/tcp 2049/udp"; the action "staged" is a staged deny. */
static inline uint8_t build_action(char word)
{
	switch (word) {
	case 'f':
		return FR_FAILSAFE_ALLOW;
	case 'a':
		return FR_ALLOW;
	default:
		return FR_DENY;
	}
}

static inline struct rule *build_rule(struct build *b, uint8_t dir, const char *text)
{
	char *copy = arena_strdup(b->rs.arena, text), *save = NULL;
	const char *action = strtok_r(copy, " ", &save), *id = strtok_r(NULL, " ", &save);
	const char *peers = strtok_r(NULL, "|", &save), *services = strtok_r(NULL, "", &save);
	struct rule *rule = build_add(b, id, dir, build_action(*action));
	size_t end = strlen(peers);
	char *trimmed = arena_strndup(b->rs.arena, peers, peers[end - 1] == ' ' ? end - 1 : end);

	rule->staged = *action == 's';
	build_peers(b, rule, trimmed);
	build_services(b, rule, services);
	return rule;
}

static inline struct image build_image(struct build *b)
{
	struct image image = {0};

	cr_assert_eq(image_compile(&b->rs, &b->diags, &image), 0);
	return image;
}

static inline const struct fr_image_conf *build_conf(const struct image *image)
{
	return (const void *)((const uint8_t *)image->lines + FR_LINE_BYTES);
}

static inline const struct fr_image_ident *build_ident(const struct image *image)
{
	return (const void *)((const uint8_t *)image->lines + 2 * FR_LINE_BYTES);
}

#endif
