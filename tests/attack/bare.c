/*
 * bare.c - the control: the whole program without its guard. What must kill it, or the attacks prove nothing.
 *
 * It stands where server/http/interpose.c stands in tjzw. Nothing here takes libh2o's place, so no byte comes to the
 * guard, and the start does not ask for it. It is built with the tests only, and never installed.
 */
#include "server/http/guard.h"

const bool guard_is_off = true;
