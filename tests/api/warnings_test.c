/*
 * warnings_test.c - a warning from the authority's key to the record, the feed and the screens; and every way in which it is not taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "push/campaign.h"
#include "push/push_thread.h"
#include "server/base/clock.h"
#include "server/base/conf.h"
#include "server/library/publish.h"
#include "server/store/db.h"
#include "server/store/writer.h"
#include "tests/lib/fake_sender.h"
#include "tests/lib/people.h"
#include "tests/lib/warning_world.h"
#include "warning/take.h"

enum { PHONES = 12, WAIT_MS = 20000 };

#define POST_TO   "/v1/warnings"
#define SENDER_AT "/v1/warning-senders/" AUTHORITY

static struct fake_sender sender;
static struct conf conf = {
    .warning_site = "", .warning_column = "预警信息", .warning_name = "a.cn", .public_url = ""
};
static atomic_int shown[PHONES];
static char last_title[PHONES][200], last_collapse[PHONES][40];
static struct evp_pkey_st *key;

static enum push_verdict_kind answer(const struct push_message *m, const char *token)
{
    int no = person_of(token);

    snprintf(last_title[no], sizeof last_title[no], "%s", m->title);
    snprintf(last_collapse[no], sizeof last_collapse[no], "%s", m->collapse);
    atomic_fetch_add(&shown[no], 1);
    return PUSH_ACCEPTED;
}

static void start(struct world *t)
{
    struct err e = { 0 };

    if (push_thread_start(&e, URL("%s/" DB_NAME, world_dir(t)), fake_sender_open(&sender)))
        fail_msg("%s", e.text);
}

static int set_up(void **state)
{
    struct campaign_conf settled = { .news_licence = "",
                                     .sender = "",
                                     .two_eyes_from = 1000000 };
    struct err e = { 0 };

    service_world_set_up(state);
    conf.warning_push = (struct conf_list){ .n = 2, .v = { "red", "orange" } };
    assert_int_equal(take_open(&e, &conf), RC_OK);
    assert_int_equal(campaign_open(&e, &settled), RC_OK);
    key = authority_key(world_mem(*state), "ed25519");
    return 0;
}

static int tear_down(void **state)
{
    push_thread_stop();
    return service_world_tear_down(state);
}

/* ---- a sender ---- */

static const char *spec_of(struct world *t, const char *id, const char *pem, const char *more)
{
    struct buf b = BUF_IN(world_mem(t));

    buf_printf(&b,
               "{\"name\":\"示例市气象台\",\"levels\":[\"red\",\"orange\",\"yellow\",\"blue\"],"
               "\"areas\":[\"120000\"],\"from\":\"2026-11-01\",\"until\":\"2027-11-01\"%s,"
               "\"keys\":[{\"id\":\"%s\",\"pem\":",
               more, id);
    jx_quote(&b, pem, strlen(pem));
    buf_adds(&b, "}]}");
    return b.p;
}

static void propose(struct world *t, const char *id, struct evp_pkey_st *k)
{
    const char *spec = spec_of(t, id, authority_pem(world_mem(t), k), "");

    assert_int_equal(tell(t, PUT, SENDER_AT, spec).status, 200);
}

static void confirm(struct world *t)
{
    struct answer a = tell(t, GET, "/v1/warning-senders", NULL);
    const char *hash = text_of(t, &a, "hash");

    assert_int_equal(tell(t, POST, SENDER_AT "/confirm", URL("{\"hash\":\"%s\"}", hash)).status,
                     200);
}

static void let_in(struct world *t)
{
    propose(t, "main", key);
    confirm(t);
}

/* ---- a message ---- */

struct post {
    const char *id;           /* NULL: main */
    struct evp_pkey_st *with; /* NULL: key */
    const char *alg;          /* NULL: ed25519 */
    int64_t time;             /* 0: now */
    const char *text;         /* what is signed instead */
    const char *to, *says;    /* whom it is signed for, and what the field says; NULL: here */
};

