/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One verdict and its reasons: the rule, the row of the vendor's table that it came from, and for
 * a refused tuple the nearest miss and how to allow it.
 */
#include <string.h>

#include "print.h"

enum { LIST_SHOWN = 8 };

/* A question and its answer. */
struct answer {
	const char *digest;
	const struct window_view *window; /* or NULL */
	const struct ruleset *rs;
	const struct tuple *tuple;
	const struct decision *decision;
	const char *verdict;
	const struct rule *rule; /* that counts it, or NULL: built-in */
	const char *rule_name;
	const struct rule *nearest; /* refused: the nearest rule, or NULL */
	const char *why;	    /* … and the mismatch */
	bool asks;		    /* a question over UDP, with: */
	struct expectation expects;
	const struct rule *asker; /* refused: the rule whose questions it may answer, or NULL */
	char question[128];
};

static void question_text(const struct tuple *tuple, char *out, size_t size)
{
	char peer[64], proto[FIGURE_TEXT];

	endpoint_text(tuple->peer.b, tuple->port, proto_has_ports(tuple->proto), peer);
	snprintf(out, size, "%s %s %s", dir_name(tuple->dir), proto_text(tuple->proto, proto),
		 peer);
	if (proto_is_any_icmp(tuple->proto))
		snprintf(out + strlen(out), size - strlen(out), " %u/%u", tuple->port >> 8,
			 tuple->port & 255);
}

static void answer_find(const struct ruleset *rs, const struct tuple *tuple,
			const struct decision *decision, struct answer *out)
{
	uint32_t number = decision->rule;

	/* Passes, but a staged deny rule matched: report that rule. */
	if (decision->verdict == FR_WOULD_DROP && decision->staged && decision->staged_rule) {
		const struct rule *real = ruleset_rule(rs, decision->rule);

		if (real ? real->action != FR_DENY : rs->default_allow[tuple->dir])
			number = decision->staged_rule;
	}
	*out = (struct answer){.rs = rs, .tuple = tuple, .decision = decision};
	out->verdict = decision->unknown ? "unknown" : verdict_name(decision->verdict);
	out->rule = ruleset_rule(rs, number);
	out->rule_name = ruleset_rule_name(rs, number);
	if (decision->verdict != FR_PASS && !decision->unknown) {
		out->nearest = ruleset_nearest(rs, tuple, &out->why);
		out->asker = ruleset_asker(rs, tuple);
	}
	out->asks = decision->verdict == FR_PASS && tuple->proto == PROTO_UDP &&
		    decision->reason != FR_REASON_FAILSAFE;
	if (out->asks)
		question_expects(&rs->local, tuple, NULL, decision->answers, &out->expects);
	question_text(tuple, out->question, sizeof(out->question));
}

/* The rule whose peers cannot be known without a host. */
static const struct rule *rule_needing_host(const struct ruleset *rs, const struct tuple *tuple)
{
	for (size_t i = 0; i < rs->rule_count; i++) {
		const struct rule *rule = &rs->rules[i];

		if (rule->needs_local && rule_serves(rule, tuple))
			return rule;
	}
	return NULL;
}

static char *service_of_tuple(const struct tuple *tuple, char *out)
{
	struct service service = service_one(tuple->proto, tuple->port);

	return service_text(&service, out);
}

/* The text to write to allow it. */
static const char *allow_hint(const struct answer *a)
{
	struct arena *arena = a->rs->arena;
	const struct rule *near = a->nearest;
	char peer[ADDR_TEXT], service[SERVICE_TEXT];

	addr_text(&a->tuple->peer, peer);
	if (a->rule && a->rule->action == FR_DENY)
		return arena_printf(
			arena, "a deny beats every allow: narrow or remove rule %s (%s:%u:%u)",
			a->rule->id, a->rs->source->name, a->rule->loc.line, a->rule->loc.column);
	if (near && rule_origin(near)->table && near->role && rule_serves(near, a->tuple))
		return arena_printf(arena, "add %s to peers.%s where the policy uses %s", peer,
				    near->role, rule_origin(near)->table);
	return arena_printf(
		arena,
		"a rule of your own: {id: …, direction: %s, peer: [%s], ports: [%s], action: allow}",
		dir_name(a->tuple->dir), peer, service_of_tuple(a->tuple, service));
}

