/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a policy would do with the connections of this host: flows of the policy of its name in
 * force, and sockets, each judged by its opening as the programs do. A connection that has both is
 * told once for each kind of attach point; its flow says who opened it, else the listener of its
 * port. Flows of guests have no sockets here.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum { NEAREST_MOST = 256, OPENER_UNKNOWN = FR_DIRS };

/* A socket with what its flows say. */
struct known_socket {
	const struct local_socket *socket;
	uint8_t opener[FR_KINDS]; /* enum fr_dir, or OPENER_UNKNOWN */
	uint8_t reason[FR_KINDS]; /* of the flow's opening */
};

struct collection {
	const struct preview_request *request;
	struct preview_view *view;
	struct preview_set lines;
	struct judging judging;
	struct local_sockets sockets;
	struct known_socket *known; /* in order of their ends */
};

/* ---------------------------------------------------------------- one connection */

/* What the programs let pass without asking the rules. */
static bool is_exempt(const struct collection *p, struct preview_line *line, bool local,
		      uint16_t local_port, uint16_t peer_port)
{
	uint32_t flags = p->request->rs->flags;

	if (line->kind == FR_KIND_CGROUP && local && flags & FR_F_LOOPBACK) {
		line->rule = FR_RULE_LOOPBACK;
		line->reason = FR_REASON_LOOPBACK;
		return true;
	}
	if (flags & FR_F_DHCP && line->tuple.proto == PROTO_UDP &&
	    ((local_port == 68 && peer_port == 67) || (local_port == 546 && peer_port == 547))) {
		line->rule = FR_RULE_DHCP;
		line->reason = FR_REASON_DHCP;
		return true;
	}
	return false;
}

static uint8_t outcome_of(uint8_t verdict)
{
	if (verdict == FR_PASS)
		return PREVIEW_STAYS;
	return verdict == FR_DROP ? PREVIEW_CUT : PREVIEW_REPORTED;
}

static void judge(const struct collection *p, struct preview_line *line)
{
	struct decision decision;

	image_decide(p->request->image, &line->tuple, &decision);
	line->outcome = outcome_of(decision.verdict);
	line->rule = decision.staged && line->outcome == PREVIEW_REPORTED ? decision.staged_rule
									  : decision.rule;
	line->reason = decision.reason;
}

/* A datagram's answer from elsewhere is judged by its question, and what is forwarded is not
 * judged: the rules about openings do not apply. */
static void judge_flow(const struct collection *p, struct preview_line *line, uint8_t reason)
{
	judge(p, line);
	if (line->outcome == PREVIEW_STAYS)
		return;
	if (reason == FR_REASON_FORWARDED && !(p->request->rs->flags & FR_F_FORWARD_JUDGE)) {
		line->rule = FR_RULE_OTHER;
		line->reason = FR_REASON_FORWARDED;
		line->outcome = PREVIEW_STAYS;
	} else if (reason == FR_REASON_REPLY && line->tuple.proto == PROTO_UDP &&
		   image_head(p->request->image)->flags & FR_F_ANSWERS) {
		line->reason = FR_REASON_REPLY;
		line->outcome = PREVIEW_STAYS;
	}
}

static void tell(struct collection *p, const struct preview_line *line)
{
	p->view->totals[line->kind][line->outcome]++;
	preview_add(&p->lines, line);
}

/* ---------------------------------------------------------------- sockets */

static int compare_ends(const struct local_socket *a, const struct local_socket *b)
{
	int order = memcmp(&a->address, &b->address, sizeof(a->address));

	if (!order)
		order = memcmp(&a->peer, &b->peer, sizeof(a->peer));
	if (!order)
		order = (a->port > b->port) - (a->port < b->port);
	if (!order)
		order = (a->peer_port > b->peer_port) - (a->peer_port < b->peer_port);
	return order ? order : (a->proto > b->proto) - (a->proto < b->proto);
}

