/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A ruleset as one document that policy_load() reads (resolved.c): in one pass, with little memory
 * beside that of the largest rule. Lists of addresses that rules share are written once.
 */
#include <stdlib.h>
#include <string.h>

#include "../yaml/yaml.h"
#include "resolved.h"

_Static_assert(RESOLVED_BYTES_MAX == RESOLVED_SIZE_MAX, "what is written can be read");

/* A role with more members is written as a prefix set. */
enum { MEMBERS_INLINE = 8 };

struct writer {
	const struct ruleset *rs;
	struct arena *arena;
	bool places;
	resolved_visit visit;
	void *context;
	struct used_set *sets; /* those of the policy, then those of roles */
	size_t set_count, own_count;
	const struct used_set **by_list; /* the same, by the address of their list */
	/* the piece that is written */
	char *text;
	size_t size, capacity;
	const char *section, *group;
};

/* ---------------------------------------------------------------- text */

static void grow(struct writer *w, size_t size)
{
	w->capacity = 2 * (w->size + size);
	w->text = memory_resize(w->text, w->capacity);
}

static inline char *room(struct writer *w, size_t size)
{
	if (w->size + size > w->capacity)
		grow(w, size);
	return w->text + w->size;
}

static inline void add_bytes(struct writer *w, const char *text, size_t size)
{
	memcpy(room(w, size), text, size);
	w->size += size;
}

/* Inline: the length of a constant is one, and there are a dozen of them in each rule. */
static inline __attribute__((always_inline)) void add(struct writer *w, const char *text)
{
	add_bytes(w, text, strlen(text));
}

static void add_number(struct writer *w, uint32_t number)
{
	char digits[11];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + number % 10);
	while (number /= 10);
	add_bytes(w, digits + at, sizeof(digits) - at);
}

/* A word of a user, quoted where YAML needs it. */
static void add_word(struct writer *w, const char *word)
{
	add(w, yaml_text(w->arena, word));
}

static void add_pair(struct writer *w, const char *before, const char *key, const char *word)
{
	add(w, before);
	add(w, key);
	add(w, ": ");
	add_word(w, word);
}

/* Ends a piece: a whole number of lines. */
static void piece(struct writer *w, const char *name, const struct rule *rule)
{
	struct resolved_entry entry = {.section = w->section,
				       .group = w->group,
				       .name = name,
				       .rule = rule,
				       .text = w->text,
				       .size = w->size};

	w->visit(&entry, w->context);
	w->size = 0;
}

static void line(struct writer *w, const char *name)
{
	add(w, "\n");
	piece(w, name, NULL);
}

static void section_begin(struct writer *w, const char *section)
{
	w->section = section;
	w->group = NULL;
	add(w, section);
	add(w, ":\n");
	piece(w, NULL, NULL);
}

/* A key of the document with its value in the same line. */
static void add_key(struct writer *w, const char *key)
{
	w->section = key;
	w->group = NULL;
	add(w, key);
	add(w, ": ");
}

static void key_word(struct writer *w, const char *key, const char *word)
{
	add_key(w, key);
	add_word(w, word);
	line(w, key);
}

static void add_words(struct writer *w, struct word_list words)
{
	add(w, "[");
	for (size_t i = 0; i < words.count; i++) {
		add(w, i ? ", " : "");
		add_word(w, words.list[i]);
	}
	add(w, "]");
}

/* ---------------------------------------------------------------- peers and ports */

static int list_order(const void *a, const void *b)
{
	const struct used_set *x = *(const struct used_set *const *)a;
	const struct used_set *y = *(const struct used_set *const *)b;

	if (x->list != y->list)
		return x->list < y->list ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* The first set with this list; NULL: it is of nobody else. */
static const struct used_set *set_of(const struct writer *w, const struct prefix *list)
{
	size_t low = 0, high = list ? w->set_count : 0;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (w->by_list[middle]->list < list)
			low = middle + 1;
		else
			high = middle;
	}
	return list && low < w->set_count && w->by_list[low]->list == list ? w->by_list[low] : NULL;
}

static void sets_sort(struct writer *w)
{
	for (size_t i = 0; i < w->set_count; i++)
		w->by_list[i] = &w->sets[i];
	if (w->set_count > 1)
		qsort(w->by_list, w->set_count, sizeof(*w->by_list), list_order);
}

static bool set_is_named(const struct writer *w, const char *name)
{
	for (size_t i = 0; i < w->set_count; i++)
		if (str_equal(w->sets[i].name, name))
			return true;
	return false;
}

