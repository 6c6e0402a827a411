/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * objects: the BPF objects of this program. Loads the programs, makes and reads maps, installs
 * images, pins all of it below a pin root and finds it there again. Attaches nothing. Uses
 * compile, host, policy, net, base and libbpf.
 */
#ifndef OBJECTS_H
#define OBJECTS_H

#include "bpffs.h"
#include "clock.h"
#include "counters.h"
#include "document.h"
#include "failsafe.h"
#include "install.h"
#include "load.h"
#include "older.h"
#include "pin_dirs.h"
#include "pin_lock.h"
#include "pins.h"
#include "maps.h"
#include "programs.h"
#include "records.h"
#include "running.h"
#include "sets.h"

#endif
