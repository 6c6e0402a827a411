/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options, as one table: parsing and --help read the same lines. Names are matched whole; each
 * command takes only those of its mask.
 */
#include <errno.h>
#include <string.h>

#include "invocation.h"

struct option_line {
	const char *name, *argument, *help;
	uint64_t bit;
};

static const struct option_line lines[] = {
	{"json", NULL, "one JSON document on stdout (docs/json.md)", OPT_JSON},
	{"strict", NULL, "treat warnings about doubtful rows as errors", OPT_STRICT},
	{"tables", "DIR", "search this directory for tables first", OPT_TABLES},
	{"local-subnet", "IF=CIDR", "the value of local-subnet, offline; may be repeated",
	 OPT_LOCAL_SUBNET},
	{"mode", "audit|enforce", "use this mode instead of the policy's", OPT_MODE},
	{"dump", NULL, "print the image, class by class", OPT_DUMP},
	{"table", "TABLE", "the table, by its name or its file", OPT_TABLE},
	{"as", "ROLE", "a role that the host plays; repeated, or several with commas", OPT_AS},
	{"name", "NAME", "the name of the policy or table that is written", OPT_NAME},
	{"title", "TITLE", "the title of the table that is written", OPT_TITLE},
	{"against", "TABLE", "compare the document with this table, by its name or its file",
	 OPT_AGAINST},
	{"host", "NAME", "the host of the site", OPT_HOST},
	{"all", NULL, "all hosts of the site, or all applied policies", OPT_ALL},
	{"dir", "DIR", "write the policies to this directory, a file for each host", OPT_DIR},
	{"attach", "KIND=NAME", "where: interfaces=eth0, guests=tap0, cgroups=/PATH", OPT_ATTACH},
	{"policy", "NAME", "only the applied policy of this name", OPT_POLICY},
	{"source", "FILE", "the policy's file, instead of the one that was applied", OPT_SOURCE},
	{"peer", "PREFIX", "only traffic with these peers", OPT_PEER},
	{"running", NULL, "explain from the policy in force of this name, not from a file",
	 OPT_RUNNING},
	{"text", NULL, "text instead of HTML", OPT_TEXT},
	{"output", "FILE", "write to FILE, whole or not at all; also -o FILE", OPT_OUTPUT},
	{"wide", NULL, "every column in full, at any width of the terminal", OPT_WIDE},
	{"rules-only", NULL, "propose rules for exactly the traffic seen; no peer joins a role",
	 OPT_RULES_ONLY},
	{"query", NULL, "print nothing; exit 0 if everything is in force, else 5", OPT_QUERY},
	{"probe", NULL, "run packets of each rule through a twin of the programs", OPT_PROBE},
	{"openings", NULL, "allowed connections too, not only refusals", OPT_OPENINGS},
	{"sort", "KEY", "by last, first, packets, bytes, peer, port or rule", OPT_SORT},
	{"limit", "N", "at most N lines", OPT_LIMIT},
	{"count", "N", "end after N events", OPT_COUNT},
	{"confirm", "TIME", "undo the change unless `confirm` follows within TIME: 60, 10m",
	 OPT_CONFIRM},
	{"until", "TIME", "enforce until TIME, then audit: 2h, 17:00, 2026-12-24T17:00:00Z",
	 OPT_UNTIL},
	{"no-preview", NULL, "enforce without looking at live connections", OPT_NO_PREVIEW},
	{"force", "GUARD", "override a guard: session, nothing-allowed", OPT_FORCE},
	{"write-failsafe", NULL,
	 "derive failsafe from this host and write it into the policy's file", OPT_WRITE_FAILSAFE},
	{"cut", NULL, "close the sockets of this host that the policy denies", OPT_CUT},
	{"new-connection", "[=PORT]",
	 "only if this session was opened under the change; PORT: wait for any to PORT",
	 OPT_NEW_CONNECTION},
	{"flows", "N", "size of the flow table: N flows", OPT_FLOWS},
	{"flows", "FILE", "events that monitor --json recorded, instead of the kernel; - is stdin",
	 OPT_EVENTS},
	{"cgroup", "DIR", "the mount point of cgroup2", OPT_CGROUP},
	{"allow-removal", NULL,
	 "allow removing attach points and deny rules in force, and lowering defaults",
	 OPT_ALLOW_REMOVAL},
	{"new-edition", NULL,
	 "change to the newest editions of tables whose edition is not written", OPT_NEW_EDITION},
	{"no-tcx", NULL, "attach by clsact even where the kernel has TCX", OPT_NO_TCX},
	{"pin-root", "DIR", "directory of the pins (" PIN_ROOT_DEFAULT ")", OPT_PIN_ROOT},
	{"help", NULL, "this text", OPT_HELP},
};

