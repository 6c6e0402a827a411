/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who opens to whom, in words and arrows: of a cell about directions, of the words around ports, of
 * a heading. A name is taken only where its place says what it is.
 */
#include <strings.h>

#include "ends.h"
#include "text.h"

#define IN_WORDS                                                                                   \
	"inbound|incoming|ingress|inward|ingoing|eingehend|eingehende|entrant|entrante|"           \
	"entrants|entrantes|inkomend|in ingresso"
#define OUT_WORDS                                                                                  \
	"outbound|outgoing|egress|outward|ausgehend|ausgehende|sortant|sortante|sortants|"         \
	"saliente|salientes|uitgaand|in uscita"

enum { NAME_LONGEST = 80 };

/* ---------------------------------------------------------------- directions */

static bool says_both_ways(const char *text)
{
	return text_has(text, "bidirectional|bi-directional|bidirection|two-way|two way|both ways|"
			      "both directions|either direction|in both directions|mutual|duplex|"
			      "bidirektional|beide richtungen|bidirectionnel|bidireccional");
}

enum direction direction_of(const char *text)
{
	bool in = text_has(text, IN_WORDS) || text_is(text, "in");
	bool out = text_has(text, OUT_WORDS) || text_is(text, "out");

	if (says_both_ways(text))
		return DIR_BOTH;
	if (in && out)
		return DIR_UNKNOWN;
	if (in)
		return DIR_IN;
	return out ? DIR_OUT : DIR_UNKNOWN;
}

/* In a cell about directions both words are both ways, however they are joined. */
static enum direction direction_of_cell(const char *cell)
{
	bool in = text_has(cell, IN_WORDS "|in|receive|receives|listen|listens|listening");
	bool out = text_has(cell, OUT_WORDS "|out|send|sends");

	if (says_both_ways(cell) || text_is(cell, "both|either|any|all|bidir|bi|mutual|beide"))
		return DIR_BOTH;
	if (text_has(cell, "both") && strlen(cell) < 12)
		return DIR_BOTH;
	if (in && out)
		return DIR_BOTH;
	if (in)
		return DIR_IN;
	return out ? DIR_OUT : DIR_UNKNOWN;
}

/* ---------------------------------------------------------------- names */

static const char *skip_words(const char *text, const char *words)
{
	for (const char *word = words; *word;) {
		size_t length = strcspn(word, "|");

		if (!strncasecmp(text, word, length) && !text_is_word(text[length]))
			return skip_words(text + length + strspn(text + length, " :"), words);
		word += length;
		word += *word == '|';
	}
	return text;
}

/* The name in [from, to), or NULL when there is none, or a whole sentence. */
static const char *name_part(struct arena *arena, const char *from, const char *to)
{
	char *text;

	while (from < to && strchr(" :.,;-(\n", *from))
		from++;
	while (to > from && strchr(" :.,;-\n(", to[-1]))
		to--;
	if (to - from > NAME_LONGEST || to == from)
		return NULL;
	text = arena_strndup(arena, from, (size_t)(to - from));
	if (to[-1] == ')' && !strchr(text, '('))
		text[strlen(text) - 1] = '\0';
	text = text_tidy(arena, text, false);
	return *text_slug(arena, text, NAME_LONGEST) ? text_one_line(arena, text) : NULL;
}

static size_t words_in(const char *text)
{
	size_t count = *text != '\0';

	for (; *text; text++)
		count += *text == ' ';
	return count;
}

static bool begins_with_verb(const char *text)
{
	if (*text >= 'A' && *text <= 'Z')
		return false;
	return skip_words(text,
			  "connect|access|allow|communicate|send|receive|reach|enable|support|"
			  "use|be|provide|talk|forward|manage|listen|get|download|upload|"
			  "join|register|query|retrieve|transfer|open|accept|make|avoid|"
			  "prevent|ensure|establish|configure|change|set|run|check|verify|"
			  "monitor|perform|deliver|serve|exchange|replicate|synchronize|"
			  "discover|authenticate|collect|read|write|which|whom|that|this|"
			  "these|have|do|keep|and|or|update|install|deploy") != text;
}

