/*
 * jws.c - the form of a signed statement, read so strictly that two readers cannot differ.
 *
 *     base64url( header ) "." base64url( claims ) "." base64url( signature )
 *
 * Libraries read this kindly: padding, a fourth segment, a member that stands twice. Each kindness
 * is a place where the one who checks and the one who uses see different things, so we read first
 * and let through only this:
 *
 *   - at most 4 KB, exactly three segments, none empty;
 *   - base64url without padding, in its one spelling (unused bits are 0);
 *   - header and claims: one JSON object each, no member twice, no NUL, UTF-8, at most 32 levels;
 *   - the header has nothing but alg, kid and typ, all texts. So no crit (RFC 7515 section 4.1.11)
 *     that would have to be understood, and no jku, jwk, x5u or x5c, by which a statement brings
 *     the key that it is to be believed with;
 *   - alg is one of two names, in their spelling: none and HS256 end here.
 */
#include "server/identity/jws.h"

#include <string.h>

#include "server/base/id.h"
#include "server/base/jx.h"

static const char *const names[] = { [JWS_ES256] = "ES256", [JWS_RS256] = "RS256" };

static const struct jx_field header_fields[] = {
    { "alg", JX_TEXT, true, 1, 8 },
    { "kid", JX_TEXT, false, 1, JWS_NAME_MAX },
    { "typ", JX_TEXT, false, 1, JWS_NAME_MAX },
    {},
};

const char *jws_alg_name(enum jws_alg alg)
{
    return names[alg];
}

bool jws_alg_by_name(const char *name, enum jws_alg *out)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i])) {
            *out = (enum jws_alg)i;
            return true;
        }
    return false;
}

struct segment {
    const char *p;
    size_t n;
};

/* Exactly three, none empty. */
static bool split(const char *text, size_t n, struct segment out[3])
{
    const char *p = text, *end = text + n;

    for (int i = 0; i < 3; i++) {
        const char *dot = memchr(p, '.', (size_t)(end - p));

        if ((dot != NULL) != (i < 2))
            return false;
        out[i] = (struct segment){ p, (size_t)((dot ? dot : end) - p) };
        if (!out[i].n)
            return false;
        p = dot ? dot + 1 : end;
    }
    return true;
}

static enum rc read_object(struct err *e, struct arena *mem, struct segment s, json_t **out)
{
    char *json = arena_alloc(mem, s.n);
    int n = b64url_parse(s.p, s.n, json, s.n);

    if (n < 0)
        return err_set(e, RC_INVALID, "a segment is not base64url");
    return jx_object(e, mem, json, (size_t)n, out);
}

static enum rc read_header(struct err *e, struct arena *mem, struct segment s, struct jws *out)
{
    json_t *header;
    enum rc rc;

    if ((rc = read_object(e, mem, s, &header)) || (rc = jx_check(e, header, header_fields, "")))
        return rc;
    if (!jws_alg_by_name(jx_text(header, "alg"), &out->alg))
        return err_set(e, RC_INVALID, "alg is neither ES256 nor RS256");
    out->kid = jx_text(header, "kid");
    out->typ = jx_text(header, "typ");
    return RC_OK;
}

enum rc jws_read(struct err *e, struct arena *mem, const char *text, size_t n, struct jws *out)
{
    struct segment s[3];
    struct jws jws = { 0 };
    char signature[JWS_MAX];
    enum rc rc;

    if (n > JWS_MAX)
        return err_set(e, RC_INVALID, "the statement is longer than %d bytes", JWS_MAX);
    if (!split(text, n, s))
        return err_set(e, RC_INVALID, "a statement has three segments");
    if ((rc = read_header(e, mem, s[0], &jws)))
        return rc;
    if ((rc = read_object(e, mem, s[1], &jws.claims)))
        return rc;
    if (b64url_parse(s[2].p, s[2].n, signature, sizeof signature) < 0)
        return err_set(e, RC_INVALID, "the signature is not base64url");
    *out = jws;
    return RC_OK;
}
