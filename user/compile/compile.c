/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * image_compile: the stages of a compilation in their order, and the three lines that every image
 * begins with. The stages themselves are failsafe.c, services.c, peers.c, trie.c and matrix.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compilation.h"

static uint32_t array_write(struct image_lines *lines, const void *array, size_t size)
{
	uint32_t first = lines_add(lines, (size + FR_LINE_BYTES - 1) / FR_LINE_BYTES);

	if (array && size)
		memcpy(lines_at(lines, first), array, size);
	return first;
}

/* The stages, direction by direction; *head gets their results. */
static int stages_run(struct compilation *c, struct fr_image_head *head, struct image_stats *stats)
{
	uint32_t matrix[FR_DIRS] = {0}, before;
	int err;

	for (int i = 0; i < FR_DIRS; i++) {
		struct direction *dir = &c->dir[i];

		dir->dir = i;
		before = c->lines.count;
		err = services_compile(c, dir);
		if (err)
			return err;
		head->dir[i].services = array_write(&c->lines, dir->service, sizeof(dir->service));
		stats->services_lines += c->lines.count - before;
		before = c->lines.count;
		err = peers_compile(c, dir);
		if (err)
			return err;
		head->dir[i].root4 = dir->root4;
		head->dir[i].root6 = dir->root6;
		stats->tries_lines += c->lines.count - before;
		stats->address_classes[i] = dir->row_count;
		stats->service_classes[i] = dir->class_count;
		stats->cells[i] = (uint64_t)dir->row_count * dir->columns;
	}
	err = matrix_write(c, matrix, stats);
	for (int i = 0; i < FR_DIRS && !err; i++) {
		uint32_t unit = c->paged ? FR_LINE_WORDS * FR_LINE_WORDS : FR_LINE_WORDS;

		head->dir[i].matrix = matrix[i];
		head->dir[i].columns = (c->dir[i].columns + unit - 1) / unit * unit;
	}
	return err;
}

/* A growing text: with many rules, printf is the slowest part of a compilation. */
struct digest_text {
	char *base;
	uint32_t size, capacity;
};

static void digest_append(struct digest_text *text, const char *word, char end)
{
	size_t length = word ? strlen(word) : 0;

	text->base = array_reserve(text->base, &text->capacity, text->size + length + 1ull, 1);
	if (length)
		memcpy(text->base + text->size, word, length);
	text->size += length + 1;
	text->base[text->size - 1] = end;
}

static void digest_append_number(struct digest_text *text, uint32_t number, char end)
{
	char digits[11];
	uint32_t at = sizeof(digits);

	digits[--at] = end;
	do
		digits[--at] = (char)('0' + number % 10);
	while (number /= 10);
	text->base =
		array_reserve(text->base, &text->capacity, text->size + sizeof(digits) + 0ull, 1);
	memcpy(text->base + text->size, digits + at, sizeof(digits) - at);
	text->size += sizeof(digits) - at;
}

/* The names that `show` prints are part of the digest: a changed name alone needs a new image. */
static void names_digest(const struct ruleset *rs, uint8_t out[32])
{
	struct digest_text text = {0};

	for (size_t i = 0; i < rs->rule_count; i++) {
		const struct rule *rule = &rs->rules[i];
		const struct origin *origin = rule_origin(rule);

		digest_append(&text, rule->id, '\n');
		digest_append(&text, origin->table, '\n');
		digest_append(&text, origin->row, '\n');
		digest_append_number(&text, origin->line, ' ');
		digest_append_number(&text, rule->dir, ' ');
		digest_append_number(&text, rule->action, ' ');
		digest_append_number(&text, rule->staged, '\n');
	}
	sha256(text.base, text.size, out);
	free(text.base);
}

static void conf_write(const struct compilation *c, struct fr_image_conf *conf)
{
	memcpy(conf->timeout, c->rs->timeout, sizeof(conf->timeout));
	conf->rules = FR_RULE_FIRST + c->rs->rule_count;
	conf->lines = c->lines.count;
	for (int i = 0; i < FR_DIRS; i++)
		conf->rows[i] = c->dir[i].row_count;
}

