/*
 * judge.c - the judges that need a running server: its counters, its queues, its clocks.
 *
 * A judge says what is so now; how long it must be so before anybody is told is the row's affair (alert.def). What is undone is a table:
 * a new kind of work that may be late is a row there.
 */
#include "server/health/judge.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "push/missing.h"
#include "server/base/clock.h"
#include "server/base/metric.h"
#include "server/base/pool.h"
#include "server/citizen/letter_list.h"
#include "server/citizen/letter_scan.h"
#include "server/citizen/workday.h"
#include "server/health/patrol.h"
#include "server/http/client.h"
#include "server/library/stream.h"
#include "server/store/backup.h"
#include "server/store/writer.h"

/* ---- attack ---- */

/* What no honest client causes often. Idle connections end all the time, and 4xx are mostly old links. */
static const struct {
    enum metric metric;
    const char *name;
} signs[] = {
#define SIGN(name)           \
    {                        \
        METRIC_##name, #name \
    }
    SIGN(guard_ended_spent),      SIGN(guard_ended_crowd),     SIGN(guard_ended_headers),
    SIGN(guard_ended_streams),    SIGN(guard_ended_bodies),    SIGN(guard_ended_illegal),
    SIGN(guard_ended_late),       SIGN(guard_ended_records),   SIGN(guard_refused_line),
    SIGN(guard_refused_byte),     SIGN(guard_refused_field),   SIGN(guard_refused_host),
    SIGN(guard_refused_length),   SIGN(guard_refused_chunk),   SIGN(crowd_shed_all),
    SIGN(crowd_shed_client),      SIGN(crowd_shed_hasty),      SIGN(patience_ended_head),
    SIGN(patience_ended_body),    SIGN(patience_ended_reader), SIGN(patience_reset_reader),
    SIGN(patience_ended_request), SIGN(rate_limited),
};

enum { SIGNS = sizeof signs / sizeof *signs };
static_assert(sizeof signs / sizeof *signs <= JUDGE_SIGNS_MAX, "room for all signs");

enum finding judge_attack(struct health *h)
{
    struct running *run = h->run;
    int64_t took_us = run->now_us - run->seen_us, all = 0, most = 0;
    bool first = !run->seen_us;
    int which = 0;

    for (int i = 0; i < SIGNS; i++) {
        int64_t now = metric_get(signs[i].metric), new = now - run->seen[i];

        run->seen[i] = now;
        all += new;
        which = new > most ? i : which;
        most = new > most ? new : most;
    }
    run->seen_us = run->now_us;
    h->value = first || took_us <= 0 ? 0 : all * 60000000 / took_us;
    if (!h->c->alert_attack || h->value <= h->c->alert_attack)
        return health_say(h, FINE, "", "%" PRId64 " refusals a minute", h->value);
    return health_say(
        h, WARN, "see docs/shield.md; refuse the addresses in the firewall if they are few",
        "%" PRId64 " connections and requests a minute are refused, most by %s", h->value,
        signs[which].name);
}

/* ---- the process ---- */

enum finding judge_crash_loop(struct health *h)
{
    const struct conf *c = h->c;

    h->value = h->run->deaths ? h->run->deaths(c->alert_crash_window) : 0;
    return health_say(h, c->alert_crashes && h->value >= c->alert_crashes ? WRONG : FINE,
                      "see server_died in the log, and what stands before it",
                      "the server died %" PRId64 " times within %" PRId64 " s", h->value,
                      c->alert_crash_window / 1000);
}

static _Atomic bool reload_failed;

void judge_reloaded(bool well)
{
    atomic_store(&reload_failed, !well);
}

enum finding judge_reload(struct health *h)
{
    if (!atomic_load(&reload_failed))
        return health_say(h, FINE, "", "the certificate that was read last is in use");
    return health_say(h, WRONG,
                      "see not_reloaded in the log, mend the files, send SIGHUP again",
                      "the certificate could not be read again, the one before is in use");
}

/* ---- what is stored ---- */

enum finding judge_chain(struct health *h)
{
    const struct patrol *p = h->run->patrol;

    h->value = patrol_faults(p);
    if (!h->value)
        return health_say(h, FINE, "", "the log is whole as far as it was verified");
    return health_say(h, WRONG,
                      "stop the server, keep a copy, tjzw verify, restore a good backup",
                      "%" PRId64 " faults in the log: %s", h->value, p->text);
}

/* When our oldest own stream was founded: a library is as old as that if it never was put away. 0: none is. */
static int64_t founded(struct work *w)
{
    int64_t oldest = 0;
    struct stream *s;
    int n = 0;

    if (stream_list(w, &s, &n))
        return 0;
    for (int i = 0; i < n; i++)
        if (!s[i].mirrored && (!oldest || s[i].epoch < oldest))
            oldest = s[i].epoch;
    return oldest;
}

