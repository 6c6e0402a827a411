/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Edits of learn in files of every style: a line goes where a person would have put it, patch makes
 * of the old file exactly the new one, and the new one allows the requested traffic and no other.
 */
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "../../user/render/render.h"
#include "policy_fixture.h"

extern char **environ;

#define USE                                                                                        \
	"use:\n  - table: aws-datasync\n    edition: 2024-09\n    as: agent\n    set: {region: us-east-2, endpoint: vpc, storage: [nfs]}\n"
#define ENDS "      vpc-endpoint: [10.0.5.10]\n      task-interface: [10.0.5.20/30]\n"

struct asked {
	const char *peer;
	uint8_t dir, proto;
	uint16_t port;
};

#define NFS(address)                                                                               \
	{                                                                                          \
		address, FR_EGRESS, PROTO_TCP, 2049                                                \
	}
#define WEB(address)                                                                               \
	{                                                                                          \
		address, FR_EGRESS, PROTO_TCP, 8443                                                \
	}

/* ---------------------------------------------------------------- proving */

static struct tuple tuple_of(const struct asked *asked)
{
	struct tuple tuple = {.dir = asked->dir, .proto = asked->proto, .port = asked->port};

	cr_assert_eq(addr_parse(asked->peer, &tuple.peer), NET_OK, "%s", asked->peer);
	return tuple;
}

static void old_is_refused(const struct ruleset *rs, const struct tuple *tuple)
{
	struct decision decision;

	ruleset_decide(rs, tuple, &decision);
	cr_assert_eq(decision.verdict, FR_DROP, "the file refuses it before");
}

/* For peers outside the request, nothing changes. */
static void others_as_before(const struct ruleset *before, const struct ruleset *after,
			     const struct proposal *list, size_t count)
{
	static const uint16_t ports[] = {0, 1, 22, 53, 80, 443, 1024, 2049, 8443, 65535};

	srand(7);
	for (int i = 0; i < 3000; i++) {
		struct tuple tuple = list[rand() % count].tuple;
		struct decision was, is;

		tuple.dir = rand() & 1;
		tuple.proto = rand() & 1 ? PROTO_TCP : PROTO_UDP;
		tuple.port = rand() & 1 ? ports[rand() % ARRAY_SIZE(ports)] : rand();
		tuple.peer.b[12 + rand() % 4] ^= 1 << rand() % 8;
		ruleset_decide(before, &tuple, &was);
		ruleset_decide(after, &tuple, &is);
		for (size_t j = 0; j < count; j++)
			if (!memcmp(&tuple.peer, &list[j].tuple.peer, sizeof(tuple.peer)))
				is.verdict = was.verdict;
		cr_assert_eq(is.verdict, was.verdict, "a peer that was not asked for");
	}
}

/* With rules alone, of the peer itself nothing else either. */
static void peer_as_before(const struct ruleset *before, const struct ruleset *after,
			   const struct proposal *list, size_t count)
{
	for (uint32_t port = 0; port < 65536; port += port < 10000 ? 1 : 97)
		for (size_t i = 0; i < count; i++) {
			struct tuple tuple = list[i].tuple;
			struct decision was, is;
			bool asked = false;

			tuple.port = port;
			for (size_t j = 0; j < count; j++)
				asked |= !memcmp(&tuple, &list[j].tuple, sizeof(tuple));
			ruleset_decide(before, &tuple, &was);
			ruleset_decide(after, &tuple, &is);
			cr_assert(asked || is.verdict == was.verdict, "port %u", port);
		}
}

static const char *diff_of(struct load *l, const struct learn_view *view)
{
	char *text CLEANUP(free_ptr) = NULL;
	size_t size;
	struct render render = {.out = open_memstream(&text, &size)};

	render_learn(&render, l->d.arena, view);
	fclose(render.out);
	return arena_strdup(l->d.arena, text);
}

