/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * YAML text as one event after the other.
 */
#ifndef YAML_EVENTS_H
#define YAML_EVENTS_H

#include "../base/base.h"

enum event_kind {
	EVENT_SCALAR,
	EVENT_LIST,
	EVENT_MAP,
	EVENT_END, /* of a list or a map */
	EVENT_ALIAS,
	EVENT_DOCUMENT, /* begins or ends */
	EVENT_STREAM,
	EVENT_STREAM_END,
};

/* Places are in characters from the beginning of the text; lines and columns count from 1. */
struct event {
	uint8_t kind;  /* enum event_kind */
	bool flow;     /* a collection in brackets or braces */
	bool plain;    /* a scalar without quotes, a document whose end is not written */
	bool anchored; /* &name */
	uint32_t start, end;
	uint32_t line, column, end_line;
	uint32_t length;  /* of the text */
	const char *text; /* scalar */
	const char *tag;  /* or NULL; both are good until the next event */
};

/* Why there is no further event. */
struct event_error {
	enum event_failure { EVENT_NO_MEMORY, EVENT_NO_TEXT, EVENT_NO_YAML } why;
	const char *problem;   /* libyaml's words */
	size_t offset;	       /* no text: bytes before it */
	uint32_t line, column; /* no YAML: where */
	const char *context;   /* and of what, or NULL */
	uint32_t context_line, context_column;
};

struct events;
/* Of at most 4 GB of UTF-8 text without a byte order mark, which has to stay as long as the events.
 * `before`: lines that are read first and count, or NULL. NULL without memory. */
struct events *events_open(const char *before, const char *text, size_t size);
/* False when the text cannot be read on; not to be called after EVENT_STREAM_END. */
bool events_next(struct events *events, struct event *out);
struct event_error events_error(const struct events *events);
void events_close(struct events *events); /* NULL is fine */

#endif
