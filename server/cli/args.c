/*
 * args.c - the command line, read by the command's own table of options: --name VALUE,
 * --name=VALUE, --flag, and what remains.
 */
#include "server/cli/cli.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "server/cli/staff.h"

static int find_opt(const struct command *c, const char *name, size_t n)
{
    for (int i = 0; c->opts && c->opts[i].name; i++) {
        assert(i < ARG_OPTS);
        if (strlen(c->opts[i].name) == n && !strncmp(c->opts[i].name, name, n))
            return i;
    }
    return -1;
}

int cli_usage(const struct command *c, const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "tjzw %s: ", c->name);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\n  see: tjzw %s --help\n", c->name);
    return EX_USAGE;
}

static bool parse_int(const char *text, int64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoll(text, &end, 10);
    return !errno && *text && !*end;
}

static int set_opt(struct args *a, int i, const char *value)
{
    const struct opt *o = &a->command->opts[i];

    a->opt[i].set = true;
    a->opt[i].text = value;
    if (o->kind == OPT_INT && !parse_int(value, &a->opt[i].num))
        return cli_usage(a->command, "--%s should be a whole number, not \"%s\"", o->name,
                         value);
    if (o->kind == OPT_BOOL) {
        if (strcmp(value, "true") && strcmp(value, "false"))
            return cli_usage(a->command, "--%s should be true or false, not \"%s\"", o->name,
                             value);
        a->opt[i].num = !strcmp(value, "true");
    }
    if (o->kind == OPT_LIST) {
        if (a->opt[i].list.n == CONF_LIST_MAX)
            return cli_usage(a->command, "--%s may be given %d times at most", o->name,
                             CONF_LIST_MAX);
        a->opt[i].list.v[a->opt[i].list.n++] = value;
    }
    return 0;
}

/* One --option; *at is moved over a value that stands apart. */
static int parse_opt(struct args *a, int argc, char **argv, int *at)
{
    const char *name = argv[*at] + 2, *equals = strchr(name, '=');
    size_t n = equals ? (size_t)(equals - name) : strlen(name);
    int i = find_opt(a->command, name, n);

    if (i < 0)
        return cli_usage(a->command, "there is no option --%.*s", (int)n, name);
    if (a->command->opts[i].kind == OPT_FLAG)
        return equals ? cli_usage(a->command, "--%.*s takes no value", (int)n, name)
                      : set_opt(a, i, "");
    if (!equals && *at + 1 >= argc)
        return cli_usage(a->command, "--%s needs a value: %s", name, a->command->opts[i].value);
    return set_opt(a, i, equals ? equals + 1 : argv[++*at]);
}

static int check_required(const struct args *a)
{
    const struct opt *opts = a->command->opts;

    if (a->npos < a->command->npos_min)
        return cli_usage(a->command, "%s is missing", a->command->positional);
    for (int i = 0; opts && opts[i].name; i++)
        if (opts[i].required && !a->opt[i].set)
            return cli_usage(a->command, "--%s %s is missing: %s", opts[i].name, opts[i].value,
                             opts[i].help);
    return 0;
}

int args_parse(const struct command *c, int argc, char **argv, struct args *out)
{
    struct args a = { .command = c };
    int code;

    for (int i = 0; i < argc; i++) {
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
            cli_help(c);
            return -1;
        }
        if (!strncmp(argv[i], "--", 2) && argv[i][2]) {
            if ((code = parse_opt(&a, argc, argv, &i)))
                return code;
        } else if (a.npos == c->npos_max) {
            return cli_usage(c, "\"%s\" is one argument too many", argv[i]);
        } else {
            a.pos[a.npos++] = argv[i];
        }
    }
    if ((code = check_required(&a)))
        return code;
    *out = a;
    return 0;
}

/* -1 if the command has no such option, which some shared code may ask. */
static int index_of(const struct args *a, const char *name)
{
    return find_opt(a->command, name, strlen(name));
}

bool arg_flag(const struct args *a, const char *name)
{
    int i = index_of(a, name);

    return i >= 0 && a->opt[i].set;
}

const char *arg_text(const struct args *a, const char *name, const char *otherwise)
{
    int i = index_of(a, name);

    return i >= 0 && a->opt[i].set ? a->opt[i].text : otherwise;
}

const struct conf_list *arg_list(const struct args *a, const char *name)
{
    static const struct conf_list none;
    int i = index_of(a, name);

    return i >= 0 ? &a->opt[i].list : &none;
}

static void print_opt(const struct opt *o)
{
    char left[48];

    snprintf(left, sizeof left, "--%s%s%s", o->name, o->kind == OPT_FLAG ? "" : " ",
             o->kind == OPT_FLAG ? "" : o->value);
    printf("  %-26s %s%s\n", left, o->help, o->kind == OPT_LIST ? " (may be repeated)" : "");
}

/* The path, with the arguments' names in the places of the %. */
static void print_request(const struct command *c)
{
    const char *word = c->positional;

    printf("Request (docs/reference/routes.md):\n  %s ", method_name(c->request->method));
    for (const char *at = c->request->path; *at; at++) {
        if (*at != '%') {
            putchar(*at);
            continue;
        }
        printf("%.*s", (int)strcspn(word, " "), word);
        word += strcspn(word, " ");
        word += strspn(word, " ");
    }
    printf("\n\n");
}

void cli_help(const struct command *c)
{
    printf("tjzw %s - %s\n\nUsage: tjzw %s%s%s%s\n", c->name, c->summary, c->name,
           c->opts ? " [OPTION ...]" : "", *c->positional ? " " : "", c->positional);
    if (c->opts)
        printf("\nOptions:\n");
    for (const struct opt *o = c->opts; o && o->name; o++)
        print_opt(o);
    printf("  %-26s %s\n\n", "--help", "this text");
    if (c->request)
        print_request(c);
    printf("Example:\n  %s\n", c->example);
}

void cli_help_all(void)
{
    const struct command *c;

    printf("tjzw %s - 「天津政务」后端：统一信息资源库、离线增量同步、内容发布\n"
           "         backend of the Tianjin government app: one library, one change log, "
           "offline sync\n\n"
           "Usage: tjzw COMMAND [OPTION ...]\n\nCommands:\n",
           TJZW_VERSION);
    for (int i = 0; (c = command_at(i)); i++)
        printf("  %-22s %s\n", c->name, c->summary);
    printf("\nEach command has --help with an example. First steps:\n"
           "  tjzw serve --demo\n");
}
