/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Common mistakes in addresses: the fault, and the text to write instead. No proposal admits more
 * than the original text.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "../base/base.h"
#include "net.h"

enum { TEXT_MAX = 200 };

static const char blanks[] = " \t\n\r";

/* In YAML an item that begins or ends with ':' needs quotes. */
static bool needs_quotes(const char *text)
{
	return *text && (text[0] == ':' || text[strlen(text) - 1] == ':');
}

const char *text_item(struct arena *arena, const char *text)
{
	return arena_printf(arena, needs_quotes(text) ? "\"%s\"" : "%s", text);
}

static const char *item_text(struct arena *arena, const struct prefix *prefix)
{
	char text[PREFIX_TEXT];

	return text_item(arena, prefix_text(prefix, text));
}

/* "write '10.0.0.1'", "write \"::1\"" */
static const char *shown(struct arena *arena, const char *text)
{
	return arena_printf(arena, needs_quotes(text) ? "\"%s\"" : "'%s'", text);
}

static struct advice say(const char *message, const char *hint)
{
	return (struct advice){message, hint, NULL};
}

/* One address or prefix is meant. */
static struct advice meant(struct arena *arena, const char *message, const struct prefix *prefix)
{
	char buffer[PREFIX_TEXT];
	const char *text = arena_strdup(arena, prefix_text(prefix, buffer));

	return (struct advice){message, arena_printf(arena, "write %s", shown(arena, text)), text};
}

static bool is_prefix(const char *text, struct prefix *out)
{
	enum net_error error = prefix_parse(text, out);

	return error == NET_OK || error == NET_HOST_BITS;
}

static bool is_single(const char *text, struct prefix *out)
{
	return prefix_parse(text, out) == NET_OK && out->length == 128;
}

static char *trimmed(struct arena *arena, const char *text, size_t size)
{
	while (size && strchr(blanks, *text))
		text++, size--;
	while (size && strchr(blanks, text[size - 1]))
		size--;
	return arena_strndup(arena, text, size);
}

/* ---------------------------------------------------------------- not 10.0.0.1 */

/* The rest of a text that begins with a negation: "!10.0.0.1", "any except 10.0.0.1"; or NULL. */
static const char *excluded(const char *text)
{
	static const char *const signs[] = {"!=", "!", "^", "~"};
	static const char *const words[] = {"not ",	"no ",	    "except ", "excluding ",
					    "without ", "all but ", "any but "};

	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		if (str_starts(text, signs[i]))
			return text + strlen(signs[i]);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *word = strcasestr(text, words[i]);

		if (word && (word == text || strchr(blanks, word[-1])))
			return word + strlen(words[i]);
	}
	return NULL;
}

static bool negated(struct arena *arena, const char *text, struct advice *out)
{
	const char *rest = excluded(text);
	struct prefix prefix;

	if (!rest)
		return false;
	rest = trimmed(arena, rest, strlen(rest));
	*out = say("a peer cannot be negated", "list the intended peers");
	if (is_prefix(rest, &prefix))
		out->hint = arena_printf(
			arena,
			"%s; a rule of the same direction can deny it: peer: [%s], ports: [any], action: deny",
			out->hint, item_text(arena, &prefix));
	return true;
}

/* ---------------------------------------------------------------- 10.0.0.1-10.0.0.9 */

typedef unsigned __int128 wide;

static wide addr_wide(const struct addr *addr)
{
	return (wide)addr_high(addr) << 64 | addr_low(addr);
}

/* The largest prefix that begins at `first` and does not go beyond `last`. */
static struct prefix prefix_within(wide first, wide last)
{
	uint8_t free_bits = 0;

	while (free_bits < 128) {
		wide size = (wide)1 << free_bits; /* half of the size that is tried */

		if (first & size || last - first < 2 * size - 1)
			break;
		free_bits++;
	}
	return (struct prefix){.addr = addr_from_halves((uint64_t)(first >> 64), (uint64_t)first),
			       .length = (uint8_t)(128 - free_bits)};
}

static const char *range_items(struct arena *arena, wide first, wide last)
{
	const char *all = NULL;

	for (;;) {
		struct prefix prefix = prefix_within(first, last);
		const char *item = item_text(arena, &prefix);
		wide rest = last - first;
		wide size = (wide)1 << (128 - prefix.length) % 128;

		all = all ? arena_printf(arena, "%s, %s", all, item) : item;
		if (prefix.length == 0 || rest < size)
			return all;
		first += size;
	}
}

