/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * datapath: image -> kernel. Finds cgroup2, bpffs and interfaces, probes, loads the programs,
 * installs an image as a new generation, attaches, pins, detaches. The only floor (with observe)
 * that knows libbpf. Sees struct image and records, never YAML. Errors are queued as diagnostics
 * with what to type; nothing is printed.
 */
#ifndef DATAPATH_H
#define DATAPATH_H

#include "../compile/compile.h"

/* Host errors carry one of these in the negative errno: the command maps them to exit codes.
 * -ENODEV / -ENOENT: an interface or cgroup does not exist (3). -EBUSY: attach point or lock taken
 * by another policy or process (3). -ECANCELED: a guard refuses (3). -EPERM, -ENOTSUP, -ENOSYS:
 * privilege or kernel (6). Else 1. */

struct host_options {
	const char *pin_root; /* PIN_ROOT_DEFAULT */
	const char *cgroup;   /* --cgroup DIR: where cgroup2 is mounted, or NULL: find it */
	bool no_tcx;	      /* use clsact even where the kernel has TCX */
};

/* ---------------------------------------------------------------- the host */

struct interface {
	char name[16];
	const char **altnames; /* alternative names */
	size_t altname_count;
	uint32_t ifindex;
	uint16_t type; /* ARPHRD_* */
	bool l3;       /* packets begin at the IP header */
	bool loopback;
	char kind[16];	  /* "macvlan", "veth"; empty for a device of hardware */
	uint32_t parent;  /* ifindex of the device below it, or of the other end; 0 none here */
	uint32_t master;  /* ifindex of the bridge or bond that it is a port of, 0 none */
	char port_of[16]; /* kind of the master: "bridge", "bond" */
	uint8_t mac[6];
	uint32_t promiscuity; /* how often it was asked to take all frames */
	bool addressed;	      /* has an address of its own, other than a link-local one */
	uint32_t xdp;	      /* id of its XDP program, 0 none */
};

/* Interfaces of the caller's network namespace, by netlink, in index order. Arena memory. */
int host_interfaces(struct arena *arena, struct diags *d, struct interface **out, size_t *count);
/* The subnets of one interface (its addresses' prefixes, link-local included). */
int host_subnets(struct arena *arena, uint32_t ifindex, struct diags *d, struct prefix **out,
		 size_t *count);
int host_netns(uint64_t *inode); /* of the caller */
/* ip_forward or ipv6 forwarding is on in the caller's namespace (read by netlink, not /proc/sys).
 */
int host_forwarding(bool *out);

/* A TCP connection of this host, as its socket has it. */
struct connection {
	struct addr local, peer;
	uint16_t local_port, peer_port;
};
/* 1 when the caller's network namespace has it, 0 when not, -errno when that cannot be told.
 * *cgroup gets the id of the socket's cgroup, or 0. */
int host_connection(const struct connection *connection, uint64_t *cgroup);

/* The attach points that a ruleset's names and patterns name on this host. A name that does not
 * exist is an error, and so is the device lo; a pattern without a match is a warning, or an error
 * where nothing at all is found. */
struct hook {
	uint8_t kind; /* enum fr_kind */
	bool l3;
	uint32_t ifindex;
	uint64_t cgroup;  /* id */
	const char *name; /* interface, or cgroup path below the cgroup2 root ("/" the root) */
	const char *path; /* of the cgroup directory */
	uint32_t request; /* index of the first in ruleset.attach that names it */
};
int host_resolve(const struct ruleset *rs, const struct host_options *o, struct diags *d,
		 struct hook **out, size_t *count);

/* ---------------------------------------------------------------- apply and detach */

