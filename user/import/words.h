/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Headings of columns, and what single words of a cell say of its row.
 */
#ifndef IMPORT_WORDS_H
#define IMPORT_WORDS_H

#include "../base/base.h"

enum column {
	COLUMN_OTHER,
	COLUMN_FROM,
	COLUMN_TO,
	COLUMN_LOCAL, /* this end */
	COLUMN_PEER,  /* the other end, whichever that is */
	COLUMN_PORT,
	COLUMN_SOURCE_PORT,
	COLUMN_REFUSED, /* ports that are not open: "Blocked ports" */
	COLUMN_PROTOCOL,
	COLUMN_DIRECTION,
	COLUMN_SERVICE,
	COLUMN_PURPOSE,
	COLUMN_ACTION,
	COLUMN_OPTIONAL,
	COLUMN_CONDITION,
};
enum column column_of(const char *heading);

enum action { ACTION_UNKNOWN, ACTION_ALLOW, ACTION_DENY };
enum action action_of(const char *text);      /* of a whole cell */
enum action action_of_cell(const char *text); /* of a column of actions: "Deny (log)" */
enum action action_below(const char *heading, const char *cell); /* "Blocked?": "yes" */
bool heading_judges(const char *heading);  /* "Status", "Result": of what happens to the row */
bool heading_grants(const char *heading);  /* "Allowed?": an empty cell grants nothing */
bool state_refuses(const char *text);	   /* a short cell: "Explicit deny" */
bool note_refuses(const char *text);	   /* a note that is nothing else: "Blocked." */
bool direction_refuses(const char *text);  /* "Inbound (blocked)", "not inbound" */
bool paragraph_refuses(const char *text);  /* above a table: "**Denied**" */
bool name_refuses(const char *text);	   /* "B (blocked)" */
bool text_refuses(const char *text);	   /* a sentence that closes ports */
bool ports_refused(const char *text);	   /* "22/TCP (blocked)", "~~22~~" */
bool heading_refuses(const char *text);	   /* "Blocked ports" */
bool text_is_loopback(const char *text);   /* a cell that is an address of the host itself */
bool text_says_loopback(const char *text); /* a sentence: "listens on localhost only" */
bool text_says_optional(const char *text); /* "optional", "only for", "if a proxy is used" */
bool ports_conditional(const char *text);  /* a cell of ports: "80 if root", "443 (optional)" */
enum optional { OPTIONAL_UNKNOWN, OPTIONAL_NO, OPTIONAL_YES };
enum optional optional_cell(const char *heading, const char *cell); /* "Mandatory": "no" */

#endif
