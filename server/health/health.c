/*
 * health.c - the checks that a command and the running server share.
 *
 * Limits that are no settings stand here with their reasons. A check changes nothing, and may run beside anything.
 */
#include "server/health/health.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/channel/mirror_edge.h"
#include "server/channel/mirror_status.h"
#include "server/derived/derived.h"
#include "server/health/judge.h"
#include "server/http/client.h"
#include "server/http/tls.h"
#include "server/library/purge_url.h"
#include "server/library/stream.h"
#include "server/store/db.h"

enum {
    DAY = 86400,
    /*
     * Whoever renews by itself does so with a third of the time left: 30 days of 90 (Let's Encrypt), later 15 of 47 (the longest from
     * 2029-03-15 on, CA/Browser Forum ballot SC-081v3; then 21 should become 10). What gets below is forgotten.
     */
    CERTIFICATE_WARN = 21,
    CERTIFICATE_WRONG = 7,
    CLOCK_OFF_MAX = 300, /* seconds that two clocks may differ */
    PURGE_LATE = 600,    /* seconds that a URL may wait for the caches */
    DERIVED_LATE = 600,  /* seconds: a million items are taken anew in about that */
    MIRROR_LATE =
        DAY /* seconds that the head of a mirrored stream may be old: leases are renewed far sooner */
};

enum finding health_say(struct health *h, enum finding found, const char *mend, const char *fmt,
                        ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(h->text, sizeof h->text, fmt, ap);
    va_end(ap);
    snprintf(h->mend, sizeof h->mend, "%s", mend);
    return found;
}

bool health_is_edge(const struct health *h)
{
    return *h->c->edge_of || (h->w && mirror_edge_holds(h->w));
}

/* ---- the disk ---- */

static bool is_below(const struct health_room *r, int64_t least, int64_t parts)
{
    return r->free < least || r->free < r->all / 100 * r->least_percent / parts;
}

enum finding health_room(const struct health_room *r)
{
    if (is_below(r, r->least / 10, 3))
        return WRONG;
    return is_below(r, r->least, 1) ? WARN : FINE;
}

static const char *disk_mend(enum finding found)
{
    return found == WRONG  ? "make room, or move the data directory to a larger disk"
           : found == WARN ? "make room soon"
                           : "";
}

enum finding health_disk(struct health *h)
{
    struct health_room r = { .least = h->c->alert_disk,
                             .least_percent = h->c->alert_disk_percent };
    enum finding found;
    struct statvfs fs;

    if (statvfs(h->c->data, &fs))
        return health_say(h, WARN, "", "free disk space: %m");
    r.free = h->value = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
    r.all = (int64_t)fs.f_blocks * (int64_t)fs.f_frsize;
    found = health_room(&r);
    return health_say(h, found, disk_mend(found), "%s%" PRId64 " MB free",
                      found == WRONG ? "only " : "", r.free >> 20);
}

/* Some file systems have no such limit and say 0 of 0. */
enum finding health_files(struct health *h)
{
    struct health_room r = { .least_percent = h->c->alert_disk_percent };
    enum finding found;
    struct statvfs fs;

    if (statvfs(h->c->data, &fs))
        return health_say(h, WARN, "", "free files of the disk: %m");
    r.free = h->value = (int64_t)fs.f_favail;
    r.all = (int64_t)fs.f_files;
    found = r.all ? health_room(&r) : FINE;
    return health_say(h, found, disk_mend(found), "room for %" PRId64 " more files", r.free);
}

/* ---- whether the server takes changes ---- */

enum finding health_changes(struct health *h)
{
    static const char mark[] = "read only: ";
    const char *told = h->w ? client_ask(h->c->data, h->w->mem, "/readyz") : NULL,
               *why = told ? strstr(told, mark) : NULL;

    if (!told)
        return health_say(h, FINE, "", "no server runs here that could be asked");
    if (!why)
        return health_say(h, FINE, "", "the server takes changes");
    why += sizeof mark - 1;
    return health_say(
        h, WRONG,
        "make room (setting disk_reserve), or mend the disk: the server goes on by "
        "itself",
        "%.*s", (int)strcspn(why, "\n"), why);
}

/* ---- the certificate ---- */

enum finding health_days_left(int64_t seconds)
{
    return seconds < CERTIFICATE_WRONG * DAY  ? WRONG
           : seconds < CERTIFICATE_WARN * DAY ? WARN
                                              : FINE;
}

/* When the certificate that is shown ends, or the one that the next start would show. RC_NOT_FOUND: there is none yet. */
static enum rc certificate_end(struct err *e, const struct health *h, char *path, size_t n,
                               int64_t *end)
{
    if (*h->c->tls_cert)
        snprintf(path, n, "%s", h->c->tls_cert);
    else
        snprintf(path, n, "%s/keys/tls-cert.pem", h->c->data);
    if (!h->run)
        return tls_expiry(e, path, end);
    *end = h->run->certificate_end;
    return *end ? RC_OK : RC_NOT_FOUND;
}

