/*
 * fake_sync_answer.c - what the fake server answers: every URL of docs/protocol/sync.md, each body
 * built anew when it is asked for.
 */
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "tests/lib/fake_sync_state.h"

static struct fake_bytes copy(const void *at, size_t n)
{
    struct fake_bytes b = { malloc(n + 1), n };

    if (n)
        memcpy(b.at, at, n);
    return b;
}

/* ---- packs and encodings ---- */

struct fake_bytes fake_pack(const struct change **items, size_t n)
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

struct fake_bytes fake_encode(struct fake_bytes in, enum wire_encoding encoding)
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

static const struct change **log_of(const struct fake *s, uint64_t from, uint64_t to)
{
    const struct change **items = fake_latest(s, from, to);

    for (uint64_t i = 0; i < s->size && s->drops_tombstones; i++)
        if (items[i] && items[i]->frame.op != WIRE_PUT)
            items[i] = NULL;
    return items;
}

/* ---- dz ---- */

struct growing {
    struct fake_bytes b;
    size_t room;
};

static void add(struct growing *g, const void *at, size_t n)
{
    if (g->b.n + n > g->room) {
        g->room = 2 * (g->b.n + n);
        g->b.at = realloc(g->b.at, g->room);
    }
    memcpy(g->b.at + g->b.n, at, n);
    g->b.n += n;
}

static void add_be32(struct growing *g, size_t v)
{
    const uint8_t be[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8),
                            (uint8_t)v };

    add(g, be, 4);
}

static void add_be64(struct growing *g, uint64_t v)
{
    add_be32(g, v >> 32);
    add_be32(g, (uint32_t)v);
}

static void add_record(struct growing *section, struct growing *deltas,
                       const struct change *now, const struct change *before)
{
    size_t n = now->record.n, out_n;
    uint8_t *out;
    ZSTD_CCtx *zstd;

    if (!before || n == wire_frame_size(&now->frame)) {
        add(section, "\0", 1);
        add(section, now->record.at, n);
        return;
    }
    out = malloc(ZSTD_compressBound(n));
    zstd = ZSTD_createCCtx();
    ZSTD_CCtx_refPrefix(zstd, before->record.at, before->record.n);
    out_n = ZSTD_compress2(zstd, out, ZSTD_compressBound(n), now->record.at, n);
    add(section, "\1", 1);
    add_be64(section, now->frame.born);
    add_be64(section, now->frame.seq);
    add(section, before->leaf, WIRE_DZ_NAME);
    add_be32(section, out_n);
    add(deltas, out, out_n);
    ZSTD_freeCCtx(zstd);
    free(out);
}

struct fake_bytes fake_dz(const struct fake *s, uint64_t from, uint64_t to)
{
    const struct change **now = log_of(s, from, to), **before = fake_latest(s, 0, from);
    struct growing section = { 0 }, deltas = { 0 }, out = { 0 };
    struct fake_bytes packed;
    size_t records = 0;

    add(&section, "", 1); /* so that there is an address, even of nothing */
    section.b.n = 0;
    for (uint64_t i = 0; i < s->size; i++)
        if (now[i]) {
            add_record(&section, &deltas, now[i], before[i]);
            records++;
        }
    packed = fake_encode(section.b, WIRE_ZSTD);
    add(&out, "TJZWDZ1\n", 8);
    add_be32(&out, records);
    add_be32(&out, packed.n);
    add(&out, packed.at, packed.n);
    if (deltas.b.n)
        add(&out, deltas.b.at, deltas.b.n);
    free(packed.at);
    free(section.b.at);
    free(deltas.b.at);
    free(now);
    free(before);
    return out.b;
}

/* ---- the log ---- */

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
    if (u->encoding == WIRE_DZ) {
        a->body = fake_dz(s, u->from, u->to);
        return;
    }
    items = log_of(s, u->from, u->to);
    pack = fake_pack(items, s->size);
    a->body = fake_encode(pack, u->encoding);
    free(pack.at);
    free(items);
}

