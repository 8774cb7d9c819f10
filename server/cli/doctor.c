/*
 * doctor.c - `tjzw doctor`: a row a check, a line a finding, and for each the way to mend it.
 *
 * It changes nothing and may run beside a server, which makes some of the same checks itself (server/health/). Exit status: 0 when nothing is wrong
 * (warnings allowed), EX_CONFIG otherwise.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <sodium.h>

#include "push/address.h"
#include "push/vendor_keys.h"
#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/cli/commands.h"
#include "server/cli/running.h"
#include "server/health/health.h"
#include "server/http/crowd.h"
#include "server/http/proxy.h"
#include "server/identity/audit.h"
#include "server/identity/keyfile.h"
#include "server/identity/upstream.h"
#include "server/library/stream.h"
#include "server/library/takedown.h"
#include "server/store/backup.h"
#include "server/store/db.h"
#include "server/user.h"
#include "sync/verify.h"

enum { DAY = 86400 };

static enum finding check_directory(struct health *h)
{
    struct stat st;

    if (stat(h->c->data, &st))
        return health_say(h, WRONG, "name it with --data; tjzw serve makes a new one",
                          "data directory %s: %m", h->c->data);
    if (!S_ISDIR(st.st_mode))
        return health_say(h, WRONG, "name a directory with --data", "%s is not a directory",
                          h->c->data);
    if (st.st_mode & 077)
        return health_say(h, WRONG, "chmod 700 the directory: it holds keys",
                          "%s may be read by others (mode %03o)", h->c->data,
                          (unsigned)st.st_mode & 0777);
    if (access(h->c->data, W_OK))
        return health_say(h, WRONG, "chown it to the user that runs the server",
                          "%s cannot be written by this user", h->c->data);
    return health_say(h, FINE, "", "data directory %s", h->c->data);
}

static enum finding check_library(struct health *h)
{
    if (!h->w)
        return health_say(
            h, WRONG, "restore a backup (tjzw restore), or start a new library (tjzw serve)",
            "the library cannot be opened");
    if (db_check(&h->w->err, h->w->db))
        return health_say(
            h, WRONG, "stop the server, keep a copy, restore the last backup (tjzw restore)",
            "%s", h->w->err.text);
    return health_say(h, FINE, "", "library, schema %d of %d", db_schema_version(h->w->db),
                      db_schema_newest);
}

static enum finding check_streams(struct health *h)
{
    char text[sizeof h->text];
    struct stream *s;
    size_t at = 0;
    int n = 0;

    if (!h->w || stream_list(h->w, &s, &n))
        return health_say(h, WRONG, "see the line about the library",
                          "the streams cannot be read");
    if (!n && health_is_edge(h))
        return health_say(h, WARN, "see the line about mirrors",
                          "no stream of the server behind this edge has come yet");
    if (!n)
        return health_say(h, WARN, "it is founded at the first start of the server",
                          "there is no stream yet");
    for (int i = 0; i < n && at < sizeof text; i++)
        at += (size_t)snprintf(
            text + at, sizeof text - at,
            "%s%s%s: epoch %" PRId64 ", %" PRId64 " changes, %" PRId64 " items", i ? "; " : "",
            s[i].name, s[i].mirrored ? " (mirrored)" : "", s[i].epoch, s[i].seq, s[i].born);
    return health_say(h, FINE, "", "%s", text);
}

static enum finding check_keys(struct health *h)
{
    char path[4096];
    struct stat st;
    struct dirent *entry;
    enum finding found = health_say(h, FINE, "", "keys are readable by this user only");
    DIR *dir;

    snprintf(path, sizeof path, "%s/keys", h->c->data);
    if (!(dir = opendir(path)))
        return health_say(
            h, WARN, "they are made at the first start; after that a backup must hold them",
            "there are no keys in %s", path);
    while ((entry = readdir(dir))) {
        snprintf(path, sizeof path, "%s/keys/%s", h->c->data, entry->d_name);
        if (strstr(entry->d_name, ".key") && !stat(path, &st) && (st.st_mode & 077))
            found = health_say(h, WRONG, "chmod 600 it, and think about who may have read it",
                               "%s has mode %03o", path, (unsigned)st.st_mode & 0777);
    }
    closedir(dir);
    return found;
}

/* When a command last said that it did this; 0: never. */
static int64_t last_done(struct work *w, enum audit_action action)
{
    struct rows q;
    int64_t at = 0;

    if (!db_one(w, SQL_audit_page_by_action, &q, "iiiit", (int64_t)0, INT64_MAX, (int64_t)0,
                (int64_t)1, audit_word(action)))
        at = rows_int(&q, 1);
    return rows_done(&q) ? 0 : at;
}

