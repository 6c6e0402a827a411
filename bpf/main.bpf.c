/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hooks. Each turns its context into a struct fr_packet, has it judged, and turns the verdict
 * into its own return code; those codes appear nowhere else. No kernel BTF is needed: UAPI types
 * only.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "judge.h"

const volatile bool fr_tracing = false;
const volatile bool fr_shortcuts = true;
const volatile __u32 fr_regions = FR_REGIONS_DEFAULT;
const volatile __u64 fr_secret[FR_SECRET_WORDS] = {0};
const volatile __u32 fr_space_by = FR_SPACE_BY_OWNER;
const volatile bool fr_preempts = false;
/* Cookie of the network namespace of the interfaces; 0: the kernel does not report it. */
const volatile __u64 fr_netns = 0;
const volatile __u32 fr_first_generation = 0;
const volatile __u32 fr_last_generation = 0xffffffff;

enum {			/* what a hook returns */
       TC_PASS_ON = -1, /* TCX_NEXT, TC_ACT_UNSPEC: the next program still decides */
       TC_REFUSE = 2,	/* TC_ACT_SHOT */
       CGROUP_PASS = 1,
       CGROUP_REFUSE = 0,
};

enum { PROTO_MPTCP = 262 };

/* ---------------------------------------------------------------- devices */

static __always_inline __u16 tc_vlan(const struct __sk_buff *skb)
{
	return skb->vlan_present ? skb->vlan_tci & 0xfff : 0;
}

/* See packet_plain(). On a device without Ethernet the first byte gives the IP version. */
static __always_inline int tc_plain(struct fr_ctx *s, struct __sk_buff *skb, struct fr_packet *p,
				    bool l3)
{
	struct fr_buffer buffer = ctx_buffer(s);
	__u32 head = l3 ? 0 : sizeof(struct ethhdr);
	__u16 type = bpf_htons(ETH_P_IP);
	__u8 first = 0x45;

	if (!fr_shortcuts)
		return 0;
	if (l3 && (is_vlan_tag(bpf_ntohs(skb->protocol)) || !PACKET_LINEAR(&buffer, 0, first)))
		return 0;
	if (!l3 && !PACKET_LINEAR(&buffer, __builtin_offsetof(struct ethhdr, h_proto), type))
		return 0;
	s->offset = head ^ s->conf->zero;
	p->key.vlan = tc_vlan(skb);
	if (l3 ? first == 0x45 : type == bpf_htons(ETH_P_IP))
		return packet_plain(&buffer, head, 1, p);
	if (l3 ? first >> 4 == 6 : type == bpf_htons(ETH_P_IPV6))
		return packet_plain(&buffer, head, 0, p);
	return 0;
}

/* The long way of parsing, as a function of its own: when it returns, its paths have one state, and
 * the verifier does not follow each of them through the rest of the program. */
static __noinline int tc_parse(struct fr_ctx *s, struct __sk_buff *skb, struct fr_packet *p,
			       bool l3)
{
	struct fr_buffer buffer = ctx_buffer(s);
	__u16 ethertype = bpf_ntohs(skb->protocol), vlan = tc_vlan(skb);
	__u32 offset = 0;

	*p = (struct fr_packet){.kind = p->kind, .dir = p->dir, .length = skb->len};
	p->outcome = l3 ? packet_bare(&buffer, &offset, &ethertype)
			: packet_ethernet(&buffer, &offset, &ethertype, &vlan);
	p->key.vlan = vlan;
	s->offset = offset;
	if (p->outcome == FR_IP)
		p->outcome = ethertype == ETH_P_IP || ethertype == ETH_P_IPV6
				     ? packet_parse(&buffer, offset, ethertype == ETH_P_IP, p)
				     : packet_non_ip(&buffer, offset, ethertype);
	packet_join_all(p, buffer.zero);
	return 0;
}

