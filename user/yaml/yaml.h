/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * yaml: a YAML document as nodes with their places, typed access to them, and edits of its text. A
 * wrong type, key or word queues exactly one diagnostic. Values are text; the caller parses them.
 * Explains broken text with net's advice on addresses and ports. Uses net and base. The only floor
 * that knows libyaml.
 */
#ifndef YAML_DOOR_H
#define YAML_DOOR_H

#include "../base/base.h"
#include "../net/net.h"

/* NODE_BROKEN: its error is queued already, and no further one is. */
enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP, NODE_BROKEN };

/* Of a value in a map: there are as many as values, so they are no nodes. */
struct key {
	struct loc loc;
	const char *text;
	/* The text of the file when it is no valid key; then `text` is the intended key, or the
	 * same. */
	const char *written;
};

struct node {
	struct loc loc;
	enum node_kind kind;
	bool plain;	    /* a scalar without quotes */
	const char *text;   /* scalar */
	struct node *first; /* list: its items; map: its values, each with its key */
	struct node *next;
	struct key *key;
};

/* Limits of a document; exceeding one is an error with its place. */
enum {
	DOC_BYTES_MAX = 16 << 20,
	DOC_DEPTH_MAX = 32,
	DOC_NODES_MAX = 4 << 20,
	/* of a resolved policy, which lists all that its files have */
	RESOLVED_SIZE_MAX = 64 << 20,
	RESOLVED_NODES_MAX = 16 << 20,
};
/* The beginning of a resolved policy, as this program writes it. */
#define RESOLVED_HEAD "apiVersion: flowreeve/v1\nkind: ResolvedPolicy\n"
bool source_is_resolved(const struct source *source);
size_t source_nodes_max(const struct source *source);

/* One YAML document of one regular file. 0, or -errno / -EINVAL with an error queued. */
int doc_load(const char *path, struct diags *d, struct node **out);
/* Reads a text, or a part of it, with the nodes in an arena of their own: once that arena is freed,
 * texts and places stay valid. */
struct yaml_reader {
	const struct source *source;
	struct arena *nodes;
	/* Read only these bytes, after lines that replace the text before them. Line numbers count
	 * those lines and then the lines of the part. */
	const char *before; /* or NULL */
	size_t begin, end;  /* end 0: all */
	/* Stream the items of the list under this key of the document (NULL: no list) to on_item.
	 * Accepted items are freed with their texts; from the first one that on_item declines
	 * (false), all items stay in the list. */
	const char *list_key;
	bool (*on_item)(const struct node *item, void *context);
	void *context;
	struct arena *items; /* scratch memory of one item; lives as long as `nodes` */
	/* Filled in: */
	uint32_t lines; /* complete lines, including those of `before` */
	size_t values;
	bool ended; /* the end of the document is written */
};
int yaml_read(struct yaml_reader *reader, struct diags *d, struct node **out);
/* Fast path for a part that holds only items of that list at this indentation, all of them simple
 * and accepted. False for any other part, valid or not: use yaml_read(). */
bool yaml_read_items(struct yaml_reader *reader, size_t indent);
/* The text of a file; a text without its byte order mark, as doc_source gives it. */
int doc_source(const char *path, struct diags *d, const struct source **out);
const struct source *doc_plain(struct arena *arena, const struct source *source);
/* Loads a text up to that key of the document's own map; NULL: all of it. */
int doc_load_until(const struct source *source, const char *key, struct diags *d,
		   struct node **out);

/* The value of a key, or NULL. */
const struct node *map_get(const struct node *map, const char *key);

/* Nothing was written: an empty plain scalar, ~ or null. */
bool node_is_null(const struct node *node);

/* Type checks. `what` names the thing in messages ("'peers'"). False after an error. */
bool want_map(struct diags *d, const struct node *node, const char *what);
bool want_list(struct diags *d, const struct node *node, const char *what);
const char *want_text(struct diags *d, const struct node *node, const char *what); /* or NULL */
bool want_name(struct diags *d, const struct node *node, const char *what, const char **out);
bool want_key_name(struct diags *d, const struct key *key, const char *what, const char **out);
bool want_bool(struct diags *d, const struct node *node, const char *what, bool *out);
/* on, off, yes, no, true, false, in any case: YAML 1.1 as people write it. */
bool text_is_bool(const char *text, bool *out);
/* Index of the word in `words`, or -1 after an error with a hint. */
int want_word(struct diags *d, const struct node *node, const char *what, const char *const *words,
	      size_t count);

