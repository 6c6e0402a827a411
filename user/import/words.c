/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words of people who write port tables: names of columns, words that allow and refuse. General
 * words only; no vendor's.
 */
#include <string.h>
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

#define FROM_WORDS                                                                                 \
	"from|source|sources|src|origin|originating|originator|initiator|sender|quelle|quellen|"   \
	"von|quellsystem|quellhost|quell-ip|absender|origen|origine|sorgente|bron"
#define TO_WORDS                                                                                   \
	"to|destination|destinations|dest|dst|target|targets|receiver|listener|ziel|ziele|nach|"   \
	"zielsystem|zielhost|ziel-ip|empf\u00e4nger|destino|destinazione|cible|doel|recipient"
static const char purpose_words[] =
	"description|descriptions|purpose|purposes|use|used|usage|uses|comment|comments|note|notes|"
	"detail|details|reason|explanation|function|functions|functionality|remark|remarks|how|why|"
	"required for|needed for|requirement|information|traffic type|beschreibung|zweck|"
	"bemerkung|bemerkungen|verwendung|kommentar|hinweis|descripci\u00f3n|utilisation|uso|"
	"descrizione|omschrijving";

/* "Blocked ports", "Unused port": the ports of such a column are not open. */
static bool port_heading_refuses(const char *heading)
{
	return heading_refuses(heading) ||
	       text_has(heading, "unused|not used|removed|not open|obsolete|retired|deny|block|"
				 "old|previous|former|formerly");
}

/* A heading with "port" in it: of which side? "Port name" and the like are words about it. */
static enum column port_column(const char *heading)
{
	bool from = text_has(heading, FROM_WORDS "|client|quellport|quellports");
	bool to = text_has(heading, TO_WORDS "|dest.|server|listening|listen");

	if (port_heading_refuses(heading))
		return COLUMN_REFUSED;
	if (text_has(heading, "description|purpose|usage|function|name|group|state|status"))
		return text_has(heading, "number|numbers|range") ? COLUMN_PORT : COLUMN_PURPOSE;
	if (from && !to)
		return COLUMN_SOURCE_PORT;
	return COLUMN_PORT;
}

static enum column side_column(const char *heading)
{
	bool from = text_has(heading, FROM_WORDS), to = text_has(heading, TO_WORDS);

	if (text_has(heading, "direction|directions|richtung|sens|direcci\u00f3n|direzione|"
			      "richting|verkehrsrichtung"))
		return COLUMN_DIRECTION;
	if (text_is(heading,
		    "local|local system|local host|local ip|this host|this system|host(s)"))
		return COLUMN_LOCAL;
	if (text_has(heading, "used by|required by|needed by|accessed by|connecting from") ||
	    text_is(heading,
		    "peer|peers|remote|remote host|remote system|with|allowed from|remote ip|"
		    "remote address|remote addresses|remote hosts|remote systems|"
		    "source/destination|source / destination|source or destination|"
		    "to/from|from/to"))
		return COLUMN_PEER;
	if (from && to)
		return COLUMN_DIRECTION;
	if (from)
		return COLUMN_FROM;
	if (to || text_is(heading,
			  "listening host|listening system|vers|hacia|responder|acceptor|callee"))
		return COLUMN_TO;
	if (text_is(heading, "client|clients|requester|requestor|initiated by|opened by|de|"
			     "connecting host|connecting system|connects from|caller"))
		return COLUMN_FROM;
	return COLUMN_OTHER;
}

#define REFUSED_WORDS "block|block?|blocked|blocked?|deny|deny?|denied|denied?|drop|reject|closed?"
#define REFUSED_STATES                                                                             \
	"deny|denied|denies|block|blocked|blocks|reject|rejected|rejects|drop|dropped|drops|"      \
	"discard|discarded|refuse|refused|forbid|forbidden|prohibit|prohibited|disallow|"          \
	"disallowed|not allowed|not permitted|not open|not opened|no access|blackhole|"            \
	"blackholed|closed|filtered"

static enum column rule_column(const char *heading)
{
	if (text_is(heading,
		    "action|actions|permission|verdict|allow/deny|allow / deny|permit/deny|"
		    "allowed|access|effect|policy|rule action|rule type|allow or deny|"
		    "allow/block|decision|allowed?|target action|allow|allow?|permit|permit?|"
		    "permitted|permitted?|open?|aktion|regel|acci\u00f3n|azione|" REFUSED_WORDS))
		return COLUMN_ACTION;
	if (text_is(heading, "optional|optional?|required|required?|mandatory|mandatory?|necessity|"
			     "required/optional|required or optional|optional/required|"
			     "mandatory/optional|is optional|is required|needed|needed?"))
		return COLUMN_OPTIONAL;
	if (text_is(heading, "condition|conditions|when|only when|only if|applies to|applies when|"
			     "needed when|required when|required if|scenario|applicability"))
		return COLUMN_CONDITION;
	if (text_is(heading, "flow|path|connection type|connection direction|traffic direction|"
			     "communication|inbound/outbound|in/out|inbound or outbound|inbound|"
			     "outbound|ingress/egress|traffic|way|flow direction"))
		return COLUMN_DIRECTION;
	return COLUMN_OTHER;
}

