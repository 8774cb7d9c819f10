/*
 * sheet.c - the parts of a form as HTML.
 */
#include "api/sheet.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/auth_json.h"
#include "api/visitor.h"
#include "api/way_back.h"
#include "server/identity/account.h"

static const struct kind {
    const char *type, *mode; /* HTML's type and inputmode */
    const char *class;
} kinds[] = {
    [SHEET_TEXT] = { "text", NULL, "" },
    [SHEET_PHONE] = { "tel", "tel", " short" },
    [SHEET_CODE] = { "text", "numeric", " code" },
    [SHEET_PASSWORD] = { "password", NULL, "" },
};

/* ---- the page ---- */

static const char *url_of(struct arena *mem, const char *path, const char *back, bool large)
{
    struct buf b = BUF_IN(mem);

    buf_adds(&b, path);
    if (large)
        buf_adds(&b, "?large=1");
    if (back) {
        buf_adds(&b, large ? "&return=" : "?return=");
        buf_url(&b, back, strlen(back));
    }
    return b.p;
}

const char *sheet_url(const struct sheet *s, const char *path)
{
    return url_of(s->w->mem, path, s->back, s->large);
}

const char *sheet_param(const struct request *rq, const char *name)
{
    for (int i = 0; i < rq->nargs; i++)
        if (!strcmp(rq->args[i].name, name))
            return rq->args[i].set ? rq->args[i].text : NULL;
    return NULL;
}

void sheet_begin(struct sheet *s, struct work *w, const struct request *rq, struct reply *rp,
                 const char *path, const struct form *form)
{
    const char *back = form ? form_text(form, "return") : sheet_param(rq, "return");

    *s = (struct sheet){ .w = w,
                         .rq = rq,
                         .rp = rp,
                         .path = path,
                         .back = way_back(w->mem, back, NULL),
                         .large = request_int(rq, "large", 0),
                         .b = BUF_IN(w->mem) };
}

static const char *other_size(const struct sheet *s)
{
    const char *url = url_of(s->w->mem, s->path, s->extra ? NULL : s->back, !s->large);

    return s->extra
               ? arena_printf(s->w->mem, "%s%c%s", url, strchr(url, '?') ? '&' : '?', s->extra)
               : url;
}

/* So that nobody does in an organisation's name what he means to do in his own. */
static const char *in_whose_name(struct sheet *s)
{
    struct account a;

    if (!s->w->who.person)
        return NULL;
    return arena_printf(s->w->mem, "您正在以“%s”的名义办事。",
                        !account_by_id(s->w, s->w->who.account, &a) && a.name ? a.name
                                                                              : "单位");
}

static void open_page(struct sheet *s, const char *title, bool wrong)
{
    s->page.title = wrong ? arena_printf(s->w->mem, "有误：%s", title) : title;
    s->page.large = s->large;
    s->page.other = other_size(s);
    s->page.noindex = true;
    s->page.banner = in_whose_name(s);
    s->page.banner_way = "/account/organisations";
    page_open(&s->b, &s->page);
}

/* What has just been done, by the word in ?done=. */
static const struct {
    const char *word, *said;
} done[] = {
    { "set-up", "账号设置好了，您已经登录。下次请用登录名、密码和第二样东西登录。" },
    { "name", "称呼已经保存。" },
    { "seen", "都标为已读了。" },
    { "dropped", "已经删除，别的设备上也会消失。" },
    { "answered", "已经收到您的回答，谢谢。" },
    { "device", "那台设备已经退出登录。" },
    { "devices", "别的设备都已退出登录。" },
    { "password", "新密码已经生效，别的设备都已退出登录。" },
    { "factor", "已经加上。下次登录时会用到它。" },
    { "factor-gone", "已经移除。" },
    { "device-yes", "那台设备可以用了，几秒钟内就会登录。" },
    { "device-no", "已经拒绝，那台设备没有登录。" },
    { "program", "已经收回。那个程序不能再使用您的账号。" },
    { "owned-key", "已经吊销，用那把密钥的请求马上就不行了。" },
    { "owned", "已经停用，它的密钥都无效了。" },
    { "bound", "手机号已经绑定，以后用它也能登录。原来的手机号如果不用了，请在下面解绑。" },
    { "joined", "两个账号已经合并，手机号已经绑定到这里。" },
    { "linked", "已经绑定，以后用它也能登录到这个账号。" },
    { "unbound", "已经解绑，不能再用它登录。" },
    { "leaving", "申请已经收到。别的设备都已退出登录。" },
    { "stay", "已经撤回，账号照旧使用。" },
    { "acting", "从现在起，您办的事算单位的。办完请记得结束。" },
    { "acting-end", "已经结束。从现在起，您是您本人。" },
    { "acting-rest", "太久没有操作，或授权已经收回，已自动结束。从现在起，您是您本人。" },
};

