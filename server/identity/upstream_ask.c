/*
 * upstream_ask.c - one step after the other, each a function that reads an answer and says what is asked next.
 *
 *     start() or landed() --> a worker: step --> send() --> outbound thread --> landed() --> ...
 *                                        '--> end() --> errand.done()
 *
 * An upstream is believed in nothing but what its key signed for us just now: issuer, audience, times and algorithm are jwt_verify()'s, the nonce is
 * looked at here, and userinfo must speak of the same `sub` (OpenID Connect Core sections 3.1.3.7 and 5.3.2).
 */
#include "server/identity/upstream_ask.h"

#include <openssl/sha.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/base/log.h"
#include "server/base/metric.h"
#include "server/base/secret.h"
#include "server/identity/jwt.h"
#include "server/identity/wechat.h"

static struct pool *workers;
static atomic_int flying[UPSTREAMS_MAX];

void upstream_ask_open(struct pool *p)
{
    workers = p;
}

/* ---- what follows from a slip ---- */

static void proof(const struct slip *s, const char *word, char out[UPSTREAM_PROOF_TEXT])
{
    uint8_t bytes[SLIP_DERIVED];

    slip_derive(s, word, bytes);
    (void)b64url_text(bytes, sizeof bytes, out, UPSTREAM_PROOF_TEXT);
}

static void put_challenge(struct buf *out, const struct slip *s)
{
    char verifier[UPSTREAM_PROOF_TEXT], text[UPSTREAM_PROOF_TEXT];
    uint8_t hash[SHA256_DIGEST_LENGTH];

    proof(s, "verifier", verifier);
    SHA256((const uint8_t *)verifier, strlen(verifier), hash);
    (void)b64url_text(hash, sizeof hash, text, sizeof text);
    buf_adds(out, text);
}

/* Letters and digits, because WeChat's takes no others. */
void upstream_state(const struct slip *s, char out[UPSTREAM_STATE_TEXT])
{
    uint8_t bytes[SLIP_DERIVED];

    slip_derive(s, "state", bytes);
    sodium_bin2hex(out, UPSTREAM_STATE_TEXT, bytes, sizeof bytes);
}

bool upstream_is_state(const struct slip *s, const char *state)
{
    char right[UPSTREAM_STATE_TEXT];

    upstream_state(s, right);
    return state && strlen(state) == strlen(right) && secret_equal(state, right, strlen(right));
}

static void put(struct buf *out, const char *name, const char *value)
{
    if (out->n && !strchr("?&", out->p[out->n - 1]))
        buf_addc(out, '&');
    buf_printf(out, "%s=", name);
    buf_url(out, value, strlen(value));
}

void upstream_put_url(struct buf *out, const struct upstream *u,
                      const struct upstream_endpoints *at, const struct slip *s,
                      const char *redirect)
{
    bool oidc = u->kind == UPSTREAM_OIDC;
    char nonce[UPSTREAM_PROOF_TEXT], text[UPSTREAM_STATE_TEXT];

    buf_adds(out, at->authorize);
    buf_addc(out, strchr(at->authorize, '?') ? '&' : '?');
    put(out, oidc ? "client_id" : "appid", u->client);
    put(out, "redirect_uri", redirect);
    put(out, "response_type", "code");
    put(out, "scope", u->scope);
    upstream_state(s, text);
    put(out, "state", text);
    if (!oidc) {
        buf_adds(out, "#wechat_redirect");
        return;
    }
    proof(s, "nonce", nonce);
    put(out, "nonce", nonce);
    buf_adds(out, "&code_challenge=");
    put_challenge(out, s);
    put(out, "code_challenge_method", "S256");
}

/* ---- the way of a request ---- */

static void end(struct upstream_ask *a, enum rc rc)
{
    a->rc = rc;
    metric_add(rc ? METRIC_upstream_failures : METRIC_upstream_answers, 1);
    atomic_fetch_sub_explicit(&flying[a->of->no], 1, memory_order_relaxed);
    a->errand.done(&a->errand);
}