static struct answer post_with(struct world *t, const char *text, const struct post *how)
{
    const char *id = URL("%s/%s", AUTHORITY, how->id ? how->id : "main");
    const char *time = URL("%" PRId64, how->time ? how->time : clock_now());
    const char *sign = how->text ? how->text : text, *to = how->to ? how->to : take_name();
    struct buf b = BUF_IN(world_mem(t));

    take_signed(&b, id, to, time, sign, strlen(sign));
    return ask(t, POST, POST_TO,
               &(struct ask){
                   .headers = URL("content-type: application/cap+xml\n"
                                  "authorization: Warning-Signature "
                                  "key=%s,to=%s,time=%s,signature=%s\n",
                                  id, how->says ? how->says : to, time,
                                  authority_sign(world_mem(t), how->with ? how->with : key,
                                                 how->alg ? how->alg : "ed25519", b.p, b.n)),
                   .body = text });
}

static struct answer post(struct world *t, const struct cap_wish *wish)
{
    return post_with(t, cap_text(world_mem(t), wish), &(struct post){ 0 });
}

static const char *name(struct world *t, int n)
{
    return cap_identifier(world_mem(t), AUTHORITY, clock_now(), n);
}

static const char *ref(struct world *t, int n)
{
    return cap_reference(world_mem(t), name(t, n), clock_now());
}

/* ---- the record, the feed, the bytes ---- */

static void a_signed_warning_is_a_record_at_once(void **state)
{
    struct world *t = *state;
    struct cap_wish wish = { .identifier = name(t, 1) };
    const char *text = cap_text(world_mem(t), &wish), *id;
    struct answer a, b;
    char hex[HASH_TEXT];
    uint8_t hash[HASH_BYTES];

    let_in(t);
    a = post_with(t, text, &(struct post){ 0 });
    if (a.status != 201)
        fail_msg("%s", a.body);
    assert_string_equal(text_of(t, &a, "outcome"), "published");
    assert_string_equal(text_of(t, &a, "level"), "red");
    id = text_of(t, &a, "item");
    sha256(text, strlen(text), hash);
    assert_string_equal(text_of(t, &a, "hash"), hex_text(hash, sizeof hash, hex));

    b = get(t, URL("/v1/items/%s", id));
    assert_int_equal(b.status, 200);
    assert_string_equal(text_of(t, &b, "kind"), "warning");
    assert_string_equal(text_of(t, &b, "column"), "预警信息");
    assert_string_equal(text_of(t, &b, "level"), "红色");
    assert_string_equal(text_of(t, &b, "title"), "示例市气象台发布暴雨红色预警");
    assert_string_equal(text_of(t, &b, "instruction"), "请不要外出。");
    assert_string_equal(text_of(t, &b, "sourceHash"), hex);
    assert_string_equal(text_of(t, &b, "identifier"), wish.identifier);
    HAS(b, "\"areas\":[\"120101\"]");

    b = get(t, "/v1/warnings");
    assert_int_equal(b.status, 200);
    HAS(b, id);
    assert_string_equal(HEADER(b, "cache-control"), "public, no-cache");
    assert_int_equal(
        ask(t, GET, "/v1/warnings",
            &(struct ask){ .headers = URL("if-none-match: %s\n", HEADER(b, "etag")) })
            .status,
        304);
    b = get(t, "/v1/warnings?area=120101");
    HAS(b, id);
    b = get(t, "/v1/warnings?area=120101003");
    HAS(b, id);
    b = get(t, "/v1/warnings?area=120000");
    HAS(b, id);
    b = get(t, "/v1/warnings?area=120102");
    HAS_NOT(b, id);
    assert_int_equal(get(t, "/v1/warnings?area=tianjin").status, 400);

    b = get(t, URL("/v1/warnings/%s", wish.identifier));
    assert_int_equal(b.status, 200);
    assert_int_equal(b.len, strlen(text));
    assert_memory_equal(b.body, text, b.len);
    assert_string_equal(HEADER(b, "content-type"), "application/cap+xml");
    assert_non_null(
        strstr(HEADER(b, "warning-signature"), "key=" AUTHORITY "/main,to=a.cn,time="));
    assert_string_equal(HEADER(b, "warning-algorithm"), "ed25519");
    assert_non_null(strstr(HEADER(b, "warning-key"), "MCowBQYDK2VwAyEA"));
    assert_int_equal(get(t, URL("/v1/warnings/%s", name(t, 9))).status, 404);
}