enum finding judge_backup(struct health *h)
{
    int64_t last = 0;
    struct err e = { 0 };
    bool ever;

    if (!h->c->alert_backup || !h->w || health_is_edge(h))
        return health_say(h, FINE, "", "nobody asks for backups here");
    ever = !backup_last(&e, h->c->data, &last);
    if (!ever)
        last = founded(h->w);
    h->value = last ? clock_now() - last : 0;
    return health_say(h, h->value * 1000 > h->c->alert_backup ? WARN : FINE,
                      "make one (tjzw backup DIR), and see what should have made it",
                      ever ? "the newest backup is %" PRId64 " minutes old"
                           : "no backup was ever made; the library is %" PRId64 " minutes old",
                      h->value / 60);
}

/* Its failures, until something is written again. */
enum finding judge_writing(struct health *h)
{
    struct running *run = h->run;
    int64_t failures = metric_get(METRIC_write_failures),
            groups = metric_get(METRIC_write_groups);

    if (failures != run->failures)
        run->failing += failures - run->failures;
    else if (groups != run->groups)
        run->failing = 0;
    run->failures = failures;
    run->groups = groups;
    h->value = run->failing;
    return health_say(
        h, h->value ? WRONG : FINE, "see write_failed in the log: mostly a full disk",
        "%" PRId64 " transactions failed since the last that went well", h->value);
}

/* ---- who signs in ---- */

enum {
    SMS_FAILING = 3, /* one or two are lost anywhere */
    REUSE_MOST = 10  /* a minute: an app that keeps no token, or a thief of many */
};

/* Failures, until as many are sent as fail. */
enum finding judge_sms(struct health *h)
{
    struct running *run = h->run;
    int64_t failures = metric_get(METRIC_sms_failures), sent = metric_get(METRIC_sms_sent),
            failed = failures - run->sms_failures, went = sent - run->sms_sent;

    if (failed > went)
        run->sms_failing += failed;
    else if (went)
        run->sms_failing = 0;
    run->sms_failures = failures;
    run->sms_sent = sent;
    h->value = run->sms_failing;
    return health_say(h, h->value >= SMS_FAILING ? WRONG : FINE,
                      "see sms_not_sent in the log, and ask whoever runs the gateway",
                      "%" PRId64 " short messages failed since one went out", h->value);
}

enum finding judge_token_reuse(struct health *h)
{
    struct running *run = h->run;
    int64_t took_us = run->now_us - run->reuse_us, all = metric_get(METRIC_refreshes_reused),
            new = all - run->reuses;

    h->value = !run->reuse_us || took_us <= 0 ? 0 : new * 60000000 / took_us;
    run->reuse_us = run->now_us;
    run->reuses = all;
    return health_say(h, h->value > REUSE_MOST ? WARN : FINE,
                      "see session.reuse in the audit log: a new app that loses tokens, or a "
                      "thief",
                      "%" PRId64 " sessions a minute end because a token was used again",
                      h->value);
}

/* ---- clocks ---- */

enum {
    JUMP_MS = 5000,  /* NTP moves a clock that is this wrong at once, and others step by step */
    JUMP_LOOKS = 60, /* so long a new time is news; then it is the time */
    OTHERS_OFF = 300,
    OTHERS_KEPT = 3600
};

/* By how many milliseconds the wall clock left the one that never jumps. */
static int64_t jump(struct running *run)
{
    int64_t now = clock_now_ms() - run->now_us / 1000, by = now - run->clock_ms;

    if (!run->clock_ms || llabs(by) < JUMP_MS || ++run->jumped > JUMP_LOOKS) {
        run->clock_ms = now;
        run->jumped = by = 0;
    }
    return by;
}

enum finding judge_clock(struct health *h)
{
    const char *mend = "set the clock (chrony or systemd-timesyncd)";
    int64_t by = jump(h->run);
    enum finding found = health_clock(h);
    struct client_clock other;

    if (found != FINE)
        return found;
    if (by) {
        h->value = llabs(by) / 1000;
        return health_say(h, WARN, mend, "the clock went %s by %" PRId64 " s",
                          by < 0 ? "back" : "forward", h->value);
    }
    client_clock(clock_now() - OTHERS_KEPT, &other);
    h->value = llabs(other.ahead_s);
    if (h->value <= OTHERS_OFF)
        return FINE;
    return health_say(h, WARN, mend, "the clock of %s is %" PRId64 " s %s ours", other.host,
                      h->value, other.ahead_s < 0 ? "behind" : "ahead of");
}

enum finding judge_clock_sync(struct health *h)
{
    if (clock_is_kept())
        return health_say(h, FINE, "", "the clock is kept right");
    return health_say(h, WARN, "run chrony or systemd-timesyncd",
                      "the kernel says that nobody keeps the clock right");
}

/* ---- what is undone ---- */

