/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The document of a policy in force, compressed in a map that only user space reads. It is pinned
 * beside the image, names it by digest, and is checked whole before any of it is used.
 */
#ifndef OBJECTS_DOCUMENT_H
#define OBJECTS_DOCUMENT_H

#include "../base/base.h"

/* A new map with the document of the image with this digest; fd or -errno. */
int document_store(const struct packed *document, const uint8_t image[32]);
/* -EBADMSG: the map is damaged, foreign, or of another image. The text is in the arena. */
int document_load(int fd, const uint8_t image[32], struct arena *arena, struct source *out);
/* Whether the map has this document of this image; the same errors but -EBADMSG, which is no. */
int document_is(int fd, const struct packed *document, const uint8_t image[32], bool *out);

#endif
