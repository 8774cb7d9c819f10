/*
 * doctor.c - `tjzw doctor`: a row a check, a line a finding, and for each the way to mend it.
 *
 * It changes nothing and may run beside a server. Exit status: 0 when nothing is wrong
 * (warnings allowed), EX_CONFIG otherwise.
 */
#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sysexits.h>
#include <unistd.h>

#include <sodium.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/jx.h"
#include "server/channel/mirror_edge.h"
#include "server/cli/commands.h"
#include "server/http/client.h"
#include "server/http/tls.h"
#include "server/library/purge_url.h"
#include "server/library/stream.h"
#include "server/library/takedown.h"
#include "server/store/backup.h"
#include "server/store/db.h"
#include "sync/verify.h"

enum {
    CLOCK_OFF_MAX = 300, /* seconds that two clocks may differ */
    PURGE_LATE = 600,    /* seconds that a URL may wait for the caches */
    ASK_MS = 2000,
    MIRROR_LATE =
        86400 /* seconds that the head of a mirrored stream may be old: leases are renewed far sooner */
};

enum finding { FINE, WARN, WRONG };

struct doctor {
    const struct conf *c;
    struct work *w;  /* NULL: the library cannot be opened */
    char text[1200]; /* what was found */
    char mend[300];  /* "" or the way out */
};

PRINTF_LIKE(4, 5)
static enum finding say(struct doctor *d, enum finding found, const char *mend, const char *fmt,
                        ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(d->text, sizeof d->text, fmt, ap);
    va_end(ap);
    snprintf(d->mend, sizeof d->mend, "%s", mend);
    return found;
}

static enum finding check_directory(struct doctor *d)
{
    struct stat st;

    if (stat(d->c->data, &st))
        return say(d, WRONG, "name it with --data; tjzw serve makes a new one",
                   "data directory %s: %m", d->c->data);
    if (!S_ISDIR(st.st_mode))
        return say(d, WRONG, "name a directory with --data", "%s is not a directory",
                   d->c->data);
    if (st.st_mode & 077)
        return say(d, WRONG, "chmod 700 the directory: it holds keys",
                   "%s may be read by others (mode %03o)", d->c->data,
                   (unsigned)st.st_mode & 0777);
    if (access(d->c->data, W_OK))
        return say(d, WRONG, "chown it to the user that runs the server",
                   "%s cannot be written by this user", d->c->data);
    return say(d, FINE, "", "data directory %s", d->c->data);
}

static enum finding check_disk(struct doctor *d)
{
    struct statvfs fs;
    uint64_t free_mb;

    if (statvfs(d->c->data, &fs))
        return say(d, WARN, "", "free disk space: %m");
    free_mb = (uint64_t)fs.f_bavail * fs.f_frsize >> 20;
    if (free_mb < 200)
        return say(d, WRONG, "make room, or move the data directory to a larger disk",
                   "only %" PRIu64 " MB free", free_mb);
    if (free_mb < 2000)
        return say(d, WARN, "make room soon", "%" PRIu64 " MB free", free_mb);
    return say(d, FINE, "", "%" PRIu64 " MB free", free_mb);
}

static enum finding check_library(struct doctor *d)
{
    if (!d->w)
        return say(d, WRONG,
                   "restore a backup (tjzw restore), or start a new library (tjzw serve)",
                   "the library cannot be opened");
    if (db_check(&d->w->err, d->w->db))
        return say(d, WRONG,
                   "stop the server, keep a copy, restore the last backup (tjzw restore)", "%s",
                   d->w->err.text);
    return say(d, FINE, "", "library, schema %d of %d", db_schema_version(d->w->db),
               db_schema_newest);
}

/* A command need not be told what `tjzw serve --mirror URL` was told: the library says it too. */
static bool is_edge(const struct doctor *d)
{
    return *d->c->edge_of || (d->w && mirror_edge_holds(d->w));
}