static void the_same_message_is_taken_once(void **state)
{
    struct world *t = *state;
    struct cap_wish wish = { .identifier = name(t, 1) }, other = wish;
    const char *text = cap_text(world_mem(t), &wish);
    struct answer a, b;

    other.headline = "别的话";
    let_in(t);
    a = post_with(t, text, &(struct post){ 0 });
    assert_int_equal(a.status, 201);
    b = post_with(t, text, &(struct post){ .time = clock_now() + 7 });
    assert_int_equal(b.status, 200);
    assert_string_equal(text_of(t, &a, "item"), text_of(t, &b, "item"));
    b = post(t, &other);
    assert_int_equal(b.status, 409);
    HAS(b, "已用过");
    b = get(t, URL("/v1/items/%s/revisions", text_of(t, &a, "item")));
    HAS_NOT(b, "\"revision\":2");
}

static void update_and_cancel_are_revisions_of_one_item(void **state)
{
    struct world *t = *state;
    struct cap_wish first = { .identifier = name(t, 1) },
                    second = { .identifier = name(t, 2),
                               .type = "Update",
                               .severity = "Severe",
                               .headline = "降为橙色预警" },
                    third = { .identifier = name(t, 3), .type = "Cancel", .bare = true };
    struct answer a, b;
    const char *id;

    let_in(t);
    a = post(t, &first);
    id = text_of(t, &a, "item");
    second.references = ref(t, 1);
    b = post(t, &second);
    assert_int_equal(b.status, 201);
    assert_string_equal(text_of(t, &b, "item"), id);
    b = get(t, "/v1/warnings");
    HAS(b, "降为橙色预警");
    HAS_NOT(b, "暴雨红色预警");
    third.references = URL("%s %s", ref(t, 1), ref(t, 2));
    b = post(t, &third);
    if (b.status != 201)
        fail_msg("%s", b.body);
    b = get(t, URL("/v1/items/%s", id));
    assert_string_equal(text_of(t, &b, "title"), "（解除）降为橙色预警");
    assert_string_equal(text_of(t, &b, "msgType"), "Cancel");
    assert_string_equal(text_of(t, &b, "level"), "橙色");
    b = get(t, URL("/v1/items/%s/revisions", id));
    HAS(b, "\"revision\":3");
    b = get(t, URL("/v1/warnings/%s", first.identifier)); /* what was said stays provable */
    assert_int_equal(b.status, 200);

    third.identifier = name(t, 4);
    b = post(t, &third);
    assert_int_equal(b.status, 409);
    HAS(b, "解除");
}

static enum rc expire_job(struct work *w, void *done)
{
    return publish_expire_due(w, 10, done);
}

static void it_ends_by_itself(void **state)
{
    struct world *t = *state;
    struct cap_wish wish = { .identifier = name(t, 1) };
    struct answer a;
    struct work w;
    int done;

    let_in(t);
    a = post(t, &wish);
    clock_skip(3600 * 1000);
    work_init(&w, world_mem(t), NULL, "system", RIGHT_ALL);
    assert_int_equal(writer_call(&w, expire_job, &done), RC_OK);
    assert_int_equal(done, 1);
    assert_int_equal(get(t, URL("/v1/items/%s", text_of(t, &a, "item"))).status, 410);
    a = get(t, "/v1/warnings");
    assert_string_equal(a.body, "{\"warnings\":[]}\n");
}

/* ---- refusals ---- */

