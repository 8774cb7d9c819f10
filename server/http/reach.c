/*
 * reach.c - the registries of special addresses (IANA, RFC 6890 and its updates, as of 2026-11). What embeds an address of IPv4 could
 * lead into a private one, so it counts as private whole.
 */
#include "server/http/reach.h"

#include <assert.h>
#include <pthread.h>

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
