/* SPDX-License-Identifier: GPL-2.0-only */
/* See interpreter.h. */
#include "interpreter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../fuzz/native.h"
#include "../fuzz/require.h"

enum { FRAMES = 8, FRAME_BYTES = 512, KEPT = 4, LIMIT = 1000000 };

struct machine {
	uint64_t r[MAX_BPF_REG];
	const struct bpf_insn *at;
	struct frame {
		const struct bpf_insn *back;
		uint64_t kept[KEPT]; /* r6 to r9 of the caller */
		_Alignas(8) uint8_t stack[FRAME_BYTES];
	} frames[FRAMES];
	int depth;
	struct counts *counts;
};

/* ---------------------------------------------------------------- counting */

static void count(struct counts *counts, enum count_kind kind, const char *name)
{
	size_t i = 0;

	while (i < counts->count &&
	       (counts->list[i].kind != kind || strcmp(counts->list[i].name, name)))
		i++;
	require(i < sizeof(counts->list) / sizeof(counts->list[0]), "a list that has room");
	if (i == counts->count)
		counts->list[counts->count++] = (struct count){.name = name, .kind = kind};
	counts->list[i].number++;
}

uint32_t counts_of(const struct counts *counts, const char *name)
{
	for (size_t i = 0; i < counts->count; i++)
		if (!strcmp(counts->list[i].name, name))
			return counts->list[i].number;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct count *x = a, *y = b;

	return x->kind != y->kind ? x->kind - y->kind : strcmp(x->name, y->name);
}

void counts_sort(struct counts *counts)
{
	qsort(counts->list, counts->count, sizeof(counts->list[0]), compare);
}

/* ---------------------------------------------------------------- instructions */

static _Noreturn void unknown(const struct bpf_insn *at)
{
	fprintf(stderr, "tests/counts: an instruction that is not known: code %#x imm %d\n",
		at->code, at->imm);
	exit(2);
}

static uint64_t swap(uint64_t value, int bits)
{
	switch (bits) {
	case 64:
		return __builtin_bswap64(value);
	case 32:
		return __builtin_bswap32((uint32_t)value);
	default:
		return __builtin_bswap16((uint16_t)value);
	}
}

/* BPF_END: to the order of little or big endian; this machine is little. */
static uint64_t reorder(const struct bpf_insn *at, uint64_t value)
{
	if (BPF_SRC(at->code) == BPF_TO_BE)
		return swap(value, at->imm);
	return at->imm == 64 ? value : value & ((1ull << at->imm) - 1);
}

static uint64_t divide(uint64_t a, uint64_t b)
{
	return b ? a / b : 0;
}

static uint64_t compute(const struct bpf_insn *at, uint64_t a, uint64_t b, int bits)
{
	switch (BPF_OP(at->code)) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
		return divide(a, b);
	case BPF_MOD:
		return a - divide(a, b) * b;
	case BPF_OR:
		return a | b;
	case BPF_AND:
		return a & b;
	case BPF_XOR:
		return a ^ b;
	case BPF_MOV:
		return b;
	case BPF_NEG:
		return -a;
	case BPF_LSH:
		return a << (b & (bits - 1));
	case BPF_RSH:
		return a >> (b & (bits - 1));
	case BPF_ARSH:
		return bits == 64 ? (uint64_t)((int64_t)a >> (b & 63))
				  : (uint64_t)((int32_t)a >> (b & 31));
	}
	unknown(at);
}

static void alu(struct machine *m, const struct bpf_insn *at, uint64_t operand)
{
	uint64_t *to = &m->r[at->dst_reg];

	if (BPF_OP(at->code) == BPF_END)
		*to = reorder(at, *to);
	else if (BPF_CLASS(at->code) == BPF_ALU64)
		*to = compute(at, *to, operand, 64);
	else
		*to = (uint32_t)compute(at, (uint32_t)*to, (uint32_t)operand, 32);
}

static bool holds(const struct bpf_insn *at, uint64_t a, uint64_t b, int64_t sa, int64_t sb)
{
	switch (BPF_OP(at->code)) {
	case BPF_JA:
		return true;
	case BPF_JEQ:
		return a == b;
	case BPF_JNE:
		return a != b;
	case BPF_JSET:
		return a & b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	case BPF_JLT:
		return a < b;
	case BPF_JLE:
		return a <= b;
	case BPF_JSGT:
		return sa > sb;
	case BPF_JSGE:
		return sa >= sb;
	case BPF_JSLT:
		return sa < sb;
	case BPF_JSLE:
		return sa <= sb;
	}
	unknown(at);
}

static void jump(struct machine *m, const struct bpf_insn *at, uint64_t operand)
{
	uint64_t value = m->r[at->dst_reg];
	bool taken = BPF_CLASS(at->code) == BPF_JMP
			     ? holds(at, value, operand, (int64_t)value, (int64_t)operand)
			     : holds(at, (uint32_t)value, (uint32_t)operand, (int32_t)value,
				     (int32_t)operand);

	if (taken)
		m->at += at->off;
}