/* "aws-datasync/nfs-server"; a second use of the table has "aws-datasync/nfs-server/2". */
static const char *set_name(const struct writer *w, const char *table, const char *role)
{
	const char *plain = arena_printf(w->arena, "%s/%s", table, role), *name = plain;

	for (unsigned number = 2; set_is_named(w, name); number++)
		name = arena_printf(w->arena, "%s/%u", plain, number);
	return name;
}

static void sets_collect(struct writer *w)
{
	const struct ruleset *rs = w->rs;
	size_t most = rs->set_count;

	for (size_t i = 0; i < rs->table_count; i++)
		most += rs->tables[i].role_count;
	w->sets = arena_alloc(w->arena, (most + 1) * sizeof(*w->sets));
	w->by_list = arena_alloc(w->arena, (most + 1) * sizeof(*w->by_list));
	for (size_t i = 0; i < rs->set_count; i++)
		w->sets[w->set_count++] = rs->sets[i];
	w->own_count = w->set_count;
	sets_sort(w);
	for (size_t i = 0; i < rs->table_count; i++) {
		const struct used_table *table = &rs->tables[i];

		for (size_t j = 0; j < table->role_count; j++) {
			const struct used_role *role = &table->roles[j];

			if (role->member_count <= MEMBERS_INLINE || set_of(w, role->members))
				continue;
			w->sets[w->set_count++] =
				(struct used_set){.name = set_name(w, table->name, role->name),
						  .list = role->members,
						  .count = role->member_count};
			sets_sort(w);
		}
	}
}

struct written_peers {
	bool any, needs_local;
	const struct prefix *list;
	size_t count;
};

/* IPv6 in quotes: it may begin or end with a colon. */
static void add_prefix(struct writer *w, const struct prefix *prefix)
{
	const char *quote = prefix_is_v4(prefix) ? "" : "\"";

	add(w, quote);
	prefix_text(prefix, room(w, PREFIX_TEXT));
	w->size += strlen(w->text + w->size);
	add(w, quote);
}

static void add_prefixes(struct writer *w, const struct written_peers *peers)
{
	for (size_t i = 0; i < peers->count; i++) {
		if (i)
			add(w, ", ");
		add_prefix(w, &peers->list[i]);
	}
	if (peers->needs_local)
		add(w, peers->count ? ", local-subnet" : "local-subnet");
}

static void add_peers(struct writer *w, const struct written_peers *peers)
{
	const struct used_set *set = w->set_count ? set_of(w, peers->list) : NULL;

	if (peers->any) {
		add(w, "any");
		return;
	}
	add(w, "[");
	if (set)
		add_word(w, arena_printf(w->arena, "prefixes/%s", set->name));
	else
		add_prefixes(w, peers);
	add(w, "]");
}

static void add_services(struct writer *w, const struct rule *rule)
{
	for (uint32_t i = 0; i < rule->service_count; i++) {
		if (i)
			add(w, ", ");
		service_text(&rule->services[i], room(w, SERVICE_TEXT));
		w->size += strlen(w->text + w->size);
	}
}

/* ---------------------------------------------------------------- head */

/* False: the policy has none of this kind. */
static bool add_points(struct writer *w, int kind)
{
	const struct ruleset *rs = w->rs;
	bool follows = false;

	for (size_t i = 0; i < rs->attach_count; i++) {
		if (rs->attach[i].kind != kind)
			continue;
		if (!follows) {
			add(w, "  ");
			add(w, kind_keys[kind]);
		}
		add(w, follows ? ", " : ": [");
		add_word(w, rs->attach[i].name);
		follows = true;
	}
	return follows;
}

static void attach_write(struct writer *w)
{
	section_begin(w, "attach");
	for (int kind = 0; kind < FR_KINDS; kind++) {
		if (!add_points(w, kind))
			continue;
		add(w, "]");
		line(w, kind_keys[kind]);
	}
}

static void party_write(struct writer *w)
{
	const struct ruleset *rs = w->rs;

	if (!rs->party_count)
		return;
	add_key(w, "party");
	for (size_t i = 0; i < rs->party_count; i++) {
		add(w, i ? ", " : "[");
		add_words(w, (struct word_list){rs->parties[i].names, rs->parties[i].count});
	}
	add(w, "]");
	line(w, "party");
}

static void default_write(struct writer *w)
{
	add_key(w, "default");
	for (int dir = 0; dir < FR_DIRS; dir++)
		add_pair(w, dir ? ", " : "{", dir_names[dir],
			 action_name(w->rs->default_allow[dir]));
	add(w, "}");
	line(w, "default");
}

