/*
 * adopt.c - a guest turned out to be somebody: the server makes him a part of the account.
 *
 *     ADOPTED --what waited to be said of his messages, as his own--> POST /v1/me/adopt --> forgotten
 *        '-----the server has him no more: what he had here is written again, as the account's-----^
 *
 * The numbers of messages are of their owner's own order, so that he read one, or removed it, is said by the guest or never; all else that waited went to the account
 * when he signed in. It is said under a device that is drawn for it, each time: twice is as good as once, and it needs none of the guest's old numbers.
 */
#include "clients/c/adopt.h"

#include <stdlib.h>

/* ---- of his messages ---- */

/* What waits, numbered from 1; *last: the last of it in the store. */
static enum tjzw_code collect(struct tjzw *t, int64_t guest, json_t *all, int64_t *last,
                              struct tjzw_error *e)
{
    sqlite3_stmt *q = store_bound(t, e, STMT_MUTATION_OF_MESSAGES, "i", guest);
    enum tjzw_code rc;
    bool any;

    if (!q)
        return TJZW_STORE;
    while (!(rc = store_step(t, q, &any, e)) && any) {
        const char *value = (const char *)sqlite3_column_text(q, 3);
        json_t *m =
            json_pack("{s:s,s:I,s:s}", "key", sqlite3_column_text(q, 2), "n",
                      (json_int_t)json_array_size(all) + 1, "type", sqlite3_column_text(q, 1));

        if (value)
            json_object_set_new(m, "value", json_loads(value, JSON_DECODE_ANY, NULL));
        json_array_append_new(all, m);
        *last = sqlite3_column_int64(q, 0);
    }
    store_reset(q);
    return rc;
}

static enum tjzw_code draw_device(struct tjzw *t, struct person *guest, struct tjzw_error *e)
{
    enum tjzw_code rc = person_begin(t, e);

    return rc ? rc : person_end(t, person_new_device(t, guest, e), e);
}

/* Whatever the server thinks of it, it was said; nothing of it holds the merging up. Takes `all`. */
static enum tjzw_code say(struct link *l, struct person *guest, json_t *all,
                          struct tjzw_error *e)
{
    struct call c = { .method = "POST", .path = "/v1/me/sync" };
    enum tjzw_code rc;

    call_json(&c,
              json_pack("{s:s,s:i,s:o}", "device", guest->device, "most", 1, "mutations", all));
    if (!(rc = call_as(l, guest, &c, e)) && (rc = call_check(&c, NULL, e)) == TJZW_REFUSED)
        rc = TJZW_OK;
    call_done(&c);
    free((char *)c.body);
    return rc;
}

static enum tjzw_code say_all(struct link *l, struct person *guest, struct tjzw_error *e)
{
    for (;;) {
        json_t *all = json_array();
        int64_t last = 0;
        enum tjzw_code rc = collect(l->t, guest->no, all, &last, e);

        if (rc || !last) {
            json_decref(all);
            return rc;
        }
        if ((rc = draw_device(l->t, guest, e))) {
            json_decref(all);
            return rc;
        }
        if ((rc = say(l, guest, all, e)) ||
            (rc = store_do(l->t, e, STMT_MUTATION_SAID, "ii", guest->no, last)))
            return rc;
    }
}

/* ---- merged ---- */

/* TJZW_SIGN_IN: the server has him no more. */
static enum tjzw_code freshen(struct link *l, struct person *guest, struct tjzw_error *e)
{
    struct call probe = { .path = "/v1/me" };
    enum tjzw_code rc = call_as(l, guest, &probe, e);

    /* That a guest may not ask this is the server's word as well; anything else is somebody's in between, and the token may be old. */
    if (!rc && (rc = call_check(&probe, NULL, e)) == TJZW_REFUSED)
        rc = TJZW_OK;
    call_done(&probe);
    return rc;
}

/* TJZW_REFUSED: so it has. */
static enum tjzw_code merge(struct link *l, const struct person *here,
                            const struct person *guest, struct tjzw_error *e)
{
    struct call c = { .method = "POST", .path = "/v1/me/adopt" };
    struct person me = *here;
    enum tjzw_code rc;

    call_json(&c, json_pack("{s:s}", "guest", guest->access));
    if (!(rc = call_as(l, &me, &c, e)))
        rc = call_check(&c, NULL, e);
    call_done(&c);
    free((char *)c.body);
    return rc;
}

enum tjzw_code adopt_guest(struct link *l, const struct person *here, struct person *guest,
                           struct tjzw_error *e)
{
    enum tjzw_code rc = freshen(l, guest, e);
    bool gone;

    if (!rc)
        rc = say_all(l, guest, e);
    gone = rc == TJZW_SIGN_IN;
    if (!rc)
        gone = (rc = merge(l, here, guest, e)) == TJZW_REFUSED;
    if ((rc && !gone) || (rc = person_begin(l->t, e)))
        return rc;
    rc = gone ? person_rewrite(l->t, guest, here, e) : person_forget(l->t, guest->no, e);
    return person_end(l->t, rc, e);
}
