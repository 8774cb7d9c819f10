/*
 * routes.c - every address this server answers: who may call it, where it runs, what is checked
 * before the handler sees it.
 *
 * This is the list an auditor asks for. Router, OpenAPI document, /docs and
 * docs/reference/routes.md are made from its rows; nothing is answered that has no row. Rows
 * stand by tag, in the order a newcomer reads them.
 */
#include "api/routes.h"

#include <string.h>

#include "api/account_page.h"
#include "api/accounts.h"
#include "api/acting.h"
#include "api/acting_page.h"
#include "api/alerts.h"
#include "api/article_page.h"
#include "api/ask.h"
#include "api/ask_page.h"
#include "api/audit.h"
#include "api/auth.h"
#include "api/binding_page.h"
#include "api/blobs.h"
#include "api/callback.h"
#include "api/campaign_report.h"
#include "api/campaigns.h"
#include "api/channel_tasks.h"
#include "api/channels.h"
#include "api/columns.h"
#include "api/consents.h"
#include "api/counts.h"
#include "api/docs_page.h"
#include "api/duplicates.h"
#include "api/events.h"
#include "api/factor_page.h"
#include "api/factors.h"
#include "api/feeds.h"
#include "api/hub.h"
#include "api/import.h"
#include "api/inbox.h"
#include "api/inbox_page.h"
#include "api/invitations.h"
#include "api/items.h"
#include "api/leave.h"
#include "api/leave_page.h"
#include "api/letter_files.h"
#include "api/letters.h"
#include "api/me.h"
#include "api/mirrors.h"
#include "api/notices.h"
#include "api/oauth.h"
#include "api/orgs.h"
#include "api/owned_page.h"
#include "api/pages.h"
#include "api/parties.h"
#include "api/passkey_form.h"
#include "api/preview_page.h"
#include "api/push.h"
#include "api/push_receipts.h"
#include "api/reseal.h"
#include "api/review.h"
#include "api/roles.h"
#include "api/sandbox.h"
#include "api/search.h"
#include "api/service.h"
#include "api/set_up_page.h"
#include "api/sign_in_page.h"
#include "api/sources.h"
#include "api/staff.h"
#include "api/staff_devices.h"
#include "api/state.h"
#include "api/submissions.h"
#include "api/survey_page.h"
#include "api/surveys.h"
#include "api/sync.h"
#include "api/upstream_page.h"
#include "api/upstreams.h"
#include "api/warnings.h"
#include "api/way_back.h"
#include "api/withdrawal.h"
#include "server/channel/wechat_message.h"
#include "server/citizen/count_report.h"
#include "server/http/form.h"
#include "server/identity/audit.h"
#include "server/identity/invite.h"
#include "server/identity/upstream.h"
#include "server/library/chain.h"
#include "server/library/preview.h"
#include "server/library/stream.h"
#include "server/source/source.h"
#include "server/source/submission.h"
#include "server/store/blob.h"
#include "sync/verify.h"
#include "warning/take.h"

#define CURSOR                                                                               \
    {                                                                                        \
        "cursor", P_TEXT, 1, 128, "上一页答复里的 next；不给则从最新的开始" \
    }
#define PAGE_SIZE                                                \
    {                                                            \
        "n", P_INT, 1, ITEM_PAGE_MAX, "每页条数，默认 20" \
    }
#define DAYS                                                              \
    { "since", P_TEXT, 10, 40, "只要这一天（含）之后的，如 2026-11-21" }, \
    {                                                                     \
        "until", P_TEXT, 10, 40, "只要这一天之前的"               \
    }
#define ITEM                                          \
    {                                                 \
        "id", P_ID, 0, 0, "内容的编号（UUID）" \
    }
#define COLUMN                                           \
    {                                                    \
        "column", P_INT, 1, INT32_MAX, "栏目的编号" \
    }
#define SINCE                                                                                             \
    {                                                                                                     \
        "since", P_TEXT, 1, 64, "只要此后的变化（226）：ETag 中最后一个点之前的部分" \
    }
#define LARGE                                  \
    {                                          \
        "large", P_BOOL, 0, 0, "1：长辈版" \
    }
#define RETURN                                                                    \
    {                                                                             \
        "return", P_TEXT, 1, WAY_BACK_MAX, "办完以后回到本站的哪一页" \
    }
#define BLOB                                                                 \
    {                                                                        \
        "hash", P_HASH, 0, 0, "文件的 SHA-256，64 位小写十六进制" \
    }
#define SITE                                                 \
    {                                                        \
        "site", P_TEXT, 1, 64, "站点标识码，或编号" \
    }

#define STREAM                                                     \
    {                                                              \
        "stream", P_TEXT, 1, STREAM_NAME_MAX, "数据流的名称" \
    }

#define ORG                                                                            \
    {                                                                                  \
        "org", P_TEXT, 1, 64, "机构代码（统一社会信用代码），或编号" \
    }

static const struct param my_consent[] = {
    { "party", P_INT, 1, INT64_MAX, "程序的编号，见 GET /v1/me/consents" }, { 0 }
};
static const struct param org[] = { ORG, { 0 } };
static const struct param site[] = { SITE, { 0 } };
static const struct param site_rule[] = {
    SITE, { "rule", P_TEXT, 1, 40, "规则的名称，如 person.phone" }, { 0 }
};
static const struct param site_reviewers[] = {
    SITE, { "step", P_INT, 0, CHAIN_STEPS_MAX, "第几步，从 1 起；0：保密审查" }, { 0 }
};
static const struct param site_agreement[] = {
    SITE, { "source", P_TEXT, 1, AGREEMENT_SOURCE_MAX, "报送方，如 party:heping" }, { 0 }
};
static const struct param source[] = {
    { "source", P_TEXT, 1, SOURCE_ID_MAX, "来源的名称，见 GET /v1/sources" }, { 0 }
};
static const struct param duplicates[] = { { "after", P_ID, 0, 0, "上一页答复里的 next" },
                                           { 0 } };
static const struct param submissions[] = {
    SITE,
    { "state", P_TEXT, 1, 20,
      "received、checking、in_review、published、returned、withdrawn、replaced" },
    { "before", P_INT, 1, INT64_MAX, "上一页答复里的 next" },
    { 0 },
};
static const struct param column[] = { COLUMN, { 0 } };
static const struct param directory[] = { LARGE, { 0 } };
static const struct param feed[] = {
    { "feed", P_TEXT, 1, 1000, "名称与格式，如 all.atom、all.rss、all.json" }, SINCE, { 0 }
};
static const struct param websub_params[] = {
    { "after", P_INT, 0, INT64_MAX, "上一页最后一条的编号" },
    { 0 },
};
static const struct param feed_archive[] = {
    { "archive", P_TEXT, 1, 100, "存档的名称，由订阅源给出" }, { 0 }
};
static const struct param feed_place_archive[] = {
    { "place", P_TEXT, 1, 700, "站点、栏目、区划或主题" },
    { "archive", P_TEXT, 1, 100, "存档的名称，由订阅源给出" },
    { 0 }
};
static const struct param column_page[] = { COLUMN, CURSOR, LARGE, { 0 } };
static const struct param blob[] = { BLOB, { 0 } };
static const struct param items[] = { SITE, STREAM, PAGE_SIZE, CURSOR, DAYS, { 0 } };
static const struct param column_items[] = { COLUMN, PAGE_SIZE, CURSOR, DAYS, { 0 } };
static const struct param item[] = { ITEM, { 0 } };
static const struct param revision[] = { ITEM,
                                         { "rev", P_INT, 1, INT32_MAX, "第几版，从 1 起" },
                                         { 0 } };
static const struct param diff[] = { ITEM,
                                     { "from", P_INT, 1, INT32_MAX,
                                       "从哪一版；默认是已发布的，没有就是前一版" },
                                     { "to", P_INT, 1, INT32_MAX, "到哪一版；默认是最新一版" },
                                     { 0 } };
static const struct param blob_read[] = {
    BLOB, { "preview", P_TEXT, 1, PREVIEW_TEXT, "预览链接里的凭证：可读该草稿的文件" }, { 0 }
};
static const struct param import[] = {
    { "publish", P_BOOL, 0, 0, "1：收入后立即发布（需要 publish 权限）；默认只存草稿" },
    { "create", P_BOOL, 0, 0, "1：站点和栏目不存在时新建（需要 edit 权限）" },
    { "site", P_TEXT, 1, 64, "全部归入这个站点（代码）；默认按每条记录的 source 归属" },
    { "stream", P_TEXT, 1, STREAM_NAME_MAX,
      "新建的站点属于这个数据流；默认是本服务器的第一个" },
    { "emergency", P_TEXT, 1, ITEM_NOTE_MAX,
      "为什么不经站点的审核流程就发布；记入审计，程序不能用" },
    { "authority", P_TEXT, 1, 100, "权威来源：只有它能修改这些内容；默认是站点所属的数据流" },
    { 0 },
};
static const struct param staff_items[] = {
    { "state", P_TEXT, 1, 20,
      "最新一版的状态：draft（默认）、in_"
      "review、approved、published、withdrawn、expired、gone" },
    { "n", P_INT, 1, ITEM_PAGE_MAX, "每页条数，默认 50" },
    CURSOR,
    { 0 },
};
static const struct param preview[] = {
    { "token", P_TEXT, 1, PREVIEW_TEXT, "预览链接里的凭证" }, { 0 }
};
static const struct param retired_params[] = {
    { "role", P_TEXT, 1, VERIFY_ROLE_MAX, "旧密钥的文件名，如 seal.1" }, { 0 }
};
static const struct param key_params[] = {
    { "role", P_TEXT, 1, VERIFY_ROLE_MAX, "platform，或数据流的名称" }, { 0 }
};
static const struct param mirrored[] = { STREAM, { 0 } };
static const struct param sheet[] = { LARGE, { 0 } };
static const struct param sheet_back[] = { LARGE, RETURN, { 0 } };
static const struct param account[] = {
    LARGE, { "done", P_TEXT, 1, ACCOUNT_DONE_MAX, "刚刚办完了什么" }, { 0 }
};
static const struct param consent[] = { LARGE,
                                        { "ask", P_TEXT, 1, ASK_TEXT, "第三方程序的请求" },
                                        { 0 } };
static const struct param device[] = { LARGE,
                                       { "user_code", P_TEXT, 1, 20, "设备上显示的字母" },
                                       { "done", P_TEXT, 1, ACCOUNT_DONE_MAX,
                                         "刚刚办完了什么" },
                                       { 0 } };
static const struct param set_up[] = { LARGE,
                                       { "token", P_TEXT, 1, INVITE_TEXT, "邀请" },
                                       { "passkey", P_BOOL, 0, 0,
                                         "1：用通行密钥，不用验证器应用" },
                                       { 0 } };
static const struct param sign_in[] = {
    LARGE,
    RETURN,
    { "ask", P_TEXT, 1, ASK_TEXT, "第三方程序的请求：登录以后继续" },
    { "over", P_BOOL, 0, 0, "1：上一次登录超时了" },
    { "fresh", P_BOOL, 0, 0, "1：要再登录一次，才能修改登录的方式" },
    { 0 }
};
static const struct param slug[] = { { "slug", P_TEXT, 1, 40, "problem+json 中 type 的末段" },
                                     { 0 } };

#define UPSTREAM                                                                                 \
    {                                                                                            \
        "upstream", P_TEXT, 1, UPSTREAM_NAME_MAX, "上游的名称，见 GET /v1/auth/upstreams" \
    }
static const struct param upstream[] = { UPSTREAM, { 0 } };
static const struct param upstream_large[] = { UPSTREAM, LARGE, { 0 } };
static const struct param upstream_back[] = { UPSTREAM, LARGE, RETURN, { 0 } };
static const struct param my_session[] = {
    { "session", P_TEXT, 16, 16, "会话的编号，见 GET /v1/me/sessions" }, { 0 }
};
static const struct param my_identifier[] = {
    { "identifier", P_TEXT, 16, 16, "标识的编号，见 GET /v1/me" }, { 0 }
};
static const struct param my_factor[] = {
    { "factor", P_INT, 1, INT64_MAX, "验证方式的编号，见 GET /v1/me/factors" }, { 0 }
};

