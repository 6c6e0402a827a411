/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A policy's switches: default, builtin, forwarded, ipsec, non-ip, adopt, timeouts; and its
 * attach points. Omitted keys get the documented default.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "resolved.h"

/* ---------------------------------------------------------------- attach */

/* An alternative name of a device can be that long, its own name 15. */
enum { INTERFACE_NAME_MAX = 127, CGROUP_NAME_MAX = 191 };

static bool is_pattern(const char *name)
{
	return strpbrk(name, "*?[");
}

static bool interface_check(struct job *job, const struct node *node, const char *name)
{
	if (str_equal(name, "lo")) {
		diag_error(job->d, node->loc, -EINVAL, "attach-lo", "leave it out",
			   "'lo' is never attached: loopback traffic is always allowed");
		return false;
	}
	if (!*name || strpbrk(name, "/ \t:") || str_equal(name, ".") || str_equal(name, "..") ||
	    strlen(name) > (is_pattern(name) ? CGROUP_NAME_MAX : INTERFACE_NAME_MAX)) {
		diag_error(job->d, node->loc, -EINVAL, "bad-attach",
			   "at most 127 characters, without '/', ':' and blanks",
			   "'%.80s' cannot be the name of an interface", name);
		return false;
	}
	return true;
}

static bool cgroup_check(struct job *job, const struct node *node, const char *name)
{
	const char *hint = "the path below the cgroup2 mount, like /system.slice/ssh.service";

	if (name[0] == '/' && strlen(name) <= CGROUP_NAME_MAX && !strstr(name, "/../"))
		return true;
	if (str_starts(name, "sys/fs/cgroup"))
		hint = "leave out the mount point";
	diag_error(job->d, node->loc, -EINVAL, "bad-attach", hint,
		   "cgroup '%.80s' must be a path that begins with '/', at most %d characters",
		   name, CGROUP_NAME_MAX);
	return false;
}

static bool attached_twice(struct job *job, const struct ruleset *rs, uint8_t kind,
			   const struct node *node)
{
	for (size_t i = 0; i < rs->attach_count; i++) {
		const struct attach_point *point = &rs->attach[i];
		bool same_place = (point->kind == FR_KIND_CGROUP) == (kind == FR_KIND_CGROUP);

		if (!same_place || !str_equal(point->name, node->text))
			continue;
		diag_error(job->d, node->loc, -EINVAL, "duplicate-attach", NULL,
			   "'%s' is already attached in line %u", node->text, point->loc.line);
		return true;
	}
	return false;
}

/* The next name of a path, and the rest of it; false at its end. */
static bool path_step(const char **path, size_t *length)
{
	const char *name = *path + strspn(*path, "/");

	*path = name;
	*length = strcspn(name, "/");
	return *length > 0;
}

/* Is every cgroup that matches `inner` below one that matches `outer`, judging by the paths
 * alone? */
static bool is_below(const char *inner, const char *outer)
{
	char pattern[CGROUP_NAME_MAX + 1], name[CGROUP_NAME_MAX + 1];
	size_t in, out;

	while (path_step(&outer, &out)) {
		if (!path_step(&inner, &in))
			return false;
		snprintf(pattern, sizeof(pattern), "%.*s", (int)out, outer);
		snprintf(name, sizeof(name), "%.*s", (int)in, inner);
		if (!str_equal(pattern, name) &&
		    (is_pattern(name) || fnmatch(pattern, name, FNM_PERIOD)))
			return false;
		outer += out;
		inner += in;
	}
	return path_step(&inner, &in);
}

/* A packet would be judged and counted twice. */
static bool attached_nested(struct job *job, const struct ruleset *rs, const struct node *node)
{
	for (size_t i = 0; i < rs->attach_count; i++) {
		const struct attach_point *point = &rs->attach[i];
		const char *inner = node->text, *outer = point->name;

		if (point->kind != FR_KIND_CGROUP)
			continue;
		if (!is_below(inner, outer)) {
			inner = point->name;
			outer = node->text;
		}
		if (!is_below(inner, outer))
			continue;
		diag_error(job->d, node->loc, -EINVAL, "nested-cgroups", "leave out the inner one",
			   "cgroup '%s' is below '%s', and both are attached (line %u)", inner,
			   outer, point->loc.line);
		return true;
	}
	return false;
}

