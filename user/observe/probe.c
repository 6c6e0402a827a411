/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs packets through a twin of the programs in force: the same programs, by their tags, loaded
 * once more with maps of their own and a copy of the image in force, so that no figure and no flow
 * of the policy changes. What each of them says is compared with what the document of the policy
 * says, compiled anew. The kernel runs programs of devices and cgroup_skb for a trial, those of
 * connect and sendmsg it does not.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum {
	WRONG_MOST = 8,	      /* lines of one program */
	PREFIXES_MOST = 3,    /* of a rule and family, that are looked at */
	OPENER_PORTS = 20000, /* the first that openers have */
	OPENER_COUNT = 40000,
	TC_REFUSES = 2,
};

/* A hook with its program, and how far a trial of it went. */
struct trial {
	const struct hook_view *hook;
	struct hook_program program;
	uint8_t dir; /* enum fr_dir, as the protected party sees it */
	bool runs;   /* the kernel runs it */
	uint32_t ifindex;
	size_t packets, beside, wrong, exempt;
};

struct prober {
	struct verifier *v;
	const struct ruleset *rs;
	struct image expected; /* the document's */
	struct object *twin;
	struct trial *trials;
	size_t trial_count;
	struct addr local[2]; /* by family, v4 first: addresses of this host, or examples */
	unsigned cpus;
	struct fr_event *traces; /* a value of each CPU */
	bool *probed;		 /* by rule: a packet that it decides was judged so */
	uint32_t number;	 /* of the packet */
};

/* ---------------------------------------------------------------- the twin */

static const uint32_t programs_run =
	1u << PROGRAM_IF_INGRESS | 1u << PROGRAM_IF_EGRESS | 1u << PROGRAM_GUEST_INGRESS |
	1u << PROGRAM_GUEST_EGRESS | 1u << PROGRAM_IF_INGRESS_L3 | 1u << PROGRAM_IF_EGRESS_L3 |
	1u << PROGRAM_GUEST_INGRESS_L3 | 1u << PROGRAM_GUEST_EGRESS_L3 | 1u << PROGRAM_CG_INGRESS |
	1u << PROGRAM_CG_EGRESS;
static const uint32_t programs_refuse = 1u << PROGRAM_CONNECT4 | 1u << PROGRAM_CONNECT6 |
					1u << PROGRAM_SENDMSG4 | 1u << PROGRAM_SENDMSG6 |
					1u << PROGRAM_LOCAL;

/* What a device's hook takes is what its guest sends. */
static uint8_t direction_of(const struct fr_hook_record *record, const struct hook_program *program)
{
	bool in = str_equal(program->name, "ingress");

	if (record->kind == FR_KIND_GUEST)
		in = !in;
	return in ? FR_INGRESS : FR_EGRESS;
}

static bool is_tried(const struct prober *p, enum program program)
{
	for (size_t i = 0; i < p->trial_count; i++)
		if (p->trials[i].program.program == program)
			return true;
	return false;
}

/* One hook of each program that gives verdicts. */
static void find_trials(struct prober *p)
{
	const struct status_view *status = p->v->status;

	p->trials = arena_alloc(p->v->arena, PROGRAM_COUNT * sizeof(*p->trials));
	for (size_t i = 0; i < status->hook_count; i++) {
		const struct hook_view *hook = &status->hooks[i];
		const struct fr_hook_record *record = hook->fact->record;
		struct hook_program all[HOOK_PROGRAMS_MAX];
		size_t count = attach_hooks(record, all), at = 0;
		uint32_t bit;

		while (at < count && !str_equal(all[at].text, hook->hook))
			at++;
		bit = at < count ? 1u << all[at].program : 0;
		if (!(bit & (programs_run | programs_refuse)) || is_tried(p, all[at].program))
			continue;
		p->trials[p->trial_count++] = (struct trial){.hook = hook,
							     .program = all[at],
							     .dir = direction_of(record, &all[at]),
							     .runs = bit & programs_run,
							     .ifindex = record->ifindex};
	}
}

