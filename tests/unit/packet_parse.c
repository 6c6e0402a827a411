/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parsing of whole packets: addresses, ports, options, extension headers, tags, ICMP keys, and that
 * no prefix of any packet is read past its end or taken for the packet.
 */
#include "packet_fixture.h"

static void expect_ports(const struct fr_packet *p, uint16_t local, uint16_t peer)
{
	cr_expect_eq(p->outcome, FR_IP);
	cr_expect_eq(p->key.local_port, local);
	cr_expect_eq(p->key.peer_port, peer);
}

Test(packet_parse, both_directions_of_a_conversation_have_one_key)
{
	for (int v6 = 0; v6 < 2; v6++)
		for (int udp = 0; udp < 2; udp++) {
			uint8_t proto = udp ? FR_PROTO_UDP : FR_PROTO_TCP;
			struct fr_packet out = PARSE(.v6 = v6, .dir = FR_EGRESS, .proto = proto,
						     .local = 40000, .peer = 443);
			struct fr_packet in = PARSE(.v6 = v6, .dir = FR_INGRESS, .proto = proto,
						    .local = 40000, .peer = 443);

			expect_ports(&out, 40000, 443);
			cr_expect_arr_eq(&out.key, &in.key, sizeof(out.key));
			cr_expect_eq(out.port, 443);
			cr_expect_eq(in.port, 40000);
			cr_expect_eq(out.key.proto, proto);
		}
}

Test(packet_parse, tcp_numbers_are_read_as_they_are_sent)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct fr_packet p = PARSE(.v6 = v6, .proto = FR_PROTO_TCP, .flags = SYN | ACK,
					   .seq = 0xf1e2d3c4, .ack = 0x8badf00d);

		cr_expect_eq(p.seq, 0xf1e2d3c4);
		cr_expect_eq(p.ack, 0x8badf00d);
	}
}

Test(packet_parse, ipv4_is_kept_in_its_mapped_form)
{
	static const uint8_t peer[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 9};
	struct fr_packet p = PARSE(.dir = FR_EGRESS, .proto = FR_PROTO_TCP, .peer = 443);

	cr_expect_arr_eq(p.key.peer, peer, sizeof(peer));
	cr_expect_eq(p.v4, 1);
	cr_expect_eq(p.peer.high, 0xc0000209ull << 32);
	cr_expect_eq(p.peer.low, 0);
	cr_expect_eq(p.length, 40);
}

Test(packet_parse, ipv6_peer_is_two_numbers)
{
	struct fr_packet p = PARSE(.v6 = true, .dir = FR_INGRESS, .proto = FR_PROTO_UDP, .peer = 53,
				   .payload = 4);

	cr_expect_eq(p.v4, 0);
	cr_expect_eq(p.peer.high, 0x20010db800090000ull);
	cr_expect_eq(p.peer.low, WIRE_HOST);
	cr_expect_eq(p.length, 52);
}

