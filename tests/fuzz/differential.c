/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's programs, verified and compiled to machine code, against the same text compiled
 * natively over the image in user space: sequences of packets on every hook. Verdict, reason, rule,
 * key, return code and then every flow must be equal. A disagreement that persists when the
 * sequence runs again is printed packet by packet, and is a crash for libFuzzer to minimise. Needs
 * root.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../user/datapath/datapath.h"
#include "../testbench.h"
#include "require.h"
#include "sequence.h"
#include "test_policy.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ATTEMPTS = 3, START_SECONDS = 100000 };

static struct {
	struct bench *bench;
	uint32_t devices[2];
	struct fr_flow_set *flows, *drops; /* in the kernel */
	void *image;			   /* in the kernel */
	uint32_t lines;
	uint8_t policy; /* in the image */
	bool sure;	/* the kernel's maps equal the native ones */
	bool loud;
	uint64_t sequences, packets, refused; /* refused: a test run takes no such packet */
} rig;

static const char *const verdicts[] = {"pass", "drop", "would-drop"};
static const char *const reasons[] = {
#define X(name, text) text,
	FR_REASONS(X)
#undef X
};

/* ---------------------------------------------------------------- the rig */

static void report(void)
{
	fprintf(stderr, "differential: %lu sequences, %lu packets judged alike, %lu not runnable\n",
		(unsigned long)rig.sequences, (unsigned long)rig.packets,
		(unsigned long)rig.refused);
}

/* The secret of the hash is the same in both worlds: an entry is in the same set. */
static void secret_share(void)
{
	struct fr_secret secret;
	uint32_t zero = 0;

	require(!bpf_map_lookup_elem(bench_map(rig.bench, "fr_hashing"), &zero, &secret),
		"the secret of the hash");
	native_secret(&secret);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct diags d = {.arena = arena};

	(void)argc, (void)argv;
	if (geteuid()) {
		fprintf(stderr, "skip - differential: needs root: NOT RUN\n");
		exit(77);
	}
	require(!unshare(CLONE_NEWNET), "a network namespace of its own");
	require(!system("ip link add frf0 type veth peer name frf1 && "
			"ip link set frf0 up && ip link set frf1 up"),
		"two devices");
	rig.devices[0] = if_nametoindex("frf0");
	rig.devices[1] = if_nametoindex("frf1");
	if (bench_open(&d, &rig.bench)) {
		fprintf(stderr, "differential: %s\n", d.count ? d.list[0].message : "no bench");
		abort();
	}
	secret_share();
	atexit(report);
	return 0;
}

/* The image in force, writable: the kernel waits long for its readers when a map is exchanged, and
 * here there are no readers between two packets. */
static void *image_map(void)
{
	const struct test_policy *first = test_policy_get(0);
	struct bpf_map_info info = {0};
	uint32_t zero = 0, id, size = sizeof(info);
	void *lines;
	int fd;

	require(!bench_install(rig.bench, &first->image, true), "an image installs");
	require(!bpf_map_lookup_elem(bench_map(rig.bench, "fr_images"), &zero, &id), "an image");
	fd = bpf_map_get_fd_by_id(id);
	require(fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size), "the image's map");
	rig.lines = info.max_entries;
	lines = mmap(NULL, (size_t)rig.lines * FR_LINE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
		     fd, 0);
	require(lines != MAP_FAILED, "the image is mapped");
	close(fd);
	return lines;
}

static void policy_install(uint8_t number)
{
	const struct test_policy *policy = test_policy_get(number);

	number %= TEST_POLICIES;
	native_install(policy->ready.lines, policy->ready.line_count, &policy->ready.failsafe);
	if (!rig.image)
		rig.image = image_map();
	else if (rig.policy == number)
		return;
	require(policy->ready.line_count <= rig.lines, "an image that fits");
	memcpy(rig.image, policy->ready.lines, (size_t)policy->ready.line_count * FR_LINE_BYTES);
	rig.policy = number;
}

/* ---------------------------------------------------------------- the kernel's tables */

static struct fr_flow_set *table_map(const char *map)
{
	int fd = bench_map(rig.bench, map);
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);
	void *at;

	require(!bpf_obj_get_info_by_fd(fd, &info, &size), "a table");
	at = mmap(NULL, info.max_entries * sizeof(struct fr_flow_set), PROT_READ | PROT_WRITE,
		  MAP_SHARED, fd, 0);
	require(at != MAP_FAILED, "a table is mapped");
	return at;
}

