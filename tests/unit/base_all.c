/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unit tests of base: arenas, strings, numbers, files, the queue of diagnostics, SHA-256.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../user/base/base.h"

Test(base, arena_memory_is_zeroed_aligned_and_survives_growth)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	size_t capacity = 0;
	int *numbers = NULL;

	for (size_t i = 0; i < 100000; i++) {
		numbers = arena_grow(arena, numbers, i, &capacity, sizeof(*numbers));
		cr_assert_eq((uintptr_t)numbers % sizeof(void *), 0);
		numbers[i] = (int)i;
	}
	for (size_t i = 0; i < 100000; i++)
		cr_assert_eq(numbers[i], (int)i);
	for (size_t i = 1; i < 5000; i++) {
		char *block = arena_alloc(arena, i);

		cr_assert(block[0] == 0 && block[i - 1] == 0);
		memset(block, 0xff, i);
	}
	cr_assert_str_eq(arena_printf(arena, "%s-%d", "row", 7), "row-7");
	cr_assert_str_eq(arena_strndup(arena, "abcdef", 3), "abc");
}

/* From the heap or mapped: at any size it is whole, zeroed and ours alone. */
Test(base, large_memory_is_zeroed_and_keeps_its_content_as_it_grows)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	size_t sizes[] = {1, 1 << 20, (2 << 20) - 1, 2 << 20, (2 << 20) + 1, 5 << 20, 40 << 20};
	char *blocks[ARRAY_SIZE(sizes)], *array = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		blocks[i] = arena_alloc(arena, sizes[i]);
		cr_assert(!blocks[i][0] && !blocks[i][sizes[i] / 2] && !blocks[i][sizes[i] - 1]);
		memset(blocks[i], (int)i + 1, sizes[i]);
		array = memory_resize(array, sizes[i]);
		if (i)
			cr_assert_eq(array[sizes[i - 1] - 1], (char)i);
		memset(array, (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (size_t at = 0; at < sizes[i]; at += 4096)
			cr_assert_eq(blocks[i][at], (char)(i + 1));
	free(array);
	array = memory_new(3 << 20);
	cr_assert(!array[0] && !array[(3 << 20) - 1]);
	free(array);
}

/* An array with a chunk of its own grows in it, and other allocations stay out of the way. */
Test(base, an_array_of_megabytes_grows_whole_with_others_beside_it)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	enum { WORDS = 3, MOST = 1 << 20 };
	uint32_t(*array)[WORDS] = NULL, *beside = NULL;
	size_t capacity = 0, before;

	for (uint32_t i = 0; i < MOST; i++) {
		before = capacity;
		array = arena_grow(arena, array, i, &capacity, sizeof(*array));
		cr_assert_eq((uintptr_t)array % _Alignof(max_align_t), 0);
		if (capacity != before) {
			cr_assert(!array[i][0] && !array[capacity - 1][WORDS - 1]);
			beside = arena_alloc(arena, 16);
			cr_assert(!beside[0] && !beside[3]);
			memset(beside, 0xff, 16);
		}
		array[i][0] = array[i][WORDS - 1] = i;
	}
	for (uint32_t i = 0; i < MOST; i++)
		cr_assert(array[i][0] == i && !array[i][1] && array[i][WORDS - 1] == i);
}

Test(base, an_arena_that_was_reset_gives_zeroed_memory_again)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();

	arena_reset(arena);
	for (size_t round = 0; round < 200; round++) {
		for (size_t size = 1; size < 40 * round; size += 7) {
			char *object = arena_alloc(arena, size), *text;

			for (size_t at = 0; at < size; at++)
				cr_assert_eq(object[at], 0);
			memset(object, 0xee, size);
			text = arena_strndup(arena, object, size);
			cr_assert_eq(strlen(text), size);
		}
		arena_reset(arena);
	}
}

Test(base, texts_and_objects_of_an_arena_do_not_meet)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	enum { COUNT = 20000 };
	static const char *texts[COUNT];
	static int *numbers[COUNT];
	char text[32];

	for (int i = 0; i < COUNT; i++) {
		texts[i] = arena_strndup(arena, text, (size_t)sprintf(text, "text-%d", i));
		numbers[i] = arena_alloc(arena, sizeof(int) * (1 + (size_t)i % 7));
		*numbers[i] = i;
	}
	for (int i = 0; i < COUNT; i++) {
		sprintf(text, "text-%d", i);
		cr_assert_str_eq(texts[i], text);
		cr_assert_eq(*numbers[i], i);
	}
}

