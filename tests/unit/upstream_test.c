/*
 * upstream_test.c - what the files of upstreams may say, what claims mean, which addresses an upstream is asked at, and when its keys are asked for anew. Asking
 * itself, and all that may go wrong with it: tests/flow/upstream_test.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/base/seal.h"
#include "server/http/reach.h"
#include "server/identity/upstream_ask.h"
#include "tests/lib/library_world.h"

static const char good[] = "{\"kind\":\"oidc\",\"label\":\"天津政务一网通\",\"issuer\":\"https:"
                           "//id.example.cn\",\"client\":\"tjzw\","
                           "\"scopes\":[\"openid\",\"phone\"],\"claims\":{\"name\":\"xm\","
                           "\"phone\":\"mobile\",\"level\":\"acr\"},"
                           "\"levels\":{\"L2\":2,\"3\":3,\"L4\":4},\"level_max\":3,\"trusts_"
                           "phone\":true,\"redirects\":[\"cn.app:/cb\"]}";
static const char mini[] =
    "{\"kind\":\"wechat_mini\",\"label\":\"微信小程序\",\"client\":\"wx0123456789abcdef\"}";

static struct err why;

static enum rc read_text(struct arena *mem, const char *text, const char *secret,
                         struct upstream *out)
{
    why = (struct err){ 0 };
    return upstream_read(&why, mem, "ywt", text, strlen(text), secret, out);
}

static json_t *object(struct arena *mem, const char *text)
{
    struct err e;
    json_t *o;

    assert_int_equal(jx_object(&e, mem, text, strlen(text), &o), RC_OK);
    return o;
}

/* ---- files ---- */

static void a_file_says_who_is_believed_and_how_far(void **state)
{
    struct library_world *t = *state;
    struct upstream u;

    assert_int_equal(read_text(t->mem, good, "key", &u), RC_OK);
    assert_string_equal(u.label, "天津政务一网通");
    assert_string_equal(u.scope, "openid phone");
    assert_string_equal(u.claims.sub, "sub");
    assert_int_equal(u.level, 1);
    assert_int_equal(u.level_max, 3);
    assert_true(upstream_takes(&u, "cn.app:/cb") && !upstream_takes(&u, "cn.app:/cb/"));
    assert_null(u.at.token);
    assert_int_equal(read_text(t->mem, mini, "key", &u), RC_OK);
    assert_string_equal(u.at.token, "https://api.weixin.qq.com/sns/jscode2session");
    assert_int_equal(u.level_max, 1);
}

static void a_mistake_in_a_file_is_named(void **state)
{
    static const struct {
        const char *text, *says;
    } bad[] = {
        { "", "JSON" },
        { "[]", "object" },
        { "{}", "kind" },
        { "{\"kind\":\"saml\"}", "kind" },
        { "{\"kind\":\"oidc\",\"kind\":\"oidc\"}", "duplicate" },
        { "{\"kind\":\"oidc\",\"label\":\"一\",\"client\":\"a\"}", "issuer" },
        { "{\"kind\":\"oidc\",\"label\":\"一\",\"client\":\"a\",\"issuer\":\"http://id.cn\"}",
          "issuer" },
        { "{\"kind\":\"oidc\",\"label\":\"一\",\"client\":\"a\",\"issuer\":\"https://"
          "u:p@id.cn\"}",
          "issuer" },
        { "{\"kind\":\"oidc\",\"label\":\"一\",\"client\":\"a\",\"issuer\":\"https://"
          "id.cn\",\"x\":1}",
          "x" },
        { "{\"kind\":\"oidc\",\"label\":\"一\",\"client\":\"a\",\"issuer\":\"https://"
          "id.cn\",\"level_max\":5}",
          "level_max" },
        { "{\"kind\":\"oidc\",\"label\":\"一\",\"client\":\"a\",\"issuer\":\"https://"
          "id.cn\",\"levels\":{\"a\":\"3\"}}",
          "1 to 4" },
        { "{\"kind\":\"oidc\",\"label\":\"一\",\"client\":\"a\",\"issuer\":\"https://"
          "id.cn\",\"auth\":\"jwt\"}",
          "auth" },
        { "{\"kind\":\"oidc\",\"label\":\"一\",\"client\":\"a\",\"issuer\":\"https://"
          "id.cn\",\"scopes\":[\"phone\"]}",
          "openid" },
        { "{\"kind\":\"oidc\",\"label\":\"一\",\"client\":\"a\",\"issuer\":\"https://"
          "id.cn\",\"endpoints\":{\"token\":\"https://a.cn/t\"}}",
          "all or none" },
        { "{\"kind\":\"wechat_mini\",\"label\":\"微\",\"client\":\"wx1\",\"issuer\":\"https://"
          "a.cn\"}",
          "issuer" },
    };
    struct library_world *t = *state;
    struct upstream u;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(read_text(t->mem, bad[i].text, "key", &u), RC_INVALID);
        if (!strstr(why.text, bad[i].says))
            fail_msg("%s: %s", bad[i].text, why.text);
    }
    assert_int_equal(read_text(t->mem, mini, NULL, &u), RC_INVALID);
    assert_non_null(strstr(why.text, "AppSecret"));
}

