/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One invocation: find the command, parse its options, run it, report the diagnostics, and check
 * that the output was written. The only place that ends a command.
 */
#include <errno.h>
#include <stdlib.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "invocation.h"

static const char exit_codes[] =
	"Exit codes:\n"
	"  0  done\n"
	"  1  failed\n"
	"  2  usage\n"
	"  3  policy rejected, refused by a guard, or an attach target is missing or in use\n"
	"  4  the policies differ (diff), or something would be cut (preview)\n"
	"  5  asked to enforce and not enforcing\n"
	"  6  not supported by this kernel, or insufficient privilege\n"
	"  7  too late to confirm, cancel or extend: the change was rolled back\n";

static int help_all(const struct command *commands, size_t count, FILE *out)
{
	fputs("flowreeve: enforce a vendor's port table on a host, in the kernel\n\n"
	      "Usage: flowreeve COMMAND [OPTION]... [OPERAND]...\n\n",
	      out);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "  %-8s  %s\n", commands[i].name, commands[i].summary);
	fputs("\nflowreeve COMMAND --help lists a command's operands and options.\n\n", out);
	fputs(exit_codes, out);
	return EXIT_DONE;
}

static int help_command(const struct command *command, FILE *out)
{
	fprintf(out, "Usage: flowreeve %s [OPTION]...%s%s\n\n%s\n", command->name,
		*command->operands ? " " : "", command->operands, command->summary);
	if (*command->help)
		fprintf(out, "\n%s\n", command->help);
	fputs("\nOptions:\n", out);
	options_help(out, command->options);
	return EXIT_DONE;
}

static bool colour_wanted(int fd)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fd) && !(no_color && *no_color) && !str_equal(term, "dumb");
}

/* Of the terminal, or as COLUMNS says. 0: a pipe or a file has no width. */
static unsigned output_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	uint64_t width;

	if (columns && !parse_u64(columns, UINT16_MAX, &width) && width)
		return (unsigned)width;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ? 0 : size.ws_col;
}

static const struct command *find_command(const struct command *commands, size_t count,
					  const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (str_equal(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int unknown_command(struct context *c, const struct command *commands, size_t count,
			   const char *word)
{
	const char **names = arena_alloc(c->arena, count * sizeof(*names)), *near;

	for (size_t i = 0; i < count; i++)
		names[i] = commands[i].name;
	near = nearest_word(word, names, count);
	return usage_error(c,
			   near ? arena_printf(c->arena, "did you mean '%s'?", near)
				: "flowreeve --help lists the commands",
			   "there is no command '%s'", word);
}

/* No failure without a reason: a floor that gave none is reported as such. An answer, a usage
 * text, and a reader that has gone, are reasons of their own. */
static void give_reason(struct context *c, int code)
{
	struct loc nowhere = {0};

	if (code == EXIT_DONE || code == EXIT_USAGE || c->answered || c->diags.errors ||
	    ferror(stdout))
		return;
	diag_error(&c->diags, nowhere, -EIO, "no-reason",
		   "this is a defect of flowreeve: please "
		   "report it with the command",
		   "%s failed without a message", c->schema);
}

/* A reader that has gone had enough: end as any program does that writes to its pipe. */
static void end_by_sigpipe(void)
{
	signal(SIGPIPE, SIG_DFL);
	raise(SIGPIPE);
}

static int report_unwritten(void)
{
	int error;

	/* The errno of an earlier failed write is lost: write again to get it. */
	if (!errno) {
		clearerr(stdout);
		putchar('\n');
		fflush(stdout);
	}
	error = errno;
	if (error == EPIPE)
		end_by_sigpipe();
	fputs("flowreeve: error: the output was not written completely", stderr);
	if (error)
		fprintf(stderr, ": %s", strerror(error));
	fputc('\n', stderr);
	return EXIT_FAILED;
}

/* Prints the diagnostics and the document of a failure; checks that stdout took it all. */
static int finish(struct context *c, int code)
{
	/* --query answers by the exit code alone; an error that prevents the answer is still
	 * printed. */
	bool quiet = c->options.given & OPT_QUERY && (!code || code == EXIT_NOT_ENFORCING);

	if (!quiet)
		give_reason(c, code);
	if (code && c->render.json && !c->answered && !quiet)
		render_failure(&c->render, c->schema, code);
	if ((code || !c->render.json) && !quiet)
		render_diags(stderr, &c->diags, c->colour_stderr);
	errno = 0;
	if (fflush(stdout) || ferror(stdout))
		return report_unwritten();
	return code;
}

static int dispatch(struct context *c, const struct command *commands, size_t count, char **argv,
		    int argc)
{
	const char *word = argc ? argv[0] : NULL;
	int ret;

	if (!word) {
		help_all(commands, count, stderr);
		return EXIT_USAGE;
	}
	if (str_equal(word, "--help") || str_equal(word, "-h") ||
	    (str_equal(word, "help") && argc == 1))
		return help_all(commands, count, stdout);
	if (str_equal(word, "help"))
		word = argv[1];
	else if (str_equal(word, "--version"))
		word = "version";
	c->argv = argv;
	c->argc = argc;
	c->command = find_command(commands, count, word);
	if (!c->command)
		return unknown_command(c, commands, count, word);
	if (str_equal(argv[0], "help"))
		return help_command(c->command, stdout);
	c->schema = c->command->name;
	ret = arguments_parse(c, argc - 1, argv + 1);
	if (ret)
		return ret;
	if (c->options.given & OPT_HELP)
		return help_command(c->command, stdout);
	return c->command->run(c);
}

int run(const struct command *commands, size_t count, int argc, char **argv)
{
	struct context c = {.schema = "usage", .arena = arena_new()};
	int code;

	c.diags.arena = c.arena;
	c.render = (struct render){
		.out = stdout,
		.colour = colour_wanted(STDOUT_FILENO),
		.width = output_width(),
		.diags = &c.diags,
	};
	c.colour_stderr = colour_wanted(STDERR_FILENO);
	c.options.policy.share_dir = FLOWREEVE_SHARE;
	c.options.policy.now = (uint64_t)time(NULL);
	c.options.host.pin_root = PIN_ROOT_DEFAULT;
	/* Known before the options are parsed: a usage error needs a document as well. */
	for (int i = 0; i < argc && !str_equal(argv[i], "--"); i++)
		c.render.json |= str_equal(argv[i], "--json");
	code = finish(&c, dispatch(&c, commands, count, argv, argc));
	arena_free(c.arena);
	return code;
}
