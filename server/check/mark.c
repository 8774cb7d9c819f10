/*
 * mark.c - marks of secrecy (保守国家秘密法实施条例: 密级★保密期限) and of papers for the house alone.
 *
 *     秘密★   机密★1年   绝密 ★ 长期         a degree and a star
 *     密级：机密                             a degree behind its label
 *     机密                                   a degree that is a line of its own
 *     内部资料 注意保存   （内部资料）        a word for such papers, and what is to be done with them,
 *     仅供内部参考                            or alone on a line or in brackets
 *
 * What speaks about secrets has none of these forms: 保密局, 国家秘密, 秘密级载体, 内部资料性出版物.
 */
#include "server/check/rule.h"

static const char *const degrees[] = { "绝密", "机密", "秘密", NULL };

static size_t skip(const struct folded *t, size_t at)
{
    while (at < t->n && (t->p[at] == ' ' || t->p[at] == '\t'))
        at++;
    return at;
}

/* Whether from..to stands alone: on its line, but for blanks and brackets. */
static bool is_alone(const struct folded *t, size_t from, size_t to)
{
    while (from && strchr(" \t(*#", t->p[from - 1]))
        from--;
    while (to < t->n && strchr(" \t)*", t->p[to]))
        to++;
    return (!from || t->p[from - 1] == '\n') && (to == t->n || t->p[to] == '\n');
}

static bool is_labelled(const struct folded *t, size_t from)
{
    while (from && strchr(" \t*", t->p[from - 1]))
        from--;
    if (from && t->p[from - 1] == ':')
        from--;
    while (from && strchr(" \t*", t->p[from - 1]))
        from--;
    return check_ends(t, from, "密级") || check_ends(t, from, "密 级") ||
           check_ends(t, from, "保密等级");
}

static bool is_mark(const struct folded *t, size_t from, size_t to)
{
    size_t next = skip(t, to);

    if (check_starts(t, next, "级"))
        next = skip(t, next + strlen("级"));
    return check_starts(t, next, "★") || check_starts(t, next, "☆") || is_labelled(t, from) ||
           (is_alone(t, from, to) && strcmp(t->from->field, "title"));
}

/* Each place of one of the words, until `is` says that it is a mark; that is told by `say`. */
static void find(struct checking *c, const char *const *words,
                 bool (*is)(const struct folded *, size_t, size_t), const char *said)
{
    for (int i = 0; i < c->item->n; i++) {
        const struct folded *t = &c->texts[i];

        if (!check_is_prose(t))
            continue;
        for (const char *const *word = words; *word; word++)
            for (const char *p = t->p; (p = strstr(p, *word)); p += strlen(*word)) {
                size_t from = (size_t)(p - t->p), to = from + strlen(*word);

                if (is(t, from, to))
                    check_say(c, t, from, to, said, *word);
            }
    }
}

void judge_secrecy(struct checking *c)
{
    find(c, degrees, is_mark,
         "这里有密级标志“%s”，涉密文件不得公开；请先由保密审查人员确认已经解密，再删去标志");
}

static bool is_internal(const struct folded *t, size_t from, size_t to)
{
    static const char *const handling[] = { "注意保存", "注意保密", "妥善保管", "严禁外传",
                                            "请勿外传", "不得外传", "不得翻印", "请勿翻印",
                                            "严禁翻印", "不得公开", "不予公开", "不得转载",
                                            "阅后",     NULL };
    size_t end = to + 60 < t->n ? to + 60 : t->n;
    const char *line = memchr(t->p + to, '\n', end - to);

    if (line)
        end = (size_t)(line - t->p);
    for (const char *const *h = handling; *h; h++)
        if (memmem(t->p + to, end - to, *h, strlen(*h)))
            return true;
    return is_alone(t, from, to) || (check_before(t, from) == '(' && check_at(t, to) == ')');
}

static bool always(const struct folded *t, size_t from, size_t to)
{
    (void)t, (void)from, (void)to;
    return true;
}

void judge_internal(struct checking *c)
{
    static const char *const papers[] = { "内部资料", "内部文件", "内部材料",
                                          "内部使用", "内部刊物", NULL };
    static const char *const orders[] = { "仅供内部参考",
                                          "仅供内部使用",
                                          "仅供内部传阅",
                                          "不得对外公开",
                                          "请勿对外公开",
                                          "严禁对外传播",
                                          NULL };
    static const char said[] =
        "这里写着“%s”，只供内部的材料不得公开；请核实能否公开，能公开的删去标志";

    find(c, papers, is_internal, said);
    find(c, orders, always, said);
}
