/*
 * state_fuzz.c - what a stranger's phone may send to POST /v1/me/sync, and the patterns and sets that its mutations are held against.
 *
 * The first byte chooses. A body that was let in keeps its promises: numbers ascend, texts are canonical, and a value that its type takes is merged to one that it takes too. Of
 * a packed body no more than was allowed comes out. A set of numbers agrees with a plain model.
 */
#include <stdlib.h>
#include <string.h>

#include "api/visit_json.h"
#include "server/base/jx.h"
#include "server/http/coding.h"
#include "sync/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { UNPACKED = 5000, NUMBERS = 4096 };

static void must(bool good)
{
    if (!good)
        abort();
}

/* Over itself, and over something else of the type. */
static void try_merge(const struct state_type *t, const struct mutation *m)
{
    static char out[MERGE_MAX], again[MERGE_MAX];
    const char *stands = merge_value(t->rule, NULL, m->text, out);

    must(state_value_ok(t, m->key, stands));
    must(!strcmp(merge_value(t->rule, stands, m->text, again),
                 t->rule == MERGE_UNION ? stands : m->text));
}

static void try_mutation(const struct visit *v, int i)
{
    const struct mutation *m = &v->mutations[i];
    const struct state_type *t = state_type_find(m->type);

    must(m->n >= 1 && (!i || m->n == v->mutations[i - 1].n + 1));
    must(v->device && m->device == v->device);
    must(!m->text || (m->value && strlen(m->text) <= STATE_VALUE_MAX));
    if (t && m->text && state_key_ok(t, m->key) && state_value_ok(t, m->key, m->text))
        try_merge(t, m);
}

static void try_body(const char *p, size_t n)
{
    struct visit v = { 0 };
    struct buf cursor = BUF_HEAP;
    struct work w;

    work_init(&w, arena_new(), NULL, "fuzz", RIGHT_ALL);
    if (visit_parse(&w, p, n, &v)) {
        must(w.err.text[0] != '\0');
    } else {
        must(v.n <= VISIT_MUTATIONS_MAX && v.most >= 1 && v.most <= VISIT_ENTRIES_MAX);
        if (v.holds) {
            cursor_put(&cursor, &v.cursor);
            must(cursor.n < CURSOR_TEXT && cursor_read(cursor.p, &v.cursor));
            buf_done(&cursor);
        }
        for (int i = 0; i < v.n; i++)
            try_mutation(&v, i);
    }
    arena_free(w.mem);
}

static void try_packed(const char *coding, const char *p, size_t n)
{
    struct arena *mem = arena_new();
    struct err e;
    const char *out;
    size_t out_n;

    if (!coding_unpack(&e, mem, coding, p, n, UNPACKED, &out, &out_n)) {
        must(out_n <= UNPACKED && !out[out_n]);
        try_body(out, out_n);
    }
    arena_free(mem);
}

/* A second reader. False: it is no set. */
static bool model(const char *p, const char *end, bool in[NUMBERS])
{
    for (;;) {
        unsigned long v[2];
        int k = 0;

        do {
            char *after;

            if (p == end || *p < '0' || *p > '9' ||
                (*p == '0' && p + 1 < end && p[1] >= '0' && p[1] <= '9'))
                return false;
            v[k] = strtoul(p, &after, 10);
            p = after;
        } while (!k++ && p < end && *p == '-' && p++);
        if (k == 1)
            v[1] = v[0];
        if (v[0] > v[1] || v[1] >= NUMBERS)
            return false;
        for (unsigned long i = v[0]; i <= v[1]; i++)
            in[i] = true;
        if (p == end)
            return true;
        if (*p++ != ',')
            return false;
    }
}

static void try_set(const char *p, size_t n)
{
    bool in[NUMBERS] = { 0 };
    bool good = model(p, p + n, in);

    must(merge_ranges_ok(p, n) == good);
    for (unsigned i = 0; good && i < NUMBERS; i += 97)
        must(merge_ranges_have(p, n, i) == in[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *text;

    if (!n)
        return 0;
    text =
        malloc(n); /* NUL-terminated behind, so that the model may read a number at the end */
    memcpy(text, data + 1, n - 1);
    text[n - 1] = '\0';
    switch (data[0] % 4) {
    case 0: try_body(text, n - 1); break;
    case 1: try_packed("gzip", text, n - 1); break;
    case 2: try_packed("zstd", text, n - 1); break;
    default: try_set(text, n - 1);
    }
    free(text);
    return 0;
}
