/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The failsafe rules, in a list of their own that is asked first: they hold even if the tables of
 * an image are damaged.
 */
#ifndef FR_FAILSAFE_H
#define FR_FAILSAFE_H

#include "ctx.h"
#include "image.h"

/* Do the ports from `least` to `most` meet those of the entry? Without branches: see
 * image_reached(). */
static __always_inline __u32 failsafe_meets(const struct fr_failsafe_entry *entry, __u32 least,
					    __u32 most)
{
	return image_reached(most, entry->first) & image_reached(entry->last, least);
}

/* The rule that admits an opening, or 0. Without a frame of its own: of fr_policy. */
static __always_inline __u32 failsafe_rule(__u32 generation, __u32 what, __u64 high, __u64 low)
{
	__u32 at = generation % FR_FAILSAFE_LISTS;
	__u32 any = -(what >> FR_ASK_PORTLESS_BIT & 1) & 0xffff;
	__u32 least = what & 0xffff & ~any, most = least | any;
	const struct fr_failsafe *list = bpf_map_lookup_elem(&fr_failsafe, &at);

	if (!list || list->generation != generation)
		return 0;
	for (__u32 i = 0; i < FR_FAILSAFE_ENTRIES && i < list->count; i++) {
		const struct fr_failsafe_entry *entry = &list->entry[i];

		if ((high ^ entry->high) & entry->mask_high ||
		    ((low ^ entry->low) & entry->mask_low) |
			    ((what ^ entry->ask) & entry->mask_ask))
			continue;
		if (failsafe_meets(entry, least, most))
			return entry->rule;
	}
	return 0;
}

#endif /* FR_FAILSAFE_H */