/* lesson: `status` named a file that did not exist, because its path was silently cut off. */
Test(base, kebab_names)
{
	char long_name[100];

	cr_assert(name_is_kebab("aws-datasync"));
	cr_assert(name_is_kebab("s3"));
	cr_assert_not(name_is_kebab(""));
	cr_assert_not(name_is_kebab("-a"));
	cr_assert_not(name_is_kebab("a-"));
	cr_assert_not(name_is_kebab("a--b"));
	cr_assert_not(name_is_kebab("A"));
	cr_assert_not(name_is_kebab("a_b"));
	memset(long_name, 'a', sizeof(long_name));
	long_name[64] = '\0';
	cr_assert_not(name_is_kebab(long_name));
	long_name[63] = '\0';
	cr_assert(name_is_kebab(long_name));
}

Test(base, nearest_word_suggests_only_what_is_near)
{
	const char *const words[] = {"nfs-server", "smb-server", "agent", "udp"};

	cr_assert_str_eq(nearest_word("nfs-sever", words, 4), "nfs-server");
	cr_assert_str_eq(nearest_word("agnet", words, 4), "agent");
	cr_assert_str_eq(nearest_word("upd", words, 4), "udp");
	cr_assert_null(nearest_word("completely-else", words, 4));
	cr_assert_null(nearest_word("", words, 4));
	cr_assert_null(nearest_word("x", words, 0));
}

Test(base, numbers_and_durations)
{
	uint64_t number = 7;
	uint32_t seconds = 7;

	cr_assert_eq(parse_u64("18446744073709551615", UINT64_MAX, &number), 0);
	cr_assert_eq(number, UINT64_MAX);
	cr_assert_eq(parse_u64("18446744073709551616", UINT64_MAX, &number), -ERANGE);
	cr_assert_eq(parse_u64("256", 255, &number), -ERANGE);
	cr_assert_eq(parse_u64("-1", 255, &number), -EINVAL);
	cr_assert_eq(parse_u64("", 255, &number), -EINVAL);
	cr_assert_eq(parse_u64("1 ", 255, &number), -EINVAL);
	cr_assert_eq(number, UINT64_MAX, "untouched on failure");
	cr_assert_eq(parse_duration("5d", &seconds), 0);
	cr_assert_eq(seconds, 432000);
	cr_assert_eq(parse_duration("90", &seconds), 0);
	cr_assert_eq(seconds, 90);
	cr_assert_eq(parse_duration("2h", &seconds), 0);
	cr_assert_eq(seconds, 7200);
	cr_assert_eq(parse_duration("s", &seconds), -EINVAL);
	cr_assert_eq(parse_duration("5w", &seconds), -EINVAL);
	cr_assert_eq(parse_duration("3651d", &seconds), -ERANGE);
	cr_assert_eq(parse_duration("3650d", &seconds), 0);
}

static void digest_is(const char *text, size_t size, const char *expected)
{
	uint8_t digest[32];
	char hex[65];

	sha256(text, size, digest);
	for (int i = 0; i < 32; i++)
		sprintf(hex + 2 * i, "%02x", digest[i]);
	cr_assert_str_eq(hex, expected);
}

Test(base, sha256_of_the_standard_vectors_and_block_edges)
{
	char million[64] = {0};

	digest_is("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	digest_is("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	digest_is("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	digest_is(million, 64, "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b");
	digest_is(million, 55, "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7");
}

Test(base, source_read_takes_regular_files_within_the_limit)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	char path[] = "/tmp/flowreeve-source-XXXXXX";
	int fd CLEANUP(close_fd) = mkstemp(path);
	struct source *source = NULL;

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, "abc\n", 4), 4);
	cr_assert_eq(source_read(arena, path, 3, &source), -EFBIG);
	cr_assert_null(source);
	cr_assert_eq(source_read(arena, path, 4, &source), 0);
	cr_assert_str_eq(source->text, "abc\n");
	cr_assert_eq(source->size, 4);
	cr_assert_str_eq(source->name, path);
	cr_assert_eq(ftruncate(fd, 1ll << 40), 0);
	cr_assert_eq(source_read(arena, path, 1 << 24, &source), -EFBIG);
	unlink(path);
	cr_assert_eq(source_read(arena, path, 4, &source), -ENOENT);
	cr_assert_eq(source_read(arena, "/tmp", 4, &source), -EISDIR);
	cr_assert_eq(source_read(arena, "/dev/zero", 4, &source), -EINVAL);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(source_read(arena, path, 4, &source), -EINVAL);
	unlink(path);
}

