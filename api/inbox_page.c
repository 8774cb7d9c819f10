/*
 * inbox_page.c - /account/inbox: the newest first, what is new marked, each to be removed, all to be marked as read.
 *
 * To look is not to have read: a browser fetches pages that nobody looks at, and a phone must not lose its mark by it.
 */
#include "api/inbox_page.h"

#include <inttypes.h>
#include <string.h>

#include "api/account_page.h"
#include "api/sheet.h"
#include "api/visitor.h"
#include "server/citizen/inbox.h"

static const char path[] = "/account/inbox";

const struct param inbox_page_params[] = {
    { "large", P_BOOL, 0, 0, "1：长辈版" },
    { "done", P_TEXT, 1, ACCOUNT_DONE_MAX, "刚刚办完了什么" },
    { "before", P_INT, 1, INT64_MAX, "只要这个编号以前的消息：一页最后一条的编号" },
    { 0 },
};

static void put_link(struct sheet *s, const struct inbox_message *m)
{
    const char *id = m->link ? strchr(m->link, '/') : NULL;

    if (!id)
        return;
    buf_printf(&s->b,
               "<p class=\"way\"><a href=\"/a%s%s\">查看相关内容<span class=\"unseen\">：", id,
               s->large ? "/large" : "");
    page_text(&s->b, m->title);
    buf_adds(&s->b, "</span></a></p>\n");
}

/* To who sent it: his host stands there, for it is not ours. */
static void put_url(struct sheet *s, const struct inbox_message *m)
{
    const char *host = m->url ? strstr(m->url, "://") : NULL;

    if (!host)
        return;
    host += strlen("://");
    buf_adds(&s->b, "<p class=\"way\"><a rel=\"noreferrer\" href=\"");
    page_text(&s->b, m->url);
    buf_adds(&s->b, "\">前往办理（");
    page_text(&s->b, arena_strndup(s->w->mem, host, strcspn(host, "/")));
    buf_adds(&s->b, "）</a></p>\n");
}

static void put_sender(struct sheet *s, const struct inbox_message *m)
{
    if (!m->sender)
        return;
    buf_adds(&s->b, "<p class=\"small\">来自：");
    page_text(&s->b, m->sender);
    buf_adds(&s->b, "</p>\n");
}

static void put_message(struct sheet *s, const struct inbox_message *m)
{
    buf_adds(&s->b, m->seen ? "<li>\n<p><strong>" : "<li>\n<p>【未读】<strong>");
    page_text(&s->b, m->title);
    buf_adds(&s->b, "</strong></p>\n<p class=\"small\">");
    page_time(&s->b, m->at, true);
    buf_adds(&s->b, "</p>\n");
    put_sender(s, m);
    if (m->text) {
        buf_adds(&s->b, "<p class=\"lines\">");
        page_text(&s->b, m->text);
        buf_adds(&s->b, "</p>\n");
    }
    put_link(s, m);
    put_url(s, m);
    sheet_form(s, "/account/inbox/drop");
    sheet_hidden(s, "message", arena_printf(s->w->mem, "%" PRId64, m->no));
    sheet_small_button(s, "删除这条消息", m->title);
    sheet_form_end(s);
    buf_adds(&s->b, "</li>\n");
}

static void put_seen_form(struct sheet *s, const struct inbox_message *list, int n)
{
    bool any = false;

    for (int i = 0; i < n; i++)
        any = any || !list[i].seen;
    if (!any)
        return;
    sheet_form(s, "/account/inbox/seen");
    sheet_hidden(s, "newest", arena_printf(s->w->mem, "%" PRId64, list[0].no));
    sheet_small_button(s, "全部标为已读", NULL);
    sheet_form_end(s);
}

/* A full page has more behind it, or nearly always. */
static void put_older(struct sheet *s, const struct inbox_message *list, int n)
{
    if (n == INBOX_PAGE)
        buf_printf(&s->b,
                   "<p class=\"way\"><a href=\"%s?before=%" PRId64 "%s\">更早的消息</a></p>\n",
                   path, list[n - 1].no, s->large ? "&amp;large=1" : "");
}

enum rc get_account_inbox(struct work *w, const struct request *rq, struct reply *rp)
{
    struct inbox_message *list;
    struct sheet s;
    enum rc rc;
    int n;

    if ((rc = inbox_list(w, w->who.account, request_int(rq, "before", 0), &list, &n)))
        return rc;
    sheet_begin(&s, w, rq, rp, path, NULL);
    sheet_open(&s, "我的消息", NULL, 0);
    sheet_words(&s, n ? "在一台设备上读过或删除，别的设备上也一样。"
                      : "现在没有消息。信件的进展和系统通知会出现在这里。");
    put_seen_form(&s, list, n);
    if (n)
        buf_adds(&s.b, "<ul class=\"rows\">\n");
    for (int i = 0; i < n; i++)
        put_message(&s, &list[i]);
    if (n)
        buf_adds(&s.b, "</ul>\n");
    put_older(&s, list, n);
    sheet_way(&s, "/account", "回到我的账号");
    sheet_close(&s);
    return RC_OK;
}

static enum rc read_number(struct work *w, const struct request *rq, const char *name,
                           struct form *form, int64_t *no)
{
    enum rc rc = visitor_read(w, rq, form);

    if (rc)
        return rc;
    return sheet_number(form, name, no) ? RC_OK
                                        : err_field(&w->err, name, "a message has a number");
}

/* Up to the newest that stood on the page: what has come since was not read. */
enum rc post_account_inbox_seen(struct work *w, const struct request *rq, struct reply *rp)
{
    struct inbox_message *list;
    struct form form;
    struct sheet s;
    int64_t newest;
    enum rc rc;
    int n;

    if ((rc = read_number(w, rq, "newest", &form, &newest)) ||
        (rc = inbox_list(w, w->who.account, newest < INT64_MAX ? newest + 1 : 0, &list, &n)))
        return rc;
    for (int i = 0; i < n && !rc; i++)
        if (!list[i].seen)
            rc = inbox_see(w, w->who.account, list[i].no);
    if (rc)
        return rc;
    sheet_begin(&s, w, rq, rp, path, &form);
    sheet_go_done(&s, path, "seen");
    return RC_OK;
}

enum rc post_account_inbox_drop(struct work *w, const struct request *rq, struct reply *rp)
{
    struct form form;
    struct sheet s;
    int64_t no;
    enum rc rc;

    if ((rc = read_number(w, rq, "message", &form, &no)))
        return rc;
    if ((rc = inbox_drop(w, w->who.account, no)))
        return rc;
    sheet_begin(&s, w, rq, rp, path, &form);
    sheet_go_done(&s, path, "dropped");
    return RC_OK;
}
