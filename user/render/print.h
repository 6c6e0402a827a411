/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the files of render: safe text, figures for people, JSON values.
 * Internal: no other floor includes it.
 */
#ifndef RENDER_PRINT_H
#define RENDER_PRINT_H

#include <jansson.h>

#include "render.h"

/* ---------------------------------------------------------------- text (print.c) */

enum { CLEAN_TEXT = 512, FIGURE_TEXT = 32, TIME_TEXT = 40, ROW_TEXT = 3 * FR_NAME_MAX };

/* Printable UTF-8 of any bytes: controls, bidirectional controls and broken sequences become '?'.
 * Cut when `size` is reached, never inside a character. Returns `out`. */
char *text_clean(const char *text, char *out, size_t size);
size_t text_width(const char *text); /* characters of a clean text */
void print_clean(FILE *out, const char *text);
/* Text that is no table: lines that are wider than the terminal are broken at blanks, but with
 * --wide. */
void print_sentence(const struct render *r, const char *text); /* one line, without its end */
typedef void (*folded_print)(const struct render *r, const void *context);
void print_folded(const struct render *r, folded_print print, const void *context);

/* Colours are roles, not hues; nothing when `on` is false. */
enum colour { COLOUR_NONE, COLOUR_GOOD, COLOUR_BAD, COLOUR_WARN, COLOUR_DIM, COLOUR_BOLD };
const char *colour_on(bool on, enum colour colour);
const char *colour_off(bool on, enum colour colour);
enum colour colour_of_verdict(const char *verdict);

/* Buffered output: a table of a million lines calls stdio once for each. Complete after
 * out_end(). */
enum { LINE_ROOM = 2048 };
struct out_line {
	FILE *out;
	size_t used;
	char text[LINE_ROOM];
};
void out_append(struct out_line *line, const char *text, size_t length);
void out_end(struct out_line *line);

/* Digits and NUL; gives where the NUL is. */
char *number_append(char *at, uint64_t number);
/* Buffers of FIGURE_TEXT bytes; they return their buffer. */
char *count_text(uint64_t count, char *out);		      /* 1234, 56.7k, 8.9M */
char *bytes_text(uint64_t bytes, char *out);		      /* 512 B, 3.4 kB, 1.6 MB */
char *age_text(uint64_t then_ns, uint64_t now_ns, char *out); /* 3s, 4m, 2h, 5d; "-" for 0 */
/* "change 3 waits for its confirmation: in 40 s …", "change 3 was rolled back at …"; CLEAN_TEXT;
 * and in JSON. apply.c */
char *pending_text(const struct pending *pending, char *out);
json_t *pending_json(const struct pending *pending);
char *time_text(uint64_t realtime_ns, char *out); /* RFC 3339, UTC, microseconds; TIME_TEXT */
uint64_t time_now(void);			  /* realtime ns */
char *row_text(const char *table, const char *row, uint32_t line, char *out); /* ROW_TEXT; or "" */
char *process_text(const struct process_view *process, char *out); /* "curl (712)"; CLEAN_TEXT */
char *parent_text(const struct process_view *process, char *out);  /* the same of its parent */
bool rule_is_policys(const struct rule_view *rule); /* not built in, and no default (coverage.c) */
/* coverage.c: one of the three is true of each rule. */
bool rule_is_seen(const struct rule_view *rule);
bool rule_is_tried(const struct rule_view *rule); /* openings passed, none was answered */
bool rule_is_never_seen(const struct rule_view *rule);
char *endpoint_text(const uint8_t address[16], uint32_t port, bool with_port, char out[64]);
/* Both ends of a flow, with the opener's port where the key has none. flows.c */
struct ends {
	char local[64], peer[64];
};
void ends_text(const struct fr_flow_key *key, bool ours, uint32_t opener_port, struct ends *out);

char *proto_text(uint8_t proto, char *out); /* name or number; FIGURE_TEXT */
/* The same, of ICMP with its type: "tcp", "icmp/8". */
char *proto_type_text(uint8_t proto, uint16_t port, char *out);

/* "peer-any-port (default of 69/udp)" (answers.c). */
const char *answers_text(struct arena *arena, const struct expectation *e);
/* The addresses and ports that may answer. */
const char *answers_from_text(const struct ruleset *rs, const struct tuple *question,
			      const struct expectation *e);

/* ---------------------------------------------------------------- JSON (json.c) */

json_t *json_words(const char *text);	 /* null for NULL; never fails on broken UTF-8 */
json_t *json_count(uint64_t count);	 /* integer, at most 2^63-1 */
json_t *json_time(uint64_t realtime_ns); /* RFC 3339 or null for 0 */
json_t *json_row(const char *table, const char *row, uint32_t line); /* object, or null */
json_t *json_process(const struct process_view *process);	     /* object, or null */
/* Names the document of a table in an object. */
void json_set_source(json_t *object, const char *title, const char *document, const char *url,
		     const char *read);
json_t *json_tables(const struct ruleset *rs); /* each with its document */
json_t *json_rule_figures(const struct rule_view *rule);
json_t *json_diags(const struct diags *d);
json_t *json_answers(const struct expectation *e); /* answers.c */
json_t *json_answer_hint(const struct answer_hint *hint);
json_t *json_window(const struct window_view *window);
/* Of recorded events (coverage.c); null for NULL. */
json_t *json_recorded(const struct recorded_view *view);
void print_recorded(FILE *out, const struct recorded_view *view);
/* What apply tells of its preview, without what stays; null for NULL (preview.c). */
json_t *json_preview(const struct preview_view *view);
json_t *json_failsafe(const struct ruleset *rs); /* null where the policy lists it */
void print_preview_cut(const struct render *r, const struct preview_view *view);
const char *host_name(void);
int schema_version(const char *verb); /* docs/json.md */
/* {"schema": "flowreeve/<verb>/v<version>", "host"}; document_print adds "diagnostics", writes and
 * frees it. */
json_t *document_new(const char *verb);
void document_print(const struct render *r, json_t *document);

/*
 * One object, written member by member, with the same text as json_dumpf(): for a million of them
 * (stream.c). Keys are plain words.
 */
struct json_writer {
	struct out_line line;
	bool compact; /* no blanks between signs */
	bool follows; /* a member was written within the same braces */
};
void writer_open(struct json_writer *w, const char *key); /* NULL: the object itself */
void writer_close(struct json_writer *w);
void writer_words(struct json_writer *w, const char *key, const char *text); /* null for NULL */
void writer_count(struct json_writer *w, const char *key, uint64_t count);
void writer_time(struct json_writer *w, const char *key, uint64_t realtime_ns);
void writer_row(struct json_writer *w, const char *table, const char *row, uint32_t line);
void writer_process(struct json_writer *w, const struct process_view *process);
/* vlan and netns_cookie, protocol, local and peer */
void writer_ends(struct json_writer *w, const struct fr_flow_key *key);

/* A document with one long array, item by item (stream.c). */
struct table;
struct render_stream {
	struct render render;
	struct table *table; /* one over all policies, or NULL */
	struct json_writer writer;
	uint64_t now;
	size_t items;
	json_t *not_listed; /* of `show drops`: a second list, after the first; or NULL */
	json_t *windows;    /* of all that read policies in force: another one; or NULL */
};
struct render_stream *stream_begin(const struct render *r, const char *verb, const char *array);
void stream_item(struct render_stream *s, json_t *item);  /* takes the item */
struct json_writer *stream_open(struct render_stream *s); /* the same, in pieces */
void stream_close(struct render_stream *s);

#endif
