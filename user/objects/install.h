/* SPDX-License-Identifier: GPL-2.0-only */
/* Images in kernel memory. */
#ifndef OBJECTS_INSTALL_H
#define OBJECTS_INSTALL_H

#include "../compile/compile.h"

uint32_t image_class(uint32_t lines); /* a power of two that holds the lines */
uint32_t slots_class(uint32_t rules);
int image_map_create(uint32_t lines); /* an inner map, or -errno */
struct install {
	const struct image *image;
	uint32_t class_lines;
	uint32_t generation;
	uint32_t extra_flags;
	uint64_t adopt_until;
	uint32_t conntrack;		 /* seconds, of host_conntrack() */
	const uint32_t *slot;		 /* by rule number; NULL: the rule's own number */
	const struct fr_subnet *subnets; /* FR_SUBNETS of this host; NULL: none are known */
};
/* A new inner map with the image in the form that the programs need; verified. fd, or -errno with a
 * diagnostic. */
int image_install(const struct install *install, struct diags *d);
/* A new inner map with the lines of another image, without some flags of its head. fd or -errno. */
int image_copy(const struct image *from, uint32_t class_lines, uint32_t without);
/* Maps it read-only: out->lines stays mapped until image_unmap(). */
int image_map_view(int fd, struct image *out);
void image_unmap(struct image *image);
/* The digest of the lines of an installed image as they are now, without what the loader wrote.
 * `audit`: it is the copy that enforces nothing. -ERANGE: a time-out was too long for the programs,
 * so that the compiled lines are not known. -EBADMSG: it has offsets outside of itself. */
int image_digest_now(const struct image *image, bool audit, uint8_t out[32]);
/* Whether that is the digest that it names. The same errors, but -EBADMSG is no. */
int image_intact(const struct image *image, bool audit, bool *out);
/* struct fr_image_head, deadline. One store: programs read the old value or the new one. */
int image_deadline(int fd, uint64_t *out);
int image_deadline_set(int fd, uint64_t deadline);
/* The time after sending a packet for which conntrack surely remembers it, from the shortest
 * timeout. */
uint32_t conntrack_jiffies(uint32_t seconds);

#endif
