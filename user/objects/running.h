/* SPDX-License-Identifier: GPL-2.0-only */
/* The generation in force of a policy, and the policies below a pin root. */
#ifndef OBJECTS_RUNNING_H
#define OBJECTS_RUNNING_H

#include "pins.h"
#include "records.h"

/* A slot of an epoch's outer map. 0: it is empty, or its image is not pinned. */
struct slot_view {
	uint32_t generation;
	bool lost;  /* it has an image, and that is not pinned: what is in force is not known */
	bool audit; /* of the copy of that generation that enforces nothing: pin "audit-" */
};
/* Current is in force until its deadline, then before. */
struct epoch_view {
	struct slot_view current, before;
	uint64_t deadline; /* ns of the boot clock; 0: none */
	uint64_t now;	   /* on that clock, of this view; 0 without a deadline */
	bool lapsed;	   /* the deadline is past */
	bool ended;	   /* that, or its change has ended; of running_find() */
};

/* The generation in force of one policy. */
struct running {
	char root[256]; /* the pin root */
	char dir[256];	/* of the policy */
	pin_path pins;	/* of the epoch */
	uint32_t epoch; /* 0: none in force */
	uint32_t generation;
	bool audit;		/* by the copy of that generation that enforces nothing */
	struct epoch_view view; /* of the epoch */
	pin_path undone; /* an epoch whose first generation has lapsed, with none before; or "" */
	uint32_t epoch_last; /* highest that has a directory */
	uint32_t last;	     /* highest generation in a slot of any epoch */
	uint32_t layout; /* FR_ABI_VERSION of the version that applied it; 0: not determined yet */
};
/* Here and below: 0 and a value, or -errno when it cannot be read; an error never means absence. */
int epoch_look(const char *dir, struct epoch_view *out);
/* The generation that the programs of one epoch judge by, 0 when there is none. */
int epoch_generation(const char *dir, uint32_t *out);
/* Its image; fd or -errno, -ENOENT when there is none. */
int epoch_image(const char *dir);
int epoch_current(const char *dir); /* that of FR_SLOT_CURRENT, in force or not any more */
int running_image(const struct running *running);
/* Stores it in FR_SLOT_BEFORE of `images`, before it is replaced. */
int image_keep(const char *dir, int images);
/* -ENOENT: the policy has no directory. */
int running_find(const char *root, const char *policy, struct running *out);
/* The records of requests; those of a layout without them are made of its hooks. As records_open().
 */
int requests_open(const char *dir, uint32_t generation, struct records *out);
/* A directory below the pin root is a policy of ours: it holds links or epochs, or is empty. */
int policy_is_ours(const char *dir, bool *out);
/* Names of the policies below the pin root; only those with a generation in force unless `all`.
 */
int policy_names(const char *root, bool all, struct arena *arena, const char ***names,
		 size_t *count);

#endif
