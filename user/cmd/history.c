/* SPDX-License-Identifier: GPL-2.0-only */
/* history [NAME]: the record of changes, oldest first. */
#include "cmd.h"

int cmd_history(struct context *c)
{
	const struct options *o = &c->options;
	struct change_list changes;
	size_t first = 0;
	int ret = policies_may_be(c, o->operands, o->operand_count);

	if (ret)
		return ret;
	ret = changes_find(c, o->operand_count ? o->operands[0] : NULL, &changes);

	if (ret && !changes.count)
		return ret;
	if (o->limit && o->limit < changes.count)
		first = changes.count - o->limit;
	render_history(&c->render, changes_path(), &changes, first);
	c->answered = true;
	return ret;
}
