/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands, a file each. Internal: this is the top floor.
 */
#ifndef CMD_H
#define CMD_H

#include "../invocation/invocation.h"

/* load_policy as `apply` does it, with the hooks on this host; a policy that names local-subnet is
 * read again once the host is known. apply.c */
int load_for_host(struct context *c, const char *path, struct ruleset **rs,
		  struct attach_target **hooks, size_t *count);
/* guard.c, of apply to enforce: what the policy would cut, and the guards. 0 or an exit code.
 * *looked is false, and *out untouched, where nothing was looked at. */
int guard_preview(struct context *c, const struct apply_request *apply, struct preview_view *out,
		  bool *looked);
/* Once it is in force: closes the sockets that it denies. Failures are warnings. */
size_t close_denied(struct context *c, const struct apply_request *apply);
/* diff.c: does the word of `diff` name a table, TABLE@EDITION or a file? The verb for two. */
bool names_table(const char *word);
int diff_tables(struct context *c);

int cmd_check(struct context *c);
int cmd_explain(struct context *c);
int cmd_compile(struct context *c);
int cmd_roles(struct context *c);
int cmd_new(struct context *c);
int cmd_import(struct context *c);
int cmd_plan(struct context *c);
int cmd_preview(struct context *c);
int cmd_apply(struct context *c);
int cmd_status(struct context *c);
int cmd_verify(struct context *c);
int cmd_show(struct context *c);
int show_policy(struct context *c);
int cmd_diff(struct context *c);
int cmd_coverage(struct context *c);
int cmd_report(struct context *c);
int cmd_learn(struct context *c);
int cmd_monitor(struct context *c);
int cmd_zero(struct context *c);
int cmd_detach(struct context *c);
int cmd_confirm(struct context *c);
int cmd_cancel(struct context *c);
int cmd_extend(struct context *c);
int cmd_history(struct context *c);
int cmd_doctor(struct context *c);
int cmd_version(struct context *c);

#endif
