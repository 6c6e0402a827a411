/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The context of one packet: the generation in force, the hook that runs, the time, the owner of
 * the socket. Nothing is decided here.
 */
#ifndef FR_CTX_H
#define FR_CTX_H

#include "maps.h"
#include "packet.h"

/* Constant over one packet but for the owner, which is looked up when a flow begins. */
struct fr_ctx {
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
/* packet_plain() and steady_pass(), which change no result. Tests switch them off. */
extern const volatile bool fr_shortcuts;

/* The attach point: constants of each program, so that the compiler removes code for others.
 */
struct fr_hook {
	enum fr_kind kind;
	enum fr_dir dir;
};

/* The window of generations in which these programs judge; outside of it they pass everything. */
extern const volatile __u32 fr_first_generation;
extern const volatile __u32 fr_last_generation;

static __always_inline struct fr_buffer ctx_buffer(const struct fr_ctx *s)
{
	struct fr_buffer buffer = {.skb = s->skb, .size = s->skb->len, .zero = s->conf->zero};

	packet_rewind(&buffer);
	return buffer;
}

static __always_inline int ctx_image(struct fr_ctx *s, __u32 slot)
{
	s->image = bpf_map_lookup_elem(&fr_images, &slot);
	if (!s->image)
		return -1;
	s->head = image_line(s->image, FR_LINE_HEAD);
	return s->head ? 0 : -1;
}

/* A function of its own, for its stack: only a generation with a deadline needs it. */
static __noinline int ctx_deadline(struct fr_ctx *s, __u64 deadline)
{
	return bpf_ktime_get_boot_ns() < deadline ? 0 : ctx_image(s, FR_SLOT_BEFORE);
}

/* Loads the generation in force. Not 0: there is none, or this program is outside its window, and
 * the packet passes. */
static __always_inline int ctx_open(struct fr_ctx *s, struct __sk_buff *skb, __u32 ifindex)
{
	__u32 generation;
	__u64 deadline;

	if (ctx_image(s, FR_SLOT_CURRENT))
		return -1;
	deadline = *(const volatile __u64 *)&s->head->deadline;
	if (deadline && ctx_deadline(s, deadline))
		return -1;
	s->conf = image_line(s->image, FR_LINE_CONF);
	if (!s->conf)
		return -1;
	generation = s->head->generation;
	if (generation < fr_first_generation || generation > fr_last_generation)
		return -1;
	s->skb = skb;
	s->ifindex = ifindex;
	s->now = bpf_jiffies64();
	return 0;
}

static __always_inline const struct fr_owner *ctx_owner(const struct fr_ctx *s, enum fr_kind kind)
{
	struct bpf_sock *sk;

	if (s->owner || kind != FR_KIND_CGROUP || !s->skb)
		return s->owner;
	sk = s->skb->sk;
	if (sk)
		sk = bpf_sk_fullsock(sk);
	return sk ? bpf_sk_storage_get(&fr_owner, sk, 0, 0) : 0;
}

#endif /* FR_CTX_H */