static void patch_makes(struct load *l, const char *diff, const struct source *wanted)
{
	const char *path = arena_printf(l->d.arena, "%s/policy.yaml", l->dir);
	const char *words[] = {"patch", "--quiet", "--binary", path, load_file(l, "diff", diff),
			       NULL};
	struct source *got;
	pid_t child;
	int status;

	cr_assert_eq(posix_spawnp(&child, "patch", NULL, NULL, (char **)words, environ), 0);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0, "patch takes\n%s", diff);
	cr_assert_eq(source_read(l->d.arena, path, 1 << 20, &got), 0);
	cr_assert_eq(got->size, wanted->size, "as many bytes:\n%s\n%s", diff, got->text);
	cr_assert_eq(memcmp(got->text, wanted->text, got->size), 0, "%s", got->text);
}

static struct port_set given_out;
static const struct port_set *served;

/* The new text, proven. */
static const char *learnt(struct load *l, const char *text, bool rules_only,
			  const struct asked *asked, size_t count, struct proposal *list)
{
	const char *path = arena_printf(l->d.arena, "%s/policy.yaml", l->dir);
	struct edit edit;
	struct learn_view view = {.policy = "test", .edit = &edit, .list = list, .count = count};
	struct ruleset *before;

	if (!port_set_has(&given_out, PORTS_GIVEN_OUT))
		port_set_usual(&given_out);
	l->options.tables_dir = "policies/tables";
	l->options.instead = NULL;
	cr_assert_eq(load_text(l, text), 0, "%s", load_all(l));
	before = l->rs;
	memset(list, 0, count * sizeof(*list));
	for (size_t i = 0; i < count; i++) {
		list[i].tuple = tuple_of(&asked[i]);
		list[i].seen = "it";
		old_is_refused(before, &list[i].tuple);
	}
	cr_assert_eq(edit_begin(l->d.arena, path, &edit), 0);
	policy_propose(before, &(struct propose_options){rules_only, &given_out, served}, &edit,
		       list, count);
	l->options.instead = edit_finish(&edit);
	cr_assert_eq(policy_load(path, &l->options, &l->d, &l->rs), 0, "%s\n%s", load_all(l),
		     l->options.instead->text);
	for (size_t i = 0; i < count; i++) {
		struct decision decision;

		ruleset_decide(l->rs, &list[i].tuple, &decision);
		cr_assert_eq(decision.verdict == FR_PASS, list[i].kind != PROPOSAL_NONE, "%s",
			     l->options.instead->text);
	}
	others_as_before(before, l->rs, list, count);
	if (rules_only)
		peer_as_before(before, l->rs, list, count);
	if (edit.count)
		patch_makes(l, diff_of(l, &view), l->options.instead);
	return l->options.instead->text;
}

#define LEARNT(text, rules_only, ...)                                                              \
	({                                                                                         \
		static const struct asked asked_[] = {__VA_ARGS__};                                \
		static struct proposal list_[ARRAY_SIZE(asked_)];                                  \
		proposals = list_;                                                                 \
		learnt(&l, text, rules_only, asked_, ARRAY_SIZE(asked_), list_);                   \
	})

/* The file `HEAD head OLD tail` becomes `HEAD head NEW tail`. */
#define BECOMES(head, old, new, tail, ...)                                                         \
	do {                                                                                       \
		struct load l = load_new();                                                        \
		struct proposal *proposals;                                                        \
		const char *got = LEARNT(HEAD head old tail, false, __VA_ARGS__);                  \
                                                                                                   \
		cr_expect_str_eq(got, HEAD head new tail, "%s", got);                              \
		(void)proposals;                                                                   \
		load_free(&l);                                                                     \
	} while (0)

/* ---------------------------------------------------------------- peers */

