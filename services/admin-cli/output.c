#include "output.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "client/message_field.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/parse.h"

#define ELLIPSIS "..."

struct output_text output_milli(int64_t milli)
{
    struct output_text out;
    uint64_t size = milli < 0 ? 0 - (uint64_t)milli : (uint64_t)milli;

    snprintf(out.text, sizeof(out.text), "%s%" PRIu64 ".%03" PRIu64, milli < 0 ? "-" : "",
             size / 1000, size % 1000);
    return out;
}

struct output_text output_count(int64_t count)
{
    struct output_text out = {"-"};

    if (count != -1)
        snprintf(out.text, sizeof(out.text), "%" PRId64, count);
    return out;
}

struct output_text output_percent(int64_t ppm)
{
    struct output_text out = {"-"};

    if (ppm >= 0) {
        int64_t hundredths = ppm / 100 + (ppm % 100 >= 50);

        snprintf(out.text, sizeof(out.text), "%" PRId64 ".%02" PRId64 "%%",
                 hundredths / 100, hundredths % 100);
    }
    return out;
}

struct output_text output_time(int64_t at_us)
{
    struct output_text out = {"-"};
    char text[CLOCK_TEXT_SIZE];

    if (at_us != 0) {
        clock_format_utc(text, at_us);
        snprintf(out.text, sizeof(out.text), "%.*sZ", (int)strcspn(text, ".Z"), text);
    }
    return out;
}

struct output_text output_millis(uint64_t us)
{
    struct output_text out;

    snprintf(out.text, sizeof(out.text), "%" PRIu64 ".%03" PRIu64 " ms", us / 1000,
             us % 1000);
    return out;
}

struct output_text output_enum(const ProtobufCEnumDescriptor *type, int value)
{
    struct output_text out;
    const char *name = message_field_enum_name(type, value);

    if (name == NULL) {
        snprintf(out.text, sizeof(out.text), "%d", value);
        return out;
    }
    snprintf(out.text, sizeof(out.text), "%s", value == 0 ? "-" : name);
    for (char *at = out.text; *at != '\0'; at++)
        *at = *at == '_' ? '-' : (char)tolower((unsigned char)*at);
    return out;
}

struct output_text output_units(int64_t part_milli, int64_t whole_milli,
                                int64_t unit_price_milli, const char *unit)
{
    struct output_text out = {""};

    if (unit_price_milli > 0 && unit[0] != '\0') {
        int64_t whole = whole_milli / unit_price_milli;

        snprintf(out.text, sizeof(out.text), "%" PRId64 " of %" PRId64 " %.24s%s",
                 part_milli / unit_price_milli, whole, unit, whole == 1 ? "" : "s");
    }
    return out;
}

/* Appends the first character of `text`, '?' for what a terminal must not see. Returns the
 * bytes taken. */
static size_t append_safe(struct buf *out, const char *text, size_t size)
{
    size_t taken = parse_utf8_next(text, size);
    unsigned char first = (unsigned char)text[0];
    bool is_c1 = taken == 2 && first == 0xc2 && (unsigned char)text[1] < 0xa0;
    /* U+202A to U+202E and U+2066 to U+2069 turn the direction of what follows. */
    bool is_bidi = taken == 3 && first == 0xe2 &&
                   (((unsigned char)text[1] == 0x80 && (unsigned char)text[2] >= 0xaa &&
                     (unsigned char)text[2] <= 0xae) ||
                    ((unsigned char)text[1] == 0x81 && (unsigned char)text[2] >= 0xa6 &&
                     (unsigned char)text[2] <= 0xa9));

    if (taken == 0 || first < 0x20 || first == 0x7f || is_c1 || is_bidi) {
        buf_append(out, "?", 1);
        return taken > 0 ? taken : 1;
    }
    buf_append(out, text, taken);
    return taken;
}

