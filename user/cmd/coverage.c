/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * coverage [NAME]...: rows that see traffic, rows that never do, and traffic that no row covers.
 * report POLICY: the same with its documents and refusals, as one file.
 * All figures are the kernel's; the document that apply kept names the tables and gives the nearest
 * miss of each, or a file in its place, which is reported where it differs.
 */
#include <errno.h>
#include <string.h>

#include "cmd.h"

static const struct loc nowhere;

static const char *first_error(const struct diags *d)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->list[i].severity == SEV_ERROR)
			return d->list[i].message;
	return "it cannot be read";
}

/* The reader fills in the path of the file. */
static const char *source_command(struct context *c, const char *policy)
{
	struct command_line line = {.verb = "coverage --source FILE",
				    .pin_root = c->options.host.pin_root,
				    .operand = policy};

	return command_text(c->arena, &line);
}

static const char *apply_command(struct context *c, const struct coverage_view *view,
				 const char *path)
{
	struct command_line line = {.verb = "apply",
				    .mode = mode_name(view->enforce),
				    .pin_root = c->options.host.pin_root,
				    .operand = path};

	return command_text(c->arena, &line);
}

static void warn_unreadable(struct context *c, const struct coverage_view *view, const char *path,
			    const struct diags *d)
{
	diag_warning(&c->diags, nowhere, "source-unreadable", source_command(c, view->policy),
		     "no nearest misses, because the file of %s cannot be used: %s: %s",
		     view->policy, path, first_error(d));
}

/* A file, as this host would apply it now; apply has reported its warnings. */
static enum source_state read_file(struct context *c, const struct coverage_view *view,
				   const char *path, struct ruleset **rs)
{
	struct context reading = *c;
	char running[DIGEST_TEXT], own[DIGEST_TEXT];
	struct attach_target *hooks;
	size_t count;

	reading.diags = (struct diags){.arena = c->arena};
	if (load_for_host(&reading, path, rs, &hooks, &count)) {
		warn_unreadable(c, view, path, &reading.diags);
		return SOURCE_UNREADABLE;
	}
	digest_text(view->digest, running);
	if (digest_runs(*rs, view->enforce, running, own) && str_equal((*rs)->name, view->policy))
		return SOURCE_RUNS;
	diag_warning(&c->diags, nowhere, "source-differs", apply_command(c, view, path),
		     "%s (digest %s) differs from the running policy %s (digest %s); nearest "
		     "misses are those of the file",
		     path, own, view->policy, running);
	return SOURCE_DIFFERS;
}

/* The rules of the policy in force: of the document that apply kept; of a policy that an older
 * version applied, the file, and with a warning where the document cannot be believed. */
static enum source_state read_source(struct context *c, const struct coverage_view *view,
				     struct ruleset **rs)
{
	struct context reading = *c;
	struct running_policy running = {0};

	if (c->options.source)
		return read_file(c, view, c->options.source, rs);
	reading.diags = (struct diags){.arena = c->arena};
	if (load_running(&reading, view->policy, &running)) {
		if (!diags_have(&reading.diags, "document-missing"))
			warnings_of(c, &reading.diags);
		return read_file(c, view, view->source, rs);
	}
	*rs = running.rs;
	return SOURCE_RUNS;
}

static struct rule_view *view_of(struct coverage_view *view, const struct rule *rule)
{
	for (size_t i = 0; i < view->rule_count; i++)
		if (str_equal(view->rules[i].id, rule->id) &&
		    str_equal(view->rules[i].dir, dir_name(rule->dir)))
			return &view->rules[i];
	return NULL;
}

static void mark_shared(struct coverage_view *view, const struct rule *rule,
			const struct covered_by *by, struct arena *arena)
{
	struct rule_view *covered = view_of(view, rule);

	for (size_t i = 0; covered && i < by->count && i < COVERED_NAMED; i++) {
		struct rule_view *other = view_of(view, by->by[i]);

		if (other && !other->shares_with)
			other->shares_with = rule->id;
	}
	if (covered)
		covered->shares_with = covered_names(arena, by);
}

/* Rules of the same traffic: the others have all the figures, so none is proven unused. */
static void find_shared(struct coverage_view *view, const struct ruleset *rs, struct diags *d)
{
	struct image image = {0};
	struct covered_by by;

	if (image_compile(rs, d, &image))
		return;
	for (size_t i = 0; i < rs->rule_count; i++)
		if (rule_covered(rs, &image, &rs->rules[i], &by))
			mark_shared(view, &rs->rules[i], &by, d->arena);
	image_free(&image);
}

static const char *nearest(const struct ruleset *rs, const struct tuple *tuple)
{
	struct decision decision;
	const char *why = NULL;

	ruleset_decide(rs, tuple, &decision);
	if (decision.rule >= FR_RULE_FIRST)
		return arena_printf(rs->arena, "rule %s of the file decides it once it is applied",
				    ruleset_rule_name(rs, decision.rule));
	return ruleset_nearest(rs, tuple, &why) ? why : NULL;
}

