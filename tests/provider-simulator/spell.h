/*
 * spell.h - a creator as JSON, the parts that several answers share.
 */
#ifndef SIMULATOR_SPELL_H
#define SIMULATOR_SPELL_H

#include "population.h"
#include "text.h"

/* The members of the short profile, without the braces. */
void spell_profile(const struct creator *creator, struct text *out);

/* One row of /users. */
void spell_user_row(const struct creator *creator, struct text *out);

#endif
