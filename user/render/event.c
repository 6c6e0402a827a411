/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One event, one line: text for people, a JSON object for programs.
 */
#include <inttypes.h>
#include <string.h>

#include "print.h"

static bool event_is_icmp(const struct fr_flow_key *key)
{
	return key->proto == PROTO_ICMP || key->proto == PROTO_ICMP6;
}

static void event_json(const struct render *r, const char *policy, const struct event_view *view)
{
	const struct fr_event *event = &view->event;
	const struct fr_flow_key *key = &event->key;
	bool ports = proto_has_ports(key->proto);
	char proto[FIGURE_TEXT];
	json_t *value = document_new("event");

	json_object_set_new(value, "type",
			    json_string(event->type == FR_EVENT_OPENED ? "opened" : "refused"));
	json_object_set_new(value, "time", json_time(view->time));
	json_object_set_new(value, "policy", json_words(policy));
	json_object_set_new(value, "verdict", json_words(view->verdict));
	json_object_set_new(value, "reason", json_words(view->reason));
	json_object_set_new(value, "direction", json_string(dir_text(event->dir)));
	json_object_set_new(value, "kind", json_words(view->kind));
	json_object_set_new(value, "interface",
			    view->ifname[0] ? json_words(view->ifname) : json_null());
	json_put_scope(value, key);
	json_object_set_new(value, "protocol", json_string(proto_text(key->proto, proto)));
	json_object_set_new(value, "local", json_endpoint(key->local, key->local_port, ports));
	json_object_set_new(value, "peer", json_endpoint(key->peer, key->peer_port, ports));
	if (event_is_icmp(key)) {
		json_object_set_new(value, "icmp_type", json_count(key->peer_port >> 8));
		json_object_set_new(value, "icmp_code", json_count(key->peer_port & 255));
	}
	json_object_set_new(value, "rule", json_words(view->rule));
	json_object_set_new(value, "row", json_row(view->table, view->row, view->line));
	json_object_set_new(value, "length", json_count(event->length));
	json_object_set_new(value, "held", json_count(event->held));
	json_object_set_new(value, "generation", json_count(event->generation));
	json_object_set_new(value, "process", json_process(event->pid, event->comm));
	json_dumpf(value, r->out, JSON_COMPACT);
	fputc('\n', r->out);
	json_decref(value);
}

static void put_who(const struct render *r, const struct event_view *view)
{
	const struct fr_event *event = &view->event;
	char text[CLEAN_TEXT];

	fputs("  on ", r->out);
	put_clean(r->out, view->ifname[0] ? view->ifname : view->kind);
	if (event->pid) {
		snprintf(text, sizeof(text), "  %.*s (%u)", FR_COMM_LEN, event->comm, event->pid);
		put_clean(r->out, text);
	}
	if (event->held)
		fprintf(r->out, "  and %u more like it", event->held);
	fputc('\n', r->out);
}

void render_event(const struct render *r, const char *policy, const struct event_view *view)
{
	const struct fr_event *event = &view->event;
	const struct fr_flow_key *key = &event->key;
	bool ports = proto_has_ports(key->proto);
	enum colour hue = colour_of_verdict(view->verdict);
	char when[TIME_TEXT], proto[FIGURE_TEXT], local[64], peer[64], row[ROW_TEXT];

	if (r->json) {
		event_json(r, policy, view);
		return;
	}
	fprintf(r->out, "%.23sZ  %s%-10s%s  %-7s  %-5s", time_text(view->time, when),
		colour_on(r->colour, hue), view->verdict, colour_off(r->colour, hue),
		dir_text(event->dir), proto_text(key->proto, proto));
	if (event_is_icmp(key))
		fprintf(r->out, " %u/%u", key->peer_port >> 8, key->peer_port & 255);
	fprintf(r->out,
		"  %s %s %s  rule=", endpoint_text(key->local, key->local_port, ports, local),
		event->dir == FR_EGRESS ? "→" : "←",
		endpoint_text(key->peer, key->peer_port, ports, peer));
	put_clean(r->out, view->rule);
	fprintf(r->out, "  reason=%s", view->reason);
	if (*row_text(view->table, view->row, view->line, row)) {
		fputs("  row=", r->out);
		put_clean(r->out, row);
	}
	put_who(r, view);
}

void render_lost(const struct render *r, const char *policy, uint64_t count)
{
	json_t *value;

	if (!r->json)
		return;
	value = document_new("event");
	json_object_set_new(value, "type", json_string("lost"));
	json_object_set_new(value, "policy", json_words(policy));
	json_object_set_new(value, "count", json_count(count));
	json_dumpf(value, r->out, JSON_COMPACT);
	fputc('\n', r->out);
	json_decref(value);
}
