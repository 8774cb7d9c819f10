/*
 * party.c - parties as rows.
 *
 * Lists of addresses stand in one column each, a line an address. Whatever changes a row has memory follow after the COMMIT: the
 * whole party is read again and put in the place of the old one. What its owner's account is decides with: nobody who is kept out goes on
 * by way of a program.
 */
#include "server/identity/party.h"

#include <inttypes.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/identity/account.h"
#include "server/identity/consent.h"
#include "server/identity/grant_scope.h"
#include "server/identity/name.h"
#include "server/identity/party_reach.h"
#include "server/identity/party_table.h"
#include "server/identity/session.h"
#include "server/store/db.h"

/* ---- words ---- */

static const char *const kinds[] = {
    [PARTY_NONE] = "", [PARTY_TEST] = "test", [PARTY_TEAM] = "team", [PARTY_LIVE] = "live"
};

const char *party_kind_name(enum party_kind kind)
{
    return kinds[kind];
}

enum party_kind party_kind_parse(const char *name)
{
    for (int i = PARTY_TEST; i <= PARTY_LIVE; i++)
        if (!strcmp(kinds[i], name))
            return (enum party_kind)i;
    return PARTY_NONE;
}

static const struct {
    unsigned way;
    const char *word; /* of RFC 6749 and RFC 8628 */
} ways[] = {
    { GRANT_BY_CODE, "authorization_code" },
    { GRANT_BY_REFRESH, "refresh_token" },
    { GRANT_BY_ITSELF, "client_credentials" },
    { GRANT_BY_DEVICE, "device_code" },
};

enum { WAYS = sizeof ways / sizeof *ways };

const char *party_ways_text(unsigned set, char out[PARTY_WAYS_TEXT])
{
    out[0] = '\0';
    for (int i = 0; i < WAYS; i++)
        if (set & ways[i].way)
            strcat(strcat(out, *out ? " " : ""), ways[i].word);
    return out;
}

bool party_ways_parse(const char *text, unsigned *out, const char **bad)
{
    unsigned set = 0;

    for (size_t n; *text; text += n + (text[n] == ' ')) {
        int i = 0;

        n = strcspn(text, " ");
        while (i < WAYS && (strlen(ways[i].word) != n || memcmp(ways[i].word, text, n)))
            i++;
        if (i == WAYS) {
            *bad = text;
            return false;
        }
        set |= ways[i].way;
    }
    *out = set;
    return true;
}

/* ---- rows ---- */

static const char *join(struct work *w, const char *const *v, int n)
{
    struct buf b = BUF_IN(w->mem);

    buf_adds(&b, "");
    for (int i = 0; i < n; i++)
        buf_printf(&b, "%s%s", i ? "\n" : "", v[i]);
    return b.p;
}

static const char *const *split(struct work *w, const char *text, int *n)
{
    char *at = arena_strdup(w->mem, text), *line;
    const char **out = arena_zalloc(w->mem, PARTY_ADDRESSES * sizeof *out);

    *n = 0;
    while (*text && *n < PARTY_ADDRESSES && (line = strsep(&at, "\n")))
        out[(*n)++] = line;
    return (const char *const *)out;
}

static void read_row(struct work *w, const struct rows *q, struct party *out)
{
    *out = (struct party){ .no = rows_int(q, 0),
                           .id = rows_dup_text(w, q, 1),
                           .name = rows_dup_text(w, q, 2),
                           .owner = rows_int(q, 3),
                           .kind = (enum party_kind)rows_int(q, 4),
                           .open = rows_int(q, 5),
                           .created = rows_int(q, 6),
                           .client = { .party = rows_int(q, 0),
                                       .ways = (unsigned)rows_int(q, 9),
                                       .scopes = (unsigned)rows_int(q, 10),
                                       .ceiling = (int)rows_int(q, 11),
                                       .sector = rows_dup_text(w, q, 12),
                                       .confidential = rows_int(q, 13) } };
    out->client.id = out->id;
    out->client.name = out->name;
    out->client.redirects = split(w, rows_text(q, 7), &out->client.nredirects);
    out->client.logouts = split(w, rows_text(q, 8), &out->client.nlogouts);
}

static enum rc read_rights(struct work *w, struct party *p)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_party_right_of, &q, "i", p->no)))
        return rc;
    while (rows_next(&q)) {
        const struct scope s = { rows_int(&q, 0), (unsigned)rows_int(&q, 1) & RIGHT_ALL };

        buf_add(&list, &s, sizeof s);
    }
    p->rights = (struct scope *)(void *)list.p;
    p->nrights = (int)(list.n / sizeof(struct scope));
    return rows_done(&q);
}

