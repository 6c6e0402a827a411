/* SPDX-License-Identifier: GPL-2.0-only */
/* A parser of one line, for its errors: a place, the fault, and the expected sign. */
#include "json_line.h"

#include <errno.h>
#include <string.h>

enum { DEPTH_MOST = 32, PATH_TEXT = 64 };

static size_t characters(const char *from, const char *to)
{
	size_t count = 0;

	for (; from < to; from++)
		count += ((uint8_t)*from & 0xc0) != 0x80;
	return count;
}

struct loc json_line_loc(const struct json_line *line, const char *at, size_t length)
{
	return (struct loc){.source = line->source,
			    .line = line->number,
			    .column = (uint32_t)characters(line->start, at) + 1,
			    .length = (uint32_t)characters(at, at + length)};
}

/* The line as a whole, or the sign at which it is wrong. */
static bool refuse(struct json_line *line, const char *expected)
{
	char found[] = "'?'";

	if (line->at >= line->end) {
		diag_error(line->d, json_line_loc(line, line->end, 0), -EINVAL, "event-malformed",
			   "monitor was ended while it wrote this line: remove the line",
			   "the line ends where %s should follow", expected);
		return false;
	}
	if (*line->at >= ' ' && *line->at <= '~')
		found[1] = *line->at;
	diag_error(line->d, json_line_loc(line, line->at, 1), -EINVAL, "event-malformed",
		   "one JSON object a line, as monitor --json writes it", "%s where %s should be",
		   found, expected);
	return false;
}

static void skip_blanks(struct json_line *line)
{
	while (line->at < line->end && strchr(" \t\r", *line->at) && *line->at)
		line->at++;
}

static bool expect(struct json_line *line, char sign, const char *expected)
{
	skip_blanks(line);
	if (line->at >= line->end || *line->at != sign)
		return refuse(line, expected);
	line->at++;
	return true;
}

/* ---------------------------------------------------------------- texts */

static bool read_code(struct json_line *line, uint32_t *out)
{
	*out = 0;
	for (int i = 0; i < 4; i++, line->at++) {
		static const char digits[] = "0123456789abcdef";
		const char *digit;
		char sign = line->at < line->end ? *line->at : '\0';

		if (sign >= 'A' && sign <= 'F')
			sign += 'a' - 'A';
		digit = sign ? strchr(digits, sign) : NULL;
		if (!digit)
			return refuse(line, "a hexadecimal digit");
		*out = *out << 4 | (uint32_t)(digit - digits);
	}
	return true;
}

static char *code_append(char *out, uint32_t code)
{
	if (!code || (code >= 0xd800 && code < 0xe000))
		code = 0xfffd;
	if (code < 0x80) {
		*out++ = (char)code;
		return out;
	}
	if (code < 0x800) {
		*out++ = (char)(0xc0 | code >> 6);
	} else if (code < 0x10000) {
		*out++ = (char)(0xe0 | code >> 12);
		*out++ = (char)(0x80 | (code >> 6 & 63));
	} else {
		*out++ = (char)(0xf0 | code >> 18);
		*out++ = (char)(0x80 | (code >> 12 & 63));
		*out++ = (char)(0x80 | (code >> 6 & 63));
	}
	*out++ = (char)(0x80 | (code & 63));
	return out;
}

