#include "core/list.h"

void list_init(struct list *list)
{
    list->head.next = &list->head;
    list->head.previous = &list->head;
    list->count = 0;
}

bool list_is_empty(const struct list *list)
{
    return list->count == 0;
}

static void insert_behind(struct list *list, struct list_link *place,
                          struct list_link *link)
{
    link->previous = place;
    link->next = place->next;
    place->next->previous = link;
    place->next = link;
    list->count++;
}

void list_append(struct list *list, struct list_link *link)
{
    insert_behind(list, list->head.previous, link);
}

void list_prepend(struct list *list, struct list_link *link)
{
    insert_behind(list, &list->head, link);
}

void list_remove(struct list *list, struct list_link *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    link->next = NULL;
    link->previous = NULL;
    list->count--;
}

struct list_link *list_first(const struct list *list)
{
    return list->count == 0 ? NULL : list->head.next;
}

struct list_link *list_next(const struct list *list, const struct list_link *link)
{
    return link->next == &list->head ? NULL : link->next;
}

struct list_link *list_take_first(struct list *list)
{
    struct list_link *link = list_first(list);

    if (link != NULL)
        list_remove(list, link);
    return link;
}
