/* SPDX-License-Identifier: GPL-2.0-only */
/* Recorded events: the lines of `monitor --json`, all errors of a file in one run. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "json_line.h"

enum field {
	FIELD_SCHEMA,
	FIELD_HOST,
	FIELD_TYPE,
	FIELD_TIME,
	FIELD_POLICY,
	FIELD_DIGEST,
	FIELD_VERDICT,
	FIELD_REASON,
	FIELD_DIRECTION,
	FIELD_KIND,
	FIELD_INTERFACE,
	FIELD_PROTOCOL,
	FIELD_LOCAL,
	FIELD_LOCAL_PORT,
	FIELD_PEER,
	FIELD_PEER_PORT,
	FIELD_ICMP_TYPE,
	FIELD_ICMP_CODE,
	FIELD_LENGTH,
	FIELD_HELD,
	FIELD_PID,
	FIELD_PROCESS,
	FIELD_COUNT,
	FIELDS
};

static const char *const paths[FIELDS] = {
	[FIELD_SCHEMA] = "schema",	 [FIELD_HOST] = "host",
	[FIELD_TYPE] = "type",		 [FIELD_TIME] = "time",
	[FIELD_POLICY] = "policy",	 [FIELD_DIGEST] = "digest",
	[FIELD_VERDICT] = "verdict",	 [FIELD_REASON] = "reason",
	[FIELD_DIRECTION] = "direction", [FIELD_KIND] = "kind",
	[FIELD_INTERFACE] = "interface", [FIELD_PROTOCOL] = "protocol",
	[FIELD_LOCAL] = "local.address", [FIELD_LOCAL_PORT] = "local.port",
	[FIELD_PEER] = "peer.address",	 [FIELD_PEER_PORT] = "peer.port",
	[FIELD_ICMP_TYPE] = "icmp_type", [FIELD_ICMP_CODE] = "icmp_code",
	[FIELD_LENGTH] = "length",	 [FIELD_HELD] = "held",
	[FIELD_PID] = "process.pid",	 [FIELD_PROCESS] = "process.name",
	[FIELD_COUNT] = "count",
};

#define EVENT_SCHEMA "flowreeve/event/v1"
/* So that the sum of all lines of a file has 64 bits. */
#define LOST_MOST (UINT64_C(1) << 38)

struct reading {
	struct json_line line; /* its arena is of this line alone */
	struct line_value values[FIELDS];
	struct index words, hosts, policies; /* each text once */
	struct recording *out;
	bool bad;  /* this line */
	bool full; /* the rest is not read */
};

/* ---------------------------------------------------------------- values */

static void refuse(struct reading *r, enum field field, const char *hint, const char *message)
{
	struct loc loc = r->values[field].loc;

	if (r->values[field].kind == VALUE_ABSENT)
		loc = json_line_loc(&r->line, r->line.start, 1);
	diag_error(r->line.d, loc, -EINVAL, "event-malformed", hint, "%s", message);
	r->bad = true;
}

static bool has(struct reading *r, enum field field, enum line_kind kind)
{
	const char *wanted = kind == VALUE_TEXT ? "text in quotes" : "a whole number";

	if (r->values[field].kind == kind)
		return true;
	if (r->values[field].kind == VALUE_ABSENT)
		refuse(r, field, "record the events with monitor --json, and keep its lines whole",
		       arena_printf(r->line.d->arena, "the event has no '%s', which is %s",
				    paths[field], wanted));
	else
		refuse(r, field,
		       arena_printf(r->line.d->arena, "write %s here",
				    kind == VALUE_TEXT ? "\"…\"" : "digits without quotes"),
		       arena_printf(r->line.d->arena, "'%s' is %s", paths[field], wanted));
	return false;
}

static const char *kept_word(struct reading *r, const char *text)
{
	const char *known = index_get(&r->words, text);

	if (known)
		return known;
	text = arena_strdup(r->line.d->arena, text);
	index_insert(&r->words, text, text);
	return text;
}

static const char *text_of(struct reading *r, enum field field)
{
	return has(r, field, VALUE_TEXT) ? kept_word(r, r->values[field].text) : "";
}

/* Of a field that is the same in most lines: others may have written the file. */
static const char *name_of(struct reading *r, enum field field, struct index *seen)
{
	const char *text = text_of(r, field);

	if (r->bad || index_insert(seen, text, text) || seen->count <= EVENT_NAMES_MOST)
		return text;
	refuse(r, field, "split the file",
	       arena_printf(r->line.d->arena, "more than %d values of '%s'", EVENT_NAMES_MOST,
			    paths[field]));
	r->full = true;
	return text;
}

/* Of a field that may be null or missing. */
static const char *text_or_null(struct reading *r, enum field field)
{
	enum line_kind kind = r->values[field].kind;

	return kind == VALUE_ABSENT || kind == VALUE_NULL ? NULL : text_of(r, field);
}

