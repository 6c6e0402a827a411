/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Versions as vendors write them, and conditions over them: "10.1.0 CU10", bounds `from` and
 * `before`, one for each release track where a vendor names two. Internal to tables/.
 */
#ifndef TABLES_VERSION_H
#define TABLES_VERSION_H

#include "../yaml/yaml.h"

/* MAJOR.MINOR[.PATCH] and a cumulative update. Patch 0 is a main release, which alone has updates;
 * any other patch is a feature release. */
struct version {
	uint32_t part[3];
	uint32_t update;
};

/* Ends of a range: none, one for all versions, or one for each track: [0] main, [1] feature. */
struct version_bound {
	struct version at[2];
	size_t count;
};

struct version_range {
	struct version_bound from;   /* included */
	struct version_bound before; /* not included */
};

/* "10.3.6", "10.1", "10.1.0 CU10", "10.3.0 [CU3]". False: it is no version; nothing is reported. */
bool version_parse(const char *text, struct version *out);
int version_compare(const struct version *a, const struct version *b);

/* `{from: …, before: …}` of a `when`. False after errors. */
bool version_range_parse(struct diags *d, const struct node *node, struct version_range *out);
/* `version` NULL: the newest there is. */
bool version_within(const struct version_range *range, const struct version *version);

/* The one sentence on a text that is no version. */
void version_refuse(struct diags *d, const struct node *node, const char *what, const char *text);

#endif
