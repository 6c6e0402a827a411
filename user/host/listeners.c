/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sockets of a network namespace that wait for others, from the kernel's tables by sock_diag,
 * and the processes that hold them. No file of another process is opened, but the name that it has.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netlink.h"
#include "sockets.h"

enum { DUMP_TRIES = 5, TCP_STATE_CLOSE = 7, TCP_STATE_LISTEN = 10 };

/* ---------------------------------------------------------------- the kernel's tables */

struct attributes {
	bool v6_only;
	uint64_t cgroup;
};

static struct attributes read_attributes(const struct nlmsghdr *message)
{
	const struct inet_diag_msg *body = NLMSG_DATA(message);
	const struct rtattr *at = (const void *)(body + 1);
	int left = (int)NLMSG_PAYLOAD(message, sizeof(*body));
	struct attributes out = {0};

	for (; RTA_OK(at, left); at = RTA_NEXT(at, left)) {
		if (at->rta_type == INET_DIAG_SKV6ONLY && RTA_PAYLOAD(at) == 1)
			out.v6_only = *(const uint8_t *)RTA_DATA(at);
		if (at->rta_type == INET_DIAG_CGROUP_ID && RTA_PAYLOAD(at) == sizeof(out.cgroup))
			memcpy(&out.cgroup, RTA_DATA(at), sizeof(out.cgroup));
	}
	return out;
}

static void read_address(const struct inet_diag_msg *body, struct listener *out)
{
	static const struct addr any6, any4 = {.b = {[10] = 0xff, [11] = 0xff}};

	if (body->idiag_family == AF_INET) {
		out->address = any4;
		memcpy(out->address.b + 12, body->id.idiag_src, 4);
		out->everywhere = !memcmp(&out->address, &any4, sizeof(any4));
		return;
	}
	memcpy(out->address.b, body->id.idiag_src, sizeof(out->address.b));
	out->everywhere = !memcmp(&out->address, &any6, sizeof(any6));
}

struct dump {
	struct listeners *out;
	uint8_t proto;
};

static int on_socket(const struct nlmsghdr *message, void *context)
{
	const struct dump *dump = context;
	const struct inet_diag_msg *body = NLMSG_DATA(message);
	struct listeners *out = dump->out;
	struct attributes attributes;
	struct listener *new;

	if (NLMSG_PAYLOAD(message, 0) < sizeof(*body))
		return -EBADMSG;
	/* A datagram socket without a port is bound to none yet. */
	if (!body->id.idiag_sport)
		return 0;
	attributes = read_attributes(message);
	out->list =
		arena_grow(out->arena, out->list, out->count, &out->capacity, sizeof(*out->list));
	new = &out->list[out->count++];
	*new = (struct listener){.proto = dump->proto,
				 .port = ntohs(body->id.idiag_sport),
				 .ifindex = body->id.idiag_if,
				 .cgroup = attributes.cgroup,
				 .inode = body->idiag_inode};
	read_address(body, new);
	new->v4 = addr_is_v4(&new->address) || (new->everywhere && !attributes.v6_only);
	new->v6 = !addr_is_v4(&new->address);
	return 0;
}

static int dump_once(uint8_t family, const struct dump *dump)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 body;
	} request = {
		.header = {.nlmsg_len = sizeof(request), .nlmsg_type = SOCK_DIAG_BY_FAMILY},
		.body = {.sdiag_family = family,
			 .sdiag_protocol = dump->proto,
			 .idiag_states = 1u << (dump->proto == PROTO_TCP ? TCP_STATE_LISTEN
									 : TCP_STATE_CLOSE)},
	};

	return netlink_dump_of(NETLINK_SOCK_DIAG, &request.header, on_socket, (void *)dump);
}

static int dump_sockets(uint8_t family, uint8_t proto, struct listeners *out)
{
	const struct dump dump = {out, proto};
	size_t before = out->count;
	int err = -EAGAIN;

	for (int i = 0; i < DUMP_TRIES && err == -EAGAIN; i++) {
		out->count = before;
		err = dump_once(family, &dump);
	}
	return err;
}

int host_listeners(struct listeners *out)
{
	static const uint8_t families[] = {AF_INET, AF_INET6}, protos[] = {PROTO_TCP, PROTO_UDP};
	size_t before = out->count;
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(families) && !err; i++)
		for (size_t j = 0; j < ARRAY_SIZE(protos) && !err; j++)
			err = dump_sockets(families[i], protos[j], out);
	if (err)
		out->count = before;
	return err;
}

/* ---------------------------------------------------------------- processes */

static int by_inode(const void *a, const void *b)
{
	const struct listener *x = *(struct listener *const *)a, *y = *(struct listener *const *)b;

	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

struct search {
	struct listener **list; /* by inode */
	size_t count;
	uint32_t pid;
	int process; /* its directory */
};

static void read_name(const struct search *search, struct listener *listener)
{
	CLEANUP(close_fd) int fd = openat(search->process, "comm", O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, listener->process, sizeof(listener->process) - 1);

	if (size <= 0)
		return;
	listener->process[size] = '\0';
	listener->process[strcspn(listener->process, "\n")] = '\0';
	listener->pid = search->pid;
}

/* One socket may be in the list twice, when it was made while the list was read. */
static void on_inode(const struct search *search, uint64_t inode)
{
	const struct listener wanted = {.inode = inode}, *key = &wanted;
	struct listener **found =
		bsearch(&key, search->list, search->count, sizeof(*search->list), by_inode);

	if (found && !(*found)->pid)
		read_name(search, *found);
}

/* Reads the links of its open files, and opens none. */
static void look_into_process(struct search *search)
{
	int files = openat(search->process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = files < 0 ? NULL : fdopendir(files);
	const struct dirent *entry;
	unsigned long long inode;
	char link[64];

	if (!dir) {
		close_fd(&files);
		return;
	}
	while ((entry = readdir(dir))) {
		ssize_t size = readlinkat(files, entry->d_name, link, sizeof(link) - 1);

		if (size <= 0)
			continue;
		link[size] = '\0';
		if (sscanf(link, "socket:[%llu]", &inode) == 1)
			on_inode(search, inode);
	}
	closedir(dir);
}

void host_listener_processes(struct listeners *listeners)
{
	struct search search = {.count = listeners->count};
	DIR *dir = listeners->count ? opendir("/proc") : NULL;
	const struct dirent *entry;
	uint64_t pid;

	if (!dir)
		return;
	search.list = arena_alloc(listeners->arena, search.count * sizeof(*search.list));
	for (size_t i = 0; i < search.count; i++)
		search.list[i] = &listeners->list[i];
	qsort(search.list, search.count, sizeof(*search.list), by_inode);
	while ((entry = readdir(dir))) {
		if (parse_u64(entry->d_name, UINT32_MAX, &pid))
			continue;
		search.pid = (uint32_t)pid;
		search.process =
			openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (search.process < 0)
			continue;
		look_into_process(&search);
		close_fd(&search.process);
	}
	closedir(dir);
}
