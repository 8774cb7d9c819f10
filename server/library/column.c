/*
 * column.c - the columns of a site: a tree whose nodes are named by their path.
 *
 *     地方性法规/北京地方法规      path: the names from the root, at most 8 of them
 *
 * A column made from a path gets the ColumnType (国办发〔2017〕47号) that its own name
 * suggests, else its parent's, else 其他; the type brings the period within which inspectors
 * expect an update (国办秘函〔2019〕19号: 14 days for news, half a year for notices and
 * policies).
 */
#include "server/library/column.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/library/change.h"
#include "server/library/field.h"
#include "server/library/row.h"
#include "server/library/site.h"
#include "server/library/stream.h"

enum { DESCRIPTION_MAX = 500, PERIOD_MAX = 3660 };

#define HINTS(...)        \
    (const char *const[]) \
    {                     \
        __VA_ARGS__, NULL \
    }

const struct column_type column_types[] = {
    { "政策解读", 0, HINTS("解读") },
    { "政策文件", 183, HINTS("政策", "文件", "法规", "法律", "规章", "司法解释", "公报") },
    { "通知公告", 183, HINTS("通知", "公告", "公示") },
    { "工作动态", 14, HINTS("动态", "要闻", "新闻") },
    { "机构职能", 0, HINTS("机构", "职能") },
    { "负责人信息", 0, HINTS("负责人", "领导") },
    { "概况信息", 0, HINTS("概况") },
    { "信息公开指南", 0, HINTS("公开指南") },
    { "信息公开目录", 0, HINTS("公开目录") },
    { "信息公开年报", 366, HINTS("年报", "年度报告") },
    { "依法申请公开", 0, HINTS("申请公开") },
    { "数据发布", 0, HINTS("数据发布", "统计") },
    { "数据开放", 0, HINTS("数据开放", "开放数据") },
    { "回应关切", 0, HINTS("回应", "关切") },
    { "办事服务", 0, HINTS("办事", "服务") },
    { "咨询投诉", 0, HINTS("咨询", "投诉", "信箱") },
    { "征集调查", 0, HINTS("征集", "调查", "征求意见") },
    { "在线访谈", 0, HINTS("访谈") },
    { "首页", 14, HINTS("首页") },
    { "其他", 0, HINTS("其他") },
    {},
};

static const struct column_type *type_by_name(const char *name)
{
    for (const struct column_type *t = column_types; t->name; t++)
        if (!strcmp(t->name, name))
            return t;
    return NULL;
}

static const struct column_type *type_suggested(const char *name, const char *parent_type)
{
    const struct column_type *t = type_by_name(name);

    if (t)
        return t;
    for (t = column_types; t->name; t++)
        for (const char *const *hint = t->hints; *hint; hint++)
            if (strstr(name, *hint))
                return t;
    return type_by_name(parent_type ? parent_type : "其他");
}

static enum rc check_name(struct err *e, const char *name, size_t n)
{
    if ((n == 1 && name[0] == '.') || (n == 2 && !memcmp(name, "..", 2)))
        return err_field(e, "column", "a column cannot be called \"%.*s\"", (int)n, name);
    if (n && (name[0] == ' ' || name[n - 1] == ' '))
        return err_field(e, "column", "a column's name has no space at its ends");
    if (memchr(name, '\\', n))
        return err_field(e, "column", "a column's name has no backslash");
    return field_check_line(e, "column", name, n, 1, COLUMN_NAME_MAX);
}

enum rc column_path_check(struct err *e, const char *path)
{
    int depth = 0;
    enum rc rc;

    for (;; path++) {
        size_t n = strcspn(path, "/");

        if (++depth > COLUMN_DEPTH_MAX)
            return err_field(e, "column", "columns have at most %d levels", COLUMN_DEPTH_MAX);
        if ((rc = check_name(e, path, n)))
            return rc;
        path += n;
        if (!*path)
            return RC_OK;
    }
}

static struct column read_row(struct work *w, const struct rows *q)
{
    return (struct column){
        .no = rows_int(q, 0),
        .site = rows_int(q, 1),
        .parent = rows_int(q, 2),
        .name = rows_dup_text(w, q, 3),
        .path = rows_dup_text(w, q, 4),
        .type = rows_dup_text(w, q, 5),
        .description = rows_dup_text(w, q, 6),
        .keywords = rows_dup_text(w, q, 7),
        .period_days = rows_int(q, 8),
        .position = rows_int(q, 9),
        .open = !strcmp(rows_text(q, 10), "open"),
        .created = rows_int(q, 11),
    };
}

