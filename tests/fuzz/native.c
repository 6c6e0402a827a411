/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel programs in user space: see native.h. libbpf declares helpers as pointers that hold
 * numbers; here they are given functions, and one that is missing crashes at its number.
 */
#include "native.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Wgnu-variable-sized-type-not-at-end"
#endif
#include <bpf/bpf_helpers.h>
#define __bpf__
#include "../../bpf/main.bpf.c"
#undef __bpf__
#pragma GCC diagnostic pop

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif
#ifdef SANITIZED
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

/* ---------------------------------------------------------------- maps */

enum { SHIM_ENTRIES = 512, SHIM_KEY = 64, SHIM_VALUE = 640 };

/* Any map but the images and the tables of sets: few entries, found by walking. Values never move
 * while they live. */
struct shim_table {
	void *map;
	const char *name;
	uint32_t key_size, value_size;
	bool array;
	size_t count;
	struct {
		uint8_t key[SHIM_KEY];
		uint8_t value[SHIM_VALUE] __attribute__((aligned(8)));
		bool used;
	} * entries;
};

#define SHIM_TABLE(given, is_array)                                                                \
	{                                                                                          \
		.map = &(given), .name = #given, .key_size = sizeof(*(given).key),                 \
		.value_size = sizeof(*(given).value), .array = (is_array)                          \
	}

static struct shim_table shim_tables[] = {
	SHIM_TABLE(fr_flow_regions, true), SHIM_TABLE(fr_times, true),
	SHIM_TABLE(fr_syns, true),	   SHIM_TABLE(fr_drop_regions, true),
	SHIM_TABLE(fr_budget, true),	   SHIM_TABLE(fr_fragments, false),
	SHIM_TABLE(fr_transit, false),	   SHIM_TABLE(fr_questions, true),
	SHIM_TABLE(fr_ports_asked, true),  SHIM_TABLE(fr_received, false),
	SHIM_TABLE(fr_ports, false),	   SHIM_TABLE(fr_counters, true),
	SHIM_TABLE(fr_reasons, true),	   SHIM_TABLE(fr_tallies, true),
	SHIM_TABLE(fr_control, true),	   SHIM_TABLE(fr_trace, true),
};
enum { SHIM_TABLES = sizeof(shim_tables) / sizeof(shim_tables[0]) };

/* Tables of sets, as large as the kernel's. Most of a table is never touched. */
enum { SHIM_SETS = FR_REGIONS_DEFAULT * FR_REGION_SETS };

struct shim_sets {
	void *map;
	const char *name;
	struct fr_flow_set *sets; /* those of drops have the same size */
	uint32_t *looked_at;
	bool *is_looked_at;
	size_t count;
};

static struct shim_sets shim_flows = {.map = &fr_flows, .name = "fr_flows"};
static struct shim_sets shim_drops = {.map = &fr_drops, .name = "fr_drops"};
static struct fr_owner shim_owner; /* of every socket */
static const char shim_processes;  /* of process.bpf.c, which no packet runs */

static struct {
	const void *lines;
	uint32_t count;
	struct fr_failsafe failsafe; /* of the image */
	uint64_t jiffies;
	struct native_host host;
	const uint8_t *data; /* all of the packet */
	uint32_t size;
	uint8_t *low; /* where the linear part lies: the programs know 32-bit addresses */
	struct fr_event event;
} shim;

enum { SHIM_LOW = 1 << 17 };

static void shim_require(bool held)
{
	if (!held)
		abort();
}

static struct shim_table *shim_table_of(const void *map)
{
	for (size_t i = 0; i < SHIM_TABLES; i++)
		if (shim_tables[i].map == map)
			return &shim_tables[i];
	fprintf(stderr, "tests/fuzz/native.c: a map that it does not know\n");
	abort();
}

static void shim_table_clear(struct shim_table *table)
{
	shim_require(table->key_size <= SHIM_KEY && table->value_size <= SHIM_VALUE);
	if (!table->entries)
		table->entries = calloc(SHIM_ENTRIES, sizeof(*table->entries));
	shim_require(table->entries);
	for (size_t i = 0; i < table->count; i++)
		table->entries[i].used = false;
	table->count = 0;
}

