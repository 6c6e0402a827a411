/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * String helpers: equality, names, the nearest word for a "did you mean", numbers and durations.
 * Bytes, not characters; no locale.
 */
#include <errno.h>
#include <string.h>

#include "../../bpf/abi.h"
#include "base.h"

enum { WORD_MAX = 64 };

bool str_equal(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	return strcmp(a, b) == 0;
}

bool str_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool name_is_kebab(const char *text)
{
	bool after_word = false;
	size_t i;

	for (i = 0; text[i]; i++) {
		if (text[i] == '-' && after_word)
			after_word = false;
		else if (is_digit(text[i]) || (text[i] >= 'a' && text[i] <= 'z'))
			after_word = true;
		else
			return false;
	}
	return after_word && i < FR_NAME_MAX;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Edit distance with neighbours swapped counted once; both shorter than WORD_MAX. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[3][WORD_MAX + 1], a_len = strlen(a), b_len = strlen(b);

	for (size_t j = 0; j <= b_len; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t change = last[j - 1] + (a[i - 1] != b[j - 1]);

			now[j] = min3(last[j] + 1, now[j - 1] + 1, change);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
	}
	return row[a_len % 3][b_len];
}

const char *nearest_word(const char *word, const char *const *candidates, size_t count)
{
	size_t length = strlen(word), limit, best;
	const char *nearest = NULL;

	if (length == 0 || length >= WORD_MAX)
		return NULL;
	limit = length < 3 ? 1 : (length + 2) / 3;
	best = (limit < 4 ? limit : 4) + 1;
	for (size_t i = 0; i < count; i++) {
		size_t other = strlen(candidates[i]), distance;

		if (other >= WORD_MAX || other > length + best || length > other + best)
			continue;
		distance = edit_distance(word, candidates[i]);
		/* Words without a common letter are not similar, however short they are. */
		if (distance < best && distance < (length > other ? length : other)) {
			best = distance;
			nearest = candidates[i];
		}
	}
	return nearest;
}

int parse_u64(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;
	const char *at;

	if (!*text)
		return -EINVAL;
	for (at = text; *at; at++)
		if (!is_digit(*at))
			return -EINVAL;
	for (at = text; *at; at++) {
		uint64_t digit = (uint64_t)(*at - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return -ERANGE;
		value = value * 10 + digit;
	}
	if (value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

static uint64_t unit_seconds(char unit)
{
	switch (unit) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 86400;
	default:
		return 0;
	}
}

int parse_duration(const char *text, uint32_t *seconds)
{
	const uint64_t ten_years = 3650ull * 86400;
	size_t length = strlen(text);
	uint64_t number, unit = 1;
	char digits[24];
	int err;

	if (length == 0 || length >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, length + 1);
	if (!is_digit(text[length - 1])) {
		unit = unit_seconds(text[length - 1]);
		digits[length - 1] = '\0';
	}
	if (!unit)
		return -EINVAL;
	err = parse_u64(digits, ten_years, &number);
	if (err)
		return err;
	if (number > ten_years / unit)
		return -ERANGE;
	*seconds = (uint32_t)(number * unit);
	return 0;
}