static int load_twin(struct prober *p, const struct image *image)
{
	struct object_request request = {.image_lines = image_class(image->line_count),
					 .slots = slots_class(image->rule_count),
					 .flows = FR_FLOWS_MIN,
					 .last = UINT32_MAX,
					 .tracing = true,
					 .one_space = true};
	struct diags unseen = {.arena = p->v->arena};

	for (size_t i = 0; i < p->trial_count; i++)
		request.programs |= 1u << p->trials[i].program.program;
	for (int i = 0; i < MAP_COUNT; i++)
		request.reuse[i] = -1;
	return object_load(&request, &unseen, &p->twin);
}

/* A copy of the image in force, without its deadline, and of its failsafe rules. */
static int install_image(struct prober *p, const struct image *image)
{
	CLEANUP(close_fd) int copy = image_copy(image, image_class(image->line_count), 0);
	uint32_t current = FR_SLOT_CURRENT;
	int err = copy < 0 ? copy : image_deadline_set(copy, 0);

	err = err ? err
		  : failsafe_store(object_map(p->twin, map_names[MAP_FAILSAFE]),
				   image_head(image)->generation, &image->failsafe);
	if (err)
		return err;
	return bpf_map_update_elem(object_map(p->twin, map_names[MAP_IMAGES]), &current, &copy,
				   BPF_ANY)
		       ? -errno
		       : 0;
}

/* ---------------------------------------------------------------- its code */

static int attached_tag(uint32_t id, uint64_t *out)
{
	CLEANUP(close_fd) int fd = bpf_prog_get_fd_by_id(id);

	return fd < 0 ? -errno : fd_program_tag(fd, out);
}

static void tell(struct prober *p, const struct trial *trial, uint8_t state, const char *text)
{
	verify_add(p->v, (struct check_view){.claim = "probe",
					     .on = verify_hook_words(p->v, trial->hook),
					     .state = state,
					     .text = text});
}

/* Whether the twin of a program has its code. Else a check says so. */
static bool is_twin(struct prober *p, const struct trial *trial)
{
	int fd = object_program(p->twin, trial->program.program);
	const char *build = p->v->status->build;
	char own[FR_NAME_MAX];
	uint64_t ours, theirs;

	if (fd < 0 || fd_program_tag(fd, &ours) || attached_tag(trial->hook->prog_id, &theirs)) {
		tell(p, trial, CHECK_UNKNOWN, "the code of its program cannot be read");
		return false;
	}
	if (ours == theirs)
		return true;
	object_build(own);
	if (str_equal(own, build))
		tell(p, trial, CHECK_WRONG, "its program has other code than this flowreeve");
	else
		tell(p, trial, CHECK_UNKNOWN,
		     arena_printf(p->v->arena,
				  "it was applied by flowreeve %s, whose programs have other code: "
				  "apply it again first",
				  build));
	return false;
}

/* ---------------------------------------------------------------- one packet */

static struct decision expected_of(const struct prober *p, const struct tuple *tuple)
{
	struct decision decision;

	image_decide(&p->expected, tuple, &decision);
	if (decision.staged) {
		decision.rule = decision.staged_rule;
		decision.reason = FR_REASON_RULE;
	}
	return decision;
}

static struct opening opening_of(struct prober *p, const struct trial *trial,
				 const struct tuple *tuple)
{
	uint8_t kind = trial->hook->fact->record->kind;
	bool l3 = kind != FR_KIND_CGROUP && trial->hook->fact->record->l3;
	uint16_t port = (uint16_t)(OPENER_PORTS + p->number++ % OPENER_COUNT);

	return (struct opening){.tuple = *tuple,
				.local = p->local[!addr_is_v4(&tuple->peer)],
				.opener_port = port == tuple->port ? port - 1 : port,
				.ethernet = !l3,
				.outgoing = tuple->dir == FR_EGRESS};
}

