/*
 * warnings.c - warnings over HTTP: docs/protocol/warnings.md.
 *
 * The feed is made of records as they are stored, and of nothing else; so it is the same as what phones have by delta-sync, and as old as the library's generation.
 */
#include "api/warnings.h"

#include <inttypes.h>
#include <string.h>

#include "api/view.h"
#include "push/run.h"
#include "server/base/jx.h"
#include "server/library/relay.h"
#include "warning/take.h"

enum { PAGE = 50 };

const char TYPE_CAP[] = "application/cap+xml";
/* Who keeps it asks each time whether it still holds: what is over must not be shown from a cache. */
static const char no_cache[] = "public, no-cache";

const struct param warnings_params[] = {
    { "area", P_TEXT, 6, 12, "只要与这个区划有关的：6、9 或 12 位，如 120101" }, { 0 }
};
const struct param warning_params[] = {
    { "identifier", P_TEXT, 1, IDENT_MAX, "预警编号，31 位（或 28 位）" }, { 0 }
};
const struct param warning_list_params[] = {
    { "n", P_INT, 1, WARNING_PAGE_MAX, "每页条数，默认 50" },
    { "cursor", P_INT, 1, INT64_MAX, "上一页答复里的 next；不给则从最新的开始" },
    { 0 }
};
const struct param warning_sender_params[] = {
    { "sender", P_TEXT, 1, IDENT_CODE_TEXT - 1, "发布单位的编码，11 位（或 14 位）" }, { 0 }
};

/* ---- what is in force ---- */

/* Whoever is in a district is concerned by what is said of its streets, and of the city. */
static enum rc concerns(struct work *w, const struct slice *record, const char *area, bool *out)
{
    json_t *value, *one;
    size_t i;
    enum rc rc;

    *out = !*area;
    if (*out)
        return RC_OK;
    if ((rc = jx_object(&w->err, w->mem, record->p, record->n, &value)))
        return rc;
    json_array_foreach(json_object_get(value, "areas"), i, one)
    {
        const char *code = json_string_value(one);

        *out |= area_within(code, area) || area_within(area, code);
    }
    return RC_OK;
}

enum rc get_warnings(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *wanted = request_text(rq, "area", NULL);
    struct buf b = BUF_IN(w->mem);
    char area[AREA_TEXT] = "";
    struct slice *records;
    bool is_meant, first = true;
    enum rc rc;
    int n;

    if (wanted && !area_read(wanted, strlen(wanted), area))
        return err_field(&w->err, "?area", "区划代码是 6、9 或 12 位数字，如 120101");
    if ((rc = relay_live(w, WARNING_LIVE_MAX, &records, &n)))
        return rc;
    buf_adds(&b, "{\"warnings\":[");
    for (int i = 0; i < n; i++) {
        if ((rc = concerns(w, &records[i], area, &is_meant)))
            return rc;
        if (!is_meant)
            continue;
        buf_adds(&b, first ? "" : ",");
        buf_add(&b, records[i].p, records[i].n);
        first = false;
    }
    buf_adds(&b, "]}\n");
    reply_buf(rp, TYPE_JSON, &b);
    rp->cache = no_cache;
    return RC_OK;
}