/* clang-format off */
#define READ   RIGHT_READ, ON_WORKER, R_CACHED
#define PAGE   RIGHT_READ, ON_WORKER, R_CACHED | R_PAGE | R_HIDDEN
#define FEED   RIGHT_READ, ON_WORKER, R_CACHED | R_ANY_ORIGIN
#define FORM_PAGE RIGHT_READ, ON_WORKER, R_PAGE | R_HIDDEN
#define FORM   RIGHT_READ, ON_WRITER, R_PAGE | R_HIDDEN | R_FORM | R_NO_KEY
#define MY_PAGE RIGHT_SELF, ON_WORKER, R_PAGE | R_HIDDEN
#define MY_FORM RIGHT_SELF, ON_WRITER, R_PAGE | R_HIDDEN | R_FORM | R_NO_KEY
#define OUR_PAGE RIGHT_SELF | RIGHT_ACT, ON_WORKER, R_PAGE | R_HIDDEN
#define OUR_FORM RIGHT_SELF | RIGHT_ACT, ON_WRITER, R_PAGE | R_HIDDEN | R_FORM | R_NO_KEY
#define MEMORY RIGHT_READ, ON_LOOP, R_CACHED | R_HIDDEN

/* A browser comes with what a program asks; a program calls by itself. */
#define R_ASKED  R_PAGE | R_HIDDEN | R_FORM | R_NO_KEY
#define R_CALLED R_HIDDEN | R_FORM | R_NO_KEY | R_ANY_ORIGIN
#define SYNC   RIGHT_READ, ON_WORKER, R_CACHED | R_FOREVER

#define T_READ   "公开内容"
#define T_SYNC   "离线同步"
#define T_ACCOUNT "账号"
#define T_LETTERS "信件办理"
#define T_PUSH   "推送"
#define T_WARNINGS "预警"
#define T_STAFF  "编辑与发布"
#define T_IMPORT "批量入库"
#define T_CHANNELS "微信与微博"
#define T_PARTIES "第三方程序"
#define T_ADMIN  "运行管理"
#define T_OIDC   "统一身份认证"
#define T_PAGES  "网页"

