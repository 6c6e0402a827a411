/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The programs for BPF_PROG_TEST_RUN: loaded with tracing on or off, never attached and never
 * pinned. Packets run as if they had met a device of the caller's namespace other than lo, where
 * there is one: everything on lo passes. Each run has a socket of its own: packets of cgroups are
 * of one space.
 */
#include "testbench.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../user/host/host.h"

enum { MAP_TRACE = MAP_COUNT, BENCH_MAPS, BENCH_FDS = PROGRAM_COUNT + BENCH_MAPS };

/* The sets of flows, or of drops, mapped when they are first cleared. */
struct table {
	struct fr_flow_set *sets;
	uint32_t count;
};

struct bench {
	struct object *object;	     /* NULL: another process loaded it */
	int fds[BENCH_FDS];	     /* programs, then maps; owned without an object */
	uint32_t image_lines, slots; /* what the object was sized for */
	uint32_t generation;
	uint32_t ifindex;
	unsigned cpus;
	bool tracing;
	int image; /* in force; kept open for those who ask for it */
	struct table flows, drops;
};

static const char *map_name(int map)
{
	return map == MAP_TRACE ? "fr_trace" : map_names[map];
}

static void table_unmap(struct table *table)
{
	if (table->sets)
		munmap(table->sets, table->count * sizeof(*table->sets));
	*table = (struct table){0};
}

static void bench_drop(struct bench *bench)
{
	table_unmap(&bench->flows);
	table_unmap(&bench->drops);
	for (int i = 0; i < BENCH_FDS && !bench->object; i++)
		close_fd(&bench->fds[i]);
	object_close(bench->object);
	bench->object = NULL;
}

static void bench_use(struct bench *bench, struct object *object)
{
	bench_drop(bench);
	bench->object = object;
	for (int i = 0; i < PROGRAM_COUNT; i++)
		bench->fds[i] = object_program(object, (enum program)i);
	for (int i = 0; i < BENCH_MAPS; i++)
		bench->fds[PROGRAM_COUNT + i] = object_map(object, map_name(i));
}

static int bench_load(struct bench *bench, uint32_t lines, uint32_t slots, struct diags *d)
{
	struct object_request request = {
		.image_lines = lines,
		.slots = slots,
		.last = UINT32_MAX,
		.programs = (1u << PROGRAM_COUNT) - 1,
		.tracing = bench->tracing,
		.one_space = bench->tracing || !packet_space_works(),
	};
	struct object *object;
	int err;

	for (int i = 0; i < MAP_COUNT; i++)
		request.reuse[i] = -1;
	err = object_load(&request, d, &object);
	if (err)
		return err;
	bench_use(bench, object);
	bench->image_lines = lines;
	bench->slots = slots;
	return 0;
}

static uint32_t device_not_lo(struct diags *d)
{
	struct interface *list;
	size_t count;

	if (host_interfaces(d->arena, d, &list, &count))
		return 0;
	for (size_t i = 0; i < count; i++)
		if (!list[i].loopback)
			return list[i].ifindex;
	return 0;
}

/* With nothing loaded. */
static int bench_new(bool tracing, struct diags *d, struct bench **out)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	int cpus = libbpf_num_possible_cpus();

	if (!bench || cpus < 0) {
		free(bench);
		return diag_error(d, NO_LOC, -ENOMEM, "kernel-load", NULL, "out of memory");
	}
	for (int i = 0; i < BENCH_FDS; i++)
		bench->fds[i] = -1;
	bench->cpus = (unsigned)cpus;
	bench->tracing = tracing;
	bench->image = -1;
	bench->image_lines = image_class(1 << 16);
	bench->slots = slots_class(1);
	bench->ifindex = device_not_lo(d);
	*out = bench;
	return 0;
}

static int bench_make(bool tracing, struct diags *d, struct bench **out)
{
	struct bench *bench;
	int err = bench_new(tracing, d, &bench);

	if (err)
		return err;
	err = bench_load(bench, bench->image_lines, bench->slots, d);
	if (err) {
		bench_close(bench);
		return err;
	}
	*out = bench;
	return 0;
}

int bench_open(struct diags *d, struct bench **out)
{
	return bench_make(true, d, out);
}

int bench_open_quiet(struct diags *d, struct bench **out)
{
	return bench_make(false, d, out);
}

size_t bench_lend(const struct bench *bench, int fds[BENCH_LENT_MAX])
{
	_Static_assert((int)BENCH_FDS <= (int)BENCH_LENT_MAX, "the door has room for all");

	memcpy(fds, bench->fds, sizeof(bench->fds));
	return BENCH_FDS;
}

