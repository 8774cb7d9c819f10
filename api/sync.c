/*
 * sync.c - GETs only. Keys, lists, heads and covers are answered from memory on the loop; the rest
 * is made on a worker once and then kept by the response cache.
 *
 * Names in these paths have one spelling each, which the protocol's own parser checks: whatever
 * differs by a leading zero or a capital is refused, so that nobody can fill caches with twins.
 * Every refusal points at the newest head.
 */
#include "api/sync.h"

#include <assert.h>
#include <string.h>

#include "api/instance.h"
#include "server/base/jx.h"
#include "server/base/seal.h"
#include "server/identity/keyfile.h"
#include "sync/catchup.h"
#include "sync/cover.h"
#include "sync/head.h"
#include "sync/heads.h"
#include "sync/index.h"
#include "sync/keys.h"
#include "sync/object.h"
#include "sync/single.h"
#include "sync/tile.h"

/* clang-format off */
/* Of any length: the parser refuses it, when the stream is known and with it where its newest head is. */
#define NAME P_TEXT, 0, 0
#define STREAM { "stream", P_TEXT, 1, WIRE_STREAM_MAX, "数据流的名称" }
const struct param sync_stream_params[] = { STREAM, { 0 } };
const struct param sync_twin_params[] = {
    STREAM, { "cursor", NAME, "签名头的 epoch.seq.sign" }, { 0 } };
const struct param sync_log_params[] = {
    STREAM, { "epoch", NAME, "签名头里的 epoch" }, { "cut", NAME, "签名头里的 cut" },
    { "range", NAME, "起止序号 from-to；加 .gz、.zst 或 .dz 得压缩的" }, { 0 } };
const struct param sync_object_params[] = {
    STREAM, { "name", NAME, "SHA-256，64 位小写十六进制；加 .gz 或 .zst 得压缩的" }, { 0 } };
const struct param sync_cover_params[] = {
    STREAM, { "cursor", NAME, "签名头的 epoch.seq" }, { 0 } };
const struct param sync_tile_params[] = {
    STREAM, { "name", NAME, "height.index.hash：高度（16、10 或 6）、序号与节点的散列" }, { 0 } };
const struct param sync_item_params[] = {
    STREAM, { "epoch", NAME, "签名头里的 epoch" },
    { "name", NAME, "born.seq：出生序号与版本序号；加 .gz 或 .zst 得压缩的" }, { 0 } };
const struct param sync_place_params[] = {
    STREAM, { "id", NAME, "内容的编号（UUID）" }, { 0 } };
/* clang-format on */

enum { PREFIX = sizeof "/v1/sync/" - 1 };

/* The stream of the request and its path taken apart. An error carries the way to the newest
 * head. */
static enum rc open_url(struct work *w, const struct request *rq, struct reply *rp,
                        struct live **l, struct wire_url *u)
{
    const char *name = request_text(rq, "stream", "");
    struct sync_err se;

    if (!(*l = live_find(name)))
        return err_set(&w->err, RC_NOT_FOUND, "there is no stream of that name");
    reply_header(rp, "link",
                 arena_printf(w->mem, "</v1/sync/%s/head>; rel=\"latest-version\"", name));
    if (wire_url_parse(&se, rq->path, strlen(rq->path), u))
        return err_set(&w->err, RC_INVALID, "%s", se.text);
    return RC_OK;
}

enum rc get_sync_keys(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *text;
    uint8_t hash[HASH_BYTES];
    char hex[HASH_TEXT];
    size_t n;

    (void)rq;
    if (!(text = heads_adopted_keys(&n)) && !live_own())
        return err_set(&w->err, RC_BUSY, "the keys are being loaded");
    if (!text)
        text = keys_chain(sync_keys(), w->mem, &n);
    sha256(text, n, hash);
    rp->etag = arena_printf(w->mem, "\"%.16s\"", hex_text(hash, sizeof hash, hex));
    rp->cache = CACHE_SHORT;
    reply_body(rp, TYPE_TEXT, text, n);
    return RC_OK;
}

enum rc get_sync_head(struct work *w, const struct request *rq, struct reply *rp)
{
    struct live *l = live_find(request_text(rq, "stream", ""));
    const char *note;
    size_t n;
    enum rc rc;

