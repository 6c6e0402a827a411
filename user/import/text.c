/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes of a document to text that the readers can trust: UTF-8, one kind of line end, one kind of
 * space, hyphen and quote. Independent of tables and ports.
 */
#include <errno.h>
#include <strings.h>

#include "text.h"

void buffer_add(struct buffer *b, const char *text, size_t size)
{
	if (b->size + size + 1 > b->capacity) {
		size_t capacity = (b->size + size + 1) * 2;
		char *larger = arena_alloc(b->arena, capacity);

		if (b->size)
			memcpy(larger, b->text, b->size);
		b->text = larger;
		b->capacity = capacity;
	}
	memcpy(b->text + b->size, text, size);
	b->size += size;
	b->text[b->size] = '\0';
}

void buffer_puts(struct buffer *b, const char *text)
{
	buffer_add(b, text, strlen(text));
}

void buffer_printf(struct buffer *b, const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int size;

	va_start(args, format);
	size = vasprintf(&text, format, args);
	va_end(args);
	if (size > 0)
		buffer_add(b, text, (size_t)size);
	if (size >= 0)
		free_ptr(&text);
}

/* ---------------------------------------------------------------- UTF-8 */

/* Length of the sequence at `s`, 0 when it is none; the code point in *out. */
static size_t utf8_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >> 5 == 6)
		return 2;
	if (first >> 4 == 14)
		return 3;
	return first >> 3 == 30 ? 4 : 0;
}

static size_t utf8_decode(const char *s, size_t left, uint32_t *out)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char c = (unsigned char)*s;
	size_t length = utf8_length(c);
	uint32_t code = length == 1 ? c : c & (0x7f >> length);

	if (!length || length > left)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | ((unsigned char)s[i] & 0x3f);
	}
	if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	*out = code;
	return length;
}

static void utf8_append(struct buffer *out, uint32_t code)
{
	char text[3] = {(char)code};

	if (code < 0x80) {
		buffer_add(out, text, 1);
		return;
	}
	if (code < 0x800) {
		text[0] = (char)(0xc0 | code >> 6);
		text[1] = (char)(0x80 | (code & 0x3f));
		buffer_add(out, text, 2);
		return;
	}
	text[0] = (char)(0xe0 | code >> 12);
	text[1] = (char)(0x80 | (code >> 6 & 0x3f));
	text[2] = (char)(0x80 | (code & 0x3f));
	buffer_add(out, text, 3);
}

/* Windows-1252 where Latin-1 has control characters. */
static uint32_t cp1252(unsigned char c)
{
	static const uint16_t table[32] = {0x20ac, ' ',	   0x201a, 0x0192, 0x201e, 0x2026, 0x2020,
					   0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, ' ',
					   0x017d, ' ',	   ' ',	   0x2018, 0x2019, 0x201c, 0x201d,
					   0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a,
					   0x0153, ' ',	   0x017e, 0x0178};

	return c >= 0x80 && c < 0xa0 ? table[c - 0x80] : c;
}

static bool is_utf8(const char *text, size_t size, size_t *wrong)
{
	size_t at = 0, length;
	uint32_t code;

	while (at < size) {
		length = utf8_decode(text + at, size - at, &code);
		if (!length) {
			*wrong = at;
			return false;
		}
		at += length;
	}
	return true;
}

/* ---------------------------------------------------------------- not text */

static uint32_t line_of(const char *text, size_t at)
{
	uint32_t line = 1;

	for (size_t i = 0; i < at; i++)
		line += text[i] == '\n';
	return line;
}

/* Whether the first of the text, up to a limit, has the word. */
static bool begins_with(const struct source *source, const char *word, size_t limit)
{
	return memmem(source->text, source->size < limit ? source->size : limit, word,
		      strlen(word));
}

struct foreign {
	const char *name, *hint;
};

