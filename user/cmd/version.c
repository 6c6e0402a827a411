/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * version: of this command and of the contract between its halves.
 */
#include "cmd.h"

int cmd_version(struct context *c)
{
	render_version(&c->render, FLOWREEVE_VERSION);
	c->answered = true;
	return 0;
}
