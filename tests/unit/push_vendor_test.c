/* push_vendor_test.c - what vendors are asked, byte by byte where it matters. What becomes of devices by what they answer: push_answer_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "push/vendor_keys.h"
#include "push/vendor_part.h"
#include "server/base/fs.h"
#include "server/base/id.h"
#include "server/identity/jwt.h"

enum { NOW = 1790000000, TOKENS = 3 };

struct world {
    struct conf conf;
    struct vendor_site site;
    struct vendor_keys *keys;
    struct arena *mem;
    char dir[64];
};

static const char *const tokens[TOKENS] = { "aaaaaaaaaaaaaaaa1", "bbbbbbbbbbbbbbbb2",
                                            "cccccccccccccccc3" };
static const char *const hex_token[] = {
    "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0"
};

static const char p8[] = "-----BEGIN PRIVATE KEY-----\n"
                         "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2\n"
                         "OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r\n"
                         "1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G\n"
                         "-----END PRIVATE KEY-----\n";

static void set(struct world *t, const char *key, const char *value)
{
    struct err e;

    assert_int_equal(conf_set(&e, &t->conf, key, value), RC_OK);
}

static void write_account(struct world *t)
{
    char pem[4096], line[8192] = "", path[128];
    size_t n;
    FILE *made =
        popen("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 2>/dev/null", "r");
    FILE *out;

    assert_non_null(made);
    n = fread(pem, 1, sizeof pem - 1, made);
    pclose(made);
    pem[n] = '\0';
    for (char *p = pem, *to = line; *p; p++)
        to += sprintf(to, *p == '\n' ? "\\n" : "%c", *p);
    snprintf(path, sizeof path, "%s/account.json", t->dir);
    out = fopen(path, "w");
    fprintf(out,
            "{\"project_id\":\"4711\",\"key_id\":\"kid-1\",\"sub_account\":\"99\",\"private_"
            "key\":\"%s\"}",
            line);
    fclose(out);
}

static int up(void **state)
{
    struct world *t = calloc(1, sizeof *t);
    struct err e;
    char path[128];

    strcpy(t->dir, "/tmp/tjzw-vendor-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    snprintf(path, sizeof path, "%s/keys", t->dir);
    assert_int_equal(fs_mkdirs(&e, path, 0700), RC_OK);
    snprintf(path, sizeof path, "%s/apns.p8", t->dir);
    assert_int_equal(fs_write(&e, path, p8, sizeof p8 - 1, 0600), RC_OK);
    write_account(t);
    assert_int_equal(conf_load(&e, NULL, NULL, &t->conf), RC_OK);
    set(t, "push_huawei_project", "4711");
    set(t, "push_huawei_client", "client");
    set(t, "push_huawei_client_secret", "s&cret");
    set(t, "push_huawei_account", "account.json");
    set(t, "push_xiaomi_package", "cn.gov.tj.app");
    set(t, "push_xiaomi_secret", "xs");
    set(t, "push_xiaomi_channel_marketing", "118");
    set(t, "push_apns_key", "apns.p8");
    set(t, "push_apns_key_id", "KEY1234567");
    set(t, "push_apns_team", "TEAM123456");
    set(t, "push_apns_topic", "cn.gov.tj.app");
    set(t, "push_honor_app", "104");
    set(t, "push_honor_client", "hc");
    set(t, "push_honor_client_secret", "hs");
    set(t, "push_oppo_key", "ok");
    set(t, "push_oppo_secret", "os");
    set(t, "push_oppo_channel", "private");
    set(t, "push_vivo_app", "10004");
    set(t, "push_vivo_key", "25509283-3767-4b9e-83fe-b6e55ac6243e");
    set(t, "push_vivo_secret", "vs");
    set(t, "push_wechat_app", "wx1");
    set(t, "push_wechat_app_secret", "ws");
    set(t, "push_wechat_template", "T1");
    set(t, "push_webpush", "true");
    set(t, "push_webpush_contact", "mailto:push@example.cn");
    if (vendor_keys_open(&e, &t->conf, t->dir, &t->keys))
        fail_msg("%s", e.text);
    t->site = (struct vendor_site){ .conf = &t->conf, .keys = t->keys };
    t->mem = arena_new();
    *state = t;
    return 0;
}

static int down(void **state)
{
    struct world *t = *state;
    char command[128];

    vendor_keys_close(t->keys);
    conf_done(&t->conf);
    arena_free(t->mem);
    snprintf(command, sizeof command, "rm -r '%s'", t->dir);
    assert_int_equal(system(command), 0);
    free(t);
    return 0;
}

static struct push_message hello(void)
{
    return (struct push_message){ .title = "市民\"通知\"",
                                  .text = "今晚暴雨\n请带伞",
                                  .link = "https://www.example.cn/x?a=1&b=2",
                                  .picture = "",
                                  .sender = "津政通",
                                  .collapse = "c-17",
                                  .ttl = 3600,
                                  .number = 17,
                                  .class = PUSH_MARKETING,
                                  .badge = -1 };
}

static struct vendor_request built(struct world *t, enum transport by,
                                   const struct push_message *m, const char *const *to, int n)
{
    struct vendor_request rq = { 0 };

    assert_int_equal(vendor_of(by)->build(&t->site, t->mem, "GRANT", m, to, n, NOW, &rq),
                     RC_OK);
    return rq;
}

static bool has_header(const struct vendor_request *rq, const char *line)
{
    for (const char *const *h = rq->headers; *h; h++)
        if (!strcmp(*h, line))
            return true;
    return false;
}

/* ---- requests ---- */

