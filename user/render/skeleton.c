/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A policy to begin with: the settings that a role of a table needs from its host; every required
 * choice is marked, every optional one is commented. YAML for a person's editor.
 */
#include <string.h>

#include "print.h"

enum { NOTE_COLUMN = 44 };

/* A line with its note behind it, aligned where there is room. */
static void print_line(FILE *out, const char *line, const char *note)
{
	char clean[CLEAN_TEXT];

	if (note && *note)
		fprintf(out, "%-*s # %s\n", NOTE_COLUMN, line,
			text_clean(note, clean, sizeof(clean)));
	else
		fprintf(out, "%s\n", line);
}

static void print_words(FILE *out, const struct word_list *words, const char *between)
{
	for (size_t i = 0; i < words->count; i++)
		fprintf(out, "%s%s", i ? between : "", words->list[i]);
}

static FILE *note_open(char *text, size_t size)
{
	memset(text, 0, size);
	return fmemopen(text, size - 1, "w");
}

/* ---------------------------------------------------------------- params */

static void param_note(const struct param_view *param, char *text, size_t size)
{
	FILE *out = note_open(text, size);

	if (!out)
		return;
	if (param->values.count) {
		fputs(param->plural ? "one or more of " : "one of ", out);
		print_words(out, &param->values, ", ");
	} else {
		fputs(param->type, out);
	}
	if (param->describe)
		fprintf(out, ": %s", param->describe);
	fclose(out);
}

static void print_param(FILE *out, const struct param_view *param)
{
	char line[CLEAN_TEXT], note[CLEAN_TEXT];
	FILE *text = note_open(line, sizeof(line));

	if (!text)
		return;
	fprintf(text, "      %s%s: ", param->required ? "" : "# ", param->name);
	if (param->plural)
		fputc('[', text);
	if (param->initial.count)
		print_words(text, &param->initial, ", ");
	else
		fputs(POLICY_FILL_IN, text);
	if (param->plural)
		fputc(']', text);
	fclose(text);
	param_note(param, note, sizeof(note));
	print_line(out, line, note);
}

static void print_params(FILE *out, const struct table_view *view)
{
	bool required = false;

	for (size_t i = 0; i < view->param_count; i++)
		required |= view->params[i].required;
	if (view->param_count)
		fprintf(out, "    %sset:\n", required ? "" : "# ");
	for (size_t i = 0; i < view->param_count; i++)
		print_param(out, &view->params[i]);
}

/* ---------------------------------------------------------------- peers */

/* Which rows want the peer: "nfs (storage: nfs), kdc". */
static void peer_note(const struct table_view *view, const struct played_roles *played,
		      const struct role_view *peer, char *text, size_t size)
{
	FILE *out = note_open(text, size);
	const char *before = "for ";

	if (!out)
		return;
	for (size_t i = 0; i < view->row_count; i++) {
		const struct row_view *row = &view->rows[i];

		if (!roles_join(played, row, peer))
			continue;
		fprintf(out, "%s%s", before, row->id);
		if (row->when)
			fprintf(out, " (%s)", row->when);
		if (row->optional)
			fputs(" if named", out);
		before = ", ";
	}
	fclose(out);
}

static void print_peer(FILE *out, const struct table_view *view, const struct played_roles *played,
		       const struct role_view *peer)
{
	enum need need = roles_need(view, played, peer);
	char line[CLEAN_TEXT], note[CLEAN_TEXT];

	if (need == NEED_NOT)
		return;
	snprintf(line, sizeof(line), "      %s%s: [" POLICY_FILL_IN "]",
		 need == NEED_ALWAYS ? "" : "# ", peer->name);
	peer_note(view, played, peer, note, sizeof(note));
	print_line(out, line, note);
}

static enum need most_needed(const struct table_view *view, const struct played_roles *played)
{
	enum need most = NEED_NOT;

	for (size_t i = 0; i < view->role_count; i++) {
		enum need need = roles_need(view, played, &view->roles[i]);

		most = need > most ? need : most;
	}
	return most;
}

static void print_peers(FILE *out, const struct table_view *view, const struct played_roles *played)
{
	enum need most = most_needed(view, played);

	if (most == NEED_NOT)
		return;
	fputs("    # Addresses, prefixes, prefixes/NAME, local-subnet or any. Uncomment those whose "
	      "rows are selected.\n",
	      out);
	fprintf(out, "    %speers:\n", most == NEED_ALWAYS ? "" : "# ");
	for (size_t i = 0; i < view->role_count; i++)
		print_peer(out, view, played, &view->roles[i]);
}

/* ---------------------------------------------------------------- rows by name */

/* Where the defaults select no row, what would: a policy without a row is refused. */
static void print_selecting(FILE *out, const struct table_view *view,
			    const struct played_roles *played)
{
	for (size_t i = 0; i < view->row_count; i++)
		if (roles_concern(played, &view->rows[i]) && view->rows[i].selected &&
		    !view->rows[i].optional)
			return;
	fputs("    # No row is selected yet. For one of them:\n", out);
	for (size_t i = 0; i < view->row_count; i++) {
		const struct row_view *row = &view->rows[i];

		if (!roles_concern(played, row))
			continue;
		fprintf(out, "    #   %s:", row->id);
		if (!row->selected)
			fprintf(out, " set %s", row->when);
		fprintf(out, "%s name its peer", row->selected ? "" : ",");
		if (row->optional)
			fputs(", name the row in 'with'", out);
		fputc('\n', out);
	}
}

