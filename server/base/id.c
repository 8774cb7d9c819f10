/*
 * id.c - names and their text forms, strict in what they read: one thing has one name.
 */
#include "server/base/id.h"

#include <string.h>

#include <openssl/sha.h>
#include <sodium.h>

#include "server/base/clock.h"

/* RFC 9562 section 5.7: 48 bits of milliseconds, version, 12 random bits, variant, 62 random
 * bits. */
struct id id_new(void)
{
    uint64_t ms = (uint64_t)clock_now_ms();
    struct id id;

    randombytes_buf(id.b, sizeof id.b);
    for (int i = 0; i < 6; i++)
        id.b[i] = (uint8_t)(ms >> (40 - 8 * i));
    id.b[6] = (uint8_t)(0x70 | (id.b[6] & 0x0f));
    id.b[8] = (uint8_t)(0x80 | (id.b[8] & 0x3f));
    return id;
}

static const int dashes[] = { 8, 13, 18, 23 };

char *id_text(const struct id *id, char out[ID_TEXT])
{
    char hex[2 * ID_BYTES + 1];
    const char *from = hex;

    sodium_bin2hex(hex, sizeof hex, id->b, sizeof id->b);
    for (int i = 0, d = 0; i < ID_TEXT - 1; i++) {
        if (d < 4 && i == dashes[d]) {
            out[i] = '-';
            d++;
        } else {
            out[i] = *from++;
        }
    }
    out[ID_TEXT - 1] = '\0';
    return out;
}

bool id_parse(const char *text, size_t n, struct id *out)
{
    char hex[2 * ID_BYTES];
    size_t to = 0;

    if (n != ID_TEXT - 1)
        return false;
    for (int i = 0, d = 0; i < ID_TEXT - 1; i++) {
        if (d < 4 && i == dashes[d]) {
            if (text[i] != '-')
                return false;
            d++;
        } else {
            hex[to++] = text[i];
        }
    }
    return hex_parse(hex, sizeof hex, out->b, sizeof out->b);
}

char *hex_text(const void *p, size_t n, char *out)
{
    return sodium_bin2hex(out, 2 * n + 1, p, n);
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_parse(const char *text, size_t n, void *out, size_t out_n)
{
    uint8_t *to = out;

    if (n != 2 * out_n)
        return false;
    for (size_t i = 0; i < out_n; i++) {
        int hi = nibble(text[2 * i]), lo = nibble(text[2 * i + 1]);

        if (hi < 0 || lo < 0)
            return false;
        to[i] = (uint8_t)(hi << 4 | lo);
    }
    return true;
}

int b64url_text(const void *p, size_t n, char *out, size_t out_n)
{
    if (sodium_base64_encoded_len(n, sodium_base64_VARIANT_URLSAFE_NO_PADDING) > out_n)
        return -1;
    sodium_bin2base64(out, out_n, p, n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return (int)strlen(out);
}

/* libsodium 1.0.18 takes some bytes above 127 for letters. */
static bool is_ascii(const char *text, size_t n)
{
    unsigned char all = 0;

    for (size_t i = 0; i < n; i++)
        all |= (unsigned char)text[i];
    return all < 0x80;
}

int b64url_parse(const char *text, size_t n, void *out, size_t out_n)
{
    size_t len;
    const char *end;

    if (!is_ascii(text, n) ||
        sodium_base642bin(out, out_n, text, n, NULL, &len, &end,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) ||
        end != text + n)
        return -1;
    return (int)len;
}

void sha256(const void *p, size_t n, uint8_t out[HASH_BYTES])
{
    SHA256(p, n, out);
}
