/*
 * data_file.h - bodies under tests/data, as JSON trees.
 */
#ifndef TESTS_DATA_FILE_H
#define TESTS_DATA_FILE_H

#include <stdio.h>
#include <string.h>

#include "json_read.h"

/* The parsed file, or NULL; json_decref. Paths are below tests/data. */
static inline json_t *data_file_read(const char *name)
{
    static char text[512 * 1024];
    char path[256];
    size_t size;
    FILE *file;

    (void)snprintf(path, sizeof(path), "tests/data/%s", name);
    file = fopen(path, "r");
    if (file == NULL)
        return NULL;
    size = fread(text, 1, sizeof(text), file);
    (void)fclose(file);
    return json_read_document(text, size);
}

/* The same for text. */
static inline json_t *data_text_read(const char *json)
{
    static char text[64 * 1024];

    (void)snprintf(text, sizeof(text), "%s", json);
    return json_read_document(text, strlen(text));
}

#endif /* TESTS_DATA_FILE_H */
