/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * preview POLICY: what it would do with the connections of this host. Nothing is changed.
 */
#include "cmd.h"

static int collect(struct context *c, const struct ruleset *rs, const struct image *image,
		   const struct host_points *points, bool details, struct preview_view *out)
{
	struct preview_request request = {.rs = rs,
					  .image = image,
					  .hooks = points->hooks,
					  .hook_count = points->count,
					  .host = &c->options.host,
					  .details = details};

	return exit_of_read(preview_collect(&request, &c->diags, out));
}

int cmd_preview(struct context *c)
{
	struct preview_view view;
	struct image image = {0};
	struct attach_target *hooks;
	struct ruleset *rs;
	size_t count;
	int ret = load_for_host(c, c->options.operands[0], &rs, &hooks, &count);

	if (ret)
		return ret;
	if (image_compile(rs, &c->diags, &image))
		return EXIT_REJECTED;
	ret = collect(c, rs, &image, &(struct host_points){hooks, count}, true, &view);
	if (!ret) {
		render_preview(&c->render, &view);
		c->answered = true;
		ret = preview_total(&view, PREVIEW_CUT) ? EXIT_DIFFERENT : EXIT_DONE;
	}
	image_free(&image);
	return ret;
}