static void *shim_table_find(struct shim_table *table, const void *key)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->entries[i].used && !memcmp(table->entries[i].key, key, table->key_size))
			return table->entries[i].value;
	return NULL;
}

static void *shim_table_add(struct shim_table *table, const void *key)
{
	size_t at = 0;

	while (at < table->count && table->entries[at].used)
		at++;
	if (at == SHIM_ENTRIES)
		return NULL;
	table->count += at == table->count;
	memcpy(table->entries[at].key, key, table->key_size);
	memset(table->entries[at].value, 0, SHIM_VALUE);
	table->entries[at].used = true;
	return table->entries[at].value;
}

static void shim_sets_clear(struct shim_sets *table)
{
	if (!table->sets) {
		table->sets = calloc(SHIM_SETS, sizeof(*table->sets));
		table->looked_at = calloc(SHIM_SETS, sizeof(*table->looked_at));
		table->is_looked_at = calloc(SHIM_SETS, sizeof(*table->is_looked_at));
	}
	shim_require(table->sets && table->looked_at && table->is_looked_at);
	for (size_t i = 0; i < table->count; i++) {
		memset(&table->sets[table->looked_at[i]], 0, sizeof(*table->sets));
		table->is_looked_at[table->looked_at[i]] = false;
	}
	table->count = 0;
}

static void *shim_set_find(struct shim_sets *table, const void *key)
{
	uint32_t index;

	memcpy(&index, key, sizeof(index));
	if (index >= SHIM_SETS)
		return NULL;
	if (!table->is_looked_at[index]) {
		table->is_looked_at[index] = true;
		table->looked_at[table->count++] = index;
	}
	return &table->sets[index];
}

/* The images: slot 0 is the one in force, and it is its own inner map. */
static void *shim_image_find(void *map, const void *key)
{
	uint32_t index;

	memcpy(&index, key, sizeof(index));
	if (map == &fr_images)
		return index || !shim.lines ? NULL : &shim.lines;
	return index < shim.count ? (uint8_t *)shim.lines + (size_t)index * FR_LINE_BYTES : NULL;
}

/* The other lists are empty. */
static void *shim_failsafe_find(const void *key)
{
	static struct fr_failsafe none;
	uint32_t index;

	memcpy(&index, key, sizeof(index));
	if (index >= FR_FAILSAFE_LISTS)
		return NULL;
	return index == shim.failsafe.generation % FR_FAILSAFE_LISTS ? &shim.failsafe : &none;
}

static void *shim_map_lookup(void *map, const void *key)
{
	struct shim_table *table;
	void *value;

	if (map == &fr_images || map == &shim.lines)
		return shim_image_find(map, key);
	if (map == &fr_failsafe)
		return shim_failsafe_find(key);
	if (map == &fr_flows || map == &fr_drops)
		return shim_set_find(map == &fr_flows ? &shim_flows : &shim_drops, key);
	table = shim_table_of(map);
	value = shim_table_find(table, key);
	return value || !table->array ? value : shim_table_add(table, key);
}

static long shim_map_update(void *map, const void *key, const void *value, __u64 flags)
{
	struct shim_table *table = shim_table_of(map);
	void *at = shim_table_find(table, key);

	if (at && flags == BPF_NOEXIST)
		return -EEXIST;
	if (!at)
		at = shim_table_add(table, key);
	if (!at)
		return -ENOMEM;
	memmove(at, value, table->value_size);
	return 0;
}

static long shim_map_delete(void *map, const void *key)
{
	struct shim_table *table = shim_table_of(map);
	uint8_t *value = shim_table_find(table, key);

	for (size_t i = 0; value && i < table->count; i++)
		if (table->entries[i].value == value)
			table->entries[i].used = false;
	return value ? 0 : -ENOENT;
}

