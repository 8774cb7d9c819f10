/*
 * assess.c - each line is read as a submission is, judged as at review, and compared with those before it; then its links are asked, if that is wanted.
 *
 *     line --> submission_read() --> rules --> fingerprint --> links
 *                    |                 |            |            |
 *                    +-----------------+------------+------------+--> tallies, each with its first examples
 *
 * A report never repeats a person's number: it says where one stands.
 */
#include "server/cli/assess.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "server/base/jx.h"
#include "server/base/memory.h"
#include "server/cli/check_lists.h"
#include "server/cli/csv_records.h"
#include "server/cli/link_probe.h"
#include "server/http/client.h"
#include "server/library/checkup.h"
#include "server/source/feed_record.h"
#include "server/source/fingerprint.h"
#include "server/source/submission_read.h"

enum { EXAMPLES = 5, EXAMPLE_MAX = 300, NONE = -1, BUCKETS = 65536, FEED_TIMEOUT_MS = 30000 };

/* What is counted besides the rules of rule.def. */
enum fault {
    FAULT_REFUSED = CHECK_RULES,
    FAULT_SCRIPT,
    FAULT_HIDDEN,
    FAULT_FORM,
    FAULT_LOST_LINK,
    FAULT_EMPTY,
    FAULT_TWICE,
    FAULT_SAME,
    FAULT_NEAR,
    FAULT_DEAD,
    FAULTS
};

static const struct {
    const char *name, *label;
} faults[] = {
    [FAULT_REFUSED - CHECK_RULES] = { "record.refused", "不能入库" },
    [FAULT_SCRIPT - CHECK_RULES] = { "html.script", "网页里有脚本、事件或框架（清洗时去掉）" },
    [FAULT_HIDDEN - CHECK_RULES] = { "html.hidden", "网页里有隐藏的内容（清洗时去掉）" },
    [FAULT_FORM - CHECK_RULES] = { "html.form", "网页里有表单（不会保留）" },
    [FAULT_LOST_LINK - CHECK_RULES] = { "link.lost", "链接指不到任何网页（只留文字）" },
    [FAULT_EMPTY - CHECK_RULES] = { "text.empty", "没有正文" },
    [FAULT_TWICE - CHECK_RULES] = { "record.twice", "编号重复（后一条会成为前一条的新版）" },
    [FAULT_SAME - CHECK_RULES] = { "text.same", "正文与前面的一条相同" },
    [FAULT_NEAR - CHECK_RULES] = { "text.near", "正文与前面的一条几乎相同" },
    [FAULT_DEAD - CHECK_RULES] = { "link.dead", "链接打不开" },
};

struct tally {
    int n, lines, last; /* how often; in how many lines; the last of them */
    bool blocks;
    char *example[EXAMPLES];
};

struct seen { /* a text that was read */
    struct fingerprint print;
    int line, next[FINGERPRINT_QUARTERS]; /* another with the same quarter; NONE */
};

struct assessment {
    struct check_lists lists;
    struct tally tallies[FAULTS];
    int line, records;
    const char *id; /* of the line at hand */
    struct seen *seen;
    int nseen, room, heads[FINGERPRINT_QUARTERS][BUCKETS];
    json_t *ids; /* those met, with their lines */
    struct probe *probe;
    int files;
};

/* ---- counting ---- */

static const char *name_of(int i)
{
    return i < CHECK_RULES ? check_rules[i].name : faults[i - CHECK_RULES].name;
}

static const char *label_of(int i)
{
    return i < CHECK_RULES ? check_rules[i].label : faults[i - CHECK_RULES].label;
}

static void tell_at(struct assessment *a, int fault, int line, const char *id, int n,
                    const char *said)
{
    struct tally *t = &a->tallies[fault];
    char text[EXAMPLE_MAX];
    size_t len;

    if (!n)
        return;
    t->n += n;
    if (t->last == line)
        return;
    t->last = line;
    if (t->lines < EXAMPLES) {
        len = (size_t)snprintf(text, sizeof text, "第 %d 行%s%s%s%s", line, id ? "，编号 " : "",
                               id ? id : "", *said ? "：" : "", said);
        if (len >= sizeof text) /* not in the middle of a character */
            for (len = sizeof text - 1; len && (text[len] & 0xc0) == 0x80;)
                text[len--] = '\0';
        if (!(t->example[t->lines] = strdup(text)))
            memory_end();
    }
    t->lines++;
}

static void tell(struct assessment *a, int fault, int n, const char *said)
{
    tell_at(a, fault, a->line, a->id, n, said);
}

/* ---- a line ---- */

static void judge(struct assessment *a, struct arena *mem, const struct content *content)
{
    struct check_result r;

    checkup(mem, content, CHECK_REVIEW, &a->lists.context, &r);
    for (int i = 0; i < r.n; i++) {
        const struct check_verdict *v = &r.verdicts[i];

        a->tallies[v->rule].blocks |= v->severity == CHECK_BLOCKING;
        tell(a, (int)v->rule, 1, v->said);
    }
}

