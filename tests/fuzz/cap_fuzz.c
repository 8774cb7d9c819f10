/*
 * cap_fuzz.c - any bytes as a CAP document: refused with a reason, or read and then judged; what the rules let pass is content of an item, and an audience.
 */
#include <stdlib.h>
#include <string.h>

#include "push/audience.h"
#include "warning/take_item.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { NOW = 1795000000 };

static const struct warning_spec spec = { .name = "示例市气象台",
                                          .areas = { "120000" },
                                          .nareas = 1,
                                          .levels = 0x1e,
                                          .from = NOW - 10,
                                          .until = NOW + 10 };

/* All that follows from a message is what the places it goes to accept, or is refused in words. */
static void follow(struct work *w, const struct take *t)
{
    struct warning last = { .title = "以前的",
                            .areas = "120101",
                            .level = LEVEL_RED,
                            .expires = NOW + 60 },
                   x;
    struct rule_facts f;
    struct audience *a;
    struct content c;
    json_t *value;
    const char *text;

    if (rule_check(&w->err, w->mem, &t->cap, "12000041600", &spec, NOW, &f)) {
        if (!*w->err.text)
            abort();
        return;
    }
    text = rule_audience(w->mem, f.areas, f.nareas);
    if (jx_object(&w->err, w->mem, text, strlen(text), &value) || audience_parse(w, value, &a))
        abort();
    x = (struct warning){ .identifier = t->cap.identifier,
                          .type = t->cap.type,
                          .level = f.level,
                          .areas = f.nareas ? f.areas[0] : "",
                          .title = take_title(w, f.info, &last),
                          .expires = f.expires };
    if (!x.level)
        x.level = last.level;
    if (take_content(w, t, &f, &x, &c) && !*w->err.text)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct take t = { .spec = spec };
    struct work w;

    work_init(&w, arena_new(), NULL, "fuzz", 0);
    if (!cap_read(&w.err, w.mem, (const char *)data, n, &t.cap))
        follow(&w, &t);
    else if (!*w.err.text)
        abort();
    arena_free(w.mem);
    return 0;
}
