# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# One attach kind, every real client and server, in audit and in enforce. Sourced by the scripts of the
# kinds, which set: kind, host (where flowreeve runs), party (the protected node), party4, party6,
# attach, refusal (the party's error for a refused opening: timeout, or denied), options of apply.

matrix_rules='aws-datasync/nfs aws-datasync/smb aws-datasync/vpc-control aws-datasync/vpc-data
	aws-mgn/replication-data aws-vpc-resolver/dns aws-time-sync/ntp ssh-from-bastion'
matrix_nfs3_use='  - {table: nfsv3, as: client, set: {mountd-port: 635}, peers: {nfs-server: [10.20.0.5]}}'

matrix_servers_start()
{
	nfs_start nfs v3
	smb_start nfs
	https_start vpc
	tls_start vpc 10.0.5.10 1500
	peer_start vpc control 10.0.5.10 1023-1065
	peer_start vpc control6 fd00:5::10 1024
	peer_start vpc past-tls 10.0.5.10 1501
	dns_start bastion 10.0.0.2 fd00:0:0:1::2
	ntp_start bastion
	peer_start nfs echo --udp 7
	peer_start intruder stranger 4444
	peer_start intruder stranger-udp --udp 4445
	https_start intruder
	ssh_start "$party"
	peer_start "$party" forgotten 8080
	peer_start "$party" knocked 9001-9200
	peer_start "$party" forgotten-udp --udp 8081
}

# All traffic that the policy allows, by real clients. PHASE
matrix_allowed()
{
	local p="$kind, $1"
	matches "$p: NFS version 4 lists the export" hello.txt "$(nfs_list "$party" 10.20.0.5 4 2>&1)"
	matches "$p: NFS over IPv6" hello.txt "$(nfs_list "$party" fd00:20::5 4 2>&1)"
	matches "$p: SMB reads a file" 'hello from the share' "$(smb_read "$party" 10.20.0.5 2>&1)"
	matches "$p: HTTPS to a task interface" 'hello over' "$(https_get "$party" https://10.0.5.21/ 2>&1)"
	matches "$p: HTTPS over IPv6" 'hello over' "$(https_get "$party" 'https://[fd00:5::20]/' 2>&1)"
	equal "$p: 20 MB over HTTPS arrive whole" 20000000 \
		"$(https_get "$party" https://10.0.5.20/large 120 2>/dev/null | wc -c)"
	tries "$p: control channel, first port" ok peer_try "$party" tcp 10.0.5.10 1024
	tries "$p: control channel, last port" ok peer_try "$party" tcp 10.0.5.10 1064
	tries "$p: control channel over IPv6" ok peer_try "$party" tcp fd00:5::10 1024
	tries "$p: control channel from a v4-mapped socket" ok \
		peer_try "$party" tcp ::ffff:10.0.5.10 1030
	matches "$p: TLS on 1500" 'Verification: OK' "$(tls_shake "$party" 10.0.5.10 1500)"
	equal "$p: DNS over UDP" 10.0.5.20 "$(dns_ask "$party" 10.0.0.2)"
	equal "$p: DNS over TCP" 10.0.5.20 "$(dns_ask "$party" 10.0.0.2 +tcp)"
	equal "$p: DNS over IPv6" 10.0.5.20 "$(dns_ask "$party" fd00:0:0:1::2)"
	matches "$p: NTP" 'System clock wrong' "$(ntp_ask "$party" 10.0.0.2 2>&1)"
	equal "$p: SSH from the bastion" hello "$(ssh_run bastion "$party4" echo hello 2>&1)"
	equal "$p: SSH from the bastion over IPv6" hello "$(ssh_run bastion "$party6" echo hello 2>&1)"
}

# All traffic that it does not allow, with the opener's WORD for each: "outward" for the party's own
# openings, "inward" for those of others. PHASE OUTWARD INWARD
matrix_refused()
{
	local p="$kind, $1, not allowed" out=$2 in=$3
	tries "$p: the port below the control channel" "$out" peer_try "$party" tcp 10.0.5.10 1023
	tries "$p: the port above the control channel" "$out" peer_try "$party" tcp 10.0.5.10 1065
	tries "$p: the port after 1500" "$out" peer_try "$party" tcp 10.0.5.10 1501
	tries "$p: a stranger's address" "$out" peer_try "$party" tcp 10.66.0.66 4444
	tries "$p: a stranger over IPv6" "$out" peer_try "$party" tcp fd00:66::66 4444
	tries "$p: a stranger, v4-mapped" "$out" peer_try "$party" tcp ::ffff:10.66.0.66 4444
	tries "$p: a stranger over UDP" "$out" peer_try "$party" udp 10.66.0.66 4445
	tries "$p: the opposite direction, from the endpoint" "$in" peer_try vpc tcp "$party4" 8080
	tries "$p: the opposite direction, over UDP" "$in" peer_try nfs udp "$party4" 8081
	tries "$p: the intruder knocks" "$in" peer_try intruder tcp "$party4" 8080
	tries "$p: the intruder knocks over IPv6" "$in" peer_try intruder tcp "$party6" 8080
	tries "$p: the intruder knocks at SSH" "$in" peer_try intruder tcp "$party4" 22
}

