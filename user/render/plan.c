/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy of a host of a site, as a readable file: each role with its place in the site, each
 * address with its host.
 */
#include <string.h>

#include "print.h"

static const char *file_name(const struct site_view *site)
{
	const char *slash = strrchr(site->source->name, '/');

	return slash ? slash + 1 : site->source->name;
}

static void print_key(FILE *out, const struct plan_key *key)
{
	fprintf(out, "%s:", key->key);
	if (key->value)
		fprintf(out, " %s", key->value);
	fputc('\n', out);
	for (size_t i = 0; i < key->item_count; i++)
		fprintf(out, "  %s\n", key->items[i]);
}

static void print_place(FILE *out, const struct site_view *site, uint32_t line)
{
	print_clean(out, file_name(site));
	fprintf(out, ":%u", line);
}

static void print_peers(FILE *out, const struct site_view *site, const struct plan_peers *peers)
{
	fprintf(out, "      %s: # ", peers->role);
	print_place(out, site, peers->line);
	fputc('\n', out);
	for (size_t i = 0; i < peers->count; i++) {
		const struct plan_peer *peer = &peers->list[i];

		fprintf(out, "        - %s", peer->text);
		if (peer->host)
			fprintf(out, " # %s", peer->host);
		fputc('\n', out);
	}
}

static void print_rows(FILE *out, const struct plan_use *use)
{
	if (use->with_count)
		fputs("    with:\n", out);
	for (size_t i = 0; i < use->with_count; i++)
		fprintf(out, "      - %s\n", use->with[i]);
	if (use->without_count)
		fputs("    without:\n", out);
	for (size_t i = 0; i < use->without_count; i++) {
		const struct plan_left_out *row = &use->without[i];

		fprintf(out, "      - %s", row->row);
		if (row->alone)
			fprintf(out, " # no other host plays %s", row->alone);
		fputc('\n', out);
	}
}

/* An idle role is shown, not dropped. */
static void print_use(FILE *out, const struct site_view *site, const struct plan_use *use)
{
	fprintf(out, "  # %s of %s: ", use->role, use->table);
	print_place(out, site, use->line);
	if (use->by)
		fprintf(out, ", by an address in %s", use->by);
	if (use->idle) {
		fputs("; no other host at the end of any of its rows\n", out);
		return;
	}
	fprintf(out, "\n  - table: %s\n", use->table);
	if (use->edition)
		fprintf(out, "    edition: %s\n", use->edition);
	fprintf(out, "    as: %s\n", use->role);
	if (use->set)
		fprintf(out, "    set: %s\n", use->set);
	if (use->peer_count)
		fputs("    peers:\n", out);
	for (size_t i = 0; i < use->peer_count; i++)
		print_peers(out, site, &use->peers[i]);
	print_rows(out, use);
}

static bool plan_uses(const struct plan *plan)
{
	for (size_t i = 0; i < plan->use_count; i++)
		if (!plan->uses[i].idle)
			return true;
	return false;
}

void render_plan(FILE *out, const struct site_view *site, const struct plan *plan)
{
	fprintf(out, PLAN_MARK " host %s of site %s, from ", plan->host, site->name);
	print_clean(out, file_name(site));
	fprintf(out,
		"; change that file, not this one.\n"
		"apiVersion: flowreeve/v1\nkind: Policy\nmetadata: {name: %s}\n",
		plan->policy);
	for (size_t i = 0; i < plan->head_count; i++)
		print_key(out, &plan->head[i]);
	if (plan_uses(plan))
		fputs("use:\n", out);
	for (size_t i = 0; i < plan->use_count; i++)
		print_use(out, site, &plan->uses[i]);
	for (size_t i = 0; i < plan->tail_count; i++)
		print_key(out, &plan->tail[i]);
}