    if (!l)
        return err_set(&w->err, RC_NOT_FOUND, "there is no stream of that name");
    if ((rc = head_now(l, &w->err, w->mem, &note, &n, &rp->etag)))
        return rc;
    rp->cache = CACHE_SHORT;
    reply_body(rp, TYPE_TEXT, note, n);
    return RC_OK;
}

/* R_CACHED: made once for all who poll, until something changes. */
static enum rc reply_heads(struct work *w, const char *stream, struct reply *rp)
{
    const char *text;
    size_t n;
    enum rc rc = heads_now(&w->err, w->mem, stream, &text, &n, &rp->etag);

    if (rc)
        return rc;
    rp->cache = CACHE_SHORT;
    reply_body(rp, TYPE_TEXT, text, n);
    return RC_OK;
}

enum rc get_sync_heads(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)rq;
    return reply_heads(w, NULL, rp);
}

enum rc get_sync_heads_of(struct work *w, const struct request *rq, struct reply *rp)
{
    return reply_heads(w, request_text(rq, "stream", ""), rp);
}

/* "stream:seal" is a stream of that name. */
static enum rc rotate_seal(struct work *w)
{
    enum rc rc;
    int no;

    if ((rc = seal_rotate(&w->err, &no)))
        return rc;
    work_fact(w, "key", no);
    return keyfile_remember(w, arena_printf(w->mem, "%s/keys", instance()->dir));
}

enum rc post_key_rotate(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *role = request_text(rq, "role", "");
    struct buf b = BUF_IN(w->mem);
    enum rc rc;

    if ((rc = strcmp(role, "seal") ? sync_rotate(w, role) : rotate_seal(w)))
        return rc;
    buf_addc(&b, '{');
    jx_put_text(&b, "rotated", role);
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

/* ---- what is named by its URL ---- */

static enum rc make_twin(struct work *w, struct live *l, const struct wire_url *u,
                         const char **p, size_t *n)
{
    return head_twin(w, l, u->epoch, u->seq, u->sign, p, n);
}

static enum rc make_object(struct work *w, struct live *l, const struct wire_url *u,
                           const char **p, size_t *n)
{
    return index_read(w, l, u->hash, u->encoding, p, n);
}

static enum rc make_cover(struct work *w, struct live *l, const struct wire_url *u,
                          const char **p, size_t *n)
{
    return cover_read(live_covers(l), &w->err, w->mem, u->epoch, u->seq, p, n);
}

static enum rc make_place(struct work *w, struct live *l, const struct wire_url *u,
                          const char **p, size_t *n)
{
    return single_place(w, l, u->id, p, n);
}

/* Who makes the answer. The others, which change, have handlers above. */
static enum rc (*const makers[])(struct work *w, struct live *l, const struct wire_url *u,
                                 const char **p, size_t *n) = {
    [WIRE_URL_TWIN] = make_twin,     [WIRE_URL_LOG] = catchup_make,
    [WIRE_URL_OBJECT] = make_object, [WIRE_URL_COVER] = make_cover,
    [WIRE_URL_TILE] = tile_make,     [WIRE_URL_ITEM] = single_record,
    [WIRE_URL_PLACE] = make_place,
};

static enum rc reply_made(struct work *w, const struct request *rq, struct reply *rp,
                          const char *type)
{
    struct wire_url u;
    struct live *l;
    const char *body;
    size_t n;
    enum rc rc;

    if ((rc = open_url(w, rq, rp, &l, &u)))
        return rc;
    assert(makers[u.kind]); /* the routes lead only these here */
    if ((rc = makers[u.kind](w, l, &u, &body, &n)))
        return rc;
    rp->nextra = 0; /* what stays as it is for ever needs no pointer to something newer */
    rp->cache = CACHE_FOREVER;
    rp->ranges = true;
    reply_body(rp, type, body, n);
    return RC_OK;
}

enum rc get_sync_twin(struct work *w, const struct request *rq, struct reply *rp)
{
    return reply_made(w, rq, rp, TYPE_TEXT);
}

enum rc get_sync_bytes(struct work *w, const struct request *rq, struct reply *rp)
{
    return reply_made(w, rq, rp, TYPE_BYTES);
}

/* The seq in it changes with every edit. */
enum rc get_sync_place(struct work *w, const struct request *rq, struct reply *rp)
{
    enum rc rc = reply_made(w, rq, rp, TYPE_TEXT);

    rp->cache = rc ? rp->cache : CACHE_SHORT;
    rp->ranges = false;
    return rc;
}
