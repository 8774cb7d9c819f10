/*
 * count.c - how often the items on this phone were read: counted if its owner agreed, told of once a day, without saying whose phone it is.
 *
 *     read --consent--> row of the day --the day is over--> report: a random name, the numbers as they stand, a random moment of the next day --COMMIT-->
 *         POST /v1/counts, the same bytes, without a token --> 200 or 400: it goes.   anything else: later
 *
 * Name and numbers are one row, made in one transaction and never changed; so a report that was sent and not heard of is the same report again, and the server
 * counts it once. A day is Beijing's. What the server would not take any more goes untold: days that are three days past, and those that a clock which ran ahead
 * has made up. What was read is its reader's, like all that is private: it moves with a guest who signs in, and goes with who signs out.
 */
#include "clients/c/count.h"

#include <inttypes.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clients/c/call.h"
#include "clients/c/entries.h"
#include "clients/c/people.h"

enum {
    DAY = 86400,
    BEIJING = 8 * 3600,
    LATE = 3, /* days after which a day may still be told of */
    NAME = 16,
    NAME_TEXT = 22,
    AGAIN_S = 3600 /* after a failure, and a random part of that more */
};

/* Days since 1970, in Beijing. */
static int64_t today(struct tjzw *t)
{
    return ((int64_t)store_clock(t) + BEIJING) / DAY;
}

static int64_t begin_of(int64_t day)
{
    return day * DAY - BEIJING;
}

static enum tjzw_code has_consent(struct tjzw *t, int64_t person, bool *out,
                                  struct tjzw_error *e)
{
    struct shown_list said = { 0 };
    enum tjzw_code rc = entries_list(t, person, "consent", "counts", &said, e);

    *out = said.n == 1 && strcmp(said.at[0].value, "true") == 0;
    entries_free(&said);
    return rc;
}

enum tjzw_code count_forget(struct tjzw *t, int64_t person, struct tjzw_error *e)
{
    enum tjzw_code rc = store_do(t, e, STMT_COUNT_WIPE, "i", person);

    return rc ? rc : store_do(t, e, STMT_REPORT_WIPE, "i", person);
}

/* ---- counting ---- */

enum tjzw_code tjzw_count_read(struct tjzw *t, const char *id, struct tjzw_error *e)
{
    uint8_t raw[WIRE_ID];
    bool consent = false;
    struct person p;
    enum tjzw_code rc;

    if (!id || !store_take_id(id, raw))
        return fail_with(e, TJZW_USAGE, "an id has 8-4-4-4-12 hex digits");
    if ((rc = item_find(t, raw, NULL, e)) || (rc = person_here(t, &p, e)) || !p.no ||
        (rc = has_consent(t, p.no, &consent, e)) || !consent)
        return rc;
    return store_do(t, e, STMT_COUNT_ADD, "iib", p.no, today(t), (const void *)raw, sizeof raw);
}

/* ---- a day becomes a report ---- */

/* "2026-11-21" */
static void print_day(int64_t day, char out[32])
{
    time_t noon = (time_t)(day * DAY + DAY / 2);
    struct tm tm;

    gmtime_r(&noon, &tm);
    strftime(out, 32, "%Y-%m-%d", &tm);
}

/* All that was read on a day, as the report says it. */
static enum tjzw_code list_reads(struct tjzw *t, int64_t person, int64_t day, json_t *out,
                                 struct tjzw_error *e)
{
    sqlite3_stmt *q = store_bound(t, e, STMT_COUNT_LIST, "ii", person, day);
    enum tjzw_code rc;
    char id[37];
    bool any;

    if (!q)
        return TJZW_STORE;
    while (!(rc = store_step(t, q, &any, e)) && any) {
        store_print_id(sqlite3_column_blob(q, 0), (size_t)sqlite3_column_bytes(q, 0), id);
        json_array_append_new(out, json_pack("{s:s,s:I}", "item", id, "reads",
                                             (json_int_t)sqlite3_column_int64(q, 1)));
    }
    store_reset(q);
    return rc;
}

static enum tjzw_code make_report(struct tjzw *t, int64_t person, int64_t day,
                                  struct tjzw_error *e)
{
    json_t *reads = json_array(), *body;
    char name[NAME_TEXT + 1], date[32], *text;
    uint8_t bits[NAME];
    enum tjzw_code rc = list_reads(t, person, day, reads, e);

    randombytes_buf(bits, sizeof bits);
    sodium_bin2base64(name, sizeof name, bits, sizeof bits,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    print_day(day, date);
    body = json_pack("{s:s,s:o,s:s}", "day", date, "reads", reads, "report", name);
    text = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);
    if (!text)
        abort();
    if (!rc)
        rc = store_do(t, e, STMT_REPORT_ADD, "tiiti", name, person, day, text,
                      begin_of(day + 1) + (int64_t)randombytes_uniform(DAY));
    json_decref(body);
    free(text);
    return rc ? rc : store_do(t, e, STMT_COUNT_DROP, "ii", person, day);
}