static void explain(struct coverage_view *view, const struct ruleset *rs, struct diags *d)
{
	for (size_t i = 0; i < view->unexplained_count; i++)
		view->unexplained[i].nearest = nearest(rs, &view->unexplained[i].tuple);
	find_shared(view, rs, d);
}

/* The rest of the report stands when the sockets cannot be read. */
static int compare_sockets(struct context *c, const struct instance *instance,
			   struct coverage_view *view)
{
	int err;

	if (!view->file) {
		view->listening.left_out = "the file of the policy cannot be read";
		return 0;
	}
	err = listening_collect(instance, &c->options.host, view->file, &c->diags,
				&view->listening);
	if (err)
		view->listening.left_out = "the sockets cannot be read";
	return err;
}

/* All of it; a positive result fails the command, and the report stands. */
static int collect_report(struct context *c, const struct instance *instance,
			  struct report_view *out)
{
	struct coverage_view *view = &out->coverage;
	struct ruleset *rs = NULL;
	int err = coverage_collect(instance, c->arena, &c->diags, view);

	if (!err)
		err = window_collect(instance, &c->diags, &out->window);
	if (err)
		return err;
	out->source = read_source(c, view, &rs);
	if (out->source != SOURCE_UNREADABLE)
		view->file = rs;
	err = compare_sockets(c, instance, view);
	if (!view->file)
		return 0;
	explain(view, rs, &c->diags);
	return err ? exit_of_read(err) : 0;
}

static int cover(struct context *c, const struct instance *instance, void *user)
{
	struct report_view report = {0};
	int ret = collect_report(c, instance, &report);

	if (ret < 0)
		return exit_of_read(ret);
	render_window(user, &report.window);
	render_coverage(user, &report.coverage, report.source);
	return ret;
}

static int cover_events(struct context *c)
{
	struct recorded_coverage coverage = {0};
	struct render_stream *stream;
	int ret = cover_recorded(c, &coverage);

	if (ret)
		return ret;
	explain(&coverage.view, coverage.rs, &c->diags);
	c->answered = true;
	stream = render_coverage_begin(&c->render);
	render_window(stream, &coverage.window);
	render_coverage(stream, &coverage.view, SOURCE_RUNS);
	render_end(stream);
	return 0;
}

int cmd_coverage(struct context *c)
{
	struct render_stream *stream;
	const char **names;
	size_t count;
	int ret;

	if (c->options.events)
		return cover_events(c);
	ret = named_policies(c, 0, &names, &count);
	if (ret)
		return ret;
	if (c->options.source && count != 1)
		return usage_error(c, "flowreeve coverage NAME --source FILE",
				   "--source is the file of one policy, but %zu policies are "
				   "selected",
				   count);
	c->answered = true;
	if (!count && !c->render.json) { /* no output would be unclear */
		render_no_policy(&c->render);
		return 0;
	}
	stream = render_coverage_begin(&c->render);
	ret = each_instance(c, names, count, cover, stream);
	render_end(stream);
	return ret;
}

/* ---------------------------------------------------------------- report */

static int write_output(struct context *c, const char *path, const char *text, size_t size)
{
	int err = file_replace(c->arena, path, text, size);

	if (err)
		diag_error(
			&c->diags, nowhere, err, "output-unwritten",
			"-o FILE: a new name, or a file that is no link, in a directory that you "
			"can write to",
			"%s cannot be written: %s", path, error_text(err));
	return err ? EXIT_FAILED : 0;
}

/* In memory first: a file is replaced whole. */
static int write_report(struct context *c, const struct report_view *report)
{
	bool text = c->options.given & OPT_TEXT;
	char *out CLEANUP(free_ptr) = NULL;
	struct render render = c->render;
	size_t size;

	if (!c->options.output) {
		render_report(&c->render, report, text);
		return 0;
	}
	render.out = open_memstream(&out, &size);
	if (!render.out)
		return exit_of_read(-ENOMEM);
	render.colour = false;
	render.width = 0;
	render_report(&render, report, text);
	if (fclose(render.out))
		return exit_of_read(-ENOMEM);
	return write_output(c, c->options.output, out, size);
}

static int report(struct context *c, const struct instance *instance, void *user)
{
	struct report_view view = {0};
	int ret = collect_report(c, instance, &view), err, unread;

	(void)user;
	if (ret < 0)
		return exit_of_read(ret);
	err = drops_collect(instance, c->arena, &c->diags, &view.drops);
	if (err)
		return exit_of_read(err);
	unread = changes_find(c, view.window.policy, &view.changes);
	err = write_report(c, &view);
	c->answered = !err;
	if (err)
		return err;
	return unread ? unread : ret;
}

int cmd_report(struct context *c)
{
	return each_instance(c, c->options.operands, 1, report, NULL);
}
