/*
 * demo.h - articles of our own writing, marked 示例, to look at before one has any.
 */
#ifndef SERVER_DEMO_H
#define SERVER_DEMO_H

#include <stdbool.h>

#include "server/base/work.h"

/*
 * Publishes the demo articles, unless something was ever published; *is_demo says whether the library holds them. After sync_start(); waits for
 * the writer.
 */
enum rc demo_fill(struct err *e, int64_t stream, bool *is_demo);

#endif
