/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hosts that lack something: hidden from the process by a mount namespace or refused by a filter of
 * system calls. What is loaded there, and what the doctor says of it.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>

#include "datapath_fixture.h"

/* In a mount namespace of this test's own process. */
static void hide(const char *dir)
{
	cr_assert_eq(unshare(CLONE_NEWNS), 0, "%s", strerror(errno));
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	cr_assert_eq(mount("none", dir, "tmpfs", 0, NULL), 0, "%s", strerror(errno));
}

/* lesson: half of what users report of eBPF firewalls is that nothing loads on their kernel, for
 * the sake of a detail that they never asked for. */
Test(datapath_probe, programs_load_where_the_kernel_has_no_btf)
{
	struct arena *arena = arena_new();
	struct diags d = {.arena = arena};
	struct bench *bench = NULL;
	int err;

	need_root();
	hide("/sys/kernel/btf");
	err = bench_open(&d, &bench);
	cr_assert_eq(err, 0, "%s", d.count ? d.list[0].message : "no word");
	bench_close(bench);
	arena_free(arena);
}
