/* SPDX-License-Identifier: GPL-2.0-only */
#include "failsafe.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

enum {
	SOURCE_BYTES_MAX = 1 << 20,
	PORT_SSH = 22,
	PORT_DNS = 53,
	PORT_DHCP_SERVER = 67,
	PORT_DHCP_CLIENT = 68,
	PORT_HTTP = 80,
	PORT_HTTPS = 443,
	PORT_DHCP6_CLIENT = 546,
	PORT_DHCP6_SERVER = 547,
	PORT_KUBELET = 10250,
	PING_V4 = 8 << 8, /* type and code of an echo request */
	PING_V6 = 128 << 8,
	CODES = 255, /* of one type */
};

#define RESOLV_CONF "/etc/resolv.conf"
#define RESOLV_CONF_UPSTREAM "/run/systemd/resolve/resolv.conf"
#define KUBELET_CONF "/etc/kubernetes/kubelet.conf"
#define DMI_DIR "/sys/class/dmi/id"

struct derivation {
	const struct failsafe_inputs *in;
	struct diags *d;
	struct arena *arena;
	struct rule *list;
	size_t count, capacity;
};

struct addr metadata_address(void)
{
	return addr_from_v4(0xa9fea9fe);
}

/* ---------------------------------------------------------------- rules */

static const struct service dns[] = {{.proto = PROTO_UDP, .first = PORT_DNS, .last = PORT_DNS},
				     {.proto = PROTO_TCP, .first = PORT_DNS, .last = PORT_DNS}};
static const struct service dhcp = {
	.proto = PROTO_UDP, .first = PORT_DHCP_SERVER, .last = PORT_DHCP_SERVER};
static const struct service dhcp6 = {
	.proto = PROTO_UDP, .first = PORT_DHCP6_SERVER, .last = PORT_DHCP6_SERVER};
static const struct service ping[] = {
	{.proto = PROTO_ICMP, .first = PING_V4, .last = PING_V4 + CODES},
	{.proto = PROTO_ICMP6, .first = PING_V6, .last = PING_V6 + CODES}};

struct host_need {
	uint8_t dir; /* enum fr_dir */
	const char *source;
	const struct service *services;
	uint32_t service_count;
};

/* That of the same source. */
static struct rule *rule_of(struct derivation *x, const struct host_need *need)
{
	size_t size = need->service_count * sizeof(*need->services);
	struct origin *origin;
	struct rule *new;

	for (size_t i = 0; i < x->count; i++)
		if (x->list[i].dir == need->dir &&
		    x->list[i].services[0].first == need->services[0].first &&
		    str_equal(x->list[i].origin->purpose, need->source))
			return &x->list[i];
	x->list = arena_grow(x->arena, x->list, x->count, &x->capacity, sizeof(*x->list));
	new = &x->list[x->count++];
	origin = arena_alloc(x->arena, sizeof(*origin));
	origin->purpose = need->source;
	*new = (struct rule){.dir = need->dir,
			     .action = FR_FAILSAFE_ALLOW,
			     .origin = origin,
			     .services = arena_alloc(x->arena, size),
			     .service_count = need->service_count};
	memcpy(new->services, need->services, size);
	return new;
}

static void add(struct derivation *x, const struct host_need *need, const struct addr *peer)
{
	struct rule *rule = rule_of(x, need);
	size_t capacity = rule->peer_count;

	if (rule_has_peer(rule, peer))
		return;
	rule->peers = arena_grow(x->arena, rule->peers, rule->peer_count, &capacity,
				 sizeof(*rule->peers));
	rule->peers[rule->peer_count++] = prefix_masked(peer, 128);
}

/* At a port of TCP. */
static void add_client(struct derivation *x, const struct addr *peer, uint16_t port,
		       const char *source)
{
	struct service service = service_one(PROTO_TCP, port);

	add(x, &(struct host_need){FR_INGRESS, source, &service, 1}, peer);
}

static void add_server(struct derivation *x, const struct addr *peer, uint16_t port,
		       const char *source)
{
	struct service service = service_one(PROTO_TCP, port);

	add(x, &(struct host_need){FR_EGRESS, source, &service, 1}, peer);
}

