/*
 * passkey.h - a key pair in somebody's phone or stick, and what it proves (WebAuthn level 2).
 *
 *     create: challenge --> browser --> authenticator --> clientDataJSON, attestationObject --> passkey_register
 *     get:    challenge --> browser --> authenticator --> clientDataJSON, authenticatorData, signature --> passkey_assert
 *
 * What is checked, and by which paragraph; "L3" is level 3. A refusal's sentence begins with its
 * paragraph.
 *
 *     register  assert     rule
 *     7.1.5-6   7.2.9-10   clientDataJSON is at most 4 KB, UTF-8, one JSON object, no member twice
 *     7.1.7     7.2.11     type is webauthn.create, webauthn.get
 *     7.1.8     7.2.12     challenge is the one that the caller gave out, and takes back once
 *     7.1.9     7.2.13     origin is one of ours, exactly; not within another site (crossOrigin, topOrigin)
 *     7.1.10    7.2.14     no token binding is claimed: our TLS has none
 *     7.1.12               attestationObject is canonical CBOR: fmt, attStmt and authData, and nothing behind
 *     6.1       6.1        authenticatorData has its 37 bytes, a key exactly if it is a registration, extensions if it says so, and nothing behind
 *     7.1.13    7.2.15     rpIdHash is the SHA-256 of our RP ID
 *     7.1.14    7.2.16     UP: somebody was there
 *     7.1.15    7.2.17     UV: it was the owner, where that is asked for
 *     6.1.3 L3  6.1.3 L3   BS only with BE, and BE as it was at registration
 *     7.1.16               the key is ES256 or RS256, in COSE with exactly its members (5.8.5, 6.5.1.1)
 *     7.1.17    7.2.18     extensions that nobody asked for are passed over
 *     7.1.18-21            attestation is not believed: "none" has no statement, of another format the statement is passed over
 *     7.1.22 L3            the credential's name has 16 (L2) to 1023 bytes
 *               7.2.20     the signature over authenticatorData and SHA-256( clientDataJSON ) holds with the key of registration
 *               7.2.21     a counter that did not grow is told to the caller
 *
 * The caller's: 7.1.3-4, 7.1.22 (the name is nobody else's), 7.2.5-7 (whose credential it is, and that its user handle says the same), and
 * what to do when a counter did not grow.
 */
#ifndef IDENTITY_PASSKEY_H
#define IDENTITY_PASSKEY_H

#include <stdbool.h>

#include "server/base/arena.h"

enum {
    PASSKEY_ID_MAX = 1023,
    PASSKEY_KEY_MAX = 600, /* RSA with 4096 bits needs 550 */
    PASSKEY_AAGUID = 16,
    PASSKEY_CHALLENGE = 32, /* bytes; 13.4.3 asks for 16 at least */
};

enum passkey_alg { PASSKEY_ES256 = -7, PASSKEY_RS256 = -257 }; /* IANA COSE Algorithms */

struct passkey_expect {
    const char *rp_id;          /* "example.cn" */
    const char *const *origins; /* "https://www.example.cn", …; NULL ends them */
    uint8_t challenge[PASSKEY_CHALLENGE];
    bool verify; /* the owner must be verified: a PIN, a finger */
};

struct passkey {
    uint8_t id[PASSKEY_ID_MAX];
    size_t id_n;
    enum passkey_alg alg;
    uint8_t key[PASSKEY_KEY_MAX]; /* SubjectPublicKeyInfo in DER */
    size_t key_n;
    uint8_t aaguid[PASSKEY_AAGUID]; /* what kind of device says it is; not proved */
    uint32_t count;
    bool verified;                    /* UV, at registration */
    bool may_be_backed_up, backed_up; /* BE, BS */
};

struct passkey_bytes {
    const uint8_t *p;
    size_t n;
};

/* RC_INVALID (a rule of form), RC_UNAUTHORIZED (another rule). */
enum rc passkey_register(struct err *e, struct arena *mem, const struct passkey_expect *x,
                         struct passkey_bytes client_data, struct passkey_bytes attestation,
                         struct passkey *out);

struct passkey_use {
    uint32_t count;  /* keep it */
    bool count_fell; /* it did not grow: perhaps there is a copy of the key (6.1.1) */
    bool verified, backed_up;
};

enum rc passkey_assert(struct err *e, struct arena *mem, const struct passkey_expect *x,
                       const struct passkey *known, struct passkey_bytes client_data,
                       struct passkey_bytes authenticator_data, struct passkey_bytes signature,
                       struct passkey_use *out);

#endif
