/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * detach [NAME...]: takes policies off the host. Without a name the only one there is; several go
 * together only when the command says so.
 */
#include "cmd.h"

static int detach_each(struct context *c, const char *const *names, size_t count, size_t *removed)
{
	int err = 0;

	for (size_t i = 0; i < count && !err; i++) {
		struct change_view change = {0};
		size_t here = 0;

		change_begin(c, "detach", names[i], &change);
		err = datapath_detach(&c->options.host, names[i], &c->diags, &here);
		change_end(c, &change, exit_of_read(err));
		*removed += here;
	}
	return exit_of_read(err);
}

static int which_of(struct context *c, const char *const *names, size_t count)
{
	struct command_line line = {.verb = "detach --all", .pin_root = c->options.host.pin_root};
	const char *list = "";

	for (size_t i = 0; i < count; i++)
		list = arena_printf(c->arena, "%s%s%s", list, i ? ", " : "", names[i]);
	return usage_error(c, command_text(c->arena, &line),
			   "%zu policies are applied: name those to detach, or give --all: %s",
			   count, list);
}

/* Includes those with damaged pins: detach removes them. */
static int detach_only(struct context *c, size_t *removed)
{
	struct options *o = &c->options;
	const char **names;
	size_t count;
	int err = datapath_list_all(&o->host, c->arena, &c->diags, &names, &count);

	if (err)
		return exit_of_read(err);
	if (count > 1)
		return which_of(c, names, count);
	if (count == 1)
		return detach_each(c, names, 1, removed);
	return exit_of_read(datapath_detach(&o->host, NULL, &c->diags, removed));
}

static int detach_all(struct context *c, size_t *removed)
{
	struct options *o = &c->options;
	struct change_view *changes;
	struct diags unseen = {.arena = c->arena};
	const char **names;
	size_t count = 0;
	int err;

	datapath_list_all(&o->host, c->arena, &unseen, &names, &count);
	changes = arena_alloc(c->arena, (count + 1) * sizeof(*changes));
	for (size_t i = 0; i < count; i++)
		change_begin(c, "detach", names[i], &changes[i]);
	err = datapath_detach(&o->host, NULL, &c->diags, removed);
	for (size_t i = 0; i < count; i++)
		change_end(c, &changes[i], exit_of_read(err));
	return exit_of_read(err);
}

int cmd_detach(struct context *c)
{
	struct options *o = &c->options;
	bool all = o->given & OPT_ALL;
	size_t removed = 0;
	int ret;

	if (all && o->operand_count)
		return usage_error(c, NULL, "give detach either names or --all");
	if (all)
		ret = detach_all(c, &removed);
	else if (o->operand_count && policies_may_be(c, o->operands, o->operand_count))
		ret = EXIT_FAILED;
	else if (o->operand_count)
		ret = detach_each(c, o->operands, o->operand_count, &removed);
	else
		ret = detach_only(c, &removed);
	if (ret)
		return ret;
	render_detach(&c->render, removed);
	c->answered = true;
	return 0;
}
