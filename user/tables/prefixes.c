/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Named prefix sets: files of a CIDR per line, or AWS's ip-ranges.json narrowed to services and
 * regions. Read once, merged, shared by all rules that name them.
 */
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <string.h>

#include "table.h"

enum { SET_PREFIXES_MAX = 1 << 18, LIST_LINE_MAX = 512 };

static const char *const format_words[] = {"list", "aws"};
enum { FORMAT_LIST, FORMAT_AWS };

struct set_reader {
	struct job *job;
	struct prefix_set *set;
	struct source *source;
	size_t capacity;
	const struct node *service, *region; /* NULL: every one */
	struct index services, regions;	     /* words seen, for hints */
};

static bool refuse_prefix(struct job *job, struct loc loc, const char *text)
{
	struct advice advice = {NULL, NULL, NULL};

	if (!diags_full(job->d))
		advice = peer_advice(job->arena, text);
	diag_error(job->d, loc, -EINVAL, "bad-address", advice.hint,
		   "'%.80s' is not an address or a prefix%s", text,
		   arena_optional(job->arena, ": ", advice.message));
	return false;
}

static bool append_set(struct set_reader *r, struct loc loc, const char *text)
{
	struct prefix_set *set = r->set;
	struct prefix prefix;

	switch (prefix_parse(text, &prefix)) {
	case NET_OK:
		break;
	case NET_HOST_BITS:
		return refuse_host_bits(r->job, loc, text);
	default:
		return refuse_prefix(r->job, loc, text);
	}
	set->list =
		arena_grow(r->job->arena, set->list, set->count, &r->capacity, sizeof(*set->list));
	set->list[set->count++] = prefix;
	return true;
}

/* ---------------------------------------------------------------- one CIDR per line */

/* The first date of a comment before the prefixes is that of the list. */
static void list_date(struct set_reader *r, const char *comment, size_t size)
{
	char text[LIST_LINE_MAX];
	bool inside = false; /* of a longer number */

	if (r->set->dated || r->set->count)
		return;
	size = size < sizeof(text) ? size : sizeof(text) - 1;
	memcpy(text, comment, size);
	text[size] = '\0';
	for (const char *at = text; *at; at++) {
		if (!inside && date_begins(at, &r->set->dated))
			return;
		inside = *at >= '0' && *at <= '9';
	}
}

static bool list_line(struct set_reader *r, const char *line, size_t size, uint32_t number)
{
	const char *comment = memchr(line, '#', size);
	struct loc loc = {.source = r->source, .line = number, .column = 1};
	char text[LIST_LINE_MAX];
	size_t begin = 0;

	if (comment) {
		list_date(r, comment, size - (size_t)(comment - line));
		size = (size_t)(comment - line);
	}
	while (size && strchr(" \t\r", line[size - 1]))
		size--;
	while (begin < size && strchr(" \t", line[begin]))
		begin++;
	if (begin == size)
		return true;
	if (size - begin >= sizeof(text))
		size = begin + sizeof(text) - 1;
	memcpy(text, line + begin, size - begin);
	text[size - begin] = '\0';
	loc.column = (uint32_t)begin + 1;
	loc.length = (uint32_t)(size - begin);
	return append_set(r, loc, text);
}

static bool list_read(struct set_reader *r)
{
	const char *at = r->source->text, *end = at + r->source->size;
	uint32_t number = 1;
	bool good = true;

	for (; at < end; number++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		if (!stop)
			stop = end;
		good &= list_line(r, at, (size_t)(stop - at), number);
		at = stop + 1;
	}
	return good;
}

/* ---------------------------------------------------------------- AWS ip-ranges.json */

static bool word_wanted(const struct node *wanted, const char *word)
{
	const struct node *item;

	if (!wanted)
		return true;
	for_items(item, wanted) if (strcasecmp(item->text, word) == 0) return true;
	return false;
}

static void word_seen(struct set_reader *r, struct index *seen, const char *word)
{
	if (!index_get(seen, word)) {
		word = arena_strdup(r->job->arena, word);
		index_insert(seen, word, word);
	}
}

