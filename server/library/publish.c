/*
 * publish.c - from the library to the public, and back.
 *
 *     publish   the newest revision takes the place of the live one        op put
 *     purge     the same, and all earlier revisions are forgotten          op put, flag purge
 *     move      the same revision in another column                        op put
 *     withdraw, expire, take down                                          tombstone
 *
 * Each is: check the table of states, one change (change.c), then the rows of item and
 * revision. Whatever fails takes the whole with it, because it all stands in one savepoint.
 *
 * When something was published is the server's clock and never changes after the first time;
 * the date a source claims is another field (sourceDate).
 */
#include "server/library/publish.h"

#include <string.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/metric.h"
#include "server/identity/audit.h"
#include "server/library/change.h"
#include "server/library/column.h"
#include "server/library/eyes.h"
#include "server/library/item_row.h"
#include "server/library/record.h"
#include "server/library/review.h"
#include "server/library/row.h"
#include "server/library/ruling.h"
#include "server/library/schedule.h"
#include "server/library/site.h"
#include "server/library/takedown.h"

enum { DUE_AT_ONCE = 200 };

static enum rc supersede_live(struct work *w, const struct item *it, int64_t rev)
{
    enum state to;
    enum rc rc;

    if (!it->live_rev || it->live_rev == rev)
        return RC_OK;
    if ((rc = state_step(w, VERB_SUPERSEDE, it->site, STATE_PUBLISHED, NULL, &to)) ||
        (rc = db_change(w, SQL_revision_set_state, "bit", it->id.b, sizeof it->id.b,
                        it->live_rev, state_name(to))))
        return rc;
    return revision_log(w, &it->id, it->live_rev, VERB_SUPERSEDE, STATE_PUBLISHED, to, NULL);
}

/* A signed warning is told as it came; a revision that is before the public may move. */
static enum rc check_fit(struct work *w, const struct item *it, const struct content *c,
                         int64_t rev)
{
    if (c->kind == KIND_WARNING || it->live_rev == rev)
        return RC_OK;
    return ruling_obey(w, &(struct ruling){ it, rev, c, CHECK_PUBLISH });
}

enum rc item_put(struct work *w, struct item *it, const struct content *c, int64_t rev,
                 const struct item_place *place, unsigned flags)
{
    struct buf record = BUF_IN(w->mem);
    struct record_facts facts = { .id = it->id,
                                  .revision = rev,
                                  .site = place->site,
                                  .column = place->column,
                                  .authority = it->authority,
                                  .origin_id = it->origin_id };
    struct change change = { .stream = it->stream,
                             .born = it->born,
                             .item = it->id,
                             .rev = rev,
                             .op = CHANGE_PUT,
                             .flags = flags,
                             .site = it->site,
                             .col = it->col,
                             .title = c->title,
                             .gain = it->live_rev ? 0 : 1,
                             .at = clock_now() };
    enum rc rc;

    if ((rc = check_fit(w, it, c, rev)) || (rc = supersede_live(w, it, rev)))
        return rc;
    if (!it->published)
        it->published = change.at;
    if (it->live_rev != rev)
        it->updated = change.at;
    it->live_rev = rev;
    item_describe(it, c, it->published);
    facts.published = it->published;
    facts.updated = it->updated;
    record_write(c, &facts, &record);
    change.date = it->date;
    change.bytes = record.p;
    change.n = record.n;
    if ((rc = change_write(w, &change)))
        return rc;
    it->born = change.born;
    it->seq = change.seq;
    return RC_OK;
}

enum rc item_check_expiry(struct work *w, const struct content *c)
{
    if (c->expires && c->expires <= clock_now())
        return err_field(&w->err, "expires",
                         "it would be taken from the public at once: expires has passed");
    return RC_OK;
}

