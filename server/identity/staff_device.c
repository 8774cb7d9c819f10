/*
 * staff_device.c - rows, and the same in memory: (site, number), sorted.
 *
 * There are few, and they change seldom: after a COMMIT that changed one, memory gets all of them anew.
 */
#include "server/identity/staff_device.h"
#include "server/identity/party_reach.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/memory.h"
#include "server/identity/name.h"
#include "server/store/db.h"

/* ---- memory ---- */

struct place {
    int64_t site, machine; /* the number as SQL sorts it */
};

static struct {
    pthread_rwlock_t lock;
    struct place *list;
    int n;
} listed = { .lock = PTHREAD_RWLOCK_INITIALIZER };

/* Where (site, machine) stands, or would. */
static int place_of(int64_t site, int64_t machine)
{
    int low = 0, high = listed.n;

    while (low < high) {
        int mid = (low + high) / 2;
        const struct place *p = &listed.list[mid];

        if (p->site < site || (p->site == site && p->machine < machine))
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool has_list(int64_t site)
{
    int at = place_of(site, INT64_MIN);

    return at < listed.n && listed.list[at].site == site;
}

static bool is_on(int64_t site, uint64_t machine)
{
    int at = place_of(site, (int64_t)machine);

    return at < listed.n && listed.list[at].site == site &&
           listed.list[at].machine == (int64_t)machine;
}

/* Under the lock. */
static bool counts_at(int64_t site, uint64_t machine)
{
    if (is_on(EVERYWHERE, machine) || (site != EVERYWHERE && is_on(site, machine)))
        return true;
    return !has_list(EVERYWHERE) && (site == EVERYWHERE || !has_list(site));
}

static void judge_scopes(struct arena *mem, struct actor *who)
{
    struct scope *kept = arena_alloc(mem, (size_t)who->nscopes * sizeof *kept + 1);
    int n = 0;

    for (int i = 0; i < who->nscopes; i++)
        if (counts_at(who->scopes[i].site, who->machine))
            kept[n++] = who->scopes[i];
        else
            who->barred |= who->scopes[i].rights;
    who->scopes = kept;
    who->nscopes = n;
}

void staff_device_judge(uint64_t machine, struct arena *mem, struct actor *who)
{
    who->machine = machine;
    pthread_rwlock_rdlock(&listed.lock);
    if (listed.n) {
        if (!counts_at(EVERYWHERE, machine)) {
            who->barred = who->rights & ~(unsigned)RIGHT_OWN;
            who->rights &= RIGHT_OWN;
        }
        judge_scopes(mem, who);
    }
    pthread_rwlock_unlock(&listed.lock);
}

bool staff_device_counts(uint64_t machine)
{
    bool counts;

    pthread_rwlock_rdlock(&listed.lock);
    counts = counts_at(EVERYWHERE, machine);
    for (int i = 0; i < listed.n && !counts; i++)
        counts = listed.list[i].machine == (int64_t)machine;
    pthread_rwlock_unlock(&listed.lock);
    return counts;
}

/* ---- rows ---- */

static enum rc read_all(struct work *w, struct staff_device **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_staff_device_all, &q, "")))
        return rc;
    while (rows_next(&q)) {
        struct staff_device d = { .site = rows_int(&q, 0),
                                  .machine = (uint64_t)rows_int(&q, 1),
                                  .name = rows_dup_text(w, &q, 2),
                                  .giver = rows_dup_text(w, &q, 3),
                                  .since = rows_int(&q, 4) };

        buf_add(&list, &d, sizeof d);
    }
    *out = (struct staff_device *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rows_done(&q);
}

struct fresh {
    int n;
    struct place list[];
};

static void put_all(void *arg)
{
    const struct fresh *f = arg;
    struct place *list = malloc((size_t)f->n * sizeof *list + 1);

    if (!list)
        memory_end();
    memcpy(list, f->list, (size_t)f->n * sizeof *list);
    pthread_rwlock_wrlock(&listed.lock);
    free(listed.list);
    listed.list = list;
    listed.n = f->n;
    pthread_rwlock_unlock(&listed.lock);
}

static enum rc read_fresh(struct work *w, struct fresh **out)
{
    struct staff_device *all;
    struct fresh *f;
    enum rc rc;
    int n;

    if ((rc = read_all(w, &all, &n)))
        return rc;
    f = arena_alloc(w->mem, sizeof *f + (size_t)n * sizeof *f->list);
    f->n = n;
    for (int i = 0; i < n; i++)
        f->list[i] = (struct place){ all[i].site, (int64_t)all[i].machine };
    *out = f;
    return RC_OK;
}