const struct route routes_table[] = {
    { GET, "/v1/orgs",                         READ, NULL, 0, get_orgs, NULL, T_READ, "全部机构", NULL },
    { GET, "/v1/orgs/:org",                    READ, org, 0, get_org, NULL, T_READ, "一个机构", NULL },
    { GET, "/v1/sites",                        READ, NULL, 0, get_sites, NULL, T_READ, "全部站点", NULL },
    { GET, "/v1/sites/:site",                  READ, site, 0, get_site, NULL, T_READ, "一个站点", NULL },
    { GET, "/v1/columns",                      READ, site, 0, get_columns, NULL, T_READ, "全部栏目，或一个站点的栏目", NULL },
    { GET, "/v1/columns/:column",              READ, column, 0, get_column, NULL, T_READ, "一个栏目", "/v1/columns/1" },
    { GET, "/v1/columns/:column/items",        READ, column_items, 0, get_column_items, NULL, T_READ, "栏目中的内容，新的在前", "/v1/columns/1/items?n=5" },
    { GET, "/v1/items",                        READ, items, 0, get_items, NULL, T_READ, "最新发布的内容，新的在前", "/v1/items?n=5" },
    { GET, "/v1/search",                       READ, search_params, 0, get_search, NULL, T_READ, "搜索已发布的内容：问答在前，然后是标题、正文，新的在前", "/v1/search?q=%E7%A4%BE%E4%BF%9D" },
    { GET, "/v1/search/suggest",               READ, suggest_params, 0, get_suggestions, NULL, T_READ, "输入时的提示：含有这些字的标题", "/v1/search/suggest?q=%E7%A4%BE" },
    { GET, "/v1/catalogue",                    READ, catalogue_params, 0, get_catalogue, NULL, T_READ, "政府信息公开目录：索引号、名称、内容概述、生成日期", "/v1/catalogue?n=5" },
    { GET, "/v1/items/:id",                    READ, item, 0, get_item, NULL, T_READ, "一条内容的全文", NULL },
    { GET, "/v1/items/:id/revisions",          READ, item, 0, get_revisions, NULL, T_READ, "一条内容发布过的各版", NULL },
    { GET, "/v1/items/:id/revisions/:rev",     READ, revision, 0, get_revision, NULL, T_READ, "某一版的全文", NULL },
    { GET, "/feeds/:feed",                     FEED, feed, 0, get_feed, NULL, T_READ, "订阅源：全部内容（Atom、RSS、JSON Feed）", "/feeds/all.atom" },
    { GET, "/feeds/sites/:feed",               FEED, feed, 0, get_feed, NULL, T_READ, "订阅源：一个站点", NULL },
    { GET, "/feeds/columns/:feed",             FEED, feed, 0, get_feed, NULL, T_READ, "订阅源：一个栏目", "/feeds/columns/1.rss" },
    { GET, "/feeds/areas/:feed",               FEED, feed, 0, get_feed, NULL, T_READ, "订阅源：一个行政区划及其下属", "/feeds/areas/120000.json" },
    { GET, "/feeds/themes/:feed",              FEED, feed, 0, get_feed, NULL, T_READ, "订阅源：一个主题分类", NULL },
    { GET, "/feeds/search.atom",               FEED, search_feed_params, 0, get_search_feed, NULL, T_READ, "订阅源：一次搜索，新的在前", "/feeds/search.atom?q=%E7%A4%BE%E4%BF%9D" },
    { GET, "/feeds/search.rss",                FEED, search_feed_params, 0, get_search_feed, NULL, T_READ, "订阅源：一次搜索（RSS）", NULL },
    { GET, "/feeds/search.json",               FEED, search_feed_params, 0, get_search_feed, NULL, T_READ, "订阅源：一次搜索（JSON Feed）", NULL },
    { POST, "/hub",                            RIGHT_READ, ON_WRITER, R_CALLED | R_FOR_GOOD | R_QUIET, NULL, FORM_MAX, post_hub, prepare_hub, T_READ, "WebSub：订阅一个源的推送，或退订；随后向回调地址核实", NULL },
    { GET, "/feeds/all/:archive",              FEED, feed_archive, 0, get_feed_archive, NULL, T_READ, "订阅源的存档", NULL },
    { GET, "/feeds/sites/:place/:archive",     FEED, feed_place_archive, 0, get_feed_archive, NULL, T_READ, "站点订阅源的存档", NULL },
    { GET, "/feeds/columns/:place/:archive",   FEED, feed_place_archive, 0, get_feed_archive, NULL, T_READ, "栏目订阅源的存档", NULL },
    { GET, "/feeds/areas/:place/:archive",     FEED, feed_place_archive, 0, get_feed_archive, NULL, T_READ, "区划订阅源的存档", NULL },
    { GET, "/feeds/themes/:place/:archive",    FEED, feed_place_archive, 0, get_feed_archive, NULL, T_READ, "主题订阅源的存档", NULL },
    { GET, "/v1/surveys",                      READ, NULL, 0, get_surveys, NULL, T_READ, "问卷与意见征集，新的在前", NULL },
    { GET, "/v1/surveys/:id",                  READ, item, 0, get_survey, NULL, T_READ, "一份问卷：问题、起止时间、回答对象", NULL },
    { GET, "/v1/warnings",                     READ, warnings_params, 0, get_warnings, NULL, T_READ, "现在有效的预警，新的在前", "/v1/warnings?area=120101" },
    { GET, "/v1/warnings/:identifier",         READ, warning_params, 0, get_warning, NULL, T_READ, "一条预警信息的原文（CAP 1.2），与它的签名", NULL },
    { GET, "/v1/warning-senders",              RIGHT_READ, ON_WORKER, 0, NULL, 0, get_warning_senders, NULL, T_READ, "谁可以发布预警：级别、区域与公钥", NULL },
    { GET, "/v1/blobs/:hash",                  RIGHT_READ, ON_WORKER, 0, blob_read, 0, get_blob, NULL, T_READ, "图片或附件，可以只要一段", NULL },

    { GET, "/v1/sync/keys",                    RIGHT_READ, ON_LOOP, R_CACHED, NULL, 0, get_sync_keys, NULL, T_SYNC, "公钥链：每把公钥由前一把签名", NULL },
    { GET, "/v1/sync/heads",                   RIGHT_READ, ON_LOOP, R_CACHED, NULL, 0, get_sync_heads, NULL, T_SYNC, "平台签名的数据流清单，与各自最新的签名头", NULL },
    { GET, "/v1/sync/heads/:stream",           RIGHT_READ, ON_LOOP, R_CACHED, sync_stream_params, 0, get_sync_heads_of, NULL, T_SYNC, "同一清单，与一个数据流最新的签名头", "/v1/sync/heads/main" },
    { GET, "/v1/sync/:stream/head",            RIGHT_READ, ON_LOOP, R_CACHED, sync_stream_params, 0, get_sync_head, NULL, T_SYNC, "最新的签名头：现在的状态", "/v1/sync/main/head" },
    { GET, "/v1/sync/:stream/head/:cursor",    SYNC, sync_twin_params, 0, get_sync_twin, NULL, T_SYNC, "某一个签名头，永不改变", NULL },
    { GET, "/v1/sync/:stream/log/:epoch/:cut/:range", SYNC, sync_log_params, 0, get_sync_bytes, NULL, T_SYNC, "两个序号之间的变更", NULL },
    { GET, "/v1/sync/:stream/object/:name",    SYNC, sync_object_params, 0, get_sync_bytes, NULL, T_SYNC, "以散列命名的对象：目录、索引、全量数据", NULL },
    { GET, "/v1/sync/:stream/cover/:cursor",   RIGHT_READ, ON_LOOP, R_CACHED | R_FOREVER, sync_cover_params, 0, get_sync_bytes, NULL, T_SYNC, "一个状态的散列树，分成大块", NULL },
    { GET, "/v1/sync/:stream/tile/:name",      READ, sync_tile_params, 0, get_sync_bytes, NULL, T_SYNC, "散列树一个节点的下级", NULL },
    { GET, "/v1/sync/:stream/item/:epoch/:name", READ, sync_item_params, 0, get_sync_bytes, NULL, T_SYNC, "一条内容的最新版本", NULL },
    { GET, "/v1/sync/:stream/place/:id",       READ, sync_place_params, 0, get_sync_place, NULL, T_SYNC, "一条内容在数据流里的位置：born 与 seq", NULL },

    { POST, "/v1/counts",                      RIGHT_READ, ON_WRITER, R_NO_KEY | R_QUIET, NULL, COUNT_BODY_MAX, post_counts, prepare_counts, T_SYNC, "手机报告一天里读了哪些内容几次：不带身份，只计一次", NULL },
    { GET, "/v1/events",                       RIGHT_READ, ON_LOOP, 0, event_params, 0, get_events, NULL, T_SYNC, "有新内容时立即提示（Server-Sent Events）", "/v1/events?stream=main" },

    /* No answer of these is kept for an Idempotency-Key: they hold secrets. */
    { POST, "/v1/auth/code",                   RIGHT_READ, ON_WRITER, R_NO_KEY, NULL, AUTH_BODY_MAX, post_auth_code, NULL, T_ACCOUNT, "给手机发送登录验证码", NULL },
    { POST, "/v1/auth/passkey",                RIGHT_READ, ON_LOOP, R_NO_KEY, NULL, 0, post_auth_passkey, NULL, T_ACCOUNT, "用通行密钥登录：取得质询", NULL },
    { POST, "/v1/auth/sign-in",                RIGHT_READ, ON_WRITER, R_NO_KEY, NULL, AUTH_BODY_MAX, post_sign_in, prepare_sign_in, T_ACCOUNT,
      "登录的一步：手机与验证码，账号与密码，或二次验证", NULL },
    { GET, "/v1/auth/upstreams",               RIGHT_READ, ON_LOOP, 0, NULL, 0, get_upstreams, NULL, T_ACCOUNT, "可以用来登录的上游身份：政务一网通、微信等", NULL },
    { POST, "/v1/auth/upstreams/:upstream/start", RIGHT_READ, ON_WRITER, R_NO_KEY, upstream, AUTH_BODY_MAX, post_upstream_start, prepare_upstream_start, T_ACCOUNT, "去上游登录：取得网址与凭条", NULL },
    { POST, "/v1/auth/upstreams/:upstream",    RIGHT_READ, ON_WRITER, R_NO_KEY, upstream, AUTH_BODY_MAX, post_upstream, prepare_upstream, T_ACCOUNT, "从上游回来：用它给的 code 登录", NULL },
    { POST, "/v1/auth/refresh",                RIGHT_READ, ON_WRITER, R_NO_KEY, NULL, AUTH_BODY_MAX, post_refresh, NULL, T_ACCOUNT, "换取新的令牌；旧的只能用一次", NULL },
    { POST, "/v1/auth/sign-out",               RIGHT_SELF | RIGHT_STATE, ON_WRITER, R_NO_KEY | R_RESERVE, NULL, 0, post_sign_out, NULL, T_ACCOUNT, "退出登录", NULL, AUDIT_sign_out },
    { POST, "/v1/invitations",                 RIGHT_SECURE, ON_WRITER, R_NO_KEY, NULL, AUTH_BODY_MAX, post_invitation, NULL, T_ACCOUNT, "邀请工作人员：一次性链接，30 分钟内有效", NULL, AUDIT_invite_make },
    { POST, "/v1/auth/invitation/offer",       RIGHT_READ, ON_WORKER, R_NO_KEY, NULL, AUTH_BODY_MAX, post_invitation_offer, NULL, T_ACCOUNT, "接受邀请：准备二次验证方式", NULL },
    { POST, "/v1/auth/invitation",             RIGHT_READ, ON_WRITER, R_NO_KEY, NULL, AUTH_BODY_MAX, post_invitation_use, prepare_invitation_use, T_ACCOUNT,
      "接受邀请：姓名、登录名、密码与二次验证，一并设好", NULL },
    { GET, "/v1/me",                           RIGHT_SELF | RIGHT_ACT, ON_WORKER, 0, NULL, 0, get_me, NULL, T_ACCOUNT, "我的账号", NULL },
    { PATCH, "/v1/me",                         RIGHT_SELF, ON_WRITER, R_NO_KEY, NULL, AUTH_BODY_MAX, patch_me, NULL, T_ACCOUNT, "修改称呼", NULL, AUDIT_account_edit },
    { POST, "/v1/guest",                       RIGHT_READ, ON_WRITER, R_NO_KEY, NULL, AUTH_BODY_MAX, post_guest, NULL, T_ACCOUNT, "不登录也能用：给这部手机一个访客账号", NULL },
    { POST, "/v1/me/sync",                     RIGHT_STATE, ON_WRITER, R_NO_KEY | R_RESERVE, NULL, STATE_BODY_MAX, post_state, NULL, T_ACCOUNT, "同步自己的内容：收藏、已读、关注、设置、信件、消息等", NULL, 0, early_state },
    { POST, "/v1/me/adopt",                    RIGHT_SELF, ON_WRITER, R_NO_KEY, NULL, AUTH_BODY_MAX, post_adopt, NULL, T_ACCOUNT, "登录以后：把访客账号的内容并入我的账号", NULL, AUDIT_account_merge },
    { PUT, "/v1/me/push/:device",              RIGHT_STATE, ON_WRITER, R_NO_KEY | R_RESERVE, push_device_params, STEP_BODY_MAX, put_my_push, NULL, T_ACCOUNT, "这部手机从哪里接收推送", NULL },
    { GET, "/v1/me/push/:device",              RIGHT_STATE, ON_WORKER, 0, push_device_params, 0, get_my_push, NULL, T_ACCOUNT, "这部手机说过从哪里接收推送", NULL },
    { DELETE, "/v1/me/push/:device",           RIGHT_STATE, ON_WRITER, R_NO_KEY | R_RESERVE, push_device_params, 0, delete_my_push, NULL, T_ACCOUNT, "这部手机不再接收推送", NULL },
    { GET, "/v1/me/sessions",                  RIGHT_SELF, ON_WORKER, 0, NULL, 0, get_my_sessions, NULL, T_ACCOUNT, "登录着的设备", NULL },
    { DELETE, "/v1/me/sessions/:session",      RIGHT_SELF, ON_WRITER, R_NO_KEY | R_RESERVE, my_session, 0, delete_my_session, NULL, T_ACCOUNT, "让一台设备退出", NULL, AUDIT_session_end },
    { DELETE, "/v1/me/sessions",               RIGHT_SELF, ON_WRITER, R_NO_KEY | R_RESERVE, NULL, 0, delete_my_sessions, NULL, T_ACCOUNT, "让其他设备全部退出", NULL, AUDIT_session_end },
    { PUT, "/v1/me/password",                  RIGHT_SELF, ON_WRITER, R_NO_KEY, NULL, AUTH_BODY_MAX, put_my_password, prepare_my_password, T_ACCOUNT, "设置密码；其他设备随即退出", NULL, AUDIT_password_set },
    { POST, "/v1/me/identifiers",              RIGHT_SELF, ON_WRITER, R_NO_KEY, NULL, AUTH_BODY_MAX, post_my_identifier, NULL, T_ACCOUNT, "绑定另一个手机号；先发验证码，再验证", NULL },
    { DELETE, "/v1/me/identifiers/:identifier", RIGHT_SELF, ON_WRITER, R_NO_KEY | R_RESERVE, my_identifier, 0, delete_my_identifier, NULL, T_ACCOUNT, "解绑手机号、微信或上游身份", NULL, AUDIT_identifier_remove },
    { POST, "/v1/me/upstreams/:upstream/start", RIGHT_SELF, ON_WRITER, R_NO_KEY, upstream, AUTH_BODY_MAX, post_upstream_start, prepare_upstream_start, T_ACCOUNT, "绑定上游身份：取得网址与凭条", NULL },
    { POST, "/v1/me/upstreams/:upstream",      RIGHT_SELF, ON_WRITER, R_NO_KEY, upstream, AUTH_BODY_MAX, post_my_upstream, prepare_upstream, T_ACCOUNT, "绑定上游身份：用它给的 code", NULL, AUDIT_identifier_add },
    { PUT, "/v1/me/blobs/:hash",               RIGHT_STATE, ON_WRITER, R_NO_KEY | R_BYTES, blob, BLOB_CHUNK_MAX, put_my_blob, prepare_my_blob, T_ACCOUNT,
      "上传信件的图片或文件，可以分段、续传", NULL },
    { GET, "/v1/me/blobs/:hash",               RIGHT_STATE, ON_WORKER, 0, blob, 0, get_my_blob, NULL, T_ACCOUNT, "我上传的图片或文件", NULL },
    { GET, "/v1/me/export",                    RIGHT_SELF, ON_WORKER, 0, NULL, 0, get_my_export, NULL, T_ACCOUNT, "导出本人的全部数据", NULL, AUDIT_account_export },
    { POST, "/v1/me/erase",                    RIGHT_SELF, ON_WRITER, R_NO_KEY | R_RESERVE, NULL, 0, post_my_erase, NULL, T_ACCOUNT, "申请注销账号：15 天后清除个人信息", NULL, AUDIT_account_leave },
    { DELETE, "/v1/me/erase",                  RIGHT_SELF, ON_WRITER, R_NO_KEY | R_RESERVE, NULL, 0, delete_my_erase, NULL, T_ACCOUNT, "撤回注销申请", NULL, AUDIT_account_stay },
    { GET, "/v1/me/factors",                   RIGHT_SELF, ON_WORKER, 0, NULL, 0, get_my_factors, NULL, T_ACCOUNT, "二次验证方式", NULL },
    { POST, "/v1/me/factors/offer",            RIGHT_SELF, ON_WORKER, R_NO_KEY, NULL, AUTH_BODY_MAX, post_my_factor_offer, NULL, T_ACCOUNT, "准备添加：动态口令的密钥，或通行密钥的质询", NULL },
    { POST, "/v1/me/factors",                  RIGHT_SELF, ON_WRITER, R_NO_KEY, NULL, AUTH_BODY_MAX, post_my_factor, prepare_my_factor, T_ACCOUNT, "添加一种二次验证方式", NULL, AUDIT_factor_add },
    { DELETE, "/v1/me/factors/:factor",        RIGHT_SELF, ON_WRITER, R_NO_KEY | R_RESERVE, my_factor, 0, delete_my_factor, NULL, T_ACCOUNT, "移除一种二次验证方式", NULL, AUDIT_factor_remove },

    { GET, "/v1/me/organisations",             RIGHT_SELF | RIGHT_ACT, ON_WORKER, 0, NULL, 0, get_my_organisations, NULL, T_ACCOUNT, "可以以其名义办事的单位", NULL },
    { POST, "/v1/me/act",                      RIGHT_SELF | RIGHT_ACT, ON_WRITER, R_NO_KEY, NULL, AUTH_BODY_MAX, post_my_act, NULL, T_ACCOUNT, "开始以单位的名义办事：另一组令牌", NULL, AUDIT_acting_begin },
    { DELETE, "/v1/me/act",                    RIGHT_ACT, ON_WRITER, R_NO_KEY | R_RESERVE, NULL, 0, delete_my_act, NULL, T_ACCOUNT, "不再以单位的名义办事：这组令牌随即失效", NULL, AUDIT_acting_end },
    { GET, "/v1/organisations",                RIGHT_SECURE, ON_WORKER, 0, NULL, 0, get_organisations, NULL, T_ACCOUNT, "单位的账号，与各自的经办人", NULL, AUDIT_organisation_list },
    { POST, "/v1/organisations",               RIGHT_SECURE, ON_WRITER, 0, NULL, AUTH_BODY_MAX, post_organisation, NULL, T_ACCOUNT, "新建单位的账号", NULL, AUDIT_organisation_create },
    { PUT, "/v1/organisations/:organisation/people/:person", RIGHT_SECURE, ON_WRITER, 0, organisation_person_params, AUTH_BODY_MAX, put_organisation_person, NULL, T_ACCOUNT, "授权一个人代表单位办事", NULL, AUDIT_acting_give },
    { DELETE, "/v1/organisations/:organisation/people/:person", RIGHT_SECURE, ON_WRITER, R_NO_KEY | R_RESERVE, organisation_person_params, 0, delete_organisation_person, NULL, T_ACCOUNT, "收回授权，下一个请求即生效", NULL, AUDIT_acting_take },

    { POST, "/v1/import",                      RIGHT_IMPORT, ON_WRITER, R_LINES, import, IMPORT_BODY_MAX, post_import, prepare_import, T_IMPORT,
      "收入一批内容：每行一个 JSON 对象（NDJSON），逐行答复结果", NULL, AUDIT_import },
    { POST, "/v1/submissions",                 RIGHT_IMPORT, ON_WRITER, R_NO_KEY, NULL, SUBMISSION_MAX, post_submission, prepare_submission, T_IMPORT,
      "报送一条内容，用程序的密钥；同一编号、同样内容重发不重复收", NULL, AUDIT_submission },
    { GET, "/v1/submissions/:id",              RIGHT_IMPORT | ITEM_DRAFT_RIGHTS, ON_WORKER, 0, item, 0, get_submission, NULL, T_IMPORT, "报送的一条到了哪一步；退回的有原因", NULL },
    { GET, "/v1/submissions",                  RIGHT_IMPORT | ITEM_DRAFT_RIGHTS, ON_WORKER, 0, submissions, 0, get_submissions, NULL, T_IMPORT, "各条报送，新的在前；程序只看到自己的", "/v1/submissions?state=returned" },
    { PUT, "/v1/blobs/:hash",                  RIGHT_IMPORT | RIGHT_EDIT, ON_WORKER, R_NO_KEY | R_BYTES, blob, BLOB_CHUNK_MAX, put_blob, NULL, T_IMPORT,
      "上传图片或附件，可以分块续传", NULL },

    { GET, "/v1/staff/items",                  ITEM_DRAFT_RIGHTS, ON_WORKER, 0, staff_items, 0, get_staff_items, NULL, T_STAFF, "处于某一状态的内容，旧的在前", "/v1/staff/items?state=in_review" },
    { GET, "/v1/duplicates",                   ITEM_DRAFT_RIGHTS, ON_WORKER, 0, duplicates, 0, get_duplicates, NULL, T_STAFF, "几个站点都有的内容：相同，或几乎相同", "/v1/duplicates" },
    { GET, "/v1/drafts/:id",                   ITEM_DRAFT_RIGHTS, ON_WORKER, 0, item, 0, get_draft, NULL, T_STAFF, "最新一版的内容、状态与经过", NULL },
    { GET, "/v1/drafts/:id/revisions",         ITEM_DRAFT_RIGHTS, ON_WORKER, 0, item, 0, get_draft_revisions, NULL, T_STAFF, "全部各版，新的在前", NULL },
    { GET, "/v1/drafts/:id/revisions/:rev",    ITEM_DRAFT_RIGHTS, ON_WORKER, 0, revision, 0, get_draft_revision, NULL, T_STAFF, "某一版的内容，不论是否发布过", NULL },
    { GET, "/v1/drafts/:id/diff",              ITEM_DRAFT_RIGHTS, ON_WORKER, 0, diff, 0, get_draft_diff, NULL, T_STAFF, "两版之间改了什么，按字段、按句", NULL },
    { GET, "/v1/drafts/:id/withdrawal",        ITEM_DRAFT_RIGHTS, ON_WORKER, 0, item, 0, get_withdrawal, NULL, T_STAFF, "撤下的内容在各渠道到了哪一步", NULL },
    { POST, "/v1/items",                       RIGHT_EDIT, ON_WRITER, 0, NULL, DRAFT_BODY_MAX, post_item, NULL, T_STAFF, "新建草稿", NULL, AUDIT_item_create },
    { PUT, "/v1/items/:id",                    RIGHT_EDIT, ON_WRITER, 0, item, DRAFT_BODY_MAX, put_item, NULL, T_STAFF, "修改：写出新的一版草稿，须带 If-Match", NULL, AUDIT_item_edit },
    { POST, "/v1/items/:id/submit",            RIGHT_EDIT, ON_WRITER, 0, item, STEP_BODY_MAX, post_verb, NULL, T_STAFF, "送审", NULL, AUDIT_item_submit },
    { POST, "/v1/items/:id/return",            RIGHT_REVIEW, ON_WRITER, 0, item, STEP_BODY_MAX, post_verb, NULL, T_STAFF, "退回修改", NULL, AUDIT_item_return },
    { POST, "/v1/items/:id/approve",           RIGHT_REVIEW, ON_WRITER, 0, item, STEP_BODY_MAX, post_verb, NULL, T_STAFF, "审核通过一步", NULL, AUDIT_item_approve },
    { POST, "/v1/items/:id/publish",           RIGHT_PUBLISH, ON_WRITER, 0, item, STEP_BODY_MAX, post_verb, NULL, T_STAFF, "发布；来不及审的可应急发布，须写明原因", NULL, AUDIT_item_publish },
    { POST, "/v1/items/:id/secrecy",           RIGHT_REVIEW, ON_WRITER, 0, item, STEP_BODY_MAX, post_secrecy, NULL, T_STAFF, "保密审查通过，须写明依据", NULL, AUDIT_item_secrecy },
    { POST, "/v1/items/:id/comment",           ITEM_DRAFT_RIGHTS, ON_WRITER, 0, item, STEP_BODY_MAX, post_comment, NULL, T_STAFF, "审稿意见", NULL, AUDIT_item_comment },
    { POST, "/v1/items/:id/schedule",          RIGHT_PUBLISH, ON_WRITER, 0, item, STEP_BODY_MAX, post_schedule, NULL, T_STAFF, "定时发布已通过的一版", NULL, AUDIT_item_schedule },
    { DELETE, "/v1/items/:id/schedule",        RIGHT_PUBLISH, ON_WRITER, R_NO_KEY, item, 0, delete_schedule, NULL, T_STAFF, "取消定时发布", NULL, AUDIT_item_unschedule },
    { POST, "/v1/items/:id/withdraw",          RIGHT_PUBLISH, ON_WRITER, R_RESERVE, item, STEP_BODY_MAX, post_verb, NULL, T_STAFF, "撤稿，须写明原因；站点要求两人的，先提出，由另一人再确认", NULL, AUDIT_item_withdraw },
    { POST, "/v1/items/:id/gone",              RIGHT_PUBLISH, ON_WRITER, R_RESERVE, item, STEP_BODY_MAX, post_verb, NULL, T_STAFF, "永久删除各版文字，须写明原因；不能恢复", NULL, AUDIT_item_gone },
    { POST, "/v1/items/:id/restore",           RIGHT_EDIT, ON_WRITER, 0, item, STEP_BODY_MAX, post_verb, NULL, T_STAFF, "把撤下的内容，或指定的一版，恢复为草稿", NULL, AUDIT_item_restore },
    { POST, "/v1/items/:id/withhold",          RIGHT_PUBLISH, ON_WRITER, R_RESERVE, item, STEP_BODY_MAX, post_withhold, NULL, T_STAFF, "本平台不展示镜像来的这一条，须写明原因", NULL, AUDIT_item_withhold },
    { POST, "/v1/items/:id/unwithhold",        RIGHT_PUBLISH, ON_WRITER, 0, item, STEP_BODY_MAX, post_withhold, NULL, T_STAFF, "恢复展示镜像来的这一条", NULL, AUDIT_item_unwithhold },
    { POST, "/v1/items/:id/move",              RIGHT_EDIT | RIGHT_PUBLISH, ON_WRITER, 0, item, STEP_BODY_MAX, post_move, NULL, T_STAFF, "移到另一栏目", NULL, AUDIT_item_move },
    { POST, "/v1/items/:id/preview",           ITEM_DRAFT_RIGHTS, ON_WORKER, R_NO_KEY | R_FOR_GOOD, item, STEP_BODY_MAX, post_preview, NULL, T_STAFF, "生成会过期的预览链接", NULL, AUDIT_item_preview },
    { GET, "/v1/staff/counts",                 ITEM_DRAFT_RIGHTS, ON_WORKER, 0, count_params, 0, get_counts, NULL, T_STAFF, "浏览量：网页与手机，按内容或按天", "/v1/staff/counts?by=day" },
    { GET, "/v1/staff/counts.csv",             ITEM_DRAFT_RIGHTS, ON_WORKER, 0, count_params, 0, get_counts_csv, NULL, T_STAFF, "同上，为电子表格（CSV）", NULL },
    { GET, "/v1/staff/surveys/:id",            ITEM_DRAFT_RIGHTS, ON_WORKER, 0, item, 0, get_survey_result, NULL, T_STAFF, "问卷的结果：各项的份数", NULL },
    { GET, "/v1/staff/surveys/:id/answers",    ITEM_DRAFT_RIGHTS, ON_WORKER, 0, survey_answers_params, 0, get_survey_answers, NULL, T_STAFF, "各份答卷，每行一份（NDJSON），不含谁答的", NULL, AUDIT_survey_export },
    { GET, "/v1/staff/surveys/:id/answers.csv", ITEM_DRAFT_RIGHTS, ON_WORKER, 0, survey_answers_params, 0, get_survey_csv, NULL, T_STAFF, "同上，为电子表格（CSV）", NULL, AUDIT_survey_export },
    { POST, "/v1/surveys/:id/close",           RIGHT_PUBLISH, ON_WRITER, R_RESERVE, item, 0, post_survey_close, NULL, T_STAFF, "提前结束问卷", NULL, AUDIT_survey_close },
    { POST, "/v1/surveys/:id/draft",           RIGHT_EDIT, ON_WRITER, 0, item, 0, post_survey_draft, NULL, T_STAFF, "把结果写成一篇草稿，经审核后公布", NULL, AUDIT_item_create },
    { GET, "/v1/staff/votes",                  ITEM_DRAFT_RIGHTS, ON_WORKER, 0, vote_params, 0, get_votes, NULL, T_STAFF, "有用、没用：各条内容的票数，没用的多的在前", NULL },
    { POST, "/v1/orgs",                        RIGHT_EDIT, ON_WRITER, 0, NULL, STEP_BODY_MAX, post_org, NULL, T_STAFF, "新建机构", NULL, AUDIT_org_create },
    { PATCH, "/v1/orgs/:org",                  RIGHT_EDIT, ON_WRITER, 0, org, STEP_BODY_MAX, patch_org, NULL, T_STAFF, "修改机构", NULL, AUDIT_org_edit },
    { POST, "/v1/sites",                       RIGHT_EDIT, ON_WRITER, 0, NULL, STEP_BODY_MAX, post_site, NULL, T_STAFF, "新建站点", NULL, AUDIT_site_create },
    { PATCH, "/v1/sites/:site",                RIGHT_EDIT, ON_WRITER, 0, site, STEP_BODY_MAX, patch_site, NULL, T_STAFF, "修改站点，或关闭它", NULL, AUDIT_site_edit },
    { GET, "/v1/sites/:site/rules",            ITEM_DRAFT_RIGHTS, ON_WORKER, 0, site, 0, get_site_rules, NULL, T_STAFF, "内容检查的规则，和各自在这个站点的轻重", "/v1/sites/1/rules" },
    { GET, "/v1/sites/:site/chain",            ITEM_DRAFT_RIGHTS | RIGHT_SECURE, ON_WORKER, 0, site, 0, get_site_chain, NULL, T_STAFF, "站点怎样审核，由谁审", "/v1/sites/1/chain", AUDIT_site_chain_read },
    { PUT, "/v1/sites/:site/chain",            RIGHT_SECURE, ON_WRITER, R_NO_KEY, site, STEP_BODY_MAX, put_site_chain, NULL, T_STAFF, "设定站点的审核流程：几步、保密审查、撤稿几人", NULL, AUDIT_site_chain },
    { PUT, "/v1/sites/:site/chain/:step",      RIGHT_SECURE, ON_WRITER, R_NO_KEY, site_reviewers, STEP_BODY_MAX, put_site_reviewers, NULL, T_STAFF, "指定一步的审核人", NULL, AUDIT_site_reviewers },
    { PUT, "/v1/sites/:site/rules/:rule",      RIGHT_EDIT, ON_WRITER, R_NO_KEY, site_rule, STEP_BODY_MAX, put_site_rule, NULL, T_STAFF, "设定一条规则在这个站点的轻重", NULL, AUDIT_site_rule },
    { GET, "/v1/sites/:site/agreements",       ITEM_DRAFT_RIGHTS, ON_WORKER, 0, site, 0, get_site_agreements, NULL, T_STAFF, "站点与各报送方的约定：承认对方的审核到哪一步", "/v1/sites/1/agreements" },
    { PUT, "/v1/sites/:site/agreements/:source", RIGHT_SECURE, ON_WRITER, R_NO_KEY, site_agreement, STEP_BODY_MAX, put_site_agreement, NULL, T_STAFF, "记下与一个报送方的约定，或收回", NULL, AUDIT_site_agreement },
    { GET, "/v1/sources",                      ITEM_DRAFT_RIGHTS, ON_WORKER, 0, NULL, 0, get_sources, NULL, T_STAFF, "本平台自己去取的来源：取到了哪里，出了什么错", NULL },
    { GET, "/v1/sources/:source",              ITEM_DRAFT_RIGHTS, ON_WORKER, 0, source, 0, get_source, NULL, T_STAFF, "一个来源", NULL },
    { POST, "/v1/sources",                     RIGHT_EDIT, ON_WRITER, R_FOR_GOOD, NULL, STEP_BODY_MAX, post_source, NULL, T_STAFF, "登记一个来源：订阅源、记录文件，或栏目页的地址", NULL, AUDIT_source_add },
    { POST, "/v1/sources/:source/pull",        RIGHT_EDIT, ON_WRITER, R_FOR_GOOD, source, 0, post_source_pull, NULL, T_STAFF, "现在就去取", NULL, AUDIT_source_pull },
    { DELETE, "/v1/sources/:source",           RIGHT_EDIT, ON_WRITER, R_NO_KEY | R_FOR_GOOD, source, 0, delete_source, NULL, T_STAFF, "不再去取；取来的内容保留", NULL, AUDIT_source_remove },
    { POST, "/v1/columns",                     RIGHT_EDIT, ON_WRITER, 0, NULL, STEP_BODY_MAX, post_column, NULL, T_STAFF, "新建栏目，缺少的上级一并建立", NULL, AUDIT_column_create },
    { PATCH, "/v1/columns/:column",            RIGHT_EDIT, ON_WRITER, 0, column, STEP_BODY_MAX, patch_column, NULL, T_STAFF, "修改栏目，或关闭它", NULL, AUDIT_column_edit },

    { GET, "/v1/keys/seal/reseal",             RIGHT_OPERATE, ON_LOOP, R_HIDDEN, NULL, 0, get_key_reseal, NULL, T_ADMIN, "重新加密个人信息的进展", NULL },
    { POST, "/v1/keys/seal/reseal",            RIGHT_OPERATE, ON_WRITER, R_NO_KEY | R_HIDDEN | R_FOR_GOOD, NULL, 0, post_key_reseal, NULL, T_ADMIN, "用最新的密钥重新加密个人信息（在后台进行）", NULL, AUDIT_key_reseal },
    { POST, "/v1/keys/:role/retire",           RIGHT_OPERATE, ON_WRITER, R_NO_KEY | R_HIDDEN | R_FOR_GOOD, retired_params, 0, post_key_retire, NULL, T_ADMIN, "停用不再需要的旧密钥，如 seal.1", NULL, AUDIT_key_retire },
    { POST, "/v1/keys/:role/rotate",           RIGHT_OPERATE, ON_WRITER, R_NO_KEY | R_HIDDEN | R_FOR_GOOD, key_params, 0, post_key_rotate, NULL, T_ADMIN, "换一把签名密钥：platform，或一个数据流的名称", NULL, AUDIT_key_rotate },
    { GET, "/v1/websub",                       RIGHT_OPERATE, ON_WORKER, 0, websub_params, 0, get_websub, NULL, T_ADMIN, "订阅源的推送订阅（WebSub）：谁、哪个源、到期时间、失败次数", "/v1/websub?after=0" },
    { GET, "/v1/mirrors",                      RIGHT_OPERATE, ON_WORKER, 0, NULL, 0, get_mirrors, NULL, T_ADMIN, "镜像的数据流：到了哪里，出了什么错", NULL },
    { POST, "/v1/mirrors",                     RIGHT_OPERATE, ON_WRITER, R_FOR_GOOD, NULL, STEP_BODY_MAX, post_mirror, NULL, T_ADMIN, "镜像另一台服务器的一个数据流", NULL, AUDIT_mirror_add },
    { DELETE, "/v1/mirrors/:stream",           RIGHT_OPERATE, ON_WRITER, R_NO_KEY | R_FOR_GOOD, mirrored, 0, delete_mirror, NULL, T_ADMIN, "不再镜像，删去本机的副本", NULL, AUDIT_mirror_remove },
    { GET, "/v1/alerts",                       RIGHT_OPERATE, ON_LOOP, 0, NULL, 0, get_alerts, NULL, T_ADMIN, "告警：现在有什么不对，从何时起，怎么办", NULL },
    { GET, "/v1/accounts",                     RIGHT_SECURE, ON_WORKER, 0, account_list_params, 0, get_accounts, NULL, T_ADMIN, "工作人员的账号", NULL, AUDIT_account_list },
    { PATCH, "/v1/accounts/:account",          RIGHT_SECURE, ON_WRITER, R_RESERVE, account_params, STEP_BODY_MAX, patch_account, NULL, T_ADMIN, "停用一个账号，或恢复它；停用后它的登录随即结束", NULL, AUDIT_account_state },
    { POST, "/v1/inbox",                       RIGHT_OPERATE, ON_WRITER, 0, NULL, STEP_BODY_MAX, post_message, NULL, T_ADMIN, "给一个账号发一条系统通知；同一组只收到一次", NULL, AUDIT_message_send },
    { DELETE, "/v1/inbox/:group",              RIGHT_OPERATE, ON_WRITER, R_NO_KEY | R_RESERVE, inbox_group_params, 0, delete_messages, NULL, T_ADMIN, "撤回一组消息：从所有设备上消失", "/v1/inbox/outage-3", AUDIT_message_withdraw },
    { GET, "/v1/devices",                      RIGHT_OPERATE, ON_WORKER, 0, NULL, 0, get_staff_devices, NULL, T_ADMIN, "工作人员可以在哪些设备上办公，和等着登记的设备", NULL, AUDIT_staff_device_list },
    { POST, "/v1/devices",                     RIGHT_OPERATE, ON_WRITER, 0, NULL, STEP_BODY_MAX, post_staff_device, NULL, T_ADMIN, "登记一台设备：对一个站点，或全部站点；登记了第一台，名单以外的就不能办公", NULL, AUDIT_staff_device_add },
    { DELETE, "/v1/devices/:device",           RIGHT_OPERATE, ON_WRITER, R_NO_KEY | R_RESERVE, staff_device_params, 0, delete_staff_device, NULL, T_ADMIN, "从名单里去掉一台设备，下一个请求即生效", NULL, AUDIT_staff_device_remove },
    { GET, "/v1/roles",                        RIGHT_SECURE, ON_WORKER, 0, NULL, 0, get_roles, NULL, T_ADMIN, "谁有什么角色", NULL, AUDIT_role_list },
    { GET, "/v1/roles/:account",               RIGHT_SECURE, ON_WORKER, 0, role_list_params, 0, get_roles_of, NULL, T_ADMIN, "一个账号的角色", NULL, AUDIT_role_read },
    { POST, "/v1/roles",                       RIGHT_SECURE, ON_WRITER, 0, NULL, STEP_BODY_MAX, post_role, NULL, T_ADMIN, "授予角色：对一个站点，或全部站点", NULL, AUDIT_role_grant },
    { DELETE, "/v1/roles/:account",            RIGHT_SECURE, ON_WRITER, R_NO_KEY | R_RESERVE, role_params, 0, delete_role, NULL, T_ADMIN, "收回角色，下一个请求即生效", NULL, AUDIT_role_revoke },

    { POST, "/v1/warnings",                    RIGHT_READ, ON_WRITER, R_NO_KEY | R_BYTES | R_RESERVE, NULL, CAP_MAX, post_warning, prepare_warning, T_WARNINGS, "发来一条预警信息：CAP 1.2 的 XML，由登记的单位签名", NULL, AUDIT_warning_take },
    { GET, "/v1/staff/warnings",               RIGHT_SECURE | RIGHT_OPERATE | RIGHT_AUDIT, ON_WORKER, 0, warning_list_params, 0, get_staff_warnings, NULL, T_WARNINGS, "收到的预警，新的在前；演练和测试也在内", NULL, AUDIT_warning_list },
    { PUT, "/v1/warning-senders/:sender",      RIGHT_SECURE, ON_WRITER, R_NO_KEY, warning_sender_params, WARNING_SENDER_JSON, put_warning_sender, NULL, T_WARNINGS, "登记发布单位，或修改登记：等待另一个人确认", NULL, AUDIT_warning_propose },
    { POST, "/v1/warning-senders/:sender/confirm", RIGHT_SECURE, ON_WRITER, R_NO_KEY, warning_sender_params, STEP_BODY_MAX, post_warning_sender_confirm, NULL, T_WARNINGS, "确认看过的登记：从此生效", NULL, AUDIT_warning_confirm },
    { POST, "/v1/warning-senders/:sender/stop",    RIGHT_SECURE, ON_WRITER, R_NO_KEY | R_RESERVE, warning_sender_params, STEP_BODY_MAX, post_warning_sender_stop, NULL, T_WARNINGS, "停用发布单位，下一个请求即生效", NULL, AUDIT_warning_stop },

    { POST, "/v1/push/receipts/:vendor",       RIGHT_READ, ON_WRITER, R_NO_KEY | R_QUIET | R_BYTES, push_receipts_params, PUSH_RECEIPTS_MAX, post_push_receipts, prepare_push_receipts, T_PUSH, "厂商告知消息送达、点击或丢弃：凭随消息发出的记号", NULL },
    { POST, "/v1/push/audience",               RIGHT_PUSH | RIGHT_PUSH_APPROVE, ON_WORKER, R_NO_KEY, NULL, PUSH_BODY_MAX, post_audience, NULL, T_PUSH, "一个范围内有多少台设备", NULL },
    { GET, "/v1/channels",                     CHANNEL_RIGHTS | RIGHT_OPERATE, ON_WORKER, 0, channels_params, 0, get_channels, NULL, T_CHANNELS, "在其他平台的账号：谁运行，备案情况，最近发布", "/v1/channels" },
    { POST, "/v1/channels",                    RIGHT_PUBLISH, ON_WRITER, 0, NULL, CHANNEL_BODY_MAX, post_channel, NULL, T_CHANNELS, "登记一个账号", NULL, AUDIT_channel_create },
    { GET, "/v1/channels/:channel",            CHANNEL_RIGHTS | RIGHT_OPERATE, ON_WORKER, 0, channel_params, 0, get_channel, NULL, T_CHANNELS, "一个账号", "/v1/channels/1" },
    { PATCH, "/v1/channels/:channel",          RIGHT_PUBLISH, ON_WRITER, 0, channel_params, CHANNEL_BODY_MAX, patch_channel, NULL, T_CHANNELS, "修改账号的登记，和它的自动回复", NULL, AUDIT_channel_edit },
    { PUT, "/v1/channels/:channel/credentials", RIGHT_OPERATE, ON_WRITER, R_NO_KEY, channel_params, CHANNEL_CREDENTIALS_MAX, put_channel_credentials, NULL, T_CHANNELS, "设置账号的凭证：加密保存，不再显示", NULL, AUDIT_channel_credentials },
    { GET, "/v1/channels/:channel/versions",   CHANNEL_RIGHTS, ON_WORKER, 0, channel_versions_params, 0, get_channel_versions, NULL, T_CHANNELS, "为一个账号写的文稿，新的在前", "/v1/channels/1/versions" },
    { POST, "/v1/channels/:channel/versions",  RIGHT_EDIT, ON_WRITER, 0, channel_params, CHANNEL_BODY_MAX, post_channel_version, NULL, T_CHANNELS, "按一条已发布的内容，为一个账号写一稿", NULL, AUDIT_channel_write },
    { GET, "/v1/channel-versions/:version",    CHANNEL_RIGHTS, ON_WORKER, 0, channel_version_params, 0, get_channel_version, NULL, T_CHANNELS, "一稿的全部，和它还有什么不合平台的规定", NULL },
    { PATCH, "/v1/channel-versions/:version",  RIGHT_EDIT, ON_WRITER, 0, channel_version_params, CHANNEL_BODY_MAX, patch_channel_version, NULL, T_CHANNELS, "修改一稿：批准随即作废", NULL, AUDIT_channel_rewrite },
    { POST, "/v1/channel-versions/:version/approve", RIGHT_REVIEW, ON_WRITER, 0, channel_version_params, STEP_BODY_MAX, post_channel_approve, NULL, T_CHANNELS, "批准看过的那一稿；自己写的由别人批准", NULL, AUDIT_channel_approve },
    { POST, "/v1/channel-versions/:version/return",  RIGHT_REVIEW, ON_WRITER, R_RESERVE, channel_version_params, STEP_BODY_MAX, post_channel_return, NULL, T_CHANNELS, "退回修改", NULL, AUDIT_channel_return },
    { POST, "/v1/channel-versions/:version/send",    RIGHT_PUBLISH, ON_WRITER, 0, channel_version_params, 0, post_channel_send, NULL, T_CHANNELS, "交付发布：一稿只发一次", NULL, AUDIT_channel_send },
    { GET, "/v1/channel-tasks",                CHANNEL_RIGHTS, ON_WORKER, 0, channel_tasks_params, 0, get_channel_tasks, NULL, T_CHANNELS, "发布任务，新的在前；结果不明的用 state=unknown", NULL },
    { GET, "/v1/channel-tasks/:task",          CHANNEL_RIGHTS, ON_WORKER, 0, channel_task_params, 0, get_channel_task, NULL, T_CHANNELS, "一个发布任务到了哪一步", NULL },
    { POST, "/v1/channel-tasks/:task/cancel",  RIGHT_PUBLISH, ON_WRITER, R_RESERVE, channel_task_params, 0, post_channel_cancel, NULL, T_CHANNELS, "取消还没有发出的", NULL, AUDIT_channel_cancel },
    { POST, "/v1/channel-tasks/:task/retry",   RIGHT_PUBLISH, ON_WRITER, 0, channel_task_params, 0, post_channel_retry, NULL, T_CHANNELS, "平台拒绝了的，再试一次", NULL, AUDIT_channel_retry },
    { POST, "/v1/channel-tasks/:task/resolve", RIGHT_PUBLISH, ON_WRITER, R_RESERVE, channel_task_params, STEP_BODY_MAX, post_channel_resolve, NULL, T_CHANNELS, "结果不明的，由人认定：发出了，或者没有（再发）", NULL, AUDIT_channel_resolve },
    { GET, "/wechat/:channel",                 RIGHT_READ, ON_WORKER, R_HIDDEN | R_FORM | R_FREE, channel_params, 0, get_wechat, NULL, T_CHANNELS, "公众号的服务器配置：微信核对地址", NULL },
    { POST, "/wechat/:channel",                RIGHT_READ, ON_WORKER, R_HIDDEN | R_BYTES | R_FREE | R_NO_KEY | R_QUIET, channel_params, WECHAT_XML_MAX, post_wechat, NULL, T_CHANNELS, "公众号收到的消息：微信送来，五秒内答复", NULL, 0, NULL, "success" },
    { GET, "/v1/push/campaigns",               CAMPAIGN_RIGHTS, ON_WORKER, 0, campaigns_params, 0, get_campaigns, NULL, T_PUSH, "推送，新的在前", NULL },
    { POST, "/v1/push/campaigns",              RIGHT_PUSH, ON_WRITER, 0, NULL, CAMPAIGN_JSON_MAX, post_campaign, NULL, T_PUSH, "起草一条推送：它指向一条已发布的内容", NULL, AUDIT_campaign_create },
    { GET, "/v1/push/campaigns/:campaign",     CAMPAIGN_RIGHTS, ON_WORKER, 0, campaign_params, 0, get_campaign, NULL, T_PUSH, "一条推送的全部", "/v1/push/campaigns/1" },
    { PATCH, "/v1/push/campaigns/:campaign",   RIGHT_PUSH, ON_WRITER, 0, campaign_params, CAMPAIGN_JSON_MAX, patch_campaign, NULL, T_PUSH, "修改推送：批准和试发随即作废", NULL, AUDIT_campaign_edit },
    { GET, "/v1/push/campaigns/:campaign/plan",    CAMPAIGN_RIGHTS, ON_WORKER, 0, campaign_params, 0, get_campaign_plan, NULL, T_PUSH, "预计：能到达多少台，少了哪些，何时发完", "/v1/push/campaigns/1/plan" },
    { GET, "/v1/push/campaigns/:campaign/sample",  CAMPAIGN_RIGHTS, ON_WORKER, 0, campaign_params, 0, get_campaign_sample, NULL, T_PUSH, "范围的样本，最多五人，隐去大部分号码", "/v1/push/campaigns/1/sample", AUDIT_campaign_sample },
    { GET, "/v1/push/campaigns/:campaign/steps",   CAMPAIGN_RIGHTS, ON_WORKER, 0, campaign_params, 0, get_campaign_steps, NULL, T_PUSH, "推送的经过：谁在何时做了什么", "/v1/push/campaigns/1/steps" },
    { GET, "/v1/push/campaigns/:campaign/report",  CAMPAIGN_RIGHTS, ON_WORKER, 0, campaign_params, 0, get_campaign_report, NULL, T_PUSH, "发送的结果，按通道和区；撤回了多少", "/v1/push/campaigns/1/report" },
    { GET, "/v1/push/missing",                 CAMPAIGN_RIGHTS, ON_WORKER, 0, NULL, 0, get_push_missing, NULL, T_PUSH, "该推送而没有推送的，和停着不动的", "/v1/push/missing" },
    { GET, "/v1/push/campaigns/:campaign/live",    CAMPAIGN_RIGHTS, ON_WORKER, 0, campaign_params, 0, get_campaign_live, NULL, T_PUSH, "发送的进展，有变化立即送到（Server-Sent Events）", NULL },
    { GET, "/v1/push/campaigns/:campaign/report.csv", CAMPAIGN_RIGHTS, ON_WORKER, 0, campaign_params, 0, get_campaign_report_csv, NULL, T_PUSH, "同上，为电子表格（CSV），按通道和区", NULL },
    { POST, "/v1/push/campaigns/:campaign/copy",     RIGHT_PUSH, ON_WRITER, 0, campaign_params, 0, post_campaign_copy, NULL, T_PUSH, "照样另起草一条", NULL, AUDIT_campaign_create },
    { POST, "/v1/push/campaigns/:campaign/test",     RIGHT_PUSH, ON_WRITER, 0, campaign_params, CAMPAIGN_ORDER_MAX, post_campaign_step, NULL, T_PUSH, "试发到名单里的手机", NULL, AUDIT_campaign_test },
    { POST, "/v1/push/campaigns/:campaign/submit",   RIGHT_PUSH, ON_WRITER, 0, campaign_params, CAMPAIGN_ORDER_MAX, post_campaign_step, NULL, T_PUSH, "送审", NULL, AUDIT_campaign_submit },
    { POST, "/v1/push/campaigns/:campaign/approve",  RIGHT_PUSH_APPROVE, ON_WRITER, 0, campaign_params, CAMPAIGN_ORDER_MAX, post_campaign_step, prepare_campaign_approval, T_PUSH, "批准看过的那一稿", NULL, AUDIT_campaign_approve },
    { POST, "/v1/push/campaigns/:campaign/return",   RIGHT_PUSH_APPROVE, ON_WRITER, R_RESERVE, campaign_params, CAMPAIGN_ORDER_MAX, post_campaign_step, NULL, T_PUSH, "退回修改", NULL, AUDIT_campaign_return },
    { POST, "/v1/push/campaigns/:campaign/reject",   RIGHT_PUSH_APPROVE, ON_WRITER, R_RESERVE, campaign_params, CAMPAIGN_ORDER_MAX, post_campaign_step, NULL, T_PUSH, "不予通过", NULL, AUDIT_campaign_reject },
    { POST, "/v1/push/campaigns/:campaign/schedule", RIGHT_PUSH, ON_WRITER, 0, campaign_params, CAMPAIGN_ORDER_MAX, post_campaign_step, NULL, T_PUSH, "排期：到时发送", NULL, AUDIT_campaign_schedule },
    { POST, "/v1/push/campaigns/:campaign/cancel",   CAMPAIGN_RIGHTS, ON_WRITER, R_RESERVE, campaign_params, CAMPAIGN_ORDER_MAX, post_campaign_step, NULL, T_PUSH, "取消还没有开始的", NULL, AUDIT_campaign_cancel },
    { POST, "/v1/push/campaigns/:campaign/pause",    CAMPAIGN_RIGHTS, ON_WRITER, R_RESERVE, campaign_params, CAMPAIGN_ORDER_MAX, post_campaign_step, NULL, T_PUSH, "暂停发送", NULL, AUDIT_campaign_pause },
    { POST, "/v1/push/campaigns/:campaign/resume",   CAMPAIGN_RIGHTS, ON_WRITER, 0, campaign_params, CAMPAIGN_ORDER_MAX, post_campaign_step, NULL, T_PUSH, "继续发送", NULL, AUDIT_campaign_resume },
    { POST, "/v1/push/campaigns/:campaign/recall",   CAMPAIGN_RIGHTS, ON_WRITER, R_RESERVE, campaign_params, CAMPAIGN_ORDER_MAX, post_campaign_step, NULL, T_PUSH, "撤回：停止发送，能收回的收回", NULL, AUDIT_campaign_recall },
    { GET, "/v1/notice-templates",             NOTICE_RIGHTS, ON_WORKER, 0, notice_templates_params, 0, get_notice_templates, NULL, T_PUSH, "服务通知的模板，新的在前", NULL },
    { POST, "/v1/notice-templates",            RIGHT_NOTICE | RIGHT_PUSH, ON_WRITER, 0, NULL, NOTICE_JSON_MAX, post_notice_template, NULL, T_PUSH, "起草一个通知模板，或它的新版，等待批准", NULL, AUDIT_notice_draft },
    { GET, "/v1/notice-templates/:template",   NOTICE_RIGHTS, ON_WORKER, 0, notice_template_params, 0, get_notice_template, NULL, T_PUSH, "一个通知模板", NULL },
    { POST, "/v1/notice-templates/:template/approve", RIGHT_PUSH_APPROVE, ON_WRITER, 0, notice_template_params, NOTICE_ORDER_MAX, post_notice_approve, NULL, T_PUSH, "批准看过的那一稿；自己起草的由别人批准", NULL, AUDIT_notice_approve },
    { POST, "/v1/notice-templates/:template/return",  RIGHT_PUSH_APPROVE, ON_WRITER, R_RESERVE, notice_template_params, NOTICE_ORDER_MAX, post_notice_return, NULL, T_PUSH, "退回通知模板", NULL, AUDIT_notice_return },
    { POST, "/v1/notice-templates/:template/retire",  NOTICE_RIGHTS, ON_WRITER, R_RESERVE, notice_template_params, NOTICE_ORDER_MAX, post_notice_retire, NULL, T_PUSH, "停用通知模板", NULL, AUDIT_notice_retire },
    { POST, "/v1/notices",                     RIGHT_NOTICE, ON_WRITER, 0, NULL, NOTICE_JSON_MAX, post_notice, NULL, T_PUSH, "按批准的模板给一个人发一条服务通知；同一个 id 只发一次", NULL, AUDIT_notice_send },
    { GET, "/v1/notices/:notice",              NOTICE_RIGHTS, ON_WORKER, 0, notice_params, 0, get_notice, NULL, T_PUSH, "一条服务通知：消息还在不在，手机收到没有", NULL },
    { GET, "/v1/letters",                      RIGHT_LETTERS, ON_WORKER, 0, letters_params, 0, get_letters, NULL, T_LETTERS, "信件：办理队列，或全部变动", "/v1/letters?n=20", AUDIT_letter_list },
    { POST, "/v1/letters",                     RIGHT_LETTERS, ON_WRITER, R_LINES, letter_import_params, LETTER_LINES_MAX, post_letters, prepare_letters, T_LETTERS,
      "收入其他系统已有的信件和答复，一行一封", NULL, AUDIT_letter_import },
    { GET, "/v1/letters/:letter",              RIGHT_LETTERS, ON_WORKER, 0, letter_params, 0, get_letter, NULL, T_LETTERS, "一封信件的全部", "/v1/letters/JB2026-000123", AUDIT_letter_read },
    { POST, "/v1/letters/:letter/accept",         RIGHT_LETTERS, ON_WRITER, 0, letter_params, LETTER_BODY_MAX, post_letter_verb, NULL, T_LETTERS, "受理信件", NULL, AUDIT_letter_accept },
    { POST, "/v1/letters/:letter/refuse",         RIGHT_LETTERS, ON_WRITER, 0, letter_params, LETTER_BODY_MAX, post_letter_verb, NULL, T_LETTERS, "不予受理信件", NULL, AUDIT_letter_refuse },
    { POST, "/v1/letters/:letter/assign",         RIGHT_LETTERS, ON_WRITER, 0, letter_params, LETTER_BODY_MAX, post_letter_verb, NULL, T_LETTERS, "交办信件", NULL, AUDIT_letter_assign },
    { POST, "/v1/letters/:letter/transfer",       RIGHT_LETTERS, ON_WRITER, 0, letter_params, LETTER_BODY_MAX, post_letter_verb, NULL, T_LETTERS, "转办信件", NULL, AUDIT_letter_transfer },
    { POST, "/v1/letters/:letter/begin",          RIGHT_LETTERS, ON_WRITER, 0, letter_params, LETTER_BODY_MAX, post_letter_verb, NULL, T_LETTERS, "开始办理信件", NULL, AUDIT_letter_begin },
    { POST, "/v1/letters/:letter/ask",            RIGHT_LETTERS, ON_WRITER, 0, letter_params, LETTER_BODY_MAX, post_letter_verb, NULL, T_LETTERS, "请写信人补充", NULL, AUDIT_letter_ask },
    { POST, "/v1/letters/:letter/consult",        RIGHT_LETTERS, ON_WRITER, 0, letter_params, LETTER_BODY_MAX, post_letter_verb, NULL, T_LETTERS, "征求第三方意见", NULL, AUDIT_letter_consult },
    { POST, "/v1/letters/:letter/resume",         RIGHT_LETTERS, ON_WRITER, 0, letter_params, LETTER_BODY_MAX, post_letter_verb, NULL, T_LETTERS, "继续办理信件", NULL, AUDIT_letter_resume },
    { POST, "/v1/letters/:letter/extend",         RIGHT_LETTERS, ON_WRITER, 0, letter_params, LETTER_BODY_MAX, post_letter_verb, NULL, T_LETTERS, "延长信件期限", NULL, AUDIT_letter_extend },
    { POST, "/v1/letters/:letter/draft",          RIGHT_LETTERS, ON_WRITER, 0, letter_params, LETTER_BODY_MAX, post_letter_verb, NULL, T_LETTERS, "拟写答复", NULL, AUDIT_letter_draft },
    { POST, "/v1/letters/:letter/return",         RIGHT_LETTERS, ON_WRITER, 0, letter_params, LETTER_BODY_MAX, post_letter_verb, NULL, T_LETTERS, "退回答复稿", NULL, AUDIT_letter_return },
    { POST, "/v1/letters/:letter/review",         RIGHT_LETTERS, ON_WRITER, 0, letter_params, LETTER_BODY_MAX, post_letter_verb, NULL, T_LETTERS, "审核答复稿", NULL, AUDIT_letter_review },
    { POST, "/v1/letters/:letter/answer",         RIGHT_LETTERS, ON_WRITER, 0, letter_params, LETTER_BODY_MAX, post_letter_verb, NULL, T_LETTERS, "答复信件", NULL, AUDIT_letter_answer },
    { POST, "/v1/letters/:letter/follow",         RIGHT_LETTERS, ON_WRITER, 0, letter_params, LETTER_BODY_MAX, post_letter_verb, NULL, T_LETTERS, "回访差评信件", NULL, AUDIT_letter_follow },
    { GET, "/v1/letters/:letter/files/:hash",  RIGHT_LETTERS, ON_WORKER, 0, letter_file_params, 0, get_letter_file, NULL, T_LETTERS, "信件的一个附件", NULL, AUDIT_letter_file },
    { POST, "/v1/letters/:letter/publish",     RIGHT_LETTERS, ON_WRITER, 0, letter_params, LETTER_BODY_MAX, post_letter_publish, NULL, T_LETTERS,
      "把答复做成资源库的草稿，去掉个人信息，审核后发布", NULL, AUDIT_letter_publish },
    { GET, "/v1/letter-templates",             RIGHT_LETTERS, ON_WORKER, 0, template_params, 0, get_letter_templates, NULL, T_LETTERS, "一个单位的答复模板", NULL, AUDIT_letter_templates },
    { PUT, "/v1/letter-templates",             RIGHT_LETTERS, ON_WRITER, R_NO_KEY, NULL, LETTER_BODY_MAX, put_letter_template, NULL, T_LETTERS, "新建或修改答复模板", NULL, AUDIT_letter_template },
    { DELETE, "/v1/letter-templates/:name",    RIGHT_LETTERS, ON_WRITER, R_NO_KEY | R_RESERVE, template_drop_params, 0, delete_letter_template, NULL, T_LETTERS, "删除答复模板", NULL, AUDIT_letter_template },
    { GET, "/v1/receipts/key",                 RIGHT_READ, ON_LOOP, 0, NULL, 0, get_receipts_key, NULL, T_LETTERS, "验证信件回执的公钥（Ed25519）", NULL },

    { GET, "/v1/parties",                      RIGHT_SELF | RIGHT_ACT | RIGHT_SECURE, ON_WORKER, 0, NULL, 0, get_parties, NULL, T_PARTIES, "第三方：全部的，或自己的", NULL, AUDIT_party_list },
    { POST, "/v1/parties",                     RIGHT_SECURE, ON_WRITER, 0, NULL, PARTY_BODY_MAX, post_party, NULL, T_PARTIES, "登记一个第三方", NULL, AUDIT_party_create },
    { GET, "/v1/parties/:party",               RIGHT_SELF | RIGHT_ACT | RIGHT_SECURE, ON_WORKER, 0, party_params, 0, get_party, NULL, T_PARTIES, "一个第三方", NULL, AUDIT_party_read },
    { PATCH, "/v1/parties/:party",             RIGHT_SECURE, ON_WRITER, R_RESERVE, party_params, PARTY_BODY_MAX, patch_party, NULL, T_PARTIES, "修改它，它在一个站点的权限，或停用它（open: false）", NULL, AUDIT_party_edit },
    { GET, "/v1/parties/:party/keys",          RIGHT_SELF | RIGHT_ACT | RIGHT_SECURE, ON_WORKER, 0, party_params, 0, get_party_keys, NULL, T_PARTIES, "它的密钥（不含密钥本身）", NULL, AUDIT_party_keys },
    /* The answer holds a secret, so it is not kept for an Idempotency-Key. */
    { POST, "/v1/parties/:party/keys",         RIGHT_SELF | RIGHT_ACT | RIGHT_SECURE, ON_WRITER, R_NO_KEY, party_params, STEP_BODY_MAX, post_party_key, NULL, T_PARTIES, "签发密钥，只显示这一次", NULL, AUDIT_party_key },
    { POST, "/v1/parties/:party/keys/:key/rotate", RIGHT_SELF | RIGHT_ACT | RIGHT_SECURE, ON_WRITER, R_NO_KEY, party_key_params, STEP_BODY_MAX, post_party_key_rotate, NULL, T_PARTIES,
      "换一把密钥：新旧两把并行一段时间", NULL, AUDIT_party_rotate },
    { DELETE, "/v1/parties/:party/keys/:key",  RIGHT_SELF | RIGHT_ACT | RIGHT_SECURE, ON_WRITER, R_NO_KEY | R_RESERVE, party_key_params, 0, delete_party_key, NULL, T_PARTIES, "吊销密钥", NULL, AUDIT_party_revoke },
    { GET, "/v1/parties/:party/requests",      RIGHT_SELF | RIGHT_ACT | RIGHT_SECURE, ON_WORKER, 0, party_request_params, 0, get_party_requests, NULL, T_PARTIES, "它最近的请求：时间、接口、结果，不含内容", "/v1/parties/cms/requests?n=20", AUDIT_party_requests },
    { GET, "/v1/sandbox",                      RIGHT_READ, ON_WORKER, 0, sandbox_params, 0, get_sandbox, NULL, T_PARTIES, "测试密钥试过的请求：本来会显示什么给谁。用它的密钥，或由所有者读", "/v1/sandbox?n=20" },

    { GET, "/v1/audit",                        RIGHT_AUDIT, ON_WORKER, R_HIDDEN, audit_params, 0, get_audit, NULL, T_ADMIN, "审计记录，新的在前", "/v1/audit?n=20", AUDIT_audit_read },
    { POST, "/v1/audit/:action",               RIGHT_OPERATE, ON_WRITER, R_NO_KEY | R_HIDDEN, audit_note_params, 0, post_audit_note, NULL, T_ADMIN, "记下命令行在服务器之外所做的事：备份、导出", NULL },
    { GET, "/healthz",                         RIGHT_READ, ON_LOOP, R_FREE, NULL, 0, get_healthz, NULL, T_ADMIN, "进程活着", NULL },
    { GET, "/readyz",                          RIGHT_READ, ON_LOOP, R_FREE, NULL, 0, get_readyz, NULL, T_ADMIN, "可以接待请求", NULL },
    { GET, "/metrics",                         RIGHT_READ, ON_LOOP, R_FREE, NULL, 0, get_metrics, NULL, T_ADMIN, "运行指标（Prometheus 文本）；限本机（不经代理），或持 operate 权限", NULL },
    { GET, "/version",                         RIGHT_READ, ON_LOOP, R_CACHED, NULL, 0, get_version, NULL, T_ADMIN, "程序版本", NULL },
    { GET, "/openapi.json",                    RIGHT_READ, ON_WORKER, R_CACHED, NULL, 0, get_openapi, NULL, T_ADMIN, "本接口的 OpenAPI 3.1 文档", NULL },

    { GET, "/v1/me/consents",                  RIGHT_SELF, ON_WORKER, 0, NULL, 0, get_my_consents, NULL, T_OIDC, "我同意过的授权", NULL },
    { DELETE, "/v1/me/consents/:party",        RIGHT_SELF, ON_WRITER, R_NO_KEY | R_RESERVE, my_consent, 0, delete_my_consent, NULL, T_OIDC, "收回授权：它的登录随即结束", "/v1/me/consents/3", AUDIT_consent_end },
    { POST, "/v1/me/device",                   RIGHT_SELF, ON_WRITER, R_NO_KEY, NULL, DEVICE_BODY_MAX, post_my_device, NULL, T_OIDC, "答复一台没有键盘的设备", NULL },
    { GET, "/.well-known/openid-configuration", RIGHT_READ, ON_LOOP, R_HIDDEN | R_ANY_ORIGIN, NULL, 0, get_oidc_configuration, NULL, T_OIDC, "对自己的说明（OpenID Connect Discovery）", NULL },
    { GET, "/oauth2/keys",                     RIGHT_READ, ON_LOOP, R_HIDDEN | R_ANY_ORIGIN, NULL, 0, get_oidc_keys, NULL, T_OIDC, "验证身份声明的公钥（JWK Set）", NULL },
    { GET, "/oauth2/authorize",                RIGHT_READ, ON_WRITER, R_ASKED, NULL, 0, get_authorize, prepare_authorize, T_OIDC, "应用请求登录：浏览器来此，带着授权码回去", NULL },
    { POST, "/oauth2/authorize",               RIGHT_READ, ON_LOOP, R_ASKED, NULL, FORM_MAX, post_parked, NULL, T_OIDC, "同上，以表单提交", NULL },
    { POST, "/oauth2/token",                   RIGHT_READ, ON_WRITER, R_CALLED, NULL, FORM_MAX, post_grant, prepare_grant, T_OIDC, "以授权码、刷新令牌、设备码或应用自己的密钥换取令牌", NULL },
    { POST, "/oauth2/device",                  RIGHT_READ, ON_WRITER, R_CALLED, NULL, FORM_MAX, post_device, prepare_device, T_OIDC, "没有键盘的设备请求登录", NULL },
    { GET, "/oauth2/userinfo",                 RIGHT_READ, ON_WORKER, R_HIDDEN | R_ANY_ORIGIN, NULL, 0, get_userinfo, NULL, T_OIDC, "令牌的主人是谁", NULL },
    { POST, "/oauth2/userinfo",                RIGHT_READ, ON_WORKER, R_CALLED, NULL, FORM_MAX, get_userinfo, NULL, T_OIDC, "同上", NULL },
    { POST, "/oauth2/introspect",              RIGHT_READ, ON_WORKER, R_CALLED, NULL, FORM_MAX, post_introspect, NULL, T_OIDC, "令牌是否有效", NULL },
    { POST, "/oauth2/revoke",                  RIGHT_READ, ON_WRITER, R_CALLED | R_RESERVE, NULL, FORM_MAX, post_revoke, prepare_call, T_OIDC, "注销令牌", NULL },
    { GET, "/oauth2/logout",                   RIGHT_READ, ON_WRITER, R_ASKED, NULL, 0, get_logout, prepare_logout, T_OIDC, "应用请求退出登录", NULL },
    { POST, "/oauth2/logout",                  RIGHT_READ, ON_LOOP, R_ASKED, NULL, FORM_MAX, post_parked, NULL, T_OIDC, "同上，以表单提交", NULL },

    { GET, "/",                                PAGE, NULL, 0, get_home, NULL, T_PAGES, "首页：最新发布", NULL },
    { GET, "/large",                           PAGE, NULL, 0, get_home_large, NULL, T_PAGES, "首页，长辈版", NULL },
    { GET, "/columns",                         PAGE, directory, 0, get_directory, NULL, T_PAGES, "全部栏目", NULL },
    { GET, "/feeds",                           PAGE, NULL, 0, get_feeds_page, NULL, T_PAGES, "订阅源一览", "/feeds" },
    { GET, "/columns/:column",                 PAGE, column_page, 0, get_column_page, NULL, T_PAGES, "栏目页", "/columns/1" },
    { GET, "/search",                          PAGE, search_page_params, 0, get_search_page, NULL, T_PAGES, "搜索页", NULL },
    { GET, "/a/:id",                           PAGE, item, 0, get_article, NULL, T_PAGES, "文章页", NULL },
    { GET, "/a/:id/large",                     PAGE, item, 0, get_article_large, NULL, T_PAGES, "文章页，长辈版", NULL },
    { GET, "/a/:id/text",                      PAGE, item, 0, get_article_text, NULL, T_PAGES, "文章，纯文本", NULL },
    { GET, "/surveys/:id",                     FORM_PAGE, survey_page_params, 0, get_survey_page, NULL, T_PAGES, "问卷", NULL },
    { POST, "/surveys/:id",                    FORM, survey_page_params, FORM_MAX, post_survey_page, NULL, T_PAGES, "交一份答卷", NULL },
    { GET, "/preview/:token",                  RIGHT_READ, ON_WORKER, R_PAGE | R_HIDDEN, preview, 0, get_preview, NULL, T_PAGES, "草稿预览", NULL },
    { GET, "/docs",                            RIGHT_READ, ON_WORKER, R_PAGE | R_HIDDEN, NULL, 0, get_docs, NULL, T_PAGES, "开发者文档", NULL },
    { GET, "/problems/:slug",                  PAGE, slug, 0, get_problem, NULL, T_PAGES, "一种错误的原因与处理", "/problems/not-found" },
    { GET, "/sign-in",                         FORM_PAGE, sign_in, 0, get_sign_in_page, NULL, T_PAGES, "登录：手机号", NULL },
    { POST, "/sign-in",                        FORM, sheet, FORM_MAX, post_sign_in_page, NULL, T_PAGES, "发送验证码", NULL },
    { GET, "/sign-in/code",                    FORM_PAGE, sheet_back, 0, get_sign_in_code, NULL, T_PAGES, "登录：验证码", NULL },
    { POST, "/sign-in/code",                   FORM, sheet, FORM_MAX, post_sign_in_step, prepare_sign_in_page, T_PAGES, "核对验证码", NULL },
    { GET, "/sign-in/password",                FORM_PAGE, sheet_back, 0, get_sign_in_password, NULL, T_PAGES, "登录：密码", NULL },
    { POST, "/sign-in/password",               FORM, sheet, FORM_MAX, post_sign_in_step, prepare_sign_in_page, T_PAGES, "核对密码", NULL },
    { GET, "/sign-in/factor",                  FORM_PAGE, sheet_back, 0, get_sign_in_factor, NULL, T_PAGES, "登录：再核对一次", NULL },
    { POST, "/sign-in/factor",                 FORM, sheet, FORM_MAX, post_sign_in_step, prepare_sign_in_page, T_PAGES, "核对验证器或通行密钥", NULL },
    { GET, "/sign-in/passkey",                 FORM_PAGE, sheet_back, 0, get_sign_in_passkey, NULL, T_PAGES, "登录：通行密钥", NULL },
    { POST, "/sign-in/passkey",                FORM, sheet, FORM_MAX, post_sign_in_step, prepare_sign_in_page, T_PAGES, "核对通行密钥", NULL },
    { GET, "/sign-in/phone",                   FORM_PAGE, sheet_back, 0, get_sign_in_phone, NULL, T_PAGES, "用上游身份登录：核对手机号", NULL },
    { GET, "/sign-in/with/:upstream",          RIGHT_READ, ON_WRITER, R_PAGE | R_HIDDEN | R_NO_KEY, upstream_back, 0, get_upstream_with, prepare_upstream_with, T_PAGES, "去上游登录：政务一网通、微信等", NULL },
    { GET, "/sign-in/from/:upstream",          RIGHT_READ, ON_WRITER, R_PAGE | R_HIDDEN | R_FORM | R_NO_KEY, upstream_large, 0, get_upstream_from, prepare_upstream_from, T_PAGES, "从上游回来", NULL },
    { GET, "/sign-in/done",                    FORM_PAGE, sheet_back, 0, get_sign_in_done, NULL, T_PAGES, "登录以后，回到第三方", NULL },
    { GET, "/sign-out",                        FORM_PAGE, sheet_back, 0, get_sign_out_page, NULL, T_PAGES, "退出登录", NULL },
    { POST, "/sign-out",                       FORM, sheet, FORM_MAX, post_sign_out_page, NULL, T_PAGES, "退出登录", NULL },
    { GET, "/account",                         OUR_PAGE, account, 0, get_account_page, NULL, T_PAGES, "我的账号", NULL },
    { POST, "/account/name",                   MY_FORM, sheet, FORM_MAX, post_account_name, NULL, T_PAGES, "修改称呼", NULL },
    { GET, "/account/inbox",                   MY_PAGE, inbox_page_params, 0, get_account_inbox, NULL, T_PAGES, "我的消息", NULL },
    { POST, "/account/inbox/seen",             MY_FORM, sheet, FORM_MAX, post_account_inbox_seen, NULL, T_PAGES, "把消息标为已读", NULL },
    { POST, "/account/inbox/drop",             MY_FORM, sheet, FORM_MAX, post_account_inbox_drop, NULL, T_PAGES, "删除一条消息", NULL },
    { GET, "/account/devices",                 MY_PAGE, account, 0, get_account_devices, NULL, T_PAGES, "登录的设备", NULL },
    { POST, "/account/devices/end",            MY_FORM, sheet, FORM_MAX, post_account_device, NULL, T_PAGES, "让一台设备退出登录", NULL },
    { POST, "/account/devices/end-others",     MY_FORM, sheet, FORM_MAX, post_account_devices, NULL, T_PAGES, "让别的设备全部退出登录", NULL },
    { GET, "/account/password",                MY_PAGE, account, 0, get_account_password, NULL, T_PAGES, "设置或修改密码", NULL },
    { POST, "/account/password",               MY_FORM, sheet, FORM_MAX, post_account_password, prepare_account_password, T_PAGES, "保存新密码", NULL },
    { GET, "/account/factors",                 MY_PAGE, account, 0, get_account_factors, NULL, T_PAGES, "验证器与通行密钥", NULL },
    { GET, "/account/factors/app",             MY_PAGE, sheet, 0, get_factor_app, NULL, T_PAGES, "加一个验证器应用", NULL },
    { POST, "/account/factors/app",            MY_FORM, sheet, FORM_MAX, post_factor_page, prepare_factor_page, T_PAGES, "加一个验证器应用", NULL },
    { GET, "/account/factors/passkey",         MY_PAGE, sheet, 0, get_factor_passkey, NULL, T_PAGES, "加一把通行密钥", NULL },
    { POST, "/account/factors/passkey",        MY_FORM, sheet, FORM_MAX, post_factor_page, prepare_factor_page, T_PAGES, "加一把通行密钥", NULL },
    { POST, "/account/factors/remove",         MY_FORM, sheet, FORM_MAX, post_factor_remove, NULL, T_PAGES, "移除一个验证器或通行密钥", NULL },
    { GET, "/account/programs",                MY_PAGE, account, 0, get_account_programs, NULL, T_PAGES, "授权的程序", NULL },
    { POST, "/account/programs",               MY_FORM, sheet, FORM_MAX, post_account_program, NULL, T_PAGES, "收回授权", NULL },
    { GET, "/account/bindings",                MY_PAGE, account, 0, get_account_bindings, NULL, T_PAGES, "手机号与绑定", NULL },
    { POST, "/account/bindings/end",           MY_FORM, sheet, FORM_MAX, post_account_binding_end, NULL, T_PAGES, "解绑", NULL },
    { POST, "/account/link/:upstream",         MY_FORM, upstream_large, FORM_MAX, post_upstream_link, prepare_upstream_with, T_PAGES, "绑定上游身份：政务一网通、微信等", NULL },
    { GET, "/account/phone",                   MY_PAGE, sheet, 0, get_account_phone, NULL, T_PAGES, "绑定手机号", NULL },
    { POST, "/account/phone",                  MY_FORM, sheet, FORM_MAX, post_account_phone, NULL, T_PAGES, "给它发送验证码", NULL },
    { GET, "/account/phone/code",              MY_PAGE, sheet, 0, get_account_phone_code, NULL, T_PAGES, "绑定手机号：验证码", NULL },
    { POST, "/account/phone/code",             MY_FORM, sheet, FORM_MAX, post_account_phone_code, NULL, T_PAGES, "核对验证码", NULL },
    { POST, "/account/phone/join",             MY_FORM, sheet, FORM_MAX, post_account_phone_join, NULL, T_PAGES, "合并两个账号", NULL },
    { GET, "/account/data",                    MY_PAGE, sheet, 0, get_account_data, NULL, T_PAGES, "导出我的数据", NULL },
    { GET, "/account/data/export",             MY_PAGE, sheet, 0, get_account_export, NULL, T_PAGES, "下载我的数据", NULL, AUDIT_account_export },
    { GET, "/account/leave",                   MY_PAGE, account, 0, get_account_leave, NULL, T_PAGES, "注销账号", NULL },
    { POST, "/account/leave",                  MY_FORM, sheet, FORM_MAX, post_account_leave, NULL, T_PAGES, "申请注销", NULL },
    { POST, "/account/leave/stay",             MY_FORM, sheet, FORM_MAX, post_account_stay, NULL, T_PAGES, "撤回注销", NULL },
    { GET, "/account/organisations",           OUR_PAGE, account, 0, get_account_organisations, NULL, T_PAGES, "以单位的名义办事", NULL },
    { GET, "/account/owned",                   OUR_PAGE, account, 0, get_account_owned, NULL, T_PAGES, "负责的程序", NULL },
    { POST, "/account/owned",                  OUR_FORM, sheet, FORM_MAX, post_account_owned, NULL, T_PAGES, "吊销密钥，停用程序", NULL },
    { POST, "/account/act",                    OUR_FORM, sheet, FORM_MAX, post_account_act, NULL, T_PAGES, "开始以单位的名义办事", NULL },
    { POST, "/account/act/end",                RIGHT_ACT, ON_WRITER, R_PAGE | R_HIDDEN | R_FORM | R_NO_KEY, sheet, FORM_MAX, post_account_act_end, NULL, T_PAGES, "不再以单位的名义办事", NULL },
    { GET, "/consent",                         FORM_PAGE, consent, 0, get_consent, NULL, T_PAGES, "第三方程序请求授权", NULL },
    { POST, "/consent",                        FORM, sheet, FORM_MAX, post_consent, NULL, T_PAGES, "同意或不同意", NULL },
    { GET, "/device",                          FORM_PAGE, device, 0, get_device_page, NULL, T_PAGES, "让一台设备登录：输入字母", NULL },
    { POST, "/device",                         FORM, sheet, FORM_MAX, post_device_page, NULL, T_PAGES, "找到那台设备", NULL },
    { GET, "/device/confirm",                  FORM_PAGE, device, 0, get_device_confirm, NULL, T_PAGES, "让一台设备登录：核对", NULL },
    { POST, "/device/confirm",                 MY_FORM, sheet, FORM_MAX, post_device_confirm, NULL, T_PAGES, "同意或不同意", NULL },
    { GET, "/set-up",                          FORM_PAGE, set_up, 0, get_set_up, NULL, T_PAGES, "工作人员设置账号：一次性链接", NULL },
    { POST, "/set-up",                         FORM, sheet, FORM_MAX, post_set_up, prepare_set_up, T_PAGES, "完成设置", NULL },
    { GET, "/passkey.js",                      MEMORY, NULL, 0, get_passkey_script, NULL, T_PAGES, "通行密钥所需的脚本", NULL },
    { GET, "/style.css",                       MEMORY, NULL, 0, get_style, NULL, T_PAGES, "样式", NULL },
    { GET, "/favicon.ico",                     MEMORY, NULL, 0, get_favicon, NULL, T_PAGES, "图标", NULL },
    { GET, "/robots.txt",                      MEMORY, NULL, 0, get_robots, NULL, T_PAGES, "给搜索引擎", NULL },
    { 0 },
};
/* clang-format on */

