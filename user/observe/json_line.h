/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One JSON object of a line, read for some of its values, each with its place. All other values are
 * checked and left out.
 */
#ifndef JSON_LINE_H
#define JSON_LINE_H

#include "../base/base.h"

enum line_kind { VALUE_ABSENT, VALUE_NULL, VALUE_TEXT, VALUE_NUMBER, VALUE_OTHER };

struct line_value {
	enum line_kind kind;
	const char *text; /* in the arena */
	uint64_t number;  /* whole, and not negative */
	struct loc loc;
};

struct json_line {
	struct diags *d;
	struct arena *arena; /* of the texts */
	const struct source *source;
	uint32_t number;	  /* of the line */
	const char *start, *end;  /* of the line */
	const char *const *paths; /* of the values that are wanted: "peer.address" */
	struct line_value *values;
	size_t count;
	const char *at; /* while it is read */
};

/* False after an error. `values` are zeroed before. */
bool json_line_read(struct json_line *line);
/* The place of a part of the line. */
struct loc json_line_loc(const struct json_line *line, const char *at, size_t length);

#endif
