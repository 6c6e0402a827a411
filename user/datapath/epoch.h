/* SPDX-License-Identifier: GPL-2.0-only */
/* A new set of programs beside the one that runs. */
#ifndef DATAPATH_EPOCH_H
#define DATAPATH_EPOCH_H

#include "change.h"

/* Makes a new epoch next to the one that runs, judging by a copy of the image in force. */
int epoch_make(struct change *change);
/* Its links and filters: staying and leaving hooks get its programs; joining ones are attached. */
int epoch_attach(struct change *change);

#endif
