/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Texts in compressed form. Level 1 of zlib: a hundred thousand rules are a twentieth of the time
 * that applying them takes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base.h"

/* A hash table of this level stays in the processor's cache: faster than the default. */
enum { CHUNK = 1 << 16, HASHES = 7 };

struct packer {
	z_stream stream;
	struct packed packed;
	size_t capacity, waiting;
	unsigned char text[CHUNK]; /* not compressed yet */
};

struct packer *pack_begin(void)
{
	struct packer *packer = memory_new(sizeof(*packer));

	if (deflateInit2(&packer->stream, 1, Z_DEFLATED, MAX_WBITS, HASHES, Z_DEFAULT_STRATEGY) !=
	    Z_OK)
		memory_exhausted();
	return packer;
}

static void compress_waiting(struct packer *packer, int flush)
{
	struct packed *packed = &packer->packed;
	z_stream *stream = &packer->stream;

	stream->next_in = packer->text;
	stream->avail_in = (unsigned)packer->waiting;
	do {
		if (packer->capacity - packed->packed_size < CHUNK) {
			packer->capacity = 2 * packer->capacity + CHUNK;
			packed->bytes = memory_resize(packed->bytes, packer->capacity);
		}
		stream->next_out = (unsigned char *)packed->bytes + packed->packed_size;
		stream->avail_out = CHUNK;
		deflate(stream, flush);
		packed->packed_size += CHUNK - stream->avail_out;
	} while (!stream->avail_out);
	packer->waiting = 0;
}

void pack_add(struct packer *packer, const char *text, size_t size)
{
	packer->packed.size += size;
	while (size) {
		size_t part = CHUNK - packer->waiting < size ? CHUNK - packer->waiting : size;

		memcpy(packer->text + packer->waiting, text, part);
		packer->waiting += part;
		text += part;
		size -= part;
		if (packer->waiting == CHUNK)
			compress_waiting(packer, Z_NO_FLUSH);
	}
}

void pack_end(struct packer *packer, struct packed *out)
{
	compress_waiting(packer, Z_FINISH);
	deflateEnd(&packer->stream);
	*out = packer->packed;
	sha256(out->bytes, out->packed_size, out->digest);
	free(packer);
}

void packed_free(struct packed *packed)
{
	free(packed->bytes);
	packed->bytes = NULL;
}

int packed_open(struct arena *arena, const struct packed *packed, struct source *out)
{
	char *text = arena_bytes(arena, packed->size + 1);
	unsigned long size = packed->size;
	uint8_t digest[32];

	sha256(packed->bytes, packed->packed_size, digest);
	if (memcmp(digest, packed->digest, sizeof(digest)) != 0 ||
	    uncompress((unsigned char *)text, &size, packed->bytes, packed->packed_size) != Z_OK ||
	    size != packed->size || memchr(text, 0, size))
		return -EBADMSG;
	text[size] = '\0';
	out->text = text;
	out->size = size;
	return 0;
}
