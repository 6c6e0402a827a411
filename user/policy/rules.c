/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The site's own rules, and failsafe.
 */
#include <errno.h>
#include <string.h>

#include "resolved.h"

/* Names of verdicts that no rule of a policy gives. */
static const char *const reserved_ids[] = {"default-egress", "default-ingress"};

static void rule_set_match(struct rule *rule, const struct peers *peers,
			   const struct services *services)
{
	rule->any_peer = peers->any;
	rule->needs_local = peers->needs_local;
	rule->peers = peers->list;
	rule->peer_count = (uint32_t)peers->count;
	rule->services = services->list;
	rule->service_count = (uint32_t)services->count;
}

/* ---------------------------------------------------------------- rules */

/* Rules of rows and failsafe rules have ids that no policy can write: "aws-datasync/nfs#2". */
static bool id_parse(struct job *job, const struct node *node, bool resolved, struct rule *rule)
{
	if (resolved)
		rule->id = want_text(job->d, node, "rule id");
	else if (!want_name(job->d, node, "rule id", &rule->id))
		return false;
	if (!rule->id)
		return false;
	rule->id = arena_strdup(job->arena, rule->id);
	rule->loc = node->loc;
	for (size_t i = 0; i < ARRAY_SIZE(reserved_ids); i++) {
		if (word_is(rule->id, reserved_ids[i])) {
			diag_error(job->d, node->loc, -EINVAL, "bad-name", "choose another id",
				   "'%s' is reserved for the default", rule->id);
			return false;
		}
	}
	return true;
}

/* The first ones are required. */
enum {
	RULE_ID,
	RULE_DIRECTION,
	RULE_PEER,
	RULE_PORTS,
	RULE_ACTION,
	RULE_KEYS_NEEDED,
	RULE_MODE = RULE_KEYS_NEEDED,
	RULE_ANSWERS,
	RULE_PURPOSE,
	RULE_COMMENT,
	RULE_KEYS,
	/* only of a resolved policy */
	RULE_LINE = RULE_KEYS,
	RULE_ROLE,
	RULE_ROW,
	RULE_SECTION,
	RULE_NOTE,
	RULE_KEYS_RESOLVED
};
static const char *const rule_keys[RULE_KEYS_RESOLVED] = {
	[RULE_ID] = "id",	    [RULE_DIRECTION] = "direction", [RULE_PEER] = "peer",
	[RULE_PORTS] = "ports",	    [RULE_ACTION] = "action",	    [RULE_MODE] = "mode",
	[RULE_ANSWERS] = "answers", [RULE_PURPOSE] = "purpose",	    [RULE_COMMENT] = "comment",
	[RULE_LINE] = "line",	    [RULE_ROLE] = "role",	    [RULE_ROW] = "row",
	[RULE_SECTION] = "section", [RULE_NOTE] = "note",
};

/* The values of all keys in one walk: there may be a hundred thousand rules. */
static void values_find(const struct node *rule, const struct node *values[RULE_KEYS_RESOLVED])
{
	const struct node *value;
	size_t i;

	for_children(value, rule)
	{
		for (i = 0; i < RULE_KEYS_RESOLVED && !word_is(value->key->text, rule_keys[i]); i++)
			;
		if (i < RULE_KEYS_RESOLVED && !values[i])
			values[i] = value;
	}
}

static bool words_parse(struct job *job, const struct node *const values[RULE_KEYS],
			struct rule *rule)
{
	const struct node *direction = values[RULE_DIRECTION];
	const struct node *action = values[RULE_ACTION];
	const struct node *mode = values[RULE_MODE];
	int dir = -1, act = -1, enforced = FR_ENFORCE;

	if (direction)
		dir = want_word(job->d, direction, "'direction'", dir_names, FR_DIRS);
	if (action)
		act = want_word(job->d, action, "'action'", action_names, 2);
	if (mode)
		enforced = want_word(job->d, mode, "'mode'", mode_names, FR_MODES);
	if (dir < 0 || act < 0 || enforced < 0)
		return false;
	rule->dir = (uint8_t)dir;
	rule->action = (uint8_t)act;
	rule->staged = enforced == FR_AUDIT;
	if (rule->staged && rule->action == FR_ALLOW) {
		diag_error(job->d, mode->loc, -EINVAL, "staged-allow",
			   "leave 'mode' out; to try an allow rule, apply the policy in mode audit",
			   "only a deny rule can be staged with 'mode: audit'");
		return false;
	}
	return true;
}

static bool match_parse(struct job *job, struct draft *draft, const struct node *peer,
			const struct node *ports, struct rule *rule)
{
	struct services services = {0};
	struct peers peers = {0};
	bool good = peer && ports;

	if (peer)
		good &= peers_parse(job, &draft->sets, peer, "'peer'", &peers);
	if (ports)
		good &= services_parse(job, ports, "'ports'", &services);
	rule_set_match(rule, &peers, &services);
	return good;
}

