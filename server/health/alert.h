/*
 * alert.h - what is wrong now: a row each in alert.def, and for each whether it fires, since when, and who was told.
 *
 *     CLEARED --fault found `hold` times in a row--> FIRING --none found `rest` times in a row--> CLEARED
 *                                                    FIRING --it became worse--> FIRING, told again
 *
 * What fires stands in DATA/alerts too, so that a server that died finds there what it has told already.
 */
#ifndef HEALTH_ALERT_H
#define HEALTH_ALERT_H

#include "server/base/buf.h"
#include "server/health/health.h"

enum alert_unit { ALERT_NONE, ALERT_COUNT, ALERT_SECONDS, ALERT_BYTES };

enum alert_name {
#define ALERT(name, unit, hold, rest, judge, text, mend) ALERT_AT_##name,
#include "server/health/alert.def"
#undef ALERT
    ALERTS
};

struct alert_row {
    const char *name;
    enum alert_unit unit;
    int hold, rest;
    enum finding (*judge)(struct health *h);
    const char *text, *mend; /* Chinese */
};
extern const struct alert_row alert_rows[ALERTS];

enum { ALERT_ID = 96 };

struct alert {
    int bad, good; /* looks in a row that found so */
    bool firing;
    enum finding severity; /* WARN or WRONG, as it was worst since it fires */
    int64_t since,
        until; /* seconds: when it began to fire, 0: it never did; when it was cleared, 0: it fires */
    int64_t value;
    char text[512];      /* in English, what was found last while it fired */
    char which[64];      /* in Chinese, "" */
    char told[ALERT_ID]; /* the last event that the webhook accepted */
};

/* One look's finding. True: something is to be told. */
bool alert_step(struct alert *a, const struct alert_row *row, enum finding found, int64_t now);
/* "NAME-1795000000-firing-warn": of what there is to be told, the same after a restart; "" if nothing ever was. */
const char *alert_id(const struct alert *a, const struct alert_row *row, char out[ALERT_ID]);
/* "数据目录所在磁盘只剩 180 MB" */
void alert_text(const struct alert *a, const struct alert_row *row, struct buf *out);
const char *alert_severity(enum finding f); /* "warn", "error" */
/* The members of an alert as JSON, of the API and of the webhook. */
void alert_put(const struct alert *a, const struct alert_row *row, struct buf *out);

/* ---- those of this server ---- */

/* Reads DATA/alerts, "" is none. */
void alert_open(const char *data);
/* Makes all judges look: log and metrics follow. True: some row has something new to be told. */
bool alert_look(struct health *h);
/* Makes one judge look. */
void alert_look_at(struct health *h, enum alert_name which);
/* All as they are now; when the last look was, 0: none yet. On any thread. */
int64_t alert_all(struct alert out[ALERTS]);
/* The first after `after` (-1: the first of all) whose event was not told; -1: none. */
int alert_untold(int after, struct alert *out);
/* That event was told. */
void alert_told(int which, const char *id);

/* As in DATA/alerts: what is not understood is passed over, and cleared. */
void alert_parse(const char *text, size_t n, struct alert out[ALERTS]);
void alert_print(const struct alert all[ALERTS], struct buf *out);

#endif
