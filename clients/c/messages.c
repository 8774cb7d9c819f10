/*
 * messages.c - messages to many: items of kind `message`, and whether they are for who holds the phone (sync/addressed.h).
 *
 * What he follows and where he lives is told here, of entries that are on the phone: no server is asked, and none learns who read what.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/entries.h"
#include "sync/addressed.h"

/* ---- his words: "column/main/12", "area/120101" ---- */

struct words {
    char **at;
    size_t n;
};

static void add(struct words *w, const char *prefix, const char *text, size_t n)
{
    char *word = malloc(strlen(prefix) + n + 1);

    w->at = realloc(w->at, (w->n + 1) * sizeof *w->at);
    if (!w->at || !word)
        abort();
    memcpy(word, prefix, strlen(prefix));
    memcpy(word + strlen(prefix), text, n);
    word[strlen(prefix) + n] = '\0';
    w->at[w->n++] = word;
}

/* Who lives in a street lives in its district. */
static void add_area(struct words *w, const char *code, size_t n)
{
    char area[ADDRESSED_AREA];

    if (n >= sizeof area)
        return;
    memcpy(area, code, n);
    area[n] = '\0';
    do
        add(w, "area/", area, strlen(area));
    while (addressed_area_around(area));
}

static void free_words(struct words *w)
{
    for (size_t i = 0; i < w->n; i++)
        free(w->at[i]);
    free(w->at);
}

static bool has(void *ctx, const char *word)
{
    const struct words *w = ctx;

    for (size_t i = 0; i < w->n; i++)
        if (strcmp(w->at[i], word) == 0)
            return true;
    return false;
}

static enum tjzw_code read_words(struct tjzw *t, int64_t person, struct words *w,
                                 struct tjzw_error *e)
{
    struct shown_list follows = { 0 }, areas = { 0 };
    enum tjzw_code rc;

    if (!(rc = entries_list(t, person, "follow", NULL, &follows, e)))
        rc = entries_list(t, person, "set", "area", &areas, e);
    for (size_t i = 0; i < follows.n && !rc; i++) {
        const char *key = follows.at[i].key;

        if (strncmp(key, "area/", 5) == 0)
            add_area(w, key + 5, strlen(key + 5));
        else
            add(w, "", key, strlen(key));
    }
    for (size_t i = 0; i < areas.n && !rc; i++) /* a text in quotes, without escapes */
        if (strlen(areas.at[i].value) > 2)
            add_area(w, areas.at[i].value + 1, strlen(areas.at[i].value) - 2);
    entries_free(&follows);
    entries_free(&areas);
    return rc;
}

/* ---- the messages ---- */

/* One without recipients is for everybody; one whose recipients cannot be read, for a later version of us. */
static bool is_for(const json_t *record, struct words *w)
{
    const json_t *recipients = json_object_get(record, "recipients");
    char *text;
    bool yes;

    if (!recipients)
        return true;
    text = json_dumps(recipients, JSON_COMPACT | JSON_SORT_KEYS);
    yes = text && addressed_tell(text, strlen(text), has, w) == ADDRESSED_YES;
    free(text);
    return yes;
}

/* Whether to go on. */
static bool tell(sqlite3_stmt *q, struct words *w, tjzw_item_fn *fn, void *ctx)
{
    struct tjzw_item item = { .stream = (const char *)sqlite3_column_text(q, 1),
                              .site = (const char *)sqlite3_column_text(q, 2),
                              .column = (const char *)sqlite3_column_text(q, 3),
                              .date = sqlite3_column_int64(q, 4),
                              .title = (const char *)sqlite3_column_text(q, 5),
                              .json = sqlite3_column_blob(q, 6),
                              .json_len = (size_t)sqlite3_column_bytes(q, 6),
                              .kept = sqlite3_column_int(q, 7) != 0 };
    json_t *record = json_loadb(item.json, item.json_len, 0, NULL);
    const char *kind = json_string_value(json_object_get(record, "kind"));
    bool on = true;

    store_print_id(sqlite3_column_blob(q, 0), (size_t)sqlite3_column_bytes(q, 0), item.id);
    if (kind && strcmp(kind, "message") == 0 && is_for(record, w))
        on = fn(ctx, &item);
    json_decref(record);
    return on;
}

enum tjzw_code tjzw_messages(struct tjzw *t, tjzw_item_fn *fn, void *ctx, struct tjzw_error *e)
{
    struct words w = { 0 };
    struct person p;
    sqlite3_stmt *q;
    enum tjzw_code rc;
    bool any, on = true;

    if ((rc = person_here(t, &p, e)) || (p.no && (rc = read_words(t, p.no, &w, e)))) {
        free_words(&w);
        return rc;
    }
    if ((q = store_bound(t, e, STMT_MESSAGES, ""))) {
        while (on && !(rc = store_step(t, q, &any, e)) && any)
            on = tell(q, &w, fn, ctx);
        store_reset(q);
    } else {
        rc = TJZW_STORE;
    }
    free_words(&w);
    return rc;
}
