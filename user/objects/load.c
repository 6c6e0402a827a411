/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Opens the kernel object, sizes its maps, chooses its programs and loads them. A refusal by the
 * kernel becomes a diagnostic with the last line of the verifier. Attaches and pins nothing.
 */
#include "load.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "../host/host.h"
#include "flowreeve.skel.h"
#include "install.h"

enum { VERIFIER_LOG = 1 << 20, VERIFIER_STATISTICS = 4 };
enum { DESCRIPTORS = 40 }; /* more than the maps and programs of one attach point */

struct object {
	struct flowreeve *skeleton;
	/* empty but for the one that the verifier refused; of all, when statistics are wanted */
	char *log[PROGRAM_COUNT];
	int no_btf;
};

static int print_nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level, (void)format, (void)arguments;
	return 0;
}

void libbpf_quiet(void)
{
	libbpf_set_print(print_nothing);
}

void object_build(char out[FR_NAME_MAX])
{
	uint8_t digest[32];
	size_t size;
	const void *bytes = flowreeve__elf_bytes(&size);

	sha256(bytes, size, digest);
	snprintf(out, FR_NAME_MAX, "%s (%02x%02x%02x%02x%02x%02x)", FLOWREEVE_VERSION, digest[0],
		 digest[1], digest[2], digest[3], digest[4], digest[5]);
}

void object_close(struct object *object)
{
	if (!object)
		return;
	flowreeve__destroy(object->skeleton);
	close_fd(&object->no_btf);
	for (int i = 0; i < PROGRAM_COUNT; i++)
		free(object->log[i]);
	free(object);
}

int object_map(const struct object *object, const char *name)
{
	const struct bpf_map *map = bpf_object__find_map_by_name(object->skeleton->obj, name);

	return map ? bpf_map__fd(map) : -1;
}

int object_program(const struct object *object, enum program program)
{
	const struct bpf_program *found =
		bpf_object__find_program_by_name(object->skeleton->obj, program_names[program]);
	int fd = found ? bpf_program__fd(found) : -1;

	return fd < 0 ? -1 : fd;
}

uint32_t object_verified(const struct object *object, enum program program)
{
	static const char mark[] = "processed ";
	const char *log = object->log[program], *at = log ? strstr(log, mark) : NULL;

	return at ? (uint32_t)strtoul(at + sizeof(mark) - 1, NULL, 10) : 0;
}

static int map_info(int fd, struct bpf_map_info *out)
{
	uint32_t size = sizeof(*out);

	*out = (struct bpf_map_info){0};
	return fd >= 0 && bpf_obj_get_info_by_fd(fd, out, &size) ? -errno : 0;
}

uint32_t flow_sets(uint32_t flows)
{
	if (!flows)
		flows = FR_FLOWS_DEFAULT;
	return (flows + FR_FLOWS_MIN - 1) / FR_FLOWS_MIN * FR_REGION_SETS;
}

/* Number of entries of a map; 0: as the object defines. */
static uint32_t map_entries(const struct bpf_map *map, enum kernel_map which,
			    const struct object_request *request)
{
	uint32_t page = (uint32_t)sysconf(_SC_PAGESIZE);

	switch (which) {
	case MAP_COUNTERS:
		return request->slots;
	case MAP_FLOWS:
		return flow_sets(request->flows);
	case MAP_REGIONS:
		return flow_sets(request->flows) / FR_REGION_SETS;
	case MAP_EVENTS:
		return bpf_map__max_entries(map) < page ? page : 0;
	default:
		return 0;
	}
}

