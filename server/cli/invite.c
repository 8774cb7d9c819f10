/*
 * invite.c - `tjzw admin link`: a link by which an administrator makes his account, as a URL and as a square for a phone's camera.
 *
 * Only on the machine, over the admin socket: this is where trust begins, and there is no account before it.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "server/base/jx.h"
#include "server/base/qr.h"
#include "server/cli/commands.h"
#include "server/cli/link.h"

static void print(struct arena *mem, const json_t *answer)
{
    const char *url = jx_text(answer, "url");
    struct buf square = BUF_IN(mem);
    struct err e;

    if (!qr_terminal(&e, &square, url))
        fwrite(square.p, 1, square.n, stdout);
    printf("  邀请链接（%lld 分钟内有效，只能用一次）：\n  %s\n"
           "  在浏览器中打开，填写姓名、登录名和密码，并设置一种二次验证方式。请只交给本人。\n",
           (long long)jx_int(answer, "expires_in", 0) / 60, url);
}

static int ask(const struct args *a, struct link *l, struct arena *mem)
{
    static const char *const headers[] = { "content-type: application/json", NULL };
    struct buf body = BUF_IN(mem);
    struct link_answer answer;
    struct err e = { 0 };
    json_t *said;

    buf_addc(&body, '{');
    jx_put_text(&body, "role", arg_text(a, "role", NULL));
    jx_put_text(&body, "site", arg_text(a, "site", NULL));
    buf_addc(&body, '}');
    if (link_call(l, &e, mem, POST, "/v1/invitations", headers, body.p, body.n, &answer) ||
        (answer.status != 201 && link_problem(&e, mem, &answer)) ||
        jx_object(&e, mem, answer.body, answer.len, &said))
        return cli_fail(&e, a->command->name,
                        e.rc == RC_INVALID ? "the roles: system, security, auditor, editor …"
                                           : link_hint(&e));
    print(mem, said);
    return 0;
}

int cmd_admin_link(const struct args *a)
{
    return link_command(a, false, a->command->name, ask);
}
