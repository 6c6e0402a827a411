/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The image as text, to the letter.
 */
#include <stdlib.h>

#include "compile_fixture.h"

static char *dump_text(struct build *b)
{
	struct image image = build_image(b);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	cr_assert_eq(image_dump(&b->rs, &image, out), 0);
	fclose(out);
	image_free(&image);
	return text;
}

Test(compile_dump, says_who_may_do_what_by_which_rule)
{
	static const char expected[] =
		"policy built: audit, 4 rules\n"
		"image: 6250 lines of 64 bytes: 1 tries, 6208 services, 4 matrix (dense)\n"
		"\n"
		"egress: address classes 3, service classes 8, cells 33, default deny\n"
		"  class 0: all other IPv4, all IPv6\n"
		"    deny      default-egress: everything\n"
		"  class 1: 10.20.0.0/30, 10.20.0.4/31, 10.20.0.6, 10.20.0.8/29, 10.20.0.16/28, "
		"10.20.0.32/27, 10.20.0.64/26, 10.20.0.128/25\n"
		"    allow     nfs: 2049/tcp\n"
		"    allow     nfs (staged: soon would deny): 2049/udp\n"
		"    deny      default-egress: everything else\n"
		"  class 2: 10.20.0.7\n"
		"    deny      bad: everything\n"
		"\n"
		"ingress: address classes 1, service classes 3, cells 4, default deny\n"
		"  class 0: all IPv4, all IPv6\n"
		"    failsafe  ssh: 22/tcp\n"
		"    deny      default-ingress: everything else\n";
	struct build b = build_new();
	char *text;

	build_rule(&b, FR_EGRESS, "allow nfs 10.20.0.0/24 | 2049/tcp 2049/udp");
	build_rule(&b, FR_EGRESS, "deny bad 10.20.0.7 | any");
	build_rule(&b, FR_EGRESS, "staged soon any | 2049/udp icmp/8 any/gre");
	build_rule(&b, FR_INGRESS, "failsafe ssh any | 22/tcp");
	text = dump_text(&b);
	cr_assert_str_eq(text, expected);
	free(text);
	build_free(&b);
}

Test(compile_dump, long_lists_are_summed_up)
{
	struct build b = build_new();
	char *text;

	build_rule(&b, FR_EGRESS,
		   "allow many 10.0.0.1 10.0.0.3 10.0.0.5 10.0.0.7 10.0.0.9 10.0.0.11 10.0.0.13"
		   " 10.0.0.15 10.0.0.17 10.0.0.19 | 1/tcp");
	text = dump_text(&b);
	cr_assert(strstr(text, "10.0.0.15 and 2 more\n"), "%s", text);
	free(text);
	build_free(&b);
}