static enum rc find(struct work *w, int64_t site, const char *path, struct column *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_column_by_path, &q, "it", site, path);

    if (!rc)
        *out = read_row(w, &q);
    if ((rc = row_finish(&q, rc)) == RC_NOT_FOUND)
        return err_set(&w->err, rc, "there is no column \"%.200s\"", path);
    return rc;
}

static enum rc make(struct work *w, const struct column *parent, int64_t site, const char *path,
                    struct column *out)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const struct column_type *type = type_suggested(name, parent ? parent->type : NULL);
    int64_t now = clock_now();
    struct rows q;
    enum rc rc;

    rc = db_one(w, SQL_column_add, &q, "iitttiii", site, parent ? parent->no : 0, name, path,
                type->name, type->period_days, (int64_t)0, now);
    if ((rc = row_finish(&q, rc)))
        return rc;
    return find(w, site, path, out);
}

/* Walks down from the root: "A", "A/B", "A/B/C". */
static enum rc make_path(struct work *w, const struct site *site, const char *path,
                         struct column *out)
{
    struct column parent = { 0 }, c;
    const char *end = path;
    enum rc rc;

    if ((rc = stream_need_own(w, site->stream)))
        return rc;
    do {
        end += strcspn(end, "/");
        const char *head = arena_strndup(w->mem, path, (size_t)(end - path));

        rc = find(w, site->no, head, &c);
        if (rc == RC_NOT_FOUND)
            rc = make(w, parent.no ? &parent : NULL, site->no, head, &c);
        if (rc)
            return rc;
        if (!c.open)
            return err_set(&w->err, RC_CONFLICT, "the column \"%.200s\" is closed", head);
        parent = c;
    } while (*end++);
    change_directory(w, site->stream);
    *out = c;
    return RC_OK;
}

enum rc column_at(struct work *w, int64_t site, const char *path, bool create,
                  struct column *out)
{
    struct site s;
    enum rc rc;

    if ((rc = column_path_check(&w->err, path)))
        return rc;
    rc = find(w, site, path, out);
    if (!rc && create && !out->open)
        return err_set(&w->err, RC_CONFLICT, "the column \"%.200s\" is closed", path);
    if (rc != RC_NOT_FOUND || !create)
        return rc;
    if (!actor_has_at(&w->who, RIGHT_EDIT, site))
        return err_set(&w->err, RC_FORBIDDEN,
                       "to make the column \"%.200s\" %s needs the right \"edit\"", path,
                       w->who.name);
    if ((rc = site_by_no(w, site, &s)))
        return rc;
    if (!s.open)
        return err_set(&w->err, RC_CONFLICT, "the site \"%.64s\" is closed", s.code);
    return make_path(w, &s, path, out);
}

enum rc column_by_no(struct work *w, int64_t no, struct column *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_column_by_no, &q, "i", no);

    if (!rc)
        *out = read_row(w, &q);
    if ((rc = row_finish(&q, rc)) == RC_NOT_FOUND)
        return err_set(&w->err, rc, "there is no column %d", (int)no);
    return rc;
}

static int by_place(const void *a, const void *b)
{
    const struct column *x = a, *y = b;

    if (x->parent != y->parent)
        return x->parent < y->parent ? -1 : 1;
    if (x->position != y->position)
        return x->position < y->position ? -1 : 1;
    return x->no < y->no ? -1 : x->no > y->no;
}

