/*
 * diff.c - texts compared by sentence.
 *
 *     text --> sentences (a line break ends one too) --> equal ends cut off --> longest common subsequence of the middle --> runs
 *
 * A reader wants to see the sentence that changed, with the one before and the one after it; not the characters, and not the rest.
 */
#include "server/library/diff.h"

#include <string.h>

#include "server/base/jx.h"

enum { CELLS_MAX = 1 << 20, CONTEXT_FROM = 3 };

struct sentences {
    const char *text;
    uint32_t *at; /* where each begins, and the end of the last */
    int n;
};

/* Whether a sentence ends with these bytes; how many they are. */
static size_t ending(const char *p, const char *end)
{
    static const char *const marks[] = { "\n", "。", "！", "？", "；", ". ", "! ", "? " };

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        size_t n = strlen(marks[i]);

        if ((size_t)(end - p) >= n && !memcmp(p, marks[i], n))
            return n;
    }
    return 0;
}

/* A quotation mark or bracket behind the full stop belongs to its sentence. */
static size_t closing(const char *p, const char *end)
{
    static const char *const marks[] = { "”", "’", "」", "』", "）", "》" };

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        size_t n = strlen(marks[i]);

        if ((size_t)(end - p) >= n && !memcmp(p, marks[i], n))
            return n;
    }
    return 0;
}

static struct sentences split(struct arena *mem, const char *text, size_t n)
{
    const char *end = text + n;
    struct buf at = BUF_IN(mem);
    struct sentences s = { .text = text };
    uint32_t place = 0;

    buf_add(&at, &place, sizeof place);
    for (const char *p = text; p < end;) {
        size_t mark = ending(p, end), more;

        p += mark ? mark : 1;
        while (mark && p[-1] != '\n' && (more = closing(p, end)))
            p += more;
        if (!mark && p < end)
            continue;
        place = (uint32_t)(p - text);
        buf_add(&at, &place, sizeof place);
    }
    s.at = (uint32_t *)(void *)at.p;
    s.n = (int)(at.n / sizeof place) - 1;
    return s;
}

static bool same(const struct sentences *a, int i, const struct sentences *b, int j)
{
    uint32_t n = a->at[i + 1] - a->at[i];

    return n == b->at[j + 1] - b->at[j] && !memcmp(a->text + a->at[i], b->text + b->at[j], n);
}

/* ---- runs ---- */

static void put(struct buf *out, const char *op, const struct sentences *s, int from, int to)
{
    if (from == to)
        return;
    buf_adds(out, out->p[out->n - 1] == '[' ? "{" : ",{");
    jx_put_text(out, "op", op);
    jx_key(out, "text");
    jx_quote(out, s->text + s->at[from], s->at[to] - s->at[from]);
    buf_addc(out, '}');
}

/* What is equal: the sentences next to a change, and how many lie between. */
static void put_same(struct buf *out, const struct sentences *s, int from, int to)
{
    int head = from > 0, tail = to < s->n;

    if (to - from < CONTEXT_FROM) {
        put(out, "same", s, from, to);
        return;
    }
    put(out, "same", s, from, from + head);
    buf_adds(out, out->p[out->n - 1] == '[' ? "{" : ",{");
    jx_put_text(out, "op", "skipped");
    jx_put_int(out, "sentences", to - from - head - tail);
    buf_addc(out, '}');
    put(out, "same", s, to - tail, to);
}

/* lcs[i * (m + 1) + j]: the longest common subsequence of what follows i and j. */
static uint16_t *table(struct arena *mem, const struct sentences *a, int a0, int n,
                       const struct sentences *b, int b0, int m)
{
    uint16_t *t = arena_zalloc(mem, (size_t)(n + 1) * (size_t)(m + 1) * sizeof *t);
    int row = m + 1;

    for (int i = n - 1; i >= 0; i--)
        for (int j = m - 1; j >= 0; j--) {
            uint16_t down = t[(i + 1) * row + j], right = t[i * row + j + 1];

            t[i * row + j] = same(a, a0 + i, b, b0 + j)
                                 ? (uint16_t)(t[(i + 1) * row + j + 1] + 1)
                                 : (down > right ? down : right);
        }
    return t;
}

