/*
 * fake_sync.c - the server of docs/protocol/sync.md in its simplest form: its log, its objects and
 * its heads. Every change is kept. Not here: what it answers (fake_sync_answer.c).
 */
#include "tests/lib/fake_sync_state.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    for (size_t i = 0; i < s->seq; i++)
        free(s->log[i].record.at);
    for (size_t i = 0; i < s->nobjects; i++)
        free(s->objects[i].body.at);
    for (size_t i = 0; i < s->nheads; i++) {
        free(s->heads[i].leaves);
        free(s->heads[i].seqs);
    }
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

/* Hash-like but repeatable. */
void fake_id(uint64_t born, uint8_t id[WIRE_ID])
{
    memset(id, 0, WIRE_ID);
    for (unsigned i = 0; i < 8; i++)
        id[i] = (uint8_t)((born * 0x9e3779b97f4a7c15u) >> 8 * i);
    id[15] = (uint8_t)born;
}

enum { PURGES = 0x100 /* beside an op */ };

static void add_change(struct fake *s, unsigned op, uint64_t born, const char *title,
                       const char *body)
{
    struct change *c = &s->log[s->seq];
    uint8_t before[WIRE_HASH];
    size_t n;

    *c = (struct change){ .frame = { .op = (uint8_t)(op & 0xff),
                                     .flags =
                                         op & PURGES || op == WIRE_TAKEN_DOWN ? WIRE_PURGE : 0,
                                     .title_len = (uint16_t)strlen(title),
                                     .length = (uint32_t)strlen(body),
                                     .born = born,
                                     .seq = s->seq + 1,
                                     .site = 1,
                                     .column = (uint32_t)(born % 2) + 1,
                                     .date = (int64_t)(1700000000 + born) } };
    snprintf(c->title, sizeof c->title, "%s", title);
    c->frame.title = c->title;
    fake_id(born, c->frame.id);
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

/* The objects that hold an item's text are gone. */
static void purge(struct fake *s, uint64_t born)
{
    for (size_t i = 0; i < s->nobjects; i++)
        for (size_t k = 0; k < s->lines; k++)
            if (memcmp(s->line[k].hash, s->objects[i].hash, WIRE_HASH) == 0 &&
                s->line[k].first_born <= born && born <= s->line[k].last_born)
                s->objects[i].gone = true;
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
    purge(s, born);
}

void fake_correct(struct fake *s, uint64_t born, const char *title, const char *body)
{
    add_change(s, WIRE_PUT | PURGES, born, title, body);
    s->cut++;
    purge(s, born);
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

const struct change **fake_latest(const struct fake *s, uint64_t from, uint64_t to)
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
        if (memcmp(s->objects[i].hash, hash, WIRE_HASH) == 0) {
            s->objects[i].gone = false;
            return s->objects[i].hash;
        }
    if (s->nobjects == OBJECTS)
        abort();
    memcpy(s->objects[s->nobjects].hash, hash, WIRE_HASH);
    s->objects[s->nobjects].gone = false;
    s->objects[s->nobjects].body = (struct fake_bytes){ malloc(n + 1), n };
    memcpy(s->objects[s->nobjects].body.at, bytes, n);
    return s->objects[s->nobjects++].hash;
}

/* One object as a line of the index. */
static void add_line(struct fake *s, enum wire_kind kind, const struct change **items,
                     uint64_t first, uint64_t last)
{
    struct fake_bytes pack = fake_pack(items + first, last - first + 1);
    struct fake_bytes gzip = fake_encode(pack, WIRE_GZIP), zstd = fake_encode(pack, WIRE_ZSTD);
    struct wire_object *o = &s->line[s->lines++];

    if (s->lines == LINES)
        abort();
    *o = (struct wire_object){ .kind = kind,
                               .first_born = first,
                               .last_born = last,
                               .lowest_seq = UINT64_MAX,
                               .bytes = pack.n,
                               .gzip_bytes = gzip.n,
                               .zstd_bytes = zstd.n };
    for (uint64_t i = first; i <= last; i++) {
        uint64_t seq = items[i] ? items[i]->frame.seq : 0;

        if (seq == 0)
            continue;
        o->lowest_seq = seq < o->lowest_seq ? seq : o->lowest_seq;
        o->highest_seq = seq > o->highest_seq ? seq : o->highest_seq;
    }
    memcpy(o->hash, store_object(s, pack.at, pack.n), WIRE_HASH);
    free(pack.at);
    free(gzip.at);
    free(zstd.at);
}

static void store_index(struct fake *s)
{
    char *text = malloc(64 + s->lines * WIRE_INDEX_LINE);
    size_t n = wire_index_head_print(s->seq, text);

    for (size_t i = 0; i < s->lines; i++)
        n += wire_object_print(&s->line[i], text + n);
    memcpy(s->index, store_object(s, text, n), WIRE_HASH);
    s->index_seq = s->seq;
    free(text);
}

void fake_index(struct fake *s)
{
    const struct change **items = fake_latest(s, 0, s->seq);
    uint64_t step = s->size > LARGE ? 1024 : BASE_ITEMS;

    s->lines = s->layers = 0;
    for (uint64_t first = 0; first < s->size; first += step) {
        uint64_t last = first + step <= s->size ? first + step - 1 : s->size - 1;

        add_line(s, last - first + 1 == step ? WIRE_BASE : WIRE_LAYER, items, first, last);
    }
    store_index(s);
    free(items);
}

void fake_layer(struct fake *s)
{
    const struct change **items;
    uint64_t first = 0, last = s->size;

    if (s->index_seq == 0 || s->layers == 3) {
        fake_index(s);
        return;
    }
    if (s->index_seq == s->seq)
        return;
    items = fake_latest(s, s->index_seq, s->seq);
    while (!items[first])
        first++;
    while (!items[last - 1])
        last--;
    add_line(s, WIRE_LAYER, items, first, last - 1);
    s->layers++;
    store_index(s);
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
    const struct change **items = fake_latest(s, 0, s->seq);
    struct merkle_stack *stack = calloc(1, sizeof *stack);
    struct fake_digest d = { { 0 } };

    h->leaves = malloc((s->size + 1) * sizeof *h->leaves);
    h->seqs = malloc((s->size + 1) * sizeof *h->seqs);
    for (uint64_t born = 0; born < s->size; born++) {
        const struct change *c = items[born];
        size_t frame = wire_frame_size(&c->frame);

        memcpy(h->leaves[born], c->leaf, WIRE_HASH);
        h->seqs[born] = c->frame.seq;
        merkle_stack_add(stack, c->leaf);
        if (c->frame.op == WIRE_PUT)
            fake_digest_add(&d, born, c->frame.seq, c->record.at + frame, c->record.n - frame);
    }
    merkle_stack_root(stack, h->head.root);
    memcpy(h->state, d.sum, WIRE_HASH);
    free(stack);
    free(items);
}

/* The list of streams, of which there is one. */
static void sign_list(struct fake *s, struct signed_head *h)
{
    struct wire_heads *list = calloc(1, sizeof *list);
    char *text = malloc(WIRE_HEADS_MAX);

    *list =
        (struct wire_heads){ .counter = ++s->counter, .time = s->time, .lease = 3600, .n = 1 };
    strcpy(list->stream[0].name, s->stream);
    list->stream[0].has_withheld = s->has_withheld;
    memcpy(list->stream[0].withheld, s->withheld, WIRE_HASH);
    MUST(wire_heads_print(&must_err, list, text, &h->list_n));
    memcpy(h->list, text, h->list_n);
    MUST(verify_sign(&must_err, s->platform.secret, h->list, &h->list_n, sizeof h->list));
    free(text);
    free(list);
}

void fake_withhold(struct fake *s, const uint64_t *born, size_t n)
{
    char text[4096] = "tjzw withheld 1\n";
    size_t at = strlen(text);

    s->has_withheld = n > 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t id[WIRE_ID];

        fake_id(born[i], id);
        wire_id_print(id, text + at);
        at += WIRE_ID_TEXT - 1;
        text[at++] = '\n';
    }
    if (n)
        memcpy(s->withheld, store_object(s, text, at), WIRE_HASH);
}

