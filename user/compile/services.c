/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules' services -> columns. Per protocol the ports fall into elementary intervals; intervals
 * with the same rules are one service class, one column. A protocol that no rule divides by port
 * needs no table, and all protocols that no rule names share column 0.
 */
#include <stdlib.h>
#include <string.h>

#include "compilation.h"

enum { PORTS = 65536, CLASSES_MAX = 65535 };

/* The ports of one rule for one protocol. In order: protocol, rule, first port. */
struct rule_ports {
	uint32_t rule;
	uint16_t first, last;
	uint8_t proto;
};

struct wants {
	struct rule_ports *list;
	uint32_t count, capacity;
};

/* The elementary intervals of one protocol. A set of rules is identified by the exclusive or of
 * two random numbers per rule, 128 bits together. Of the arrays by port only what lies at a bound
 * is touched: most policies have few bounds, and memory costs when it is first touched. */
struct port_sweep {
	uint64_t
		bounds[PORTS / 64 + 1]; /* a bit a port: a range begins here or ended just before */
	uint64_t (*change)[2];		/* by bound: which rules those are */
	uint32_t *before;		/* by bound: classes first met below it */
	uint64_t (*set)[2];		/* by class */
	uint16_t *table;		/* by port: class + 1 */
	struct map known;
};

static void run_add(struct direction *dir, uint32_t rule, uint32_t lo, uint32_t hi)
{
	uint32_t id = dir->run_count++;

	dir->runs =
		array_reserve(dir->runs, &dir->run_capacity, dir->run_count, sizeof(*dir->runs));
	dir->runs[id] = (struct run){.lo = lo, .hi = hi, .next = dir->rule_runs[rule]};
	dir->rule_runs[rule] = id;
}

static void wants_add(struct wants *wants, uint32_t rule, const struct service *service)
{
	wants->list = array_reserve(wants->list, &wants->capacity, wants->count + 1ull,
				    sizeof(*wants->list));
	wants->list[wants->count++] = (struct rule_ports){
		.rule = rule,
		.first = service->first,
		.last = service->last,
		.proto = service->proto,
	};
}

static int first_order(const void *left, const void *right)
{
	const struct rule_ports *a = left, *b = right;

	return a->first < b->first ? -1 : a->first > b->first;
}

/* They come in the order of rules and stay so within each protocol. */
static void wants_by_proto(struct wants *wants)
{
	struct rule_ports *sorted = array_new(wants->count, sizeof(*sorted));
	uint32_t next[257] = {0};

	memory_touch(sorted, wants->count * sizeof(*sorted));
	for (uint32_t i = 0; i < wants->count; i++)
		next[wants->list[i].proto + 1]++;
	for (uint32_t proto = 1; proto < 256; proto++)
		next[proto] += next[proto - 1];
	for (uint32_t i = 0; i < wants->count; i++)
		sorted[next[wants->list[i].proto]++] = wants->list[i];
	free(wants->list);
	wants->list = sorted;
	wants->capacity = wants->count;
}

/* Ranges of one rule and protocol, those that overlap or touch as one: a set holds a rule once.
 * Written to `out`, which may be `list`; gives how many. */
static uint32_t ranges_merge(struct rule_ports *list, uint32_t count, struct rule_ports *out)
{
	uint32_t kept = 0;

	if (count > 1)
		qsort(list, count, sizeof(*list), first_order);
	for (uint32_t i = 0; i < count; i++) {
		struct rule_ports now = list[i], *last = kept ? &out[kept - 1] : NULL;

		if (last && now.first <= last->last + 1)
			last->last = now.last > last->last ? now.last : last->last;
		else
			out[kept++] = now;
	}
	return kept;
}

static void wants_merge(struct wants *wants)
{
	const struct rule_ports *list;
	uint32_t kept = 0;

	wants_by_proto(wants);
	list = wants->list;
	for (uint32_t i = 0, end; i < wants->count; i = end) {
		for (end = i + 1; end < wants->count; end++)
			if (list[end].proto != list[i].proto || list[end].rule != list[i].rule)
				break;
		kept += ranges_merge(wants->list + i, end - i, wants->list + kept);
	}
	wants->count = kept;
}

static bool rule_any(const struct rule *rule)
{
	for (size_t i = 0; i < rule->service_count; i++)
		if (rule->services[i].any_proto)
			return true;
	return false;
}

/* Gives whether there are rules for any protocol. */
static bool wants_collect(const struct ruleset *rs, uint8_t dir, struct wants *wants)
{
	bool any = false;

	for (uint32_t r = 0; r < rs->rule_count; r++) {
		const struct rule *rule = &rs->rules[r];

		if (rule->dir != dir)
			continue;
		if (rule_any(rule)) {
			any = true;
			continue;
		}
		for (size_t i = 0; i < rule->service_count; i++)
			wants_add(wants, r, &rule->services[i]);
	}
	wants_merge(wants);
	return any;
}

static void sweep_mark(struct port_sweep *sweep, uint32_t port, uint32_t rule)
{
	sweep->bounds[port / 64] |= 1ull << port % 64;
	sweep->change[port][0] ^= hash_mix(2ull * rule + 1);
	sweep->change[port][1] ^= hash_mix(~(2ull * rule + 2));
}

/* The class of a set of rules, a new one when it is not known yet. */
static uint32_t sweep_class(struct port_sweep *sweep, const uint64_t set[2], uint32_t *count)
{
	uint32_t *class = map_at(&sweep->known, set[0] >> 1);

	if (*class != NONE && !memcmp(sweep->set[*class], set, sizeof(sweep->set[0])))
		return *class;
	*class = *count;
	memcpy(sweep->set[*count], set, sizeof(sweep->set[0]));
	return (*count)++;
}

