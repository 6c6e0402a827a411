/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Common mistakes in ports: the fault, and the text to write instead. No proposal admits more than
 * the original text.
 */
#include <ctype.h>
#include <string.h>

#include "reading.h"

enum { TEXT_MAX = 200, LISTED_MAX = 48 };

static struct advice say(const char *message, const char *hint)
{
	return (struct advice){message, hint, NULL};
}

static struct advice meant(struct arena *arena, const char *message, const char *service)
{
	return (struct advice){message, arena_printf(arena, "write '%s'", service), service};
}

/* ---------------------------------------------------------------- put together */

static const char *port_text(struct arena *arena, const struct written_range *port)
{
	if (port->any)
		return "any";
	if (port->first == port->last)
		return arena_printf(arena, "%ju", (uintmax_t)port->first);
	return arena_printf(arena, "%ju-%ju", (uintmax_t)port->first, (uintmax_t)port->last);
}

/* NULL: not a service. */
static const char *service_written(struct arena *arena, const struct written_range *port,
				   const char *proto)
{
	const char *text = arena_printf(arena, "%s/%s", port_text(arena, port), proto);
	struct service service[2];
	size_t count;

	if (str_starts(proto, "icmp") && !port->any)
		text = arena_printf(arena, "%s/%s", proto, port_text(arena, port));
	return service_parse(text, service, &count) == SERVICE_OK ? text : NULL;
}

struct listed {
	const char *text[LISTED_MAX];
	size_t count, written; /* without duplicates; with them */
};

static bool list_add(struct listed *list, const char *text)
{
	if (!text || list->count == LISTED_MAX)
		return false;
	list->written++;
	for (size_t i = 0; i < list->count; i++)
		if (str_equal(list->text[i], text))
			return true;
	list->text[list->count++] = text;
	return true;
}

static bool group_list(struct arena *arena, const struct group *group, struct listed *out)
{
	/* icmp/3/4 is one of them, not two */
	if (group->port_count > 1 && str_starts(group->protos[0] ?: "", "icmp"))
		return false;
	for (size_t i = 0; i < group->port_count; i++)
		for (size_t k = 0; k < group->proto_count; k++)
			if (!list_add(out,
				      service_written(arena, &group->ports[i], group->protos[k])))
				return false;
	return group->port_count && group->proto_count;
}

/* Every port with its protocols, or NULL. */
static const char *services_text(struct arena *arena, const struct groups *groups,
				 struct listed *list)
{
	const char *all = "";

	*list = (struct listed){.count = 0};
	for (size_t i = 0; i < groups->count; i++)
		if (!group_list(arena, &groups->list[i], list))
			return NULL;
	for (size_t i = 0; i < list->count; i++)
		all = arena_printf(arena, "%s%s%s", all, i ? ", " : "", list->text[i]);
	return list->count ? all : NULL;
}

/* ---------------------------------------------------------------- not ports */

/* The first address in a text, or NULL; `after` is the text behind it. */
static const char *address_in(struct arena *arena, const char *text, const char **after)
{
	static const char signs[] = "0123456789abcdefABCDEF.:";
	struct addr addr;

	for (size_t size; *text; text += size + !size) {
		const char *word, *colon;

		size = strspn(text, signs);
		word = arena_strndup(arena, text, size);
		colon = strrchr(word, ':');
		if (addr_parse(word, &addr) != NET_OK && colon)
			word = arena_strndup(arena, word, (size_t)(colon - word));
		*after = text + strlen(word);
		if (addr_parse(word, &addr) == NET_OK)
			return word;
	}
	return NULL;
}

/* With its length, when that is right; NULL when it is not. */
static const char *prefix_at(struct arena *arena, const char *address, const char *after)
{
	size_t digits = *after == '/' ? strspn(after + 1, "0123456789") : 0;
	struct prefix prefix;

	if (digits)
		address = arena_printf(arena, "%s%.*s", address, (int)digits + 1, after);
	return prefix_parse(address, &prefix) == NET_OK ? address : NULL;
}

/* "10.0.0.0/24", "10.0.0.1:443", "443/tcp to 10.0.0.1" */
static bool address(struct arena *arena, const char *text, struct advice *out)
{
	const char *after, *end, *found = address_in(arena, text, &after);
	const char *peer = "the address under 'peer'";

	if (!found)
		return false;
	found = address_in(arena, after, &end) ? NULL : prefix_at(arena, found, after);
	if (found)
		peer = arena_printf(arena, "peer: [%s]", text_item(arena, found));
	*out = say("an address belongs under 'peer'",
		   arena_printf(arena, "write %s, and here the port alone, like 443/tcp", peer));
	return true;
}