static int run(struct prober *p, const struct trial *trial, const struct tuple *tuple,
	       struct fr_event *out, uint32_t *code)
{
	struct opening opening = opening_of(p, trial, tuple);
	int trace = object_map(p->twin, "fr_trace");
	uint8_t data[PACKET_MAX];
	struct __sk_buff context = {.ifindex = trial->ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = data,
		    .data_size_in = packet_opening(&opening, data), .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .repeat = 1);
	uint32_t zero = 0;

	memset(p->traces, 0, p->cpus * sizeof(*p->traces));
	if (bpf_map_update_elem(trace, &zero, p->traces, BPF_ANY))
		return -errno;
	if (bpf_prog_test_run_opts(object_program(p->twin, trial->program.program), &options))
		return -errno;
	if (bpf_map_lookup_elem(trace, &zero, p->traces))
		return -errno;

	for (unsigned cpu = 0; cpu < p->cpus; cpu++)
		if (p->traces[cpu].version)
			*out = p->traces[cpu];
	*code = options.retval;
	return 0;
}

static const char *tuple_words(const struct prober *p, const struct tuple *tuple)
{
	struct service service = service_one(tuple->proto, tuple->port);
	char addr[ADDR_TEXT], text[SERVICE_TEXT];

	return arena_printf(p->v->arena, "%s %s %s %s", dir_name(tuple->dir),
			    service_text(&service, text), tuple->dir == FR_EGRESS ? "to" : "from",
			    addr_text(&tuple->peer, addr));
}

static void tell_wrong(struct prober *p, struct trial *trial, const struct tuple *tuple,
		       const struct decision *expected, const struct fr_event *seen)
{
	const char *said = seen->version ? verdict_name(seen->verdict) : "nothing";

	if (trial->wrong++ >= WRONG_MOST)
		return;
	tell(p, trial, CHECK_WRONG,
	     arena_printf(p->v->arena, "%s: the program says %s (%s), the policy %s (%s)",
			  tuple_words(p, tuple), said, ruleset_rule_name(p->rs, seen->slot),
			  verdict_name(expected->verdict),
			  ruleset_rule_name(p->rs, expected->rule)));
}

/* The code that the hook returns for a verdict. */
static bool code_fits(const struct trial *trial, uint8_t verdict, uint32_t code)
{
	if (trial->hook->fact->record->kind == FR_KIND_CGROUP)
		return code == (verdict != FR_DROP);
	return (code == TC_REFUSES) == (verdict == FR_DROP);
}

/* Packets that the rules do not decide, such as forwarded ones, prove nothing of them. */
static bool is_by_rules(const struct fr_event *seen)
{
	return !seen->version || seen->reason == FR_REASON_RULE ||
	       seen->reason == FR_REASON_DEFAULT || seen->reason == FR_REASON_FAILSAFE;
}

static int probe(struct prober *p, struct trial *trial, const struct tuple *tuple)
{
	struct decision expected = expected_of(p, tuple);
	struct fr_event seen = {0};
	uint32_t code = 0;
	int err = run(p, trial, tuple, &seen, &code);

	if (err)
		return err;
	if (!is_by_rules(&seen)) {
		trial->exempt++;
		return 0;
	}
	trial->packets++;
	p->v->view->probes++;
	trial->beside += expected.reason == FR_REASON_DEFAULT;
	if (!seen.version || seen.verdict != expected.verdict || seen.reason != expected.reason ||
	    seen.slot != expected.rule || !code_fits(trial, expected.verdict, code))
		tell_wrong(p, trial, tuple, &expected, &seen);
	else if (expected.rule >= FR_RULE_FIRST)
		p->probed[expected.rule - FR_RULE_FIRST] = true;
	return 0;
}

/* ---------------------------------------------------------------- the packets of a rule */

static bool is_nobody(const struct addr *addr)
{
	return addr_is_v4(addr) ? addr_v4(addr) >> 24 == 0 : !addr_high(addr) && !addr_low(addr);
}

