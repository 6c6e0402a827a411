// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading a text file whole, with a limit. Only regular files: a pipe or a device could block, or
 * never end.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"

static int open_regular(const char *path, size_t limit, size_t *size)
{
	int fd CLEANUP(close_fd) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uintmax_t)st.st_size > limit)
		return -EFBIG;
	*size = (size_t)st.st_size;
	return TAKE_FD(fd);
}

/* Up to `size` bytes; a file that shrank meanwhile gives less, one that grew gives what it was. */
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

int source_read(struct arena *arena, const char *path, size_t limit, struct source **out)
{
	size_t size = 0;
	int fd CLEANUP(close_fd) = open_regular(path, limit, &size);
	struct source *source;
	ssize_t got;
	char *text;

	if (fd < 0)
		return fd;
	text = arena_alloc(arena, size + 1);
	got = read_upto(fd, text, size);
	if (got < 0)
		return (int)got;
	text[got] = '\0';
	source = arena_alloc(arena, sizeof(*source));
	source->name = arena_strdup(arena, path);
	source->text = text;
	source->size = (size_t)got;
	*out = source;
	return 0;
}