/* An archive's members tell what it is. */
static struct foreign archive_of(const struct source *source)
{
	if (begins_with(source, "word/", SIZE_MAX))
		return (struct foreign){"a Word document", "pandoc -t html FILE.docx >FILE.html"};
	if (begins_with(source, "xl/", SIZE_MAX))
		return (struct foreign){"an Excel workbook",
					"libreoffice --headless --convert-to csv FILE.xlsx"};
	if (begins_with(source, "opendocument.spreadsheet", SIZE_MAX))
		return (struct foreign){"an OpenDocument spreadsheet",
					"libreoffice --headless --convert-to csv FILE.ods"};
	if (begins_with(source, "opendocument", SIZE_MAX))
		return (struct foreign){"an OpenDocument text",
					"pandoc -t html FILE.odt >FILE.html"};
	return (struct foreign){"an archive or an office document",
				"unpack it, and save the page as HTML, Markdown or CSV"};
}

/* "{" or "[", then a string, a list, a map or their end. */
static bool is_json(const struct source *source)
{
	static const char blanks[] = " \t\r\n";
	const char *text = source->text + strspn(source->text, blanks);
	const char *next;

	if (*text != '{' && *text != '[')
		return false;
	next = text + 1 + strspn(text + 1, blanks);
	if (*text == '{')
		return *next == '"' && next[1 + strcspn(next + 1, "\"")] == '"' &&
		       strchr(": \t\r\n", next[2 + strcspn(next + 1, "\"")]);
	return *next == '{' && next[1 + strspn(next + 1, blanks)] == '"';
}

static bool is_docbook(const struct source *source)
{
	const char *text = source->text + strspn(source->text, " \t\r\n");

	if (*text != '<' || begins_with(source, "<html", 2000) ||
	    begins_with(source, "<!doctype html", 2000))
		return false;
	return begins_with(source, "docbook.org", 4000) || begins_with(source, "DocBook", 4000) ||
	       (str_starts(text, "<?xml") && !begins_with(source, "xhtml", 4000)) ||
	       begins_with(source, "<informaltable", SIZE_MAX) ||
	       begins_with(source, "<tgroup", SIZE_MAX);
}

/* The bytes that are 0 in each of the first units of a size, as bits; 0 where units differ. */
static unsigned zeros_in(const struct source *source, size_t unit)
{
	unsigned first = 0, zeros = 0;

	for (size_t i = 0; i < source->size - source->size % unit && i < 64; i++) {
		zeros |= source->text[i] ? 0 : 1u << i % unit;
		if (i % unit != unit - 1)
			continue;
		if (i >= unit && zeros != first)
			return 0;
		first = zeros;
		zeros = 0;
	}
	return first;
}

/* UTF-16 and UTF-32, with their mark or without, where the text begins with letters of ASCII. */
static struct foreign wide_of(const struct source *source)
{
	static const struct {
		const char *mark;
		size_t length, unit;
		unsigned zeros;
		struct foreign foreign;
	} forms[] = {
#define FORM(name) {name " instead of UTF-8", "iconv -f " name " -t UTF-8 FILE >FILE.utf8"}
		{"\xff\xfe\0\0", 4, 4, 0, FORM("UTF-32")},
		{"\0\0\xfe\xff", 4, 4, 0, FORM("UTF-32")},
		{"\xff\xfe", 2, 2, 0, FORM("UTF-16")},
		{"\xfe\xff", 2, 2, 0, FORM("UTF-16")},
		{"", 0, 4, 0xe, FORM("UTF-32LE")},
		{"", 0, 4, 0x7, FORM("UTF-32BE")},
		{"", 0, 2, 0x2, FORM("UTF-16LE")},
		{"", 0, 2, 0x1, FORM("UTF-16BE")},
#undef FORM
	};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (source->size >= forms[i].unit &&
		    !memcmp(source->text, forms[i].mark, forms[i].length) &&
		    (!forms[i].zeros || zeros_in(source, forms[i].unit) == forms[i].zeros))
			return forms[i].foreign;
	return (struct foreign){0};
}

