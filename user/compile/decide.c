/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The compiled image's answer to a tuple, by the very look-up that the kernel runs.
 */
#include "compilation.h"

#include "../../bpf/image.h"

struct fr_image_view image_view(const struct image *image)
{
	return (struct fr_image_view){image->lines, image->line_count};
}

const struct fr_image_head *image_head(const struct image *image)
{
	return image->lines;
}

const struct fr_image_conf *image_conf(const struct image *image)
{
	return &((const struct fr_image_start *)image->lines)->conf;
}

const struct fr_image_ident *image_ident(const struct image *image)
{
	return &((const struct fr_image_start *)image->lines)->ident;
}

const struct fr_subnet *image_subnets(const struct image *image)
{
	const struct fr_image_head *head = image_head(image);
	uint32_t words = image_conf(image)->rules;
	size_t line = head->slots + ((size_t)words + FR_LINE_WORDS - 1) / FR_LINE_WORDS;
	size_t end = line + FR_SUBNETS * sizeof(struct fr_subnet) / FR_LINE_BYTES;

	if (!(head->flags & FR_F_ANSWERS) || end > image->line_count)
		return NULL;
	return (const void *)((const char *)image->lines + line * FR_LINE_BYTES);
}

static uint32_t image_ask(const struct image *image, const struct tuple *tuple)
{
	const struct fr_image_head *head = image_head(image);
	const struct fr_image_dir *dir = &head->dir[tuple->dir];
	struct fr_image_view view = image_view(image);
	struct fr_peer peer = {
		.high = addr_high(&tuple->peer),
		.low = addr_low(&tuple->peer),
	};

	if (addr_is_v4(&tuple->peer))
		peer = (struct fr_peer){(uint64_t)addr_v4(&tuple->peer) << 32, 0};
	return image_lookup(&view, head, dir, &peer, addr_is_v4(&tuple->peer),
			    image_column(&view, dir->services, tuple->proto, tuple->port, 0));
}

static struct fr_staged image_staged(const struct image *image, uint32_t cell)
{
	const uint8_t *base = image->lines;
	const struct fr_staged *staged =
		(const void *)(base + (size_t)image_head(image)->staged * FR_LINE_BYTES);

	return staged[FR_CELL_NUMBER(cell)];
}

static uint8_t image_answers(const struct image *image, uint32_t rule)
{
	const uint8_t *base = image->lines;
	const uint32_t *words =
		(const void *)(base + (size_t)image_head(image)->slots * FR_LINE_BYTES);

	return FR_SLOT_ANSWERS(words[rule]);
}

void image_decide(const struct image *image, const struct tuple *tuple, struct decision *out)
{
	uint32_t cell = image_ask(image, tuple);
	bool enforce = image_head(image)->flags & FR_F_ENFORCE;
	struct decision decision = {.verdict = FR_PASS, .answers = FR_ANSWERS_PEER};

	if (cell & FR_CELL_STAGED) {
		struct fr_staged staged = image_staged(image, cell);

		decision.staged = true;
		decision.staged_rule = staged.rule;
		decision.verdict = FR_WOULD_DROP;
		cell = staged.real;
	}
	decision.rule = FR_CELL_NUMBER(cell);
	decision.reason = FR_REASON_RULE;
	if (decision.rule < FR_RULE_FIRST)
		decision.reason = FR_REASON_DEFAULT;
	else if (FR_CELL_ACTION(cell) == FR_FAILSAFE_ALLOW)
		decision.reason = FR_REASON_FAILSAFE;
	if (FR_CELL_ACTION(cell) == FR_DENY)
		decision.verdict = enforce ? FR_DROP : FR_WOULD_DROP;
	else if (tuple->proto == PROTO_UDP)
		decision.answers = image_answers(image, decision.rule);
	*out = decision;
}

static bool cell_admits(const struct image *image, uint8_t dir, uint32_t row, uint32_t column)
{
	const struct fr_image_head *head = image_head(image);
	struct fr_image_view view = image_view(image);
	uint32_t cell = image_cell(&view, head, &head->dir[dir], row, column);

	if (cell & FR_CELL_STAGED)
		cell = image_staged(image, cell).real;
	return FR_CELL_ACTION(cell) != FR_DENY;
}

bool image_admits_anyone(const struct image *image, uint8_t dir, uint8_t proto, uint16_t port)
{
	struct fr_image_view view = image_view(image);
	uint32_t column = image_column(&view, image_head(image)->dir[dir].services, proto, port, 0);

	for (uint32_t row = 0; row < image_conf(image)->rows[dir]; row++)
		if (cell_admits(image, dir, row, column))
			return true;
	return false;
}

bool image_admits_nothing(const struct image *image)
{
	for (uint8_t dir = 0; dir < FR_DIRS; dir++)
		for (uint32_t row = 0; row < image_conf(image)->rows[dir]; row++)
			for (uint32_t column = 0; column < image->stats.service_classes[dir];
			     column++)
				if (cell_admits(image, dir, row, column))
					return false;
	return true;
}
