/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Older layouts: reads the pins of an older flowreeve. All knowledge of those layouts is here;
 * upgrade.c uses it.
 *
 * Layout 2 is layout 3 without the requests of a policy, and its records of hooks name none. Layout
 * 3 has its flows in four hash maps. Layout 4 has them in a table of sets, as today,
 * without the summary word of each set (struct fr_region) and without the cell of their opening.
 * Layout 5 has both, but images with a table at the root of each trie, and counters of openings
 * alone: those of attempts and of connections begin with that figure. Versions of layout 6 pay no
 * heed to the deadline of an image, and up to it questions are in two hash maps, one for each port.
 * Layout 7 is as today, without lists of failsafe rules: their cells are in the images.
 */
#include "older.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../../bpf/abi.h"
#include "../host/host.h"
#include "pins.h"

enum { /* layouts; each name says the change that the layout brought */
       HOOKS_ABI = 2,
       HASHES_ABI = 3,
       SETS_ABI = 4,
       CELLS_ABI = 5,
       ENTRIES_ABI = 6,
       DEADLINES_ABI = 7,
};
enum { BATCH_FLOWS = 1024, WORD = sizeof(uint64_t) };

/* Describe the changes here when you raise the number. */
_Static_assert(FR_ABI_VERSION == DEADLINES_ABI + 1, "older.c knows the layout before");

bool layout_is_known(uint32_t abi)
{
	return abi >= HOOKS_ABI && abi <= FR_ABI_VERSION;
}

/* Up to layout 5 a root was the line of a table, by the first 16 bits: today an entry for a node of
 * so many. The rest of an image is as it was. */
void older_image(struct fr_image_head *head, uint32_t layout)
{
	for (int dir = 0; dir < FR_DIRS && layout <= CELLS_ABI; dir++) {
		struct fr_image_dir *of = &head->dir[dir];

		of->root4 = FR_TRIE(FR_TRIE_NODE, 16, of->root4);
		of->root6 = FR_TRIE(FR_TRIE_NODE, 16, of->root6);
	}
}

/* Same layout and same meaning as now. Questions have not: those that wait are not carried, and
 * answers from elsewhere are refused until the program asks again. */
bool older_map_goes_on(enum kernel_map which)
{
	return which == MAP_OWNER || which == MAP_FRAGMENTS || which == MAP_PORTS;
}

/* ---------------------------------------------------------------- records of user space */

/* Records that have grown at their end: their new fields are 0. */
static const struct {
	const char *name;
	uint32_t older, now;
} grown[] = {
	{"rules", 320, sizeof(struct fr_rule_record)}, /* layouts 3 and 4 */
	{"rules", 328, sizeof(struct fr_rule_record)},
	{"state", 416, sizeof(struct fr_state)},
};

/* Counters as they have been since, with nothing counted apart: each attempt was a connection. */
static void counters_split(struct fr_counters *of)
{
	of->connections = of->attempts;
}

static const void *element(const struct records *records, size_t size, uint32_t index)
{
	return (const char *)records->list + size * index;
}

/* Records of zeroes, in memory of this process. */
static int records_private(uint32_t count, size_t each, struct records *out)
{
	size_t size = each * count;
	void *list = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (list == MAP_FAILED)
		return -errno;
	*out = (struct records){.list = list, .count = count, .size = size};
	return 0;
}

static int copy_grown(const struct records *old, uint32_t older, uint32_t now, struct records *out)
{
	int err = records_private(old->count, now, out);

	if (err)
		return err;
	for (uint32_t i = 0; i < old->count; i++)
		memcpy((char *)out->list + (size_t)now * i, element(old, older, i), older);
	if (now == sizeof(struct fr_rule_record))
		for (uint32_t i = 0; i < old->count; i++)
			counters_split(&((struct fr_rule_record *)out->list)[i].base);
	return 0;
}

