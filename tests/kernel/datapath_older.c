/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pins of another layout. The test makes an older flowreeve's pins from ours: it replaces the
 * records and maps that have changed since. The layout before is taken over; any other is left
 * alone.
 */
#include "datapath_lab.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LAYOUT = 3, STATE_BYTES = 416, RULE_BYTES = 320, COUNTER_WORDS = 6, FLOW_BYTES = 88 };
enum { TALLIES = 10, TALLY_OPENED = 3 };

static const struct image_spec deny = {.policy = "one", .enforce = true, .tcp_port = 443};
static const char *const points[] = {"interface va0", NULL};

LAB_SUITE(datapath_older, lab_applied(&lab, &deny, points));

/* ---------------------------------------------------------------- pins */

static const char *pin_path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/one/e1/%s", lab.root, name);
	return path;
}

static void *pinned(const char *name, struct bpf_map_info *info)
{
	int fd = bpf_obj_get(pin_path_of(name));
	uint32_t size = sizeof(*info);
	void *list;

	memset(info, 0, sizeof(*info));
	cr_assert(fd >= 0 && !bpf_obj_get_info_by_fd(fd, info, &size), "%s", name);
	list = mmap(NULL, (size_t)info->value_size * info->max_entries, PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, 0);
	cr_assert(list != MAP_FAILED, "%s: %s", name, strerror(errno));
	close(fd);
	return list;
}

static void put(int fd, const char *name)
{
	unlink(pin_path_of(name));
	cr_assert(fd >= 0 && !bpf_obj_pin(fd, pin_path_of(name)), "%s: %s", name, strerror(errno));
}

/* The beginning of each record of ours. */
static void shorten(const char *name, uint32_t bytes)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	struct bpf_map_info info;
	const char *ours = pinned(name, &info);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "older", 4, bytes, info.max_entries, &options);

	for (uint32_t i = 0; i < info.max_entries; i++)
		cr_assert(!bpf_map_update_elem(fd, &i, ours + (size_t)info.value_size * i, 0));
	put(fd, name);
	close(fd);
}

static void layout_is(uint32_t abi)
{
	struct bpf_map_info info;
	struct fr_state *state = pinned("state-1", &info);

	state->abi = abi;
	munmap(state, info.value_size);
}

/* ---------------------------------------------------------------- its figures and flows */

static const struct fr_flow_key known = {
	.local = {[10] = 0xff, 0xff, 10, 9, 0, 1},
	.peer = {[10] = 0xff, 0xff, 10, 9, 0, 2},
	.local_port = 40000,
	.peer_port = 443,
	.proto = IPPROTO_TCP,
};

/* CPU 0 counts `first`, and each word and each CPU one more. */
static void put_sums(const char *name, uint32_t entries, uint32_t words, uint32_t key,
		     uint64_t first)
{
	uint32_t cpus = (uint32_t)libbpf_num_possible_cpus();
	uint64_t *each = calloc(cpus, words * sizeof(*each));
	int fd = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "older", 4,
				words * (uint32_t)sizeof(*each), entries, NULL);

	for (uint32_t i = 0; i < cpus * words; i++)
		each[i] = first + i % words + i / words;
	cr_assert(fd >= 0 && !bpf_map_update_elem(fd, &key, each, 0));
	put(fd, name);
	close(fd);
	free(each);
}

static uint64_t sum_of(uint64_t first, uint32_t word)
{
	uint64_t cpus = (uint64_t)libbpf_num_possible_cpus();

	return cpus * (first + word) + cpus * (cpus - 1) / 2;
}

static void put_table(const char *name, const struct fr_flow_key *key, uint64_t last)
{
	uint8_t flow[FLOW_BYTES] = {0};
	int fd = bpf_map_create(BPF_MAP_TYPE_LRU_HASH, "older", sizeof(*key), sizeof(flow), 1024,
				NULL);

	memcpy(flow + 8, &last, sizeof(last));
	flow[16] = flow[24] = 7; /* packets each way */
	flow[57] = FR_FLOW_ESTABLISHED;
	memcpy(flow + 64, "somebody", 8);
	cr_assert(fd >= 0 && (!key || !bpf_map_update_elem(fd, key, flow, 0)));
	put(fd, name);
	close(fd);
}

static uint64_t jiffies_now(void)
{
	struct arena *arena = arena_new();
	struct diags d = {.arena = arena};
	struct clock_pair clock = {0};
	struct instance instance;

	cr_assert(!instance_open(&lab.host, "one", &d, &instance));
	cr_assert(!instance_clock(&instance, &clock));
	instance_close(&instance);
	arena_free(arena);
	return clock.jiffies;
}

static void grow_older(void)
{
	uint64_t now = jiffies_now();

	layout_is(LAYOUT);
	put_sums("fr_counters", 1024, COUNTER_WORDS, FR_EGRESS, 100);
	put_sums("fr_tallies", TALLIES, 1, TALLY_OPENED, 1000);
	put_table("fr_flows", &known, now);
	put_table("fr_talks", NULL, now);
	put_table("fr_pings", NULL, now);
	put_table("fr_embryos", NULL, now);
	shorten("state-1", STATE_BYTES);
	shorten("rules-1", RULE_BYTES);
}

