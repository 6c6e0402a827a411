/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The coverage report for figures that are made by hand: the rows that can be left out, and the
 * notes when more traffic is unexplained than a screen holds or the kernel's list has.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/render/render.h"

static struct rule_view rules[] = {
	{.id = "acme/nfs",
	 .table = "acme",
	 .row = "nfs",
	 .dir = "egress",
	 .action = "allow",
	 .totals = {.packets = 3, .attempts = 2, .connections = 1}},
	{.id = "acme/nfs", .table = "acme", .row = "nfs", .dir = "ingress", .action = "allow"},
	{.id = "acme/smb", .table = "acme", .row = "smb", .dir = "egress", .action = "allow"},
	{.id = "acme/log",
	 .table = "acme",
	 .row = "log",
	 .dir = "egress",
	 .action = "allow",
	 .totals = {.packets = 7, .attempts = 7}},
	{.id = "own", .table = "", .row = "", .dir = "egress", .action = "deny"},
	{.id = "default-egress",
	 .table = "",
	 .row = "",
	 .dir = "egress",
	 .action = "default",
	 .totals = {.drops = 9}},
};

static char *told(size_t unexplained, bool incomplete)
{
	struct coverage_view view = {.policy = "p",
				     .source = "p.yaml",
				     .since = 1,
				     .rules = rules,
				     .rule_count = ARRAY_SIZE(rules),
				     .unexplained_count = unexplained,
				     .refusals = 8000,
				     .room = 8192,
				     .incomplete = incomplete};
	struct render render = {0};
	struct render_stream *s;
	char *text = NULL;
	size_t size;

	view.unexplained = calloc(unexplained + 1, sizeof(*view.unexplained));
	for (size_t i = 0; i < unexplained; i++)
		view.unexplained[i] = (struct unexplained_view){
			.tuple = {.proto = PROTO_TCP, .port = i + 1},
			.kind = "interface",
			.verdict = "drop",
			.nearest = i ? NULL : "rule acme/nfs \033[2J fits but"};
	render.out = open_memstream(&text, &size);
	s = render_coverage_begin(&render);
	render_coverage(s, &view, SOURCE_RUNS);
	render_end(s);
	fclose(render.out);
	free(view.unexplained);
	return text;
}

/* lesson: rows were taken out of a policy because one direction of them was idle; they broke. */
Test(coverage, only_a_row_that_is_idle_in_all_its_rules_can_be_left_out)
{
	char *text = told(0, false);

	cr_assert(strstr(text, "without: [smb]"), "%s", text);
	cr_assert(!strstr(text, "without: [nfs]"), "%s", text);
	cr_assert(!strstr(text, "without: []"), "%s", text);
	free(text);
}

/* lesson: a SYN without an answer made a row look as if it were in use. */
Test(coverage, what_was_tried_and_never_answered_is_not_seen)
{
	char *text = told(0, false);
	const char *tried = strstr(text, "TRIED, NEVER ANSWERED");

	cr_assert(tried && strstr(tried, "acme/log"), "%s", text);
	cr_assert(strstr(text, "acme/log") > tried, "%s", text);
	cr_assert(!strstr(text, "without: [log]"), "%s", text);
	free(text);
}

Test(coverage, defaults_are_no_rules_of_the_policy)
{
	char *text = told(0, false);

	cr_assert(strstr(text, ": 1 of 5 rules seen, 0 unexplained, nothing new for -\n"), "%s",
		  text);
	cr_assert(!strstr(text, "default-egress"), "%s", text);
	free(text);
}

Test(coverage, more_than_a_screen_is_counted)
{
	char *text = told(45, false);

	cr_assert(strstr(text, " tcp/40 "), "%s", text);
	cr_assert(!strstr(text, " tcp/41 "), "%s", text);
	cr_assert(strstr(text, "… and 5 more; --wide and --json have them all\n"), "%s", text);
	free(text);
}

/* lesson: a report of refusals looked whole while the kernel had already forgotten the oldest. */
Test(coverage, a_full_list_of_refusals_is_told)
{
	char *full = told(1, true), *roomy = told(1, false);

	cr_assert(strstr(full, "the list of refusals is incomplete (8000 of 8192 entries)"), "%s",
		  full);
	cr_assert(!strstr(roomy, "the list of refusals"), "%s", roomy);
	free(full);
	free(roomy);
}

Test(coverage, no_control_character_reaches_the_terminal)
{
	char *text = told(1, false);

	cr_assert(strstr(text, "rule acme/nfs ?[2J fits but\n"), "%s", text);
	free(text);
}

/* lesson: a row was left out because another with the same peers and ports had its figures. */
Test(coverage, no_advice_about_a_row_that_shares_its_traffic)
{
	char *text;

	rules[2].shares_with = "acme/nfs";
	text = told(0, false);
	rules[2].shares_with = NULL;
	cr_assert(strstr(text, "shares its traffic with acme/nfs"), "%s", text);
	cr_assert(!strstr(text, "without: [smb]"), "%s", text);
	free(text);
}

/* Everything that comes from outside is hostile here. */
Test(coverage, a_report_has_no_markup_but_its_own)
{
	static const char evil[] = "\"'><img src=x onerror=a()><!--&\033[2J";
	const struct origin origin = {.table = evil,
				      .title = evil,
				      .document = evil,
				      .url = evil,
				      .read = evil,
				      .row = evil};
	struct rule rule = {.id = evil, .origin = &origin};
	const struct ruleset file = {.rules = &rule, .rule_count = 1};
	struct rule_view seen = {.id = evil,
				 .table = evil,
				 .row = evil,
				 .dir = "egress",
				 .action = "allow",
				 .totals = {.packets = 1}};
	struct unexplained_view opening = {.kind = evil,
					   .verdict = "drop",
					   .nearest = evil,
					   .process = {.pid = 1, .name = "<b>&\"'</b>"}};
	struct listening_view socket = {.pid = 1, .process = "<i>\"'&</i>"};
	struct idle_view idle = {.rule = &rule};
	struct drop_view drop = {.verdict = "drop", .reason = evil, .rule = evil};
	struct report_view view = {.coverage = {.source = evil,
						.file = &file,
						.rules = &seen,
						.rule_count = 1,
						.unexplained = &opening,
						.unexplained_count = 1,
						.listening = {.list = &socket,
							      .count = 1,
							      .idle = &idle,
							      .idle_count = 1}},
				   .window = {.policy = "<p>"},
				   .drops = {.list = &drop, .count = 1}};
	struct render render = {0};
	char *text = NULL;
	size_t size;

	render.out = open_memstream(&text, &size);
	render_report(&render, &view, false);
	fclose(render.out);
	cr_expect(!strstr(text, "<img") && !strstr(text, "<!--") && !strstr(text, "<b>") &&
			  !strstr(text, "<i>") && !strchr(text, '\033') &&
			  !strstr(text, "policy: <p>"),
		  "%s", text);
	cr_expect(strstr(text, "&quot;&#39;&gt;&lt;img src=x onerror=a()&gt;&lt;!--&amp;?[2J"),
		  "%s", text);
	free(text);
	render.out = open_memstream(&text, &size);
	render_report(&render, &view, true);
	fclose(render.out);
	cr_expect(strstr(text, "<img src=x onerror") && !strchr(text, '\033'), "%s", text);
	free(text);
}
