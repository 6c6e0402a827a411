/* SPDX-License-Identifier: GPL-2.0-only */
/* A running policy, opened for reading. */
#ifndef DATAPATH_INSTANCE_H
#define DATAPATH_INSTANCE_H

#include "datapath.h"

/* Every map that a reader needs exists, with the size that it reads. */
int running_readable(const struct running *running, bool *out);

#endif