static bool job_is_late(struct health *h, int64_t since_us)
{
    h->value = since_us ? (h->run->now_us - since_us) / 1000000 : 0;
    return since_us && h->run->now_us - since_us > h->c->alert_oldest_job * 1000;
}

static bool worker_is_late(struct health *h)
{
    return h->run->workers && job_is_late(h, pool_oldest_us(h->run->workers));
}

static bool writer_is_late(struct health *h)
{
    return job_is_late(h, writer_oldest_us());
}

static bool caches_are_late(struct health *h)
{
    return health_purges(h) == WRONG;
}

/* What may be late: whether it is, with the seconds it waits in h->value. */
static const struct {
    bool (*is_late)(struct health *h);
    const char *what, *which;
} undone[] = {
    { worker_is_late, "a request waits for a worker, or in it", "读取请求" },
    { writer_is_late, "a change waits to be written", "写入" },
    { caches_are_late, "caches wait to be told of what was withdrawn", "通知缓存撤稿" },
};

enum finding judge_oldest_job(struct health *h)
{
    int64_t oldest = -1;
    size_t which = 0;

    for (size_t i = 0; i < sizeof undone / sizeof *undone; i++)
        if (undone[i].is_late(h) && h->value > oldest) {
            oldest = h->value;
            which = i;
        }
    h->value = oldest < 0 ? 0 : oldest;
    if (oldest < 0)
        return health_say(h, FINE, "", "nothing waits too long");
    h->which = undone[which].which;
    return health_say(h, WARN, "see whether disk and database have become slow",
                      "%s, for %" PRId64 " s", undone[which].what, oldest);
}

enum finding judge_derived(struct health *h)
{
    return health_derived(h);
}

/* ---- letters ---- */

enum { SCAN_LATE = 600 /* seconds: a scanner reads its new signatures for minutes */ };

enum finding judge_letters(struct health *h)
{
    int64_t n = 0, oldest = 0;

    h->value = 0;
    if (!h->w || letter_late(h->w, &n, &oldest))
        return health_say(h, FINE, "", "the letters could not be looked at");
    h->value = n ? clock_now() - oldest : 0;
    metric_set(METRIC_letters_late, n);
    metric_set(METRIC_letters_late_seconds, h->value);
    return health_say(h, n ? WARN : FINE, "see them: tjzw letters list --late 1",
                      "%" PRId64 " letters are not answered in time", n);
}

/* One that it says nothing clear of waits as well, while others pass. */
enum finding judge_scanner(struct health *h)
{
    int64_t n = 0, oldest = 0;
    bool failing;

    h->value = 0;
    if (!h->w || letter_scan_late(h->w, &n, &oldest, &failing))
        return health_say(h, FINE, "", "the files of letters could not be looked at");
    h->value = n ? clock_now() - oldest : 0;
    metric_set(METRIC_letter_files_waiting, n);
    return health_say(h, n && (failing || h->value > SCAN_LATE) ? WARN : FINE,
                      "see letter_file_not_scanned in the log, and whether the scanner runs",
                      "%" PRId64 " files of letters wait for the scanner", n);
}

/* Notices for a year come out in the autumn before it: who has none in December will be wrong in January. */
enum finding judge_holidays(struct health *h)
{
    char day[CLOCK_TEXT];
    int64_t year, month;

    clock_day(clock_now(), day);
    year = strtol(day, NULL, 10);
    month = strtol(day + 5, NULL, 10);
    if (year + (month == 12) <= workday_known())
        return health_say(h, FINE, "", "the holidays up to %d are known", workday_known());
    return health_say(h, WARN, "set days_off and days_on, or install a newer program",
                      "no notice of holidays after %d is known", workday_known());
}

/* ---- push ---- */

static enum finding judge_push(struct health *h, enum missing_kind kind, const char *what)
{
    struct missing *m;
    int n = 0;

    h->value = 0;
    if (!h->w || missing_list(h->w, kind, &m, &n))
        return health_say(h, FINE, "", "the campaigns could not be looked at");
    h->value = n ? clock_now() - m[0].since : 0;
    return health_say(h, n ? WARN : FINE, "see them: tjzw push missing", "%d %s", n, what);
}

enum finding judge_push_missing(struct health *h)
{
    return judge_push(h, MISSING_CAMPAIGN, "records want a push and have no campaign");
}

enum finding judge_push_unscheduled(struct health *h)
{
    return judge_push(h, MISSING_SCHEDULE, "campaigns are approved and not scheduled");
}

enum finding judge_push_overdue(struct health *h)
{
    return judge_push(h, MISSING_FIRE, "campaigns are due and have not begun");
}

enum finding judge_push_stalled(struct health *h)
{
    return judge_push(h, MISSING_PROGRESS, "campaigns are on their way and do not move");
}

enum finding judge_push_damaged(struct health *h)
{
    return judge_push(h, MISSING_DAMAGED, "campaigns were paused because of damage");
}
