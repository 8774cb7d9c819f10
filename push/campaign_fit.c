/*
 * campaign_fit.c - texts against limit.def.
 */
#include "push/campaign_fit.h"

#include <string.h>

#include "server/base/clock.h"

enum { ENVELOPE = 600 /* bytes that a vendor's form, ids and links take of a payload */ };

/* Code points: the text is valid UTF-8. */
static int characters(const char *s)
{
    int n = 0;

    for (; *s; s++)
        n += (*s & 0xc0) != 0x80;
    return n;
}

const char *campaign_cut(struct work *w, const char *text, int most)
{
    const char *s = text, *last = text;
    int n = 0;

    for (; *s; s++)
        if ((*s & 0xc0) != 0x80 && ++n == most)
            last = s;
    return n <= most ? text : arena_printf(w->mem, "%.*s…", (int)(last - text), text);
}

void campaign_shown_at(struct work *w, struct campaign_shown *s, enum transport by,
                       enum push_class class, int32_t day)
{
    struct push_limit l = push_limit(by, class, day);

    if (transport_type((int)by)->tail != TRANSPORT_TAIL_APART || !s->bare)
        return;
    s->text = *s->bare ? s->bare : s->title; /* a form with an empty field is refused */
    if (l.text) {
        s->text = campaign_cut(w, s->text, l.text);
        s->sender = s->sender ? campaign_cut(w, s->sender, l.text) : NULL;
    }
}

enum rc campaign_fits(struct work *w, const struct campaign *c,
                      struct campaign_fit out[TRANSPORT_COUNT], int *n)
{
    int32_t day = push_limit_day(c->start ? c->start : clock_now());
    struct campaign_shown all, shown;
    enum rc rc = campaign_shown(w, c, &all);

    *n = 0;
    if (rc)
        return rc;
    for (int by = 1; by < TRANSPORT_COUNT; by++) {
        struct push_limit l = push_limit((enum transport)by, c->class, day);
        struct campaign_fit f;

        shown = all;
        campaign_shown_at(w, &shown, (enum transport)by, c->class, day);
        f = (struct campaign_fit){ .by = (enum transport)by,
                                   .title = characters(shown.title),
                                   .text = characters(shown.text),
                                   .title_most = l.title,
                                   .text_most = l.text,
                                   .payload = (int)(strlen(shown.title) + strlen(shown.text)),
                                   .payload_most = l.payload - ENVELOPE,
                                   .shows = shown.text == all.text ? NULL : shown.text };
        f.fits = (!l.title || f.title <= l.title) && (!l.text || f.text <= l.text) &&
                 f.payload <= f.payload_most;
        out[(*n)++] = f;
    }
    return RC_OK;
}

enum rc campaign_fit_check(struct work *w, const struct campaign *c)
{
    struct campaign_fit fits[TRANSPORT_COUNT];
    enum rc rc;
    int n;

    if ((rc = campaign_fits(w, c, fits, &n)))
        return rc;
    for (int i = 0; i < n; i++) {
        const struct campaign_fit *f = &fits[i];
        const char *label = transport_type((int)f->by)->label;

        if (f->fits || !campaign_is_on(f->by))
            continue;
        if (f->title_most && f->title > f->title_most)
            return err_field(&w->err, "/title", "%s的标题最多 %d 个字，现在有 %d 个", label,
                             f->title_most, f->title);
        if (f->text_most && f->text > f->text_most)
            return err_field(&w->err, "/text",
                             "%s的正文最多 %d 个字，连同来源和退订办法现在有 %d 个", label,
                             f->text_most, f->text);
        return err_field(&w->err, "/text", "%s一共最多 %d 字节，现在有 %d 字节", label,
                         f->payload_most, f->payload);
    }
    return RC_OK;
}
