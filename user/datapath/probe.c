/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The doctor's round: every feature that the programs and the loader use, each by a trial, then the
 * sum for each kind of attach point. The trials are in the probe_*.c files; what a feature is for
 * and what its lack costs stands beside its trial.
 */
#include "probe.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>

enum { CHILD_STACK = 1 << 20 };

struct finding finding_of(const struct probing *p, int result)
{
	if (result >= 0)
		return (struct finding){ANSWER_YES, NULL};
	if (!p->privileged && result != -ENOSYS)
		return (struct finding){ANSWER_UNKNOWN, "not tried: the privilege is missing"};
	/* No room says nothing about the feature. */
	if (result == -ENOMEM || result == -EMFILE || result == -ENFILE || result == -EAGAIN)
		return (struct finding){ANSWER_UNKNOWN, error_text(result)};
	return (struct finding){ANSWER_NO, error_text(result)};
}

struct feature *probe_add(struct probing *p, const struct feature_words *words,
			  struct finding finding)
{
	struct doctor_report *report = p->report;
	struct feature *feature;

	report->features = arena_grow(p->arena, report->features, report->feature_count,
				      &p->feature_room, sizeof(*report->features));
	feature = &report->features[report->feature_count++];
	*feature = (struct feature){
		.name = words->name,
		.answer = (uint8_t)finding.answer,
		.needed_by = words->needed_by,
		.instead = words->instead,
		.purpose = words->purpose,
		.cost = words->cost,
		.remedy = words->remedy,
		.found = finding.found ? arena_strdup(p->arena, finding.found) : NULL,
	};
	return feature;
}

void probe_add_bypass(struct probing *p, const struct bypass *bypass)
{
	struct doctor_report *report = p->report;

	report->bypasses = arena_grow(p->arena, report->bypasses, report->bypass_count,
				      &p->bypass_room, sizeof(*report->bypasses));
	report->bypasses[report->bypass_count++] = *bypass;
}

const struct feature *probe_find(const struct probing *p, const char *name)
{
	for (size_t i = 0; i < p->report->feature_count; i++)
		if (str_equal(p->report->features[i].name, name))
			return &p->report->features[i];
	return NULL;
}

int probe_program(enum bpf_prog_type type, enum bpf_attach_type expected, int value)
{
	const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = value},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = expected);
	int fd = bpf_prog_load(type, "fr_doctor", "GPL", code, ARRAY_SIZE(code), &options);

	return fd < 0 ? -errno : fd;
}

int probe_child(int (*run)(void *), void *context, int namespaces)
{
	CLEANUP(free_ptr) char *stack = aligned_alloc(64, CHILD_STACK);
	pid_t child;

	if (!stack)
		return -ENOMEM;
	/* The memory is copied, so that the stack is the child's own. */
	child = clone(run, stack + CHILD_STACK, namespaces | SIGCHLD, context);
	return child < 0 ? -errno : child;
}

void probe_wait(int child)
{
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
}

/* ---------------------------------------------------------------- the sum */

/* Nothing is better than its worst part: no, then unknown, then yes. */
static enum host_answer worse(enum host_answer a, enum host_answer b)
{
	if (a == ANSWER_NO || b == ANSWER_NO)
		return ANSWER_NO;
	return a == ANSWER_YES ? b : a;
}

static enum host_answer feature_answer(const struct probing *p, const struct feature *feature)
{
	const struct feature *instead = feature->instead ? probe_find(p, feature->instead) : NULL;

	/* What this process may not do says nothing about the host. */
	if (str_equal(feature->name, "privilege") && feature->answer == ANSWER_NO)
		return ANSWER_UNKNOWN;
	if (!instead || feature->answer == ANSWER_YES)
		return (enum host_answer)feature->answer;
	if (instead->answer == ANSWER_YES)
		return ANSWER_YES;
	return feature->answer == ANSWER_NO ? (enum host_answer)instead->answer : ANSWER_UNKNOWN;
}

static enum host_answer kind_answer(const struct probing *p, uint32_t kind)
{
	const struct doctor_report *report = p->report;
	enum host_answer answer = ANSWER_YES;

	for (size_t i = 0; i < report->feature_count; i++)
		if (report->features[i].needed_by & kind)
			answer = worse(answer, feature_answer(p, &report->features[i]));
	for (size_t i = 0; i < report->program_count; i++)
		if (report->programs[i].needed_by & kind)
			answer = worse(answer, (enum host_answer)report->programs[i].answer);
	return answer;
}

void host_probe(const struct host_options *o, struct arena *arena, struct doctor_report *out)
{
	struct doctor_report report = {0};
	struct probing p = {.options = o, .arena = arena, .report = &report};
	const struct feature *tcx;
	struct utsname name;

	libbpf_quiet();
	if (!uname(&name)) {
		report.kernel = arena_strdup(arena, name.release);
		report.machine = arena_strdup(arena, name.machine);
	}
	probe_host(&p);
	probe_kernel(&p);
	probe_attach(&p);
	probe_programs(&p);
	probe_bypasses(&p);
	for (unsigned kind = 0; kind < FR_KINDS; kind++)
		report.can[kind] = (uint8_t)kind_answer(&p, 1u << kind);
	tcx = probe_find(&p, "tcx-link");
	report.tcx = tcx && tcx->answer == ANSWER_YES;
	*out = report;
}
