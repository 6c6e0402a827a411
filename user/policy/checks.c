/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Probable mistakes in a well-formed policy: a table of checks over the whole ruleset. Each has
 * an id of docs/diagnostics.md.
 */
#include <errno.h>
#include <string.h>

#include "draft.h"

struct check_context {
	struct job *job;
	const struct node *root;
	const struct draft *draft;
	const struct ruleset *rs;
};

struct check_finding {
	struct loc loc;
	const char *message, *hint;
};

/* True when the check reports a finding. */
typedef bool (*check_fn)(const struct check_context *c, struct check_finding *out);

static struct loc key_loc(const struct check_context *c, const char *key)
{
	const struct node *value = map_get(c->root, key);

	return value ? value->key->loc : c->root->loc;
}

static bool list_is_empty(const struct check_context *c, const char *key)
{
	const struct node *list = map_get(c->root, key);

	return !list || (list->kind == NODE_LIST && !list->first);
}

static bool rules_written(const struct ruleset *rs)
{
	for (size_t i = 0; i < rs->rule_count; i++)
		if (rs->rules[i].action != FR_FAILSAFE_ALLOW)
			return true;
	return false;
}

static bool check_empty(const struct check_context *c, struct check_finding *out)
{
	out->loc = key_loc(c, "metadata");
	out->hint = "give it 'use' or 'rules'";
	if (c->rs->name)
		out->hint = arena_printf(c->rs->arena,
					 "%s; to remove a policy from a host: flowreeve detach %s",
					 out->hint, c->rs->name);
	out->message = "the policy has no rule; enforced, it would cut everything but failsafe";
	/* An unknown key may be the intended parent of the rules. */
	if (list_is_empty(c, "use") && list_is_empty(c, "rules") && !rules_written(c->rs))
		return !c->draft->odd_keys;
	/* Rows without ports give a warning and open nothing, so that no rule may be left. */
	return !c->job->d->errors && !rules_written(c->rs);
}

static bool check_failsafe_open(const struct check_context *c, struct check_finding *out)
{
	out->loc = key_loc(c, "mode");
	out->hint = "failsafe: [{peer: [10.0.0.0/24], ports: [22/tcp]}], or failsafe: [] for none";
	out->message = "the policy has no failsafe, so 22/tcp stays open to every address";
	return c->rs->failsafe_open && c->rs->enforce;
}

static bool attaches_only_cgroups(const struct ruleset *rs)
{
	for (size_t i = 0; i < rs->attach_count; i++)
		if (rs->attach[i].kind != FR_KIND_CGROUP)
			return false;
	return rs->attach_count > 0;
}

static bool names_nfs(const struct rule *rule)
{
	for (size_t i = 0; i < rule->service_count; i++) {
		const struct service *s = &rule->services[i];
		bool all = s->any_proto || (s->first == 0 && s->last == 65535);

		if (!all && proto_has_ports(s->proto) && s->first <= 2049 && s->last >= 2049)
			return true;
	}
	return false;
}

static bool check_kernel_sockets(const struct check_context *c, struct check_finding *out)
{
	if (!attaches_only_cgroups(c->rs))
		return false;
	for (size_t i = 0; i < c->rs->rule_count; i++) {
		const struct rule *rule = &c->rs->rules[i];

		if (!names_nfs(rule))
			continue;
		out->loc = rule->loc;
		out->hint = "attach interfaces as well";
		out->message = arena_printf(
			c->job->arena,
			"rule '%s' is for NFS, whose sockets are in the root cgroup: the cgroups "
			"of this policy do not see them",
			rule->id);
		return true;
	}
	return false;
}

static bool check_unused_prefixes(const struct check_context *c, struct check_finding *out)
{
	for (size_t i = 0; i < c->draft->sets.count; i++) {
		const struct prefix_set *set = &c->draft->sets.list[i];

		if (set->used)
			continue;
		out->loc = set->loc;
		out->hint =
			arena_printf(c->job->arena, "name it as a peer: prefixes/%s", set->name);
		out->message =
			arena_printf(c->job->arena, "no rule uses prefix set '%s'", set->name);
		return true;
	}
	return false;
}

static bool check_local_unknown(const struct check_context *c, struct check_finding *out)
{
	for (size_t i = 0; i < c->rs->rule_count; i++) {
		const struct rule *rule = &c->rs->rules[i];

		if (!rule->needs_local)
			continue;
		out->loc = rule->loc;
		out->hint = "--local-subnet IF=CIDR sets it for an offline answer";
		out->message =
			arena_printf(c->job->arena,
				     "rule '%s' uses local-subnet, which is known only on the "
				     "host",
				     rule->id);
		return true;
	}
	return false;
}

static bool check_failsafe_unknown(const struct check_context *c, struct check_finding *out)
{
	out->loc = key_loc(c, "failsafe");
	out->hint = "flowreeve preview POLICY shows it; --write-failsafe writes it into the file";
	out->message = "failsafe is derived from the host when the policy is applied, and is not "
		       "judged here";
	return c->rs->failsafe_unknown;
}

static const struct check {
	const char *id;
	enum severity severity;
	bool always; /* also when the file has errors already */
	check_fn fn;
} checks[] = {
	{"empty-policy", SEV_ERROR, true, check_empty},
	{"failsafe-open", SEV_WARNING, true, check_failsafe_open},
	{"kernel-sockets", SEV_WARNING, false, check_kernel_sockets},
	{"unused-prefixes", SEV_WARNING, false, check_unused_prefixes},
	{"local-unknown", SEV_NOTE, false, check_local_unknown},
	{"failsafe-unknown", SEV_NOTE, false, check_failsafe_unknown},
};

static void report_finding(struct diags *d, const struct check *check,
			   const struct check_finding *found)
{
	if (check->severity == SEV_ERROR)
		diag_error(d, found->loc, -EINVAL, check->id, found->hint, "%s", found->message);
	else if (check->severity == SEV_WARNING)
		diag_warning(d, found->loc, check->id, found->hint, "%s", found->message);
	else
		diag_note(d, found->loc, check->id, found->hint, "%s", found->message);
}

void policy_check(struct job *job, const struct node *root, const struct draft *draft)
{
	struct check_context c = {.job = job, .root = root, .draft = draft, .rs = draft->rs};
	bool errors = job->d->errors;

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		struct check_finding found = {0};

		if ((checks[i].always || !errors) && checks[i].fn(&c, &found))
			report_finding(job->d, &checks[i], &found);
	}
}
