/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An edit for each refused tuple: its peer joins the role of the row that fits, or gets a rule of
 * its own that allows its ports and nothing else.
 */
#include "policy.h"
#include "../yaml/yaml.h"

#include <string.h>

/* The comment of a rule lists at most so many observed services. */
enum { SEEN_MOST = 8 };

/* Text that grows by doubling: a scan of all ports must not cost its square. */
struct growing_text {
	char *at;
	size_t length, capacity;
};

/* A new rule in the making: the ports of one peer in one direction. */
struct learned {
	struct learned *next;
	bool written;
	uint8_t dir;
	struct addr peer;
	const char *id;
	struct growing_text seen, ports;
	size_t port_count;
};

/* One proposal of an address for a role. */
struct joined {
	const struct proposal *proposal;
	struct joined *next;
};

/* What is proposed for one address. */
struct learned_peer {
	struct joined *first, **end;
	struct learned *rules[FR_DIRS];
};

struct proposing {
	const struct ruleset *rs;
	const struct propose_options *options;
	struct edit *edit;
	struct proposal *list;
	size_t count;
	struct index peers; /* struct learned_peer by address */
	struct learned *first, **end;
	unsigned number; /* of the last id given */
};

static struct learned_peer *peer_of(struct proposing *p, const struct addr *address)
{
	char text[ADDR_TEXT];
	const struct learned_peer *known = index_get(&p->peers, addr_text(address, text));
	struct learned_peer *peer;

	if (known)
		return (struct learned_peer *)known;
	peer = arena_alloc(p->edit->arena, sizeof(*peer));
	peer->end = &peer->first;
	index_insert(&p->peers, arena_strdup(p->edit->arena, text), peer);
	return peer;
}

static bool admits(const struct rule *rule, const struct tuple *tuple)
{
	return rule->action != FR_DENY && !rule->needs_local && rule_serves(rule, tuple);
}

static bool same_role(const struct rule *a, const struct rule *b)
{
	return a->role && b->role && str_equal(a->role, b->role) && a->loc.line == b->loc.line &&
	       a->loc.column == b->loc.column;
}

/* A staged deny rule: its author does not want its traffic allowed. */
static const struct rule *staged_denial(const struct ruleset *rs, const struct tuple *tuple)
{
	for (size_t i = 0; i < rs->rule_count; i++)
		if (rs->rules[i].staged && rule_serves(&rs->rules[i], tuple) &&
		    rule_has_peer(&rs->rules[i], &tuple->peer))
			return &rs->rules[i];
	return NULL;
}

static const struct rule *rule_named(const struct ruleset *rs, const char *id, uint8_t dir)
{
	for (size_t i = 0; i < rs->rule_count; i++)
		if (rs->rules[i].dir == dir && str_equal(rs->rules[i].id, id))
			return &rs->rules[i];
	return NULL;
}

/* ---------------------------------------------------------------- a peer joins a role */

/* Another proposal puts this peer into a role by which this tuple is allowed as well. */
static bool join_other(struct proposing *p, struct proposal *proposal)
{
	for (struct joined *at = peer_of(p, &proposal->tuple.peer)->first; at; at = at->next) {
		const struct proposal *other = at->proposal;
		const struct rule *joined = rule_named(p->rs, other->rule, other->tuple.dir);

		for (size_t i = 0; joined && i < p->rs->rule_count; i++) {
			const struct rule *rule = &p->rs->rules[i];

			if (!same_role(rule, joined) || !admits(rule, &proposal->tuple))
				continue;
			proposal->kind = PROPOSAL_PEER;
			proposal->fit_count = 0;
			proposal->again = true;
			proposal->rule = rule->id;
			proposal->role = other->role;
			proposal->address = other->address;
			return true;
		}
	}
	return false;
}

