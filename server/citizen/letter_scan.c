/*
 * letter_scan.c - the next file that nobody has looked at is read and shown to the scanner; the writer notes what that says.
 *
 *     no connection             the scanner is away: the thread rests, longer each time, and no file is the worse for it
 *     it fails at the file      the file is put off, longer each time, and the next is taken: what makes a scanner die holds back nobody else's
 *
 * The files themselves are the queue, so nothing is lost by a restart or a scanner that is away for days.
 */
#include "server/citizen/letter_scan.h"

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/thread.h"
#include "server/citizen/inbox.h"
#include "server/citizen/scan.h"
#include "server/identity/audit.h"
#include "server/library/row.h"
#include "server/store/writer.h"

enum { LOOK_MS = 250, RETRY_MS = 1000, RETRY_MAX_MS = 16000, WHERE_MAX = 128 };
enum { FAILED_TRIES = 4, PUT_OFF_MAX = 3600 /* seconds */ };

static struct {
    char where[WHERE_MAX];
    struct db *db;
    pthread_t thread;
    bool running;
    int stop; /* an eventfd */
    atomic_bool failing;
} me = { .stop = -1 };

/* ---- what may be read ---- */

static bool is_waiting(const struct letter_file *f)
{
    return *me.where && f->scan == SCAN_NONE;
}

enum rc letter_scan_may_read(struct work *w, const struct letter_file *f, bool for_staff)
{
    if (f->scan == SCAN_INFECTED)
        return err_set(
            &w->err, RC_GONE,
            "这个附件没有通过安全检查（可能带有病毒），已经删除。请写信人查毒后换一个"
            "文件");
    if (for_staff && is_waiting(f) && f->tries >= FAILED_TRIES)
        return err_set(
            &w->err, RC_CONFLICT,
            "这个附件试了 %d "
            "次都没能查毒，暂时不能打开；系统还会再试。急用的话，请写信人换一种格式补"
            "充一份",
            f->tries);
    if (for_staff && is_waiting(f))
        return err_set(&w->err, RC_CONFLICT, "这个附件还在等待查毒，查完就能打开，请稍后再试");
    return RC_OK;
}

const char *letter_scan_word(const struct letter_file *f)
{
    if (f->scan == SCAN_INFECTED)
        return "infected";
    if (!is_waiting(f))
        return NULL;
    return f->tries >= FAILED_TRIES ? "failed" : "waiting";
}

enum rc letter_scan_late(struct work *w, int64_t *n, int64_t *oldest, bool *failing)
{
    struct rows q;
    enum rc rc;

    *n = *oldest = 0;
    *failing = atomic_load(&me.failing);
    if (!*me.where)
        return RC_OK;
    rc = db_one(w, SQL_letter_file_waiting, &q, "");
    if (!rc) {
        *n = rows_int(&q, 0);
        *oldest = rows_int(&q, 1);
    }
    return row_finish(&q, rc);
}

/* ---- what it says is noted ---- */

struct verdict {
    const struct letter_file *file;
    enum scan_verdict what;
    const char *name; /* of what was found */
};

/* Only where a letter has it already: one that is sent later is refused with its reason. */
static enum rc tell_writer(struct work *w, const struct verdict *v, int64_t account, int64_t no)
{
    struct message m = { .kind = "letter", .title = "信中的一个附件没有通过安全检查" };
    char id_as_text[ID_TEXT];
    const char *number = "";
    struct rows q;
    struct id id;
    enum rc rc = db_one(w, SQL_letter_name, &q, "i", no);

    if (!rc) {
        number = rows_dup_text(w, &q, 1);
        rc = row_bytes(w, &q, 0, id.b, sizeof id.b);
    }
    if ((rc = row_finish(&q, rc)) || !account)
        return rc;
    m.group = arena_printf(w->mem, "letter-file/%" PRId64, v->file->kept);
    m.letter = id_text(&id, id_as_text);
    m.text = arena_printf(
        w->mem,
        "您的信件（%s）已经收到，照常办理。信中有一个附件可能带有病毒，为了您和工作人员的安全，"
        "没有转交，也没有保留。这多半不是您的过错，可能是手机或电脑感染了病毒：请查毒后换一个文"
        "件，用“补充”再发给我们。",
        number);
    return inbox_put(w, account, &m, NULL);
}

static void drop_bytes(void *kept)
{
    letter_file_drop(*(const int64_t *)kept);
}

static enum rc note_infected(struct work *w, const struct verdict *v, int64_t account,
                             int64_t letter)
{
    enum rc rc;

    work_fact_word(w, "found", v->name);
    work_count(w, METRIC_letter_files_infected, 1);
    work_after_commit(w, drop_bytes, arena_dup(w->mem, &v->file->kept, sizeof v->file->kept));
    if (!letter)
        return audit_add(w, AUDIT_letter_infected, NULL, RC_OK);
    if ((rc = audit_add(w, AUDIT_letter_infected,
                        arena_printf(w->mem, "letters/%" PRId64, letter), RC_OK)))
        return rc;
    return tell_writer(w, v, account, letter);
}

static enum rc note(struct work *w, void *arg)
{
    const struct verdict *v = arg;
    int64_t account = 0, letter = 0;
    struct rows q;
    enum rc rc;

