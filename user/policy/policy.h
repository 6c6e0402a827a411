/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy: files -> ruleset. Reads Policy and PortTable documents (YAML through libyaml), resolves
 * tables, roles, params, peers and named prefixes into concrete rules, checks them, and judges
 * tuples by the obvious walk over the rules (the oracle). Uses net and base. Never looks at the
 * host and never prints; everything wrong with a file is queued in the caller's diags in one run.
 */
#ifndef POLICY_H
#define POLICY_H

#include "../base/base.h"
#include "../net/net.h"
#include "../../bpf/abi.h"

/* Stands in a skeleton where a choice is to be made; a policy that has it is refused. */
#define POLICY_FILL_IN "FILL-IN"

/* Where files are found and what the caller knows of the host. */
struct policy_options {
	const char *tables_dir; /* --tables DIR, or NULL */
	const char *share_dir;	/* PREFIX/share/flowreeve, or NULL */
	bool strict;		/* warnings of rows without ports are errors */
	/* local-subnet: resolved by `apply` from the host, by --local-subnet IF=CIDR offline. With
	 * local_known false, `local-subnet` peers match nothing and rules that name it are
	 * marked. */
	bool local_known;
	const struct prefix *local;
	size_t local_count;
	/* What the policy's file would say, to be read in its place; or NULL. */
	const struct source *instead;
};

/* Where a rule came from. Strings live in the ruleset's arena. */
struct origin {
	const char *table; /* NULL: the site's own rule */
	const char *row;
	uint32_t line;	   /* of the vendor's document; 0 unknown */
	const char *lines; /* all source lines as text ("94, 169"), for people; NULL when one */
	const char *document;
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
	bool staged;	  /* a deny rule in mode audit */
	bool needs_local; /* names local-subnet, which is not known */
	bool any_peer;	  /* both families, every address */
	struct prefix *peers;
	struct service *services;
	uint32_t peer_count, service_count;
	const struct origin *origin; /* NULL: nothing is known of it, and see rule_origin() */
	const char *role; /* the peer's role ("nfs-server"), or NULL; for the nearest miss */
	struct loc loc;
};

/* Never NULL. */
const struct origin *rule_origin(const struct rule *rule);

/* Attach points as written: names or shell patterns, in file order. */
struct attach_point {
	uint8_t kind; /* enum fr_kind */
	const char *name;
	struct loc loc;
};

/* All that one policy means, concrete. Rules are in file order: those of `use`, then `rules`, then
 * `failsafe`. Owned by its arena. */
struct ruleset {
	struct arena *arena;
	const struct source *source;
	const char *name;
	bool enforce;
	bool default_allow[FR_DIRS];
	uint32_t flags; /* enum fr_image_flags but ENFORCE, DENSE, PAGED, FORWARDING_ON */
	uint32_t timeout[FR_TIMEOUTS]; /* seconds */
	struct attach_point *attach;
	size_t attach_count;
	struct rule *rules;
	size_t rule_count;
	bool failsafe_open; /* failsafe was absent: 22/tcp from anywhere */
};

/*
 * The whole front: read, parse, resolve, check. On success (0) *out is a ruleset without errors;
 * warnings and notes may be in `d`. On failure -errno (the file cannot be read) or -EINVAL with at
 * least one error in `d`, and *out untouched. The ruleset lives in d->arena.
 */
int policy_load(const char *path, const struct policy_options *options, struct diags *d,
		struct ruleset **out);

/* For hints: the word that was meant, written in capitals, misspelt, or what others call it
 * (outbound, drop); NULL when it could be any. */
const char *word_meant(const char *word, const char *const *words, size_t count);

/* A table alone: `check` of a PortTable file. Same contract. Counts of rows and roles for the
 * summary. */
struct table_summary {
	const char *name, *title;
	size_t rows, roles, params, without_ports;
};
int table_load(const char *path, const struct policy_options *options, struct diags *d,
	       struct table_summary *out);
/* "Policy", "PortTable", "Site", or NULL: what the file says it is, and the text for
 * policy_options.instead. -errno when unreadable or not YAML. */
