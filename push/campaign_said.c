/*
 * campaign_said.c - JSON of a row, and what it says.
 */
#include "push/campaign_said.h"

#include <inttypes.h>
#include <string.h>

#include "push/run_row.h"
#include "server/base/clock.h"

enum { RECALL_TTL = 86400 };

const char *campaign_said_print(struct work *w, const struct campaign_said *s)
{
    struct buf b = BUF_IN(w->mem);

    buf_addc(&b, '{');
    jx_put_text(&b, "bare", s->shown.bare);
    jx_put_text(&b, "class", push_class_word(s->class));
    jx_put_text(&b, "collapse", s->collapse);
    jx_put_text(&b, "link", s->shown.link);
    jx_put_text(&b, "picture", s->shown.picture);
    jx_put_int(&b, "revokes", s->revokes);
    jx_put_text(&b, "sender", s->sender ? s->sender : s->shown.sender);
    jx_put_text(&b, "text", s->shown.text);
    jx_put_text(&b, "title", s->shown.title);
    jx_put_int(&b, "ttl", s->ttl);
    buf_addc(&b, '}');
    return b.p;
}

enum rc campaign_said_test(struct work *w, const struct campaign *c, const char **out)
{
    struct campaign_said s = { .class = c->class, .ttl = c->ttl };
    enum rc rc = campaign_shown(w, c, &s.shown);

    if (!rc)
        *out = campaign_said_print(w, &s);
    return rc;
}

/* Vendors drop a text that they know, so it is another for each: the number of the campaign and when it was sent. */
enum rc campaign_said_recall(struct work *w, const struct campaign *c, unsigned revokes,
                             const char **out)
{
    struct campaign_said s = { .class = c->class, .ttl = RECALL_TTL, .revokes = revokes };
    struct campaign note = *c;
    char at[CLOCK_TEXT];
    enum rc rc;

    clock_text(c->fired, at);
    note.title = "一条消息已撤回";
    note.text =
        arena_printf(w->mem, "%.5s %.5s 发送的消息（编号 %" PRId64 "）已撤回，请以应用内为准。",
                     at + 5, at + 11, c->no);
    note.link = note.picture = "";
    if ((rc = campaign_shown(w, &note, &s.shown)))
        return rc;
    *out = campaign_said_print(w, &s);
    return RC_OK;
}

static enum rc read_said(struct work *w, const struct run_row *r, struct campaign_said *out)
{
    static const struct jx_field members[] = { { "bare", JX_TEXT, false, 0, 0 },
                                               { "class", JX_TEXT, true, 1, 20 },
                                               { "collapse", JX_TEXT, false, 1, 32 },
                                               { "link", JX_TEXT, true, 0, 0 },
                                               { "picture", JX_TEXT, true, 0, 0 },
                                               { "revokes", JX_INT, false, 0, UINT32_MAX },
                                               { "sender", JX_TEXT, false, 0, 0 },
                                               { "text", JX_TEXT, true, 0, 0 },
                                               { "title", JX_TEXT, true, 0, 0 },
                                               { "ttl", JX_INT, true, 1, CAMPAIGN_TTL_MAX },
                                               { 0 } };
    json_t *o;

    if (jx_object(&w->err, w->mem, r->said, strlen(r->said), &o) ||
        jx_check(&w->err, o, members, "") || !push_class_parse(jx_text(o, "class")))
        return err_set(&w->err, RC_CORRUPT, "what a run says is damaged");
    *out =
        (struct campaign_said){ .class = (enum push_class)push_class_parse(jx_text(o, "class")),
                                .ttl = jx_int(o, "ttl", 0),
                                .revokes = (unsigned)jx_int(o, "revokes", 0),
                                .ends_ms = r->ends_ms,
                                .news = r->news,
                                .sender = jx_text(o, "sender"),
                                .collapse = jx_text(o, "collapse"),
                                .shown = { .title = jx_text(o, "title"),
                                           .text = jx_text(o, "text"),
                                           .link = jx_text(o, "link"),
                                           .picture = jx_text(o, "picture"),
                                           .bare = jx_text(o, "bare"),
                                           .sender = jx_text(o, "sender") } };
    return RC_OK;
}

enum rc campaign_said(struct work *w, int64_t run, struct campaign_said *out)
{
    struct campaign c;
    struct run_row r;
    enum rc rc;

    if ((rc = run_read(w, run, &r)))
        return rc;
    if (*r.said)
        return read_said(w, &r, out);
    if ((rc = campaign_find(w, run_campaign(run), &c)))
        return rc;
    *out = (struct campaign_said){
        .class = c.class, .ttl = c.ttl, .pace = c.pace, .ends_ms = r.ends_ms, .news = r.news
    };
    return campaign_shown(w, &c, &out->shown);
}
