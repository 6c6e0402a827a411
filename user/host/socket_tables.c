/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sockets of a network namespace, from the kernel's tables by sock_diag, and the processes that
 * hold them. No file of another process is opened, but the name that it has.
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

enum { DUMP_TRIES = 5 };
enum { /* from a header that conflicts with the kernel's */
       STATE_ESTABLISHED = 1,
       STATE_SYN_SENT = 2,
       STATE_FIN_WAIT1 = 4,
       STATE_FIN_WAIT2 = 5,
       STATE_CLOSE = 7,
       STATE_CLOSE_WAIT = 8,
       STATE_LISTEN = 10,
};

static uint32_t states_of(enum socket_use use, uint8_t proto)
{
	if (use == SOCKETS_LISTENING)
		return 1u << (proto == PROTO_TCP ? STATE_LISTEN : STATE_CLOSE);
	if (proto == PROTO_UDP)
		return 1u << STATE_ESTABLISHED;
	return 1u << STATE_ESTABLISHED | 1u << STATE_SYN_SENT | 1u << STATE_FIN_WAIT1 |
	       1u << STATE_FIN_WAIT2 | 1u << STATE_CLOSE_WAIT;
}

bool socket_is_opening(const struct local_socket *socket)
{
	return socket->proto == PROTO_TCP && socket->state == STATE_SYN_SENT;
}

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

static void read_address(const struct inet_diag_msg *body, const __be32 bytes[4], struct addr *out)
{
	*out = (struct addr){0};
	if (body->idiag_family != AF_INET) {
		memcpy(out->b, bytes, sizeof(out->b));
		return;
	}
	out->b[10] = out->b[11] = 0xff;
	memcpy(out->b + 12, bytes, 4);
}

static bool is_any(const struct addr *addr)
{
	static const struct addr any6, any4 = {.b = {[10] = 0xff, [11] = 0xff}};

	return addr_equal(addr, &any6) || addr_equal(addr, &any4);
}

struct dump {
	struct local_sockets *out;
	enum socket_use use;
	uint8_t proto;
};

static int on_socket(const struct nlmsghdr *message, void *context)
{
	const struct dump *dump = context;
	const struct inet_diag_msg *body = NLMSG_DATA(message);
	struct local_sockets *out = dump->out;
	struct attributes attributes;
	struct local_socket *new;

	if (NLMSG_PAYLOAD(message, 0) < sizeof(*body))
		return -EBADMSG;
	/* A datagram socket without a port is bound to none yet. */
	if (!body->id.idiag_sport)
		return 0;
	attributes = read_attributes(message);
	out->list =
		arena_grow(out->arena, out->list, out->count, &out->capacity, sizeof(*out->list));
	new = &out->list[out->count++];
	*new = (struct local_socket){.proto = dump->proto,
				     .family = body->idiag_family,
				     .state = body->idiag_state,
				     .port = ntohs(body->id.idiag_sport),
				     .peer_port = ntohs(body->id.idiag_dport),
				     .ifindex = body->id.idiag_if,
				     .cookie = {body->id.idiag_cookie[0], body->id.idiag_cookie[1]},
				     .cgroup = attributes.cgroup,
				     .inode = body->idiag_inode};
	read_address(body, body->id.idiag_src, &new->address);
	read_address(body, body->id.idiag_dst, &new->peer);
	new->everywhere = is_any(&new->address);
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
			 .idiag_states = states_of(dump->use, dump->proto)},
	};

	return netlink_dump_of(NETLINK_SOCK_DIAG, &request.header, on_socket, (void *)dump);
}

static int dump_sockets(uint8_t family, uint8_t proto, enum socket_use use,
			struct local_sockets *out)
{
	const struct dump dump = {out, use, proto};
	size_t before = out->count;
	int err = -EAGAIN;

	for (int i = 0; i < DUMP_TRIES && err == -EAGAIN; i++) {
		out->count = before;
		err = dump_once(family, &dump);
	}
	return err;
}

int host_sockets(enum socket_use use, struct local_sockets *out)
{
	static const uint8_t families[] = {AF_INET, AF_INET6}, protos[] = {PROTO_TCP, PROTO_UDP};
	size_t before = out->count;
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(families) && !err; i++)
		for (size_t j = 0; j < ARRAY_SIZE(protos) && !err; j++)
			err = dump_sockets(families[i], protos[j], use, out);
	if (err)
		out->count = before;
	return err;
}

/* "8080,9100-9200", or nothing. */
static int read_reserved(struct port_set *out)
{
	CLEANUP(close_file)
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_reserved_ports", "re");
	unsigned int first, last;
	int got;

	if (!file)
		return -errno;
	while ((got = fscanf(file, "%u", &first)) == 1) {
		last = first;
		if (fscanf(file, "-%u", &last) < 0 && ferror(file))
			return -EIO;
		if (first > last || last > UINT16_MAX)
			return -EINVAL;
		for (; first <= last; first++)
			port_set_put(out, (uint16_t)first, true);
		if (fgetc(file) != ',')
			break;
	}
	if (!got) /* no number */
		return -EINVAL;
	return ferror(file) ? -EIO : 0;
}

/* /proc/sys/net shows the network namespace of its reader. IPv6 has the same range. */
int host_ports_given_out(struct port_set *out)
{
	CLEANUP(close_file) FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	struct port_set reserved = {0};
	unsigned int first, last;
	int err;

	if (!file)
		return -errno;
	errno = 0;
	if (fscanf(file, "%u %u", &first, &last) != 2 || last > UINT16_MAX)
		return errno ? -errno : -EINVAL;
	err = read_reserved(&reserved);
	for (; !err && first <= last; first++)
		if (!port_set_has(&reserved, (uint16_t)first))
			port_set_put(out, (uint16_t)first, true);
	return err;
}

/* ---------------------------------------------------------------- processes */

static int by_inode(const void *a, const void *b)
{
	const struct local_socket *x = *(struct local_socket *const *)a,
				  *y = *(struct local_socket *const *)b;

	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

struct search {
	struct local_socket **list; /* by inode */
	size_t count;
	uint32_t pid;
	int process; /* its directory */
};

static void read_name(const struct search *search, struct local_socket *socket)
{
	CLEANUP(close_fd) int fd = openat(search->process, "comm", O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, socket->process, sizeof(socket->process) - 1);

	if (size <= 0)
		return;
	socket->process[size] = '\0';
	socket->process[strcspn(socket->process, "\n")] = '\0';
	socket->pid = search->pid;
}

/* One socket may be in the list twice, when it was made while the list was read. */
static void on_inode(const struct search *search, uint64_t inode)
{
	const struct local_socket wanted = {.inode = inode}, *key = &wanted;
	struct local_socket **found =
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

void host_socket_processes(struct local_sockets *sockets)
{
	struct search search = {.count = sockets->count};
	DIR *dir = sockets->count ? opendir("/proc") : NULL;
	const struct dirent *entry;
	uint64_t pid;

	if (!dir)
		return;
	search.list = arena_alloc(sockets->arena, search.count * sizeof(*search.list));
	for (size_t i = 0; i < search.count; i++)
		search.list[i] = &sockets->list[i];
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
