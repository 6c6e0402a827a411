#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A host that forwards and masquerades for pods while a policy protects it: their traffic is none of the
# policy's, in audit and in enforcement, over both families; the host's own is. Published ports are the
# host's. `forwarded: judge` puts all of it under the rules.
#
# lesson: replies to masqueraded pods arrive at the host's own address and met the host's firewall, which cut
# the pods off, twice in one product; published ports were open until administrators learned to look before
# DNAT.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/pods.sh"

stranger4=10.66.0.66 stranger6=fd00:66::66

rules_add() # FILE EXTRA-RULES...: beside those of the tests' policy
{
	local file=$1 rule
	shift
	for rule in "$@"; do
		sed -i "s|^rules:|rules:\n  - {$rule}|" "$file"
	done
}

talk() { lab_in "$1" timeout -s KILL 60 "$e2e_here/tools/sock-client" "${@:2}"; } # NODE tcp|udp ADDRESS PORT OPTIONS...

# The answers to TCP, UDP, a ping, and a datagram larger than the link, over IPv4 and IPv6, in one line.
# All at once.
reaches() # NODE
{
	local address jobs=()
	for address in $stranger4 $stranger6; do
		peer_try "$1" tcp $address 4444 >"$work/tcp-$address" &
		jobs+=($!)
		peer_try "$1" udp $address 4445 >"$work/udp-$address" &
		jobs+=($!)
		{ lab_in "$1" ping -nqc1 -W"${LAB_WAIT:-20}" $address >/dev/null 2>&1 && echo ok || echo timeout; } >"$work/ping-$address" &
		jobs+=($!)
		talk "$1" udp $address 4445 --size 4000 >"$work/long-$address" &
		jobs+=($!)
	done
	wait "${jobs[@]}"
	cat "$work"/tcp-* "$work"/udp-* "$work"/ping-* "$work"/long-* | tr '\n' ' '
}
all() { printf "$1 %.0s" 1 2 3 4 5 6 7 8; } # WORD

