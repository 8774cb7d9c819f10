/*
 * fake_sync.c - the server of docs/protocol/sync.md in its simplest form: every change kept,
 * everything built anew when asked.
 */
#include "tests/lib/fake_sync.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { LATEST = 1 << 16, OBJECTS = 4096, HEADS = 4096, BASE_ITEMS = 128 };

struct change {
    struct wire_frame frame;
    char title[64];
    struct fake_bytes record; /* frame and bytes */
    uint8_t leaf[WIRE_HASH], chain[WIRE_HASH];
};

struct signed_head {
    struct wire_head head;
    char note[WIRE_HEAD_MAX];
    size_t n;
    uint8_t state[WIRE_HASH];
};

struct pair {
    uint8_t public_key[32], secret[64];
};

struct fake {
    char stream[WIRE_STREAM_MAX + 1], ancestry[1024], directory[4096], keys[8192];
    size_t keys_n;
    struct pair platform, first_platform, key;
    uint64_t founded, epoch, size, cut, time, sign, index_seq;
    uint8_t index[WIRE_HASH];
    uint8_t seeds;      /* of keys handed out */
    struct change *log; /* log[seq - 1] */
    uint64_t seq;
    struct {
        uint8_t hash[WIRE_HASH];
        struct fake_bytes body;
    } objects[OBJECTS];
    size_t nobjects;
    struct signed_head *heads;
    size_t nheads;
};

