/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * confirm, cancel and extend: what becomes of a change that `apply --confirm` has made. Without a
 * name, the only one that waits.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "cmd.h"

enum { POLL_NS = 200000000 };

enum change { NONE, WAITS, ENDED };

static int change_of(struct context *c, const char *name, enum change *out)
{
	struct instance instance;
	struct pending pending;
	bool any;
	int err = instance_open(&c->options.host, name, &c->diags, &instance);

	if (err)
		return err;
	err = instance_pending(&instance, &c->diags, &pending, &any);
	instance_close(&instance);
	if (!err && any && pending.kind == FR_PENDING_CONFIRM)
		*out = pending.left ? WAITS : ENDED;
	return err;
}

static void add_name(struct context *c, const char *name, const char **names, size_t *count)
{
	*names = arena_printf(c->arena, "%s%s%s", *names, (*count)++ ? ", " : "", name);
}

/* Policies with such a change: in force, or not even that any more. */
static int list_waiting(struct context *c, const char **waiting, size_t *found)
{
	struct undone *undone;
	enum change *changes;
	const char **names;
	size_t count, waits = 0;
	int err = datapath_list(&c->options.host, c->arena, &c->diags, &names, &count);

	changes = arena_alloc(c->arena, (count + 1) * sizeof(*changes));
	for (size_t i = 0; i < count && !err; i++) {
		err = change_of(c, names[i], &changes[i]);
		waits += changes[i] == WAITS;
	}
	/* Those that have ended only where none waits: the answer is that it is too late. */
	for (size_t i = 0; i < count && !err; i++)
		if (changes[i] == (waits ? WAITS : ENDED))
			add_name(c, names[i], waiting, found);
	if (err || waits)
		return err;
	err = datapath_undone(&c->options.host, c->arena, &c->diags, &undone, &count);
	for (size_t i = 0; i < count && !err; i++)
		add_name(c, undone[i].policy, waiting, found);
	return err;
}

static int find_waiting(struct context *c, const char **out)
{
	size_t found = 0;
	int err;

	*out = "";
	err = list_waiting(c, out, &found);
	if (err)
		return exit_of_read(err);
	if (found > 1)
		return usage_error(c, NULL, "changes of several policies: name one of %s", *out);
	if (!found)
		diag_error(&c->diags, (struct loc){0}, -ENOENT, "nothing-pending", NULL,
			   "no change waits for its confirmation");
	return found ? 0 : EXIT_FAILED;
}

/* ---------------------------------------------------------------- a new connection */

static int no_connection(struct context *c, const char *hint, const char *why)
{
	diag_error(&c->diags, (struct loc){0}, -ECANCELED, "no-new-connection", hint,
		   "the change is not confirmed: %s", why);
	return EXIT_REJECTED;
}

static const char *session_text(struct context *c, const struct connection *session)
{
	char peer[ADDR_TEXT];

	return arena_printf(c->arena, "the connection of this session, from %s port %u to port %u,",
			    addr_text(&session->peer, peer), session->peer_port,
			    session->local_port);
}

static int check_session(struct context *c, const struct instance *instance, uint64_t since)
{
	const char *other = "log in again and confirm there; or --new-connection=PORT";
	struct opened opened = {.since = since};
	struct ssh_session session;
	const char *text;
	int err;

	if (!host_session(c->arena, true, &session))
		return no_connection(c, "--new-connection=22 waits for a connection to that port",
				     "this session is of no SSH connection in this network "
				     "namespace");
	opened.session = &session.connection;
	err = opened_find(instance, &c->diags, &opened);
	if (err || opened.fresh)
		return exit_of_read(err);
	text = session_text(c, &session.connection);
	if (opened.old)
		return no_connection(c, other,
				     arena_printf(c->arena, "%s was not opened under it", text));
	return no_connection(
		c, other, arena_printf(c->arena, "%s is at no attach point of the policy", text));
}

/* Until there is one, or the change is over. */
static int wait_for_port(struct context *c, const struct instance *instance,
			 const struct pending *change)
{
	struct opened opened = {.since = change->begun, .port = c->options.new_connection};
	struct pending now = *change;
	bool any = true;
	int err = 0;

	while (!err && any && now.left && now.generation == change->generation) {
		err = opened_find(instance, &c->diags, &opened);
		if (err || opened.fresh)
			break;
		nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL);
		err = instance_pending(instance, &c->diags, &now, &any);
	}
	return exit_of_read(err); /* too late: confirm says it */
}

static int prove(struct context *c, const struct instance *instance,
		 struct pending_request *request)
{
	struct pending pending;
	bool any;
	int err = instance_pending(instance, &c->diags, &pending, &any);

	if (err)
		return exit_of_read(err);
	if (!any || pending.kind != FR_PENDING_CONFIRM || !pending.left)
		return 0; /* nothing to confirm, which confirm says */
	request->generation = pending.generation;
	if (!pending.begun)
		return no_connection(c, "flowreeve extend 1s, then try again",
				     "it is not known yet when it came into force");
	if (c->options.new_connection)
		return wait_for_port(c, instance, &pending);
	return check_session(c, instance, pending.begun);
}

static int check_connection(struct context *c, struct pending_request *request)
{
	struct diags said = {.arena = c->arena};
	struct instance instance;
	int ret;

	if (!(c->options.given & OPT_NEW_CONNECTION))
		return 0;
	request->generation = UINT32_MAX; /* none, without a proof */
	if (instance_open(&c->options.host, request->policy, &said, &instance))
		return 0; /* what cannot be confirmed: confirm says it */
	ret = prove(c, &instance, request);
	instance_close(&instance);
	return ret;
}

static int act(struct context *c, enum pending_action action, const char *name, uint64_t more)
{
	struct change_view change = {0};
	struct pending_request request = {
		.host = c->options.host, .policy = name, .action = action, .more = more};
	struct pending_outcome outcome = {0};
	int ret = name ? policies_may_be(c, &name, 1) : find_waiting(c, &request.policy);

	ret = ret ? ret : check_connection(c, &request);
	if (ret)
		return ret;
	change_begin(c, c->command->name, request.policy, &change);
	ret = exit_of_read(datapath_pending(&request, &c->diags, &outcome));
	change.generation = outcome.pending.generation;
	change_end(c, &change, ret);
	if (ret)
		return ret;
	render_pending(&c->render, &request, &outcome);
	c->answered = true;
	return 0;
}

static const char *operand(const struct context *c, size_t at)
{
	return c->options.operand_count > at ? c->options.operands[at] : NULL;
}

int cmd_confirm(struct context *c)
{
	return act(c, PENDING_CONFIRM, operand(c, 0), 0);
}

int cmd_cancel(struct context *c)
{
	return act(c, PENDING_CANCEL, operand(c, 0), 0);
}

int cmd_extend(struct context *c)
{
	uint64_t more = 0;
	int ret = confirm_parse(c, operand(c, 0), &more);

	return ret ? ret : act(c, PENDING_EXTEND, operand(c, 1), more);
}
