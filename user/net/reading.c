/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Common mistakes in ports: 80:90/tcp, tcp/443, 444tcp, http. A text is a list of items, an item
 * is numbers and protocols with a sign between them. A text is understood to its last character or
 * not at all: a hint from a part of it would propose something else.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "reading.h"

/* Ports that people call by name. For hints only: names do not change the meaning of a policy. */
static const struct {
	const char *name;
	uint16_t port;
	const char *protos[2];
} known_services[] = {
	{"http", 80, {"tcp"}},
	{"https", 443, {"tcp"}},
	{"ssh", 22, {"tcp"}},
	{"sftp", 22, {"tcp"}},
	{"ftp", 21, {"tcp"}},
	{"ftp-data", 20, {"tcp"}},
	{"telnet", 23, {"tcp"}},
	{"smtp", 25, {"tcp"}},
	{"smtps", 465, {"tcp"}},
	{"submission", 587, {"tcp"}},
	{"dns", 53, {"udp", "tcp"}},
	{"domain", 53, {"udp", "tcp"}},
	{"ntp", 123, {"udp"}},
	{"dhcp", 67, {"udp"}},
	{"tftp", 69, {"udp"}},
	{"snmp", 161, {"udp"}},
	{"snmp-trap", 162, {"udp"}},
	{"syslog", 514, {"udp"}},
	{"ldap", 389, {"tcp"}},
	{"ldaps", 636, {"tcp"}},
	{"kerberos", 88, {"tcp", "udp"}},
	{"imap", 143, {"tcp"}},
	{"imaps", 993, {"tcp"}},
	{"pop3", 110, {"tcp"}},
	{"pop3s", 995, {"tcp"}},
	{"smb", 445, {"tcp"}},
	{"cifs", 445, {"tcp"}},
	{"microsoft-ds", 445, {"tcp"}},
	{"nfs", 2049, {"tcp"}},
	{"rdp", 3389, {"tcp"}},
	{"mysql", 3306, {"tcp"}},
	{"postgres", 5432, {"tcp"}},
	{"postgresql", 5432, {"tcp"}},
	{"iscsi", 3260, {"tcp"}},
	{"winrm", 5985, {"tcp"}},
};

struct service_reader {
	struct arena *arena;
	struct service_reading *out;
	const char *item; /* its begin */
	bool proto_next;  /* "proto 50": the next number is one of a protocol */
};

/* Replaces the '+' of 1024+, which is no separator. */
static const char open_mark = '\1';
static const char connectors[] = "/:-\\@=.";

/* ---------------------------------------------------------------- groups put together */

static bool is_whole(const struct group *group)
{
	return group->port_count && group->proto_count;
}

static bool merge(struct group *into, const struct group *more)
{
	if (into->port_count + more->port_count > PORTS_MAX ||
	    into->proto_count + more->proto_count > PROTOS_MAX)
		return false;
	for (size_t i = 0; i < more->port_count; i++)
		into->ports[into->port_count++] = more->ports[i];
	for (size_t i = 0; i < more->proto_count; i++)
		into->protos[into->proto_count++] = more->protos[i];
	return true;
}

static bool append(struct groups *out, const struct groups *next, size_t from)
{
	if (out->count + next->count - from > GROUPS_MAX)
		return false;
	for (size_t i = from; i < next->count; i++)
		out->list[out->count++] = next->list[i];
	return true;
}

/* "domain/udp", "tcp/http", "80/http": a written part overrides that of the name. */
static bool join_named(struct service_reader *r, struct group *last, const struct group *first)
{
	struct group named = last->service ? *last : *first;
	const struct group other = last->service ? *first : *last;

	if (other.service || is_whole(&other))
		return false;
	if (other.port_count) {
		r->out->misspelt = named.service;
		named.service = NULL;
		named.port_count = 0;
	} else {
		named.proto_count = 0;
	}
	*last = named;
	return merge(last, &other);
}

static bool join(struct service_reader *r, struct groups *out, const struct groups *next, bool list)
{
	struct group *last = &out->list[out->count ? out->count - 1 : 0];
	const struct group *first = &next->list[0];
	struct group whole;

	if (!out->count || !next->count || (is_whole(last) && is_whole(first)))
		return append(out, next, 0);
	if (last->service || first->service)
		return !list && join_named(r, last, first) && append(out, next, 1);
	if (is_whole(first)) { /* 80, 443/tcp */
		whole = *last;
		if (last->proto_count || first->proto_first || !merge(&whole, first))
			return false;
		*last = whole;
		return append(out, next, 1);
	}
	if (is_whole(last) && last->proto_first != (first->port_count > 0))
		return false;
	last->proto_first |= !last->port_count && first->port_count;
	return merge(last, first);
}

