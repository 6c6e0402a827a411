/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The doctor's report, for people and for programs, of hosts that are not at hand: the reports are
 * made by hand.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/render/render.h"

enum { DEVICES = 1 << FR_KIND_INTERFACE | 1 << FR_KIND_GUEST };

static struct feature features[] = {
	{.name = "tcx-link",
	 .answer = ANSWER_NO,
	 .needed_by = DEVICES,
	 .instead = "clsact",
	 .purpose = "attaches to interfaces",
	 .cost = "70 ns more a packet",
	 .remedy = "a kernel with TCX",
	 .found = "Invalid argument"},
	{.name = "clsact",
	 .answer = ANSWER_YES,
	 .needed_by = DEVICES,
	 .instead = "tcx-link",
	 .purpose = "attaches by filters",
	 .cost = "nothing attaches",
	 .remedy = "the module sch_ingress"},
	{.name = "cgroup-packets",
	 .answer = ANSWER_UNKNOWN,
	 .needed_by = 1 << FR_KIND_CGROUP,
	 .purpose = "judges sockets",
	 .cost = "no policy attaches to cgroups",
	 .remedy = "a kernel with CONFIG_CGROUP_BPF",
	 .found = "not tried: no cgroup"},
};
static struct program_fact programs[] = {
	{.name = "fr_if_ingress",
	 .answer = ANSWER_YES,
	 .needed_by = DEVICES,
	 .verified = 1234,
	 .instructions = 56,
	 .jited = true},
	{.name = "fr_sock_create",
	 .answer = ANSWER_NO,
	 .optional = true,
	 .refused = "the kernel has no \033[2JBTF"},
};
static struct bypass bypasses[] = {
	{.name = "vfio", .answer = ANSWER_NO, .what = "passed through", .closed_by = "a tap"},
	{.name = "macvlan",
	 .answer = ANSWER_YES,
	 .of = DEVICES,
	 .what = "broadcasts pass no hook",
	 .closed_by = "attaching it",
	 .found = "mv0 on eth0"},
};

static struct doctor_report report(void)
{
	struct doctor_report old_kernel = {
		.kernel = "5.10.0-1",
		.machine = "aarch64",
		.features = features,
		.feature_count = ARRAY_SIZE(features),
		.programs = programs,
		.program_count = ARRAY_SIZE(programs),
		.bypasses = bypasses,
		.bypass_count = ARRAY_SIZE(bypasses),
		.can = {[FR_KIND_INTERFACE] = ANSWER_YES,
			[FR_KIND_GUEST] = ANSWER_NO,
			[FR_KIND_CGROUP] = ANSWER_UNKNOWN},
	};

	return old_kernel;
}

static char *told(const struct doctor_report *what, bool json)
{
	struct render render = {.json = json};
	char *text = NULL;
	size_t size;

	render.out = open_memstream(&text, &size);
	render_doctor(&render, what);
	fclose(render.out);
	return text;
}

static void expect_line(const char *text, const char *line)
{
	const char *at = strstr(text, line);

	cr_assert(at && (at == text || at[-1] == '\n') && strchr("\n", at[strlen(line)]),
		  "no line '%s' in:\n%s", line, text);
}

/* lesson: "it does not load here", without the name of the missing kernel feature and whether that
 * matters. */
Test(render_doctor, a_missing_feature_is_one_line_with_its_cost_and_its_remedy)
{
	struct doctor_report what = report();
	char *text = told(&what, false);

	expect_line(text, "kernel   5.10.0-1 aarch64");
	expect_line(text,
		    "no       tcx-link             attaches to interfaces (Invalid argument); "
		    "without it: 70 ns more a packet; remedy: a kernel with TCX");
	expect_line(text, "yes      clsact               attaches by filters");
	free(text);
}

