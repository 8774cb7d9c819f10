/*
 * credential.c - told apart by their beginnings.
 */
#include "server/identity/credential.h"

#include <inttypes.h>
#include <stdio.h>

#include "server/base/clock.h"
#include "server/identity/party_key.h"
#include "server/identity/party_table.h"
#include "server/identity/role.h"
#include "server/identity/session.h"
#include "server/identity/staff_device.h"

static void fill_person(struct arena *mem, const struct session_now *s, struct actor *out)
{
    *out = (struct actor){ .rights = RIGHT_READ | RIGHT_STATE |
                                     (s->kind == SESSION_GUEST ? 0 : RIGHT_SELF),
                           .account = s->account,
                           .session = s->id,
                           .level = s->level };
    snprintf(out->name, sizeof out->name, "account:%" PRId64, s->account);
    if (s->kind == SESSION_STAFF) {
        role_apply(s->account, mem, out);
        staff_device_judge(s->machine, mem, out);
    }
}

/* The organisation's, with who he is beside it, and nothing that is his own. */
static void fill_acting(const struct session_now *s, struct actor *out)
{
    *out = (struct actor){ .rights = RIGHT_READ | RIGHT_ACT,
                           .account = s->acting,
                           .person = s->account,
                           .session = s->id,
                           .level = s->level };
    snprintf(out->name, sizeof out->name, "account:%" PRId64, s->account);
}

/*
 * What a program got for a person tells it of him, and gives it none of his rights: to every route but userinfo, which looks the session up, he is nobody. False: the program is closed.
 */
static bool fill_program(const struct session_now *s, struct actor *out)
{
    struct actor who = { .rights = RIGHT_READ, .session = s->id, .party = s->party };
    bool open = party_table_name(s->party, who.name, sizeof who.name);

    if (open)
        *out = who;
    return open;
}

static bool fill(struct arena *mem, const struct session_now *s, struct actor *out)
{
    if (s->party)
        return fill_program(s, out);
    if (s->acting)
        fill_acting(s, out);
    else
        fill_person(mem, s, out);
    return true;
}

/* No browser carries a program's token: who holds one must not pass for the person. */
static bool know_session(struct arena *mem, const char *text, bool cookie, struct actor *out)
{
    struct session_now s;

    return session_check(text, &s) && !(s.party && cookie) && fill(mem, &s, out);
}

enum rc credential_know(struct err *e, struct arena *mem, const char *text, bool cookie,
                        struct actor *out)
{
    if (know_session(mem, text, cookie, out) || (!cookie && party_key_know(text, mem, out)))
        return RC_OK;
    return err_set(e, RC_UNAUTHORIZED, "the token is unknown, has expired or was ended");
}

static bool know_again(struct arena *mem, int64_t session, int64_t key, struct actor *out)
{
    struct session_now s;

    if (key)
        return party_table_know_key(key, clock_now(), mem, out);
    return session_get(session, &s) && fill(mem, &s, out);
}

bool credential_lasts(int64_t session, int64_t key, unsigned rights, int64_t site)
{
    struct arena *mem;
    struct actor who;
    bool lasts;

    if (!rights) /* of a hundred thousand phones, every half minute */
        return (!session || session_lives(session)) &&
               (!key || party_table_lives(key, clock_now()));
    if (!session && !key)
        return true;
    mem = arena_new();
    lasts = know_again(mem, session, key, &who) && actor_has_at(&who, rights, site);
    arena_free(mem);
    return lasts;
}
