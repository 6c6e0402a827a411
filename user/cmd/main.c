/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flowreeve: argv to verb. The table below is dispatch, --help and usage in one; each verb has its
 * own file.
 */
#include <signal.h>

#include "cmd.h"

/* clang-format off */
static const struct command commands[] = {
	{"check", "FILE...", "errors and warnings of policies, tables and sites; offline, no root",
	 "Reads policies, port tables and sites; reports all errors in one run, or the figures\n"
	 "of the compiled policies. Does not read the host's state and does not use DNS.",
	 OPT_JSON | OPTS_FILE, 1, SIZE_MAX, cmd_check},
	{"explain", "POLICY egress|ingress PROTO PEER[:PORT] | icmp PEER TYPE[/CODE]",
	 "the verdict on one new connection, its rule, table row and reason; offline",
	 "The port is always the listener's; write an IPv6 address in brackets before a port.\n"
	 "The exit code does not depend on the verdict. With --running POLICY is the name of a\n"
	 "policy in force.",
	 OPT_JSON | OPTS_FILE | OPT_PIN_ROOT | OPT_RUNNING, 4, 5, cmd_explain},
	{"compile", "POLICY", "the compiled form of a policy; offline",
	 "The figures of the compiled image; with --dump the image itself, class by class.",
	 OPT_JSON | OPTS_FILE | OPT_DUMP, 1, 1, cmd_compile},
	{"roles", "TABLE [PARAM=VALUE]...", "parameters, roles, rows and DNS names of a table; offline",
	 "TABLE is a file, or NAME or NAME@EDITION, found as in a policy's `use`. Lists for each role\n"
	 "the peers that a policy in that role must give, and every DNS name, with the params\n"
	 "filled in: region=us-east-2. Several values of a param are separated by commas.",
	 OPT_JSON | OPT_TABLES | OPT_WIDE, 1, SIZE_MAX, cmd_roles},
	{"new", "--table TABLE --as ROLE", "a template of a policy, every choice marked; offline",
	 "Writes to stdout. Replace each FILL-IN; commented lines are optional. `check` refuses\n"
	 "the file until no FILL-IN is left. TABLE is NAME, NAME@EDITION or a file; several roles:\n"
	 "--as agent,nats-server, or --as twice.",
	 OPT_TABLES | OPT_TABLE | OPT_AS | OPT_NAME | OPT_ATTACH, 0, 0, cmd_new},
	{"import", "FILE | --against TABLE FILE",
	 "the draft of a table from a vendor's document; or both compared; offline",
	 "Markdown, HTML, AsciiDoc, reStructuredText, CSV and plain text. The draft goes to\n"
	 "stdout: a table that `check` accepts, with the parts that were not understood as\n"
	 "comments. With --against no draft, but the rows that are gone, new or changed in ports,\n"
	 "ends or names since the table was written; exit 4 if there is a difference. TABLE is\n"
	 "NAME, NAME@EDITION or a file.",
	 OPT_JSON | OPT_TABLES | OPT_NAME | OPT_TITLE | OPT_AGAINST, 1, 1, cmd_import},
	{"plan", "SITE --host NAME | SITE --all --dir DIR",
	 "the policy of each host of a site; offline",
	 "A site assigns roles to hosts. The policy of one host goes to stdout; those of all\n"
	 "hosts go to DIR, which is written completely or not at all.",
	 OPT_STRICT | OPT_TABLES | OPT_LOCAL_SUBNET | OPT_HOST | OPT_ALL | OPT_DIR, 1, 1, cmd_plan},
	{"preview", "POLICY", "what a policy would do with the connections of this host",
	 "Judges live flows, sockets and this SSH session by the policy: what stays, what is cut,\n"
	 "and by which rule or for want of which row; and listeners that nobody may reach.\n"
	 "Shows the rules that failsafe: auto stands for, and writes them into the file with\n"
	 "--write-failsafe. Changes nothing else. Exit 4 if something would be cut; in audit mode\n"
	 "nothing is.",
	 OPT_JSON | OPTS_FILE | OPT_PIN_ROOT | OPT_CGROUP | OPT_WIDE | OPT_WRITE_FAILSAFE, 1, 1,
	 cmd_preview},
	{"apply", "POLICY", "attach a policy and put it in force, in the mode that it names",
	 "One commit point: before it the old policy of this name is in force, after it the new\n"
	 "one. A failure leaves the running policy untouched. Enforcement outlives the command,\n"
	 "not a reboot. A change that would weaken the policy in force is refused without --mode\n"
	 "audit or --allow-removal; so is another edition of a table, where none is written,\n"
	 "without --new-edition. Before it enforces, it looks at what lives here (see preview), and\n"
	 "refuses to cut this SSH session or to allow nothing at all, without --force.",
	 OPT_JSON | OPTS_FILE | OPTS_HOST | OPT_FLOWS | OPT_ALLOW_REMOVAL | OPT_NEW_EDITION |
		 OPT_CONFIRM | OPT_UNTIL | OPT_FORCE | OPT_NO_PREVIEW | OPT_CUT,
	 1, 1, cmd_apply},
	{"confirm", "[NAME]", "keep a change that `apply --confirm` made",
	 "Without a name, the only change that waits. Exit 7 if it was rolled back already: the\n"
	 "kernel does that at its time, whatever runs then.",
	 OPT_JSON | OPT_PIN_ROOT | OPT_NEW_CONNECTION, 0, 1, cmd_confirm},
	{"cancel", "[NAME]", "roll back a change that waits for its confirmation", "",
	 OPT_JSON | OPT_PIN_ROOT, 0, 1, cmd_cancel},
	{"extend", "TIME [NAME]", "give a change that waits more time", "At most 24 h from now.",
	 OPT_JSON | OPT_PIN_ROOT, 1, 2, cmd_extend},
	{"status", "[NAME]...", "what is enforced, read from the kernel; exit 5 if not enforcing",
	 "One line a policy; with names, the hooks, verdicts and limits of each. Reads links,\n"
	 "programs and maps from the kernel, not from a file.",
	 OPT_JSON | OPTS_READ | OPT_QUERY | OPT_WIDE, 0, SIZE_MAX, cmd_status},
	{"verify", "[NAME]...", "every claim about a policy in force, checked; exit 5 if one is wrong",
	 "One line a check: links, their targets, programs, maps and order; the image and the\n"
	 "document by digest; deadlines; what the names and patterns match now. With --probe\n"
	 "also packets of each rule, run through a twin of the programs. A wrong check names the\n"
	 "command that heals it.",
	 OPT_JSON | OPTS_READ | OPT_PROBE, 0, SIZE_MAX, cmd_verify},
	{"diff", "NAME FILE | TABLE@EDITION TABLE@EDITION",
	 "the policy in force of a name, compared with a file; or two editions of a table",
	 "Differences in rules, params and prefix sets, as a unified diff. Of tables: rows, roles\n"
	 "and params that are gone, new or changed; offline; either may be a file. Exit 4 if\n"
	 "there is a difference.",
	 OPT_JSON | OPTS_FILE | OPT_PIN_ROOT | OPT_CGROUP, 2, 2, cmd_diff},
	{"show", "rules|flows|drops [NAME]... [FILTER] | policy [NAME]",
	 "counters by rule and row; live connections; drops and would-drops",
	 "rules: connections, packets, bytes, drops and would-drops of every rule, by table row.\n"
	 "flows: every live connection and the rule that admitted it.\n"
	 "drops: refused packets by peer and port; in audit those that enforcement would refuse.\n"
	 "policy: the policy in force with everything it uses, as one document.",
	 OPT_JSON | OPTS_READ | OPT_PEER | OPT_WIDE | OPT_SORT | OPT_LIMIT, 1, SIZE_MAX, cmd_show},
	{"coverage", "[NAME]...",
	 "used rows, unused rows, and traffic that no row explains",
	 "Since the counters were reset: each rule as seen or never seen, with the key that\n"
	 "leaves it out; and each peer and port that no rule decides, with the nearest rule.\n"
	 "With --flows the same of recorded events, by the policy in force or by --source FILE.",
	 OPT_JSON | OPTS_READ | OPT_EVENTS | OPT_TABLES | OPT_LOCAL_SUBNET | OPT_CGROUP |
		 OPT_SOURCE | OPT_WIDE,
	 0, SIZE_MAX, cmd_coverage},
	{"report", "POLICY", "coverage, refusals and documents of a policy in one file",
	 "What an operator hands to an auditor: host, window, digest, the tables with their\n"
	 "documents, coverage, refusals with the nearest rule, listening sockets. One HTML file\n"
	 "that loads nothing, on stdout or in FILE.",
	 OPT_PIN_ROOT | OPT_TABLES | OPT_LOCAL_SUBNET | OPT_CGROUP | OPT_SOURCE | OPT_TEXT |
		 OPT_OUTPUT,
	 1, 1, cmd_report},
	{"learn", "[NAME]", "edits of the policy's file that allow unexplained traffic",
	 "A unified diff on stdout, a summary on stderr; no file is changed. A peer joins a\n"
	 "role that alone fits and has a peer of its network, or gets a rule of its own. Review\n"
	 "it: attempts of strangers are proposed too, and each line that you keep is allowed.",
	 OPT_JSON | OPTS_READ | OPT_EVENTS | OPT_TABLES | OPT_LOCAL_SUBNET | OPT_CGROUP |
		 OPT_SOURCE | OPT_PEER | OPT_RULES_ONLY,
	 0, 1, cmd_learn},
	{"monitor", "[NAME]... [FILTER]", "events as they happen, one line each",
	 "Refusals; with --openings allowed connections too. Runs until a signal. With --json\n"
	 "one JSON object a line.",
	 OPT_JSON | OPTS_READ | OPT_OPENINGS | OPT_COUNT | OPT_WIDE, 0, SIZE_MAX, cmd_monitor},
	{"zero", "[RULE]...", "reset counters, and record the time", "All rules, or those named.",
	 OPT_JSON | OPTS_READ, 0, SIZE_MAX, cmd_zero},
	{"detach", "[NAME]...",
	 "remove policies with all their programs and maps; nothing else is changed",
	 "Without a name, the only policy below the pin root; all of them with --all.",
	 OPT_JSON | OPT_PIN_ROOT | OPT_ALL, 0, SIZE_MAX, cmd_detach},
	{"history", "[NAME]", "the record of changes: who changed which policy, when, and how it ended",
	 "Oldest first; of one policy, or of all. Each apply, confirm, cancel, extend, zero and\n"
	 "detach is a line, and each change that the kernel ended, once a command has seen that.",
	 OPT_JSON | OPT_LIMIT | OPT_WIDE, 0, 1, cmd_history},
	{"doctor", "", "features that this host has and lacks, with the effect; known bypasses",
	 "Tries every feature that flowreeve uses: loads its programs, and attaches small ones\n"
	 "in a network namespace and a cgroup made for it. Nothing of the host is changed. Exit\n"
	 "6 if this host cannot enforce on some kind of attach point, or may not try it.",
	 OPT_JSON | OPT_PIN_ROOT | OPT_CGROUP, 0, 0, cmd_doctor},
	{"version", "", "the version of this command", "", OPT_JSON, 0, 0, cmd_version},
};
/* clang-format on */

int main(int argc, char **argv)
{
	/* A reader that goes away ends the command at its end (run.c), not amid a change. */
	signal(SIGPIPE, SIG_IGN);
	memory_begin();
	return run(commands, ARRAY_SIZE(commands), argc - 1, argv + 1);
}
