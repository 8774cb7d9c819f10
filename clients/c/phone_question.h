/* phone_question.h - a question of a survey on a terminal (docs/surveys.md has their JSON). */
#ifndef TJZW_PHONE_QUESTION_H
#define TJZW_PHONE_QUESTION_H

#include <jansson.h>
#include <stdio.h>

#include "clients/c/phone.h"

/* `no` counts from 0. */
void phone_put_question(const json_t *question, size_t no, FILE *out);
void phone_show_answer(const json_t *question, const json_t *answer);
/* One line of standard input; asked again where somebody sits at a terminal. NULL: none that fits. */
json_t *phone_ask(const json_t *question, size_t no);

#endif
