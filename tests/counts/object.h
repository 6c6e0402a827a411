/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The object of the kernel's programs, relocated for user space: its maps are those of
 * tests/fuzz/native.h, its constants lie in memory, calls between functions are relative.
 */
#ifndef COUNTS_OBJECT_H
#define COUNTS_OBJECT_H

#include <linux/bpf.h>

struct object;

/* Exits with the reason if the file is no such object. */
struct object *object_read(const char *path);
void object_free(struct object *object);
const struct bpf_insn *object_program(const struct object *object, const char *name);
/* A constant of the programs, to be written. */
void *object_constant(const struct object *object, const char *name);

#endif
