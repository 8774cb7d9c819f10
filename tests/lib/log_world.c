/* log_world.c - a log to look at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/log_world.h"

#include <stdio.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/seal.h"
#include "server/identity/audit_head.h"
#include "server/store/backup.h"

const char *log_file(struct library_world *t)
{
    return arena_printf(t->mem, "%s/" AUDIT_HEADS_NAME, t->dir);
}

int log_set_up(void **state)
{
    struct library_world *t;
    struct err e;

    if (library_world_set_up(state))
        return -1;
    t = *state;
    assert_int_equal(fs_mkdirs(&e, arena_printf(t->mem, "%s/keys", t->dir), 0700), RC_OK);
    assert_int_equal(seal_load(&e, arena_printf(t->mem, "%s/keys", t->dir), SEAL_XCHACHA),
                     RC_OK);
    assert_int_equal(audit_head_load(&e, t->dir, true), RC_OK);
    return 0;
}

int log_tear_down(void **state)
{
    audit_head_forget();
    seal_forget();
    return library_world_tear_down(state);
}

void log_restart(struct library_world *t)
{
    struct err e;

    audit_head_forget();
    assert_int_equal(audit_head_load(&e, t->dir, true), RC_OK);
}

void log_put(struct library_world *t, enum audit_action action, const char *object)
{
    assert_int_equal(audit_add(&t->w, action, object, RC_OK), RC_OK);
    work_forget_facts(&t->w);
}

void log_add(struct library_world *t, enum audit_action action, const char *object)
{
    world_begin(t);
    log_put(t, action, object);
    world_commit(t);
}

void log_sign(struct library_world *t)
{
    world_begin(t);
    assert_int_equal(audit_head_sign(&t->w), RC_OK);
    world_commit(t);
}

void log_settle(struct library_world *t)
{
    world_begin(t);
    assert_int_equal(audit_head_settle(&t->w), RC_OK);
    world_commit(t);
}

void log_live(struct library_world *t, int rows)
{
    world_begin(t);
    for (int i = 1; i <= rows; i++) {
        clock_set(WORLD_NOW + 60 * i);
        t->w.client = i % 3 ? "192.0.2.7" : NULL;
        if (i % 4 == 0)
            work_fact(&t->w, "rev", i);
        if (i % 8 == 0)
            work_fact_word(&t->w, "rights", "import,edit");
        log_put(t, i % 2 ? AUDIT_item_publish : AUDIT_party_create, i % 5 ? "items/1" : NULL);
        if (i % HEAD_EVERY == 0)
            assert_int_equal(audit_head_sign(&t->w), RC_OK);
    }
    world_commit(t);
    t->w.client = NULL;
}

static void note_fault(void *arg, int64_t no, const char *text)
{
    struct seen *s = arg;

    if (!s->n++) {
        s->no = no;
        snprintf(s->text, sizeof s->text, "%s", text);
    }
}

struct seen log_look(struct library_world *t)
{
    struct seen s = { 0 };
    enum rc rc = audit_verify(&t->w, log_file(t), note_fault, &s, &s.sum);

    assert_int_equal(rc, s.n ? RC_CORRUPT : RC_OK);
    assert_int_equal(s.sum.faults, s.n);
    return s;
}

void log_assert_whole(struct library_world *t)
{
    struct seen s = log_look(t);

    if (s.n)
        fail_msg("%lld: %s", (long long)s.no, s.text);
}