static void *address(const struct machine *m, uint8_t base, int16_t offset)
{
	return (void *)(uintptr_t)(m->r[base] + (uint64_t)(int64_t)offset);
}

static size_t width(const struct bpf_insn *at)
{
	switch (BPF_SIZE(at->code)) {
	case BPF_B:
		return 1;
	case BPF_H:
		return 2;
	case BPF_W:
		return 4;
	}
	return 8;
}

static void load(struct machine *m, const struct bpf_insn *at)
{
	uint64_t value = 0;

	if (BPF_MODE(at->code) != BPF_MEM)
		unknown(at);
	memcpy(&value, address(m, at->src_reg, at->off), width(at));
	m->r[at->dst_reg] = value;
}

/* The only atomic operation that the compiler emits is add. */
static void store(struct machine *m, const struct bpf_insn *at, uint64_t value)
{
	void *to = address(m, at->dst_reg, at->off);
	uint64_t old = 0;

	if (BPF_MODE(at->code) == BPF_ATOMIC && at->imm == BPF_ADD) {
		count(m->counts, COUNT_ATOMICS, "atomics");
		memcpy(&old, to, width(at));
		value += old;
	} else if (BPF_MODE(at->code) != BPF_MEM) {
		unknown(at);
	}
	memcpy(to, &value, width(at));
}

static void call_helper(struct machine *m, const struct bpf_insn *at)
{
	uint64_t (*helper)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
	const char *name;

	helper = native_helper((uint32_t)at->imm, &name);
	if (!helper)
		unknown(at);
	count(m->counts, COUNT_HELPER, name);
	if (at->imm == BPF_FUNC_map_lookup_elem)
		count(m->counts, COUNT_LOOKUP, native_map_name((const void *)(uintptr_t)m->r[1]));
	m->r[0] = helper(m->r[1], m->r[2], m->r[3], m->r[4], m->r[5]);
}

static void call(struct machine *m, const struct bpf_insn *at)
{
	struct frame *frame;

	if (at->src_reg != BPF_PSEUDO_CALL) {
		call_helper(m, at);
		return;
	}
	require(++m->depth < FRAMES, "no more frames than the kernel has");
	frame = &m->frames[m->depth];
	frame->back = m->at;
	memcpy(frame->kept, &m->r[BPF_REG_6], sizeof(frame->kept));
	m->r[BPF_REG_10] = (uintptr_t)(frame->stack + FRAME_BYTES);
	m->at += at->imm;
}

/* False: the program itself ends. */
static bool leave(struct machine *m)
{
	const struct frame *frame = &m->frames[m->depth];

	if (!m->depth)
		return false;
	m->at = frame->back;
	memcpy(&m->r[BPF_REG_6], frame->kept, sizeof(frame->kept));
	m->depth--;
	m->r[BPF_REG_10] = (uintptr_t)(m->frames[m->depth].stack + FRAME_BYTES);
	return true;
}

static void load_wide(struct machine *m, const struct bpf_insn *at)
{
	if (at->code != (BPF_LD | BPF_IMM | BPF_DW))
		unknown(at);
	m->r[at->dst_reg] = (uint32_t)at->imm | (uint64_t)(uint32_t)at[1].imm << 32;
	m->at++;
}

static bool step(struct machine *m)
{
	const struct bpf_insn *at = m->at++;
	uint64_t operand =
		BPF_SRC(at->code) == BPF_X ? m->r[at->src_reg] : (uint64_t)(int64_t)at->imm;

	count(m->counts, COUNT_INSTRUCTIONS, "instructions");
	switch (BPF_CLASS(at->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		alu(m, at, operand);
		break;
	case BPF_JMP:
	case BPF_JMP32:
		if (at->code == (BPF_JMP | BPF_EXIT))
			return leave(m);
		if (at->code == (BPF_JMP | BPF_CALL))
			call(m, at);
		else
			jump(m, at, operand);
		break;
	case BPF_LD:
		load_wide(m, at);
		break;
	case BPF_LDX:
		load(m, at);
		break;
	case BPF_ST:
		store(m, at, (uint64_t)(int64_t)at->imm);
		break;
	case BPF_STX:
		store(m, at, m->r[at->src_reg]);
		break;
	}
	return true;
}

uint64_t interpret(const struct bpf_insn *program, void *context, struct counts *counts)
{
	static struct machine machine;
	struct machine *m = &machine;

	m->depth = 0;
	m->at = program;
	m->counts = counts;
	m->r[BPF_REG_1] = (uintptr_t)context;
	m->r[BPF_REG_10] = (uintptr_t)(m->frames[0].stack + FRAME_BYTES);
	for (int i = 0; step(m); i++)
		require(i < LIMIT, "a program ends");
	return m->r[BPF_REG_0];
}
