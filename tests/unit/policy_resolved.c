/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A policy with everything it used, as one document: it reads back as the same image and the same
 * text, one text for one policy; and the differences of two.
 */
#include <glob.h>

#include "../../user/compile/compile.h"
#include "policy_fixture.h"

static const char table_text[] =
	"apiVersion: flowreeve/v1\n"
	"kind: PortTable\n"
	"metadata: {name: acme, title: \"Acme: a \\\"vendor\\\"\", document: acme.txt, url: \"https://acme.example/ports\", read: 2026-03-01}\n"
	"params:\n"
	"  region: {type: string, required: true}\n"
	"  version: {type: version}\n"
	"  fast: {type: bool, default: no}\n"
	"roles:\n"
	"  agent: {title: Agent}\n"
	"  server: {}\n"
	"  support: {addresses: [54.201.223.107/32]}\n"
	"rows:\n"
	"  - {id: data, from: agent, to: server, ports: [2049/tcp, 2049/udp], purpose: mounts, note: inferred,\n"
	"     source: {section: storage, line: 17, lines: [17, 94]}}\n"
	"  - {id: back, from: server, to: agent, ports: [7000-7004/tcp]}\n"
	"  - {id: support, from: agent, to: support, ports: [22/tcp], optional: true, source: {line: 72}}\n";

/* Every key, every kind of peer, a role with many members, a table used twice. */
static const char rich_text[] =
	"apiVersion: flowreeve/v1\n"
	"kind: Policy\n"
	"metadata: {name: rich}\n"
	"mode: enforce\n"
	"attach: {interfaces: [eth0, \"wl*\"], guests: [tap0, tap1], cgroups: [/a.slice/b.service]}\n"
	"party: [tap0, tap1]\n"
	"prefixes: {s3: {file: s3.txt, format: list}, spare: {file: s3.txt}}\n"
	"use:\n"
	"  - table: acme\n"
	"    as: agent\n"
	"    set: {region: \"007\", version: \"7.10\", fast: on}\n"
	"    peers: {server: [10.1.0.1, 10.1.0.3, 10.1.0.5, 10.1.0.7, 10.1.0.9, 10.1.0.11, 10.1.0.13,\n"
	"                     10.1.0.15, 10.1.0.17, \"fd00::17\"]}\n"
	"    with: [support]\n"
	"  - {table: acme, as: agent, set: {region: eu}, peers: {server: [10.2.0.1, 10.2.0.3, 10.2.0.5,\n"
	"     10.2.0.7, 10.2.0.9, 10.2.0.11, 10.2.0.13, 10.2.0.15, 10.2.0.17]}}\n"
	"  - {table: acme, as: server, set: {region: null-island}, peers: {agent: [prefixes/s3]}}\n"
	"rules:\n"
	"  - {id: one, direction: egress, peer: any, ports: [any], action: deny, mode: audit}\n"
	"  - {id: two, direction: egress, peer: [prefixes/s3], ports: [443/tcp, any/47, 1-9/sctp], action: allow}\n"
	"  - {id: three, direction: ingress, peer: [prefixes/s3, 10.9.9.9], ports: [icmp/echo-request, icmp/3/4,\n"
	"     icmp/any, any/icmpv6, icmpv6/2/0, any/udp], action: allow, purpose: \"x\\u202e\\u0085 \\\"y\\\" # {z}\\n\"}\n"
	"  - {id: \"null\", direction: ingress, peer: \"::/0\", ports: 80/tcp, action: deny, comment: null-op}\n"
	"  - {id: ask, direction: egress, peer: 10.0.0.5, ports: [500/udp], action: allow, answers: peer-any-port}\n"
	"failsafe: [22/tcp, {id: console, peer: 10.0.0.0/24, ports: [443/tcp, 80/tcp], purpose: \"off\"},\n"
	"           {direction: egress, peer: 10.0.0.53, ports: 53/udp}]\n"
	"default: {ingress: deny, egress: allow}\n"
	"builtin: {dhcp: off, mld: off}\n"
	"forwarded: judge\n"
	"ipsec: judge\n"
	"non-ip: allow\n"
	"adopt: 0s\n"
	"timeouts: {tcp-established: 2h, event: 1s}\n";