/* Of a rule whose action and ports are right. */
static bool rule_answers_parse(struct job *job, const struct node *answers, struct rule *rule)
{
	if (!answers)
		return true;
	if (!answers_parse(job, answers, &rule->answers))
		return false;
	if (rule->action == FR_DENY) {
		diag_error(job->d, answers->key->loc, -EINVAL, "unused-answers",
			   "leave it out; the answers that an allow rule admits end with "
			   "answers: peer there",
			   "a deny rule admits no question, so '%s' has no use for 'answers'",
			   rule->id);
		return false;
	}
	if (services_have_udp(rule->services, rule->service_count))
		return true;
	answers_refuse(job, answers, "rule", rule->id);
	return false;
}

static void purpose_parse(struct job *job, const struct node *purpose, struct rule *rule)
{
	const char *text = purpose ? want_text(job->d, purpose, "'purpose'") : NULL;
	struct origin *origin;

	if (!text)
		return;
	origin = arena_alloc(job->arena, sizeof(*origin));
	origin->purpose = arena_strdup(job->arena, text);
	rule->origin = origin;
}

static bool rule_keys_check(struct job *job, const struct node *node, bool resolved)
{
	if (resolved)
		return want_keys(job->d, node, "a resolved rule", rule_keys, RULE_KEYS_RESOLVED);
	return want_keys(job->d, node, "a rule", rule_keys, RULE_KEYS);
}

/* Gives whether the rule has an id; *good whether it has all else. */
static bool rule_read(struct job *job, const struct node *node, struct draft *draft,
		      struct rule *rule, bool *good)
{
	const struct node *values[RULE_KEYS_RESOLVED] = {NULL};
	bool named;

	if (!rule_keys_check(job, node, draft->resolved))
		return false;
	values_find(node, values);
	rule->loc = node->loc;
	named = values[RULE_ID] && id_parse(job, values[RULE_ID], draft->resolved, rule);
	named &= words_parse(job, values, rule);
	*good = match_parse(job, draft, values[RULE_PEER], values[RULE_PORTS], rule);
	if ((!named || !*good) && !draft->keys_astray)
		map_need_all(job->d, node, "a rule", rule_keys, RULE_KEYS_NEEDED);
	if (named && *good)
		*good = rule_answers_parse(job, values[RULE_ANSWERS], rule);
	purpose_parse(job, values[RULE_PURPOSE] ?: values[RULE_COMMENT], rule);
	if (draft->resolved)
		*good &= resolved_rule_parse(
			job,
			&(struct resolved_keys){values[RULE_ROW], values[RULE_ROLE],
						values[RULE_SECTION], values[RULE_NOTE],
						values[RULE_LINE]},
			rule);
	return named;
}

static void rule_parse(struct job *job, const struct node *node, struct draft *draft)
{
	struct rule rule = {0};
	bool good, named = rule_read(job, node, draft, &rule, &good);

	/* A rule with a wrong port still owns its id, so that a duplicate of the id is reported
	 * too. */
	if (named && good)
		draft_add(job, draft, rule, false);
	else if (named)
		draft_claim_id(job, draft, &rule, false);
}

bool rule_sink_add(const struct node *node, void *context)
{
	const struct rule_sink *sink = context;
	struct diags scratch_diags = {.arena = sink->job->arena};
	struct job scratch = *sink->job;
	struct rule rule = {0};
	bool good;

	scratch.d = &scratch_diags;
	if (fill_ins_refuse(&scratch_diags, node) ||
	    !rule_read(&scratch, node, sink->draft, &rule, &good))
		return false;
	if (!good)
		return false;
	if (scratch_diags.count)
		return false;
	draft_add(&scratch, sink->draft, rule, false);
	return !scratch_diags.count;
}

void rules_parse(struct job *job, const struct node *rules, struct draft *draft)
{
	const struct node *node;

	if (!want_list(job->d, rules, "'rules'"))
		return;
	for_children(node, rules) rule_parse(job, node, draft);
}

/* ---------------------------------------------------------------- failsafe */

static bool failsafe_keys_check(struct job *job, const struct node *node, bool resolved)
{
	static const char *const keys[] = {"id",    "direction", "peer",
					   "ports", "purpose",	 "comment"};
	static const char *const keys_resolved[] = {"id",    "direction", "peer",
						    "ports", "purpose",	  "line"};

	if (resolved)
		return want_keys(job->d, node, "a resolved failsafe entry", keys_resolved,
				 ARRAY_SIZE(keys_resolved));
	return want_keys(job->d, node, "a failsafe entry", keys, ARRAY_SIZE(keys));
}

static bool failsafe_map(struct job *job, const struct node *node, struct draft *draft,
			 struct rule *rule)
{
	static const char *const needed[] = {"peer", "ports"};
	const struct node *id = map_get(node, "id"), *purpose = map_get(node, "purpose");
	const struct node *direction = map_get(node, "direction");
	struct resolved_keys keys = {.line = map_get(node, "line")};
	int dir = FR_INGRESS;

