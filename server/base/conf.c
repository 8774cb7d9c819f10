/*
 * conf.c - settings from a file, the environment and the command line, all through one table.
 *
 * Every value arrives as text and goes through parse_value(), so the three sources cannot
 * differ. libyaml reads the file: one mapping of scalars and lists of scalars, whose keys are
 * those of conf.def.
 */
#include "server/base/conf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "server/base/fs.h"
#include "server/base/jx.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/url.h"

enum type { TEXT, INT, DURATION, SIZE, BOOL, LIST, LEVEL };

static const char *const type_names[] = { "text",          "integer", "duration", "size",
                                          "true or false", "list",    "log level" };

static const struct key {
    const char *name, *value, *help;
    enum type type;
    size_t at;
} keys[] = {
#define CONF(key, type, value, help) { #key, value, help, type, offsetof(struct conf, key) },
#include "server/base/conf.def"
#undef CONF
};

enum { KEYS = sizeof keys / sizeof *keys };

static int min3(int a, int b, int c)
{
    int m = a < b ? a : b;

    return m < c ? m : c;
}

/* Levenshtein distance of two short words. */
static int distance(const char *a, const char *b)
{
    int row[64], n = (int)strnlen(b, 62);

    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 0; a[i] && i < 62; i++) {
        int diagonal = row[0];

        row[0] = i + 1;
        for (int j = 1; j <= n; j++) {
            int old = row[j];

            row[j] = min3(row[j] + 1, row[j - 1] + 1, diagonal + (a[i] != b[j - 1]));
            diagonal = old;
        }
    }
    return row[n];
}

static const struct key *find_key(const char *name)
{
    for (int i = 0; i < KEYS; i++)
        if (!strcmp(keys[i].name, name))
            return &keys[i];
    return NULL;
}

static const char *nearest(const char *name)
{
    int best = 0;

    for (int i = 1; i < KEYS; i++)
        if (distance(keys[i].name, name) < distance(keys[best].name, name))
            best = i;
    return keys[best].name;
}

static const struct unit {
    const char *suffix;
    int64_t factor;
} durations[] = { { "ms", 1 },      { "s", 1000 },     { "m", 60000 },
                  { "h", 3600000 }, { "d", 86400000 }, { NULL, 0 } },
  sizes[] = { { "", 1 }, { "k", 1024 }, { "m", 1048576 }, { "g", 1073741824 }, { NULL, 0 } },
  plain[] = { { "", 1 }, { NULL, 0 } };

/* A number and its unit; false if it is not one, is negative, or does not fit. */
static bool parse_number(const char *text, const struct unit *units, int64_t *out)
{
    char *end;
    long long v;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    v = strtoll(text, &end, 10);
    if (errno)
        return false;
    for (; units->suffix; units++)
        if (!strcmp(end, units->suffix))
            return !__builtin_mul_overflow((int64_t)v, units->factor, out);
    return false;
}

static bool parse_bool(const char *text, bool *out)
{
    *out = !strcmp(text, "true");
    return *out || !strcmp(text, "false");
}

static bool list_add(struct conf *c, struct conf_list *list, const char *text)
{
    if (list->n == CONF_LIST_MAX)
        return false;
    list->v[list->n++] = arena_strdup(c->mem, text);
    return true;
}

static bool parse_list(struct conf *c, const char *text, struct conf_list *out)
{
    char *copy = arena_strdup(c->mem, text), *save = NULL;

    *out = (struct conf_list){ 0 };
    for (char *word = strtok_r(copy, ", ", &save); word; word = strtok_r(NULL, ", ", &save))
        if (!list_add(c, out, word))
            return false;
    return true;
}

/* Paths, names and URLs are one line that can be seen: the log and the printed file show them.
 */
static bool is_one_line(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    return true;
}

