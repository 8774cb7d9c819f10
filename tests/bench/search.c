/*
 * search.c - the search index over a made library: how long it takes to make, how large it is, and how long it takes to answer.
 *
 *     search DIR TEXTS QUERIES        says {"items", "index_s", "index_bytes", "text_bytes", "like_ms", "kinds": [{"kind", "n", "found", "cpu_us": [p50, p99, worst], "wall_us": [...]}]}
 *
 * TEXTS has an article a line: title, tab, day as seconds, tab, body. They are written into the tables of a new library as publishing leaves them (one transaction, no heads), and then the
 * projection takes them by the same code as in a server. Queries are drawn from the texts, so that they have the lengths of words and their frequencies; each is a page of 20 by
 * search_find(), parsed, found, verified, checked against the library and shown with marks. cpu is the thread's own, which other work of the machine does not change; the LIKE scan is of the records.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <sqlite3.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/base/log.h"
#include "server/derived/derived.h"
#include "server/library/column.h"
#include "server/library/site.h"
#include "server/library/stream.h"
#include "server/search/find.h"
#include "server/search/index.h"
#include "server/search/query.h"
#include "server/store/db.h"

enum { DRAWN = 4000 };

static const struct projection *const table[] = { &search_projection, NULL };
static struct work w;
static char path[4096];
static char *drawn[DRAWN];
static int ndrawn;
static int64_t items, text_bytes, column_no, site_no;

static void must(enum rc rc)
{
    if (rc)
        errx(1, "%s", w.err.text);
}

/* ---- the library ---- */

static void found_library(void)
{
    struct site site = { .code = "1200000000", .name = "天津市人民政府" };
    struct stream stream;
    struct column column;

    must(db_begin(&w));
    must(stream_make(&w, "main", &stream));
    site.stream = stream.no;
    must(site_create(&w, &site));
    must(column_at(&w, site.no, "新闻", true, &column));
    must(db_commit(&w));
    work_committed(&w);
    site_no = site.no;
    column_no = column.no;
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *s;

    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL))
        errx(1, "%s: %s", sql, sqlite3_errmsg(db));
    return s;
}

static void run(sqlite3_stmt *s)
{
    if (sqlite3_step(s) != SQLITE_DONE)
        errx(1, "%s", sqlite3_errmsg(sqlite3_db_handle(s)));
    sqlite3_reset(s);
}

static void make_record(struct buf *b, int64_t i, const char *title, const char *body)
{
    static const char *const themes[] = { "民政", "财政", "教育", "卫生", "交通", "罕见" };
    int theme = i % 1000 == 7 ? 5 : (int)(i % 5);

    b->n = 0;
    buf_addc(b, '{');
    jx_put_text(b, "body", body);
    jx_put_text(b, "kind", i % 50 == 3 ? "faq" : i % 3 ? "article" : "policy");
    jx_put_text(b, "theme", themes[theme]);
    jx_put_text(b, "title", title);
    jx_put_text(b, "validity", i % 4 ? "有效" : "废止");
    buf_addc(b, '}');
}

static sqlite3_stmt *add[4];

static void put(int64_t i, const char *title, int64_t date, const char *body, struct buf *b)
{
    uint8_t id[16] = { 0 }, hash[32] = { 0 };

    make_record(b, i, title, body);
    memcpy(id, &i, sizeof i);
    text_bytes += (int64_t)strlen(body);
    for (int k = 0; k < 4; k++) {
        sqlite3_bind_int64(add[k], 1, i + 1);
        sqlite3_bind_int64(add[k], 2, i);
        sqlite3_bind_blob(add[k], 3, id, sizeof id, SQLITE_STATIC);
        sqlite3_bind_int64(add[k], 4, date);
        sqlite3_bind_text(add[k], 5, title, -1, SQLITE_STATIC);
        sqlite3_bind_blob(add[k], 6, hash, sizeof hash, SQLITE_STATIC);
        sqlite3_bind_blob(add[k], 7, b->p, (int)b->n, SQLITE_STATIC);
        sqlite3_bind_int64(add[k], 8, site_no);
        sqlite3_bind_int64(add[k], 9, column_no);
        run(add[k]);
    }
}