enum finding health_certificate(struct health *h)
{
    struct err e = { 0 };
    enum finding found;
    char path[4096];
    int64_t end, left;
    enum rc rc = certificate_end(&e, h, path, sizeof path, &end);

    if (rc == RC_NOT_FOUND && (h->run || !*h->c->tls_cert))
        return health_say(
            h, FINE, "",
            "no certificate yet: a self-signed one is made when https is first served");
    if (rc)
        return health_say(h, WRONG,
                          "mend the setting tls_cert: a PEM file with the certificate chain",
                          "%s", e.text);
    left = end - clock_now();
    h->value = left > 0 ? left : 0;
    found = health_days_left(left);
    if (left <= 0)
        return health_say(h, WRONG, "renew it and restart the server",
                          "certificate %s has ended", path);
    return health_say(h, found, found ? "renew it, then send the server SIGHUP" : "",
                      found ? "certificate %s ends in %" PRId64 " days"
                            : "certificate %s, %" PRId64 " days left",
                      path, left / DAY);
}

/* ---- the clock ---- */

/* When the newest head was signed; 0: never. */
static int64_t signed_at(struct work *w, int64_t stream)
{
    int64_t time = 0;
    struct rows q;

    if (db_query(w, SQL_sync_head_time, &q, "i", stream))
        return 0;
    if (rows_next(&q))
        time = rows_int(&q, 0);
    return rows_done(&q) ? 0 : time;
}

/* A stream against the clock: neither its founding nor its newest head can be to come. */
static enum finding check_times(struct health *h, const struct stream *s, int64_t now)
{
    int64_t newest = signed_at(h->w, s->no);
    char clock[CLOCK_TEXT], head[CLOCK_TEXT];

    h->value = (newest > s->epoch ? newest : s->epoch) - now;
    if (s->epoch > now + CLOCK_OFF_MAX)
        return health_say(h, WRONG, "set the clock (chrony or systemd-timesyncd)",
                          "the clock says %s, before the log's founding",
                          clock_text(now, clock));
    if (newest > now + CLOCK_OFF_MAX)
        return health_say(
            h, WRONG,
            "set the clock; if it is right now, it was wrong when that was signed: no head "
            "can be dated earlier, and phones take all for fresh until that time has come",
            "the newest head of %s was signed at %s, but the clock says %s", s->name,
            clock_text(newest, head), clock_text(now, clock));
    return FINE;
}

/* The clock cannot be before the newest thing that was written with it. */
enum finding health_clock(struct health *h)
{
    int64_t now = clock_now();
    struct stream *s;
    char text[CLOCK_TEXT];
    int n = 0;

    clock_text(now, text);
    if (now < 1767225600)
        return health_say(h, WRONG, "set the clock (chrony or systemd-timesyncd)",
                          "the clock says %s", text);
    if (h->w && !stream_list(h->w, &s, &n))
        for (int i = 0; i < n; i++)
            if (check_times(h, &s[i], now) != FINE)
                return WRONG;
    return health_say(h, FINE, "", "clock %s", text);
}

/* ---- what others are to be told ---- */

enum finding health_purges(struct health *h)
{
    int64_t n = 0, oldest = 0;

    if (!*h->c->purge_hook)
        return health_say(h, FINE, "",
                          "no caches to be told of takedowns (setting purge_hook)");
    if (!h->w || purge_url_waiting(h->w, &n, &oldest))
        return health_say(h, WARN, "see the line about the library",
                          "purge_url cannot be read");
    h->value = n ? clock_now() - oldest : 0;
    if (h->value > PURGE_LATE)
        return health_say(h, WRONG,
                          "see purge_hook_failed in the log; meanwhile purge the cache by hand",
                          "caches have not been told of %" PRId64 " URLs for %" PRId64
                          " minutes, they may still show what was withdrawn",
                          n, h->value / 60);
    return health_say(h, FINE, "", "%" PRId64 " URLs wait to be told to the caches", n);
}

/* ---- the streams of other servers ---- */

/* How the last attempts went only the server that runs here knows. NULL: none does. */
static const json_t *ask_mirrors(struct health *h)
{
    const char *text = client_ask(h->c->data, h->w->mem, "/v1/mirrors");
    struct err ignored = { 0 };
    json_t *answer;

    if (!text || jx_object(&ignored, h->w->mem, text, strlen(text), &answer))
        return NULL;
    return answer;
}

static const json_t *mirror_named(const json_t *answer, const char *stream)
{
    const json_t *all = json_object_get(answer, "mirrors");

    if (!strcmp(stream, MIRROR_STATUS_LIST))
        return json_object_get(answer, "edge");
    for (size_t i = 0; i < json_array_size(all); i++)
        if (!strcmp(jx_text(json_array_get(all, i), "stream"), stream))
            return json_array_get(all, i);
    return NULL;
}