# Exactly as many as were sent: datagrams of an allowed stream and the answers, on one rule, one flow.
matrix_counts() # PHASE
{
	local p="$kind, $1" before after text sent
	before=$(rule_field "$host" echo packets)
	text=$(stream_count "$party" 10.20.0.5 7 400)
	sent=$(awk '{ print $2 }' <<<"$text")
	equal "$p: every datagram is answered" "sent $sent received $sent" "$text"
	after=$(rule_field "$host" echo packets)
	equal "$p: the rule counts each datagram and each answer once" $((2 * sent)) $((after - before))
	equal "$p: the flow tells both ways apart" "$sent $sent" "$(fr_ask "$host" '[.flows[] |
		select(.rule == "echo" and .protocol == "udp")] | max_by(.first) |
		"\(.egress.packets) \(.ingress.packets)"' show flows)"
	equal "$p: and who opened it" local \
		"$(fr_ask "$host" '[.flows[] | select(.rule == "echo")][0].opener' show flows)"
}

matrix_rows() # PHASE: the rules' figures speak of the rows that were used
{
	local p="$kind, $1" rule
	for rule in $matrix_rules; do
		at_least "$p: rule $rule counts its connections" 1 "$(rule_field "$host" "$rule" attempts)"
	done
	equal "$p: the NFS rule names its row and line" 'aws-datasync nfs 17' \
		"$(fr_ask "$host" '[.policies[].rules[] | select(.id == "aws-datasync/nfs")][0].row |
			"\(.table) \(.row) \(.line)"' show rules)"
}

matrix_audit()
{
	policy_write "$work/audit.yaml" audit "$attach"
	succeeds "$kind: apply in audit" fr "$host" apply "$work/audit.yaml" $options
	equal "$kind: status says audit and no fault" 'audit 0' \
		"$(fr_ask "$host" '.policies[0] | "\(.mode) \(.faults)"' status)"
	matrix_allowed audit
	# The router's ICMPv6 redirects are the lab's: it has one port for all of its networks.
	equal "$kind, audit: nothing that is allowed is reported as would-drop" '' \
		"$(fr_ask "$host" '.drops[] | select(.protocol == "tcp" or .protocol == "udp") | "\(.direction) \(.local.address):\(.local.port) \(.peer.address):\(.peer.port)"' show drops)"
	matrix_refused audit ok ok
	matrix_counts audit
	matrix_rows audit
	local side text
	for side in '10.0.5.10 1023' '10.0.5.10 1065' '10.0.5.10 1501' '10.66.0.66 4444' '10.66.0.66 4445' \
		'fd00:66::66 4444'; do
		at_least "$kind, audit: would-drop egress $side is on record" 1 \
			"$(drops_of "$host" would-drop egress $side)"
	done
	for side in '10.0.5.10 8080' '10.20.0.5 8081' '10.66.0.66 8080' 'fd00:66::66 8080' '10.66.0.66 22'; do
		at_least "$kind, audit: would-drop ingress $side is on record" 1 \
			"$(drops_of "$host" would-drop ingress $side)"
	done
	text=$(stream_count intruder "$party4" 8081 80)
	equal "$kind, audit: a stream of the intruder is reported as one would-drop, both ways" \
		$((2 * $(awk '{ print $2 }' <<<"$text"))) "$(drops_of "$host" would-drop ingress 10.66.0.66 8081)"
	equal "$kind, audit: not one packet was dropped" 0 \
		"$(fr_ask "$host" '[.policies[].verdicts[] | select(.verdict == "drop") | .packets] | add // 0' status)"
}

# Openings that nothing else counts, at another port each time, until the first is reported: not of the intruder,
# whose next refusals would be held back for a while.
matrix_watched() # EVENTS
{
	knocked=$((${knocked:-0} % 200 + 1))
	peer_try nfs tcp "$party4" $((9000 + knocked)) --wait 0.1 >/dev/null
	[ -s "$1" ]
}

matrix_told() # EVENTS
{
	jq -es 'any(.[]; .peer.address == "10.66.0.66" and .peer.port == 4444) and
		any(.[]; .peer.address == "10.66.0.66" and .local.port == 8080)' "$1"
}

