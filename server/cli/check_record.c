/*
 * check_record.c - `tjzw check-record FILE`: what an import would refuse, and what the rules of
 * server/check say, of records that nobody takes in.
 *
 *     2026-001 title 31-61 blocking title.hijacked/1: 标题中夹有……
 *     2: refused: title: the title is missing
 *
 * For a department before it sends, and for a site before it moves. Needs no server and no data
 * directory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "server/cli/check_lists.h"
#include "server/cli/commands.h"
#include "server/cli/csv_records.h"
#include "server/library/checkup.h"
#include "server/library/import.h"

struct checker {
    struct check_lists lists;
    int line, records, refused, blocked, warned;
    bool json;
};

static void print_verdicts(const struct checker *k, const struct import_line *line,
                           const struct check_result *r)
{
    const char *id = line->origin_id ? line->origin_id : "-";
    struct buf b = BUF_HEAP;

    if (k->json) {
        buf_addc(&b, '{');
        buf_printf(&b, "\"line\":%d,\"blocked\":%s,\"more\":%s,\"verdicts\":", k->line,
                   r->blocked ? "true" : "false", r->more ? "true" : "false");
        checkup_json(&b, r);
        printf("%s}\n", b.p);
    }
    for (int i = 0; !k->json && i < r->n; i++) {
        const struct check_verdict *v = &r->verdicts[i];

        printf("%s %s %d-%d %s %s/%d: %s\n", id, v->field, v->from, v->to,
               check_severity_name(v->severity), check_rules[v->rule].name,
               check_rules[v->rule].version, v->said);
    }
    if (!k->json && r->more)
        printf("%s: and more\n", id);
    buf_done(&b);
}

static void check_line(struct checker *k, const char *text, size_t n)
{
    struct arena *mem = arena_new();
    struct import_line line;
    struct check_result r;

    k->records++;
    import_prepare(mem, text, n, &line);
    if (line.why.rc) {
        k->refused++;
        if (k->json)
            printf("{\"line\":%d,\"refused\":true}\n", k->line);
        fprintf(stderr, "%d: refused: %s\n", k->line, line.why.text);
    } else {
        checkup(mem, &line.content, CHECK_REVIEW, &k->lists.context,
                &r); /* where every rule is asked */
        k->blocked += r.blocked;
        k->warned += r.n && !r.blocked;
        print_verdicts(k, &line, &r);
    }
    arena_free(mem);
}

static int check_file(struct checker *k, FILE *in)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;

    while ((n = getline(&line, &room, in)) > 0) {
        k->line++;
        if (line[n - 1] == '\n')
            line[--n] = '\0';
        if (n)
            check_line(k, line, (size_t)n);
    }
    free(line);
    if (!k->json)
        printf("%d 条记录：%d 条不能入库，%d 条有必须改正的问题，%d 条有提示\n", k->records,
               k->refused, k->blocked, k->warned);
    return k->refused || k->blocked ? EX_DATAERR : 0;
}

int cmd_check_record(const struct args *a)
{
    struct checker k = { .json = arg_flag(a, "json") };
    int code = check_lists_open(a, &k.lists);
    struct err e = { 0 };
    FILE *in;

    if (!code && records_open(&e, a->pos[0], &in)) {
        code = cli_fail(&e, "no record was checked", NULL);
    } else if (!code) {
        code = check_file(&k, in);
        if (in != stdin)
            fclose(in);
    }
    check_lists_close(&k.lists);
    return code;
}
