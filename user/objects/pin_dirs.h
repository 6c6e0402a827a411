/* SPDX-License-Identifier: GPL-2.0-only */
/* The directories that pins are in, and whose they are. */
#ifndef OBJECTS_PIN_DIRS_H
#define OBJECTS_PIN_DIRS_H

#include "pins.h"

/* The pin root's descriptor. Nobody but root and the caller may change it or put another in its
 * place; what was open to others is closed to them. -ENOENT, -ENOTSUP without a diagnostic: it is
 * not there, or in no bpffs. */
int pin_root_open(const char *root, bool create, struct diags *d);
bool pin_root_is(int fd, const char *root); /* still */
/* The same of all that is below it, and of one directory. */
int pins_check(int root_fd, const char *root, struct diags *d);
int pin_dir_check(const char *dir, struct diags *d);

#endif
