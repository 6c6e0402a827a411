// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ports as people write them by mistake: 80:90/tcp, tcp/443, 444tcp, http. The text is taken apart
 * into numbers, protocols and words, and put together as it should be.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "../base/base.h"
#include "net.h"

enum { TEXT_MAX = 200, PARTS_MAX = 12, PROTOS_MAX = 4, PORT_MAX = 65535 };

/* Ports that people call by name. For hints only: what a policy means does not depend on names. */
static const struct {
	const char *name, *service;
} known_services[] = {
	{"http", "80/tcp"},
	{"https", "443/tcp"},
	{"ssh", "22/tcp"},
	{"sftp", "22/tcp"},
	{"ftp", "21/tcp"},
	{"telnet", "23/tcp"},
	{"smtp", "25/tcp"},
	{"smtps", "465/tcp"},
	{"submission", "587/tcp"},
	{"dns", "53/udp, 53/tcp"},
	{"domain", "53/udp, 53/tcp"},
	{"ntp", "123/udp"},
	{"dhcp", "67/udp"},
	{"tftp", "69/udp"},
	{"snmp", "161/udp"},
	{"syslog", "514/udp"},
	{"ldap", "389/tcp"},
	{"ldaps", "636/tcp"},
	{"kerberos", "88/tcp, 88/udp"},
	{"imap", "143/tcp"},
	{"imaps", "993/tcp"},
	{"pop3", "110/tcp"},
	{"pop3s", "995/tcp"},
	{"smb", "445/tcp"},
	{"cifs", "445/tcp"},
	{"nfs", "2049/tcp"},
	{"rdp", "3389/tcp"},
	{"mysql", "3306/tcp"},
	{"postgres", "5432/tcp"},
	{"postgresql", "5432/tcp"},
	{"iscsi", "3260/tcp"},
	{"winrm", "5985/tcp"},
};

static const char *known_service(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(known_services); i++)
		if (strcasecmp(word, known_services[i].name) == 0)
			return known_services[i].service;
	return NULL;
}

/* ---------------------------------------------------------------- taken apart */

struct ports_found {
	uint64_t from, to;
};

struct parts {
	struct arena *arena;
	struct ports_found ports[PARTS_MAX];
	const char *proto[PROTOS_MAX];
	const char *word; /* the first one that is neither */
	const char *gap;  /* behind a number that a range may follow; or NULL */
	size_t port_count, proto_count;
	bool all;	  /* any, all, * */
	bool proto_first; /* tcp/443 */
	bool odd_range;	  /* 80:90, 80..90 */
	bool reversed;
};

/* What is between two numbers of a range: a dash of any kind, ':', "..", "to". */
static bool gap_is_range(const char *gap, const char *end, bool *odd)
{
	while (gap < end && *gap == ' ')
		gap++;
	while (end > gap && end[-1] == ' ')
		end--;
	*odd = *gap != '-';
	return end > gap && end - gap <= 3 &&
	       (strchr("-:~", *gap) || (unsigned char)*gap >= 0x80 || str_starts(gap, "..") ||
		str_starts(gap, "to"));
}

static void add_number(struct parts *p, const char *at, uint64_t number)
{
	struct ports_found *last = p->gap ? &p->ports[p->port_count - 1] : NULL;
	bool odd;

	if (last && gap_is_range(p->gap, at, &odd)) {
		p->odd_range |= odd;
		p->reversed |= number < last->from;
		last->to = number > last->from ? number : last->from;
		last->from = number < last->from ? number : last->from;
		p->gap = NULL;
	} else if (p->port_count < PARTS_MAX) {
		p->proto_first |= !p->port_count && p->proto_count;
		p->ports[p->port_count++] = (struct ports_found){number, number};
		p->gap = at;
	}
}

