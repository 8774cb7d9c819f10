/*
 * duplicates.c - see the header.
 */
#include "api/duplicates.h"

#include <string.h>

#include "api/instance.h"
#include "api/places.h"
#include "api/view.h"
#include "server/base/jx.h"
#include "server/source/duplicate.h"

static enum rc put_head(struct work *w, struct buf *b, struct places *places,
                        const struct item *it)
{
    struct buf url = BUF_IN(w->mem);
    const struct site *site;
    char id[ID_TEXT];
    enum rc rc;

    if ((rc = places_site(w, places, it->site, &site)))
        return rc;
    id_text(&it->id, id);
    instance_url(&url, arena_printf(w->mem, "/a/%s", id));
    jx_put_text(b, "item", id);
    jx_put_text(b, "site", site->code);
    jx_put_text(b, "title", it->title);
    jx_put_text(b, "url", url.p);
    return RC_OK;
}

static enum rc put_list(struct work *w, struct buf *b, struct places *places,
                        const struct duplicate *list, int n)
{
    enum rc rc;

    jx_key(b, "duplicates");
    buf_addc(b, '[');
    for (int i = 0; i < n; i++) {
        buf_adds(b, i ? ",{" : "{");
        if ((rc = put_head(w, b, places, &list[i].item)))
            return rc;
        jx_put_bool(b, "same", list[i].likeness == SAME);
        buf_addc(b, '}');
    }
    buf_addc(b, ']');
    return RC_OK;
}

enum rc duplicates_put(struct work *w, struct buf *b, const struct content *c,
                       const struct item *it)
{
    struct places places = PLACES_NONE;
    struct duplicate *list;
    enum rc rc;
    int n;

    if ((rc = duplicates_of(w, c, it->site, &it->id, &list, &n)))
        return rc;
    return put_list(w, b, &places, list, n);
}

enum rc get_duplicates(struct work *w, const struct request *rq, struct reply *rp)
{
    const struct arg *after = request_arg(rq, "after");
    struct places places = PLACES_NONE;
    struct buf b = BUF_IN(w->mem);
    struct duplicate_pair *pairs;
    char text[ID_TEXT] = "";
    struct id last;
    bool next;
    enum rc rc;
    int n;

    if ((rc = work_need(w, ITEM_DRAFT_RIGHTS)) ||
        (rc = duplicates_list(w, after && after->set ? &after->id : NULL, &pairs, &n, &last,
                              &next)))
        return rc;
    view_list_open(&b, "items");
    for (int i = 0; i < n; i++) {
        buf_adds(&b, i ? ",{" : "{");
        if ((rc = put_head(w, &b, &places, &pairs[i].item)) ||
            (rc = put_list(w, &b, &places, pairs[i].like, pairs[i].n)))
            return rc;
        buf_addc(&b, '}');
    }
    view_list_close(&b, next ? id_text(&last, text) : "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}
