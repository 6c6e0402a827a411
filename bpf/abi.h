/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract between the two halves: the data that one of user space and the kernel programs
 * writes into the maps and the other reads. Plain data in host byte order unless a field says
 * otherwise; no pointers, no policy words. A change of any layout here raises FR_ABI_VERSION.
 */
#ifndef FR_ABI_H
#define FR_ABI_H

#include <linux/types.h>

#define FR_ABI_VERSION 8

/* The layout, beside each struct that both halves share or that fills cache lines. */
#define FR_SIZE(type, bytes)                                                                       \
	_Static_assert(sizeof(struct type) == (bytes), #type " has another size")
#define FR_AT(type, member, offset)                                                                \
	_Static_assert(__builtin_offsetof(struct type, member) == (offset), #type "." #member)

/* ---------------------------------------------------------------- words */

/*
 * Each list is the one place of its names: the enum follows from it here, the words that users see
 * and write follow from it in user/base/words.c.
 */
#define FR_NAME(name, ...) FR_##name,

/* Direction as the protected party sees it. */
#define FR_DIRECTIONS(X) X(EGRESS, "egress") X(INGRESS, "ingress")
enum fr_dir { FR_DIRECTIONS(FR_NAME) FR_DIRS };

/* The verdict on a packet. WOULD_DROP: passed in audit mode; enforcement would have dropped it. */
#define FR_VERDICT_NAMES(X) X(PASS, "pass") X(DROP, "drop") X(WOULD_DROP, "would-drop")
enum fr_verdict { FR_VERDICT_NAMES(FR_NAME) FR_VERDICTS };

/* The mode of a policy, and of one deny rule. */
#define FR_MODE_NAMES(X) X(AUDIT, "audit") X(ENFORCE, "enforce")
enum fr_mode { FR_MODE_NAMES(FR_NAME) FR_MODES };

/*
 * From where the answers to a datagram may come, as its rule says. DEFAULT: by the question. A
 * group or broadcast address never sends, so one to it is answered as under GROUP; one to
 * FR_TFTP_PORT as under PEER_ANY_PORT; any other as under PEER.
 */
#define FR_ANSWERS_NAMES(X)                                                                        \
	X(DEFAULT, "default")                                                                      \
	X(PEER, "peer")			  /* from the address and port that was asked */           \
	X(PEER_ANY_PORT, "peer-any-port") /* from any port of that address */                      \
	X(GROUP, "group")		  /* from any port of any peer of the rule */
#define FR_ANSWERS_NAME(name, ...) FR_ANSWERS_##name,
enum fr_answers { FR_ANSWERS_NAMES(FR_ANSWERS_NAME) FR_ANSWERS_COUNT };
enum { FR_TFTP_PORT = 69 }; /* RFC 1350: the server answers from another port than was asked */

/* The kind of an attach point, with the key of `attach` that lists it. */
#define FR_KIND_NAMES(X)                                                                           \
	X(INTERFACE, "interface", "interfaces")                                                    \
	X(GUEST, "guest", "guests")                                                                \
	X(CGROUP, "cgroup", "cgroups")
#define FR_KIND_NAME(name, ...) FR_KIND_##name,
enum fr_kind { FR_KIND_NAMES(FR_KIND_NAME) FR_KINDS };

/* The reason of a verdict. Every verdict has one. */
#define FR_REASONS(X)                                                                              \
	X(RULE, "rule")			      /* a rule of the policy decided the opening */       \
	X(DEFAULT, "default")		      /* no rule matched */                                \
	X(FAILSAFE, "failsafe")		      /* a failsafe rule, or the reply to one */           \
	X(REPLY, "reply")		      /* belongs to a flow that the other side opened */   \
	X(ADOPTED, "adopted")		      /* unknown mid-stream packet of a live socket */     \
	X(LOOPBACK, "loopback")		      /* device lo */                                      \
	X(NEIGHBOUR, "neighbour-discovery")   /* NS, NA, RS, RA with hop limit 255 */              \
	X(MULTICAST, "multicast-listener")    /* IGMP and MLD, TTL or hop limit 1 */               \
	X(DHCP, "dhcp")			      /* DHCPv4 and v6 client */                           \
	X(ICMP_ERROR, "icmp-error")	      /* error about a known or admissible flow */         \
	X(FORWARDED, "forwarded")	      /* proven not to be this host's own traffic */       \
	X(FORWARDED_REPLY, "forwarded-reply") /* TCP for a masqueraded connection */               \
	X(NON_IP, "non-ip")		      /* ARP and the like, or another ethertype */         \
	X(FRAGMENT, "fragment")		      /* a later fragment */                               \
	X(IPSEC_INNER, "ipsec-inner")	      /* was admitted as ESP */                            \
	X(STATE, "state")		      /* no packet that this flow can carry */             \
	X(MALFORMED, "malformed")	      /* header truncated or impossible */                 \
	X(EXT_HEADERS, "extension-headers")   /* IPv6 chain past the limit */

#define FR_REASON_NAME(name, ...) FR_REASON_##name,
enum fr_reason { FR_REASONS(FR_REASON_NAME) FR_REASONS_COUNT };

/* ---------------------------------------------------------------- limits */

enum {
	FR_LINE_BYTES = 64,
	FR_LINE_WORDS = 16,
	FR_TRIE_LEVELS = 8,		    /* nodes from the root of a trie on, at most */
	FR_TRIE_STRIDE_MAX = 8,		    /* bits a node consumes, at most */
	FR_BUCKET_KEYS = 5,		    /* sorted keys in a bucket line */
	FR_MAX_RULES = 1 << 20,		    /* rules of one image, built-in ones included */
	FR_MAX_LINES = 1 << 22,		    /* lines of one image: 256 MB */
	FR_EXT_HEADERS_MAX = 6,		    /* IPv6 extension headers that are walked */
	FR_VLAN_TAGS_MAX = 2,		    /* tags with a VLAN id */
	FR_TAGS_MAX = FR_VLAN_TAGS_MAX + 8, /* in-band tags that are walked, priority tags too */
	FR_NAME_MAX = 64,		    /* policy, table, row, rule names, with the NUL */
	FR_HOOKS_MAX = 512,		    /* attach points of one policy */
	FR_REQUEST_MAX = 198, /* bytes of a name or pattern of `attach`, with its NUL */
	FR_SOURCE_MAX = 4096, /* of a path, and of the words of a command, with their NULs */
	FR_COMM_LEN = 16,
};

/* Slots of the outer map `fr_images`. */
enum fr_image_slot {
	FR_SLOT_CURRENT, /* the generation in force, until its deadline */
	FR_SLOT_BEFORE,	 /* the one before it, for packets that began under it, and in force past
			  * the deadline; nothing: all packets pass then */
	FR_IMAGE_SLOTS
};

/* ---------------------------------------------------------------- the image
 *
 * One compiled policy: an array of 64-byte lines, one BPF_F_MMAPABLE ARRAY map. The
 * outer map `fr_images` has the generation in force: enum fr_image_slot. Offsets are line numbers
 * from the start of the image. Nothing in it is a pointer, so the very same bytes serve the kernel
 * and user space.
 *
 * The first lines are those of enum fr_image_line. Then, in any order: address tries, service
 * directories and tables, matrices, staged, slots.
 *
 * Look-up:  address --trie--> row      protocol, port --service directory--> column
 *           matrix[row][column] -> cell {action, rule}
 *
 * Addresses are 128 bits, IPv4 apart: a v4 address is the key (u64)addr << 32 in its own trie; a v6
 * address is looked up by its high 64 bits, then, where an entry says so, by its low 64 bits.
 */
enum fr_image_line {
	FR_LINE_HEAD,  /* struct fr_image_head */
	FR_LINE_CONF,  /* struct fr_image_conf */
	FR_LINE_IDENT, /* struct fr_image_ident */
	FR_LINES_FIXED
};

struct fr_image_dir {
	__u32 root4;	/* trie entry: where v4 addresses begin */
	__u32 root6;	/* the same of v6, over the high half */
	__u32 services; /* line: 256 struct fr_service, by IP protocol number */
	__u32 matrix;  /* line: dense: cells [row][columns]; else block numbers [row][columns / 16],
			* or  where paged, page numbers [row][columns / 256] */
	__u32 columns; /* cells of a row, a multiple of 16, where paged of 256 */
};
FR_SIZE(fr_image_dir, 20);

/* Flags of a head. The built-ins are on unless the policy's `builtin:` switches them off. */
enum fr_image_flags {
	FR_F_ENFORCE = 1 << 0, /* drop; absent: audit */
	FR_F_DENSE = 1 << 1,   /* matrix lines hold cells; absent: lines of block line numbers */
	FR_F_FORWARD_JUDGE = 1 << 2, /* forwarded: judge */
	FR_F_IPSEC_JUDGE = 1 << 3,   /* ipsec: judge */
	FR_F_NONIP_DENY_IF = 1 << 4, /* non-ip: deny, on interfaces */
	FR_F_NONIP_DENY_GUEST = 1 << 5,
	FR_F_PAGED = 1 << 6, /* not dense, and rows hold pages: lines of 16 block line numbers */
	FR_F_LOOPBACK = 1 << 8,
	FR_F_NEIGHBOUR = 1 << 9,
	FR_F_MULTICAST = 1 << 10,
	FR_F_DHCP = 1 << 11,
	FR_F_ICMP_ERROR = 1 << 12,
	FR_F_FORWARDING_ON = 1 << 16, /* host fact at apply: ip_forward or ipv6 forwarding is on */
	FR_F_BRIDGE_PORTS = 1 << 17,  /* host fact at apply: fr_ports has entries */
	FR_F_PARTIES = 1 << 19,	      /* host fact at apply: fr_ports has guests of a party */
	FR_F_HOST_FACTS = FR_F_FORWARDING_ON | FR_F_BRIDGE_PORTS | FR_F_PARTIES,
	FR_F_ANSWERS = 1 << 18, /* a rule of UDP is not `answers: peer`: subnets follow */
};

/* All that a packet of a known flow needs, read once per packet. */
struct fr_image_head {
	__u64 deadline;	  /* ns of the boot clock: past it FR_SLOT_BEFORE is in force; 0: none. The
			   * loader stores it whole, also while programs read it */
	__u32 generation; /* 1, 2, …; 0 never */
	__u32 flags;	  /* enum fr_image_flags */
	__u32 slots;	  /* line: FR_SLOT_WORD by rule number; the loader fills in the slots */
	__u32 staged; /* line: struct fr_staged, indexed by staged cells; 0 when there are none */
	struct fr_image_dir dir[FR_DIRS];
};
FR_SIZE(fr_image_head, FR_LINE_BYTES);
FR_AT(fr_image_head, dir, 24);

/* Of a rule: its counter slot and, in the upper bits, enum fr_answers. */
enum { FR_SLOT_BITS = 30 };
#define FR_SLOT_WORD(slot, answers) ((__u32)(answers) << FR_SLOT_BITS | (__u32)(slot))
#define FR_SLOT(word) ((word) & ((1u << FR_SLOT_BITS) - 1))
#define FR_SLOT_ANSWERS(word) ((word) >> FR_SLOT_BITS)
_Static_assert((int)FR_ANSWERS_COUNT <= 1 << (32 - FR_SLOT_BITS), "all answers fit");
_Static_assert((int)FR_MAX_RULES <= 1 << FR_SLOT_BITS, "all slots fit");

/*
 * A subnet of this host's devices: addresses and masks are as in the key of a flow, so the mask of
 * an IPv4 subnet begins with 96 ones. With FR_F_ANSWERS, FR_SUBNETS of them are on the lines after
 * the slots, all zero as compiled; the loader fills them in, and a mask of zeros ends the list.
 */
enum { FR_SUBNETS = 64 };
struct fr_subnet {
	__u8 address[16];
	__u8 mask[16];
};
FR_SIZE(fr_subnet, FR_LINE_BYTES / 2);

/* Time-outs: in seconds as compiled, in jiffies once the loader has installed the image. */
enum fr_timeout {
	FR_TIMEOUT_TCP_OPENING, /* no third packet from the opener yet */
	FR_TIMEOUT_TCP_ESTABLISHED,
	FR_TIMEOUT_TCP_CLOSING, /* a FIN each way, or a RST */
	FR_TIMEOUT_UDP_ONEWAY,
	FR_TIMEOUT_UDP,
	FR_TIMEOUT_ICMP,
	FR_TIMEOUT_ADOPT, /* guests: adoption after attach or a counted eviction from fr_flows */
	FR_TIMEOUT_EVENT, /* at most one drop event per peer and port in this time */
	FR_TIMEOUTS
};

struct fr_image_conf {
	__u32 timeout[FR_TIMEOUTS];
	__u64 adopt_until; /* jiffies64; 0 as compiled; the loader writes it at attach */
	__u32 rules;	   /* number of rules, built-in ones included */
	__u32 lines;	   /* number of lines in use */
	__u32 rows[FR_DIRS];
	__u64 zero; /* always 0, which the verifier cannot know: see join.h */
};
FR_SIZE(fr_image_conf, FR_LINE_BYTES);
FR_AT(fr_image_conf, adopt_until, 32);
FR_AT(fr_image_conf, zero, 56);

struct fr_image_ident {
	__u32 abi;	 /* FR_ABI_VERSION */
	__u32 conntrack; /* jiffies: conntrack keeps the tuple of a forwarded packet at least that
			    long; 0 as compiled; the loader writes it */
	__u8 digest[32]; /* SHA-256 of the compiled image with this field, slots and generation 0 */
	__u8 names[24]; /* of SHA-256 of the rules' names and origins: a renamed rule is a new image
			 */
};
FR_SIZE(fr_image_ident, FR_LINE_BYTES);
FR_AT(fr_image_ident, digest, 8);

/* These together. */
struct fr_image_start {
	struct fr_image_head head;
	struct fr_image_conf conf;
	struct fr_image_ident ident;
};
FR_SIZE(fr_image_start, FR_LINES_FIXED *FR_LINE_BYTES);
FR_AT(fr_image_start, conf, FR_LINE_CONF *FR_LINE_BYTES);
FR_AT(fr_image_start, ident, FR_LINE_IDENT *FR_LINE_BYTES);

/* Rules that every image has, by number; the policy's own follow from FR_RULE_FIRST in file order.
 */
enum fr_rule_number {
	FR_RULE_DEFAULT_EGRESS,	 /* = FR_EGRESS  */
	FR_RULE_DEFAULT_INGRESS, /* = FR_INGRESS */
	FR_RULE_LOOPBACK,
	FR_RULE_NEIGHBOUR,
	FR_RULE_MULTICAST,
	FR_RULE_DHCP,
	FR_RULE_ICMP_ERROR,
	FR_RULE_OTHER, /* verdicts that no rule decides: forwarded, non-ip, malformed, fragment */
	FR_RULE_FIRST
};

/*
 * A cell: bits 31-30 action, bit 29 staged, bits 28-0 number. Not staged: the number of the
 * deciding rule. Staged: the index of a struct fr_staged: a deny rule in `mode: audit` matches here
 * as well.
 */
#define FR_ACTION_NAMES(X) X(DENY, "deny") X(ALLOW, "allow") X(FAILSAFE_ALLOW, "failsafe")
enum fr_action { FR_ACTION_NAMES(FR_NAME) FR_ACTIONS };
#define FR_CELL(action, number) ((__u32)(action) << 30 | (__u32)(number))
#define FR_CELL_ACTION(cell) ((cell) >> 30)
#define FR_CELL_STAGED (1u << 29)
#define FR_CELL_NUMBER(cell) ((cell) & (FR_CELL_STAGED - 1))

struct fr_staged {
	__u32 real; /* the cell as if the staged rule did not exist */
	__u32 rule; /* number of the staged deny rule */
};
FR_SIZE(fr_staged, 8);

/*
 * A trie entry: bits 31-30 kind, bits 29-26 stride (0 is 16), bits 25-0 number. The key's next
 * bits, from the most significant, are those that no node has consumed yet.
 *   LEAF    number = row of the matrix.
 *   NODE    number = line of 1 << stride entries (stride 1 … 16), by the next stride bits.
 *   BUCKET  number = line of a struct fr_bucket.
 *   LOW     number = line whose word 0 is the entry to go on with, over the low 64 bits (v6 only).
 * From a root, or from a LOW line, at most FR_TRIE_LEVELS nodes follow each other before a LEAF,
 * BUCKET or LOW.
 */
enum fr_trie_kind { FR_TRIE_LEAF, FR_TRIE_NODE, FR_TRIE_BUCKET, FR_TRIE_LOW };
#define FR_TRIE(kind, stride, number)                                                              \
	((__u32)(kind) << 30 | ((__u32)(stride)&15) << 26 | (__u32)(number))
#define FR_TRIE_KIND(entry) ((entry) >> 30)
#define FR_TRIE_STRIDE(entry) (((((entry) >> 26) - 1) & 15) + 1)
#define FR_TRIE_NUMBER(entry) ((entry) & ((1u << 26) - 1))

/* Whole 64-bit keys, ascending; entry[i] serves key[i-1] <= k < key[i]. Unused keys: all ones, and
 * their entries equal to the last one in use. Entries are LEAF or LOW. */
struct fr_bucket {
	__u64 key[FR_BUCKET_KEYS];
	__u32 entry[FR_BUCKET_KEYS + 1];
};
FR_SIZE(fr_bucket, FR_LINE_BYTES);
FR_AT(fr_bucket, entry, 40);

/*
 * One protocol's ports: table 0: every packet of this protocol is column `column`. Else `table` is
 * the line of 65,536 u16, and the column is `column` + table[port]; entry values start at 1,
 * because column + 0 is the fragment column: the best that any port of this protocol could get
 * (failsafe, allow, deny in that order), asked for packets without ports.
 * "port": the listener's port; for ICMP and ICMPv6, type << 8 | code.
 */
struct fr_service {
	__u32 table;
	__u32 column;
};
FR_SIZE(fr_service, 8);

/* ---------------------------------------------------------------- failsafe */

/* A look-up, beside the peer's address: the listener's port in the low 16 bits, and: */
enum {
	FR_ASK_V4 = 1 << 16,
	FR_ASK_PORTLESS_BIT = 17,
	FR_ASK_PORTLESS = 1 << FR_ASK_PORTLESS_BIT, /* of a packet that carries no port */
	FR_ASK_OPENER = 18,			    /* shift: enum fr_dir */
	FR_ASK_PROTO = 24,			    /* shift: IP protocol */
};

/*
 * The failsafe rules of a generation, beside its image and independent of it: `fr_failsafe` at
 * generation % FR_FAILSAFE_LISTS; a list of another generation is none. The loader writes a list
 * before its generation comes into force, in a place that no generation in force has. The first
 * entry that fits decides, before the image is asked; they are in the order of rules.
 */
enum { FR_FAILSAFE_LISTS = 4, FR_FAILSAFE_ENTRIES = 64 };
struct fr_failsafe_entry {
	__u64 high, low;	   /* peer, halves in host order as in struct fr_peer */
	__u64 mask_high, mask_low; /* ones: bits of the peer that count */
	__u32 ask, mask_ask;	   /* FR_ASK_*, the port 0, and the bits that count */
	__u16 first, last;	   /* ports, or ICMP type << 8 | code, in host order */
	__u32 rule;		   /* its number in the image, never 0 */
};
FR_SIZE(fr_failsafe_entry, 48);
struct fr_failsafe {
	__u32 generation;
	__u32 count;
	__u64 digest; /* the first bytes of SHA-256 of the entries in use */
	struct fr_failsafe_entry entry[FR_FAILSAFE_ENTRIES];
};
FR_SIZE(fr_failsafe, 16 + FR_FAILSAFE_ENTRIES * sizeof(struct fr_failsafe_entry));

/* ---------------------------------------------------------------- counters */

/* `fr_counters`, per-CPU, by slot. Only the kernel writes it; user space subtracts baselines. */
struct fr_counters {
	__u64 packets;	/* max(1, gso segments), everything counted on the rule */
	__u64 bytes;	/* L3 */
	__u64 attempts; /* openings that passed, would-drop ones included */
	__u64 drops;
	__u64 would_drops;
	__u64 last;	   /* jiffies64 of the last packet */
	__u64 unlisted;	   /* refused packets that fr_drops has no entry of, see drops.h */
	__u64 connections; /* attempts that were answered */
};
FR_SIZE(fr_counters, FR_LINE_BYTES);

/* `fr_reasons`, per-CPU, by FR_REASON_INDEX. */
struct fr_reason_counters {
	__u64 packets[FR_VERDICTS];
	__u64 bytes[FR_VERDICTS];
};
FR_SIZE(fr_reason_counters, 48);
enum { FR_REASONS_MAX = 32 };
_Static_assert(FR_REASONS_COUNT <= (int)FR_REASONS_MAX, "an index for each");
#define FR_REASON_INDEX(kind, dir, reason) (((kind)*FR_DIRS + (dir)) * FR_REASONS_MAX + (reason))
#define FR_REASON_ENTRIES (FR_KINDS * FR_DIRS * FR_REASONS_MAX)

/* How much a flow is worth: a new one takes the place of one that is worth less. Stored in `info`.
 */
#define FR_CLASSES(X)                                                                              \
	X(ENDED, "ended")	  /* closed by both sides */                                       \
	X(UNPROVEN, "unproven")	  /* opened by others, not shown to receive answers */             \
	X(SUSTAINED, "sustained") /* datagrams of others, sent again after an answer */            \
	X(OWN, "own") /* opened by the protected party: pending connections, datagrams */          \
	X(ESTABLISHED, "established") /* TCP with a whole handshake, or adopted and answered */

#define FR_CLASS_NAME(name, ...) FR_CLASS_##name,
enum fr_class { FR_CLASSES(FR_CLASS_NAME) FR_CLASSES_COUNT };

/* `fr_events_lost` and the like: `fr_tallies`, per-CPU u64. */
enum fr_tally {
	FR_TALLY_EVENTS_LOST, /* the ring buffer was full */
	FR_TALLY_EVENTS_HELD, /* rate-limited */
	FR_TALLY_FLOWS_OPENED,
	FR_TALLY_FLOWS_ADOPTED,
	FR_TALLY_EVICTED, /* + enum fr_class: live flows that made room for another */
	FR_TALLY_NO_ROOM = FR_TALLY_EVICTED + FR_CLASSES_COUNT, /* + enum fr_class: not kept */
	FR_TALLY_COUNT = FR_TALLY_NO_ROOM + FR_CLASSES_COUNT
};

/* ---------------------------------------------------------------- flows */

/* Addresses are 16 bytes in network order, IPv4 as ::ffff:a.b.c.d. Ports in host order. Padding 0.
 */
struct fr_flow_key {
	__u8 local[16]; /* the protected party */
	__u8 peer[16];
	__u16 local_port; /* ICMP: identifier */
	__u16 peer_port;  /* ICMP: the request's type << 8 | code */
	__u32 scope;	  /* FR_SCOPE, of a cgroup's flow FR_SCOPE_OF_SPACE */
	__u16 vlan;	  /* outer tag's VLAN id, 0 without; of a cgroup's flow FR_VLAN_OF_SPACE */
	__u8 proto;
	__u8 pad;
};
FR_SIZE(fr_flow_key, 44);
FR_AT(fr_flow_key, local_port, 32);
FR_AT(fr_flow_key, scope, 36);

/*
 * Flows of two scopes have nothing to do with each other. The flows of all interfaces are one
 * scope, those of each guest are their own, those of a cgroup are apart by space: the network
 * namespace of the socket or, where that is unknown, the socket itself. A space is a cookie of
 * the kernel's, which counts up from boot and comes nowhere near 45 bits, and a bit for which of
 * the two it is. It fills the scope and the VLAN id, which sockets do not have.
 */
enum { FR_SCOPE_BITS = 30, FR_SPACE_BITS = 45 };
#define FR_SCOPE(kind, ifindex)                                                                    \
	((__u32)(kind) << FR_SCOPE_BITS | ((kind) == FR_KIND_GUEST ? (ifindex) : 0))
#define FR_SCOPE_KIND(scope) ((scope) >> FR_SCOPE_BITS)
#define FR_SCOPE_IFINDEX(scope) ((scope) & ((1u << FR_SCOPE_BITS) - 1)) /* of a guest's */
#define FR_SPACE_SOCKET (1ull << FR_SPACE_BITS) /* the cookie is a socket's */
#define FR_SPACE_COOKIE(space) ((space) & (FR_SPACE_SOCKET - 1))
#define FR_SCOPE_OF_SPACE(space) (FR_SCOPE(FR_KIND_CGROUP, 0) | FR_SCOPE_IFINDEX((__u32)(space)))
#define FR_VLAN_OF_SPACE(space) ((__u16)((space) >> FR_SCOPE_BITS))
#define FR_KEY_SPACE(key) /* of a cgroup's flow */                                                 \
	((__u64)(key)->vlan << FR_SCOPE_BITS | FR_SCOPE_IFINDEX((key)->scope))
#define FR_KEY_VLAN(key) (FR_SCOPE_KIND((key)->scope) == FR_KIND_CGROUP ? 0 : (key)->vlan)

/* How the programs of cgroups learn the space of a packet. The loader says. */
enum fr_space_by {
	FR_SPACE_BY_OWNER,  /* struct fr_owner of its socket */
	FR_SPACE_BY_PACKET, /* the kernel reports the namespace of any packet */
	FR_SPACE_BY_NOTHING /* all is one: for packets without a socket, of tests */
};

#define FR_FLOW_STATE_NAMES(X)                                                                     \
	X(OPENING, "opening")	      /* TCP: SYN seen; others: only the opener has sent */        \
	X(ANSWERED, "answered")	      /* TCP: SYN-ACK seen */                                      \
	X(ESTABLISHED, "established") /* TCP: third packet; others: both sides have sent */        \
	X(CLOSING, "closing")	      /* TCP: FIN from both, or RST */                             \
	X(ADOPTED, "adopted")	      /* picked up mid-stream */
#define FR_FLOW_STATE_NAME(name, ...) FR_FLOW_##name,
enum fr_flow_state {
	FR_FLOW_STATE_NAMES(FR_FLOW_STATE_NAME) FR_FLOW_STATES,
	FR_FLOW_NONE = FR_FLOW_STATES
};

enum fr_flow_flags {
	FR_FLOW_FIN_OPENER = 1 << 0,
	FR_FLOW_FIN_RESPONDER = 1 << 1,
	FR_FLOW_WOULD_DROP = 1 << 2, /* audit: the opening would have been refused */
	FR_FLOW_SUSTAINED = 1 << 3,  /* datagrams: the opener went on after it was answered */
	FR_FLOW_SYN_BOTH = 1 << 4,   /* TCP: simultaneous open */
	FR_FLOW_RST_OPENER = 1 << 5, /* TCP: closed by a RST while established */
	FR_FLOW_RST_RESPONDER = 1 << 6,
	FR_FLOW_SYN_AGAIN = 1 << 7, /* TCP: the opener's last was another SYN, while established */
};

/* The part of a flow that packets change: read and written as a whole. */
struct fr_progress {
	__u8 opener; /* enum fr_dir: EGRESS, the protected party opened */
	__u8 state;  /* enum fr_flow_state */
	__u8 flags;  /* enum fr_flow_flags */
	__u8 reason; /* enum fr_reason of the opening */
	union {
		__u32 isn;   /* TCP: the initial sequence number of the responder's last SYN */
		__u32 sent;  /* others, forwarded: jiffies, low half, when one last went out */
		__u32 asker; /* UDP, else: the number of the socket that opened it, 0 not known */
	};
};
FR_SIZE(fr_progress, 8);

/* A flow record is state and accounting, and the answer of one generation about its opening
 * (track.h), which no other generation uses. Two cache lines: finding a flow reads the first one
 * alone. */
struct fr_flow {
	struct fr_flow_key key;
	union {
		struct fr_progress progress;
		struct {
			__u8 opener, state, flags, reason;
			union {
				__u32 isn, sent, asker;
			};
		};
	};
	__u32 slot; /* counter slot of the rule that admitted (or would refuse) the opening */
	__u64 last; /* jiffies64 */

	__u64 packets[FR_DIRS];
	__u64 bytes[FR_DIRS];
	__u32 first;		    /* jiffies, low half */
	__u32 seal;		    /* of `cell`; programs only, see track.h */
	__u32 pid;		    /* of the owner where the hook knows it, else 0 */
	__u32 cell;		    /* of the opening in the image */
	char comm[FR_COMM_LEN - 1]; /* NUL-padded; a whole name has no NUL here */
	__u8 opener_again; /* datagrams: the opener has sent since the responder last did */
};
FR_AT(fr_flow, progress, 44);
FR_AT(fr_flow, packets, FR_LINE_BYTES);
FR_SIZE(fr_flow, 2 * FR_LINE_BYTES);

/* The owner of a socket, and the space of its flows. In the storage of the socket: written when a
 * process creates it or connects, or by its first packet. In `fr_processes`: by pid, of each
 * process that created a socket; the space is that of the first one. */
struct fr_owner {
	__u64 space; /* 0: not known yet */
	__u32 pid;   /* 0: not known */
	__u32 uid;   /* the real user id */
	char comm[FR_COMM_LEN];
	__u32 parent_pid;	       /* 0 where the kernel has no BTF */
	char parent_comm[FR_COMM_LEN]; /* empty where the kernel has no BTF */
	__u64 start;		       /* of the process, boot-clock ns; 0 without BTF */
};
FR_SIZE(fr_owner, FR_LINE_BYTES);
FR_AT(fr_owner, start, 56);

/* Fragments of a datagram whose first was allowed, on the way out of the protected party. */
struct fr_fragment_key {
	__u8 local[16];
	__u8 peer[16];
	__u32 id;
	__u32 scope;
	__u16 vlan;
	__u8 proto; /* IPv4 */
	__u8 pad;
};
FR_SIZE(fr_fragment_key, 44);
FR_AT(fr_fragment_key, id, 32);
struct fr_fragment {
	__u64 until; /* jiffies64 */
	__u32 slot;
	__u32 pad;
};
FR_SIZE(fr_fragment, 16);

/*
 * An answer from elsewhere that is awaited, by the party that asked, or to one that asked it: see
 * answers.h.
 */
enum fr_await {
	FR_AWAIT_NOTHING,
	FR_AWAIT_PORT,	/* from any port of the address that was asked */
	FR_AWAIT_GROUP, /* a group was asked: from any port and address */
	FR_AWAIT_PEERS, /* this party asked a host: the same */
	FR_AWAIT_STRANGER =
		FR_AWAIT_PEERS, /* asked by who has no address: from the asked port, to any */
	FR_AWAIT_COUNT
};
struct fr_question {
	__u8 asker[16];
	__u8 asked[16];
	__u64 last; /* jiffies64 */
	__u32 scope;
	__u16 asker_port;
	__u16 vlan;
	__u32 number; /* in its set, the newest has the highest */
	__u32 slot;   /* of the rule that admitted it */
	__u16 asked_port;
	__u8 await; /* enum fr_await; NOTHING: there is none */
	__u8 v4;
	__u32 tag; /* of its hash */
};
FR_SIZE(fr_question, FR_LINE_BYTES);
enum {
	FR_QUESTION_SETS = 512, /* for each enum fr_dir */
	FR_QUESTION_LOOKS = 6,	/* of one packet, one of which at least finds none */
	FR_ASKED_PORTS = 1024,
};

/* A datagram that a socket has received, and when, in jiffies64: see received.h. */
struct fr_received_key {
	__u64 socket; /* its cookie */
	__u8 peer[16];
	__u16 port; /* of the peer */
	__u16 pad[3];
};
FR_SIZE(fr_received_key, 32);

/* The sender of a packet that passed as forwarded: see transit.h. */
struct fr_transit_key {
	__u8 peer[16];
	__u8 proto; /* 0: of later fragments, whatever protocol */
	__u8 pad[3];
};
FR_SIZE(fr_transit_key, 20);
struct fr_transit {
	__u64 last;   /* boot-clock ns */
	__u32 length; /* L3, of the last packet */
	__u32 ifindex;
	__u16 vlan;
	__u16 pad[3];
};
FR_SIZE(fr_transit, 24);

/* ---------------------------------------------------------------- tables of sets
 *
 * `fr_flows` and `fr_drops` are arrays of sets. An entry is in one of the two sets that the keyed
 * hash of its key names; the tag, some more bits of the hash, says in which way. A tag is in a set
 * once at most. Programs change what an entry is, and the first line of its set, under the lock
 * of its region; they add to its figures without. User space only reads.
 */
enum {
	FR_WAYS = 8,	       /* entries of a set */
	FR_REGION_SETS = 64,   /* sets that share a lock; both sets of a key are in one region */
	FR_TICK_SHIFT = 2,     /* of jiffies: the unit of the times in `info` */
	FR_INFO_BITS = 29,     /* of these times */
	FR_SECRET_WORDS = 14,  /* of the hash */
	FR_IMPORT_MAX = 6,     /* flows in the packet that fr_import takes */
	FR_IMPORT_REFUSED = 2, /* its return code when no policy is in force */
	FR_REGIONS_MAX = 1 << 16,
	FR_FLOWS_MIN = FR_REGION_SETS * FR_WAYS / 2, /* of a table; it holds twice as many */
	FR_FLOWS_MAX = FR_REGIONS_MAX * FR_FLOWS_MIN,
	FR_FLOWS_DEFAULT = 1 << 16,
};

#define FR_INFO(class, time) ((__u32)(class) << FR_INFO_BITS | (FR_INFO_TIME & (time)))
#define FR_INFO_TIME ((1u << FR_INFO_BITS) - 1)
#define FR_INFO_CLASS(info) ((info) >> FR_INFO_BITS)

/* The first line of a set. */
struct fr_set {
	__u16 tag[FR_WAYS];  /* 0: free */
	__u32 info[FR_WAYS]; /* class and, in ticks, when a flow ends or a drop was last seen */
	__u32 spill_until;   /* ticks: flows whose first set is this one are in their second */
	__u32 spilled;	     /* 0: never */
	__u32 pad[2];
};
FR_SIZE(fr_set, FR_LINE_BYTES);
FR_AT(fr_set, info, 16);

struct fr_flow_set {
	struct fr_set set;
	struct fr_flow way[FR_WAYS];
};
FR_SIZE(fr_flow_set, (1 + 2 * FR_WAYS) * FR_LINE_BYTES);

/* Packets that were refused, or would have been, aggregated over the opener's own port (0 in the
 * key). */
struct fr_drop {
	struct fr_flow_key key;
	__u32 slot;
	__u64 last; /* jiffies64 */
	__u64 packets;

	__u64 bytes;
	__u64 first;
	__u64 event_next; /* jiffies64: no event of it before */
	__u32 held;	  /* events of it not shown since the last one */
	__u32 generation;
	__u32 pid;
	__u16 opener_port; /* the last one seen */
	__u8 dir;	   /* enum fr_dir: the opener, also of a refused opening */
	__u8 verdict;
	__u8 reason;
	__u8 pad[7];
	char comm[FR_COMM_LEN];
};
FR_AT(fr_drop, bytes, FR_LINE_BYTES);
FR_SIZE(fr_drop, 2 * FR_LINE_BYTES);

struct fr_drop_set {
	struct fr_set set;
	struct fr_drop way[FR_WAYS];
};
FR_SIZE(fr_drop_set, (1 + 2 * FR_WAYS) * FR_LINE_BYTES);

/* `fr_hashing`, one entry. */
struct fr_secret {
	__u64 word[FR_SECRET_WORDS];
};
FR_SIZE(fr_secret, 112);

/* `fr_budget`, one entry, per CPU: how many sources a CPU may list anew. */
struct fr_budget {
	__u64 window; /* jiffies64 >> FR_BUDGET_SHIFT */
	__u32 left;
	__u32 over; /* packets that found nothing left */
	/* The device that was last found not to forward, and when: see host.h. */
	__u64 no_forwarding;
};
FR_SIZE(fr_budget, 24);

/*
 * `fr_ports`, by ifindex, written by user space at apply. Attached interfaces that are ports of a
 * bridge: this host can be reached by these two addresses alone; a frame for another one is only
 * forwarded by the bridge. A program that sees this host send with another address sets `mixed`,
 * and the entry holds no longer. And attached guests of a party with more than one device.
 */
struct fr_port {
	__u8 bridge[6]; /* Ethernet address of the bridge */
	__u8 own[6];	/* and of the port */
	union {
		__u32 mixed;
		__u32 party; /* of a guest: the device whose scope all of its party have */
	};
};
FR_SIZE(fr_port, 16);

/* ---------------------------------------------------------------- events */

enum fr_event_type { FR_EVENT_REFUSED, FR_EVENT_OPENED };

/* One record of the ring buffer `fr_events`. */
struct fr_event {
	__u16 version; /* FR_ABI_VERSION */
	__u8 type;     /* enum fr_event_type */
	__u8 verdict;
	__u8 reason;
	__u8 dir;
	__u8 kind;
	__u8 tcp_flags;
	__u64 time; /* boot-clock ns */
	struct fr_flow_key key;
	__u32 slot;
	__u32 generation;
	__u32 ifindex;
	__u32 length; /* L3 */
	__u32 held;   /* events of this peer and listener's port not shown since the last one */
	__u32 pid;
	char comm[FR_COMM_LEN];
	__u32 pad;
};
FR_SIZE(fr_event, 104);

/* `fr_control`, one entry, written by the one reader of events. */
struct fr_control {
	__u64 refusals_until; /* jiffies64: refusals are read until then */
	__u64 openings_until;
};
FR_SIZE(fr_control, 16);

/* The program `fr_clock` writes it to the beginning of its packet: both taken at one moment. It
 * is in no map, so that no other program can write there meanwhile. */
struct fr_clock_pair {
	__u64 jiffies;
	__u64 boot_ns;
};
FR_SIZE(fr_clock_pair, 16);

/* ---------------------------------------------------------------- records of user space
 *
 * Kept in pinned maps so that any later command can read what runs without the policy's file. The
 * kernel programs never touch them. Strings end in NUL.
 */

/* Of a rule that admits questions over UDP: who may answer, and whether that is the default. */
enum { FR_RULE_STAGED = 1 << 0, FR_RULE_ANSWERS_SHIFT = 1, FR_RULE_BY_DEFAULT = 1 << 3 };
#define FR_RULE_ANSWERS(flags) ((flags) >> FR_RULE_ANSWERS_SHIFT & 3)

/* `fr_rules`, by slot. */
struct fr_rule_record {
	char id[2 * FR_NAME_MAX];
	char table[FR_NAME_MAX]; /* empty: the site's own rule */
	char row[FR_NAME_MAX];
	__u32 line;		 /* of the vendor's document, 0 none */
	__u8 dir;		 /* enum fr_dir; FR_DIRS: both */
	__u8 action;		 /* enum fr_action */
	__u8 flags;		 /* FR_RULE_STAGED, and FR_RULE_ANSWERS */
	__u8 used;		 /* 0: the slot is free */
	__u64 since;		 /* realtime ns: from when the figures count */
	struct fr_counters base; /* to be added to the live counters, modulo 2^64 */
};
FR_SIZE(fr_rule_record, 336);
FR_AT(fr_rule_record, base, 272);

/* `fr_state`, one entry. */
struct fr_state {
	__u32 abi;
	__u32 hooks;   /* entries of fr_hooks in use */
	__u64 netns;   /* inode of the network namespace of the interfaces */
	__u64 applied; /* realtime ns */
	__u64 zeroed;  /* realtime ns */
	char policy[FR_NAME_MAX];
	char build[FR_NAME_MAX];
	char source[FR_SOURCE_MAX]; /* path of the policy file */
	char words[FR_SOURCE_MAX];  /* further words of the command: each with its NUL; "" ends */
};
FR_SIZE(fr_state, 8352);
FR_AT(fr_state, policy, 32);

/* A generation with a deadline, and a user who set or ended it: `fr_pending`, one entry; kept as
 * `fr_undone` beside the generation that is in force after it. */
enum fr_pending_kind { FR_PENDING_CONFIRM, FR_PENDING_UNTIL };
struct fr_pending {
	__u32 kind; /* enum fr_pending_kind */
	__u32 generation;
	__u32 uid, login; /* login: of the audit session, 0xffffffff for none */
	__u64 asked;	  /* realtime ns */
	__u64 begun;	  /* jiffies64, read after the flip; 0: not known */
	__u64 ended;	  /* ns of the boot clock; 0: it is in force */
};
FR_SIZE(fr_pending, 40);

/* `fr_hooks`. */
struct fr_hook_record {
	__u8 kind; /* enum fr_kind */
	__u8 how;  /* 0 TCX link, 1 clsact filter, 2 cgroup link, 3 link of a network namespace,
		      4 links of the root cgroup for the sockets of a network namespace */
	__u8 l3;   /* packets begin at the IP header */
	__u8 used;
	__u32 ifindex; /* 0: of a cgroup, or of a network namespace or its sockets */
	__u64 netns;   /* inode, interfaces and guests */
	__u64 cgroup;  /* id */
	__u32 request; /* entry of fr_requests that names it */
	__u32 reserved;
	char name[192]; /* interface at apply, or cgroup path below the cgroup2 root */
	char pin[48];	/* pin file below the policy's directory, without the hook's suffix */
};
FR_SIZE(fr_hook_record, 272);
FR_AT(fr_hook_record, name, 32);

/* `fr_requests`: the names and patterns of the policy's `attach`, in the order of the file. */
struct fr_request_record {
	__u8 kind; /* enum fr_kind */
	__u8 used;
	char name[FR_REQUEST_MAX];
};
FR_SIZE(fr_request_record, 200);

#endif /* FR_ABI_H */
