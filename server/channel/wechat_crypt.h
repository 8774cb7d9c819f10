/*
 * wechat_crypt.h - the signatures and the message cipher of WeChat official accounts, and Weibo's signature. Pure.
 *
 *     signature      hex of SHA-1 over the parts, sorted by their bytes and joined
 *     message        base64( AES-256-CBC( 16 random | length 4, big-endian | text | AppID | PKCS#7 to 32 bytes ) )
 *     key            base64 of EncodingAESKey and "=": 32 bytes; its first 16 are the IV
 */
#ifndef CHANNEL_WECHAT_CRYPT_H
#define CHANNEL_WECHAT_CRYPT_H

#include "server/base/buf.h"

enum { WECHAT_KEY = 32, WECHAT_SIGNATURE = 41 /* with its NUL */, WECHAT_PARTS_MAX = 4 };

/* False: it is no EncodingAESKey. */
bool wechat_key(const char *text, uint8_t out[static WECHAT_KEY]);
/* At most WECHAT_PARTS_MAX parts; NULL ends them early. Weibo's (粉丝服务平台) is the same over app secret, timestamp, nonce. */
void wechat_sign(const char *const *parts, int n, char out[static WECHAT_SIGNATURE]);
/* Whether `signature` is it, in equal time for all that have its length. */
bool wechat_signed(const char *const *parts, int n, const char *signature);

/* The text of a message in `mem`; NULL: it is none for this key and AppID. */
char *wechat_open(struct arena *mem, const uint8_t key[static WECHAT_KEY], const char *app,
                  const char *message, size_t n, size_t *text_n);
/* Adds a message as base64. */
void wechat_close(struct buf *out, const uint8_t key[static WECHAT_KEY], const char *app,
                  const char *text, size_t n);

#endif
