/*
 * blind.c - a program that believes to have a guard and has none, as a wrong build would. It must refuse to start.
 */
#include "server/http/guard.h"

const bool guard_is_off = false;