/* Else it would have the key of another host's IPv4 flow. */
Test(packet_parse, mapped_addresses_in_an_ipv6_header_are_malformed)
{
	static const uint8_t mapped[16] = {
		[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 9};
	static const uint8_t alike[16] = {[10] = 0xff, [11] = 0xfe, [12] = 192, [14] = 2, [15] = 9};

	for (uint8_t dir = 0; dir < FR_DIRS; dir++) {
		struct wire w = {.v6 = true, .dir = dir, .proto = FR_PROTO_TCP};

		w.peer_addr = mapped;
		cr_expect_eq(parse(&w).outcome, FR_BROKEN);
		w.peer_addr = alike;
		cr_expect_eq(parse(&w).outcome, FR_IP);
		w.local_addr = mapped;
		cr_expect_eq(parse(&w).outcome, FR_BROKEN);
	}
}

Test(packet_parse, ipv4_options_are_never_read_as_ports)
{
	for (uint8_t options = 0; options <= 10; options++) {
		struct fr_packet p = PARSE(.proto = FR_PROTO_TCP, .options = options, .local = 1234,
					   .peer = 443, .flags = SYN);

		expect_ports(&p, 1234, 443);
		cr_expect_eq(p.tcp_flags, SYN);
	}
}

Test(packet_parse, ipv4_header_lengths_that_cannot_be_are_malformed)
{
	struct frame frame;

	wire_make(&(struct wire){.proto = FR_PROTO_TCP, .payload = 40}, &frame);
	for (uint8_t ihl = 0; ihl < 16; ihl++) {
		struct fr_packet p;

		frame.data[frame.ip] = 4 << 4 | ihl;
		p = parse_bytes(frame.data, frame.size, FR_EGRESS);
		cr_expect_eq(p.outcome, ihl < 5 ? FR_BROKEN : FR_IP, "ihl %u", ihl);
	}
	frame.data[frame.ip] = 6 << 4 | 5;
	cr_expect_eq(parse_bytes(frame.data, frame.size, FR_EGRESS).outcome, FR_BROKEN);
}

Test(packet_parse, lengths_that_disagree_with_the_packet_are_malformed)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct frame frame;
		uint8_t *length;

		wire_make(&(struct wire){.v6 = v6, .proto = FR_PROTO_UDP, .payload = 9}, &frame);
		length = frame.data + frame.ip + (v6 ? 5 : 3);
		cr_expect_eq(parse_bytes(frame.data, frame.size, FR_EGRESS).outcome, FR_IP);
		++*length; /* says one byte more than there is */
		cr_expect_eq(parse_bytes(frame.data, frame.size, FR_EGRESS).outcome, FR_BROKEN);
		*length = v6 ? 7 : 27; /* the transport header would end outside of the packet */
		cr_expect_eq(parse_bytes(frame.data, frame.size, FR_EGRESS).outcome, FR_BROKEN);
	}
}

Test(packet_parse, padding_of_the_frame_is_no_part_of_the_packet)
{
	for (int v6 = 0; v6 < 2; v6++)
		for (uint16_t body = 1; body < 20; body++) {
			static const uint8_t bytes[20];
			struct fr_packet p = PARSE(.v6 = v6, .proto = FR_PROTO_TCP, .body = bytes,
						   .body_size = body, .trailer = 40);

			cr_expect_eq(p.outcome, FR_BROKEN, "v6 %d, %u bytes of TCP", v6, body);
		}
}

Test(packet_parse, extension_headers_are_walked_up_to_the_limit)
{
	static const uint8_t kinds[] = {0, 43, 51, 60};

	for (size_t kind = 0; kind < sizeof(kinds); kind++)
		for (uint8_t count = 0; count <= FR_EXT_HEADERS_MAX + 3; count++) {
			struct wire w = {.v6 = true,
					 .proto = FR_PROTO_UDP,
					 .local = 5,
					 .peer = 53,
					 .ext_count = count};
			struct frame frame;
			struct fr_packet p;

			memset(w.ext, kinds[kind], sizeof(w.ext));
			wire_make(&w, &frame);
			for (uint32_t at = frame.ip + 40; kinds[kind] == 51 && at < frame.transport;
			     at += 8)
				frame.data[at + 1] = 0; /* 8 bytes: the unit of AH is 4, less 2 */
			p = parse_bytes(frame.data, frame.size, FR_EGRESS);
			if (count <= FR_EXT_HEADERS_MAX)
				expect_ports(&p, 5, 53);
			else
				cr_expect_eq(p.outcome, FR_EXT_LIMIT, "%u of %u", count,
					     kinds[kind]);
		}
}

Test(packet_parse, long_extension_headers_are_skipped_whole)
{
	struct wire w = {.v6 = true,
			 .proto = FR_PROTO_UDP,
			 .local = 5,
			 .peer = 53,
			 .ext = {60},
			 .ext_count = 1,
			 .payload = 100};
	struct frame frame;
	struct fr_packet p;

	wire_make(&w, &frame);
	frame.data[frame.ip + 41] = 2; /* 24 bytes: the ports are in the former payload */
	wire_put16(frame.data + frame.transport + 16, 77);
	wire_put16(frame.data + frame.transport + 18, 78);
	p = parse_bytes(frame.data, frame.size, FR_EGRESS);
	expect_ports(&p, 77, 78);
	frame.data[frame.ip + 41] = 255;
	cr_expect_eq(parse_bytes(frame.data, frame.size, FR_EGRESS).outcome, FR_BROKEN);
}

