/*
 * outbox.h - what was written here and the server has not taken yet. Inside libtjzw only.
 */
#ifndef TJZW_OUTBOX_H
#define TJZW_OUTBOX_H

#include "clients/c/person.h"

/* In a transaction: writes a good entry (value NULL: removes it), in place of one for the same key that was never sent. */
enum tjzw_code outbox_write(struct tjzw *t, const struct person *p, const char *type,
                            const char *key, const char *value, struct tjzw_error *e);
/* *any: something waits for this key that has no number. */
enum tjzw_code outbox_waits(struct tjzw *t, int64_t person, const char *type, const char *key,
                            bool *any, struct tjzw_error *e);
struct outbox_count {
    int64_t waiting, refused;
    int64_t first; /* the lowest number given; 0: none */
};
enum tjzw_code outbox_count(struct tjzw *t, int64_t person, struct outbox_count *out,
                            struct tjzw_error *e);
/* Whether it is an action, which is no entry. */
bool outbox_is_action(const char *type);
/* The type of entry that a mutation is about: message.drop is of a message. */
const char *outbox_entry_type(const char *type);
/* tjzw_put in the open transaction, for a key and value that are known to be good. */
enum tjzw_code outbox_put_now(struct tjzw *t, const char *type, const char *key,
                              const char *value, struct tjzw_error *e);

#endif
