/*
 * vendor_answer_fuzz.c - any bytes as the answer of a vendor, or as a browser's subscription: every device has one verdict that exists, with a word that a report may show; nothing is gone
 * but by an answer that can say so; and what leads elsewhere than to a listed host is not built.
 */
#include <stdlib.h>
#include <string.h>

#include "push/vendor_keys.h"
#include "push/vendor_part.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { TOKENS = 3, NOW = 1790000000 };

static const int statuses[] = { 200, 201, 400, 401, 403, 404, 410, 413, 429, 500, 502, 503 };

static void check(const struct push_verdict *v, int status)
{
    static const char good[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

    if (v->kind < PUSH_AGAIN || v->kind > PUSH_DOUBT || !v->why || v->why[strspn(v->why, good)])
        abort();
    if (v->kind == PUSH_GONE && status >= 429)
        abort();
}

static void judge(enum transport by, int status, const char *headers, const char *body,
                  size_t n)
{
    static const char *const tokens[TOKENS] = { "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb",
                                                "cccccccccccccccc" };
    const struct vendor *v = vendor_of(by);
    bool one = by == TRANSPORT_APNS || by == TRANSPORT_WEBPUSH || by == TRANSPORT_WECHAT;
    struct vendor_request rq = { .n = one ? 1 : TOKENS };
    struct vendor_answer a = { VENDOR_ANSWERED, status, headers, body, n, NOW };
    struct arena *mem = arena_new();
    struct push_verdict out[TOKENS];
    struct vendor_grant g;
    struct vendor_heard heard;
    const char *ticket;

    vendor_judge(v, mem, tokens, &rq, &a, out, &heard);
    for (int i = 0; i < rq.n; i++)
        check(&out[i], status);
    if (heard.after_ms < 0 || heard.after_ms > LANE_AFTER_MOST_MS)
        abort();
    if (v->take_grant && v->take_grant(NULL, mem, &a, &g) &&
        (!*g.text || strpbrk(g.text, "\r\n") || g.until <= NOW))
        abort();
    if (v->take_ticket) {
        ticket = vendor_take_ticket(v, mem, &a, out, &heard);
        check(out, 200);
        if (ticket ? *vendor_word(mem, ticket) == '\0' : out->kind == PUSH_DOUBT)
            abort();
    }
    arena_free(mem);
}

static void subscribe(const char *token)
{
    static struct conf c;
    static struct vendor_keys keys;
    static char pem[CRYPT_PEM_MAX];
    struct vendor_site s = { .conf = &c, .keys = &keys };
    struct push_message m = { .title = "t",
                              .text = "t",
                              .link = "",
                              .picture = "",
                              .sender = "",
                              .collapse = "c",
                              .ttl = 60,
                              .class = PUSH_SERVICE,
                              .badge = -1 };
    struct arena *mem = arena_new();
    struct vendor_request rq = { 0 };
    struct err e;

    if (!keys.webpush) {
        if (conf_load(&e, NULL, NULL, &c))
            abort();
        keys.webpush = crypt_key_make(pem);
    }
    if (!vendor_webpush.build(&s, mem, "", &m, &token, 1, NOW, &rq) &&
        strncmp(rq.url, "https://fcm.googleapis.com/", 27) &&
        strncmp(rq.url, "https://updates.push.services.mozilla.com/", 42) &&
        !strstr(rq.url, "push.apple.com/") && !strstr(rq.url, ".notify.windows.com/"))
        abort();
    arena_free(mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *text, *body;

    if (n < 2)
        return 0;
    text = calloc(1, n + 1);
    memcpy(text, data + 2, n - 2);
    body = strstr(text, "\n\n");
    if (data[0] % (TRANSPORT_COUNT + 1) == 0) {
        subscribe(text);
    } else if (vendor_of((enum transport)(data[0] % (TRANSPORT_COUNT + 1)))) {
        size_t begin = body ? (size_t)(body - text) + 2 : 0;

        if (body)
            body[1] = '\0';
        judge((enum transport)(data[0] % (TRANSPORT_COUNT + 1)),
              statuses[data[1] % (sizeof statuses / sizeof *statuses)], body ? text : "",
              text + begin, n - 2 - begin);
    }
    free(text);
    return 0;
}
