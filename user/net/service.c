/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Services, the way vendors write them: "443/tcp", "1024-1064/tcp", "icmp/echo-request", "any".
 */
#include <stdio.h>
#include <string.h>

#include "../base/base.h"
#include "net.h"

enum { PART_MAX = 48, PORT_MAX = 65535 };

static const struct service any_service = {.any_proto = true, .last = PORT_MAX};

/* Vendors' documents use every dash that Unicode has. */
static const char *const range_marks[] = {"-",	    "\u2013", "\u2014", "\u2212",
					  "\u2010", "\u2011", " to "};

static const char *find_range_mark(const char *text, size_t *length)
{
	for (size_t i = 0; i < ARRAY_SIZE(range_marks); i++) {
		const char *found = strstr(text, range_marks[i]);

		if (found) {
			*length = strlen(range_marks[i]);
			return found;
		}
	}
	return NULL;
}

/* A port with blanks around it, `size` bytes. */
static enum service_error port_parse(const char *text, size_t size, uint16_t *out)
{
	char word[PART_MAX];
	uint64_t port;

	while (size && *text == ' ')
		text++, size--;
	while (size && text[size - 1] == ' ')
		size--;
	if (size == 0 || size >= sizeof(word))
		return SERVICE_BAD_PORT;
	memcpy(word, text, size);
	word[size] = '\0';
	/* 0443 is 443 to some readers and, as octal in YAML, 291 to others: refuse it. */
	if (strspn(word, "0123456789") != size || (word[0] == '0' && size > 1))
		return SERVICE_BAD_PORT;
	if (parse_u64(word, PORT_MAX, &port))
		return SERVICE_BIG_PORT;
	*out = (uint16_t)port;
	return SERVICE_OK;
}

static enum service_error range_parse(const char *text, struct service *service)
{
	size_t mark_size = 0;
	const char *mark = find_range_mark(text, &mark_size);
	enum service_error error;

	if (!mark) {
		error = port_parse(text, strlen(text), &service->first);
		service->last = service->first;
		return error;
	}
	error = port_parse(text, (size_t)(mark - text), &service->first);
	if (!error)
		error = port_parse(mark + mark_size, strlen(mark + mark_size), &service->last);
	if (!error && service->last < service->first)
		error = SERVICE_REVERSED;
	return error;
}

/* "443", "1024-1064" or "any" of a protocol. */
static enum service_error ports_parse(const char *ports, const char *proto, struct service *out)
{
	struct service service = {.last = PORT_MAX};
	enum service_error error;

	if (proto_parse(proto, &service.proto))
		return SERVICE_BAD_PROTO;
	if (str_equal(ports, "any")) {
		*out = service;
		return SERVICE_OK;
	}
	error = range_parse(ports, &service);
	if (!error && !proto_has_ports(service.proto))
		error = SERVICE_NO_PORTS;
	if (!error)
		*out = service;
	return error;
}

static bool icmp_parse(uint8_t proto, const char *text, struct service *out)
{
	struct service service = {.proto = proto, .last = PORT_MAX};
	uint8_t type;
	int code;

	if (!str_equal(text, "any")) {
		if (icmp_type_parse(proto, text, &type, &code))
			return false;
		service.first = (uint16_t)(type << 8 | (code < 0 ? 0 : code));
		service.last = (uint16_t)(type << 8 | (code < 0 ? 255 : code));
	}
	*out = service;
	return true;
}

/* The types that mean the same in both families, so that "icmp/echo-request" is ping, v4 and v6. */
static bool icmp_name_shared(const char *text)
{
	static const char *const names[] = {"echo-request", "echo-reply", "destination-unreachable",
					    "time-exceeded", "parameter-problem"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcasecmp(text, names[i]) == 0)
			return true;
	return false;
}

static enum service_error icmp_services(uint8_t proto, const char *text, struct service out[2],
					size_t *count)
{
	if (!icmp_parse(proto, text, &out[0]))
		return SERVICE_BAD_PORT;
	*count = 1;
	if (proto == PROTO_ICMP && icmp_name_shared(text) && icmp_parse(PROTO_ICMP6, text, &out[1]))
		*count = 2;
	return SERVICE_OK;
}

