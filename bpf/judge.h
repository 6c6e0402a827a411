/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One packet: always allowed? -> flow look-up (who opened) -> classify and decide the opener's
 * tuple by the current generation -> create or refresh the flow -> book -> verdict. The generation
 * is read once. One path for every hook, both directions and both families.
 */
#ifndef FR_JUDGE_H
#define FR_JUDGE_H

#include "host.h"
#include "track.h"

/* The window of generations in which these programs judge; outside of it they pass everything. */
extern const volatile __u32 fr_first_generation;
extern const volatile __u32 fr_last_generation;

static __always_inline struct fr_buffer scene_buffer(const struct fr_scene *s)
{
	struct fr_buffer buffer = {.skb = s->skb, .size = s->skb->len, .zero = s->conf->zero};

	packet_rewind(&buffer);
	return buffer;
}

/* ---------------------------------------------------------------- the image's answer */

static __always_inline __u32 rule_slot(const struct fr_scene *s, __u32 rule)
{
	return image_word(s->image, s->head->slots, rule);
}

/* The cell for an opening by `opener` to the listener's `port`. */
static __always_inline __u32 judge_cell(const struct fr_scene *s, const struct fr_packet *p,
					__u8 opener, __u16 port, int portless)
{
	const struct fr_image_dir *dir = &s->head->dir[opener & 1];
	__u32 column = image_column(s->image, dir->services, p->key.proto, port, portless);

	return image_lookup(s->image, s->head, dir, &p->peer, column);
}

/* The cell's action as if no rule were staged. */
static __always_inline __u32 cell_real(const struct fr_scene *s, __u32 cell, __u32 *staged)
{
	const struct fr_staged *entry;
	__u32 number = FR_CELL_NUMBER(cell);

	*staged = 0;
	if (!(cell & FR_CELL_STAGED))
		return cell;
	entry = image_line(s->image, s->head->staged + number / 8);
	if (!entry)
		return FR_CELL(FR_DENY, FR_RULE_OTHER);
	*staged = entry[number % 8].rule;
	return entry[number % 8].real;
}

/* The same for all but packets of known flows: apart, so that the common path stays small. */
static __noinline __attribute__((pure)) __u32 judge_rarely(const struct fr_scene *s,
							   const struct fr_packet *p, __u8 opener,
							   __u16 port, int portless)
{
	return judge_cell(s, p, opener, port, portless);
}

static __always_inline int judge_admits(const struct fr_scene *s, const struct fr_packet *p,
					__u8 opener, __u16 port, int portless)
{
	__u32 staged;

	return FR_CELL_ACTION(cell_real(s, judge_rarely(s, p, opener, port, portless), &staged)) !=
	       FR_DENY;
}

static __always_inline __u8 verdict_refused(const struct fr_scene *s)
{
	return s->head->flags & FR_F_ENFORCE ? FR_DROP : FR_WOULD_DROP;
}