static void put_done(struct sheet *s)
{
    const char *word = s->rq->method == GET ? sheet_param(s->rq, "done") : NULL;

    for (size_t i = 0; i < sizeof done / sizeof *done && word; i++)
        if (!strcmp(done[i].word, word))
            sheet_done(s, done[i].said);
}

static void put_heading(struct sheet *s, const char *title)
{
    buf_adds(&s->b, "<h1>");
    page_text(&s->b, title);
    buf_adds(&s->b, "</h1>\n");
}

static void open_errors(struct sheet *s, const char *heading)
{
    buf_printf(&s->b,
               "<div class=\"errors\" role=\"alert\" tabindex=\"-1\" autofocus "
               "aria-labelledby=\"errors\">\n<h2 id=\"errors\">%s</h2>\n",
               heading);
}

static void put_errors(struct sheet *s, const struct sheet_field *fields, int n, int wrong)
{
    open_errors(s, wrong == 1 ? "有一处需要修改" : "有几处需要修改");
    buf_adds(&s->b, "<ul>\n");
    for (int i = 0; i < n; i++) {
        if (!fields[i].error)
            continue;
        buf_printf(&s->b, "<li><a href=\"#%s\">", fields[i].name);
        page_text(&s->b, fields[i].error);
        buf_adds(&s->b, "</a></li>\n");
    }
    buf_adds(&s->b, "</ul>\n</div>\n");
    s->rp->status = 422;
}

void sheet_open(struct sheet *s, const char *title, const struct sheet_field *fields, int n)
{
    int wrong = 0;

    for (int i = 0; i < n; i++)
        wrong += fields[i].error != NULL;
    open_page(s, title, wrong);
    if (wrong)
        put_errors(s, fields, n, wrong);
    put_heading(s, title);
    put_done(s);
}

void sheet_open_trouble(struct sheet *s, const char *title, int status, const char *trouble)
{
    open_page(s, title, true);
    open_errors(s, "没有成功");
    sheet_words(s, trouble);
    buf_adds(&s->b, "</div>\n");
    put_heading(s, title);
    s->rp->status = status;
}

void sheet_close(struct sheet *s)
{
    page_close(&s->b, &s->page);
    page_reply_as(s->w, s->rp, &s->b, &s->page);
}

void sheet_words(struct sheet *s, const char *words)
{
    buf_adds(&s->b, "<p>");
    page_text(&s->b, words);
    buf_adds(&s->b, "</p>\n");
}

void sheet_note(struct sheet *s, const char *words)
{
    buf_adds(&s->b, "<p class=\"note\">");
    page_text(&s->b, words);
    buf_adds(&s->b, "</p>\n");
}

void sheet_done(struct sheet *s, const char *words)
{
    buf_adds(&s->b, "<p class=\"done\" role=\"status\">");
    page_text(&s->b, words);
    buf_adds(&s->b, "</p>\n");
}

void sheet_way(struct sheet *s, const char *path, const char *words)
{
    buf_adds(&s->b, "<p class=\"way\"><a href=\"");
    page_text(&s->b, sheet_url(s, path));
    buf_printf(&s->b, "\">%s</a></p>\n", words);
}

void sheet_go(struct sheet *s, const char *url)
{
    s->rp->status = 303;
    reply_header(s->rp, "location", url);
}

void sheet_go_done(struct sheet *s, const char *path, const char *word)
{
    sheet_go(s,
             arena_printf(s->w->mem, "%s?%sdone=%s", path, s->large ? "large=1&" : "", word));
}

/* ---- who may ---- */

bool sheet_is_fresh(struct sheet *s)
{
    struct reply ignored = { 0 };

    if (!auth_need_fresh(s->w, &ignored))
        return true;
    s->back = url_of(s->w->mem, s->path, NULL, s->large);
    sheet_go(s, arena_printf(s->w->mem, "%s&fresh=1", sheet_url(s, "/sign-in")));
    return false;
}

const char *sheet_seconds(struct arena *mem, int64_t seconds)
{
    if (seconds < 120)
        return arena_printf(mem, "%" PRId64 " 秒", seconds);
    if (seconds < 7200)
        return arena_printf(mem, "%" PRId64 " 分钟", (seconds + 59) / 60);
    return arena_printf(mem, "%" PRId64 " 小时", (seconds + 3599) / 3600);
}

const char *sheet_wait(struct sheet *s, int64_t seconds)
{
    reply_header(s->rp, "retry-after", arena_printf(s->w->mem, "%" PRId64, seconds));
    return arena_printf(s->w->mem, "错的次数太多了。请过 %s再试。",
                        sheet_seconds(s->w->mem, seconds));
}

