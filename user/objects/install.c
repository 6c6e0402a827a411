/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies images into kernel memory: a new inner map gets the compiled lines, then the loader's
 * values (generation, counter slots, timeouts in jiffies), and is checked before anything refers
 * to it. Does not flip.
 */
#include "install.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "clock.h"

enum {
	CLASS_LINES_MIN = 1 << 14,
	SUBNET_LINES = FR_SUBNETS * sizeof(struct fr_subnet) / FR_LINE_BYTES
};

uint32_t image_class(uint32_t lines)
{
	uint32_t class_lines = CLASS_LINES_MIN;

	while (class_lines < lines)
		class_lines *= 2;
	return class_lines;
}

uint32_t slots_class(uint32_t rules)
{
	static const uint32_t classes[] = {1 << 10, 1 << 14, 1 << 17, 1 << 18, 1 << 19};

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (rules <= classes[i])
			return classes[i];
	return 2 * FR_MAX_RULES; /* room for new rules while old ones still leave */
}

int image_map_create(uint32_t lines)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "fr_image", sizeof(uint32_t), FR_LINE_BYTES,
				lines, &options);

	return fd < 0 ? -errno : fd;
}

static bool within(const struct fr_image_conf *conf, uint32_t line, uint64_t count)
{
	return line && line < conf->lines && count <= conf->lines - line;
}

static size_t slot_lines(uint32_t rules)
{
	return ((size_t)rules + FR_LINE_WORDS - 1) / FR_LINE_WORDS;
}

static bool root_fits(const struct fr_image_conf *conf, uint32_t entry, uint32_t rows)
{
	if (FR_TRIE_KIND(entry) == FR_TRIE_LEAF)
		return FR_TRIE_NUMBER(entry) < rows;
	return within(conf, FR_TRIE_NUMBER(entry), 1);
}

/* Whether every table that a head names lies within the image. */
static bool image_sound(const struct image *image)
{
	const struct fr_image_head *head = image->lines;
	const struct fr_image_conf *conf = image_conf(image);
	uint64_t slots = slot_lines(conf->rules);

	if (head->flags & FR_F_ANSWERS)
		slots += SUBNET_LINES;
	if (conf->lines != image->line_count || conf->lines > FR_MAX_LINES)
		return false;
	if (conf->rules != image->rule_count || conf->rules > FR_MAX_RULES)
		return false;
	if (conf->rules < FR_RULE_FIRST || !within(conf, head->slots, slots))
		return false;
	if (head->staged && !within(conf, head->staged, 1))
		return false;
	for (int dir = 0; dir < FR_DIRS; dir++) {
		const struct fr_image_dir *tables = &head->dir[dir];

		if (!root_fits(conf, tables->root4, conf->rows[dir]) ||
		    !root_fits(conf, tables->root6, conf->rows[dir]) ||
		    !within(conf, tables->services,
			    256 * sizeof(struct fr_service) / FR_LINE_BYTES) ||
		    !within(conf, tables->matrix, 1) || !tables->columns ||
		    tables->columns % FR_LINE_WORDS)
			return false;
	}
	return true;
}

static int image_check(const struct image *image, struct diags *d)
{
	const struct fr_image_ident *ident;

	if (!image->lines || image->line_count < FR_LINES_FIXED)
		return diag_error(d, NO_LOC, -EINVAL, "image", NULL, "the image is empty");
	ident = image_ident(image);
	if (ident->abi != FR_ABI_VERSION)
		return diag_error(d, NO_LOC, -EINVAL, "image", NULL,
				  "the image is of layout %u, the programs need %u", ident->abi,
				  FR_ABI_VERSION);
	if (!image_sound(image))
		return diag_error(d, NO_LOC, -EINVAL, "image", NULL,
				  "the image has offsets outside of itself");
	return 0;
}

static uint32_t in_jiffies(uint32_t seconds, uint32_t hz)
{
	uint64_t jiffies = (uint64_t)seconds * hz;

	return jiffies > UINT32_MAX ? UINT32_MAX : (uint32_t)jiffies;
}

/* A packet may wait for its neighbour's address between conntrack and the device: reserve a quarter
 * for that. */
uint32_t conntrack_jiffies(uint32_t seconds)
{
	return in_jiffies(seconds, clock_hz()) / 4 * 3;
}

static void image_fill(void *lines, const struct install *install)
{
	struct fr_image_start *start = lines;
	struct fr_image_conf *conf = &start->conf;
	uint32_t hz = clock_hz();
	uint32_t *slots;

	memcpy(lines, install->image->lines, (size_t)install->image->line_count * FR_LINE_BYTES);
	slots = (void *)((char *)lines + (size_t)start->head.slots * FR_LINE_BYTES);
	for (uint32_t rule = 0; rule < conf->rules; rule++)
		slots[rule] = FR_SLOT_WORD(install->slot ? install->slot[rule] : rule,
					   FR_SLOT_ANSWERS(slots[rule]));
	if (install->subnets && start->head.flags & FR_F_ANSWERS)
		memcpy((char *)slots + slot_lines(conf->rules) * FR_LINE_BYTES, install->subnets,
		       FR_SUBNETS * sizeof(*install->subnets));
	for (int i = 0; i < FR_TIMEOUTS; i++)
		conf->timeout[i] = in_jiffies(conf->timeout[i], hz);
	conf->adopt_until = install->adopt_until;
	start->ident.conntrack = conntrack_jiffies(install->conntrack);
	start->head.flags |= install->extra_flags;
	start->head.generation = install->generation;
}

