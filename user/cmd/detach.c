/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * detach [NAME...]: takes policies off the host; without a name every one below the pin root.
 */
#include "cmd.h"

int cmd_detach(struct context *c)
{
	struct options *o = &c->options;
	size_t removed = 0, here;
	int err = 0;

	if (!o->operand_count)
		err = datapath_detach(&o->host, NULL, &c->diags, &removed);
	for (size_t i = 0; i < o->operand_count && !err; i++) {
		here = 0;
		err = datapath_detach(&o->host, o->operands[i], &c->diags, &here);
		removed += here;
	}
	if (err)
		return exit_of_read(err);
	render_detach(&c->render, removed);
	c->answered = true;
	return 0;
}
