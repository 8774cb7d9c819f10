/*
 * strict_fuzz.c - any bytes as a connection of HTTP/1: the verdict does not depend on how they were cut, and what passes
 * is read again by a simpler reader, which finds in it one way to read it.
 *
 * The first byte is the size of the pieces, less one.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/http/strict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct text {
    const uint8_t *p;
    size_t n;
};

/* Returns how many bytes pass in all. */
static size_t show(const uint8_t *data, size_t n, size_t piece, enum strict_end *end)
{
    struct strict_verdict v = { 0 };
    size_t pass = 0, shown = 0;
    struct strict s;

    strict_init(&s);
    while (shown < n && !v.end) {
        uint8_t *exact;

        shown = n - shown < piece ? n : shown + piece;
        exact = malloc(shown - pass); /* so that a read too far is seen */
        memcpy(exact, data + pass, shown - pass);
        v = strict_take(&s, exact, shown - pass);
        if (v.pass > shown - pass || (!v.end && shown - pass - v.pass > 3))
            abort();
        free(exact);
        pass += v.pass;
    }
    *end = v.end;
    return pass;
}

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* ---- the simpler reader ---- */

/* The next line without its end. False: there is none that is whole. */
static bool line(struct text *in, struct text *out)
{
    const uint8_t *lf = memchr(in->p, '\n', in->n);

    if (!lf)
        return false;
    *out = (struct text){ in->p, (size_t)(lf - in->p) };
    must(out->n && lf[-1] == '\r');
    out->n--;
    for (size_t i = 0; i < out->n; i++)
        must((out->p[i] >= ' ' || out->p[i] == '\t') && out->p[i] != 127);
    in->n -= out->n + 2;
    in->p += out->n + 2;
    return true;
}

static bool is(struct text a, const char *b)
{
    return a.n == strlen(b) && !strncasecmp((const char *)a.p, b, a.n);
}

struct request {
    int hosts, lengths, codings;
    bool old;
    uint64_t length;
};

static void read_field(struct request *r, struct text l)
{
    const uint8_t *colon = memchr(l.p, ':', l.n);
    struct text name = { l.p, colon ? (size_t)(colon - l.p) : 0 }, value;

    must(name.n > 0);
    for (size_t i = 0; i < name.n; i++)
        must(name.p[i] > ' ' && name.p[i] < 127 && !strchr("\"(),/:;<=>?@[\\]{}", name.p[i]));
    value = (struct text){ colon + 1, l.n - name.n - 1 };
    for (; value.n && strchr(" \t", *value.p); value.n--)
        value.p++;
    while (value.n && strchr(" \t", value.p[value.n - 1]))
        value.n--;
    r->hosts += is(name, "Host");
    if (is(name, "Transfer-Encoding")) {
        must(is(value, "chunked"));
        r->codings++;
    }
    if (is(name, "Content-Length")) {
        must(value.n && value.n <= STRICT_LENGTH_DIGITS);
        r->lengths++;
        for (size_t i = 0; i < value.n; i++) {
            must(value.p[i] >= '0' && value.p[i] <= '9');
            r->length = r->length * 10 + value.p[i] - '0';
        }
    }
}

static bool skip(struct text *in, uint64_t n)
{
    if (in->n < n)
        return false;
    in->p += n;
    in->n -= n;
    return true;
}

/* False: not all of it has passed. */
static bool read_chunks(struct text *in)
{
    struct text l;
    uint64_t size;

    while (line(in, &l)) {
        must(l.n && l.n <= STRICT_CHUNK_DIGITS);
        size = 0;
        for (size_t i = 0; i < l.n; i++) {
            const char *digits = "0123456789abcdef", *d = strchr(digits, l.p[i] | 32);

            must(d && *d);
            size = size * 16 + (uint64_t)(d - digits);
        }
        if (!skip(in, size) || in->n < 2)
            return false;
        must(!memcmp(in->p, "\r\n", 2));
        skip(in, 2);
        if (!size)
            return true;
    }
    return false;
}

static bool read_request(struct text *in)
{
    struct request r = { 0 };
    struct text l;

    if (!line(in, &l) || (!l.n && !line(in, &l)))
        return false;
    must(l.n > 11 && !strncmp((const char *)l.p + l.n - 9, " HTTP/1.", 8));
    must(!memchr(l.p, '\t', l.n));
    must(memchr(l.p, ' ', l.n - 9) && !memchr(l.p, 127, l.n));
    r.old = l.p[l.n - 1] == '0';
    while (line(in, &l)) {
        if (l.n) {
            read_field(&r, l);
            continue;
        }
        must(r.hosts == 1 || (r.old && !r.hosts));
        must(r.lengths + r.codings <= 1 && !(r.old && r.codings));
        return r.codings ? read_chunks(in) : skip(in, r.length);
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct text passed;
    enum strict_end whole, cut;

    if (n < 2)
        return 0;
    passed = (struct text){ data + 1, show(data + 1, n - 1, n, &whole) };
    must(show(data + 1, n - 1, 1, &cut) == passed.n && cut == whole);
    must(show(data + 1, n - 1, data[0] + 1u, &cut) == passed.n && cut == whole);
    while (passed.n && read_request(&passed))
        ;
    return 0;
}
