/*
 * proxy.c - bytes that a proxy says of its client.
 */
#include "server/http/proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- networks ---- */

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

/* Any address in 16 bytes; false: of another family. */
static bool in_sixteen(const struct sockaddr *a, uint8_t out[16])
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)a;
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)a;

    if (a->sa_family == AF_INET6) {
        memcpy(out, &six->sin6_addr, 16);
        return true;
    }
    memcpy(out, mapped, sizeof mapped);
    if (a->sa_family == AF_INET)
        memcpy(out + sizeof mapped, &four->sin_addr, 4);
    return a->sa_family == AF_INET;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, int bits)
{
    int whole = bits / 8, rest = bits % 8;

    return memcmp(a, b, (size_t)whole) == 0 &&
           (rest == 0 || ((a[whole] ^ b[whole]) & (0xff << (8 - rest))) == 0);
}

static bool ends_with_zeros(const struct network *n)
{
    uint8_t zero[16] = { 0 };
    uint8_t tail[16];

    memcpy(tail, n->address, 16);
    for (int i = 0; i < n->bits; i++)
        tail[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
    return memcmp(tail, zero, 16) == 0;
}

static bool network_parse(const char *text, struct network *out)
{
    const char *slash = strchr(text, '/');
    size_t n = slash ? (size_t)(slash - text) : strlen(text);
    char address[INET6_ADDRSTRLEN], *end;
    long most = 128, bits;

    if (n == 0 || n >= sizeof address)
        return false;
    memcpy(address, text, n);
    address[n] = '\0';
    memcpy(out->address, mapped, sizeof mapped);
    if (inet_pton(AF_INET, address, out->address + sizeof mapped) == 1)
        most = 32;
    else if (inet_pton(AF_INET6, address, out->address) != 1)
        return false;
    bits = most;
    if (slash && ((bits = strtol(slash + 1, &end, 10)) < 0 || bits > most || *end ||
                  slash[1] < '0' || slash[1] > '9'))
        return false;
    out->bits = (int)(128 - most + bits);
    return ends_with_zeros(out);
}

enum rc networks_parse(struct err *e, const char *setting, const struct conf_list *list,
                       struct networks *out)
{
    out->n = 0;
    for (int i = 0; i < list->n; i++)
        if (!network_parse(list->v[i], &out->list[out->n++]))
            return err_set(e, RC_INVALID,
                           "%s: \"%s\" should be an address or a network, like "
                           "10.0.0.1, 10.0.0.0/8 or 2001:db8::/32",
                           setting, list->v[i]);
    return RC_OK;
}

bool networks_have(const struct networks *n, const struct sockaddr *address)
{
    uint8_t bytes[16];

    if (n->n == 0 || !in_sixteen(address, bytes))
        return false;
    for (int i = 0; i < n->n; i++)
        if (same_bits(bytes, n->list[i].address, n->list[i].bits))
            return true;
    return false;
}

/* ---- PROXY v2 ---- */

enum { SIGNATURE = 12, FIXED = 16, INET_BYTES = 12, INET6_BYTES = 36 };

static void read_inet(const uint8_t *p, struct sockaddr_storage *out)
{
    struct sockaddr_in *four = (struct sockaddr_in *)(void *)out;

    memset(out, 0, sizeof *out);
    four->sin_family = AF_INET;
    memcpy(&four->sin_addr, p, 4);
    memcpy(&four->sin_port, p + 8, 2);
}

static void read_inet6(const uint8_t *p, struct sockaddr_storage *out)
{
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)out;

    memset(out, 0, sizeof *out);
    six->sin6_family = AF_INET6;
    memcpy(&six->sin6_addr, p, 16);
    memcpy(&six->sin6_port, p + 32, 2);
}

enum proxy_said proxy_read(const uint8_t *in, size_t n, size_t *used,
                           struct sockaddr_storage *client)
{
    static const uint8_t signature[SIGNATURE] = "\r\n\r\n\0\r\nQUIT\n";
    size_t length;

    if (memcmp(in, signature, n < SIGNATURE ? n : SIGNATURE) != 0)
        return PROXY_NONE;
    if (n < FIXED)
        return PROXY_MORE;
    length = (size_t)in[14] << 8 | in[15];
    if (in[12] >> 4 != 2 || (in[12] & 0xf) > 1 || FIXED + length > PROXY_HEADER_MAX)
        return PROXY_BAD;
    if (n < FIXED + length)
        return PROXY_MORE;
    *used = FIXED + length;
    if ((in[12] & 0xf) == 0) /* LOCAL */
        return PROXY_LOCAL;
    switch (in[13]) { /* family and transport; what follows the addresses is passed over */
    case 0x11:
        if (length < INET_BYTES)
            return PROXY_BAD;
        read_inet(in + FIXED, client);
        return PROXY_CLIENT;
    case 0x21:
        if (length < INET6_BYTES)
            return PROXY_BAD;
        read_inet6(in + FIXED, client);
        return PROXY_CLIENT;
    default: return PROXY_LOCAL;
    }
}

