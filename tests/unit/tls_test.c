/* The certificate of the first run, and certificates that cannot be used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/x509v3.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/http/tls.h"

enum { DAY = 24 * 60 * 60 };

static char dir[64], cert[96], key[96];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static int open_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/tjzw-tls-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(cert, sizeof cert, "%s/keys/tls-cert.pem", dir);
    snprintf(key, sizeof key, "%s/keys/tls-key.pem", dir);
    return 0;
}

static int close_dir(void **state)
{
    (void)state;
    clock_unset();
    return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The serial of the certificate that is used now. */
static char *serial(void)
{
    char keys[96];
    struct err e = { 0 };
    SSL_CTX *ctx = NULL;
    BIGNUM *n;
    char *text;

    snprintf(keys, sizeof keys, "%s/keys", dir);
    if (tls_open(&e, "", "", keys, &ctx))
        fail_msg("%s", e.text);
    n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(SSL_CTX_get0_certificate(ctx)), NULL);
    text = BN_bn2hex(n);
    BN_free(n);
    SSL_CTX_free(ctx);
    return text;
}

static void it_is_made_once_and_kept_private(void **state)
{
    char *first = serial(), *second = serial();
    struct stat st;

    (void)state;
    assert_string_equal(first, second);
    OPENSSL_free(first), OPENSSL_free(second);
    assert_int_equal(stat(key, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(cert, &st), 0);
    assert_int_equal(st.st_mode & 0077, 0);
}

static void it_is_made_anew_when_it_has_expired_or_lost_its_key(void **state)
{
    char *first = serial(), *second, *third;

    (void)state;
    clock_set(clock_now() + (int64_t)825 * DAY);
    second = serial();
    assert_string_not_equal(first, second);
    unlink(key);
    third = serial();
    assert_string_not_equal(second, third);
    OPENSSL_free(first), OPENSSL_free(second), OPENSSL_free(third);
}

static void it_names_this_host(void **state)
{
    FILE *f;
    X509 *x;

    (void)state;
    OPENSSL_free(serial());
    f = fopen(cert, "r");
    assert_non_null(f);
    x = PEM_read_X509(f, NULL, NULL, NULL);
    fclose(f);
    assert_int_equal(X509_check_host(x, "localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_ip_asc(x, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(x, "::1", 0), 1);
    assert_int_equal(X509_check_host(x, "example.cn", 0, 0, NULL), 0);
    X509_free(x);
}

static void what_cannot_be_used_is_named(void **state)
{
    struct err e = { 0 };
    SSL_CTX *ctx = NULL;
    char other[128];

    (void)state;
    OPENSSL_free(serial());
    assert_int_equal(tls_open(&e, cert, "", dir, &ctx), RC_INVALID);
    assert_int_equal(tls_open(&e, "/nowhere/cert.pem", key, dir, &ctx), RC_INVALID);
    assert_non_null(strstr(e.text, "/nowhere/cert.pem"));
    assert_int_equal(tls_open(&e, cert, "/nowhere/key.pem", dir, &ctx), RC_INVALID);
    assert_non_null(strstr(e.text, "/nowhere/key.pem"));
    snprintf(other, sizeof other, "%s/garbage.pem", dir);
    assert_int_equal(fs_write(&e, other, "garbage", 7, 0600), RC_OK);
    assert_int_equal(tls_open(&e, other, key, dir, &ctx), RC_INVALID);
    assert_null(ctx);
    assert_int_equal(tls_open(&e, cert, key, dir, &ctx), RC_OK);
    SSL_CTX_free(ctx);
}

#define IN(name) cmocka_unit_test_setup_teardown(name, open_dir, close_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(it_is_made_once_and_kept_private),
        IN(it_is_made_anew_when_it_has_expired_or_lost_its_key),
        IN(it_names_this_host),
        IN(what_cannot_be_used_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