/* A map that has no keys but these. Unknown keys are errors; the map stays usable: a key that was
 * clearly meant for one of these is renamed to it, so that its value is checked as well and the
 * key is not reported as missing. */
bool want_keys(struct diags *d, const struct node *map, const char *what, const char *const *keys,
	       size_t count);
/* The same without a report: the next want_keys of the map gives it. */
void keys_settle(const struct node *map, const char *const *keys, size_t count);

/* The value of a required key; NULL after an error that points at the map. */
const struct node *map_need(struct diags *d, const struct node *map, const char *what,
			    const char *key);
/* Are all of these there? One error for all missing ones. */
bool map_need_all(struct diags *d, const struct node *map, const char *what,
		  const char *const *keys, size_t count);

/* A list's items, or a scalar as the only item. */
bool want_items(struct diags *d, const struct node *node, const char *what);
const struct node *items_first(const struct node *node);
const struct node *items_next(const struct node *node, const struct node *item);
#define for_items(item, node) for (item = items_first(node); item; item = items_next(node, item))
#define for_children(child, node) for (child = (node)->first; child; child = child->next)

/* An example of a key with its value: "peer: [10.0.0.1]"; or NULL. */
const char *key_example(const char *key);
/* A hint on a key that belongs elsewhere, or NULL. */
const char *key_elsewhere(const char *what, const char *key);
/* "did you mean 'x'?", or "one of: a, b, c" when nothing is near. In the diags' arena; NULL for no
 * words. */
const char *hint_words(struct diags *d, const char *word, const char *const *words, size_t count);

/* Placeholder of a skeleton for a choice; a policy that contains it is refused. */
#define POLICY_FILL_IN "FILL-IN"

/* apiVersion and kind; false when the file is something else. */
bool kind_check(struct diags *d, const struct node *root, const char *kind);
bool kind_is_resolved(const struct node *root);
/* Reports an error for each placeholder; true when there is one. */
bool fill_ins_refuse(struct diags *d, const struct node *node);
/* The kind that the file declares, or NULL; and its text, for
 * policy_options.instead. -errno when unreadable or not YAML. */
int document_kind(const char *path, struct diags *d, const struct source **source,
		  const char **out);

/* For hints: the word that was meant, written in capitals, misspelt, or in the terms of other
 * tools (outbound, drop); NULL when it could be any. */
const char *word_meant(const char *word, const char *const *words, size_t count);

/* A node as flow YAML in one line. */
const char *node_text(struct arena *arena, const struct node *node);
/* A text as a word of YAML that every reader takes for this text: itself, or quoted. */
const char *yaml_text(struct arena *arena, const char *text);

/* Nodes that are made, not parsed: each carries the place of its origin. */
struct node *node_scalar(struct arena *arena, const char *text, struct loc loc);
struct node *node_branch(struct arena *arena, enum node_kind kind, struct loc loc);
/* Append a copy of `value` to a list, or to a map under a key. Returns the copy. */
struct node *node_append(struct arena *arena, struct node *parent, const char *key,
			 const struct node *value);

/* ---------------------------------------------------------------- edits
 *
 * Insertions into the text of a policy, in its own style; nothing else of the text is changed.
 * Texts in, texts out: no file is written. Arena memory.
 */
/* Goes in before byte `at`, in place of so many bytes; several at one place in this order. */
struct insertion {
	size_t at, replaced;
	bool last;     /* behind all others there */
	size_t number; /* set by edit_finish: the earlier one first */
	const char *text;
};

struct edit {
	struct arena *arena;
	const struct source *source; /* as the file has it */
	const struct yaml_span *root;
	struct insertion *list; /* ordered by place after edit_finish */
	size_t count, capacity;
	struct edit_list *lists; /* lists with additions */
	size_t list_count, list_capacity;
};

/* Reads the file of a policy that was loaded. 0, -errno, or -EINVAL for a text into which nothing
 * can be written. */
int edit_begin(struct arena *arena, const char *path, struct edit *out);
/* An address for a role of the `use` at that place. False, and nothing done, when the policy has
 * no list of its own for it. */
bool edit_add_peer(struct edit *edit, const struct loc *use, const char *role, const char *address);
/* A rule, as a map in braces, with a comment above where the style has room for one. */
bool edit_add_rule(struct edit *edit, const char *rule, const char *comment);
/* A list of items under a key that has a word as its value, which goes, or is not there. False, and
 * nothing done, for any other value. */
bool edit_set_list(struct edit *edit, const char *key, const char *const *items, size_t count);
/* The whole text with the edits. */
const struct source *edit_finish(struct edit *edit);

#endif
