/* SPDX-License-Identifier: GPL-2.0-only */
/* The list of checks of verify, and its words. */
#include "internal.h"

void verify_add(struct verifier *v, struct check_view check)
{
	struct verify_view *view = v->view;

	if (check.state == CHECK_WRONG && !check.hint) {
		if (!v->heal)
			v->heal = policy_heal_command(v->request->host->pin_root,
						      v->request->policy, v->arena);
		check.hint = v->heal;
	}
	view->wrong += check.state == CHECK_WRONG;
	view->unknown += check.state == CHECK_UNKNOWN;
	view->list =
		arena_grow(v->arena, view->list, view->count, &view->capacity, sizeof(*view->list));
	view->list[view->count++] = check;
}

const char *verify_hook_words(const struct verifier *v, const struct hook_view *hook)
{
	return arena_printf(v->arena, "%s %s %s", hook->kind, hook->name, hook->hook);
}
