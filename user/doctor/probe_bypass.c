/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds ways past the hooks in the caller's network namespace: devices and neighbours here,
 * holders of capabilities in probe_process.c. Reports what cannot be checked from here.
 * SECURITY.md gives the reason for each.
 */
#include "probe.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "../datapath/datapath.h"
#include "../objects/objects.h"

static void add_seen(struct probing *p, struct bypass bypass, const char *found)
{
	bypass.answer = found ? ANSWER_YES : ANSWER_NO;
	bypass.found = found;
	probe_add_bypass(p, &bypass);
}

/* ---------------------------------------------------------------- devices */

struct devices {
	struct interface *list;
	size_t count;
};

static const char *device_name(const struct devices *devices, uint32_t ifindex)
{
	for (size_t i = 0; i < devices->count; i++)
		if (devices->list[i].ifindex == ifindex)
			return devices->list[i].name;
	return "a device of another network namespace";
}

/* "mv0 on eth0": all devices of these kinds. */
static const char *devices_of(const struct probing *p, const struct devices *devices,
			      const char *const kinds[2])
{
	const char *found = NULL;

	for (size_t i = 0; i < devices->count; i++) {
		const struct interface *device = &devices->list[i];

		if (str_equal(device->kind, kinds[0]) || str_equal(device->kind, kinds[1]))
			found = str_list_append(p->arena, found,
						arena_printf(p->arena, "%s on %s", device->name,
							     device_name(devices, device->parent)));
	}
	return found;
}

static const char *xdp_devices(const struct probing *p, const struct devices *devices)
{
	const char *found = NULL;

	for (size_t i = 0; i < devices->count; i++)
		if (devices->list[i].xdp)
			found = str_list_append(
				p->arena, found,
				arena_printf(p->arena, "%s: %s", devices->list[i].name,
					     program_words(p->arena, devices->list[i].xdp)));
	return found;
}

static void probe_devices_here(struct probing *p)
{
	static const char *const macvlan[] = {"macvlan", "macvtap"};
	static const char *const ipvlan[] = {"ipvlan", "ipvtap"};
	struct diags d = {.arena = p->arena};
	struct devices devices = {0};

	if (host_interfaces(p->arena, &d, &devices.list, &devices.count))
		devices.count = 0;
	add_seen(p,
		 (struct bypass){.name = "xdp",
				 .of = BY_DEVICES,
				 .what = "an XDP program runs before the hooks of its device: it "
					 "can answer packets, or redirect them into a guest's "
					 "device, past all hooks",
				 .closed_by = "ip link set dev DEVICE xdp off, or removal by its "
					      "owner"},
		 xdp_devices(p, &devices));
	add_seen(p,
		 (struct bypass){.name = "macvlan",
				 .of = BY_DEVICES,
				 .what = "broadcasts among macvlan siblings pass no hook of "
					 "their parent; their other packets are judged there as "
					 "this host's own",
				 .closed_by = "attach the macvlan devices themselves, as guests"},
		 devices_of(p, &devices, macvlan));
	add_seen(p,
		 (struct bypass){.name = "ipvlan",
				 .of = BY_DEVICES,
				 .what = "ipvlan siblings reach each other past the hooks of their "
					 "parent",
				 .closed_by = "attach the ipvlan devices themselves, as guests"},
		 devices_of(p, &devices, ipvlan));
}

/* ---------------------------------------------------------------- hardware */

static bool read_number(const char *dir, const char *name, const char *file, unsigned long *out)
{
	CLEANUP(close_file) FILE *stream = NULL;
	char path[512], text[32];

	snprintf(path, sizeof(path), "%s/%s/%s", dir, name, file);
	stream = fopen(path, "re");
	if (!stream || !fgets(text, sizeof(text), stream))
		return false;
	*out = strtoul(text, NULL, 0);
	return true;
}

static bool has_functions(const char *dir, const char *name)
{
	unsigned long class, count;

	return read_number(dir, name, "class", &class) && class >> 16 == 2 &&
	       read_number(dir, name, "sriov_numvfs", &count) && count;
}

static bool is_network_device(const char *dir, const char *name)
{
	unsigned long class;

	return read_number(dir, name, "class", &class) && class >> 16 == 2;
}

static bool is_any(const char *dir, const char *name)
{
	(void)dir, (void)name;
	return true;
}

static const char *entries_of(const struct probing *p, const char *dir,
			      bool (*counts)(const char *dir, const char *name))
{
	DIR *stream = opendir(dir);
	const struct dirent *entry;
	const char *found = NULL;

	while (stream && (entry = readdir(stream)))
		if (entry->d_name[0] != '.' && counts(dir, entry->d_name))
			found = str_list_append(p->arena, found, entry->d_name);
	if (stream)
		closedir(stream);
	return found;
}

