/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The proposals of learn: a unified diff of the policy's file for patch and git, and the purpose
 * of each change in words.
 */
#include <string.h>

#include "print.h"

enum { CONTEXT = 3 };

/* ---------------------------------------------------------------- the diff */

/* A line of the old text and what it becomes: itself, or several. */
struct line {
	const char *text;
	size_t length; /* with its end */
	const char *becomes;
	size_t becomes_length; /* 0: as it is */
};

struct lines {
	struct arena *arena;
	struct line *list;
	size_t count, capacity;
};

static size_t line_length(const char *text, size_t size)
{
	const char *end = memchr(text, '\n', size);

	return end ? (size_t)(end - text) + 1 : size;
}

/* The end of the insertions into a line, from the first that is not in an earlier one. An
 * insertion at the end of the text belongs to the last line. */
static size_t insertions_end(const struct edit *edit, size_t first, size_t end)
{
	while (first < edit->count && (edit->list[first].at < end || end == edit->source->size))
		first++;
	return first;
}

static void line_append(struct arena *arena, const struct edit *edit, size_t first, size_t last,
			struct line *line)
{
	const char *from = line->text, *end = line->text + line->length;
	size_t size = line->length;
	char *out;

	for (size_t i = first; i < last; i++)
		size += strlen(edit->list[i].text);
	line->becomes = out = arena_alloc(arena, size + 1);
	line->becomes_length = size;
	for (size_t i = first; i < last; i++) {
		const char *at = edit->source->text + edit->list[i].at;

		memcpy(out, from, (size_t)(at - from));
		out = stpcpy(out + (at - from), edit->list[i].text);
		from = at;
	}
	memcpy(out, from, (size_t)(end - from));
}

static void lines_collect(struct lines *lines, const struct edit *edit)
{
	size_t insertion = 0;

	for (size_t at = 0; at < edit->source->size;) {
		size_t length = line_length(edit->source->text + at, edit->source->size - at);
		size_t end = insertions_end(edit, insertion, at + length);
		struct line line = {edit->source->text + at, length, NULL, 0};

		if (end > insertion)
			line_append(lines->arena, edit, insertion, end, &line);
		insertion = end;
		lines->list = arena_grow(lines->arena, lines->list, lines->count, &lines->capacity,
					 sizeof(*lines->list));
		lines->list[lines->count++] = line;
		at += length;
	}
}

static size_t lines_in(const char *text, size_t size)
{
	size_t count = 0;

	for (size_t at = 0; at < size; count++)
		at += line_length(text + at, size - at);
	return count;
}

static void print_lines(FILE *out, char mark, const char *text, size_t size)
{
	for (size_t at = 0; at < size;) {
		size_t length = line_length(text + at, size - at);

		fputc(mark, out);
		fwrite(text + at, 1, length, out);
		if (text[at + length - 1] != '\n')
			fputs("\n\\ No newline at end of file\n", out);
		at += length;
	}
}

/* Length of the unchanged part: the line itself when new lines only follow it, else 0. */
static size_t kept_length(const struct line *line)
{
	bool kept = line->becomes_length > line->length &&
		    !memcmp(line->text, line->becomes, line->length) &&
		    line->text[line->length - 1] == '\n';

	return kept ? line->length : 0;
}

static void print_line(FILE *out, const struct line *line)
{
	size_t kept = kept_length(line);

	if (!line->becomes) {
		print_lines(out, ' ', line->text, line->length);
		return;
	}
	print_lines(out, kept ? ' ' : '-', line->text, line->length);
	print_lines(out, '+', line->becomes + kept, line->becomes_length - kept);
}

static size_t lines_added(const struct line *line)
{
	return line->becomes ? lines_in(line->becomes, line->becomes_length) - 1 : 0;
}

static void print_hunk(FILE *out, const struct lines *lines, size_t first, size_t end, size_t moved)
{
	size_t added = 0;

	for (size_t i = first; i < end; i++)
		added += lines_added(&lines->list[i]);
	fprintf(out, "@@ -%zu,%zu +%zu,%zu @@\n", first + 1, end - first, first + 1 + moved,
		end - first + added);
	for (size_t i = first; i < end; i++)
		print_line(out, &lines->list[i]);
}

static void print_hunks(FILE *out, const struct lines *lines)
{
	size_t end = 0, moved = 0;

	for (size_t i = 0; i<lines->count; i = end> i ? end : i + 1) {
		size_t first, last = i;

		if (!lines->list[i].becomes)
			continue;
		for (size_t j = i + 1; j < lines->count && j <= last + 2 * CONTEXT; j++)
			if (lines->list[j].becomes)
				last = j;
		first = i > CONTEXT ? i - CONTEXT : 0;
		first = first < end ? end : first;
		end = last + CONTEXT + 1 < lines->count ? last + CONTEXT + 1 : lines->count;
		print_hunk(out, lines, first, end, moved);
		for (size_t j = first; j < end; j++)
			moved += lines_added(&lines->list[j]);
	}
}

/* A tab says where a name with blanks ends. */
static void print_name(FILE *out, const char *mark, const char *name)
{
	fputs(mark, out);
	print_clean(out, name);
	fputs(strchr(name, ' ') ? "\t\n" : "\n", out);
}

static void print_diff(FILE *out, struct arena *arena, const struct edit *edit)
{
	struct lines lines = {.arena = arena};
	const char *name = edit->source->name;

	if (!edit->count)
		return;
	/* No patch takes a path from the root: it is applied where the file is. */
	if (*name == '/')
		name = strrchr(name, '/') + 1;
	lines_collect(&lines, edit);
	print_name(out, "--- a/", name);
	print_name(out, "+++ b/", name);
	print_hunks(out, &lines);
}

/* ---------------------------------------------------------------- in words */

