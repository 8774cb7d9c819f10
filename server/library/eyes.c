/*
 * eyes.c - rows of takedown_ask, and what cannot wait for a second person.
 *
 * A question is about the revision that is published: whatever is published later was not meant by it.
 */
#include "server/library/eyes.h"

#include <string.h>

#include "server/base/clock.h"
#include "server/identity/audit.h"
#include "server/library/publish.h"
#include "server/library/review.h"
#include "server/library/row.h"

/* ---- an emergency ---- */

enum rc emergency_check(struct work *w)
{
    return review_is_person(&w->who) || !w->who.party
               ? RC_OK
               : err_set(&w->err, RC_FORBIDDEN, "程序不能应急处置，请工作人员办理");
}

enum rc emergency_note(struct work *w, const struct id *id)
{
    char text[ID_TEXT];

    return audit_add(w, AUDIT_item_emergency,
                     arena_printf(w->mem, "items/%s", id_text(id, text)), RC_OK);
}

/* ---- two people ---- */

enum rc eyes_asked(struct work *w, const struct item *it, struct eyes_ask *out)
{
    struct eyes_ask a = { 0 };
    struct rows q;
    enum rc rc = db_one(w, SQL_takedown_ask_of, &q, "b", it->id.b, sizeof it->id.b);

    if (!rc)
        a = (struct eyes_ask){ .rev = rows_int(&q, 0),
                               .verb = (enum verb)verb_parse(rows_text(&q, 1)),
                               .actor = rows_dup_text(w, &q, 2),
                               .behind = rows_dup_text(w, &q, 3),
                               .reason = rows_dup_text(w, &q, 4),
                               .at = rows_int(&q, 5) };
    if ((rc = row_finish(&q, rc)) && rc != RC_NOT_FOUND)
        return rc;
    *out = a.at > clock_now() - EYES_FOR && a.at <= clock_now() && a.rev == it->live_rev
               ? a
               : (struct eyes_ask){ 0 };
    return RC_OK;
}

static enum rc ask(struct work *w, const struct item *it, enum verb verb, const char *reason)
{
    return db_run(w, SQL_takedown_ask_set, "bitttti", it->id.b, sizeof it->id.b, it->live_rev,
                  verb_name(verb), w->who.name, review_behind(w), reason, clock_now());
}

/* A program, and who has the machine, are nobody's second. */
static bool is_second(struct work *w, const struct eyes_ask *a, enum verb verb)
{
    return a->at && a->verb == verb && review_is_person(&w->who) &&
           strcmp(a->actor, w->who.name) != 0 && strcmp(a->behind, review_behind(w)) != 0;
}

enum rc eyes_take_down(struct work *w, const struct id *id, enum verb verb, const char *reason,
                       bool emergency, struct eyes_done *out)
{
    struct eyes_ask asked = { 0 };
    struct eyes_done done = { 0 };
    struct chain c;
    enum rc rc;

    if ((rc = item_find(w, id, &done.item)) || (rc = chain_of(w, done.item.site, &c)) ||
        (rc = eyes_asked(w, &done.item, &asked)) || (emergency && (rc = emergency_check(w))))
        return rc;
    if (!reason && is_second(w, &asked, verb))
        reason = asked.reason;
    if ((rc = publish_may_end(w, id, verb, reason)))
        return rc;
    done.asked = c.eyes > 1 && done.item.live_rev && !emergency && !is_second(w, &asked, verb);
    if (done.asked)
        rc = ask(w, &done.item, verb, reason);
    else if (!(rc = publish_end(w, id, verb, reason, &done.item)))
        rc = db_run(w, SQL_takedown_ask_drop, "b", id->b, sizeof id->b);
    if (!rc && emergency)
        rc = emergency_note(w, id);
    if (!rc)
        *out = done;
    return rc;
}
