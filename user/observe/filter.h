/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Selecting and sorting what `show` and `monitor` list: `peer 10.0.0.0/8 and port 443`. A filter is
 * a list of terms that must all hold; it knows flows, refusals, rules and events by their facts.
 */
#ifndef OBSERVE_FILTER_H
#define OBSERVE_FILTER_H

#include "observe.h"

/* The facts that a filter and an order know. NULL and 0 where there are none. */
struct facts {
	const char *verdict, *rule, *table, *row, *process;
	const char *direction;	    /* of the opening; "both" of a rule */
	bool verdicts[FR_VERDICTS]; /* of a rule: those that it has given */
	struct addr peer;
	uint32_t port, pid; /* the listener's port */
	uint64_t first, last, packets, bytes;
};
void facts_of_flow(const struct flow_view *view, struct facts *out);
void facts_of_drop(const struct drop_view *view, struct facts *out);
void facts_of_rule(const struct rule_view *view, struct facts *out);
void facts_of_event(const struct event_view *view, struct facts *out);

/* The keys of a filter, as bits; a rule has fewer. */
enum filter_key {
	FILTER_PEER = 1 << 0,
	FILTER_PORT = 1 << 1,
	FILTER_VERDICT = 1 << 2,
	FILTER_RULE = 1 << 3,
	FILTER_ROW = 1 << 4,
	FILTER_PROCESS = 1 << 5,
	FILTER_DIRECTION = 1 << 6,
	FILTER_SINCE = 1 << 7,
	FILTER_OF_RULES =
		FILTER_VERDICT | FILTER_RULE | FILTER_ROW | FILTER_DIRECTION | FILTER_SINCE,
	FILTER_ALL = FILTER_OF_RULES | FILTER_PEER | FILTER_PORT | FILTER_PROCESS,
};

struct filter_term {
	enum filter_key key;
	const char *text; /* a name or a pattern */
	struct prefix peer;
	uint32_t first, last; /* ports */
	uint64_t seconds;
};
struct filter {
	const struct filter_term *terms;
	size_t count;
};
/* Is this the word that begins a filter, and not the name of a policy? */
bool filter_begins(const char *word);
/* -EINVAL with an error whose caret shows the place, and what was expected there. */
int filter_parse(const char *text, uint32_t keys, struct diags *d, struct filter *out);
bool filter_has(const struct filter *filter, const struct facts *facts, uint64_t now);

/* Largest and latest first, names and addresses in order. */
enum order {
	ORDER_NONE,
	ORDER_LAST,
	ORDER_FIRST,
	ORDER_PACKETS,
	ORDER_BYTES,
	ORDER_PEER,
	ORDER_PORT,
	ORDER_RULE
};
enum order order_parse(const char *word); /* ORDER_NONE: there is none of this name */
extern const char order_words[];	  /* all of them, for a hint */
int facts_compare(const struct facts *a, const struct facts *b, enum order order);

#endif
