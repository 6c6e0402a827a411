/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reports of the verbs that change something: apply, detach, zero; and of version.
 */
#include "print.h"

void render_version(const struct render *r, const char *version)
{
	json_t *document;

	if (!r->json) {
		fprintf(r->out, "flowreeve %s (abi %d)\n", version, FR_ABI_VERSION);
		return;
	}
	document = document_new("version");
	json_object_set_new(document, "version", json_words(version));
	json_object_set_new(document, "abi", json_count(FR_ABI_VERSION));
	document_print(r, document);
}

static const char *outcome_text(const struct apply_result *result)
{
	if (result->unchanged)
		return "unchanged";
	return result->replaced ? "replaced" : "applied";
}

static json_t *lowered_json(const struct apply_result *result)
{
	json_t *list = json_array(), *item;

	for (size_t i = 0; i < result->lowered_count; i++) {
		item = json_object();
		json_object_set_new(item, "check", json_words(result->lowered[i].check));
		json_object_set_new(item, "what", json_words(result->lowered[i].what));
		json_array_append_new(list, item);
	}
	return list;
}

/* Whole seconds, rounded up: "59 s", "9 min 20 s", "23 h 59 min". */
static char *left_text(uint64_t ns, char *out)
{
	unsigned seconds = (unsigned)((ns + 999999999) / 1000000000);

	if (seconds < 120)
		snprintf(out, FIGURE_TEXT, "%u s", seconds);
	else if (seconds < 7200)
		snprintf(out, FIGURE_TEXT, "%u min %u s", seconds / 60, seconds % 60);
	else
		snprintf(out, FIGURE_TEXT, "%u h %u min", seconds / 3600, seconds / 60 % 60);
	return out;
}

json_t *pending_json(const struct pending *pending)
{
	json_t *item = json_object();
	bool confirm = pending->kind == FR_PENDING_CONFIRM;

	json_object_set_new(item, "kind", json_string(confirm ? "confirm" : "until"));
	json_object_set_new(item, "id", json_count(pending->generation));
	json_object_set_new(item, "generation_after", json_count(pending->before));
	json_object_set_new(item, "uid", json_count(pending->uid));
	json_object_set_new(item, "login_uid",
			    pending->login == UINT32_MAX ? json_null()
							 : json_count(pending->login));
	json_object_set_new(item, "asked", json_time(pending->asked));
	json_object_set_new(item, "ends", json_time(pending->ends));
	json_object_set_new(item, "seconds_left",
			    json_count((pending->left + 999999999) / 1000000000));
	return item;
}

char *pending_text(const struct pending *pending, char *out)
{
	bool confirm = pending->kind == FR_PENDING_CONFIRM;
	char left[FIGURE_TEXT], ends[TIME_TEXT];

	left_text(pending->left, left);
	time_text(pending->ends, ends);
	if (!pending->left && confirm)
		snprintf(out, CLEAN_TEXT, "change %u was rolled back at %s", pending->generation,
			 ends);
	else if (!pending->left)
		snprintf(out, CLEAN_TEXT, "enforcement ended at %s, as asked", ends);
	else if (confirm)
		snprintf(out, CLEAN_TEXT, "change %u waits for its confirmation: in %s %s in force",
			 pending->generation, left,
			 pending->before ? "the policy before it is back" : "no policy is");
	else
		snprintf(out, CLEAN_TEXT, "in %s, at %s, enforcement ends and audit begins", left,
			 ends);
	return out;
}