/* ---- Forwarded ---- */

enum { NODE_MAX = 64, ELEMENT_MAX = 512 /* or looking for its begin would be work */ };

static bool is_token(char c)
{
    return c > 0x20 && c < 0x7f && !strchr("\"(),/:;<=>?@[\\]{}", c);
}

static void skip_blanks(const char **p, const char *end)
{
    while (*p < end && (**p == ' ' || **p == '\t'))
        ++*p;
}

/* A token or a quoted string into `out`; false: it is neither, or too long. */
static bool take_value(const char **p, const char *end, char out[NODE_MAX])
{
    bool quoted = *p < end && **p == '"';
    size_t n = 0;

    *p += quoted;
    for (; *p < end && (quoted ? **p != '"' : is_token(**p)); ++*p) {
        if (quoted && **p == '\\' && ++*p == end)
            return false;
        if (n == NODE_MAX - 1 || **p == '\0')
            return false;
        out[n++] = **p;
    }
    if (quoted && (*p == end || *(*p)++ != '"'))
        return false;
    out[n] = '\0';
    return quoted || n > 0;
}

/* One element, from p to its end. *node is "" if it has no `for`. */
static bool take_element(const char *p, const char *end, char node[NODE_MAX])
{
    node[0] = '\0';
    for (;; p++) {
        char name[NODE_MAX], value[NODE_MAX];
        size_t n = 0;

        skip_blanks(&p, end);
        while (p < end && is_token(*p) && n < NODE_MAX - 1)
            name[n++] = *p++;
        name[n] = '\0';
        if (n > 0) {
            if (p == end || *p++ != '=' || !take_value(&p, end, value))
                return false;
            if (!strcasecmp(name, "for")) {
                if (node[0])
                    return false; /* twice */
                memcpy(node, value, sizeof value);
            }
        }
        skip_blanks(&p, end);
        if (p == end)
            return true;
        if (*p != ';')
            return false;
    }
}

/*
 * The last element of a value, and where it begins. Only what the nearest proxies added counts, and that stands
 * last: whatever a client wrote before, quotes without an end too, must not hide it. So the shortest tail
 * behind a comma that is an element is taken.
 */
static bool last_element(const char *value, const char *end, const char **begin,
                         char node[NODE_MAX])
{
    for (const char *p = end;; p--) {
        if ((p == value || p[-1] == ',') && take_element(p, end, node)) {
            *begin = p;
            return true;
        }
        if (p == value || end - p == ELEMENT_MAX)
            return false;
    }
}

/* "192.0.2.60", "192.0.2.60:4711", "[2001:db8::1]", "[2001:db8::1]:4711"; not "unknown", not "_hidden". */
static bool node_address(const char *node, struct sockaddr_storage *out)
{
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)out;
    struct sockaddr_in *four = (struct sockaddr_in *)(void *)out;
    bool bracketed = *node == '[';
    size_t n = strcspn(node + bracketed, bracketed ? "]" : ":");
    const char *rest = node + bracketed + n + bracketed;
    char text[INET6_ADDRSTRLEN];

    if (n >= sizeof text || (bracketed && node[1 + n] != ']') || (*rest && *rest != ':'))
        return false;
    memcpy(text, node + bracketed, n);
    text[n] = '\0';
    memset(out, 0, sizeof *out);
    out->ss_family = bracketed ? AF_INET6 : AF_INET;
    return inet_pton(out->ss_family, text,
                     bracketed ? (void *)&six->sin6_addr : (void *)&four->sin_addr) == 1;
}

enum hop { HOP_TRUSTED, HOP_CLIENT, HOP_HIDDEN };

static enum hop look(const struct networks *trusted, const char *node,
                     struct sockaddr_storage *out)
{
    if (!node_address(node, out))
        return HOP_HIDDEN;
    return networks_have(trusted, (struct sockaddr *)out) ? HOP_TRUSTED : HOP_CLIENT;
}

/* From the nearest hop on to the farther ones, as long as they are trusted. */
static enum hop walk(const struct networks *trusted, const char *value, size_t n,
                     struct sockaddr_storage *out)
{
    const char *end = value + n;
    char node[NODE_MAX];
    enum hop hop;

    for (;;) {
        const char *begin;

        if (!last_element(value, end, &begin, node))
            return HOP_HIDDEN;
        if ((hop = look(trusted, node, out)) != HOP_TRUSTED || begin == value)
            return hop;
        end = begin - 1; /* the comma */
    }
}

bool forwarded_client(const struct networks *trusted, const char *const *values,
                      const size_t *lengths, size_t n, struct sockaddr_storage *out)
{
    enum hop hop = HOP_TRUSTED;

    while (n-- > 0 && hop == HOP_TRUSTED)
        hop = walk(trusted, values[n], lengths[n], out);
    return hop == HOP_CLIENT;
}