int bench_borrow(const int *fds, size_t count, struct diags *d, struct bench **out)
{
	struct bench *bench;
	int err;

	if (count != BENCH_FDS)
		return diag_error(d, NO_LOC, -EINVAL, "kernel-load", NULL,
				  "not what a bench lends");
	err = bench_new(true, d, &bench);
	if (err)
		return err;
	memcpy(bench->fds, fds, sizeof(bench->fds));
	*out = bench;
	return 0;
}

void bench_close(struct bench *bench)
{
	if (!bench)
		return;
	bench_drop(bench);
	close_fd(&bench->image);
	free(bench);
}

/* Deletes while it walks: always asks for the first key that is left. */
static void map_clear(int fd)
{
	uint8_t key[64];

	while (!bpf_map_get_next_key(fd, NULL, key))
		if (bpf_map_delete_elem(fd, key) && errno != ENOENT)
			return;
}

static int table_map(int fd, struct table *table)
{
	uint32_t count = 0;
	void *sets;
	int err = table->sets ? 0 : fd_map_entries(fd, &count);

	if (err || table->sets)
		return err;
	sets = mmap(NULL, count * sizeof(*table->sets), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (sets == MAP_FAILED)
		return -errno;
	*table = (struct table){.sets = sets, .count = count};
	return 0;
}

/* Nothing runs meanwhile. A set whose first line is 0 was never used. */
static int table_clear(int fd, struct table *table)
{
	static const struct fr_set unused;
	int err = table_map(fd, table);

	for (uint32_t i = 0; !err && i < table->count; i++)
		if (memcmp(&table->sets[i].set, &unused, sizeof(unused)))
			memset(&table->sets[i], 0, sizeof(table->sets[i]));
	return err;
}

static void array_clear(int fd)
{
	static const uint8_t nothing[1024]; /* no value is larger */
	uint32_t entries = 0;

	if (fd_map_entries(fd, &entries))
		return;
	for (uint32_t i = 0; i < entries; i++)
		bpf_map_update_elem(fd, &i, nothing, BPF_ANY);
}

static int forget(struct bench *bench)
{
	static const enum kernel_map hashes[] = {MAP_PORTS, MAP_FRAGMENTS, MAP_TRANSIT};
	const int *maps = bench->fds + PROGRAM_COUNT;
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(hashes); i++)
		map_clear(maps[hashes[i]]);
	array_clear(maps[MAP_REGIONS]);
	array_clear(maps[MAP_QUESTIONS]);
	array_clear(maps[MAP_TIMES]);
	array_clear(maps[MAP_PORTS_ASKED]);
	err = table_clear(maps[MAP_FLOWS], &bench->flows);
	return err ? err : table_clear(maps[MAP_DROPS], &bench->drops);
}

/* Slots are rule numbers here, so that the trace identifies rules. `adopt_until` is as the image
 * says, and `conntrack`, in seconds. */
int bench_install(struct bench *bench, const struct image *image, bool forget_flows)
{
	CLEANUP(arena_drop) struct arena *arena = arena_new();
	struct diags d = {.arena = arena};
	struct install install = {.image = image, .generation = bench->generation + 1};
	const struct fr_image_ident *ident;
	const struct fr_image_conf *conf;
	uint32_t zero = 0;
	int err, fd;

	if (image->line_count > bench->image_lines || image->rule_count > bench->slots) {
		err = bench_load(bench, image_class(image->line_count),
				 slots_class(image->rule_count), &d);
		if (err)
			return err;
	}
	if (image->line_count > 2) {
		conf = (const void *)((const char *)image->lines + FR_LINE_BYTES);
		ident = (const void *)((const char *)image->lines + 2 * FR_LINE_BYTES);
		install.adopt_until = conf->adopt_until;
		install.conntrack = ident->conntrack;
	}
	install.class_lines = bench->image_lines;
	fd = image_install(&install, &d);
	if (fd < 0)
		return fd;
	close_fd(&bench->image);
	bench->image = fd;
	if (bpf_map_update_elem(bench->fds[PROGRAM_COUNT + MAP_IMAGES], &zero, &fd, BPF_ANY))
		return -errno;
	err = failsafe_store(bench->fds[PROGRAM_COUNT + MAP_FAILSAFE], install.generation,
			     &image->failsafe);
	if (err)
		return err;
	bench->generation++;
	return forget_flows ? forget(bench) : 0;
}