/* The rows behind a revision that is published now. `verb`: VERB_PUBLISH or VERB_PURGE. */
static enum rc publish_rows(struct work *w, struct item *it, enum verb verb, enum state to,
                            const char *reason)
{
    enum state from = it->state;
    enum rc rc;

    it->state = to;
    if ((rc = db_change(w, SQL_revision_publish, "biti", it->id.b, sizeof it->id.b, it->rev,
                        state_name(to), it->seq)) ||
        (rc = revision_log(w, &it->id, it->rev, verb, from, to, reason)) ||
        (rc = schedule_drop(w, &it->id)))
        return rc;
    return item_update(w, it);
}

/* The newest revision, which must be `rev`, as the table of states lets it be published. */
static enum rc publishable(struct work *w, const struct id *id, int64_t rev, enum verb verb,
                           const char *reason, struct item *it, enum state *to)
{
    enum rc rc;

    if ((rc = item_find(w, id, it)) || (rc = item_check_staff(&w->err, it->kind)))
        return rc;
    if (it->rev != rev)
        return err_set(&w->err, RC_CONFLICT, "revision %d was seen, but %d is the newest",
                       (int)rev, (int)it->rev);
    if ((rc = state_step(w, verb, it->site, it->state, reason, to)))
        return rc;
    return verb == VERB_PUBLISH || verb == VERB_PURGE ? review_passed(w, it) : RC_OK;
}

static enum rc publish_as(struct work *w, const struct id *id, int64_t rev, enum verb verb,
                          const char *reason, struct item *out)
{
    struct item_place place;
    struct content c;
    struct item it;
    enum state to;
    enum rc rc;

    if ((rc = publishable(w, id, rev, verb, reason, &it, &to)) ||
        (rc = item_place(w, it.site, it.col, &place)) ||
        (rc = revision_content(w, &it, rev, &c)) || (rc = item_check_expiry(w, &c)) ||
        (rc = item_put(w, &it, &c, rev, &place, 0)) ||
        (rc = publish_rows(w, &it, verb, to, reason)))
        return rc;
    *out = it;
    return RC_OK;
}

enum rc publish_item(struct work *w, const struct id *id, int64_t rev, struct item *out)
{
    return publish_as(w, id, rev, VERB_PUBLISH, NULL, out);
}

enum rc publish_emergency(struct work *w, const struct id *id, int64_t rev, const char *reason,
                          struct item *out)
{
    enum rc rc;

    if ((rc = emergency_check(w)) || (rc = publish_as(w, id, rev, VERB_EMERGENCY, reason, out)))
        return rc;
    return emergency_note(w, id);
}

enum rc publish_formal(struct work *w, const struct id *id, int64_t rev, struct item *out)
{
    return publish_as(w, id, rev, VERB_IMPORT, NULL, out);
}

enum rc publish_purge(struct work *w, const struct id *id, int64_t rev, const char *reason,
                      struct item *out)
{
    struct item_place place;
    struct takedown t;
    struct content c;
    struct item it;
    enum state to;
    enum rc rc;

    if ((rc = publishable(w, id, rev, VERB_PURGE, reason, &it, &to)))
        return rc;
    if (it.born < 0)
        return err_set(&w->err, RC_CONFLICT,
                       "nothing of this item was ever published: there is nothing to purge");
    if ((rc = takedown_begin(w, id, &t)) || (rc = item_place(w, it.site, it.col, &place)) ||
        (rc = revision_content(w, &it, rev, &c)) || (rc = item_check_expiry(w, &c)) ||
        (rc = item_put(w, &it, &c, rev, &place, CHANGE_PURGE)) ||
        (rc = publish_rows(w, &it, VERB_PURGE, to, reason)) ||
        (rc = takedown_forget_before(w, id, rev)) ||
        (rc = takedown_end(w, &t, &it, JOURNAL_PURGE, rev, reason)))
        return rc;
    *out = it;
    return RC_OK;
}

/*
 * What is public and moves to another site: what one site reviewed does not appear at another that has a chain of its own, and what two people
 * take down where it stands does not leave for where one does.
 */