/* Names that travel with the image, so that any later command can read what runs. */
struct apply_request {
	const struct ruleset *ruleset;
	struct image *image; /* the loader writes generation, slots, jiffies into its own copy */
	const struct hook *hooks;
	size_t hook_count;
	const char *source; /* policy file, as given */
	struct host_options host;
	uint32_t flows;	    /* how many there shall be room for; 0: default */
	bool mode_given;    /* by the command: it may be lower than the one in force */
	bool allow_removal; /* attach points and deny rules may go, defaults may be lowered */
	/* further words of the command, for the hint that repeats it */
	const char *const *words;
	size_t word_count;
};

/* One thing that a change lowers. */
struct lowering {
	const char *check; /* the diagnostic that refuses it: "attach-removed" */
	const char *what;  /* "interface eth0 is no longer attached" */
};

struct apply_result {
	uint32_t generation;
	bool replaced;	/* a policy of this name ran before */
	bool unchanged; /* same digest, same hooks: nothing was done */
	size_t hooks_added, hooks_removed;
	bool tcx;			/* interfaces are attached by TCX links */
	const struct lowering *lowered; /* what the command allowed to be lowered; arena memory */
	size_t lowered_count;
};

/*
 * One commit point: everything new is in the kernel before one store flips slot 0 of `fr_images`.
 * 0, or -errno and the running policy is untouched.
 */
int datapath_apply(const struct apply_request *request, struct diags *d, struct apply_result *out);

/* Removes all of the named policy (NULL: every policy below the pin root), and nothing else.
 * -ENOENT when there is none of that name. *count: policies removed. */
int datapath_detach(const struct host_options *o, const char *policy, struct diags *d,
		    size_t *count);

/* Baselines so that the rule's counters read 0 from now; all rules when `rules` is empty. Unknown
 * rule: -ENOENT with a diagnostic and nothing changed. */
int datapath_zero(const struct host_options *o, const char *policy, const char *const *rules,
		  size_t count, struct diags *d);

/* Names of the policies below the pin root, in order. -EIO with a diagnostic when of one of them
 * nobody can tell whether it is in force. */
int datapath_list(const struct host_options *o, struct arena *arena, struct diags *d,
		  const char ***names, size_t *count);
/* The same with those whose pins are damaged: all that detach can remove. */
int datapath_list_all(const struct host_options *o, struct arena *arena, struct diags *d,
		      const char ***names, size_t *count);

/* What puts a policy in force again as it was applied last, by what its pins still say: `apply`; or
 * `detach` and `apply` where too much is gone; or `detach` where the file is not known. */
const char *policy_heal_command(const char *pin_root, const char *policy, struct arena *arena);

/* Opened pins of one instance, for the floors that read; -1 where absent. Close with
 * instance_close. */
struct instance {
	char name[FR_NAME_MAX];
	char dir[256];	/* of the policy: links */
	char pins[288]; /* of the programs in force: maps, programs, images */
	uint32_t generation;
	int images, counters, reasons, tallies, flows, drops, events, control, rules, state, hooks,
		requests;
};
int instance_open(const struct host_options *o, const char *policy, struct diags *d,
		  struct instance *out);
void instance_close(struct instance *instance);
/* policy_heal_command() of it where `err` says that its pins are damaged, else NULL. */
const char *instance_heal_command(const struct instance *instance, int err, struct arena *arena);
/* The image in force, mapped read-only: *image->lines stays mapped until instance_image_close.
 * -ENODATA when slot 0 is empty. */
int instance_image(const struct instance *instance, struct image *out);
void instance_image_close(struct image *image);
/* Now, as (jiffies64, realtime ns) and jiffies per second, measured by running fr_clock. */
struct clock_pair {
	uint64_t jiffies, boot_ns, real_ns;
	uint32_t hz;
};
int instance_clock(const struct instance *instance, struct clock_pair *out);

/* Every entry in use of a table of sets (struct fr_flow, struct fr_drop), in no order. A non-zero
 * return of `visit` ends it and is returned. */
typedef int (*entry_visit)(const void *entry, void *context);
int sets_each(int fd, entry_visit visit, void *context);

/* The records of rules by slot, mapped until instance_rules_close. `used`: 1 in force, 2 a rule
 * that has left and whose name is kept for flows that still refer to it. */