static __always_inline int tc_judge(struct __sk_buff *skb, struct fr_hook h, bool l3)
{
	struct fr_packet p;
	struct fr_ctx s = {0};

	if (ctx_open(&s, skb, skb->ifindex))
		return TC_PASS_ON;
	if (h.kind == FR_KIND_INTERFACE && h.dir == FR_EGRESS && !l3)
		bridge_watch(&s);
	p.kind = h.kind;
	p.dir = h.dir;
	if (!tc_plain(&s, skb, &p, l3))
		tc_parse(&s, skb, &p, l3);
	p.packets = skb->gso_segs ?: 1;
	p.key.scope = FR_SCOPE(h.kind, guest_scope(&s));
	return judge_packet(&s, &p, h) == FR_DROP ? TC_REFUSE : TC_PASS_ON;
}

/* The guest is behind the device: packets that come in from it are its egress. */
#define TC_HOOK(name, kind, dir, l3)                                                               \
	SEC("tc") int name(struct __sk_buff *skb)                                                  \
	{                                                                                          \
		return tc_judge(skb, (struct fr_hook){kind, dir}, l3);                             \
	}

TC_HOOK(fr_if_ingress, FR_KIND_INTERFACE, FR_INGRESS, false)
TC_HOOK(fr_if_egress, FR_KIND_INTERFACE, FR_EGRESS, false)
TC_HOOK(fr_guest_ingress, FR_KIND_GUEST, FR_EGRESS, false)
TC_HOOK(fr_guest_egress, FR_KIND_GUEST, FR_INGRESS, false)
TC_HOOK(fr_if_ingress_l3, FR_KIND_INTERFACE, FR_INGRESS, true)
TC_HOOK(fr_if_egress_l3, FR_KIND_INTERFACE, FR_EGRESS, true)
TC_HOOK(fr_guest_ingress_l3, FR_KIND_GUEST, FR_EGRESS, true)
TC_HOOK(fr_guest_egress_l3, FR_KIND_GUEST, FR_INGRESS, true)

/* ---------------------------------------------------------------- cgroups */

static __always_inline void packet_space(struct fr_packet *p, __u64 space)
{
	p->key.scope = FR_SCOPE_OF_SPACE(space);
	p->key.vlan = FR_VLAN_OF_SPACE(space);
}

static __always_inline int cgroup_plain(struct fr_ctx *s, struct __sk_buff *skb,
					struct fr_packet *p)
{
	struct fr_buffer buffer = ctx_buffer(s);

	return fr_shortcuts && packet_plain(&buffer, 0, skb->protocol == bpf_htons(ETH_P_IP), p);
}

/* As tc_parse(). */
static __noinline int cgroup_parse(struct fr_ctx *s, struct __sk_buff *skb, struct fr_packet *p)
{
	struct fr_buffer buffer = ctx_buffer(s);

	*p = (struct fr_packet){.kind = p->kind, .dir = p->dir, .length = skb->len};
	p->outcome = packet_parse(&buffer, 0, skb->protocol == bpf_htons(ETH_P_IP), p);
	packet_join_all(p, buffer.zero);
	return 0;
}

static __always_inline int cgroup_judge(struct __sk_buff *skb, enum fr_dir dir)
{
	struct fr_hook h = {FR_KIND_CGROUP, dir};
	struct fr_packet p;
	struct fr_ctx s = {0};

	if (ctx_open(&s, skb, skb->ifindex))
		return CGROUP_PASS;
	p.kind = h.kind;
	p.dir = h.dir;
	if (!cgroup_plain(&s, skb, &p))
		cgroup_parse(&s, skb, &p);
	p.packets = skb->gso_segs ?: 1;
	packet_space(&p, host_space(skb));
	if (dir == FR_EGRESS) {
		host_socket_names(skb, &p);
		packet_join(&p, s.conf->zero);
		FR_JOIN(s.conf->zero, p.key.local_port, p.key.peer_port, p.port);
	} else {
		FR_JOIN(s.conf->zero, p.outcome, p.fragment, p.key.proto, p.v4, p.tcp_flags,
			p.key.scope, p.key.vlan);
	}
	return judge_packet(&s, &p, h) == FR_DROP ? CGROUP_REFUSE : CGROUP_PASS;
}

