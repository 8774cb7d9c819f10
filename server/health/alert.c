/*
 * alert.c - the table, its states, and who hears of a change first: the log and the metrics.
 *
 * DATA/alerts: {"alerts":[{"name":"disk","severity":"warn","since":1795000000,"text":"…","told":"disk-1795000000-firing-warn","until":0,"value":180}]},
 * a member for each that ever fired. It is no record, only a memory: without it what fires is told once more.
 *
 * Not here: what the judges find (health.c, judge.c), when they look (alert_thread.c), the webhook (webhook.c).
 */
#include "server/health/alert.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/jx.h"
#include "server/base/log.h"
#include "server/base/metric.h"
#include "server/health/judge.h"
#include "server/store/backup.h"

enum { FILE_MAX = 64 << 10, SAME_S = 60 };

const struct alert_row alert_rows[ALERTS] = {
#define ALERT(name, unit, hold, rest, judge, text, mend) \
    { #name, ALERT_##unit, hold, rest, judge, text, mend },
#include "server/health/alert.def"
#undef ALERT
};

static const enum metric metrics[ALERTS] = {
#define ALERT(name, unit, hold, rest, judge, text, mend) METRIC_alert_##name,
#include "server/health/alert.def"
#undef ALERT
};

/* ---- one alert ---- */

/* No two of an alert begin in the same second: the event's id is made of it. */
static int64_t begins(const struct alert *a, int64_t now)
{
    return now <= a->since && a->since - now < SAME_S ? a->since + 1 : now;
}

bool alert_step(struct alert *a, const struct alert_row *row, enum finding found, int64_t now)
{
    a->bad = found ? a->bad + 1 : 0;
    a->good = found ? 0 : a->good + 1;
    if (!a->firing && a->bad >= row->hold) {
        a->firing = true;
        a->severity = found;
        a->since = begins(a, now);
        a->until = 0;
        return true;
    }
    if (a->firing && found > a->severity) {
        a->severity = found;
        return true;
    }
    if (a->firing && a->good >= row->rest) {
        a->firing = false;
        a->until = now;
        return true;
    }
    return false;
}

const char *alert_severity(enum finding f)
{
    return f == WRONG ? "error" : "warn";
}

const char *alert_id(const struct alert *a, const struct alert_row *row, char out[ALERT_ID])
{
    if (a->since)
        snprintf(out, ALERT_ID, "%s-%" PRId64 "-%s-%s", row->name, a->since,
                 a->firing ? "firing" : "cleared", alert_severity(a->severity));
    else
        out[0] = '\0';
    return out;
}

/* ---- in words ---- */

static void put_seconds(struct buf *out, int64_t s)
{
    if (s >= 2 * 86400)
        buf_printf(out, "%" PRId64 " 天", s / 86400);
    else if (s >= 2 * 3600)
        buf_printf(out, "%" PRId64 " 小时", s / 3600);
    else if (s >= 2 * 60)
        buf_printf(out, "%" PRId64 " 分钟", s / 60);
    else
        buf_printf(out, "%" PRId64 " 秒", s);
}

static void put_bytes(struct buf *out, int64_t n)
{
    if (n >= (int64_t)10 << 30)
        buf_printf(out, "%" PRId64 " GB", n >> 30);
    else
        buf_printf(out, "%" PRId64 " MB", n >> 20);
}

static void put_value(struct buf *out, enum alert_unit unit, int64_t value)
{
    if (unit == ALERT_SECONDS)
        put_seconds(out, value);
    else if (unit == ALERT_BYTES)
        put_bytes(out, value);
    else
        buf_printf(out, "%" PRId64, value);
}

void alert_text(const struct alert *a, const struct alert_row *row, struct buf *out)
{
    const char *figure = strstr(row->text, "{}");

    if (!figure) {
        buf_adds(out, row->text);
        return;
    }
    buf_add(out, row->text, (size_t)(figure - row->text));
    put_value(out, row->unit, a->value);
    buf_adds(out, figure + 2);
    if (*a->which)
        buf_printf(out, "（%s）", a->which);
}

static void put_time(struct buf *out, const char *name, int64_t at)
{
    char text[CLOCK_TEXT];

    if (at)
        jx_put_text(out, name, clock_text(at, text));
}

void alert_put(const struct alert *a, const struct alert_row *row, struct buf *out)
{
    static const char *const units[] = {
        [ALERT_COUNT] = "count", [ALERT_SECONDS] = "seconds", [ALERT_BYTES] = "bytes"
    };
    struct buf text = BUF_HEAP;

    jx_put_text(out, "mend", row->mend);
    jx_put_text(out, "name", row->name);
    if (a->since)
        jx_put_text(out, "severity", alert_severity(a->severity));
    put_time(out, "since", a->since);
    jx_put_text(out, "state", a->firing ? "firing" : "cleared");
    if (a->since) {
        alert_text(a, row, &text);
        jx_put_text(out, "text", text.p);
        jx_put_text(out, "textEn", a->text);
        buf_done(&text);
    }
    jx_put_text(out, "unit", units[row->unit]);
    put_time(out, "until", a->until);
    if (row->unit && a->since)
        jx_put_int(out, "value", a->value);
}

/* ---- DATA/alerts ---- */

void alert_print(const struct alert all[ALERTS], struct buf *out)
{
    buf_adds(out, "{\"alerts\":[");
    for (int i = 0; i < ALERTS; i++) {
        const struct alert *a = &all[i];

        if (!a->since)
            continue;
        buf_adds(out, out->p[out->n - 1] == '[' ? "{" : ",\n{");
        jx_put_text(out, "name", alert_rows[i].name);
        jx_put_text(out, "severity", alert_severity(a->severity));
        jx_put_int(out, "since", a->since);
        jx_put_text(out, "text", a->text);
        jx_put_text(out, "told", a->told);
        jx_put_int(out, "until", a->until);
        jx_put_int(out, "value", a->value);
        jx_put_text(out, "which", a->which);
        buf_addc(out, '}');
    }
    buf_adds(out, "]}\n");
}

static const struct jx_field members[] = {
    { "name", JX_TEXT, true, 1, 40 },
    { "severity", JX_TEXT, true, 1, 10 },
    { "since", JX_INT, true, 1, INT64_MAX },
    { "text", JX_TEXT, true, 0, 0 },
    { "told", JX_TEXT, true, 0, 0 },
    { "until", JX_INT, true, 0, INT64_MAX },
    { "value", JX_INT, true, INT64_MIN, INT64_MAX },
    { "which", JX_TEXT, true, 0, 0 },
    { 0 },
};

/* As much of a text as there is room for, cut between two characters. */
static void keep(char *out, size_t room, const char *text)
{
    size_t n = strlen(text);

    if (n >= room)
        for (n = room - 1; n && (text[n] & 0xc0) == 0x80; n--)
            ;
    memcpy(out, text, n);
    out[n] = '\0';
}

static int row_named(const char *name)
{
    for (int i = 0; i < ALERTS; i++)
        if (!strcmp(alert_rows[i].name, name))
            return i;
    return -1;
}

static void take(const json_t *told, struct alert out[ALERTS])
{
    struct err ignored = { 0 };
    struct alert *a;
    int i;

    if (jx_check_known(&ignored, told, members, "") ||
        (i = row_named(jx_text(told, "name"))) < 0)
        return;
    a = &out[i];
    a->since = jx_int(told, "since", 0);
    a->until = jx_int(told, "until", 0);
    a->firing = !a->until;
    a->severity = !strcmp(jx_text(told, "severity"), "error") ? WRONG : WARN;
    a->value = jx_int(told, "value", 0);
    keep(a->text, sizeof a->text, jx_text(told, "text"));
    keep(a->told, sizeof a->told, jx_text(told, "told"));
    keep(a->which, sizeof a->which, jx_text(told, "which"));
}

void alert_parse(const char *text, size_t n, struct alert out[ALERTS])
{
    struct arena *mem = arena_new();
    struct err ignored = { 0 };
    json_t *all;

    memset(out, 0, sizeof *out * ALERTS);
    if (!jx_object(&ignored, mem, text, n, &all)) {
        const json_t *list = json_object_get(all, "alerts");

        for (size_t i = 0; i < json_array_size(list); i++)
            take(json_array_get(list, i), out);
    }
    arena_free(mem);
}

/* ---- those of this server ---- */

static struct {
    pthread_mutex_t lock; /* for what follows, which one thread changes and any may read */
    struct alert at[ALERTS];
    int64_t looked;
    char path[4096];
} me = { .lock = PTHREAD_MUTEX_INITIALIZER };

void alert_open(const char *data)
{
    struct arena *mem = arena_new();
    struct err ignored = { 0 };
    char *text;
    size_t n;
    bool has;

    snprintf(me.path, sizeof me.path, "%s/" ALERTS_NAME, data);
    has = !fs_read(&ignored, mem, me.path, FILE_MAX, &text, &n);
    pthread_mutex_lock(&me.lock);
    me.looked = 0;
    alert_parse(has ? text : "", has ? n : 0, me.at);
    for (int i = 0; i < ALERTS; i++)
        metric_set(metrics[i], me.at[i].firing);
    pthread_mutex_unlock(&me.lock);
    arena_free(mem);
}

/* On the thread that changes them, and so without the lock. */
static void save(void)
{
    struct buf text = BUF_HEAP;
    struct err e = { 0 };

    alert_print(me.at, &text);
    if (fs_write(&e, me.path, text.p, text.n, 0600))
        LOG(LOG_WARN, "alerts_not_saved", L_STR("why", e.text));
    buf_done(&text);
}

static void tell(const struct alert *a, int i)
{
    metric_set(metrics[i], a->firing);
    LOG(a->severity == WRONG ? LOG_ERROR : LOG_WARN,
        a->firing ? "alert_firing" : "alert_cleared", L_STR("alert", alert_rows[i].name),
        L_INT("value", a->value), L_STR("why", a->text));
}

static bool look_at(struct health *h, int i, int64_t now)
{
    struct alert *a = &me.at[i];
    enum finding found;
    bool changed;

    h->value = 0;
    h->which = NULL;
    found = alert_rows[i].judge(h);
    pthread_mutex_lock(&me.lock);
    if (found) {
        a->value = h->value;
        keep(a->text, sizeof a->text, h->text);
        keep(a->which, sizeof a->which, h->which ? h->which : "");
    }
    changed = alert_step(a, &alert_rows[i], found, now);
    pthread_mutex_unlock(&me.lock);
    if (changed)
        tell(a, i);
    return changed;
}

void alert_look_at(struct health *h, enum alert_name which)
{
    if (look_at(h, which, clock_now()))
        save();
}

bool alert_look(struct health *h)
{
    int64_t now = clock_now();
    bool changed = false;

    for (int i = 0; i < ALERTS; i++)
        changed |= look_at(h, i, now);
    if (changed)
        save();
    pthread_mutex_lock(&me.lock);
    me.looked = now;
    pthread_mutex_unlock(&me.lock);
    metric_add(METRIC_alert_looks, 1);
    return changed;
}

int64_t alert_all(struct alert out[ALERTS])
{
    int64_t looked;

    pthread_mutex_lock(&me.lock);
    memcpy(out, me.at, sizeof me.at);
    looked = me.looked;
    pthread_mutex_unlock(&me.lock);
    return looked;
}

int alert_untold(int after, struct alert *out)
{
    char id[ALERT_ID];

    for (int k = 1; k <= ALERTS; k++) {
        int i = (after + k) % ALERTS;

        if (strcmp(alert_id(&me.at[i], &alert_rows[i], id), me.at[i].told) != 0) {
            *out = me.at[i];
            return i;
        }
    }
    return -1;
}

void alert_told(int which, const char *id)
{
    pthread_mutex_lock(&me.lock);
    snprintf(me.at[which].told, sizeof me.at[which].told, "%s", id);
    pthread_mutex_unlock(&me.lock);
    save();
}