static char *services_text(const struct ruleset *rs, const struct rule *rule)
{
	char *list = arena_strdup(rs->arena, ""), text[SERVICE_TEXT];

	for (size_t i = 0; i < rule->service_count && i < LIST_SHOWN; i++)
		list = arena_printf(rs->arena, "%s%s%s", list, i ? ", " : "",
				    service_text(&rule->services[i], text));
	if (rule->service_count > LIST_SHOWN)
		list = arena_printf(rs->arena, "%s and %u more", list,
				    rule->service_count - LIST_SHOWN);
	return list;
}

static char *peers_text(const struct ruleset *rs, const struct rule *rule)
{
	char *list = arena_strdup(rs->arena, ""), text[PREFIX_TEXT];

	if (rule->any_peer)
		return arena_strdup(rs->arena, "any");
	for (size_t i = 0; i < rule->peer_count && i < LIST_SHOWN; i++)
		list = arena_printf(rs->arena, "%s%s%s", list, i ? ", " : "",
				    prefix_text(&rule->peers[i], text));
	if (rule->peer_count > LIST_SHOWN)
		list = arena_printf(rs->arena, "%s and %u more", list,
				    rule->peer_count - LIST_SHOWN);
	if (rule->needs_local)
		list = arena_printf(rs->arena, "%s%slocal-subnet", list, *list ? ", " : "");
	return list;
}

static void print_field(FILE *out, const char *name, const char *text)
{
	if (!text || !*text)
		return;
	fprintf(out, "  %-8s  ", name);
	print_clean(out, text);
	fputc('\n', out);
}

static const char *lines_text(struct arena *arena, const struct origin *o)
{
	if (o->lines)
		return arena_printf(arena, "lines %s", o->lines);
	return o->line ? arena_printf(arena, "line %u", o->line) : NULL;
}

static void print_origin(FILE *out, const struct ruleset *rs, const struct rule *rule)
{
	const struct origin *o = rule_origin(rule);
	const char *preposition = rule->dir == FR_EGRESS ? "to" : "from";

	print_field(out, "rule",
		    arena_printf(rs->arena, "%s %s %s %s %s%s", action_name(rule->action),
				 dir_name(rule->dir), services_text(rs, rule), preposition,
				 peers_text(rs, rule), rule->staged ? " (mode: audit)" : ""));
	if (o->from && o->to)
		print_field(out, "roles", arena_printf(rs->arena, "%s → %s", o->from, o->to));
	print_field(out, "purpose", o->purpose);
	if (o->document)
		print_field(
			out, "source",
			arena_printf(rs->arena, "%s%s%s", o->document,
				     arena_optional(rs->arena, ", ", o->section),
				     arena_optional(rs->arena, ", ", lines_text(rs->arena, o))));
	if (o->title || o->read)
		print_field(out, "document",
			    arena_printf(rs->arena, "%s%s%s", o->title ? o->title : o->table,
					 arena_optional(rs->arena, ", edition ", o->edition),
					 arena_optional(rs->arena, ", read ", o->read)));
	print_field(out, "url", o->url);
	print_field(out, "note", o->note);
	if (rule->line && rs->file)
		print_field(out, "written", arena_printf(rs->arena, "%s:%u", rs->file, rule->line));
	else if (rule->loc.source && rule->loc.line)
		print_field(out, "written",
			    arena_printf(rs->arena, "%s:%u:%u", rule->loc.source->name,
					 rule->loc.line, rule->loc.column));
}

static void print_unknown(const struct render *r, const struct answer *a)
{
	const struct rule *rule = rule_needing_host(a->rs, a->tuple);

	fputs("unknown without a host: rule ", r->out);
	print_clean(r->out, rule ? rule->id : a->rule_name);
	fputs(" names local-subnet; give --local-subnet IF=CIDR\n", r->out);
	print_field(r->out, "asked", a->question);
}

/* Who may answer a question, or whose answer a refused datagram may be. */
static void print_answers(const struct render *r, const struct answer *a)
{
	struct arena *arena = a->rs->arena;

	if (a->asks)
		print_field(r->out, "answers",
			    arena_printf(arena, "%s: from %s", answers_text(arena, &a->expects),
					 answers_from_text(a->rs, a->tuple, &a->expects)));
	if (a->asker)
		print_field(r->out, "answers",
			    arena_printf(arena,
					 "it passes as an answer to rule %s: at the port that "
					 "asked, until %u s after the last question",
					 a->asker->id, a->rs->timeout[FR_TIMEOUT_UDP_ONEWAY]));
}