Test(render_doctor, no_remedy_for_what_was_not_tried)
{
	struct doctor_report what = report();
	char *text = told(&what, false);

	expect_line(text, "unknown  cgroup-packets       judges sockets (not tried: no cgroup); "
			  "without it: no policy attaches to cgroups");
	free(text);
}

Test(render_doctor, programs_with_the_verifiers_count_or_the_kernels_words)
{
	struct doctor_report what = report();
	char *text = told(&what, false);

	expect_line(text, "yes      fr_if_ingress        loads; 1234 instructions verified, 56 in "
			  "the program");
	expect_line(text, "no       fr_sock_create       the kernel has no ?[2JBTF; enforcement "
			  "does not need it");
	free(text);
}

Test(render_doctor, bypasses_that_are_there_and_no_others)
{
	struct doctor_report what = report();
	char *text = told(&what, false);

	expect_line(text, "bypass:  macvlan              broadcasts pass no hook (seen: mv0 on "
			  "eth0); closed by: attaching it");
	cr_assert_null(strstr(text, "vfio"));
	free(text);
}

Test(render_doctor, the_sum_says_by_what_it_attaches)
{
	struct doctor_report what = report();
	char *text = told(&what, false);

	expect_line(text, "this host can enforce on interfaces (clsact)");
	expect_line(text, "this host cannot enforce on guests");
	expect_line(text, "unknown from here: whether this host can enforce on cgroups");
	free(text);
	what.tcx = true;
	memset(what.can, ANSWER_YES, sizeof(what.can));
	text = told(&what, false);
	expect_line(text, "this host can enforce on interfaces (TCX), guests (TCX), cgroups");
	cr_assert_null(strstr(text, "cannot enforce"));
	free(text);
}

static json_t *named(json_t *document, const char *list, const char *name)
{
	json_t *item;
	size_t i;

	json_array_foreach (json_object_get(document, list), i, item)
		if (str_equal(json_string_value(json_object_get(item, "name")), name))
			return item;
	cr_assert_fail("no %s in %s", name, list);
	return NULL;
}

static void expect_json(json_t *object, const char *fields)
{
	json_t *wanted = json_loads(fields, 0, NULL), *value;
	const char *name;

	cr_assert_not_null(wanted, "%s", fields);
	json_object_foreach (wanted, name, value)
		cr_assert(json_equal(value, json_object_get(object, name)), "%s", name);
	json_decref(wanted);
}

Test(render_doctor, json_has_every_fact)
{
	struct doctor_report what = report();
	char *text = told(&what, true);
	json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	cr_assert_not_null(document, "%s", text);
	expect_json(
		document,
		"{\"schema\": \"flowreeve/doctor/v1\", \"kernel\": \"5.10.0-1\", \"tcx\": false, "
		"\"can_enforce\": {\"interfaces\": \"yes\", \"guests\": \"no\", "
		"\"cgroups\": \"unknown\"}, \"diagnostics\": []}");
	expect_json(named(document, "features", "tcx-link"),
		    "{\"answer\": \"no\", \"needed_by\": [\"interfaces\", \"guests\"], "
		    "\"instead\": \"clsact\", \"cost\": \"70 ns more a packet\", "
		    "\"found\": \"Invalid argument\"}");
	expect_json(named(document, "features", "cgroup-packets"),
		    "{\"answer\": \"unknown\", \"needed_by\": [\"cgroups\"], \"instead\": null}");
	expect_json(named(document, "programs", "fr_if_ingress"),
		    "{\"verified\": 1234, \"instructions\": 56, \"jited\": true, "
		    "\"optional\": false, \"refused\": null}");
	expect_json(named(document, "programs", "fr_sock_create"),
		    "{\"answer\": \"no\", \"optional\": true, \"verified\": null, "
		    "\"jited\": null, \"needed_by\": []}");
	expect_json(named(document, "bypasses", "vfio"), "{\"seen\": \"no\", \"found\": null}");
	json_decref(document);
	free(text);
}
