/*
 * me_world.h - phones with public content and a server of people in memory (fake_me.h), and what of it a test looks at.
 */
#ifndef TESTS_LIB_ME_WORLD_H
#define TESTS_LIB_ME_WORLD_H

#include "tests/lib/fake_me.h"

#define ITEM "main/0190b1c2-0000-7000-8000-00000000000"

struct me_world {
    struct phone p; /* a phone with public content */
    struct fake_me f;
};

void me_begin(struct me_world *w);
void me_begin_as_a(struct me_world *w); /* signed in: account 8 */
void me_end(struct me_world *w);

void me_sign_in(struct phone *p, const char *login);
void me_use_fake(struct phone *p, struct fake_me *f);
/* Another phone of the same server, with a store of its own; login NULL: nobody signs in. tjzw_close() it. */
void me_second(struct me_world *w, struct phone *q, const char *login);
void me_put(struct phone *p, const char *type, const char *key, const char *value);
void me_exchange(struct phone *p);

/* What is shown; key NULL: all of the type. */
struct me_seen {
    char value[256]; /* of the last; "": nothing */
    bool pending;
    size_t n;
};
struct me_seen me_shown(struct phone *p, const char *type, const char *key);
void me_assert_shown(struct phone *p, const char *type, const char *key, const char *value);
/* What the server has. */
void me_assert_there(struct me_world *w, int64_t account, const char *type, const char *key,
                     const char *value);
struct tjzw_me me_of(struct phone *p);
/* Of the store. */
int64_t me_number(struct phone *p, const char *sql);

#endif