/* ---------------------------------------------------------------- numbers */

static uint64_t number_read(struct service_reader *r, char **at)
{
	char *text = *at;
	bool hex = text[0] == '0' && text[1] == 'x' && isxdigit((unsigned char)text[2]);

	r->out->leading_zero |= text[0] == '0' && isdigit((unsigned char)text[1]);
	return strtoull(text, at, hex ? 16 : 10);
}

static bool is_range_mark(const char *at)
{
	return (*at == '-' || *at == ':') && isdigit((unsigned char)at[1]);
}

/* Behind a number: "1024-/tcp", "1024:", "1024+". */
static bool has_open_end(const char *at)
{
	return *at == open_mark || ((*at == '-' || *at == ':') && (!at[1] || at[1] == '/'));
}

/* ">1023", "<=80": the sign is taken already. */
static bool compared(struct service_reader *r, char **at, char sign, struct written_range *out)
{
	bool equal = **at == '=';
	uint64_t number;

	*at += equal;
	if (!isdigit((unsigned char)**at))
		return false;
	number = number_read(r, at);
	if (!equal && number == (sign == '<' ? 0 : PORT_MAX))
		return false;
	r->out->open = true;
	*out = sign == '<' ? (struct written_range){0, number - !equal, false}
			   : (struct written_range){number + !equal, PORT_MAX, false};
	return number <= PORT_MAX;
}

static void range_read(struct service_reader *r, char **at, struct written_range *out)
{
	out->first = out->last = number_read(r, at);
	if (is_range_mark(*at)) {
		r->out->odd_range |= **at == ':';
		++*at;
		out->last = number_read(r, at);
	} else if (has_open_end(*at)) {
		r->out->open = true;
		++*at;
		out->last = out->first < PORT_MAX ? PORT_MAX : out->first;
	}
	if (out->last < out->first) {
		uint64_t last = out->last;

		r->out->reversed = true;
		out->last = out->first;
		out->first = last;
	}
}

static bool port_read(struct service_reader *r, char **at, struct group *out)
{
	struct written_range *port = &out->ports[0];
	char sign = **at;

	if (r->proto_next) {
		out->protos[out->proto_count++] =
			arena_printf(r->arena, "%ju", (uintmax_t)number_read(r, at));
		r->proto_next = false;
		return true;
	}
	out->port_count = 1;
	if (isdigit((unsigned char)sign)) {
		range_read(r, at, port);
		return true;
	}
	++*at;
	if (sign == '<' || sign == '>')
		return compared(r, at, sign, port);
	if (!isdigit((unsigned char)**at))
		return false;
	port->last = number_read(r, at);
	port->first = sign == ':' ? 0 : port->last;
	r->out->open |= sign == ':';
	r->out->negative |= sign == '-';
	return true;
}

/* ---------------------------------------------------------------- words */

static bool service_named(const char *word, struct group *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(known_services); i++) {
		if (!str_equal(word, known_services[i].name))
			continue;
		*out = (struct group){.service = known_services[i].name, .port_count = 1};
		out->ports[0].first = out->ports[0].last = known_services[i].port;
		for (size_t k = 0; k < 2 && known_services[i].protos[k]; k++)
			out->protos[out->proto_count++] = known_services[i].protos[k];
		return true;
	}
	return false;
}

static bool is_noise(struct service_reader *r, const char *word)
{
	static const char *const noise[] = {"port", "ports", "dport", "proto", "protocol", "type"};

	for (size_t i = 0; i < ARRAY_SIZE(noise); i++) {
		if (!str_equal(word, noise[i]))
			continue;
		r->proto_next = str_starts(word, "proto");
		r->out->icmp_type |= str_equal(word, "type");
		return true;
	}
	return false;
}

static bool is_any(const struct groups *groups)
{
	const struct group *group = &groups->list[0];

	return groups->count == 1 && group->port_count == 1 && group->ports[0].any;
}

/* A whole word; `before` are the groups in front of it. */
static bool word_known(struct service_reader *r, const char *word, const struct groups *before,
		       struct group *out)
{
	uint8_t number;

