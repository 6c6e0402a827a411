/* SPDX-License-Identifier: GPL-2.0-only */
/* Finds connections that were opened since a moment: what proves that a policy lets them open. */
#include <netinet/in.h>
#include <string.h>

#include "internal.h"

/* The third packet of the handshake was seen. */
static bool was_answered(const struct fr_flow *flow)
{
	const uint8_t both = FR_FLOW_FIN_OPENER | FR_FLOW_FIN_RESPONDER;

	if (flow->state == FR_FLOW_CLOSING)
		return (flow->flags & both) == both ||
		       flow->flags & (FR_FLOW_RST_OPENER | FR_FLOW_RST_RESPONDER);
	return flow->state == FR_FLOW_ESTABLISHED;
}

static bool is_of(const struct fr_flow_key *key, const struct opened *opened)
{
	const struct connection *session = opened->session;

	if (!session)
		return key->local_port == opened->port;
	return key->local_port == session->local_port && key->peer_port == session->peer_port &&
	       !memcmp(key->local, session->local.b, sizeof(key->local)) &&
	       !memcmp(key->peer, session->peer.b, sizeof(key->peer));
}

static int visit(const struct flow_view *view, void *context)
{
	const struct fr_flow *flow = &view->flow;
	struct opened *opened = context;
	bool fresh;

	if (view->key.proto != IPPROTO_TCP || flow->opener != FR_INGRESS ||
	    !is_of(&view->key, opened))
		return 0;
	fresh = flow_first(flow) > opened->since && was_answered(flow) &&
		flow->reason != FR_REASON_ADOPTED && !(flow->flags & FR_FLOW_WOULD_DROP);
	*(fresh ? &opened->fresh : &opened->old) = true;
	return 0;
}

int opened_find(const struct instance *instance, struct diags *d, struct opened *opened)
{
	opened->old = opened->fresh = false;
	return flows_each(instance, d, visit, opened);
}
