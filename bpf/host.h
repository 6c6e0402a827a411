/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Questions to the kernel about a packet: is there a socket of this tuple, would it be forwarded,
 * was it inside IPsec? Helper calls, made only for packets that would otherwise be refused or are
 * met mid-stream.
 */
#ifndef FR_HOST_H
#define FR_HOST_H

#include "ctx.h"

enum { /* of sockets and addresses, from headers that BPF programs cannot include */
       FR_SK_ESTABLISHED = 1,
       FR_SK_SYN_SENT = 2,
       FR_SK_SYN_RECV = 3,
       FR_SK_NEW_SYN_RECV = 12,
       FR_SK_LISTEN = 10,
       FR_SK_STREAM = 1,
       FR_SK_RAW = 3,
       FR_AF_INET = 2,
       FR_AF_INET6 = 10,
       FR_TO_OTHERS = 3, /* pkt_type: another station's by its Ethernet address */
};

#define FR_TCP_OPTIONS_MAX 40u
enum { FR_PLAIN_TCP4 = 20 + 20, FR_PLAIN_TCP6 = 40 + 20 }; /* fixed headers alone */

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
	struct bpf_sock_tuple tuple = {0};
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
	struct bpf_sock_tuple tuple = {0};
	__u32 size = host_tuple(p, peer_port, &tuple);
	struct bpf_sock *sk = bpf_sk_lookup_udp(ctx, &tuple, size, BPF_F_CURRENT_NETNS, 0);
	__u8 state;

	if (!sk)
		return 0;
	state = sk->state;
	bpf_sk_release(sk);
	return state;
}

typedef __u32 __attribute__((may_alias)) host_word;

/*
 * Takes the addresses and ports from the socket. NAT on this host has changed those of a packet by
 * the time that it leaves a cgroup, and changes them back before an answer gets there. Only packets
 * of a stream socket are certain to be of its connection: other sockets may send to any peer. With
 * IP options or extension headers a packet may go through another host: it is judged by its
 * destination.
 */
static __noinline int host_socket_names(struct __sk_buff *skb, struct fr_packet *p)
{
	struct bpf_sock *sk = skb->sk;
	host_word *local, *peer;

	if (p->outcome != FR_IP || p->key.proto != FR_PROTO_TCP || !sk ||
	    p->payload != (p->v4 ? FR_PLAIN_TCP4 : FR_PLAIN_TCP6))
		return 0;
	sk = bpf_sk_fullsock(sk);
	if (!sk || sk->type != FR_SK_STREAM || sk->protocol != FR_PROTO_TCP)
		return 0;
	/* A listener has no peer, and one that has closed no port: its RST has the right ones. */
	if (!sk->dst_port || !sk->src_port)
		return 0;
	local = (host_word *)p->key.local;
	peer = (host_word *)p->key.peer;
	if (p->v4) {
		local[3] = sk->src_ip4;
		peer[3] = sk->dst_ip4;
	} else {
		for (int i = 0; i < 4; i++) {
			local[i] = sk->src_ip6[i];
			peer[i] = sk->dst_ip6[i];
		}
	}
	packet_peer(&p->peer, p->key.peer, p->v4);
	p->key.local_port = sk->src_port;
	p->port = bpf_ntohs(sk->dst_port);
	p->key.peer_port = p->port;
	return 1;
}

/* The number of the socket that sends a datagram, noted with it; 0 without one. */
static __noinline __u32 host_asker(struct __sk_buff *skb)
{
	__u32 number = (__u32)bpf_get_socket_cookie(skb) | 1u << 31, *noted;
	struct bpf_sock *sk = skb->sk;

	if (sk)
		sk = bpf_sk_fullsock(sk);
	if (!sk || sk->protocol != FR_PROTO_UDP)
		return 0;
	noted = bpf_sk_storage_get(&fr_askers, sk, &number, BPF_SK_STORAGE_GET_F_CREATE);
	return noted ? *noted : 0;
}

/* Is the socket of this number still there, for the packet to get to it? */
static __noinline int host_has_asker(struct __sk_buff *skb, const struct fr_packet *p, __u32 number)
{
	struct bpf_sock_tuple tuple = {0};
	__u32 size = host_tuple(p, p->key.peer_port, &tuple), *noted;
	struct bpf_sock *sk = bpf_sk_lookup_udp(skb, &tuple, size, BPF_F_CURRENT_NETNS, 0);
	int same;

	if (!sk)
		return 0;
	noted = bpf_sk_storage_get(&fr_askers, sk, 0, 0);
	same = noted && *noted == number;
	bpf_sk_release(sk);
	return same;
}

/* See received.h. */
static __always_inline void received_key(__u64 socket, const struct fr_packet *p,
					 struct fr_received_key *key)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->socket = socket;
	__builtin_memcpy(key->peer, p->key.peer, sizeof(key->peer));
	key->port = p->key.peer_port;
}

/* Has the socket that sends the datagram received one from its peer, not longer ago than answers
 * are awaited? */
static __noinline int host_was_asked(const struct fr_ctx *s, const struct fr_packet *p)
{
	struct fr_received_key key;
	const __u64 *last;

	received_key(bpf_get_socket_cookie(s->skb), p, &key);
	last = key.socket ? bpf_map_lookup_elem(&fr_received, &key) : 0;
	return last && (__s64)(s->now - *last) <= (__s64)s->conf->timeout[FR_TIMEOUT_UDP_ONEWAY];
}

extern const volatile __u32 fr_space_by;

/*
 * The space of a socket's flows, as noted when it was made or connected. A socket that is older
 * than the hooks has nothing noted: then its flows are its own, and those of the sockets that it
 * accepts, which inherit the note.
 */