/* Of another host: an address that a packet of this direction can have. */
static bool can_be_peer(const struct prober *p, uint8_t dir, const struct addr *addr)
{
	if (addr_is_loopback(addr) || is_nobody(addr) || (dir == FR_INGRESS && addr_is_group(addr)))
		return false;
	return !addr_equal(addr, &p->local[0]) && !addr_equal(addr, &p->local[1]);
}

/* Protocols that are headers of IPv6 itself, or of the other family. */
static bool can_be_carried(uint8_t proto, bool v4)
{
	static const uint8_t headers[] = {0, 43, 44, 51, 60, PROTO_ICMP, PROTO_IGMP};

	for (size_t i = 0; i < ARRAY_SIZE(headers) && !v4; i++)
		if (proto == headers[i])
			return false;
	return !(v4 && proto == PROTO_ICMP6);
}

/* What an ICMP error quotes would decide; TCP and UDP have no port 0. */
static bool can_be_opened(uint8_t proto, uint16_t port)
{
	uint8_t type = (uint8_t)(port >> 8);

	if (proto == PROTO_ICMP)
		return type != 3 && type != 11 && type != 12;
	if (proto == PROTO_ICMP6)
		return type == 0 || type > 4;
	return port || !proto_has_ports(proto);
}

static struct addr example_peer(bool v4)
{
	return v4 ? addr_from_v4(0xc000024d) : addr_from_halves(0x20010db800770000ull, 0x77);
}

/* The n-th address to try of a prefix: an example, the second, the first. */
static struct addr address_of(const struct prefix *prefix, unsigned n)
{
	struct addr example = example_peer(prefix_is_v4(prefix));

	if (n == 0 && prefix_has(prefix, &example))
		return example;
	if (n < 2 && prefix->length < 128)
		return addr_from_halves(addr_high(&prefix->addr), addr_low(&prefix->addr) + 1);
	return prefix->addr;
}

/* A packet that a rule matches; preferably one that it decides. */
struct draw {
	const struct rule *rule;
	uint32_t number; /* of the rule */
	bool v4;
	bool found, decides;
	struct tuple tuple;
};

static void draw_tuple(const struct prober *p, struct draw *draw, const struct tuple *tuple)
{
	bool decides;

	if (draw->decides || !can_be_carried(tuple->proto, draw->v4) ||
	    !can_be_opened(tuple->proto, tuple->port))
		return;
	decides = expected_of(p, tuple).rule == draw->number;
	if (draw->found && !decides)
		return;
	draw->found = true;
	draw->decides = decides;
	draw->tuple = *tuple;
}

static void draw_services(const struct prober *p, struct draw *draw, const struct addr *peer)
{
	const struct rule *rule = draw->rule;

	for (uint32_t i = 0; i < rule->service_count && !draw->decides; i++) {
		const struct service *service = &rule->services[i];
		uint8_t proto = service->any_proto ? PROTO_TCP : service->proto;
		uint16_t first = service->any_proto ? 1 : service->first;
		const uint16_t ports[] = {first ? first : service->last, first, service->last,
					  (uint16_t)((first + service->last) / 2)};

		for (size_t j = 0; j < ARRAY_SIZE(ports); j++)
			draw_tuple(p, draw,
				   &(struct tuple){.dir = rule->dir,
						   .proto = proto,
						   .port = ports[j],
						   .peer = *peer});
	}
}

static void draw_rule(const struct prober *p, struct draw *draw)
{
	const struct rule *rule = draw->rule;
	struct addr peer = example_peer(draw->v4);
	unsigned looked = 0;

	if (rule->any_peer)
		draw_services(p, draw, &peer);
	for (uint32_t i = 0; i < rule->peer_count && looked < PREFIXES_MOST; i++) {
		if (prefix_is_v4(&rule->peers[i]) != draw->v4)
			continue;
		looked++;
		for (unsigned n = 0; n < 3 && !draw->decides; n++) {
			peer = address_of(&rule->peers[i], n);
			if (can_be_peer(p, rule->dir, &peer))
				draw_services(p, draw, &peer);
		}
	}
}