/* As packet_forget(), for what is being found out. */
static __always_inline void finding_forget(struct fr_finding *f, __u64 zero)
{
	f->rule |= zero;
	f->slot |= zero;
	f->staged |= zero;
	f->verdict |= zero;
	f->reason |= zero;
	f->opener |= zero;
	f->opened |= zero;
	f->start |= zero;
	f->embryo |= zero;
	f->stale |= zero;
	f->theirs |= zero;
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

static __always_inline void find_refused(const struct fr_scene *s, struct fr_finding *f,
					 __u8 reason)
{
	find(f, FR_RULE_OTHER, verdict_refused(s), reason);
}

static __always_inline void find_cell(const struct fr_scene *s, struct fr_finding *f, __u32 cell)
{
	__u32 real = cell_real(s, cell, &f->staged);
	__u32 rule = FR_CELL_NUMBER(real);
	__u8 reason = rule < FR_DIRS ? FR_REASON_DEFAULT : FR_REASON_RULE;

	if (FR_CELL_ACTION(real) == FR_FAILSAFE_ALLOW)
		reason = FR_REASON_FAILSAFE;
	find(f, rule, FR_CELL_ACTION(real) == FR_DENY ? verdict_refused(s) : FR_PASS, reason);
	f->verdict |= s->conf->zero;
	f->reason |= s->conf->zero;
	f->staged |= s->conf->zero;
}

/* ---------------------------------------------------------------- always allowed */

static __always_inline int is_link_local_or(const __u8 addr[16], __u32 first, __u32 last)
{
	__u32 words[4];

	__builtin_memcpy(words, addr, sizeof(words));
	return (words[0] & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000) ||
	       !((words[0] ^ bpf_htonl(first)) | words[1] | words[2] |
		 (words[3] ^ bpf_htonl(last)));
}

/*
 * A DHCP client's packet. DHCPv6 stays on the link: clients multicast to ff02::1:2 and are answered
 * from a link-local address; the option by which a server asked for unicast is gone (RFC 9915), and
 * who was told so earlier multicasts before his lease ends. DHCPv4 renews across routers.
 */
static __always_inline int is_dhcp(const struct fr_packet *p)
{
	if (p->v4)
		return p->key.local_port == 68 && p->key.peer_port == 67;
	return p->key.local_port == 546 && p->key.peer_port == 547 &&
	       is_link_local_or(p->key.peer, 0xff020000, 0x10002);
}

/* The built-in rule that admits `p`, or 0; *reason says why. */
static __always_inline __u32 judge_builtin(const struct fr_scene *s, const struct fr_packet *p,
					   __u8 *reason)
{
	__u32 flags = s->head->flags;
	__u8 type = p->port >> 8;

	if (p->key.proto == FR_PROTO_TCP || p->fragment == FR_LATER)
		return 0;
	if (p->key.proto == FR_PROTO_UDP && flags & FR_F_DHCP && is_dhcp(p)) {
		*reason = FR_REASON_DHCP;
		return FR_RULE_DHCP;
	}
	if (p->key.proto == FR_PROTO_ICMP6 && flags & FR_F_NEIGHBOUR && p->hops == 255 &&
	    type >= 133 && type <= 136) {
		*reason = FR_REASON_NEIGHBOUR;
		return FR_RULE_NEIGHBOUR;
	}
	if (!(flags & FR_F_MULTICAST) || p->hops != 1)
		return 0;
	*reason = FR_REASON_MULTICAST;
	if (p->key.proto == FR_PROTO_IGMP && p->v4)
		return FR_RULE_MULTICAST;
	if (p->key.proto == FR_PROTO_ICMP6 && ((type >= 130 && type <= 132) || type == 143) &&
	    is_link_local_or(p->dir == FR_EGRESS ? p->key.local : p->key.peer, 0, 0))
		return FR_RULE_MULTICAST;
	return 0;
}

static __always_inline int is_icmp_error(const struct fr_packet *p)
{
	__u8 type = p->port >> 8;

	if (p->fragment == FR_LATER)
		return 0;
	if (p->key.proto == FR_PROTO_ICMP6)
		return type >= 1 && type <= 4;
	return p->key.proto == FR_PROTO_ICMP && (type == 3 || type == 11 || type == 12);
}

/* Parse the IP packet at `offset` into `p`, whose dir and v4 say how. */
static __noinline int packet_again(const struct fr_scene *s, struct fr_packet *p, __u32 offset)
{
	struct fr_buffer buffer = scene_buffer(s);
	int outcome;

	p->key.local_port = p->key.peer_port = p->key.pad = 0;
	outcome = packet_ip(&buffer, offset, p->v4, p);

	packet_forget(p, buffer.zero);
	if (outcome != FR_IP || p->fragment == FR_LATER)
		return outcome;
	outcome = packet_transport(&buffer, p);
	packet_forget_ports(p, buffer.zero);
	return outcome;
}

/* To whom an ICMP error goes is who had sent what it quotes. */
static __always_inline const __u64 *error_receiver(const struct fr_packet *p, __u8 dir)
{
	return (const __u64 *)(dir == FR_EGRESS ? p->key.peer : p->key.local);
}

/*
 * Is the packet that an ICMP error quotes of a known flow, or of one that the policy would admit as
 * opened from either side? It travelled the other way, and its sender gets the error: else whoever
 * can make up a quotation could send to any address. Errors never create or refresh a flow. `p` is
 * parsed anew for the quoted packet and then back, because a second one would not fit on the stack.
 */
static __always_inline int judge_icmp_error(const struct fr_scene *s, struct fr_packet *p)
{
	__u8 dir = p->dir;
	__u64 high = error_receiver(p, dir)[0], low = error_receiver(p, dir)[1];
	int embryo, portless, admitted = 0;
	struct fr_flow *flow;

	p->dir = !dir;
	if (packet_again(s, p, p->payload) == FR_IP && high == error_receiver(p, dir)[0] &&
	    low == error_receiver(p, dir)[1]) {
		portless = p->fragment == FR_LATER;
		flow = portless ? 0 : flow_find(s, p, &p->key, &embryo);
		admitted = (flow && !(flow->flags & FR_FLOW_WOULD_DROP)) ||
			   judge_admits(s, p, FR_EGRESS, flow_port(&p->key, FR_EGRESS), portless) ||
			   judge_admits(s, p, FR_INGRESS, flow_port(&p->key, FR_INGRESS), portless);
	}
	p->dir = dir;
	packet_again(s, p, s->offset);
	return admitted;
}

/* ---------------------------------------------------------------- fragments */

static __always_inline void fragment_key(const struct fr_packet *p, struct fr_fragment_key *key)
{
	__builtin_memcpy(key->local, p->key.local, sizeof(key->local));
	__builtin_memcpy(key->peer, p->key.peer, sizeof(key->peer));
	key->id = p->fragment_id;
	key->scope = p->key.scope;
	key->vlan = p->key.vlan;
	key->proto = p->v4 ? p->key.proto : 0; /* RFC 8200: the first part alone tells it */
	key->pad = 0;
}

/* An allowed first fragment on its way out lets the later ones of its datagram follow. */
static __noinline int fragment_note(const struct fr_scene *s, const struct fr_packet *p, __u32 slot)
{
	struct fr_fragment value = {.until = s->now + s->conf->timeout[FR_TIMEOUT_UDP_ONEWAY]};
	struct fr_fragment_key key;

	value.slot = slot;
	fragment_key(p, &key);
	return bpf_map_update_elem(&fr_fragments, &key, &value, BPF_ANY);
}

/* ---------------------------------------------------------------- mid-stream and foreign packets
 */

/* Mid-stream TCP in the grace time of a guest, whose sockets cannot be asked. */
static __always_inline int adopt_guest(const struct fr_scene *s, const struct fr_packet *p)
{
	if (p->key.proto != FR_PROTO_TCP ||
	    (s->now >= s->conf->adopt_until && !track_lost_lately(s)))
		return -1;
	if (judge_admits(s, p, FR_EGRESS, p->key.peer_port, 0))
		return FR_EGRESS;
	return judge_admits(s, p, FR_INGRESS, p->key.local_port, 0) ? FR_INGRESS : -1;
}

/* Who opened the connection that this unknown mid-stream packet is of: enum fr_dir, or -1 when no
 * socket of exactly this tuple vouches for it. */
static __always_inline int adopt_opener(const struct fr_scene *s, const struct fr_packet *p,
					struct fr_hook h)
{
	__u8 state;

	if (h.kind == FR_KIND_GUEST)
		return adopt_guest(s, p);
	if (p->key.proto == FR_PROTO_UDP)
		return host_udp(s->skb, p, p->key.peer_port) == FR_SK_ESTABLISHED ? FR_EGRESS : -1;
	state = host_tcp(s->skb, p, p->key.peer_port);
	if (!state || state == FR_SK_LISTEN)
		return -1;
	return host_tcp(s->skb, p, 0) == FR_SK_LISTEN ? FR_INGRESS : FR_EGRESS;
}

/* Why an otherwise refused packet is none of the policy's business, or 0. Interfaces, ingress. */
static __noinline int excuse(const struct fr_scene *s, const struct fr_packet *p)
{
	__u32 flags = s->head->flags;

	if (!(flags & FR_F_IPSEC_JUDGE) && host_decrypted(s->skb))
		return FR_REASON_IPSEC_INNER;
	if (flags & FR_F_FORWARD_JUDGE)
		return 0;
	if (host_forwards(s->skb, p))
		return FR_REASON_FORWARDED;
	if (flags & FR_F_FORWARDING_ON && p->key.proto == FR_PROTO_TCP &&
	    !(p->tcp_flags & FR_TCP_SYN) && p->fragment != FR_LATER &&
	    !host_tcp(s->skb, p, p->key.peer_port))
		return FR_REASON_FORWARDED_REPLY;
	return 0;
}

/*
 * May some port of a later fragment's protocol come in, or go out and be answered? Where an IPv6
 * datagram goes on with an extension header behind the fragment header, later parts tell that
 * header's number and no protocol. They are taken for UDP: TCP is not fragmented where senders know
 * the path's MTU, and whatever is let in here is of no use without a first part that was admitted.
 */
static __always_inline int fragment_admits(const struct fr_scene *s, struct fr_packet *p)
{
	__u8 proto = p->key.proto;
	int admits;

	if (!p->v4 && is_extension(proto))
		p->key.proto = FR_PROTO_UDP;
	p->key.proto |= s->conf->zero;
	admits = judge_admits(s, p, FR_INGRESS, 0, 1) || judge_admits(s, p, FR_EGRESS, 0, 1);
	p->key.proto = proto;
	return admits;
}

/* A later fragment. In: order is not given, and without its judged first nothing reassembles. */
static __always_inline void judge_fragment(const struct fr_scene *s, struct fr_packet *p,
					   struct fr_finding *f, struct fr_hook h)
{
	struct fr_fragment *known;
	struct fr_fragment_key key;
	__u8 reason;

	if (h.dir == FR_INGRESS) {
		if (fragment_admits(s, p))
			find_pass(f, FR_RULE_OTHER, FR_REASON_FRAGMENT);
		else if (h.kind == FR_KIND_INTERFACE && (reason = excuse(s, p)))
			find_pass(f, FR_RULE_OTHER, reason);
		else
			find_refused(s, f, FR_REASON_FRAGMENT);
		return;
	}
	fragment_key(p, &key);
	known = bpf_map_lookup_elem(&fr_fragments, &key);
	if (known && s->now <= known->until) {
		find_pass(f, FR_RULE_OTHER, FR_REASON_FRAGMENT);
		f->slot = known->slot;
	} else {
		find_refused(s, f, FR_REASON_FRAGMENT);
	}
}

/* Proven not to be this host's own: it came in on another device. */
static __always_inline int is_forwarded(const struct fr_scene *s, const struct fr_packet *p,
					struct fr_hook h)
{
	return h.kind == FR_KIND_INTERFACE && h.dir == FR_EGRESS && s->skb->ingress_ifindex &&
	       !(s->head->flags & FR_F_FORWARD_JUDGE);
}

/* ---------------------------------------------------------------- conversations */

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

/* No flow knows it: who opens, and does a flow start? 1: decided already. */
static __always_inline int judge_unknown(const struct fr_scene *s, const struct fr_packet *p,
					 struct fr_finding *f, struct fr_hook h)
{
	int opener;

	if (p->key.proto != FR_PROTO_TCP ||
	    (p->tcp_flags & (FR_TCP_SYN | FR_TCP_ACK)) == FR_TCP_SYN) {
		f->start = p->icmp_reply ? 0 : 1 + FR_FLOW_OPENING;
		return 0;
	}
	if (h.dir == FR_EGRESS) { /* replies of a failsafe port need no flow */
		__u32 cell = judge_rarely(s, p, FR_INGRESS, p->key.local_port, 0);
		__u32 real = cell_real(s, cell, &f->staged);

		f->staged = 0;
		if (FR_CELL_ACTION(real) == FR_FAILSAFE_ALLOW) {
			find_pass(f, FR_CELL_NUMBER(real), FR_REASON_FAILSAFE);
			return 1;
		}
	}
	opener = p->tcp_flags & (FR_TCP_SYN | FR_TCP_RST) ? -1 : adopt_opener(s, p, h);
	if (opener >= 0) {
		f->opener = opener;
		f->start = 1 + FR_FLOW_ADOPTED;
	}
	return 0;
}

/* The opening was refused, and no flow vouches for the packet: whose business is it? */
static __always_inline void judge_refused(const struct fr_scene *s, const struct fr_packet *p,
					  struct fr_finding *f, struct fr_hook h)
{
	__u8 reason = h.kind == FR_KIND_INTERFACE && h.dir == FR_INGRESS ? excuse(s, p) : 0;

	if (reason) {
		find_pass(f, FR_RULE_OTHER, reason);
		f->start = 0;
	} else if (p->key.proto == FR_PROTO_UDP && h.kind != FR_KIND_GUEST &&
		   adopt_opener(s, p, h) == FR_EGRESS &&
		   judge_admits(s, p, FR_EGRESS, p->key.peer_port, 0)) {
		f->opener = FR_EGRESS;
		f->start = 1 + FR_FLOW_ADOPTED;
		find_cell(s, f, judge_rarely(s, p, FR_EGRESS, p->key.peer_port, 0));
		f->reason = FR_REASON_ADOPTED;
	} else {
		f->opened = f->start && f->verdict != FR_DROP;
	}
}

static __always_inline int is_forwarded_flow(const struct fr_scene *s, const struct fr_flow *flow)
{
	return flow && flow->reason == FR_REASON_FORWARDED &&
	       !(s->head->flags & FR_F_FORWARD_JUDGE);
}

/* The flow that the packet belongs to, if any. 1: it is no packet that its flow can carry. */
static __always_inline int judge_flow(const struct fr_scene *s, const struct fr_packet *p,
				      struct fr_finding *f, struct fr_hook h)
{
	int embryo, step;
	struct fr_flow *flow = flow_find(s, p, &p->key, &embryo);

	if (!flow)
		return 0;
	step = flow_step(flow, p);
	step |= s->conf->zero;
	if (step == FR_STEP_REFUSE)
		return 1;
	if (step != FR_STEP_FRESH) {
		f->flow = flow;
		f->opened = step; /* again */
		f->embryo = embryo && !is_icmp(p);
		f->opener = flow->opener;
	} else {
		f->stale = !embryo && !is_icmp(p); /* the ports were used again */
		f->theirs = flow->opener != h.dir && !(flow->flags & FR_FLOW_WOULD_DROP);
	}
	return 0;
}

/* A packet of a known flow: its opening, judged by the current generation. */
static __always_inline void judge_known(const struct fr_scene *s, const struct fr_packet *p,
					struct fr_finding *f, struct fr_hook h)
{
	find_cell(s, f, judge_cell(s, p, f->opener, flow_port(&p->key, f->opener), 0));
	f->opened &= ~f->verdict; /* what is dropped opens nothing; without a branch */
	if (h.dir == f->opener)
		return;
	if (f->verdict == FR_PASS) {
		f->reason = FR_REASON_REPLY;
	} else if (f->verdict == FR_DROP && p->key.proto != FR_PROTO_TCP && !is_icmp(p)) {
		f->stale = !f->embryo; /* refused openings are no flows: this may open one */
		f->flow = 0;
		f->opener = h.dir;
	}
}

/* A packet that no flow knows: it opens one, or is met mid-stream. */
static __always_inline void judge_new(struct fr_scene *s, struct fr_packet *p, struct fr_finding *f,
				      struct fr_hook h)
{
	__u16 port = p->port;

	scene_owner(s, p, h);
	if (judge_unknown(s, p, f, h))
		return;
	f->start |= s->conf->zero;
	f->opener |= s->conf->zero;
	p->key.proto |= s->conf->zero;
	p->tcp_flags |= s->conf->zero;
	p->icmp_reply |= s->conf->zero;
	if (f->start == 1 + FR_FLOW_ADOPTED)
		port = flow_port(&p->key, f->opener);
	find_cell(s, f, judge_rarely(s, p, f->opener, port, 0));
	if (f->start == 1 + FR_FLOW_ADOPTED) {
		if (f->verdict == FR_PASS)
			f->reason = FR_REASON_ADOPTED;
	} else if (f->verdict != FR_PASS) {
		judge_refused(s, p, f, h);
	} else {
		f->opened = !!f->start;
	}
}

static __always_inline void judge_conversation(struct fr_scene *s, struct fr_packet *p,
					       struct fr_finding *f, struct fr_hook h)
{
	int refuse = judge_flow(s, p, f, h);

	if (is_forwarded(s, p, h) || is_forwarded_flow(s, f->flow)) {
		find_pass(f, FR_RULE_OTHER, FR_REASON_FORWARDED);
		f->start = f->flow || refuse ? 0 : 1 + FR_FLOW_OPENING;
		return;
	}
	if (refuse) {
		find_refused(s, f, FR_REASON_STATE);
		return;
	}
	if (f->flow)
		judge_known(s, p, f, h);
	if (f->flow)
		return;
	p->key.proto |= s->conf->zero;
	p->tcp_flags |= s->conf->zero;
	finding_forget(f, s->conf->zero);
	judge_new(s, p, f, h);
}

/* ---------------------------------------------------------------- one packet */

static __always_inline int is_loopback_address(const struct fr_peer *peer)
{
	return peer->v4 ? peer->high >> 56 == 127 : !peer->high && peer->low == 1;
}

/* 127/8 or ::1 that arrives on a device other than lo. */
static __always_inline int is_misplaced(const struct fr_packet *p, struct fr_hook h)
{
	struct fr_peer local;

	if (h.dir != FR_INGRESS && h.kind != FR_KIND_GUEST)
		return 0;
	packet_peer(&local, p->key.local, p->v4);
	return is_loopback_address(&p->peer) || is_loopback_address(&local);
}

/* What is decided before any rule is asked. 1: decided. */
static __always_inline int judge_before(const struct fr_scene *s, const struct fr_packet *p,
					struct fr_finding *f, struct fr_hook h)
{
	__u32 flags = s->head->flags;

	switch (p->outcome) {
	case FR_NON_IP:
		if (flags &
		    (h.kind == FR_KIND_GUEST ? FR_F_NONIP_DENY_GUEST : FR_F_NONIP_DENY_IF)) {
			find_refused(s, f, FR_REASON_NON_IP);
			return 1;
		} /* fall through */
	case FR_NON_IP_KNOWN:
		find_pass(f, FR_RULE_OTHER, FR_REASON_NON_IP);
		return 1;
	case FR_BROKEN:
		find_refused(s, f, FR_REASON_MALFORMED);
		return 1;
	case FR_EXT_LIMIT:
		find_refused(s, f, FR_REASON_EXT_HEADERS);
		return 1;
	}
	if (h.kind == FR_KIND_CGROUP && s->ifindex == 1) {
		if (!(flags & FR_F_LOOPBACK))
			return 0;
		find_pass(f, FR_RULE_LOOPBACK, FR_REASON_LOOPBACK);
		return 1;
	}
	if (!is_misplaced(p, h))
		return 0;
	find_refused(s, f, FR_REASON_MALFORMED);
	return 1;
}

static __always_inline void judge_ip(struct fr_scene *s, struct fr_packet *p, struct fr_finding *f,
				     struct fr_hook h)
{
	__u8 reason = 0;
	__u32 rule = judge_builtin(s, p, &reason);

	reason |= s->conf->zero;
	p->key.proto |= s->conf->zero;
	p->v4 |= s->conf->zero;
	if (rule)
		find_pass(f, rule, reason);
	else if (s->head->flags & FR_F_ICMP_ERROR && is_icmp_error(p) && judge_icmp_error(s, p))
		find_pass(f, FR_RULE_ICMP_ERROR, FR_REASON_ICMP_ERROR);
	else if (p->key.proto |= s->conf->zero, p->fragment != FR_LATER)
		judge_conversation(s, p, f, h);
	else if (is_forwarded(s, p, h))
		find_pass(f, FR_RULE_OTHER, FR_REASON_FORWARDED);
	else
		judge_fragment(s, p, f, h);
}

/* Audit remembers an opening that it would refuse, but not at the expense of an admitted flow. */
static __always_inline int finding_is_kept(const struct fr_finding *f)
{
	return f->verdict == FR_WOULD_DROP && !f->theirs;
}

/* What the finding leaves behind: flows, figures, events. */
static __always_inline void judge_settle(const struct fr_scene *s, const struct fr_packet *p,
					 struct fr_finding *f, struct fr_hook h)
{
	if (!f->slot)
		f->slot = rule_slot(s, f->rule);
	if (f->flow)
		flow_update(s, p, f, h);
	else if (f->start && (f->verdict == FR_PASS || finding_is_kept(f)))
		flow_open(s, p, f);
	if (p->fragment == FR_FIRST && h.dir == FR_EGRESS && f->verdict == FR_PASS)
		fragment_note(s, p, f->slot);
	if (f->staged && f->verdict == FR_PASS) {
		book_rule(s, p, f, h);
		find(f, f->staged, FR_WOULD_DROP, FR_REASON_RULE);
		f->slot = rule_slot(s, f->staged);
	}
	book(s, p, f, h);
}

static __always_inline int judge_packet(struct fr_scene *s, struct fr_packet *p, struct fr_hook h)
{
	struct fr_finding f = {.opener = h.dir};

	if (!judge_before(s, p, &f, h))
		judge_ip(s, p, &f, h);
	finding_forget(&f, s->conf->zero);
	judge_settle(s, p, &f, h);
	return f.verdict;
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

#endif /* FR_JUDGE_H */
