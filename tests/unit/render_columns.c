/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables for people: columns by content, shortened and left out on a narrow terminal. The whole of
 * each `show`, of status, coverage and monitor at 80 and at 200 columns is tests/unit/golden/NAME;
 * UPDATE=1 writes them anew.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/render/table.h"

enum { NARROW = 80, BROAD = 200 };
static const uint64_t day_ns = UINT64_C(86400000000000);

struct capture {
	struct render render;
	char *text;
	size_t size;
};

static void capture_begin(struct capture *c, unsigned width)
{
	*c = (struct capture){.render = {.width = width}};
	c->render.out = open_memstream(&c->text, &c->size);
}

static char *captured(struct capture *c)
{
	fclose(c->render.out);
	return c->text;
}

/* ---------------------------------------------------------------- the engine */

static char *small_table(unsigned width, bool wide)
{
	static const struct column columns[] = {{"NAME", .least = 6},
						{"N", .right = true},
						{"SPARE", .order = 1},
						{"EXTRA", .wide = true},
						{"LAST", .order = 2}};
	static const char *const rows[][ARRAY_SIZE(columns)] = {
		{"é→", "12", "x", "e", NULL}, {"0123456789abcdef", "3", "yy", "", "never"}};
	struct table table;
	struct capture c;

	capture_begin(&c, width);
	c.render.wide = wide;
	table_begin(&table, &c.render, columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t j = 0; j < ARRAY_SIZE(columns); j++)
			table_cell(&table, COLOUR_NONE, rows[i][j]);
	table_end(&table);
	return captured(&c);
}

Test(render_columns, are_as_wide_as_their_content_whatever_the_characters)
{
	char *text = small_table(0, false);

	cr_expect_str_eq(text, "NAME               N  SPARE  LAST\n"
			       "é→                12  x      -\n"
			       "0123456789abcdef   3  yy     never\n");
	free(text);
}

Test(render_columns, are_shortened_in_their_middle)
{
	char *text = small_table(28, false);

	cr_expect_str_eq(text, "NAME         N  SPARE  LAST\n"
			       "é→          12  x      -\n"
			       "01234…cdef   3  yy     never\n");
	free(text);
}

Test(render_columns, are_left_out_by_their_order_and_the_reader_is_told)
{
	char *text = small_table(17, false);

	cr_expect_str_eq(text, "NAME     N  SPARE\n"
			       "é→      12  x\n"
			       "012…ef   3  yy\n"
			       "not shown at 17 columns: LAST; see --wide\n");
	free(text);
	text = small_table(3, false);
	cr_expect(strstr(text, "01…f   3\n"), "%s", text);
	free(text);
}

Test(render_columns, wide_shows_all_of_them_whole)
{
	char *text = small_table(10, true);

	cr_expect_str_eq(text, "NAME               N  SPARE  EXTRA  LAST\n"
			       "é→                12  x      e      -\n"
			       "0123456789abcdef   3  yy     -      never\n");
	free(text);
}

/* More rows than are held back: a later batch may widen a column, and has the columns of the
 * heading. */
Test(render_columns, keep_their_heading_over_a_million_rows)
{
	static const struct column columns[] = {{"A", .least = 4}, {"B", .order = 1, .least = 4}};
	struct table table;
	struct capture c;
	char *text;
	size_t lines = 0;

	capture_begin(&c, 20);
	table_begin(&table, &c.render, columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < 2500; i++) {
		table_cell(&table, COLOUR_NONE, i < 2000 ? "a" : "a long cell that comes late");
		table_cell(&table, COLOUR_NONE, "b");
	}
	table_end(&table);
	text = captured(&c);
	for (char *at = text; *at; at = strchr(at, '\n') + 1, lines++) {
		char *end = strchr(at, '\n');

		*end = '\0';
		cr_expect_leq(text_width(at), 20, "line %zu: %s", lines, at);
		*end = '\n';
	}
	cr_expect_eq(lines, 2501);
	cr_expect(!strncmp(text, "A  B\na  b\n", 10));
	cr_expect(strstr(text, "\na long c…mes late  b\n"), "%s", text + c.size - 60);
	free(text);
}

