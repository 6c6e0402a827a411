/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parsing one long list of rules is the main cost of a large policy. So the text is cut where
 * items of that list seem to begin, and the parts are parsed in parallel: the first item with
 * everything before the list, the last item with everything after it, and parts of items only,
 * mostly by the fast path of yaml_read_items(). A cut was right if the part before it, parsed
 * alone, ends with the list still open. If any part fails, the file is parsed again serially, so
 * that diagnostics do not depend on its size.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "resolved.h"

enum { PARTS_MAX = 16, PART_BYTES = 128 << 10, READERS_MAX = 8 };
enum { RULE_BYTES = 32 }; /* no rule is written in fewer: five keys and their values */

static const char list_key[] = "rules";
static const char list_line[] = "rules:\n"; /* before every part but the first */

struct part {
	struct rule *rules; /* where its rules go in the array of all */
	size_t room;
	struct diags d;
	struct job job;
	struct draft own;
	struct rule_sink sink;
	struct yaml_reader reader;
	struct node *root;
	int err;
	bool simple; /* nothing but items, and all of them taken */
};

struct parts {
	struct part list[PARTS_MAX];
	size_t count;
	struct rule *rules; /* of all parts */
	size_t room;
	size_t first, last, indent; /* of the list: where its items are, and how far in */
	atomic_size_t next;	    /* the part that the next reader takes */
};

/* ---------------------------------------------------------------- where to cut */

static size_t line_next(const struct source *source, size_t at)
{
	const char *end = memchr(source->text + at, '\n', source->size - at);

	return end ? (size_t)(end - source->text) + 1 : source->size;
}

/* Nothing, or a comment. */
static bool line_is_empty(const struct source *source, size_t at)
{
	at += strspn(source->text + at, " \r");
	return at >= source->size || source->text[at] == '\n' || source->text[at] == '#';
}

static bool line_is_item(const struct source *source, size_t at, size_t indent)
{
	const char *text = source->text + at;

	return strspn(text, " ") == indent && text[indent] == '-' &&
	       (text[indent + 1] == ' ' || text[indent + 1] == '\n');
}

static bool list_find(const struct source *source, struct parts *parts)
{
	const char *text = source->text;
	const char *key = str_starts(text, "rules:") ? text : strstr(text, "\nrules:");
	size_t at;

	if (!key)
		return false;
	at = (size_t)(key - text) + strlen("rules:") + (*key == '\n');
	if (!line_is_empty(source, at))
		return false;
	do
		at = line_next(source, at);
	while (at < source->size && line_is_empty(source, at));
	parts->first = at;
	parts->indent = strspn(text + at, " ");
	for (; at < source->size && strchr(" #-\r\n", text[at]); at = line_next(source, at))
		if (line_is_item(source, at, parts->indent))
			parts->last = at;
	return line_is_item(source, parts->first, parts->indent);
}

/* From a line on. */
static size_t item_find(const struct source *source, const struct parts *parts, size_t at)
{
	while (at < parts->last && !line_is_item(source, at, parts->indent))
		at = line_next(source, at);
	return at;
}

static void part_cut(struct parts *parts, size_t begin, size_t end)
{
	struct part *part = &parts->list[parts->count];

	if (begin >= end)
		return;
	part->reader.begin = begin;
	part->reader.end = end;
	parts->count++;
}

/* Those of nothing but items are of much the same size. */
static bool parts_cut(const struct source *source, struct parts *parts)
{
	size_t wanted, begin, at, room;

	if (source->size < 2 * PART_BYTES || !list_find(source, parts))
		return false;
	begin = at = item_find(source, parts, line_next(source, parts->first));
	if (parts->last <= begin)
		return false;
	room = parts->last - begin;
	wanted = room / PART_BYTES + 1;
	wanted = wanted < PARTS_MAX - 2 ? wanted : PARTS_MAX - 2;
	part_cut(parts, 0, begin);
	for (size_t i = 1; i <= wanted; i++) {
		size_t next = line_next(source, begin + room / wanted * i);

		next = i < wanted ? item_find(source, parts, next) : parts->last;
		part_cut(parts, at, next);
		at = next;
	}
	part_cut(parts, at, source->size);
	return true;
}