/* What a number may be, where any number would not do. */
static const struct {
    const char *name;
    int64_t least, most;
} bounds[] = {
    { "workers", 1, 64 },
    { "loops", 0, 64 },
    { "queue_max", 1, 1000000 },
    { "body_max", 262144, 1 << 26 },
    { "cache_size", 1 << 20, INT64_MAX },
    { "head_lease", 60000, 7 * 86400000LL },
    { "index_changes", 1, 4096 },
    { "connections_max", 0, 1 << 20 },
    { "connections_per_client", 0, 1 << 20 },
    { "credits_per_client", 0, 1000000000 },
    { "hint_spread", 0, 3600000 },
    { "hint_heartbeat", 100, 30000 },
    { "hint_subscribers", 0, 1000000 },
    { "alert_every", 50, 3600000 },
    { "alert_crashes", 0, 64 },
    { "alert_disk_percent", 0, 90 },
    { "verify_pace", 0, 1000000 },
    { "push_a_day", 1, 32 },
};

static bool in_bounds(const char *name, int64_t v)
{
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
        if (!strcmp(bounds[i].name, name))
            return v >= bounds[i].least && v <= bounds[i].most;
    return true;
}

static bool is_number(enum type type)
{
    return type == INT || type == DURATION || type == SIZE;
}

static bool is_web_address(const char *text)
{
    return !strncmp(text, "http://", 7) || !strncmp(text, "https://", 8);
}

static bool parse_value(struct conf *c, const struct key *k, const char *text)
{
    void *at = (char *)c + k->at;

    if (!is_one_line(text))
        return false;
    switch (k->type) {
    case TEXT: *(conf_TEXT *)at = arena_strdup(c->mem, text); return true;
    case INT: return parse_number(text, plain, at);
    case DURATION: return parse_number(text, durations, at);
    case SIZE: return parse_number(text, sizes, at);
    case BOOL: return parse_bool(text, at);
    case LIST: return parse_list(c, text, at);
    case LEVEL: return (*(conf_LEVEL *)at = log_level_parse(text)) >= 0;
    }
    return false;
}

static const char *forms[] = {
    [TEXT] = "one line of text",
    [INT] = "a whole number",
    [DURATION] = "a duration such as 500ms, 30s, 15m, 1h or 30d",
    [SIZE] = "a size such as 64k, 16m or 1g",
    [BOOL] = "true or false",
    [LIST] = "a list of at most 64",
    [LEVEL] = "debug, info, warn or error",
};

/* Where a value stands, for the error: "tjzw.conf line 3", "environment variable TJZW_WORKERS". */
struct source {
    struct err *e;
    struct conf *c;
    bool seen[KEYS]; /* a source that sets something twice means only one of the two */
};

static enum rc set(struct source *s, const char *where, const char *name, const char *value)
{
    const struct key *k = find_key(name);

    if (!k)
        return err_field(s->e, name, "%s: there is no setting \"%.60s\"; did you mean \"%s\"?",
                         where, name, nearest(name));
    if (s->seen[k - keys])
        return err_field(s->e, name, "%s: %s was already set; keep one of the two", where,
                         name);
    s->seen[k - keys] = true;
    if (!parse_value(s->c, k, value))
        return err_field(s->e, name, "%s: %s should be %s, not \"%.60s\"", where, name,
                         forms[k->type], value);
    if (is_number(k->type) && !in_bounds(name, *(const int64_t *)((const char *)s->c + k->at)))
        return err_field(s->e, name, "%s: %s is out of bounds: \"%.60s\"", where, name, value);
    if (!strcmp(name, "public_url") && *value && !is_web_address(value))
        return err_field(s->e, name,
                         "%s: %s should begin with https:// or http://, not \"%.60s\"", where,
                         name, value);
    return RC_OK;
}

enum rc conf_set(struct err *e, struct conf *c, const char *key, const char *value)
{
    return set(&(struct source){ .e = e, .c = c }, "the command line", key, value);
}

/* ---- the file ---- */

struct reader {
    struct source source;
    const char *file;
    yaml_document_t doc;
};

static const char *scalar(const yaml_node_t *n)
{
    return n && n->type == YAML_SCALAR_NODE ? (const char *)n->data.scalar.value : NULL;
}

static enum rc set_list(struct reader *r, const char *where, const char *name,
                        const yaml_node_t *node)
{
    struct buf joined = BUF_IN(r->source.c->mem);

    for (yaml_node_item_t *i = node->data.sequence.items.start;
         i < node->data.sequence.items.top; i++) {
        const char *text = scalar(yaml_document_get_node(&r->doc, *i));

        if (!text)
            return err_field(r->source.e, name, "%s: the list %s should hold plain values",
                             where, name);
        if (joined.n)
            buf_addc(&joined, ',');
        buf_adds(&joined, text);
    }
    return set(&r->source, where, name, joined.n ? joined.p : "");
}