static enum rc read_one(struct work *w, struct rows *q, enum rc rc, struct party *out)
{
    struct party p;
    enum rc end;

    if (!rc)
        read_row(w, q, &p);
    end = rows_done(q);
    if ((rc = rc ? rc : end) || (rc = read_rights(w, &p)))
        return rc;
    *out = p;
    return RC_OK;
}

enum rc party_by_number(struct work *w, int64_t no, struct party *out)
{
    struct rows q;

    return read_one(w, &q, db_one(w, SQL_party_by_no, &q, "i", no), out);
}

bool party_is_his(struct work *w, const struct party *p)
{
    return p->owner && p->owner == w->who.account && actor_has(&w->who, RIGHT_SELF | RIGHT_ACT);
}

static bool may_see(struct work *w, const struct party *p)
{
    return actor_has_at(&w->who, RIGHT_SECURE, EVERYWHERE) || party_is_his(w, p);
}

enum rc party_find(struct work *w, const char *id, struct party *out)
{
    struct party p;
    struct rows q;
    enum rc rc = read_one(w, &q, db_one(w, SQL_party_by_id, &q, "t", id), &p);

    if (rc == RC_NOT_FOUND || (!rc && !may_see(w, &p)))
        return err_set(&w->err, RC_NOT_FOUND, "there is no party \"%.40s\"", id);
    if (!rc)
        *out = p;
    return rc;
}

enum rc party_list(struct work *w, struct party **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct party *all;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_party_all, &q, "")))
        return rc;
    while (rows_next(&q)) {
        struct party p;

        read_row(w, &q, &p);
        buf_add(&list, &p, sizeof p);
    }
    if ((rc = rows_done(&q)))
        return rc;
    all = (struct party *)(void *)list.p;
    *n = 0;
    for (size_t i = 0; i < list.n / sizeof *all && !rc; i++)
        if (may_see(w, &all[i]) && !(rc = read_rights(w, &all[i])))
            all[(*n)++] = all[i];
    *out = all;
    return rc;
}

/* ---- memory ---- */

static enum rc read_keys(struct work *w, struct party_entry *e)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_party_key_of, &q, "i", e->party.no)))
        return rc;
    while (rows_next(&q)) {
        struct party_pass k = { .no = rows_int(&q, 0),
                                .expires = rows_int(&q, 2),
                                .per_minute = rows_int(&q, 3),
                                .per_day = rows_int(&q, 4),
                                .used = rows_int(&q, 5),
                                .day = rows_int(&q, 6),
                                .spent = rows_int(&q, 7) };
        size_t n;
        const void *hash = rows_blob(&q, 1, &n);

        if (!hash || n != sizeof k.hash)
            continue;
        memcpy(k.hash, hash, n);
        buf_add(&list, &k, sizeof k);
    }
    e->keys = (struct party_pass *)(void *)list.p;
    e->n = (int)(list.n / sizeof *e->keys);
    return rows_done(&q);
}

/* Whether somebody is answerable for it. */
static enum rc has_open_owner(struct work *w, const struct party *p, bool *out)
{
    struct rows q;
    enum rc rc;

    *out = !p->owner;
    if (!p->owner)
        return RC_OK;
    if ((rc = db_query(w, SQL_party_owner_state, &q, "i", p->owner)))
        return rc;
    if (rows_next(&q))
        *out = rows_int(&q, 0) == ACCOUNT_OPEN;
    return rows_done(&q);
}

/* What memory is to know of it besides its row. */
static enum rc complete(struct work *w, struct party_entry *e)
{
    bool answered;
    enum rc rc;

    if ((rc = has_open_owner(w, &e->party, &answered)))
        return rc;
    e->party.open = e->party.open && answered;
    return read_keys(w, e);
}

static void (*on_change)(void);

void party_on_change(void (*fn)(void))
{
    on_change = fn;
}

static void put(void *entry)
{
    party_table_put(entry);
    if (on_change)
        on_change();
}

enum rc party_changed(struct work *w, int64_t no)
{
    struct party_entry *e = arena_zalloc(w->mem, sizeof *e);
    enum rc rc;

    if ((rc = party_by_number(w, no, &e->party)) || (rc = complete(w, e)))
        return rc;
    work_after_commit(w, put, e);
    return RC_OK;
}

enum rc party_load(struct work *w)
{
    const struct actor who = w->who;
    struct party *all;
    enum rc rc;
    int n;

    w->who = actor_operator;
    rc = party_list(w, &all, &n);
    w->who = who;
    if (rc)
        return rc;
    party_table_empty();
    for (int i = 0; i < n; i++) {
        struct party_entry e = { .party = all[i] };

        if ((rc = complete(w, &e)))
            return rc;
        party_table_put(&e);
    }
    return RC_OK;
}