/* Undoes image_fill() in a copy of the lines, which are sound. */
static int image_unfill(struct image *copy, bool audit)
{
	struct fr_image_start *start = copy->lines;
	struct fr_subnet *subnets = (struct fr_subnet *)image_subnets(copy);
	uint32_t hz = clock_hz();
	uint32_t *slots = (void *)((char *)copy->lines + (size_t)start->head.slots * FR_LINE_BYTES);

	for (uint32_t rule = 0; rule < start->conf.rules; rule++)
		slots[rule] = FR_SLOT_WORD(0, FR_SLOT_ANSWERS(slots[rule]));
	if (subnets)
		memset(subnets, 0, FR_SUBNETS * sizeof(*subnets));
	for (int i = 0; i < FR_TIMEOUTS; i++) {
		if (start->conf.timeout[i] == UINT32_MAX)
			return -ERANGE;
		start->conf.timeout[i] /= hz;
	}
	start->conf.adopt_until = 0;
	start->ident.conntrack = 0;
	memset(start->ident.digest, 0, sizeof(start->ident.digest));
	start->head.flags &= ~(uint32_t)FR_F_HOST_FACTS;
	if (audit)
		start->head.flags |= FR_F_ENFORCE;
	start->head.generation = 0;
	start->head.deadline = 0;
	return 0;
}

int image_digest_now(const struct image *image, bool audit, uint8_t out[32])
{
	size_t size = (size_t)image->line_count * FR_LINE_BYTES;
	CLEANUP(free_ptr) void *lines = malloc(size);
	struct image copy = {
		.lines = lines, .line_count = image->line_count, .rule_count = image->rule_count};
	int err;

	if (!lines)
		return -ENOMEM;
	memcpy(lines, image->lines, size);
	err = image_sound(&copy) ? image_unfill(&copy, audit) : -EBADMSG;
	if (!err)
		sha256(lines, size, out);
	return err;
}

int image_intact(const struct image *image, bool audit, bool *out)
{
	uint8_t digest[32];
	int err = image_digest_now(image, audit, digest);

	*out = !err && !memcmp(digest, image->digest, sizeof(digest));
	return err == -EBADMSG ? 0 : err;
}

int image_install(const struct install *install, struct diags *d)
{
	size_t size = (size_t)install->class_lines * FR_LINE_BYTES;
	CLEANUP(close_fd) int fd = -1;
	void *lines;
	int err = image_check(install->image, d);

	if (err)
		return err;
	if (install->image->line_count > install->class_lines)
		return diag_error(d, NO_LOC, -E2BIG, "image", NULL,
				  "the image is over its size class");
	fd = image_map_create(install->class_lines);
	if (fd < 0)
		return diag_error(d, NO_LOC, fd, "kernel-load", NULL,
				  "the kernel has no room for an image of %zu bytes: %s", size,
				  error_text(fd));
	/* The rest is zero already. */
	size = (size_t)install->image->line_count * FR_LINE_BYTES;
	lines = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (lines == MAP_FAILED)
		return diag_error(d, NO_LOC, -errno, "kernel-load", NULL,
				  "cannot map the image: %s", error_text(errno));
	image_fill(lines, install);
	munmap(lines, size);
	return TAKE_FD(fd);
}

int image_copy(const struct image *from, uint32_t class_lines, uint32_t without)
{
	size_t size = (size_t)from->line_count * FR_LINE_BYTES;
	CLEANUP(close_fd) int fd = image_map_create(class_lines);
	struct fr_image_head *head;

	if (fd < 0)
		return fd;
	head = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (head == MAP_FAILED)
		return -errno;
	memcpy(head, from->lines, size);
	head->flags &= ~without;
	munmap(head, size);
	return TAKE_FD(fd);
}

int image_map_view(int fd, struct image *out)
{
	struct image image = {0};
	struct fr_image_start *start = mmap(NULL, sizeof(*start), PROT_READ, MAP_SHARED, fd, 0);

	if (start == MAP_FAILED)
		return -errno;
	image.line_count = start->conf.lines;
	image.rule_count = start->conf.rules;
	memcpy(image.digest, start->ident.digest, sizeof(image.digest));
	munmap(start, sizeof(*start));
	if (image.line_count < FR_LINES_FIXED)
		return -ENODATA;
	image.lines =
		mmap(NULL, (size_t)image.line_count * FR_LINE_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	if (image.lines == MAP_FAILED)
		return -errno;
	*out = image;
	return 0;
}

int image_deadline(int fd, uint64_t *out)
{
	struct fr_image_head *head = mmap(NULL, sizeof(*head), PROT_READ, MAP_SHARED, fd, 0);

	if (head == MAP_FAILED)
		return -errno;
	*out = __atomic_load_n(&head->deadline, __ATOMIC_RELAXED);
	munmap(head, sizeof(*head));
	return 0;
}

int image_deadline_set(int fd, uint64_t deadline)
{
	struct fr_image_head *head =
		mmap(NULL, sizeof(*head), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (head == MAP_FAILED)
		return -errno;
	__atomic_store_n(&head->deadline, deadline, __ATOMIC_SEQ_CST);
	munmap(head, sizeof(*head));
	return 0;
}

void image_unmap(struct image *image)
{
	if (image->lines)
		munmap(image->lines, (size_t)image->line_count * FR_LINE_BYTES);
	image->lines = NULL;
}
