/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events of YAML as a tree of places. A collection that is not in brackets ends, as events have it,
 * where the next thing begins, and so does a text behind | or >; here each ends with its last word.
 */
#include "events.h"
#include "yaml_spans.h"

struct span_reader {
	struct arena *arena;
	const char *text;
	size_t size, begin;	  /* behind a byte order mark, which is no part of the text */
	size_t characters, bytes; /* one place of which both are known */
	struct yaml_span *root;
	struct yaml_span *open[DOC_DEPTH_MAX + 1];
	const char *key[DOC_DEPTH_MAX + 1]; /* of the next value of an open map */
	unsigned depth;
};

/* Places come in order, but for ends that look ahead. */
static size_t byte_of(struct span_reader *r, size_t character)
{
	if (character < r->characters) {
		r->characters = 0;
		r->bytes = r->begin;
	}
	while (r->characters < character && r->bytes < r->size) {
		r->bytes++;
		while (r->bytes < r->size && ((unsigned char)r->text[r->bytes] & 0xc0) == 0x80)
			r->bytes++;
		r->characters++;
	}
	return r->bytes;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r';
}

static void end_block(const struct span_reader *r, struct yaml_span *span)
{
	char mark = span->start < r->size ? r->text[span->start] : '\0';

	span->block = span->kind == NODE_SCALAR && !span->plain && (mark == '|' || mark == '>');
	while (span->block && span->end > span->start + 1 && is_blank(r->text[span->end - 1]))
		span->end--;
}

static struct yaml_span *span_new(struct span_reader *r, const struct event *event)
{
	static const enum node_kind kinds[] = {
		[EVENT_SCALAR] = NODE_SCALAR, [EVENT_LIST] = NODE_LIST, [EVENT_MAP] = NODE_MAP};
	struct yaml_span *span = arena_alloc(r->arena, sizeof(*span));

	span->kind = kinds[event->kind];
	span->flow = event->flow;
	span->plain = event->plain;
	span->text = event->text ? arena_strdup(r->arena, event->text) : NULL;
	span->start = byte_of(r, event->start);
	span->end = byte_of(r, event->end);
	span->line = event->line;
	span->column = event->column;
	end_block(r, span);
	return span;
}

static void add_child(struct yaml_span *span, struct yaml_span *child)
{
	if (span->last)
		span->last->next = child;
	else
		span->first = child;
	span->last = child;
}

static void append_value(struct span_reader *r, struct yaml_span *span)
{
	struct yaml_span *parent = r->depth ? r->open[r->depth - 1] : NULL;

	if (!parent) {
		r->root = span;
		return;
	}
	span->key = r->key[r->depth - 1];
	r->key[r->depth - 1] = NULL;
	add_child(parent, span);
	if (parent->end < span->end)
		parent->end = span->end;
}

static void close_span(struct span_reader *r, const struct event *event)
{
	struct yaml_span *span = r->open[--r->depth];

	if (span->flow)
		span->end = byte_of(r, event->end);
	if (r->depth && r->open[r->depth - 1]->end < span->end)
		r->open[r->depth - 1]->end = span->end;
}

static bool read_event(struct span_reader *r, const struct event *event)
{
	struct yaml_span *span;

	if (event->kind == EVENT_END) {
		close_span(r, event);
		return true;
	}
	if (event->kind > EVENT_END)
		return event->kind != EVENT_ALIAS;
	if (r->depth && r->open[r->depth - 1]->kind == NODE_MAP && !r->key[r->depth - 1]) {
		r->key[r->depth - 1] = arena_strdup(r->arena, event->text ?: "");
		return event->kind == EVENT_SCALAR;
	}
	span = span_new(r, event);
	append_value(r, span);
	if (event->kind == EVENT_SCALAR)
		return true;
	if (r->depth > DOC_DEPTH_MAX)
		return false;
	r->key[r->depth] = NULL;
	r->open[r->depth++] = span;
	return true;
}

static bool read_events(struct span_reader *r, struct events *events)
{
	struct event event = {.kind = EVENT_STREAM};

	while (event.kind != EVENT_STREAM_END)
		if (!events_next(events, &event) || !read_event(r, &event))
			return false;
	return true;
}

const struct yaml_span *yaml_spans_read(struct arena *arena, const char *text, size_t size)
{
	struct span_reader r = {.arena = arena, .text = text, .size = size};
	struct events *events;
	bool good;

	r.begin = r.bytes = str_starts(text, "\xef\xbb\xbf") ? 3 : 0;
	events = events_open(NULL, text + r.begin, size - r.begin);
	good = events && read_events(&r, events);
	events_close(events);
	return good ? r.root : NULL;
}

const struct yaml_span *yaml_span_get(const struct yaml_span *map, const char *key)
{
	const struct yaml_span *value;

	for (value = map && map->kind == NODE_MAP ? map->first : NULL; value; value = value->next)
		if (str_equal(value->key, key))
			return value;
	return NULL;
}