/* Formats that are text, or bytes, of another kind: each with what to convert it to. */
static struct foreign foreign_of(const struct source *source)
{
	const char *text = source->text;
	size_t size = source->size;

	if (size >= 5 && !memcmp(text, "%PDF-", 5))
		return (struct foreign){"a PDF",
					"pdftotext -layout FILE.pdf, or the vendor's page as HTML"};
	if (size >= 4 && !memcmp(text, "PK\3\4", 4))
		return archive_of(source);
	if (size >= 4 && !memcmp(text, "\xd0\xcf\x11\xe0", 4))
		return (struct foreign){"an old office document",
					"libreoffice --headless --convert-to html FILE"};
	if (size >= 2 && !memcmp(text, "\x1f\x8b", 2))
		return (struct foreign){"a compressed file", "gunzip FILE.gz"};
	if (wide_of(source).name)
		return wide_of(source);
	if (size >= 5 && !memcmp(text, "{\\rtf", 5))
		return (struct foreign){"RTF", "libreoffice --headless --convert-to html FILE.rtf"};
	if (is_json(source))
		return (struct foreign){
			"JSON",
			"jq -r '.[] | [.from, .to, .port] | @csv' FILE.json >FILE.csv, below a line of headings"};
	if (is_docbook(source))
		return (struct foreign){"DocBook or other XML",
					"pandoc -f docbook -t html FILE.xml >FILE.html"};
	return (struct foreign){0};
}

static int refuse(const struct source *source, struct diags *d)
{
	struct loc loc = {.source = source};
	const char *text = source->text, *hint = "save it as text, HTML or Markdown";
	const struct foreign foreign = foreign_of(source);
	size_t size = source->size, controls = 0;

	if (foreign.name)
		return diag_error(d, loc, -EINVAL, "not-text", foreign.hint, "%s", foreign.name);
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c) {
			controls += c < ' ' && !strchr("\t\n\r\f\v\x1b\b", c);
			continue;
		}
		loc.line = line_of(text, i);
		loc.column = 1;
		return diag_error(d, loc, -EINVAL, "not-text", hint,
				  "a binary file: a NUL byte at byte %zu", i + 1);
	}
	if (controls > 8 && controls > size / 100)
		return diag_error(d, loc, -EINVAL, "not-text", hint,
				  "a binary file: %zu control characters", controls);
	if (strspn(text, " \t\r\n\f\v") == size)
		return diag_error(d, loc, -EINVAL, "empty-file", NULL, "the document is empty");
	return 0;
}

int text_decode(const struct source *source, struct diags *d, struct buffer *out)
{
	const char *text = source->text;
	size_t size = source->size, at = 0, wrong = 0;
	int err = refuse(source, d);
	bool utf8;

	if (err)
		return err;
	utf8 = is_utf8(text, size, &wrong);
	if (!utf8)
		diag_warning(
			d,
			(struct loc){.source = source, .line = line_of(text, wrong), .column = 1},
			"not-utf8", NULL, "not UTF-8; read as Windows-1252");
	if (utf8 && size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		at = 3;
	for (; at < size; at++) {
		unsigned char c = (unsigned char)text[at];

		if (c == '\r' && at + 1 < size && text[at + 1] == '\n')
			continue;
		if (c == '\r')
			c = '\n';
		else if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f)
			c = ' ';
		if (utf8 || c < 0x80)
			buffer_add(out, (char *)&c, 1);
		else
			utf8_append(out, cp1252(c));
	}
	return 0;
}

/* ---------------------------------------------------------------- one cell */

