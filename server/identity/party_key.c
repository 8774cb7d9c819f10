/*
 * party_key.c - keys as rows. What of them stands in memory is party_table.c's.
 *
 * Their beginning says of which kind the party is: "tjp_live_" (opaque.h).
 */
#include "server/identity/party_key.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/secret.h"
#include "server/identity/opaque.h"
#include "server/identity/party_table.h"
#include "server/identity/role.h"
#include "server/store/db.h"

enum { PREFIX_MAX = 16 };

static const char begins[] = "tjp_";

/* ---- texts ---- */

static void make_text(enum party_kind kind, char out[PARTY_KEY_TEXT])
{
    char prefix[PREFIX_MAX];

    snprintf(prefix, sizeof prefix, "%s%s_", begins, party_kind_name(kind));
    opaque_make(prefix, out, PARTY_KEY_TEXT);
}

static bool hash_text(const char *text, uint8_t hash[HASH_BYTES])
{
    if (strnlen(text, PARTY_KEY_TEXT) >= PARTY_KEY_TEXT ||
        strncmp(text, begins, strlen(begins)))
        return false;
    opaque_hash(text, hash);
    return true;
}

bool party_key_know(const char *text, struct arena *mem, struct actor *out)
{
    uint8_t hash[HASH_BYTES];

    return hash_text(text, hash) && party_table_know(hash, clock_now(), mem, out);
}

int64_t party_key_of(int64_t party, const char *text)
{
    uint8_t hash[HASH_BYTES];

    return hash_text(text, hash) ? party_table_key_of(party, hash, clock_now()) : 0;
}

const struct provider_clients party_clients = { party_client_by_id, party_client_by_number,
                                                party_key_of };

/* ---- rows ---- */

enum rc party_key_list(struct work *w, int64_t party, struct party_key **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_party_key_list, &q, "i", party)))
        return rc;
    while (rows_next(&q)) {
        struct party_key k = { .no = rows_int(&q, 0),
                               .created = rows_int(&q, 1),
                               .expires = rows_int(&q, 2),
                               .per_minute = rows_int(&q, 3),
                               .per_day = rows_int(&q, 4),
                               .used = rows_int(&q, 5) };

        buf_add(&list, &k, sizeof k);
    }
    *out = (struct party_key *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rows_done(&q);
}

static enum rc need_owner(struct work *w, const struct party *p)
{
    return party_is_his(w, p) ? RC_OK : work_need_at(w, RIGHT_SECURE, EVERYWHERE);
}

/*
 * Who gives programs their rights makes no keys to them, nor does he as an organisation's: else a security administrator could give himself, by way of a
 * program, what nobody may give him.
 */
static enum rc need_maker(struct work *w, const struct party *p)
{
    struct actor giver = { 0 };

    role_apply(w->who.person ? w->who.person : w->who.account, w->mem, &giver);
    if (giver.rights & RIGHT_SECURE)
        return err_set(&w->err, RC_FORBIDDEN,
                       "a key is made by the owner of %s, or on the machine", p->id);
    return need_owner(w, p);
}

static enum rc check(struct work *w, const struct party_key *in)
{
    if (in->expires <= clock_now() || in->expires > clock_now() + PARTY_KEY_LIFE_MAX)
        return err_field(&w->err, "days", "a key lives at most two years");
    if (in->per_minute < 1 || in->per_minute > PARTY_KEY_MINUTE_MAX)
        return err_field(&w->err, "perMinute", "a key has 1 to %d requests a minute",
                         PARTY_KEY_MINUTE_MAX);
    if (in->per_day < 1 || in->per_day > PARTY_KEY_DAY_MAX)
        return err_field(&w->err, "perDay", "a key has 1 to %d requests a day",
                         PARTY_KEY_DAY_MAX);
    return RC_OK;
}

/* Those that have expired make room. */
static enum rc check_room(struct work *w, const struct party *p)
{
    struct party_key *keys;
    enum rc rc;
    int n, live = 0;

    if ((rc = party_key_list(w, p->no, &keys, &n)))
        return rc;
    for (int i = 0; i < n; i++)
        live += keys[i].expires > clock_now();
    if (live >= PARTY_KEYS)
        return err_set(&w->err, RC_CONFLICT, "%s has %d keys: revoke one first", p->id, live);
    return db_run(w, SQL_party_key_drop_over, "ii", p->no, clock_now());
}

static enum rc add(struct work *w, const struct party *p, struct party_key *in,
                   char out[PARTY_KEY_TEXT])
{
    char text[PARTY_KEY_TEXT];
    uint8_t hash[HASH_BYTES];
    struct rows q;
    enum rc rc, end;

    make_text(p->kind, text);
    opaque_hash(text, hash);
    in->created = clock_now();
    if (!(rc = db_one(w, SQL_party_key_add, &q, "ibiiii", p->no, hash, sizeof hash, in->created,
                      in->expires, in->per_minute, in->per_day)))
        in->no = rows_int(&q, 0);
    end = rows_done(&q);
    if (!(rc = rc ? rc : end) && !(rc = party_changed(w, p->no)))
        memcpy(out, text, sizeof text);
    secret_wipe(text, sizeof text);
    return rc;
}

enum rc party_key_make(struct work *w, const struct party *p, struct party_key *in,
                       char out[PARTY_KEY_TEXT])
{
    enum rc rc;

    if ((rc = need_maker(w, p)) || (rc = check(w, in)) || (rc = check_room(w, p)))
        return rc;
    return add(w, p, in, out);
}

static enum rc find(struct work *w, const struct party *p, int64_t no, struct party_key *out)
{
    struct party_key *keys;
    enum rc rc;
    int n;

    if ((rc = party_key_list(w, p->no, &keys, &n)))
        return rc;
    for (int i = 0; i < n; i++)
        if (keys[i].no == no) {
            *out = keys[i];
            return RC_OK;
        }
    return err_set(&w->err, RC_NOT_FOUND, "%s has no key %" PRId64, p->id, no);
}

enum rc party_key_rotate(struct work *w, const struct party *p, int64_t no, int64_t overlap,
                         struct party_key *next, char out[PARTY_KEY_TEXT])
{
    int64_t now = clock_now(), ends = now + overlap;
    struct party_key old;
    enum rc rc;

    if (overlap < 0 || overlap > PARTY_KEY_OVERLAP_MAX)
        return err_field(&w->err, "overlapHours", "both keys are good for at most 30 days");
    if ((rc = need_maker(w, p)) || (rc = find(w, p, no, &old)))
        return rc;
    if (old.expires <= now)
        return err_set(&w->err, RC_CONFLICT, "key %" PRId64 " has expired", no);
    *next = old;
    next->expires = now + old.expires - old.created;
    if ((rc = db_change(w, SQL_party_key_end, "iii", no, p->no,
                        ends < old.expires ? ends : old.expires)) ||
        (rc = check_room(w, p)))
        return rc;
    return add(w, p, next, out);
}

enum rc party_key_revoke(struct work *w, const struct party *p, int64_t no)
{
    struct party_key old;
    enum rc rc;

    if ((rc = need_owner(w, p)) || (rc = find(w, p, no, &old)) ||
        (rc = db_change(w, SQL_party_key_drop, "ii", no, p->no)))
        return rc;
    return party_changed(w, p->no);
}
