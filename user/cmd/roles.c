/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * roles TABLE [PARAM=VALUE]...: the params, roles and rows of a table, and its DNS names with these
 * params filled in. Offline.
 */
#include <string.h>

#include "cmd.h"

int cmd_roles(struct context *c)
{
	struct options *o = &c->options;
	const struct table_view *view;

	for (size_t i = 1; i < o->operand_count; i++)
		if (!strchr(o->operands[i], '=') || o->operands[i][0] == '=')
			return usage_error(c, "flowreeve roles TABLE region=us-east-2",
					   "'%s' is not PARAM=VALUE", o->operands[i]);
	o->policy.set = o->operands + 1;
	o->policy.set_count = o->operand_count - 1;
	if (table_view(o->operands[0], &o->policy, &c->diags, &view))
		return EXIT_REJECTED;
	render_roles(&c->render, view);
	c->answered = true;
	return 0;
}
