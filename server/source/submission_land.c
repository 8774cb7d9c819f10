/*
 * submission_land.c - from what was handed in to a revision: an import of one line, with the rights that the site's agreement lends.
 *
 * What is lent holds for that site, for this one line, and only to a program that is live, or to a source that we ask ourselves: a test or team key makes drafts, whatever was agreed upon.
 */
#include <string.h>

#include "server/library/row.h"
#include "server/source/submission.h"

static const unsigned lent[] = { [ACCEPTS_NONE] = 0,
                                 [ACCEPTS_SUBMIT] = RIGHT_EDIT,
                                 [ACCEPTS_PUBLISH] = RIGHT_EDIT | RIGHT_PUBLISH };

static enum rc agreed(struct work *w, const struct submission *s, enum accepts *out)
{
    *out = ACCEPTS_NONE;
    return s->kind == PARTY_LIVE || s->kind == PARTY_NONE
               ? agreement_holds(w, s->site, s->source, out)
               : RC_OK;
}

/* The same actor, with more at one site. */
static struct actor lend(struct work *w, int64_t site, unsigned rights)
{
    struct actor who = w->who;
    struct scope *scopes = arena_zalloc(w->mem, (size_t)(who.nscopes + 1) * sizeof *scopes);

    if (who.nscopes)
        memcpy(scopes, who.scopes, (size_t)who.nscopes * sizeof *scopes);
    for (int i = 0; i < who.nscopes; i++)
        if (scopes[i].site == site) {
            scopes[i].rights |= rights;
            rights = 0;
        }
    if (rights)
        scopes[who.nscopes++] = (struct scope){ site, rights };
    who.scopes = scopes;
    return who;
}

/* A rule that blocks it leaves it a draft: its source and our editors both see what stands against it. */
static enum rc hand_in(struct work *w, struct item *it)
{
    enum rc rc = item_step(w, &it->id, it->rev, VERB_SUBMIT, NULL, it);

    if (rc != RC_UNFIT)
        return rc;
    w->err = (struct err){ 0 };
    return RC_OK;
}

static enum rc put(struct work *w, struct submission *s, struct import_line *line,
                   enum accepts accepts)
{
    struct import_options o = { .authority = s->source,
                                .publish = accepts == ACCEPTS_PUBLISH,
                                .agreed = accepts == ACCEPTS_PUBLISH };
    struct site site;
    struct item it;
    enum rc rc;

    if ((rc = site_by_no(w, s->site, &site)))
        return rc;
    o.site = site.code;
    if ((rc = import_apply(w, &o, line, 1)))
        return rc;
    if (line->why.rc) {
        w->err = line->why;
        return line->why.rc;
    }
    if ((rc = item_find(w, &line->id, &it)) ||
        (accepts != ACCEPTS_NONE && it.state == STATE_DRAFT && (rc = hand_in(w, &it))))
        return rc;
    s->item = it.id;
    s->rev = it.rev;
    s->state = SUBMISSION_LANDED;
    return RC_OK;
}

enum rc submission_land(struct work *w, struct submission *s, struct submitted *read)
{
    const struct actor who = w->who;
    struct buf files = BUF_IN(w->mem);
    enum accepts accepts;
    enum rc rc;

    if ((rc = agreed(w, s, &accepts)))
        return rc;
    w->who = lend(w, s->site, lent[accepts]);
    rc = put(w, s, &read->line, accepts);
    w->who = who;
    if (rc)
        return rc;
    source_files_write(&files, read->files, read->nfiles);
    s->files = files.p;
    return db_change(w, SQL_submission_landed, "ibit", s->no, s->item.b, sizeof s->item.b,
                     s->rev, s->files);
}