Test(render_columns, a_cell_longer_than_the_buffer_of_a_line_is_whole)
{
	static const struct column columns[] = {{.title = "A"}, {.title = "B"}, {.title = "C"},
						{.title = "D"}, {.title = "E"}, {.title = "F"}};
	char cell[CLEAN_TEXT], *text;
	struct table table;
	struct capture c;

	capture_begin(&c, 0);
	c.render.colour = true;
	memset(cell, 'x', sizeof(cell) - 1);
	cell[sizeof(cell) - 1] = '\0';
	table_begin(&table, &c.render, columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		table_cell(&table, COLOUR_BAD, cell);
	table_end(&table);
	text = captured(&c);
	cr_expect_eq(strlen(strchr(text, '\n') + 1),
		     6 * (sizeof(cell) - 1 + strlen("\033[31m\033[0m")) + 5 * 2 + 1);
	free(text);
}

Test(render_columns, a_note_is_broken_at_blanks)
{
	static const struct column columns[] = {{.title = "A"}};
	struct table table;
	struct capture c;
	char *text;

	capture_begin(&c, 44);
	table_begin(&table, &c.render, columns, 1);
	table_cell(&table, COLOUR_NONE, "x");
	table_note(&table, "rule acme/nfs fits but 2001:db8::1 is not in peers.nfs-server");
	table_end(&table);
	text = captured(&c);
	cr_expect_str_eq(text, "A\nx\n    rule acme/nfs fits but 2001:db8::1 is\n"
			       "    not in peers.nfs-server\n");
	free(text);
}

/* ---------------------------------------------------------------- samples */

static void address_set(uint8_t to[16], const char *text)
{
	struct addr addr;

	cr_assert_eq(addr_parse(text, &addr), NET_OK);
	memcpy(to, addr.b, sizeof(addr.b));
}

static struct fr_flow_key key_of(const char *local, uint16_t local_port, const char *peer,
				 uint16_t peer_port, uint8_t proto)
{
	struct fr_flow_key key = {.local_port = local_port, .peer_port = peer_port, .proto = proto};

	address_set(key.local, local);
	address_set(key.peer, peer);
	return key;
}

static const char long_v6[] = "2001:db8:1234:5678:9abc:def0:1234:5678";

static struct process_view process_of(const char *name, uint32_t pid)
{
	struct process_view process = {.pid = pid};

	snprintf(process.name, sizeof(process.name), "%s", name);
	return process;
}

static void sample_flows(struct render_stream *s)
{
	struct flow_view views[] = {
		{.key = key_of("10.20.30.40", 40000, "10.20.0.5", 2049, PROTO_TCP),
		 .kind = "interface",
		 .state = "established",
		 .verdict = "pass",
		 .rule = "aws-datasync/nfs",
		 .table = "aws-datasync",
		 .row = "nfs",
		 .line = 17,
		 .process = process_of("rsync", 712)},
		{.key = key_of(long_v6, 65535, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 65534,
			       PROTO_TCP),
		 .kind = "guest",
		 .scope = "vnet0123456789a",
		 .state = "syn-sent",
		 .verdict = "would-drop",
		 .rule = "a-rule-whose-id-is-as-long-as-ids-may-become",
		 .process = process_of("postgres", 4194304)},
		{.key = key_of("10.20.30.40", 7, "10.20.0.1", 8 << 8, PROTO_ICMP),
		 .kind = "cgroup",
		 .state = "icmp",
		 .verdict = "pass",
		 .rule = "ping"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(views); i++) {
		views[i].flow.opener = i == 1 ? FR_INGRESS : FR_EGRESS;
		views[i].flow.packets[FR_EGRESS] = 12 + 1000000 * i;
		views[i].flow.bytes[FR_EGRESS] = 3400;
		views[i].first = s->now - day_ns * (i + 1);
		render_flow(s, "datasync-agent", &views[i]);
	}
}

static const struct answer_hint answer = {
	.rule = "tftp",
	.key = "answers: peer-any-port",
	.text = "looks like an answer to rule tftp from another port than was asked: "
		"answers: peer-any-port in rule tftp admits it",
};

static void sample_drops(struct render_stream *s)
{
	struct drop_view views[] = {
		{.key = key_of("10.20.30.40", 0, "10.66.0.66", 4444, PROTO_TCP),
		 .kind = "interface",
		 .verdict = "drop",
		 .reason = "default",
		 .rule = "default-egress",
		 .process = process_of("curl", 712)},
		{.key = key_of(long_v6, 8443, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 0,
			       PROTO_TCP),
		 .kind = "guest",
		 .answer = &answer,
		 .scope = "vnet0123456789a",
		 .verdict = "would-drop",
		 .reason = "malformed-transport",
		 .rule = "default-ingress"},
	};
	struct rule_view rule = {.id = "default-ingress", .totals = {.unlisted = 123456}};

	for (size_t i = 0; i < ARRAY_SIZE(views); i++) {
		views[i].drop.dir = i ? FR_INGRESS : FR_EGRESS;
		views[i].drop.opener_port = 40001;
		views[i].drop.packets = 5 + 99999 * i;
		views[i].drop.bytes = 300;
		views[i].last = s->now - day_ns * (i + 1);
		render_drop(s, "datasync-agent", &views[i]);
	}
	render_not_listed(s, "datasync-agent", &rule);
}

static struct rule_view rules[] = {
	{.id = "aws-datasync/nfs",
	 .table = "aws-datasync",
	 .row = "nfs",
	 .line = 17,
	 .dir = "egress",
	 .action = "allow",
	 .totals = {.packets = 123456, .connections = 42, .bytes = 987654321}},
	{.id = "microsoft-active-directory/rpc-dynamic-ports-of-domain-controllers",
	 .table = "microsoft-active-directory",
	 .row = "rpc-dynamic-ports-of-domain-controllers",
	 .line = 1234,
	 .dir = "egress",
	 .action = "allow",
	 .answers = FR_ANSWERS_PEER_ANY_PORT,
	 .default_of = "69/udp"},
	{.id = "no-telnet",
	 .table = "",
	 .row = "",
	 .dir = "egress",
	 .action = "deny",
	 .staged = true,
	 .totals = {.would_drops = 7}},
	{.id = "default-ingress",
	 .table = "",
	 .row = "",
	 .dir = "ingress",
	 .action = "default",
	 .totals = {.drops = 1234567}},
	{.id = "builtin/nd", .table = "", .row = "", .dir = "both", .action = "builtin"},
};

static void rules_date(uint64_t now)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		rules[i].since = UINT64_C(1700000000000000000);
		rules[i].last = rules[i].totals.packets ? now - day_ns : 0;
	}
}