SEC("cgroup_skb/ingress") int fr_cg_ingress(struct __sk_buff *skb)
{
	return cgroup_judge(skb, FR_INGRESS);
}

SEC("cgroup_skb/egress") int fr_cg_egress(struct __sk_buff *skb)
{
	return cgroup_judge(skb, FR_EGRESS);
}

/* ---------------------------------------------------------------- connect and sendmsg
 *
 * They refuse at once, with EPERM, openings that would time out at the packet hooks. Any opening
 * that is not certainly refused there is left to the packet hooks, which also count all that
 * passes.
 */

static __always_inline void address_owner(struct bpf_sock_addr *ctx, struct fr_ctx *s)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct fr_owner *owner;

	if (!ctx->sk)
		return;
	owner = bpf_sk_storage_get(&fr_owner, ctx->sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!owner)
		return;
	s->owner = owner;
	if (!owner->space)
		owner->space = FR_SPACE_COOKIE(bpf_get_netns_cookie(ctx));
	if (owner->pid == pid)
		return;
	owner->pid = pid;
	owner->uid = bpf_get_current_uid_gid();
	bpf_get_current_comm(owner->comm, sizeof(owner->comm));
}

/* As the packets of the socket will be, so that the packet hooks find the same key. */
static __always_inline __u64 address_space(struct bpf_sock_addr *ctx, const struct fr_ctx *s)
{
	if (fr_space_by == FR_SPACE_BY_OWNER && s->owner)
		return s->owner->space;
	return FR_SPACE_COOKIE(bpf_get_netns_cookie(ctx));
}

static __always_inline void address_packet(struct bpf_sock_addr *ctx, struct fr_packet *p,
					   const __u32 to[4])
{
	__builtin_memcpy(p->key.peer, to, sizeof(p->key.peer));
	p->v4 = !to[0] && !to[1] && to[2] == bpf_htonl(0xffff);
	if (p->v4)
		packet_v4_mapped(p->key.local);
	packet_peer(&p->peer, p->key.peer, p->v4);
	p->key.proto = ctx->protocol == PROTO_MPTCP ? FR_PROTO_TCP : ctx->protocol;
	p->packets = 1;
	p->port = bpf_ntohs(ctx->user_port);
	p->key.peer_port = p->port;
	if (ctx->sk)
		p->key.local_port = ctx->sk->src_port;
}

/* Does a socket of this host have the peer's address? `p` is turned around for the question:
 * another would not fit on the stack. */
static __always_inline bool address_has_socket(struct bpf_sock_addr *ctx, struct fr_packet *p)
{
	struct fr_flow_key *key = &p->key;
	__u16 port = key->local_port;
	__u32 nothing[4] = {0, 0, p->v4 ? bpf_htonl(0xffff) : 0, 0};
	bool found;

	__builtin_memcpy(key->local, key->peer, sizeof(key->local));
	key->local_port = p->port;
	found = key->proto == FR_PROTO_TCP ? host_tcp(ctx, p, 0) : host_udp(ctx, p, 0);
	__builtin_memcpy(key->local, nothing, sizeof(key->local));
	key->local_port = port;
	return found;
}

/* May the destination be a socket of this host, reached over lo, or a peer that is answered? The
 * packet hooks decide. */
static __always_inline bool address_is_ours(struct bpf_sock_addr *ctx, const struct fr_ctx *s,
					    struct fr_packet *p)
{
	if (is_loopback_address(p->key.peer, p->v4) || !(p->peer.high | p->peer.low))
		return true;
	if (p->key.proto == FR_PROTO_UDP && p->key.local_port &&
	    policy_admits(s, p, FR_INGRESS, p->key.local_port, 0))
		return true;
	if (p->key.proto == FR_PROTO_UDP && s->head->flags & FR_F_ANSWERS &&
	    asked_lately(s, port_asking(p, FR_INGRESS)))
		return true;
	return address_has_socket(ctx, p);
}