static enum finding check_streams(struct doctor *d)
{
    char text[sizeof d->text];
    struct stream *s;
    size_t at = 0;
    int n = 0;

    if (!d->w || stream_list(d->w, &s, &n))
        return say(d, WRONG, "see the line about the library", "the streams cannot be read");
    if (!n && is_edge(d))
        return say(d, WARN, "see the line about mirrors",
                   "no stream of the server behind this edge has come yet");
    if (!n)
        return say(d, WARN, "it is founded at the first start of the server",
                   "there is no stream yet");
    for (int i = 0; i < n && at < sizeof text; i++)
        at += (size_t)snprintf(
            text + at, sizeof text - at,
            "%s%s%s: epoch %" PRId64 ", %" PRId64 " changes, %" PRId64 " items", i ? "; " : "",
            s[i].name, s[i].mirrored ? " (mirrored)" : "", s[i].epoch, s[i].seq, s[i].born);
    return say(d, FINE, "", "%s", text);
}

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
static enum finding check_times(struct doctor *d, const struct stream *s, int64_t now)
{
    int64_t newest = signed_at(d->w, s->no);
    char clock[CLOCK_TEXT], head[CLOCK_TEXT];

    if (s->epoch > now + CLOCK_OFF_MAX)
        return say(d, WRONG, "set the clock (chrony or systemd-timesyncd)",
                   "the clock says %s, before the log's founding", clock_text(now, clock));
    if (newest > now + CLOCK_OFF_MAX)
        return say(
            d, WRONG,
            "set the clock; if it is right now, it was wrong when that was signed: no head "
            "can be dated earlier, and phones take all for fresh until that time has come",
            "the newest head of %s was signed at %s, but the clock says %s", s->name,
            clock_text(newest, head), clock_text(now, clock));
    return FINE;
}

/* The clock cannot be before the newest thing that was written with it. */
static enum finding check_clock(struct doctor *d)
{
    int64_t now = clock_now();
    struct stream *s;
    char text[CLOCK_TEXT];
    int n = 0;

    clock_text(now, text);
    if (now < 1767225600)
        return say(d, WRONG, "set the clock (chrony or systemd-timesyncd)", "the clock says %s",
                   text);
    if (d->w && !stream_list(d->w, &s, &n))
        for (int i = 0; i < n; i++)
            if (check_times(d, &s[i], now) != FINE)
                return WRONG;
    return say(d, FINE, "", "clock %s", text);
}

static enum finding check_keys(struct doctor *d)
{
    char path[4096];
    struct stat st;
    struct dirent *entry;
    enum finding found = say(d, FINE, "", "keys are readable by this user only");
    DIR *dir;

    snprintf(path, sizeof path, "%s/keys", d->c->data);
    if (!(dir = opendir(path)))
        return say(d, WARN,
                   "they are made at the first start; after that a backup must hold them",
                   "there are no keys in %s", path);
    while ((entry = readdir(dir))) {
        snprintf(path, sizeof path, "%s/keys/%s", d->c->data, entry->d_name);
        if (strstr(entry->d_name, ".key") && !stat(path, &st) && (st.st_mode & 077))
            found = say(d, WRONG, "chmod 600 it, and think about who may have read it",
                        "%s has mode %03o", path, (unsigned)st.st_mode & 0777);
    }
    closedir(dir);
    return found;
}

/* The key file, or the one that a crash left on its way to its place. */
static bool holds_platform(const struct doctor *d, struct arena *mem,
                           const struct verify_key *platform)
{
    static const char *const files[] = { "platform.key", "platform.key.new" };
    bool holds = false;

    for (size_t i = 0; i < sizeof files / sizeof *files && !holds; i++) {
        uint8_t pk[VERIFY_ED25519], secret[VERIFY_SECRET];
        struct err ignored;
        char *seed;
        size_t n;

        if (fs_read(&ignored, mem, arena_printf(mem, "%s/keys/%s", d->c->data, files[i]),
                    crypto_sign_SEEDBYTES, &seed, &n) ||
            n != crypto_sign_SEEDBYTES)
            continue;
        crypto_sign_seed_keypair(pk, secret, (const uint8_t *)seed);
        holds = !memcmp(pk, platform->bytes, sizeof pk);
        sodium_memzero(secret, sizeof secret);
        sodium_memzero(seed, n);
    }
    return holds;
}