static void what_is_not_signed_by_who_may_is_refused(void **state)
{
    struct world *t = *state;
    const char *text = cap_text(world_mem(t), &(struct cap_wish){ 0 });
    static const char *const headers[] = {
        "",
        "authorization: Bearer tjp_live_x\n",
        "authorization: Warning-Signature key=12000041600/main\n",
        "authorization: Warning-Signature "
        "key=12000041600,to=a.cn,time=1795000000,signature=AAAA\n",
        "authorization: Warning-Signature "
        "key=12000041600/main,to=a.cn,time=1795000000,signature=\n",
        "authorization: Warning-Signature "
        "key=12000041600/main,to=a.cn,time=1795000000,signature=A=A\n",
        "authorization: Warning-Signature "
        "key=12000041600/main,to=a.cn,time=now,signature=AAAA\n",
        "authorization: Warning-Signature "
        "key=12000041600/main,to=a.cn,time=1795000000,signature=AAAA,x=1\n",
        "authorization: Warning-Signature "
        "key=12000041601/main,to=a.cn,time=1795000000,signature=AAAA\n",
        "authorization: Warning-Signature "
        "key=12000041600/other,to=a.cn,time=1795000000,signature=AAAA\n",
        "authorization: Warning-Signature "
        "key=12000041600/main,to=a.cn,time=1795000000,signature=AAAA\n",
    };
    struct evp_pkey_st *other = authority_key(world_mem(t), "ed25519");
    struct answer a;

    let_in(t);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        a = ask(
            t, POST, POST_TO,
            &(struct ask){ .headers = URL("content-type: application/cap+xml\n%s", headers[i]),
                           .body = text });
        if (a.status != 401)
            fail_msg("row %zu: %d %s", i, a.status, a.body);
    }
    a = post_with(t, text, &(struct post){ .with = other });
    assert_int_equal(a.status, 401);
    HAS(a, "签名不对");
    a = post_with(t, text, &(struct post){ .text = "<alert/>" });
    assert_int_equal(a.status, 401);
    a = post_with(t, text, &(struct post){ .time = clock_now() - RULE_SKEW - 1 });
    assert_int_equal(a.status, 401);
    HAS(a, "时钟");
    a = post_with(t, text, &(struct post){ .time = clock_now() + RULE_SKEW + 1 });
    assert_int_equal(a.status, 401);
    a = get(t, "/v1/warnings");
    assert_string_equal(a.body, "{\"warnings\":[]}\n");
}

/* Whoever gets hold of it, a server of another city among them, cannot send it on. */
static void what_was_signed_for_another_server_is_refused(void **state)
{
    struct world *t = *state;
    const char *text = cap_text(world_mem(t), &(struct cap_wish){ 0 });
    struct answer a;

    let_in(t);
    HAS(get(t, "/v1/warning-senders"), "{\"name\":\"a.cn\",");
    a = post_with(t, text, &(struct post){ .to = "b.cn" });
    assert_int_equal(a.status, 401);
    HAS(a, "签名是给 b.cn 的，这里是 a.cn");
    a = post_with(t, text, &(struct post){ .to = "b.cn", .says = "a.cn" });
    assert_int_equal(a.status, 401);
    HAS(a, "签名不对");
    assert_int_equal(post_with(t, text, &(struct post){ 0 }).status, 201);
}

static const char *called(const char *name, const char *url)
{
    struct conf c = conf;
    struct err e;

    c.warning_name = name;
    c.public_url = url;
    return take_open(&e, &c) ? NULL : take_name();
}

static void a_server_has_a_name_and_no_two_the_same_by_chance(void **state)
{
    (void)state;
    assert_string_equal(called("tj.example.cn", "https://www.example.cn"), "tj.example.cn");
    assert_string_equal(called("", "https://www.example.cn"), "www.example.cn");
    assert_string_equal(called("", "https://www.example.cn:8443/"), "www.example.cn:8443");
    assert_memory_equal(called("", ""), "server-", 7);
    assert_int_equal(strlen(take_name()), 7 + 16);
    assert_null(called("天津", ""));
    assert_null(called("a,b", ""));
}

