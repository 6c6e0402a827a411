/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A table as people read it: names of roles and params, rows in words. Nothing is resolved.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "table.h"

static struct word_list list_of(const struct words *words)
{
	return (struct word_list){.list = words->list, .count = words->count};
}

static struct word_list nodes_list(struct job *job, const struct node *list)
{
	const struct node *item;
	struct words words = {0};

	if (list)
		for_items(item, list) words_add(job, &words, item->text);
	return list_of(&words);
}

static struct word_list names_list(struct job *job, const struct settings *settings,
				   const struct node *names)
{
	const struct node *name;
	struct words words = {0};

	if (names)
		for_children(name, names) template_fill(job, settings, name, &words);
	return list_of(&words);
}

static struct word_list addresses_list(struct job *job, const struct role *role)
{
	struct words words = {0};
	char text[PREFIX_TEXT];

	if (role->needs_local)
		words_add(job, &words, "local-subnet");
	for (size_t i = 0; i < role->address_count; i++)
		words_add(job, &words,
			  arena_strdup(job->arena, prefix_text(&role->addresses[i], text)));
	return list_of(&words);
}

static struct param_view param_view(const struct param *param)
{
	return (struct param_view){
		.name = param->name,
		.type = param_type_word(param->type),
		.values = list_of(param->any_of.count ? &param->any_of : &param->values),
		.initial = list_of(&param->defaults),
		.describe = param->describe,
		.required = param->required && !param->has_default,
		.plural = param_is_plural(param->type),
	};
}

static struct role_view role_view(struct job *job, const struct settings *settings,
				  const struct role *role)
{
	return (struct role_view){
		.name = role->name,
		.title = role->title,
		.describe = role->describe,
		.names = names_list(job, settings, role->names),
		.addresses = addresses_list(job, role),
		.includes = nodes_list(job, role->includes),
	};
}

/* ---------------------------------------------------------------- conditions in words */

static const char *version_text(struct job *job, const struct version *version)
{
	const char *text = arena_printf(job->arena, "%u.%u.%u", version->part[0], version->part[1],
					version->part[2]);

	return version->update ? arena_printf(job->arena, "%s CU%u", text, version->update) : text;
}

static const char *bound_text(struct job *job, const char *word, const struct version_bound *bound)
{
	if (bound->count == 0)
		return "";
	if (bound->count == 1)
		return arena_printf(job->arena, " %s %s", word, version_text(job, &bound->at[0]));
	return arena_printf(job->arena, " %s %s / %s", word, version_text(job, &bound->at[0]),
			    version_text(job, &bound->at[1]));
}

/* "storage: nfs or smb", "dataminer-version from 10.1.1" */
static const char *condition_text(struct job *job, const struct condition *condition)
{
	const char *text = condition->param->name;

	if (condition->param->type == PARAM_VERSION)
		return arena_printf(job->arena, "%s%s%s", text,
				    bound_text(job, "from", &condition->range.from),
				    bound_text(job, "before", &condition->range.before));
	for (size_t i = 0; i < condition->values.count; i++)
		text = arena_printf(job->arena, "%s%s%s", text, i ? " or " : ": ",
				    condition->values.list[i]);
	return text;
}

const char *row_when_text(struct job *job, const struct row *row)
{
	const char *text = NULL;

	for (size_t i = 0; i < row->when_count; i++)
		text = str_list_append(job->arena, text, condition_text(job, &row->when[i]));
	return text;
}

static const char *lines_text(struct job *job, const struct row *row)
{
	if (row->lines)
		return row->lines;
	return row->line ? arena_printf(job->arena, "%u", row->line) : NULL;
}

/* ---------------------------------------------------------------- the whole */

