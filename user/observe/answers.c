/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Refused datagrams that look like answers: to the address and port of a flow that asked, from
 * another port, address or device than it asked; or from where a rule admits questions that the
 * policy has not seen.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- questions */

static uint16_t asker_port(const struct fr_flow_key *key, uint8_t opener)
{
	return opener == FR_EGRESS ? key->local_port : key->peer_port;
}

static const uint8_t *asker_address(const struct fr_flow_key *key, uint8_t opener)
{
	return opener == FR_EGRESS ? key->local : key->peer;
}

static int question_order(const void *left, const void *right)
{
	const struct question *a = left, *b = right;

	if (a->opener != b->opener)
		return a->opener < b->opener ? -1 : 1;
	if (asker_port(&a->key, a->opener) != asker_port(&b->key, b->opener))
		return asker_port(&a->key, a->opener) < asker_port(&b->key, b->opener) ? -1 : 1;
	return memcmp(asker_address(&a->key, a->opener), asker_address(&b->key, b->opener),
		      sizeof(a->key.local));
}

static void question_add(struct answer_hints *hints, const struct question *question)
{
	hints->list = arena_grow(hints->arena, hints->list, hints->count, &hints->capacity,
				 sizeof(*hints->list));
	hints->list[hints->count++] = *question;
}

static void questions_sort(struct answer_hints *hints)
{
	if (hints->count)
		qsort(hints->list, hints->count, sizeof(*hints->list), question_order);
}

/* Of a rule, or of a default that allows. */
static int on_flow(const struct flow_view *flow, void *context)
{
	struct answer_hints *hints = context;

	if (flow->key.proto != PROTO_UDP || flow->flow.flags & FR_FLOW_WOULD_DROP ||
	    (flow->flow.reason != FR_REASON_RULE && flow->flow.reason != FR_REASON_DEFAULT))
		return 0;
	question_add(hints,
		     &(struct question){.key = flow->key,
					.opener = flow->flow.opener,
					.scope = names_scope(&hints->names, flow->key.scope)});
	return 0;
}

static unsigned mask_length(const uint8_t mask[16])
{
	unsigned length = 0;

	for (int i = 0; i < 16; i++)
		length += (unsigned)__builtin_popcount(mask[i]);
	return length;
}

static void subnets_of_image(struct answer_hints *hints, const struct fr_subnet *subnets)
{
	struct prefix *list = arena_alloc(hints->arena, FR_SUBNETS * sizeof(*list));
	size_t count = 0;

	for (; count < FR_SUBNETS && subnets[count].mask[0]; count++) {
		memcpy(list[count].addr.b, subnets[count].address, sizeof(list->addr.b));
		list[count].length = (uint8_t)mask_length(subnets[count].mask);
	}
	hints->local = (struct subnets){list, count};
}

static uint64_t netns_of_hooks(const struct names *names)
{
	for (uint32_t i = 0; i < names->hook_count; i++)
		if (names->hooks[i].used && names->hooks[i].netns)
			return names->hooks[i].netns;
	return 0;
}

/* As apply would find them now. */
static int subnets_of_devices(struct answer_hints *hints)
{
	struct diags unseen = {.arena = hints->arena};
	struct prefix *list;
	size_t count;
	int err =
		hooks_subnets(hints->names.hooks, hints->names.hook_count, &unseen, &list, &count);

	if (!err)
		hints->local = (struct subnets){list, count};
	return err;
}

static int read_host(struct answer_hints *hints)
{
	const struct fr_subnet *subnets = image_subnets(&hints->image);
	int err = host_ports_given_out(&hints->given_out);

	if (err || !subnets)
		return err ? err : subnets_of_devices(hints);
	subnets_of_image(hints, subnets);
	return 0;
}

/* The subnets and the ports of this host, in the namespace of the policy's devices. Of one that is
 * gone, with all of its devices, or cannot be reached, there are none. */
static int host_read(struct answer_hints *hints, const struct instance *instance, struct diags *d)
{
	uint64_t netns = netns_of_hooks(&hints->names);
	int back = -1, err = netns ? netns_enter(netns, &back) : 0;

	if (err == -ESRCH) {
		port_set_usual(&hints->given_out);
		return 0;
	}
	if (!err)
		err = read_host(hints);
	if (netns)
		netns_leave(&back);
	if (err)
		return diag_error(d, NO_LOC, err, "ports-unreadable", NULL,
				  "the subnets and ports (ip_local_port_range) of the network "
				  "namespace of policy %s cannot be read: %s",
				  instance->name, error_text(err));
	return 0;
}