/* Has a map of an earlier load the same shape, and room enough? */
static int map_fits(const struct bpf_map *map, enum kernel_map which,
		    const struct object_request *request, bool *out)
{
	uint32_t entries = map_entries(map, which, request);
	struct bpf_map_info info;
	int err = map_info(request->reuse[which], &info);

	*out = false;
	if (err || request->reuse[which] < 0)
		return err;
	if (which == MAP_COUNTERS && info.max_entries < entries)
		return 0;
	if ((which == MAP_FLOWS || which == MAP_REGIONS) && request->flows &&
	    info.max_entries != entries)
		return 0;
	*out = which == MAP_IMAGES ||
	       (info.type == (uint32_t)bpf_map__type(map) &&
		info.key_size == bpf_map__key_size(map) &&
		info.value_size == bpf_map__value_size(map) &&
		((info.map_flags ^ bpf_map__map_flags(map)) & ~(uint32_t)BPF_F_CLONE) == 0);
	return 0;
}

/* Maps that are reused together or not at all: tables, their locks, the secret of their hash. */
static const uint32_t map_needs[MAP_COUNT] = {
	[MAP_FLOWS] = 1u << MAP_HASHING | 1u << MAP_REGIONS,
	[MAP_REGIONS] = 1u << MAP_HASHING | 1u << MAP_FLOWS,
	[MAP_DROPS] = 1u << MAP_HASHING | 1u << MAP_DROP_REGIONS,
	[MAP_DROP_REGIONS] = 1u << MAP_HASHING | 1u << MAP_DROPS,
	[MAP_QUESTIONS] = 1u << MAP_HASHING,
};

/* A bit for each map of an earlier load that can be reused. */
static int maps_serve(struct bpf_object *object, const struct object_request *request,
		      uint32_t *out)
{
	uint32_t fit = 0;

	for (int i = 0; i < MAP_COUNT; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, map_names[i]);
		bool fits;
		int err = map ? map_fits(map, (enum kernel_map)i, request, &fits) : 0;

		if (err)
			return err;
		if (map && fits)
			fit |= 1u << i;
	}
	*out = fit;
	for (int i = 0; i < MAP_COUNT; i++)
		if ((map_needs[i] & fit) != map_needs[i])
			*out &= ~(1u << i);
	return 0;
}

/* All maps: sizes, or another object's map in place of a new one. */
static int size_maps(struct bpf_object *object, const struct object_request *request,
		     uint32_t serve)
{
	int err = 0;

	for (int i = 0; i < MAP_COUNT && !err; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, map_names[i]);
		uint32_t entries = map ? map_entries(map, (enum kernel_map)i, request) : 0;

		if (map && serve & 1u << i)
			err = bpf_map__reuse_fd(map, request->reuse[i]);
		else if (entries)
			err = bpf_map__set_max_entries(map, entries);
	}
	return err;
}

/* All inner maps have one size, which a template gives to the outer map. */
static int size_images(struct bpf_object *object, uint32_t lines, int *template_fd)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, map_names[MAP_IMAGES]);

	*template_fd = image_map_create(lines);
	if (*template_fd < 0)
		return *template_fd;
	return map ? bpf_map__set_inner_map_fd(map, *template_fd) : -EINVAL;
}

/* The secret of the hash: that of the reused tables, or a new one. */
static int choose_secret(const struct object_request *request, uint32_t serve,
			 struct fr_secret *out)
{
	uint32_t zero = 0;

	if (serve & 1u << MAP_HASHING)
		return bpf_map_lookup_elem(request->reuse[MAP_HASHING], &zero, out) ? -errno : 0;
	return getrandom(out, sizeof(*out), 0) == sizeof(*out) ? 0 : -EIO;
}

static int store_secret(const struct object *object, const struct fr_secret *secret)
{
	uint32_t zero = 0;

	return bpf_map_update_elem(object_map(object, map_names[MAP_HASHING]), &zero, secret,
				   BPF_ANY)
		       ? -errno
		       : 0;
}

static int prepare_maps(struct object *object, const struct object_request *request,
			struct fr_secret *secret)
{
	struct flowreeve *skeleton = object->skeleton;
	uint32_t serve;
	int err = maps_serve(skeleton->obj, request, &serve);

