/*
 * export.c - `tjzw export`: the published set; `tjzw verify`: proof that the log is whole.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "server/cli/commands.h"
#include "server/library/export.h"
#include "server/library/stream.h"
#include "server/library/verify.h"
#include "sync/proof.h"

static enum rc put_line(void *arg, const void *bytes, size_t n)
{
    struct err *e = arg;

    if (fwrite(bytes, 1, n, stdout) != n || putchar('\n') == EOF)
        return err_errno(e, "write the export");
    return RC_OK;
}

int cmd_export(const struct args *a)
{
    struct conf c;
    struct work w;
    enum rc rc;
    int code;

    if ((code = cli_conf(a, &c)))
        return code;
    if (!(code = cli_open_read(c.data, &w))) {
        rc = export_published(&w, 0, put_line, &w.err);
        if (!rc && fflush(stdout))
            rc = err_errno(&w.err, "write the export");
        if (rc)
            code = cli_fail(&w.err, "the export is not whole", NULL);
        cli_close(&w);
    }
    conf_done(&c);
    return code;
}

static void print_fault(void *arg, int64_t seq, const char *text)
{
    const char *stream = arg;

    if (seq)
        printf("FAULT %s seq %" PRId64 ": %s\n", stream, seq, text);
    else
        printf("FAULT %s: %s\n", stream, text);
}

static enum rc verify_mirror(struct work *w, const char *data, struct stream *s,
                             int64_t *faults)
{
    int64_t found = 0, items = 0;
    enum rc rc = proof_mirror(w, data, s, print_fault, s->name, &items, &found);

    if (rc)
        return rc;
    *faults += found;
    printf("%s: mirrored, %" PRId64 " items: %s\n", s->name, items,
           found ? "NOT WHOLE" : "whole");
    return RC_OK;
}

static enum rc verify_one(struct work *w, const char *data, struct stream *s, int64_t *faults)
{
    struct verify_sum sum = { 0 };
    enum rc rc = verify_stream(w, s->no, print_fault, s->name, &sum);

    if (rc && rc != RC_CORRUPT)
        return rc;
    if ((rc = proof_heads(w, data, s, print_fault, s->name, &sum.faults)))
        return rc;
    *faults += sum.faults;
    printf("%s: %" PRId64 " changes, %" PRId64 " items, %" PRId64 " signed heads: %s\n",
           s->name, sum.changes, sum.items, sum.heads, sum.faults ? "NOT WHOLE" : "whole");
    return RC_OK;
}

static enum rc verify_all(struct work *w, const char *data, int64_t *faults)
{
    struct stream *streams;
    enum rc rc;
    int n;

    if ((rc = stream_list(w, &streams, &n)))
        return rc;
    for (int i = 0; i < n && !rc; i++)
        rc = (streams[i].mirrored ? verify_mirror : verify_one)(w, data, &streams[i], faults);
    return rc;
}

int cmd_verify(const struct args *a)
{
    int64_t faults = 0;
    struct conf c;
    struct work w;
    int code;

    if ((code = cli_conf(a, &c)))
        return code;
    if (!(code = cli_open_read(c.data, &w))) {
        if (verify_all(&w, c.data, &faults))
            code = cli_fail(&w.err, "the log could not be verified", NULL);
        else if (faults)
            code = EX_DATAERR;
        cli_close(&w);
    }
    conf_done(&c);
    return code;
}