/* How the last attempts went, of this process or as another told. */
static void status_of(const struct health *h, const json_t *answer, const char *stream,
                      struct mirror_status *out)
{
    const json_t *told = mirror_named(answer, stream);
    const char *error = told ? jx_text(told, "error") : NULL,
               *since = told ? jx_text(told, "since") : NULL;

    *out = (struct mirror_status){ 0 };
    if (h->run)
        mirror_status_of(stream, out);
    if (!error)
        return;
    snprintf(out->error, sizeof out->error, "%s", error);
    out->failures = jx_int(told, "failures", 0);
    if (!since || clock_parse(since, strlen(since), &out->since))
        out->since = 0;
}

/* What failed last, if anything did. */
static bool add_failure(struct health *h, struct buf *b, const char *before,
                        const struct mirror_status *s)
{
    char since[CLOCK_TEXT];
    int64_t age = clock_now() - s->since;

    if (!*s->error)
        return false;
    h->value = age > h->value ? age : h->value;
    buf_printf(b, "%sfailing since %s (%" PRId64 " times): %s", before,
               clock_text(s->since, since), s->failures, s->error);
    return true;
}

/* How old is the head that is shown here, against its own lease? True: it is late. */
static bool add_mirror(struct health *h, struct buf *b, const struct stream *s)
{
    int64_t at = signed_at(h->w, s->no), age = clock_now() - at;

    if (!at)
        buf_printf(b, "%s: nothing fetched yet", s->name);
    else
        buf_printf(b, "%s: head %" PRId64 ", signed %" PRId64 " s ago", s->name, s->seq, age);
    if (at && age > MIRROR_LATE && age > h->value)
        h->value = age;
    return age > MIRROR_LATE;
}

static const char *mirror_mend(bool failed, bool runs, bool edge)
{
    if (!runs)
        return "start the server, and ask again: it knows what fails";
    if (!failed)
        return "nothing fails here: ask who runs the other server why it signs nothing";
    return edge ? "is the other server up, and reached from here? Another address, key or "
                  "certificate: tjzw serve --mirror URL --trust KEY --cacert FILE"
                : "is the other server up, and reached from here? Another address, key or "
                  "certificate: tjzw mirror add URL --stream NAME --trust KEY --ca FILE";
}

enum finding health_mirrors(struct health *h)
{
    const json_t *answer = NULL;
    struct mirror_status status;
    struct stream *s;
    struct buf b;
    bool failed, late = false;
    int n = 0;

    h->value = 0;
    if (!h->w || stream_list(h->w, &s, &n))
        return health_say(h, WRONG, "see the line about the library",
                          "the streams cannot be read");
    b = BUF_IN(h->w->mem);
    if (!h->run)
        answer = ask_mirrors(h);
    status_of(h, answer, MIRROR_STATUS_LIST, &status);
    failed = add_failure(h, &b, "the list of streams: ", &status);
    for (int i = 0; i < n; i++) {
        if (!s[i].mirrored)
            continue;
        buf_adds(&b, b.n ? "; " : "");
        late |= add_mirror(h, &b, &s[i]);
        status_of(h, answer, s[i].name, &status);
        failed |= add_failure(h, &b, ", ", &status);
    }
    if (!b.n)
        return health_say(h, FINE, "", "no streams of other servers");
    return health_say(h, failed || late ? WARN : FINE,
                      mirror_mend(failed, answer || h->run, health_is_edge(h)), "%s", b.p);
}

/* ---- what is derived ---- */

static enum finding say_derived(struct health *h, int64_t changes)
{
    bool late = h->value > DERIVED_LATE;

    return health_say(h, late ? WARN : FINE,
                      late
                          ? "see derived_failed in the log; derived.db may be deleted while no "
                            "server runs: it is made anew"
                          : "",
                      "search and feeds lack %" PRId64 " changes, the oldest for %" PRId64 " s",
                      changes, h->value);
}

/* The server knows since when it is at work: it may have begun from nothing, with changes of years. */
enum finding health_derived(struct health *h)
{
    struct derived_lag lag = { 0 };
    enum rc rc;

    h->value = 0;
    if (h->run) {
        h->value = derived_age();
        return say_derived(h, h->value ? 1 : 0);
    }
    if (!h->w)
        return health_say(h, FINE, "", "there is no library yet");
    rc = derived_lag(h->w, h->c->data, &lag);
    if (rc == RC_NOT_FOUND || rc == RC_CONFLICT)
        return health_say(h, FINE, "", "it is made at the next start");
    if (rc)
        return health_say(h, WARN, "delete derived.db while no server runs: it is made anew",
                          "%s", h->w->err.text);
    h->value = lag.oldest ? clock_now() - lag.oldest : 0;
    return say_derived(h, lag.changes);
}
