/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The compiled image itself: its fixed lines, its digest, shared parts, its forms and limits. The
 * judges test its answers.
 */
#include <errno.h>
#include <stdlib.h>

#include "compile_fixture.h"

#include "../../bpf/image.h"
#include "../../user/compile/compilation.h"
#include "../judges.h"

static const char *image_digest_text(const struct image *image, char out[65])
{
	for (int i = 0; i < 32; i++)
		snprintf(out + 2 * i, 3, "%02x", image->digest[i]);
	return out;
}

static void assert_digest(struct build *b, const struct image *before, bool same)
{
	struct image now = build_image(b);
	char first[65], second[65];

	cr_assert((!strcmp(image_digest_text(before, first), image_digest_text(&now, second))) ==
			  same,
		  "%s and %s", first, second);
	image_free(&now);
}

Test(compile_image, fixed_lines_say_what_was_compiled)
{
	struct build b = build_new();
	struct image image;
	const struct fr_image_head *head;

	b.rs.enforce = true;
	b.rs.flags = FR_F_LOOPBACK | FR_F_DHCP;
	b.rs.timeout[FR_TIMEOUT_UDP] = 120;
	build_rule(&b, FR_EGRESS, "allow nfs 10.0.0.0/8 | 2049/tcp");
	image = build_image(&b);
	head = image_head(&image);
	cr_assert_eq(head->flags, (FR_F_LOOPBACK | FR_F_DHCP | FR_F_ENFORCE | FR_F_DENSE));
	cr_assert_eq(head->generation, 0);
	cr_assert_eq(head->staged, 0);
	cr_assert_eq(build_conf(&image)->rules, FR_RULE_FIRST + 1);
	cr_assert_eq(build_conf(&image)->lines, image.line_count);
	cr_assert_eq(build_conf(&image)->timeout[FR_TIMEOUT_UDP], 120);
	cr_assert_eq(build_conf(&image)->rows[FR_EGRESS], 2);
	cr_assert_eq(build_conf(&image)->rows[FR_INGRESS], 1);
	cr_assert_eq(build_ident(&image)->abi, FR_ABI_VERSION);
	cr_assert_eq(memcmp(build_ident(&image)->digest, image.digest, 32), 0);
	cr_assert_leq(head->slots + 1, image.line_count);
	image_free(&image);
	build_free(&b);
}

Test(compile_image, digest_is_of_the_image_without_itself)
{
	struct build b = build_new();
	struct image image;
	uint8_t digest[32];

	build_rule(&b, FR_INGRESS, "allow ssh any | 22/tcp");
	image = build_image(&b);
	memset((uint8_t *)image.lines + 2 * FR_LINE_BYTES + offsetof(struct fr_image_ident, digest),
	       0, sizeof(digest));
	sha256(image.lines, (size_t)image.line_count * FR_LINE_BYTES, digest);
	cr_assert_eq(memcmp(digest, image.digest, sizeof(digest)), 0);
	image_free(&image);
	build_free(&b);
}

Test(compile_image, digest_changes_with_all_that_matters_and_nothing_else)
{
	struct build b = build_new();
	struct image image;

	build_rule(&b, FR_EGRESS, "allow nfs 10.0.0.0/8 | 2049/tcp");
	build_rule(&b, FR_EGRESS, "staged no-smb 10.0.0.0/8 | 445/tcp");
	image = build_image(&b);
	assert_digest(&b, &image, true);
	b.rs.enforce = true;
	assert_digest(&b, &image, false);
	b.rs.enforce = false;
	b.rs.rules[0].id = "nfs4";
	assert_digest(&b, &image, false);
	b.rs.rules[0].id = "nfs";
	b.rs.timeout[FR_TIMEOUT_TCP_CLOSING] = 5;
	assert_digest(&b, &image, false);
	b.rs.timeout[FR_TIMEOUT_TCP_CLOSING] = 0;
	b.rs.flags ^= FR_F_DHCP;
	assert_digest(&b, &image, false);
	b.rs.flags ^= FR_F_DHCP;
	b.rs.rules[1].staged = false;
	assert_digest(&b, &image, false);
	b.rs.rules[1].staged = true;
	assert_digest(&b, &image, true);
	image_free(&image);
	build_free(&b);
}

