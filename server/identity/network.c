/*
 * network.c - an address without its last part.
 */
#include "server/identity/network.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "server/base/seal.h"
#include "server/store/db.h"

char *network_of(const char *address, char out[NETWORK_TEXT])
{
    uint8_t bytes[16];
    char text[INET6_ADDRSTRLEN];

    *out = '\0';
    if (inet_pton(AF_INET, address, bytes) == 1) {
        snprintf(out, NETWORK_TEXT, "%d.%d.%d.0/24", bytes[0], bytes[1], bytes[2]);
    } else if (inet_pton(AF_INET6, address, bytes) == 1) {
        memset(bytes + 6, 0, 10);
        snprintf(out, NETWORK_TEXT, "%s/48", inet_ntop(AF_INET6, bytes, text, sizeof text));
    }
    return out;
}

static struct seal_place place_of(int64_t session)
{
    return (struct seal_place){ "session.network", session };
}

enum rc network_close(struct work *w, int64_t session, uint8_t **out, size_t *n)
{
    char text[NETWORK_TEXT] = "";

    *out = NULL;
    *n = 0;
    if (w->client)
        network_of(w->client, text);
    return *text ? seal_close(w, place_of(session), text, strlen(text), out, n) : RC_OK;
}

const char *network_open(struct work *w, int64_t session, const struct rows *q, int column)
{
    size_t n, plain_n;
    const void *sealed = rows_blob(q, column, &n);
    char *plain;

    if (!sealed || seal_open(w, place_of(session), sealed, n, &plain, &plain_n))
        return NULL;
    return plain;
}
