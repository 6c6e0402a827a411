/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * preview POLICY: what it would do with the connections of this host. Nothing is changed.
 */
#include "cmd.h"

int cmd_preview(struct context *c)
{
	struct preview_request request = {.host = &c->options.host, .details = true};
	struct preview_view view;
	struct image image = {0};
	struct attach_target *hooks;
	struct ruleset *rs;
	int ret = load_for_host(c, c->options.operands[0], &rs, &hooks, &request.hook_count);

	if (ret)
		return ret;
	if (image_compile(rs, &c->diags, &image))
		return EXIT_REJECTED;
	request.rs = rs;
	request.image = &image;
	request.hooks = hooks;
	ret = exit_of_read(preview_collect(&request, &c->diags, &view));
	if (!ret) {
		render_preview(&c->render, &view);
		c->answered = true;
		ret = preview_total(&view, PREVIEW_CUT) ? EXIT_DIFFERENT : EXIT_DONE;
	}
	image_free(&image);
	return ret;
}
