/*
 * mirror.c - who is followed: rows of the table `mirror`, and how far each is.
 *
 *     add, remove --(writer)--> row --COMMIT--> the thread is stirred, and reads the table anew
 *     list: row, the stream's place in our log, what the thread told last
 *
 * Adding makes the stream, without a head; removing takes all of it away in one transaction.
 * Not here: the thread (mirror_thread.c), what a whole server's list adds and removes (mirror_edge.c), withholding
 * (mirror_items.c).
 */
#include "server/channel/mirror.h"

#include <string.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/generation.h"
#include "server/channel/mirror_status.h"
#include "server/channel/mirror_store.h"
#include "server/channel/mirror_thread.h"
#include "server/library/stream.h"
#include "server/store/db.h"

bool mirror_url_ok(const char *url)
{
    size_t n = strlen(url);

    return (!strncmp(url, "https://", 8) || !strncmp(url, "http://", 7)) && n > 8 &&
           n <= MIRROR_URL_MAX && !strpbrk(url, " \"<>\\?#") &&
           strchr(url + 8, '/') == (url[n - 1] == '/' ? url + n - 1 : NULL);
}

static enum rc check_new(struct work *w, const struct mirror_new *in, uint8_t trust[HASH_BYTES])
{
    if (!mirror_url_ok(in->url))
        return err_field(&w->err, "url",
                         "\"%.100s\" is not the address of a server, like "
                         "https://www.example.cn:8443",
                         in->url);
    if (!wire_stream_ok(in->stream, strlen(in->stream)))
        return err_field(&w->err, "stream", "\"%.40s\" cannot be the name of a stream",
                         in->stream);
    if (in->trust && !hex_parse(in->trust, strlen(in->trust), trust, HASH_BYTES))
        return err_field(&w->err, "trust",
                         "a platform key is 64 lower-case hex digits: its server prints it");
    if (in->cacert && (strlen(in->cacert) > MIRROR_CACERT_MAX || !fs_exists(in->cacert)))
        return err_field(&w->err, "ca", "there is no file %.200s", in->cacert);
    return RC_OK;
}

enum rc mirror_follow(struct work *w, const struct mirror_new *in)
{
    uint8_t trust[HASH_BYTES];
    size_t n = strlen(in->url);
    struct live *l;
    enum rc rc;

    if ((rc = work_need(w, RIGHT_OPERATE)) || (rc = check_new(w, in, trust)) ||
        (rc = live_mirror_add(w, in->stream, &l)))
        return rc;
    n -= in->url[n - 1] == '/';
    if ((rc = db_run(w, SQL_mirror_set, "itbti", live_no(l),
                     arena_printf(w->mem, "%.*s", (int)n, in->url), in->trust ? trust : NULL,
                     sizeof trust, in->cacert, clock_now())))
        return rc;
    work_after_commit(w, mirror_stir, NULL);
    return RC_OK;
}

static void changed(void *arg)
{
    (void)arg;
    generation_next();
}

static enum rc find_mirrored(struct work *w, const char *name, struct live **out)
{
    *out = live_find(name);
    return *out && live_is_mirrored(*out)
               ? RC_OK
               : err_set(&w->err, RC_NOT_FOUND, "no stream \"%.40s\" is mirrored here", name);
}

enum rc mirror_unfollow(struct work *w, const char *name)
{
    struct live *l;
    const char *parts;
    enum rc rc;

    if ((rc = work_need(w, RIGHT_OPERATE)) || (rc = find_mirrored(w, name, &l)))
        return rc;
    parts = arena_printf(w->mem, "%s/mirror/%s", live_data(l), live_name(l));
    if ((rc = mirror_store_forget(w, live_no(l))) || (rc = live_mirror_drop(w, l)))
        return rc;
    work_after_commit(w, changed, NULL);
    work_after_commit(w, mirror_stir, NULL);
    work_after_commit(w, mirror_parts_drop, (void *)(uintptr_t)parts);
    return RC_OK;
}

static enum rc trust_of(struct work *w, int64_t stream, char out[HASH_TEXT])
{
    struct rows q;
    enum rc rc = db_query(w, SQL_mirror_value, &q, "ii", stream, (int64_t)FOLLOW_TRUST);

    if (rc)
        return rc;
    if (rows_next(&q)) {
        size_t n;
        const void *p = rows_blob(&q, 0, &n);

        if (p && n == HASH_BYTES)
            hex_text(p, n, out);
    }
    return rows_done(&q);
}

static enum rc describe(struct work *w, struct mirror_state *s, int64_t no)
{
    struct mirror_status told;
    struct stream row;
    enum rc rc;

    if ((rc = stream_by_no(w, no, &row)) || (rc = trust_of(w, no, s->trust)))
        return rc;
    s->epoch = row.epoch;
    s->seq = row.seq;
    s->items = row.born;
    mirror_status_of(s->stream, &told);
    s->checked = told.checked;
    s->failures = told.failures;
    s->since = told.since;
    s->error = arena_strdup(w->mem, told.error);
    return RC_OK;
}

enum rc mirror_list(struct work *w, struct mirror_state **out, int *n)
{
    struct buf list = BUF_IN(w->mem), numbers = BUF_IN(w->mem);
    struct rows q;
    enum rc rc = db_query(w, SQL_mirror_all, &q, "");

    if (rc)
        return rc;
    while (rows_next(&q)) {
        struct mirror_state s = { .stream = rows_dup_text(w, &q, 1),
                                  .url = rows_dup_text(w, &q, 2) };
        int64_t no = rows_int(&q, 0);

        buf_add(&list, &s, sizeof s);
        buf_add(&numbers, &no, sizeof no);
    }
    rc = rows_done(&q);
    *out = (struct mirror_state *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    for (int i = 0; i < *n && !rc; i++)
        rc = describe(w, &(*out)[i], ((const int64_t *)(const void *)numbers.p)[i]);
    return rc;
}
