/*
 * erase.c - every table of personal.def, the account last.
 *
 *     line in DATA/erased (fsync) --> sessions, tables, account, a row of the audit log --> COMMIT --> the write-ahead log is emptied
 *
 * What is deleted is overwritten in the database (secure_delete), but stands in its write-ahead log until that is written back and cut to nothing,
 * and as copies in pages that were once split: the tick sees to both, table by table (db_scrub). Each account is a transaction of its own, so that one that cannot be erased holds up no other.
 *
 * The number stays in rows that name it (the audit log, whose chain nobody may break) and is never given out again, so nothing leads from it
 * to anybody: it is a pseudonym whose key is destroyed.
 */
#include "server/identity/erase.h"

#include <inttypes.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/identity/account.h"
#include "server/identity/audit.h"
#include "server/identity/consent.h"
#include "server/identity/erased.h"
#include "server/identity/party.h"
#include "server/identity/personal.h"
#include "server/identity/session.h"
#include "server/store/db.h"

enum { LOOK_EVERY = 3600, AT_ONCE = 20, SUBJECT_COLUMN = 5 };

static struct {     /* the writer's thread only */
    int scrub;      /* the next table whose pages may still hold what was erased */
    int64_t looked; /* seconds; 0: not since the start */
} clock_work;

/* ---- asked for, and taken back ---- */

static enum rc end_consents(struct work *w, int64_t account)
{
    struct consent *list;
    enum rc rc;
    int n;

    rc = consent_list(w, account, &list, &n);
    for (int i = 0; i < n && !rc; i++)
        rc = consent_end(w, account, list[i].party);
    return rc;
}

enum rc erase_ask(struct work *w, int64_t account, int64_t *due)
{
    struct account a;
    enum rc rc;

    if ((rc = account_by_id(w, account, &a)))
        return rc;
    if (a.kind != ACCOUNT_CITIZEN)
        return err_set(
            &w->err, RC_CONFLICT,
            "accounts of staff and organisations are closed by their administrators");
    if (a.state == ACCOUNT_LEAVING) {
        *due = a.state_at + ERASE_AFTER;
        return RC_OK;
    }
    if (a.state != ACCOUNT_OPEN)
        return err_set(&w->err, RC_CONFLICT, "this account is not open");
    *due = clock_now() + ERASE_AFTER;
    if ((rc = end_consents(w, a.id)) || (rc = session_end_all(w, a.id, w->who.session)))
        return rc;
    return account_set_state(w, a.id, ACCOUNT_LEAVING);
}

enum rc erase_take_back(struct work *w, int64_t account)
{
    struct account a;
    enum rc rc;

    if ((rc = account_by_id(w, account, &a)))
        return rc;
    if (a.state != ACCOUNT_LEAVING)
        return err_set(&w->err, RC_CONFLICT, "nobody asked to have this account erased");
    if (clock_now() >= a.state_at + ERASE_AFTER)
        return err_set(&w->err, RC_CONFLICT, "it is too late: this account is being erased");
    return account_set_state(w, a.id, ACCOUNT_OPEN);
}

/* ---- erased ---- */

static void scrub_all(void *unused)
{
    (void)unused;
    clock_work.scrub = 0;
}

/* What was merged into it too: in an older backup it is an account of its own. */
static enum rc write_down(struct work *w, int64_t number)
{
    struct erased_line line = { .account = number, .at = clock_now() };
    const void *subject;
    struct rows q;
    size_t n;
    enum rc rc, end;

    if (!(rc = db_one(w, SQL_personal_account, &q, "i", number))) {
        subject = rows_blob(&q, SUBJECT_COLUMN, &n);
        erased_mark(subject, n, line.mark);
    }
    end = rows_done(&q);
    rc = rc ? rc : end;
    return rc ? rc : erased_append(&w->err, &line);
}

enum rc erase_now(struct work *w, int64_t account)
{
    const struct personal_table *tables;
    struct personal_keys keys;
    struct account a;
    enum rc rc;
    int n;

