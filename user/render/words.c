/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words of the contract as users see them: verdicts, reasons, directions, actions, table rows
 * and endpoints. One place, for text and JSON alike.
 */
#include <string.h>

#include "print.h"

const char *verdict_text(uint8_t verdict)
{
	static const char *const words[] = {
		[FR_PASS] = "pass", [FR_DROP] = "drop", [FR_WOULD_DROP] = "would-drop"};

	return verdict < ARRAY_SIZE(words) ? words[verdict] : "unknown";
}

const char *reason_text(uint8_t reason)
{
	static const char *const words[] = {
#define X(name, text) [FR_REASON_##name] = text,
		FR_REASONS(X)
#undef X
	};

	return reason < ARRAY_SIZE(words) ? words[reason] : "unknown";
}

const char *dir_text(uint8_t dir)
{
	return dir == FR_EGRESS ? "egress" : dir == FR_INGRESS ? "ingress" : "both";
}

const char *action_text(uint8_t action)
{
	static const char *const words[] = {
		[FR_DENY] = "deny", [FR_ALLOW] = "allow", [FR_FAILSAFE_ALLOW] = "failsafe"};

	return action < ARRAY_SIZE(words) ? words[action] : "unknown";
}

char *proto_text(uint8_t proto, char *out)
{
	const char *name = proto_name(proto);

	if (name)
		strcpy(out, name);
	else
		number_put(out, proto);
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
		number_put(at, port);
	}
	return out;
}