#define MUST(expr)                                             \
    do {                                                       \
        struct sync_err must_err;                              \
        if ((expr) != SYNC_OK) {                               \
            fprintf(stderr, "%s: %s\n", #expr, must_err.text); \
            abort();                                           \
        }                                                      \
    } while (0)

static struct pair new_pair(struct fake *s)
{
    uint8_t seed[32] = { ++s->seeds, (uint8_t)s->founded };
    struct pair p;

    crypto_sign_seed_keypair(p.public_key, p.secret, seed);
    return p;
}

static void append_key(struct fake *s, const char *role, const struct pair *key,
                       const struct pair *signer)
{
    struct verify_key k;

    verify_key_ed25519(key->public_key, &k);
    MUST(verify_keys_append(&must_err, s->keys, &s->keys_n, sizeof s->keys, role, &k, s->time,
                            signer->secret));
}

static void append_stream_key(struct fake *s)
{
    char role[VERIFY_ROLE_MAX + 1];

    snprintf(role, sizeof role, "stream:%s", s->stream);
    s->key = new_pair(s);
    append_key(s, role, &s->key, &s->platform);
}

struct fake *fake_new(const char *stream, uint64_t epoch)
{
    struct fake *s = calloc(1, sizeof *s);

    snprintf(s->stream, sizeof s->stream, "%s", stream);
    snprintf(
        s->directory, sizeof s->directory,
        "{\"columns\":[{\"name\":\"通知公告\",\"no\":1,\"parent\":0,\"path\":\"通知公告\","
        "\"position\":1,\"site\":1,"
        "\"type\":\"通知公告\"},{\"name\":\"政策\",\"no\":2,\"parent\":0,\"path\":\"政策\","
        "\"position\":2,\"site\":1,"
        "\"type\":\"政策文件\"}],\"sites\":[{\"code\":\"demo\",\"name\":\"示例\",\"no\":1}]}");
    s->founded = s->epoch = s->time = epoch;
    wire_ancestry_print(epoch, 1, s->ancestry);
    s->log = calloc(LATEST, sizeof *s->log);
    s->heads = calloc(HEADS, sizeof *s->heads);
    s->platform = s->first_platform = new_pair(s);
    append_key(s, "platform", &s->platform, &s->platform);
    append_stream_key(s);
    fake_head(s);
    return s;
}

void fake_free(struct fake *s)
{
    for (size_t i = 0; i < LATEST; i++)
        free(s->log[i].record.at);
    for (size_t i = 0; i < s->nobjects; i++)
        free(s->objects[i].body.at);
    free(s->log);
    free(s->heads);
    free(s);
}

const uint8_t *fake_trust(const struct fake *s)
{
    return s->first_platform.public_key;
}

void fake_rotate_keys(struct fake *s, bool platform)
{
    if (platform) {
        struct pair next = new_pair(s);

        append_key(s, "platform", &next, &s->platform);
        s->platform = next;
    }
    append_stream_key(s);
}

/* ---- changes ---- */

static void add_change(struct fake *s, enum wire_op op, uint64_t born, const char *title,
                       const char *body)
{
    struct change *c = &s->log[s->seq];
    uint8_t before[WIRE_HASH];
    size_t n;

    *c = (struct change){ .frame = { .op = (uint8_t)op,
                                     .title_len = (uint16_t)strlen(title),
                                     .length = (uint32_t)strlen(body),
                                     .born = born,
                                     .seq = s->seq + 1,
                                     .site = 1,
                                     .column = (uint32_t)(born % 2) + 1,
                                     .date = (int64_t)(1700000000 + born) } };
    snprintf(c->title, sizeof c->title, "%s", title);
    c->frame.title = c->title;
    for (unsigned i = 0; i < 8; i++) /* the id: a hash-like but repeatable value */
        c->frame.id[i] = (uint8_t)((born * 0x9e3779b97f4a7c15u) >> 8 * i);
    c->frame.id[15] = (uint8_t)born;
    c->record.at = malloc(WIRE_FRAME_MAX + strlen(body));
    MUST(wire_frame_encode(&must_err, &c->frame, c->record.at, &n));
    memcpy(c->record.at + n, body, strlen(body));
    c->record.n = n + strlen(body);
    verify_record(c->record.at, n, c->record.at + n, strlen(body), c->leaf);
    if (s->seq)
        memcpy(before, s->log[s->seq - 1].chain, sizeof before);
    else
        verify_chain_first(s->stream, before);
    verify_chain_next(before, c->leaf, c->chain);
    s->seq++;
}

uint64_t fake_publish(struct fake *s, const char *title, const char *body)
{
    add_change(s, WIRE_PUT, s->size, title, body);
    return s->size++;
}

void fake_edit(struct fake *s, uint64_t born, const char *title, const char *body)
{
    add_change(s, WIRE_PUT, born, title, body);
}

void fake_withdraw(struct fake *s, uint64_t born)
{
    add_change(s, WIRE_WITHDRAWN, born, "", "");
}

void fake_take_down(struct fake *s, uint64_t born)
{
    add_change(s, WIRE_TAKEN_DOWN, born, "", "");
    s->cut++;
}

void fake_set_directory(struct fake *s, const char *json)
{
    snprintf(s->directory, sizeof s->directory, "%s", json);
}

uint64_t fake_seq(const struct fake *s)
{
    return s->seq;
}

uint64_t fake_size(const struct fake *s)
{
    return s->size;
}

/* The last change of every item with from < seq <= to; NULL where there is none. Freed by the
 * caller. */
static const struct change **latest(const struct fake *s, uint64_t from, uint64_t to)
{
    const struct change **by_born = calloc(s->size + 1, sizeof *by_born);

    for (uint64_t seq = from + 1; seq <= to; seq++)
        by_born[s->log[seq - 1].frame.born] = &s->log[seq - 1];
    return by_born;
}

/* A backup made at `seq` knows of no epoch that began later. Returns where its ancestry ends.
 */
static size_t ancestry_until(const struct fake *s, uint64_t seq)
{
    const char *at = s->ancestry;
    unsigned long long epoch, first;

    while (sscanf(at, "%llu %llu", &epoch, &first) == 2 && first <= seq + 1)
        at = strchr(at, '\n') + 1;
    return (size_t)(at - s->ancestry);
}

void fake_restore(struct fake *s, uint64_t seq)
{
    size_t n = ancestry_until(s, seq);

    for (uint64_t i = seq; i < s->seq; i++) {
        free(s->log[i].record.at);
        s->log[i] = (struct change){ 0 };
    }
    s->seq = seq;
    s->size = 0;
    for (uint64_t i = 0; i < seq; i++)
        if (s->log[i].frame.born >= s->size)
            s->size = s->log[i].frame.born + 1;
    for (uint64_t i = 0; i < seq; i++)
        s->log[i].frame.title = s->log[i].title;
    s->epoch += 1000;
    s->time = s->time > s->epoch ? s->time : s->epoch;
    wire_ancestry_print(s->epoch, seq + 1, s->ancestry + n);
    if (s->index_seq > seq)
        fake_index(s);
}

/* ---- objects ---- */

static const uint8_t *store_object(struct fake *s, const void *bytes, size_t n)
{
    uint8_t hash[WIRE_HASH];

    verify_sha256(bytes, n, hash);
    for (size_t i = 0; i < s->nobjects; i++)
        if (memcmp(s->objects[i].hash, hash, WIRE_HASH) == 0)
            return s->objects[i].hash;
    if (s->nobjects == OBJECTS)
        abort();
    memcpy(s->objects[s->nobjects].hash, hash, WIRE_HASH);
    s->objects[s->nobjects].body = (struct fake_bytes){ malloc(n + 1), n };
    memcpy(s->objects[s->nobjects].body.at, bytes, n);
    return s->objects[s->nobjects++].hash;
}

static struct fake_bytes pack_of(const struct change **items, size_t n)
{
    struct fake_bytes out = { NULL, WIRE_PACK_HEADER };
    uint32_t count = 0;

    for (size_t i = 0; i < n; i++)
        out.n += items[i] ? items[i]->record.n : 0;
    out.at = malloc(out.n);
    out.n = WIRE_PACK_HEADER;
    for (size_t i = 0; i < n; i++) {
        if (!items[i])
            continue;
        memcpy(out.at + out.n, items[i]->record.at, items[i]->record.n);
        out.n += items[i]->record.n;
        count++;
    }
    wire_pack_header(out.at, count);
    return out;
}

static struct fake_bytes encode(struct fake_bytes in, enum wire_encoding encoding)
{
    struct fake_bytes out = { malloc(in.n + in.n / 2 + 256), in.n };
    z_stream z = { 0 };

    switch (encoding) {
    case WIRE_IDENTITY: memcpy(out.at, in.at, in.n); break;
    case WIRE_DZ: abort();
    case WIRE_ZSTD: out.n = ZSTD_compress(out.at, in.n + in.n / 2 + 256, in.at, in.n, 1); break;
    case WIRE_GZIP:
        deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
        z.next_in = in.at;
        z.avail_in = (uInt)in.n;
        z.next_out = out.at;
        z.avail_out = (uInt)(in.n + in.n / 2 + 256);
        deflate(&z, Z_FINISH);
        out.n = z.total_out;
        deflateEnd(&z);
        break;
    }
    return out;
}

void fake_index(struct fake *s)
{
    const struct change **items = latest(s, 0, s->seq);
    size_t room = 64 + (s->size / BASE_ITEMS + 1) * WIRE_INDEX_LINE;
    char *text = malloc(room);
    size_t n = wire_index_head_print(s->seq, text);

    for (uint64_t first = 0; first < s->size; first += BASE_ITEMS) {
        uint64_t last = first + BASE_ITEMS <= s->size ? first + BASE_ITEMS - 1 : s->size - 1;
        struct fake_bytes pack = pack_of(items + first, last - first + 1);
        struct fake_bytes gzip = encode(pack, WIRE_GZIP), zstd = encode(pack, WIRE_ZSTD);
        struct wire_object o = { .kind =
                                     last - first + 1 == BASE_ITEMS ? WIRE_BASE : WIRE_LAYER,
                                 .first_born = first,
                                 .last_born = last,
                                 .lowest_seq = UINT64_MAX,
                                 .bytes = pack.n,
                                 .gzip_bytes = gzip.n,
                                 .zstd_bytes = zstd.n };

        for (uint64_t i = first; i <= last; i++) {
            uint64_t seq = items[i]->frame.seq;

            o.lowest_seq = seq < o.lowest_seq ? seq : o.lowest_seq;
            o.highest_seq = seq > o.highest_seq ? seq : o.highest_seq;
        }
        memcpy(o.hash, store_object(s, pack.at, pack.n), WIRE_HASH);
        n += wire_object_print(&o, text + n);
        free(pack.at);
        free(gzip.at);
        free(zstd.at);
    }
    memcpy(s->index, store_object(s, text, n), WIRE_HASH);
    s->index_seq = s->seq;
    free(text);
    free(items);
}

/* ---- heads ---- */

void fake_digest_add(struct fake_digest *d, uint64_t born, uint64_t seq, const void *bytes,
                     size_t n)
{
    crypto_hash_sha256_state h;

    crypto_hash_sha256_init(&h);
    crypto_hash_sha256_update(&h, d->sum, sizeof d->sum);
    crypto_hash_sha256_update(&h, (const uint8_t *)&born, sizeof born);
    crypto_hash_sha256_update(&h, (const uint8_t *)&seq, sizeof seq);
    crypto_hash_sha256_update(&h, bytes, n);
    crypto_hash_sha256_final(&h, d->sum);
}

static void describe(const struct fake *s, struct signed_head *h)
{
    const struct change **items = latest(s, 0, s->seq);
    struct merkle_stack *stack = calloc(1, sizeof *stack);
    struct fake_digest d = { { 0 } };

    for (uint64_t born = 0; born < s->size; born++) {
        const struct change *c = items[born];
        size_t frame = wire_frame_size(&c->frame);

        merkle_stack_add(stack, c->leaf);
        if (c->frame.op == WIRE_PUT)
            fake_digest_add(&d, born, c->frame.seq, c->record.at + frame, c->record.n - frame);
    }
    merkle_stack_root(stack, h->head.root);
    memcpy(h->state, d.sum, WIRE_HASH);
    free(stack);
    free(items);
}

void fake_head(struct fake *s)
{
    struct signed_head *h = &s->heads[s->nheads];
    const struct signed_head *before = s->nheads ? h - 1 : NULL;

    if (s->nheads == HEADS)
        abort();
    s->time += 10;
    *h = (struct signed_head){ .head = { .epoch = s->epoch,
                                         .seq = s->seq,
                                         .time = s->time,
                                         .lease = 3600,
                                         .poll = 60,
                                         .cut = s->cut,
                                         .size = s->size,
                                         .has_index = s->index_seq > 0 } };
    memcpy(h->head.stream, s->stream, sizeof s->stream);
    h->head.sign = before && before->head.epoch == s->epoch && before->head.seq == s->seq
                       ? before->head.sign + 1
                       : 1;
    if (s->seq)
        memcpy(h->head.chain, s->log[s->seq - 1].chain, WIRE_HASH);
    else
        verify_chain_first(s->stream, h->head.chain);
    if (h->head.has_index)
        memcpy(h->head.index, s->index, WIRE_HASH);
    memcpy(h->head.ancestry, store_object(s, s->ancestry, strlen(s->ancestry)), WIRE_HASH);
    memcpy(h->head.directory, store_object(s, s->directory, strlen(s->directory)), WIRE_HASH);
    describe(s, h);
    MUST(wire_head_print(&must_err, &h->head, h->note, &h->n));
    MUST(verify_sign(&must_err, s->key.secret, h->note, &h->n, WIRE_HEAD_MAX));
    s->nheads++;
}

void fake_state(const struct fake *s, const struct wire_head *head, uint8_t out[WIRE_HASH])
{
    for (size_t i = s->nheads; i-- > 0;)
        if (s->heads[i].head.epoch == head->epoch && s->heads[i].head.seq == head->seq) {
            memcpy(out, s->heads[i].state, WIRE_HASH);
            return;
        }
    fprintf(stderr, "head %" PRIu64 ".%" PRIu64 " was never signed\n", head->epoch, head->seq);
    abort();
}

/* ---- answers ---- */

static struct fake_bytes copy(const void *at, size_t n)
{
    struct fake_bytes b = { malloc(n + 1), n };

    memcpy(b.at, at, n);
    return b;
}

static bool is_head(const struct fake *s, uint64_t epoch, uint64_t cut, uint64_t seq)
{
    for (size_t i = 0; i < s->nheads; i++)
        if (s->heads[i].head.epoch == epoch && s->heads[i].head.seq == seq &&
            s->heads[i].head.cut == cut)
            return epoch == s->epoch && seq <= s->seq;
    return false;
}

static void answer_log(struct fake *s, const struct wire_url *u, struct fake_answer *a)
{
    const struct change **items;
    struct fake_bytes pack;

    a->status = !wire_catchup_ok(u->from, u->to)       ? 400
                : !is_head(s, u->epoch, u->cut, u->to) ? 404
                : u->cut < s->cut                      ? 410
                                                       : 200;
    if (a->status != 200)
        return;
    items = latest(s, u->from, u->to);
    pack = pack_of(items, s->size);
    a->body = encode(pack, u->encoding);
    free(pack.at);
    free(items);
}

static void answer_object(struct fake *s, const struct wire_url *u, struct fake_answer *a)
{
    for (size_t i = 0; i < s->nobjects; i++)
        if (memcmp(s->objects[i].hash, u->hash, WIRE_HASH) == 0) {
            a->status = 200;
            a->body = encode(s->objects[i].body, u->encoding);
            return;
        }
}

struct fake_answer fake_answer(struct fake *s, const char *path)
{
    const struct signed_head *head = &s->heads[s->nheads - 1];
    struct fake_answer a = { .status = 404 };
    struct sync_err e;
    struct wire_url u;
    uint8_t hash[WIRE_HASH];

    if (wire_url_parse(&e, path, strlen(path), &u) ||
        (u.kind != WIRE_URL_KEYS && strcmp(u.stream, s->stream) != 0))
        return a;
    if (u.kind == WIRE_URL_LOG)
        answer_log(s, &u, &a);
    else if (u.kind == WIRE_URL_OBJECT)
        answer_object(s, &u, &a);
    else if (u.kind == WIRE_URL_KEYS)
        a = (struct fake_answer){ 200, copy(s->keys, s->keys_n), "" };
    else
        a = (struct fake_answer){ 200, copy(head->note, head->n), "" };
    if (a.status == 200) {
        verify_sha256(a.body.at, a.body.n, hash);
        a.etag[0] = '"';
        wire_hex(hash, 8, a.etag + 1);
        strcat(a.etag, "\"");
    }
    return a;
}

static void put_body(struct fake_answer *a, const void *at, size_t n)
{
    free(a->body.at);
    a->body = copy(at, n);
}

void fake_answer_head(const struct fake *s, size_t nth, struct fake_answer *a)
{
    put_body(a, s->heads[nth % s->nheads].note, s->heads[nth % s->nheads].n);
}

void fake_answer_other(const struct fake *s, size_t nth, struct fake_answer *a)
{
    const struct fake_bytes *other = &s->objects[nth % s->nobjects].body;

    put_body(a, other->at, other->n);
}