static uint64_t number_of(struct reading *r, enum field field, uint64_t most)
{
	if (!has(r, field, VALUE_NUMBER))
		return 0;
	if (r->values[field].number > most)
		refuse(r, field, NULL,
		       arena_printf(r->line.d->arena, "'%s' is %llu at most", paths[field],
				    (unsigned long long)most));
	return r->values[field].number;
}

static uint64_t number_or_null(struct reading *r, enum field field, uint64_t most)
{
	enum line_kind kind = r->values[field].kind;

	return kind == VALUE_ABSENT || kind == VALUE_NULL ? 0 : number_of(r, field, most);
}

enum { WORDS_MOST = 64 };
/* The last whole year of which nanoseconds have 64 bits. */
#define YEAR_LAST "2553"

/* The number of a word of a list. */
static uint8_t word_of(struct reading *r, enum field field, const char *(*name)(unsigned),
		       unsigned count)
{
	const char *text = text_of(r, field), *names[WORDS_MOST], *near;

	for (unsigned i = 0; i < count && i < WORDS_MOST; i++) {
		names[i] = name(i);
		if (str_equal(names[i], text))
			return (uint8_t)i;
	}
	if (r->values[field].kind != VALUE_TEXT)
		return 0;
	near = nearest_word(text, names, count < WORDS_MOST ? count : WORDS_MOST);
	refuse(r, field, near ? arena_printf(r->line.d->arena, "did you mean \"%s\"?", near) : NULL,
	       arena_printf(r->line.d->arena, "'%s' is no %s", text, paths[field]));
	return 0;
}

static bool parse_two(const char *at, char behind, unsigned most, uint64_t *out)
{
	if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9' || at[2] != behind)
		return false;
	*out = (uint64_t)(at[0] - '0') * 10 + (uint64_t)(at[1] - '0');
	return *out <= most;
}

/* "2026-03-01T12:00:00.000000Z" -> ns of the epoch; of a year after YEAR_LAST without meaning. */
static bool time_parse(const char *text, uint64_t *ns)
{
	uint64_t day, hour, minute, second, unit = 1000000000;
	const char *at = text + 19;

	if (!date_begins(text, &day) || text[10] != 'T' || !parse_two(text + 11, ':', 23, &hour) ||
	    !parse_two(text + 14, ':', 59, &minute) || strlen(text) < 20 ||
	    !parse_two(text + 17, text[19], 60, &second))
		return false;
	*ns = (day + hour * 3600 + minute * 60 + second) * 1000000000;
	if (*at == '.')
		for (at++; *at >= '0' && *at <= '9'; at++)
			*ns += (uint64_t)(*at - '0') * (unit /= 10);
	return at[0] == 'Z' && !at[1];
}

static uint64_t time_of(struct reading *r)
{
	const char *text = text_of(r, FIELD_TIME);
	uint64_t ns = 0;

	if (r->values[FIELD_TIME].kind != VALUE_TEXT)
		return 0;
	if (!time_parse(text, &ns))
		refuse(r, FIELD_TIME, "such as \"2026-03-01T12:00:00.000000Z\"",
		       arena_printf(r->line.d->arena, "'%s' is no time in UTC", text));
	else if (strncmp(text, YEAR_LAST, strlen(YEAR_LAST)) > 0)
		refuse(r, FIELD_TIME, "a time until " YEAR_LAST "-12-31T23:59:59Z",
		       arena_printf(r->line.d->arena, "'%s' is after " YEAR_LAST, text));
	return ns;
}

static void read_address(struct reading *r, enum field field, struct addr *out)
{
	const char *text = text_of(r, field);

	if (r->values[field].kind == VALUE_TEXT && addr_parse(text, out) != NET_OK)
		refuse(r, field, "an address of IPv4 or IPv6",
		       arena_printf(r->line.d->arena, "'%s' is no address", text));
}

static void read_protocol(struct reading *r, struct tuple *tuple)
{
	const char *text = text_of(r, FIELD_PROTOCOL), *near = proto_nearest(text);

	if (r->values[FIELD_PROTOCOL].kind == VALUE_TEXT && proto_parse(text, &tuple->proto))
		refuse(r, FIELD_PROTOCOL,
		       near ? arena_printf(r->line.d->arena, "did you mean \"%s\"?", near) : NULL,
		       arena_printf(r->line.d->arena, "'%s' is no protocol", text));
}