static enum rc check_sites(struct work *w, int64_t from, int64_t to)
{
    struct chain old, new;
    enum rc rc;

    if (from == to || (rc = chain_of(w, from, &old)) || (rc = chain_of(w, to, &new)))
        return from == to ? RC_OK : rc;
    if (new.own)
        return err_set(&w->err, RC_CONFLICT,
                       "那个站点有自己的审核流程：先撤稿，移过去，再在那里送审");
    if (old.eyes > new.eyes)
        return err_set(&w->err, RC_CONFLICT,
                       "这个站点撤稿由两人办理：公开的内容先由两人撤下，再移走");
    return RC_OK;
}

enum rc publish_move(struct work *w, const struct id *id, int64_t col, struct item *out)
{
    struct item_place place;
    struct content c;
    struct column column;
    struct site site;
    struct item it;
    unsigned right;
    enum rc rc;

    if ((rc = item_find(w, id, &it)) || (rc = item_check_staff(&w->err, it.kind)) ||
        (rc = work_need_at(w, right = it.live_rev ? RIGHT_PUBLISH : RIGHT_EDIT, it.site)) ||
        (rc = column_by_no(w, col, &column)) || (rc = work_need_at(w, right, column.site)) ||
        (rc = site_by_no(w, column.site, &site)) ||
        (rc = item_place(w, column.site, col, &place)))
        return rc;
    if (it.col == col)
        return err_set(&w->err, RC_CONFLICT, "the item stands in \"%.200s\" already",
                       column.path);
    if (site.stream != it.stream)
        return err_set(&w->err, RC_CONFLICT, "an item cannot leave its stream");
    if (it.live_rev && (rc = check_sites(w, it.site, column.site)))
        return rc;
    it.site = column.site;
    it.col = col;
    if (it.live_rev && ((rc = revision_content(w, &it, it.live_rev, &c)) ||
                        (rc = item_put(w, &it, &c, it.live_rev, &place, 0))))
        return rc;
    if ((rc = item_update(w, &it)))
        return rc;
    *out = it;
    return RC_OK;
}

/* ---- no longer published ---- */

/* The revision that is, or last was, before the public. */
static enum rc public_revision(struct work *w, const struct item *it, int64_t *rev,
                               enum state *state)
{
    struct revision *r;
    int n;
    enum rc rc;

    if ((rc = item_revisions(w, &it->id, true, &r, &n)))
        return rc;
    if (!n)
        return err_set(&w->err, RC_CONFLICT, "the item was never published");
    *rev = r[0].rev;
    *state = r[0].state;
    return RC_OK;
}

/*
 * A withdrawal takes the text from everybody but those who edit: what the records hold goes back
 * into the revisions before the change removes the records.
 */
static enum rc keep_for_editors(struct work *w, const struct item *it)
{
    struct revision *r;
    struct content c;
    enum rc rc;
    int n;

    if ((rc = item_revisions(w, &it->id, true, &r, &n)))
        return rc;
    for (int i = 0; i < n; i++) {
        struct buf text = BUF_IN(w->mem);

        if ((rc = revision_content(w, it, r[i].rev, &c)) == RC_GONE)
            continue; /* an earlier purge */
        if (rc)
            return rc;
        content_write(&c, &text);
        if ((rc = db_change(w, SQL_revision_keep, "bib", it->id.b, sizeof it->id.b, r[i].rev,
                            text.p, text.n)))
            return rc;
    }
    return RC_OK;
}