struct rule_records {
	const struct fr_rule_record *list;
	uint32_t count;
	size_t size; /* of the mapping */
};
int instance_rules(const struct instance *instance, struct rule_records *out);
void instance_rules_close(struct rule_records *rules);
/* What a slot counts, baseline added. `last` is 0 when no packet came since the baseline. */
int instance_counters(const struct instance *instance, uint32_t slot,
		      const struct fr_rule_record *rule, struct fr_counters *out);

/* One hook of an attach point as the kernel has it. Arena memory. */
struct hook_fact {
	const struct fr_hook_record *record;
	const char *name;    /* of today, where it is alive; else that of the record */
	const char *request; /* name or pattern of the policy that asks for it */
	const char *hook;    /* "tcx/ingress", "connect4" */
	uint32_t program;    /* id, 0 when there is none */
	const char *fault;   /* a sentence, NULL when it is as it should be */
	const char *
		*neighbours; /* "before: program cil_from_netdev (id 12)", in the kernel's order */
	size_t neighbour_count;
	/* on a device: who stands before ours and may take packets that ours never sees, or NULL */
	const char *behind;
};
struct hook_facts {
	struct hook_fact *list;
	size_t count;
};
int instance_hooks(const struct instance *instance, const struct host_options *o,
		   struct arena *arena, struct diags *d, struct hook_facts *out);

/* Names of today, in place of those at apply, of the devices that are still attached. */
void instance_names_now(const struct instance *instance, struct fr_hook_record *hooks,
			uint32_t count);

/* A TC program that calls bpf_redirect_peer(), which passes the egress hook of a guest. */
struct peer_redirect {
	uint32_t program;  /* id */
	const char *words; /* "program x (id 12)" */
	const char *where; /* "vx clsact/ingress" */
	uint32_t *targets; /* ifindexes that are plain in its instructions */
	size_t target_count;
};
struct peer_redirects {
	struct peer_redirect *list;
	size_t count;
	const char *unknown; /* why there may be more, or NULL */
};
/* Those of the caller's network namespace. Arena memory. */
void host_peer_redirects(struct arena *arena, struct peer_redirects *out);
/* Those of the namespace that the policy's guests are in, where some could be passed; else none. */
void instance_peer_redirects(const struct instance *instance, struct arena *arena,
			     struct peer_redirects *out);

/* What is worth knowing of where a policy is attached. Arena memory. */
struct remark {
	const char *check; /* "counted-twice", "bridge-port", "device-moved", "other-policy" */
	const char *text;  /* a sentence */
	bool note;	   /* not a warning */
};
struct remarks {
	struct remark *list;
	size_t count;
};
int instance_remarks(const struct instance *instance, const struct host_options *o,
		     struct arena *arena, struct diags *d, struct remarks *out);

/* A device or cgroup that the policy asks for and does not judge. Arena memory. */
struct unjudged {
	uint8_t kind;	     /* of attach point, as asked for */
	const char *name;    /* of today */
	uint32_t ifindex;    /* 0 for a cgroup */
	const char *request; /* the name or pattern */
	const char *why;     /* a sentence */
	/* no fault: its packets are judged at its bridge or bond ("counted-twice"), or by another
	 * policy ("other-policy"); NULL: it is a fault */
	const char *remark;
	const char *hint; /* what puts it right, where no command does; or NULL */
};
struct unjudged_list {
	struct unjudged *list;
	size_t count;
};
/* What the policy's names and patterns mean today, compared with what it is attached to. What
 * cannot be told is in the list as well. */
int instance_unjudged(const struct instance *instance, const struct host_options *o,
		      struct arena *arena, struct diags *d, struct unjudged_list *out);

/* ---------------------------------------------------------------- doctor
 *
 * What this host has, each found by trying it: a program loaded, a map made, a link attached in a
 * network namespace or cgroup made for it. Never a version, never an attach point of the host.
 */
