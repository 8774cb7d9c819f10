/*
 * set_up.c - `tjzw serve` on data that has no security administrator.
 *
 * Every start makes another link, good once and for 30 minutes like all of them; `tjzw admin link` makes more, and those of the other two. It
 * stands where a container's log is read, for some see nothing else.
 */
#include "server/cli/set_up.h"

#include <stdio.h>
#include <unistd.h>

#include "api/instance.h"
#include "api/set_up_page.h"
#include "server/base/qr.h"
#include "server/identity/audit.h"
#include "server/identity/invite.h"
#include "server/identity/role.h"
#include "server/store/writer.h"

struct first {
    bool wanted;
    char token[INVITE_TEXT];
};

static enum rc make(struct work *w, void *arg)
{
    struct first *f = arg;
    struct holding *list;
    enum rc rc;
    int n;

    if ((rc = role_list(w, 0, &list, &n)))
        return rc;
    for (int i = 0; i < n; i++)
        if (list[i].role->role == ROLE_SECURITY)
            return RC_OK;
    f->wanted = true;
    rc = invite_make(w, role_find("security"), EVERYWHERE, f->token);
    return rc ? rc : audit_add(w, AUDIT_invite_make, NULL, RC_OK);
}

static enum rc print(struct err *e, struct arena *mem, const char *token, const char *data)
{
    struct buf url = BUF_IN(mem), square = BUF_IN(mem);
    enum rc rc;

    instance_url(&url, SET_UP_ADDRESS);
    buf_adds(&url, token);
    if (isatty(STDOUT_FILENO)) {
        if ((rc = qr_terminal(e, &square, url.p)))
            return rc;
        fwrite(square.p, 1, square.n, stdout);
    }
    printf("! 首次设置  还没有管理员。在浏览器里打开（或用手机扫码），%d "
           "分钟内有效，只能用一次：\n"
           "            %s\n            过期了再要一个：tjzw admin link --data %s --role "
           "security\n",
           INVITE_LIFE / 60, url.p, data);
    return RC_OK;
}

enum rc set_up_say(struct err *e, const char *data)
{
    struct arena *mem = arena_new();
    struct first f = { 0 };
    struct work w;
    enum rc rc;

    work_init(&w, mem, NULL, "operator", RIGHT_ALL);
    w.who = actor_operator;
    if ((rc = writer_call(&w, make, &f)))
        *e = w.err;
    else if (f.wanted)
        rc = print(e, mem, f.token, data);
    arena_free(mem);
    return rc;
}
