/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Directions and ends that a text names.
 */
#ifndef IMPORT_ENDS_H
#define IMPORT_ENDS_H

#include "../base/base.h"

enum direction { DIR_UNKNOWN, DIR_IN, DIR_OUT, DIR_BOTH };

struct ends {
	enum direction direction;
	const char *from, *to; /* names; NULL: not given */
	bool swapped;	       /* an arrow to the left, between source and destination */
};

/* The words for directions in a heading or a sentence: "both" of other things is none. */
enum direction direction_of(const char *text);
/* A cell about directions: "ingress, egress", "A -> B", "from A", "A to B". False when it says
 * something else. */
bool ends_of_cell(struct arena *arena, const char *cell, struct ends *out);
/* A sentence: "Incoming connections from A", "Agents connect to the server". False: it does not
 * say who opens. */
bool ends_of_sentence(struct arena *arena, const char *text, struct ends *out);
/* Some part of a text about ports says it. */
bool ends_of_parts(struct arena *arena, const char *text, struct ends *out);
bool may_be_ends(struct arena *arena, const char *text); /* says it in words that are not known */
bool direction_begins(const char *text);		 /* "outbound to B", "from A" */
/* Around the ports of a cell: "to A", "from A", "to/from A", "(inbound)". False: nothing. */
bool ends_of_phrase(struct arena *arena, const char *phrase, struct ends *out);
/* A heading: "From A to B", "A -> B", "Source: A". */
void ends_of_heading(struct arena *arena, const char *text, struct ends *out);
/* The host that a heading is about: "Worker nodes", "Inbound ports of the store"; or NULL. Where
 * several headings of a level are about hosts, "Server" is one too. */
const char *subject_of_heading(struct arena *arena, const char *heading, bool several);
bool heading_is_direction(const char *heading); /* "Ingress", "Inbound rules": and nothing else */
/* A short name that could be a host, with none of the words of a page about ports. */
bool heading_can_be_subject(const char *heading);

#endif
