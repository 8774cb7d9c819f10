/*
 * letter_world.c - each act as the exchange does it: a transaction, and back if it fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/seal.h"
#include "server/citizen/letter_send.h"
#include "server/citizen/receipt.h"
#include "server/citizen/workday.h"
#include "server/library/org.h"
#include "tests/lib/letter_world.h"

int letter_world_set_up(void **state)
{
    const struct {
        const char *code, *name;
    } orgs[] = { { "heping", "和平区" }, { "nankai", "南开区" } };
    struct library_world *t;
    struct err e;

    library_world_set_up(state);
    t = *state;
    assert_int_equal(seal_load(&e, t->dir, SEAL_XCHACHA), RC_OK);
    assert_int_equal(receipt_load(&e, t->dir), RC_OK);
    world_begin(t);
    for (int i = 0; i < 2; i++) {
        struct org o = { .code = orgs[i].code, .name = orgs[i].name };

        assert_int_equal(org_create(&t->w, &o), RC_OK);
    }
    world_commit(t);
    world_vandalise(t, "UPDATE site SET org = 1");
    return 0;
}

int letter_world_tear_down(void **state)
{
    receipt_forget();
    seal_forget();
    return library_world_tear_down(state);
}

/* ---- who acts ---- */

void be_writer(struct library_world *t, int64_t account, int level)
{
    t->w.who = (struct actor){ .account = account, .level = level, .rights = RIGHT_SELF };
    snprintf(t->w.who.name, sizeof t->w.who.name, "account:%d", (int)account);
}

static struct scope at_site;

/* Somebody of the unit whose site is t->site: 和平区. */
void be_clerk(struct library_world *t, int64_t account)
{
    at_site = (struct scope){ t->site, RIGHT_LETTERS };
    t->w.who = (struct actor){ .account = account, .scopes = &at_site, .nscopes = 1 };
    snprintf(t->w.who.name, sizeof t->w.who.name, "account:%d", (int)account);
}

void be_office(struct library_world *t)
{
    t->w.who = (struct actor){ .account = CHIEF, .rights = RIGHT_LETTERS };
    snprintf(t->w.who.name, sizeof t->w.who.name, "account:%d", CHIEF);
}

/* ---- what they do ---- */

json_t *letter_json(struct library_world *t, const char *text)
{
    json_t *v;

    assert_int_equal(jx_object(&t->w.err, t->mem, text, strlen(text), &v), RC_OK);
    return v;
}

/* Each as the exchange does it: a transaction, and back if it fails. */
enum rc letter_ended(struct library_world *t, enum rc rc)
{
    if (rc)
        db_rollback(t->w.db);
    else
        world_commit(t);
    return rc;
}

const char *new_uuid(struct library_world *t)
{
    struct id id = id_new();

    return id_text(&id, arena_alloc(t->mem, ID_TEXT));
}

enum rc send_letter(struct library_world *t, const char *uuid, const char *text,
                    struct letter *out)
{
    const char *receipt;
    struct id id;

    assert_true(id_parse(uuid, strlen(uuid), &id));
    world_begin(t);
    return letter_ended(t, letter_send(&t->w, &id, letter_json(t, text), out, &receipt));
}

struct letter sent_letter(struct library_world *t, const char *text)
{
    struct letter l = { 0 };

    be_writer(t, WRITER, 2);
    assert_int_equal(send_letter(t, UUID, text, &l), RC_OK);
    return l;
}

enum rc writer_does(struct library_world *t, const char *text, struct letter *out,
                    enum rc (*fn)(struct work *, const struct id *, const json_t *,
                                  struct letter *, bool *))
{
    struct id id = id_new();
    bool again;

    world_begin(t);
    return letter_ended(
        t, fn(&t->w, &id,
              letter_json(t, arena_printf(t->mem, "{\"letter\":\"%s\"%s}", UUID, text)), out,
              &again));
}

enum rc staff_does_with(struct library_world *t, enum letter_verb verb, struct letter_order o,
                        struct letter *out)
{
    world_begin(t);
    return letter_ended(t, letter_do(&t->w, UUID, verb, &o, out));
}

enum rc staff_does(struct library_world *t, enum letter_verb verb, const char *text,
                   struct letter *out)
{
    struct letter_order o = { .text = text };
    struct letter l;

    if (verb == LETTER_DO_REVIEW) { /* of the draft that stands */
        assert_int_equal(letter_find(&t->w, UUID, &l), RC_OK);
        o.draft = l.draft;
    }
    return staff_does_with(t, verb, o, out);
}

int64_t letter_day(const char *text)
{
    int64_t at;

    assert_int_equal(clock_parse(text, strlen(text), &at), 0);
    return workday_of(at);
}

/* The last day on which an answer is in time. */
void assert_due(const struct letter *l, const char *day)
{
    char text[CLOCK_TEXT];

    assert_string_equal(clock_day(l->due - 1, text), day);
}
