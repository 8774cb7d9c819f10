/*
 * title.c - titles that somebody hijacked, and titles of official texts that lack their end.
 *
 *     津市政府办公室 关于 印发…实施方案 的 通知
 *     organ          frame              的 kind
 *
 * Who breaks into an office's site puts his phrases where a common word stood: the kind at the end,
 * 关于 in the middle, the place at the start; and joins several of them by "_". No list has all their
 * names, so the list is one witness among others:
 *
 *     bait             a phrase of gambling or sex               3 each, 6 at most
 *     brand            letters and digits mixed as in 365bet     3 each, 6 at most
 *     address          a host that is no .gov.cn                 3
 *     game with lure   sports or games, and what leads to a site 1 each, 2 of both at most; one without the other 1
 *     joint            "_" or "|" between phrases                2
 *     broken           "关于 … 的" without a kind at the end      2
 *     unframed         "… 的 通知" without 关于              2
 *     headless         what stands before 关于 is no organ          2
 *     seam             a phrase right behind an organ, or right before a year   1
 *
 * Phrases at most four characters apart are weighed together; from 4 on they were put there. Of joint, broken, unframed, headless and seam none counts without a phrase; bait counts
 * nothing in a whole title that says what is done against it (关于查处赌博的通告), and without one of
 * these games and lures count 1 together.
 */
#include <stdio.h>

#include "server/check/rule.h"

enum kind { BAIT, GAME, LURE, BRAND, ADDRESS, KINDS };
enum { HIJACKED = 4, HITS_MAX = 64, APART = 12 }; /* APART: bytes, four characters */

struct hit {
    enum kind kind;
    size_t from, to;
};

struct title {
    const struct folded *t;
    struct hit spans[HITS_MAX]; /* of phrases */
    int n;
    bool broken, unframed, headless, against;
};

static const struct {
    enum kind kind;
    const char *word;
} roots[] = {
#define ROOT(kind, word) { kind, word },
#include "server/check/hijack.def"
#undef ROOT
};

static const char *const kinds[] = {
#define KIND(word) word,
#include "server/check/title_grammar.def"
#undef KIND
    NULL
};

/* ---- grammar ---- */

static bool ends_with_one_of(const struct folded *t, size_t end, const char *const *words)
{
    for (; *words; words++)
        if (check_ends(t, end, *words))
            return true;
    return false;
}

/* Where a title ends that may be followed by brackets, a number of the document, an ordinal. */
static size_t end_of_title(const struct folded *t)
{
    static const char *const tails[] = { " ", "”", "》", "\"", "!", ".", "。", NULL };
    size_t end = t->n, joint = strcspn(t->p, "_|");
    bool more = true;

    if (ends_with_one_of(t, joint, kinds)) /* …的通知_天津市人民政府 */
        end = joint;

    while (more && end) {
        const char *open = NULL;

        more = false;
        for (const char *const *tail = tails; *tail; tail++)
            if (check_ends(t, end, *tail)) {
                end -= strlen(*tail);
                more = true;
            }
        if (check_ends(t, end, ")"))
            open = memrchr(t->p, '(', end);
        if (open) {
            end = (size_t)(open - t->p);
            more = true;
        }
        if (check_ends(t, end, "号") && (open = memmem(t->p, end, "〔", 3)) &&
            t->p + end - open < 40) {
            /* 国办函〔2018〕71号 behind the kind: back to where its organ's letters begin */
            end = (size_t)(open - t->p);
            while (end >= 3 && !ends_with_one_of(t, end, kinds))
                end -= 3;
            more = false;
        }
    }
    return end;
}

static const char *last(const struct folded *t, size_t end, const char *word)
{
    const char *found = NULL, *p = t->p;
    size_t n = strlen(word);

    while ((p = memmem(p, (size_t)(t->p + end - p), word, n))) {
        found = p;
        p += n;
    }
    return found;
}

/* "关于 … 的" and no kind behind it: where that starts; t->n: nothing is missing. */
static size_t broken_at(const struct folded *t)
{
    size_t end = end_of_title(t);
    const char *frame = memmem(t->p, end, "关于", 6), *of;

    if (!frame)
        frame = memmem(t->p, end, "印发", 6);
    if (!frame || ends_with_one_of(t, end, kinds) || !(of = last(t, end, "的")) || of < frame)
        return t->n;
    return (size_t)(of - t->p);
}

/* The last characters of organs' names. */
static const char *const organ_ends[] = { "局", "厅", "委",   "府", "室", "会", "组", "部",
                                          "院", "心", "司",   "署", "行", "社", "处", "队",
                                          "站", "所", "校",   "学", "馆", "办", "团", "台",
                                          "军", "党", "公司", ")",  "》", NULL };

