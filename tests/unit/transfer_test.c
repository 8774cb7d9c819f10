/* transfer_test.c - what the end of a request says of it: which certainly never left, which may have arrived, and what of the answer is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/http/transfer.h"

enum { LARGE = 64 << 20 }; /* more than the sockets of both sides hold */

/* Somebody who reads until it heard `until`, says `says` ("": nothing) and hangs up. */
struct peer {
    pthread_t thread;
    int listener, calls;
    const char *until, *says;
    char url[64], heard[4096];
};

static void hear(struct peer *p, int fd)
{
    struct linger at_once = { .l_onoff = 1 };
    char rest[512];
    size_t n = 0;
    ssize_t got;

    *p->heard = '\0';
    while (!strstr(p->heard, p->until) && n < sizeof p->heard - 1 &&
           (got = read(fd, p->heard + n, sizeof p->heard - 1 - n)) > 0) {
        n += (size_t)got;
        p->heard[n] = '\0';
    }
    if (!*p->says) {
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        return;
    }
    if (write(fd, p->says, strlen(p->says)) < 0)
        perror("say");
    shutdown(fd, SHUT_WR);
    while (read(fd, rest, sizeof rest) > 0) /* who closes before has not said it */
        ;
}

static void *serve(void *arg)
{
    struct peer *p = arg;
    int fd;

    while ((fd = accept(p->listener, NULL, NULL)) >= 0) {
        p->calls++;
        hear(p, fd);
        close(fd);
    }
    return NULL;
}

static void peer_begin(struct peer *p, const char *until, const char *says)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;

    *p = (struct peer){ .until = until, .says = says };
    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(p->listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(p->listener, 8), 0);
    assert_int_equal(getsockname(p->listener, (struct sockaddr *)&a, &n), 0);
    snprintf(p->url, sizeof p->url, "http://127.0.0.1:%d/x", ntohs(a.sin_port));
    assert_int_equal(pthread_create(&p->thread, NULL, serve, p), 0);
}

static void peer_end(struct peer *p)
{
    shutdown(p->listener, SHUT_RDWR);
    pthread_join(p->thread, NULL);
    close(p->listener);
}

static void made(struct transfer *t)
{
    CURL *h;

    transfer_prepare();
    h = curl_easy_init();
    t->answer_max = t->answer_max ? t->answer_max : 100;
    t->timeout_ms = 10000;
    transfer_begin(t, h, NULL);
    transfer_end(t, h, (int)curl_easy_perform(h));
    curl_easy_cleanup(h);
}

static void forget(struct transfer *t)
{
    buf_done(&t->body_in);
    buf_done(&t->headers_in);
}

static void an_answer_is_kept_with_its_headers(void **state)
{
    static const char *const headers[] = { "x-mine: 1", NULL };
    struct transfer t = {
        .method = "PUT", .headers = headers, .bearer = "B", .body = "ab", .body_n = 2
    };
    struct peer p;
    char value[16];

    (void)state;
    peer_begin(&p, "\r\n\r\nab",
               "HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n"
               "HTTP/1.1 201 Created\r\nRetry-AFTER:  7 \r\nX-Long: 0123456789abcdefghi\r\n"
               "Content-Length: 2\r\n\r\nok");
    t.url = p.url;
    made(&t);
    peer_end(&p);
    assert_int_equal(t.fate, TRANSFER_ANSWERED);
    assert_int_equal(t.status, 201);
    assert_string_equal(t.body_in.p, "ok");
    assert_string_equal(t.why, "");
    assert_string_equal(transfer_header(t.headers_in.p, "retry-after", value, sizeof value),
                        "7");
    assert_string_equal(transfer_header(t.headers_in.p, "x-long", value, sizeof value),
                        "0123456789abcde");
    assert_string_equal(transfer_header(t.headers_in.p, "x-interim", value, sizeof value), "");
    assert_string_equal(transfer_header(t.headers_in.p, "retry", value, sizeof value), "");
    assert_string_equal(transfer_header(NULL, "x", value, sizeof value), "");
    assert_string_equal(transfer_header("x: 1", "x", value, sizeof value),
                        ""); /* no whole line */
    assert_memory_equal(p.heard, "PUT /x HTTP/1.1\r\n", 17);
    assert_null(strstr(p.heard, "Expect:"));
    forget(&t);
}