/* What stands between the lines of a PEM: base64 of the SubjectPublicKeyInfo. */
static const char *key_of(struct work *w, const char *pem)
{
    struct buf b = BUF_IN(w->mem);

    for (const char *line = pem; *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (*line != '-')
            buf_add(&b, line, strcspn(line, "\n"));
    return b.n ? b.p : "";
}

/* Byte for byte, with what proves it. */
enum rc get_warning(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf signature = BUF_IN(w->mem);
    char hex[HASH_TEXT];
    struct warning x;
    enum rc rc;

    if ((rc = warning_find(w, request_text(rq, "identifier", ""), false, &x)))
        return rc;
    if (!x.rev)
        return err_set(&w->err, RC_NOT_FOUND, "没有这个编号的预警");
    buf_reserve(&signature, 2 * SIGNER_SIG_MAX);
    signature.n = (size_t)b64url_text(x.signature.p, x.signature.n, signature.p, signature.cap);
    reply_header(rp, "warning-signature",
                 arena_printf(w->mem, "key=%s,to=%s,time=%" PRId64 ",signature=%.*s", x.key,
                              x.name, x.signed_at, (int)signature.n, signature.p));
    reply_header(rp, "warning-algorithm", x.alg);
    reply_header(rp, "warning-key", key_of(w, x.pem));
    rp->etag = arena_printf(w->mem, "\"%s\"", hex_text(x.hash, sizeof x.hash, hex));
    rp->cache = no_cache;
    reply_body(rp, TYPE_CAP, x.bytes.p, x.bytes.n);
    return RC_OK;
}

/* ---- in ---- */

static void put_areas(struct buf *b, const char *areas)
{
    jx_key(b, "areas");
    buf_addc(b, '[');
    for (size_t n; *areas; areas += n + (areas[n] == ',')) {
        n = strcspn(areas, ",");
        jx_quote(b, areas, n);
        buf_adds(b, areas[n] ? "," : "");
    }
    buf_addc(b, ']');
}

/* What became of the devices that it was sent to; `n` NULL: nobody asks. */
static void put_sent(struct buf *b, const struct run_counts *n)
{
    int64_t sums[RUN_WHATS] = { 0 };

    if (!n)
        return;
    for (int by = 0; by < TRANSPORT_COUNT; by++)
        for (int what = RUN_ACCEPTED; what < RUN_RESENT; what++)
            sums[what] += n->by[by][what];
    jx_key(b, "sending");
    buf_addc(b, '{');
    for (int what = RUN_ACCEPTED; what < RUN_RESENT; what++)
        if (sums[what])
            jx_put_int(b, run_words[what], sums[what]);
    jx_put_int(b, "devices", n->audience);
    jx_put_bool(b, "over", n->state == RUN_OVER);
    jx_put_int(b, "waiting", n->waiting + n->sent);
    buf_addc(b, '}');
}

static void put_warning(struct buf *b, const struct warning *x, const struct run_counts *n)
{
    const char *outcome = x->test ? "test" : x->rev ? "published" : "kept";
    char id[ID_TEXT], hex[HASH_TEXT];

    buf_adds(b, b->n && b->p[b->n - 1] == '}' ? ",{" : "{");
    put_areas(b, x->areas);
    view_time(b, "expires", x->expires);
    jx_put_text(b, "hash", hex_text(x->hash, sizeof x->hash, hex));
    jx_put_text(b, "identifier", x->identifier);
    jx_put_text(b, "item", x->rev ? id_text(&x->item, id) : NULL);
    jx_put_text(b, "key", x->key);
    jx_put_text(b, "level", level_word(x->level));
    jx_put_text(b, "msgType", cap_type_word(x->type));
    jx_put_text(b, "outcome", outcome);
    jx_put_bool(b, "pushed", x->run != 0);
    view_time(b, "received", x->received);
    if (x->rev)
        jx_put_int(b, "revision", x->rev);
    put_sent(b, n);
    view_time(b, "sent", x->sent);
    jx_put_text(b, "status", cap_status_word(x->status));
    jx_put_text(b, "title", x->title);
    buf_addc(b, '}');
}

/* On a worker: the signature, and the document. What is wrong is told as the answer, by the handler's turn. */
enum rc prepare_warning(struct work *w, struct request *rq)
{
    struct take *t = arena_alloc(w->mem, sizeof *t);
    enum rc rc = take_read(w, rq->authorization, rq->body, rq->body_len, t);

    if (rc)
        metric_add(METRIC_warnings_refused, 1);
    rq->prepared = t;
    return rc;
}

enum rc post_warning(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct warning x;
    bool again;
    enum rc rc;

    if ((rc = take(w, rq->prepared, &x, &again))) {
        metric_add(METRIC_warnings_refused, 1);
        return rc;
    }
    put_warning(&b, &x, NULL);
    buf_addc(&b, '\n');
    rp->status = again ? 200 : 201;
    if (x.rev)
        reply_header(rp, "location", arena_printf(w->mem, "/v1/warnings/%s", x.identifier));
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc get_staff_warnings(struct work *w, const struct request *rq, struct reply *rp)
{
    int most = (int)request_int(rq, "n", PAGE), n;
    struct buf b = BUF_IN(w->mem);
    struct warning *list;
    enum rc rc;

    if ((rc = warning_list(w, request_int(rq, "cursor", 0), most, &list, &n)))
        return rc;
    view_list_open(&b, "warnings");
    for (int i = 0; i < n; i++) {
        struct run_counts sent;

        rc = list[i].run ? run_count(w, list[i].run, &sent) : RC_NOT_FOUND;
        if (rc && rc != RC_NOT_FOUND)
            return rc;
        put_warning(&b, &list[i], rc ? NULL : &sent);
    }
    view_list_close(&b, n == most ? arena_printf(w->mem, "%" PRId64, list[n - 1].no) : "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

/* ---- who may issue them ---- */

static void put_sender(struct buf *b, const struct warning_sender *s, bool staff)
{
    uint8_t hash[HASH_BYTES];
    char hex[HASH_TEXT];

    buf_adds(b, b->n && b->p[b->n - 1] == '}' ? ",{" : "{");
    if (staff)
        view_time(b, "changed", s->changed);
    jx_put_text(b, "code", s->code);
    if (*s->spec) {
        jx_key(b, "confirmed");
        buf_adds(b, s->spec);
    }
    if (staff && *s->proposed) {
        warning_spec_hash(s->proposed, hash);
        jx_put_text(b, "hash", hex_text(hash, sizeof hash, hex));
        jx_key(b, "proposed");
        buf_adds(b, s->proposed);
        jx_put_text(b, "proposer", s->proposer);
    }
    jx_put_text(b, "stopped", *s->stopped ? s->stopped : NULL);
    buf_addc(b, '}');
}

enum rc get_warning_senders(struct work *w, const struct request *rq, struct reply *rp)
{
    bool staff = actor_has(&w->who, RIGHT_SECURE | RIGHT_OPERATE | RIGHT_AUDIT);
    struct buf b = BUF_IN(w->mem);
    struct warning_sender *list;
    enum rc rc;
    int n;

    (void)rq;
    if ((rc = warning_sender_list(w, &list, &n)))
        return rc;
    buf_addc(&b, '{');
    jx_put_text(&b, "name", take_name());
    jx_key(&b, "senders");
    buf_addc(&b, '[');
    for (int i = 0; i < n; i++)
        if (staff || *list[i].spec)
            put_sender(&b, &list[i], staff);
    view_list_close(&b, "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

static enum rc reply_sender(struct work *w, const struct warning_sender *s, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);

    put_sender(&b, s, true);
    buf_addc(&b, '\n');
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc put_warning_sender(struct work *w, const struct request *rq, struct reply *rp)
{
    struct warning_sender s;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = warning_sender_propose(w, request_text(rq, "sender", ""), body, &s)))
        return rc;
    return reply_sender(w, &s, rp);
}

enum rc post_warning_sender_confirm(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = {
        { "hash", JX_TEXT, true, HASH_TEXT - 1, HASH_TEXT - 1 }, { 0 }
    };
    uint8_t hash[HASH_BYTES];
    struct warning_sender s;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = jx_check(&w->err, body, members, "")))
        return rc;
    if (!hex_parse(jx_text(body, "hash"), HASH_TEXT - 1, hash, sizeof hash))
        return err_field(&w->err, "/hash", "hash 是 64 位小写十六进制：看到的登记里有它");
    if ((rc = warning_sender_confirm(w, request_text(rq, "sender", ""), hash, &s)))
        return rc;
    return reply_sender(w, &s, rp);
}

enum rc post_warning_sender_stop(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "text", JX_TEXT, true, 1, WARNING_WHY_MAX },
                                               { 0 } };
    struct warning_sender s;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = jx_check(&w->err, body, members, "")) ||
        (rc =
             warning_sender_stop(w, request_text(rq, "sender", ""), jx_text(body, "text"), &s)))
        return rc;
    return reply_sender(w, &s, rp);
}
