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

static const uint8_t *asked_address(const struct fr_flow_key *key, uint8_t opener)
{
	return asker_address(key, !opener);
}

static int question_order(const void *left, const void *right)
{
	const struct question *a = left, *b = right;

	if (a->opener != b->opener)
		return a->opener < b->opener ? -1 : 1;
	if (asker_port(&a->key, a->opener) != asker_port(&b->key, b->opener))
		return asker_port(&a->key, a->opener) < asker_port(&b->key, b->opener) ? -1 : 1;
	return 0;
}

/* Of a rule: the default has no answers to widen. */
static int on_flow(const struct flow_view *flow, void *context)
{
	struct answer_hints *hints = context;
	const struct fr_rule_record *rule = names_rule(&hints->names, flow->flow.slot);

	if (flow->key.proto != PROTO_UDP || flow->flow.flags & FR_FLOW_WOULD_DROP ||
	    flow->flow.reason != FR_REASON_RULE || !rule)
		return 0;
	hints->list = arena_grow(hints->arena, hints->list, hints->count, &hints->capacity,
				 sizeof(*hints->list));
	hints->list[hints->count++] = (struct question){
		.key = flow->key, .slot = flow->flow.slot, .opener = flow->flow.opener};
	return 0;
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
	err = flows_each(instance, d, on_flow, &hints);
	if (err) {
		hints_close(&hints);
		return err;
	}
	if (hints.count)
		qsort(hints.list, hints.count, sizeof(*hints.list), question_order);
	*out = hints;
	return 0;
}

void hints_close(struct answer_hints *hints)
{
	names_close(&hints->names);
	image_unmap(&hints->image);
}

/* ---------------------------------------------------------------- which question */

/* The nearest last. */
enum relation { UNRELATED, OTHER_DEVICE, OTHER_ADDRESS, OTHER_PORT };

static bool same_bytes(const uint8_t a[16], const uint8_t b[16])
{
	return !memcmp(a, b, 16);
}

static bool is_unspecified(const uint8_t address[16])
{
	static const uint8_t none6[16], none4[16] = {[10] = 0xff, [11] = 0xff};

	return same_bytes(address, none4) || same_bytes(address, none6);
}

static enum relation relation_of(const struct question *question, const struct drop_view *drop)
{
	const uint8_t *asker = asker_address(&question->key, question->opener), *answering;

	if (question->key.vlan != drop->key.vlan)
		return UNRELATED;
	if (!same_bytes(asker, asker_address(&drop->key, question->opener)) &&
	    !(question->opener == FR_INGRESS && is_unspecified(asker)))
		return UNRELATED;
	if (question->key.scope != drop->key.scope)
		return FR_SCOPE_KIND(question->key.scope) == FR_KIND_GUEST &&
				       FR_SCOPE_KIND(drop->key.scope) == FR_KIND_GUEST
			       ? OTHER_DEVICE
			       : UNRELATED;
	/* sendmsg of a socket that is bound to no address does not name one. */
	answering = asked_address(&drop->key, question->opener);
	if (is_unspecified(answering) ||
	    same_bytes(asked_address(&question->key, question->opener), answering))
		return OTHER_PORT;
	return OTHER_ADDRESS;
}

static const struct fr_rule_record *rule_of_number(const struct answer_hints *hints,
						   uint32_t number)
{
	const struct fr_image_head *head = image_head(&hints->image);
	const uint32_t *words = (const void *)((const char *)hints->image.lines +
					       (size_t)head->slots * FR_LINE_BYTES);

	if (number < FR_RULE_FIRST || number >= hints->image.rule_count)
		return NULL;
	return names_rule(&hints->names, FR_SLOT(words[number]));
}

/* ON_SUBNET: of this host's devices. MANY: a group, or the broadcast address of one of them. */
enum { ON_SUBNET = 1, MANY = 2 };