/* The end of a range: an address, or the last number of the first one: 10.0.0.1-9. */
static bool range_end(struct arena *arena, const char *text, const char *first, struct prefix *out)
{
	const char *dot = strrchr(first, '.');
	uint64_t number;

	if (is_single(text, out))
		return true;
	if (!dot || parse_u64(text, 255, &number))
		return false;
	return is_single(arena_printf(arena, "%.*s.%s", (int)(dot - first), first, text), out);
}

static bool range(struct arena *arena, const char *text, struct advice *out)
{
	static const char *const marks[] = {"-", "\u2013", "\u2014", "\u2212", "..", " to ", "~"};
	struct prefix first, last;
	const char *message = "a range is written as the prefixes that cover it";
	wide low, high;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(marks); i++) {
		const char *mark = strstr(text, marks[i]), *begin, *end;

		if (!mark)
			continue;
		begin = trimmed(arena, text, (size_t)(mark - text));
		mark += strlen(marks[i]);
		end = trimmed(arena, mark, strlen(mark));
		if (is_single(begin, &first) && range_end(arena, end, begin, &last))
			break;
	}
	if (i == ARRAY_SIZE(marks) || addr_is_v4(&first.addr) != addr_is_v4(&last.addr))
		return false;
	low = addr_wide(&first.addr);
	high = addr_wide(&last.addr);
	if (low > high) {
		wide begin = high;

		message = "a range that ends before it begins";
		high = low;
		low = begin;
	}
	*out = say(message,
		   arena_printf(arena, "these cover it: %s", range_items(arena, low, high)));
	return true;
}

/* ---------------------------------------------------------------- 10.0.0.1:443, [::1]:443, URLs */

struct endpoint {
	const char *host, *port; /* port NULL: none */
};

static bool port_cut(struct arena *arena, const char *text, struct endpoint *out)
{
	const char *close = text[0] == '[' ? strchr(text, ']') : NULL;
	const char *colon = strchr(text, ':');

	*out = (struct endpoint){NULL, NULL};
	if (close && (!close[1] || close[1] == ':')) {
		out->host = arena_strndup(arena, text + 1, (size_t)(close - text - 1));
		out->port = close[1] ? close + 2 : NULL;
		return true;
	}
	if (close || !colon || colon == text || strchr(colon + 1, ':'))
		return false;
	out->host = arena_strndup(arena, text, (size_t)(colon - text));
	out->port = colon + 1;
	return true;
}

/* " here, and the port under 'ports': 443/tcp"; the text after the number is the protocol. */
static const char *port_words(struct arena *arena, const char *port)
{
	size_t digits = port ? strspn(port, "0123456789") : 0;
	const char *proto = port && port[digits] == '/' ? port + digits + 1 : "tcp";

	if (!digits)
		return "";
	return arena_printf(arena, " here, and the port under 'ports': %.*s/%s", (int)digits, port,
			    proto);
}

static bool is_name(const char *text)
{
	return *text && text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					  "0123456789.-_*")] == '\0';
}

static bool endpoint_advice(struct arena *arena, const struct endpoint *end, const char *message,
			    struct advice *out)
{
	const char *port = port_words(arena, end->port);
	struct prefix prefix;

	if (is_prefix(end->host, &prefix)) {
		*out = meant(arena, message, &prefix);
		out->hint = arena_printf(arena, "%s%s", out->hint, port);
		return true;
	}
	if (!is_name(end->host))
		return false;
	*out = say(message, arena_printf(arena, "write the addresses of %s%s", end->host, port));
	return true;
}

static bool url(struct arena *arena, const char *text, struct advice *out)
{
	const char *host = strstr(text, "://");
	struct endpoint end;

	if (!host)
		return false;
	host += strlen("://");
	host = arena_strndup(arena, host, strcspn(host, "/?#"));
	if (!port_cut(arena, host, &end))
		end = (struct endpoint){host, NULL};
	return endpoint_advice(arena, &end, "a URL", out);
}