/* ---------------------------------------------------------------- arrows */

struct arrow {
	const char *at, *behind;
	enum direction direction; /* DIR_OUT: to the right */
};

static bool is_arrow_sign(char c)
{
	return c && strchr("<>-=", c);
}

/* A run of the signs of an arrow: "->", "-->", "=>", "<-", "<=>", ">" alone between blanks. */
static bool arrow_find(const char *text, struct arrow *out)
{
	for (const char *at = text; *at; at++) {
		size_t length = 0;
		bool left, right;

		while (is_arrow_sign(at[length]))
			length++;
		if (!length)
			continue;
		left = *at == '<';
		right = at[length - 1] == '>';
		/* ">= 1024" and "a <b" are no arrows. */
		if ((left || right) &&
		    (length > 1 || (at > text && at[-1] == ' ' && at[1] == ' '))) {
			*out = (struct arrow){at, at + length, DIR_OUT};
			if (left)
				out->direction = right ? DIR_BOTH : DIR_IN;
			return true;
		}
		at += length - 1;
	}
	return false;
}

static bool ends_of_arrow(struct arena *arena, const char *text, struct ends *out)
{
	struct arrow arrow, more;
	const char *left, *right;

	if (!arrow_find(text, &arrow) || arrow_find(arrow.behind, &more))
		return false;
	/* "A x-> B" is crossed out. */
	if (arrow.at > text && strchr("xX", arrow.at[-1]) &&
	    (arrow.at - 1 == text || arrow.at[-2] == ' '))
		return false;
	left = name_part(arena, text, arrow.at);
	right = name_part(arena, arrow.behind, text + strlen(text));
	out->from = arrow.direction == DIR_IN ? right : left;
	out->to = arrow.direction == DIR_IN ? left : right;
	out->direction = arrow.direction == DIR_BOTH ? DIR_BOTH : DIR_UNKNOWN;
	if (left && right && arrow.direction == DIR_BOTH)
		return true;
	/* An arrow alone is a direction, one beside a name says whose. */
	out->swapped = !left && !right && arrow.direction == DIR_IN;
	if (!left && !right)
		out->direction = arrow.direction;
	else if (arrow.direction != DIR_BOTH && !(left && right))
		out->direction = out->to ? DIR_OUT : DIR_IN;
	return true;
}

/* ---------------------------------------------------------------- "from A to B" */

/* The next "to" that parts two names, or NULL. */
static const char *word_to(const char *text)
{
	const char *at = text;

	while ((at = strcasestr(at, " to "))) {
		if (!begins_with_verb(at + 4) && at > text)
			return at;
		at += 4;
	}
	return NULL;
}

static const char *phrase_end(const char *text)
{
	size_t length = 0;

	for (; text[length]; length++)
		if (strchr(",;\n(", text[length]) ||
		    (text[length] == '.' && (text[length + 1] == ' ' || !text[length + 1])))
			break;
	return text + length;
}

static void direction_settle(struct ends *out)
{
	if (out->direction || (out->from && out->to))
		return;
	if (out->from)
		out->direction = DIR_IN;
	else if (out->to)
		out->direction = DIR_OUT;
}

/* "to/from A", "between A and B": both ways. */
static bool ends_both_ways(struct arena *arena, const char *text, struct ends *out)
{
	const char *rest = skip_words(text, "to/from|from/to|to and from|from and to|to or from"),
		   *and;

	if (rest != text) {
		out->direction = DIR_BOTH;
		out->from = name_part(arena, rest, phrase_end(rest));
		return true;
	}
	rest = skip_words(text,
			  "bidirectional|bi-directional|two-way|both ways|traffic|connections|"
			  "communication|both directions");
	rest = str_starts(rest, "between ") ? skip_words(rest, "between")
					    : skip_words(text, "between");
	and = rest == text ? NULL : strcasestr(rest, " and ");
	if (!and)
		return false;
	out->direction = DIR_BOTH;
	out->from = name_part(arena, rest, and);
	out->to = name_part(arena, and+5, phrase_end(and+5));
	return out->from && out->to;
}