/* ---------------------------------------------------------------- texts */

struct collected {
	struct arena *arena;
	char *text;
	size_t size, capacity;
};

static void on_piece(const struct resolved_entry *entry, void *context)
{
	struct collected *all = context;

	while (all->size + entry->size + 1 > all->capacity) {
		all->capacity = 2 * all->capacity + 4096;
		all->text = memory_resize(all->text, all->capacity);
	}
	memcpy(all->text + all->size, entry->text, entry->size);
	all->size += entry->size;
	all->text[all->size] = '\0';
}

static const char *written(struct load *l, const struct ruleset *rs, bool places)
{
	struct collected all = {.arena = l->d.arena};
	const char *text;

	ruleset_write(rs, places, on_piece, &all);
	text = arena_strdup(l->d.arena, all.text);
	free(all.text);
	return text;
}

static struct ruleset *read_again(struct load *l, const char *text)
{
	struct source source = {.name = "document", .text = text, .size = strlen(text)};
	struct policy_options options = {.instead = &source};
	struct ruleset *rs = NULL;

	cr_assert_eq(policy_load("document", &options, &l->d, &rs), 0, "%s\n%s", load_all(l), text);
	return rs;
}

static const char *digest_of(struct load *l, const struct ruleset *rs)
{
	char text[DIGEST_TEXT];
	struct image image;

	cr_assert_eq(image_compile(rs, &l->d, &image), 0, "%s", load_all(l));
	digest_text(image.digest, text);
	image_free(&image);
	return arena_strdup(l->d.arena, text);
}

static struct load load_rich(const char *text)
{
	struct load l = load_new();

	load_file(&l, "tables/acme.yaml", table_text);
	load_file(&l, "s3.txt", "10.77.0.0/24\n10.78.0.0/23\nfd77::/64\n");
	cr_assert_eq(load_text(&l, text), 0, "%s", load_all(&l));
	return l;
}

/* ---------------------------------------------------------------- there and back */

static void expect_same_rule(const struct rule *a, const struct rule *b)
{
	const struct origin *o = rule_origin(a), *p = rule_origin(b);

	cr_expect_str_eq(a->id, b->id);
	cr_expect_eq(rule_line(a), rule_line(b), "%s: %u %u", a->id, rule_line(a), rule_line(b));
	cr_expect(str_equal(a->role, b->role), "%s", a->id);
	cr_expect(str_equal(o->table, p->table) && str_equal(o->row, p->row), "%s", a->id);
	cr_expect(o->line == p->line && str_equal(o->lines, p->lines), "%s", a->id);
	cr_expect(str_equal(o->document, p->document), "%s", a->id);
	cr_expect(str_equal(o->section, p->section), "%s", a->id);
	cr_expect(str_equal(o->purpose, p->purpose), "%s: %s %s", a->id, o->purpose, p->purpose);
	cr_expect(str_equal(o->from, p->from) && str_equal(o->to, p->to), "%s", a->id);
	cr_expect(str_equal(o->note, p->note) && o->optional == p->optional, "%s", a->id);
}

static void expect_there_and_back(struct load *l, const char *what)
{
	const char *text = written(l, l->rs, true);
	struct ruleset *again = read_again(l, text);

	cr_expect_str_eq(written(l, again, true), text, "%s", what);
	cr_expect_str_eq(digest_of(l, again), digest_of(l, l->rs), "%s", what);
	cr_expect_eq(again->failsafe_open, l->rs->failsafe_open, "%s", what);
	cr_assert_eq(again->rule_count, l->rs->rule_count, "%s", what);
	for (size_t i = 0; i < again->rule_count; i++)
		expect_same_rule(&l->rs->rules[i], &again->rules[i]);
}

Test(resolved, a_document_is_the_same_policy_and_the_same_text)
{
	struct load l = load_rich(rich_text);

	expect_there_and_back(&l, "rich");
	cr_assert_null(strstr(written(&l, l.rs, true), "\xe2\x80\xae"), "it controls a terminal");
	load_free(&l);
}

