/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * zero [RULE...]: counters begin again; the kernel's own are never written, a baseline is kept with
 * the time. With rules named, one policy must be meant.
 */
#include <errno.h>

#include "cmd.h"

int cmd_zero(struct context *c)
{
	struct options *o = &c->options;
	struct loc nowhere = {0};
	const char **names;
	size_t count;
	int err = 0, ret = named_policies(c, o->operand_count, &names, &count);

	if (ret)
		return ret;
	if (!count) {
		diag_error(&c->diags, nowhere, -ENOENT, "not-applied", "flowreeve apply POLICY",
			   "no policy is applied");
		return EXIT_FAILED;
	}
	if (count > 1 && o->operand_count)
		return usage_error(c, "--policy NAME", "%zu policies are applied: whose rules?",
				   count);
	for (size_t i = 0; i < count && !err; i++)
		err = datapath_zero(&o->host, names[i], o->operands, o->operand_count, &c->diags);
	if (err)
		return exit_of_read(err);
	render_zero(&c->render, names, count, o->operands, o->operand_count);
	c->answered = true;
	return 0;
}