bool ends_of_phrase(struct arena *arena, const char *phrase, struct ends *out)
{
	const char *text = phrase + strspn(phrase, " ,;:()\n-*"), *rest, *middle, *end;

	*out = (struct ends){0};
	if (ends_of_arrow(arena, phrase, out) && (out->from || out->to || out->direction))
		return true;
	if (ends_both_ways(arena, text, out))
		return true;
	rest = skip_words(text,
			  IN_WORDS "|" OUT_WORDS "|traffic|connections|connection|port|ports|and|"
				   "bidirectional|in|out");
	/* "in 5.0" is about a version. */
	if (rest != text && !(text_is_word(*rest) && skip_words(text, "in|out") == rest &&
			      skip_words(rest, "from|to") == rest))
		out->direction =
			direction_of_cell(arena_strndup(arena, text, (size_t)(rest - text)));
	text = rest;
	rest = skip_words(text, "from");
	if (rest != text) {
		end = phrase_end(rest);
		middle = word_to(rest);
		middle = middle && middle < end ? middle : NULL;
		out->from = name_part(arena, rest, middle ?: end);
		out->to = middle ? name_part(arena, middle + 4, end) : NULL;
	} else if ((rest = skip_words(text, "to|towards|toward|into")) != text &&
		   !begins_with_verb(rest)) {
		end = phrase_end(rest);
		middle = strcasestr(rest, " from ");
		middle = middle && middle < end ? middle : NULL;
		out->to = name_part(arena, rest, middle ?: end);
		out->from = middle ? name_part(arena, middle + 6, end) : NULL;
	}
	direction_settle(out);
	return out->direction || out->from || out->to;
}

/* "Agent to server": a short text that is nothing else. */
static bool ends_of_pair(struct arena *arena, const char *text, struct ends *out)
{
	const char *middle = word_to(text);

	if (!middle || word_to(middle + 4) || strlen(text) > NAME_LONGEST)
		return false;
	out->from = name_part(arena, text, middle);
	out->to = name_part(arena, middle + 4, phrase_end(middle + 4));
	return out->from && out->to;
}

/* ---------------------------------------------------------------- ends of one role */

#define CLIENT_NOUNS                                                                               \
	"client|clients|agent|agents|browser|browsers|device|devices|phone|phones|sensor|"         \
	"sensors|user|users|operator|operators|administrator|administrators|admins|"               \
	"workstation|workstations|camera|cameras|laptop|laptops|probe|probes|subscriber|"          \
	"subscribers|peer|peers|worker|workers|members|follower|followers|initiator|initiators"
#define HOST_NOUNS                                                                                 \
	CLIENT_NOUNS "|server|servers|node|nodes|host|hosts|proxy|proxies|broker|brokers|"         \
		     "gateway|gateways|controller|controllers|manager|managers|database|"          \
		     "databases|collector|collectors|balancer|balancers|console|storage|store|"    \
		     "cluster|clusters|appliance|appliances|machine|machines|router|routers|"      \
		     "switch|switches|firewall|firewalls|system|systems|site|sites|network|"       \
		     "service|services|engine|engines|indexer|indexers|master|masters|replica|"    \
		     "replicas|primary|secondary|standby|leader|coordinator|scheduler|registry|"   \
		     "relay|relays|hypervisor|hypervisors|frontend|backend|director|dashboard|"    \
		     "consumer|consumers|producer|producers|publisher|publishers|instance|"        \
		     "instances|application|applications|internet|intranet|bastion|vm|vms|app|web"

static bool ends_in_noun(const char *name, const char *nouns)
{
	const char *last = name ? strrchr(name, ' ') : NULL;

	return name && text_is(last ? last + 1 : name, nouns);
}

#define MUTUAL "each other|one another"

/* The first name of several hosts in a text, of at most four words, and what is behind it. NULL:
 * there is none, or another name before it. */