/* Characters [first, last] and their plain form. */
static const struct {
	uint32_t first, last;
	const char *plain;
} plain_forms[] = {
	{0x80, 0x9f, ""},
	{0xa0, 0xa0, " "},
	{0xad, 0xad, ""},
	{0x2000, 0x200a, " "},
	{0x200b, 0x200f, ""},
	{0x2010, 0x2015, "-"},
	{0x2018, 0x2019, "'"},
	{0x201b, 0x201b, "'"},
	{0x201c, 0x201e, "\""},
	{0x2026, 0x2026, "..."},
	{0x2028, 0x2029, " "},
	{0x202a, 0x202e, ""},
	{0x202f, 0x202f, " "},
	{0x2060, 0x2069, ""},
	{0x2212, 0x2212, "-"},
	{0x2265, 0x2265, ">="},
	{0x3000, 0x3000, " "},
	{0xfe58, 0xfe58, "-"},
	{0xfe0e, 0xfe0f, ""},
	{0xfeff, 0xfeff, ""},
	{0xff0d, 0xff0d, "-"},
	/* Marks of footnotes. */
	{0xb2, 0xb3, ""},
	{0xb9, 0xb9, ""},
	{0x2020, 0x2021, ""},
	{0x2070, 0x2079, ""},
	/* Arrows. */
	{0x2190, 0x2190, " <- "},
	{0x2192, 0x2192, " -> "},
	{0x2194, 0x2194, " <-> "},
	{0x21a4, 0x21a4, " <- "},
	{0x21a6, 0x21a6, " -> "},
	{0x21c4, 0x21c4, " <-> "},
	{0x21c6, 0x21c6, " <-> "},
	{0x21cb, 0x21cc, " <-> "},
	{0x21d0, 0x21d0, " <- "},
	{0x21d2, 0x21d2, " -> "},
	{0x21d4, 0x21d4, " <-> "},
	{0x21e6, 0x21e6, " <- "},
	{0x21e8, 0x21e8, " -> "},
	{0x21fd, 0x21fd, " <- "},
	{0x21fe, 0x21fe, " -> "},
	{0x21ff, 0x21ff, " <-> "},
	{0x25b6, 0x25b6, " -> "},
	{0x25ba, 0x25ba, " -> "},
	{0x25c0, 0x25c0, " <- "},
	{0x25c4, 0x25c4, " <- "},
	{0x2794, 0x2794, " -> "},
	{0x2798, 0x27af, " -> "},
	{0x27b1, 0x27be, " -> "},
	{0x27f5, 0x27f5, " <- "},
	{0x27f6, 0x27f6, " -> "},
	{0x27f7, 0x27f7, " <-> "},
	{0x27f8, 0x27f8, " <- "},
	{0x27f9, 0x27f9, " -> "},
	{0x27fa, 0x27fa, " <-> "},
	{0x27fc, 0x27fc, " -> "},
	{0x27fe, 0x27fe, " -> "},
	{0x2b05, 0x2b05, " <- "},
	{0x2b0c, 0x2b0c, " <-> "},
	{0x2b95, 0x2b95, " -> "},
	/* No YAML has them. */
	{0xfffe, 0xffff, "?"},
};

/* The plain form of a character; NULL: keep it. */
static const char *plain_of(uint32_t code)
{
	for (size_t i = 0; code >= 0x80 && i < ARRAY_SIZE(plain_forms); i++)
		if (code >= plain_forms[i].first && code <= plain_forms[i].last)
			return plain_forms[i].plain;
	return NULL;
}

/* The sign of a list, which begins a line of a cell. */
static bool is_bullet(uint32_t code)
{
	return code == 0x2022 || code == 0x2023 || code == 0x2043 || code == 0x25cf ||
	       code == 0x25aa || code == 0x25e6 || code == 0x25a0 || code == 0x2219;
}

static void tidy_space(struct buffer *out, bool *space, bool *line)
{
	if (out->size && (*line || *space))
		buffer_puts(out, *line ? "\n" : " ");
	*space = *line = false;
}

/* The mark of a footnote, "[^1]", as the readers write it; its length or 0. */
static size_t footnote_at(const char *text)
{
	size_t length = strncmp(text, "[^", 2) ? 0 : strcspn(text, "]\n");

	return length && length <= 5 && text[length] == ']' ? length + 1 : 0;
}

