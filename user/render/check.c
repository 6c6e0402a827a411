/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Results of `check` and `compile`: a policy and its compiled figures.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "print.h"

static size_t rules_of(const struct ruleset *rs, uint8_t dir)
{
	size_t count = 0;

	for (size_t i = 0; i < rs->rule_count; i++)
		count += rs->rules[i].dir == dir;
	return count;
}

static uint64_t image_bytes(const struct image *image)
{
	return (uint64_t)image->line_count * FR_LINE_BYTES;
}

static json_t *json_image(const struct ruleset *rs, const struct image *image)
{
	const struct image_stats *stats = &image->stats;
	json_t *value = json_object(), *dir;
	char digest[65];

	digest_text(image->digest, digest);
	json_object_set_new(value, "digest", json_string(digest));
	json_object_set_new(value, "bytes", json_count(image_bytes(image)));
	json_object_set_new(value, "dense", json_boolean(stats->dense));
	json_object_set_new(value, "rules", json_count(rs->rule_count));
	for (uint8_t i = 0; i < FR_DIRS; i++) {
		dir = json_object();
		json_object_set_new(dir, "rules", json_count(rules_of(rs, i)));
		json_object_set_new(dir, "address_classes", json_count(stats->address_classes[i]));
		json_object_set_new(dir, "service_classes", json_count(stats->service_classes[i]));
		json_object_set_new(dir, "cells", json_count(stats->cells[i]));
		json_object_set_new(value, dir_name(i), dir);
	}
	return value;
}

struct render_stream *render_check_begin(const struct render *r)
{
	return stream_begin(r, "check", "files");
}

static json_t *check_item(const char *file, bool ok, const struct diags *d)
{
	json_t *item = json_object();

	json_object_set_new(item, "file", json_words(file));
	json_object_set_new(item, "ok", json_boolean(ok));
	json_object_set_new(item, "diagnostics", json_diags(d));
	return item;
}

/* The rules whose questions may be answered from elsewhere, or that say they may not. */
static bool says_answers(const struct rule *rule, struct expectation *out)
{
	rule_expects(rule, out);
	return out->answers != FR_ANSWERS_PEER || (rule->answers && !out->default_of);
}

static void print_rules_answers(FILE *out, const struct ruleset *rs)
{
	enum { MOST = 20 };
	struct expectation e;
	size_t count = 0;

	for (size_t i = 0; i < rs->rule_count; i++) {
		if (!says_answers(&rs->rules[i], &e) || ++count > MOST)
			continue;
		fprintf(out, "    answers of %s rule ", dir_name(rs->rules[i].dir));
		print_clean(out, rs->rules[i].id);
		fprintf(out, ": %s\n", answers_text(rs->arena, &e));
	}
	if (count > MOST)
		fprintf(out, "    and of %zu more rules: --json lists them\n", count - MOST);
}

static void print_parties(FILE *out, const struct ruleset *rs)
{
	for (size_t i = 0; i < rs->party_count; i++) {
		fputs("    one party, which shares flows: ", out);
		for (size_t j = 0; j < rs->parties[i].count; j++) {
			fputs(j ? ", " : "", out);
			print_clean(out, rs->parties[i].names[j]);
		}
		fputc('\n', out);
	}
}

static json_t *json_parties(const struct ruleset *rs)
{
	json_t *list = json_array(), *party;

	for (size_t i = 0; i < rs->party_count; i++) {
		party = json_array();
		for (size_t j = 0; j < rs->parties[i].count; j++)
			json_array_append_new(party, json_words(rs->parties[i].names[j]));
		json_array_append_new(list, party);
	}
	return list;
}

static json_t *json_rules_answers(const struct ruleset *rs)
{
	json_t *list = json_array(), *item;
	struct expectation e;

	for (size_t i = 0; i < rs->rule_count; i++) {
		if (!says_answers(&rs->rules[i], &e))
			continue;
		item = json_answers(&e);
		json_object_set_new(item, "rule", json_words(rs->rules[i].id));
		json_object_set_new(item, "direction", json_string(dir_name(rs->rules[i].dir)));
		json_array_append_new(list, item);
	}
	return list;
}

/* ---------------------------------------------------------------- the tables of a policy */

