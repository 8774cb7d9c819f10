#include "tests/lib/me_world.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void me_sign_in(struct phone *p, const char *login)
{
    const struct tjzw_sign_in entered = { .login = login, .password = "good" };
    struct tjzw_step step;

    OK(p, tjzw_sign_in(p->t, &entered, &step, &p->e));
    assert_int_equal(step.kind, TJZW_STEP_DONE);
}

void me_use_fake(struct phone *p, struct fake_me *f)
{
    struct tjzw_transport transport = { f, fake_me_get };

    tjzw_set_transport(p->t, &transport);
}

void me_begin(struct me_world *w)
{
    phone_start(&w->p);
    phone_sync(&w->p);
    fake_me_start(&w->f, &w->p);
    me_use_fake(&w->p, &w->f);
}

void me_begin_as_a(struct me_world *w)
{
    me_begin(w);
    me_sign_in(&w->p, "a");
}

void me_end(struct me_world *w)
{
    phone_end(&w->p);
    fake_me_end(&w->f);
}

void me_second(struct me_world *w, struct phone *q, const char *login)
{
    *q = (struct phone){ .server = w->p.server, .net = w->p.net };
    snprintf(q->path, sizeof q->path, "%s/second.db", w->p.dir);
    phone_open(q);
    OK(q, tjzw_sync(q->t, NULL, NULL, &q->e));
    me_use_fake(q, &w->f);
    if (login)
        me_sign_in(q, login);
}

void me_put(struct phone *p, const char *type, const char *key, const char *value)
{
    OK(p, tjzw_put(p->t, type, key, value, &p->e));
}

void me_exchange(struct phone *p)
{
    OK(p, tjzw_me_sync(p->t, NULL, &p->last, &p->e));
}

static bool see(void *ctx, const struct tjzw_entry *entry)
{
    struct me_seen *s = ctx;

    s->n++;
    s->pending = entry->pending;
    snprintf(s->value, sizeof s->value, "%s", entry->value);
    return true;
}

struct me_seen me_shown(struct phone *p, const char *type, const char *key)
{
    struct me_seen s = { 0 };
    enum tjzw_code rc = tjzw_entries(p->t, type, key, see, &s, &p->e);

    assert_true(rc == TJZW_OK || (key && rc == TJZW_NOT_FOUND));
    return s;
}

void me_assert_shown(struct phone *p, const char *type, const char *key, const char *value)
{
    assert_string_equal(me_shown(p, type, key).value, value);
}

void me_assert_there(struct me_world *w, int64_t account, const char *type, const char *key,
                     const char *value)
{
    char *text = fake_me_value(&w->f, account, type, key);

    assert_string_equal(text ? text : "", value);
    free(text);
}

struct tjzw_me me_of(struct phone *p)
{
    struct tjzw_me out;

    OK(p, tjzw_me(p->t, &out, &p->e));
    return out;
}

int64_t me_number(struct phone *p, const char *sql)
{
    sqlite3_stmt *q;
    sqlite3 *db;
    int64_t n;

    assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(db);
    return n;
}
