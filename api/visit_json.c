/*
 * visit_json.c - strict in what is said of the exchange, patient with each mutation: what is wrong there is its own result.
 */
#include "api/visit_json.h"

#include <string.h>

#include "server/base/jx.h"
#include "sync/state.h"

enum { TYPE_MAX = 64, KEY_MAX = 1024 };

static enum rc read_one(struct work *w, const struct visit *v, json_t *o, int64_t i,
                        struct mutation *out)
{
    static const struct jx_field members[] = { { "if", JX_INT, false, 0, VISIT_NUMBER_MAX },
                                               { "key", JX_TEXT, true, 0, KEY_MAX },
                                               { "n", JX_INT, true, 1, VISIT_NUMBER_MAX },
                                               { "type", JX_TEXT, true, 1, TYPE_MAX },
                                               { "value", JX_ANY, false },
                                               { 0 } };
    const char *at = arena_printf(w->mem, "/mutations/%lld", (long long)i);
    json_t *value = json_object_get(o, "value");
    enum rc rc;

    if ((rc = jx_check(&w->err, o, members, at)))
        return rc;
    *out = (struct mutation){ .account = v->account,
                              .device = v->device,
                              .n = jx_int(o, "n", 0),
                              .type = jx_text(o, "type"),
                              .key = jx_text(o, "key"),
                              .value = json_is_null(value) ? NULL : value,
                              .seen = jx_int(o, "if", -1) };
    if (out->value && jx_is_canonical(out->value)) {
        struct buf b = BUF_IN(w->mem);

        jx_canonical(&b, out->value);
        out->text = b.n <= STATE_VALUE_MAX ? b.p : NULL;
    }
    return RC_OK;
}

static enum rc read_mutations(struct work *w, const json_t *body, struct visit *v)
{
    json_t *list = json_object_get(body, "mutations");
    struct mutation *m;
    enum rc rc;

    v->n = (int)json_array_size(list);
    m = arena_alloc(w->mem, (size_t)v->n * sizeof *m + 1);
    for (int i = 0; i < v->n; i++) {
        if ((rc = read_one(w, v, json_array_get(list, (size_t)i), i, &m[i])))
            return rc;
        if (i && m[i].n != m[i - 1].n + 1)
            return err_field(&w->err, arena_printf(w->mem, "/mutations/%d/n", i),
                             "n should ascend by 1");
    }
    v->mutations = m;
    return RC_OK;
}

static bool is_letter(char c)
{
    return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

/* 16 bytes are 21 letters, and one of which two bits count. The bytes themselves are of no use to us. */
static bool is_device(const char *text)
{
    for (int i = 0; i < STATE_DEVICE; i++)
        if (!is_letter(text[i]))
            return false;
    return !text[STATE_DEVICE] && strchr("AQgw", text[STATE_DEVICE - 1]);
}

static enum rc read_envelope(struct work *w, const json_t *body, struct visit *v)
{
    const char *cursor = jx_text(body, "cursor");

    v->device = jx_text(body, "device");
    v->acked = jx_int(body, "acked", 0);
    v->most = (int)jx_int(body, "most", VISIT_ENTRIES);
    v->holds = cursor != NULL;
    if (cursor && !cursor_read(cursor, &v->cursor))
        return err_field(&w->err, "/cursor", "this is no cursor that was given");
    if (v->device && !is_device(v->device))
        return err_field(&w->err, "/device",
                         "a device is 16 bytes as base64url without padding");
    if (!v->device && (json_array_size(json_object_get(body, "mutations")) || v->acked))
        return err_field(&w->err, "/device", "who sends something up says which device it is");
    return RC_OK;
}

enum rc visit_parse(struct work *w, const char *text, size_t n, struct visit *out)
{
    static const struct jx_field members[] = {
        { "acked", JX_INT, false, 0, VISIT_NUMBER_MAX },
        { "cursor", JX_TEXT, false, 1, CURSOR_TEXT },
        { "device", JX_TEXT, false, STATE_DEVICE, STATE_DEVICE },
        { "most", JX_INT, false, 1, VISIT_ENTRIES_MAX },
        { "mutations", JX_OBJECTS, false, 0, VISIT_MUTATIONS_MAX },
        { 0 }
    };
    struct visit v = { .account = w->who.account };
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, text, n, &body)) ||
        (rc = jx_check(&w->err, body, members, "")) || (rc = read_envelope(w, body, &v)) ||
        (rc = read_mutations(w, body, &v)))
        return rc;
    *out = v;
    return RC_OK;
}

/* ---- the answer ---- */

static void print_entry(struct buf *b, const struct entry *e)
{
    buf_adds(b, b->p[b->n - 1] == '[' ? "{" : ",{");
    jx_put_text(b, "key", e->key);
    if (e->needs) {
        jx_key(b, "needs");
        buf_adds(b, e->needs);
    }
    jx_put_int(b, "seq", e->seq);
    jx_put_text(b, "type", e->type);
    jx_key(b, "value");
    buf_adds(b, e->value ? e->value : "null");
    buf_addc(b, '}');
}

/* Most of these answers bring nothing, and to print them is then a part of what they cost. */
void visit_print(struct buf *b, const struct visited *v, int64_t poll)
{
    buf_adds(b, "{\"cursor\":\"");
    cursor_put(b, &v->cursor);
    buf_adds(b, "\",\"entries\":[");
    for (int i = 0; i < v->page.n; i++)
        print_entry(b, &v->page.entries[i]);
    if (v->expected) {
        buf_adds(b, "],\"expected\":");
        buf_int(b, v->expected);
    } else {
        buf_addc(b, ']');
    }
    buf_adds(b, v->page.more ? ",\"more\":true,\"poll\":" : ",\"more\":false,\"poll\":");
    buf_int(b, poll);
    buf_adds(b, v->reset ? ",\"reset\":true,\"results\":[" : ",\"reset\":false,\"results\":[");
    buf_add(b, v->results.p, v->results.n);
    buf_adds(b, "]}\n");
}
