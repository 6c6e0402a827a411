/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Times: 90, 30s, 5m, 2h, 5d. Other spellings are recognized only for the hint.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "draft.h"

enum { TEN_YEARS = 3650 * 86400 };

/* Of which `name` is the beginning, or the plural; so the longer ones go before. */
static const struct {
	const char *name;
	double seconds;
} units[] = {
	{"milliseconds", 0.001},
	{"msecs", 0.001},
	{"ms", 0.001},
	{"seconds", 1},
	{"secs", 1},
	{"s", 1},
	{"minutes", 60},
	{"mins", 60},
	{"mn", 60},
	{"m", 60},
	{"hours", 3600},
	{"hrs", 3600},
	{"h", 3600},
	{"days", 86400},
	{"d", 86400},
	{"weeks", 604800},
	{"wks", 604800},
	{"w", 604800},
	{"months", 2592000},
	{"years", 31536000},
	{"yrs", 31536000},
	{"y", 31536000},
};

static double unit_of(const char *word, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		size_t length = strlen(units[i].name);

		if (!strncasecmp(word, units[i].name, size) &&
		    (size == length || (size + 1 == length && size > 1)))
			return units[i].seconds;
	}
	return 0;
}

static const char *number_read(const char *text, double *out)
{
	double scale = 1;

	for (*out = 0; isdigit((unsigned char)*text); text++)
		*out = *out * 10 + (*text - '0');
	if ((*text == '.' || *text == ',') && isdigit((unsigned char)text[1]))
		for (text++; isdigit((unsigned char)*text); text++)
			*out += (*text - '0') * (scale /= 10);
	return text;
}

/* "5 minutes", "1h30m", "1.5h", "PT5M"; false when it is something else. */
static bool units_read(const char *text, double *out)
{
	const char *begin = text += !strncasecmp(text, "pt", 2) ? 2 : 0;

	for (*out = 0; *text;) {
		double number;
		size_t size;

		if (!isdigit((unsigned char)*text))
			return false;
		text = number_read(text, &number);
		text += strspn(text, " ");
		for (size = 0; isalpha((unsigned char)text[size]); size++)
			;
		if (size && !unit_of(text, size))
			return false;
		*out += number * (size ? unit_of(text, size) : 1);
		text += size;
		text += strspn(text, " ");
	}
	return text > begin;
}

/* "00:05:00", "5:00". */
static bool clock_read(const char *text, double *out)
{
	unsigned count = 0;

	for (*out = 0; isdigit((unsigned char)*text); count++) {
		double number;

		text = number_read(text, &number);
		*out = *out * 60 + number;
		if (*text == ':')
			text++;
	}
	return !*text && (count == 2 || count == 3);
}

static const char *duration_text(struct arena *arena, double seconds)
{
	uint32_t whole = 1;

	if (seconds >= 1)
		whole = seconds > TEN_YEARS ? TEN_YEARS : (uint32_t)seconds;
	if (whole % 86400 == 0)
		return arena_printf(arena, "%ud", whole / 86400);
	if (whole % 3600 == 0)
		return arena_printf(arena, "%uh", whole / 3600);
	if (whole % 60 == 0)
		return arena_printf(arena, "%um", whole / 60);
	return arena_printf(arena, "%us", whole);
}

static bool says_never(const char *text)
{
	static const char *const words[] = {"never", "off", "no", "none", "false", "disabled"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcasecmp(text, words[i]))
			return true;
	return false;
}

static void refuse_duration(struct job *job, const struct node *node, uint32_t least)
{
	const char *text = node->text + strspn(node->text, " "), *message = NULL, *hint;
	double seconds = 0;
	bool known = units_read(text, &seconds) || clock_read(text, &seconds);

	if (*text == '-')
		message = "it is negative";
	else if (known && seconds > TEN_YEARS)
		message = "it is longer than 3650d";
	else if (known && seconds < 1 && (least || seconds > 0))
		message = "it is shorter than 1s";
	else
		message = "a time is a number and one of s, m, h, d";
	if (known && (least || seconds > 0))
		hint = arena_printf(job->arena, "write '%s'", duration_text(job->arena, seconds));
	else if (!least && (known || says_never(text)))
		hint = "write '0s'";
	else
		hint = arena_printf(job->arena, "30s, 5m, 2h or 5d, from %us to 3650d", least);
	diag_error(job->d, node->loc, -EINVAL, "bad-duration", hint, "'%.80s' is not a time: %s",
		   node->text, message);
}

void duration_parse(struct job *job, const struct node *node, uint32_t least, uint32_t *out)
{
	const char *text = want_text(job->d, node, "a time");
	uint32_t seconds;

	if (!text)
		return;
	if (parse_duration(text, &seconds) || seconds < least)
		refuse_duration(job, node, least);
	else
		*out = seconds;
}
