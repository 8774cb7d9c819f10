/*
 * rule.c - one function a rule, in the order in which a sender wants to hear of them.
 */
#include "warning/rule.h"

#include <stdlib.h>
#include <string.h>

enum { TERMS = 60 };

/* ---- who, and what kind ---- */

static enum rc check_names(struct err *e, const struct cap *c, const char *code)
{
    char of[IDENT_CODE_TEXT];
    const char *why = ident_read(c->identifier, of);

    if (why)
        return err_field(e, "/alert/identifier", "预警编号不合规则：%s", why);
    if (!ident_same_code(of, code)) {
        (void)err_field(e, "/alert/identifier", "预警编号是 %s 的，而签名的是 %s", of, code);
        return RC_FORBIDDEN;
    }
    if (!ident_is_code(c->sender, strlen(c->sender)) || !ident_same_code(c->sender, code)) {
        (void)err_field(e, "/alert/sender", "sender 应是签名单位的编码 %s", code);
        return RC_FORBIDDEN;
    }
    return RC_OK;
}

static enum rc check_kind(struct err *e, const struct cap *c)
{
    if (c->type == CAP_ACK || c->type == CAP_ERROR)
        return err_field(e, "/alert/msgType", "这里只收 Alert、Update 和 Cancel");
    if (c->scope != CAP_PUBLIC)
        return err_field(e, "/alert/scope", "scope 应是 Public：这里收到的都向公众发布");
    if (c->type == CAP_ALERT && c->nreferences)
        return err_field(e, "/alert/references",
                         "Alert 是新的预警，不引用别的：请用 Update 或 Cancel");
    if (c->type != CAP_ALERT && !c->nreferences)
        return err_field(e, "/alert/references",
                         "Update 和 Cancel 要用 references 写明针对哪一条预警");
    if (c->type != CAP_CANCEL && !c->ninfos)
        return err_field(e, "/alert/info", "缺少 info");
    return RC_OK;
}

/* ---- how bad, and where ---- */

static enum rc check_level(struct err *e, const struct cap *c, const struct warning_spec *s,
                           struct rule_facts *f)
{
    for (int i = 0; i < c->ninfos; i++) {
        enum level level = level_by_severity(c->infos[i].severity);

        if (!level)
            return err_field(
                e, "/info/severity",
                "severity 应写明级别：Extreme 红、Severe 橙、Moderate 黄、Minor 蓝");
        if (i && level != f->level)
            return err_field(e, "/info/severity",
                             "一条信息只有一个级别：各个 info 的 severity 应相同");
        f->level = level;
    }
    if (c->ninfos && !(s->levels >> f->level & 1U)) {
        (void)err_field(e, "/info/severity", "%s 没有发布%s预警的权限", s->name,
                        level_colour(f->level));
        return RC_FORBIDDEN;
    }
    return RC_OK;
}

static bool may_there(const struct warning_spec *s, const char *area)
{
    for (int i = 0; i < s->nareas; i++)
        if (area_within(area, s->areas[i]))
            return true;
    return false;
}

struct list {
    const char **v;
    int n;
};