static void collect_gains(struct proposing *p, struct proposal *proposal, const struct rule *fits)
{
	const char **gains = NULL;
	size_t capacity = 0;

	for (size_t i = 0; i < p->rs->rule_count; i++) {
		const struct rule *rule = &p->rs->rules[i];

		if (rule == fits || !same_role(rule, fits) ||
		    rule_has_peer(rule, &proposal->tuple.peer))
			continue;
		gains = arena_grow(p->edit->arena, gains, proposal->gain_count, &capacity,
				   sizeof(*gains));
		gains[proposal->gain_count++] = rule->id;
	}
	proposal->gains = gains;
}

/* Whether the two share a /24, or by IPv6 a /64. */
static bool is_near(const struct prefix *entry, const struct addr *peer)
{
	struct prefix near = *entry;
	unsigned length = prefix_is_v4(entry) ? 96 + 24 : 64;

	if (addr_is_v4(peer) != prefix_is_v4(entry))
		return false;
	if (near.length > length) {
		near.length = length;
		near.addr = addr_from_halves(addr_high(&near.addr) & mask_high(length),
					     addr_low(&near.addr) & mask_low(length));
	}
	return prefix_has(&near, peer);
}

static bool has_near(const struct rule *rule, const struct addr *peer)
{
	for (size_t i = 0; i < rule->peer_count; i++)
		if (is_near(&rule->peers[i], peer))
			return true;
	return false;
}

static bool fits(const struct rule *rule, const struct tuple *tuple, bool any_port)
{
	return rule->role && admits(rule, tuple) && !rule_has_peer(rule, &tuple->peer) &&
	       rule_serves_any_port(rule, tuple) == any_port;
}

/* The roles to which the peer may belong, one rule of each. */
static void collect_fits(struct proposing *p, struct proposal *proposal, bool any_port)
{
	const struct rule **list = NULL;
	size_t capacity = 0;

	for (size_t i = 0; i < p->rs->rule_count; i++) {
		const struct rule *rule = &p->rs->rules[i];
		bool again = false;

		for (size_t j = 0; j < proposal->fit_count && !again; j++)
			again = same_role(list[j], rule);
		if (again || !fits(rule, &proposal->tuple, any_port))
			continue;
		list = arena_grow(p->edit->arena, list, proposal->fit_count, &capacity,
				  sizeof(*list));
		list[proposal->fit_count++] = rule;
	}
	proposal->fits = list;
}

/* One role fits, and its list has an address of the same network: another peer of the same kind.
 * Whoever else joined a role would be admitted by all its rows. A row for any port says nothing
 * of its role where another fits. */
static bool propose_peer(struct proposing *p, struct proposal *proposal)
{
	struct learned_peer *peer = peer_of(p, &proposal->tuple.peer);
	const struct rule *rule;
	char address[ADDR_TEXT];

	collect_fits(p, proposal, false);
	if (!proposal->fit_count)
		collect_fits(p, proposal, true);
	if (proposal->fit_count != 1)
		return false;
	rule = proposal->fits[0];
	proposal->near = has_near(rule, &proposal->tuple.peer);
	addr_text(&proposal->tuple.peer, address);
	if (!proposal->near || !edit_add_peer(p->edit, &rule->loc, rule->role, address))
		return false;
	proposal->kind = PROPOSAL_PEER;
	proposal->rule = rule->id;
	proposal->role = rule->role;
	proposal->address = arena_strdup(p->edit->arena, address);
	collect_gains(p, proposal, rule);
	*peer->end = arena_alloc(p->edit->arena, sizeof(**peer->end));
	(*peer->end)->proposal = proposal;
	peer->end = &(*peer->end)->next;
	return true;
}

/* ---------------------------------------------------------------- a rule of its own */

static const char *new_id(struct proposing *p, uint8_t dir)
{
	const char *id;

	do
		id = arena_printf(p->edit->arena, "learned-%u", ++p->number);
	while (rule_named(p->rs, id, dir));
	return id;
}

static const char *service_word(struct proposing *p, const struct tuple *tuple)
{
	struct service service = service_one(tuple->proto, tuple->port);
	char text[SERVICE_TEXT];

	return arena_strdup(p->edit->arena, service_text(&service, text));
}