Test(compile_image, classes_that_no_rule_tells_apart_share_a_row)
{
	struct build b = build_new();
	struct image image;

	build_rule(
		&b, FR_EGRESS,
		"allow nfs 10.0.0.0/24 10.9.0.7 192.0.2.0/28 fd00::/64 fd01::5 | 2049/tcp 2049/udp");
	build_rule(&b, FR_EGRESS, "allow same 10.0.0.0/24 | 2049/tcp");
	image = build_image(&b);
	cr_assert_eq(image.stats.address_classes[FR_EGRESS], 2);
	/* others, tcp: two and its fragments, udp: the same */
	cr_assert_eq(image.stats.cells[FR_EGRESS], 2 * 7);
	cr_assert_eq(image.stats.service_classes[FR_EGRESS], 5);
	cr_assert_eq(image.stats.address_classes[FR_INGRESS], 1);
	image_free(&image);
	build_free(&b);
}

/* The cell of a later fragment, which has no port, from one peer. */
static uint32_t fragment_cell(const struct image *image, uint8_t proto, const char *text)
{
	const struct fr_image_head *head = image_head(image);
	const struct fr_image_dir *dir = &head->dir[FR_INGRESS];
	struct fr_image_view view = {image->lines, image->line_count};
	struct fr_peer peer = {0};
	struct addr addr;

	cr_assert_eq(addr_parse(text, &addr), NET_OK);
	peer.high = (uint64_t)addr_v4(&addr) << 32;
	return image_lookup(&view, head, dir, &peer, 1,
			    image_column(&view, dir->services, proto, 0, 1));
}

Test(compile_image, fragment_column_is_the_best_that_any_port_gets)
{
	struct build b = build_new();
	struct image image;

	b.rs.default_allow[FR_INGRESS] = false;
	build_rule(&b, FR_INGRESS, "deny all 10.0.0.0/8 | any/udp");
	build_rule(&b, FR_INGRESS, "allow late 10.0.0.0/16 | 53/udp");
	build_rule(&b, FR_INGRESS, "allow nfs 10.1.0.0/16 10.2.0.0/16 | 2049/udp 2049/tcp");
	build_rule(&b, FR_INGRESS, "allow two 10.1.0.0/16 | 111/udp 20/tcp");
	build_rule(&b, FR_INGRESS, "failsafe dns 10.2.0.0/16 | 53/udp");
	build_rule(&b, FR_INGRESS, "staged no 10.1.0.0/16 | 2049/tcp");
	image = build_image(&b);
	cr_assert_eq(fragment_cell(&image, PROTO_UDP, "10.1.0.1"), FR_CELL(FR_DENY, FR_RULE_FIRST),
		     "a deny of all ports leaves no port to a fragment");
	cr_assert_eq(fragment_cell(&image, PROTO_UDP, "10.2.0.1"),
		     FR_CELL(FR_FAILSAFE_ALLOW, FR_RULE_FIRST + 4));
	cr_assert_eq(fragment_cell(&image, PROTO_UDP, "192.0.2.1"),
		     FR_CELL(FR_DENY, FR_RULE_DEFAULT_INGRESS));
	cr_assert_eq(fragment_cell(&image, PROTO_TCP, "10.2.0.1"),
		     FR_CELL(FR_ALLOW, FR_RULE_FIRST + 2));
	cr_assert_eq(fragment_cell(&image, PROTO_TCP, "10.1.0.1"),
		     FR_CELL(FR_ALLOW, FR_RULE_FIRST + 3),
		     "a plain pass comes before a staged one");
	cr_assert_eq(fragment_cell(&image, PROTO_TCP, "10.0.0.1"),
		     FR_CELL(FR_DENY, FR_RULE_DEFAULT_INGRESS));
	image_free(&image);
	build_free(&b);
}