static enum rc set_pair(struct reader *r, const yaml_node_pair_t *pair)
{
    const yaml_node_t *key = yaml_document_get_node(&r->doc, pair->key);
    const yaml_node_t *value = yaml_document_get_node(&r->doc, pair->value);
    const char *name = scalar(key);
    char where[300];

    snprintf(where, sizeof where, "%.200s line %zu", r->file, key->start_mark.line + 1);
    if (!name)
        return err_set(r->source.e, RC_INVALID, "%s: a setting's name is expected", where);
    if (value->type == YAML_SEQUENCE_NODE)
        return set_list(r, where, name, value);
    if (!scalar(value))
        return err_field(r->source.e, name, "%s: %s should be a plain value or a list", where,
                         name);
    return set(&r->source, where, name, scalar(value));
}

static enum rc set_all(struct reader *r)
{
    const yaml_node_t *root = yaml_document_get_root_node(&r->doc);
    enum rc rc;

    if (!root)
        return RC_OK;
    if (root->type != YAML_MAPPING_NODE)
        return err_set(r->source.e, RC_INVALID,
                       "%s line %zu: lines of the form \"key: value\" are expected", r->file,
                       root->start_mark.line + 1);
    for (yaml_node_pair_t *p = root->data.mapping.pairs.start; p < root->data.mapping.pairs.top;
         p++)
        if ((rc = set_pair(r, p)))
            return rc;
    return RC_OK;
}

static enum rc load_file(struct err *e, struct conf *c, const char *file)
{
    struct reader r = { .source = { .e = e, .c = c }, .file = file };
    yaml_parser_t parser;
    char *text;
    size_t n;
    enum rc rc;

    if ((rc = fs_read(e, c->mem, file, 65536, &text, &n)))
        return rc;
    if (!yaml_parser_initialize(&parser))
        memory_end();
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
    if (yaml_parser_load(&parser, &r.doc)) {
        rc = set_all(&r);
        yaml_document_delete(&r.doc);
    } else {
        rc = err_set(e, RC_INVALID, "%s line %zu: %s", file, parser.problem_mark.line + 1,
                     parser.problem ? parser.problem : "not a configuration file");
    }
    yaml_parser_delete(&parser);
    return rc;
}

/* ---- the environment ---- */

static const char prefix[] = "TJZW_";

/* "TJZW_TLS_KEY" names tls_key; "TJZW_TLS_KEY_FILE" a file that holds its value. */
static void key_of(const char *variable, size_t n, char out[64], bool *is_file)
{
    static const char suffix[] = "_file";
    size_t i;

    for (i = 0; i < n && i < 63; i++)
        out[i] = variable[i] >= 'A' && variable[i] <= 'Z' ? (char)(variable[i] - 'A' + 'a')
                                                          : variable[i];
    out[i] = '\0';
    *is_file = !find_key(out) && i > sizeof suffix - 1 &&
               !strcmp(out + i - (sizeof suffix - 1), suffix);
    if (*is_file)
        out[i - (sizeof suffix - 1)] = '\0';
}

static enum rc load_variable(struct source *s, const char *variable)
{
    const char *equals = strchr(variable, '=');
    const char *value = equals ? equals + 1 : "";
    size_t n = equals ? (size_t)(equals - variable) : strlen(variable);
    char name[64], where[128], *text;
    struct err why = { 0 };
    bool is_file;

    key_of(variable + sizeof prefix - 1, n - (sizeof prefix - 1), name, &is_file);
    snprintf(where, sizeof where, "environment variable %.*s", (int)(n > 80 ? 80 : n),
             variable);
    if (is_file) {
        if (fs_read(&why, s->c->mem, value, 65536, &text, &n))
            return err_field(s->e, name, "%s: %.300s", where, why.text);
        text[strcspn(text, "\r\n")] = '\0';
        value = text;
    }
    return set(s, where, name, value);
}

