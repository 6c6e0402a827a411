/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel links, pinned in the directory of their policy. */
#ifndef ATTACH_LINK_H
#define ATTACH_LINK_H

#include "../host/host.h"
#include "hook_program.h"

enum { LINK_NAME = 96 };
void link_name(const struct hook_ref *ref, char out[LINK_NAME]);
int link_open(const struct hook_ref *ref); /* fd, -ENOENT: none is pinned */
/* The target of the pinned link; all 0 when none is pinned. */
int link_find(const struct hook_ref *ref, struct link_target *out);
bool link_in_place(const struct hook_ref *ref, const struct link_target *target);
/* Makes and pins a link. `path` is that of the cgroup. */
int link_make(const struct hook_ref *ref, const char *path, int program);
/* By its name in the directory of the policy; 0 when it does not exist. */
int link_remove(const char *dir, const char *name);

#endif
