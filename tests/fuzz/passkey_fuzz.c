/*
 * passkey_fuzz.c - ceremonies as a stranger's browser may send them.
 *
 *     kind 1 | length of the client data 2 | client data | attestation object (kind 0) or authenticator data (kind 1)
 *
 * The challenge is taken out of the client data, so that what stands behind that check is reached. A registration that is accepted has a
 * key that can be asked; an assertion is never accepted, for nobody here signs.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/id.h"
#include "server/base/jx.h"
#include "server/identity/passkey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *const origins[] = { "https://example.org", NULL };

static void take_challenge(struct arena *mem, struct passkey_bytes json,
                           struct passkey_expect *x)
{
    struct err e;
    json_t *c;
    const char *text =
        jx_object(&e, mem, (const char *)json.p, json.n, &c) ? NULL : jx_text(c, "challenge");

    if (text && b64url_parse(text, strlen(text), x->challenge, sizeof x->challenge) < 0)
        memset(x->challenge, 0, sizeof x->challenge);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct passkey_expect x = { .rp_id = "example.org", .origins = origins };
    struct arena *mem = arena_new();
    struct passkey_bytes json, rest;
    struct passkey k, known = { .alg = PASSKEY_ES256, .may_be_backed_up = true };
    struct passkey_use use;
    struct err e;

    if (sodium_init() < 0)
        abort();
    if (n >= 3) {
        json = (struct passkey_bytes){ data + 3, (size_t)data[1] << 8 | data[2] };
        json.n = json.n > n - 3 ? n - 3 : json.n;
        rest = (struct passkey_bytes){ json.p + json.n, n - 3 - json.n };
        take_challenge(mem, json, &x);
        if (!(data[0] & 1) && !passkey_register(&e, mem, &x, json, rest, &k)) {
            if (k.id_n < 16 || k.id_n > PASSKEY_ID_MAX || !k.key_n ||
                (k.backed_up && !k.may_be_backed_up))
                abort();
            known = k;
        }
        if (!passkey_assert(&e, mem, &x, &known, json, rest, rest, &use))
            abort();
    }
    arena_free(mem);
    return 0;
}