static const char *service_words(const struct tuple *tuple, char out[CLEAN_TEXT])
{
	char proto[FIGURE_TEXT];

	proto_text(tuple->proto, proto);
	if (proto_has_ports(tuple->proto))
		snprintf(out, CLEAN_TEXT, "%u/%s", tuple->port, proto);
	else if (proto_is_any_icmp(tuple->proto))
		snprintf(out, CLEAN_TEXT, "%s type %u", proto, tuple->port >> 8);
	else
		snprintf(out, CLEAN_TEXT, "%s", proto);
	return out;
}

/* The roles that the peer may play, for the reader to choose. */
static void print_fits(FILE *out, const struct proposal *proposal)
{
	bool far = proposal->fit_count == 1 && !proposal->near;
	bool v4 = addr_is_v4(&proposal->tuple.peer);

	for (size_t i = 0; i < proposal->fit_count; i++) {
		const struct rule *rule = proposal->fits[i];

		fprintf(out, "%speers.%s of %s", i ? ", " : "; it fits ", rule->role,
			rule_origin(rule)->table);
	}
	if (far)
		fprintf(out, ", which has no peer of its %s", v4 ? "/24" : "/64");
}

static void print_proposal(FILE *out, const struct proposal *proposal)
{
	char peer[64], service[CLEAN_TEXT];

	fprintf(out, "%s %s %s: ", dir_name(proposal->tuple.dir),
		endpoint_text(proposal->tuple.peer.b, 0, false, peer),
		service_words(&proposal->tuple, service));
	switch (proposal->kind) {
	case PROPOSAL_PEER:
		fprintf(out, "%s joins peers.%s, by row %s", proposal->address, proposal->role,
			proposal->rule);
		break;
	case PROPOSAL_RULE:
		fprintf(out, "rule %s", proposal->rule);
		print_fits(out, proposal);
		break;
	default:
		fprintf(out, "nothing is proposed: %s", proposal->why);
	}
	fputc('\n', out);
	for (size_t i = 0; i < proposal->gain_count; i++)
		fprintf(out, "%s%s", i ? ", " : "  which also allows it: ", proposal->gains[i]);
	if (proposal->gain_count)
		fputc('\n', out);
}

void render_learn_summary(FILE *out, const struct learn_view *view)
{
	if (view->recorded)
		print_recorded(out, view->recorded);
	for (size_t i = 0; i < view->count; i++)
		print_proposal(out, &view->list[i]);
	if (!view->count)
		fprintf(out, "%s: no unexplained traffic was seen\n", view->policy);
	if (!view->edit->count)
		return;
	fputs("no file is changed yet: read the diff, then  patch ", out);
	print_clean(out, view->edit->source->name);
	fputs(" <it, check and apply\n", out);
}

/* ---------------------------------------------------------------- JSON */

static json_t *fit_json(const struct rule *rule)
{
	json_t *value = json_object();

	json_object_set_new(value, "table", json_words(rule_origin(rule)->table));
	json_object_set_new(value, "role", json_words(rule->role));
	json_object_set_new(value, "rule", json_words(rule->id));
	return value;
}

static json_t *proposal_json(const struct proposal *proposal)
{
	static const char *const kinds[] = {
		[PROPOSAL_NONE] = "none", [PROPOSAL_PEER] = "peer", [PROPOSAL_RULE] = "rule"};
	const struct tuple *tuple = &proposal->tuple;
	json_t *value = json_object(), *gains = json_array(), *fits = json_array();
	char text[64];

	for (size_t i = 0; i < proposal->fit_count; i++)
		json_array_append_new(fits, fit_json(proposal->fits[i]));
	for (size_t i = 0; i < proposal->gain_count; i++)
		json_array_append_new(gains, json_words(proposal->gains[i]));
	json_object_set_new(value, "direction", json_words(dir_name(tuple->dir)));
	json_object_set_new(value, "protocol", json_string(proto_text(tuple->proto, text)));
	json_object_set_new(value, "peer",
			    json_string(endpoint_text(tuple->peer.b, 0, false, text)));
	json_object_set_new(value, "port",
			    proto_has_ports(tuple->proto) ? json_count(tuple->port) : json_null());
	json_object_set_new(value, "seen", json_words(proposal->seen));
	json_object_set_new(value, "edit", json_string(kinds[proposal->kind]));
	json_object_set_new(value, "rule", json_words(proposal->rule));
	json_object_set_new(value, "role", json_words(proposal->role));
	json_object_set_new(value, "also_allows", gains);
	json_object_set_new(value, "fits", fits);
	json_object_set_new(value, "why", json_words(proposal->why));
	return value;
}

static json_t *diff_json(struct arena *arena, const struct edit *edit)
{
	char *text CLEANUP(free_ptr) = NULL;
	size_t size;
	FILE *memory = open_memstream(&text, &size);

	if (!memory)
		return json_null();
	print_diff(memory, arena, edit);
	fclose(memory);
	return json_words(text);
}

void render_learn(const struct render *r, struct arena *arena, const struct learn_view *view)
{
	json_t *document, *list;

	if (!r->json) {
		print_diff(r->out, arena, view->edit);
		return;
	}
	document = document_new("learn");
	list = json_array();
	for (size_t i = 0; i < view->count; i++)
		json_array_append_new(list, proposal_json(&view->list[i]));
	json_object_set_new(document, "policy", json_words(view->policy));
	if (view->window)
		json_object_set_new(document, "window", json_window(view->window));
	json_object_set_new(document, "recorded", json_recorded(view->recorded));
	json_object_set_new(document, "source", json_words(view->edit->source->name));
	json_object_set_new(document, "proposals", list);
	json_object_set_new(document, "diff", diff_json(arena, view->edit));
	document_print(r, document);
}