static json_t *json_names(const struct ruleset *rs)
{
	json_t *list = json_array(), *item, *names;

	for (size_t i = 0; i < rs->name_count; i++) {
		const struct role_names *role = &rs->names[i];

		item = json_object();
		names = json_array();
		for (size_t j = 0; j < role->count; j++)
			json_array_append_new(names, json_words(role->list[j]));
		json_object_set_new(item, "table", json_words(role->table));
		json_object_set_new(item, "role", json_words(role->role));
		json_object_set_new(item, "names", names);
		json_array_append_new(list, item);
	}
	return list;
}

static void print_names(FILE *out, const struct ruleset *rs)
{
	for (size_t i = 0; i < rs->name_count; i++) {
		const struct role_names *role = &rs->names[i];

		fputs("    ", out);
		print_clean(out, role->table);
		fputs(" names ", out);
		print_clean(out, role->role);
		for (size_t j = 0; j < role->count; j++) {
			fputs(j ? ", " : ": ", out);
			print_clean(out, role->list[j]);
		}
		fputc('\n', out);
	}
}

void render_check(struct render_stream *s, const struct ruleset *rs, const struct image *image,
		  const struct diags *d)
{
	const struct image_stats *stats = &image->stats;
	FILE *out = s->render.out;
	char size[FIGURE_TEXT];
	json_t *item;

	if (s->render.json) {
		item = check_item(rs->source->name, true, d);
		json_object_set_new(item, "kind", json_string("Policy"));
		json_object_set_new(item, "name", json_words(rs->name));
		json_object_set_new(item, "mode", json_string(mode_name(rs->enforce)));
		json_object_set_new(item, "image", json_image(rs, image));
		json_object_set_new(item, "answers", json_rules_answers(rs));
		json_object_set_new(item, "parties", json_parties(rs));
		json_object_set_new(item, "tables", json_tables(rs));
		json_object_set_new(item, "names", json_names(rs));
		stream_item(s, item);
		return;
	}
	fprintf(out, "%sok%s  ", colour_on(s->render.colour, COLOUR_GOOD),
		colour_off(s->render.colour, COLOUR_GOOD));
	print_clean(out, rs->name);
	fprintf(out, ": %zu rules (%zu egress, %zu ingress) → ", rs->rule_count,
		rules_of(rs, FR_EGRESS), rules_of(rs, FR_INGRESS));
	fprintf(out, "egress %u address × %u service classes, ingress %u × %u, ",
		stats->address_classes[FR_EGRESS], stats->service_classes[FR_EGRESS],
		stats->address_classes[FR_INGRESS], stats->service_classes[FR_INGRESS]);
	fprintf(out, "%" PRIu64 " cells, %s\n", stats->cells[FR_EGRESS] + stats->cells[FR_INGRESS],
		bytes_text(image_bytes(image), size));
	print_rules_answers(out, rs);
	print_parties(out, rs);
	print_names(out, rs);
}

void render_check_table(struct render_stream *s, const char *file,
			const struct table_summary *table, const struct diags *d)
{
	FILE *out = s->render.out;
	json_t *item;

	if (s->render.json) {
		item = check_item(file, true, d);
		json_object_set_new(item, "kind", json_string("PortTable"));
		json_object_set_new(item, "name", json_words(table->name));
		json_object_set_new(item, "edition", json_words(table->edition));
		json_set_source(item, table->title, table->document, table->url, table->read);
		json_object_set_new(item, "rows", json_count(table->rows));
		json_object_set_new(item, "roles", json_count(table->roles));
		json_object_set_new(item, "params", json_count(table->params));
		json_object_set_new(item, "without_ports", json_count(table->without_ports));
		stream_item(s, item);
		return;
	}
	fprintf(out, "%sok%s  ", colour_on(s->render.colour, COLOUR_GOOD),
		colour_off(s->render.colour, COLOUR_GOOD));
	print_clean(out, table->name);
	fprintf(out, ": table of %zu rows, %zu roles, %zu params", table->rows, table->roles,
		table->params);
	if (table->without_ports)
		fprintf(out, "; %zu rows without ports", table->without_ports);
	fputc('\n', out);
}

