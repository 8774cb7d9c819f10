/*
 * sms.c - the gateway for short messages.
 *
 * It is somebody else's machine: it may hang, lie, or send back without end. So a message is a flight of its own on the outbound thread, over after five
 * seconds, its answer bounded, redirects not followed; and there are never more than SMS_FLYING_MAX. Nothing waits for it: who asked for a
 * code was answered after the COMMIT.
 *
 * A message is not sent again by itself: whoever did not get it asks for another, and what was delivered twice would cost twice and confuse.
 *
 * Numbers of countries that the settings do not name are refused, because messages to far-off numbers are what fraud with short messages
 * lives on.
 */
#include "server/identity/sms.h"

#include <stdatomic.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/base/log.h"
#include "server/base/metric.h"
#include "server/http/client.h"

enum { ANSWER_MAX = 65536, HEADERS_MAX = 16, PARTS = 2 };

static struct {
    struct sms_conf conf;
    struct arena *mem;
    const char *headers[HEADERS_MAX + 2];
    atomic_int flying;
} gate;

/* ---- the body ---- */

static const char *national(struct arena *mem, const char *phone)
{
    return strncmp(phone, "86", 2) ? arena_printf(mem, "+%s", phone) : phone + 2;
}

/* A JSON string's inside, or a form's value. */
static void put_escaped(struct buf *out, const struct sms_conf *c, const char *value)
{
    struct buf quoted = BUF_IN(out->mem);

    if (!strcmp(c->type, "form")) {
        buf_url(out, value, strlen(value));
        return;
    }
    jx_quote(&quoted, value, strlen(value));
    buf_add(out, quoted.p + 1, quoted.n - 2);
}

void sms_body(struct buf *out, const struct sms_conf *c, const char *phone, const char *code)
{
    const struct {
        const char *name, *value;
    } parts[PARTS] = { { "{phone}", national(out->mem, phone) }, { "{code}", code } };

    for (const char *p = c->body; *p;) {
        int i = 0;

        while (i < PARTS && strncmp(p, parts[i].name, strlen(parts[i].name)) != 0)
            i++;
        if (i < PARTS) {
            put_escaped(out, c, parts[i].value);
            p += strlen(parts[i].name);
        } else {
            buf_addc(out, *p++);
        }
    }
}

/* ---- the settings ---- */

static bool is_http(const char *url)
{
    return !strncmp(url, "https://", 8) || !strncmp(url, "http://", 7);
}

static enum rc check_body(struct err *e, struct arena *mem, const struct sms_conf *c)
{
    bool json = !strcmp(c->type, "json");
    struct buf sample = BUF_IN(mem);
    struct err why = { 0 };
    json_t *ignored;

    if (!json && strcmp(c->type, "form") != 0)
        return err_set(e, RC_INVALID, "sms_type should be json or form");
    if (!strstr(c->body, "{phone}") || !strstr(c->body, "{code}"))
        return err_set(e, RC_INVALID, "sms_body should hold {phone} and {code}");
    sms_body(&sample, c, "8613800138000", "123456");
    if (json && jx_object(&why, mem, sample.p, sample.n, &ignored))
        return err_set(e, RC_INVALID, "sms_body is no JSON object: %.200s", why.text);
    return RC_OK;
}