    rc = db_one(w, SQL_letter_file_scanned, &q, "ii", v->file->kept, (int64_t)v->what);
    if (!rc) {
        account = rows_int(&q, 0);
        letter = rows_int(&q, 1);
    }
    rc = row_finish(&q, rc);
    if (rc == RC_NOT_FOUND) /* its owner was erased meanwhile */
        return RC_OK;
    if (!rc && v->what == SCAN_CLEAN)
        work_count(w, METRIC_letter_files_clean, 1);
    return rc || v->what == SCAN_CLEAN ? rc : note_infected(w, v, account, letter);
}

/* ---- one after the other ---- */

/* False: it is time to end. */
static bool rest(int ms)
{
    struct pollfd stop = { me.stop, POLLIN, 0 };

    return poll(&stop, 1, ms) <= 0;
}

static enum rc find_next(struct work *w, struct letter_file *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_letter_file_unscanned, &q, "i", clock_now());

    if (!rc)
        *out = (struct letter_file){ .kept = rows_int(&q, 0), .tries = (int)rows_int(&q, 1) };
    return row_finish(&q, rc);
}

/* 1, 2, 4, 8 … seconds. */
static enum rc put_off(struct work *w, void *arg)
{
    const struct letter_file *f = arg;
    int64_t wait = f->tries < 12 ? INT64_C(1) << f->tries : PUT_OFF_MAX;

    return db_run(w, SQL_letter_file_put_off, "ii", f->kept,
                  clock_now() + (wait < PUT_OFF_MAX ? wait : PUT_OFF_MAX));
}

static enum rc show(void *arg, const char *p, size_t n)
{
    return scan_show(arg, p, n);
}

static void say_failed(const struct work *w)
{
    atomic_store(&me.failing, true);
    metric_add(METRIC_letter_scan_failures, 1);
    LOG(LOG_WARN, "letter_file_not_scanned", L_STR("why", w->err.text));
}

static enum rc ask_scanner(struct work *w, const struct letter_file *f, struct scan *s,
                           struct verdict *v, char name[static SCAN_NAME_MAX])
{
    enum rc rc = letter_file_each(w, f, (struct sealed_taker){ show, s });

    return rc ? rc : scan_end(s, &v->what, name);
}

/* RC_OK: it is done with, or put off. */
static enum rc look_at(struct work *w, struct letter_file *f)
{
    char name[SCAN_NAME_MAX];
    struct verdict v = { .file = f, .name = name };
    struct scan s;
    enum rc rc;

    if ((rc = scan_begin(&w->err, me.where, me.stop, &s))) {
        scan_close(&s);
        say_failed(w);
        return rc;
    }
    rc = ask_scanner(w, f, &s, &v, name);
    scan_close(&s);
    if (!rc) {
        atomic_store(&me.failing, false);
        return writer_call(w, note, &v);
    }
    say_failed(w);
    return rest(0) ? writer_call(w, put_off, f)
                   : rc; /* the end of us is no fault of the file's */
}

/* RC_NOT_FOUND: none is left. Else the scanner is away, or the store. */
static enum rc step(void)
{
    struct letter_file f;
    struct work w;
    enum rc rc;

    work_init(&w, arena_new(), me.db, "scanner", RIGHT_READ);
    if (!(rc = find_next(&w, &f)) && (rc = look_at(&w, &f)) == RC_NOT_FOUND)
        rc = RC_IO; /* that is said of files alone */
    db_end_read(me.db);
    arena_free(w.mem);
    return rc;
}

/* All whose time has come. False: the scanner is away. */
static bool go_round(void)
{
    enum rc rc = RC_OK;

    while (rest(0) && !rc)
        rc = step();
    return !rc || rc == RC_NOT_FOUND;
}

static void *scan(void *unused)
{
    int retry_ms = RETRY_MS, ms = LOOK_MS;

    while (rest(ms))
        if (go_round()) {
            ms = LOOK_MS;
            retry_ms = RETRY_MS;
        } else {
            ms = retry_ms;
            retry_ms = retry_ms < RETRY_MAX_MS ? 2 * retry_ms : retry_ms;
        }
    return unused;
}

enum rc letter_scan_open(struct err *e, const char *where)
{
    *me.where = '\0';
    if (!*where)
        return RC_OK;
    if (snprintf(me.where, sizeof me.where, "%s", where) < (int)sizeof me.where)
        return scan_check(e, me.where);
    *me.where = '\0';
    return err_set(e, RC_INVALID, "scan_socket is too long");
}

static enum rc launch(struct err *e)
{
    if ((me.stop = eventfd(0, EFD_CLOEXEC)) < 0)
        return err_errno(e, "make an eventfd");
    return thread_start(e, "scanner", scan, NULL, &me.thread);
}

enum rc letter_scan_start(struct err *e, const char *db_path)
{
    enum rc rc;

    if (!*me.where)
        return RC_OK;
    if ((rc = db_open(e, db_path, DB_READ, &me.db)))
        return rc;
    rc = launch(e);
    me.running = !rc;
    if (rc)
        letter_scan_stop();
    return rc;
}

void letter_scan_stop(void)
{
    if (me.running) {
        eventfd_write(me.stop, 1);
        pthread_join(me.thread, NULL);
    }
    if (me.stop >= 0)
        close(me.stop);
    db_close(me.db);
    me.db = NULL;
    me.stop = -1;
    me.running = false;
}
