/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guards of apply to enforce: it looks at live connections before anything is changed. And what
 * --cut does afterwards.
 */
#include <errno.h>

#include "cmd.h"

static int collect(struct context *c, const struct preview_request *request,
		   struct preview_view *out)
{
	return exit_of_read(preview_collect(request, &c->diags, out));
}

static void refuse_session(struct context *c, const struct ruleset *rs,
			   const struct preview_session *session)
{
	const struct preview_line *line = &session->line;
	char peer[ADDR_TEXT];

	addr_text(&line->tuple.peer, peer);
	diag_error(&c->diags, (struct loc){.source = rs->source}, -ECANCELED, "session-cut",
		   ssh_admitting(c->arena, rs, &line->tuple),
		   "enforcing %s would cut the SSH connection of this session, from %s to port %u, "
		   "by rule %s%s; with --force session it does",
		   rs->name, peer, line->tuple.port, ruleset_rule_name(rs, line->rule),
		   arena_optional(c->arena, ": ", line->nearest));
}

static int check_guards(struct context *c, const struct ruleset *rs,
			const struct preview_view *view)
{
	uint32_t force = c->options.force;
	bool refused = false;

	if (view->session.judged && view->session.line.outcome == PREVIEW_CUT &&
	    !(force & GUARD_SESSION)) {
		refuse_session(c, rs, &view->session);
		refused = true;
	}
	if (view->admits_nothing && !(force & GUARD_NOTHING)) {
		diag_error(&c->diags, (struct loc){.source = rs->source}, -ECANCELED,
			   "nothing-allowed", "add a rule that allows, or a failsafe",
			   "%s allows nothing at all, to this host or from it; with --force "
			   "nothing-allowed it is enforced",
			   rs->name);
		refused = true;
	}
	if (refused)
		render_refused(&c->render, view);
	return refused ? EXIT_REJECTED : 0;
}

static int cut_usage(struct context *c, const struct ruleset *rs)
{
	bool no_preview = c->options.given & OPT_NO_PREVIEW;

	if (!(c->options.given & OPT_CUT))
		return 0;
	if (!rs->enforce)
		return usage_error(c, "--mode enforce --cut",
				   "--cut closes what enforcement denies, and the policy is in "
				   "audit mode");
	if (no_preview)
		return usage_error(c, "leave --no-preview out",
				   "--cut closes the sockets that the preview finds");
	return 0;
}

/* Before anything is changed: what would fail afterwards. */
static int check_cut(struct context *c, const struct preview_view *view)
{
	int err;

	if (!(c->options.given & OPT_CUT))
		return 0;
	if (view->cgroups_unknown) {
		diag_error(&c->diags, (struct loc){0}, -ENOTSUP, "cut-unsupported",
			   "leave --cut out",
			   "this kernel does not tell the cgroup of a socket, as Linux 5.9 does");
		return EXIT_CANNOT;
	}
	err = host_closes_sockets();
	if (!err)
		return 0;
	diag_error(&c->diags, (struct loc){0}, err, "cut-unsupported",
		   err == -EOPNOTSUPP
			   ? "leave --cut out; a kernel with CONFIG_INET_DIAG_DESTROY closes them"
			   : "leave --cut out",
		   "this kernel does not close sockets for others: %s", error_text(err));
	return EXIT_CANNOT;
}

static struct preview_request preview_of(const struct apply_request *apply)
{
	return (struct preview_request){.rs = apply->ruleset,
					.image = apply->image,
					.hooks = apply->hooks,
					.hook_count = apply->hook_count,
					.host = &apply->host};
}

int guard_preview(struct context *c, const struct apply_request *apply, struct preview_view *out,
		  bool *looked)
{
	const struct preview_request request = preview_of(apply);
	const struct ruleset *rs = apply->ruleset;
	struct preview_view view = {.rs = rs};
	int ret = cut_usage(c, rs);

	*looked = false;
	if (ret || !rs->enforce)
		return ret;
	ret = host_privileges(&c->diags);
	if (ret)
		return exit_of_host(ret);
	view.admits_nothing = image_admits_nothing(request.image);
	if (c->options.given & OPT_NO_PREVIEW)
		return check_guards(c, rs, &view);
	ret = collect(c, &request, &view);
	if (ret)
		return ret;
	ret = check_guards(c, rs, &view);
	if (ret)
		return ret;
	ret = check_cut(c, &view);
	if (ret)
		return ret;
	*looked = true;
	*out = view;
	return 0;
}

/* Those of now: others may have come since the guards. */
size_t close_denied(struct context *c, const struct apply_request *apply)
{
	const struct preview_request request = preview_of(apply);
	struct context reading = *c;
	struct preview_view view = {0};
	size_t closed = 0;
	int err = 0;

	reading.diags = (struct diags){.arena = c->arena};
	if (collect(&reading, &request, &view)) {
		diag_warning(&c->diags, (struct loc){0}, "cut-failed", NULL,
			     "the policy is in force, but no socket was closed: %s",
			     diags_first_error(&reading.diags)->message);
		return 0;
	}
	err = host_sockets_close(&view.sockets, &closed);
	if (err)
		diag_warning(&c->diags, (struct loc){0}, "cut-failed", NULL,
			     "the policy is in force, but %zu of %zu sockets that it denies were "
			     "not closed: %s",
			     view.sockets.count - closed, view.sockets.count, error_text(err));
	return closed;
}
