/*
 * broken.c - the mistake is chosen by the environment: TJZW_SIM_BROKEN=N; without it there is none.
 */
#include "tests/sim/broken.h"

#include <stdlib.h>

bool breaks(int which)
{
    const char *n = getenv("TJZW_SIM_BROKEN");

    return n && atoi(n) == which;
}
