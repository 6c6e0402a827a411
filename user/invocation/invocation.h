/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One invocation of the command: its options, its context, its exit code, and what several commands
 * need to begin. Nothing here changes the host.
 */
#ifndef INVOCATION_H
#define INVOCATION_H

#include "../observe/filter.h"
#include "../render/render.h"

/* The command's answer to the shell; docs/flowreeve.8. */
enum exit_code {
	EXIT_DONE,
	EXIT_FAILED,
	EXIT_USAGE,
	EXIT_REJECTED,	/* the policy, a guard, or an attach target that is not there or taken */
	EXIT_DIFFERENT, /* diff, import --against: they differ; preview: something would be cut */
	EXIT_NOT_ENFORCING, /* asked to enforce and not enforcing */
	EXIT_CANNOT,	    /* not supported by this kernel, or insufficient privilege */
	EXIT_LATE,	    /* confirm, cancel, extend: the change has ended by itself */
};

/* One bit for each option of the table in options.c. */
enum option_bit {
	OPT_HELP = 1 << 0,
	OPT_JSON = 1 << 1,
	OPT_STRICT = 1 << 2,
	OPT_TABLES = 1 << 3,
	OPT_LOCAL_SUBNET = 1 << 4,
	OPT_MODE = 1 << 5,
	OPT_DUMP = 1 << 6,
	OPT_POLICY = 1 << 7,
	OPT_PIN_ROOT = 1 << 8,
	OPT_CGROUP = 1 << 9,
	OPT_NO_TCX = 1 << 10,
	OPT_FLOWS = 1 << 11,
	OPT_OPENINGS = 1 << 12,
	OPT_COUNT = 1 << 13,
	OPT_QUERY = 1 << 14,
	OPT_TABLE = 1 << 15,
	OPT_AS = 1 << 16,
	OPT_NAME = 1 << 17,
	OPT_ATTACH = 1 << 18,
	OPT_TITLE = 1 << 19,
	OPT_SOURCE = 1 << 20,
	OPT_HOST = 1 << 21,
	OPT_ALL = 1 << 22,
	OPT_DIR = 1 << 23,
	OPT_RULES_ONLY = 1 << 24,
	OPT_PEER = 1 << 25,
	OPT_ALLOW_REMOVAL = 1 << 26,
	OPT_WIDE = 1 << 27,
	OPT_SORT = 1 << 28,
	OPT_LIMIT = 1 << 29,
	OPT_RUNNING = 1 << 30,
	OPT_TEXT = 1ull << 32,
	OPT_OUTPUT = 1ull << 33,
	OPT_EVENTS = 1ull << 34, /* --flows of coverage and learn */
	OPT_NEW_EDITION = 1ull << 35,
	OPT_AGAINST = 1ull << 36,
	OPT_CONFIRM = 1ull << 40,
	OPT_UNTIL = 1ull << 41,
	OPT_NEW_CONNECTION = 1ull << 42,
	OPT_FORCE = 1ull << 50,
	OPT_NO_PREVIEW = 1ull << 51,
	OPT_CUT = 1ull << 52,
	OPT_PROBE = 1ull << 53,
	OPT_WRITE_FAILSAFE = 1ull << 54,

	OPTS_FILE = OPT_STRICT | OPT_TABLES | OPT_LOCAL_SUBNET | OPT_MODE,
	OPTS_HOST = OPT_PIN_ROOT | OPT_CGROUP | OPT_NO_TCX,
	OPTS_READ = OPT_PIN_ROOT | OPT_POLICY,
};

/* Guards of apply that --force overrides by name. */
enum guard_bit { GUARD_SESSION = 1 << 0, GUARD_NOTHING = 1 << 1 };

/* The parsed command line. */
struct options {
	uint64_t given; /* enum option_bit */
	struct policy_options policy;
	struct host_options host;
	const char *mode;			/* "audit", "enforce", or NULL: as the file says */
	const char *policy_name;		/* --policy NAME, or NULL */
	const char *table, *as, *name, *attach; /* new; or NULL */
	const char *title, *against;		/* import; or NULL */
	const char *source;			/* coverage, learn, report; or NULL */
	const char *output;			/* report; or NULL */
	const char *events;			/* coverage, learn: recorded ones; or NULL */
	struct prefix peer;			/* learn, show, with OPT_PEER */
	const char *plan_host, *dir;		/* plan; or NULL */
	uint64_t confirm;			/* apply: ns; 0: it stays */
	uint64_t until;				/* apply: realtime ns; 0: it stays */
	uint32_t force;				/* apply: GUARD_*, overridden */
	uint16_t new_connection;		/* confirm: to this port; 0: of this session */
	uint32_t flows;
	uint64_t count; /* monitor: events to show; 0: no end */
	enum order order;
	uint64_t limit;	      /* show: lines; 0: no end */
	struct filter filter; /* show, monitor */
	/* options as given, except those that a hint writes anew: see is_repeated() */
	const char **words;
	size_t word_count;
	const char **operands;
	size_t operand_count;
};

struct context;

/* One line of the command table: dispatch, --help and usage all read it. */
struct command {
	const char *name;
	const char *operands; /* of the usage line */
	const char *summary;  /* a line of --help */
	const char *help;     /* of `COMMAND --help`, below the usage */
	uint64_t options;     /* enum option_bit */
	size_t least, most;   /* operands */
	int (*run)(struct context *);
};

