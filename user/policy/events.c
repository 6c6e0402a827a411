// SPDX-License-Identifier: GPL-2.0-only
/*
 * libyaml's events, in batches; the only file that knows libyaml. A reader thread fills the batches
 * of a ring while another takes events out of them; without a thread the one batch is filled when
 * it is empty. What another processor is to read lies close together, in the order in which it is
 * read.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "events.h"

enum { BATCH_BYTES = 256 << 10, BATCHES = 4, AHEAD_BYTES = 256 << 10 };

/* An event in a batch, its text behind it. */
struct record {
	struct event event;
	char text[];
};

struct batch {
	char *base; /* records */
	size_t size, capacity;
	bool last; /* the stream ends with it, or cannot be read on */
};

struct events {
	yaml_parser_t parser;
	struct batch ring[BATCHES]; /* the first alone without a reader */
	struct batch *batch;	    /* that events are taken from, NULL before the first */
	size_t at;		    /* the next of them */
	/* with a reader: */
	bool ahead;
	pthread_t reader;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t turned;
	uint32_t filled, emptied; /* batches, ever */
	bool stop;
};

/* ---------------------------------------------------------------- batches */

struct words {
	const void *text;
	size_t length;
};

static struct words scalar_words(const yaml_event_t *yaml, struct event *event)
{
	event->kind = EVENT_SCALAR;
	event->anchored = yaml->data.scalar.anchor;
	event->plain = yaml->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	event->tagged = yaml->data.scalar.tag;
	if (event->tagged)
		return (struct words){yaml->data.scalar.tag, strlen((char *)yaml->data.scalar.tag)};
	return (struct words){yaml->data.scalar.value, yaml->data.scalar.length};
}

static struct words collection_words(const yaml_char_t *anchor, const yaml_char_t *tag,
				     struct event *event)
{
	event->anchored = anchor;
	event->tagged = tag;
	return (struct words){tag, tag ? strlen((char *)tag) : 0};
}

static struct words event_words(const yaml_event_t *yaml, struct event *event)
{
	switch (yaml->type) {
	case YAML_SCALAR_EVENT:
		return scalar_words(yaml, event);
	case YAML_SEQUENCE_START_EVENT:
		event->kind = EVENT_LIST;
		event->flow = yaml->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
		return collection_words(yaml->data.sequence_start.anchor,
					yaml->data.sequence_start.tag, event);
	case YAML_MAPPING_START_EVENT:
		event->kind = EVENT_MAP;
		event->flow = yaml->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
		return collection_words(yaml->data.mapping_start.anchor,
					yaml->data.mapping_start.tag, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		event->kind = EVENT_END;
		break;
	case YAML_ALIAS_EVENT:
		event->kind = EVENT_ALIAS;
		break;
	case YAML_STREAM_START_EVENT:
		event->kind = EVENT_STREAM;
		break;
	case YAML_STREAM_END_EVENT:
		event->kind = EVENT_STREAM_END;
		break;
	default:
		event->kind = EVENT_DOCUMENT;
	}
	return (struct words){0};
}

static size_t record_size(size_t length)
{
	const size_t align = _Alignof(struct record);

	return (sizeof(struct record) + length + align) / align * align;
}

static void batch_add(struct batch *batch, const yaml_event_t *yaml)
{
	struct event event = {
		.start = (uint32_t)yaml->start_mark.index,
		.end = (uint32_t)yaml->end_mark.index,
		.line = (uint32_t)yaml->start_mark.line + 1,
		.column = (uint32_t)yaml->start_mark.column + 1,
		.end_line = (uint32_t)yaml->end_mark.line + 1,
	};
	struct words words = event_words(yaml, &event);
	size_t size = record_size(words.length);
	struct record *record;

	if (batch->size + size > batch->capacity) {
		batch->capacity = batch->size + size + BATCH_BYTES;
		batch->base = memory_resize(batch->base, batch->capacity);
	}
	record = (struct record *)(batch->base + batch->size);
	record->event = event;
	record->event.length = (uint32_t)words.length;
	if (words.length)
		memcpy(record->text, words.text, words.length);
	record->text[words.length] = '\0';
	batch->size += size;
}

static void batch_fill(yaml_parser_t *parser, struct batch *batch)
{
	yaml_event_t event;

	batch->size = 0;
	while (!batch->last && batch->size < BATCH_BYTES) {
		batch->last = !yaml_parser_parse(parser, &event);
		if (batch->last)
			return;
		batch->last = event.type == YAML_STREAM_END_EVENT;
		batch_add(batch, &event);
		yaml_event_delete(&event);
	}
}

/* ---------------------------------------------------------------- the reader */

/* The batch that may be filled, or NULL when nobody wants more. */
static struct batch *reader_wait(struct events *events)
{
	struct batch *batch = NULL;

