/* SPDX-License-Identifier: GPL-2.0-only */
/* Filters and orders of `show` and `monitor`. */
#include "filter.h"

#include "internal.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

/* ---------------------------------------------------------------- facts */

static uint32_t listener_port(const struct fr_flow_key *key, uint8_t opener)
{
	if (!proto_has_ports(key->proto))
		return 0;
	return opener == FR_EGRESS ? key->peer_port : key->local_port;
}

static void set_key(struct facts *facts, const struct fr_flow_key *key, uint8_t opener)
{
	memcpy(facts->peer.b, key->peer, sizeof(facts->peer.b));
	facts->port = listener_port(key, opener);
	facts->direction = dir_name(opener);
}

/* Fields that the views of flows, refused packets and events share. */
#define FACTS_OF_VERDICT(view)                                                                     \
	.verdict = (view)->verdict, .rule = (view)->rule, .table = (view)->table,                  \
	.row = (view)->row, .process = (view)->process.name, .pid = (view)->process.pid

void facts_of_flow(const struct flow_view *view, struct facts *out)
{
	*out = (struct facts){
		FACTS_OF_VERDICT(view),
		.first = view->first,
		.last = view->last,
	};
	for (int dir = 0; dir < FR_DIRS; dir++) {
		out->packets += view->flow.packets[dir];
		out->bytes += view->flow.bytes[dir];
	}
	set_key(out, &view->key, view->flow.opener);
}

void facts_of_drop(const struct drop_view *view, struct facts *out)
{
	struct tuple tuple;

	*out = (struct facts){
		FACTS_OF_VERDICT(view),	       .first = view->first,	  .last = view->last,
		.packets = view->drop.packets, .bytes = view->drop.bytes,
	};
	tuple = drop_tuple(view);
	out->peer = tuple.peer;
	out->port = proto_has_ports(tuple.proto) ? tuple.port : 0;
	out->direction = dir_name(tuple.dir);
}

/* A rule's packets are those of every verdict; the counters are not read at one moment. */
static uint64_t passed(const struct fr_counters *totals)
{
	uint64_t refused = totals->drops + totals->would_drops;

	return totals->packets > refused ? totals->packets - refused : 0;
}

void facts_of_rule(const struct rule_view *view, struct facts *out)
{
	*out = (struct facts){
		.rule = view->id,
		.table = view->table,
		.row = view->row,
		.direction = view->dir,
		.verdicts = {[FR_PASS] = passed(&view->totals),
			     [FR_DROP] = view->totals.drops,
			     [FR_WOULD_DROP] = view->totals.would_drops},
		.first = view->since,
		.last = view->last,
		.packets = view->totals.packets,
		.bytes = view->totals.bytes,
	};
}

void facts_of_event(const struct event_view *view, struct facts *out)
{
	*out = (struct facts){
		FACTS_OF_VERDICT(view),
		.first = view->time,
		.last = view->time,
	};
	set_key(out, &view->event.key, view->event.dir);
}

/* ---------------------------------------------------------------- parsing */

static const struct {
	const char *word;
	enum filter_key key;
	const char *expected;
} keys[] = {
	{"peer", FILTER_PEER, "an address or a prefix: peer 10.0.0.0/8"},
	{"port", FILTER_PORT, "a port or a range: port 443, port 1024-1064"},
	{"verdict", FILTER_VERDICT, "pass, drop or would-drop"},
	{"rule", FILTER_RULE, "the id of a rule, or a pattern: rule 'aws-*'"},
	{"row", FILTER_ROW, "a row, with or without its table: row aws-datasync/nfs"},
	{"process", FILTER_PROCESS, "the name of a process, or its number: process rsync"},
	{"direction", FILTER_DIRECTION, "egress or ingress"},
	{"since", FILTER_SINCE, "how long ago: since 90s, 10m, 2h, 5d"},
};

struct parser {
	struct diags *d;
	struct source *source;
	const char *at; /* behind the last word */
	const char *word;
	struct loc place; /* of the word, or of the end */
	uint32_t allowed;
};

static int refuse(struct parser *p, const char *expected, const char *message)
{
	return diag_error(p->d, p->place, -EINVAL, "filter", expected, "%s", message);
}