/* ---------------------------------------------------------------- taking it over */

static int take_flow(const void *entry, void *context)
{
	const struct fr_flow *flow = entry;

	if (!memcmp(&flow->key, &known, sizeof(known)) && flow->state == FR_FLOW_ESTABLISHED &&
	    flow->packets[FR_EGRESS] == 7 && flow->packets[FR_INGRESS] == 7 &&
	    str_equal(flow->comm, "somebody"))
		++*(unsigned *)context;
	return 0;
}

static unsigned flows_known(void)
{
	struct arena *arena = arena_new();
	struct diags d = {.arena = arena};
	struct instance instance;
	unsigned count = 0;

	cr_assert(!instance_open(&lab.host, "one", &d, &instance));
	cr_assert(!sets_each(instance.flows, take_flow, &count));
	instance_close(&instance);
	arena_free(arena);
	return count;
}

static uint64_t tally(uint32_t which)
{
	uint32_t cpus = (uint32_t)libbpf_num_possible_cpus();
	uint64_t *each = calloc(cpus, sizeof(*each)), sum = 0;
	struct arena *arena = arena_new();
	struct diags d = {.arena = arena};
	struct instance instance;

	cr_assert(!instance_open(&lab.host, "one", &d, &instance));
	cr_assert(!bpf_map_lookup_elem(instance.tallies, &which, each));
	for (uint32_t i = 0; i < cpus; i++)
		sum += each[i];
	instance_close(&instance);
	arena_free(arena);
	free(each);
	return sum;
}

/* The identification of the error, empty when there is none. */
static const char *open_says(void)
{
	static char messages[64];
	struct arena *arena = arena_new();
	struct diags d = {.arena = arena};
	struct instance instance;

	messages[0] = 0;
	if (!instance_open(&lab.host, "one", &d, &instance))
		instance_close(&instance);
	else
		snprintf(messages, sizeof(messages), "%s", d.count ? d.list[0].check : "?");
	arena_free(arena);
	return messages;
}

static void taken_over(void)
{
	uint32_t links[16] = {0};
	struct apply_result result;
	char messages[512];

	cr_expect_str_eq(open_says(), "pins-version");
	cr_assert_eq(lab_apply(&lab, &deny, points, &result, messages), 0, "%s", messages);
	cr_expect(str_starts(messages, "an older flowreeve (layout 3) had applied one: "), "%s",
		  messages);
	cr_expect(result.replaced && !result.unchanged);
	/* Taken over as 2; an older flowreeve kept no document, so the same policy follows as 3. */
	cr_expect_eq(result.generation, 3);
	cr_expect_eq(result.hooks_added + result.hooks_removed, 0);
	cr_expect_str_eq(open_says(), "");
	cr_expect_eq(lab_programs(0, true, links), 1, "the one before has gone");
	cr_expect(!lab_udp_out(&lab, 0, 5000) && !lab_udp_in(&lab, 0, 5000));
	cr_expect(lab_tcp_out(&lab, 0, 443));
}

Test(datapath_older, flows_and_figures_go_on)
{
	struct fr_counters counted;

	grow_older();
	cr_expect(!lab_udp_out(&lab, 0, 5000), "it drops");
	taken_over();
	cr_expect_eq(flows_known(), 1);
	counted = lab_counters(&lab, "one", "default-egress", FR_EGRESS);
	cr_expect_eq(counted.packets, sum_of(100, 0) + 1, "and one after it");
	cr_expect_eq(counted.drops, sum_of(100, 3) + 1);
	cr_expect_geq(tally(FR_TALLY_FLOWS_OPENED), sum_of(1000, 0));
	cr_expect_leq(tally(FR_TALLY_FLOWS_ADOPTED), 1, "it was another tally's place");
}

Test(datapath_older, what_it_lacks_begins_anew)
{
	layout_is(LAYOUT);
	taken_over();
}

Test(datapath_older, of_other_layouts_nothing_is_touched)
{
	static const uint32_t others[] = {LAYOUT - 2, FR_ABI_VERSION + 1};
	struct apply_result result;
	char messages[512];

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		layout_is(others[i]);
		cr_expect_str_eq(open_says(), "pins-version");
		cr_expect_eq(lab_apply(&lab, &deny, points, &result, messages), -EPROTO);
		cr_expect(strstr(messages, "this flowreeve reads"), "%s", messages);
		cr_expect(!lab_udp_out(&lab, 0, 5000), "it still drops");
		cr_expect_eq(access(pin_path_of("state-1"), F_OK), 0);
	}
	lab_detached(&lab);
	cr_expect(lab_udp_out(&lab, 0, 5000), "detach removes it all the same");
}
