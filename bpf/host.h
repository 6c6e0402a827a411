/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel itself knows of a packet: is there a socket of this tuple, would it be forwarded,
 * was it inside IPsec? Helper calls, made only for what would otherwise be refused or is met
 * mid-stream.
 */
#ifndef FR_HOST_H
#define FR_HOST_H

#include "book.h"

enum { /* socket states and address families, from headers that BPF programs cannot include */
       FR_SK_ESTABLISHED = 1,
       FR_SK_LISTEN = 10,
       FR_AF_INET = 2,
       FR_AF_INET6 = 10,
};

static __always_inline __u32 host_tuple(const struct fr_packet *p, __u16 peer_port,
					struct bpf_sock_tuple *tuple)
{
	if (p->v4) {
		__builtin_memcpy(&tuple->ipv4.saddr, p->key.peer + 12, 4);
		__builtin_memcpy(&tuple->ipv4.daddr, p->key.local + 12, 4);
		tuple->ipv4.sport = bpf_htons(peer_port);
		tuple->ipv4.dport = bpf_htons(p->key.local_port);
		return sizeof(tuple->ipv4);
	}
	__builtin_memcpy(tuple->ipv6.saddr, p->key.peer, 16);
	__builtin_memcpy(tuple->ipv6.daddr, p->key.local, 16);
	tuple->ipv6.sport = bpf_htons(peer_port);
	tuple->ipv6.dport = bpf_htons(p->key.local_port);
	return sizeof(tuple->ipv6);
}

/* The state of the TCP socket that `p` belongs to in this namespace, with `peer_port` for its
 * peer's port (0: only a listener answers); 0 without one. */
static __noinline __u8 host_tcp(void *ctx, const struct fr_packet *p, __u16 peer_port)
{
	struct bpf_sock_tuple tuple = {};
	__u32 size = host_tuple(p, peer_port, &tuple);
	struct bpf_sock *sk = bpf_skc_lookup_tcp(ctx, &tuple, size, BPF_F_CURRENT_NETNS, 0);
	__u8 state;

	if (!sk)
		return 0;
	state = sk->state;
	bpf_sk_release(sk);
	return state;
}

/* The same for UDP; ESTABLISHED only when the socket is connected to exactly this peer. */
static __noinline __u8 host_udp(void *ctx, const struct fr_packet *p, __u16 peer_port)
{
	struct bpf_sock_tuple tuple = {};
	__u32 size = host_tuple(p, peer_port, &tuple);
	struct bpf_sock *sk = bpf_sk_lookup_udp(ctx, &tuple, size, BPF_F_CURRENT_NETNS, 0);
	__u8 state;

	if (!sk)
		return 0;
	state = sk->state;
	bpf_sk_release(sk);
	return state;
}

/* Would the host forward this packet rather than take it? Only a proven yes counts. TC ingress. */
static __always_inline int host_forwards(struct __sk_buff *skb, const struct fr_packet *p)
{
	struct bpf_fib_lookup fib = {};
	long result;

	fib.family = p->v4 ? FR_AF_INET : FR_AF_INET6;
	fib.ifindex = skb->ifindex;
	if (p->v4) {
		__builtin_memcpy(&fib.ipv4_src, p->key.peer + 12, 4);
		__builtin_memcpy(&fib.ipv4_dst, p->key.local + 12, 4);
	} else {
		__builtin_memcpy(fib.ipv6_src, p->key.peer, 16);
		__builtin_memcpy(fib.ipv6_dst, p->key.local, 16);
	}
	result = bpf_fib_lookup(skb, &fib, sizeof(fib), 0);
	return result == BPF_FIB_LKUP_RET_SUCCESS || result == BPF_FIB_LKUP_RET_NO_NEIGH ||
	       result == BPF_FIB_LKUP_RET_FRAG_NEEDED;
}

/* Did it come out of an IPsec tunnel or transport? TC ingress. */
static __always_inline int host_decrypted(struct __sk_buff *skb)
{
	struct bpf_xfrm_state state;

	return !bpf_skb_get_xfrm_state(skb, 0, &state, sizeof(state), 0);
}

#endif /* FR_HOST_H */