	if (err)
		return err;
	err = size_maps(skeleton->obj, request, serve);
	if (err)
		return err;
	err = choose_secret(request, serve, secret);
	if (err)
		return err;
	memcpy((void *)skeleton->rodata->fr_secret, secret, sizeof(*secret));
	skeleton->rodata->fr_regions =
		bpf_map__max_entries(skeleton->maps.fr_flows) / FR_REGION_SETS;
	return 0;
}

static void choose_programs(struct object *object, const struct object_request *request)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object->skeleton->obj)
		bpf_program__set_autoload(program, false);
	for (int i = 0; i < PROGRAM_COUNT; i++) {
		program = bpf_object__find_program_by_name(object->skeleton->obj, program_names[i]);
		if (!program || !(request->programs & 1u << i))
			continue;
		bpf_program__set_autoload(program, true);
		object->log[i] = calloc(1, VERIFIER_LOG);
		if (!object->log[i])
			continue;
		bpf_program__set_log_buf(program, object->log[i], VERIFIER_LOG);
		if (request->statistics)
			bpf_program__set_log_level(program, VERIFIER_STATISTICS);
	}
}

/* libbpf needs the kernel's BTF as soon as any program of the object has relocations against it.
 * Without process detail, an empty BTF in its place lets the object load on a kernel without BTF:
 * code that cannot be relocated is never reached. */
static int empty_btf(void)
{
	static const struct {
		struct btf_header header;
		char strings[8];
	} nothing = {.header = {.magic = BTF_MAGIC,
				.version = BTF_VERSION,
				.hdr_len = sizeof(struct btf_header),
				.str_len = sizeof(nothing.strings)}};
	CLEANUP(close_fd) int fd = memfd_create("flowreeve-no-btf", MFD_CLOEXEC);

	if (fd < 0 || write(fd, &nothing, sizeof(nothing)) != sizeof(nothing))
		return -1;
	return TAKE_FD(fd);
}

static struct object *object_open(bool process_detail)
{
	struct object *object = calloc(1, sizeof(*object));
	LIBBPF_OPTS(bpf_object_open_opts, options);
	char path[32];

	if (!object)
		return NULL;
	libbpf_quiet();
	object->no_btf = process_detail ? -1 : empty_btf();
	if (object->no_btf >= 0) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", object->no_btf);
		options.btf_custom_path = path;
	}
	object->skeleton = flowreeve__open_opts(&options);
	if (object->skeleton)
		return object;
	object_close(object);
	return NULL;
}

/* A map of notes that are not copied is of a load that took the space from the packet. */
static int space_by(const struct object_request *request, uint32_t *out)
{
	struct bpf_map_info notes;
	int err = map_info(request->reuse[MAP_OWNER], &notes);
	bool packet = notes.type && !(notes.map_flags & BPF_F_CLONE);

	if (request->one_space)
		*out = FR_SPACE_BY_NOTHING;
	else
		*out = packet || packet_space_works() ? FR_SPACE_BY_PACKET : FR_SPACE_BY_OWNER;
	return err;
}

/* An accepted socket needs a note of its own only where its space is read from it. A connection of
 * a listener begins with a SYN, which has the listener's note. */
static int choose_space(struct flowreeve *skeleton, const struct object_request *request)
{
	uint32_t by;
	int err = space_by(request, &by);

	skeleton->rodata->fr_space_by = by;
	if (err || by != FR_SPACE_BY_PACKET)
		return err;
	return bpf_map__set_map_flags(skeleton->maps.fr_owner,
				      bpf_map__map_flags(skeleton->maps.fr_owner) &
					      ~(uint32_t)BPF_F_CLONE);
}

static int object_try(const struct object_request *request, bool process_detail,
		      struct object **out)
{
	struct object *object = object_open(process_detail);
	CLEANUP(close_fd) int template_fd = -1;
	struct fr_secret secret;
	int err;

