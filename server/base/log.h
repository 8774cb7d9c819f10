/*
 * log.h - what happened, one JSON object a line on stderr.
 *
 *     LOG(LOG_WARN, "head_late", L_INT("seq", seq), L_STR("stream", name));
 *
 * Never a secret, a name, a phone or an identity number. An event's name is stable; people grep
 * for it.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct logkv {
    const char *key; /* NULL ends the list */
    const char *str; /* NULL: the number counts */
    int64_t num;
};

#define L_STR(k, v)                       \
    {                                     \
        .key = (k), .str = (v) ? (v) : "" \
    }
#define L_INT(k, v)                     \
    {                                   \
        .key = (k), .num = (int64_t)(v) \
    }
#define LOG(level, event, ...) \
    log_write(level, event, (const struct logkv[]){ __VA_ARGS__ __VA_OPT__(, ){ 0 } })

void log_write(enum log_level level, const char *event, const struct logkv *kv);
void log_set_level(enum log_level least); /* default LOG_INFO */
void log_set_fd(int fd);                  /* default 2; -1 is silence (tests) */
const char *log_level_name(enum log_level level);
int log_level_parse(const char *name); /* "debug" … "error"; -1 if unknown */

#endif
