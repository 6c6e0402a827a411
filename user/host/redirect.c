/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds TC programs of a network namespace that call bpf_redirect_peer(): it puts a packet into
 * the other end of a veth or netkit device, bypassing the egress hook of this end. A dump of the
 * instructions shows a call as the distance of the helper from a symbol of the kernel; the
 * distance is the same in a program of our own, so no symbol is needed. The search follows tail
 * calls of attached programs, and extensions of their functions.
 */
#include "redirect.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_bpf.h>
#include <string.h>

#include "bpf.h"
#include "interfaces.h"
#include "netlink.h"

enum {
	HELPER_REDIRECT_PEER = 155,
	ATTACH_NETKIT_PRIMARY = 54,
	ATTACH_NETKIT_PEER = 55,
	LINK_TRACING = 2,
	DUMP_TRIES = 5,
	MAPS_MAX = 1024,
};

/* The place of a program: attached, or reached from an attached one. */
struct reached {
	uint32_t program;
	const char *where;
};

struct search {
	struct arena *arena;
	int32_t helper; /* as shown in a dump */
	struct reached *list;
	size_t count, capacity;
	uint32_t *arrays; /* ids of the program arrays already searched */
	size_t array_count, array_room;
	uint32_t *extensions; /* pairs: the extended program, the extension */
	size_t extension_count, extension_room;
	const char *where; /* the current one */
	struct peer_redirects found;
	size_t found_room;
};

static void add_program(struct search *s, uint32_t program, const char *where)
{
	for (size_t i = 0; i < s->count; i++)
		if (!program || s->list[i].program == program)
			return;
	if (!program)
		return;
	s->list = arena_grow(s->arena, s->list, s->count, &s->capacity, sizeof(*s->list));
	s->list[s->count++] = (struct reached){program, where};
}

/* ---------------------------------------------------------------- attached programs */

static int add_queried(struct search *s, const struct interface *device, uint32_t attach_type,
		       const char *hook)
{
	struct hook_query query = {0};
	int err = hook_query(device->ifindex, attach_type, &query);

	/* A kernel without such a hook, and the end of a netkit without one. */
	if (err == -EINVAL || err == -EACCES || err == -ENXIO)
		return 0;
	for (uint32_t i = 0; i < query.count && i < QUERY_MAX && !err; i++)
		add_program(s, query.programs[i],
			    arena_printf(s->arena, "%s %s", device->name, hook));
	return err;
}

static const struct rtattr *attribute_of(const struct rtattr *list, uint16_t type)
{
	const struct rtattr *attribute = RTA_DATA(list);
	int left = (int)RTA_PAYLOAD(list);

	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		if ((attribute->rta_type & NLA_TYPE_MASK) == type)
			return attribute;
	return NULL;
}

/* Every action of a filter: "bpf" runs a program as well. */
static void add_actions(struct search *s, const struct rtattr *actions)
{
	const struct rtattr *action = RTA_DATA(actions);
	int left = (int)RTA_PAYLOAD(actions);

	for (; RTA_OK(action, left); action = RTA_NEXT(action, left)) {
		const struct rtattr *kind = attribute_of(action, TCA_ACT_KIND);
		const struct rtattr *options = attribute_of(action, TCA_ACT_OPTIONS), *id;
		uint32_t program;

		if (!kind || !options || !str_equal(RTA_DATA(kind), "bpf"))
			continue;
		id = attribute_of(options, TCA_ACT_BPF_ID);
		if (!id)
			continue;
		memcpy(&program, RTA_DATA(id), sizeof(program));
		add_program(s, program, s->where);
	}
}

static uint16_t actions_of(const char *classifier)
{
	static const struct {
		const char *classifier;
		uint16_t actions;
	} known[] = {{"bpf", TCA_BPF_ACT},	     {"u32", TCA_U32_ACT},
		     {"matchall", TCA_MATCHALL_ACT}, {"flower", TCA_FLOWER_ACT},
		     {"basic", TCA_BASIC_ACT},	     {"fw", TCA_FW_ACT},
		     {"route", TCA_ROUTE4_ACT},	     {"flow", TCA_FLOW_ACT},
		     {"cgroup", TCA_CGROUP_ACT}};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (str_equal(classifier, known[i].classifier))
			return known[i].actions;
	return 0;
}

