/*
 * vendor.c - the table of vendors, and what they have in common.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "push/vendor_part.h"
#include "server/base/id.h"
#include "server/http/transfer.h"

static const struct vendor *const vendors[] = {
    &vendor_huawei, &vendor_huawei_next, &vendor_xiaomi, &vendor_honor,  &vendor_oppo,
    &vendor_vivo,   &vendor_apns,        &vendor_wechat, &vendor_webpush
};

const struct vendor *vendor_of(enum transport by)
{
    for (size_t i = 0; i < sizeof vendors / sizeof *vendors; i++)
        if (vendors[i]->by == by)
            return vendors[i];
    return NULL;
}

static const char *lacks_needs(const struct vendor_need *n, const struct vendor_site *s)
{
    const char *first = NULL;
    bool any = false;

    for (; n->without; n++) {
        bool there = **(const conf_TEXT *)((const char *)s->conf + n->at);

        any |= there;
        if (!there && !first)
            first = n->without;
    }
    return first && !any ? "" : first;
}

const char *vendor_lacks(const struct vendor *v, const struct vendor_site *s)
{
    const char *first = v->needs ? lacks_needs(v->needs, s) : NULL;

    return first || !v->lacks ? first : v->lacks(s);
}

static const struct conf *settled;

void vendor_open(const struct conf *c)
{
    settled = c;
}

const char *vendor_refuses(enum transport by, struct arena *mem, const char *token)
{
    const struct vendor *v = vendor_of(by);

    return settled && v && v->refuses
               ? v->refuses(&(struct vendor_site){ .conf = settled }, mem, token)
               : NULL;
}

bool vendor_is_on(enum transport by, const struct vendor_site *s)
{
    const struct vendor *v = vendor_of(by);

    return v && !vendor_lacks(v, s);
}

enum vendor_recall vendor_recalls(enum transport by, const struct vendor_site *s)
{
    const struct vendor *v = vendor_of(by);

    if (!v)
        return VENDOR_RECALL_NONE;
    return v->recalls == VENDOR_RECALL_REVOKE && v->can_revoke && !v->can_revoke(s)
               ? VENDOR_RECALL_OVERWRITE
               : v->recalls;
}

enum rc vendor_build(const struct vendor *v, const struct vendor_site *s, struct arena *mem,
                     const char *grant, const struct push_message *m, const char *const *tokens,
                     int n, int64_t now, struct vendor_request *out)
{
    enum vendor_recall how = m->takes_back ? vendor_recalls(v->by, s) : VENDOR_RECALL_OVERWRITE;

    if (how == VENDOR_RECALL_NONE)
        return RC_INVALID;
    return how == VENDOR_RECALL_REVOKE ? v->revoke(s, mem, grant, m, tokens, n, now, out)
                                       : v->build(s, mem, grant, m, tokens, n, now, out);
}

void vendor_judge(const struct vendor *v, struct arena *mem, const char *const *tokens,
                  const struct vendor_request *rq, const struct vendor_answer *a,
                  struct push_verdict *out, struct vendor_heard *heard)
{
    char after[64];

    *heard = (struct vendor_heard){ .news = LANE_FAILED };
    if (a->fate != VENDOR_ANSWERED) {
        vendor_all(out, rq->n, a->fate == VENDOR_UNSENT ? PUSH_AGAIN : PUSH_DOUBT, "");
        return;
    }
    heard->after_ms = heard->lane_after_ms =
        lane_after(transfer_header(a->headers, "retry-after", after, sizeof after), a->now);
    vendor_all(out, rq->n, PUSH_DOUBT, "");
    v->judge(mem, tokens, rq, a, out, heard);
}

const char *vendor_take_ticket(const struct vendor *v, struct arena *mem,
                               const struct vendor_answer *a, struct push_verdict *all,
                               struct vendor_heard *heard)
{
    const char *ticket = NULL;
    char after[64];

    *heard = (struct vendor_heard){ .news = LANE_FAILED };
    vendor_all(all, 1, PUSH_AGAIN, "");
    if (a->fate == VENDOR_ANSWERED) {
        heard->after_ms = heard->lane_after_ms =
            lane_after(transfer_header(a->headers, "retry-after", after, sizeof after), a->now);
        ticket = v->take_ticket(mem, a, all, heard);
    }
    if (!ticket && (all->kind == PUSH_DOUBT || all->kind == PUSH_ACCEPTED))
        all->kind = PUSH_AGAIN;
    return ticket;
}

/* ---- requests ---- */

