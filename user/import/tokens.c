/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words of a cell that may hold ports: numbers, protocols, dashes, brackets. Decides whether a
 * number counts (a version, an address or a footnote does not), not its meaning.
 */
#include <stdlib.h>
#include <strings.h>

#include "tokens.h"

static const char *const names[] = {"tcp",    "udp",  "sctp",  "dccp", "udplite", "icmp",
				    "icmpv6", "igmp", "gre",   "esp",  "ah",	  "ospf",
				    "vrrp",   "pim",  "eigrp", "ipip", "l2tp",	  NULL};

static const struct {
	const char *word;
	unsigned bit;
} spellings[] = {{"tcpv4", 0}, {"tcpv6", 0}, {"tcp4", 0}, {"tcp6", 0},	 {"udp4", 1},
		 {"udp6", 1},  {"udpv4", 1}, {"ping", 5}, {"icmpv4", 5}, {"icmp6", 6}};

static const struct {
	const char *number, *name;
} numbers[] = {{"1", "icmp"},	  {"2", "igmp"},    {"4", "ipip"},   {"6", "tcp"},
	       {"17", "udp"},	  {"33", "dccp"},   {"47", "gre"},   {"50", "esp"},
	       {"51", "ah"},	  {"58", "icmpv6"}, {"88", "eigrp"}, {"89", "ospf"},
	       {"103", "pim"},	  {"112", "vrrp"},  {"115", "l2tp"}, {"132", "sctp"},
	       {"136", "udplite"}};

static const struct {
	const char *text, *name;
} longer[] = {{"udp-lite", "udplite"}, {"icmp v6", "icmpv6"},	    {"icmp-v6", "icmpv6"},
	      {"icmp ipv6", "icmpv6"}, {"icmp for ipv6", "icmpv6"}, {"icmp-ipv6", "icmpv6"}};

/* Application protocols with one usual transport. */
static const struct {
	const char *words;
	protocols protocols;
} usual[] = {
	{"http|https|ssh|ftp|ftps|sftp|scp|telnet|smtp|smtps|imap|imaps|pop3|pop3s|ldaps|rdp|smb|cifs|iscsi|"
	 "tls|ssl|rest|soap|grpc|amqp|mqtt|bgp|winrm|http/2|websocket|websockets|wss|jdbc|odbc|nbd",
	 1},
	{"snmp|ntp|tftp|dhcp|bootp|ipmi|vxlan|geneve|quic|mdns|radius|http/3|h3", 2},
	{"dns|kerberos", 3},
};

const char *protocols_name(unsigned bit)
{
	return bit < ARRAY_SIZE(names) ? names[bit] : NULL;
}

protocols protocols_number(uint32_t number)
{
	char text[8];

	snprintf(text, sizeof(text), "%u", number % 1000);
	for (size_t i = 0; i < ARRAY_SIZE(numbers) && number < 256; i++)
		if (str_equal(text, numbers[i].number))
			return protocols_word(numbers[i].name, strlen(numbers[i].name));
	return 0;
}

const char *protocol_cell(const char *cell)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (str_equal(cell, numbers[i].number))
			return numbers[i].name;
	return text_is(cell, "both|both protocols|both transports") ? "tcp/udp" : cell;
}

protocols protocols_word(const char *word, size_t length)
{
	for (unsigned i = 0; names[i]; i++)
		if (strlen(names[i]) == length && !strncasecmp(names[i], word, length))
			return (protocols)1 << i;
	for (size_t i = 0; i < ARRAY_SIZE(spellings); i++)
		if (strlen(spellings[i].word) == length &&
		    !strncasecmp(spellings[i].word, word, length))
			return (protocols)1 << spellings[i].bit;
	return 0;
}

protocols protocols_usual(const char *text)
{
	protocols found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		if (text_has(text, usual[i].words))
			found |= usual[i].protocols;
	return text_is(text, "http/3|http3|http 3|http/3 (quic)|quic (http/3)") ? 2 : found;
}

/* ---------------------------------------------------------------- words */

static bool among(const struct token *t, const char *words)
{
	char word[32];

	if (t->length >= sizeof(word))
		return false;
	memcpy(word, t->text, t->length);
	word[t->length] = '\0';
	return text_is(word, words);
}

static void word_kind(struct token *t)
{
	t->protocols = protocols_word(t->text, t->length);
	if (t->protocols)
		t->kind = TOKEN_PROTOCOL;
	else if (among(t, "to|through|thru|until|till"))
		t->kind = TOKEN_DASH;
	else if (among(t, "and|or|plus"))
		t->kind = TOKEN_SEPARATOR;
	else if (among(t, "any|all"))
		t->kind = TOKEN_ANY;
	else if (among(t, "above|higher|greater|up|upwards|over|upward|later"))
		t->kind = TOKEN_ABOVE;
	else if (among(t, "ephemeral|dynamic|random|dynamically"))
		t->kind = TOKEN_VAGUE;
	else if (
		among(t,
		      "port|ports|range|ranges|number|numbers|default|defaults|is|are|from|protocol|than|the|"
		      "traffic|only|inclusive|port(s)|by|between|high|"))
		t->kind = TOKEN_FILLER;
	else
		t->kind = TOKEN_WORD;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return text_is_word(c) && !is_digit(c);
}

