/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words of a cell, for ports.c and prose.c. Internal to them.
 */
#ifndef IMPORT_TOKENS_H
#define IMPORT_TOKENS_H

#include "ports.h"
#include "text.h"

enum token_kind {
	TOKEN_NOTHING,
	TOKEN_NUMBER,
	TOKEN_PROTOCOL,
	TOKEN_DASH, /* also "to", "through", ".." */
	TOKEN_SEPARATOR,
	TOKEN_COLON,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_ANY,
	TOKEN_ABOVE,
	TOKEN_VAGUE,
	TOKEN_FILLER,
	TOKEN_WORD,
};

struct token {
	enum token_kind kind;
	const char *text;
	size_t length;
	uint32_t value;
	protocols protocols;
	unsigned depth;	  /* of parentheses; those themselves count */
	unsigned segment; /* line of the cell */
};

enum { TOKENS_MAX = 1024 };

bool token_is(const struct token *t, const char *words);
bool token_usual(const struct token *t); /* the name of an application protocol */
/* Not a number that no person counts ports by: "up to 8192 bytes", "type 8", "3 nodes". */
bool number_is_port(const struct token *tokens, size_t count, size_t at);
size_t tokens_read(const char *text, struct token *out, size_t most, bool *cut);

#endif