static json_t *body_of(struct world *t, const struct vendor_request *rq)
{
    struct err e;
    json_t *o = NULL;

    if (jx_object(&e, t->mem, rq->body, rq->body_n, &o))
        fail_msg("%s in %s", e.text, rq->body);
    return o;
}

static const json_t *at(const json_t *o, const char *path)
{
    char *all = strdup(path), *rest = all, *one;

    while ((one = strsep(&rest, "/")))
        o = json_object_get(o, one);
    free(all);
    return o;
}

static void huawei_has_a_request_of_each_kind(void **state)
{
    struct world *t = *state;
    struct push_message m = hello();
    struct vendor_request rq = built(t, TRANSPORT_HUAWEI, &m, tokens, TOKENS);
    const json_t *o = body_of(t, &rq);

    assert_string_equal(rq.url, "https://push-api.cloud.huawei.com/v2/4711/messages:send");
    assert_true(has_header(&rq, "authorization: Bearer GRANT"));
    assert_string_equal(json_string_value(at(o, "message/android/notification/title")),
                        m.title);
    assert_string_equal(json_string_value(at(o, "message/android/category")), "MARKETING");
    assert_string_equal(json_string_value(at(o, "message/android/ttl")), "3600s");
    assert_int_equal(json_array_size(at(o, "message/token")), 3);
    assert_true(json_integer_value(at(o, "message/android/notification/notify_id")) > 0);
    rq = built(t, TRANSPORT_HUAWEI_NEXT, &m, tokens, TOKENS);
    o = body_of(t, &rq);
    assert_string_equal(rq.url, "https://push-api.cloud.huawei.com/v3/4711/messages:send");
    assert_true(has_header(&rq, "push-type: 0"));
    assert_string_equal(json_string_value(at(o, "payload/notification/body")), m.text);
    assert_int_equal(json_array_size(at(o, "target/token")), 3);
    assert_int_equal(json_integer_value(at(o, "pushOptions/ttl")), 3600);
}

static void a_thousand_go_with_one_request(void **state)
{
    static const char *many[1500];
    static const enum transport by[] = { TRANSPORT_HONOR,       TRANSPORT_HUAWEI,
                                         TRANSPORT_HUAWEI_NEXT, TRANSPORT_XIAOMI,
                                         TRANSPORT_OPPO,        TRANSPORT_VIVO };
    struct push_message m = hello();

    m.ticket = "5000";
    for (int i = 0; i < 1500; i++)
        many[i] = tokens[i % TOKENS];
    for (size_t i = 0; i < sizeof by / sizeof *by; i++)
        assert_int_equal(built(*state, by[i], &m, many, 1500).n, 1000);
    assert_int_equal(built(*state, TRANSPORT_APNS, &m, hex_token, 1).n, 1);
}

static void xiaomi_has_a_form(void **state)
{
    struct push_message m = hello();
    struct vendor_request rq = built(*state, TRANSPORT_XIAOMI, &m, tokens, 2);

    assert_string_equal(rq.url, "https://api.xmpush.xiaomi.com/v3/message/regid");
    assert_true(has_header(&rq, "authorization: key=xs"));
    assert_non_null(strstr(rq.body, "&title=%E5%B8%82%E6%B0%91%22"));
    assert_non_null(strstr(rq.body, "&time_to_live=3600000&extra.channel_id=118&"));
    assert_non_null(
        strstr(rq.body, "&extra.web_uri=https%3A%2F%2Fwww.example.cn%2Fx%3Fa%3D1%26b%3D2&"));
    assert_non_null(strstr(rq.body, "&registration_id=aaaaaaaaaaaaaaaa1%2Cbbbbbbbbbbbbbbbb2"));
}

