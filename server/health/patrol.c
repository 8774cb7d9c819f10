/*
 * patrol.c - stream after stream: its log in steps (verify.h), then the signatures of its heads, then the next; after the last a round is over.
 *
 * Each step reads from a snapshot of its own, so that it holds nothing for long; a step of 500 rows is some milliseconds of a
 * thread that steps back for others. Where it stands is forgotten when the process ends: the next begins a round. Mirrored streams are
 * verified when they come, and anew by `tjzw verify`.
 */
#include "server/health/patrol.h"

#include <inttypes.h>
#include <stdio.h>

#include "server/base/log.h"
#include "server/base/metric.h"
#include "server/library/stream.h"
#include "sync/proof.h"

enum { TOLD_MOST = 10 }; /* lines in the log, until a round has found nothing */

static void found(struct patrol *p, const char *stream, int64_t seq, const char *text)
{
    if (!p->found++)
        snprintf(p->text, sizeof p->text, "%s seq %" PRId64 ": %.200s", stream, seq, text);
    if (p->found <= TOLD_MOST && !p->found_before)
        LOG(LOG_ERROR, "log_fault", L_STR("stream", stream), L_INT("seq", seq),
            L_STR("why", text));
}

struct finder {
    struct patrol *p;
    const char *stream;
};

static void on_fault(void *arg, int64_t seq, const char *text)
{
    struct finder *f = arg;

    found(f->p, f->stream, seq, text);
}

static void ignore(void *arg, int64_t seq, const char *text)
{
    (void)arg, (void)seq, (void)text;
}

/* A key that is exchanged just now may stand in a head and not yet in the chain that was read: what is a fault stays one. */
static enum rc look_at_heads(struct work *w, const char *data, const struct stream *s,
                             struct finder *f)
{
    int64_t faults = 0, again = 0;
    enum rc rc = proof_heads(w, data, s, ignore, NULL, &faults);

    if (rc || !faults)
        return rc;
    return proof_heads(w, data, s, on_fault, f, &again);
}

static enum rc step(struct patrol *p, struct work *w, const char *data, const struct stream *s,
                    int64_t most)
{
    struct finder f = { p, s->name };
    enum rc rc = verify_step(w, s->no, most, on_fault, &f, &p->at);

    return rc || !p->at.done ? rc : look_at_heads(w, data, s, &f);
}

/* The stream under way, or the first own one after it. */
static const struct stream *choose(struct patrol *p, const struct stream *all, int n)
{
    for (int i = 0; i < n; i++)
        if (!all[i].mirrored &&
            (all[i].no > p->stream || (all[i].no == p->stream && !p->at.done)))
            return &all[i];
    return NULL;
}

static void end_round(struct patrol *p)
{
    p->found_before = p->found;
    p->stream = p->found = 0;
    p->at = (struct verify_place){ 0 };
    metric_add(METRIC_verify_rounds, 1);
}

void patrol_step(struct patrol *p, struct work *w, const char *data, int64_t most)
{
    const struct stream *s;
    struct stream *all;
    int n = 0;
    enum rc rc = stream_list(w, &all, &n);

    if (!rc && !(s = choose(p, all, n))) {
        end_round(p);
        return;
    }
    if (!rc && s->no != p->stream) {
        p->stream = s->no;
        p->at = (struct verify_place){ 0 };
    }
    if (!rc)
        rc = step(p, w, data, s, most);
    if (rc == RC_CORRUPT ||
        rc == RC_IO) { /* what cannot be read is not whole; the round begins anew */
        found(p, rc_name(rc), p->at.seq, w->err.text);
        end_round(p);
    }
}

int64_t patrol_faults(const struct patrol *p)
{
    return p->found > p->found_before ? p->found : p->found_before;
}
