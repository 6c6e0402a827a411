/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Words of others for ours, and examples to copy: for hints only. Such a word is never accepted;
 * the file has to be corrected.
 */
#include <string.h>

#include "yaml.h"

static const struct {
	const char *theirs, *ours;
} vocabulary[] = {
	/* directions */
	{"outbound", "egress"},
	{"outgoing", "egress"},
	{"output", "egress"},
	{"out", "egress"},
	{"inbound", "ingress"},
	{"incoming", "ingress"},
	{"input", "ingress"},
	{"in", "ingress"},
	/* actions */
	{"accept", "allow"},
	{"permit", "allow"},
	{"pass", "allow"},
	{"drop", "deny"},
	{"reject", "deny"},
	{"block", "deny"},
	{"refuse", "deny"},
	{"discard", "deny"},
	{"accept", "pass"},
	{"allow", "pass"},
	{"permit", "pass"},
	{"filter", "judge"},
	/* modes */
	{"enforcing", "enforce"},
	{"enforced", "enforce"},
	{"active", "enforce"},
	{"block", "enforce"},
	{"monitor", "audit"},
	{"monitoring", "audit"},
	{"log", "audit"},
	{"observe", "audit"},
	{"permissive", "audit"},
	{"dry-run", "audit"},
	{"detect", "audit"},
	{"test", "audit"},
	/* keys of a table's metadata */
	{"reviewed", "read"},
	/* keys of a rule or a row */
	{"name", "id"},
	{"dir", "direction"},
	{"chain", "direction"},
	{"peers", "peer"},
	{"to", "peer"},
	{"from", "peer"},
	{"remote", "peer"},
	{"src", "peer"},
	{"source", "peer"},
	{"dst", "peer"},
	{"dest", "peer"},
	{"destination", "peer"},
	{"address", "peer"},
	{"addresses", "peer"},
	{"cidr", "peer"},
	{"cidrs", "peer"},
	{"host", "peer"},
	{"ip", "peer"},
	{"dport", "ports"},
	{"service", "ports"},
	{"services", "ports"},
	{"target", "action"},
	{"verdict", "action"},
	{"policy", "action"},
	{"description", "comment"},
	{"description", "describe"},
	{"source", "from"},
	{"src", "from"},
	{"destination", "to"},
	{"dst", "to"},
	/* keys of a document */
	{"version", "apiVersion"},
	{"type", "kind"},
	{"rule", "rules"},
	{"sets", "prefixes"},
	{"uses", "use"},
	{"tables", "use"},
	{"defaults", "default"},
	{"builtins", "builtin"},
	{"timeout", "timeouts"},
	{"entries", "rows"},
	{"ports", "rows"},
	{"parameters", "params"},
	{"role", "as"},
	{"params", "set"},
	{"address", "addresses"},
	{"ip", "addresses"},
	{"ips", "addresses"},
	/* types of params */
	{"text", "string"},
	{"str", "string"},
	{"boolean", "bool"},
	{"number", "port"},
	{"integer", "port"},
	/* kinds of attach points */
	{"devices", "interfaces"},
	{"nics", "interfaces"},
	{"vms", "guests"},
	{"taps", "guests"},
};

static bool word_in(const char *word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (word_is(word, words[i]))
			return true;
	return false;
}

/* Between the quotation marks of word processors. */
static bool is_quoted(const char *text, const char *word)
{
	const char *inside = strstr(text, word);

	return inside && inside > text && (unsigned char)*text >= 0x80 &&
	       (unsigned char)inside[strlen(word)] >= 0x80 && inside - text <= 3;
}

const char *word_meant(const char *word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_quoted(word, words[i]))
			return words[i];
	for (size_t i = 0; i < count; i++)
		if (!strcasecmp(word, words[i]))
			return words[i];
	for (size_t i = 0; i < ARRAY_SIZE(vocabulary); i++)
		if (!strcasecmp(word, vocabulary[i].theirs) &&
		    word_in(vocabulary[i].ours, words, count))
			return vocabulary[i].ours;
	return nearest_word(word, words, count);
}