static int by_ends(const void *a, const void *b)
{
	const struct known_socket *x = a, *y = b;

	return compare_ends(x->socket, y->socket);
}

static int read_sockets(struct collection *p)
{
	int err = judged_sockets(&p->judging, SOCKETS_CONNECTED, &p->sockets);

	if (err || !p->sockets.count)
		return err;
	if (p->request->details)
		host_socket_processes(&p->sockets);
	p->known = arena_alloc(p->sockets.arena, p->sockets.count * sizeof(*p->known));
	for (size_t i = 0; i < p->sockets.count; i++) {
		p->known[i] = (struct known_socket){.socket = &p->sockets.list[i]};
		memset(p->known[i].opener, OPENER_UNKNOWN, sizeof(p->known[i].opener));
	}
	qsort(p->known, p->sockets.count, sizeof(*p->known), by_ends);
	return 0;
}

/* Of devices that may carry it, and of cgroups that are unknown, nothing is said. */
static bool is_judged(const struct local_socket *socket, uint8_t kind)
{
	if (kind == FR_KIND_INTERFACE)
		return socket->judged.devices == JUDGED_YES;
	return kind == FR_KIND_CGROUP && socket->judged.cgroups == JUDGED_YES;
}

static void judge_socket(const struct collection *p, const struct known_socket *known, uint8_t kind,
			 struct preview_line *out)
{
	const struct local_socket *socket = known->socket;
	struct preview_line line = {.kind = kind, .tuple.proto = socket->proto};

	line.tuple.peer = socket->peer;
	line.tuple.dir = known->opener[kind];
	if (line.tuple.dir == OPENER_UNKNOWN)
		line.tuple.dir = socket->accepted ? FR_INGRESS : FR_EGRESS;
	line.tuple.port = line.tuple.dir == FR_EGRESS ? socket->peer_port : socket->port;
	memcpy(line.process, socket->process, sizeof(socket->process));
	if (!is_exempt(p, &line, socket->judged.local, socket->port, socket->peer_port))
		judge_flow(p, &line, known->reason[kind]);
	*out = line;
}

static bool is_cut(const struct collection *p, const struct known_socket *known)
{
	struct preview_line line;

	for (uint8_t kind = 0; kind < FR_KINDS; kind++) {
		if (!is_judged(known->socket, kind))
			continue;
		judge_socket(p, known, kind, &line);
		if (line.outcome == PREVIEW_CUT)
			return true;
	}
	return false;
}

static void add_cut(struct collection *p, struct known_socket *known)
{
	struct local_sockets *cut = &p->view->sockets;

	cut->list =
		arena_grow(cut->arena, cut->list, cut->count, &cut->capacity, sizeof(*cut->list));
	cut->list[cut->count++] = *known->socket;
}

/* The processes of those that are cut are named in any case. */
static void tell_sockets(struct collection *p)
{
	struct local_sockets *cut = &p->view->sockets;
	struct preview_line line;
	size_t at = 0;

	for (size_t i = 0; i < p->sockets.count; i++) {
		p->view->cgroups_unknown |= p->known[i].socket->judged.cgroups == JUDGED_PERHAPS;
		if (is_cut(p, &p->known[i]))
			add_cut(p, &p->known[i]);
	}
	if (!p->request->details)
		host_socket_processes(cut);
	for (size_t i = 0; i < p->sockets.count; i++) {
		if (is_cut(p, &p->known[i]))
			p->known[i].socket = &cut->list[at++];
		for (uint8_t kind = 0; kind < FR_KINDS; kind++) {
			if (!is_judged(p->known[i].socket, kind))
				continue;
			judge_socket(p, &p->known[i], kind, &line);
			tell(p, &line);
		}
	}
}

/* ---------------------------------------------------------------- flows */

