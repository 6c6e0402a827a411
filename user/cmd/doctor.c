/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * doctor: what this host has of what flowreeve needs, what the lack of it costs, and what ways past
 * the hooks there are. Exit 6 when there is a kind of attach point on which it cannot enforce, or
 * that cannot be told for want of privilege.
 */
#include <errno.h>

#include "cmd.h"

static const char *const kinds[FR_KINDS] = {[FR_KIND_INTERFACE] = "interfaces",
					    [FR_KIND_GUEST] = "guests",
					    [FR_KIND_CGROUP] = "cgroups"};

/* The first thing that is in the way of a kind, with its remedy. */
static void tell_kind(struct context *c, const struct doctor_report *report, unsigned kind)
{
	const char *hint = NULL, *what = NULL;
	struct loc nowhere = {0};

	for (size_t i = 0; i < report->feature_count && !what; i++) {
		const struct feature *feature = &report->features[i];

		if (!(feature->needed_by & 1u << kind) || feature->answer != report->can[kind])
			continue;
		what = feature->name;
		hint = feature->remedy;
	}
	for (size_t i = 0; i < report->program_count && !what; i++)
		if (report->programs[i].needed_by & 1u << kind &&
		    report->programs[i].answer == report->can[kind])
			what = report->programs[i].name;
	if (report->can[kind] == ANSWER_NO)
		diag_error(&c->diags, nowhere, -ENOTSUP, "host-lacks", hint,
			   "this host cannot enforce on %s: it lacks %s", kinds[kind], what);
	else
		diag_error(&c->diags, nowhere, -EPERM, "host-lacks", hint,
			   "whether this host can enforce on %s cannot be told: %s is unknown",
			   kinds[kind], what);
}

int cmd_doctor(struct context *c)
{
	struct doctor_report report;
	int code = EXIT_DONE;

	host_probe(&c->options.host, c->arena, &report);
	for (unsigned kind = 0; kind < FR_KINDS; kind++) {
		if (report.can[kind] == ANSWER_YES)
			continue;
		tell_kind(c, &report, kind);
		code = EXIT_CANNOT;
	}
	render_doctor(&c->render, &report);
	c->answered = true;
	return code;
}
