/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy's answer about an opening: its failsafe rule, else the cell of its peer and service in
 * an image. The generation in force answers, also for connections that began under another.
 */
#ifndef FR_POLICY_H
#define FR_POLICY_H

#include "failsafe.h"

/* FR_SLOT_WORD of a rule. */
static __always_inline __u32 policy_word(const struct fr_ctx *s, __u32 rule)
{
	return image_word(s->image, s->head->slots, rule);
}

static __always_inline __u32 policy_slot(const struct fr_ctx *s, __u32 rule)
{
	return FR_SLOT(policy_word(s, rule));
}

/* No image of the generation is left. */
#define FR_CELL_GONE FR_CELL(FR_DENY, FR_RULE_OTHER)

/* The image of a generation: in force, or a moment ago. */
static __always_inline fr_image policy_image(__u32 generation, __u32 slot)
{
	fr_image image = bpf_map_lookup_elem(&fr_images, &slot);
	const struct fr_image_head *head = image ? image_line(image, FR_LINE_HEAD) : 0;

	return head && head->generation == generation ? image : 0;
}

/* The same of this generation, which may have been replaced meanwhile. */
static __always_inline fr_image policy_image_of(__u32 generation)
{
	fr_image image = policy_image(generation, FR_SLOT_CURRENT);

	return image ? image : policy_image(generation, FR_SLOT_BEFORE);
}

/*
 * The cell of an opening. A global function: the verifier checks it once, and not again for every
 * path that leads to it, which up to 6.3 took half a million instructions. Its arguments have to be
 * numbers (5.10), so it finds the image by the generation that its packet began with; when that has
 * been replaced meanwhile, it is in slot 1.
 */
__noinline __u32 fr_policy(__u32 generation, __u32 what, __u64 high, __u64 low)
{
	struct fr_peer peer = {.high = high, .low = low};
	const struct fr_image_head *head;
	const struct fr_image_dir *dir;
	__u32 column, rule = failsafe_rule(generation, what, high, low);
	fr_image image;

	if (rule)
		return FR_CELL(FR_FAILSAFE_ALLOW, rule);
	image = policy_image_of(generation);
	head = image ? image_line(image, FR_LINE_HEAD) : 0;
	if (!head)
		return FR_CELL_GONE;
	dir = &head->dir[what >> FR_ASK_OPENER & 1];
	column = image_column(image, dir->services, what >> FR_ASK_PROTO, what,
			      what & FR_ASK_PORTLESS);
	return image_lookup(image, head, dir, &peer, !!(what & FR_ASK_V4), column);
}

/* The cell for an opening by `opener` to the listener's `port`, of this protocol and family. */
static __always_inline __u32 policy_cell_of(const struct fr_ctx *s, const struct fr_packet *p,
					    const struct fr_peer *peer, __u8 opener, __u16 port,
					    int portless)
{
	__u32 what =
		port | (__u32)(opener & 1) << FR_ASK_OPENER | (__u32)p->key.proto << FR_ASK_PROTO;

	what |= p->v4 ? FR_ASK_V4 : 0;
	what |= portless ? FR_ASK_PORTLESS : 0;
	return fr_policy(s->head->generation, what, peer->high, peer->low);
}

/* The same, of the packet's peer. */
static __always_inline __u32 policy_cell(const struct fr_ctx *s, const struct fr_packet *p,
					 __u8 opener, __u16 port, int portless)
{
	return policy_cell_of(s, p, &p->peer, opener, port, portless);
}

/* The cell's action as if no rule were staged. */
static __always_inline __u32 policy_unstaged(const struct fr_ctx *s, __u32 cell, __u32 *staged)
{
	const struct fr_staged *entry;
	__u32 number = FR_CELL_NUMBER(cell);

	*staged = 0;
	if (!(cell & FR_CELL_STAGED))
		return cell;
	entry = image_line(s->image, s->head->staged + number / 8);
	if (!entry)
		return FR_CELL(FR_DENY, FR_RULE_OTHER);
	*staged = entry[number % 8].rule;
	return entry[number % 8].real;
}

static __always_inline int policy_admits(const struct fr_ctx *s, const struct fr_packet *p,
					 __u8 opener, __u16 port, int portless)
{
	__u32 staged, cell = policy_cell(s, p, opener, port, portless);

	return FR_CELL_ACTION(policy_unstaged(s, cell, &staged)) != FR_DENY;
}

#endif /* FR_POLICY_H */