static void apply_json(const struct render *r, const struct apply_request *request,
		       const struct apply_result *result, const struct cut_view *cut)
{
	json_t *document = document_new("apply"), *hooks = json_array(), *hook;
	char digest[DIGEST_TEXT];

	json_object_set_new(document, "policy", json_words(request->ruleset->name));
	json_object_set_new(document, "mode", json_string(mode_name(request->ruleset->enforce)));
	json_object_set_new(document, "outcome", json_string(outcome_text(result)));
	json_object_set_new(document, "generation", json_count(result->generation));
	json_object_set_new(document, "digest",
			    json_string(digest_text(request->image->digest, digest)));
	json_object_set_new(document, "tcx", json_boolean(result->tcx));
	json_object_set_new(document, "hooks_added", json_count(result->hooks_added));
	json_object_set_new(document, "hooks_removed", json_count(result->hooks_removed));
	for (size_t i = 0; i < request->hook_count; i++) {
		hook = json_object();
		json_object_set_new(hook, "kind", json_string(kind_name(request->hooks[i].kind)));
		json_object_set_new(hook, "name", json_words(request->hooks[i].name));
		json_array_append_new(hooks, hook);
	}
	json_object_set_new(document, "hooks", hooks);
	json_object_set_new(document, "failsafe", json_failsafe(request->ruleset));
	json_object_set_new(document, "lowered", lowered_json(result));
	json_object_set_new(document, "pending",
			    result->ends ? pending_json(&result->pending) : json_null());
	json_object_set_new(document, "preview", json_preview(cut ? cut->preview : NULL));
	json_object_set_new(document, "closed",
			    cut && cut->closes ? json_count(cut->closed) : json_null());
	document_print(r, document);
}

static void print_cut(const struct render *r, const struct cut_view *cut)
{
	if (cut->closes)
		fprintf(r->out, "  closed    %zu socket%s of this host\n", cut->closed,
			cut->closed == 1 ? "" : "s");
	print_preview_cut(r, cut->preview);
}

static void print_lowered(FILE *out, const struct apply_result *result)
{
	for (size_t i = 0; i < result->lowered_count; i++) {
		fputs(i ? "            " : "  lowered   ", out);
		print_clean(out, result->lowered[i].what);
		fputc('\n', out);
	}
}

static void print_next(FILE *out, const struct apply_request *request)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct command_line show = {
		.verb = "show", .pin_root = request->host.pin_root, .operand = "drops"};
	struct command_line enforce = {.verb = "apply",
				       .mode = mode_name(true),
				       .pin_root = request->host.pin_root,
				       .more = request->words,
				       .more_count = request->word_count,
				       .operand = request->source};

	fputs("  next      ", out);
	print_clean(out, command_text(arena, &show));
	if (!request->ruleset->enforce) {
		fputs("; then ", out);
		print_clean(out, command_text(arena, &enforce));
	}
	fputc('\n', out);
}

static void print_confirm(FILE *out, const struct apply_request *request)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct command_line confirm = {.verb = "confirm",
				       .pin_root = request->host.pin_root,
				       .operand = request->ruleset->name};
	struct command_line cancel = confirm;

	cancel.verb = "cancel";
	fputs("  next      ", out);
	print_clean(out, command_text(arena, &confirm));
	fputs("; or ", out);
	print_clean(out, command_text(arena, &cancel));
	fputc('\n', out);
}

static void print_hooks(FILE *out, const struct apply_request *request)
{
	fputs("  attached  ", out);
	for (size_t i = 0; i < request->hook_count; i++) {
		fprintf(out, "%s%s ", i ? ", " : "", kind_name(request->hooks[i].kind));
		print_clean(out, request->hooks[i].name);
	}
	fputc('\n', out);
}

static bool attaches_interfaces(const struct apply_request *request)
{
	for (size_t i = 0; i < request->hook_count; i++)
		if (request->hooks[i].kind != FR_KIND_CGROUP)
			return true;
	return false;
}

void render_apply(const struct render *r, const struct apply_request *request,
		  const struct apply_result *result, const struct cut_view *cut)
{
	bool enforce = request->ruleset->enforce;
	char text[CLEAN_TEXT];

	if (r->json) {
		apply_json(r, request, result, cut);
		return;
	}
	fprintf(r->out, "%s%s%s  ", colour_on(r->colour, COLOUR_GOOD), outcome_text(result),
		colour_off(r->colour, COLOUR_GOOD));
	print_clean(r->out, request->ruleset->name);
	fprintf(r->out, "  %s  generation %u\n", mode_name(enforce), result->generation);
	print_hooks(r->out, request);
	if (attaches_interfaces(request))
		fprintf(r->out, "  by        %s\n", result->tcx ? "TCX links" : "clsact filters");
	fprintf(r->out, "  means     %s\n",
		enforce ? "refused packets are dropped, until detach or a reboot"
			: "nothing is dropped; packets that enforcement would drop are counted "
			  "and reported");
	print_lowered(r->out, result);
	if (result->ends)
		fprintf(r->out, "  but       %s\n", pending_text(&result->pending, text));
	if (result->ends && request->confirm)
		print_confirm(r->out, request);
	else
		print_next(r->out, request);
	if (cut)
		print_cut(r, cut);
}

