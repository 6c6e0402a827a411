/* SPDX-License-Identifier: GPL-2.0-only */
/* A new set of programs beside the one that runs. */
#ifndef DATAPATH_EPOCH_H
#define DATAPATH_EPOCH_H

#include "change.h"

/* A new epoch next to the one that runs, judging by a copy of what is in force. */
int epoch_make(struct change *change);
/* Its links and filters: staying and leaving ones get its programs, joining ones are made. */
int epoch_attach(struct change *change);

#endif