static void sweep_open(struct port_sweep *sweep)
{
	sweep->change = array_new(PORTS + 1, sizeof(*sweep->change));
	sweep->before = array_new(PORTS + 1, sizeof(*sweep->before));
	sweep->set = array_new(PORTS, sizeof(*sweep->set));
	sweep->table = array_new(PORTS, sizeof(*sweep->table));
}

static void sweep_close(struct port_sweep *sweep)
{
	free(sweep->change);
	free(sweep->before);
	free(sweep->set);
	free(sweep->table);
	map_free(&sweep->known);
}

/* The first bound from a port on, or the end of the ports. */
static uint32_t sweep_bound(const struct port_sweep *sweep, uint32_t port)
{
	while (port < PORTS) {
		uint64_t word = sweep->bounds[port / 64] >> port % 64;

		if (word)
			return port + (uint32_t)__builtin_ctzll(word);
		port = (port | 63) + 1;
	}
	return PORTS;
}

static void table_fill(uint16_t *table, uint32_t first, uint32_t end, uint16_t entry)
{
	for (uint32_t port = first; port < end; port++)
		table[port] = entry;
}

/* Number the classes in the order of ports. Gives how many there are, or with more than a table can
 * name, the port that went over in *over. */
static uint32_t sweep_ports(struct port_sweep *sweep, const struct rule_ports *wanted,
			    uint32_t count, uint32_t *over)
{
	uint64_t set[2] = {0, 0};
	uint32_t classes = 0, class;

	for (uint32_t i = 0; i < count; i++) {
		sweep_mark(sweep, wanted[i].first, wanted[i].rule);
		sweep_mark(sweep, wanted[i].last + 1u, wanted[i].rule);
	}
	for (uint32_t port = 0, next; port < PORTS; port = next) {
		next = sweep_bound(sweep, port + 1);
		sweep->before[port] = classes;
		set[0] ^= sweep->change[port][0];
		set[1] ^= sweep->change[port][1];
		class = sweep_class(sweep, set, &classes);
		if (classes > CLASSES_MAX) {
			*over = port;
			return classes;
		}
		table_fill(sweep->table, port, next, (uint16_t)(class + 1));
	}
	sweep->before[PORTS] = classes;
	return classes;
}

static int refuse_port(struct compilation *c, const struct rule_ports *wanted, uint32_t count,
		       uint32_t port)
{
	uint32_t rule = wanted[0].rule;

	for (uint32_t i = 0; i < count; i++)
		if (wanted[i].first == port || wanted[i].last + 1u == port)
			rule = wanted[i].rule;
	return compilation_refuse(c, rule,
				  "more than 65,535 different groups of ports in one protocol");
}

/*
 * A class that holds a rule lies within that rule's ranges, and so it was first met in one of them;
 * and every class first met in a range of the rule holds it. So a rule's columns are those that
 * were new in its ranges: one run each.
 */
static int protocol_table(struct compilation *c, struct direction *dir,
			  const struct rule_ports *wanted, uint32_t count)
{
	struct port_sweep sweep = {0};
	struct fr_service *service = &dir->service[wanted->proto];
	uint32_t over = NONE, classes;

	sweep_open(&sweep);
	classes = sweep_ports(&sweep, wanted, count, &over);
	if (over == NONE) {
		service->column = dir->columns;
		service->table = lines_share(&c->lines, &c->shared, sweep.table,
					     PORTS * sizeof(uint16_t) / FR_LINE_BYTES);
		for (uint32_t i = 0; i < count; i++)
			run_add(dir, wanted[i].rule,
				dir->columns + 1 + sweep.before[wanted[i].first],
				dir->columns + 1 + sweep.before[wanted[i].last + 1]);
		dir->classes[wanted->proto] = classes;
		dir->divided[dir->divided_count++] = wanted->proto;
		dir->columns += 1 + classes;
		dir->class_count += classes;
	}
	sweep_close(&sweep);
	return over == NONE ? 0 : refuse_port(c, wanted, count, over);
}

static int protocol_compile(struct compilation *c, struct direction *dir,
			    const struct rule_ports *wanted, uint32_t count)
{
	bool whole = true;

	for (uint32_t i = 0; i < count; i++)
		whole = whole && !wanted[i].first && wanted[i].last == PORTS - 1;
	if (!whole)
		return protocol_table(c, dir, wanted, count);
	dir->service[wanted->proto].column = dir->columns;
	for (uint32_t i = 0; i < count; i++)
		run_add(dir, wanted[i].rule, dir->columns, dir->columns + 1);
	dir->columns++;
	dir->class_count++;
	return 0;
}

/* Rules for any protocol cover every column, once their number is known. */
static void any_runs(const struct ruleset *rs, struct direction *dir)
{
	for (uint32_t r = 0; r < rs->rule_count; r++)
		if (rs->rules[r].dir == dir->dir && rule_any(&rs->rules[r]))
			run_add(dir, r, 0, dir->columns);
}

int services_compile(struct compilation *c, struct direction *dir)
{
	struct wants wants = {0};
	bool any;
	int err = 0;

	dir->rule_runs = array_new(c->rs->rule_count, sizeof(*dir->rule_runs));
	memset(dir->rule_runs, 0xff, c->rs->rule_count * sizeof(*dir->rule_runs));
	dir->columns = 1;
	dir->class_count = 1;
	any = wants_collect(c->rs, dir->dir, &wants);
	for (uint32_t i = 0, end; i < wants.count && !err; i = end) {
		for (end = i; end < wants.count; end++)
			if (wants.list[end].proto != wants.list[i].proto)
				break;
		err = protocol_compile(c, dir, wants.list + i, end - i);
	}
	free(wants.list);
	if (any)
		any_runs(c->rs, dir);
	return err;
}