/* A word of letters; "tcp443" and "udp-53" end where the protocol does. */
static size_t word_lex(const char *text, struct token *t)
{
	size_t length = 0;

	while (is_letter(text[length]))
		length++;
	/* Names of a protocol that begin with another's. */
	for (size_t i = 0; i < ARRAY_SIZE(longer); i++) {
		size_t size = strlen(longer[i].text);

		if (strncasecmp(text, longer[i].text, size) || text_is_word(text[size]))
			continue;
		*t = (struct token){.kind = TOKEN_PROTOCOL,
				    .text = text,
				    .length = size,
				    .depth = t->depth,
				    .segment = t->segment,
				    .protocols =
					    protocols_word(longer[i].name, strlen(longer[i].name))};
		return size;
	}
	t->text = text;
	t->length = length;
	word_kind(t);
	if (t->kind == TOKEN_PROTOCOL || !strncmp(text + length, "://", 3)) {
		if (t->kind == TOKEN_PROTOCOL && strncmp(text + length, "://", 3))
			return length;
		length += strcspn(text + length, " \n,;)");
		t->kind = TOKEN_WORD;
		return length;
	}
	if (t->kind == TOKEN_FILLER && !strncmp(text + length, "(s)", 3))
		return length + 3;
	if (t->kind == TOKEN_ABOVE && length == 2 && !strncasecmp(text + length, " to ", 4)) {
		t->kind = TOKEN_DASH; /* "5557 up to 5577" */
		return length + 3;
	}
	/* The rest of a name: NFSv3, inter-node, core-site.xml, db01.example.com, but not
	 * "Web:443". */
	while (text_is_word(text[length]) ||
	       (text[length] && strchr("._-'@", text[length]) && text_is_word(text[length + 1])))
		length++;
	if (length > t->length)
		t->kind = protocols_word(text, length) ? TOKEN_PROTOCOL : TOKEN_WORD;
	if (length > t->length && t->kind == TOKEN_PROTOCOL)
		t->protocols = protocols_word(text, length);
	t->length = length;
	return length;
}

/* "2024-12-01", "12/31/2024" */
static size_t date_length(const char *text)
{
	static const char *const forms[] = {"dddd-dd-dd", "dd/dd/dddd", "dddd/dd/dd"};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		size_t at = 0;

		while (forms[i][at] &&
		       (forms[i][at] == 'd' ? is_digit(text[at]) : text[at] == forms[i][at]))
			at++;
		if (!forms[i][at] && !text_is_word(text[at]))
			return at;
	}
	return 0;
}

/* Digits. A number that is a part of something else (10.1.3, 3.x, 2nd, 802.1X) becomes a word. */
static size_t number_lex(const char *text, struct token *t)
{
	size_t length = 0, letters = 0;

	while (is_digit(text[length]))
		length++;
	t->text = text;
	t->length = length;
	t->kind = length <= 5 && strtoul(text, NULL, 10) <= 65535 && (length == 1 || text[0] != '0')
			  ? TOKEN_NUMBER
			  : TOKEN_WORD;
	t->value = t->kind == TOKEN_NUMBER ? (uint32_t)strtoul(text, NULL, 10) : 0;
	while (is_letter(text[length + letters]))
		letters++;
	if (letters && !protocols_word(text + length, letters)) {
		t->kind = TOKEN_WORD;
		while (text_is_word(text[length]))
			length++;
	} else if (text[length] == '.' && text_is_word(text[length + 1])) {
		t->kind = TOKEN_WORD;
		while (text_is_word(text[length]) || (text[length] && strchr("./:", text[length]) &&
						      text_is_word(text[length + 1])))
			length++;
	} else if (text[length] == '%') {
		t->kind = TOKEN_WORD;
		length++;
	}
	t->length = length;
	return length;
}

static enum token_kind sign_kind(char sign)
{
	static const struct {
		const char *signs;
		enum token_kind kind;
	} kinds[] = {
		{"-~", TOKEN_DASH},   {",;/&|", TOKEN_SEPARATOR},  {"([{", TOKEN_OPEN},
		{")]}", TOKEN_CLOSE}, {":", TOKEN_COLON},	   {"+>", TOKEN_ABOVE},
		{"*", TOKEN_ANY},     {"=.`'\"#!", TOKEN_NOTHING},
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strchr(kinds[i].signs, sign))
			return kinds[i].kind;
	return TOKEN_WORD;
}

/* "449 + 450" are two ports, "1024+ TCP" and "1024 +" are all from there on. */
static bool plus_joins(const char *text, bool behind_digit)
{
	size_t blanks = strspn(text + 1, " ");

	return text[0] == '+' && text_is_word(text[1 + blanks]) && !(behind_digit && blanks);
}

