/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * show rules|flows|drops: counters by rule, live flows, refusals. Each streams policy by
 * policy. show policy is in diff.c.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd.h"

/* One thing to list, with what it is sorted by. */
struct shown_item {
	struct facts facts;
	union {
		struct flow_view flow;
		struct drop_view drop;
	};
};

/* Arguments of the visitors of one instance's table. */
struct shown {
	struct render_stream *stream;
	const struct options *options;
	const char *policy;
	uint64_t now, lines;
	/* those of one policy that are sorted */
	struct arena *arena;
	struct shown_item *list;
	size_t count, capacity;
};

enum { LIMIT_REACHED = 1000 };

static bool is_asked_for(const struct shown *shown, const struct facts *facts)
{
	const struct options *o = shown->options;

	if (o->given & OPT_PEER && !prefix_has(&o->peer, &facts->peer))
		return false;
	return filter_has(&o->filter, facts, shown->now);
}

static bool is_full(const struct shown *shown)
{
	return shown->options->limit && shown->lines >= shown->options->limit;
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

/* ---------------------------------------------------------------- rules */

static int compare_rules(const void *a, const void *b, void *order)
{
	struct facts x, y;

	facts_of_rule(a, &x);
	facts_of_rule(b, &y);
	return facts_compare(&x, &y, *(const enum order *)order);
}

/* Those that are asked for, in their order. Returns how many. */
static size_t select_rules(struct shown *shown, struct rule_view *rules, size_t count)
{
	enum order order = shown->options->order;
	size_t kept = 0;

	if (order)
		qsort_r(rules, count, sizeof(*rules), compare_rules, &order);
	for (size_t i = 0; i < count && !is_full(shown); i++) {
		struct facts facts;

		facts_of_rule(&rules[i], &facts);
		if (!is_asked_for(shown, &facts))
			continue;
		rules[kept++] = rules[i];
		shown->lines++;
	}
	return kept;
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
	count = select_rules(shown, rules, count);
	render_rules(shown->stream, instance->name, rules, count, shown->options->order);
	return 0;
}

/* ---------------------------------------------------------------- flows and drops */

/* The reader has gone: do not write a million flows to it. run.c reports the reason. */
static int reader_gone(void)
{
	return ferror(stdout) ? EXIT_FAILED : 0;
}

static int print_flow(struct shown *shown, const struct flow_view *flow)
{
	if (is_full(shown))
		return LIMIT_REACHED;
	render_flow(shown->stream, shown->policy, flow);
	shown->lines++;
	return reader_gone();
}

static int compare_items(const void *a, const void *b, void *order)
{
	const struct shown_item *x = a, *y = b;

	return facts_compare(&x->facts, &y->facts, *(const enum order *)order);
}

static struct shown_item *item_add(struct shown *shown, const struct facts *facts)
{
	shown->list = arena_grow(shown->arena, shown->list, shown->count, &shown->capacity,
				 sizeof(*shown->list));
	shown->list[shown->count].facts = *facts;
	return &shown->list[shown->count++];
}

static const char *kept(struct arena *arena, const char *text)
{
	return text ? arena_strdup(arena, text) : NULL;
}

/* The texts of a view end with the walk that gives it. */
static void keep_flow(struct shown *shown, const struct flow_view *flow)
{
	struct flow_view copy = *flow;
	struct facts facts;

	copy.scope = kept(shown->arena, flow->scope);
	copy.rule = kept(shown->arena, flow->rule);
	copy.table = kept(shown->arena, flow->table);
	copy.row = kept(shown->arena, flow->row);
	facts_of_flow(&copy, &facts);
	item_add(shown, &facts)->flow = copy;
}

static int show_flow(const struct flow_view *flow, void *user)
{
	struct shown *shown = user;
	struct facts facts;

	facts_of_flow(flow, &facts);
	if (!is_asked_for(shown, &facts))
		return 0;
	if (!shown->options->order)
		return print_flow(shown, flow);
	keep_flow(shown, flow);
	return 0;
}

static int print_sorted_flows(struct shown *shown)
{
	enum order order = shown->options->order;
	int ret = 0;

	if (shown->count)
		qsort_r(shown->list, shown->count, sizeof(*shown->list), compare_items, &order);
	for (size_t i = 0; i < shown->count && !ret; i++)
		ret = print_flow(shown, &shown->list[i].flow);
	return ret;
}

static void begin_policy(struct shown *shown, const struct instance *instance, struct arena *arena)
{
	shown->policy = instance->name;
	shown->arena = arena;
	shown->list = NULL;
	shown->count = shown->capacity = 0;
}

/* The limit ends a list, not the command. */
static int exit_of_list(int ret)
{
	if (ret == LIMIT_REACHED)
		return 0;
	return ret > 0 ? ret : exit_of_read(ret);
}

static int show_flows(struct context *c, const struct instance *instance, void *user)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct shown *shown = user;
	int ret;

	begin_policy(shown, instance, arena);
	ret = show_window(c, instance, shown->stream);
	if (ret)
		return exit_of_read(ret);
	ret = flows_each(instance, &c->diags, show_flow, shown);
	if (ret)
		return exit_of_list(ret);
	return exit_of_list(print_sorted_flows(shown));
}

