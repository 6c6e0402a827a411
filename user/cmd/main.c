/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flowreeve: argv to verb. The table below is dispatch, --help and usage in one; each verb has its
 * own file.
 */
#include <signal.h>

#include "run.h"

/* clang-format off */
static const struct command commands[] = {
	{"check", "FILE...", "errors and warnings of policies, tables and sites; offline, no root",
	 "Reads policies, port tables and sites; reports all errors in one run, or the figures of the\n"
	 "compiled policies. Never looks at the host, never asks DNS.",
	 OPT_JSON | OPTS_FILE, 1, SIZE_MAX, cmd_check},
	{"explain", "POLICY egress|ingress PROTO PEER[:PORT] | icmp PEER TYPE[/CODE]",
	 "the verdict of one opening, its rule, its table row and why; offline",
	 "The port is always the listener's; an IPv6 address stands in brackets before a port.\n"
	 "Exit 0 whatever the verdict.",
	 OPT_JSON | OPTS_FILE, 4, 5, cmd_explain},
	{"compile", "POLICY", "what a policy compiles to; offline",
	 "The figures of the compiled image; with --dump the whole image in words.",
	 OPT_JSON | OPTS_FILE | OPT_DUMP, 1, 1, cmd_compile},
	{"roles", "TABLE", "parameters, roles and rows of a table; offline",
	 "TABLE is a name, looked up as a policy's use does, or a file. For each role, the peers that\n"
	 "a policy must give who plays it.",
	 OPT_JSON | OPT_TABLES, 1, 1, cmd_roles},
	{"new", "--table TABLE --as ROLE", "a policy to begin with, every choice marked; offline",
	 "Writes to stdout. Replace each FILL-IN; commented lines are optional. `check` refuses the\n"
	 "file until no FILL-IN is left.",
	 OPT_TABLES | OPT_TABLE | OPT_AS | OPT_NAME | OPT_ATTACH, 0, 0, cmd_new},
	{"import", "FILE", "the draft of a table from a vendor's document; offline",
	 "Markdown, HTML and flattened text, with the template tags of their sources. The draft goes\n"
	 "to stdout: a table that `check` accepts, with the parts that were not understood as comments.",
	 OPT_NAME | OPT_TITLE, 1, 1, cmd_import},
	{"plan", "SITE --host NAME | SITE --all --dir DIR",
	 "the policies that follow from a site, host by host; offline",
	 "A site says which host plays which role. The policy of one host goes to stdout; those of\n"
	 "all go to DIR, which is there whole or as it was.",
	 OPT_STRICT | OPT_TABLES | OPT_LOCAL_SUBNET | OPT_HOST | OPT_ALL | OPT_DIR, 1, 1, cmd_plan},
	{"apply", "POLICY", "put a policy in force: attaches, in the mode that it names",
	 "One commit point: before it the old policy of this name is in force, after it the new\n"
	 "one, whole. A failure leaves the running policy untouched. Enforcement outlives the\n"
	 "command, not a reboot. What would lower the protection in force is refused, unless\n"
	 "--mode audit or --allow-removal says so.",
	 OPT_JSON | OPTS_FILE | OPTS_HOST | OPT_FLOWS | OPT_ALLOW_REMOVAL, 1, 1, cmd_apply},
	{"status", "[NAME]...", "what is enforced, read from the kernel; exit 5 if not enforcing",
	 "Reads links, programs and maps from the kernel, never a file of its own.",
	 OPT_JSON | OPTS_READ | OPT_QUERY, 0, SIZE_MAX, cmd_status},
	{"show", "rules|flows|drops [NAME]...",
	 "counters by rule and row; live connections; packets dropped, or that would be",
	 "rules: connections, packets, bytes, drops and would-drops of every rule, by table row.\n"
	 "flows: every live connection and the rule that admitted it.\n"
	 "drops: what was refused, or in audit would have been, by peer and port.",
	 OPT_JSON | OPTS_READ | OPT_PEER | OPT_WIDE, 1, SIZE_MAX, cmd_show},
	{"coverage", "[NAME]...",
	 "rows that are used, rows that never are, flows that no row explains",
	 "Since the counters were zeroed: each rule as seen or never seen, with what leaves\n"
	 "it out; and each peer and port that no rule decides, with the rule that comes\n"
	 "nearest.",
	 OPT_JSON | OPTS_READ | OPT_TABLES | OPT_LOCAL_SUBNET | OPT_CGROUP | OPT_SOURCE, 0,
	 SIZE_MAX, cmd_coverage},
	{"learn", "[NAME]", "edits of the policy's file that allow what no row explains",
	 "A unified diff on stdout, in words on stderr; nothing is written. A peer joins the role\n"
	 "of the row that fits, or gets a rule of its own. Review it: attempts of strangers are among\n"
	 "the proposals, and each line that you keep is allowed.",
	 OPT_JSON | OPTS_READ | OPT_TABLES | OPT_LOCAL_SUBNET | OPT_CGROUP | OPT_SOURCE | OPT_PEER |
		 OPT_RULES_ONLY,
	 0, 1, cmd_learn},
	{"monitor", "[NAME]...", "events as they happen, one line each",
	 "Refusals, and with --openings what was allowed. Ends with a signal. With --json one\n"
	 "JSON object a line.",
	 OPT_JSON | OPTS_READ | OPT_OPENINGS | OPT_COUNT, 0, SIZE_MAX, cmd_monitor},
	{"zero", "[RULE]...", "counters from zero; the time is kept", "All rules, or those named.",
	 OPT_JSON | OPTS_READ, 0, SIZE_MAX, cmd_zero},
	{"detach", "[NAME]...", "take policies off: nothing of ours is left, nothing else touched",
	 "Without a name, the only policy below the pin root; all of them with --all.",
	 OPT_JSON | OPT_PIN_ROOT | OPT_ALL, 0, SIZE_MAX, cmd_detach},
	{"doctor", "", "features that this host has and lacks, with the effect; known bypasses",
	 "Tries every feature that flowreeve uses: loads its programs, and attaches small ones in a\n"
	 "network namespace and a cgroup made for it. Nothing of the host is changed. Exit 6 when\n"
	 "there is a kind of attach point on which this host cannot enforce, or that it may not try.",
	 OPT_JSON | OPT_PIN_ROOT | OPT_CGROUP, 0, 0, cmd_doctor},
	{"version", "", "the version of this command", "", OPT_JSON, 0, 0, cmd_version},
};
/* clang-format on */

int main(int argc, char **argv)
{
	/* A reader that goes away is an error to report (exit 1), not a silent death. */
	signal(SIGPIPE, SIG_IGN);
	memory_begin();
	return run(commands, ARRAY_SIZE(commands), argc - 1, argv + 1);
}