/* The value of one field of a form, decoded. */
static char *field(struct world *t, const struct vendor_request *rq, const char *name)
{
    char *all = arena_strdup(t->mem, rq->body), *one, *to;

    while ((one = strsep(&all, "&"))) {
        if (strncmp(one, name, strlen(name)) || one[strlen(name)] != '=')
            continue;
        one = to = one + strlen(name) + 1;
        for (char *p = one; *p; p++) {
            char hex[3] = { p[0] == '%' ? p[1] : '\0', p[0] == '%' ? p[2] : '\0', '\0' };

            *to++ = *hex ? (char)strtol(hex, NULL, 16) : *p;
            p += *hex ? 2 : 0;
        }
        *to = '\0';
        return one;
    }
    fail_msg("there is no %s in %s", name, rq->body);
    return NULL;
}

static const json_t *messages_of(struct world *t, const struct vendor_request *rq)
{
    const char *text = arena_printf(t->mem, "{\"m\":%s}", field(t, rq, "messages"));
    json_t *o = NULL;
    struct err e;

    assert_int_equal(jx_object(&e, t->mem, text, strlen(text), &o), RC_OK);
    return json_object_get(o, "m");
}

static const char *app_message_id(struct world *t, const struct push_message *m)
{
    struct vendor_request rq = built(t, TRANSPORT_OPPO, m, tokens, 1);

    return json_string_value(
        at(json_array_get(messages_of(t, &rq), 0), "notification/app_message_id"));
}

static void oppo_has_a_message_for_each(void **state)
{
    struct world *t = *state;
    struct push_message m = hello();
    struct vendor_request rq = built(t, TRANSPORT_OPPO, &m, tokens, TOKENS);
    const json_t *list = messages_of(t, &rq), *one = json_array_get(list, 2);
    const char *id = app_message_id(t, &m);

    assert_string_equal(
        rq.url, "https://api.push.oppomobile.com/server/v1/message/notification/unicast_batch");
    assert_string_equal(field(t, &rq, "auth_token"), "GRANT");
    assert_int_equal(json_array_size(list), 3);
    assert_string_equal(json_string_value(at(one, "target_value")), tokens[2]);
    assert_string_equal(json_string_value(at(one, "notification/title")), m.title);
    assert_string_equal(json_string_value(at(one, "notification/category")), "MARKETING");
    assert_null(at(one, "notification/channel_id"));
    assert_true(json_integer_value(at(one, "notification/notify_id")) > 0);
    assert_int_equal(strlen(id), 32);
    assert_string_equal(app_message_id(t, &m), id);
    m.takes_back = true;
    assert_string_not_equal(app_message_id(t, &m), id);
    m = hello();
    m.number = -m.number; /* a test send of the same */
    assert_string_not_equal(app_message_id(t, &m), id);
    m.class = PUSH_SERVICE;
    rq = built(t, TRANSPORT_OPPO, &m, tokens, 1);
    one = json_array_get(messages_of(t, &rq), 0);
    assert_string_equal(json_string_value(at(one, "notification/channel_id")), "private");
}

static void vivo_has_a_message_and_then_a_list(void **state)
{
    struct world *t = *state;
    struct push_message m = hello();
    struct vendor_request rq = { 0 };
    const json_t *o;

    assert_int_equal(vendor_vivo.ask_ticket(&t->site, t->mem, "GRANT", &m, NOW, &rq), RC_OK);
    o = body_of(t, &rq);
    assert_string_equal(rq.url, "https://api-push.vivo.com.cn/message/saveListPayload");
    assert_true(has_header(&rq, "authtoken: GRANT"));
    assert_string_equal(json_string_value(at(o, "content")), m.text);
    assert_int_equal(json_integer_value(at(o, "classification")), 0);
    assert_int_equal(json_integer_value(at(o, "appId")), 10004);
    m.ticket = "5000";
    rq = built(t, TRANSPORT_VIVO, &m, tokens, TOKENS);
    o = body_of(t, &rq);
    assert_string_equal(rq.url, "https://api-push.vivo.com.cn/message/pushToList");
    assert_string_equal(json_string_value(at(o, "taskId")), "5000");
    assert_int_equal(json_array_size(at(o, "regIds")), 3);
    assert_null(at(o, "content"));
    assert_int_equal(strlen(json_string_value(at(o, "requestId"))), 64);
    rq = built(t, TRANSPORT_VIVO, &m, tokens, 1); /* a list is of two at least */
    o = body_of(t, &rq);
    assert_string_equal(rq.url, "https://api-push.vivo.com.cn/message/send");
    assert_string_equal(json_string_value(at(o, "regId")), tokens[0]);
    assert_string_equal(json_string_value(at(o, "content")), m.text);
}

