/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The report of a policy for an auditor, as text or as one HTML document. Everything from outside
 * goes through put_text(), which cleans and escapes it; all else is a constant of this file.
 */
#include <inttypes.h>
#include <string.h>

#include "table.h"

/* Where the parts go: one table at a time. */
struct report {
	const struct render *r;
	bool html;
	struct table table; /* text */
	const struct column *columns;
	size_t count, at;
};

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	"style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta name=\"referrer\" content=\"no-referrer\">\n";

static const char style[] =
	"<style>\n"
	":root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --line: #c9ced6;\n"
	"  --dim: #59636e; --head: #eef1f5 }\n"
	"@media (prefers-color-scheme: dark) {\n"
	"  :root { --ink: #e4e8ee; --paper: #14171b; --line: #3d444d; --dim: #9aa4b0;\n"
	"    --head: #20252b } }\n"
	"* { box-sizing: border-box }\n"
	"body { margin: 0 auto; padding: 1rem; max-width: 80rem; color: var(--ink);\n"
	"  background: var(--paper); font: 15px/1.45 system-ui, sans-serif;\n"
	"  overflow-wrap: anywhere }\n"
	"h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem }\n"
	"p { margin: .4rem 0 } .none { color: var(--dim) }\n"
	"table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums }\n"
	"th, td { padding: .3rem .5rem; border-bottom: 1px solid var(--line); text-align: left;\n"
	"  vertical-align: top; min-width: 0 }\n"
	"th { background: var(--head); font-size: .8rem }\n"
	"@media screen and (max-width: 60rem) {\n"
	"  thead { display: none } table, tbody, tr { display: block }\n"
	"  tr { border: 1px solid var(--line); margin: .5rem 0 }\n"
	"  td { display: grid; grid-template-columns: minmax(6rem, 30%) minmax(0, 1fr); gap: .5rem;\n"
	"    border: 0 }\n"
	"  td::before { content: attr(data-label); color: var(--dim); font-size: .8rem } }\n"
	"@media print {\n"
	"  :root { color-scheme: light; --ink: #000; --paper: #fff; --line: #999; --dim: #333;\n"
	"    --head: #eee }\n"
	"  body { max-width: none; padding: 0; font-size: 9pt }\n"
	"  thead { display: table-header-group } tr, h2 { break-inside: avoid }\n"
	"  h2 { break-after: avoid } }\n"
	"</style>\n";

/* ---------------------------------------------------------------- the writer */

static void put_escaped(FILE *out, const char *clean)
{
	for (; *clean; clean++) {
		switch (*clean) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			fputc(*clean, out);
		}
	}
}

/* The only way of a text from outside into the document. */
static void put_text(struct report *w, const char *text)
{
	char clean[4 * CLEAN_TEXT];

	text_clean(text, clean, sizeof(clean));
	if (w->html)
		put_escaped(w->r->out, clean);
	else
		fputs(clean, w->r->out);
}

static void put_part(struct report *w, const char *title)
{
	fprintf(w->r->out, w->html ? "<h2>%s</h2>\n" : "\n%s\n", title);
}

static void put_sentence(struct report *w, const char *text)
{
	fputs(w->html ? "<p>" : "", w->r->out);
	put_text(w, text);
	fputs(w->html ? "</p>\n" : "\n", w->r->out);
}

static void put_none(struct report *w)
{
	fputs(w->html ? "<p class=\"none\">none</p>\n" : "none\n", w->r->out);
}

static void begin_rows(struct report *w, const struct column *columns, size_t count)
{
	w->columns = columns;
	w->count = count;
	w->at = 0;
	if (!w->html) {
		table_begin(&w->table, w->r, columns, count);
		return;
	}
	fputs("<table><thead><tr>", w->r->out);
	for (size_t i = 0; i < count; i++)
		fprintf(w->r->out, "<th scope=\"col\">%s</th>", columns[i].title);
	fputs("</tr></thead><tbody>\n", w->r->out);
}

/* NULL or "": "-". */
static void put_cell(struct report *w, const char *text)
{
	if (!w->html) {
		table_cell(&w->table, COLOUR_NONE, text);
		return;
	}
	if (w->at == 0)
		fputs("<tr>", w->r->out);
	fprintf(w->r->out, "<td data-label=\"%s\"><span>", w->columns[w->at].title);
	put_text(w, text && *text ? text : "-");
	fputs("</span></td>", w->r->out);
	w->at = (w->at + 1) % w->count;
	if (w->at == 0)
		fputs("</tr>\n", w->r->out);
}

