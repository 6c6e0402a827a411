/* SPDX-License-Identifier: GPL-2.0-only */
/* The privileges of this process. */
#ifndef HOST_PRIVILEGE_H
#define HOST_PRIVILEGE_H

#include "../base/base.h"

int host_privileges(struct diags *d);
int host_capabilities(uint64_t *out); /* effective ones, by number */

#endif