static struct row_view row_view(struct job *job, const struct settings *settings,
				const struct row *row, const struct role_view *roles)
{
	const struct table *table = settings->table;

	return (struct row_view){
		.id = row->id,
		.ports = nodes_list(job, row->ports),
		.names = names_list(job, settings, row->names),
		.when = row_when_text(job, row),
		.purpose = row->purpose,
		.note = row->note,
		.see = row->see,
		.lines = lines_text(job, row),
		.at = row->loc.line,
		.from = &roles[row->from - table->roles],
		.to = &roles[row->to - table->roles],
		.optional = row->optional,
		.internal = row->internal,
		.selected = row_selected(settings, row),
		.other_release = !row_is_of_release(settings, row),
		.answers = row->answers,
	};
}

static const struct table_view *view_make(struct job *job, const struct settings *settings)
{
	const struct table *table = settings->table;
	struct table_view *view = arena_alloc(job->arena, sizeof(*view));
	struct param_view *params = arena_alloc(job->arena, table->param_count * sizeof(*params));
	struct role_view *roles = arena_alloc(job->arena, table->role_count * sizeof(*roles));
	struct row_view *rows = arena_alloc(job->arena, table->row_count * sizeof(*rows));

	for (size_t i = 0; i < table->param_count; i++)
		params[i] = param_view(&table->params[i]);
	for (size_t i = 0; i < table->role_count; i++)
		roles[i] = role_view(job, settings, &table->roles[i]);
	for (size_t i = 0; i < table->row_count; i++)
		rows[i] = row_view(job, settings, &table->rows[i], roles);
	*view = (struct table_view){.name = table->name,
				    .path = table->loc.source ? table->loc.source->name : NULL,
				    .title = table->title,
				    .edition = table->edition,
				    .editions = list_of(&table->editions),
				    .document = table->document,
				    .url = table->url,
				    .read = table->read,
				    .params = params,
				    .roles = roles,
				    .rows = rows,
				    .param_count = table->param_count,
				    .role_count = table->role_count,
				    .row_count = table->row_count};
	return view;
}

static bool is_path(const char *text)
{
	const char *dot = strrchr(text, '.');

	return strchr(text, '/') || (dot && (str_equal(dot, ".yaml") || str_equal(dot, ".yml")));
}

/* A file, with the editions beside it. */
static struct table *table_at(struct job *job, const char *path)
{
	struct editions editions = {0};
	struct table *table;
	struct node *root;

	if (doc_load(path, job->d, &root))
		return NULL;
	table = table_parse(job, root);
	if (!table || !table_fits(job, table, path, &editions))
		return NULL;
	editions_words(job, &editions, &table->editions);
	return table;
}

/* NAME or NAME@EDITION. */
static struct table *table_named(struct job *job, const char *name)
{
	const char *at = strchr(name, '@');
	const struct node edition = {
		.kind = NODE_SCALAR, .plain = true, .text = at ? at + 1 : NULL};
	const struct node place = {.kind = NODE_SCALAR,
				   .plain = true,
				   .text = arena_strndup(job->arena, name, strcspn(name, "@"))};

	return table_find(job, "", &place, at ? &edition : NULL);
}

int table_view(const char *name, const struct policy_options *options, struct diags *d,
	       const struct table_view **out)
{
	struct job job = {.d = d, .arena = d->arena, .options = options};
	struct table *table = is_path(name) ? table_at(&job, name) : table_named(&job, name);
	const struct node *set = NULL;
	struct settings settings;

	if (table)
		set = settings_node(&job, table, options->set, options->set_count);
	if (!set || !settings_read(&job, table, set, &settings))
		return -EINVAL;
	*out = view_make(&job, &settings);
	return 0;
}

const struct role_view *table_view_role(const struct table_view *table, const char *name,
					struct diags *d)
{
	struct loc nowhere = {0};
	const char **names = arena_alloc(d->arena, table->role_count * sizeof(*names));

	for (size_t i = 0; i < table->role_count; i++) {
		names[i] = table->roles[i].name;
		if (str_equal(names[i], name))
			return &table->roles[i];
	}
	diag_error(d, nowhere, -EINVAL, "unknown-role",
		   hint_words(d, name, names, table->role_count),
		   "role '%.80s' is not declared in table '%s'", name, table->name);
	return NULL;
}

