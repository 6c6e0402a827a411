/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * render: structs -> text and JSON. One function per thing that the tool prints, each writing one
 * whole document to a stream: aligned text (colour only when asked), or one JSON document whose
 * schema is in docs/json.md. Uses observe's view structs, compile's names, net, base, jansson.
 * External text (names of processes, words of a policy) is printed without its control characters.
 */
#ifndef RENDER_H
#define RENDER_H

#include "../doctor/doctor.h"
#include "../observe/observe.h"
#include "../site/site.h"
#include "../yaml/yaml.h"

struct render {
	FILE *out;
	bool json;
	bool colour;
	bool wide;	/* tables: every column, whatever the width */
	unsigned width; /* of the terminal, for tables; 0: no limit */
	const struct diags
		*diags; /* JSON: a document's "diagnostics"; text leaves them to the caller */
};

/* Diagnostics as text to any stream: "file:line:col: error: … [check]", the source line, a caret.
 */
void render_diags(FILE *out, const struct diags *d, bool colour);

/* The document of a failed command: its schema, the exit code, the diagnostics. JSON only. */
void render_failure(const struct render *r, const char *verb, int code);

void render_version(const struct render *r, const char *version);
struct explain_view {
	const struct ruleset *rs;
	const struct tuple *tuple;
	const struct decision *decision;
	const char *digest;
	const struct window_view *window; /* of the policy in force, or NULL */
};
void render_explain(const struct render *r, const struct explain_view *view);
/* The figures of a compiled policy, or with `dump` the image in words. */
void render_compile(const struct render *r, const struct ruleset *rs, const struct image *image,
		    bool dump);
/* `cut`: what the change cut; or NULL. */
struct cut_view {
	const struct preview_view *preview;
	bool closes;   /* --cut */
	size_t closed; /* sockets */
};
void render_apply(const struct render *r, const struct apply_request *request,
		  const struct apply_result *result, const struct cut_view *cut);
/* `written`: the file that got the failsafe, or NULL. */
void render_preview(const struct render *r, const struct preview_view *view, const char *written);
/* What `failsafe: auto` stands for, before it is used. Text only, and nothing of another policy. */
void render_failsafe(const struct render *r, const struct ruleset *rs);
/* Of a change that a guard refuses: what it would cut. Text only. */
void render_refused(const struct render *r, const struct preview_view *view);
void render_pending(const struct render *r, const struct pending_request *request,
		    const struct pending_outcome *outcome);
void render_detach(const struct render *r, size_t count);
/* The policies and rules whose counters were reset; no rule named: all of them. */
void render_zero(const struct render *r, const struct window_view *windows, size_t policy_count,
		 const char *const *rules, size_t rule_count);
/* One line of the record of changes, without its end; free() it. */
char *render_change(const struct change_view *change);
/* The record, from a line on: `file` is its name. */
void render_history(const struct render *r, const char *file, const struct change_list *changes,
		    size_t first);
/* A table: its params, roles with the peers that each needs, rows. */
void render_roles(const struct render *r, const struct table_view *view);
/* Two editions of a table: what is gone, new or changed. */
void render_table_diff(const struct render *r, const struct table_diff *diff);
void render_page_diff(const struct render *r, const struct page_diff *diff);
/* A policy for a player of a role of a table, every choice marked POLICY_FILL_IN or commented. */
struct skeleton {
	const char *name;	     /* of the policy */
	const char *kind;	     /* "interfaces", "guests", "cgroups" */
	const char *attach_to;	     /* NULL: to be filled in */
	struct played_roles implied; /* what the host plays besides, by the table */
	const char *tables; /* the directory of a table that was given as a file, or NULL */
};
void render_skeleton(const struct render *r, const struct table_view *view,
		     const struct played_roles *played, const struct skeleton *skeleton);
void render_doctor(const struct render *r, const struct doctor_report *report);
/* Text: a line for each policy, or with `details` all that is known. */
void render_status(const struct render *r, const struct status_view *views, size_t count,
		   bool details);
void render_verify(const struct render *r, const struct verify_view *views, size_t count);
/* The policy in force as a document: its text, and in JSON its nodes. */
void render_policy(const struct render *r, const struct source *source, const struct node *root,
		   const struct window_view *window);
/* A policy in force compared with a file. */
struct diff_view {
	const char *policy, *file;
	const struct window_view *window;
	struct ruleset_diff diff;
};
void render_diff(const struct render *r, const struct diff_view *view);
/* "no policy is applied": a heading alone would be unclear. Text only. */
void render_no_policy(const struct render *r);

/* The policy of a host of a site as a file; its first line begins with the mark. */
#define PLAN_MARK "# flowreeve plan:"
void render_plan(FILE *out, const struct site_view *site, const struct plan *plan);

/* Streamed output: begin, one call per item, end. In JSON this makes one document too. */
struct render_stream;
void render_end(struct render_stream *s);

/* The result of `check` for each file; `d` are the file's own diagnostics. */
struct render_stream *render_check_begin(const struct render *r);
void render_check(struct render_stream *s, const struct ruleset *rs, const struct image *image,
		  const struct diags *d);
void render_check_table(struct render_stream *s, const char *file,
			const struct table_summary *table, const struct diags *d);
/* A site, and the image of each plan in the same order. */
void render_check_site(struct render_stream *s, const struct site_view *site,
		       const struct image *images, const struct diags *d);
void render_check_bad(struct render_stream *s, const char *file, const struct diags *d);

/* JSON: the policy that the document is about, and the time that its figures cover. */
void render_window(struct render_stream *s, const struct window_view *window);

struct render_stream *render_rules_begin(const struct render *r);
/* `as_given`: in the order of the list, else those of the policy first. */
void render_rules(struct render_stream *s, const char *policy, const struct rule_view *rules,
		  size_t count, bool as_given);
struct render_stream *render_flows_begin(const struct render *r);
void render_flow(struct render_stream *s, const char *policy, const struct flow_view *flow);
struct render_stream *render_drops_begin(const struct render *r);
void render_drop(struct render_stream *s, const char *policy, const struct drop_view *drop);
/* How many packets of a rule no listed drop has counted. */
void render_not_listed(struct render_stream *s, const char *policy, const struct rule_view *rule);

/* The policy's file, which gives the nearest misses, compared with the running policy. */
enum source_state { SOURCE_RUNS, SOURCE_DIFFERS, SOURCE_UNREADABLE };
struct render_stream *render_coverage_begin(const struct render *r);
void render_coverage(struct render_stream *s, const struct coverage_view *view,
		     enum source_state source);

/* All that an auditor asks for, as one HTML document that loads nothing, or as text. */
struct report_view {
	struct coverage_view coverage;
	struct window_view window;
	enum source_state source;
	struct drop_list drops;
	struct change_list changes; /* of the policy, as recorded */
};
void render_report(const struct render *r, const struct report_view *view, bool text);

/* The proposals of learn for a policy: on `r->out` the diff, or a document with all of it. */
struct learn_view {
	const char *policy;
	const struct window_view *window;
	const struct recorded_view *recorded; /* or NULL */
	const struct edit *edit;	      /* finished */
	const struct proposal *list;
	size_t count;
};
void render_learn(const struct render *r, struct arena *arena, const struct learn_view *view);
void render_learn_summary(FILE *out, const struct learn_view *view);

/* One line (text) or one JSON object per line: monitor is the one verb that prints JSON lines. */
struct render_stream *render_events_begin(const struct render *r);
void render_event(struct render_stream *s, const char *policy, const struct event_view *event);
void render_events_end(struct render_stream *s);
void render_lost(const struct render *r, const char *policy, uint64_t count);

#endif
