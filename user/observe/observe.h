/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * observe: kernel -> structs. Reads the pinned maps of a running instance and the kernel's state
 * of its links, and turns them into views that render prints. Uses datapath, net, base, libbpf.
 */
#ifndef OBSERVE_H
#define OBSERVE_H

#include "../datapath/datapath.h"

/* One attach point as the kernel sees it now. */
struct hook_view {
	const char *kind;	   /* "interface", "guest", "cgroup" */
	const char *name;	   /* current */
	const char *name_at_apply; /* if it was another, else NULL */
	const char *request;	   /* the name or pattern of the policy */
	const char *hook; /* "tcx/ingress", "clsact/egress", "cgroup_skb/ingress", "connect4" … */
	uint32_t ifindex;
	uint32_t prog_id;
	bool alive; /* link exists, target exists, program is the pinned one and uses our maps */
	const char *fault;	 /* the fault when not alive, a sentence; else NULL */
	const char **neighbours; /* on the same hook, in order: "before: program x (id 12)" */
	size_t neighbour_count;
	const char *preempted_by; /* the program before it that may take packets from it */
	const struct hook_fact *fact;
};

/* A TC program that may put packets into guests and bypass their hooks. */
struct redirect_view {
	uint32_t program;
	const char *words, *where;
	const char *past; /* the guest's device that its instructions name, or NULL */
};

struct status_view {
	const char *policy, *source, *build;
	bool enforce;	/* mode of the image in force */
	bool enforcing; /* enforce, every hook is alive and first, everything that the policy names
			   is judged, and the image is the one that was applied */
	const char *altered;	     /* the image is another: a sentence; else NULL */
	const char *altered_unknown; /* why that cannot be told, or NULL */
	uint32_t generation;	     /* by the image in force */
	uint32_t pinned;	     /* by the name of its pin */
	bool audit_copy;	     /* what enforces nothing past an --until is in force */
	char digest[65];
	uint64_t applied, zeroed; /* realtime ns */
	bool has_pending;	  /* a change that ends by itself, or has ended so */
	struct pending pending;
	uint64_t netns;
	uint32_t rules;
	struct hook_view *hooks;
	size_t hook_count;
	struct unjudged *unjudged; /* named by the policy, and not judged */
	size_t unjudged_count;
	const struct fr_request_record *requests; /* the names and patterns of the policy */
	size_t request_count;
	struct redirect_view *redirects;
	size_t redirect_count;
	const char *redirects_unknown; /* why the list may be incomplete, or NULL */
	struct remark *remarks;
	size_t remark_count;
	uint64_t tallies[FR_TALLY_COUNT];
	struct {
		const char *map;
		uint64_t entries, max;
	} maps[6];
	size_t map_count;
	struct fr_reason_counters reasons[FR_KINDS][FR_DIRS][FR_REASONS_COUNT];
};

/* ---------------------------------------------------------------- verify */

enum check_state { CHECK_TRUE, CHECK_WRONG, CHECK_UNKNOWN };

/* One thing that has to be true. Arena memory. */
struct check_view {
	const char *claim; /* "link", "target", "program", … */
	const char *on;	   /* "interface ens5 tcx/ingress", or NULL: the policy */
	uint8_t state;	   /* enum check_state */
	const char *text;  /* the finding, a sentence */
	const char *hint;  /* of a wrong one: the command that heals it; or NULL */
};

struct verify_view {
	const char *policy;
	bool enforce;
	uint32_t generation, pinned; /* as in status */
	char digest[65];
	struct check_view *list;
	size_t count, capacity;
	size_t wrong, unknown;
	bool probed;
	size_t probes, rules, rules_probed; /* packets; rules of the policy; those with a packet */
};

struct verify_request {
	const struct host_options *host;
	const char *policy;
	/* Of the document that is kept with the policy; NULL: `document` says why there is none. */
	struct ruleset *rs;
	struct check_view document;
	bool probe;
};

/* The policy of which figures speak, and the time that they cover. */
struct window_view {
	char policy[FR_NAME_MAX];
	bool enforce;
	uint32_t generation;
	char digest[65];
	uint64_t since, until; /* realtime ns */
};