static void put_file(struct library_world *t, const char *name, const char *text, mode_t mode)
{
    const char *path = arena_printf(t->mem, "%s/upstreams/%s", t->dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void all_files_are_read_and_a_secret_is_nobody_elses(void **state)
{
    struct library_world *t = *state;

    assert_int_equal(upstreams_open(&why, t->dir, "none"), RC_OK);
    assert_int_equal(upstreams_count(), 0);
    assert_int_equal(mkdir(arena_printf(t->mem, "%s/upstreams", t->dir), 0700), 0);
    put_file(t, "ywt.json", good, 0644);
    put_file(t, "wx.json", mini, 0644);
    put_file(t, "wx.secret", "app secret\n", 0600);
    put_file(t, "README", "who is believed", 0644);
    assert_int_equal(upstreams_open(&why, t->dir, "upstreams"), RC_OK);
    assert_int_equal(upstreams_count(), 2);
    assert_string_equal(upstream_find("wx")->secret, "app secret");
    assert_null(upstream_find("ywt")->secret);
    assert_ptr_equal(upstream_at(upstream_find("ywt")->no), upstream_find("ywt"));
    assert_null(upstream_find("wxx"));
    put_file(t, "ywt.secret", "key", 0600);
    assert_int_equal(chmod(arena_printf(t->mem, "%s/upstreams/ywt.secret", t->dir), 0640), 0);
    assert_int_equal(upstreams_open(&why, t->dir, "upstreams"), RC_INVALID);
    assert_non_null(strstr(why.text, "chmod 600"));
    put_file(t, "Bad Name.json", good, 0644);
    assert_int_equal(upstreams_open(&why, t->dir, "upstreams"), RC_INVALID);
    upstreams_close();
}

/* ---- words ---- */

static void claims_become_a_word(void **state)
{
    static const struct {
        const char *claims, *id, *name, *phone; /* id NULL: no word */
        int level;
    } cases[] = {
        { "{\"sub\":\"7\"}", "7", "", "", 1 },
        { "{\"sub\":\"7\",\"acr\":\"L2\",\"xm\":\"李雷\",\"mobile\":\"13800138000\"}", "7",
          "李雷", "8613800138000", 2 },
        { "{\"sub\":\"7\",\"acr\":3}", "7", "", "", 3 },
        { "{\"sub\":\"7\",\"acr\":\"L4\"}", "7", "", "", 3 },
        { "{\"sub\":\"7\",\"acr\":\"L9\",\"mobile\":\"110\",\"xm\":\"a\\nb\"}", "7", "", "",
          1 },
        { "{\"sub\":\"7\",\"acr\":{},\"mobile\":[],\"xm\":7}", "7", "7", "", 1 },
        { "{}", NULL, "", "", 0 },
        { "{\"sub\":\"\"}", NULL, "", "", 0 },
        { "{\"sub\":\"七\"}", NULL, "", "", 0 },
        { "{\"sub\":null}", NULL, "", "", 0 },
    };
    struct library_world *t = *state;
    struct upstream u;
    struct word d;

    assert_int_equal(read_text(t->mem, good, "key", &u), RC_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum rc rc = word_of_claims(&why, &u, object(t->mem, cases[i].claims), NULL, &d);

        assert_int_equal(rc, cases[i].id ? RC_OK : RC_INVALID);
        if (rc)
            continue;
        assert_string_equal(d.id[0].kind, "upstream:ywt");
        assert_string_equal(d.id[0].value, cases[i].id);
        assert_string_equal(d.name, cases[i].name);
        assert_string_equal(d.phone, cases[i].phone);
        assert_int_equal(d.level, cases[i].level);
    }
    u.trusts_phone = false;
    assert_int_equal(word_of_claims(&why, &u, object(t->mem, cases[1].claims), NULL, &d),
                     RC_OK);
    assert_string_equal(d.phone, "");
}

static void a_phone_is_believed_that_somebody_verified(void **state)
{
    static const struct {
        const char *said, *phone;
    } cases[] = {
        { "", "8613800138000" },
        { ",\"phone_number_verified\":true", "8613800138000" },
        { ",\"phone_number_verified\":false", "" },
        { ",\"phone_number_verified\":\"false\"", "" },
        { ",\"phone_number_verified\":0", "" },
        { ",\"phone_number_verified\":null", "" },
    };
    struct library_world *t = *state;
    struct upstream u;
    struct word d;

    assert_int_equal(read_text(t->mem, good, "key", &u), RC_OK);
    u.claims.phone = "phone_number";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *said = arena_printf(
            t->mem, "{\"sub\":\"7\",\"phone_number\":\"13800138000\"%s}", cases[i].said);

        assert_int_equal(word_of_claims(&why, &u, object(t->mem, said), NULL, &d), RC_OK);
        assert_string_equal(d.phone, cases[i].phone);
    }
}

static void wechat_answers_or_says_why_not(void **state)
{
    static const struct {
        const char *answer;
        enum rc rc;
    } cases[] = {
        { "{\"openid\":\"o1\",\"session_key\":\"k\",\"unionid\":\"u1\"}", RC_OK },
        { "{\"openid\":\"o1\",\"errcode\":0}", RC_OK },
        { "{\"errcode\":40029,\"errmsg\":\"invalid code\"}", RC_UNAUTHORIZED },
        { "{\"errcode\":40029,\"openid\":\"o1\"}", RC_UNAUTHORIZED },
        { "{\"errcode\":45011}", RC_TOO_MANY },
        { "{\"errcode\":40226}", RC_FORBIDDEN },
        { "{\"errcode\":-1}", RC_BUSY },
        { "{\"errcode\":12345}", RC_BUSY },
        { "{\"openid\":\"\"}", RC_BUSY },
        { "{}", RC_BUSY },
    };
    struct library_world *t = *state;
    struct buf url = BUF_IN(t->mem);
    struct wechat_ids ids;
    struct upstream u;
    struct word d;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(wechat_read(&why, object(t->mem, cases[i].answer), &ids), cases[i].rc);
    assert_int_equal(wechat_read(&why, object(t->mem, cases[0].answer), &ids), RC_OK);
    assert_int_equal(read_text(t->mem, mini, "a&b", &u), RC_OK);
    assert_int_equal(word_of_wechat(&why, &u, &ids, &d), RC_OK);
    assert_int_equal(d.n, 2);
    assert_string_equal(d.id[0].kind, "wechat:wx0123456789abcdef");
    assert_string_equal(d.id[1].kind, "wechat");
    wechat_put_url(&url, &u, "c&x=1");
    assert_string_equal(url.p,
                        "https://api.weixin.qq.com/sns/jscode2session?appid=wx0123456789abcdef"
                        "&secret=a%26b&js_code=c%26x%3D1&grant_type=authorization_code");
}

static void a_word_waits_in_a_ticket_that_nobody_else_can_read_or_make(void **state)
{
    struct library_world *t = *state;
    struct word d = { .level = 1, .phone = "", .name = "李雷" }, back;
    struct slip slip;
    const char *ticket;
    char *bent;

    assert_int_equal(upstreams_open(&why, t->dir, "upstreams"), RC_INVALID); /* see above */
    assert_int_equal(unlink(arena_printf(t->mem, "%s/upstreams/ywt.secret", t->dir)), 0);
    assert_int_equal(unlink(arena_printf(t->mem, "%s/upstreams/Bad Name.json", t->dir)), 0);
    assert_int_equal(upstreams_open(&why, t->dir, "upstreams"), RC_OK);
    d.of = upstream_find("wx");
    d.n = 1;
    strcpy(d.id[0].kind, "wechat:wx1");
    memset(d.id[0].value, 'o', sizeof d.id[0].value - 1);
    assert_int_equal(word_ticket(&t->w, &d, &ticket), RC_OK);
    assert_null(strstr(ticket, "ooo"));
    assert_int_equal(word_from_ticket(&t->w, ticket, &slip, &back), RC_OK);
    assert_ptr_equal(back.of, d.of);
    assert_string_equal(back.id[0].value, d.id[0].value);
    assert_string_equal(back.name, "李雷");
    assert_int_equal(back.n, 1);
    for (size_t i = 0; ticket[i]; i++) {
        bent = arena_strdup(t->mem, ticket);
        bent[i] = bent[i] == 'A' ? 'B' : 'A';
        assert_int_equal(word_from_ticket(&t->w, bent, &slip, &back), RC_UNAUTHORIZED);
    }
    assert_int_equal(word_from_ticket(&t->w, "", &slip, &back), RC_UNAUTHORIZED);
    assert_int_equal(word_from_ticket(&t->w, ".", &slip, &back), RC_UNAUTHORIZED);
    upstreams_close();
}

/* ---- out there ---- */

static void nothing_in_an_address_gets_out_of_its_place(void **state)
{
    struct library_world *t = *state;
    struct upstream_endpoints at = { .authorize = "https://id.example.cn/a?x=1" };
    struct slip s = slip_new(SLIP_UPSTREAM, 0, 0), other = slip_new(SLIP_UPSTREAM, 0, 0);
    struct buf b = BUF_IN(t->mem);
    char state_text[UPSTREAM_STATE_TEXT];
    struct upstream u;

    assert_int_equal(read_text(t->mem, good, "key", &u), RC_OK);
    upstream_put_url(&b, &u, &at, &s, "https://here.cn/cb?a=1&b=2#c");
    assert_non_null(strstr(b.p,
                           "https://id.example.cn/a?x=1&client_id=tjzw&redirect_uri="
                           "https%3A%2F%2Fhere.cn%2Fcb%3Fa%3D1%26b%3D2%23c&response_type=code&"
                           "scope=openid%20phone&state="));
    assert_non_null(strstr(b.p, "&code_challenge_method=S256"));
    upstream_state(&s, state_text);
    assert_non_null(strstr(b.p, state_text));
    assert_true(upstream_is_state(&s, state_text) && !upstream_is_state(&other, state_text));
    assert_false(upstream_is_state(&s, NULL) || upstream_is_state(&s, ""));
}

static void keys_are_asked_for_when_they_are_old_or_one_is_missing(void **state)
{
    static const char set[] =
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\",\"alg\":\"ES256\","
        "\"x\":\"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY\","
        "\"y\":\"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU\"}]}";
    struct library_world *t = *state;
    struct upstream u;
    struct jwk *keys;
    int n;

    assert_int_equal(read_text(t->mem, good, "key", &u), RC_OK);
    assert_false(upstream_book_keys(&u, t->mem, "a", &keys, &n));
    assert_int_equal(upstream_book_learn_keys(&why, &u, "{}", 2), RC_INVALID);
    assert_int_equal(upstream_book_learn_keys(&why, &u, set, strlen(set)), RC_OK);
    assert_true(upstream_book_keys(&u, t->mem, "a", &keys, &n));
    assert_int_equal(n, 1);
    assert_true(upstream_book_keys(&u, t->mem, "b", &keys, &n)); /* it was just fetched */
    clock_set(clock_now() + BOOK_PAUSE);
    assert_true(upstream_book_keys(&u, t->mem, "a", &keys, &n));
    assert_false(upstream_book_keys(&u, t->mem, "b", &keys, &n));
    clock_set(clock_now() + BOOK_LIFE);
    assert_false(upstream_book_keys(&u, t->mem, "a", &keys, &n));
    upstream_book_close();
}

static void a_discovery_document_is_the_issuers_own(void **state)
{
    static const struct {
        const char *text;
        enum rc rc;
    } cases[] = {
        { "{\"issuer\":\"https://id.example.cn\",\"authorization_endpoint\":\"https://"
          "id.example.cn/a\",\"token_endpoint\":\"https://t.cn/t\",\"jwks_uri\":\"https://t.cn/"
          "k\"}",
          RC_OK },
        { "{\"issuer\":\"https://id.example.cn/\",\"authorization_endpoint\":\"https://"
          "id.example.cn/a\",\"token_endpoint\":\"https://t.cn/t\",\"jwks_uri\":\"https://t.cn/"
          "k\"}",
          RC_INVALID },
        { "{\"issuer\":\"https://id.example.cn\",\"authorization_endpoint\":\"http://"
          "id.example.cn/a\",\"token_endpoint\":\"https://t.cn/t\",\"jwks_uri\":\"https://t.cn/"
          "k\"}",
          RC_INVALID },
        { "{\"issuer\":\"https://id.example.cn\",\"authorization_endpoint\":\"https://"
          "id.example.cn/a\",\"token_endpoint\":\"file:///etc/passwd\",\"jwks_uri\":\"https://"
          "t.cn/k\"}",
          RC_INVALID },
        { "{\"issuer\":\"https://id.example.cn\",\"authorization_endpoint\":\"https://"
          "id.example.cn/a\",\"token_endpoint\":\"https://t.cn/t\"}",
          RC_INVALID },
        { "{}", RC_INVALID },
    };
    struct library_world *t = *state;
    struct upstream_endpoints at;
    struct upstream u;
    const char *url;

    assert_int_equal(read_text(t->mem, good, "key", &u), RC_OK);
    assert_false(upstream_book_where(&u, t->mem, &at, &url));
    assert_string_equal(url, "https://id.example.cn/.well-known/openid-configuration");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(upstream_book_learn(&why, &u, object(t->mem, cases[i].text)),
                         cases[i].rc);
    assert_true(upstream_book_where(&u, t->mem, &at, &url));
    assert_string_equal(at.token, "https://t.cn/t");
    clock_set(clock_now() + BOOK_LIFE);
    assert_false(upstream_book_where(&u, t->mem, &at, &url));
    upstream_book_close();
}

static bool is_public(const char *text)
{
    struct sockaddr_in four = { .sin_family = AF_INET };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6 };

    if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
        return reach_is_public((struct sockaddr *)&four);
    assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
    return reach_is_public((struct sockaddr *)&six);
}

