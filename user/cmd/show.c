/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * show rules|flows|drops: counters by rule, live flows, refusals. Each streams policy by
 * policy.
 */
#include <string.h>

#include "cmd.h"

/* Arguments of the visitors of one instance's table. */
struct shown {
	struct render_stream *stream;
	const char *policy;
	const struct prefix *peer; /* NULL: any */
};

static bool is_asked_for(const struct shown *shown, const struct fr_flow_key *key)
{
	struct addr peer;

	if (!shown->peer)
		return true;
	memcpy(peer.b, key->peer, sizeof(peer.b));
	return prefix_has(shown->peer, &peer);
}

static int show_window(struct context *c, const struct instance *instance,
		       struct render_stream *stream)
{
	struct window_view window;
	int err = window_collect(instance, &c->diags, &window);

	if (!err)
		render_window(stream, &window);
	return err;
}

static int show_rules(struct context *c, const struct instance *instance, void *user)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct shown *shown = user;
	struct rule_view *rules;
	size_t count;
	int err = rules_collect(instance, arena, &c->diags, &rules, &count);

	if (err)
		return exit_of_read(err);
	err = show_window(c, instance, shown->stream);
	if (err)
		return exit_of_read(err);
	render_rules(shown->stream, instance->name, rules, count);
	return 0;
}

/* The reader has gone: do not write a million flows to it. run.c reports the reason. */
static int reader_gone(void)
{
	return ferror(stdout) ? EXIT_FAILED : 0;
}

static int show_flow(const struct flow_view *flow, void *user)
{
	struct shown *shown = user;

	if (!is_asked_for(shown, &flow->key))
		return 0;
	render_flow(shown->stream, shown->policy, flow);
	return reader_gone();
}

static int show_flows(struct context *c, const struct instance *instance, void *user)
{
	struct shown *shown = user;
	int ret;

	shown->policy = instance->name;
	ret = show_window(c, instance, shown->stream);
	if (!ret)
		ret = flows_each(instance, &c->diags, show_flow, shown);
	return ret > 0 ? ret : exit_of_read(ret);
}

static int show_drop(const struct drop_view *drop, void *user)
{
	struct shown *shown = user;

	if (!is_asked_for(shown, &drop->key))
		return 0;
	render_drop(shown->stream, shown->policy, drop);
	return reader_gone();
}

/* A flood has more sources than the list holds: the rules count the rest. */
static int show_not_listed(struct context *c, const struct instance *instance, struct shown *shown)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct rule_view *rules;
	size_t count;
	int err = rules_collect(instance, arena, &c->diags, &rules, &count);

	/* Their addresses are not known: show them for any --peer. */
	for (size_t i = 0; !err && i < count; i++)
		if (rules[i].totals.unlisted)
			render_not_listed(shown->stream, instance->name, &rules[i]);
	return err;
}

static int show_drops(struct context *c, const struct instance *instance, void *user)
{
	struct shown *shown = user;
	int ret;

	shown->policy = instance->name;
	ret = show_window(c, instance, shown->stream);
	if (ret)
		return exit_of_read(ret);
	ret = drops_each(instance, &c->diags, show_drop, shown);
	if (ret)
		return ret > 0 ? ret : exit_of_read(ret);
	return exit_of_read(show_not_listed(c, instance, shown));
}

static const struct show {
	const char *what;
	struct render_stream *(*begin)(const struct render *);
	int (*visit)(struct context *, const struct instance *, void *);
} shows[] = {
	{"rules", render_rules_begin, show_rules},
	{"flows", render_flows_begin, show_flows},
	{"drops", render_drops_begin, show_drops},
};

static const struct show *find_show(struct context *c, const char *word)
{
	const char *names[ARRAY_SIZE(shows)], *near;

	for (size_t i = 0; i < ARRAY_SIZE(shows); i++) {
		if (str_equal(shows[i].what, word))
			return &shows[i];
		names[i] = shows[i].what;
	}
	near = nearest_word(word, names, ARRAY_SIZE(names));
	usage_error(c,
		    near ? arena_printf(c->arena, "did you mean '%s'?", near)
			 : "rules, flows or drops",
		    "show has no report '%s'", word);
	return NULL;
}

int cmd_show(struct context *c)
{
	const struct show *show = find_show(c, c->options.operands[0]);
	struct shown shown;
	const char **names;
	size_t count;
	int ret;

	if (!show)
		return EXIT_USAGE;
	if (c->options.given & OPT_PEER && show->visit == show_rules)
		return usage_error(c, "show flows and show drops do",
				   "show rules does not select by peer");
	c->schema = show->what;
	ret = named_policies(c, 1, &names, &count);
	if (ret)
		return ret;
	c->answered = true;
	if (!count && !c->render.json) { /* a heading alone would be unclear */
		render_no_policy(&c->render);
		return 0;
	}
	shown.peer = c->options.given & OPT_PEER ? &c->options.peer : NULL;
	shown.stream = show->begin(&c->render);
	ret = each_instance(c, names, count, show->visit, &shown);
	render_end(shown.stream);
	return ret;
}
