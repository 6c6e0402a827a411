/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * render: structs -> text and JSON. One function per thing that the tool prints, each writing one
 * whole document to a stream: aligned text (colour only when asked), or one JSON document whose schema
 * is in docs/json.md. Uses observe's view structs, compile's names, net, base, jansson.
 */
#ifndef RENDER_H
#define RENDER_H

#include "../observe/observe.h"

struct render {
	FILE *out;
	bool json;
	bool colour;
};

/* Diagnostics as text to any stream: "file:line:col: error: … [check]", the source line, a caret. */
void render_diags(FILE *out, const struct diags *d, bool colour);

/* What `check` says of a good file. */
void render_check(const struct render *r, const struct ruleset *rs, const struct image *image,
		  const struct diags *d);
void render_check_table(const struct render *r, const struct table_summary *table,
			const struct diags *d);
void render_explain(const struct render *r, const struct ruleset *rs, const struct tuple *tuple,
		    const struct decision *decision);
void render_compile(const struct render *r, const struct ruleset *rs, const struct image *image);
void render_apply(const struct render *r, const struct ruleset *rs, const struct apply_result *result,
		  const struct diags *d);
void render_detach(const struct render *r, size_t count);
void render_status(const struct render *r, const struct status_view *views, size_t count);
void render_rules(const struct render *r, const char *policy, const struct rule_view *rules,
		  size_t count);

/* Tables that stream: begin, one call per row, end. In JSON they make one document too. */
struct render_stream;
struct render_stream *render_flows_begin(const struct render *r);
void render_flow(struct render_stream *s, const char *policy, const struct flow_view *flow);
struct render_stream *render_drops_begin(const struct render *r);
void render_drop(struct render_stream *s, const char *policy, const struct drop_view *drop);
void render_end(struct render_stream *s);

/* One line (text) or one JSON object per line: monitor is the one verb that prints JSON lines. */
void render_event(const struct render *r, const char *policy, const struct event_view *event);

#endif
