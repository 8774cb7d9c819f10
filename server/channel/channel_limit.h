/*
 * channel_limit.h - what a platform allows on a day: the rows of channel_limit.def. Pure.
 */
#ifndef CHANNEL_LIMIT_H
#define CHANNEL_LIMIT_H

#include "server/base/buf.h"

enum channel_field {
    CHANNEL_TITLE,
    CHANNEL_BYLINE,
    CHANNEL_DIGEST,
    CHANNEL_BODY,
    CHANNEL_LINK,
    CHANNEL_PICTURE,
    CHANNEL_COVER
};
enum channel_counted { CHANNEL_CHARACTERS, CHANNEL_HALVES, CHANNEL_BYTES };

struct channel_limit {
    enum channel_field field;
    enum channel_counted counted;
    int32_t from; /* YYYYMMDD */
    int64_t most;
    const char *source;
};

/* The limits in force for a field, one for each way of counting; of a day before the first row, the first. Returns how many, at most 3. */
int channel_limits(const char *kind, enum channel_field field, int32_t day,
                   struct channel_limit out[static 3]);
int64_t channel_count(enum channel_counted as, const char *text, size_t n);
const char *channel_field_name(enum channel_field field); /* as JSON calls it */
const char *channel_field_chinese(enum channel_field field);
const char *channel_unit(enum channel_counted as); /* "字", "字节" */
int32_t channel_day(int64_t seconds);              /* YYYYMMDD in Beijing */

#endif
