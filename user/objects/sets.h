/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads tables of sets. */
#ifndef OBJECTS_SETS_H
#define OBJECTS_SETS_H

#include "../base/base.h"

/* Visits every entry in use of a table of sets (struct fr_flow, struct fr_drop), unordered. A
 * non-zero return of `visit` ends it and is returned. */
typedef int (*entry_visit)(const void *entry, void *context);
int sets_each(int fd, entry_visit visit, void *context);

#endif
