/*
 * places.h - how many places of an outbox (settlements.h) are taken: found by taking the rest
 * and giving them back. For tests in which nobody else claims meanwhile.
 */
#ifndef TESTS_PLACES_H
#define TESTS_PLACES_H

#include <stddef.h>

#include "settlements.h"

static inline size_t places_taken(struct settlements *settlements, size_t places)
{
    size_t left = 0;

    while (settlements_claim(settlements))
        left++;
    for (size_t i = 0; i < left; i++)
        settlements_release(settlements);
    return places - left;
}

#endif /* TESTS_PLACES_H */
