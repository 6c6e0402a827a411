/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Params of a PortTable: declared by the table, set by each `use`. A setting of a `ports` param
 * with `any-of` narrows the vendor's alternatives and never widens them; one of `port` replaces its
 * default.
 */
#include <errno.h>
#include <string.h>

#include "table.h"

static const char *const type_words[] = {"string", "list", "enum",  "set",
					 "bool",   "port", "ports", "version"};

const char *param_type_word(enum param_type type)
{
	return type_words[type];
}

/* Ports of params may leave the protocol to the row: "445", "445/tcp". */
static bool port_value(struct job *job, const struct node *node, const char *text,
		       struct services *out)
{
	const char *full = strchr(text, '/') ? text : arena_printf(job->arena, "%s/tcp", text);
	struct service found[2];
	size_t count;

	/* Errors point at the text as written. */
	return service_add(job, node, service_parse(full, found, &count) ? text : full, out);
}

static bool service_within(const struct service *inner, const struct service *outer)
{
	return inner->any_proto == outer->any_proto && inner->proto == outer->proto &&
	       inner->first >= outer->first && inner->last <= outer->last;
}

static bool narrows(struct job *job, const struct param *param, const struct node *node,
		    const struct service *value)
{
	for (size_t i = 0; i < param->any_of.count; i++) {
		struct services allowed = {0};

		port_value(job, node, param->any_of.list[i], &allowed);
		for (size_t k = 0; k < allowed.count; k++)
			if (service_within(value, &allowed.list[k]))
				return true;
	}
	return false;
}

static bool ports_value(struct job *job, const struct param *param, const struct node *node,
			const char *text)
{
	struct services value = {0};

	if (!port_value(job, node, text, &value))
		return false;
	if (param->any_of.count == 0 || narrows(job, param, node, &value.list[0]))
		return true;
	diag_error(job->d, node->loc, -EINVAL, "unknown-value",
		   hint_words(job->d, text, param->any_of.list, param->any_of.count),
		   "param '%s' narrows the vendor's ports and cannot add '%.40s'", param->name,
		   text);
	return false;
}

/* Strings end up in host names: a Region, a task id. */
static bool fits_names(const char *text)
{
	return *text && text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					  "0123456789-._")] == 0;
}

static const char *version_value(struct job *job, const struct param *param,
				 const struct node *node, const char *text)
{
	struct version version;

	if (version_parse(text, &version))
		return text;
	version_refuse(job->d, node, arena_printf(job->arena, "param '%s'", param->name), text);
	return NULL;
}

/* One value, checked; its text as it will be used, or NULL after an error. */
static const char *value_text(struct job *job, const struct param *param, const struct node *node)
{
	const char *text =
		want_text(job->d, node, arena_printf(job->arena, "param '%s'", param->name));
	struct services port = {0};
	bool on;

	if (!text)
		return NULL;
	if (param->type == PARAM_BOOL && text_is_bool(text, &on))
		return on ? "on" : "off";
	if (param->type == PARAM_VERSION)
		return version_value(job, param, node, text);
	if (param->type == PARAM_PORT)
		return port_value(job, node, text, &port) ? text : NULL;
	if (param->type == PARAM_PORTS)
		return ports_value(job, param, node, text) ? text : NULL;
	if ((param->type == PARAM_STRING || param->type == PARAM_LIST) && !fits_names(text)) {
		diag_error(job->d, node->loc, -EINVAL, "unknown-value",
			   "names are made of letters, digits, '-', '.' and '_'",
			   "param '%s' cannot be '%.80s'", param->name, text);
		return NULL;
	}
	if (param->values.count && !words_have(&param->values, text)) {
		diag_error(job->d, node->loc, -EINVAL, "unknown-value",
			   hint_words(job->d, text, param->values.list, param->values.count),
			   "param '%s' cannot be '%.80s'", param->name, text);
		return NULL;
	}
	return text;
}

bool param_is_plural(enum param_type type)
{
	return type == PARAM_LIST || type == PARAM_SET || type == PARAM_PORTS;
}

static bool values_parse(struct job *job, const struct param *param, const struct node *node,
			 struct words *out)
{
	const char *what = arena_printf(job->arena, "param '%s'", param->name);
	const struct node *item;
	bool good = true;

