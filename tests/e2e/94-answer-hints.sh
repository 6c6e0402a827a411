#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Refused datagrams that look like answers: from another port or address than was asked, on either side. show
# drops, coverage and learn name the rule of the question and the key to write, and learn proposes no port that
# was given out for one exchange.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/odd.sh"
. "$e2e_here/speakers.sh"

hints_apply() # MODE
{
	mode=$1
	cat >"$work/hints.yaml" <<-YAML
		apiVersion: flowreeve/v1
		kind: Policy
		metadata: {name: hints}
		mode: $1
		attach: $attach
		failsafe: []
		rules:
		  - {id: transfer, direction: egress, peer: [10.0.5.10], ports: [69/udp], action: allow, answers: peer}
		  - {id: search, direction: egress, peer: [239.255.255.250, 10.0.5.20], ports: [1900/udp], action: allow, answers: peer}
		  - {id: asked, direction: ingress, peer: [10.0.5.0/24], ports: [3702/udp], action: allow, answers: peer}
	YAML
	succeeds "$kind, $1: apply" fr "$host" apply "$work/hints.yaml"
}

# The hint of a refused datagram to or from a port of the asker: EGRESS-OR-INGRESS PORT -> "RULE KEY"
hint_of()
{
	local side=local
	[ "$1" = ingress ] || side=peer
	fr_ask "$host" "[.drops[] | select(.protocol == \"udp\" and .direction == \"$1\" and .$side.port == $2)
		| \"\(.answer_to.rule) \(.answer_to.write)\"] | first" show drops
}

# The same of the datagrams that a peer sent: PEER PORT
hint_from()
{
	fr_ask "$host" "[.drops[] | select(.protocol == \"udp\" and .direction == \"ingress\" and .local.port == $2
		and .peer.address == \"$1\") | \"\(.answer_to.rule) \(.answer_to.write)\"] | first" show drops
}

# The same of coverage: PEER DIRECTION PORT
covered_of()
{
	fr_ask "$host" "[.policies[].unexplained[] | select(.direction == \"$2\" and .peer == \"$1\" and .port == $3)
		| \"\(.answer_to.rule) \(.answer_to.write)\"] | first" coverage
}

learned_of() # PORT -> kind of each proposal
{
	fr_ask "$host" "[.proposals[] | select(.port == $1) | .edit] | join(\" \")" learn
}

hints_run() # KIND MODE
{
	local refused=silence heard
	odd_kind "$1"
	[ "$2" = enforce ] || refused=heard
	hints_apply "$2"
	speaker_start asker "$party" "$party4" 0
	speaker_start other vpc 10.0.5.10 0
	speaker_start neighbour vpc 10.0.5.20 1900
	speaker_start stranger vpc 10.0.5.20 0
	speaker_start server vpc 10.0.5.10 69
	heard=${speaker_port[asker]}
	word_is "a question" heard asker 10.0.5.10 69 server
	word_is "an answer from another port" $refused other "$party4" "$heard" asker
	equal "$kind, $mode: the hint names the rule and the key" 'transfer answers: peer-any-port' "$(hint_of ingress "$heard")"
	equal "$kind, $mode: so does coverage" 'transfer answers: peer-any-port' "$(covered_of 10.0.5.10 ingress "$heard")"
	equal "$kind, $mode: learn proposes nothing" none "$(learned_of "$heard")"
	word_is "a datagram of no peer of the rule" $refused stranger "$party4" "$heard" asker
	equal "$kind, $mode: a key does not admit who is no peer of the rule" 'transfer null' "$(hint_from 10.0.5.20 "$heard")"
	equal "$kind, $mode: nor does learn propose the port" 'none none' "$(learned_of "$heard")"
	matches "$kind, $mode: the text of show drops" "answer to rule transfer from another port.*answers: peer-any-port in rule" \
		"$(fr "$host" show drops)"
	speaker_end asker

	speaker_start asker "$party" "$party4" 0
	heard=${speaker_port[asker]}
	speak asker send 239.255.255.250 1900
	equal "$kind, $mode: a group is asked" sent "$said"
	word_is "its member answers" $refused neighbour "$party4" "$heard" asker
	equal "$kind, $mode: that is answers: group" 'search answers: group' "$(hint_of ingress "$heard")"
	equal "$kind, $mode: no proposal either" none "$(learned_of "$heard")"

	speaker_start asked "$party" "$party4" 3702
	heard=${speaker_port[other]}
	word_is "this side is asked" heard other "$party4" 3702 asked
	word asker 10.0.5.10 "$heard" other $refused
	equal "$kind, $mode: its answer from another port" 'asked answers: peer-any-port' "$(hint_of egress "$heard")"
	equal "$kind, $mode: nor a proposal for that" none "$(learned_of "$heard")"
	speaker_end asker other neighbour stranger server asked
	[ "$mode" = audit ] || as_hinted
	succeeds "$kind, $mode: detach" fr "$host" detach
}

