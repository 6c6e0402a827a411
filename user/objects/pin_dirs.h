/* SPDX-License-Identifier: GPL-2.0-only */
/* The directories of the pins, and their owners. */
#ifndef OBJECTS_PIN_DIRS_H
#define OBJECTS_PIN_DIRS_H

#include "pins.h"

/* The pin root's descriptor. Only root and the caller may change or replace it; access of others is
 * removed. -ENOENT, -ENOTSUP without a diagnostic: it does not exist, or is in no bpffs. */
int pin_root_open(const char *root, bool create, struct diags *d);
bool pin_root_is(int fd, const char *root); /* still */
/* The same for everything below it, and for one directory. */
int pins_check(int root_fd, const char *root, struct diags *d);
int pin_dir_check(const char *dir, struct diags *d);

#endif
