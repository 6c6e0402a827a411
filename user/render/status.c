/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of an applied policy, read from the kernel: mode and whether it is enforced, hooks and
 * faults, verdicts by reason, how full the maps are, lost events; and the checks of verify, one by
 * one.
 */
#include <inttypes.h>

#include "table.h"

static const char *const tallies[FR_TALLY_COUNT] = {[FR_TALLY_EVENTS_LOST] = "events_lost",
						    [FR_TALLY_EVENTS_HELD] = "events_held",
						    [FR_TALLY_FLOWS_OPENED] = "flows_opened",
						    [FR_TALLY_FLOWS_ADOPTED] = "flows_adopted",
#define X(name, text) [FR_TALLY_EVICTED + FR_CLASS_##name] = "flows_evicted_" text,
						    FR_CLASSES(X)
#undef X
#define X(name, text) [FR_TALLY_NO_ROOM + FR_CLASS_##name] = "flows_no_room_" text,
							    FR_CLASSES(X)
#undef X
};
static const char *state_text(const struct status_view *view, enum colour *colour)
{
	if (!view->enforce) {
		*colour = COLOUR_WARN;
		return "AUDIT";
	}
	*colour = view->enforcing ? COLOUR_GOOD : COLOUR_BAD;
	return view->enforcing ? "ENFORCING" : "NOT ENFORCING";
}

static const char *source_text(const struct status_view *view)
{
	return str_equal(view->source, "-") ? "(standard input)" : view->source;
}

static size_t dead_count(const struct status_view *view)
{
	size_t count = 0;

	for (size_t i = 0; i < view->hook_count; i++)
		count += !view->hooks[i].alive;
	return count;
}

static size_t fault_count(const struct status_view *view)
{
	size_t count = dead_count(view) + view->unjudged_count + (view->altered != NULL);

	for (size_t i = 0; i < view->redirect_count; i++)
		count += view->redirects[i].past != NULL;
	return count;
}

/* One counter of reasons that is not 0. */
struct reason_count {
	unsigned kind, dir, reason, verdict;
	uint64_t packets, bytes;
};
typedef void (*reason_visit)(const struct reason_count *, void *context);

static void verdicts_each(const struct fr_reason_counters *at, struct reason_count count,
			  reason_visit visit, void *context)
{
	for (count.verdict = 0; count.verdict < FR_VERDICTS; count.verdict++) {
		count.packets = at->packets[count.verdict];
		count.bytes = at->bytes[count.verdict];
		if (count.packets)
			visit(&count, context);
	}
}

static void reasons_each(const struct status_view *view, reason_visit visit, void *context)
{
	struct reason_count at = {0};

	for (at.kind = 0; at.kind < FR_KINDS; at.kind++)
		for (at.dir = 0; at.dir < FR_DIRS; at.dir++)
			for (at.reason = 0; at.reason < FR_REASONS_COUNT; at.reason++)
				verdicts_each(&view->reasons[at.kind][at.dir][at.reason], at, visit,
					      context);
}

static void on_reason_json(const struct reason_count *count, void *list)
{
	json_t *item = json_object();

	json_object_set_new(item, "kind", json_string(kind_name(count->kind)));
	json_object_set_new(item, "direction", json_string(dir_name(count->dir)));
	json_object_set_new(item, "verdict", json_string(verdict_name(count->verdict)));
	json_object_set_new(item, "reason", json_string(reason_name(count->reason)));
	json_object_set_new(item, "packets", json_count(count->packets));
	json_object_set_new(item, "bytes", json_count(count->bytes));
	json_array_append_new(list, item);
}

static json_t *hook_json(const struct hook_view *hook)
{
	json_t *value = json_object(), *list = json_array();

	json_object_set_new(value, "kind", json_words(hook->kind));
	json_object_set_new(value, "name", json_words(hook->name));
	json_object_set_new(value, "name_at_apply", json_words(hook->name_at_apply));
	json_object_set_new(value, "request", json_words(hook->request));
	json_object_set_new(value, "hook", json_words(hook->hook));
	json_object_set_new(value, "ifindex",
			    hook->ifindex ? json_count(hook->ifindex) : json_null());
	json_object_set_new(value, "program", json_count(hook->prog_id));
	json_object_set_new(value, "alive", json_boolean(hook->alive));
	json_object_set_new(value, "fault", json_words(hook->fault));
	json_object_set_new(value, "preempted_by", json_words(hook->preempted_by));
	for (size_t i = 0; i < hook->neighbour_count; i++)
		json_array_append_new(list, json_words(hook->neighbours[i]));
	json_object_set_new(value, "neighbours", list);
	return value;
}

