/*
 * entry.c - rows of the tables `entry`, `entry_tally` and `citizen`.
 *
 *     put --> what stands there --> by the type's rule --> the same? nothing happens
 *                                                     \-> citizen.seq + 1, the row, the tally --> too many? the oldest go
 *
 * A row keeps its place when its entry goes: the tombstone takes the number of the removal, so a device that reads on learns of it.
 * entry_tally has how many live, so that nobody counts ten thousand favourites for one more.
 *
 * Numbers are read and then written, which nobody can come between on the writer. RETURNING would be one statement less and costs twice as much: SQLite makes a table
 * for what is returned, and drops it, each time.
 */
#include "server/citizen/entry.h"

#include <assert.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/seal.h"
#include "server/citizen/epoch.h"
#include "server/citizen/known.h"
#include "server/identity/party_reach.h"
#include "server/store/db.h"
#include "sync/state.h"

enum { PAGE_BYTES = 1 << 20 };

static struct seal_place place_of(int64_t account)
{
    return (struct seal_place){ "entry.sealed", account };
}

/* ---- reading ---- */

static enum rc read_row(struct work *w, const struct rows *q, int64_t account,
                        struct entry *out)
{
    const void *sealed;
    char *opened;
    size_t n;
    enum rc rc;

    *out = (struct entry){ .type = rows_dup_text(w, q, 0),
                           .key = rows_dup_text(w, q, 1),
                           .seq = rows_int(q, 2),
                           .at = rows_int(q, 3),
                           .value = rows_dup_text(w, q, 5),
                           .needs = rows_dup_text(w, q, 7) };
    if (!(sealed = rows_blob(q, 6, &n)))
        return RC_OK;
    if ((rc = seal_open(w, place_of(account), sealed, n, &opened, &n)))
        return rc;
    out->value = opened;
    return RC_OK;
}

enum rc entry_get(struct work *w, int64_t account, const char *type, const char *key,
                  struct entry *out)
{
    struct rows q;
    enum rc rc, end;

    if (!(rc = db_one(w, SQL_entry_one, &q, "itt", account, type, key)))
        rc = read_row(w, &q, account, out);
    end = rows_done(&q);
    return rc ? rc : end;
}

static size_t weight(const struct entry *e)
{
    return strlen(e->key) + (e->value ? strlen(e->value) : 0) +
           (e->needs ? strlen(e->needs) : 0);
}

/* One more than was asked for tells that there is more. */
enum rc entry_list(struct work *w, int64_t account, struct entry_page *page)
{
    struct buf list = BUF_IN(w->mem);
    size_t bytes = 0;
    struct rows q;
    enum rc rc, end;

    page->n = 0;
    page->more = false;
    if ((rc = db_query(w, SQL_entry_since, &q, "iiii", account, page->since, page->tombstones,
                       (int64_t)page->most + 1)))
        return rc;
    while (!rc && !page->more && rows_next(&q)) {
        struct entry e;

        if (page->n == page->most || bytes > PAGE_BYTES) {
            page->more = true;
        } else if (!(rc = read_row(w, &q, account, &e))) {
            buf_add(&list, &e, sizeof e);
            bytes += weight(&e);
            page->n++;
        }
    }
    end = rows_done(&q);
    page->entries = (struct entry *)(void *)list.p;
    return rc ? rc : end;
}

enum rc citizen_get(struct work *w, int64_t account, struct citizen *out)
{
    struct rows q;
    enum rc rc, end;

    *out = (struct citizen){ epoch_base(), 0 };
    if (!(rc = db_one(w, SQL_citizen_one, &q, "i", account)))
        *out = (struct citizen){ rows_int(&q, 0), rows_int(&q, 1) };
    end = rows_done(&q);
    if (rc == RC_NOT_FOUND)
        return RC_OK;
    return rc ? rc : end;
}

/* ---- writing ---- */

struct told {
    int64_t account, seq;
};

static void tell(void *arg)
{
    const struct told *t = arg;

    known_put(t->account, NULL, (struct known){ .a = t->seq });
}

static void (*on_given)(int64_t account); /* the writer's thread */

void entry_on_given(void (*fn)(int64_t account))
{
    on_given = fn;
}

static void tell_given(void *arg)
{
    if (on_given)
        on_given(*(const int64_t *)arg);
}

/* What phones write they know; of this they do not. Once for all that one piece of work gives him. */
static void given(struct work *w, int64_t account)
{
    for (struct commit_hook *h = w->after; h; h = h->next)
        if (h->fn == tell_given && *(const int64_t *)h->arg == account)
            return;
    work_after_commit(w, tell_given, arena_dup(work_kept(w), &account, sizeof account));
}