static const char *plural_of(struct arena *arena, const char *text, const char **behind)
{
	static const char openings[] =
		"by|between|among|amongst|both|all|the|two|any|each|these|of|"
		"from|to|for|when|where|that|which|different|other";
	const char *begin = text, *name, *word;
	size_t length;

	for (; *text; text = *behind + strspn(*behind, " ,;:.()\n")) {
		length = strcspn(text, " ,;:.()\n");
		*behind = text + length;
		word = arena_strndup(arena, text, length);
		name = arena_strndup(arena, begin, (size_t)(*behind - begin));
		if (text_is(word, "and|or|with|&"))
			return NULL;
		if (text_is(word, openings) || (*behind && **behind != ' '))
			begin = *behind + strspn(*behind, " ,;:.()\n");
		if (length && text[length - 1] == 's' && words_in(name) <= 4 &&
		    ends_in_noun(name, HOST_NOUNS))
			return name;
	}
	return NULL;
}

/* "Both nodes send to each other", "between the nodes": each opens to the others. */
static bool ends_of_one_role(struct arena *arena, const char *text, struct ends *out)
{
	static const char *const words[] = {"between ", "among ", "amongst "};
	bool mutual = text_has(text, MUTUAL);
	const char *from = mutual ? text : NULL, *behind;

	for (size_t i = 0; i < ARRAY_SIZE(words) && !from; i++) {
		from = strcasestr(text, words[i]);
		from = from && from > text && text_is_word(from[-1]) ? NULL : from;
	}
	*out = (struct ends){.direction = DIR_BOTH};
	out->from = out->to = from ? plural_of(arena, from, &behind) : NULL;
	if (!out->from || strlen(text) > 200)
		return false;
	behind += strspn(behind, " ,");
	return skip_words(behind, "and|or") == behind && *behind != '&' && *behind != '/';
}

/* "Agents connect to the server" */
static bool ends_of_verb(struct arena *arena, const char *text, struct ends *out)
{
	static const char *const verbs[] = {" connects to ",	 " connect to ",    " talks to ",
					    " talk to ",	 " speaks to ",	    " contacts ",
					    " communicates to ", " send to ",	    " sends to ",
					    " send data to ",	 " sends data to ", " reports to ",
					    " report to "};

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		const char *verb = strcasestr(text, verbs[i]), *behind;

		if (!verb || word_to(verb + strlen(verbs[i])) || text_has(text, MUTUAL))
			continue;
		behind = verb + strlen(verbs[i]);
		out->from = name_part(arena, text, verb);
		out->to = name_part(arena, behind, phrase_end(behind));
		return out->from && out->to && words_in(out->from) <= 4;
	}
	return false;
}

/* "from" and "to" alone, of the peer in another cell. */
static enum direction direction_of_preposition(const char *text)
{
	if (text_is(text, "from"))
		return DIR_IN;
	if (text_is(text, "to/from|from/to|to and from|from and to|to, from|from, to|to & from|"
			  "from & to|from / to|to / from"))
		return DIR_BOTH;
	return text_is(text, "to") ? DIR_OUT : DIR_UNKNOWN;
}

bool ends_of_cell(struct arena *arena, const char *cell, struct ends *out)
{
	const char *text = text_one_line(arena, cell), *open = strchr(cell, '(');
	struct ends more;

	if (ends_of_one_role(arena, text, out))
		return true;
	*out = (struct ends){.direction = direction_of_preposition(text)};
	if (out->direction)
		return true;
	if (ends_of_arrow(arena, text, out))
		return out->from || out->to || out->direction;
	if (ends_of_phrase(arena, text, out) && (out->from || out->to))
		return true;
	*out = (struct ends){0};
	if (ends_of_verb(arena, text, out))
		return true;
	*out = (struct ends){0};
	if (text_has(text, MUTUAL))
		return false;
	out->direction = direction_of_cell(text);
	/* "Receives from A" */
	if (out->direction == DIR_IN && strcasestr(text, " from ") &&
	    ends_of_phrase(arena, strcasestr(text, " from "), &more) && !more.to)
		out->from = more.from;
	/* "Inbound (from A)" */
	if (out->direction && open && ends_of_phrase(arena, open, &more) &&
	    (more.from || more.to)) {
		out->from = more.from;
		out->to = more.to;
	}
	if (out->direction)
		return true;
	return ends_of_pair(arena, text, out);
}

/* ---------------------------------------------------------------- sentences */

