/*
 * phone_me.c - tjzw-phone's commands for who holds the phone: signing in and out, what he agrees to, the account. What is his: phone_mine.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "clients/c/phone.h"

/* ---- signing in ---- */

/* One line of stdin, without an echo on a terminal. false: there is none. */
static bool read_secret(const char *prompt, char *out, size_t room)
{
    bool terminal = isatty(STDIN_FILENO), good;
    struct termios before, silent;

    if (terminal) {
        fprintf(stderr, "%s：", prompt);
        tcgetattr(STDIN_FILENO, &before);
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    good = fgets(out, (int)room, stdin) != NULL;
    out[good ? strcspn(out, "\r\n") : 0] = '\0';
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputc('\n', stderr);
    }
    return good && out[0];
}

/* When to ask again, in the words of somebody who waits. */
static void tell_wait(const char *number, uint32_t seconds)
{
    uint32_t minutes = (seconds + 59) / 60;

    if (seconds <= 90)
        fprintf(stderr, "请 %" PRIu32 " 秒后再要验证码。\n", seconds);
    else
        fprintf(stderr,
                "这个号码今天要的验证码太多，请 %" PRIu32 " %s后再试，或用密码登录：sign-in "
                "--password %s\n",
                minutes > 90 ? (minutes + 59) / 60 : minutes, minutes > 90 ? "小时" : "分钟",
                number);
}

static int send_code(struct phone *p, const char *number)
{
    struct tjzw_code_sent sent;
    struct tjzw_error e;

    if (tjzw_ask_code(p->t, number, &sent, &e)) {
        if (sent.again_in)
            tell_wait(number, sent.again_in);
        return phone_failed(p, "sign-in", &e);
    }
    printf("验证码已发出，%" PRIu32 " 分钟内有效。收到后请运行：sign-in %s 验证码\n",
           sent.expires_in / 60, number);
    return phone_finish("sign-in");
}

static int wants_more(const struct tjzw_step *step)
{
    static const char *const how[] = {
        [TJZW_STEP_FACTOR] = "这个账号还要二次验证，请输入动态口令",
        [TJZW_STEP_PASSWORD] = "这个账号还要密码，请用 --password",
        [TJZW_STEP_CODE] = "密码试错太多，请改用短信验证码：sign-in 手机号",
        [TJZW_STEP_PHONE] = "还要验证手机号：sign-in 手机号",
    };

    return phone_wrong("还没有登录", NULL, how[step->kind]);
}

/* Step after step, as far as a command line can go. */
static int enter(struct phone *p, struct tjzw_sign_in *in)
{
    char secret[256], ticket[sizeof(struct tjzw_step)];
    const char *login = in->login ? in->login : in->phone;
    struct tjzw_step step;
    struct tjzw_error e;
    enum tjzw_code rc = tjzw_sign_in(p->t, in, &step, &e);

    while (!rc && (step.kind == TJZW_STEP_FACTOR || step.kind == TJZW_STEP_PASSWORD)) {
        bool factor = step.kind == TJZW_STEP_FACTOR;

        if (!read_secret(factor ? "动态口令" : "密码", secret, sizeof secret))
            return wants_more(&step);
        snprintf(ticket, sizeof ticket, "%s", step.ticket);
        *in =
            factor
                ? (struct tjzw_sign_in){ .ticket = ticket, .totp = secret }
                : (struct tjzw_sign_in){ .ticket = ticket, .login = login, .password = secret };
        rc = tjzw_sign_in(p->t, in, &step, &e);
    }
    if (rc == TJZW_SIGN_IN) /* which of them, nobody is told */
        snprintf(
            e.text, sizeof e.text,
            "没有登录：验证码、密码或口令不对，或者已经过期。请核对后再试，或重新要验证码");
    if (rc)
        return phone_failed(p, "sign-in", &e);
    if (step.kind != TJZW_STEP_DONE)
        return wants_more(&step);
    printf("已登录%s，账号 %" PRId64 "。本机先前记下的内容并入这个账号。\n",
           step.is_new ? "（新建了账号）" : "", step.account);
    return phone_finish("sign-in");
}

int phone_sign_in(struct phone *p, const char *name)
{
    char password[256];
    struct tjzw_sign_in in = { .phone = name, .code = p->more };
    int status;

    phone_runs(p->t);
    if (p->password && !read_secret("密码", password, sizeof password))
        status = phone_wrong("没有读到密码", NULL, "请在标准输入的第一行给出。");
    else if (p->password)
        status = enter(p, &(struct tjzw_sign_in){ .login = name, .password = password });
    else
        status = p->more ? enter(p, &in) : send_code(p, name);
    phone_runs(NULL);
    return status;
}

