/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recognizes, by the beginning of a line, files that were never meant as a policy. Called only for
 * files that could not be read.
 */
#include <ctype.h>
#include <string.h>

#include "syntax.h"

enum { LINES_LOOKED_AT = 40 };

static const struct {
	const char *begin, *what;
} beginnings[] = {
	{"table inet ", "rules of nftables"},
	{"table ip ", "rules of nftables"},
	{"table ip6 ", "rules of nftables"},
	{"table bridge ", "rules of nftables"},
	{"table arp ", "rules of nftables"},
	{"table netdev ", "rules of nftables"},
	{"flush ruleset", "rules of nftables"},
	{"add rule ", "rules of nftables"},
	{"add table ", "rules of nftables"},
	{"nft ", "rules of nftables"},
	{"*filter", "rules of iptables"},
	{"*nat", "rules of iptables"},
	{"*mangle", "rules of iptables"},
	{"*raw", "rules of iptables"},
	{":INPUT", "rules of iptables"},
	{":OUTPUT", "rules of iptables"},
	{":FORWARD", "rules of iptables"},
	{"-A ", "rules of iptables"},
	{"-P ", "rules of iptables"},
	{"iptables ", "rules of iptables"},
	{"ip6tables ", "rules of iptables"},
	{"ufw ", "commands of ufw"},
	{"firewall-cmd ", "commands of firewalld"},
	{"<?xml", "XML"},
	{"<!DOCTYPE", "HTML"},
	{"<html", "HTML"},
	{"<", "XML or HTML"},
	{"diff --git ", "a patch"},
	{"--- a/", "a patch"},
	{"@@ ", "a patch"},
	{"resource \"", "a configuration of Terraform"},
	{"%PDF", "a PDF"},
};

static const char begin_hint[] =
	"a policy begins with: apiVersion: flowreeve/v1, and kind: Policy below it";

static bool refuse(struct loc loc, const char *message, const char *hint, struct syntax_fault *out)
{
	*out = (struct syntax_fault){
		.loc = loc, .check = "wrong-kind", .message = message, .hint = hint};
	return true;
}

/* An encoding of two bytes a character, or no text at all. */
static bool binary(struct arena *arena, const struct source *source, struct syntax_fault *out)
{
	static const char *const magic[] = {"\x7f"
					    "ELF",
					    "\x1f\x8b",
					    "PK\x03\x04",
					    "BZh",
					    "\xfd"
					    "7zXZ",
					    "\x28\xb5\x2f\xfd"};
	const char *text = source->text, *path = shell_word(arena, source->name);
	struct loc start = {.source = source, .line = 1, .column = 1, .length = 1};
	bool wide = str_starts(text, "\xff\xfe") || str_starts(text, "\xfe\xff") ||
		    (source->size > 3 && !text[0] != !text[1] && !text[0] == !text[2] &&
		     !text[1] == !text[3]);

	if (wide)
		return refuse(start, "the file is UTF-16; a policy is UTF-8",
			      arena_printf(arena, "iconv -f UTF-16 -t UTF-8 %s > utf-8.yaml", path),
			      out);
	for (size_t i = 0; i < ARRAY_SIZE(magic); i++)
		if (str_starts(text, magic[i]))
			return refuse(start, "a binary file; a policy is UTF-8 text",
				      "name the policy's file", out);
	return false;
}

static bool refuse_syntax(struct loc loc, const char *message, const char *hint,
			  struct syntax_fault *out)
{
	refuse(loc, message, hint, out);
	out->check = "yaml-syntax";
	return true;
}

static bool is_section(const char *line, size_t size)
{
	size_t name = strspn(line + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789-_. ");

	return *line == '[' && name && name + 2 == size && line[name + 1] == ']';
}

static bool is_setting(const char *line, size_t size)
{
	size_t key = strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_");
	const char *colon = memchr(line, ':', size);

	return key && line[key + strspn(line + key, " ")] == '=' &&
	       (!colon || colon > strchr(line, '='));
}

static bool line_is_foreign(struct arena *arena, const char *line, size_t size, struct loc loc,
			    struct syntax_fault *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++)
		if (str_starts(line, beginnings[i].begin) &&
		    !(line[0] == '<' && str_starts(line, "<<<<<<<")))
			return refuse(loc,
				      arena_printf(arena, "this looks like %s, not like a policy",
						   beginnings[i].what),
				      begin_hint, out);
	if (str_starts(line, "<<<<<<<") || str_starts(line, ">>>>>>>"))
		return refuse_syntax(
			loc, "a merge conflict that is not resolved",
			"keep one side, and leave out the lines <<<<<<<, ======= and >>>>>>>", out);
	if (str_starts(line, "```"))
		return refuse_syntax(loc, "a fence of Markdown is not part of a policy",
				     "leave the lines with ``` out", out);
	if (is_section(line, size))
		return refuse(loc, "this looks like an INI or TOML file, not like a policy",
			      begin_hint, out);
	if (is_setting(line, size)) {
		size_t key = strcspn(line, " =");
		const char *value = strchr(line, '=') + 1;

		value += strspn(value, "= ");
		return refuse_syntax(loc, "'=' between a key and its value",
				     arena_printf(arena, "write '%.*s: %.*s'", (int)key, line,
						  (int)(line + size - value), value),
				     out);
	}
	return false;
}

bool foreign_explain(struct arena *arena, const struct source *source, struct syntax_fault *out)
{
	const char *at = source->text, *end = at + source->size;

	if (binary(arena, source, out))
		return true;
	for (uint32_t line = 1; at < end && line < LINES_LOOKED_AT; line++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at)) ?: end;
		size_t size = (size_t)(stop - at);
		struct loc loc = {.source = source, .line = line, .column = 1};

		if (size && at[size - 1] == '\r')
			size--;
		loc.length = (uint32_t)size;
		if (size && *at != '#' && line_is_foreign(arena, at, size, loc, out))
			return true;
		at = stop + 1;
	}
	return str_starts(source->text, "#!") &&
	       refuse((struct loc){.source = source, .line = 1, .column = 1, .length = 2},
		      "this looks like a script, not like a policy", begin_hint, out);
}
