/*
 * campaign_fuzz.c - any text as a campaign: refused with a reason, or one that, written down again, is read as the same.
 */
#include <stdlib.h>
#include <string.h>

#include "push/campaign.h"
#include "server/base/clock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool read(struct work *w, const char *text, size_t n, struct campaign *c)
{
    json_t *value;

    *c = (struct campaign){ .link = "", .picture = "", .districts = "[]", .ttl = 60 };
    if (!jx_object(&w->err, w->mem, text, n, &value) && !campaign_read(w, value, true, c))
        return true;
    if (!*w->err.text)
        abort();
    return false;
}

static void write_down(struct work *w, const struct campaign *c, struct buf *b)
{
    char id[ID_TEXT], start[CLOCK_TEXT];

    buf_addc(b, '{');
    jx_put_text(b, "item", id_text(&c->item, id));
    jx_put_text(b, "class", push_class_word(c->class));
    jx_put_text(b, "title", c->title);
    jx_put_text(b, "text", c->text);
    jx_put_text(b, "link", c->link);
    jx_put_text(b, "picture", c->picture);
    jx_put_text(b, "doubt", campaign_doubt_word(c->doubt));
    jx_put_text(b, "start", c->start ? clock_text(c->start, start) : "");
    jx_put_int(b, "ttl", c->ttl);
    jx_put_int(b, "pace", c->pace);
    buf_printf(b, ",\"audience\":%s,\"districts\":%s}", c->audience, c->districts);
    (void)w;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct campaign first, second;
    struct work w;
    struct buf b;

    work_init(&w, arena_new(), NULL, "fuzz", 0);
    if (read(&w, (const char *)data, n, &first)) {
        b = BUF_IN(w.mem);
        write_down(&w, &first, &b);
        if (!read(&w, b.p, b.n, &second))
            abort();
        if (campaign_hash(&w, &first) || campaign_hash(&w, &second))
            abort();
        if (first.doubt == second.doubt && memcmp(first.hash, second.hash, sizeof first.hash))
            abort();
    }
    arena_free(w.mem);
    return 0;
}
