/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy: a policy's file -> ruleset. Resolves tables, roles, params, peers and named prefixes
 * into concrete rules, checks them, and judges tuples by the obvious walk over the rules (the
 * oracle). Uses tables, yaml, net and base. Never looks at the host and never prints; all errors
 * of a file are queued in the caller's diags in one run.
 */
#ifndef POLICY_H
#define POLICY_H

#include "../tables/tables.h"
#include "../../bpf/abi.h"

struct edit;

/* The source of a rule. Its strings are in the ruleset's arena. */
struct origin {
	const char *table; /* NULL: the site's own rule */
	const char *row;
	uint32_t line;	     /* of the vendor's document; 0 unknown */
	const char *lines;   /* all source lines as text ("94, 169"), for people; NULL when one */
	const char *edition; /* of the table */
	const char *document;
	const char *title, *url, *read; /* of the table's document; read: the date */
	const char *section;
	const char *purpose;
	const char *from, *to; /* roles */
	const char *note;      /* "inferred", "unused in practice" …, or NULL */
	bool optional;
};

struct rule {
	const char *id;	  /* unique together with dir: "aws-datasync/nfs", or the site's own id */
	uint8_t dir;	  /* enum fr_dir */
	uint8_t action;	  /* enum fr_action: allow, deny, failsafe allow */
	uint8_t answers;  /* enum fr_answers, as written; FR_ANSWERS_DEFAULT: not written */
	bool staged;	  /* a deny rule in mode audit */
	bool needs_local; /* names local-subnet, which is not known */
	bool any_peer;	  /* both families, every address */
	struct prefix *peers;
	struct service *services;
	uint32_t peer_count, service_count;
	const struct origin *origin; /* NULL: unknown, see rule_origin() */
	const char *role; /* the peer's role ("nfs-server"), or NULL; for the nearest miss */
	uint32_t line;	  /* of the policy's own file, where `loc` is in a resolved one; else 0 */
	struct loc loc;
};

/* Never NULL. */
const struct origin *rule_origin(const struct rule *rule);
/* Its line in the policy's own file; 0 unknown. */
uint32_t rule_line(const struct rule *rule);

/* Attach points as written: names or shell patterns, in file order. */
struct attach_point {
	uint8_t kind; /* enum fr_kind */
	const char *name;
	struct loc loc;
};

/* The DNS names that a table gives for a role which this policy has as a peer. */
struct role_names {
	const char *table, *role;
	const char *const *list;
	size_t count;
};

/* A file of prefixes that the policy names. */
struct prefix_file {
	const char *path;
	uint64_t dated; /* seconds of the epoch: as it says, else when it was written */
	bool is_aws;	/* in AWS's format */
};

/* Guests that share flows, by names and patterns as in `attach`. */
struct party {
	const char **names;
	size_t count;
	struct loc loc;
};

/* One `use` of a table as it was resolved: the values of the params, and the members of each role
 * that is a peer of the rules. */
struct used_param {
	const char *name;
	struct word_list values;
};
struct used_role {
	const char *name;
	bool any, needs_local;
	const struct prefix *members; /* that its rules share */
	size_t member_count;
};
struct used_table {
	const char *name, *title, *edition, *document, *url, *read, *file;
	const char *newest; /* edition that is known; of a policy that is being loaded */
	bool edition_given; /* by the policy */
	struct loc loc;	    /* of the edition, or the table's name */
	uint32_t line;	    /* of the policy's own file */
	struct word_list played;
	struct used_param *params;
	struct used_role *roles;
	size_t param_count, role_count;
};

/* A named prefix set that some rule names; such rules share its list. */
struct used_set {
	const char *name;
	const char *file; /* NULL: the members of a role */
	uint64_t dated;	  /* of the file; 0 unknown */
	bool is_aws;
	const struct prefix *list;
	size_t count;
};

/* One policy as concrete rules, in file order: those of `use`, then `rules`, then `failsafe`.
 * Owned by its arena. */
struct ruleset {
	struct arena *arena;
	const struct source *source;
	const char *file; /* of the policy itself, where `source` is a resolved one; else NULL */
	const char *name;
	bool enforce;
	bool default_allow[FR_DIRS];
	uint32_t flags; /* enum fr_image_flags but ENFORCE, DENSE, PAGED, FORWARDING_ON */
	uint32_t timeout[FR_TIMEOUTS]; /* seconds */
	struct attach_point *attach;
	size_t attach_count;
	struct party *parties;
	size_t party_count;
	struct rule *rules;
	size_t rule_count;
	struct role_names *names;
	size_t name_count, name_capacity;
	struct prefix_file *files;
	size_t file_count;
	bool failsafe_open;    /* failsafe was absent: 22/tcp from anywhere */
	bool failsafe_auto;    /* it is derived from the host … */
	bool failsafe_unknown; /* … which is not known: it has no rule */
	struct subnets {
		const struct prefix *list;
		size_t count;
	} local; /* of this host, where the caller knows them */
	struct used_table *tables;
	struct used_set *sets;
	size_t table_count, set_count;
};

