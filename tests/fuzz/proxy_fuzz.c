/*
 * proxy_fuzz.c - what a proxy, or somebody who would like to be one, says of its client.
 *
 * A PROXY header says the same however it is cut: more bytes are asked for until it is whole, and then it is what it is
 * in one piece. Whatever stands in `Forwarded` before what a trusted proxy appended changes nothing, and what trusted
 * proxies appended of each other hides nothing of it.
 */
#include <stdlib.h>
#include <string.h>

#include "server/http/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void in_pieces(const uint8_t *data, size_t n)
{
    struct sockaddr_storage client;
    size_t used = 0;
    enum proxy_said whole = proxy_read(data, n, &used, &client);

    for (size_t i = 0; i < n; i++) {
        size_t part;
        enum proxy_said said = proxy_read(data, i, &part, &client);

        if (said != PROXY_MORE && said != whole)
            abort();
        if ((said == PROXY_CLIENT || said == PROXY_LOCAL) && part != used)
            abort();
    }
}

static void appended(const uint8_t *data, size_t n)
{
    static const char own[] = ",for=\"[2001:db8::7]:80\"";
    static const struct networks none, ours = { 1, { { { 0x20, 0x01, 0x0d, 0xb8 }, 32 } } };
    char *text = malloc(n + sizeof own);
    struct sockaddr_storage client, again;
    const char *value = text;
    size_t length = n + sizeof own - 1;
    bool known;

    memcpy(text, data, n);
    memset(&client, 0, sizeof client);
    known = forwarded_client(&ours, &value, &n, 1, &client);
    memcpy(text + n, own, sizeof own);
    if (forwarded_client(&ours, &value, &length, 1, &again) != known ||
        (known && memcmp(&client, &again, sizeof client)))
        abort();
    if (!forwarded_client(&none, &value, &length, 1, &client) || client.ss_family != AF_INET6)
        abort();
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    in_pieces(data, n < 600 ? n : 600);
    appended(data, n);
    return 0;
}