Test(learn, a_peer_joins_the_list_in_its_own_style)
{
	BECOMES(USE "    peers:\n" ENDS, "      nfs-server: [10.20.1.0/30]   # theirs\n",
		"      nfs-server: [10.20.1.0/30, 10.20.1.5]   # theirs\n", "", NFS("10.20.1.5"));
	BECOMES(USE "    peers:\n" ENDS, "      nfs-server: [10.20.1.0/30, \"fd00:20::4\"]\n",
		"      nfs-server: [10.20.1.0/30, \"fd00:20::4\", \"fd00:20::5\", 10.20.1.5]\n", "",
		NFS("fd00:20::5"), NFS("10.20.1.5"));
	BECOMES(USE "    peers:\n" ENDS,
		"      nfs-server: [\n        10.20.1.0/30, # a\n        10.21.0.0/24  # b\n      ]\n",
		"      nfs-server: [\n        10.20.1.0/30, # a\n        10.21.0.0/24, 10.20.1.5  # b\n      ]\n",
		"", NFS("10.20.1.5"));
	BECOMES(USE "    peers:\n" ENDS,
		"      nfs-server:\n          - 10.20.1.0/30   # das größte\n\n",
		"      nfs-server:\n          - 10.20.1.0/30   # das größte\n          - 10.20.1.5\n          - 10.20.1.6\n\n",
		"# the end\n", NFS("10.20.1.5"), NFS("10.20.1.6"));
	BECOMES(USE "    peers:\n" ENDS, "      nfs-server: 10.20.1.7 # one\n",
		"      nfs-server: [10.20.1.7, 10.20.1.5, 10.20.1.6] # one\n", "", NFS("10.20.1.5"),
		NFS("10.20.1.6"));
	BECOMES(USE
		"    peers: {vpc-endpoint: [10.0.5.10], task-interface: [10.0.5.20/30], nfs-server: ",
		"['10.20.1.7']", "['10.20.1.7', 10.20.1.5]", "}\n", NFS("10.20.1.5"));
}

Test(learn, one_address_is_added_once_and_told_with_what_it_comes_under)
{
	struct load l = load_new();
	struct proposal *proposals;
	const char *text = LEARNT(
		HEAD "use:\n  - table: qumulo\n    as: client\n    set: {platform: on-prem}\n"
		     "    peers: {node: [10.8.0.1]}\n",
		false, {"10.8.0.2", FR_EGRESS, PROTO_TCP, 2049},
		{"10.8.0.2", FR_EGRESS, PROTO_TCP, 445});

	cr_expect(strstr(text, "{node: [10.8.0.1, 10.8.0.2]}"), "%s", text);
	cr_expect_eq(proposals[0].kind, PROPOSAL_PEER);
	cr_expect_str_eq(proposals[0].role, "node");
	cr_expect_gt(proposals[0].gain_count, 1);
	cr_expect(proposals[1].again);
	load_free(&l);
}

Test(learn, what_the_role_does_not_serve_gets_a_rule_all_the_same)
{
	struct load l = load_new();
	struct proposal *proposals;

	LEARNT(HEAD "use:\n  - table: qumulo\n    as: client\n    set: {platform: on-prem}\n"
		    "    peers: {node: [10.8.0.1]}\nrules:\n"
		    "  - {id: r, direction: egress, peer: 10.7.0.1, ports: 1/tcp, action: allow}\n",
	       false, {"10.8.0.2", FR_EGRESS, PROTO_TCP, 2049},
	       {"10.8.0.2", FR_EGRESS, PROTO_TCP, 99});
	cr_expect_eq(proposals[0].kind, PROPOSAL_PEER);
	cr_expect_eq(proposals[1].kind, PROPOSAL_RULE);
	load_free(&l);
}

Test(learn, byte_order_marks_and_other_ends_of_lines_stay)
{
	BECOMES("rules:\r\n",
		"  - {id: r, direction: egress, peer: any, ports: 1/tcp, action: allow}\r\n",
		"  - {id: r, direction: egress, peer: any, ports: 1/tcp, action: allow}\r\n"
		"  # seen: it\r\n"
		"  - {id: learned-1, direction: egress, peer: [10.9.0.1], ports: [8443/tcp], action: allow}\r\n",
		"# end\r\n", WEB("10.9.0.1"));
	BECOMES("rules:\n",
		"  - {id: r, direction: egress, peer: any, ports: 1/tcp, action: allow}",
		"  - {id: r, direction: egress, peer: any, ports: 1/tcp, action: allow}\n"
		"  # seen: it\n"
		"  - {id: learned-1, direction: egress, peer: [10.9.0.1], ports: [8443/tcp], action: allow}",
		"", WEB("10.9.0.1"));
	{
		struct load l = load_new();
		struct proposal *proposals;
		const char *text = LEARNT("\xef\xbb\xbf" HEAD RULE, false, WEB("10.9.0.1"));

		cr_expect(str_starts(text, "\xef\xbb\xbf" HEAD), "%s", text);
		(void)proposals;
		load_free(&l);
	}
}