/* The newest of the keys with which something is lost for ever; NULL: there is none. */
static const struct keyfile *newest_key(const struct health *h)
{
    const struct keyfile *newest = NULL;
    struct keyfile *all;
    struct err ignored;
    int n;

    if (keyfile_list(&ignored, h->w->mem, arena_printf(h->w->mem, "%s/keys", h->c->data), &all,
                     &n))
        return NULL;
    for (int i = 0; i < n; i++)
        if (all[i].kind->use >= KEY_HELD && (!newest || all[i].made > newest->made))
            newest = &all[i];
    return newest;
}

/* A backup of everything holds the keys as well. */
static enum finding check_key_backup(struct health *h)
{
    const char *mend = "tjzw keys backup, onto a medium that is kept elsewhere";
    const struct keyfile *newest = h->w ? newest_key(h) : NULL;
    int64_t keys, all, last;

    if (!newest)
        return health_say(h, FINE, "", "no keys whose loss would matter");
    keys = last_done(h->w, AUDIT_key_backup);
    all = last_done(h->w, AUDIT_backup);
    last = keys > all ? keys : all;
    if (!last)
        return health_say(h, WARN, mend, "no backup of the keys is known");
    if (newest->made > last)
        return health_say(h, WARN, mend,
                          "%s is newer than the newest backup of the keys, of %" PRId64
                          " days ago",
                          newest->name, (clock_now() - last) / DAY);
    return health_say(h, FINE, "",
                      "the newest backup of the keys was made %" PRId64 " days ago",
                      (clock_now() - last) / DAY);
}

