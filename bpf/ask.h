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

/* The cell for an opening by `opener` to the listener's `port`. */
static __always_inline __u32 judge_cell(const struct fr_scene *s, const struct fr_packet *p,
					__u8 opener, __u16 port, int portless)
{
	const struct fr_image_dir *dir = &s->head->dir[opener & 1];
	__u32 column = image_column(s->image, dir->services, p->key.proto, port, portless);

	return image_lookup(s->image, s->head, dir, &p->peer, column);
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

/* The same for all but packets of known flows: apart, so that the common path stays small. */
static __noinline __attribute__((pure)) __u32 judge_rarely(const struct fr_scene *s,
							   const struct fr_packet *p, __u8 opener,
							   __u16 port, int portless)
{
	return judge_cell(s, p, opener, port, portless);
}

static __always_inline int judge_admits(const struct fr_scene *s, const struct fr_packet *p,
					__u8 opener, __u16 port, int portless)
{
	__u32 staged;

	return FR_CELL_ACTION(cell_real(s, judge_rarely(s, p, opener, port, portless), &staged)) !=
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
	f->verdict |= s->conf->zero;
	f->reason |= s->conf->zero;
	f->staged |= s->conf->zero;
}

#endif /* FR_ASK_H */
