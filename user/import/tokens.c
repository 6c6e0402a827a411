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

/* Application protocols with one usual transport. */
static const struct {
	const char *words;
	protocols protocols;
} usual[] = {
	{"http|https|ssh|ftp|ftps|sftp|scp|telnet|smtp|smtps|imap|imaps|pop3|pop3s|ldaps|rdp|smb|cifs|iscsi|"
	 "tls|ssl|rest|soap|grpc|amqp|mqtt|bgp|winrm|http/2|websocket|websockets|wss|jdbc|odbc|nbd",
	 1},
	{"snmp|ntp|tftp|dhcp|bootp|ipmi|vxlan|geneve|quic|mdns|radius", 2},
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
	return cell;
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
	return found;
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
		while (text_is_word(text[length]) ||
		       (strchr("./:", text[length]) && text_is_word(text[length + 1])))
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