	if (!param_is_plural(param->type)) {
		const char *text = value_text(job, param, node);

		if (text)
			words_add(job, out, text);
		return text;
	}
	if (!want_items(job->d, node, what))
		return false;
	for_items(item, node)
	{
		const char *text = value_text(job, param, item);

		good = good && text;
		if (text && !words_have(out, text))
			words_add(job, out, text);
	}
	if (good && out->count == 0)
		diag_error(job->d, node->loc, -EINVAL, "wrong-type", NULL,
			   "%s needs at least one value", what);
	return good && out->count;
}

/* ---------------------------------------------------------------- declarations */

static void words_parse(struct job *job, const struct node *node, const char *what,
			struct words *out)
{
	const struct node *item;

	if (!want_list(job->d, node, what))
		return;
	for_children(item, node)
	{
		const char *text = want_text(job->d, item, what);

		if (text)
			words_add(job, out, text);
	}
}

static void choices_parse(struct job *job, const struct node *node, struct param *param)
{
	const struct node *values = map_get(node, "values"), *any_of = map_get(node, "any-of"),
			  *item;
	bool closed = param->type == PARAM_ENUM || param->type == PARAM_SET;

	if (closed && !values)
		map_need(job->d, node, "an enum or a set", "values");
	if (values && !closed)
		diag_error(job->d, values->key->loc, -EINVAL, "unknown-key", NULL,
			   "only an enum or a set has 'values'");
	else if (values)
		words_parse(job, values, "'values'", &param->values);
	if (any_of && param->type != PARAM_PORTS) {
		diag_error(job->d, any_of->key->loc, -EINVAL, "unknown-key", NULL,
			   "only a param of type ports has 'any-of'");
	} else if (any_of && want_list(job->d, any_of, "'any-of'")) {
		for_children(item, any_of) value_text(job, param, item);
		words_parse(job, any_of, "'any-of'", &param->any_of);
	}
	if (param->type == PARAM_BOOL) {
		words_add(job, &param->values, "on");
		words_add(job, &param->values, "off");
	}
}

static void defaults_parse(struct job *job, const struct node *node, struct param *param)
{
	const struct node *value = map_get(node, "default");

	if (value)
		param->has_default = values_parse(job, param, value, &param->defaults);
	else if (param->any_of.count)
		param->has_default = true, param->defaults = param->any_of;
	value = map_get(node, "required");
	if (value)
		want_bool(job->d, value, "'required'", &param->required);
}

static void param_parse(struct job *job, const struct node *node, struct param *param)
{
	static const char *const keys[] = {"type",   "required", "default",
					   "values", "any-of",	 "describe"};
	const struct node *type;
	int word;

	param->name = node->key->text;
	param->loc = node->key->loc;
	want_key_name(job->d, node->key, "param", &param->name);
	if (!want_keys(job->d, node, "a param", keys, ARRAY_SIZE(keys)))
		return;
	type = map_need(job->d, node, "a param", "type");
	word = type ? want_word(job->d, type, "'type'", type_words, ARRAY_SIZE(type_words)) : -1;
	if (word < 0)
		return;
	param->type = (enum param_type)word;
	type = map_get(node, "describe");
	param->describe = type ? want_text(job->d, type, "'describe'") : NULL;
	choices_parse(job, node, param);
	defaults_parse(job, node, param);
}

void params_parse(struct job *job, const struct node *params, struct table *table)
{
	const struct node *node;
	size_t count = 0;

	if (!want_map(job->d, params, "'params'"))
		return;
	for_children(node, params) count++;
	table->params = arena_alloc(job->arena, count * sizeof(*table->params));
	for_children(node, params) param_parse(job, node, &table->params[table->param_count++]);
}

/* ---------------------------------------------------------------- settings of one use */

static bool setting_parse(struct job *job, const struct node *node, struct settings *settings)
{
	const struct table *table = settings->table;
	const struct param *param = param_find(table, node->key->text);
	struct setting *setting;

	if (!param) {
		diag_error(job->d, node->key->loc, -EINVAL, "unknown-param",
			   hint_params(job, table, node->key->text),
			   "table '%s' has no param '%.80s'", table->name, node->key->text);
		return false;
	}
	setting = &settings->of[param - table->params];
	setting->place = node;
	setting->values = (struct words){0};
	return values_parse(job, param, node, &setting->values);
}

static bool setting_complete(struct job *job, const struct param *param, const struct node *use,
			     struct setting *setting)
{
	const struct node *set = map_get(use, "set"), *table = map_get(use, "table");
	struct loc loc = set ? set->key->loc : table->loc;
	const char *example = param->values.count ? param->values.list[0] : "…";

