/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ports in cells, in either notation; and the rows around them.
 */
#include "import_fixture.h"

struct sample {
	const char *cell, *protocol, *ports;
};

static const struct sample samples[] = {
	{"443", "TCP", "443/tcp"},
	{"2049", "TCP/UDP", "2049/tcp 2049/udp"},
	{"139 or 445", "TCP/UDP", "139/tcp 139/udp 445/tcp 445/udp"},
	{"443 \\(HTTPS\\) or 80 \\(HTTP\\)", "TCP", "443/tcp 80/tcp"},
	{"1024–1064", "TCP", "1024-1064/tcp"},
	{"1024 — 1064", "TCP", "1024-1064/tcp"},
	{"1024 to 1064", "TCP", "1024-1064/tcp"},
	{"1024 through 1064", "TCP", "1024-1064/tcp"},
	{"1024..1064", "TCP", "1024-1064/tcp"},
	{"1024:1064", "TCP", "1024-1064/tcp"},
	{"111, 635, and 2049 (NFS) 445 (SMB)", "TCP", "111/tcp 635/tcp 2049/tcp 445/tcp"},
	{"161/udp<br>162/udp", "", "161/udp 162/udp"},
	{"3260 (TCP)", "", "3260/tcp"},
	{"11104 (TCP) and 11105 (TCP)", "", "11104/tcp 11105/tcp"},
	{"443 (TCP/HTTPS)", "", "443/tcp"},
	{"TCP 443", "", "443/tcp"},
	{"443 TCP", "", "443/tcp"},
	{"tcp:443", "", "443/tcp"},
	{"tcp443", "", "443/tcp"},
	{"443tcp", "", "443/tcp"},
	{"UDP 161-162", "", "161-162/udp"},
	{"TCP: 80, 443; UDP: 53", "", "80/tcp 443/tcp 53/udp"},
	{"TCP 443 UDP 443", "", "443/tcp 443/udp"},
	{"80/tcp, 53/udp", "", "80/tcp 53/udp"},
	{"80, 443 (TCP), 53 (UDP)", "", "80/tcp 443/tcp 53/udp"},
	{"53/tcp/udp", "", "53/tcp 53/udp"},
	{"53 (TCP and UDP)", "", "53/tcp 53/udp"},
	{"TCP/UDP 53", "", "53/tcp 53/udp"},
	{"TCP 80, 53/udp", "", "80/tcp 53/udp"},
	{"1024 and above", "UDP", "1024-65535/udp"},
	{"1024+", "TCP", "1024-65535/tcp"},
	{"> 1023", "TCP", "1024-65535/tcp"},
	{"≥ 1024", "TCP", "1024-65535/tcp"},
	{"greater than 1023", "TCP", "1024-65535/tcp"},
	{"any", "TCP", "any/tcp"},
	{"All", "any", "any"},
	{"\\*", "UDP", "any/udp"},
	{"ICMP", "", "any/icmp"},
	{"N/A", "ICMP", "any/icmp"},
	{"Echo", "ICMP", "icmp/8"},
	{"All", "ESP (50)", "any/esp"},
	{"443[^1]", "TCP", "443/tcp"},
	{"443¹", "TCP", "443/tcp"},
	{"443<sup>2</sup>", "TCP", "443/tcp"},
	{"443†", "TCP", "443/tcp"},
	{"&nbsp;443&nbsp;", "TCP", "443/tcp"},
	{"[443](https://example.com/9999)", "TCP", "443/tcp"},
	{"`8443`", "TCP", "8443/tcp"},
	{"default port is 8020", "TCP", "8020/tcp"},
	{"HTTPS (8443)", "TCP", "8443/tcp"},
	{"2049 (NFS versions 4.1 and 4.0)", "TCP", "2049/tcp"},
	{"443 (since version 7)", "TCP", "443/tcp"},
	{"443, 70000", "TCP", "443/tcp"},
	{"0-65535", "TCP", "any/tcp"},
	{"9100\\-9102", "TCP", "9100-9102/tcp"},
	{"2905 (SCTP)", "", "2905/sctp"},
	{"53<br>123", "TCP<br>UDP", "53/tcp 123/udp"},
	{"111", "TCP<br>UDP", "111/tcp 111/udp"},
	{"22", "SSH", "22/tcp"},
	{"161", "SNMP", "161/udp"},
};

Test(import, a_cell_of_ports_is_read_whichever_way_round_it_is_written)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct drafted d;
		char text[512];

		snprintf(
			text, sizeof(text),
			"| From | To | Port | Protocol |\n|---|---|---|---|\n| A | B | %s | %s |\n",
			samples[i].cell, samples[i].protocol);
		draft_text(&d, text);
		cr_expect_eq(d.draft.rows, 1, "%s, %s:\n%s", samples[i].cell, samples[i].protocol,
			     d.draft.text);
		if (d.draft.rows)
			cr_expect_str_eq(draft_ports(&d, d.rows->first), samples[i].ports, "%s, %s",
					 samples[i].cell, samples[i].protocol);
		draft_close(&d);
	}
}

