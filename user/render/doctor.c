/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The doctor's report: features with the cost of their lack, programs, ways past the hooks, and
 * the sum.
 */
#include <string.h>

#include "print.h"

static const char *answer_text(uint8_t answer)
{
	static const char *const words[] = {
		[ANSWER_NO] = "no", [ANSWER_YES] = "yes", [ANSWER_UNKNOWN] = "unknown"};

	return answer < ARRAY_SIZE(words) ? words[answer] : "unknown";
}

/* ---------------------------------------------------------------- JSON */

static json_t *kinds_json(uint32_t bits)
{
	json_t *list = json_array();

	for (unsigned kind = 0; kind < FR_KINDS; kind++)
		if (bits & 1u << kind)
			json_array_append_new(list, json_string(kind_keys[kind]));
	return list;
}

static json_t *feature_json(const struct feature *feature)
{
	json_t *value = json_object();

	json_object_set_new(value, "name", json_words(feature->name));
	json_object_set_new(value, "answer", json_string(answer_text(feature->answer)));
	json_object_set_new(value, "needed_by", kinds_json(feature->needed_by));
	json_object_set_new(value, "instead", json_words(feature->instead));
	json_object_set_new(value, "purpose", json_words(feature->purpose));
	json_object_set_new(value, "cost", json_words(feature->cost));
	json_object_set_new(value, "remedy", json_words(feature->remedy));
	json_object_set_new(value, "found", json_words(feature->found));
	return value;
}

static json_t *program_json(const struct program_fact *program)
{
	bool loads = program->answer == ANSWER_YES;
	json_t *value = json_object();

	json_object_set_new(value, "name", json_words(program->name));
	json_object_set_new(value, "answer", json_string(answer_text(program->answer)));
	json_object_set_new(value, "needed_by", kinds_json(program->needed_by));
	json_object_set_new(value, "optional", json_boolean(program->optional));
	json_object_set_new(value, "verified",
			    loads && program->verified ? json_count(program->verified)
						       : json_null());
	json_object_set_new(value, "instructions",
			    loads && program->instructions ? json_count(program->instructions)
							   : json_null());
	json_object_set_new(value, "jited", loads ? json_boolean(program->jited) : json_null());
	json_object_set_new(value, "refused", json_words(program->refused));
	return value;
}

static json_t *bypass_json(const struct bypass *bypass)
{
	json_t *value = json_object();

	json_object_set_new(value, "name", json_words(bypass->name));
	json_object_set_new(value, "seen", json_string(answer_text(bypass->answer)));
	json_object_set_new(value, "of", kinds_json(bypass->of));
	json_object_set_new(value, "what", json_words(bypass->what));
	json_object_set_new(value, "closed_by", json_words(bypass->closed_by));
	json_object_set_new(value, "found", json_words(bypass->found));
	return value;
}

static void doctor_json(const struct render *r, const struct doctor_report *report)
{
	json_t *document = document_new("doctor"), *list = json_object();

	json_object_set_new(document, "kernel", json_words(report->kernel));
	json_object_set_new(document, "machine", json_words(report->machine));
	for (unsigned kind = 0; kind < FR_KINDS; kind++)
		json_object_set_new(list, kind_keys[kind],
				    json_string(answer_text(report->can[kind])));
	json_object_set_new(document, "can_enforce", list);
	json_object_set_new(document, "tcx", json_boolean(report->tcx));
	list = json_array();
	for (size_t i = 0; i < report->feature_count; i++)
		json_array_append_new(list, feature_json(&report->features[i]));
	json_object_set_new(document, "features", list);
	list = json_array();
	for (size_t i = 0; i < report->program_count; i++)
		json_array_append_new(list, program_json(&report->programs[i]));
	json_object_set_new(document, "programs", list);
	list = json_array();
	for (size_t i = 0; i < report->bypass_count; i++)
		json_array_append_new(list, bypass_json(&report->bypasses[i]));
	json_object_set_new(document, "bypasses", list);
	document_print(r, document);
}

/* ---------------------------------------------------------------- text */

enum { NAME_WIDTH = 19 };

static void print_answer(const struct render *r, uint8_t answer, const char *name)
{
	static const enum colour hues[] = {[ANSWER_NO] = COLOUR_BAD,
					   [ANSWER_YES] = COLOUR_GOOD,
					   [ANSWER_UNKNOWN] = COLOUR_WARN};
	enum colour hue = hues[answer];

	fprintf(r->out, "%s%-7s%s  %-*s  ", colour_on(r->colour, hue), answer_text(answer),
		colour_off(r->colour, hue), NAME_WIDTH, name);
}