static void private_addresses_are_told_from_public_ones(void **state)
{
    static const char *const own[] = {
        "127.0.0.1",       "10.1.2.3",        "172.16.0.1",    "172.31.255.255",
        "192.168.1.1",     "169.254.169.254", "100.64.0.1",    "0.0.0.0",
        "224.0.0.1",       "255.255.255.255", "::1",           "::",
        "fe80::1",         "fd00::1",         "ff02::1",       "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1"
    };
    static const char *const everybodys[] = { "1.1.1.1",  "172.32.0.1",   "100.128.0.1",
                                              "11.0.0.1", "2400:3200::1", "::ffff:1.1.1.1" };

    (void)state;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (is_public(own[i]))
            fail_msg("%s", own[i]);
    for (size_t i = 0; i < sizeof everybodys / sizeof *everybodys; i++)
        if (!is_public(everybodys[i]))
            fail_msg("%s", everybodys[i]);
}

static int set_up(void **state)
{
    library_world_set_up(state);
    assert_int_equal(seal_load(&why, ((struct library_world *)*state)->dir, SEAL_XCHACHA),
                     RC_OK);
    assert_int_equal(slip_open(&why, ((struct library_world *)*state)->dir), RC_OK);
    return 0;
}

static int tear_down(void **state)
{
    slip_close();
    seal_forget();
    return library_world_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_says_who_is_believed_and_how_far),
        cmocka_unit_test(a_mistake_in_a_file_is_named),
        cmocka_unit_test(all_files_are_read_and_a_secret_is_nobody_elses),
        cmocka_unit_test(claims_become_a_word),
        cmocka_unit_test(a_phone_is_believed_that_somebody_verified),
        cmocka_unit_test(wechat_answers_or_says_why_not),
        cmocka_unit_test(a_word_waits_in_a_ticket_that_nobody_else_can_read_or_make),
        cmocka_unit_test(nothing_in_an_address_gets_out_of_its_place),
        cmocka_unit_test(keys_are_asked_for_when_they_are_old_or_one_is_missing),
        cmocka_unit_test(a_discovery_document_is_the_issuers_own),
        cmocka_unit_test(private_addresses_are_told_from_public_ones),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