Test(base, diagnostics_are_kept_in_order_and_bounded)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct diags d = {.arena = arena};
	struct loc loc = {.line = 3, .column = 4, .length = 5};

	cr_assert_eq(diag_error(&d, loc, -EINVAL, "bad-port", "hint", "port %d", 99999), -EINVAL);
	diag_warning(&d, loc, "w", NULL, "careful");
	diag_note(&d, loc, "n", NULL, "by the way");
	cr_assert_eq(d.count, 3);
	cr_assert_eq(d.errors, 1);
	cr_assert_eq(d.warnings, 1);
	cr_assert_str_eq(d.list[0].message, "port 99999");
	cr_assert_str_eq(d.list[0].hint, "hint");
	cr_assert_eq(d.list[1].severity, SEV_WARNING);
	for (int i = 0; i < 1000; i++)
		diag_error(&d, loc, -EINVAL, "x", NULL, "%d", i);
	cr_assert_eq(d.errors, 1001);
	cr_assert_eq(d.count, 202);
}

Test(base, error_text_knows_the_kernels_own_number)
{
	cr_assert(strstr(error_text(-524), "ENOTSUPP"));
	cr_assert_str_eq(error_text(-ENOENT), strerror(ENOENT));
	cr_assert_str_eq(error_text(ENOENT), strerror(ENOENT));
}

/* A shell reads it back as the word. */
Test(base, a_word_is_quoted_where_a_shell_would_change_it)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();

	cr_expect_str_eq(shell_word(arena, "/etc/flowreeve/web-1.yaml"),
			 "/etc/flowreeve/web-1.yaml");
	cr_expect_str_eq(shell_word(arena, ""), "''");
	cr_expect_str_eq(shell_word(arena, "a b"), "'a b'");
	cr_expect_str_eq(shell_word(arena, "$(x)"), "'$(x)'");
	cr_expect_str_eq(shell_word(arena, "it's"), "'it'\\''s'");
	cr_expect_str_eq(shell_word(arena, "''"), "''\\'''\\'''");
	cr_expect_str_eq(shell_word(arena, "it's\033]0;\\\n\177"),
			 "$'it\\'s\\033]0;\\\\\\012\\177'");
	cr_expect_str_eq(shell_word(arena, "~root"), "'~root'");
}

Test(base, a_command_has_what_is_not_the_default_and_its_operand_last)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	const char *more[] = {"--tables", "my tables"};
	struct command_line line = {.verb = "apply", .mode = "enforce", .operand = "a.yaml"};

	cr_expect_str_eq(command_text(arena, &line), "flowreeve apply --mode enforce a.yaml");
	line.pin_root = PIN_ROOT_DEFAULT;
	cr_expect_str_eq(command_text(arena, &line), "flowreeve apply --mode enforce a.yaml");
	line = (struct command_line){.verb = "apply",
				     .pin_root = "/sys/fs/bpf/b",
				     .operand = "-x.yaml",
				     .allow_removal = true,
				     .more = more,
				     .more_count = 2};
	cr_expect_str_eq(command_text(arena, &line),
			 "flowreeve apply --allow-removal --pin-root /sys/fs/bpf/b "
			 "--tables 'my tables' -- -x.yaml");
}

/* ---------------------------------------------------------------- words */

Test(words, every_number_of_the_contract_has_its_word)
{
	for (unsigned i = 0; i < FR_VERDICTS; i++)
		cr_expect_str_eq(verdict_name(i),
				 ((const char *[]){"pass", "drop", "would-drop"})[i]);
	for (unsigned i = 0; i < FR_KINDS; i++)
		cr_expect_str_eq(kind_name(i),
				 ((const char *[]){"interface", "guest", "cgroup"})[i]);
	for (unsigned i = 0; i < FR_ACTIONS; i++)
		cr_expect_str_eq(action_name(i),
				 ((const char *[]){"deny", "allow", "failsafe"})[i]);
	for (unsigned i = 0; i <= FR_DIRS; i++)
		cr_expect_str_eq(dir_name(i), ((const char *[]){"egress", "ingress", "both"})[i]);
	cr_expect_str_eq(mode_name(false), "audit");
	cr_expect_str_eq(mode_name(true), "enforce");
	cr_expect_str_eq(flow_state_name(FR_FLOW_ESTABLISHED), "established");
	cr_expect_str_eq(class_name(FR_CLASS_UNPROVEN), "unproven");
	cr_expect_str_eq(reason_name(FR_REASON_ICMP_ERROR), "icmp-error");
	for (unsigned i = 0; i < FR_REASONS_COUNT; i++)
		cr_expect_str_neq(reason_name(i), "unknown");
}

Test(words, a_number_beyond_the_list_is_unknown)
{
	cr_expect_str_eq(verdict_name(FR_VERDICTS), "unknown");
	cr_expect_str_eq(kind_name(FR_KINDS), "unknown");
	cr_expect_str_eq(action_name(FR_ACTIONS), "unknown");
	cr_expect_str_eq(reason_name(FR_REASONS_COUNT), "unknown");
	cr_expect_str_eq(flow_state_name(FR_FLOW_NONE), "unknown");
	cr_expect_str_eq(class_name(FR_CLASSES_COUNT), "unknown");
}
