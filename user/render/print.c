/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text as people read it: bytes made safe for a terminal, colours, figures and times. Independent
 * of the content.
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
	if (code == 0x61c || (code >= 0x200b && code <= 0x200f))
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
		uint32_t code = *s;
		size_t length = code < 0x80 ? 1 : utf8_decode(s, &code);
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

/* The bytes of the first characters of a line, escape sequences, which take no room, between them.
 */
static size_t bytes_of_room(const char *line, size_t length, size_t room)
{
	size_t at = 0;

	for (size_t used = 0; at < length; at++) {
		if (line[at] == '\033')
			while (at < length && line[at] != 'm')
				at++;
		else if ((line[at] & 0xc0) != 0x80 && ++used > room)
			break;
	}
	return at < length ? at : length;
}

/* The first piece of a line that fits, up to the blank before the next one. */
static size_t piece_length(const char *line, size_t length, size_t room)
{
	size_t most = bytes_of_room(line, length, room), end = most;

	while (most < length && end && line[end] != ' ')
		end--;
	while (end && line[end - 1] == ' ')
		end--;
	return end ? end : most;
}

/* "  | a command", which is to be copied. */
static bool is_command(const char *line)
{
	return str_starts(line + strspn(line, " "), "| ");
}

/* What follows is indented as the values of "  key       value" are, or by one step. */
static void print_line(const struct render *r, const char *line, size_t length)
{
	enum { STEP = 2, VALUES = 12, LEAST = 20 };
	size_t indent = str_starts(line, "  ") ? VALUES : STEP, taken = 0;
	size_t room = is_command(line) ? SIZE_MAX : r->width;

	for (; length; room = r->width > indent + LEAST ? r->width - indent : LEAST) {
		if (taken)
			fprintf(r->out, "%*s", (int)indent, "");
		taken = piece_length(line, length, room);
		fprintf(r->out, "%.*s\n", (int)taken, line);
		while (taken < length && line[taken] == ' ')
			taken++;
		line += taken;
		length -= taken;
	}
}

void print_sentence(const struct render *r, const char *text)
{
	if (r->width && !r->wide)
		print_line(r, text, strlen(text));
	else
		fprintf(r->out, "%s\n", text);
}

void print_folded(const struct render *r, folded_print print, const void *context)
{
	CLEANUP(free_ptr) char *text = NULL;
	struct render inner = *r;
	size_t size;
	char *line, *end;

	inner.out = r->width && !r->wide ? open_memstream(&text, &size) : NULL;
	if (!inner.out) {
		print(r, context);
		return;
	}
	print(&inner, context);
	if (fclose(inner.out)) { /* not all of it is in memory */
		print(r, context);
		return;
	}
	for (line = text; (end = strchr(line, '\n')); line = end + 1) {
		if (end == line)
			fputc('\n', r->out);
		print_line(r, line, (size_t)(end - line));
	}
}

void print_clean(FILE *out, const char *text)
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

void out_end(struct out_line *line)
{
	fwrite(line->text, 1, line->used, line->out);
	line->used = 0;
}

void out_append(struct out_line *line, const char *text, size_t length)
{
	if (length > sizeof(line->text) - line->used)
		out_end(line);
	memcpy(line->text + line->used, text, length);
	line->used += length;
}

char *number_append(char *at, uint64_t number)
{
	char digits[20];
	size_t count = 0;

	do
		digits[count++] = (char)('0' + number % 10);
	while (number /= 10);
	while (count)
		*at++ = digits[--count];
	*at = '\0';
	return at;
}

/* Padded with zeroes. */
static char *digits_append(char *at, unsigned number, int count)
{
	for (int i = count; i--; number /= 10)
		at[i] = (char)('0' + number % 10);
	at[count] = '\0';
	return at + count;
}

/* In the least unit of which there are fewer than a thousand, with a digit behind the point. */
static char *scaled_append(char *at, uint64_t value, const char *between)
{
	static const char units[] = "kMGTPE";
	uint64_t tenth = 100, tenths;
	int unit = 0;

	for (;; unit++, tenth *= 1000) {
		tenths = value / tenth + (value % tenth >= tenth / 2);
		if (tenths < 10000 || unit == 5)
			break;
	}
	at = number_append(at, tenths / 10);
	*at++ = '.';
	*at++ = (char)('0' + tenths % 10);
	at = stpcpy(at, between);
	*at++ = units[unit];
	*at = '\0';
	return at;
}

char *count_text(uint64_t count, char *out)
{
	if (count < 100000)
		number_append(out, count);
	else
		scaled_append(out, count, "");
	return out;
}

char *bytes_text(uint64_t bytes, char *out)
{
	if (bytes < 1000)
		strcpy(number_append(out, bytes), " B");
	else
		strcpy(scaled_append(out, bytes, " "), "B");
	return out;
}

/* The larger unit, and of the smaller one two digits. */
static void age_append(char *out, uint64_t seconds, unsigned large, unsigned small,
		       const char *signs)
{
	char *at = number_append(out, seconds / large);

	*at++ = signs[0];
	at = digits_append(at, (unsigned)(seconds % large) / small, 2);
	*at++ = signs[1];
	*at = '\0';
}

char *age_text(uint64_t then_ns, uint64_t now_ns, char *out)
{
	uint64_t seconds = then_ns < now_ns ? (now_ns - then_ns) / 1000000000 : 0;

	if (!then_ns)
		strcpy(out, "-");
	else if (seconds < 60)
		strcpy(number_append(out, seconds), "s");
	else if (seconds < 3600)
		age_append(out, seconds, 60, 1, "ms");
	else if (seconds < 86400)
		age_append(out, seconds, 3600, 60, "hm");
	else
		age_append(out, seconds, 86400, 3600, "dh");
	return out;
}

char *time_text(uint64_t realtime_ns, char *out)
{
	time_t seconds = realtime_ns / 1000000000;
	char *at = out;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	at = digits_append(at, (tm.tm_year + 1900) % 10000u, 4);
	*at++ = '-';
	at = digits_append(at, tm.tm_mon + 1u, 2);
	*at++ = '-';
	at = digits_append(at, tm.tm_mday + 0u, 2);
	*at++ = 'T';
	at = digits_append(at, tm.tm_hour + 0u, 2);
	*at++ = ':';
	at = digits_append(at, tm.tm_min + 0u, 2);
	*at++ = ':';
	at = digits_append(at, tm.tm_sec + 0u, 2);
	*at++ = '.';
	at = digits_append(at, (unsigned)(realtime_ns / 1000 % 1000000), 6);
	strcpy(at, "Z");
	return out;
}

uint64_t time_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}
