/*
 * visit.c - what a device brings, in its order; then what it is given.
 *
 *     n <= taken    known: the result it had then, if it is the same mutation
 *     n == taken+1  taken: effect, result and n in the transaction that the visit is
 *     n >  taken+1  a gap: nothing of it
 *
 *     no cursor, another epoch, below the floor, ahead of us --> all there is, from seq 0: live entries, and tombstones behind the moment when it
 *     began; until that is done the cursor says when that was. Else: what changed behind it.
 *
 * A cursor in the middle of all there is may stand far below the floor: what it has to hear of is what went since it began.
 */
#include "server/citizen/visit.h"

#include <string.h>

#include <sodium.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/citizen/compact.h"
#include "server/citizen/device.h"
#include "server/citizen/epoch.h"
#include "server/citizen/known.h"
#include "server/store/db.h"
#include "sync/state.h"

enum { DAY = 86400, ACKS_WAIT = DEVICE_RESULTS_MOST / 4 };

/* ---- what it is given ---- */

/* Where reading begins. */
static void begin(const struct visit *v, const struct citizen *c, struct visited *out)
{
    const struct cursor *at = &v->cursor;
    int64_t upto = at->since > at->seq ? at->since : at->seq;

    out->reset = !v->holds || at->epoch != epoch_now() || upto < c->floor || upto > c->seq;
    out->cursor = (struct cursor){ epoch_now(), at->seq, at->since };
    if (out->reset)
        out->cursor = (struct cursor){ epoch_now(), 0, c->seq };
}

static enum rc give(struct work *w, const struct visit *v, struct visited *out)
{
    struct entry_page *page = &out->page;
    struct cursor *at = &out->cursor;
    struct citizen c;
    enum rc rc;

    if ((rc = citizen_get(w, v->account, &c)))
        return rc;
    begin(v, &c, out);
    *page = (struct entry_page){ .since = at->seq,
                                 .tombstones = at->since > at->seq ? at->since : at->seq,
                                 .most = v->most };
    if ((rc = entry_list(w, v->account, page)))
        return rc;
    if (page->more)
        at->seq = page->entries[page->n - 1].seq;
    else
        *at = (struct cursor){ at->epoch, c.seq, -1 };
    return RC_OK;
}

/* ---- in memory ---- */

bool visit_idle(const struct visit *v, struct visited *out)
{
    struct known state, device;

    if (v->n || !v->holds || v->cursor.since >= 0 || v->cursor.epoch != epoch_now() ||
        !known_get(v->account, NULL, &state) || v->cursor.seq != state.a)
        return false;
    *out = (struct visited){ .cursor = v->cursor };
    if (!v->device)
        return true;
    if (!known_get(v->account, v->device, &device) || clock_now() - device.b >= DAY)
        return false;
    out->expected = device.a + 1;
    return true;
}

/* ---- without a change ---- */

/* The day on which it was heard of last is over. */
static bool is_new_day(const struct device *d)
{
    return !d->here || clock_now() - d->heard >= DAY || clock_now() < d->heard - DAY;
}

/* So is that it has much to acknowledge, which otherwise waits for its next mutation. */
static bool is_worth_writing(const struct visit *v, const struct device *d)
{
    return is_new_day(d) || v->acked - d->acked >= ACKS_WAIT;
}

static enum rc read(struct work *w, const struct visit *v, struct visited *out,
                    struct device *d)
{
    enum rc rc;

    *out = (struct visited){ 0 };
    if (v->device && (rc = device_get(w, v->account, v->device, d)))
        return rc;
    out->expected = v->device ? d->n + 1 : 0;
    return give(w, v, out);
}

enum rc visit_read(struct work *w, const struct visit *v, struct visited *out, bool *must_write)
{
    struct device d = { 0 };
    enum rc rc;