/* A word for each rule, without the slots, and behind them room for the subnets of the host. */
static uint32_t slots_write(struct compilation *c)
{
	uint32_t count = FR_RULE_FIRST + c->rs->rule_count;
	uint32_t first = array_write(&c->lines, NULL, count * sizeof(uint32_t));
	uint32_t *words = lines_at(&c->lines, first);

	for (uint32_t number = 0; number < count; number++)
		words[number] = FR_SLOT_WORD(0, ruleset_answers(c->rs, number));
	if (ruleset_awaits(c->rs))
		array_write(&c->lines, NULL, FR_SUBNETS * sizeof(struct fr_subnet));
	return first;
}

/* All offsets are known: write the fixed lines and the digest. */
static void image_finish(struct compilation *c, struct fr_image_head *head, struct image *out)
{
	struct fr_image_ident *ident;
	uint8_t digest[32];

	head->slots = slots_write(c);
	if (c->staged_count)
		head->staged =
			array_write(&c->lines, c->staged, c->staged_count * sizeof(*c->staged));
	head->flags = c->rs->flags;
	if (c->rs->enforce)
		head->flags |= FR_F_ENFORCE;
	if (ruleset_awaits(c->rs))
		head->flags |= FR_F_ANSWERS;
	if (c->dense)
		head->flags |= FR_F_DENSE;
	if (c->paged)
		head->flags |= FR_F_PAGED;
	memcpy(lines_at(&c->lines, FR_LINE_HEAD), head, sizeof(*head));
	conf_write(c, lines_at(&c->lines, FR_LINE_CONF));
	ident = lines_at(&c->lines, FR_LINE_IDENT);
	ident->abi = FR_ABI_VERSION;
	names_digest(c->rs, digest);
	memcpy(ident->names, digest, sizeof(ident->names));
	sha256(c->lines.base, (size_t)c->lines.count * FR_LINE_BYTES, digest);
	memcpy(ident->digest, digest, sizeof(digest));
	memcpy(out->digest, digest, sizeof(digest));
	out->rule_count = FR_RULE_FIRST + c->rs->rule_count;
	out->line_count = c->lines.count;
	out->lines = TAKE_PTR(c->lines.base);
}

static void direction_free(struct direction *dir)
{
	free(dir->runs);
	free(dir->rule_runs);
	free(dir->states);
	free(dir->row_words);
	free(dir->row_rules);
	tree_free(&dir->keys);
	tree_free(&dir->cells);
	map_free(&dir->state_ids);
	map_free(&dir->steps);
	map_free(&dir->merged);
}

void compilation_free(struct compilation *c)
{
	for (int i = 0; i < FR_DIRS; i++)
		direction_free(&c->dir[i]);
	free(c->lines.base);
	free(c->staged);
	map_free(&c->shared);
	map_free(&c->staged_ids);
}

int image_build(struct compilation *c, struct image *out)
{
	struct fr_image_head head = {0};
	struct image image = {0};
	int err;

	if (c->rs->rule_count > FR_MAX_RULES - FR_RULE_FIRST)
		return compilation_refuse(c, FR_MAX_RULES - FR_RULE_FIRST,
					  "more than 1,048,568 rules");
	lines_add(&c->lines, FR_LINES_FIXED);
	image.stats.rules = c->rs->rule_count;
	err = failsafe_compile(c, &image.failsafe);
	if (err)
		return err;
	err = stages_run(c, &head, &image.stats);
	if (err)
		return err;
	image_finish(c, &head, &image);
	*out = image;
	return 0;
}

int image_compile(const struct ruleset *rs, struct diags *d, struct image *out)
{
	struct compilation c = {.rs = rs, .d = d, .lines.most = FR_MAX_LINES};
	int err = image_build(&c, out);

	compilation_free(&c);
	return err;
}

void image_free(struct image *image)
{
	free(image->lines);
	*image = (struct image){0};
}
