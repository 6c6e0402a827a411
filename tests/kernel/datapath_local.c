/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hook for this host's own sockets, which comes with interfaces: present when required and not
 * otherwise, one for each policy, and removed with it. Its decisions are in packets_transit.c.
 */
#include "datapath_lab.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include "../../user/observe/observe.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { PROGRAMS_MAX = 64 }; /* the kernel's own limit for a network namespace */

static const struct image_spec one = {.policy = "one", .enforce = true, .tcp_port = 443};
static const struct image_spec other = {.policy = "other", .enforce = true, .tcp_port = 443};
static const char *const va0[] = {"interface va0", NULL};
static const char *const va1[] = {"interface va1", NULL};
static const char *const guest[] = {"guest va0", NULL};

LAB_SUITE(datapath_local);

/* Socket look-up programs in this namespace. */
static unsigned programs(void)
{
	CLEANUP(close_fd) int netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct hook_query query = {0};

	cr_assert_eq(hook_query((uint32_t)netns, BPF_SK_LOOKUP, &query), 0, "%m");
	return query.count;
}

static struct hook_view local_of(const char *policy, struct arena *arena)
{
	struct diags d = {.arena = arena};
	struct status_view view;
	size_t i = 0;

	cr_assert_eq(status_collect(&lab.host, policy, arena, &d, &view), 0);
	while (i < view.hook_count && strcmp(view.hooks[i].hook, "sk_lookup"))
		i++;
	cr_assert_lt(i, view.hook_count, "policy %s has no such hook", policy);
	return view.hooks[i];
}

Test(datapath_local, each_policy_with_interfaces_has_its_own)
{
	struct arena *arena = arena_new();
	struct diags d = {.arena = arena};
	struct hook_view hook;
	size_t count;

	lab_applied(&lab, &one, va0);
	cr_expect_eq(programs(), 1);
	lab_applied(&lab, &other, va1);
	cr_expect_eq(programs(), 2);
	hook = local_of("other", arena);
	cr_expect(hook.alive, "%s", hook.fault);
	cr_expect_eq(hook.neighbour_count, 1);
	cr_expect_null(hook.preempted_by);
	cr_expect(lab_applied(&lab, &one, va0).unchanged);
	cr_assert_eq(datapath_detach(&lab.host, "other", &d, &count), 0);
	cr_expect_eq(programs(), 1);
	lab_detached(&lab);
	cr_expect_eq(programs(), 0);
	arena_free(arena);
}

Test(datapath_local, guests_and_cgroups_have_none)
{
	struct apply_result result;

	lab_applied(&lab, &one, guest);
	cr_expect_eq(programs(), 0);
	result = lab_applied(&lab, &one, va1);
	cr_expect_eq(result.hooks_added, 1, "it is none that the policy names");
	cr_expect_eq(result.hooks_removed, 1);
	cr_expect_eq(programs(), 1);
	result = lab_applied(&lab, &one, guest);
	cr_expect_eq(result.hooks_removed, 1);
	cr_expect_eq(programs(), 0);
}

static void cut(const char *name, bool detach)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/one/%s", lab.root, name);
	if (detach) {
		CLEANUP(close_fd) int fd = bpf_obj_get(path);

		cr_assert_eq(bpf_link_detach(fd), 0, "%s: %m", path);
	} else {
		cr_assert_eq(unlink(path), 0, "%s: %m", path);
	}
}

Test(datapath_local, a_hook_that_was_cut_is_told_and_made_anew)
{
	for (int detach = 0; detach < 2; detach++) {
		struct arena *arena = arena_new();
		struct hook_view hook;
		struct fr_hook_record *record;
		struct diags d = {.arena = arena};
		struct hook_facts facts;
		struct instance instance;
		char name[96];

		lab_applied(&lab, &one, va0);
		cr_assert_eq(instance_open(&lab.host, "one", &d, &instance), 0);
		cr_assert_eq(instance_hooks(&instance, &lab.host, arena, &d, &facts), 0);
		record = (void *)facts.list[facts.count - 1].record;
		snprintf(name, sizeof(name), "%s-local", record->pin);
		instance_close(&instance);
		cut(name, detach);
		hook = local_of("one", arena);
		cr_expect(!hook.alive);
		cr_expect_str_eq(hook.fault,
				 detach ? "nothing is attached: the network namespace is gone, or "
					  "the link was detached"
					: "its link cannot be opened: No such file or directory");
		cr_expect_not(lab_applied(&lab, &one, va0).unchanged, "apply heals");
		hook = local_of("one", arena);
		cr_expect(hook.alive, "%s", hook.fault);
		cr_expect_eq(programs(), 1);
		arena_free(arena);
	}
}

Test(datapath_local, where_there_is_no_room_the_policy_applies_and_says_so)
{
	static const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = SK_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_SK_LOOKUP);
	int links[PROGRAMS_MAX];
	struct apply_result result;
	char messages[512];

	for (int i = 0; i < PROGRAMS_MAX; i++) {
		CLEANUP(close_fd)
		int program = bpf_prog_load(BPF_PROG_TYPE_SK_LOOKUP, "stranger", "GPL", code,
					    ARRAY_SIZE(code), &options);

		links[i] = netns_link_create(program);
		cr_assert_geq(links[i], 0, "%d: %m", i);
	}
	cr_assert_eq(lab_apply(&lab, &one, va0, &result, messages), 0, "%s", messages);
	cr_expect(strstr(messages, "REDIRECT"), "%s", messages);
	cr_expect(!lab_udp_out(&lab, 0, 5000), "it is in force all the same");
	cr_expect_eq(programs(), PROGRAMS_MAX);
	close_fd(&links[7]);
	lab_applied(&lab, &one, va0);
	cr_expect_eq(programs(), PROGRAMS_MAX);
	cr_expect(lab_applied(&lab, &one, va0).unchanged, "its own place is no lack of room");
	lab_detached(&lab);
	cr_expect_eq(programs(), PROGRAMS_MAX - 1);
	for (int i = 0; i < PROGRAMS_MAX; i++)
		close_fd(&links[i]);
}