/* A piece of the text that begins anywhere, for queries. */
static void draw(const char *body)
{
    size_t n = strlen(body), at = n ? (size_t)rand() % n : 0;

    while (body[at] && ((unsigned char)body[at] & 0xc0) == 0x80)
        at++;
    drawn[ndrawn++] = strndup(body + at, 90);
}

static void fill(const char *texts)
{
    static const char *const sql[4] = {
        "INSERT INTO change (stream, seq, born, item, rev, op, flags, site, col, date, title, "
        "length, digest, chain, at) "
        "SELECT 1, ?1, ?2, ?3, 1, 1, 0, ?8, ?9, ?4, ?5, length(?7), ?6, ?6, ?4",
        "INSERT INTO record (stream, seq, bytes) SELECT 1, ?1, ?7 WHERE ?2 + length(?3) + ?4 + "
        "length(?5) + length(?6) + ?8 + ?9 IS NOT NULL",
        "INSERT INTO leaf (stream, born, seq, hash) SELECT 1, ?2, ?1, ?6 WHERE length(?3) + ?4 "
        "+ length(?5) + length(?7) + ?8 + ?9 IS NOT NULL",
        "INSERT INTO item (id, stream, born, site, col, kind, state, rev, live_rev, seq, "
        "authority, content_hash, title, date, created) "
        "SELECT ?3, 1, ?2, ?8, ?9, 'article', 'published', 1, 1, ?1, 'main', ?6, ?5, ?4, ?4 "
        "WHERE length(?7) > 0",
    };
    FILE *in = fopen(texts, "r");
    struct buf b = BUF_HEAP;
    char *line = NULL, *day, *body;
    size_t room = 0;
    sqlite3 *db;

    if (!in || sqlite3_open(path, &db))
        err(1, "%s", texts);
    sqlite3_exec(db, "PRAGMA synchronous = OFF; BEGIN", NULL, NULL, NULL);
    for (int k = 0; k < 4; k++)
        add[k] = prepare(db, sql[k]);
    while (getline(&line, &room, in) > 0) {
        line[strcspn(line, "\n")] = '\0';
        if (!(day = strchr(line, '\t')) || !(body = strchr(day + 1, '\t')))
            continue;
        *day++ = *body++ = '\0';
        put(items, line, atoll(day), body, &b);
        if (ndrawn < DRAWN && items % 23 == 0)
            draw(body);
        items++;
    }
    sqlite3_exec(db,
                 "UPDATE stream SET seq = (SELECT max(seq) FROM change), born = seq; COMMIT",
                 NULL, NULL, NULL);
    for (int k = 0; k < 4; k++)
        sqlite3_finalize(add[k]);
    sqlite3_close(db);
    fclose(in);
    buf_done(&b);
}

/* ---- time ---- */

