/*
 * person.c - who is on this phone, who was, and what of theirs the store holds.
 *
 *     nobody --first thing written--> HERE, a guest of account 0 --first exchange--> HERE, a guest the server knows
 *        ^                              |  signs in                                   |  signs in
 *        |                              v                                             v
 *        |                            HERE, with an account <-------------------- ADOPTED: the server merges it, then it is forgotten
 *        |                              |  signs out, or the session was ended
 *        '------------------------------+--> LEAVING: tokens alone, until the server was told --> forgotten
 *                                       '--> AWAY: what was not sent, sealed --> the same account signs in again, or 90 days pass
 *
 * Every row of what is private has its person's number, and every statement asks for it.
 */
#include "clients/c/person.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clients/c/entries.h"
#include "clients/c/vault.h"

enum { POLL_S = 300 };

/* ---- statements ---- */

static sqlite3_stmt *bound(struct tjzw *t, struct tjzw_error *e, enum stmt which,
                           const char *types, va_list args)
{
    sqlite3_stmt *q = store_stmt(t, which, e);

    for (int i = 1; q && *types; i++, types++) {
        switch (*types) {
        case 'i': sqlite3_bind_int64(q, i, va_arg(args, int64_t)); break;
        case 't':
            sqlite3_bind_text(q, i, va_arg(args, const char *), -1, SQLITE_TRANSIENT);
            break;
        case 'b': {
            const void *bytes = va_arg(args, const void *);

            sqlite3_bind_blob64(q, i, bytes, va_arg(args, size_t), SQLITE_TRANSIENT);
        }
        }
    }
    return q;
}

enum tjzw_code store_do(struct tjzw *t, struct tjzw_error *e, enum stmt which,
                        const char *types, ...)
{
    sqlite3_stmt *q;
    va_list args;

    va_start(args, types);
    q = bound(t, e, which, types, args);
    va_end(args);
    return q ? store_run(t, q, e) : TJZW_STORE;
}

sqlite3_stmt *store_bound(struct tjzw *t, struct tjzw_error *e, enum stmt which,
                          const char *types, ...)
{
    sqlite3_stmt *q;
    va_list args;

    va_start(args, types);
    q = bound(t, e, which, types, args);
    va_end(args);
    return q;
}

enum tjzw_code store_step(struct tjzw *t, sqlite3_stmt *q, bool *any, struct tjzw_error *e)
{
    int code = sqlite3_step(q);

    *any = code == SQLITE_ROW;
    return code == SQLITE_ROW || code == SQLITE_DONE ? TJZW_OK : store_error(t, e);
}

bool store_any(struct tjzw *t, enum stmt which, const char *types, ...)
{
    sqlite3_stmt *q;
    bool any = false;
    va_list args;

    va_start(args, types);
    q = bound(t, NULL, which, types, args);
    va_end(args);
    if (q && store_step(t, q, &any, NULL))
        any = false;
    if (q)
        store_reset(q);
    return any;
}

/* ---- transactions ---- */

enum tjzw_code person_begin(struct tjzw *t, struct tjzw_error *e)
{
    enum tjzw_code rc = store_do(t, e, STMT_SYNC_FULL, "");

    return rc ? rc : store_do(t, e, STMT_BEGIN, "");
}

enum tjzw_code person_end(struct tjzw *t, enum tjzw_code rc, struct tjzw_error *e)
{
    if (!rc)
        rc = store_do(t, e, STMT_COMMIT, "");
    if (rc && !sqlite3_get_autocommit(t->db))
        (void)!store_do(t, NULL, STMT_ROLLBACK, "");
    (void)!store_do(t, NULL, STMT_SYNC_NORMAL, "");
    entries_tell(t, rc == TJZW_OK);
    return rc;
}

/* ---- rows ---- */

static void take_text(sqlite3_stmt *q, int column, char *out, size_t room)
{
    const char *text = (const char *)sqlite3_column_text(q, column);

    snprintf(out, room, "%s", text ? text : "");
}

