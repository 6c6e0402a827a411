/* SPDX-License-Identifier: GPL-2.0-only */
/* Attach points of other policies. */
#ifndef ATTACH_OTHERS_H
#define ATTACH_OTHERS_H

#include "../objects/objects.h"

/* An attach point of another policy of the pin root, alive. */
struct other {
	const char *policy;
	bool enforced;
	struct fr_hook_record hook;
};
struct others {
	struct other *list;
	size_t count, capacity;
};
void others_find(const char *root, const char *policy, struct arena *arena, struct others *out);
/* The other policy that judges this place; NULL: none. */
const struct other *other_at(const struct others *others, const struct fr_hook_record *place);

#endif