/* ---------------------------------------------------------------- who joins */

#define NEAR_LIST(peers) USE "    peers:\n" ENDS "      nfs-server: [" peers "]\n"

static void joins(const char *list, const char *peer, bool expected)
{
	struct load l = load_new();
	struct proposal proposal;
	const struct asked asked = {peer, FR_EGRESS, PROTO_TCP, 2049};

	learnt(&l, arena_printf(l.d.arena, HEAD NEAR_LIST("%s"), list), false, &asked, 1,
	       &proposal);
	cr_expect_eq(proposal.kind, expected ? PROPOSAL_PEER : PROPOSAL_RULE, "%s, %s", list, peer);
	cr_expect_eq(proposal.near, expected);
	cr_expect_eq(proposal.fit_count, 1);
	load_free(&l);
}

Test(learn, a_peer_joins_where_an_address_of_its_network_is)
{
	joins("10.20.1.255", "10.20.1.0", true);
	joins("10.20.1.0/25", "10.20.1.200", true);
	joins("10.9.9.9, 10.20.1.4/30", "10.20.1.200", true);
	joins("10.20.0.255", "10.20.1.0", false);
	joins("10.20.0.0/24", "10.20.1.5", false);
	joins("10.0.0.0/9", "10.128.0.1", false);
	joins("\"fd00:0:0:1::1\"", "fd00:0:0:1:ffff::2", true);
	joins("\"fd00:0:0:1::/127\"", "fd00:0:0:1::9", true);
	joins("\"fd00:0:0:1::1\"", "fd00:0:0:2::1", false);
	joins("\"fd00::/16\"", "fd01::1", false);
	joins("\"::ffff:10.20.1.7\"", "10.20.1.8", true);
	joins("\"::1\", \"::a14:107\"", "10.20.1.8", false);
	joins("10.20.1.7", "::a14:108", false);
}

/* Of two roles, whichever it joined would admit it by its other rows. */
Test(learn, a_peer_that_fits_two_roles_gets_a_rule_that_names_both)
{
	struct load l = load_new();
	struct proposal *proposals;
	const char *text = LEARNT(
		HEAD
		"use:\n  - table: aws-datasync\n    edition: 2024-09\n    as: agent\n    set: {region: us-east-2, "
		"endpoint: vpc, storage: [nfs, object]}\n    peers:\n" ENDS
		"      nfs-server: [10.20.1.7]\n      object-storage: [10.20.2.7]\n",
		false, {"10.20.2.8", FR_EGRESS, PROTO_TCP, 443},
		{"10.20.2.8", FR_EGRESS, PROTO_TCP, 80}, {"10.20.2.9", FR_EGRESS, PROTO_TCP, 443});

	cr_expect_eq(proposals[1].kind, PROPOSAL_PEER, "port 80 fits one role");
	cr_expect(proposals[0].again, "by which 443 is allowed as well");
	cr_expect_eq(proposals[2].kind, PROPOSAL_RULE);
	cr_expect_eq(proposals[2].fit_count, 2);
	cr_expect(strstr(text, "# seen: it, fits peers.object-storage, peers.task-interface\n"),
		  "%s", text);
	load_free(&l);
}

/* By a row for any port every peer would fit: it does not make a second role of one, and where it
 * is the only one, nearness decides. */
