/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The services of a column, read back from the image's service directory; and lists of words that
 * are cut at a readable length.
 */
#include <string.h>

#include "../../bpf/image.h"
#include "dump.h"

enum { PORTS = 65536 };

void phrase_add(struct arena *arena, struct phrase *words, const char *text)
{
	size_t length = strlen(text), need = words->size + length + 3;

	if (words->count++ >= DUMP_LIST_MAX)
		return;
	if (need > words->capacity) {
		char *old = words->text;

		words->capacity = need * 2;
		words->text = arena_alloc(arena, words->capacity);
		if (words->size)
			memcpy(words->text, old, words->size);
	}
	words->size += sprintf(words->text + words->size, "%s%s", words->size ? ", " : "", text);
}

const char *phrase_end(struct arena *arena, const struct phrase *words)
{
	if (!words->count)
		return NULL;
	if (words->count <= DUMP_LIST_MAX)
		return words->text;
	return arena_printf(arena, "%s and %u more", words->text, words->count - DUMP_LIST_MAX);
}

static const struct fr_service *service_at(const struct image *image, uint8_t dir, uint8_t proto)
{
	struct fr_image_view view = image_view(image);
	const struct fr_service *line =
		image_line(&view, image_head(image)->dir[dir].services + proto / 8);

	return line + proto % 8;
}

/* The class that has more than half of the ports is "all other tcp". */
static void table_words(struct arena *arena, const uint16_t *table, uint8_t proto,
			struct phrase *words)
{
	uint32_t ports[PORTS] = {0};
	const char *name = proto_name(proto);
	char text[SERVICE_TEXT];

	for (uint32_t port = 0; port < PORTS; port++)
		ports[table[port]]++;
	for (uint32_t port = 0, end; port < PORTS; port = end) {
		struct service service = {.proto = proto, .first = port};

		for (end = port + 1; end < PORTS && table[end] == table[port]; end++)
			;
		service.last = end - 1;
		if (ports[table[port]] <= PORTS / 2)
			phrase_add(arena, &words[table[port]], service_text(&service, text));
		else if (!words[table[port]].count)
			phrase_add(arena, &words[table[port]],
				   name ? arena_printf(arena, "all other %s", name)
					: arena_printf(arena, "all other %u", proto));
	}
}

const char **columns_text(const struct image *image, uint8_t dir, struct arena *arena)
{
	uint32_t columns = image_head(image)->dir[dir].columns;
	const char **texts = arena_alloc(arena, columns * sizeof(*texts));
	struct phrase *words = arena_alloc(arena, columns * sizeof(*words));
	struct fr_image_view view = image_view(image);
	char text[SERVICE_TEXT];

	for (int proto = 0; proto < 256; proto++) {
		const struct fr_service *service = service_at(image, dir, proto);
		struct service whole = {.proto = proto, .last = PORTS - 1};

		if (service->table)
			table_words(arena, image_line(&view, service->table), proto,
				    words + service->column);
		else if (service->column)
			phrase_add(arena, &words[service->column], service_text(&whole, text));
	}
	phrase_add(arena, &words[0], "all other protocols");
	for (uint32_t i = 0; i < columns; i++)
		texts[i] = phrase_end(arena, &words[i]);
	return texts;
}