enum column column_of(const char *heading)
{
	size_t words = word_count(heading);
	enum column side = words <= 5 ? side_column(heading) : COLUMN_OTHER;
	enum column rule = rule_column(heading);

	if (!words || words > 12)
		return COLUMN_OTHER;
	if (rule != COLUMN_OTHER)
		return rule;
	if (text_has(heading, "port|ports|port(s)|portnumber|ports/protocols|port#|port no|"
			      "portnummer|portnummern|zielport|zielports|quellport|puerto|puertos|"
			      "porta|porte|poort|poorten"))
		return port_column(heading);
	if (text_has(heading, "protocol|protocols|protocol(s)|proto|transport|l4|protokoll|"
			      "protokolle|protocole|protocolo|protocollo"))
		return COLUMN_PROTOCOL;
	if (words <= 4 && text_has(heading, "tcp|udp"))
		return COLUMN_PROTOCOL;
	if (side != COLUMN_OTHER)
		return side;
	if (text_has(heading, purpose_words))
		return COLUMN_PURPOSE;
	if (text_has(
		    heading,
		    "service|services|application|applications|component|components|feature|process|"
		    "dienst|dienste|anwendung|komponente|servicio|servizio|daemon|product|role|name|program|module|host|node|system|server|item"))
		return COLUMN_SERVICE;
	return COLUMN_OTHER;
}

enum action action_of(const char *text)
{
	if (text_is(text, "deny|denied|block|blocked|reject|rejected|drop|dropped|discard|refuse|"
			  "refused|forbid|forbidden|prohibit|prohibited|disallow|disallowed|"
			  "not allowed|not permitted|do not allow|never|no access|closed|"
			  "deny all|block all|drop all|reject all"))
		return ACTION_DENY;
	if (text_is(text, "allow|allowed|permit|permitted|accept|accepted|pass|open|opened|grant|"
			  "granted|allow all|permit all"))
		return ACTION_ALLOW;
	return ACTION_UNKNOWN;
}

static bool holds_cross(const char *text)
{
	static const char *const crosses[] = {"\u2717", "\u2718",     "\u274c",
					      "\u26d4", "\U0001f6ab", "\u2716"};

	for (size_t i = 0; i < ARRAY_SIZE(crosses); i++)
		if (strstr(text, crosses[i]))
			return true;
	return false;
}

enum action action_of_cell(const char *text)
{
	enum action whole = action_of(text);
	bool allows = text_is(text, "erlauben|erlaubt|zulassen|zugelassen|autoriser|permitir|"
				    "permitido|ja|oui|yes|y|ok|true|\u2713|\u2714|\u2705") ||
		      text_has(text, "allow|allowed|permit|permitted|accept|accepted|pass");
	bool refuses =
		text_has(text, REFUSED_STATES "|no|not|never|n|false|stop|ban|banned|reset") ||
		holds_cross(text);

	if (whole != ACTION_UNKNOWN)
		return whole;
	if (allows && !refuses)
		return ACTION_ALLOW;
	return refuses && !allows ? ACTION_DENY : ACTION_UNKNOWN;
}

enum action action_below(const char *heading, const char *cell)
{
	if (!text_is(heading, REFUSED_WORDS))
		return action_of_cell(cell);
	return text_is(cell, "|no|n|false|-|\u2717|\u2718|\u274c") ? ACTION_ALLOW : ACTION_DENY;
}

bool heading_judges(const char *heading)
{
	return rule_column(heading) == COLUMN_ACTION ||
	       text_is(heading, "status|state|rule|result|treatment|filter|filtering|firewall|"
				"disposition|handling|exposure|enabled|enabled?|"
				"is open|is allowed|port state|port status|rule status|verdicts");
}

bool heading_grants(const char *heading)
{
	return text_is(heading, "allow|allow?|allowed|allowed?|permit|permit?|permitted|"
				"permitted?|open|open?|is open|is allowed");
}

