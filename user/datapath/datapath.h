/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * datapath: image -> kernel. Plans a change, installs an image as a new generation, attaches,
 * pins, detaches, and finds out how a policy runs. Sees struct image and records, never YAML. Uses
 * attach, objects, host, compile, net, base and libbpf. Errors are queued as diagnostics with a
 * hint; nothing is printed.
 */
#ifndef DATAPATH_H
#define DATAPATH_H

#include "../attach/attach.h"
#include "../compile/compile.h"
#include "../host/host.h"

/* Host errors carry one of these in the negative errno: the command maps them to exit codes.
 * -ENODEV / -ENOENT: an interface or cgroup does not exist (3). -EBUSY: attach point or lock taken
 * by another policy or process (3). -ECANCELED: a guard refuses (3). -EPERM, -ENOTSUP, -ENOSYS:
 * privilege or kernel (6). Else 1. */

/* ---------------------------------------------------------------- apply and detach */

/* Names that travel with the image, so that any later command can read the running policy. */
struct apply_request {
	const struct ruleset *ruleset;
	struct image *image; /* the loader writes generation, slots, jiffies into its own copy */
	const struct attach_target *hooks;
	size_t hook_count;
	const struct packed *document; /* of the policy; NULL: none is kept */
	const char *source;	       /* policy file, as given */
	struct host_options host;
	uint32_t flows;	    /* capacity; 0: default */
	uint64_t confirm;   /* ns: it ends unless it is confirmed within this time; 0: it stays */
	uint64_t until;	    /* realtime ns: then it enforces no more; 0: it stays */
	bool mode_given;    /* set by the command; may be lower than the one in force */
	bool allow_removal; /* attach points and deny rules may go, defaults may be lowered */
	/* Called under the lock, before anything changes; refuses with -errno and a diagnostic. Or
	 * NULL. */
	int (*guard)(const struct apply_request *request, void *context);
	void *guard_context;
	/* other options of the command, for the hint that repeats it */
	const char *const *words;
	size_t word_count;
};

/* One protection that a change lowers. */
struct lowering {
	const char *check; /* the diagnostic that refuses it: "attach-removed" */
	const char *what;  /* "interface eth0 is no longer attached" */
};

/* A change that ends by itself, in the kernel: nothing in user space needs to live for it. */
struct pending {
	uint8_t kind;	      /* enum fr_pending_kind */
	uint32_t generation;  /* its id */
	uint32_t before;      /* the generation that is in force after it; 0: none */
	uint32_t uid, login;  /* of the user; login: UINT32_MAX for none */
	uint64_t asked, ends; /* realtime ns; `ends`: also past times */
	uint64_t begun;	      /* jiffies64: in force before then; 0: not known */
	uint64_t left;	      /* ns; 0: it has ended */
};

struct apply_result {
	uint32_t generation;
	bool replaced;	/* a policy of this name ran before */
	bool unchanged; /* same digest, same hooks: nothing was done */
	size_t hooks_added, hooks_removed;
	bool tcx;			/* interfaces are attached by TCX links */
	const struct lowering *lowered; /* the lowerings that the command allowed; arena memory */
	size_t lowered_count;
	bool ends; /* unless it is confirmed, or at a time: */
	struct pending pending;
};

/*
 * One commit point: everything new is in the kernel before one store flips slot 0 of `fr_images`.
 * Returns 0, or -errno and leaves the running policy untouched.
 */
int datapath_apply(const struct apply_request *request, struct diags *d, struct apply_result *out);

enum pending_action { PENDING_CONFIRM, PENDING_CANCEL, PENDING_EXTEND };
struct pending_request {
	struct host_options host;
	const char *policy;
	enum pending_action action;
	uint64_t more;	     /* PENDING_EXTEND: ns */
	uint32_t generation; /* of the change that is meant; 0: the one that waits */
};
struct pending_outcome {
	struct pending pending;
	uint8_t digest[32]; /* of the policy in force now; zeros: none of that name */
};
/* Confirms, ends or extends the pending change of a policy. -ENOENT: none is pending, -ETIME: it
 * has ended by itself already; with a diagnostic. */
int datapath_pending(const struct pending_request *request, struct diags *d,
		     struct pending_outcome *out);

/* Removes all of the named policy (NULL: every policy below the pin root), and nothing else.
 * -ENOENT: no policy has that name. *count: policies removed. */
int datapath_detach(const struct host_options *o, const char *policy, struct diags *d,
		    size_t *count);

/* Sets baselines so that the rules' counters read 0 from now; all rules when `rules` is empty.
 * Unknown rule: -ENOENT with a diagnostic, and no change. */
int datapath_zero(const struct host_options *o, const char *policy, const char *const *rules,
		  size_t count, struct diags *d);

/* Names of the policies below the pin root, in order. -EIO with a diagnostic when it is unknown
 * whether one of them is in force. */
int datapath_list(const struct host_options *o, struct arena *arena, struct diags *d,
		  const char ***names, size_t *count);
/* The same, with policies whose pins are damaged: all that detach can remove. */
int datapath_list_all(const struct host_options *o, struct arena *arena, struct diags *d,
		      const char ***names, size_t *count);

/* Policies below the pin root whose first change was rolled back, so that none of that name is in
 * force. Arena memory. */
struct undone {
	const char *policy;
	struct pending pending;
};
int datapath_undone(const struct host_options *o, struct arena *arena, struct diags *d,
		    struct undone **list, size_t *count);

/* The command that puts a policy in force again as it was last applied, from its remaining pins:
 * `apply`; or `detach` and `apply` if too much is missing; or `detach` if the file is unknown. */
const char *policy_heal_command(const char *pin_root, const char *policy, struct arena *arena);

/* Opened pins of one instance, for the floors that read; -1 where absent. Close with
 * instance_close. */
