/* SPDX-License-Identifier: GPL-2.0-only */
/* Opens the pin root for a command. */
#ifndef OBJECTS_PIN_LOCK_H
#define OBJECTS_PIN_LOCK_H

#include "pins.h"

/* Opens the pin root for a change: locked, and accepted by pins_check(). -ENOENT without a
 * diagnostic: there is none. */
int pin_lock(const char *root, bool create, struct diags *d, int *lock);
/* The same for reading, which takes no lock: its descriptor. */
int pins_look(const char *root, struct diags *d);

#endif
