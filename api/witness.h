/*
 * witness.h - what is done over the interface is written to the audit log, here and nowhere else.
 *
 * The route's row says what it is called (`act`), its path or the answer's Location what it was done to, and the handler
 * adds facts with work_fact().
 */
#ifndef API_WITNESS_H
#define API_WITNESS_H

#include "server/http/witness.h"

extern const struct witness witness_audit;

#endif
