/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables of sets, entry by entry. */
#ifndef OBJECTS_SETS_H
#define OBJECTS_SETS_H

#include "../base/base.h"

/* Every entry in use of a table of sets (struct fr_flow, struct fr_drop), in no order. A non-zero
 * return of `visit` ends it and is returned. */
typedef int (*entry_visit)(const void *entry, void *context);
int sets_each(int fd, entry_visit visit, void *context);

#endif