void options_help(FILE *out, uint64_t mask)
{
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		const char *argument = lines[i].argument;
		char text[64];

		if (!(lines[i].bit & (mask | OPT_HELP)))
			continue;
		snprintf(text, sizeof(text), argument ? "--%s %s" : "--%s", lines[i].name,
			 argument);
		fprintf(out, "  %-26s  %s\n", text, lines[i].help);
	}
}

static int parse_mode(struct context *c, const char *value)
{
	const char *meant = word_meant(value, mode_names, FR_MODES);

	if (!str_equal(value, mode_name(false)) && !str_equal(value, mode_name(true)))
		return usage_error(c,
				   meant ? arena_printf(c->arena, "did you mean --mode %s?", meant)
					 : "--mode audit or --mode enforce",
				   "'%s' is not a mode", value);
	c->options.mode = value;
	return 0;
}

static int parse_number(struct context *c, const char *name, const char *value, uint64_t *out)
{
	uint64_t most = str_equal(name, "flows") ? 1 << 24 : INT64_MAX;

	if (parse_u64(value, most, out) || !*out)
		return usage_error(c, NULL, "--%s takes a number from 1 to %llu, not '%s'", name,
				   (unsigned long long)most, value);
	return 0;
}

static int parse_port(struct context *c, const char *name, const char *value, uint64_t *out)
{
	if (parse_u64(value, UINT16_MAX, out) || !*out)
		return usage_error(c, arena_printf(c->arena, "--%s=22", name),
				   "--%s takes a TCP port from 1 to 65535, not '%s'", name, value);
	return 0;
}

static int refuse_prefix(struct context *c, const char *value, const char *example)
{
	struct advice advice = peer_advice(c->arena, value);

	if (str_equal(value, "any"))
		return usage_error(c, "leave --peer out to see all peers",
				   "'any' is not an address or a prefix");
	if (advice.meant)
		example = arena_printf(c->arena, "write '%s'", advice.meant);
	return usage_error(c, example, "'%s' is not an address or a prefix%s", value,
			   arena_optional(c->arena, ": ", advice.message));
}

static int parse_local_subnet(struct context *c, const char *value)
{
	struct policy_options *policy = &c->options.policy;
	const char *cidr = strchr(value, '=');
	struct prefix *list, prefix;
	char text[PREFIX_TEXT];

	if (!cidr || cidr == value)
		return usage_error(c, "--local-subnet eth0=10.0.0.0/24",
				   "--local-subnet takes IF=CIDR, not '%s'", value);
	switch (prefix_parse(cidr + 1, &prefix)) {
	case NET_OK:
		break;
	case NET_HOST_BITS:
		return usage_error(
			c, arena_printf(c->arena, "did you mean %s?", prefix_text(&prefix, text)),
			"'%s' has host bits set", cidr + 1);
	default:
		return refuse_prefix(c, cidr + 1, "--local-subnet eth0=10.0.0.0/24");
	}
	list = arena_alloc(c->arena, (policy->local_count + 1) * sizeof(*list));
	if (policy->local_count)
		memcpy(list, policy->local, policy->local_count * sizeof(*list));
	list[policy->local_count++] = prefix;
	policy->local = list;
	policy->local_known = true;
	return 0;
}

static int parse_peer(struct context *c, const char *value)
{
	char text[PREFIX_TEXT];

	switch (prefix_parse(value, &c->options.peer)) {
	case NET_OK:
		return 0;
	case NET_HOST_BITS:
		return usage_error(c,
				   arena_printf(c->arena, "did you mean %s?",
						prefix_text(&c->options.peer, text)),
				   "'%s' has host bits set", value);
	default:
		return refuse_prefix(c, value, "--peer 10.0.0.0/24");
	}
}