static bool is_attached(const struct collection *p, const struct fr_flow_key *key)
{
	uint8_t kind = FR_SCOPE_KIND(key->scope);

	if (kind != FR_KIND_GUEST || p->request->rs->party_count)
		return kind < FR_KINDS && p->view->kinds[kind];
	for (size_t i = 0; i < p->request->hook_count; i++)
		if (p->request->hooks[i].kind == FR_KIND_GUEST &&
		    p->request->hooks[i].ifindex == FR_SCOPE_IFINDEX(key->scope))
			return true;
	return false;
}

/* Sockets of the flow's ends, of all namespaces; true if there is one. */
static bool tell_opener(struct collection *p, const struct flow_view *view)
{
	uint8_t kind = FR_SCOPE_KIND(view->key.scope);
	struct local_socket wanted = {.proto = view->key.proto,
				      .port = view->key.local_port,
				      .peer_port = view->key.peer_port};
	const struct known_socket key = {.socket = &wanted};
	struct known_socket *at, *end = p->known + p->sockets.count;
	bool found = false;

	memcpy(&wanted.address, view->key.local, sizeof(wanted.address));
	memcpy(&wanted.peer, view->key.peer, sizeof(wanted.peer));
	at = p->known ? bsearch(&key, p->known, p->sockets.count, sizeof(key), by_ends) : NULL;
	while (at && at > p->known && !by_ends(at - 1, &key))
		at--;
	for (; at && at < end && !by_ends(at, &key); at++) {
		if (!is_judged(at->socket, kind))
			continue;
		at->opener[kind] = view->flow.opener;
		at->reason[kind] = view->flow.reason;
		found = true;
	}
	return found;
}

/* An opening that nobody has answered is no connection, nor is one that has closed. */
static bool is_live(const struct flow_view *view)
{
	uint8_t state = view->flow.state;

	if (view->key.proto != PROTO_TCP)
		return true;
	return state == FR_FLOW_ESTABLISHED || state == FR_FLOW_ADOPTED;
}

static int on_flow(const struct flow_view *view, void *context)
{
	struct collection *p = context;
	struct preview_line line = {.kind = FR_SCOPE_KIND(view->key.scope), .where = view->scope};

	if (!is_attached(p, &view->key) || tell_opener(p, view) || !is_live(view))
		return 0;
	line.tuple = flow_tuple(view);
	memcpy(line.process, view->process.name, sizeof(line.process) - 1);
	if (!is_exempt(p, &line, false, view->key.local_port, view->key.peer_port))
		judge_flow(p, &line, view->flow.reason);
	tell(p, &line);
	return 0;
}

/* Damaged, or of an older flowreeve: apply heals it and takes it over. */
static bool is_for_apply(const struct diags *d)
{
	return diags_have(d, "pins-version") || diags_have(d, "pins-broken");
}

static int read_flows_of(struct collection *p, const char *name, struct diags *d)
{
	struct instance instance;
	int err = instance_open(p->request->host, name, d, &instance);

	if (err)
		return err;
	err = flows_each(&instance, d, on_flow, p);
	instance_close(&instance);
	p->view->flows_known = !err;
	return err;
}

static int look_for_flows(struct collection *p, struct diags *d)
{
	const char **names;
	size_t count;
	int err = datapath_list(p->request->host, d->arena, d, &names, &count);

	for (size_t i = 0; !err && i < count; i++)
		if (str_equal(names[i], p->request->rs->name))
			return read_flows_of(p, names[i], d);
	return err;
}

static int read_flows(struct collection *p, struct diags *d)
{
	struct diags found = {.arena = d->arena};
	int err = look_for_flows(p, &found);
	const struct diag *error = diags_first_error(&found);

	diags_take(d, &found, "pin-mode");
	if (!err)
		return 0;
	if (!is_for_apply(&found))
		return diag_error(d, NO_LOC, err, error->check, error->hint, "%s", error->message);
	diag_warning(d, NO_LOC, "preview-flows", NULL,
		     "flows cannot be read, so only sockets are looked at: %s", error->message);
	return 0;
}

/* ---------------------------------------------------------------- the session */

