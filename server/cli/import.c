/*
 * import.c - `tjzw import`: a file of records, one JSON object a line, into the library.
 *
 * The file is read once, line by line, and sent in chunks of whole lines (at most 256 KiB);
 * each chunk is acknowledged when it is durable, so an import that was cut is simply run again:
 * what is there already changes nothing. A line that is too long is passed over without being
 * held in memory. What a rule keeps from the public is a draft, and named too. Refused records are named by their line; the others go in; the exit status is
 * EX_DATAERR if any was refused.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/jx.h"
#include "server/cli/assess.h"
#include "server/cli/commands.h"
#include "server/cli/csv_records.h"
#include "server/cli/link.h"

enum { CHUNK_BYTES = 256 * 1024, CHUNK_LINES = 500 };

static const char *const counts[] = { "created", "updated",    "moved",  "unchanged",
                                      "held",    "unreviewed", "refused" };

enum {
    COUNTS = sizeof counts / sizeof *counts,
    REFUSED = COUNTS - 1,
    UNREVIEWED = REFUSED - 1
};

struct import {
    const struct args *args;
    struct link *link;
    const char *target;
    FILE *in;
    int64_t size, read; /* bytes; size 0: not known */
    int64_t line;       /* lines read so far */
    int64_t started;    /* microseconds */
    int64_t count[COUNTS];
    bool tty;
    struct buf chunk;
    int64_t chunk_line[CHUNK_LINES]; /* the file's line of each line in the chunk */
    int chunk_lines;
    size_t at, held; /* of what was read */
    char room[65536];
};

static void clear_bar(const struct import *im)
{
    if (im->tty)
        fputs("\r\033[K", stderr);
}

static void draw_bar(const struct import *im)
{
    double seconds = (double)(clock_mono_us() - im->started) / 1e6;
    int percent = im->size ? (int)(im->read * 100 / im->size) : 0;
    char bar[31];

    if (!im->tty)
        return;
    for (int i = 0; i < 30; i++)
        bar[i] = i < percent * 30 / 100 ? '#' : '.';
    bar[30] = '\0';
    fprintf(stderr, "\r[%s] %3d%%  %" PRId64 " lines, %.0f/s, %.0f s left ", bar, percent,
            im->line, seconds > 0 ? (double)im->line / seconds : 0,
            im->read ? seconds * (double)(im->size - im->read) / (double)im->read : 0);
}

static void refuse(struct import *im, int64_t line, const char *why)
{
    im->count[REFUSED]++;
    clear_bar(im);
    fprintf(stderr, "line %" PRId64 ": %s\n", line, why);
}

static void take_refusals(struct import *im, const json_t *results)
{
    size_t i;
    json_t *one;

    json_array_foreach((json_t *)(uintptr_t)results, i, one)
    {
        int64_t line = jx_int(one, "line", 0);
        const char *why = jx_text(one, "reason");

        if (line >= 1 && line <= im->chunk_lines)
            refuse(im, im->chunk_line[line - 1], why ? why : "refused");
    }
}

/* Lines that were to be published, and are drafts: the first of what stands against each. */
static void take_held(struct import *im, const json_t *results)
{
    size_t i;
    json_t *one;

    json_array_foreach((json_t *)(uintptr_t)results, i, one)
    {
        int64_t line = jx_int(one, "line", 0);
        const json_t *all = json_object_get(one, "held"), *v;
        const char *said = NULL;

        for (size_t k = 0; k < json_array_size(all) && !said; k++) {
            v = json_array_get(all, k);
            if (!strcmp(jx_text(v, "severity") ? jx_text(v, "severity") : "", "blocking"))
                said = jx_text(v, "said");
        }
        if (!said || line < 1 || line > im->chunk_lines)
            continue;
        clear_bar(im);
        fprintf(stderr, "line %" PRId64 ": 收作草稿，没有发布：%s\n", im->chunk_line[line - 1],
                said);
    }
}

static enum rc take_answer(struct import *im, struct err *e, struct arena *mem,
                           const struct link_answer *answer)
{
    json_t *top;
    enum rc rc;

    if (answer->status != 200)
        return link_problem(e, mem, answer);
    if ((rc = jx_object(e, mem, answer->body, answer->len, &top)))
        return rc;
    for (int i = 0; i < REFUSED; i++)
        im->count[i] += jx_int(top, counts[i], 0);
    take_refusals(im, json_object_get(top, "refused"));
    take_held(im, json_object_get(top, "lines"));
    return RC_OK;
}

static enum rc send_chunk(struct import *im, struct err *e)
{
    static const char *const headers[] = { "content-type: application/x-ndjson", NULL };
    struct arena *mem;
    struct link_answer answer;
    enum rc rc;

    if (!im->chunk_lines)
        return RC_OK;
    mem = arena_new();
    rc = link_call(im->link, e, mem, POST, im->target, headers, im->chunk.p, im->chunk.n,
                   &answer);
    if (!rc)
        rc = take_answer(im, e, mem, &answer);
    arena_free(mem);
    im->chunk.n = 0;
    im->chunk_lines = 0;
    draw_bar(im);
    return rc;
}

/* More of the file; *more is false at its end. */
static enum rc fill(struct import *im, struct err *e, bool *more)
{
    im->at = 0;
    im->held = fread(im->room, 1, sizeof im->room, im->in);
    if (!im->held && ferror(im->in))
        return err_errno(e, "read the records");
    im->read += (int64_t)im->held;
    *more = im->held;
    return RC_OK;
}

