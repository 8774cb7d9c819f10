/*
 * take_item.c - a message as content of an item.
 */
#include "warning/take_item.h"

#include <string.h>

#include "server/base/clock.h"
#include "server/base/jx.h"

static const char ended[] = "（解除）";

const char *take_title(struct work *w, const struct cap_info *info, const struct warning *last)
{
    if (info)
        return info->headline ? info->headline : info->event;
    return arena_printf(w->mem, "%s%s", ended, last->title ? last->title : "");
}

const char *take_source(const struct take *t, const struct rule_facts *f)
{
    return f->info && f->info->sender_name ? f->info->sender_name : t->spec.name;
}

static void put_time(struct buf *b, const char *key, int64_t at)
{
    char text[CLOCK_TEXT];

    if (at)
        jx_put_text(b, key, clock_text(at, text));
}

static void put_areas(struct buf *b, const char *areas)
{
    jx_key(b, "areas");
    buf_addc(b, '[');
    for (size_t n; *areas; areas += n + (areas[n] == ',')) {
        n = strcspn(areas, ",");
        buf_addc(b, '"');
        buf_add(b, areas, n);
        buf_adds(b, areas[n] ? "\"," : "\"");
    }
    buf_addc(b, ']');
}

/* Content has stricter rules for addresses than CAP; whoever needs the others has the bytes. */
static bool is_link(const char *s)
{
    return s && (!strncmp(s, "http://", 7) || !strncmp(s, "https://", 8)) &&
           !strpbrk(s, " \"'<>\\^`{|}");
}

enum rc take_content(struct work *w, const struct take *t, const struct rule_facts *f,
                     const struct warning *x, struct content *out)
{
    const struct cap_info *in = f->info;
    struct buf b = BUF_IN(w->mem);
    char hex[HASH_TEXT];

    buf_addc(&b, '{');
    put_areas(&b, x->areas);
    jx_put_text(&b, "body", in ? in->description : NULL);
    jx_put_text(&b, "contentSource", take_source(t, f));
    put_time(&b, "effective", f->effective);
    jx_put_text(&b, "event", in ? in->event : NULL);
    put_time(&b, "expires", x->expires);
    jx_put_text(&b, "identifier", x->identifier);
    jx_put_text(&b, "instruction", in ? in->instruction : NULL);
    jx_put_text(&b, "kind", "warning");
    jx_put_text(&b, "level", level_colour(x->level));
    jx_put_text(&b, "msgType", cap_type_word(x->type));
    put_time(&b, "onset", in ? in->onset : 0);
    jx_put_text(&b, "sender", t->cap.sender);
    put_time(&b, "sourceDate", t->cap.sent);
    jx_put_text(&b, "sourceHash", hex_text(x->hash, sizeof x->hash, hex));
    jx_put_text(&b, "sourceUrl", in && is_link(in->web) ? in->web : NULL);
    jx_put_text(&b, "title", x->title);
    buf_addc(&b, '}');
    return content_parse(&w->err, w->mem, b.p, b.n, out);
}
