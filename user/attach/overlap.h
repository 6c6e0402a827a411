/* SPDX-License-Identifier: GPL-2.0-only */
/* Attach points that one packet passes after another. */
#ifndef ATTACH_OVERLAP_H
#define ATTACH_OVERLAP_H

#include "../objects/objects.h"

/* A remark on where a policy is attached. Arena memory. */
struct remark {
	const char *check; /* "counted-twice", "bridge-port", "device-moved", "other-policy" */
	const char *text;  /* a sentence */
	bool note;	   /* not a warning */
};
struct remarks {
	struct remark *list;
	size_t count;
};
struct overlap_request {
	const char *root, *policy;
	const struct fr_hook_record *hooks; /* of the policy, in use */
	size_t hook_count;
};
int overlaps_find(const struct overlap_request *request, struct arena *arena, struct diags *d,
		  struct remarks *out);

#endif