static void warn(struct derivation *x, const char *hint, const char *message)
{
	diag_warning(
		x->d, NO_LOC, "failsafe-incomplete",
		arena_printf(x->arena, "flowreeve preview FILE --write-failsafe, then %s", hint),
		"failsafe: auto: %s", message);
}

/* ---------------------------------------------------------------- files */

/* NULL: it is not there. */
static int read_file(struct derivation *x, const char *path, const struct source **out)
{
	struct source *source = NULL;
	int err = source_read(x->arena, arena_printf(x->arena, "%s%s", x->in->root, path),
			      SOURCE_BYTES_MAX, &source);

	*out = NULL;
	if (err == -ENOENT || err == -ENOTDIR)
		return 0;
	if (err)
		return diag_error(x->d, NO_LOC, err, "failsafe-unreadable",
				  "write failsafe as a list", "failsafe: auto: %s: %s", path,
				  error_text(err));
	*out = source;
	return 0;
}

/* The next line without blanks around it, or NULL; `at` begins with the text. */
static char *next_line(struct arena *arena, const char **at)
{
	const char *begin = *at + strspn(*at, " \t\r\n");
	size_t length = strcspn(begin, "\r\n");

	*at = begin + length;
	while (length && strchr(" \t", begin[length - 1]))
		length--;
	return length ? arena_strndup(arena, begin, length) : NULL;
}

/* What follows a word and blanks, or NULL. */
static char *value_of(char *line, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(line, word, length) != 0 || !strchr(" \t", line[length]))
		return NULL;
	return line + length + strspn(line + length, " \t");
}

/* ---------------------------------------------------------------- SSH */

static bool is_sshd(const struct local_socket *socket)
{
	return str_starts(socket->process, "sshd") || str_equal(socket->process, "dropbear");
}

static bool waits(const struct failsafe_inputs *in, uint8_t proto, uint16_t port)
{
	for (size_t i = 0; i < in->waiting.count; i++) {
		const struct local_socket *one = &in->waiting.list[i];

		if (one->proto == proto && one->port == port && !addr_is_loopback(&one->address))
			return true;
	}
	return false;
}

static bool is_ssh_port(const struct failsafe_inputs *in, uint16_t port)
{
	for (size_t i = 0; i < in->waiting.count; i++) {
		const struct local_socket *one = &in->waiting.list[i];

		if (one->proto == PROTO_TCP && one->port == port &&
		    (port == PORT_SSH || is_sshd(one)))
			return true;
	}
	return port == in->session_port;
}

/* TCP to a port of this host from another one. */
static bool comes_in(const struct local_socket *socket)
{
	return socket->proto == PROTO_TCP && !socket_is_opening(socket) &&
	       !addr_is_loopback(&socket->peer) && !addr_equal(&socket->peer, &socket->address);
}

static void derive_ssh(struct derivation *x)
{
	const struct local_sockets *joined = &x->in->joined;
	size_t before = x->count;

	for (size_t i = 0; i < joined->count; i++) {
		const struct local_socket *one = &joined->list[i];

		if (comes_in(one) && is_ssh_port(x->in, one->port))
			add_client(x, &one->peer, one->port, "SSH sessions that are established");
	}
	if (x->count == before)
		warn(x,
		     "add {peer: [10.0.0.0/24], ports: [22/tcp]} with your administrators' hosts",
		     "no SSH session is established, so no address keeps SSH");
}

/* ---------------------------------------------------------------- resolvers, DHCP, gateway */

static int derive_resolvers(struct derivation *x, const char *path)
{
	const struct source *source;
	const struct host_need need = {FR_EGRESS, arena_printf(x->arena, "resolvers of %s", path),
				       dns, ARRAY_SIZE(dns)};
	const char *at;
	char *line, *value;
	struct addr addr;
	int err = read_file(x, path, &source);

	if (err || !source)
		return err;
	for (at = source->text; (line = next_line(x->arena, &at));) {
		value = value_of(line, "nameserver");
		if (!value)
			continue;
		value[strcspn(value, "% \t")] = '\0';
		if (addr_parse(value, &addr) == NET_OK && !addr_is_loopback(&addr) &&
		    !addr_is_unspecified(&addr))
			add(x, &need, &addr);
	}
	return 0;
}

