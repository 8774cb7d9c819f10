/*
 * assess.h - `tjzw import --assess FILE`: what would become of a site's records before it moves here. Nothing is taken in, and no server is needed.
 */
#ifndef CLI_ASSESS_H
#define CLI_ASSESS_H

#include "server/cli/cli.h"

int assess(const struct args *a);

#endif