/* "name: value", of which neither can end the line. */
static bool is_header(const char *line)
{
    static const char token[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "!#$%&'*+-.^_`|~";
    size_t name = strspn(line, token);

    if (!name || line[name] != ':')
        return false;
    for (const char *p = line + name; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return false;
    return true;
}

static enum rc read_headers(struct err *e, struct arena *mem, const struct sms_conf *c)
{
    char *text = arena_strdup(mem, c->headers), *line;
    int n = 0;

    gate.headers[n++] = strcmp(c->type, "form")
                            ? "content-type: application/json"
                            : "content-type: application/x-www-form-urlencoded";
    while ((line = strsep(&text, "\n"))) {
        if (!*line)
            continue;
        if (!is_header(line) || n > HEADERS_MAX)
            return err_set(e, RC_INVALID,
                           "sms_headers_secret should be at most %d lines \"name: value\"",
                           HEADERS_MAX);
        gate.headers[n++] = line;
    }
    gate.headers[n] = NULL;
    return RC_OK;
}

enum rc sms_open(struct err *e, const struct sms_conf *c)
{
    struct arena *mem = arena_new();
    enum rc rc = RC_OK;

    if (*c->url && !is_http(c->url))
        rc = err_set(e, RC_INVALID, "sms_url should be an http or https URL");
    if (*c->url && !rc && !(rc = check_body(e, mem, c)))
        rc = read_headers(e, mem, c);
    if (rc) {
        arena_free(mem);
        return rc;
    }
    gate.conf = *c;
    gate.mem = mem;
    return RC_OK;
}

void sms_close(void)
{
    arena_free(gate.mem);
    gate.mem = NULL;
    gate.conf = (struct sms_conf){ .url = "" };
}

/* ---- sending ---- */

static bool is_sent_to(const char *phone)
{
    for (int i = 0; i < gate.conf.countries->n; i++)
        if (!strncmp(phone, gate.conf.countries->v[i], strlen(gate.conf.countries->v[i])))
            return true;
    return false;
}

enum rc sms_check(struct err *e, const char *phone)
{
    if (!gate.mem || (!*gate.conf.url && !gate.conf.development))
        return err_set(e, RC_BUSY, "this server sends no short messages: sms_url is not set");
    if (!is_sent_to(phone))
        return err_field(e, "phone", "no codes are sent to numbers of this country");
    if (atomic_load_explicit(&gate.flying, memory_order_relaxed) >= SMS_FLYING_MAX)
        return err_set(e, RC_BUSY, "the gateway for short messages does not keep up");
    return RC_OK;
}

struct flight {
    struct arena *mem;
    int64_t began_us;
    struct client_request rq;
};

static bool is_accepted(const struct client_request *rq)
{
    const char *ok = gate.conf.ok;

    if (rq->rc || rq->status < 200 || rq->status >= 300)
        return false;
    return !*ok || (rq->body_in.n && memmem(rq->body_in.p, rq->body_in.n, ok, strlen(ok)));
}

static void landed(struct client_request *rq)
{
    struct flight *f = rq->arg;
    bool good = is_accepted(rq);

    metric_add(good ? METRIC_sms_sent : METRIC_sms_failures, 1);
    metric_add(METRIC_sms_ms, (clock_mono_us() - f->began_us) / 1000);
    if (!good)
        LOG(LOG_WARN, "sms_not_sent", L_INT("status", rq->rc ? 0 : rq->status),
            L_STR("kind", rc_name(rq->rc)));
    atomic_fetch_sub_explicit(&gate.flying, 1, memory_order_relaxed);
    client_request_done(rq);
    arena_free(f->mem);
}

static void fly(const char *phone, const char *code)
{
    struct arena *mem = arena_new();
    struct flight *f = arena_zalloc(mem, sizeof *f);
    struct buf body = BUF_IN(mem);

    sms_body(&body, &gate.conf, phone, code);
    f->mem = mem;
    f->began_us = clock_mono_us();
    f->rq = (struct client_request){ .method = "POST",
                                     .url = gate.conf.url,
                                     .headers = gate.headers,
                                     .body = body.p,
                                     .body_len = body.n,
                                     .answer_max = ANSWER_MAX,
                                     .timeout_ms = SMS_TIMEOUT_MS,
                                     .done = landed,
                                     .arg = f };
    if (atomic_fetch_add_explicit(&gate.flying, 1, memory_order_relaxed) < SMS_FLYING_MAX &&
        client_send(&f->rq))
        return;
    atomic_fetch_sub_explicit(&gate.flying, 1, memory_order_relaxed);
    metric_add(METRIC_sms_failures, 1);
    arena_free(mem);
}

void sms_send(const char *phone, const char *code)
{
    size_t n = strlen(phone);

    if (gate.mem && *gate.conf.url)
        fly(phone, code);
    else if (gate.mem && gate.conf.development)
        LOG(LOG_WARN, "sms_development", L_STR("phone_ends", phone + (n > 4 ? n - 4 : n)),
            L_STR("code", code));
}