static void a_ticket_that_nobody_got_leaves_nobody_in_doubt(void **state)
{
    static const struct {
        enum vendor_fate fate;
        int status;
        const char *body, *ticket;
        enum push_verdict_kind kind;
        bool grant;
    } answers[] = {
        { VENDOR_ANSWERED, 200, "{\"result\":0,\"taskId\":\"5000\"}", "5000", PUSH_ACCEPTED,
          false },
        { VENDOR_ANSWERED, 200, "{\"result\":0,\"taskId\":\"50\\n00\"}", NULL, PUSH_AGAIN,
          false },
        { VENDOR_ANSWERED, 200, "{\"result\":0}", NULL, PUSH_AGAIN, false },
        { VENDOR_ANSWERED, 200, "nonsense", NULL, PUSH_AGAIN, false },
        { VENDOR_ANSWERED, 200, "{\"result\":10000}", NULL, PUSH_AGAIN, true },
        { VENDOR_ANSWERED, 200, "{\"result\":10252}", NULL, PUSH_QUOTA, false },
        { VENDOR_ANSWERED, 200, "{\"result\":10055}", NULL, PUSH_REJECTED, false },
        { VENDOR_ANSWERED, 502, "", NULL, PUSH_AGAIN, false },
        { VENDOR_DOUBT, 0, "", NULL, PUSH_AGAIN, false },
        { VENDOR_UNSENT, 0, "", NULL, PUSH_AGAIN, false },
    };
    struct world *t = *state;

    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct vendor_answer a = { .fate = answers[i].fate,
                                   .status = answers[i].status,
                                   .headers = "",
                                   .body = answers[i].body,
                                   .body_n = strlen(answers[i].body),
                                   .now = NOW };
        struct vendor_heard heard;
        struct push_verdict all;
        const char *ticket = vendor_take_ticket(&vendor_vivo, t->mem, &a, &all, &heard);

        if (!ticket != !answers[i].ticket || (ticket && strcmp(ticket, answers[i].ticket)) ||
            (!ticket && all.kind != answers[i].kind) || heard.grant_refused != answers[i].grant)
            fail_msg("%d %s: %s %d", a.status, a.body, ticket ? ticket : "none", all.kind);
    }
}

static void apple_has_a_device_in_the_path(void **state)
{
    static const char *const bad[] = { "../../evil", "00fc13adff785122/x", "", "zz" };
    struct world *t = *state;
    struct push_message m = hello();
    struct vendor_request rq = built(t, TRANSPORT_APNS, &m, hex_token, 1);
    char *text = arena_zalloc(t->mem, 5000);

    assert_string_equal(strrchr(rq.url, '/') + 1, hex_token[0]);
    assert_true(has_header(&rq, "authorization: bearer GRANT"));
    assert_true(has_header(&rq, "apns-push-type: alert"));
    assert_true(has_header(&rq, "apns-expiration: 1790003600"));
    assert_true(has_header(&rq, "apns-collapse-id: c-17"));
    assert_string_equal(json_string_value(at(body_of(t, &rq), "aps/alert/body")), m.text);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(vendor_apns.build(&t->site, t->mem, "G", &m, &bad[i], 1, NOW, &rq),
                         RC_INVALID);
    memset(text, 'x', 4096);
    m.text = text;
    assert_int_equal(vendor_apns.build(&t->site, t->mem, "G", &m, hex_token, 1, NOW, &rq),
                     RC_INVALID);
}

static void honor_and_wechat_have_theirs(void **state)
{
    struct world *t = *state;
    struct push_message m = hello();
    struct vendor_request rq = built(t, TRANSPORT_HONOR, &m, tokens, TOKENS);
    const json_t *o = body_of(t, &rq);

    assert_string_equal(rq.url, "https://push-api.cloud.hihonor.com/api/v1/104/sendMessage");
    assert_string_equal(json_string_value(at(o, "android/notification/title")), m.title);
    assert_int_equal(json_array_size(at(o, "token")), 3);
    assert_true(has_header(&rq, "timestamp: 1790000000000"));
    rq = built(t, TRANSPORT_WECHAT, &m, tokens, TOKENS);
    o = body_of(t, &rq);
    assert_int_equal(rq.n, 1);
    assert_string_equal(json_string_value(at(o, "touser")), tokens[0]);
    assert_string_equal(json_string_value(at(o, "data/thing2/value")), m.text);
    assert_null(at(o, "data/thing3"));
}