/* The codes of one area that are places; other kinds of geocodes are passed over. */
static enum rc take_codes(struct err *e, struct arena *mem, const struct cap_area *a,
                          const struct warning_spec *s, struct list *to)
{
    int before = to->n;

    for (int i = 0; i < a->ncodes; i++) {
        char *area = arena_alloc(mem, AREA_TEXT);

        if (!area_read(a->codes[i], strlen(a->codes[i]), area))
            continue;
        if (!may_there(s, area)) {
            (void)err_field(e, "/area/geocode", "%s 没有在 %s 发布预警的权限", s->name, area);
            return RC_FORBIDDEN;
        }
        if (to->n == RULE_AREAS)
            return err_field(e, "/area/geocode", "一条预警最多 %d 个区域", RULE_AREAS);
        to->v[to->n++] = area;
    }
    return to->n > before
               ? RC_OK
               : err_field(e, "/area/geocode", "每个 area 要有区划代码：6、9 或 12 位数字");
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What lies in another adds nothing. */
static void simplify(struct list *l)
{
    int kept = 0;

    qsort(l->v, (size_t)l->n, sizeof *l->v, by_text);
    for (int i = 0; i < l->n; i++) {
        bool inside = false;

        for (int k = 0; k < l->n && !inside; k++)
            inside = k != i && area_within(l->v[i], l->v[k]) &&
                     (k < i || !area_within(l->v[k], l->v[i]));
        if (!inside)
            l->v[kept++] = l->v[i];
    }
    l->n = kept;
}

static enum rc check_areas(struct err *e, struct arena *mem, const struct cap *c,
                           const struct warning_spec *s, struct rule_facts *f)
{
    struct list all = { arena_alloc(mem, RULE_AREAS * sizeof *all.v), 0 };
    enum rc rc;

    for (int i = 0; i < c->ninfos; i++) {
        if (!c->infos[i].nareas)
            return err_field(e, "/info/area", "info 里缺少 area");
        for (int k = 0; k < c->infos[i].nareas; k++)
            if ((rc = take_codes(e, mem, &c->infos[i].areas[k], s, &all)))
                return rc;
    }
    simplify(&all);
    f->areas = all.v;
    f->nareas = all.n;
    return RC_OK;
}

/* ---- when ---- */

static enum rc check_times(struct err *e, const struct cap *c, int64_t now,
                           struct rule_facts *f)
{
    if (c->sent > now + RULE_SKEW)
        return err_field(e, "/alert/sent", "sent 在将来：请核对时钟和时区");
    f->effective = c->sent;
    for (int i = 0; i < c->ninfos; i++) {
        const struct cap_info *in = &c->infos[i];
        int64_t from = in->effective ? in->effective : c->sent,
                to = in->expires ? in->expires : from + RULE_LIFE;

        if (to <= from || (in->onset && to <= in->onset))
            return err_field(e, "/info/expires", "expires 应在 effective 和 onset 以后");
        if (to > c->sent + RULE_LIFE_MAX)
            return err_field(e, "/info/expires", "expires 离 sent 最多 31 天");
        if (to > f->expires)
            f->expires = to;
        f->effective = from;
    }
    if (c->type == CAP_CANCEL) {
        f->expires = f->expires > now ? f->expires : 0;
        return RC_OK;
    }
    return f->expires > now ? RC_OK : err_field(e, "/info/expires", "这条预警已经过期");
}

enum rc rule_check(struct err *e, struct arena *mem, const struct cap *c, const char *code,
                   const struct warning_spec *s, int64_t now, struct rule_facts *out)
{
    struct rule_facts f = { .info = cap_info_shown(c) };
    enum rc rc;

    if ((rc = check_names(e, c, code)) || (rc = check_kind(e, c)) ||
        (rc = check_level(e, c, s, &f)) || (rc = check_areas(e, mem, c, s, &f)) ||
        (rc = check_times(e, c, now, &f)))
        return rc;
    *out = f;
    return RC_OK;
}

/* ---- whom it reaches ---- */

const char rule_nobody[] = "{\"not\":{\"all\":true}}";
static const char everybody[] = "{\"all\":true}";

const char *rule_audience(struct arena *mem, const char *const *areas, int n)
{
    struct list l = { arena_alloc(mem, (size_t)(n ? n : 1) * sizeof *l.v), n };
    struct buf b = BUF_IN(mem);

    for (int i = 0; i < n; i++) {
        if (area_is_whole(areas[i]))
            return everybody;
        l.v[i] = n > TERMS ? arena_strndup(mem, areas[i], 6) : areas[i];
    }
    simplify(&l);
    if (l.n > TERMS)
        return everybody;
    if (l.n == 1)
        return arena_printf(mem, "{\"area\":\"%s\"}", l.v[0]);
    buf_adds(&b, "{\"or\":[");
    for (int i = 0; i < l.n; i++)
        buf_printf(&b, "%s{\"area\":\"%s\"}", i ? "," : "", l.v[i]);
    buf_adds(&b, "]}");
    return l.n ? b.p : rule_nobody;
}
