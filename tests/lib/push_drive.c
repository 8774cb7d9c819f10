/*
 * push_drive.c - a program that sends what its input says through push/sender.h, and prints what became of it: the push thread without a database.
 *
 *     push-drive SETTINGS DATA < jobs > verdicts
 *
 * A line of input is a job: {"transport":"apns","haste":2,"seconds":60,"after_ms":0,"tokens":["…"],"message":{"title":"…","text":"…","class":1,"takes_back":false,…}}; a line of output its answer, in the order in which they end:
 * {"job":0,"verdicts":"1103…","why":["…"],"again_ms":0,"open":false}, one digit of enum push_verdict_kind a token.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "push/sender.h"
#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/base/log.h"
#include "server/http/transfer.h"

enum { JOBS_MAX = 4096, LINE_MAX_BYTES = 1 << 20 };

struct driven {
    struct sender_job job;
    struct push_message message;
    int64_t ms, after_ms; /* it is given then */
    int no;
};

static struct driven *all[JOBS_MAX];
static int njobs, nended;

static const char *text_of(const json_t *o, const char *name, const char *otherwise)
{
    const char *text = jx_text(o, name);

    return text ? text : otherwise;
}

static struct push_message message_of(const json_t *o)
{
    return (struct push_message){ .title = text_of(o, "title", "题"),
                                  .text = text_of(o, "text", "文"),
                                  .link = text_of(o, "link", ""),
                                  .picture = text_of(o, "picture", ""),
                                  .sender = text_of(o, "sender", ""),
                                  .collapse = text_of(o, "collapse", "c-1"),
                                  .ttl = jx_int(o, "ttl", 3600),
                                  .number = jx_int(o, "number", 1),
                                  .class = (enum push_class)jx_int(o, "class", PUSH_SERVICE),
                                  .badge = (int)jx_int(o, "badge", -1),
                                  .takes_back =
                                      json_is_true(json_object_get(o, "takes_back")) };
}

static void print_verdicts(const struct sender_job *job)
{
    printf("\"verdicts\":\"");
    for (int i = 0; i < job->n; i++)
        putchar('0' + (int)job->verdict[i].kind);
    printf("\",\"why\":[");
    for (int i = 0; i < job->n; i++)
        printf("%s\"%s\"", i ? "," : "", job->verdict[i].why);
}

/* Of the token that waits longest. */
static int64_t again_ms(const struct sender_job *job)
{
    int64_t at_ms = job->again_ms;

    for (int i = 0; i < job->n; i++)
        if (job->again[i].at_ms > at_ms)
            at_ms = job->again[i].at_ms;
    return at_ms ? at_ms + clock_offset_ms() : 0;
}

static void on_done(struct sender_job *job)
{
    const struct driven *d = job->arg;

    printf("{\"job\":%d,", d->no);
    print_verdicts(job);
    printf("],\"again_ms\":%lld,\"open\":%s}\n", (long long)again_ms(job),
           job->open ? "true" : "false");
    fflush(stdout);
    nended++;
}

static void read_job(struct arena *mem, const char *line, size_t n)
{
    struct driven *d = arena_zalloc(mem, sizeof *d);
    const json_t *list;
    const char **tokens;
    struct err e;
    json_t *o;

    if (njobs == JOBS_MAX || jx_object(&e, mem, line, n, &o)) {
        fprintf(stderr, "line %d is no job\n", njobs + 1);
        exit(2);
    }
    list = json_object_get(o, "tokens");
    tokens = arena_zalloc(mem, (json_array_size(list) + 1) * sizeof *tokens);
    for (size_t i = 0; i < json_array_size(list); i++)
        tokens[i] = json_string_value(json_array_get(list, i));
    d->no = njobs;
    d->ms = jx_int(o, "seconds", 60) * 1000;
    d->after_ms = jx_int(o, "after_ms", 0);
    d->message = message_of(json_object_get(o, "message"));
    d->job =
        (struct sender_job){ .by = transport_parse(text_of(o, "transport", "")),
                             .haste = (enum sender_haste)jx_int(o, "haste", SENDER_CAMPAIGN),
                             .message = &d->message,
                             .tokens = tokens,
                             .n = (int)json_array_size(list),
                             .done = on_done,
                             .arg = d };
    all[njobs++] = d;
}

static void read_jobs(struct arena *mem)
{
    char *line = malloc(LINE_MAX_BYTES);
    ssize_t n;
    size_t cap = LINE_MAX_BYTES;

    while ((n = getline(&line, &cap, stdin)) > 0)
        read_job(mem, line, (size_t)n);
    free(line);
}

/* Gives what there is room for; those of one transport and haste in their order. */
static void give(struct sender *s, bool *given, int64_t ran_ms)
{
    struct err e;

    for (int i = 0; i < njobs; i++) {
        struct sender_job *job = &all[i]->job;

        if (given[i] || ran_ms < all[i]->after_ms || !sender_room(s, job->by, job->haste))
            continue;
        job->until_ms = clock_mono_us() / 1000 + all[i]->ms;
        given[i] = !sender_give(s, &e, job);
    }
}

static int drive(struct sender *s)
{
    bool *given = calloc(JOBS_MAX, sizeof *given);
    int64_t began = clock_mono_us(), ms;

    for (int i = 0; i < njobs; i++)
        if (!(sender_on(s) & 1U << all[i]->job.by)) {
            fprintf(stderr, "transport %d is off\n", (int)all[i]->job.by);
            free(given);
            return 3;
        }
    while (nended < njobs) {
        give(s, given, (clock_mono_us() - began) / 1000);
        ms = sender_turn(s);
        sender_wait(s, ms < 100 ? ms : 100);
    }
    free(given);
    return 0;
}

int main(int argc, char **argv)
{
    struct transfer_proxy none = { "", "", "" };
    struct arena *mem = arena_new();
    struct sender *s;
    struct conf c;
    struct err e;
    int status;

    if (argc != 3 || transfer_proxy_set(&e, &none))
        return 2;
    if (conf_load(&e, argv[1], NULL, &c) || sender_open(&e, &c, argv[2], &s)) {
        fprintf(stderr, "%s\n", e.text);
        return 2;
    }
    read_jobs(mem);
    status = drive(s);
    sender_close(s);
    conf_done(&c);
    arena_free(mem);
    return status;
}
