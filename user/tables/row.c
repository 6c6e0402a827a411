/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rows of a PortTable: who opens to whom, on which ports, when, and the place in the vendor's
 * document. Ports and names may still hold ${param}; those without are checked here, the others
 * where they are used.
 */
#include <errno.h>
#include <string.h>

#include "table.h"

static const struct role *row_role(struct job *job, const struct table *table,
				   const struct node *node, const char *key)
{
	const struct node *value = map_get(node, key);

	if (!value || !want_text(job->d, value, key))
		return NULL;
	return role_known(job, table, value);
}

static void port_check(struct job *job, const struct table *table, const struct node *port)
{
	const char *text = want_text(job->d, port, "a port");
	struct services none = {0};
	struct template_mark mark;

	if (!text)
		return;
	if (template_next(job->arena, text, 0, &mark))
		template_check(job, table, port);
	else
		service_add(job, port, text, &none);
}

static void ports_check(struct job *job, const struct table *table, const struct node *node,
			struct row *row)
{
	const struct node *ports = map_get(node, "ports"), *port;

	row->see = text_get(job, node, "see");
	if (!ports || !want_list(job->d, ports, "'ports'"))
		return;
	row->ports = ports;
	if (!ports->first && !row->see)
		diag_error(job->d, ports->loc, -EINVAL, "missing-ports",
			   "when the vendor lists none, name their source: see: URL",
			   "row '%s' has no ports", row->id);
	for_children(port, ports) port_check(job, table, port);
}

/* With a ${param} among them, the ports are known only where the table is used. */
static bool ports_are_plain(struct job *job, const struct row *row, struct services *out)
{
	struct job scratch = *job;
	struct diags unseen = {.arena = job->arena};
	struct template_mark mark;
	const struct node *port;

	scratch.d = &unseen;
	for_children(port, row->ports)
	{
		if (port->kind != NODE_SCALAR || template_next(job->arena, port->text, 0, &mark) ||
		    !service_add(&scratch, port, port->text, out))
			return false;
	}
	return true;
}

static void row_answers(struct job *job, const struct node *node, struct row *row)
{
	const struct node *answers = map_get(node, "answers");
	struct services services = {0};

	if (!answers || !answers_parse(job, answers, &row->answers) || !row->ports)
		return;
	if (ports_are_plain(job, row, &services) &&
	    !services_have_udp(services.list, services.count))
		answers_refuse(job, answers, "row", row->id);
}

static void condition_value(struct job *job, struct condition *condition, const struct node *node)
{
	const struct param *param = condition->param;
	const char *text = want_text(job->d, node, "a value of 'when'");
	bool on;

	if (!text)
		return;
	if (param->type == PARAM_BOOL && text_is_bool(text, &on))
		text = on ? "on" : "off";
	if (!words_have(&param->values, text))
		diag_error(job->d, node->loc, -EINVAL, "unknown-value",
			   hint_words(job->d, text, param->values.list, param->values.count),
			   "param '%s' has no value '%.80s'", param->name, text);
	words_add(job, &condition->values, text);
}

static void condition_parse(struct job *job, const struct table *table, const struct node *node,
			    struct row *row)
{
	const char *name = node->key->text;
	const struct param *param = param_find(table, name);
	struct condition *condition = &row->when[row->when_count];
	const struct node *value;

	if (!param) {
		diag_error(job->d, node->key->loc, -EINVAL, "unknown-param",
			   hint_params(job, table, name),
			   "param '%.80s' is not declared in 'params'", name);
		return;
	}
	if (param->type == PARAM_VERSION) {
		condition->param = param;
		row->when_count += version_range_parse(job->d, node, &condition->range);
		return;
	}
	if (!param->values.count) {
		diag_error(job->d, node->key->loc, -EINVAL, "bad-condition",
			   "an enum, a set, a bool or a version can",
			   "param '%s' has no list of values, so 'when' cannot test it", name);
		return;
	}
	if (!want_items(job->d, node, "a condition of 'when'"))
		return;
	row->when_count++;
	condition->param = param;
	for_items(value, node) condition_value(job, condition, value);
}

static void when_parse(struct job *job, const struct table *table, const struct node *node,
		       struct row *row)
{
	const struct node *when = map_get(node, "when"), *condition;
	size_t count = 0;

	if (!when || !want_map(job->d, when, "'when'"))
		return;
	for_children(condition, when) count++;
	row->when = arena_alloc(job->arena, count * sizeof(*row->when));
	for_children(condition, when) condition_parse(job, table, condition, row);
}

