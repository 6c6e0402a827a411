/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hosts of a site with their addresses, and the members of a role: a host by its name, or a
 * peer as in a policy. An address has one owner, and is written in one place.
 */
#include <errno.h>
#include <string.h>

#include "model.h"

/* ---------------------------------------------------------------- hosts */

/* A host's name must not read as a peer. */
static bool host_name(struct site *site, const struct node *node, const char **out)
{
	static const char *const taken[] = {"any", "local-subnet"};
	struct job *job = site->job;
	struct prefix prefix;
	size_t i;

	if (!want_key_name(job->d, node->key, "host", out))
		return false;
	for (i = 0; i < ARRAY_SIZE(taken) && !str_equal(*out, taken[i]); i++)
		;
	if (i == ARRAY_SIZE(taken) && prefix_parse(*out, &prefix) == NET_NOT_ADDRESS)
		return true;
	diag_error(job->d, node->key->loc, -EINVAL, "bad-name", "choose another name",
		   "'%s' is a reserved word for peers", *out);
	return false;
}

static bool address_single(const struct prefix *prefix)
{
	return prefix->length == 128;
}

static bool address_parse(struct site *site, const struct node *node, struct prefix *out)
{
	static const char subnet[] =
		"a host has single addresses; a subnet belongs below the roles of a use";
	struct job *job = site->job;
	const char *text = want_text(job->d, node, "an address");
	enum net_error error = text ? prefix_parse(text, out) : NET_NOT_ADDRESS;
	struct advice advice;

	if (!text)
		return false;
	if (error == NET_OK && address_single(out))
		return true;
	advice = peer_advice(job->arena, text);
	if (error == NET_OK || error == NET_HOST_BITS)
		advice = (struct advice){.hint = subnet};
	diag_error(job->d, node->loc, -EINVAL, "bad-address",
		   advice.hint ?: "an address like 10.0.0.1 or \"fd00::1\"",
		   "'%.80s' is not the address of a host%s", text,
		   arena_optional(job->arena, ": ", advice.message));
	return false;
}

static void address_claim(struct site *site, struct site_host *host, const struct node *node,
			  const struct prefix *prefix)
{
	struct job *job = site->job;
	char text[PREFIX_TEXT];
	const char *address = arena_strdup(job->arena, prefix_text(prefix, text));
	const struct site_host *owner = index_insert(&site->by_address, address, host);

	if (owner)
		diag_error(job->d, node->loc, -EINVAL, "duplicate-address",
			   owner == host ? "write it once"
					 : "an address belongs to one host; one host may play "
					   "several roles",
			   "%s is an address of host '%s' (line %u) already", address, owner->name,
			   owner->loc.line);
	host->addresses[host->address_count] = node_scalar(job->arena, address, node->loc);
	host->prefixes[host->address_count++] = *prefix;
}

static void host_addresses(struct site *site, struct site_host *host)
{
	struct job *job = site->job;
	const struct node *list = map_get(host->node, "addresses"), *item;
	struct prefix prefix;
	size_t count = 0;

	if (!list || node_is_null(list) || (list->kind == NODE_LIST && !list->first)) {
		diag_error(job->d, host->loc, -EINVAL, "no-address",
			   arena_printf(job->arena, "%s: {addresses: [10.0.0.1]}", host->name),
			   "host '%s' has no address", host->name);
		return;
	}
	if (!want_items(job->d, list, "'addresses'"))
		return;
	for_items(item, list) count++;
	host->addresses = arena_alloc(job->arena, count * sizeof(*host->addresses));
	host->prefixes = arena_alloc(job->arena, count * sizeof(*host->prefixes));
	for_items(item, list)
	{
		if (address_parse(site, item, &prefix))
			address_claim(site, host, item, &prefix);
	}
}

static void host_parse(struct site *site, const struct node *node, struct site_host *host)
{
	static const char *const keys[] = {"addresses", "attach", "mode"};
	struct job *job = site->job;

	host->node = node;
	host->name = node->key->text;
	host->loc = node->key->loc;
	if (host_name(site, node, &host->name))
		index_insert(&site->by_name, host->name, host);
	if (node_is_null(node) || !want_keys(job->d, node, "a host", keys, ARRAY_SIZE(keys))) {
		if (node_is_null(node))
			diag_error(job->d, host->loc, -EINVAL, "no-address",
				   "HOST: {addresses: [10.0.0.1]}", "host '%s' has no address",
				   host->name);
		return;
	}
	host_addresses(site, host);
	if (!map_get(node, "attach") && !map_get(site->root, "attach"))
		diag_error(job->d, host->loc, -EINVAL, "no-attach",
			   "attach: {interfaces: [eth0]}, here or for the whole site",
			   "neither host '%s' nor the site says where to attach", host->name);
}

void inventory_parse(struct site *site)
{
	const struct node *hosts = map_need(site->job->d, site->root, "a site", "hosts"), *node;
	unsigned errors = site->job->d->errors;
	size_t count = 0;

	site->by_name.arena = site->by_address.arena = site->job->arena;
	if (!hosts || !want_map(site->job->d, hosts, "'hosts'"))
		return;
	for_children(node, hosts) count++;
	if (count == 0)
		diag_error(site->job->d, hosts->loc, -EINVAL, "empty-site",
			   "hosts: {HOST: {addresses: [10.0.0.1]}}", "the site has no host");
	site->hosts = arena_alloc(site->job->arena, count * sizeof(*site->hosts));
	for_children(node, hosts) host_parse(site, node, &site->hosts[site->host_count++]);
	site->hosts_broken = site->job->d->errors != errors;
}