static unsigned kind_of_address(const struct answer_hints *hints, const uint8_t address[16])
{
	static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};
	static const uint8_t everybody[4] = {255, 255, 255, 255};
	const struct fr_subnet *subnets = image_subnets(&hints->image);
	bool is_v4 = !memcmp(address, v4, sizeof(v4));
	unsigned found = 0;

	if (is_v4 ? address[12] >> 4 == 14 || !memcmp(address + 12, everybody, 4)
		  : address[0] == 0xff)
		return MANY;
	for (uint32_t i = 0; subnets && i < FR_SUBNETS && subnets[i].mask[0]; i++) {
		unsigned differs = 0, last = 0xff;

		for (int at = 0; at < 16; at++) {
			differs |= (address[at] ^ subnets[i].address[at]) & subnets[i].mask[at];
			last &= address[at] | subnets[i].mask[at];
		}
		if (differs)
			continue;
		found |= ON_SUBNET;
		if (is_v4 && last == 0xff && !(subnets[i].mask[15] & 2))
			found |= MANY;
	}
	return found;
}

/* Would `answers: group` in the rule of the question admit the datagram? */
static bool group_admits(const struct answer_hints *hints, const struct question *question,
			 const struct drop_view *drop)
{
	unsigned asked = kind_of_address(hints, asked_address(&question->key, question->opener));
	struct tuple member = {
		.dir = FR_EGRESS, .proto = PROTO_UDP, .port = question->key.peer_port};
	struct decision decision;

	if (question->opener == FR_INGRESS)
		return asked & MANY;
	memcpy(member.peer.b, drop->key.peer, sizeof(member.peer.b));
	image_decide(&hints->image, &member, &decision);
	if (decision.verdict == FR_PASS &&
	    rule_of_number(hints, decision.rule) == names_rule(&hints->names, question->slot))
		return true;
	return asked & MANY && kind_of_address(hints, drop->key.peer) & ON_SUBNET &&
	       (decision.verdict == FR_PASS || decision.reason != FR_REASON_RULE);
}

/* The question that comes nearest, and how; NULL: none. */
static const struct question *question_find(const struct answer_hints *hints,
					    const struct drop_view *drop, enum relation *out)
{
	const struct question wanted = {.key = drop->key, .opener = !drop->drop.dir};
	const struct question *found = NULL, *at = NULL, *end = hints->list + hints->count;

	*out = UNRELATED;
	if (hints->count)
		at = bsearch(&wanted, hints->list, hints->count, sizeof(wanted), question_order);
	while (at && at > hints->list && !question_order(at - 1, &wanted))
		at--;
	for (; at && at < end && !question_order(at, &wanted); at++) {
		enum relation relation = relation_of(at, drop);

		if (relation == OTHER_ADDRESS && !group_admits(hints, at, drop))
			continue;
		if (relation > *out) {
			*out = relation;
			found = at;
		}
	}
	return found;
}

/* ---------------------------------------------------------------- what to write */

static const struct answer_hint *hint_make(const struct answer_hints *hints,
					   const struct fr_rule_record *rule, const char *key,
					   const char *text)
{
	struct answer_hint *hint = arena_alloc(hints->arena, sizeof(*hint));

	*hint = (struct answer_hint){
		.rule = arena_strdup(hints->arena, rule->id), .key = key, .text = text};
	return hint;
}

/* A row of a table is not the policy's to change. */
static const char *where_to_write(const struct answer_hints *hints,
				  const struct fr_rule_record *rule)
{
	return rule->table[0] ? "in a rule of your own for that port"
			      : arena_printf(hints->arena, "in rule %s", rule->id);
}

static const struct answer_hint *late_hint(const struct answer_hints *hints,
					   const struct fr_rule_record *rule)
{
	return hint_make(
		hints, rule, NULL,
		arena_printf(hints->arena,
			     "looks like an answer to rule %s, too long after the "
			     "question (see timeouts: udp-oneway) or after too many others",
			     rule->id));
}

static const struct answer_hint *port_hint(const struct answer_hints *hints,
					   const struct fr_rule_record *rule)
{
	const char *key = "answers: peer-any-port";

	if (FR_RULE_ANSWERS(rule->flags) == FR_ANSWERS_PEER_ANY_PORT ||
	    FR_RULE_ANSWERS(rule->flags) == FR_ANSWERS_GROUP)
		return late_hint(hints, rule);
	return hint_make(hints, rule, key,
			 arena_printf(hints->arena,
				      "looks like an answer to rule %s from another port than was "
				      "asked: %s %s admits it",
				      rule->id, key, where_to_write(hints, rule)));
}

