/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of a policy in force, check by check: what the kernel says of each hook, whether its
 * target is still the one that the policy means, whether the image is the one that was applied,
 * whether all that the policy names is judged, and whether a change is to end by itself.
 */
#include <string.h>

#include "internal.h"

static const char *const part_names[HOOK_PARTS] = {
	[HOOK_LINK] = "link", [HOOK_TARGET] = "target", [HOOK_PROGRAM] = "program",
	[HOOK_MAPS] = "maps", [HOOK_ORDER] = "order",	[HOOK_BRIDGE] = "bridge",
};

/* ---------------------------------------------------------------- hooks */

/* The program before it runs first, and may have written another address into the socket's call.
 */
static bool may_be_misled(const struct hook_view *hook)
{
	return hook->fact->first_before &&
	       (str_starts(hook->hook, "connect") || str_starts(hook->hook, "sendmsg"));
}

static void check_order(const struct verifier *v, const struct hook_view *hook,
			struct check_view *out)
{
	const struct hook_fact *fact = hook->fact;

	out->state = CHECK_WRONG;
	if (hook->preempted_by) {
		out->text = arena_printf(v->arena,
					 "%s runs before it and may take packets that the policy "
					 "never sees",
					 hook->preempted_by);
	} else if (fact->out_of_order) {
		out->text = arena_printf(v->arena,
					 "%s runs out of order (BPF_F_PREORDER): apply cannot "
					 "replace the program of this hook",
					 fact->out_of_order);
		out->hint = "attach that program again without BPF_F_PREORDER";
	} else if (may_be_misled(hook)) {
		out->text = arena_printf(v->arena,
					 "%s runs before it and may change the address that it "
					 "judges",
					 fact->first_before);
		out->hint = "attach that program again: those of a cgroup run in the order in "
			    "which they were attached";
	} else {
		out->state = CHECK_TRUE;
		out->text = fact->first_before
				    ? arena_printf(v->arena, "%s runs before it, and decides too",
						   fact->first_before)
				    : "first";
	}
}

static const char *target_words(const struct verifier *v, const struct hook_view *hook)
{
	const struct fr_hook_record *record = hook->fact->record;

	if (record->ifindex && hook->name_at_apply)
		return arena_printf(
			v->arena, "device %u of network namespace %llu, %s when applied",
			record->ifindex, (unsigned long long)record->netns, hook->name_at_apply);
	if (record->ifindex)
		return arena_printf(v->arena, "device %u of network namespace %llu",
				    record->ifindex, (unsigned long long)record->netns);
	return record->cgroup
		       ? arena_printf(v->arena, "cgroup %llu", (unsigned long long)record->cgroup)
		       : arena_printf(v->arena, "network namespace %llu",
				      (unsigned long long)record->netns);
}

static const char *true_words(const struct verifier *v, const struct hook_view *hook,
			      enum hook_part part)
{
	switch (part) {
	case HOOK_LINK:
		return "attached";
	case HOOK_TARGET:
		return target_words(v, hook);
	case HOOK_PROGRAM:
		return arena_printf(v->arena, "the pinned one, id %u", hook->prog_id);
	default:
		return "the pinned ones";
	}
}

static struct check_view check_part(const struct verifier *v, const struct hook_view *hook,
				    enum hook_part part)
{
	const struct hook_fact *fact = hook->fact;
	struct check_view check = {.claim = part_names[part], .state = CHECK_WRONG};

	if (part == HOOK_TARGET && fact->strayed) {
		check.text = fact->strayed;
	} else if (fact->fault && part == fact->part) {
		check.text = fact->fault;
	} else if (fact->fault && part > fact->part) {
		check.state = CHECK_UNKNOWN;
		check.text = arena_printf(v->arena, "not looked at: its %s is wrong",
					  part_names[fact->part]);
	} else if (fact->unknown[part]) {
		check.state = CHECK_UNKNOWN;
		check.text = fact->unknown[part];
	} else if (part == HOOK_ORDER) {
		check_order(v, hook, &check);
	} else {
		check.state = CHECK_TRUE;
		check.text = true_words(v, hook, part);
	}
	return check;
}

static void check_hook(struct verifier *v, const struct hook_view *hook)
{
	const struct hook_fact *fact = hook->fact;

	for (int part = 0; part < HOOK_PARTS; part++) {
		struct check_view check;

		/* most devices are no ports of a bridge */
		if (part == HOOK_BRIDGE && !(fact->fault && fact->part == HOOK_BRIDGE))
			continue;
		check = check_part(v, hook, (enum hook_part)part);
		check.on = verify_hook_words(v, hook);
		verify_add(v, check);
	}
}

/* ---------------------------------------------------------------- the policy */

static void check_generation(struct verifier *v)
{
	const struct status_view *status = v->status;

	if (status->generation == status->pinned)
		verify_add(v, (struct check_view){.claim = "generation",
						  .text = arena_printf(v->arena, "%u, by its pin",
								       status->pinned)});
	else
		verify_add(v, (struct check_view){
				      .claim = "generation",
				      .state = CHECK_WRONG,
				      .text = arena_printf(v->arena,
							   "the image in force says %u, its pin %u",
							   status->generation, status->pinned)});
}

