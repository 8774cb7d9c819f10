/*
 * address.h - a socket address from its text.
 */
#ifndef TESTS_ADDRESS_H
#define TESTS_ADDRESS_H

#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* "10.0.0.1", "2001:db8::1"; anything else fails the test. */
static inline struct sockaddr_storage address_of(const char *text)
{
    struct sockaddr_storage at = { .ss_family = strchr(text, ':') ? AF_INET6 : AF_INET };
    struct sockaddr_in *four = (struct sockaddr_in *)(void *)&at;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)&at;

    assert_int_equal(
        inet_pton(at.ss_family, text,
                  at.ss_family == AF_INET6 ? (void *)&six->sin6_addr : (void *)&four->sin_addr),
        1);
    return at;
}

#endif
