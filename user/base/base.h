/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * base: memory, strings, files and diagnostics. Uses libc and zlib; never prints.
 */
#ifndef BASE_H
#define BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "words.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* ---------------------------------------------------------------- memory
 *
 * An arena owns everything that is allocated from it; arena_free() frees it all. Allocation
 * returns zeroed memory and never NULL: without memory the process ends with abort(), which is
 * safe at any instant (the host then has the old policy or the new one, whole).
 */
struct arena;
struct arena *arena_new(void);
void arena_free(struct arena *arena); /* NULL is fine */
/* Discard all allocations; their memory is reused. */
void arena_reset(struct arena *arena);
/* Take over all memory of the other arena and free that arena. */
void arena_adopt(struct arena *arena, struct arena *other);
void *arena_alloc(struct arena *arena, size_t size); /* aligned for any type */
void *arena_bytes(struct arena *arena, size_t size); /* no alignment */
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t length);
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* `before` and the text; "" where the text is NULL: a part of a sentence that may be missing. */
const char *arena_optional(struct arena *arena, const char *before, const char *text);
char *arena_vprintf(struct arena *arena, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
/* Grow an array of `count` elements so that one more fits; capacity doubles, content is kept. */
void *arena_grow(struct arena *arena, void *array, size_t count, size_t *capacity, size_t size);

/* Call once, first: freed memory then returns to the system, so that no stage of a command keeps
 * memory that only an earlier one needed. */
void memory_begin(void);

/* Reports on stderr that no memory is left, and ends with abort(). */
void memory_exhausted(void) __attribute__((noreturn));

/* Memory that is resized, or freed earlier than an arena: free() it. Never NULL. */
void *memory_new(size_t size);			/* zeroed */
void *memory_resize(void *memory, size_t size); /* as realloc: added bytes are not zeroed */
/* A large area apart from the heap: at least *size bytes, zeroed; *size gets the real size. */
void *memory_map(size_t *size);
/* As realloc, for a mapped area: added bytes are zeroed. */
void *memory_remap(void *memory, size_t old, size_t *size);
void memory_unmap(void *memory, size_t size);
/* Populate the pages: all of them are about to be written. */
void memory_touch(void *memory, size_t size);
/* Keep the address range and drop its content, except in pages that it shares with other data. */
void memory_forget(void *memory, size_t size);
/* Cleanup attributes for objects outside an arena. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))
void close_fd(int *fd);	      /* closes when >= 0 */
void close_file(FILE **file); /* fclose when not NULL */
void free_ptr(void *pointer_to_pointer);
void arena_drop(struct arena **arena);
#define TAKE_FD(fd)                                                                                \
	({                                                                                         \
		int taken_ = (fd);                                                                 \
		(fd) = -1;                                                                         \
		taken_;                                                                            \
	})
#define TAKE_PTR(p)                                                                                \
	({                                                                                         \
		__typeof__(p) taken_ = (p);                                                        \
		(p) = NULL;                                                                        \
		taken_;                                                                            \
	})

/* ---------------------------------------------------------------- strings */

bool str_equal(const char *a, const char *b); /* both may be NULL */
/* The first letters mostly differ: compare them before the call. */
static inline bool word_is(const char *word, const char *other)
{
	return *word == *other && !strcmp(word, other);
}
bool str_starts(const char *text, const char *prefix);
bool name_is_kebab(const char *text); /* [a-z0-9]+(-[a-z0-9]+)*, shorter than FR_NAME_MAX */
/* "a, b": `words` may be NULL. */
const char *str_list_append(struct arena *arena, const char *words, const char *word);
/* The candidate nearest to `word` by edit distance, or NULL when none is near enough to suggest. */
const char *nearest_word(const char *word, const char *const *candidates, size_t count);
/* Whole string as an unsigned decimal number <= max. 0 or -EINVAL / -ERANGE. */
int parse_u64(const char *text, uint64_t max, uint64_t *out);
/* "90", "90s", "5m", "2h", "5d" -> seconds. 0 or -EINVAL / -ERANGE (over 10 years). */
int parse_duration(const char *text, uint32_t *seconds);
/* "2026-11-21" -> seconds of the epoch. The second takes more text behind it, such as a time. */
bool date_parse(const char *text, uint64_t *seconds);
bool date_begins(const char *text, uint64_t *seconds);
enum { DATE_TEXT = 16 };
char *date_text(uint64_t seconds, char out[DATE_TEXT]); /* up to the year 9999 */

/* SHA-256 of a buffer, 32 bytes out. */
void sha256(const void *data, size_t size, uint8_t out[32]);
enum { DIGEST_TEXT = 65 };
char *digest_text(const uint8_t digest[32], char out[DIGEST_TEXT]); /* hexadecimal */

/* ---------------------------------------------------------------- names with values */

struct index {
	struct arena *arena;
	struct index_slot *slots;
	size_t count, size;
};
/* The value kept under a name, or NULL. */
const void *index_get(const struct index *index, const char *name);
/* Add a value under a new name. Returns NULL, or the existing value of that name. */
const void *index_insert(struct index *index, const char *name, const void *value);

/* Reserve room for so many names, where the number is known. */
void index_reserve(struct index *index, size_t count);

/* All names, `count` of them, in no order. */
const char *const *index_names(struct arena *arena, const struct index *index);

/* ---------------------------------------------------------------- sources, places, diagnostics */

/* A text that diagnostics point into. Owned by an arena. */
struct source {
	const char *name; /* as the user named it */
	const char *text; /* NUL terminated as well */
	size_t size;
	uint64_t modified; /* of the file, seconds of the epoch; 0: it is no file */
	bool unsettled;	   /* the file changed while it was read */
};

/* Read a regular file whole. Refuses directories, devices, and more than `limit` bytes (-EFBIG).
 * 0, or -errno with nothing in *out. */
int source_read(struct arena *arena, const char *path, size_t limit, struct source **out);
/* Standard input as "<stdin>", read once: the same text each time. */
int source_stdin(struct arena *arena, size_t limit, struct source **out);

/* A text in compressed form. */
struct packed {
	void *bytes;
	size_t packed_size, size;
	uint8_t digest[32]; /* of the packed bytes */
};
/* In pieces: pack_begin(), any number of pack_add(), pack_end(); then packed_free() it. */
struct packer;
struct packer *pack_begin(void);
void pack_add(struct packer *packer, const char *text, size_t size);
void pack_end(struct packer *packer, struct packed *out);
void packed_free(struct packed *packed);
/* -EBADMSG: it is damaged, or holds no text. Gives out->text and out->size. */
int packed_open(struct arena *arena, const struct packed *packed, struct source *out);

/* Replaces the regular file of a path, or makes it, whole or not at all, readable by its owner
 * alone. -ELOOP: a link, -EEXIST: something else that is no file. */
int file_replace(struct arena *arena, const char *path, const void *data, size_t size);
/* Replaces an existing file in the same way; the new one has its owner, group and mode. */
int file_rewrite(struct arena *arena, const char *path, const void *data, size_t size);

/* Lines and columns start at 1; line 0 means the file as a whole; source NULL means no file. */
struct loc {
	const struct source *source;
	uint32_t line, column, length;
};
#define NO_LOC ((struct loc){0})

enum severity { SEV_ERROR, SEV_WARNING, SEV_NOTE };

struct diag {
	enum severity severity;
	struct loc loc;
	const char *check;   /* stable id, kebab-case, as in docs/diagnostics.md */
	const char *message; /* one sentence, no full stop: the fault and the expected value */
	const char *hint;    /* the correction ("did you mean 'x'?"), or NULL */
};

/* All diagnostics, in order of finding. */
struct diags {
	struct arena *arena;
	struct diag *list;
	size_t count, capacity;
	unsigned errors, warnings;
};

/* Add one; `hint` may be NULL. The error form returns `err` (a negative errno), so that a floor
 * can write: return diag_error(d, loc, -EINVAL, "bad-port", NULL, "…"). Errors beyond 200 are
 * counted, not kept. */
int diag_error(struct diags *d, struct loc loc, int err, const char *check, const char *hint,
	       const char *format, ...) __attribute__((format(printf, 6, 7)));
void diag_warning(struct diags *d, struct loc loc, const char *check, const char *hint,
		  const char *format, ...) __attribute__((format(printf, 5, 6)));
void diag_note(struct diags *d, struct loc loc, const char *check, const char *hint,
	       const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The first error, or NULL; is there one, or a warning or note, of this kind? */
const struct diag *diags_first_error(const struct diags *d);
bool diags_have(const struct diags *d, const char *check);

/* Adds the warnings of one kind from others that are not reported. */
void diags_take(struct diags *d, const struct diags *from, const char *check);

/* True: further errors are only counted, so a caller need not explain them. */
bool diags_full(const struct diags *d);

/* strerror, with a name for the kernel's 524 (ENOTSUPP). `err` of either sign. */
const char *error_text(int err);

/* ---------------------------------------------------------------- commands as text */

#define PIN_ROOT_DEFAULT "/sys/fs/bpf/flowreeve"

/* One command of flowreeve, ready to be pasted into a shell. Members that are NULL or false are
 * omitted, and so is the default pin root. */
struct command_line {
	const char *verb, *mode, *pin_root, *operand;
	bool allow_removal;
	const char *const *more; /* words before the operand */
	size_t more_count;
};
const char *command_text(struct arena *arena, const struct command_line *line);
/* A word for a shell, quoted where necessary. */
const char *shell_word(struct arena *arena, const char *word);
#endif