static enum rc load_defaults(struct err *e, struct conf *c)
{
    struct source source = { .e = e, .c = c };
    enum rc rc = RC_OK;

    for (int i = 0; i < KEYS && !rc; i++)
        rc = set(&source, "conf.def", keys[i].name, keys[i].value);
    return rc;
}

static enum rc load_environment(struct err *e, struct conf *c, const char *const *env)
{
    struct source source = { .e = e, .c = c };
    enum rc rc = RC_OK;

    for (; !rc && env && *env; env++)
        if (!strncmp(*env, prefix, sizeof prefix - 1))
            rc = load_variable(&source, *env);
    return rc;
}

enum rc conf_load(struct err *e, const char *file, const char *const *env, struct conf *out)
{
    struct conf c = { .mem = arena_new() };
    enum rc rc;

    if ((rc = load_defaults(e, &c)) || (file && (rc = load_file(e, &c, file))) ||
        (rc = load_environment(e, &c, env))) {
        arena_free(c.mem);
        return rc;
    }
    *out = c;
    return RC_OK;
}

void conf_done(struct conf *c)
{
    arena_free(c->mem);
    *c = (struct conf){ 0 };
}

/* ---- printing ---- */

static bool is_secret(const struct key *k)
{
    static const char *const ends[] = { "_secret",
                                        "_webhook" /* a robot's URL holds its key */ };
    size_t n = strlen(k->name);

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (n > strlen(ends[i]) && !strcmp(k->name + n - strlen(ends[i]), ends[i]))
            return true;
    return false;
}

static void print_unit(struct buf *out, int64_t v, const struct unit *units)
{
    const struct unit *best = units;

    for (const struct unit *u = units; u->suffix; u++)
        if (v && v % u->factor == 0)
            best = u;
    buf_printf(out, "%" PRId64 "%s", v / best->factor, best->suffix);
}

static void print_text(const struct key *k, const char *text, struct buf *out)
{
    struct buf shown = BUF_HEAP;

    url_show(&shown, is_secret(k) && *text ? "***" : text);
    jx_quote(out, shown.p, shown.n);
    buf_done(&shown);
}

static void print_list(const struct key *k, const struct conf_list *list, struct buf *out)
{
    if (!list->n)
        buf_adds(out, "[]");
    for (int i = 0; i < list->n; i++) {
        buf_adds(out, "\n  - ");
        print_text(k, list->v[i], out);
    }
}

static void print_value(const struct conf *c, const struct key *k, struct buf *out)
{
    const void *at = (const char *)c + k->at;

    switch (k->type) {
    case TEXT: print_text(k, *(const conf_TEXT *)at, out); break;
    case INT: print_unit(out, *(const int64_t *)at, plain); break;
    case DURATION: print_unit(out, *(const int64_t *)at, durations); break;
    case SIZE: print_unit(out, *(const int64_t *)at, sizes); break;
    case BOOL: buf_adds(out, *(const bool *)at ? "true" : "false"); break;
    case LIST: print_list(k, at, out); break;
    case LEVEL: buf_adds(out, log_level_name((enum log_level) * (const conf_LEVEL *)at)); break;
    }
}

void conf_print(const struct conf *c, struct buf *out)
{
    for (int i = 0; i < KEYS; i++) {
        buf_printf(out, "# %s (%s)\n%s: ", keys[i].help, type_names[keys[i].type],
                   keys[i].name);
        print_value(c, &keys[i], out);
        buf_adds(out, "\n\n");
    }
}

void conf_print_doc(struct buf *out)
{
    buf_adds(out, "# Settings\n\nPrinted by `tjzw print-conf --markdown`. File < environment "
                  "(`TJZW_KEY`, or `TJZW_KEY_FILE` for a value in "
                  "a file) < command line.\n\n| key | kind | default | what it sets "
                  "|\n|---|---|---|---|\n");
    for (int i = 0; i < KEYS; i++)
        buf_printf(out, "| `%s` | %s | %s%s%s | %s |\n", keys[i].name, type_names[keys[i].type],
                   keys[i].value[0] ? "`" : "", keys[i].value, keys[i].value[0] ? "`" : "",
                   keys[i].help);
}
