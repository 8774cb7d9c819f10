/*
 * alerts.c - `tjzw alerts`: what the running server finds wrong with itself, worst first, and how to mend it.
 *
 * Exit status: 0 when nothing is, 1 when something is, EX_UNAVAILABLE when no server looks.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "server/base/jx.h"
#include "server/cli/commands.h"
#include "server/cli/link.h"

enum { FIRES = 1 };

static bool fires(const json_t *alert)
{
    return !strcmp(jx_text(alert, "state"), "firing");
}

static void print_firing(const json_t *alert)
{
    printf("%s %-13s %s  %s\n    → %s\n",
           !strcmp(jx_text(alert, "severity"), "error") ? "✘" : "!", jx_text(alert, "name"),
           jx_text(alert, "since"), jx_text(alert, "text"), jx_text(alert, "mend"));
}

static void print_quiet(const json_t *alert)
{
    const char *until = jx_text(alert, "until");

    printf("✔ %-13s %s%s\n", jx_text(alert, "name"), until ? until : "",
           until ? "  已解除" : "正常");
}

static int print(const json_t *answer)
{
    const json_t *all = json_object_get(answer, "alerts");
    int n = 0;

    if (!jx_text(answer, "looked")) {
        fputs("tjzw: 没有正在运行的服务，因此没有告警可看\n  离线检查：tjzw doctor\n", stderr);
        return EX_UNAVAILABLE;
    }
    for (size_t i = 0; i < json_array_size(all); i++)
        if (fires(json_array_get(all, i))) {
            print_firing(json_array_get(all, i));
            n++;
        }
    for (size_t i = 0; i < json_array_size(all); i++)
        if (!fires(json_array_get(all, i)))
            print_quiet(json_array_get(all, i));
    return n ? FIRES : 0;
}

static int ask(const struct args *a, struct link *l, struct arena *mem)
{
    struct link_answer answer;
    struct err e = { 0 };
    json_t *body;

    if (link_call(l, &e, mem, GET, "/v1/alerts", NULL, NULL, 0, &answer) ||
        (answer.status != 200 && link_problem(&e, mem, &answer)) ||
        jx_object(&e, mem, answer.body, answer.len, &body))
        return cli_fail(&e, a->command->name, link_hint(&e));
    return print(body);
}

int cmd_alerts(const struct args *a)
{
    return link_command(a, false, a->command->name, ask);
}