/* ---------------------------------------------------------------- one part */

/* All parts write to one array, each at an offset that leaves room for the most rules its text
 * can hold. Pages that no part reaches are not touched and cost nothing. */
static void rules_share(struct parts *parts, struct draft *draft)
{
	for (size_t i = 0; i < parts->count; i++) {
		struct part *part = &parts->list[i];

		part->room = (part->reader.end - part->reader.begin) / RULE_BYTES + 1;
		parts->room += part->room;
	}
	parts->rules = arena_alloc(draft->rule_arena, parts->room * sizeof(*parts->rules));
	for (size_t i = 0, at = 0; i < parts->count; at += parts->list[i++].room)
		parts->list[i].rules = parts->rules + at;
	draft->rs->rules = parts->rules;
	draft->rule_capacity = parts->list[0].room;
}

static void part_draft(struct part *part, const struct source *source, const char *path)
{
	struct draft *own = &part->own;

	draft_begin(&part->job, source, path, own);
	own->ids_unchecked = true;
	own->resolved = source_is_resolved(source);
	own->rule_capacity = part->room;
	own->rs->rules = part->rules;
}

static void part_begin(struct part *part, const struct job *job, const struct source *source,
		       struct arena *nodes, struct draft *draft)
{
	bool first = !part->reader.begin;
	struct arena *arena = first ? job->arena : arena_new();

	part->d = (struct diags){.arena = arena};
	part->job = (struct job){.d = &part->d, .arena = arena, .options = job->options};
	part->sink = (struct rule_sink){&part->job, first ? draft : &part->own};
	if (!first) {
		part_draft(part, source, draft->path);
		part->reader.before = list_line;
	}
	part->reader.source = source;
	part->reader.nodes = first ? nodes : arena_new();
	part->reader.list_key = list_key;
	part->reader.on_item = rule_sink_add;
	part->reader.context = &part->sink;
	part->reader.items = arena_new();
}

/* ---------------------------------------------------------------- readers */

static bool part_is_simple(const struct parts *parts, struct part *part)
{
	if (part == &parts->list[0] || part == &parts->list[parts->count - 1])
		return false;
	if (yaml_read_items(&part->reader, parts->indent))
		return true;
	part_draft(part, part->reader.source, part->own.path);
	return false;
}

/* There are more parts than readers, so that a slow processor gets fewer. */
static void *reader_run(void *context)
{
	struct parts *parts = context;
	size_t number;

	while ((number = atomic_fetch_add(&parts->next, 1)) < parts->count) {
		struct part *part = &parts->list[number];

		part->simple = part_is_simple(parts, part);
		if (!part->simple)
			part->err = yaml_read(&part->reader, &part->d, &part->root);
	}
	return NULL;
}

/* One reader for each processor, or fewer if no thread can be created. */
static void parts_read(struct parts *parts)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t readers[READERS_MAX];
	int count = 0;

	while (count + 1 < processors && count < READERS_MAX &&
	       !pthread_create(&readers[count], NULL, reader_run, parts))
		count++;
	reader_run(parts);
	while (count)
		pthread_join(readers[--count], NULL);
}

/* ---------------------------------------------------------------- all of them */

/* All rules were accepted; every part but the last one ends with the list still open. */
static bool part_fits(const struct parts *parts, size_t number)
{
	const struct part *part = &parts->list[number];
	const struct node *list;

	/* Its rules did not fit into its room. */
	if (part->sink.draft->rs->rules != part->rules)
		return false;
	if (part->simple)
		return true;
	if (part->err || part->d.count || part->root->kind != NODE_MAP)
		return false;
	list = map_get(part->root, list_key);
	if (!list || list->kind != NODE_LIST || list->first)
		return false;
	if (!number && list->loc.column != parts->indent + 1)
		return false;
	return number + 1 == parts->count || (!list->next && !part->reader.ended);
}