/* A neighbour of the packet that no rule matches, if there is one. */
static bool draw_beside(const struct prober *p, const struct tuple *of, struct tuple *out)
{
	for (int step = -1; step <= 1; step += 2) {
		*out = *of;
		out->port = (uint16_t)(of->port + step * (proto_is_any_icmp(of->proto) ? 256 : 1));
		if (can_be_opened(out->proto, out->port) &&
		    expected_of(p, out).reason == FR_REASON_DEFAULT)
			return true;
	}
	return false;
}

static int probe_rule(struct prober *p, struct trial *trial, size_t rule, bool v4)
{
	struct draw draw = {
		.rule = &p->rs->rules[rule], .number = (uint32_t)(FR_RULE_FIRST + rule), .v4 = v4};
	struct tuple beside;
	int err;

	draw_rule(p, &draw);
	if (!draw.found)
		return 0;
	err = probe(p, trial, &draw.tuple);
	if (err || !draw_beside(p, &draw.tuple, &beside))
		return err;
	return probe(p, trial, &beside);
}

/* Of a policy that has no rule of a direction: what the default does with a few. */
static int probe_default(struct prober *p, struct trial *trial)
{
	static const struct {
		uint8_t proto;
		uint16_t port;
	} some[] = {{PROTO_TCP, 1}, {PROTO_UDP, 9}, {PROTO_TCP, 65535}};
	int err = 0;

	for (size_t i = 0; i < 2 * ARRAY_SIZE(some) && !err; i++) {
		struct tuple tuple = {.dir = trial->dir,
				      .proto = some[i / 2].proto,
				      .port = some[i / 2].port,
				      .peer = example_peer(i % 2)};

		err = probe(p, trial, &tuple);
	}
	return err;
}

static int probe_program(struct prober *p, struct trial *trial)
{
	int err = probe_default(p, trial);

	for (size_t i = 0; i < p->rs->rule_count && !err; i++) {
		if (p->rs->rules[i].dir != trial->dir)
			continue;
		err = probe_rule(p, trial, i, true);
		err = err ? err : probe_rule(p, trial, i, false);
	}
	return err;
}

/* ---------------------------------------------------------------- all programs */

static void tell_result(struct prober *p, const struct trial *trial)
{
	struct arena *arena = p->v->arena;

	if (trial->wrong > WRONG_MOST)
		tell(p, trial, CHECK_WRONG,
		     arena_printf(arena, "%zu more packets like these", trial->wrong - WRONG_MOST));
	if (trial->wrong)
		return;
	if (!trial->packets)
		tell(p, trial, CHECK_UNKNOWN, "no packet of these was judged by the rules");
	else
		tell(p, trial, CHECK_TRUE,
		     arena_printf(arena,
				  "%zu packets are judged as the policy says, %zu of them by the "
				  "default",
				  trial->packets, trial->beside));
}

static void try_program(struct prober *p, struct trial *trial)
{
	int err;

	if (!is_twin(p, trial))
		return;
	if (!trial->runs) {
		tell(p, trial, CHECK_UNKNOWN,
		     trial->program.program == PROGRAM_LOCAL
			     ? "not run: it judges redirected packets alone; its code is as built"
			     : "the kernel does not run it for a trial; its code is as built");
		return;
	}
	if (!trial->ifindex) {
		tell(p, trial, CHECK_UNKNOWN, "not run: there is no device but lo here");
		return;
	}
	err = probe_program(p, trial);
	if (err)
		tell(p, trial, CHECK_UNKNOWN,
		     arena_printf(p->v->arena, "the kernel does not run it for a trial: %s",
				  error_text(err)));
	else
		tell_result(p, trial);
}

/* Any device but lo, on which everything passes. */
static uint32_t other_device(struct arena *arena)
{
	struct diags unseen = {.arena = arena};
	struct interface *list;
	size_t count;

	if (host_interfaces(arena, &unseen, &list, &count))
		return 0;
	for (size_t i = 0; i < count; i++)
		if (!list[i].loopback)
			return list[i].ifindex;
	return 0;
}

