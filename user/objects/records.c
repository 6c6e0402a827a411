/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Maps that only user space uses: rules, hooks, requests and state of a generation. Arrays mapped
 * into memory: reading a hundred thousand rules needs no system call for each.
 */
#include "records.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <sys/mman.h>

#include "../../bpf/abi.h"
#include "older.h"
#include "pins.h"

static size_t value_stride(uint32_t value_size)
{
	return (value_size + 7) / 8 * 8;
}

int records_map(int fd, struct records *out)
{
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);
	struct records records;

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	if (!(info.map_flags & BPF_F_MMAPABLE))
		return -EBADMSG;
	records.count = info.max_entries;
	records.size = value_stride(info.value_size) * info.max_entries;
	records.list = mmap(NULL, records.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (records.list == MAP_FAILED)
		return -errno;
	*out = records;
	return 0;
}

void records_unmap(struct records *records)
{
	if (records->list)
		munmap(records->list, records->size);
	records->list = NULL;
}

/* fd of a new map, with its memory in *out. */
int records_create(const char *name, uint32_t value_size, uint32_t count, struct records *out)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	CLEANUP(close_fd)
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(uint32_t), value_size,
				count ? count : 1, &options);
	int err;

	if (fd < 0)
		return -errno;
	err = records_map(fd, out);
	return err ? err : TAKE_FD(fd);
}

static size_t record_size(const char *name)
{
	if (str_equal(name, "rules"))
		return sizeof(struct fr_rule_record);
	if (str_equal(name, "requests"))
		return sizeof(struct fr_request_record);
	if (str_equal(name, "pending") || str_equal(name, "undone"))
		return sizeof(struct fr_pending);
	return str_equal(name, "hooks") ? sizeof(struct fr_hook_record) : sizeof(struct fr_state);
}

/* A map of another version, or not ours, must not be read with our size. */
int records_open(const char *dir, const char *name, uint32_t generation, struct records *out)
{
	CLEANUP(close_fd) int fd = pin_open_number(dir, name, generation);
	struct records records;
	int err = fd < 0 ? fd : records_map(fd, &records);

	if (err)
		return err;
	if (records.size == records.count * value_stride((uint32_t)record_size(name))) {
		*out = records;
		return 0;
	}
	err = older_records(name, &records, out);
	records_unmap(&records);
	return err;
}
