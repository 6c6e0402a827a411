/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Facts of devices for the programs, recorded at apply. Of interfaces that are ports of a bridge:
 * the Ethernet addresses by which this host can be reached through them, so that the programs can
 * ignore frames for others; `status` compares the record with the current addresses. Of guests:
 * their party.
 */
#include "bridge_ports.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

static bool mac_equal(const struct interface *a, const struct interface *b)
{
	return !memcmp(a->mac, b->mac, sizeof(a->mac));
}

/* A VLAN or macvlan with an Ethernet address of its own: frames for that address are for this host
 * too, or for a namespace that it serves. A macvlan moved to another namespace shows in the
 * bridge's promiscuity. */
static bool has_more_addresses(const struct interfaces *all, const struct interface *port,
			       const struct interface *bridge)
{
	static const char *const stacked[] = {"vlan", "macvlan", "macvtap"};

	if (bridge->promiscuity)
		return true;
	for (size_t i = 0; i < all->count; i++) {
		const struct interface *upper = &all->list[i];

		if (upper->parent != port->ifindex && upper->parent != bridge->ifindex)
			continue;
		for (size_t j = 0; j < ARRAY_SIZE(stacked); j++)
			if (str_equal(upper->kind, stacked[j]) && !mac_equal(upper, port) &&
			    !mac_equal(upper, bridge))
				return true;
	}
	return false;
}

/* False if it is no port, or no record can describe it. */
static bool port_record(const struct interfaces *all, uint32_t ifindex, struct fr_port *out)
{
	const struct interface *port = interface_at(all, ifindex);
	const struct interface *bridge = port ? interface_at(all, port->master) : NULL;

	if (!bridge || !str_equal(port->port_of, "bridge") || has_more_addresses(all, port, bridge))
		return false;
	*out = (struct fr_port){0};
	memcpy(out->own, port->mac, sizeof(out->own));
	memcpy(out->bridge, bridge->mac, sizeof(out->bridge));
	return true;
}

/* ---------------------------------------------------------------- at apply */

static bool party_has(const struct party *party, const struct interface *device)
{
	for (size_t i = 0; device && i < party->count; i++)
		if (interface_fits(device, party->names[i]))
			return true;
	return false;
}

/* The device of a party with the lowest number gives its flows their scope. */
static void party_join(struct change *change, const struct party *party,
		       const struct interfaces *all)
{
	const struct interface *device;
	struct planned_port *port;
	uint32_t leader = 0;

	for (size_t i = 0; i < change->point_count; i++) {
		const struct fr_hook_record *hook = &change->points[i].record;

		device = hook->kind == FR_KIND_GUEST ? interface_at(all, hook->ifindex) : NULL;
		if (!party_has(party, device))
			continue;
		port = &change->ports[change->port_count++];
		*port = (struct planned_port){.ifindex = hook->ifindex, .is.party = hook->ifindex};
		leader = leader && leader < hook->ifindex ? leader : hook->ifindex;
	}
	for (size_t i = 0; i < change->port_count; i++)
		if (party_has(party, interface_at(all, change->ports[i].ifindex)))
			change->ports[i].is.party = leader;
}

static int parties_plan(struct change *change, const struct interfaces *all)
{
	const struct ruleset *rs = change->request->ruleset;

	for (size_t i = 0; i < rs->party_count; i++)
		for (size_t j = i + 1; j < rs->party_count; j++)
			for (size_t k = 0; k < all->count; k++)
				if (party_has(&rs->parties[i], &all->list[k]) &&
				    party_has(&rs->parties[j], &all->list[k]))
					return diag_error(
						change->d, rs->parties[j].loc, -EBUSY,
						"party-twice", "a device is in one party at most",
						"%s is in two parties", all->list[k].name);
	for (size_t i = 0; i < rs->party_count; i++)
		party_join(change, &rs->parties[i], all);
	return 0;
}

int ports_plan(struct change *change)
{
	struct interfaces all;
	int err = host_interfaces(change->d->arena, change->d, &all.list, &all.count);

	if (err)
		return err;
	change->ports =
		arena_alloc(change->d->arena, (change->point_count + 1) * sizeof(*change->ports));
	for (size_t i = 0; i < change->point_count; i++) {
		const struct fr_hook_record *hook = &change->points[i].record;
		struct planned_port *port = &change->ports[change->port_count];

		if (hook->kind != FR_KIND_INTERFACE || !port_record(&all, hook->ifindex, &port->is))
			continue;
		port->ifindex = hook->ifindex;
		change->port_count++;
	}
	change->bridge_ports = change->port_count;
	return parties_plan(change, &all);
}

