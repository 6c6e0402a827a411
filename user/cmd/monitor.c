/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * monitor: events as they happen, one line each, until a signal, --count, or a reader that went
 * away.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "cmd.h"

enum { WAIT_MS = 1000, TURN_MS = 50 };

/* Set by a signal; the only thing that a handler may touch. */
static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
	(void)signal_number;
	stopped = 1;
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = stop};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

struct shown {
	struct render_stream *stream;
	uint64_t events;
};

struct watch {
	struct instance instance;
	struct monitor *monitor;
};

static int watch_open(struct context *c, const char *name, struct watch *watch)
{
	int err = instance_open(&c->options.host, name, &c->diags, &watch->instance);

	if (err)
		return exit_of_read(err);
	err = monitor_open(&watch->instance, c->options.given & OPT_OPENINGS, &c->diags,
			   &watch->monitor);
	if (err)
		instance_close(&watch->instance);
	return exit_of_read(err);
}

static void watch_close(struct context *c, struct watch *watch)
{
	struct loc nowhere = {0};
	uint64_t lost = monitor_lost(watch->monitor);

	if (lost) {
		render_lost(&c->render, watch->instance.name, lost);
		diag_warning(&c->diags, nowhere, "events-lost",
			     "the counters of show rules are exact",
			     "%llu events of %s were lost: they came faster than they were read",
			     (unsigned long long)lost, watch->instance.name);
	}
	monitor_close(watch->monitor);
	instance_close(&watch->instance);
}

static int refuse_end(struct context *c, const struct watch *watch, int err)
{
	struct loc nowhere = {0};

	if (err == -ENOENT)
		diag_error(&c->diags, nowhere, err, "not-applied", NULL,
			   "policy %s was detached or replaced; monitor ends",
			   watch->instance.name);
	else
		diag_error(&c->diags, nowhere, err, "monitor", NULL,
			   "the events of policy %s cannot be read: %s", watch->instance.name,
			   error_text(err));
	return exit_of_read(err);
}

static bool is_wanted(const struct context *c, const struct event_view *event)
{
	struct facts facts;

	facts_of_event(event, &facts);
	return filter_has(&c->options.filter, &facts, event->time);
}

/* Prints the events of one policy within its turn. Nonzero ends the command. */
static int watch_turn(struct context *c, struct watch *watch, int wait_ms, struct shown *shown)
{
	struct event_view event;
	int ret;

	while ((ret = monitor_next(watch->monitor, wait_ms, &event)) > 0) {
		if (!is_wanted(c, &event)) {
			wait_ms = 0;
			if (stopped)
				break;
			continue;
		}
		render_event(shown->stream, watch->instance.name, &event);
		if (c->options.count && ++shown->events >= c->options.count)
			stopped = 1;
		wait_ms = 0;
		if (stopped)
			break;
	}
	if (fflush(c->render.out) || ferror(c->render.out))
		return EXIT_FAILED;
	return ret < 0 ? refuse_end(c, watch, ret) : 0;
}

static int watch_all(struct context *c, struct watch *watches, size_t count)
{
	struct shown shown = {render_events_begin(&c->render), 0};
	int ret = 0;

	while (!stopped && !ret)
		for (size_t i = 0; i < count && !stopped && !ret; i++)
			ret = watch_turn(c, &watches[i], count == 1 ? WAIT_MS : TURN_MS, &shown);
	render_events_end(shown.stream);
	return ret;
}

int cmd_monitor(struct context *c)
{
	struct watch *watches;
	const char **names;
	size_t count, open = 0;
	int ret = operands_filter(c, 0, FILTER_ALL);

	if (ret)
		return ret;
	ret = named_policies(c, 0, &names, &count);
	if (ret)
		return ret;
	if (!count)
		return nothing_applied(c);
	watches = arena_alloc(c->arena, count * sizeof(*watches));
	for (; open < count && !ret; open += !ret)
		ret = watch_open(c, names[open], &watches[open]);
	if (!ret) {
		catch_signals();
		c->answered = true;
		ret = watch_all(c, watches, count);
	}
	while (open)
		watch_close(c, &watches[--open]);
	return ret;
}