	*out = object;
	if (!object)
		return errno ? -errno : -ENOMEM;
	object->skeleton->rodata->fr_tracing = request->tracing;
	object->skeleton->rodata->fr_process_detail = process_detail;
	object->skeleton->rodata->fr_netns = host_netns_cookie();
	object->skeleton->rodata->fr_preempts = kernel_preempts_softirqs();
	object->skeleton->rodata->fr_first_generation = request->first;
	object->skeleton->rodata->fr_last_generation = request->last;
	choose_programs(object, request);
	err = choose_space(object->skeleton, request);
	if (err)
		return err;
	err = size_images(object->skeleton->obj, request->image_lines, &template_fd);
	if (err)
		return err;
	err = prepare_maps(object, request, &secret);
	if (err)
		return err;
	err = flowreeve__load(object->skeleton);
	if (err)
		return err;
	return store_secret(object, &secret);
}

/* The verifier's last line before its statistics: the reason. */
static const char *last_words(struct arena *arena, const struct object *object)
{
	const char *line, *end, *log = NULL;
	int program;

	for (program = 0; program < PROGRAM_COUNT; program++) {
		log = object->log[program];
		if (log && *log)
			break;
	}
	if (program == PROGRAM_COUNT)
		return NULL;
	end = strstr(log, "\nprocessed ");
	if (!end)
		end = log + strlen(log);
	while (end > log && end[-1] == '\n')
		end--;
	for (line = end; line > log && line[-1] != '\n'; line--)
		;
	return arena_printf(arena, "the verifier refuses %s: %.*s", program_names[program],
			    (int)(end - line), line);
}

/* Such an error is no evidence of a missing kernel feature. */
static bool no_room(int err)
{
	return err == -ENOMEM || err == -E2BIG || err == -ENOSPC || err == -EMFILE ||
	       err == -ENFILE || err == -EAGAIN || err == -EINTR || err == -EIO;
}

/* libbpf mistakes a lack of descriptors for a lack of features, and then the kernel refuses its
 * fallback programs. */
static int descriptors_check(void)
{
	CLEANUP(close_fd) int first = open("/", O_PATH | O_CLOEXEC);
	int taken[DESCRIPTORS], err = first < 0 ? -errno : 0;
	size_t count = 0;

	for (; count < DESCRIPTORS && !err; count += !err) {
		taken[count] = fcntl(first, F_DUPFD_CLOEXEC, 0);
		err = taken[count] < 0 ? -errno : 0;
	}
	while (count)
		close_fd(&taken[--count]);
	return err;
}

static int load_failed(struct object *object, int err, struct diags *d)
{
	const char *words = object ? last_words(d->arena, object) : NULL;

	object_close(object);
	if (err == -EPERM && !words)
		return diag_error(
			d, NO_LOC, err, "kernel-load",
			"run as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON; before Linux "
			"5.11 also with LimitMEMLOCK=infinity",
			"this process may not load the programs");
	if (no_room(err))
		return diag_error(
			d, NO_LOC, err, "kernel-load", err == -EMFILE ? "ulimit -n 1024" : words,
			"the kernel has no room for the maps or programs: %s", error_text(err));
	return diag_error(d, NO_LOC, -ENOTSUP, "kernel-load", words,
			  "the kernel refuses the programs: %s", error_text(err));
}

int object_load(const struct object_request *request, struct diags *d, struct object **out)
{
	bool process_detail = request->programs & 1u << PROGRAM_SOCK_CREATE;
	struct object *object = NULL;
	int err = descriptors_check();

	if (!err)
		err = object_try(request, process_detail, &object);
	/* Process detail reads kernel structures: a kernel without BTF does without it. */
	if (err && !no_room(err) && process_detail) {
		object_close(object);
		err = object_try(request, false, &object);
	}
	if (err)
		return load_failed(object, err, d);
	*out = object;
	return 0;
}
