/*
 * webhook.c - one POST at a time, of the event whose turn it is.
 *
 *     untold event --> POST --accepted--> told (DATA/alerts)
 *                        \--anything else: rest, then whatever is untold by then
 *
 * With alert_webhook_secret the header `x-tjzw-signature: sha256=HEX` is the HMAC-SHA256 of the body's bytes. Of a refusal only the status
 * is logged: the URL may hold a robot's key.
 *
 * The group robots take text in JSON of their own and answer 200 whatever they think of it, with a code inside (企业微信 and 钉钉 errcode, 飞书
 * code; their pages of 2024 and 2025). So a form is a row: what stands before and after the text, and the name of that code.
 */
#include "server/health/webhook.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/base/log.h"
#include "server/base/metric.h"
#include "server/base/secret.h"
#include "server/health/alert.h"
#include "server/http/client.h"
#include "sync/follow.h"

enum { TIMEOUT_MS = 10000, REST_MOST_S = 300, ANSWER_MAX = 65536 };

static const struct form {
    const char *name, *before, *after;
    const char *code; /* member of the answer that must be 0; NULL: the status says all */
} forms[] = {
    { "json", NULL, NULL, NULL },
    { "wecom", "{\"msgtype\":\"text\",\"text\":{\"content\":", "}}", "errcode" },
    { "dingtalk", "{\"msgtype\":\"text\",\"text\":{\"content\":", "}}", "errcode" },
    { "feishu", "{\"msg_type\":\"text\",\"content\":{\"text\":", "}}", "code" },
};

struct flight {
    struct arena *mem;
    struct client_request rq;
    int which; /* alert */
    char id[ALERT_ID];
    _Atomic bool landed;
};

static struct {
    const char *url, *secret, *instance; /* url NULL: nobody is told */
    const struct form *form;
    void (*landed)(void);
    struct flight *flight; /* NULL: nothing is under way */
    int last;              /* the alert whose turn it was */
    unsigned failures;     /* in a row */
    int64_t not_before_us;
} hook;

/* ---- what is said ---- */

static void put_event(struct buf *b, const struct alert *a, const struct alert_row *row,
                      const char *id)
{
    buf_addc(b, '{');
    jx_put_text(b, "id", id);
    jx_put_text(b, "instance", hook.instance);
    alert_put(a, row, b);
    buf_adds(b, "}\n");
}

/* One message for people. */
static void put_message(struct buf *b, const struct alert *a, const struct alert_row *row)
{
    struct buf text = BUF_IN(b->mem);
    char at[CLOCK_TEXT];

    buf_adds(&text, a->firing ? "【告警】" : "【告警解除】");
    alert_text(a, row, &text);
    buf_printf(&text, "\n%s 起", clock_minute(a->since, at));
    if (!a->firing)
        buf_printf(&text, "，%s 恢复", clock_minute(a->until, at));
    buf_printf(&text, "\n%s", hook.instance);
    if (a->firing)
        buf_printf(&text, "\n%s", row->mend);
    buf_adds(b, hook.form->before);
    jx_quote(b, text.p, text.n);
    buf_adds(b, hook.form->after);
}

/* "x-tjzw-signature: sha256=…" */
static const char *sign(struct arena *mem, const struct buf *body)
{
    uint8_t mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state;
    struct buf line = BUF_IN(mem);

    crypto_auth_hmacsha256_init(&state, (const uint8_t *)hook.secret, strlen(hook.secret));
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)body->p, body->n);
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_memzero(&state, sizeof state);
    buf_adds(&line, "x-tjzw-signature: sha256=");
    buf_hex(&line, mac, sizeof mac);
    return line.p;
}

/* ---- one flight ---- */

static void landed(struct client_request *rq)
{
    struct flight *f = rq->arg;

    atomic_store_explicit(&f->landed, true, memory_order_release);
    hook.landed();
}

static struct flight *flight_new(int which, const struct alert *a)
{
    struct arena *mem = arena_new();
    struct flight *f = arena_zalloc(mem, sizeof *f);
    const char **headers = arena_zalloc(mem, 3 * sizeof *headers);
    struct buf body = BUF_IN(mem);

