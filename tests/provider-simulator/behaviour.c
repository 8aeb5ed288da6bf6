#include "behaviour.h"

#include <string.h>

int behaviour_mode_parse(const char *name)
{
    static const char *const names[] = {
        [BEHAVIOUR_OK] = "ok",           [BEHAVIOUR_STATUS] = "status",
        [BEHAVIOUR_HANG] = "hang",       [BEHAVIOUR_SLOW] = "slow",
        [BEHAVIOUR_CLOSE] = "close",     [BEHAVIOUR_TRUNCATE] = "truncate",
        [BEHAVIOUR_GARBAGE] = "garbage",
    };

    for (int mode = 0; mode <= BEHAVIOUR_GARBAGE; mode++) {
        if (strcmp(names[mode], name) == 0) {
            return mode;
        }
    }
    return -1;
}

struct behaviour behaviours_take(struct behaviours *behaviours, enum endpoint endpoint)
{
    struct behaviour *rule = &behaviours->rules[endpoint];
    struct behaviour taken;

    if (rule->mode == BEHAVIOUR_OK) {
        rule = &behaviours->everywhere[strcmp(endpoint_provider(endpoint), "clay") == 0];
    }
    taken = *rule;
    if (rule->mode != BEHAVIOUR_OK && rule->times > 0 && --rule->times == 0) {
        *rule = (struct behaviour){.mode = BEHAVIOUR_OK};
    }
    return taken;
}
