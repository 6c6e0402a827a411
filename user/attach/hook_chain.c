/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads the programs on a hook in the order in which the kernel runs them: those of a cgroup and
 * of the cgroups above it; for a device the TCX programs, then the filters of its clsact qdisc of
 * any priority. Changes nothing. A program before ours may take packets that ours never sees.
 */
#include "hook_chain.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "../host/host.h"
#include "filter.h"

enum { ANY_PROTOCOL = 0x0003, U32_NODE = 0xfff, DUMP_TRIES = 5 };

/* A program or filter that the kernel runs on this hook. */
struct chain_entry {
	uint32_t program;	   /* id, 0: a filter without a program */
	uint32_t priority, handle; /* of a filter, else 0 */
	uint16_t protocol;
	char kind[16]; /* "bpf", "u32"; empty if not a filter */
};

struct chain {
	struct arena *arena;
	struct chain_entry *list;
	size_t count, capacity;
};

static void append_entry(struct chain *all, const struct chain_entry *entry)
{
	all->list =
		arena_grow(all->arena, all->list, all->count, &all->capacity, sizeof(*all->list));
	all->list[all->count++] = *entry;
}

/* -ENOSPC: there are more than the list holds. */
static int append_programs(struct chain *all, const struct hook_query *query)
{
	for (uint32_t i = 0; i < query->count && i < QUERY_MAX; i++)
		append_entry(all, &(struct chain_entry){.program = query->programs[i]});
	return query->count < QUERY_MAX ? 0 : -ENOSPC;
}

static int add_programs(struct chain *all, uint32_t target, uint32_t attach_type)
{
	struct hook_query query = {0};
	int err = hook_query(target, attach_type, &query);

	return err ? err : append_programs(all, &query);
}

/* ---------------------------------------------------------------- filters */

static uint32_t bpf_filter_program(const struct rtattr *options)
{
	const struct rtattr *attribute = RTA_DATA(options);
	int left = (int)RTA_PAYLOAD(options);
	uint32_t id = 0;

	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		if ((attribute->rta_type & NLA_TYPE_MASK) == TCA_BPF_ID)
			memcpy(&id, RTA_DATA(attribute), sizeof(id));
	return id;
}

/* Each message is one filter, except containers of filters: the instance of a classifier, without a
 * handle, and hash tables of u32. Chains other than 0 are reached from a filter of chain 0. */
static int on_filter(const struct nlmsghdr *message, void *context)
{
	const struct tcmsg *tc = NLMSG_DATA(message);
	const struct rtattr *attribute =
		(const void *)((const char *)tc + NLMSG_ALIGN(sizeof(*tc)));
	int left = (int)(message->nlmsg_len - NLMSG_LENGTH(sizeof(*tc)));
	struct chain_entry entry = {.priority = tc->tcm_info >> 16,
				    .handle = tc->tcm_handle,
				    .protocol = ntohs((uint16_t)tc->tcm_info)};
	const struct rtattr *options = NULL;
	uint32_t chain = 0;

	if (message->nlmsg_type != RTM_NEWTFILTER)
		return 0;
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
		uint16_t type = attribute->rta_type & NLA_TYPE_MASK;

		if (type == TCA_KIND)
			snprintf(entry.kind, sizeof(entry.kind), "%s",
				 (const char *)RTA_DATA(attribute));
		else if (type == TCA_CHAIN)
			memcpy(&chain, RTA_DATA(attribute), sizeof(chain));
		else if (type == TCA_OPTIONS)
			options = attribute;
	}
	if (chain || !options || !entry.handle)
		return 0;
	if (str_equal(entry.kind, "u32") && !(entry.handle & U32_NODE))
		return 0;
	if (str_equal(entry.kind, "bpf"))
		entry.program = bpf_filter_program(options);
	append_entry(context, &entry);
	return 0;
}

static int add_filters(struct chain *all, uint32_t ifindex, uint32_t attach_type)
{
	uint32_t minor = attach_type == ATTACH_TCX_INGRESS ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS;
	size_t before = all->count;
	int err = -EAGAIN;

	for (int tries = 0; err == -EAGAIN && tries < DUMP_TRIES; tries++) {
		all->count = before;
		err = netlink_dump_filters(ifindex, minor, on_filter, all);
	}
	return err;
}

/* ---------------------------------------------------------------- words */

static const char *entry_words(struct arena *arena, const struct chain_entry *entry)
{
	const char *program = entry->program ? program_words(arena, entry->program) : NULL;
	const char *filter;

	if (!*entry->kind)
		return program;
	filter = arena_printf(arena, "filter %s of priority %u", entry->kind, entry->priority);
	return program ? str_list_append(arena, program, filter) : filter;
}

/* ---------------------------------------------------------------- one hook */

/* An error if one of the kind of ours (TCX or filter) cannot be read. */
static int read_device(const struct fr_hook_record *point, const struct hook_program *hook,
		       struct chain *all)
{
	int back = -1, programs, filters, err = netns_enter(point->netns, &back);

