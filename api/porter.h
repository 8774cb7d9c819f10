/*
 * porter.h - what identity knows of who asks, told to the gate (server/http/gate.h).
 */
#ifndef API_PORTER_H
#define API_PORTER_H

#include "server/http/gate.h"

/* `staff`: the networks of the staff, which gate_set() copies; NULL: they ask from anywhere. */
struct gate_source porter_source(const struct networks *staff);

#endif