static void builtin_write(struct writer *w)
{
	add_key(w, "builtin");
	for (size_t i = 0; i < BUILTIN_COUNT; i++) {
		add(w, i ? ", " : "{");
		add(w, builtin_words[i]);
		add(w, w->rs->flags & builtin_flags[i] ? ": on" : ": off");
	}
	add(w, "}");
	line(w, "builtin");
}

/* Denied for guests only: the default, which no word says. */
static void non_ip_write(struct writer *w)
{
	const uint32_t both = FR_F_NONIP_DENY_IF | FR_F_NONIP_DENY_GUEST;
	uint32_t flags = w->rs->flags & both;

	if (flags == both)
		key_word(w, "non-ip", action_name(FR_DENY));
	else if (!flags)
		key_word(w, "non-ip", action_name(FR_ALLOW));
}

static void add_seconds(struct writer *w, enum fr_timeout timeout)
{
	add_number(w, w->rs->timeout[timeout]);
	add(w, "s");
}

static void timeouts_write(struct writer *w)
{
	add_key(w, "adopt");
	add_seconds(w, FR_TIMEOUT_ADOPT);
	line(w, "adopt");
	add_key(w, "timeouts");
	for (size_t i = 0; i < TIMEOUT_COUNT; i++) {
		add(w, i ? ", " : "{");
		add(w, timeout_words[i]);
		add(w, ": ");
		add_seconds(w, timeout_numbers[i]);
	}
	add(w, "}");
	line(w, "timeouts");
}

static void head_write(struct writer *w)
{
	const struct ruleset *rs = w->rs;

	w->section = "apiVersion";
	add(w, RESOLVED_HEAD);
	piece(w, NULL, NULL);
	add_key(w, "metadata");
	add_pair(w, "{", "name", rs->name);
	add(w, "}");
	line(w, "name");
	if (w->places) {
		add_key(w, "source");
		add_pair(w, "{", "file", rs->file ?: rs->source->name);
		add(w, "}");
		line(w, "source");
	}
	key_word(w, "mode", mode_name(rs->enforce));
	attach_write(w);
	party_write(w);
	default_write(w);
	builtin_write(w);
	key_word(w, "forwarded", rs->flags & FR_F_FORWARD_JUDGE ? "judge" : "pass");
	key_word(w, "ipsec", rs->flags & FR_F_IPSEC_JUDGE ? "judge" : "pass");
	non_ip_write(w);
	timeouts_write(w);
}

/* ---------------------------------------------------------------- tables and prefix sets */

static void optional_line(struct writer *w, const char *key, const char *text)
{
	if (!text)
		return;
	add_pair(w, "  ", key, text);
	line(w, key);
}

static void params_write(struct writer *w, const struct used_table *table)
{
	if (!table->param_count)
		return;
	add(w, "  set:\n");
	piece(w, NULL, NULL);
	for (size_t i = 0; i < table->param_count; i++) {
		add(w, "    ");
		add_word(w, table->params[i].name);
		add(w, ": ");
		add_words(w, table->params[i].values);
		line(w, arena_printf(w->arena, "set.%s", table->params[i].name));
	}
}

static void roles_write(struct writer *w, const struct used_table *table)
{
	if (!table->role_count)
		return;
	add(w, "  peers:\n");
	piece(w, NULL, NULL);
	for (size_t i = 0; i < table->role_count; i++) {
		const struct used_role *role = &table->roles[i];

		add(w, "    ");
		add_word(w, role->name);
		add(w, ": ");
		add_peers(w, &(struct written_peers){role->any, role->needs_local, role->members,
						     role->member_count});
		line(w, arena_printf(w->arena, "peers.%s", role->name));
	}
}

static void table_write(struct writer *w, const struct used_table *table)
{
	w->group = table->name;
	add_pair(w, "- ", "table", table->name);
	line(w, "table");
	optional_line(w, "edition", table->edition);
	optional_line(w, "title", table->title);
	optional_line(w, "document", table->document);
	optional_line(w, "url", table->url);
	optional_line(w, "read", table->read);
	if (w->places) {
		optional_line(w, "file", table->file);
		add(w, "  line: ");
		add_number(w, table->line);
		line(w, "line");
	}
	add(w, "  as: ");
	add_words(w, table->played);
	line(w, "as");
	params_write(w, table);
	roles_write(w, table);
}

/* A file is as old as its date, however often it is read. */
static void file_write(struct writer *w, const struct used_set *set)
{
	char date[DATE_TEXT];

	add_pair(w, "    ", "file", set->file);
	line(w, "file");
	if (set->dated) {
		add_pair(w, "    ", "dated", date_text(set->dated, date));
		line(w, "dated");
	}
	if (set->is_aws) {
		add_pair(w, "    ", "format", "aws");
		line(w, "format");
	}
}