bool row_view_concerns(const struct row_view *row, const struct role_view *played)
{
	return row->from == played || row->to == played;
}

bool row_view_joins(const struct row_view *row, const struct role_view *played,
		    const struct role_view *peer)
{
	return (row->from == played && row->to == peer) || (row->to == played && row->from == peer);
}

/* `now`: by the params as they are, instead of by any. */
static enum need row_view_needs(const struct row_view *row, bool now)
{
	if (row->optional)
		return NEED_OPTIONAL;
	return row->when && !(now && row->selected) ? NEED_PERHAPS : NEED_ALWAYS;
}

static enum need peer_need(const struct table_view *table, const struct role_view *played,
			   const struct role_view *peer, bool now)
{
	enum need need = NEED_NOT;

	if (peer->addresses.count && !peer->names.count)
		return NEED_NOT;
	for (size_t i = 0; i < table->row_count; i++) {
		const struct row_view *row = &table->rows[i];

		if (row_view_joins(row, played, peer) && row_view_needs(row, now) > need)
			need = row_view_needs(row, now);
	}
	return need;
}

enum need role_view_needs(const struct table_view *table, const struct role_view *played,
			  const struct role_view *peer)
{
	return peer_need(table, played, peer, false);
}

/* ---------------------------------------------------------------- several roles of one host */

bool roles_have(const struct played_roles *roles, const struct role_view *role)
{
	for (size_t i = 0; i < roles->count; i++)
		if (roles->list[i] == role)
			return true;
	return false;
}

bool roles_concern(const struct played_roles *roles, const struct row_view *row)
{
	return roles_have(roles, row->from) || roles_have(roles, row->to);
}

bool roles_join(const struct played_roles *roles, const struct row_view *row,
		const struct role_view *peer)
{
	for (size_t i = 0; i < roles->count; i++)
		if (row_view_joins(row, roles->list[i], peer))
			return true;
	return false;
}

enum need roles_need(const struct table_view *table, const struct played_roles *roles,
		     const struct role_view *peer)
{
	enum need most = NEED_NOT;

	for (size_t i = 0; i < roles->count; i++) {
		enum need need = peer_need(table, roles->list[i], peer, true);

		most = need > most ? need : most;
	}
	return most;
}

static bool begins_with_all(const char *text)
{
	static const char *const words[] = {"all", "every", "any", "each"};

	for (size_t i = 0; text && i < ARRAY_SIZE(words); i++) {
		size_t length = strlen(words[i]);

		if (strncasecmp(text, words[i], length) == 0 &&
		    (text[length] == ' ' || text[length] == '-' || !text[length]))
			return true;
	}
	return false;
}

static bool role_is_of_all(const struct role_view *role)
{
	return begins_with_all(role->name) || begins_with_all(role->title) ||
	       begins_with_all(role->describe);
}

struct played_roles roles_implied(const struct table_view *table, const struct played_roles *played,
				  struct arena *arena)
{
	const struct role_view **all =
		arena_alloc(arena, (table->role_count + played->count) * sizeof(*all));
	struct played_roles known = {.list = all};

	for (size_t i = 0; i < played->count; i++)
		all[known.count++] = played->list[i];
	for (size_t i = 0; i < known.count; i++)
		for (size_t k = 0; k < table->role_count; k++) {
			const struct role_view *whole = &table->roles[k];

			if (word_list_has(&whole->includes, all[i]->name) &&
			    !roles_have(&known, whole))
				all[known.count++] = whole;
		}
	return (struct played_roles){all + played->count, known.count - played->count};
}

bool table_has_includes(const struct table_view *table)
{
	for (size_t i = 0; i < table->role_count; i++)
		if (table->roles[i].includes.count)
			return true;
	return false;
}

bool roles_suggest(const struct table_view *table, const struct played_roles *played,
		   const struct role_view *role)
{
	if (roles_have(played, role))
		return false;
	for (size_t i = 0; i < played->count; i++)
		if (word_list_has(&played->list[i]->includes, role->name))
			return true;
	return !table_has_includes(table) && role_is_of_all(role);
}
