/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bookkeeping: decisions become counters, entries of refused packets, events. No verdict is decided
 * or changed here.
 */
#ifndef FR_ACCOUNT_H
#define FR_ACCOUNT_H

#include "drops.h"

static __always_inline void tally_add(const struct fr_packet *p, __u32 which)
{
	__u64 *value = bpf_map_lookup_elem(&fr_tallies, &which);

	if (value)
		counter_add(value, 1, counters_race(p->kind, p->dir));
}

static __always_inline void account_rule(const struct fr_ctx *s, const struct fr_packet *p,
					 const struct fr_decision *d, struct fr_hook h)
{
	struct fr_counters *c = bpf_map_lookup_elem(&fr_counters, &d->slot);
	int races = counters_race(h.kind, h.dir);

	if (!c)
		return;
	counter_add(&c->packets, p->packets, races);
	counter_add(&c->bytes, p->length, races);
	if (d->opened)
		counter_add(&c->attempts, 1, races);
	if (d->answered)
		counter_add(&c->connections, 1, races);
	if (d->verdict == FR_DROP)
		counter_add(&c->drops, p->packets, races);
	if (d->verdict == FR_WOULD_DROP)
		counter_add(&c->would_drops, p->packets, races);
	c->last = s->now;
}

static __always_inline void account_reason(const struct fr_packet *p, const struct fr_decision *d,
					   struct fr_hook h)
{
	__u32 index = FR_REASON_INDEX(h.kind, h.dir, d->reason);
	struct fr_reason_counters *r = bpf_map_lookup_elem(&fr_reasons, &index);
	int races = counters_race(h.kind, h.dir);
	__u64 verdict = d->verdict;

	barrier_var(verdict); /* else the compiler checks one copy and indexes by another */
	if (!r || verdict > FR_WOULD_DROP)
		return;
	counter_add(&r->packets[verdict], p->packets, races);
	counter_add(&r->bytes[verdict], p->length, races);
}

static __always_inline void event_fill(struct fr_event *e, const struct fr_ctx *s,
				       const struct fr_packet *p, const struct fr_decision *d)
{
	e->version = FR_ABI_VERSION;
	e->verdict = d->verdict;
	e->reason = d->reason;
	e->dir = p->dir;
	e->kind = p->kind;
	e->tcp_flags = p->tcp_flags;
	e->time = bpf_ktime_get_boot_ns();
	e->key = p->key;
	e->slot = d->slot;
	e->generation = s->head->generation;
	e->ifindex = s->ifindex;
	e->length = p->length;
	e->pid = s->owner ? s->owner->pid : 0;
	e->pad = 0;
	if (s->owner)
		__builtin_memcpy(e->comm, s->owner->comm, sizeof(e->comm));
	else
		__builtin_memset(e->comm, 0, sizeof(e->comm));
}

static __always_inline void event_emit(__u8 type, const struct fr_ctx *s, const struct fr_packet *p,
				       const struct fr_decision *d, const struct fr_drop *drop,
				       __u32 held)
{
	struct fr_event *e = bpf_ringbuf_reserve(&fr_events, sizeof(*e), 0);

	if (!e) {
		tally_add(p, FR_TALLY_EVENTS_LOST);
		return;
	}
	event_fill(e, s, p, d);
	if (drop) { /* whose owner was looked up */
		e->pid = drop->pid;
		__builtin_memcpy(e->comm, drop->comm, sizeof(e->comm));
	}
	e->type = type;
	e->dir = d->opener; /* of the connection, not of the packet */
	e->held = held;
	bpf_ringbuf_submit(e, 0);
}

/* One event per peer and listener's port in FR_TIMEOUT_EVENT; those between are counted and
 * reported with the next. */
static __always_inline void account_refusal_event(const struct fr_ctx *s, const struct fr_packet *p,
						  const struct fr_decision *d, struct fr_drop *drop)
{
	__u32 held;

	if (!drop || s->now < drop->event_next) {
		if (drop)
			__sync_fetch_and_add(&drop->held, 1);
		tally_add(p, FR_TALLY_EVENTS_HELD);
		return;
	}
	held = drop->held;
	drop->held = 0;
	drop->event_next = s->now + s->conf->timeout[FR_TIMEOUT_EVENT];
	event_emit(FR_EVENT_REFUSED, s, p, d, drop, held);
}

static __noinline int account_refused(const struct fr_ctx *s, const struct fr_packet *p,
				      const struct fr_decision *d)
{
	struct fr_drop *drop = drop_list(s, p, d);
	struct fr_unlisted u = {.packets = p->packets, .slot = d->slot};
	struct fr_control *control;
	__u32 zero = 0;

	if (!drop)
		unlisted_add(&u, p);
	control = bpf_map_lookup_elem(&fr_control, &zero);
	if (control && s->now < control->refusals_until)
		account_refusal_event(s, p, d, drop);
	return 0;
}

static __always_inline void account_trace(const struct fr_ctx *s, const struct fr_packet *p,
					  const struct fr_decision *d)
{
	__u32 zero = 0;
	struct fr_event *e;

	if (!fr_tracing)
		return;
	e = bpf_map_lookup_elem(&fr_trace, &zero);
	if (!e)
		return;
	event_fill(e, s, p, d);
	e->slot = d->rule;
	e->type = d->opened ? FR_EVENT_OPENED : FR_EVENT_REFUSED;
}

static __always_inline void account_figures(const struct fr_ctx *s, const struct fr_packet *p,
					    const struct fr_decision *d, struct fr_hook h)
{
	account_rule(s, p, d, h);
	account_reason(p, d, h);
	account_trace(s, p, d);
}

/* Everything that is recorded about one verdict. */
static __always_inline void account(const struct fr_ctx *s, const struct fr_packet *p,
				    const struct fr_decision *d, struct fr_hook h)
{
	__u32 zero = 0;
	struct fr_control *control;

	account_figures(s, p, d, h);
	if (d->verdict != FR_PASS) {
		struct fr_decision refused = *d; /* see struct fr_match */

		account_refused(s, p, &refused);
	} else if (d->opened) {
		control = bpf_map_lookup_elem(&fr_control, &zero);
		if (control && s->now < control->openings_until)
			event_emit(FR_EVENT_OPENED, s, p, d, 0, 0);
	}
}

#endif /* FR_ACCOUNT_H */
