#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A question over UDP comes in by a device without the policy, and its answer leaves by one that has it. The
# socket that has received the question may answer it, that peer and port alone, as long as a rule admits the
# question and for the one-way timeout. Nothing else passes: no other socket on the port, none of another
# network namespace, none that was never asked.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/speakers.sh"

kind=unseen

unseen_policy() # MODE [RULE...]: of ens5, with a short timeout where $oneway says so
{
	mode=$1
	shift
	{
		cat <<-YAML
			apiVersion: flowreeve/v1
			kind: Policy
			metadata: {name: unseen}
			mode: $mode
			attach: {interfaces: [ens5]}
			failsafe: []
			timeouts: {udp-oneway: ${oneway:-30s}}
			rules:
			  - {id: other, direction: egress, peer: [10.0.5.10], ports: [9/tcp], action: allow}
		YAML
		[ $# = 0 ] || printf '  - %s\n' "$@"
	} >"$work/unseen.yaml"
	succeeds "$kind, $mode: apply" fr agent apply "$work/unseen.yaml" --allow-removal --mode "$mode"
}

serve='{id: serve, direction: ingress, peer: [10.0.5.0/24, "fd00:5::/64"], ports: [3702/udp], action: allow}'
no_way_out='{id: no-way-out, direction: egress, peer: any, ports: [any/udp], action: deny}'

# Frames to this address of the agent go to ens7, also for the address that ens5 has: ADDRESS
by_ens7() { lab_in vpc ip neigh replace "$1" lladdr "$ens7" dev eth0 nud permanent; }

# A client on a port of its own, which has no flow yet: NAME [ADDRESS]
client_start() { speaker_start "$1" vpc "${2:-$peer}" 0; }

# The question, read by the service: CLIENT [SERVICE]
asks() { word_is "the question of $1" heard "$1" "$asked" 3702 "${2:-service}"; }

# What becomes of a datagram of the service to a client: WHAT EXPECTED CLIENT [SERVICE] [PEER]
answers() { word_is "$1" "$2" "${4:-service}" "${5:-${to:-$peer}}" "${speaker_port[$3]}" "$3"; }

# Each family, each way to bind: PEER ASKED BOUND STRANGER
service_run()
{
	local peer=$1 asked=$2 stranger=$4 mapped='' to
	[[ $1$3 != 10.*:: ]] || mapped=::ffff:
	to=$mapped$peer
	kind="unseen, $2 bound to $3"
	speaker_start service agent "$3" 3702
	client_start client
	answers 'before any question' silence client
	asks client
	answers 'its answer' heard client
	answers 'another one' heard client
	# Now it has a flow: each of the others is one that has none.
	client_start other
	answers 'to another port of the peer' silence other
	client_start elsewhere "$stranger"
	answers 'to another address' silence elsewhere service "$mapped$stranger"
	asks other
	speak service other 3702
	answers 'from another socket on the port' silence other
	speaker_end service client other elsewhere
}

# The verdict of the rules about the question, by the walk over them and by the image.
question_is() # VERDICT
{
	equal "$kind: the question is explained" "$1" \
		"$(fr agent explain --running unseen ingress udp 10.0.5.10:3702 2>/dev/null | sed -n '1s/ .*//p')"
}

# By what a rule says now, not by what it said at the question.
rules_run()
{
	local peer=10.0.5.10 asked=10.0.5.77
	kind='unseen, rules'
	speaker_start service agent 10.0.5.77 3702
	unseen_policy enforce "$serve" "$no_way_out"
	client_start denied
	asks denied
	answers 'where rules refuse to open what leaves' heard denied
	client_start late
	client_start refused
	asks late
	unseen_policy enforce "${serve/id: serve, /id: serve, answers: peer, }" \
		'{id: closed, direction: ingress, peer: [10.0.5.10], ports: [3702/udp], action: deny}'
	question_is drop
	answers 'where the question is denied by now' silence late
	asks refused
	unseen_policy enforce "$serve"
	question_is pass
	answers 'one that was denied when it came' silence refused
	answers 'and one that was not' heard late
	oneway=1s
	unseen_policy enforce "$serve"
	client_start expired
	asks expired
	sleep 2
	answers 'longer ago than answers are awaited' silence expired
	oneway=
	speaker_end service denied late refused expired
}

audit_run()
{
	local peer=10.0.5.10 asked=10.0.5.77
	kind='unseen, audit'
	unseen_policy audit "$serve"
	succeeds 'no old refusals' fr agent zero
	speaker_start service agent 10.0.5.77 3702
	client_start client
	asks client
	answers 'an answer' heard client
	answers 'again' heard client
	equal 'audit reports no would-drop for it' 0 "$(fr_ask agent '.drops | length' show drops)"
	equal 'but an answer under the rule of the question' 'serve peer reply' \
		"$(fr_ask agent '[.flows[] | select(.local.port == 3702) | "\(.rule) \(.opener) \(.reason)"] | unique | join(" ")' show flows)"
	client_start never
	answers 'what enforcement refuses passes' heard never
	equal 'and is reported' 1 "$(drops_of agent would-drop egress 10.0.5.10 "${speaker_port[never]}")"
	asks never
	answers 'and as soon as it is an answer' heard never
	equal 'no more' 1 "$(drops_of agent would-drop egress 10.0.5.10 "${speaker_port[never]}")"
	speaker_end service client never
}

# A policy for each device: the question passes the other one's hook, in a table of its own.
two_policies_run()
{
	local peer=10.0.5.10 asked=10.0.5.77
	kind='unseen, two policies'
	unseen_policy enforce "$serve"
	sed 's/name: unseen/name: seven/; s/ens5/ens7/' "$work/unseen.yaml" >"$work/seven.yaml"
	succeeds 'the other device has a policy' fr agent apply "$work/seven.yaml"
	speaker_start service agent 10.0.5.77 3702
	client_start client
	client_start never
	asks client
	answers 'an answer' heard client
	answers 'one that was not asked for' silence never
	succeeds 'it is taken away' fr agent detach seven
	speaker_end service client never
}

# A process of another namespace, on a device above ens5: it has the port, but not the question.
sibling_run()
{
	local peer=10.0.5.10 asked=10.0.5.77
	kind='unseen, another namespace'
	echo "$LAB_TAG-sibling" >>"$LAB_DIR/netns"
	ip netns add "$LAB_TAG-sibling"
	ip -n "$LAB_TAG-agent" link add link ens5 name sib0 type macvlan mode bridge || {
		skip "$kind" 'this kernel has no macvlan'
		return
	}
	ip -n "$LAB_TAG-agent" link set sib0 netns "$LAB_TAG-sibling"
	ip -n "$LAB_TAG-sibling" link set sib0 up
	lab_address sibling sib0 10.0.5.60/24
	unseen_policy enforce "$serve"
	speaker_start service agent 10.0.5.77 3702
	speaker_start sibling sibling 10.0.5.60 3702
	client_start client
	asks client
	answers 'a socket there on the port' silence client sibling
	answers 'the one that was asked' heard client
	speaker_end service sibling client
}

hooks_of() { fr_ask agent "[.policies[].hooks[] | select(.name == \"datagram sockets\" and .alive) | .hook] | join(\" \")" status; }

e2e_begin unseen
[ -n "$(lab_cgroup_root)" ] || {
	skip unseen 'no cgroup2 is mounted here'
	exit 0
}
ip -n "$LAB_TAG-router" link add p-seven type veth peer name ens7 netns "$LAB_TAG-agent"
ip -n "$LAB_TAG-router" link set p-seven master lan up
ip -n "$LAB_TAG-agent" link set ens7 up
lab_address agent ens7 10.0.5.77/32 fd00:5::77/128
for each in all ens5 ens7; do lab_in agent sysctl -qw "net.ipv4.conf.$each.rp_filter=0"; done
ens7=$(ip -n "$LAB_TAG-agent" -j link show ens7 | jq -r '.[0].address')
# A bridge that has forgotten where ens7 is would show ens5 the frames too.
lab_enter router bridge fdb replace "$ens7" dev p-seven master static
for each in 10.0.5.77 fd00:5::77 10.0.5.5 fd00:5::5; do by_ens7 "$each"; done

unseen_policy enforce
equal 'without a rule that lets datagrams in nothing more is attached' '' "$(hooks_of)"
unseen_policy enforce "$serve"
equal 'with one the sockets are' 'recvmsg4 recvmsg6' "$(hooks_of)"
for each in 10.0.5.77 0.0.0.0 ::; do service_run 10.0.5.10 10.0.5.77 $each 10.0.5.20; done
for each in fd00:5::77 ::; do service_run fd00:5::10 fd00:5::77 $each fd00:5::20; done
service_run 10.0.5.10 10.0.5.5 10.0.5.5 10.0.5.20
service_run fd00:5::10 fd00:5::5 :: fd00:5::20
equal 'each answered question is counted once' 7 "$(rule_field agent serve connections)"
rules_run
two_policies_run
sibling_run
audit_run
unseen_policy enforce
equal 'with its rule the hook goes' '' "$(hooks_of)"

# Its links are kept, healed and taken away as those of the interfaces.
unseen_policy enforce "$serve"
rm "$LAB_DIR"/bpf/flowreeve/unseen/link-*-recvmsg4
fr_exits 'without one of its links status exits 5' 5 agent status
unseen_policy enforce "$serve"
equal 'apply makes it again' 'recvmsg4 recvmsg6' "$(hooks_of)"
programs=$(fr_ask agent '[.policies[].hooks[] | select(.name == "datagram sockets") | .program] | join(" ")' status)
succeeds 'detach' fr agent detach unseen
# shellcheck disable=SC2086 # a list
equal 'leaves no program' '' "$(programs_left $programs)"
equal 'and no pin' '' "$(pins_left)"
