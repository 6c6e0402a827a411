/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Explains texts that are not YAML, or not documents of flowreeve: the mistake in the words of a
 * policy author, and the text to write instead.
 */
#ifndef YAML_SYNTAX_H
#define YAML_SYNTAX_H

#include "events.h"

struct syntax_fault {
	struct loc loc;
	const char *check, *message, *hint; /* hint may be NULL */
};

/* Bytes before a place, and the place of a byte. Columns are characters. */
size_t source_offset(const struct source *source, uint32_t line, uint32_t column);
struct loc source_place(const struct source *source, size_t offset, size_t size);

/* Why libyaml does not read on. */
struct syntax_fault syntax_explain(struct arena *arena, const struct source *source,
				   const struct event_error *error);
/* A value that begins with a sign that YAML takes for itself: *, &, !, @, %, `. Without a place. */
struct syntax_fault sign_explain(struct arena *arena, const struct source *source, size_t at);
/* A list or a map where a key belongs: {{ name }}, [::1]:80. */
struct syntax_fault key_explain(struct arena *arena, const struct source *source, size_t at);
/* Rules of another program, a script, another format: false when it looks like none of them. */
bool foreign_explain(struct arena *arena, const struct source *source, struct syntax_fault *out);

#endif