enum host_answer { ANSWER_NO, ANSWER_YES, ANSWER_UNKNOWN };

struct feature {
	const char *name;    /* stable id, kebab-case */
	uint8_t answer;	     /* enum host_answer */
	uint32_t needed_by;  /* bits 1 << enum fr_kind; 0: enforcement does without */
	const char *instead; /* a feature that serves in its place, or NULL */
	const char *purpose; /* what it is for */
	const char *cost;    /* what its lack costs */
	const char *remedy;  /* what to do about its lack */
	const char *found;   /* what was seen on this host, or NULL */
};

struct program_fact {
	const char *name;
	uint8_t answer;
	uint32_t needed_by;
	bool optional;
	uint32_t verified;     /* instructions that the verifier looked at; 0: not told */
	uint32_t instructions; /* of the program */
	bool jited;
	const char *refused; /* the kernel's words, NULL when it loads */
};

/* A way past the hooks. ANSWER_YES: seen on this host; ANSWER_NO: looked for and not there. */
struct bypass {
	const char *name;
	uint8_t answer;
	uint32_t of; /* kinds that it passes, bits 1 << enum fr_kind */
	const char *what, *closed_by;
	const char *found; /* NULL or what was seen */
};

struct doctor_report {
	const char *kernel, *machine; /* of uname, told and not judged */
	struct feature *features;
	size_t feature_count;
	struct program_fact *programs;
	size_t program_count;
	struct bypass *bypasses;
	size_t bypass_count;
	uint8_t can[FR_KINDS]; /* enum host_answer: enforce on this kind of attach point */
	bool tcx;	       /* interfaces by TCX links, else by clsact */
};
/* Arena memory. Asks what it may; without privilege most answers are ANSWER_UNKNOWN. */
void host_probe(const struct host_options *o, struct arena *arena, struct doctor_report *out);

/* ---------------------------------------------------------------- test bench
 *
 * Programs loaded but not attached nor pinned, for BPF_PROG_TEST_RUN: the third judge and the
 * benchmark. `kind` and `dir` choose the program; `data` begins with an Ethernet header.
 */
struct bench;
int bench_open(struct diags *d, struct bench **out);
/* The programs as they are when attached, for measurements: no trace, `verdict` stays 0. */
int bench_open_quiet(struct diags *d, struct bench **out);
/* The descriptors of its programs and maps, borrowed, for another process: with its own descriptors
 * of the same, in that order, it makes a bench that has loaded nothing, and owns them. What the
 * maps hold is shared. Returns how many. */
enum { BENCH_LENT_MAX = 64 };
size_t bench_lend(const struct bench *bench, int fds[BENCH_LENT_MAX]);
int bench_borrow(const int *fds, size_t count, struct diags *d, struct bench **out);
void bench_close(struct bench *bench);
int bench_install(struct bench *bench, const struct image *image, bool forget_flows);
struct bench_run {
	uint8_t kind, dir; /* enum fr_kind, enum fr_dir */
	bool l3;	   /* the program of devices without an Ethernet header */
	const void *data;
	uint32_t size;
	uint32_t repeat;  /* 0: once */
	uint32_t ifindex; /* of the device; 0: one of the caller's namespace other than lo */
	uint32_t ingress_ifindex; /* the device that it came in by, 0 none */
	uint32_t segments;	  /* on the wire, 0: not segmented */
	/* out */
	int retval;
	uint32_t duration_ns; /* mean of the repeats */
	struct fr_event
		verdict; /* what the pipeline decided, from the trace map; slot = rule number */
};
int bench_run(struct bench *bench, struct bench_run *run);
/* The same for a socket that is looked for: its verdict, SK_PASS or SK_DROP, or -errno. `ask` is a
 * struct bpf_sk_lookup. */
int bench_ask_local(struct bench *bench, const void *ask, uint32_t size, struct fr_event *verdict);
int bench_map(struct bench *bench, const char *name); /* fd, borrowed */

#endif