	if (!failsafe_keys_check(job, node, draft->resolved) ||
	    !map_need_all(job->d, node, "a failsafe entry", needed, ARRAY_SIZE(needed)))
		return false;
	if (id && !id_parse(job, id, draft->resolved, rule))
		return false;
	if (direction)
		dir = want_word(job->d, direction, "'direction'", dir_names, FR_DIRS);
	if (dir < 0)
		return false;
	rule->dir = (uint8_t)dir;
	purpose_parse(job, purpose ?: map_get(node, "comment"), rule);
	if (draft->resolved && !resolved_rule_parse(job, &keys, rule))
		return false;
	return match_parse(job, draft, map_get(node, "peer"), map_get(node, "ports"), rule);
}

static bool failsafe_port(struct job *job, const struct node *node, struct rule *rule)
{
	const struct peers anybody = {.any = true};
	struct services services = {0};
	struct prefix prefix;

	if (node->kind == NODE_SCALAR && prefix_parse(node->text, &prefix) == NET_OK) {
		diag_error(job->d, node->loc, -EINVAL, "bad-port",
			   arena_printf(job->arena, "{peer: [%s], ports: [22/tcp]}",
					text_item(job->arena, node->text)),
			   "'%s' is not a port: give an address together with its ports",
			   node->text);
		return false;
	}
	if (!services_parse(job, node, "a failsafe entry", &services))
		return false;
	rule_set_match(rule, &anybody, &services);
	return true;
}

static void failsafe_entry(struct job *job, const struct node *node, unsigned number,
			   struct draft *draft)
{
	struct rule rule = {.loc = node->loc, .dir = FR_INGRESS, .action = FR_FAILSAFE_ALLOW};
	bool good;

	rule.id = arena_printf(job->arena, "failsafe/%u", number);
	if (node->kind == NODE_MAP)
		good = failsafe_map(job, node, draft, &rule);
	else
		good = failsafe_port(job, node, &rule);
	if (good)
		draft_add(job, draft, rule, false);
}

/* Somebody logs in to administer what it protects. */
static bool protects_host(const struct ruleset *rs)
{
	for (size_t i = 0; i < rs->attach_count; i++)
		if (rs->attach[i].kind != FR_KIND_GUEST)
			return true;
	return false;
}

/* No failsafe is given: keep SSH open, so that a mistake can be corrected remotely. */
static void failsafe_ssh(struct job *job, const struct node *root, struct draft *draft)
{
	struct service *ssh = arena_alloc(job->arena, sizeof(*ssh));
	struct rule rule = {.id = "failsafe/ssh",
			    .loc = root->loc,
			    .dir = FR_INGRESS,
			    .action = FR_FAILSAFE_ALLOW,
			    .any_peer = true,
			    .services = ssh,
			    .service_count = 1};

	if (!protects_host(draft->rs))
		return;
	*ssh = (struct service){.proto = PROTO_TCP, .first = 22, .last = 22};
	draft->rs->failsafe_open = true;
	draft_add(job, draft, rule, false);
}

static void failsafe_auto(struct job *job, struct loc loc, struct draft *draft)
{
	const struct failsafe_rules *known = job->options->failsafe;

	if (!protects_host(draft->rs)) {
		diag_error(job->d, loc, -EINVAL, "failsafe-guests", "write failsafe as a list",
			   "'failsafe: auto' is derived from this host, and the policy protects "
			   "guests alone");
		return;
	}
	draft->rs->failsafe_auto = true;
	draft->rs->failsafe_unknown = !known;
	for (size_t i = 0; known && i < known->count; i++) {
		struct rule rule = known->list[i];

		rule.loc = loc;
		rule.id = arena_printf(job->arena, "failsafe/%zu", i + 1);
		draft_add(job, draft, rule, false);
	}
}

const char *failsafe_text(struct arena *arena, const struct rule *rule)
{
	const char *peers = NULL, *services = NULL;
	char text[PREFIX_TEXT];

	for (uint32_t i = 0; i < rule->peer_count; i++)
		peers = str_list_append(arena, peers,
					text_item(arena, prefix_text(&rule->peers[i], text)));
	for (uint32_t i = 0; i < rule->service_count; i++)
		services = str_list_append(arena, services, service_text(&rule->services[i], text));
	return arena_printf(arena, "{%speer: [%s], ports: [%s], purpose: %s}",
			    rule->dir == FR_EGRESS ? "direction: egress, " : "", peers, services,
			    yaml_text(arena, rule_origin(rule)->purpose));
}

void failsafe_parse(struct job *job, const struct node *root, struct draft *draft)
{
	const struct node *failsafe = map_get(root, "failsafe"), *node;
	unsigned number = 1;

	if (failsafe && failsafe->kind == NODE_SCALAR && str_equal(failsafe->text, "auto") &&
	    !draft->resolved) {
		failsafe_auto(job, failsafe->loc, draft);
		return;
	}
	if (!failsafe && job->options->failsafe_wanted) {
		failsafe_auto(job, root->loc, draft);
		return;
	}
	if (!failsafe) {
		failsafe_ssh(job, root, draft);
		return;
	}
	if (!want_list(job->d, failsafe, "'failsafe'"))
		return;
	for_children(node, failsafe) failsafe_entry(job, node, number++, draft);
}