/* A day that is over and has no report yet; 0: there is none. */
static enum tjzw_code next_day(struct tjzw *t, int64_t person, int64_t now, int64_t *out,
                               struct tjzw_error *e)
{
    sqlite3_stmt *q = store_bound(t, e, STMT_COUNT_NEXT, "ii", person, now);
    enum tjzw_code rc;
    bool any;

    if (!q)
        return TJZW_STORE;
    *out = !(rc = store_step(t, q, &any, e)) && any ? sqlite3_column_int64(q, 0) : 0;
    store_reset(q);
    return rc;
}

/* In a transaction. */
static enum tjzw_code make_reports(struct tjzw *t, int64_t person, int64_t now,
                                   struct tjzw_error *e)
{
    bool consent = false;
    int64_t day = 0;
    enum tjzw_code rc = has_consent(t, person, &consent, e);

    if (rc || !consent)
        return rc ? rc : count_forget(t, person, e);
    if ((rc = store_do(t, e, STMT_COUNT_WEED, "iii", person, now - LATE, now)) ||
        (rc = store_do(t, e, STMT_REPORT_WEED, "iii", person, now - LATE, now)))
        return rc;
    while (!(rc = next_day(t, person, now, &day, e)) && day)
        if ((rc = make_report(t, person, day, e)))
            return rc;
    return rc;
}

/* ---- a report is sent ---- */

struct report {
    char name[NAME_TEXT + 1];
    char *body; /* free it; NULL: none is due */
};

static enum tjzw_code next_report(struct tjzw *t, int64_t person, struct report *out,
                                  struct tjzw_error *e)
{
    sqlite3_stmt *q = store_bound(t, e, STMT_REPORT_DUE, "ii", person, t->clock());
    enum tjzw_code rc;
    bool any;

    *out = (struct report){ 0 };
    if (!q)
        return TJZW_STORE;
    if (!(rc = store_step(t, q, &any, e)) && any) {
        snprintf(out->name, sizeof out->name, "%s", (const char *)sqlite3_column_text(q, 0));
        out->body = strdup((const char *)sqlite3_column_text(q, 1));
    }
    store_reset(q);
    return rc;
}

/* 400 is final: that report is never good. *heard: the server has said something about it that stands. */
static enum tjzw_code conclude(struct tjzw *t, const struct report *r, const struct call *c,
                               bool *heard, struct tjzw_error *e)
{
    int64_t later = c->retry_after > AGAIN_S ? c->retry_after : AGAIN_S;

    *heard = c->status == 200 || c->status == 400;
    if (*heard)
        return store_do(t, e, STMT_REPORT_DROP, "t", r->name);
    return store_do(t, e, STMT_REPORT_LATER, "ti", r->name,
                    t->clock() + later + (int64_t)randombytes_uniform(AGAIN_S));
}

static enum tjzw_code send_report(struct link *l, const struct report *r, bool *heard,
                                  struct tjzw_sync_result *out, struct tjzw_error *e)
{
    struct call c = {
        .method = "POST", .path = "/v1/counts", .body = r->body, .size = strlen(r->body)
    };
    struct tjzw_error unheard;
    struct person server = { 0 };
    enum tjzw_code rc;

    if ((rc = people_server(l->t, &server, e)))
        return rc;
    out->requests++;
    out->skipped = false;
    (void)!call_make(l, server.url, server.cacert, &c, &unheard);
    rc = conclude(l->t, r, &c, heard, e);
    call_done(&c);
    return rc;
}

static enum tjzw_code send_those_due(struct link *l, int64_t person,
                                     struct tjzw_sync_result *out, struct tjzw_error *e)
{
    bool heard = true;
    struct report r;
    enum tjzw_code rc = TJZW_OK;

    while (!rc && heard && !link_must_stop(l) && !(rc = next_report(l->t, person, &r, e)) &&
           r.body) {
        rc = send_report(l, &r, &heard, out, e);
        free(r.body);
    }
    return rc;
}

enum tjzw_code count_run(struct link *l, struct tjzw_sync_result *out, struct tjzw_error *e)
{
    struct tjzw *t = l->t;
    struct person p;
    enum tjzw_code rc;

    if ((rc = person_here(t, &p, e)) || !p.no || !store_any(t, STMT_COUNT_ANY, "i", p.no) ||
        (rc = person_begin(t, e)))
        return rc;
    rc = person_end(t, make_reports(t, p.no, today(t), e), e);
    return rc ? rc : send_those_due(l, p.no, out, e);
}

int64_t count_due(struct tjzw *t)
{
    sqlite3_stmt *q = store_bound(t, NULL, STMT_REPORT_NEXT, "");
    int64_t due = INT64_MAX;
    bool any;

    if (!q)
        return due;
    if (!store_step(t, q, &any, NULL) && any && sqlite3_column_type(q, 0) != SQLITE_NULL)
        due = sqlite3_column_int64(q, 0);
    store_reset(q);
    return due;
}