static const struct {
	void *map;
	const char *name;
} shim_others[] = {
	{&fr_flows, "fr_flows"},
	{&fr_drops, "fr_drops"},
	{&fr_images, "fr_images"},
	{&shim.lines, "image"},
	{&fr_failsafe, "fr_failsafe"},
	{&fr_events, "fr_events"},
	{&fr_owner, "fr_owner"},
	{&fr_askers, "fr_askers"},
	{(void *)&shim_processes, "fr_processes"},
};
enum { SHIM_OTHERS = sizeof(shim_others) / sizeof(shim_others[0]) };

void *native_map(const char *name)
{
	for (size_t i = 0; i < SHIM_OTHERS; i++)
		if (!strcmp(shim_others[i].name, name))
			return shim_others[i].map;
	for (size_t i = 0; i < SHIM_TABLES; i++)
		if (!strcmp(shim_tables[i].name, name))
			return shim_tables[i].map;
	return NULL;
}

const char *native_map_name(const void *map)
{
	for (size_t i = 0; i < SHIM_OTHERS; i++)
		if (shim_others[i].map == map)
			return shim_others[i].name;
	return shim_table_of(map)->name;
}

/* ---------------------------------------------------------------- other helpers */

static __u64 shim_jiffies_now(void)
{
	return shim.jiffies;
}

static void *shim_ringbuf_reserve(void *map, __u64 size, __u64 flags)
{
	(void)map, (void)flags;
	return size <= sizeof(shim.event) ? &shim.event : NULL;
}

static void shim_ringbuf_submit(void *data, __u64 flags)
{
	(void)data, (void)flags;
}

static void shim_lock(struct bpf_spin_lock *lock)
{
	shim_require(!lock->val);
	lock->val = 1;
}

static void shim_unlock(struct bpf_spin_lock *lock)
{
	shim_require(lock->val);
	lock->val = 0;
}

static long shim_skb_load(const void *skb, __u32 offset, void *to, __u32 length)
{
	(void)skb;
	if (offset > shim.size || length > shim.size - offset)
		return -EFAULT;
	memcpy(to, shim.data + offset, length);
	return 0;
}

static struct bpf_sock *shim_sock_of(uint8_t state)
{
	static struct bpf_sock sock;

	sock.state = state;
	return state ? &sock : NULL;
}

static struct bpf_sock *shim_tcp_lookup(void *ctx, struct bpf_sock_tuple *tuple, __u32 size,
					__u64 netns, __u64 flags)
{
	uint16_t peer_port = size == sizeof(tuple->ipv4) ? tuple->ipv4.sport : tuple->ipv6.sport;

	(void)ctx, (void)netns, (void)flags;
	if (!peer_port || !shim.host.tcp_state)
		return shim_sock_of(shim.host.tcp_listener);
	return shim_sock_of(shim.host.tcp_state);
}

static struct bpf_sock *shim_udp_lookup(void *ctx, struct bpf_sock_tuple *tuple, __u32 size,
					__u64 netns, __u64 flags)
{
	(void)ctx, (void)tuple, (void)size, (void)netns, (void)flags;
	return shim_sock_of(shim.host.udp_state);
}

static long shim_sock_release(void *sock)
{
	(void)sock;
	return 0;
}

static long shim_route_lookup(void *ctx, struct bpf_fib_lookup *params, int length, __u32 flags)
{
	(void)ctx, (void)params, (void)length, (void)flags;
	return shim.host.forwards ? BPF_FIB_LKUP_RET_SUCCESS : BPF_FIB_LKUP_RET_FWD_DISABLED;
}

static long shim_xfrm_state(struct __sk_buff *skb, __u32 index, struct bpf_xfrm_state *state,
			    __u32 size, __u64 flags)
{
	(void)skb, (void)index, (void)flags;
	if (!shim.host.decrypted)
		return -EINVAL;
	memset(state, 0, size);
	return 0;
}

static struct bpf_sock *shim_sock_full(struct bpf_sock *sock)
{
	return sock;
}

static void *shim_sock_storage(void *map, void *sock, void *value, __u64 flags)
{
	static __u32 asker;

	(void)sock, (void)flags;
	if (map != &fr_askers)
		return &shim_owner;
	if (value)
		memcpy(&asker, value, sizeof(asker));
	return &asker;
}

static __u64 shim_cookie(void *ctx)
{
	(void)ctx;
	return 1;
}