static void decide_by_image(const void *policy, const struct tuple *tuple, struct decision *out)
{
	image_decide(policy, tuple, out);
}

int hints_open(const struct instance *instance, struct arena *arena, struct diags *d,
	       struct answer_hints *out)
{
	struct answer_hints hints = {.arena = arena};
	int err = instance_image(instance, &hints.image);

	if (err)
		return diag_error(d, NO_LOC, err, "pins-broken",
				  instance_heal_command(instance, err, d->arena),
				  "the image of policy %s cannot be read: %s", instance->name,
				  error_text(err));
	err = names_open(instance, d, &hints.names);
	if (err) {
		image_unmap(&hints.image);
		return err;
	}
	err = host_read(&hints, instance, d);
	if (!err)
		err = flows_each_known(instance, d, on_flow, &hints);
	if (err) {
		hints_close(&hints);
		return err;
	}
	questions_sort(&hints);
	*out = hints;
	out->by = (struct decider){decide_by_image, &out->image, &out->local};
	return 0;
}

void hints_close(struct answer_hints *hints)
{
	names_close(&hints->names);
	image_unmap(&hints->image);
}

/* ---------------------------------------------------------------- which question */

/* The nearest last. */
enum relation {
	UNRELATED,
	OTHER_PEER, /* to the port that asked, from an address that may not answer */
	OTHER_DEVICE,
	OTHER_ADDRESS, /* `answers: group` admits it */
	OTHER_PORT,    /* `answers: peer-any-port` does */
	ADMITTED,      /* the policy in force does */
};

static struct datagram datagram_of(const struct fr_flow_key *key)
{
	struct datagram datagram = {.local_port = key->local_port, .peer_port = key->peer_port};

	memcpy(datagram.local.b, key->local, sizeof(key->local));
	memcpy(datagram.peer.b, key->peer, sizeof(key->peer));
	return datagram;
}

/* The key of a refusal leaves the port of its sender out. */
static struct datagram datagram_of_drop(const struct drop_view *drop)
{
	struct datagram datagram = datagram_of(&drop->key);

	if (drop->drop.dir == FR_INGRESS)
		datagram.peer_port = drop->drop.opener_port;
	else
		datagram.local_port = drop->drop.opener_port;
	return datagram;
}

static bool are_guests(uint32_t one, uint32_t other)
{
	return FR_SCOPE_KIND(one) == FR_KIND_GUEST && FR_SCOPE_KIND(other) == FR_KIND_GUEST;
}

static bool is_reverse(const struct datagram *question, const struct datagram *answer)
{
	return addr_equal(&question->local, &answer->local) &&
	       addr_equal(&question->peer, &answer->peer) &&
	       question->local_port == answer->local_port &&
	       question->peer_port == answer->peer_port;
}

/* A port that a socket was given, not that of a service. */
static bool is_given_out(const struct answer_hints *hints, const struct question *question)
{
	uint16_t port = asker_port(&question->key, question->opener);

	return question->opener == FR_EGRESS ? port_set_has(&hints->given_out, port)
					     : port >= PORTS_GIVEN_OUT;
}

/* As the policy in force judges the question, with other answers than it has. */
static enum relation relation_of(const struct answer_hints *hints, const struct question *question,
				 const struct drop_view *drop, struct decision *decision)
{
	const struct decider *by = &hints->by;
	struct datagram asked = datagram_of(&question->key), answer = datagram_of_drop(drop);
	uint8_t dir = question->opener;

	if (question->key.vlan != drop->key.vlan || !question_passes(by, dir, &asked, decision))
		return UNRELATED;
	/* sendmsg of a socket that is bound to no address does not name one. */
	if (dir == FR_INGRESS && addr_is_unspecified(&answer.local))
		answer.local = asked.local;
	if (question->key.scope != drop->key.scope)
		return are_guests(question->key.scope, drop->key.scope) &&
				       (is_reverse(&asked, &answer) ||
					question_answered(by, dir, &asked, &answer,
							  decision->answers))
			       ? OTHER_DEVICE
			       : UNRELATED;
	if (question_answered(by, dir, &asked, &answer, decision->answers))
		return ADMITTED;
	if (question_answered(by, dir, &asked, &answer, FR_ANSWERS_PEER_ANY_PORT))
		return OTHER_PORT;
	if (question_answered(by, dir, &asked, &answer, FR_ANSWERS_GROUP))
		return OTHER_ADDRESS;
	return is_given_out(hints, question) ? OTHER_PEER : UNRELATED;
}

