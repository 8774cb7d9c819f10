/*
 * campaign_view.c - rows as JSON; members sorted by name.
 */
#include "api/campaign_view.h"

#include <inttypes.h>
#include <string.h>

#include "api/view.h"
#include "push/campaign_fit.h"
#include "push/campaign_step.h"
#include "push/campaign_vote.h"
#include "push/run.h"

static void open_object(struct buf *b)
{
    buf_adds(b, b->n && b->p[b->n - 1] == '}' ? ",{" : "{");
}

static void put_text(struct buf *b, const char *key, const char *text)
{
    jx_put_text(b, key, *text ? text : NULL);
}

/* ---- one ---- */

static enum rc put_approvals(struct work *w, struct buf *b, const struct campaign *c)
{
    struct campaign_vote *votes;
    int n, counting, need;
    enum rc rc;

    if ((rc = campaign_votes(w, c, &votes, &n, &counting)) || (rc = campaign_eyes(w, c, &need)))
        return rc;
    jx_key(b, "approvals");
    buf_addc(b, '[');
    for (int i = 0; i < n; i++) {
        open_object(b);
        jx_put_text(b, "actor", votes[i].actor);
        view_time(b, "at", votes[i].at);
        jx_put_bool(b, "counts", votes[i].is == CAMPAIGN_VOTE_GOOD);
        if (*votes[i].plan) {
            jx_key(b, "plan");
            buf_adds(b, votes[i].plan);
        }
        buf_addc(b, '}');
    }
    buf_addc(b, ']');
    jx_put_int(b, "approvalsNeeded", need);
    return RC_OK;
}

/* Whether it fits: while it is edited, all transports are shown, those that are off too. */
static enum rc put_room(struct work *w, struct buf *b, const struct campaign *c)
{
    struct campaign_fit fits[TRANSPORT_COUNT];
    enum rc rc;
    int n;

    if ((rc = campaign_fits(w, c, fits, &n)))
        return rc;
    jx_key(b, "room");
    buf_addc(b, '[');
    for (int i = 0; i < n; i++) {
        open_object(b);
        jx_put_bool(b, "fits", fits[i].fits);
        jx_put_bool(b, "on", campaign_is_on(fits[i].by));
        jx_put_text(b, "shows", fits[i].shows);
        jx_put_int(b, "text", fits[i].text);
        if (fits[i].text_most)
            jx_put_int(b, "textMost", fits[i].text_most);
        jx_put_int(b, "title", fits[i].title);
        if (fits[i].title_most)
            jx_put_int(b, "titleMost", fits[i].title_most);
        jx_put_text(b, "transport", transport_type((int)fits[i].by)->word);
        buf_addc(b, '}');
    }
    buf_addc(b, ']');
    return RC_OK;
}

static enum rc put_shown(struct work *w, struct buf *b, const struct campaign *c)
{
    struct campaign_shown shown;
    enum rc rc = campaign_shown(w, c, &shown);

    if (rc)
        return rc;
    jx_key(b, "shown");
    buf_addc(b, '{');
    jx_put_text(b, "text", shown.text);
    jx_put_text(b, "title", shown.title);
    buf_addc(b, '}');
    return RC_OK;
}

/* Of one that is paused, or goes on: who waits for a turn that does not come. */
static enum rc put_late(struct work *w, struct buf *b, const struct campaign *c)
{
    int64_t n;
    enum rc rc;

    if (!c->fired || (c->state != CAMPAIGN_PAUSED && c->state != CAMPAIGN_RUNNING))
        return RC_OK;
    if (!(rc = run_late(w, c->no, &n)) && n)
        jx_put_int(b, "late", n);
    return rc;
}

/* Of the last test send, what became of it. */
static enum rc put_test(struct work *w, struct buf *b, const struct campaign *c)
{
    struct run_counts n;
    int64_t got = 0;
    enum rc rc = run_count(w, -c->no, &n);

    if (rc)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    for (int by = 0; by < TRANSPORT_COUNT; by++)
        got += n.by[by][RUN_ACCEPTED];
    jx_key(b, "test");
    buf_addc(b, '{');
    jx_put_int(b, "accepted", got);
    jx_put_int(b, "devices", n.audience);
    jx_put_bool(b, "over", n.state == RUN_OVER);
    buf_addc(b, '}');
    return RC_OK;
}

enum rc campaign_view(struct work *w, struct buf *b, const struct campaign *c, bool whole)
{
    char hash[HASH_TEXT], id[ID_TEXT];
    enum rc rc = RC_OK;

    open_object(b);
    if (whole && (rc = put_approvals(w, b, c)))
        return rc;
    view_time(b, "approved", c->approved);
    if (whole) {
        jx_key(b, "audience");
        buf_adds(b, c->audience);
    }
    jx_put_int(b, "campaign", c->no);
    view_time(b, "changed", c->changed);
    jx_put_text(b, "class", push_class_word(c->class));
    jx_put_int(b, "column", c->col);
    if (c->copied)
        jx_put_int(b, "copyOf", c->copied);
    view_time(b, "created", c->created);
    jx_key(b, "districts");
    buf_adds(b, c->districts);
    jx_put_text(b, "doubt", campaign_doubt_word(c->doubt));
    view_time(b, "fired", c->fired);
    jx_put_text(b, "hash", hex_text(c->hash, sizeof c->hash, hash));
    jx_put_text(b, "item", id_text(&c->item, id));
    if (whole && (rc = put_late(w, b, c)))
        return rc;
    put_text(b, "link", c->link);
    jx_put_int(b, "pace", c->pace);
    put_text(b, "picture", c->picture);
    jx_put_int(b, "revision", c->rev);
    if (whole && ((rc = put_room(w, b, c)) || (rc = put_shown(w, b, c))))
        return rc;
    jx_put_int(b, "site", c->site);
    view_time(b, "start", c->start);
    jx_put_text(b, "state", campaign_states[c->state].word);
    jx_put_text(b, "stateText", campaign_states[c->state].chinese);
    if (whole && (rc = put_test(w, b, c)))
        return rc;
    jx_put_bool(b, "tested", c->tested);
    jx_put_text(b, "text", c->text);
    jx_put_text(b, "title", c->title);
    jx_put_int(b, "ttl", c->ttl);
    buf_addc(b, '}');
    return RC_OK;
}

/* ---- what became of it ---- */

enum rc campaign_view_steps(struct work *w, struct buf *b, const struct campaign *c)
{
    struct campaign_event *e;
    char hash[HASH_TEXT];
    enum rc rc;
    int n;

    if ((rc = campaign_events(w, c->no, &e, &n)))
        return rc;
    view_list_open(b, "steps");
    for (int i = 0; i < n; i++) {
        int step = campaign_step_parse(e[i].step);

        open_object(b);
        jx_put_text(b, "actor", e[i].actor);
        view_time(b, "at", e[i].at);
        jx_put_text(b, "hash", hex_text(e[i].hash, sizeof e[i].hash, hash));
        jx_put_int(b, "no", e[i].no);
        jx_put_text(b, "state", e[i].state);
        jx_put_text(b, "step", e[i].step);
        jx_put_text(b, "stepText", step < 0 ? NULL : campaign_steps[step].chinese);
        jx_put_text(b, "text", e[i].text);
        buf_addc(b, '}');
    }
    view_list_close(b, "");
    return RC_OK;
}
