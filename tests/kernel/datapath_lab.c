/* SPDX-License-Identifier: GPL-2.0-only */
/* Namespaces, traffic and applying for the loader's tests: see datapath_lab.h. */
#include "datapath_lab.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROUNDS = 8, ETHERTYPE_OURS = 0x88b5, HANGS_MS = 60000 };

static int namespace_new(void)
{
	int fd;

	cr_assert_eq(unshare(CLONE_NEWNET), 0, "unshare: %m");
	fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_assert_eq(system("ip link set lo up"), 0);
	return fd;
}

static void shell(const char *format, ...)
{
	char command[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	cr_assert_eq(system(command), 0, "%s", command);
}

static void go(int ns)
{
	cr_assert_eq(setns(ns, CLONE_NEWNET), 0, "setns: %m");
}

/* Unlike any other's: a pid comes again, and a test that was killed leaves its pins. */
static uint64_t lab_number(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void lab_begin(struct lab *lab)
{
	memset(lab, 0, sizeof(*lab));
	snprintf(lab->root, sizeof(lab->root), "/sys/fs/bpf/frd-test-%d-%jx", getpid(),
		 (uintmax_t)lab_number());
	lab->host.pin_root = lab->root;
	lab->there = namespace_new();
	lab->here = namespace_new();
	for (int pair = 0; pair < 2; pair++) {
		shell("ip link add va%d type veth peer name vb%d netns /proc/%d/fd/%d", pair, pair,
		      getpid(), lab->there);
		shell("ip addr add 10.9.%d.1/24 dev va%d && ip link set va%d up", pair, pair, pair);
		go(lab->there);
		shell("ip addr add 10.9.%d.2/24 dev vb%d && ip link set vb%d up", pair, pair, pair);
		go(lab->here);
	}
	/* neighbours are known: the tests are not about ARP */
	for (int pair = 0; pair < 2; pair++)
		shell("for i in 1 2 3 4 5; do ping -c1 -W1 10.9.%d.2 >/dev/null && exit 0; done; exit 1",
		      pair);
}

/* Wherever cgroup2 is mounted: alone, beside v1, or by hand. */
static void cgroup2_root(char out[64])
{
	char device[64], type[32];
	FILE *mounts = fopen("/proc/self/mounts", "re");

	cr_assert(mounts);
	while (fscanf(mounts, "%63s %63s %31s %*[^\n]", device, out, type) == 3)
		if (!strcmp(type, "cgroup2")) {
			fclose(mounts);
			return;
		}
	cr_assert_fail("cgroup2 is not mounted");
}

void lab_cgroup(struct lab *lab)
{
	CLEANUP(close_file) FILE *procs = NULL;
	char root[64], path[160];

	cgroup2_root(root);
	snprintf(lab->cgroup, sizeof(lab->cgroup), "%s/frd-test-%d-%jx", root, getpid(),
		 (uintmax_t)lab_number());
	cr_assert_eq(mkdir(lab->cgroup, 0755), 0, "mkdir %s: %m", lab->cgroup);
	snprintf(path, sizeof(path), "%s/cgroup.procs", lab->cgroup);
	procs = fopen(path, "w");
	cr_assert(procs && fprintf(procs, "%d", getpid()) > 0 && !fflush(procs), "%s: %m", path);
}

static void leave_cgroup(struct lab *lab)
{
	CLEANUP(close_file) FILE *procs = NULL;
	char path[160], *slash;

	if (!lab->cgroup[0])
		return;
	snprintf(path, sizeof(path), "%s", lab->cgroup);
	slash = strrchr(path, '/');
	snprintf(slash, sizeof(path) - (size_t)(slash - path), "/cgroup.procs");
	procs = fopen(path, "w");
	if (procs && fprintf(procs, "%d", getpid()) > 0)
		fflush(procs);
	rmdir(lab->cgroup);
}

void lab_end(struct lab *lab)
{
	struct diags d = {.arena = arena_new()};
	size_t count;

	datapath_detach(&lab->host, NULL, &d, &count);
	arena_free(d.arena);
	leave_cgroup(lab);
}

/* ---------------------------------------------------------------- traffic */

static struct sockaddr_in end_of(int pair, int side, uint16_t port)
{
	struct sockaddr_in end = {.sin_family = AF_INET, .sin_port = htons(port)};

	end.sin_addr.s_addr = htonl(0x0a090000u | (uint32_t)pair << 8 | (uint32_t)side);
	return end;
}

static int socket_in(const struct lab *lab, int ns, int type)
{
	int fd;

	go(ns);
	fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	go(lab->here);
	cr_assert_geq(fd, 0);
	return fd;
}

/* A CPU receives the frames that it sends to devices of this machine itself, in their order. */
static cpu_set_t cpu_stay(void)
{
	cpu_set_t before, here;

	cr_assert_eq(sched_getaffinity(0, sizeof(before), &before), 0);
	CPU_ZERO(&here);
	CPU_SET((size_t)sched_getcpu(), &here);
	cr_assert_eq(sched_setaffinity(0, sizeof(here), &here), 0);
	return before;
}

static void cpu_leave(const cpu_set_t *before)
{
	sched_setaffinity(0, sizeof(*before), before);
}

/* Whether something arrives. A frame through lo is back when all frames before it were received;
   after as many rounds as resolving, opening and answering take, no more will come. */
static bool arrives(struct pollfd *wait)
{
	struct sockaddr_ll lo = {.sll_family = AF_PACKET, .sll_protocol = htons(ETHERTYPE_OURS)};
	CLEANUP(close_fd) int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct pollfd back = {.fd = fd, .events = POLLIN};
	char byte = 0;

	lo.sll_ifindex = (int)if_nametoindex("lo");
	lo.sll_halen = ETH_ALEN;
	cr_assert(fd >= 0 && !bind(fd, (const void *)&lo, sizeof(lo)), "a packet socket: %m");
	for (int i = 0; i < ROUNDS && poll(wait, 1, 0) != 1; i++) {
		cr_assert_eq(sendto(fd, &byte, 1, 0, (const void *)&lo, sizeof(lo)), 1, "%m");
		cr_assert_eq(poll(&back, 1, HANGS_MS), 1);
		recv(fd, &byte, 1, 0);
	}
	return poll(wait, 1, 0) == 1;
}

static bool udp(const struct lab *lab, int from, int to, const struct sockaddr_in *end)
{
	CLEANUP(cpu_leave) cpu_set_t before = cpu_stay();
	CLEANUP(close_fd) int sender = socket_in(lab, from, SOCK_DGRAM);
	CLEANUP(close_fd) int receiver = socket_in(lab, to, SOCK_DGRAM);
	struct pollfd wait = {.fd = receiver, .events = POLLIN};

	cr_assert_eq(bind(receiver, (const void *)end, sizeof(*end)), 0, "bind: %m");
	sendto(sender, "hello", 5, 0, (const void *)end, sizeof(*end));
	return arrives(&wait);
}

bool lab_udp_out(const struct lab *lab, int pair, uint16_t port)
{
	struct sockaddr_in end = end_of(pair, 2, port);

	return udp(lab, lab->here, lab->there, &end);
}

bool lab_udp_in(const struct lab *lab, int pair, uint16_t port)
{
	struct sockaddr_in end = end_of(pair, 1, port);

	return udp(lab, lab->there, lab->here, &end);
}

bool lab_tcp_out(const struct lab *lab, int pair, uint16_t port)
{
	CLEANUP(cpu_leave) cpu_set_t before = cpu_stay();
	CLEANUP(close_fd) int client = socket_in(lab, lab->here, SOCK_STREAM | SOCK_NONBLOCK);
	CLEANUP(close_fd) int server = socket_in(lab, lab->there, SOCK_STREAM);
	struct sockaddr_in end = end_of(pair, 2, port);
	struct pollfd wait = {.fd = client, .events = POLLOUT};
	int error = 0, one = 1;
	socklen_t size = sizeof(error);

	setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	cr_assert_eq(bind(server, (const void *)&end, sizeof(end)), 0, "bind: %m");
	cr_assert_eq(listen(server, 1), 0);
	if (connect(client, (const void *)&end, sizeof(end)) && errno != EINPROGRESS)
		return false;
	if (!arrives(&wait))
		return false;
	return !getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &size) && !error;
}

/* ---------------------------------------------------------------- applying */

static void take_points(struct fixture *fixture, const char *const *points)
{
	static const char *const kinds[FR_KINDS] = {"interface ", "guest ", "cgroup "};
	struct ruleset *rs = &fixture->ruleset;
	size_t count = 0;

	while (points[count])
		count++;
	rs->attach = arena_alloc(fixture->arena, count * sizeof(*rs->attach));
	for (size_t i = 0; i < count; i++)
		for (uint8_t kind = 0; kind < FR_KINDS; kind++)
			if (str_starts(points[i], kinds[kind]))
				rs->attach[rs->attach_count++] = (struct attach_point){
					.kind = kind, .name = points[i] + strlen(kinds[kind])};
}

/* A text in place of a policy's document, with the name and the port of the policy. */
static void document_make(const struct image_spec *plan, struct packed *out)
{
	struct packer *packer = pack_begin();
	char text[80];

	snprintf(text, sizeof(text), "policy %s, port %u", plan->policy, plan->tcp_port);
	pack_add(packer, text, strlen(text));
	pack_end(packer, out);
}

int lab_apply(const struct lab *lab, const struct image_spec *plan, const char *const *points,
	      struct apply_result *result, char messages[512])
{
	struct fixture fixture;
	struct apply_request request = {.source = "test.yaml",
					.host = lab->host,
					.mode_given = !lab->careful,
					.allow_removal = !lab->careful};
	CLEANUP(packed_free) struct packed document;
	struct attach_target *hooks;
	int err;

	fixture_make(plan, &fixture);
	document_make(plan, &document);
	request.document = &document;
	take_points(&fixture, points);
	request.ruleset = &fixture.ruleset;
	request.image = &fixture.image;
	err = host_resolve(&fixture.ruleset, &lab->host, &fixture.diags, &hooks,
			   &request.hook_count);
	request.hooks = hooks;
	if (!err)
		err = datapath_apply(&request, &fixture.diags, result);
	snprintf(messages, 512, "%s", fixture_messages(&fixture));
	fixture_free(&fixture);
	return err;
}

struct apply_result lab_applied(const struct lab *lab, const struct image_spec *plan,
				const char *const *points)
{
	struct apply_result result = {0};
	char messages[512];
	int err = lab_apply(lab, plan, points, &result, messages);

	cr_assert_eq(err, 0, "apply: %s: %s", error_text(err), messages);
	cr_assert_str_empty(messages);
	return result;
}

void lab_detached(const struct lab *lab)
{
	struct diags d = {.arena = arena_new()};
	size_t count;
	int err = datapath_detach(&lab->host, NULL, &d, &count);

	cr_assert_eq(err, 0, "detach: %s", d.count ? d.list[0].message : error_text(err));
	arena_free(d.arena);
}

struct fr_counters lab_counters(const struct lab *lab, const char *policy, const char *rule,
				uint8_t dir)
{
	struct diags d = {.arena = arena_new()};
	struct instance instance;
	struct records records;
	struct fr_counters sum = {0};
	const struct fr_rule_record *list;

	cr_assert_eq(instance_open(&lab->host, policy, &d, &instance), 0);
	cr_assert_eq(records_map(instance.rules, &records), 0);
	list = records.list;
	for (uint32_t slot = 0; slot < records.count; slot++)
		if (list[slot].used == 1 && str_equal(list[slot].id, rule) &&
		    list[slot].dir == dir) {
			cr_assert_eq(counters_sum(instance.counters, slot, &sum), 0);
			counters_add(&sum, &list[slot].base);
		}
	records_unmap(&records);
	instance_close(&instance);
	arena_free(d.arena);
	return sum;
}

bool lab_has_tcx(void)
{
	bool works;

	return !tcx_works(if_nametoindex("va0"), &works) && works;
}

/* Of clsact; tc prints a line with a handle for each. */
static unsigned filters_count(const char *device, bool egress)
{
	char command[80], line[256];
	unsigned count = 0;
	FILE *listing;

	snprintf(command, sizeof(command), "tc filter show dev %s %s", device,
		 egress ? "egress" : "ingress");
	listing = popen(command, "re");
	cr_assert(listing, "%m");
	while (fgets(line, sizeof(line), listing))
		count += strstr(line, " handle ") != NULL;
	pclose(listing);
	return count;
}

unsigned lab_programs(int pair, bool egress, uint32_t links[16])
{
	struct hook_query query = {0};
	char name[8];

	snprintf(name, sizeof(name), "va%d", pair);
	if (!lab_has_tcx())
		return filters_count(name, egress);
	cr_assert_eq(hook_query(if_nametoindex(name),
				egress ? ATTACH_TCX_EGRESS : ATTACH_TCX_INGRESS, &query),
		     0);
	for (unsigned i = 0; links && i < query.count && i < 16; i++)
		links[i] = query.links[i];
	return query.count;
}

static int count_one(const char *dir, const char *name, void *context)
{
	(void)dir, (void)name;
	++*(unsigned *)context;
	return 0;
}

unsigned lab_pins(const char *dir)
{
	unsigned count = 0;

	pin_each(dir, count_one, &count);
	return count;
}