static void look_at_page(struct assessment *a, const struct html_found *f)
{
    tell(a, FAULT_SCRIPT, f->scripts + f->handlers + f->frames, "");
    tell(a, FAULT_HIDDEN, f->hidden, "");
    tell(a, FAULT_FORM, f->forms, "");
    tell(a, FAULT_LOST_LINK, f->links_refused, "");
}

static struct seen *remember(struct assessment *a, const struct fingerprint *print)
{
    struct seen *s;

    if (a->nseen == a->room &&
        !(a->seen = realloc(a->seen, (size_t)(a->room = 2 * a->room + 1024) * sizeof *a->seen)))
        memory_end();
    s = &a->seen[a->nseen];
    *s = (struct seen){ .print = *print, .line = a->line };
    for (int q = 0; q < FINGERPRINT_QUARTERS; q++) {
        int *head = &a->heads[q][fingerprint_quarter(print, q)];

        s->next[q] = *head;
        *head = a->nseen;
    }
    a->nseen++;
    return s;
}

/* The first that is the same, or else one that is near. */
static enum likeness find_like(const struct assessment *a, const struct fingerprint *print,
                               int *line)
{
    enum likeness best = UNLIKE;

    for (int q = 0; q < FINGERPRINT_QUARTERS && best != SAME; q++)
        for (int i = a->heads[q][fingerprint_quarter(print, q)]; i != NONE && best != SAME;
             i = a->seen[i].next[q]) {
            enum likeness like = fingerprint_compare(print, &a->seen[i].print);

            if (like > best) {
                best = like;
                *line = a->seen[i].line;
            }
        }
    return best;
}

static void compare(struct assessment *a, const char *body)
{
    struct fingerprint print;
    enum likeness like;
    char said[64];
    int line = 0;

    if (!body || !*body) {
        tell(a, FAULT_EMPTY, 1, "");
        return;
    }
    fingerprint_of(body, strlen(body), &print);
    if ((like = find_like(a, &print, &line)) != UNLIKE) {
        snprintf(said, sizeof said, "见第 %d 行", line);
        tell(a, like == SAME ? FAULT_SAME : FAULT_NEAR, 1, said);
    }
    if (like != SAME)
        (void)remember(a, &print);
}

static void note_id(struct assessment *a)
{
    json_t *before = json_object_get(a->ids, a->id);
    char said[64];

    if (!before) {
        json_object_set_new(a->ids, a->id, json_integer(a->line));
        return;
    }
    snprintf(said, sizeof said, "第 %d 行已有", (int)json_integer_value(before));
    tell(a, FAULT_TWICE, 1, said);
}

static enum rc read_line(struct err *e, struct arena *mem, const char *text, size_t n,
                         json_t **record, struct submitted *out)
{
    const char *site;
    enum rc rc;

    if ((rc = jx_object(e, mem, text, n, record)))
        return rc;
    site = jx_text(*record, "source") ? jx_text(*record, "source") : jx_text(*record, "site");
    if (!site)
        return err_field(e, "source", "source (or site) is missing");
    return submission_read(
        e, mem, *record,
        &(struct site){ .code = arena_strdup(mem, site), .name = arena_strdup(mem, site) },
        NULL, 0, out);
}

static void look_at(struct assessment *a, const char *text, size_t n)
{
    struct arena *mem = arena_new();
    struct submitted read;
    struct err e = { 0 };
    json_t *record;
    const char *body;

    a->records++;
    a->id = NULL;
    if (read_line(&e, mem, text, n, &record, &read)) {
        tell(a, FAULT_REFUSED, 1, e.text);
    } else {
        a->id = read.line.origin_id;
        body = jx_text(record, "body");
        note_id(a);
        look_at_page(a, &read.found);
        judge(a, mem, &read.line.content);
        compare(a, body);
        a->files += read.nfiles;
        for (int i = 0; a->probe && i < read.nfiles; i++)
            probe_note(a->probe, read.files[i].url, a->line);
        if (a->probe && body)
            probe_note_all(a->probe, body, a->line);
    }
    a->tallies[FAULT_REFUSED].blocks = true;
    arena_free(mem);
}

static void on_dead(void *arg, const char *url, int line, const char *why)
{
    struct assessment *a = arg;
    struct buf said = BUF_HEAP;

    buf_printf(&said, "%.200s %s", url, why);
    a->tallies[FAULT_DEAD].last = 0; /* each is an example of its own */
    tell_at(a, FAULT_DEAD, line, NULL, 1, said.p);
    buf_done(&said);
}

/* ---- the report ---- */

static void print_text(const struct assessment *a)
{
    printf("%d 条记录，%d 个图片和附件。没有收入任何内容。\n", a->records, a->files);
    for (int i = FAULTS - 1; i >= 0; i--) {
        const struct tally *t = &a->tallies[i];

        if (!t->n)
            continue;
        printf("\n%s %s：%d 处，在 %d 条里%s\n", name_of(i), label_of(i), t->n, t->lines,
               t->blocks ? "（不改到不了公众面前）" : "");
        for (int k = 0; k < EXAMPLES && t->example[k]; k++)
            printf("  %s\n", t->example[k]);
        if (t->lines > EXAMPLES)
            printf("  ……\n");
    }
    if (a->probe)
        printf("\n问了 %d 个链接，%d 个打不开。\n", probe_asked(a->probe),
               a->tallies[FAULT_DEAD].n);
}

