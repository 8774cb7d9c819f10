/*
 * count_report.c - read, checked against the library, taken once.
 *
 *     body --read--> entries --check--> which items there are --take--> name unseen? --> rows of read_count
 *
 * The name and what it adds are one transaction, so a report that was lost before or after it took effect is sent again as it was. What is beyond
 * belief (an item read more than 100 times in a day, an address with too many phones) stands apart: nobody is told that he is a liar, and no
 * number of the public's is moved by one.
 */
#include "server/citizen/count_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/base/secret.h"
#include "server/base/sketch.h"
#include "server/citizen/count.h"
#include "server/store/db.h"

enum { NAME_TEXT = 22 };

static struct { /* the writer's thread only */
    int64_t per_address;
    int64_t today;          /* of the reports in … */
    struct sketch *clients; /* … how many each address sent */
} here;

void count_report_open(int64_t per_address)
{
    here.per_address = per_address;
    here.today = 0;
    if (!here.clients)
        here.clients = sketch_new();
}

/* ---- read ---- */

static enum rc read_day(struct err *e, const char *text, int64_t now, int64_t *out)
{
    int64_t at;

    if (strlen(text) != strlen("2026-11-21") || clock_parse(text, strlen(text), &at))
        return err_field(e, "/day", "a day is written as 2026-11-21");
    if (at > count_day(now))
        return err_field(e, "/day", "that day has not come yet");
    if (at < count_day(now) - COUNT_LATE)
        return err_field(e, "/day",
                         "that day is over for counting: tell of a day within three days");
    *out = at;
    return RC_OK;
}

static enum rc read_entry(struct err *e, struct arena *mem, const json_t *o, int i,
                          struct count_entry *out)
{
    static const struct jx_field members[] = {
        { "item", JX_TEXT, true, ID_TEXT - 1, ID_TEXT - 1 },
        { "reads", JX_INT, true, 1, COUNT_READS_MOST },
        { 0 },
    };
    const char *at = arena_printf(mem, "/reads/%d", i), *item;
    enum rc rc;

    if ((rc = jx_check(e, o, members, at)))
        return rc;
    item = jx_text(o, "item");
    if (!id_parse(item, strlen(item), &out->item))
        return err_field(e, arena_printf(mem, "%s/item", at), "that is no item's number");
    out->reads = jx_int(o, "reads", 0);
    out->verdict = out->reads > COUNT_READS ? COUNT_IMPLAUSIBLE : COUNT_GOOD;
    return RC_OK;
}

static int compare(const void *a, const void *b)
{
    return memcmp(((const struct count_entry *)a)->item.b,
                  ((const struct count_entry *)b)->item.b, ID_BYTES);
}

/* In the order of the items, so that two of one stand together. */
static enum rc check_entries(struct err *e, struct count_report *r)
{
    int64_t total = 0;

    qsort(r->entries, (size_t)r->n, sizeof *r->entries, compare);
    for (int i = 0; i < r->n; i++) {
        if (i && !compare(&r->entries[i - 1], &r->entries[i]))
            return err_field(e, "/reads", "an item stands there twice");
        total += r->entries[i].reads;
    }
    for (int i = 0; i < r->n && total > COUNT_TOTAL; i++)
        r->entries[i].verdict = COUNT_IMPLAUSIBLE;
    return RC_OK;
}

enum rc count_report_read(struct err *e, struct arena *mem, const char *text, size_t n,
                          int64_t now, struct count_report *out)
{
    static const struct jx_field members[] = {
        { "day", JX_TEXT, true, 1, 10 },
        { "reads", JX_OBJECTS, true, 1, COUNT_ENTRIES },
        { "report", JX_TEXT, true, NAME_TEXT, NAME_TEXT },
        { 0 },
    };
    struct count_report r = { 0 };
    json_t *body, *list;
    const char *name;
    enum rc rc;

    if ((rc = jx_object(e, mem, text, n, &body)) || (rc = jx_check(e, body, members, "")) ||
        (rc = read_day(e, jx_text(body, "day"), now, &r.day)))
        return rc;
    name = jx_text(body, "report");
    if (b64url_parse(name, strlen(name), r.name, sizeof r.name) != sizeof r.name)
        return err_field(e, "/report", "a report's name is 16 random bytes as base64url");
    list = json_object_get(body, "reads");
    r.n = (int)json_array_size(list);
    r.entries = arena_zalloc(mem, (size_t)r.n * sizeof *r.entries);
    for (int i = 0; i < r.n; i++)
        if ((rc = read_entry(e, mem, json_array_get(list, (size_t)i), i, &r.entries[i])))
            return rc;
    if ((rc = check_entries(e, &r)))
        return rc;
    *out = r;
    return RC_OK;
}

/* ---- checked ---- */

enum rc count_report_check(struct work *w, struct count_report *r)
{
    for (int i = 0; i < r->n; i++) {
        struct count_entry *c = &r->entries[i];
        struct rows q;
        enum rc rc;

        if ((rc = db_query(w, SQL_count_item, &q, "b", c->item.b, sizeof c->item.b)))
            return rc;
        if (!rows_next(&q))
            c->verdict = COUNT_UNKNOWN;
        if ((rc = rows_done(&q)))
            return rc;
    }
    return RC_OK;
}

/* ---- taken ---- */

/* Whether the report came before; if not it has now. */
static enum rc is_known(struct work *w, const struct count_report *r, bool *known)
{
    uint8_t hash[32];
    int64_t key;
    struct rows q;
    enum rc rc;

    secret_mac(NULL, r->name, sizeof r->name, hash);
    memcpy(&key, hash, sizeof key);
    if ((rc = db_query(w, SQL_count_report_add, &q, "ii", r->day, key)))
        return rc;
    *known = !rows_next(&q);
    return rows_done(&q);
}

static bool is_flood(uint64_t client)
{
    int64_t today = count_day(clock_now());

    if (!here.per_address)
        return false;
    if (here.today != today)
        sketch_clear(here.clients);
    here.today = today;
    return sketch_meet(here.clients, &client, sizeof client) >= here.per_address;
}

enum rc count_report_take(struct work *w, const struct count_report *r, uint64_t client,
                          struct count_taken *out)
{
    struct count_taken taken = { 0 };
    bool flood;
    enum rc rc;

    if ((rc = is_known(w, r, &taken.known)))
        return rc;
    flood = !taken.known && is_flood(client);
    for (int i = 0; i < r->n && !taken.known; i++) {
        const struct count_entry *e = &r->entries[i];
        bool believed = e->verdict == COUNT_GOOD && !flood;
        struct count c = { .item = e->item,
                           .day = r->day,
                           .channel = COUNT_PHONE,
                           .reads = believed ? e->reads : 0,
                           .apart = believed ? 0 : e->reads };
        int64_t apart;

        if (e->verdict == COUNT_UNKNOWN)
            continue;
        if ((rc = count_add(w, &c, &apart)))
            return rc;
        taken.apart += apart;
        taken.counted += e->reads - apart;
    }
    *out = taken;
    return RC_OK;
}