/* The first question of this asker's address and port; NULL: none. */
static const struct question *question_first(const struct answer_hints *hints,
					     const struct question *wanted)
{
	const struct question *at = NULL;

	if (hints->count)
		at = bsearch(wanted, hints->list, hints->count, sizeof(*wanted), question_order);
	while (at && at > hints->list && !question_order(at - 1, wanted))
		at--;
	return at;
}

struct found {
	const struct question *question; /* NULL: none */
	enum relation relation;
	struct decision decision; /* about the question */
};

/* Keeps the question of this asker that is related most closely, or the one that was kept. */
static void question_find(const struct answer_hints *hints, const struct question *wanted,
			  const struct drop_view *drop, struct found *found)
{
	const struct question *at = question_first(hints, wanted);
	const struct question *end = hints->list + hints->count;

	for (; at && at < end && !question_order(at, wanted) && found->relation < ADMITTED; at++) {
		struct decision decision;
		enum relation relation = relation_of(hints, at, drop, &decision);

		if (relation > found->relation)
			*found = (struct found){at, relation, decision};
	}
}

/* Who had no address when it asked may have one when it is answered. */
static void question_of_drop(const struct answer_hints *hints, const struct drop_view *drop,
			     struct found *found)
{
	struct question wanted = {.key = drop->key, .opener = !drop->drop.dir};
	struct addr peer = datagram_of(&drop->key).peer;
	size_t at = addr_is_v4(&peer) ? 12 : 0;

	*found = (struct found){.relation = UNRELATED};
	question_find(hints, &wanted, drop, found);
	if (wanted.opener == FR_EGRESS || addr_is_unspecified(&peer))
		return;
	memset(wanted.key.peer + at, 0, sizeof(wanted.key.peer) - at);
	question_find(hints, &wanted, drop, found);
}

/* ---------------------------------------------------------------- what to write */

struct asking {
	const char *id;
	bool own; /* the policy's, not that of a table */
};

static bool image_rule(const struct answer_hints *hints, uint32_t number, struct asking *out)
{
	const struct fr_image_head *head = image_head(&hints->image);
	const uint32_t *words = (const void *)((const char *)hints->image.lines +
					       (size_t)head->slots * FR_LINE_BYTES);
	const struct fr_rule_record *record = NULL;

	if (number >= FR_RULE_FIRST && number < hints->image.rule_count)
		record = names_rule(&hints->names, FR_SLOT(words[number]));
	if (record)
		*out = (struct asking){record->id, !record->table[0]};
	return record;
}

/* False: it is a default, or not known. */
static bool rule_of_number(const struct answer_hints *hints, uint32_t number, struct asking *out)
{
	const struct rule *rule;

	if (!hints->rs)
		return image_rule(hints, number, out);
	rule = ruleset_rule(hints->rs, number);
	if (rule)
		*out = (struct asking){rule->id, !rule_origin(rule)->table};
	return rule;
}

static struct answer_hint *hint_make(const struct answer_hints *hints, const char *rule,
				     const char *key, const char *text)
{
	struct answer_hint *hint = arena_alloc(hints->arena, sizeof(*hint));

	*hint = (struct answer_hint){
		.rule = arena_strdup(hints->arena, rule), .key = key, .text = text};
	return hint;
}

/* A row of a table is not the policy's to change, and a default has no answers. */
static const char *where_to_write(const struct answer_hints *hints, const struct asking *rule)
{
	return rule->own ? arena_printf(hints->arena, "in rule %s", rule->id)
			 : "in a rule of your own for that port";
}