static void what_breaks_a_rule_is_refused_with_its_reason(void **state)
{
    struct world *t = *state;
    struct cap_wish update = { .identifier = name(t, 2), .type = "Update" };
    struct answer a;

    let_in(t);
    a = post(t, &(struct cap_wish){ .geocode = "130000" });
    assert_int_equal(a.status, 403);
    HAS(a, "130000");
    a = post(t, &(struct cap_wish){ .identifier = "12000041601_20261118000000_0" });
    assert_int_equal(a.status, 403);
    a = post(t, &(struct cap_wish){ .identifier = "1" });
    assert_int_equal(a.status, 400);
    HAS(a, "#/alert/identifier");
    a = post_with(t, "<alert>", &(struct post){ 0 });
    assert_int_equal(a.status, 400);
    a = post_with(t, "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>",
                  &(struct post){ 0 });
    assert_int_equal(a.status, 400);
    HAS(a, "DOCTYPE");
    update.references = ref(t, 1);
    a = post(t, &update);
    assert_int_equal(a.status, 404);
    HAS(a, "不在这里");
    assert_int_equal(post(t, &(struct cap_wish){ .identifier = name(t, 1) }).status, 201);
    assert_int_equal(post(t, &(struct cap_wish){ .identifier = name(t, 5) }).status, 201);
    update.references = URL("%s %s", ref(t, 1), ref(t, 5));
    a = post(t, &update);
    assert_int_equal(a.status, 409);
    HAS(a, "两次不同的预警");
    update.references = ref(t, 1);
    update.sent = clock_now() - 60;
    a = post(t, &update);
    assert_int_equal(a.status, 409);
    HAS(a, "早于");
    update.sent = 0;
    update.status = "Exercise";
    a = post(t, &update);
    assert_int_equal(a.status, 409);
    HAS(a, "演练");
}

/* ---- who may issue them ---- */

static void a_sender_is_confirmed_by_another_person(void **state)
{
    struct world *t = *state;
    struct person one = person_staff(t, "security", EVERYWHERE),
                  two = person_staff(t, "security", EVERYWHERE),
                  editor = person_staff(t, "editor", EVERYWHERE);
    const char *spec = spec_of(t, "main", authority_pem(world_mem(t), key), ""), *order;
    struct answer a;

    assert_int_equal(person_ask(t, &editor, PUT, SENDER_AT, spec).status, 403);
    a = person_ask(t, &one, PUT, SENDER_AT, spec);
    assert_int_equal(a.status, 200);
    order = URL("{\"hash\":\"%s\"}", text_of(t, &a, "hash"));
    assert_int_equal(person_ask(t, &one, POST, SENDER_AT "/confirm", order).status, 403);
    assert_int_equal(person_ask(t, &editor, POST, SENDER_AT "/confirm", order).status, 403);
    assert_int_equal(
        person_ask(t, &two, POST, SENDER_AT "/confirm", URL("{\"hash\":\"%064d\"}", 0)).status,
        409);
    a = get(t, "/v1/warning-senders");
    assert_string_equal(a.body, "{\"name\":\"a.cn\",\"senders\":[]}\n");
    assert_int_equal(person_ask(t, &two, POST, SENDER_AT "/confirm", order).status, 200);
    assert_int_equal(person_ask(t, &two, POST, SENDER_AT "/confirm", order).status, 409);
    a = get(t, "/v1/warning-senders");
    HAS(a, "BEGIN PUBLIC KEY");
    HAS_NOT(a, "account:");
    assert_int_equal(post(t, &(struct cap_wish){ .identifier = name(t, 1) }).status, 201);

    assert_int_equal(person_ask(t, &one, POST, SENDER_AT "/stop", "{}").status, 400);
    assert_int_equal(
        person_ask(t, &one, POST, SENDER_AT "/stop", "{\"text\":\"密钥遗失\"}").status, 200);
    a = post(t, &(struct cap_wish){ .identifier = name(t, 2) });
    assert_int_equal(a.status, 403);
    HAS(a, "密钥遗失");
}

static void a_registration_that_says_nonsense_is_refused(void **state)
{
    struct world *t = *state;
    const char *pem = authority_pem(world_mem(t), key);
    struct answer a;

    assert_int_equal(
        tell(t, PUT, "/v1/warning-senders/123", spec_of(t, "main", pem, "")).status, 400);
    assert_int_equal(tell(t, PUT, SENDER_AT, spec_of(t, "a b", pem, "")).status, 400);
    a = tell(t, PUT, SENDER_AT, spec_of(t, "main", "x", ""));
    assert_int_equal(a.status, 400);
    HAS(a, "PEM");
    assert_int_equal(tell(t, PUT, SENDER_AT, spec_of(t, "main", pem, ",\"more\":1")).status,
                     400);
    a = tell(t, PUT, SENDER_AT,
             URL("{\"areas\":[\"12\"],\"from\":\"2026-11-01\",\"until\":\"2027-11-01\","
                 "\"keys\":[],\"levels\":[\"red\"],\"name\":\"a\"}"));
    assert_int_equal(a.status, 400);
}