    known_expect(v->account, NULL);
    if (v->device)
        known_expect(v->account, v->device);
    if ((rc = db_begin_read(w)))
        return rc;
    rc = read(w, v, out, &d);
    db_end_read(w->db);
    if (rc)
        return rc;
    *must_write = v->device && is_worth_writing(v, &d);
    if (!out->page.more)
        known_found(v->account, NULL, (struct known){ .a = out->cursor.seq });
    if (d.here)
        known_found(v->account, v->device, (struct known){ d.n, d.heard });
    return RC_OK;
}

/* ---- one mutation ---- */

static void hash_of(const struct mutation *m, uint8_t out[DEVICE_HASH])
{
    crypto_generichash_state s;

    crypto_generichash_init(&s, NULL, 0, DEVICE_HASH);
    crypto_generichash_update(&s, (const uint8_t *)m->type, strlen(m->type) + 1);
    crypto_generichash_update(&s, (const uint8_t *)m->key, strlen(m->key) + 1);
    crypto_generichash_update(&s, (const uint8_t *)&m->seen, sizeof m->seen);
    if (m->text)
        crypto_generichash_update(&s, (const uint8_t *)m->text, strlen(m->text));
    crypto_generichash_final(&s, out, DEVICE_HASH);
}

/* Whether the entry still stands where its author saw it. */
static enum rc check_seen(struct work *w, const struct mutation *m, bool *holds)
{
    struct entry e = { 0 };
    enum rc rc = entry_get(w, m->account, m->type, m->key, &e);

    if (rc && rc != RC_NOT_FOUND)
        return rc;
    *holds = m->seen ? e.seq == m->seen : !e.value;
    return RC_OK;
}

static enum rc write_entry(struct work *w, const struct mutation *m, const struct state_type *t,
                           struct result *r)
{
    bool holds = true;
    enum rc rc;

    if (!t || t->writer != STATE_BY_PHONE)
        return result_refuse(r, REFUSED_type, NULL);
    if (!state_key_ok(t, m->key))
        return result_refuse(r, REFUSED_key, NULL);
    if (m->value && (!m->text || !state_value_ok(t, m->key, m->text)))
        return result_refuse(r, REFUSED_value, NULL);
    if (m->seen >= 0 && (rc = check_seen(w, m, &holds)))
        return rc;
    if (!holds)
        return result_refuse(r, REFUSED_conflict, NULL);
    rc = entry_put(w, m->account, m->type, m->key, m->text, NULL, &r->seq);
    return rc == RC_TOO_MANY ? result_refuse(r, REFUSED_too_many, NULL) : rc;
}

/* What an action says by its failure; REFUSED_NOT: that it is none of the device's. */
static enum refused why_of(enum rc rc)
{
    switch (rc) {
    case RC_INVALID:
    case RC_TOO_LARGE: return REFUSED_value;
    case RC_FORBIDDEN:
    case RC_UNLISTED: return REFUSED_rights;
    case RC_NOT_FOUND: return REFUSED_missing;
    case RC_CONFLICT: return REFUSED_conflict;
    case RC_GONE: return REFUSED_closed;
    case RC_TOO_MANY: return REFUSED_limit;
    default: return REFUSED_NOT;
    }
}

static bool is_plain(const char *key)
{
    size_t n = strnlen(key, STATE_KEY_MAX + 1);

    for (size_t i = 0; i < n; i++)
        if ((unsigned char)key[i] < 0x20 || key[i] == 0x7f)
            return false;
    return n >= 1 && n <= STATE_KEY_MAX;
}

static enum rc act(struct work *w, const struct mutation *m, const struct action *a,
                   struct result *r)
{
    enum rc rc, end;

    if (!is_plain(m->key))
        return result_refuse(r, REFUSED_key, NULL);
    if (m->value && !m->text)
        return result_refuse(r, REFUSED_value, NULL);
    if (w->who.level < a->level)
        return result_refuse(r, REFUSED_rights, NULL);
    if ((rc = db_savepoint(w)))
        return rc;
    rc = a->apply(w, m, r);
    end = rc || r->why ? db_back(w) : db_release(w); /* what is refused has changed nothing */
    if (end)
        return end;
    return rc && why_of(rc) ? (*r = (struct result){ 0 }, result_refuse(r, why_of(rc), NULL))
                            : rc;
}

