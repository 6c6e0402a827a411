/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One attach point: make its links or filters, point them at other programs, remove them. What is
 * attached is found again by pin (links) or by priority and handle (clsact filters). Only our own
 * are ever touched.
 */
#include "links.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../host/host.h"

enum { CLSACT_PRIORITIES = 8, ATTACH_ALLOW_MULTI = 1 << 1 };

static const struct hook_program cgroup_sites[SITES_MAX] = {
	{"ingress", "cgroup_skb/ingress", BPF_CGROUP_INET_INGRESS, PROGRAM_CG_INGRESS, false},
	{"egress", "cgroup_skb/egress", BPF_CGROUP_INET_EGRESS, PROGRAM_CG_EGRESS, false},
	{"connect4", "connect4", BPF_CGROUP_INET4_CONNECT, PROGRAM_CONNECT4, false},
	{"connect6", "connect6", BPF_CGROUP_INET6_CONNECT, PROGRAM_CONNECT6, false},
	{"sendmsg4", "sendmsg4", BPF_CGROUP_UDP4_SENDMSG, PROGRAM_SENDMSG4, false},
	{"sendmsg6", "sendmsg6", BPF_CGROUP_UDP6_SENDMSG, PROGRAM_SENDMSG6, false},
	{"sock_create", "sock_create", BPF_CGROUP_INET_SOCK_CREATE, PROGRAM_SOCK_CREATE, true},
};

static const struct hook_program netns_site = {"local", "sk_lookup", BPF_SK_LOOKUP, PROGRAM_LOCAL,
					       false};

size_t hook_sites(const struct fr_hook_record *hook, struct hook_program out[SITES_MAX])
{
	static const enum program first[2][2] = {{PROGRAM_IF_INGRESS, PROGRAM_IF_INGRESS_L3},
						 {PROGRAM_GUEST_INGRESS, PROGRAM_GUEST_INGRESS_L3}};
	enum program program;

	if (hook->kind == FR_KIND_CGROUP) {
		memcpy(out, cgroup_sites, sizeof(cgroup_sites));
		return ARRAY_SIZE(cgroup_sites);
	}
	if (hook->how == HOW_NETNS) {
		out[0] = netns_site;
		return 1;
	}
	program = first[hook->kind == FR_KIND_GUEST][hook->l3 != 0];
	out[0] = (struct hook_program){"ingress",
				       hook->how == HOW_TCX ? "tcx/ingress" : "clsact/ingress",
				       ATTACH_TCX_INGRESS, program, false};
	out[1] = (struct hook_program){"egress",
				       hook->how == HOW_TCX ? "tcx/egress" : "clsact/egress",
				       ATTACH_TCX_EGRESS, program + 1, false};
	return 2;
}

bool hook_same_place(const struct fr_hook_record *a, const struct fr_hook_record *b)
{
	if ((a->kind == FR_KIND_CGROUP) != (b->kind == FR_KIND_CGROUP))
		return false;
	if (a->kind == FR_KIND_CGROUP)
		return a->cgroup == b->cgroup;
	return a->netns == b->netns && a->ifindex == b->ifindex;
}

void link_name(const struct fr_hook_record *hook, const struct hook_program *site, char out[96])
{
	snprintf(out, 96, "%s-%s", hook->pin, site->name);
}

/* ---------------------------------------------------------------- clsact */

struct filter {
	struct bpf_tc_hook hook;
	struct bpf_tc_opts options;
};

static bool filter_of(const struct fr_hook_record *hook, const struct hook_program *site,
		      struct filter *out)
{
	unsigned priority, handle;

	if (sscanf(hook->pin, "tc-%u-%x", &priority, &handle) != 2)
		return false;
	*out = (struct filter){
		.hook = {.sz = sizeof(out->hook),
			 .ifindex = (int)hook->ifindex,
			 .attach_point = site->attach_type == ATTACH_TCX_INGRESS ? BPF_TC_INGRESS
										 : BPF_TC_EGRESS},
		.options = {.sz = sizeof(out->options), .handle = handle, .priority = priority},
	};
	return true;
}

/* No such filter: neither is there when the qdisc (EINVAL) or the device (ENODEV) is gone. */
static bool filter_absent(int err)
{
	return err == -ENOENT || err == -EINVAL || err == -ENODEV;
}

/* In its namespace. */
int filter_program(const struct fr_hook_record *hook, const struct hook_program *site,
		   uint32_t *out)
{
	struct filter filter;
	int err = filter_of(hook, site, &filter) ? bpf_tc_query(&filter.hook, &filter.options)
						 : -ENOENT;

	if (err && !filter_absent(err))
		return err;
	*out = err ? 0 : filter.options.prog_id;
	return 0;
}

