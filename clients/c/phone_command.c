/*
 * phone_command.c - the table of tjzw-phone's commands, its options, and the help that comes from both.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/phone.h"

/* ---- commands ---- */

static const struct phone_command commands[] = {
    { "sync", NULL, "取回最新内容，核验签名后才采用；断网、中断都不影响已有内容",
      "tjzw-phone --store a.db --server https://127.0.0.1:8443 --cacert "
      "tjzw-data/keys/tls-cert.pem sync -v",
      phone_sync, true, 0 },
    { "list", NULL, "列出条目，新的在前",
      "tjzw-phone --store a.db list --column 通知公告 -n 20", phone_list },
    { "show", "ID", "显示一条的全文",
      "tjzw-phone --store a.db show 019a2b3c-0000-7000-8000-000000000001", phone_show_item },
    { "search", "WORD", "在标题和全文中查找；几个词用空格分开，须都出现",
      "tjzw-phone --store a.db search \"社保 缴费\"", phone_search },
    { "alerts", NULL,
      "预警：现在有效的，重的在前；其后可给区划代码（6、9 或 12 位），只看与那里有关的",
      "tjzw-phone --store a.db alerts 120101", phone_alerts, false, 1 },
    { "columns", NULL, "列出栏目和各有多少条", "tjzw-phone --store a.db columns",
      phone_columns },
    { "status", NULL, "有多少条，何时核验，是否最新", "tjzw-phone --store a.db status",
      phone_status },
    { "keep", "ID", "收藏一条：不论保留范围都留在本机，并随同步更新",
      "tjzw-phone --store a.db keep 019a2b3c-0000-7000-8000-000000000001", phone_keep },
    { "unkeep", "ID", "取消收藏；在保留范围之外的随即删去",
      "tjzw-phone --store a.db unkeep 019a2b3c-0000-7000-8000-000000000001", phone_unkeep },
    { "fetch", "ID", "取回保留范围之外的一条旧内容，核验后收藏",
      "tjzw-phone --store a.db fetch 019a2b3c-0000-7000-8000-000000000001", phone_fetch, true,
      0 },
    { "blob", "HASH",
      "取条目的图片或附件（show 里的 64 位十六进制），存到其后给出的文件；不给则输出",
      "tjzw-phone --store a.db blob "
      "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae 附件.pdf",
      phone_blob, true, 1 },
    { "listen", NULL, "一直连着服务器，一有新内容就同步，写下的随即送出；其后可给秒数",
      "tjzw-phone --store a.db listen 60", phone_listen, true, 1 },
    { "watch", NULL, "看着：有新内容、新消息就写出来，直到停下；其后可给秒数",
      "tjzw-phone --store a.db watch", phone_watch, true, 1 },
    { "device", NULL,
      "推送：本机从哪里接收；其后给 huawei、xiaomi、apns… 和令牌则告诉服务器，remove "
      "为不再接收",
      "tjzw-phone --store a.db device huawei 0123456789abcdef", phone_device, true, 2 },
    { "background", NULL, "后台同步一次：限时、限内存，没到时候就什么也不做；其后可给秒数",
      "tjzw-phone --store a.db background 25", phone_background, true, 1 },
    { "sign-in", "NAME",
      "登录：先给手机号要验证码，再给手机号和验证码；或用 --password 给手机号或用户名，密码从"
      "标准输入读",
      "tjzw-phone --store a.db sign-in 13800138000 123456", phone_sign_in, true, 1 },
    { "sign-out", NULL, "退出：个人内容从本机删去，没送出的封存待同一账号再登录",
      "tjzw-phone --store a.db sign-out", phone_sign_out },
    { "me", NULL, "现在是谁，有多少待送出、需要处理、未读", "tjzw-phone --store a.db me",
      phone_me },
    { "fav", NULL, "个人收藏，各台设备相同；其后给条目编号则收藏，不给则列出",
      "tjzw-phone --store a.db fav 019a2b3c-0000-7000-8000-000000000001", phone_fav, false, 1 },
    { "unfav", "ID", "取消个人收藏",
      "tjzw-phone --store a.db unfav 019a2b3c-0000-7000-8000-000000000001", phone_unfav },
    { "read", NULL, "其后给条目编号则记为已读，不给则列出已读的范围",
      "tjzw-phone --store a.db read 019a2b3c-0000-7000-8000-000000000001", phone_read, false,
      1 },
    { "follow", NULL,
      "关注：其后给 "
      "column/main/12、org/代码、area/120104、tag/词，再后可给位置；不给则按顺序列出",
      "tjzw-phone --store a.db follow tag/社保 1", phone_follow, false, 2 },
    { "unfollow", "KEY", "取消关注", "tjzw-phone --store a.db unfollow tag/社保",
      phone_unfollow },
    { "set", NULL, "设置：其后给名称和值，只给名称则恢复默认，不给则列出",
      "tjzw-phone --store a.db set font 20", phone_set, false, 2 },
    { "put", "TYPE", "任何类型的一项：其后给键和 JSON 值，只给键则删去，不给则列出",
      "tjzw-phone --store a.db put consent push/class/weather true", phone_put, false, 2 },
    { "counts", NULL,
      "浏览量：您看过的内容要不要计数（不带账号）；counts on 同意，counts off 不同意",
      "tjzw-phone --store a.db counts on", phone_counts, false, 1 },
    { "letter", "VERB",
      "写信：new、again、add、withdraw、private（不同意公开）、rate、list、show",
      "tjzw-phone --store a.db letter new --category suggest --unit shili 标题 正文\n  "
      "tjzw-phone --store a.db letter again 没被收下的信的编号 --unit shili\n  "
      "tjzw-phone --store a.db letter add 信的编号 补充的话\n  "
      "tjzw-phone --store a.db letter show 信的编号",
      phone_letter, false, 3 },
    { "rate", "ID",
      "评价：信件的答复给 1 非常不满意 … 5 非常满意，其后可写意见；文章和指南给 有用、没用 或 "
      "撤回",
      "tjzw-phone --store a.db rate 0190f3c2-7d1c-4a3e-9f00-3c1d5b7e9a11 5 很快\n  "
      "tjzw-phone --store a.db rate 019a2b3c-0000-7000-8000-000000000001 有用",
      phone_rate, false, 2 },
    { "survey", NULL,
      "意见征集和问卷：不给则列出；survey show 编号 看题目，survey answer 编号 一题一行地回答",
      "tjzw-phone --store a.db survey answer 019a2b3c-0000-7000-8000-000000000001",
      phone_survey, false, 2 },
    { "inbox", NULL, "消息：列出；inbox read 编号 为已读，inbox drop 编号 为删去",
      "tjzw-phone --store a.db inbox read 7", phone_inbox, false, 2 },
    { "outbox", NULL, "还没送出的和需要处理的；outbox drop 编号 为删去",
      "tjzw-phone --store a.db outbox", phone_outbox, false, 2 },
    { "account", "VERB", "账号：export 导出本人数据，delete 申请注销，stay 撤回注销",
      "tjzw-phone --store a.db account export > mine.json", phone_account, true, 0 },
    { "verify", NULL, "把本机的全部内容重新计算一遍，与签名核对",
      "tjzw-phone --store a.db verify", phone_verify },
    { "export", NULL,
      "按编号顺序输出全部已发布条目，一行一条 JSON，与服务器 tjzw export 逐字节相同",
      "tjzw-phone --store a.db export > mine.ndjson", phone_export },
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

const struct phone_command *phone_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* ---- options ---- */

static const char options_help[] =
    "选项：\n"
    "  --store FILE      数据文件（必需），没有就新建\n"
    "  --server URL      sync 等联网的命令：服务器地址 https://主机[:端口]\n"
    "  --cacert FILE     同上：验证服务器 TLS 证书用的 PEM 文件。服务器自签的证书在它的\n"
    "                    数据目录 DIR/keys/tls-cert.pem\n"
    "  --trust KEY       同上，和 verify：平台公钥，64 位十六进制；不给则信任首次遇到的，\n"
    "                    并显示出来供核对\n"
    "                    以上三项在 sync 成功后记在数据文件里，以后可省；首次同步一开始就\n"
    "                    记下，以便中断后继续。其他命令不记\n"
    "  --stream NAME     数据流，默认 main\n"
    "  --horizon NUMBER  sync：本机只保留最新的多少条（略多于此数），all 为全部；记在数据\n"
    "                    文件里，收藏的不受影响\n"
    "  --kept            list、search：只看收藏的\n"
    "  --column PATH     list、search：只看这个栏目和它下面的\n"
    "  -n NUMBER         list、search：最多多少条，默认全部\n"
    "  --password        sign-in：用密码，从标准输入读；二次验证的口令也在那里，各占一行\n"
    "  --category WORD   letter new：consult 咨询，help 求助，suggest 建议，complain 投诉，\n"
    "                    report 举报，fault 找错，disclose 依申请公开\n"
    "  --unit CODE       letter new、letter again：写给哪个单位\n"
    "  --place TEXT      letter new：地点\n"
    "  --item ID         letter new：所说的是本机的哪一条内容，如找错\n"
    "  --contact PHONE   letter new：联系电话\n"
    "  --attach FILE     letter new、letter add：附上图片（JPEG、PNG、WebP）或 PDF，最多 9 "
    "个，每个最大 20 "
    "MB\n"
    "  --hidden          letter new：不让办理单位知道是谁写的\n"
    "  --public          letter new：同意公开答复，隐去写信人的情况\n"
    "  --timeout SECONDS sync、fetch、blob：最多用多少秒\n"
    "  -v                sync：逐条显示请求、字节和时间；失败时再显示服务器的英文说明\n"
    "  --json            sync、fetch、background：只输出一行 JSON，listen：每次同步一行；\n"
    "                    失败时其中的 error 是错误的种类\n"
    "  -h, --help        帮助，与 help 相同；在命令后面则显示该命令的例子\n";

void phone_help(const struct phone_command *c)
{
    if (c) {
        printf("tjzw-phone [选项] %s%s%s\n  %s\n\n例：\n  %s\n\n%s", c->name,
               c->argument ? " " : "", c->argument ? c->argument : "", c->summary, c->examples,
               options_help);
        return;
    }
    printf("tjzw-phone %s：把政务公开内容同步到本机，核验签名，断网可读。\n\n用法：tjzw-phone "
           "--store FILE [选项] 命令\n\n命令：\n",
           tjzw_version());
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-10s%-5s %s\n           例：%s\n", commands[i].name,
               commands[i].argument ? commands[i].argument : "", commands[i].summary,
               commands[i].examples);
    printf("\n%s", options_help);
}