static void an_answer_that_is_too_long_says_so(void **state)
{
    struct transfer t = { .method = "GET", .answer_max = 1 };
    struct peer p;

    (void)state;
    peer_begin(&p, "\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    t.url = p.url;
    made(&t);
    peer_end(&p);
    assert_true(t.too_long);
    assert_int_equal(t.fate, TRANSFER_DOUBT);
    forget(&t);
}

static void what_nobody_took_never_left(void **state)
{
    struct transfer t = { .method = "POST", .body = "ab", .body_n = 2 };
    struct peer p;

    (void)state;
    peer_begin(&p, "\n", "");
    peer_end(&p);
    t.url = p.url;
    made(&t);
    assert_int_equal(t.fate, TRANSFER_UNSENT);
    assert_true(*t.why);
    t.tls_only = true;
    made(&t);
    assert_int_equal(t.fate, TRANSFER_UNSENT);
    t = (struct transfer){ .method = "GET", .url = "file:///etc/passwd" };
    made(&t);
    assert_int_equal(t.fate, TRANSFER_UNSENT);
    assert_int_equal(t.body_in.n, 0);
    forget(&t);
}

static void a_name_leads_not_into_our_own_network(void **state)
{
    struct transfer t = { .method = "GET", .public_only = true };
    struct peer p;

    (void)state;
    peer_begin(&p, "\n", "");
    t.url = p.url;
    made(&t);
    peer_end(&p);
    assert_int_equal(t.fate, TRANSFER_UNSENT);
    assert_int_equal(p.calls, 0);
    forget(&t);
}

/* The proxy, which stands in our network, would go there for anybody. */
static void a_proxy_is_asked_for_no_host_of_our_own(void **state)
{
    static const char *const ours[] = {
        "https://127.0.0.1/x",       "https://[::1]/x",
        "https://2130706433/x",      "https://0x7f.1/x",
        "https://127.1/x",           "https://10.0.0.1./x",
        "https://169.254.1.1/x",     "https://localhost/x",
        "https://LOCALHOST./x",      "https://printer/x",
        "https://a.local/x",         "https://b.home.arpa/x",
        "https://db.internal./x",    "https://[::ffff:10.0.0.1]/x",
        "https://192.168.1.1:443/x",
    };
    struct transfer_proxy to = { .secret = "", .direct = "localhost,127.0.0.0/8,::1" };
    struct peer p;
    struct err e;

    (void)state;
    peer_begin(&p, "\r\n\r\n", "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
    p.url[strlen(p.url) - 2] = '\0'; /* without "/x" */
    to.url = p.url;
    assert_int_equal(transfer_proxy_set(&e, &to), RC_OK);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        struct transfer t = { .method = "POST",
                              .url = ours[i],
                              .body = "ab",
                              .body_n = 2,
                              .tls_only = true,
                              .public_only = true };

        made(&t);
        if (t.fate != TRANSFER_UNSENT || !strstr(t.why, "none of the Internet's"))
            fail_msg("%s: %d %s", ours[i], (int)t.fate, t.why);
        forget(&t);
    }
    assert_int_equal(p.calls, 0);
    for (int i = 0; i < 2;
         i++) { /* where that leads the proxy says; an address is an address */
        struct transfer t = { .method = "GET",
                              .url = i ? "https://1.1.1.1/x" : "https://push.example.com/x",
                              .public_only = true };

        made(&t);
        assert_int_equal(t.fate, TRANSFER_UNSENT);
        assert_string_equal(t.why, "the proxy answered 403");
        assert_memory_equal(
            p.heard, i ? "CONNECT 1.1.1.1:443 " : "CONNECT push.example.com:443 ", i ? 20 : 29);
        forget(&t);
    }
    assert_int_equal(p.calls, 2);
    to = (struct transfer_proxy){ "", "", "" };
    assert_int_equal(transfer_proxy_set(&e, &to), RC_OK);
    peer_end(&p);
}

/* With everybody asked directly there is no proxy to rely on. */
static void where_all_are_asked_directly_addresses_are_looked_at(void **state)
{
    struct transfer_proxy to = { .url = "http://127.0.0.1:9", .secret = "", .direct = "*" };
    struct transfer t = { .method = "GET", .public_only = true };
    struct peer p;
    struct err e;

    (void)state;
    peer_begin(&p, "\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    t.url = p.url;
    assert_int_equal(transfer_proxy_set(&e, &to), RC_OK);
    made(&t);
    assert_int_equal(t.fate, TRANSFER_UNSENT);
    assert_int_equal(p.calls, 0);
    forget(&t);
    to = (struct transfer_proxy){ "", "", "" };
    assert_int_equal(transfer_proxy_set(&e, &to), RC_OK);
    peer_end(&p);
}

/* Whoever had the whole of it may have acted on it; whoever did not, has not, if he waits for the whole. */
static void half_a_request_is_told_from_a_whole_one(void **state)
{
    char *large = calloc(1, LARGE);
    struct transfer t = { .method = "POST", .body = "ab", .body_n = 2 };
    struct peer p;

    (void)state;
    peer_begin(&p, "\r\n\r\nab", "");
    t.url = p.url;
    made(&t);
    assert_int_equal(t.fate, TRANSFER_DOUBT);
    forget(&t);
    peer_end(&p);
    assert_int_equal(p.calls, 1);
    peer_begin(&p, "\n", "");
    t = (struct transfer){ .method = "POST", .url = p.url, .body = large, .body_n = LARGE };
    made(&t);
    peer_end(&p);
    assert_int_equal(t.fate, TRANSFER_CUT);
    assert_int_equal(p.calls, 1); /* nor was it tried again */
    forget(&t);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_kept_with_its_headers),
        cmocka_unit_test(an_answer_that_is_too_long_says_so),
        cmocka_unit_test(what_nobody_took_never_left),
        cmocka_unit_test(a_name_leads_not_into_our_own_network),
        cmocka_unit_test(a_proxy_is_asked_for_no_host_of_our_own),
        cmocka_unit_test(where_all_are_asked_directly_addresses_are_looked_at),
        cmocka_unit_test(half_a_request_is_told_from_a_whole_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