static size_t sign_lex(const char *text, struct token *t, bool behind_digit)
{
	t->text = text;
	t->length = 1;
	if (!strncmp(text, "->", 2) || !strncmp(text, "<-", 2)) {
		t->kind = TOKEN_WORD;
		return 2;
	}
	if (text[0] == '.' && text[1] == '.') {
		t->kind = TOKEN_DASH;
		return strspn(text, ".");
	}
	if (!strncmp(text, "[^", 2)) { /* the mark of a footnote */
		t->kind = TOKEN_NOTHING;
		return strcspn(text, "]") + (strchr(text, ']') != NULL);
	}
	t->kind = plus_joins(text, behind_digit) ? TOKEN_SEPARATOR : sign_kind(*text);
	return 1;
}

static size_t token_lex(const char *text, struct token *t, bool behind_digit)
{
	size_t date = is_digit(*text) ? date_length(text) : 0;

	if (date) {
		t->text = text;
		t->length = date;
		t->kind = TOKEN_WORD;
		return date;
	}
	if (is_digit(*text))
		return number_lex(text, t);
	return is_letter(*text) ? word_lex(text, t) : sign_lex(text, t, behind_digit);
}

size_t tokens_read(const char *text, struct token *out, size_t most, bool *cut)
{
	const char *begin = text;
	unsigned depth = 0, segment = 0;
	size_t count = 0;

	*cut = false;
	while (*text) {
		struct token t = {.depth = depth, .segment = segment};

		if (*text == '\n') {
			segment++;
			depth = 0;
			t = (struct token){.kind = TOKEN_SEPARATOR,
					   .text = text,
					   .length = 1,
					   .segment = segment};
			text++;
		} else if (*text == ' ') {
			text++;
			continue;
		} else {
			text += token_lex(text, &t, text > begin && is_digit(text[-1]));
		}
		depth += t.kind == TOKEN_OPEN;
		depth -= t.kind == TOKEN_CLOSE && depth;
		t.depth = t.kind == TOKEN_CLOSE ? depth + 1 : t.depth + (t.kind == TOKEN_OPEN);
		if (t.kind == TOKEN_NOTHING)
			continue;
		if (count == most) {
			*cut = true;
			break;
		}
		out[count++] = t;
	}
	return count;
}

/* ---------------------------------------------------------------- which numbers are ports */

bool token_is(const struct token *t, const char *words)
{
	return t->text && among(t, words);
}

bool token_usual(const struct token *t)
{
	char word[32];

	if (!t->text || t->length >= sizeof(word))
		return false;
	memcpy(word, t->text, t->length);
	word[t->length] = '\0';
	return protocols_usual(word);
}

/* "HTTP/2" is a version. */
static bool is_http_version(const struct token *tokens, size_t at)
{
	return at > 1 && tokens[at].value < 4 && tokens[at - 1].text[0] == '/' &&
	       token_is(&tokens[at - 2], "http|smb|nfs");
}

/* "444 1", "445 1)": the number of a note, at the end of a line. */
static bool is_note_number(const struct token *tokens, size_t count, size_t at)
{
	size_t next = at + 1 + (at + 1 < count && tokens[at + 1].kind == TOKEN_CLOSE);

	return tokens[at].value < 10 && at && tokens[at - 1].kind == TOKEN_NUMBER &&
	       tokens[at - 1].value > 9 &&
	       (next >= count || tokens[next].segment != tokens[at].segment);
}

bool number_is_port(const struct token *tokens, size_t count, size_t at)
{
	static const struct token none;
	const struct token *t = &tokens[at], *before = at ? t - 1 : &none;
	const struct token *next = at + 1 < count ? t + 1 : &none;

	if (is_http_version(tokens, at) || is_note_number(tokens, count, at))
		return false;
	/* "5557 up to 5577" has a beginning; "up to 5577" has none. */
	if (before->kind == TOKEN_DASH && token_is(before, "up") &&
	    (at < 2 || tokens[at - 2].kind != TOKEN_NUMBER))
		return false;
	if (before->kind != TOKEN_DASH &&
	    token_is(before, "version|versions|v|release|releases|step|level|tier|layer|type|rfc|"
			     "note|code|table|figure|section|first|last|up|least|most|page|chapter|"
			     "types|vlan|every|mtu|since|timeout|timeouts|max|min|maximum|minimum|"
			     "error|errors|kb|ttl|year|size|interval|status|limit|id|appendix|item|"
			     "phase|stage|copyright|windows|about|approximately"))
		return false;
	if (token_is(next, "ms|seconds|second|minutes|nodes|hosts|servers|times|days|mb|gb|bytes|"
			   "byte|interfaces|connections|ports|kb|mbps|gbps|bits|bit|tb|mib|gib|kib|"
			   "hours|day|users|cores|cpus|threads|sessions|devices|tags|tasks|minute|"
			   "hour|sec|secs|s|min|mins|percent|retries|attempts|clients|instances|"
			   "disks|volumes|members|replicas|weeks|months|years|packets|hops"))
		return false;
	/* "9000-9002, 3 in total" */
	if (t->value < 20 && token_is(next, "in|per|of|total|each|x"))
		return false;
	/* 0 is a port only as the beginning of a range. */
	return t->value || next->kind == TOKEN_DASH;
}