/* "… 的 通知" without 关于, or another such word at the start or behind an organ. */
static bool is_unframed(const struct folded *t)
{
    static const char *const papers[] = { "的通知", "的意见", "的公告",     "的通告", "的决定",
                                          "的批复", "的函",   "的复函",     "的通报", "的报告",
                                          "的请示", "的方案", "的实施方案", NULL };
    static const char *const frames[] = { "转发", "印发", "批转", "公布", "发布", NULL };

    if (!ends_with_one_of(t, end_of_title(t), papers) || strstr(t->p, "关于"))
        return false;
    for (const char *const *frame = frames; *frame; frame++)
        for (const char *p = t->p; (p = strstr(p, *frame)); p += strlen(*frame))
            if (p == t->p || ends_with_one_of(t, (size_t)(p - t->p), organ_ends))
                return false;
    return true;
}

/* What stands before 关于 is no organ. */
static bool is_headless(const struct folded *t)
{
    const char *frame = strstr(t->p, "关于");

    return frame && frame > t->p && !ends_with_one_of(t, (size_t)(frame - t->p), organ_ends);
}

void judge_grammar(struct checking *c)
{
    const struct folded *t = check_field(c, "title");
    size_t at;

    if (!t || (strcmp(c->item->kind, "policy") && strcmp(c->item->kind, "notice")) ||
        (at = broken_at(t)) == t->n)
        return;
    check_say(c, t, at, t->n,
              "标题有“关于……的”，末尾却没有文种（通知、公告、意见等），可能被截断或改动；"
              "请对照原文补全标题");
}

/* ---- phrases ---- */

static void add(struct title *s, enum kind kind, size_t from, size_t to)
{
    if (s->n < HITS_MAX)
        s->spans[s->n++] = (struct hit){ kind, from, to };
}

/* 体育局, 娱乐场所, 游戏管理: a word for games in the name of an office or a trade. */
static bool names_something(const struct folded *t, size_t at)
{
    static const char *const behind[] = { "局",   "厅",   "总局", "中心", "馆",
                                          "场",   "协会", "学",   "事业", "产业",
                                          "管理", "设施", "教育", "委",   NULL };

    for (const char *const *word = behind; *word; word++)
        if (check_starts(t, at, *word))
            return true;
    return false;
}

static void find_roots(struct title *s)
{
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        const char *p = s->t->p;

        while ((p = strstr(p, roots[i].word))) {
            size_t n = strlen(roots[i].word), from = (size_t)(p - s->t->p);

            if (roots[i].kind != GAME || !names_something(s->t, from + n))
                add(s, roots[i].kind, from, from + n);
            p += n;
        }
    }
}

static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_capital(const struct folded *t, size_t at)
{
    const unsigned char *p = (const unsigned char *)t->from->text + t->at[at];

    return (*p >= 'A' && *p <= 'Z') ||
           (p[0] == 0xef && p[1] == 0xbc && p[2] >= 0xa1 && p[2] <= 0xba);
}

/* A run of letters, digits and points: www.x.com, 365bet, PM2.5. Small letters next to digits name
 * a site, capitals a standard or a thing of science. */
static void judge_run(struct title *s, size_t from, size_t to)
{
    static const char *const ends[] = { ".com",  ".net", ".org", ".cc", ".vip",
                                        ".top",  ".xyz", ".app", ".cn", ".tv",
                                        ".club", ".win", ".bet", ".io", NULL };
    int small = 0, digits = 0;
    size_t end = to;

    while (end > from && s->t->p[end - 1] == '.')
        end--;
    for (size_t i = from; i < end; i++) {
        small += is_letter(s->t->p[i]) && !is_capital(s->t, i);
        digits += check_is_digit(s->t->p[i]);
    }
    if (ends_with_one_of(s->t, end, ends) && !check_ends(s->t, end, ".gov.cn") &&
        end - from > 4 && !check_starts(s->t, from, "www.12306."))
        add(s, ADDRESS, from, end);
    else if (small >= 2 && digits >= 2)
        add(s, BRAND, from, end);
}

static void find_runs(struct title *s)
{
    for (size_t i = 0, from; i < s->t->n; i++) {
        for (from = i; i < s->t->n && (is_letter(s->t->p[i]) || check_is_digit(s->t->p[i]) ||
                                       s->t->p[i] == '.');)
            i++;
        if (i > from)
            judge_run(s, from, i);
    }
}

/* ---- structure ---- */

static bool says_what_is_done_against(const struct folded *t)
{
    static const char *const words[] = { "禁止", "严禁", "查禁", "查处", "打击", "整治", "取缔",
                                         "防范", "治理", "处罚", "处置", "惩治", "反对", "抵制",
                                         "远离", "警惕", "谨防", "预防", "非法", "违法", "犯罪",
                                         "刑事", "案件", "涉赌", "涉黄", "扫黄", NULL };

    for (const char *const *word = words; *word; word++)
        if (strstr(t->p, *word))
            return true;
    return false;
}