/* One invocation. `diags` is printed at the end: to stderr, and with --json in the document. */
struct context {
	const struct command *command;
	char **argv; /* the words, without the program's name */
	int argc;
	const char *schema; /* of the failure document: the command or the operand of `show` */
	struct options options;
	struct arena *arena;
	struct diags diags;
	struct render render;
	bool colour_stderr;
	bool answered; /* a document is on stdout already */
};

/* ---------------------------------------------------------------- run.c */

/* From a command table and words to an exit code. */
int run(const struct command *commands, size_t count, int argc, char **argv);

/* ---------------------------------------------------------------- options.c */

/* Options and operands in any order, "--" ends the options. 0 or EXIT_USAGE with a diagnostic. */
int arguments_parse(struct context *c, int argc, char **argv);
/* The options of a mask, as --help lists them. */
void options_help(FILE *out, uint64_t mask);

/* ---------------------------------------------------------------- times.c */

/* The time of --confirm or of extend, in ns: 1 s to 24 h. 0, or EXIT_USAGE with a diagnostic. */
int confirm_parse(struct context *c, const char *text, uint64_t *out);
/* The time of --until, in realtime ns: a time to come. */
int until_parse(struct context *c, const char *text, uint64_t *out);

/* ---------------------------------------------------------------- changes.c */

/* The file of the record of changes; "": changes are not recorded. */
const char *changes_path(void);
/* A change of a policy begins; it has ended with an exit code: adds its line. What cannot be
 * recorded is a warning. The second does nothing before the first, and at a second call. */
void change_begin(struct context *c, const char *verb, const char *policy,
		  struct change_view *change);
void change_end(struct context *c, struct change_view *change, int code);
/* Adds a line for each change that the kernel ended and that has none yet. */
void changes_note_ended(struct context *c);
/* The lines of the record, of one policy or all; none where there is no file. 0 or an exit code;
 * the readable lines are there in both cases. */
int changes_find(struct context *c, const char *policy, struct change_list *out);

/* ---------------------------------------------------------------- common.c */

/* Reports an error of the command line; returns EXIT_USAGE. */
int usage_error(struct context *c, const char *hint, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The exit code of a negative errno of a floor that changes the kernel (datapath.h). */
int exit_of_host(int err);
/* The same for the other verbs: a policy that is not applied is a failure, not a refusal. */
int exit_of_read(int err);
/* policy_load and --mode. 0 or an exit code. */
int load_policy(struct context *c, const char *path, struct diags *d, struct ruleset **out);
/* site_load and --mode, for every host. */
int load_site(struct context *c, const char *path, struct diags *d, const struct site_view **out);
/* The attach points of a policy on this host. */
struct host_points {
	const struct attach_target *hooks;
	size_t count;
};
/* The policy in force of a name, as the document that apply kept. */
struct running_policy {
	const struct source *source;
	struct window_view window;
	struct ruleset *rs; /* of load_running() */
};
int find_running(struct context *c, const char *name, struct running_policy *out);
/* The same as rules; a document that does not compile to what is in force is an error. */
int load_running(struct context *c, const char *name, struct running_policy *out);
/* The diagnostics of an attempt, as warnings. */
void warnings_of(struct context *c, const struct diags *attempt);
/* Whether rules compile, in this mode, to a digest; theirs is in `own`, "" where they do not. */
bool digest_is(struct ruleset *rs, bool enforce, const char *digest, char own[DIGEST_TEXT]);
/* The same in either mode: past the time of --until, a policy that enforces is in audit. */
bool digest_runs(struct ruleset *rs, bool enforce, const char *digest, char own[DIGEST_TEXT]);
/* Recorded events (--flows FILE) as coverage of the policy in force, or of --source FILE.
 * recorded.c */
struct recorded_coverage {
	struct coverage_view view;
	struct window_view window;
	struct ruleset *rs;
	const char *path; /* of the policy's file */
};
int cover_recorded(struct context *c, struct recorded_coverage *out);
/* The line of the policy that admits a connection. */
const char *ssh_admitting(struct arena *arena, const struct ruleset *rs, const struct tuple *tuple);
/* Warnings about SSH, in audit as well: would enforcing refuse the connection of this session, or
 * port 22 to every address? `points`: NULL when offline. ssh.c */
void warn_of_ssh(struct context *c, const struct ruleset *rs, const struct image *image,
		 const struct host_points *points, struct diags *d);
/* A remembered path must be valid from any directory. */
const char *path_from_anywhere(struct context *c, const char *path);
/* The policies of a command: operands from `first` on, --policy, else all that are applied. */
int named_policies(struct context *c, size_t first, const char ***names, size_t *count);
/* Operands from the first that begins a filter on are one: parses and removes them. 0 or
 * EXIT_USAGE. */
int operands_filter(struct context *c, size_t first, uint32_t keys);
/* Reports those that cannot be names of policies, which none is applied of, as a failure. */
int policies_may_be(struct context *c, const char *const *names, size_t count);
/* Reports that no policy is applied below the pin root, as a failure. */
int nothing_applied(struct context *c);
/* Calls `visit` with each policy's open instance; ends at the first non-zero return. */
int each_instance(struct context *c, const char *const *names, size_t count,
		  int (*visit)(struct context *, const struct instance *, void *), void *user);

#endif
