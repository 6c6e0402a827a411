/* SPDX-License-Identifier: GPL-2.0-only */
/* Confirms, cancels and extends a change that waits for its confirmation. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "damage.h"
#include "pending.h"
#include "reconcile.h"

enum { LONGEST_HOURS = 24 };
#define LONGEST_NS (LONGEST_HOURS * 3600 * UINT64_C(1000000000))

static const char *command(const struct pending_request *request, const char *verb,
			   struct arena *arena)
{
	const struct command_line line = {
		.verb = verb, .pin_root = request->host.pin_root, .operand = request->policy};

	return command_text(arena, &line);
}

static int none_pending(const struct pending_request *request, struct diags *d)
{
	return diag_error(d, NO_LOC, -ENOENT, "nothing-pending", NULL,
			  "no change of policy %s waits for its confirmation", request->policy);
}

static int too_late(const struct pending *pending, const struct pending_request *request,
		    struct diags *d)
{
	unsigned long long ago = (real_now() - pending->ends) / 1000000000;
	const char *in_force = pending->before ? "the policy before it" : "nothing of it";

	return diag_error(d, NO_LOC, -ETIME, "change-ended", NULL,
			  "change %u of policy %s is over, it was rolled back %llu s ago: %s is in "
			  "force",
			  pending->generation, request->policy, ago, in_force);
}

/* The store of a deadline counts only if that time has not come meanwhile: packets may have been
 * judged by the generation before. */
static int store_before(int image, uint64_t deadline, uint64_t fresh)
{
	uint64_t now;
	int err = boot_now(&now);

	if (err || now >= deadline)
		return err ? err : -ETIME;
	err = image_deadline_set(image, fresh);
	if (err)
		return err;
	err = boot_now(&now);
	if (!err && now < deadline)
		return 0;
	image_deadline_set(image, deadline);
	return err ? err : -ETIME;
}

static int extend(const struct pending_request *request, int image, const struct epoch_view *view,
		  struct diags *d)
{
	uint64_t deadline = view->deadline + request->more;

	if (request->more > LONGEST_NS || deadline - view->now > LONGEST_NS)
		return diag_error(
			d, NO_LOC, -ERANGE, "change-pending", command(request, "confirm", d->arena),
			"a change waits for its confirmation for at most %d h", LONGEST_HOURS);
	return store_before(image, view->deadline, deadline);
}

static int cancel(int image)
{
	uint64_t now;
	int err = boot_now(&now);

	return err ? err : image_deadline_set(image, now);
}

static int act(const struct pending_request *request, const struct running *running,
	       struct diags *d)
{
	CLEANUP(close_fd) int image = running_image(running);

	if (image < 0)
		return image;
	switch (request->action) {
	case PENDING_CONFIRM:
		return store_before(image, running->view.deadline, 0);
	case PENDING_CANCEL:
		return cancel(image);
	case PENDING_EXTEND:
		return extend(request, image, &running->view, d);
	}
	return -EINVAL;
}

static int act_found(const struct pending_request *request, const struct running *running,
		     struct diags *d, struct pending *out)
{
	unsigned said = d->errors;
	int err = pending_find(running, out);

	if (pins_damaged(err))
		return none_pending(request, d);
	if (err)
		return pins_unreadable(running->pins, err, d);
	if (out->kind != FR_PENDING_CONFIRM)
		return none_pending(request, d);
	if (!running->view.deadline || running->view.lapsed)
		return too_late(out, request, d);
	if (request->generation && request->generation != out->generation)
		return diag_error(d, NO_LOC, -ETIME, "change-ended", NULL,
				  "the change that was meant is over; change %u of policy %s waits",
				  out->generation, request->policy);
	if (running->view.before.lost && request->action != PENDING_CONFIRM)
		return policy_broken(running->root, request->policy, -EIO, d);
	err = act(request, running, d);
	if (err == -ETIME)
		return too_late(out, request, d);
	return err && d->errors == said ? pins_unreadable(running->pins, err, d) : err;
}

/* The only change of a policy was not confirmed. */
static int all_undone(const struct pending_request *request, struct running *running,
		      struct diags *d)
{
	struct pending pending;
	int err;

	if (!running->undone[0])
		return report_not_applied(request->policy, running->root, d);
	err = pending_undone(running, &pending);
	if (err)
		return pins_unreadable(running->undone, err, d);
	return too_late(&pending, request, d);
}

static void find_outcome(const struct running *running, struct pending_outcome *out)
{
	CLEANUP(close_fd) int fd = running_image(running);
	CLEANUP(image_unmap) struct image image = {0};

	pending_find(running, &out->pending);
	if (fd >= 0 && !image_map_view(fd, &image))
		memcpy(out->digest, image.digest, sizeof(out->digest));
}

static int act_locked(const struct pending_request *request, const char *root, struct diags *d,
		      struct pending_outcome *out)
{
	struct diags later = {.arena = d->arena};
	struct running running = {0}, after;
	int err = running_read(root, request->policy, d, &running);

	if (err == -ENOENT)
		return report_not_applied(request->policy, root, d);
	err = err ? err : running_known(&running, d);
	if (err)
		return err;
	err = running.epoch ? act_found(request, &running, d, &out->pending)
			    : all_undone(request, &running, d);
	if (err && err != -ETIME)
		return err;
	/* What is in force by now stays so without this. */
	if (policy_reconcile(root, request->policy, &later, &after))
		diag_warning(d, NO_LOC, "left-over", "the next flowreeve apply removes it",
			     "parts of the change that is over could not be removed: %s",
			     later.count ? later.list[0].message : "unknown");
	else if (after.epoch)
		find_outcome(&after, out);
	else
		rmdir(after.dir);
	return err;
}

int datapath_pending(const struct pending_request *request, struct diags *d,
		     struct pending_outcome *out)
{
	const char *root = pin_root(&request->host);
	CLEANUP(close_fd) int lock = -1;
	int err = host_privileges(d);

	libbpf_quiet();
	if (err)
		return err;
	err = pin_lock(root, false, d, &lock);
	if (err == -ENOENT)
		return report_not_applied(request->policy, root, d);
	if (err)
		return err;
	err = act_locked(request, root, d, out);
	rmdir(root); /* only when it is empty */
	return err;
}