/* Layout 2: without `request` and `reserved`. Each hook is of a request of its own. */
enum { HOOK_START = offsetof(struct fr_hook_record, request) };
enum { HOOK_END = offsetof(struct fr_hook_record, name) };
enum { HOOK_OLDER = sizeof(struct fr_hook_record) - (HOOK_END - HOOK_START) };

static int copy_hooks(const struct records *old, struct records *out)
{
	int err = records_private(old->count, sizeof(struct fr_hook_record), out);
	struct fr_hook_record *now = out->list;

	for (uint32_t i = 0; i < old->count && !err; i++) {
		const char *hook = element(old, HOOK_OLDER, i);

		memcpy(&now[i], hook, HOOK_START);
		memcpy(now[i].name, hook + HOOK_START, HOOK_OLDER - HOOK_START);
		now[i].request = i;
	}
	return err;
}

int older_records(const char *name, const struct records *old, struct records *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(grown); i++)
		if (str_equal(grown[i].name, name) &&
		    old->size == (size_t)grown[i].older * old->count)
			return copy_grown(old, grown[i].older, grown[i].now, out);
	if (str_equal(name, "hooks") && old->size == (size_t)HOOK_OLDER * old->count)
		return copy_hooks(old, out);
	return -EBADMSG;
}

int older_requests(const struct records *state, const struct records *hooks, struct records *out)
{
	const struct fr_hook_record *from = hooks->list;
	struct fr_request_record *to;
	int err;

	if (((const struct fr_state *)state->list)->abi != HOOKS_ABI)
		return -ENOENT;
	err = records_private(hooks->count, sizeof(*to), out);
	to = out->list;
	for (uint32_t i = 0; i < hooks->count && !err; i++) {
		to[i].kind = from[i].kind;
		to[i].used = from[i].used;
		snprintf(to[i].name, sizeof(to[i].name), "%.*s", (int)sizeof(from[i].name),
			 from[i].name);
	}
	return err;
}

/* ---------------------------------------------------------------- flows */

/* Layout 4: `seal` and `cell` had other contents; the first byte of `cell` was `opener_again`. */
struct sets_visit {
	uint32_t layout;
	entry_visit visit;
	void *context;
};

static int visit_of_sets(const void *entry, void *context)
{
	const struct sets_visit *v = context;
	struct fr_flow flow = *(const struct fr_flow *)entry;

	flow.seal = 0;
	if (v->layout == SETS_ABI)
		flow.opener_again = flow.cell & 0xff;
	return v->visit(&flow, v->context);
}

static int sets_flows_each(const char *pins, uint32_t layout, entry_visit visit, void *context)
{
	CLEANUP(close_fd)
	int fd = pin_open_map(pins, "fr_flows", sizeof(uint32_t), sizeof(struct fr_flow_set));
	int result =
		fd < 0 ? fd
		       : sets_each(fd, visit_of_sets, &(struct sets_visit){layout, visit, context});

	return pins_damaged(result) ? 0 : result; /* its flows are adopted */
}

/* Layout 3: the value; the key is the same as today. */
struct older_flow {
	uint64_t first, last;
	uint64_t packets[FR_DIRS], bytes[FR_DIRS];
	uint32_t slot, generation;
	uint8_t opener, state, flags, reason;
	uint32_t pid;
	char comm[FR_COMM_LEN];
	uint32_t isn; /* or `sent` */
	uint8_t ended, pad[3];
};
enum { OLDER_OPENER_AGAIN = 1 << 3 }; /* of the flags */

/* Openings last: their answers are under way. */
static const char *const tables[] = {"fr_flows", "fr_talks", "fr_pings", "fr_embryos"};

static struct fr_flow flow_of_today(const struct fr_flow_key *key, const struct older_flow *older)
{
	struct fr_flow flow = {
		.key = *key,
		.opener = older->opener,
		.state = older->state,
		.flags = older->flags & ~OLDER_OPENER_AGAIN,
		.reason = older->reason,
		.isn = older->isn,
		.slot = older->slot,
		.last = older->last,
		.first = (uint32_t)older->first,
		.pid = older->pid,
		.opener_again = !!(older->flags & OLDER_OPENER_AGAIN),
	};