/* Templates number their fields as they were put together; a third is the sender's. */
static void wechat_fills_the_fields_of_its_template(void **state)
{
    struct world *t = *state;
    const struct conf_list was = t->conf.push_wechat_fields;
    struct push_message m = hello();
    struct vendor_request rq;
    const json_t *o;

    t->conf.push_wechat_fields = (struct conf_list){ 3, { "thing4", "thing11", "thing2" } };
    assert_true(vendor_is_on(TRANSPORT_WECHAT, &t->site));
    rq = built(t, TRANSPORT_WECHAT, &m, tokens, TOKENS);
    o = body_of(t, &rq);
    assert_string_equal(json_string_value(at(o, "data/thing4/value")), m.title);
    assert_string_equal(json_string_value(at(o, "data/thing11/value")), m.text);
    assert_string_equal(json_string_value(at(o, "data/thing2/value")), m.sender);
    assert_null(at(o, "data/thing1"));
    t->conf.push_wechat_fields = (struct conf_list){ 2, { "thing1", "phrase2" } };
    assert_false(vendor_is_on(TRANSPORT_WECHAT, &t->site));
    assert_non_null(
        strstr(vendor_lacks(vendor_of(TRANSPORT_WECHAT), &t->site), "push_wechat_fields"));
    t->conf.push_wechat_fields = (struct conf_list){ 1, { "thing1" } };
    assert_false(vendor_is_on(TRANSPORT_WECHAT, &t->site));
    t->conf.push_wechat_fields = was;
    assert_true(vendor_is_on(TRANSPORT_WECHAT, &t->site));
}

/* ---- receipts ---- */

static const char *text_of(struct world *t, const struct vendor_request *rq, const char *name)
{
    return json_string_value(at(body_of(t, rq), name));
}

/* Huawei and Honor have the address in their consoles; the others are asked with each message, if there is one. */
static void a_message_bears_the_mark_of_its_receipts(void **state)
{
    struct world *t = *state;
    struct push_message m = hello();
    struct vendor_request rq;
    const json_t *o;

    m.mark = "17.mark";
    rq = built(t, TRANSPORT_HUAWEI, &m, tokens, 1);
    assert_string_equal(text_of(t, &rq, "message/android/bi_tag"), m.mark);
    rq = built(t, TRANSPORT_HUAWEI_NEXT, &m, tokens, 1);
    assert_string_equal(text_of(t, &rq, "pushOptions/biTag"), m.mark);
    rq = built(t, TRANSPORT_HONOR, &m, tokens, 1);
    assert_string_equal(text_of(t, &rq, "android/biTag"), m.mark);
    rq = built(t, TRANSPORT_XIAOMI, &m, tokens, 1);
    assert_null(strstr(rq.body, "callback"));
    set(t, "push_receipts_at", "https://app.example.cn/v1/push/receipts");
    rq = built(t, TRANSPORT_XIAOMI, &m, tokens, 1);
    assert_string_equal(field(t, &rq, "extra.callback"),
                        "https://app.example.cn/v1/push/receipts/xiaomi");
    assert_string_equal(field(t, &rq, "extra.callback.param"), m.mark);
    rq = built(t, TRANSPORT_OPPO, &m, tokens, 1);
    o = at(json_array_get(messages_of(t, &rq), 0), "notification");
    assert_string_equal(json_string_value(at(o, "call_back_url")),
                        "https://app.example.cn/v1/push/receipts/oppo");
    assert_string_equal(json_string_value(at(o, "call_back_parameter")), m.mark);
    rq = built(t, TRANSPORT_VIVO, &m, tokens, 1);
    assert_string_equal(text_of(t, &rq, "extra/callback.param"), m.mark);
    m.mark = "";
    rq = built(t, TRANSPORT_VIVO, &m, tokens, 1);
    assert_null(at(body_of(t, &rq), "extra"));
    set(t, "push_receipts_at", "");
}

/* ---- taking back ---- */

static struct vendor_request taken_back(struct world *t, enum transport by,
                                        const struct push_message *m, const char *const *to)
{
    struct vendor_request rq = { 0 };

    assert_int_equal(vendor_build(vendor_of(by), &t->site, t->mem, "GRANT", m, to, 1, NOW, &rq),
                     RC_OK);
    return rq;
}