static void probe_hardware(struct probing *p)
{
	add_seen(p,
		 (struct bypass){.name = "sr-iov",
				 .of = BY_DEVICES,
				 .what = "virtual functions send and receive past the hooks of "
					 "their physical device",
				 .closed_by = "attach the function's own interface where this host "
					      "has it; else rules of the switch or the fabric"},
		 entries_of(p, "/sys/bus/pci/devices", has_functions));
	add_seen(p,
		 (struct bypass){.name = "vfio",
				 .of = BY_DEVICES,
				 .what = "packets of a device passed through to a guest or a "
					 "process do not pass this kernel",
				 .closed_by = "give the guest a tap, and attach that as a guest"},
		 entries_of(p, "/sys/bus/pci/drivers/vfio-pci", is_network_device));
	add_seen(p,
		 (struct bypass){.name = "rdma",
				 .of = BY_ALL,
				 .what = "RDMA (RoCE, iWARP, EFA) sends from the process to the "
					 "adapter, past every hook",
				 .closed_by = "keep /dev/infiniband from its users, or unload the "
					      "driver"},
		 entries_of(p, "/sys/class/infiniband", is_any));
}

/* ---------------------------------------------------------------- neighbours */

static const char *before_ours(const struct probing *p, const struct instance *instance,
			       const char *found)
{
	struct diags d = {.arena = p->arena};
	struct hook_facts facts;

	if (instance_hooks(instance, p->options, p->arena, &d, &facts))
		return found;
	for (size_t i = 0; i < facts.count; i++)
		if (facts.list[i].preempted_by)
			found = str_list_append(p->arena, found,
						arena_printf(p->arena, "%s %s of policy %s: %s",
							     facts.list[i].record->name,
							     facts.list[i].hook, instance->name,
							     facts.list[i].preempted_by));
	return found;
}

static void probe_neighbours(struct probing *p)
{
	struct bypass bypass = {
		.name = "neighbours-before",
		.of = BY_DEVICES,
		.what = "a program that runs before the policy at a hook can take packets that "
			"the policy never sees",
		.closed_by = "remove it, or flowreeve apply again, which moves the policy to the "
			     "front if it can",
	};
	struct diags d = {.arena = p->arena};
	const char **names, *found = NULL;
	size_t count;

	if (!p->privileged || datapath_list(p->options, p->arena, &d, &names, &count)) {
		bypass.answer = ANSWER_UNKNOWN;
		bypass.found = "the applied policies cannot be read";
		probe_add_bypass(p, &bypass);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		struct instance instance;

		if (instance_open(p->options, names[i], &d, &instance))
			continue;
		found = before_ours(p, &instance, found);
		instance_close(&instance);
	}
	add_seen(p, bypass, found);
}

static void probe_redirects(struct probing *p)
{
	struct bypass bypass = {
		.name = "peer-redirect",
		.of = BY_GUESTS,
		.what = "a TC program that calls bpf_redirect_peer puts packets into the other end "
			"of a veth or netkit, past the hooks of this end",
		.closed_by =
			"remove it, or turn off the host routing of the CNI that it belongs to",
	};
	struct peer_redirects found;
	const char *words = NULL;

	host_peer_redirects(p->arena, &found);
	for (size_t i = 0; i < found.count; i++)
		words = str_list_append(p->arena, words,
					arena_printf(p->arena, "%s at %s", found.list[i].words,
						     found.list[i].where));
	if (words || !found.unknown) {
		add_seen(p, bypass, words);
		return;
	}
	bypass.answer = ANSWER_UNKNOWN;
	bypass.found = found.unknown;
	probe_add_bypass(p, &bypass);
}

/* Changes that another user has made to the pin root, else whether a user could make it first. */
static void probe_pins(struct probing *p)
{
	const char *root = pin_root(p->options), *found = NULL,
		   *closed_by = "chmod 0700 /sys/fs/bpf";
	struct diags d = {.arena = p->arena};
	unsigned mode;
	pin_path at;
	int fd = p->privileged ? pins_look(root, &d) : -1;

	close_fd(&fd);
	if (bpffs_open_to_others(root, at, &mode)) {
		found = arena_printf(p->arena, "%s is world-writable (mode %04o)", at, mode);
		closed_by = arena_printf(p->arena, "chmod 0700 %s", shell_word(p->arena, at));
	}
	for (size_t i = 0; i < d.count; i++) {
		found = d.list[i].message;
		closed_by = d.list[i].hint ? d.list[i].hint : closed_by;
	}
	add_seen(p,
		 (struct bypass){.name = "bpffs-writable",
				 .of = BY_ALL,
				 .what = "in a bpffs that other users may write, another user "
					 "can make the pin root first; apply then refuses it",
				 .closed_by = closed_by},
		 found);
}

static void probe_forwarding(struct probing *p)
{
	bool forwards = false;

	host_forwarding(&forwards);
	add_seen(p,
		 (struct bypass){.name = "forwarding",
				 .of = BY_INTERFACES,
				 .what = "forwarded packets are counted, not judged",
				 .closed_by = "forwarded: judge in the policy, or attach the "
					      "devices of the forwarded hosts as guests"},
		 forwards ? "this network namespace forwards" : NULL);
}

void probe_bypasses(struct probing *p)
{
	probe_processes(p);
	probe_devices_here(p);
	probe_hardware(p);
	probe_pins(p);
	probe_neighbours(p);
	probe_redirects(p);
	probe_forwarding(p);
}