static json_t *unjudged_json(const struct unjudged *unjudged)
{
	json_t *value = json_object();

	json_object_set_new(value, "kind", json_string(kind_name(unjudged->kind)));
	json_object_set_new(value, "name", json_words(unjudged->name));
	json_object_set_new(value, "ifindex",
			    unjudged->ifindex ? json_count(unjudged->ifindex) : json_null());
	json_object_set_new(value, "request", json_words(unjudged->request));
	json_object_set_new(value, "why", json_words(unjudged->why));
	return value;
}

static json_t *redirects_json(const struct status_view *view)
{
	json_t *list = json_array(), *item;

	for (size_t i = 0; i < view->redirect_count; i++) {
		item = json_object();
		json_object_set_new(item, "program", json_count(view->redirects[i].program));
		json_object_set_new(item, "words", json_words(view->redirects[i].words));
		json_object_set_new(item, "at", json_words(view->redirects[i].where));
		json_object_set_new(item, "past", json_words(view->redirects[i].past));
		json_array_append_new(list, item);
	}
	return list;
}

static json_t *remarks_json(const struct status_view *view)
{
	json_t *list = json_array(), *item;

	for (size_t i = 0; i < view->remark_count; i++) {
		item = json_object();
		json_object_set_new(item, "check", json_words(view->remarks[i].check));
		json_object_set_new(item, "text", json_words(view->remarks[i].text));
		json_array_append_new(list, item);
	}
	return list;
}

static void figures_json(json_t *value, const struct status_view *view)
{
	json_t *list = json_array(), *item = json_object();

	for (size_t i = 0; i < FR_TALLY_COUNT; i++)
		if (i != FR_TALLY_EVICTED && i != FR_TALLY_NO_ROOM) /* ended flows */
			json_object_set_new(item, tallies[i], json_count(view->tallies[i]));
	json_object_set_new(value, "tallies", item);
	for (size_t i = 0; i < view->map_count; i++) {
		item = json_object();
		json_object_set_new(item, "map", json_words(view->maps[i].map));
		json_object_set_new(item, "entries", json_count(view->maps[i].entries));
		json_object_set_new(item, "max", json_count(view->maps[i].max));
		json_array_append_new(list, item);
	}
	json_object_set_new(value, "maps", list);
	list = json_array();
	reasons_each(view, on_reason_json, list);
	json_object_set_new(value, "verdicts", list);
}

static json_t *view_json(const struct status_view *view)
{
	json_t *value = json_object(), *hooks = json_array(), *list = json_array();

	json_object_set_new(value, "policy", json_words(view->policy));
	json_object_set_new(value, "source", json_words(view->source));
	json_object_set_new(value, "build", json_words(view->build));
	json_object_set_new(value, "mode", json_string(mode_name(view->enforce)));
	json_object_set_new(value, "enforcing", json_boolean(view->enforcing));
	json_object_set_new(value, "generation", json_count(view->generation));
	json_object_set_new(value, "digest", json_words(view->digest));
	json_object_set_new(value, "applied", json_time(view->applied));
	json_object_set_new(value, "zeroed", json_time(view->zeroed));
	json_object_set_new(value, "since", json_time(view->zeroed ? view->zeroed : view->applied));
	json_object_set_new(value, "until", json_time(time_now()));
	json_object_set_new(value, "pending",
			    view->has_pending ? pending_json(&view->pending) : json_null());
	json_object_set_new(value, "netns", json_count(view->netns));
	json_object_set_new(value, "rules", json_count(view->rules));
	json_object_set_new(value, "altered", json_words(view->altered));
	json_object_set_new(value, "faults", json_count(fault_count(view)));
	for (size_t i = 0; i < view->hook_count; i++)
		json_array_append_new(hooks, hook_json(&view->hooks[i]));
	json_object_set_new(value, "hooks", hooks);
	for (size_t i = 0; i < view->unjudged_count; i++)
		json_array_append_new(list, unjudged_json(&view->unjudged[i]));
	json_object_set_new(value, "not_judged", list);
	json_object_set_new(value, "peer_redirects", redirects_json(view));
	json_object_set_new(value, "peer_redirects_unknown", json_words(view->redirects_unknown));
	json_object_set_new(value, "remarks", remarks_json(view));
	figures_json(value, view);
	return value;
}

