#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "services.h"

static void find(const char *name, const char *full_name, enum cli_target target)
{
    struct cli_method method;
    struct error err;

    if (services_find(&method, name, &err) != ST_OK) {
        fail_msg("%s", err.message);
    }
    assert_string_equal(method.full_name, full_name);
    assert_int_equal(method.service->target, target);
}

static void test_services_find_takes_every_form_of_a_name(void **state)
{
    (void)state;
    const char *search = "/metercache.v1.CreatorService/Search";

    find("/metercache.v1.CreatorService/Search", search, CLI_CACHE);
    find("metercache.v1.CreatorService/Search", search, CLI_CACHE);
    find("metercache.v1.CreatorService.Search", search, CLI_CACHE);
    find("CreatorService/Search", search, CLI_CACHE);
    find("creators.Search", search, CLI_CACHE);
    find("creator/search", search, CLI_CACHE);
    find("Search", search, CLI_CACHE);
    find("quota.GetUsage", "/metercache.v1.QuotaService/GetUsage", CLI_QUOTA);
    find("gateway.FetchReport", "/metercache.v1.GatewayService/FetchReport", CLI_GATEWAY);
    find("calls.ListCalls", "/metercache.v1.CallLogService/ListCalls", CLI_CACHE);
}

static void test_services_find_unknown_names_are_not_found(void **state)
{
    (void)state;
    struct cli_method method;
    struct error err;
    const char *const names[] = {"",
                                 "/",
                                 "Nope",
                                 "creators.Nope",
                                 "nope.Search",
                                 "metercache.v2.CreatorService/Search",
                                 "CreatorService/"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_int_equal(services_find(&method, names[i], &err), ST_NOT_FOUND);
    }
}

/* Whatever else has a short name must be told apart by the whole one. */
static void test_services_every_method_is_found_by_its_full_name(void **state)
{
    (void)state;
    size_t count;
    const struct cli_service *services = services_all(&count);

    for (size_t i = 0; i < count; i++) {
        for (unsigned j = 0; j < services[i].descriptor->n_methods; j++) {
            char name[SERVICES_METHOD_SIZE];

            snprintf(name, sizeof(name), "/%s/%s", services[i].descriptor->name,
                     services[i].descriptor->methods[j].name);
            find(name, name, services[i].target);
        }
    }
}

/* A call that spends or changes is never repeated on doubt without a key. */
static void test_services_only_reads_are_idempotent(void **state)
{
    (void)state;
    struct cli_method method;
    struct error err;
    static const char *const YES[] = {"creators.GetCreator", "creators.ListSearches",
                                      "quota.GetUsage", "health.Check", "admin.Ping"};
    static const char *const NO[] = {
        "creators.Search",        "creators.SelectCreator",  "gateway.SearchCreators",
        "creators.EnrichCreator", "quota.Reserve",           "quota.Settle",
        "gateway.FetchReport",    "profiles.RefreshProfile", "admin.Drain"};

    for (size_t i = 0; i < COUNT_OF(YES); i++) {
        assert_int_equal(services_find(&method, YES[i], &err), ST_OK);
        assert_true(method.is_idempotent);
    }
    for (size_t i = 0; i < COUNT_OF(NO); i++) {
        assert_int_equal(services_find(&method, NO[i], &err), ST_OK);
        assert_false(method.is_idempotent);
    }
}

static void test_services_target_parse_takes_both_names(void **state)
{
    (void)state;
    enum cli_target target = CLI_CACHE;

    assert_true(services_target_parse(&target, "quota"));
    assert_int_equal(target, CLI_QUOTA);
    assert_true(services_target_parse(&target, "provider-gateway"));
    assert_int_equal(target, CLI_GATEWAY);
    assert_false(services_target_parse(&target, "ledger"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_services_find_takes_every_form_of_a_name),
        cmocka_unit_test(test_services_find_unknown_names_are_not_found),
        cmocka_unit_test(test_services_every_method_is_found_by_its_full_name),
        cmocka_unit_test(test_services_only_reads_are_idempotent),
        cmocka_unit_test(test_services_target_parse_takes_both_names),
    };

    return cmocka_run_group_tests_name("services", tests, NULL, NULL);
}