Test(learn, a_role_of_any_port_counts_where_no_other_fits)
{
	struct load l = load_new();
	struct proposal *proposals;

	LEARNT(HEAD
	       "use:\n  - table: qumulo\n    as: node\n    set: {platform: on-prem}\n"
	       "    without: [active-directory, subnet-ipv6-out, subnet-ipv6-in]\n    peers: {node: [10.8.0.1], client: [10.8.1.1], "
	       "dns-server: [10.8.2.1], kdc: [10.8.3.1], nfs-client: [10.8.4.1], ntp-server: "
	       "[10.8.5.1], domain-controller: [10.8.6.1], ldap-server: [10.8.7.1], s3: [10.8.8.1], "
	       "syslog-server: [10.8.9.1], replication-peer: [10.8.10.1]}\n",
	       false, {"10.8.7.2", FR_EGRESS, PROTO_TCP, 389},
	       {"10.8.0.2", FR_EGRESS, PROTO_TCP, 5000}, {"10.8.11.2", FR_EGRESS, PROTO_TCP, 5000});
	cr_expect_str_eq(proposals[0].role, "ldap-server");
	cr_expect_str_eq(proposals[1].role ?: "", "node");
	cr_expect_eq(proposals[2].kind, PROPOSAL_RULE);
	load_free(&l);
}

/* ---------------------------------------------------------------- rules */

#define LEARNED(indent, n, rest)                                                                   \
	indent "# seen: it\n" indent "- {id: learned-" n ", direction: " rest ", action: allow}\n"
#define USED USE "    peers:\n" ENDS "      nfs-server: [10.20.1.0/30]\n"

Test(learn, what_no_role_has_room_for_gets_a_rule)
{
	BECOMES(USED, "",
		"rules:\n" LEARNED("  ", "1", "egress, peer: [10.9.0.1], ports: [8443/tcp]"), "",
		WEB("10.9.0.1"));
	BECOMES(USED "default: {egress: deny}   # all\n", "",
		"rules:\n" LEARNED("  ", "1", "egress, peer: [\"fd00::1\"], ports: [8443/tcp]"),
		"# end\n", WEB("fd00::1"));
	BECOMES(USED "rules: ", "[]",
		"[{id: learned-1, direction: egress, peer: [10.9.0.1], ports: [8443/tcp], action: allow}, "
		"{id: learned-2, direction: ingress, peer: [10.9.0.1], ports: [22/tcp], action: allow}]",
		"\n", WEB("10.9.0.1"), {"10.9.0.1", FR_INGRESS, PROTO_TCP, 22});
	BECOMES("rules:\n- {id: learned-1, direction: egress, peer: any, ports: 1/tcp, action: allow}\n",
		"",
		"# seen: it; it\n"
		"- {id: learned-2, direction: egress, peer: [10.9.0.1], ports: [8443/tcp, 53/udp], action: allow}\n",
		"\n...\n", WEB("10.9.0.1"), {"10.9.0.1", FR_EGRESS, PROTO_UDP, 53});
	BECOMES("rules:\n  - id: r\n    direction: egress\n    peer: any\n    ports: [1/tcp]   # few\n    action: allow\n",
		"",
		"  # seen: it; it\n"
		"  - {id: learned-1, direction: egress, peer: [10.9.0.1], ports: [icmp/8/0, any/gre], action: allow}\n",
		"\n# end\n", {"10.9.0.1", FR_EGRESS, PROTO_ICMP, 8 << 8},
		{"10.9.0.1", FR_EGRESS, 47, 0});
}

Test(learn, rules_only_touch_no_role_and_nothing_else_of_the_peer)
{
	struct load l = load_new();
	struct proposal *proposals;
	const char *text =
		LEARNT(HEAD USED, true, NFS("10.20.1.5"), WEB("10.20.1.5"), WEB("fd00::9"));

	cr_expect(strstr(text, "nfs-server: [10.20.1.0/30]\n"), "%s", text);
	cr_expect_eq(proposals[0].kind, PROPOSAL_RULE);
	load_free(&l);
}

/* The list is a prefix set's or the vendor's: the file has none that could grow. */
Test(learn, a_role_that_the_file_gives_no_list_for_gets_a_rule)
{
	struct load l = load_new();
	struct proposal *proposals;

	LEARNT(HEAD "use:\n  - {table: aws-time-sync, as: client}\n", false,
	       {"10.9.0.1", FR_EGRESS, PROTO_UDP, 123});
	cr_expect_eq(proposals[0].kind, PROPOSAL_RULE);
	load_free(&l);
}