/* The listener's port. */
static void read_tuple(struct reading *r, struct tuple *tuple)
{
	tuple->dir = word_of(r, FIELD_DIRECTION, dir_name, FR_DIRS);
	read_protocol(r, tuple);
	read_address(r, FIELD_PEER, &tuple->peer);
	if (proto_is_any_icmp(tuple->proto))
		tuple->port = (uint16_t)(number_of(r, FIELD_ICMP_TYPE, 255) << 8 |
					 number_of(r, FIELD_ICMP_CODE, 255));
	else if (proto_has_ports(tuple->proto))
		tuple->port = (uint16_t)number_of(
			r, tuple->dir == FR_EGRESS ? FIELD_PEER_PORT : FIELD_LOCAL_PORT,
			UINT16_MAX);
}

static void read_ends(struct reading *r, struct recorded_event *event)
{
	struct datagram *ends = &event->ends;

	if (event->tuple.proto != PROTO_UDP)
		return;
	ends->peer = event->tuple.peer;
	read_address(r, FIELD_LOCAL, &ends->local);
	ends->local_port = ends->peer_port = event->tuple.port;
	if (event->tuple.dir == FR_EGRESS)
		ends->local_port = (uint16_t)number_of(r, FIELD_LOCAL_PORT, UINT16_MAX);
	else
		ends->peer_port = (uint16_t)number_of(r, FIELD_PEER_PORT, UINT16_MAX);
}

/* ---------------------------------------------------------------- lines */

static void append_event(struct reading *r, const struct recorded_event *event)
{
	struct recording *out = r->out;

	if (r->bad)
		return;
	out->list = arena_grow(r->line.d->arena, out->list, out->count, &out->capacity,
			       sizeof(*out->list));
	out->list[out->count++] = *event;
}

static void read_event(struct reading *r, bool opened)
{
	struct recorded_event event = {.opened = opened};

	event.line = r->line.number;
	event.host = name_of(r, FIELD_HOST, &r->hosts);
	event.policy = name_of(r, FIELD_POLICY, &r->policies);
	event.digest = text_or_null(r, FIELD_DIGEST);
	event.time = time_of(r);
	event.verdict = word_of(r, FIELD_VERDICT, verdict_name, FR_VERDICTS);
	event.reason = word_of(r, FIELD_REASON, reason_name, FR_REASONS_COUNT);
	event.kind = word_of(r, FIELD_KIND, kind_name, FR_KINDS);
	event.interface = text_or_null(r, FIELD_INTERFACE);
	read_tuple(r, &event.tuple);
	read_ends(r, &event);
	event.length = number_of(r, FIELD_LENGTH, UINT32_MAX);
	event.packets = 1 + number_of(r, FIELD_HELD, UINT32_MAX);
	event.pid = (uint32_t)number_or_null(r, FIELD_PID, UINT32_MAX);
	event.process = event.pid ? text_of(r, FIELD_PROCESS) : NULL;
	append_event(r, &event);
}

static void read_line(struct reading *r)
{
	static const char *const types[] = {"refused", "opened", "lost"};
	const char *schema, *type, *near;

	r->bad = false;
	if (!json_line_read(&r->line))
		return;
	schema = text_of(r, FIELD_SCHEMA);
	if (!r->bad && !str_equal(schema, EVENT_SCHEMA))
		refuse(r, FIELD_SCHEMA, "lines of monitor --json have \"" EVENT_SCHEMA "\"",
		       arena_printf(r->line.d->arena, "'%s' is no event of this version", schema));
	type = r->bad ? "" : text_of(r, FIELD_TYPE);
	if (r->bad)
		return;
	if (str_equal(type, "lost")) {
		r->out->lost += number_of(r, FIELD_COUNT, LOST_MOST);
		return;
	}
	if (str_equal(type, "refused") || str_equal(type, "opened")) {
		read_event(r, str_equal(type, "opened"));
		return;
	}
	near = nearest_word(type, types, ARRAY_SIZE(types));
	refuse(r, FIELD_TYPE,
	       near ? arena_printf(r->line.d->arena, "did you mean \"%s\"?", near) : NULL,
	       arena_printf(r->line.d->arena, "'%s' is no type of an event", type));
}

static bool is_blank(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
		at++;
	return at == end;
}

int events_read(const struct source *source, struct diags *d, struct recording *out)
{
	CLEANUP(arena_drop) struct arena *texts = arena_new();
	struct reading r = {.words.arena = d->arena,
			    .hosts.arena = d->arena,
			    .policies.arena = d->arena,
			    .out = out};
	const char *at = source->text, *end = source->text + source->size;
	unsigned errors = d->errors;

	*out = (struct recording){.file = source->name, .source = source};
	r.line = (struct json_line){.d = d,
				    .arena = texts,
				    .source = source,
				    .paths = paths,
				    .values = r.values,
				    .count = FIELDS};
	while (at < end && !r.full) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		r.line.start = at;
		r.line.end = stop ? stop : end;
		r.line.number++;
		if (!is_blank(r.line.start, r.line.end))
			read_line(&r);
		arena_reset(texts);
		at = stop ? stop + 1 : end;
	}
	return d->errors > errors ? -EINVAL : 0;
}