const char *vendor_base(const struct vendor_site *s, enum transport by, const char *usual)
{
    const struct conf_list *at = &s->conf->push_at;
    const char *word = transport_type((int)by)->word;
    size_t n = strlen(word);

    for (int i = 0; i < at->n; i++)
        if (!strncmp(at->v[i], word, n) && at->v[i][n] == '=')
            return at->v[i] + n + 1;
    return usual;
}

const char *const *vendor_headers(struct arena *mem, ...)
{
    enum { MOST = 12 };
    const char **list = arena_zalloc(mem, (MOST + 1) * sizeof *list);
    const char *name;
    va_list ap;

    va_start(ap, mem);
    for (int i = 0; i < MOST && (name = va_arg(ap, const char *)); i++)
        list[i] = arena_printf(mem, "%s: %s", name, va_arg(ap, const char *));
    va_end(ap);
    return list;
}

void vendor_body(struct vendor_request *out, const struct buf *body)
{
    out->body = body->p;
    out->body_n = body->n;
}

void vendor_form(struct buf *out, const char *name, const char *value)
{
    if (out->n)
        buf_addc(out, '&');
    buf_adds(out, name);
    buf_addc(out, '=');
    buf_url(out, value, strlen(value));
}

void vendor_form_int(struct buf *out, const char *name, int64_t value)
{
    char text[24];

    snprintf(text, sizeof text, "%lld", (long long)value);
    vendor_form(out, name, text);
}

void vendor_tokens(struct buf *out, const char *name, const char *const *tokens, int n)
{
    jx_key(out, name);
    buf_addc(out, '[');
    for (int i = 0; i < n; i++) {
        if (i)
            buf_addc(out, ',');
        jx_quote(out, tokens[i], strlen(tokens[i]));
    }
    buf_addc(out, ']');
}

int64_t vendor_number(const char *collapse)
{
    uint8_t sum[HASH_BYTES];
    int64_t n;

    sha256(collapse, strlen(collapse), sum);
    n = (int64_t)(sum[0] & 0x7f) << 24 | sum[1] << 16 | sum[2] << 8 | sum[3];
    return n ? n : 1;
}

const char *vendor_some(const char *text)
{
    return *text ? text : NULL;
}

const char *vendor_content_id(struct arena *mem, const struct push_message *m)
{
    struct buf b = BUF_IN(mem);
    char *hex;

    buf_printf(&b, "%s\n%s\n%lld\n%d\n%s\n%s\n%s\n%s", m->mark ? m->mark : "", m->collapse,
               (long long)m->number, m->takes_back, m->title, m->text, m->link, m->picture);
    hex = crypt_sha256_hex(mem, b.p);
    hex[32] = '\0';
    return hex;
}

const char *vendor_receipts_at(const struct vendor_site *s, struct arena *mem,
                               enum transport by, const struct push_message *m)
{
    return m->mark && *m->mark && *s->conf->push_receipts_at
               ? arena_printf(mem, "%s/%s", s->conf->push_receipts_at,
                              transport_type((int)by)->word)
               : NULL;
}

const char *vendor_category(const struct push_message *m)
{
    if (m->class != PUSH_MARKETING)
        return "SUBSCRIPTION";
    return m->news ? "NEWS" : "MARKETING";
}

/* ---- answers ---- */

enum { GRANT_MAX = 4096, LASTS_LEAST = 60, LASTS_MOST = 86400 };

