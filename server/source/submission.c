/*
 * submission.c - rows: taken once, found, shown. What it is to land: submission_land.c.
 */
#include "server/source/submission.h"

#include <string.h>

#include "server/base/clock.h"
#include "server/library/row.h"
#include "server/library/ruling.h"

static const char *const states[] = { [SUBMISSION_RECEIVED] = "received",
                                      [SUBMISSION_CHECKING] = "checking",
                                      [SUBMISSION_LANDED] = "landed",
                                      [SUBMISSION_RETURNED] = "returned",
                                      [SUBMISSION_REPLACED] = "replaced" };

static const struct {
    const char *name, *label;
} showns[] = {
    [SHOWN_RECEIVED] = { "received", "已收到" },
    [SHOWN_CHECKING] = { "checking", "检查中" },
    [SHOWN_IN_REVIEW] = { "in_review", "审核中" },
    [SHOWN_PUBLISHED] = { "published", "已发布" },
    [SHOWN_RETURNED] = { "returned", "已退回" },
    [SHOWN_WITHDRAWN] = { "withdrawn", "已撤下" },
    [SHOWN_REPLACED] = { "replaced", "已有新版" },
};

const char *shown_name(enum shown_state s)
{
    return showns[s].name;
}

const char *shown_label(enum shown_state s)
{
    return showns[s].label;
}

int shown_parse(const char *name)
{
    for (int i = 0; i < SHOWN_STATES; i++)
        if (!strcmp(showns[i].name, name))
            return i;
    return -1;
}

/* ---- rows ---- */

static int state_parse_row(const char *name)
{
    for (int i = 0; name && i < SUBMISSION_STATES; i++)
        if (!strcmp(states[i], name))
            return i;
    return -1;
}

static enum rc take_row(struct work *w, const struct rows *q, struct submission *out)
{
    int state = state_parse_row(rows_text(q, 8));
    enum rc rc;

    *out = (struct submission){ .no = rows_int(q, 0),
                                .site = rows_int(q, 2),
                                .source = rows_dup_text(w, q, 3),
                                .origin_id = rows_dup_text(w, q, 4),
                                .kind = (enum party_kind)rows_int(q, 6),
                                .received = rows_int(q, 7),
                                .rev = rows_int(q, 10),
                                .field = rows_dup_text(w, q, 11),
                                .said = rows_dup_text(w, q, 12),
                                .files = rows_dup_text(w, q, 13),
                                .tries = (int)rows_int(q, 14) };
    if (state < 0)
        return err_set(&w->err, RC_CORRUPT, "a submission has an unknown state");
    out->state = (enum submission_state)state;
    if ((rc = row_bytes(w, q, 1, out->id.b, sizeof out->id.b)) ||
        (rc = row_bytes(w, q, 5, out->hash, sizeof out->hash)))
        return rc;
    return out->rev ? row_bytes(w, q, 9, out->item.b, sizeof out->item.b) : RC_OK;
}

static enum rc one(struct work *w, struct rows *q, enum rc rc, struct submission *out)
{
    if (!rc)
        rc = take_row(w, q, out);
    rc = row_finish(q, rc);
    return rc == RC_NOT_FOUND ? err_set(&w->err, rc, "there is no such submission") : rc;
}

static enum rc newest(struct work *w, const char *source, const char *origin_id,
                      struct submission *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_submission_newest, &q, "tt", source, origin_id);

    return one(w, &q, rc, out);
}

enum rc submission_known(struct work *w, const char *source, const char *origin_id, bool *out)
{
    struct submission s;
    enum rc rc = newest(w, source, origin_id, &s);

    *out = !rc;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static bool may_see(const struct work *w, const struct submission *s)
{
    if (w->who.party)
        return !strcmp(w->who.name, s->source);
    return actor_has_at(&w->who, ITEM_DRAFT_RIGHTS, s->site);
}

enum rc submission_find(struct work *w, const struct id *id, struct submission *out)
{
    struct submission s;
    struct rows q;
    enum rc rc = db_one(w, SQL_submission_by_id, &q, "b", id->b, sizeof id->b);

    if ((rc = one(w, &q, rc, &s)))
        return rc;
    if (!may_see(w, &s))
        return err_set(&w->err, RC_NOT_FOUND, "there is no such submission");
    *out = s;
    return RC_OK;
}

enum rc submission_by_no(struct work *w, int64_t no, struct submission *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_submission_by_no, &q, "i", no);

    return one(w, &q, rc, out);
}