static void answer_object(struct fake *s, const struct wire_url *u, struct fake_answer *a)
{
    for (size_t i = 0; i < s->nobjects; i++)
        if (memcmp(s->objects[i].hash, u->hash, WIRE_HASH) == 0) {
            a->status = s->objects[i].gone ? 410 : 200;
            if (a->status == 200)
                a->body = fake_encode(s->objects[i].body, u->encoding);
            return;
        }
}

/* ---- the tree ---- */

static void node_of(const struct signed_head *h, unsigned height, uint64_t index,
                    uint8_t out[WIRE_HASH])
{
    struct merkle_stack *stack = calloc(1, sizeof *stack);

    for (uint64_t i = index << height; i < (index + 1) << height; i++)
        merkle_stack_add(stack, h->leaves[i]);
    merkle_stack_root(stack, out);
    free(stack);
}

static void add_node(struct growing *g, const struct signed_head *h, unsigned height,
                     uint64_t index)
{
    uint8_t node[WIRE_HASH];

    node_of(h, height, index, node);
    add(g, node, WIRE_HASH);
}

static void add_leaf(struct growing *g, const struct signed_head *h, uint64_t born)
{
    for (unsigned i = 0; i < 8; i++) {
        uint8_t byte = (uint8_t)(h->seqs[born] >> (56 - 8 * i));

        add(g, &byte, 1);
    }
    add(g, h->leaves[born], WIRE_HASH);
}

static struct fake_bytes cover_of(const struct signed_head *h)
{
    uint64_t size = h->head.size, first = size > 65536 ? (size - 65536) / 65536 * 65536 : 0;
    struct growing g = { 0 };

    add(&g, "TJZWCV1\n", 8);
    add_be32(&g, size >> 32);
    add_be32(&g, (uint32_t)size);
    add_be32(&g, first >> 32);
    add_be32(&g, (uint32_t)first);
    for (uint64_t i = 0; i < first / 65536; i++)
        add_node(&g, h, 16, i);
    for (uint64_t i = first / 1024; i < size / 1024; i++)
        add_node(&g, h, 10, i);
    for (uint64_t i = 16 * (size / 1024); i < size / 64; i++)
        add_node(&g, h, 6, i);
    for (uint64_t i = size / 64 * 64; i < size; i++)
        add_leaf(&g, h, i);
    return g.b;
}

static void answer_cover(struct fake *s, const struct wire_url *u, struct fake_answer *a)
{
    for (size_t i = s->nheads; i-- > 0 && i + COVERS >= s->nheads;)
        if (s->heads[i].head.epoch == u->epoch && s->heads[i].head.seq == u->seq) {
            *a = (struct fake_answer){ 200, cover_of(&s->heads[i]), "" };
            return;
        }
}

static void answer_tile(struct fake *s, const struct wire_url *u, struct fake_answer *a)
{
    const struct signed_head *h = &s->heads[s->nheads - 1];
    unsigned child;
    size_t children = wire_tile_shape(u->height, &child, NULL);
    struct growing g = { 0 };
    uint8_t node[WIRE_HASH];

    if (children == 0 || (u->index + 1) << u->height > h->head.size)
        return;
    node_of(h, u->height, u->index, node);
    if (memcmp(node, u->hash, WIRE_HASH) != 0)
        return;
    for (uint64_t i = u->index * children; i < (u->index + 1) * children; i++)
        if (child)
            add_node(&g, h, child, i);
        else
            add_leaf(&g, h, i);
    *a = (struct fake_answer){ 200, g.b, "" };
}

/* ---- items ---- */

static void answer_item(struct fake *s, const struct wire_url *u, struct fake_answer *a)
{
    const struct change **items = fake_latest(s, 0, s->seq);
    struct fake_bytes pack;

    if (u->epoch == s->epoch && u->born < s->size) {
        a->status = items[u->born]->frame.seq == u->seq ? 200 : 410;
        if (a->status == 200) {
            pack = fake_pack(&items[u->born], 1);
            a->body = fake_encode(pack, u->encoding);
            free(pack.at);
        }
    }
    free(items);
}