bool vendor_grant_of(struct arena *mem, const char *text, int64_t lasts, int64_t now,
                     struct vendor_grant *out)
{
    if (!text || !*text || strlen(text) > GRANT_MAX || lasts < LASTS_LEAST ||
        strpbrk(text, " \t\r\n"))
        return false;
    lasts = lasts < LASTS_MOST ? lasts : LASTS_MOST;
    *out = (struct vendor_grant){ .text = arena_strdup(mem, text),
                                  .until = now + lasts - 30,
                                  .renew = now + lasts - lasts / 6 };
    return true;
}

json_t *vendor_json(struct arena *mem, const struct vendor_answer *a)
{
    struct err e;
    json_t *o = NULL;

    return jx_object(&e, mem, a->body, a->body_n, &o) ? NULL : o;
}

const char *vendor_word(struct arena *mem, const char *text)
{
    static const char good[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    size_t n = text ? strspn(text, good) : 0;

    return n && n <= VENDOR_WORD_MAX && !text[n] ? arena_strndup(mem, text, n) : "";
}

void vendor_all(struct push_verdict *out, int n, enum push_verdict_kind kind, const char *why)
{
    for (int i = 0; i < n; i++)
        out[i] = (struct push_verdict){ .kind = kind, .why = why };
}

bool vendor_one(const char *const *tokens, const struct vendor_request *rq, const char *token,
                struct push_verdict *out, enum push_verdict_kind kind, const char *why)
{
    bool any = false;

    for (int i = 0; i < rq->n; i++)
        if (!strcmp(tokens[rq->first + i], token)) {
            vendor_all(&out[i], 1, kind, why);
            any = true;
        }
    return any;
}

bool vendor_by_code(const struct vendor_code *t, const char *code, int n,
                    struct push_verdict *out, struct vendor_heard *heard)
{
    while (t->code && strcmp(t->code, code) != 0)
        t++;
    if (!t->code)
        return false;
    vendor_all(out, n, t->kind, t->why);
    heard->news = t->news;
    heard->grant_refused = t->grant;
    return true;
}

void vendor_by_number(const struct vendor_code *table, struct arena *mem, int64_t code, int n,
                      struct push_verdict *out, struct vendor_heard *heard)
{
    const char *text = arena_printf(mem, "%lld", (long long)code);

    if (vendor_by_code(table, text, n, out, heard))
        return;
    heard->news = LANE_WENT;
    vendor_all(out, n, PUSH_REJECTED, vendor_word(mem, text));
}

bool vendor_by_status(const struct vendor_answer *a, int n, struct push_verdict *out,
                      struct vendor_heard *heard)
{
    static const struct vendor_code statuses[] = {
        { "401", PUSH_AGAIN, LANE_FAILED, true, "401" },
        { "403", PUSH_AGAIN, LANE_FAILED, true, "403" },
        { "404", PUSH_AGAIN, LANE_FAILED, false,
          "404" }, /* of the interface, not of a device: the settings are wrong */
        { "429", PUSH_AGAIN, LANE_SLOW, false, "429" },
        { "503", PUSH_AGAIN, LANE_DOWN, false, "503" },
        {},
    };
    char code[16];

    if (a->status == 200)
        return false;
    snprintf(code, sizeof code, "%d", a->status);
    if (vendor_by_code(statuses, code, n, out, heard))
        return true;
    if (a->status >= 400 && a->status < 500) {
        vendor_all(out, n, PUSH_REJECTED, "4xx");
        heard->news = LANE_WENT;
    } else {
        vendor_unread(n, out, heard);
    }
    return true;
}

void vendor_unread(int n, struct push_verdict *out, struct vendor_heard *heard)
{
    vendor_all(out, n, PUSH_DOUBT, "unread");
    heard->news = LANE_FAILED;
}

json_t *vendor_by_body(const struct vendor_code *table, const char *name, struct arena *mem,
                       const struct vendor_answer *a, int n, struct push_verdict *out,
                       struct vendor_heard *heard)
{
    json_t *o;

    if (vendor_by_status(a, n, out, heard))
        return NULL;
    o = vendor_json(mem, a);
    if (!o || !json_is_integer(json_object_get(o, name))) {
        vendor_unread(n, out, heard);
        return NULL;
    }
    vendor_by_number(table, mem, jx_int(o, name, -1), n, out, heard);
    return o;
}
