/* phone.h - what the files of tjzw-phone share. */
#ifndef TJZW_PHONE_H
#define TJZW_PHONE_H

#include "clients/c/tjzw_me.h"

enum { EXIT_ASKED_WRONGLY = 2 };

struct phone {
    const char *store, *stream, *column, *horizon;
    struct tjzw_server server;
    uint32_t most, timeout;
    bool verbose, json, kept;
    const char *more, *third,
        *fourth; /* the arguments behind the one that the command must have; NULL: none */
    const char *category, *unit, *place, *contact, *item; /* of a letter */
    const char *attach[9];
    size_t attached;
    bool hidden, publish, password;
    struct tjzw *t;
    unsigned shown;   /* by a list so far */
    const char *told; /* the change that was told of last, and when */
    int64_t told_at;
    enum tjzw_code code; /* how the command ended */
    struct tjzw_sync_result synced;
};

struct phone_command {
    const char *name, *argument;
    const char *summary;
    const char *examples;
    int (*run)(struct phone *p, const char *argument);
    bool asks;         /* the network: knows --server and the like, and must know a server */
    unsigned optional; /* further arguments it takes */
};

/* phone_command.c. NULL: there is none of this name. */
const struct phone_command *phone_command(const char *name);
void phone_help(const struct phone_command *c); /* NULL: of all */
/* 0, or the exit status. *help: it was asked for. */
int phone_options(int argc, char **argv, struct phone *p, bool *help);

/* Each tells on stderr what is wrong, and gives the exit status. */
int phone_failed(struct phone *p, const char *what, const struct tjzw_error *e);
int phone_wrong(const char *what, const char *value, const char *how);
int phone_not_an_id(const char *text);
/* stdout may be a full disk or a closed pipe. */
int phone_finish(const char *what);
/* What stands beside a name in a table of names and words; the name itself if it has no word. */
const char *phone_word(const char *const (*table)[2], size_t n, const char *name);
bool phone_number(const char *text, uint32_t *out); /* from 1 on */
const char *phone_time(int64_t t, const char *format, char out[32]);
const char *phone_span(uint64_t seconds, char out[48]);
/* Which handle a signal stops; NULL: none. */
void phone_runs(struct tjzw *t);
void phone_tell_sync(const struct phone *p, const struct tjzw_sync_result *r);
void phone_tell_json(const struct phone *p);

/* phone_read.c: commands. */
int phone_sync(struct phone *p, const char *none);
int phone_list(struct phone *p, const char *none);
int phone_search(struct phone *p, const char *words);
int phone_show_item(struct phone *p, const char *id);
int phone_columns(struct phone *p, const char *none);
int phone_export(struct phone *p, const char *none);

/* phone_alert.c: the same. */
int phone_alerts(struct phone *p, const char *none);

/* phone_live.c: the same. */
int phone_keep(struct phone *p, const char *id);
int phone_unkeep(struct phone *p, const char *id);
int phone_fetch(struct phone *p, const char *id);
int phone_blob(struct phone *p, const char *hash);
int phone_listen(struct phone *p, const char *none);
int phone_background(struct phone *p, const char *none);

/* phone_me.c, phone_mine.c, phone_letter.c, phone_survey.c: who holds the phone. */
int phone_sign_in(struct phone *p, const char *name);
int phone_sign_out(struct phone *p, const char *none);
int phone_me(struct phone *p, const char *none);
int phone_fav(struct phone *p, const char *none);
int phone_unfav(struct phone *p, const char *id);
int phone_read(struct phone *p, const char *none);
int phone_follow(struct phone *p, const char *none);
int phone_unfollow(struct phone *p, const char *key);
int phone_set(struct phone *p, const char *none);
int phone_put(struct phone *p, const char *type);
int phone_letter(struct phone *p, const char *verb);
int phone_rate(struct phone *p, const char *what);
int phone_survey(struct phone *p, const char *none);
/* phone_watch.c: what comes by itself. */
int phone_device(struct phone *p, const char *none);
int phone_watch(struct phone *p, const char *none);

bool phone_is_vote(const char *word);
int phone_vote(struct phone *p, const char *item, const char *word);
int phone_counts(struct phone *p, const char *none);
int phone_inbox(struct phone *p, const char *none);
int phone_outbox(struct phone *p, const char *none);
int phone_account(struct phone *p, const char *what);

/* phone_status.c: the same. */
int phone_status(struct phone *p, const char *none);
int phone_verify(struct phone *p, const char *none);

/* Prints an item for people: title, what is known about it, text. */
void phone_show(const struct tjzw_item *item);

#endif
