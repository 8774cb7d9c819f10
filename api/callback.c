/*
 * callback.c - see the header. Nothing of who wrote, or what, stands in a log; nothing is written to the database.
 *
 *     time --> signature --> (opened) --> seen before? --> answered from the library --> (closed)
 *
 * The route has a prompt: whatever this waits for, WeChat has its answer in time.
 */
#include "api/callback.h"

#include <string.h>

#include "api/instance.h"
#include "server/base/clock.h"
#include "server/base/metric.h"
#include "server/channel/channel_thread.h"
#include "server/channel/wechat_crypt.h"
#include "server/channel/wechat_message.h"
#include "server/channel/wechat_seen.h"
#include "server/http/form.h"
#include "server/search/find.h"

enum { HITS = 5 };
static const char TYPE_XML[] = "text/xml; charset=utf-8";
static const char SUCCESS[] = "success";

struct call {
    struct channel_account account;
    struct channel_credentials secrets;
    uint8_t key[WECHAT_KEY];
    bool safe;
    const char *timestamp, *nonce, *signature, *message_signature, *echo; /* "" if absent */
};

static enum rc refuse(struct work *w, const char *why)
{
    metric_add(METRIC_channel_messages_refused, 1);
    return err_set(&w->err, RC_FORBIDDEN, "%s", why);
}

static const char *field(const struct form *f, const char *name)
{
    const char *text = form_text(f, name);

    return text ? text : "";
}

static enum rc no_such_account(struct work *w)
{
    return err_set(&w->err, RC_NOT_FOUND, "there is no such official account here");
}

static enum rc read_call(struct work *w, const struct request *rq, struct call *c)
{
    struct form f;
    enum rc rc;

    if ((rc = form_parse(&w->err, w->mem, rq->query, strlen(rq->query), &f)) ||
        (rc = channel_account_find(w, request_int(rq, "channel", 0), &c->account)))
        return rc == RC_NOT_FOUND ? no_such_account(w) : rc;
    if (strcmp(c->account.kind, "wechat") != 0 || !c->account.secret)
        return no_such_account(w);
    if ((rc = channel_credentials(w, &c->account, &c->secrets)))
        return rc;
    c->safe = c->secrets.key && wechat_key(c->secrets.key, c->key);
    c->timestamp = field(&f, "timestamp");
    c->nonce = field(&f, "nonce");
    c->signature = field(&f, "signature");
    c->message_signature = field(&f, "msg_signature");
    c->echo = field(&f, "echostr");
    return wechat_in_time(c->timestamp, clock_now()) && *c->nonce
               ? RC_OK
               : refuse(w, "the timestamp is not of now");
}

static bool is_signed(const struct call *c)
{
    const char *const parts[] = { c->secrets.token, c->timestamp, c->nonce };

    return wechat_signed(parts, 3, c->signature);
}

enum rc get_wechat(struct work *w, const struct request *rq, struct reply *rp)
{
    struct call c;
    enum rc rc = read_call(w, rq, &c);

    if (rc)
        return rc;
    if (!is_signed(&c))
        return refuse(w, "the signature is not WeChat's");
    reply_body(rp, TYPE_TEXT, c.echo, strlen(c.echo));
    return RC_OK;
}

/* ---- what came ---- */

/* In safe mode a message that is not encrypted is nobody's, however it is signed. */
static enum rc open_message(struct work *w, const struct call *c, struct wechat_message *m)
{
    const char *const parts[] = { c->secrets.token, c->timestamp, c->nonce, m->sealed };
    const char *text;
    size_t n;

    if (!c->safe)
        return is_signed(c) ? RC_OK : refuse(w, "the signature is not WeChat's");
    if (!*m->sealed)
        return refuse(w, "the account is in safe mode, and the message is not encrypted");
    if (!wechat_signed(parts, 4, c->message_signature))
        return refuse(w, "the signature is not WeChat's");
    text = wechat_open(w->mem, c->key, c->account.handle, m->sealed, strlen(m->sealed), &n);
    if (!text)
        return refuse(w, "the message was encrypted for somebody else");
    return wechat_message_read(&w->err, w->mem, text, n, m);
}

/* ---- what is answered ---- */

static void put_hit(struct buf *out, const struct item *it)
{
    char id[ID_TEXT];

    buf_adds(out, "\n\n<a href=\"");
    instance_url(out, "/a/");
    buf_printf(out, "%s\">", id_text(&it->id, id));
    buf_html(out, it->title, strlen(it->title));
    buf_adds(out, "</a>");
}

static enum rc find(struct work *w, const struct call *c, const char *q, struct buf *out)
{
    const struct search_ask ask = {
        .q = q,
        .q_n = strlen(q),
        .limit = HITS,
        .filter.site = strcmp(c->account.scope, "site") ? 0 : c->account.site,
    };
    struct search_page page;
    enum rc rc = search_find(w, &ask, &page);