Test(learn, a_file_in_braces_takes_no_rule_and_says_so)
{
	struct load l = load_new();
	struct proposal *proposals;

	LEARNT("{apiVersion: flowreeve/v1, kind: Policy, metadata: {name: test}, mode: enforce, failsafe: [],\n"
	       " attach: {interfaces: [eth0]}, use: [{table: aws-time-sync, as: client}]}\n",
	       false, WEB("10.9.0.1"));
	cr_expect_eq(proposals[0].kind, PROPOSAL_NONE);
	cr_expect(proposals[0].why);
	load_free(&l);
}

Test(learn, places_far_apart_are_hunks_of_their_own)
{
	struct load l = load_new();
	const char *middle = "";
	struct proposal *proposals;

	for (int i = 0; i < 30; i++)
		middle = arena_printf(
			l.d.arena,
			"%s  - {id: r%d, direction: egress, peer: any, ports: %d/tcp, action: allow}\n",
			middle, i, i + 1);
	LEARNT(arena_printf(l.d.arena, "%s%srules:\n%s# end\n", HEAD, USED, middle), false,
	       NFS("10.20.1.5"), WEB("10.9.0.1"));
	(void)proposals;
	load_free(&l);
}

/* ---------------------------------------------------------------- texts of lines of their own */

#define ALLOWS_ONE                                                                                 \
	"rules:\n  - id: r\n    direction: egress\n    peer: any\n    ports: 1/tcp\n    action: allow\n"
#define OLD_WORDS ALLOWS_ONE "    purpose: |\n      why\n      so\n"
#define NEW_RULE LEARNED("  ", "1", "egress, peer: [10.9.0.1], ports: [8443/tcp]")

/* For the parser such a text ends where the next item begins: an addition goes before that. */
Test(learn, a_rule_goes_behind_a_purpose_of_several_lines)
{
	BECOMES(OLD_WORDS, "", NEW_RULE, "default: {egress: deny}\n", WEB("10.9.0.1"));
	BECOMES(OLD_WORDS, "", NEW_RULE, "\n# after\ndefault:\n  egress: deny\n", WEB("10.9.0.1"));
	BECOMES(OLD_WORDS, "", NEW_RULE, "", WEB("10.9.0.1"));
	BECOMES(OLD_WORDS, "", NEW_RULE, "\n\n...\n", WEB("10.9.0.1"));
	BECOMES(ALLOWS_ONE "    purpose: >-\n      why\n      so", "",
		"\n  # seen: it\n  - {id: learned-1, direction: egress, peer: [10.9.0.1], ports: "
		"[8443/tcp], action: allow}",
		"", WEB("10.9.0.1"));
}

Test(learn, a_file_that_ends_in_a_block_of_text_loses_no_rule)
{
	struct load l = load_new();
	struct proposal *proposals;
	const char *text =
		LEARNT("apiVersion: flowreeve/v1\nkind: Policy\nmode: enforce\nfailsafe: []\n"
		       "attach: {interfaces: [eth0]}\n" USED
		       "metadata:\n  name: test\n  description: |\n    some\n    words\n",
		       false, NFS("10.20.1.5"), WEB("10.9.0.1"));

	cr_expect(strstr(text, "[10.20.1.0/30, 10.20.1.5]\n"), "%s", text);
	cr_expect(strstr(text, "    words\nrules:\n" NEW_RULE), "%s", text);
	(void)proposals;
	load_free(&l);
}

Test(learn, a_peer_behind_a_bar_is_left_alone)
{
	struct load l = load_new();
	struct proposal *proposals;

	LEARNT(HEAD USE "    peers:\n" ENDS "      nfs-server: |-\n        10.20.1.7\n", false,
	       NFS("10.20.1.5"));
	cr_expect_eq(proposals[0].kind, PROPOSAL_RULE);
	load_free(&l);
}

/* ---------------------------------------------------------------- strangers */

Test(learn, what_a_staged_deny_denies_gets_no_rule)
{
	struct load l = load_new();
	struct proposal *proposals;
	const char *text =
		LEARNT(HEAD "rules:\n  - {id: bad, direction: ingress, peer: 203.0.113.0/24, "
			    "ports: any, action: deny, mode: audit}\n",
		       false, {"203.0.113.9", FR_INGRESS, PROTO_TCP, 22}, WEB("10.9.0.1"));

	cr_expect_eq(proposals[0].kind, PROPOSAL_NONE);
	cr_expect(strstr(proposals[0].why, "bad"), "%s", proposals[0].why);
	cr_expect_eq(proposals[1].kind, PROPOSAL_RULE);
	cr_expect_not(strstr(text, "203.0.113.9"), "%s", text);
	load_free(&l);
}