/* The public chain against the key files: what the next start would find. */
static enum finding check_chain(struct doctor *d)
{
    const char *path;
    uint8_t first[VERIFY_ED25519];
    struct verify_key platform;
    struct sync_err se;
    struct arena *mem = arena_new();
    enum finding found = FINE;
    struct err e = { 0 };
    char *text;
    size_t n;

    path = arena_printf(mem, "%s/keys/chain", d->c->data);
    if (is_edge(d))
        say(d, FINE, "", "an edge has no keys: it shows the chain of the server behind it");
    else if (!fs_exists(path))
        say(d, FINE, "", "no chain of keys yet: it is made at the first start");
    else if (fs_read(&e, mem, path, VERIFY_KEYS_MAX, &text, &n))
        found = say(d, WRONG, "restore keys/ from the backup", "%s", e.text);
    else if (verify_keys_first(&se, text, n, first) ||
             verify_keys_current(&se, text, n, first, "platform", &platform))
        found = say(d, WRONG, "restore keys/ from the backup", "%s: %.300s", path, se.text);
    else if (!holds_platform(d, mem, &platform))
        found = say(d, WRONG, "restore keys/ from the newest backup",
                    "platform.key is not the key that %s names", path);
    else if (n > VERIFY_KEYS_MAX / 4 * 3)
        found = say(d, WARN, "exchange keys less often: a full chain takes no more",
                    "the chain of keys has %zu of %d bytes", n, VERIFY_KEYS_MAX);
    else
        say(d, FINE, "", "the chain of keys holds, %zu of %d bytes", n, VERIFY_KEYS_MAX);
    arena_free(mem);
    return found;
}

static enum finding check_certificate(struct doctor *d)
{
    char path[4096];
    struct err e = { 0 };
    int64_t end, days;
    enum rc rc;

    if (*d->c->tls_cert)
        snprintf(path, sizeof path, "%s", d->c->tls_cert);
    else
        snprintf(path, sizeof path, "%s/keys/tls-cert.pem", d->c->data);
    rc = tls_expiry(&e, path, &end);
    if (rc == RC_NOT_FOUND && !*d->c->tls_cert)
        return say(d, FINE, "",
                   "no certificate yet: a self-signed one is made when https is first served");
    if (rc)
        return say(d, WRONG, "mend the setting tls_cert: a PEM file with the certificate chain",
                   "%s", e.text);
    days = (end - clock_now()) / 86400;
    if (end <= clock_now())
        return say(d, WRONG, "renew it and restart the server", "certificate %s has ended",
                   path);
    if (days < 30)
        return say(d, WARN, "renew it", "certificate %s ends in %" PRId64 " days", path, days);
    return say(d, FINE, "", "certificate %s, %" PRId64 " days left", path, days);
}

static enum finding check_files(struct doctor *d)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_max < 4096)
        return say(d, WARN, "raise LimitNOFILE (systemd) or ulimit -n",
                   "at most %" PRIu64 " open files: each phone needs one",
                   (uint64_t)limit.rlim_max);
    return say(d, FINE, "", "up to %" PRIu64 " open files", (uint64_t)limit.rlim_max);
}

/* What a killed write leaves behind: NAME.PID-N.tmp (fs.c). Harmless, but somebody may wonder.
 */
