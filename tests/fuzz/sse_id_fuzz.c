/*
 * sse_id_fuzz.c - a Last-Event-ID: whatever it says, a reader is given every topic it does not list, and those published after the first of them.
 */
#include <stdlib.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/http/sse_reader.h"

enum { TOPICS = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct {
    const char *name, *id;
} topics[TOPICS] = { { "main", "7.41.1" }, { "hexi", "7.39.12" }, { "main-2", "1.1.1" } };

static struct sse *fresh(void)
{
    const struct sse_conf conf = { .sent = METRIC_hints_sent,
                                   .readers = METRIC_hint_subscribers,
                                   .skipped = METRIC_hints_skipped };
    struct sse *s = sse_new(&conf);

    for (int i = 0; i < TOPICS; i++)
        sse_publish(s, topics[i].name, topics[i].id, "head", "{}");
    return s;
}

/* The same question asked in another way. */
static bool listed(const char *commas, int topic)
{
    struct buf element = BUF_HEAP;
    bool found;

    buf_printf(&element, ",%s=%s,", topics[topic].name, topics[topic].id);
    found = strstr(commas, element.p);
    buf_done(&element);
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct sse *s;
    struct buf commas = BUF_HEAP;
    struct sse_place p;
    struct sse_event *e;
    int first = 0;
    char *list;

    s = s ? s : fresh();
    list = strndup((const char *)data, n);
    buf_printf(&commas, ",%s,", list);
    while (first < TOPICS && listed(commas.p, first))
        first++;
    p = sse_place_of(s, &(struct sse_wish){ .sse = s, .last_id = list });
    for (int topic = first; topic < TOPICS; topic++) {
        if (!(e = sse_next(s, &p, UINT64_MAX)) || e->topic != topic)
            abort();
        sse_event_unref(e);
    }
    if (sse_next(s, &p, UINT64_MAX))
        abort();
    buf_done(&commas);
    free(list);
    return 0;
}