static void append_char(struct arena *arena, struct growing_text *text, char c)
{
	text->at = arena_grow(arena, text->at, text->length, &text->capacity, sizeof(*text->at));
	text->at[text->length++] = c;
}

static void append_word(struct arena *arena, struct growing_text *text, const char *mark,
			const char *word)
{
	for (const char *at = text->length ? mark : ""; *at; at++)
		append_char(arena, text, *at);
	for (const char *at = word; *at; at++)
		append_char(arena, text, *at);
	append_char(arena, text, '\0');
	text->length--;
}

/* The observed traffic, and the roles that its peer may play. */
static void add_seen(struct arena *arena, struct learned *rule, const struct proposal *proposal)
{
	append_word(arena, &rule->seen, "; ", proposal->seen);
	for (size_t i = 0; i < proposal->fit_count; i++) {
		append_word(arena, &rule->seen, "", i ? ", peers." : ", fits peers.");
		append_word(arena, &rule->seen, "", proposal->fits[i]->role);
	}
}

static void add_service(struct proposing *p, struct learned *rule, const struct proposal *proposal)
{
	append_word(p->edit->arena, &rule->ports, ", ", service_word(p, &proposal->tuple));
	if (rule->port_count++ < SEEN_MOST)
		add_seen(p->edit->arena, rule, proposal);
}

static void propose_rule(struct proposing *p, struct proposal *proposal)
{
	struct learned_peer *peer = peer_of(p, &proposal->tuple.peer);
	struct learned *rule = peer->rules[proposal->tuple.dir];

	if (!rule) {
		rule = arena_alloc(p->edit->arena, sizeof(*rule));
		*rule = (struct learned){.dir = proposal->tuple.dir,
					 .peer = proposal->tuple.peer,
					 .id = new_id(p, proposal->tuple.dir)};
		peer->rules[proposal->tuple.dir] = rule;
		*p->end = rule;
		p->end = &rule->next;
	}
	add_service(p, rule, proposal);
	proposal->rule = rule->id;
}

static const char *seen_of(struct proposing *p, const struct learned *rule)
{
	if (rule->port_count <= SEEN_MOST)
		return arena_printf(p->edit->arena, "seen: %s", rule->seen.at);
	return arena_printf(p->edit->arena, "seen: %s; and %zu more", rule->seen.at,
			    rule->port_count - SEEN_MOST);
}

static bool write_rule(struct proposing *p, const struct learned *rule)
{
	char address[ADDR_TEXT];
	const char *quote;

	addr_text(&rule->peer, address);
	quote = strchr(address, ':') ? "\"" : "";
	return edit_add_rule(
		p->edit,
		arena_printf(p->edit->arena,
			     "{id: %s, direction: %s, peer: [%s%s%s], ports: [%s], action: allow}",
			     rule->id, dir_name(rule->dir), quote, address, quote, rule->ports.at),
		seen_of(p, rule));
}

static void write_rules(struct proposing *p)
{
	for (struct learned *rule = p->first; rule; rule = rule->next)
		rule->written = write_rule(p, rule);
	for (size_t i = 0; i < p->count; i++) {
		struct proposal *at = &p->list[i];

		if (at->kind != PROPOSAL_RULE ||
		    peer_of(p, &at->tuple.peer)->rules[at->tuple.dir]->written)
			continue;
		at->kind = PROPOSAL_NONE;
		at->why = "the file has no list of rules to extend: write rules: in lines of its "
			  "own";
	}
}

/* ---------------------------------------------------------------- all */

/* A rule names the port, if for other peers. */
static bool is_service(const struct proposing *p, const struct tuple *tuple)
{
	for (size_t i = 0; i < p->rs->rule_count; i++)
		if (rule_serves(&p->rs->rules[i], tuple) &&
		    !rule_serves_any_port(&p->rs->rules[i], tuple))
			return true;
	return false;
}

/* The rule whose question the datagram may answer with these answers, or FR_ANSWERS_DEFAULT: with
 * those that the rule has; or NULL. */