/* What is held of the line goes into the chunk, unless the line has grown too long. True at its end. */
static bool take_piece(struct import *im, size_t start, bool *fits)
{
    const char *from = im->room + im->at, *end = memchr(from, '\n', im->held - im->at);
    size_t n = end ? (size_t)(end - from) : im->held - im->at;

    im->at += n + (end ? 1 : 0);
    *fits = *fits && im->chunk.n - start + n < CHUNK_BYTES;
    if (*fits)
        buf_add(&im->chunk, from, n);
    return end;
}

static void end_line(struct import *im, size_t start, bool fits)
{
    im->line++;
    if (!fits) {
        im->chunk.n = start;
        refuse(im, im->line,
               "longer than 262143 bytes: split the text, or move pictures and tables into "
               "attachments");
    } else if (im->chunk.n > start) {
        buf_addc(&im->chunk, '\n');
        im->chunk_line[im->chunk_lines++] = im->line;
    }
}

/* The next line into the chunk; a longer one than fits is read to its end and refused. *more is false at the end of the file. */
static enum rc read_line(struct import *im, struct err *e, bool *more)
{
    size_t start = im->chunk.n;
    bool fits = true, any = false, ended = false;
    enum rc rc;

    *more = true;
    while (!ended) {
        if (im->at == im->held && (rc = fill(im, e, more)))
            return rc;
        if (!*more)
            break;
        any = true;
        ended = take_piece(im, start, &fits);
    }
    if (any)
        end_line(im, start, fits);
    return RC_OK;
}

/* What did not fit into this chunk opens the next. */
static enum rc send_all_but_last(struct import *im, struct err *e, size_t last)
{
    struct buf rest = BUF_HEAP;
    int64_t line = im->chunk_line[im->chunk_lines - 1];
    enum rc rc;

    buf_add(&rest, im->chunk.p + last, im->chunk.n - last);
    im->chunk.n = last;
    im->chunk_lines--;
    rc = send_chunk(im, e);
    buf_add(&im->chunk, rest.p, rest.n);
    im->chunk_line[im->chunk_lines++] = line;
    buf_done(&rest);
    return rc;
}

static enum rc run(struct import *im, struct err *e)
{
    bool more = true;
    enum rc rc;

    while (more) {
        size_t last = im->chunk.n;

        if ((rc = read_line(im, e, &more)))
            return rc;
        if (im->chunk.n > CHUNK_BYTES && (rc = send_all_but_last(im, e, last)))
            return rc;
        if (im->chunk_lines == CHUNK_LINES && (rc = send_chunk(im, e)))
            return rc;
    }
    return send_chunk(im, e);
}

static void report(const struct import *im)
{
    double seconds = (double)(clock_mono_us() - im->started) / 1e6;

    clear_bar(im);
    printf("%" PRId64 " lines in %.2f s:", im->line, seconds);
    for (int i = 0; i < COUNTS; i++)
        if (im->count[i] || i != UNREVIEWED)
            printf(" %" PRId64 " %s%s", im->count[i], counts[i], i == REFUSED ? "\n" : ",");
}

static void add_query(struct buf *t, const struct args *a, const char *name)
{
    const char *value = arg_text(a, name, NULL);

    if (!value)
        return;
    buf_printf(t, "&%s=", name);
    buf_url(t, value, strlen(value));
}

static const char *target_of(const struct args *a, struct arena *mem)
{
    struct buf t = BUF_IN(mem);

    buf_printf(&t, "/v1/import?publish=%d&create=%d", arg_flag(a, "publish"),
               !arg_flag(a, "no-create"));
    add_query(&t, a, "authority");
    add_query(&t, a, "site");
    add_query(&t, a, "stream");
    add_query(&t, a, "emergency");
    return t.p;
}

static enum rc open_file(struct err *e, const char *path, FILE **out, int64_t *size)
{
    long end;
    enum rc rc;

    *size = 0;
    if ((rc = records_open(e, path, out)) || *out == stdin)
        return rc;
    if (!fseek(*out, 0, SEEK_END) && (end = ftell(*out)) > 0)
        *size = end;
    rewind(*out);
    return RC_OK;
}

static int import_file(const struct args *a, struct link *l, struct arena *mem)
{
    struct import im = { .args = a,
                         .link = l,
                         .target = target_of(a, mem),
                         .tty = isatty(STDERR_FILENO),
                         .started = clock_mono_us() };
    struct err e = { 0 };
    int code = 0;

    if (open_file(&e, a->pos[0], &im.in, &im.size))
        return cli_fail(
            &e, "import",
            "name a file of records, one JSON object a line, or - for standard input");
    if (run(&im, &e))
        code = cli_fail(&e, "the import stopped",
                        link_hint(&e) ? link_hint(&e)
                                      : "what was acknowledged is kept; mend the cause and run "
                                        "the same command again");
    report(&im);
    if (!code && im.count[REFUSED])
        code = EX_DATAERR;
    buf_done(&im.chunk);
    if (im.in != stdin)
        fclose(im.in);
    return code;
}

int cmd_import(const struct args *a)
{
    return arg_flag(a, "assess") ? assess(a) : link_command(a, true, "import", import_file);
}
