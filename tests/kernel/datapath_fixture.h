/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Images by hand for the tests of the loader: every peer is one row, every protocol one column but
 * for a single TCP port. Other tests cover the compiler's images of real policies.
 */
#ifndef DATAPATH_FIXTURE_H
#define DATAPATH_FIXTURE_H

#include <criterion/criterion.h>

#include "../../user/datapath/datapath.h"

struct image_spec {
	const char *policy;
	bool enforce;
	bool allow[FR_DIRS];	/* the default */
	uint16_t tcp_port;	/* allowed both ways by the rules `port` */
	const char *const *ids; /* more rules, in both directions; they match nothing */
	size_t id_count;
	uint32_t pad_lines; /* to reach a larger size class */
};

struct fixture {
	struct arena *arena;
	struct diags diags;
	struct ruleset ruleset;
	struct image image;
};

/* A fixture with the ruleset and image of `plan`; owned by the arena. */
void fixture_make(const struct image_spec *plan, struct fixture *out);
void fixture_free(struct fixture *fixture);
/* All messages, one line each, for assertion messages. */
const char *fixture_messages(const struct fixture *fixture);
/* Skips the test, loudly, when the caller is not root. */
void need_root(void);
/* From here on bpf(command, …) fails with that error, in this process and its children. */
enum { EVERY_COMMAND = -1 };
void refuse_bpf(int command, int error);

#endif