static json_t *json_plan(const struct plan *plan, const struct image *image)
{
	json_t *item = json_object(), *roles = json_array(), *role;

	for (size_t i = 0; i < plan->use_count; i++) {
		role = json_object();
		json_object_set_new(role, "table", json_words(plan->uses[i].table));
		json_object_set_new(role, "role", json_words(plan->uses[i].role));
		json_array_append_new(roles, role);
	}
	json_object_set_new(item, "host", json_words(plan->host));
	json_object_set_new(item, "policy", json_words(plan->policy));
	json_object_set_new(item, "mode", json_string(mode_name(plan->rs->enforce)));
	json_object_set_new(item, "roles", roles);
	json_object_set_new(item, "image", json_image(plan->rs, image));
	return item;
}

static void print_plan(FILE *out, const struct plan *plan, const struct image *image)
{
	fprintf(out, "    %-20s  %zu rules (%zu egress, %zu ingress)  ", plan->host,
		plan->rs->rule_count, rules_of(plan->rs, FR_EGRESS),
		rules_of(plan->rs, FR_INGRESS));
	for (size_t i = 0; i < 6; i++)
		fprintf(out, "%02x", image->digest[i]);
	for (size_t i = 0; i < plan->use_count; i++)
		fprintf(out, "%s%s", i ? ", " : "  ", plan->uses[i].role);
	fputc('\n', out);
}

void render_check_site(struct render_stream *s, const struct site_view *site,
		       const struct image *images, const struct diags *d)
{
	FILE *out = s->render.out;
	json_t *item, *hosts;

	if (s->render.json) {
		item = check_item(site->source->name, true, d);
		hosts = json_array();
		for (size_t i = 0; i < site->plan_count; i++)
			json_array_append_new(hosts, json_plan(&site->plans[i], &images[i]));
		json_object_set_new(item, "kind", json_string("Site"));
		json_object_set_new(item, "name", json_words(site->name));
		json_object_set_new(item, "hosts", hosts);
		stream_item(s, item);
		return;
	}
	fprintf(out, "%sok%s  ", colour_on(s->render.colour, COLOUR_GOOD),
		colour_off(s->render.colour, COLOUR_GOOD));
	print_clean(out, site->name);
	fprintf(out, ": site of %zu hosts\n", site->plan_count);
	for (size_t i = 0; i < site->plan_count; i++)
		print_plan(out, &site->plans[i], &images[i]);
}

void render_check_bad(struct render_stream *s, const char *file, const struct diags *d)
{
	if (s->render.json)
		stream_item(s, check_item(file, false, d));
}

static char *dump_text(const struct ruleset *rs, const struct image *image)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	image_dump(rs, image, out);
	fclose(out);
	return text;
}

static void compile_json(const struct render *r, const struct ruleset *rs,
			 const struct image *image, bool dump)
{
	json_t *document = document_new("compile");
	char *words = dump ? dump_text(rs, image) : NULL;

	json_object_set_new(document, "policy", json_words(rs->name));
	json_object_set_new(document, "mode", json_string(mode_name(rs->enforce)));
	json_object_set_new(document, "image", json_image(rs, image));
	if (words)
		json_object_set_new(document, "dump", json_words(words));
	free(words);
	document_print(r, document);
}

void render_compile(const struct render *r, const struct ruleset *rs, const struct image *image,
		    bool dump)
{
	const struct image_stats *stats = &image->stats;
	char size[FIGURE_TEXT];

	if (r->json) {
		compile_json(r, rs, image, dump);
		return;
	}
	if (dump) {
		image_dump(rs, image, r->out);
		return;
	}
	print_clean(r->out, rs->name);
	fprintf(r->out, "  %s  %zu rules\n", mode_name(rs->enforce), rs->rule_count);
	for (uint8_t i = 0; i < FR_DIRS; i++)
		fprintf(r->out,
			"  %-8s  %zu rules, %u address classes × %u service classes, %" PRIu64
			" cells\n",
			dir_name(i), rules_of(rs, i), stats->address_classes[i],
			stats->service_classes[i], stats->cells[i]);
	fprintf(r->out,
		"  image     %s in %u lines: %u of tries, %u of services, %u of the %s matrix\n",
		bytes_text(image_bytes(image), size), image->line_count, stats->tries_lines,
		stats->services_lines, stats->matrix_lines, stats->dense ? "dense" : "shared");
	fputs("  digest    ", r->out);
	for (size_t i = 0; i < sizeof(image->digest); i++)
		fprintf(r->out, "%02x", image->digest[i]);
	fputc('\n', r->out);
}