static void print_name_at_apply(const struct render *r, const struct hook_view *hook)
{
	if (!hook->name_at_apply)
		return;
	fputs(" (", r->out);
	print_clean(r->out, hook->name_at_apply);
	fputs(" when applied)", r->out);
}

static const char *hook_state(const struct hook_view *hook)
{
	if (!hook->alive)
		return "FAULT";
	return hook->preempted_by ? "NOT FIRST" : "alive";
}

static void print_hooks(const struct render *r, const struct status_view *view)
{
	for (size_t i = 0; i < view->hook_count; i++) {
		const struct hook_view *hook = &view->hooks[i];
		const char *state = hook_state(hook);
		enum colour hue = str_equal(state, "alive") ? COLOUR_GOOD : COLOUR_BAD;

		fprintf(r->out, "  %-9s %s%-9s%s %s ", i ? "" : "hooks", colour_on(r->colour, hue),
			state, colour_off(r->colour, hue), hook->kind);
		print_clean(r->out, hook->name);
		print_name_at_apply(r, hook);
		fprintf(r->out, "  %s  program %u", hook->hook, hook->prog_id);
		if (!hook->alive && hook->fault) {
			fputs(": ", r->out);
			print_clean(r->out, hook->fault);
		}
		fputc('\n', r->out);
		for (size_t j = 0; j < hook->neighbour_count; j++) {
			fputs("                      ", r->out);
			print_clean(r->out, hook->neighbours[j]);
			fputc('\n', r->out);
		}
	}
}

/* "FAULT interface " at the start of a line below the hooks. */
static void print_fault(const struct render *r, const struct status_view *view, const char *kind)
{
	enum colour hue = view->enforce ? COLOUR_BAD : COLOUR_WARN;

	fprintf(r->out, "            %s%-9s%s %s ", colour_on(r->colour, hue),
		view->enforce ? "FAULT" : "OPEN", colour_off(r->colour, hue), kind);
}

static void print_altered(const struct render *r, const struct status_view *view)
{
	if (!view->altered)
		return;
	print_fault(r, view, "image: ");
	print_clean(r->out, view->altered);
	fputc('\n', r->out);
}

static void print_unjudged(const struct render *r, const struct status_view *view)
{
	for (size_t i = 0; i < view->unjudged_count; i++) {
		const struct unjudged *unjudged = &view->unjudged[i];

		print_fault(r, view, kind_name(unjudged->kind));
		print_clean(r->out, unjudged->name);
		fputs(": ", r->out);
		print_clean(r->out, unjudged->why);
		fputc('\n', r->out);
	}
}

static void print_passed(const struct render *r, const struct status_view *view)
{
	for (size_t i = 0; i < view->redirect_count; i++) {
		const struct redirect_view *redirect = &view->redirects[i];

		if (!redirect->past)
			continue;
		print_fault(r, view, "guest");
		print_clean(r->out, redirect->past);
		fputs(": ", r->out);
		print_clean(r->out, redirect->words);
		fputs(" at ", r->out);
		print_clean(r->out, redirect->where);
		fputs(" puts packets past its hook (bpf_redirect_peer)\n", r->out);
	}
}

static void print_redirects(const struct render *r, const struct status_view *view)
{
	for (size_t i = 0; i < view->redirect_count; i++) {
		if (view->redirects[i].past)
			continue;
		fputs("  may pass  ", r->out);
		print_clean(r->out, view->redirects[i].words);
		fputs(" at ", r->out);
		print_clean(r->out, view->redirects[i].where);
		fputs(" calls bpf_redirect_peer: it can put packets past the hooks of guests\n",
		      r->out);
	}
	if (!view->redirects_unknown)
		return;
	fputs("  may pass  whether programs call bpf_redirect_peer is not known: ", r->out);
	print_clean(r->out, view->redirects_unknown);
	fputc('\n', r->out);
}

