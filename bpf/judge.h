/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One packet: classify -> decide -> commit. The generation in force is read once. One path for
 * every hook, both directions and both families.
 */
#ifndef FR_JUDGE_H
#define FR_JUDGE_H

#include "shortcut.h"

/* Audit remembers an opening that it would refuse, but not at the expense of an admitted flow. */
static __always_inline int judge_opens_flow(const struct fr_match *m, const struct fr_decision *d)
{
	return d->new_state != FR_FLOW_NONE &&
	       (d->verdict == FR_PASS || (d->verdict == FR_WOULD_DROP && !m->peer_has_flow));
}

/* A flow that awaits answers from elsewhere remembers no cell, and so has no short way: each of its
 * questions is noted. */
static __always_inline void judge_question(const struct fr_ctx *s, const struct fr_packet *p,
					   const struct fr_match *m, struct fr_decision *d,
					   __u32 word)
{
	__u32 awaits;

	if (p->key.proto != FR_PROTO_UDP || !(s->head->flags & FR_F_ANSWERS))
		return;
	awaits = question_note(s, p, d->rule, word,
			       JUDGED(d->opener, d->verdict, m->progress.reason, d->new_state));
	d->cell ^= awaits * (d->cell ^ FR_CELL_GONE);
}

/* The effects of the verdict: flows, figures, events. */
static __always_inline void judge_commit(const struct fr_ctx *s, const struct fr_packet *p,
					 struct fr_match *m, struct fr_decision *d,
					 struct fr_hook h)
{
	__u32 word = policy_word(s, d->rule);

	if (!d->slot)
		d->slot = FR_SLOT(word);
	judge_question(s, p, m, d, word);
	if (h.dir == FR_EGRESS && d->verdict == FR_PASS && classify_opens(p))
		syn_note(&p->key, s->now);
	if (d->flow)
		flow_update(s, p, m, d, h);
	else if (judge_opens_flow(m, d) && flow_open(s, p, m, d, h) == JOINED)
		d->opened = d->answered = 0; /* another CPU was first */
	if (p->fragment == FR_FIRST && h.dir == FR_EGRESS && d->verdict == FR_PASS)
		fragment_note(s, p, d->slot);
	if (d->staged && d->verdict == FR_PASS) {
		account_rule(s, p, d, h);
		verdict_set(d, d->staged, FR_WOULD_DROP, FR_REASON_RULE);
		d->slot = policy_slot(s, d->staged);
	}
	account(s, p, d, h);
}

static __always_inline int judge_wholly(struct fr_ctx *s, struct fr_packet *p, struct fr_hook h)
{
	struct fr_match m = {0};
	struct fr_decision d = {.cell = FR_CELL_GONE, .new_state = FR_FLOW_NONE};

	classify(s, p, &m, h);
	decide(s, p, &m, &d, h);
	decision_join(&d, s->conf->zero);
	decide_bridged(s, p, &d, h);
	decide_answer(s, p, &m, &d, h);
	decision_join(&d, s->conf->zero);
	judge_commit(s, p, &m, &d, h);
	return d.verdict;
}

static __always_inline int judge_packet(struct fr_ctx *s, struct fr_packet *p, struct fr_hook h)
{
	int verdict = shortcut_judge(s, p, h);

	return verdict == SHORTCUT_NONE ? judge_wholly(s, p, h) : verdict;
}

#endif /* FR_JUDGE_H */
