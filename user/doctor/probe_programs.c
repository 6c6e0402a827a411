/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Our own programs: whether each loads, and how many instructions the verifier processed. That
 * takes seconds on a slow host, so each processor gets a share, in a child. A share is loaded at
 * once, as apply does; one by one if that fails.
 */
#include "probe.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../objects/objects.h"

enum { TRIAL_FLOWS = 1024, SHARES_MAX = 4, WORDS = 512 };

static const uint32_t program_kinds[PROGRAM_COUNT] = {
	[PROGRAM_IF_INGRESS] = BY_INTERFACES,
	[PROGRAM_IF_EGRESS] = BY_INTERFACES,
	[PROGRAM_GUEST_INGRESS] = BY_GUESTS,
	[PROGRAM_GUEST_EGRESS] = BY_GUESTS,
	[PROGRAM_IF_INGRESS_L3] = BY_INTERFACES,
	[PROGRAM_IF_EGRESS_L3] = BY_INTERFACES,
	[PROGRAM_GUEST_INGRESS_L3] = BY_GUESTS,
	[PROGRAM_GUEST_EGRESS_L3] = BY_GUESTS,
	[PROGRAM_CG_INGRESS] = BY_CGROUPS,
	[PROGRAM_CG_EGRESS] = BY_CGROUPS,
	[PROGRAM_CONNECT4] = BY_CGROUPS,
	[PROGRAM_CONNECT6] = BY_CGROUPS,
	[PROGRAM_SENDMSG4] = BY_CGROUPS,
	[PROGRAM_SENDMSG6] = BY_CGROUPS,
	[PROGRAM_SOCK_CREATE] = BY_NONE,
	[PROGRAM_LOCAL] = BY_NONE,
	[PROGRAM_RECVMSG4] = BY_NONE,
	[PROGRAM_RECVMSG6] = BY_NONE,
	[PROGRAM_CLOCK] = BY_ALL,
	[PROGRAM_IMPORT] = BY_ALL,
};

static int load(uint32_t programs, bool statistics, struct diags *d, struct object **out)
{
	struct object_request request = {
		.image_lines = image_class(1),
		.slots = slots_class(1),
		.flows = TRIAL_FLOWS,
		.last = UINT32_MAX,
		.programs = programs,
		.statistics = statistics,
	};

	for (int i = 0; i < MAP_COUNT; i++)
		request.reuse[i] = -1;
	return object_load(&request, d, out);
}

/* Written by a child, in memory that it shares. */
struct outcome {
	bool tried, loads, jited;
	int err; /* of the failed load, 0 for an optional program that was left out */
	uint32_t verified, instructions;
	char words[WORDS]; /* the kernel's message, may be empty */
};
struct share {
	struct arena *arena;
	struct outcome *outcomes; /* of all programs */
	uint32_t programs;	  /* of this share */
};

static void read_facts(const struct object *object, enum program program, struct outcome *out)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	out->verified = object_verified(object, program);
	if (!bpf_obj_get_info_by_fd(object_program(object, program), &info, &size)) {
		out->instructions = info.xlated_prog_len / sizeof(struct bpf_insn);
		out->jited = info.jited_prog_len != 0;
	}
	out->loads = true;
	out->tried = true;
}

static void load_alone(const struct share *share, enum program program, struct outcome *out)
{
	struct diags d = {.arena = share->arena};
	const char *words = NULL;
	struct object *object;

	out->err = load(1u << program, true, &d, &object);
	if (!out->err && object_program(object, program) >= 0)
		read_facts(object, program, out);
	/* With statistics the kernel gives no reasons. */
	if (out->err) {
		d.count = 0;
		out->err = load(1u << program, false, &d, &object);
	}
	if (!out->err)
		object_close(object);
	if (d.count) {
		words = d.list[0].hint;
		if (!words || !str_starts(words, "the verifier"))
			words = d.list[0].message;
		snprintf(out->words, sizeof(out->words), "%s", words);
	}
	out->tried = true;
}

static int load_share(void *context)
{
	const struct share *share = context;
	struct diags d = {.arena = share->arena};
	struct object *object = NULL;

	load(share->programs, true, &d, &object);
	for (int i = 0; i < PROGRAM_COUNT; i++) {
		if (!(share->programs & 1u << i))
			continue;
		if (object && object_program(object, (enum program)i) >= 0)
			read_facts(object, (enum program)i, &share->outcomes[i]);
		else
			load_alone(share, (enum program)i, &share->outcomes[i]);
	}
	object_close(object);
	return 0;
}

/* Programs of similar cost are adjacent in their list: dealt out in turn, shares are even. */
static void load_all(const struct probing *p, struct outcome *outcomes)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int children[SHARES_MAX], count = SHARES_MAX;

	if (processors < SHARES_MAX)
		count = processors < 1 ? 1 : (int)processors;
	for (int i = 0; i < count; i++) {
		struct share share = {.arena = p->arena, .outcomes = outcomes};

		for (int program = i; program < PROGRAM_COUNT; program += count)
			share.programs |= 1u << program;
		children[i] = probe_child(load_share, &share, 0);
	}
	for (int i = 0; i < count; i++)
		probe_wait(children[i]);
}

static void report_program(const struct probing *p, const struct outcome *outcome,
			   struct program_fact *fact)
{
	const struct feature *btf = probe_find(p, "kernel-btf");
	struct finding finding = {ANSWER_UNKNOWN, "not tried: the child ended early"};
	int err = 0;

	if (outcome->tried && !outcome->loads)
		err = outcome->err ? outcome->err : -ENOTSUP;
	if (outcome->tried)
		finding = finding_of(p, err);
	fact->answer = (uint8_t)finding.answer;
	fact->verified = outcome->verified;
	fact->instructions = outcome->instructions;
	fact->jited = outcome->jited;
	fact->refused = finding.found;
	if (finding.answer == ANSWER_NO && *outcome->words)
		fact->refused = arena_strdup(p->arena, outcome->words);
	else if (finding.answer == ANSWER_NO && !outcome->err) /* optional, left out */
		fact->refused = btf && btf->answer == ANSWER_NO ? "the kernel has no BTF"
								: "the kernel refuses it";
}

void probe_programs(struct probing *p)
{
	struct program_fact *facts = arena_alloc(p->arena, PROGRAM_COUNT * sizeof(*facts));
	size_t size = PROGRAM_COUNT * sizeof(struct outcome);
	struct outcome *outcomes =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (outcomes == MAP_FAILED)
		return;
	load_all(p, outcomes);
	for (int i = 0; i < PROGRAM_COUNT; i++) {
		facts[i].name = program_names[i];
		facts[i].needed_by = program_kinds[i];
		facts[i].optional = i == PROGRAM_SOCK_CREATE;
		report_program(p, &outcomes[i], &facts[i]);
	}
	munmap(outcomes, size);
	p->report->programs = facts;
	p->report->program_count = PROGRAM_COUNT;
}
