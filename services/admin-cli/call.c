#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "client/message_json.h"
#include "core/buf.h"
#include "handlers.h"
#include "metercache/v1/admin.pb-c.h"
#include "output.h"

#define SEEN_MAX   64
#define NAMES_SIZE 256

/* --at SERVICE for what every process serves; else where the method lives. */
static enum status choose_target(enum cli_target *out, const struct cli *cli,
                                 const struct cli_method *method, struct error *err)
{
    const char *at = cli_option(cli, "--at");

    *out = method->service->target;
    if (at != NULL && !services_target_parse(out, at))
        return cli_usage(err, "--at wants cache, quota or gateway, not '%s'", at);
    return ST_OK;
}

static enum status find_method(struct cli_method *out, const char *name, struct error *err)
{
    enum status st = services_find(out, name, err);

    return st == ST_OK ? st : cli_usage(err, "%s; see 'metercache methods'", err->message);
}

enum status call_method(struct cli *cli, struct error *err)
{
    const char *given = cli_arg(cli, 1) != NULL ? cli_arg(cli, 1) : "{}";
    struct cli_call_options options = {
        .idempotency_key = cli_option(cli, "--idempotency-key"),
        .is_dry_run = cli_has(cli, "--dry-run"),
    };
    struct cli_method method;
    ProtobufCMessage *request, *reply;
    const char *text;
    size_t size;
    enum status st = find_method(&method, cli_arg(cli, 0), err);

    if (st == ST_OK)
        st = choose_target(&options.target, cli, &method, err);
    if (st == ST_OK)
        st = cli_read_text(&text, &size, cli, given, err);
    if (st == ST_OK)
        st = message_json_parse(&request, method.request, text, size, &cli->arena, err);
    if (st == ST_OK)
        st = cli_call_with(cli, &method, &options, request, &reply, err);
    if (st == ST_OK)
        cli_print_json(cli, reply);
    return st;
}

static void print_methods(struct cli *cli, const Metercache__V1__ListMethodsResponse *reply)
{
    struct output_table table;

    output_table_init(&table, (const char *const[]){"METHOD", "ROLES", "BUILT", "BLOCKING",
                                                    "IDEMPOTENT", NULL});
    for (size_t i = 0; i < reply->n_methods; i++) {
        const Metercache__V1__MethodInfo *info = reply->methods[i];
        struct buf roles;

        buf_init(&roles, NAMES_SIZE);
        for (size_t j = 0; j < info->n_roles; j++)
            buf_printf(&roles, "%s%s", j > 0 ? " " : "", info->roles[j]);
        output_table_add(&table, info->name);
        output_table_add(&table, buf_text(&roles));
        output_table_add(&table, info->implemented ? "yes" : "-");
        output_table_add(&table, info->blocking ? "yes" : "-");
        output_table_add(&table, info->idempotent ? "yes" : "-");
        buf_done(&roles);
    }
    output_table_print(cli->out, &table);
    output_table_done(&table);
}

enum status call_list_methods(struct cli *cli, struct error *err)
{
    Metercache__V1__ListMethodsRequest request = METERCACHE__V1__LIST_METHODS_REQUEST__INIT;
    struct cli_call_options options = {.target = CLI_CACHE};
    struct cli_method method;
    ProtobufCMessage *reply;
    enum status st = services_find(&method, "AdminService/ListMethods", err);

    if (st == ST_OK && cli_arg(cli, 0) != NULL &&
        !services_target_parse(&options.target, cli_arg(cli, 0)))
        return cli_usage(err, "'%s' is no service: cache, quota or gateway",
                         cli_arg(cli, 0));
    if (st == ST_OK)
        st = cli_call_with(cli, &method, &options, &request.base, &reply, err);
    if (st != ST_OK)
        return st;
    if (cli->is_json)
        cli_print_json(cli, reply);
    else
        print_methods(cli, (const void *)reply);
    return ST_OK;
}

static const char *type_name(const ProtobufCFieldDescriptor *field)
{
    static const char *const NAMES[] = {
        [PROTOBUF_C_TYPE_INT32] = "int32",       [PROTOBUF_C_TYPE_SINT32] = "sint32",
        [PROTOBUF_C_TYPE_SFIXED32] = "sfixed32", [PROTOBUF_C_TYPE_INT64] = "int64",
        [PROTOBUF_C_TYPE_SINT64] = "sint64",     [PROTOBUF_C_TYPE_SFIXED64] = "sfixed64",
        [PROTOBUF_C_TYPE_UINT32] = "uint32",     [PROTOBUF_C_TYPE_FIXED32] = "fixed32",
        [PROTOBUF_C_TYPE_UINT64] = "uint64",     [PROTOBUF_C_TYPE_FIXED64] = "fixed64",
        [PROTOBUF_C_TYPE_FLOAT] = "float",       [PROTOBUF_C_TYPE_DOUBLE] = "double",
        [PROTOBUF_C_TYPE_BOOL] = "bool",         [PROTOBUF_C_TYPE_STRING] = "string",
        [PROTOBUF_C_TYPE_BYTES] = "bytes",
    };

    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return ((const ProtobufCMessageDescriptor *)field->descriptor)->short_name;
    if (field->type == PROTOBUF_C_TYPE_ENUM)
        return ((const ProtobufCEnumDescriptor *)field->descriptor)->short_name;
    return NAMES[field->type];
}

