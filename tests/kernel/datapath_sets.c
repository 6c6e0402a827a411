/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables of sets, read during writes. */
#include "datapath_fixture.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SETS = 3 * 4096 + 64, SETS_FEW = 64, REPLACED_MIN = 3000000, ROUNDS_MIN = 1000 };

static struct fr_flow_set *sets;
static int map = -1;

static void open_table(uint32_t count)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);

	map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "fr_flows", sizeof(uint32_t), sizeof(*sets), count,
			     &options);
	cr_assert_geq(map, 0);
	sets = mmap(NULL, count * sizeof(*sets), PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	cr_assert_neq(sets, MAP_FAILED);
}

static void begin(void)
{
	need_root();
}

TestSuite(datapath_sets, .init = begin);

/* As the programs do it: the tag goes before the key does, and comes back after it. All bytes of a
 * key are the same. */
static void put(uint32_t set, uint32_t way, uint8_t byte)
{
	struct fr_flow_set *s = &sets[set];

	__atomic_store_n(&s->set.tag[way], 0, __ATOMIC_SEQ_CST);
	memset(&s->way[way].key, byte, sizeof(s->way[way].key));
	s->way[way].slot = set;
	__atomic_store_n(&s->set.tag[way], (uint16_t)(byte + 1), __ATOMIC_SEQ_CST);
}

struct seen {
	uint64_t count, sum, torn;
	uint64_t most; /* ends the reading after so many; 0: never */
};

static int see(const void *entry, void *context)
{
	const struct fr_flow *flow = entry;
	const uint8_t *key = (const uint8_t *)&flow->key;
	struct seen *seen = context;

	seen->count++;
	seen->sum += flow->slot;
	seen->torn += memcmp(key, key + 1, sizeof(flow->key) - 1) != 0;
	return seen->count == seen->most ? 7 : 0;
}

Test(datapath_sets, each_entry_is_seen_once)
{
	static const uint32_t filled[] = {0, 1, 4095, 4096, 4097, 8191, 8192, SETS - 1};
	struct seen seen = {0};
	uint64_t sum = 0;

	open_table(SETS);
	cr_assert_eq(sets_each(map, see, &seen), 0);
	cr_expect_eq(seen.count, 0);
	for (size_t i = 0; i < ARRAY_SIZE(filled); i++) {
		for (uint32_t way = 0; way < FR_WAYS; way += 1 + i % 3) {
			put(filled[i], way, (uint8_t)(way + i));
			sum += filled[i];
		}
	}
	cr_assert_eq(sets_each(map, see, &seen), 0);
	cr_expect_eq(seen.sum, sum);
	cr_expect_eq(seen.torn, 0);
}

Test(datapath_sets, a_visit_that_is_enough_ends_it)
{
	struct seen seen = {.most = 3};

	open_table(SETS);
	for (uint32_t set = 0; set < 16; set++)
		put(set * 700, 2, 5);
	cr_expect_eq(sets_each(map, see, &seen), 7);
	cr_expect_eq(seen.count, 3);
}

Test(datapath_sets, what_cannot_be_mapped_is_an_error)
{
	int plain = bpf_map_create(BPF_MAP_TYPE_ARRAY, "plain", sizeof(uint32_t), sizeof(*sets), 64,
				   NULL);
	struct seen seen = {0};

	cr_assert_geq(plain, 0);
	cr_expect_eq(sets_each(plain, see, &seen), -EINVAL);
	close(plain);
}

struct writer {
	atomic_bool end;
	atomic_ulong replaced;
};

static void *replace(void *context)
{
	struct writer *writer = context;

	for (uint32_t i = 0; !writer->end; i++) {
		put(2 + i % (SETS_FEW - 2), i / SETS_FEW % FR_WAYS, (uint8_t)(i % 251));
		writer->replaced++;
	}
	return NULL;
}

/* lesson: an entry that is copied while a program replaces it is half of each, and shows a
 * conversation that never happened. */
Test(datapath_sets, none_is_of_two)
{
	struct writer writer = {0};
	struct seen seen = {0};
	pthread_t thread;

	open_table(SETS_FEW);
	for (uint32_t way = 0; way < FR_WAYS; way++)
		put(1, way, 9); /* always there */
	cr_assert_eq(pthread_create(&thread, NULL, replace, &writer), 0);
	for (int round = 0; round < ROUNDS_MIN || writer.replaced < REPLACED_MIN; round++) {
		seen = (struct seen){.torn = seen.torn};
		cr_expect_eq(sets_each(map, see, &seen), 0);
		cr_expect_geq(seen.count, FR_WAYS);
	}
	writer.end = true;
	pthread_join(thread, NULL);
	cr_expect_eq(seen.torn, 0);
}
