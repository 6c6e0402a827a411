/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compile POLICY: the figures of the compiled image, or with --dump the image in words.
 * roles TABLE [PARAM=VALUE]...: the params, roles and rows of a table, and its DNS names with these
 * params filled in.
 * version: of this command and of the contract between its halves.
 * All offline.
 */
#include <string.h>

#include "cmd.h"

int cmd_compile(struct context *c)
{
	struct image image = {0};
	struct ruleset *rs;
	int ret = load_policy(c, c->options.operands[0], &c->diags, &rs);

	if (ret)
		return ret;
	if (image_compile(rs, &c->diags, &image))
		return EXIT_REJECTED;
	render_compile(&c->render, rs, &image, c->options.given & OPT_DUMP);
	c->answered = true;
	image_free(&image);
	return 0;
}

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

int cmd_version(struct context *c)
{
	render_version(&c->render, FLOWREEVE_VERSION);
	c->answered = true;
	return 0;
}
