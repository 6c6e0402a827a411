/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text as people read it: bytes made safe for a terminal, aligned cells, colours, figures and
 * times. Knows nothing of what it prints.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "print.h"

/* Length of the well-formed UTF-8 sequence at `s` and its code point, or 0. */
static size_t utf8_decode(const uint8_t *s, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length = 0;

	if (s[0] < 0x80)
		length = 1;
	else if (s[0] >> 5 == 6)
		length = 2;
	else if (s[0] >> 4 == 14)
		length = 3;
	else if (s[0] >> 3 == 30)
		length = 4;

	if (!length)
		return 0;
	*code = length == 1 ? s[0] : s[0] & (0x7f >> length);
	for (size_t i = 1; i < length; i++) {
		if (s[i] >> 6 != 2)
			return 0;
		*code = *code << 6 | (s[i] & 0x3f);
	}
	if (*code < least[length] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000))
		return 0;
	return length;
}

/* Characters that move the cursor, hide or reorder what a reader sees. */
static bool code_is_safe(uint32_t code)
{
	if (code < 0x20 || (code >= 0x7f && code < 0xa0))
		return false;
	if (code >= 0x200b && code <= 0x200f)
		return false;
	if ((code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f))
		return false;
	return code != 0xfeff;
}

char *text_clean(const char *text, char *out, size_t size)
{
	const uint8_t *s = (const uint8_t *)(text ? text : "");
	size_t used = 0;

	while (*s) {
		uint32_t code = 0;
		size_t length = utf8_decode(s, &code);
		bool safe = length && code_is_safe(code);
		size_t take = safe ? length : 1;

		if (used + take >= size)
			break;
		if (safe)
			memcpy(out + used, s, length);
		else
			out[used] = '?';
		used += take;
		s += length ? length : 1;
	}
	out[used] = '\0';
	return out;
}

size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

void put_clean(FILE *out, const char *text)
{
	char clean[4096];

	fputs(text_clean(text, clean, sizeof(clean)), out);
}

const char *colour_on(bool on, enum colour colour)
{
	static const char *const codes[] = {
		[COLOUR_NONE] = "",	    [COLOUR_GOOD] = "\033[32m", [COLOUR_BAD] = "\033[31m",
		[COLOUR_WARN] = "\033[33m", [COLOUR_DIM] = "\033[2m",	[COLOUR_BOLD] = "\033[1m",
	};

	return on ? codes[colour] : "";
}

const char *colour_off(bool on, enum colour colour)
{
	return on && colour != COLOUR_NONE ? "\033[0m" : "";
}

enum colour colour_of_verdict(const char *verdict)
{
	if (str_equal(verdict, "pass"))
		return COLOUR_GOOD;
	return str_equal(verdict, "drop") ? COLOUR_BAD : COLOUR_WARN;
}

static void table_put(struct table *table, enum colour colour, const char *clean)
{
	const struct column *column = &table->columns[table->at];
	size_t width = text_width(clean);
	int pad = width < column->width ? (int)(column->width - width) : 0;
	bool last = ++table->at == table->count;

	fprintf(table->out, "%*s%s%s%s", column->right ? pad : 0, "",
		colour_on(table->colour, colour), clean, colour_off(table->colour, colour));
	if (last)
		fputc('\n', table->out);
	else
		fprintf(table->out, "%*s", (column->right ? 0 : pad) + 2, "");
	if (last)
		table->at = 0;
}

void table_head(struct table *table)
{
	for (size_t i = 0; i < table->count; i++)
		table_put(table, COLOUR_BOLD, table->columns[i].title);
}

void table_cell(struct table *table, enum colour colour, const char *text)
{
	char clean[CLEAN_TEXT];

	text_clean(text && *text ? text : "-", clean, sizeof(clean));
	table_put(table, colour, clean);
}

char *count_text(uint64_t count, char *out)
{
	static const char units[] = "kMGTPE";
	double value = count;
	int unit = -1;

	while (value >= (unit < 0 ? 99999.5 : 999.95) && unit < 5) {
		value /= 1000;
		unit++;
	}
	if (unit < 0)
		snprintf(out, FIGURE_TEXT, "%" PRIu64, count);
	else
		snprintf(out, FIGURE_TEXT, "%.1f%c", value, units[unit]);
	return out;
}

char *bytes_text(uint64_t bytes, char *out)
{
	static const char units[] = "kMGTPE";
	double value = bytes;
	int unit = -1;

	while (value >= 999.95 && unit < 5) {
		value /= 1000;
		unit++;
	}
	if (unit < 0)
		snprintf(out, FIGURE_TEXT, "%" PRIu64 " B", bytes);
	else
		snprintf(out, FIGURE_TEXT, "%.1f %cB", value, units[unit]);
	return out;
}

char *age_text(uint64_t then_ns, uint64_t now_ns, char *out)
{
	uint64_t seconds = then_ns < now_ns ? (now_ns - then_ns) / 1000000000 : 0;

	if (!then_ns)
		snprintf(out, FIGURE_TEXT, "-");
	else if (seconds < 60)
		snprintf(out, FIGURE_TEXT, "%" PRIu64 "s", seconds);
	else if (seconds < 3600)
		snprintf(out, FIGURE_TEXT, "%" PRIu64 "m%02" PRIu64 "s", seconds / 60,
			 seconds % 60);
	else if (seconds < 86400)
		snprintf(out, FIGURE_TEXT, "%" PRIu64 "h%02" PRIu64 "m", seconds / 3600,
			 seconds / 60 % 60);
	else
		snprintf(out, FIGURE_TEXT, "%" PRIu64 "d%02" PRIu64 "h", seconds / 86400,
			 seconds / 3600 % 24);
	return out;
}

char *time_text(uint64_t realtime_ns, char *out)
{
	time_t seconds = realtime_ns / 1000000000;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	snprintf(out, TIME_TEXT, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ",
		 (tm.tm_year + 1900) % 10000u, tm.tm_mon + 1u, tm.tm_mday + 0u, tm.tm_hour + 0u,
		 tm.tm_min + 0u, tm.tm_sec + 0u, (unsigned)(realtime_ns / 1000 % 1000000));
	return out;
}

uint64_t time_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}