static bool index_is_gone(const struct fake *s)
{
    for (size_t k = 0; k < s->lines; k++)
        for (size_t i = 0; i < s->nobjects; i++)
            if (s->objects[i].gone &&
                memcmp(s->line[k].hash, s->objects[i].hash, WIRE_HASH) == 0)
                return true;
    return false;
}

void fake_head(struct fake *s)
{
    struct signed_head *h = &s->heads[s->nheads];
    const struct signed_head *before = s->nheads ? h - 1 : NULL;

    if (s->nheads == HEADS)
        abort();
    if (index_is_gone(s))
        fake_index(s);
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
    sign_list(s, h);
    s->nheads++;
}

void fake_head_at(struct fake *s, uint64_t time)
{
    s->time = time;
    fake_head(s);
}

static const struct signed_head *signed_as(const struct fake *s, const struct wire_head *head)
{
    for (size_t i = s->nheads; i-- > 0;)
        if (s->heads[i].head.epoch == head->epoch && s->heads[i].head.seq == head->seq)
            return &s->heads[i];
    fprintf(stderr, "head %" PRIu64 ".%" PRIu64 " was never signed\n", head->epoch, head->seq);
    abort();
}

const uint8_t *fake_leaf(const struct fake *s, const struct wire_head *head, uint64_t born)
{
    return signed_as(s, head)->leaves[born];
}

void fake_state(const struct fake *s, const struct wire_head *head, uint8_t out[WIRE_HASH])
{
    memcpy(out, signed_as(s, head)->state, WIRE_HASH);
}