struct rule_view {
	uint32_t slot;
	const char *id, *table, *row;
	uint32_t line;
	const char *dir;    /* "egress", "ingress", "both" */
	const char *action; /* "allow", "deny", "failsafe", "builtin", "default" */
	bool staged;
	uint8_t answers;	   /* enum fr_answers; FR_ANSWERS_DEFAULT: asks nothing over UDP */
	const char *default_of;	   /* of the answers, as in struct expectation */
	struct fr_counters totals; /* since `since` */
	uint64_t since;
	uint64_t last; /* realtime ns of the last packet, 0 never */
	const char
		*shares_with; /* a rule that decides the same traffic, set by the caller; or NULL */
};

/* The owner of a socket, recorded when it made its first one. */
struct process_view {
	uint32_t pid; /* 0: unknown, as are the fields below */
	char name[FR_COMM_LEN + 1];
	bool known; /* the fields below */
	uint32_t uid;
	uint32_t parent_pid; /* 0: unknown */
	char parent_name[FR_COMM_LEN + 1];
	uint64_t started; /* realtime ns; 0: unknown */
};

struct flow_view {
	struct fr_flow_key key;
	struct fr_flow flow;
	const char *kind;  /* attach kind */
	const char *scope; /* interface of a guest, else NULL */
	const char *state;
	const char *rule, *table, *row; /* of the slot */
	uint32_t line;
	const char *verdict;  /* "pass" or "would-drop" */
	uint64_t first, last; /* realtime ns */
	struct process_view process;
};

/* A refused datagram that looks like an answer to a question that a rule admits. */
struct answer_hint {
	const char *rule;
	const char *key;  /* to write: "answers: peer-any-port"; or NULL */
	const char *text; /* a sentence */
	bool admitted;	  /* it was refused under another policy, and this one admits it */
};

struct drop_view {
	struct fr_flow_key key;
	struct fr_drop drop;
	const char *kind, *scope;
	const char *verdict, *reason;
	const char *rule, *table, *row;
	uint32_t line;
	uint64_t first, last; /* realtime ns */
	struct process_view process;
	const struct answer_hint *answer; /* of drops_collect; or NULL */
};

/* Openings that no rule of the policy in force decides, by peer and the listener's port. */
struct unexplained_view {
	struct tuple tuple;
	uint32_t scope;	     /* FR_SCOPE, for a cgroup without its network namespace */
	const char *kind;    /* attach kind */
	const char *where;   /* interface of a guest, else NULL */
	const char *verdict; /* "drop", "would-drop", or by a default that allows "pass" */
	uint64_t packets, bytes;
	uint64_t flows;	      /* alive */
	uint64_t first, last; /* realtime ns */
	struct process_view process;
	const struct answer_hint *answer; /* or NULL */
	const char *nearest;		  /* a sentence, set by the caller; or NULL */
};

/* A socket of this host that waits for others, and that no ingress rule explains. */
struct listening_view {
	uint8_t proto;
	uint16_t port;
	struct addr address;
	bool everywhere; /* bound to no address */
	bool given_out;	 /* of UDP, on a port that this host gives to sockets that ask for none */
	uint32_t pid;	 /* 0: none that can be read */
	char process[16];
};
/* A port of an ingress rule on which nobody waits. */
struct idle_view {
	const struct rule *rule;
	struct service service;
};
struct listening {
	const char *left_out; /* why nothing is compared, a sentence; or NULL */
	struct listening_view *list;
	struct idle_view *idle;
	size_t count, idle_count, capacity, idle_capacity;
	size_t sockets; /* that were compared */
};

/* Coverage of recorded events instead of the kernel's figures: the window that they cover. */
struct recorded_view {
	const char *file;
	const char **hosts; /* that recorded them */
	size_t host_count, host_capacity;
	uint64_t events, left_out; /* of this policy; of others */
	uint64_t openings;	   /* of the events; 0: they tell nothing of rules that allow */
	uint64_t lost;		   /* that came faster than they were read, of all policies */
	uint64_t since, until;	   /* realtime ns of the first and the last; 0 without any */
};

struct coverage_view {
	const char *policy, *source;
	bool enforce;
	uint8_t digest[32];
	uint64_t since; /* realtime ns: start of the oldest counter */
	/* realtime ns: when the newest of the unexplained openings was first seen; `since` without
	 * any */
	uint64_t newest;
	const struct ruleset *file; /* names the tables, set by the caller; or NULL */
	struct rule_view *rules;
	size_t rule_count;
	struct unexplained_view *unexplained; /* most packets first */
	size_t unexplained_count;
	struct listening listening; /* set by the caller */
	/* older refusals and flows that a rule now decides, left out */
	uint64_t decided_by_current;
	uint64_t refusals, room; /* entries of the list of refusals, and its capacity */
	bool incomplete;	 /* the list lacks some refusals */
	const struct recorded_view *recorded; /* or NULL: the kernel's figures */
};

