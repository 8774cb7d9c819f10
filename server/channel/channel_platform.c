/*
 * channel_platform.c - what platforms share.
 */
#include "server/channel/channel_platform.h"

#include <string.h>

#include "server/base/jx.h"
#include "server/base/secret.h"

const struct channel_platform *channel_platform(const char *kind)
{
    static const struct channel_platform *const all[] = { &channel_wechat, &channel_weibo };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!strcmp(all[i]->kind, kind))
            return all[i];
    return NULL;
}

json_t *channel_answer_json(struct arena *mem, const struct channel_answer *a)
{
    struct err ignored;
    json_t *o;

    return a->status && a->n && !jx_object(&ignored, mem, a->body, a->n, &o) ? o : NULL;
}

enum channel_fate channel_no_answer(enum channel_step step, const struct channel_answer *a)
{
    return channel_step_is_risky(step) && !a->unsent ? FATE_DOUBT : FATE_AGAIN;
}

void channel_form_begin(struct channel_form *f, struct arena *mem, struct channel_request *out)
{
    uint8_t chance[16];

    secret_random(chance, sizeof chance);
    hex_text(chance, sizeof chance, f->boundary);
    f->out = &out->body;
    out->type = arena_printf(mem, "multipart/form-data; boundary=%s", f->boundary);
}

static const char *type_of(const char *p, size_t n)
{
    if (n >= 3 && !memcmp(p, "\xff\xd8\xff", 3))
        return "image/jpeg";
    return n >= 4 && !memcmp(p, "GIF8", 4) ? "image/gif" : "image/png";
}

void channel_form_part(struct channel_form *f, const char *name, const char *file,
                       const char *p, size_t n)
{
    buf_printf(f->out, "--%s\r\nContent-Disposition: form-data; name=\"%s\"", f->boundary,
               name);
    if (file)
        buf_printf(f->out, "; filename=\"%s%s\"\r\nContent-Type: %s", file,
                   strrchr(type_of(p, n), '/') + 1, type_of(p, n));
    buf_adds(f->out, "\r\n\r\n");
    buf_add(f->out, p, n);
    buf_adds(f->out, "\r\n");
}

void channel_form_end(struct channel_form *f)
{
    buf_printf(f->out, "--%s--\r\n", f->boundary);
}
