/* SPDX-License-Identifier: GPL-2.0-only */
/* The privileges of this process. */
#ifndef HOST_PRIVILEGE_H
#define HOST_PRIVILEGE_H

#include "../base/base.h"

int host_privileges(struct diags *d);
/* The user who logged in, whoever the process belongs to now; UINT32_MAX: unknown. */
uint32_t host_login_uid(void);
int host_capabilities(uint64_t *out); /* effective ones, by number */

#endif
