/*
 * campaign_world.h - a library (library_world.h) with an operator of push, three approvers, and whom they write to.
 */
#ifndef TESTS_CAMPAIGN_WORLD_H
#define TESTS_CAMPAIGN_WORLD_H

#include "push/campaign_step.h"
#include "tests/lib/library_world.h"

/* cmocka's. Account 1 is an operator, 2 to 4 are approvers, and no transport is on; from 3 devices on a campaign wants two approvals. */
int desk_set_up(void **state);
int desk_tear_down(void **state);

/* A role for all sites, given or taken away. */
void desk_role(struct library_world *t, int64_t account, const char *role, bool given);
/* A phone of somebody who follows the tag 养老. */
void desk_phone(struct library_world *t, int no);

/* Who does what comes next. */
void desk_be(struct library_world *t, const char *name, unsigned rights);

#define OPERATOR desk_be(t, "account:1", RIGHT_PUSH)
#define APPROVER desk_be(t, "account:2", RIGHT_PUSH_APPROVE)
#define ANOTHER  desk_be(t, "account:3", RIGHT_PUSH_APPROVE)
#define EDITORS  desk_be(t, "operator", RIGHT_ALL)

/* Further members of a campaign. */
#define TO_TAG ",\"audience\":{\"tag\":\"养老\"}"
#define TO_ALL ",\"audience\":{\"all\":true}"

json_t *desk_json(struct library_world *t, const char *text);
/* COMMIT, or ROLLBACK if rc is not RC_OK; gives it back. */
enum rc desk_end(struct library_world *t, enum rc rc);

enum rc desk_create(struct library_world *t, const struct item *it, const char *more,
                    struct campaign *out);
enum rc desk_edit(struct library_world *t, struct campaign *c, const char *body);
enum rc desk_does(struct library_world *t, struct campaign *c, enum campaign_step step,
                  const char *text);
/* A step of the server's. */
enum rc desk_follows(struct library_world *t, struct campaign *c, enum campaign_step step);
void desk_test_send(struct library_world *t, struct campaign *c);
/* The reader of the change log goes on to its end. */
void desk_follow(struct library_world *t, struct campaign *c);

/* A campaign that was approved by as many as must; OPERATOR comes next. */
struct campaign desk_approved(struct library_world *t, const char *more);
struct campaign desk_scheduled(struct library_world *t, const char *more);

#endif