static void print_json(const struct assessment *a)
{
    struct buf b = BUF_HEAP;

    buf_addc(&b, '{');
    jx_put_int(&b, "records", a->records);
    jx_put_int(&b, "files", a->files);
    jx_put_int(&b, "asked", a->probe ? probe_asked(a->probe) : 0);
    jx_key(&b, "faults");
    buf_addc(&b, '[');
    for (int i = 0; i < FAULTS; i++) {
        const struct tally *t = &a->tallies[i];

        if (!t->n)
            continue;
        buf_adds(&b, b.p[b.n - 1] == '[' ? "{" : ",{");
        jx_put_text(&b, "name", name_of(i));
        jx_put_text(&b, "label", label_of(i));
        jx_put_bool(&b, "blocks", t->blocks);
        jx_put_int(&b, "n", t->n);
        jx_put_int(&b, "records", t->lines);
        jx_key(&b, "examples");
        for (int k = 0; k < EXAMPLES && t->example[k]; k++) {
            buf_addc(&b, k ? ',' : '[');
            jx_quote(&b, t->example[k], strlen(t->example[k]));
        }
        buf_adds(&b, "]}");
    }
    buf_adds(&b, "]}");
    printf("%s\n", b.p);
    buf_done(&b);
}

static void read_all(struct assessment *a, FILE *in)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;

    while ((n = getline(&line, &room, in)) > 0) {
        a->line++;
        if (line[n - 1] == '\n')
            line[--n] = '\0';
        if (n)
            look_at(a, line, (size_t)n);
    }
    free(line);
}

static int conclude(struct assessment *a, bool json)
{
    bool blocks = false;

    if (a->probe)
        probe_ask(a->probe, on_dead, a);
    (json ? print_json : print_text)(a);
    for (int i = 0; i < FAULTS; i++) {
        blocks |= a->tallies[i].n && a->tallies[i].blocks;
        for (int k = 0; k < EXAMPLES; k++)
            free(a->tallies[i].example[k]);
    }
    return blocks ? EX_DATAERR : 0;
}

/* ---- a feed ---- */

static enum rc read_feed(struct assessment *a, struct err *e, struct arena *mem,
                         const char *url)
{
    struct client_request rq = {
        .method = "GET", .url = url, .answer_max = FEED_MAX, .timeout_ms = FEED_TIMEOUT_MS
    };
    struct feed_entry *entries;
    enum rc rc = client_call(&rq);
    int n = 0;

    if (rc)
        *e = rq.err;
    else if (rq.status != 200)
        rc = err_set(e, RC_IO, "%s answers %d", url, rq.status);
    else
        rc = feed_read(e, mem, rq.body_in.p ? rq.body_in.p : "", rq.body_in.n, url, &entries,
                       &n);
    client_request_done(&rq);
    for (int i = 0; !rc && i < n; i++) {
        json_t *record = feed_record(&entries[i]);
        char *text;

        json_object_set_new(record, "source", json_string("feed"));
        json_object_set_new(record, "column", json_string("feed"));
        a->line++;
        if ((text = json_dumps(record, JSON_COMPACT)))
            look_at(a, text, strlen(text));
        free(text);
        json_decref(record);
    }
    return rc;
}

static int run_feed(struct assessment *a, const struct args *args)
{
    struct arena *mem = arena_new();
    struct err e = { 0 };
    enum rc rc = read_feed(a, &e, mem, args->pos[0]);

    arena_free(mem);
    return rc ? cli_fail(&e, "nothing was assessed",
                         "name a feed (RSS, Atom), or a file of records")
              : conclude(a, arg_flag(args, "json"));
}

static int run(struct assessment *a, const struct args *args)
{
    struct err e = { 0 };
    FILE *in;

    if (records_open(&e, args->pos[0], &in))
        return cli_fail(&e, "nothing was assessed", NULL);
    read_all(a, in);
    if (in != stdin)
        fclose(in);
    return conclude(a, arg_flag(args, "json"));
}

int assess(const struct args *args)
{
    struct assessment *a = calloc(1, sizeof *a);
    int64_t links = strtoll(arg_text(args, "links", "0"), NULL, 10);
    int code;

    if (!a)
        memory_end();
    memset(a->heads, 0xff, sizeof a->heads); /* NONE */
    a->ids = json_object();
    if (links < 0 || links > PROBE_MOST)
        code = cli_usage(args->command, "--links is a number up to %d", PROBE_MOST);
    else if (!(code = check_lists_open(args, &a->lists))) {
        a->probe = links ? probe_new((int)links, arg_flag(args, "private")) : NULL;
        code = strstr(args->pos[0], "://") ? run_feed(a, args) : run(a, args);
    }
    probe_free(a->probe);
    check_lists_close(&a->lists);
    json_decref(a->ids);
    free(a->seen);
    free(a);
    return code;
}