static bool aws_entry(struct set_reader *r, const json_t *entry, const char *key)
{
	const char *prefix = json_string_value(json_object_get(entry, key));
	const char *service = json_string_value(json_object_get(entry, "service"));
	const char *region = json_string_value(json_object_get(entry, "region"));

	if (!prefix || !service || !region) {
		diag_error(r->job->d, (struct loc){.source = r->source}, -EINVAL, "bad-prefixes",
			   NULL, "an entry lacks '%s', 'service' or 'region'", key);
		return false;
	}
	word_seen(r, &r->services, service);
	word_seen(r, &r->regions, region);
	if (!word_wanted(r->service, service) || !word_wanted(r->region, region))
		return true;
	return append_set(r, (struct loc){.source = r->source}, prefix);
}

static bool aws_entries(struct set_reader *r, const json_t *root, const char *list, const char *key)
{
	const json_t *entries = json_object_get(root, list), *entry;
	size_t i;

	if (!entries)
		return true;
	json_array_foreach (entries, i, entry)
		if (!aws_entry(r, entry, key))
			return false;
	return true;
}

/* "syncToken": seconds of the epoch as text; "createDate": "2023-11-14-22-13-20". */
static uint64_t aws_date(const json_t *root)
{
	const json_t *token = json_object_get(root, "syncToken");
	const char *text = json_string_value(token);
	const char *created = json_string_value(json_object_get(root, "createDate"));
	uint64_t seconds = 0;

	if (created && date_begins(created, &seconds))
		return seconds;
	if (json_is_integer(token) && json_integer_value(token) > 0)
		return (uint64_t)json_integer_value(token);
	return text && !parse_u64(text, UINT32_MAX, &seconds) ? seconds : 0;
}

static bool aws_read(struct set_reader *r)
{
	json_error_t error;
	json_t *root = json_loadb(r->source->text, r->source->size, 0, &error);
	bool good;

	if (!root) {
		struct loc loc = {.source = r->source, .column = 1, .length = 1};

		if (error.line > 0)
			loc.line = (uint32_t)error.line;
		if (error.column > 0)
			loc.column = (uint32_t)error.column;
		diag_error(r->job->d, loc, -EINVAL, "bad-json", NULL, "not JSON: %s", error.text);
		return false;
	}
	good = json_is_array(json_object_get(root, "prefixes"));
	if (!good)
		diag_error(r->job->d, (struct loc){.source = r->source}, -EINVAL, "bad-prefixes",
			   "https://ip-ranges.amazonaws.com/ip-ranges.json",
			   "not in AWS's format: there is no list 'prefixes'");
	good = good && aws_entries(r, root, "prefixes", "ip_prefix") &&
	       aws_entries(r, root, "ipv6_prefixes", "ipv6_prefix");
	r->set->dated = aws_date(root);
	json_decref(root);
	return good;
}

/* ---------------------------------------------------------------- the declaration */

static char *path_beside(struct arena *arena, const char *policy_path, const char *file)
{
	const char *slash = strrchr(policy_path, '/');

	if (file[0] == '/' || !slash)
		return arena_strdup(arena, file);
	return arena_printf(arena, "%.*s/%s", (int)(slash - policy_path), policy_path, file);
}

static bool filter_parse(struct job *job, const struct node *node, const char *key,
			 const struct node **out)
{
	const struct node *filter = map_get(node, key), *item;
	const char *what = arena_printf(job->arena, "'%s'", key);

	if (!filter)
		return true;
	if (!want_items(job->d, filter, what))
		return false;
	for_items(item, filter) if (!want_text(job->d, item, what)) return false;
	*out = filter;
	return true;
}

static const char *hint_seen(struct set_reader *r, const struct node *wanted,
			     const struct index *seen, const char *word_kind)
{
	const struct node *item;

	if (!wanted)
		return NULL;
	for_items(item, wanted)
	{
		const char *near;

		if (index_get(seen, item->text))
			continue;
		near = nearest_word(item->text, index_names(r->job->arena, seen), seen->count);
		return near ? arena_printf(r->job->arena, "%s: did you mean '%s'?", word_kind, near)
			    : arena_printf(r->job->arena, "the file has no %s '%.80s'", word_kind,
					   item->text);
	}
	return NULL;
}

static void set_end(struct set_reader *r, const struct node *node)
{
	struct prefix_set *set = r->set;
	const char *hint;

	set->count = prefixes_normalise(set->list, set->count, true);
	if (set->count > SET_PREFIXES_MAX)
		diag_error(r->job->d, set->loc, -E2BIG, "too-many-prefixes", NULL,
			   "prefix set '%s' has %zu prefixes; %d is the most", set->name,
			   set->count, SET_PREFIXES_MAX);
	else if (set->count)
		set->broken = false;
	if (set->count)
		return;
	hint = hint_seen(r, r->service, &r->services, "service");
	if (!hint)
		hint = hint_seen(r, r->region, &r->regions, "region");
	diag_error(r->job->d, node->loc, -EINVAL, "empty-prefixes", hint,
		   "prefix set '%s' has no prefix: nothing in '%s' matches", set->name,
		   r->source->name);
}

