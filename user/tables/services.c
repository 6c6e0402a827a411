/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ports as a policy or a table writes them.
 */
#include <errno.h>
#include <string.h>

#include "table.h"

static void refuse_service(struct job *job, const struct node *node, const char *text,
			   enum service_error error)
{
	const char *check = error == SERVICE_BAD_PROTO ? "bad-protocol" : "bad-port";
	struct advice advice = {NULL, NULL, NULL};

	if (!diags_full(job->d))
		advice = service_advice(job->arena, text);
	diag_error(job->d, node->loc, -EINVAL, check, advice.hint, "'%.80s' is not a port: %s",
		   text, advice.message ?: "?");
}

bool service_add(struct job *job, const struct node *node, const char *text, struct services *out)
{
	struct service found[2];
	enum service_error error;
	size_t count;

	error = service_parse(text, found, &count);
	if (error) {
		refuse_service(job, node, text, error);
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		out->list = arena_grow(job->arena, out->list, out->count, &out->capacity,
				       sizeof(*out->list));
		out->list[out->count++] = found[i];
	}
	return true;
}

bool services_parse(struct job *job, const struct node *node, const char *what,
		    struct services *out)
{
	const struct node *item;
	bool good = true;
	size_t items = 0;

	if (!want_items(job->d, node, what))
		return false;
	for_items(item, node) items++;
	if (!out->capacity && items) {
		out->list = arena_alloc(job->arena, items * sizeof(*out->list));
		out->capacity = items;
	}
	for_items(item, node)
	{
		const char *text = want_text(job->d, item, "a port");

		good &= text && service_add(job, item, text, out);
	}
	if (good && out->count == 0) {
		diag_error(job->d, node->loc, -EINVAL, "missing-ports",
			   "write the ports, like [443/tcp, 53/udp]", "%s is empty", what);
		return false;
	}
	return good;
}

/* ---------------------------------------------------------------- answers */

bool answers_parse(struct job *job, const struct node *node, uint8_t *out)
{
	int word = want_word(job->d, node, "'answers'", answers_names + FR_ANSWERS_PEER,
			     FR_ANSWERS_COUNT - FR_ANSWERS_PEER);

	if (word < 0)
		return false;
	*out = (uint8_t)(FR_ANSWERS_PEER + word);
	return true;
}

bool services_have_udp(const struct service *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].any_proto || list[i].proto == PROTO_UDP)
			return true;
	return false;
}

void answers_refuse(struct job *job, const struct node *node, const char *what, const char *name)
{
	diag_error(job->d, node->key->loc, -EINVAL, "unused-answers",
		   "leave it out, or add the port of UDP, like 69/udp",
		   "'answers' is for questions over UDP, and %s '%s' has no port of UDP", what,
		   name);
}
