/* SPDX-License-Identifier: GPL-2.0-only */
/* Dates as documents write them: 2026-11-21, alone or before a time. */
#include <string.h>
#include <time.h>

#include "base.h"

enum { DATE_LENGTH = 10, EPOCH_YEAR = 1970, DAY_SECONDS = 86400 };

static bool digits_at(const char *text, size_t count, unsigned *out)
{
	*out = 0;
	for (size_t i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*out = *out * 10 + (unsigned)(text[i] - '0');
	}
	return true;
}

static bool is_leap(unsigned year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned month_days(unsigned year, unsigned month)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year));
}

static uint64_t days_before(unsigned year, unsigned month)
{
	uint64_t days = 0;

	for (unsigned y = EPOCH_YEAR; y < year; y++)
		days += is_leap(y) ? 366 : 365;
	for (unsigned m = 1; m < month; m++)
		days += month_days(year, m);
	return days;
}

bool date_begins(const char *text, uint64_t *seconds)
{
	unsigned year, month, day;

	if (!digits_at(text, 4, &year) || text[4] != '-' || !digits_at(text + 5, 2, &month) ||
	    text[7] != '-' || !digits_at(text + 8, 2, &day))
		return false;
	if (text[DATE_LENGTH] >= '0' && text[DATE_LENGTH] <= '9')
		return false;
	if (year < EPOCH_YEAR || month < 1 || month > 12 || day < 1 ||
	    day > month_days(year, month))
		return false;
	*seconds = (days_before(year, month) + day - 1) * DAY_SECONDS;
	return true;
}

bool date_parse(const char *text, uint64_t *seconds)
{
	return date_begins(text, seconds) && !text[DATE_LENGTH];
}

char *date_text(uint64_t seconds, char out[DATE_TEXT])
{
	time_t at = seconds < UINT64_C(253402300800) ? (time_t)seconds : 0;
	struct tm tm;

	gmtime_r(&at, &tm);
	strftime(out, DATE_TEXT, "%Y-%m-%d", &tm);
	return out;
}
