/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The record of changes: one line for each in a file of root's, and in syslog (authpriv). A change
 * that cannot be recorded is made all the same, with a warning: a full disk must keep no policy in
 * force, and none out of it. A line is in the file whole or not at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "invocation.h"

#define CHANGES_DIR "/var/log/flowreeve"

enum { LOCK_TRIES = 50, CHANGES_BYTES_MOST = 1 << 28 };

const char *changes_path(void)
{
	const char *other = getenv("FLOWREEVE_CHANGES");

	return other ? other : CHANGES_DIR "/changes.jsonl";
}

/* Only root changes anything on a host. */
static bool is_recorded(void)
{
	return *changes_path() && !geteuid();
}

/* ---------------------------------------------------------------- the file */

/* Another user could exchange a file in a directory that he may write. */
static int check_directory(struct context *c, const char *path)
{
	char *copy = arena_strdup(c->arena, path);
	struct stat status;

	if (stat(dirname(copy), &status))
		return -errno;
	if (status.st_uid && status.st_uid != geteuid())
		return -EPERM;
	return status.st_mode & (S_IWGRP | S_IWOTH) ? -EPERM : 0;
}

/* A process that holds the lock for long is no reason to wait for ever. */
static int lock_file(int fd)
{
	for (int i = 0; flock(fd, LOCK_EX | LOCK_NB); i++) {
		if (errno != EWOULDBLOCK || i == LOCK_TRIES)
			return -errno;
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	}
	return 0;
}

static int open_record(struct context *c, const char *path, int *out)
{
	CLEANUP(close_fd) int fd = -1;
	struct stat status;
	int err;

	if (str_starts(path, CHANGES_DIR "/"))
		mkdir(CHANGES_DIR, 0700);
	err = check_directory(c, path);
	if (err)
		return err;
	fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	if (status.st_uid && status.st_uid != geteuid())
		return -EPERM;
	err = lock_file(fd);
	if (!err)
		*out = TAKE_FD(fd);
	return err;
}

/* A line that was cut by a crash is ended first, so that it damages no other. */
static int append(struct context *c, int fd, const char *line)
{
	const off_t size = lseek(fd, 0, SEEK_END);
	const char *text;
	ssize_t written;
	char last = '\n';
	int err = 0;

	if (size < 0 || (size && pread(fd, &last, 1, size - 1) != 1))
		return -errno;
	text = arena_printf(c->arena, "%s%s\n", last == '\n' ? "" : "\n", line);
	written = write(fd, text, strlen(text));
	if (written == (ssize_t)strlen(text))
		return fdatasync(fd) ? -errno : 0;
	err = written < 0 ? -errno : -ENOSPC;
	return ftruncate(fd, size) ? -errno : err;
}

/* ---------------------------------------------------------------- lines */

static const char *or_dash(const char *text)
{
	return text ? text : "-";
}

static void to_syslog(const struct change_view *change)
{
	openlog("flowreeve", LOG_PID, LOG_AUTHPRIV);
	syslog(LOG_NOTICE,
	       "%s policy=%s outcome=%s uid=%d login=%d mode=%s/%s digest=%.8s/%.8s generation=%u",
	       change->verb, change->policy, change->outcome, (int)change->uid, (int)change->login,
	       or_dash(change->mode_before), or_dash(change->mode_after),
	       or_dash(change->digest_before), or_dash(change->digest_after), change->generation);
	closelog();
}

static int write_change(struct context *c, int fd, const struct change_view *change)
{
	CLEANUP(free_ptr) char *line = render_change(change);

	return append(c, fd, line);
}

static void warn_unwritten(struct context *c, int err)
{
	diag_warning(&c->diags, (struct loc){0}, "change-unrecorded",
		     "the change is not affected; mend this, and flowreeve history lists the next",
		     "no line could be added to %s, the record of changes: %s", changes_path(),
		     error_text(err));
}

static void record(struct context *c, const struct change_view *change)
{
	CLEANUP(close_fd) int fd = -1;
	int err = open_record(c, changes_path(), &fd);

	if (!err)
		err = write_change(c, fd, change);
	to_syslog(change); /* whether the file has it or not */
	if (err)
		warn_unwritten(c, err);
}

/* ---------------------------------------------------------------- a command's change */

/* The mode, digest and generation in force, as the kernel has them. */
static bool look(struct context *c, const char *policy, struct window_view *out)
{
	struct diags unseen = {.arena = c->arena};
	struct instance instance;
	int err = instance_open(&c->options.host, policy, &unseen, &instance);

	diags_take(&c->diags, &unseen, "pin-mode");
	if (err)
		return false;
	err = window_collect(&instance, &unseen, out);
	instance_close(&instance);
	return !err;
}

static const char *words_of(struct context *c)
{
	const char *text = "flowreeve";

	for (int i = 0; i < c->argc; i++)
		text = arena_printf(c->arena, "%s %s", text, shell_word(c->arena, c->argv[i]));
	return text;
}

void change_begin(struct context *c, const char *verb, const char *policy,
		  struct change_view *change)
{
	struct window_view window;

