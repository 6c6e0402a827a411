/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs instructions of the object in user space, with the helpers and maps of tests/fuzz/native.h,
 * and counts. They are those of the object: a kernel makes fewer or more of them, but none of its
 * own that costs a call.
 */
#ifndef COUNTS_INTERPRETER_H
#define COUNTS_INTERPRETER_H

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

enum count_kind { COUNT_INSTRUCTIONS, COUNT_ATOMICS, COUNT_HELPER, COUNT_LOOKUP /* by map */ };

struct counts {
	struct count {
		const char *name;
		uint8_t kind;
		uint32_t number;
	} list[48];
	size_t count;
};

uint32_t counts_of(const struct counts *counts, const char *name);
/* By kind, then by name. */
void counts_sort(struct counts *counts);

/* Returns the program's return value. Adds to *counts. */
uint64_t interpret(const struct bpf_insn *program, void *context, struct counts *counts);

#endif