    if (rc == RC_INVALID || (!rc && !page.n)) {
        buf_adds(out, "没有找到相关内容，请换一个词试试。");
        return RC_OK;
    }
    if (rc)
        return rc;
    buf_adds(out, "为您找到：");
    for (int i = 0; i < page.n; i++) {
        size_t before = out->n;

        put_hit(out, &page.hits[i].item);
        if (out->n > CHANNEL_REPLY_BYTES) {
            out->n = before;
            out->p[before] = '\0';
            break;
        }
    }
    return RC_OK;
}

static const char *trimmed(struct work *w, const char *text)
{
    size_t n = strlen(text);

    for (; n && strchr(" \t\r\n", *text); text++)
        n--;
    while (n && strchr(" \t\r\n", text[n - 1]))
        n--;
    return arena_strndup(w->mem, text, n);
}

/* What the message asks for: a word that may be set, or be looked for. NULL: nothing that is answered. */
static const char *asked(struct work *w, const struct wechat_message *m, bool *searches)
{
    *searches = !strcmp(m->type, "text");
    if (*searches)
        return trimmed(w, m->content);
    if (strcmp(m->type, "event") != 0)
        return NULL;
    if (!strcmp(m->event, "CLICK"))
        return m->event_key;
    return strcmp(m->event, "subscribe") ? NULL : "subscribe";
}

static enum rc make_answer(struct work *w, const struct call *c, const struct wechat_message *m,
                           struct buf *out)
{
    const char *text, *q, *word;
    bool searches;

    if (!strcmp(m->event, "PUBLISHJOBFINISH"))
        channel_hint(c->account.no);
    if (!(word = asked(w, m, &searches)) || !*word)
        return RC_OK;
    if (!channel_reply(w, &c->account, word, &text, &q))
        return searches ? find(w, c, word, out) : RC_OK;
    if (q)
        return find(w, c, q, out);
    buf_adds(out, text);
    return RC_OK;
}

static void seal(struct work *w, const struct call *c, const struct buf *xml, struct buf *out)
{
    const char *parts[] = { c->secrets.token, c->timestamp, c->nonce, NULL };
    struct buf sealed = BUF_IN(w->mem);
    char signature[WECHAT_SIGNATURE];

    wechat_close(&sealed, c->key, c->account.handle, xml->p, xml->n);
    parts[3] = sealed.p;
    wechat_sign(parts, 4, signature);
    wechat_message_sealed(out, sealed.p, signature, c->timestamp, c->nonce);
}

static void reply_answer(struct reply *rp, const struct buf *b)
{
    if (b->n)
        reply_buf(rp, TYPE_XML, b);
    else
        reply_body(rp, TYPE_TEXT, SUCCESS, strlen(SUCCESS));
}

static enum rc answer(struct work *w, const struct call *c, const struct wechat_message *m,
                      const struct wechat_coming *coming, struct reply *rp)
{
    struct buf text = BUF_IN(w->mem), xml = BUF_IN(w->mem), closed = BUF_IN(w->mem);
    enum rc rc;

    if ((rc = make_answer(w, c, m, &text)))
        return rc;
    if (text.n)
        wechat_message_text(&xml, m, clock_now(), text.p);
    if (text.n && c->safe)
        seal(w, c, &xml, &closed);
    wechat_answered(coming, c->safe ? closed.p : xml.p, c->safe ? closed.n : xml.n);
    reply_answer(rp, c->safe ? &closed : &xml);
    return RC_OK;
}

enum rc post_wechat(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf before = BUF_IN(w->mem);
    struct wechat_message m;
    struct call c;
    enum rc rc;

    if ((rc = read_call(w, rq, &c)) ||
        (rc = wechat_message_read(&w->err, w->mem, rq->body, rq->body_len, &m)) ||
        (rc = open_message(w, &c, &m)))
        return rc;
    const struct wechat_coming coming = { .channel = c.account.no,
                                          .now = clock_now(),
                                          .timestamp = c.timestamp,
                                          .nonce = c.nonce,
                                          .from = m.from,
                                          .created = m.created,
                                          .id = m.id,
                                          .event = arena_printf(w->mem, "%s %s", m.event,
                                                                m.event_key) };

    switch (wechat_see(&coming, &before)) {
    case WECHAT_REPLAY: return refuse(w, "its nonce was another message's");
    case WECHAT_AGAIN: reply_answer(rp, &before); return RC_OK;
    case WECHAT_NEW: break;
    }
    metric_add(METRIC_channel_messages, 1);
    return answer(w, &c, &m, &coming, rp);
}