/* ---------------------------------------------------------------- members */

static const char *hint_hosts(struct site *site, const char *word)
{
	const char **names = arena_alloc(site->job->arena, (site->host_count + 1) * sizeof(*names));

	for (size_t i = 0; i < site->host_count; i++)
		names[i] = site->hosts[i].name;
	return hint_words(site->job->d, word, names, site->host_count);
}

/* Looks like the name of a host, and like nothing that a peer can be. */
static bool member_is_name(const char *text)
{
	struct prefix prefix;

	return name_is_kebab(text) && prefix_parse(text, &prefix) == NET_NOT_ADDRESS &&
	       !str_equal(text, "any") && !str_equal(text, "local-subnet");
}

/* A host's address: a second copy would be wrong after a change of the first. */
static bool member_is_owned(struct site *site, const struct node *node, const struct peers *peers)
{
	const struct site_host *owner;
	char text[PREFIX_TEXT];

	if (peers->count != 1 || !address_single(&peers->list[0]) ||
	    str_starts(node->text, "prefixes/"))
		return false;
	owner = index_get(&site->by_address, prefix_text(&peers->list[0], text));
	if (!owner)
		return false;
	diag_error(site->job->d, node->loc, -EINVAL, "address-of-host",
		   arena_printf(site->job->arena, "write '%s'", owner->name),
		   "%s is an address of host '%s' (line %u)", text, owner->name, owner->loc.line);
	return true;
}

static bool member_parse(struct site *site, const struct node *node, const char *what,
			 struct site_member *out)
{
	struct job *job = site->job;
	const char *text = want_text(job->d, node, what);

	if (!text)
		return false;
	out->node = node;
	out->host = index_get(&site->by_name, text);
	if (out->host)
		return true;
	if (member_is_name(text)) {
		diag_error(job->d, node->loc, -EINVAL, "unknown-host", hint_hosts(site, text),
			   "there is no host '%s'", text);
		return false;
	}
	return peers_parse(job, &site->draft.sets, node, what, &out->peers) &&
	       !member_is_owned(site, node, &out->peers);
}

static bool member_twice(struct site *site, const struct node *node, struct index *seen)
{
	const struct node *before = index_insert(seen, node->text, node);

	if (before)
		diag_error(site->job->d, node->loc, -EINVAL, "duplicate-member", NULL,
			   "'%.80s' is in this role already (line %u)", node->text,
			   before->loc.line);
	return before;
}

bool members_parse(struct site *site, const struct node *node, struct site_role *role)
{
	struct index seen = {.arena = site->job->arena};
	const char *what = arena_printf(site->job->arena, "'roles.%s'", node->key->text);
	const struct node *item;
	bool good = true;
	size_t count = 0;

	role->node = node;
	if (!want_items(site->job->d, node, what))
		return false;
	for_items(item, node) count++;
	if (count == 0)
		diag_error(site->job->d, node->loc, -EINVAL, "missing-peer",
			   "name its hosts, or leave the role out", "%s is empty", what);
	role->members = arena_alloc(site->job->arena, count * sizeof(*role->members));
	for_items(item, node)
	{
		struct site_member *member = &role->members[role->member_count];

		if (member_parse(site, item, what, member) && !member_twice(site, item, &seen))
			role->member_count++;
		else
			good = false;
	}
	return good && count;
}

/* ---------------------------------------------------------------- players */

static bool peers_have(const struct peers *peers, const struct site_host *host)
{
	for (size_t i = 0; i < peers->count; i++)
		for (size_t k = 0; k < host->address_count; k++)
			if (prefix_has(&peers->list[i], &host->prefixes[k].addr))
				return true;
	return false;
}

/* By its name, or else because the role's members have an address of it. `any` and local-subnet
 * say who may come, and identify no host. */
static void host_plays(const struct site_member *members, size_t count,
		       const struct site_host *host, struct site_part *out)
{
	for (size_t i = 0; i < count; i++)
		if (members[i].host == host) {
			out->member = &members[i];
			return;
		}
	for (size_t i = 0; i < count; i++)
		if (!members[i].host && peers_have(&members[i].peers, host)) {
			out->member = &members[i];
			out->by = members[i].node;
			return;
		}
}

void members_play(struct site *site, struct site_role *role)
{
	role->parts = arena_alloc(site->job->arena, site->host_count * sizeof(*role->parts));
	for (size_t i = 0; i < site->host_count; i++) {
		host_plays(role->members, role->member_count, &site->hosts[i], &role->parts[i]);
		if (!role->parts[i].member)
			continue;
		role->part_count++;
		site->hosts[i].plays = true;
	}
}

bool role_has_others(const struct site_role *role, const struct site_host *host)
{
	return role->member_count > 1 || (role->member_count && role->members[0].host != host);
}
