/*
 * phone_mine.c - tjzw-phone's commands for what belongs to who holds the phone: favourites, read marks, follows, settings, messages, what is on its way. Shown in his
 * words; `put TYPE` shows any type as it is.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/phone.h"

/* ---- writing ---- */

/* How a command that wrote something ends. */
static int wrote(struct phone *p, const char *what, enum tjzw_code rc,
                 const struct tjzw_error *e)
{
    if (rc == TJZW_USAGE)
        fprintf(stderr, "类型、键或值不对，没有记下。\n");
    if (rc)
        return phone_failed(p, what, e);
    printf("已记在本机，下次同步时送出。\n");
    return phone_finish(what);
}

static int put(struct phone *p, const char *what, const char *type, const char *key,
               const char *value)
{
    struct tjzw_error e;

    return wrote(p, what, tjzw_put(p->t, type, key, value, &e), &e);
}

/* ---- showing ---- */

static const char *on_its_way(const struct tjzw_entry *entry)
{
    return entry->pending ? "  （待送出）" : "";
}

static bool print_raw(void *ctx, const struct tjzw_entry *entry)
{
    (void)ctx;
    printf("%s  %s%s\n", entry->key, entry->value, on_its_way(entry));
    return !ferror(stdout);
}

/* Counts, and shows by `fn`; what there is none of is told on stderr. */
static int list_type(struct phone *p, const char *what, const char *type, tjzw_entry_fn *fn,
                     const char *none)
{
    struct tjzw_error e;

    p->shown = 0;
    if (tjzw_entries(p->t, type, NULL, fn, p, &e))
        return phone_failed(p, what, &e);
    if (p->shown == 0 && none)
        fprintf(stderr, "%s\n", none);
    return phone_finish(what);
}

static bool print_title(void *ctx, const struct tjzw_item *item)
{
    (void)ctx;
    printf("%s", item->title);
    return false;
}

/* "main/019a…": the number that all other commands take, and the title. */
static bool print_favourite(void *ctx, const struct tjzw_entry *entry)
{
    const char *slash = strchr(entry->key, '/'), *id = slash ? slash + 1 : entry->key;
    struct phone *p = ctx;

    p->shown++;
    printf("%s  ", id);
    if (tjzw_read(p->t, id, print_title, NULL, NULL))
        printf("（本机没有这一条，可用 fetch 取回）");
    printf("%s\n", on_its_way(entry));
    return !ferror(stdout);
}

static bool print_follow(void *ctx, const struct tjzw_entry *entry)
{
    struct phone *p = ctx;

    printf("%2u  %s%s\n", ++p->shown, entry->key, on_its_way(entry));
    return !ferror(stdout);
}

static bool print_setting(void *ctx, const struct tjzw_entry *entry)
{
    static const char *const words[][2] = {
        { "font", "字号" },    { "elder", "长辈模式" }, { "theme", "深浅色" },
        { "quiet", "免打扰" }, { "area", "所在地区" },  { "images", "图片" },
    };
    struct phone *p = ctx;

    p->shown++;
    printf("%s  %s  （%s）%s\n", entry->key, entry->value,
           phone_word(words, sizeof words / sizeof *words, entry->key), on_its_way(entry));
    return !ferror(stdout);
}

/* How many numbers "0-17,40" has. */
static bool count_read(void *ctx, const struct tjzw_entry *entry)
{
    const char *at = entry->value + 1;
    struct phone *p = ctx;

    for (unsigned first, last; *at >= '0' && *at <= '9'; at += *at == ',') {
        first = last = (unsigned)strtoul(at, (char **)&at, 10);
        if (*at == '-')
            last = (unsigned)strtoul(at + 1, (char **)&at, 10);
        p->shown += last - first + 1;
    }
    return true;
}

/* ---- state ---- */

static int fav_or_not(struct phone *p, const char *what, const char *id, bool fav)
{
    struct tjzw_error e;
    enum tjzw_code rc = tjzw_fav(p->t, id, fav, &e);

    if (rc == TJZW_USAGE)
        return phone_not_an_id(id);
    if (rc == TJZW_NOT_FOUND)
        fprintf(stderr, "本机没有这一条，请先用 fetch 取回。\n");
    return wrote(p, what, rc, &e);
}

int phone_fav(struct phone *p, const char *none)
{
    (void)none;
    return p->more ? fav_or_not(p, "fav", p->more, true)
                   : list_type(p, "fav", "fav", print_favourite, "还没有收藏。");
}

int phone_unfav(struct phone *p, const char *id)
{
    return fav_or_not(p, "unfav", id, false);
}