int document_kind(const char *path, struct diags *d, const struct source **source,
		  const char **out);

/* ---------------------------------------------------------------- a site
 *
 * One inventory for many hosts: who plays which role. Of each host the policy that follows from it,
 * as a ruleset and as words ready to be written into a file. Strings are NULL where there is
 * nothing to say; all live in d->arena.
 */
struct plan_peer {
	const char *text; /* as a policy has it */
	const char *host; /* whose address it is, or NULL */
};

struct plan_peers {
	const char *role;
	uint32_t line; /* of the site, where the role's players are; as in all of these */
	const struct plan_peer *list;
	size_t count;
};

struct plan_left_out {
	const char *row;
	const char *alone; /* the role that no other host plays; NULL: the site leaves it out */
};

/* One role of one table: a `use` of the policy. */
struct plan_use {
	const char *table, *role;
	uint32_t line;
	const char *by;	 /* the prefix that its address is in; NULL: the host is named */
	const char *set; /* flow YAML */
	const struct plan_peers *peers;
	size_t peer_count;
	const char *const *with;
	size_t with_count;
	const struct plan_left_out *without;
	size_t without_count;
	bool idle; /* no row is left: the policy has no such `use` */
};

/* Another key of the policy: its value in one line, or its items, each in a line. */
struct plan_key {
	const char *key, *value;
	const char *const *items;
	size_t item_count;
};

struct plan {
	const char *host, *policy;
	const struct plan_key *head, *tail; /* what stands before and after `use` */
	size_t head_count, tail_count;
	const struct plan_use *uses;
	size_t use_count;
	struct ruleset *rs;
};

struct site_view {
	const char *name;
	const struct source *source;
	const struct plan *plans; /* in file order */
	size_t plan_count;
};

/* Read, parse and resolve a site and each of its hosts. Same contract as policy_load. */
int site_load(const char *path, const struct policy_options *options, struct diags *d,
	      const struct site_view **out);
/* The plan of a host, or NULL with an error in `d`. */
const struct plan *site_plan(const struct site_view *site, const char *host, struct diags *d);

/* ---------------------------------------------------------------- a table as people read it
 *
 * For `roles` and `new`: every word ready to print. Strings are NULL where the table says nothing,
 * and live in d->arena.
 */
struct word_list {
	const char *const *list;
	size_t count;
};

struct param_view {
	const char *name, *type, *describe;
	struct word_list values;  /* allowed; of ports: the vendor's alternatives */
	struct word_list initial; /* the default */
	bool required;		  /* must be set, and has no default */
	bool plural;		  /* takes a list */
};

struct role_view {
	const char *name, *title, *describe;
	struct word_list names;	    /* DNS names; a use gives peers instead */
	struct word_list addresses; /* its own: taken when a use gives no peers and has no names */
};

struct row_view {
	const char *id, *when, *purpose, *note, *see;
	struct word_list ports;
	const char *lines; /* of the document: "94", "22, 27" */
	const struct role_view *from, *to;
	bool optional, internal;
};

struct table_view {
	const char *name, *title, *document;
	const struct param_view *params;
	const struct role_view *roles;
	const struct row_view *rows;
	size_t param_count, role_count, row_count;
};

/* A table by its name, looked up as a `use` in the current directory does, or by its path (with a
 * '/' or .yaml). On failure -errno with at least one error in `d`, and *out untouched. */
int table_view(const char *table, const struct policy_options *options, struct diags *d,
	       const struct table_view **out);
/* The role of a name, or NULL with an error in `d`. */
const struct role_view *table_view_role(const struct table_view *table, const char *name,
					struct diags *d);

/* How sure it is that who plays a role has to say where another one is. */
enum need {
	NEED_NOT,      /* no row between them, or it has addresses of its own */
	NEED_OPTIONAL, /* only for rows that are off unless named */
	NEED_PERHAPS,  /* only under conditions */
	NEED_ALWAYS,
};
/* Does this host, playing a role, take part in the row? */
bool row_view_concerns(const struct row_view *row, const struct role_view *played);
enum need role_view_needs(const struct table_view *table, const struct role_view *played,
			  const struct role_view *peer);

