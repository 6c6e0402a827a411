/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * apply POLICY: file to ruleset to image to kernel, and the report. A failure before the one
 * commit point in datapath leaves the running policy untouched.
 */
#include <errno.h>
#include <string.h>

#include "cmd.h"

static const struct rule *rule_needing_local(const struct ruleset *rs)
{
	for (size_t i = 0; i < rs->rule_count; i++)
		if (rs->rules[i].needs_local)
			return &rs->rules[i];
	return NULL;
}

static void add_prefixes(struct policy_options *policy, struct arena *arena,
			 const struct prefix *more, size_t count)
{
	struct prefix *list = arena_alloc(arena, (policy->local_count + count + 1) * sizeof(*list));

	if (policy->local_count)
		memcpy(list, policy->local, policy->local_count * sizeof(*list));
	if (count)
		memcpy(list + policy->local_count, more, count * sizeof(*list));
	policy->local = list;
	policy->local_count += count;
}

/* Warnings and notes of the first reading, when there is no second. */
static void diags_keep(struct diags *d, const struct diags *first)
{
	for (size_t i = 0; i < first->count; i++) {
		const struct diag *diag = &first->list[i];

		if (diag->severity == SEV_WARNING)
			diag_warning(d, diag->loc, diag->check, diag->hint, "%s", diag->message);
		else if (diag->severity == SEV_NOTE)
			diag_note(d, diag->loc, diag->check, diag->hint, "%s", diag->message);
	}
}

/* local-subnet: the subnets of the interfaces that the policy attaches to. */
static int find_local(struct context *c, const struct rule *rule, const struct attach_target *hooks,
		      size_t count)
{
	struct policy_options *policy = &c->options.policy;
	struct prefix *list;
	size_t found;
	int err;

	for (size_t i = 0; i < count; i++) {
		if (hooks[i].kind == FR_KIND_CGROUP)
			continue;
		err = host_subnets(c->arena, hooks[i].ifindex, &c->diags, &list, &found);
		if (err)
			return exit_of_host(err);
		add_prefixes(policy, c->arena, list, found);
	}
	policy->local_known = policy->local_count > 0;
	if (policy->local_known)
		return 0;
	diag_error(&c->diags, rule->loc, -ENODEV, "no-local-subnet",
		   "give --local-subnet IF=CIDR, or write the subnet",
		   "rule %s uses local-subnet, but no attached interface has an address", rule->id);
	return EXIT_REJECTED;
}

/* A request that no host could satisfy is an error of the policy. */
static int exit_of_resolve(int err)
{
	return err == -EINVAL || err == -E2BIG || err == -ENAMETOOLONG ? EXIT_REJECTED
								       : exit_of_host(err);
}

static int find_failsafe(struct context *c)
{
	struct failsafe_rules *found = arena_alloc(c->arena, sizeof(*found));
	int err = host_failsafe(&c->diags, found);

	c->options.policy.failsafe = found;
	return exit_of_read(err);
}

/* What the policy needs to know of the host, for another reading. */
static int find_unknown(struct context *c, const struct ruleset *rs,
			const struct attach_target *hooks, size_t count)
{
	const struct rule *rule = rule_needing_local(rs);
	int ret = 0;

	if (rule && !c->options.policy.local_known)
		ret = find_local(c, rule, hooks, count);
	if (ret || !rs->failsafe_unknown)
		return ret;
	return find_failsafe(c);
}

int load_for_host(struct context *c, const char *path, struct ruleset **rs,
		  struct attach_target **hooks, size_t *count)
{
	struct diags first = {.arena = c->arena};
	bool local = c->options.policy.local_known;
	int ret = load_policy(c, path, &first, rs);

	if (ret) {
		c->diags = first;
		return ret;
	}
	ret = exit_of_resolve(host_resolve(*rs, &c->options.host, &c->diags, hooks, count));
	if (ret) {
		diags_keep(&c->diags, &first);
		return ret;
	}
	ret = find_unknown(c, *rs, *hooks, *count);
	if (ret)
		return ret;
	if ((*rs)->failsafe_unknown || c->options.policy.local_known != local)
		return load_policy(c, path, &c->diags, rs);
	diags_keep(&c->diags, &first);
	return 0;
}

/* ---------------------------------------------------------------- the document */

static void pack_piece(const struct resolved_entry *entry, void *packer)
{
	pack_add(packer, entry->text, entry->size);
}