/* "media from phones" */
static bool ends_of_client(struct arena *arena, const char *text, struct ends *out)
{
	const char *from = strcasestr(text, "from ");

	if (!from || (from > text && from[-1] != ' ') || strcasestr(from + 5, "from ") ||
	    word_to(from))
		return false;
	out->from = name_part(arena, from + 5, phrase_end(from + 5));
	out->direction = DIR_IN;
	return ends_in_noun(out->from, CLIENT_NOUNS);
}

bool ends_of_sentence(struct arena *arena, const char *text, struct ends *out)
{
	enum direction way = direction_of(text);
	const char *inner = skip_words(text, "for|used for|accepts|accept|allows|allow|the|all");

	*out = (struct ends){0};
	if (strlen(text) > 200 || text_has(text, "not|no|never|without|except|if|unless"))
		return false;
	/* "Between the nodes" may be said of either side of a row without a direction. */
	if ((ends_of_arrow(arena, text, out) && out->from && out->to) ||
	    (text_has(text, MUTUAL) && ends_of_one_role(arena, text, out)))
		return true;
	*out = (struct ends){0};
	if (ends_of_pair(arena, skip_words(text, "from"), out) && words_in(out->from) <= 4 &&
	    words_in(out->to) <= 5 && ends_in_noun(out->from, HOST_NOUNS))
		return true;
	*out = (struct ends){0};
	if (ends_of_verb(arena, text, out))
		return true;
	*out = (struct ends){0};
	if ((way == DIR_IN || way == DIR_OUT) && direction_begins(inner) &&
	    ends_of_phrase(arena, inner, out) && (out->from || out->to))
		return true;
	*out = (struct ends){0};
	if ((way == DIR_IN && !text_has(text, "to")) ||
	    (way == DIR_OUT && !text_has(text, "from|receive|receives|accept|accepts"))) {
		out->direction = way;
		return true;
	}
	if (way || !ends_of_client(arena, text, out))
		*out = (struct ends){0};
	return out->from != NULL;
}

/* "web UI, open to browsers", "Docker, from the managers": the part that says it. */
bool ends_of_parts(struct arena *arena, const char *text, struct ends *out)
{
	static const char open_to[] = "open to|accessible from|reachable from|available to|"
				      "exposed to|opened to|reached from";

	if (ends_of_one_role(arena, text, out))
		return true;
	for (const char *at = text; *at; at++) {
		const char *rest;

		if (at > text && !strchr(",;:(", at[-1]) && strncmp(at - 1, " - ", 3))
			continue;
		rest = at + strspn(at, " -");
		if (skip_words(rest, open_to) != rest) {
			rest = skip_words(rest, open_to);
			*out = (struct ends){.direction = DIR_IN};
			out->from = name_part(arena, rest, phrase_end(rest));
			return out->from;
		}
		if (direction_begins(rest) && ends_of_phrase(arena, rest, out) &&
		    (out->from || out->to))
			return true;
	}
	return false;
}

bool may_be_ends(struct arena *arena, const char *text)
{
	struct ends ends = {0};

	return direction_of(text) || text_has(text, MUTUAL) ||
	       (ends_of_pair(arena, text, &ends) && words_in(ends.from) <= 2 &&
		words_in(ends.to) <= 3 &&
		!text_has(ends.from,
			  "access|connection|connections|traffic|communication|redirect|"
			  "redirects|link|ssh|http|https|web|port|login|logon|upload|backup|"
			  "export|data|replication|forwarding|requests|transfer"));
}

bool direction_begins(const char *text)
{
	return skip_words(text, IN_WORDS "|" OUT_WORDS "|from|to") != text;
}

/* ---------------------------------------------------------------- headings */

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