/* The port was given out for one exchange; a rule for it would be open to anybody later. */
Test(learn, a_likely_answer_gets_no_rule)
{
	struct load l = load_new();
	struct proposal *proposals;
	const char *text = LEARNT(
		HEAD
		"rules:\n  - {id: ask, direction: egress, peer: 10.9.0.2, ports: 69/udp, "
		"action: allow, answers: peer}\n"
		"  - {id: asked, direction: ingress, peer: 10.9.0.2, ports: 69/udp, action: allow}\n",
		false, {"10.9.0.2", FR_INGRESS, PROTO_UDP, 40001},
		{"10.9.0.2", FR_EGRESS, PROTO_UDP, 40002}, {"10.9.0.2", FR_INGRESS, PROTO_UDP, 514},
		{"10.9.0.3", FR_INGRESS, PROTO_UDP, 40003},
		{"10.9.0.2", FR_INGRESS, PROTO_TCP, 40004});

	cr_expect_eq(proposals[0].kind, PROPOSAL_NONE);
	cr_expect(strstr(proposals[0].why, "rule ask"), "%s", proposals[0].why);
	cr_expect(strstr(proposals[0].why, "answers: peer-any-port"), "%s", proposals[0].why);
	cr_expect_eq(proposals[1].kind, PROPOSAL_NONE);
	cr_expect(strstr(proposals[1].why, "rule asked"), "%s", proposals[1].why);
	for (int i = 2; i < 5; i++)
		cr_expect_eq(proposals[i].kind, PROPOSAL_RULE, "%d", i);
	cr_expect_not(strstr(text, "40001"), "%s", text);
	load_free(&l);
}

/* lesson: a host that gives out ports from 10000 on was told to open one of them to a peer that had
 * answered once, and later one on which the socket that had asked still waited. */
Test(learn, a_port_is_given_out_or_served)
{
	static struct port_set sockets;
	struct load l = load_new();
	struct proposal *proposals;

	port_set_usual(&given_out);
	for (uint16_t port = 10000; port < PORTS_GIVEN_OUT; port++)
		port_set_put(&given_out, port, true);
	port_set_put(&given_out, 40007, false);
	port_set_put(&sockets, 40005, true);
	served = &sockets;
	LEARNT(HEAD
	       "rules:\n  - {id: ask, direction: egress, peer: 10.9.0.2, ports: 69/udp, "
	       "action: allow, answers: peer}\n"
	       "  - {id: asked, direction: ingress, peer: 10.9.0.2, ports: 69/udp, action: allow}\n"
	       "  - {id: named, direction: ingress, peer: 10.9.0.9, ports: 40006/udp, action: allow}\n"
	       "  - {id: all, direction: ingress, peer: 10.9.0.9, ports: any/udp, action: allow}\n",
	       false, {"10.9.0.2", FR_INGRESS, PROTO_UDP, 10000},
	       {"10.9.0.2", FR_EGRESS, PROTO_UDP, 40005}, {"10.9.0.2", FR_INGRESS, PROTO_UDP, 9999},
	       {"10.9.0.3", FR_INGRESS, PROTO_UDP, 40005},
	       {"10.9.0.2", FR_INGRESS, PROTO_UDP, 40006},
	       {"10.9.0.2", FR_EGRESS, PROTO_UDP, 20000},
	       {"10.9.0.2", FR_INGRESS, PROTO_UDP, 40005},
	       {"10.9.0.3", FR_INGRESS, PROTO_UDP, 40008},
	       {"10.9.0.3", FR_INGRESS, PROTO_UDP, 40007});
	for (int i = 0; i < 9; i++)
		cr_expect_eq(proposals[i].kind,
			     i < 2 || i == 6 || i == 7 ? PROPOSAL_NONE : PROPOSAL_RULE, "%d", i);
	load_free(&l);
}