static void set_write(struct writer *w, const struct used_set *set)
{
	char text[PREFIX_TEXT];

	w->group = set->name;
	add(w, "  ");
	add_word(w, set->name);
	add(w, ":\n");
	piece(w, NULL, NULL);
	if (set->file && w->places)
		file_write(w, set);
	add(w, "    addresses:\n");
	piece(w, NULL, NULL);
	for (size_t i = 0; i < set->count; i++) {
		prefix_text(&set->list[i], text);
		add(w, "    - ");
		add_prefix(w, &set->list[i]);
		line(w, text);
	}
}

static void sources_write(struct writer *w)
{
	if (w->rs->table_count)
		section_begin(w, "tables");
	for (size_t i = 0; i < w->rs->table_count; i++)
		table_write(w, &w->rs->tables[i]);
	if (w->set_count)
		section_begin(w, "prefixes");
	for (size_t i = 0; i < w->set_count; i++)
		set_write(w, &w->sets[i]);
}

/* ---------------------------------------------------------------- rules */

/* In braces on a line, or of a row key by key: `key` begins each. */
static inline __attribute__((always_inline)) void
match_write(struct writer *w, const struct rule *rule, const char *key)
{
	if (rule->action != FR_FAILSAFE_ALLOW || rule->dir != FR_INGRESS) {
		add(w, key);
		add(w, "direction: ");
		add(w, dir_names[rule->dir]);
	}
	add(w, key);
	add(w, "peer: ");
	add_peers(w, &(struct written_peers){rule->any_peer, rule->needs_local, rule->peers,
					     rule->peer_count});
	add(w, key);
	add(w, "ports: [");
	add_services(w, rule);
	add(w, "]");
	if (rule->action != FR_FAILSAFE_ALLOW) {
		add(w, key);
		add(w, "action: ");
		add(w, action_name(rule->action));
	}
	if (rule->staged)
		add_pair(w, key, "mode", mode_name(false));
	if (rule->answers != FR_ANSWERS_DEFAULT)
		add_pair(w, key, "answers", answers_names[rule->answers]);
	if (w->places && rule_line(rule)) {
		add(w, key);
		add(w, "line: ");
		add_number(w, rule_line(rule));
	}
}

static void add_optional(struct writer *w, const char *key, const char *name, const char *text)
{
	if (text)
		add_pair(w, key, name, text);
}

static void row_write(struct writer *w, const struct rule *rule)
{
	const struct origin *origin = rule->origin;
	static const char key[] = "\n  ";

	add_optional(w, key, "role", rule->role);
	add(w, key);
	add_pair(w, "row: {", "table", origin->table);
	add_optional(w, ", ", "row", origin->row);
	if (origin->line) {
		add(w, ", line: ");
		add_number(w, origin->line);
	}
	add_optional(w, ", ", "lines", origin->lines);
	add_optional(w, ", ", "from", origin->from);
	add_optional(w, ", ", "to", origin->to);
	add(w, origin->optional ? ", optional: on}" : "}");
	add_optional(w, key, "section", origin->section);
	add_optional(w, key, "note", origin->note);
	add_optional(w, key, "purpose", origin->purpose);
}

static void rule_write(struct writer *w, const struct rule *rule)
{
	const struct origin *origin = rule_origin(rule);

	if (origin->table) {
		add_pair(w, "- ", "id", rule->id);
		match_write(w, rule, "\n  ");
		row_write(w, rule);
	} else {
		add_pair(w, "- {", "id", rule->id);
		match_write(w, rule, ", ");
		add_optional(w, ", ", "purpose", origin->purpose);
		add(w, "}");
	}
	add(w, "\n");
	piece(w, rule->id, rule);
}

static void rules_write(struct writer *w, bool failsafe)
{
	const struct ruleset *rs = w->rs;
	size_t count = 0;

	for (size_t i = 0; i < rs->rule_count; i++) {
		if ((rs->rules[i].action == FR_FAILSAFE_ALLOW) != failsafe)
			continue;
		if (!count++)
			section_begin(w, failsafe ? "failsafe" : "rules");
		rule_write(w, &rs->rules[i]);
	}
	if (!failsafe || count)
		return;
	add_key(w, "failsafe");
	add(w, "[]");
	line(w, NULL);
}

void ruleset_write(const struct ruleset *rs, bool places, resolved_visit visit, void *context)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct writer w = {
		.rs = rs, .arena = arena, .places = places, .visit = visit, .context = context};

	sets_collect(&w);
	head_write(&w);
	sources_write(&w);
	rules_write(&w, false);
	rules_write(&w, true);
	free(w.text);
}
