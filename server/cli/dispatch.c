/*
 * dispatch.c - which command is meant: one of two words ("item publish") is looked for before one of one word.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "server/cli/commands.h"

const struct command *command_at(int n)
{
    for (int table = 0; command_tables[table]; table++)
        for (const struct command *c = command_tables[table]; c->name; c++)
            if (n-- == 0)
                return c;
    return NULL;
}

/* How many words of argv the command's name takes: 0 if it is another. */
static int matches(const struct command *c, int argc, char **argv)
{
    const char *space = strchr(c->name, ' ');
    size_t n = space ? (size_t)(space - c->name) : strlen(c->name);

    if (argc < 1 || strlen(argv[0]) != n || strncmp(argv[0], c->name, n))
        return 0;
    if (!space)
        return 1;
    return argc >= 2 && !strcmp(argv[1], space + 1) ? 2 : 0;
}

static int run(const struct command *c, int words, int argc, char **argv)
{
    struct args a;
    int code = args_parse(c, argc - words, argv + words, &a);

    return code ? (code < 0 ? 0 : code) : c->run(&a);
}

static bool is_noun(const char *word)
{
    size_t n = strlen(word);
    const struct command *c;

    for (int i = 0; (c = command_at(i)); i++)
        if (!strncmp(c->name, word, n) && c->name[n] == ' ')
            return true;
    return false;
}

/* "tjzw item": the commands of a noun. */
static void help_noun(const char *noun)
{
    size_t n = strlen(noun);
    const struct command *c;

    printf("Usage: tjzw %s COMMAND [OPTION ...]\n\n", noun);
    for (int i = 0; (c = command_at(i)); i++)
        if (!strncmp(c->name, noun, n) && c->name[n] == ' ')
            printf("  tjzw %-18s %s\n", c->name, c->summary);
    printf("\nEach has --help with an example: tjzw %s list --help\n", noun);
}

static int unknown(int argc, char **argv)
{
    bool noun = is_noun(argv[1]),
         asks = argc == 2 || !strcmp(argv[2], "--help") || !strcmp(argv[2], "-h");

    if (noun && asks) {
        help_noun(argv[1]);
        return argc == 2 ? EX_USAGE : 0;
    }
    fprintf(stderr, "tjzw: there is no command \"%s%s%s\"\n  all commands: tjzw %s%s--help\n",
            argv[1], noun ? " " : "", noun ? argv[2] : "", noun ? argv[1] : "",
            noun ? " " : "");
    return EX_USAGE;
}

int cli_dispatch(int argc, char **argv)
{
    const struct command *c;

    if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
        !strcmp(argv[1], "help")) {
        cli_help_all();
        return argc < 2 ? EX_USAGE : 0;
    }
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "version")) {
        printf("tjzw %s\n", TJZW_VERSION);
        return 0;
    }
    for (int i = 0; (c = command_at(i)); i++) {
        int words = matches(c, argc - 1, argv + 1);

        if (words)
            return run(c, words, argc - 1, argv + 1);
    }
    return unknown(argc, argv);
}