/* The next word, or NULL at the end. */
static const char *next_word(struct parser *p)
{
	const char *begin = p->at + strspn(p->at, " \t\n");
	size_t length = strcspn(begin, " \t\n");

	p->place = (struct loc){.source = p->source,
				.line = 1,
				.column = (uint32_t)(begin - p->source->text) + 1,
				.length = length ? (uint32_t)length : 1};
	p->at = begin + length;
	p->word = length ? arena_strndup(p->d->arena, begin, length) : NULL;
	return p->word;
}

static const char *key_words(struct parser *p)
{
	const char *list = "one of", *between = ": ";

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!(keys[i].key & p->allowed))
			continue;
		list = arena_printf(p->d->arena, "%s%s%s", list, between, keys[i].word);
		between = ", ";
	}
	return list;
}

static int refuse_key(struct parser *p)
{
	const char *words[ARRAY_SIZE(keys)], *near;

	if (!p->word)
		return refuse(p, key_words(p), "the filter ends where a term should follow");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		words[i] = keys[i].word;
	near = nearest_word(p->word, words, ARRAY_SIZE(keys));
	return refuse(p,
		      near ? arena_printf(p->d->arena, "did you mean '%s'?", near) : key_words(p),
		      arena_printf(p->d->arena, "'%s' is nothing to select by", p->word));
}

static bool parse_ports(const char *word, struct filter_term *term)
{
	char first[8] = "";
	const char *dash = strchr(word, '-');
	uint64_t from, to;
	const char *second = dash ? dash + 1 : word;
	size_t length = dash ? (size_t)(dash - word) : strlen(word);

	if (length >= sizeof(first))
		return false;
	memcpy(first, word, length);
	if (parse_u64(first, 65535, &from) || parse_u64(second, 65535, &to) || from > to)
		return false;
	term->first = (uint32_t)from;
	term->last = (uint32_t)to;
	return true;
}

static bool parse_age(const char *word, struct filter_term *term)
{
	static const char units[] = "smhd";
	static const uint64_t seconds[] = {1, 60, 3600, 86400};
	size_t digits = strspn(word, "0123456789");
	const char *unit = word[digits] ? strchr(units, word[digits]) : NULL;
	char number[12] = "";

	if (!digits || digits >= sizeof(number) || !unit || word[digits + 1])
		return false;
	memcpy(number, word, digits);
	if (parse_u64(number, UINT32_MAX, &term->seconds))
		return false;
	term->seconds *= seconds[unit - units];
	return true;
}

static bool is_among(const char *word, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_equal(word, list[i]))
			return true;
	return false;
}

static bool parse_value(const char *word, struct filter_term *term)
{
	static const char *const verdicts[] = {"pass", "drop", "would-drop"};

	term->text = word;
	switch (term->key) {
	case FILTER_PEER:
		return prefix_parse(word, &term->peer) == NET_OK;
	case FILTER_PORT:
		return parse_ports(word, term);
	case FILTER_VERDICT:
		return is_among(word, verdicts, ARRAY_SIZE(verdicts));
	case FILTER_DIRECTION:
		return is_among(word, dir_names, FR_DIRS);
	case FILTER_SINCE:
		return parse_age(word, term);
	default:
		return true;
	}
}

static size_t key_find(const char *word)
{
	size_t at = 0;

	while (at < ARRAY_SIZE(keys) && !str_equal(keys[at].word, word))
		at++;
	return at;
}

static int parse_term(struct parser *p, struct filter_term *term)
{
	size_t key = key_find(next_word(p));
	const char *word;

	if (key == ARRAY_SIZE(keys))
		return refuse_key(p);
	if (!(keys[key].key & p->allowed))
		return refuse(p, key_words(p),
			      arena_printf(p->d->arena, "a rule has no %s", keys[key].word));
	term->key = keys[key].key;
	word = next_word(p);
	if (!word)
		return refuse(p, keys[key].expected,
			      arena_printf(p->d->arena, "'%s' needs a value", keys[key].word));
	if (!parse_value(word, term))
		return refuse(p, keys[key].expected,
			      arena_printf(p->d->arena, "'%s' is no %s", word, keys[key].word));
	return 0;
}

bool filter_begins(const char *word)
{
	size_t length = strcspn(word, " \t");

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strlen(keys[i].word) == length && !memcmp(keys[i].word, word, length))
			return true;
	return word[length] != '\0';
}

