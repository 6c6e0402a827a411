/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who may answer a question over UDP, in words and as JSON.
 */
#include "print.h"

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
