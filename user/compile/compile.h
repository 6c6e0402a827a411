/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compile: ruleset -> image. Address classes per direction and family, service classes per
 * protocol, a verdict matrix with shared rows, a digest; and the look-up on that image in user
 * space, from the source that the kernel runs (bpf/image.h). Uses policy, net, base, bpf/. No
 * libbpf.
 */
#ifndef COMPILE_H
#define COMPILE_H

#include "../policy/policy.h"

struct image_stats {
	uint32_t rules;			   /* of the policy, built-in ones not counted */
	uint32_t address_classes[FR_DIRS]; /* = rows */
	uint32_t service_classes[FR_DIRS]; /* columns in use, over all protocols */
	uint64_t cells[FR_DIRS];	   /* rows * columns */
	uint32_t blocks;		   /* distinct blocks of the sparse form, 0 when dense */
	uint32_t tries_lines, services_lines, matrix_lines;
	bool dense;
};

/* A compiled policy. `lines` is calloc'ed, count * FR_LINE_BYTES bytes, and belongs to the image.
 * Generation and slots are still 0, time-outs are seconds. `failsafe`: its
 * generation and digest are 0, too. */
struct image {
	void *lines;
	struct fr_failsafe failsafe;
	uint32_t line_count;
	uint32_t rule_count; /* built-in ones included: FR_RULE_FIRST + ruleset.rule_count */
	uint8_t digest[32];
	struct image_stats stats;
};

/* 0, or -E2BIG with a diagnostic that names the rule which went over a limit; *out untouched then.
 */
int image_compile(const struct ruleset *rs, struct diags *d, struct image *out);
void image_free(struct image *image);

const struct fr_image_head *image_head(const struct image *image);
const struct fr_image_conf *image_conf(const struct image *image);
const struct fr_image_ident *image_ident(const struct image *image);
/* FR_SUBNETS of them, or NULL where no rule awaits answers from elsewhere. */
const struct fr_subnet *image_subnets(const struct image *image);
/* The form of the matrix: "dense", "blocks" or "paged". */
const char *image_form(const struct image *image);

/* The compiled image's answer, in the oracle's terms. */
void image_decide(const struct image *image, const struct tuple *tuple, struct decision *out);

/* Each deny rule of `old` that refuses a tuple which no deny rule of `new` refuses, or which a
 * built-in rule passes that was off, with one example, in any mode. A default that still refuses
 * it is no deny rule: the next change may allow it. */
typedef void (*denial_visit)(uint32_t rule, const struct tuple *tuple, void *context);
void image_lost_denials(const struct image *old, const struct image *new, denial_visit visit,
			void *context);

/* Whether from any address at all this is admitted, by a rule, a failsafe or the default. */
bool image_admits_anyone(const struct image *image, uint8_t dir, uint8_t proto, uint16_t port);

/* Whether nothing at all is admitted, in any direction. Built-in rules apart. */
bool image_admits_nothing(const struct image *image);

/* The rules that decide all that another one matches. */
enum { COVERED_NAMED = 8 };
struct covered_by {
	const struct rule *by[COVERED_NAMED]; /* the first that were found */
	size_t count;			      /* may count one beyond those again */
	size_t denies;			      /* of them */
};
/* Whether `rule` itself never decides. Failsafe rules and those of local-subnet are not looked at.
 */
bool rule_covered(const struct ruleset *rs, const struct image *image, const struct rule *rule,
		  struct covered_by *out);
/* "a, b, c"; "… and others". */
const char *covered_names(struct arena *arena, const struct covered_by *covering);

/* The image in words: classes, their members and their verdicts, row by row. */
int image_dump(const struct ruleset *rs, const struct image *image, FILE *out);

#endif
