/*
 * letter_publish.c - from a letter to a draft.
 */
#include "server/citizen/letter_publish.h"

#include <string.h>

#include "server/base/clock.h"
#include "server/base/seal.h"
#include "server/citizen/letter_redact.h"
#include "server/citizen/letter_staff.h"
#include "server/identity/party_reach.h"
#include "server/library/column.h"
#include "server/library/org.h"
#include "server/library/stream.h"
#include "server/store/db.h"

enum { KNOWN_MAX = 20, ORIGIN_BYTES = 16 };

static enum rc check(struct work *w, const struct letter *l)
{
    if (!l->public)
        return err_set(&w->err, RC_CONFLICT, "写信人没有同意公开");
    if (l->state != LETTER_ANSWERED && l->state != LETTER_RATED && l->state != LETTER_CLOSED)
        return err_set(&w->err, RC_CONFLICT, "信件%s，不能公开",
                       letter_states[l->state].chinese);
    if (!l->body)
        return err_set(&w->err, RC_CONFLICT, "写信人已注销，信件内容已清除");
    return RC_OK;
}

struct known {
    struct letter_known all[KNOWN_MAX];
    int n;
};

static void know(struct known *k, const char *text, const char *stands)
{
    if (text && strlen(text) > 3 &&
        k->n < KNOWN_MAX) /* one character alone would go everywhere */
        k->all[k->n++] = (struct letter_known){ text, stands };
}

/* All that its writer said of himself, with the names that staff found in the text. */
static enum rc find_known(struct work *w, const struct letter *l, const json_t *body,
                          const char *const *names, int n, struct known *out)
{
    json_t *contact;
    enum rc rc;

    out->n = 0;
    if (l->contact) {
        if ((rc = jx_object(&w->err, w->mem, l->contact, strlen(l->contact), &contact)))
            return rc;
        know(out, jx_text(contact, "address"), "［地址］");
        know(out, jx_text(contact, "email"), "［邮箱］");
        know(out, jx_text(contact, "phone"), "［电话］");
        know(out, jx_text(contact, "name"), NULL);
    }
    know(out, jx_text(body, "place"), "［地点］");
    for (int i = 0; i < n; i++)
        know(out, names[i], NULL);
    return RC_OK;
}

static enum rc write_content(struct work *w, const struct letter *l, const json_t *body,
                             const char *answer, const struct known *k, struct content *out)
{
    struct buf text = BUF_IN(w->mem), b = BUF_IN(w->mem);
    char day[CLOCK_TEXT];
    struct org unit;
    enum rc rc;

    if ((rc = org_by_no(w, l->unit, &unit)))
        return rc;
    buf_printf(&text, "## 来信\n\n%s\n\n## 答复\n\n%s\n",
               letter_redact(w->mem, jx_text(body, "text"), k->all, k->n),
               letter_redact(w->mem, answer, k->all, k->n));
    buf_addc(&b, '{');
    jx_put_text(&b, "body", text.p);
    jx_put_text(&b, "contentSource", unit.name);
    jx_put_text(&b, "kind", "message");
    jx_put_text(&b, "sourceDate", clock_day(l->settled, day));
    jx_put_text(&b, "title", letter_redact(w->mem, jx_text(body, "title"), k->all, k->n));
    buf_addc(&b, '}');
    return content_parse(&w->err, w->mem, b.p, b.n, out);
}

static enum rc make_content(struct work *w, const struct letter *l, const char *const *names,
                            int n, struct content *out)
{
    struct letter_step answer = { 0 };
    struct known known;
    json_t *body;
    enum rc rc;

    rc = letter_step_last(w, l, LETTER_DO_ANSWER, &answer);
    if ((rc && rc != RC_NOT_FOUND) ||
        (rc = jx_object(&w->err, w->mem, l->body, strlen(l->body), &body)) ||
        (rc = find_known(w, l, body, names, n, &known)))
        return rc;
    if (!answer.text)
        return err_set(&w->err, RC_CONFLICT, "这封信件没有答复可以公开");
    return write_content(w, l, body, answer.text, &known, out);
}

/* A name that is the same each time, so that it is published once, and leads nobody from what is published to the letter: without the key it says nothing. */
static const char *origin_of(struct work *w, const struct letter *l)
{
    uint8_t hash[HASH_BYTES];
    char hex[2 * ORIGIN_BYTES + 1];

    seal_index("letter_public", (const char *)l->id.b, sizeof l->id.b, hash);
    return arena_printf(w->mem, "letter/%s", hex_text(hash, ORIGIN_BYTES, hex));
}

enum rc letter_publish(struct work *w, const char *name, int64_t column,
                       const char *const *names, int n, struct item *out)
{
    struct item_new new = { .col = column };
    struct content content;
    struct column c;
    struct letter l;
    enum rc rc;

    if ((rc = letter_find(w, name, &l)) || (rc = letter_may(w, l.unit)) ||
        (rc = letter_reach(w, &l, "publish")) || (rc = check(w, &l)) ||
        (rc = column_by_no(w, column, &c)) || (rc = make_content(w, &l, names, n, &content)))
        return rc;
    new.site = c.site;
    new.content = &content;
    new.origin_id = origin_of(w, &l);
    return item_create(w, &new, out);
}

/* ---- taken back ---- */

/* What was made of it; RC_NOT_FOUND: nothing. */
static enum rc find_made(struct work *w, const struct letter *l, struct item *out)
{
    const char *origin = origin_of(w, l);
    struct stream *all;
    enum rc rc;
    int n;

    if ((rc = stream_list(w, &all, &n)))
        return rc;
    rc = RC_NOT_FOUND;
    for (int i = 0; i < n && rc == RC_NOT_FOUND; i++)
        rc = item_by_origin(w, all[i].name, origin, out);
    return rc;
}

/* Its newest revision, the one that can be published, says nothing of the letter from now on. */
static enum rc empty(struct work *w, const struct item *it)
{
    static const char said[] =
        "{\"kind\":\"message\",\"title\":\"（写信人撤回了公开的同意，请勿发布）\"}";
    struct actor writer = w->who;
    struct content content;
    struct item edited;
    enum rc rc = content_parse(&w->err, w->mem, said, sizeof said - 1, &content);

    if (rc)
        return rc;
    w->who = actor_operator;
    rc = item_edit(w, &it->id, it->rev, &content, NULL, "写信人撤回了公开的同意", &edited);
    w->who = writer;
    return rc;
}

enum rc letter_keep_private(struct work *w, const struct id *id)
{
    struct letter l;
    struct item made;
    enum rc rc;

    if ((rc = letter_by_id(w, id, &l)))
        return rc;
    if (l.account != w->who.account)
        return err_set(&w->err, RC_NOT_FOUND, "没有这封信件");
    rc = find_made(w, &l, &made);
    if (!rc && made.live_rev)
        return err_set(&w->err, RC_CONFLICT, "答复已经公开，请联系公开它的单位撤下");
    if (!rc && !made.seq)
        rc = empty(w, &made);
    if (rc && rc != RC_NOT_FOUND)
        return rc;
    return db_change(w, SQL_letter_keep_private, "i", l.no);
}