static void a_proposed_key_speaks_into_a_box(void **state)
{
    struct world *t = *state;
    struct answer a;

    propose(t, "main", key);
    a = post(t, &(struct cap_wish){ .identifier = name(t, 1) });
    assert_int_equal(a.status, 201);
    assert_string_equal(text_of(t, &a, "outcome"), "test");
    assert_string_equal(text_of(t, &a, "item"), "");
    a = get(t, "/v1/warnings");
    assert_string_equal(a.body, "{\"warnings\":[]}\n");
    assert_int_equal(get(t, URL("/v1/warnings/%s", name(t, 1))).status, 404);
    a = tell(t, GET, "/v1/staff/warnings", NULL);
    HAS(a, "\"outcome\":\"test\"");
    confirm(t); /* … and the same message counts from then on */
    a = post(t, &(struct cap_wish){ .identifier = name(t, 1) });
    assert_int_equal(a.status, 201);
    assert_string_equal(text_of(t, &a, "outcome"), "published");
}

static void an_exercise_is_shown_to_nobody(void **state)
{
    static const char *const words[] = { "Exercise", "System", "Test", "Draft" };
    struct world *t = *state;
    struct answer a;

    let_in(t);
    for (int i = 0; i < 4; i++) {
        a = post(t, &(struct cap_wish){ .identifier = name(t, i), .status = words[i] });
        assert_int_equal(a.status, 201);
        assert_string_equal(text_of(t, &a, "outcome"), "kept");
        assert_int_equal(get(t, URL("/v1/warnings/%s", name(t, i))).status, 404);
    }
    a = get(t, "/v1/warnings");
    assert_string_equal(a.body, "{\"warnings\":[]}\n");
}

static void other_algorithms_and_certificates_are_believed(void **state)
{
    static const char *const algs[] = { "p256", "rsa", "sm2" };
    struct world *t = *state;
    struct evp_pkey_st *k;
    struct answer a;

    for (int i = 0; i < 3; i++) {
        k = authority_key(world_mem(t), algs[i]);
        propose(t, algs[i], k);
        confirm(t);
        a = post_with(t, cap_text(world_mem(t), &(struct cap_wish){ .identifier = name(t, i) }),
                      &(struct post){ .id = algs[i], .with = k, .alg = algs[i] });
        if (a.status != 201)
            fail_msg("%s: %s", algs[i], a.body);
    }
    k = authority_key(world_mem(t), "p256");
    assert_int_equal(
        tell(t, PUT, SENDER_AT,
             spec_of(t, "old",
                     authority_certificate(world_mem(t), k, clock_now() - 60, clock_now()), ""))
            .status,
        200);
    confirm(t);
    a = post_with(t, cap_text(world_mem(t), &(struct cap_wish){ .identifier = name(t, 4) }),
                  &(struct post){ .id = "old", .with = k, .alg = "p256" });
    assert_int_equal(a.status, 403);
    HAS(a, "证书");
}

/* ---- staff ---- */