static void print_remarks(const struct render *r, const struct status_view *view)
{
	for (size_t i = 0; i < view->remark_count; i++) {
		fputs(i ? "            " : "  remarks   ", r->out);
		print_clean(r->out, view->remarks[i].text);
		fputc('\n', r->out);
	}
}

struct reason_lines {
	const struct render *render;
	bool begun;
};

static void on_reason_line(const struct reason_count *count, void *context)
{
	struct reason_lines *lines = context;
	const char *verdict = verdict_name(count->verdict);
	enum colour hue = colour_of_verdict(verdict);
	bool colour = lines->render->colour;
	char packets[FIGURE_TEXT], bytes[FIGURE_TEXT];

	fprintf(lines->render->out, "  %-9s %s%-10s%s %-9s %-7s %-19s %s packets, %s\n",
		lines->begun ? "" : "verdicts", colour_on(colour, hue), verdict,
		colour_off(colour, hue), kind_name(count->kind), dir_name(count->dir),
		reason_name(count->reason), count_text(count->packets, packets),
		bytes_text(count->bytes, bytes));
	lines->begun = true;
}

/* Ended flows make room, and are not evicted. */
static void print_classes(const struct render *r, const struct status_view *view, const char *head,
			  uint32_t first)
{
	fprintf(r->out, "  %-9s ", head);
	for (int i = FR_CLASS_UNPROVEN; i < FR_CLASSES_COUNT; i++)
		fprintf(r->out, "%s%" PRIu64 " %s", i > FR_CLASS_UNPROVEN ? ", " : "",
			view->tallies[first + (uint32_t)i], class_name(i));
	fputc('\n', r->out);
}

static void print_figures(const struct render *r, const struct status_view *view)
{
	struct reason_lines lines = {.render = r};

	reasons_each(view, on_reason_line, &lines);
	for (size_t i = 0; i < view->map_count; i++)
		fprintf(r->out, "  %-9s %-10s  %" PRIu64 " of %" PRIu64 "\n", i ? "" : "maps",
			view->maps[i].map, view->maps[i].entries, view->maps[i].max);
	fprintf(r->out,
		"  lost      %" PRIu64 " events (%" PRIu64 " held back by the rate limit)\n",
		view->tallies[FR_TALLY_EVENTS_LOST], view->tallies[FR_TALLY_EVENTS_HELD]);
	print_classes(r, view, "evicted", FR_TALLY_EVICTED);
	print_classes(r, view, "no room", FR_TALLY_NO_ROOM);
}

static void print_view(const struct render *r, const void *context)
{
	const struct status_view *view = context;
	char applied[TIME_TEXT], zeroed[TIME_TEXT], text[CLEAN_TEXT];
	size_t faults = dead_count(view);
	enum colour hue;
	const char *state = state_text(view, &hue);

	print_clean(r->out, view->policy);
	fprintf(r->out, "  %s%s%s  generation %u", colour_on(r->colour, hue), state,
		colour_off(r->colour, hue), view->generation);
	if (faults)
		fprintf(r->out, "  %zu of %zu hooks at fault", faults, view->hook_count);
	if (view->unjudged_count)
		fprintf(r->out, "  %zu named but not judged", view->unjudged_count);
	fputs("\n  source    ", r->out);
	print_clean(r->out, source_text(view));
	fprintf(r->out, " (%u rules, digest %.16s)\n", view->rules, view->digest);
	fprintf(r->out, "  applied   %.19sZ by ", time_text(view->applied, applied));
	print_clean(r->out, view->build);
	if (view->zeroed)
		fprintf(r->out, "; counters since %.19sZ", time_text(view->zeroed, zeroed));
	fputs("; not kept over a reboot\n", r->out);
	if (view->has_pending)
		fprintf(r->out, "  change    %s\n", pending_text(&view->pending, text));
	print_hooks(r, view);
	print_altered(r, view);
	print_unjudged(r, view);
	print_passed(r, view);
	print_redirects(r, view);
	print_remarks(r, view);
	print_figures(r, view);
}

/* ---------------------------------------------------------------- one line a policy */