	if (err)
		return err;
	programs = add_programs(all, point->ifindex, hook->attach_type);
	filters = add_filters(all, point->ifindex, hook->attach_type);
	netns_leave(&back);
	return point->how == HOW_TCX ? programs : filters;
}

static int read_netns(const struct fr_hook_record *point, const struct hook_program *hook,
		      struct chain *all)
{
	CLEANUP(close_fd) int netns = -1;
	int back = -1, err = netns_enter(point->netns, &back);

	if (err)
		return err;
	netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	err = netns < 0 ? -errno : add_programs(all, (uint32_t)netns, hook->attach_type);
	netns_leave(&back);
	return err;
}

/* `effective`: with the programs of the cgroups above. */
static int read_cgroup(const char *path, const struct hook_program *hook, bool effective,
		       struct chain *all)
{
	CLEANUP(close_fd)
	int cgroup = open(path ? path : "", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct hook_query query = {0};
	int err;

	if (cgroup < 0)
		return -errno;
	err = effective ? hook_query_effective(cgroup, hook->attach_type, &query)
			: hook_query((uint32_t)cgroup, hook->attach_type, &query);
	return err ? err : append_programs(all, &query);
}

static int read_hook(const struct hook_ref *at, bool effective, struct chain *all)
{
	if (at->point->how == HOW_NETNS)
		return read_netns(at->point, at->hook, all);
	return attach_is_cgroup(at->point) ? read_cgroup(at->path, at->hook, effective, all)
					   : read_device(at->point, at->hook, all);
}

static bool is_ours_by_name(const char *name, size_t size)
{
	for (int i = 0; i < PROGRAM_COUNT; i++)
		if (!strncmp(name, program_names[i], size - 1))
			return true;
	return false;
}

/* Whether its name is one of this tool's, of any pin root. No if it is gone or this process may not
 * query it. */
static int is_flowreeve(const struct chain_entry *entry, bool *out)
{
	CLEANUP(close_fd) int fd = -1;
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	*out = false;
	if (!entry->program)
		return 0;
	fd = bpf_prog_get_fd_by_id(entry->program);
	if (fd < 0)
		return errno == ENOENT || errno == EPERM ? 0 : -errno;
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	*out = is_ours_by_name(info.name, sizeof(info.name));
	return 0;
}

static bool is_ours(const struct hook_ref *at, const struct chain_entry *entry)
{
	struct filter_id id;

	if (!filter_id_read(at->point, &id))
		return !*entry->kind && entry->program == at->program;
	return str_equal(entry->kind, "bpf") && entry->priority == id.priority &&
	       entry->handle == id.handle;
}

/* Would a new one of ours come before it? A new filter comes first of those of its priority, which
 * only bpf filters of any protocol share with it. */
static bool can_be_passed(const struct fr_hook_record *point, const struct chain_entry *entry)
{
	if (point->how == HOW_TCX)
		return true;
	return str_equal(entry->kind, "bpf") && entry->priority == 1 &&
	       entry->protocol == ANY_PROTOCOL;
}

void hook_chain_read(const struct hook_ref *at, struct arena *arena, struct hook_chain *out)
{
	struct chain all = {.arena = arena};
	struct hook_chain chain = {.passable = true};
	size_t ours = 0;

	chain.err = read_hook(at, true, &all);
	while (ours < all.count && !is_ours(at, &all.list[ours]))
		ours++;
	chain.found = ours < all.count;
	chain.words = arena_alloc(arena, (all.count + 1) * sizeof(*chain.words));
	for (size_t i = 0; i < all.count && chain.found; i++) {
		const char *words = entry_words(arena, &all.list[i]);
		bool flowreeve = false;
		int err;

		if (i == ours)
			continue;
		chain.words[chain.count++] =
			arena_printf(arena, "%s: %s", i < ours ? "before" : "after", words);
		if (i > ours)
			continue;
		err = is_flowreeve(&all.list[i], &flowreeve);
		chain.err = chain.err ?: err;
		if (flowreeve)
			continue;
		chain.first_before = chain.first_before ? chain.first_before : words;
		/* The kernel runs each program of a cgroup or a namespace: none hides packets from
		 * the next. */
		if (at->point->how >= HOW_CGROUP)
			continue;
		chain.preempted_by = chain.preempted_by ? chain.preempted_by : words;
		chain.passable &= can_be_passed(at->point, &all.list[i]);
	}
	*out = chain;
}

int hook_flowreeve_programs(const struct hook_ref *at, struct arena *arena, uint32_t **out,
			    size_t *count)
{
	struct chain all = {.arena = arena};
	uint32_t *programs;
	size_t found = 0;
	int err = read_hook(at, false, &all);

	if (err && err != -ENOSPC)
		return err;
	programs = arena_alloc(arena, (all.count + 1) * sizeof(*programs));
	for (size_t i = 0; i < all.count; i++) {
		bool flowreeve;

		err = is_flowreeve(&all.list[i], &flowreeve);
		if (err)
			return err;
		if (flowreeve)
			programs[found++] = all.list[i].program;
	}
	*out = programs;
	*count = found;
	return 0;
}
