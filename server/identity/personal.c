/*
 * personal.c - personal.def, read row by row.
 *
 *     {"account":7,"exported":"2026-11-22T10:00:00+08:00","tables":[
 *       {"table":"identifier","what":"登录标识…","rows":[{"kind":"phone","value":"8613800138000","proved":"…"}]},
 *       {"table":"audit","what":"操作日志","kept":"法定留存…","rows":[…]}, …]}
 *
 * A member that is empty is left out. Nobody but the account's owner is ever named in it: what others did to his account stands in the audit
 * log under their names, and is theirs.
 */
#include "server/identity/personal.h"

#include <inttypes.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/id.h"
#include "server/base/jx.h"
#include "server/base/seal.h"
#include "server/identity/account.h"
#include "server/identity/audit.h"
#include "server/identity/factor.h"
#include "server/identity/grant_scope.h"

static const struct personal_table tables[] = {
#define PERSONAL_GOES(table, key, chinese) \
    { #table, chinese, PERSONAL_BY_##key, SQL_personal_##table, SQL_erase_##table, NULL },
#define PERSONAL_STAYS(table, key, chinese, kept) \
    { #table, chinese, PERSONAL_BY_##key, SQL_personal_##table, SQL_COUNT, kept },
#define PERSONAL_NAMED(table, column, chinese, kept) \
    { #table, chinese, PERSONAL_BY_ACTOR, SQL_COUNT, SQL_COUNT, kept },
#define PERSONAL_COLUMN(table, column, as)
#include "server/identity/personal.def"
#undef PERSONAL_GOES
#undef PERSONAL_STAYS
#undef PERSONAL_NAMED
#undef PERSONAL_COLUMN
};

static const struct personal_column columns[] = {
#define PERSONAL_GOES(table, key, chinese)
#define PERSONAL_STAYS(table, key, chinese, kept)
#define PERSONAL_NAMED(table, column, chinese, kept) { #table, #column, PERSONAL_HIDDEN },
#define PERSONAL_COLUMN(table, column, as)           { #table, #column, PERSONAL_##as },
#include "server/identity/personal.def"
#undef PERSONAL_GOES
#undef PERSONAL_STAYS
#undef PERSONAL_NAMED
#undef PERSONAL_COLUMN
};

enum { TABLES = sizeof tables / sizeof *tables, COLUMNS = sizeof columns / sizeof *columns };

const struct personal_table *personal_tables(int *n)
{
    *n = TABLES;
    return tables;
}

const struct personal_column *personal_columns(int *n)
{
    *n = COLUMNS;
    return columns;
}

/* ---- whose ---- */

static enum rc find_numbers(struct work *w, int64_t account, struct personal_keys *out)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    buf_add(&list, &account, sizeof account);
    if ((rc = db_query(w, SQL_personal_merged, &q, "i", account)))
        return rc;
    while (rows_next(&q)) {
        int64_t number = rows_int(&q, 0);

        buf_add(&list, &number, sizeof number);
    }
    out->numbers = (int64_t *)(void *)list.p;
    out->nnumbers = (int)(list.n / sizeof *out->numbers);
    return rows_done(&q);
}

static enum rc find_phones(struct work *w, int64_t account, struct personal_keys *out)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_personal_identifier, &q, "i", account)))
        return rc;
    while (rows_next(&q)) {
        size_t n;
        const void *find = rows_blob(&q, 1, &n);

        if (n == HASH_BYTES && !strcmp(rows_text(&q, 2), "phone"))
            buf_add(&list, find, n);
    }
    out->phones = (void *)list.p;
    out->nphones = (int)(list.n / HASH_BYTES);
    return rows_done(&q);
}

enum rc personal_find_keys(struct work *w, int64_t account, struct personal_keys *out)
{
    enum rc rc = find_numbers(w, account, out);

    return rc ? rc : find_phones(w, account, out);
}

static int keys_of(const struct personal_table *t, const struct personal_keys *k)
{
    return t->key == PERSONAL_BY_PHONE ? k->nphones : k->nnumbers;
}

static const char *actor_of(struct work *w, int64_t number)
{
    return arena_printf(w->mem, "account:%" PRId64, number);
}

static enum rc erase_of(struct work *w, const struct personal_table *t,
                        const struct personal_keys *k, int i)
{
    switch (t->key) {
    case PERSONAL_BY_PHONE: return db_run(w, t->erase, "b", k->phones[i], (size_t)HASH_BYTES);
    case PERSONAL_BY_ACTOR: return db_run(w, t->erase, "t", actor_of(w, k->numbers[i]));
    case PERSONAL_BY_NUMBER: break;
    }
    return db_run(w, t->erase, "i", k->numbers[i]);
}

enum rc personal_erase(struct work *w, const struct personal_table *t,
                       const struct personal_keys *k)
{
    enum rc rc = RC_OK;

    for (int i = 0; i < keys_of(t, k) && !rc; i++)
        rc = erase_of(w, t, k, i);
    return rc;
}

/* ---- as JSON ---- */