/* Types still to print: each once, in the order in which they are named. */
struct types {
    const ProtobufCMessageDescriptor *messages[SEEN_MAX];
    size_t message_count;
    const ProtobufCEnumDescriptor *enums[SEEN_MAX];
    size_t enum_count;
};

static void want_message(struct types *types, const ProtobufCMessageDescriptor *type)
{
    for (size_t i = 0; i < types->message_count; i++) {
        if (types->messages[i] == type)
            return;
    }
    if (types->message_count < SEEN_MAX)
        types->messages[types->message_count++] = type;
}

static void want_enum(struct types *types, const ProtobufCEnumDescriptor *type)
{
    for (size_t i = 0; i < types->enum_count; i++) {
        if (types->enums[i] == type)
            return;
    }
    if (types->enum_count < SEEN_MAX)
        types->enums[types->enum_count++] = type;
}

static void describe_message(FILE *out, struct types *types,
                             const ProtobufCMessageDescriptor *type)
{
    fprintf(out, "\nmessage %s {\n", type->short_name);
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];

        fprintf(out, "  %s%s %s = %u;%s\n",
                field->label == PROTOBUF_C_LABEL_REPEATED ? "repeated " : "",
                type_name(field), field->name, field->id,
                (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 ? "  // one of" : "");
        if (field->type == PROTOBUF_C_TYPE_MESSAGE)
            want_message(types, field->descriptor);
        else if (field->type == PROTOBUF_C_TYPE_ENUM)
            want_enum(types, field->descriptor);
    }
    fputs("}\n", out);
}

static void describe_method(FILE *out, const struct cli_method *method)
{
    struct types types = {0};

    fprintf(out, "rpc %s(%s) returns (%s)\n  %s at %s\n", method->descriptor->name,
            method->request->short_name, method->reply->short_name, method->full_name,
            method->service->is_everywhere ? "every service"
                                           : services_target_name(method->service->target));
    want_message(&types, method->request);
    want_message(&types, method->reply);
    for (size_t i = 0; i < types.message_count; i++)
        describe_message(out, &types, types.messages[i]);
    for (size_t i = 0; i < types.enum_count; i++) {
        fprintf(out, "\nenum %s {\n", types.enums[i]->short_name);
        for (unsigned j = 0; j < types.enums[i]->n_values; j++)
            fprintf(out, "  %s = %d;\n", types.enums[i]->values[j].name,
                    types.enums[i]->values[j].value);
        fputs("}\n", out);
    }
}

static void describe_all(FILE *out)
{
    size_t count;
    const struct cli_service *services = services_all(&count);

    for (size_t i = 0; i < count; i++) {
        const ProtobufCServiceDescriptor *service = services[i].descriptor;

        fprintf(out, "%s%s (%s) at %s\n", i > 0 ? "\n" : "", service->short_name,
                services[i].alias,
                services[i].is_everywhere ? "every service"
                                          : services_target_name(services[i].target));
        for (unsigned j = 0; j < service->n_methods; j++)
            fprintf(out, "  %s(%s) returns (%s)\n", service->methods[j].name,
                    service->methods[j].input->short_name,
                    service->methods[j].output->short_name);
    }
}

/* The FileDescriptorSet of a running service, for tools of other languages. */
static enum status save_descriptors(struct cli *cli, const char *path, struct error *err)
{
    Metercache__V1__DescribeRequest request = METERCACHE__V1__DESCRIBE_REQUEST__INIT;
    const Metercache__V1__DescribeResponse *answer;
    ProtobufCMessage *reply;
    FILE *file;
    size_t written = 0;
    enum status st = cli_call(cli, "AdminService/Describe", &request.base, &reply, err);

    if (st != ST_OK)
        return st;
    answer = (const void *)reply;
    file = fopen(path, "we");
    if (file == NULL)
        return cli_usage(err, "cannot write '%s': %s", path, strerror(errno));
    written =
        fwrite(answer->file_descriptor_set.data, 1, answer->file_descriptor_set.len, file);
    if (fclose(file) != 0 || written != answer->file_descriptor_set.len)
        return cli_usage(err, "cannot write '%s'", path);
    return ST_OK;
}

enum status call_describe(struct cli *cli, struct error *err)
{
    const char *path = cli_option(cli, "--save");
    struct cli_method method;
    enum status st;

    if (path != NULL)
        return save_descriptors(cli, path, err);
    if (cli_arg(cli, 0) == NULL) {
        describe_all(cli->out);
        return ST_OK;
    }
    st = find_method(&method, cli_arg(cli, 0), err);
    if (st == ST_OK)
        describe_method(cli->out, &method);
    return st;
}