static bool with_port(struct arena *arena, const char *text, struct advice *out)
{
	struct prefix prefix;
	struct endpoint end;
	size_t digits;

	if (!port_cut(arena, text, &end))
		return false;
	if (!end.port)
		return endpoint_advice(arena, &end, "an address without brackets is expected", out);
	digits = strspn(end.port, "0123456789");
	if (!is_prefix(end.host, &prefix) &&
	    (!digits || (end.port[digits] && !isalpha((unsigned char)end.port[digits + 1]))))
		return false;
	return endpoint_advice(arena, &end, "a peer has no port", out);
}

/* ---------------------------------------------------------------- netmasks and lengths */

static bool mask_length(const char *text, unsigned *length)
{
	struct prefix mask;
	uint32_t bits;

	if (!is_single(text, &mask) || !addr_is_v4(&mask.addr))
		return false;
	bits = addr_v4(&mask.addr);
	if (!(bits & 1u << 31)) /* 0.0.0.255, as routers have it */
		bits = ~bits;
	*length = bits ? 32u - (unsigned)__builtin_ctz(bits) : 0;
	return !bits || (~bits & (~bits + 1)) == 0;
}

static bool netmask(struct arena *arena, const char *text, struct advice *out)
{
	size_t size = strcspn(text, "/ ");
	const char *address = arena_strndup(arena, text, size);
	const char *mask = text + size + (text[size] == '/');
	struct prefix prefix;
	unsigned length;

	mask += strspn(mask, " ");
	if (str_starts(mask, "netmask ") || str_starts(mask, "mask "))
		mask = strchr(mask, ' ') + 1;
	if (!mask_length(mask, &length) || !is_single(address, &prefix) ||
	    (text[size] != '/' && (length == 0 || mask[strspn(mask, "0.")] == '\0')))
		return false;
	if (text[size] != '/' && !str_starts(mask, "255") && !str_starts(mask, "0."))
		return false;
	if (!is_prefix(arena_printf(arena, "%s/%u", address, length), &prefix))
		return false;
	*out = meant(arena, "a netmask is written as a length", &prefix);
	return true;
}

static const char *length_hint(struct arena *arena, const char *address)
{
	bool v6 = strchr(address, ':');
	struct prefix subnet;
	char text[PREFIX_TEXT];

	is_prefix(arena_printf(arena, "%s/%d", address, v6 ? 64 : 24), &subnet);
	return arena_printf(arena, "%s is the one address, %s its subnet", shown(arena, address),
			    shown(arena, prefix_text(&subnet, text)));
}

/* The length of a prefix, where the text before the '/' is an address. */
static bool wrong_length(struct arena *arena, const char *text, struct advice *out)
{
	const char *slash = strchr(text, '/');
	const char *address = arena_strndup(arena, text, slash ? (size_t)(slash - text) : 0);
	unsigned most = strchr(address, ':') ? 128 : 32;
	struct prefix prefix;
	uint64_t length;

	if (!slash || !is_single(address, &prefix))
		return false;
	text = trimmed(arena, slash + 1, strlen(slash + 1));
	*out = (struct advice){.hint = length_hint(arena, address)};
	if (parse_u64(text, UINT64_MAX, &length)) {
		out->message = *text ? "the length of a prefix is a number"
				     : "the length is missing after '/'";
	} else if (length > most) {
		out->message = arena_printf(arena, "the length of an IPv%d prefix is 0 to %u",
					    most == 32 ? 4 : 6, most);
	} else {
		is_prefix(arena_printf(arena, "%s/%ju", address, (uintmax_t)length), &prefix);
		*out = meant(arena, "the length of a prefix has no leading 0 and no blanks",
			     &prefix);
	}
	return true;
}

/* ---------------------------------------------------------------- 10.0.0, 10.0.0.*, 010.0.0.1 */

struct octets {
	unsigned count, known; /* numbers before the first '*' or 'x' */
	uint64_t of[4];
	uint64_t big;
	bool zeros, stars;
};

static bool octets_read(const char *text, size_t size, struct octets *out)
{
	const char *end = text + size;

	while (text < end) {
		size_t digits = strspn(text, "0123456789");
		bool star = !digits && strchr("*xX", *text);

		if (out->count >= 6 || (!digits && !star) || digits > 9 || (out->stars && !star))
			return false;
		out->stars |= star;
		out->zeros |= digits > 1 && *text == '0';
		if (!star) {
			uint64_t number = 0;

			for (size_t i = 0; i < digits; i++)
				number = number * 10 + (uint64_t)(text[i] - '0');
			if (number > 255 && !out->big)
				out->big = number;
			if (out->count < 4)
				out->of[out->count] = number;
			out->known++;
		}
		out->count++;
		text += star ? 1 : digits;
		if (text < end && *text++ != '.')
			return false;
	}
	return out->count > 0;
}

