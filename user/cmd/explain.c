/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * explain POLICY DIRECTION PROTO PEER: the verdict of one opening, by the walk over the rules and
 * by the compiled image. They must agree; when they do not, this command says so and fails.
 * Offline.
 */
#include <errno.h>
#include <string.h>

#include "cmd.h"

static int parse_direction(struct context *c, const char *word, struct tuple *tuple)
{
	const char *meant = word_meant(word, dir_names, FR_DIRS);
	uint8_t proto;

	for (tuple->dir = 0; tuple->dir < FR_DIRS; tuple->dir++)
		if (str_equal(word, dir_names[tuple->dir]))
			return 0;
	if (!proto_parse(word, &proto))
		return usage_error(c, "egress tcp PEER:PORT, or ingress tcp PEER:PORT",
				   "the direction is missing before '%s'", word);
	return usage_error(c,
			   meant ? arena_printf(c->arena, "did you mean '%s'?", meant)
				 : "egress: this side opens; ingress: the peer opens",
			   "'%s' is neither egress nor ingress", word);
}

/* The one port that a text means, in any form: "443/tcp", "tcp/443", "https". */
static bool port_meant(struct context *c, const char *text, struct service *out)
{
	struct service found[2];
	size_t count;

	if (service_parse(text, found, &count)) {
		text = service_advice(c->arena, text).meant;
		if (!text || service_parse(text, found, &count))
			return false;
	}
	*out = found[0];
	return out->first == out->last && proto_has_ports(out->proto);
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

static const char *peer_with_port(struct context *c, const char *address, const char *port)
{
	return arena_printf(c->arena, strchr(address, ':') ? "[%s]:%s" : "%s:%s", address, port);
}

static int parse_proto(struct context *c, const char *word, const char *peer, struct tuple *tuple)
{
	const char *near, *port, *hint = NULL;
	struct service service;
	struct addr addr;
	char *address;

	if (!proto_parse(word, &tuple->proto))
		return 0;
	split_peer(c->arena, word, &address, &port);
	if (addr_parse(address, &addr) == NET_OK)
		return usage_error(c,
				   arena_printf(c->arena, "%s tcp %s", dir_name(tuple->dir), word),
				   "the protocol is missing before '%s'", word);
	near = proto_nearest(word);
	split_peer(c->arena, peer, &address, &port);
	if (port_meant(c, word, &service))
		hint = arena_printf(
			c->arena, "%s %s", proto_name(service.proto),
			peer_with_port(c, address, arena_printf(c->arena, "%u", service.first)));
	else if (near)
		hint = arena_printf(c->arena, "did you mean '%s'?", near);
	return usage_error(c, hint ?: "one protocol: tcp, udp, icmp, or a number from 0 to 255",
			   "unknown protocol '%s'", word);
}

/* fd00::1:443 is an address: hint that its end might be meant as a port. */
static const char *hint_port(struct context *c, const char *word, const char *next)
{
	const char *colon = strrchr(word, ':');
	char *address = arena_strndup(c->arena, word, colon ? (size_t)(colon - word) : 0);
	size_t digits = next ? strspn(next, "0123456789") : 0;
	struct addr addr;
	uint64_t port;

	if (word[0] == '[')
		return arena_printf(c->arena, "%s:443", word);
	if (colon && !parse_u64(colon + 1, 65535, &port) && addr_parse(address, &addr) == NET_OK)
		return arena_printf(c->arena, "[%s]:%s if %s is the port, [%s]:443 if not", address,
				    colon + 1, colon + 1, word);
	return peer_with_port(c, word, digits ? arena_strndup(c->arena, next, digits) : "443");
}

static int refuse_port(struct context *c, const char *address, const char *port)
{
	struct service service;
	bool meant = port_meant(c, port, &service);

	if (!*port)
		return usage_error(c, peer_with_port(c, address, "443"),
				   "the port is missing after ':'");
	if (meant)
		return usage_error(
			c, peer_with_port(c, address, arena_printf(c->arena, "%u", service.first)),
			"'%s' is not a port from 0 to 65535", port);
	return usage_error(c, "one port, as a number", "'%s' is not a port from 0 to 65535", port);
}

static int parse_port(struct context *c, const char *word, const char *next, struct tuple *tuple)
{
	const char *port;
	uint64_t number;
	char *address;

	split_peer(c->arena, word, &address, &port);
	if (!proto_has_ports(tuple->proto)) {
		if (port)
			return usage_error(
				c,
				arena_printf(c->arena, "leave the port out: %s%s", address,
					     proto_is_any_icmp(tuple->proto) ? " TYPE" : ""),
				"this protocol has no ports: '%s'", word);
		return 0;
	}
	if (!port)
		return usage_error(c, hint_port(c, word, next),
				   "the listener's port is missing in '%s'", word);
	if (parse_u64(port, 65535, &number))
		return refuse_port(c, address, port);
	tuple->port = number;
	return 0;
}

static int refuse_peer(struct context *c, const char *word, const char *address, const char *port)
{
	struct advice advice = peer_advice(c->arena, strstr(word, "://") ? word : address);
	struct prefix prefix;

	if (prefix_parse(address, &prefix) == NET_OK || str_equal(address, "any"))
		return usage_error(c, "one address, like 10.0.0.1: explain answers for one peer",
				   "'%s' is not a single address", address);
	if (word[0] == '[' && strchr(word, ']'))
		return usage_error(c,
				   arena_printf(c->arena, "%.*s:%s",
						(int)(strchr(word, ']') - word + 1), word, "443"),
				   "'%s' is not an address, or one with a port", word);
	if (advice.meant && addr_parse(advice.meant, &prefix.addr) == NET_OK)
		return usage_error(c, port ? peer_with_port(c, advice.meant, port) : advice.meant,
				   "'%s' is not an address: %s", address, advice.message);
	if (advice.message && strpbrk(address, "0123456789"))
		return usage_error(c, "one address, like 10.0.0.1: explain answers for one peer",
				   "'%s' is not an address: %s", address, advice.message);
	return usage_error(
		c,
		strchr(address, '.')
			? arena_printf(c->arena,
				       "names are not resolved; to resolve it: getent ahosts %s",
				       address)
			: "an address such as 10.0.0.1 or fd00::1; names are not resolved",
		"'%s' is not an address", address);
}

static int parse_peer(struct context *c, const char *word, const char *next, struct tuple *tuple)
{
	const char *port;
	char *address;

	split_peer(c->arena, word, &address, &port);
	if (addr_parse(address, &tuple->peer) != NET_OK)
		return refuse_peer(c, word, address, port);
	return parse_port(c, word, next, tuple);
}

/* TYPE or TYPE/CODE, by name or number. "icmp" with an IPv6 peer means ICMPv6. */
static int parse_icmp(struct context *c, const char *word, struct tuple *tuple)
{
	char *type_word = word ? arena_strdup(c->arena, word) : NULL, *slash;
	const char *near = word ? icmp_type_nearest(word) : NULL;
	uint64_t number = 0;
	uint8_t type;
	int code = -1;

	if (!word)
		return usage_error(c, "icmp PEER echo-request", "the ICMP type is missing");
	if (!addr_is_v4(&tuple->peer))
		tuple->proto = PROTO_ICMP6;
	else if (tuple->proto == PROTO_ICMP6)
		return usage_error(c, arena_printf(c->arena, "icmp PEER %s", word),
				   "icmpv6 needs an IPv6 peer");
	slash = strchr(type_word, '/');
	if (slash)
		*slash++ = '\0';
	if (icmp_type_parse(tuple->proto, type_word, &type, &code) ||
	    (slash && parse_u64(slash, 255, &number)))
		return usage_error(c,
				   near ? arena_printf(c->arena, "did you mean '%s'?", near)
					: "a name such as echo-request, or numbers: 3/4",
				   "'%s' is not an ICMP type", word);
	if (!slash && code > 0)
		number = code;
	tuple->port = type << 8 | number;
	return 0;
}

static int parse_question(struct context *c, struct tuple *tuple)
{
	const char **words = c->options.operands;
	bool more = c->options.operand_count == 5;
	const char *next = more ? words[4] : NULL;
	int ret = parse_direction(c, words[1], tuple);

	if (ret)
		return ret;
	ret = parse_proto(c, words[2], words[3], tuple);
	if (ret)
		return ret;
	ret = parse_peer(c, words[3], next, tuple);
	if (ret)
		return ret;
	if (proto_is_any_icmp(tuple->proto))
		return parse_icmp(c, next, tuple);
	if (more)
		return usage_error(c, "write the port after the peer: PEER:PORT",
				   "'%s' is one operand too many", words[4]);
	return 0;
}

static int ask_both(struct context *c, const struct ruleset *rs, const struct tuple *tuple,
		    struct decision *out, uint8_t digest[32])
{
	struct image image = {0};
	struct decision walked, looked_up;
	struct loc nowhere = {0};

	if (image_compile(rs, &c->diags, &image))
		return EXIT_REJECTED;
	ruleset_decide(rs, tuple, &walked);
	image_decide(&image, tuple, &looked_up);
	memcpy(digest, image.digest, sizeof(image.digest));
	image_free(&image);
	if (!decision_equal(&walked, &looked_up)) {
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

/* The digest of a file is that of what runs only if all that the host decides is known. */
static bool depends_on_host(const struct context *c, const struct ruleset *rs)
{
	for (size_t i = 0; i < rs->rule_count; i++)
		if (rs->rules[i].needs_local)
			return true;
	return c->options.policy.local_known || c->options.mode;
}

/* Without privilege, nothing is known of what runs: then there is nothing to warn of. */
static bool runs_differently(struct context *c, const struct ruleset *rs, const uint8_t digest[32])
{
	struct diags ignored = {.arena = c->arena};
	CLEANUP(image_unmap) struct image image = {0};
	struct instance instance;
	int err = instance_open(&c->options.host, rs->name, &ignored, &instance);

	if (err)
		return false;
	err = instance_image(&instance, &image);
	instance_close(&instance);
	return !err && memcmp(image.digest, digest, sizeof(image.digest)) != 0;
}

static void warn_of_running(struct context *c, const struct ruleset *rs, const uint8_t digest[32])
{
	struct command_line line = {.pin_root = c->options.host.pin_root,
				    .more = c->options.words,
				    .more_count = c->options.word_count};

	if (depends_on_host(c, rs) || !runs_differently(c, rs, digest))
		return;
	line.verb = arena_printf(c->arena, "diff %s", rs->name);
	line.operand = c->options.operands[0];
	diag_warning(&c->diags, (struct loc){.source = rs->source}, "running-differs",
		     command_text(c->arena, &line),
		     "policy %s is in force with another digest; explain --running %s uses "
		     "that policy",
		     rs->name, rs->name);
}

static int load_asked(struct context *c, struct running_policy *out)
{
	const char *name = c->options.operands[0];

	return c->options.given & OPT_RUNNING ? load_running(c, name, out)
					      : load_policy(c, name, &c->diags, &out->rs);
}

int cmd_explain(struct context *c)
{
	bool is_running = c->options.given & OPT_RUNNING;
	struct running_policy asked = {0};
	struct tuple tuple = {0};
	struct decision decision;
	uint8_t digest[32];
	char text[DIGEST_TEXT];
	struct explain_view view = {.tuple = &tuple, .decision = &decision, .digest = text};
	int ret = parse_question(c, &tuple);

	if (ret)
		return ret;
	ret = load_asked(c, &asked);
	if (ret)
		return ret;
	ret = ask_both(c, asked.rs, &tuple, &decision, digest);
	if (ret)
		return ret;
	digest_text(digest, text);
	if (!is_running)
		warn_of_running(c, asked.rs, digest);
	view.rs = asked.rs;
	view.window = is_running ? &asked.window : NULL;
	render_explain(&c->render, &view);
	c->answered = true;
	return 0;
}
