/*
 * watch.c - tjzw push watch: a campaign's progress as it happens, a line each time something has changed, until nothing more will.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/base/jx.h"
#include "server/cli/commands.h"
#include "server/cli/link.h"

struct watching {
    struct arena *mem;
    bool over; /* it will not go on */
};

static const char *const endings[] = { "done", "recalled", "cancelled", "rejected" };

static int64_t outcome(const json_t *o, const char *word)
{
    return jx_int(json_object_get(o, "outcomes"), word, 0);
}

/* 发送中  范围 8000  等待 100  在途 20  已接收 7880  未送达 0  不能确定 0 */
static void show(struct watching *k, const char *data, size_t n)
{
    struct err e = { 0 };
    json_t *o;

    if (jx_object(&e, k->mem, data, n, &o) || !jx_text(o, "state") || !jx_text(o, "stateText"))
        return;
    printf("%s  范围 %" PRId64 "%s  等待 %" PRId64 "  在途 %" PRId64 "  已接收 %" PRId64
           "  未送达 %" PRId64 "  不能确定 %" PRId64,
           jx_text(o, "stateText"), jx_int(o, "audience", 0),
           jx_bool(o, "complete", false) ? "" : "+", jx_int(o, "waiting", 0),
           jx_int(o, "onTheWay", 0), outcome(o, "accepted"),
           outcome(o, "rejected") + outcome(o, "gone") + outcome(o, "quota") +
               outcome(o, "quiet") + outcome(o, "off") + outcome(o, "stopped"),
           outcome(o, "doubt"));
    if (jx_int(o, "recalled", 0))
        printf("  已要求撤回 %" PRId64, jx_int(o, "recalled", 0));
    putchar('\n');
    fflush(stdout);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        k->over |= !strcmp(jx_text(o, "state"), endings[i]);
}

/* Whole lines of what came; the rest waits for its end. */
static bool heard(void *arg, struct buf *body_in)
{
    struct watching *k = arg;
    char *end, *line = body_in->p;
    size_t left = body_in->n;

    while (!k->over && (end = memchr(line, '\n', left))) {
        size_t n = (size_t)(end - line);

        if (n > 6 && !memcmp(line, "data: ", 6))
            show(k, line + 6, n - 6);
        line = end + 1;
        left -= n + 1;
    }
    if (*body_in->p != '{') { /* a problem is kept whole */
        memmove(body_in->p, line, left);
        body_in->n = left;
    }
    return !k->over;
}

static int watch(const struct args *a, struct link *l, struct arena *mem)
{
    struct watching k = { .mem = mem };
    struct buf target = BUF_IN(mem);
    struct link_answer answer;
    struct err e = { 0 };

    buf_adds(&target, "/v1/push/campaigns/");
    buf_url(&target, a->pos[0], strlen(a->pos[0]));
    buf_adds(&target, "/live");
    if (link_listen(l, &e, mem, target.p, heard, &k, &answer))
        return cli_fail(&e, a->command->name, link_hint(&e));
    if (answer.status != 200 && link_problem(&e, mem, &answer))
        return cli_fail(&e, a->command->name, "the numbers: tjzw push list");
    return 0;
}

int cmd_push_watch(const struct args *a)
{
    return link_command(a, false, a->command->name, watch);
}
