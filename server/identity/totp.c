/*
 * totp.c - RFC 6238 with what every app can do: HMAC-SHA-1, 30 s, six digits.
 *
 *     step = seconds since 1970 / 30
 *     mac  = HMAC-SHA-1( secret, step as 8 bytes )
 *     code = 31 bits of mac, at the offset that its last four bits say, modulo 10^6
 *
 * SHA-1 is safe here: an HMAC needs no collision resistance, and apps that know another hash are
 * few. A phone's clock may be a step off to either side; so three codes are good at a time, and a
 * guess hits with 3 in a million. How many guesses there are is limited by who calls.
 */
#include "server/identity/totp.h"

#include <assert.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "server/base/secret.h"

enum { MAC = 20, MODULUS = 1000000, DRIFT = 1 };

void totp_make(uint8_t secret[TOTP_SECRET])
{
    secret_random(secret, TOTP_SECRET);
}

int64_t totp_step(int64_t now)
{
    return now / TOTP_STEP;
}

void totp_code(const uint8_t secret[TOTP_SECRET], int64_t step, char out[TOTP_DIGITS + 1])
{
    uint8_t counter[8], mac[MAC];
    uint32_t bits;
    int at;

    for (int i = 0; i < 8; i++)
        counter[i] = (uint8_t)((uint64_t)step >> (56 - 8 * i));
    if (!HMAC(EVP_sha1(), secret, TOTP_SECRET, counter, sizeof counter, mac, NULL))
        __builtin_trap(); /* lengths are constants and SHA-1 is always there */
    at = mac[MAC - 1] & 15;
    bits = (uint32_t)(mac[at] & 0x7f) << 24 | (uint32_t)mac[at + 1] << 16 |
           (uint32_t)mac[at + 2] << 8 | mac[at + 3];
    bits %= MODULUS;
    for (int i = TOTP_DIGITS; i--; bits /= 10)
        out[i] = (char)('0' + bits % 10);
    out[TOTP_DIGITS] = '\0';
    secret_wipe(mac, sizeof mac);
}

bool totp_check(const uint8_t secret[TOTP_SECRET], const char *text, int64_t now, int64_t last,
                int64_t *step)
{
    int64_t here = totp_step(now), found = -1;

    if (strlen(text) != TOTP_DIGITS)
        return false;
    /* All three are computed, so that the time says nothing. */
    for (int64_t s = here - DRIFT; s <= here + DRIFT; s++) {
        char code[TOTP_DIGITS + 1];

        totp_code(secret, s, code);
        if (secret_equal(code, text, TOTP_DIGITS) && s > last && found < 0)
            found = s;
        secret_wipe(code, sizeof code);
    }
    if (found < 0)
        return false;
    *step = found;
    return true;
}

void totp_base32(const uint8_t secret[TOTP_SECRET], char out[TOTP_BASE32])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    static_assert(TOTP_SECRET % 5 == 0 && TOTP_BASE32 == TOTP_SECRET / 5 * 8 + 1,
                  "whole groups: RFC 4648 section 6 needs no padding");
    for (int i = 0; i < TOTP_SECRET / 5; i++) {
        uint64_t group = 0;

        for (int j = 0; j < 5; j++)
            group = group << 8 | secret[5 * i + j];
        for (int j = 8; j--; group >>= 5)
            out[8 * i + j] = letters[group & 31];
    }
    out[TOTP_BASE32 - 1] = '\0';
}

void totp_uri(struct buf *out, const char *issuer, const char *account,
              const uint8_t secret[TOTP_SECRET])
{
    char base32[TOTP_BASE32];

    totp_base32(secret, base32);
    buf_adds(out, "otpauth://totp/");
    buf_url(out, issuer, strlen(issuer));
    buf_adds(out, "%3A"); /* a colon of the account's would end the issuer */
    buf_url(out, account, strlen(account));
    buf_printf(out, "?secret=%s&issuer=", base32);
    buf_url(out, issuer, strlen(issuer));
    buf_printf(out, "&algorithm=SHA1&digits=%d&period=%d", TOTP_DIGITS, TOTP_STEP);
    secret_wipe(base32, sizeof base32);
}
