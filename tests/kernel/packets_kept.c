/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tests of packets share one load of the programs: changes of one test to the maps must not
 * affect the next. Every map is dirtied, and then prepared as for the next test.
 */
#include "packets_rig.h"

#include "bench_kept.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct test_rule rules[] = {
	{.dir = OUT, .action = FR_ALLOW, .proto = TCP, .first = 443},
	{.dir = OUT, .action = FR_ALLOW, .proto = UDP, .first = 53},
	{.dir = OUT, .action = FR_ALLOW, .proto = ICMP, .first = 8},
	{.dir = OUT, .action = FR_ALLOW, .proto = UDP, .first = 69},
	{.dir = IN, .action = FR_ALLOW, .proto = UDP, .first = 69},
};
static const struct test_policy policy = {.rules = rules, .count = ARRAY_SIZE(rules)};

#define HTTPS .proto = TCP, .local = 40000, .peer = 443, .flags
#define DNS .proto = UDP, .local = 40000, .peer = 53

static void every_map_is_used(struct rig *rig)
{
	struct fr_control control = {.refusals_until = ~0ull, .openings_until = ~0ull};
	const struct fr_transit_key sender = {.proto = UDP};
	const struct fr_transit noted = {.last = 1};
	struct fr_port port = {.mixed = 1};
	uint32_t zero = 0;

	rig_start(rig, &policy);
	bpf_map_update_elem(bench_map(rig->bench, "fr_control"), &zero, &control, BPF_ANY);
	/* forwarded packets need routes */
	bpf_map_update_elem(bench_map(rig->bench, "fr_transit"), &sender, &noted, BPF_ANY);
	bpf_map_update_elem(bench_map(rig->bench, "fr_ports"), &zero, &port, BPF_ANY);
	PASS(rig, RULE, NTH_RULE(0), .dir = OUT, HTTPS = SYN);
	PASS(rig, REPLY, NTH_RULE(0), .dir = IN, HTTPS = SYN | ACK);
	PASS(rig, RULE, NTH_RULE(0), .dir = OUT, HTTPS = ACK);
	PASS(rig, RULE, NTH_RULE(0), .dir = OUT, HTTPS = SYN, .host = 8);
	PASS(rig, RULE, NTH_RULE(1), .dir = OUT, DNS);
	PASS(rig, REPLY, NTH_RULE(1), .dir = IN, DNS);
	PASS(rig, RULE, NTH_RULE(1), .dir = OUT, DNS, .fragment = true, .more = true, .payload = 8);
	PASS(rig, RULE, NTH_RULE(2), .dir = OUT, .proto = ICMP, .type = 8);
	PASS(rig, RULE, NTH_RULE(3), .dir = OUT, .proto = UDP, .local = 40000, .peer = 69);
	PASS(rig, RULE, NTH_RULE(4), .dir = IN, .proto = UDP, .local = 69, .peer = 40000);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, HTTPS = SYN);
}

/* Bytes other than 0 of all entries of an array. */
static size_t array_used(int fd, const struct bpf_map_info *map)
{
	bool each = map->type == BPF_MAP_TYPE_PERCPU_ARRAY;
	size_t size = (size_t)(each ? libbpf_num_possible_cpus() : 1) * map->value_size, used = 0;
	uint8_t *bytes = calloc(1, size + 8);

	for (uint32_t i = 0; i < map->max_entries; i++) {
		cr_assert_eq(bpf_map_lookup_elem(fd, &i, bytes), 0);
		for (size_t at = 0; at < size; at++)
			used += bytes[at] != 0;
	}
	free(bytes);
	return used;
}

static int count_event(void *context, void *data, size_t size)
{
	(void)data, (void)size;
	++*(size_t *)context;
	return 0;
}

static size_t events_used(int fd)
{
	size_t events = 0;
	struct ring_buffer *ring = ring_buffer__new(fd, count_event, &events, NULL);

	cr_assert_not_null(ring);
	cr_assert_geq(ring_buffer__consume(ring), 0);
	ring_buffer__free(ring);
	return events;
}

static size_t images_used(int fd, uint32_t slots)
{
	size_t used = 0;
	uint32_t id;

	for (uint32_t i = 0; i < slots; i++)
		used += !bpf_map_lookup_elem(fd, &i, &id);
	return used;
}

static size_t map_used(int fd)
{
	struct bpf_map_info map = {0};
	uint32_t size = sizeof(map);
	uint8_t key[64];

	cr_assert_eq(bpf_obj_get_info_by_fd(fd, &map, &size), 0);
	switch (map.type) {
	case BPF_MAP_TYPE_RINGBUF:
		return events_used(fd);
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
		return images_used(fd, map.max_entries);
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
		return !bpf_map_get_next_key(fd, NULL, key);
	default:
		return array_used(fd, &map);
	}
}

/* No test leaves these behind, or the next policy replaces it: the failsafe list, sockets and
 * processes, the datagrams that sockets received, the secret of the hash, locks, and when a full
 * table last lost a connection. */
static bool is_left_out(const char *name)
{
	static const char *const out[] = {"fr_failsafe",     "fr_owner",	"fr_askers",
					  "fr_processes",    "fr_received",	"fr_hashing",
					  "fr_flow_regions", "fr_drop_regions", "fr_times"};

	for (size_t i = 0; i < sizeof(out) / sizeof(out[0]); i++)
		if (!strcmp(name, out[i]))
			return true;
	return false;
}

/* Whether each other map is used, or none is. */
static void maps_are_used(struct bench *bench, bool used)
{
	const char *name;

	for (int i = 0; (name = bench_kept_map(i)); i++)
		if (!is_left_out(name))
			cr_expect_eq(map_used(bench_map(bench, name)) > 0, used, "%s", name);
}

Test(packets_kept, the_next_test_finds_nothing_of_this_one)
{
	struct bench *next;
	struct rig rig;

	rig_open(&rig);
	maps_are_used(rig.bench, false);
	every_map_is_used(&rig);
	maps_are_used(rig.bench, true);
	every_map_is_used(&rig); /* the events were read */
	cr_assert_eq(bench_kept(&rig.diags, &next), 0);
	maps_are_used(next, false);
	bench_close(next);
	rig_close(&rig);
}

/* Else each of them would take seconds, and a minute on an emulated machine. */
Test(packets_kept, the_programs_are_loaded_once_for_all)
{
	struct bpf_map_info one = {0}, two = {0};
	uint32_t size = sizeof(one);
	struct bench *next;
	struct rig rig;

	rig_open(&rig);
	cr_assert_eq(bench_kept(&rig.diags, &next), 0);
	cr_assert_eq(bpf_obj_get_info_by_fd(bench_map(rig.bench, "fr_flows"), &one, &size), 0);
	cr_assert_eq(bpf_obj_get_info_by_fd(bench_map(next, "fr_flows"), &two, &size), 0);
	cr_expect_eq(one.id, two.id);
	bench_close(next);
	rig_close(&rig);
}