/* Of words of four bytes, the first two not counted; all others count in eights. */
Test(packet_parse, an_authentication_header_has_a_length_of_its_own)
{
	struct wire w = {.v6 = true,
			 .proto = FR_PROTO_UDP,
			 .local = 5,
			 .peer = 53,
			 .ext = {51},
			 .ext_count = 1,
			 .payload = 100};
	struct frame frame;
	struct fr_packet p;

	wire_make(&w, &frame);
	frame.data[frame.ip + 41] = 4; /* 24 bytes */
	wire_put16(frame.data + frame.transport + 16, 77);
	wire_put16(frame.data + frame.transport + 18, 78);
	p = parse_bytes(frame.data, frame.size, FR_EGRESS);
	expect_ports(&p, 77, 78);
}

Test(packet_parse, no_next_header_is_a_protocol_of_its_own)
{
	struct fr_packet p = PARSE(.v6 = true, .proto = 59, .body = "", .body_size = 0);

	cr_expect_eq(p.outcome, FR_IP);
	cr_expect_eq(p.key.proto, 59);
	cr_expect_eq(p.key.local_port, 0);
}

Test(packet_parse, tags_are_skipped_and_the_outer_one_is_the_vlan)
{
	for (int v6 = 0; v6 < 2; v6++)
		for (uint8_t tags = 0; tags <= 2; tags++) {
			struct fr_packet p =
				PARSE(.v6 = v6, .proto = FR_PROTO_TCP, .local = 1, .peer = 2,
				      .tags = tags, .tag = {0xe064, 0x00c8});

			expect_ports(&p, 1, 2);
			cr_expect_eq(p.key.vlan, tags ? 100 : 0, "%u tags", tags);
		}
}

/* A tag with id 0 only carries a priority: receivers strip any number of them. */
static const struct {
	uint8_t tags;
	uint16_t tag[12];
	uint8_t outcome;
	uint16_t vlan;
} tagged[] = {
	{1, {0}, FR_IP, 0},
	{1, {0xf000}, FR_IP, 0},
	{3, {0, 0, 0}, FR_IP, 0},
	{8, {0}, FR_IP, 0},
	{10, {0}, FR_IP, 0},
	{11, {0}, FR_BROKEN, 0},
	{2, {0, 5}, FR_IP, 5},
	{2, {5, 0}, FR_IP, 5},
	{4, {0, 5, 0, 6}, FR_IP, 5},
	{10, {0, 0, 0, 0, 5, 0, 0, 0, 0, 6}, FR_IP, 5},
	{3, {1, 2, 3}, FR_BROKEN, 1},
	{5, {0, 1, 2, 0, 3}, FR_BROKEN, 1},
	{10, {0, 0, 0, 0, 0, 0, 0, 1, 2, 3}, FR_BROKEN, 1},
};

Test(packet_parse, priority_tags_are_skipped_and_a_third_vlan_is_broken)
{
	for (size_t i = 0; i < 2 * sizeof(tagged) / sizeof(*tagged); i++) {
		struct wire w = {.v6 = i & 1,
				 .proto = FR_PROTO_UDP,
				 .local = 1,
				 .peer = 2,
				 .tags = tagged[i / 2].tags};
		struct fr_packet p;

		memcpy(w.tag, tagged[i / 2].tag, sizeof(w.tag));
		p = parse(&w);
		cr_expect_eq(p.outcome, tagged[i / 2].outcome, "case %zu", i / 2);
		cr_expect_eq(p.key.vlan, tagged[i / 2].vlan, "case %zu", i / 2);
		if (p.outcome == FR_IP)
			expect_ports(&p, 1, 2);
	}
}

Test(packet_parse, arp_behind_priority_tags_is_arp_and_a_cut_tag_is_broken)
{
	uint8_t frame[64] = {0};

	for (uint8_t tags = 0; tags <= 11; tags++) {
		for (uint8_t i = 0; i < tags; i++)
			wire_put16(frame + 12 + 4 * i, i & 1 ? 0x88a8 : 0x8100);
		wire_put16(frame + 12 + 4 * tags, 0x0806);
		cr_expect_eq(parse_bytes(frame, 14 + 4 * tags, FR_INGRESS).outcome,
			     tags <= 10 ? FR_NON_IP_KNOWN : FR_BROKEN, "%u tags", tags);
		for (uint8_t cut = 1; tags && cut <= 4; cut++)
			cr_expect_eq(parse_bytes(frame, 14 + 4 * tags - cut, FR_INGRESS).outcome,
				     FR_BROKEN, "%u tags, %u bytes short", tags, cut);
	}
}

