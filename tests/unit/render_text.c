/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The output of render for people: diagnostics with their caret, safe text, figures, aligned
 * tables.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/render/print.h"

static char *diags_text(const struct diags *d)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	render_diags(out, d, false);
	fclose(out);
	return text;
}

/* One diagnostic about `length` characters at line:column of `source`. */
static char *diag_text(const char *source_text, uint32_t line, uint32_t column, uint32_t length,
		       const char *hint)
{
	struct arena *arena = arena_new();
	struct diags d = {.arena = arena};
	struct source source = {
		.name = "web.yaml", .text = source_text, .size = strlen(source_text)};
	struct loc loc = {&source, line, column, length};
	char *text;

	diag_error(&d, loc, -1, "some-check", hint, "it is wrong");
	text = diags_text(&d);
	arena_free(arena);
	return text;
}

Test(render_diags, points_at_the_words_with_a_caret)
{
	char *text = diag_text("a: 1\n  peers: {nfs-sever: x}\nb: 2\n", 2, 11, 9,
			       "did you mean 'nfs-server'?");

	cr_assert_str_eq(text, "web.yaml:2:11: error: it is wrong [some-check]\n"
			       "    2 |   peers: {nfs-sever: x}\n"
			       "      |           ^~~~~~~~~ did you mean 'nfs-server'?\n");
	free(text);
}

Test(render_diags, counts_characters_not_bytes)
{
	char *text = diag_text("é: → bad\n", 1, 6, 3, NULL);

	cr_assert_str_eq(text, "web.yaml:1:6: error: it is wrong [some-check]\n"
			       "    1 | é: → bad\n"
			       "      |      ^~~\n");
	free(text);
}

Test(render_diags, keeps_the_caret_of_a_very_long_line_on_screen)
{
	char line[2000], *text, *caret;

	memset(line, 'x', sizeof(line));
	line[1500] = 'Y';
	line[1999] = '\0';
	text = diag_text(line, 1, 1501, 1, NULL);
	caret = strchr(text, '^');
	cr_assert_not_null(caret);
	/* The character above the caret: the same offset in the line before. */
	caret = strrchr(text, '|') + 2 + (strchr(text, '^') - strrchr(text, '|') - 2);
	cr_assert_eq(caret - strrchr(text, '|'), strchr(text, 'Y') - strchr(text, '|'));
	cr_assert_lt(strlen(text), 400);
	free(text);
}

Test(render_diags, never_reads_past_the_last_line)
{
	char *text = diag_text("only one", 7, 3, 1, NULL);

	cr_assert_str_eq(text, "web.yaml:7:3: error: it is wrong [some-check]\n");
	free(text);
}

Test(render_diags, tells_a_file_from_the_top_down)
{
	struct arena *arena = arena_new();
	struct diags d = {.arena = arena};
	struct source one = {.name = "one.yaml", .text = "a\nb\nc\n", .size = 6};
	struct source two = {.name = "two.yaml", .text = "d\n", .size = 2};
	static const char *const order[] = {"third", "second", "first", "other"};
	char *text, *at;

	diag_error(&d, (struct loc){&one, 2, 2, 1}, -1, "c", NULL, "first");
	diag_error(&d, (struct loc){&two, 1, 1, 1}, -1, "c", NULL, "other");
	diag_warning(&d, (struct loc){&one, 2, 1, 1}, "c", NULL, "second");
	diag_error(&d, (struct loc){&one, 1, 1, 1}, -1, "c", NULL, "third");
	at = text = diags_text(&d);
	for (size_t i = 0; i < ARRAY_SIZE(order) && at; i++) {
		at = strstr(at, order[i]);
		cr_expect_not_null(at, "%s is out of order in %s", order[i], text);
	}
	free(text);
	arena_free(arena);
}

Test(render_diags, gives_the_hint_of_what_has_no_place)
{
	struct arena *arena = arena_new();
	struct diags d = {.arena = arena};
	struct loc nowhere = {0};
	char *text;

	diag_error(&d, nowhere, -1, "usage", "try this", "no such thing");
	text = diags_text(&d);
	cr_assert_str_eq(text, "flowreeve: error: no such thing [usage]\n      | try this\n");
	free(text);
	arena_free(arena);
}

