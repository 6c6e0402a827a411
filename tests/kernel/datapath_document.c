/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The document of a policy in force: it comes and goes with the image, and one that is missing,
 * damaged, foreign or of another image is an error that names the command which heals it.
 */
#include "datapath_lab.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct image_spec deny = {.policy = "one", .enforce = true, .tcp_port = 443};
static const struct image_spec other = {.policy = "one", .enforce = true, .tcp_port = 444};
static const char *const points[] = {"interface va0", NULL};

LAB_SUITE(datapath_document, lab_applied(&lab, &deny, points));

static const char *pin_of(unsigned generation)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/one/e1/document-%u", lab.root, generation);
	return path;
}

/* The text, or the id of the error and its hint. */
static const char *document_says(void)
{
	static char says[512];
	struct arena *arena = arena_new();
	struct diags d = {.arena = arena};
	struct instance_document document;
	struct instance instance;

	cr_assert_eq(instance_open(&lab.host, "one", &d, &instance), 0);
	if (!instance_document(&instance, &d, &document))
		snprintf(says, sizeof(says), "%s", document.source->text);
	else
		snprintf(says, sizeof(says), "%s: %s", d.list[0].check, d.list[0].hint ?: "");
	instance_close(&instance);
	arena_free(arena);
	return says;
}

static void expect_error(const char *check, const char *what)
{
	const char *says = document_says();

	cr_expect(str_starts(says, check), "%s: %s", what, says);
	cr_expect(strstr(says, "flowreeve apply"), "%s: %s", what, says);
	cr_expect(!lab_udp_out(&lab, 0, 5000), "%s: the policy is in force all the same", what);
}

/* The same policy again is no change, but where its document is not as it should be. */
static void heals(const char *what)
{
	struct apply_result result = lab_applied(&lab, &deny, points);

	cr_expect(!result.unchanged, "%s", what);
	cr_expect_str_eq(document_says(), "policy one, port 443", "%s", what);
	cr_expect(lab_applied(&lab, &deny, points).unchanged, "%s", what);
}

static void pin_replace(unsigned generation, int fd)
{
	unlink(pin_of(generation));
	cr_assert(fd >= 0 && !bpf_obj_pin(fd, pin_of(generation)), "%s", strerror(errno));
	close(fd);
}

/* ---------------------------------------------------------------- with the image */

Test(datapath_document, it_is_of_the_policy_in_force)
{
	cr_expect_str_eq(document_says(), "policy one, port 443");
	cr_expect_eq(lab_applied(&lab, &other, points).generation, 2);
	cr_expect_str_eq(document_says(), "policy one, port 444");
	cr_expect(access(pin_of(1), F_OK), "that of the generation before is gone");
	cr_expect(!access(pin_of(2), F_OK));
	lab_detached(&lab);
	cr_expect_eq(lab_pins(lab.root), 0);
}

/* ---------------------------------------------------------------- not as it should be */

Test(datapath_document, a_missing_one_is_of_an_older_version)
{
	cr_assert(!unlink(pin_of(1)));
	expect_error("document-missing: ", "missing");
	heals("missing");
}

static void *document_bytes(size_t *size)
{
	int fd = bpf_obj_get(pin_of(1));
	struct bpf_map_info info = {0};
	uint32_t length = sizeof(info);
	void *bytes;

	cr_assert(fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &length));
	*size = (size_t)info.value_size * info.max_entries;
	bytes = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	cr_assert(bytes != MAP_FAILED);
	close(fd);
	return bytes;
}

/* Any of its bytes: the head, the text. */
Test(datapath_document, a_damaged_one_is_not_shown)
{
	static const size_t places[] = {0, 15, 16, 24, 32, 40, 71, 72, 103, 4096, 4100, 4110};
	size_t size;
	uint8_t *bytes = document_bytes(&size);

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char what[32];

		snprintf(what, sizeof(what), "byte %zu", places[i]);
		bytes[places[i]] ^= 1;
		expect_error("document-damaged: ", what);
		bytes[places[i]] ^= 1;
	}
	cr_expect_str_eq(document_says(), "policy one, port 443");
	memset(bytes + 4096, 0, size - 4096);
	expect_error("document-damaged: ", "zeroes");
	munmap(bytes, size);
	heals("zeroes");
}

/* Sizes beyond the map and beyond all limits are not read. */
Test(datapath_document, sizes_are_checked_before_any_byte)
{
	static const uint64_t sizes[] = {0, 1, 4097, 1 << 20, UINT32_MAX, UINT64_MAX};
	size_t size;
	uint64_t *bytes = document_bytes(&size);

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (size_t field = 3; field <= 4; field++) {
			uint64_t was = bytes[field];

			bytes[field] = sizes[i];
			expect_error("document-damaged: ", "size");
			bytes[field] = was;
		}
	}
	munmap(bytes, size);
}

struct writer {
	volatile uint64_t *bytes;
	volatile bool over;
};

/* The packed size, and one that the limit allows and the map has not. */
static void *write_sizes(void *context)
{
	struct writer *writer = context;
	uint64_t was = writer->bytes[4];

	while (!writer->over) {
		writer->bytes[4] = 32 << 20;
		writer->bytes[4] = was;
	}
	return NULL;
}

/* lesson: sizes were checked, and then read again from the map, which others may write. */
Test(datapath_document, sizes_that_change_while_they_are_read)
{
	size_t size;
	struct writer writer = {.bytes = (volatile uint64_t *)document_bytes(&size)};
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, write_sizes, &writer), 0);
	for (int i = 0; i < 3000; i++) {
		const char *says = document_says();

		cr_assert(str_equal(says, "policy one, port 443") ||
				  str_starts(says, "document-damaged: "),
			  "%s", says);
	}
	writer.over = true;
	pthread_join(thread, NULL);
	munmap((void *)writer.bytes, size);
}

Test(datapath_document, maps_of_others_are_not_read)
{
	LIBBPF_OPTS(bpf_map_create_opts, mapped, .map_flags = BPF_F_MMAPABLE);

	pin_replace(1, bpf_map_create(BPF_MAP_TYPE_ARRAY, "foreign", 4, 64, 1, NULL));
	expect_error("document-damaged: ", "small");
	pin_replace(1, bpf_map_create(BPF_MAP_TYPE_ARRAY, "foreign", 4, 4096, 2, NULL));
	expect_error("document-damaged: ", "not mapped");
	pin_replace(1, bpf_map_create(BPF_MAP_TYPE_ARRAY, "foreign", 4, 4096, 2, &mapped));
	expect_error("document-damaged: ", "of zeroes");
	pin_replace(1, bpf_map_create(BPF_MAP_TYPE_HASH, "foreign", 4, 4096, 2, NULL));
	expect_error("document-damaged: ", "a hash");
	heals("foreign");
}

Test(datapath_document, one_of_another_image_is_not_shown)
{
	int before = bpf_obj_get(pin_of(1));

	cr_expect_eq(lab_applied(&lab, &other, points).generation, 2);
	pin_replace(2, before);
	expect_error("document-damaged: ", "of the generation before");
}