/* A packet that is for an address of another host may be forwarded. */
static void find_addresses(struct prober *p)
{
	struct local_address *list;
	bool found[2] = {false, false};
	size_t count;

	p->local[0] = addr_from_v4(0xc6336401); /* 198.51.100.1 */
	p->local[1] = addr_from_halves(0x20010db800010000ull, 1);
	if (host_addresses(p->v->arena, &list, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		bool v6 = !addr_is_v4(&list[i].addr);

		if (found[v6] || addr_is_loopback(&list[i].addr))
			continue;
		found[v6] = true;
		p->local[v6] = list[i].addr;
	}
}

/* In the network namespace of the policy's devices. What goes out comes last: nothing that comes in
 * may look like its answer. */
static int try_all(struct prober *p, const struct image *image)
{
	uint32_t device = other_device(p->v->arena);
	int err = load_twin(p, image);

	if (!err)
		err = install_image(p, image);
	if (err)
		return err;
	find_addresses(p);
	for (int pass = 0; pass < FR_DIRS; pass++)
		for (size_t i = 0; i < p->trial_count; i++) {
			struct trial *trial = &p->trials[i];

			if (trial->dir != (pass ? FR_EGRESS : FR_INGRESS))
				continue;
			trial->ifindex = trial->ifindex ? trial->ifindex : device;
			try_program(p, trial);
		}
	return 0;
}

static uint64_t namespace_of(const struct prober *p)
{
	for (size_t i = 0; i < p->trial_count; i++)
		if (p->trials[i].ifindex)
			return p->trials[i].hook->fact->record->netns;
	return 0;
}

static void tell_none(struct verifier *v, const char *text)
{
	verify_add(v, (struct check_view){.claim = "probe", .state = CHECK_UNKNOWN, .text = text});
}

static int probe_image(struct prober *p, const struct image *image)
{
	uint64_t netns = namespace_of(p);
	int back = -1, err = netns ? netns_enter(netns, &back) : 0;

	if (!err)
		err = try_all(p, image);
	netns_leave(&back);
	if (err)
		tell_none(p->v, arena_printf(p->v->arena, "the programs cannot be run: %s",
					     error_text(err)));
	object_close(p->twin);
	for (size_t i = 0; i < p->rs->rule_count; i++)
		p->v->view->rules_probed += p->probed[i];
	return 0;
}

static int open_image(struct verifier *v, struct image *out)
{
	struct instance instance;
	int err = instance_open(v->request->host, v->request->policy, v->d, &instance);

	if (err)
		return err;
	err = instance_image(&instance, out);
	if (err)
		diag_error(v->d, NO_LOC, err, "pins-broken",
			   instance_heal_command(&instance, err, v->arena),
			   "the image of policy %s cannot be read: %s", v->request->policy,
			   error_text(err));
	instance_close(&instance);
	return err;
}

int verify_probe(struct verifier *v)
{
	CLEANUP(image_free) struct image expected = {0};
	CLEANUP(image_unmap) struct image image = {0};
	CLEANUP(free_ptr) struct fr_event *traces = NULL;
	struct prober p = {.v = v, .rs = v->request->rs};
	int cpus = libbpf_num_possible_cpus(), err;

	if (!p.rs) {
		tell_none(v, "no packet can be drawn without the policy's document");
		return 0;
	}
	err = cpus < 0 ? cpus : image_compile(p.rs, v->d, &expected);
	if (err)
		return err;
	err = open_image(v, &image);
	if (err)
		return err;
	p.cpus = (unsigned)cpus;
	traces = calloc(p.cpus, sizeof(*traces));
	if (!traces)
		return -ENOMEM;
	p.traces = traces;
	p.expected = expected;
	p.probed = arena_alloc(v->arena, (p.rs->rule_count + 1) * sizeof(*p.probed));
	v->view->rules = p.rs->rule_count;
	find_trials(&p);
	return probe_image(&p, &image);
}
