/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Probes the kernel's BPF: kinds of maps, helpers by type of program, test runs. A helper exists
 * if the verifier, given a bare call of it, reports any error but an unknown call.
 */
#include "probe.h"

#include <linux/btf.h>
#include <string.h>
#include <sys/mman.h>

#include "../objects/objects.h"

/* ---------------------------------------------------------------- maps */

static int try_array_mmap(void)
{
	CLEANUP(close_fd) int fd = image_map_create(64);
	void *lines;

	if (fd < 0)
		return fd;
	lines = mmap(NULL, 64 * FR_LINE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (lines == MAP_FAILED)
		return -errno;
	munmap(lines, 64 * FR_LINE_BYTES);
	return 0;
}

/* The swap: one inner map, then another of its size. */
static int try_array_of_maps(void)
{
	CLEANUP(close_fd) int one = image_map_create(64);
	CLEANUP(close_fd) int two = image_map_create(64);
	LIBBPF_OPTS(bpf_map_create_opts, options, .inner_map_fd = (uint32_t)one);
	CLEANUP(close_fd) int outer = -1;
	uint32_t zero = 0;

	if (one < 0 || two < 0)
		return one < 0 ? one : two;
	outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "fr_doctor", 4, 4, 2, &options);
	if (outer < 0 || bpf_map_update_elem(outer, &zero, &one, BPF_ANY) ||
	    bpf_map_update_elem(outer, &zero, &two, BPF_ANY))
		return -errno;
	return 0;
}

static int try_map(enum bpf_map_type type, uint32_t key, uint32_t value, uint32_t entries)
{
	CLEANUP(close_fd) int fd = bpf_map_create(type, "fr_doctor", key, value, entries, NULL);

	return fd < 0 ? -errno : 0;
}

static int try_percpu_array(void)
{
	return try_map(BPF_MAP_TYPE_PERCPU_ARRAY, 4, sizeof(struct fr_counters), 4);
}

static int try_lru(void)
{
	return try_map(BPF_MAP_TYPE_LRU_HASH, sizeof(struct fr_flow_key), sizeof(struct fr_flow),
		       64);
}

static int try_ringbuf(void)
{
	return try_map(BPF_MAP_TYPE_RINGBUF, 0, 0, 1 << 16);
}

static int try_batch(void)
{
	CLEANUP(close_fd)
	int fd = bpf_map_create(BPF_MAP_TYPE_LRU_HASH, "fr_doctor", 4, 4, 4, NULL);
	uint32_t key = 1, value = 2, cursor, count = 4, keys[4], values[4];

	if (fd < 0 || bpf_map_update_elem(fd, &key, &value, BPF_ANY))
		return -errno;
	/* ENOENT ends a walk. */
	if (bpf_map_lookup_batch(fd, NULL, &cursor, keys, values, &count, NULL) && errno != ENOENT)
		return -errno;
	return count == 1 && values[0] == 2 ? 0 : -ENOTSUP;
}

/* Only socket storage cannot be made without BTF of its own. */
static int storage_btf(void)
{
	static const struct {
		struct btf_header header;
		struct btf_type type;
		uint32_t encoding;
		char strings[8];
	} blob = {
		.header = {.magic = BTF_MAGIC,
			   .version = BTF_VERSION,
			   .hdr_len = sizeof(struct btf_header),
			   .type_len = sizeof(struct btf_type) + sizeof(uint32_t),
			   .str_off = sizeof(struct btf_type) + sizeof(uint32_t),
			   .str_len = 8},
		.type = {.name_off = 1, .info = BTF_KIND_INT << 24, .size = 4},
		.encoding = BTF_INT_SIGNED << 24 | 32,
		.strings = "\0int\0\0\0",
	};
	int fd = bpf_btf_load(&blob, sizeof(blob), NULL);

	return fd < 0 ? -errno : fd;
}

