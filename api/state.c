/*
 * state.c - an exchange on the thread that it needs, and not on another.
 *
 *     loop    a small body that brings nothing, of whom memory knows that nothing is new
 *     worker  all bodies are unpacked and parsed here; what brings nothing is answered from the database as it is
 *     writer  what brings something
 */
#include "api/state.h"

#include "api/auth_json.h"
#include "api/visit_json.h"
#include "server/citizen/guest.h"
#include "server/http/coding.h"
#include "server/store/disk.h"

enum { UNPACKED_MAX = 1 << 20, QUICK = 400 /* bytes that a loop thread may parse */ };

static int64_t poll_seconds = 300;

void state_open(int64_t poll_ms)
{
    poll_seconds = poll_ms / 1000;
}

static enum rc reply_visited(struct work *w, const struct visited *v, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);

    visit_print(&b, v, poll_seconds);
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

static enum rc answer_from_memory(struct work *w, const struct request *rq, struct reply *rp,
                                  bool *done)
{
    struct visited given;
    struct visit v;
    enum rc rc;

    if (rq->body_len > QUICK || rq->content_encoding)
        return RC_OK;
    if ((rc = visit_parse(w, rq->body, rq->body_len, &v)))
        return rc;
    *done = visit_idle(&v, &given);
    return *done ? reply_visited(w, &given, rp) : RC_OK;
}

/* A disk that is full keeps nobody from reading. */
static enum rc answer_from_store(struct work *w, const struct visit *v, struct reply *rp,
                                 bool *done)
{
    bool must_write = false;
    struct visited given;
    enum rc rc;

    if ((rc = visit_read(w, v, &given, &must_write)))
        return rc;
    *done = !must_write || disk_state();
    return *done ? reply_visited(w, &given, rp) : RC_OK;
}

enum rc early_state(struct work *w, struct request *rq, struct reply *rp, bool *done)
{
    struct visit *v;
    const char *body;
    size_t n;
    enum rc rc;

    if (!w->db)
        return answer_from_memory(w, rq, rp, done);
    v = rq->prepared = arena_alloc(w->mem, sizeof *v);
    if ((rc = coding_unpack(&w->err, w->mem, rq->content_encoding, rq->body, rq->body_len,
                            UNPACKED_MAX, &body, &n)) ||
        (rc = visit_parse(w, body, n, v)))
        return rc;
    return v->n ? disk_check(&w->err) : answer_from_store(w, v, rp, done);
}

enum rc post_state(struct work *w, const struct request *rq, struct reply *rp)
{
    struct visited given;
    enum rc rc;

    if ((rc = visit_write(w, rq->prepared, &given)))
        return rc;
    return reply_visited(w, &given, rp);
}

/* ---- guests ---- */

enum rc post_guest(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "device", JX_TEXT, false, 1, 80 }, { 0 } };
    struct sign_in_result r = { .step = SIGN_IN_DONE };
    struct buf b = BUF_IN(w->mem);
    const char *device;
    int64_t wait = 0;
    json_t *body;
    enum rc rc;

    if ((rc = auth_read_body(w, rq, members, &body)) ||
        (rc = auth_read_device(w, body, &device)))
        return rc;
    rc = guest_make(w, device, rq->client_tag, &r.account, &r.tokens, &wait);
    if (rc == RC_TOO_MANY)
        auth_retry_after(w, rp, wait);
    if (rc || (rc = auth_put_step(w, &b, &r)))
        return rc;
    reply_buf(rp, TYPE_JSON, &b);
    rp->status = 201;
    return RC_OK;
}

enum rc post_adopt(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "guest", JX_TEXT, true, 1, 128 }, { 0 } };
    json_t *body;
    enum rc rc;

    if ((rc = auth_read_body(w, rq, members, &body)))
        return rc;
    rp->status = 204;
    return guest_adopt(w, w->who.account, jx_text(body, "guest"));
}
