/*
 * url.h - what of a URL may stand in a log, an alert or a printed file: its user, its password and its query may be secrets.
 */
#ifndef BASE_URL_H
#define BASE_URL_H

#include <stddef.h>

#include "server/base/buf.h"

/* "HOST:PORT" inside of it; *n 0: it is no URL. */
const char *url_host(const char *url, size_t *n);
/* Adds it with *** for what may be secret. What is no URL is added as it is. */
void url_show(struct buf *out, const char *text);

#endif