/* The address that answers, or is answered from, is not the one that was asked. */
static const struct answer_hint *address_hint(const struct answer_hints *hints,
					      const struct fr_rule_record *rule, uint8_t opener)
{
	const char *key = "answers: group";

	if (FR_RULE_ANSWERS(rule->flags) == FR_ANSWERS_GROUP)
		return late_hint(hints, rule);
	return hint_make(hints, rule, key,
			 arena_printf(hints->arena,
				      "looks like an answer to rule %s from another address than "
				      "was asked: %s %s admits %s",
				      rule->id, key, where_to_write(hints, rule),
				      opener == FR_EGRESS
					      ? "it from peers of the rule"
					      : "it where a group or broadcast was asked"));
}

static const struct answer_hint *party_hint(const struct answer_hints *hints,
					    const struct fr_rule_record *rule,
					    const struct question *question,
					    const struct drop_view *drop)
{
	const char *one = names_scope(&hints->names, question->key.scope);
	const char *key = "party";

	if (one && drop->scope)
		key = arena_printf(hints->arena, "party: [%s, %s]", one, drop->scope);
	return hint_make(hints, rule, key,
			 arena_printf(hints->arena,
				      "looks like an answer to rule %s, whose question passed "
				      "another device of the guest: %s lets them share flows",
				      rule->id, key));
}

/* ---------------------------------------------------------------- questions that were not seen */

/* The rule that would admit the question: of two ports, one of which is the asker's own. */
static const struct fr_rule_record *rule_of_question(const struct answer_hints *hints,
						     const struct drop_view *drop)
{
	uint8_t opener = !drop->drop.dir;
	struct tuple question = {.dir = opener, .proto = PROTO_UDP, .port = drop->drop.opener_port};
	struct decision decision;

	if (drop->drop.opener_port == asker_port(&drop->key, opener))
		return NULL;
	memcpy(question.peer.b, drop->key.peer, sizeof(question.peer.b));
	image_decide(&hints->image, &question, &decision);
	return decision.verdict == FR_PASS ? rule_of_number(hints, decision.rule) : NULL;
}

/* The device that has the local address, where it is another one than the attached ones. */
static const char *other_device(const struct answer_hints *hints, const struct drop_view *drop)
{
	struct diags unseen = {.arena = hints->arena};
	uint64_t netns = 0, here;
	struct interfaces all;
	const struct interface *device;
	struct addr local;
	uint32_t ifindex;

	for (uint32_t i = 0; i < hints->names.hook_count; i++)
		if (hints->names.hooks[i].used && hints->names.hooks[i].netns)
			netns = hints->names.hooks[i].netns;
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
	const struct fr_rule_record *rule = rule_of_question(hints, drop);
	const char *device = NULL, *key = NULL, *why;

	if (!rule)
		return NULL;
	if (FR_SCOPE_KIND(drop->key.scope) == FR_KIND_INTERFACE)
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
	return hint_make(hints, rule, key,
			 arena_printf(hints->arena,
				      "looks like an answer under rule %s to a question that was "
				      "not seen: %s",
				      rule->id, why));
}

const struct answer_hint *hint_find(const struct answer_hints *hints, const struct drop_view *drop)
{
	const struct question *question;
	const struct fr_rule_record *rule;
	enum relation relation;

	if (drop->key.proto != PROTO_UDP || drop->drop.reason != FR_REASON_DEFAULT)
		return NULL;
	question = question_find(hints, drop, &relation);
	rule = question ? names_rule(&hints->names, question->slot) : NULL;
	if (!rule)
		return unseen_hint(hints, drop);
	switch (relation) {
	case OTHER_PORT:
		return port_hint(hints, rule);
	case OTHER_ADDRESS:
		return address_hint(hints, rule, question->opener);
	default:
		return party_hint(hints, rule, question, drop);
	}
}
