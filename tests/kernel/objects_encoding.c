// SPDX-License-Identifier: GPL-2.0-only
/*
 * What every supported kernel can decode: clang turns an atomic operation whose result is used into
 * one that fetches, whatever -mcpu says, and Linux before 5.12 refuses a program that holds one
 * even where it never runs. lesson: programs that load on the developer's kernel and nowhere older;
 * the message is about a reserved field, which tells nobody what to change.
 */
#include <bpf/libbpf.h>
#include <criterion/criterion.h>

#include "flowreeve.skel.h"

enum { FETCHES = 0x01, PROGRAMS_LEAST = 16 };

static bool is_atomic(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_STX && BPF_MODE(insn->code) == BPF_XADD;
}

/* Everything but a plain addition was new in 5.12: fetching ones, and or, xor, xchg, cmpxchg. */
static bool is_new(const struct bpf_insn *insn)
{
	return is_atomic(insn) && insn->imm != BPF_ADD;
}

Test(objects_encoding, what_counts_as_new)
{
	const struct bpf_insn add = {.code = BPF_STX | BPF_DW | BPF_XADD, .imm = BPF_ADD};
	const struct bpf_insn fetch = {.code = BPF_STX | BPF_DW | BPF_XADD,
				       .imm = BPF_ADD | FETCHES};
	const struct bpf_insn store = {.code = BPF_STX | BPF_DW | BPF_MEM, .imm = 1};

	cr_expect(is_atomic(&add) && !is_new(&add));
	cr_expect(is_new(&fetch));
	cr_expect(!is_new(&store));
}

Test(objects_encoding, no_program_holds_an_atomic_that_fetches)
{
	size_t size, programs = 0, atomics = 0;
	const void *bytes = flowreeve__elf_bytes(&size);
	struct bpf_object *object = bpf_object__open_mem(bytes, size, NULL);
	struct bpf_program *program;

	cr_assert_not_null(object);
	bpf_object__for_each_program(program, object)
	{
		const struct bpf_insn *insns = bpf_program__insns(program);

		programs++;
		for (size_t i = 0; i < bpf_program__insn_cnt(program); i++) {
			atomics += is_atomic(&insns[i]);
			cr_expect(!is_new(&insns[i]), "%s, instruction %zu: operation 0x%x",
				  bpf_program__name(program), i, (unsigned)insns[i].imm);
			/* The two slots of a 64-bit constant are one instruction. */
			if (insns[i].code == (BPF_LD | BPF_IMM | BPF_DW))
				i++;
		}
	}
	cr_expect_geq(programs, PROGRAMS_LEAST);
	cr_expect_gt(atomics, 0, "the plain ones are found at least");
	bpf_object__close(object);
}