Test(render_diags, lets_no_escape_sequence_of_a_file_through)
{
	char *text = diag_text("key: \033[31mred\007\n", 1, 1, 3, "\033]0;title\007");

	cr_assert_null(strchr(text, '\033'));
	cr_assert_null(strchr(text, '\007'));
	free(text);
}

Test(render_text, replaces_what_moves_the_cursor_or_reorders)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"plain", "plain"},
		{"é→ ok", "é→ ok"},
		{"\033[2Jx", "?[2Jx"},
		{"a\nb\tc", "a?b?c"},
		{"a\177b", "a?b"},
		{"\xc2\x9b"
		 "31m",
		 "?31m"}, /* C1: CSI as one character */
		{"a\xe2\x80\xae"
		 "b",
		 "a?b"},		  /* right-to-left override */
		{"\xff\xfe", "??"},	  /* not UTF-8 */
		{"\xc0\x9b", "??"},	  /* overlong */
		{"\xed\xa0\x80", "???"},  /* surrogate */
		{"cut\xe2\x86", "cut??"}, /* ends inside a character */
		{"", ""},
	};
	char out[64];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_expect_str_eq(text_clean(cases[i].in, out, sizeof(out)), cases[i].out);
	cr_expect_str_eq(text_clean(NULL, out, sizeof(out)), "");
}

Test(render_text, cuts_between_characters_never_inside)
{
	char out[6];

	cr_assert_str_eq(text_clean("abc→d", out, sizeof(out)), "abc");
	cr_assert_str_eq(text_clean("ab→d", out, sizeof(out)), "ab→");
}

Test(render_text, figures_for_people)
{
	char out[FIGURE_TEXT];

	cr_expect_str_eq(count_text(0, out), "0");
	cr_expect_str_eq(count_text(99999, out), "99999");
	cr_expect_str_eq(count_text(123456, out), "123.5k");
	cr_expect_str_eq(count_text(999999, out), "1.0M");
	cr_expect_str_eq(count_text(UINT64_MAX, out), "18.4E");
	cr_expect_str_eq(bytes_text(999, out), "999 B");
	cr_expect_str_eq(bytes_text(1000, out), "1.0 kB");
	cr_expect_str_eq(bytes_text(1049, out), "1.0 kB");
	cr_expect_str_eq(bytes_text(1050, out), "1.1 kB");
	cr_expect_str_eq(bytes_text(999949, out), "999.9 kB");
	cr_expect_str_eq(bytes_text(999950, out), "1.0 MB");
	cr_expect_str_eq(bytes_text(1600000, out), "1.6 MB");
	cr_expect_str_eq(bytes_text(UINT64_MAX, out), "18.4 EB");
	cr_expect_str_eq(age_text(0, 1, out), "-");
	cr_expect_str_eq(age_text(1, UINT64_C(59000000001), out), "59s");
	cr_expect_str_eq(age_text(1, UINT64_C(125000000001), out), "2m05s");
	cr_expect_str_eq(age_text(1, UINT64_C(7505000000001), out), "2h05m");
	cr_expect_str_eq(age_text(1, UINT64_C(270000000000001), out), "3d03h");
	cr_expect_str_eq(age_text(9, 1, out), "0s");
}

Test(render_text, times_are_rfc_3339_in_utc)
{
	char out[TIME_TEXT];

	cr_assert_str_eq(time_text(UINT64_C(1700000000123456789), out),
			 "2023-11-14T22:13:20.123456Z");
}

Test(render_text, ipv6_endpoints_have_brackets_only_with_a_port)
{
	struct addr v6, v4;
	char out[64];

	addr_parse("fd00::1", &v6);
	addr_parse("10.0.0.1", &v4);
	cr_expect_str_eq(endpoint_text(v6.b, 443, true, out), "[fd00::1]:443");
	cr_expect_str_eq(endpoint_text(v6.b, 0, false, out), "fd00::1");
	cr_expect_str_eq(endpoint_text(v4.b, 443, true, out), "10.0.0.1:443");
}
