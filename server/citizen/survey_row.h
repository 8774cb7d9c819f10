/*
 * survey_row.h - how an answer stands in its row: for survey.c, which writes it, and survey_result.c, which reads it.
 */
#ifndef CITIZEN_SURVEY_ROW_H
#define CITIZEN_SURVEY_ROW_H

#include "server/base/buf.h"
#include "server/base/seal.h"

enum { SURVEY_WHOLE = -1 }; /* in the place of a question: how many answered at all */

/* Where the texts of an account's answer are sealed for; 0: of a browser's. */
struct seal_place survey_seal_place(int64_t account);
void survey_put_chosen(struct buf *out, uint32_t chosen); /* [0,2] */

#endif
