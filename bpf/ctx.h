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

/* Loads the generation in force. Not 0: this program is outside its window, and the packet passes.
 */
static __always_inline int ctx_open(struct fr_ctx *s, struct __sk_buff *skb, __u32 ifindex)
{
	__u32 current = 0, generation;

	s->image = bpf_map_lookup_elem(&fr_images, &current);
	if (!s->image)
		return -1;
	s->head = image_line(s->image, FR_LINE_HEAD);
	s->conf = image_line(s->image, FR_LINE_CONF);
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