static const struct answer_hint *party_hint(const struct answer_hints *hints, const char *rule,
					    const struct question *question,
					    const struct drop_view *drop)
{
	const char *key = "party";

	if (question->scope && drop->scope)
		key = arena_printf(hints->arena, "party: [%s, %s]", question->scope, drop->scope);
	return hint_make(hints, rule, key,
			 arena_printf(hints->arena,
				      "looks like an answer to rule %s, whose question passed "
				      "another device of the guest: %s lets them share flows",
				      rule, key));
}

static const struct answer_hint *wider_hint(const struct answer_hints *hints,
					    const struct asking *rule, const char *other,
					    const char *key)
{
	return hint_make(hints, rule->id, key,
			 arena_printf(hints->arena,
				      "looks like an answer to rule %s from another %s than was "
				      "asked: %s %s admits it",
				      rule->id, other, key, where_to_write(hints, rule)));
}

/* The policy in force admits it. Either another one refused it, or the question came later, was too
 * long ago, or had to make room. */
static const struct answer_hint *admitted_hint(const struct answer_hints *hints, const char *rule,
					       const struct drop_view *drop)
{
	struct answer_hint *hint = hint_make(
		hints, rule, NULL,
		arena_printf(hints->arena,
			     "looks like an answer to rule %s, which admits it: it came before the "
			     "question or too long after it (see timeouts: udp-oneway), or after "
			     "too many others",
			     rule));

	hint->admitted =
		hints->rs || drop->drop.generation != image_head(&hints->image)->generation;
	return hint;
}

/* Of a recording, whose host is elsewhere. */
static const struct answer_hint *subnets_hint(const struct answer_hints *hints, const char *rule)
{
	return hint_make(hints, rule, NULL,
			 arena_printf(hints->arena,
				      "may be an answer to rule %s from the local subnet, which is "
				      "not known: give it with --local-subnet IF=CIDR",
				      rule));
}

static const struct answer_hint *seen_hint(const struct answer_hints *hints,
					   const struct found *found, const struct drop_view *drop)
{
	static const char *const defaults[] = {"default-egress", "default-ingress"};
	uint8_t opener = found->question->opener;
	struct asking rule = {.id = defaults[opener & 1]};
	const char *text;

	rule_of_number(hints, found->decision.rule, &rule);
	switch (found->relation) {
	case OTHER_PORT:
		return wider_hint(hints, &rule, "port", "answers: peer-any-port");
	case OTHER_ADDRESS:
		return wider_hint(hints, &rule, "address", "answers: group");
	case OTHER_DEVICE:
		return party_hint(hints, rule.id, found->question, drop);
	case ADMITTED:
		return admitted_hint(hints, rule.id, drop);
	default:
		if (hints->rs && !hints->by.local->count)
			return subnets_hint(hints, rule.id);
		text = opener == FR_EGRESS
			       ? "comes to the address and port that asked under rule %s, from none of "
				 "its peers: it passes from one of them, with answers: group"
			       : "goes to the address and port that asked under rule %s, from another "
				 "address or port than was asked: no answers admit it";
		return hint_make(hints, rule.id, NULL, arena_printf(hints->arena, text, rule.id));
	}
}

/* ---------------------------------------------------------------- questions that were not seen */

/* The rule that would admit the question: of two ports, one of which is the asker's own. */
static bool rule_of_question(const struct answer_hints *hints, const struct drop_view *drop,
			     struct asking *out)
{
	uint8_t opener = !drop->drop.dir;
	struct tuple question = {.dir = opener, .proto = PROTO_UDP, .port = drop->drop.opener_port};
	struct decision decision;

	if (drop->drop.opener_port == asker_port(&drop->key, opener))
		return false;
	memcpy(question.peer.b, drop->key.peer, sizeof(question.peer.b));
	hints->by.decide(hints->by.policy, &question, &decision);
	return decision.verdict == FR_PASS && rule_of_number(hints, decision.rule, out);
}