static const struct column status_columns[] = {
	{"POLICY", .least = 12},
	{"STATE", .least = 0},
	{"ON", .order = 1, .least = 10},
	{"HOOKS", .order = 2},
	{"RULES", .order = 5, .right = true},
	{"DROPS", .right = true},
	{"WOULD-DROP", .right = true},
	{"APPLIED", .order = 4, .right = true},
	{"DIGEST", .order = 6},
	{"SOURCE", .order = 3, .least = 16},
};

struct verdict_sums {
	uint64_t packets[FR_VERDICTS];
};

static void on_reason_sum(const struct reason_count *count, void *context)
{
	((struct verdict_sums *)context)->packets[count->verdict] += count->packets;
}

static bool named_before(const struct status_view *view, size_t hook)
{
	for (size_t i = 0; i < hook; i++)
		if (str_equal(view->hooks[i].name, view->hooks[hook].name))
			return true;
	return false;
}

/* "ens5, ens6", each attach point once. */
static void print_attach_points(struct table *table, const struct status_view *view)
{
	char text[CLEAN_TEXT] = "";
	size_t used = 0;

	for (size_t i = 0; i < view->hook_count && used < sizeof(text); i++)
		if (!named_before(view, i))
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
						 used ? ", " : "", view->hooks[i].name);
	table_cell(table, COLOUR_NONE, text);
}

static void print_hook_count(struct table *table, const struct status_view *view)
{
	size_t dead = dead_count(view);
	char text[2 * FIGURE_TEXT];

	if (dead)
		snprintf(text, sizeof(text), "%zu of %zu at fault", dead, view->hook_count);
	else if (view->altered)
		snprintf(text, sizeof(text), "image altered");
	else if (view->unjudged_count)
		snprintf(text, sizeof(text), "%zu not judged", view->unjudged_count);
	else
		snprintf(text, sizeof(text), "%zu alive", view->hook_count);
	table_cell(table, fault_count(view) ? COLOUR_BAD : COLOUR_NONE, text);
}

static void print_line(struct table *table, const struct status_view *view, uint64_t now)
{
	struct verdict_sums sums = {0};
	char text[FIGURE_TEXT], note[CLEAN_TEXT];
	enum colour hue;
	const char *state = state_text(view, &hue);

	reasons_each(view, on_reason_sum, &sums);
	table_cell(table, COLOUR_BOLD, view->policy);
	table_cell(table, hue, state);
	print_attach_points(table, view);
	print_hook_count(table, view);
	snprintf(text, sizeof(text), "%u", view->rules);
	table_cell(table, COLOUR_NONE, text);
	table_cell(table, COLOUR_NONE, count_text(sums.packets[FR_DROP], text));
	table_cell(table, COLOUR_NONE, count_text(sums.packets[FR_WOULD_DROP], text));
	table_cell(table, COLOUR_NONE, age_text(view->applied, now, text));
	snprintf(text, sizeof(text), "%.12s", view->digest);
	table_cell(table, COLOUR_DIM, text);
	table_cell(table, COLOUR_NONE, source_text(view));
	if (view->has_pending)
		table_note(table, pending_text(&view->pending, note));
	for (size_t i = 0; i < view->remark_count; i++)
		table_note(table, view->remarks[i].text);
}

static void print_overview(const struct render *r, const struct status_view *views, size_t count)
{
	struct table table;
	uint64_t now = time_now();

	table_begin(&table, r, status_columns, ARRAY_SIZE(status_columns));
	for (size_t i = 0; i < count; i++)
		print_line(&table, &views[i], now);
	table_end(&table);
	print_sentence(r, "status NAME shows the hooks, verdicts and limits of one policy");
}

void render_no_policy(const struct render *r)
{
	fputs("no policy is applied\n", r->out);
}

static void print_details(const struct render *r, const struct status_view *views, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i)
			fputc('\n', r->out);
		print_folded(r, print_view, &views[i]);
	}
}

static void status_json(const struct render *r, const struct status_view *views, size_t count)
{
	json_t *document = document_new("status"), *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, view_json(&views[i]));
	json_object_set_new(document, "policies", list);
	document_print(r, document);
}

void render_status(const struct render *r, const struct status_view *views, size_t count,
		   bool details)
{
	if (r->json)
		status_json(r, views, count);
	else if (!count)
		render_no_policy(r);
	else if (details)
		print_details(r, views, count);
	else
		print_overview(r, views, count);
}

