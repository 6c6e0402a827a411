/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Our own programs: whether each loads, and how much of it the verifier looked at. All at once, as
 * apply loads them; one by one where that fails.
 */
#include "probe.h"

#include <string.h>

enum { TRIAL_FLOWS = 1024 };

static const uint32_t program_kinds[PROGRAM_COUNT] = {
	[PROGRAM_IF_INGRESS] = BY_INTERFACES,	 [PROGRAM_IF_EGRESS] = BY_INTERFACES,
	[PROGRAM_GUEST_INGRESS] = BY_GUESTS,	 [PROGRAM_GUEST_EGRESS] = BY_GUESTS,
	[PROGRAM_IF_INGRESS_L3] = BY_INTERFACES, [PROGRAM_IF_EGRESS_L3] = BY_INTERFACES,
	[PROGRAM_GUEST_INGRESS_L3] = BY_GUESTS,	 [PROGRAM_GUEST_EGRESS_L3] = BY_GUESTS,
	[PROGRAM_CG_INGRESS] = BY_CGROUPS,	 [PROGRAM_CG_EGRESS] = BY_CGROUPS,
	[PROGRAM_CONNECT4] = BY_CGROUPS,	 [PROGRAM_CONNECT6] = BY_CGROUPS,
	[PROGRAM_SENDMSG4] = BY_CGROUPS,	 [PROGRAM_SENDMSG6] = BY_CGROUPS,
	[PROGRAM_SOCK_CREATE] = BY_NONE,	 [PROGRAM_CLOCK] = BY_ALL,
};

static int load(uint32_t programs, struct diags *d, struct object **out)
{
	struct object_request request = {
		.image_lines = image_class(1),
		.slots = slots_class(1),
		.flows = TRIAL_FLOWS,
		.last = UINT32_MAX,
		.programs = programs,
		.statistics = true,
	};

	for (int i = 0; i < MAP_COUNT; i++)
		request.reuse[i] = -1;
	return object_load(&request, d, out);
}

static void take_facts(const struct object *object, enum program program, struct program_fact *fact)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	fact->answer = ANSWER_YES;
	fact->verified = object_verified(object, program);
	if (bpf_obj_get_info_by_fd(object_program(object, program), &info, &size))
		return;
	fact->instructions = info.xlated_prog_len / sizeof(struct bpf_insn);
	fact->jited = info.jited_prog_len != 0;
}

/* The kernel's words about one program that does not load; nothing when it does, alone. */
static void load_alone(struct probing *p, enum program program, struct program_fact *fact)
{
	const struct feature *btf = probe_find(p, "kernel-btf");
	struct diags d = {.arena = p->arena};
	struct object *object;
	struct finding finding;
	int err = load(1u << program, &d, &object);

	if (!err && object_program(object, program) >= 0) {
		take_facts(object, program, fact);
		object_close(object);
		return;
	}
	/* An optional one is left out without a word. */
	finding = finding_of(p, err ? err : -ENOTSUP);
	fact->answer = (uint8_t)finding.answer;
	fact->refused = finding.found;
	if (!err && finding.answer == ANSWER_NO)
		fact->refused = btf && btf->answer == ANSWER_NO ? "the kernel has no BTF"
								: "the kernel refuses it";
	if (finding.answer == ANSWER_NO && d.count)
		fact->refused = d.list[0].hint ? d.list[0].hint : d.list[0].message;
	if (!err)
		object_close(object);
}

void probe_programs(struct probing *p)
{
	struct program_fact *facts = arena_alloc(p->arena, PROGRAM_COUNT * sizeof(*facts));
	struct diags d = {.arena = p->arena};
	struct object *object = NULL;

	if (p->privileged)
		load((1u << PROGRAM_COUNT) - 1, &d, &object);
	for (int i = 0; i < PROGRAM_COUNT; i++) {
		facts[i].name = program_names[i];
		facts[i].needed_by = program_kinds[i];
		facts[i].optional = i == PROGRAM_SOCK_CREATE;
		if (object && object_program(object, (enum program)i) >= 0)
			take_facts(object, (enum program)i, &facts[i]);
		else
			load_alone(p, (enum program)i, &facts[i]);
	}
	object_close(object);
	p->report->programs = facts;
	p->report->program_count = PROGRAM_COUNT;
}