/* The key file, or the one that a crash left on its way to its place. */
static bool holds_platform(const struct health *h, struct arena *mem,
                           const struct verify_key *platform)
{
    static const char *const files[] = { "platform.key", "platform.key.new" };
    bool holds = false;

    for (size_t i = 0; i < sizeof files / sizeof *files && !holds; i++) {
        uint8_t pk[VERIFY_ED25519], secret[VERIFY_SECRET];
        struct err ignored;
        char *seed;
        size_t n;

        if (fs_read(&ignored, mem, arena_printf(mem, "%s/keys/%s", h->c->data, files[i]),
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
static enum finding check_chain(struct health *h)
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

    path = arena_printf(mem, "%s/keys/chain", h->c->data);
    if (health_is_edge(h))
        health_say(h, FINE, "",
                   "an edge has no keys: it shows the chain of the server behind it");
    else if (!fs_exists(path))
        health_say(h, FINE, "", "no chain of keys yet: it is made at the first start");
    else if (fs_read(&e, mem, path, VERIFY_KEYS_MAX, &text, &n))
        found = health_say(h, WRONG, "restore keys/ from the backup", "%s", e.text);
    else if (verify_keys_first(&se, text, n, first) ||
             verify_keys_current(&se, text, n, first, "platform", &platform))
        found =
            health_say(h, WRONG, "restore keys/ from the backup", "%s: %.300s", path, se.text);
    else if (!holds_platform(h, mem, &platform))
        found = health_say(h, WRONG, "restore keys/ from the newest backup",
                           "platform.key is not the key that %s names", path);
    else if (n > VERIFY_KEYS_MAX / 4 * 3)
        found = health_say(h, WARN, "exchange keys less often: a full chain takes no more",
                           "the chain of keys has %zu of %d bytes", n, VERIFY_KEYS_MAX);
    else
        health_say(h, FINE, "", "the chain of keys holds, %zu of %d bytes", n, VERIFY_KEYS_MAX);
    arena_free(mem);
    return found;
}

static enum finding check_files(struct health *h)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_max < 4096)
        return health_say(h, WARN, "raise LimitNOFILE (systemd) or ulimit -n",
                          "at most %" PRIu64 " open files: each phone needs one",
                          (uint64_t)limit.rlim_max);
    return health_say(h, FINE, "", "up to %" PRIu64 " open files; connections_max is %" PRId64,
                      (uint64_t)limit.rlim_max,
                      crowd_room(h->c->connections_max, limit.rlim_max));
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

static enum finding check_leftovers(struct health *h)
{
    char keys[PATH_MAX];
    int n = leftovers(h->c->data), in_keys;

    if (n < 0)
        return health_say(h, WARN, "see the line about the directory", "%s cannot be listed",
                          h->c->data);
    snprintf(keys, sizeof keys, "%s/keys", h->c->data);
    if ((in_keys = leftovers(keys)) > 0)
        n += in_keys;
    return n ? health_say(h, WARN, "they may be removed while the server is stopped",
                          "%d unfinished files (*.tmp) of an interrupted write", n)
             : health_say(h, FINE, "", "no unfinished files");
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

static enum finding check_takedowns(struct health *h)
{
    struct arena *mem = arena_new();
    struct journal_line *lines;
    struct err e = { 0 };
    char path[4096];
    int n = 0;
    int64_t lost = h->w ? uncorrected(h->w) : 0;
    enum rc rc;

    snprintf(path, sizeof path, "%s/" TAKEDOWNS_NAME, h->c->data);
    rc = journal_read(&e, mem, path, &lines, &n);
    arena_free(mem);
    if (rc == RC_NOT_FOUND)
        return health_say(
            h, WARN,
            "it is made at the next start; after a restore bring the old one with tjzw "
            "restore --takedowns",
            "there is no journal of withdrawals (%s)", path);
    if (rc)
        return health_say(
            h, WRONG,
            "keep a copy of the file, mend or remove that line, then start the server", "%s",
            e.text);
    if (lost)
        return health_say(
            h, WARN, "publish the corrected text again: tjzw item list --state withdrawn",
            "%" PRId64 " items stay withdrawn: a restore lost their corrected text", lost);
    return health_say(h, FINE, "", "%d %s in the journal of withdrawals", n,
                      n == 1 ? "line" : "lines");
}

static bool is_everybody(const struct networks *n)
{
    for (int i = 0; i < n->n; i++)
        if (n->list[i].bits == 0 || (n->list[i].bits == 96 && n->list[i].address[10] == 0xff))
            return true; /* ::/0, 0.0.0.0/0 */
    return false;
}

/* Who may say whom they bring (setting trusted_proxies). */
static enum finding check_proxies(struct health *h)
{
    struct networks n;
    struct err e = { 0 };

    if (networks_parse(&e, "trusted_proxies", &h->c->trusted_proxies, &n))
        return health_say(h, WRONG, "mend that setting", "%s", e.text);
    if (!n.n)
        return health_say(h, FINE, "", "no proxy is believed (setting trusted_proxies)");
    if (is_everybody(&n))
        return health_say(h, WRONG, "name the proxies' own addresses only",
                          "trusted_proxies holds every address: anybody can pass for anybody");
    if (!*h->c->public_url)
        return health_say(h, WARN, "set public_url to the address that citizens use",
                          "proxies are believed, but links show the address behind them");
    return health_say(h, FINE, "", "%d %s of proxies believed (setting trusted_proxies)", n.n,
                      n.n == 1 ? "network" : "networks");
}

/* The first file of a folder that is not `owner`'s; "" if there is none. */
static void find_stranger(const char *folder, uid_t owner, char out[PATH_MAX])
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    struct stat st;

    *out = '\0';
    while (dir && !*out && (entry = readdir(dir)))
        if (strcmp(entry->d_name, "..") &&
            !fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) && st.st_uid != owner)
            snprintf(out, PATH_MAX, "%s/%s", folder, entry->d_name);
    if (dir)
        closedir(dir);
}

/* What root left in the directory of the server's user keeps the server from working. */
static enum finding check_owner(struct health *h)
{
    char keys[PATH_MAX], stranger[PATH_MAX], owner[64];
    struct err e = { 0 };
    struct user user;
    struct stat st;

    if (user_find(&e, h->c->user, &user))
        return health_say(h, WRONG, "mend the setting user, or adduser --system it", "%s",
                          e.text);
    if (stat(h->c->data, &st))
        return health_say(h, WARN, "see the line about the directory", "%s: %m", h->c->data);
    user_name(st.st_uid, owner);
    if (*user.name && st.st_uid != user.uid)
        return health_say(h, WRONG, "stop the server, and chown -R the directory to that user",
                          "%s belongs to %s, but the setting user is %s", h->c->data, owner,
                          user.name);
    snprintf(keys, sizeof keys, "%s/keys", h->c->data);
    find_stranger(h->c->data, st.st_uid, stranger);
    if (!*stranger)
        find_stranger(keys, st.st_uid, stranger);
    if (*stranger)
        return health_say(h, WRONG, "chown it to the directory's owner",
                          "%.900s does not belong to %s", stranger, owner);
    return health_say(h, FINE, "", "everything belongs to %s", owner);
}

/* How much whoever breaks into the server that runs here would have. */
static enum finding check_process(struct health *h)
{
    pid_t pid = running_server(h->c->data);
    int64_t allowed, refused;
    char who[64];

    if (!pid)
        return health_say(h, FINE, "", "no server runs here");
    user_name((uid_t)running_status(pid, "Uid"), who);
    allowed = running_metric(h->c->data, "seccomp_allowed");
    refused = running_metric(h->c->data, "seccomp_refused");
    if (running_status(pid, "Seccomp") != 2)
        return health_say(h, WARN, "its log says why (confined); docs/operate.md",
                          "process %d runs as %s, seccomp: off", (int)pid, who);
    if (refused > 0)
        return health_say(h, WARN, "see call_refused in the log, and tell us",
                          "process %d runs as %s, seccomp: on, and refused %" PRId64 " calls",
                          (int)pid, who, refused);
    if (running_status(pid, "Uid") == 0)
        return health_say(h, WARN, "set user: its name; docs/operate.md",
                          "process %d runs as root, seccomp: on, %" PRId64 " calls allowed",
                          (int)pid, allowed);
    return health_say(h, FINE, "",
                      "process %d runs as %s, seccomp: on, %" PRId64 " calls allowed", (int)pid,
                      who, allowed);
}

static enum finding check_upstreams(struct health *h)
{
    char names[UPSTREAMS_MAX * (UPSTREAM_NAME_MAX + 2)] = "";
    enum finding found;
    struct err e;

    if (upstreams_open(&e, h->c->data, h->c->upstreams)) {
        found =
            health_say(h, WRONG, "docs/operate.md has an example of each kind", "%s", e.text);
    } else {
        for (int i = 0; i < upstreams_count(); i++)
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i ? ", " : "",
                     upstream_at(i)->name);
        found = upstreams_count() || !h->c->upstream_only
                    ? health_say(h, FINE, "", "%s",
                                 *names ? names : "nobody is believed besides us")
                    : health_say(
                          h, WRONG, "connect one (docs/operate.md), or unset it",
                          "upstream_only is set and there is no upstream: nobody can register");
    }
    upstreams_close();
    return found;
}