/* Helpers by number and name, and libbpf's pointers to them. */
static const struct {
	uint32_t number;
	const char *name;
	void *pointer, *function;
} shim_helpers[] = {
#define HELPER(name, function)                                                                     \
	{                                                                                          \
		BPF_FUNC_##name, #name, &bpf_##name, function                                      \
	}
	HELPER(map_lookup_elem, shim_map_lookup),
	HELPER(map_update_elem, shim_map_update),
	HELPER(map_delete_elem, shim_map_delete),
	HELPER(jiffies64, shim_jiffies_now),
	HELPER(ktime_get_boot_ns, shim_jiffies_now),
	HELPER(spin_lock, shim_lock),
	HELPER(spin_unlock, shim_unlock),
	HELPER(ringbuf_reserve, shim_ringbuf_reserve),
	HELPER(ringbuf_submit, shim_ringbuf_submit),
	HELPER(skb_load_bytes, shim_skb_load),
	HELPER(skc_lookup_tcp, shim_tcp_lookup),
	HELPER(sk_lookup_udp, shim_udp_lookup),
	HELPER(sk_release, shim_sock_release),
	HELPER(fib_lookup, shim_route_lookup),
	HELPER(skb_get_xfrm_state, shim_xfrm_state),
	HELPER(sk_fullsock, shim_sock_full),
	HELPER(sk_storage_get, shim_sock_storage),
	HELPER(get_netns_cookie, shim_cookie),
	HELPER(get_socket_cookie, shim_cookie),
#undef HELPER
};
enum { SHIM_HELPERS = sizeof(shim_helpers) / sizeof(shim_helpers[0]) };

static void shim_helpers_set(void)
{
	for (size_t i = 0; i < SHIM_HELPERS; i++)
		memcpy(shim_helpers[i].pointer, &shim_helpers[i].function, sizeof(void *));
}

void *native_helper(uint32_t number, const char **name)
{
	for (size_t i = 0; i < SHIM_HELPERS; i++) {
		if (shim_helpers[i].number != number)
			continue;
		*name = shim_helpers[i].name;
		return shim_helpers[i].function;
	}
	return NULL;
}

/* Constants of the programs, as the loader sets them before it loads. */
static void shim_constant(const volatile void *constant, const void *value, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uintptr_t at = (uintptr_t)constant, first = at & ~(page - 1);

	shim_require(!mprotect((void *)first, at + size - first, PROT_READ | PROT_WRITE));
	for (size_t i = 0; i < size; i++) /* a compiler would leave out any other way to write */
		((volatile uint8_t *)at)[i] = ((const uint8_t *)value)[i];
}

static void shim_rodata_set(void)
{
	const bool tracing = true;
	const uint32_t space_by = FR_SPACE_BY_NOTHING;

	shim_constant(&fr_tracing, &tracing, sizeof(tracing));
	shim_constant(&fr_space_by, &space_by, sizeof(space_by));
}

