/* SPDX-License-Identifier: GPL-2.0-only */
/* libyaml's events; the only file that uses libyaml. */
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "events.h"

struct events {
	yaml_parser_t parser;
	yaml_event_t event; /* the last one */
	const char *before, *text;
	size_t before_size, size; /* still to be read */
};

/* libyaml asks for more. */
static int input_read(void *context, unsigned char *buffer, size_t room, size_t *got)
{
	struct events *events = context;
	const char **from = events->before_size ? &events->before : &events->text;
	size_t *left = events->before_size ? &events->before_size : &events->size;

	*got = *left < room ? *left : room;
	if (*got)
		memcpy(buffer, *from, *got);
	*from += *got;
	*left -= *got;
	return 1;
}

struct events *events_open(const char *before, const char *text, size_t size)
{
	struct events *events = memory_new(sizeof(*events));

	events->before = before;
	events->before_size = before ? strlen(before) : 0;
	events->text = text;
	events->size = size;
	if (!yaml_parser_initialize(&events->parser)) {
		free(events);
		return NULL;
	}
	yaml_parser_set_encoding(&events->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input(&events->parser, input_read, events);
	return events;
}

static void scalar_words(const yaml_event_t *yaml, struct event *out)
{
	out->kind = EVENT_SCALAR;
	out->anchored = yaml->data.scalar.anchor;
	out->tag = (const char *)yaml->data.scalar.tag;
	out->plain = yaml->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	out->text = (const char *)yaml->data.scalar.value;
	out->length = (uint32_t)yaml->data.scalar.length;
}

static void event_words(const yaml_event_t *yaml, struct event *out)
{
	switch (yaml->type) {
	case YAML_SCALAR_EVENT:
		scalar_words(yaml, out);
		break;
	case YAML_SEQUENCE_START_EVENT:
		out->kind = EVENT_LIST;
		out->anchored = yaml->data.sequence_start.anchor;
		out->tag = (const char *)yaml->data.sequence_start.tag;
		out->flow = yaml->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
		break;
	case YAML_MAPPING_START_EVENT:
		out->kind = EVENT_MAP;
		out->anchored = yaml->data.mapping_start.anchor;
		out->tag = (const char *)yaml->data.mapping_start.tag;
		out->flow = yaml->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		out->kind = EVENT_END;
		break;
	case YAML_ALIAS_EVENT:
		out->kind = EVENT_ALIAS;
		break;
	case YAML_STREAM_START_EVENT:
		out->kind = EVENT_STREAM;
		break;
	case YAML_STREAM_END_EVENT:
		out->kind = EVENT_STREAM_END;
		break;
	case YAML_DOCUMENT_END_EVENT:
		out->plain = yaml->data.document_end.implicit;
		/* fall through */
	default:
		out->kind = EVENT_DOCUMENT;
	}
}

bool events_next(struct events *events, struct event *out)
{
	yaml_event_t *event = &events->event;

	yaml_event_delete(event);
	if (!yaml_parser_parse(&events->parser, event))
		return false;
	*out = (struct event){
		.start = (uint32_t)event->start_mark.index,
		.end = (uint32_t)event->end_mark.index,
		.line = (uint32_t)event->start_mark.line + 1,
		.column = (uint32_t)event->start_mark.column + 1,
		.end_line = (uint32_t)event->end_mark.line + 1,
	};
	event_words(event, out);
	return true;
}

static enum event_failure failure_of(const yaml_parser_t *parser)
{
	switch (parser->error) {
	case YAML_MEMORY_ERROR:
		return EVENT_NO_MEMORY;
	case YAML_READER_ERROR:
		return EVENT_NO_TEXT;
	default:
		return EVENT_NO_YAML;
	}
}

struct event_error events_error(const struct events *events)
{
	const yaml_parser_t *parser = &events->parser;

	return (struct event_error){
		.why = failure_of(parser),
		.problem = parser->problem ? parser->problem : "cannot be read",
		.offset = parser->problem_offset,
		.line = (uint32_t)parser->problem_mark.line + 1,
		.column = (uint32_t)parser->problem_mark.column + 1,
		.context = parser->context,
		.context_line = (uint32_t)parser->context_mark.line + 1,
		.context_column = (uint32_t)parser->context_mark.column + 1,
	};
}

void events_close(struct events *events)
{
	if (!events)
		return;
	yaml_event_delete(&events->event);
	yaml_parser_delete(&events->parser);
	free(events);
}
