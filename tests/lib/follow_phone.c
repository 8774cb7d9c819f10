/*
 * follow_phone.c - the pull engine between a store in memory and the fake network.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/follow_phone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct phone phone_new(struct fake *server)
{
    return (struct phone){ .store = memory_store_new(),
                           .net = { .server = server, .seed = 1 },
                           .trust = fake_trust(server),
                           .encoding = WIRE_ZSTD };
}

static struct follow_options options_of(const struct phone *p)
{
    return (struct follow_options){ .stream = "main",
                                    .trust = p->trust,
                                    .encoding = p->encoding,
                                    .repair = p->repair,
                                    .horizon = p->horizon,
                                    .in_steps = p->in_steps,
                                    .plain = p->plain,
                                    .prepare = p->prepare,
                                    .prepare_ctx = p->prepare_ctx,
                                    .twin = p->twin };
}

enum sync_rc phone_sync(struct phone *p)
{
    struct follow_store store = memory_store_callbacks(p->store);
    struct follow_transport transport = fake_transport(&p->net);
    struct follow_options options = options_of(p);

    p->err = (struct sync_err){ 0 };
    return follow_run(&p->err, &store, &transport, &options, &p->last);
}

enum sync_rc phone_fetch_item(struct phone *p, uint64_t born)
{
    struct follow_store store = memory_store_callbacks(p->store);
    struct follow_transport transport = fake_transport(&p->net);
    struct follow_options options = options_of(p);
    uint8_t id[WIRE_ID];

    fake_id(born, id);
    p->err = (struct sync_err){ 0 };
    return follow_fetch_item(&p->err, &store, &transport, &options, id, &p->last);
}

static void below_of(const struct memory_content *c, struct merkle_below *below)
{
    const struct memory_value *v = &c->values[FOLLOW_BELOW];
    struct sync_err e;

    *below = (struct merkle_below){ .roots = malloc((size_t)BELOW_MAX * WIRE_HASH) };
    if (v->n)
        assert_int_equal(merkle_below_parse(&e, (const uint8_t *)v->at, v->n, below), SYNC_OK);
}

static bool shows(const struct memory_content *c, const struct merkle_below *below,
                  uint64_t born)
{
    return memory_record_at(c, born) &&
           (born >= below->horizon ||
            (c->items[born].is_proved &&
             memcmp(c->items[born].root, below->roots[merkle_below_of(below, born)],
                    WIRE_HASH) == 0));
}

bool phone_shows(const struct phone *p, uint64_t born)
{
    struct merkle_below below;
    bool yes;

    below_of(p->store->now, &below);
    yes = shows(p->store->now, &below, born);
    free(below.roots);
    return yes;
}

/* What is visible is exactly what the server signed for the head that is held. */
struct wire_head phone_check(const struct phone *p)
{
    const struct memory_content *c = p->store->now;
    struct wire_head head = { 0 };
    struct merkle_below below;
    struct wire_note note;
    struct sync_err e;
    uint8_t leaf[WIRE_HASH];

    if (c->values[FOLLOW_HEAD].n == 0) {
        for (size_t i = 0; i < c->nitems; i++)
            assert_null(c->items[i].record);
        return head;
    }
    assert_int_equal(
        wire_head_parse(&e, c->values[FOLLOW_HEAD].at, c->values[FOLLOW_HEAD].n, &head, &note),
        SYNC_OK);
    below_of(c, &below);
    for (uint64_t born = below.horizon; born < head.size; born++)
        assert_non_null(memory_record_at(c, born));
    for (uint64_t born = 0; born < c->nitems; born++) {
        const struct memory_record *r = memory_record_at(c, born);

        if (!r || !shows(c, &below, born))
            continue;
        assert_true(born < head.size);
        verify_record(r->at, r->frame_n, r->at + r->frame_n, r->n - r->frame_n, leaf);
        assert_memory_equal(leaf, fake_leaf(p->net.server, &head, born), WIRE_HASH);
    }
    free(below.roots);
    return head;
}

void phone_must_sync(struct phone *p)
{
    enum sync_rc rc = phone_sync(p);

    if (rc != SYNC_OK)
        fail_msg("sync: %s: %s", sync_rc_name(rc), p->err.text);
    assert_int_equal(phone_check(p).seq, fake_seq(p->net.server));
}

void phone_done(struct phone *p)
{
    memory_store_free(p->store);
}

void fake_publish_some(struct fake *s, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        char title[40], body[600];

        snprintf(title, sizeof title, "公告第%u号", i);
        snprintf(body, sizeof body, "{\"body\":\"%0*u\"}", (int)(100 + i * 37 % 400), i);
        fake_publish(s, title, body);
    }
}

struct fake *a_server(unsigned items)
{
    struct fake *s = fake_new("main", 1763712000);

    fake_publish_some(s, items);
    fake_head(s);
    return s;
}

struct fake *a_long_log(void)
{
    struct fake *s = a_server(500);

    for (unsigned i = 0; i < 4200; i++)
        fake_edit(s, i % 300, "又改", "{\"body\":\"短\"}");
    fake_withdraw(s, 17);
    fake_index(s);
    fake_publish_some(s, 30);
    fake_edit(s, 3, "索引之后", "{}");
    fake_head(s);
    return s;
}