static struct fr_flow_set *kernel_set(const char *map, uint32_t index)
{
	struct fr_flow_set **table = strcmp(map, "fr_drops") ? &rig.flows : &rig.drops;

	if (!*table)
		*table = table_map(map);
	return &(*table)[index];
}

/* As in bpf/maps.h. */
struct question_set {
	uint8_t head[FR_LINE_BYTES];
	struct fr_question way[FR_WAYS];
};

/* Remove the state of the last sequence. After a disagreement its extent is unknown. */
static void kernel_forget(void)
{
	static const struct question_set no_questions;
	const char *map;
	const void *key;
	uint32_t set;

	for (size_t n = 0; native_key(n, &map, &key); n++)
		if (strcmp(map, "fr_questions"))
			bpf_map_delete_elem(bench_map(rig.bench, map), key);
		else
			bpf_map_update_elem(bench_map(rig.bench, map), key, &no_questions, BPF_ANY);
	for (size_t n = 0; native_set(n, &map, &set); n++)
		memset(kernel_set(map, set), 0, sizeof(struct fr_flow_set));
	if (!rig.sure && rig.image) { /* with all that it has forgotten */
		munmap(rig.image, (size_t)rig.lines * FR_LINE_BYTES);
		rig.image = NULL;
	}
	rig.sure = true;
}

static void set_age(struct fr_flow_set *set, uint64_t jiffies)
{
	for (uint32_t way = 0; way < FR_WAYS; way++) {
		struct fr_flow *flow = &set->way[way];
		uint32_t info = set->set.info[way];

		if (!set->set.tag[way])
			continue;
		flow->last -= jiffies;
		if (flow->key.proto != PROTO_TCP && flow->reason == FR_REASON_FORWARDED)
			flow->sent -= (uint32_t)jiffies;
		set->set.info[way] =
			FR_INFO(FR_INFO_CLASS(info), info - (uint32_t)(jiffies >> FR_TICK_SHIFT));
	}
}

/* When questions were asked: of each, and of the ports that the native world has asked by. */
static void questions_age(uint64_t jiffies)
{
	int ports = bench_map(rig.bench, "fr_ports_asked"), fd;
	struct question_set set;
	const void *at;
	const char *map;
	uint32_t asked;

	for (size_t n = 0; native_key(n, &map, &at); n++) {
		fd = bench_map(rig.bench, map);
		if (strcmp(map, "fr_questions") || bpf_map_lookup_elem(fd, at, &set))
			continue;
		for (uint32_t way = 0; way < FR_WAYS; way++)
			set.way[way].last -= jiffies;
		bpf_map_update_elem(fd, at, &set, BPF_ANY);
	}
	for (uint32_t i = 0; i <= FR_DIRS * FR_ASKED_PORTS; i++) {
		if (bpf_map_lookup_elem(ports, &i, &asked) || !asked)
			continue;
		asked -= (uint32_t)jiffies;
		bpf_map_update_elem(ports, &i, &asked, BPF_ANY);
	}
}

/* Simulate the passing of time: the kernel's clock cannot be set, its flows can. */
static void kernel_age(uint64_t jiffies)
{
	int fragments = bench_map(rig.bench, "fr_fragments");
	struct fr_fragment fragment;
	const void *at;
	const char *map;
	uint32_t set;

	questions_age(jiffies);
	for (size_t n = 0; native_set(n, &map, &set); n++)
		if (!strcmp(map, "fr_flows"))
			set_age(kernel_set(map, set), jiffies);
	for (size_t n = 0; native_key(n, &map, &at); n++) {
		if (strcmp(map, "fr_fragments") || bpf_map_lookup_elem(fragments, at, &fragment))
			continue;
		fragment.until -= jiffies;
		bpf_map_update_elem(fragments, at, &fragment, BPF_ANY);
	}
}

