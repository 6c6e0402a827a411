/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * datapath: image -> kernel. Finds cgroup2, bpffs and interfaces, probes, loads the programs,
 * installs an image as a new generation, attaches, pins, detaches. The only floor (with observe)
 * that knows libbpf. Sees struct image and records, never YAML. Errors are queued as diagnostics
 * with what to type; nothing is printed.
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

/* Names that travel with the image, so that any later command can read what runs. */
struct apply_request {
	const struct ruleset *ruleset;
	struct image *image; /* the loader writes generation, slots, jiffies into its own copy */
	const struct attach_target *hooks;
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
	char root[256]; /* the pin root */
	char dir[256];	/* of the policy: links */
	char pins[288]; /* of the programs in force: maps, programs, images */
	uint32_t generation;
	int images, counters, reasons, tallies, flows, drops, events, control, rules, state, hooks,
		requests;
	int processes; /* -1: no detail of processes */
};
int instance_open(const struct host_options *o, const char *policy, struct diags *d,
		  struct instance *out);
void instance_close(struct instance *instance);
/* policy_heal_command() of it where `err` says that its pins are damaged, else NULL. */
const char *instance_heal_command(const struct instance *instance, int err, struct arena *arena);
/* The image in force, mapped read-only: *image->lines stays mapped until image_unmap().
 * -ENODATA when slot 0 is empty. */
int instance_image(const struct instance *instance, struct image *out);
int instance_clock(const struct instance *instance, struct clock_pair *out);

/* Of struct fr_rule_record: RETIRED is a rule that has left, whose name is kept for flows that
 * still refer to it. */
enum slot_use { SLOT_FREE, SLOT_USED, SLOT_RETIRED };

/* The records of rules by slot, mapped until instance_rules_close. */
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

/* Names of today, in place of those at apply, of the devices that are still attached. */
void instance_names_now(const struct instance *instance, struct fr_hook_record *hooks,
			uint32_t count);

/* Those of the namespace that the policy's guests are in, where some could be passed; else none. */
void instance_peer_redirects(const struct instance *instance, struct arena *arena,
			     struct peer_redirects *out);

/* What is worth knowing of where a policy is attached. Arena memory. */
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

#endif