	if (str_equal(word, "any") || str_equal(word, "all") ||
	    (str_equal(word, "ip") && is_any(before))) {
		out->ports[out->port_count++] = (struct written_range){0, PORT_MAX, true};
	} else if (!proto_parse(word, &number)) {
		r->proto_next = false;
		out->protos[out->proto_count++] = word;
	} else if (str_equal(word, "ip") && before->count) { /* 443/ip */
		out->protos[out->proto_count++] = "tcp";
		out->protos[out->proto_count++] = "udp";
	} else if (str_equal(word, "ip")) { /* ip/50 */
		r->proto_next = true;
	} else {
		return is_noise(r, word) || service_named(word, out);
	}
	return true;
}

/* "tcp6" is tcp, and "tcp443" two things. */
static bool word_in_front(struct service_reader *r, char **at, size_t letters, struct group *out)
{
	const char *word = arena_strndup(r->arena, *at, letters);
	uint8_t number;

	if (proto_parse(word, &number))
		return false;
	out->protos[out->proto_count++] = word;
	*at += letters;
	if ((**at == '4' || **at == '6') && !isdigit((unsigned char)(*at)[1]))
		++*at;
	return true;
}

static bool word_read(struct service_reader *r, char **at, const struct groups *before,
		      struct group *out)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	static const char signs[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	size_t first = strspn(*at, signs), size = first;
	const char *word, *near;

	while ((*at)[size] == '-' && isalpha((unsigned char)(*at)[size + 1]))
		size += 1 + strspn(*at + size + 1, signs);
	word = arena_strndup(r->arena, *at, size);
	if (word_known(r, word, before, out)) {
		*at += size;
		return true;
	}
	if (size > first && !service_named(arena_strndup(r->arena, *at, first), out) &&
	    word_known(r, arena_strndup(r->arena, *at, first), before, out)) {
		*at += first;
		return true;
	}
	*out = (struct group){0};
	if (word_in_front(r, at, strspn(*at, letters), out))
		return true;
	near = proto_nearest(word);
	if (!near || r->out->misspelt)
		return false;
	r->out->misspelt = word;
	out->protos[out->proto_count++] = near;
	*at += size;
	return true;
}

/* ---------------------------------------------------------------- one item */

/* "80/tcp-90/tcp": a range whose ends both have the protocol. */
static bool range_ends(struct service_reader *r, char **at, struct groups *out)
{
	struct group *last = &out->list[out->count - 1];
	struct written_range *port = &last->ports[0];
	size_t size = strlen(last->protos[0]);
	struct written_range end;

	if ((size_t)(*at - r->item) < size + 2 || (*at)[-2 - (ptrdiff_t)size] != '/' ||
	    strncmp(*at - 1 - size, last->protos[0], size) != 0)
		return false;
	range_read(r, at, &end);
	if (port->any || port->first != port->last || end.first != end.last)
		return false;
	if (end.first < port->first) {
		r->out->reversed = true;
		port->first = end.first;
	} else {
		port->last = end.first;
	}
	if (**at == '/' && str_starts(*at + 1, last->protos[0]))
		*at += 1 + size;
	return !**at;
}

static bool is_one_port(const struct groups *groups)
{
	const struct group *group = &groups->list[0];

	return groups->count == 1 && group->port_count == 1 && group->proto_count == 1 &&
	       !group->proto_first && !group->service;
}

/* May this sign connect the two? */
static bool connects(char sign, const struct groups *before, const struct group *next)
{
	const struct group *last = &before->list[before->count ? before->count - 1 : 0];

	return sign == '/' || !sign || !before->count || !next->port_count != !last->port_count ||
	       last->service || next->service;
}

/* "443/any" lacks a protocol, "any/any" is any. */
static bool is_any_behind(char sign, const struct groups *before, const struct group *next)
{
	const struct group *last = &before->list[0];

	return sign == '/' && before->count == 1 && last->port_count && !last->proto_count &&
	       next->port_count && next->ports[0].any;
}

static bool atom_read(struct service_reader *r, char **at, struct groups *out)
{
	struct groups next = {.count = 1};
	struct group *group = &next.list[0];
	char sign = '\0';

	if (strchr(connectors, **at) && (*at > r->item || !isdigit((unsigned char)(*at)[1])))
		sign = *(*at)++;
	if (!**at) /* "443/" */
		return sign == '/' && out->count;
	if (sign == '-' && isdigit((unsigned char)**at) && is_one_port(out))
		return range_ends(r, at, out);
	if (isalpha((unsigned char)**at)) {
		if (!word_read(r, at, out, group))
			return false;
	} else if (**at == '*' && !isalnum((unsigned char)(*at)[1])) {
		group->ports[group->port_count++] = (struct written_range){0, PORT_MAX, true};
		++*at;
	} else if ((!strchr("<>:-", **at) && !isdigit((unsigned char)**at)) ||
		   !port_read(r, at, group)) {
		return false;
	}
	if (!group->port_count && !group->proto_count) /* noise */
		return true;
	return is_any_behind(sign, out, group) ||
	       (connects(sign, out, group) && join(r, out, &next, false));
}