/* "icmp/ping", "ping", "echo-request": a type that is none, or that lacks its protocol. */
static bool icmp_advice(struct arena *arena, const char *text, struct advice *out)
{
	const char *slash = strchr(text, '/'), *name = slash ? slash + 1 : text;
	const char *near = icmp_type_nearest(name);
	bool named = slash && !strncasecmp(text, "icmp", 4);

	if (strpbrk(text, ",;|&"))
		return false;
	if (!named && (slash || !near || (!str_equal(near, name) && !str_equal(name, "ping"))))
		return false;
	if (!near)
		*out = say("not a type of ICMP",
			   "an ICMP type by name or number: icmp/echo-request, "
			   "icmp/3/4, icmp/any");
	else if (named)
		*out = meant(arena, "not a type of ICMP",
			     arena_printf(arena, "%.*s/%s", (int)(slash - text), text, near));
	else
		*out = meant(arena, "the protocol of this type is missing",
			     arena_printf(arena, "icmp/%s", near));
	return true;
}

/* ---------------------------------------------------------------- the advice */

static const char *form_message(struct arena *arena, const struct service_reading *r)
{
	const struct group *group = &r->groups.list[0];

	if (r->misspelt)
		return arena_printf(arena, "'%s' is not a known protocol", r->misspelt);
	if (group->service)
		return "ports are numbers, not names of services";
	if (r->leading_zero)
		return "a port has no leading 0";
	if (group->ports[0].any && !group->proto_first)
		return "the word is 'any'";
	if (str_starts(group->protos[0] ?: "", "icmp"))
		return "a type of ICMP is written after its protocol and '/'";
	if (group->proto_first)
		return "the protocol comes after the port";
	if (r->open)
		return "a range has two ends";
	if (r->reversed)
		return "the range ends before it begins";
	if (r->odd_range)
		return "a range of ports is written with '-'";
	return "port and protocol are written with '/' between them";
}

/* Numbers with protocols: everything is there, and only the form is wrong. */
static bool form_advice(struct arena *arena, const struct service_reading *r, struct advice *out)
{
	const char *all, *message = form_message(arena, r);
	struct listed list;

	all = services_text(arena, &r->groups, &list);
	if (!all || r->negative || (r->leading_zero && list.written > 1))
		return false;
	if (list.written > 1 && !r->misspelt && !r->groups.list[0].service)
		message = "several ports in one item";
	if (list.count == 1)
		*out = meant(arena, message, all);
	else
		*out = say(message, arena_printf(arena, "each is an item of its own: %s", all));
	if (r->leading_zero)
		out->hint = arena_printf(arena, "%s, without the leading 0", out->hint);
	return true;
}

/* 6/443 is 443/tcp. */
static bool number_first(struct arena *arena, const char *text, struct service_reading *r,
			 struct advice *out)
{
	struct group *group = &r->groups.list[0];
	uint64_t first = group->ports[0].first;

	if (r->groups.count != 1 || group->port_count != 2 || group->proto_count ||
	    !strchr(text, '/') || first != group->ports[0].last || first > 255 ||
	    !proto_has_ports((uint8_t)first))
		return false;
	group->ports[0] = group->ports[--group->port_count];
	group->protos[group->proto_count++] = proto_name((uint8_t)first);
	group->proto_first = true;
	return form_advice(arena, r, out);
}

/* Its protocol cannot be guessed. */
static struct advice port_alone(struct arena *arena, const char *message, const char *port)
{
	return say(message, arena_printf(arena, "write '%s/tcp' or '%s/udp'", port, port));
}

static bool missing_proto(struct arena *arena, const struct service_reading *r, struct advice *out)
{
	const struct group *group = &r->groups.list[0];
	const struct written_range *port = &group->ports[0];
	const char *text = port_text(arena, port);

	if (r->groups.count != 1 || !group->port_count || group->proto_count)
		return false;
	if (group->port_count > 1)
		*out = say("several ports, and no protocol",
			   "each is an item of its own, like 443/tcp");
	else if (r->icmp_type && port->first == port->last && port->last <= UINT8_MAX)
		*out = meant(arena, "the protocol of this type is missing",
			     arena_printf(arena, "icmp/%s", text));
	else if (port->any)
		*out = say("the word is 'any'", "for every protocol and port write 'any'");
	else if (r->icmp_type || r->leading_zero || r->negative)
		return false;
	else
		*out = port_alone(arena, "the protocol is missing", text);
	return true;
}