Test(compile_image, fragment_column_names_a_rule_before_the_default)
{
	struct build b = build_new();
	struct image image;

	b.rs.default_allow[FR_INGRESS] = true;
	build_rule(&b, FR_INGRESS, "allow nfs 10.1.0.0/16 | 2049/udp");
	image = build_image(&b);
	cr_assert_eq(fragment_cell(&image, PROTO_UDP, "10.1.0.1"),
		     FR_CELL(FR_ALLOW, FR_RULE_FIRST));
	cr_assert_eq(fragment_cell(&image, PROTO_UDP, "10.2.0.1"),
		     FR_CELL(FR_ALLOW, FR_RULE_DEFAULT_INGRESS));
	image_free(&image);
	build_free(&b);
}

/* Policies of `count` rules, each with a peer and a range of its own. */
static struct image random_ranges(struct build *b, uint32_t count)
{
	struct judge_random random = {count};
	struct prefix *peers = arena_alloc(b->rs.arena, count * sizeof(*peers));
	struct service *services = arena_alloc(b->rs.arena, count * sizeof(*services));

	for (uint32_t i = 0; i < count; i++) {
		struct rule *rule = build_add(b, "range", FR_EGRESS, FR_ALLOW);
		uint16_t one = judge_next(&random), other = judge_next(&random);

		peers[i] = (struct prefix){addr_from_v4(judge_next(&random)), 128};
		services[i] = (struct service){.proto = PROTO_TCP};
		services[i].first = one < other ? one : other;
		services[i].last = one < other ? other : one;
		rule->peers = &peers[i];
		rule->services = &services[i];
		rule->peer_count = rule->service_count = 1;
	}
	return build_image(b);
}

static int compare(const struct tuple *tuple, void *context)
{
	const void *const *pair = context;
	struct decision oracle = {0}, image = {0};
	char text[96];

	ruleset_decide(pair[0], tuple, &oracle);
	image_decide(pair[1], tuple, &image);
	cr_assert(decision_equal(&oracle, &image), "%s", judge_tuple_text(tuple, text));
	return 0;
}

Test(compile_image, ten_thousand_ranges_of_their_own_stay_below_16_megabytes, .timeout = 120)
{
	struct build b = build_new();
	struct image image = random_ranges(&b, 10000);
	const void *pair[] = {&b.rs, &image};

	cr_assert(image_head(&image)->flags & FR_F_PAGED);
	cr_assert_not(image.stats.dense);
	cr_assert_leq((uint64_t)image.line_count * FR_LINE_BYTES, 16 << 20);
	boundary_tuples(&b.rs, 1, 2000, compare, pair);
	image_free(&image);
	build_free(&b);
}

/* Many peers with few ports each: rows are short, and pages would only add to them. */
Test(compile_image, many_peers_with_few_ports_make_blocks, .timeout = 120)
{
	struct build b = build_new();
	const void *pair[2];
	struct image image;

	for (uint32_t i = 0; i < 40000; i++) {
		struct rule *rule = build_add(&b, "host", FR_INGRESS, FR_ALLOW);

		rule->peers = arena_alloc(b.rs.arena, sizeof(*rule->peers));
		rule->services = arena_alloc(b.rs.arena, sizeof(*rule->services));
		*rule->peers = (struct prefix){addr_from_v4(10u << 24 | i * 3), 128};
		*rule->services = (struct service){.proto = PROTO_TCP};
		rule->services->first = rule->services->last = 1000 + i % 60;
		rule->peer_count = rule->service_count = 1;
	}
	image = build_image(&b);
	pair[0] = &b.rs;
	pair[1] = &image;
	cr_assert_not(image_head(&image)->flags & (FR_F_PAGED | FR_F_DENSE));
	cr_assert_gt(image.stats.blocks, 0);
	boundary_tuples(&b.rs, 1, 500, compare, pair);
	image_free(&image);
	build_free(&b);
}

