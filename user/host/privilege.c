/* SPDX-License-Identifier: GPL-2.0-only */
/* The privileges of this process, from its effective capabilities. */
#include "privilege.h"

#include <errno.h>
#include <linux/capability.h>

int host_capabilities(uint64_t *out)
{
	CLEANUP(close_file) FILE *file = fopen("/proc/self/status", "re");
	unsigned long long value;
	char line[128];

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "CapEff: %llx", &value) == 1) {
			*out = value;
			return 0;
		}
	return -ENOENT;
}

int host_privileges(struct diags *d)
{
	static const struct {
		const char *name;
		int number;
		bool within_admin; /* CAP_SYS_ADMIN includes it */
	} needed[] = {
		{"CAP_BPF", CAP_BPF, true},
		{"CAP_NET_ADMIN", CAP_NET_ADMIN, false},
		{"CAP_PERFMON", CAP_PERFMON, true},
	};
	const char *missing = "";
	uint64_t have = 0;

	/* Without /proc rely on the kernel's own refusal. */
	if (host_capabilities(&have))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		if (have >> needed[i].number & 1)
			continue;
		if (needed[i].within_admin && have >> CAP_SYS_ADMIN & 1)
			continue;
		missing = arena_printf(d->arena, "%s%s%s", missing, *missing ? ", " : "",
				       needed[i].name);
	}
	if (!*missing)
		return 0;
	return diag_error(d, NO_LOC, -EPERM, "privilege",
			  "run it as root, or grant what is missing", "this process lacks %s",
			  missing);
}

uint32_t host_login_uid(void)
{
	CLEANUP(close_file) FILE *file = fopen("/proc/self/loginuid", "re");
	unsigned uid = UINT32_MAX;

	if (file && fscanf(file, "%u", &uid) != 1)
		uid = UINT32_MAX;
	return uid;
}
