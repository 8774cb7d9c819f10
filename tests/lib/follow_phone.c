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

struct phone phone_new(struct fake *server)
{
    return (struct phone){ .store = memory_store_new(),
                           .net = { .server = server, .seed = 1 },
                           .trust = fake_trust(server),
                           .encoding = WIRE_ZSTD };
}

enum sync_rc phone_sync(struct phone *p)
{
    struct follow_store store = memory_store_callbacks(p->store);
    struct follow_transport transport = fake_transport(&p->net);
    struct follow_options options = { .stream = "main",
                                      .trust = p->trust,
                                      .encoding = p->encoding };

    p->err = (struct sync_err){ 0 };
    return follow_run(&p->err, &store, &transport, &options, &p->last);
}

/* What is visible is exactly what the server signed for the head that is held. */
struct wire_head phone_check(const struct phone *p)
{
    const struct memory_content *c = p->store->now;
    struct fake_digest d = { { 0 } };
    struct wire_head head = { 0 };
    struct wire_note note;
    struct sync_err e;
    uint8_t want[WIRE_HASH];

    if (c->values[FOLLOW_HEAD].n == 0) {
        for (size_t i = 0; i < c->nitems; i++)
            assert_null(c->items[i].record);
        return head;
    }
    assert_int_equal(
        wire_head_parse(&e, c->values[FOLLOW_HEAD].at, c->values[FOLLOW_HEAD].n, &head, &note),
        SYNC_OK);
    fake_state(p->net.server, &head, want);
    for (size_t i = 0; i < c->nitems; i++) {
        const struct memory_record *r = c->items[i].record;

        if (r && r->frame.op == WIRE_PUT)
            fake_digest_add(&d, i, r->frame.seq, r->at + r->frame_n, r->n - r->frame_n);
    }
    assert_memory_equal(d.sum, want, WIRE_HASH);
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