static bool leases(const struct failsafe_inputs *in)
{
	for (size_t i = 0; i < in->route_count; i++)
		if (in->routes[i].protocol == RTPROT_DHCP && prefix_is_v4(&in->routes[i].to))
			return true;
	return false;
}

/* A host that has lost its server asks all. */
static void derive_dhcp(struct derivation *x)
{
	const struct addr broadcast = addr_from_v4(0xffffffff),
			  servers = addr_from_halves(0xff02000000000000, 0x10002);
	struct host_need need = {FR_EGRESS, "DHCP: a socket on 68/udp", &dhcp, 1};

	if (leases(x->in))
		need.source = "DHCP: routes of a lease";
	if (leases(x->in) || waits(x->in, PROTO_UDP, PORT_DHCP_CLIENT))
		add(x, &need, &broadcast);
	if (waits(x->in, PROTO_UDP, PORT_DHCP6_CLIENT))
		add(x, &(struct host_need){FR_EGRESS, "DHCPv6: a socket on 546/udp", &dhcp6, 1},
		    &servers);
}

static bool is_default(const struct prefix *to)
{
	return to->length == (prefix_is_v4(to) ? 96 : 0);
}

static void derive_gateways(struct derivation *x)
{
	for (size_t i = 0; i < x->in->route_count; i++) {
		const struct route *route = &x->in->routes[i];
		struct host_need need = {.source = "ICMP of the default gateway",
					 .services = &ping[!addr_is_v4(&route->gateway)],
					 .service_count = 1};

		if (!route->has_gateway || !is_default(&route->to))
			continue;
		need.dir = FR_EGRESS;
		add(x, &need, &route->gateway);
		need.dir = FR_INGRESS;
		add(x, &need, &route->gateway);
	}
}

/* ---------------------------------------------------------------- the metadata service */

/* As these clouds fill it in. */
static const struct {
	const char *file, *text;
} clouds[] = {
	{"sys_vendor", "Amazon EC2"},
	{"sys_vendor", "DigitalOcean"},
	{"sys_vendor", "Google"},
	{"sys_vendor", "Hetzner"},
	{"sys_vendor", "OpenStack Foundation"},
	{"chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77"}, /* Azure */
	{"chassis_asset_tag", "OracleCloud.com"},
};

static int find_cloud(struct derivation *x, const char **out)
{
	for (size_t i = 0; i < ARRAY_SIZE(clouds); i++) {
		const char *path = arena_printf(x->arena, DMI_DIR "/%s", clouds[i].file), *at;
		const struct source *source;
		int err = read_file(x, path, &source);

		if (err)
			return err;
		at = source ? source->text : "";
		if (str_equal(next_line(x->arena, &at), clouds[i].text))
			*out = arena_printf(x->arena, "metadata service: %s is %s", path,
					    clouds[i].text);
	}
	return 0;
}

static int derive_metadata(struct derivation *x)
{
	const struct addr service = metadata_address();
	const char *source = NULL;
	int err = 0;

	for (size_t i = 0; i < x->in->route_count; i++)
		if (x->in->routes[i].to.length == 128 &&
		    addr_equal(&x->in->routes[i].to.addr, &service))
			source = "metadata service: a route to it";
	if (!source && x->in->metadata_near)
		source = "metadata service: a neighbour";
	if (!source)
		err = find_cloud(x, &source);
	if (source)
		add_server(x, &service, PORT_HTTP, source);
	return err;
}

/* ---------------------------------------------------------------- Kubernetes */

struct endpoint {
	char *host;
	uint16_t port;
};

/* "https://10.0.0.1:6443", "https://[fd00::1]/", perhaps in quotes. */
static bool endpoint_parse(char *text, struct endpoint *out)
{
	char *end = strstr(text, "://"), *port;
	uint64_t number = str_starts(text + strspn(text, "\"'"), "http:") ? PORT_HTTP : PORT_HTTPS;

	if (!end)
		return false;
	out->host = end + 3;
	out->host[strcspn(out->host, "/\"' \t#")] = '\0';
	port = strrchr(out->host, ':');
	if (*out->host == '[') {
		end = strchr(out->host++, ']');
		if (!end)
			return false;
		*end = '\0';
		port = end[1] == ':' ? end + 1 : NULL;
	}
	if (port)
		*port++ = '\0';
	if (port && (parse_u64(port, UINT16_MAX, &number) || !number))
		return false;
	out->port = (uint16_t)number;
	return *out->host;
}

