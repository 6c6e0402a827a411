// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ports as a policy or a table writes them, with a message for each way to get them wrong.
 */
#include <errno.h>
#include <string.h>

#include "model.h"

/* "https/tcp", "tcp/443", "icmp/ping": what did they mean? */
static const char *hint_port(struct job *job, const char *text)
{
	const char *slash = strchr(text, '/');
	char *head = arena_strndup(job->arena, text, slash ? (size_t)(slash - text) : 0);
	uint8_t proto;

	if (slash && proto_parse(head, &proto) == 0 && proto_has_ports(proto) && slash[1] >= '0' &&
	    slash[1] <= '9')
		return arena_printf(job->arena, "did you mean '%.20s/%s'? the port comes first",
				    slash + 1, head);
	if (slash && (!strcasecmp(head, "icmp") || !strcasecmp(head, "icmpv6")))
		return "an ICMP type by name or number: icmp/echo-request, icmp/3/4, icmp/any";
	if (text[0] == '0' && text[1] >= '0' && text[1] <= '9')
		return "write it without the leading 0";
	return "ports are numbers: 443/tcp, 1024-1064/tcp, any/tcp";
}

static const char *hint_no_proto(struct job *job, const char *text)
{
	uint8_t proto;

	if (*text && strspn(text, "0123456789") != strlen(text) && proto_parse(text, &proto) == 0)
		return arena_printf(job->arena, "for all of it write 'any/%s'", text);
	if (*text && strspn(text, "0123456789-") == strlen(text))
		return arena_printf(job->arena, "write '%.20s/tcp' or '%.20s/udp'", text, text);
	return "443/tcp, 1024-1064/tcp, icmp/echo-request, any/tcp or any";
}

static const char *hint_proto(struct job *job, const char *text)
{
	const char *slash = strchr(text, '/'), *near = slash ? proto_nearest(slash + 1) : NULL;
	char *head = arena_strndup(job->arena, text, slash ? (size_t)(slash - text) : 0);
	uint8_t proto;

	if (slash && proto_parse(head, &proto) == 0 && strspn(head, "0123456789") != strlen(head))
		return hint_port(job, text);
	if (slash && (!strcasecmp(slash + 1, "any") || !strcasecmp(slash + 1, "all") ||
		      !strcasecmp(slash + 1, "ip")))
		return strcasecmp(head, "any") ? "name each protocol: 443/tcp, 443/udp"
					       : "for every protocol and port write 'any'";
	if (near)
		return arena_printf(job->arena, "did you mean '%s/%s'?", head, near);
	return "a protocol by name (tcp, udp, sctp, icmp, gre, esp …) or its number, 0 to 255";
}

static void refuse_service(struct job *job, const struct node *node, const char *text,
			   enum service_error error)
{
	struct diags *d = job->d;
	uint8_t proto;

	switch (error) {
	case SERVICE_NO_PROTO:
		diag_error(d, node->loc, -EINVAL, "bad-port", hint_no_proto(job, text),
			   proto_parse(text, &proto) || text[strspn(text, "0123456789")] == '\0'
				   ? "'%.80s' does not say which protocol"
				   : "'%.80s' does not say which ports of the protocol", text);
		break;
	case SERVICE_BAD_PROTO:
		diag_error(d, node->loc, -EINVAL, "bad-protocol", hint_proto(job, text),
			   "'%.80s' names a protocol that is not known", text);
		break;
	case SERVICE_BIG_PORT:
		diag_error(d, node->loc, -EINVAL, "bad-port", NULL, "'%.80s' has a port over 65535",
			   text);
		break;
	case SERVICE_REVERSED:
		diag_error(d, node->loc, -EINVAL, "bad-port", "write the lower port first",
			   "the range '%.80s' ends before it begins", text);
		break;
	case SERVICE_NO_PORTS:
		diag_error(d, node->loc, -EINVAL, "bad-port",
			   arena_printf(job->arena, "write 'any/%.20s'", strchr(text, '/') + 1),
			   "'%.80s' gives a port to a protocol that has none", text);
		break;
	default:
		diag_error(d, node->loc, -EINVAL, "bad-port", hint_port(job, text),
			   "'%.80s' is not a port", text);
	}
}

bool service_add(struct job *job, const struct node *node, const char *text, struct services *out)
{
	struct service found[2];
	enum service_error error;
	size_t count, i;

	error = service_parse(text, found, &count);
	if (error) {
		refuse_service(job, node, text, error);
		return false;
	}
	for (i = 0; i < count; i++) {
		out->list = arena_grow(job->arena, out->list, out->count, &out->capacity,
				       sizeof(*out->list));
		out->list[out->count++] = found[i];
	}
	return true;
}

bool services_parse(struct job *job, const struct node *node, const char *what,
		    struct services *out)
{
	const struct node *item;
	bool good = true;
	size_t items = 0;

	if (!want_items(job->d, node, what))
		return false;
	for_items(item, node) items++;
	if (!out->capacity && items) {
		out->list = arena_alloc(job->arena, items * sizeof(*out->list));
		out->capacity = items;
	}
	for_items(item, node)
	{
		const char *text = want_text(job->d, item, "a port");

		good &= text && service_add(job, item, text, out);
	}
	if (good && out->count == 0) {
		diag_error(job->d, node->loc, -EINVAL, "missing-ports",
			   "for every port write 'any'", "%s is empty", what);
		return false;
	}
	return good;
}