static void print_answer(const struct render *r, const struct answer *a)
{
	enum colour hue = colour_of_verdict(a->verdict);
	const struct origin *o = a->rule ? rule_origin(a->rule) : NULL;
	char row[ROW_TEXT];

	if (a->decision->unknown) {
		print_unknown(r, a);
		return;
	}
	fprintf(r->out, "%s%s%s  rule=", colour_on(r->colour, hue), a->verdict,
		colour_off(r->colour, hue));
	print_clean(r->out, a->rule_name);
	fprintf(r->out, "  reason=%s", reason_name(a->decision->reason));
	if (o && *row_text(o->table, o->row, o->line, row)) {
		fputs("  row=", r->out);
		print_clean(r->out, row);
	}
	fputc('\n', r->out);
	print_field(r->out, "asked", a->question);
	if (a->rule)
		print_origin(r->out, a->rs, a->rule);
	print_answers(r, a);
	if (a->decision->verdict == FR_PASS)
		return;
	print_field(r->out, "nearest", a->nearest ? a->why : NULL);
	print_field(r->out, "to allow", allow_hint(a));
}

static json_t *json_list(const struct rule *rule, bool services)
{
	json_t *list = json_array();
	size_t count = services ? rule->service_count : rule->peer_count;
	char text[PREFIX_TEXT];

	if (!services && rule->any_peer)
		json_array_append_new(list, json_string("any"));
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list,
				      json_string(services ? service_text(&rule->services[i], text)
							   : prefix_text(&rule->peers[i], text)));
	if (!services && rule->needs_local)
		json_array_append_new(list, json_string("local-subnet"));
	return list;
}

static json_t *json_rule(const struct rule *rule)
{
	const struct origin *o = rule_origin(rule);
	json_t *value = json_object();

	json_object_set_new(value, "id", json_words(rule->id));
	json_object_set_new(value, "action", json_string(action_name(rule->action)));
	json_object_set_new(value, "direction", json_string(dir_name(rule->dir)));
	json_object_set_new(value, "staged", json_boolean(rule->staged));
	json_object_set_new(value, "answers", json_string(answers_name(rule->answers)));
	json_object_set_new(value, "services", json_list(rule, true));
	json_object_set_new(value, "peers", json_list(rule, false));
	json_object_set_new(value, "from", json_words(o->from));
	json_object_set_new(value, "to", json_words(o->to));
	json_object_set_new(value, "purpose", json_words(o->purpose));
	json_object_set_new(value, "edition", json_words(o->edition));
	json_object_set_new(value, "document", json_words(o->document));
	json_object_set_new(value, "title", json_words(o->title));
	json_object_set_new(value, "url", json_words(o->url));
	json_object_set_new(value, "read", json_words(o->read));
	json_object_set_new(value, "section", json_words(o->section));
	json_object_set_new(value, "lines", json_words(o->lines));
	json_object_set_new(value, "note", json_words(o->note));
	return value;
}

static void answer_json(const struct render *r, const struct answer *a)
{
	const struct origin *o = a->rule ? rule_origin(a->rule) : NULL;
	const struct rule *host = a->decision->unknown ? rule_needing_host(a->rs, a->tuple) : NULL;
	json_t *document = document_new("explain"), *near = json_null();

	json_object_set_new(document, "policy", json_words(a->rs->name));
	json_object_set_new(document, "digest", json_words(a->digest));
	json_object_set_new(document, "window", a->window ? json_window(a->window) : json_null());
	json_object_set_new(document, "question", json_words(a->question));
	json_object_set_new(document, "verdict", json_string(a->verdict));
	json_object_set_new(document, "rule", json_words(host ? host->id : a->rule_name));
	json_object_set_new(document, "reason", json_string(reason_name(a->decision->reason)));
	json_object_set_new(document, "row", o ? json_row(o->table, o->row, o->line) : json_null());
	json_object_set_new(document, "because", a->rule ? json_rule(a->rule) : json_null());
	if (a->nearest) {
		near = json_object();
		json_object_set_new(near, "rule", json_words(a->nearest->id));
		json_object_set_new(near, "why", json_words(a->why));
	}
	json_object_set_new(document, "nearest", near);
	json_object_set_new(document, "answers", a->asks ? json_answers(&a->expects) : json_null());
	json_object_set_new(document, "answer_to", json_words(a->asker ? a->asker->id : NULL));
	if (a->decision->verdict != FR_PASS && !a->decision->unknown)
		json_object_set_new(document, "to_allow", json_words(allow_hint(a)));
	document_print(r, document);
}

void render_explain(const struct render *r, const struct explain_view *view)
{
	struct answer answer;

	answer_find(view->rs, view->tuple, view->decision, &answer);
	answer.digest = view->digest;
	answer.window = view->window;
	if (r->json)
		answer_json(r, &answer);
	else
		print_answer(r, &answer);
}
