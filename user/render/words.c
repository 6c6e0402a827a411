/* SPDX-License-Identifier: GPL-2.0-only */
/* Protocols, table rows, endpoints and answers as users see them, for text and JSON alike. */
#include <string.h>

#include "table.h"

char *proto_text(uint8_t proto, char *out)
{
	const char *name = proto_name(proto);

	if (name)
		strcpy(out, name);
	else
		number_append(out, proto);
	return out;
}

char *proto_type_text(uint8_t proto, uint16_t port, char *out)
{
	proto_text(proto, out);
	if (proto_is_any_icmp(proto))
		snprintf(out + strlen(out), 5, "/%u", port >> 8);
	return out;
}

char *row_text(const char *table, const char *row, uint32_t line, char *out)
{
	out[0] = '\0';
	if (!table || !*table || !row)
		return out;
	if (line)
		snprintf(out, ROW_TEXT, "%s/%s:%u", table, row, line);
	else
		snprintf(out, ROW_TEXT, "%s/%s", table, row);
	return out;
}

static char *name_and_pid(const char *name, uint32_t pid, char *out)
{
	out[0] = '\0';
	if (pid)
		snprintf(out, CLEAN_TEXT, "%s (%u)", name, pid);
	return out;
}

char *process_text(const struct process_view *process, char *out)
{
	return name_and_pid(process->name, process->pid, out);
}

char *parent_text(const struct process_view *process, char *out)
{
	return name_and_pid(process->parent_name, process->parent_pid, out);
}

char *endpoint_text(const uint8_t address[16], uint32_t port, bool with_port, char out[64])
{
	struct addr addr;
	bool brackets;
	char *at = out;

	memcpy(addr.b, address, sizeof(addr.b));
	brackets = with_port && !addr_is_v4(&addr);
	if (brackets)
		*at++ = '[';
	at += strlen(addr_text(&addr, at));
	if (brackets)
		*at++ = ']';
	if (with_port) {
		*at++ = ':';
		number_append(at, port);
	}
	return out;
}

void print_process(struct table *table, const struct process_view *process)
{
	char text[CLEAN_TEXT];

	table_cell(table, COLOUR_NONE, process_text(process, text));
	number_append(text, process->uid);
	table_cell(table, COLOUR_NONE, process->known ? text : NULL);
	table_cell(table, COLOUR_NONE, parent_text(process, text));
	snprintf(text, sizeof(text), "%.19sZ", time_text(process->started, text + TIME_TEXT));
	table_cell(table, COLOUR_NONE, process->started ? text : NULL);
}

const char *answers_text(struct arena *arena, const struct expectation *e)
{
	const char *word = answers_name(e->answers);

	return e->default_of ? arena_printf(arena, "%s (default of %s)", word, e->default_of)
			     : word;
}

/* Of any subnet that a host can have; which ones it has is known there. */
static bool ends_as_broadcast(const struct addr *addr)
{
	return addr_is_v4(addr) && (addr_v4(addr) & 3) == 3;
}

static const char *egress_text(const struct ruleset *rs, const struct tuple *question,
			       const struct expectation *e)
{
	struct arena *arena = rs->arena;
	char peer[ADDR_TEXT];

	addr_text(&question->peer, peer);
	switch (e->answers) {
	case FR_ANSWERS_GROUP:
		return e->of_many ? "any peer of the rule, or any address of the local subnets"
				  : "any peer of the rule";
	case FR_ANSWERS_PEER_ANY_PORT:
		return e->of_many ? "nobody: a group or broadcast address never sends"
				  : arena_printf(arena, "%s, any port", peer);
	default:
		return arena_printf(arena, "%s port %u alone%s", peer, question->port,
				    e->default_of && !rs->local.count &&
						    ends_as_broadcast(&question->peer)
					    ? ", or where that is the broadcast address of a local "
					      "subnet, any address of it"
					    : "");
	}
}

static const char *ingress_text(const struct expectation *e)
{
	switch (e->answers) {
	case FR_ANSWERS_GROUP:
		return "the address that was asked, any port; where that is a group or broadcast "
		       "address, any address of this host";
	case FR_ANSWERS_PEER_ANY_PORT:
		return "the address that was asked, any port";
	default:
		return e->default_of ? "the port that was asked alone; where a group or broadcast "
				       "address was asked, any port and address of this host"
				     : "the address and port that was asked alone";
	}
}

const char *answers_from_text(const struct ruleset *rs, const struct tuple *question,
			      const struct expectation *e)
{
	if (question->dir == FR_EGRESS)
		return egress_text(rs, question, e);
	return ingress_text(e);
}

json_t *json_answers(const struct expectation *e)
{
	json_t *value = json_object();

	json_object_set_new(value, "mode", json_string(answers_name(e->answers)));
	json_object_set_new(value, "default_of", json_words(e->default_of));
	return value;
}

json_t *json_answer_hint(const struct answer_hint *hint)
{
	json_t *value;

	if (!hint)
		return json_null();
	value = json_object();
	json_object_set_new(value, "rule", json_words(hint->rule));
	json_object_set_new(value, "write", json_words(hint->key));
	json_object_set_new(value, "why", json_words(hint->text));
	return value;
}
