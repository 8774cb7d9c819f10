/*
 * marks.c - favourites, votes, read marks and the order of follows: entries whose keys and values are computed from what an app knows.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/entries.h"
#include "clients/c/outbox.h"

/* ---- items ---- */

struct item_place {
    char stream[WIRE_STREAM_MAX + 1];
    uint64_t born;
    char key[STATE_KEY_MAX + 1]; /* "STREAM/ID" */
};

/* TJZW_NOT_FOUND if it is not held. */
static enum tjzw_code find_item(struct tjzw *t, const char *id, struct item_place *out,
                                struct tjzw_error *e)
{
    uint8_t raw[WIRE_ID];
    sqlite3_stmt *q;
    enum tjzw_code rc;
    bool any = false;

    if (!id || !store_take_id(id, raw))
        return fail_with(e, TJZW_USAGE, "an id has 8-4-4-4-12 hex digits");
    if (!(q = store_bound(t, e, STMT_ITEM_PLACE, "b", (const void *)raw, sizeof raw)))
        return TJZW_STORE;
    if (!(rc = store_step(t, q, &any, e)) && any) {
        snprintf(out->stream, sizeof out->stream, "%s",
                 (const char *)sqlite3_column_text(q, 0));
        out->born = (uint64_t)sqlite3_column_int64(q, 1);
    }
    store_reset(q);
    if (rc || !any)
        return rc ? rc : fail_with(e, TJZW_NOT_FOUND, "no such item is held");
    snprintf(out->key, sizeof out->key, "%s/%s", out->stream, id);
    for (char *c = out->key + strlen(out->stream); *c; c++)
        *c = *c >= 'A' && *c <= 'F' ? (char)(*c - 'A' + 'a') : *c;
    return TJZW_OK;
}

/* The key of an entry of this type for this id, whether or not the item is held; out[0] '\0': there is none. */
static enum tjzw_code find_mark(struct tjzw *t, const char *type, const char *id,
                                char out[STATE_KEY_MAX + 1], struct tjzw_error *e)
{
    struct shown_list marks = { 0 };
    struct person p;
    enum tjzw_code rc = person_here(t, &p, e);

    out[0] = '\0';
    if (!rc && p.no)
        rc = entries_list(t, p.no, type, NULL, &marks, e);
    for (size_t i = 0; i < marks.n; i++) {
        const char *slash = strchr(marks.at[i].key, '/');

        if (slash && strcasecmp(slash + 1, id) == 0)
            snprintf(out, STATE_KEY_MAX + 1, "%s", marks.at[i].key);
    }
    entries_free(&marks);
    return rc;
}

/* An entry of an item that is held (value NULL: none any more, of whichever item it is). */
static enum tjzw_code mark(struct tjzw *t, const char *type, const char *id, const char *value,
                           struct tjzw_error *e)
{
    struct item_place at;
    char key[STATE_KEY_MAX + 1];
    enum tjzw_code rc = find_item(t, id, &at, e);

    if (rc == TJZW_NOT_FOUND && !value)
        return (rc = find_mark(t, type, id, key, e)) || !key[0]
                   ? rc
                   : tjzw_put(t, type, key, NULL, e);
    return rc ? rc : tjzw_put(t, type, at.key, value, e);
}

enum tjzw_code tjzw_fav(struct tjzw *t, const char *id, bool fav, struct tjzw_error *e)
{
    char value[48];

    snprintf(value, sizeof value, "{\"at\":%" PRId64 "}", t->clock() > 0 ? t->clock() : 0);
    return mark(t, "fav", id, fav ? value : NULL, e);
}

enum tjzw_code tjzw_vote(struct tjzw *t, const char *id, int useful, struct tjzw_error *e)
{
    static const char *const values[] = { "-1", NULL, "1" };

    if (useful < -1 || useful > 1)
        return fail_with(e, TJZW_USAGE, "a vote is -1, 0 or 1");
    return mark(t, "vote", id, values[useful + 1], e);
}

/* ---- read marks ---- */

static void block_key(const struct item_place *at, char out[STATE_KEY_MAX + 1])
{
    snprintf(out, STATE_KEY_MAX + 1, "%s/%" PRIu64, at->stream, at->born / STATE_BLOCK);
}

static enum tjzw_code is_marked(struct tjzw *t, const struct item_place *at, bool *out,
                                struct tjzw_error *e)
{
    struct shown_list marks = { 0 };
    char key[STATE_KEY_MAX + 1];
    struct person p;
    enum tjzw_code rc;

    *out = false;
    if ((rc = person_here(t, &p, e)) || !p.no)
        return rc;
    block_key(at, key);
    if (!(rc = entries_list(t, p.no, "read", key, &marks, e)) && marks.n == 1 &&
        strlen(marks.at[0].value) > 2)
        *out = merge_ranges_have(marks.at[0].value + 1, strlen(marks.at[0].value) - 2,
                                 (unsigned)(at->born % STATE_BLOCK));
    entries_free(&marks);
    return rc;
}

enum tjzw_code tjzw_is_read(struct tjzw *t, const char *id, bool *out, struct tjzw_error *e)
{
    struct item_place at;
    enum tjzw_code rc = find_item(t, id, &at, e);

    return rc ? rc : is_marked(t, &at, out, e);
}