static void (*on_change)(void);

void staff_device_on_change(void (*fn)(void))
{
    on_change = fn;
}

enum rc staff_device_load(struct work *w)
{
    struct fresh *f;
    enum rc rc = read_fresh(w, &f);

    if (!rc)
        put_all(f);
    return rc;
}

static void replace(void *arg)
{
    put_all(arg);
    if (on_change)
        on_change();
}

static enum rc changed(struct work *w)
{
    struct fresh *f;
    enum rc rc = read_fresh(w, &f);

    party_reach_public(w); /* all of staff feel it */
    if (!rc)
        work_after_commit(w, replace, f);
    return rc;
}

/* ---- what an administrator does ---- */

struct standing {
    bool listed;      /* the device, at that site */
    int here, at_all; /* how many stand there; on all lists together */
};

static enum rc look(struct work *w, int64_t site, uint64_t machine, struct standing *out)
{
    struct staff_device *all;
    enum rc rc;
    int n;

    *out = (struct standing){ 0 };
    if ((rc = read_all(w, &all, &n)))
        return rc;
    out->at_all = n;
    for (int i = 0; i < n; i++)
        if (all[i].site == site) {
            out->here++;
            out->listed |= all[i].machine == machine;
        }
    return RC_OK;
}

enum rc staff_device_add(struct work *w, const struct staff_device *d)
{
    struct standing s;
    enum rc rc;

    if ((rc = work_need_at(w, RIGHT_OPERATE, EVERYWHERE)) ||
        (rc = look(w, d->site, d->machine, &s)))
        return rc;
    if (!d->machine) /* of sessions that have none */
        return err_field(&w->err, "/device", "0 is no device");
    if (!name_is_fit(d->name))
        return err_field(&w->err, "/name", "a device's name is one line that can be seen");
    if (s.listed)
        return err_set(&w->err, RC_CONFLICT, "the device " STAFF_DEVICE_NAME " is listed there",
                       d->machine);
    if (s.at_all >= STAFF_DEVICES_MAX)
        return err_set(&w->err, RC_CONFLICT, "at most %d devices are listed",
                       STAFF_DEVICES_MAX);
    if (d->site == EVERYWHERE && !s.here && !w->who.operator&& d->machine != w->who.machine)
        return err_set(&w->err, RC_CONFLICT,
                       "the list for all sites begins with the device that you ask "
                       "from, " STAFF_DEVICE_NAME ": else you could not ask again",
                       w->who.machine);
    if ((rc = db_run(w, SQL_staff_device_add, "iitti", d->site, (int64_t)d->machine, d->name,
                     w->who.name, clock_now())))
        return rc;
    return changed(w);
}

enum rc staff_device_remove(struct work *w, int64_t site, uint64_t machine)
{
    struct standing s;
    enum rc rc;

    if ((rc = work_need_at(w, RIGHT_OPERATE, EVERYWHERE)) || (rc = look(w, site, machine, &s)))
        return rc;
    if (!s.listed)
        return err_set(&w->err, RC_NOT_FOUND,
                       "the device " STAFF_DEVICE_NAME " is not listed there", machine);
    if (site == EVERYWHERE && s.here > 1 && !w->who.operator&& machine == w->who.machine)
        return err_set(&w->err, RC_CONFLICT,
                       "this is the device that you ask from: take it off from another one, or "
                       "after all others");
    if ((rc = db_change(w, SQL_staff_device_drop, "ii", site, (int64_t)machine)))
        return rc;
    return changed(w);
}

enum rc staff_device_list(struct work *w, struct staff_device **out, int *n)
{
    enum rc rc = work_need_at(w, RIGHT_OPERATE, EVERYWHERE);

    return rc ? rc : read_all(w, out, n);
}

enum rc staff_device_waiting(struct work *w, struct staff_waiting **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct staff_waiting last = { 0 };
    struct rows q;
    enum rc rc;

    if ((rc = work_need_at(w, RIGHT_OPERATE, EVERYWHERE)) ||
        (rc = db_query(w, SQL_staff_device_waiting, &q, "i", (int64_t)STAFF_DEVICES_SHOWN)))
        return rc;
    while (rows_next(&q)) {
        struct staff_waiting x = { .machine = (uint64_t)rows_int(&q, 0),
                                   .account = rows_int(&q, 1),
                                   .used = rows_int(&q, 3),
                                   .device = rows_dup_text(w, &q, 2) };

        if (x.machine != last.machine || x.account != last.account) /* his newest session */
            buf_add(&list, &x, sizeof x);
        last = x;
    }
    *out = (struct staff_waiting *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rows_done(&q);
}