/* Which transports of push can send. What is missing of one that somebody began to set is a warning. */
static void name_transport(const struct vendor_site *s, int by, struct buf *on, struct buf *off,
                           struct buf *lacks)
{
    const struct transport_type *t = transport_type(by);
    const struct vendor *v = vendor_of((enum transport)by);
    const char *why = v ? vendor_lacks(v, s) : "";

    if (why && *why)
        buf_printf(lacks, "%s%s: %s", lacks->n ? "; " : "", t->word, why);
    if (why)
        buf_printf(off, "%s%s", off->n ? ", " : "", t->word);
    else
        buf_printf(on, "%s%s%s", on->n ? ", " : "", t->word,
                   t->tried ? "" : " (unverified with vendor)");
}

static enum finding check_push(struct health *h)
{
    struct conf c = *h->c;
    struct vendor_site s = { .conf = &c };
    struct arena *mem = arena_new();
    struct buf on = BUF_IN(mem), off = BUF_IN(mem), lacks = BUF_IN(mem);
    struct vendor_keys *keys;
    enum finding found;
    struct err e;

    /* The doctor changes nothing: the server makes this key. */
    c.push_webpush = c.push_webpush && fs_exists(arena_printf(mem, "%s/keys/webpush", c.data));
    if (vendor_keys_open(&e, &c, c.data, &keys)) {
        found = health_say(h, WRONG, "docs/protocol/push.md says what each vendor wants", "%s",
                           e.text);
        arena_free(mem);
        return found;
    }
    s.keys = keys;
    for (int by = 1; by < TRANSPORT_COUNT; by++)
        name_transport(&s, by, &on, &off, &lacks);
    found = health_say(h, lacks.n ? WARN : FINE, lacks.n ? lacks.p : "", "on: %s; off: %s",
                       on.n ? on.p : "none", off.n ? off.p : "none");
    vendor_keys_close(keys);
    arena_free(mem);
    return found;
}