Test(resolved, every_example_is)
{
	glob_t found;

	cr_assert_eq(glob("policies/examples/*-*.yaml", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct load l = load_new();

		cr_assert_eq(policy_load(found.gl_pathv[i], &l.options, &l.d, &l.rs), 0);
		expect_there_and_back(&l, found.gl_pathv[i]);
		load_free(&l);
	}
	cr_expect_geq(found.gl_pathc, 12);
	globfree(&found);
}

Test(resolved, local_subnets_are_in_it_as_addresses)
{
	const char *text =
		HEAD "rules: [{id: r, direction: egress, peer: [local-subnet, 10.3.3.3], "
		     "ports: 1/tcp, action: allow}]\n";
	struct load l = load_new();
	struct prefix local;

	cr_assert_eq(load_text(&l, text), 0);
	cr_expect(strstr(written(&l, l.rs, true), "peer: [10.3.3.3, local-subnet]"));
	expect_there_and_back(&l, "not known");
	cr_assert_eq(prefix_parse("10.4.0.0/16", &local), NET_OK);
	l.options.local_known = true;
	l.options.local = &local;
	l.options.local_count = 1;
	cr_assert_eq(load_text(&l, text), 0);
	cr_expect(strstr(written(&l, l.rs, true), "peer: [10.3.3.3, 10.4.0.0/16]"));
	expect_there_and_back(&l, "known");
	load_free(&l);
}

/* So large that it is read in parts. */
Test(resolved, a_large_one_is_read_in_parts_to_the_same)
{
	struct load l = load_new();
	char *text CLEANUP(free_ptr) = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs(HEAD "rules:\n", out);
	for (unsigned i = 0; i < 20000; i++)
		fprintf(out,
			"  - {id: r%u, direction: ingress, peer: [10.%u.%u.%u], ports: [%u/tcp], "
			"action: allow}\n",
			i, i % 256, i / 256, i % 7, i + 1);
	fclose(out);
	cr_assert_eq(load_text(&l, text), 0, "%s", load_all(&l));
	expect_there_and_back(&l, "large");
	load_free(&l);
}

/* ---------------------------------------------------------------- one text for one policy */

Test(resolved, order_of_keys_and_layout_do_not_show)
{
	struct load a = load_rich("apiVersion: flowreeve/v1\nkind: Policy\nmetadata: {name: a}\n"
				  "mode: audit\nattach: {cgroups: [/a]}\nfailsafe: []\n"
				  "default: {egress: deny}\n"
				  "rules: [{id: r, direction: egress, peer: [10.0.0.2, 10.0.0.1], "
				  "ports: [443/tcp], action: allow}]\n");
	struct load b = load_rich("# a comment\nkind: Policy\napiVersion: flowreeve/v1\n"
				  "attach: {cgroups: /a}\nrules:\n  - action: allow\n"
				  "    ports: 443/tcp\n    peer:\n      - 10.0.0.1/32\n"
				  "      - 10.0.0.2\n    direction: egress\n    id: r\n"
				  "failsafe: []\nmetadata: {name: a}\nmode: audit\n");

	cr_expect_str_eq(written(&a, a.rs, false), written(&b, b.rs, false));
	cr_expect_str_eq(digest_of(&a, a.rs), digest_of(&b, b.rs));
	load_free(&a);
	load_free(&b);
}

Test(resolved, it_names_files_and_lines)
{
	struct load l = load_rich(rich_text);
	const char *text = written(&l, l.rs, true), *bare = written(&l, l.rs, false);

	cr_expect(strstr(text, "/policy.yaml}\n"), "%s", text);
	cr_expect(strstr(text, "/tables/acme.yaml\n"), "%s", text);
	cr_expect(strstr(text, "/s3.txt\n"), "%s", text);
	cr_expect(strstr(text, "peer: [prefixes/acme/server]"), "%s", text);
	cr_expect(strstr(text, "peer: [prefixes/acme/server/2]"), "%s", text);
	cr_expect(strstr(text, "- {id: one, direction: egress, peer: any, ports: [any], "
			       "action: deny, mode: audit, line: 19}\n"),
		  "%s", text);
	cr_expect(strstr(text, "  row: {table: acme, row: data, line: 17, lines: \"17, 94\", "
			       "from: agent, to: server}\n"),
		  "%s", text);
	cr_expect_null(strstr(bare, l.dir), "%s", bare);
	cr_expect_null(strstr(bare, "line: 19"), "%s", bare);
	cr_expect_null(strstr(text, "spare"), "a set that no rule names is in it");
	load_free(&l);
}

/* ---------------------------------------------------------------- refused */

static void expect_refused(const char *text, const char *check)
{
	struct load l = load_new();

	cr_expect_neq(load_text(&l, text), 0, "%s", text);
	cr_expect(load_find(&l, check), "%s is not reported: %s", check, load_all(&l));
	load_free(&l);
}

#define RESOLVED                                                                                   \
	"apiVersion: flowreeve/v1\nkind: ResolvedPolicy\nmetadata: {name: a}\nmode: audit\n"       \
	"attach: {cgroups: [/a]}\nfailsafe: []\n"
#define RESOLVED_RULE(more)                                                                        \
	"rules: [{id: a/b, direction: egress, peer: any, ports: [1/tcp], action: allow" more "}]\n"

Test(resolved, each_kind_has_its_own_keys)
{
	struct load l = load_new();

	cr_assert_eq(load_text(&l, RESOLVED RESOLVED_RULE("")), 0, "%s", load_all(&l));
	load_free(&l);
	expect_refused(RESOLVED RESOLVED_RULE("") "use: [{table: x, as: y}]\n", "unknown-key");
	expect_refused(HEAD RULE "tables: []\n", "unknown-key");
	expect_refused(HEAD RULE "source: {file: x}\n", "unknown-key");
	expect_refused(HEAD "rules: [{id: r, direction: egress, peer: any, ports: [1/tcp], "
			    "action: allow, line: 3}]\n",
		       "unknown-key");
	expect_refused(HEAD RESOLVED_RULE(""), "bad-name");
	expect_refused(RESOLVED RESOLVED_RULE(", line: x"), "bad-line");
	expect_refused(RESOLVED RESOLVED_RULE(", row: {table: t}"), "missing-key");
	expect_refused(RESOLVED RESOLVED_RULE("") "prefixes: {a: {file: x}}\n", "missing-key");
	expect_refused(RESOLVED RESOLVED_RULE("") "prefixes: {a: {addresses: [any]}}\n",
		       "bad-prefixes");
	expect_refused(RESOLVED RESOLVED_RULE("") "tables: [{title: x}]\n", "missing-key");
	expect_refused(RESOLVED "rules: [{id: default-egress, direction: egress, peer: any, "
				"ports: [1/tcp], action: allow}]\n",
		       "bad-name");
}

/* ---------------------------------------------------------------- differences */

struct two {
	struct load l;
	struct ruleset_diff diff;
};

static struct two diff_of(const char *before, const char *after)
{
	struct two two = {.l = load_rich(before)};
	struct ruleset *old = two.l.rs;

	cr_assert_eq(load_text(&two.l, after), 0, "%s", load_all(&two.l));
	rulesets_diff(old, two.l.rs, two.l.d.arena, &two.diff);
	return two;
}

static void expect_change(const struct two *two, size_t at, const char *words)
{
	const struct resolved_change *change = &two->diff.list[at];
	const char *text = arena_printf(two->l.d.arena, "%s %s %s", change->section,
					change->group ?: "-", change->name);

	if (change->before)
		text = arena_printf(two->l.d.arena, "%s before", text);
	if (change->after)
		text = arena_printf(two->l.d.arena, "%s after", text);
	cr_assert_lt(at, two->diff.count);
	cr_expect_str_eq(text, words);
}

#define ONE "  - {id: a, direction: egress, peer: 10.0.0.1, ports: 1/tcp, action: allow}\n"
#define TWO "  - {id: b, direction: egress, peer: 10.0.0.2, ports: 1/tcp, action: allow}\n"
#define TWO_IN "  - {id: b, direction: ingress, peer: 10.0.0.2, ports: 1/tcp, action: allow}\n"

Test(resolved, differences_are_of_rules_not_of_lines)
{
	struct two same = diff_of(HEAD "rules:\n" ONE TWO, HEAD "\n\nrules:\n" ONE "\n" TWO);
	struct two moved = diff_of(HEAD "rules:\n" ONE TWO, HEAD "rules:\n" TWO ONE);
	struct two turned = diff_of(HEAD "rules:\n" ONE TWO, HEAD "rules:\n" ONE TWO_IN);
	struct two mode =
		diff_of(HEAD "rules:\n" ONE, HEAD "rules:\n" ONE "default: {egress: allow}\n");

	cr_expect(!same.diff.count && !same.diff.reordered);
	cr_expect(!moved.diff.count && moved.diff.reordered);
	cr_assert_eq(turned.diff.count, 2);
	expect_change(&turned, 0, "rules - b before");
	expect_change(&turned, 1, "rules - b after");
	cr_assert_eq(mode.diff.count, 1);
	expect_change(&mode, 0, "default - default before after");
	load_free(&same.l);
	load_free(&moved.l);
	load_free(&turned.l);
	load_free(&mode.l);
}

Test(resolved, differences_of_tables_and_sets)
{
	char *other = strdup(rich_text), *at;
	struct two two;

	at = strstr(other, "region: eu");
	memcpy(at, "region: us", strlen("region: us"));
	at = strstr(other, "10.2.0.17");
	memcpy(at, "10.2.0.19", strlen("10.2.0.19"));
	at = strstr(other, "80/tcp, action: deny");
	memcpy(at, "81", 2);
	two = diff_of(rich_text, other);
	cr_assert_eq(two.diff.count, 4);
	expect_change(&two, 0, "tables acme set.region before after");
	expect_change(&two, 1, "prefixes acme/server/2 10.2.0.17 before");
	expect_change(&two, 2, "prefixes acme/server/2 10.2.0.19 after");
	expect_change(&two, 3, "rules - null before after");
	load_free(&two.l);
	free(other);
}

/* ---------------------------------------------------------------- words */

static void expect_word(const char *text, const char *yaml)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();

	cr_expect_str_eq(yaml_text(arena, text), yaml);
}

