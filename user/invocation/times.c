/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Times of the command line: of --confirm and extend, and of --until.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "invocation.h"

#define SECOND UINT64_C(1000000000)
enum { CONFIRM_LONGEST = 24 * 3600 };

int confirm_parse(struct context *c, const char *text, uint64_t *out)
{
	uint32_t seconds;

	if (parse_duration(text, &seconds) || !seconds || seconds > CONFIRM_LONGEST)
		return usage_error(c, "60, 90s, 10m or 2h", "'%s' is not a time from 1 s to 24 h",
				   text);
	*out = seconds * SECOND;
	return 0;
}

static time_t time_of(struct tm when, bool utc)
{
	return utc ? timegm(&when) : mktime(&when);
}

/* "17:00" is the next one on the clock of this host; "…Z" is UTC. */
static bool moment_parse(const char *text, time_t now, time_t *out)
{
	static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M",
					    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%H:%M"};
	const bool utc = *text && text[strlen(text) - 1] == 'Z';

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct tm when;
		const char *rest;

		if (utc)
			gmtime_r(&now, &when);
		else
			localtime_r(&now, &when);
		when.tm_sec = 0;
		when.tm_isdst = -1;
		rest = strptime(text, forms[i], &when);
		if (!rest || !str_equal(rest, utc ? "Z" : ""))
			continue;
		*out = time_of(when, utc);
		when.tm_mday++;
		if (str_equal(forms[i], "%H:%M") && *out <= now)
			*out = time_of(when, utc);
		return true;
	}
	return false;
}

int until_parse(struct context *c, const char *text, uint64_t *out)
{
	const char *example = "2h, 17:00 or 2026-12-24T17:00:00Z";
	time_t now = time(NULL), when;
	uint32_t seconds;

	if (!parse_duration(text, &seconds) && seconds) {
		*out = real_now() + seconds * SECOND;
		return 0;
	}
	if (!moment_parse(text, now, &when))
		return usage_error(c, example, "'%s' is not a time", text);
	if (when <= now)
		return usage_error(c, example, "'%s' is not a time to come", text);
	*out = (uint64_t)when * SECOND;
	return 0;
}