/* Names of files that are valid from any directory. */
static void absolute_names(struct context *c, struct ruleset *rs)
{
	if (rs->file)
		return;
	rs->file = path_from_anywhere(c, rs->source->name);
	for (size_t i = 0; i < rs->table_count; i++)
		if (rs->tables[i].file)
			rs->tables[i].file = path_from_anywhere(c, rs->tables[i].file);
	for (size_t i = 0; i < rs->set_count; i++)
		if (rs->sets[i].file)
			rs->sets[i].file = path_from_anywhere(c, rs->sets[i].file);
}

static void pack_policy(struct context *c, struct ruleset *rs, struct packed *out)
{
	struct packer *packer = pack_begin();

	absolute_names(c, rs);
	ruleset_write(rs, true, pack_piece, packer);
	pack_end(packer, out);
}

/* ---------------------------------------------------------------- the guard of editions
 *
 * A policy that names no edition of a table does not change to a new one unasked.
 */

static const struct used_table *table_of(const struct ruleset *rs, const char *name)
{
	for (size_t i = 0; i < rs->table_count; i++)
		if (str_equal(rs->tables[i].name, name))
			return &rs->tables[i];
	return NULL;
}

/* A policy that an older flowreeve applied has tables without an edition: the document tells. */
static const char *edition_in_force(struct context *c, const struct used_table *before,
				    const struct used_table *now)
{
	if (before->edition)
		return before->edition;
	if (before->document && str_equal(before->document, now->document))
		return now->edition;
	return table_edition_of(now->file, now->name, before->document, c->arena);
}

/* The same command, which accepts the edition. */
static const char *accept_command(struct context *c)
{
	const struct options *o = &c->options;
	const char **words = arena_alloc(c->arena, (o->word_count + 1) * sizeof(*words));
	struct command_line line = {.verb = "apply",
				    .mode = o->mode,
				    .allow_removal = o->given & OPT_ALLOW_REMOVAL,
				    .pin_root = o->host.pin_root,
				    .more = words,
				    .more_count = o->word_count + 1,
				    .operand = path_from_anywhere(c, o->operands[0])};

	for (size_t i = 0; i < o->word_count; i++)
		words[i] = o->words[i];
	words[o->word_count] = "--new-edition";
	return command_text(c->arena, &line);
}

static bool edition_is_refused(struct context *c, const struct ruleset *running,
			       const struct used_table *now)
{
	const struct used_table *before = table_of(running, now->name);
	const char *old, *stay = "";

	if (now->edition_given || !now->edition || !before)
		return false;
	old = edition_in_force(c, before, now);
	if (old && str_equal(old, now->edition))
		return false;
	if (old)
		stay = arena_printf(c->arena, "; to stay with it, write 'edition: %s'", old);
	diag_error(&c->diags, now->loc, -EPERM, "new-edition", accept_command(c),
		   "the newest edition of table '%s' is %s, and the policy in force has %s%s",
		   now->name, now->edition, old ? old : "none that is known", stay);
	return true;
}

static void show_difference(struct context *c, const char *file, const struct ruleset *rs,
			    const struct running_policy *running)
{
	struct diff_view view = {.policy = rs->name, .file = file, .window = &running->window};

	rulesets_diff(running->rs, rs, c->arena, &view.diff);
	if (!c->render.json) {
		render_diff(&c->render, &view);
		return;
	}
	for (size_t i = 0; i < view.diff.count; i++) {
		const struct resolved_change *change = &view.diff.list[i];
		const char *what = change->before ? "is changed" : "is new";

		if (!change->after)
			what = "is gone";
		if (change->rule)
			diag_note(&c->diags, (struct loc){0}, "edition-change", NULL,
				  "rule '%s' %s", change->name, what);
	}
}

/* Its document cannot be compared, and it had no editions. */
static void warn_of_older(struct context *c)
{
	diag_warning(&c->diags, (struct loc){0}, "new-edition",
		     "flowreeve roles TABLE lists the editions; write 'edition: EDITION'",
		     "an older flowreeve, without editions, applied the policy in force, and this "
		     "one takes the newest edition of each table that names none");
}

static void refuse_unread(struct context *c, const struct ruleset *rs)
{
	for (size_t i = 0; i < rs->table_count; i++) {
		const struct used_table *now = &rs->tables[i];

		if (now->edition && !now->edition_given)
			diag_error(&c->diags, now->loc, -EPERM, "new-edition", accept_command(c),
				   "the newest edition of table '%s' is %s, and the document that "
				   "tells the one in force is damaged; to choose, write 'edition: "
				   "EDITION'",
				   now->name, now->edition);
	}
}