/* A rule that allows it would change nothing: deny beats allow. */
Test(learn, what_a_rule_of_the_file_decides_gets_no_rule)
{
	struct load l = load_new();
	struct proposal *proposals;
	const char *text =
		LEARNT(HEAD "rules:\n  - {id: bad, direction: ingress, peer: 203.0.113.0/24, "
			    "ports: 22/tcp, action: deny}\n",
		       false, {"203.0.113.9", FR_INGRESS, PROTO_TCP, 22}, WEB("10.9.0.1"));

	cr_expect_eq(proposals[0].kind, PROPOSAL_NONE);
	cr_expect(strstr(proposals[0].why, "rule bad"), "%s", proposals[0].why);
	cr_expect_eq(proposals[1].kind, PROPOSAL_RULE);
	cr_expect_not(strstr(text, "203.0.113.9"), "%s", text);
	load_free(&l);
}

enum { CROWD = 4000, CROWD_KB = 64 << 10 };

static long memory_most(void)
{
	struct rusage usage;

	cr_assert_eq(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss;
}

/* Openings from many places or at many ports must not cost the square of that in memory. */
static void crowd_is_learnt(uint16_t port, bool ports, const char *peers)
{
	static char names[CROWD][ADDR_TEXT];
	static struct asked asked[CROWD];
	static struct proposal list[CROWD];
	struct load l = load_new();
	const char *nfs = "10.20.0.7";
	long before = memory_most();

	/* An address of each network of the crowd, so that it may join. */
	for (int i = 0; i < CROWD / 250; i++)
		nfs = arena_printf(l.d.arena, "%s, 10.62.%d.255", nfs, i);
	for (int i = 0; i < CROWD; i++) {
		int peer = ports ? 7 : i;

		snprintf(names[i], sizeof(names[i]), "10.%s.%d.%d", peers, peer / 250, peer % 250);
		asked[i] = (struct asked){names[i], FR_EGRESS, PROTO_TCP, ports ? port + i : port};
	}
	learnt(&l,
	       arena_printf(l.d.arena, "%s      nfs-server: [%s]\n", HEAD USE "    peers:\n" ENDS,
			    nfs),
	       false, asked, CROWD, list);
	cr_expect_lt(memory_most() - before, CROWD_KB, "%ld kB", memory_most() - before);
	load_free(&l);
}

Test(learn, a_crowd_at_one_port_costs_what_it_is)
{
	crowd_is_learnt(8443, false, "60");
}

Test(learn, one_stranger_at_all_ports_costs_what_they_are)
{
	crowd_is_learnt(3000, true, "61");
}

Test(learn, a_crowd_that_joins_a_role_costs_what_it_is)
{
	crowd_is_learnt(2049, false, "62");
}

/* ---------------------------------------------------------------- names */

/* patch ends a name at its first blank, unless a tab marks the end. */
Test(learn, a_name_with_blanks_is_found_by_patch)
{
	struct load l = load_new();
	const char *path = load_file(&l, "a policy.yaml", HEAD RULE);
	const char *words[] = {"patch", "--quiet", "-p1", "-d", l.dir, "-i", NULL, NULL};
	struct proposal list = {.kind = PROPOSAL_NONE};
	struct edit edit;
	struct learn_view view = {.policy = "test", .edit = &edit, .list = &list};
	struct source *got;
	pid_t child;
	int status;

	cr_assert_eq(edit_begin(l.d.arena, path, &edit), 0);
	cr_assert(edit_add_rule(
		&edit, "{id: n, direction: egress, peer: any, ports: 2/tcp, action: allow}", NULL));
	edit_finish(&edit);
	words[6] = load_file(&l, "diff", diff_of(&l, &view));
	cr_assert_eq(posix_spawnp(&child, "patch", NULL, NULL, (char **)words, environ), 0);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect_eq(status, 0);
	cr_assert_eq(source_read(l.d.arena, path, 1 << 20, &got), 0);
	cr_expect(strstr(got->text, "{id: n,"), "%s", got->text);
	load_free(&l);
}
