/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * preview POLICY: what it would do with the connections of this host. Nothing is changed, but with
 * --write-failsafe the policy's file, which gets the failsafe that is derived from this host.
 */
#include <errno.h>
#include <string.h>

#include "cmd.h"

/* ---------------------------------------------------------------- --write-failsafe */

static int refuse_write(struct context *c, const struct ruleset *rs, const char *check,
			const char *hint, const char *why)
{
	diag_error(&c->diags, (struct loc){.source = rs->source}, -ECANCELED, check, hint, "%s",
		   why);
	return EXIT_REJECTED;
}

static const struct source *edited(struct context *c, const struct ruleset *rs, struct edit *edit)
{
	const struct failsafe_rules *found = c->options.policy.failsafe;
	const char **items = arena_alloc(c->arena, (found->count + 1) * sizeof(*items));

	for (size_t i = 0; i < found->count; i++)
		items[i] = failsafe_text(c->arena, &found->list[i]);
	if (edit_begin(c->arena, rs->source->name, edit) ||
	    !edit_set_list(edit, "failsafe", items, found->count))
		return NULL;
	return edit_finish(edit);
}

/* The file as it is written stands for the same image. */
static bool is_same(struct context *c, const struct source *text, const struct image *image)
{
	CLEANUP(image_free) struct image again = {0};
	struct context reading = *c;
	struct diags d = {.arena = c->arena};
	struct ruleset *rs;

	reading.options.policy.instead = text;
	reading.options.policy.failsafe = NULL;
	return !load_policy(&reading, text->name, &d, &rs) && !image_compile(rs, &d, &again) &&
	       !memcmp(again.digest, image->digest, sizeof(again.digest));
}

static int write_failsafe(struct context *c, const struct ruleset *rs, const struct image *image)
{
	const struct source *text;
	struct edit edit;
	int err;

	if (!c->options.policy.failsafe->count)
		return refuse_write(c, rs, "failsafe-empty", "write failsafe as a list",
				    "nothing to write: no failsafe can be derived from this host");
	text = edited(c, rs, &edit);
	if (!text || !is_same(c, text, image))
		return refuse_write(c, rs, "failsafe-unwritten",
				    "copy the rules that preview shows without --write-failsafe",
				    "failsafe cannot be written into the file as it is");
	err = file_rewrite(c->arena, text->name, text->text, text->size);
	if (!err)
		return 0;
	diag_error(&c->diags, NO_LOC, err, "output-unwritten",
		   "a file that is no link, in a directory that you can write to",
		   "%s cannot be written: %s", text->name, error_text(err));
	return EXIT_FAILED;
}

static int check_write(struct context *c, const struct ruleset *rs)
{
	if (rs->failsafe_auto)
		return 0;
	return refuse_write(c, rs, "failsafe-written",
			    "write failsafe: auto in its place, to have it derived",
			    "the policy lists its failsafe, which --write-failsafe leaves alone");
}

/* ---------------------------------------------------------------- preview */

static int preview(struct context *c, struct preview_request *request)
{
	bool writes = c->options.given & OPT_WRITE_FAILSAFE;
	struct preview_view view;
	int ret = exit_of_read(preview_collect(request, &c->diags, &view));

	if (!ret && writes)
		ret = write_failsafe(c, request->rs, request->image);
	if (ret)
		return ret;
	render_preview(&c->render, &view, writes ? c->options.operands[0] : NULL);
	c->answered = true;
	return preview_total(&view, PREVIEW_CUT) ? EXIT_DIFFERENT : EXIT_DONE;
}

int cmd_preview(struct context *c)
{
	struct preview_request request = {.host = &c->options.host, .details = true};
	CLEANUP(image_free) struct image image = {0};
	const char *file = c->options.operands[0];
	struct attach_target *hooks;
	struct ruleset *rs;
	int ret;

	c->options.policy.failsafe_wanted = c->options.given & OPT_WRITE_FAILSAFE;
	if (c->options.policy.failsafe_wanted && str_equal(file, "-"))
		return usage_error(c, "flowreeve preview FILE --write-failsafe",
				   "--write-failsafe rewrites a file, and standard input is none");
	ret = load_for_host(c, file, &rs, &hooks, &request.hook_count);
	if (!ret && c->options.policy.failsafe_wanted)
		ret = check_write(c, rs);
	if (ret)
		return ret;
	if (image_compile(rs, &c->diags, &image))
		return EXIT_REJECTED;
	request.rs = rs;
	request.image = &image;
	request.hooks = hooks;
	return preview(c, &request);
}
