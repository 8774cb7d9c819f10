/*
 * query_fuzz.c - whatever is typed, FTS5 understands what is asked for, and what is shown is escaped and marked in pairs.
 *
 * Up to the first NUL is what was typed, the rest is a text. A text that is found holds what was typed; a text is asked for with its own words.
 */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "server/search/query.h"
#include "server/search/shown.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static sqlite3_stmt *match;

static void set_up(void)
{
    sqlite3 *db;

    if (sqlite3_open(":memory:", &db) ||
        sqlite3_exec(db,
                     "CREATE VIRTUAL TABLE w USING fts5 (words, content = '', columnsize = 0, "
                     "detail = none, tokenize = 'ascii tokenchars '':''');"
                     "INSERT INTO w (rowid, words) VALUES (1, '天 天津 津 a ')",
                     NULL, NULL, NULL) ||
        sqlite3_prepare_v2(db, "SELECT rowid FROM w WHERE w MATCH ?1", -1, &match, NULL))
        abort();
}

static void ask(const char *expression)
{
    int code;

    sqlite3_bind_text(match, 1, expression, -1, SQLITE_STATIC);
    while ((code = sqlite3_step(match)) == SQLITE_ROW)
        ;
    sqlite3_reset(match);
    if (code != SQLITE_DONE)
        abort();
}

/* Only <mark> and </mark>, in turn. */
static void check_shown(const char *s)
{
    bool open = false;

    for (; (s = strpbrk(s, "<\"")); s++) {
        const char *tag = open ? "</mark>" : "<mark>";

        if (strncmp(s, tag, strlen(tag)) != 0)
            abort();
        open = !open;
    }
    if (open)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *typed = (const char *)data;
    size_t typed_n = strnlen(typed, n), text_n = n - typed_n;
    const char *text = typed + typed_n;
    struct arena *mem = arena_new();
    struct buf out = BUF_IN(mem);
    struct err e = { 0 };
    struct folded f;
    struct query q;

    if (!match)
        set_up();
    buf_adds(&out, "");
    fold(mem, text, text_n, true, &f);
    for (size_t i = 1; i <= f.n; i++)
        if (f.at[i] < f.at[i - 1] || f.at[i] > text_n)
            abort();
    if (!query_parse(&e, mem, typed, typed_n, n & 1, &q)) {
        ask(q.match);
        shown_marked(mem, &out, text, text_n, &q);
        buf_addc(&out, ' ');
        shown_snippet(mem, &out, text, text_n, &q);
        check_shown(out.p);
        fold(mem, typed, typed_n, false, &f);
        if (!query_holds(&q, &f) && q.n < QUERY_PHRASES_MAX)
            abort();
    } else if (!*e.text) {
        abort();
    }
    arena_free(mem);
    return 0;
}
