/* SPDX-License-Identifier: GPL-2.0-only */
/* The record of changes: its lines, all errors of a file in one run. */
#include "internal.h"

#include <string.h>

#include "json_line.h"

#define CHANGE_SCHEMA "flowreeve/change/v1"

enum field {
	FIELD_SCHEMA,
	FIELD_TIME,
	FIELD_HOST,
	FIELD_VERB,
	FIELD_COMMAND,
	FIELD_UID,
	FIELD_LOGIN,
	FIELD_PIN_ROOT,
	FIELD_POLICY,
	FIELD_MODE_BEFORE,
	FIELD_MODE_AFTER,
	FIELD_DIGEST_BEFORE,
	FIELD_DIGEST_AFTER,
	FIELD_GENERATION,
	FIELD_OUTCOME,
	FIELD_REASON,
	FIELDS
};

static const char *const paths[FIELDS] = {
	[FIELD_SCHEMA] = "schema",
	[FIELD_TIME] = "time",
	[FIELD_HOST] = "host",
	[FIELD_VERB] = "verb",
	[FIELD_COMMAND] = "command",
	[FIELD_UID] = "uid",
	[FIELD_LOGIN] = "login_uid",
	[FIELD_PIN_ROOT] = "pin_root",
	[FIELD_POLICY] = "policy",
	[FIELD_MODE_BEFORE] = "mode_before",
	[FIELD_MODE_AFTER] = "mode_after",
	[FIELD_DIGEST_BEFORE] = "digest_before",
	[FIELD_DIGEST_AFTER] = "digest_after",
	[FIELD_GENERATION] = "generation",
	[FIELD_OUTCOME] = "outcome",
	[FIELD_REASON] = "reason",
};

static const char *text_of(const struct line_value *value)
{
	return value->kind == VALUE_TEXT ? value->text : NULL;
}

static uint32_t number_of(const struct line_value *value, uint32_t none)
{
	return value->kind == VALUE_NUMBER && value->number < UINT32_MAX ? (uint32_t)value->number
									 : none;
}

static bool is_change(struct json_line *line)
{
	static const enum field needed[] = {FIELD_SCHEMA, FIELD_TIME, FIELD_VERB, FIELD_POLICY,
					    FIELD_OUTCOME};
	const struct line_value *values = line->values;

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		if (values[needed[i]].kind == VALUE_TEXT)
			continue;
		diag_error(line->d, json_line_loc(line, line->start, 1), -EINVAL,
			   "change-malformed", "keep the lines of the record whole",
			   "the line has no text '%s'", paths[needed[i]]);
		return false;
	}
	if (str_equal(values[FIELD_SCHEMA].text, CHANGE_SCHEMA))
		return true;
	diag_error(line->d, values[FIELD_SCHEMA].loc, -EINVAL, "change-malformed",
		   "its lines have \"" CHANGE_SCHEMA "\"", "'%s' is no line of a record of changes",
		   values[FIELD_SCHEMA].text);
	return false;
}

static void append(const struct json_line *line, struct change_list *out)
{
	const struct line_value *v = line->values;

	out->list = arena_grow(line->d->arena, out->list, out->count, &out->capacity,
			       sizeof(*out->list));
	out->list[out->count++] = (struct change_view){
		.time = text_of(&v[FIELD_TIME]),
		.host = text_of(&v[FIELD_HOST]),
		.verb = text_of(&v[FIELD_VERB]),
		.command = text_of(&v[FIELD_COMMAND]),
		.uid = number_of(&v[FIELD_UID], UINT32_MAX),
		.login = number_of(&v[FIELD_LOGIN], UINT32_MAX),
		.pin_root = text_of(&v[FIELD_PIN_ROOT]),
		.policy = text_of(&v[FIELD_POLICY]),
		.mode_before = text_of(&v[FIELD_MODE_BEFORE]),
		.mode_after = text_of(&v[FIELD_MODE_AFTER]),
		.digest_before = text_of(&v[FIELD_DIGEST_BEFORE]),
		.digest_after = text_of(&v[FIELD_DIGEST_AFTER]),
		.generation = number_of(&v[FIELD_GENERATION], 0),
		.outcome = text_of(&v[FIELD_OUTCOME]),
		.reason = text_of(&v[FIELD_REASON]),
	};
}

int changes_read(const struct source *source, const char *policy, struct diags *d,
		 struct change_list *out)
{
	const char *at = source->text, *end = source->text + source->size;
	struct line_value values[FIELDS];
	struct json_line line = {.d = d,
				 .arena = d->arena,
				 .source = source,
				 .paths = paths,
				 .values = values,
				 .count = FIELDS};
	unsigned errors = d->errors;

	*out = (struct change_list){0};
	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		line.start = at;
		line.end = stop ? stop : end;
		line.number++;
		at = stop ? stop + 1 : end;
		if (line.start == line.end || !json_line_read(&line) || !is_change(&line))
			continue;
		if (!policy || str_equal(policy, values[FIELD_POLICY].text))
			append(&line, out);
	}
	return d->errors > errors ? -EINVAL : 0;
}