static void what_was_sent_is_taken_back_where_the_vendor_can(void **state)
{
    struct world *t = *state;
    struct push_message m = hello();
    struct vendor_request rq = built(t, TRANSPORT_HUAWEI_NEXT, &m, tokens, 1);
    json_int_t id = json_integer_value(at(body_of(t, &rq), "payload/notification/notifyId"));
    const json_t *o;

    m.takes_back = true;
    assert_int_equal(vendor_recalls(TRANSPORT_HUAWEI_NEXT, &t->site), VENDOR_RECALL_REVOKE);
    rq = taken_back(t, TRANSPORT_HUAWEI_NEXT, &m, tokens);
    o = body_of(t, &rq);
    assert_string_equal(rq.url, "https://push-api.cloud.huawei.com/v1/client/messages:revoke");
    assert_true(has_header(&rq, "push-type: 0"));
    assert_int_equal(json_integer_value(at(o, "notifyId")), id);
    assert_int_equal(json_array_size(at(o, "token")), 1);
    assert_null(strstr(rq.body, m.title));
    set(t, "push_huawei_client", "");
    assert_int_equal(vendor_recalls(TRANSPORT_HUAWEI_NEXT, &t->site), VENDOR_RECALL_OVERWRITE);
    rq = taken_back(t, TRANSPORT_HUAWEI_NEXT, &m, tokens);
    o = at(body_of(t, &rq), "payload/notification");
    assert_string_equal(json_string_value(at(o, "title")), m.title);
    assert_int_equal(json_integer_value(at(o, "notifyId")), id);
    set(t, "push_huawei_client", "client");
}

/* Everybody else says of himself what he can; WeChat nothing. */
static void every_vendor_says_how_it_takes_back(void **state)
{
    struct world *t = *state;
    struct push_message m = hello();

    m.takes_back = true;
    for (int by = 1; by < TRANSPORT_COUNT; by++) {
        const struct vendor *v = vendor_of((enum transport)by);
        const char *token = by == TRANSPORT_APNS ? hex_token[0] : tokens[0];
        struct vendor_request rq = { 0 };

        if (!v || by == TRANSPORT_WEBPUSH)
            continue;
        assert_int_equal(vendor_build(v, &t->site, t->mem, "GRANT", &m, &token, 1, NOW, &rq),
                         v->recalls == VENDOR_RECALL_NONE ? RC_INVALID : RC_OK);
        assert_true(v->recalls != VENDOR_RECALL_REVOKE || v->revoke);
    }
    assert_int_equal(vendor_recalls(TRANSPORT_WECHAT, &t->site), VENDOR_RECALL_NONE);
    assert_int_equal(vendor_recalls(TRANSPORT_XIAOMI, &t->site), VENDOR_RECALL_OVERWRITE);
    assert_int_equal(vendor_recalls(TRANSPORT_NONE, &t->site), VENDOR_RECALL_NONE);
}

/* ---- statements ---- */

static void apple_believes_our_statement(void **state)
{
    struct world *t = *state;
    struct vendor_grant g;
    struct jws w;
    struct err e;

    assert_true(vendor_apns.sign_grant(&t->site, t->mem, NOW, &g));
    assert_int_equal(jws_read(&e, t->mem, g.text, strlen(g.text), &w), RC_OK);
    assert_int_equal(w.alg, JWS_ES256);
    assert_string_equal(w.kid, "KEY1234567");
    assert_string_equal(jx_text(w.claims, "iss"), "TEAM123456");
    assert_int_equal(jx_int(w.claims, "iat", 0), NOW);
    assert_true(g.until - NOW < 3600 && g.renew - NOW >= 1200 && g.renew < g.until);
}

static void huawei_gets_one_in_ps256(void **state)
{
    struct world *t = *state;
    struct vendor_grant g;
    char head[256];
    const char *dot;
    int n;

    assert_true(vendor_huawei_next.sign_grant(&t->site, t->mem, NOW, &g));
    dot = strchr(g.text, '.');
    n = b64url_parse(g.text, (size_t)(dot - g.text), head, sizeof head - 1);
    assert_true(n > 0);
    head[n] = '\0';
    assert_string_equal(head, "{\"alg\":\"PS256\",\"kid\":\"kid-1\",\"typ\":\"JWT\"}");
    assert_int_equal(strlen(strrchr(g.text, '.') + 1), 342); /* 2,048 bits */
}

static void huaweis_token_is_asked_for(void **state)
{
    struct world *t = *state;
    struct vendor_request rq;
    struct vendor_grant g;
    struct vendor_answer a = { .status = 200, .headers = "", .now = NOW };
    static const char *const bad[] = { "",
                                       "{}",
                                       "[]",
                                       "{\"access_token\":\"x\"}",
                                       "{\"access_token\":\"\",\"expires_in\":3600}",
                                       "{\"access_token\":\"a\\nb: c\",\"expires_in\":3600}",
                                       "{\"access_token\":5,\"expires_in\":3600}" };

    vendor_huawei.ask_grant(&t->site, t->mem, NOW, &rq);
    assert_string_equal(rq.url, "https://oauth-login.cloud.huawei.com/oauth2/v3/token");
    assert_string_equal(
        rq.body, "grant_type=client_credentials&client_id=client&client_secret=s%26cret");
    a.body = "{\"access_token\":\"tok\",\"expires_in\":3600,\"token_type\":\"Bearer\"}";
    a.body_n = strlen(a.body);
    assert_true(vendor_huawei.take_grant(&t->site, t->mem, &a, &g));
    assert_string_equal(g.text, "tok");
    assert_int_equal(g.until, NOW + 3570);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        a.body = bad[i];
        a.body_n = strlen(bad[i]);
        assert_false(vendor_huawei.take_grant(&t->site, t->mem, &a, &g));
    }
}