# Refused openings by TCP and UDP, which leaves out the link's own chatter: drop|would-drop
refused()
{
	fr_ask agent "[.drops[] | select(.verdict == \"$1\" and .peer.port > 0 and
		(.protocol == \"tcp\" or .protocol == \"udp\"))] | length" show drops
}

pods_pass() # MODE OPTIONS...
{
	local mode=$1 pod own verdict=would-drop
	shift
	own=$(all ok)
	policy_write "$work/pods.yaml" "$mode" '{interfaces: [ens5]}'
	[ "$mode" = audit ] || verdict=drop own=$(all timeout)
	succeeds "$mode${*:+, $*}: apply" fr agent apply "$work/pods.yaml" "$@"
	for pod in pod1 pod2; do
		tries "$mode${*:+, $*}: $pod reaches what the host may not" "$(all ok)" reaches $pod
	done
	equal "$mode${*:+, $*}: nothing of it is reported as refused" 0 "$(refused $verdict)"
	tries "$mode${*:+, $*}: the host itself" "$own" reaches agent
	equal "$mode${*:+, $*}: its own four attempts are reported" 4 "$(refused $verdict)"
	at_least "$mode${*:+, $*}: what leaves for pods is counted" 12 "$(pods_reason pass forwarded egress)"
	at_least "$mode${*:+, $*}: and what comes back" 12 "$(pods_reason pass forwarded ingress)"
	at_least "$mode${*:+, $*}: and the rest of what comes in pieces" 8 "$(pods_reason pass forwarded-reply ingress)"
}

# A transfer through the NAT that is older than the policy, and whose server sends first after it.
replies_come_back()
{
	mkfifo "$work/late"
	lab_spawn late-serve intruder "$e2e_here/tools/late-server" serve 4446 "$work/late"
	lab_listens intruder t '*:4446'
	lab_spawn late-hear pod1 "$e2e_here/tools/late-server" hear $stranger4 4446
	until_true says "$LAB_DIR/log/late-hear" connected
	policy_write "$work/pods.yaml" enforce '{interfaces: [ens5]}'
	succeeds 'older than the policy: apply' fr agent apply "$work/pods.yaml"
	echo late >"$work/late"
	until_true says "$LAB_DIR/log/late-hear" late
	equal 'older than the policy: the first thing said is the reply, and arrives' 'connected late' \
		"$(tr '\n' ' ' <"$LAB_DIR/log/late-hear" | sed 's/ $//')"
	at_least 'older than the policy: it is counted as such' 1 "$(pods_reason pass forwarded-reply ingress)"
}

# Conntrack forgets a pod's conversation before the flow is forgotten: the next user of its port is
# judged.
tuple_reused()
{
	policy_write "$work/pods.yaml" enforce '{interfaces: [ens5]}'
	succeeds 'a tuple that was masqueraded: apply' fr agent apply "$work/pods.yaml"
	lab_enter agent sh -c 'for f in "" _stream; do echo 6 >/proc/sys/net/netfilter/nf_conntrack_udp_timeout$f; done'
	for address in $stranger4 $stranger6; do
		tries "a tuple that was masqueraded: a pod's, $address" ok peer_try pod1 udp $address 4445 --from 5555
	done
	sleep 7.5
	for address in $stranger4 $stranger6; do
		tries "a tuple that was masqueraded: taken by the host, $address" timeout \
			peer_try agent udp $address 4445 --from 5555
		equal "a tuple that was masqueraded: it is reported, $address" 1 "$(drops_of agent drop egress $address 4445)"
		tries "a tuple that was masqueraded: the pod again, $address" ok peer_try pod1 udp $address 4445 --from 5555
	done
	lab_enter agent sh -c 'echo 30 >/proc/sys/net/netfilter/nf_conntrack_udp_timeout
		echo 120 >/proc/sys/net/netfilter/nf_conntrack_udp_timeout_stream'
}

forwarded_since() { [ $(($(pods_reason pass forwarded ingress) - $1)) -ge "$2" ]; } # BEFORE LEAST

# Routed without NAT, from outside to a pod, and admitted by a rule that fits it; then the rule goes.
transit_goes_on()
{
	local address before i
	ip -n "$LAB_TAG-router" route add 10.244.0.0/24 via 10.0.5.5
	ip -n "$LAB_TAG-router" route add fd44::/64 via fd00:5::5
	peer_start pod1 transit 4447
	policy_write "$work/pods.yaml" enforce '{interfaces: [ens5]}'
	cp "$work/pods.yaml" "$work/without.yaml"
	rules_add "$work/pods.yaml" 'id: transit, direction: ingress, peer: any, ports: [4447/tcp], action: allow'
	succeeds 'transit: apply' fr agent apply "$work/pods.yaml"
	for address in 10.244.0.11 fd44::11; do
		traffic_start "transit-$address" intruder transfer $address 4447
	done
	at_least 'transit: the rule admits it' 2 "$(rule_field agent transit attempts)"
	succeeds 'transit: a policy without the rule' fr agent apply "$work/without.yaml"
	before=$(pods_reason pass forwarded ingress)
	succeeds 'transit: as forwarded' until_true forwarded_since "$before" 20
	for address in 10.244.0.11 fd44::11; do
		traffic_end "transit-$address"
		matches "transit: goes on, $address" '^lines [0-9]+$' "$said"
	done
	for i in 10.244.0.0/24 fd44::/64; do ip -n "$LAB_TAG-router" route del $i; done
}

published()
{
	local address before
	peer_start pod1 web 8080
	peer_start pod1 web-udp --udp 8080
	policy_write "$work/pods.yaml" enforce '{interfaces: [ens5]}'
	rules_add "$work/pods.yaml" 'id: web, direction: ingress, peer: [10.0.9.5, "fd00:9::5"], ports: [8080/tcp, 8080/udp], action: allow'
	succeeds 'published ports: apply' fr agent apply "$work/pods.yaml"
	before=$(pods_reason pass forwarded egress)
	for address in 10.0.5.5 fd00:5::5; do
		equal "published ports: allowed, $address" 'ok ok' \
			"$(peer_try bastion tcp $address 8080) $(peer_try bastion udp $address 8080)"
		equal "published ports: another port of the same pod, $address" 'timeout timeout' \
			"$(peer_try bastion tcp $address 8081 --wait 0.3) $(peer_try bastion udp $address 8081 --wait 0.3)"
		equal "published ports: another peer, $address" 'timeout timeout' \
			"$(peer_try intruder tcp $address 8080 --wait 0.3) $(peer_try intruder udp $address 8080 --wait 0.3)"
	done
	equal 'published ports: openings are booked on the rule' 4 "$(rule_field agent web attempts)"
	equal 'published ports: their answers are nothing forwarded' "$before" "$(pods_reason pass forwarded egress)"
	at_least 'published ports: but replies' 8 "$(pods_reason pass reply egress)"
	at_least 'published ports: a refused one is reported with the host'"'"'s port' 1 \
		"$(drops_of agent drop ingress 10.0.9.5 8081)"
	published_knocked $((before + 1))
}

answered_outwards() { [ "$(pods_reason pass forwarded egress)" -ge "$1" ]; } # LEAST

# A stray segment is taken for the rest of another conversation, and the pod answers it: its sender then
# opens one from the same port.
published_knocked() # LEAST: packets forwarded outwards
{
	lab_in intruder "$e2e_here/tools/spoof" tcp 10.66.0.66 7778 10.0.5.5 8080 1 A >/dev/null
	succeeds 'published ports: a stray segment is answered' until_true answered_outwards "$1"
	tries 'published ports: and opens nothing to its sender' timeout \
		peer_try intruder tcp 10.0.5.5 8080 --from 7778
}

forwarded_is_judged()
{
	policy_write "$work/pods.yaml" enforce '{interfaces: [ens5]}'
	echo 'forwarded: judge' >>"$work/pods.yaml"
	succeeds 'forwarded, judged: apply' fr agent apply "$work/pods.yaml"
	equal 'forwarded, judged: a pod may what the rules allow' 'ok ok' \
		"$(peer_try pod1 tcp 10.20.0.5 7) $(peer_try pod2 udp 10.20.0.5 7)"
	tries 'forwarded, judged: and no more' "$(all timeout)" reaches pod1
	at_least 'forwarded, judged: it is booked on the rule' 2 "$(rule_field agent echo attempts)"
}

e2e_begin forwarding
pods_make forwarding
peer_start intruder tcp 4444
peer_start intruder udp --udp 4445
peer_start nfs echo 7
peer_start nfs echo-udp --udp 7
pods_pass audit
pods_pass enforce
succeeds 'detach' fr agent detach
pods_pass enforce --no-tcx
succeeds 'detach' fr agent detach
replies_come_back
published
tuple_reused
transit_goes_on
forwarded_is_judged
succeeds 'detach at last' fr agent detach