static void take_row(sqlite3_stmt *q, struct person *out)
{
    out->no = sqlite3_column_int64(q, 0);
    out->state = (enum person_state)sqlite3_column_int(q, 1);
    out->account = sqlite3_column_int64(q, 2);
    out->guest = sqlite3_column_int(q, 3);
    out->ended = sqlite3_column_int(q, 4);
    out->level = (uint32_t)sqlite3_column_int64(q, 5);
    take_text(q, 6, out->url, sizeof out->url);
    take_text(q, 7, out->cacert, sizeof out->cacert);
    take_text(q, 8, out->access, sizeof out->access);
    take_text(q, 9, out->refresh, sizeof out->refresh);
    take_text(q, 10, out->known, sizeof out->known);
    take_text(q, 11, out->device, sizeof out->device);
    out->next_n = sqlite3_column_int64(q, 12);
    out->acked = sqlite3_column_int64(q, 13);
    take_text(q, 14, out->cursor, sizeof out->cursor);
    out->round = sqlite3_column_int64(q, 15);
    out->resetting = sqlite3_column_int(q, 16);
    out->checked = sqlite3_column_int64(q, 17);
    out->tried = sqlite3_column_int64(q, 18);
    out->poll = (uint32_t)sqlite3_column_int64(q, 19);
    out->failures = (uint32_t)sqlite3_column_int64(q, 20);
    out->gone = sqlite3_column_int64(q, 21);
}

static enum tjzw_code one_row(struct tjzw *t, sqlite3_stmt *q, struct person *out,
                              struct tjzw_error *e)
{
    enum tjzw_code rc;
    bool any = false;

    *out = (struct person){ 0 };
    if (!q)
        return TJZW_STORE;
    if (!(rc = store_step(t, q, &any, e)) && any)
        take_row(q, out);
    store_reset(q);
    return rc;
}

enum tjzw_code person_here(struct tjzw *t, struct person *out, struct tjzw_error *e)
{
    return one_row(t, store_bound(t, e, STMT_PERSON_HERE, ""), out, e);
}

enum tjzw_code person_get(struct tjzw *t, int64_t no, struct person *out, struct tjzw_error *e)
{
    return one_row(t, store_bound(t, e, STMT_PERSON_GET, "i", no), out, e);
}

enum tjzw_code person_next(struct tjzw *t, enum person_state state, int64_t after,
                           struct person *out, struct tjzw_error *e)
{
    return one_row(t, store_bound(t, e, STMT_PERSON_NEXT, "ii", (int64_t)state, after), out, e);
}

enum tjzw_code person_next_guest(struct tjzw *t, int64_t account, int64_t after,
                                 struct person *out, struct tjzw_error *e)
{
    return one_row(t, store_bound(t, e, STMT_PERSON_NEXT_GUEST, "ii", account, after), out, e);
}

