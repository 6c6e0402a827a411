/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inputs of the fuzzers once more, without libFuzzer: past findings, each named after the bug, and
 * the corpus that they begin with. A violation aborts.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "../fuzz/fuzz.h"

enum { INPUT_MAX = 1 << 16 };

static void replay(const char *path, void (*try)(const uint8_t *data, size_t size))
{
	uint8_t *data = malloc(INPUT_MAX);
	FILE *file = fopen(path, "rb");
	size_t size;

	cr_assert(data && file, "%s", path);
	size = fread(data, 1, INPUT_MAX, file);
	fclose(file);
	fprintf(stderr, "%s\n", path); /* the last one is the test that aborted */
	try(data, size);
	free(data);
}

static size_t replay_all(const char *directory, void (*try)(const uint8_t *data, size_t size))
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	size_t count = 0;
	char path[512];

	cr_assert(dir, "%s: run from the top of the tree", directory);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		replay(path, try);
		count++;
	}
	closedir(dir);
	return count;
}

Test(fuzz_regressions, files_of_the_front_end, .timeout = 120)
{
	cr_assert_gt(replay_all("tests/fuzz/regressions/policy", front_try), 0);
	cr_assert_gt(replay_all("tests/fuzz/corpus/policy", front_try), 0);
}

Test(fuzz_regressions, vendors_documents, .timeout = 120)
{
	cr_assert_gt(replay_all("tests/fuzz/corpus/import", document_try), 0);
	replay_all("tests/fuzz/regressions/import", document_try);
}

Test(fuzz_regressions, sequences_of_packets, .timeout = 120)
{
	cr_assert_gt(replay_all("tests/fuzz/regressions/packet", packets_try), 0);
	cr_assert_gt(replay_all("tests/fuzz/corpus/packet", packets_try), 50);
}
