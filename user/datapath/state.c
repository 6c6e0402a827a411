/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command that applied a policy, in the record of state: the path of the file, and the options
 * that a hint must repeat. They mean the same to a later command.
 */
#include "state.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

static int too_long(struct diags *d, const char *what, size_t room)
{
	return diag_error(d, NO_LOC, -E2BIG, "command-long", NULL,
			  "%s is too long to be kept with the policy: at most %zu bytes", what,
			  room - 1);
}

size_t words_lasting(const struct apply_request *request, struct arena *arena,
		     const char *const **out)
{
	const char **words = arena_alloc(arena, (request->word_count + 1) * sizeof(*words));
	size_t count = 0;

	for (size_t i = 0; i < request->word_count; i++)
		if (str_equal(request->words[i], "--confirm") ||
		    str_equal(request->words[i], "--until"))
			i++;
		else
			words[count++] = request->words[i];
	*out = words;
	return count;
}

int words_store(const struct apply_request *request, struct diags *d, struct fr_state *out)
{
	const char *source = request->source ? request->source : "";
	const char *const *words;
	size_t at = 0, count = words_lasting(request, d->arena, &words);

	if (strlen(source) >= sizeof(out->source))
		return too_long(d, "the path of the policy's file", sizeof(out->source));
	memset(out->source, 0, sizeof(out->source));
	memset(out->words, 0, sizeof(out->words));
	memcpy(out->source, source, strlen(source));
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(words[i]) + 1;

		/* the last byte ends the last word of all */
		if (length >= sizeof(out->words) - at)
			return too_long(d, "the options of this command", sizeof(out->words));
		memcpy(out->words + at, words[i], length);
		at += length;
	}
	return 0;
}

size_t words_load(const struct fr_state *state, struct arena *arena, const char ***out)
{
	const char *end;
	size_t count = 0, capacity = 0;
	char *all = arena_alloc(arena, sizeof(state->words) + 1);

	*out = NULL;
	memcpy(all, state->words, sizeof(state->words));
	end = all + sizeof(state->words);
	for (const char *word = all; word < end && *word; word += strlen(word) + 1) {
		*out = arena_grow(arena, *out, count, &capacity, sizeof(**out));
		(*out)[count++] = word;
	}
	return count;
}

struct host_options words_host(const struct fr_state *state, const struct host_options *o,
			       struct arena *arena)
{
	struct host_options host = *o;
	const char **words;
	size_t count = words_load(state, arena, &words);

	for (size_t i = 1; i < count && !o->cgroup; i++)
		if (str_equal(words[i - 1], "--cgroup"))
			host.cgroup = words[i];
	return host;
}

int instance_state(const struct instance *instance, struct fr_state *out)
{
	uint32_t zero = 0;

	return bpf_map_lookup_elem(instance->state, &zero, out) ? -errno : 0;
}