/* The middle, where the ends differ. */
static void put_middle(struct arena *mem, struct buf *out, const struct sentences *a, int a0,
                       int n, const struct sentences *b, int b0, int m)
{
    const uint16_t *t;
    int i = 0, j = 0;

    if ((int64_t)(n + 1) * (m + 1) > CELLS_MAX) {
        put(out, "removed", a, a0, a0 + n);
        put(out, "added", b, b0, b0 + m);
        return;
    }
    t = table(mem, a, a0, n, b, b0, m);
    while (i < n || j < m) {
        int from_a, from_b, first = i;

        while (i < n && j < m && same(a, a0 + i, b, b0 + j))
            i++, j++;
        put_same(out, a, a0 + first, a0 + i);
        from_a = i;
        from_b = j;
        while ((i < n || j < m) && !(i < n && j < m && same(a, a0 + i, b, b0 + j)))
            if (j >= m || (i < n && t[(i + 1) * (m + 1) + j] >= t[i * (m + 1) + j + 1]))
                i++;
            else
                j++;
        put(out, "removed", a, a0 + from_a, a0 + i);
        put(out, "added", b, b0 + from_b, b0 + j);
    }
}

static void put_text(struct arena *mem, struct buf *out, const char *before, size_t before_n,
                     const char *after, size_t after_n)
{
    struct sentences a = split(mem, before, before_n), b = split(mem, after, after_n);
    int head = 0, tail = 0;

    while (head < a.n && head < b.n && same(&a, head, &b, head))
        head++;
    while (tail < a.n - head && tail < b.n - head &&
           same(&a, a.n - 1 - tail, &b, b.n - 1 - tail))
        tail++;
    jx_key(out, "text");
    buf_addc(out, '[');
    put_same(out, &a, 0, head);
    put_middle(mem, out, &a, head, a.n - head - tail, &b, head, b.n - head - tail);
    put_same(out, &a, a.n - tail, a.n);
    buf_addc(out, ']');
}

/* ---- fields ---- */

static bool equal(const struct slice *a, const struct slice *b)
{
    return a->n == b->n && (!a->n || !memcmp(a->p, b->p, a->n));
}

static void put_values(struct buf *out, const struct slice *before, const struct slice *after)
{
    if (after->n) {
        jx_key(out, "after");
        buf_add(out, after->p, after->n);
    }
    if (before->n) {
        jx_key(out, "before");
        buf_add(out, before->p, before->n);
    }
}

static void put_field(struct arena *mem, struct buf *out, int i, const struct slice *before,
                      const struct slice *after)
{
    bool text = fields[i].type == FIELD_TEXT && before->n && after->n;
    json_t *a = text ? json_loadb(before->p, before->n, JSON_DECODE_ANY, NULL) : NULL;
    json_t *b = text ? json_loadb(after->p, after->n, JSON_DECODE_ANY, NULL) : NULL;

    buf_adds(out, out->p[out->n - 1] == '[' ? "{" : ",{");
    if (!json_is_string(a) || !json_is_string(b))
        put_values(out, before, after);
    jx_put_text(out, "field", fields[i].name);
    jx_put_text(out, "label", fields[i].label);
    if (json_is_string(a) && json_is_string(b))
        put_text(mem, out, json_string_value(a), json_string_length(a), json_string_value(b),
                 json_string_length(b));
    buf_addc(out, '}');
    json_decref(a);
    json_decref(b);
}

void diff_json(const struct content *before, const struct content *after, struct buf *out)
{
    struct arena *mem = arena_new();

    jx_key(out, "fields");
    buf_addc(out, '[');
    if (before->kind != after->kind) {
        buf_addc(out, '{');
        jx_put_text(out, "after", kind_name(after->kind));
        jx_put_text(out, "before", kind_name(before->kind));
        jx_put_text(out, "field", "kind");
        jx_put_text(out, "label", "类型");
        buf_addc(out, '}');
    }
    for (int i = 0; i < FIELD_COUNT; i++)
        if (!equal(&before->value[i], &after->value[i]))
            put_field(mem, out, i, &before->value[i], &after->value[i]);
    buf_addc(out, ']');
    arena_free(mem);
}
