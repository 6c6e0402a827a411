/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The queue of diagnostics of one run; the caller prints it. Beyond DIAGS_KEPT of a kind they are
 * only counted: a file of nonsense must not fill the memory.
 */
#include "base.h"

enum { DIAGS_KEPT = 200 };

bool diags_full(const struct diags *d)
{
	return d->errors >= DIAGS_KEPT;
}

static bool is_counted_only(const struct diags *d, enum severity severity)
{
	switch (severity) {
	case SEV_ERROR:
		return d->errors > DIAGS_KEPT;
	case SEV_WARNING:
		return d->warnings > DIAGS_KEPT;
	default:
		return d->count >= 3 * DIAGS_KEPT;
	}
}

static void diags_append(struct diags *d, struct diag diag, const char *format, va_list args)
{
	if (diag.severity == SEV_ERROR)
		d->errors++;
	if (diag.severity == SEV_WARNING)
		d->warnings++;
	if (is_counted_only(d, diag.severity))
		return;
	diag.message = arena_vprintf(d->arena, format, args);
	if (diag.hint)
		diag.hint = arena_strdup(d->arena, diag.hint);
	d->list = arena_grow(d->arena, d->list, d->count, &d->capacity, sizeof(*d->list));
	d->list[d->count++] = diag;
}

int diag_error(struct diags *d, struct loc loc, int err, const char *check, const char *hint,
	       const char *format, ...)
{
	struct diag diag = {.severity = SEV_ERROR, .loc = loc, .check = check, .hint = hint};
	va_list args;

	va_start(args, format);
	diags_append(d, diag, format, args);
	va_end(args);
	return err;
}

void diag_warning(struct diags *d, struct loc loc, const char *check, const char *hint,
		  const char *format, ...)
{
	struct diag diag = {.severity = SEV_WARNING, .loc = loc, .check = check, .hint = hint};
	va_list args;

	va_start(args, format);
	diags_append(d, diag, format, args);
	va_end(args);
}

void diag_note(struct diags *d, struct loc loc, const char *check, const char *hint,
	       const char *format, ...)
{
	struct diag diag = {.severity = SEV_NOTE, .loc = loc, .check = check, .hint = hint};
	va_list args;

	va_start(args, format);
	diags_append(d, diag, format, args);
	va_end(args);
}

const struct diag *diags_first_error(const struct diags *d)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->list[i].severity == SEV_ERROR)
			return &d->list[i];
	return NULL;
}

bool diags_have(const struct diags *d, const char *check)
{
	for (size_t i = 0; i < d->count; i++)
		if (str_equal(d->list[i].check, check))
			return true;
	return false;
}

void diags_take(struct diags *d, const struct diags *from, const char *check)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct diag *diag = &from->list[i];

		if (diag->severity == SEV_WARNING && str_equal(diag->check, check))
			diag_warning(d, diag->loc, check, diag->hint, "%s", diag->message);
	}
}
