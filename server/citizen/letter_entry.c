/*
 * letter_entry.c - where a letter stands, in one canonical JSON object: what the phone shows without asking anybody. And once, what its writer sent.
 *
 * What the unit does among itself (drafts, reviews, who is the clerk) is not in it.
 */
#include "server/citizen/letter_entry.h"

#include <string.h>

#include "server/citizen/entry.h"
#include "server/citizen/letter_message.h"
#include "server/library/org.h"
#include "server/library/row.h"

/* With the longest answer the value stays below what an entry may hold. */
enum { WORDS_TOLD = 8000 /* bytes, of the newest steps */ };

static void put_step(struct buf *b, const struct letter_step *s, bool words)
{
    buf_adds(b, b->p[b->n - 1] == '[' ? "{" : ",{");
    jx_put_int(b, "at", s->at);
    jx_put_text(b, "state", s->state);
    jx_put_text(b, "text", words ? s->text : NULL);
    jx_put_text(b, "verb", s->verb);
    buf_addc(b, '}');
}

/* How many of the steps, the newest of which is the first, are told with their words. */
static int count_worded(const struct letter_step *steps, int n)
{
    size_t room = WORDS_TOLD;

    for (int i = 0; i < n; i++) {
        size_t length = steps[i].text ? strlen(steps[i].text) : 0;

        if (length > room)
            return i;
        room -= length;
    }
    return n;
}

static void put_steps(struct buf *b, const struct letter_step *steps, int n)
{
    int worded = count_worded(steps, n);

    jx_key(b, "steps");
    buf_addc(b, '[');
    for (int i = n - 1; i >= 0; i--)
        put_step(b, &steps[i], i < worded);
    buf_addc(b, ']');
}

static void put(struct buf *b, const struct letter *l, const struct org *unit,
                const char *answer, const struct letter_step *steps, int n)
{
    buf_addc(b, '{');
    jx_put_text(b, "answer", answer);
    jx_put_text(b, "category", l->kind->word);
    if (l->complete_by)
        jx_put_int(b, "completeBy", l->complete_by);
    if (l->due && l->state != LETTER_CONSULTING) /* then it is not the unit's */
        jx_put_int(b, "due", l->due);
    jx_put_text(b, "number", l->number);
    if (l->rating)
        jx_put_int(b, "rating", l->rating);
    jx_put_int(b, "received", l->received);
    jx_put_text(b, "state", letter_states[l->state].word);
    put_steps(b, steps, n);
    jx_put_text(b, "unit", unit->code);
    jx_put_text(b, "unitName", unit->name);
    buf_addc(b, '}');
}

/* What the entry says costs the same however long the correspondence is. */
static enum rc write_entry(struct work *w, const struct letter *l, const struct org *unit,
                           int64_t *seq)
{
    struct letter_step told[LETTER_TOLD], answer = { 0 };
    struct buf b = BUF_IN(w->mem);
    char id[ID_TEXT];
    enum rc rc;
    int n;

    rc = letter_step_last(w, l, LETTER_DO_ANSWER, &answer);
    if ((rc && rc != RC_NOT_FOUND) || (rc = letter_steps_told(w, l, told, &n)))
        return rc;
    put(&b, l, unit, answer.text, told, n);
    return entry_put(w, l->account, "letter", id_text(&l->id, id), b.p, NULL, seq);
}

enum rc letter_tell(struct work *w, const struct letter *l, int64_t *seq)
{
    struct letter_step newest;
    struct org unit;
    enum rc rc;

    if (!l->account)
        return RC_OK;
    if ((rc = org_by_no(w, l->unit, &unit)) || (rc = write_entry(w, l, &unit, seq)) ||
        (rc = letter_step_last(w, l, LETTER_VERBS, &newest)))
        return rc;
    return letter_message(w, l, &newest, unit.name);
}

enum rc letter_told(struct work *w, const struct letter *l, int64_t *seq)
{
    struct entry e = { 0 };
    char id[ID_TEXT];
    enum rc rc = entry_get(w, l->account, "letter", id_text(&l->id, id), &e);

    if (rc == RC_NOT_FOUND || (!rc && !e.value))
        return letter_tell(w, l, seq);
    *seq = e.seq;
    return rc;
}

enum rc letter_keep_words(struct work *w, const struct letter *l, const char *sent,
                          const char *receipt)
{
    struct buf b = BUF_IN(w->mem);
    char id[ID_TEXT];

    buf_addc(&b, '{');
    jx_put_text(&b, "receipt", receipt);
    jx_put_text(&b, "sent", sent);
    buf_addc(&b, '}');
    return entry_put(w, l->account, "words", id_text(&l->id, id), b.p, NULL, NULL);
}
