/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is known of one packet beside itself, and what is found out about it: the generation in
 * force, the hook that runs, the finding. Set once, filled in by others; nothing is decided here.
 */
#ifndef FR_SCENE_H
#define FR_SCENE_H

#include "maps.h"
#include "packet.h"

/* What the pipeline finds out about one packet. */
struct fr_finding {
	struct fr_flow *flow; /* the known flow that it belongs to, or NULL */
	__u64 hash;	      /* of the packet's key */
	struct fr_progress progress; /* of the flow, as this packet leaves it */
	__u32 info;	      /* what its set knows of it */
	__u32 rule;	      /* number in the image */
	__u32 slot;
	__u32 staged; /* a staged deny rule that matched what passes, or 0 */
	__u8 verdict; /* enum fr_verdict */
	__u8 reason;  /* enum fr_reason */
	__u8 opener;  /* whose opening it is, enum fr_dir */
	__u8 opened;  /* this packet opened a connection */
	__u8 start;   /* 1 + enum fr_flow_state of the flow to start, or 0 */
	__u8 theirs;  /* an admitted flow of this key exists, which the other side opened */
};

/* Constant over one packet but for the owner, which is looked up when somebody asks. */
struct fr_scene {
	struct __sk_buff *skb; /* NULL in the socket-address hooks */
	fr_image image;
	const struct fr_image_head *head;
	const struct fr_image_conf *conf;
	const struct fr_owner *owner; /* of the socket where the hook knows it, else NULL */
	__u64 now;		      /* jiffies64 */
	__u32 ifindex;
	__u32 offset; /* of the IP header */
};

extern const volatile bool fr_tracing;

/* Which attach point runs: constants of each program, so that what does not concern it is left out.
 */
struct fr_hook {
	enum fr_kind kind;
	enum fr_dir dir;
};

/* The window of generations in which these programs judge; outside of it they pass everything. */
extern const volatile __u32 fr_first_generation;
extern const volatile __u32 fr_last_generation;

/* ---------------------------------------------------------------- the scene */

static __always_inline struct fr_buffer scene_buffer(const struct fr_scene *s)
{
	struct fr_buffer buffer = {.skb = s->skb, .size = s->skb->len, .zero = s->conf->zero};

	packet_rewind(&buffer);
	return buffer;
}

/* Set the scene: the generation in force. Not 0: this hook is not part of it, everything passes. */
static __always_inline int scene_open(struct fr_scene *s, struct __sk_buff *skb, __u32 ifindex)
{
	__u32 current = 0, generation;

	s->image = bpf_map_lookup_elem(&fr_images, &current);
	if (!s->image)
		return -1;
	s->head = image_line(s->image, 0);
	s->conf = image_line(s->image, 1);
	if (!s->head || !s->conf)
		return -1;
	generation = s->head->generation;
	if (generation < fr_first_generation || generation > fr_last_generation)
		return -1;
	s->skb = skb;
	s->ifindex = ifindex;
	s->now = bpf_jiffies64();
	return 0;
}

/* Who owns the socket: asked for what no flow knows. */
static __always_inline void scene_owner(struct fr_scene *s, const struct fr_packet *p,
					struct fr_hook h)
{
	struct bpf_sock *sk = h.kind == FR_KIND_CGROUP ? s->skb->sk : 0;

	if (sk)
		sk = bpf_sk_fullsock(sk);
	if (sk)
		s->owner = bpf_sk_storage_get(&fr_owner, sk, 0, 0);
}

/* ---------------------------------------------------------------- the finding */

/* As packet_forget(), for what is being found out. */
static __always_inline void finding_forget(struct fr_finding *f, __u64 zero)
{
	f->info ^= zero;
	f->rule ^= zero;
	f->slot ^= zero;
	f->staged ^= zero;
	f->verdict ^= zero;
	f->reason ^= zero;
	f->opener ^= zero;
	f->opened ^= zero;
	f->start ^= zero;
	f->theirs ^= zero;
	f->hash ^= zero;
	f->progress.opener ^= zero;
	f->progress.state ^= zero;
	f->progress.flags ^= zero;
	f->progress.reason ^= zero;
	f->progress.isn ^= zero;
}

static __always_inline void find(struct fr_finding *f, __u32 rule, __u8 verdict, __u8 reason)
{
	f->rule = rule;
	f->verdict = verdict;
	f->reason = reason;
}

static __always_inline void find_pass(struct fr_finding *f, __u32 rule, __u8 reason)
{
	find(f, rule, FR_PASS, reason);
}

#endif /* FR_SCENE_H */