/* Filters of every chain: the next filter can make an unreached chain reachable. */
static int on_filter(const struct nlmsghdr *message, void *context)
{
	const struct tcmsg *tc = NLMSG_DATA(message);
	const struct rtattr *attribute =
		(const void *)((const char *)tc + NLMSG_ALIGN(sizeof(*tc)));
	int left = (int)(message->nlmsg_len - NLMSG_LENGTH(sizeof(*tc)));
	const struct rtattr *options = NULL, *part;
	const char *kind = "";
	uint32_t program;

	if (message->nlmsg_type != RTM_NEWTFILTER)
		return 0;
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
		if ((attribute->rta_type & NLA_TYPE_MASK) == TCA_KIND)
			kind = RTA_DATA(attribute);
		if ((attribute->rta_type & NLA_TYPE_MASK) == TCA_OPTIONS)
			options = attribute;
	}
	part = options && str_equal(kind, "bpf") ? attribute_of(options, TCA_BPF_ID) : NULL;
	if (part) {
		memcpy(&program, RTA_DATA(part), sizeof(program));
		add_program(context, program, ((struct search *)context)->where);
	}
	part = options && actions_of(kind) ? attribute_of(options, actions_of(kind)) : NULL;
	if (part)
		add_actions(context, part);
	return 0;
}

static int add_filters(struct search *s, const struct interface *device, uint32_t minor,
		       const char *hook)
{
	int err = -EAGAIN;

	s->where = arena_printf(s->arena, "%s %s", device->name, hook);
	for (int tries = 0; err == -EAGAIN && tries < DUMP_TRIES; tries++)
		err = netlink_dump_filters(device->ifindex, minor, on_filter, s);
	return err;
}

static int add_device(struct search *s, const struct interface *device)
{
	static const struct {
		uint32_t type;
		const char *name;
		bool netkit;
	} lists[] = {{ATTACH_TCX_INGRESS, "tcx/ingress", false},
		     {ATTACH_TCX_EGRESS, "tcx/egress", false},
		     {ATTACH_NETKIT_PRIMARY, "netkit/primary", true},
		     {ATTACH_NETKIT_PEER, "netkit/peer", true}};
	bool netkit = str_equal(device->kind, "netkit");
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lists) && !err; i++)
		if (netkit || !lists[i].netkit)
			err = add_queried(s, device, lists[i].type, lists[i].name);
	err = err ? err : add_filters(s, device, TC_H_MIN_INGRESS, "clsact/ingress");
	err = err ? err : add_filters(s, device, TC_H_MIN_EGRESS, "clsact/egress");
	return err == -ENODEV ? 0 : err; /* it has gone meanwhile */
}

/* ---------------------------------------------------------------- reachable programs */

static int follow_array(struct search *s, uint32_t id, const struct reached *from)
{
	CLEANUP(close_fd) int fd = bpf_map_get_fd_by_id(id);
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info), program;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	if (info.type != BPF_MAP_TYPE_PROG_ARRAY)
		return 0;
	for (uint32_t i = 0; i < info.max_entries; i++) {
		if (!bpf_map_lookup_elem(fd, &i, &program))
			add_program(s, program,
				    arena_printf(s->arena, "%s, by a tail call", from->where));
		else if (errno != ENOENT)
			return -errno;
	}
	return 0;
}

static int follow_maps(struct search *s, const uint32_t *maps, uint32_t count,
		       const struct reached *from)
{
	int err = 0;

	for (uint32_t i = 0; i < count && !err; i++) {
		bool known = false;

		for (size_t j = 0; j < s->array_count && !known; j++)
			known = s->arrays[j] == maps[i];
		if (known)
			continue;
		s->arrays = arena_grow(s->arena, s->arrays, s->array_count, &s->array_room,
				       sizeof(*s->arrays));
		s->arrays[s->array_count++] = maps[i];
		err = follow_array(s, maps[i], from);
	}
	return err;
}

