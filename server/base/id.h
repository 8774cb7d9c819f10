/*
 * id.h - names of things: UUIDs (RFC 9562, version 7), hex, base64url.
 */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ID_BYTES = 16, ID_TEXT = 37, HASH_BYTES = 32, HASH_TEXT = 65 };

struct id {
    uint8_t b[ID_BYTES];
};

struct id id_new(void); /* version 7: sorts by the time of creation */
char *id_text(const struct id *id, char out[ID_TEXT]);
bool id_parse(const char *text, size_t n,
              struct id *out); /* the canonical lower-case form only */

char *hex_text(const void *p, size_t n, char *out); /* out holds 2n+1 */
bool hex_parse(const char *text, size_t n, void *out,
               size_t out_n); /* exactly out_n bytes, lower case only */
/* base64url without padding; returns the length, or -1 if it does not fit or is not canonical.
 */
int b64url_text(const void *p, size_t n, char *out, size_t out_n);
int b64url_parse(const char *text, size_t n, void *out, size_t out_n);
void sha256(const void *p, size_t n, uint8_t out[HASH_BYTES]);

#endif
