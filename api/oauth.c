/*
 * oauth.c - credentials and errors.
 *
 * A program that has a key shows it, in one place; one that has none says its name. A name that nobody has, and a key that is not its
 * own, get the same answer in the same time.
 */
#include "api/oauth.h"

#include <inttypes.h>
#include <string.h>

#include <sodium.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/base/metric.h"
#include "server/base/secret.h"
#include "server/http/target.h"
#include "server/identity/party_table.h"
#include "server/identity/provider.h"
#include "server/identity/refusal.h"

enum { CREDENTIALS_MAX = 1024 };

struct credentials {
    const char *id, *key; /* NULL: not said */
};

/* ---- who ---- */

/* One half of "id:key", each of which is escaped like a form's field (RFC 6749 section 2.3.1). NULL: it cannot be. */
static const char *decode(struct work *w, const char *p, size_t n)
{
    char *text = arena_alloc(w->mem, n + 1);
    long length = target_decode(p, n, true, text);

    if (length < 0)
        return NULL;
    text[length] = '\0';
    return text;
}

/* False: it calls itself Basic and is not. */
static bool read_basic(struct work *w, const char *field, struct credentials *out)
{
    char *text = arena_alloc(w->mem, CREDENTIALS_MAX);
    const char *colon;
    size_t n;

    if (sodium_base642bin((unsigned char *)text, CREDENTIALS_MAX, field, strlen(field), NULL,
                          &n, NULL, sodium_base64_VARIANT_ORIGINAL) ||
        !(colon = memchr(text, ':', n)))
        return false;
    out->id = decode(w, text, (size_t)(colon - text));
    out->key = decode(w, colon + 1, n - (size_t)(colon + 1 - text));
    return out->id && out->key && *out->key;
}

/* NULL, or the error. */
static const char *find_credentials(struct work *w, const struct request *rq,
                                    const struct form *f, struct credentials *out)
{
    const char *id = form_text(f, "client_id"), *key = form_text(f, "client_secret");

    *out = (struct credentials){ id, key };
    if (!rq->authorization || strncasecmp(rq->authorization, "basic ", 6))
        return NULL;
    if (!read_basic(w, rq->authorization + 6, out)) {
        (void)err_set(&w->err, RC_INVALID, "the Authorization field is not Basic");
        return "invalid_client";
    }
    if (key || (id && strcmp(id, out->id))) {
        (void)err_set(&w->err, RC_INVALID, "the client says twice who it is");
        return "invalid_request";
    }
    return NULL;
}

/* *no: of the key it showed; 0: it has none. */
static bool is_right(const struct grant_client *c, bool known, const char *key, int64_t *no)
{
    *no = provider_clients()->key_of(known ? c->party : 0, key ? key : "");
    return known && (c->confidential ? *no != 0 : !key);
}

/* As at the gate (porter.c): what a key is shown for does not matter. */
static const char *charge(struct work *w, int64_t key, struct oauth_call *out)
{
    struct verdict v[VERDICTS];

    w->who.party = out->client.party;
    w->who.key = key;
    if (party_table_charge(key, clock_now(), clock_mono_us(), v))
        return NULL;
    for (int i = 0; i < VERDICTS; i++)
        if (!v[i].allowed && v[i].reset > out->wait)
            out->wait = v[i].reset;
    metric_add(METRIC_rate_limited, 1);
    (void)err_set(&w->err, RC_TOO_MANY, "the key has no request left: wait");
    return "temporarily_unavailable";
}

static const char *find_client(struct work *w, const struct request *rq, struct oauth_call *out)
{
    struct credentials by;
    const char *error = find_credentials(w, rq, &out->form, &by);
    int64_t key;
    bool known;

    if (error)
        return error;
    known = by.id && provider_clients()->by_id(w->mem, by.id, &out->client);
    if (is_right(&out->client, known, by.key, &key))
        return key ? charge(w, key, out) : NULL;
    (void)err_set(&w->err, RC_UNAUTHORIZED, "there is no such client, or its key is another");
    return "invalid_client";
}

void oauth_read(struct work *w, const struct request *rq, struct oauth_call *out)
{
    *out = (struct oauth_call){ 0 };
    if (form_parse(&w->err, w->mem, rq->body, rq->body_len, &out->form))
        out->error = "invalid_request";
    else
        out->error = find_client(w, rq, out);
}

const char *oauth_text(const struct oauth_call *c, const char *name)
{
    return form_text(&c->form, name);
}

/* ---- answers ---- */

void oauth_reply(struct reply *rp, const struct buf *b)
{
    reply_buf(rp, TYPE_JSON, b);
    reply_header(rp, "pragma", "no-cache"); /* RFC 6749 section 5.1 asks for it */
}

/* RFC 6749 section 5.2 leaves out quotes and backslashes; our sentences may hold them. */
static const char *description(struct work *w)
{
    char *text = arena_strdup(w->mem, w->err.inside ? "" : w->err.text);

    for (char *p = text; *p; p++)
        if (*p == '"' || *p == '\\' || *p < 0x20 || *p > 0x7e)
            *p = '\'';
    return text;
}

void oauth_refuse(struct work *w, const struct request *rq, struct reply *rp,
                  const struct oauth_call *c, const char *error)
{
    bool stranger = !strcmp(error, "invalid_client");
    struct buf b = BUF_IN(w->mem);

    buf_addc(&b, '{');
    jx_put_text(&b, "error", error);
    if (*w->err.text)
        jx_put_text(&b, "error_description", description(w));
    buf_adds(&b, "}\n");
    oauth_reply(rp, &b);
    rp->status = stranger ? 401 : c->wait ? 429 : 400;
    if (c->wait)
        reply_header(rp, "retry-after", arena_printf(w->mem, "%" PRId64, c->wait));
    if (!stranger)
        return;
    reply_header(rp, "www-authenticate", "Basic realm=\"tjzw\", charset=\"UTF-8\"");
    refusal_note("POST", "/oauth2/", &w->who, rq->client, RC_UNAUTHORIZED);
}