static int read_extension(struct search *s, uint32_t id)
{
	CLEANUP(close_fd) int fd = bpf_link_get_fd_by_id(id);
	struct bpf_link_info info = {0};
	uint32_t size = sizeof(info);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	if (info.type != LINK_TRACING || !info.tracing.target_obj_id)
		return 0;
	s->extensions = arena_grow(s->arena, s->extensions, s->extension_count + 1,
				   &s->extension_room, sizeof(*s->extensions));
	s->extensions[s->extension_count++] = info.tracing.target_obj_id;
	s->extensions = arena_grow(s->arena, s->extensions, s->extension_count, &s->extension_room,
				   sizeof(*s->extensions));
	s->extensions[s->extension_count++] = info.prog_id;
	return 0;
}

/* Programs that replace a function of another one. */
static int find_extensions(struct search *s)
{
	uint32_t id = 0;
	int err = 0;

	while (!err && !bpf_link_get_next_id(id, &id))
		err = read_extension(s, id);
	/* Kernels before 5.8 cannot list links. */
	return err || errno == ENOENT || errno == EINVAL ? err : -errno;
}

static void add_extensions(struct search *s, const struct reached *from)
{
	for (size_t i = 0; i + 1 < s->extension_count; i += 2)
		if (s->extensions[i] == from->program)
			add_program(s, s->extensions[i + 1],
				    arena_printf(s->arena, "%s, by an extension", from->where));
}

/* ---------------------------------------------------------------- instructions */

struct dump {
	struct bpf_insn *code;
	uint32_t count;
	struct bpf_prog_info info;
	uint32_t maps[MAPS_MAX];
};

static int dump_program(int fd, struct arena *arena, struct dump *out)
{
	struct bpf_prog_info *info = &out->info;
	uint32_t size = sizeof(*info), length;

	memset(info, 0, sizeof(*info));
	if (bpf_obj_get_info_by_fd(fd, info, &size))
		return -errno;
	length = info->xlated_prog_len;
	if (info->nr_map_ids > MAPS_MAX)
		return -E2BIG;
	out->code = arena_alloc(arena, length + 1);
	*info = (struct bpf_prog_info){.nr_map_ids = MAPS_MAX,
				       .map_ids = (uintptr_t)out->maps,
				       .xlated_prog_len = length,
				       .xlated_prog_insns = (uintptr_t)out->code};
	size = sizeof(*info);
	if (bpf_obj_get_info_by_fd(fd, info, &size))
		return -errno;
	if (!length || !info->xlated_prog_insns)
		return -EPERM;
	out->count = length / sizeof(*out->code);
	return 0;
}

static bool is_call(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL) && !insn->src_reg;
}

static bool ends_block(const struct bpf_insn *insn)
{
	uint8_t class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	return (class == BPF_JMP || class == BPF_JMP32) && (op == BPF_EXIT || op == BPF_JA);
}

/* The value that the instruction leaves in a register is unknown. */
static bool clobbers(const struct bpf_insn *insn, uint8_t reg)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_JMP:
		return BPF_OP(insn->code) == BPF_CALL && reg < BPF_REG_6;
	case BPF_STX:
		return BPF_MODE(insn->code) == BPF_ATOMIC && (insn->src_reg == reg || !reg);
	case BPF_LD:
		return insn->code && insn->dst_reg == reg;
	case BPF_LDX:
	case BPF_ALU:
	case BPF_ALU64:
		return insn->dst_reg == reg;
	}
	return false;
}