static void row_note(const struct row_view *row, char *text, size_t size)
{
	FILE *out = note_open(text, size);

	if (!out)
		return;
	fputs(row->purpose ?: "", out);
	if (row->when)
		fprintf(out, "%swhen %s", row->purpose ? "; " : "", row->when);
	fclose(out);
}

static void print_rows(FILE *out, const struct table_view *view, const struct played_roles *played,
		       bool optional)
{
	char line[CLEAN_TEXT], note[CLEAN_TEXT];
	bool any = false;

	for (size_t i = 0; i < view->row_count; i++) {
		const struct row_view *row = &view->rows[i];

		if (!roles_concern(played, row) || row->optional != optional)
			continue;
		if (!any)
			fputs(optional ? "    # Rows that are off unless named here:\n    # with:\n"
				       : "    # Rows that are on unless named here:\n"
					 "    # without:\n",
			      out);
		any = true;
		/* Of another release it would be an error in `with`: it stays a comment. */
		snprintf(line, sizeof(line), "    #   %s- %s", row->other_release ? "# " : "",
			 row->id);
		row_note(row, note, sizeof(note));
		print_line(out, line, note);
	}
}

/* ---------------------------------------------------------------- the whole */

static void print_head(FILE *out, const struct table_view *view, const struct played_roles *played,
		       const struct skeleton *s)
{
	char line[CLEAN_TEXT];

	fputs("# ", out);
	for (size_t i = 0; i < played->count; i++) {
		fputs(i ? " and " : "", out);
		print_clean(out, played->list[i]->title ?: played->list[i]->name);
	}
	fputs(", after ", out);
	print_clean(out, view->title ?: view->name);
	fputs(".\n# Replace every " POLICY_FILL_IN
	      ", uncomment what this site uses, then: flowreeve check FILE\n",
	      out);
	if (s->tables) {
		fputs("# The table is a file of its own: with --tables ", out);
		print_clean(out, s->tables);
		fputc('\n', out);
	}
	fputs("apiVersion: flowreeve/v1\nkind: Policy\n", out);
	fprintf(out, "metadata: {name: %s}\n", s->name);
	print_line(out, "mode: audit", "counts and reports; enforce drops");
	snprintf(line, sizeof(line), "attach: {%s: [%s]}", s->kind, s->attach_to ?: POLICY_FILL_IN);
	print_line(out, line, "interfaces, guests (taps) or cgroups");
}

static void print_roles(FILE *out, const struct played_roles *roles, const char *between)
{
	for (size_t i = 0; i < roles->count; i++)
		fprintf(out, "%s%s", i ? between : "", roles->list[i]->name);
}

static void print_as(FILE *out, const struct table_view *view, const struct played_roles *played,
		     const struct played_roles *implied)
{
	fputs(played->count > 1 ? "    as: [" : "    as: ", out);
	print_roles(out, played, ", ");
	fputs(played->count > 1 ? "]\n" : "\n", out);
	if (implied->count) {
		fputs("    # This host plays ", out);
		print_roles(out, implied, ", ");
		fputs(" as well: new --as ", out);
		print_roles(out, played, ",");
		fputc(',', out);
		print_roles(out, implied, ",");
		fputc('\n', out);
	}
	for (size_t i = 0; i < view->role_count; i++) {
		const char *name = view->roles[i].name;

		if (!roles_suggest(view, played, &view->roles[i]))
			continue;
		fprintf(out, "    # Does this host play %s as well? Then: new --as ", name);
		print_roles(out, played, ",");
		fprintf(out, ",%s\n", name);
	}
}

void render_skeleton(const struct render *r, const struct table_view *view,
		     const struct played_roles *played, const struct skeleton *skeleton)
{
	FILE *out = r->out;

	print_head(out, view, played, skeleton);
	fprintf(out, "use:\n  - table: %s\n", view->name);
	if (view->edition)
		fprintf(out, "    edition: %s\n", view->edition);
	print_as(out, view, played, &skeleton->implied);
	print_selecting(out, view, played);
	print_params(out, view);
	print_peers(out, view, played);
	print_rows(out, view, played, true);
	print_rows(out, view, played, false);
	fputs("# What this host needs besides the table: names, time, packages, monitoring.\n"
	      "# rules:\n"
	      "#   - {id: dns, direction: egress, peer: [ADDRESS], ports: [53/udp, 53/tcp], action: "
	      "allow}\n",
	      out);
	print_line(out, "failsafe: [{peer: [" POLICY_FILL_IN "], ports: [22/tcp]}]",
		   "always allowed; [] for none");
	fputs("default: {ingress: deny, egress: deny}\n", out);
}