static int filter_store(const struct fr_hook_record *hook, const struct hook_program *site,
			int program, bool replace)
{
	struct filter filter;
	int err;

	if (!filter_of(hook, site, &filter))
		return -EINVAL;
	if (!replace) {
		err = bpf_tc_hook_create(&filter.hook);
		if (err && err != -EEXIST)
			return err;
	}
	filter.options.prog_fd = program;
	filter.options.flags = replace ? BPF_TC_F_REPLACE : 0;
	return bpf_tc_attach(&filter.hook, &filter.options);
}

static int filter_remove(const struct fr_hook_record *hook, const struct hook_program *site)
{
	struct filter filter;
	int err = filter_of(hook, site, &filter) ? bpf_tc_detach(&filter.hook, &filter.options)
						 : -ENOENT;

	return filter_absent(err) ? 0 : err;
}

/* All sites at one priority, which the record names before they are there: none of them, or all. */
static int filters_store(const struct attach *attach, const struct hook_program *sites,
			 size_t count, size_t *failed)
{
	int err = 0;

	for (size_t i = 0; i < count && !err; i++) {
		CLEANUP(close_fd)
		int program = program_open(attach->pins, attach->variant, sites[i].program);

		err = program < 0 ? program : filter_store(attach->hook, &sites[i], program, false);
		*failed = i;
	}
	for (size_t i = 0; i < *failed && err; i++)
		filter_remove(attach->hook, &sites[i]);
	return err;
}

/* First in order is priority 1; another classifier than bpf there, either way, keeps us from it. */
static int filters_create(const struct attach *attach, const struct hook_program *sites,
			  size_t count, size_t *failed)
{
	struct fr_hook_record *hook = attach->hook;
	unsigned priority, handle;
	int err = -EINVAL;

	if (sscanf(hook->pin, "tc-%u-%x", &priority, &handle) != 2)
		return -EINVAL;
	for (; err == -EINVAL && priority <= CLSACT_PRIORITIES; priority++) {
		snprintf(hook->pin, sizeof(hook->pin), "tc-%u-%x", priority, handle);
		err = filters_store(attach, sites, count, failed);
	}
	return err;
}

/* ---------------------------------------------------------------- attaching */

/* What to attach instead of the cgroup that somebody holds: the one above it, where a program below
 * does not matter. */
static const char *holder_hint(struct arena *arena, const char *path)
{
	const char *above = strrchr(path, '/');

	return arena_printf(arena,
			    "systemd's IPAddressDeny= and IPAddressAllow= attach like this: remove "
			    "them, or attach a cgroup above it, %.*s or higher: what is held below "
			    "does not matter there",
			    (int)(above - path), path);
}

/* A program attached the old, exclusive way, here or above, keeps every link out: name it. */
static int refused_cgroup(const struct attach *attach, const struct hook_program *site, int err,
			  struct diags *d)
{
	char *path = arena_strdup(d->arena, attach->path);
	bool here = true;

	for (char *slash = path + strlen(path); slash && slash != path; here = false) {
		CLEANUP(close_fd) int fd = -1;
		struct hook_query query = {0};

		*slash = 0;
		slash = strrchr(path, '/');
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 || hook_query((uint32_t)fd, site->attach_type, &query) || !query.count)
			continue;
		if (query.attach_flags & ATTACH_ALLOW_MULTI || (query.attach_flags && !here))
			continue;
		return diag_error(d, NO_LOC, -EBUSY, "foreign-program", holder_hint(d->arena, path),
				  "cannot attach to cgroup %s: %s holds %s of cgroup %s for itself",
				  attach->hook->name, program_words(d->arena, query.programs[0]),
				  site->text, path);
	}
	return diag_error(d, NO_LOC, err, "attach", NULL, "cannot attach %s to cgroup %s: %s",
			  site->text, attach->hook->name, error_text(err));
}

static int site_link(const struct attach *attach, const struct hook_program *site, int program)
{
	CLEANUP(close_fd) int cgroup = -1;
	int fd;

	if (attach->hook->how == HOW_TCX)
		return tcx_link_create(program, attach->hook->ifindex, site->attach_type);
	if (attach->hook->how == HOW_NETNS)
		return netns_link_create(program);
	cgroup = open(attach->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroup < 0)
		return -errno;
	fd = bpf_link_create(program, cgroup, (enum bpf_attach_type)site->attach_type, NULL);
	return fd < 0 ? -errno : fd;
}

static const char without_tcx[] =
	"this host tells what is on TCX and refuses a link of ours; apply --no-tcx attaches by "
	"filters of clsact instead";

static int site_refused(const struct attach *attach, const struct hook_program *site, int err,
			struct diags *d)
{
	if (err == -EPERM && attach->hook->how == HOW_CGROUP)
		return refused_cgroup(attach, site, err, d);
	return diag_error(
		d, NO_LOC, err, "attach", attach->hook->how == HOW_TCX ? without_tcx : NULL,
		"cannot attach %s to %s: %s", site->text, attach->hook->name, error_text(err));
}

