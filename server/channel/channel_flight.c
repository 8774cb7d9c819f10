/*
 * channel_flight.c - see the header.
 */
#include "server/channel/channel_flight.h"

#include <unistd.h>

#include "server/base/clock.h"
#include "server/library/row.h"
#include "server/store/blob.h"
#include "server/store/db.h"

enum {
    REST = 600,          /* seconds that an account rests which cannot be spoken for */
    TOKEN_REST = 30,     /* … between two questions for an access token */
    TOKEN_EARLY = 300,   /* so long before its end another is asked for */
    FIRST_LOOK = 5,      /* seconds, doubled to */
    LOOK_MOST = 600,     /* … when it waits for the platform, */
    REFUSED_MOST = 3600, /* … when the platform cannot be reached */
    ANSWER_MAX = 256 * 1024
};

struct channel_flight *channel_flight_new(void)
{
    struct arena *mem = arena_new();
    struct channel_flight *f = arena_zalloc(mem, sizeof *f);

    f->mem = mem;
    return f;
}

void channel_flight_free(struct channel_flight *f)
{
    client_request_done(&f->rq);
    arena_free(f->mem);
}

static enum rc not_now(struct work *w)
{
    return err_set(&w->err, RC_BUSY, "it is not to be done now");
}

/* ---- what is there ---- */

struct known_pictures {
    struct buf hashes; /* of those that have an address */
    struct buf urls;   /* const char * */
};

static enum rc read_pictures(struct work *w, int64_t task, struct known_pictures *out)
{
    uint8_t hash[HASH_BYTES];
    struct rows q;
    enum rc rc;

    *out = (struct known_pictures){ BUF_IN(w->mem), BUF_IN(w->mem) };
    if ((rc = db_query(w, SQL_channel_pictures, &q, "i", task)))
        return rc;
    while (!rc && rows_next(&q))
        if (!(rc = row_bytes(w, &q, 0, hash, sizeof hash))) {
            const char *url = rows_dup_text(w, &q, 1);

            buf_add(&out->hashes, hash, sizeof hash);
            buf_add(&out->urls, &url, sizeof url);
        }
    return row_finish(&q, rc);
}

static const char *picture_url(void *arg, const uint8_t hash[HASH_BYTES])
{
    const struct known_pictures *p = arg;

    for (size_t i = 0; i < p->hashes.n / HASH_BYTES; i++)
        if (!memcmp(p->hashes.p + i * HASH_BYTES, hash, HASH_BYTES))
            return ((const char **)(void *)p->urls.p)[i];
    return NULL;
}

/* The first of the body that has no address yet. */
static enum rc next_picture(struct work *w, struct channel_flight *f, bool *left)
{
    uint8_t all[CHANNEL_PICTURES_MAX][HASH_BYTES];
    int n = channel_pictures(&f->version, all);
    struct known_pictures known;
    enum rc rc;

    *left = false;
    if ((rc = read_pictures(w, f->task.no, &known)))
        return rc;
    for (int i = 0; i < n && !*left; i++)
        if (!picture_url(&known, all[i])) {
            memcpy(f->picture, all[i], HASH_BYTES);
            *left = true;
        }
    return RC_OK;
}

/* ---- before ---- */

static struct channel_asking asking(struct channel_flight *f)
{
    return (struct channel_asking){ .base = f->base,
                                    .account = &f->account,
                                    .secrets = &f->secrets,
                                    .grant = f->grant,
                                    .task = &f->task,
                                    .version = &f->version };
}

static void fill_request(struct channel_flight *f, const struct channel_request *r)
{
    f->headers[0] = arena_printf(f->mem, "content-type: %s", r->type);
    f->rq.method = "POST";
    f->rq.url = r->url;
    f->rq.headers = f->headers;
    f->rq.body = r->body.p;
    f->rq.body_len = r->body.n;
    f->rq.answer_max = ANSWER_MAX;
}

static void ask_for_grant(struct channel_flight *f)
{
    struct channel_asking in = asking(f);
    struct channel_request r;

    f->for_grant = true;
    f->platform->build_grant(&in, f->mem, &r);
    fill_request(f, &r);
}