static void put_sealed(struct work *w, struct buf *b, const struct rows *q, int i,
                       const struct personal_column *c)
{
    const char *place = arena_printf(w->mem, "%s.%s", c->table, c->name);
    size_t n, plain_n;
    const void *sealed = rows_blob(q, i, &n);
    char *plain;

    if (!sealed)
        return;
    if (seal_open(w, (struct seal_place){ place, rows_int(q, 0) }, sealed, n, &plain, &plain_n))
        plain =
            NULL; /* sealed with a key that is lost: that there was something is all we know */
    jx_put_text(b, c->name, plain ? plain : "?");
}

static const char *word_of(enum personal_as as, int64_t number, char scopes[GRANT_SCOPES_TEXT])
{
    switch (as) {
    case PERSONAL_KIND: return account_kind_name((enum account_kind)number);
    case PERSONAL_STATE: return account_state_name((enum account_state)number);
    case PERSONAL_FACTOR: return number == FACTOR_TOTP ? "totp" : "passkey";
    default: return grant_scopes_text((unsigned)number, scopes);
    }
}

static void put_column(struct work *w, struct buf *b, const struct rows *q, int i,
                       const struct personal_column *c)
{
    char time[CLOCK_TEXT], scopes[GRANT_SCOPES_TEXT];

    if (rows_null(q, i) && c->as != PERSONAL_WHETHER)
        return;
    switch (c->as) {
    case PERSONAL_HIDDEN: break;
    case PERSONAL_NUMBER: jx_put_int(b, c->name, rows_int(q, i)); break;
    case PERSONAL_TEXT: jx_put_text(b, c->name, rows_text(q, i)); break;
    case PERSONAL_SEALED: put_sealed(w, b, q, i, c); break;
    case PERSONAL_WHETHER: jx_put_bool(b, c->name, !rows_null(q, i)); break;
    case PERSONAL_TIME:
        if (rows_int(q, i))
            jx_put_text(b, c->name, clock_text(rows_int(q, i), time));
        break;
    case PERSONAL_ACT:
        jx_put_text(b, c->name, rows_text(q, i));
        jx_put_text(b, "what", audit_chinese(rows_text(q, i)));
        break;
    case PERSONAL_KIND:
    case PERSONAL_STATE:
    case PERSONAL_FACTOR:
    case PERSONAL_SCOPES:
        jx_put_text(b, c->name, word_of(c->as, rows_int(q, i), scopes));
        break;
    }
}

static void put_row(struct work *w, struct buf *b, const struct rows *q,
                    const struct personal_table *t)
{
    const struct personal_column *c = columns;

    while (strcmp(c->table, t->name) != 0)
        c++;
    buf_adds(b, b->p[b->n - 1] == '[' ? "{" : ",{");
    for (int i = 0; c + i < columns + COLUMNS && !strcmp(c[i].table, t->name); i++)
        put_column(w, b, q, i, &c[i]);
    buf_addc(b, '}');
}

static enum rc query_of(struct work *w, const struct personal_table *t,
                        const struct personal_keys *k, int i, struct rows *q)
{
    switch (t->key) {
    case PERSONAL_BY_PHONE:
        return db_query(w, t->find, q, "b", k->phones[i], (size_t)HASH_BYTES);
    case PERSONAL_BY_ACTOR: return db_query(w, t->find, q, "t", actor_of(w, k->numbers[i]));
    case PERSONAL_BY_NUMBER: break;
    }
    return db_query(w, t->find, q, "i", k->numbers[i]);
}

static enum rc put_rows(struct work *w, struct buf *b, const struct personal_table *t,
                        const struct personal_keys *k)
{
    struct rows q;
    enum rc rc = RC_OK;

    for (int i = 0; i < keys_of(t, k) && !rc; i++) {
        if ((rc = query_of(w, t, k, i, &q)))
            return rc;
        while (rows_next(&q))
            put_row(w, b, &q, t);
        rc = rows_done(&q);
    }
    return rc;
}

static enum rc put_table(struct work *w, struct buf *b, const struct personal_table *t,
                         const struct personal_keys *k)
{
    enum rc rc;

    buf_adds(b, b->p[b->n - 1] == '[' ? "{" : ",{");
    jx_put_text(b, "table", t->name);
    jx_put_text(b, "what", t->chinese);
    jx_put_text(b, "kept", t->kept);
    jx_key(b, "rows");
    buf_addc(b, '[');
    rc = put_rows(w, b, t, k);
    buf_adds(b, "]}");
    return rc;
}

enum rc personal_export(struct work *w, int64_t account, struct buf *out)
{
    char time[CLOCK_TEXT];
    struct personal_keys k;
    enum rc rc;

    if ((rc = personal_find_keys(w, account, &k)))
        return rc;
    buf_addc(out, '{');
    jx_put_int(out, "account", account);
    jx_put_text(out, "exported", clock_text(clock_now(), time));
    jx_key(out, "tables");
    buf_addc(out, '[');
    for (const struct personal_table *t = tables; t < tables + TABLES && !rc; t++)
        if (t->find != SQL_COUNT)
            rc = put_table(w, out, t, &k);
    buf_adds(out, "]}\n");
    return rc;
}