matrix_enforce()
{
	local events="$work/events"
	succeeds "$kind: apply in enforce" fr "$host" apply "$work/audit.yaml" --mode enforce $options
	equal "$kind: status says enforcing" 'enforce true 0' \
		"$(fr_ask "$host" '.policies[0] | "\(.mode) \(.enforcing) \(.faults)"' status)"
	lab_enter "$host" "$FLOWREEVE" monitor --json --pin-root "$LAB_DIR/bpf/flowreeve" >"$events" 2>"$events.err" &
	local monitor=$!
	succeeds "$kind: monitor watches" until_true matrix_watched "$events"
	matrix_allowed enforce
	matrix_refused enforce "$refusal" timeout
	matrix_counts enforce
	succeeds "$kind: monitor has told of both" until_true matrix_told "$events"
	kill -TERM "$monitor"
	wait "$monitor" 2>/dev/null
	equal "$kind: monitor tells the refusal at once, with rule and reason" 'drop egress default-egress default' \
		"$(jq -rs '[.[] | select(.peer.address == "10.66.0.66" and .peer.port == 4444)][0] |
			"\(.verdict) \(.direction) \(.rule) \(.reason)"' "$events" 2>&1)"
	equal "$kind: monitor tells the intruder's knock" 'drop ingress default-ingress default' \
		"$(jq -rs '[.[] | select(.peer.address == "10.66.0.66" and .local.port == 8080)][0] |
			"\(.verdict) \(.direction) \(.rule) \(.reason)"' "$events" 2>&1)"
	equal "$kind: monitor tells no refusal of what is allowed" 0 \
		"$(jq -s '[.[] | select(.verdict == "drop" and .peer.port == 2049)] | length' "$events" 2>&1)"
	at_least "$kind, enforce: the drop is on record" 1 "$(drops_of "$host" drop egress 10.66.0.66 4444)"
	at_least "$kind, enforce: the knock is on record" 1 "$(drops_of "$host" drop ingress 10.66.0.66 8080)"
	matrix_drop_count
	! declare -F matrix_extra >/dev/null || matrix_extra
}

# Datagrams that must not pass, counted one by one.
matrix_drop_count()
{
	local before after sent text
	before=$(rule_field "$host" default-ingress drops)
	text=$(stream_count intruder "$party4" 8081 250)
	sent=$(awk '{ print $2 }' <<<"$text")
	equal "$kind, enforce: no datagram of the intruder is answered" "sent $sent received 0" "$text"
	after=$(rule_field "$host" default-ingress drops)
	equal "$kind, enforce: each is counted as a drop of the default" "$sent" $((after - before))
	equal "$kind, enforce: and told, without what only would have been dropped before" "$sent" \
		"$(drops_of "$host" drop ingress 10.66.0.66 8081)"
}

matrix_zero()
{
	local echo
	echo=$(rule_field "$host" echo packets)
	succeeds "$kind: zero of one rule" fr "$host" zero aws-datasync/nfs
	equal "$kind: that rule is at zero" 0 "$(rule_field "$host" aws-datasync/nfs packets)"
	equal "$kind: the others are not" "$echo" "$(rule_field "$host" echo packets)"
	succeeds "$kind: zero of all" fr "$host" zero
	equal "$kind: all are at zero" 0 \
		"$(fr_ask "$host" '[.policies[].rules[] | select(.id == "echo" or .id == "aws-vpc-resolver/dns") | .packets] | add' show rules)"
	fr_exits "$kind: zero of a rule that does not exist" 1 "$host" zero no-such-rule
}

matrix_detach()
{
	local ids
	ids=$(fr_ask "$host" '.policies[].hooks[].program' status | sort -u)
	at_least "$kind: status names the programs" 2 "$(wc -w <<<"$ids")"
	succeeds "$kind: detach" fr "$host" detach e2e
	equal "$kind: no program is left" '' "$(programs_left $ids)"
	equal "$kind: no pin is left" '' "$(pins_left)"
	equal "$kind: nothing is attached to the interfaces" '' \
		"$(lab_enter "$host" bpftool net show 2>&1 | grep fr_)"
	[ -z "$LAB_CGROUP" ] || equal "$kind: nothing is attached to the cgroup" '' \
		"$(bpftool cgroup show "$LAB_CGROUP" 2>&1 | grep fr_)"
	equal "$kind: status knows of no policy" 0 "$(fr_ask "$host" '.policies | length' status)"
	tries "$kind: the stranger is reached again" ok peer_try "$party" tcp 10.66.0.66 4444
}

# NFS version 3 needs the portmapper and mountd: not in the vendor's table, in one of its own.
matrix_nfs3()
{
	policy_write "$work/v4.yaml" enforce "$attach"
	policy_write "$work/v3.yaml" enforce "$attach" "$matrix_nfs3_use"
	succeeds "$kind: apply without the version 3 rows" fr "$host" apply "$work/v4.yaml" $options
	fails "$kind: NFS version 3 is refused" nfs_list "$party" 10.20.0.5 3 2
	succeeds "$kind: apply with the version 3 table" fr "$host" apply "$work/v3.yaml" $options
	matches "$kind: NFS version 3 lists the export" hello.txt "$(nfs_list "$party" 10.20.0.5 3 2>&1)"
}

matrix_run()
{
	matrix_servers_start
	matrix_audit
	matrix_enforce
	matrix_zero
	matrix_nfs3
	matrix_detach
}