/* The outermost tag may lie beside the frame. */
Test(packet_parse, a_tag_beside_the_frame_counts_when_it_has_an_id)
{
	static const uint16_t beside[] = {0, 7};

	for (int i = 0; i < 2; i++) {
		struct wire w = {.proto = FR_PROTO_UDP, .tags = 3, .tag = {5, 0, 6}};
		struct frame frame;
		uint16_t ethertype = 0, vlan = beside[i];
		struct fr_buffer buffer;
		uint32_t offset = 0;

		wire_make(&w, &frame);
		buffer = (struct fr_buffer){
			.data = frame.data, .end = frame.data + frame.size, .size = frame.size};
		cr_expect_eq(packet_ethernet(&buffer, &offset, &ethertype, &vlan),
			     i ? FR_BROKEN : FR_IP);
		cr_expect_eq(vlan, i ? 7 : 5);
	}
}

/* A device without Ethernet: the kernel strips bytes that the ethertype calls a tag. */
Test(packet_parse, bare_bytes_that_are_called_a_tag_are_broken)
{
	uint8_t bytes[40] = {0x45};
	struct fr_buffer buffer = {
		.data = bytes, .end = bytes + sizeof(bytes), .size = sizeof(bytes)};
	static const uint16_t called[] = {ETH_P_IP, ETH_P_ARP, 0, ETH_P_8021Q, ETH_P_8021AD};

	for (size_t i = 0; i < sizeof(called) / sizeof(*called); i++) {
		uint16_t ethertype = called[i];
		uint32_t offset = 0;

		cr_expect_eq(packet_bare(&buffer, &offset, &ethertype), i < 3 ? FR_IP : FR_BROKEN);
	}
}

Test(packet_parse, other_ethertypes)
{
	static const struct {
		uint16_t type;
		uint8_t outcome;
	} cases[] = {
		{0x0806, FR_NON_IP_KNOWN}, {0x88cc, FR_NON_IP_KNOWN}, {0x888e, FR_NON_IP_KNOWN},
		{0x8809, FR_NON_IP_KNOWN}, {0x8864, FR_NON_IP},	      {0x88f7, FR_NON_IP},
		{0x8847, FR_NON_IP},	   {0x0026, FR_NON_IP},	      {0x9100, FR_NON_IP}};
	uint8_t frame[60] = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		wire_put16(frame + 12, cases[i].type);
		cr_expect_eq(parse_bytes(frame, sizeof(frame), FR_INGRESS).outcome,
			     cases[i].outcome, "%04x", cases[i].type);
	}
	wire_put16(frame + 12, 38); /* a length: LLC follows */
	wire_put16(frame + 14, 0x4242);
	cr_expect_eq(parse_bytes(frame, sizeof(frame), FR_INGRESS).outcome, FR_NON_IP_KNOWN, "STP");
	cr_expect_eq(parse_bytes(frame, 15, FR_INGRESS).outcome, FR_NON_IP, "half an LLC header");
}

static const struct wire shapes[] = {
	{.proto = FR_PROTO_TCP},
	{.proto = FR_PROTO_UDP},
	{.proto = FR_PROTO_ICMP, .type = 8},
	{.proto = FR_PROTO_SCTP},
	{.proto = FR_PROTO_TCP, .options = 10},
	{.proto = FR_PROTO_TCP, .tags = 2, .tag = {5, 6}},
	{.proto = FR_PROTO_TCP, .fragment = true, .more = true},
	{.v6 = true, .proto = FR_PROTO_TCP},
	{.v6 = true, .proto = FR_PROTO_UDP, .ext = {0, 60, 43, 60, 51, 60}, .ext_count = 6},
	{.v6 = true, .proto = FR_PROTO_ICMP, .type = 128, .ext = {0}, .ext_count = 1},
	{.v6 = true, .proto = FR_PROTO_TCP, .fragment = true, .more = true},
	{.v6 = true, .proto = FR_PROTO_TCP, .tags = 1, .tag = {5}},
};

