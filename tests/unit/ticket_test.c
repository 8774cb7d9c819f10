/* Session tickets: good for as long as they should be, from one certificate to the next, and not longer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <openssl/ssl.h>

#include "server/base/clock.h"
#include "server/http/ticket.h"
#include "server/http/tls.h"

static char dir[64];
static SSL_SESSION *given; /* what the client was given last */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static int open_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/tjzw-ticket-XXXXXX");
    clock_set(clock_now());
    return mkdtemp(dir) ? 0 : -1;
}

static int close_dir(void **state)
{
    (void)state;
    clock_unset();
    return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static SSL_CTX *server(void)
{
    struct err e = { 0 };
    SSL_CTX *ctx = NULL;

    if (tls_open(&e, "", "", dir, &ctx))
        fail_msg("%s", e.text);
    return ctx;
}

static int keep(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(given);
    given = SSL_SESSION_dup(session); /* the end of the connection spoils the session itself */
    return 0;
}

/* Both ends in one thread. */
static void talk(SSL *a, SSL *b)
{
    char byte;

    for (int i = 0; i < 10; i++)
        (void)SSL_do_handshake(a), (void)SSL_do_handshake(b);
    assert_true(SSL_is_init_finished(a) && SSL_is_init_finished(b));
    (void)SSL_read(b, &byte, 1); /* tickets of TLS 1.3 come behind the handshake */
}

/* A connection that shows `ticket` (NULL: none): was it taken? */
static bool connects(SSL_CTX *ctx, int version, SSL_SESSION *ticket)
{
    SSL_CTX *phone = SSL_CTX_new(TLS_client_method());
    SSL *a = SSL_new(ctx), *b;
    BIO *one, *other;
    bool taken;

    SSL_CTX_set_max_proto_version(phone, version);
    SSL_CTX_set_session_cache_mode(phone, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(phone, keep);
    b = SSL_new(phone);
    assert_int_equal(BIO_new_bio_pair(&one, 0, &other, 0), 1);
    SSL_set_bio(a, one, one);
    SSL_set_bio(b, other, other);
    SSL_set_accept_state(a);
    SSL_set_connect_state(b);
    if (ticket) {
        SSL_SESSION *shown = SSL_SESSION_dup(ticket);

        assert_int_equal(SSL_set_session(b, shown), 1);
        SSL_SESSION_free(shown);
    }
    talk(a, b);
    taken = SSL_session_reused(b);
    keep(b, SSL_get0_session(b));
    SSL_free(a), SSL_free(b);
    SSL_CTX_free(phone);
    return taken;
}

static SSL_SESSION *take_ticket(SSL_CTX *ctx, int version)
{
    SSL_SESSION *mine;

    assert_false(connects(ctx, version, NULL));
    assert_non_null(given);
    mine = given;
    given = NULL;
    return mine;
}

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

static void a_ticket_is_good_for_its_hour_and_the_next(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        SSL_CTX *ctx = server();
        SSL_SESSION *ticket = take_ticket(ctx, versions[i]);

        assert_true(connects(ctx, versions[i], ticket));
        clock_set(clock_now() + TICKET_KEY_S);
        assert_true(connects(ctx, versions[i], ticket));
        SSL_SESSION_free(ticket);
        SSL_CTX_free(ctx);
    }
}

static void after_that_its_key_is_gone(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        SSL_CTX *ctx = server();
        SSL_SESSION *ticket = take_ticket(ctx, versions[i]);

        clock_set(clock_now() + TICKET_KEY_S);
        assert_true(connects(ctx, versions[i], ticket));
        clock_set(clock_now() + TICKET_KEY_S);
        assert_false(connects(ctx, versions[i], ticket));
        SSL_SESSION_free(ticket);

        /* nobody came for long: the key before is not of an hour ago */
        ticket = take_ticket(ctx, versions[i]);
        clock_set(clock_now() + 2 * TICKET_KEY_S);
        assert_false(connects(ctx, versions[i], ticket));
        SSL_SESSION_free(ticket);
        SSL_CTX_free(ctx);
    }
}

static void who_shows_an_old_one_gets_a_new_one(void **state)
{
    SSL_CTX *ctx = server();
    SSL_SESSION *ticket = take_ticket(ctx, TLS1_2_VERSION), *exchanged;

    (void)state;
    clock_set(clock_now() + TICKET_KEY_S);
    assert_true(connects(ctx, TLS1_2_VERSION, ticket));
    exchanged = given;
    given = NULL;
    clock_set(clock_now() + TICKET_KEY_S);
    assert_true(connects(ctx, TLS1_2_VERSION, exchanged));
    assert_false(connects(ctx, TLS1_2_VERSION, ticket));
    SSL_SESSION_free(exchanged);
    SSL_SESSION_free(ticket);
    SSL_CTX_free(ctx);
}

static void another_certificate_takes_them_too(void **state)
{
    SSL_CTX *ctx = server(), *next = server();
    SSL_SESSION *ticket = take_ticket(ctx, TLS1_3_VERSION);

    (void)state;
    assert_true(connects(next, TLS1_3_VERSION, ticket));
    SSL_SESSION_free(ticket);
    SSL_CTX_free(ctx);
    SSL_CTX_free(next);
}

static int forget(void **state)
{
    SSL_SESSION_free(given);
    given = NULL;
    return close_dir(state);
}

#define IN(name) cmocka_unit_test_setup_teardown(name, open_dir, forget)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(a_ticket_is_good_for_its_hour_and_the_next),
        IN(after_that_its_key_is_gone),
        IN(who_shows_an_old_one_gets_a_new_one),
        IN(another_certificate_takes_them_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
