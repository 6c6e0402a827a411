/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Versions and ranges of them. Two bounds are for two release tracks ("prior to 10.1.0 CU10 and
 * 10.2.1"): each version is compared with the bound of its own track, because a feature release is
 * no part of the main release before it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "version.h"

static const char *number_parse(const char *text, uint32_t *out)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 6)
		return NULL;
	*out = (uint32_t)strtoul(text, NULL, 10);
	return text + digits;
}

/* " CU10", " [CU3]", or nothing. */
static bool update_parse(const char *text, uint32_t *out)
{
	bool bracket;

	if (!*text)
		return true;
	if (*text++ != ' ')
		return false;
	bracket = *text == '[';
	text += bracket;
	if (!str_starts(text, "CU"))
		return false;
	text = number_parse(text + strlen("CU"), out);
	return text && (bracket ? str_equal(text, "]") : !*text);
}

bool version_parse(const char *text, struct version *out)
{
	struct version version = {.update = 0};

	for (size_t i = 0; i < ARRAY_SIZE(version.part); i++) {
		if (i && *text++ != '.')
			return false;
		text = number_parse(text, &version.part[i]);
		if (!text)
			return false;
		if (i == 1 && *text != '.')
			break;
	}
	if (!update_parse(text, &version.update) || (version.update && version.part[2]))
		return false;
	*out = version;
	return true;
}

static int compare(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

int version_compare(const struct version *a, const struct version *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(a->part); i++)
		if (a->part[i] != b->part[i])
			return compare(a->part[i], b->part[i]);
	return compare(a->update, b->update);
}

void version_refuse(struct diags *d, const struct node *node, const char *what, const char *text)
{
	diag_error(
		d, node->loc, -EINVAL, "bad-version",
		"like 10.3.6, or 10.1.0 CU10: only a main release, whose third number is 0, has updates",
		"%s: '%.80s' is not a version", what, text);
}

static size_t track(const struct version *version)
{
	return version->part[2] != 0;
}

static bool version_item(struct diags *d, const struct node *node, struct version *out)
{
	const char *text = want_text(d, node, "a version");

	if (text && !version_parse(text, out)) {
		version_refuse(d, node, "'when'", text);
		return false;
	}
	return text;
}

static bool bound_parse(struct diags *d, const struct node *node, struct version_bound *out)
{
	const struct node *item;
	struct version version;
	bool taken[2] = {false};

	if (!want_items(d, node, "a bound of versions"))
		return false;
	for_items(item, node)
	{
		if (!version_item(d, item, &version))
			return false;
		if (taken[track(&version)]) {
			diag_error(
				d, item->loc, -EINVAL, "bad-condition",
				"one bound, or two: a main release (10.4.0) and a feature release (10.3.6)",
				"there is a bound for this release track already");
			return false;
		}
		taken[track(&version)] = true;
		out->at[track(&version)] = version;
		out->count++;
	}
	if (out->count == 1 && taken[1])
		out->at[0] = out->at[1];
	if (out->count == 0)
		diag_error(d, node->loc, -EINVAL, "bad-condition", NULL, "the version is missing");
	return out->count;
}

static const struct version *bound_for(const struct version_bound *bound, size_t track)
{
	return &bound->at[bound->count == 2 ? track : 0];
}

/* Some version lies between: of one track at least. */
static bool range_holds(const struct version_range *range)
{
	if (!range->from.count || !range->before.count)
		return true;
	for (size_t i = 0; i < 2; i++)
		if (version_compare(bound_for(&range->from, i), bound_for(&range->before, i)) < 0)
			return true;
	return false;
}

bool version_range_parse(struct diags *d, const struct node *node, struct version_range *out)
{
	static const char *const keys[] = {"from", "before"};
	struct version_range range = {.from.count = 0};
	const struct node *from, *before;

	if (node->kind != NODE_MAP) {
		diag_error(d, node->loc, -EINVAL, "bad-condition",
			   "{from: 10.1.3}, {before: 10.0.8}, or both",
			   "compare versions by their bounds");
		return false;
	}
	if (!want_keys(d, node, "a range of versions", keys, ARRAY_SIZE(keys)))
		return false;
	from = map_get(node, "from");
	before = map_get(node, "before");
	if ((from && !bound_parse(d, from, &range.from)) ||
	    (before && !bound_parse(d, before, &range.before)))
		return false;
	if ((!from && !before) || !range_holds(&range)) {
		diag_error(d, node->loc, -EINVAL, "bad-condition",
			   "'from' is part of the range, 'before' is not",
			   "no version lies in this range");
		return false;
	}
	*out = range;
	return true;
}

bool version_within(const struct version_range *range, const struct version *version)
{
	if (!version)
		return !range->before.count;
	if (range->from.count &&
	    version_compare(version, bound_for(&range->from, track(version))) < 0)
		return false;
	return !range->before.count ||
	       version_compare(version, bound_for(&range->before, track(version))) < 0;
}