static const char *number_take(struct parts *p, const char *text)
{
	bool hex = text[0] == '0' && text[1] == 'x' && isxdigit((unsigned char)text[2]);
	const char *at = text;
	char *end;
	uint64_t number = strtoull(text, &end, hex ? 16 : 10);

	add_number(p, at, number);
	if (p->gap)
		p->gap = end;
	return end;
}

static void add_proto(struct parts *p, const char *name)
{
	if (p->proto_count < PROTOS_MAX)
		p->proto[p->proto_count++] = name;
}

static bool is_noise(const char *word)
{
	static const char *const noise[] = {"port", "ports", "proto", "protocol",
					    "and",  "or",    "to"};

	for (size_t i = 0; i < ARRAY_SIZE(noise); i++)
		if (str_equal(word, noise[i]))
			return true;
	return false;
}

static void add_word(struct parts *p, const char *word)
{
	uint8_t number;

	if (str_equal(word, "any") || str_equal(word, "all"))
		p->all = true;
	else if (!proto_parse(word, &number))
		add_proto(p, word);
	else if (str_equal(word, "ip") && p->port_count)
		add_proto(p, "tcp"), add_proto(p, "udp");
	else if (str_equal(word, "ip"))
		p->all = true;
	else if (!is_noise(word) && !p->word)
		p->word = word;
	if (!str_equal(word, "to"))
		p->gap = NULL;
}

static const char *word_take(struct parts *p, const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	size_t size = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789");
	const char *word = arena_strndup(p->arena, text, size);
	uint8_t number;

	if (proto_parse(word, &number) && !known_service(word)) {
		size = strspn(text, letters); /* tcp443 */
		word = arena_strndup(p->arena, text, size);
	}
	add_word(p, word);
	text += size;
	if ((*text == '4' || *text == '6') && !isdigit((unsigned char)text[1]))
		text++; /* tcp6 is tcp */
	return text;
}