static int site_attach(const struct attach *attach, const struct hook_program *site,
		       struct diags *d)
{
	CLEANUP(close_fd) int program = program_open(attach->pins, attach->variant, site->program);
	CLEANUP(close_fd) int link = program < 0 ? program : site_link(attach, site, program);
	char name[96];
	int err = link;

	if (link >= 0) {
		link_name(attach->hook, site, name);
		err = pin_store(link, attach->dir, name);
	}
	if (!err || site->optional)
		return 0;
	return site_refused(attach, site, err, d);
}

int hook_attach(const struct attach *attach, struct diags *d)
{
	struct hook_program sites[SITES_MAX];
	size_t count = hook_sites(attach->hook, sites), failed = 0;
	int err = 0;

	if (attach->hook->how == HOW_CLSACT) {
		err = filters_create(attach, sites, count, &failed);
		return err ? site_refused(attach, &sites[failed], err, d) : 0;
	}
	for (size_t i = 0; i < count && !err; i++)
		err = site_attach(attach, &sites[i], d);
	return err;
}

void hook_complete(const struct attach *attach)
{
	struct diags ignored = {0};
	struct hook_program sites[SITES_MAX];
	size_t count = hook_sites(attach->hook, sites);

	for (size_t i = 0; i < count; i++) {
		uint32_t program;

		if (sites[i].optional &&
		    !site_program(attach->dir, attach->hook, &sites[i], &program) && !program)
			site_attach(attach, &sites[i], &ignored);
	}
}

/* ---------------------------------------------------------------- what is there */

/* The link that is pinned for a site; all 0 when none is. */
static int link_find(const char *dir, const struct fr_hook_record *hook,
		     const struct hook_program *site, struct link_target *out)
{
	CLEANUP(close_fd) int fd = -1;
	char name[96];

	link_name(hook, site, name);
	fd = pin_open(dir, name);
	if (fd >= 0)
		return link_target(fd, out);
	*out = (struct link_target){0};
	return fd == -ENOENT ? 0 : fd;
}

int site_program(const char *dir, const struct fr_hook_record *hook,
		 const struct hook_program *site, uint32_t *out)
{
	struct link_target target;
	int err;

	if (hook->how == HOW_CLSACT)
		return filter_program(hook, site, out);
	err = link_find(dir, hook, site, &target);
	if (!err)
		*out = target.prog_id;
	return err;
}

static bool target_is(const struct fr_hook_record *hook, const struct link_target *target)
{
	if (hook->how == HOW_NETNS)
		return target->netns == hook->netns;
	return hook->kind == FR_KIND_CGROUP ? target->cgroup == hook->cgroup
					    : target->ifindex == hook->ifindex;
}

static int site_alive(const char *dir, const struct fr_hook_record *hook,
		      const struct hook_program *site, bool *out)
{
	struct link_target target;
	uint32_t program;
	int err;

	if (hook->how == HOW_CLSACT) {
		err = filter_program(hook, site, &program);
		*out = !err && program;
		return err;
	}
	err = link_find(dir, hook, site, &target);
	*out = !err && target.prog_id && target_is(hook, &target);
	return err;
}

int hook_alive_sites(const char *dir, const struct fr_hook_record *hook, size_t *out)
{
	struct hook_program sites[SITES_MAX];
	size_t count = hook_sites(hook, sites);
	int back = -1, err = hook->how == HOW_CLSACT ? netns_enter(hook->netns, &back) : 0;

	*out = 0;
	if (err)
		return err == -ESRCH ? 0 : err;
	for (size_t i = 0; i < count && !err; i++) {
		bool alive = false;

		if (!sites[i].optional)
			err = site_alive(dir, hook, &sites[i], &alive);
		*out += alive;
	}
	netns_leave(&back);
	return err;
}

int hook_alive(const char *dir, const struct fr_hook_record *hook, bool *out)
{
	struct hook_program sites[SITES_MAX];
	size_t count = hook_sites(hook, sites), wanted = 0, alive;
	int err = hook_alive_sites(dir, hook, &alive);

	for (size_t i = 0; i < count; i++)
		wanted += !sites[i].optional;
	*out = alive == wanted;
	return err;
}

/* ---------------------------------------------------------------- other programs */

/* An open program of the first variant there is; -EALREADY when `id` is of any of them, -ENOENT
 * when there is none. */
