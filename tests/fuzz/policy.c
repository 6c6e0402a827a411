// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes as a policy or a table: never a crash, a leak or a refusal without a word. Build with
 *   clang -g -O1 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined tests/fuzz/policy.c
 *         user/base/[a-z]*.c user/net/[a-z]*.c user/policy/[a-z]*.c -lyaml -ljansson
 * and run from the top of the tree with policies/examples and policies/tables as the first corpus.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../user/policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
	if (!held)
		abort();
}

static void ask(const struct ruleset *rs)
{
	struct tuple tuple = {.dir = FR_EGRESS, .proto = PROTO_TCP, .port = 443};
	struct decision decision;
	const char *why;

	tuple.peer = addr_from_v4(0x0a000001);
	ruleset_decide(rs, &tuple, &decision);
	require(ruleset_rule_name(rs, decision.rule));
	if (ruleset_nearest(rs, &tuple, &why))
		require(why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct policy_options options = {.tables_dir = "policies/tables"};
	int fd CLEANUP(close_fd) = memfd_create("policy", MFD_CLOEXEC);
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct diags d = {.arena = arena};
	struct table_summary summary;
	struct ruleset *rs = NULL;
	char path[32];
	int err;

	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = policy_load(path, &options, &d, &rs);
	require((err == 0) == (d.errors == 0) && (err == 0) == (rs != NULL));
	if (rs)
		ask(rs);
	d.errors = 0;
	err = table_load(path, &options, &d, &summary);
	require((err == 0) == (d.errors == 0));
	return 0;
}
