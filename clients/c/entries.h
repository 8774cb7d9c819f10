/*
 * entries.h - a person's entries as the server said, with what waits on top; and who is told when they change. Inside libtjzw only.
 */
#ifndef TJZW_ENTRIES_H
#define TJZW_ENTRIES_H

#include "clients/c/person.h"

/* In a transaction: what the server says stands there (value NULL: nothing), at seq. needs: JSON or NULL. */
enum tjzw_code entries_take(struct tjzw *t, const struct person *p, const char *type,
                            const char *key, const char *value, int64_t seq, const char *needs,
                            struct tjzw_error *e);
/* In a transaction: the server has taken this; where it says no seq (0), that of the entry stays. */
enum tjzw_code entries_took(struct tjzw *t, const struct person *p, const char *type,
                            const char *key, const char *value, int64_t seq,
                            struct tjzw_error *e);
/* In a transaction: a reset is complete, and what it did not bring goes. */
enum tjzw_code entries_settle(struct tjzw *t, const struct person *p, struct tjzw_error *e);
/* In a transaction: every entry of `from` that phones write becomes something that `to` writes. */
enum tjzw_code entries_write_again(struct tjzw *t, int64_t from, int64_t to,
                                   struct tjzw_error *e);
/* In a transaction: the items of favourites from before a round are kept no more. INT64_MAX: of all, those that wait too. */
enum tjzw_code entries_unkeep(struct tjzw *t, int64_t person, int64_t round,
                              struct tjzw_error *e);
/* In a transaction: what an entry that is written (value NULL: removed) means beside itself: a favourite is a wish to keep the item, and without his consent nothing is
 * counted. */
enum tjzw_code entries_heed(struct tjzw *t, int64_t person, const char *type, const char *key,
                            const char *value, struct tjzw_error *e);

/* To be told when the transaction is on the disk; NULL, NULL: everything. */
void entries_changed(struct tjzw *t, const char *type, const char *key);
/* After a stream moved on from `before`: tells of the entries that waited for what it has now. */
enum tjzw_code entries_came(struct tjzw *t, const char *stream, struct wire_cursor before,
                            struct tjzw_error *e);
/* Tells, if it is, and forgets. */
void entries_tell(struct tjzw *t, bool committed);

/* One that is shown, in memory of its own. */
struct shown {
    char *key, *value;
    bool pending;
};
struct shown_list {
    struct shown *at;
    size_t n;
};
/* key NULL: all. Free it with entries_free, whatever comes. */
enum tjzw_code entries_list(struct tjzw *t, int64_t person, const char *type, const char *key,
                            struct shown_list *out, struct tjzw_error *e);
void entries_free(struct shown_list *list);

#endif
