/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs that drop everything at once, attached where flowreeve's are: TCX, else clsact; or a
 * cgroup. Refused packets are compared with them, since without a firewall they are answered.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <unistd.h>

#include "../../user/host/host.h"
#include "traffic.h"

enum { TC_SHOT = 2 };

static int drop_load(enum bpf_prog_type type, enum bpf_attach_type attach, int verdict)
{
	struct bpf_insn program[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = verdict},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = attach);

	return bpf_prog_load(type, "fr_drop", "GPL", program, ARRAY_SIZE(program), &options);
}

static int clsact_attach(int program, uint32_t device)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)device, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, filter, .prog_fd = program, .handle = 1, .priority = 1,
		    .flags = BPF_TC_F_REPLACE);

	bpf_tc_hook_create(&hook);
	return bpf_tc_attach(&hook, &filter) ? -1 : dup(program);
}

int drop_attach_device(void)
{
	uint32_t device = if_nametoindex("eth0");
	int program CLEANUP(close_fd) = drop_load(BPF_PROG_TYPE_SCHED_CLS, 0, TC_SHOT);
	int link = program < 0 ? -1 : tcx_link_create(program, device, ATTACH_TCX_INGRESS);

	return program >= 0 && link < 0 ? clsact_attach(program, device) : link;
}

int drop_attach_cgroup(const char *directory)
{
	int cgroup CLEANUP(close_fd) = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int program CLEANUP(close_fd) =
		drop_load(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS, 0);

	if (program < 0 || cgroup < 0)
		return -1;
	return bpf_link_create(program, cgroup, BPF_CGROUP_INET_INGRESS, NULL);
}