int phone_read(struct phone *p, const char *none)
{
    struct tjzw_error e;
    enum tjzw_code rc;

    (void)none;
    if (!p->more) {
        int status = list_type(p, "read", "read", count_read, NULL);

        if (status == 0)
            printf("已读 %u 条。\n", p->shown);
        return status ? status : phone_finish("read");
    }
    rc = tjzw_mark_read(p->t, p->more, &e);
    return rc == TJZW_USAGE ? phone_not_an_id(p->more) : wrote(p, "read", rc, &e);
}

int phone_follow(struct phone *p, const char *none)
{
    uint32_t place = UINT32_MAX;
    struct tjzw_error e;

    (void)none;
    if (!p->more) {
        p->shown = 0;
        if (tjzw_follows(p->t, print_follow, p, &e))
            return phone_failed(p, "follow", &e);
        return phone_finish("follow");
    }
    if (p->third && !phone_number(p->third, &place))
        return phone_wrong("不是有效的位置：", p->third, "请给出 1 以上的整数，1 为最前。");
    return wrote(p, "follow",
                 tjzw_follow_at(p->t, p->more, p->third ? place - 1 : UINT32_MAX, &e), &e);
}

int phone_unfollow(struct phone *p, const char *key)
{
    return put(p, "unfollow", "follow", key, NULL);
}

/* 120101 is a number as it stands, and an area's code in quotes: each setting takes one of the two. */
int phone_set(struct phone *p, const char *none)
{
    char quoted[160];
    struct tjzw_error e;
    enum tjzw_code rc;

    (void)none;
    if (!p->more)
        return list_type(p, "set", "set", print_setting, "都是默认设置。");
    rc = tjzw_put(p->t, "set", p->more, p->third, &e);
    if (rc == TJZW_USAGE && p->third && !strpbrk(p->third, "\"\\")) {
        snprintf(quoted, sizeof quoted, "\"%.120s\"", p->third);
        rc = tjzw_put(p->t, "set", p->more, quoted, &e);
    }
    return wrote(p, "set", rc, &e);
}

int phone_put(struct phone *p, const char *type)
{
    if (!p->more)
        return list_type(p, "put", type, print_raw, NULL);
    return put(p, "put", type, p->more, p->third);
}

/* ---- messages ---- */

struct message {
    uint32_t no;
    bool seen;
    json_t *value;
};
struct messages {
    struct message *at;
    size_t n;
};

static bool take_message(void *ctx, const struct tjzw_entry *entry)
{
    struct messages *all = ctx;
    struct message m = { .value = json_loads(entry->value, 0, NULL) };

    if (!m.value || !phone_number(entry->key, &m.no)) {
        json_decref(m.value);
        return true;
    }
    all->at = realloc(all->at, (all->n + 1) * sizeof *all->at);
    if (!all->at)
        abort();
    all->at[all->n++] = m;
    return true;
}

static bool take_seen(void *ctx, const struct tjzw_entry *entry)
{
    struct messages *all = ctx;
    uint32_t no;

    for (size_t i = 0; phone_number(entry->key, &no) && i < all->n; i++)
        all->at[i].seen |= all->at[i].no == no;
    return true;
}

static int newest_first(const void *a, const void *b)
{
    uint32_t x = ((const struct message *)a)->no, y = ((const struct message *)b)->no;

    return x < y ? 1 : x > y ? -1 : 0;
}

static const char *member(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));

    return text ? text : "";
}

static void print_message(const struct message *m)
{
    const char *link = strchr(member(m->value, "link"), '/');
    char at[32];

    printf(
        "%" PRIu32 "  %s%s\n    %s\n", m->no, m->seen ? "" : "【未读】",
        member(m->value, "title"),
        phone_time(json_integer_value(json_object_get(m->value, "at")), "%Y-%m-%d %H:%M", at));
    if (member(m->value, "text")[0])
        printf("    %s\n", member(m->value, "text"));
    if (member(m->value, "sender")[0])
        printf("    来自：%s\n", member(m->value, "sender"));
    if (member(m->value, "url")[0])
        printf("    前往办理：%s\n", member(m->value, "url"));
    if (member(m->value, "optout")[0])
        printf("    不想再收到这一类：put consent %s false\n", member(m->value, "optout"));
    if (link)
        printf("    看相关内容：show %s\n", link + 1);
    if (member(m->value, "letter")[0])
        printf("    看这封信：letter show %s\n", member(m->value, "letter"));
}

/* What was said to many, and to him among them. */
static bool print_public(void *ctx, const struct tjzw_item *item)
{
    char at[32];

    ++*(size_t *)ctx;
    printf("公告  %s\n    %s\n    看全文：show %s\n", item->title,
           phone_time(item->date, "%Y-%m-%d %H:%M", at), item->id);
    return true;
}

