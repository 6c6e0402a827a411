/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * doctor: the features of this host that flowreeve needs, the cost of each missing one, and the
 * ways past the hooks. Exit 6 when there is a kind of attach point on which it cannot enforce, or
 * lacks the privilege to find out.
 */
#include <errno.h>

#include "cmd.h"

/* The first obstacle for a kind. */
struct cause {
	const char *name, *found, *remedy;
};

/* Another feature replaces it. */
static bool is_served(const struct doctor_report *report, const struct feature *feature)
{
	for (size_t i = 0; feature->instead && i < report->feature_count; i++)
		if (str_equal(report->features[i].name, feature->instead))
			return report->features[i].answer == ANSWER_YES;
	return false;
}

static struct cause find_cause(const struct doctor_report *report, unsigned kind)
{
	for (size_t i = 0; i < report->feature_count; i++) {
		const struct feature *feature = &report->features[i];

		if (feature->needed_by & 1u << kind && feature->answer != ANSWER_YES &&
		    !is_served(report, feature))
			return (struct cause){feature->name, feature->found, feature->remedy};
	}
	for (size_t i = 0; i < report->program_count; i++) {
		const struct program_fact *program = &report->programs[i];

		if (program->needed_by & 1u << kind && program->answer != ANSWER_YES)
			return (struct cause){program->name, program->refused, NULL};
	}
	return (struct cause){"?", NULL, NULL};
}

/* One error for all kinds with the same obstacle. */
static void report_lacking(struct context *c, const struct doctor_report *report, unsigned first)
{
	struct cause cause = find_cause(report, first);
	const char *list = kind_keys[first], *lack, *reason;
	struct loc nowhere = {0};

	for (unsigned kind = 0; kind < FR_KINDS; kind++) {
		if (report->can[kind] != report->can[first] || kind == first ||
		    !str_equal(find_cause(report, kind).name, cause.name))
			continue;
		if (kind < first)
			return; /* reported with that one */
		list = arena_printf(c->arena, "%s, %s", list, kind_keys[kind]);
	}
	lack = report->can[first] == ANSWER_NO ? "this host cannot enforce on"
					       : "cannot find out whether this host can enforce on";
	reason = cause.found ? arena_printf(c->arena, ": %s", cause.found) : " is missing";
	diag_error(&c->diags, nowhere, -ENOTSUP, "host-lacks", cause.remedy, "%s %s: %s%s", lack,
		   list, cause.name, reason);
}

int cmd_doctor(struct context *c)
{
	struct doctor_report report;
	int code = EXIT_DONE;

	host_probe(&c->options.host, c->arena, &report);
	for (unsigned kind = 0; kind < FR_KINDS; kind++) {
		if (report.can[kind] == ANSWER_YES)
			continue;
		report_lacking(c, &report, kind);
		code = EXIT_CANNOT;
	}
	render_doctor(&c->render, &report);
	if (code)
		fflush(c->render.out); /* before the errors, where both go to one place */
	c->answered = true;
	return code;
}