int phone_options(int argc, char **argv, struct phone *p, bool *help)
{
    static const struct option options[] = {
        { "store", required_argument, NULL, 's' },
        { "server", required_argument, NULL, 'u' },
        { "cacert", required_argument, NULL, 'c' },
        { "trust", required_argument, NULL, 't' },
        { "stream", required_argument, NULL, 'S' },
        { "horizon", required_argument, NULL, 'H' },
        { "column", required_argument, NULL, 'C' },
        { "timeout", required_argument, NULL, 'T' },
        { "category", required_argument, NULL, 'g' },
        { "unit", required_argument, NULL, 'U' },
        { "place", required_argument, NULL, 'P' },
        { "item", required_argument, NULL, 'i' },
        { "contact", required_argument, NULL, 'o' },
        { "attach", required_argument, NULL, 'a' },
        { "hidden", no_argument, NULL, 'd' },
        { "public", no_argument, NULL, 'p' },
        { "password", no_argument, NULL, 'w' },
        { "kept", no_argument, NULL, 'k' },
        { "json", no_argument, NULL, 'j' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int o;

    while ((o = getopt_long(argc, argv, "vhn:", options, NULL)) != -1)
        switch (o) {
        case 's': p->store = optarg; break;
        case 'u': p->server.url = optarg; break;
        case 'c': p->server.cacert = optarg; break;
        case 't': p->server.trust = optarg; break;
        case 'S': p->stream = p->server.stream = optarg; break;
        case 'H': p->horizon = optarg; break;
        case 'C': p->column = optarg; break;
        case 'v': p->verbose = true; break;
        case 'k': p->kept = true; break;
        case 'g': p->category = optarg; break;
        case 'U': p->unit = optarg; break;
        case 'P': p->place = optarg; break;
        case 'i': p->item = optarg; break;
        case 'o': p->contact = optarg; break;
        case 'd': p->hidden = true; break;
        case 'p': p->publish = true; break;
        case 'a':
            if (p->attached == sizeof p->attach / sizeof *p->attach)
                return phone_wrong("附件太多", NULL, "一封信最多 9 个。");
            p->attach[p->attached++] = optarg;
            break;
        case 'w': p->password = true; break;
        case 'j': p->json = true; break;
        case 'h': *help = true; break;
        case 'n':
        case 'T':
            if (!phone_number(optarg, o == 'n' ? &p->most : &p->timeout))
                return phone_wrong("不是有效的数字：", optarg, "请给出 1 以上的整数。");
            break;
        default: return phone_wrong("选项不对", NULL, "用 tjzw-phone --help 查看全部选项。");
        }
    return 0;
}