static int leftovers(const char *path)
{
    struct dirent *entry;
    DIR *dir = opendir(path);
    int n = 0;

    if (!dir)
        return -1;
    while ((entry = readdir(dir))) {
        size_t len = strlen(entry->d_name);

        n += len > 4 && !strcmp(entry->d_name + len - 4, ".tmp");
    }
    closedir(dir);
    return n;
}

static enum finding check_leftovers(struct doctor *d)
{
    char keys[PATH_MAX];
    int n = leftovers(d->c->data), in_keys;

    if (n < 0)
        return say(d, WARN, "see the line about the directory", "%s cannot be listed",
                   d->c->data);
    snprintf(keys, sizeof keys, "%s/keys", d->c->data);
    if ((in_keys = leftovers(keys)) > 0)
        n += in_keys;
    return n ? say(d, WARN, "they may be removed while the server is stopped",
                   "%d unfinished files (*.tmp) of an interrupted write", n)
             : say(d, FINE, "", "no unfinished files");
}

/* Items whose text was withdrawn by a replay because its correction was lost (library/replay.c). */
static int64_t uncorrected(struct work *w)
{
    struct rows q;
    int64_t n = 0;

    if (!db_one(w, SQL_takedown_uncorrected, &q, "t", TAKEDOWN_UNCORRECTED))
        n = rows_int(&q, 0);
    return rows_done(&q) ? 0 : n;
}

static enum finding check_takedowns(struct doctor *d)
{
    struct arena *mem = arena_new();
    struct journal_line *lines;
    struct err e = { 0 };
    char path[4096];
    int n = 0;
    int64_t lost = d->w ? uncorrected(d->w) : 0;
    enum rc rc;

    snprintf(path, sizeof path, "%s/" TAKEDOWNS_NAME, d->c->data);
    rc = journal_read(&e, mem, path, &lines, &n);
    arena_free(mem);
    if (rc == RC_NOT_FOUND)
        return say(d, WARN,
                   "it is made at the next start; after a restore bring the old one with tjzw "
                   "restore --takedowns",
                   "there is no journal of withdrawals (%s)", path);
    if (rc)
        return say(d, WRONG,
                   "keep a copy of the file, mend or remove that line, then start the server",
                   "%s", e.text);
    if (lost)
        return say(
            d, WARN, "publish the corrected text again: tjzw item list --state withdrawn",
            "%" PRId64 " items stay withdrawn: a restore lost their corrected text", lost);
    return say(d, FINE, "", "%d %s in the journal of withdrawals", n,
               n == 1 ? "line" : "lines");
}

/* The caches in front of us (setting purge_hook). */
static enum finding check_purges(struct doctor *d)
{
    int64_t n = 0, oldest = 0, now = clock_now();

    if (!*d->c->purge_hook)
        return say(d, FINE, "", "no caches to be told of takedowns (setting purge_hook)");
    if (!d->w || purge_url_waiting(d->w, &n, &oldest))
        return say(d, WARN, "see the line about the library", "purge_url cannot be read");
    if (n && now - oldest > PURGE_LATE)
        return say(d, WRONG,
                   "see purge_hook_failed in the log; meanwhile purge the cache by hand",
                   "caches have not been told of %" PRId64 " URLs for %" PRId64
                   " minutes, they may still show what was withdrawn",
                   n, (now - oldest) / 60);
    return say(d, FINE, "", "%" PRId64 " URLs wait to be told to the caches", n);
}

/* GET /v1/mirrors of the server that runs here: how the last attempts went only it knows. NULL: none does. */
static const json_t *ask_mirrors(struct doctor *d)
{
    struct arena *mem = d->w->mem;
    struct client_request rq = { .method = "GET",
                                 .url = "http://localhost/v1/mirrors",
                                 .socket = arena_printf(mem, "%s/admin.sock", d->c->data),
                                 .timeout_ms = ASK_MS };
    struct err ignored = { 0 };
    json_t *answer = NULL;

    if (client_call(&rq) || rq.status != 200 ||
        jx_object(&ignored, mem, rq.body_in.p, rq.body_in.n, &answer))
        answer = NULL;
    client_request_done(&rq);
    return answer;
}