/* Everything into the flight's own memory, which outlives the work. */
static enum rc load(struct channel_flight *f, struct work *w, int64_t task)
{
    struct arena *before = w->mem;
    enum rc rc;

    w->mem = f->mem;
    if (!(rc = channel_task_find(w, task, &f->task)) &&
        !(rc = channel_account_find(w, f->task.channel, &f->account)) &&
        !(rc = channel_version_find(w, f->task.version, &f->version)))
        rc = channel_credentials(w, &f->account, &f->secrets);
    if (!rc)
        rc = channel_grant(w, &f->account, clock_now(), &f->grant);
    w->mem = before;
    return rc;
}

enum rc channel_flight_prepare(struct channel_flight *f, struct work *w, int64_t task,
                               const struct channel_conf *conf)
{
    int64_t now = clock_now();
    bool left;
    enum rc rc;

    if ((rc = load(f, w, task)) || (rc = next_picture(w, f, &left)))
        return rc;
    f->platform = channel_platform(f->account.kind);
    if (!f->platform || f->account.trouble_until > now)
        return not_now(w);
    f->base = strcmp(f->account.kind, "weibo") ? conf->wechat : conf->weibo;
    f->step = channel_task_step(&f->task, f->account.kind, left);
    if (f->step == CHANNEL_NO_STEP)
        return not_now(w);
    if (!f->platform->grants || (f->grant && now < f->account.grant_renew))
        return RC_OK;
    if (!f->grant && now < f->account.grant_renew)
        return not_now(w); /* the last one was refused a moment ago */
    ask_for_grant(f);
    return RC_OK;
}

static bool read_picture(struct channel_flight *f, const uint8_t hash[HASH_BYTES],
                         struct channel_picture *out)
{
    struct err ignored;
    int64_t size, got = 0;
    char *bytes;
    int fd;

    if (blob_open(&ignored, channel_hooks()->data, hash, &fd, &size))
        return false;
    bytes = arena_alloc(f->mem, (size_t)size + 1);
    for (ssize_t n = 1; got < size && n > 0; got += n)
        if ((n = read(fd, bytes + got, (size_t)(size - got))) < 0)
            break;
    close(fd);
    *out = (struct channel_picture){ bytes, (size_t)size };
    return got == size;
}

/* True: there is none to be sent with this step, or it is here. */
static bool take_picture(struct channel_flight *f, struct channel_asking *in,
                         struct channel_picture *picture)
{
    const uint8_t *hash = f->step == CHANNEL_STEP_PICTURE ? f->picture
                          : f->step == CHANNEL_STEP_COVER ||
                                  (f->step == CHANNEL_STEP_SHARE && f->version.has_cover)
                              ? f->version.cover
                              : NULL;

    if (!hash)
        return true;
    in->picture = picture;
    return read_picture(f, hash, picture);
}

void channel_flight_build(struct channel_flight *f, struct work *w)
{
    struct channel_asking in = asking(f);
    struct channel_picture picture;
    struct known_pictures known;
    struct channel_request r;
    struct channel_text text;

    f->unbuilt = true;
    if (read_pictures(w, f->task.no, &known) || !take_picture(f, &in, &picture))
        return;
    channel_render(w, &f->version, f->task.no, picture_url, &known, &text);
    in.text = &text;
    if (!f->platform->build(&in, f->step, f->mem, &r))
        return;
    fill_request(f, &r);
    f->unbuilt = false;
}

/* ---- after ---- */

void channel_flight_judge(struct channel_flight *f)
{
    const struct client_request *rq = &f->rq;
    const struct channel_answer a = { .status = rq->rc ? 0 : rq->status,
                                      .body = rq->body_in.p,
                                      .n = rq->rc ? 0 : rq->body_in.n,
                                      .unsent = (rq->rc == RC_IO || rq->rc == RC_BUSY) &&
                                                !rq->in_doubt };

    if (f->for_grant)
        f->new_grant = f->platform->take_grant(f->mem, &a, &f->grant_seconds, &f->heard);
    else if (f->unbuilt)
        f->heard = (struct channel_heard){
            .fate = f->step == CHANNEL_STEP_RESULT ? FATE_AGAIN : FATE_REFUSED,
            .said = "没有文章的编号，或者图片已经不在：请到平台上处理"
        };
    else
        f->platform->judge(f->mem, f->step, &a, &f->task, &f->heard);
}