static const struct planned_port *planned_at(const struct change *change, uint32_t ifindex)
{
	for (size_t i = 0; i < change->port_count; i++)
		if (change->ports[i].ifindex == ifindex)
			return &change->ports[i];
	return NULL;
}

bool ports_same(const struct change *change)
{
	CLEANUP(close_fd)
	int ports = pin_open_map(change->running.pins, map_names[MAP_PORTS], sizeof(uint32_t),
				 sizeof(struct fr_port));
	struct fr_port is;
	uint32_t ifindex;
	size_t count = 0;

	if (ports < 0)
		return false;
	for (const void *at = NULL; !bpf_map_get_next_key(ports, at, &ifindex); at = &ifindex) {
		const struct planned_port *port = planned_at(change, ifindex);

		if (!port || bpf_map_lookup_elem(ports, &ifindex, &is) ||
		    memcmp(&is, &port->is, sizeof(is)) != 0)
			return false;
		count++;
	}
	return count == change->port_count;
}

int ports_pinned(const struct change *change, bool *out)
{
	CLEANUP(close_fd)
	int ports = pin_open_map(change->running.pins, map_names[MAP_PORTS], sizeof(uint32_t),
				 sizeof(struct fr_port));

	*out = ports >= 0;
	return ports < 0 && !pins_damaged(ports) ? ports : 0;
}

/* Facts of the host, not of the policy: valid in every generation. */
static int ports_write(const struct change *change, int ports)
{
	uint32_t ifindex, next;
	const void *at = NULL;

	while (!bpf_map_get_next_key(ports, at, &next)) {
		if (!planned_at(change, next)) {
			if (bpf_map_delete_elem(ports, &next) && errno != ENOENT)
				return -errno;
			continue; /* after the same key as before */
		}
		ifindex = next;
		at = &ifindex;
	}
	for (size_t i = 0; i < change->port_count; i++)
		if (bpf_map_update_elem(ports, &change->ports[i].ifindex, &change->ports[i].is,
					BPF_ANY))
			return -errno;
	return 0;
}

int ports_store(const struct change *change)
{
	CLEANUP(close_fd)
	int ports = pin_open_map(change->pins, map_names[MAP_PORTS], sizeof(uint32_t),
				 sizeof(struct fr_port));
	int err = ports < 0 ? ports : ports_write(change, ports);

	if (err)
		return diag_error(change->d, NO_LOC, err, "kernel-load", NULL,
				  "cannot write the ports of bridges for the programs: %s",
				  error_text(err));
	return 0;
}

/* ---------------------------------------------------------------- today */

uint32_t guest_party(const struct instance *instance, uint32_t ifindex)
{
	CLEANUP(close_fd)
	int ports = pin_open_map(instance->pins, map_names[MAP_PORTS], sizeof(uint32_t),
				 sizeof(struct fr_port));
	struct fr_port port;

	if (ports < 0 || bpf_map_lookup_elem(ports, &ifindex, &port))
		return 0;
	return port.party;
}

int port_fault(const struct instance *instance, const struct fr_hook_record *hook,
	       struct arena *arena, const char **out)
{
	CLEANUP(close_fd)
	int ports = pin_open_map(instance->pins, map_names[MAP_PORTS], sizeof(uint32_t),
				 sizeof(struct fr_port));
	struct diags ignored = {.arena = arena};
	struct interfaces all;
	struct fr_port is, now;
	int err;

	*out = NULL;
	if (ports < 0 && !pins_damaged(ports))
		return ports;
	if (ports < 0)
		*out = "the programs' record of its bridge cannot be read";
	if (ports < 0 || bpf_map_lookup_elem(ports, &hook->ifindex, &is))
		return 0;
	err = interfaces_of(hook->netns, arena, &ignored, &all.list, &all.count);
	if (err)
		*out = "its bridge cannot be queried";
	else if (is.mixed)
		*out = "this host sends through it from an Ethernet address that is not its "
		       "bridge's: packets of other hosts that pass it are judged as this host's";
	else if (!port_record(&all, hook->ifindex, &now) || memcmp(&is, &now, sizeof(is)) != 0)
		*out = "its bridge, or a device above the bridge, has another Ethernet address "
		       "than at apply";
	return err_lacks_means(err) ? err : 0;
}