/* What a policy would do with the connections of this host, were it in force. */
enum preview_outcome { PREVIEW_STAYS, PREVIEW_REPORTED, PREVIEW_CUT, PREVIEW_OUTCOMES };

/* Connections that share all of this. */
struct preview_line {
	uint8_t outcome;   /* enum preview_outcome */
	uint8_t kind;	   /* enum fr_kind */
	const char *where; /* the device of a guest, or NULL */
	struct tuple tuple;
	struct prefix peer; /* wider than an address where there are too many of these */
	char process[17];   /* "": not known */
	uint32_t rule;	    /* of the decision */
	uint8_t reason;	    /* enum fr_reason */
	uint64_t count;
	const char *nearest; /* a sentence, where no rule decides; or NULL */
};
struct preview_session {
	bool found, judged;
	struct connection connection;
	struct preview_line line; /* where it is judged */
};
struct preview_view {
	const struct ruleset *rs;
	uint8_t digest[32];
	bool kinds[FR_KINDS];			     /* that the policy has attach points of */
	uint64_t totals[FR_KINDS][PREVIEW_OUTCOMES]; /* connections */
	struct preview_line *list;		     /* what is cut first, then the most */
	size_t count;
	struct preview_session session; /* of the caller */
	bool admits_nothing;
	struct listening unreached;   /* sockets whose port no address may open */
	bool flows_known;	      /* a policy of the name is in force */
	bool cgroups_unknown;	      /* the kernel does not tell those of sockets */
	struct local_sockets sockets; /* of this host, that are cut */
};
struct preview_request {
	const struct ruleset *rs;
	const struct image *image;
	const struct attach_target *hooks;
	size_t hook_count;
	const struct host_options *host;
	bool details; /* listeners, and the processes of all connections, not only of those cut */
};

struct event_view {
	struct fr_event event;
	const char *digest; /* of the policy that decided; NULL: of an earlier generation */
	const char *verdict, *reason, *kind, *rule, *table, *row;
	uint32_t line;
	char ifname[16];
	uint64_t time; /* realtime ns */
	struct process_view process;
};

/* ---------------------------------------------------------------- recorded events */

/* Others may have written the file: it is refused where it has more. */
enum { EVENTS_BYTES_MOST = 1 << 30, EVENT_NAMES_MOST = 4096, OPENINGS_MOST = 100000 };

struct recorded_event {
	const char *host, *policy, *digest; /* digest: or NULL */
	const char *interface;		    /* or NULL */
	const char *process;		    /* of pid; or NULL */
	uint64_t time;			    /* realtime ns */
	uint64_t packets;		    /* with those that were held back */
	uint64_t length;		    /* of this one */
	struct tuple tuple;
	struct datagram ends; /* of UDP */
	uint32_t line, pid;
	uint8_t verdict, reason, kind;
	bool opened;
};

struct recording {
	const char *file;
	const struct source *source;
	struct recorded_event *list;
	size_t count, capacity;
	uint64_t lost;
};

/* The lines of `monitor --json`; -EINVAL with all errors of the text. In d->arena. */
int events_read(const struct source *source, struct diags *d, struct recording *out);
/* The events of the ruleset's policy, as decided by its rules. -EINVAL with a diagnostic: of more
 * than OPENINGS_MOST that no rule explains. In d->arena. */
int recorded_cover(const struct recording *recording, const struct ruleset *rs, struct diags *d,
		   struct coverage_view *view);

/* ---------------------------------------------------------------- the record of changes */

/* One line of the record (docs/json.md). NULL: unknown, or does not apply. */
struct change_view {
	const char *time; /* as recorded; NULL: `at` */
	uint64_t at;	  /* realtime ns */
	const char *host;
	const char *verb;    /* "apply", "confirm", …, "roll-back", "until-end" */
	const char *command; /* the words, as for a shell; NULL: the kernel did it */
	uint32_t uid, login; /* UINT32_MAX: none */
	const char *pin_root, *policy;
	const char *mode_before, *mode_after;	  /* "audit" or "enforce"; NULL: not in force */
	const char *digest_before, *digest_after; /* in force when the command began and ended */
	uint32_t before;     /* generation in force when the command began; is not recorded */
	uint32_t generation; /* in force at the end, or of the change that ended; 0: none */
	const char *outcome; /* "done", "unchanged", "refused", "late", "cannot", "failed" */
	const char *reason;  /* the first error */
};

