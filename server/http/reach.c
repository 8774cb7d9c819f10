/*
 * reach.c - the registries of special addresses (IANA, RFC 6890 and its updates, as of 2026-11). What embeds an address of IPv4 could
 * lead into a private one, so it counts as private whole.
 */
#include "server/http/reach.h"

#include <assert.h>
#include <netdb.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

#include "server/http/proxy.h"

static struct networks own;

static void read_list(void)
{
    static const struct conf_list list = {
        .n = 25,
        .v = { "0.0.0.0/8",      "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8",
               "169.254.0.0/16", "172.16.0.0/12",  "192.0.0.0/24",  "192.0.2.0/24",
               "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
               "203.0.113.0/24", "224.0.0.0/4",    "240.0.0.0/4",   "::/96",
               "64:ff9b::/96",   "64:ff9b:1::/48", "100::/64",      "2001::/23",
               "2001:db8::/32",  "2002::/16",      "fc00::/7",      "fe80::/9",
               "ff00::/8" },
    };
    struct err e;
    enum rc rc = networks_parse(&e, "reach", &list, &own);

    assert(!rc);
    (void)rc;
}

bool reach_is_public(const struct sockaddr *address)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, read_list);
    if (address->sa_family != AF_INET && address->sa_family != AF_INET6)
        return false;
    return !networks_have(&own, address);
}

/* RFC 6761, 6762, 8375, 9476, and what routers and offices use. */
static bool is_own_name(const char *host, size_t n)
{
    static const char *const below[] = { "localhost", "local",       "internal", "intranet",
                                         "lan",       "home.arpa",   "private",  "corp",
                                         "home",      "localdomain", "alt",      "onion",
                                         "test",      "invalid" };

    if (!memchr(host, '.', n))
        return true;
    for (size_t i = 0; i < sizeof below / sizeof *below; i++) {
        size_t k = strlen(below[i]);

        if (n > k && host[n - k - 1] == '.' && !strncasecmp(host + n - k, below[i], k))
            return true;
    }
    return false;
}

bool reach_may_be_public(const char *host)
{
    const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM };
    char name[NI_MAXHOST];
    struct addrinfo *found;
    size_t n = strlen(host);
    bool is_public;

    if (n && host[0] == '[' && host[n - 1] == ']')
        host++, n -= 2;
    while (n && host[n - 1] == '.')
        n--;
    if (!n || n >= sizeof name)
        return false;
    memcpy(name, host, n);
    name[n] = '\0';
    if (getaddrinfo(name, NULL, &hints, &found))
        return !is_own_name(name, n);
    is_public = reach_is_public(found->ai_addr);
    freeaddrinfo(found);
    return is_public;
}
