/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs the doctor: tries every feature that the programs and the loader use, then sums up each
 * kind of attach point. The trials are in the probe_*.c files, each with its feature's purpose and
 * the cost of its lack.
 */
#include <sys/utsname.h>

#include "../objects/objects.h"
#include "probe.h"

/* The result is the worst part's: no, then unknown, then yes. */
static enum host_answer worse(enum host_answer a, enum host_answer b)
{
	if (a == ANSWER_NO || b == ANSWER_NO)
		return ANSWER_NO;
	return a == ANSWER_YES ? b : a;
}

static enum host_answer feature_answer(const struct probing *p, const struct feature *feature)
{
	const struct feature *instead = feature->instead ? probe_find(p, feature->instead) : NULL;

	/* A missing privilege of this process is no property of the host. */
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
