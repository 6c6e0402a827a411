// SPDX-License-Identifier: GPL-2.0-only
/*
 * Real UDP packets through pairs of namespaces that differ in their firewall only. One process on
 * one CPU sends slices through each in turn and in changing order; the receiver's half runs in the
 * same softirq, so the time of a slice is that of the whole path. Prints what each adds to the
 * first, and the ratios.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../judges.h"
#include "bench.h"

enum { SLICES = 201, SLICE = 1500, VARIANTS_MAX = 8, PORT_ALLOWED = 2049, PORT_DENIED = 2050 };

struct variant {
	char name[32];
	int sender, receiver, refused; /* sockets; `refused` listens where no rule lets in */
	int probe;		       /* sends to `refused` */
	double samples[SLICES];
	bool open; /* no firewall: the refused port is reached too */
};

static void enter(const char *namespace)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", namespace);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		DIE("%s: %s", path, strerror(errno));
	close(fd);
}

static int socket_new(const struct sockaddr_in *local, const struct sockaddr_in *peer)
{
	struct timeval patience = {.tv_usec = 200000};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    (local && bind(fd, (const void *)local, sizeof(*local))) ||
	    (peer && connect(fd, (const void *)peer, sizeof(*peer))))
		DIE("socket: %s", strerror(errno));
	return fd;
}

static struct sockaddr_in address(const char *text, uint16_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};

	if (!inet_aton(text, &in.sin_addr))
		DIE("no address: %s", text);
	return in;
}

static void variant_open(char *text, struct variant *v)
{
	const char *name = strtok(text, ":"), *sender = strtok(NULL, ":");
	const char *receiver = strtok(NULL, ":"), *host = strtok(NULL, ":");
	struct sockaddr_in allowed, denied;

	if (!host)
		DIE("a variant is NAME:SENDER:RECEIVER:ADDRESS");
	allowed = address(host, PORT_ALLOWED);
	denied = address(host, PORT_DENIED);
	snprintf(v->name, sizeof(v->name), "%s", name);
	v->open = !strcmp(name, "none");
	enter(receiver);
	v->receiver = socket_new(&allowed, NULL);
	v->refused = socket_new(&denied, NULL);
	enter(sender);
	v->sender = socket_new(NULL, &allowed);
	v->probe = socket_new(NULL, &denied);
}

static bool arrives(int from, int to)
{
	char byte = 'x';

	if (send(from, &byte, 1, 0) != 1)
		return false;
	return recv(to, &byte, 1, 0) == 1;
}

/* The verdicts, before anything is measured. An answer makes the flow a known one. */
static void variant_check(struct variant *v, bool answered)
{
	struct sockaddr_in peer;
	socklen_t size = sizeof(peer);
	char byte = 'x';

	if (arrives(v->probe, v->refused) != v->open)
		DIE("%s: port %d is judged wrongly", v->name, PORT_DENIED);
	if (send(v->sender, &byte, 1, 0) != 1 ||
	    recvfrom(v->receiver, &byte, 1, 0, (void *)&peer, &size) != 1)
		DIE("%s: port %d is not reached", v->name, PORT_ALLOWED);
	if (!answered)
		return;
	if (sendto(v->receiver, &byte, 1, 0, (void *)&peer, size) != 1 ||
	    recv(v->sender, &byte, 1, 0) != 1)
		DIE("%s: the answer does not come back", v->name);
}

/* Time of this process, softirqs that it runs into included; what others do on the CPU is not. */
static double cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

static double slice_ns(const struct variant *v)
{
	char payload[32] = {0};
	double start = cpu_ns();

	for (int i = 0; i < SLICE; i++)
		if (send(v->sender, payload, sizeof(payload), 0) < 0)
			DIE("%s: send: %s", v->name, strerror(errno));
	return (cpu_ns() - start) / SLICE;
}

static void slices_run(struct variant *variants, int count)
{
	struct judge_random random = {1};

	for (int slice = 0; slice < SLICES; slice++) {
		int first = judge_below(&random, count);

		for (int i = 0; i < count; i++) {
			struct variant *v = &variants[(first + i) % count];

			v->samples[slice] = slice_ns(v);
		}
	}
}

static void variant_report(const struct variant *base, const struct variant *v)
{
	double added[SLICES], total[SLICES];
	struct spread spread;

	for (int i = 0; i < SLICES; i++) {
		added[i] = v->samples[i] - base->samples[i];
		total[i] = v->samples[i] / base->samples[i];
	}
	spread = spread_of(added, SLICES);
	printf("  %-10s added %6.0f ns [%.0f-%.0f]", v->name, spread.median, spread.low,
	       spread.high);
	spread = spread_of(total, SLICES);
	printf("  time x%.3f\n", spread.median);
}

static double variant_added(const struct variant *base, const struct variant *v)
{
	double added[SLICES];

	for (int i = 0; i < SLICES; i++)
		added[i] = v->samples[i] - base->samples[i];
	return spread_of(added, SLICES).median;
}

/* The first variant is the ground, the second is ours, the others are compared with it. */
int bench_udp(int count, char **texts)
{
	static struct variant variants[VARIANTS_MAX];
	bool answered = strcmp(texts[0], "oneway");
	double ground[SLICES], ours;

	count -= !answered;
	texts += !answered;
	if (count < 2 || count > VARIANTS_MAX)
		DIE("2 to %d variants", VARIANTS_MAX);
	for (int i = 0; i < count; i++) {
		variant_open(texts[i], &variants[i]);
		variant_check(&variants[i], answered);
	}
	slices_run(variants, count);
	memcpy(ground, variants[0].samples, sizeof(ground));
	printf("  %-10s %6.0f CPU ns per packet, send to socket\n", variants[0].name,
	       spread_of(ground, SLICES).median);
	for (int i = 1; i < count; i++)
		variant_report(&variants[0], &variants[i]);
	ours = variant_added(&variants[0], &variants[1]);
	for (int i = 2; i < count; i++)
		printf("  %s adds %.2f of what %s adds\n", variants[1].name,
		       ours / variant_added(&variants[0], &variants[i]), variants[i].name);
	return 0;
}
