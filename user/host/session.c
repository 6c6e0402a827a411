/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The SSH session of the command. sshd puts its connection into the environment. Under sudo, which
 * clears it, the ancestor processes still have it; then, and whenever this host is looked at, the
 * connection must exist in this network namespace. The variables are parsed strictly: a malformed
 * one is ignored.
 */
#include "session.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANCESTORS_MAX = 64, ENVIRON_MAX = 1 << 20 };

/* ---------------------------------------------------------------- the variables */

/* "fe80::1%eth0" is fe80::1. */
static bool parse_address(const char *word, struct addr *out)
{
	char text[ADDR_TEXT];
	size_t length = strcspn(word, "%");

	if (length >= sizeof(text) || (word[length] && !word[length + 1]))
		return false;
	memcpy(text, word, length);
	text[length] = 0;
	return addr_parse(text, out) == NET_OK;
}

static bool parse_port(const char *word, uint16_t *out)
{
	uint64_t number;

	if (parse_u64(word, UINT16_MAX, &number) || !number)
		return false;
	*out = (uint16_t)number;
	return true;
}

/* At most `most` words, each after one blank; the number of them, 0 for any other text. */
static size_t split(char *text, char *words[], size_t most)
{
	size_t count = 0;

	for (char *word = text, *blank; word; word = blank) {
		blank = strchr(word, ' ');
		if (blank)
			*blank++ = 0;
		if (!*word || count == most)
			return 0;
		words[count++] = word;
	}
	return count;
}

/* "PEER PORT LOCAL PORT" of SSH_CONNECTION. */
static bool parse_connection(struct arena *arena, const char *text, struct connection *out)
{
	char *words[4];

	return text && split(arena_strdup(arena, text), words, 4) == 4 &&
	       parse_address(words[0], &out->peer) && parse_port(words[1], &out->peer_port) &&
	       parse_address(words[2], &out->local) && parse_port(words[3], &out->local_port);
}

/* "PEER PORT PORT" of SSH_CLIENT, which does not say the local address. */
static bool parse_client(struct arena *arena, const char *text, struct connection *out)
{
	char *words[3];

	return text && split(arena_strdup(arena, text), words, 3) == 3 &&
	       parse_address(words[0], &out->peer) && parse_port(words[1], &out->peer_port) &&
	       parse_port(words[2], &out->local_port);
}

/* ---------------------------------------------------------------- ancestor processes */

static pid_t parent_of(pid_t pid)
{
	CLEANUP(close_file) FILE *file = NULL;
	char path[32], line[512];
	const char *end;
	int parent;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	/* the name, in parentheses, may have any characters */
	if (!file || !fgets(line, sizeof(line), file) || !(end = strrchr(line, ')')))
		return 0;
	return sscanf(end + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

/* A variable of another process, where this one may read it; or NULL. */
static const char *variable_of(struct arena *arena, pid_t pid, const char *name)
{
	CLEANUP(close_file) FILE *file = NULL;
	char path[32], *text;
	size_t size, length = strlen(name);

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return NULL;
	text = arena_alloc(arena, ENVIRON_MAX + 1);
	size = fread(text, 1, ENVIRON_MAX, file);
	for (const char *at = text; at < text + size; at += strlen(at) + 1)
		if (!strncmp(at, name, length) && at[length] == '=')
			return at + length + 1;
	return NULL;
}

/* ---------------------------------------------------------------- on this host */

/* A connection whose state is unknown counts as existing. */
static bool exists(struct ssh_session *session)
{
	return host_connection(&session->connection, &session->cgroup) != 0;
}

static bool above_has(struct arena *arena, struct ssh_session *out)
{
	pid_t pid = getppid();

	for (int i = 0; i < ANCESTORS_MAX && pid > 1; i++, pid = parent_of(pid))
		if (parse_connection(arena, variable_of(arena, pid, "SSH_CONNECTION"),
				     &out->connection) &&
		    exists(out))
			return true;
	return false;
}

bool host_session(struct arena *arena, bool online, struct ssh_session *out)
{
	out->located = parse_connection(arena, getenv("SSH_CONNECTION"), &out->connection);
	if (out->located && (!online || exists(out)))
		return true;
	if (online && above_has(arena, out))
		return out->located = true;
	if (out->located)
		return false;
	return parse_client(arena, getenv("SSH_CLIENT"), &out->connection);
}
