/*
 * service_world.h - a whole service without a socket: world.h with the real route table, one
 * stream, one site and two columns (要闻 is number 1, 通知公告 number 2). Every answer is held
 * against /openapi.json.
 */
#ifndef TESTS_SERVICE_WORLD_H
#define TESTS_SERVICE_WORLD_H

#include <jansson.h>

#include "tests/lib/world.h"

int service_world_set_up(void **state); /* cmocka's; *state is a struct world */
int service_world_tear_down(void **state);
/* With derived.db beside it, which follows when derived_catch_up() is called. */
int service_world_derived_set_up(void **state);
int service_world_derived_tear_down(void **state);

/* As the operator, with every right. */
struct answer tell(struct world *t, enum method m, const char *target, const char *body);
struct answer tell_with(struct world *t, enum method m, const char *target, const char *headers,
                        const char *body);
/* A party and its first key, which is number 1 in a new world: "authorization: Bearer tjp_…\n", in world_mem(). */
const char *service_program(struct world *t, const char *id, const char *rights);
/* Publishes one article; returns its id in world_mem(). `more` are further members, with a comma in front. */
const char *service_publish(struct world *t, const char *title, const char *body,
                            const char *more);
/* The text value of the first member `key` in a JSON answer, without unescaping; "" if absent. */
const char *text_of(struct world *t, const struct answer *a, const char *key);
/* A JSON answer, in world_mem(). */
json_t *json_of(struct world *t, const struct answer *a);

static inline struct answer get(struct world *t, const char *target)
{
    return ask(t, GET, target, NULL);
}

#define URL(...)         arena_printf(world_mem(t), __VA_ARGS__)
#define HAS(a, text)     assert_non_null(strstr((a).body, text))
#define HAS_NOT(a, text) assert_null(strstr((a).body, text))
#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, service_world_set_up, service_world_tear_down)

#endif