static bool file_read(struct set_reader *r, const struct node *file, const char *policy_path)
{
	const char *path = path_beside(r->job->arena, policy_path, file->text);
	int err = source_read(r->job->arena, path, DOC_BYTES_MAX, &r->source);

	if (err)
		diag_error(r->job->d, file->loc, err, "file-unreadable", NULL,
			   "'%s' cannot be read: %s", path,
			   err == -EINVAL ? "not a regular file" : error_text(err));
	return !err;
}

/* ---------------------------------------------------------------- its age */

unsigned prefixes_old_days(uint64_t dated, uint64_t now)
{
	uint64_t days = dated && now > dated ? (now - dated) / 86400 : 0;

	return days > PREFIXES_OLD ? (unsigned)days : 0;
}

const char *prefixes_renewal(struct arena *arena, const char *path, bool aws)
{
	if (!aws)
		return "renew it; a date in a comment before its prefixes is its age: "
		       "# 2026-11-21";
	return arena_printf(arena, "curl -o %s https://ip-ranges.amazonaws.com/ip-ranges.json",
			    shell_word(arena, path));
}

static void check_age(struct job *job, const struct node *file, const struct prefix_set *set)
{
	unsigned days = prefixes_old_days(set->dated, job->options->now);

	if (days && !set->file_again)
		diag_warning(job->d, file->loc, "prefixes-old",
			     prefixes_renewal(job->arena, set->file, set->is_aws),
			     "the prefixes of '%s' are %u days old; more than %d is old", set->file,
			     days, PREFIXES_OLD);
}

static void set_read(struct job *job, const struct node *node, const char *policy_path,
		     struct prefix_set *set)
{
	static const char *const keys[] = {"file", "format", "service", "region"};
	struct set_reader r = {.job = job, .set = set};
	const struct node *file, *format;
	int word = FORMAT_LIST;

	r.services.arena = r.regions.arena = job->arena;
	if (!want_keys(job->d, node, "a prefix set", keys, ARRAY_SIZE(keys)))
		return;
	format = map_get(node, "format");
	if (format)
		word = want_word(job->d, format, "'format'", format_words,
				 ARRAY_SIZE(format_words));
	file = map_need(job->d, node, "a prefix set", "file");
	if (word < 0 || !file || !want_text(job->d, file, "'file'"))
		return;
	if (!filter_parse(job, node, "service", &r.service) ||
	    !filter_parse(job, node, "region", &r.region))
		return;
	if (word == FORMAT_LIST && (r.service || r.region)) {
		diag_error(job->d, format ? format->loc : node->loc, -EINVAL, "bad-prefixes",
			   "format: aws", "a plain list has neither services nor regions");
		return;
	}
	if (!file_read(&r, file, policy_path))
		return;
	set->file = r.source->name;
	set->is_aws = word == FORMAT_AWS;
	if (!(set->is_aws ? aws_read(&r) : list_read(&r)))
		return;
	set_end(&r, node);
	if (!set->dated)
		set->dated = r.source->modified;
}

static bool is_read_before(const struct prefix_sets *sets, const struct prefix_set *set)
{
	for (const struct prefix_set *at = sets->list; at < set; at++)
		if (str_equal(at->file, set->file))
			return true;
	return false;
}

void prefix_sets_parse(struct job *job, const struct node *node, const char *policy_path,
		       struct prefix_sets *out)
{
	const struct node *value;
	size_t count = 0;

	out->by_name.arena = job->arena;
	if (!node || !want_map(job->d, node, "'prefixes'"))
		return;
	for_children(value, node) count++;
	out->list = arena_alloc(job->arena, count * sizeof(*out->list));
	for_children(value, node)
	{
		struct prefix_set *set = &out->list[out->count++];

		set->name = value->key->text;
		set->loc = value->key->loc;
		set->broken = true;
		want_key_name(job->d, value->key, "prefix set", &set->name);
		set_read(job, value, policy_path, set);
		set->file_again = is_read_before(out, set);
		if (set->file)
			check_age(job, map_get(value, "file"), set);
		index_insert(&out->by_name, set->name, set);
	}
}