	if (flow.opener_again && key->proto != IPPROTO_TCP && flow.state == FR_FLOW_ESTABLISHED)
		flow.flags |= FR_FLOW_SUSTAINED;
	memcpy(flow.packets, older->packets, sizeof(flow.packets));
	memcpy(flow.bytes, older->bytes, sizeof(flow.bytes));
	memcpy(flow.comm, older->comm, sizeof(flow.comm));
	return flow;
}

static int visit_batch(const struct fr_flow_key *keys, const struct older_flow *values,
		       uint32_t count, entry_visit visit, void *context)
{
	int result = 0;

	for (uint32_t i = 0; i < count && !result; i++) {
		struct fr_flow flow = flow_of_today(&keys[i], &values[i]);

		result = visit(&flow, context);
	}
	return result;
}

static int table_each(int fd, entry_visit visit, void *context)
{
	CLEANUP(free_ptr) struct fr_flow_key *keys = calloc(BATCH_FLOWS, sizeof(*keys));
	CLEANUP(free_ptr) struct older_flow *values = calloc(BATCH_FLOWS, sizeof(*values));
	uint32_t at, next;
	const void *from = NULL;
	int result = 0;

	if (!keys || !values)
		return -ENOMEM;
	for (bool more = true; more && !result; at = next, from = &at) {
		uint32_t count = BATCH_FLOWS;

		more = !bpf_map_lookup_batch(fd, (void *)from, &next, keys, values, &count, NULL);
		if (!more && errno != ENOENT)
			return -errno;
		result = visit_batch(keys, values, count, visit, context);
	}
	return result;
}

int older_flows_each(const char *pins, uint32_t layout, entry_visit visit, void *context)
{
	int result = 0;

	if (layout >= SETS_ABI)
		return sets_flows_each(pins, layout, visit, context);
	for (size_t i = 0; i < ARRAY_SIZE(tables) && !result; i++) {
		CLEANUP(close_fd)
		int fd = pin_open_map(pins, tables[i], sizeof(struct fr_flow_key),
				      sizeof(struct older_flow));

		result = fd < 0 ? fd : table_each(fd, visit, context);
		if (pins_damaged(result))
			result = 0; /* its flows are adopted */
	}
	return result;
}

int older_flows_room(const char *pins, uint32_t layout, uint32_t *out)
{
	CLEANUP(close_fd) int fd = pin_open(pins, tables[0]);
	uint32_t room = 0;
	int err = fd < 0 ? fd : fd_map_entries(fd, &room);

	if (err && !pins_damaged(err))
		return err;
	if (layout >= SETS_ABI)
		room = room / FR_REGION_SETS * FR_FLOWS_MIN;
	*out = room > FR_FLOWS_MAX ? FR_FLOWS_MAX : room;
	return 0;
}

/* ---------------------------------------------------------------- counters */

/* The present index of a tally of layout 3; -1: no longer counted, or under other names. */
static const int8_t tally_now[] = {
	FR_TALLY_EVENTS_LOST,  FR_TALLY_EVENTS_HELD, -1, FR_TALLY_FLOWS_OPENED, -1,
	FR_TALLY_FLOWS_ADOPTED};

/* Maps of per-CPU sums, in words; in those of rules one word is not a sum, but the time of the last
 * packet. */
