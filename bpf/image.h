/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The look-up on an image: address -> row, protocol and port -> column, row and column -> cell. The
 * same text for IPv4, IPv6, the kernel and user space; no helper but the array look-up, no policy
 * words, no packet. An image that is not well formed gives a wrong cell, never a wrong access.
 */
#ifndef FR_IMAGE_H
#define FR_IMAGE_H

#include "abi.h"

#ifdef __bpf__
typedef void *fr_image; /* the inner map */
static __always_inline const void *image_line(fr_image image, __u32 line)
{
	return bpf_map_lookup_elem(image, &line);
}
#else
struct fr_image_view {
	const void *lines;
	__u32 count;
};
typedef const struct fr_image_view *fr_image;
static inline const void *image_line(fr_image image, __u32 line)
{
	return line < image->count ? (const __u8 *)image->lines + (__u64)line * FR_LINE_BYTES : 0;
}
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#endif

/* An opaque 0, so that the verifier does not fork a path for a missing line. */
static __always_inline __u32 image_nothing(__u32 line)
{
	__u32 same = line;

	__asm__ volatile("" : "+r"(same));
	return same ^ line;
}

/* Word `index` of an array of u32 that starts at `line`. */
static __always_inline __u32 image_word(fr_image image, __u32 line, __u32 index)
{
	const __u32 *words = image_line(image, line + index / FR_LINE_WORDS);

	return words ? words[index % FR_LINE_WORDS] : image_nothing(line);
}

/* a >= b without a branch: the borrow of a - b. A branch here would be guessed wrong half of the
 * time, and the verifier would follow both sides of each. */
static __always_inline __u32 image_reached(__u64 a, __u64 b)
{
	return 1 ^ (((~a & b) | ((~a | b) & (a - b))) >> 63);
}

static __always_inline __u32 image_bucket(fr_image image, __u32 line, __u64 key)
{
	const struct fr_bucket *bucket = image_line(image, line);
	__u32 at = 0;

	if (!bucket)
		return image_nothing(line);
#pragma GCC unroll 5
	for (int i = 0; i < FR_BUCKET_KEYS; i++)
		at += image_reached(key, bucket->key[i]);
	return at <= FR_BUCKET_KEYS ? bucket->entry[at] : image_nothing(line);
}

/* Walk from `entry` to a LEAF or LOW entry; `rest` holds the bits of `key` not consumed yet, on
 * top. */
static __always_inline __u32 image_walk(fr_image image, __u32 entry, __u64 rest, __u64 key)
{
	for (int level = 0; level < FR_TRIE_LEVELS; level++) {
		__u32 stride = FR_TRIE_STRIDE(entry);

		if (FR_TRIE_KIND(entry) != FR_TRIE_NODE)
			break;
		entry = image_word(image, FR_TRIE_NUMBER(entry), rest >> ((64 - stride) & 63));
		rest <<= stride;
	}
	if (FR_TRIE_KIND(entry) == FR_TRIE_BUCKET)
		entry = image_bucket(image, FR_TRIE_NUMBER(entry), key);
	return entry;
}

/* The row of an address, given as two halves in host order; v4: high = address << 32. `root`: a
 * trie entry. */
static __always_inline __u32 image_row(fr_image image, __u32 root, __u64 high, __u64 low)
{
	__u32 entry = image_walk(image, root, high, high);

	if (FR_TRIE_KIND(entry) == FR_TRIE_LOW) {
		entry = image_word(image, FR_TRIE_NUMBER(entry), 0);
		entry = image_walk(image, entry, low, low);
	}
	return FR_TRIE_NUMBER(entry);
}

/* The column of a protocol and port; `portless`: of a packet that carries no port (fragment
 * column). */
static __always_inline __u32 image_column(fr_image image, __u32 services, __u8 proto, __u16 port,
					  int portless)
{
	const struct fr_service *service = image_line(image, services + proto / 8);
	const __u16 *ports;

	if (!service)
		return 0;
	service += proto % 8;
	if (!service->table || portless)
		return service->column;
	ports = image_line(image, service->table + port / 32);
	return service->column + (ports ? ports[port % 32] : image_nothing(service->table));
}

static __always_inline __u32 image_cell(fr_image image, const struct fr_image_head *head,
					const struct fr_image_dir *dir, __u32 row, __u32 column)
{
	const __u32 page_cells = FR_LINE_WORDS * FR_LINE_WORDS;
	__u32 block;

	if (head->flags & FR_F_DENSE)
		return image_word(image, dir->matrix, row * dir->columns + column);
	if (head->flags & FR_F_PAGED) {
		block = image_word(image, dir->matrix,
				   row * (dir->columns / page_cells) + column / page_cells);
		block = image_word(image, block, column / FR_LINE_WORDS % FR_LINE_WORDS);
	} else {
		block = image_word(image, dir->matrix,
				   row * (dir->columns / FR_LINE_WORDS) + column / FR_LINE_WORDS);
	}
	return image_word(image, block, column % FR_LINE_WORDS);
}

/* The peer of a look-up: halves in host order. */
struct fr_peer {
	__u64 high, low;
};

/* The cell of a peer and a listener's port in one direction. */
static __always_inline __u32 image_lookup(fr_image image, const struct fr_image_head *head,
					  const struct fr_image_dir *dir,
					  const struct fr_peer *peer, int v4, __u32 column)
{
	__u32 root = v4 ? dir->root4 : dir->root6;

	return image_cell(image, head, dir, image_row(image, root, peer->high, peer->low), column);
}

#endif /* FR_IMAGE_H */
