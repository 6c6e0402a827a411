/* SPDX-License-Identifier: GPL-2.0-only */
/* Detach, where a pin root is shared with somebody else or is none at all. */
#include "datapath_lab.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int detach(const char *root, const char *policy, size_t *count)
{
	struct host_options host = {.pin_root = root};
	struct diags d = {.arena = arena_new()};
	int err = datapath_detach(&host, policy, &d, count);

	arena_free(d.arena);
	return err;
}

Test(datapath_foreign, detach_leaves_pins_of_others, .init = need_root)
{
	char dir[96], epoch[112], pin[128];
	struct lab lab;
	size_t count = 9;
	int map;

	lab_begin(&lab);
	snprintf(dir, sizeof(dir), "%s/web", lab.root);
	snprintf(epoch, sizeof(epoch), "%s/e1", dir);
	snprintf(pin, sizeof(pin), "%s/precious", epoch);
	mkdir(lab.root, 0700);
	cr_assert(!mkdir(dir, 0700) && !mkdir(epoch, 0700), "%m");
	map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "precious", 4, 4, 1, NULL);
	cr_assert_eq(bpf_obj_pin(map, pin), 0, "%m");
	cr_expect_eq(detach(lab.root, NULL, &count), 0);
	cr_expect_eq(count, 0);
	cr_expect_eq(detach(lab.root, "web", &count), -ENOENT);
	cr_expect_eq(access(pin, F_OK), 0, "somebody else's pin is gone");
	unlink(pin);
	rmdir(epoch);
	rmdir(dir);
	close(map);
	lab_end(&lab);
}

Test(datapath_foreign, detach_touches_no_ordinary_directory, .init = need_root)
{
	char root[] = "/tmp/fr-foreign-XXXXXX", inside[64];
	size_t count;

	cr_assert(mkdtemp(root));
	snprintf(inside, sizeof(inside), "%s/aaa", root);
	cr_assert_eq(mkdir(inside, 0700), 0);
	cr_expect_eq(detach(root, NULL, &count), -ENOTSUP);
	cr_expect_eq(access(inside, F_OK), 0, "an ordinary directory is gone");
	rmdir(inside);
	rmdir(root);
}