static bool flows_equal(const struct fr_flow *a, const struct fr_flow *b)
{
	return a->state == b->state && a->flags == b->flags && a->opener == b->opener &&
	       a->reason == b->reason && a->slot == b->slot &&
	       !memcmp(a->packets, b->packets, sizeof(a->packets)) &&
	       !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static const struct fr_flow *kernel_find(const struct fr_flow_key *key)
{
	const char *map;
	uint32_t set;

	for (size_t n = 0; native_set(n, &map, &set); n++) {
		const struct fr_flow_set *at = kernel_set(map, set);

		for (uint32_t way = 0; way < FR_WAYS && !strcmp(map, "fr_flows"); way++)
			if (at->set.tag[way] && !memcmp(&at->way[way].key, key, sizeof(*key)))
				return &at->way[way];
	}
	return NULL;
}

/* Every flow of the native world is in the kernel, and the same. */
static bool tables_equal(void)
{
	struct fr_flow native;
	bool equal = true;

	for (size_t n = 0; native_flow(n, &native); n++) {
		const struct fr_flow *kernel = kernel_find(&native.key);

		if (kernel && flows_equal(&native, kernel))
			continue;
		equal = false;
		if (rig.loud)
			fprintf(stderr, "a flow differs: native state %u flags %#x, ", native.state,
				native.flags);
		if (rig.loud && kernel)
			fprintf(stderr, "kernel state %u flags %#x\n", kernel->state,
				kernel->flags);
		else if (rig.loud)
			fprintf(stderr, "the kernel has none\n");
	}
	return equal;
}

/* ---------------------------------------------------------------- one packet */

static void tell_one(const char *who, int result, const struct fr_event *e)
{
	fprintf(stderr, "  %s: %s reason %s rule %u returns %d flags %#x length %u\n", who,
		e->version ? verdicts[e->verdict % 3] : "nothing",
		reasons[e->reason % FR_REASONS_COUNT], e->slot, result, e->tcp_flags, e->length);
}

static void tell(const struct step *step, const struct bytes *frame, const int results[2],
		 const struct fr_event traces[2])
{
	static const char *const kinds[] = {"interface", "guest", "cgroup"};
	const char *head = step->packet.l3 ? " without Ethernet" : "";

	if (!rig.loud)
		return;
	fprintf(stderr, "%s %s%s, %u bytes:\n  ", kinds[step->packet.kind],
		step->packet.dir ? "ingress" : "egress", head, frame->size);
	for (uint32_t i = 0; i < frame->size; i++)
		fprintf(stderr, "%02x", frame->data[i]);
	fprintf(stderr, "\n");
	tell_one("kernel", results[0], &traces[0]);
	tell_one("native", results[1], &traces[1]);
}

static bool traces_equal(const struct fr_event *a, const struct fr_event *b)
{
	return a->version == b->version && a->verdict == b->verdict && a->reason == b->reason &&
	       a->slot == b->slot && a->type == b->type && a->dir == b->dir && a->kind == b->kind &&
	       a->tcp_flags == b->tcp_flags && a->length == b->length &&
	       !memcmp(&a->key, &b->key, sizeof(a->key));
}

/* Both judge it; true when they agree. Skips a packet that the kernel does not accept. */
static bool packet_judge(struct step *step, const struct bytes *frame)
{
	struct bench_run run = {.kind = step->packet.kind,
				.dir = step->packet.dir,
				.l3 = step->packet.l3,
				.data = frame->data,
				.size = frame->size,
				.ifindex = rig.devices[0],
				.ingress_ifindex =
					step->packet.ingress_ifindex ? rig.devices[1] : 0};
	struct fr_event traces[2];
	int results[2];

	if (bench_run(rig.bench, &run)) {
		rig.refused++;
		return true;
	}
	step->packet.ifindex = rig.devices[0];
	results[0] = run.retval;
	traces[0] = run.verdict;
	results[1] = native_run(&step->packet, &traces[1]);
	rig.packets++;
	tell(step, frame, results, traces);
	return results[0] == results[1] && traces_equal(&traces[0], &traces[1]);
}

/* ---------------------------------------------------------------- a sequence */

static bool sequence_judge(const uint8_t *data, size_t size)
{
	struct cursor cursor;
	struct step step;
	bool equal = true;

	kernel_forget();
	native_reset((uint64_t)START_SECONDS * jiffies_hz());
	policy_install(data[0]);
	cursor_open(&cursor, data + 1, size - 1, true);
	while (equal && cursor_next(&cursor, &step)) {
		if (step.what == STEP_POLICY)
			policy_install(step.policy);
		if (step.what == STEP_PACKET)
			equal = packet_judge(&step, &cursor.frame);
		if (step.what != STEP_TIME)
			continue;
		kernel_age((uint64_t)step.seconds * jiffies_hz());
		native_age((uint64_t)step.seconds * jiffies_hz());
	}
	rig.sure = equal && tables_equal();
	return rig.sure;
}

/* A pause of the machine between two packets ages flows: only a persistent disagreement counts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	rig.sequences++;
	for (int i = 0; i < ATTEMPTS; i++)
		if (sequence_judge(data, size))
			return 0;
	rig.loud = true;
	sequence_judge(data, size);
	report();
	abort();
}
