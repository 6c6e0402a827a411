/* SPDX-License-Identifier: GPL-2.0-only */
/* Parsing of fragments, of TCP flags, and of ICMP into the keys of their flows. */
#include "packet_fixture.h"

Test(packet_kinds, the_parts_of_a_fragmented_datagram_are_told_apart)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct fr_packet first =
			PARSE(.v6 = v6, .proto = FR_PROTO_UDP, .local = 7, .peer = 53,
			      .fragment = true, .more = true, .fragment_id = 0x1234, .payload = 64);
		struct fr_packet middle =
			PARSE(.v6 = v6, .proto = FR_PROTO_UDP, .local = 7, .peer = 53,
			      .fragment = true, .more = true, .offset = 9, .fragment_id = 0x1234);
		struct fr_packet last =
			PARSE(.v6 = v6, .proto = FR_PROTO_UDP, .local = 7, .peer = 53,
			      .fragment = true, .offset = 18, .fragment_id = 0x1234);

		cr_expect_eq(first.fragment, FR_FIRST);
		cr_expect_eq(first.key.peer_port, 53);
		cr_expect_eq(middle.fragment, FR_LATER);
		cr_expect_eq(last.fragment, FR_LATER);
		cr_expect_eq(last.key.peer_port, 0, "the payload is not read as ports");
		cr_expect_eq(last.key.proto, FR_PROTO_UDP);
		cr_expect_eq(first.fragment_id, 0x1234);
		cr_expect_eq(last.fragment_id, 0x1234);
		cr_expect_eq(last.outcome, FR_IP);
	}
}

Test(packet_kinds, a_datagram_in_one_fragment_is_whole)
{
	struct fr_packet p = PARSE(.v6 = true, .proto = FR_PROTO_UDP, .peer = 53, .fragment = true);

	cr_expect_eq(p.fragment, FR_WHOLE);
	cr_expect_eq(p.key.peer_port, 53);
	p = PARSE(.proto = FR_PROTO_UDP, .peer = 53, .offset = 0x4000); /* "don't fragment" */
	cr_expect_eq(p.fragment, FR_WHOLE);
}

Test(packet_kinds, tcp_at_offset_8_is_malformed_and_nothing_else_is)
{
	for (int v6 = 0; v6 < 2; v6++)
		for (uint16_t offset = 1; offset < 4; offset++) {
			struct fr_packet tcp = PARSE(.v6 = v6, .proto = FR_PROTO_TCP,
						     .fragment = true, .offset = offset);
			struct fr_packet udp = PARSE(.v6 = v6, .proto = FR_PROTO_UDP,
						     .fragment = true, .offset = offset);

			cr_expect_eq(tcp.outcome, offset == 1 ? FR_BROKEN : FR_IP);
			cr_expect_eq(udp.outcome, FR_IP);
		}
}

Test(packet_kinds, a_first_fragment_without_its_transport_header_is_malformed)
{
	static const uint8_t bytes[64];

	for (int v6 = 0; v6 < 2; v6++)
		for (uint16_t size = 0; size <= 24; size++) {
			struct wire w = {.v6 = v6,
					 .proto = FR_PROTO_TCP,
					 .fragment = true,
					 .more = true,
					 .body = bytes,
					 .body_size = size};

			cr_expect_eq(parse(&w).outcome, size < 20 ? FR_BROKEN : FR_IP, "%u", size);
			w.proto = FR_PROTO_UDP;
			cr_expect_eq(parse(&w).outcome, size < 8 ? FR_BROKEN : FR_IP, "%u", size);
			w.proto = FR_PROTO_ICMP;
			cr_expect_eq(parse(&w).outcome, size < 8 ? FR_BROKEN : FR_IP, "%u", size);
		}
}

Test(packet_kinds, a_later_fragment_behind_extension_headers)
{
	struct fr_packet p =
		PARSE(.v6 = true, .proto = FR_PROTO_UDP, .ext = {0, 43}, .ext_count = 2,
		      .fragment = true, .offset = 100, .fragment_id = 7);

	cr_expect_eq(p.outcome, FR_IP);
	cr_expect_eq(p.fragment, FR_LATER);
	cr_expect_eq(p.key.proto, FR_PROTO_UDP);
	cr_expect_eq(p.fragment_id, 7);
}

