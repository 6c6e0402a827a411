#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Attaching to a host with 1,000 idle sessions, two bulk transfers and connected datagram sockets: half of
# the sessions opened by this side, half by the other; half of each allowed. Audit harms none and tells
# them apart, enforcement stops the forbidden ones and no other, detach brings them back.
#
# lesson: the first enforcement of others killed the replies of long-lived connections for minutes, or for
# good, because nothing had seen their SYN.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/sessions.sh"

each=250 datagrams=20
good='out-good in-good' bad='out-bad in-bad'

all_sessions_start()
{
	sessions_start sink-in "$party" sink 22
	peer_start "$party" "admin-$kind" 22022
	peer_start "$party" "forgotten-$kind" 8080
	sessions_start out-good "$party" hold tcp 10.20.0.5 7 $each
	sessions_start out-bad "$party" hold tcp 10.66.0.66 4444 $each
	sessions_start in-good bastion hold tcp "$party4" 22022 $each
	sessions_start in-bad intruder hold tcp "$party4" 8080 $each
	sessions_start udp-good "$party" hold udp 10.20.0.5 7 $datagrams
	sessions_start udp-bad "$party" hold udp 10.66.0.66 4445 $datagrams
	sessions_start bulk-out "$party" bulk 10.20.0.5 9
	sessions_start bulk-in bastion bulk "$party4" 22
}

all_sessions_stop()
{
	sessions_stop out-good out-bad in-good in-bad udp-good udp-bad bulk-out bulk-in sink-in
	lab_stop "peer-admin-$kind"
	lab_stop "peer-forgotten-$kind"
}

# Send a byte over every session at the same time. WHAT SECONDS-FOR-THE-FORBIDDEN OF-THE-FORBIDDEN
sessions_answer()
{
	local name
	for name in $good; do
		sessions_send "$name" ask 60
	done
	for name in $bad; do
		sessions_send "$name" ask "$2"
	done
	for name in $good; do
		equal "$1: $name" "answered $each of $each" "$(sessions_reply "$name")"
	done
	for name in $bad; do
		equal "$1: $name" "answered $3 of $each" "$(sessions_reply "$name")"
	done
}

# Unrequested datagrams of the other side to sockets that are connected to it. WHAT OF-THE-FORBIDDEN
datagrams_come()
{
	local what=$1
	sessions_ask serve tell >/dev/null
	sessions_ask serve-bad tell >/dev/null
	sessions_send udp-bad heard 1
	equal "$what: datagrams of an allowed peer" "heard $datagrams" "$(sessions_ask udp-good heard)"
	equal "$what: datagrams of a forbidden one" "heard $2" "$(sessions_reply udp-bad)"
}

# How many adopted TCP flows a rule has. RULE VERDICT OPENER
adopted()
{
	jq "[.flows[] | select(.state == \"adopted\" and .protocol == \"tcp\" and .rule == \"$1\" and
		.verdict == \"$2\" and .opener == \"$3\")] | length" "$work/flows"
}

# The hook cannot look up the guest's sockets: there only allowed flows are adopted.
flows_listed() # WHAT FORBIDDEN
{
	fr "$host" show flows --json >"$work/flows"
	equal "$1: sessions of ours are listed as adopted" $each "$(adopted echo pass local)"
	equal "$1: those of the bastion, and its transfer, too" $((each + 1)) "$(adopted ssh-from-bastion pass peer)"
	equal "$1: our transfer too" 1 "$(adopted spare pass local)"
	equal "$1: forbidden ones of ours are reported as would-drop" "$2" "$(adopted default-egress would-drop local)"
	equal "$1: those of the intruder too" "$2" "$(adopted default-ingress would-drop peer)"
	at_least "$1: the tally says how many" $((2 * each + 2 * $2 + 2)) \
		"$(fr_ask "$host" '.policies[0].tallies.flows_adopted' status)"
}

taken_at_least() { [ "$(sessions_ask "$1" taken | awk '{ print $2 }')" -ge "$2" ]; } # SINK BYTES

transfers_end()
{
	local name sent whole
	for name in out in; do
		succeeds "$kind: the bulk transfer $name is worth the name" until_true taken_at_least "sink-$name" 5000000
		sent=$(sessions_ask "bulk-$name" end)
		whole=$(sessions_ask "sink-$name" whole)
		equal "$kind: the bulk transfer $name arrives whole" "${sent#sent }" \
			"$(awk '/^whole/ { print $2, $3 }' <<<"$whole")"
	done
	equal "$kind: of neither a packet was refused" 0 "$(fr_ask "$host" '[.drops[] | select(.verdict == "drop" and
		(.peer.port == 9 or .local.port == 22))] | length' show drops)"
}

busy_run() # KIND
{
	e2e_kind "$1"
	local told=$each
	[ "$kind" != guest ] || told=0
	policy_write "$work/busy.yaml" audit "$attach"
	all_sessions_start
	succeeds "$kind: apply in audit to a busy host" fr "$host" apply "$work/busy.yaml" $options
	[ "$kind" = guest ] || datagrams_come "$kind, audit, the first packet comes in" $datagrams
	sessions_answer "$kind, audit" 60 $each
	flows_listed "$kind, audit" $told
	equal "$kind, audit: datagram sockets" "answered $datagrams of $datagrams" "$(sessions_ask udp-good ask)"
	succeeds "$kind: enforce" fr "$host" apply "$work/busy.yaml" --mode enforce $options
	sessions_answer "$kind, enforce" 1 0
	datagrams_come "$kind, enforce" 0
	succeeds "$kind: detach" fr "$host" detach
	sessions_answer "$kind, detached, all go on" 60 $each
	succeeds "$kind: enforce at once" fr "$host" apply "$work/busy.yaml" --mode enforce $options
	[ "$kind" = guest ] || datagrams_come "$kind, enforced at once" 0
	sessions_answer "$kind, enforced at once" 1 0
	equal "$kind, enforced at once: datagram sockets" "answered $datagrams of $datagrams" \
		"$(sessions_ask udp-good ask)"
	transfers_end
	succeeds "$kind: detach again" fr "$host" detach
	all_sessions_stop
}

e2e_begin busy
peer_start nfs echo 7
peer_start intruder stranger 4444
sessions_start serve nfs serve 7
sessions_start serve-bad intruder serve 4445
sessions_start sink-out nfs sink 9
busy_run interface
busy_run guest
busy_run cgroup