/* Where the children of `parent` begin in a list by place. */
static int first_child(const struct column *sorted, int n, int64_t parent)
{
    int low = 0, high = n;

    while (low < high) {
        int mid = (low + high) / 2;

        if (sorted[mid].parent < parent)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* As deep as a path has names. */
static void put_tree(struct buf *out, const struct column *sorted, int n, int64_t parent)
{
    for (int i = first_child(sorted, n, parent); i < n && sorted[i].parent == parent; i++) {
        buf_add(out, &sorted[i], sizeof sorted[i]);
        put_tree(out, sorted, n, sorted[i].no);
    }
}

enum rc column_list(struct work *w, int64_t site, struct column **out, int *n)
{
    struct buf list = BUF_IN(w->mem), tree = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_column_of_site, &q, "i", site)))
        return rc;
    while (rows_next(&q)) {
        struct column c = read_row(w, &q);

        buf_add(&list, &c, sizeof c);
    }
    if ((rc = rows_done(&q)))
        return rc;
    *n = (int)(list.n / sizeof **out);
    if (*n)
        qsort(list.p, (size_t)*n, sizeof **out, by_place);
    put_tree(&tree, (struct column *)(void *)list.p, *n, 0);
    *out = (struct column *)(void *)tree.p;
    return RC_OK;
}

static bool is_below(const struct column *c, const char *path)
{
    size_t n = strlen(path);

    return !strncmp(c->path, path, n) && c->path[n] == '/';
}

/* New paths for all that stands below, and no open column below a closed one. */
static enum rc follow(struct work *w, const struct column *old, const struct column *in,
                      const char *path)
{
    struct column *all;
    int n;
    enum rc rc;

    if ((rc = column_list(w, old->site, &all, &n)))
        return rc;
    for (int i = 0; i < n; i++) {
        if (!is_below(&all[i], old->path))
            continue;
        if (!in->open && all[i].open)
            return err_set(&w->err, RC_CONFLICT, "the column \"%.200s\" below it is open",
                           all[i].path);
        if ((rc = db_change(
                 w, SQL_column_set_path, "it", all[i].no,
                 arena_printf(w->mem, "%s%s", path, all[i].path + strlen(old->path)))))
            return rc;
    }
    return RC_OK;
}

static enum rc check_edit(struct work *w, const struct column *in)
{
    enum rc rc;

    if (!in->name || !in->type)
        return err_field(&w->err, "name", "a column needs a name and a type");
    if (strchr(in->name, '/'))
        return err_field(&w->err, "name", "a column's name has no '/'");
    if ((rc = check_name(&w->err, in->name, strlen(in->name))))
        return rc;
    if (!type_by_name(in->type))
        return err_field(&w->err, "type", "there is no column type \"%.40s\"", in->type);
    if (in->period_days < 0 || in->period_days > PERIOD_MAX)
        return err_field(&w->err, "periodDays", "a period has 0 to %d days", PERIOD_MAX);
    if (in->position < 0 || in->position > INT32_MAX)
        return err_field(&w->err, "position", "a position is 0 or more");
    if (in->description && (rc = field_check_text(&w->err, "description", in->description,
                                                  strlen(in->description), 0, DESCRIPTION_MAX)))
        return rc;
    if (in->keywords)
        return field_check_line(&w->err, "keywords", in->keywords, strlen(in->keywords), 0,
                                DESCRIPTION_MAX);
    return RC_OK;
}

static const char *renamed(struct work *w, const struct column *old, const char *name)
{
    const char *slash = strrchr(old->path, '/');

    if (!slash)
        return name;
    return arena_printf(w->mem, "%.*s/%s", (int)(slash - old->path), old->path, name);
}

enum rc column_edit(struct work *w, const struct column *in)
{
    struct column old, parent;
    struct site site;
    const char *path;
    enum rc rc;

    if ((rc = check_edit(w, in)) || (rc = column_by_no(w, in->no, &old)) ||
        (rc = work_need_at(w, RIGHT_EDIT, old.site)) || (rc = site_by_no(w, old.site, &site)) ||
        (rc = stream_need_own(w, site.stream)))
        return rc;
    if (in->open && old.parent) {
        if ((rc = column_by_no(w, old.parent, &parent)))
            return rc;
        if (!parent.open)
            return err_set(&w->err, RC_CONFLICT, "the column above it is closed");
    }
    path = renamed(w, &old, in->name);
    rc = db_change(w, SQL_column_set, "itttttiit", in->no, in->name, path, in->type,
                   in->description, in->keywords, in->period_days, in->position,
                   in->open ? "open" : "closed");
    if (rc == RC_CONFLICT)
        return err_set(&w->err, rc, "there is a column \"%.200s\" already", path);
    if (rc || (rc = follow(w, &old, in, path)))
        return rc;
    change_directory(w, site.stream);
    return RC_OK;
}