static int try_sk_storage(void)
{
	CLEANUP(close_fd) int btf = storage_btf();
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC | BPF_F_CLONE,
		    .btf_fd = (uint32_t)btf, .btf_key_type_id = 1, .btf_value_type_id = 1);
	CLEANUP(close_fd) int fd = -1;

	if (btf < 0)
		return btf;
	fd = bpf_map_create(BPF_MAP_TYPE_SK_STORAGE, "fr_doctor", 4, 4, 0, &options);
	return fd < 0 ? -errno : 0;
}

/* ---------------------------------------------------------------- programs */

static int try_test_run(void)
{
	CLEANUP(close_fd) int fd = probe_program(BPF_PROG_TYPE_SCHED_CLS, 0, 7);
	uint8_t packet[64] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = sizeof(packet));

	if (fd < 0)
		return fd;
	if (bpf_prog_test_run_opts(fd, &run))
		return -errno;
	return run.retval == 7 ? 0 : -ENOTSUP;
}

static int try_jit(void)
{
	CLEANUP(close_fd) int fd = probe_program(BPF_PROG_TYPE_SCHED_CLS, 0, 7);
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	return info.jited_prog_len ? 0 : -ENOTSUP;
}

enum { FOR_TC = 1, FOR_CGROUP = 2, FOR_ADDRESS = 4, FOR_SOCKET = 8 };

static int try_helper(enum bpf_prog_type type, enum bpf_attach_type expected, int32_t helper)
{
	static const char *const unknown[] = {"unknown func", "invalid func", "cannot use helper"};
	const struct bpf_insn code[] = {
		{.code = BPF_JMP | BPF_CALL, .imm = helper},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	char log[4096] = "";
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = expected, .log_level = 1,
		    .log_buf = log, .log_size = sizeof(log));
	CLEANUP(close_fd)
	int fd = bpf_prog_load(type, "fr_doctor", "GPL", code, ARRAY_SIZE(code), &options);
	int err = fd < 0 ? errno : 0;

	if (!err)
		return 0;
	/* Refused before the verifier ran: for its type, or for our privilege. */
	if (!*log)
		return -err;
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		if (strstr(log, unknown[i]))
			return -ENOTSUP;
	return 0;
}

static int try_helpers(const int32_t *helpers, unsigned types)
{
	static const struct {
		unsigned bit;
		enum bpf_prog_type type;
		enum bpf_attach_type expected;
	} kinds[] = {
		{FOR_TC, BPF_PROG_TYPE_SCHED_CLS, 0},
		{FOR_CGROUP, BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS},
		{FOR_ADDRESS, BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT},
		{FOR_SOCKET, BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE},
	};
	int err = 0;

	for (; *helpers && !err; helpers++)
		for (size_t i = 0; i < ARRAY_SIZE(kinds) && !err; i++)
			if (types & kinds[i].bit)
				err = try_helper(kinds[i].type, kinds[i].expected, *helpers);
	return err;
}

/* ---------------------------------------------------------------- the list */

#define NEWER "a kernel of 5.10 or newer, as distributions build it"

static const struct {
	struct feature_words words;
	int (*try)(void);
} trials[] = {
	{{"jit", BY_NONE, NULL, "programs run as machine code",
	  "every packet costs several times as much",
	  "sysctl net.core.bpf_jit_enable=1, or a kernel with CONFIG_BPF_JIT"},
	 try_jit},
	{{"test-run", BY_NONE, NULL, "reads the programs' clock",
	  "show, monitor and status print no times", NEWER},
	 try_test_run},
	{{"array-mmap", BY_ALL, NULL, "writes a compiled policy in one step",
	  "no policy can be installed", NEWER},
	 try_array_mmap},
	{{"array-of-maps", BY_ALL, NULL, "one store replaces a whole policy",
	  "no policy can be installed", NEWER},
	 try_array_of_maps},
	{{"percpu-array", BY_ALL, NULL, "counters", "no program loads", NEWER}, try_percpu_array},
	{{"lru-hash", BY_ALL, NULL, "fragments, and senders of forwarded packets",
	  "no program loads", NEWER},
	 try_lru},
	{{"ringbuf", BY_ALL, NULL, "events", "no program loads", NEWER}, try_ringbuf},
	{{"sk-storage", BY_CGROUPS, NULL, "the process that owns a socket",
	  "no program for cgroups loads", NEWER},
	 try_sk_storage},
	{{"map-batch", BY_NONE, NULL, "show reads whole tables in few calls",
	  "show flows and show drops read entry by entry, slowly where there are many", NEWER},
	 try_batch},
};