/* Words with commas between them. */
static int parse_guards(struct context *c, const char *value)
{
	static const char *const names[] = {"session", "nothing-allowed"};
	struct source *source = arena_alloc(c->arena, sizeof(*source));
	const char *near, *word, *at;
	size_t length, i;

	*source = (struct source){.name = "--force", .text = value, .size = strlen(value)};
	for (at = value;; at += length + 1) {
		length = strcspn(at, ",");
		word = arena_strndup(c->arena, at, length);
		for (i = 0; i < ARRAY_SIZE(names) && !str_equal(word, names[i]); i++)
			;
		if (i == ARRAY_SIZE(names))
			break;
		c->options.force |= 1u << i;
		if (!at[length])
			return 0;
	}
	near = nearest_word(word, names, ARRAY_SIZE(names));
	diag_error(&c->diags,
		   (struct loc){.source = source,
				.line = 1,
				.column = (uint32_t)(at - value) + 1,
				.length = length ? (uint32_t)length : 1},
		   -EINVAL, "usage",
		   near ? arena_printf(c->arena, "did you mean '%s'?", near)
			: "session or nothing-allowed; both with a comma",
		   "'%s' is no guard", word);
	return EXIT_USAGE;
}

/* The field of an option whose text is taken as it is, or NULL. */
static const char **text_option(struct options *o, uint64_t bit)
{
	switch (bit) {
	case OPT_TABLES:
		return &o->policy.tables_dir;
	case OPT_TABLE:
		return &o->table;
	case OPT_AS:
		return &o->as;
	case OPT_NAME:
		return &o->name;
	case OPT_TITLE:
		return &o->title;
	case OPT_AGAINST:
		return &o->against;
	case OPT_SOURCE:
		return &o->source;
	case OPT_OUTPUT:
		return &o->output;
	case OPT_EVENTS:
		return &o->events;
	case OPT_HOST:
		return &o->plan_host;
	case OPT_DIR:
		return &o->dir;
	case OPT_ATTACH:
		return &o->attach;
	case OPT_POLICY:
		return &o->policy_name;
	case OPT_PIN_ROOT:
		return &o->host.pin_root;
	case OPT_CGROUP:
		return &o->host.cgroup;
	default:
		return NULL;
	}
}

static int parse_value(struct context *c, const struct option_line *line, const char *value)
{
	struct options *o = &c->options;
	const char **text = text_option(o, line->bit);
	uint64_t number = 0;
	int ret = 0;

	if (text) {
		if (line->bit == OPT_AGAINST && *text)
			return usage_error(c, "one command for each table",
					   "--against is given twice: %s and %s", *text, value);
		if (line->bit == OPT_AS && *text)
			value = arena_printf(c->arena, "%s,%s", *text, value);
		*text = value;
		return 0;
	}
	switch (line->bit) {
	case OPT_STRICT:
		o->policy.strict = true;
		break;
	case OPT_LOCAL_SUBNET:
		return parse_local_subnet(c, value);
	case OPT_MODE:
		return parse_mode(c, value);
	case OPT_PEER:
		return parse_peer(c, value);
	case OPT_SORT:
		o->order = order_parse(value);
		return o->order ? 0
				: usage_error(c, order_words, "'%s' is nothing to sort by", value);
	case OPT_LIMIT:
		return parse_number(c, line->name, value, &o->limit);
	case OPT_WIDE:
		c->render.wide = true;
		break;
	case OPT_NO_TCX:
		o->host.no_tcx = true;
		break;
	case OPT_CONFIRM:
		return confirm_parse(c, value, &o->confirm);
	case OPT_UNTIL:
		return until_parse(c, value, &o->until);
	case OPT_FORCE:
		return parse_guards(c, value);
	case OPT_NEW_CONNECTION:
		ret = value ? parse_port(c, line->name, value, &number) : 0;
		o->new_connection = (uint16_t)number;
		break;
	case OPT_FLOWS:
		ret = parse_number(c, line->name, value, &number);
		o->flows = number;
		break;
	case OPT_COUNT:
		ret = parse_number(c, line->name, value, &o->count);
		break;
	}
	return ret;
}

/* The option of a mask with exactly this name of `length` bytes, or NULL. */
static const struct option_line *find_option(uint64_t mask, const char *name, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		if (lines[i].bit & (mask | OPT_HELP) && strlen(lines[i].name) == length &&
		    !memcmp(lines[i].name, name, length))
			return &lines[i];
	return NULL;
}

