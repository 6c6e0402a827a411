/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instructions that every supported kernel can decode: clang turns an atomic operation whose result
 * is used into one that fetches, whatever -mcpu says, and Linux before 5.12 refuses a program that
 * holds one even where it never runs. lesson: programs that load on the developer's kernel and
 * nowhere older; the message is about a reserved field, which does not show what to change.
 */
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <gelf.h>

#include "flowreeve.skel.h"

enum { FETCHES = 0x01 };

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

struct found {
	size_t instructions, atomics, fetching;
};

static void walk(const struct bpf_insn *insns, size_t count, struct found *found)
{
	for (size_t i = 0; i < count; i++) {
		found->instructions++;
		found->atomics += is_atomic(&insns[i]);
		found->fetching += is_new(&insns[i]);
		/* The two slots of a 64-bit constant are one instruction. */
		if (insns[i].code == (BPF_LD | BPF_IMM | BPF_DW))
			i++;
	}
}

/* Sections, not libbpf's programs: the functions that programs call are in none before they load.
 */
Test(objects_encoding, no_program_holds_an_atomic_that_fetches)
{
	struct found found = {0};
	size_t size;
	const void *bytes = flowreeve__elf_bytes(&size);
	Elf_Scn *section = NULL;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_memory((char *)bytes, size);
	cr_assert_not_null(elf, "%s", elf_errmsg(-1));
	while ((section = elf_nextscn(elf, section))) {
		Elf_Data *data = elf_getdata(section, NULL);
		GElf_Shdr header;

		cr_assert(gelf_getshdr(section, &header) == &header);
		if (data && header.sh_type == SHT_PROGBITS && header.sh_flags & SHF_EXECINSTR)
			walk(data->d_buf, data->d_size / sizeof(struct bpf_insn), &found);
	}
	elf_end(elf);
	cr_expect_eq(found.fetching, 0, "%zu of them", found.fetching);
	cr_expect_gt(found.atomics, 0, "the plain ones are found at least");
	cr_expect_gt(found.instructions, 10000, "%zu instructions are not all", found.instructions);
}
