/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The place of everything in a YAML text, to the byte, for insertions into it. Only for texts that
 * doc_load has taken: no anchors, no tags, one document.
 */
#ifndef YAML_SPANS_H
#define YAML_SPANS_H

#include "yaml.h"

struct yaml_span {
	enum node_kind kind;
	bool flow;	       /* a list in brackets, a map in braces */
	bool plain;	       /* a scalar without quotes */
	bool block;	       /* a scalar of lines of its own, behind | or > */
	const char *text;      /* scalar */
	const char *key;       /* of a value in a map */
	size_t start;	       /* first byte */
	size_t end;	       /* behind the last byte of its content */
	uint32_t line, column; /* of the start, from 1; characters */
	struct yaml_span *first, *last, *next;
};

/* NULL for a text that does not parse. In that arena. */
const struct yaml_span *yaml_spans_read(struct arena *arena, const char *text, size_t size);
/* The value of a key, or NULL. */
const struct yaml_span *yaml_span_get(const struct yaml_span *map, const char *key);

#endif