static const struct figures {
	enum kernel_map map;
	uint32_t entries; /* 0: one for each slot */
	uint32_t older, now;
	uint32_t latest;
	const int8_t *places; /* present indexes; NULL: unchanged */
} counted_of_hashes[] = {
	{MAP_COUNTERS, 0, 6, sizeof(struct fr_counters) / WORD,
	 offsetof(struct fr_counters, last) / WORD, NULL},
	{MAP_REASONS, FR_REASON_ENTRIES, 6, sizeof(struct fr_reason_counters) / WORD, UINT32_MAX,
	 NULL},
	{MAP_TALLIES, ARRAY_SIZE(tally_now), 1, 1, UINT32_MAX, tally_now},
};
static const struct figures counted_of_sets[ARRAY_SIZE(counted_of_hashes)] = {
	{MAP_COUNTERS, 0, 7, sizeof(struct fr_counters) / WORD,
	 offsetof(struct fr_counters, last) / WORD, NULL},
	{MAP_REASONS, FR_REASON_ENTRIES, 6, sizeof(struct fr_reason_counters) / WORD, UINT32_MAX,
	 NULL},
	{MAP_TALLIES, FR_TALLY_COUNT, 1, 1, UINT32_MAX, NULL},
};
static const struct figures counted_of_entries[ARRAY_SIZE(counted_of_hashes)] = {
	{MAP_COUNTERS, 0, sizeof(struct fr_counters) / WORD, sizeof(struct fr_counters) / WORD,
	 offsetof(struct fr_counters, last) / WORD, NULL},
	{MAP_REASONS, FR_REASON_ENTRIES, 6, sizeof(struct fr_reason_counters) / WORD, UINT32_MAX,
	 NULL},
	{MAP_TALLIES, FR_TALLY_COUNT, 1, 1, UINT32_MAX, NULL},
};

static const struct figures *figures_of(uint32_t layout)
{
	if (layout >= ENTRIES_ABI)
		return counted_of_entries;
	return layout >= SETS_ABI ? counted_of_sets : counted_of_hashes;
}

struct sums {
	const struct figures *of;
	int older, now; /* maps */
	int cpus;
	uint64_t *each; /* values of all CPUs */
};

/* The sum of all CPUs goes to CPU 0 of the new map, where no program counts yet. */
static int sum_carry(const struct sums *sums, uint32_t from, uint32_t to)
{
	const struct figures *of = sums->of;
	uint64_t sum[FR_LINE_BYTES / WORD] = {0};
	uint64_t any = 0;

	if (bpf_map_lookup_elem(sums->older, &from, sums->each))
		return -errno;
	for (uint32_t i = 0; i < of->older * (uint32_t)sums->cpus; i++) {
		uint64_t *word = &sum[i % of->older], value = sums->each[i];

		any |= value;
		if (i % of->older != of->latest)
			*word += value;
		else if (value > *word)
			*word = value;
	}
	if (!any)
		return 0;
	memset(sums->each, 0, (size_t)of->now * WORD * (size_t)sums->cpus);
	memcpy(sums->each, sum, of->older * WORD);
	if (of->map == MAP_COUNTERS && of->older < of->now)
		counters_split((struct fr_counters *)sums->each);
	return bpf_map_update_elem(sums->now, &to, sums->each, BPF_ANY) ? -errno : 0;
}

static int sums_carry(const struct sums *sums, uint32_t count)
{
	int err = 0;

	for (uint32_t i = 0; i < count && !err; i++) {
		int64_t to = sums->of->places ? sums->of->places[i] : (int64_t)i;

		if (to >= 0)
			err = sum_carry(sums, i, (uint32_t)to);
	}
	return err;
}

int older_figures(const char *pins, uint32_t layout, const char *new_pins, uint32_t slots)
{
	const struct figures *counted = figures_of(layout);
	int cpus = libbpf_num_possible_cpus(), err = cpus < 0 ? cpus : 0;
	CLEANUP(free_ptr) uint64_t *each = calloc(cpus > 0 ? (size_t)cpus : 1, FR_LINE_BYTES);

	if (!each)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(counted_of_sets) && !err; i++) {
		const struct figures *of = &counted[i];
		CLEANUP(close_fd)
		int older =
			pin_open_map(pins, map_names[of->map], sizeof(uint32_t), of->older * WORD);
		CLEANUP(close_fd) int now = pin_open(new_pins, map_names[of->map]);

		err = older < 0 ? older : now;
		if (err < 0)
			err = pins_damaged(err) ? 0 : err; /* they begin at 0 */
		else
			err = sums_carry(&(struct sums){of, older, now, cpus, each},
					 of->entries ? of->entries : slots);
	}
	return err;
}