/* Behind the backslash. */
static bool read_escape(struct json_line *line, char **out)
{
	static const char signs[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	char sign = line->at < line->end ? *line->at : '\0';
	const char *known = sign ? strchr(signs, sign) : NULL;
	uint32_t code, low;

	if (known) {
		*(*out)++ = meant[known - signs];
		line->at++;
		return true;
	}
	if (sign != 'u')
		return refuse(line, "an escape of JSON, such as \\n,");
	line->at++;
	if (!read_code(line, &code))
		return false;
	if (code >= 0xd800 && code < 0xdc00 && line->end - line->at > 6 && line->at[0] == '\\' &&
	    line->at[1] == 'u') {
		line->at += 2;
		if (!read_code(line, &low))
			return false;
		code = low >= 0xdc00 && low < 0xe000
			       ? 0x10000 + ((code - 0xd800) << 10 | (low - 0xdc00))
			       : 0xfffd;
	}
	*out = code_append(*out, code);
	return true;
}

/* Behind its quote. The text is no longer than what stands for it. */
static bool read_text(struct json_line *line, const char **text)
{
	const char *close = line->at;
	char *out;

	while (close < line->end && *close != '"')
		close += *close == '\\' && close + 1 < line->end ? 2 : 1;
	*text = out = arena_bytes(line->arena, (size_t)(close - line->at) + 1);
	while (line->at < line->end && *line->at != '"') {
		if ((uint8_t)*line->at < ' ')
			return refuse(line, "a sign that can be printed");
		if (*line->at != '\\')
			*out++ = *line->at++;
		else if (line->at++, !read_escape(line, &out))
			return false;
	}
	*out = '\0';
	return expect(line, '"', "the quote that ends the text");
}

/* ---------------------------------------------------------------- values */

static bool read_value(struct json_line *line, const char *path, unsigned depth);

static size_t digits(struct json_line *line)
{
	const char *first = line->at;

	while (line->at < line->end && *line->at >= '0' && *line->at <= '9')
		line->at++;
	return (size_t)(line->at - first);
}

static bool read_number(struct json_line *line, struct line_value *value)
{
	const char *first = line->at;
	bool whole = *line->at != '-';

	value->kind = VALUE_OTHER;
	line->at += !whole;
	if (!digits(line))
		return refuse(line, "a digit");
	if (line->at < line->end && *line->at == '.') {
		whole = false;
		line->at++;
		if (!digits(line))
			return refuse(line, "a digit");
	}
	if (line->at < line->end && (*line->at == 'e' || *line->at == 'E')) {
		whole = false;
		line->at++;
		line->at += line->at < line->end && (*line->at == '+' || *line->at == '-');
		if (!digits(line))
			return refuse(line, "a digit");
	}
	if (whole && !parse_u64(arena_strndup(line->arena, first, (size_t)(line->at - first)),
				INT64_MAX, &value->number))
		value->kind = VALUE_NUMBER;
	return true;
}

static bool read_word(struct json_line *line, struct line_value *value)
{
	static const char *const words[] = {"null", "true", "false"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t length = strlen(words[i]);

		if ((size_t)(line->end - line->at) < length ||
		    memcmp(line->at, words[i], length) != 0)
			continue;
		line->at += length;
		value->kind = i ? VALUE_OTHER : VALUE_NULL;
		return true;
	}
	return refuse(line, "a value");
}

static bool read_member(struct json_line *line, const char *path, unsigned depth)
{
	char whole[PATH_TEXT] = "";
	const char *key;

	if (!expect(line, '"', "a key in quotes") || !read_text(line, &key) ||
	    !expect(line, ':', "':'"))
		return false;
	if (path && strlen(path) + strlen(key) + 2 < sizeof(whole))
		stpcpy(stpcpy(stpcpy(whole, path), *path ? "." : ""), key);
	return read_value(line, *whole ? whole : NULL, depth);
}

/* A list or an object, behind its first sign. No path: nothing in it is wanted. */
static bool read_items(struct json_line *line, char end, const char *path, unsigned depth)
{
	const char *expected = end == ']' ? "',' or ']'" : "',' or '}'";

	skip_blanks(line);
	if (line->at < line->end && *line->at == end) {
		line->at++;
		return true;
	}
	for (;;) {
		if (end == ']' ? !read_value(line, NULL, depth + 1)
			       : !read_member(line, path, depth + 1))
			return false;
		skip_blanks(line);
		if (line->at < line->end && *line->at == end) {
			line->at++;
			return true;
		}
		if (!expect(line, ',', expected))
			return false;
	}
}

static bool read_any(struct json_line *line, const char *path, unsigned depth,
		     struct line_value *value)
{
	value->kind = VALUE_OTHER;
	if (line->at >= line->end || depth > DEPTH_MOST)
		return refuse(line, depth > DEPTH_MOST ? "less depth" : "a value");
	switch (*line->at) {
	case '{':
		line->at++;
		return read_items(line, '}', path, depth);
	case '[':
		line->at++;
		return read_items(line, ']', NULL, depth);
	case '"':
		line->at++;
		value->kind = VALUE_TEXT;
		return read_text(line, &value->text);
	case '-':
	case '0' ... '9':
		return read_number(line, value);
	default:
		return read_word(line, value);
	}
}

static bool keep(struct json_line *line, const char *path, const struct line_value *value)
{
	for (size_t i = 0; path && i < line->count; i++) {
		if (!str_equal(line->paths[i], path))
			continue;
		if (line->values[i].kind != VALUE_ABSENT) {
			diag_error(line->d, value->loc, -EINVAL, "event-malformed",
				   "one JSON object a line, as monitor --json writes it",
				   "'%s' is given twice", path);
			return false;
		}
		line->values[i] = *value;
	}
	return true;
}

static bool read_value(struct json_line *line, const char *path, unsigned depth)
{
	struct line_value value = {0};
	const char *first;

	skip_blanks(line);
	first = line->at;
	if (!read_any(line, path, depth, &value))
		return false;
	value.loc = json_line_loc(line, first, (size_t)(line->at - first));
	return keep(line, path, &value);
}

bool json_line_read(struct json_line *line)
{
	memset(line->values, 0, line->count * sizeof(*line->values));
	line->at = line->start;
	if (!expect(line, '{', "'{'") || !read_items(line, '}', "", 0))
		return false;
	skip_blanks(line);
	return line->at == line->end || refuse(line, "the end of the line");
}
