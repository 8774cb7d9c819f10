/*
 * limit.h - what a vendor allows on a day: the rows of limit.def.
 */
#ifndef PUSH_LIMIT_H
#define PUSH_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "push/transport.h"

/* 服务与通讯, 资讯营销, 应急. Numbers stand in rows. */
enum push_class { PUSH_SERVICE = 1, PUSH_MARKETING = 2, PUSH_EMERGENCY = 3, PUSH_CLASS_COUNT };

/* What a vendor does with a message in its night window. */
enum push_night {
    PUSH_DAY_AND_NIGHT, /* there is no such window */
    PUSH_HELD,          /* keeps it until the window ends */
    PUSH_REFUSED        /* refuses or drops it */
};

enum push_pace { PUSH_MESSAGES, PUSH_REQUESTS };

struct push_limit {
    int32_t from;     /* in force since then: YYYYMMDD */
    int32_t day;      /* messages to one device a day; 0: no limit */
    int32_t news_day; /* the same of news, with the licence for it */
    int32_t pace;     /* a second, of `pace_of` */
    enum push_pace pace_of;
    int32_t tokens;      /* devices in one request, at least 1 */
    int32_t title, text; /* characters; 0: as many as the payload takes */
    int32_t payload;     /* bytes */
    enum push_night night;
    int32_t night_from,
        night_to;     /* minutes of the day in Beijing; from above to: over midnight */
    int32_t ttl;      /* seconds at most */
    int32_t collapse; /* bytes of a collapse id; 4: a number; 0: there is none */
    const char *source;
};

/*
 * What is in force on `day` (YYYYMMDD); of a day before the first row, the first. Never fails for a transport of transport.def and a class of enum push_class.
 * Every figure is filled in: what is unknown is as low as the lowest that is known of that class.
 */
struct push_limit push_limit(enum transport by, enum push_class class, int32_t day);

/* The day in Beijing, YYYYMMDD, and the minute of it. */
int32_t push_limit_day(int64_t seconds);
int32_t push_limit_minute(int64_t seconds);
/* Whether that minute is in the window; false if there is none. */
bool push_limit_is_night(const struct push_limit *l, int32_t minute);
/*
 * Of a vendor who refuses messages at night (PUSH_REFUSED): when he takes them again, of a moment in his night; 0: he takes them at that moment. Who plans asks the same as who sends. All
 * times are seconds since 1970.
 */
int64_t push_limit_refused_until(const struct push_limit *l, int64_t at);
/* When his next such night begins, of a moment outside of it; INT64_MAX: he has none. */
int64_t push_limit_refused_from(const struct push_limit *l, int64_t at);

#endif
