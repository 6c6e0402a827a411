/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parties: guests of `attach` that are devices of one virtual machine, and share its flows.
 */
#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "draft.h"

static bool is_pattern(const char *name)
{
	return strpbrk(name, "*?[");
}

static bool guest_covers(const char *guest, const char *name)
{
	return str_equal(guest, name) || (is_pattern(guest) && !fnmatch(guest, name, 0));
}

static bool is_guest(const struct ruleset *rs, const char *name)
{
	for (size_t i = 0; i < rs->attach_count; i++)
		if (rs->attach[i].kind == FR_KIND_GUEST && guest_covers(rs->attach[i].name, name))
			return true;
	return false;
}

static bool refuse_stranger(struct job *job, const struct ruleset *rs, const struct node *node)
{
	const char **guests = arena_alloc(job->arena, (rs->attach_count + 1) * sizeof(*guests));
	const char *near, *hint;
	size_t count = 0;

	for (size_t i = 0; i < rs->attach_count; i++)
		if (rs->attach[i].kind == FR_KIND_GUEST)
			guests[count++] = rs->attach[i].name;
	near = nearest_word(node->text, guests, count);
	hint = near ? arena_printf(job->arena, "did you mean '%s'?", near)
		    : arena_printf(job->arena, "attach: {guests: [%s]}",
				   text_item(job->arena, node->text));
	diag_error(job->d, node->loc, -EINVAL, "unknown-guest", hint,
		   "'%.80s' is not among the guests of 'attach'", node->text);
	return false;
}

static bool refuse_again(struct job *job, const struct node *node, unsigned line)
{
	diag_error(job->d, node->loc, -EINVAL, "party-twice", "a device is in one party at most",
		   "'%.80s' is in a party already, in line %u", node->text, line);
	return false;
}

static bool member_check(struct job *job, const struct ruleset *rs, const struct node *node)
{
	if (!want_text(job->d, node, "a device of a party"))
		return false;
	for (size_t i = 0; i < rs->party_count; i++)
		for (size_t j = 0; j < rs->parties[i].count; j++)
			if (str_equal(rs->parties[i].names[j], node->text))
				return refuse_again(job, node, rs->parties[i].loc.line);
	return is_guest(rs, node->text) || refuse_stranger(job, rs, node);
}

static size_t items_count(const struct node *list)
{
	const struct node *item;
	size_t count = 0;

	for_children(item, list) count++;
	return count;
}

/* One party; it is in the ruleset while it grows, so that no device is in it twice. */
static void party_add(struct job *job, const struct node *list, struct ruleset *rs)
{
	size_t count = items_count(list);
	struct party *party = &rs->parties[rs->party_count++];
	const struct node *item;
	bool good = true;

	*party = (struct party){.names = arena_alloc(job->arena, (count + 1) * sizeof(char *)),
				.loc = list->loc};
	for_children(item, list)
	{
		if (member_check(job, rs, item))
			party->names[party->count++] = arena_strdup(job->arena, item->text);
		else
			good = false;
	}
	if (good && party->count < 2 && !(party->count && is_pattern(party->names[0])))
		diag_error(job->d, list->loc, -EINVAL, "lone-party",
			   "party: [tap0, tap1], or leave it out",
			   "a party of one device shares nothing");
}

void parties_parse(struct job *job, const struct node *node, struct draft *draft)
{
	struct ruleset *rs = draft->rs;
	const struct node *item;

	if (!want_list(job->d, node, "'party'"))
		return;
	rs->parties = arena_alloc(job->arena, (items_count(node) + 1) * sizeof(*rs->parties));
	if (!node->first || node->first->kind != NODE_LIST) {
		party_add(job, node, rs);
		return;
	}
	for_children(item, node) if (want_list(job->d, item, "a party")) party_add(job, item, rs);
}