/* ---------------------------------------------------------------- the oracle */

/* What a tuple gets when its rule set is asked. Numbers are those of the image: FR_RULE_DEFAULT_*
 * or FR_RULE_FIRST + index into ruleset.rules. */
struct decision {
	uint8_t verdict; /* FR_PASS or FR_DROP as enforcement gives, or FR_WOULD_DROP in audit */
	uint8_t reason;	 /* FR_REASON_RULE, _DEFAULT or _FAILSAFE */
	bool staged;	 /* a staged deny rule matched; `staged_rule` is it */
	bool unknown;	 /* depends on local-subnet, which is not known */
	uint32_t rule;
	uint32_t staged_rule;
};

/* What makes a rule match: its direction and services, and its peers as far as they are known. */
bool rule_serves(const struct rule *rule, const struct tuple *tuple);
bool rule_has_peer(const struct rule *rule, const struct addr *peer);
/* The real decision ignores staged rules; staged says whether one would have turned a pass into a
 * drop. Verdict: real drop -> DROP (WOULD_DROP in audit); pass and staged -> WOULD_DROP; else
 * PASS. */
void ruleset_decide(const struct ruleset *rs, const struct tuple *tuple, struct decision *out);

/* The rule that comes nearest to admitting a refused tuple, or NULL, and in a sentence what does
 * not fit ("rule aws-datasync/nfs fits but 10.3.0.9 is not in peers.nfs-server"). Arena of the
 * ruleset. */
const struct rule *ruleset_nearest(const struct ruleset *rs, const struct tuple *tuple,
				   const char **why);

/* Name of a rule number: a rule's id, "default-egress", "builtin/dhcp" … */
const char *ruleset_rule_name(const struct ruleset *rs, uint32_t number);
/* The rule of a number, or NULL for a built-in one. */
const struct rule *ruleset_rule(const struct ruleset *rs, uint32_t number);

/* ---------------------------------------------------------------- edits
 *
 * What is added to the text of a policy, in the style in which it is written, without a change to
 * anything that stands there. Texts in, texts out: no file is written. Arena memory.
 */
/* Goes in before byte `at`; several at one place in this order. */
struct insertion {
	size_t at;
	bool last; /* behind all others there */
	const char *text;
};

struct edit {
	struct arena *arena;
	const struct source *source; /* as the file has it */
	const struct span *root;
	struct insertion *list; /* ordered by place once edit_finish was asked */
	size_t count, capacity;
	struct edit_list *lists; /* that something was added to */
	size_t list_count, list_capacity;
};

/* Reads the file of a policy that was loaded. 0, -errno, or -EINVAL for a text into which nothing
 * can be written. */
int edit_begin(struct arena *arena, const char *path, struct edit *out);
/* An address for a role of the `use` at that place. False, and nothing done, when the policy has
 * no list of its own for it. */
bool edit_add_peer(struct edit *edit, const struct loc *use, const char *role, const char *address);
/* A rule, as a map in braces, with a comment above where the style has room for one. */
bool edit_add_rule(struct edit *edit, const char *rule, const char *comment);
/* The whole text as it would be. */
const struct source *edit_finish(struct edit *edit);

/* ---------------------------------------------------------------- proposals
 *
 * What to write so that the policy allows what it refuses.
 */
enum proposal_kind { PROPOSAL_NONE, PROPOSAL_PEER, PROPOSAL_RULE };

struct proposal {
	struct tuple tuple;
	const char *seen; /* for the comment of a rule: what was seen */
	/* filled in: */
	enum proposal_kind kind;
	const char *rule;	    /* the row that fits, or the id of the new rule */
	const char *role, *address; /* PROPOSAL_PEER */
	const char *why;	    /* PROPOSAL_NONE: why not */
	bool again;		    /* the edit of an earlier proposal allows it as well */
	const char *const *gains; /* PROPOSAL_PEER: the other rules that the address comes under */
	size_t gain_count;
};

/* Fills in each and adds its edit. `rules_only`: no address joins a role. */
void policy_propose(const struct ruleset *rs, bool rules_only, struct edit *edit,
		    struct proposal *list, size_t count);

#endif