    if ((rc = account_by_id(w, account, &a)) || (rc = personal_find_keys(w, a.id, &keys)) ||
        (rc = session_end_all(w, a.id, 0)) || (rc = party_close_of_owner(w, a.id)))
        return rc;
    for (int i = 0; i < keys.nnumbers && !rc; i++)
        rc = write_down(w, keys.numbers[i]);
    tables = personal_tables(&n);
    for (int i = 0; i < n && !rc; i++)
        if (!tables[i].kept)
            rc = personal_erase(w, &tables[i], &keys);
    if (rc)
        return rc;
    work_after_commit(w, scrub_all, NULL);
    work_count(w, METRIC_accounts, -1);
    return audit_add(w, AUDIT_account_erase, arena_printf(w->mem, "accounts/%" PRId64, a.id),
                     RC_OK);
}

static enum rc replay_line(struct work *w, const struct erased_line *l)
{
    uint8_t mark[ERASED_MARK];
    struct account a;
    enum rc rc = account_by_id(w, l->account, &a);

    if (rc)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    erased_mark(a.subject, sizeof a.subject, mark);
    if (a.id != l->account || memcmp(mark, l->mark, ERASED_MARK) != 0)
        return RC_OK; /* an older library gave the number to somebody else */
    return erase_now(w, a.id);
}

enum rc erase_replay(struct work *w)
{
    struct erased_line *lines;
    enum rc rc;
    int n;

    rc = erased_read(&w->err, w->mem, &lines, &n);
    for (int i = 0; i < n && !rc; i++)
        rc = replay_line(w, &lines[i]);
    return rc;
}

/* ---- the tick ---- */

static enum rc find_due(struct work *w, int64_t due[AT_ONCE], int *n)
{
    struct rows q;
    enum rc rc;

    *n = 0;
    if ((rc = db_query(w, SQL_erase_due, &q, "iiii", (int64_t)ACCOUNT_LEAVING,
                       (int64_t)ACCOUNT_HELD, clock_now() - ERASE_AFTER, (int64_t)AT_ONCE)))
        return rc;
    while (*n < AT_ONCE && rows_next(&q))
        due[(*n)++] = rows_int(&q, 0);
    return rows_done(&q);
}

static void erase_one(struct db *db, int64_t account)
{
    struct work w;

    work_init(&w, arena_new(), db, "system", RIGHT_ALL);
    if (db_begin(&w) || erase_now(&w, account) || db_commit(&w)) {
        db_rollback(db);
        LOG(LOG_ERROR, "not_erased", L_INT("account", account), L_STR("why", w.err.text));
    } else {
        work_committed(&w);
        LOG(LOG_INFO, "erased", L_INT("account", account));
    }
    arena_free(w.mem);
}

/* False: there may be more. */
static bool erase_due(struct db *db)
{
    int64_t due[AT_ONCE];
    struct work w;
    int n;

    work_init(&w, arena_new(), db, "system", RIGHT_ALL);
    if (find_due(&w, due, &n))
        LOG(LOG_ERROR, "not_erased", L_STR("why", w.err.text));
    arena_free(w.mem);
    for (int i = 0; i < n; i++)
        erase_one(db, due[i]);
    return n < AT_ONCE;
}

/* A table a second, so that nobody waits for all of them. */
static void scrub_next(struct db *db)
{
    const struct personal_table *t;
    int n;

    t = personal_tables(&n);
    while (clock_work.scrub < n && t[clock_work.scrub].kept)
        clock_work.scrub++;
    if (clock_work.scrub < n && db_scrub(db, t[clock_work.scrub].name))
        clock_work.scrub++;
}

void erase_tick(struct db *db, void *unused)
{
    int64_t now = clock_now();

    (void)unused;
    if ((now < clock_work.looked || now >= clock_work.looked + LOOK_EVERY) && erase_due(db))
        clock_work.looked = now;
    scrub_next(db);
}