static void shim_world_make(void)
{
	void *hint = (void *)(uintptr_t)0x20000000;

	if (shim.low)
		return;
	shim_helpers_set();
	shim_rodata_set();
	shim.low = mmap(hint, SHIM_LOW, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	shim_require(shim.low != MAP_FAILED && (uintptr_t)shim.low + SHIM_LOW <= UINT32_MAX);
}

/* ---------------------------------------------------------------- the door */

void native_reset(uint64_t jiffies)
{
	shim_world_make();
	for (size_t i = 0; i < SHIM_TABLES; i++)
		shim_table_clear(&shim_tables[i]);
	shim_sets_clear(&shim_flows);
	shim_sets_clear(&shim_drops);
	shim_owner = (struct fr_owner){.space = 1, .pid = 1};
	shim.lines = NULL;
	shim.count = 0;
	shim.jiffies = jiffies;
}

void native_install(const void *lines, uint32_t count, const struct fr_failsafe *failsafe)
{
	const struct fr_image_head *head = lines;

	shim.lines = lines;
	shim.count = count;
	shim.failsafe = *failsafe;
	shim.failsafe.generation = head->generation;
}

void native_age(uint64_t jiffies)
{
	shim.jiffies += jiffies;
}

uint64_t native_now(void)
{
	return shim.jiffies;
}

static int shim_program_run(void *context, const struct native_packet *packet,
			    struct __sk_buff *skb)
{
	static int (*const programs[2][FR_KINDS][FR_DIRS])(struct __sk_buff *) = {
		{{fr_if_egress, fr_if_ingress},
		 {fr_guest_ingress, fr_guest_egress},
		 {fr_cg_egress, fr_cg_ingress}},
		{{fr_if_egress_l3, fr_if_ingress_l3},
		 {fr_guest_ingress_l3, fr_guest_egress_l3},
		 {fr_cg_egress, fr_cg_ingress}},
	};

	(void)context;
	return programs[packet->l3][packet->kind][packet->dir](skb);
}

int native_run_by(const struct native_packet *packet, native_program *program, void *context)
{
	uint32_t linear = packet->linear < packet->size ? packet->linear : packet->size;
	struct __sk_buff skb = {
		.len = packet->size,
		.protocol = bpf_htons(packet->protocol),
		.vlan_present = !!packet->vlan,
		.vlan_tci = packet->vlan & 0xfff,
		.ifindex = packet->ifindex,
		.ingress_ifindex = packet->ingress_ifindex,
		.gso_segs = packet->segments,
		.pkt_type = packet->type,
		.data = (uint32_t)(uintptr_t)shim.low,
		.data_end = (uint32_t)(uintptr_t)shim.low + linear,
		.sk = packet->sock,
	};

	shim_require(packet->size <= SHIM_LOW);
	shim.data = packet->data;
	shim.size = packet->size;
	shim.host = packet->host;
	ASAN_UNPOISON_MEMORY_REGION(shim.low, SHIM_LOW);
	memcpy(shim.low, packet->data, linear);
	ASAN_POISON_MEMORY_REGION(shim.low + linear, SHIM_LOW - linear);
	return program(context, packet, &skb);
}

int native_run(const struct native_packet *packet, struct fr_event *trace)
{
	uint32_t zero = 0;
	int result;

	shim_map_delete(&fr_trace, &zero);
	result = native_run_by(packet, shim_program_run, NULL);
	memcpy(trace, shim_map_lookup(&fr_trace, &zero), sizeof(*trace));
	return result;
}

bool native_flow(size_t n, struct fr_flow *flow)
{
	for (size_t i = 0; i < shim_flows.count; i++) {
		const struct fr_flow_set *set = &shim_flows.sets[shim_flows.looked_at[i]];

		for (uint32_t way = 0; way < FR_WAYS; way++) {
			if (!set->set.tag[way] || n--)
				continue;
			*flow = set->way[way];
			return true;
		}
	}
	return false;
}

bool native_set(size_t n, const char **map, uint32_t *index)
{
	const struct shim_sets *table = n < shim_flows.count ? &shim_flows : &shim_drops;

	n -= n < shim_flows.count ? 0 : shim_flows.count;
	if (n >= table->count)
		return false;
	*map = table->name;
	*index = table->looked_at[n];
	return true;
}

void native_secret(const struct fr_secret *secret)
{
	shim_world_make();
	shim_constant(fr_secret, secret, sizeof(*secret));
}

void native_shortcuts(bool on)
{
	shim_world_make();
	shim_constant(&fr_shortcuts, &on, sizeof(on));
}

bool native_key(size_t n, const char **map, const void **key)
{
	for (size_t t = 0; t < SHIM_TABLES; t++)
		for (size_t i = 0; i < shim_tables[t].count; i++) {
			if ((shim_tables[t].array && shim_tables[t].map != &fr_questions) ||
			    !shim_tables[t].entries[i].used || n--)
				continue;
			*map = shim_tables[t].name;
			*key = shim_tables[t].entries[i].key;
			return true;
		}
	return false;
}

const void *native_value(const char *map, const void *key)
{
	return shim_map_lookup(native_map(map), key);
}

uint64_t native_tally(uint32_t which)
{
	const uint64_t *value = native_value("fr_tallies", &which);

	return value ? *value : 0;
}
