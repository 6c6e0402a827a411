/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Audit predicts enforcement: thousands of random packets of a few conversations that get in each
 * other's way, the same ones through an image that audits and one that enforces. Enforcement drops
 * exactly where audit says would-drop, and every other result is the same, although dropped packets
 * leave no state and those that audit lets through do.
 */
#include "packets_rig.h"

#include "../judges.h"
#include "../thin.h"

enum { PACKETS = 2500, NOTED = PACKETS };

static const struct test_rule plain[] = {
	{.dir = OUT, .action = FR_ALLOW, .proto = TCP, .first = 443},
	{.dir = IN, .action = FR_ALLOW, .proto = TCP, .first = 22, .host = WIRE_HOST},
	{.dir = OUT, .action = FR_ALLOW, .proto = UDP, .first = 53},
	{.dir = IN, .action = FR_ALLOW, .proto = UDP, .first = 500, .host = 8},
	{.dir = OUT, .action = FR_ALLOW, .proto = ICMP, .first = 8},
};
static const struct test_rule denying[] = {
	{.dir = OUT, .action = FR_ALLOW},
	{.dir = OUT, .action = FR_DENY, .proto = TCP, .first = 443, .host = 8},
	{.dir = OUT, .action = FR_DENY, .proto = UDP, .first = 500},
	{.dir = IN, .action = FR_ALLOW, .proto = UDP, .first = 53, .host = 8},
	{.dir = IN, .action = FR_FAILSAFE_ALLOW, .proto = TCP, .first = 22, .host = WIRE_HOST},
};
static const struct test_rule staging[] = {
	{.dir = OUT, .action = FR_ALLOW, .proto = TCP, .first = 22, .last = 443},
	{.dir = OUT, .action = FR_DENY, .proto = TCP, .first = 443, .host = 8, .staged = true},
	{.dir = IN, .action = FR_ALLOW, .proto = UDP},
	{.dir = IN, .action = FR_DENY, .proto = UDP, .first = 53, .staged = true},
};
static const struct test_policy policies[] = {
	{.rules = plain, .count = ARRAY_SIZE(plain)},
	{.rules = denying, .count = ARRAY_SIZE(denying)},
	{.rules = staging, .count = ARRAY_SIZE(staging), .adopt_until = ~0ull},
};

static uint32_t pick(struct judge_random *random, uint32_t count)
{
	return (uint32_t)(judge_next(random) % count);
}

static struct wire packet_of(struct judge_random *random, bool v6)
{
	static const uint8_t protos[] = {TCP, TCP, TCP, UDP, UDP, ICMP};
	static const uint8_t flags[] = {SYN, SYN, SYN | ACK, ACK, ACK, FIN | ACK, RST, RST | ACK};
	static const uint16_t ports[] = {22, 443, 53, 500};
	struct wire w = {.v6 = v6, .dir = pick(random, 2), .proto = protos[pick(random, 6)]};

	w.host = pick(random, 2) ? WIRE_HOST : 8;
	if (w.proto == ICMP) {
		w.type = v6 ? 128 + pick(random, 2) : 8 * pick(random, 2);
		w.id = pick(random, 2);
		return w;
	}
	w.local = ports[pick(random, 4)];
	w.peer = ports[pick(random, 4)];
	w.flags = w.proto == TCP ? flags[pick(random, 8)] : 0;
	w.ack = pick(random, 4) ? 0 : 99;
	if (w.proto == UDP && !pick(random, 6)) {
		w.fragment = w.more = true;
		w.fragment_id = pick(random, 3);
		w.offset = pick(random, 2) ? 0 : 10;
		w.payload = 16;
	}
	return w;
}

/* Both judges, and the packets sent so far. */
struct trial {
	struct rig *rig;
	struct bench *audit;
	struct wire noted[NOTED];
	struct fr_event trace[NOTED][2];
	uint32_t seed, count, dropped, passed;
};

static struct fr_event trace(const struct rig *rig, struct bench *bench, const struct frame *frame,
			     uint8_t dir)
{
	struct bench_run run = {.kind = rig->kind,
				.dir = dir,
				.data = frame->data,
				.size = frame->size,
				.ifindex = rig->ifindex};

	cr_assert_eq(bench_run(bench, &run), 0);
	return run.verdict;
}

static bool same_ports(const struct wire *a, const struct wire *b)
{
	return a->proto == b->proto && a->local == b->local && a->peer == b->peer &&
	       a->host == b->host && a->v6 == b->v6 && a->id == b->id;
}

static bool is_first_of(const struct wire *first, const struct wire *later)
{
	return first->fragment && !first->offset && first->host == later->host &&
	       first->fragment_id == later->fragment_id;
}

