/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * roles TABLE: what a table can be told, who takes part in it and its rows. Offline.
 */
#include "cmd.h"

int cmd_roles(struct context *c)
{
	const struct table_view *view;

	if (table_view(c->options.operands[0], &c->options.policy, &c->diags, &view))
		return EXIT_REJECTED;
	render_roles(&c->render, view, c->arena);
	c->answered = true;
	return 0;
}
