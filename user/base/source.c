/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading a text file whole, with a limit. Only regular files: a pipe or a device could block, or
 * never end, and some devices act on being opened. So an O_PATH descriptor checks the type first,
 * and that same file is then opened, even if the path has changed meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"

static int check_regular(int fd, struct stat *out)
{
	if (fstat(fd, out))
		return -errno;
	if (S_ISDIR(out->st_mode))
		return -EISDIR;
	return S_ISREG(out->st_mode) ? 0 : -EINVAL;
}

/* Without /proc: by its path again. */
static int open_found(int found, const char *path)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	char link[32];
	int fd;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", found);
	fd = open(link, flags);
	if (fd < 0 && errno == ENOENT)
		fd = open(path, flags);
	return fd < 0 ? -errno : fd;
}

static int open_regular(const char *path, size_t limit, struct stat *st)
{
	int found CLEANUP(close_fd) = open(path, O_PATH | O_CLOEXEC);
	int fd CLEANUP(close_fd) = -1;
	int err = found < 0 ? -errno : check_regular(found, st);

	if (err)
		return err;
	fd = open_found(found, path);
	err = fd < 0 ? fd : check_regular(fd, st);
	if (err)
		return err;
	if ((uintmax_t)st->st_size > limit)
		return -EFBIG;
	return TAKE_FD(fd);
}

/* Up to `size` bytes: a file that shrank meanwhile gives fewer, one that grew its old size. */
static ssize_t read_upto(int fd, char *text, size_t size)
{
	size_t got = 0;

	while (got < size) {
		ssize_t n = read(fd, text + got, size - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

/* Since `before`, which was taken before the first byte was read. */
static bool has_changed(int fd, const struct stat *before)
{
	struct stat now;

	return fstat(fd, &now) || now.st_size != before->st_size ||
	       now.st_mtim.tv_sec != before->st_mtim.tv_sec ||
	       now.st_mtim.tv_nsec != before->st_mtim.tv_nsec;
}

int source_read(struct arena *arena, const char *path, size_t limit, struct source **out)
{
	struct stat st = {0};
	int fd CLEANUP(close_fd) = open_regular(path, limit, &st);
	size_t size = (size_t)st.st_size;
	struct source *source;
	ssize_t got;
	char *text;

	if (fd < 0)
		return fd;
	text = arena_alloc(arena, size + 1);
	memory_touch(text, size + 1);
	got = read_upto(fd, text, size);
	if (got < 0)
		return (int)got;
	text[got] = '\0';
	source = arena_alloc(arena, sizeof(*source));
	source->name = arena_strdup(arena, path);
	source->text = text;
	source->size = (size_t)got;
	source->modified = (uint64_t)st.st_mtim.tv_sec;
	source->unsettled = has_changed(fd, &st);
	*out = source;
	return 0;
}

/* Read once: a command may load its policy twice. */
static char *stdin_text;
static size_t stdin_size;

static int read_stdin(size_t limit)
{
	char *text = memory_new(limit + 2);
	ssize_t got = read_upto(STDIN_FILENO, text, limit + 1);

	if (got >= 0 && (size_t)got <= limit) {
		stdin_text = memory_resize(text, (size_t)got + 1);
		stdin_size = (size_t)got;
		return 0;
	}
	free(text);
	return got < 0 ? (int)got : -EFBIG;
}

int source_stdin(struct arena *arena, size_t limit, struct source **out)
{
	int err = stdin_text ? 0 : read_stdin(limit);
	struct source *source;

	if (err)
		return err;
	source = arena_alloc(arena, sizeof(*source));
	source->name = "<stdin>";
	source->text = stdin_text;
	source->size = stdin_size;
	*out = source;
	return 0;
}
