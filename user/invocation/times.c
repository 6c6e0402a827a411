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
#define UNTIL_LONGEST (INT64_C(100) * 366 * 24 * 3600) /* s */

int confirm_parse(struct context *c, const char *text, uint64_t *out)
{
	uint32_t seconds;

	if (parse_duration(text, &seconds) || !seconds || seconds > CONFIRM_LONGEST)
		return usage_error(c, "60, 90s, 10m or 2h", "'%s' is not a time from 1 s to 24 h",
				   text);
	*out = seconds * SECOND;
	return 0;
}

/* ---------------------------------------------------------------- a moment */

enum field { YEAR, MONTH, DAY, HOUR, MINUTE, SECONDS, FIELDS };
static const char letters[] = "YmdHMS"; /* a digit of each field */
static const char *const forms[] = {"YYYY-mm-ddTHH:MM:SS", "YYYY-mm-ddTHH:MM",
				    "YYYY-mm-dd HH:MM:SS", "YYYY-mm-dd HH:MM", "HH:MM"};

struct moment {
	bool utc, dated;
	int field[FIELDS];
	size_t length; /* of the text that was read */
};

/* True: the text has this form, and perhaps a "Z". Else moment->length is where it differs. */
static bool has_form(const char *text, const char *form, struct moment *out)
{
	struct moment moment = {.dated = *form == letters[YEAR]};

	for (; form[moment.length]; moment.length++) {
		const char *letter = strchr(letters, form[moment.length]);
		const char at = text[moment.length];

		if (letter ? at < '0' || at > '9' : at != form[moment.length])
			break;
		if (letter)
			moment.field[letter - letters] =
				moment.field[letter - letters] * 10 + (at - '0');
	}
	*out = moment;
	if (form[moment.length])
		return false;
	out->utc = text[moment.length] == 'Z';
	out->length += out->utc;
	return !text[out->length];
}

/* The length of the form that fits longest is where the text is wrong. */
static bool moment_read(const char *text, struct moment *out)
{
	size_t longest = 0;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (has_form(text, forms[i], out))
			return true;
		if (out->length > longest)
			longest = out->length;
	}
	out->length = longest;
	return false;
}

static time_t time_of(struct tm when, bool utc)
{
	return utc ? timegm(&when) : mktime(&when);
}

/* False: no clock shows that moment, such as a 30 February. */
static bool moment_time(const struct moment *moment, int days_on, time_t now, time_t *out)
{
	const int *field = moment->field;
	struct tm when, check;

	if (moment->utc)
		gmtime_r(&now, &when);
	else
		localtime_r(&now, &when);
	when.tm_isdst = -1;
	when.tm_hour = field[HOUR];
	when.tm_min = field[MINUTE];
	when.tm_sec = field[SECONDS];
	when.tm_mday += days_on;
	if (moment->dated) {
		when.tm_year = field[YEAR] - 1900;
		when.tm_mon = field[MONTH] - 1;
		when.tm_mday = field[DAY];
	}
	*out = time_of(when, moment->utc);
	if (moment->utc)
		gmtime_r(out, &check);
	else
		localtime_r(out, &check);
	return check.tm_hour == field[HOUR] && check.tm_min == field[MINUTE] &&
	       check.tm_sec == field[SECONDS] &&
	       (!moment->dated || (check.tm_mday == field[DAY] && check.tm_mon == when.tm_mon));
}

static int refuse_moment(struct context *c, const char *text, size_t at, const char *why)
{
	struct source *source = arena_alloc(c->arena, sizeof(*source));

	*source = (struct source){.name = "--until", .text = text, .size = strlen(text)};
	diag_error(
		&c->diags,
		(struct loc){.source = source, .line = 1, .column = (uint32_t)at + 1, .length = 1},
		-EINVAL, "usage", "2h, 17:00 or 2026-12-24T17:00:00Z", "'%s' is %s", text, why);
	return EXIT_USAGE;
}

/* "17:00" is the next one on the clock of this host; "…Z" is UTC. */
int until_parse(struct context *c, const char *text, uint64_t *out)
{
	time_t now = time(NULL), when;
	struct moment moment;
	uint32_t seconds;
	bool exists;

	if (!parse_duration(text, &seconds) && seconds) {
		*out = real_now() + seconds * SECOND;
		return 0;
	}
	if (!moment_read(text, &moment))
		return refuse_moment(c, text, moment.length, "not a time");
	exists = moment_time(&moment, 0, now, &when);
	if (exists && !moment.dated && when <= now)
		exists = moment_time(&moment, 1, now, &when);
	if (!exists)
		return refuse_moment(c, text, 0, "no moment of any calendar and clock");
	if (when <= now)
		return refuse_moment(c, text, 0, "not a time to come");
	if (when - now > UNTIL_LONGEST)
		return refuse_moment(c, text, 0, "more than 100 years from now");
	*out = (uint64_t)when * SECOND;
	return 0;
}