static bool line_parse(struct job *job, const struct node *node, uint32_t *out)
{
	const char *text = want_text(job->d, node, "a line");
	uint64_t line;

	if (!text)
		return false;
	if (parse_u64(text, 1 << 24, &line) || line == 0) {
		diag_error(job->d, node->loc, -EINVAL, "bad-line", NULL,
			   "a line of the document is a number from 1, not '%.80s'", text);
		return false;
	}
	*out = (uint32_t)line;
	return true;
}

static void lines_parse(struct job *job, const struct node *node, struct row *row)
{
	const struct node *item;
	const char *text = "";
	uint32_t line;

	if (!want_list(job->d, node, "'lines'"))
		return;
	for_children(item, node)
	{
		if (!line_parse(job, item, &line))
			return;
		if (!row->line)
			row->line = line;
		text = arena_printf(job->arena, "%s%s%u", text, *text ? ", " : "", line);
	}
	if (node->first && node->first->next)
		row->lines = text;
}

static void source_parse(struct job *job, const struct node *node, struct row *row)
{
	static const char *const keys[] = {"section", "line", "lines"};
	const struct node *source = map_get(node, "source"), *value;

	if (!source || !want_keys(job->d, source, "'source'", keys, ARRAY_SIZE(keys)))
		return;
	row->section = text_get(job, source, "section");
	value = map_get(source, "line");
	if (value)
		line_parse(job, value, &row->line);
	value = map_get(source, "lines");
	if (value)
		lines_parse(job, value, row);
}

static void row_names(struct job *job, const struct table *table, const struct node *node,
		      struct row *row)
{
	const struct node *names = map_get(node, "names"), *name;

	if (!names || !want_list(job->d, names, "'names'"))
		return;
	for_children(name, names) if (want_text(job->d, name, "a name"))
		template_check(job, table, name);
	row->names = names->first ? names : NULL;
}

static void row_parse(struct job *job, const struct table *table, const struct node *node,
		      struct row *row)
{
	const struct node *value = map_get(node, "optional");

	row->from = row_role(job, table, node, "from");
	row->to = row_role(job, table, node, "to");
	ports_check(job, table, node, row);
	when_parse(job, table, node, row);
	source_parse(job, node, row);
	row_names(job, table, node, row);
	row_answers(job, node, row);
	row->purpose = text_get(job, node, "purpose");
	row->note = text_get(job, node, "note");
	if (value)
		want_bool(job->d, value, "'optional'", &row->optional);
	value = map_get(node, "internal");
	if (value)
		want_bool(job->d, value, "'internal'", &row->internal);
}

static bool row_begin(struct job *job, const struct node *node, struct index *ids, struct row *row)
{
	/* The first ones are required. */
	static const char *const keys[] = {"id",       "from",	   "to",     "ports", "when",
					   "optional", "purpose",  "source", "note",  "names",
					   "see",      "internal", "answers"};
	const struct node *id;
	const struct row *before;

	if (!want_keys(job->d, node, "a row", keys, ARRAY_SIZE(keys)))
		return false;
	row->loc = node->loc;
	row->id = "?";
	map_need_all(job->d, node, "a row", keys, 4);
	id = map_get(node, "id");
	if (!id || !want_name(job->d, id, "row id", &row->id))
		return true;
	row->loc = id->loc;
	before = index_insert(ids, row->id, row);
	if (before)
		diag_error(job->d, id->loc, -EINVAL, "duplicate-id", NULL,
			   "row '%s' is already in line %u", row->id, before->loc.line);
	return true;
}

void rows_parse(struct job *job, const struct node *rows, struct table *table)
{
	struct index ids = {.arena = job->arena};
	const struct node *node;
	size_t count = 0;

	/* Nothing but comments, as a draft may be, is a table without rows. */
	if (!node_is_null(rows) && !want_list(job->d, rows, "'rows'"))
		return;
	for_children(node, rows) count++;
	if (count == 0)
		diag_error(job->d, rows->loc, -EINVAL, "empty-table",
			   "rows: [{id: data, from: ROLE, to: ROLE, ports: [443/tcp]}]",
			   "the table has no row");
	table->rows = arena_alloc(job->arena, count * sizeof(*table->rows));
	for_children(node, rows)
	{
		struct row *row = &table->rows[table->row_count];

		if (!row_begin(job, node, &ids, row))
			continue;
		row_parse(job, table, node, row);
		table->row_count++;
	}
}
