/*
 * letter_view.c - one letter, or its line in a list.
 */
#include "api/letter_view.h"

#include <string.h>

#include "api/view.h"
#include "server/base/clock.h"
#include "server/citizen/letter_scan.h"
#include "server/citizen/letter_staff.h"
#include "server/citizen/workday.h"
#include "server/library/org.h"

/* "late", "soon", "" */
static const char *urgency(const struct letter *l)
{
    int64_t now = clock_now();

    if (!l->due)
        return NULL;
    if (letter_is_late(l))
        return "late";
    return workday_between(workday_of(now), workday_of(l->due - 1)) < LETTER_SOON_DAYS ? "soon"
                                                                                       : NULL;
}

static enum rc put_files(struct work *w, struct buf *b, const struct letter *l,
                         const json_t *files)
{
    size_t n = json_array_size(files);

    if (!n)
        return RC_OK;
    jx_key(b, "files");
    buf_addc(b, '[');
    for (size_t i = 0; i < n; i++) {
        const json_t *file = json_array_get(files, i);
        struct letter_file f;
        enum rc rc = letter_file_of(w, l, jx_text(file, "hash"), &f);

        if (rc && rc != RC_NOT_FOUND)
            return rc;
        buf_adds(b, i ? ",{" : "{");
        jx_put_text(b, "hash", jx_text(file, "hash"));
        jx_put_text(b, "name", jx_text(file, "name"));
        jx_put_text(b, "scan", rc ? NULL : letter_scan_word(&f));
        buf_addc(b, '}');
    }
    buf_addc(b, ']');
    return RC_OK;
}

static enum rc put_step_files(struct work *w, struct buf *b, const struct letter *l,
                              const struct letter_step *s)
{
    json_t *said;
    enum rc rc;

    if (!s->files)
        return RC_OK;
    if ((rc = jx_object(&w->err, w->mem, s->files, strlen(s->files), &said)))
        return rc;
    return put_files(w, b, l, json_object_get(said, "files"));
}

static enum rc put_step(struct work *w, struct buf *b, const struct letter *l,
                        const struct letter_step *s)
{
    enum rc rc;

    buf_adds(b, b->p[b->n - 1] == '[' ? "{" : ",{");
    jx_put_text(b, "actor", s->actor);
    view_time(b, "at", s->at);
    if ((rc = put_step_files(w, b, l, s)))
        return rc;
    jx_put_int(b, "no", s->no);
    jx_put_text(b, "state", s->state);
    jx_put_text(b, "text", s->text);
    jx_put_text(b, "verb", s->verb);
    buf_addc(b, '}');
    return RC_OK;
}

static enum rc put_steps(struct work *w, struct buf *b, const struct letter *l)
{
    struct letter_step *steps;
    enum rc rc;
    int n;

    if ((rc = letter_steps(w, l, &steps, &n)))
        return rc;
    jx_key(b, "steps");
    buf_addc(b, '[');
    for (int i = 0; i < n && !rc; i++)
        rc = put_step(w, b, l, &steps[i]);
    buf_addc(b, ']');
    return rc;
}

/* What its writer said; nothing of a letter that was erased. */
static enum rc read_body(struct work *w, const struct letter *l, json_t **out)
{
    const char *text = l->body ? l->body : "{}";

    return jx_object(&w->err, w->mem, text, strlen(text), out);
}

static void put_clock(struct buf *b, const struct letter *l)
{
    view_time(b, "due", l->due);
    if (l->extended)
        jx_put_int(b, "extended", l->extended);
}

/* What a unit is told of a letter that it has no more. */
static void put_left(struct buf *b, const struct letter *l)
{
    char id[ID_TEXT];

    jx_put_text(b, "id", id_text(&l->id, id));
    jx_put_bool(b, "left", true);
    jx_put_text(b, "number", l->number);
    jx_put_text(b, "state", letter_states[l->state].word);
    buf_addc(b, '}');
}

enum rc letter_view(struct work *w, struct buf *b, const struct letter *l, bool whole)
{
    char id[ID_TEXT];
    struct org unit;
    json_t *body;
    enum rc rc;

    if ((rc = read_body(w, l, &body)) || (rc = org_by_no(w, l->unit, &unit)))
        return rc;
    buf_adds(b, b->n && b->p[b->n - 1] == '}' ? ",{" : "{");
    if (l->left)
        return put_left(b, l), RC_OK;
    jx_put_text(b, "category", l->kind->word);
    if (l->clerk)
        jx_put_int(b, "clerk", l->clerk);
    view_time(b, "completeBy", l->complete_by);
    jx_put_bool(b, "complex", l->complex);
    if (whole && l->contact && letter_shows_writer(w, l)) {
        jx_key(b, "contact");
        buf_adds(b, l->contact);
    }
    if (l->draft)
        jx_put_int(b, "draft", l->draft);
    put_clock(b, l);
    if (!l->body)
        jx_put_bool(b, "erased", true);
    if (whole && (rc = put_files(w, b, l, json_object_get(body, "files"))))
        return rc;
    jx_put_bool(b, "hidden", l->hidden);
    jx_put_text(b, "id", id_text(&l->id, id));
    jx_put_text(b, "item", jx_text(body, "item"));
    jx_put_text(b, "number", l->number);
    jx_put_text(b, "origin", l->origin);
    jx_put_text(b, "place", whole ? jx_text(body, "place") : NULL);
    jx_put_bool(b, "public", l->public);
    if (l->rating)
        jx_put_int(b, "rating", l->rating);
    view_time(b, "received", l->received);
    jx_put_bool(b, "reviewed", l->reviewed);
    if (json_object_get(body, "seq"))
        jx_put_int(b, "seq", jx_int(body, "seq", 0));
    jx_put_text(b, "state", letter_states[l->state].word);
    if (whole && (rc = put_steps(w, b, l)))
        return rc;
    jx_put_text(b, "text", whole ? jx_text(body, "text") : NULL);
    jx_put_text(b, "title", jx_text(body, "title"));
    jx_put_text(b, "unit", unit.code);
    jx_put_text(b, "urgency", urgency(l));
    buf_addc(b, '}');
    return RC_OK;
}