/* By sha256sum and md5sum. */
static void oppo_and_vivo_believe_our_signs(void **state)
{
    static const char oppo[] =
        "{\"code\":0,\"data\":{\"auth_token\":\"tok\",\"create_time\":1790000000000}}",
                      vivo[] = "{\"result\":0,\"desc\":\"\",\"authToken\":\"tok\"}",
                      no[] = "{\"code\":16,\"result\":10001,\"authToken\":\"x\"}";
    struct world *t = *state;
    struct vendor_answer a = { .status = 200, .headers = "", .now = NOW };
    struct vendor_request rq;
    struct vendor_grant g;

    vendor_oppo.ask_grant(&t->site, t->mem, NOW, &rq);
    assert_string_equal(rq.url, "https://api.push.oppomobile.com/server/v1/auth");
    assert_string_equal(field(t, &rq, "timestamp"), "1790000000000");
    assert_string_equal(field(t, &rq, "sign"),
                        "fc67da6ef788df15398bf05d92528f340ed64bd98605ca43912a0fd8d9b211b0");
    vendor_vivo.ask_grant(&t->site, t->mem, NOW, &rq);
    assert_string_equal(rq.url, "https://api-push.vivo.com.cn/message/auth");
    assert_string_equal(text_of(t, &rq, "sign"), "159da06e8cd3cfcb31157e7b4f14f306");
    a.body = oppo, a.body_n = strlen(oppo);
    assert_true(vendor_oppo.take_grant(&t->site, t->mem, &a, &g));
    assert_true(g.until > NOW + 80000 && g.until < NOW + 86400);
    assert_false(vendor_vivo.take_grant(&t->site, t->mem, &a, &g));
    a.body = vivo, a.body_n = strlen(vivo);
    assert_true(vendor_vivo.take_grant(&t->site, t->mem, &a, &g));
    assert_true(g.renew > NOW + 3600 && g.until <= NOW + 7200);
    a.body = no, a.body_n = strlen(no);
    assert_false(vendor_vivo.take_grant(&t->site, t->mem, &a, &g));
    assert_false(vendor_oppo.take_grant(&t->site, t->mem, &a, &g));
}

/* ---- Web Push ---- */

static const char ua_point[] =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
                  ua_auth[] = "BTBZMqHH6r4Tts7J_aSIgg";

static void the_body_is_that_of_rfc_8291(void **state)
{
    static const char text[] = "When I grow up, I want to be a watermelon";
    static const char body[] =
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
        "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
        "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
    struct world *t = *state;
    struct crypt_browser to;
    uint8_t secret[32];
    struct crypt_fixed fixed = { .secret = secret };
    struct buf out = BUF_IN(t->mem);
    char ours[256];

    assert_int_equal(b64url_parse(ua_point, strlen(ua_point), to.point, sizeof to.point), 65);
    assert_int_equal(b64url_parse(ua_auth, strlen(ua_auth), to.auth, sizeof to.auth), 16);
    assert_int_equal(
        b64url_parse("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw", 43, secret, 32), 32);
    assert_int_equal(b64url_parse("DGv6ra1nlYgDCS1FRnbzlw", 22, fixed.salt, 16), 16);
    assert_true(crypt_webpush(&to, text, strlen(text), &fixed, &out));
    assert_int_equal(out.n, 144);
    b64url_text(out.p, out.n, ours, sizeof ours);
    assert_string_equal(ours, body);
    to.point[40] ^= 1;
    assert_false(crypt_webpush(&to, text, strlen(text), NULL, &out));
}

static const char *subscription(struct world *t, const char *endpoint)
{
    return arena_printf(t->mem,
                        "{\"endpoint\":\"%s\",\"keys\":{\"p256dh\":\"%s\",\"auth\":\"%s\"}}",
                        endpoint, ua_point, ua_auth);
}

static void a_browser_is_asked_at_its_service(void **state)
{
    struct world *t = *state;
    struct push_message m = hello();
    const char *token =
        subscription(t, "https://updates.push.services.mozilla.com/wpush/v2/abc");
    struct vendor_request rq = built(t, TRANSPORT_WEBPUSH, &m, &token, 1), other;

    assert_true(rq.public_only);
    assert_string_equal(rq.service, "https://updates.push.services.mozilla.com");
    assert_true(has_header(&rq, "ttl: 3600") && has_header(&rq, "topic: c-17"));
    assert_true(has_header(&rq, "content-encoding: aes128gcm"));
    other = built(t, TRANSPORT_WEBPUSH, &m, &token, 1);
    assert_memory_not_equal(rq.body, other.body, 16); /* its salt */
    token = subscription(t, "https://bn1.notify.windows.com/w/?token=x");
    (void)built(t, TRANSPORT_WEBPUSH, &m, &token, 1);
}