static void put_count(struct report *w, uint64_t count)
{
	char text[FIGURE_TEXT];

	number_append(text, count);
	put_cell(w, text);
}

/* To the second. */
static void put_time(struct report *w, uint64_t time)
{
	char text[TIME_TEXT];

	if (!time) {
		put_cell(w, NULL);
		return;
	}
	time_text(time, text);
	strcpy(text + 19, "Z");
	put_cell(w, text);
}

static void end_rows(struct report *w)
{
	if (w->html)
		fputs("</tbody></table>\n", w->r->out);
	else
		table_end(&w->table);
}

/* ---------------------------------------------------------------- the parts */

static const struct column fact_columns[] = {{"FACT", .least = 0}, {"VALUE", .least = 0}};

static void put_fact(struct report *w, const char *name, const char *value)
{
	put_cell(w, name);
	put_cell(w, value);
}

static const char *source_words(enum source_state source)
{
	switch (source) {
	case SOURCE_RUNS:
		return "it is what runs";
	case SOURCE_DIFFERS:
		return "it differs from what runs: tables and nearest rules are those of the file";
	default:
		return "it cannot be read: tables, nearest rules and sockets are not known";
	}
}

static void report_facts(struct report *w, const struct report_view *view)
{
	const struct window_view *window = &view->window;
	char text[FIGURE_TEXT];

	begin_rows(w, fact_columns, ARRAY_SIZE(fact_columns));
	put_fact(w, "host", host_name());
	put_fact(w, "policy", window->policy);
	put_fact(w, "mode", mode_name(window->enforce));
	number_append(text, window->generation);
	put_fact(w, "generation", text);
	put_fact(w, "digest", window->digest);
	put_cell(w, "figures since");
	put_time(w, window->since);
	put_cell(w, "until");
	put_time(w, window->until);
	put_cell(w, "newest unexplained opening");
	put_time(w, view->coverage.unexplained_count ? view->coverage.newest : 0);
	put_fact(w, "file", view->coverage.source);
	put_fact(w, "the file", source_words(view->source));
	end_rows(w);
}

static const struct column table_columns[] = {
	{"TABLE", .least = 0},	  {"EDITION", .least = 0}, {"TITLE", .least = 0},
	{"DOCUMENT", .least = 0}, {"READ", .least = 0},	   {"URL", .least = 0},
};

static void report_tables(struct report *w, const struct ruleset *rs)
{
	const struct origin *table;
	size_t at = 0;

	put_part(w, "Tables");
	table = rs ? ruleset_next_table(rs, &at) : NULL;
	if (!table) {
		put_none(w);
		return;
	}
	begin_rows(w, table_columns, ARRAY_SIZE(table_columns));
	for (; table; table = ruleset_next_table(rs, &at)) {
		put_cell(w, table->table);
		put_cell(w, table->edition);
		put_cell(w, table->title);
		put_cell(w, table->document);
		put_cell(w, table->read);
		put_cell(w, table->url);
	}
	end_rows(w);
}

static const struct column file_columns[] = {{"PREFIXES", .least = 0}, {"DATED", .least = 0}};

static void report_files(struct report *w, const struct ruleset *rs)
{
	if (!rs || !rs->file_count)
		return;
	put_part(w, "Files of prefixes");
	begin_rows(w, file_columns, ARRAY_SIZE(file_columns));
	for (size_t i = 0; i < rs->file_count; i++) {
		put_cell(w, rs->files[i].path);
		put_time(w, rs->files[i].dated * 1000000000);
	}
	end_rows(w);
}

static const struct column rule_columns[] = {
	{"RULE", .least = 0},  {"DIRECTION", .least = 0}, {"ACTION", .least = 0},
	{"CONNS", .least = 0}, {"BYTES", .least = 0},	  {"REFUSED", .least = 0},
	{"SINCE", .least = 0}, {"LAST", .least = 0},	  {"SHARES ITS TRAFFIC WITH", .least = 0},
};

/* The rules in one state, see coverage.c; the built-in ones and the defaults only where they were
 * used. */
