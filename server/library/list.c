/*
 * list.c - pages of items, cut by a cursor that names the last item seen:
 *
 *     base64url( 'p' date:8 born:8 stream:8 )   published items, newest first
 *     base64url( 's' created:8 id:16 )          items in one state, oldest first
 *
 * integers big-endian. A cursor of the other list, or of another length, is refused. There is
 * no counting: the index leads to the place, so the thousandth page costs what the first does.
 */
#include <string.h>

#include "server/base/be64.h"
#include "server/library/item_row.h"
#include "server/library/row.h"

enum {
    PLACE = 25,
    STATE_PLACE = 25,
    LOOK_MOST = 1000 /* items that a page of drafts passes over, or shows */
};

static enum rc read_cursor(struct work *w, const char *text, char kind, uint8_t *out, int n)
{
    uint8_t place[STATE_PLACE + 1];

    if (strlen(text) >= ITEM_CURSOR_TEXT ||
        b64url_parse(text, strlen(text), place, sizeof place) != n || place[0] != (uint8_t)kind)
        return err_field(&w->err, "cursor", "this cursor was not made by us");
    memcpy(out, place, (size_t)n);
    return RC_OK;
}

static enum rc check_limit(struct work *w, int limit)
{
    if (limit < 1 || limit > ITEM_PAGE_MAX)
        return err_field(&w->err, "limit", "a page has 1 to %d items", ITEM_PAGE_MAX);
    return RC_OK;
}

/* One row more than the page was asked for: it is there if another page follows. */
static enum rc read_page(struct work *w, struct rows *q, int limit, struct item_page *out)
{
    struct item_page page = { .items = arena_alloc(w->mem,
                                                   (size_t)(limit + 1) * sizeof *page.items) };
    enum rc rc = RC_OK;

    while (!rc && page.n <= limit && rows_next(q))
        if (!(rc = item_row(w, q, &page.items[page.n])))
            page.n++;
    if ((rc = row_finish(q, rc)))
        return rc;
    *out = page;
    return RC_OK;
}

enum rc item_list(struct work *w, const struct item_query *in, struct item_page *out)
{
    static const enum sql statements[] = {
        [LIST_ALL] = SQL_item_list_all,
        [LIST_STREAM] = SQL_item_list_stream,
        [LIST_SITE] = SQL_item_list_site,
        [LIST_COLUMN] = SQL_item_list_column,
    };
    /* Below (until, -1) in the order of (date, born, stream) is the same as date < until. */
    int64_t date = in->until ? in->until : INT64_MAX, born = -1, stream = 0;
    uint8_t place[PLACE];
    struct rows q;
    enum rc rc;

    if ((rc = check_limit(w, in->limit)))
        return rc;
    if (in->cursor) {
        if ((rc = read_cursor(w, in->cursor, 'p', place, PLACE)))
            return rc;
        if (!in->until || be64_get(place + 1) < in->until) {
            date = be64_get(place + 1);
            born = be64_get(place + 9);
            stream = be64_get(place + 17);
        }
    }
    if ((rc = db_query(w, statements[in->by], &q, "iiiiii", date, born, stream,
                       in->since ? in->since : INT64_MIN, (int64_t)in->limit + 1, in->no)) ||
        (rc = read_page(w, &q, in->limit, out)))
        return rc;
    if (out->n > in->limit) {
        const struct item *last = &out->items[--out->n - 1];

        place[0] = 'p';
        be64_put(place + 1, last->date);
        be64_put(place + 9, last->born);
        be64_put(place + 17, last->stream);
        b64url_text(place, PLACE, out->next, sizeof out->next);
    }
    return RC_OK;
}

/* *more: others follow `last`, or may. */
static enum rc read_seen(struct work *w, struct rows *q, int limit, struct item_page *out,
                         struct item *last, bool *more)
{
    struct item_page page = { .items =
                                  arena_alloc(w->mem, (size_t)limit * sizeof *page.items) };
    struct item it;
    enum rc rc = RC_OK;
    int looked = 0;

    *more = false;
    while (!rc && !*more && rows_next(q)) {
        bool seen =
            !(rc = item_row(w, q, &it)) && actor_has_at(&w->who, ITEM_DRAFT_RIGHTS, it.site);

        if (rc)
            break;
        *more = seen && page.n == limit;
        if (*more)
            break;
        if (seen)
            page.items[page.n++] = it;
        *last = it;
        *more = ++looked == LOOK_MOST;
    }
    if ((rc = row_finish(q, rc)))
        return rc;
    *out = page;
    return RC_OK;
}

enum rc item_list_state(struct work *w, enum state state, int limit, const char *cursor,
                        struct item_page *out)
{
    uint8_t place[STATE_PLACE] = { 's' };
    struct item last;
    struct rows q;
    bool more;
    enum rc rc;

    be64_put(place + 1, INT64_MIN);
    if ((rc = check_limit(w, limit)) ||
        (cursor && (rc = read_cursor(w, cursor, 's', place, STATE_PLACE))))
        return rc;
    if ((rc = db_query(w, SQL_item_list_state, &q, "tibi", state_name(state),
                       be64_get(place + 1), place + 9, (size_t)ID_BYTES,
                       (int64_t)LOOK_MOST + 1)) ||
        (rc = read_seen(w, &q, limit, out, &last, &more)))
        return rc;
    if (more) {
        be64_put(place + 1, last.created);
        memcpy(place + 9, last.id.b, ID_BYTES);
        b64url_text(place, STATE_PLACE, out->next, sizeof out->next);
    }
    return RC_OK;
}
