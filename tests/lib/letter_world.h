/*
 * letter_world.h - a library with two units, somebody who writes to them, and those who work on what he wrote.
 */
#ifndef TESTS_LIB_LETTER_WORLD_H
#define TESTS_LIB_LETTER_WORLD_H

#include "server/citizen/letter_staff.h"
#include "tests/lib/library_world.h"

enum { WRITER = 900, OTHER = 901, CLERK = 7, CHIEF = 8 };

#define UUID "0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11" /* of the letter */
#define CONSULT                                                                              \
    "{\"category\":\"consult\",\"contact\":{\"name\":\"李雷\",\"phone\":\"13800138000\"}," \
    "\"text\":\"居住证怎么办理？\",\"title\":\"居住证\",\"unit\":\"heping\"}"
#define DISCLOSE                                               \
    "{\"category\":\"disclose\",\"text\":\"申请公开 2024 " \
    "年决算\",\"title\":\"决算\",\"unit\":"               \
    "\"heping\"}"

int letter_world_set_up(void **state); /* 和平区 has t->site, 南开区 has none */
int letter_world_tear_down(void **state);

/* Who acts from now on. */
void be_writer(struct library_world *t, int64_t account, int level);
void be_clerk(struct library_world *t, int64_t account); /* of 和平区 */
void be_office(struct library_world *t);                 /* of all units */

json_t *letter_json(struct library_world *t, const char *text);
/* The transaction is over, well or not. */
enum rc letter_ended(struct library_world *t, enum rc rc);
const char *new_uuid(struct library_world *t);
enum rc send_letter(struct library_world *t, const char *uuid, const char *text,
                    struct letter *out);
struct letter sent_letter(struct library_world *t,
                          const char *text); /* under UUID, by WRITER */
/* `text`: members behind "letter", each with a comma before it. */
enum rc writer_does(struct library_world *t, const char *text, struct letter *out,
                    enum rc (*fn)(struct work *, const struct id *, const json_t *,
                                  struct letter *, bool *));
enum rc staff_does(struct library_world *t, enum letter_verb verb, const char *text,
                   struct letter *out);
enum rc staff_does_with(struct library_world *t, enum letter_verb verb, struct letter_order o,
                        struct letter *out);
int64_t letter_day(const char *text); /* of workday.h */
/* The last day on which an answer is in time. */
void assert_due(const struct letter *l, const char *day);

#endif