/* The policy in force where there is one that can be read: else none has editions to be kept, or
 * they are not known, and *refused. */
static bool in_force_find(struct context *c, const struct ruleset *rs, struct running_policy *out,
			  bool *refused)
{
	struct context reading = *c;
	bool found;

	reading.diags = (struct diags){.arena = c->arena};
	found = !load_running(&reading, rs->name, out);
	diags_take(&c->diags, &reading.diags, "pin-mode");
	if (found || diags_have(&reading.diags, "not-applied"))
		return found;
	*refused = !diags_have(&reading.diags, "pins-version");
	if (*refused)
		refuse_unread(c, rs);
	else
		warn_of_older(c);
	return false;
}

/* And would change the one in force: shows how, and refuses. Called under the lock, so that no
 * other apply comes between. */
static int guard_editions(const struct apply_request *request, void *context)
{
	struct context *c = context;
	const struct ruleset *rs = request->ruleset;
	struct running_policy running = {0};
	bool open = false, refused = false;

	for (size_t i = 0; i < rs->table_count; i++)
		open |= rs->tables[i].edition && !rs->tables[i].edition_given;
	if (!open || c->options.given & OPT_NEW_EDITION)
		return 0;
	if (!in_force_find(c, rs, &running, &refused))
		return refused ? -ECANCELED : 0;
	for (size_t i = 0; i < rs->table_count; i++)
		refused |= edition_is_refused(c, running.rs, &rs->tables[i]);
	if (!refused)
		return 0;
	show_difference(c, c->options.operands[0], rs, &running);
	return -ECANCELED;
}

/* ---------------------------------------------------------------- apply */

static int check_end(struct context *c, const struct ruleset *rs)
{
	const struct options *o = &c->options;

	if (o->confirm && o->until)
		return usage_error(c, "apply it with --confirm; once confirmed, again with --until",
				   "--confirm and --until do not go together");
	if (o->until && !rs->enforce)
		return usage_error(c, "--mode enforce --until TIME",
				   "--until ends enforcement, and the policy is in audit mode");
	return 0;
}

static void report(struct context *c, const struct apply_request *request,
		   const struct apply_result *result, const struct preview_view *preview)
{
	const struct host_points points = {request->hooks, request->hook_count};
	struct cut_view cut = {.preview = preview, .closes = c->options.given & OPT_CUT};

	if (cut.closes)
		cut.closed = close_denied(c, request);
	warn_of_ssh(c, request->ruleset, request->image, &points, &c->diags);
	render_apply(&c->render, request, result, preview ? &cut : NULL);
	c->answered = true;
}

static int put_in_force(struct context *c, struct ruleset *rs, struct apply_request *request,
			struct change_view *change)
{
	struct packed document;
	struct apply_result result;
	struct preview_view preview;
	bool looked;
	int ret;

	render_failsafe(&c->render, rs);
	ret = guard_preview(c, request, &preview, &looked);
	if (ret)
		return ret;
	pack_policy(c, rs, &document);
	request->document = &document;
	ret = datapath_apply(request, &c->diags, &result);
	if (!ret) {
		change_end(c, change, 0);
		report(c, request, &result, looked ? &preview : NULL);
	}
	packed_free(&document);
	return exit_of_host(ret);
}

static int apply(struct context *c, struct change_view *change)
{
	const char *file = c->options.operands[0];
	struct apply_request request = {.source = path_from_anywhere(c, file),
					.host = c->options.host,
					.flows = c->options.flows,
					.confirm = c->options.confirm,
					.until = c->options.until,
					.mode_given = c->options.mode != NULL,
					.allow_removal = c->options.given & OPT_ALLOW_REMOVAL,
					.guard = guard_editions,
					.guard_context = c,
					.words = c->options.words,
					.word_count = c->options.word_count};
	struct image image = {0};
	struct ruleset *rs;
	struct attach_target *hooks;
	int ret = load_for_host(c, file, &rs, &hooks, &request.hook_count);

	if (ret)
		return ret;
	change_begin(c, "apply", rs->name, change);
	ret = check_end(c, rs);
	if (ret)
		return ret;
	if (image_compile(rs, &c->diags, &image))
		return EXIT_REJECTED;
	request.ruleset = rs;
	request.image = &image;
	request.hooks = hooks;
	ret = put_in_force(c, rs, &request, change);
	image_free(&image);
	return ret;
}

int cmd_apply(struct context *c)
{
	struct change_view change = {0};
	int ret = apply(c, &change);

	change_end(c, &change, ret);
	return ret;
}
