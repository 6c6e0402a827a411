#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The owner of a connection: its user, its parent and its start, in flows, drops and events.
. "$(dirname "$0")/lib.sh"

# A connection that is held until file $1 is there, and one that is refused.
client='
import os, socket, sys, time
allowed = socket.create_connection(("10.20.0.5", 7), 20)
allowed.sendall(b"x")
allowed.recv(1)
try:
    socket.create_connection(("10.66.0.66", int(sys.argv[2])), 5)
except OSError:
    pass
print(os.getpid(), flush=True)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.05)
'

started='.started | sub("\\.[0-9]+"; "") | fromdate'

# WHAT JSON-OF-PROCESS
is_the_client()
{
	equal "$1: the process is named" "python3 $child" "$(jq -r '"\(.name) \(.pid)"' <<<"$2")"
	equal "$1: its user" 4242 "$(jq -r .uid <<<"$2")"
	if [ ! -e /sys/kernel/btf/vmlinux ]; then
		equal "$1: its parent is not known" null "$(jq -c .parent <<<"$2")"
		equal "$1: its start is not known" null "$(jq -c .started <<<"$2")"
		return
	fi
	equal "$1: its parent" "starter $parent" "$(jq -r '"\(.parent.name) \(.parent.pid)"' <<<"$2")"
	equal "$1: its start" true "$(jq "$started | . >= $before - 1 and . <= $after + 1" <<<"$2")"
}

server='
import socket
listener = socket.create_server(("10.20.0.5", 7))
print("ready", flush=True)
held = []
while True:
    held.append(listener.accept()[0])
    held[-1].sendall(held[-1].recv(1))
'

# An event of one peer and port comes once in a while: each round has ports of its own.
watched() { peer_try agent tcp 10.66.0.66 $((port + 1)) --wait 0.2 >/dev/null 2>&1; [ -s "$1" ]; }
has_events() { jq -es "any(.[]; .type == \"opened\" and .peer.port == 7) and any(.[]; .peer.port == $port)" "$1" >/dev/null; }

e2e_begin process
e2e_kind cgroup
lab_spawn server nfs /usr/bin/python3 -c "$server"
succeeds 'a server' until_true says "$work/log/server" ready
policy_write "$work/policy.yaml" enforce "$attach"
succeeds 'apply' fr agent apply "$work/policy.yaml"
for style in json text; do
	events="$LAB_DIR/log/monitor-$style"
	port=4444 option=--json
	[ $style = json ] || port=5555 option='--wide'
	lab_spawn monitor-$style agent "$FLOWREEVE" monitor --openings ${option:+$option} --pin-root "$LAB_DIR/bpf/flowreeve"
	succeeds "$style: monitor watches" until_true watched "$events"
	before=$(date +%s)
	cp /bin/bash "$work/starter"
	# shellcheck disable=SC2016
	lab_spawn client-$style agent "$work/starter" -c \
		'echo $$; setpriv --reuid 4242 --clear-groups /usr/bin/python3 -c "$0" "$1" "$2"; true' "$client" "$work/end.$style" $port
	succeeds "$style: the client has asked" until_true eval "[ \$(wc -l <'$LAB_DIR/log/client-$style') = 2 ]"
	after=$(date +%s)
	{ read -r parent && read -r child; } <"$LAB_DIR/log/client-$style"
	if [ $style = json ]; then
		succeeds 'monitor has reported both' until_true has_events "$events"
		is_the_client 'show flows' "$(fr_ask agent '[.flows[] | select(.peer.port == 7)] | last.process' show flows)"
		is_the_client 'show drops' "$(fr_ask agent "[.drops[] | select(.peer.port == $port)] | last.process" show drops)"
		is_the_client 'coverage' "$(fr_ask agent "[.policies[].unexplained[] | select(.port == $port)] | last.process" coverage)"
		is_the_client 'an opening' "$(jq -cs '[.[] | select(.type == "opened" and .peer.port == 7)] | last.process' "$events")"
		is_the_client 'a refusal' "$(jq -cs "[.[] | select(.peer.port == $port)] | last.process" "$events")"
	else
		who="python3 \($child\) +4242"
		wide="python3 \($child\) +4242"
		if [ -e /sys/kernel/btf/vmlinux ]; then
			who="$who +starter \($parent\) +20[0-9T:-]+Z"
			wide="$wide +starter \($parent\) +20[0-9T:-]+Z"
		fi
		succeeds 'text: monitor names the user, the parent and the start' until_true says "$events" ":$port .* $who"
		for verb in flows drops; do
			matches "text: show $verb --wide names them" " $wide\$" "$(fr agent show $verb --wide)"
			matches "text: show $verb names the process alone" " python3 \($child\)\$" "$(fr agent show $verb)"
		done
		fr_exits 'text: show rules --wide' 0 agent show rules --wide
	fi
	touch "$work/end.$style"
	lab_stop monitor-$style
done

# The map of processes is detail: without it the rest is shown as before.
rm "$LAB_DIR"/bpf/flowreeve/e2e/e*/fr_processes
equal 'without the map: the process is named, its user is not known' 'python3 null null null' \
	"$(fr_ask agent "[.drops[] | select(.peer.port == $port)] | last.process | \"\\(.name) \\(.uid) \\(.parent) \\(.started)\"" show drops)"
