/*
 * lists.c - a set of lists with a count of those who read it. The newest has one more, which is the
 * place it stands in.
 */
#include "server/check/lists.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/thread.h"
#include "server/check/words.h"

enum { LOOK_S = 10, HOSTS_MAX = CONF_LIST_MAX };

/* One list; of one edition or of many that follow each other. */
struct shared {
    struct words *words;
    int refs; /* under the lock */
};

struct edition {
    struct lists l;
    struct shared *list[LISTS_MAX];
    int refs;
};

struct file {
    char path[4096];
    struct timespec changed;
    off_t size;
    bool told; /* that it cannot be read */
};

static struct {
    pthread_mutex_t lock;
    struct edition *now; /* NULL: not open */
    struct file files[LISTS_MAX];
    int n;
    const char *hosts[HOSTS_MAX + 1];
    uint64_t editions;
    pthread_t thread;
    pthread_cond_t stirred;
    bool running, stop;
} me = { .lock = PTHREAD_MUTEX_INITIALIZER, .stirred = PTHREAD_COND_INITIALIZER };

static const struct edition none;

const struct lists *lists_take(void)
{
    const struct edition *e = &none;

    pthread_mutex_lock(&me.lock);
    if (me.now) {
        me.now->refs++;
        e = me.now;
    }
    pthread_mutex_unlock(&me.lock);
    return &e->l;
}

/* Under the lock. */
static void unref(struct edition *e)
{
    if (!e || --e->refs)
        return;
    for (int i = 0; i < me.n; i++)
        if (e->list[i] && !--e->list[i]->refs) {
            words_free(e->list[i]->words);
            free(e->list[i]);
        }
    free(e);
}

void lists_drop(const struct lists *l)
{
    if (l == &none.l)
        return;
    pthread_mutex_lock(&me.lock);
    unref((struct edition *)(uintptr_t)l);
    pthread_mutex_unlock(&me.lock);
}

static void *zeroed(size_t n)
{
    void *p = calloc(1, n);

    if (!p)
        memory_end();
    return p;
}

static enum rc read_list(struct err *e, struct file *f, struct shared **out)
{
    struct arena *mem = arena_new();
    struct words *words;
    struct stat st;
    char *text;
    size_t n;
    enum rc rc;

    if (stat(f->path, &st)) {
        rc = err_errno(e, "read the list of words %s", f->path);
    } else if (!(rc = fs_read(e, mem, f->path, WORDS_FILE_MAX, &text, &n))) {
        if ((rc = words_read(e, text, n, &words)))
            rc = err_set(e, rc, "%s: %s", f->path, arena_strdup(mem, e->text));
    }
    arena_free(mem);
    if (rc)
        return rc;
    f->changed = st.st_mtim;
    f->size = st.st_size;
    *out = zeroed(sizeof **out);
    (*out)->words = words;
    return RC_OK;
}

/* Takes the place of the one that is there: its lists, but where `fresh` has others. */
static void place(struct shared *const fresh[LISTS_MAX])
{
    struct edition *e = zeroed(sizeof *e), *before;

    pthread_mutex_lock(&me.lock);
    before = me.now;
    for (int i = 0; i < me.n; i++) {
        e->list[i] = fresh[i] ? fresh[i] : before->list[i];
        e->list[i]->refs++;
        e->l.words[i] = e->list[i]->words;
    }
    e->l.hosts = me.hosts[0] ? me.hosts : NULL;
    e->l.edition = ++me.editions;
    e->refs = 1;
    me.now = e;
    unref(before);
    pthread_mutex_unlock(&me.lock);
}

static bool has_changed(const struct file *f)
{
    struct stat st;

    return stat(f->path, &st) || st.st_size != f->size ||
           st.st_mtim.tv_sec != f->changed.tv_sec || st.st_mtim.tv_nsec != f->changed.tv_nsec;
}

bool lists_renew(void)
{
    struct shared *fresh[LISTS_MAX] = { 0 };
    bool any = false;

    for (int i = 0; i < me.n; i++) {
        struct file *f = &me.files[i];
        struct err e = { 0 };

        if (!has_changed(f))
            continue;
        if (read_list(&e, f, &fresh[i])) {
            if (!f->told)
                LOG(LOG_ERROR, "check_words_not_read", L_STR("why", e.text));
            f->told = true;
            continue;
        }
        f->told = false;
        any = true;
        LOG(LOG_INFO, "check_words_read", L_STR("date", words_date(fresh[i]->words)),
            L_INT("words", words_count(fresh[i]->words)));
    }
    if (any)
        place(fresh);
    return any;
}

enum rc lists_open(struct err *e, const char *data, const struct conf_list *files,
                   const struct conf_list *hosts)
{
    struct shared *fresh[LISTS_MAX] = { 0 };
    enum rc rc = RC_OK;

    lists_close();
    if (files->n > LISTS_MAX)
        return err_set(e, RC_INVALID, "check_words: at most %d lists", LISTS_MAX);
    memset(me.hosts, 0, sizeof me.hosts);
    for (int i = 0; i < hosts->n; i++)
        me.hosts[i] = hosts->v[i];
    for (int i = 0; i < files->n && !rc; i++) {
        struct file *f = &me.files[i];
        const char *path = files->v[i];

        *f = (struct file){ 0 };
        if (snprintf(f->path, sizeof f->path, "%s%s%s", *path == '/' ? "" : data,
                     *path == '/' ? "" : "/", path) >= (int)sizeof f->path)
            rc = err_set(e, RC_INVALID, "check_words: a path is too long");
        else
            rc = read_list(e, f, &fresh[i]);
    }
    for (int i = 0; rc && i < LISTS_MAX && fresh[i]; i++) {
        words_free(fresh[i]->words);
        free(fresh[i]);
    }
    if (rc)
        return rc;
    me.n = files->n;
    place(fresh);
    return RC_OK;
}

/* False: it is time to end. */
static bool rest(void)
{
    int64_t us = clock_mono_us();
    struct timespec until = { us / 1000000 + LOOK_S, us % 1000000 * 1000 };
    bool stop;

    pthread_mutex_lock(&me.lock);
    while (!me.stop && pthread_cond_timedwait(&me.stirred, &me.lock, &until) != ETIMEDOUT)
        ;
    stop = me.stop;
    pthread_mutex_unlock(&me.lock);
    return !stop;
}

static void *watch(void *unused)
{
    while (rest())
        lists_renew();
    return unused;
}

enum rc lists_start(struct err *e)
{
    pthread_condattr_t attr;
    enum rc rc;

    if (!me.n)
        return RC_OK;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&me.stirred, &attr);
    pthread_condattr_destroy(&attr);
    rc = thread_start(e, "words", watch, NULL, &me.thread);
    me.running = !rc;
    return rc;
}

void lists_close(void)
{
    pthread_mutex_lock(&me.lock);
    me.stop = true;
    pthread_cond_signal(&me.stirred);
    pthread_mutex_unlock(&me.lock);
    if (me.running)
        pthread_join(me.thread, NULL);
    pthread_mutex_lock(&me.lock);
    unref(me.now);
    me.now = NULL;
    me.n = 0;
    me.running = me.stop = false;
    pthread_mutex_unlock(&me.lock);
}