enum rc submission_list(struct work *w, int64_t site, int64_t before, struct submission **out,
                        int *n, int64_t *next)
{
    struct buf list = BUF_IN(w->mem);
    int64_t from = before ? before : INT64_MAX, last = 0;
    struct submission s;
    struct rows q;
    int looked = 0;
    enum rc rc =
        site ? db_query(w, SQL_submission_page_of_site, &q, "iii", from,
                        (int64_t)SUBMISSION_PAGE, site)
             : db_query(w, SQL_submission_page, &q, "ii", from, (int64_t)SUBMISSION_PAGE);

    if (rc)
        return rc;
    while (!rc && rows_next(&q)) {
        if ((rc = take_row(w, &q, &s)))
            break;
        looked++;
        last = s.no;
        if (may_see(w, &s))
            buf_add(&list, &s, sizeof s);
    }
    *out = (struct submission *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    *next = looked == SUBMISSION_PAGE ? last : 0;
    return row_finish(&q, rc);
}

/* ---- taking ---- */

static enum rc insert(struct work *w, const struct submission_new *in, struct submission *s)
{
    struct buf files = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    source_files_write(&files, in->read->files, in->read->nfiles);
    *s = (struct submission){ .id = id_new(),
                              .site = in->site,
                              .source = in->source,
                              .origin_id = in->read->line.origin_id,
                              .kind = in->kind,
                              .received = clock_now(),
                              .files = files.p };
    memcpy(s->hash, in->read->hash, sizeof s->hash);
    rc = db_one(w, SQL_submission_add, &q, "bittbiittb", s->id.b, sizeof s->id.b, s->site,
                s->source, s->origin_id, s->hash, sizeof s->hash, (int64_t)s->kind, s->received,
                states[SUBMISSION_RECEIVED], s->files, in->body, in->len);
    if (!rc)
        s->no = rows_int(&q, 0);
    return row_finish(&q, rc);
}

/* What was sent before and still waits for its files is nobody's news any more. */
static enum rc replace(struct work *w, const struct submission *before)
{
    return before->state == SUBMISSION_RECEIVED || before->state == SUBMISSION_CHECKING
               ? db_run(w, SQL_submission_replaced, "i", before->no)
               : RC_OK;
}

enum rc submission_take(struct work *w, const struct submission_new *in, struct submission *out,
                        bool *known)
{
    struct submission before, s;
    enum rc rc;

    *known = false;
    if ((rc = work_need_at(w, RIGHT_IMPORT, in->site)))
        return rc;
    rc = newest(w, in->source, in->read->line.origin_id, &before);
    if (rc && rc != RC_NOT_FOUND)
        return rc;
    *known = !rc && before.site == in->site && before.state != SUBMISSION_RETURNED &&
             !memcmp(before.hash, in->read->hash, sizeof before.hash);
    if (*known) {
        *out = before;
        return RC_OK;
    }
    if ((!rc && (rc = replace(w, &before))) || (rc = insert(w, in, &s)))
        return rc;
    if (!in->read->wanted && (rc = submission_land(w, &s, in->read)))
        return rc;
    *out = s;
    return RC_OK;
}

/* ---- what has become of it ---- */

/* The reason of the last event of that revision, if it was `verb`; NULL: it was another. */
static enum rc reason_of(struct work *w, const struct submission *s, enum verb verb,
                         const char **out)
{
    struct item_event *events;
    enum rc rc;
    int n;

    *out = NULL;
    if ((rc = item_events(w, &s->item, &events, &n)))
        return rc;
    for (int i = 0; i < n; i++)
        if (events[i].rev == s->rev)
            *out = strcmp(events[i].verb, verb_name(verb)) ? NULL : events[i].reason;
    return RC_OK;
}

static enum rc look_draft(struct work *w, const struct submission *s,
                          struct submission_status *out)
{
    struct revision revision;
    struct content content;
    struct item it;
    enum rc rc;

    out->shown = SHOWN_IN_REVIEW;
    if (out->item.state == STATE_DRAFT) {
        if ((rc = reason_of(w, s, VERB_RETURN, &out->reason)))
            return rc;
        if (out->reason)
            out->shown = SHOWN_RETURNED;
    }
    if ((rc = item_revision(w, &s->item, s->rev, &it, &revision, &content)))
        return rc;
    return ruling_ask(w, &(struct ruling){ &it, s->rev, &content, CHECK_REVIEW },
                      &out->verdicts);
}

/* A version that came later takes the place of this one once it is public; until then the public sees this one. */
static enum rc look_item(struct work *w, const struct submission *s,
                         struct submission_status *out)
{
    const struct item *it = &out->item;
    enum rc rc;

    if ((rc = item_find(w, &s->item, &out->item)))
        return rc;
    if (it->live_rev == s->rev)
        out->shown = SHOWN_PUBLISHED;
    else if (it->rev != s->rev)
        out->shown = SHOWN_REPLACED;
    else if (it->state == STATE_DRAFT || it->state == STATE_IN_REVIEW ||
             it->state == STATE_APPROVED)
        return look_draft(w, s, out);
    else
        out->shown = SHOWN_WITHDRAWN;
    if (out->shown != SHOWN_WITHDRAWN)
        return RC_OK;
    return reason_of(w, s, it->state == STATE_GONE ? VERB_GONE : VERB_WITHDRAW, &out->reason);
}

enum rc submission_look(struct work *w, const struct submission *s,
                        struct submission_status *out)
{
    static const enum shown_state of[] = { [SUBMISSION_RECEIVED] = SHOWN_RECEIVED,
                                           [SUBMISSION_CHECKING] = SHOWN_CHECKING,
                                           [SUBMISSION_LANDED] = SHOWN_IN_REVIEW,
                                           [SUBMISSION_RETURNED] = SHOWN_RETURNED,
                                           [SUBMISSION_REPLACED] = SHOWN_REPLACED };

    *out = (struct submission_status){ .shown = of[s->state], .reason = s->said };
    return s->rev ? look_item(w, s, out) : RC_OK;
}
