/*
 * relay.c - the rows of an item that is public from its first moment.
 */
#include "server/library/relay.h"

#include <string.h>

#include "server/base/clock.h"
#include "server/library/column.h"
#include "server/library/item_row.h"
#include "server/library/row.h"
#include "server/library/site.h"
#include "server/library/stream.h"
#include "server/store/db.h"

/* ---- where ---- */

/* A site that was closed takes no articles; what is dangerous outside is still told. */
static enum rc find_site(struct work *w, const char *code, struct site *out)
{
    struct stream stream;
    struct site *all;
    enum rc rc;
    int n;

    if (code && *code)
        return site_find(w, code, out);
    if ((rc = site_list(w, 0, &all, &n)))
        return rc;
    for (int i = 0; i < n; i++) {
        if ((rc = stream_by_no(w, all[i].stream, &stream)))
            return rc;
        if (!all[i].open || stream.mirrored)
            continue;
        *out = all[i];
        return RC_OK;
    }
    return err_set(&w->err, RC_CONFLICT,
                   "这台服务器还没有站点，预警无处可放：请管理员先建一个站点");
}

static enum rc put(struct work *w, struct item *it, const struct content *content,
                   const char *update_type)
{
    struct item_place place;
    struct column column;
    struct site site;
    enum rc rc;

    if ((rc = site_by_no(w, it->site, &site)) || (rc = column_by_no(w, it->col, &column)))
        return rc;
    place = (struct item_place){ .site = site.code, .column = column.path };
    memcpy(it->content_hash, content->hash, sizeof it->content_hash);
    if ((rc = item_put(w, it, content, it->rev, &place, 0)) ||
        (rc = revision_insert(w,
                              &(struct revision_new){ &it->id, it->rev, STATE_PUBLISHED,
                                                      it->seq, content, update_type, NULL })) ||
        (rc = revision_log(w, &it->id, it->rev, VERB_IMPORT, STATE_DRAFT, STATE_PUBLISHED,
                           NULL)))
        return rc;
    it->state = STATE_PUBLISHED;
    return attachments_insert(w, &it->id, it->rev, content);
}

enum rc relay_new(struct work *w, const struct relay *r, struct item *out)
{
    struct item it = { .id = id_new(), .born = -1, .rev = 1, .created = clock_now() };
    struct stream stream;
    struct column column;
    struct site site;
    enum rc rc;

    if ((rc = find_site(w, r->site, &site)) || (rc = stream_by_no(w, site.stream, &stream)) ||
        (rc = stream_check_own(w, &stream)) ||
        (rc = column_at(w, site.no, r->column, true, &column)))
        return rc;
    it.stream = stream.no;
    it.site = site.no;
    it.col = column.no;
    it.authority = arena_strdup(w->mem, stream.name);
    it.origin_id = r->origin_id;
    if ((rc = put(w, &it, r->content, "major")))
        return rc;
    if ((rc = item_insert(w, &it)) == RC_CONFLICT)
        return err_set(&w->err, rc, "资源库里已有编号为 %.100s 的内容", r->origin_id);
    if (!rc)
        *out = it;
    return rc;
}

enum rc relay_next(struct work *w, const struct id *id, const struct content *content,
                   struct item *out)
{
    struct item it;
    enum rc rc;

    if ((rc = item_find(w, id, &it)))
        return rc;
    it.rev++;
    if ((rc = put(w, &it, content, "major")) || (rc = item_update(w, &it)))
        return rc;
    *out = it;
    return RC_OK;
}

enum rc relay_live(struct work *w, int most, struct slice **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_item_warnings, &q, "i", (int64_t)most)))
        return rc;
    while (rows_next(&q)) {
        struct slice one;

        one.p = rows_dup_blob(w, &q, 0, &one.n);
        if (one.p)
            buf_add(&list, &one, sizeof one);
    }
    *out = (struct slice *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rows_done(&q);
}