static const struct rule *asker_with(const struct proposing *p, const struct tuple *tuple,
				     uint8_t answers)
{
	for (size_t i = 0; i < p->rs->rule_count; i++) {
		const struct rule *rule = &p->rs->rules[i];
		uint8_t own = rule_answers(rule);

		if (answers == FR_ANSWERS_DEFAULT && own == FR_ANSWERS_DEFAULT)
			continue;
		if (rule_may_await(p->rs, rule, answers == FR_ANSWERS_DEFAULT ? own : answers,
				   tuple))
			return rule;
	}
	return NULL;
}

/* A datagram to a port that was given out: no service, but perhaps an answer. The socket that waits
 * there may be the one that asked. */
static const char *perhaps_answer(const struct proposing *p, const struct tuple *tuple)
{
	static const struct {
		uint8_t answers;
		const char *why;
	} list[] = {
		{FR_ANSWERS_DEFAULT, "it may be an answer to rule %s, before the question or too "
				     "long after it"},
		{FR_ANSWERS_PEER_ANY_PORT,
		 "it may be an answer to rule %s from another port than was asked: answers: "
		 "peer-any-port in it admits that; a service of its own needs a rule that you "
		 "write"},
		{FR_ANSWERS_GROUP,
		 "it may be an answer to rule %s from another address than was asked: answers: "
		 "group in it admits that; a service of its own needs a rule that you write"},
	};
	bool given_out = tuple->dir == FR_INGRESS ? port_set_has(p->options->given_out, tuple->port)
						  : tuple->port >= PORTS_GIVEN_OUT;

	if (tuple->proto != PROTO_UDP || !given_out || is_service(p, tuple))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		const struct rule *rule = asker_with(p, tuple, list[i].answers);

		if (rule)
			return arena_printf(p->edit->arena, list[i].why, rule->id);
	}
	if (tuple->dir == FR_INGRESS && p->rs->default_allow[FR_EGRESS])
		return "it may be an answer to a question that the default lets out; a service of "
		       "its own needs a rule that you write";
	if (tuple->dir == FR_INGRESS && p->options->served &&
	    !port_set_has(p->options->served, tuple->port))
		return "this host gives such ports to sockets that ask for none, and no socket waits "
		       "there; a service needs a rule that you write";
	return NULL;
}

/* PROPOSAL_RULE is not final. */
static void propose(struct proposing *p, struct proposal *proposal)
{
	const char *answer = proposal->answer ?: perhaps_answer(p, &proposal->tuple);
	const struct rule *denies = staged_denial(p->rs, &proposal->tuple);
	struct decision decision;

	ruleset_decide(p->rs, &proposal->tuple, &decision);
	if (denies)
		proposal->why = arena_printf(p->edit->arena, "rule %s denies it, so far in audit",
					     denies->id);
	else if (decision.unknown)
		proposal->why = "it depends on local-subnet, which is not known";
	else if (decision.rule >= FR_RULE_FIRST)
		proposal->why = arena_printf(p->edit->arena,
					     "rule %s of the file decides it once it is applied",
					     ruleset_rule_name(p->rs, decision.rule));
	else if (answer)
		proposal->why = answer;
	else if (p->options->rules_only || (!join_other(p, proposal) && !propose_peer(p, proposal)))
		proposal->kind = PROPOSAL_RULE;
}

void policy_propose(const struct ruleset *rs, const struct propose_options *o, struct edit *edit,
		    struct proposal *list, size_t count)
{
	struct proposing p = {.rs = rs,
			      .options = o,
			      .edit = edit,
			      .list = list,
			      .count = count,
			      .peers.arena = edit->arena};

	p.end = &p.first;
	for (size_t i = 0; i < count; i++)
		propose(&p, &list[i]);
	for (size_t i = 0; i < count; i++)
		if (list[i].kind == PROPOSAL_RULE && (o->rules_only || !join_other(&p, &list[i])))
			propose_rule(&p, &list[i]);
	write_rules(&p);
}
