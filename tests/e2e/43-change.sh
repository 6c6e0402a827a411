#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A new policy cuts denied conversations at the next packet, old ones and replies too, and lets allowed
# ones go on again. The mode is switched to and fro under clients that connect and transfer: none of the
# allowed meets an error, none of the denied gets through, and the figures miss nothing.
#
# lesson: other firewalls keep connections that were established before a change, so that a revoked
# permission goes on for as long as the connection does; or they cut everything, so that administrators
# avoid any change.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/sessions.sh"

each=20

# Refused datagrams to or from the echo server. egress|ingress
datagrams_refused()
{
	fr_ask "$host" "[.drops[] | select(.verdict == \"drop\" and .direction == \"$1\" and .protocol == \"udp\" and
		.peer.address == \"10.20.0.5\") | .packets] | add // 0" show drops
}

bytes_in() { sessions_ask sink-in taken | awk '{ print $2 }'; }

cut_sessions_start()
{
	sessions_start sink-in "$party" sink 22
	sessions_start tcp "$party" hold tcp 10.20.0.5 7 $each
	sessions_start udp "$party" hold udp 10.20.0.5 7 $each
	sessions_start bulk-in bastion bulk "$party4" 22
	sessions_start bulk-out "$party" bulk 10.20.0.5 9
}

# The cut ones: sessions and datagrams that we opened, their answers, a transfer that the bastion opened.
cut_run()
{
	local before
	cut_sessions_start
	equal "$kind: sessions live" "answered $each of $each" "$(sessions_ask tcp ask)"
	succeeds "$kind: a policy that denies them" fr "$host" apply "$work/less.yaml" $options
	equal "$kind: no datagram goes out from now on" "answered 0 of $each" "$(sessions_ask udp ask 0.3)"
	equal "$kind: each is reported" $each "$(datagrams_refused egress)"
	sessions_ask serve tell >/dev/null
	equal "$kind: no answer comes in" 'heard 0' "$(sessions_ask udp heard 0.3)"
	equal "$kind: each of those is reported with its opening" $((2 * each)) "$(datagrams_refused egress)"
	before=$(bytes_in)
	equal "$kind: no session is answered" "answered 0 of $each" "$(sessions_ask tcp ask 0.5)"
	equal "$kind: the transfer that the peer opened has stopped" "$before" "$(bytes_in)"
	succeeds "$kind: allowed again" fr "$host" apply "$work/more.yaml" $options
	equal "$kind: the sessions go on" "answered $each of $each" "$(sessions_ask tcp ask 60)"
	equal "$kind: so do the datagrams" "answered $each of $each" "$(sessions_ask udp ask 60)"
	cut_transfers_end
	sessions_stop tcp udp bulk-in bulk-out sink-in
}

cut_transfers_end()
{
	local name sent whole
	for name in in out; do
		sent=$(sessions_ask "bulk-$name" end)
		whole=$(sessions_ask "sink-$name" whole)
		equal "$kind: the transfer $name arrives whole" "${sent#sent }" "$(awk '/^whole/ { print $2, $3 }' <<<"$whole")"
	done
	equal "$kind: of the one that was allowed all along no packet was refused" 0 \
		"$(fr_ask "$host" '[.drops[] | select(.verdict == "drop" and .peer.port == 9)] | length' show drops)"
}

good='good-1 good-2 good-3 good-4 good-5 good-6' bad='bad-1 bad-2'

clients_start()
{
	local i
	for i in 1 2 3; do
		sessions_start "good-$i" "$party" client 10.20.0.5 7 60
		sessions_start "good-$((i + 3))" bastion client "$party4" 22022 60
	done
	sessions_start bad-1 "$party" client 10.66.0.66 4444 0.6 1
	sessions_start bad-2 intruder client "$party4" 8080 0.6 1
}

judged_any() { [[ $(sessions_ask "$1" judge) != 'ok 0 failed 0 '* ]]; } # CLIENT

# Attempts of the denied clients between two switches. MODE PATTERN SECONDS, in which one has failed
denied_judged()
{
	local name
	for name in $bad; do
		sessions_ask "$name" mark $3 >/dev/null
	done
	for name in $bad; do
		until_true judged_any "$name"
		matches "$kind, $1, round $round: $name" "$2" "$(sessions_ask "$name" judge)"
	done
}

clients_end()
{
	local name said total=0
	for name in $good; do
		succeeds "$kind: $name is worth the name" until_true sessions_fits "$name" judge '^ok [2-9][0-9]|^ok [0-9]{3}'
		said=$(sessions_ask "$name" end)
		matches "$kind: $name met no error" '^ok [0-9]+ failed 0 ' "$said"
		[ "${name#good-}" -gt 3 ] || total=$((total + $(awk '{ print $2 }' <<<"$said")))
	done
	equal "$kind: every connection of ours is on the rule, through $((2 * rounds)) switches" \
		"$total" $(($(rule_field "$host" echo connections) - connections))
	sessions_stop $good $bad
}

modes_run()
{
	local connections
	connections=$(rule_field "$host" echo connections)
	clients_start
	for round in $(seq $rounds); do
		succeeds "$kind: to audit, round $round" fr "$host" apply "$work/more.yaml" --mode audit $options
		denied_judged audit '^ok [1-9][0-9]* failed 0 ' 10
		succeeds "$kind: to enforce, round $round" fr "$host" apply "$work/more.yaml" $options
		denied_judged enforce '^ok 0 failed [1-9]' 0.6
	done
	clients_end
}

change_run() # KIND
{
	e2e_kind "$1"
	policy_write "$work/more.yaml" enforce "$attach"
	policy_write "$work/less.yaml" enforce "$attach"
	sed -i '/id: echo/d; /id: ssh-from-bastion/d' "$work/less.yaml"
	succeeds "$kind: enforce" fr "$host" apply "$work/more.yaml" $options
	peer_start "$party" "admin-$kind" 22022
	peer_start "$party" "forgotten-$kind" 8080
	cut_run
	modes_run
	lab_stop "peer-admin-$kind"
	lab_stop "peer-forgotten-$kind"
	succeeds "$kind: detach" fr "$host" detach
}

e2e_begin change
rounds=2
peer_start nfs echo 7
peer_start intruder stranger 4444
sessions_start serve nfs serve 7
sessions_start sink-out nfs sink 9
change_run interface
change_run guest
change_run cgroup
