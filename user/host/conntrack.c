/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shortest time after which conntrack forgets a masqueraded datagram, in the caller's network
 * namespace: /proc/sys/net shows that of its reader, not of its mounter. */
#include "netns.h"

#include <errno.h>

enum { DEFAULT_SECONDS = 30 }; /* the shortest default, also before the module is loaded */

/* -ENOENT: this kernel lacks the protocol, or conntrack is not loaded yet. */
static int timeout_read(const char *name, uint32_t *out)
{
	CLEANUP(close_file) FILE *file = NULL;
	unsigned int seconds;
	char path[96];

	snprintf(path, sizeof(path), "/proc/sys/net/netfilter/nf_conntrack_%stimeout", name);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	errno = 0;
	if (fscanf(file, "%u", &seconds) != 1)
		return errno ? -errno : -EINVAL;
	*out = seconds;
	return 0;
}

/* Without TCP and SCTP: of those only packets that open a connection could be for another host. */
int host_conntrack(uint32_t *out)
{
	static const char *const names[] = {"udp_", "icmp_", "icmpv6_", "gre_", "generic_"};
	uint32_t least = DEFAULT_SECONDS, seconds = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int err = timeout_read(names[i], &seconds);

		if (err == -ENOENT)
			continue;
		if (err)
			return err;
		if (seconds < least)
			least = seconds;
	}
	*out = least;
	return 0;
}