static void sample_rules(struct render_stream *s)
{
	rules_date(s->now);
	render_rules(s, "datasync-agent", rules, ARRAY_SIZE(rules), false);
}

static void sample_coverage(struct render_stream *s)
{
	struct unexplained_view unexplained[] = {
		{.tuple = {.dir = FR_EGRESS, .proto = PROTO_TCP, .port = 2049},
		 .kind = "interface",
		 .verdict = "would-drop",
		 .packets = 5,
		 .bytes = 300,
		 .nearest = "rule aws-datasync/nfs fits but 10.66.0.66 is not in peers.nfs-server",
		 .process = process_of("rsync", 713)},
		{.tuple = {.dir = FR_INGRESS, .proto = PROTO_TCP, .port = 65535},
		 .kind = "guest",
		 .answer = &answer,
		 .where = "vnet0123456789a",
		 .verdict = "drop",
		 .packets = 1234567,
		 .bytes = 99999999},
	};
	const struct origin datasync = {
		.table = "aws-datasync",
		.title = "AWS DataSync network requirements",
		.url = "https://docs.aws.amazon.com/datasync/latest/userguide/"
		       "datasync-network.html",
		.read = "2026-11-21"};
	const struct origin ping = {.table = "icmp-diagnostics", .title = "ping"};
	struct rule of_tables[] = {{.origin = &datasync}, {.origin = &datasync}, {.origin = &ping}};
	const struct ruleset file = {.rules = of_tables, .rule_count = ARRAY_SIZE(of_tables)};
	struct listening_view sockets[] = {
		{.proto = PROTO_TCP, .port = 8400, .everywhere = true, .pid = 77, .process = "nc"},
		{.proto = PROTO_UDP, .port = 69, .address = {.b = {[10] = 255, 255, 10, 0, 0, 9}}}};
	const struct rule web = {.id = "web"};
	struct idle_view idle[] = {{&web, service_one(PROTO_TCP, 8091)}};
	struct coverage_view view = {.policy = "datasync-agent",
				     .newest = s->now - 12 * day_ns,
				     .listening = {.list = sockets,
						   .count = ARRAY_SIZE(sockets),
						   .idle = idle,
						   .idle_count = ARRAY_SIZE(idle)},
				     .file = &file,
				     .source = "/etc/p.yaml",
				     .since = s->now - 41 * day_ns,
				     .rules = rules,
				     .rule_count = ARRAY_SIZE(rules),
				     .unexplained = unexplained,
				     .unexplained_count = ARRAY_SIZE(unexplained),
				     .refusals = 8000,
				     .room = 8192,
				     .incomplete = true};

	rules_date(s->now);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		rules[i].since = s->now - 41 * day_ns;
	address_set(unexplained[0].tuple.peer.b, "10.66.0.66");
	address_set(unexplained[1].tuple.peer.b, long_v6);
	unexplained[0].last = unexplained[1].last = s->now - day_ns;
	render_coverage(s, &view, SOURCE_RUNS);
}