Test(import, what_names_no_port_is_never_drafted_and_never_dropped)
{
	static const char *const cells[] = {"ephemeral", "dynamic", "see the manual", "version 3",
					    "-",	 "10.1.3",  "99999",	      "tbd"};

	for (size_t i = 0; i < ARRAY_SIZE(cells); i++) {
		struct drafted d;
		char text[256];

		snprintf(
			text, sizeof(text),
			"| From | To | Port | Protocol |\n|---|---|---|---|\n| A | Beacon | %s | TCP |\n",
			cells[i]);
		draft_text(&d, text);
		cr_expect_eq(d.draft.rows, 0, "%s:\n%s", cells[i], d.draft.text);
		cr_expect_eq(d.draft.unparsed, 1, "%s", cells[i]);
		cr_expect(strstr(d.draft.text, "# line 3: ") && strstr(d.draft.text, "Beacon"),
			  "%s", cells[i]);
		draft_close(&d);
	}
}

Test(import, a_condition_stands_beside_its_row_and_no_other)
{
	struct drafted d;
	const char *at;

	draft_text(
		&d,
		"| From | To | Port |\n|---|---|---|\n| A | B | 1/tcp |\n{% if x == 'y' %}\n"
		"| A | B | 2/tcp |\n{% else %}\n| A | B | 3/tcp |\n{% endif %}\n| A | B | 4/tcp |\n");
	cr_assert_eq(d.draft.rows, 4);
	at = strstr(d.draft.text, "only when: x == 'y'");
	cr_assert(at && strstr(d.draft.text, "[1/tcp]") < at &&
		  at < strstr(d.draft.text, "[2/tcp]"));
	at = strstr(d.draft.text, "only when: not (x == 'y')");
	cr_assert(at && strstr(d.draft.text, "[2/tcp]") < at &&
		  at < strstr(d.draft.text, "[3/tcp]"));
	cr_expect_null(strstr(strstr(d.draft.text, "[3/tcp]"), "only when"));
	cr_expect_str_eq(draft_value(map_get(last_row(&d), "source"), "line"), "9");
	draft_close(&d);
}

Test(import, both_ways_is_two_rows)
{
	struct drafted d;

	draft_text(
		&d,
		"| Source | Direction | Destination | Port |\n|---|---|---|---|\n| A | both | B | 1/tcp |\n"
		"| C | both | C | 2/tcp |\n| D | Inbound | E | 3/tcp |\n");
	cr_assert_eq(d.draft.rows, 4, "%s", d.draft.text);
	cr_expect_str_eq(draft_value(d.rows->first->next, "from"), "b");
	cr_expect_str_eq(draft_value(d.rows->first->next, "to"), "a");
	cr_expect_str_eq(draft_value(last_row(&d), "from"), "d");
	cr_expect_str_eq(draft_value(last_row(&d), "to"), "e");
	draft_close(&d);
}

Test(import, what_stands_in_the_document_cannot_break_out_of_the_draft)
{
	struct drafted d;

	draft_text(
		&d,
		"# T\"}\\ # x\n\n| From | To | Port | Purpose |\n|---|---|---|---|\n"
		"| A\"]} | B: {x} | 1/tcp | \"}, {id: y<br>- id: z |\n| &#1;&#7; | \xef\xbf\xbe | 2/tcp | &#x202e; |\n");
	cr_expect_eq(d.err, 0);
	cr_expect_eq(d.draft.rows, 2, "%s", d.draft.text);
	draft_close(&d);
}

Test(import, what_is_no_text_is_refused_with_a_word)
{
	static const struct {
		const char *text;
		size_t size;
		const char *check;
	} bad[] = {
		{"", 0, "empty-file"},
		{" \n\t\r\n", 5, "empty-file"},
		{"%PDF-1.7\nport 443", 17, "not-text"},
		{"PK\3\4port", 8, "not-text"},
		{"a\0b", 3, "not-text"},
		{"\xff\xfep\0", 4, "not-text"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct source source = {
			.name = "x", .text = bad[i].text, .size = bad[i].size};
		struct drafted d;

		draft_open(&d);
		draft_source(&d, &source);
		cr_expect_lt(d.err, 0, "%zu", i);
		cr_assert_eq(d.diags.errors, 1, "%zu", i);
		cr_expect_str_eq(d.diags.list[0].check, bad[i].check, "%zu", i);
		cr_expect_null(d.draft.text);
		draft_close(&d);
	}
}

Test(import, text_that_is_not_utf8_is_read_as_windows_1252)
{
	struct drafted d;

	draft_text(&d, "| From | To | Port |\n|---|---|---|\n| Caf\xe9 | B | 10\x96"
		       "20/tcp |\n");
	cr_assert_eq(d.draft.rows, 1);
	cr_expect_str_eq(draft_ports(&d, d.rows->first), "10-20/tcp");
	cr_expect(strstr(d.draft.text, "Caf\xc3\xa9"));
	cr_expect_eq(d.diags.warnings, 1);
	draft_close(&d);
}
