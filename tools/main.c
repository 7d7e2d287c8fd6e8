/* tollgate: the operator's command line. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "tools/text.h"
#include "tools/tool.h"

static const struct command {
	const char *name;
	int (*run)(const struct tool *tool);
	int least, most;
	const char *args, *help;
} commands[] = {
#define COMMAND(name, function, least, most, args, help) {name, function, least, most, args, help},
#include "tools/command.def"
#undef COMMAND
};
#define COMMANDS (sizeof(commands) / sizeof(*commands))

int command_help(const struct tool *tool)
{
	if (tool->json) {
		json_t *list = json_array();
		for (size_t i = 0; i < COMMANDS; i++)
			json_array_append_new(
				list, json_pack("{s:s, s:s, s:s}", "name", commands[i].name, "arguments",
					      commands[i].args, "help", commands[i].help));
		return tool_print(list);
	}
	printf("NAME\n    tollgate - watches and checks a Tollgate media gateway\n\n"
	       "SYNOPSIS\n    tollgate [--settings FILE] [--json] COMMAND [ARGUMENT...]\n\n"
	       "COMMANDS\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("    %s%s%s\n        %s\n", commands[i].name, *commands[i].args ? " " : "",
			commands[i].args, commands[i].help);
	printf("\nOPTIONS\n"
	       "    --settings FILE   the gateway's settings; default " TOOL_SETTINGS "\n"
	       "    --json            for programs\n"
	       "    --help            this page; after a command, that command\n\n"
	       "    Watching reads the shared memory only: it costs the dataplane nothing and works while "
	       "the\n"
	       "    control plane is down.\n\n"
	       "EXIT STATUS\n"
	       "    0 success; 1 failure, an audit that differs, or CDR files that aren't whole; 2 wrong "
	       "usage\n");
	return tool_done();
}

static int usage(const char *problem, const char *what)
{
	char shown[128];
	fprintf(stderr, "tollgate: %s%s%s; `tollgate help` lists the commands\n", problem, what ? ": " : "",
		what ? text_show(what, strlen(what), shown, sizeof(shown)) : "");
	return TOOL_USAGE;
}

/* How many of the words name this command, 0: they don't. */
static int matches(const struct command *c, int argc, char **argv)
{
	char two[64];
	if (argc > 0 && !strcmp(argv[0], c->name))
		return 1;
	if (argc < 2 || snprintf(two, sizeof(two), "%s %s", argv[0], argv[1]) >= (int)sizeof(two))
		return 0;
	return strcmp(two, c->name) ? 0 : 2;
}

/* Whether it is the first word of commands of two. */
static bool begins_command(const char *word)
{
	size_t n = strlen(word);
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strncmp(commands[i].name, word, n) && commands[i].name[n] == ' ')
			return true;
	return false;
}

static int run(struct tool *tool, int argc, char **argv, int help)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		const struct command *c = &commands[i];
		int words = matches(c, argc, argv);
		if (!words)
			continue;
		if (help) {
			printf("tollgate %s%s%s\n    %s\n", c->name, *c->args ? " " : "", c->args, c->help);
			return tool_done();
		}
		tool->argc = argc - words;
		tool->argv = argv + words;
		if (tool->argc < c->least || (c->most >= 0 && tool->argc > c->most)) {
			fprintf(stderr, "usage: tollgate %s%s%s\n", c->name, *c->args ? " " : "", c->args);
			return TOOL_USAGE;
		}
		return c->run(tool);
	}
	return usage(
		begins_command(argv[0]) ? "more words belong to this command" : "no such command", argv[0]);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"settings", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	struct tool tool = {.settings_path = TOOL_SETTINGS};
	int help = 0;
	opterr = 0;
	for (int o; (o = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
		if (o == 's')
			tool.settings_path = optarg;
		else if (o == 'j')
			tool.json = true;
		else if (o == 'h')
			help = 1;
		else if (o == 'V')
			return command_version(&tool);
		else
			return usage("no such option, or its value is missing", argv[optind - 1]);
	}
	if (optind == argc)
		return help ? command_help(&tool) : usage("no command given", NULL);
	return run(&tool, argc - optind, argv + optind, help);
}
