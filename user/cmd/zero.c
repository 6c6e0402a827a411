/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * zero [RULE...]: restarts counters; the kernel's own are never written: a baseline is kept with
 * the time. With rules named, exactly one policy must be meant.
 */
#include <errno.h>

#include "cmd.h"

/* The name of an applied policy where a rule is expected. */
static const char *policy_among_rules(const struct options *o, const char *const *applied,
				      size_t count)
{
	for (size_t i = 0; i < o->operand_count; i++)
		for (size_t j = 0; j < count; j++)
			if (str_equal(o->operands[i], applied[j]))
				return applied[j];
	return NULL;
}

static const char *zero_command(struct context *c, const char *policy)
{
	const char *words[] = {"--policy", policy};

	return command_text(c->arena, &(struct command_line){.verb = "zero",
							     .pin_root = c->options.host.pin_root,
							     .more = words,
							     .more_count = ARRAY_SIZE(words)});
}

/* Operands are rules; for the name of a policy the hint gives its option. */
static int refuse_operands(struct context *c, const char *const *applied, size_t count)
{
	const char *policy = policy_among_rules(&c->options, applied, count), *list = "";

	if (policy)
		return usage_error(c, zero_command(c, policy),
				   "operands of zero are rules, but %s is an applied policy",
				   policy);
	for (size_t i = 0; i < count; i++)
		list = arena_printf(c->arena, "%s%s%s", list, i ? ", " : "", applied[i]);
	return usage_error(c, "--policy NAME",
			   "%zu policies are applied; say which one with --policy: %s", count,
			   list);
}

/* Names of rules take precedence over names of policies. */
static bool rules_meant(struct context *c, const char *policy)
{
	struct diags scratch = {.arena = c->arena};
	struct instance instance;
	struct rule_view *rules;
	size_t count, known = 0;

	if (instance_open(&c->options.host, policy, &scratch, &instance))
		return true;
	if (rules_collect(&instance, c->arena, &scratch, &rules, &count))
		count = 0;
	for (size_t i = 0; i < c->options.operand_count; i++)
		for (size_t j = 0; j < count; j++)
			if (str_equal(rules[j].id, c->options.operands[i])) {
				known++;
				break;
			}
	instance_close(&instance);
	return known == c->options.operand_count;
}

static int on_zeroed(struct context *c, const struct instance *instance, void *user)
{
	struct window_view **window = user;

	return exit_of_read(window_collect(instance, &c->diags, (*window)++));
}

int cmd_zero(struct context *c)
{
	struct options *o = &c->options;
	struct window_view *windows, *at;
	const char **names;
	size_t count;
	int err = 0, ret = named_policies(c, o->operand_count, &names, &count);

	if (ret)
		return ret;
	if (!count)
		return nothing_applied(c);
	if (count > 1 && o->operand_count)
		return refuse_operands(c, names, count);
	if (o->operand_count && policy_among_rules(o, names, count) && !rules_meant(c, names[0]))
		return refuse_operands(c, names, count);
	for (size_t i = 0; i < count && !err; i++) {
		struct change_view change = {0};

		change_begin(c, "zero", names[i], &change);
		err = datapath_zero(&o->host, names[i], o->operands, o->operand_count, &c->diags);
		change_end(c, &change, exit_of_read(err));
	}
	if (err)
		return exit_of_read(err);
	at = windows = arena_alloc(c->arena, count * sizeof(*windows));
	ret = each_instance(c, names, count, on_zeroed, &at);
	if (ret)
		return ret;
	render_zero(&c->render, windows, count, o->operands, o->operand_count);
	c->answered = true;
	return 0;
}