# The keys that the hints name admit the same datagrams, and those alone.
as_hinted()
{
	local port
	sed -e '/id: transfer\|id: asked/s/answers: peer}/answers: peer-any-port}/' \
		-e '/id: search/s/answers: peer}/answers: group}/' "$work/hints.yaml" >"$work/wide.yaml"
	succeeds "$kind: the keys of the hints: apply" fr "$host" apply "$work/wide.yaml"
	equal "$kind: what they admit has left the list of refusals" 0 \
		"$(fr_ask "$host" '[.drops[] | select(.answer_to.write)] | length' show drops)"
	equal "$kind: and coverage" 0 "$(fr_ask "$host" '[.policies[].unexplained[] | select(.answer_to.write)] | length' coverage)"
	speaker_start asker "$party" "$party4" 0
	speaker_start other vpc 10.0.5.10 0
	speaker_start neighbour vpc 10.0.5.20 1901
	speaker_start server vpc 10.0.5.10 69
	port=${speaker_port[asker]}
	word_is 'before the question' silence other "$party4" "$port" asker
	word_is 'the question' heard asker 10.0.5.10 69 server
	word_is 'its answer from another port' heard other "$party4" "$port" asker
	word_is 'none from another address' silence neighbour "$party4" "$port" asker
	equal "$kind: whom no key admits" 'transfer null' "$(hint_from 10.0.5.20 "$port")"
	speaker_end asker
	speaker_start asker "$party" "$party4" 0
	port=${speaker_port[asker]}
	speak asker send 239.255.255.250 1900
	word_is 'a member of the group, from any port' heard neighbour "$party4" "$port" asker
	speaker_start asked "$party" "$party4" 3702
	word_is 'this side is asked' heard other "$party4" 3702 asked
	word_is 'and answers from another port' heard asker 10.0.5.10 "${speaker_port[other]}" other
	# One question each was counted before.
	equal "$kind: it is on the account of the rules that asked" '3 2 3' \
		"$(rule_field "$host" transfer packets) $(rule_field "$host" search attempts) $(rule_field "$host" asked packets)"
	speaker_end asker other neighbour server asked
}

e2e_begin answer-hints
for each in interface guest cgroup; do
	hints_run $each audit
	hints_run $each enforce
done

# Nobody asked that is still known: ports from the first that this host gives out are no services, unless a rule
# names them. The socket that waits there may be the one that asked.
e2e_kind interface
lab_in agent sysctl -qw net.ipv4.ip_local_port_range='10000 20000'
hints_apply enforce
sed -i '/^rules:/a\  - {id: named, direction: ingress, peer: [10.0.5.99], ports: [15003/udp], action: allow}' "$work/hints.yaml"
succeeds 'a rule that names a port: apply' fr agent apply "$work/hints.yaml"
speaker_start other vpc 10.0.5.10 0
speaker_start service agent 10.0.5.5 15002
for port in 9999 15001 15002 15003; do speak other send 10.0.5.5 $port; done
is_seen() { [ "$(fr_ask agent '[.policies[].unexplained[] | select(.peer == "10.0.5.10")] | length' coverage)" = 4 ]; }
until_true is_seen
equal 'below what is given out' rule "$(learned_of 9999)"
equal 'given out' none "$(learned_of 15001)"
equal 'given out, and a socket waits there' none "$(learned_of 15002)"
equal 'given out, and a rule names it' rule "$(learned_of 15003)"
speaker_end other service
succeeds 'detach' fr agent detach

