/*
 * replay.c - a restored backup does not know what was taken down after it was made. The journal
 * (journal.c) does.
 *
 * A line names the change by epoch and seq, and the log's ancestry says whether that change is
 * in its past:
 *
 *     in the past                the log holds it, or gave the number to another change because
 *                                the line's own COMMIT never came: then its `void` is written
 *     of this epoch, not yet     the COMMIT never came: `void`
 *     of no past of this log     lost by a restore: done again, before anybody is served
 *
 * Then a line `replayed` says how far the log had come with it. As long as that is in the past
 * of the log, the lines above it are settled, and what editors published afterwards stays; a
 * restore of a still older backup loses the `replayed` too, and all begins again. A `void` that
 * stands below a line of the same epoch and seq cancels it.
 *
 * Done again means: what was withdrawn or gone and is there, is withdrawn or gone. Of a purge
 * the corrected text is lost with the restore, and the text before it must not come back: the
 * item is withdrawn until somebody writes the correction again; the log of the process and
 * `tjzw doctor` say so. An item that the backup never had needs nothing, and one that is not
 * public any more only has to be gone if that was said.
 *
 * All of it stands in one transaction with the founding of the new epoch; the lines it writes
 * to the journal for its own changes are voided like any other if that transaction fails.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/log.h"
#include "server/library/change.h"
#include "server/library/publish.h"
#include "server/library/row.h"
#include "server/library/takedown.h"

struct pair {
    int64_t epoch, first;
};

struct replay {
    struct work *w;
    struct stream s;
    const struct pair *pairs;
    size_t pairs_n;
    struct journal_line *lines; /* of this stream */
    int n;
};

/* ---- what is in the past ---- */

static enum rc read_ancestry(struct replay *r)
{
    struct buf list = BUF_IN(r->w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(r->w, SQL_ancestry_all, &q, "i", r->s.no)))
        return rc;
    while (rows_next(&q)) {
        struct pair p = { rows_int(&q, 0), rows_int(&q, 1) };

        buf_add(&list, &p, sizeof p);
    }
    r->pairs = (const struct pair *)(const void *)list.p;
    r->pairs_n = list.n / sizeof *r->pairs;
    return rows_done(&q);
}

static bool is_past(const struct replay *r, const struct journal_line *l)
{
    for (size_t i = 0; i < r->pairs_n; i++)
        if (r->pairs[i].epoch == l->epoch)
            return l->seq <= (i + 1 < r->pairs_n ? r->pairs[i + 1].first - 1 : r->s.seq);
    return false;
}

/* Whether the log's change of that number is the line's. */
static enum rc came_to_pass(struct replay *r, const struct journal_line *l, bool *out)
{
    uint8_t item[ID_BYTES];
    struct rows q;
    enum rc rc = db_one(r->w, SQL_takedown_change, &q, "ii", r->s.no, l->seq);

    *out = false;
    if (!rc && !(rc = row_bytes(r->w, &q, 0, item, sizeof item)))
        *out = !memcmp(item, l->item.b, sizeof item) && rows_int(&q, 1) & CHANGE_PURGE;
    rc = row_finish(&q, rc);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* ---- reading ---- */

/* The stream's lines below the last `replayed` that counts, without those that are void. */
static enum rc read_lines(struct replay *r)
{
    struct journal_line *all;
    int n, keep = 0;
    enum rc rc;