/*
 * The whole front: read, parse, resolve, check. On success (0) *out is a ruleset without errors;
 * warnings and notes may be in `d`. On failure -errno (the file cannot be read) or -EINVAL with at
 * least one error in `d`, and *out untouched. The ruleset is in d->arena.
 */
int policy_load(const char *path, const struct policy_options *options, struct diags *d,
		struct ruleset **out);

/* The next table of which the policy has a rule: the origin of its first one; NULL behind the last.
 * `at` begins with 0. */
const struct origin *ruleset_next_table(const struct ruleset *rs, size_t *at);
/* ---------------------------------------------------------------- the whole policy as one document
 *
 * `kind: ResolvedPolicy`: the rules with everything that they were made of. policy_load() reads it,
 * and the result compiles to the same image. One text for one policy: a line has no more than one
 * way to be written, and says nothing of the host or the time.
 */
#define RESOLVED_BYTES_MAX (64 << 20)

/* A piece of the text: a rule, a prefix, a param; or the line above them, without a name. */
struct resolved_entry {
	const char *section;	 /* "rules" */
	const char *group;	 /* of a prefix: its set; of a param: the table; or NULL */
	const char *name;	 /* within the section and group; or NULL */
	const struct rule *rule; /* or NULL */
	const char *text;
	size_t size;
};
typedef void (*resolved_visit)(const struct resolved_entry *entry, void *context);

/* Calls `visit` with each piece, in order. Without `places`, the names of files and the lines of
 * the policy are left out: the rest differs only if the policies differ. */
void ruleset_write(const struct ruleset *rs, bool places, resolved_visit visit, void *context);

/* A piece that only one policy has, or that differs. */
struct resolved_change {
	const char *section, *group, *name; /* as of an entry */
	const struct rule *rule;	    /* the later one, where both have it; or NULL */
	const char *before, *after;	    /* texts; NULL: it is not there */
};
struct ruleset_diff {
	struct resolved_change *list;
	size_t count, capacity;
	bool reordered; /* rules that both have are in another order */
};
void rulesets_diff(const struct ruleset *before, const struct ruleset *after, struct arena *arena,
		   struct ruleset_diff *out);

/* ---------------------------------------------------------------- failsafe of the host */

/* Rules that stand for `failsafe: auto`, of peers by address, with their source as purpose. */
struct failsafe_rules {
	struct rule *list;
	size_t count;
};
/* The entry of such a rule, as a map in braces. */
const char *failsafe_text(struct arena *arena, const struct rule *rule);

/* ---------------------------------------------------------------- the oracle */

/* The decision on a tuple. Rule numbers are those of the image: FR_RULE_DEFAULT_* or
 * FR_RULE_FIRST + index into ruleset.rules. */
struct decision {
	uint8_t verdict; /* FR_PASS or FR_DROP as enforcement gives, or FR_WOULD_DROP in audit */
	uint8_t reason;	 /* FR_REASON_RULE, _DEFAULT or _FAILSAFE */
	uint8_t answers; /* of a question over UDP that passes: rule_answers(), else
			    FR_ANSWERS_PEER */
	bool staged;	 /* a staged deny rule matched; `staged_rule` is it */
	bool unknown;	 /* depends on local-subnet, which is not known */
	uint32_t rule;
	uint32_t staged_rule;
};

/* The two parts of a match: direction and services; peers, as far as they are known. */
bool rule_serves(const struct rule *rule, const struct tuple *tuple);
bool rule_has_peer(const struct rule *rule, const struct addr *peer);
/* Whether one of its services has all ports of the tuple's protocol. */
bool rule_serves_any_port(const struct rule *rule, const struct tuple *tuple);
/* The real decision ignores staged rules; staged says whether one would have turned a pass into a
 * drop. Verdict: real drop -> DROP (WOULD_DROP in audit); pass and staged -> WOULD_DROP; else
 * PASS. */
void ruleset_decide(const struct ruleset *rs, const struct tuple *tuple, struct decision *out);
/* Whether two decisions agree: the same verdict, reason, rule and answers, and the same staged rule
 * or none. */
bool decision_equal(const struct decision *a, const struct decision *b);

/* The rule that comes nearest to admitting a refused tuple, or NULL, and the mismatch in a
 * sentence ("rule aws-datasync/nfs fits but 10.3.0.9 is not in peers.nfs-server"). Arena of the
 * ruleset. */
const struct rule *ruleset_nearest(const struct ruleset *rs, const struct tuple *tuple,
				   const char **why);

