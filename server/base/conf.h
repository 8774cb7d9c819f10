/*
 * conf.h - what an operator may set. One row each in conf.def; the parser, the help, the
 * example file and docs/reference/conf.md come from the rows.
 *
 * A file of `key: value` lines (YAML: comments, quotes, block lists) < environment TJZW_KEY
 * (TJZW_KEY_FILE: the value is that file's first line) < command line. An unknown key or TJZW_
 * variable is an error that names the line and the nearest known key.
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/buf.h"
#include "server/base/err.h"

enum { CONF_LIST_MAX = 64 };

struct conf_list {
    int n;
    const char *v[CONF_LIST_MAX];
};

typedef const char *conf_TEXT; /* "" if unset */
typedef int64_t conf_INT;
typedef int64_t conf_DURATION; /* milliseconds; written 500ms, 30s, 15m, 1h, 30d */
typedef int64_t conf_SIZE;     /* bytes; written 64k, 16m, 1g */
typedef int conf_LEVEL;        /* of enum log_level (log.h); written info */
typedef bool conf_BOOL;        /* true, false */
typedef struct conf_list
    conf_LIST; /* in the environment and on the command line: separated by commas */

struct conf {
#define CONF(key, type, value, help) conf_##type key;
#include "server/base/conf.def"
#undef CONF
    struct arena *mem; /* owns the texts */
};

/*
 * Defaults, then `file` (NULL: none), then the environment `env` (NULL: none). `out` is
 * untouched on failure; conf_done() frees it.
 */
enum rc conf_load(struct err *e, const char *file, const char *const *env, struct conf *out);
/* One key from the command line. RC_INVALID names the nearest known key. */
enum rc conf_set(struct err *e, struct conf *c, const char *key, const char *value);
void conf_done(struct conf *c);
void conf_print(
    const struct conf *c,
    struct buf *
        out); /* the effective settings as a configuration file, secrets masked, also those in URLs */
void conf_print_doc(struct buf *out); /* Markdown table */

#endif
