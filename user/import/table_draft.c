/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The draft as text: a PortTable that `check` accepts, with everything that a person has to decide
 * in comments beside it. All strings from the document are quoted; ids and roles are made of them.
 */
#include "table_draft.h"

enum { TEXT_LONGEST = 300, ID_LONGEST = 24, ROLE_LONGEST = 60 };

/* Names that are taken, by hash: a hostile page has a hundred thousand alike. */
struct name {
	const char *text;
	unsigned uses;
};
struct role_names {
	struct name *slots;
	size_t count, size; /* size: a power of two */
};

struct writer {
	struct sheet *s;
	struct buffer out;
	struct role_names ids, roles;
	const char *section; /* of the row before */
};

/* Not longer than `most` bytes, cut between characters. */
static const char *clip(struct arena *arena, const char *text, size_t most)
{
	size_t length = strlen(text);

	if (length <= most)
		return text;
	length = most;
	while (length && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	return arena_printf(arena, "%.*s...", (int)length, text);
}

/* One line of whole characters, however its parts were cut and joined. */
static const char *line_text(struct arena *arena, const char *text, size_t most)
{
	return clip(arena, text_one_line(arena, text_tidy(arena, text, false)), most);
}

static void write_quoted(struct writer *w, const char *text)
{
	buffer_puts(&w->out, "\"");
	for (text = line_text(w->s->arena, text, TEXT_LONGEST); *text; text++) {
		if (*text == '"' || *text == '\\')
			buffer_puts(&w->out, "\\");
		buffer_add(&w->out, text, 1);
	}
	buffer_puts(&w->out, "\"");
}

/* A name as a value: YAML's word for nothing needs quotes to be one. */
static const char *name_value(const char *name)
{
	return str_equal(name, "null") ? "\"null\"" : name;
}

static struct name *name_slot(const struct role_names *names, const char *text)
{
	uint32_t hash = 2166136261u;
	size_t at;

	for (const char *c = text; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619u;
	for (at = hash & (names->size - 1); names->slots[at].text;
	     at = (at + 1) & (names->size - 1))
		if (str_equal(names->slots[at].text, text))
			break;
	return &names->slots[at];
}

/* The entry of a name, new with no uses. */
static struct name *name_claim(struct arena *arena, struct role_names *names, const char *text)
{
	struct role_names larger = {.size = names->size ? names->size * 2 : 64};
	struct name *slot;

	if (names->count * 2 >= names->size) {
		larger.slots = arena_alloc(arena, larger.size * sizeof(*larger.slots));
		for (size_t i = 0; i < names->size; i++)
			if (names->slots[i].text)
				*name_slot(&larger, names->slots[i].text) = names->slots[i];
		larger.count = names->count;
		*names = larger;
	}
	slot = name_slot(names, text);
	names->count += !slot->text;
	slot->text = text;
	return slot;
}

/* ---------------------------------------------------------------- roles */

static const char *role_name(struct writer *w, const char *title)
{
	const char *slug = text_slug(w->s->arena, title, ROLE_LONGEST);

	return *slug ? slug : role_peer;
}

static const char *placeholder_title(const char *role)
{
	if (role == role_this_host)
		return "the host that the document is about";
	if (role == role_inbound_peer)
		return "hosts that connect to it";
	if (role == role_outbound_peer)
		return "hosts that it connects to";
	return "the other end, which the document does not name";
}

static void write_role(struct writer *w, const char *title)
{
	const char *name = role_name(w, title);

	if (name_claim(w->s->arena, &w->roles, name)->uses++)
		return;
	buffer_printf(&w->out, "  %s: {title: ", name_value(name));
	write_quoted(w, role_is_placeholder(title) ? placeholder_title(title) : title);
	buffer_puts(&w->out, role_is_placeholder(title) ? "} # a placeholder: name it\n" : "}\n");
}

/* Those of candidates as well: each can be uncommented as it is. */
static void write_roles(struct writer *w)
{
	const struct sheet *s = w->s;

	buffer_puts(&w->out, s->count ? "\nroles:\n" : "\nroles: {}\n");
	for (int candidates = 0; candidates < 2; candidates++)
		for (size_t i = 0; i < s->count; i++) {
			if (s->rows[i].candidate != (candidates == 1))
				continue;
			write_role(w, s->rows[i].from);
			write_role(w, s->rows[i].to);
		}
}

/* ---------------------------------------------------------------- rows */

/* "443-tcp" → "443", "any/icmp" → "icmp": the part of an id that tells the ports. */
static const char *id_ports(struct arena *arena, const struct drafted_row *row)
{
	const char *service = row->service_count ? row->services[0] : "ports";
	size_t length = strcspn(service, "/");

	if (str_starts(service, "any/"))
		return service + 4;
	return arena_strndup(arena, service, length);
}

static const char *id_of(struct arena *arena, const char *peer, const char *tail)
{
	const char *name = text_slug(arena, peer, ID_LONGEST - strlen(tail) - 1);

	return arena_printf(arena, "%s-%s", *name ? name : "row", tail);
}

/* The other end and the ports, within ID_LONGEST bytes. */
static const char *id_make(struct writer *w, const struct drafted_row *row)
{
	struct arena *arena = w->s->arena;
	bool outward = !role_is_placeholder(row->to) || role_is_placeholder(row->from);
	const char *peer = outward && row->to != role_this_host ? row->to : row->from;
	const char *ports = id_ports(arena, row), *first = id_of(arena, peer, ports), *id = first;

	while (name_claim(arena, &w->ids, id)->uses)
		id = id_of(arena, peer,
			   arena_printf(arena, "%s-%u", ports,
					++name_claim(arena, &w->ids, first)->uses));
	name_claim(arena, &w->ids, id)->uses = 1;
	return id;
}

static void write_comment(struct writer *w, const char *text)
{
	buffer_printf(&w->out, "  # %s\n", line_text(w->s->arena, text, 2 * TEXT_LONGEST));
}

static void write_section(struct writer *w, const struct drafted_row *row)
{
	if (!row->section || str_equal(row->section, w->section))
		return;
	buffer_printf(&w->out, "\n  # ---------------- %s\n",
		      line_text(w->s->arena, row->section, 120));
	w->section = row->section;
}

static void write_services(struct writer *w, const struct drafted_row *row)
{
	buffer_puts(&w->out, "[");
	for (size_t i = 0; i < row->service_count; i++)
		buffer_printf(&w->out, "%s%s", i ? ", " : "", row->services[i]);
	buffer_puts(&w->out, "]");
}

static void write_source(struct writer *w, const struct drafted_row *row)
{
	buffer_puts(&w->out, "source: {");
	if (row->section) {
		buffer_puts(&w->out, "section: ");
		write_quoted(w, row->section);
		buffer_puts(&w->out, ", ");
	}
	buffer_printf(&w->out, "line: %u}", row->line);
}

static void write_comments(struct writer *w, const struct drafted_row *row)
{
	if (row->condition)
		write_comment(
			w, arena_printf(w->s->arena, "only when: %s%s", row->condition,
					row->candidate ? "" : " (write it as a param and when:)"));
	for (size_t i = 0; i < row->note_count; i++)
		write_comment(w, row->notes[i]);
}

static void write_row(struct writer *w, const struct drafted_row *row)
{
	write_section(w, row);
	write_comments(w, row);
	buffer_printf(&w->out, "  - id: %s\n    from: %s\n    to: %s\n    ports: ",
		      name_value(id_make(w, row)), name_value(role_name(w, row->from)),
		      name_value(role_name(w, row->to)));
	write_services(w, row);
	if (!row->service_count && row->see) {
		buffer_puts(&w->out, "\n    see: ");
		write_quoted(w, row->see);
	}
	if (row->optional)
		buffer_puts(&w->out, "\n    optional: true");
	if (row->purpose && *row->purpose) {
		buffer_puts(&w->out, "\n    purpose: ");
		write_quoted(w, row->purpose);
	}
	if (row->remark) {
		buffer_puts(&w->out, "\n    note: ");
		write_quoted(w, row->remark);
	}
	buffer_puts(&w->out, "\n    ");
	write_source(w, row);
	buffer_puts(&w->out, "\n");
}

/* A line that is a row once its mark of a comment is gone. */
static void write_candidate(struct writer *w, const struct drafted_row *row)
{
	write_comments(w, row);
	buffer_printf(&w->out,
		      "  # - {id: %s, from: %s, to: %s, ports: ", name_value(id_make(w, row)),
		      name_value(role_name(w, row->from)), name_value(role_name(w, row->to)));
	write_services(w, row);
	if (!row->service_count && row->see) {
		buffer_puts(&w->out, ", see: ");
		write_quoted(w, row->see);
	}
	if (row->optional)
		buffer_puts(&w->out, ", optional: true");
	buffer_puts(&w->out, ", purpose: ");
	write_quoted(w, row->purpose ?: "");
	if (row->remark) {
		buffer_puts(&w->out, ", note: ");
		write_quoted(w, row->remark);
	}
	buffer_puts(&w->out, ", ");
	write_source(w, row);
	buffer_puts(&w->out, "}\n");
}

/* ---------------------------------------------------------------- the whole */

static void write_head(struct writer *w, const struct import_options *options, const char *document)
{
	struct arena *arena = w->s->arena;
	const char *base = strrchr(document, '/') ? strrchr(document, '/') + 1 : document;
	const char *name = options->name;
	const char *title = options->title;
	const char *dot = strrchr(base, '.');
	size_t stem = dot && dot > base ? (size_t)(dot - base) : strlen(base);

	title = title ?: w->s->page->title;
	title = title ?: w->s->first;
	if (!name)
		name = text_slug(arena, arena_strndup(arena, base, stem), ROLE_LONGEST);
	base = text_one_line(arena, text_tidy(arena, base, false));
	buffer_printf(
		&w->out,
		"# A draft, made by flowreeve import from %s: read every row against the document.\n"
		"# Name the roles, write conditions as params and `when`, review the comments;\n"
		"# then: flowreeve check FILE\n"
		"# retrieved: date and URL of the document\n"
		"apiVersion: flowreeve/v1\nkind: PortTable\nmetadata:\n  name: %s\n  title: ",
		base, name_value(*name ? name : "draft"));
	write_quoted(w, title ?: base);
	buffer_puts(&w->out, "\n  document: ");
	write_quoted(w, base);
	buffer_puts(&w->out, "\n");
}

static void write_unparsed(struct writer *w)
{
	const struct sheet *s = w->s;

	if (s->unparsed_count)
		buffer_puts(&w->out, "\n  # Text that was not understood:\n");
	for (size_t i = 0; i < s->unparsed_count; i++) {
		const struct unparsed *unparsed = &s->unparsed[i];
		const char *condition = unparsed->line <= s->page->lines
						? s->page->conditions[unparsed->line]
						: NULL;

		write_comment(w, arena_printf(s->arena, "line %u: %s%s: %s", unparsed->line,
					      unparsed->why,
					      arena_optional(s->arena, ", only when ", condition),
					      unparsed->text));
	}
}

void table_draft_write(struct sheet *s, const struct import_options *options,
		       struct table_draft *out)
{
	struct writer w = {.s = s, .out = {.arena = s->arena}};
	struct table_draft draft = {.unparsed = s->unparsed_count};

	for (size_t i = 0; i < s->count; i++) {
		draft.rows += !s->rows[i].candidate;
		draft.candidates += s->rows[i].candidate;
		draft.without_ports += !s->rows[i].candidate && !s->rows[i].service_count;
	}
	write_head(&w, options, s->page->source->name);
	write_roles(&w);
	buffer_puts(&w.out, draft.rows || draft.candidates ? "\nrows:\n" : "\nrows: []\n");
	for (size_t i = 0; i < s->count; i++)
		if (!s->rows[i].candidate)
			write_row(&w, &s->rows[i]);
	if (draft.candidates)
		buffer_puts(&w.out, "\n  # Ports in the text; check there which side opens:\n");
	for (size_t i = 0; i < s->count; i++)
		if (s->rows[i].candidate)
			write_candidate(&w, &s->rows[i]);
	write_unparsed(&w);
	draft.text = w.out.text;
	draft.size = w.out.size;
	*out = draft;
}
