#include <inttypes.h>

#include "catalog.h"
#include "report_body.h"
#include "spell.h"

enum { PEOPLE_LISTED = 40, BRANDS_LISTED = CATALOG_BRANDS };

static void print_weight(uint32_t per_mille, struct text *out)
{
    text_append(out, ",\"weight\":");
    text_append_ppm(out, (long)per_mille * 1000);
    text_append(out, "}");
}

static void print_ages(const struct creator *creator, struct text *out)
{
    text_append(out, ",\"ages\":[");
    for (int i = 0; i < CATALOG_AGES; i++) {
        text_comma(out);
        text_printf(out, "{\"code\":\"%s\"", catalog_ages[i]);
        print_weight(creator->audience_age_pm[i], out);
    }
    text_append(out, "],\"gendersPerAge\":[");
    for (int i = 0; i < CATALOG_AGES; i++) {
        uint32_t female =
            (uint32_t)creator->audience_age_pm[i] * creator->audience_female_pm / 1000;

        text_comma(out);
        text_printf(out, "{\"code\":\"%s\",\"male\":", catalog_ages[i]);
        text_append_ppm(out, (long)(creator->audience_age_pm[i] - female) * 1000);
        text_append(out, ",\"female\":");
        text_append_ppm(out, (long)female * 1000);
        text_append(out, "}");
    }
    text_append(out, "]");
}

static void print_places(const struct creator *creator, struct text *out)
{
    text_append(out, ",\"geoCountries\":[");
    for (int i = 0; i < 3; i++) {
        const struct catalog_country *row =
            &catalog_countries[creator->audience_country[i]];

        text_comma(out);
        text_printf(out, "{\"name\":\"%s\",\"code\":\"%s\"", row->name, row->code);
        print_weight(creator->audience_country_pm[i], out);
    }
    text_append(out, "],\"geoStates\":[");
    for (int i = 0; i < 9; i++) {
        text_comma(out);
        text_printf(out, "{\"name\":\"%s\"",
                    catalog_cities[creator->audience_country[i / 3] * 3 + i % 3].state);
        print_weight(creator->audience_country_pm[i / 3] / 4U, out);
    }
    text_append(out, "],\"geoCities\":[");
    for (int i = 0; i < 9; i++) {
        text_comma(out);
        text_printf(out, "{\"name\":\"%s\"",
                    catalog_cities[creator->audience_country[i / 3] * 3 + i % 3].name);
        print_weight(creator->audience_country_pm[i / 3] / 8U, out);
    }
    text_append(out, "],\"languages\":[");
    for (int i = 0; i < 2; i++) {
        const struct catalog_language *row =
            &catalog_languages[creator->audience_language[i]];

        text_comma(out);
        text_printf(out, "{\"code\":\"%s\",\"name\":\"%s\"", row->code, row->name);
        print_weight(creator->audience_language_pm[i], out);
    }
    text_append(out, "]");
}

static void print_tastes(const struct creator *creator, struct dice *dice, struct text *out)
{
    text_append(out, ",\"interests\":[");
    for (int i = 0; i < 3; i++) {
        text_comma(out);
        text_append(out, "{\"name\":");
        text_append_json(out, catalog_interests[creator->audience_interest[i]].name);
        print_weight(creator->audience_interest_pm[i], out);
    }
    text_append(out, "],\"brandAffinity\":[");
    for (int i = 0; i < BRANDS_LISTED; i++) {
        text_comma(out);
        text_printf(out, "{\"name\":\"%s\"", catalog_brands[i].name);
        print_weight(dice_below(dice, 250), out);
    }
    text_append(out, "]");
}

static void print_kinds(const struct creator *creator, struct dice *dice, struct text *out)
{
    static const char *const reach[] = {"-500", "500-1000", "1000-1500", "1500-"};
    uint32_t fake = 1000U - creator->credibility_pm;

    text_append(out, ",\"ethnicities\":[{\"code\":\"white\",\"name\":\"White / Caucasian\","
                     "\"weight\":0.61},{\"code\":\"hispanic\",\"name\":\"Hispanic\","
                     "\"weight\":0.22}],\"audienceTypes\":[{\"code\":\"real\"");
    print_weight(creator->credibility_pm * 9U / 10U, out);
    text_append(out, ",{\"code\":\"influencers\"");
    print_weight(creator->credibility_pm / 10U, out);
    text_append(out, ",{\"code\":\"mass_followers\"");
    print_weight(fake / 2, out);
    text_append(out, ",{\"code\":\"suspicious\"");
    print_weight(fake - fake / 2, out);
    text_append(out, "],\"audienceReachability\":[");
    for (int i = 0; i < 4; i++) {
        text_comma(out);
        text_printf(out, "{\"code\":\"%s\"", reach[i]);
        print_weight(dice_between(dice, 100, 400), out);
    }
    text_append(out, "]");
}

/* People of the same platform, drawn from the population. */
static void print_people(const struct population *population, const struct creator *creator,
                         struct dice *dice, const char *name, struct text *out)
{
    text_printf(out, ",\"%s\":[", name);
    for (int i = 0; i < PEOPLE_LISTED; i++) {
        uint32_t index = dice_below(dice, population_size(population));

        text_comma(out);
        text_append(out, "{");
        spell_profile(population_at(population, (enum platform)creator->platform, index),
                      out);
        text_append(out, "}");
    }
    text_append(out, "]");
}

void report_audience_print(const struct population *population,
                           const struct creator *creator, struct dice *dice,
                           const char *name, struct text *out)
{
    text_comma(out);
    text_printf(out, "\"%s\":{\"notable\":0.%02u,\"credibility\":", name,
                dice_between(dice, 1, 15));
    text_append_ppm(out, creator->credibility_pm * 1000L);
    text_append(out, ",\"genders\":[{\"code\":\"FEMALE\"");
    print_weight(creator->audience_female_pm, out);
    text_append(out, ",{\"code\":\"MALE\"");
    print_weight(1000U - creator->audience_female_pm, out);
    text_append(out, "]");
    print_ages(creator, out);
    print_places(creator, out);
    print_tastes(creator, dice, out);
    print_kinds(creator, dice, out);
    print_people(population, creator, dice, "notableUsers", out);
    print_people(population, creator, dice, "audienceLookalikes", out);
    text_append(out, "}");
}