static bool is_client(const struct party *p, struct grant_client *out)
{
    *out = p->client;
    return p->open && p->client.ways;
}

bool party_client_by_id(struct arena *mem, const char *id, struct grant_client *out)
{
    struct party p;

    return party_table_find(mem, 0, id, &p) && is_client(&p, out);
}

bool party_client_by_number(struct arena *mem, int64_t no, struct grant_client *out)
{
    struct party p;

    return no && party_table_find(mem, no, NULL, &p) && is_client(&p, out);
}

/* ---- what may be ---- */

static enum rc check_id(struct work *w, const char *id)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t n = strlen(id);

    if (n && n <= PARTY_ID_MAX && strspn(id, letters) == n && !strchr("._-", id[0]) &&
        !strstr(id, ".."))
        return RC_OK;
    return err_field(&w->err, "id",
                     "an id has 1 to %d of a-z 0-9 . _ -, begins with one of a-z 0-9, and "
                     "holds no \"..\"",
                     PARTY_ID_MAX);
}

static enum rc check_addresses(struct work *w, const char *field, const char *const *v, int n)
{
    if (n > PARTY_ADDRESSES)
        return err_field(&w->err, field, "there are at most %d addresses", PARTY_ADDRESSES);
    for (int i = 0; i < n; i++)
        if (!grant_redirect_is_fit(v[i]) || strchr(v[i], '*'))
            return err_field(&w->err, field,
                             "\"%.80s\" should be https, or http on loopback, without '#' and "
                             "'*'",
                             v[i]);
    return RC_OK;
}

static enum rc check_client(struct work *w, const struct party *p)
{
    const struct grant_client *c = &p->client;
    enum rc rc;

    if ((rc = check_addresses(w, "redirects", c->redirects, c->nredirects)) ||
        (rc = check_addresses(w, "logouts", p->client.logouts, p->client.nlogouts)))
        return rc;
    if (c->ceiling < 1 || c->ceiling > ACCOUNT_LEVEL_MAX)
        return err_field(&w->err, "ceiling", "a level is 1 to %d", ACCOUNT_LEVEL_MAX);
    if (c->scopes & ~(unsigned)SCOPE_ALL)
        return err_field(&w->err, "scopes", "there are other scopes in it");
    if (c->ways & GRANT_BY_CODE && !c->nredirects)
        return err_field(&w->err, "redirects", "a client of codes needs an address for them");
    if (c->ways & GRANT_BY_ITSELF && !c->confidential)
        return err_field(&w->err, "confidential", "who asks for itself must show a key");
    if (!*c->sector || strlen(c->sector) > PARTY_SECTOR_MAX ||
        strspn(c->sector, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != strlen(c->sector))
        return err_field(&w->err, "sector", "a sector is a host's name, or an id");
    return RC_OK;
}

/* Who runs the server need not be an account. */
static enum rc check_owner(struct work *w, int64_t owner)
{
    struct account a;
    enum rc rc;

    if (!owner)
        return RC_OK;
    if ((rc = account_by_id(w, owner, &a)) == RC_NOT_FOUND ||
        (!rc && (a.id != owner || a.state != ACCOUNT_OPEN)))
        return err_field(&w->err, "owner", "there is no open account %" PRId64, owner);
    return rc;
}

static bool is_short(const char *text)
{
    size_t characters = 0;

    for (const char *p = text; *p; p++)
        characters += (*p & 0xc0) != 0x80;
    return characters <= PARTY_NAME_MAX;
}

/* `was`: its owner so far, who may be locked now. */
static enum rc check(struct work *w, const struct party *p, int64_t was)
{
    enum rc rc;

    if ((rc = work_need_at(w, RIGHT_SECURE, EVERYWHERE)) || (rc = check_id(w, p->id)))
        return rc;
    if (!is_short(p->name) || !name_is_fit(p->name))
        return err_field(&w->err, "name", "a name is one line of 1 to %d characters",
                         PARTY_NAME_MAX);
    if (p->kind == PARTY_NONE)
        return err_field(&w->err, "kind", "a party is test, team or live");
    if (p->owner != was && (rc = check_owner(w, p->owner)))
        return rc;
    return check_client(w, p);
}

/* ---- changes ---- */

enum rc party_create(struct work *w, struct party *in)
{
    const struct grant_client *c = &in->client;
    struct rows q;
    enum rc rc, end;

