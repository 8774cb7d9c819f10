/*
 * submission_fetch.c - see the header. One round of one submission: which files, whether they are files, what is written.
 */
#include "server/source/submission_fetch.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/base/url.h"
#include "server/identity/party_table.h"
#include "server/ingest/html_url.h"
#include "server/library/row.h"
#include "server/source/file_type.h"
#include "server/store/blob.h"
#include "server/store/writer.h"

enum { REDIRECTS = 3, HOSTS_AWAY = 16, BYTES_PER_MB = 1024 * 1024 };

static const int64_t rests[FETCH_TRIES] = { 20, 120,
                                            0 }; /* seconds, after the first, second … round */

struct round {
    struct work *w;
    const struct fetch_door *door;
    struct submission s;
    const char *body;
    size_t len;
    struct source_file *files;
    int nfiles;
    int64_t bytes;                /* of those that are here */
    const char *away[HOSTS_AWAY]; /* hosts that did not answer in this round */
    int naway;
    bool cut;
};

/* ---- one file ---- */

static bool is_of(const char *url, const char *host)
{
    size_t n;
    const char *h = url_host(url, &n);

    return h && n == strlen(host) && !strncasecmp(h, host, n);
}

static bool is_away(const struct round *r, const char *url)
{
    for (int i = 0; i < r->naway; i++)
        if (is_of(url, r->away[i]))
            return true;
    return false;
}

static void note_away(struct round *r, const char *url)
{
    size_t n;
    const char *h = url_host(url, &n);

    if (h && r->naway < HOSTS_AWAY && !is_away(r, url))
        r->away[r->naway++] = arena_strndup(r->w->mem, h, n);
}

static void fail(struct round *r, struct source_file *f, const char *why)
{
    f->state = FILE_FAILED;
    f->said = arena_strdup(r->w->mem, why);
}

/* True: to ask again at *url. */
static bool follow(struct round *r, const struct fetched *got, const char **url)
{
    struct buf next = BUF_IN(r->w->mem);

    if (got->status < 300 || got->status > 399 || !*got->moved ||
        !html_url(&next, *url, got->moved))
        return false;
    *url = next.p;
    return true;
}

static void keep(struct round *r, struct source_file *f, const struct fetched *got)
{
    const struct file_type *type =
        file_type_of(got->body.p ? got->body.p : "", got->body.n, f->name);
    uint8_t hash[HASH_BYTES];
    struct err e = { 0 };

    if (!type) {
        fail(r, f, "不是图片，也不是可以收的文档");
        return;
    }
    if (r->bytes + (int64_t)got->body.n > FETCH_ALL_MAX) {
        fail(r, f, "各文件合计超过 200 MB");
        return;
    }
    sha256(got->body.p, got->body.n, hash);
    if (blob_put(&e, r->door->data, hash, got->body.p, got->body.n)) {
        f->said = "暂时存不下"; /* still wanted: our disk, and no fault of the file's */
        return;
    }
    f->state = FILE_FETCHED;
    f->said = NULL;
    f->type = type->type;
    f->size = (int64_t)got->body.n;
    hex_text(hash, sizeof hash, f->hash);
    if (!strrchr(f->name, '.'))
        f->name = arena_printf(r->w->mem, "%s%s", f->name, type->end);
    r->bytes += f->size;
}

static bool comes_later(int status)
{
    return !status || status == 408 || status == 429 || status >= 500;
}

static void judge(struct round *r, struct source_file *f, const char *url,
                  const struct fetched *got)
{
    if (got->cut) {
        r->cut = true;
    } else if (got->too_large) {
        fail(r, f, "超过 20 MB");
    } else if (comes_later(got->status)) {
        f->said = got->status ? arena_printf(r->w->mem, "对方服务器答复 %d", got->status)
                              : "连不上对方服务器，或它不是公网地址";
        note_away(r, url);
    } else if (got->status != 200) {
        fail(r, f, arena_printf(r->w->mem, "对方服务器答复 %d", got->status));
    } else {
        keep(r, f, got);
    }
}

static void fetch(struct round *r, struct source_file *f)
{
    const char *url = f->url;
    struct fetched got = { 0 };

    for (int i = 0; i <= REDIRECTS; i++) {
        if (is_away(r, url))
            return;
        buf_done(&got.body);
        got = (struct fetched){ 0 };
        r->door->get(r->door->arg, &(struct fetch_request){ .url = url, .max = FETCH_FILE_MAX },
                     &got);
        if (got.too_large || !follow(r, &got, &url))
            break;
    }
    judge(r, f, url, &got);
    buf_done(&got.body);
}

/* ---- what is written ---- */

struct outcome {
    struct round *r;
    struct submitted *read;
    const struct err *why; /* it cannot be taken */
    const char *files;
    int64_t again;
};

/* The row as it is now. RC_NOT_FOUND: a later version took its place, or it is done. */
static enum rc still_waits(struct work *w, const struct round *r, struct submission *out)
{
    enum rc rc = submission_by_no(w, r->s.no, out);

