/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pins that were removed or replaced: readers report it, read nothing of another size, and never
 * say "nothing is applied" of a policy that still drops packets.
 */
#include "datapath_lab.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct image_spec deny = {.policy = "one", .enforce = true, .tcp_port = 443};
static const char *const points[] = {"interface va0", NULL};

LAB_SUITE(datapath_tampered, lab_applied(&lab, &deny, points));

static void pin_path_of(const char *name, char out[128])
{
	snprintf(out, 128, "%s/one/e1/%s", lab.root, name);
}

static void take_away(const char *name)
{
	char path[128];

	pin_path_of(name, path);
	cr_assert(!unlink(path), "%s: %s", path, strerror(errno));
}

static void put_foreign(const char *name)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "foreign", 4, 8192, 1, NULL);
	char path[128];

	take_away(name);
	pin_path_of(name, path);
	cr_assert(fd >= 0 && !bpf_obj_pin(fd, path));
	close(fd);
}

/* The identification of the error, empty when there is none. */
static const char *open_says(void)
{
	static char messages[64];
	struct arena *arena = arena_new();
	struct diags d = {.arena = arena};
	struct instance instance;

	messages[0] = 0;
	if (!instance_open(&lab.host, "one", &d, &instance))
		instance_close(&instance);
	else
		snprintf(messages, sizeof(messages), "%s", d.count ? d.list[0].check : "?");
	arena_free(arena);
	return messages;
}

static const char *list_says(size_t *count)
{
	static char messages[64];
	struct arena *arena = arena_new();
	struct diags d = {.arena = arena};
	const char **names;

	messages[0] = 0;
	if (datapath_list(&lab.host, arena, &d, &names, count))
		snprintf(messages, sizeof(messages), "%s", d.count ? d.list[0].check : "?");
	arena_free(arena);
	return messages;
}

Test(datapath_tampered, untouched_pins_are_read)
{
	size_t count = 0;

	cr_expect_str_eq(open_says(), "");
	cr_expect_str_eq(list_says(&count), "");
	cr_expect_eq(count, 1);
}

Test(datapath_tampered, a_missing_map_is_not_a_missing_policy)
{
	take_away("fr_counters");
	cr_expect_str_eq(open_says(), "pins-broken");
	take_away("state-1");
	cr_expect_str_eq(open_says(), "pins-broken");
}

Test(datapath_tampered, a_foreign_map_is_not_read)
{
	static const char *const names[] = {"fr_flows", "fr_counters", "fr_control", "hooks-1",
					    "state-1"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		put_foreign(names[i]);
		cr_expect_str_eq(open_says(), "pins-broken", "%s", names[i]);
	}
}

static void in_force_but_unknown(const char *name)
{
	size_t count;

	take_away(name);
	cr_expect(!lab_udp_out(&lab, 0, 5000), "it still drops");
	cr_expect_str_eq(list_says(&count), "pins-broken");
	lab_detached(&lab);
	cr_expect_str_eq(list_says(&count), "");
	cr_expect_eq(count, 0);
	cr_expect(lab_udp_out(&lab, 0, 5000), "detach removes it all the same");
}

Test(datapath_tampered, what_drops_is_never_told_as_nothing)
{
	in_force_but_unknown("fr_images");
}

Test(datapath_tampered, an_image_without_its_pin_is_in_force_still)
{
	in_force_but_unknown("image-1");
}

/* An apply cannot tell whether it would lower the policy: only detach removes it. */
Test(datapath_tampered, apply_stops_where_it_cannot_be_told_what_is_in_force)
{
	struct apply_result result;
	char messages[512];

	take_away("fr_images");
	cr_expect_eq(lab_apply(&lab, &deny, points, &result, messages), -EIO);
	cr_expect(strstr(messages, "may be in force"), "%s", messages);
	cr_expect(strstr(messages, "flowreeve detach --pin-root"), "%s", messages);
	cr_expect(!lab_udp_out(&lab, 0, 5000), "it still drops");
	lab_detached(&lab);
	lab_applied(&lab, &deny, points);
	cr_expect(!lab_udp_out(&lab, 0, 5000));
}

/* Its links hold programs and maps. */
Test(datapath_tampered, links_without_their_epoch_are_in_force_still)
{
	size_t count = 0;
	char command[160];

	snprintf(command, sizeof(command), "rm -r %s/one/e1", lab.root);
	cr_assert_eq(system(command), 0);
	cr_expect(!lab_udp_out(&lab, 0, 5000), "it still drops");
	if (lab_has_tcx())
		cr_expect_str_eq(list_says(&count), "pins-broken");
	lab_detached(&lab);
	if (lab_has_tcx())
		cr_expect(lab_udp_out(&lab, 0, 5000), "detach removes it all the same");
}

/* The running policy goes on; the pins come back with new programs. */
Test(datapath_tampered, apply_pins_programs_again)
{
	static const char *const names[] = {"s-fr_if_ingress", "s-fr_if_egress", "s-fr_clock"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct apply_result result;
		char path[160];

		snprintf(path, sizeof(path), "%s/one/e%zu/%s", lab.root, i + 1, names[i]);
		cr_assert(!unlink(path), "%s: %s", path, strerror(errno));
		cr_expect(!lab_udp_out(&lab, 0, 5000), "%s: it still drops", names[i]);
		result = lab_applied(&lab, &deny, points);
		cr_expect(!result.unchanged, "%s", names[i]);
		cr_expect(!lab_udp_out(&lab, 0, 5000), "%s", names[i]);
		snprintf(path, sizeof(path), "%s/one/e%zu/%s", lab.root, i + 2, names[i]);
		cr_expect(!access(path, F_OK), "%s: %s", path, strerror(errno));
	}
}

/* Also if only the rules change: foreign maps do not go on. */
Test(datapath_tampered, apply_heals_foreign_maps)
{
	static const struct image_spec next = {.policy = "one", .enforce = true, .tcp_port = 444};

	put_foreign("fr_flows");
	put_foreign("fr_counters");
	lab_applied(&lab, &next, points);
	cr_expect_str_eq(open_says(), "");
	cr_expect(lab_tcp_out(&lab, 0, 444));
	cr_expect(!lab_udp_out(&lab, 0, 5000));
}

/* Without its hooks nothing can be replaced: it stays as it is, and detach still removes it. */
Test(datapath_tampered, foreign_records_stop_apply_but_not_detach)
{
	struct apply_result result;
	char messages[512];

	put_foreign("hooks-1");
	cr_expect_neq(lab_apply(&lab, &deny, points, &result, messages), 0);
	cr_expect(strstr(messages, "records below"), "%s", messages);
	cr_expect(!lab_udp_out(&lab, 0, 5000), "the old one is in force");
	lab_detached(&lab);
	cr_expect(lab_udp_out(&lab, 0, 5000));
}