static const struct {
	struct feature_words words;
	unsigned types;
	int32_t helpers[8];
} helper_trials[] = {
	{{"clock-helpers", BY_ALL, NULL, "times and time-outs", "no program loads", NEWER},
	 FOR_TC | FOR_CGROUP | FOR_ADDRESS,
	 {BPF_FUNC_jiffies64, BPF_FUNC_ktime_get_boot_ns}},
	{{"socket-lookup", BY_ALL, NULL, "finds the socket of a mid-stream packet",
	  "no program loads", NEWER},
	 FOR_TC | FOR_CGROUP | FOR_ADDRESS,
	 {BPF_FUNC_skc_lookup_tcp, BPF_FUNC_sk_lookup_udp, BPF_FUNC_sk_release}},
	{{"fib-lookup", BY_DEVICES, NULL, "finds out whether a packet is forwarded",
	  "no program for interfaces loads", NEWER},
	 FOR_TC,
	 {BPF_FUNC_fib_lookup}},
	{{"xfrm-state", BY_DEVICES, NULL, "recognizes decrypted IPsec packets",
	  "no program for interfaces loads", "a kernel with CONFIG_XFRM"},
	 FOR_TC,
	 {BPF_FUNC_skb_get_xfrm_state}},
	{{"load-bytes", BY_ALL, NULL, "reads headers that are not linear", "no program loads",
	  NEWER},
	 FOR_TC | FOR_CGROUP,
	 {BPF_FUNC_skb_load_bytes}},
	{{"ringbuf-helpers", BY_ALL, NULL, "programs write events", "no program loads", NEWER},
	 FOR_TC | FOR_CGROUP | FOR_ADDRESS,
	 {BPF_FUNC_ringbuf_reserve, BPF_FUNC_ringbuf_submit}},
	{{"process-helpers", BY_CGROUPS, NULL, "the process that connects",
	  "no program for cgroups loads", NEWER},
	 FOR_ADDRESS,
	 {BPF_FUNC_sk_storage_get, BPF_FUNC_get_current_pid_tgid, BPF_FUNC_get_current_uid_gid,
	  BPF_FUNC_get_current_comm}},
	{{"netns-cookie", BY_CGROUPS, NULL, "keeps network namespaces apart",
	  "no program for cgroups loads", NEWER},
	 FOR_ADDRESS | FOR_SOCKET,
	 {BPF_FUNC_get_netns_cookie}},
	{{"netns-of-packet", BY_NONE, NULL,
	  "the network namespace of a socket that is older than the policy",
	  "the connections of such a socket of a cgroup match no other hook, except those that "
	  "it accepts",
	  "Linux 6.15 or newer, or start its service again after apply"},
	 FOR_CGROUP,
	 {BPF_FUNC_get_netns_cookie}},
	{{"parent-helpers", BY_NONE, NULL, "the parent of the process that made a socket",
	  "events, flows and drops name the process, not its parent", NEWER},
	 FOR_SOCKET,
	 {BPF_FUNC_sk_storage_get, BPF_FUNC_get_current_task, BPF_FUNC_probe_read_kernel}},
};

void probe_kernel(struct probing *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(trials); i++)
		probe_add(p, &trials[i].words, finding_of(p, trials[i].try()));
	for (size_t i = 0; i < ARRAY_SIZE(helper_trials); i++)
		probe_add(p, &helper_trials[i].words,
			  finding_of(p, try_helpers(helper_trials[i].helpers,
						    helper_trials[i].types)));
}