void output_print_text(FILE *out, const char *text)
{
    size_t size = strlen(text);
    struct buf safe;

    buf_init(&safe, size);
    for (size_t at = 0; at < size;)
        at += append_safe(&safe, text + at, size - at);
    fputs(buf_text(&safe), out);
    buf_done(&safe);
}

void output_print_line(FILE *out, const char *label, const char *text)
{
    if (text[0] == '\0')
        return;
    fprintf(out, "%-*s ", OUTPUT_LABEL_WIDTH, label);
    output_print_text(out, text);
    fputc('\n', out);
}

/* Characters, as good as columns for what is printed here. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

void output_table_init(struct output_table *table, const char *const *headings)
{
    *table = (struct output_table){0};
    for (; headings[table->columns] != NULL; table->columns++) {
        const char *heading = headings[table->columns];

        assert(table->columns < OUTPUT_COLUMNS_MAX);
        if (heading[0] == '>') {
            table->right |= 1u << table->columns;
            heading++;
        }
        table->headings[table->columns] = heading;
    }
}

void output_table_add(struct output_table *table, const char *cell)
{
    size_t size = strlen(cell);
    size_t width = 0;
    struct buf safe;

    buf_init(&safe, 4 * OUTPUT_CELL_WIDTH + sizeof(ELLIPSIS));
    for (size_t at = 0; at < size; width++) {
        if (width == OUTPUT_CELL_WIDTH - strlen(ELLIPSIS) &&
            width_of(cell + at) > strlen(ELLIPSIS)) {
            buf_append_text(&safe, ELLIPSIS);
            break;
        }
        at += append_safe(&safe, cell + at, size - at);
    }
    /* Grows by doubling: the count is a power of two exactly when it is full. */
    if ((table->cell_count & (table->cell_count - 1)) == 0) {
        size_t room = table->cell_count == 0 ? 1 : 2 * table->cell_count;

        table->cells = mem_realloc_array(table->cells, room, sizeof(*table->cells));
    }
    table->cells[table->cell_count++] = mem_strdup(buf_text(&safe));
    buf_done(&safe);
}

void output_table_add_milli(struct output_table *table, int64_t milli)
{
    output_table_add(table, output_milli(milli).text);
}

void output_table_add_count(struct output_table *table, int64_t count)
{
    output_table_add(table, output_count(count).text);
}

void output_table_add_time(struct output_table *table, int64_t at_us)
{
    output_table_add(table, output_time(at_us).text);
}

void output_table_add_enum(struct output_table *table, const ProtobufCEnumDescriptor *type,
                           int value)
{
    output_table_add(table, output_enum(type, value).text);
}

static void print_cell(FILE *out, const struct output_table *table, size_t column,
                       const char *text, size_t width)
{
    size_t used = width_of(text);
    int padding = width > used ? (int)(width - used) : 0;
    bool is_last = column + 1 == table->columns;

    if ((table->right & 1u << column) != 0)
        fprintf(out, "%*s%s", padding, "", text);
    else
        fprintf(out, "%s%*s", text, is_last ? 0 : padding, "");
    fputs(is_last ? "\n" : "  ", out);
}

void output_table_print(FILE *out, const struct output_table *table)
{
    size_t widths[OUTPUT_COLUMNS_MAX];

    assert(table->columns > 0);
    for (size_t column = 0; column < table->columns; column++) {
        widths[column] = width_of(table->headings[column]);
        for (size_t i = column; i < table->cell_count; i += table->columns) {
            size_t width = width_of(table->cells[i]);

            widths[column] = width > widths[column] ? width : widths[column];
        }
    }
    for (size_t column = 0; column < table->columns; column++)
        print_cell(out, table, column, table->headings[column], widths[column]);
    for (size_t i = 0; i < table->cell_count; i++)
        print_cell(out, table, i % table->columns, table->cells[i],
                   widths[i % table->columns]);
}

void output_table_done(struct output_table *table)
{
    for (size_t i = 0; i < table->cell_count; i++)
        mem_free(table->cells[i]);
    mem_free(table->cells);
    *table = (struct output_table){0};
}