static void staff_write_change_and_take_back_no_warning(void **state)
{
    static const char *const verbs[] = { "submit",   "return", "approve", "publish",
                                         "withdraw", "gone",   "restore" };
    struct world *t = *state;
    struct answer a;
    const char *id;

    let_in(t);
    a = tell(t, POST, "/v1/items",
             "{\"site\":\"1200000000\",\"column\":\"通知公告\",\"kind\":\"warning\",\"title\":"
             "\"暴雨\"}");
    assert_int_equal(a.status, 403);
    a = tell_with(t, POST, "/v1/import?publish=1", "content-type: application/x-ndjson\n",
                  "{\"id\":\"w1\",\"source\":\"1200000000\",\"column\":\"通知公告\",\"kind\":"
                  "\"warning\",\"title\":\"暴雨\"}");
    HAS_NOT(a, "created\":1");
    a = post(t, &(struct cap_wish){ .identifier = name(t, 1) });
    id = text_of(t, &a, "item");
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        a = tell(t, POST, URL("/v1/items/%s/%s", id, verbs[i]), "{\"reason\":\"写错了\"}");
        if (a.status != 403 && a.status != 404)
            fail_msg("%s: %d %s", verbs[i], a.status, a.body);
    }
    a = tell(t, POST, URL("/v1/items/%s/withdraw", id), "{\"reason\":\"写错了\"}");
    assert_int_equal(a.status, 403);
    a = tell_with(t, PUT, URL("/v1/items/%s", id), "if-match: \"1\"\n",
                  "{\"title\":\"没有雨\",\"kind\":\"article\"}");
    assert_int_equal(a.status, 403);
    a = tell(t, POST, URL("/v1/items/%s/move", id), "{\"column\":2}");
    assert_int_equal(a.status, 403);
    a = tell(t, POST, "/v1/push/campaigns",
             URL("{\"item\":\"%s\",\"class\":\"service\",\"title\":\"a\",\"text\":\"b\","
                 "\"audience\":{\"area\":\"120101\"}}",
                 id));
    assert_int_equal(a.status, 403);
    assert_int_equal(get(t, URL("/v1/items/%s", id)).status, 200);
}

/* ---- the screens ---- */

static void give_phones(struct world *t)
{
    static struct person citizens[PHONES];

    person_with_phones(t, citizens, PHONES);
    for (int i = 0; i < PHONES; i++) {
        shown[i] = 0;
        last_title[i][0] = '\0';
    }
    sender.room = 4;
    sender.answer = answer;
    sender.on = 1U << TRANSPORT_HUAWEI | 1U << TRANSPORT_XIAOMI;
    sender.holds = false;
}

static int phones_set_up(void **state)
{
    int rc = set_up(state);

    give_phones(*state);
    let_in(*state);
    start(*state);
    return rc;
}

static void until_shown(int times)
{
    for (int ms = 0;; ms += 10) {
        int n = 0;

        for (int i = 0; i < PHONES; i++)
            n += shown[i];
        if (n >= times)
            return;
        assert_in_range(ms, 0, WAIT_MS);
        clock_sleep_ms(10);
    }
}

static int total(void)
{
    int n = 0;

    for (int i = 0; i < PHONES; i++)
        n += shown[i];
    return n;
}

static void a_red_warning_is_on_every_screen_within_a_second(void **state)
{
    struct world *t = *state;
    int64_t began = clock_mono_us();
    struct answer a =
        post(t, &(struct cap_wish){ .identifier = name(t, 1), .geocode = "120000" });

    assert_int_equal(a.status, 201);
    HAS(a, "\"pushed\":true");
    until_shown(1);
    assert_in_range(clock_mono_us() - began, 0,
                    3 * 1000 * 1000); /* a quiet machine takes 200 ms */
    until_shown(PHONES);
    for (int ms = 0;; ms += 10) {
        a = tell(t, GET, "/v1/staff/warnings", NULL);
        if (strstr(a.body, "\"over\":true"))
            break;
        assert_in_range(ms, 0, WAIT_MS);
        clock_sleep_ms(10);
    }
    HAS(a, "\"sending\":{\"accepted\":12,\"devices\":12,\"over\":true,\"waiting\":0}");
    for (int i = 0; i < PHONES; i++) {
        assert_int_equal(shown[i], 1);
        assert_string_equal(last_title[i], "示例市气象台发布暴雨红色预警");
    }
}

static void a_blue_one_is_in_the_feed_alone(void **state)
{
    struct world *t = *state;
    struct answer a =
        post(t, &(struct cap_wish){
                    .identifier = name(t, 1), .geocode = "120000", .severity = "Minor" });

    assert_int_equal(a.status, 201);
    HAS(a, "\"pushed\":false");
    clock_sleep_ms(3 * PUSH_LOOK_MS);
    assert_int_equal(total(), 0);
    a = get(t, "/v1/warnings");
    HAS(a, "蓝色");
}

