/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A text at which libyaml stopped, and functions that its explanations share: lines, keys and
 * values as written. Internal to the explanations.
 */
#ifndef YAML_BROKEN_TEXT_H
#define YAML_BROKEN_TEXT_H

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
bool broken_fault(const struct broken_text *t, size_t at, size_t size, const char *message,
		  const char *hint);
/* The text between two places without blanks at its end. */
const char *broken_cut(const struct broken_text *t, size_t begin, size_t end);
/* Does libyaml report this of the token, or of its context? */
bool broken_with(const struct broken_text *t, const char *words);
bool broken_in(const struct broken_text *t, const char *words);
/* The begin of that context. */
size_t broken_context(const struct broken_text *t);
/* The text where it is YAML, else NULL; and "write 'TEXT'". */
const char *broken_yaml(const char *text);
const char *broken_write(const struct broken_text *t, const char *text);

size_t source_line(const struct source *source, size_t at);
size_t source_line_end(const struct source *source, size_t at);
/* The last line before this one with content; SIZE_MAX: none. */
size_t source_line_above(const struct source *source, size_t at);
/* Behind blanks, and behind the dashes of items. */
size_t source_content(const struct source *source, size_t at);
/* The last sign that is no blank before a place in its line; '\n': none. */
char source_sign_before(const struct source *source, size_t at);
size_t key_size(const char *text);
bool key_is_known(const char *word);
/* The value that begins here: up to the bracket that ends it, or the end of the line. */
const char *source_value(struct arena *arena, const struct source *source, size_t at);
/* A text in quotes that do not end within it. */
const char *text_in_quotes(struct arena *arena, const char *text);
/* A correction of the value that begins here: the value in quotes; or, where it is known, the
 * intended one. */
const char *source_quotes_hint(struct arena *arena, const struct source *source, size_t at);
const char *source_value_hint(struct arena *arena, const struct source *source, size_t at);

/* Explanations of brackets, of quotes and of `key: value`. */
bool brackets_explain(const struct broken_text *t);
bool quotes_explain(const struct broken_text *t);

#endif