/* A phrase right behind an organ, or right before a year. That an organ has a site or a program is
 * no phrase. */
static bool has_seam(const struct title *s, int first, int n)
{
    const char *about =
        strstr(s->t->p, "关于"); /* behind it stands no organ that acts: 运动会足球 */
    size_t frame = about ? (size_t)(about - s->t->p) : s->t->n;

    for (int i = first; i < first + n; i++) {
        size_t to = s->spans[i].to;

        if ((s->spans[i].kind != LURE && s->spans[i].from <= frame &&
             ends_with_one_of(s->t, s->spans[i].from, organ_ends)) ||
            (check_starts(s->t, to, "20") && check_starts(s->t, to + 4, "年")))
            return true;
    }
    return false;
}

/* The joint at `at` only parts a whole title from the site's own name: …的通知_天津市人民政府 */
static bool is_site(const struct title *s, size_t at)
{
    if (!ends_with_one_of(s->t, at, kinds) ||
        !(ends_with_one_of(s->t, s->t->n, organ_ends) || check_ends(s->t, s->t->n, "网")))
        return false;
    for (int i = 0; i < s->n; i++)
        if (s->spans[i].from > at && s->spans[i].kind != LURE)
            return false;
    return true;
}

/* "_" or "|" in, before or behind what stands from `from` to `to`. */
static bool has_joint(const struct title *s, size_t from, size_t to)
{
    for (size_t at = from > APART ? from - APART : 0; at < s->t->n && at < to + APART; at++)
        if ((s->t->p[at] == '_' || s->t->p[at] == '|') && !is_site(s, at))
            return true;
    return false;
}

static int at_most(int n, int most)
{
    return n < most ? n : most;
}

/* In the order of places. */
static void sort(struct title *s)
{
    for (int i = 1; i < s->n; i++)
        for (int k = i; k && s->spans[k].from < s->spans[k - 1].from; k--) {
            struct hit swap = s->spans[k];

            s->spans[k] = s->spans[k - 1];
            s->spans[k - 1] = swap;
        }
}

static int weigh(const struct title *s, int first, int n, size_t to)
{
    bool joint = has_joint(s, s->spans[first].from, to), seam = has_seam(s, first, n), odd;
    int counts[KINDS] = { 0 }, weak, bait;

    for (int i = first; i < first + n; i++)
        counts[s->spans[i].kind]++;
    odd = joint || seam || s->broken || s->unframed || s->headless || counts[BRAND] ||
          counts[ADDRESS];
    bait = s->against && !joint && !counts[BRAND] && !s->broken && !s->unframed && !s->headless
               ? 0
               : counts[BAIT];
    if (!bait && !counts[BRAND] && !counts[ADDRESS] && !(counts[GAME] && counts[LURE]))
        return 0;
    weak = counts[GAME] && counts[LURE] && odd
               ? at_most(counts[GAME], 2) + at_most(counts[LURE], 2)
               : counts[GAME] + counts[LURE] > 0;
    return at_most(3 * bait, 6) + at_most(3 * counts[BRAND], 6) + 3 * (counts[ADDRESS] > 0) +
           weak + 2 * joint + 2 * s->broken + 2 * s->unframed + 2 * s->headless + seam;
}

/* The first of the phrases that stand together from `first` on, how many, and how far they go. */
static int together(const struct title *s, int first, size_t *to)
{
    int n = 1;

    *to = s->spans[first].to;
    while (first + n < s->n && s->spans[first + n].from <= *to + APART) {
        *to = s->spans[first + n].to > *to ? s->spans[first + n].to : *to;
        n++;
    }
    return n;
}

void judge_hijacked(struct checking *c)
{
    struct title s = { .t = check_field(c, "title") };
    size_t to;

    if (!s.t)
        return;
    find_roots(&s);
    find_runs(&s);
    sort(&s);
    s.broken = broken_at(s.t) < s.t->n;
    s.unframed = is_unframed(s.t);
    s.headless = is_headless(s.t);
    s.against = says_what_is_done_against(s.t);
    for (int i = 0, n; i < s.n; i += n) {
        size_t from = s.spans[i].from;

        n = together(&s, i, &to);
        while (from && (is_letter(s.t->p[from - 1]) || check_is_digit(s.t->p[from - 1])))
            from--; /* 365 of 365游戏 */
        if (weigh(&s, i, n, to) >= HIJACKED)
            check_say(c, s.t, from, to,
                      "标题中夹有与公文无关的推广词语，像是来源网站被篡改后留下的；请对照原文改"
                      "正标题，"
                      "并通知来源单位检查网站");
    }
}