Test(compile_image, hosts_in_one_v6_subnet_are_told_apart)
{
	struct build b = build_new();
	const void *pair[2];
	struct image image;

	for (uint64_t i = 0; i < 300; i++) {
		struct rule *rule = build_rule(&b, FR_EGRESS, "allow host ::/128 | 1/tcp");

		rule->peers[0].addr =
			addr_from_halves(0xfd00ull << 48, i < 200 ? 2 * i : ~0ull << 1 | i << 40);
		rule->services->first = rule->services->last = 1 + i % 7;
	}
	build_rule(&b, FR_EGRESS, "allow last ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff | 9/tcp");
	image = build_image(&b);
	pair[0] = &b.rs;
	pair[1] = &image;
	boundary_tuples(&b.rs, 1, 20000, compare, pair);
	image_free(&image);
	build_free(&b);
}

/* Each halves the rest: few bits a level would not get to the last one in eight levels. */
Test(compile_image, hosts_at_every_power_of_two_are_told_apart)
{
	struct build b = build_new();
	const void *pair[2];
	struct image image;

	for (int i = 0; i < 128; i++) {
		struct rule *rule = build_rule(&b, FR_EGRESS, "allow host ::/128 | 1/tcp");
		uint64_t bit = 1ull << i % 64;

		rule->peers[0].addr =
			i < 64 ? addr_from_halves(0xfd00ull << 48, bit) : addr_from_halves(bit, 5);
		rule->services->first = rule->services->last = 1 + i;
	}
	image = build_image(&b);
	pair[0] = &b.rs;
	pair[1] = &image;
	boundary_tuples(&b.rs, 1, 100000, compare, pair);
	image_free(&image);
	build_free(&b);
}

static void assert_refused(struct build *b, uint32_t line)
{
	struct image image = {.line_count = 77};

	cr_assert_eq(image_compile(&b->rs, &b->diags, &image), -E2BIG);
	cr_assert_eq(image.line_count, 77, "the output was touched");
	cr_assert_eq(b->diags.errors, 1);
	cr_assert_str_eq(b->diags.list[0].check, "image-too-big");
	cr_assert_eq(b->diags.list[0].loc.line, line, "it names line %u",
		     b->diags.list[0].loc.line);
}

/* Two lines each for hosts in a subnet of their own. lesson: a table that did not fit was loaded as
 * far as it went, without a report of the rule that was too big. */
Test(compile_image, more_addresses_than_256_MB_hold_are_refused, .timeout = 120)
{
	const size_t count = FR_MAX_LINES / 2;
	struct build b = build_new();
	struct rule *rule;

	build_rule(&b, FR_EGRESS, "allow some 10.0.0.0/8 | 1/tcp");
	build_rule(&b, FR_EGRESS, "deny any any | 2/tcp");
	rule = build_rule(&b, FR_EGRESS, "allow hosts ::/128 | 3/tcp");
	rule->peers = arena_alloc(b.rs.arena, count * sizeof(*rule->peers));
	rule->peer_count = count;
	for (size_t i = 0; i < count; i++)
		rule->peers[i].addr = addr_from_halves(0x2001ull << 48 | i << 8, 1);
	for (size_t i = 0; i < count; i++)
		rule->peers[i].length = 128;
	assert_refused(&b, rule->loc.line);
	build_free(&b);
}

