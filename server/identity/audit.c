/*
 * audit.c - rows and their chain.
 *
 *     audit_end --> no + 1, chain --> row --> chain' --> audit_end'
 *
 * Nothing is kept in memory: a transaction that is rolled back takes its rows with it, numbers
 * too, so there is never a gap. Where the log continues is read from audit_end and not from the table,
 * so that a row that somebody removed from its end is missed by the next one. If he put back an older end as well, the server knows better (audit_mark.h): the row
 * audit.cut says so before the next one.
 */
#include "server/identity/audit.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "server/base/be64.h"
#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/base/log.h"
#include "server/base/seal.h"
#include "server/base/secret.h"
#include "server/identity/audit_head.h"
#include "server/identity/audit_mark.h"
#include "server/store/db.h"

static const struct {
    const char *word, *chinese;
} actions[AUDIT_ACTIONS] = {
    [AUDIT_NOTHING] = { "", "" },
#define AUDIT(name, word, chinese) [AUDIT_##name] = { word, chinese },
#include "server/identity/audit.def"
#undef AUDIT
};

const char *audit_word(enum audit_action a)
{
    return actions[a].word;
}

enum audit_action audit_find(const char *word)
{
    for (int a = 1; a < AUDIT_ACTIONS; a++)
        if (!strcmp(actions[a].word, word))
            return (enum audit_action)a;
    return AUDIT_NOTHING;
}

const char *audit_chinese(const char *word)
{
    return actions[audit_find(word)].chinese;
}

/* ---- the chain ---- */

void audit_first(uint8_t chain[HASH_BYTES])
{
    static const char name[] = "tjzw audit 1";

    sha256(name, strlen(name), chain);
}

static void add_number(crypto_hash_sha256_state *s, int64_t v)
{
    uint8_t b[8];

    be64_put(b, v);
    crypto_hash_sha256_update(s, b, sizeof b);
}

static void add_bytes(crypto_hash_sha256_state *s, const void *p, size_t n)
{
    uint32_t length = p ? (uint32_t)n : UINT32_MAX;
    const uint8_t b[4] = { (uint8_t)(length >> 24), (uint8_t)(length >> 16),
                           (uint8_t)(length >> 8), (uint8_t)length };

    crypto_hash_sha256_update(s, b, sizeof b);
    if (p)
        crypto_hash_sha256_update(s, p, n);
}

static void add_text(crypto_hash_sha256_state *s, const char *text)
{
    add_bytes(s, text, text ? strlen(text) : 0);
}

void audit_next(const uint8_t before[HASH_BYTES], const struct audit_row *r,
                uint8_t out[HASH_BYTES])
{
    crypto_hash_sha256_state s;

    crypto_hash_sha256_init(&s);
    crypto_hash_sha256_update(&s, before, HASH_BYTES);
    add_number(&s, r->no);
    add_number(&s, r->at);
    add_number(&s, r->session);
    add_text(&s, r->actor);
    add_text(&s, r->action);
    add_text(&s, r->object);
    add_text(&s, r->result);
    add_bytes(&s, r->address, r->address_n);
    add_text(&s, r->details);
    crypto_hash_sha256_final(&s, out);
}

bool audit_read(const struct rows *q, struct audit_row *out)
{
    size_t n;
    const void *chain = rows_blob(q, 9, &n);

    *out = (struct audit_row){ .no = rows_int(q, 0),
                               .at = rows_int(q, 1),
                               .session = rows_int(q, 2),
                               .actor = rows_text(q, 3),
                               .action = rows_text(q, 4),
                               .object = rows_text(q, 5),
                               .result = rows_text(q, 6),
                               .details = rows_text(q, 8) };
    out->address = rows_blob(q, 7, &out->address_n);
    if (!out->address && !rows_null(q, 7))
        out->address = (const uint8_t *)""; /* something that is nothing: not what we wrote */
    if (!chain || n != HASH_BYTES)
        return false;
    memcpy(out->chain, chain, HASH_BYTES);
    return true;
}

/* ---- the end ---- */

static uint8_t end_key[SECRET_BYTES];

void audit_end_key(const uint8_t *key)
{
    if (key)
        memcpy(end_key, key, sizeof end_key);
    else
        secret_wipe(end_key, sizeof end_key);
}

static void mac_of(const struct audit_end *end, uint8_t mac[HASH_BYTES])
{
    static const char name[] = "tjzw audit end";
    uint8_t text[sizeof name - 1 + 8 + HASH_BYTES];

    memcpy(text, name, sizeof name - 1);
    be64_put(text + sizeof name - 1, end->no);
    memcpy(text + sizeof name - 1 + 8, end->chain, HASH_BYTES);
    secret_mac(end_key, text, sizeof text, mac);
}

static bool take_end(const struct rows *q, struct audit_end *out)
{
    size_t chain_n, mac_n;
    const void *chain = rows_blob(q, 1, &chain_n), *mac = rows_blob(q, 2, &mac_n);
    uint8_t want[HASH_BYTES];

    if (!chain || chain_n != HASH_BYTES)
        return false;
    out->no = rows_int(q, 0);
    memcpy(out->chain, chain, HASH_BYTES);
    mac_of(out, want);
    out->holds = mac && mac_n == HASH_BYTES && secret_equal(mac, want, HASH_BYTES);
    return true;
}

/* Somebody removed `audit_end`: the table's own end, or that of nothing. */
static enum rc find_end(struct work *w, struct audit_end *out)
{
    struct audit_row row;
    struct rows q;
    enum rc rc;

