/*
 * letter_action.c - from a mutation to a letter, and from a letter's refusal, which has words of its own, to a result.
 */
#include "server/citizen/letter_action.h"

#include <string.h>

#include "server/citizen/letter_entry.h"
#include "server/citizen/letter_publish.h"
#include "server/citizen/letter_send.h"

static const struct {
    enum rc rc;
    enum refused why;
} refusals[] = {
    { RC_INVALID, REFUSED_value },     { RC_FORBIDDEN, REFUSED_rights },
    { RC_NOT_FOUND, REFUSED_missing }, { RC_CONFLICT, REFUSED_closed },
    { RC_TOO_MANY, REFUSED_limit },    { RC_UNPROCESSABLE, REFUSED_conflict },
};

static enum rc refuse(struct work *w, enum rc rc, struct result *r)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (refusals[i].rc == rc)
            return result_refuse(r, refusals[i].why, arena_strdup(w->mem, w->err.text));
    return rc;
}

/* RC_OK with r->why set, where key or value is none. */
static enum rc read(const struct mutation *m, struct result *r, struct id *id)
{
    if (!id_parse(m->key, strlen(m->key), id))
        return result_refuse(r, REFUSED_key, NULL);
    return m->value ? RC_OK : result_refuse(r, REFUSED_value, NULL);
}

enum rc letter_action_send(struct work *w, const struct mutation *m, struct result *r)
{
    const char *receipt;
    struct letter l;
    struct id id;
    enum rc rc;

    if ((rc = read(m, r, &id)) || r->why)
        return rc;
    if ((rc = letter_send(w, &id, m->value, &l, &receipt)))
        return refuse(w, rc, r);
    jx_put_text(result_more(w, r), "number", l.number);
    jx_put_text(result_more(w, r), "receipt", receipt);
    rc = letter_told(w, &l, &r->seq);
    return rc ? rc : letter_keep_words(w, &l, letter_said(w, m->value), receipt);
}

static enum rc follow(struct work *w, const struct mutation *m, struct result *r,
                      enum rc (*act)(struct work *w, const struct id *id, const json_t *value,
                                     struct letter *out, bool *again))
{
    struct letter l;
    struct id id;
    bool again;
    enum rc rc;

    if ((rc = read(m, r, &id)) || r->why)
        return rc;
    if ((rc = act(w, &id, m->value, &l, &again)))
        return refuse(w, rc, r);
    return (again ? letter_told : letter_tell)(w, &l, &r->seq);
}

enum rc letter_action_add(struct work *w, const struct mutation *m, struct result *r)
{
    return follow(w, m, r, letter_add);
}

enum rc letter_action_withdraw(struct work *w, const struct mutation *m, struct result *r)
{
    return follow(w, m, r, letter_withdraw);
}

enum rc letter_action_rate(struct work *w, const struct mutation *m, struct result *r)
{
    return follow(w, m, r, letter_rate);
}

enum rc letter_action_private(struct work *w, const struct mutation *m, struct result *r)
{
    const char *name = json_is_object(m->value) ? jx_text(m->value, "letter") : NULL;
    struct id id;
    enum rc rc;

    if ((rc = read(m, r, &id)) || r->why)
        return rc;
    if (!name || json_object_size(m->value) != 1 || !id_parse(name, strlen(name), &id))
        return result_refuse(r, REFUSED_value, NULL);
    rc = letter_keep_private(w, &id);
    return rc ? refuse(w, rc, r) : RC_OK;
}
