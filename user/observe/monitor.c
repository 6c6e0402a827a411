/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads the ring buffer. The programs write events only while a reader is present: a lease in
 * fr_control, renewed here, ends by itself when the reader dies. One reader per instance, by a
 * lock on its directory.
 */
#include "internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { LEASE_S = 3, RENEW_MS = 1000 };

struct monitor {
	struct instance instance;
	struct ring_buffer *ring;
	struct names names;
	uint32_t generation; /* of the names and the digest */
	char digest[DIGEST_TEXT];
	int lock;
	bool openings;
	uint64_t lost_before;
	uint64_t renewed_ms;
	struct fr_event event;
	struct fr_rule_record rule; /* a copy: `names` may move to another generation */
	bool full;
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---------------------------------------------------------------- the lease */

static int store_lease(const struct monitor *monitor, uint64_t seconds)
{
	struct fr_control control = {0};
	struct clock_pair clock;
	uint32_t zero = 0;
	int err = instance_clock(&monitor->instance, &clock);

	if (err)
		return err;
	if (seconds) {
		control.refusals_until = clock.jiffies + seconds * clock.hz;
		control.openings_until = monitor->openings ? control.refusals_until : 0;
	}
	return bpf_map_update_elem(monitor->instance.control, &zero, &control, BPF_ANY) ? -errno
											: 0;
}

static int renew(struct monitor *monitor)
{
	uint64_t now = now_ms();
	int err;

	if (monitor->renewed_ms && now - monitor->renewed_ms < RENEW_MS)
		return 0;
	err = store_lease(monitor, LEASE_S);
	if (err)
		return err;
	monitor->renewed_ms = now;
	return 0;
}

/* ---------------------------------------------------------------- opening */

static int on_event(void *context, void *data, size_t size)
{
	struct monitor *monitor = context;

	if (size < sizeof(monitor->event))
		return 0;
	memcpy(&monitor->event, data, sizeof(monitor->event));
	if (monitor->event.version != FR_ABI_VERSION)
		return 0;
	monitor->full = true;
	return -ECANCELED; /* one at a time: the rest stays for the next call */
}

static uint64_t events_lost(const struct instance *instance)
{
	int cpus = libbpf_num_possible_cpus();
	CLEANUP(free_ptr) uint64_t *each = calloc(cpus > 0 ? (size_t)cpus : 1, sizeof(*each));
	uint32_t key = FR_TALLY_EVENTS_LOST;
	uint64_t sum = 0;

	if (cpus < 0 || !each || bpf_map_lookup_elem(instance->tallies, &key, each))
		return 0;
	for (int cpu = 0; cpu < cpus; cpu++)
		sum += each[cpu];
	return sum;
}

static int copy_instance(const struct instance *from, struct diags *d, struct instance *out)
{
	const struct host_options options = {.pin_root = from->root};

	return instance_open(&options, from->name, d, out);
}

static int lock_reader(struct monitor *monitor, struct diags *d)
{
	monitor->lock = open(monitor->instance.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (monitor->lock >= 0 && !flock(monitor->lock, LOCK_EX | LOCK_NB))
		return 0;
	if (errno == EWOULDBLOCK)
		return diag_error(d, NO_LOC, -EBUSY, "monitor-taken", NULL,
				  "another monitor reads the events of policy %s",
				  monitor->instance.name);
	return diag_error(d, NO_LOC, -errno, "monitor", NULL, "cannot open %s: %s",
			  monitor->instance.dir, error_text(errno));
}

/* "": it cannot be read, or belongs to another generation already. */
static void read_digest(const struct instance *instance, uint32_t generation, char out[DIGEST_TEXT])
{
	struct image image;

	*out = '\0';
	if (instance_image(instance, &image))
		return;
	if (image_head(&image)->generation == generation)
		digest_text(image.digest, out);
	image_unmap(&image);
}

static int monitor_start(struct monitor *monitor, struct diags *d)
{
	int err = lock_reader(monitor, d);

	if (err)
		return err;
	err = names_open(&monitor->instance, d, &monitor->names);
	if (err)
		return err;
	monitor->generation = monitor->instance.generation;
	read_digest(&monitor->instance, monitor->generation, monitor->digest);
	monitor->ring = ring_buffer__new(monitor->instance.events, on_event, monitor, NULL);
	if (!monitor->ring)
		return diag_error(d, NO_LOC, -errno, "monitor", NULL,
				  "cannot map the ring buffer: %s", error_text(errno));
	monitor->lost_before = events_lost(&monitor->instance);
	err = renew(monitor);
	if (err)
		return diag_error(d, NO_LOC, err, "monitor", NULL, "cannot ask for events: %s",
				  error_text(err));
	return 0;
}

int monitor_open(const struct instance *instance, bool openings, struct diags *d,
		 struct monitor **out)
{
	struct monitor *monitor = calloc(1, sizeof(*monitor));
	int err;

	if (!monitor)
		return diag_error(d, NO_LOC, -ENOMEM, "monitor", NULL, "out of memory");
	monitor->openings = openings;
	monitor->lock = -1;
	err = copy_instance(instance, d, &monitor->instance);
	if (err) {
		free(monitor);
		return err;
	}
	err = monitor_start(monitor, d);
	if (err) {
		monitor_close(monitor);
		return err;
	}
	*out = monitor;
	return 0;
}

void monitor_close(struct monitor *monitor)
{
	if (!monitor)
		return;
	if (monitor->ring)
		store_lease(monitor, 0);
	ring_buffer__free(monitor->ring);
	names_close(&monitor->names);
	instance_close(&monitor->instance);
	close_fd(&monitor->lock);
	free(monitor);
}

uint64_t monitor_lost(struct monitor *monitor)
{
	return events_lost(&monitor->instance) - monitor->lost_before;
}

/* ---------------------------------------------------------------- events */

/* A slot may have another rule now: use the names of the event's own generation, or those of the
 * one in force, which after a roll-back is an earlier one. */
static void follow_generation(struct monitor *monitor)
{
	CLEANUP(arena_drop) struct arena *arena = arena_new();
	struct diags d = {.arena = arena};
	struct instance now;
	struct names names;

	if (monitor->event.generation == monitor->generation ||
	    copy_instance(&monitor->instance, &d, &now))
		return;
	if (now.generation != monitor->generation && !names_open(&now, &d, &names)) {
		names_close(&monitor->names);
		monitor->names = names;
		monitor->generation = now.generation;
		read_digest(&now, now.generation, monitor->digest);
	}
	instance_close(&now);
}

static void fill(struct monitor *monitor, struct event_view *view)
{
	const struct fr_rule_record *rule;
	const char *name;

	follow_generation(monitor);
	*view = (struct event_view){.event = monitor->event, .rule = "", .table = "", .row = ""};
	view->verdict = verdict_name(view->event.verdict);
	view->reason = reason_name(view->event.reason);
	view->kind = kind_name(view->event.kind);
	view->digest = *monitor->digest && view->event.generation == monitor->generation
			       ? monitor->digest
			       : NULL;
	view->time =
		monitor->names.clock.real_ns + (view->event.time - monitor->names.clock.boot_ns);
	name = names_interface(&monitor->names, view->event.ifindex);
	if (name)
		snprintf(view->ifname, sizeof(view->ifname), "%.15s", name);
	view->process = names_process(&monitor->names, view->event.pid, view->event.comm,
				      sizeof(view->event.comm), view->time);
	rule = names_rule(&monitor->names, view->event.slot);
	if (!rule)
		return;
	monitor->rule = *rule;
	view->rule = monitor->rule.id;
	view->table = monitor->rule.table;
	view->row = monitor->rule.row;
	view->line = monitor->rule.line;
}

int monitor_next(struct monitor *monitor, int timeout_ms, struct event_view *out)
{
	uint64_t end = now_ms() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0);

	for (;;) {
		uint64_t now = now_ms();
		int64_t left = timeout_ms < 0 ? RENEW_MS : (int64_t)(end - now);
		int err = renew(monitor);

		if (err)
			return err;
		monitor->full = false;
		/* Consume first: an edge already reported does not wake again. */
		err = ring_buffer__consume(monitor->ring);
		if (!monitor->full && err >= 0 && left > 0)
			err = ring_buffer__poll(monitor->ring,
						left < RENEW_MS ? (int)left : RENEW_MS);
		if (monitor->full) {
			fill(monitor, out);
			return 1;
		}
		if (err == -EINTR)
			return 0;
		if (err < 0)
			return err;
		if (timeout_ms >= 0 && now_ms() >= end)
			return 0;
	}
}
