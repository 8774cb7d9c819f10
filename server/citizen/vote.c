/*
 * vote.c - sums over the index of votes. A million votes on one item are some 50 ms on a worker: a page for staff, so it is asked by few.
 */
#include "server/citizen/vote.h"

#include <string.h>

#include "server/library/item.h"
#include "server/library/row.h"
#include "server/library/stream.h"
#include "server/store/db.h"

static enum rc of_one(struct work *w, const struct id *item, struct buf *list)
{
    struct stream stream;
    char id[ID_TEXT];
    struct item it;
    struct rows q;
    enum rc rc;

    if ((rc = item_find(w, item, &it)) || (rc = work_need_at(w, ITEM_DRAFT_RIGHTS, it.site)) ||
        (rc = stream_by_no(w, it.stream, &stream)))
        return rc;
    id_text(item, id);
    rc = db_one(w, SQL_vote_count, &q, "t", arena_printf(w->mem, "%s/%s", stream.name, id));
    if (!rc)
        buf_add(list,
                &(struct vote){ arena_strdup(w->mem, id), it.title, rows_int(&q, 0),
                                rows_int(&q, 1) },
                sizeof(struct vote));
    rc = row_finish(&q, rc);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* The first of them that are at sites where he may see drafts. */
static enum rc of_all(struct work *w, int most, struct buf *list)
{
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_vote_list, &q, "")))
        return rc;
    for (int n = 0; n < most && rows_next(&q);) {
        struct vote v = { .useful = rows_int(&q, 1), .useless = rows_int(&q, 2) };

        if (!actor_has_at(&w->who, ITEM_DRAFT_RIGHTS, rows_int(&q, 3)))
            continue;
        v.item = strchr(rows_dup_text(w, &q, 0), '/') + 1;
        v.title = rows_dup_text(w, &q, 4);
        buf_add(list, &v, sizeof v);
        n++;
    }
    return rows_done(&q);
}

enum rc vote_list(struct work *w, const struct id *item, int most, struct vote **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    enum rc rc = item ? of_one(w, item, &list) : of_all(w, most, &list);

    *out = (struct vote *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rc;
}
