/*
 * broken.h - which of the mistakes of broken.py this run has.
 */
#ifndef TESTS_SIM_BROKEN_H
#define TESTS_SIM_BROKEN_H

#include <stdbool.h>

bool breaks(int which);

#endif