static bool octets_prefix(struct arena *arena, const struct octets *o, const char *length,
			  struct prefix *out)
{
	const char *text = arena_printf(arena, "%u.%u.%u.%u", (unsigned)o->of[0],
					(unsigned)o->of[1], (unsigned)o->of[2], (unsigned)o->of[3]);

	if (o->big || o->count > 4 || !o->known)
		return false;
	if (*length)
		text = arena_printf(arena, "%s%s", text, length);
	else if (o->known < 4)
		text = arena_printf(arena, "%s/%u", text, 8 * o->known);
	return is_prefix(text, out);
}

static const char *octets_message(struct arena *arena, const struct octets *o, bool dot)
{
	if (o->big)
		return arena_printf(arena, "%ju is over 255", (uintmax_t)o->big);
	if (o->stars && o->count <= 4)
		return "a subnet is written with its length";
	if (o->count != 4 || dot)
		return "an IPv4 address has four numbers";
	return o->zeros ? "a number of an address has no leading 0" : NULL;
}

static bool odd_octets(struct arena *arena, const char *text, struct advice *out)
{
	size_t size = strcspn(text, "/");
	struct octets o = {0};
	struct prefix prefix;
	const char *message;

	if (!octets_read(text, size, &o) || (o.count == 1 && (o.stars || !text[size])))
		return false;
	message = octets_message(arena, &o, text[size - 1] == '.');
	if (!message)
		return false;
	if (octets_prefix(arena, &o, text + size, &prefix))
		*out = meant(arena, message, &prefix);
	else
		*out = say(message, "an address like 10.0.0.1");
	return true;
}

/* ---------------------------------------------------------------- several, and words */

static bool several(struct arena *arena, const char *text, struct advice *out)
{
	const char *all = "";
	struct prefix prefix;
	size_t count = 0;

	for (; *text; count++) {
		size_t size = strcspn(text, ",;| \t");

		if (!is_prefix(arena_strndup(arena, text, size), &prefix))
			return false;
		all = arena_printf(arena, "%s%s%s", all, count ? ", " : "",
				   item_text(arena, &prefix));
		text += size + strspn(text + size, ",;| \t");
	}
	if (count < 2)
		return false;
	*out = say("several addresses in one item",
		   arena_printf(arena, "each is an item of its own: %s", all));
	return true;
}

static bool word_among(const char *text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(text, words[i]) == 0)
			return true;
	return false;
}

/* Only synonyms: a name that looks much like 'any' may be a host's. */
static bool all_of_it(const char *text, size_t size)
{
	static const char *const all[] = {"any",      "all",	    "*",	 "any/any",
					  "anywhere", "everywhere", "everything"};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (strlen(all[i]) == size && !strncasecmp(text, all[i], size))
			return true;
	return false;
}

/* "any", "any/ipv4", "all ipv6" */
static bool every_address(struct arena *arena, const char *text, struct advice *out)
{
	static const char *const v4[] = {"ipv4", "v4", "ip4", "inet", "inet4"};
	static const char *const v6[] = {"ipv6", "v6", "ip6", "inet6"};
	static const char signs[] = "/-_: ";
	size_t size = strcspn(text, signs);
	const char *family = text + size + strspn(text + size, signs);
	struct prefix prefix;
	bool four = word_among(family, v4, ARRAY_SIZE(v4));

	if (all_of_it(text, strlen(text))) {
		*out = say("the word is 'any'", "for every address write 'any'");
		return true;
	}
	if (!all_of_it(text, size) || (!four && !word_among(family, v6, ARRAY_SIZE(v6))))
		return false;
	is_prefix(four ? "0.0.0.0/0" : "::/0", &prefix);
	*out = meant(arena, "'any' is both families", &prefix);
	return true;
}

