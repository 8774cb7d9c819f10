/*
 * bulletin.c - words and a run.
 */
#include "push/bulletin.h"

#include <string.h>

#include "push/campaign_fit.h"
#include "server/base/clock.h"

enum {
    ENVELOPE = 600,
    BYTES = 3
}; /* of a payload, that a vendor's form takes; a character of Chinese */

/* What was not sent of it yet would come too late, and after the truth. */
static enum rc stop(struct work *w, int64_t run)
{
    enum run_state state;
    enum rc rc = run ? run_state(w, run, &state) : RC_NOT_FOUND;

    if (rc == RC_NOT_FOUND)
        return RC_OK;
    if (rc || state == RUN_OVER || state == RUN_STOPPING)
        return rc;
    return run_stop(w, run);
}

enum rc bulletin_send(struct work *w, const struct bulletin *b, const char *audience,
                      int64_t after)
{
    struct campaign_said said = { .class = b->class,
                                  .ttl = b->ttl,
                                  .sender = b->sender,
                                  .collapse = b->collapse,
                                  .shown = { .title = campaign_cut(w, b->title, BULLETIN_TITLE),
                                             .text = campaign_cut(w, b->text, BULLETIN_TEXT),
                                             .link = b->link,
                                             .picture = "" } };
    struct run_new run = { .campaign = b->run,
                           .audience = audience,
                           .class = b->class,
                           .doubt = RUN_RESEND,
                           .ends_ms = (clock_now() + b->ttl) * 1000,
                           .said = campaign_said_print(w, &said),
                           .after = after };
    enum rc rc = stop(w, after);

    return rc ? rc : run_begin(w, &run);
}

void bulletin_fit(struct work *w, struct campaign_said *said, enum transport by)
{
    struct push_limit l = push_limit(by, said->class, push_limit_day(clock_now()));
    int title = l.title ? l.title : BULLETIN_TITLE;
    int text = (l.payload - ENVELOPE) / BYTES - title;

    said->shown.title = campaign_cut(w, said->shown.title, title);
    said->shown.text =
        campaign_cut(w, said->shown.text, l.text && l.text < text ? l.text : text);
    if (said->shown.sender && l.text) /* it stands in a field of the text's kind */
        said->shown.sender = campaign_cut(w, said->shown.sender, l.text);
}
