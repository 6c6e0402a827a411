/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Texts with params in them: "${namenode-port}/tcp", "datasync.${region}.amazonaws.com". Vendors
 * write the region in four ways, even within one document; all of them mean the one param `region`.
 */
#include <errno.h>
#include <string.h>

#include "table.h"

enum { EXPANSIONS_MAX = 4096 };

static const char *const region_marks[] = {"$activation_region", "{region}", "<region>"};

static bool slot_at(struct arena *arena, const char *text, size_t at, struct template_mark *out)
{
	const char *close;

	if (str_starts(text + at, "${")) {
		close = strchr(text + at, '}');
		if (!close)
			return false;
		out->start = at;
		out->end = (size_t)(close - text) + 1;
		out->param = arena_strndup(arena, text + at + 2, out->end - at - 3);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(region_marks); i++) {
		size_t length = strlen(region_marks[i]);

		if (strncasecmp(text + at, region_marks[i], length) == 0) {
			*out = (struct template_mark){
				.start = at, .end = at + length, .param = "region"};
			return true;
		}
	}
	return false;
}

bool template_next(struct arena *arena, const char *text, size_t from, struct template_mark *out)
{
	for (; text[from]; from++)
		if (slot_at(arena, text, from, out))
			return true;
	return false;
}

static bool stray_mark(const char *text, size_t start, size_t end)
{
	for (size_t i = start; i < end; i++)
		if (strchr("${}<>", text[i]))
			return true;
	return false;
}

bool template_check(struct job *job, const struct table *table, const struct node *node)
{
	const char *text = node->text;
	size_t at = 0;
	struct template_mark mark;

	while (template_next(job->arena, text, at, &mark)) {
		if (!param_find(table, mark.param)) {
			diag_error(job->d, node->loc, -EINVAL, "unknown-param",
				   hint_params(job, table, mark.param),
				   "'%.80s' names param '%.80s', which is not declared", text,
				   mark.param);
			return false;
		}
		if (stray_mark(text, at, mark.start))
			break;
		at = mark.end;
	}
	if (!stray_mark(text, at, strlen(text)))
		return true;
	diag_error(job->d, node->loc, -EINVAL, "bad-template", "write ${param}",
		   "'%.80s' has a placeholder that names no param", text);
	return false;
}

struct expansion {
	struct job *job;
	const struct settings *settings;
	struct words *out;
	bool keep_unset;
	const char *unset;
};

static void expand_from(struct expansion *x, const char *text, size_t from)
{
	const struct setting *setting;
	struct template_mark mark;

	if (x->out->count >= EXPANSIONS_MAX)
		return;
	if (!template_next(x->job->arena, text, from, &mark)) {
		words_add(x->job, x->out, text);
		return;
	}
	setting = setting_get(x->settings, mark.param);
	if (!setting || setting->values.count == 0) {
		x->unset = mark.param;
		if (x->keep_unset)
			expand_from(x, text, mark.end);
		return;
	}
	for (size_t i = 0; i < setting->values.count; i++) {
		const char *value = setting->values.list[i];

		expand_from(x,
			    arena_printf(x->job->arena, "%.*s%s%s", (int)mark.start, text, value,
					 text + mark.end),
			    mark.start + strlen(value));
	}
}

static void expand(struct expansion *x, const struct node *node)
{
	expand_from(x, node->text, 0);
	if (x->out->count >= EXPANSIONS_MAX)
		diag_error(x->job->d, node->loc, -E2BIG, "too-many-values", NULL,
			   "'%.80s' expands to %d texts or more", node->text, EXPANSIONS_MAX);
}

const char *template_expand(struct job *job, const struct settings *settings,
			    const struct node *node, struct words *out)
{
	struct expansion x = {.job = job, .settings = settings, .out = out};

	expand(&x, node);
	return x.unset;
}

void template_fill(struct job *job, const struct settings *settings, const struct node *node,
		   struct words *out)
{
	struct expansion x = {.job = job, .settings = settings, .out = out, .keep_unset = true};

	expand(&x, node);
}
