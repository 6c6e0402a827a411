/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A lab for the loader's tests: two network namespaces, two veth pairs between them, a pin root of
 * its own, datagrams and connections across. Gone when the test's process ends, but for the pins:
 * lab_end.
 */
#ifndef DATAPATH_LAB_H
#define DATAPATH_LAB_H

#include "datapath_fixture.h"

struct lab {
	int here, there; /* namespaces: `here` is where policies are applied */
	char root[64];
	char cgroup[96]; /* of lab_cgroup, else empty */
	struct host_options host;
	bool careful; /* apply does not say that it may lower anything */
};

/* 10.9.<pair>.1 on va<pair> here, 10.9.<pair>.2 on vb<pair> there; pairs 0 and 1. */
void lab_begin(struct lab *lab);
void lab_end(struct lab *lab);
/* LAB_SUITE(suite, statement): each test of the suite begins with a `lab` of its own, then with
 * that statement, if there is one. */
#define LAB_SUITE(suite, ...)                                                                      \
	static struct lab lab;                                                                     \
                                                                                                   \
	static void suite##_begin(void)                                                            \
	{                                                                                          \
		need_root();                                                                       \
		lab_begin(&lab);                                                                   \
		__VA_ARGS__;                                                                       \
	}                                                                                          \
                                                                                                   \
	static void suite##_end(void)                                                              \
	{                                                                                          \
		if (lab.root[0])                                                                   \
			lab_end(&lab);                                                             \
	}                                                                                          \
                                                                                                   \
	TestSuite(suite, .init = suite##_begin, .fini = suite##_end)
/* A cgroup of the lab's own, and this process in it. */
void lab_cgroup(struct lab *lab);
/* Did one UDP datagram get across? Out: from here to there. */
bool lab_udp_out(const struct lab *lab, int pair, uint16_t port);
bool lab_udp_in(const struct lab *lab, int pair, uint16_t port);
/* Did a TCP connection out of here get established? */
bool lab_tcp_out(const struct lab *lab, int pair, uint16_t port);

/* Apply `plan` to the hooks in `points` ("interface va0", "guest va1", "cgroup /x"), NULL at its
 * end. */
int lab_apply(const struct lab *lab, const struct image_spec *plan, const char *const *points,
	      struct apply_result *result, char messages[512]);
/* The same, and it must succeed. */
struct apply_result lab_applied(const struct lab *lab, const struct image_spec *plan,
				const char *const *points);
void lab_detached(const struct lab *lab);
/* Sum of a rule's counter, as a reader sees it. */
struct fr_counters lab_counters(const struct lab *lab, const char *policy, const char *rule,
				uint8_t dir);
bool lab_has_tcx(void);
/* Programs on TCX of va<pair> here and their links; where there is no TCX, filters of clsact. */
unsigned lab_programs(int pair, bool egress, uint32_t links[16]);
unsigned lab_pins(const char *dir); /* entries of a directory, 0 when there is none */

#endif