static bool other_word(struct arena *arena, const char *text, struct advice *out)
{
	static const char *const local[] = {"local",  "lan",	     "localnet",     "local-net",
					    "subnet", "localsubnet", "local_subnet", "local-lan"};
	static const char *const ours[] = {"local-subnet", "local-subnet/ipv4",
					   "local-subnet/ipv6"};
	const char *near = nearest_word(text, ours, ARRAY_SIZE(ours));

	if (!strcasecmp(text, "localhost")) {
		*out = say("this host itself", "leave it out: loopback is always allowed");
	} else if (word_among(text, local, ARRAY_SIZE(local)) || (near && !strchr(text, '.'))) {
		out->message = "not a word for peers";
		out->hint = arena_printf(arena, "did you mean '%s'?", near ?: ours[0]);
	} else {
		return false;
	}
	return true;
}

/* ---------------------------------------------------------------- one address among other signs */

static bool one_inside(struct arena *arena, const char *text, struct advice *out)
{
	static const char signs[] = "0123456789abcdefABCDEF.:/";
	struct prefix found = {0}, prefix;
	size_t count = 0;

	if ((is_name(text) && *text != '-') || strchr(text, '!') ||
	    (*text != '<' && strpbrk(text, "<>")) || (*text == '<' && !strchr(text, '>')))
		return false;
	while (*text) {
		size_t size = strspn(text, signs), begin = 0, end;

		for (end = size; end && strchr("/.", text[end - 1]);)
			end--;
		while (begin < end && strchr("./", text[begin]))
			begin++;
		if (begin < end && text[begin] == ':' && text[begin + 1] != ':')
			begin++;
		if (end - begin > 2 &&
		    is_prefix(arena_strndup(arena, text + begin, end - begin), &prefix)) {
			found = prefix;
			count++;
		}
		text += size + strcspn(text + size, signs);
	}
	if (count != 1)
		return false;
	*out = meant(arena, "it contains more than an address", &found);
	return true;
}

static bool backslash(struct arena *arena, const char *text, struct advice *out)
{
	char *slashed = arena_strdup(arena, text), *at = strchr(slashed, '\\');
	struct prefix prefix;

	if (!at)
		return false;
	*at = '/';
	if (!is_prefix(slashed, &prefix))
		return false;
	*out = meant(arena, "a length follows '/'", &prefix);
	return true;
}

static bool host_bits(struct arena *arena, const char *text, struct advice *out)
{
	const char *slash = strchr(text, '/');
	char subnet[PREFIX_TEXT];
	struct prefix prefix;

	if (prefix_parse(text, &prefix) != NET_HOST_BITS)
		return false;
	*out = say("it has bits set beyond its length",
		   arena_printf(arena, "write %s for the subnet, %s for the one address",
				shown(arena, prefix_text(&prefix, subnet)),
				shown(arena, arena_strndup(arena, text, (size_t)(slash - text)))));
	return true;
}

const char *text_unquoted(struct arena *arena, const char *text)
{
	static const char *const marks[] = {"\u201c", "\u201d", "\u201e", "\u2018",
					    "\u2019", "\u00ab", "\u00bb"};
	size_t length = strlen(text), begin = 0;

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (str_starts(text, marks[i]))
			begin = strlen(marks[i]);
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		size_t size = strlen(marks[i]);

		if (begin && length >= begin + size && str_equal(text + length - size, marks[i]))
			return arena_strndup(arena, text + begin, length - size - begin);
	}
	return NULL;
}

static bool typographic(struct arena *arena, const char *text, struct advice *out)
{
	struct prefix prefix;

	text = text_unquoted(arena, text);
	if (!text)
		return false;
	*out = peer_advice(arena, text);
	if (prefix_parse(text, &prefix) == NET_OK)
		*out = (struct advice){.hint = arena_printf(arena, "write \"%s\"", text),
				       .meant = text};
	out->message = "its quotation marks are not quotes of YAML";
	return true;
}

struct advice peer_advice(struct arena *arena, const char *text)
{
	static bool (*const tries[])(struct arena *, const char *, struct advice *) = {
		host_bits, typographic,	  negated,	url,	   range,
		netmask,   with_port,	  wrong_length, backslash, odd_octets,
		several,   every_address, other_word,	one_inside};
	struct advice advice = {NULL, NULL, NULL};

	for (size_t i = 0; strlen(text) <= TEXT_MAX && i < ARRAY_SIZE(tries); i++)
		if (tries[i](arena, text, &advice))
			break;
	return advice;
}
