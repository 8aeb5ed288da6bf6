/*
 * output.h - values and tables for people.
 *
 * Everything that came from a server is made harmless for a terminal: control characters
 * and bytes that are no UTF-8 become '?'. Amounts are printed from integers.
 */
#ifndef ADMIN_CLI_OUTPUT_H
#define ADMIN_CLI_OUTPUT_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base.h"

#define OUTPUT_TEXT_SIZE   64
#define OUTPUT_COLUMNS_MAX 16
#define OUTPUT_LABEL_WIDTH 14
#define OUTPUT_CELL_WIDTH  48 /* characters; a longer cell is cut and ends with "..." */

struct output_text {
    char text[OUTPUT_TEXT_SIZE];
};

struct output_text output_milli(int64_t milli); /* "0.300", "-1.005" */
struct output_text output_count(int64_t count); /* "-" for -1, unknown */
struct output_text output_percent(int64_t ppm); /* "3.68%"; "-" for -1 */
struct output_text output_time(int64_t at_us);  /* "2026-12-01T00:00:00Z"; "-" for 0 */
struct output_text output_millis(uint64_t us);  /* microseconds as "12.345 ms" */
/* An enum's value as "not-found"; its number when it has no name. */
struct output_text output_enum(const ProtobufCEnumDescriptor *type, int value);
/* Amounts in a meter's unit: "30 of 140000 results"; "" when it has no unit. */
struct output_text output_units(int64_t part_milli, int64_t whole_milli,
                                int64_t unit_price_milli, const char *unit);

struct output_table {
    size_t columns;
    const char *headings[OUTPUT_COLUMNS_MAX]; /* without the mark of alignment */
    unsigned right;                           /* bit n: column n is right-aligned */
    char **cells;
    size_t cell_count;
};

/* `headings` ends with NULL; one that starts with '>' is right-aligned. At most
 * OUTPUT_COLUMNS_MAX. */
void output_table_init(struct output_table *table, const char *const *headings);
void output_table_add(struct output_table *table,
                      const char *cell); /* copies; row by row */
void output_table_add_milli(struct output_table *table, int64_t milli);
void output_table_add_count(struct output_table *table, int64_t count);
void output_table_add_time(struct output_table *table, int64_t at_us);
void output_table_add_enum(struct output_table *table, const ProtobufCEnumDescriptor *type,
                           int value);
void output_table_print(FILE *out, const struct output_table *table);
void output_table_done(struct output_table *table);

/* Text from a server, made harmless; not cut. */
void output_print_text(FILE *out, const char *text);
/* The same behind a label, as a line; nothing when there is no text. */
void output_print_line(FILE *out, const char *label, const char *text);

#endif /* ADMIN_CLI_OUTPUT_H */