/* The constant that straight-line code leaves in the first argument of the call at `at`, else 0. */
static uint32_t constant_argument(const struct bpf_insn *code, uint32_t at)
{
	uint8_t reg = BPF_REG_1;

	while (at-- > 0 && !ends_block(&code[at])) {
		const struct bpf_insn *insn = &code[at];
		uint8_t class = BPF_CLASS(insn->code);
		bool move = (class == BPF_ALU || class == BPF_ALU64) &&
			    BPF_OP(insn->code) == BPF_MOV && insn->dst_reg == reg && !insn->off;

		if (move && BPF_SRC(insn->code) == BPF_K)
			return (uint32_t)insn->imm;
		if (insn->code == (BPF_LD | BPF_DW | BPF_IMM) && insn->dst_reg == reg)
			return insn->src_reg ? 0 : (uint32_t)insn->imm;
		if (move)
			reg = insn->src_reg;
		else if (clobbers(insn, reg))
			return 0;
	}
	return 0;
}

static void look_for_calls(struct search *s, const struct dump *dump, const struct reached *from)
{
	struct peer_redirect found = {.program = from->program, .where = from->where};
	size_t room = 0;
	bool calls = false;

	for (uint32_t i = 0; i < dump->count; i++) {
		uint32_t target;

		if (!is_call(&dump->code[i]) || dump->code[i].imm != s->helper)
			continue;
		calls = true;
		target = constant_argument(dump->code, i);
		if (!target)
			continue;
		found.targets = arena_grow(s->arena, found.targets, found.target_count, &room,
					   sizeof(*found.targets));
		found.targets[found.target_count++] = target;
	}
	if (!calls)
		return;
	found.words = program_words(s->arena, from->program);
	s->found.list = arena_grow(s->arena, s->found.list, s->found.count, &s->found_room,
				   sizeof(*s->found.list));
	s->found.list[s->found.count++] = found;
}

static int follow_program(struct search *s, const struct reached *from)
{
	CLEANUP(close_fd) int fd = bpf_prog_get_fd_by_id(from->program);
	struct arena *arena;
	struct dump dump;
	int err;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	arena = arena_new();
	err = dump_program(fd, arena, &dump);
	if (!err) {
		look_for_calls(s, &dump, from);
		add_extensions(s, from);
		err = follow_maps(s, dump.maps, dump.info.nr_map_ids, from);
	}
	arena_free(arena);
	return err;
}

/* ---------------------------------------------------------------- the helper */

/* 1, 0: this kernel has no such helper, or -errno. */
static int find_helper(struct search *s)
{
	const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = 1},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2},
		{.code = BPF_JMP | BPF_CALL, .imm = HELPER_REDIRECT_PEER},
		{.code = BPF_JMP | BPF_EXIT},
	};
	CLEANUP(close_fd)
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "fr_peer", "GPL", code, ARRAY_SIZE(code),
			       NULL);
	struct dump dump;
	int err;

	if (fd < 0)
		return errno == EINVAL ? 0 : -errno;
	err = dump_program(fd, s->arena, &dump);
	if (err)
		return err;
	for (uint32_t i = 0; i < dump.count; i++)
		if (is_call(&dump.code[i]))
			s->helper = dump.code[i].imm;
	return s->helper ? 1 : -EACCES;
}

static int search_devices(struct search *s)
{
	struct diags ignored = {.arena = s->arena};
	struct interface *devices;
	size_t count;
	int err = host_interfaces(s->arena, &ignored, &devices, &count);

	for (size_t i = 0; i < count && !err; i++)
		err = add_device(s, &devices[i]);
	if (!err)
		err = find_extensions(s);
	for (size_t i = 0; i < s->count && !err; i++) {
		struct reached from = s->list[i];

		err = follow_program(s, &from);
	}
	return err;
}

void host_peer_redirects(struct arena *arena, struct peer_redirects *out)
{
	struct search s = {.arena = arena};
	int err = find_helper(&s);

	if (err == -EACCES)
		s.found.unknown = "the kernel does not show which helpers a program calls; "
				  "kernel.kptr_restrict below 2 and CAP_SYSLOG do";
	else if (err > 0)
		err = search_devices(&s);
	if (err < 0 && !s.found.unknown)
		s.found.unknown =
			arena_printf(arena, "the programs cannot be read: %s", error_text(err));
	*out = s.found;
}
