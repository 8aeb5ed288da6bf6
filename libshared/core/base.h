/*
 * base.h - the few macros every file may use.
 */
#ifndef CORE_BASE_H
#define CORE_BASE_H

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_index, first_argument) \
    __attribute__((format(printf, format_index, first_argument)))
#define NO_RETURN       __attribute__((noreturn))
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif /* CORE_BASE_H */