/* "tcp": all of it may be meant, or a port was forgotten. */
static bool missing_port(struct arena *arena, const struct service_reading *r, struct advice *out)
{
	static const char message[] = "the ports of the protocol are missing";
	const struct group *group = &r->groups.list[0];
	const char *proto = group->protos[0];
	uint8_t number;

	if (r->misspelt || r->groups.count != 1 || group->port_count || !group->proto_count ||
	    proto_parse(proto, &number))
		return false;
	if (group->proto_count > 1)
		*out = say("the ports of the protocols are missing",
			   "each with its port is an item of its own, like 443/tcp");
	else if (proto_has_ports(number))
		*out = say(message,
			   arena_printf(arena, "443/%s for one port; for all of it write 'any/%s'",
					proto, proto));
	else if (proto_is_any_icmp(number))
		*out = say(message,
			   arena_printf(arena,
					"%s/echo-request for ping; for all of it write 'any/%s'",
					proto, proto));
	else
		*out = say(message, arena_printf(arena, "for all of it write 'any/%s'", proto));
	return true;
}

static bool over_65535(struct arena *arena, const struct group *group, struct advice *out)
{
	static const char message[] = "a port is over 65535";
	const struct written_range *port = &group->ports[0];
	const char *within;

	if (port->last <= PORT_MAX)
		return false;
	within = arena_printf(arena, "%ju-65535", (uintmax_t)port->first);
	if (port->first >= PORT_MAX)
		*out = say(message, "a port is a number from 0 to 65535");
	else if (group->proto_count)
		*out = meant(arena, message,
			     arena_printf(arena, "%s/%s", within, group->protos[0]));
	else
		*out = port_alone(arena, message, within);
	return true;
}

/* "443/gre" */
static bool portless(struct arena *arena, const struct group *group, struct advice *out)
{
	const char *proto = group->protos[0];
	uint8_t number;

	if (!group->proto_count || group->ports[0].any || proto_parse(proto, &number) ||
	    proto_has_ports(number) || proto_is_any_icmp(number))
		return false;
	*out = meant(arena, "it gives a port to a protocol that has none",
		     arena_printf(arena, "any/%s", proto));
	return true;
}

/* "-80/tcp" */
static bool negative(struct arena *arena, const struct service_reading *r, struct advice *out)
{
	const struct group *group = &r->groups.list[0];
	const char *proto = group->proto_count ? group->protos[0] : "tcp";
	uintmax_t port = group->ports[0].first;

	if (!r->negative || group->proto_first)
		return false;
	*out = say("a port is not negative, and a range has two ends",
		   arena_printf(arena, "%ju/%s for the port, 0-%ju/%s for a range", port, proto,
				port, proto));
	return true;
}

/* One port, and at most one protocol. */
static bool bad_number(struct arena *arena, const struct service_reading *r, struct advice *out)
{
	const struct group *group = &r->groups.list[0];

	if (r->groups.count != 1 || group->port_count != 1 || group->proto_count > 1)
		return false;
	return over_65535(arena, group, out) || portless(arena, group, out) ||
	       negative(arena, r, out);
}

static bool is_negated(const char *text)
{
	static const char *const marks[] = {"!", "^", "~", "not ", "except ", "no "};

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (!strncasecmp(text, marks[i], strlen(marks[i])))
			return true;
	return false;
}

/* A word alone. */
static struct advice not_read(const char *text)
{
	bool letters = false, digits = false;

	for (; *text; text++) {
		letters |= isalpha((unsigned char)*text);
		digits |= isdigit((unsigned char)*text);
	}
	if (letters && !digits)
		return say("ports are numbers", "write the number and the protocol, like 443/tcp");
	return say("not a port and a protocol",
		   "a port is written 443/tcp, 1024-1064/tcp, any/tcp or icmp/echo-request");
}

static struct advice in_quotes(struct arena *arena, const char *text)
{
	struct advice advice = service_advice(arena, text);
	struct service service[2];
	size_t count;

	if (service_parse(text, service, &count) == SERVICE_OK)
		advice = (struct advice){.hint = arena_printf(arena, "write \"%s\"", text),
					 .meant = text};
	advice.message = "its quotation marks are not quotes of YAML";
	return advice;
}

struct advice service_advice(struct arena *arena, const char *text)
{
	const char *unquoted;
	struct service_reading reading;
	struct advice advice;

	if (strlen(text) > TEXT_MAX)
		return not_read("");
	unquoted = text_unquoted(arena, text);
	if (is_negated(text))
		return say("a port cannot be negated",
			   "write a rule that denies it, with 'action: deny' and this port");
	if (unquoted)
		return in_quotes(arena, unquoted);
	if (!strcasecmp(text, "ip"))
		return say("the word is 'any'", "for every protocol and port write 'any'");
	if (address(arena, text, &advice) || icmp_advice(arena, text, &advice))
		return advice;
	if (service_read(arena, text, &reading) &&
	    (bad_number(arena, &reading, &advice) || number_first(arena, text, &reading, &advice) ||
	     form_advice(arena, &reading, &advice) || missing_proto(arena, &reading, &advice) ||
	     missing_port(arena, &reading, &advice)))
		return advice;
	return not_read(text);
}