Test(compile_image, more_groups_of_ports_than_a_table_can_name_are_refused, .timeout = 120)
{
	struct build b = build_new();
	struct service *services = arena_alloc(b.rs.arena, 65536 * sizeof(*services));

	for (uint32_t i = 0; i < 65536; i++) {
		struct rule *rule = build_add(&b, "port", FR_EGRESS, FR_ALLOW);

		services[i] = (struct service){.proto = PROTO_TCP, .first = i, .last = i};
		rule->any_peer = true;
		rule->services = &services[i];
		rule->service_count = 1;
	}
	assert_refused(&b, 65536);
	build_free(&b);
}

Test(compile_image, more_rules_than_an_image_can_number_are_refused)
{
	struct build b = build_new();

	b.rs.rule_count = FR_MAX_RULES - FR_RULE_FIRST + 1;
	b.rs.rules = calloc(b.rs.rule_count, sizeof(*b.rs.rules));
	b.rs.rules[b.rs.rule_count - 1].loc.line = 4711;
	assert_refused(&b, 4711);
	free(b.rs.rules);
	build_free(&b);
}

/* A host and a port for each rule, which are a row and a column. */
static struct build hosts_of_ports(uint32_t count)
{
	struct build b = build_new();

	for (uint32_t i = 0; i < count; i++) {
		struct rule *rule = build_add(&b, "host", FR_EGRESS, FR_ALLOW);

		rule->peers = arena_alloc(b.rs.arena, sizeof(*rule->peers));
		rule->services = arena_alloc(b.rs.arena, sizeof(*rule->services));
		*rule->peers = (struct prefix){addr_from_v4(10u << 24 | i * 3), 128};
		*rule->services = (struct service){.proto = PROTO_TCP, .first = i, .last = i};
		rule->peer_count = rule->service_count = 1;
	}
	return b;
}

/* image_compile() within that many lines instead of FR_MAX_LINES. */
static int compile_within(const struct ruleset *rs, uint32_t lines, struct diags *d,
			  struct image *out)
{
	struct compilation c = {.rs = rs, .d = d, .lines.most = lines};
	int err = image_build(&c, out);

	compilation_free(&c);
	return err;
}

/* The error of compiling the first `rules` within that many lines, NULL if there is none. */
static const struct diag *refusal(struct build *b, size_t rules, uint32_t lines)
{
	struct ruleset some = b->rs;
	struct image image = {0};

	some.rule_count = rules;
	b->diags.count = b->diags.errors = 0;
	if (!compile_within(&some, lines, &b->diags, &image)) {
		image_free(&image);
		return NULL;
	}
	cr_assert_eq(b->diags.errors, 1);
	cr_assert_str_eq(b->diags.list[0].check, "image-too-big");
	return &b->diags.list[0];
}

/* The limit is made small, so that the test is. */
Test(compile_image, too_many_rows_are_refused_at_the_rule_that_went_over)
{
	struct build b = hosts_of_ports(600);
	const struct diag *found = refusal(&b, 600, 300);
	uint32_t line;

	cr_assert(found && strstr(found->message, "its rows need"), "%s", found->message);
	line = found->loc.line;
	cr_assert(line > 100 && line < 300, "line %u", line);
	found = refusal(&b, 600, 600);
	cr_assert(found && strstr(found->message, "its rows need"), "%s", found->message);
	cr_assert(found->loc.line >= 2 * line - 3 && found->loc.line <= 2 * line + 3,
		  "twice the room ends at line %u, not at twice %u", found->loc.line, line);
	build_free(&b);
}

Test(compile_image, a_matrix_takes_all_the_room_there_is_and_not_a_line_more)
{
	struct build b = hosts_of_ports(600);
	struct image image = build_image(&b);
	const struct diag *found;

	cr_assert_null(refusal(&b, 600, image.line_count));
	found = refusal(&b, 600, image.line_count - 1);
	cr_assert(found && strstr(found->message, "its matrix needs"));
	cr_assert(found->loc.line >= 598, "all but the last row fit: line %u", found->loc.line);
	found = refusal(&b, 600, image.line_count - image.stats.matrix_lines / 2);
	cr_assert(found->loc.line > 298 && found->loc.line < 304, "line %u", found->loc.line);
	image_free(&image);
	build_free(&b);
}

