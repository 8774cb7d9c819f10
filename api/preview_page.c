/*
 * preview_page.c - a draft behind a signed link: the page it will be, under a banner, kept by no
 * cache and no search engine.
 *
 * The token names the revision, so what is shown is what was meant to be shown, though editing
 * goes on. Its files are opened by the same token (blobs.c).
 */
#include "api/preview_page.h"

#include "api/article_page.h"
#include "api/instance.h"
#include "api/page.h"
#include "server/base/jx.h"

static enum rc reply_expired(struct work *w, struct reply *rp)
{
    static const char *const words[] = { "预览链接只在一段时间内有效，这一个已经过期。",
                                         "请向给您链接的编辑再要一个。", NULL };

    page_gone(w, rp, "预览链接已过期", words);
    return RC_OK;
}

static enum rc put_draft(struct work *w, const char *token, const struct id *id, int64_t rev,
                         struct buf *b)
{
    struct buf text = BUF_IN(w->mem);
    struct content content;
    struct article a = { .preview = true };

    struct item item;
    json_t *object;
    enum rc rc;

    if ((rc = item_preview(w, id, rev, &item, &content)))
        return rc;
    content_write(&content, &text);
    if ((rc = jx_object(&w->err, w->mem, text.p, text.n, &object)))
        return rc;
    a.item = &item;
    a.record = object;
    a.query = arena_printf(w->mem, "?preview=%s", token); /* base64url: needs no escapes */
    if ((rc = article_place(w, &a)))
        return rc;
    article_html(w, b, &a, false);
    return RC_OK;
}

enum rc get_preview(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct id id;
    const char *token = request_arg(rq, "token")->text;
    int64_t rev;
    enum rc rc;

    rc = preview_check(&w->err, &instance()->preview, token, &id, &rev);
    if (rc == RC_GONE)
        return reply_expired(w, rp);
    if (rc || (rc = put_draft(w, token, &id, rev, &b)))
        return rc;
    page_reply(rp, &b);
    reply_header(rp, "x-robots-tag", "noindex");
    reply_header(rp, "referrer-policy", "no-referrer");
    return RC_OK;
}
