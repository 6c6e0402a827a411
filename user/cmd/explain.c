/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * explain POLICY DIRECTION PROTO PEER: the verdict of one opening, by the walk over the rules and
 * by the compiled image. They must agree; when they do not, this command says so and fails.
 * Offline.
 */
#include <errno.h>
#include <string.h>

#include "cmd.h"

static bool proto_is_icmp(uint8_t proto)
{
	return proto == PROTO_ICMP || proto == PROTO_ICMP6;
}

static int take_direction(struct context *c, const char *word, struct tuple *tuple)
{
	if (str_equal(word, "egress"))
		tuple->dir = FR_EGRESS;
	else if (str_equal(word, "ingress"))
		tuple->dir = FR_INGRESS;
	else
		return usage_error(c, "egress: this side opens; ingress: the peer does",
				   "'%s' is neither egress nor ingress", word);
	return 0;
}

static int take_proto(struct context *c, const char *word, struct tuple *tuple)
{
	const char *near;

	if (!proto_parse(word, &tuple->proto))
		return 0;
	near = proto_nearest(word);
	return usage_error(c, near ? arena_printf(c->arena, "did you mean '%s'?", near) : NULL,
			   "nobody knows a protocol '%s'", word);
}

/* "[addr]:port", "addr:port", "[addr]", "addr" -> its two parts; port NULL when there is none. */
static void split_peer(struct arena *arena, const char *word, char **address, const char **port)
{
	const char *close = word[0] == '[' ? strchr(word, ']') : NULL;
	const char *colon = strchr(word, ':');

	*port = NULL;
	if (close) {
		*address = arena_strndup(arena, word + 1, close - word - 1);
		if (close[1] == ':')
			*port = close + 2;
		else if (close[1])
			*address = arena_strdup(arena, word);
	} else if (colon && !strchr(colon + 1, ':')) {
		*address = arena_strndup(arena, word, colon - word);
		*port = colon + 1;
	} else {
		*address = arena_strdup(arena, word);
	}
}

static int take_port(struct context *c, const char *word, const char *port, struct tuple *tuple)
{
	uint64_t number;

	if (!proto_has_ports(tuple->proto)) {
		if (port)
			return usage_error(c, "leave the port out",
					   "this protocol has no ports: '%s'", word);
		return 0;
	}
	if (!port)
		return usage_error(c,
				   addr_is_v4(&tuple->peer)
						   || word[0] == '['
					   ? arena_printf(c->arena, "%s:443", word)
					   : arena_printf(c->arena, "[%s]:443", word),
				   "the listener's port is missing in '%s'", word);
	if (parse_u64(port, 65535, &number))
		return usage_error(c, NULL, "'%s' is not a port from 0 to 65535", port);
	tuple->port = number;
	return 0;
}

static int take_peer(struct context *c, const char *word, struct tuple *tuple)
{
	const char *port;
	char *address;

	split_peer(c->arena, word, &address, &port);
	if (addr_parse(address, &tuple->peer) != NET_OK)
		return usage_error(
			c, "an address such as 10.0.0.1 or fd00::1; names are not asked for",
			"'%s' is not an address", address);
	return take_port(c, word, port, tuple);
}

/* TYPE or TYPE/CODE, by name or number. "icmp" with an IPv6 peer means ICMPv6. */
static int take_icmp(struct context *c, const char *word, struct tuple *tuple)
{
	char *type_word = word ? arena_strdup(c->arena, word) : NULL, *slash;
	uint64_t number = 0;
	uint8_t type;
	int code = -1;

	if (!word)
		return usage_error(c, "icmp PEER echo-request", "the ICMP type is missing");
	if (!addr_is_v4(&tuple->peer))
		tuple->proto = PROTO_ICMP6;
	else if (tuple->proto == PROTO_ICMP6)
		return usage_error(c, NULL, "ICMPv6 does not speak to an IPv4 address");
	slash = strchr(type_word, '/');
	if (slash)
		*slash++ = '\0';
	if (icmp_type_parse(tuple->proto, type_word, &type, &code) ||
	    (slash && parse_u64(slash, 255, &number)))
		return usage_error(c, "a name such as echo-request, or numbers: 3/4",
				   "'%s' is not an ICMP type", word);
	if (!slash && code > 0)
		number = code;
	tuple->port = type << 8 | number;
	return 0;
}

static int take_question(struct context *c, struct tuple *tuple)
{
	const char **words = c->options.operands;
	bool more = c->options.operand_count == 5;
	int ret = take_direction(c, words[1], tuple);

	if (!ret)
		ret = take_proto(c, words[2], tuple);
	if (!ret)
		ret = take_peer(c, words[3], tuple);
	if (!ret && proto_is_icmp(tuple->proto))
		return take_icmp(c, more ? words[4] : NULL, tuple);
	if (!ret && more)
		return usage_error(c, "PEER:PORT is one word", "'%s' is one operand too many",
				   words[4]);
	return ret;
}

static bool decisions_agree(const struct decision *a, const struct decision *b)
{
	return a->verdict == b->verdict && a->reason == b->reason && a->rule == b->rule &&
	       a->staged == b->staged && (!a->staged || a->staged_rule == b->staged_rule);
}

static int ask_both(struct context *c, const struct ruleset *rs, const struct tuple *tuple,
		    struct decision *out)
{
	struct image image = {0};
	struct decision walked, looked_up;
	struct loc nowhere = {0};

	if (image_compile(rs, &c->diags, &image))
		return EXIT_REJECTED;
	ruleset_decide(rs, tuple, &walked);
	image_decide(&image, tuple, &looked_up);
	image_free(&image);
	if (!decisions_agree(&walked, &looked_up)) {
		diag_error(&c->diags, nowhere, -EPROTO, "judges-disagree",
			   "this is a defect of flowreeve: please report it with the policy",
			   "the rules say rule %s, the compiled image says rule %s",
			   ruleset_rule_name(rs, walked.rule),
			   ruleset_rule_name(rs, looked_up.rule));
		return EXIT_FAILED;
	}
	*out = walked;
	return 0;
}

int cmd_explain(struct context *c)
{
	struct tuple tuple = {0};
	struct decision decision;
	struct ruleset *rs;
	int ret = take_question(c, &tuple);

	if (!ret)
		ret = load_policy(c, c->options.operands[0], &c->diags, &rs);
	if (!ret)
		ret = ask_both(c, rs, &tuple, &decision);
	if (ret)
		return ret;
	render_explain(&c->render, rs, &tuple, &decision);
	c->answered = true;
	return 0;
}