enum tjzw_code tjzw_mark_read(struct tjzw *t, const char *id, struct tjzw_error *e)
{
    char key[STATE_KEY_MAX + 1], value[16];
    struct item_place at;
    bool already = false;
    enum tjzw_code rc;

    if ((rc = find_item(t, id, &at, e)) || (rc = is_marked(t, &at, &already, e)) || already)
        return rc;
    block_key(&at, key);
    snprintf(value, sizeof value, "\"%u\"", (unsigned)(at.born % STATE_BLOCK));
    return tjzw_put(t, "read", key, value, e);
}

/* ---- the order of follows ---- */

enum { RANK_MAX = 64, BASE = 62, RANK_LONG = 40 };

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static int digit(char c)
{
    const char *at = memchr(digits, c, BASE);

    return at ? (int)(at - digits) : 0;
}

/* A rank that sorts behind `a` and before `b` (NULL: the end), as short as may be. false: there is none of a decent length. */
static bool rank_between(const char *a, const char *b, char out[RANK_MAX + 1])
{
    size_t an = strlen(a);

    for (size_t i = 0; i < RANK_LONG; i++) {
        int low = i < an ? digit(a[i]) : 0, high = BASE;

        if (b && !b[i])
            return false; /* b is a, or a with zeros behind it */
        if (b)
            high = digit(b[i]);
        if (high - low > 1) {
            out[i] = digits[(low + high) / 2];
            out[i + 1] = '\0';
            return true;
        }
        out[i] = digits[low];
        if (high > low)
            b = NULL; /* whatever follows is before it */
    }
    return false;
}

/* {"rank":"…"} to its rank. */
static const char *rank_of(const struct shown *s, char out[RANK_MAX + 1])
{
    out[0] = '\0';
    if (sscanf(s->value, "{\"rank\":\"%64[0-9A-Za-z]\"}", out) != 1)
        out[0] = '\0';
    return out;
}

static int by_rank(const void *a, const void *b)
{
    char x[RANK_MAX + 1], y[RANK_MAX + 1];
    int order = strcmp(rank_of(a, x), rank_of(b, y));

    return order ? order
                 : strcmp(((const struct shown *)a)->key, ((const struct shown *)b)->key);
}

static enum tjzw_code list_follows(struct tjzw *t, struct shown_list *out, struct tjzw_error *e)
{
    struct person p;
    enum tjzw_code rc = person_here(t, &p, e);

    *out = (struct shown_list){ 0 };
    if (!rc && p.no)
        rc = entries_list(t, p.no, "follow", NULL, out, e);
    if (out->n > 1)
        qsort(out->at, out->n, sizeof *out->at, by_rank);
    return rc;
}

static enum tjzw_code put_rank(struct tjzw *t, const char *key, const char *rank,
                               struct tjzw_error *e)
{
    char value[RANK_MAX + 16];

    snprintf(value, sizeof value, "{\"rank\":\"%s\"}", rank);
    return tjzw_put(t, "follow", key, value, e);
}

/* Two digits each, evenly: when there is no room between two neighbours any more. */
static enum tjzw_code spread(struct tjzw *t, const struct shown_list *others, const char *key,
                             size_t place, struct tjzw_error *e)
{
    size_t all = others->n + 1, step = BASE * BASE / (all + 1);
    enum tjzw_code rc = TJZW_OK;

    for (size_t i = 0; i < all && !rc; i++) {
        size_t at = (i + 1) * (step ? step : 1);
        const char rank[] = { digits[at / BASE % BASE], digits[at % BASE], 'V', '\0' };

        rc = put_rank(t, i == place ? key : others->at[i - (i > place)].key, rank, e);
    }
    return rc;
}

static enum tjzw_code follow_among(struct tjzw *t, const struct shown_list *others,
                                   const char *key, uint32_t place, struct tjzw_error *e)
{
    char before[RANK_MAX + 1] = "", behind[RANK_MAX + 1], rank[RANK_MAX + 1];
    size_t at = place < others->n ? place : others->n;

    if (at > 0)
        rank_of(&others->at[at - 1], before);
    if (at < others->n)
        rank_of(&others->at[at], behind);
    if (!rank_between(before, at < others->n ? behind : NULL, rank))
        return spread(t, others, key, at, e);
    return put_rank(t, key, rank, e);
}

enum tjzw_code tjzw_follow_at(struct tjzw *t, const char *key, uint32_t place,
                              struct tjzw_error *e)
{
    struct shown_list list;
    enum tjzw_code rc = list_follows(t, &list, e);

    for (size_t i = 0; key && i < list.n; i++) {
        if (strcmp(list.at[i].key, key) != 0)
            continue;
        free(list.at[i].key);
        free(list.at[i].value);
        memmove(&list.at[i], &list.at[i + 1], (list.n - i - 1) * sizeof *list.at);
        list.n--;
        break;
    }
    if (!rc)
        rc = follow_among(t, &list, key, place, e);
    entries_free(&list);
    return rc;
}

enum tjzw_code tjzw_follows(struct tjzw *t, tjzw_entry_fn *fn, void *ctx, struct tjzw_error *e)
{
    struct shown_list list;
    enum tjzw_code rc = list_follows(t, &list, e);

    for (size_t i = 0; i < list.n && !rc; i++) {
        const struct tjzw_entry entry = { "follow", list.at[i].key, list.at[i].value,
                                          list.at[i].pending };

        if (!fn(ctx, &entry))
            break;
    }
    entries_free(&list);
    return rc;
}
