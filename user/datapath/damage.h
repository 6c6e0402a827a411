/* SPDX-License-Identifier: GPL-2.0-only */
/* Pins that are missing, of another layout, or do not show which generation is in force. */
#ifndef DATAPATH_DAMAGE_H
#define DATAPATH_DAMAGE_H

#include "../objects/objects.h"

/* "no policy NAME is applied below ROOT"; NULL: none at all. Returns -ENOENT. */
int report_not_applied(const char *policy, const char *root, struct diags *d);
/* Part of this policy may be in force, but its pins do not show which. */
int policy_unknown(const char *root, const char *policy, bool *out);
/* The error of a policy whose pins are damaged, with the command that heals it. */
int policy_broken(const char *root, const char *policy, int err, struct diags *d);
/* running_find(), with a diagnostic for every error but -ENOENT. */
int running_read(const char *root, const char *policy, struct diags *d, struct running *out);
/* The records of the running policy exist, and have the layout of this version. */
int running_check(const struct running *running, struct diags *d);
/* Or one that apply takes over: running->layout. */
int running_known(struct running *running, struct diags *d);
int report_other_layout(const struct running *running, uint32_t layout, struct diags *d);
int report_records_missing(const struct running *running, int err, struct diags *d);

#endif
