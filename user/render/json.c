/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON values that documents are made of. Schemas are described in docs/json.md; a field is only
 * ever added, a changed meaning gets a new schema number.
 */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "print.h"

json_t *json_words(const char *text)
{
	json_t *value = text ? json_string(text) : json_null();
	char clean[4096];

	/* jansson refuses invalid UTF-8; the reader still gets the rest of the text. */
	return value ? value : json_string(text_clean(text, clean, sizeof(clean)));
}

json_t *json_count(uint64_t count)
{
	return json_integer(count > INT64_MAX ? INT64_MAX : (json_int_t)count);
}

json_t *json_time(uint64_t realtime_ns)
{
	char text[TIME_TEXT];

	return realtime_ns ? json_string(time_text(realtime_ns, text)) : json_null();
}

json_t *json_row(const char *table, const char *row, uint32_t line)
{
	json_t *value;

	if (!table || !*table || !row)
		return json_null();
	value = json_object();
	json_object_set_new(value, "table", json_words(table));
	json_object_set_new(value, "row", json_words(row));
	json_object_set_new(value, "line", line ? json_count(line) : json_null());
	return value;
}

static json_t *pid_and_name(uint32_t pid, const char *name)
{
	json_t *value;

	if (!pid)
		return json_null();
	value = json_object();
	json_object_set_new(value, "pid", json_count(pid));
	json_object_set_new(value, "name", json_words(name));
	return value;
}

json_t *json_process(const struct process_view *process)
{
	json_t *value = pid_and_name(process->pid, process->name);

	if (!process->pid)
		return value;
	json_object_set_new(value, "uid", process->known ? json_count(process->uid) : json_null());
	json_object_set_new(value, "parent",
			    pid_and_name(process->parent_pid, process->parent_name));
	json_object_set_new(value, "started", json_time(process->started));
	return value;
}

static json_t *json_diag(const struct diag *diag)
{
	static const char *const words[] = {
		[SEV_ERROR] = "error", [SEV_WARNING] = "warning", [SEV_NOTE] = "note"};
	json_t *value = json_object();

	json_object_set_new(value, "severity", json_string(words[diag->severity]));
	json_object_set_new(value, "check", json_words(diag->check));
	json_object_set_new(value, "message", json_words(diag->message));
	if (diag->hint)
		json_object_set_new(value, "hint", json_words(diag->hint));
	if (!diag->loc.source)
		return value;
	json_object_set_new(value, "file", json_words(diag->loc.source->name));
	if (!diag->loc.line)
		return value;
	json_object_set_new(value, "line", json_count(diag->loc.line));
	json_object_set_new(value, "column", json_count(diag->loc.column));
	json_object_set_new(value, "length", json_count(diag->loc.length));
	return value;
}

json_t *json_diags(const struct diags *d)
{
	json_t *list = json_array();

	for (size_t i = 0; d && i < d->count; i++)
		json_array_append_new(list, json_diag(&d->list[i]));
	return list;
}

json_t *json_window(const struct window_view *window)
{
	json_t *value = json_object();

	json_object_set_new(value, "policy", json_words(window->policy));
	json_object_set_new(value, "mode", json_string(mode_name(window->enforce)));
	json_object_set_new(value, "generation", json_count(window->generation));
	json_object_set_new(value, "digest", json_words(window->digest));
	json_object_set_new(value, "since", json_time(window->since));
	json_object_set_new(value, "until", json_time(window->until));
	return value;
}

const char *host_name(void)
{
	static char name[HOST_NAME_MAX + 1];

	if (!*name && gethostname(name, sizeof(name) - 1))
		snprintf(name, sizeof(name), "unknown");
	return name;
}

int schema_version(const char *verb)
{
	return str_equal(verb, "status") || str_equal(verb, "coverage") ? 2 : 1;
}

json_t *document_new(const char *verb)
{
	json_t *document = json_object();

	json_object_set_new(document, "schema",
			    json_sprintf("flowreeve/%s/v%d", verb, schema_version(verb)));
	json_object_set_new(document, "host", json_words(host_name()));
	return document;
}

void document_print(const struct render *r, json_t *document)
{
	json_object_set_new(document, "diagnostics", json_diags(r->diags));
	json_dumpf(document, r->out, JSON_INDENT(2));
	fputc('\n', r->out);
	json_decref(document);
}

void json_set_source(json_t *object, const char *title, const char *document, const char *url,
		     const char *read)
{
	json_object_set_new(object, "title", json_words(title));
	json_object_set_new(object, "document", json_words(document));
	json_object_set_new(object, "url", json_words(url));
	json_object_set_new(object, "read", json_words(read));
}

json_t *json_tables(const struct ruleset *rs)
{
	json_t *list = json_array(), *item;
	const struct origin *table;
	size_t at = 0;

	while ((table = ruleset_next_table(rs, &at))) {
		item = json_object();
		json_object_set_new(item, "table", json_words(table->table));
		json_object_set_new(item, "edition", json_words(table->edition));
		json_set_source(item, table->title, table->document, table->url, table->read);
		json_array_append_new(list, item);
	}
	return list;
}
