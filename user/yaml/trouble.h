/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A text that libyaml does not read on in, and what the explanations of it have in common: lines,
 * keys and values as they are written. Internal to the explanations.
 */
#ifndef YAML_TROUBLE_H
#define YAML_TROUBLE_H

#include <string.h>

#include "yaml.h"
#include "syntax.h"

struct broken_text {
	struct arena *arena;
	const struct source *source;
	const struct event_error *error;
	const char *text;
	size_t at; /* where libyaml stopped */
	struct syntax_fault *out;
};

/* True, for the callers to return. */
bool trouble_fault(const struct broken_text *t, size_t at, size_t size, const char *message,
		   const char *hint);
/* The text between two places without blanks at its end. */
const char *trouble_cut(const struct broken_text *t, size_t begin, size_t end);
/* Does libyaml say this of what it met, or of what it was reading? */
bool trouble_with(const struct broken_text *t, const char *words);
bool trouble_in(const struct broken_text *t, const char *words);
/* Where what it was reading begins. */
size_t trouble_context(const struct broken_text *t);
/* The text where it is YAML, else NULL; and "write 'TEXT'". */
const char *trouble_yaml(const char *text);
const char *trouble_write(const struct broken_text *t, const char *text);

size_t source_line(const struct source *source, size_t at);
size_t source_line_end(const struct source *source, size_t at);
/* The last line before this one that says something; SIZE_MAX: none. */
size_t source_line_above(const struct source *source, size_t at);
/* Behind blanks, and behind the dashes of items. */
size_t source_content(const struct source *source, size_t at);
/* The last sign that is no blank before a place in its line; '\n': none. */
char source_sign_before(const struct source *source, size_t at);
size_t key_size(const char *text);
bool key_is_known(const char *word);
/* As far as a value goes: to what ends one in brackets, or to the end of the line. */
const char *source_value(struct arena *arena, const struct source *source, size_t at);
/* A text in quotes that do not end within it. */
const char *text_in_quotes(struct arena *arena, const char *text);
/* What to write for the value that begins here and cannot be one: it in quotes; or what was meant,
 * where that is known. */
const char *source_quotes_hint(struct arena *arena, const struct source *source, size_t at);
const char *source_value_hint(struct arena *arena, const struct source *source, size_t at);

/* What may be wrong with brackets and quotes, and with `key: value`. */
bool brackets_explain(const struct broken_text *t);
bool quotes_explain(const struct broken_text *t);

#endif