    *out = (struct audit_end){ 0 };
    audit_first(out->chain);
    if ((rc = db_query(w, SQL_audit_last, &q, "")))
        return rc;
    if (rows_next(&q)) {
        (void)audit_read(&q, &row);
        out->no = row.no;
        memcpy(out->chain, row.chain, HASH_BYTES);
    }
    return rows_done(&q);
}

enum rc audit_end_read(struct work *w, struct audit_end *out)
{
    bool found = false;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_audit_end, &q, "")))
        return rc;
    if (rows_next(&q))
        found = take_end(&q, out);
    rc = rows_done(&q);
    return rc || found ? rc : find_end(w, out);
}

static enum rc end_write(struct work *w, const struct audit_end *end)
{
    uint8_t mac[HASH_BYTES];

    mac_of(end, mac);
    return db_run(w, SQL_audit_end_set, "ibb", end->no, end->chain, (size_t)HASH_BYTES, mac,
                  sizeof mac);
}

/* ---- a row ---- */

/* What is not visible ASCII would be another row's beginning in somebody's terminal. */
static const char *visible(struct work *w, const char *text)
{
    char *copy = text ? arena_strndup(w->mem, text, strnlen(text, AUDIT_OBJECT_MAX)) : NULL;

    for (char *c = copy; c && *c; c++)
        if (*c <= ' ' || *c > '~')
            *c = '?';
    return copy;
}

/* A word that is none is our own mistake. */
static const char *details_text(struct work *w)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:,/-";
    struct buf b = BUF_IN(w->mem);

    if (!w->nfacts && !w->who.person)
        return NULL;
    buf_addc(&b, '{');
    if (w->who.person) /* who acts for it is the actor */
        jx_put_int(&b, "for", w->who.account);
    for (const struct fact *f = w->facts; f < w->facts + w->nfacts; f++) {
        assert(!f->word || (strlen(f->word) <= AUDIT_WORD_MAX &&
                            strspn(f->word, letters) == strlen(f->word)));
        if (f->word)
            jx_put_text(&b, f->name, f->word);
        else
            jx_put_int(&b, f->name, f->number);
    }
    buf_addc(&b, '}');
    return b.p;
}

static enum rc seal_address(struct work *w, struct audit_row *row)
{
    uint8_t *sealed;
    enum rc rc;

    if (!w->client || !*w->client)
        return RC_OK;
    if ((rc = seal_close(w, (struct seal_place){ "audit.address", row->no }, w->client,
                         strlen(w->client), &sealed, &row->address_n)))
        return rc;
    row->address = sealed;
    return RC_OK;
}

static enum rc put(struct work *w, const struct audit_row *row)
{
    struct audit_end end = { .no = row->no };
    enum rc rc;

    if ((rc = db_run(w, SQL_audit_put,
                     "iiitttt"
                     "btb",
                     row->no, row->at, row->session, row->actor, row->action, row->object,
                     row->result, row->address, row->address_n, row->details, row->chain,
                     (size_t)HASH_BYTES)))
        return rc;
    memcpy(end.chain, row->chain, HASH_BYTES);
    audit_mark_later(w, &end);
    return end_write(w, &end);
}

static enum rc add(struct work *w, struct audit_row *row, const uint8_t before[HASH_BYTES])
{
    enum rc rc;

    row->at = clock_now();
    row->session = w->who.session;
    row->actor = w->who.name;
    row->details = details_text(w);
    if ((rc = seal_address(w, row)))
        return rc;
    audit_next(before, row, row->chain);
    if ((rc = put(w, row)))
        return rc;
    return row->no % AUDIT_HEAD_ROWS ? RC_OK : audit_head_sign(w);
}

/* While this process runs, nobody else writes: a restore is before its start. */
static bool is_cut(const struct audit_end *end, struct audit_end *mark)
{
    bool own;

    return audit_mark(mark, &own) && own &&
           (end->no < mark->no ||
            (end->no == mark->no && memcmp(end->chain, mark->chain, HASH_BYTES) != 0));
}

/* The numbers of the rows that are gone are nobody else's. *end is the new end. */
static enum rc say_cut(struct work *w, struct audit_end *end, const struct audit_end *mark)
{
    struct work own = *w;
    struct audit_row row = { .no = mark->no + 1,
                             .action = audit_word(AUDIT_audit_cut),
                             .result = rc_name(RC_OK) };
    enum rc rc;

    LOG(LOG_ERROR, "audit_cut", L_INT("after", end->no), L_INT("was", mark->no));
    own.who = (struct actor){ .name = "system" };
    own.client = NULL;
    work_forget_facts(&own);
    work_fact(&own, "after", end->no);
    work_fact(&own, "agreed", end->no);
    work_fact(&own, "signed", mark->no);
    work_fact(&own, "live", 1);
    rc = add(&own, &row, end->chain);
    w->after = own.after;
    w->err = own.err;
    end->no = row.no;
    memcpy(end->chain, row.chain, HASH_BYTES);
    return rc;
}

enum rc audit_add(struct work *w, enum audit_action action, const char *object, enum rc result)
{
    struct audit_row row = { .action = audit_word(action),
                             .object = visible(w, object),
                             .result = rc_name(result) };
    struct audit_end end, mark;
    enum rc rc;

    if ((rc = audit_end_read(w, &end)) ||
        (is_cut(&end, &mark) && (rc = say_cut(w, &end, &mark))))
        return rc;
    row.no = end.no + 1;
    return add(w, &row, end.chain);
}

enum rc audit_add_at(struct work *w, enum audit_action action, int64_t no)
{
    struct audit_row row = { .no = no, .action = audit_word(action), .result = rc_name(RC_OK) };
    struct audit_end end;
    enum rc rc;

    if ((rc = audit_end_read(w, &end)))
        return rc;
    return add(w, &row, end.chain);
}