/* Its operator and ours must know why; who signs in need not. */
static void complain(const struct upstream_ask *a)
{
    LOG(LOG_WARN, "upstream_failed", L_STR("upstream", a->of->name), L_STR("why", a->err.text));
}

static enum rc disbelieve(struct upstream_ask *a)
{
    complain(a);
    return err_set(&a->err, RC_UNAUTHORIZED,
                   "what %s says of this sign-in is not believed: begin anew", a->of->name);
}

static bool is_his(enum rc rc)
{
    return rc == RC_UNAUTHORIZED || rc == RC_FORBIDDEN || rc == RC_TOO_MANY;
}

static void land(struct client_request *rq);

/* The last thing that a step does: once it is sent, `a` belongs to the thread that it lands on. */
static void advance(struct upstream_ask *a, enum rc rc)
{
    int64_t left_ms = (a->deadline_us - clock_mono_us()) / 1000;

    if (!rc && !a->asks) {
        end(a, RC_OK);
        return;
    }
    a->rq.timeout_ms = left_ms;
    a->rq.done = land;
    a->rq.arg = a;
    if (!rc && left_ms > 0 && client_send(&a->rq))
        return;
    if (!rc)
        rc = err_set(&a->err, RC_BUSY, "%s",
                     left_ms > 0 ? "too many requests to others" : "it took too long");
    if (!is_his(rc)) {
        complain(a);
        rc = err_set(&a->err, RC_BUSY, "%s does not answer as it should", a->of->name);
    }
    end(a, rc);
}

/* Secrets of somebody may stand in it. */
static void forget(struct client_request *came)
{
    if (came->body_in.n)
        secret_wipe(came->body_in.p, came->body_in.n);
    client_request_done(came);
}

static void on_worker(struct pool_job *job, struct db *db)
{
    struct upstream_ask *a =
        (struct upstream_ask *)(void *)((char *)job - offsetof(struct upstream_ask, job));
    struct client_request came = a->rq;
    enum rc rc = came.rc;

    (void)db;
    a->asks = false;
    if (rc)
        a->err = came.err;
    else
        rc = a->next(a, &came);
    forget(&came);
    advance(a, rc);
}

static void land(struct client_request *rq)
{
    struct upstream_ask *a = rq->arg;

    a->job.run = on_worker;
    if (pool_submit(workers, &a->job))
        return;
    forget(rq);
    end(a, err_set(&a->err, RC_BUSY, "too many requests are waiting"));
}

/* ---- what is asked ---- */

static const char *const plain[] = { "accept: application/json", NULL };

static void ask(struct upstream_ask *a, const char *url,
                enum rc (*next)(struct upstream_ask *a, const struct client_request *came))
{
    a->rq = (struct client_request){ .method = "GET",
                                     .url = url,
                                     .headers = plain,
                                     .ca_file = a->of->ca,
                                     .answer_max = JWK_SET_MAX,
                                     .tls_only = true,
                                     .public_only = !a->of->private_net };
    a->next = next;
    a->asks = true;
}

static void post(struct upstream_ask *a, const char *url, const struct buf *form,
                 const char *const *headers,
                 enum rc (*next)(struct upstream_ask *a, const struct client_request *came))
{
    ask(a, url, next);
    a->rq.method = "POST";
    a->rq.headers = headers;
    a->rq.body = form->p;
    a->rq.body_len = form->n;
}

static enum rc read_object(struct upstream_ask *a, const struct client_request *came,
                           json_t **out)
{
    if (came->status != 200)
        return err_set(&a->err, RC_IO, "it answers %d", came->status);
    return jx_object(&a->err, a->mem, came->body_in.p ? came->body_in.p : "", came->body_in.n,
                     out);
}

/* ---- WeChat ---- */

static enum rc on_wechat(struct upstream_ask *a, const struct client_request *came)
{
    struct wechat_ids ids;
    json_t *answer;
    enum rc rc;

    if ((rc = read_object(a, came, &answer)) || (rc = wechat_read(&a->err, answer, &ids)))
        return rc;
    return word_of_wechat(&a->err, a->of, &ids, &a->word);
}

static enum rc ask_wechat(struct upstream_ask *a)
{
    struct buf url = BUF_IN(a->mem);