/* ---------------------------------------------------------------- verify */

static const char *const check_words[] = {
	[CHECK_TRUE] = "ok", [CHECK_WRONG] = "WRONG", [CHECK_UNKNOWN] = "-"};
static const enum colour check_colours[] = {
	[CHECK_TRUE] = COLOUR_GOOD, [CHECK_WRONG] = COLOUR_BAD, [CHECK_UNKNOWN] = COLOUR_DIM};

static json_t *check_json(const struct check_view *check)
{
	static const char *const states[] = {
		[CHECK_TRUE] = "true", [CHECK_WRONG] = "wrong", [CHECK_UNKNOWN] = "unknown"};
	json_t *value = json_object();

	json_object_set_new(value, "check", json_words(check->claim));
	json_object_set_new(value, "on", json_words(check->on));
	json_object_set_new(value, "state", json_words(states[check->state]));
	json_object_set_new(value, "text", json_words(check->text));
	json_object_set_new(value, "hint", json_words(check->hint));
	return value;
}

static json_t *probes_json(const struct verify_view *view)
{
	json_t *value;

	if (!view->probed)
		return json_null();
	value = json_object();
	json_object_set_new(value, "packets", json_count(view->probes));
	json_object_set_new(value, "rules", json_count(view->rules));
	json_object_set_new(value, "rules_probed", json_count(view->rules_probed));
	return value;
}

static json_t *verify_json(const struct verify_view *view)
{
	json_t *value = json_object(), *checks = json_array();

	json_object_set_new(value, "policy", json_words(view->policy));
	json_object_set_new(value, "mode", json_string(mode_name(view->enforce)));
	json_object_set_new(value, "generation", json_count(view->generation));
	json_object_set_new(value, "digest", json_words(view->digest));
	json_object_set_new(value, "wrong", json_count(view->wrong));
	json_object_set_new(value, "unknown", json_count(view->unknown));
	json_object_set_new(value, "probes", probes_json(view));
	for (size_t i = 0; i < view->count; i++)
		json_array_append_new(checks, check_json(&view->list[i]));
	json_object_set_new(value, "checks", checks);
	return value;
}

/* A command heals several: it is printed once for those that follow each other. */
static void print_check(const struct render *r, const struct check_view *check,
			const struct check_view *next)
{
	enum colour hue = check_colours[check->state];

	fprintf(r->out, "  %s%-5s%s  %-10s  ", colour_on(r->colour, hue), check_words[check->state],
		colour_off(r->colour, hue), check->claim);
	if (check->on) {
		print_clean(r->out, check->on);
		fputs(": ", r->out);
	}
	print_clean(r->out, check->text);
	fputc('\n', r->out);
	if (!check->hint || (next && str_equal(next->hint, check->hint)))
		return;
	fputs("         | ", r->out);
	print_clean(r->out, check->hint);
	fputc('\n', r->out);
}

static void print_verified(const struct render *r, const void *context)
{
	const struct verify_view *view = context;
	enum colour hue = view->wrong ? COLOUR_BAD : COLOUR_GOOD;

	print_clean(r->out, view->policy);
	fprintf(r->out, "  %s%s%s  %s, generation %u  %zu checks, %zu wrong, %zu not checkable\n",
		colour_on(r->colour, hue), view->wrong ? "WRONG" : "TRUE",
		colour_off(r->colour, hue), mode_name(view->enforce), view->generation, view->count,
		view->wrong, view->unknown);
	for (size_t i = 0; i < view->count; i++)
		print_check(r, &view->list[i], i + 1 < view->count ? &view->list[i + 1] : NULL);
	if (view->probed)
		fprintf(r->out, "  %zu packets of %zu of %zu rules\n", view->probes,
			view->rules_probed, view->rules);
}

void render_verify(const struct render *r, const struct verify_view *views, size_t count)
{
	json_t *document, *list;

	for (size_t i = 0; i < count && !r->json; i++) {
		if (i)
			fputc('\n', r->out);
		print_folded(r, print_verified, &views[i]);
	}
	if (!r->json)
		return;
	document = document_new("verify");
	list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, verify_json(&views[i]));
	json_object_set_new(document, "policies", list);
	document_print(r, document);
}