static void check_image(struct verifier *v)
{
	const struct status_view *status = v->status;
	struct check_view check = {.claim = "image", .text = status->altered};

	if (status->altered) {
		check.state = CHECK_WRONG;
	} else if (status->altered_unknown) {
		check.state = CHECK_UNKNOWN;
		check.text = status->altered_unknown;
	} else {
		check.text = arena_printf(v->arena, "read back, it has the digest %.16s",
					  status->digest);
	}
	verify_add(v, check);
}

/* The change is in force, but not for good. */
static struct check_view pending_wrong(const struct verifier *v, const struct pending *pending)
{
	const struct command_line confirm = {.verb = "confirm",
					     .pin_root = v->request->host->pin_root,
					     .operand = v->request->policy};
	const char *after =
		pending->before
			? arena_printf(v->arena, "generation %u is in force again", pending->before)
			: "nothing is in force";

	return (struct check_view){
		.state = CHECK_WRONG,
		.text = arena_printf(v->arena, "change %u waits for its confirmation; in %llu s %s",
				     pending->generation,
				     (unsigned long long)pending->left / 1000000000, after),
		.hint = command_text(v->arena, &confirm)};
}

static void check_deadline(struct verifier *v)
{
	const struct pending *pending = &v->status->pending;
	struct check_view check = {.text = "none: no change is pending"};

	if (v->status->has_pending && !pending->left)
		check.text = arena_printf(v->arena, "change %u has ended by itself",
					  pending->generation);
	else if (v->status->has_pending && pending->kind == FR_PENDING_CONFIRM)
		check = pending_wrong(v, pending);
	else if (v->status->has_pending)
		check.text = arena_printf(v->arena, "it enforces for %llu s more, then it audits",
					  (unsigned long long)pending->left / 1000000000);
	check.claim = "deadline";
	verify_add(v, check);
}

/* ---------------------------------------------------------------- what the policy names */

static bool is_of(const struct unjudged *unjudged, const struct fr_request_record *request)
{
	return unjudged->kind == request->kind && str_equal(unjudged->request, request->name);
}

static void check_request(struct verifier *v, const struct fr_request_record *request)
{
	const char *on = arena_printf(v->arena, "%s %s", kind_name(request->kind), request->name);
	size_t wrong = v->view->wrong;

	for (size_t i = 0; i < v->status->unjudged_count; i++) {
		const struct unjudged *unjudged = &v->status->unjudged[i];

		if (is_of(unjudged, request))
			verify_add(v, (struct check_view){.claim = "attach",
							  .on = on,
							  .state = CHECK_WRONG,
							  .text = arena_printf(v->arena, "%s: %s",
									       unjudged->name,
									       unjudged->why),
							  .hint = unjudged->hint});
	}
	if (v->view->wrong != wrong)
		return;
	verify_add(v, (struct check_view){.claim = "attach",
					  .on = on,
					  .text = "nothing that it matches is left out"});
}

static void check_redirects(struct verifier *v)
{
	for (size_t i = 0; i < v->status->redirect_count; i++) {
		const struct redirect_view *redirect = &v->status->redirects[i];

		if (redirect->past)
			verify_add(
				v,
				(struct check_view){
					.claim = "bypass",
					.on = arena_printf(v->arena, "guest %s", redirect->past),
					.state = CHECK_WRONG,
					.text = arena_printf(v->arena,
							     "%s at %s puts packets past its hook "
							     "(bpf_redirect_peer)",
							     redirect->words, redirect->where),
					.hint = "remove it, or turn off the host routing of "
						"the CNI that it belongs to"});
	}
	if (v->status->redirects_unknown)
		verify_add(v, (struct check_view){.claim = "bypass",
						  .state = CHECK_UNKNOWN,
						  .text = v->status->redirects_unknown});
}

/* ---------------------------------------------------------------- all of it */

static void check_all(struct verifier *v)
{
	struct check_view document = v->request->document;

	check_generation(v);
	check_image(v);
	document.claim = "document";
	verify_add(v, document);
	check_deadline(v);
	for (size_t i = 0; i < v->status->request_count; i++)
		if (v->status->requests[i].used)
			check_request(v, &v->status->requests[i]);
	check_redirects(v);
	for (size_t i = 0; i < v->status->hook_count; i++)
		check_hook(v, &v->status->hooks[i]);
}

int verify_collect(const struct verify_request *request, struct diags *d, struct verify_view *out)
{
	struct verify_view view = {.policy = request->policy, .probed = request->probe};
	struct status_view status;
	struct verifier v = {
		.request = request, .status = &status, .arena = d->arena, .d = d, .view = &view};
	int err = status_collect(request->host, request->policy, d->arena, d, &status);

	if (err)
		return err;
	view.enforce = status.enforce;
	view.generation = status.generation;
	view.pinned = status.pinned;
	memcpy(view.digest, status.digest, sizeof(view.digest));
	check_all(&v);
	err = request->probe ? verify_probe(&v) : 0;
	if (err)
		return err;
	*out = view;
	return 0;
}