    if (!rc && out->state != SUBMISSION_RECEIVED && out->state != SUBMISSION_CHECKING)
        rc = err_set(&w->err, RC_NOT_FOUND, "it waits no more");
    return rc;
}

static enum rc begin(struct work *w, void *arg)
{
    const struct outcome *o = arg;

    return db_run(w, SQL_submission_checking, "ii", o->r->s.no, clock_now() + rests[0]);
}

static enum rc put_off(struct work *w, void *arg)
{
    const struct outcome *o = arg;

    return db_run(w, SQL_submission_put_off, "itii", o->r->s.no, o->files,
                  (int64_t)(o->r->s.tries + 1), clock_now() + o->again);
}

static enum rc land(struct work *w, void *arg)
{
    const struct outcome *o = arg;
    struct submission s;
    enum rc rc = still_waits(w, o->r, &s);

    if (!rc && !strncmp(s.source, "party:", strlen("party:")) &&
        !party_table_may(s.source, RIGHT_IMPORT, s.site))
        rc = err_set(&w->err, RC_FORBIDDEN, "报送的程序已经停用，或不再可以向这个站点报送");
    return rc ? rc : submission_land(w, &s, o->read);
}

static enum rc send_back(struct work *w, void *arg)
{
    const struct outcome *o = arg;

    return db_run(w, SQL_submission_returned, "ittt", o->r->s.no,
                  *o->why->field ? o->why->field : NULL, o->why->text, o->files);
}

/* A job of the writer in the source's own name, which may import at that one site. */
static enum rc write(struct round *r, enum rc (*run)(struct work *w, void *arg),
                     struct outcome *o)
{
    struct scope here = { r->s.site, RIGHT_IMPORT };
    struct buf files = BUF_IN(r->w->mem);
    struct work w;
    enum rc rc;

    source_files_write(&files, r->files, r->nfiles);
    o->files = files.p;
    work_init(&w, r->w->mem, NULL, r->s.source, 0);
    w.who.scopes = &here;
    w.who.nscopes = 1;
    rc = writer_call(&w, run, o);
    r->w->err = w.err;
    return rc;
}

/* Reasons that are the record's; others pass. */
static bool is_refusal(enum rc rc)
{
    return rc == RC_INVALID || rc == RC_NOT_FOUND || rc == RC_CONFLICT || rc == RC_GONE ||
           rc == RC_TOO_LARGE || rc == RC_FORBIDDEN;
}

static enum rc read_again(struct round *r, struct submitted *out)
{
    struct work *w = r->w;
    struct site *site = arena_zalloc(w->mem, sizeof *site);
    json_t *record;
    enum rc rc;

    if ((rc = site_by_no(w, r->s.site, site)) ||
        (rc = jx_object(&w->err, w->mem, r->body, r->len, &record)) ||
        (rc = submission_read(&w->err, w->mem, record, site, r->files, r->nfiles, out)))
        return rc;
    import_check(w->mem, &out->line, false);
    return RC_OK;
}

static enum rc finish(struct round *r)
{
    struct outcome o = { .r = r };
    struct submitted read;
    struct err why;
    enum rc rc;

    for (int i = 0; i < r->nfiles; i++)
        if (r->files[i].state == FILE_WANTED)
            r->files[i].state = FILE_FAILED;
    if (!(rc = read_again(r, &read))) {
        o.read = &read;
        rc = write(r, land, &o);
    }
    if (!is_refusal(rc))
        return rc;
    why = r->w->err;
    o.why = &why;
    return write(r, send_back, &o); /* which changes nothing if it waits no more */
}

/* ---- a round ---- */

static enum rc open_round(struct round *r)
{
    struct work *w = r->w;
    struct rows q;
    int64_t no = 0;
    enum rc rc = db_one(w, SQL_submission_next, &q, "i", clock_now());

    if (!rc) {
        no = rows_int(&q, 0);
        r->body = rows_dup_blob(w, &q, 1, &r->len);
    }
    if ((rc = row_finish(&q, rc)) || (rc = submission_by_no(w, no, &r->s)) ||
        (rc = source_files_read(&w->err, w->mem, r->s.files, &r->files, &r->nfiles)))
        return rc;
    for (int i = 0; i < r->nfiles; i++)
        r->bytes += r->files[i].state == FILE_FETCHED ? r->files[i].size : 0;
    return RC_OK;
}

enum rc submission_fetch_next(struct work *w, const struct fetch_door *door)
{
    struct round r = { .w = w, .door = door };
    struct outcome o = { .r = &r };
    int wanted = 0;
    enum rc rc;

    if ((rc = open_round(&r)) || (rc = write(&r, begin, &o)))
        return rc;
    for (int i = 0; i < r.nfiles && !r.cut; i++) {
        if (r.files[i].state == FILE_WANTED)
            fetch(&r, &r.files[i]);
        wanted += r.files[i].state == FILE_WANTED;
    }
    if (r.cut)
        return err_set(&w->err, RC_BUSY, "the server stops");
    if (!wanted || r.s.tries + 1 >= FETCH_TRIES)
        return finish(&r);
    o.again = rests[r.s.tries];
    return write(&r, put_off, &o);
}