static enum rc put_tombstone(struct work *w, struct item *it, int64_t rev, enum state to,
                             const char *reason)
{
    static const enum change_op ops[STATE_COUNT] = {
        [STATE_WITHDRAWN] = CHANGE_WITHDRAWN,
        [STATE_EXPIRED] = CHANGE_EXPIRED,
        [STATE_GONE] = CHANGE_GONE,
    };
    struct buf record = BUF_IN(w->mem);
    struct change change = { .stream = it->stream,
                             .born = it->born,
                             .item = it->id,
                             .rev = rev,
                             .op = ops[to],
                             .flags = to == STATE_EXPIRED ? 0 : CHANGE_PURGE,
                             .site = it->site,
                             .col = it->col,
                             .date = it->date,
                             .title = "",
                             .gain = it->live_rev ? -1 : 0,
                             .at = clock_now() };
    enum rc rc;

    record_tombstone(&it->id, to, reason, change.at, &record);
    change.bytes = record.p;
    change.n = record.n;
    if ((rc = change_write(w, &change)))
        return rc;
    it->seq = change.seq;
    it->live_rev = 0;
    return RC_OK;
}

/* Nothing of the text stays: not in drafts, not in the rows of lists, not in the names of
 * attachments. */
static enum rc forget(struct work *w, struct item *it)
{
    enum rc rc;

    it->state = STATE_GONE;
    it->title = "";
    it->summary = NULL;
    if ((rc = db_run(w, SQL_revision_forget, "bt", it->id.b, sizeof it->id.b,
                     state_name(STATE_GONE))) ||
        (rc = db_run(w, SQL_check_result_forget, "b", it->id.b, sizeof it->id.b)) ||
        (rc = schedule_drop(w, &it->id)) ||
        (rc = db_run(w, SQL_review_forget, "b", it->id.b, sizeof it->id.b)))
        return rc;
    return db_run(w, SQL_attachment_forget, "b", it->id.b, sizeof it->id.b);
}

/* The rows behind a tombstone of revision `rev`. */
static enum rc end_rows(struct work *w, struct item *it, int64_t rev, enum verb verb,
                        enum state from, enum state to, const char *reason)
{
    enum rc rc;

    if ((rc = db_change(w, SQL_revision_set_state, "bit", it->id.b, sizeof it->id.b, rev,
                        state_name(to))) ||
        (rc = revision_log(w, &it->id, rev, verb, from, to, reason)))
        return rc;
    if (it->rev == rev)
        it->state = to;
    if (to == STATE_WITHDRAWN && (rc = schedule_drop(w, &it->id)))
        return rc; /* it would come back by itself */
    if (to == STATE_GONE && (rc = forget(w, it)))
        return rc;
    return item_update(w, it);
}

enum rc publish_may_end(struct work *w, const struct id *id, enum verb verb, const char *reason)
{
    struct item it;
    int64_t rev = 0;
    enum state from = STATE_DRAFT, to;
    enum rc rc;

    if ((rc = item_find(w, id, &it)) || (rc = item_check_staff(&w->err, it.kind)) ||
        (rc = public_revision(w, &it, &rev, &from)))
        return rc;
    return state_step(w, verb, it.site, from, reason, &to);
}

enum rc publish_end(struct work *w, const struct id *id, enum verb verb, const char *reason,
                    struct item *out)
{
    struct takedown t;
    struct item it;
    int64_t rev = 0;
    enum state from = STATE_DRAFT, to = STATE_DRAFT;
    enum rc rc;

    if (verb != VERB_WITHDRAW && verb != VERB_EXPIRE && verb != VERB_GONE)
        return err_set(&w->err, RC_INVALID, "%s does not end a publication", verb_name(verb));
    if ((rc = item_find(w, id, &it)) ||
        (verb != VERB_EXPIRE && (rc = item_check_staff(&w->err, it.kind))) ||
        (rc = public_revision(w, &it, &rev, &from)) ||
        (rc = state_step(w, verb, it.site, from, reason, &to)) ||
        (rc = takedown_begin(w, id, &t)) ||
        (to == STATE_WITHDRAWN && (rc = keep_for_editors(w, &it))) ||
        (rc = put_tombstone(w, &it, rev, to, reason)) ||
        (rc = end_rows(w, &it, rev, verb, from, to, reason)))
        return rc;
    if (verb != VERB_EXPIRE &&
        (rc = takedown_end(w, &t, &it, verb == VERB_GONE ? JOURNAL_GONE : JOURNAL_WITHDRAW, rev,
                           reason)))
        return rc;
    *out = it;
    return RC_OK;
}

