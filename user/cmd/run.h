/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a command table and words to an exit code.
 */
#ifndef CMD_RUN_H
#define CMD_RUN_H

#include "cmd.h"

int run(const struct command *commands, size_t count, int argc, char **argv);

#endif