/* Once for all that one piece of work changes. */
static void tell_later(struct work *w, int64_t account, int64_t seq)
{
    const struct told t = { account, seq };

    for (struct commit_hook *h = w->after; h; h = h->next) {
        struct told *before = h->arg;

        if (h->fn == tell && before->account == account) {
            before->seq = seq;
            return;
        }
    }
    work_after_commit(w, tell, arena_dup(work_kept(w), &t, sizeof t));
}

static enum rc next_seq(struct work *w, int64_t account, int64_t *out)
{
    struct citizen c;
    enum rc rc;

    if ((rc = citizen_get(w, account, &c)) ||
        (rc = db_run(w, SQL_citizen_set_seq, "ii", account, c.seq + 1)))
        return rc;
    *out = c.seq + 1;
    tell_later(w, account, *out);
    return RC_OK;
}

/* How many of a type live. */
static enum rc count(struct work *w, int64_t account, const struct state_type *t, int64_t *n)
{
    struct rows q;
    enum rc rc, end;

    *n = 0;
    if (!(rc = db_one(w, SQL_entry_tally, &q, "it", account, t->name)))
        *n = rows_int(&q, 0);
    end = rows_done(&q);
    if (rc == RC_NOT_FOUND)
        return RC_OK;
    return rc ? rc : end;
}

static enum rc set_count(struct work *w, int64_t account, const struct state_type *t, int64_t n)
{
    return db_run(w, SQL_entry_set_tally, "iti", account, t->name, n);
}

static enum rc set_row(struct work *w, int64_t account, const struct state_type *t,
                       const struct entry *e)
{
    uint8_t *sealed = NULL;
    size_t n = 0;
    enum rc rc;

    if (e->value && t->sealed &&
        (rc = seal_close(w, place_of(account), e->value, strlen(e->value), &sealed, &n)))
        return rc;
    return db_run(w, SQL_entry_set, "ittiiitbt", account, e->type, e->key, e->seq, e->at,
                  (int64_t)!e->value, t->sealed ? NULL : e->value, sealed, n, e->needs);
}

static enum rc remove_one(struct work *w, int64_t account, const struct state_type *t,
                          const char *key)
{
    struct entry e = { .type = t->name, .key = key, .at = clock_now() };
    enum rc rc;

    if ((rc = next_seq(w, account, &e.seq)))
        return rc;
    return set_row(w, account, t, &e);
}

static enum rc remove_oldest(struct work *w, int64_t account, const struct state_type *t,
                             int surplus)
{
    struct buf keys = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_entry_oldest, &q, "iti", account, t->name, (int64_t)surplus)))
        return rc;
    while (rows_next(&q)) {
        const char *key = rows_dup_text(w, &q, 0);

        buf_add(&keys, &key, sizeof key);
    }
    rc = rows_done(&q);
    for (size_t i = 0; i < keys.n / sizeof(char *) && !rc; i++)
        rc = remove_one(w, account, t, ((const char **)(void *)keys.p)[i]);
    return rc;
}

/* There are `n` now, which may be too many. */
static enum rc settle(struct work *w, int64_t account, const struct state_type *t, int64_t n)
{
    int surplus = merge_surplus(t->rule, (int)n, t->most);
    enum rc rc = surplus ? remove_oldest(w, account, t, surplus) : RC_OK;

    return rc ? rc : set_count(w, account, t, n - surplus);
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

enum rc entry_put(struct work *w, int64_t account, const char *type, const char *key,
                  const char *value, const char *needs, int64_t *seq)
{
    const struct state_type *t = state_type_find(type);
    struct entry held = { 0 }, e = {
        .type = type, .key = key, .needs = value ? needs : NULL, .at = clock_now()
    };
    char united[MERGE_MAX];
    int64_t n = 0;
    int by;
    enum rc rc;

    assert(t && state_key_ok(t, key) && (!value || state_value_ok(t, key, value)));
    if ((rc = entry_get(w, account, type, key, &held)) && rc != RC_NOT_FOUND)
        return rc;
    e.value = merge_value(t->rule, held.value, value, united);
    if (seq)
        *seq = held.seq;
    if (same(held.value, e.value) && same(held.needs, e.needs))
        return RC_OK;
    if ((rc = party_reach(w, account, type, e.value)))
        return rc;
    by = !!e.value - !!held.value;
    if (by && (rc = count(w, account, t, &n)))
        return rc;
    if (by > 0 && n >= t->most && t->rule != MERGE_OLDEST)
        return err_set(&w->err, RC_TOO_MANY, "there are %d entries of the type %s already",
                       t->most, t->name);
    if ((rc = next_seq(w, account, &e.seq)) || (rc = set_row(w, account, t, &e)))
        return rc;
    if (t->writer == STATE_BY_SERVER)
        given(w, account);
    if (seq)
        *seq = e.seq;
    return by ? settle(w, account, t, n + by) : RC_OK;
}
