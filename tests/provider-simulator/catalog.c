#include "catalog.h"

#include <string.h>
#include <strings.h>

/* clang-format off */
const struct catalog_language catalog_languages[CATALOG_LANGUAGES] = {
    {"en", "English"},  {"es", "Spanish"},    {"pt", "Portuguese"}, {"fr", "French"},
    {"de", "German"},   {"it", "Italian"},    {"nl", "Dutch"},      {"sv", "Swedish"},
    {"pl", "Polish"},   {"tr", "Turkish"},    {"hi", "Hindi"},      {"id", "Indonesian"},
    {"ja", "Japanese"}, {"ko", "Korean"},     {"ar", "Arabic"},     {"fi", "Finnish"},
};

const struct catalog_country catalog_countries[CATALOG_COUNTRIES] = {
    {148838, "US", "United States", 0, 40}, {62149, "GB", "United Kingdom", 0, 18},
    {1428125, "CA", "Canada", 0, 7},        {80500, "AU", "Australia", 0, 6},
    {304716, "IN", "India", 10, 16},        {59470, "BR", "Brazil", 2, 14},
    {114686, "MX", "Mexico", 1, 7},         {1311341, "ES", "Spain", 1, 7},
    {286393, "AR", "Argentina", 1, 5},      {2202162, "FR", "France", 3, 8},
    {51477, "DE", "Germany", 4, 8},         {365331, "IT", "Italy", 5, 7},
    {2323309, "NL", "Netherlands", 6, 4},   {52822, "SE", "Sweden", 7, 3},
    {49715, "PL", "Poland", 8, 4},          {174737, "TR", "Turkey", 9, 6},
    {304751, "ID", "Indonesia", 11, 8},     {382313, "JP", "Japan", 12, 5},
    {307756, "KR", "South Korea", 13, 4},   {54224, "FI", "Finland", 15, 2},
};

const struct catalog_city catalog_cities[CATALOG_CITIES] = {
    {900001, 0, "New York", "New York"},     {900002, 0, "Austin", "Texas"},
    {900003, 0, "Portland", "Oregon"},       {900004, 1, "London", "England"},
    {900005, 1, "Leeds", "England"},         {900006, 1, "Glasgow", "Scotland"},
    {900007, 2, "Toronto", "Ontario"},       {900008, 2, "Montreal", "Quebec"},
    {900009, 2, "Calgary", "Alberta"},       {900010, 3, "Sydney", "New South Wales"},
    {900011, 3, "Hobart", "Tasmania"},       {900012, 3, "Perth", "Western Australia"},
    {900013, 4, "Mumbai", "Maharashtra"},    {900014, 4, "Chennai", "Tamil Nadu"},
    {900015, 4, "Jaipur", "Rajasthan"},      {900016, 5, "Recife", "Pernambuco"},
    {900017, 5, "Curitiba", "Parana"},       {900018, 5, "Santos", "Sao Paulo"},
    {900019, 6, "Puebla", "Puebla"},         {900020, 6, "Merida", "Yucatan"},
    {900021, 6, "Toluca", "Mexico State"},   {900022, 7, "Madrid", "Madrid"},
    {900023, 7, "Bilbao", "Basque Country"}, {900024, 7, "Valencia", "Valencia"},
    {900025, 8, "Rosario", "Santa Fe"},      {900026, 8, "Salta", "Salta"},
    {900027, 8, "Mendoza", "Mendoza"},       {900028, 9, "Lyon", "Rhone-Alpes"},
    {900029, 9, "Nantes", "Loire"},          {900030, 9, "Lille", "Nord"},
    {900031, 10, "Berlin", "Berlin"},        {900032, 10, "Hamburg", "Hamburg"},
    {900033, 10, "Leipzig", "Saxony"},       {900034, 11, "Turin", "Piedmont"},
    {900035, 11, "Bari", "Apulia"},          {900036, 11, "Genoa", "Liguria"},
    {900037, 12, "Utrecht", "Utrecht"},      {900038, 12, "Leiden", "South Holland"},
    {900039, 12, "Breda", "North Brabant"},  {900040, 13, "Malmo", "Scania"},
    {900041, 13, "Umea", "Vasterbotten"},    {900042, 13, "Uppsala", "Uppland"},
    {900043, 14, "Gdansk", "Pomerania"},     {900044, 14, "Lublin", "Lublin"},
    {900045, 14, "Krakow", "Lesser Poland"}, {900046, 15, "Izmir", "Aegean"},
    {900047, 15, "Bursa", "Marmara"},        {900048, 15, "Ankara", "Anatolia"},
    {900049, 16, "Bandung", "West Java"},    {900050, 16, "Medan", "North Sumatra"},
    {900051, 16, "Malang", "East Java"},     {900052, 17, "Osaka", "Kansai"},
    {900053, 17, "Sendai", "Miyagi"},        {900054, 17, "Kobe", "Hyogo"},
    {900055, 18, "Busan", "Yeongnam"},       {900056, 18, "Daegu", "Gyeongbuk"},
    {900057, 18, "Incheon", "Gyeonggi"},     {900058, 19, "Tampere", "Pirkanmaa"},
    {900059, 19, "Oulu", "Ostrobothnia"},    {900060, 19, "Turku", "Southwest Finland"},
};

