/*
 * wire_text.c - the canonical forms of single values, and what is made of a few of them:
 * cursors, places and URLs.
 *
 * Every text is read with a cursor that takes one canonical value at a time: a decimal without
 * sign or leading zeros, lower-case hex, padded base64 whose unused bits are zero, one space,
 * one line end. Whatever is left over is an error, so that two different texts never mean the
 * same and a signature covers what was understood. Not here: frames and packs (wire.c), the key
 * chain and signatures (verify.c).
 */
#include "sync/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- hex and base64 ---- */

void wire_hex(const uint8_t *in, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[in[i] >> 4];
        out[2 * i + 1] = digits[in[i] & 15];
    }
    out[2 * n] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool wire_unhex(const char *in, size_t n, uint8_t *out, size_t want)
{
    if (n != 2 * want)
        return false;
    for (size_t i = 0; i < want; i++) {
        int high = hex_digit(in[2 * i]), low = hex_digit(in[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

size_t wire_base64(const uint8_t *in, size_t n, char *out)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *at = out;

    for (size_t i = 0; i < n; i += 3) {
        unsigned have = n - i < 3 ? (unsigned)(n - i) : 3;
        unsigned v = (unsigned)in[i] << 16 | (have > 1 ? in[i + 1] << 8 : 0) |
                     (have > 2 ? in[i + 2] : 0);

        *at++ = digits[v >> 18];
        *at++ = digits[v >> 12 & 63];
        *at++ = have > 1 ? digits[v >> 6 & 63] : '=';
        *at++ = have > 2 ? digits[v & 63] : '=';
    }
    *at = '\0';
    return (size_t)(at - out);
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool wire_unbase64(const char *in, size_t n, uint8_t *out, size_t room, size_t *len)
{
    size_t pad = n > 0 && in[n - 1] == '=' ? 1 + (n > 1 && in[n - 2] == '=') : 0;
    size_t want = n / 4 * 3 - pad, done = 0;
    unsigned v = 0;

    if (n == 0 || n % 4 != 0 || want > room)
        return false;
    for (size_t i = 0; i < n; i++) {
        int digit = i < n - pad ? base64_digit(in[i]) : 0;

        if (digit < 0)
            return false;
        v = v << 6 | (unsigned)digit;
        if (i % 4 != 3)
            continue;
        for (int shift = 16; shift >= 0; shift -= 8) {
            uint8_t byte = (uint8_t)(v >> shift);

            if (done < want)
                out[done++] = byte;
            else if (byte != 0)
                return false; /* bits that no byte holds must be zero, or there would be two
                                 texts for one value */
        }
        v = 0;
    }
    *len = want;
    return true;
}

/* ---- taking values from a text ---- */

bool wire_take_u64(struct wire_text *t, uint64_t *out)
{
    const char *p = t->at;
    uint64_t v = 0;

    while (p < t->end && *p >= '0' && *p <= '9') {
        uint64_t digit = (uint64_t)(*p - '0');

        if (v > (INT64_MAX - digit) / 10 || (p > t->at && v == 0))
            return false;
        v = v * 10 + digit;
        p++;
    }
    if (p == t->at)
        return false;
    t->at = p;
    *out = v;
    return true;
}

bool wire_take_u32(struct wire_text *t, uint32_t *out)
{
    struct wire_text mark = *t;
    uint64_t v;

    if (!wire_take_u64(&mark, &v) || v > UINT32_MAX)
        return false;
    *t = mark;
    *out = (uint32_t)v;
    return true;
}

bool wire_take_lit(struct wire_text *t, const char *literal)
{
    size_t n = strlen(literal);

    if ((size_t)(t->end - t->at) < n || memcmp(t->at, literal, n) != 0)
        return false;
    t->at += n;
    return true;
}

bool wire_take_hex(struct wire_text *t, uint8_t *out, size_t want)
{
    if ((size_t)(t->end - t->at) < 2 * want || !wire_unhex(t->at, 2 * want, out, want))
        return false;
    t->at += 2 * want;
    return true;
}

bool wire_take_word(struct wire_text *t, const char **word, size_t *n)
{
    const char *p = t->at;

    while (p<t->end && * p> ' ' && *p <= '~')
        p++;
    if (p == t->at)
        return false;
    *word = t->at;
    *n = (size_t)(p - t->at);
    t->at = p;
    return true;
}

/* ---- stream names and cursors ---- */

bool wire_stream_ok(const char *name, size_t n)
{
    if (n == 0 || n > WIRE_STREAM_MAX || name[0] == '-' ||
        (n == 5 && memcmp(name, "heads", 5) == 0))
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = name[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return true;
}

bool wire_take_stream(struct wire_text *t, char out[WIRE_STREAM_MAX + 1])
{
    const char *p = t->at;

    while (p < t->end && *p != '\n' && *p != '/')
        p++;
    if (!wire_stream_ok(t->at, (size_t)(p - t->at)))
        return false;
    memcpy(out, t->at, (size_t)(p - t->at));
    out[p - t->at] = '\0';
    t->at = p;
    return true;
}

static bool take_cursor(struct wire_text *t, struct wire_cursor *c)
{
    return wire_take_u64(t, &c->epoch) && wire_take_lit(t, ".") && wire_take_u64(t, &c->seq);
}

enum sync_rc wire_cursor_parse(struct sync_err *e, const char *text, size_t n,
                               struct wire_cursor *out)
{
    struct wire_text t = { text, text + n };
    struct wire_cursor c;

    if (!take_cursor(&t, &c) || t.at != t.end)
        return sync_err_set(e, SYNC_INVALID, "a cursor looks like epoch.seq");
    *out = c;
    return SYNC_OK;
}

size_t wire_cursor_print(struct wire_cursor c, char out[WIRE_CURSOR_MAX])
{
    return (size_t)snprintf(out, WIRE_CURSOR_MAX, "%" PRIu64 ".%" PRIu64, c.epoch, c.seq);
}

enum sync_rc wire_place_parse(struct sync_err *e, const char *text, size_t n, uint64_t *born,
                              uint64_t *seq)
{
    struct wire_text t = { text, text + n };
    uint64_t b, s;

    if (!wire_take_u64(&t, &b) || !wire_take_lit(&t, " ") || !wire_take_u64(&t, &s) ||
        !wire_take_lit(&t, "\n") || t.at != t.end || s == 0)
        return sync_err_set(e, SYNC_INVALID, "a place looks like `born seq`");
    *born = b;
    *seq = s;
    return SYNC_OK;
}

/* ---- URLs ---- */

static const char *const suffixes[] = {
    [WIRE_IDENTITY] = "", [WIRE_GZIP] = ".gz", [WIRE_ZSTD] = ".zst", [WIRE_DZ] = ".dz"
};

static bool take_packed(struct wire_text *t, enum wire_encoding *out)
{
    *out = wire_take_lit(t, ".zst")  ? WIRE_ZSTD
           : wire_take_lit(t, ".gz") ? WIRE_GZIP
                                     : WIRE_IDENTITY;
    return true;
}

static bool take_state(struct wire_text *t, struct wire_url *u)
{
    return wire_take_u64(t, &u->epoch) && wire_take_lit(t, ".") && wire_take_u64(t, &u->seq);
}

static bool take_twin(struct wire_text *t, struct wire_url *u)
{
    return take_state(t, u) && wire_take_lit(t, ".") && wire_take_u64(t, &u->sign);
}

static bool take_log(struct wire_text *t, struct wire_url *u)
{
    if (!wire_take_u64(t, &u->epoch) || !wire_take_lit(t, "/") || !wire_take_u64(t, &u->cut) ||
        !wire_take_lit(t, "/") || !wire_take_u64(t, &u->from) || !wire_take_lit(t, "-") ||
        !wire_take_u64(t, &u->to))
        return false;
    if (!wire_take_lit(t, ".dz"))
        return take_packed(t, &u->encoding);
    u->encoding = WIRE_DZ;
    return true;
}

static bool take_object(struct wire_text *t, struct wire_url *u)
{
    return wire_take_hex(t, u->hash, WIRE_HASH) && take_packed(t, &u->encoding);
}

static bool take_tile(struct wire_text *t, struct wire_url *u)
{
    uint64_t height;

    if (!wire_take_u64(t, &height) || !wire_take_lit(t, ".") || !wire_take_u64(t, &u->index) ||
        !wire_take_lit(t, ".") || !wire_take_hex(t, u->hash, WIRE_HASH))
        return false;
    u->height = height > WIRE_COVER_TOP ? 0 : (unsigned)height;
    return wire_tile_shape(u->height, NULL, NULL) > 0;
}

static bool take_item(struct wire_text *t, struct wire_url *u)
{
    return wire_take_u64(t, &u->epoch) && wire_take_lit(t, "/") && wire_take_u64(t, &u->born) &&
           wire_take_lit(t, ".") && wire_take_u64(t, &u->seq) && take_packed(t, &u->encoding);
}

static bool take_place(struct wire_text *t, struct wire_url *u)
{
    return wire_take_id(t, u->id);
}

static bool take_nothing(struct wire_text *t, struct wire_url *u)
{
    (void)t, (void)u;
    return true;
}

/* Behind the stream's name. `head/` stands before `head`. */
static const struct {
    const char *begins;
    enum wire_url_kind kind;
    bool (*take)(struct wire_text *t, struct wire_url *u);
} forms[] = {
    { "/head/", WIRE_URL_TWIN, take_twin },    { "/head", WIRE_URL_HEAD, take_nothing },
    { "/log/", WIRE_URL_LOG, take_log },       { "/object/", WIRE_URL_OBJECT, take_object },
    { "/cover/", WIRE_URL_COVER, take_state }, { "/tile/", WIRE_URL_TILE, take_tile },
    { "/item/", WIRE_URL_ITEM, take_item },    { "/place/", WIRE_URL_PLACE, take_place },
};

static bool take_platform(struct wire_text *t, struct wire_url *u)
{
    struct wire_text rest = *t;

    u->kind = WIRE_URL_KEYS;
    if (wire_take_lit(&rest, "keys") && rest.at == rest.end)
        return *t = rest, true;
    rest = *t;
    u->kind = WIRE_URL_HEADS;
    if (!wire_take_lit(&rest, "heads") ||
        (rest.at < rest.end &&
         (!wire_take_lit(&rest, "/") || !wire_take_stream(&rest, u->stream))))
        return false;
    return *t = rest, true;
}

static bool take_url(struct wire_text *t, struct wire_url *u)
{
    if (!wire_take_lit(t, "/v1/sync/"))
        return false;
    if (take_platform(t, u))
        return true;
    if (!wire_take_stream(t, u->stream))
        return false;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (wire_take_lit(t, forms[i].begins)) {
            u->kind = forms[i].kind;
            return forms[i].take(t, u);
        }
    return false;
}

enum sync_rc wire_url_parse(struct sync_err *e, const char *path, size_t n,
                            struct wire_url *out)
{
    struct wire_text t = { path, path + n };
    struct wire_url u = { 0 };

    if (!take_url(&t, &u) || t.at != t.end)
        return sync_err_set(e, SYNC_INVALID, "not the path of anything in delta-sync");
    *out = u;
    return SYNC_OK;
}

/* What stands behind the stream's name. */
static void print_form(const struct wire_url *u, char out[WIRE_URL_MAX])
{
    char text[2 * WIRE_HASH + 1];

    switch (u->kind) {
    case WIRE_URL_HEAD: snprintf(out, WIRE_URL_MAX, "head"); break;
    case WIRE_URL_TWIN:
        snprintf(out, WIRE_URL_MAX, "head/%" PRIu64 ".%" PRIu64 ".%" PRIu64, u->epoch, u->seq,
                 u->sign);
        break;
    case WIRE_URL_LOG:
        snprintf(out, WIRE_URL_MAX, "log/%" PRIu64 "/%" PRIu64 "/%" PRIu64 "-%" PRIu64 "%s",
                 u->epoch, u->cut, u->from, u->to, suffixes[u->encoding]);
        break;
    case WIRE_URL_OBJECT:
        wire_hex(u->hash, WIRE_HASH, text);
        snprintf(out, WIRE_URL_MAX, "object/%s%s", text, suffixes[u->encoding]);
        break;
    case WIRE_URL_COVER:
        snprintf(out, WIRE_URL_MAX, "cover/%" PRIu64 ".%" PRIu64, u->epoch, u->seq);
        break;
    case WIRE_URL_TILE:
        wire_hex(u->hash, WIRE_HASH, text);
        snprintf(out, WIRE_URL_MAX, "tile/%u.%" PRIu64 ".%s", u->height, u->index, text);
        break;
    case WIRE_URL_ITEM:
        snprintf(out, WIRE_URL_MAX, "item/%" PRIu64 "/%" PRIu64 ".%" PRIu64 "%s", u->epoch,
                 u->born, u->seq, suffixes[u->encoding]);
        break;
    case WIRE_URL_PLACE:
        wire_id_print(u->id, text);
        snprintf(out, WIRE_URL_MAX, "place/%s", text);
        break;
    case WIRE_URL_KEYS:
    case WIRE_URL_HEADS: out[0] = '\0';
    }
}

size_t wire_url_print(const struct wire_url *u, char out[WIRE_URL_MAX])
{
    char form[WIRE_URL_MAX];

    if (u->kind == WIRE_URL_KEYS)
        return (size_t)snprintf(out, WIRE_URL_MAX, "/v1/sync/keys");
    if (u->kind == WIRE_URL_HEADS)
        return (size_t)snprintf(out, WIRE_URL_MAX, "/v1/sync/heads%s%s",
                                u->stream[0] ? "/" : "", u->stream);
    print_form(u, form);
    return (size_t)snprintf(out, WIRE_URL_MAX, "/v1/sync/%s/%.120s", u->stream, form);
}