static int list_messages(struct phone *p)
{
    struct messages all = { 0 };
    struct tjzw_error e;
    size_t published = 0;
    enum tjzw_code rc;

    if (!(rc = tjzw_entries(p->t, "message", NULL, take_message, &all, &e)))
        rc = tjzw_entries(p->t, "seen", NULL, take_seen, &all, &e);
    if (all.n > 1)
        qsort(all.at, all.n, sizeof *all.at, newest_first);
    for (size_t i = 0; i < all.n; i++) {
        if (!rc)
            print_message(&all.at[i]);
        json_decref(all.at[i].value);
    }
    free(all.at);
    if (!rc)
        rc = tjzw_messages(p->t, print_public, &published, &e);
    if (rc)
        return phone_failed(p, "inbox", &e);
    fprintf(stderr, "%s\n",
            all.n || published
                ? "看过的可以用 inbox read 编号 记为已读，用 inbox drop 编号 删去。"
                : "没有消息。");
    return phone_finish("inbox");
}

static bool pass_over(void *ctx, const struct tjzw_entry *entry)
{
    (void)ctx, (void)entry;
    return false;
}

static int about_message(struct phone *p, const char *type, const char *value)
{
    struct tjzw_error e;

    if (tjzw_entries(p->t, "message", p->third, pass_over, NULL, &e) == TJZW_NOT_FOUND)
        return phone_wrong("没有这条消息：", p->third, "用 inbox 可以看到各条的编号。");
    return put(p, "inbox", type, p->third, value);
}

int phone_inbox(struct phone *p, const char *none)
{
    (void)none;
    if (!p->more)
        return list_messages(p);
    if (strcmp(p->more, "read") == 0 && p->third)
        return about_message(p, "seen", "true");
    if (strcmp(p->more, "drop") == 0 && p->third)
        return about_message(p, "message", NULL);
    return phone_wrong("不明白", p->more, "可用 inbox、inbox read 编号、inbox drop 编号。");
}

/* ---- what is on its way ---- */

/* What it is about, as its writer would say it. */
static const char *mutation_word(const char *type)
{
    static const char *const words[][2] = {
        { "fav", "收藏" },
        { "read", "已读" },
        { "follow", "关注" },
        { "set", "设置" },
        { "consent", "同意事项" },
        { "place", "读到哪里" },
        { "seen", "消息已读" },
        { "vote", "有用没用" },
        { "letter.send", "信件" },
        { "letter.add", "信件的补充" },
        { "letter.rate", "评价" },
        { "letter.withdraw", "撤回信件" },
        { "letter.private", "不同意公开" },
        { "survey.answer", "问卷" },
        { "message.drop", "删去消息" },
    };

    return phone_word(words, sizeof words / sizeof *words, type);
}

struct waiting {
    size_t n, refused;
};

static bool print_mutation(void *ctx, const struct tjzw_mutation *m)
{
    struct waiting *all = ctx;
    char at[32];

    all->n++;
    all->refused += m->code != NULL;
    printf("%" PRId64 "  %s  %s  %s  （%s）\n", m->no,
           phone_time(m->written, "%m-%d %H:%M", at),
           m->code   ? "需要处理"
           : m->sent ? "正在送出"
                     : "待送出",
           mutation_word(m->type), m->key);
    if (m->code)
        printf("      %s（%s）\n", m->detail, m->code);
    return !ferror(stdout);
}

int phone_outbox(struct phone *p, const char *none)
{
    struct tjzw_error e;
    struct waiting all = { 0 };
    uint32_t no;

    (void)none;
    if (!p->more) {
        if (tjzw_outbox(p->t, print_mutation, &all, &e))
            return phone_failed(p, "outbox", &e);
        if (all.n == 0)
            fprintf(stderr, "都已送出，没有要处理的。\n");
        if (all.refused)
            fprintf(stderr,
                    "需要处理的不会自己再送。信件改正后重写：letter again 括号里的编号，"
                    "加上要改的选项，如 --unit 单位代码；\n"
                    "别的照原来的命令再写一次；不要了的，用 outbox drop 行首的编号 删去。\n");
        return phone_finish("outbox");
    }
    if (strcmp(p->more, "drop") != 0 || !p->third || !phone_number(p->third, &no))
        return phone_wrong("不明白", p->more, "可用 outbox、outbox drop 编号。");
    if (tjzw_outbox_drop(p->t, no, &e))
        return phone_failed(p, "outbox", &e);
    printf("已删去。\n");
    return phone_finish("outbox");
}
