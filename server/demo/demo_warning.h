/*
 * demo_warning.h - an example of a warning in the demo: its authority, and one message that says that it is none.
 */
#ifndef DEMO_WARNING_H
#define DEMO_WARNING_H

#include "server/base/work.h"

/* On the writer, once the demo's site is there. */
enum rc demo_warning(struct work *w);

#endif
