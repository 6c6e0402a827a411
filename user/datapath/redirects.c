/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs that can bypass the egress hooks of a policy's guests. */
#include "../host/host.h"
#include "../objects/objects.h"
#include "datapath.h"

/* A device without a peer cannot be the target. */
static bool has_far_end(const struct interface *devices, size_t count, uint32_t ifindex)
{
	for (size_t i = 0; i < count; i++)
		if (devices[i].ifindex == ifindex)
			return interface_has_peer(&devices[i]);
	return false;
}

static void redirects_here(const struct records *hooks, struct arena *arena,
			   struct peer_redirects *out)
{
	const struct fr_hook_record *list = hooks->list;
	struct diags ignored = {.arena = arena};
	struct interface *devices;
	size_t count;
	bool wanted = false;

	if (host_interfaces(arena, &ignored, &devices, &count)) {
		out->unknown = "the devices of the guests cannot be listed";
		return;
	}
	for (uint32_t i = 0; i < hooks->count && !wanted; i++)
		wanted = list[i].used && list[i].kind == FR_KIND_GUEST &&
			 has_far_end(devices, count, list[i].ifindex);
	if (wanted)
		host_peer_redirects(arena, out);
}

static int find_redirects(const struct instance *instance, struct arena *arena,
			  struct peer_redirects *found)
{
	CLEANUP(records_unmap) struct records hooks = {0};
	const struct fr_hook_record *list;
	int back = -1, err = records_map(instance->hooks, &hooks);
	uint32_t guest = 0;

	if (err)
		return err;
	list = hooks.list;
	while (guest < hooks.count && !(list[guest].used && list[guest].kind == FR_KIND_GUEST))
		guest++;
	if (guest == hooks.count)
		return 0;
	err = netns_enter(list[guest].netns, &back);
	if (!err)
		redirects_here(&hooks, arena, found);
	netns_leave(&back);
	return err;
}

void instance_peer_redirects(const struct instance *instance, struct arena *arena,
			     struct peer_redirects *out)
{
	struct peer_redirects found = {0};
	int err = find_redirects(instance, arena, &found);

	if (err)
		found.unknown =
			arena_printf(arena, "their devices cannot be queried: %s", error_text(err));
	*out = found;
}
