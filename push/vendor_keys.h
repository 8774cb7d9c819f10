/*
 * vendor_keys.h - private keys that the settings name, and the one of Web Push, which we make and which must stay: whoever subscribed did so with it.
 */
#ifndef PUSH_VENDOR_KEYS_H
#define PUSH_VENDOR_KEYS_H

#include "push/vendor.h"

/*
 * `data`: the data directory; keys/webpush in it is made if push_webpush is on and it is not there. Paths of settings are within it, or whole. RC_INVALID names the setting
 * whose file holds no such key.
 */
enum rc vendor_keys_open(struct err *e, const struct conf *c, const char *data,
                         struct vendor_keys **out);
void vendor_keys_close(struct vendor_keys *k); /* accepts NULL */
/* What a browser subscribes with, base64url; "": Web Push is off. */
const char *vendor_keys_webpush(const struct vendor_keys *k);

#endif