static int unknown_option(struct context *c, const char *name)
{
	const char *names[ARRAY_SIZE(lines)], *near;
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		if (lines[i].bit & (c->command->options | OPT_HELP))
			names[count++] = lines[i].name;
	near = nearest_word(name, names, count);
	return usage_error(c,
			   near ? arena_printf(c->arena, "did you mean --%s?", near)
				: arena_printf(c->arena, "flowreeve %s --help lists the options",
					       c->command->name),
			   "%s has no option --%s", c->command->name, name);
}

/* Whether a hint that repeats the command has the option as it was given. */
static bool is_repeated(uint64_t bit)
{
	return !(bit &
		 (OPT_HELP | OPT_JSON | OPT_MODE | OPT_ALLOW_REMOVAL | OPT_PIN_ROOT |
		  OPT_NEW_EDITION | OPT_FORCE | OPT_CUT | OPT_NO_PREVIEW | OPT_NEW_CONNECTION));
}

static void keep_words(struct context *c, const struct option_line *line, const char *value)
{
	struct options *o = &c->options;

	if (!is_repeated(line->bit))
		return;
	o->words[o->word_count++] = arena_printf(c->arena, "--%s", line->name);
	if (value && line->bit & (OPT_TABLES | OPT_CGROUP | OPT_EVENTS))
		value = path_from_anywhere(c, value);
	if (value)
		o->words[o->word_count++] = value;
}

/* Behind "=", else the next word, or NULL. */
static const char *option_value(const char *equals, char **argv, int argc, int *at)
{
	if (equals)
		return equals + 1;
	return *at + 1 < argc ? argv[++*at] : NULL;
}

/* argv[*at] is an option: take it, and its value, which may be the next word. */
static int parse_option(struct context *c, char **argv, int argc, int *at)
{
	const char *name = argv[*at] + 2, *equals = strchr(name, '='), *value = NULL;
	size_t length = equals ? (size_t)(equals - name) : strlen(name);
	const struct option_line *line;
	bool needed;

	if (str_equal(argv[*at], "-h"))
		name = "help", length = 4;
	else if (str_equal(argv[*at], "-o"))
		name = "output", length = 6, equals = NULL;
	else if (argv[*at][1] != '-')
		return usage_error(c, "write options as --NAME, such as --json",
				   "'%s' is not an option", argv[*at]);
	line = find_option(c->command->options, name, length);
	if (!line)
		return unknown_option(c, arena_strndup(c->arena, name, length));
	if (!line->argument && equals)
		return usage_error(c, NULL, "--%s takes no value", line->name);
	needed = line->argument && (equals || line->argument[0] != '['); /* [=VALUE] */
	if (needed)
		value = option_value(equals, argv, argc, at);
	if (needed && (!value || !*value))
		return usage_error(c, NULL, "--%s needs a value: %s", line->name, line->argument);
	c->options.given |= line->bit;
	keep_words(c, line, value);
	return parse_value(c, line, value);
}

static int count_operands(struct context *c)
{
	const struct command *command = c->command;
	size_t count = c->options.operand_count;

	if (c->options.given & OPT_HELP)
		return 0;
	if (count < command->least)
		return usage_error(c, NULL, "usage: flowreeve %s %s", command->name,
				   command->operands);
	if (count > command->most)
		return usage_error(c,
				   arena_printf(c->arena, "usage: flowreeve %s %s", command->name,
						command->operands),
				   "'%s' is one operand too many",
				   c->options.operands[command->most]);
	return 0;
}

int arguments_parse(struct context *c, int argc, char **argv)
{
	bool ended = false;
	int ret;

	c->options.operands = arena_alloc(c->arena, (argc + 1) * sizeof(*c->options.operands));
	c->options.words = arena_alloc(c->arena, (2 * argc + 1) * sizeof(*c->options.words));
	for (int at = 0; at < argc; at++) {
		if (ended || argv[at][0] != '-' || !argv[at][1]) {
			c->options.operands[c->options.operand_count++] = argv[at];
		} else if (str_equal(argv[at], "--")) {
			ended = true;
		} else {
			ret = parse_option(c, argv, argc, &at);
			if (ret)
				return ret;
		}
	}
	return count_operands(c);
}