static const json_t *mirror_named(const json_t *answer, const char *stream)
{
    const json_t *all = json_object_get(answer, "mirrors");

    for (size_t i = 0; i < json_array_size(all); i++)
        if (!strcmp(jx_text(json_array_get(all, i), "stream"), stream))
            return json_array_get(all, i);
    return NULL;
}

/* What failed last, if anything did. */
static bool add_failure(struct buf *b, const char *before, const json_t *told)
{
    const char *error = told ? jx_text(told, "error") : NULL;

    if (error)
        buf_printf(b, "%sfailing since %s (%" PRId64 " times): %s", before,
                   jx_text(told, "since"), jx_int(told, "failures", 0), error);
    return error != NULL;
}

/* How old is the head that is shown here, against its own lease? True: it is late. */
static bool add_mirror(struct buf *b, struct work *w, const struct stream *s)
{
    int64_t age = clock_now() - signed_at(w, s->no);

    if (!signed_at(w, s->no))
        buf_printf(b, "%s: nothing fetched yet", s->name);
    else
        buf_printf(b, "%s: head %" PRId64 ", signed %" PRId64 " s ago", s->name, s->seq, age);
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

/* The streams of other servers. */
static enum finding check_mirrors(struct doctor *d)
{
    struct stream *s;
    const json_t *told;
    struct buf b;
    bool failed, late = false;
    int n = 0;

    if (!d->w || stream_list(d->w, &s, &n))
        return say(d, WRONG, "see the line about the library", "the streams cannot be read");
    b = BUF_IN(d->w->mem);
    told = ask_mirrors(d);
    failed = add_failure(&b, "the list of streams: ", json_object_get(told, "edge"));
    for (int i = 0; i < n; i++) {
        if (!s[i].mirrored)
            continue;
        buf_adds(&b, b.n ? "; " : "");
        late |= add_mirror(&b, d->w, &s[i]);
        failed |= add_failure(&b, ", ", mirror_named(told, s[i].name));
    }
    if (!b.n)
        return say(d, FINE, "", "no streams of other servers");
    return say(d, failed || late ? WARN : FINE, mirror_mend(failed, told, is_edge(d)), "%s",
               b.p);
}

static const struct {
    const char *name;
    enum finding (*check)(struct doctor *d);
} checks[] = {
    { "目录", check_directory }, { "磁盘", check_disk },        { "资源库", check_library },
    { "信息流", check_streams }, { "时钟", check_clock },       { "密钥", check_keys },
    { "公钥链", check_chain },   { "证书", check_certificate }, { "文件数", check_files },
    { "残留", check_leftovers }, { "撤稿", check_takedowns },   { "缓存", check_purges },
    { "镜像", check_mirrors },
};

static const char *const signs[] = { [FINE] = "✔", [WARN] = "!", [WRONG] = "✘" };

int cmd_doctor(const struct args *a)
{
    struct work w = { 0 };
    struct doctor d = { 0 };
    bool wrong = false;
    char path[4096];
    struct conf c;
    int code;

    if ((code = cli_conf(a, &c)))
        return code;
    d.c = &c;
    snprintf(path, sizeof path, "%s/tjzw.db", c.data);
    work_init(&w, arena_new(), NULL, "operator", RIGHT_ALL);
    if (fs_exists(path) && !db_open(&w.err, path, DB_READ, &w.db))
        d.w = &w;
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        enum finding found = checks[i].check(&d);

        printf("%s %s  %s\n", signs[found], checks[i].name, d.text);
        if (found != FINE && *d.mend)
            printf("    → %s\n", d.mend);
        wrong = wrong || found == WRONG;
    }
    cli_close(&w);
    conf_done(&c);
    return wrong ? EX_CONFIG : 0;
}
