/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * attach: attach points. Makes, updates and removes the links and filters of one. Finds the other
 * programs and policies on it, and other points that the same packets pass. Uses objects, host,
 * compile, net, base and libbpf.
 */
#ifndef ATTACH_H
#define ATTACH_H

#include "attach_point.h"
#include "cgroup_order.h"
#include "filter.h"
#include "hook_chain.h"
#include "hook_program.h"
#include "link.h"
#include "others.h"
#include "overlap.h"

#endif
