/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One event, one line: text for people, a JSON object for programs.
 */
#include <inttypes.h>
#include <string.h>

#include "print.h"

static void event_json(const struct render *r, const char *policy, const struct event_view *view)
{
	const struct fr_event *event = &view->event;
	const struct fr_flow_key *key = &event->key;
	struct json_writer w = {.line.out = r->out, .compact = true};

	writer_open(&w, NULL);
	writer_words(&w, "schema", "flowreeve/event/v1");
	writer_words(&w, "type", event->type == FR_EVENT_OPENED ? "opened" : "refused");
	writer_time(&w, "time", view->time);
	writer_words(&w, "policy", policy);
	writer_words(&w, "verdict", view->verdict);
	writer_words(&w, "reason", view->reason);
	writer_words(&w, "direction", dir_name(event->dir));
	writer_words(&w, "kind", view->kind);
	writer_words(&w, "interface", view->ifname[0] ? view->ifname : NULL);
	writer_ends(&w, key);
	if (proto_is_any_icmp(key->proto)) {
		writer_count(&w, "icmp_type", key->peer_port >> 8);
		writer_count(&w, "icmp_code", key->peer_port & 255);
	}
	writer_words(&w, "rule", view->rule);
	writer_row(&w, view->table, view->row, view->line);
	writer_count(&w, "length", event->length);
	writer_count(&w, "held", event->held);
	writer_count(&w, "generation", event->generation);
	writer_process(&w, &view->process);
	writer_close(&w);
	out_append(&w.line, "\n", 1);
	out_end(&w.line);
}

static void print_process(const struct render *r, const struct process_view *process)
{
	char text[CLEAN_TEXT], when[TIME_TEXT];

	if (!process->pid)
		return;
	fputs("  ", r->out);
	print_clean(r->out, process_text(process, text));
	if (process->known)
		fprintf(r->out, "  uid=%u", process->uid);
	if (process->parent_pid) {
		fputs("  parent=", r->out);
		print_clean(r->out, parent_text(process, text));
	}
	if (process->started)
		fprintf(r->out, "  started=%.19sZ", time_text(process->started, when));
}

static void print_end(const struct render *r, const struct event_view *view)
{
	fputs("  on ", r->out);
	print_clean(r->out, view->ifname[0] ? view->ifname : view->kind);
	print_process(r, &view->process);
	if (view->event.held)
		fprintf(r->out, "  and %u more like it", view->event.held);
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
		dir_name(event->dir), proto_text(key->proto, proto));
	if (proto_is_any_icmp(key->proto))
		fprintf(r->out, " %u/%u", key->peer_port >> 8, key->peer_port & 255);
	fprintf(r->out,
		"  %s %s %s  rule=", endpoint_text(key->local, key->local_port, ports, local),
		event->dir == FR_EGRESS ? "→" : "←",
		endpoint_text(key->peer, key->peer_port, ports, peer));
	print_clean(r->out, view->rule);
	fprintf(r->out, "  reason=%s", view->reason);
	if (*row_text(view->table, view->row, view->line, row)) {
		fputs("  row=", r->out);
		print_clean(r->out, row);
	}
	print_end(r, view);
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
