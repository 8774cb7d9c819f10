/*
 * fetch.c - the thread, and how it asks: a request at a time, and a wait for what comes of it.
 */
#include "server/source/fetch.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "server/base/log.h"
#include "server/http/client.h"
#include "server/source/source_pull.h"
#include "server/store/db.h"

enum { LOOK_MS = 5000, TIMEOUT_MS = 20000, REST_MS = 10000 /* when the store failed */ };

static struct {
    struct fetch_conf conf;
    struct db *db;
    pthread_t thread;
    bool running;
    atomic_bool stop;
    int bell; /* an eventfd: something is new */
    pthread_mutex_t lock;
    pthread_cond_t came;
    bool landed;
} me = { .bell = -1, .lock = PTHREAD_MUTEX_INITIALIZER, .came = PTHREAD_COND_INITIALIZER };

void fetch_stir(void *unused)
{
    (void)unused;
    if (me.bell >= 0)
        eventfd_write(me.bell, 1);
}

/* ---- asking ---- */

static void on_landed(struct client_request *rq)
{
    (void)rq;
    pthread_mutex_lock(&me.lock);
    me.landed = true;
    pthread_cond_signal(&me.came);
    pthread_mutex_unlock(&me.lock);
}

static void wait_landed(void)
{
    pthread_mutex_lock(&me.lock);
    while (!me.landed)
        pthread_cond_wait(&me.came, &me.lock);
    me.landed = false;
    pthread_mutex_unlock(&me.lock);
}

/* Header lines of a question; NULL ends them. */
static void put_headers(struct arena *mem, const struct fetch_request *ask, const char *out[4])
{
    int n = 0;

    out[n++] = "accept: */*";
    if (ask->etag)
        out[n++] = arena_printf(mem, "if-none-match: %s", ask->etag);
    if (ask->modified)
        out[n++] = arena_printf(mem, "if-modified-since: %s", ask->modified);
    out[n] = NULL;
}

static void get(void *unused, const struct fetch_request *ask, struct fetched *out)
{
    struct arena *mem = arena_new();
    const char *headers[4];
    struct client_request rq = { .method = "GET",
                                 .url = ask->url,
                                 .headers = headers,
                                 .answer_max = ask->max,
                                 .timeout_ms = TIMEOUT_MS,
                                 .public_only = !me.conf.private_net,
                                 .done = on_landed };

    (void)unused;
    put_headers(mem, ask, headers);
    if (client_send(&rq)) {
        wait_landed();
        out->cut = rq.rc == RC_BUSY;
        out->too_large = rq.rc == RC_TOO_LARGE;
    } else {
        out->cut = true;
    }
    if (!out->cut && !rq.rc) {
        out->status = rq.status;
        (void)client_header(&rq, "location", out->moved, sizeof out->moved);
        (void)client_header(&rq, "etag", out->etag, sizeof out->etag);
        (void)client_header(&rq, "last-modified", out->modified, sizeof out->modified);
        out->body = rq.body_in;
        rq.body_in = BUF_HEAP;
    }
    client_request_done(&rq);
    arena_free(mem);
}

/* ---- the thread ---- */

/* RC_NOT_FOUND: there is nothing to do now. */
static enum rc step(const struct fetch_door *door,
                    enum rc (*next)(struct work *w, const struct fetch_door *door))
{
    struct work w;
    enum rc rc;

    work_init(&w, arena_new(), me.db, "fetch", RIGHT_READ);
    rc = next(&w, door);
    if (rc && rc != RC_NOT_FOUND && rc != RC_BUSY)
        LOG(LOG_WARN, "not_fetched", L_STR("why", w.err.text));
    db_end_read(me.db);
    arena_free(w.mem);
    return rc;
}

/* What was handed in goes first. */
static enum rc step_any(const struct fetch_door *door)
{
    enum rc rc = step(door, submission_fetch_next);

    return rc == RC_NOT_FOUND ? step(door, source_pull_next) : rc;
}

/* False: it is time to end. */
static bool rest(int ms)
{
    struct pollfd bell = { me.bell, POLLIN, 0 };
    eventfd_t rung;

    if (poll(&bell, 1, ms) > 0)
        eventfd_read(me.bell, &rung);
    return !atomic_load(&me.stop);
}

static void *run(void *unused)
{
    const struct fetch_door door = { .get = get, .data = me.conf.data };
    int ms = 0;

    pthread_setname_np(pthread_self(), "fetch");
    while (rest(ms)) {
        enum rc rc = step_any(&door);

        ms = !rc ? 0 : rc == RC_NOT_FOUND ? LOOK_MS : REST_MS;
    }
    return unused;
}

static enum rc launch(struct err *e)
{
    sigset_t all, before;
    int failed;

    if ((me.bell = eventfd(0, EFD_CLOEXEC)) < 0)
        return err_errno(e, "make an eventfd");
    sigfillset(&all);
    sigdelset(&all, SIGSYS); /* what is refused comes by it (server/confine.c) */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&me.thread, NULL, run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed ? err_set(e, RC_IO, "start the thread of fetching: %s", strerror(failed))
                  : RC_OK;
}

enum rc fetch_start(struct err *e, const struct fetch_conf *c)
{
    enum rc rc;

    me.conf = *c;
    atomic_store(&me.stop, false);
    if ((rc = db_open(e, c->db_path, DB_READ, &me.db)))
        return rc;
    rc = launch(e);
    me.running = !rc;
    if (rc)
        fetch_stop();
    return rc;
}

void fetch_stop(void)
{
    if (me.running) {
        atomic_store(&me.stop, true);
        eventfd_write(me.bell, 1);
        pthread_join(me.thread, NULL);
    }
    if (me.bell >= 0)
        close(me.bell);
    db_close(me.db);
    me.db = NULL;
    me.bell = -1;
    me.running = false;
}