/* Name of a rule number: a rule's id, "default-egress", "builtin/dhcp" … */
const char *ruleset_rule_name(const struct ruleset *rs, uint32_t number);
/* The rule of a number, or NULL for a built-in one. */
const struct rule *ruleset_rule(const struct ruleset *rs, uint32_t number);

/* ---------------------------------------------------------------- answers from elsewhere
 *
 * A datagram that passes is a question. The address and port that was asked answers in its flow;
 * the rule says who else may answer.
 */

/* An allow or failsafe rule with ports of UDP. */
bool rule_asks_by_udp(const struct rule *rule);
/* Of a rule as the image has it: FR_ANSWERS_PEER where it admits no question over UDP. */
uint8_t rule_answers(const struct rule *rule);
/* The same by number; of a default that allows: FR_ANSWERS_DEFAULT. */
uint8_t ruleset_answers(const struct ruleset *rs, uint32_t number);
/* Whether any question may be answered from elsewhere. */
bool ruleset_awaits(const struct ruleset *rs);
/* Of two allow rules that admit one question, that with the wider answers decides. */
unsigned answers_width(uint8_t answers);

/* Who may answer one question. */
struct expectation {
	uint8_t answers;	/* FR_ANSWERS_PEER, _PEER_ANY_PORT or _GROUP */
	const char *default_of; /* "69/udp", "a group address"; NULL: the rule says it */
	bool of_many; /* a group was asked, or an asker without an address is to be answered: under
			 FR_ANSWERS_GROUP by any address of the local subnets as well */
};
/* `asked`: the address of the local side, or NULL where it is not known. */
void question_expects(const struct subnets *local, const struct tuple *question,
		      const struct addr *asked, uint8_t answers, struct expectation *out);

/* Of a rule: as written, or by default, with `default_of` as above; FR_ANSWERS_PEER where only the
 * question could tell. */
void rule_expects(const struct rule *rule, struct expectation *out);
/* The `default_of` of rules with these answers. */
const char *answers_default_of(uint8_t answers);
/* Whether a datagram may be an answer to a question that the rule admits, if its answers were
 * these. The local subnets may be unknown. */
bool rule_may_await(const struct ruleset *rs, const struct rule *rule, uint8_t answers,
		    const struct tuple *datagram);
/* The first rule to whose question a refused datagram may be an answer as the rules are; or NULL.
 */
const struct rule *ruleset_asker(const struct ruleset *rs, const struct tuple *datagram);

/* A datagram of UDP as the local side sees it. */
struct datagram {
	struct addr local, peer;
	uint16_t local_port, peer_port;
};
/* By which a question is judged: rules, or an image of them. */
struct decider {
	void (*decide)(const void *policy, const struct tuple *tuple, struct decision *out);
	const void *policy;
	const struct subnets *local;
};
struct decider ruleset_decider(const struct ruleset *rs);
bool question_passes(const struct decider *by, uint8_t dir, const struct datagram *question,
		     struct decision *out);
/* Whether a datagram of the other direction is an answer, from elsewhere, to a question that passes
 * in `dir`, if its rule had these answers; or as its rule has them. */
bool question_answered(const struct decider *by, uint8_t dir, const struct datagram *question,
		       const struct datagram *answer, uint8_t answers);
bool ruleset_answered(const struct ruleset *rs, uint8_t dir, const struct datagram *question,
		      const struct datagram *answer);

/* ---------------------------------------------------------------- proposals
 *
 * Edits of a policy that allow tuples which it refuses.
 */
enum proposal_kind { PROPOSAL_NONE, PROPOSAL_PEER, PROPOSAL_RULE };

struct proposal {
	struct tuple tuple;
	const char *seen;   /* for the comment of a rule: the observed traffic */
	const char *answer; /* the sentence, where it looks like an answer; or NULL */
	/* filled in: */
	enum proposal_kind kind;
	const char *rule;	    /* the row that fits, or the id of the new rule */
	const char *role, *address; /* PROPOSAL_PEER */
	/* A rule of each role that the peer may play; `near`: it is one, and has a peer of the same
	 * /24, or by IPv6 of the same /64. */
	const struct rule *const *fits;
	size_t fit_count;
	bool near;
	const char *why;	  /* PROPOSAL_NONE: why not */
	bool again;		  /* the edit of an earlier proposal allows it as well */
	const char *const *gains; /* PROPOSAL_PEER: the other rules that the address comes under */
	size_t gain_count;
};

struct propose_options {
	bool rules_only;		  /* no address joins a role */
	const struct port_set *given_out; /* to sockets of the local side that ask for none */
	const struct port_set *served;	  /* a socket of UDP waits there; NULL: not known */
};

/* Fills in each and adds its edit. */
void policy_propose(const struct ruleset *rs, const struct propose_options *o, struct edit *edit,
		    struct proposal *list, size_t count);

#endif