static bool item_read(struct service_reader *r, char *at, struct groups *out)
{
	*out = (struct groups){0};
	r->item = at;
	while (*at)
		if (!atom_read(r, &at, out))
			return false;
	return true;
}

/* ---------------------------------------------------------------- lists */

/* A list, the words of one of its items, or one word. */
static bool list_read(struct service_reader *r, char *text, unsigned depth, struct groups *out)
{
	static const char *const separators[] = {",;|&+", " "};
	char *piece;

	if (depth == ARRAY_SIZE(separators))
		return item_read(r, text, out);
	*out = (struct groups){0};
	while ((piece = strsep(&text, separators[depth]))) {
		struct groups next;

		if (!piece[strspn(piece, " ")])
			continue;
		if (!list_read(r, piece, depth + 1, &next) || !join(r, out, &next, depth == 0))
			return false;
	}
	return true;
}

/* ---------------------------------------------------------------- one spelling */

static const struct {
	const char *from, *to;
} spellings[] = {
	{"\u2013", "-"}, {"\u2014", "-"},  {"\u2212", "-"},  {"\u2010", "-"},
	{"\u2011", "-"}, {"\u2265", ">="}, {"\u2264", "<="}, {"..", "-"},
	{"~", "-"},	 {" and ", ","},   {" or ", ","},
};

/* "80 to 90", "80to90" */
static bool is_to(const char *text, const char *begin)
{
	const char *word = text + strspn(text, " ");

	return text > begin && isdigit((unsigned char)text[-1]) && str_starts(word, "to") &&
	       isdigit((unsigned char)word[2 + strspn(word + 2, " ")]);
}

/* "1024+", "1024 +/tcp", but not "80+443", "80 + tcp". */
static bool is_open_plus(const char *text, const char *begin)
{
	const char *before = text, *next = text + 1 + strspn(text + 1, " ");

	while (before > begin && before[-1] == ' ')
		before--;
	if (*text != '+' || before == begin || !isdigit((unsigned char)before[-1]))
		return false;
	return !*next || *next == '/' ||
	       (before == text && !isalnum((unsigned char)text[1]) &&
		!isdigit((unsigned char)*next));
}

static char *spelt_alike(struct service_reader *r, const char *text)
{
	char *out = arena_alloc(r->arena, 2 * strlen(text) + 1), *end = out;

	for (const char *at = text; *at;) {
		size_t i;

		for (i = 0; i < ARRAY_SIZE(spellings); i++)
			if (str_starts(at, spellings[i].from))
				break;
		if (is_to(at, text)) {
			*end++ = '-';
			at = strstr(at, "to") + 2;
			at += strspn(at, " ");
			r->out->odd_range = true;
		} else if (i < ARRAY_SIZE(spellings)) {
			end = stpcpy(end, spellings[i].to);
			at += strlen(spellings[i].from);
			r->out->odd_range |= spellings[i].to[0] == '-';
		} else {
			*end++ = is_open_plus(at, text) ? open_mark : *at;
			at++;
		}
	}
	return out;
}

/* No blanks beside signs, and none but ' '. */
static void squeeze(char *text)
{
	static const char signs[] = "/:-\\@=<>,;|&+\1";
	char *end = text;

	for (const char *at = text; *at; at++) {
		bool blank = isspace((unsigned char)*at);

		if (blank && (end == text || end[-1] == ' ' || strchr(signs, end[-1])))
			continue;
		if (!blank && strchr(signs, *at) && *at && end > text && end[-1] == ' ')
			end--;
		*end++ = blank ? ' ' : *at;
	}
	while (end > text && strchr(" .)]", end[-1]))
		end--;
	*end = '\0';
}

bool service_read(struct arena *arena, const char *text, struct service_reading *out)
{
	struct service_reader r = {.arena = arena, .out = out};
	char *lower = arena_strdup(arena, text);

	*out = (struct service_reading){0};
	for (char *at = lower; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	lower = spelt_alike(&r, lower + strspn(lower, "(["));
	squeeze(lower);
	return list_read(&r, lower, 0, &out->groups) && out->groups.count && !r.proto_next;
}
