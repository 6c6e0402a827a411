/* SPDX-License-Identifier: GPL-2.0-only */
/* Files in the bpffs. */
#ifndef OBJECTS_PINS_H
#define OBJECTS_PINS_H

#include "../base/base.h"
#include "../host/host.h"

enum { PIN_PATH = 288 };
typedef char pin_path[PIN_PATH];

/* The pin is missing or not ours, permanently; any other error may be temporary. */
bool pins_damaged(int err);
/* This process lacks descriptors or memory, or the system failed: the result is unknown. */
bool err_lacks_means(int err);
/* Reports an error that prevents reading the pins at or below `path`; returns one. */
int pins_unreadable(const char *path, int err, struct diags *d);
/* "<dir>/<name>", or "" where that is too long. */
void pin_path_join(const char *dir, const char *name, pin_path out);
/* <dir>/<name> and <dir>/<name>-<number>; fd or -errno. */
int pin_open(const char *dir, const char *name);
int pin_open_number(const char *dir, const char *name, uint32_t number);
/* The same, and it must be a map of these sizes: reading larger values would overrun our memory. */
int pin_open_map(const char *dir, const char *name, uint32_t key_size, uint32_t value_size);
int pin_store(int fd, const char *dir, const char *name);
int pin_store_number(int fd, const char *dir, const char *name, uint32_t number);
/* In place of the one that is there, if any: whoever opens it has the one or the other. */
int pin_replace_number(int fd, const char *dir, const char *name, uint32_t number);
/* Calls `visit` for each entry of a directory, in no order; a non-zero return ends it. */
int pin_each(const char *dir, int (*visit)(const char *dir, const char *name, void *),
	     void *context);
int pin_remove(const char *dir, const char *name); /* 0 when it does not exist */
int pin_remove_tree(const char *dir);		   /* an epoch with all of its pins */
/* Names of an epoch's pins. Other entries are not ours. */
bool name_is_pin(const char *name);
bool pin_number(const char *name, const char *prefix, uint32_t *out); /* "image-12" */
const char *pin_root(const struct host_options *o);

#endif
