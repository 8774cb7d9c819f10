#include "tests/lib/edge_world.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "server/http/form.h"

atomic_int edge_world_calls, edge_world_held, edge_world_works;

static enum rc hello(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)w;
    edge_world_calls++;
    rp->ranges = true;
    rp->cache = CACHE_SHORT;
    reply_body(rp, TYPE_TEXT, rq->path, strlen(rq->path));
    return RC_OK;
}

static enum rc tell(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);

    buf_printf(&b, "%s n=%lld q=%s %s %s %s", w->who.name, (long long)request_int(rq, "n", -1),
               request_text(rq, "q", "-"), request_text(rq, "name", "-"), rq->host, rq->client);
    reply_buf(rp, TYPE_TEXT, &b);
    return RC_OK;
}

static enum rc slow(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)w, (void)rq;
    edge_world_calls++;
    while (edge_world_held)
        usleep(1000);
    reply_body(rp, TYPE_TEXT, "slow", 4);
    return RC_OK;
}

static enum rc missing(struct work *w, const struct request *rq, struct reply *rp)
{
    edge_world_calls++;
    reply_header(rp, "link", "</newest>; rel=\"alternate\"");
    return err_set(&w->err, RC_GONE, "%s was withdrawn", rq->path);
}

static enum rc broken(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)rq, (void)rp;
    return err_set(&w->err, RC_IO, "read /var/lib/secret: no such luck");
}

static enum rc misplaced(struct work *w, const struct request *rq, struct reply *rp)
{
    static const int numbers[] = { ENOENT, EACCES, ENOSPC };

    (void)rp;
    errno = numbers[request_int(rq, "n", 0)];
    return err_errno(&w->err, "open /var/lib/secret");
}

static enum rc page(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)rq;
    if (w->who.rights & RIGHT_OPERATE)
        return err_set(&w->err, RC_NOT_FOUND, "<none> & such");
    reply_body(rp, TYPE_HTML, "<p>", 3);
    return RC_OK;
}

static enum rc read_form(struct work *w, const struct request *rq, struct reply *rp)
{
    bool posted = rq->method == POST;
    struct buf b = BUF_IN(w->mem);
    struct form form;
    enum rc rc;

    if ((rc = form_parse(&w->err, w->mem, posted ? rq->body : rq->query,
                         posted ? rq->body_len : strlen(rq->query), &form)))
        return rc;
    buf_printf(&b, "%d fields, a=%s, %s", form.n, form_text(&form, "a"),
               rq->authorization ? rq->authorization : "nobody");
    reply_buf(rp, TYPE_TEXT, &b);
    return RC_OK;
}

static enum rc change(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)w, (void)rq, (void)rp;
    edge_world_calls++;
    return RC_OK;
}

static void work_over(void *unused)
{
    (void)unused;
    edge_world_works--;
}

static enum rc weigh(struct work *w, const struct request *rq, struct reply *rp)
{
    size_t n = (size_t)request_int(rq, "n", 0);

    edge_world_works++;
    arena_defer(w->mem, work_over, NULL);
    reply_body(rp, TYPE_BYTES, arena_zalloc(w->mem, n), n);
    rp->in_place = rq->path[1] == 'f';
    return RC_OK;
}

static const struct param weigh_params[] = { { "n", P_INT, 1, 8 << 20, "" }, { 0 } };
static const struct param tell_params[] = {
    { "name", P_TEXT, 1, 20, "" }, { "n", P_INT, 1, 500, "" }, { "q", P_TEXT, 0, 40, "" }, { 0 }
};

static const struct param misplaced_params[] = { { "n", P_INT, 0, 2, "" }, { 0 } };

static const struct route table[] = {
    { GET, "/", RIGHT_READ, ON_LOOP, R_PAGE, NULL, 0, page, NULL, "", "", NULL },
    { GET, "/loop/:name", RIGHT_READ, ON_LOOP, 0, tell_params, 0, tell, NULL, "", "", NULL },
    { GET, "/worker/:name", RIGHT_READ, ON_WORKER, 0, tell_params, 0, tell, NULL, "", "",
      NULL },
    { GET, "/operator/:name", RIGHT_OPERATE, ON_LOOP, 0, tell_params, 0, tell, NULL, "", "",
      NULL },
    { GET, "/cached", RIGHT_READ, ON_WORKER, R_CACHED, NULL, 0, hello, NULL, "", "", NULL },
    { GET, "/quick", RIGHT_READ, ON_LOOP, R_CACHED, NULL, 0, hello, NULL, "", "", NULL },
    { GET, "/forever", RIGHT_READ, ON_LOOP, R_CACHED | R_FOREVER, NULL, 0, hello, NULL, "", "",
      NULL },
    { GET, "/shared/:name", RIGHT_READ, ON_LOOP, R_CACHED, tell_params, 0, tell, NULL, "", "",
      NULL },
    { GET, "/free", RIGHT_READ, ON_LOOP, R_FREE, NULL, 0, hello, NULL, "", "", NULL },
    { GET, "/gone", RIGHT_READ, ON_WORKER, R_CACHED, NULL, 0, missing, NULL, "", "", NULL },
    { GET, "/cached-slow", RIGHT_READ, ON_WORKER, R_CACHED, NULL, 0, slow, NULL, "", "", NULL },
    { GET, "/slow", RIGHT_READ, ON_WORKER, 0, NULL, 0, slow, NULL, "", "", NULL },
    { GET, "/weight/:n", RIGHT_READ, ON_WORKER, 0, weigh_params, 0, weigh, NULL, "", "", NULL },
    { GET, "/file/:n", RIGHT_READ, ON_WORKER, 0, weigh_params, 0, weigh, NULL, "", "", NULL },
    { GET, "/broken", RIGHT_READ, ON_WORKER, 0, NULL, 0, broken, NULL, "", "", NULL },
    { GET, "/misplaced", RIGHT_READ, ON_WORKER, 0, misplaced_params, 0, misplaced, NULL, "", "",
      NULL },
    { POST, "/rows", RIGHT_EDIT, ON_WRITER, 0, NULL, 16, change, NULL, "", "", NULL },
    { POST, "/lines", RIGHT_EDIT, ON_WRITER, R_LINES, NULL, 16, change, NULL, "", "", NULL },
    { POST, "/bytes", RIGHT_EDIT, ON_WRITER, R_BYTES, NULL, 16, change, NULL, "", "", NULL },
    { GET, "/form", RIGHT_READ, ON_LOOP, R_FORM, NULL, 0, read_form, NULL, "", "", NULL },
    { POST, "/form", RIGHT_READ, ON_WORKER, R_FORM, NULL, 90, read_form, NULL, "", "", NULL },
    { PUT, "/rows", RIGHT_EDIT, ON_WRITER, R_NO_KEY, NULL, 16, change, NULL, "", "", NULL },
    { 0 },
};

int edge_world_set_up_with(void **state, const struct world_conf *conf)
{
    edge_world_calls = edge_world_held = 0;
    gate_set(&world_editor);
    *state = world_open_with(table, conf);
    return 0;
}

int edge_world_set_up(void **state)
{
    return edge_world_set_up_with(state, &(struct world_conf){ 0 });
}

int edge_world_tear_down(void **state)
{
    edge_world_held = 0;
    world_close(*state);
    return 0;
}
