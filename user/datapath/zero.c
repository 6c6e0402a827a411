/* SPDX-License-Identifier: GPL-2.0-only */
/* Sets the baselines of rules, so that their counters read 0 from now on, and empties the list of
 * the packets that they have refused. */
#include <errno.h>

#include "../objects/objects.h"
#include "damage.h"
#include "pending.h"

static bool named(const struct fr_rule_record *record, const char *const *rules, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_equal(record->id, rules[i]))
			return true;
	return !count;
}

static int check_names(const struct records *records, const char *const *rules, size_t count,
		       struct diags *d)
{
	const struct fr_rule_record *list = records->list;

	for (size_t i = 0; i < count; i++) {
		const char **ids = arena_alloc(d->arena, records->count * sizeof(*ids));
		const char *near;
		size_t known = 0;
		bool found = false;

		for (uint32_t slot = 0; slot < records->count && !found; slot++) {
			if (list[slot].used != SLOT_USED)
				continue;
			found = str_equal(list[slot].id, rules[i]);
			ids[known++] = list[slot].id;
		}
		if (found)
			continue;
		near = nearest_word(rules[i], ids, known);
		return diag_error(d, NO_LOC, -ENOENT, "unknown-rule",
				  near ? arena_printf(d->arena, "did you mean '%s'?", near) : NULL,
				  "the running policy has no rule %s", rules[i]);
	}
	return 0;
}

/* Read all counters before the first baseline is written: zero all of the rules or none. */
static int zero_records(const struct instance *instance, const struct records *records,
			const char *const *rules, size_t count, struct diags *d)
{
	struct fr_rule_record *list = records->list;
	struct fr_counters *live = arena_alloc(d->arena, records->count * sizeof(*live));
	int err = 0;

	for (uint32_t slot = 0; slot < records->count && !err; slot++)
		if (list[slot].used == SLOT_USED && named(&list[slot], rules, count))
			err = counters_sum(instance->counters, slot, &live[slot]);
	if (err)
		return diag_error(d, NO_LOC, err, "counters", NULL,
				  "the counters of policy %s cannot be read: %s", instance->name,
				  error_text(err));
	for (uint32_t slot = 0; slot < records->count; slot++) {
		if (list[slot].used != SLOT_USED || !named(&list[slot], rules, count))
			continue;
		counters_negate(&live[slot]);
		list[slot].base = live[slot];
		list[slot].since = real_now();
	}
	return 0;
}

/* Mark what these rules refused up to this time: programs count such an entry from 1. */
static size_t drops_mark(const struct records *drops, const struct records *records,
			 const char *const *rules, size_t count, uint64_t until)
{
	const struct fr_rule_record *list = records->list;
	struct fr_drop_set *sets = drops->list;
	size_t marked = 0;

	for (uint32_t at = 0; at < drops->count * FR_WAYS; at++) {
		struct fr_drop *drop = &sets[at / FR_WAYS].way[at % FR_WAYS];

		if (drop->verdict == FR_PASS || drop->first > until ||
		    drop->slot >= records->count || !named(&list[drop->slot], rules, count))
			continue;
		__atomic_store_n(&drop->verdict, FR_PASS, __ATOMIC_RELAXED);
		marked++;
	}
	return marked;
}

/* A packet that was being counted may undo the mark of its entry, once a processor: the next one
 * begins the entry anew, later than `until`. So until there is nothing to mark. */
static int zero_drops(const struct instance *instance, const struct records *records,
		      const char *const *rules, size_t count, struct diags *d)
{
	CLEANUP(records_unmap) struct records drops = {0};
	struct clock_pair clock;
	int err = instance_clock(instance, &clock);

	if (!err)
		err = records_map(instance->drops, &drops);
	if (err)
		return pins_unreadable(instance->dir, err, d);
	while (drops_mark(&drops, records, rules, count, clock.jiffies))
		;
	return 0;
}

static int zero_open(const struct instance *instance, struct records *records,
		     struct records *state, struct diags *d)
{
	int err = records_map(instance->rules, records);

	if (err)
		return pins_unreadable(instance->dir, err, d);
	err = records_map(instance->state, state);
	return err ? pins_unreadable(instance->dir, err, d) : 0;
}

static int zero_instance(const struct instance *instance, const char *const *rules, size_t count,
			 struct diags *d)
{
	CLEANUP(records_unmap) struct records records = {0};
	CLEANUP(records_unmap) struct records state = {0};
	int err = zero_open(instance, &records, &state, d);

	if (err)
		return err;
	err = check_names(&records, rules, count, d);
	if (err)
		return err;
	err = zero_records(instance, &records, rules, count, d);
	if (!err)
		err = zero_drops(instance, &records, rules, count, d);
	if (err)
		return err;
	if (!count)
		((struct fr_state *)state.list)->zeroed = real_now();
	return 0;
}

/* A roll-back would undo it. */
static int check_pending(const struct instance *instance, struct diags *d)
{
	struct pending pending;
	bool any;
	int err = instance_pending(instance, d, &pending, &any);

	if (err || !any || pending.kind != FR_PENDING_CONFIRM || !pending.left)
		return err;
	return pending_refuse(instance->root, instance->name, &pending, d);
}

static int zero_locked(const struct host_options *o, const char *policy, const char *const *rules,
		       size_t count, struct diags *d)
{
	struct instance instance;
	int err = instance_open(o, policy, d, &instance);

	if (err)
		return err;
	err = check_pending(&instance, d);
	err = err ? err : zero_instance(&instance, rules, count, d);
	instance_close(&instance);
	return err;
}

int datapath_zero(const struct host_options *o, const char *policy, const char *const *rules,
		  size_t count, struct diags *d)
{
	CLEANUP(close_fd) int lock = -1;
	int err = host_privileges(d);

	if (err)
		return err;
	err = pin_lock(pin_root(o), false, d, &lock);
	if (err == -ENOENT)
		return report_not_applied(policy, pin_root(o), d);
	return err ? err : zero_locked(o, policy, rules, count, d);
}