static int64_t rest_of(int64_t failures, int64_t most)
{
    int64_t s = FIRST_LOOK;

    for (int64_t i = 1; i < failures && s < most; i++)
        s *= 2;
    return s < most ? s : most;
}

/* When another is asked for: early, and never at once. */
static int64_t renewal(int64_t now, int64_t seconds)
{
    int64_t after = seconds > 2 * TOKEN_EARLY ? seconds - TOKEN_EARLY : seconds / 2;

    return now + (after > TOKEN_REST ? after : TOKEN_REST);
}

static enum rc settle_grant(struct work *w, const struct channel_flight *f)
{
    int64_t now = clock_now(), no = f->account.no;

    if (f->new_grant)
        return channel_grant_set(w, no, f->new_grant, renewal(now, f->grant_seconds),
                                 now + f->grant_seconds);
    if (f->heard.fate == FATE_AGAIN)
        return channel_trouble(w, no, f->heard.said, now + TOKEN_REST);
    return channel_trouble(w, no, f->heard.said, now + REST);
}

static void went(struct channel_task *t, enum channel_step step, int64_t now)
{
    t->failures = 0;
    t->said = NULL;
    t->again = now;
    if (step == CHANNEL_STEP_SUBMIT) {
        t->state = "waiting";
        t->again = now + FIRST_LOOK;
    } else if (step >= CHANNEL_STEP_RESULT) {
        t->state = "done";
        t->again = 0;
    }
}

static void wait_more(struct channel_task *t, enum channel_step step, int64_t now)
{
    t->failures++;
    t->again = now + rest_of(t->failures, LOOK_MOST);
    if (step == CHANNEL_STEP_LOOK && t->failures >= CHANNEL_LOOKS)
        t->again = 0; /* a person decides */
}

static void refused(struct channel_task *t, enum channel_step step)
{
    t->again = 0;
    if (step != CHANNEL_STEP_LOOK)
        t->state = "failed";
}

static void look_for(struct channel_task *t, int64_t now)
{
    t->state = "unknown";
    t->failures = 0;
    t->again = now;
}

/* What somebody else may have changed meanwhile is the row's, what the platform said is the flight's. */
static void merge(struct channel_task *t, const struct channel_task *said)
{
    t->cover_id = said->cover_id;
    t->draft_id = said->draft_id;
    t->publish_id = said->publish_id;
    t->article_id = said->article_id;
    t->url = said->url;
}

enum rc channel_flight_settle(struct work *w, struct channel_flight *f)
{
    const struct channel_heard *h = &f->heard;
    int64_t now = clock_now();
    struct channel_task t;
    enum rc rc;

    if (f->for_grant)
        return settle_grant(w, f);
    if ((rc = channel_task_find(w, f->task.no, &t)))
        return rc;
    if (t.intent != f->step)
        return err_set(&w->err, RC_NOT_FOUND, "it was decided otherwise");
    if (h->fate == FATE_DOUBT)
        return channel_task_in_doubt(w, &t);
    merge(&t, &f->task);
    switch (h->fate) {
    case FATE_WENT: went(&t, f->step, now); break;
    case FATE_NOT_YET: wait_more(&t, f->step, now); break;
    case FATE_AGAIN: t.again = now + rest_of(++t.failures, REFUSED_MOST); break;
    case FATE_TOKEN:
        t.again = now + 1;
        rc = channel_grant_refuse(w, f->account.no, now + (t.failures++ ? TOKEN_REST : 0));
        break;
    case FATE_REST:
        t.again = now + REST;
        rc = channel_trouble(w, f->account.no, h->said, now + REST);
        break;
    case FATE_LOOK: look_for(&t, now); break;
    default: refused(&t, f->step); break;
    }
    if (h->said)
        t.said = h->said;
    if (!rc && f->step == CHANNEL_STEP_PICTURE && h->url)
        rc = db_run(w, SQL_channel_picture_put, "ibt", t.no, f->picture, sizeof f->picture,
                    h->url);
    return rc ? rc : channel_task_set(w, &t, f->step);
}