void render_pending(const struct render *r, const struct pending_request *request,
		    const struct pending_outcome *outcome)
{
	static const char *const outcomes[] = {[PENDING_CONFIRM] = "confirmed",
					       [PENDING_CANCEL] = "cancelled",
					       [PENDING_EXTEND] = "extended"};
	static const char *const verbs[] = {[PENDING_CONFIRM] = "confirm",
					    [PENDING_CANCEL] = "cancel",
					    [PENDING_EXTEND] = "extend"};
	const struct pending *pending = &outcome->pending;
	char left[FIGURE_TEXT], digest[DIGEST_TEXT];
	json_t *document;

	if (r->json) {
		document = document_new(verbs[request->action]);
		json_object_set_new(document, "policy", json_words(request->policy));
		json_object_set_new(document, "outcome", json_string(outcomes[request->action]));
		json_object_set_new(document, "digest",
				    json_words(digest_text(outcome->digest, digest)));
		json_object_set_new(document, "pending", pending_json(pending));
		document_print(r, document);
		return;
	}
	fprintf(r->out, "%s%s%s  ", colour_on(r->colour, COLOUR_GOOD), outcomes[request->action],
		colour_off(r->colour, COLOUR_GOOD));
	print_clean(r->out, request->policy);
	fprintf(r->out, "  change %u", pending->generation);
	if (request->action == PENDING_EXTEND)
		fprintf(r->out, "; it waits for %s", left_text(pending->left, left));
	else if (request->action == PENDING_CANCEL)
		fputs(pending->before ? "; the policy before it is in force"
				      : "; no policy is in force",
		      r->out);
	fputc('\n', r->out);
}

void render_detach(const struct render *r, size_t count)
{
	json_t *document;

	if (!r->json) {
		if (count == 1)
			fputs("detached 1 policy; nothing of it is left\n", r->out);
		else if (count)
			fprintf(r->out, "detached %zu policies; nothing of them is left\n", count);
		else
			fputs("no policy was applied\n", r->out);
		return;
	}
	document = document_new("detach");
	json_object_set_new(document, "policies", json_count(count));
	document_print(r, document);
}

static json_t *json_names(const char *const *names, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_words(names[i]));
	return list;
}

static void print_names(FILE *out, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		fputs(i ? ", " : "", out);
		print_clean(out, names[i]);
	}
}

static void zero_json(const struct render *r, const struct window_view *windows,
		      size_t policy_count, const char *const *rules, size_t rule_count)
{
	json_t *document = document_new("zero"), *list = json_array(), *names = json_array();

	for (size_t i = 0; i < policy_count; i++) {
		json_array_append_new(names, json_words(windows[i].policy));
		json_array_append_new(list, json_window(&windows[i]));
	}
	json_object_set_new(document, "policies", names);
	json_object_set_new(document, "rules", json_names(rules, rule_count));
	json_object_set_new(document, "windows", list);
	document_print(r, document);
}

void render_zero(const struct render *r, const struct window_view *windows, size_t policy_count,
		 const char *const *rules, size_t rule_count)
{
	if (r->json) {
		zero_json(r, windows, policy_count, rules, rule_count);
		return;
	}
	fputs("zeroed ", r->out);
	for (size_t i = 0; i < policy_count; i++) {
		fputs(i ? ", " : "", r->out);
		print_clean(r->out, windows[i].policy);
	}
	fputs(rule_count ? ": " : ": all rules", r->out);
	print_names(r->out, rules, rule_count);
	fputc('\n', r->out);
}
