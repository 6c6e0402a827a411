/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compile POLICY: the figures of the compiled image, or with --dump the image in words. Offline.
 */
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