/* The device that has the local address, where it is another one than the attached ones. */
static const char *other_device(const struct answer_hints *hints, const struct drop_view *drop)
{
	struct diags unseen = {.arena = hints->arena};
	uint64_t netns = netns_of_hooks(&hints->names), here;
	struct interfaces all;
	const struct interface *device;
	struct addr local;
	uint32_t ifindex;

	memcpy(local.b, drop->key.local, sizeof(local.b));
	if (host_netns(&here) || here != netns || host_address_device(&local, &ifindex) ||
	    !ifindex || names_interface(&hints->names, ifindex) ||
	    host_interfaces(hints->arena, &unseen, &all.list, &all.count))
		return NULL;
	device = interface_at(&all, ifindex);
	return device ? arena_strdup(hints->arena, device->name) : NULL;
}

static const struct answer_hint *unseen_hint(const struct answer_hints *hints,
					     const struct drop_view *drop)
{
	const char *device = NULL, *key = NULL, *why;
	struct asking rule;

	if (!rule_of_question(hints, drop, &rule))
		return NULL;
	if (!hints->rs && FR_SCOPE_KIND(drop->key.scope) == FR_KIND_INTERFACE)
		device = other_device(hints, drop);
	why = "by a device that is not attached and not by this socket, or longer ago than "
	      "timeouts: udp-oneway";
	if (device) {
		key = arena_printf(hints->arena, "interfaces: %s", device);
		why = arena_printf(
			hints->arena,
			"%s has that address, and this policy does not attach it: add it to interfaces",
			device);
	}
	return hint_make(hints, rule.id, key,
			 arena_printf(hints->arena,
				      "looks like an answer under rule %s to a question that was "
				      "not seen: %s",
				      rule.id, why));
}

const struct answer_hint *hint_find(const struct answer_hints *hints, const struct drop_view *drop)
{
	struct found found;

	if (drop->key.proto != PROTO_UDP ||
	    (drop->drop.reason != FR_REASON_DEFAULT && drop->drop.reason != FR_REASON_RULE))
		return NULL;
	question_of_drop(hints, drop, &found);
	return found.question ? seen_hint(hints, &found, drop) : unseen_hint(hints, drop);
}

/* Its record does not tell the generation: where an answer still is refused, its drop is listed. */
const struct answer_hint *hint_of_flow(const struct answer_hints *hints,
				       const struct flow_view *flow)
{
	struct drop_view drop = {.key = flow->key,
				 .drop = {.dir = flow->flow.opener, .reason = flow->flow.reason},
				 .scope = flow->scope};

	if (!(flow->flow.flags & FR_FLOW_WOULD_DROP))
		return NULL;
	drop.drop.opener_port = asker_port(&flow->key, flow->flow.opener);
	return hint_find(hints, &drop);
}

/* ---------------------------------------------------------------- recorded events */

static struct fr_flow_key event_key(const struct recorded_event *event)
{
	struct fr_flow_key key = {.proto = PROTO_UDP,
				  .scope = recorded_scope(event),
				  .local_port = event->ends.local_port,
				  .peer_port = event->ends.peer_port};

	memcpy(key.local, event->ends.local.b, sizeof(key.local));
	memcpy(key.peer, event->ends.peer.b, sizeof(key.peer));
	return key;
}

static const char *event_scope(const struct recorded_event *event)
{
	return event->kind == FR_KIND_GUEST ? event->interface : NULL;
}

void hints_of_recording(const struct recording *recording, const struct ruleset *rs,
			struct arena *arena, struct answer_hints *out)
{
	*out = (struct answer_hints){.arena = arena, .by = ruleset_decider(rs), .rs = rs};
	port_set_usual(&out->given_out);
	for (size_t i = 0; i < recording->count; i++) {
		const struct recorded_event *event = &recording->list[i];

		if (event->opened && event->tuple.proto == PROTO_UDP &&
		    str_equal(event->policy, rs->name))
			question_add(out, &(struct question){.key = event_key(event),
							     .opener = event->tuple.dir,
							     .scope = event_scope(event)});
	}
	questions_sort(out);
}

const struct answer_hint *hint_of_event(const struct answer_hints *hints,
					const struct recorded_event *event)
{
	struct drop_view drop = {.key = event_key(event),
				 .drop = {.dir = event->tuple.dir, .reason = event->reason},
				 .scope = event_scope(event)};

	if (event->opened || event->tuple.proto != PROTO_UDP)
		return NULL;
	drop.drop.opener_port =
		event->tuple.dir == FR_EGRESS ? drop.key.local_port : drop.key.peer_port;
	return hint_find(hints, &drop);
}
