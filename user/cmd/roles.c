/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * roles TABLE: the params, roles and rows of a table. Offline.
 */
#include "cmd.h"

int cmd_roles(struct context *c)
{
	const struct table_view *view;

	if (table_view(c->options.operands[0], &c->options.policy, &c->diags, &view))
		return EXIT_REJECTED;
	render_roles(&c->render, view);
	c->answered = true;
	return 0;
}
