/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map with the document of a policy: a head, then the packed text.
 */
#include "document.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "../compile/compile.h"
#include "records.h"

enum { DOCUMENT_VERSION = 1, DOCUMENT_VALUE = 4096 };

/* Fills the first value; the packed bytes follow in the next ones. */
struct document_head {
	char mark[16];
	uint32_t version, pad;
	uint64_t size, packed_size;
	uint8_t image[32], digest[32];
};
static const char mark[16] = "flowreeve policy";

static size_t values_of(uint64_t packed_size)
{
	return 1 + (packed_size + DOCUMENT_VALUE - 1) / DOCUMENT_VALUE;
}

int document_store(const struct packed *document, const uint8_t image[32])
{
	struct records records = {0};
	struct document_head *head;
	int fd;

	if (document->size > RESOLVED_BYTES_MAX)
		return -EFBIG;
	fd = records_create("fr_document", DOCUMENT_VALUE,
			    (uint32_t)values_of(document->packed_size), &records);
	if (fd < 0)
		return fd;
	head = records.list;
	*head = (struct document_head){.version = DOCUMENT_VERSION,
				       .size = document->size,
				       .packed_size = document->packed_size};
	memcpy(head->mark, mark, sizeof(mark));
	memcpy(head->image, image, sizeof(head->image));
	memcpy(head->digest, document->digest, sizeof(head->digest));
	memcpy((char *)records.list + DOCUMENT_VALUE, document->bytes, document->packed_size);
	records_unmap(&records);
	return fd;
}

static bool head_is_sound(const struct document_head *head, const struct records *records,
			  const uint8_t image[32])
{
	return !memcmp(head->mark, mark, sizeof(mark)) && head->version == DOCUMENT_VERSION &&
	       head->size <= RESOLVED_BYTES_MAX && head->packed_size <= RESOLVED_BYTES_MAX &&
	       values_of(head->packed_size) == records->count &&
	       !memcmp(head->image, image, sizeof(head->image));
}

/* Maps of others may have any size: nothing is read before both are as ours. The map can be written
 * meanwhile: what was checked is in *head, and is read once. */
static int document_map(int fd, const uint8_t image[32], struct records *out,
			struct document_head *head)
{
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);
	int err;

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	if (info.type != BPF_MAP_TYPE_ARRAY || info.key_size != sizeof(uint32_t) ||
	    info.value_size != DOCUMENT_VALUE)
		return -EBADMSG;
	err = records_map(fd, out);
	if (err)
		return err;
	*head = *(const volatile struct document_head *)out->list;
	if (head_is_sound(head, out, image))
		return 0;
	records_unmap(out);
	return -EBADMSG;
}

int document_load(int fd, const uint8_t image[32], struct arena *arena, struct source *out)
{
	CLEANUP(records_unmap) struct records records = {0};
	CLEANUP(packed_free) struct packed copy = {0};
	struct document_head head;
	int err = document_map(fd, image, &records, &head);

	if (err)
		return err;
	copy = (struct packed){.bytes = memory_new(head.packed_size),
			       .packed_size = head.packed_size,
			       .size = head.size};
	memcpy(copy.bytes, (const char *)records.list + DOCUMENT_VALUE, copy.packed_size);
	memcpy(copy.digest, head.digest, sizeof(copy.digest));
	return packed_open(arena, &copy, out);
}

int document_is(int fd, const struct packed *document, const uint8_t image[32], bool *out)
{
	CLEANUP(records_unmap) struct records records = {0};
	struct document_head head;
	uint8_t digest[32];
	int err = document_map(fd, image, &records, &head);

	*out = false;
	if (err)
		return err == -EBADMSG ? 0 : err;
	if (head.size != document->size || head.packed_size != document->packed_size ||
	    memcmp(head.digest, document->digest, sizeof(digest)) != 0)
		return 0;
	sha256((const char *)records.list + DOCUMENT_VALUE, document->packed_size, digest);
	*out = !memcmp(digest, document->digest, sizeof(digest));
	return 0;
}