/* The keys after the list are in the last part, and must not be in the first one too. */
static bool keys_differ(const struct parts *parts)
{
	const struct node *value = parts->list[parts->count - 1].root->first;

	for (value = value->next; value; value = value->next)
		if (map_get(parts->list[0].root, value->key->text))
			return false;
	return true;
}

static bool parts_fit(const struct parts *parts, size_t values_max)
{
	size_t values = 0;

	for (size_t i = 0; i < parts->count; i++) {
		if (!part_fits(parts, i))
			return false;
		values += parts->list[i].reader.values;
	}
	return values <= values_max && keys_differ(parts);
}

static void lines_move(struct node *node, uint32_t lines)
{
	struct node *child;

	node->loc.line += lines;
	if (node->key)
		node->key->loc.line += lines;
	if (node->kind != NODE_SCALAR)
		for_children(child, node) lines_move(child, lines);
}

/* Rules and keys of a later part go to the first; its line numbers count one extra line
 * before it. */
static void part_join(struct part *first, struct part *part, uint32_t lines)
{
	const struct ruleset *rs = part->own.rs;
	struct node **tail = &first->root->first, *value;

	for (size_t i = 0; i < rs->rule_count; i++) {
		rs->rules[i].loc.line += lines - 1;
		draft_add(&first->job, first->sink.draft, rs->rules[i], false);
	}
	while (*tail)
		tail = &(*tail)->next;
	*tail = part->simple ? NULL : part->root->first->next;
	for (value = *tail; value; value = value->next)
		lines_move(value, lines - 1);
}

static void ids_reserve(struct parts *parts)
{
	struct draft *draft = parts->list[0].sink.draft;
	size_t rules[FR_DIRS] = {0};

	for (size_t i = 0; i < parts->count; i++) {
		const struct ruleset *rs = parts->list[i].sink.draft->rs;

		for (size_t r = 0; r < rs->rule_count; r++)
			rules[rs->rules[r].dir]++;
	}
	for (int dir = 0; dir < FR_DIRS; dir++)
		if (rules[dir])
			index_reserve(&draft->ids[dir], rules[dir]);
}

static bool parts_join(struct parts *parts)
{
	struct part *first = &parts->list[0];
	uint32_t lines = first->reader.lines;

	if (!parts_fit(parts, source_nodes_max(first->reader.source)))
		return false;
	first->sink.draft->rule_capacity = parts->room;
	ids_reserve(parts);
	for (size_t i = 1; i < parts->count; i++) {
		part_join(first, &parts->list[i], lines);
		lines += parts->list[i].reader.lines - 1;
	}
	memory_forget(parts->rules + first->sink.draft->rs->rule_count,
		      (parts->room - first->sink.draft->rs->rule_count) * sizeof(*parts->rules));
	return !first->d.count;
}

/* Keep the memory of all rules and keys as a serial parse would. */
static void parts_end(struct parts *parts, struct arena *arena, struct arena *nodes)
{
	for (size_t i = 0; i < parts->count; i++) {
		struct part *part = &parts->list[i];

		arena_free(part->reader.items);
		if (!part->reader.begin)
			continue;
		arena_adopt(arena, part->job.arena);
		arena_adopt(nodes, part->reader.nodes);
	}
}

bool read_in_parallel(struct job *job, const struct source *source, struct arena *nodes,
		      struct draft *draft, struct node **root)
{
	struct parts parts = {0};
	bool good;

	if (!parts_cut(source, &parts))
		return false;
	rules_share(&parts, draft);
	for (size_t i = 0; i < parts.count; i++)
		part_begin(&parts.list[i], job, source, nodes, draft);
	parts_read(&parts);
	good = parts_join(&parts);
	*root = parts.list[0].root;
	parts_end(&parts, job->arena, nodes);
	if (!good) {
		memory_forget(parts.rules, parts.room * sizeof(*parts.rules));
		draft_begin(job, source, draft->path, draft);
		draft->resolved = source_is_resolved(source);
	}
	return good;
}