static int program_choose(const char *pins, const char *variants, const struct hook_program *site,
			  uint32_t id)
{
	CLEANUP(close_fd) int chosen = -1;

	for (; *variants; variants++) {
		CLEANUP(close_fd) int fd = program_open(pins, *variants, site->program);
		uint32_t its_id;
		int err = fd < 0 ? fd : fd_program_id(fd, &its_id);

		if (err && err != -ENOENT)
			return err;
		if (!err && its_id == id)
			return -EALREADY;
		if (!err && chosen < 0)
			chosen = TAKE_FD(fd);
	}
	return chosen < 0 ? -ENOENT : TAKE_FD(chosen);
}

/* Detached at once, because a last close may be later; a kernel that cannot leaves it to that. */
int link_remove(const char *dir, const char *name)
{
	CLEANUP(close_fd) int fd = pin_open(dir, name);

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (bpf_link_detach(fd) && errno != EOPNOTSUPP && errno != EINVAL)
		return -errno;
	return pin_remove(dir, name);
}

static int site_point(const char *dir, const struct fr_hook_record *hook,
		      const struct hook_program *site, int link, int program)
{
	char name[96];

	if (hook->how == HOW_CLSACT)
		return filter_store(hook, site, program, true);
	if (program >= 0)
		return bpf_link_update(link, program, NULL) ? -errno : 0;
	link_name(hook, site, name);
	return link_remove(dir, name);
}

static int site_repoint(const char *dir, const char *pins, const char *variants,
			const struct fr_hook_record *hook, const struct hook_program *site)
{
	CLEANUP(close_fd) int link = -1;
	CLEANUP(close_fd) int program = -1;
	struct link_target target = {0};
	char name[96];
	int err;

	if (hook->how == HOW_CLSACT) {
		err = filter_program(hook, site, &target.prog_id);
		if (err || !target.prog_id)
			return err;
	} else {
		link_name(hook, site, name);
		link = pin_open(dir, name);
		err = link < 0 ? link : link_target(link, &target);
		/* Not there; or its device or cgroup is gone: nothing passes there. */
		if (err || !(target.ifindex || target.cgroup || target.netns))
			return err == -ENOENT ? 0 : err;
	}
	program = program_choose(pins, variants, site, target.prog_id);
	if (program == -EALREADY)
		return 0;
	if (program < 0 && (program != -ENOENT || !site->optional))
		return program;
	return site_point(dir, hook, site, link, program);
}

int hook_programs_pinned(const char *pins, const char *variants, const struct fr_hook_record *hook)
{
	struct hook_program sites[SITES_MAX];
	size_t count = hook_sites(hook, sites);

	for (size_t i = 0; i < count; i++) {
		CLEANUP(close_fd) int fd = program_choose(pins, variants, &sites[i], 0);

		if (fd < 0 && (fd != -ENOENT || !sites[i].optional))
			return fd;
	}
	return 0;
}

int hook_point(const char *dir, const char *pins, const char *variants,
	       const struct fr_hook_record *hook, struct diags *d)
{
	struct hook_program sites[SITES_MAX];
	size_t count = hook_sites(hook, sites);
	int back = -1, err = 0;

	if (hook->how == HOW_CLSACT)
		err = netns_enter(hook->netns, &back);
	if (err == -ESRCH)
		return 0;
	for (size_t i = 0; i < count && !err; i++)
		err = site_repoint(dir, pins, variants, hook, &sites[i]);
	netns_leave(&back);
	if (err)
		return diag_error(d, NO_LOC, err, "attach", NULL,
				  "cannot put other programs at %s: %s", hook->name,
				  error_text(err));
	return 0;
}

/* ---------------------------------------------------------------- removing */

static int site_detach(const char *dir, const struct fr_hook_record *hook,
		       const struct hook_program *site)
{
	char name[96];

	if (hook->how == HOW_CLSACT)
		return filter_remove(hook, site);
	link_name(hook, site, name);
	return link_remove(dir, name);
}

int hook_detach(const char *dir, const struct fr_hook_record *hook, struct diags *d)
{
	struct hook_program sites[SITES_MAX];
	size_t count = hook_sites(hook, sites);
	int back = -1, err = 0;

	if (hook->how == HOW_CLSACT)
		err = netns_enter(hook->netns, &back);
	if (err == -ESRCH) {
		diag_warning(
			d, NO_LOC, "namespace", NULL,
			"the network namespace of %s is not to be found: its clsact filters end, or "
			"have ended, with it",
			hook->name);
		return 0;
	}
	if (err)
		return diag_error(
			d, NO_LOC, err, "namespace",
			"run it in that network namespace, or with CAP_SYS_ADMIN",
			"the clsact filters of %s are in another network namespace, which cannot "
			"be entered: %s",
			hook->name, error_text(err));
	for (size_t i = 0; i < count && !err; i++)
		err = site_detach(dir, hook, &sites[i]);
	netns_leave(&back);
	if (err)
		return diag_error(d, NO_LOC, err, "attach", NULL, "cannot detach from %s: %s",
				  hook->name, error_text(err));
	return 0;
}