static void draw_device(char out[STATE_DEVICE + 1])
{
    uint8_t bits[16];

    randombytes_buf(bits, sizeof bits);
    sodium_bin2base64(out, STATE_DEVICE + 1, bits, sizeof bits,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

enum tjzw_code person_add(struct tjzw *t, struct person *p, struct tjzw_error *e)
{
    enum tjzw_code rc;

    draw_device(p->device);
    p->next_n = 1;
    p->acked = 0;
    rc = store_do(t, e, STMT_PERSON_NEW, "iiiiitttttt", (int64_t)p->state, p->account,
                  (int64_t)p->guest, (int64_t)p->ended, (int64_t)p->level, p->url, p->cacert,
                  p->access, p->refresh, p->known, p->device);
    p->no = sqlite3_last_insert_rowid(t->db);
    return rc;
}

enum tjzw_code person_or_guest(struct tjzw *t, struct person *out, struct tjzw_error *e)
{
    enum tjzw_code rc = person_here(t, out, e);

    if (rc || out->no)
        return rc;
    *out = (struct person){ .state = PERSON_HERE, .guest = true };
    return person_add(t, out, e);
}

enum tjzw_code person_new_device(struct tjzw *t, struct person *p, struct tjzw_error *e)
{
    enum tjzw_code rc;

    draw_device(p->device);
    p->next_n = 1;
    p->acked = 0;
    rc = store_do(t, e, STMT_PERSON_DEVICE, "it", p->no, p->device);
    return rc ? rc : store_do(t, e, STMT_MUTATION_RENUMBER, "i", p->no);
}

int64_t person_due(const struct person *p, int64_t now)
{
    uint32_t wait = p->poll ? p->poll : POLL_S, more;

    if (p->failures > 0) {
        more = follow_backoff(POLL_S / 5, p->failures, (uint32_t)p->tried * 2654435761u);
        wait = p->poll > more ? p->poll : more;
    }
    return p->tried > now ? now : p->tried + wait;
}

/* ---- coming and going ---- */

static enum tjzw_code wipe(struct tjzw *t, int64_t no, struct tjzw_error *e)
{
    static const enum stmt what[] = { STMT_ENTRY_WIPE, STMT_MUTATION_WIPE, STMT_TAKEN_WIPE,
                                      STMT_COUNT_WIPE, STMT_REPORT_WIPE };
    enum tjzw_code rc = TJZW_OK;

    for (size_t i = 0; i < sizeof what / sizeof *what && !rc; i++)
        rc = store_do(t, e, what[i], "i", no);
    return rc;
}

enum tjzw_code person_forget(struct tjzw *t, int64_t no, struct tjzw_error *e)
{
    enum tjzw_code rc;

    if ((rc = wipe(t, no, e)) || (rc = store_do(t, e, STMT_ATTACHMENT_WIPE, "i", no)) ||
        (rc = store_do(t, e, STMT_PIECE_WEED, "")))
        return rc;
    return store_do(t, e, STMT_PERSON_FORGET, "i", no);
}

enum tjzw_code person_hand_over(struct tjzw *t, int64_t from, int64_t to, struct tjzw_error *e)
{
    static const enum stmt what[] = { STMT_MUTATION_MOVE, STMT_TAKEN_MOVE, STMT_ATTACHMENT_MOVE,
                                      STMT_PIECE_MOVE,    STMT_COUNT_MOVE, STMT_REPORT_MOVE,
                                      STMT_ENTRY_MOVE };
    enum tjzw_code rc = TJZW_OK;

    for (size_t i = 0; i < sizeof what / sizeof *what && !rc; i++)
        rc = store_do(t, e, what[i], "ii", from, to);
    return rc;
}

enum tjzw_code person_rewrite(struct tjzw *t, const struct person *from,
                              const struct person *to, struct tjzw_error *e)
{
    enum tjzw_code rc;

    /* His letters and answers to surveys, which a sign-in may have handed over before, are another account's until this one sends them again; then it has them. */
    if ((rc = entries_write_again(t, from->no, to->no, e)) ||
        (rc = store_do(t, e, STMT_ENTRY_INHERIT, "ii", from->no, to->no)) ||
        (rc = person_hand_over(t, from->no, to->no, e)) ||
        (rc = store_do(t, e, STMT_TAKEN_AGAIN, "i", to->no)) ||
        (rc = store_do(t, e, STMT_ATTACHMENT_AGAIN, "i", to->no)))
        return rc;
    return person_forget(t, from->no, e);
}

/* The tokens alone, until the server was told. */
static enum tjzw_code take_leave(struct tjzw *t, const struct person *p, struct tjzw_error *e)
{
    struct person row = *p;

    row.state = PERSON_LEAVING;
    row.known[0] = '\0';
    return p->refresh[0] ? person_add(t, &row, e) : TJZW_OK;
}

/* Guests that the server has not merged yet keep their tokens alone: what they had is his, and comes from the server when he does. */
static enum tjzw_code wipe_guests(struct tjzw *t, int64_t account, struct tjzw_error *e)
{
    struct person guest = { 0 };
    enum tjzw_code rc;

    while (!(rc = person_next_guest(t, account, guest.no, &guest, e)) && guest.no)
        if ((rc = entries_unkeep(t, guest.no, INT64_MAX, e)) || (rc = wipe(t, guest.no, e)))
            return rc;
    return rc;
}

static enum tjzw_code forget_guests(struct tjzw *t, int64_t account, struct tjzw_error *e)
{
    struct person guest;
    enum tjzw_code rc;

    while (!(rc = person_next_guest(t, account, 0, &guest, e)) && guest.no)
        if ((rc = person_forget(t, guest.no, e)))
            return rc;
    return rc;
}

/* This device's clock; 0 if a signed time shows that it is behind: what it would date goes by the clock that is right later. */
static int64_t likely_now(struct tjzw *t)
{
    int64_t now = t->clock();

    return now + 86400 < (int64_t)store_signed(t) ? 0 : now;
}

/* A restored server ends all sessions: what it took since its backup is kept like what was not sent, for it may be lost there. */
static enum tjzw_code seal_and_wipe(struct tjzw *t, struct person *p, bool ended,
                                    struct tjzw_error *e)
{
    uint8_t *sealed = NULL;
    size_t n = 0;
    enum tjzw_code rc;

    if (ended && (rc = store_do(t, e, STMT_TAKEN_AGAIN, "i", p->no)))
        return rc;
    if ((rc = entries_unkeep(t, p->no, INT64_MAX, e)) ||
        (rc = vault_close(t, p, &sealed, &n, e)))
        return rc;
    if (!(rc = wipe(t, p->no, e)))
        rc = store_do(t, e, STMT_PERSON_GO, "iib", p->no, likely_now(t), (const void *)sealed,
                      n);
    sqlite3_free(sealed);
    return rc;
}

enum tjzw_code person_leave(struct tjzw *t, struct person *p, bool ended, struct tjzw_error *e)
{
    struct person next = { .state = PERSON_HERE, .guest = true, .ended = ended && !p->guest };
    enum tjzw_code rc;

    entries_changed(t, NULL, NULL);
    if (!ended && (rc = take_leave(t, p, e)))
        return rc;
    if (!p->guest) {
        if (!(rc = wipe_guests(t, p->account, e)))
            rc = seal_and_wipe(t, p, ended, e);
        return rc || !ended ? rc : person_add(t, &next, e);
    }
    if (!ended)
        return (rc = entries_unkeep(t, p->no, INT64_MAX, e)) ? rc : person_forget(t, p->no, e);
    if ((rc = store_do(t, e, STMT_PERSON_ADOPT, "ii", p->no, (int64_t)0)) ||
        (rc = person_add(t, &next, e)))
        return rc;
    return person_rewrite(t, p, &next, e);
}

enum tjzw_code person_return(struct tjzw *t, const struct person *to, struct tjzw_error *e)
{
    struct person away;
    enum tjzw_code rc =
        one_row(t, store_bound(t, e, STMT_PERSON_AWAY, "i", to->account), &away, e);

    if (rc || !away.no)
        return rc;
    if ((rc = vault_open(t, &away, to, e)))
        return rc;
    return person_forget(t, away.no, e);
}

/* The clock alone deletes nothing, for it may be ahead by years: by that a day is over which a server has signed. */
enum tjzw_code person_weed(struct tjzw *t, struct tjzw_error *e)
{
    int64_t now = likely_now(t), said = now ? (int64_t)store_signed(t) : 0;
    struct person p = { 0 };
    enum tjzw_code rc;

    /* What a clock that was behind has dated is as old as the day on which it was set right. */
    if ((rc = store_do(t, e, STMT_PERSON_DATE, "i", now)) ||
        (rc = store_do(t, e, STMT_TAKEN_DATE, "i", now)) ||
        (rc = store_do(t, e, STMT_ATTACHMENT_DATE, "i", now)))
        return rc;
    while (!(rc = person_next(t, PERSON_AWAY, p.no, &p, e)) && p.no)
        if (p.gone < said - KEEP_S &&
            ((rc = forget_guests(t, p.account, e)) || (rc = person_forget(t, p.no, e))))
            return rc;
    if (rc || (rc = store_do(t, e, STMT_TAKEN_OLD, "i", said - KEEP_S)) ||
        (rc = store_do(t, e, STMT_ATTACHMENT_OLD, "i", said - 86400)))
        return rc;
    return store_do(t, e, STMT_PIECE_WEED, "");
}