static void take_apart(struct parts *p, const char *text)
{
	char *lower = arena_strdup(p->arena, text);

	for (char *at = lower; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	for (text = lower; *text;) {
		if (isdigit((unsigned char)*text))
			text = number_take(p, text);
		else if (isalpha((unsigned char)*text))
			text = word_take(p, text);
		else
			p->all |= *text++ == '*';
	}
}

/* ---------------------------------------------------------------- put together */

static const char *port_text(struct arena *arena, const struct ports_found *port)
{
	if (port->from == port->to)
		return arena_printf(arena, "%ju", (uintmax_t)port->from);
	return arena_printf(arena, "%ju-%ju", (uintmax_t)port->from, (uintmax_t)port->to);
}

/* Every port with every protocol; *count gets how many. NULL: that is none. */
static const char *services_text(const struct parts *p, size_t *count)
{
	struct service service[2];
	const char *all = "";
	size_t found;

	*count = 0;
	for (size_t i = 0; i < p->port_count; i++)
		for (size_t k = 0; k < p->proto_count; k++) {
			const char *text = arena_printf(
				p->arena, "%s/%s", port_text(p->arena, &p->ports[i]), p->proto[k]);

			if (service_parse(text, service, &found) != SERVICE_OK)
				return NULL;
			all = arena_printf(p->arena, "%s%s%s", all, *count ? ", " : "", text);
			++*count;
		}
	return *count ? all : NULL;
}

/* ---------------------------------------------------------------- the advice */

static struct advice say(const char *message, const char *hint)
{
	return (struct advice){message, hint, NULL};
}

static struct advice meant(struct arena *arena, const char *message, const char *service)
{
	return (struct advice){message, arena_printf(arena, "write '%s'", service), service};
}

/* "icmp/ping", "ping", "echo-request": a type that is none, or that lacks its protocol. */
static bool icmp_advice(struct arena *arena, const char *text, struct advice *out)
{
	const char *slash = strchr(text, '/'), *name = slash ? slash + 1 : text;
	const char *near = icmp_type_nearest(name);
	bool named = slash && !strncasecmp(text, "icmp", 4);

	if (!named && (slash || !near || (strcmp(near, name) != 0 && strcmp(name, "ping") != 0)))
		return false;
	if (near)
		*out = meant(arena,
			     named ? "no type of ICMP" : "the protocol of this type is missing",
			     arena_printf(arena, "%.*s/%s", named ? (int)(slash - text) : 4,
					  named ? text : "icmp", near));
	else
		*out = say("no type of ICMP", "an ICMP type by name or number: icmp/echo-request, "
					      "icmp/3/4, icmp/any");
	return true;
}

static const char *form_message(const struct parts *p)
{
	if (p->proto_first)
		return "the protocol comes behind the port";
	if (p->reversed)
		return "the range ends before it begins";
	if (p->odd_range)
		return "a range of ports is written with '-'";
	return "port and protocol are written with '/' between them";
}

/* Numbers with protocols: everything is there, and only the form is wrong. */
static bool form_advice(struct parts *p, struct advice *out)
{
	size_t count;
	const char *all = services_text(p, &count);

	if (!all || p->word)
		return false;
	if (count > 1)
		*out = say("several ports in one item",
			   arena_printf(p->arena, "each is an item of its own: %s", all));
	else
		*out = meant(p->arena, form_message(p), all);
	return true;
}

/* 6/443 is 443/tcp. */
static bool number_first(struct parts *p, const char *text, struct advice *out)
{
	uint64_t first = p->ports[0].from;

	if (p->port_count != 2 || p->proto_count || p->word || !strchr(text, '/') || first > 255 ||
	    !proto_has_ports((uint8_t)first))
		return false;
	p->ports[0] = p->ports[--p->port_count];
	add_proto(p, proto_name((uint8_t)first));
	p->proto_first = true;
	return form_advice(p, out);
}

static bool missing_proto(struct parts *p, struct advice *out)
{
	const char *word = p->word, *near = word ? proto_nearest(word) : NULL;
	const char *service = word ? known_service(word) : NULL;
	const char *port = port_text(p->arena, &p->ports[0]);

	if (!p->port_count || p->proto_count || (word && !service && !near))
		return false;
	if (p->port_count > 1) {
		*out = say("several ports, and no protocol",
			   "each is an item of its own, like 443/tcp");
	} else if (word) {
		add_proto(p, service ? strrchr(service, '/') + 1 : near);
		p->word = NULL;
		if (!form_advice(p, out))
			return false;
		out->message = arena_printf(p->arena, "'%s' is not a known protocol", word);
	} else {
		*out = say("it does not say which protocol",
			   arena_printf(p->arena, "write '%s/tcp' or '%s/udp'", port, port));
	}
	return true;
}

static struct advice service_named(struct parts *p, const char *service)
{
	static const char message[] = "ports are numbers, not names of services";

	if (strchr(service, ','))
		return say(message, arena_printf(p->arena, "write the numbers: %s", service));
	return meant(p->arena, message, service);
}

/* "tcp": all of it may be meant, or a port was forgotten. */
static struct advice proto_alone(struct parts *p, const char *proto, uint8_t number)
{
	static const char message[] = "it does not say which ports of the protocol";

	return say(message,
		   arena_printf(p->arena,
				proto_has_ports(number)
					? "443/%s for one port; for all of it write 'any/%s'"
				: number == PROTO_ICMP || number == PROTO_ICMP6
					? "%s/echo-request for ping; for all of it write 'any/%s'"
					: "for all of it write '%.0sany/%s'",
				proto, proto));
}

static bool missing_port(struct parts *p, struct advice *out)
{
	const char *service = p->word ? known_service(p->word) : NULL;
	const char *proto = p->proto_count ? p->proto[0] : NULL;
	uint8_t number = 0;

	if (p->port_count)
		return false;
	if (service)
		*out = service_named(p, service);
	else if (p->word)
		*out = say("ports are numbers", "write the number and the protocol, like 443/tcp");
	else if (p->all && proto)
		*out = meant(p->arena, "the word is 'any'",
			     arena_printf(p->arena, "any/%s", proto));
	else if (p->all)
		*out = say("the word is 'any'", "for every protocol and port write 'any'");
	else if (proto && !proto_parse(proto, &number))
		*out = proto_alone(p, proto, number);
	else
		return false;
	return true;
}

static bool over_65535(struct parts *p, const char *proto, struct advice *out)
{
	static const char message[] = "a port is over 65535";
	const struct ports_found *first = &p->ports[0];

	if (first->to <= PORT_MAX)
		return false;
	if (first->from < PORT_MAX)
		*out = meant(p->arena, message,
			     arena_printf(p->arena, "%ju-65535/%s", (uintmax_t)first->from, proto));
	else
		*out = say(message, "a port is a number from 0 to 65535");
	return true;
}

/* "443/gre" */
static bool portless(struct parts *p, const char *proto, struct advice *out)
{
	uint8_t number;

	if (!p->proto_count || proto_parse(proto, &number) || proto_has_ports(number) ||
	    number == PROTO_ICMP || number == PROTO_ICMP6)
		return false;
	*out = meant(p->arena, "it gives a port to a protocol that has none",
		     arena_printf(p->arena, "any/%s", proto));
	return true;
}

/* "-80/tcp", "80-/tcp" */
static bool half_range(struct parts *p, const char *proto, const char *text, struct advice *out)
{
	const struct ports_found *first = &p->ports[0];
	const char *dash = strchr(text, '-');
	uintmax_t port = first->from;

	if (p->port_count != 1 || !dash || first->from != first->to ||
	    !isalnum((unsigned char)dash[1]) == (dash == text))
		return false;
	if (dash == text)
		*out = say("a port is not negative, and a range has two ends",
			   arena_printf(p->arena, "%ju/%s for the port, 0-%ju/%s for a range", port,
					proto, port, proto));
	else
		*out = meant(p->arena, "a range has two ends",
			     arena_printf(p->arena, "%ju-65535/%s", port, proto));
	return true;
}

static bool bad_number(struct parts *p, const char *text, struct advice *out)
{
	const char *proto = p->proto_count ? p->proto[0] : "tcp";

	return p->port_count && (over_65535(p, proto, out) || portless(p, proto, out) ||
				 half_range(p, proto, text, out));
}

static bool leading_zero(struct parts *p, const char *text, struct advice *out)
{
	bool zero = false;

	for (const char *at = text; *at; at++)
		zero |= at[0] == '0' && isdigit((unsigned char)at[1]) &&
			(at == text || !isdigit((unsigned char)at[-1]));
	if (!zero || !form_advice(p, out))
		return false;
	out->message = "a port has no leading 0";
	out->hint = arena_printf(p->arena, "%s, without the leading 0", out->hint);
	return true;
}

struct advice service_advice(struct arena *arena, const char *text)
{
	static const struct advice none = {
		"not a port and a protocol",
		"a port is written 443/tcp, 1024-1064/tcp, any/tcp or icmp/echo-request", NULL};
	struct parts p = {.arena = arena};
	struct advice advice;
	const char *unquoted;

	if (strlen(text) > TEXT_MAX)
		return none;
	unquoted = text_unquoted(arena, text);
	take_apart(&p, text);
	if (*text == '!' || str_starts(text, "not "))
		return say("a port cannot be negated",
			   "write a rule that denies it, with 'action: deny' and this port");
	if (unquoted)
		return say("its quotation marks are none for YAML",
			   arena_printf(arena, "write \"%s\"", unquoted));
	if (icmp_advice(arena, text, &advice) || bad_number(&p, text, &advice) ||
	    leading_zero(&p, text, &advice) || number_first(&p, text, &advice) ||
	    form_advice(&p, &advice) || missing_proto(&p, &advice) || missing_port(&p, &advice))
		return advice;
	return none;
}
