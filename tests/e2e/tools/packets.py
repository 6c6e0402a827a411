# SPDX-License-Identifier: GPL-2.0-only
"""Packets byte by byte, for the tools of the end-to-end tests: headers, options, chains of extension
headers, fragments, tags. Makes and reads bytes; sends nothing. Standard library only."""
import socket
import struct

from tool import family_of

IPV4, IPV6, VLAN, QINQ = 0x0800, 0x86DD, 0x8100, 0x88A8
ICMP, TCP, UDP, FRAGMENT, ICMP6, DESTINATION = 1, 6, 17, 44, 58, 60
SYN, RST, ACK = 2, 4, 16


def packed(address):
    return socket.inet_pton(family_of(address), address)


def checksum(data):
    total = sum(struct.unpack("!%dH" % ((len(data) + 1) // 2), data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def summed(source, target, proto, segment, at):
    """A transport segment with its checksum, which lies at byte `at` of it."""
    pseudo = packed(source) + packed(target) + struct.pack("!II", len(segment), proto)
    value = checksum(pseudo + segment) or 0xFFFF
    return segment[:at] + struct.pack("!H", value) + segment[at + 2 :]


def udp(source, target, from_port, to_port, data):
    head = struct.pack("!HHHH", from_port, to_port, 8 + len(data), 0)
    return summed(source, target, UDP, head + data, 6)


def tcp(source, target, from_port, to_port, flags, seq=1, ack=0, data=b""):
    head = struct.pack("!HHIIBBHHH", from_port, to_port, seq, ack, 5 << 4, flags, 8192, 0, 0)
    return summed(source, target, TCP, head + data, 16)


def icmp(source, target, kind, code, rest, data):
    message = struct.pack("!BBHI", kind, code, 0, rest) + data
    if ":" in source:
        return summed(source, target, ICMP6, message, 2)
    return message[:2] + struct.pack("!H", checksum(message)) + message[4:]


def ipv4(source, target, proto, payload, options=b"", ident=0, offset=0, more=False, ttl=64):
    """`offset` in bytes."""
    options += b"\0" * (-len(options) % 4)
    words = 5 + len(options) // 4
    field = offset // 8 | (0x2000 if more else 0)
    head = struct.pack("!BBHHHBBH", 4 << 4 | words, 0, words * 4 + len(payload), ident, field, ttl, proto, 0)
    head += packed(source) + packed(target) + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ipv6(source, target, proto, payload, chain=(), ttl=64):
    """`chain` is a list of (number, bytes after the next-header byte)."""
    numbers = [number for number, _ in chain] + [proto]
    body = b"".join(bytes([numbers[i + 1]]) + rest for i, (_, rest) in enumerate(chain)) + payload
    head = struct.pack("!IHBB", 6 << 28, len(body), numbers[0], ttl)
    return head + packed(source) + packed(target) + body


def ip(source, target, proto, payload, ttl=64):
    make = ipv6 if ":" in source else ipv4
    return make(source, target, proto, payload, ttl=ttl)


def padding(data=b"\1\4\0\0\0\0"):
    """The rest of an extension header of 8 bytes: its length, and six bytes of options."""
    return b"\0" + data


def fragments(source, target, proto, payload, cuts, ident):
    """The payload cut at these offsets, each piece a packet."""
    edges = [0] + list(cuts) + [len(payload)]
    out = []
    for at, end in zip(edges, edges[1:]):
        more = end != len(payload)
        if ":" in source:
            rest = struct.pack("!BHI", 0, at | more, ident)
            out.append(ipv6(source, target, proto, payload[at:end], [(FRAGMENT, rest)]))
        else:
            out.append(ipv4(source, target, proto, payload[at:end], ident=ident & 0xFFFF, offset=at, more=more))
    return out


def frame(to_mac, from_mac, tags, packet):
    """An Ethernet frame; each tag is (ethertype, tci)."""
    kinds = [kind for kind, _ in tags] + [IPV6 if packet[0] >> 4 == 6 else IPV4]
    out = to_mac + from_mac + struct.pack("!H", kinds[0])
    for i, (_, tci) in enumerate(tags):
        out += struct.pack("!HH", tci, kinds[i + 1])
    return out + packet


def read_ip(packet):
    """(source, target, proto, payload) of a packet without options, or None."""
    if len(packet) >= 20 and packet[0] == 0x45:
        size = struct.unpack("!H", packet[2:4])[0]
        text = [socket.inet_ntop(socket.AF_INET, packet[i : i + 4]) for i in (12, 16)]
        return text[0], text[1], packet[9], packet[20:size]
    if len(packet) >= 40 and packet[0] >> 4 == 6:
        size = 40 + struct.unpack("!H", packet[4:6])[0]
        text = [socket.inet_ntop(socket.AF_INET6, packet[i : i + 16]) for i in (8, 24)]
        return text[0], text[1], packet[6], packet[40:size]
    return None