static void sample_events(struct render_stream *s)
{
	struct event_view views[] = {
		{.event.key = key_of("10.20.30.40", 40000, "10.66.0.66", 4444, PROTO_TCP),
		 .verdict = "would-drop",
		 .reason = "default",
		 .kind = "interface",
		 .ifname = "ens5",
		 .rule = "default-egress",
		 .table = "",
		 .row = "",
		 .process = process_of("curl", 712)},
		{.event.key = key_of(long_v6, 8443, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 65535,
				     PROTO_TCP),
		 .verdict = "drop",
		 .reason = "default",
		 .kind = "guest",
		 .ifname = "vnet0123456789a",
		 .rule = "default-ingress",
		 .table = "",
		 .row = ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(views); i++) {
		views[i].event.dir = i ? FR_INGRESS : FR_EGRESS;
		views[i].event.held = i * 17;
		views[i].time = UINT64_C(1700000000123456789);
		render_event(s, "datasync-agent", &views[i]);
	}
}

static void status_sample(const struct render *r, bool details)
{
	static struct hook_view hooks[] = {
		{.kind = "interface", .name = "ens5", .hook = "tcx/ingress", .alive = true},
		{.kind = "interface", .name = "ens5", .hook = "tcx/egress", .alive = true},
		{.kind = "guest",
		 .name = "vnet0123456789a",
		 .hook = "tcx/egress",
		 .fault = "the link is gone"}};
	struct status_view views[] = {
		{.policy = "datasync-agent",
		 .source = "/etc/flowreeve/datasync-agent.yaml",
		 .build = "0.1.0",
		 .generation = 3,
		 .rules = 14,
		 .hooks = hooks,
		 .hook_count = 2,
		 .enforce = true,
		 .enforcing = true},
		{.policy = "a-policy-whose-name-is-as-long-as-names-may-become",
		 .source = "/srv/appliances/replication/a-policy-of-a-guest.yaml",
		 .build = "0.1.0",
		 .generation = 1,
		 .rules = 100000,
		 .hooks = hooks,
		 .hook_count = 3,
		 .enforce = true}};

	for (size_t i = 0; i < ARRAY_SIZE(views); i++) {
		strcpy(views[i].digest, "5b1e0000000000000000000000000000");
		views[i].applied =
			details ? UINT64_C(1700000000000000000) : time_now() - 5 * day_ns;
		views[i].reasons[FR_KIND_GUEST][FR_INGRESS][FR_REASON_DEFAULT].packets[FR_DROP] =
			1234567 * i;
	}
	render_status(r, views, ARRAY_SIZE(views), details);
}

static void sample_table(const struct render *r)
{
	struct policy_options options = {0};
	const struct table_view *view;
	struct arena *arena = arena_new();
	struct diags d = {.arena = arena};

	cr_assert_eq(table_view("policies/tables/aws-datasync.yaml", &options, &d, &view), 0);
	render_roles(r, view);
	arena_free(arena);
}

/* ---------------------------------------------------------------- whole outputs */

static const struct sample {
	const char *name;
	struct render_stream *(*begin)(const struct render *);
	void (*fill)(struct render_stream *);
	void (*end)(struct render_stream *);
} samples[] = {
	{"flows", render_flows_begin, sample_flows, render_end},
	{"drops", render_drops_begin, sample_drops, render_end},
	{"rules", render_rules_begin, sample_rules, render_end},
	{"coverage", render_coverage_begin, sample_coverage, render_end},
	{"monitor", render_events_begin, sample_events, render_events_end},
	{"status", NULL, NULL, NULL},
	{"status-details", NULL, NULL, NULL},
	{"roles", NULL, NULL, NULL},
};

static char *sample_text(const struct sample *sample, unsigned width)
{
	struct render_stream *s;
	struct capture c;

	capture_begin(&c, width);
	if (str_equal(sample->name, "roles")) {
		sample_table(&c.render);
	} else if (!sample->begin) {
		status_sample(&c.render, str_equal(sample->name, "status-details"));
	} else {
		s = sample->begin(&c.render);
		s->now = UINT64_C(1700000000000000000) + 50 * day_ns;
		sample->fill(s);
		sample->end(s);
	}
	return captured(&c);
}

static void check_golden(const char *name, unsigned width, const char *text)
{
	struct arena *arena = arena_new();
	const char *path = arena_printf(arena, "tests/unit/golden/%s-%u", name, width);
	struct source *source;
	FILE *out;

	if (getenv("UPDATE")) {
		out = fopen(path, "w");
		cr_assert_not_null(out);
		fputs(text, out);
		fclose(out);
	}
	cr_assert_eq(source_read(arena, path, 1 << 20, &source), 0, "%s is missing", path);
	cr_expect_str_eq(text, source->text, "%s is:\n%s\nand should be:\n%s", path, text,
			 source->text);
	arena_free(arena);
}

Test(render_columns, every_output_is_its_golden_at_80_and_200_columns)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		for (unsigned width = NARROW; width <= BROAD; width += BROAD - NARROW) {
			char *text = sample_text(&samples[i], width);

			check_golden(samples[i].name, width, text);
			free(text);
		}
}

/* status NAME and the first and last lines of a report are sentences; all tables fit. */
Test(render_columns, no_table_is_wider_than_the_terminal)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		for (unsigned width = NARROW; width <= BROAD; width += 10) {
			char *text = sample_text(&samples[i], width);

			if (str_equal(samples[i].name, "status-details")) {
				free(text);
				continue;
			}
			for (char *at = strtok(text, "\n"); at; at = strtok(NULL, "\n"))
				cr_expect(text_width(at) <= width || strchr(at, ':'),
					  "%s at %u: %s", samples[i].name, width, at);
			free(text);
		}
}