int bench_wipe(struct bench *bench)
{
	size_t size = (size_t)bench->image_lines * FR_LINE_BYTES;
	const size_t fixed = FR_LINES_FIXED * FR_LINE_BYTES;
	struct fr_image_head *head =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bench->image, 0);

	if (head == MAP_FAILED)
		return -errno;
	memset((char *)head + fixed, 0, (size_t)head->slots * FR_LINE_BYTES - fixed);
	munmap(head, size);
	return 0;
}

static int bench_program(const struct bench_run *run)
{
	static const enum program programs[FR_KINDS][FR_DIRS] = {
		[FR_KIND_INTERFACE] =
			{[FR_INGRESS] = PROGRAM_IF_INGRESS, [FR_EGRESS] = PROGRAM_IF_EGRESS},
		/* the device's ingress is the guest's egress */
		[FR_KIND_GUEST] =
			{[FR_INGRESS] = PROGRAM_GUEST_EGRESS, [FR_EGRESS] = PROGRAM_GUEST_INGRESS},
		[FR_KIND_CGROUP] =
			{[FR_INGRESS] = PROGRAM_CG_INGRESS, [FR_EGRESS] = PROGRAM_CG_EGRESS},
	};
	static const enum program l3[FR_KINDS][FR_DIRS] = {
		[FR_KIND_INTERFACE] =
			{[FR_INGRESS] = PROGRAM_IF_INGRESS_L3, [FR_EGRESS] = PROGRAM_IF_EGRESS_L3},
		[FR_KIND_GUEST] = {[FR_INGRESS] = PROGRAM_GUEST_EGRESS_L3,
				   [FR_EGRESS] = PROGRAM_GUEST_INGRESS_L3},
	};

	if (run->kind >= FR_KINDS || run->dir >= FR_DIRS)
		return -EINVAL;
	return (int)(run->l3 && run->kind != FR_KIND_CGROUP ? l3 : programs)[run->kind][run->dir];
}

static int trace_clear(const struct bench *bench, int fd)
{
	CLEANUP(free_ptr) struct fr_event *events = calloc(bench->cpus, sizeof(*events));
	uint32_t zero = 0;

	if (!events)
		return -ENOMEM;
	return bpf_map_update_elem(fd, &zero, events, BPF_ANY) ? -errno : 0;
}

static int trace_read(const struct bench *bench, int fd, struct fr_event *out)
{
	CLEANUP(free_ptr) struct fr_event *events = calloc(bench->cpus, sizeof(*events));
	uint32_t zero = 0;

	if (!events)
		return -ENOMEM;
	if (bpf_map_lookup_elem(fd, &zero, events))
		return -errno;
	memset(out, 0, sizeof(*out));
	for (unsigned cpu = 0; cpu < bench->cpus; cpu++)
		if (events[cpu].version)
			*out = events[cpu];
	return 0;
}

int bench_run(struct bench *bench, struct bench_run *run)
{
	struct __sk_buff context = {
		.ifindex = run->ifindex ? run->ifindex : bench->ifindex,
		.ingress_ifindex = run->ingress_ifindex,
		.gso_segs = run->segments,
	};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = run->data, .data_size_in = run->size,
		    .ctx_in = &context, .ctx_size_in = sizeof(context),
		    .repeat = run->repeat ? (int)run->repeat : 1);
	int trace = bench->fds[PROGRAM_COUNT + MAP_TRACE], program = bench_program(run), err;

	if (program < 0)
		return program;
	if (!context.ifindex) {
		options.ctx_in = NULL;
		options.ctx_size_in = 0;
	}
	err = bench->tracing ? trace_clear(bench, trace) : 0;
	if (err)
		return err;
	if (bpf_prog_test_run_opts(bench->fds[program], &options))
		return -errno;
	run->retval = (int)options.retval;
	run->duration_ns = options.duration;
	return bench->tracing ? trace_read(bench, trace, &run->verdict) : 0;
}

int bench_ask_local(struct bench *bench, const void *ask, uint32_t size, struct fr_event *verdict)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = ask, .ctx_size_in = size, .repeat = 1);
	int trace = bench->fds[PROGRAM_COUNT + MAP_TRACE];
	int err = trace_clear(bench, trace);

	if (err)
		return err;
	if (bpf_prog_test_run_opts(bench->fds[PROGRAM_LOCAL], &options))
		return -errno;
	err = trace_read(bench, trace, verdict);
	return err ? err : (int)options.retval;
}

int bench_map(struct bench *bench, const char *name)
{
	for (int i = 0; i < BENCH_MAPS; i++)
		if (str_equal(map_name(i), name))
			return bench->fds[PROGRAM_COUNT + i];
	return -1;
}
