/* phone.h - what the files of tjzw-phone share. */
#ifndef TJZW_PHONE_H
#define TJZW_PHONE_H

#include "clients/c/tjzw.h"

enum { EXIT_ASKED_WRONGLY = 2 };

struct phone {
    const char *store, *stream, *column, *horizon;
    struct tjzw_server server;
    uint32_t most, timeout;
    bool verbose, json, kept;
    const char *more; /* the argument behind those that the command must have; NULL: none */
    struct tjzw *t;
    enum tjzw_code code; /* how the command ended */
    struct tjzw_sync_result synced;
};

/* Each tells on stderr what is wrong, and gives the exit status. */
int phone_failed(struct phone *p, const char *what, const struct tjzw_error *e);
int phone_wrong(const char *what, const char *value, const char *how);
int phone_not_an_id(const char *text);
/* stdout may be a full disk or a closed pipe. */
int phone_finish(const char *what);
bool phone_number(const char *text, uint32_t *out); /* from 1 on */
const char *phone_time(int64_t t, const char *format, char out[32]);
const char *phone_span(uint64_t seconds, char out[48]);
/* Which handle a signal stops; NULL: none. */
void phone_runs(struct tjzw *t);
void phone_tell_sync(const struct phone *p, const struct tjzw_sync_result *r);
void phone_tell_json(const struct phone *p);

/* phone_live.c: commands. */
int phone_keep(struct phone *p, const char *id);
int phone_unkeep(struct phone *p, const char *id);
int phone_fetch(struct phone *p, const char *id);
int phone_blob(struct phone *p, const char *hash);
int phone_listen(struct phone *p, const char *none);
int phone_background(struct phone *p, const char *none);

/* phone_status.c: the same. */
int phone_status(struct phone *p, const char *none);
int phone_verify(struct phone *p, const char *none);

/* Prints an item for people: title, what is known about it, text. */
void phone_show(const struct tjzw_item *item);

#endif