const struct catalog_interest catalog_interests[CATALOG_INTERESTS] = {
    {1, "Television & Film"},     {3, "Sports"},               {7, "Shopping & Retail"},
    {9, "Coffee, Tea & Drinks"},  {11, "Camera & Photography"}, {13, "Clothes & Fashion"},
    {19, "Beer, Wine & Spirits"}, {21, "Fitness & Yoga"},      {25, "Business & Careers"},
    {33, "Food & Cooking"},       {34, "Luxury Goods"},        {36, "Music"},
    {37, "Beauty & Cosmetics"},   {43, "Travel & Tourism"},    {58, "Gaming"},
    {100, "Healthy Lifestyle"},   {129, "Home & Garden"},      {130, "Art & Design"},
    {139, "Cars & Motorbikes"},   {190, "Pets"},               {196, "Electronics"},
    {291, "Wedding"},             {405, "Toys & Children"},    {415, "Family"},
    {798, "Jewellery & Watches"}, {1500, "Books"},             {1560, "Science"},
    {1826, "Activewear"},
};

const struct catalog_topic catalog_topics[CATALOG_TOPICS] = {
    {"running", "running and road races", 1},      {"trailrunning", "trail running in the hills", 1},
    {"marathon", "marathon training diary", 1},    {"cycling", "cycling before breakfast", 1},
    {"football", "football every sunday", 1},      {"swimming", "open water swimming", 1},
    {"yoga", "yoga for stiff people", 7},          {"fitness", "fitness without fuss", 7},
    {"strength", "strength training at home", 7},  {"vegan", "vegan cooking on a budget", 9},
    {"baking", "baking bread and cakes", 9},       {"streetfood", "street food stories", 9},
    {"coffee", "coffee nerd and barista", 3},      {"tea", "tea ceremonies", 3},
    {"fashion", "fashion worn twice", 5},          {"vintage", "vintage fashion finds", 5},
    {"sneakers", "sneaker collector", 5},          {"skincare", "skincare routines tested", 12},
    {"makeup", "makeup tutorials", 12},            {"haircare", "hair care for curls", 12},
    {"travel", "slow travel by train", 13},        {"hiking", "hiking long distance paths", 13},
    {"vanlife", "van life and small kitchens", 13}, {"gaming", "gaming reviews", 14},
    {"speedrun", "speedrun attempts", 14},         {"boardgames", "board games night", 14},
    {"photography", "street photography", 4},      {"film", "film reviews", 0},
    {"music", "music made in a bedroom", 11},      {"guitar", "guitar lessons", 11},
    {"interior", "interior design small flats", 16}, {"gardening", "gardening on a balcony", 16},
    {"painting", "painting in oil", 17},           {"ceramics", "ceramics studio", 17},
    {"cars", "classic cars restored", 18},         {"dogs", "dogs and dog training", 19},
    {"cats", "cats being cats", 19},               {"gadgets", "gadgets taken apart", 20},
    {"parenting", "parenting twins", 23},          {"books", "books and reading lists", 25},
    {"science", "science explained", 26},          {"finance", "personal finance basics", 8},
};