static void answer_place(struct fake *s, const struct wire_url *u, struct fake_answer *a)
{
    const struct change **items = fake_latest(s, 0, s->seq);

    for (uint64_t i = 0; i < s->size; i++)
        if (memcmp(items[i]->frame.id, u->id, WIRE_ID) == 0) {
            char text[64];
            int n = snprintf(text, sizeof text, "%llu %llu\n", (unsigned long long)i,
                             (unsigned long long)items[i]->frame.seq);

            *a = (struct fake_answer){ 200, copy(text, (size_t)n), "" };
        }
    free(items);
}

/* ---- heads ---- */

static struct fake_bytes heads_of(const struct signed_head *h)
{
    struct growing g = { 0 };

    add(&g, h->list, h->list_n);
    add(&g, "\n", 1);
    add(&g, h->note, h->n);
    return g.b;
}

void fake_twin(const struct fake *s, char path[WIRE_URL_MAX])
{
    const struct wire_head *h = &s->heads[s->nheads - 1].head;
    struct wire_url u = {
        .kind = WIRE_URL_TWIN, .epoch = h->epoch, .seq = h->seq, .sign = h->sign
    };

    strcpy(u.stream, s->stream);
    wire_url_print(&u, path);
}

static void answer_twin(struct fake *s, const struct wire_url *u, struct fake_answer *a)
{
    for (size_t i = 0; i < s->nheads; i++) {
        const struct signed_head *h = &s->heads[i];

        if (h->head.epoch == u->epoch && h->head.seq == u->seq && h->head.sign == u->sign)
            *a = (struct fake_answer){ 200, copy(h->note, h->n), "" };
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
        (u.kind != WIRE_URL_KEYS && u.stream[0] && strcmp(u.stream, s->stream) != 0))
        return a;
    switch (u.kind) {
    case WIRE_URL_LOG: answer_log(s, &u, &a); break;
    case WIRE_URL_OBJECT: answer_object(s, &u, &a); break;
    case WIRE_URL_KEYS: a = (struct fake_answer){ 200, copy(s->keys, s->keys_n), "" }; break;
    case WIRE_URL_HEAD: a = (struct fake_answer){ 200, copy(head->note, head->n), "" }; break;
    case WIRE_URL_HEADS: a = (struct fake_answer){ 200, heads_of(head), "" }; break;
    case WIRE_URL_TWIN: answer_twin(s, &u, &a); break;
    case WIRE_URL_COVER: answer_cover(s, &u, &a); break;
    case WIRE_URL_TILE: answer_tile(s, &u, &a); break;
    case WIRE_URL_ITEM: answer_item(s, &u, &a); break;
    case WIRE_URL_PLACE: answer_place(s, &u, &a); break;
    }
    if (a.status == 200) {
        verify_sha256(a.body.at, a.body.n, hash);
        a.etag[0] = '"';
        wire_hex(hash, 8, a.etag + 1);
        strcat(a.etag, "\"");
    }
    return a;
}

static void put_body(struct fake_answer *a, struct fake_bytes b)
{
    free(a->body.at);
    a->body = b;
}

void fake_answer_head(const struct fake *s, size_t nth, bool list, struct fake_answer *a)
{
    const struct signed_head *h = &s->heads[nth % s->nheads];

    put_body(a, list ? heads_of(h) : copy(h->note, h->n));
}

void fake_answer_without_tombstones(struct fake *s, const char *path, struct fake_answer *a)
{
    struct fake_answer b;

    s->drops_tombstones = true;
    b = fake_answer(s, path);
    s->drops_tombstones = false;
    if (b.status == 200)
        put_body(a, b.body);
}

size_t fake_heads(const struct fake *s)
{
    return s->nheads;
}

void fake_answer_other(const struct fake *s, size_t nth, struct fake_answer *a)
{
    const struct fake_bytes *other = &s->objects[nth % s->nobjects].body;

    put_body(a, copy(other->at, other->n));
}
