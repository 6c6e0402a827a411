/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps of the kernel object, by name: see bpf/maps.h. */
#ifndef OBJECTS_MAPS_H
#define OBJECTS_MAPS_H

enum kernel_map {
	MAP_IMAGES,
	MAP_COUNTERS,
	MAP_REASONS,
	MAP_TALLIES,
	MAP_HASHING,
	MAP_FLOWS,
	MAP_REGIONS,
	MAP_TIMES,
	MAP_SYNS,
	MAP_DROPS,
	MAP_DROP_REGIONS,
	MAP_BUDGET,
	MAP_PORTS,
	MAP_FRAGMENTS,
	MAP_QUESTIONS,
	MAP_PORTS_ASKED,
	MAP_RECEIVED,
	MAP_TRANSIT,
	MAP_EVENTS,
	MAP_CONTROL,
	MAP_ASKERS,
	MAP_OWNER,
	MAP_PROCESSES,
	MAP_COUNT
};
extern const char *const map_names[MAP_COUNT];

#endif