    a->at = a->of->at;
    if (!a->code)
        return RC_OK;
    wechat_put_url(&url, a->of, a->code);
    ask(a, url.p, on_wechat);
    return RC_OK;
}

/* ---- OpenID Connect, from its end to its beginning ---- */

static enum rc take_word(struct upstream_ask *a, const json_t *userinfo)
{
    enum rc rc = word_of_claims(&a->err, a->of, a->claims, userinfo, &a->word);

    return rc == RC_INVALID ? disbelieve(a) : rc;
}

static enum rc on_userinfo(struct upstream_ask *a, const struct client_request *came)
{
    const char *sub = jx_text(a->claims, "sub"), *same;
    json_t *answer;
    enum rc rc;

    if ((rc = read_object(a, came, &answer)))
        return rc;
    same = jx_text(answer, "sub");
    if (!same || strcmp(sub, same) != 0) {
        (void)err_set(&a->err, RC_INVALID, "userinfo speaks of somebody else");
        return disbelieve(a);
    }
    return take_word(a, answer);
}

static bool is_nonce(const struct upstream_ask *a)
{
    const char *nonce = jx_text(a->claims, "nonce");
    char right[UPSTREAM_PROOF_TEXT];

    proof(a->slip, "nonce", right);
    return nonce && strlen(nonce) == strlen(right) && secret_equal(nonce, right, strlen(right));
}

static enum rc believe(struct upstream_ask *a, const struct jwk *keys, int n)
{
    struct jwt_expect x = { .iss = a->of->issuer, .aud = a->of->client, .now = clock_now() };

    if (jwt_verify(&a->err, a->mem, keys, n, &x, a->id_token, strlen(a->id_token), &a->claims))
        return disbelieve(a);
    if (!is_nonce(a) || !jx_text(a->claims, "sub")) {
        (void)err_set(&a->err, RC_INVALID, "the ID token is of another sign-in, or of nobody");
        return disbelieve(a);
    }
    if (!a->of->userinfo)
        return take_word(a, NULL);
    if (!a->access)
        return err_set(&a->err, RC_INVALID, "there is no access token for userinfo");
    ask(a, a->at.userinfo, on_userinfo);
    a->rq.bearer = a->access;
    return RC_OK;
}

static enum rc find_keys(struct upstream_ask *a);

static enum rc on_keys(struct upstream_ask *a, const struct client_request *came)
{
    enum rc rc;

    if (came->status != 200)
        return err_set(&a->err, RC_IO, "the key set answers %d", came->status);
    rc = upstream_book_learn_keys(&a->err, a->of, came->body_in.p ? came->body_in.p : "",
                                  came->body_in.n);
    return rc ? rc : find_keys(a);
}

static enum rc find_keys(struct upstream_ask *a)
{
    struct jws jws;
    struct jwk *keys;
    int n;

    if (jws_read(&a->err, a->mem, a->id_token, strlen(a->id_token), &jws))
        return disbelieve(a);
    if (upstream_book_keys(a->of, a->mem, jws.kid, &keys, &n))
        return believe(a, keys, n);
    ask(a, a->at.keys, on_keys);
    return RC_OK;
}

/* An error's word (RFC 6749 section 5.2), as far as it looks like one. */
static enum rc read_error(struct upstream_ask *a, const struct client_request *came)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz_";
    const char *word = NULL;
    struct err ignored;
    json_t *answer;

    if (came->body_in.p &&
        !jx_object(&ignored, a->mem, came->body_in.p, came->body_in.n, &answer))
        word = jx_text(answer, "error");
    if (word && !strcmp(word, "invalid_grant"))
        return err_set(&a->err, RC_UNAUTHORIZED, "this sign-in is over: begin anew");
    return err_set(&a->err, RC_IO, "its token endpoint answers %d %.40s", came->status,
                   word && !word[strspn(word, letters)] ? word : "");
}

static enum rc on_token(struct upstream_ask *a, const struct client_request *came)
{
    json_t *answer;
    enum rc rc;