static void a_browser_leads_us_nowhere_else(void **state)
{
    static const char *const bad[] = {
        "http://fcm.googleapis.com/x",
        "https://evil.example/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evil.example/fcm.googleapis.com",
        "https://fcm.googleapis.com@evil.example/x",
        "https://evil.example#fcm.googleapis.com/",
        "https://fcm.googleapis.com:22/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://notify.windows.com/x",
        "https://evilnotify.windows.com/x",
        "https://fcm.googleapis.com\\\\@evil.example/",
        "https://FCM.googleapis.com/x",
        "file:///etc/passwd",
        "https://fcm.googleapis.com",
        "",
    };
    struct world *t = *state;
    struct push_message m = hello();
    struct vendor_request rq;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *token = subscription(t, bad[i]);

        if (vendor_webpush.build(&t->site, t->mem, "", &m, &token, 1, NOW, &rq) != RC_INVALID)
            fail_msg("%s", bad[i]);
    }
}

/* ---- settings ---- */

static void what_is_not_set_is_off(void **state)
{
    struct world *t = *state;
    struct conf c;
    struct err e;
    struct vendor_keys *none;
    struct vendor_site s = { .conf = &c };

    assert_int_equal(conf_load(&e, NULL, NULL, &c), RC_OK);
    assert_int_equal(vendor_keys_open(&e, &c, t->dir, &none), RC_OK);
    s.keys = none;
    for (int by = 1; by < TRANSPORT_COUNT; by++) {
        assert_false(vendor_is_on((enum transport)by, &s));
        if (vendor_of((enum transport)by)) {
            assert_string_equal(vendor_lacks(vendor_of((enum transport)by), &s), "");
            assert_true(vendor_is_on((enum transport)by, &t->site));
        }
    }
    assert_int_equal(conf_set(&e, &c, "push_xiaomi_package", "x"), RC_OK);
    assert_string_equal(vendor_lacks(&vendor_xiaomi, &s), "push_xiaomi_secret is not set");
    assert_int_equal(conf_set(&e, &c, "push_apns_key", "account.json"), RC_OK);
    vendor_keys_close(none);
    assert_int_equal(vendor_keys_open(&e, &c, t->dir, &none), RC_INVALID);
    conf_done(&c);
}

static void the_browsers_key_stays(void **state)
{
    struct world *t = *state;
    struct vendor_keys *again;
    struct err e;

    assert_int_equal(vendor_keys_open(&e, &t->conf, t->dir, &again), RC_OK);
    assert_int_equal(strlen(vendor_keys_webpush(again)), 87);
    assert_string_equal(vendor_keys_webpush(again), vendor_keys_webpush(t->keys));
    vendor_keys_close(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(huawei_has_a_request_of_each_kind),
        cmocka_unit_test(a_thousand_go_with_one_request),
        cmocka_unit_test(xiaomi_has_a_form),
        cmocka_unit_test(oppo_has_a_message_for_each),
        cmocka_unit_test(vivo_has_a_message_and_then_a_list),
        cmocka_unit_test(a_ticket_that_nobody_got_leaves_nobody_in_doubt),
        cmocka_unit_test(oppo_and_vivo_believe_our_signs),
        cmocka_unit_test(apple_has_a_device_in_the_path),
        cmocka_unit_test(honor_and_wechat_have_theirs),
        cmocka_unit_test(wechat_fills_the_fields_of_its_template),
        cmocka_unit_test(a_message_bears_the_mark_of_its_receipts),
        cmocka_unit_test(what_was_sent_is_taken_back_where_the_vendor_can),
        cmocka_unit_test(every_vendor_says_how_it_takes_back),
        cmocka_unit_test(apple_believes_our_statement),
        cmocka_unit_test(huawei_gets_one_in_ps256),
        cmocka_unit_test(huaweis_token_is_asked_for),
        cmocka_unit_test(the_body_is_that_of_rfc_8291),
        cmocka_unit_test(a_browser_is_asked_at_its_service),
        cmocka_unit_test(a_browser_leads_us_nowhere_else),
        cmocka_unit_test(what_is_not_set_is_off),
        cmocka_unit_test(the_browsers_key_stays),
    };

    return cmocka_run_group_tests(tests, up, down);
}
