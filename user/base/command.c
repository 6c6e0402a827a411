/* SPDX-License-Identifier: GPL-2.0-only */
/* Commands of flowreeve as text that can be pasted into a shell. */
#include <string.h>

#include "base.h"

static bool is_plain(const char *word)
{
	return *word &&
	       strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			    "_@%+=:,./-") == strlen(word);
}

static bool is_control(char byte)
{
	return (unsigned char)byte < ' ' || byte == 0x7f;
}

static bool has_control(const char *word)
{
	while (*word && !is_control(*word))
		word++;
	return *word;
}

/* $'it\'s\033', in bytes that a terminal shows as they are. */
static const char *escaped(struct arena *arena, const char *word)
{
	char *text = arena_alloc(arena, 4 * strlen(word) + sizeof("$''")), *at = text;

	at += sprintf(at, "$'");
	for (; *word; word++) {
		if (is_control(*word))
			at += sprintf(at, "\\%03o", (unsigned)(unsigned char)*word);
		else
			at += sprintf(at, strchr("'\\", *word) ? "\\%c" : "%c", *word);
	}
	sprintf(at, "'");
	return text;
}

/* 'it'\''s' */
const char *shell_word(struct arena *arena, const char *word)
{
	const char *quoted = "", *quote;

	if (is_plain(word))
		return word;
	if (has_control(word))
		return escaped(arena, word);
	for (; (quote = strchr(word, '\'')); word = quote + 1)
		quoted = arena_printf(arena, "%s%.*s'\\''", quoted, (int)(quote - word), word);
	return arena_printf(arena, "'%s%s'", quoted, word);
}

static const char *add_option(struct arena *arena, const char *text, const char *option,
			      const char *value)
{
	return value ? arena_printf(arena, "%s %s %s", text, option, shell_word(arena, value))
		     : text;
}

const char *command_text(struct arena *arena, const struct command_line *line)
{
	const char *text = arena_printf(arena, "flowreeve %s", line->verb);

	text = add_option(arena, text, "--mode", line->mode);
	if (line->allow_removal)
		text = arena_printf(arena, "%s --allow-removal", text);
	if (!str_equal(line->pin_root, PIN_ROOT_DEFAULT))
		text = add_option(arena, text, "--pin-root", line->pin_root);
	for (size_t i = 0; i < line->more_count; i++)
		text = arena_printf(arena, "%s %s", text, shell_word(arena, line->more[i]));
	if (!line->operand)
		return text;
	/* An operand is no option, even if it begins with '-'; "-" alone never is one. */
	return arena_printf(arena, "%s %s%s", text,
			    *line->operand == '-' && line->operand[1] ? "-- " : "",
			    shell_word(arena, line->operand));
}