/* Damage that nobody has met yet. */
static enum finding check_devices(struct health *h)
{
    int64_t n = 0;

    if (!h->w)
        return health_say(h, WARN, "", "the library cannot be opened");
    if (address_damaged(h->w, &n))
        return health_say(h, WRONG, "check the disk; restore a backup (tjzw restore)", "%s",
                          h->w->err.text);
    if (n)
        return health_say(h, WARN,
                          "check the disk; each is made anew of what its owner said when its "
                          "phone speaks next, within a day",
                          "%" PRId64 " devices of push have traits that cannot be read", n);
    return health_say(h, FINE, "", "what devices of push stand in can be read");
}

static const struct {
    const char *name;
    enum finding (*check)(struct health *h);
} checks[] = {
    { "目录", check_directory },
    { "磁盘", health_disk },
    { "改动", health_changes },
    { "资源库", check_library },
    { "信息流", check_streams },
    { "时钟", health_clock },
    { "密钥", check_keys },
    { "密钥备份", check_key_backup },
    { "公钥链", check_chain },
    { "证书", health_certificate },
    { "文件数", check_files },
    { "残留", check_leftovers },
    { "撤稿", check_takedowns },
    { "缓存", health_purges },
    { "镜像", health_mirrors },
    { "代理", check_proxies },
    { "上游", check_upstreams },
    { "属主", check_owner },
    { "进程", check_process },
    { "推送", check_push },
    { "推送设备", check_devices },
    { "检索", health_derived },
    { "微信与微博", health_channels },
};

static const char *const signs[] = { [FINE] = "✔", [WARN] = "!", [WRONG] = "✘" };

int cmd_doctor(const struct args *a)
{
    struct work w = { 0 };
    struct health h = { 0 };
    bool wrong = false;
    char path[4096];
    struct conf c;
    int code;

    if ((code = cli_conf(a, &c)))
        return code;
    h.c = &c;
    snprintf(path, sizeof path, "%s/tjzw.db", c.data);
    work_init(&w, arena_new(), NULL, "operator", RIGHT_ALL);
    if (fs_exists(path) && !db_open(&w.err, path, DB_READ, &w.db))
        h.w = &w;
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        enum finding found = checks[i].check(&h);

        printf("%s %s  %s\n", signs[found], checks[i].name, h.text);
        if (found != FINE && *h.mend)
            printf("    → %s\n", h.mend);
        wrong = wrong || found == WRONG;
    }
    cli_close(&w);
    conf_done(&c);
    return wrong ? EX_CONFIG : 0;
}
