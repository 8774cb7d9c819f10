/*
 * alert.c - warnings that are in force, out of what is held: no network.
 *
 * A record says until when it holds; a phone that was off for a day does not show yesterday's storm as today's, though nobody told it that it is over.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/person.h"

enum { MOST = 500 };

static const char *const levels[] = { "红色", "橙色", "黄色", "蓝色" };
enum { LEVELS = sizeof levels / sizeof *levels };

struct held {
    json_t *record;
    char id[37];
    char *json;
    size_t json_len;
    int level; /* its place in `levels` */
    int64_t date;
};

struct heap {
    struct held *v;
    size_t n;
};

static void drop(struct heap *h)
{
    for (size_t i = 0; i < h->n; i++) {
        json_decref(h->v[i].record);
        free(h->v[i].json);
    }
    free(h->v);
}

static const char *text(const struct held *h, const char *name)
{
    const char *value = json_string_value(json_object_get(h->record, name));

    return value ? value : "";
}

static int level_of(const struct held *h)
{
    int i = 0;

    while (i < LEVELS && strcmp(levels[i], text(h, "level")) != 0)
        i++;
    return i;
}

/* ---- where ---- */

/* How many digits say where it is: 120000 is all of 12. */
static size_t telling(const char *area)
{
    size_t n = strlen(area);

    while (n > 6 && memcmp(area + n - 3, "000", 3) == 0)
        n -= 3;
    if (n == 6 && strcmp(area + 2, "0000") == 0)
        return 2;
    return n == 6 && strcmp(area + 4, "00") == 0 ? 4 : n;
}

static bool overlap(const char *a, const char *b)
{
    size_t x = telling(a), y = telling(b);

    return strncmp(a, b, x < y ? x : y) == 0;
}

static bool is_meant(const struct held *h, const char *area)
{
    const json_t *areas = json_object_get(h->record, "areas"), *one;
    size_t i;

    if (!area)
        return true;
    json_array_foreach(areas, i, one)
    {
        const char *code = json_string_value(one);

        if (code && overlap(code, area))
            return true;
    }
    return false;
}

/* ---- what is held ---- */

static enum tjzw_code take(struct heap *h, sqlite3_stmt *q, const char *area, int64_t now,
                           struct tjzw_error *e)
{
    const void *bytes = sqlite3_column_blob(q, 6);
    size_t n = (size_t)sqlite3_column_bytes(q, 6);
    struct held one = { .record = json_loadb(bytes, n, 0, NULL),
                        .date = sqlite3_column_int64(q, 4) };
    int64_t expires = store_time(text(&one, "expires"));

    if (strcmp(text(&one, "kind"), "warning") != 0 || !is_meant(&one, area) ||
        (expires && expires <= now)) {
        json_decref(one.record);
        return TJZW_OK;
    }
    if (!(one.json = malloc(n + 1))) {
        json_decref(one.record);
        return fail_with(e, TJZW_STORE, "out of memory");
    }
    memcpy(one.json, bytes, n);
    one.json[n] = '\0';
    one.json_len = n;
    one.level = level_of(&one);
    store_print_id(sqlite3_column_blob(q, 0), (size_t)sqlite3_column_bytes(q, 0), one.id);
    h->v[h->n++] = one;
    return TJZW_OK;
}

/* The worst first, then the newest. What is over stands last. */
static int by_level(const void *a, const void *b)
{
    const struct held *x = a, *y = b;
    int over = (strcmp(text(x, "msgType"), "Cancel") == 0) -
               (strcmp(text(y, "msgType"), "Cancel") == 0);

    if (over)
        return over;
    if (x->level != y->level)
        return x->level - y->level;
    return (y->date > x->date) - (y->date < x->date);
}

static void tell(struct heap *h, tjzw_alert_fn *fn, void *ctx)
{
    bool more = true;

    for (size_t i = 0; i < h->n && more; i++) {
        const struct held *one = &h->v[i];
        const struct tjzw_alert a = { .id = one->id,
                                      .identifier = text(one, "identifier"),
                                      .title = text(one, "title"),
                                      .level = text(one, "level"),
                                      .event = text(one, "event"),
                                      .source = text(one, "contentSource"),
                                      .body = text(one, "body"),
                                      .instruction = text(one, "instruction"),
                                      .over = strcmp(text(one, "msgType"), "Cancel") == 0,
                                      .sent = one->date,
                                      .effective = store_time(text(one, "effective")),
                                      .onset = store_time(text(one, "onset")),
                                      .expires = store_time(text(one, "expires")),
                                      .json = one->json,
                                      .json_len = one->json_len };

        more = fn(ctx, &a);
    }
}

/* 6, 9 or 12 digits. */
static bool is_area(const char *area)
{
    size_t n = strlen(area);

    return (n == 6 || n == 9 || n == 12) && strspn(area, "0123456789") == n;
}

enum tjzw_code tjzw_alerts(struct tjzw *t, const char *area, tjzw_alert_fn *fn, void *ctx,
                           struct tjzw_error *e)
{
    struct heap h = { calloc(MOST, sizeof *h.v), 0 };
    int64_t now = (int64_t)store_clock(t);
    enum tjzw_code rc = TJZW_OK;
    sqlite3_stmt *q;
    bool any;

    if (!h.v)
        return fail_with(e, TJZW_STORE, "out of memory");
    if (area && !is_area(area)) {
        free(h.v);
        return fail_with(e, TJZW_USAGE, "an area has 6, 9 or 12 digits");
    }
    if (!(q = store_stmt(t, STMT_ALERTS, e))) {
        free(h.v);
        return TJZW_STORE;
    }
    while (!rc && h.n < MOST && !(rc = store_step(t, q, &any, e)) && any)
        rc = take(&h, q, area, now, e);
    store_reset(q);
    if (!rc) {
        qsort(h.v, h.n, sizeof *h.v, by_level);
        tell(&h, fn, ctx);
    }
    drop(&h);
    return rc;
}