static void print_feature(const struct render *r, const struct feature *feature)
{
	print_answer(r, feature->answer, feature->name);
	fputs(feature->purpose, r->out);
	if (feature->found) {
		fputs(" (", r->out);
		print_clean(r->out, feature->found);
		fputc(')', r->out);
	}
	if (feature->answer != ANSWER_YES)
		fprintf(r->out, "; without it: %s", feature->cost);
	/* A feature that was not tried needs no remedy. */
	if (feature->answer != ANSWER_YES &&
	    !(feature->found && str_starts(feature->found, "not tried")))
		fprintf(r->out, "; remedy: %s", feature->remedy);
	fputc('\n', r->out);
}

static void print_program(const struct render *r, const struct program_fact *program)
{
	print_answer(r, program->answer, program->name);
	if (program->answer == ANSWER_YES)
		fprintf(r->out, "loads; %u instructions verified, %u in the program%s",
			program->verified, program->instructions,
			program->jited ? "" : ", not compiled");
	else
		print_clean(r->out, program->refused ? program->refused : "does not load");
	if (program->answer == ANSWER_NO && program->optional)
		fputs("; enforcement does not need it", r->out);
	fputc('\n', r->out);
}

static void print_bypass(const struct render *r, const struct bypass *bypass)
{
	enum colour hue = bypass->answer == ANSWER_YES ? COLOUR_WARN : COLOUR_DIM;

	if (bypass->answer == ANSWER_NO)
		return;
	fprintf(r->out, "%sbypass:%s  %-*s  %s", colour_on(r->colour, hue),
		colour_off(r->colour, hue), NAME_WIDTH, bypass->name, bypass->what);
	if (bypass->found) {
		fputs(bypass->answer == ANSWER_UNKNOWN ? " (unknown: " : " (seen: ", r->out);
		print_clean(r->out, bypass->found);
		fputc(')', r->out);
	}
	fprintf(r->out, "; closed by: %s\n", bypass->closed_by);
}

/* "interfaces (TCX), guests (TCX)": the kinds that have this answer; NULL when none has. */
/* How it attaches to devices. */
static const char *kind_way(const struct doctor_report *report, unsigned kind)
{
	if (report->can[kind] != ANSWER_YES || kind == FR_KIND_CGROUP)
		return "";
	return report->tcx ? " (TCX)" : " (clsact)";
}

static char *kinds_text(const struct doctor_report *report, uint8_t answer, char *out, size_t size)
{
	size_t used = 0;

	*out = '\0';
	for (unsigned kind = 0; kind < FR_KINDS; kind++)
		if (report->can[kind] == answer && used < size)
			used += (size_t)snprintf(out + used, size - used, "%s%s%s",
						 used ? ", " : "", kind_keys[kind],
						 kind_way(report, kind));
	return used ? out : NULL;
}

static void print_verdict(const struct render *r, const struct doctor_report *report)
{
	static const struct {
		uint8_t answer;
		enum colour hue;
		const char *words;
	} verdicts[] = {
		{ANSWER_YES, COLOUR_GOOD, "this host can enforce on "},
		{ANSWER_NO, COLOUR_BAD, "this host cannot enforce on "},
		{ANSWER_UNKNOWN, COLOUR_WARN,
		 "unknown from here: whether this host can enforce on "},
	};
	char text[128];

	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++)
		if (kinds_text(report, verdicts[i].answer, text, sizeof(text)))
			fprintf(r->out, "%s%s%s%s\n", colour_on(r->colour, verdicts[i].hue),
				verdicts[i].words, text, colour_off(r->colour, verdicts[i].hue));
}

void render_doctor(const struct render *r, const struct doctor_report *report)
{
	if (r->json) {
		doctor_json(r, report);
		return;
	}
	fprintf(r->out, "kernel   %s %s\n\n", report->kernel, report->machine);
	for (size_t i = 0; i < report->feature_count; i++)
		print_feature(r, &report->features[i]);
	fputc('\n', r->out);
	for (size_t i = 0; i < report->program_count; i++)
		print_program(r, &report->programs[i]);
	fputc('\n', r->out);
	for (size_t i = 0; i < report->bypass_count; i++)
		print_bypass(r, &report->bypasses[i]);
	fputc('\n', r->out);
	print_verdict(r, report);
}