    if (came->status != 200)
        return read_error(a, came);
    if ((rc = read_object(a, came, &answer)))
        return rc;
    a->id_token = jx_text(answer, "id_token");
    a->access = jx_text(answer, "access_token");
    if (!a->id_token)
        return err_set(&a->err, RC_INVALID, "its token endpoint gives no ID token");
    if (a->access && a->access[strspn(a->access, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"
                                                 "RSTUVWXYZ0123456789-._~+/=")])
        return err_set(&a->err, RC_INVALID, "its access token is none (RFC 6750)");
    return find_keys(a);
}

/* RFC 6749 section 2.3.1: name and key are each escaped like a form's field. */
static const char *basic(struct upstream_ask *a)
{
    struct buf pair = BUF_IN(a->mem), line = BUF_IN(a->mem);

    buf_url(&pair, a->of->client, strlen(a->of->client));
    buf_addc(&pair, ':');
    buf_url(&pair, a->of->secret, strlen(a->of->secret));
    buf_adds(&line, "authorization: Basic ");
    buf_base64(&line, pair.p, pair.n);
    return line.p;
}

/* A code that another upstream gave must not be shown to this one (RFC 9207). */
static bool is_answer(const struct upstream_ask *a)
{
    return a->iss ? !strcmp(a->iss, a->of->issuer) : !a->at.says_iss;
}

static enum rc ask_token(struct upstream_ask *a)
{
    const char **headers = arena_zalloc(a->mem, 4 * sizeof *headers);
    struct buf form = BUF_IN(a->mem);
    char verifier[UPSTREAM_PROOF_TEXT];
    bool in_body = !a->of->secret || a->of->post;

    if (!a->code)
        return RC_OK;
    if (!is_answer(a)) {
        (void)err_set(&a->err, RC_INVALID, "the answer is of another issuer");
        return disbelieve(a);
    }
    proof(a->slip, "verifier", verifier);
    put(&form, "grant_type", "authorization_code");
    put(&form, "code", a->code);
    put(&form, "redirect_uri", a->redirect);
    put(&form, "code_verifier", verifier);
    if (in_body)
        put(&form, "client_id", a->of->client);
    if (in_body && a->of->secret)
        put(&form, "client_secret", a->of->secret);
    headers[0] = plain[0];
    headers[1] = "content-type: application/x-www-form-urlencoded";
    headers[2] = in_body ? NULL : basic(a);
    post(a, a->at.token, &form, headers, on_token);
    return RC_OK;
}

static enum rc on_document(struct upstream_ask *a, const struct client_request *came)
{
    const char *url;
    json_t *document;
    enum rc rc;

    if ((rc = read_object(a, came, &document)) ||
        (rc = upstream_book_learn(&a->err, a->of, document)))
        return rc;
    if (!upstream_book_where(a->of, a->mem, &a->at, &url))
        return err_set(&a->err, RC_BUSY, "its discovery document is gone again");
    return ask_token(a);
}

static enum rc ask_oidc(struct upstream_ask *a)
{
    const char *url;

    if (upstream_book_where(a->of, a->mem, &a->at, &url))
        return ask_token(a);
    ask(a, url, on_document);
    return RC_OK;
}

/* ---- the errand ---- */

static enum rc start(struct errand *errand, struct err *e)
{
    struct upstream_ask *a = (struct upstream_ask *)(void *)errand;
    atomic_int *n = &flying[a->of->no];

    if (atomic_fetch_add_explicit(n, 1, memory_order_relaxed) >= UPSTREAM_FLYING_MAX) {
        atomic_fetch_sub_explicit(n, 1, memory_order_relaxed);
        return err_set(e, RC_BUSY, "%s does not keep up", a->of->name);
    }
    a->deadline_us = clock_mono_us() + (int64_t)UPSTREAM_TIMEOUT_MS * 1000;
    advance(a, a->of->kind == UPSTREAM_OIDC ? ask_oidc(a) : ask_wechat(a));
    return RC_OK;
}

void upstream_ask_begin(struct upstream_ask *a, const struct upstream *u, struct arena *mem)
{
    *a = (struct upstream_ask){ .errand = { .start = start }, .of = u, .mem = mem };
}