/* "Explicit deny", "Denied (default)", and no sentence. */
bool state_refuses(const char *text)
{
	if (word_count(text) > 4 ||
	    text_has(text, "not blocked|not denied|not block|not closed|not "
			   "filtered|not rejected|not dropped|if|when"))
		return false;
	return text_has(text, "not open|not opened|not allowed|not permitted|no access") ||
	       (text_has(text, REFUSED_STATES) &&
		!text_has(text, "allow|allowed|permit|permitted|accept|accepted|open|opened"));
}

/* "B: blocked", "A (denied)" */
bool name_refuses(const char *text)
{
	return text_has(text, "blocked|denied|rejected|dropped|forbidden|prohibited|disallowed|"
			      "not allowed|not permitted|no access") &&
	       !text_has(text, "not blocked|not denied|never blocked|unless blocked");
}

/* "Blocked.", "(denied)", "by default denied"; "Discard" and "Block" are names of services. */
static bool piece_refuses(const char *text)
{
	static const char states[] = "blocked|denied|rejected|dropped|forbidden|prohibited|refused|"
				     "disallowed|not allowed|not permitted|no access|unused|"
				     "not open|not opened|not used|deny|reject";
	char plain[64];
	size_t length;

	text += strspn(text, "(*[_ ");
	length = strcspn(text, ")*]_.!\n;,");
	if (length >= sizeof(plain) || word_count(text) > 4)
		return false;
	memcpy(plain, text, length);
	plain[length] = '\0';
	return text_is(plain, states) ||
	       (state_refuses(plain) && text_has(plain, "always|by default|explicitly|by"));
}

/* Each piece of a note: "TCP, denied", "A to B: blocked". */
bool note_refuses(const char *text)
{
	if (word_count(text) > 8)
		return piece_refuses(text);
	for (; text; text = strpbrk(text, ",;:\n")) {
		text += strspn(text, ",;:\n ");
		if (piece_refuses(text))
			return true;
	}
	return false;
}

bool direction_refuses(const char *text)
{
	return name_refuses(text) || state_refuses(text) ||
	       (text_has(text, "not|no|never|neither|without") &&
		!text_is(text, "no|not applicable"));
}

/* A sentence that refuses, or a paragraph as short as a heading. */
bool paragraph_refuses(const char *text)
{
	return text_refuses(text) || (word_count(text) <= 5 && heading_refuses(text));
}

/* "If the port is blocked, nothing works" closes none. */
static bool says_refused(const char *text)
{
	return text_has(text, "is blocked|are blocked|is denied|are denied|is refused|are refused|"
			      "is rejected|are rejected|is dropped|are dropped|blocked by default|"
			      "denied by default|is prohibited|are prohibited|is forbidden|"
			      "are forbidden|is not used|are not used|is unused|are unused|"
			      "not in use|no longer used|no longer in use|no longer required|"
			      "no longer needed|not used anymore|is not open|are not open|"
			      "is not opened|are not opened|(blocked)|(denied)|(closed)|"
			      "(forbidden)|(prohibited)|(unused)|(not used)") &&
	       !text_has(text, "if|when|unless|otherwise|whether");
}

bool text_refuses(const char *text)
{
	if (text_has(text, "not block|not blocked|not be blocked|never block|unblock|not denied|"
			   "not be denied|not reject|not drop|not blocking"))
		return false;
	return says_refused(text) ||
	       text_has(text,
			"must not be open|must not be opened|should not be open|do not open|"
			"don't open|must not be exposed|should not be exposed|do not expose|"
			"never open|never expose|must be blocked|should be blocked|"
			"must be closed|should be closed|must be denied|should be denied|"
			"is not allowed|are not allowed|not permitted|must not be reachable|"
			"must not be accessible|should not be accessible|not be allowed|"
			"block this|deny this|must be disabled|keep closed|keep it closed|"
			"to block|to deny|to reject|to close|block port|block ports|block all|"
			"block inbound|block outbound|block incoming|block traffic|block tcp|"
			"block udp|deny all|deny port|deny ports|deny inbound|deny traffic|"
			"deny tcp|deny udp|drop all|reject all|close port|close ports|"
			"should block|must block|should deny|must deny|blocks port|"
			"remain closed|remains closed|stay closed|stays closed|cannot be opened|"
			"can not be opened|can't be opened|may not be opened|not be opened|"
			"not to open|not to be opened|must be dropped|must be rejected|must be "
			"refused|strictly prohibited|strictly forbidden|block the following|"
			"deny the following|drop the following|reject the following|close the "
			"following|remain blocked|stay blocked|keep blocked|don't expose|"
			"blocks ports|denies|blocks all|blocks tcp|blocks udp");
}

