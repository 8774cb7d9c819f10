/*
 * instance.c - the one piece of state of this folder.
 *
 * Links and tags need absolute addresses. An operator says which (public_url); until then the
 * first address we listen on is one that works at least on this machine.
 */
#include "api/instance.h"

#include "api/page.h"
#include "server/channel/channel_version.h"
#include "server/http/send.h"
#include "server/library/stream.h"

static struct instance here = { .name = "天津政务", .public_url = "", .origin = "", .dir = "" };

void instance_set(const struct instance *in)
{
    here = *in;
    if (!here.name)
        here.name = "天津政务";
    if (!here.public_url)
        here.public_url = "";
    if (*here.public_url || !here.origin)
        here.origin = here.public_url;
    problem_set_page(page_problem);
    send_set_sign_in("/sign-in");
    channel_open(&(struct channel_hooks){ .url = instance_url, .data = in->dir });
}

const struct instance *instance(void)
{
    return &here;
}

void instance_asked(struct buf *out, const struct request *rq)
{
    if (*here.public_url) {
        buf_adds(out, here.public_url);
        return;
    }
    buf_adds(out, rq->tls ? "https://" : "http://");
    buf_adds(out, *rq->host ? rq->host : "localhost");
}

void instance_url(struct buf *out, const char *path)
{
    buf_adds(out, here.origin);
    buf_adds(out, path);
}

enum rc instance_stream(struct work *w, struct stream *out)
{
    struct stream *all;
    enum rc rc;
    int n;

    if (instance()->stream)
        return stream_by_no(w, instance()->stream, out);
    if ((rc = stream_list(w, &all, &n)))
        return rc;
    *out = n ? all[0] : (struct stream){ .name = "main" };
    return RC_OK;
}