static void point_parse(struct job *job, const struct node *node, uint8_t kind, struct ruleset *rs)
{
	const char *name = want_text(job->d, node, "an attach point");

	if (!name)
		return;
	if (kind == FR_KIND_CGROUP ? !cgroup_check(job, node, name)
				   : !interface_check(job, node, name))
		return;
	if (attached_twice(job, rs, kind, node) || rs->attach_count >= FR_HOOKS_MAX)
		return;
	if (kind == FR_KIND_CGROUP && attached_nested(job, rs, node))
		return;
	rs->attach[rs->attach_count++] =
		(struct attach_point){.kind = kind, .name = name, .loc = node->loc};
}

static size_t points_count(const struct node *node)
{
	const struct node *list, *point;
	size_t count = 0;

	for (int kind = 0; kind < FR_KINDS; kind++) {
		list = map_get(node, kind_keys[kind]);
		if (!list)
			continue;
		for_items(point, list) count++;
	}
	return count;
}

void attach_parse(struct job *job, const struct node *node, struct draft *draft)
{
	const char *keys[FR_KINDS + 1];
	const struct node *list, *point;
	size_t count, number = 0;

	for (int kind = 0; kind < FR_KINDS; kind++)
		keys[kind] = kind_keys[kind];
	keys[FR_KINDS] = "party";
	if (!want_keys(job->d, node, "'attach'", keys, ARRAY_SIZE(keys)))
		return;
	count = points_count(node);
	if (count == 0)
		diag_error(job->d, node->loc, -EINVAL, "no-attach",
			   "attach: {interfaces: [eth0]}, guests or cgroups",
			   "'attach' names no attach point");
	draft->rs->attach = arena_alloc(job->arena, FR_HOOKS_MAX * sizeof(*draft->rs->attach));
	for (int kind = 0; kind < FR_KINDS; kind++) {
		list = map_get(node, kind_keys[kind]);
		if (!list || !want_items(job->d, list, "attach points"))
			continue;
		for_items(point, list)
		{
			if (number++ == FR_HOOKS_MAX)
				diag_error(job->d, point->loc, -E2BIG, "too-many-attach",
					   "use a pattern", "%zu attach points; %d is the most",
					   count, FR_HOOKS_MAX);
			point_parse(job, point, (uint8_t)kind, draft->rs);
		}
	}
}

/* ---------------------------------------------------------------- switches */

static const char *const judge_words[] = {"pass", "judge"};

static void default_parse(struct job *job, const struct node *node, struct ruleset *rs)
{
	if (!want_keys(job->d, node, "'default'", dir_names, FR_DIRS))
		return;
	for (int dir = 0; dir < FR_DIRS; dir++) {
		const struct node *value = map_get(node, dir_names[dir]);

		if (value)
			rs->default_allow[dir] =
				want_word(job->d, value, dir ? "'ingress'" : "'egress'",
					  action_names, 2) == 1;
	}
}

const char *const builtin_words[BUILTIN_COUNT] = {"loopback", "nd", "mld", "dhcp", "icmp-error"};
const uint32_t builtin_flags[BUILTIN_COUNT] = {FR_F_LOOPBACK, FR_F_NEIGHBOUR, FR_F_MULTICAST,
					       FR_F_DHCP, FR_F_ICMP_ERROR};

static void builtin_parse(struct job *job, const struct node *node, struct ruleset *rs)
{
	if (!want_keys(job->d, node, "'builtin'", builtin_words, BUILTIN_COUNT))
		return;
	for (size_t i = 0; i < BUILTIN_COUNT; i++) {
		const struct node *value = map_get(node, builtin_words[i]);
		const char *what = arena_printf(job->arena, "'%s'", builtin_words[i]);
		bool on = true;

		if (value && want_bool(job->d, value, what, &on) && !on)
			rs->flags &= ~builtin_flags[i];
	}
}