	pthread_mutex_lock(&events->lock);
	while (!events->stop && events->filled - events->emptied == BATCHES)
		pthread_cond_wait(&events->turned, &events->lock);
	if (!events->stop)
		batch = &events->ring[events->filled % BATCHES];
	pthread_mutex_unlock(&events->lock);
	return batch;
}

static void turn(struct events *events, uint32_t *count)
{
	pthread_mutex_lock(&events->lock);
	++*count;
	pthread_cond_signal(&events->turned);
	pthread_mutex_unlock(&events->lock);
}

static void *reader_run(void *context)
{
	struct events *events = context;
	struct batch *batch;
	bool last = false;

	while (!last && (batch = reader_wait(events))) {
		batch_fill(&events->parser, batch);
		last = batch->last;
		turn(events, &events->filled);
	}
	return NULL;
}

/* No thread to be had is no error: then everything is read when it is asked for. */
static void reader_start(struct events *events)
{
	pthread_mutex_init(&events->lock, NULL);
	pthread_cond_init(&events->turned, NULL);
	events->ahead = !pthread_create(&events->reader, NULL, reader_run, events);
}

static void reader_stop(struct events *events)
{
	pthread_mutex_lock(&events->lock);
	events->stop = true;
	pthread_cond_signal(&events->turned);
	pthread_mutex_unlock(&events->lock);
	pthread_join(events->reader, NULL);
}

/* ---------------------------------------------------------------- who takes them */

struct events *events_open(const char *text, size_t size, bool ahead)
{
	struct events *events = memory_new(sizeof(*events));

	if (!yaml_parser_initialize(&events->parser)) {
		free(events);
		return NULL;
	}
	yaml_parser_set_encoding(&events->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&events->parser, (const unsigned char *)text, size);
	if (ahead && size >= AHEAD_BYTES)
		reader_start(events);
	return events;
}

static void next_batch(struct events *events)
{
	if (!events->ahead) {
		events->batch = &events->ring[0];
		batch_fill(&events->parser, events->batch);
		return;
	}
	if (events->batch)
		turn(events, &events->emptied);
	pthread_mutex_lock(&events->lock);
	while (events->filled == events->emptied)
		pthread_cond_wait(&events->turned, &events->lock);
	events->batch = &events->ring[events->emptied % BATCHES];
	pthread_mutex_unlock(&events->lock);
}

bool events_next(struct events *events, struct event *out)
{
	const struct record *record;

	if (!events->batch || (events->at == events->batch->size && !events->batch->last)) {
		next_batch(events);
		events->at = 0;
	}
	if (events->at == events->batch->size)
		return false;
	record = (const struct record *)(events->batch->base + events->at);
	events->at += record_size(record->event.length);
	*out = record->event;
	out->text = out->kind == EVENT_SCALAR || out->tagged ? record->text : NULL;
	return true;
}

struct event_error events_error(const struct events *events)
{
	const yaml_parser_t *parser = &events->parser;

	return (struct event_error){
		.why = parser->error == YAML_MEMORY_ERROR   ? EVENT_NO_MEMORY
		       : parser->error == YAML_READER_ERROR ? EVENT_NO_TEXT
							    : EVENT_NO_YAML,
		.problem = parser->problem ? parser->problem : "cannot be read",
		.offset = parser->problem_offset,
		.line = (uint32_t)parser->problem_mark.line + 1,
		.column = (uint32_t)parser->problem_mark.column + 1,
		.context = parser->context,
		.context_line = (uint32_t)parser->context_mark.line + 1,
	};
}

void events_close(struct events *events)
{
	if (!events)
		return;
	if (events->ahead)
		reader_stop(events);
	for (int i = 0; i < BATCHES; i++)
		free(events->ring[i].base);
	yaml_parser_delete(&events->parser);
	free(events);
}