static void update_and_cancel_take_its_place_on_the_same_screens(void **state)
{
    struct world *t = *state;
    struct cap_wish update = { .identifier = name(t, 2),
                               .type = "Update",
                               .geocode = "120101", /* where nobody said that he lives */
                               .severity = "Minor",
                               .headline = "降为蓝色" },
                    cancel = { .identifier = name(t, 3), .type = "Cancel", .bare = true };
    char collapse[40];

    assert_int_equal(
        post(t, &(struct cap_wish){ .identifier = name(t, 1), .geocode = "120000" }).status,
        201);
    until_shown(PHONES);
    snprintf(collapse, sizeof collapse, "%s", last_collapse[0]);
    update.references = ref(t, 1);
    assert_int_equal(post(t, &update).status, 201);
    until_shown(2 * PHONES);
    cancel.references = ref(t, 2);
    assert_int_equal(post(t, &cancel).status, 201);
    until_shown(3 * PHONES);
    clock_sleep_ms(2 * PUSH_LOOK_MS);
    for (int i = 0; i < PHONES; i++) {
        assert_int_equal(shown[i], 3);
        assert_string_equal(last_title[i], "（解除）降为蓝色");
        assert_string_equal(last_collapse[i], collapse);
    }
}

/* What was held when the truth changed never leaves. */
static void what_was_not_sent_when_it_was_cancelled_never_is(void **state)
{
    struct world *t = *state;
    struct cap_wish cancel = { .identifier = name(t, 2), .type = "Cancel", .bare = true };

    sender.on = 0; /* nobody can send yet */
    push_thread_stop();
    assert_int_equal(
        post(t, &(struct cap_wish){ .identifier = name(t, 1), .geocode = "120000" }).status,
        201);
    cancel.references = ref(t, 1);
    assert_int_equal(post(t, &cancel).status, 201);
    sender.on = 1U << TRANSPORT_HUAWEI | 1U << TRANSPORT_XIAOMI;
    start(t);
    clock_sleep_ms(5 * PUSH_LOOK_MS);
    assert_int_equal(total(), 0);
}

static void an_exercise_and_a_test_leave_nothing(void **state)
{
    struct world *t = *state;
    struct evp_pkey_st *k = authority_key(world_mem(t), "ed25519");

    assert_int_equal(post(t, &(struct cap_wish){ .identifier = name(t, 1),
                                                 .geocode = "120000",
                                                 .status = "Exercise" })
                         .status,
                     201);
    propose(t, "next", k);
    assert_int_equal(
        post_with(t,
                  cap_text(world_mem(t),
                           &(struct cap_wish){ .identifier = name(t, 2), .geocode = "120000" }),
                  &(struct post){ .id = "next", .with = k })
            .status,
        201);
    clock_sleep_ms(3 * PUSH_LOOK_MS);
    assert_int_equal(total(), 0);
}

int main(void)
{
#define CASE(f)   cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define SCREEN(f) cmocka_unit_test_setup_teardown(f, phones_set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_signed_warning_is_a_record_at_once),
        CASE(the_same_message_is_taken_once),
        CASE(update_and_cancel_are_revisions_of_one_item),
        CASE(it_ends_by_itself),
        CASE(what_is_not_signed_by_who_may_is_refused),
        CASE(what_was_signed_for_another_server_is_refused),
        CASE(a_server_has_a_name_and_no_two_the_same_by_chance),
        CASE(what_breaks_a_rule_is_refused_with_its_reason),
        CASE(a_sender_is_confirmed_by_another_person),
        CASE(a_registration_that_says_nonsense_is_refused),
        CASE(a_proposed_key_speaks_into_a_box),
        CASE(an_exercise_is_shown_to_nobody),
        CASE(other_algorithms_and_certificates_are_believed),
        CASE(staff_write_change_and_take_back_no_warning),
        SCREEN(a_red_warning_is_on_every_screen_within_a_second),
        SCREEN(a_blue_one_is_in_the_feed_alone),
        SCREEN(update_and_cancel_take_its_place_on_the_same_screens),
        SCREEN(what_was_not_sent_when_it_was_cancelled_never_is),
        SCREEN(an_exercise_and_a_test_leave_nothing),
    };

    return cmocka_run_group_tests_name("warnings", tests, NULL, NULL);
}