/* The most common form: "443/tcp". */
static bool is_one_port(const char *text, struct service *out)
{
	uint32_t port = 0;
	size_t digits = 0;

	for (; digits < 5 && text[digits] >= '0' && text[digits] <= '9'; digits++)
		port = port * 10 + (uint32_t)(text[digits] - '0');
	if (*text == '0' || !port || port > UINT16_MAX || text[digits] != '/')
		return false;
	text += digits + 1;
	*out = (struct service){.first = (uint16_t)port, .last = (uint16_t)port};
	if (str_equal(text, "tcp"))
		out->proto = PROTO_TCP;
	else if (str_equal(text, "udp"))
		out->proto = PROTO_UDP;
	return out->proto;
}

enum service_error service_parse(const char *text, struct service out[2], size_t *count)
{
	const char *slash = strchr(text, '/');
	enum service_error error;
	char head[PART_MAX];
	uint8_t proto;

	if (is_one_port(text, &out[0])) {
		*count = 1;
		return SERVICE_OK;
	}
	if (str_equal(text, "any")) {
		out[0] = any_service;
		*count = 1;
		return SERVICE_OK;
	}
	if (!slash)
		return SERVICE_NO_PROTO;
	if ((size_t)(slash - text) >= sizeof(head))
		return SERVICE_BAD_PORT;
	memcpy(head, text, (size_t)(slash - text));
	head[slash - text] = '\0';
	/* A name in front, and no number: "1/tcp" is port 1, not ICMP. */
	if (strspn(head, "0123456789") != strlen(head) && proto_parse(head, &proto) == 0 &&
	    proto_is_any_icmp(proto))
		return icmp_services(proto, slash + 1, out, count);
	error = ports_parse(head, slash + 1, &out[0]);
	if (!error)
		*count = 1;
	return error;
}

static void icmp_text(const struct service *service, const char *name, char *out)
{
	unsigned type = service->first >> 8, code = service->first & 255;

	if (service->first == service->last)
		snprintf(out, SERVICE_TEXT, "%s/%u/%u", name, type, code);
	else if (code == 0 && service->last == (type << 8 | 255))
		snprintf(out, SERVICE_TEXT, "%s/%u", name, type);
	else
		snprintf(out, SERVICE_TEXT, "%s/%u/%u-%u/%u", name, type, code, service->last >> 8u,
			 service->last & 255u);
}

static char *port_append(char *at, unsigned port)
{
	char digits[5];
	size_t begin = sizeof(digits);

	do
		digits[--begin] = (char)('0' + port % 10);
	while (port /= 10);
	memcpy(at, digits + begin, sizeof(digits) - begin);
	return at + sizeof(digits) - begin;
}

/* Written by hand: a policy may have a hundred thousand of them. */
static void ports_text(const struct service *service, const char *name, char *out)
{
	out = port_append(out, service->first);
	if (service->first != service->last) {
		*out++ = '-';
		out = port_append(out, service->last);
	}
	*out++ = '/';
	strcpy(out, name);
}

char *service_text(const struct service *service, char *out)
{
	const char *name = proto_name(service->proto);
	char number[4];

	if (service->any_proto) {
		strcpy(out, "any");
		return out;
	}
	if (!name) {
		snprintf(number, sizeof(number), "%u", service->proto);
		name = number;
	}
	if (service->first == 0 && service->last == PORT_MAX)
		snprintf(out, SERVICE_TEXT, "any/%s", name);
	else if (proto_is_any_icmp(service->proto))
		icmp_text(service, name, out);
	else
		ports_text(service, name, out);
	return out;
}

struct service service_one(uint8_t proto, uint16_t port)
{
	if (!proto_has_ports(proto) && !proto_is_any_icmp(proto))
		return (struct service){.proto = proto, .last = UINT16_MAX};
	return (struct service){.proto = proto, .first = port, .last = port};
}

bool service_has(const struct service *service, uint8_t proto, uint16_t port)
{
	if (service->any_proto)
		return true;
	return service->proto == proto && port >= service->first && port <= service->last;
}

bool tuple_equal(const struct tuple *a, const struct tuple *b)
{
	return a->dir == b->dir && a->proto == b->proto && a->port == b->port &&
	       addr_equal(&a->peer, &b->peer);
}

/* ---------------------------------------------------------------- sets of ports */

void port_set_usual(struct port_set *out)
{
	for (uint32_t port = 0; port < PORT_NUMBERS; port++)
		port_set_put(out, (uint16_t)port, port >= PORTS_GIVEN_OUT);
}
