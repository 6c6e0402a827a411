/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * host: the state of this host and its kernel. Privileges, interfaces, network namespaces,
 * cgroup2, conntrack, sockets, attach points that a policy names, and raw bpf(2). Changes nothing.
 * Uses policy, net and base. Errors are queued as diagnostics with a hint; nothing is printed.
 */
#ifndef HOST_H
#define HOST_H

#include "bpf.h"
#include "cgroup2.h"
#include "failsafe.h"
#include "interfaces.h"
#include "judged.h"
#include "netlink.h"
#include "netns.h"
#include "privilege.h"
#include "redirect.h"
#include "resolve.h"
#include "session.h"
#include "sockets.h"
#include "subnets.h"

#endif
