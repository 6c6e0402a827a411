/* SPDX-License-Identifier: GPL-2.0-only */
/* Hand-made images: see datapath_fixture.h. */
#include "datapath_fixture.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	SERVICES_LINE = FR_LINES_FIXED,
	PORTS_LINE = SERVICES_LINE + 32,
	MATRIX_LINE = PORTS_LINE + 65536 * 2 / FR_LINE_BYTES,
	SLOTS_LINE = MATRIX_LINE + FR_DIRS,
	COLUMN_OTHER = 0,
	COLUMN_TCP = 1, /* fragments; then the other ports, then the one port */
};

static void *line(const struct image *image, uint32_t number)
{
	return (char *)image->lines + (size_t)number * FR_LINE_BYTES;
}

static void fill_services(const struct image_spec *plan, struct image *image)
{
	struct fr_service *services = line(image, SERVICES_LINE);
	uint16_t *ports = line(image, PORTS_LINE);

	for (uint32_t port = 0; port < 65536; port++)
		ports[port] = plan->tcp_port && port == plan->tcp_port ? 2 : 1;
	services[PROTO_TCP] = (struct fr_service){.table = PORTS_LINE, .column = COLUMN_TCP};
}

static void fill_matrix(const struct image_spec *plan, struct image *image, int dir)
{
	uint32_t *cells = line(image, MATRIX_LINE + (uint32_t)dir);
	uint32_t other = FR_CELL(plan->allow[dir] ? FR_ALLOW : FR_DENY, dir);
	uint32_t port = FR_CELL(FR_ALLOW, FR_RULE_FIRST + dir);

	for (int i = 0; i < FR_LINE_WORDS; i++)
		cells[i] = other;
	cells[COLUMN_TCP] = plan->tcp_port ? port : other;
	cells[COLUMN_TCP + 2] = port;
}

static void fill_image(const struct image_spec *plan, const struct ruleset *rs, struct image *image)
{
	struct fr_image_head *head = line(image, 0);
	struct fr_image_conf *conf = line(image, 1);
	struct fr_image_ident *ident = line(image, 2);

	head->flags = FR_F_DENSE | FR_F_LOOPBACK | FR_F_NEIGHBOUR | FR_F_MULTICAST | FR_F_DHCP |
		      FR_F_ICMP_ERROR | (plan->enforce ? FR_F_ENFORCE : 0);
	head->slots = SLOTS_LINE;
	for (int dir = 0; dir < FR_DIRS; dir++) {
		head->dir[dir] = (struct fr_image_dir){.services = SERVICES_LINE,
						       .matrix = MATRIX_LINE + (uint32_t)dir,
						       .columns = FR_LINE_WORDS};
		conf->rows[dir] = 1;
		fill_matrix(plan, image, dir);
	}
	fill_services(plan, image);
	memcpy(conf->timeout, rs->timeout, sizeof(conf->timeout));
	conf->rules = image->rule_count;
	conf->lines = image->line_count;
	ident->abi = FR_ABI_VERSION;
	sha256(image->lines, (size_t)image->line_count * FR_LINE_BYTES, ident->digest);
	memcpy(image->digest, ident->digest, sizeof(image->digest));
}

static void fill_rules(const struct image_spec *plan, struct fixture *out)
{
	static const struct origin origin = {.table = "vendor-table", .row = "row", .line = 17};
	struct ruleset *rs = &out->ruleset;
	size_t count = (1 + plan->id_count) * FR_DIRS;

	rs->rules = arena_alloc(out->arena, count * sizeof(*rs->rules));
	for (size_t i = 0; i < count; i++) {
		rs->rules[i].id = i < FR_DIRS ? "port" : plan->ids[i / FR_DIRS - 1];
		rs->rules[i].dir = (uint8_t)(i % FR_DIRS);
		rs->rules[i].action = FR_ALLOW;
	}
	rs->rules[0].origin = &origin;
	rs->rule_count = count;
}

void fixture_make(const struct image_spec *plan, struct fixture *out)
{
	static const uint32_t timeout[FR_TIMEOUTS] = {
		[FR_TIMEOUT_TCP_OPENING] = 60, [FR_TIMEOUT_TCP_ESTABLISHED] = 432000,
		[FR_TIMEOUT_TCP_CLOSING] = 10, [FR_TIMEOUT_UDP_ONEWAY] = 30,
		[FR_TIMEOUT_UDP] = 120,	       [FR_TIMEOUT_ICMP] = 30,
		[FR_TIMEOUT_ADOPT] = 300,      [FR_TIMEOUT_EVENT] = 10,
	};
	uint32_t slot_lines;

	memset(out, 0, sizeof(*out));
	out->arena = arena_new();
	out->diags.arena = out->arena;
	out->ruleset.arena = out->arena;
	out->ruleset.name = plan->policy;
	out->ruleset.enforce = plan->enforce;
	memcpy(out->ruleset.timeout, timeout, sizeof(timeout));
	memcpy(out->ruleset.default_allow, plan->allow, sizeof(plan->allow));
	fill_rules(plan, out);
	out->image.rule_count = (uint32_t)(FR_RULE_FIRST + out->ruleset.rule_count);
	slot_lines = (out->image.rule_count + FR_LINE_WORDS - 1) / FR_LINE_WORDS;
	out->image.line_count = SLOTS_LINE + slot_lines + plan->pad_lines;
	out->image.lines = arena_alloc(out->arena, (size_t)out->image.line_count * FR_LINE_BYTES);
	fill_image(plan, &out->ruleset, &out->image);
}

void fixture_free(struct fixture *fixture)
{
	arena_free(fixture->arena);
}

const char *fixture_messages(const struct fixture *fixture)
{
	const char *all = "";

	for (size_t i = 0; i < fixture->diags.count; i++)
		all = arena_printf(fixture->arena, "%s%s (%s)\n", all,
				   fixture->diags.list[i].message,
				   fixture->diags.list[i].hint ? fixture->diags.list[i].hint : "");
	return all;
}

void need_root(void)
{
	if (geteuid())
		cr_skip_test("needs root: NOT RUN");
}

void refuse_bpf(int command, int error)
{
	uint32_t compare = command < 0 ? BPF_JGE : BPF_JEQ;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_bpf, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | compare | BPF_K, command < 0 ? 0 : (uint32_t)command, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {ARRAY_SIZE(code), code};

	cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	cr_assert_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0, "%s", strerror(errno));
}
