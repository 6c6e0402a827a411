/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps of the kernel object, by name. */
#include "maps.h"

const char *const map_names[MAP_COUNT] = {
	[MAP_IMAGES] = "fr_images",	  [MAP_FAILSAFE] = "fr_failsafe",
	[MAP_COUNTERS] = "fr_counters",	  [MAP_REASONS] = "fr_reasons",
	[MAP_TALLIES] = "fr_tallies",	  [MAP_HASHING] = "fr_hashing",
	[MAP_FLOWS] = "fr_flows",	  [MAP_REGIONS] = "fr_flow_regions",
	[MAP_TIMES] = "fr_times",	  [MAP_SYNS] = "fr_syns",
	[MAP_DROPS] = "fr_drops",	  [MAP_DROP_REGIONS] = "fr_drop_regions",
	[MAP_BUDGET] = "fr_budget",	  [MAP_PORTS] = "fr_ports",
	[MAP_TRANSIT] = "fr_transit",	  [MAP_FRAGMENTS] = "fr_fragments",
	[MAP_QUESTIONS] = "fr_questions", [MAP_PORTS_ASKED] = "fr_ports_asked",
	[MAP_RECEIVED] = "fr_received",	  [MAP_ASKERS] = "fr_askers",
	[MAP_EVENTS] = "fr_events",	  [MAP_CONTROL] = "fr_control",
	[MAP_OWNER] = "fr_owner",	  [MAP_PROCESSES] = "fr_processes",
};
