/*
 * device_slip.h - what a device keeps of an account that signed in from it, so that it is known again.
 *
 * It opens nothing. But guesses and codes of a known device are counted apart from those of strangers (throttle.h, code.h), who
 * can therefore not keep its owner out. And where staff may work at listed devices alone, it is by its number that a device is listed (staff_device.h).
 */
#ifndef IDENTITY_DEVICE_SLIP_H
#define IDENTITY_DEVICE_SLIP_H

#include "server/identity/slip.h"

enum { DEVICE_SLIP_LIFE = 366 * 86400 };

/* The number of the device; 0: a stranger to this account. `known`: what it kept, or NULL. */
uint64_t device_slip_number(const char *known, int64_t account);
/* What it is to keep from now on, and its number, which stays whoever signs in there next. */
uint64_t device_slip_put(const char *known, int64_t account, char out[SLIP_TEXT]);

#endif
