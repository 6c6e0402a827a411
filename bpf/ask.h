/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asking the image: what do the rules say of an opening, and what does that make of a packet? The
 * current generation answers, also for conversations that began under another.
 */
#ifndef FR_ASK_H
#define FR_ASK_H

#include "scene.h"

static __always_inline __u32 rule_slot(const struct fr_scene *s, __u32 rule)
{
	return image_word(s->image, s->head->slots, rule);
}

/* What is asked of an opening, beside the peer's address: the listener's port, and: */
enum {
	FR_ASK_V4 = 1 << 16,
	FR_ASK_PORTLESS = 1 << 17, /* of a packet that carries no port */
	FR_ASK_OPENER = 18,	   /* shift: enum fr_dir */
	FR_ASK_PROTO = 24,	   /* shift: IP protocol */
};

/* The image of a generation: in force, or a moment ago. */
static __always_inline fr_image image_of(__u32 generation, __u32 slot)
{
	fr_image image = bpf_map_lookup_elem(&fr_images, &slot);
	const struct fr_image_head *head = image ? image_line(image, 0) : 0;

	return head && head->generation == generation ? image : 0;
}

/*
 * The cell of an opening. A global function: the verifier reads it once for itself, and not again
 * for every path that leads to it, which up to 6.3 were half a million instructions. Its arguments
 * have to be numbers (5.10), so it finds the image by the generation that its packet began with;
 * when that has been replaced meanwhile, it is in slot 1.
 */
__noinline __u32 fr_ask(__u32 generation, __u32 what, __u64 high, __u64 low)
{
	struct fr_peer peer = {.high = high, .low = low};
	const struct fr_image_head *head;
	const struct fr_image_dir *dir;
	fr_image image = image_of(generation, FR_SLOT_CURRENT);
	__u32 column;

	if (!image)
		image = image_of(generation, FR_SLOT_BEFORE);
	head = image ? image_line(image, 0) : 0;
	if (!head)
		return FR_CELL(FR_DENY, FR_RULE_OTHER);
	dir = &head->dir[what >> FR_ASK_OPENER & 1];
	column = image_column(image, dir->services, what >> FR_ASK_PROTO, what,
			      what & FR_ASK_PORTLESS);
	return image_lookup(image, head, dir, &peer, !!(what & FR_ASK_V4), column);
}

/* The cell for an opening by `opener` to the listener's `port`. */
static __always_inline __u32 judge_cell(const struct fr_scene *s, const struct fr_packet *p,
					__u8 opener, __u16 port, int portless)
{
	__u32 what = port | (__u32)(opener & 1) << FR_ASK_OPENER |
		     (__u32)p->key.proto << FR_ASK_PROTO;

	what |= p->v4 ? FR_ASK_V4 : 0;
	what |= portless ? FR_ASK_PORTLESS : 0;
	return fr_ask(s->head->generation, what, p->peer.high, p->peer.low);
}

/* The cell's action as if no rule were staged. */
static __always_inline __u32 cell_real(const struct fr_scene *s, __u32 cell, __u32 *staged)
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

static __always_inline int judge_admits(const struct fr_scene *s, const struct fr_packet *p,
					__u8 opener, __u16 port, int portless)
{
	__u32 staged;

	return FR_CELL_ACTION(cell_real(s, judge_cell(s, p, opener, port, portless), &staged)) !=
	       FR_DENY;
}

static __always_inline __u8 verdict_refused(const struct fr_scene *s)
{
	return s->head->flags & FR_F_ENFORCE ? FR_DROP : FR_WOULD_DROP;
}

static __always_inline void find_refused(const struct fr_scene *s, struct fr_finding *f,
					 __u8 reason)
{
	find(f, FR_RULE_OTHER, verdict_refused(s), reason);
}

static __always_inline void find_cell(const struct fr_scene *s, struct fr_finding *f, __u32 cell)
{
	__u32 real = cell_real(s, cell, &f->staged);
	__u32 rule = FR_CELL_NUMBER(real);
	__u8 reason = rule < FR_DIRS ? FR_REASON_DEFAULT : FR_REASON_RULE;

	if (FR_CELL_ACTION(real) == FR_FAILSAFE_ALLOW)
		reason = FR_REASON_FAILSAFE;
	find(f, rule, FR_CELL_ACTION(real) == FR_DENY ? verdict_refused(s) : FR_PASS, reason);
	f->verdict ^= s->conf->zero;
	f->reason ^= s->conf->zero;
	f->staged ^= s->conf->zero;
}

#endif /* FR_ASK_H */
