/*
 * rebuild.c - `tjzw rebuild`: every object file that may be served, made again from the log and
 * compared, byte for byte.
 *
 * Files are a projection of the log: what is missing or damaged is written anew, unless only a
 * check was asked for. The identity bytes must have the hash that the index names. What zlib
 * and zstd make of them must have the length that it names, which another version of them may
 * not; that is said and nothing is written.
 */
#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>

#include "server/cli/commands.h"
#include "server/library/stream.h"
#include "server/lock.h"
#include "sync/rebuild.h"

static void say(void *arg, const char *text)
{
    printf("%s: %s\n", (const char *)arg, text);
}

static enum rc rebuild_all(struct work *w, const char *data, bool mend, struct rebuilt *sum)
{
    struct stream *streams;
    enum rc rc;
    int n;

    if ((rc = stream_list(w, &streams, &n)))
        return rc;
    for (int i = 0; i < n && !rc; i++) {
        struct rebuilt one = { 0 };

        rc = rebuild_stream(w, data, streams[i].no, mend, say, streams[i].name, &one);
        printf("%s: %" PRId64 " objects, %" PRId64 " files: %" PRId64 " right, %" PRId64
               " missing, %" PRId64 " damaged, %" PRId64 " mended\n",
               streams[i].name, one.objects, one.right + one.missing + one.damaged, one.right,
               one.missing, one.damaged, one.mended);
        sum->missing += one.missing;
        sum->damaged += one.damaged;
        sum->mended += one.mended;
        sum->wrong += one.wrong;
        sum->gone += one.gone;
    }
    return rc;
}

static int judge(const struct rebuilt *sum)
{
    int64_t left = sum->missing + sum->damaged - sum->mended;

    if (sum->gone)
        printf("%" PRId64 " objects hold what was purged; tjzw serve makes them anew\n",
               sum->gone);
    if (!left && !sum->wrong)
        return 0;
    fprintf(stderr,
            "tjzw: %" PRId64 " files are not right, %" PRId64 " objects are not what "
            "the index says\n  %s\n",
            left, sum->wrong,
            sum->wrong
                ? "tjzw verify tells whether the log is whole; tjzw restore brings back a "
                  "backup"
                : "tjzw rebuild, without --check, makes them again");
    return EX_DATAERR;
}

static int run(const struct conf *c, bool mend)
{
    struct rebuilt sum = { 0 };
    struct err e = { 0 };
    struct work w;
    int lock = -1, code;
    enum rc rc;

    if ((code = cli_open_read(c->data, &w)))
        return code;
    if (lock_take(&e, c->data, &lock))
        code =
            cli_fail(&e, "rebuild", "stop the server first: it makes what is missing itself");
    else if ((rc = rebuild_all(&w, c->data, mend, &sum)))
        code = cli_fail(&w.err, "rebuild", NULL);
    else
        code = judge(&sum);
    lock_drop(lock);
    cli_close(&w);
    return code;
}

int cmd_rebuild(const struct args *a)
{
    struct conf c;
    int code;

    if ((code = cli_conf(a, &c)))
        return code;
    code = run(&c, !arg_flag(a, "check"));
    conf_done(&c);
    return code;
}
