/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Both ends of a conversation for the tests in virtual machines, where there is no Python:
 *
 *   talk listen PORT...          echoes on TCP and UDP, IPv4 and IPv6; ends when killed
 *   talk tcp|udp ADDRESS PORT    prints ok, timeout, refused, denied (EPERM) or the error's number
 *
 * Always exits 0, so that a test compares words. Not for measuring.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORTS_MAX = 16, ROOM = 512, WAIT_MS = 1500, WAIT_S = 60 };

static int fail(const char *what)
{
	fprintf(stderr, "talk: %s: %s\n", what, strerror(errno));
	return 1;
}

/* ---------------------------------------------------------------- listening */

/* A socket of both families. */
static int listener_open(int type, const char *port)
{
	struct sockaddr_in6 all = {.sin6_family = AF_INET6,
				   .sin6_port = htons((uint16_t)atoi(port))};
	int fd = socket(AF_INET6, type, 0), one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (const struct sockaddr *)&all, sizeof(all)) ||
	    (type == SOCK_STREAM && listen(fd, 16)))
		return -errno;
	return fd;
}

static void echo_datagram(int fd)
{
	struct sockaddr_in6 from;
	socklen_t size = sizeof(from);
	char text[ROOM];
	ssize_t length = recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *)&from, &size);

	if (length > 0)
		sendto(fd, text, (size_t)length, 0, (const struct sockaddr *)&from, size);
}

/* One short line and its echo: clients send at once. */
static void echo_stream(int fd)
{
	int connection = accept(fd, NULL, NULL);
	struct pollfd wait = {.fd = connection, .events = POLLIN};
	char text[ROOM];
	ssize_t length;

	if (connection < 0)
		return;
	if (poll(&wait, 1, WAIT_MS) == 1) {
		length = read(connection, text, sizeof(text));
		if (length > 0)
			send(connection, text, (size_t)length, MSG_NOSIGNAL);
	}
	close(connection);
}

static int listen_on(int count, char **ports)
{
	struct pollfd wait[2 * PORTS_MAX];

	if (count > PORTS_MAX)
		return fail("too many ports");
	for (int i = 0; i < 2 * count; i++) {
		wait[i].fd = listener_open(i & 1 ? SOCK_DGRAM : SOCK_STREAM, ports[i / 2]);
		wait[i].events = POLLIN;
		if (wait[i].fd < 0)
			return fail(ports[i / 2]);
	}
	puts("listening");
	fflush(stdout);
	while (poll(wait, (nfds_t)(2 * count), -1) > 0)
		for (int i = 0; i < 2 * count; i++)
			if (wait[i].revents)
				(i & 1 ? echo_datagram : echo_stream)(wait[i].fd);
	return fail("poll");
}

/* ---------------------------------------------------------------- asking */

static socklen_t address_read(const char *text, const char *port, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	v4->sin_port = htons((uint16_t)atoi(port));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		out->ss_family = AF_INET;
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		out->ss_family = AF_INET6;
		return sizeof(*v6);
	}
	return 0;
}

static void result_print(int err)
{
	if (!err)
		puts("ok");
	else if (err == EPERM)
		puts("denied");
	else if (err == ECONNREFUSED)
		puts("refused");
	else if (err == EAGAIN || err == EINPROGRESS || err == ETIMEDOUT)
		puts("timeout");
	else
		printf("error %d\n", err);
}

/* Connects, sends a word, reads it back. -> 0 or the errno that stopped it. */
static int converse(int fd, const struct sockaddr_storage *to, socklen_t size)
{
	static const char word[] = "hello";
	const char *wait = getenv("TALK_WAIT");
	const struct timeval limit = {.tv_sec = wait ? atoi(wait) : WAIT_S};
	char text[ROOM];
	ssize_t length;

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)to, size) ||
	    send(fd, word, sizeof(word), MSG_NOSIGNAL) < 0)
		return errno;
	length = recv(fd, text, sizeof(text), 0);
	if (length < 0)
		return errno;
	return length == sizeof(word) && !memcmp(text, word, sizeof(word)) ? 0 : EBADMSG;
}

static int ask(const char *protocol, const char *address, const char *port)
{
	struct sockaddr_storage to;
	socklen_t size = address_read(address, port, &to);
	int fd;

	if (!size) {
		errno = EINVAL;
		return fail(address);
	}
	fd = socket(to.ss_family, strcmp(protocol, "udp") ? SOCK_STREAM : SOCK_DGRAM, 0);
	result_print(fd < 0 ? errno : converse(fd, &to, size));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "listen"))
		return listen_on(argc - 2, argv + 2);
	if (argc == 4)
		return ask(argv[1], argv[2], argv[3]);
	fputs("usage: talk listen PORT... | talk tcp|udp ADDRESS PORT\n", stderr);
	return 2;
}