static void report_rules(struct report *w, const struct coverage_view *view, const char *title,
			 bool (*counts)(const struct rule_view *))
{
	bool all = counts == rule_is_seen;
	size_t count = 0;

	put_part(w, title);
	for (size_t i = 0; i < view->rule_count; i++) {
		const struct rule_view *rule = &view->rules[i];

		if (!counts(rule) || (!all && !rule_is_policys(rule)))
			continue;
		if (!count++)
			begin_rows(w, rule_columns, ARRAY_SIZE(rule_columns));
		put_cell(w, rule->id);
		put_cell(w, rule->dir);
		put_cell(w, rule->action);
		put_count(w, rule->totals.connections);
		put_count(w, rule->totals.bytes);
		put_count(w, rule->totals.drops + rule->totals.would_drops);
		put_time(w, rule->since);
		put_time(w, rule->last);
		put_cell(w, rule->shares_with);
	}
	if (count)
		end_rows(w);
	else
		put_none(w);
}

static const struct column opening_columns[] = {
	{"VERDICT", .least = 0}, {"ON", .least = 0},	  {"DIRECTION", .least = 0},
	{"PEER", .least = 0},	 {"SERVICE", .least = 0}, {"PACKETS", .least = 0},
	{"FIRST", .least = 0},	 {"LAST", .least = 0},	  {"PROCESS", .least = 0},
	{"NEAREST", .least = 0},
};

static void report_unexplained(struct report *w, const struct coverage_view *view)
{
	char text[CLEAN_TEXT];

	put_part(w, "Openings that no rule explains");
	if (!view->unexplained_count) {
		put_none(w);
		return;
	}
	begin_rows(w, opening_columns, ARRAY_SIZE(opening_columns));
	for (size_t i = 0; i < view->unexplained_count; i++) {
		const struct unexplained_view *at = &view->unexplained[i];
		struct service service = service_one(at->tuple.proto, at->tuple.port);

		put_cell(w, at->verdict);
		put_cell(w, at->where ? at->where : at->kind);
		put_cell(w, dir_name(at->tuple.dir));
		put_cell(w, endpoint_text(at->tuple.peer.b, 0, false, text));
		put_cell(w, service_text(&service, text));
		put_count(w, at->packets);
		put_time(w, at->first);
		put_time(w, at->last);
		put_cell(w, process_text(&at->process, text));
		put_cell(w, at->answer ? at->answer->text : at->nearest);
	}
	end_rows(w);
}

static const struct column drop_columns[] = {
	{"VERDICT", .least = 0}, {"DIRECTION", .least = 0}, {"LOCAL", .least = 0},
	{"PEER", .least = 0},	 {"PROTO", .least = 0},	    {"RULE", .least = 0},
	{"REASON", .least = 0},	 {"PACKETS", .least = 0},   {"FIRST", .least = 0},
	{"LAST", .least = 0},	 {"PROCESS", .least = 0},
};

static void report_drops(struct report *w, const struct drop_list *drops)
{
	char text[CLEAN_TEXT];

	put_part(w, "Drops and would-drops");
	if (!drops->count) {
		put_none(w);
		return;
	}
	begin_rows(w, drop_columns, ARRAY_SIZE(drop_columns));
	for (size_t i = 0; i < drops->count; i++) {
		const struct drop_view *at = &drops->list[i];
		struct ends ends;

		ends_text(&at->key, at->drop.dir == FR_EGRESS, at->drop.opener_port, &ends);
		put_cell(w, at->verdict);
		put_cell(w, dir_name(at->drop.dir));
		put_cell(w, ends.local);
		put_cell(w, ends.peer);
		put_cell(w, proto_type_text(at->key.proto, at->key.peer_port, text));
		put_cell(w, at->rule);
		put_cell(w, at->reason);
		put_count(w, at->drop.packets);
		put_time(w, at->first);
		put_time(w, at->last);
		put_cell(w, process_text(&at->process, text));
	}
	end_rows(w);
}

static const struct column socket_columns[] = {
	{"SERVICE", .least = 0}, {"ADDRESS", .least = 0}, {"PROCESS", .least = 0}};
static const struct column idle_columns[] = {{"SERVICE", .least = 0}, {"RULE", .least = 0}};

static void report_sockets(struct report *w, const struct listening *view)
{
	char text[CLEAN_TEXT];

	if (!view->count) {
		put_none(w);
		return;
	}
	begin_rows(w, socket_columns, ARRAY_SIZE(socket_columns));
	for (size_t i = 0; i < view->count; i++) {
		const struct listening_view *at = &view->list[i];
		struct service service = service_one(at->proto, at->port);
		struct process_view process = {.pid = at->pid};

		memcpy(process.name, at->process, sizeof(at->process));
		put_cell(w, service_text(&service, text));
		put_cell(w, at->everywhere ? "every address"
					   : endpoint_text(at->address.b, 0, false, text));
		put_cell(w, process_text(&process, text));
	}
	end_rows(w);
}

