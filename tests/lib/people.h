/*
 * people.h - who asks in a service world: accounts with their roles, signed in.
 */
#ifndef TESTS_PEOPLE_H
#define TESTS_PEOPLE_H

#include "server/identity/session.h"
#include "tests/lib/service_world.h"

struct person {
    int64_t account, session;
    const char *header; /* "authorization: Bearer tja_…\n", in world_mem() */
};

struct person person_sign_in(struct world *t, enum session_kind kind, int level);
/* The rights of everybody, and a role; its site's number, or EVERYWHERE. An administrator is appointed by the operator. */
struct person person_staff(struct world *t, const char *role, int64_t site);
/* The same, signed in at the device of that number. */
struct person person_staff_at(struct world *t, const char *role, int64_t site,
                              uint64_t machine);
void person_sign_out(struct world *t, const struct person *p);

/* A request of his. */
struct answer person_ask(struct world *t, const struct person *p, enum method m,
                         const char *target, const char *body);

/*
 * n new citizens, each with a phone, all in the sets of devices. The odd ones have a Huawei, the others a Xiaomi; person_of() is the place in `out`
 * of whose token it is.
 */
void person_with_phones(struct world *t, struct person *out, int n);
int person_of(const char *token);
/* On the writer: the sets of devices are as the devices are. */
enum rc person_phones_settle(struct work *w, void *unused);

#endif