static bool is_syn(const struct wire *w)
{
	return w->proto == TCP && (w->flags & (SYN | ACK)) == SYN;
}

/*
 * Packets after a refused opening that cannot open one themselves: enforcement never sees the
 * conversation, and meets here strays that a rule of their own direction may admit. Audit knows
 * their opening, and both directions of it are would-drop. A datagram is an opening of its own, and
 * so is another SYN.
 */
static bool is_aftermath(const struct trial *trial, uint32_t now)
{
	const struct wire *w = &trial->noted[now];

	if (is_syn(w) || (w->proto == UDP && !w->offset) ||
	    trial->trace[now][1].verdict != FR_WOULD_DROP)
		return false;
	for (uint32_t n = 0; n < NOTED; n++) {
		const struct wire *before = &trial->noted[n];

		if (n == now)
			continue;
		if (w->offset ? is_first_of(before, w) && trial->trace[n][1].verdict != FR_PASS
			      : same_ports(w, before) && (w->proto != TCP || is_syn(before)) &&
					trial->trace[n][0].verdict != FR_PASS)
			return true;
	}
	return false;
}

static bool is_foretold(const struct fr_event *enforce, const struct fr_event *audit)
{
	if (enforce->verdict == FR_DROP)
		return audit->verdict == FR_WOULD_DROP;
	return enforce->verdict == audit->verdict && enforce->reason == audit->reason &&
	       enforce->slot == audit->slot;
}

/* The packets sent on the ports of the last packet, and both traces. */
static const char *story(const struct trial *trial)
{
	uint32_t last = (trial->count - 1) % NOTED;
	const struct wire *about = &trial->noted[last];
	static char text[1 << 18];
	size_t at = 0;

	for (uint32_t i = 1; i <= NOTED; i++) {
		uint32_t n = (last + i) % NOTED;
		const struct wire *w = &trial->noted[n];
		const char *dir = w->dir == OUT ? "out" : "in ";

		if (!same_ports(w, about) || at + 200 > sizeof(text))
			continue;
		at += (size_t)snprintf(text + at, sizeof(text) - at,
				       "\n  %s proto %u %u<>%u flags %02x type %u%s: "
				       "enforce %u/%u/%u, audit %u/%u/%u",
				       dir, w->proto, w->local, w->peer, w->flags, w->type,
				       w->fragment ? " fragment" : "", trial->trace[n][0].verdict,
				       trial->trace[n][0].reason, trial->trace[n][0].slot,
				       trial->trace[n][1].verdict, trial->trace[n][1].reason,
				       trial->trace[n][1].slot);
	}
	return text;
}

static void compare(struct trial *trial, const struct wire *w)
{
	uint32_t n = trial->count++ % NOTED;
	struct frame frame;

	wire_make(w, &frame);
	trial->noted[n] = *w;
	trial->trace[n][0] = trace(trial->rig, trial->rig->bench, &frame, w->dir);
	trial->trace[n][1] = trace(trial->rig, trial->audit, &frame, w->dir);
	cr_assert(is_foretold(&trial->trace[n][0], &trial->trace[n][1]) || is_aftermath(trial, n),
		  "seed %u, kind %u:%s", trial->seed, trial->rig->kind, story(trial));
	trial->dropped += trial->trace[n][0].verdict == FR_DROP;
	trial->passed += trial->trace[n][0].verdict == FR_PASS;
}

static void begin(struct trial *trial, const struct test_policy *policy)
{
	struct bench *enforce = trial->rig->bench;
	struct test_policy audits = *policy;

	audits.audit = true;
	trial->rig->bench = trial->audit;
	rig_start(trial->rig, &audits);
	trial->rig->bench = enforce;
	rig_start(trial->rig, policy);
	memset(trial->noted, 0, sizeof(trial->noted));
}

Test(packets_foretold, audit_says_of_every_packet_what_enforcement_does, .timeout = 300)
{
	struct rig rig;
	struct trial trial = {.rig = &rig};

	rig_open(&rig);
	cr_assert_eq(bench_open(&rig.diags, &trial.audit), 0);
	for (rig.kind = 0; rig.kind < FR_KINDS; rig.kind++)
		for (uint32_t i = 0; i < 2 * ARRAY_SIZE(policies); i++) {
			struct judge_random random = {++trial.seed};

			rig.v6 = i & 1;
			begin(&trial, &policies[i / 2]);
			for (unsigned n = 0; n < thin(PACKETS); n++) {
				struct wire w = packet_of(&random, rig.v6);

				compare(&trial, &w);
			}
		}
	cr_assert_gt(trial.dropped, thin(5000));
	cr_assert_gt(trial.passed, thin(5000));
	bench_close(trial.audit);
	rig_close(&rig);
}