const struct route_tag routes_tags[] = {
    { T_READ, "任何人都可以读：机构、站点、栏目、内容、附件。不需要凭证，可以缓存。" },
    { T_SYNC, "把全部公开内容保存到本机，并跟上每一次变更；内容有签名，断网可读。" },
    { T_ACCOUNT, "登录、退出与自己的账号。登录一步一步走，每一步的答复说出下一步要什么；逐字节"
                 "的说明见 docs/protocol/auth.md。" },
    { T_IMPORT, "其他系统把内容成批送入资源库，或逐条报送、随时查看结果，见 "
                "docs/ingest.md。需要 import 权限。" },
    { T_LETTERS,
      "办理市民的信件：受理、交办、转办、答复、延期；单位自己的系统也用这些接口。写信人"
      "用 POST /v1/me/sync，见 docs/letters.md。" },
    { T_PUSH, "起草、试发、送审、批准、排期、撤回一条推送，见 docs/push.md。手机用 PUT "
              "/v1/me/push 说明从哪里接收。其他单位的程序按批准的模板给一个人发"
              "服务通知，见 docs/notices.md。" },
    { T_CHANNELS, "在微信公众号、微博等平台的账号：登记，为它们写的版本，送出的结果；见 "
                  "docs/channels.md。" },
    { T_WARNINGS, "有权发布的单位签名发来预警，原样转发；登记这些单位。逐字节的说明见 "
                  "docs/protocol/warnings.md。" },
    { T_STAFF, "起草、送审、发布、移动与撤稿；机构、站点与栏目的设置。" },
    { T_OIDC, "以本平台的账号登录其他程序（OpenID Connect）：浏览器与程序所用的接口，见 "
              "docs/protocol/oidc.md；这里是本人收回授权、同意设备登录的接口。" },
    { T_ADMIN, "角色，以及服务器对自己的说明。" },
    { T_PARTIES, "其他单位的程序：它是谁的，能做什么，密钥与限额。由安全管理员登记；所有者自己"
                 "换密钥，看请求记录。" },
    { 0 },
};