    if ((rc = check(w, in, 0)))
        return rc;
    in->created = clock_now();
    rc = db_one(w, SQL_party_add, &q, "ttiiiittiiiti", in->id, in->name, in->owner,
                (int64_t)in->kind, (int64_t)in->open, in->created,
                join(w, c->redirects, c->nredirects),
                join(w, in->client.logouts, in->client.nlogouts), (int64_t)c->ways,
                (int64_t)c->scopes, (int64_t)c->ceiling, c->sector, (int64_t)c->confidential);
    if (!rc)
        in->no = in->client.party = rows_int(&q, 0);
    end = rows_done(&q);
    if ((rc = rc ? rc : end) == RC_CONFLICT)
        return err_set(&w->err, rc, "there is a party \"%s\" already", in->id);
    return rc ? rc : party_changed(w, in->no);
}

static enum rc rename_people(struct work *w, const struct party *p)
{
    struct grant_client c = p->client;

    c.party = p->no;
    return consent_rename(w, &c);
}

enum rc party_edit(struct work *w, const struct party *in)
{
    const struct grant_client *c = &in->client;
    struct party was;
    enum rc rc;

    if ((rc = party_by_number(w, in->no, &was)) || (rc = check(w, in, was.owner)) ||
        (rc = db_change(w, SQL_party_set, "itiittiiiti", in->no, in->name, in->owner,
                        (int64_t)in->open, join(w, c->redirects, c->nredirects),
                        join(w, in->client.logouts, in->client.nlogouts), (int64_t)c->ways,
                        (int64_t)c->scopes, (int64_t)c->ceiling, c->sector,
                        (int64_t)c->confidential)) ||
        (!in->open && (rc = session_end_of_party(w, in->no))) ||
        (strcmp(c->sector, was.client.sector) && (rc = rename_people(w, in))))
        return rc;
    return party_changed(w, in->no);
}

enum rc party_move(struct work *w, int64_t from, int64_t into)
{
    enum rc rc = db_run(w, SQL_party_move, "ii", from, into);

    if (rc || (rc = party_team_move(w, from, into)))
        return rc;
    return party_follow_owner(w, into);
}

static enum rc each_of_owner(struct work *w, int64_t owner,
                             enum rc (*fn)(struct work *w, int64_t no))
{
    struct buf list = BUF_IN(w->mem);
    const int64_t *numbers;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_party_of_owner, &q, "i", owner)))
        return rc;
    while (rows_next(&q)) {
        int64_t no = rows_int(&q, 0);

        buf_add(&list, &no, sizeof no);
    }
    rc = rows_done(&q);
    numbers = (const int64_t *)(const void *)list.p;
    for (size_t i = 0; i < list.n / sizeof *numbers && !rc; i++)
        rc = fn(w, numbers[i]);
    return rc;
}

enum rc party_follow_owner(struct work *w, int64_t owner)
{
    return each_of_owner(w, owner, party_changed);
}

static enum rc close_one(struct work *w, int64_t no)
{
    enum rc rc;

    if ((rc = db_run(w, SQL_party_close, "i", no)) || (rc = session_end_of_party(w, no)))
        return rc;
    return party_changed(w, no);
}

enum rc party_stop(struct work *w, const struct party *p)
{
    return may_see(w, p) ? close_one(w, p->no) : work_need(w, RIGHT_SECURE);
}

enum rc party_close_of_owner(struct work *w, int64_t owner)
{
    return each_of_owner(w, owner, close_one);
}

static enum rc check_rights(struct work *w, int64_t site, unsigned rights)
{
    char text[RIGHTS_TEXT];

    if (rights & (RIGHT_SECURE | RIGHT_SELF | RIGHT_ACT | RIGHT_STATE))
        return err_field(
            &w->err, "rights", "no program has the right \"%s\"",
            rights_text(rights & (RIGHT_SECURE | RIGHT_SELF | RIGHT_ACT | RIGHT_STATE), text));
    if (rights & (RIGHT_OPERATE | RIGHT_AUDIT) && !w->who.operator)
        return err_set(&w->err, RC_FORBIDDEN, "the right \"%s\" is given on the machine",
                       rights_text(rights & (RIGHT_OPERATE | RIGHT_AUDIT), text));
    if (site != EVERYWHERE && rights & ~(unsigned)RIGHT_AT_SITE)
        return err_field(&w->err, "site", "the right \"%s\" is for the whole server",
                         rights_text(rights & ~(unsigned)RIGHT_AT_SITE, text));
    return RC_OK;
}

enum rc party_allow(struct work *w, int64_t no, int64_t site, unsigned rights)
{
    enum rc rc;

    if ((rc = work_need_at(w, RIGHT_SECURE, EVERYWHERE)) ||
        (rc = check_rights(w, site, rights)))
        return rc;
    rc = rights ? db_run(w, SQL_party_right_put, "iii", no, site, (int64_t)rights)
                : db_run(w, SQL_party_right_drop, "ii", no, site);
    return rc ? rc : party_changed(w, no);
}