static int find_api_server(struct derivation *x, struct endpoint *out)
{
	const struct source *source;
	char *line, *value = NULL;
	const char *at;
	int err = read_file(x, KUBELET_CONF, &source);

	if (err || !source)
		return err;
	for (at = source->text; !value && (line = next_line(x->arena, &at));)
		value = value_of(line, "server:");
	if (value && endpoint_parse(value, out))
		return 0;
	return diag_error(x->d, NO_LOC, -EBADMSG, "failsafe-unreadable", "write failsafe as a list",
			  "failsafe: auto: %s names no server that can be read", KUBELET_CONF);
}

/* Those that the kubelet is connected with. */
static bool add_connected(struct derivation *x, uint16_t port, const char *source)
{
	const struct local_sockets *joined = &x->in->joined;
	bool found = false;

	for (size_t i = 0; i < joined->count; i++) {
		const struct local_socket *one = &joined->list[i];

		if (one->peer_port != port || !str_equal(one->process, "kubelet") ||
		    addr_is_loopback(&one->peer))
			continue;
		add_server(x, &one->peer, port, source);
		found = true;
	}
	return found;
}

static int derive_api_server(struct derivation *x, const char *source)
{
	struct endpoint server = {0};
	struct addr addr;
	int err = find_api_server(x, &server);

	if (err || !server.host)
		return err;
	if (addr_parse(server.host, &addr) == NET_OK) {
		if (!addr_is_loopback(&addr))
			add_server(x, &addr, server.port, source);
	} else if (!add_connected(x, server.port, source)) {
		warn(x, "add its address by hand, with direction: egress",
		     arena_printf(x->arena,
				  "the API server is %s, and the kubelet has no connection that "
				  "tells its address",
				  server.host));
	}
	return 0;
}

/* From the API server, and from whoever asks it now. */
static void derive_kubelet(struct derivation *x, const char *api_source)
{
	static const char source[] = "API server, to the kubelet on 10250/tcp";
	const struct local_sockets *joined = &x->in->joined;
	size_t rules = x->count;

	if (!waits(x->in, PROTO_TCP, PORT_KUBELET))
		return;
	for (size_t i = 0; i < rules; i++)
		for (uint32_t k = 0;
		     x->list[i].origin->purpose == api_source && k < x->list[i].peer_count; k++)
			add_client(x, &x->list[i].peers[k].addr, PORT_KUBELET, source);
	for (size_t i = 0; i < joined->count; i++)
		if (comes_in(&joined->list[i]) && joined->list[i].port == PORT_KUBELET)
			add_client(x, &joined->list[i].peer, PORT_KUBELET, source);
	if (x->count == rules)
		warn(x, "add {peer: [10.0.0.10], ports: [10250/tcp]} with its address",
		     "a kubelet waits on 10250/tcp, and the address of its API server is not known");
}

static int derive_kubernetes(struct derivation *x)
{
	static const char source[] = "API server of " KUBELET_CONF;
	int err = derive_api_server(x, source);

	if (!err)
		derive_kubelet(x, source);
	return err;
}

/* ---------------------------------------------------------------- all */

int failsafe_derive(const struct failsafe_inputs *in, struct diags *d, struct failsafe_rules *out)
{
	struct derivation x = {.in = in, .d = d, .arena = d->arena};
	int err;

	derive_ssh(&x);
	if ((err = derive_resolvers(&x, RESOLV_CONF)) ||
	    (err = derive_resolvers(&x, RESOLV_CONF_UPSTREAM)))
		return err;
	derive_dhcp(&x);
	err = derive_metadata(&x);
	if (err)
		return err;
	derive_gateways(&x);
	err = derive_kubernetes(&x);
	if (err)
		return err;
	if (!x.count)
		diag_warning(d, NO_LOC, "failsafe-incomplete", "write failsafe as a list",
			     "failsafe: auto: nothing was found, so no packet is failsafe");
	*out = (struct failsafe_rules){x.list, x.count};
	return 0;
}