# A question that came in by a device that is not attached: the device is named.
e2e_kind interface
ip -n "$LAB_TAG-router" link add p-seven type veth peer name ens7 netns "$LAB_TAG-agent"
ip -n "$LAB_TAG-router" link set p-seven master lan up
ip -n "$LAB_TAG-agent" link set ens7 up
lab_address agent ens7 10.0.5.77/32
for file in all ens5 ens7; do lab_in agent sysctl -qw "net.ipv4.conf.$file.rp_filter=0"; done
hints_apply enforce
speaker_start asked agent 10.0.5.77 3702
speaker_start other vpc 10.0.5.10 0
# The question passes ens7, and so no hook of a device sees it; what the service sends leaves by ens5.
lab_in vpc ip neigh replace 10.0.5.77 lladdr "$(ip -n "$LAB_TAG-agent" -j link show ens7 | jq -r '.[0].address')" dev eth0 nud permanent
# A service that has not read it, as those in the kernel do not, does not answer it.
speak other send 10.0.5.77 3702
speak asked send 10.0.5.10 "${speaker_port[other]}"
until_true test "$(hint_of egress "${speaker_port[other]}")" = 'asked interfaces: ens7'
equal 'the device to attach is named' 'asked interfaces: ens7' "$(hint_of egress "${speaker_port[other]}")"
speaker_end asked other

# The subnets of apply are those that a group has its members in: a change is reported until the next apply.
remarks_of() { fr_ask agent '[.policies[].remarks[] | select(.check == "subnets-changed")] | length' status; }
sed 's/answers: peer}/answers: group}/' "$work/hints.yaml" >"$work/group.yaml"
succeeds 'rules that await answers: apply' fr agent apply "$work/group.yaml"
equal 'the subnets are those of apply' 0 "$(remarks_of)"
matches 'the same again changes nothing' unchanged "$(fr agent apply "$work/group.yaml" 2>&1)"
lab_address agent ens5 10.77.0.5/24
equal 'an address more' 1 "$(remarks_of)"
matches 'apply takes it in' replaced "$(fr agent apply "$work/group.yaml" 2>&1)"
equal 'and the remark is gone' 0 "$(remarks_of)"

# A default that allows has no answers to widen: a rule of one's own has.
succeeds 'before another default: detach' fr agent detach
cat >"$work/hints.yaml" <<-YAML
	apiVersion: flowreeve/v1
	kind: Policy
	metadata: {name: hints}
	mode: enforce
	attach: $attach
	failsafe: []
	default: {egress: allow}
	rules:
	  - {id: members, direction: egress, peer: [10.0.5.10], ports: [7777/udp], action: allow, answers: group}
YAML
succeeds 'a default that allows: apply' fr agent apply "$work/hints.yaml"
speaker_start asker agent 10.0.5.5 0
speaker_start server vpc 10.0.5.10 4444
speaker_start other vpc 10.0.5.10 0
speaker_start stranger vpc 10.0.5.20 0
port=${speaker_port[asker]}
word_is 'a question by default' heard asker 10.0.5.10 4444 server
word_is 'its answer from another port' silence other 10.0.5.5 "$port" asker
equal 'the hint names the default' 'default-egress answers: peer-any-port' "$(host=agent hint_of ingress "$port")"
equal 'no port is proposed' none "$(host=agent learned_of "$port")"
speaker_end asker server
speaker_start asker agent 10.0.5.5 0
speaker_start server vpc 10.0.5.10 7777
port=${speaker_port[asker]}
word_is 'a question whose answers are wide' heard asker 10.0.5.10 7777 server
word_is 'an answer of nobody whom it asked' silence stranger 10.0.5.5 "$port" asker
equal 'no key that is written already' 'members null' "$(host=agent hint_of ingress "$port")"
matches 'what would admit it' 'from none of its peers: it passes from one of them, with answers: group' "$(fr agent show drops)"
speaker_end asker server other stranger