void ends_of_heading(struct arena *arena, const char *text, struct ends *out)
{
	const char *rest, *end = text + strlen(text), *middle;

	*out = (struct ends){0};
	if (strlen(text) > 2 * NAME_LONGEST)
		return;
	if (ends_of_arrow(arena, text, out) && out->from && out->to)
		return;
	*out = (struct ends){0};
	rest = after(text, "from: |source: |from host: |client: ");
	if (rest) {
		out->from = name_part(arena, rest, end);
		return;
	}
	rest = after(text, "to: |destination: |target: ");
	if (rest) {
		out->to = name_part(arena, rest, end);
		return;
	}
	rest = after(text, "from |connections from |traffic from |communication from |ports from |"
			   "inbound from |incoming from |ingress from |outbound from |"
			   "outgoing from |egress from ");
	if (rest) {
		middle = word_to(rest);
		out->from = name_part(arena, rest, middle ?: end);
		out->to = middle ? name_part(arena, middle + 4, end) : NULL;
		return;
	}
	rest = after(text, "inbound to |incoming to |ingress to ");
	if (rest) {
		middle = strstr(rest, " from ");
		out->to = name_part(arena, rest, middle ?: end);
		out->from = middle ? name_part(arena, middle + 6, end) : NULL;
		return;
	}
	rest = after(text, "traffic to |connections to |outbound to |outgoing to |egress to ");
	if (rest && !begins_with_verb(rest))
		out->to = name_part(arena, rest, end);
}

#define DIRECTION_NOISE                                                                            \
	IN_WORDS "|" OUT_WORDS                                                                     \
		 "|in|out|rules|rule|ports|port|traffic|connections|connection|requirements|"      \
		 "firewall|required|network|open|list|table|access|for|on|of|the|at|from|to|"      \
		 "communication|security|group|direction|tcp|udp|default|used|by|and"

/* What is left of a heading without the words about direction and ports. */
static const char *heading_rest(struct arena *arena, const char *heading)
{
	struct buffer out = {.arena = arena};

	while (*heading) {
		size_t length = 0;

		while (text_is_word(heading[length]) ||
		       (length && strchr("-'", heading[length]) && heading[length]))
			length++;
		if (!length) {
			heading++;
			continue;
		}
		if (!text_is(arena_strndup(arena, heading, length), DIRECTION_NOISE))
			buffer_printf(&out, "%s%.*s", out.size ? " " : "", (int)length, heading);
		heading += length;
	}
	return out.text ?: "";
}

bool heading_is_direction(const char *heading)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	enum direction direction = direction_of(heading);

	return (direction == DIR_IN || direction == DIR_OUT) && !*heading_rest(arena, heading);
}

bool heading_can_be_subject(const char *heading)
{
	return *heading && words_in(heading) <= 4 && strlen(heading) <= 48 &&
	       !strpbrk(heading, "{:.?!|") &&
	       !text_has(
		       heading,
		       "port|ports|rule|rules|firewall|firewalls|network|networks|networking|"
		       "requirement|requirements|prerequisites|security|connectivity|"
		       "configuration|communication|communications|installation|overview|access|"
		       "traffic|table|tables|matrix|settings|reference|appendix|introduction|"
		       "general|default|defaults|deployment|deployments|premises|protocol|"
		       "protocols|required|optional|ingress|egress|inbound|outbound|both|"
		       "services|all|other|common|internal|external|summary|notes|before|"
		       "tcp|udp|cloud|setup|guide|documentation|chapter|architecture|mode|"
		       "local|step|for|with|how|using|when|if|allow|allowed|permitted|open|opened|"
		       "closed|block|blocked|deny|denied|needed|following");
}

const char *subject_of_heading(struct arena *arena, const char *heading, bool several)
{
	const char *rest = heading_rest(arena, heading);
	size_t length = strlen(heading);

	if (length > 15 && text_is(heading + length - 14, "security group") &&
	    words_in(heading) <= 5)
		return heading;
	if (several && heading_can_be_subject(heading) && ends_in_noun(heading, HOST_NOUNS))
		return heading;
	if (direction_of(heading) && heading_can_be_subject(rest))
		return rest;
	/* "Server" alone is what the page is about. */
	if (!heading_can_be_subject(heading) ||
	    text_is(heading, "server|host|node|appliance|gateway|agent|controller|instance|"
			     "machine"))
		return NULL;
	if (!text_has(heading, "node|nodes|node(s)|server|servers|host|hosts|master|masters|worker|"
			       "workers|controller|controllers|plane|machine|machines|appliance|"
			       "appliances|gateway|gateways|agents|agent|instances|instance"))
		return NULL;
	return heading;
}
