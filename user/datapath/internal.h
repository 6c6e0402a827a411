/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the datapath floor share. Not a door: other floors include datapath.h.
 */
#ifndef DATAPATH_INTERNAL_H
#define DATAPATH_INTERNAL_H

#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>

#include "../objects/objects.h"
#include "../attach/attach.h"
#include "datapath.h"
#include "slots.h"

/* ---------------------------------------------------------------- ports.c */

/* Why what the programs know of the bridge of this interface holds no longer; NULL: it does, or
 * there is none. An error: that cannot be told. */
int port_fault(const struct instance *instance, const struct fr_hook_record *hook,
	       struct arena *arena, const char **out);

/* ---------------------------------------------------------------- words.c: how it was applied */

/* The command of an apply goes to its record of state, whole: -E2BIG with a diagnostic when it is
 * too long. */
int words_store(const struct apply_request *request, struct diags *d, struct fr_state *out);
/* The options; arena memory. Returns how many words. */
size_t words_load(const struct fr_state *state, struct arena *arena, const char ***out);
/* Where the policy's cgroups are looked for: as the host's options say, else as it was applied. */
struct host_options words_host(const struct fr_state *state, const struct host_options *o,
			       struct arena *arena);
int instance_state(const struct instance *instance, struct fr_state *out);

/* ---------------------------------------------------------------- instance.c */

int not_applied(const char *policy, const char *root, struct diags *d);
/* Every map that a reader needs is there, and of the size that it reads. */
int running_readable(const struct running *running, bool *out);

/* ---------------------------------------------------------------- command.c */

/* policy_heal_command() for what was found. */
const char *running_heal_command(const struct running *running, struct arena *arena);

/* ---------------------------------------------------------------- list.c */

/* Something of this policy may be in force, and its pins do not say what. */
int policy_unknown(const char *root, const char *policy, bool *out);
/* The error of a policy whose pins are damaged, with the command that heals it. */
int policy_broken(const char *root, const char *policy, int err, struct diags *d);

/* ---------------------------------------------------------------- settle.c */

/* Makes everything below <root>/<policy> belong to the generation in force: links point at its
 * programs, and what an interrupted or finished change has left is gone. Under the lock. */
int policy_settle(const char *root, const char *policy, struct diags *d, struct running *out);
int policy_remove(const char *root, const char *policy, struct diags *d);
/* running_find(), and but for -ENOENT it says why not. */
int running_read(const char *root, const char *policy, struct diags *d, struct running *out);
/* The records of what runs are there, and of the layout of this version. */
int running_check(const struct running *running, struct diags *d);
int other_layout(const struct running *running, uint32_t layout, struct diags *d);

#endif