int phone_sign_out(struct phone *p, const char *none)
{
    struct tjzw_me before;
    struct tjzw_error e;

    (void)none;
    if (tjzw_me(p->t, &before, &e) || tjzw_sign_out(p->t, &e))
        return phone_failed(p, "sign-out", &e);
    printf("已退出，个人内容已从本机删去。");
    if (!before.guest && before.unsent)
        printf("没有送出的 %" PRIu64 " 项封存 90 天，同一账号再登录时送出。", before.unsent);
    putchar('\n');
    return phone_finish("sign-out");
}

int phone_me(struct phone *p, const char *none)
{
    struct tjzw_me me;
    struct tjzw_error e;
    char at[32];

    (void)none;
    if (tjzw_me(p->t, &me, &e))
        return phone_failed(p, "me", &e);
    if (me.ended)
        printf("登录已在别处结束，请重新登录。\n");
    if (me.guest)
        printf("没有登录。写下的内容归本机的访客所有，登录时并入账号。\n");
    else
        printf("账号 %" PRId64 "，实名等级 %" PRIu32 "\n", me.account, me.level);
    printf("待送出 %" PRIu64 "，需要处理 %" PRIu64 "，未读消息 %" PRIu64 "\n", me.unsent,
           me.attention, me.unread);
    if (me.checked_at)
        printf("最近同步：%s\n", phone_time(me.checked_at, "%Y-%m-%d %H:%M:%S", at));
    return phone_finish("me");
}

/* ---- counts of reads ---- */

static bool take_consent(void *ctx, const struct tjzw_entry *entry)
{
    *(bool *)ctx = strcmp(entry->value, "true") == 0;
    return false;
}

static int tell_consent(struct phone *p)
{
    struct tjzw_error e;
    bool on = false;
    enum tjzw_code rc = tjzw_entries(p->t, "consent", "counts", take_consent, &on, &e);

    if (rc && rc != TJZW_NOT_FOUND)
        return phone_failed(p, "counts", &e);
    printf(on ? "您同意了计入浏览量。每天只报一次哪些内容看过几遍，不带账号，也不说是谁看的。\n"
                "不想再计，请运行：counts off\n"
              : "没有计入浏览量，本机也不记您看过什么。\n"
                "如果愿意让大家知道哪些内容有人看，请运行：counts "
                "on（不带账号，也不说是谁看的）\n");
    return phone_finish("counts");
}

int phone_counts(struct phone *p, const char *none)
{
    struct tjzw_error e;
    bool on;

    (void)none;
    if (!p->more)
        return tell_consent(p);
    on = strcmp(p->more, "on") == 0;
    if (!on && strcmp(p->more, "off") != 0)
        return phone_wrong("不明白", p->more, "可用 counts、counts on、counts off。");
    if (tjzw_put(p->t, "consent", "counts", on ? "true" : "false", &e))
        return phone_failed(p, "counts", &e);
    printf(on ? "好的，从现在起计入浏览量。谢谢您。\n"
              : "好的，不再计入；本机记下而没有报的，已经删去。\n");
    return phone_finish("counts");
}

/* ---- the account ---- */

static bool write_piece(void *ctx, const void *bytes, size_t n)
{
    return fwrite(bytes, 1, n, ctx) == n;
}

/* Exports and erasures want a sign-in of the last ten minutes. */
static int account_failed(struct phone *p, const struct tjzw_error *e)
{
    if (e->code == TJZW_SIGN_IN)
        fprintf(stderr, "为了安全，这一步要求十分钟内登录过。请先用 sign-in 再登录一次。\n");
    return phone_failed(p, "account", e);
}

int phone_account(struct phone *p, const char *what)
{
    struct tjzw_error e;
    int64_t when = 0;
    char at[32];

    if (strcmp(what, "export") == 0) {
        if (tjzw_account_export(p->t, write_piece, stdout, &e))
            return account_failed(p, &e);
    } else if (strcmp(what, "delete") == 0) {
        if (tjzw_account_erase(p->t, true, &when, &e))
            return account_failed(p, &e);
        printf("已申请注销，%s 清除。在那之前可用 account stay 撤回。\n",
               phone_time(when, "%Y-%m-%d %H:%M", at));
    } else if (strcmp(what, "stay") == 0) {
        if (tjzw_account_erase(p->t, false, NULL, &e))
            return account_failed(p, &e);
        printf("已撤回注销申请。\n");
    } else {
        return phone_wrong("不明白", what,
                           "可用 account export、account delete、account stay。");
    }
    return phone_finish("account");
}