char *text_tidy(struct arena *arena, const char *text, bool wide)
{
	struct buffer out = {.arena = arena};
	size_t size = strlen(text), length;
	bool space = false, line = false;
	uint32_t code;

	for (size_t at = 0; at < size; at += length) {
		const char *plain;

		length = footnote_at(text + at);
		if (length)
			continue;
		length = utf8_decode(text + at, size - at, &code);
		plain = length ? plain_of(code) : "?";
		length = length ?: 1;
		if (code == '\n') {
			line = true;
		} else if (length && is_bullet(code)) {
			line |= wide || !out.size;
			space = true;
		} else if (code == ' ' || code == '\t' || (plain && plain[0] == ' ' && !plain[1])) {
			line |= wide && space;
			space = true;
		} else if (!plain || *plain) {
			tidy_space(&out, &space, &line);
			if (plain)
				buffer_puts(&out, plain);
			else
				buffer_add(&out, text + at, length);
		}
	}
	return out.text ?: arena_strdup(arena, "");
}

char *text_one_line(struct arena *arena, const char *text)
{
	struct buffer out = {.arena = arena};

	for (; *text; text++) {
		if (*text != '\n')
			buffer_add(&out, text, 1);
		else
			buffer_puts(&out, out.size && strchr(".,;:", out.text[out.size - 1])
						  ? " "
						  : "; ");
	}
	return out.text ?: arena_strdup(arena, "");
}

bool text_is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (unsigned char)c >= 0x80;
}

static bool is_article(const char *word, size_t length)
{
	static const char *const articles[] = {"a", "an", "the"};

	for (size_t i = 0; i < ARRAY_SIZE(articles); i++)
		if (strlen(articles[i]) == length && !strncasecmp(word, articles[i], length))
			return true;
	return false;
}

static bool words_follow(const char *text)
{
	while (*text && !text_is_word(*text))
		text++;
	return *text;
}

char *text_slug(struct arena *arena, const char *text, size_t most)
{
	struct buffer out = {.arena = arena};

	while (*text) {
		size_t length = 0;
		char letter[2] = "";

		/* "task's" is one word. */
		while (text_is_word(text[length]) && (unsigned char)text[length] < 0x80)
			length++;
		if (!length) {
			text++;
			continue;
		}
		if (out.size + length + 1 > most && out.size)
			break;
		if (!(is_article(text, length) && words_follow(text + length)) &&
		    !(length == 1 && (*text == 's') && out.size)) {
			if (out.size)
				buffer_puts(&out, "-");
			for (size_t i = 0; i < length && out.size < most; i++) {
				letter[0] =
					text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i];
				buffer_puts(&out, letter);
			}
		}
		text += length;
	}
	return out.text ?: arena_strdup(arena, "");
}

static bool text_at(const char *text, const char *word, size_t length)
{
	return !strncasecmp(text, word, length) && !text_is_word(text[length]);
}

static bool is_word_start(const char *text, const char *at)
{
	return at == text || !text_is_word(at[-1]);
}

/* The lists are long and the texts short: most words begin with no letter that one of the text
 * begins with. The lower five bits of a letter are the same in either case. */
bool text_has(const char *text, const char *words)
{
	uint32_t begins = 0;

	for (const char *at = text; *at; at++)
		if (is_word_start(text, at))
			begins |= 1u << (*at & 31);
	for (const char *word = words; *word;) {
		size_t length = strcspn(word, "|");

		for (const char *at = text; begins >> (*word & 31) & 1 && *at; at++)
			if (is_word_start(text, at) && text_at(at, word, length))
				return true;
		word += length;
		word += *word == '|';
	}
	return false;
}

bool text_is(const char *text, const char *words)
{
	for (const char *word = words; *word;) {
		size_t length = strcspn(word, "|");

		if (strlen(text) == length && !strncasecmp(text, word, length))
			return true;
		word += length;
		word += *word == '|';
	}
	return false;
}
