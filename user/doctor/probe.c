/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the probes: the report, and programs and children for trials.
 */
#include "probe.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>

enum { CHILD_STACK = 1 << 20 };

struct finding finding_of(const struct probing *p, int result)
{
	if (result >= 0)
		return (struct finding){ANSWER_YES, NULL};
	if (!p->privileged && result != -ENOSYS)
		return (struct finding){ANSWER_UNKNOWN, "not tried: no privilege"};
	/* A lack of resources is no evidence about the feature. */
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

/* A detached mount works like any other file system, but is invisible to other processes. */
int mount_detached(const char *type)
{
	CLEANUP(close_fd) int context = fsopen(type, FSOPEN_CLOEXEC);
	int fd;

	if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -errno;
	fd = fsmount(context, FSMOUNT_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}