static int count_to_ten(const struct tuple *tuple, void *context)
{
	cr_assert_lt(tuple->dir, FR_DIRS);
	return ++*(int *)context == 10 ? 42 : 0;
}

Test(compile_image, corners_stop_when_told_and_keep_to_the_limit)
{
	struct build b = build_new();
	int count = 0;

	build_rule(&b, FR_EGRESS, "allow nfs 10.0.0.0/8 | 2049/tcp");
	cr_assert_eq(boundary_tuples(&b.rs, 1, 1000, count_to_ten, &count), 42);
	cr_assert_eq(count, 10);
	count = 0;
	cr_assert_eq(boundary_tuples(&b.rs, 1, 9, count_to_ten, &count), 0);
	cr_assert_eq(count, 9);
	build_free(&b);
}

/* ---------------------------------------------------------------- the list of failsafe rules */

static void assert_entry(const struct fr_failsafe_entry *entry, uint32_t rule, const char *peer,
			 uint32_t ask, uint16_t first, uint16_t last)
{
	struct prefix prefix;
	bool v4;

	cr_assert_eq(prefix_parse(peer, &prefix), NET_OK);
	v4 = prefix_is_v4(&prefix);
	cr_assert_eq(entry->rule, FR_RULE_FIRST + rule);
	cr_assert_eq(entry->high,
		     v4 ? (uint64_t)addr_v4(&prefix.addr) << 32 : addr_high(&prefix.addr));
	cr_assert_eq(entry->low, v4 ? 0 : addr_low(&prefix.addr));
	cr_assert_eq(entry->mask_high, mask_high(prefix.length - (v4 ? 96 : 0)));
	cr_assert_eq(entry->mask_low, v4 ? 0 : mask_low(prefix.length));
	cr_assert_eq(entry->ask, ask | (v4 ? FR_ASK_V4 : 0));
	cr_assert_eq(entry->mask_ask, 255u << FR_ASK_PROTO | 1u << FR_ASK_OPENER | FR_ASK_V4);
	cr_assert(entry->first == first && entry->last == last);
}

Test(compile_image, failsafe_rules_are_a_list_in_their_order)
{
	const uint32_t tcp_in = PROTO_TCP << FR_ASK_PROTO | FR_INGRESS << FR_ASK_OPENER;
	const uint32_t udp_out = PROTO_UDP << FR_ASK_PROTO | FR_EGRESS << FR_ASK_OPENER;
	struct build b = build_new();
	const struct fr_failsafe *list;
	struct image image;

	build_rule(&b, FR_INGRESS, "failsafe ssh 10.0.0.0/24 fd00:0:0:1:8000::/68 | 22/tcp");
	build_rule(&b, FR_INGRESS, "allow web any | 443/tcp");
	build_rule(&b, FR_EGRESS, "failsafe dns 10.0.0.53 | 53/udp 1024-2000/udp");
	build_rule(&b, FR_INGRESS, "failsafe all any | any");
	image = build_image(&b);
	list = &image.failsafe;
	cr_assert_eq(list->count, 5);
	assert_entry(&list->entry[0], 0, "10.0.0.0/24", tcp_in, 22, 22);
	assert_entry(&list->entry[1], 0, "fd00:0:0:1:8000::/68", tcp_in, 22, 22);
	assert_entry(&list->entry[2], 2, "10.0.0.53", udp_out, 53, 53);
	assert_entry(&list->entry[3], 2, "10.0.0.53", udp_out, 1024, 2000);
	cr_assert(list->entry[4].mask_ask == 1u << FR_ASK_OPENER && !list->entry[4].mask_high &&
		  !list->entry[4].mask_low && list->entry[4].last == 65535);
	image_free(&image);
	build_free(&b);
}