bool sheet_number(const struct form *f, const char *name, int64_t *out)
{
    const char *text = form_text(f, name);
    char *end;

    if (!text || *text < '0' || *text > '9' || strlen(text) > 19)
        return false;
    *out = strtoll(text, &end, 10);
    return !*end;
}

/* ---- a form ---- */

void sheet_hidden(struct sheet *s, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(&s->b, "<input type=\"hidden\" name=\"%s\" value=\"", name);
    page_text(&s->b, value);
    buf_adds(&s->b, "\">\n");
}

void sheet_form(struct sheet *s, const char *action)
{
    sheet_form_with(s, action, "");
}

void sheet_form_with(struct sheet *s, const char *action, const char *attributes)
{
    buf_printf(&s->b, "<form class=\"sheet\" method=\"post\" action=\"%s%s\" novalidate%s>\n",
               action, s->large ? "?large=1" : "", attributes);
    sheet_hidden(s, "token", visitor_token(s->w, s->rq, s->rp, action));
    sheet_hidden(s, "return", s->back);
}

static void put_described(struct buf *out, const struct sheet_field *f)
{
    if (!f->hint && !f->error)
        return;
    buf_adds(out, " aria-describedby=\"");
    if (f->hint)
        buf_printf(out, "%s-hint%s", f->name, f->error ? " " : "");
    if (f->error)
        buf_printf(out, "%s-wrong", f->name);
    buf_addc(out, '"');
}

/* What a box says of itself, whatever its kind. */
static void put_attributes(struct buf *out, const struct sheet_field *f)
{
    buf_printf(out, " id=\"%s\" name=\"%s\" maxlength=\"%d\"", f->name, f->name, f->max);
    put_described(out, f);
    if (f->error)
        buf_adds(out, " aria-invalid=\"true\"");
}

static void put_input(struct buf *out, const struct sheet_field *f)
{
    const struct kind *k = &kinds[f->kind];

    buf_printf(out, "<input class=\"box%s\" type=\"%s\"", k->class, k->type);
    if (k->mode)
        buf_printf(out, " inputmode=\"%s\"", k->mode);
    put_attributes(out, f);
    buf_printf(out, " autocomplete=\"%s\" autocapitalize=\"none\" spellcheck=\"false\"",
               f->complete ? f->complete : "off");
    if (f->value && f->kind != SHEET_PASSWORD) {
        buf_adds(out, " value=\"");
        page_text(out, f->value);
        buf_addc(out, '"');
    }
    buf_adds(out, ">\n");
}

/* The line end behind the tag is none of the text's (HTML 13.1.2.5). */
static void put_area(struct buf *out, const struct sheet_field *f)
{
    buf_adds(out, "<textarea class=\"box area\" rows=\"4\" autocomplete=\"off\"");
    put_attributes(out, f);
    buf_adds(out, ">\n");
    if (f->value)
        page_text(out, f->value);
    buf_adds(out, "</textarea>\n");
}

void sheet_field(struct sheet *s, const struct sheet_field *f)
{
    struct buf *out = &s->b;

    buf_printf(out, "<div class=\"field%s\">\n<label for=\"%s\">%s</label>\n",
               f->error ? " bad" : "", f->name, f->label);
    if (f->hint) {
        buf_printf(out, "<p class=\"hint\" id=\"%s-hint\">", f->name);
        page_text(out, f->hint);
        buf_adds(out, "</p>\n");
    }
    if (f->error) {
        buf_printf(out,
                   "<p class=\"wrong\" id=\"%s-wrong\"><span class=\"unseen\">错误：</span>",
                   f->name);
        page_text(out, f->error);
        buf_adds(out, "</p>\n");
    }
    if (f->kind == SHEET_LINES)
        put_area(out, f);
    else
        put_input(out, f);
    buf_adds(out, "</div>\n");
}

void sheet_button(struct sheet *s, const char *words)
{
    buf_printf(&s->b, "<p class=\"buttons\"><button class=\"button first\">%s</button></p>\n",
               words);
}

void sheet_small_button(struct sheet *s, const char *words, const char *about)
{
    buf_printf(&s->b, "<p class=\"buttons\"><button class=\"button\">%s", words);
    if (about) {
        buf_adds(&s->b, "<span class=\"unseen\">：");
        page_text(&s->b, about);
        buf_adds(&s->b, "</span>");
    }
    buf_adds(&s->b, "</button></p>\n");
}

void sheet_form_end(struct sheet *s)
{
    buf_adds(&s->b, "</form>\n");
}