static void judge_parse(struct job *job, const struct node *root, const char *key, uint32_t flag,
			struct ruleset *rs)
{
	const struct node *node = map_get(root, key);

	const char *what = arena_printf(job->arena, "'%s'", key);

	if (node && want_word(job->d, node, what, judge_words, ARRAY_SIZE(judge_words)) == 1)
		rs->flags |= flag;
}

static void non_ip_parse(struct job *job, const struct node *node, struct ruleset *rs)
{
	const uint32_t both = FR_F_NONIP_DENY_IF | FR_F_NONIP_DENY_GUEST;
	int word = want_word(job->d, node, "'non-ip'", action_names, 2);

	if (word == 0)
		rs->flags |= both;
	else if (word == 1)
		rs->flags &= ~both;
}

const char *const timeout_words[TIMEOUT_COUNT] = {
	"tcp-opening", "tcp-established", "tcp-closing", "udp-oneway", "udp", "icmp", "event"};
const enum fr_timeout timeout_numbers[TIMEOUT_COUNT] = {
	FR_TIMEOUT_TCP_OPENING, FR_TIMEOUT_TCP_ESTABLISHED,
	FR_TIMEOUT_TCP_CLOSING, FR_TIMEOUT_UDP_ONEWAY,
	FR_TIMEOUT_UDP,		FR_TIMEOUT_ICMP,
	FR_TIMEOUT_EVENT};

static void timeouts_parse(struct job *job, const struct node *node, struct ruleset *rs)
{
	if (!want_keys(job->d, node, "'timeouts'", timeout_words, TIMEOUT_COUNT))
		return;
	for (size_t i = 0; i < TIMEOUT_COUNT; i++) {
		const struct node *value = map_get(node, timeout_words[i]);

		if (value)
			duration_parse(job, value, 1, &rs->timeout[timeout_numbers[i]]);
	}
}

static void defaults_set(struct ruleset *rs)
{
	rs->flags = FR_F_LOOPBACK | FR_F_NEIGHBOUR | FR_F_MULTICAST | FR_F_DHCP | FR_F_ICMP_ERROR |
		    FR_F_NONIP_DENY_GUEST;
	rs->timeout[FR_TIMEOUT_TCP_OPENING] = 60;
	rs->timeout[FR_TIMEOUT_TCP_ESTABLISHED] = 5 * 86400;
	rs->timeout[FR_TIMEOUT_TCP_CLOSING] = 120;
	rs->timeout[FR_TIMEOUT_UDP_ONEWAY] = 30;
	rs->timeout[FR_TIMEOUT_UDP] = 120;
	rs->timeout[FR_TIMEOUT_ICMP] = 30;
	rs->timeout[FR_TIMEOUT_ADOPT] = 300;
	rs->timeout[FR_TIMEOUT_EVENT] = 5;
}

void options_parse(struct job *job, const struct node *root, struct draft *draft)
{
	struct ruleset *rs = draft->rs;
	const struct node *node;

	defaults_set(rs);
	node = map_get(root, "default");
	if (node)
		default_parse(job, node, rs);
	node = map_get(root, "builtin");
	if (node)
		builtin_parse(job, node, rs);
	judge_parse(job, root, "forwarded", FR_F_FORWARD_JUDGE, rs);
	judge_parse(job, root, "ipsec", FR_F_IPSEC_JUDGE, rs);
	node = map_get(root, "non-ip");
	if (node)
		non_ip_parse(job, node, rs);
	node = map_get(root, "adopt");
	if (node)
		duration_parse(job, node, 0, &rs->timeout[FR_TIMEOUT_ADOPT]);
	node = map_get(root, "timeouts");
	if (node)
		timeouts_parse(job, node, rs);
}
