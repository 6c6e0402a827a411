/* SPDX-License-Identifier: GPL-2.0-only */
/* TC programs that bypass the egress hook of a guest. */
#ifndef HOST_REDIRECT_H
#define HOST_REDIRECT_H

#include "../base/base.h"

/* A TC program that calls bpf_redirect_peer(), which bypasses the egress hook of a guest. */
struct peer_redirect {
	uint32_t program;  /* id */
	const char *words; /* "program x (id 12)" */
	const char *where; /* "vx clsact/ingress" */
	uint32_t *targets; /* ifindexes that are constants in its instructions */
	size_t target_count;
};
struct peer_redirects {
	struct peer_redirect *list;
	size_t count;
	const char *unknown; /* why the list may be incomplete, or NULL */
};
/* Those of the caller's network namespace. Arena memory. */
void host_peer_redirects(struct arena *arena, struct peer_redirects *out);

#endif
