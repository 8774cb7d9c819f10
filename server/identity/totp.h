/*
 * totp.h - six digits from an app on the phone, new every 30 seconds (RFC 6238).
 */
#ifndef IDENTITY_TOTP_H
#define IDENTITY_TOTP_H

#include <stdbool.h>

#include "server/base/buf.h"

enum {
    TOTP_SECRET = 20, /* bytes: RFC 4226 section 4 recommends the length of a SHA-1 */
    TOTP_STEP = 30,   /* seconds */
    TOTP_DIGITS = 6,
    TOTP_BASE32 = 33, /* a secret in base32, with its NUL: for who cannot scan */
};

void totp_make(uint8_t secret[TOTP_SECRET]);
/* The number of a code's step. */
int64_t totp_step(int64_t now);
/* "287082": the code of a step. */
void totp_code(const uint8_t secret[TOTP_SECRET], int64_t step, char out[TOTP_DIGITS + 1]);
/*
 * Whether `text` is the code of this step, of the one before or of the one after, and the step is
 * later than `last`: each counts once (RFC 6238 section 5.2). Then *step is the step it was of,
 * which the caller keeps as the next `last`, in the transaction of what the code allows. `last` is
 * -1 for a secret that was never used.
 */
bool totp_check(const uint8_t secret[TOTP_SECRET], const char *text, int64_t now, int64_t last,
                int64_t *step);

void totp_base32(const uint8_t secret[TOTP_SECRET], char out[TOTP_BASE32]);
/* "otpauth://totp/ISSUER:ACCOUNT?secret=…": what the QR code says. */
void totp_uri(struct buf *out, const char *issuer, const char *account,
              const uint8_t secret[TOTP_SECRET]);

#endif
