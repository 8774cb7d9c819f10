/*
 * reader.c - a reading connection to derived.db for each thread that asks for one, kept until the thread ends or the file is another one.
 */
#include <pthread.h>
#include <stdlib.h>

#include "server/base/memory.h"
#include "server/derived/state.h"

struct reader {
    struct db *db;
    int edition;
};

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void forget(void *p)
{
    struct reader *r = p;

    db_close(r->db);
    free(r);
}

static void set_up(void)
{
    if (pthread_key_create(&key, forget))
        memory_end();
}

static struct reader *of_this_thread(void)
{
    struct reader *r;

    pthread_once(&once, set_up);
    if ((r = pthread_getspecific(key)))
        return r;
    if (!(r = calloc(1, sizeof *r)) || pthread_setspecific(key, r))
        memory_end();
    return r;
}

enum rc derived_read(struct work *w)
{
    struct reader *r = of_this_thread();
    int edition = atomic_load(&derived.edition);
    enum rc rc;

    if (!*derived.path)
        return err_set(&w->err, RC_BUSY, "nothing is derived from the log here");
    if (!atomic_load(&derived.open) || atomic_load(&derived.missing))
        return err_set(&w->err, RC_BUSY, "what is derived from the log is being made anew");
    if (r->db && r->edition != edition) {
        db_close(r->db);
        r->db = NULL;
    }
    if (r->db) {
        db_end_read(r->db); /* what somebody left open would hold its log back */
    } else if ((rc = db_open_derived(&w->err, derived.path, DB_READ, &r->db))) {
        return err_set(&w->err, RC_BUSY, "what is derived from the log is being made anew");
    }
    r->edition = edition;
    w->derived = r->db;
    return RC_OK;
}
