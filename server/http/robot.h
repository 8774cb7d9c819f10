/*
 * robot.h - whether a program reads, or a person: as far as it says so itself.
 */
#ifndef HTTP_ROBOT_H
#define HTTP_ROBOT_H

#include <stdbool.h>
#include <stddef.h>

/* By its User-Agent; one that says nothing is a robot. */
bool robot_is(const char *agent, size_t n);

#endif
