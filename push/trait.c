/*
 * trait.c - words of a citizen's entries, and rows of the table push_trait.
 */
#include "push/trait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/store/db.h"
#include "sync/addressed.h"

enum { NUMBER_BYTES = 4 };

enum rc trait_find(struct work *w, const char *word, int64_t *no)
{
    struct rows q;
    enum rc rc, end;

    if (!(rc = db_one(w, SQL_push_trait_find, &q, "t", word)))
        *no = rows_int(&q, 0);
    end = rows_done(&q);
    return rc ? rc : end;
}

static enum rc number_of(struct work *w, const char *word, int64_t *no)
{
    struct rows q;
    enum rc rc, end;

    if ((rc = trait_find(w, word, no)) != RC_NOT_FOUND)
        return rc;
    if (!(rc = db_one(w, SQL_push_trait_make, &q, "t", word)))
        *no = rows_int(&q, 0);
    end = rows_done(&q);
    return rc ? rc : end;
}

/* ---- of an account ---- */

struct gathering {
    struct work *w;
    struct buf numbers; /* int64_t each */
    enum rc rc;
};

static void gather(struct gathering *g, const char *kind, const char *rest)
{
    char word[TRAIT_WORD];
    int64_t no;

    snprintf(word, sizeof word, "%s%s", kind, rest);
    if (g->rc || (g->rc = number_of(g->w, word, &no)))
        return;
    buf_add(&g->numbers, &no, sizeof no);
}

static void gather_area(struct gathering *g, const char *code, size_t n)
{
    char area[AREA_DIGITS + 1];

    if (n > AREA_DIGITS)
        return;
    memcpy(area, code, n);
    area[n] = '\0';
    do
        gather(g, "area/", area);
    while (addressed_area_around(area));
}

static bool begins(const char *s, const char *with)
{
    return !strncmp(s, with, strlen(with));
}

/* An entry's key and value are good (sync/state.def): a text is in quotes and needs no escapes. */
static void gather_entry(struct gathering *g, const char *type, const char *key,
                         const char *value)
{
    size_t n = strlen(value);

    if (!strcmp(type, "follow") && begins(key, "area/"))
        gather_area(g, key + 5, strlen(key + 5));
    else if (!strcmp(type, "follow"))
        gather(g, "", key);
    else if (!strcmp(type, "set") && !strcmp(key, "area") && n > 2)
        gather_area(g, value + 1, n - 2);
    else if (!strcmp(type, "set") && !strcmp(key, "quiet") && n > 2)
        gather(g, "quiet/", arena_printf(g->w->mem, "%.*s", (int)n - 2, value + 1));
    else if (!strcmp(type, "consent") && begins(key, "push/") && !strcmp(value, "false"))
        gather(g, "out/", key + 5);
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* What he follows and where he lives may be the same. */
static struct traits each_once(const struct buf *numbers)
{
    struct traits t = { (int64_t *)(void *)numbers->p, 0 };
    int n = (int)(numbers->n / sizeof *t.no);

    qsort(t.no, (size_t)n, sizeof *t.no, by_number);
    for (int i = 0; i < n; i++)
        if (!i || t.no[i] != t.no[i - 1])
            t.no[t.n++] = t.no[i];
    return t;
}

enum rc traits_of(struct work *w, int64_t account, enum transport by, struct traits *out)
{
    struct gathering g = { .w = w, .numbers = BUF_IN(w->mem) };
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_push_traits_of, &q, "i", account)))
        return rc;
    while (rows_next(&q))
        gather_entry(&g, rows_text(&q, 0), rows_text(&q, 1), rows_text(&q, 2));
    if ((rc = rows_done(&q)))
        return rc;
    gather(&g, "all", "");
    gather(&g, "transport/", transport_type((int)by)->word);
    if (!g.rc)
        *out = each_once(&g.numbers);
    return g.rc;
}

bool traits_have(const struct traits *t, int64_t no)
{
    for (int i = 0; i < t->n && t->no[i] <= no; i++)
        if (t->no[i] == no)
            return true;
    return false;
}

/* ---- in a row ---- */

void traits_write(struct work *w, const struct traits *t, const void **p, size_t *n)
{
    uint8_t *out = arena_alloc(w->mem, (size_t)t->n * NUMBER_BYTES + 1);

    for (int i = 0; i < t->n; i++)
        for (int k = 0; k < NUMBER_BYTES; k++)
            out[i * NUMBER_BYTES + k] = (uint8_t)(t->no[i] >> 8 * k);
    *p = out;
    *n = (size_t)t->n * NUMBER_BYTES;
}

bool traits_read(struct work *w, const void *p, size_t n, struct traits *out)
{
    const uint8_t *in = p;
    int64_t *no = arena_alloc(w->mem, (n / NUMBER_BYTES + 1) * sizeof *no);
    int count = (int)(n / NUMBER_BYTES);

    if (n % NUMBER_BYTES)
        return false;
    for (int i = 0; i < count; i++, in += NUMBER_BYTES) {
        no[i] = in[0] | in[1] << 8 | in[2] << 16 | (int64_t)in[3] << 24;
        if (i && no[i] <= no[i - 1])
            return false;
    }
    *out = (struct traits){ no, count };
    return true;
}
