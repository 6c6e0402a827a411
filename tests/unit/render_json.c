/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The output of render for programs: every document parses, names its schema, carries its
 * diagnostics, and survives names that are no text at all.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../user/render/render.h"

/* A render into memory, and its result as JSON. */
struct capture {
	struct render render;
	char *text;
	size_t size;
};

static void capture_begin(struct capture *c, bool json)
{
	*c = (struct capture){.render = {.json = json}};
	c->render.out = open_memstream(&c->text, &c->size);
}

static json_t *capture_json(struct capture *c)
{
	json_error_t error;
	json_t *document;

	fclose(c->render.out);
	document = json_loads(c->text, JSON_REJECT_DUPLICATES, &error);
	cr_assert_not_null(document, "%s in: %s", error.text, c->text);
	free(c->text);
	return document;
}

static const char *word(json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static struct flow_view sample_flow(void)
{
	struct flow_view view = {.kind = "interface",
				 .state = "established",
				 .rule = "t/nfs",
				 .table = "t",
				 .row = "nfs",
				 .line = 17,
				 .verdict = "pass",
				 .first = UINT64_C(1700000000000000000)};
	struct addr addr;

	addr_parse("10.0.0.1", &addr);
	memcpy(view.key.local, addr.b, 16);
	addr_parse("fd00::2", &addr);
	memcpy(view.key.peer, addr.b, 16);
	view.key.local_port = 40000;
	view.key.peer_port = 2049;
	view.key.proto = PROTO_TCP;
	view.flow.packets[FR_EGRESS] = 12;
	view.flow.bytes[FR_INGRESS] = UINT64_MAX;
	view.process.pid = 7;
	memcpy(view.process.name, "ev\033il\xff-name-16cha", FR_COMM_LEN);
	return view;
}

Test(render_json, flows_stream_into_one_document)
{
	struct capture c;
	struct flow_view view = sample_flow();
	struct render_stream *s;
	json_t *document, *flow;

	capture_begin(&c, true);
	s = render_flows_begin(&c.render);
	render_flow(s, "p", &view);
	render_flow(s, "p", &view);
	render_end(s);
	document = capture_json(&c);
	cr_assert_str_eq(word(document, "schema"), "flowreeve/flows/v1");
	cr_assert_eq(json_array_size(json_object_get(document, "flows")), 2);
	flow = json_array_get(json_object_get(document, "flows"), 1);
	cr_expect_str_eq(word(flow, "opener"), "local");
	cr_expect_str_eq(word(json_object_get(flow, "peer"), "address"), "fd00::2");
	cr_expect_eq(json_integer_value(json_object_get(json_object_get(flow, "peer"), "port")),
		     2049);
	cr_expect_eq(json_integer_value(json_object_get(json_object_get(flow, "row"), "line")), 17);
	cr_expect_eq(json_integer_value(json_object_get(json_object_get(flow, "ingress"), "bytes")),
		     INT64_MAX);
	cr_expect_str_eq(word(flow, "first"), "2023-11-14T22:13:20.000000Z");
	cr_expect(json_is_null(json_object_get(flow, "last")));
	json_decref(document);
}

Test(render_json, a_process_name_that_is_no_text_is_still_a_document)
{
	struct capture c;
	struct flow_view view = sample_flow();
	struct render_stream *s;
	json_t *document, *flow;

	capture_begin(&c, true);
	s = render_flows_begin(&c.render);
	render_flow(s, "p", &view);
	render_end(s);
	document = capture_json(&c);
	flow = json_array_get(json_object_get(document, "flows"), 0);
	cr_assert_str_eq(word(json_object_get(flow, "process"), "name"), "ev?il?-name-16ch");
	json_decref(document);
}

/* An unknown user is null, and not user 0. */
Test(render_json, a_process_has_its_user_its_parent_and_its_start)
{
	struct flow_view view = sample_flow();

	for (int known = 0; known < 2; known++) {
		struct capture c;
		struct render_stream *s;
		json_t *document, *process;

		view.process.known = known;
		view.process.uid = known ? 0 : 1000;
		view.process.parent_pid = known ? 6 : 0;
		strcpy(view.process.parent_name, "cron");
		view.process.started = known ? UINT64_C(1700000000000000000) : 0;
		capture_begin(&c, true);
		s = render_flows_begin(&c.render);
		render_flow(s, "p", &view);
		render_end(s);
		document = capture_json(&c);
		process = json_object_get(json_array_get(json_object_get(document, "flows"), 0),
					  "process");
		cr_expect_eq(json_is_null(json_object_get(process, "uid")), !known);
		cr_expect_eq(json_is_null(json_object_get(process, "parent")), !known);
		cr_expect_eq(json_is_null(json_object_get(process, "started")), !known);
		if (known) {
			json_t *parent = json_object_get(process, "parent");

			cr_expect_eq(json_integer_value(json_object_get(process, "uid")), 0);
			cr_expect_eq(json_integer_value(json_object_get(parent, "pid")), 6);
			cr_expect_str_eq(word(parent, "name"), "cron");
			cr_expect_str_eq(word(process, "started"), "2023-11-14T22:13:20.000000Z");
		}
		json_decref(document);
	}
}

/* Written without jansson, a flow is in the words that jansson would find, whatever names say. */
Test(render_json, a_flow_is_written_as_jansson_would)
{
	static const char *const names[] = {"r1", "a \"b\" \\c", "tab\tline\nbell\a", "é→",
					    "",	  NULL};

	for (size_t i = 0; i < 2 * ARRAY_SIZE(names); i++) {
		struct flow_view view = sample_flow();
		struct render_stream *s;
		json_t *document, *flows;
		struct capture c;
		char *again;

		view.rule = view.scope = names[i % ARRAY_SIZE(names)];
		view.key.proto = i % 2 ? PROTO_ICMP : PROTO_TCP;
		view.key.vlan = i % 3;
		view.process.known = i % 2;
		view.process.parent_pid = i % 3;
		capture_begin(&c, true);
		s = render_flows_begin(&c.render);
		render_flow(s, "p", &view);
		render_flow(s, "p", &view);
		render_end(s);
		fflush(c.render.out);
		document = json_loads(c.text, JSON_REJECT_DUPLICATES, NULL);
		cr_assert_not_null(document, "%s", c.text);
		flows = json_object_get(document, "flows");
		cr_assert_eq(json_array_size(flows), 2);
		again = json_dumps(json_array_get(flows, 1), 0);
		cr_expect(strstr(c.text, again), "%s\nis not in %s", again, c.text);
		free(again);
		json_decref(document);
		fclose(c.render.out);
		free(c.text);
	}
}

Test(render_text_stream, a_process_name_cannot_write_to_the_terminal)
{
	struct capture c;
	struct flow_view view = sample_flow();
	struct render_stream *s;

	capture_begin(&c, false);
	s = render_flows_begin(&c.render);
	render_flow(s, "p", &view);
	render_end(s);
	fclose(c.render.out);
	cr_assert_null(strchr(c.text, '\033'));
	cr_assert_not_null(strstr(c.text, "10.0.0.1:40000"));
	cr_assert_not_null(strstr(c.text, "→"));
	cr_assert_not_null(strstr(c.text, "t/nfs:17"));
	free(c.text);
}

Test(render_text_stream, wide_adds_the_user_the_parent_and_the_start)
{
	struct flow_view view = sample_flow();
	struct drop_view drop = {.kind = "cgroup", .verdict = "drop", .reason = "default"};

	view.process = (struct process_view){.pid = 7,
					     .name = "curl",
					     .known = true,
					     .uid = 1000,
					     .parent_pid = 6,
					     .parent_name = "c\033on",
					     .started = UINT64_C(1700000000000000000)};
	drop.process = view.process;
	for (int wide = 0; wide < 2; wide++) {
		const char *end =
			wide ? "curl (7)  1000  c?on (6)  2023-11-14T22:13:20Z\n" : "  curl (7)\n";
		struct capture c;

		capture_begin(&c, false);
		c.render.wide = wide;
		for (int drops = 0; drops < 2; drops++) {
			struct render_stream *s = drops ? render_drops_begin(&c.render)
							: render_flows_begin(&c.render);

			if (drops)
				render_drop(s, "p", &drop);
			else
				render_flow(s, "p", &view);
			render_end(s);
		}
		fclose(c.render.out);
		cr_assert_not_null(strstr(c.text, end), "%s", c.text);
		cr_assert_not_null(strstr(strstr(c.text, end) + 1, end), "%s", c.text);
		cr_expect_eq(!strstr(c.text, "PARENT"), !wide);
		free(c.text);
	}
}

Test(render_json, an_empty_stream_is_a_document_too)
{
	struct capture c;
	json_t *document;

	capture_begin(&c, true);
	render_end(render_drops_begin(&c.render));
	document = capture_json(&c);
	cr_expect_str_eq(word(document, "schema"), "flowreeve/drops/v1");
	cr_expect_eq(json_array_size(json_object_get(document, "drops")), 0);
	cr_expect(json_is_array(json_object_get(document, "diagnostics")));
	json_decref(document);
}

Test(render_json, diagnostics_travel_in_the_document)
{
	struct arena *arena = arena_new();
	struct diags d = {.arena = arena};
	struct source source = {.name = "p.yaml", .text = "x", .size = 1};
	struct loc loc = {&source, 1, 2, 3};
	struct capture c;
	json_t *document, *diag;

	diag_warning(&d, loc, "some-check", "mend it", "doubtful");
	diag_error(&d, loc, -1, "other-check", NULL, "wrong");
	capture_begin(&c, true);
	c.render.diags = &d;
	render_failure(&c.render, "check", 3);
	document = capture_json(&c);
	cr_expect_str_eq(word(document, "schema"), "flowreeve/check/v1");
	cr_expect_eq(
		json_integer_value(json_object_get(json_object_get(document, "error"), "exit")), 3);
	cr_expect_str_eq(word(json_object_get(document, "error"), "message"), "wrong");
	diag = json_array_get(json_object_get(document, "diagnostics"), 0);
	cr_expect_str_eq(word(diag, "severity"), "warning");
	cr_expect_str_eq(word(diag, "file"), "p.yaml");
	cr_expect_str_eq(word(diag, "hint"), "mend it");
	cr_expect_eq(json_integer_value(json_object_get(diag, "column")), 2);
	json_decref(document);
	arena_free(arena);
}

Test(render_json, an_event_is_one_line)
{
	struct event_view view = {.verdict = "would-drop",
				  .reason = "default",
				  .kind = "interface",
				  .rule = "default-egress",
				  .ifname = "ens5",
				  .time = 1};
	struct capture c;
	struct render_stream *s;
	json_t *document;

	view.event.key.proto = PROTO_UDP;
	capture_begin(&c, true);
	s = render_events_begin(&c.render);
	render_event(s, "p", &view);
	render_events_end(s);
	fflush(c.render.out);
	cr_assert_eq(strchr(c.text, '\n'), c.text + c.size - 1);
	document = capture_json(&c);
	cr_expect_str_eq(word(document, "type"), "refused");
	cr_expect_str_eq(word(document, "interface"), "ens5");
	json_decref(document);
}

static struct status_view sample_status(bool enforce, bool alive)
{
	static struct hook_view hook;
	struct status_view view = {.policy = "p",
				   .source = "p.yaml",
				   .build = "0.1.0",
				   .enforce = enforce,
				   .enforcing = enforce && alive,
				   .generation = 3,
				   .hooks = &hook,
				   .hook_count = 1};

	hook = (struct hook_view){.kind = "interface",
				  .name = "ens5",
				  .hook = "tcx/egress",
				  .alive = alive,
				  .fault = alive ? NULL : "the link is gone"};
	view.reasons[FR_KIND_GUEST][FR_INGRESS][FR_REASON_DEFAULT].packets[FR_DROP] = 5;
	return view;
}

Test(render_json, status_tells_faults_and_reasons)
{
	struct status_view view = sample_status(true, false);
	struct capture c;
	json_t *document, *policy, *verdict;

	capture_begin(&c, true);
	render_status(&c.render, &view, 1, true);
	document = capture_json(&c);
	policy = json_array_get(json_object_get(document, "policies"), 0);
	cr_expect(json_is_false(json_object_get(policy, "enforcing")));
	cr_expect_eq(json_integer_value(json_object_get(policy, "faults")), 1);
	verdict = json_array_get(json_object_get(policy, "verdicts"), 0);
	cr_expect_str_eq(word(verdict, "kind"), "guest");
	cr_expect_str_eq(word(verdict, "direction"), "ingress");
	cr_expect_str_eq(word(verdict, "verdict"), "drop");
	cr_expect_eq(json_array_size(json_object_get(policy, "verdicts")), 1);
	json_decref(document);
}

/* One of each: a renamed device, one that is not judged, programs that pass by, and a remark. */
static struct status_view sample_changed(bool enforce)
{
	static struct unjudged unjudged = {.kind = FR_KIND_GUEST,
					   .name = "tap7",
					   .ifindex = 9,
					   .request = "tap*",
					   .why = "it matches tap* and is not judged"};
	static struct redirect_view redirects[] = {
		{5, "program a (id 5)", "vx clsact/ingress", "tap0"},
		{6, "program b (id 6)", "vy tcx/ingress", NULL}};
	static struct remark remark = {"counted-twice", "a lies below b", true};
	struct status_view view = sample_status(enforce, true);

	view.enforcing = false;
	view.hooks[0].name_at_apply = "eth0";
	view.hooks[0].request = "e*";
	view.unjudged = &unjudged;
	view.unjudged_count = 1;
	view.redirects = redirects;
	view.redirect_count = ARRAY_SIZE(redirects);
	view.redirects_unknown = "hidden";
	view.remarks = &remark;
	view.remark_count = 1;
	return view;
}

static json_t *first_of(const json_t *value, const char *key)
{
	return json_array_get(json_object_get(value, key), 0);
}

Test(render_json, status_tells_what_has_changed_since_apply)
{
	struct status_view view = sample_changed(true);
	struct capture c;
	json_t *document;
	json_t *policy;

	capture_begin(&c, true);
	render_status(&c.render, &view, 1, true);
	document = capture_json(&c);
	policy = first_of(document, "policies");
	cr_expect_eq(json_integer_value(json_object_get(policy, "faults")), 2);
	cr_expect_str_eq(word(first_of(policy, "hooks"), "name"), "ens5");
	cr_expect_str_eq(word(first_of(policy, "hooks"), "name_at_apply"), "eth0");
	cr_expect_str_eq(word(first_of(policy, "hooks"), "request"), "e*");
	cr_expect_str_eq(word(first_of(policy, "not_judged"), "name"), "tap7");
	cr_expect_str_eq(word(first_of(policy, "not_judged"), "kind"), "guest");
	cr_expect_str_eq(word(first_of(policy, "not_judged"), "request"), "tap*");
	cr_expect_str_eq(word(first_of(policy, "peer_redirects"), "at"), "vx clsact/ingress");
	cr_expect_str_eq(word(first_of(policy, "peer_redirects"), "past"), "tap0");
	cr_expect_str_eq(word(policy, "peer_redirects_unknown"), "hidden");
	cr_expect_str_eq(word(first_of(policy, "remarks"), "check"), "counted-twice");
	json_decref(document);
}

Test(render_text_status, tells_what_has_changed_since_apply)
{
	static const char *const lines[] = {
		"interface ens5 (eth0 when applied)",
		"FAULT     guest tap7: it matches tap* and is not judged",
		"FAULT     guest tap0: program a (id 5) at vx clsact/ingress puts packets past its hook",
		"may pass  program b (id 6) at vy tcx/ingress calls bpf_redirect_peer",
		"may pass  whether programs call bpf_redirect_peer is not known: hidden",
		"remarks   a lies below b",
		"NOT ENFORCING  generation 3  1 named but not judged",
	};
	struct status_view view = sample_changed(true);
	struct capture c;

	capture_begin(&c, false);
	render_status(&c.render, &view, 1, true);
	fclose(c.render.out);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		cr_expect(strstr(c.text, lines[i]), "%s\nin %s", lines[i], c.text);
	free(c.text);
	view = sample_changed(false);
	capture_begin(&c, false);
	render_status(&c.render, &view, 1, true);
	fclose(c.render.out);
	cr_expect(strstr(c.text, "OPEN      guest tap7"), "%s", c.text);
	cr_expect_null(strstr(c.text, "FAULT"), "%s", c.text);
	free(c.text);
}

Test(render_text_status, says_in_capitals_whether_it_holds)
{
	static const struct {
		bool enforce, alive;
		const char *word;
	} cases[] = {{true, true, "p  ENFORCING"},
		     {true, false, "p  NOT ENFORCING"},
		     {false, true, "p  AUDIT"}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct status_view view = sample_status(cases[i].enforce, cases[i].alive);
		struct capture c;

		capture_begin(&c, false);
		render_status(&c.render, &view, 1, true);
		fclose(c.render.out);
		cr_expect(!strncmp(c.text, cases[i].word, strlen(cases[i].word)), "%s", c.text);
		cr_expect_eq(!strstr(c.text, "the link is gone"), cases[i].alive);
		free(c.text);
	}
}

Test(render_json, rules_of_several_policies)
{
	struct rule_view rule = {.id = "t/nfs",
				 .table = "t",
				 .row = "nfs",
				 .dir = "egress",
				 .action = "allow",
				 .totals = {.packets = 3}};
	struct capture c;
	struct render_stream *s;
	json_t *document, *policy;

	capture_begin(&c, true);
	s = render_rules_begin(&c.render);
	render_rules(s, "one", &rule, 1, false);
	render_rules(s, "two", &rule, 0, false);
	render_end(s);
	document = capture_json(&c);
	cr_assert_eq(json_array_size(json_object_get(document, "policies")), 2);
	policy = json_array_get(json_object_get(document, "policies"), 0);
	rule.id = word(json_array_get(json_object_get(policy, "rules"), 0), "id");
	cr_expect_str_eq(rule.id, "t/nfs");
	json_decref(document);
}

static struct drop_view sample_drop(uint8_t dir)
{
	struct drop_view view = {.kind = "guest",
				 .scope = "tap0",
				 .verdict = "would-drop",
				 .reason = "default",
				 .rule = "default-egress"};
	struct addr addr;

	addr_parse("10.0.0.1", &addr);
	memcpy(view.key.local, addr.b, 16);
	addr_parse("10.66.0.66", &addr);
	memcpy(view.key.peer, addr.b, 16);
	view.key.proto = PROTO_TCP;
	*(dir == FR_EGRESS ? &view.key.peer_port : &view.key.local_port) = 4444;
	view.drop.dir = dir;
	view.drop.opener_port = 40000;
	return view;
}

Test(render_text_stream, a_refusal_points_from_its_opener_and_tells_the_last_port)
{
	static const char *const lines[] = {[FR_EGRESS] = "10.0.0.1:40000  →  10.66.0.66:4444 ",
					    [FR_INGRESS] = "10.0.0.1:4444  ←  10.66.0.66:40000 "};

	for (uint8_t dir = 0; dir < FR_DIRS; dir++) {
		struct drop_view view = sample_drop(dir);
		struct render_stream *s;
		struct capture c;

		capture_begin(&c, false);
		s = render_drops_begin(&c.render);
		render_drop(s, "p", &view);
		render_end(s);
		fclose(c.render.out);
		cr_expect(strstr(c.text, lines[dir]), "%s", c.text);
		cr_expect(strstr(c.text, "tap0"), "%s", c.text);
		free(c.text);
	}
}

Test(render_json, a_refusal_keeps_its_key_and_its_direction)
{
	struct drop_view view = sample_drop(FR_INGRESS);
	struct render_stream *s;
	struct capture c;
	json_t *document, *drop;

	capture_begin(&c, true);
	s = render_drops_begin(&c.render);
	render_drop(s, "p", &view);
	render_end(s);
	document = capture_json(&c);
	drop = json_array_get(json_object_get(document, "drops"), 0);
	cr_expect_str_eq(word(drop, "direction"), "ingress");
	cr_expect_str_eq(word(drop, "interface"), "tap0");
	cr_expect_eq(json_integer_value(json_object_get(drop, "opener_port")), 40000);
	cr_expect_eq(json_integer_value(json_object_get(json_object_get(drop, "local"), "port")),
		     4444);
	cr_expect(json_is_null(json_object_get(drop, "row")));
	json_decref(document);
}

/* A cgroup's key has the namespace where others have the VLAN. */
Test(render_json, a_flow_tells_its_vlan_or_its_network_namespace)
{
	static const struct {
		uint32_t scope;
		uint16_t vlan;
		json_int_t told_vlan, told_cookie; /* 0: null */
	} cases[] = {
		{FR_SCOPE(FR_KIND_INTERFACE, 7), 0, 0, 0},
		{FR_SCOPE(FR_KIND_INTERFACE, 7), 5, 5, 0},
		{FR_SCOPE(FR_KIND_GUEST, 7), 4094, 4094, 0},
		{FR_SCOPE(FR_KIND_CGROUP, 0), 0, 0, 0},
		{FR_SCOPE_OF_SPACE(4098ull), FR_VLAN_OF_SPACE(4098ull), 0, 4098},
		{FR_SCOPE_OF_SPACE(5ull << 32 | 7), FR_VLAN_OF_SPACE(5ull << 32 | 7), 0,
		 5ll << 32 | 7},
		{FR_SCOPE_OF_SPACE(FR_SPACE_SOCKET | 9), FR_VLAN_OF_SPACE(FR_SPACE_SOCKET | 9), 0,
		 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct drop_view view = sample_drop(FR_INGRESS);
		struct render_stream *s;
		struct capture c;
		json_t *document, *drop;

		view.key.scope = cases[i].scope;
		view.key.vlan = cases[i].vlan;
		capture_begin(&c, true);
		s = render_drops_begin(&c.render);
		render_drop(s, "p", &view);
		render_end(s);
		document = capture_json(&c);
		drop = json_array_get(json_object_get(document, "drops"), 0);
		cr_expect_eq(json_integer_value(json_object_get(drop, "vlan")), cases[i].told_vlan,
			     "case %zu", i);
		cr_expect_eq(json_integer_value(json_object_get(drop, "netns_cookie")),
			     cases[i].told_cookie, "case %zu", i);
		json_decref(document);
	}
}

Test(render_text_event, is_one_line_with_its_row)
{
	struct event_view view = {.verdict = "pass",
				  .reason = "rule",
				  .kind = "interface",
				  .rule = "t/nfs",
				  .table = "t",
				  .row = "nfs",
				  .line = 17,
				  .ifname = "ens5",
				  .time = UINT64_C(1700000000123456789)};
	struct capture c;
	struct render_stream *s;

	view.event.key.proto = PROTO_TCP;
	view.event.dir = FR_EGRESS;
	view.event.key.peer_port = 2049;
	view.event.held = 3;
	view.process = (struct process_view){.pid = 7,
					     .name = "a\nb",
					     .known = true,
					     .uid = 1000,
					     .parent_pid = 6,
					     .parent_name = "c\033d",
					     .started = UINT64_C(1700000000000000000)};
	capture_begin(&c, false);
	c.render.wide = true;
	s = render_events_begin(&c.render);
	render_event(s, "p", &view);
	render_events_end(s);
	fclose(c.render.out);
	cr_expect(strstr(c.text, "\n2023-11-14  22:13:20.123  pass        p         ens5  "), "%s",
		  c.text);
	cr_expect(strstr(c.text, " [::]:0 "), "%s", c.text);
	cr_expect(strstr(c.text, " →  [::]:2049 "), "%s", c.text);
	cr_expect(strstr(c.text, " t/nfs             rule      t/nfs:17             3  a?b (7)"),
		  "%s", c.text);
	cr_expect(strstr(c.text, "  1000  c?d (6)               2023-11-14T22:13:20Z\n"), "%s",
		  c.text);
	free(c.text);
}

Test(render_json, documents_name_the_host_the_digest_and_the_time_that_they_cover)
{
	struct window_view window = {.policy = "p",
				     .generation = 3,
				     .digest = "5b1e",
				     .since = UINT64_C(1700000000000000000),
				     .until = UINT64_C(1700000001000000000)};
	struct render_stream *s;
	json_t *document, *item;
	struct capture c;
	char host[256];

	gethostname(host, sizeof(host));
	capture_begin(&c, true);
	s = render_drops_begin(&c.render);
	render_window(s, &window);
	render_end(s);
	document = capture_json(&c);
	item = first_of(document, "windows");
	cr_expect_str_eq(word(document, "host"), host);
	cr_expect_str_eq(word(item, "digest"), "5b1e");
	cr_expect_str_eq(word(item, "mode"), "audit");
	cr_expect_str_eq(word(item, "since"), "2023-11-14T22:13:20.000000Z");
	cr_expect_str_eq(word(item, "until"), "2023-11-14T22:13:21.000000Z");
	json_decref(document);
}
