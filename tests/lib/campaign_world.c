/* campaign_world.c - see campaign_world.h. */
#include "tests/lib/campaign_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "push/address.h"
#include "server/base/clock.h"
#include "server/base/seal.h"
#include "server/citizen/entry.h"
#include "server/identity/account.h"
#include "server/identity/party.h"
#include "server/identity/role.h"

/* ---- people ---- */

void desk_role(struct library_world *t, int64_t account, const char *role, bool given)
{
    struct actor was = t->w.who;
    const struct role_info *r = role_find(role);

    t->w.who = actor_operator;
    world_begin(t);
    assert_int_equal(given ? role_grant(&t->w, account, r, EVERYWHERE)
                           : role_revoke(&t->w, account, r, EVERYWHERE),
                     RC_OK);
    world_commit(t);
    t->w.who = was;
}

static void staff(struct library_world *t)
{
    static const char *const roles[] = { "push_operator", "push_approver", "push_approver",
                                         "push_approver" };
    struct account a;

    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        world_begin(t);
        assert_int_equal(
            account_make(&t->w, &(struct account_new){ ACCOUNT_STAFF, 1, NULL }, &a), RC_OK);
        world_commit(t);
        assert_int_equal(a.id, i + 1);
        desk_role(t, a.id, roles[i], true);
    }
}

void desk_phone(struct library_world *t, int no)
{
    struct account a;
    int n = 1;

    world_begin(t);
    assert_int_equal(account_make(&t->w, &(struct account_new){ ACCOUNT_CITIZEN, 1, NULL }, &a),
                     RC_OK);
    assert_int_equal(
        entry_put(&t->w, a.id, "follow", "tag/养老", "{\"rank\":\"m\"}", NULL, NULL), RC_OK);
    assert_int_equal(address_tell(&t->w, a.id, arena_printf(t->mem, "device%016d", no),
                                  TRANSPORT_HUAWEI, arena_printf(t->mem, "token-%020d", no)),
                     RC_OK);
    while (n)
        assert_int_equal(address_settle(&t->w, 100, &n), RC_OK);
    world_commit(t);
}

void desk_be(struct library_world *t, const char *name, unsigned rights)
{
    t->w.who = (struct actor){ .rights = rights };
    snprintf(t->w.who.name, sizeof t->w.who.name, "%s", name);
}

int desk_set_up(void **state)
{
    struct library_world *t;
    struct campaign_conf conf = { .two_eyes_from = 3 };

    library_world_set_up(state);
    t = *state;
    assert_int_equal(seal_load(&t->w.err, t->dir, SEAL_XCHACHA), RC_OK);
    assert_int_equal(campaign_open(&t->w.err, &conf), RC_OK);
    campaign_transports(0);
    clock_set(WORLD_NOW);
    assert_int_equal(role_load(&t->w), RC_OK);
    assert_int_equal(party_load(&t->w), RC_OK);
    staff(t);
    return 0;
}

int desk_tear_down(void **state)
{
    seal_forget();
    return library_world_tear_down(state);
}

/* ---- what they do ---- */

json_t *desk_json(struct library_world *t, const char *text)
{
    json_t *value;

    assert_int_equal(jx_object(&t->w.err, t->mem, text, strlen(text), &value), RC_OK);
    return value;
}

enum rc desk_end(struct library_world *t, enum rc rc)
{
    if (rc)
        db_rollback(t->w.db);
    else
        world_commit(t);
    return rc;
}

enum rc desk_create(struct library_world *t, const struct item *it, const char *more,
                    struct campaign *out)
{
    struct campaign c = { 0 };
    char id[ID_TEXT];
    enum rc rc;

    world_begin(t);
    rc = campaign_read(
        &t->w,
        desk_json(t, arena_printf(t->mem,
                                  "{\"item\":\"%s\",\"title\":\"停水\",\"text\":\"明天停"
                                  "水。\",\"class\":\"marketing\"%s}",
                                  id_text(&it->id, id), more)),
        true, &c);
    return desk_end(t, rc ? rc : campaign_create(&t->w, &c, out));
}

enum rc desk_edit(struct library_world *t, struct campaign *c, const char *body)
{
    world_begin(t);
    return desk_end(t, campaign_edit(&t->w, c->no, desk_json(t, body), c));
}

enum rc desk_does(struct library_world *t, struct campaign *c, enum campaign_step step,
                  const char *text)
{
    uint8_t hash[HASH_BYTES];
    struct campaign_order o = { .text = text, .hash = hash };

    memcpy(hash, c->hash, sizeof hash);
    world_begin(t);
    return desk_end(t, campaign_do(&t->w, c->no, step, &o, c));
}

enum rc desk_follows(struct library_world *t, struct campaign *c, enum campaign_step step)
{
    world_begin(t);
    return desk_end(t, campaign_step(&t->w, c->no, step, NULL, c));
}

void desk_test_send(struct library_world *t, struct campaign *c)
{
    world_begin(t);
    assert_int_equal(campaign_tested(&t->w, c->no, c->hash), RC_OK);
    world_commit(t);
}

void desk_follow(struct library_world *t, struct campaign *c)
{
    int n = 7;

    while (n == 7) {
        world_begin(t);
        assert_int_equal(campaign_follow(&t->w, 7, &n), RC_OK);
        world_commit(t);
    }
    assert_int_equal(campaign_find(&t->w, c->no, c), RC_OK);
}

/* A campaign that is approved by as many as must. */
struct campaign desk_approved(struct library_world *t, const char *more)
{
    struct campaign c;
    struct item it;

    EDITORS;
    it = world_publish(t, "停水通知", t->notices);
    OPERATOR;
    assert_int_equal(desk_create(t, &it, more, &c), RC_OK);
    desk_test_send(t, &c);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_SUBMIT, NULL), RC_OK);
    APPROVER;
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_APPROVE, NULL), RC_OK);
    if (c.state == CAMPAIGN_SUBMITTED) {
        ANOTHER;
        assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_APPROVE, NULL), RC_OK);
    }
    assert_int_equal(c.state, CAMPAIGN_APPROVED);
    OPERATOR;
    return c;
}

struct campaign desk_scheduled(struct library_world *t, const char *more)
{
    struct campaign c = desk_approved(t, more);

    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_SCHEDULE, NULL), RC_OK);
    return c;
}
