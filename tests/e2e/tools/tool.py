# SPDX-License-Identifier: GPL-2.0-only
"""Sockets, arguments and outcomes of the helper programs of the tests. Standard library only."""
import errno
import socket

NAMES = {errno.EPERM: "denied", errno.ECONNREFUSED: "refused", errno.ETIMEDOUT: "timeout"}


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def socket_to(address, protocol):
    """A socket of the address's family for "tcp" or "udp"."""
    return socket.socket(family_of(address), socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM)


def socket_on(port, protocol):
    """A socket on a port of all addresses, of both families; a listening one for "tcp"."""
    sock = socket_to("::", protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind(("::", int(port)))
    if protocol == "tcp":
        sock.listen(1024)
    return sock


def receive(sock, size):
    """That many bytes of a stream."""
    data = b""
    while len(data) < size:
        part = sock.recv(65536)
        if not part:
            raise OSError(errno.ECONNRESET, "the peer closed early")
        data += part
    return data


def option(words, name, default):
    """Takes NAME VALUE out of the words; a VALUE of the default's type."""
    if name not in words:
        return default
    at = words.index(name)
    value = words[at + 1]
    del words[at : at + 2]
    return type(default)(value)


def flag(words, name):
    if name not in words:
        return False
    words.remove(name)
    return True


def name_of(error):
    if isinstance(error, socket.timeout):
        return "timeout"
    return NAMES.get(error.errno, errno.errorcode.get(error.errno, str(error)))


def report(work, *arguments):
    """Runs it and prints what it returns, or how the network answered."""
    try:
        outcome = work(*arguments)
    except OSError as error:
        outcome = name_of(error)
    print(outcome, flush=True)
    return 0 if outcome == "ok" else 1
