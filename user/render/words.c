/* SPDX-License-Identifier: GPL-2.0-only */
/* Protocols, table rows and endpoints as users see them, for text and JSON alike. */
#include <string.h>

#include "table.h"

char *proto_text(uint8_t proto, char *out)
{
	const char *name = proto_name(proto);

	if (name)
		strcpy(out, name);
	else
		number_append(out, proto);
	return out;
}

char *proto_type_text(uint8_t proto, uint16_t port, char *out)
{
	proto_text(proto, out);
	if (proto_is_any_icmp(proto))
		snprintf(out + strlen(out), 5, "/%u", port >> 8);
	return out;
}

char *row_text(const char *table, const char *row, uint32_t line, char *out)
{
	out[0] = '\0';
	if (!table || !*table || !row)
		return out;
	if (line)
		snprintf(out, ROW_TEXT, "%s/%s:%u", table, row, line);
	else
		snprintf(out, ROW_TEXT, "%s/%s", table, row);
	return out;
}

static char *name_and_pid(const char *name, uint32_t pid, char *out)
{
	out[0] = '\0';
	if (pid)
		snprintf(out, CLEAN_TEXT, "%s (%u)", name, pid);
	return out;
}

char *process_text(const struct process_view *process, char *out)
{
	return name_and_pid(process->name, process->pid, out);
}

char *parent_text(const struct process_view *process, char *out)
{
	return name_and_pid(process->parent_name, process->parent_pid, out);
}

char *endpoint_text(const uint8_t address[16], uint32_t port, bool with_port, char out[64])
{
	struct addr addr;
	bool brackets;
	char *at = out;

	memcpy(addr.b, address, sizeof(addr.b));
	brackets = with_port && !addr_is_v4(&addr);
	if (brackets)
		*at++ = '[';
	at += strlen(addr_text(&addr, at));
	if (brackets)
		*at++ = ']';
	if (with_port) {
		*at++ = ':';
		number_append(at, port);
	}
	return out;
}

void print_process(struct table *table, const struct process_view *process)
{
	char text[CLEAN_TEXT];

	table_cell(table, COLOUR_NONE, process_text(process, text));
	number_append(text, process->uid);
	table_cell(table, COLOUR_NONE, process->known ? text : NULL);
	table_cell(table, COLOUR_NONE, parent_text(process, text));
	snprintf(text, sizeof(text), "%.19sZ", time_text(process->started, text + TIME_TEXT));
	table_cell(table, COLOUR_NONE, process->started ? text : NULL);
}