static __always_inline __u64 host_socket_space(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	struct fr_owner *owner = 0;
	__u64 space;

	if (sk)
		sk = bpf_sk_fullsock(sk);
	if (sk)
		owner = bpf_sk_storage_get(&fr_owner, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (owner && owner->space)
		return owner->space;
	space = FR_SPACE_SOCKET | FR_SPACE_COOKIE(bpf_get_socket_cookie(skb));
	if (owner)
		owner->space = space;
	return space;
}

static __always_inline __u64 host_space(struct __sk_buff *skb)
{
	if (fr_space_by == FR_SPACE_BY_PACKET)
		return FR_SPACE_COOKIE(bpf_get_netns_cookie(skb));
	return fr_space_by == FR_SPACE_BY_OWNER ? host_socket_space(skb) : 0;
}

/*
 * The kernel's own answer, a RST or an acknowledgement from TIME_WAIT, where its namespace is
 * unknown. It comes from a socket of the kernel's that serves many connections, or all namespaces,
 * and so from another space than the connection that it ends.
 */
static __always_inline int host_is_control(struct __sk_buff *skb, const struct fr_packet *p)
{
	struct bpf_sock *sk = skb->sk;

	if (p->key.proto != FR_PROTO_TCP || p->tcp_flags & FR_TCP_SYN || !sk ||
	    !(FR_KEY_SPACE(&p->key) & FR_SPACE_SOCKET) ||
	    p->length > p->payload + FR_TCP_OPTIONS_MAX)
		return 0;
	sk = bpf_sk_fullsock(sk);
	return sk && sk->type == FR_SK_RAW && sk->protocol == FR_PROTO_TCP;
}

static __always_inline int sock_has_addresses(const struct bpf_sock *sk, const struct fr_packet *p)
{
	__u32 local[4], peer[4];

	__builtin_memcpy(local, p->key.local, sizeof(local));
	__builtin_memcpy(peer, p->key.peer, sizeof(peer));
	if (p->v4)
		return sk->src_ip4 == local[3] && sk->dst_ip4 == peer[3];
	return !((sk->src_ip6[0] ^ local[0]) | (sk->src_ip6[1] ^ local[1]) |
		 (sk->src_ip6[2] ^ local[2]) | (sk->src_ip6[3] ^ local[3]) |
		 (sk->dst_ip6[0] ^ peer[0]) | (sk->dst_ip6[1] ^ peer[1]) |
		 (sk->dst_ip6[2] ^ peer[2]) | (sk->dst_ip6[3] ^ peer[3]));
}

/* Does the socket that sends it have a connection of exactly this tuple? It may be of another
 * network namespace, which no look-up reaches. TC egress. */
static __noinline int host_sends(struct __sk_buff *skb, const struct fr_packet *p)
{
	struct bpf_sock *sk = skb->sk;

	if (!sk)
		return 0;
	sk = bpf_sk_fullsock(sk);
	if (!sk || sk->type != FR_SK_STREAM || sk->protocol != FR_PROTO_TCP)
		return 0;
	if (sk->state == FR_SK_LISTEN || sk->state == FR_SK_SYN_SENT)
		return 0;
	if (sk->src_port != p->key.local_port || bpf_ntohs(sk->dst_port) != p->key.peer_port)
		return 0;
	return sock_has_addresses(sk, p);
}

/* The route of this packet, or of an answer to it: BPF_FIB_LKUP_RET_*. */
static __noinline long host_route(struct __sk_buff *skb, const struct fr_packet *p, int answer)
{
	const __u8 *from = answer ? p->key.local : p->key.peer;
	const __u8 *to = answer ? p->key.peer : p->key.local;
	struct bpf_fib_lookup fib = {0};

	fib.family = p->v4 ? FR_AF_INET : FR_AF_INET6;
	fib.ifindex = skb->ifindex;
	if (p->v4) {
		__builtin_memcpy(&fib.ipv4_src, from + 12, 4);
		__builtin_memcpy(&fib.ipv4_dst, to + 12, 4);
	} else {
		__builtin_memcpy(fib.ipv6_src, from, 16);
		__builtin_memcpy(fib.ipv6_dst, to, 16);
	}
	return bpf_fib_lookup(skb, &fib, sizeof(fib), 0);
}

/*
 * Would the host forward this packet rather than take it? Only a proven yes counts, and not for a
 * sender without a route: it may have forged an address of this host. A device that does not
 * forward at all is asked once in a jiffy, since most hosts have no other and a flood of refused
 * packets would ask for each. TC ingress.
 */
static __always_inline int host_forwards(const struct fr_ctx *s, const struct fr_packet *p)
{
	__u64 moment = s->now << 32 | (__u64)s->ifindex << 1 | p->v4;
	struct fr_budget *known;
	__u32 zero = 0;
	long result;

	known = bpf_map_lookup_elem(&fr_budget, &zero);
	if (!known || known->no_forwarding == moment)
		return 0;
	result = host_route(s->skb, p, 0);
	if (result == BPF_FIB_LKUP_RET_FWD_DISABLED)
		known->no_forwarding = moment;
	if (result != BPF_FIB_LKUP_RET_SUCCESS && result != BPF_FIB_LKUP_RET_NO_NEIGH &&
	    result != BPF_FIB_LKUP_RET_FRAG_NEEDED)
		return 0;
	return host_route(s->skb, p, 1) != BPF_FIB_LKUP_RET_NOT_FWDED;
}

/* Did it come out of an IPsec tunnel or transport? TC ingress. */
static __always_inline int host_decrypted(struct __sk_buff *skb)
{
	struct bpf_xfrm_state state;

	return !bpf_skb_get_xfrm_state(skb, 0, &state, sizeof(state), 0);
}

#endif /* FR_HOST_H */