static void report_idle(struct report *w, const struct listening *view)
{
	char text[SERVICE_TEXT];

	if (!view->idle_count) {
		put_none(w);
		return;
	}
	begin_rows(w, idle_columns, ARRAY_SIZE(idle_columns));
	for (size_t i = 0; i < view->idle_count; i++) {
		put_cell(w, service_text(&view->idle[i].service, text));
		put_cell(w, view->idle[i].rule->id);
	}
	end_rows(w);
}

static void report_listening(struct report *w, const struct listening *view)
{
	put_part(w, "Listening sockets that no rule explains");
	if (view->left_out) {
		put_sentence(w, view->left_out);
		return;
	}
	report_sockets(w, view);
	put_part(w, "Ports of rules on which nobody listens");
	report_idle(w, view);
}

static void report_limits(struct report *w, const struct coverage_view *view)
{
	if (view->incomplete)
		put_sentence(w, "The list of refusals is incomplete: the rest is counted by rule "
				"alone.");
}

static const struct column change_columns[] = {
	{"TIME", .least = 0},	 {"CHANGE", .least = 0},  {"USER", .least = 0},
	{"LOGIN", .least = 0},	 {"BEFORE", .least = 0},  {"AFTER", .least = 0},
	{"OUTCOME", .least = 0}, {"COMMAND", .least = 0},
};

static void put_user(struct report *w, uint32_t uid)
{
	char text[FIGURE_TEXT];

	number_append(text, uid);
	put_cell(w, uid == UINT32_MAX ? "" : text);
}

static void put_state(struct report *w, const char *mode, const char *digest)
{
	char text[CLEAN_TEXT] = "";

	if (mode)
		snprintf(text, sizeof(text), "%s %.12s", mode, digest ? digest : "");
	put_cell(w, text);
}

static void report_changes(struct report *w, const struct change_list *changes)
{
	put_part(w, "Changes, as recorded");
	if (!changes->count) {
		put_none(w);
		return;
	}
	begin_rows(w, change_columns, ARRAY_SIZE(change_columns));
	for (size_t i = 0; i < changes->count; i++) {
		const struct change_view *change = &changes->list[i];

		put_cell(w, change->time);
		put_cell(w, change->verb);
		put_user(w, change->uid);
		put_user(w, change->login);
		put_state(w, change->mode_before, change->digest_before);
		put_state(w, change->mode_after, change->digest_after);
		put_cell(w, change->outcome);
		put_cell(w, change->command ? change->command : "the kernel, at its time");
	}
	end_rows(w);
}

/* ---------------------------------------------------------------- the whole */

static void begin_document(struct report *w, const struct report_view *view)
{
	if (!w->html) {
		fputs("flowreeve report: ", w->r->out);
		put_text(w, view->window.policy);
		fputs("\n\n", w->r->out);
		return;
	}
	fputs(head, w->r->out);
	fputs("<title>flowreeve report: ", w->r->out);
	put_text(w, view->window.policy);
	fputs("</title>\n", w->r->out);
	fputs(style, w->r->out);
	fputs("</head>\n<body>\n<h1>flowreeve report: ", w->r->out);
	put_text(w, view->window.policy);
	fputs("</h1>\n", w->r->out);
}

void render_report(const struct render *r, const struct report_view *view, bool text)
{
	struct report w = {.r = r, .html = !text};

	begin_document(&w, view);
	report_facts(&w, view);
	report_tables(&w, view->coverage.file);
	report_files(&w, view->coverage.file);
	report_rules(&w, &view->coverage, "Rules that were used", rule_is_seen);
	report_rules(&w, &view->coverage, "Rules that were tried and never answered",
		     rule_is_tried);
	report_rules(&w, &view->coverage, "Rules that were never used", rule_is_never_seen);
	report_unexplained(&w, &view->coverage);
	report_limits(&w, &view->coverage);
	report_listening(&w, &view->coverage.listening);
	report_drops(&w, &view->drops);
	report_changes(&w, &view->changes);
	if (w.html)
		fputs("</body>\n</html>\n", r->out);
}