static __always_inline int address_judge(struct bpf_sock_addr *ctx, const __u32 to[4])
{
	struct fr_packet p = {.kind = FR_KIND_CGROUP, .dir = FR_EGRESS, .outcome = FR_IP};
	struct fr_hook h = {FR_KIND_CGROUP, FR_EGRESS};
	struct fr_decision d = {.opener = FR_EGRESS};
	struct fr_ctx s = {0};

	if (ctx_open(&s, 0, 0))
		return CGROUP_PASS;
	address_owner(ctx, &s);
	if (!(s.head->flags & FR_F_ENFORCE))
		return CGROUP_PASS;
	address_packet(ctx, &p, to);
	packet_space(&p, address_space(ctx, &s));
	packet_join(&p, s.conf->zero);
	if (p.key.proto == FR_PROTO_UDP && builtin_rule(&s, &p, &d.reason))
		return CGROUP_PASS;
	verdict_from_cell(&s, &d, policy_cell(&s, &p, FR_EGRESS, p.port, 0));
	if (d.verdict != FR_DROP || address_is_ours(ctx, &s, &p))
		return CGROUP_PASS;
	d.slot = policy_slot(&s, d.rule);
	account(&s, &p, &d, h);
	return CGROUP_REFUSE;
}

static __always_inline int address_judge4(struct bpf_sock_addr *ctx)
{
	__u32 to[4] = {0, 0, bpf_htonl(0xffff), ctx->user_ip4};

	return address_judge(ctx, to);
}

static __always_inline int address_judge6(struct bpf_sock_addr *ctx)
{
	__u32 to[4] = {ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3]};

	return address_judge(ctx, to);
}

/* connect() of a datagram socket sends nothing and is not judged. */
SEC("cgroup/connect4") int fr_connect4(struct bpf_sock_addr *ctx)
{
	return ctx->type == FR_SK_STREAM ? address_judge4(ctx) : CGROUP_PASS;
}

SEC("cgroup/connect6") int fr_connect6(struct bpf_sock_addr *ctx)
{
	return ctx->type == FR_SK_STREAM ? address_judge6(ctx) : CGROUP_PASS;
}

SEC("cgroup/sendmsg4") int fr_sendmsg4(struct bpf_sock_addr *ctx)
{
	return address_judge4(ctx);
}

SEC("cgroup/sendmsg6") int fr_sendmsg6(struct bpf_sock_addr *ctx)
{
	return address_judge6(ctx);
}

/* ---------------------------------------------------------------- recvmsg
 *
 * On the root cgroup, for policies of interfaces that let datagrams in: see received.h. The address
 * is the sender's. Nothing is refused here, and a read that asks for no address is not seen.
 */

static __always_inline int address_received(struct bpf_sock_addr *ctx, const __u32 from[4])
{
	struct fr_packet p = {.kind = FR_KIND_INTERFACE, .dir = FR_INGRESS, .outcome = FR_IP};
	struct fr_ctx s = {0};

	if (ctx->protocol != FR_PROTO_UDP || !ctx->sk ||
	    (fr_netns && bpf_get_netns_cookie(ctx) != fr_netns) || ctx_open(&s, 0, 0))
		return CGROUP_PASS;
	address_packet(ctx, &p, from);
	packet_join(&p, s.conf->zero);
	received_note(&s, &p, bpf_get_socket_cookie(ctx));
	return CGROUP_PASS;
}

SEC("cgroup/recvmsg4") int fr_recvmsg4(struct bpf_sock_addr *ctx)
{
	__u32 from[4] = {0, 0, bpf_htonl(0xffff), ctx->user_ip4};

	return address_received(ctx, from);
}

SEC("cgroup/recvmsg6") int fr_recvmsg6(struct bpf_sock_addr *ctx)
{
	__u32 from[4] = {ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3]};

	return address_received(ctx, from);
}

