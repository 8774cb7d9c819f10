/*
 * purge_url.c - a queue in a table. Who adds stands in the transaction of the takedown, so a URL
 * is in it if and only if its text was taken down.
 */
#include "server/library/purge_url.h"

#include <stdio.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/library/row.h"

enum { URL_MAX = 1024 };

static bool watching; /* set before the writer starts */

bool purge_url_watched(void)
{
    return watching;
}

void purge_url_watch(bool on)
{
    watching = on;
}

enum rc purge_url_add(struct work *w, const char *fmt, ...)
{
    char url[URL_MAX];
    va_list ap;
    int n;

    if (!watching)
        return RC_OK;
    va_start(ap, fmt);
    n = vsnprintf(url, sizeof url, fmt, ap);
    va_end(ap);
    if (n < 0 || n >= (int)sizeof url)
        return err_set(&w->err, RC_INTERNAL, "a URL to purge is too long");
    return db_run(w, SQL_purge_url_add, "ti", url, clock_now());
}

static bool has(const struct buf *list, const char *url)
{
    const char *const *urls = (const char *const *)(const void *)list->p;

    for (size_t i = 0; i < list->n / sizeof *urls; i++)
        if (!strcmp(urls[i], url))
            return true;
    return false;
}

enum rc purge_url_batch(struct work *w, int most, struct purge_batch *out)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    *out = (struct purge_batch){ 0 };
    if ((rc = db_query(w, SQL_purge_url_batch, &q, "i", (int64_t)most)))
        return rc;
    while (rows_next(&q)) {
        const char *url = rows_dup_text(w, &q, 1);

        out->last = rows_int(&q, 0);
        out->oldest = out->oldest ? out->oldest : rows_int(&q, 2);
        if (!has(&list, url))
            buf_add(&list, &url, sizeof url);
    }
    out->urls = (const char **)(void *)list.p;
    out->n = (int)(list.n / sizeof *out->urls);
    return rows_done(&q);
}

enum rc purge_url_done(struct work *w, int64_t last)
{
    return db_run(w, SQL_purge_url_done, "i", last);
}

enum rc purge_url_waiting(struct work *w, int64_t *n, int64_t *oldest)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_purge_url_waiting, &q, "");

    *n = rc ? 0 : rows_int(&q, 0);
    *oldest = rc ? 0 : rows_int(&q, 1);
    return row_finish(&q, rc);
}
