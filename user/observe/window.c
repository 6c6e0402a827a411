/* SPDX-License-Identifier: GPL-2.0-only */
/* The policy in force that a report is about, and the time that its figures cover. */
#include "internal.h"

#include <string.h>
#include <time.h>

static void oldest_since(const struct rule_records *rules, struct window_view *view)
{
	for (uint32_t i = 0; i < rules->count; i++) {
		const struct fr_rule_record *rule = &rules->list[i];

		if (rule->used == SLOT_USED && (!view->since || rule->since < view->since))
			view->since = rule->since;
	}
}

static int collect(const struct instance *instance, struct window_view *view)
{
	struct rule_records rules;
	struct image image;
	int err = instance_image(instance, &image);

	if (err)
		return err;
	view->enforce = image_head(&image)->flags & FR_F_ENFORCE;
	view->generation = image_head(&image)->generation;
	digest_text(image.digest, view->digest);
	image_unmap(&image);
	err = instance_rules(instance, &rules);
	if (err)
		return err;
	oldest_since(&rules, view);
	instance_rules_close(&rules);
	return 0;
}

int window_collect(const struct instance *instance, struct diags *d, struct window_view *out)
{
	struct window_view view = {0};
	struct timespec now;
	int err = collect(instance, &view);

	if (err)
		return diag_error(d, NO_LOC, err, "pins-broken",
				  instance_heal_command(instance, err, d->arena),
				  "the policy in force as %s cannot be read: %s", instance->name,
				  error_text(err));
	snprintf(view.policy, sizeof(view.policy), "%s", instance->name);
	clock_gettime(CLOCK_REALTIME, &now);
	view.until = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	*out = view;
	return 0;
}
