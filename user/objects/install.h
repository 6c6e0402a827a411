/* SPDX-License-Identifier: GPL-2.0-only */
/* Images in kernel memory. */
#ifndef OBJECTS_INSTALL_H
#define OBJECTS_INSTALL_H

#include "../compile/compile.h"

uint32_t image_class(uint32_t lines); /* power of two that holds them */
uint32_t slots_class(uint32_t rules);
int image_map_create(uint32_t lines); /* an inner map, or -errno */
struct install {
	const struct image *image;
	uint32_t class_lines;
	uint32_t generation;
	uint32_t extra_flags;
	uint64_t adopt_until;
	uint32_t conntrack;   /* seconds, of host_conntrack() */
	const uint32_t *slot; /* by rule number; NULL: the rule's own number */
};
/* A new inner map with the image as the programs need it; verified. fd, or -errno with a
 * diagnostic. */
int image_install(const struct install *install, struct diags *d);
/* Map it read-only: out->lines stays mapped until image_unmap(). */
int image_map_view(int fd, struct image *out);
void image_unmap(struct image *image);
/* For so long after a packet went out it surely remembers, of a shortest time-out. */
uint32_t conntrack_jiffies(uint32_t seconds);

#endif