/* ---------------------------------------------------------------- sockets that are looked for
 *
 * In the network namespace of the interfaces, when a packet is to find a listener or a datagram
 * socket that is not connected.
 */

static __always_inline void local_packet(struct bpf_sk_lookup *ctx, struct fr_packet *p)
{
	struct fr_flow_key *key = &p->key;
	__u32 local = ctx->local_ip4, peer = ctx->remote_ip4;

	p->v4 = ctx->family == FR_AF_INET;
	if (p->v4) {
		packet_v4_mapped(key->local);
		packet_v4_mapped(key->peer);
		__builtin_memcpy(key->local + 12, &local, sizeof(local));
		__builtin_memcpy(key->peer + 12, &peer, sizeof(peer));
	} else {
		__u32 to[4] = {ctx->local_ip6[0], ctx->local_ip6[1], ctx->local_ip6[2],
			       ctx->local_ip6[3]};
		__u32 from[4] = {ctx->remote_ip6[0], ctx->remote_ip6[1], ctx->remote_ip6[2],
				 ctx->remote_ip6[3]};

		__builtin_memcpy(key->local, to, sizeof(to));
		__builtin_memcpy(key->peer, from, sizeof(from));
	}
	packet_peer(&p->peer, key->peer, p->v4);
	key->proto = ctx->protocol;
	key->peer_port = bpf_ntohs(ctx->remote_port);
	p->port = ctx->local_port;
	key->local_port = p->port;
	p->packets = 1;
}

SEC("sk_lookup") int fr_local(struct bpf_sk_lookup *ctx)
{
	struct fr_packet p = {.kind = FR_KIND_INTERFACE, .dir = FR_INGRESS, .outcome = FR_IP};
	struct fr_hook h = {FR_KIND_INTERFACE, FR_INGRESS};
	struct fr_decision d = {.opener = FR_INGRESS};
	struct fr_ctx s = {0};

	if (!transit_is_busy() || ctx_open(&s, 0, 0) || s.head->flags & FR_F_FORWARD_JUDGE)
		return SK_PASS;
	local_packet(ctx, &p);
	packet_join(&p, s.conf->zero);
	if (!transit_find(&s, &p) || builtin_rule(&s, &p, &d.reason))
		return SK_PASS;
	verdict_from_cell(&s, &d, policy_cell(&s, &p, FR_INGRESS, p.port, 0));
	if (d.verdict == FR_PASS || transit_is_answer(&s, &p))
		return SK_PASS;
	d.slot = policy_slot(&s, d.rule);
	account(&s, &p, &d, h);
	return d.verdict == FR_DROP ? SK_DROP : SK_PASS;
}

/* ---------------------------------------------------------------- the clock
 *
 * Run by user space (BPF_PROG_TEST_RUN) to learn how jiffies and the boot clock go together.
 */
SEC("tc") int fr_clock(struct __sk_buff *skb)
{
	struct fr_clock_pair pair = {bpf_jiffies64(), bpf_ktime_get_boot_ns()};

	return bpf_skb_store_bytes(skb, 0, &pair, sizeof(pair), 0) ? TC_REFUSE : TC_PASS_ON;
}

/* ---------------------------------------------------------------- flows of another table
 *
 * Run by user space (BPF_PROG_TEST_RUN): the packet is an array of struct fr_flow, and no packet.
 */
SEC("tc") int fr_import(struct __sk_buff *skb)
{
	struct fr_ctx s = {0};
	struct fr_flow flow __attribute__((aligned(8)));

	if (ctx_open(&s, skb, 0))
		return FR_IMPORT_REFUSED;
	for (__u32 i = 0; i < FR_IMPORT_MAX; i++) {
		if (bpf_skb_load_bytes(skb, i * sizeof(flow), &flow, sizeof(flow)))
			break;
		flow_import(&s, &flow);
	}
	return TC_PASS_ON;
}

char LICENSE[] SEC("license") = "GPL";
