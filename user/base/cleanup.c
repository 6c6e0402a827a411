/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions of the cleanup attributes, and the name of an errno. Nothing here allocates.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"

void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void close_file(FILE **file)
{
	if (*file)
		fclose(*file);
	*file = NULL;
}

void free_ptr(void *pointer_to_pointer)
{
	void **pointer = pointer_to_pointer;

	free(*pointer);
	*pointer = NULL;
}

const char *error_text(int err)
{
	const int kernel_enotsupp = 524; /* never meant for user space, yet BPF calls return it */

	if (err == kernel_enotsupp || err == -kernel_enotsupp)
		return "Operation not supported by this kernel (ENOTSUPP)";
	return strerror(err < 0 ? -err : err);
}