static enum rc apply(struct work *w, const struct mutation *m, struct result *r)
{
    const struct action *a = action_find(m->type);

    return a ? act(w, m, a, r) : write_entry(w, m, state_type_find(m->type), r);
}

/* The result as the device is told it. */
static const char *print(struct work *w, const struct mutation *m, const struct result *r)
{
    struct buf b = BUF_IN(w->mem);

    buf_addc(&b, '{');
    if (r->why) {
        jx_put_text(&b, "code", refused_code(r->why));
        jx_put_text(&b, "detail", r->detail ? r->detail : refused_chinese(r->why));
    }
    jx_put_int(&b, "n", m->n);
    jx_put_text(&b, "result", r->why ? "refused" : "done");
    if (r->seq && !r->why)
        jx_put_int(&b, "seq", r->seq);
    if (r->more.n > 1) {
        buf_addc(&b, ',');
        buf_add(&b, r->more.p + 1, r->more.n - 1);
    }
    buf_addc(&b, '}');
    return b.p;
}

/* ---- what it brings ---- */

/* Each in memory of its own: what 500 of them want is what one wants. */
static enum rc take(struct work *w, const struct mutation *m, const uint8_t hash[DEVICE_HASH],
                    struct device *d, const char **body)
{
    struct result r = { 0 };
    enum rc rc;

    work_part(w);
    if (!(rc = apply(w, m, &r)))
        *body = arena_strdup(work_kept(w), print(w, m, &r));
    work_part_done(w);
    if (rc)
        return rc;
    d->n = m->n;
    return device_result_put(w, m->account, m->device, m->n, hash, *body);
}

static enum rc recall(struct work *w, const struct mutation *m, const uint8_t hash[DEVICE_HASH],
                      const char **body)
{
    static const struct result other = { .why = REFUSED_other_content };
    bool same;
    enum rc rc;

    if ((rc = device_result_get(w, m->account, m->device, m->n, hash, &same, body)))
        return rc;
    if (!same)
        *body = print(w, m, &other);
    else if (!*body)
        *body = arena_printf(w->mem, "{\"n\":%lld,\"result\":\"known\"}", (long long)m->n);
    return RC_OK;
}

static enum rc bring(struct work *w, const struct visit *v, struct device *d,
                     struct visited *out)
{
    uint8_t hash[DEVICE_HASH];
    const char *body;
    enum rc rc;

    for (int i = 0; i < v->n; i++) {
        const struct mutation *m = &v->mutations[i];

        if (m->n > d->n + 1 || (m->n > d->n && d->n - d->acked >= DEVICE_RESULTS_MOST))
            return RC_OK;
        hash_of(m, hash);
        if ((rc = m->n > d->n ? take(w, m, hash, d, &body) : recall(w, m, hash, &body)))
            return rc;
        if (out->results.n)
            buf_addc(&out->results, ',');
        buf_adds(&out->results, body);
    }
    return RC_OK;
}

/* What the device holds tells which tombstones it waits for: those behind its cursor. */
static void note(const struct visit *v, const struct visited *given, struct device *d)
{
    const struct cursor *at = &v->cursor;

    d->seq = given->reset ? given->page.tombstones : at->since > at->seq ? at->since : at->seq;
}

static enum rc write_down(struct work *w, const struct visit *v, struct visited *out)
{
    struct device d;
    enum rc rc;

    if ((rc = device_get(w, v->account, v->device, &d)) ||
        (rc = device_ack(w, v->account, v->device, &d, v->acked)) ||
        (rc = bring(w, v, &d, out)) || (rc = give(w, v, out)))
        return rc;
    out->expected = d.n + 1;
    note(v, out, &d);
    if (!is_new_day(&d))
        return device_move(w, v->account, v->device, &d);
    rc = device_hear(w, v->account, v->device, &d);
    return rc ? rc : compact_account(w, v->account);
}

enum rc visit_write(struct work *w, const struct visit *v, struct visited *out)
{
    *out = (struct visited){ .results = BUF_IN(w->mem) };
    return write_down(w, v, out);
}