int filter_parse(const char *text, uint32_t allowed, struct diags *d, struct filter *out)
{
	struct source *source = arena_alloc(d->arena, sizeof(*source));
	struct parser p = {.d = d, .source = source, .at = text, .allowed = allowed};
	struct filter_term *terms = arena_alloc(d->arena, (strlen(text) / 2 + 1) * sizeof(*terms));
	size_t count = 0;
	int err;

	*source = (struct source){.name = "filter", .text = text, .size = strlen(text)};
	for (;;) {
		err = parse_term(&p, &terms[count++]);
		if (err)
			return err;
		if (!next_word(&p))
			break;
		if (!str_equal(p.word, "and"))
			return refuse(&p, "'and' between two terms, or the end",
				      arena_printf(d->arena, "'%s' is not expected here", p.word));
	}
	*out = (struct filter){terms, count};
	return 0;
}

/* ---------------------------------------------------------------- selecting */

static bool has_verdict(const struct facts *facts, const char *word)
{
	if (facts->verdict)
		return str_equal(facts->verdict, word);
	for (uint32_t verdict = 0; verdict < FR_VERDICTS; verdict++)
		if (facts->verdicts[verdict] && str_equal(verdict_name(verdict), word))
			return true;
	return false;
}

static bool has_row(const struct facts *facts, const char *word)
{
	size_t length = facts->table ? strlen(facts->table) : 0;

	if (!facts->row || !*facts->row)
		return false;
	return str_equal(facts->row, word) ||
	       (length && !strncmp(word, facts->table, length) && word[length] == '/' &&
		str_equal(word + length + 1, facts->row));
}

static bool has_process(const struct facts *facts, const char *word)
{
	uint64_t pid;

	if (!facts->pid)
		return false;
	return !fnmatch(word, facts->process, 0) ||
	       (!parse_u64(word, UINT32_MAX, &pid) && pid == facts->pid);
}

static bool term_holds(const struct filter_term *term, const struct facts *facts, uint64_t now)
{
	switch (term->key) {
	case FILTER_PEER:
		return prefix_has(&term->peer, &facts->peer);
	case FILTER_PORT:
		return facts->port >= term->first && facts->port <= term->last;
	case FILTER_VERDICT:
		return has_verdict(facts, term->text);
	case FILTER_RULE:
		return facts->rule && !fnmatch(term->text, facts->rule, 0);
	case FILTER_ROW:
		return has_row(facts, term->text);
	case FILTER_PROCESS:
		return has_process(facts, term->text);
	case FILTER_DIRECTION:
		return str_equal(facts->direction, term->text) ||
		       str_equal(facts->direction, "both");
	case FILTER_SINCE:
		return facts->last &&
		       (facts->last >= now || (now - facts->last) / 1000000000 < term->seconds);
	default:
		return true;
	}
}

bool filter_has(const struct filter *filter, const struct facts *facts, uint64_t now)
{
	for (size_t i = 0; i < filter->count; i++)
		if (!term_holds(&filter->terms[i], facts, now))
			return false;
	return true;
}

/* ---------------------------------------------------------------- orders */

static const char *const orders[] = {
	[ORDER_LAST] = "last",	 [ORDER_FIRST] = "first", [ORDER_PACKETS] = "packets",
	[ORDER_BYTES] = "bytes", [ORDER_PEER] = "peer",	  [ORDER_PORT] = "port",
	[ORDER_RULE] = "rule"};
const char order_words[] = "last, first, packets, bytes, peer, port or rule";

enum order order_parse(const char *word)
{
	for (size_t i = 1; i < ARRAY_SIZE(orders); i++)
		if (str_equal(word, orders[i]))
			return (enum order)i;
	return ORDER_NONE;
}

static int descending(uint64_t a, uint64_t b)
{
	if (a == b)
		return 0;
	return a < b ? 1 : -1;
}

int facts_compare(const struct facts *a, const struct facts *b, enum order order)
{
	switch (order) {
	case ORDER_LAST:
		return descending(a->last, b->last);
	case ORDER_FIRST:
		return descending(a->first, b->first);
	case ORDER_PACKETS:
		return descending(a->packets, b->packets);
	case ORDER_BYTES:
		return descending(a->bytes, b->bytes);
	case ORDER_PEER:
		return memcmp(a->peer.b, b->peer.b, sizeof(a->peer.b));
	case ORDER_PORT:
		return descending(b->port, a->port);
	case ORDER_RULE:
		return strcmp(a->rule, b->rule);
	default:
		return 0;
	}
}