struct instance {
	char name[FR_NAME_MAX];
	char root[256]; /* the pin root */
	char dir[256];	/* of the policy: links */
	char pins[288]; /* of the programs in force: maps, programs, images */
	uint32_t generation;
	bool audit; /* by the copy of its image that enforces nothing */
	int images, failsafe, counters, reasons, tallies, flows, drops, events, control, rules,
		state, hooks, requests;
	int processes; /* -1: no process details */
};
int instance_open(const struct host_options *o, const char *policy, struct diags *d,
		  struct instance *out);
void instance_close(struct instance *instance);
/* policy_heal_command() of this policy if `err` says that its pins are damaged, else NULL. */
const char *instance_heal_command(const struct instance *instance, int err, struct arena *arena);
/* The image in force with its failsafe rules, mapped read-only: *image->lines stays mapped until
 * image_unmap(). -ENODATA when slot 0 is empty. */
int instance_image(const struct instance *instance, struct image *out);
/* Whether both are unchanged since they were applied: image_intact(), failsafe_intact(). */
int instance_intact(const struct instance *instance, bool *out);
/* The document of the image in force (policy.h); arena memory of `d`. Its digest is that image's.
 * Fails with a diagnostic, which says how to heal it, where it is missing or damaged. */
struct instance_document {
	const struct source *source;
	uint8_t digest[32];
};
int instance_document(const struct instance *instance, struct diags *d,
		      struct instance_document *out);
int instance_clock(const struct instance *instance, struct clock_pair *out);
/* The pending change of a policy, or its last one that ended by itself or was cancelled, while what
 * it ended in is in force. False in *found: there is none. */
int instance_pending(const struct instance *instance, struct diags *d, struct pending *out,
		     bool *found);

/* For struct fr_rule_record. RETIRED: a removed rule, whose name is kept for flows that still refer
 * to it. */
enum slot_use { SLOT_FREE, SLOT_USED, SLOT_RETIRED };

/* The records of rules by slot, mapped until instance_rules_close. */
struct rule_records {
	const struct fr_rule_record *list;
	uint32_t count;
	size_t size; /* of the mapping */
};
int instance_rules(const struct instance *instance, struct rule_records *out);
void instance_rules_close(struct rule_records *rules);
/* The counters of a slot, baseline added. `last` is 0 when no packet came since the baseline. */
int instance_counters(const struct instance *instance, uint32_t slot,
		      const struct fr_rule_record *rule, struct fr_counters *out);

/* What has to be true of a hook, in the order in which it is looked at. */
enum hook_part {
	HOOK_LINK,    /* the link or filter exists, and is attached */
	HOOK_TARGET,  /* to the recorded device or cgroup */
	HOOK_PROGRAM, /* with the pinned program */
	HOOK_MAPS,    /* over the pinned maps */
	HOOK_ORDER,   /* in the kernel's list of the hook */
	HOOK_BRIDGE,  /* and the bridge of an interface is as recorded */
	HOOK_PARTS
};

/* One hook of an attach point as the kernel has it. Arena memory. */
struct hook_fact {
	const struct fr_hook_record *record;
	const char *name;		 /* current, if it is alive; else that of the record */
	const char *request;		 /* name or pattern in the policy */
	const char *hook;		 /* "tcx/ingress", "connect4" */
	uint32_t program;		 /* id, 0 when there is none */
	const char *fault;		 /* a sentence, NULL when there is no fault */
	enum hook_part part;		 /* of the fault: those after it were not looked at */
	const char *unknown[HOOK_PARTS]; /* why it cannot be told, or NULL */
	/* the target is judged, but no more the one that the policy means; or NULL */
	const char *strayed;
	const char *out_of_order; /* a program of a cgroup that BPF_F_PREORDER moves, or NULL */
	const char *first_before; /* the first foreign program that runs before ours, or NULL */
	const char *
		*neighbours; /* "before: program cil_from_netdev (id 12)", in the kernel's order */
	size_t neighbour_count;
	/* on a device: the first program that runs before ours and may take packets that ours
	 * never sees, or NULL */
	const char *preempted_by;
};
struct hook_facts {
	struct hook_fact *list;
	size_t count;
};
int instance_hooks(const struct instance *instance, const struct host_options *o,
		   struct arena *arena, struct diags *d, struct hook_facts *out);

/* Current names of the devices that are still attached, in place of those at apply. */
void instance_names_now(const struct instance *instance, struct fr_hook_record *hooks,
			uint32_t count);

/* Redirects in the namespace of the policy's guests, if a guest can be bypassed; else none. */
void instance_peer_redirects(const struct instance *instance, struct arena *arena,
			     struct peer_redirects *out);

/* Remarks on where a policy is attached. Arena memory. */
int instance_remarks(const struct instance *instance, const struct host_options *o,
		     struct arena *arena, struct diags *d, struct remarks *out);

/* A device or cgroup that the policy names and does not judge. Arena memory. */
struct unjudged {
	uint8_t kind;	     /* of the attach point in the policy */
	const char *name;    /* current */
	uint32_t ifindex;    /* 0 for a cgroup */
	const char *request; /* the name or pattern */
	const char *why;     /* a sentence */
	/* no fault: its bridge or bond judges its packets ("counted-twice"), or another policy does
	 * ("other-policy"); NULL: it is a fault */
	const char *remark;
	const char *hint; /* how to repair it, where no command does; or NULL */
};
struct unjudged_list {
	struct unjudged *list;
	size_t count;
};
/* Compares the current matches of the policy's names and patterns with its attach points. The list
 * includes those that cannot be read. */
int instance_unjudged(const struct instance *instance, const struct host_options *o,
		      struct arena *arena, struct diags *d, struct unjudged_list *out);

#endif
