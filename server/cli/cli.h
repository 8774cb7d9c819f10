/*
 * cli.h - one subcommand: a row, a function. The tables: server/main.c, citizen.c.
 *
 * A command says what it did on stdout, and on stderr, in one line each, what went wrong, why,
 * and how to mend it. Exit codes are those of sysexits.h.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/conf.h"
#include "server/base/work.h"

enum opt_kind { OPT_FLAG, OPT_TEXT, OPT_INT, OPT_BOOL /* true or false */, OPT_LIST };

/* The end of a table of options. */
#define END \
    {       \
        0   \
    }

enum { ARG_OPTS = 24, ARG_POSITIONAL = 8 };

struct opt {
    const char *name; /* without the dashes; NULL ends the table */
    enum opt_kind kind;
    const char *value; /* what the help calls the value: "FILE" */
    const char *help;
    bool required;
};

struct args {
    const struct command *command;
    struct {
        bool set;
        int64_t num;
        const char *text;
        struct conf_list list;
    } opt[ARG_OPTS]; /* in the order of the command's table */
    const char *pos[ARG_POSITIONAL];
    int npos;
};

struct staff;

struct command {
    const char *name;       /* "item publish": up to two words */
    const char *positional; /* "FILE|-", "" for none */
    int npos_min, npos_max;
    const struct opt *opts; /* NULL: none */
    int (*run)(const struct args *a);
    const char *summary, *example;
    const struct staff *request; /* what it asks of the server, where that is one thing */
};

/* Of several nouns each; a table ends with a NULL name, their list with NULL. */
extern const struct command *const command_tables[];
/* The n-th of them all, from 0; NULL: there are no more. */
const struct command *command_at(int n);

/* Fills `out`; prints what is wrong and returns EX_USAGE, or 0. "--help" prints the help and
 * returns -1. */
int args_parse(const struct command *c, int argc, char **argv, struct args *out);
bool arg_flag(const struct args *a, const char *name);
const char *arg_text(const struct args *a, const char *name, const char *otherwise);
const struct conf_list *arg_list(const struct args *a, const char *name);

void cli_help(const struct command *c); /* one command's */
void cli_help_all(void);
/* Runs the command that argv names; what the process exits with. */
int cli_dispatch(int argc, char **argv);

/* "tjzw: WHAT: WHY" and, unless mend is NULL, a second line with the way out. Returns the exit
 * code for e->rc. */
int cli_fail(const struct err *e, const char *what, const char *mend);
int cli_usage(const struct command *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* An edge (setting edge_of) has no streams of its own. */
enum rc cli_settle_edge(struct err *e, struct conf *c);
/* Settings from --config, the environment, and --data where the command has it. Prints what is
 * wrong; 0 or an exit code. */
int cli_conf(const struct args *a, struct conf *out);
/* A work with RIGHT_ALL over a read connection to the data directory; 0 or an exit code.
 * cli_close() ends it. */
int cli_open_read(const char *data, struct work *out);
void cli_close(struct work *w);

#endif