	if (!is_recorded())
		return;
	changes_note_ended(c);
	*change = (struct change_view){.verb = verb,
				       .command = words_of(c),
				       .uid = getuid(),
				       .login = host_login_uid(),
				       .pin_root = c->options.host.pin_root,
				       .policy = policy};
	if (!look(c, policy, &window))
		return;
	change->mode_before = mode_name(window.enforce);
	change->digest_before = arena_strdup(c->arena, window.digest);
	change->before = window.generation;
}

static const char *outcome_of(int code)
{
	switch (code) {
	case EXIT_DONE:
		return "done";
	case EXIT_REJECTED:
		return "refused";
	case EXIT_CANNOT:
		return "cannot";
	case EXIT_LATE:
		return "late";
	default:
		return "failed";
	}
}

void change_end(struct context *c, struct change_view *change, int code)
{
	const struct diag *error = diags_first_error(&c->diags);
	struct window_view window = {0};

	if (!change->verb || code == EXIT_USAGE)
		return;
	change->outcome = outcome_of(code);
	change->reason = error ? error->message : NULL;
	change->at = real_now();
	if (look(c, change->policy, &window)) {
		change->mode_after = mode_name(window.enforce);
		change->digest_after = window.digest;
	}
	if (!change->generation)
		change->generation = window.generation;
	if (str_equal(change->verb, "apply") && !code && change->before == window.generation)
		change->outcome = "unchanged";
	record(c, change);
	*change = (struct change_view){0};
}

/* ---------------------------------------------------------------- changes that the kernel ended */

/* Of a change, whoever ended it: the line of its cancellation or of its end. */
static bool is_there(const struct change_list *list, const struct change_view *change)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct change_view *line = &list->list[i];
		bool ends = str_equal(line->verb, change->verb) || str_equal(line->verb, "cancel");

		if (ends && line->generation == change->generation &&
		    str_equal(line->pin_root, change->pin_root) && str_equal(line->outcome, "done"))
			return true;
	}
	return false;
}

/* Under the lock of the file, so that two commands that see one end write one line. */
static int write_once(struct context *c, int fd, const struct change_view *change)
{
	struct diags unseen = {.arena = c->arena};
	struct change_list list;
	struct source *source;
	int err = source_read(c->arena, changes_path(), CHANGES_BYTES_MOST, &source);

	if (err)
		return err;
	changes_read(source, change->policy, &unseen, &list);
	if (is_there(&list, change))
		return 0;
	err = write_change(c, fd, change);
	if (!err)
		to_syslog(change);
	return err;
}

static void record_once(struct context *c, const struct change_view *change)
{
	CLEANUP(close_fd) int fd = -1;
	int err = open_record(c, changes_path(), &fd);

	if (!err)
		err = write_once(c, fd, change);
	if (err)
		warn_unwritten(c, err);
}

static void note_ended(struct context *c, const char *policy, const struct pending *pending)
{
	const bool until = pending->kind == FR_PENDING_UNTIL;
	struct window_view window = {0};
	struct change_view change = {.at = pending->ends,
				     .verb = until ? "until-end" : "roll-back",
				     .uid = UINT32_MAX,
				     .login = UINT32_MAX,
				     .pin_root = c->options.host.pin_root,
				     .policy = policy,
				     .generation = pending->generation,
				     .outcome = "done"};

	if (pending->left)
		return;
	if (look(c, policy, &window)) {
		change.mode_after = mode_name(window.enforce);
		change.digest_after = window.digest;
	}
	record_once(c, &change);
}

/* What cannot be read is the command's to report. */
static void look_for_ended(struct context *c, struct diags *unseen)
{
	struct instance instance;
	struct pending pending;
	struct undone *undone;
	const char **names;
	size_t count = 0;
	bool any = false;

	if (datapath_list(&c->options.host, c->arena, unseen, &names, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		if (instance_open(&c->options.host, names[i], unseen, &instance))
			continue;
		if (!instance_pending(&instance, unseen, &pending, &any) && any)
			note_ended(c, names[i], &pending);
		instance_close(&instance);
	}
	if (datapath_undone(&c->options.host, c->arena, unseen, &undone, &count))
		return;
	for (size_t i = 0; i < count; i++)
		note_ended(c, undone[i].policy, &undone[i].pending);
}

void changes_note_ended(struct context *c)
{
	struct diags unseen = {.arena = c->arena};

	if (!is_recorded())
		return;
	look_for_ended(c, &unseen);
	diags_take(&c->diags, &unseen, "pin-mode");
}

int changes_find(struct context *c, const char *policy, struct change_list *out)
{
	const char *path = changes_path();
	struct source *source;
	int err = source_read(c->arena, path, CHANGES_BYTES_MOST, &source);

	*out = (struct change_list){0};
	if (err == -ENOENT)
		return 0;
	if (!err)
		return exit_of_read(changes_read(source, policy, &c->diags, out));
	diag_error(&c->diags, (struct loc){0}, err, "changes-unreadable",
		   err == -EACCES ? "run it as root" : NULL, "%s: %s", path, error_text(err));
	return exit_of_read(err);
}