    f->mem = mem;
    f->which = which;
    alert_id(a, &alert_rows[which], f->id);
    if (hook.form->before)
        put_message(&body, a, &alert_rows[which]);
    else
        put_event(&body, a, &alert_rows[which], f->id);
    headers[0] = "content-type: application/json";
    if (*hook.secret)
        headers[1] = sign(mem, &body);
    f->rq = (struct client_request){ .method = "POST",
                                     .url = hook.url,
                                     .headers = headers,
                                     .body = body.p,
                                     .body_len = body.n,
                                     .answer_max = ANSWER_MAX,
                                     .timeout_ms = TIMEOUT_MS,
                                     .done = landed,
                                     .arg = f };
    return f;
}

static void flight_free(struct flight *f)
{
    client_request_done(&f->rq);
    arena_free(f->mem);
}

static bool is_accepted(const struct flight *f)
{
    struct err ignored = { 0 };
    json_t *answer;

    if (f->rq.rc || f->rq.status < 200 || f->rq.status >= 300)
        return false;
    return !hook.form->code ||
           (f->rq.body_in.n &&
            !jx_object(&ignored, f->mem, f->rq.body_in.p, f->rq.body_in.n, &answer) &&
            jx_int(answer, hook.form->code, -1) == 0);
}

/* Told when it begins, not at every attempt. */
static void went_wrong(const struct flight *f, int64_t now_us)
{
    uint32_t chance, rest;

    secret_random(&chance, sizeof chance);
    metric_add(METRIC_alert_webhook_failures, 1);
    if (!hook.failures++)
        LOG(LOG_WARN, "alert_webhook_failed", L_INT("status", f->rq.rc ? 0 : f->rq.status),
            L_STR("kind", rc_name(f->rq.rc)));
    rest = follow_backoff(2, hook.failures, chance);
    hook.not_before_us = now_us + INT64_C(1000000) * (rest < REST_MOST_S ? rest : REST_MOST_S);
}

static void take_answer(struct flight *f, int64_t now_us)
{
    if (is_accepted(f)) {
        metric_add(METRIC_alert_webhook_sent, 1);
        if (hook.failures)
            LOG(LOG_INFO, "alert_webhook_works_again", { 0 });
        hook.failures = 0;
        alert_told(f->which, f->id);
    } else if (f->rq.rc != RC_BUSY) { /* that we stop says nothing of the other side */
        went_wrong(f, now_us);
    }
    flight_free(f);
    hook.flight = NULL;
}

static void send_next(void)
{
    char id[ALERT_ID];
    struct alert a;
    int which = alert_untold(hook.last, &a);

    if (which < 0)
        return;
    hook.last = which;
    if (!hook.url) {
        alert_told(which, alert_id(&a, &alert_rows[which], id));
        return;
    }
    hook.flight = flight_new(which, &a);
    if (!client_send(
            &hook.flight->rq)) { /* we stop, or too much is under way: at the next look */
        flight_free(hook.flight);
        hook.flight = NULL;
    }
}

int64_t webhook_turn(int64_t now_us)
{
    if (hook.flight && atomic_load_explicit(&hook.flight->landed, memory_order_acquire))
        take_answer(hook.flight, now_us);
    if (!hook.flight && now_us >= hook.not_before_us)
        send_next();
    return !hook.flight && now_us < hook.not_before_us ? hook.not_before_us : INT64_MAX;
}

/* ---- beginning and end ---- */

enum rc webhook_start(struct err *e, const struct conf *c, const char *instance,
                      void (*on_landed)(void))
{
    const char *url = c->alert_webhook;

    memset(&hook, 0, sizeof hook);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (!strcmp(forms[i].name, c->alert_webhook_form))
            hook.form = &forms[i];
    if (!hook.form)
        return err_set(
            e, RC_INVALID,
            "alert_webhook_form should be json, wecom, dingtalk or feishu, not \"%.40s\"",
            c->alert_webhook_form);
    if (*url && strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
        return err_set(e, RC_INVALID, "alert_webhook should be an http or https URL");
    hook.url = *url ? url : NULL;
    hook.secret = c->alert_webhook_secret;
    hook.instance = instance;
    hook.landed = on_landed;
    hook.last = -1;
    return RC_OK;
}

void webhook_stop(void)
{
    if (hook.flight)
        flight_free(hook.flight);
    hook.flight = NULL;
}