    if (!fs_exists(journal_path()))
        return RC_OK;
    if ((rc = journal_read(&r->w->err, r->w->mem, journal_path(), &all, &n)))
        return rc;
    for (int i = 0; i < n; i++) {
        if (strcmp(all[i].stream, r->s.name))
            continue;
        if (all[i].verb == JOURNAL_REPLAYED) {
            keep = is_past(r, &all[i]) ? 0 : keep;
            continue;
        }
        if (all[i].verb != JOURNAL_VOID) {
            all[keep++] = all[i];
            continue;
        }
        for (int j = keep; j-- > 0;)
            if (all[j].epoch == all[i].epoch && all[j].seq == all[i].seq) {
                memmove(&all[j], &all[j + 1], (size_t)(--keep - j) * sizeof *all);
                break;
            }
    }
    r->lines = all;
    r->n = keep;
    return RC_OK;
}

static enum rc append_about(struct replay *r, enum journal_verb verb, int64_t epoch,
                            int64_t seq)
{
    struct journal_line l = {
        .epoch = epoch, .seq = seq, .verb = verb, .reason = "", .at = clock_now()
    };

    memcpy(l.stream, r->s.name, sizeof l.stream);
    return journal_append(&r->w->err, &l, 1);
}

/* Leaves in r->lines those that were lost. */
static enum rc find_lost(struct replay *r)
{
    int lost = 0;
    enum rc rc = RC_OK;

    for (int i = 0; i < r->n; i++) {
        const struct journal_line l = r->lines[i];
        bool happened = false;

        if (is_past(r, &l)) {
            if ((rc = came_to_pass(r, &l, &happened)))
                return rc;
        } else if (l.epoch != r->s.epoch) {
            r->lines[lost++] = l;
            continue;
        }
        if (!happened && (rc = append_about(r, JOURNAL_VOID, l.epoch, l.seq)))
            return rc;
    }
    r->n = lost;
    return RC_OK;
}

/* ---- doing it again ---- */

static enum rc withdraw(struct replay *r, const struct journal_line *l, const char *reason)
{
    struct item it;
    enum rc rc = publish_end(r->w, &l->item, VERB_WITHDRAW, reason, &it);

    if (!rc)
        LOG(LOG_WARN, "takedown_replayed", L_STR("verb", journal_verb_name(l->verb)),
            L_STR("item", id_text(&it.id, (char[ID_TEXT]){ 0 })), L_INT("seq", it.seq),
            L_STR("mend", l->verb == JOURNAL_PURGE ? "publish the corrected text again" : ""));
    return rc;
}

static enum rc again(struct replay *r, const struct journal_line *l)
{
    struct item it;
    enum rc rc;

    if ((rc = item_find(r->w, &l->item, &it)))
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    if (it.stream != r->s.no || it.state == STATE_GONE)
        return RC_OK;
    if (l->verb == JOURNAL_GONE)
        return it.born < 0 ? publish_never(r->w, &it.id, l->reason)
                           : publish_end(r->w, &it.id, VERB_GONE, l->reason, &it);
    if (!it.live_rev)
        return RC_OK;
    return withdraw(r, l, l->verb == JOURNAL_PURGE ? TAKEDOWN_UNCORRECTED : l->reason);
}

static enum rc do_again(struct replay *r)
{
    struct actor who = r->w->who;
    enum rc rc = RC_OK;

    snprintf(r->w->who.name, sizeof r->w->who.name, "takedowns");
    for (int i = 0; !rc && i < r->n; i++)
        rc = again(r, &r->lines[i]);
    r->w->who = who;
    if (rc || (rc = stream_by_no(r->w, r->s.no, &r->s)))
        return rc;
    LOG(LOG_WARN, "takedowns_replayed", L_STR("stream", r->s.name), L_INT("lost", r->n),
        L_INT("seq", r->s.seq));
    return append_about(r, JOURNAL_REPLAYED, r->s.epoch, r->s.seq);
}

enum rc takedown_replay(struct work *w, int64_t stream)
{
    struct replay r = { .w = w };
    enum rc rc;

    if (!journal_is_open())
        return RC_OK;
    if ((rc = stream_by_no(w, stream, &r.s)) || (rc = read_ancestry(&r)) ||
        (rc = read_lines(&r)) || (rc = find_lost(&r)))
        return rc;
    return r.n ? do_again(&r) : RC_OK;
}