	if (setting->place || !param->required || param->has_default)
		return true;
	diag_error(job->d, loc, -EINVAL, "missing-param",
		   arena_printf(job->arena, "set: {%s: %s}", param->name, example),
		   "this use must set param '%s'", param->name);
	return false;
}

bool settings_read(struct job *job, const struct table *table, const struct node *set,
		   struct settings *out)
{
	const struct node *value;
	bool good = true;

	out->table = table;
	out->of = arena_alloc(job->arena, table->param_count * sizeof(*out->of));
	for (size_t i = 0; i < table->param_count; i++)
		if (table->params[i].has_default)
			out->of[i].values = table->params[i].defaults;
	if (set && !want_map(job->d, set, "'set'"))
		return false;
	if (set)
		for_children(value, set) good &= setting_parse(job, value, out);
	return good;
}

bool settings_make(struct job *job, const struct table *table, const struct node *use,
		   struct settings *out)
{
	const struct node *set = map_get(use, "set");
	bool good = settings_read(job, table, set, out);

	if (set && set->kind != NODE_MAP)
		return false;
	for (size_t i = 0; i < table->param_count; i++)
		good &= setting_complete(job, &table->params[i], use, &out->of[i]);
	return good;
}

/* A part of a word PARAM=VALUE, as a scalar. */
static const struct node *word_node(struct job *job, const struct source *source, size_t begin,
				    size_t end)
{
	struct loc loc = {.source = source,
			  .line = 1,
			  .column = (uint32_t)begin + 1,
			  .length = (uint32_t)(end - begin)};

	return node_scalar(job->arena, arena_strndup(job->arena, source->text + begin, end - begin),
			   loc);
}

static const struct node *word_values(struct job *job, const struct source *source, size_t begin,
				      bool plural)
{
	struct node *list;

	if (!plural)
		return word_node(job, source, begin, source->size);
	list = node_branch(job->arena, NODE_LIST, word_node(job, source, begin, source->size)->loc);
	while (begin <= source->size) {
		size_t end = begin + strcspn(source->text + begin, ",");

		node_append(job->arena, list, NULL, word_node(job, source, begin, end));
		begin = end + 1;
	}
	return list;
}

const struct node *settings_node(struct job *job, const struct table *table,
				 const char *const *words, size_t count)
{
	struct node *set = node_branch(job->arena, NODE_MAP, (struct loc){0});

	for (size_t i = 0; i < count; i++) {
		size_t length = strcspn(words[i], "=");
		const char *name = arena_strndup(job->arena, words[i], length);
		const struct param *param = param_find(table, name);
		struct source *source = arena_alloc(job->arena, sizeof(*source));
		struct node *value;

		*source = (struct source){
			.name = "settings", .text = words[i], .size = strlen(words[i])};
		value = node_append(job->arena, set, name,
				    word_values(job, source, length + 1,
						param && param_is_plural(param->type)));
		value->key->loc = word_node(job, source, 0, length)->loc;
		if (map_get(set, name) == value)
			continue;
		diag_error(job->d, value->key->loc, -EINVAL, "duplicate-key", NULL,
			   "param '%.80s' is given twice", name);
		return NULL;
	}
	return set;
}

const struct setting *setting_get(const struct settings *settings, const char *name)
{
	const struct param *param = param_find(settings->table, name);

	return param ? &settings->of[param - settings->table->params] : NULL;
}

static bool condition_met(const struct settings *settings, const struct condition *condition)
{
	const struct words *values =
		&settings->of[condition->param - settings->table->params].values;
	struct version version;

	if (condition->param->type == PARAM_VERSION)
		return version_within(&condition->range,
				      values->count && version_parse(values->list[0], &version)
					      ? &version
					      : NULL);
	for (size_t i = 0; i < values->count; i++)
		if (words_have(&condition->values, values->list[i]))
			return true;
	return false;
}

bool row_is_of_release(const struct settings *settings, const struct row *row)
{
	for (size_t i = 0; i < row->when_count; i++)
		if (row->when[i].param->type == PARAM_VERSION &&
		    !condition_met(settings, &row->when[i]))
			return false;
	return true;
}

bool row_selected(const struct settings *settings, const struct row *row)
{
	for (size_t i = 0; i < row->when_count; i++)
		if (!condition_met(settings, &row->when[i]))
			return false;
	return true;
}
