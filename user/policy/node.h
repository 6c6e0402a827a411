/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A YAML document as nodes that know their place, and the questions the parsers ask of them: is it
 * a map, which keys may it have, one of these words? An answer that is wrong queues exactly one
 * diagnostic. Values are text; what a text means is the asker's business.
 */
#ifndef POLICY_NODE_H
#define POLICY_NODE_H

#include <string.h>

#include "policy.h"

/* NODE_BROKEN: its error is queued already, and no further one is. */
enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP, NODE_BROKEN };

/* Of a value in a map: there are as many as values, so they are no nodes. */
struct key {
	struct loc loc;
	const char *text;
	/* What the file has, when that is no key: then `text` is what was meant, or the same. */
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
};

/* One YAML document of one regular file. 0, or -errno / -EINVAL with an error queued. */
int doc_load(const char *path, struct diags *d, struct node **out);
/* A text with the nodes in an arena of their own, which may go once nobody asks them any more:
 * texts and places stay good. */
struct doc_apart {
	const struct source *source;
	struct arena *nodes;
	/* Not all of it, but these bytes, behind lines that stand for what is before them. Places
	 * have those lines and the lines of the part. */
	const char *before; /* or NULL */
	size_t begin, end;  /* end 0: all */
	/* The items of the list that the document has under this key (NULL: none) are handed over
	 * one by one as they are read. Those taken are not in the tree, and of their texts and
	 * nodes nothing stays; from the first that is not taken (false), the list has them all. */
	const char *key;
	bool (*take)(const struct node *item, void *context);
	void *context;
	struct arena *items; /* theirs; as good as `nodes` */
	/* What it came to: */
	uint32_t lines; /* whole ones, with those before */
	size_t values;
	bool ended; /* its end is written */
};
int doc_load_apart(struct doc_apart *how, struct diags *d, struct node **out);
/* A text that is nothing but items of that list, so far in, each of them simple and taken. False
 * for everything else, be it right or wrong: doc_load_apart reads that. */
bool items_read(struct doc_apart *how, size_t indent);
/* The text of a file; a text without what some editors put first, as doc_source gives it. */
int doc_source(const char *path, struct diags *d, const struct source **out);
const struct source *doc_plain(struct arena *arena, const struct source *source);
/* A text no further than that key of the document's own map; NULL: all of it. */
int doc_load_until(const struct source *source, const char *key, struct diags *d,
		   struct node **out);

/* Words are compared more often than anything else, and mostly the first letter tells. */
static inline bool word_is(const char *word, const char *other)
{
	return *word == *other && !strcmp(word, other);
}

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
 * clearly meant for one of these is that one from now on, so that its value is looked at as well
 * and the key is not reported as missing. */
bool want_keys(struct diags *d, const struct node *map, const char *what, const char *const *keys,
	       size_t count);
/* The same without a word: the next want_keys of the map reports it. */
void keys_settle(const struct node *map, const char *const *keys, size_t count);

/* The value of a required key; NULL after an error that points at the map. */
const struct node *need(struct diags *d, const struct node *map, const char *what, const char *key);
/* Are all of these there? One error for those that are not. */
bool need_all(struct diags *d, const struct node *map, const char *what, const char *const *keys,
	      size_t count);

/* A list's items, or a scalar as the only item. */
bool want_items(struct diags *d, const struct node *node, const char *what);
const struct node *items_first(const struct node *node);
const struct node *items_next(const struct node *node, const struct node *item);
#define for_items(item, node) for (item = items_first(node); item; item = items_next(node, item))
#define for_children(child, node) for (child = (node)->first; child; child = child->next)

/* What to write under a key: "peer: [10.0.0.1]"; or NULL. */
const char *key_example(const char *key);
/* What to know about a key that is none of a map's, or NULL. */
const char *key_elsewhere(const char *what, const char *key);
/* "did you mean 'x'?", or "one of: a, b, c" when nothing is near. In the diags' arena; NULL for no
 * words. */
const char *hint_words(struct diags *d, const char *word, const char *const *words, size_t count);

/* ---------------------------------------------------------------- a set of names with values */

struct index {
	struct arena *arena;
	struct index_slot *slots;
	size_t count, size;
};
/* The value kept under a name, or NULL. */
const void *index_get(const struct index *index, const char *name);
/* Keep a value under a name that is not in yet. Returns NULL, or the value that was there first. */
const void *index_put(struct index *index, const char *name, const void *value);

/* Room for so many names at once, where it is known how many will come. */
void index_reserve(struct index *index, size_t count);

/* All names, `count` of them, in no order. */
const char *const *index_names(struct arena *arena, const struct index *index);

#endif