/* Drops and would-drops apart; newest first, or as --sort says. */
static int compare_drops(const void *a, const void *b, void *order)
{
	const struct shown_item *x = a, *y = b;

	if (x->drop.drop.verdict != y->drop.drop.verdict)
		return x->drop.drop.verdict < y->drop.drop.verdict ? -1 : 1;
	return compare_items(a, b, order);
}

static int print_sorted_drops(struct shown *shown)
{
	enum order order = shown->options->order ? shown->options->order : ORDER_LAST;
	int ret = 0;

	if (shown->count)
		qsort_r(shown->list, shown->count, sizeof(*shown->list), compare_drops, &order);
	for (size_t i = 0; i < shown->count && !ret && !is_full(shown); i++, shown->lines++) {
		render_drop(shown->stream, shown->policy, &shown->list[i].drop);
		ret = reader_gone();
	}
	return ret;
}

/* A flood has more sources than the list holds: the rules count the rest. */
static int show_not_listed(struct context *c, const struct instance *instance, struct shown *shown)
{
	struct rule_view *rules;
	size_t count;
	int err = rules_collect(instance, shown->arena, &c->diags, &rules, &count);

	/* Their addresses are not known: show them for any --peer. */
	for (size_t i = 0; !err && i < count; i++)
		if (rules[i].totals.unlisted)
			render_not_listed(shown->stream, instance->name, &rules[i]);
	return err;
}

static int show_drops(struct context *c, const struct instance *instance, void *user)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct shown *shown = user;
	struct drop_list drops;
	int ret;

	begin_policy(shown, instance, arena);
	ret = show_window(c, instance, shown->stream);
	if (ret)
		return exit_of_read(ret);
	ret = drops_collect(instance, arena, &c->diags, &drops);
	if (ret)
		return exit_of_read(ret);
	for (size_t i = 0; i < drops.count; i++) {
		struct facts facts;

		facts_of_drop(&drops.list[i], &facts);
		if (is_asked_for(shown, &facts))
			item_add(shown, &facts)->drop = drops.list[i];
	}
	ret = print_sorted_drops(shown);
	if (ret)
		return exit_of_list(ret);
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
	{"policy", NULL, NULL}, /* a document of its own: diff.c */
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
			 : "rules, flows, drops or policy",
		    "show has no report '%s'", word);
	return NULL;
}

static int only_open(struct context *c, const struct instance *instance, void *user)
{
	(void)c, (void)instance, (void)user;
	return 0;
}

int cmd_show(struct context *c)
{
	const struct show *show = find_show(c, c->options.operands[0]);
	struct shown shown = {.options = &c->options};
	const char **names;
	size_t count;
	int ret;

	if (!show)
		return EXIT_USAGE;
	c->schema = show->what;
	if (!show->visit)
		return show_policy(c);
	if (c->options.given & OPT_PEER && show->visit == show_rules)
		return usage_error(c, "show flows and show drops do",
				   "show rules does not select by peer");
	ret = operands_filter(c, 1, show->visit == show_rules ? FILTER_OF_RULES : FILTER_ALL);
	if (ret)
		return ret;
	ret = named_policies(c, 1, &names, &count);
	if (!ret) /* an unknown name gets no heading */
		ret = each_instance(c, names, count, only_open, NULL);
	if (ret)
		return ret;
	c->answered = true;
	if (!count && !c->render.json) { /* a heading alone would be unclear */
		render_no_policy(&c->render);
		return 0;
	}
	shown.now = (uint64_t)time(NULL) * 1000000000;
	shown.stream = show->begin(&c->render);
	ret = each_instance(c, names, count, show->visit, &shown);
	render_end(shown.stream);
	return ret;
}
