/*
 * list.h - a doubly linked list whose links live in the members (no allocation).
 *
 * An item is in at most one list per link; list_remove takes the list it is in and leaves
 * the link's pointers NULL. A list is never copied or moved once initialised. Not locked.
 */
#ifndef CORE_LIST_H
#define CORE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_link {
    struct list_link *next;
    struct list_link *previous;
};

struct list {
    struct list_link head; /* points to itself when empty */
    size_t count;
};

void list_init(struct list *list);
bool list_is_empty(const struct list *list);
void list_append(struct list *list, struct list_link *link);
void list_prepend(struct list *list, struct list_link *link);
void list_remove(struct list *list, struct list_link *link);
struct list_link *list_first(const struct list *list); /* or NULL */
struct list_link *list_next(const struct list *list, const struct list_link *link);
struct list_link *list_take_first(struct list *list); /* or NULL */

/* The struct that contains `link` as `member`. */
#define list_item(link, type, member) ((type *)((char *)(link)-offsetof(type, member)))

#endif /* CORE_LIST_H */