/* The sanitizer sees a read past the end. A cut that the IP length knows of is no better. */
Test(packet_parse, every_prefix_of_a_packet_is_malformed)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		struct frame frame;

		wire_make(&shapes[i], &frame);
		cr_expect_eq(parse_bytes(frame.data, frame.size, FR_INGRESS).outcome, FR_IP,
			     "shape %zu", i);
		for (uint32_t size = 0; size < frame.size; size++) {
			uint32_t length = size < frame.ip ? 0 : size - frame.ip;
			uint8_t outcome = parse_bytes(frame.data, size, FR_INGRESS).outcome;

			cr_expect_eq(outcome, FR_BROKEN, "shape %zu: %u bytes", i, size);
			if (!shapes[i].v6 && length > 20)
				wire_put16(frame.data + frame.ip + 2, length);
			else if (shapes[i].v6 && length > 40)
				wire_put16(frame.data + frame.ip + 4, length - 40);
			outcome = parse_bytes(frame.data, size, FR_INGRESS).outcome;
			cr_expect_eq(outcome, FR_BROKEN, "shape %zu: %u bytes, told", i, size);
		}
	}
}

/* Any bytes at all: the parser ends, within the packet. */
Test(packet_parse, random_bytes_are_parsed_within_their_bounds)
{
	uint64_t state = 1;

	for (int round = 0; round < 200000; round++) {
		uint8_t data[120];
		uint32_t size;

		for (size_t i = 0; i < sizeof(data); i++) {
			state = state * 6364136223846793005ull + 1442695040888963407ull;
			data[i] = state >> 56;
		}
		wire_put16(data + 12, round & 1 ? 0x0800 : 0x86dd);
		data[14] = round & 1 ? 4 << 4 | (data[14] & 15) : 6 << 4;
		data[round & 1 ? 16 : 18] = 0; /* a length that may be true */
		if (!(round & 1))
			data[20] = "\0\6\21\53\54\63\72\74"[data[20] & 7];
		size = state >> 33 & 127;
		parse_bytes(data, size < sizeof(data) ? size : sizeof(data), round & 2);
	}
}

static int is_plain(const struct wire *w)
{
	struct fr_packet p = {.dir = w->dir};
	struct fr_buffer buffer;
	struct frame frame;

	wire_make(w, &frame);
	buffer = (struct fr_buffer){
		.data = frame.data, .end = frame.data + frame.size, .size = frame.size};
	return packet_plain(&buffer, frame.ip, !w->v6, &p);
}

#define IS_PLAIN(...) is_plain(&(struct wire){__VA_ARGS__})

/* That it is read the same by both ways is checked for every packet of tests/fuzz. */
Test(packet_parse, whole_tcp_and_udp_without_options_is_plain)
{
	static const uint8_t protos[] = {FR_PROTO_TCP, FR_PROTO_UDP};

	for (int i = 0; i < 2; i++) {
		uint8_t proto = protos[i];

		cr_expect(IS_PLAIN(.proto = proto));
		cr_expect(IS_PLAIN(.proto = proto, .v6 = true));
		cr_expect(IS_PLAIN(.proto = proto, .dir = FR_INGRESS, .payload = 99, .trailer = 4));
		cr_expect_not(IS_PLAIN(.proto = proto, .options = 1));
		cr_expect_not(IS_PLAIN(.proto = proto, .fragment = true, .more = true));
		cr_expect_not(IS_PLAIN(.proto = proto, .fragment = true, .offset = 9));
		cr_expect_not(IS_PLAIN(.proto = proto, .v6 = true, .ext_count = 1, .ext = {60}));
		cr_expect_not(IS_PLAIN(.proto = proto, .v6 = true, .fragment = true));
	}
	cr_expect_not(IS_PLAIN(.proto = FR_PROTO_TCP, .flags = SYN | FIN));
	cr_expect_not(IS_PLAIN(.proto = FR_PROTO_SCTP));
	cr_expect_not(IS_PLAIN(.proto = FR_PROTO_ICMP));
}
