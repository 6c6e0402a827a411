/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * learn [NAME]: traffic that no row explains, as edits of the policy's file. The edits are proven
 * before they are shown: the edited file is read, allows each of them, and gives all other
 * observed traffic the same verdict as before. Nothing is written.
 */
#include <errno.h>
#include <string.h>

#include "cmd.h"

static const struct loc nowhere;

/* ---------------------------------------------------------------- observed traffic */

/* The name that a process gave itself, made safe for a comment. */
static const char *process_words(struct arena *arena, const struct unexplained_view *view)
{
	char *name = arena_strdup(arena, view->process.name);

	for (char *at = name; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	return view->process.pid ? arena_printf(arena, ", process %s", name) : "";
}

static const char *seen_words(struct arena *arena, const struct unexplained_view *view)
{
	struct service service = service_one(view->tuple.proto, view->tuple.port);
	char text[SERVICE_TEXT];

	return arena_printf(arena, "%s, %llu packets%s", service_text(&service, text),
			    (unsigned long long)view->packets, process_words(arena, view));
}

static bool is_meant(const struct options *o, const struct tuple *tuple)
{
	return !(o->given & OPT_PEER) || prefix_has(&o->peer, &tuple->peer);
}

/* Different texts for different tuples. */
static const char *tuple_words(struct arena *arena, const struct tuple *tuple)
{
	char peer[ADDR_TEXT];

	return arena_printf(arena, "%u %u %u %s", tuple->dir, tuple->proto, tuple->port,
			    addr_text(&tuple->peer, peer));
}

/* Two guests may have sent the same tuple. */
static void collect_proposals(struct context *c, const struct coverage_view *view,
			      struct learn_view *learn)
{
	struct proposal *list =
		arena_alloc(c->arena, (view->unexplained_count + 1) * sizeof(*list));
	struct index known = {.arena = c->arena};
	size_t count = 0;

	for (size_t i = 0; i < view->unexplained_count; i++) {
		const struct unexplained_view *seen = &view->unexplained[i];

		if (!is_meant(&c->options, &seen->tuple) ||
		    index_insert(&known, tuple_words(c->arena, &seen->tuple), seen))
			continue;
		list[count].tuple = seen->tuple;
		list[count].answer = seen->answer ? seen->answer->text : NULL;
		list[count++].seen = seen_words(c->arena, seen);
	}
	learn->list = list;
	learn->count = count;
}

/* ---------------------------------------------------------------- the file */

static int read_file(struct context *c, const char *path, const struct source *instead,
		     struct ruleset **rs)
{
	struct context reading = *c;
	struct attach_target *hooks;
	size_t count;
	int ret;

	reading.options.policy.instead = instead;
	reading.diags = (struct diags){.arena = c->arena};
	if (c->options.events)
		ret = load_policy(&reading, path, &reading.diags, rs);
	else
		ret = load_for_host(&reading, path, rs, &hooks, &count);
	if (ret)
		c->diags = reading.diags;
	return ret;
}

static bool allows_proposals(const struct image *after, const struct learn_view *learn)
{
	for (size_t i = 0; i < learn->count; i++) {
		struct decision decision;

		if (learn->list[i].kind == PROPOSAL_NONE)
			continue;
		image_decide(after, &learn->list[i].tuple, &decision);
		if (decision.rule < FR_RULE_FIRST || decision.verdict != FR_PASS)
			return false;
	}
	return true;
}

/* Observed tuples that were not asked for keep their verdict. */
static bool leaves_others(const struct image *before, const struct image *after,
			  const struct options *o, const struct coverage_view *view)
{
	for (size_t i = 0; i < view->unexplained_count; i++) {
		const struct tuple *tuple = &view->unexplained[i].tuple;
		struct decision was, is;

		if (is_meant(o, tuple))
			continue;
		image_decide(before, tuple, &was);
		image_decide(after, tuple, &is);
		if (is.verdict != was.verdict)
			return false;
	}
	return true;
}

/* By the images: a file of others may hold so many that a walk over all rules for each is too
 * much. */
static bool is_proven(struct context *c, const struct ruleset *before, const struct ruleset *after,
		      const struct coverage_view *view, const struct learn_view *learn)
{
	CLEANUP(image_free) struct image was = {0};
	CLEANUP(image_free) struct image is = {0};

	return !image_compile(before, &c->diags, &was) && !image_compile(after, &c->diags, &is) &&
	       allows_proposals(&is, learn) && leaves_others(&was, &is, &c->options, view);
}

/* The edited file must allow the proposals and change no other observed verdict. */
static int prove(struct context *c, const struct ruleset *before, struct edit *edit,
		 const struct coverage_view *view, const struct learn_view *learn)
{
	const char *path = edit->source->name;
	struct ruleset *after;

	if (!read_file(c, path, edit_finish(edit), &after) &&
	    is_proven(c, before, after, view, learn))
		return 0;
	diag_error(&c->diags, nowhere, -EINVAL, "learn-unproven",
		   "write the rules by hand; flowreeve coverage lists the traffic that no rule "
		   "explains",
		   "cannot add rules to %s as it is written: the result would not allow exactly "
		   "what is proposed",
		   path);
	return EXIT_FAILED;
}

/* The edits are of the file: it may be newer than what was observed. */
static void warn_of_digest(struct context *c, const char *path, const struct window_view *window,
			   struct ruleset *rs)
{
	char own[DIGEST_TEXT];

	if (c->options.events || digest_runs(rs, window->enforce, window->digest, own))
		return;
	diag_warning(&c->diags, nowhere, "source-differs",
		     command_text(c->arena,
				  &(struct command_line){
					  .verb = arena_printf(c->arena, "diff %s", rs->name),
					  .pin_root = c->options.host.pin_root,
					  .operand = path}),
		     "%s (digest %s) differs from the running policy %s (digest %s): traffic "
		     "that the file decides gets no proposal",
		     path, own, rs->name, window->digest);
}

/* Reads the file of the observed policy; the file of another policy is an error. */
static int read_policy(struct context *c, const char *path, const char *policy, struct ruleset **rs)
{
	int ret = read_file(c, path, NULL, rs);

	if (ret || str_equal((*rs)->name, policy))
		return ret;
	diag_error(
		&c->diags, nowhere, -EINVAL, "source-other",
		command_text(c->arena, &(struct command_line){.verb = "learn --source FILE",
							      .pin_root = c->options.host.pin_root,
							      .operand = policy}),
		"%s is the file of policy %s, not of %s", path, (*rs)->name, policy);
	return EXIT_REJECTED;
}

static int begin_edit(struct context *c, const char *path, struct edit *edit)
{
	int err = edit_begin(c->arena, path, edit);

	if (!err)
		return 0;
	diag_error(&c->diags, nowhere, err, "file-unreadable", NULL, "%s: %s", path,
		   error_text(err));
	return EXIT_FAILED;
}

/* The edits of a file that allow what a view has as unexplained. */
/* It was applied from standard input, or --source says so. */
static int no_file(struct context *c)
{
	return usage_error(c, "flowreeve show policy > FILE; then learn --source FILE",
			   "learn proposes edits of a file, and standard input is none");
}

static int propose(struct context *c, const char *path, const struct coverage_view *view,
		   const struct window_view *window, const struct own_ports *ports)
{
	struct port_set usual;
	struct propose_options options = {.rules_only = c->options.given & OPT_RULES_ONLY,
					  .given_out = &usual};
	struct learn_view learn = {
		.policy = view->policy, .window = window, .recorded = view->recorded};
	struct edit edit;
	struct ruleset *rs;
	int ret = str_equal(path, "-") ? no_file(c) : read_policy(c, path, view->policy, &rs);

	if (ret)
		return ret;
	warn_of_digest(c, path, window, rs);
	ret = begin_edit(c, path, &edit);
	if (ret)
		return ret;
	collect_proposals(c, view, &learn);
	port_set_usual(&usual);
	if (ports) {
		options.given_out = &ports->given_out;
		options.served = &ports->served;
	}
	policy_propose(rs, &options, &edit, (struct proposal *)learn.list, learn.count);
	ret = prove(c, rs, &edit, view, &learn);
	if (ret)
		return ret;
	learn.edit = &edit;
	render_learn(&c->render, c->arena, &learn);
	c->answered = true;
	if (!c->render.json)
		render_learn_summary(stderr, &learn);
	return 0;
}

static int learn(struct context *c, const struct instance *instance, void *user)
{
	struct own_ports *ports = arena_alloc(c->arena, sizeof(*ports));
	struct coverage_view view;
	struct window_view window;
	int err;

	(void)user;
	if ((err = coverage_collect(instance, c->arena, &c->diags, &view)) ||
	    (err = window_collect(instance, &c->diags, &window)) ||
	    (err = ports_collect(instance, &c->options.host, &c->diags, ports)))
		return exit_of_read(err);
	return propose(c, c->options.source ? c->options.source : view.source, &view, &window,
		       ports);
}

static int learn_recorded(struct context *c)
{
	struct recorded_coverage coverage = {0};
	int ret = cover_recorded(c, &coverage);

	return ret ? ret : propose(c, coverage.path, &coverage.view, &coverage.window, NULL);
}

int cmd_learn(struct context *c)
{
	const char **names;
	size_t count;
	int ret;

	if (c->options.events)
		return learn_recorded(c);
	ret = named_policies(c, 0, &names, &count);
	if (ret)
		return ret;
	if (count != 1)
		return usage_error(c, "flowreeve learn NAME",
				   "%zu policies are applied; learn edits the file of one", count);
	return each_instance(c, names, count, learn, NULL);
}
