/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * verify: every claim about a policy in force, checked one by one against the kernel's own answers.
 * Exit 5 when one is wrong, whatever the mode.
 */
#include <errno.h>

#include "cmd.h"

enum { VERIFY_TRIES = 5 };

/* The rules of the document that is kept with the policy; or the check that says why not. */
static void load_document(struct context *c, const char *name, struct verify_request *request)
{
	struct context reading = *c;
	struct running_policy running = {0};
	const struct diag *first;

	reading.diags = (struct diags){.arena = c->arena};
	if (!load_running(&reading, name, &running)) {
		request->rs = running.rs;
		request->document.text = "it compiles to the digest of the image in force";
		return;
	}
	first = diags_first_error(&reading.diags);
	request->document.state =
		str_equal(first->check, "document-missing") ? CHECK_UNKNOWN : CHECK_WRONG;
	request->document.text = first->message;
	request->document.hint = first->hint;
}

static int verify_one(struct context *c, const char *name, struct verify_view *out)
{
	struct verify_request request = {
		.host = &c->options.host, .policy = name, .probe = c->options.given & OPT_PROBE};

	load_document(c, name, &request);
	return exit_of_read(verify_collect(&request, &c->diags, out));
}

/* The first that is wrong has the command that heals it. */
static int not_true(struct context *c, const struct verify_view *view)
{
	size_t first = 0;

	while (view->list[first].state != CHECK_WRONG)
		first++;
	diag_error(&c->diags, NO_LOC, -EUCLEAN, "not-true", view->list[first].hint,
		   "policy %s: %zu of %zu checks are wrong", view->policy, view->wrong,
		   view->count);
	return EXIT_NOT_ENFORCING;
}

int cmd_verify(struct context *c)
{
	struct verify_view *views;
	const char **names;
	size_t count;
	int ret = named_policies(c, 0, &names, &count), code = 0;

	if (ret)
		return ret;
	if (!count)
		return nothing_applied(c);
	views = arena_alloc(c->arena, count * sizeof(*views));
	for (size_t i = 0; i < count && !ret; i++)
		ret = verify_one(c, names[i], &views[i]);
	if (ret)
		return ret;
	for (size_t i = 0; i < count; i++)
		if (views[i].wrong)
			code = not_true(c, &views[i]);
	changes_note_ended(c);
	render_verify(&c->render, views, count);
	c->answered = true;
	return code;
}