struct change_list {
	struct change_view *list;
	size_t count, capacity;
};

/* All lines of a record, or of one policy; the readable ones are there also after an error. Arena
 * memory of `d`. -EINVAL with all errors of the text. */
int changes_read(const struct source *source, const char *policy, struct diags *d,
		 struct change_list *out);

/* Arena memory throughout. 0 or -errno with a diagnostic. */
int status_collect(const struct host_options *o, const char *policy, struct arena *arena,
		   struct diags *d, struct status_view *out);
/* Whether another generation is in force by now. */
bool status_moved_on(const struct host_options *o, const char *policy, uint32_t generation);
int verify_collect(const struct verify_request *request, struct diags *d, struct verify_view *out);
int window_collect(const struct instance *instance, struct diags *d, struct window_view *out);
int rules_collect(const struct instance *instance, struct arena *arena, struct diags *d,
		  struct rule_view **out, size_t *count);
/* Streams: `visit` is called for each; a non-zero return ends it and is returned. Skips expired
 * flows. */
int flows_each(const struct instance *instance, struct diags *d,
	       int (*visit)(const struct flow_view *, void *), void *context);
/* The expired ones as well, as long as no other has taken their places. */
int flows_each_known(const struct instance *instance, struct diags *d,
		     int (*visit)(const struct flow_view *, void *), void *context);
/* Connections of TCP that peers have opened, that were answered, and that the policy admits. */
struct opened {
	uint64_t since;			  /* jiffies64 */
	const struct connection *session; /* of these ends; NULL: of any to a port: */
	uint16_t port;
	bool old, fresh; /* out: there is one that began before; after */
};
int opened_find(const struct instance *instance, struct diags *d, struct opened *opened);
/* The refusals that the policy in force does not admit, since their rule's counters began. */
struct drop_list {
	struct drop_view *list;
	size_t count, admitted; /* left out: admitted by the policy in force */
};
int drops_collect(const struct instance *instance, struct arena *arena, struct diags *d,
		  struct drop_list *out);
int drops_each(const struct instance *instance, struct diags *d,
	       int (*visit)(const struct drop_view *, void *), void *context);

/* Used and unused rules, and the traffic that no rule explains. */
int coverage_collect(const struct instance *instance, struct arena *arena, struct diags *d,
		     struct coverage_view *out);

/* The sockets of this host against the rules, where the policy judges packets for this host itself.
 * -errno with a diagnostic when they cannot be read. */
int listening_collect(const struct instance *instance, const struct host_options *o,
		      const struct ruleset *rs, struct diags *d, struct listening *out);

/* Flows of the policy of that name in force, sockets and the caller's session. -errno with a
 * diagnostic when they cannot be read. Arena of `d`. */
int preview_collect(const struct preview_request *request, struct diags *d,
		    struct preview_view *out);
/* Connections of one outcome, by attach points of all kinds. */
uint64_t preview_total(const struct preview_view *view, enum preview_outcome outcome);

/* The ports of this host, where the policy judges packets for this host itself; else those of a
 * host that is not known. -errno with a diagnostic when they cannot be read. */
struct own_ports {
	struct port_set given_out; /* to sockets that ask for none */
	struct port_set served;	   /* a socket of UDP waits there */
};
int ports_collect(const struct instance *instance, const struct host_options *o, struct diags *d,
		  struct own_ports *out);

/* The ring buffer. One reader per instance: a second one gets -EBUSY. */
struct monitor;
int monitor_open(const struct instance *instance, bool openings, struct diags *d,
		 struct monitor **out);
/* 1 and an event, 0 when `timeout_ms` passed or a signal came, -errno. Renews the reader's lease.
 */
int monitor_next(struct monitor *monitor, int timeout_ms, struct event_view *out);
/* Events that the kernel could not store since monitor_open. */
uint64_t monitor_lost(struct monitor *monitor);
void monitor_close(struct monitor *monitor);

#endif