static void judge_found(struct collection *p, const struct ssh_session *session,
			struct preview_session *out)
{
	struct preview_line *line = &out->line;

	line->kind = FR_KIND_INTERFACE;
	line->tuple = (struct tuple){.dir = FR_INGRESS, .proto = PROTO_TCP};
	line->tuple.peer = session->connection.peer;
	line->tuple.port = session->connection.local_port;
	line->peer = prefix_masked(&line->tuple.peer, 128);
	line->count = 1;
	judge(p, line);
}

static int find_session(struct collection *p, struct diags *d)
{
	struct preview_session *out = &p->view->session;
	struct ssh_session session = {0};
	struct judgement judgement;
	int err;

	out->found = host_session(d->arena, true, &session);
	if (!out->found)
		return 0;
	out->connection = session.connection;
	err = judge_session(d->arena, p->request->hooks, p->request->hook_count, &session,
			    &judgement);
	if (err)
		return err;
	out->judged = judgement_counts(&judgement, p->request->rs->flags);
	if (out->judged)
		judge_found(p, &session, out);
	return 0;
}

/* ---------------------------------------------------------------- the whole */

static const char *nearest_to(const struct collection *p, const struct preview_line *line)
{
	const char *why = NULL;

	if (line->outcome == PREVIEW_STAYS || line->reason != FR_REASON_DEFAULT)
		return NULL;
	return ruleset_nearest(p->request->rs, &line->tuple, &why) ? why : NULL;
}

static void finish(struct collection *p)
{
	struct preview_view *view = p->view;

	preview_sort(&p->lines);
	view->list = p->lines.list;
	view->count = p->lines.count;
	for (size_t i = 0; i < view->count && i < NEAREST_MOST; i++)
		view->list[i].nearest = nearest_to(p, &view->list[i]);
	if (view->session.judged)
		view->session.line.nearest = nearest_to(p, &view->session.line);
}

/* -EIO: no attach target is missing. */
static int unreadable(int err, struct diags *d)
{
	diag_error(d, NO_LOC, err, "sockets-unreadable",
		   err == -ENOENT ? "modprobe -a tcp_diag udp_diag"
				  : "apply --no-preview looks at no connection",
		   "the sockets of this host cannot be read: %s", error_text(err));
	return err == -EPERM || err == -EACCES ? err : -EIO;
}

static int collect(struct collection *p, struct diags *d)
{
	const struct preview_request *request = p->request;
	int err = judging_open_targets(&p->judging, request->hooks, request->hook_count);

	if (err)
		return unreadable(err, d);
	err = read_sockets(p);
	if (err)
		return unreadable(err, d);
	err = read_flows(p, d);
	if (err)
		return err;
	tell_sockets(p);
	err = find_session(p, d);
	if (err)
		return unreadable(err, d);
	if (request->details)
		err = listening_unreached(&p->judging, request->rs, request->image,
					  &p->view->unreached);
	if (err)
		return unreadable(err, d);
	finish(p);
	return 0;
}

int preview_collect(const struct preview_request *request, struct diags *d,
		    struct preview_view *out)
{
	struct preview_view view = {.rs = request->rs, .sockets.arena = d->arena};
	struct collection *p = arena_alloc(d->arena, sizeof(*p));
	int err;

	p->request = request;
	p->view = &view;
	p->lines.arena = p->judging.arena = p->sockets.arena = d->arena;
	memcpy(view.digest, request->image->digest, sizeof(view.digest));
	view.admits_nothing = image_admits_nothing(request->image);
	for (size_t i = 0; i < request->hook_count; i++)
		view.kinds[request->hooks[i].kind] = true;
	err = collect(p, d);
	if (!err)
		*out = view;
	return err;
}

uint64_t preview_total(const struct preview_view *view, enum preview_outcome outcome)
{
	uint64_t total = 0;

	for (size_t kind = 0; kind < FR_KINDS; kind++)
		total += view->totals[kind][outcome];
	return total;
}