enum rc publish_never(struct work *w, const struct id *id, const char *reason)
{
    struct takedown t;
    struct item it;
    enum state from;
    enum rc rc;

    if ((rc = item_find(w, id, &it)) || (rc = work_need_at(w, RIGHT_PUBLISH, it.site)))
        return rc;
    if (it.born >= 0)
        return err_set(&w->err, RC_CONFLICT,
                       "the item was published: it ends with a tombstone");
    from = it.state;
    if ((rc = takedown_begin(w, id, &t)) || (rc = forget(w, &it)) ||
        (rc = revision_log(w, id, it.rev, VERB_GONE, from, STATE_GONE, reason)) ||
        (rc = item_update(w, &it)) || (rc = takedown_forget_answers(w)))
        return rc;
    return takedown_files(w, &t);
}

static enum rc find_due(struct work *w, int limit, struct buf *ids)
{
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_item_expiring, &q, "ii", clock_now(), (int64_t)limit)))
        return rc;
    while (!rc && rows_next(&q)) {
        struct id id;

        if (!(rc = row_bytes(w, &q, 0, id.b, sizeof id.b)))
            buf_add(ids, &id, sizeof id);
    }
    return row_finish(&q, rc);
}

/*
 * One item in a savepoint of its own: what is wrong with one must not keep the others before the
 * public. Not RC_OK only when the store failed.
 */
static enum rc expire_one(struct work *w, const struct id *id, int *done)
{
    struct commit_hook **end = &w->after;
    struct item it;
    enum rc rc, why;

    while (*end)
        end = &(*end)->next;
    if ((rc = db_savepoint(w)))
        return rc;
    if (!(why = publish_end(w, id, VERB_EXPIRE, NULL, &it))) {
        ++*done;
        return db_release(w);
    }
    if (why == RC_IO || why == RC_FULL || why == RC_UNWRITABLE || why == RC_BUSY)
        return why;
    LOG(LOG_ERROR, "expire_refused", L_STR("why", w->err.text));
    *end = NULL;
    return db_back(w);
}

enum rc publish_expire_due(struct work *w, int limit, int *done)
{
    struct buf ids = BUF_IN(w->mem);
    enum rc rc;

    *done = 0;
    if ((rc = find_due(w, limit, &ids)))
        return rc;
    for (size_t at = 0; at < ids.n; at += sizeof(struct id))
        if ((rc = expire_one(w, (const struct id *)(const void *)(ids.p + at), done)))
            return rc;
    return RC_OK;
}

static enum rc tell_expired(struct work *w, int done)
{
    if (!done)
        return RC_OK;
    work_fact(w, "items", done);
    return audit_add(w, AUDIT_item_expire, NULL, RC_OK);
}

static enum rc expire(struct work *w, int *done)
{
    enum rc rc;

    if ((rc = db_begin(w)))
        return rc;
    if ((rc = publish_expire_due(w, DUE_AT_ONCE, done)) || (rc = tell_expired(w, *done)) ||
        (rc = db_commit(w))) {
        db_rollback(w->db);
        return rc;
    }
    work_committed(w);
    return RC_OK;
}

enum rc publish_count(struct work *w, void *unused)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_stream_live, &q, "");

    (void)unused;
    if (!rc)
        metric_set(METRIC_items_published, rows_int(&q, 0));
    return row_finish(&q, rc);
}

void publish_tick(struct db *db, void *arg)
{
    struct arena *mem = arena_new();
    struct work w;
    int done;

    (void)arg;
    work_init(&w, mem, db, "clock", RIGHT_PUBLISH);
    if (expire(&w, &done))
        LOG(LOG_ERROR, "expire_failed", L_STR("why", w.err.text));
    else if (done)
        LOG(LOG_INFO, "expired", L_INT("items", done));
    arena_free(mem);
}
