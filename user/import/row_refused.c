/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rows of a document that allow nothing here: those that it refuses, those on loopback, those whose
 * ports or ends are all but some.
 */
#include "row.h"

/* ---------------------------------------------------------------- refused by the document */

static bool above_is(const struct work *w, bool (*says)(const char *text))
{
	const char *section = sheet_section(w->s);

	return (w->section && says(w->section)) || (w->grid->caption && says(w->grid->caption)) ||
	       (section && says(section));
}

/* An action that is not understood allows nothing; an empty one is that of the row above. */
static bool action_refuses(struct work *w)
{
	bool filled = false, refused = false;

	for (size_t i = 0; i < w->layout->columns; i++) {
		const char *text = cell_text(w->row, i), *heading = w->layout->headings[i];
		enum action verdict;

		if (w->layout->kinds[i] != COLUMN_ACTION)
			continue;
		verdict = action_below(heading, text);
		/* Nothing below "Denied" denies nothing; nothing below "Allowed?" allows nothing.
		 */
		filled |= *text || verdict == ACTION_ALLOW;
		refused |= *text ? verdict != ACTION_ALLOW : heading_grants(heading);
	}
	if (!has_column(w, COLUMN_ACTION))
		return false;
	if (filled)
		w->refused_above = refused;
	return refused || (!filled && w->refused_above);
}

static bool cell_refuses(enum column kind, const char *heading, const char *text)
{
	switch (kind) {
	case COLUMN_ACTION:
		return false;
	case COLUMN_PORT:
	case COLUMN_PROTOCOL:
		return ports_refused(text);
	case COLUMN_FROM:
	case COLUMN_TO:
	case COLUMN_PEER:
	case COLUMN_LOCAL:
		return name_refuses(text);
	case COLUMN_DIRECTION:
		return direction_refuses(text);
	case COLUMN_PURPOSE:
		return text_refuses(text) || note_refuses(text) ||
		       (heading_judges(heading) && action_of_cell(text) == ACTION_DENY);
	case COLUMN_SERVICE:
		return false;
	case COLUMN_REFUSED:
		return action_below("blocked", text) == ACTION_DENY &&
		       !strpbrk(text, "0123456789") && !text_is(text, "n/a|none|--");
	default:
		return text_refuses(text) || state_refuses(text) ||
		       (heading_judges(heading) && action_of_cell(text) == ACTION_DENY);
	}
}

static bool row_is_refused(struct work *w)
{
	if (action_refuses(w))
		return true;
	for (size_t i = 0; i < w->layout->columns; i++) {
		const char *text = cell_text(w->row, i);

		if (*text && cell_refuses(w->layout->kinds[i], w->layout->headings[i], text))
			return true;
	}
	if (*cells_of(w, COLUMN_REFUSED) && !*cells_of(w, COLUMN_PORT))
		return true;
	if (has_column(w, COLUMN_ACTION) && *cells_of(w, COLUMN_ACTION))
		return false;
	return above_is(w, heading_refuses) || sheet_refuses(w->s) ||
	       (w->before && paragraph_refuses(w->before));
}

/* ---------------------------------------------------------------- of another meaning */

static bool row_is_loopback(const struct work *w)
{
	for (size_t i = 0; i < w->layout->columns; i++) {
		const char *text = cell_text(w->row, i);

		if (text_is_loopback(text) || text_says_loopback(text))
			return true;
		if (text_is(text, "0.0.0.0|::|*:*"))
			return false;
	}
	return above_is(w, text_says_loopback) || above_is(w, text_is_loopback) ||
	       (w->before && text_says_loopback(w->before));
}

static const char *port_below(const struct work *w, const char *words)
{
	for (size_t i = 0; i < w->layout->columns; i++)
		if (w->layout->kinds[i] == COLUMN_PORT && text_has(w->layout->headings[i], words))
			return cell_text(w->row, i);
	return "";
}

/* "80 -> 8080" in the cell of ports. */
static bool cell_translates(const char *text)
{
	const char *arrow = strstr(text, "->") ?: strstr(text, "=>"), *behind;

	if (!arrow)
		return false;
	behind = arrow + 2 + strspn(arrow + 2, " ");
	while (arrow > text && arrow[-1] == ' ')
		arrow--;
	return arrow > text && arrow[-1] >= '0' && arrow[-1] <= '9' && *behind >= '0' &&
	       *behind <= '9';
}

/* "External port" and "Internal port", translated into each other: which is open is not said. */
static bool row_translates(const struct work *w)
{
	static const char *const sides[][2] = {{"external|outside|outer", "internal|inside|inner"},
					       {"public|published", "private"},
					       {"host", "container|guest"}};

	for (size_t i = 0; i < w->layout->columns; i++)
		if (w->layout->kinds[i] == COLUMN_PORT && cell_translates(cell_text(w->row, i)))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(sides); i++) {
		const char *outer = port_below(w, sides[i][0]), *inner = port_below(w, sides[i][1]);

		if (*outer && *inner && !str_equal(outer, inner))
			return true;
	}
	return false;
}

static bool ports_odd(const char *cell)
{
	struct port_reading reading;

	ports_read(cell, &reading);
	return reading.odd;
}

/* "!A", "not A" as an end; ports, or a protocol, but some. */
static bool row_has_exception(const struct work *w)
{
	for (size_t i = 0; i < w->layout->columns; i++) {
		enum column kind = w->layout->kinds[i];
		const char *text = cell_text(w->row, i);

		if (kind == COLUMN_PORT && (ports_except(text) || ports_odd(text)))
			return true;
		if (kind == COLUMN_PROTOCOL && protocols_except(text))
			return true;
		if (kind == COLUMN_OTHER && !is_no_peer(text) &&
		    text_has(w->layout->headings[i],
			     "except|exception|exceptions|excluded|excluding|not included"))
			return true;
		if ((kind == COLUMN_FROM || kind == COLUMN_TO || kind == COLUMN_PEER) &&
		    (*text == '!' || (!strncasecmp(text, "not ", 4) && !is_no_peer(text))))
			return true;
	}
	return false;
}

const char *row_refusal(struct work *w)
{
	if (row_is_refused(w))
		return "refused by the document, so never allowed";
	if (row_is_loopback(w))
		return "on loopback only, which needs no rule";
	if (row_has_exception(w))
		return "ports or ends with an exception";
	return row_translates(w) ? "a port outside and another one inside" : NULL;
}
