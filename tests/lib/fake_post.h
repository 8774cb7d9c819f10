/*
 * fake_post.h - post.h without a network: what a test says becomes of each request, when it says so. It stands in for push/post.c, in the test's own program.
 */
#ifndef TESTS_FAKE_POST_H
#define TESTS_FAKE_POST_H

#include "push/post.h"

/* Fills in what the vendor says; its texts live until the next call. */
typedef void (*fake_post_answer)(const struct vendor_request *rq, struct vendor_answer *out);

/* All requests that are under way land now. How many there were. */
int fake_post_land(fake_post_answer answer);
/* How many took the connections that are kept for emergencies, since the program began. */
int fake_post_urgent(void);

#endif
