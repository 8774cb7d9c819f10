/*
 * events.c - server-sent events: lines ended by LF, CR or CRLF; `field: value`; an empty line ends
 * an event; a colon begins a comment. A hint is an event whose data is one JSON object.
 */
#include "clients/c/events.h"

#include <jansson.h>
#include <string.h>

void events_begin(struct events *s)
{
    s->nline = s->ndata = 0;
    s->type[0] = '\0';
    s->begun = s->after_cr = s->any_data = false;
}

/* An empty line: what was collected is an event if it has data. */
static void dispatch(struct events *s, event_fn *fn, void *ctx)
{
    if (s->any_data) {
        struct event e = { s->type[0] ? s->type : "message", s->data, s->ndata };

        s->data[s->ndata] = '\0';
        fn(ctx, &e);
    }
    s->ndata = 0;
    s->any_data = false;
    s->type[0] = '\0';
}

static bool add_data(struct events *s, const char *value, size_t n)
{
    if (s->ndata + n + 1 > EVENT_MAX)
        return false;
    if (s->any_data)
        s->data[s->ndata++] = '\n';
    memcpy(s->data + s->ndata, value, n);
    s->ndata += n;
    s->any_data = true;
    return true;
}

static void take_id(struct events *s, const char *value, size_t n)
{
    if (n >= sizeof s->id || memchr(value, '\0', n))
        return;
    memcpy(s->id, value, n);
    s->id[n] = '\0';
}

static void take_retry(struct events *s, const char *value, size_t n)
{
    uint64_t ms = 0;

    if (n == 0 || n > 9)
        return;
    for (size_t i = 0; i < n; i++) {
        if (value[i] < '0' || value[i] > '9')
            return;
        ms = 10 * ms + (uint64_t)(value[i] - '0');
    }
    s->retry_ms = (uint32_t)ms;
}

static bool is_field(const char *line, size_t n, const char *name)
{
    return n == strlen(name) && memcmp(line, name, n) == 0;
}

static bool take_line(struct events *s, event_fn *fn, void *ctx)
{
    const char *line = s->line, *colon, *value;
    size_t n = s->nline, name, rest;

    if (!s->begun && n >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
        line += 3;
        n -= 3;
    }
    s->begun = true;
    s->nline = 0;
    if (n == 0) {
        dispatch(s, fn, ctx);
        return true;
    }
    colon = memchr(line, ':', n);
    name = colon ? (size_t)(colon - line) : n;
    value = colon ? colon + 1 : line + n;
    rest = n - (size_t)(value - line);
    if (rest > 0 && *value == ' ') {
        value++;
        rest--;
    }
    if (is_field(line, name, "data"))
        return add_data(s, value, rest);
    if (is_field(line, name, "id"))
        take_id(s, value, rest);
    else if (is_field(line, name, "retry"))
        take_retry(s, value, rest);
    else if (is_field(line, name, "event") && rest < sizeof s->type &&
             !memchr(value, '\0', rest)) {
        memcpy(s->type, value, rest);
        s->type[rest] = '\0';
    }
    return true;
}

bool events_take(struct events *s, const void *bytes, size_t n, event_fn *fn, void *ctx)
{
    for (const char *at = bytes, *end = at + n; at < end; at++) {
        bool after_cr = s->after_cr;

        s->after_cr = *at == '\r';
        if (*at == '\n' && after_cr)
            continue;
        if (*at == '\r' || *at == '\n') {
            if (!take_line(s, fn, ctx))
                return false;
            continue;
        }
        if (s->nline == sizeof s->line)
            return false;
        s->line[s->nline++] = *at;
    }
    return true;
}

static uint64_t positive(const json_t *hint, const char *name)
{
    json_int_t n = json_integer_value(json_object_get(hint, name));

    return n > 0 ? (uint64_t)n : 0;
}

/* A path that is not the twin of a head of the stream that the hint is about is not fetched. */
static bool take_twin(const json_t *hint, struct wire_url *twin)
{
    const char *stream = json_string_value(json_object_get(hint, "stream"));
    const json_t *head = json_object_get(hint, "head");
    struct sync_err ignored;

    return stream && json_is_string(head) &&
           !wire_url_parse(&ignored, json_string_value(head), json_string_length(head), twin) &&
           twin->kind == WIRE_URL_TWIN && strcmp(twin->stream, stream) == 0;
}

bool event_hint(const struct event *event, struct hint *out)
{
    json_t *hint;
    bool taken;

    if (strcmp(event->type, "head") != 0 ||
        !(hint = json_loadb(event->data, event->n, JSON_REJECT_DUPLICATES, NULL)))
        return false;
    if ((taken = take_twin(hint, &out->twin))) {
        out->spread = positive(hint, "spread");
        out->list = positive(hint, "list");
    }
    json_decref(hint);
    return taken;
}
