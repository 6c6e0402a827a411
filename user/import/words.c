/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words of people who write port tables: names of columns, words for directions. General words
 * only; no vendor's.
 */
#include <strings.h>

#include "words.h"
#include "text.h"

static size_t word_count(const char *text)
{
	size_t count = 0;

	for (size_t i = 0; text[i]; i++)
		count += text_is_word(text[i]) && (!i || !text_is_word(text[i - 1]));
	return count;
}

#define FROM_WORDS "from|source|sources|src|origin|originating|originator|initiator|sender"
#define TO_WORDS "to|destination|destinations|dest|dst|target|targets|receiver|listener"
static const char purpose_words[] =
	"description|descriptions|purpose|purposes|use|used|usage|uses|comment|comments|note|notes|"
	"detail|details|reason|explanation|function|functions|functionality|remark|remarks|how|why|"
	"required for|needed for|requirement|information|traffic type";

/* A heading with "port" in it: of which side? "Port name" and the like are words about it. */
static enum column port_column(const char *heading)
{
	bool from = text_has(heading, FROM_WORDS "|client");
	bool to = text_has(heading, TO_WORDS "|dest.|server|listening|listen");

	if (text_has(heading, "description|purpose|usage|function|name|group|state|status"))
		return text_has(heading, "number|numbers|range") ? COLUMN_PORT : COLUMN_PURPOSE;
	if (from && !to)
		return COLUMN_SOURCE_PORT;
	return COLUMN_PORT;
}

static enum column side_column(const char *heading)
{
	bool from = text_has(heading, FROM_WORDS), to = text_has(heading, TO_WORDS);

	if (text_has(heading, "direction|directions") ||
	    (from && to && text_has(heading, "traffic")))
		return COLUMN_DIRECTION;
	if (text_is(heading, "local|local system|local host|local ip|this host|this system"))
		return COLUMN_LOCAL;
	if (text_has(heading, "used by|required by|needed by|accessed by|connecting from") ||
	    text_is(heading,
		    "peer|peers|remote|remote host|remote system|with|allowed from|remote ip|"
		    "source/destination|source / destination|source or destination|"
		    "to/from|from/to"))
		return COLUMN_PEER;
	if (from && !to)
		return COLUMN_FROM;
	if (to && !from)
		return COLUMN_TO;
	if (text_is(heading, "client|clients|requester|initiated by|opened by"))
		return COLUMN_FROM;
	return COLUMN_OTHER;
}

enum column column_of(const char *heading)
{
	size_t words = word_count(heading);
	enum column side = words <= 5 ? side_column(heading) : COLUMN_OTHER;

	if (!words || words > 12)
		return COLUMN_OTHER;
	if (text_has(heading, "port|ports|port(s)|portnumber|ports/protocols|port#|port no"))
		return port_column(heading);
	if (text_has(heading, "protocol|protocols|protocol(s)|proto|transport|l4"))
		return COLUMN_PROTOCOL;
	if (words <= 4 && text_has(heading, "tcp|udp"))
		return COLUMN_PROTOCOL;
	if (side != COLUMN_OTHER)
		return side;
	if (text_is(heading, "inbound/outbound|in/out|inbound or outbound|inbound|outbound|flow|"
			     "traffic direction|connection direction"))
		return COLUMN_DIRECTION;
	if (text_has(heading, purpose_words))
		return COLUMN_PURPOSE;
	if (text_has(
		    heading,
		    "service|services|application|applications|component|components|feature|process|"
		    "daemon|product|role|name|program|module|host|node|system|server|item"))
		return COLUMN_SERVICE;
	return COLUMN_OTHER;
}

enum direction direction_of(const char *text)
{
	bool in =
		text_has(text, "inbound|incoming|ingress|inward|listening") || text_is(text, "in");
	bool out = text_has(text, "outbound|outgoing|egress|outward") || text_is(text, "out");

	if (text_has(text, "both|bidirectional|bi-directional|two-way|either|two way|mutual") ||
	    strstr(text, "<->") || strstr(text, "<=>"))
		return DIR_BOTH;
	if (in && out)
		return text_is(text,
			       "in/out|inbound/outbound|inbound and outbound|inbound, outbound|"
			       "ingress/egress|incoming/outgoing|in and out|in, out|"
			       "outbound/inbound|inbound\noutbound|outbound and inbound")
			       ? DIR_BOTH
			       : DIR_UNKNOWN;
	if (in)
		return DIR_IN;
	return out ? DIR_OUT : DIR_UNKNOWN;
}

static const char *part(struct arena *arena, const char *from, const char *to)
{
	char *text;

	while (to > from && strchr(" :.,;-", to[-1]))
		to--;
	if (to - from > 80)
		return NULL;
	text = text_tidy(arena, arena_strndup(arena, from, (size_t)(to - from)), false);
	return *text ? text : NULL;
}

static const char *after(const char *text, const char *words)
{
	for (const char *word = words; *word;) {
		size_t length = strcspn(word, "|");

		if (!strncasecmp(text, word, length))
			return text + length;
		word += length;
		word += *word == '|';
	}
	return NULL;
}

void peers_of(struct arena *arena, const char *text, const char **from, const char **to)
{
	const char *arrow = strstr(text, "->"), *rest, *end = text + strlen(text);

	*from = *to = NULL;
	if (arrow && arrow > text && arrow[-1] != '<') {
		*from = part(arena, text, arrow);
		*to = part(arena, arrow + 2, end);
		return;
	}
	rest = after(text, "from: |source: |from host: |client: ");
	if (rest) {
		*from = part(arena, rest, end);
		return;
	}
	rest = after(text, "to: |destination: |target: ");
	if (rest) {
		*to = part(arena, rest, end);
		return;
	}
	rest = after(text, "from |connections from |traffic from |communication from |ports from ");
	if (rest) {
		const char *middle = strcasestr(rest, " to ");

		*from = part(arena, rest, middle ?: end);
		*to = middle ? part(arena, middle + 4, end) : NULL;
	}
}