const struct catalog_brand catalog_brands[CATALOG_BRANDS] = {
    {1708, "Example Shoes", "exampleshoes"},     {1710, "Northbeam", "northbeam"},
    {1715, "Harbor Coffee", "harborcoffee"},     {1720, "Lumen Skin", "lumenskin"},
    {1722, "Pedalworks", "pedalworks"},          {1730, "Oakline", "oakline"},
    {1741, "Cinder Audio", "cinderaudio"},       {1744, "Fernway", "fernway"},
    {1750, "Quillon", "quillon"},                {1752, "Brightpan", "brightpan"},
    {1763, "Tidal Swim", "tidalswim"},           {1766, "Marlow Denim", "marlowdenim"},
    {1770, "Sparrow Bags", "sparrowbags"},       {1777, "Kettle & Co", "kettleandco"},
    {1780, "Polar Lens", "polarlens"},           {1785, "Grainhouse", "grainhouse"},
    {1791, "Veldt Outdoors", "veldtoutdoors"},   {1793, "Mossy Paws", "mossypaws"},
    {1800, "Arcade Nine", "arcadenine"},         {1804, "Juniper Home", "juniperhome"},
    {1811, "Solstice Watch", "solsticewatch"},   {1815, "Runlight", "runlight"},
    {1820, "Bluebird Books", "bluebirdbooks"},   {1826, "Copper Pot", "copperpot"},
    {1833, "Atlas Rail", "atlasrail"},           {1837, "Petal Hair", "petalhair"},
    {1840, "Gearbox Garage", "gearboxgarage"},   {1846, "Little Otter", "littleotter"},
    {1852, "Stringline", "stringline"},          {1859, "Hearth Ceramics", "hearthceramics"},
    {1861, "Penny Wise", "pennywise"},           {1870, "Morning Mat", "morningmat"},
};

const char *const catalog_first_names[CATALOG_FIRST_NAMES] = {
    "Ada", "Bea", "Carl", "Dina", "Emil", "Fay", "Gus", "Hana", "Ivo", "Jana", "Kofi", "Lena",
    "Milo", "Nora", "Otis", "Pia", "Quin", "Rosa", "Sami", "Tess", "Ugo", "Vera", "Wade", "Xenia",
    "Yara", "Zeno", "Anton", "Bruno", "Clara", "Dario", "Elsa", "Felix", "Greta", "Hugo", "Iris", "Jonas",
    "Kira", "Luca", "Maya", "Nils", "Olga", "Pablo", "Runa", "Silas", "Thea", "Uma", "Viktor", "Wilma",
};

const char *const catalog_last_names[CATALOG_LAST_NAMES] = {
    "Trails", "Archer", "Baker", "Castle", "Dale", "Ember", "Field", "Grove", "Hill", "Ibsen", "Joyce", "Keller",
    "Lake", "Marsh", "North", "Oaks", "Park", "Quill", "Reed", "Stone", "Thorn", "Usher", "Vale", "Wood",
    "York", "Ziegler", "Abbot", "Birch", "Cole", "Drake", "Evers", "Frost", "Glen", "Hart", "Ivers", "Jansen",
    "Knight", "Lund", "Moss", "Nash", "Orme", "Price", "Rowe", "Snow", "Tate", "Unwin", "Vance", "West",
};

const char *const catalog_ages[CATALOG_AGES] = {
    "13-17", "18-24", "25-34", "35-44", "45-64", "65-",
};
/* clang-format on */

int catalog_find_brand(uint32_t id)
{
    for (int row = 0; row < CATALOG_BRANDS; row++) {
        if (catalog_brands[row].id == id) {
            return row;
        }
    }
    return -1;
}

int catalog_find_language(const char *code)
{
    for (int row = 0; row < CATALOG_LANGUAGES; row++) {
        if (strcasecmp(catalog_languages[row].code, code) == 0) {
            return row;
        }
    }
    return -1;
}

int catalog_find_age(const char *id)
{
    for (int row = 0; row < CATALOG_AGES; row++) {
        if (strcmp(catalog_ages[row], id) == 0) {
            return row;
        }
    }
    return -1;
}

int catalog_find_topic(const char *tag)
{
    for (int row = 0; row < CATALOG_TOPICS; row++) {
        if (strcasecmp(catalog_topics[row].tag, tag) == 0) {
            return row;
        }
    }
    return -1;
}