Test(resolved, words_that_mean_something_else_are_quoted)
{
	expect_word("eth0", "eth0");
	expect_word("/system.slice/ssh.service", "/system.slice/ssh.service");
	expect_word("", "\"\"");
	expect_word("null", "\"null\"");
	expect_word("No", "\"No\"");
	expect_word("7.10", "\"7.10\"");
	expect_word("0x1f", "\"0x1f\"");
	expect_word("443/tcp", "443/tcp");
	expect_word("-a", "\"-a\"");
	expect_word("a: b", "\"a: b\"");
	expect_word("a\"\\\n", "\"a\\\"\\\\\\x0a\"");
	expect_word("\xc3\xbc", "\"\xc3\xbc\"");
	expect_word("\xc2\x85\xe2\x80\xa8\xef\xbb\xbf\xe2\x80\xae",
		    "\"\\x85\\u2028\\ufeff\\u202e\"");
	expect_word("\xff\xc3\x01\x7f", "\"????\"");
}

/* ---------------------------------------------------------------- packed */

static struct packed pack_text(const char *text, size_t size)
{
	struct packer *packer = pack_begin();
	struct packed packed;

	for (size_t at = 0; at < size; at += 1000)
		pack_add(packer, text + at, size - at < 1000 ? size - at : 1000);
	pack_end(packer, &packed);
	return packed;
}

static void expect_packs(const char *text, size_t size)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct packed CLEANUP(packed_free) packed = pack_text(text, size);
	struct source out = {0};

	cr_assert_eq(packed_open(arena, &packed, &out), 0, "%zu", size);
	cr_expect_eq(out.size, size);
	cr_expect_eq(memcmp(out.text, text, size), 0);
	((char *)packed.bytes)[packed.packed_size / 2] ^= 1;
	cr_expect_eq(packed_open(arena, &packed, &out), -EBADMSG);
}

Test(resolved, packed_texts_come_back_whole_or_not_at_all)
{
	enum { SIZE = 1 << 20 };
	char *text CLEANUP(free_ptr) = malloc(SIZE);
	uint32_t random = 1;

	for (size_t i = 0; i < SIZE; i++) {
		random = random * 1664525 + 1013904223;
		text[i] = (char)(1 + (random >> 24) % 255);
	}
	expect_packs("", 0);
	expect_packs("x", 1);
	expect_packs(text, 65536);
	expect_packs(text, SIZE);
	memset(text, 'a', SIZE);
	expect_packs(text, SIZE);
}