static double us(clockid_t which)
{
    struct timespec t;

    clock_gettime(which, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void say_times(const char *name, double *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, by_size);
    printf(", \"%s\": [%.0f, %.0f, %.0f]", name, v[n / 2], v[n * 99 / 100], v[n - 1]);
}

/* ---- queries ---- */

static size_t chars(const char *s, int n)
{
    size_t at = 0;

    while (s[at] && n) {
        at++;
        while (((unsigned char)s[at] & 0xc0) == 0x80)
            at++;
        n--;
    }
    return at;
}

/* `n` characters of a text somewhere, or two such pieces with a blank. */
static const char *query(struct arena *mem, int n, int pieces)
{
    const char *a = drawn[rand() % ndrawn], *b = a + chars(a, n + 2);

    if (pieces == 1)
        return arena_strndup(mem, a, chars(a, n));
    return arena_printf(mem, "%.*s %.*s", (int)chars(a, n), a, (int)chars(b, n), b);
}

static const struct kind {
    const char *name;
    int chars, pieces;
    struct search_filter filter;
    const char *always;
} kinds[] = {
    { "one character", 1, 1, { 0 }, NULL },
    { "two characters", 2, 1, { 0 }, NULL },
    { "three characters", 3, 1, { 0 }, NULL },
    { "four characters", 4, 1, { 0 }, NULL },
    { "eight characters", 8, 1, { 0 }, NULL },
    { "two words of two", 2, 2, { 0 }, NULL },
    { "two characters, a rare theme", 2, 1, { .theme = "罕见" }, NULL },
    { "two characters, a kind and a validity",
      2,
      1,
      { .kind = "policy", .validity = "有效" },
      NULL },
    { "a common character, a rare theme", 1, 1, { .theme = "罕见" }, "的" },
    { "two characters, a month", 2, 1, { .from = 1704038400, .until = 1706716800 }, NULL },
    { "the commonest: 的", 1, 1, { 0 }, "的" },
    { "nothing has it", 1, 1, { 0 }, "饕餮貔貅" },
};

static bool is_askable(const char *q)
{
    struct query parsed;
    struct err e;

    return !query_parse(&e, w.mem, q, strlen(q), false, &parsed);
}

static void measure(const struct kind *k, int n)
{
    double *cpu = calloc((size_t)n, sizeof *cpu), *wall = calloc((size_t)n, sizeof *wall);
    struct arena *mem = w.mem;
    int64_t found = 0;

    for (int i = 0; i < n;) {
        struct search_ask in = { .filter = k->filter, .limit = 20 };
        struct search_page page;
        double cpu_us, wall_us;

        w.mem = arena_new();
        in.q = k->always ? k->always : query(w.mem, k->chars, k->pieces);
        in.q_n = strlen(in.q);
        if (is_askable(in.q)) {
            cpu_us = us(CLOCK_THREAD_CPUTIME_ID);
            wall_us = us(CLOCK_MONOTONIC);
            must(search_find(&w, &in, &page));
            cpu[i] = us(CLOCK_THREAD_CPUTIME_ID) - cpu_us;
            wall[i++] = us(CLOCK_MONOTONIC) - wall_us;
            found += page.n;
        }
        arena_free(w.mem);
    }
    w.mem = mem;
    printf("{\"kind\": \"%s\", \"n\": %d, \"found\": %.1f", k->name, n, (double)found / n);
    say_times("cpu_us", cpu, n);
    say_times("wall_us", wall, n);
    printf("}");
    free(cpu);
    free(wall);
}

/* What a search without an index is: CPU milliseconds. */
static double scan(void)
{
    double began, took;
    sqlite3_stmt *s;
    sqlite3 *db;

    if (sqlite3_open(path, &db))
        errx(1, "%s", path);
    s = prepare(db,
                "SELECT seq FROM record WHERE CAST(bytes AS TEXT) LIKE '%饕餮貔貅%' LIMIT 20");
    sqlite3_step(s);
    sqlite3_reset(s);
    began = us(CLOCK_THREAD_CPUTIME_ID);
    sqlite3_step(s);
    took = us(CLOCK_THREAD_CPUTIME_ID) - began;
    sqlite3_finalize(s);
    sqlite3_close(db);
    return took / 1000;
}

int main(int argc, char **argv)
{
    double began;
    struct stat st;
    char derived_path[5000];
    int n;

    if (argc != 4)
        errx(64, "usage: search DIR TEXTS QUERIES");
    srand(1);
    log_set_fd(-1);
    n = atoi(argv[3]);
    snprintf(path, sizeof path, "%s/" DB_NAME, argv[1]);
    work_init(&w, arena_new(), NULL, "operator", RIGHT_ALL);
    must(db_open(&w.err, path, DB_WRITE, &w.db));
    found_library();
    fill(argv[2]);
    must(derived_open(&w.err, argv[1], table));
    began = us(CLOCK_THREAD_CPUTIME_ID);
    must(derived_catch_up(&w));
    snprintf(derived_path, sizeof derived_path, "%s/" DB_DERIVED_NAME, argv[1]);
    printf("{\"items\": %lld, \"index_s\": %.1f", (long long)items,
           (us(CLOCK_THREAD_CPUTIME_ID) - began) / 1e6);
    stat(derived_path, &st);
    printf(", \"index_bytes\": %lld, \"text_bytes\": %lld, \"like_ms\": %.0f, \"kinds\": [",
           (long long)st.st_size, (long long)text_bytes, scan());
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        fputs(i ? ", " : "", stdout);
        measure(&kinds[i], n);
    }
    printf("]}\n");
    derived_close();
    db_close(w.db);
    return 0;
}