bool heading_refuses(const char *text)
{
	return text_refuses(text) || text_has(text, "not allowed|not permitted|never allowed") ||
	       text_has(text, "drop rules|drop rule|reject rules|reject rule|block rules|"
			      "block rule|unused port|unused ports|removed port|removed ports|"
			      "obsolete ports|retired ports|not used") ||
	       (text_has(text, "deny|denied|blocked|rejected|dropped|forbidden|prohibited|refused|"
			       "disallowed|not allowed|closed") &&
		!text_has(text, "not be blocked|not blocked|not be denied|unless") &&
		!text_has(text, "allow|allowed|permit|permitted|accept"));
}

bool ports_refused(const char *text)
{
	return heading_refuses(text) || strstr(text, "~~") ||
	       (text_has(text, "drop|reject|block") && !text_has(text, "allow|permit|accept"));
}

bool text_is_loopback(const char *text)
{
	return text_is(text, "localhost|127.0.0.1|::1|loopback|lo|127.0.0.0/8|local only|internal "
			     "loopback|localhost only|loopback only|127.0.0.1/8|127.0.0.1, ::1|"
			     "localhost (127.0.0.1)|127.0.0.1 (localhost)|loopback interface|"
			     "127.0.0.1 only|local loopback|the loopback interface|[::1]|"
			     "localhost/127.0.0.1|loopback (127.0.0.1)|127.0.0.1\n::1");
}

bool text_says_loopback(const char *text)
{
	return text_has(text,
			"loopback interface|loopback only|localhost only|only on localhost|"
			"only on loopback|only on 127.0.0.1|on the loopback|bound to localhost|"
			"bound to 127.0.0.1|bound to loopback|binds to localhost|"
			"binds to 127.0.0.1|binds to loopback|binds only to localhost|"
			"listens on localhost|listens on 127.0.0.1|listen on localhost|"
			"listens on loopback|listen on 127.0.0.1|only from localhost|"
			"only from the host itself|only by localhost|only local connections|"
			"loopback address|only within the host|never leaves the host|"
			"only locally|local connections only|127.0.0.1 only|localhost access only|"
			"only accessible locally|only accessible from localhost|"
			"only reachable from localhost|only used locally|only on the host itself|"
			"bound to ::1|bound to [::1]|binds to ::1|binds to [::1]|listens on ::1|"
			"listens on [::1]|listen on ::1|local use only|for local use|::1 only|"
			"used locally only|locally only|loopback ports|loopback port|"
			"localhost ports|internal to the host|within the same host");
}

/* "TCP only" and "read only" are no conditions. */
static bool ends_with_only(const char *text)
{
	size_t length = strlen(text);

	while (length && strchr(".;:)! ", text[length - 1]))
		length--;
	if (length < 8 || strncasecmp(text + length - 5, " only", 5))
		return false;
	return !text_has(text,
			 "tcp only|udp only|read only|internal only|sctp only|https only|http "
			 "only|ipv4 only|ipv6 only|inbound only|outbound only");
}

bool text_says_optional(const char *text)
{
	if (text_has(text, "not optional|non-optional|no longer optional|only for internal"))
		return false;
	return text_has(text, "optional|optionally|only for|only if|only when|only with|only in|"
			      "only required|required only|needed only|only needed|only used|"
			      "used only|if enabled|when enabled|if used|if you|if a|if an|"
			      "if the|if using|when using|when you|if configured|when configured|"
			      "if required|if needed|if applicable|unless|if installed|"
			      "if not using|only used when|only on|when the|if ldap|if tls") ||
	       ends_with_only(text);
}

bool ports_conditional(const char *text)
{
	return text_says_optional(text) ||
	       text_has(text, "if|when|where|unless|otherwise|else|in case|provided|depending|"
			      "not required|not mandatory");
}

enum optional optional_cell(const char *heading, const char *cell)
{
	bool asks_required = text_has(heading, "required|mandatory|needed|necessity") &&
			     !text_has(heading, "optional");

	if (text_is(cell, "optional|if needed|as needed|recommended|conditional"))
		return OPTIONAL_YES;
	if (text_is(cell, "required|mandatory|always|needed"))
		return OPTIONAL_NO;
	if (text_is(cell, "yes|true|y|x|1|\u2713|\u2714"))
		return asks_required ? OPTIONAL_NO : OPTIONAL_YES;
	if (text_is(cell, "no|false|n|0|-|\u2717|\u2718"))
		return asks_required && !text_is(cell, "-") ? OPTIONAL_YES : OPTIONAL_NO;
	return text_says_optional(cell) ? OPTIONAL_YES : OPTIONAL_UNKNOWN;
}
