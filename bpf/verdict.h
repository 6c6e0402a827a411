/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two results of judging a packet: its relation to the flows (classify.h), and the verdict with
 * its effects (decide.h).
 */
#ifndef FR_VERDICT_H
#define FR_VERDICT_H

#include "flow.h"
#include "policy.h"

/* How a packet stands to the flows. */
enum fr_relation {
	FR_REL_UNREADABLE,	/* no IP, or broken: see the outcome of parsing */
	FR_REL_MISPLACED,	/* an address of the loopback device, on another one */
	FR_REL_LOOPBACK,	/* within this host, and allowed */
	FR_REL_BUILTIN,		/* a built-in rule admits it */
	FR_REL_FRAGMENT,	/* a later fragment */
	FR_REL_FORWARDED,	/* other hosts', of a flow that is noted or of none */
	FR_REL_FORWARDED_FIRST, /* other hosts', the first of a flow */
	FR_REL_FORWARDED_REPLY, /* the answer to a forwarded, masqueraded packet */
	FR_REL_KNOWN,		/* of a known flow */
	FR_REL_INVALID,		/* no packet that its flow can carry */
	FR_REL_NEW,		/* may open a flow */
	FR_REL_UNSEEN,	 /* answers an opening that came in by a device which is not attached */
	FR_REL_ADOPTED,	 /* mid-stream, and a socket vouches for it, or a guest's grace time */
	FR_REL_STRAY,	 /* mid-stream, and nothing vouches for it */
	FR_REL_FAILSAFE, /* mid-stream, the reply of a failsafe port */
};

/*
 * Made by classify(). No function that is called, and not inlined, is given its address, nor that
 * of a decision: both live in registers then. And the verifier knows which of their members are
 * used from here on; since 7.0 it takes all members of a struct for used whose address is passed
 * on, and follows each value that one of them had.
 */
struct fr_match {
	struct fr_flow *flow;	     /* of the packet, or NULL */
	__u64 hash;		     /* of the packet's key */
	struct fr_progress progress; /* of the flow, as this packet leaves it */
	__u32 info;		     /* of the flow, in its set */
	__u32 rule;		     /* the built-in rule, or the failsafe one */
	__u8 reason;		     /* why that admits it */
	__u8 relation;		     /* enum fr_relation */
	__u8 opener;		     /* the side that opened it, or opens it: enum fr_dir */
	__u8 again;		     /* the packet opens its flow again */
	__u8 peer_has_flow; /* an admitted flow of this key exists that the other side opened */
};

/* Made by decide(). */
struct fr_decision {
	struct fr_flow *flow; /* goes on by this packet, or NULL */
	__u32 rule;	      /* number in the image */
	__u32 slot;	      /* 0: that of the rule */
	__u32 cell;	      /* of the image, that a new flow remembers; FR_CELL_GONE none */
	__u32 staged;	      /* a staged deny rule that matched a passed packet, or 0 */
	__u8 verdict;	      /* enum fr_verdict */
	__u8 reason;	      /* enum fr_reason */
	__u8 opener;	      /* enum fr_dir */
	__u8 new_state;	      /* enum fr_flow_state of the flow to begin, or FR_FLOW_NONE */
	__u8 opened;	      /* this packet opened a connection, which passed */
	__u8 answered;	      /* this packet is the first answer to an opening */
};

static __always_inline void match_join(struct fr_match *m, __u64 zero)
{
	FR_JOIN_HERE(zero, m->hash, m->info, m->relation, m->opener, m->again, m->peer_has_flow);
	FR_JOIN_HERE(zero, m->progress.opener, m->progress.state, m->progress.flags,
		     m->progress.reason, m->progress.isn);
}

static __always_inline void decision_join(struct fr_decision *d, __u64 zero)
{
	FR_JOIN(zero, d->rule, d->slot, d->cell, d->staged);
	FR_JOIN(zero, d->verdict, d->reason, d->opener, d->new_state, d->opened, d->answered);
}

static __always_inline void verdict_set(struct fr_decision *d, __u32 rule, __u8 verdict,
					__u8 reason)
{
	d->rule = rule;
	d->verdict = verdict;
	d->reason = reason;
}

static __always_inline void verdict_pass(struct fr_decision *d, __u32 rule, __u8 reason)
{
	verdict_set(d, rule, FR_PASS, reason);
}

static __always_inline __u8 verdict_of_deny(const struct fr_ctx *s)
{
	return s->head->flags & FR_F_ENFORCE ? FR_DROP : FR_WOULD_DROP;
}

static __always_inline void verdict_refuse(const struct fr_ctx *s, struct fr_decision *d,
					   __u8 reason)
{
	verdict_set(d, FR_RULE_OTHER, verdict_of_deny(s), reason);
}

static __always_inline void verdict_from_cell(const struct fr_ctx *s, struct fr_decision *d,
					      __u32 cell)
{
	__u32 real = policy_unstaged(s, cell, &d->staged);
	__u32 rule = FR_CELL_NUMBER(real);
	__u8 reason = rule < FR_DIRS ? FR_REASON_DEFAULT : FR_REASON_RULE;

	if (FR_CELL_ACTION(real) == FR_FAILSAFE_ALLOW)
		reason = FR_REASON_FAILSAFE;
	d->cell = cell;
	verdict_set(d, rule, FR_CELL_ACTION(real) == FR_DENY ? verdict_of_deny(s) : FR_PASS,
		    reason);
	FR_JOIN(s->conf->zero, d->verdict, d->reason, d->staged);
}

#endif /* FR_VERDICT_H */