Test(packet_kinds, tcp_flags_that_exclude_each_other_are_malformed)
{
	for (int flags = 0; flags < 256; flags++) {
		bool impossible = flags & SYN && flags & (FIN | RST);
		struct fr_packet p = PARSE(.proto = FR_PROTO_TCP, .flags = flags);

		cr_expect_eq(p.outcome, impossible ? FR_BROKEN : FR_IP, "flags %02x", flags);
		if (!impossible)
			cr_expect_eq(p.tcp_flags, flags);
	}
}

Test(packet_kinds, an_echo_reply_has_the_key_of_its_request)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct fr_packet request = PARSE(.v6 = v6, .dir = FR_EGRESS, .proto = FR_PROTO_ICMP,
						 .type = v6 ? 128 : 8, .id = 0xbeef);
		struct fr_packet reply = PARSE(.v6 = v6, .dir = FR_INGRESS, .proto = FR_PROTO_ICMP,
					       .type = v6 ? 129 : 0, .id = 0xbeef);
		struct fr_packet theirs = PARSE(.v6 = v6, .dir = FR_INGRESS, .proto = FR_PROTO_ICMP,
						.type = v6 ? 128 : 8, .id = 0xbeef);

		cr_expect_eq(request.key.local_port, 0xbeef);
		cr_expect_eq(request.port, (v6 ? 128 : 8) << 8);
		cr_expect_arr_eq(&request.key, &reply.key, sizeof(reply.key));
		cr_expect(reply.icmp_reply && !request.icmp_reply);
		cr_expect_arr_neq(&request.key, &theirs.key, sizeof(theirs.key),
				  "both sides ping with one identifier");
	}
}

Test(packet_kinds, every_icmp_answer_belongs_to_its_request)
{
	static const uint8_t v4[][2] = {{8, 0}, {13, 14}, {15, 16}, {17, 18}};

	for (size_t i = 0; i < sizeof(v4) / sizeof(*v4); i++) {
		struct fr_packet out =
			PARSE(.dir = FR_EGRESS, .proto = FR_PROTO_ICMP, .type = v4[i][0], .id = 3);
		struct fr_packet in =
			PARSE(.dir = FR_INGRESS, .proto = FR_PROTO_ICMP, .type = v4[i][1], .id = 3);

		cr_expect_arr_eq(&out.key, &in.key, sizeof(in.key), "type %u", v4[i][0]);
	}
}

Test(packet_kinds, an_icmp_type_without_identifier_has_none_in_its_key)
{
	struct fr_packet p = PARSE(.proto = FR_PROTO_ICMP, .type = 3, .code = 4, .id = 1500);

	cr_expect_eq(p.key.local_port, 0);
	cr_expect_eq(p.key.peer_port, 3 << 8 | 4);
	cr_expect_eq(p.port, 3 << 8 | 4);
	cr_expect_not(p.icmp_reply);
}

Test(packet_kinds, protocols_without_ports_have_none)
{
	static const uint8_t protos[] = {2, 4, 41, 47, 50, 89, 112, 255};
	static const uint8_t bytes[8] = {0xff, 0xff, 0xff, 0xff};

	for (size_t i = 0; i < sizeof(protos); i++) {
		struct fr_packet p = PARSE(.proto = protos[i], .body = bytes, .body_size = 8);

		cr_expect_eq(p.outcome, FR_IP);
		cr_expect_eq(p.key.proto, protos[i]);
		cr_expect_eq(p.key.local_port | p.key.peer_port | p.port, 0);
	}
}

Test(packet_kinds, protocols_with_ports_like_udp)
{
	static const uint8_t protos[] = {FR_PROTO_SCTP, FR_PROTO_DCCP, FR_PROTO_UDPLITE};

	for (size_t i = 0; i < sizeof(protos); i++) {
		struct fr_packet p =
			PARSE(.dir = FR_INGRESS, .proto = protos[i], .local = 99, .peer = 5);

		cr_expect_eq(p.key.local_port, 99);
		cr_expect_eq(p.port, 99);
	}
}