static const struct {
	const char *key, *text;
} examples[] = {
	{"apiVersion", "apiVersion: flowreeve/v1"},
	{"kind", "kind: Policy"},
	{"metadata", "metadata: {name: my-name}"},
	{"name", "name: my-name"},
	{"mode", "mode: audit"},
	{"attach", "attach: {interfaces: [eth0]}"},
	{"prefixes", "prefixes: {my-set: {file: prefixes.txt}}"},
	{"use", "use: [{table: TABLE, as: ROLE}]"},
	{"rules",
	 "rules: [{id: my-rule, direction: egress, peer: [10.0.0.1], ports: [443/tcp], action: allow}]"},
	{"failsafe", "failsafe: [{peer: [10.0.0.0/24], ports: [22/tcp]}]"},
	{"default", "default: {ingress: deny, egress: deny}"},
	{"builtin", "builtin: {dhcp: off}"},
	{"timeouts", "timeouts: {udp: 2m}"},
	{"a rule",
	 "- {id: my-rule, direction: egress, peer: [10.0.0.1], ports: [443/tcp], action: allow}"},
	{"a use", "- {table: TABLE, as: ROLE}"},
	{"a use of a site", "- {table: TABLE, roles: {ROLE: [HOST]}}"},
	{"a row", "- {id: my-row, from: ROLE, to: ROLE, ports: [443/tcp]}"},
	{"a peer", "peer: [10.0.0.1]"},
	{"a port", "ports: [443/tcp]"},
	{"a prefix set", "{file: prefixes.txt, format: list}"},
	{"a param", "{type: string}"},
	{"a host", "{addresses: [10.0.0.1]}"},
	{"a failsafe entry", "- {peer: [10.0.0.0/24], ports: [22/tcp]}"},
	{"a site: use", "use: [{table: TABLE, roles: {ROLE: [HOST]}}]"},
	{"a use of a site: roles", "roles: {ROLE: [HOST]}"},
	{"id", "id: my-id"},
	{"direction", "direction: egress"},
	{"peer", "peer: [10.0.0.1]"},
	{"ports", "ports: [443/tcp]"},
	{"action", "action: allow"},
	{"table", "table: TABLE"},
	{"as", "as: ROLE"},
	{"set", "set: {PARAM: VALUE}"},
	{"peers", "peers: {ROLE: [10.0.0.1]}"},
	{"from", "from: ROLE"},
	{"to", "to: ROLE"},
	{"roles", "roles: {ROLE: {}}"},
	{"rows", "rows: [{id: my-row, from: ROLE, to: ROLE, ports: [443/tcp]}]"},
	{"hosts", "hosts: {HOST: {addresses: [10.0.0.1]}}"},
	{"type", "type: string"},
	{"values", "values: [one, two]"},
	{"file", "file: prefixes.txt"},
	{"when", "when: {PARAM: VALUE}"},
	{"source", "source: {line: 17}"},
};

const char *key_example(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++)
		if (word_is(key, examples[i].key))
			return examples[i].text;
	return NULL;
}

static const char rule_key[] = "a key of a rule: indent it as far as the other keys of its rule";
static const char use_key[] = "a key of a use: indent it as far as the other keys of its use";

static const struct {
	const char *what, *key, *hint;
} elsewhere[] = {
	{"a policy", "id", rule_key},
	{"a policy", "direction", rule_key},
	{"a policy", "peer", rule_key},
	{"a policy", "ports", rule_key},
	{"a policy", "action", rule_key},
	{"a policy", "table", use_key},
	{"a policy", "as", use_key},
	{"a policy", "set", use_key},
	{"a policy", "peers", use_key},
	{"a policy", "with", use_key},
	{"a policy", "without", use_key},
	{"a policy", "name", "write 'metadata: {name: my-name}'"},
	{"a policy", "interfaces", "write 'attach: {interfaces: [eth0]}'"},
	{"a policy", "guests", "write 'attach: {guests: [tap0]}'"},
	{"a policy", "cgroups", "write 'attach: {cgroups: [/system.slice/x.service]}'"},
	{"a policy", "spec", "there is no 'spec': what is below it is written at this level"},
	{"a policy", "hosts", "a Site has hosts; a policy is for one: flowreeve plan"},
	{"a policy", "rows", "a PortTable has rows; a policy has 'use' and 'rules'"},
	{"a table", "name", "write 'metadata: {name: my-name}'"},
	{"a site", "name", "write 'metadata: {name: my-name}'"},
	{"a rule", "protocol", "the protocol is part of the port: ports: [443/tcp]"},
	{"a rule", "proto", "the protocol is part of the port: ports: [443/tcp]"},
	{"a rule", "sport", "there are no source ports: a rule is about the listener's port"},
	{"a rule", "enabled", "leave the rule out; a deny can be staged with 'mode: audit'"},
	{"a rule", "priority", "rules have no order: deny goes before allow"},
	{"a rule", "log", "leave it out: everything is counted, and refusals are events"},
	{"a row", "protocol", "the protocol is part of the port: ports: [443/tcp]"},
	{"a row", "direction", "'from' opens and 'to' listens; for both directions write two rows"},
};

const char *key_elsewhere(const char *what, const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++)
		if (word_is(what, elsewhere[i].what) && word_is(key, elsewhere[i].key))
			return elsewhere[i].hint;
	return NULL;
}
